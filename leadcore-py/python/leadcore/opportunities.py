"""Opportunities: what accounts may buy, until it is won or lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .arguments import check, expected, several
from .arguments import compiled as _leadcore
from .exceptions import InvalidError, Violation
from .fields import CUSTOM, with_custom
from .lines import lines_json, number_of
from .models import Page
from .opportunity import (
    OPPORTUNITY_KEYS,
    Opportunity,
    OpportunityInput,
    OpportunityRef,
    OpportunityState,
    opportunity_of,
)
from .series import SeriesRef
from .subjects import SubjectRef, check_unicode, fields_json, identity, page_of, text_or_none

if TYPE_CHECKING:
    from typing import Unpack

    from .contacts import ContactRef
    from .conversion_options import ConversionInput
    from .database import Database

__all__ = ["Opportunities"]


def day_of(name: str, given: object) -> str | None:
    """A day as the compiled module reads it."""
    if isinstance(given, datetime) or not isinstance(given, (date, str, type(None))):
        raise expected(name, "a date, or the same as text", given)
    return given.isoformat() if isinstance(given, date) else given


def id_of(name: str, given: object) -> str | None:
    """The id of a record, or the id."""
    which = getattr(given, "id", given)
    if isinstance(which, str):
        check_unicode(name, which)
    if not isinstance(which, (UUID, str, type(None))):
        raise expected(name, "an id, or the record", given)
    return str(which) if isinstance(which, UUID) else which


def is_name(which: str | None) -> bool:
    """Whether a term is said by its name, rather than by its id."""
    if which is None:
        return False
    try:
        UUID(which)
    except ValueError:
        return True
    return False


def opportunity_fields(given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The fields that were said, each of a type that it can be, and those that the tenant added."""
    said = with_custom(given, OPPORTUNITY_KEYS)
    own = {key: said.pop(key) for key in [*said] if key.startswith(CUSTOM)}
    for name in ("name", "owner", "currency", "campaign", "description"):
        text_or_none(name, said.get(name))
    if "expected_close" in said:
        said["expected_close"] = day_of("expected_close", said["expected_close"])
    if "amount" in said:
        said["amount"] = None if said["amount"] is None else f"{number_of('amount', said['amount']):f}"
    if "source" in said:
        said["source"] = id_of("source", said["source"])
        if is_name(said["source"]):
            own["source"] = said.pop("source")
    if "probability" in said:
        check("probability", said["probability"], (int, type(None)), "a whole number or None")
    if "lines" in said:
        said["lines"] = lines_json(said["lines"])
    return fields_json(said), own


def _decided(
    convert: bool | ConversionInput,
) -> tuple[str, str, dict[str, Any], dict[str, Any], dict[str, Any], dict[str, dict[str, Any]]] | None:
    """What is decided about the conversion of a lead, if it is converted; each error at its place."""
    from .conversion_options import options_of  # it imports this module

    if not isinstance(convert, (bool, Mapping)):
        raise expected("convert", "true, false, or what is decided about the conversion", convert)
    if convert is False:
        return None
    try:
        return options_of({} if convert is True else convert)
    except InvalidError as error:
        broken = [Violation(f"convert.{one.field}", one.code, one.message) for one in error.violations]
    raise InvalidError("; ".join(str(one) for one in broken), violations=broken)


class Opportunities:
    """``db.opportunities``."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.opportunities``."""
        self._db = db

    def create(
        self,
        subject: SubjectRef,
        /,
        *,
        contacts: Iterable[ContactRef] = (),
        series: SeriesRef | None = None,
        convert: bool | ConversionInput = False,
        **fields: Unpack[OpportunityInput],
    ) -> Opportunity:
        """Create an open opportunity of an account, or of the account that a lead became.

        It gets the next number of a ``series`` (``db.series``), or of the default one. With ``convert``, a lead that is
        no customer yet is converted first, in the same transaction: ``True``, or what :class:`ConversionInput` decides.
        Both happen, or neither; with a ``key`` there, which stands for the whole call, the same call again gives the
        first opportunity, also after what it names was renamed. Of a lead converted so, it is what the mapping makes of
        the lead, as in a plan, with ``fields`` over it; another ``opportunity`` in ``convert`` is refused. A program
        with ``targets`` of its own converts by ``db.leads.convert`` and creates the opportunity in one
        ``db.transaction()``.

        Raises:
            ConflictError: For a lead that is not converted, without ``convert``: its ``conflict`` says
                ``conversion_required``, with the lead and its revision to plan the conversion with; also for a person
                whom only such a lead has. With it, for what
                stands against the conversion, and for another call under its ``key``: ``key_reused``.
            InvalidError: With every broken rule.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
            >>> _ = db.leads.convert(lead)
            >>> roof = db.opportunities.create(lead, name="Solar roof", amount=3000, probability=60)
            >>> roof.state, roof.amount, roof.currency
            ('open', Decimal('3000'), 'EUR')
            >>> lead = db.leads.create(company="Fjord AS")
            >>> db.opportunities.create(lead, name="Wind park", convert={"status": "prospect"}).number
            2

        """
        decided = _decided(convert)
        persons = [id_of("contacts", contact) for contact in several("contacts", contacts, "several contacts")]
        said, own = opportunity_fields(fields)
        return self._one(_leadcore.opportunity_create(self._db._session, subject, said, persons, own, series, decided))

    def get(self, opportunity: OpportunityRef) -> Opportunity:
        """The opportunity.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> roof = db.opportunities.create(lead, name="Solar roof")
        >>> db.opportunities.get(roof.id) == roof
        True
        """
        return self._one(_leadcore.opportunity_get(self._db._session, _of(opportunity)[0]))

    def by_number(self, number: int | str) -> Opportunity:
        """The opportunity with this number, or the text that people write for it: ``O-00042``.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> roof = db.opportunities.create(lead, name="Solar roof")
        >>> db.opportunities.by_number("O-00001") == db.opportunities.by_number(1) == roof
        True
        """
        return self._one(_leadcore.opportunity_by_number(self._db._session, number))

    def edit(self, opportunity: OpportunityRef, /, **changes: Unpack[OpportunityInput]) -> Opportunity:
        """Change some fields. What it was worth is fixed once it is won or lost, until it is reopened.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> roof = db.opportunities.create(lead, name="Solar roof")
        >>> db.opportunities.edit(roof, probability=80, expected_close="2099-12-31").probability
        80
        >>> _ = db.catalogue.of("opportunity").add_field("x_panels", label="Panels", type="integer")
        >>> db.opportunities.edit(roof.id, x_panels=24).x_panels
        24
        """
        return self._one(_leadcore.opportunity_edit(self._db._session, *_of(opportunity), *opportunity_fields(changes)))

    def set_contacts(self, opportunity: OpportunityRef, contacts: Iterable[ContactRef]) -> Opportunity:
        """Say which persons it is about.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> kari = db.contacts.add(lead, name="Kari")
        >>> _ = db.leads.convert(lead)
        >>> roof = db.opportunities.create(lead, name="Solar roof")
        >>> db.opportunities.set_contacts(roof, [kari]).contact_ids == (kari.id,)
        True
        """
        persons = [id_of("contacts", contact) for contact in several("contacts", contacts, "several contacts")]
        return self._one(_leadcore.opportunity_contacts(self._db._session, *_of(opportunity), persons))

    def win(self, opportunity: OpportunityRef, *, on: date | str | None = None) -> Opportunity:
        """They buy: on this day, or today.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> db.opportunities.win(db.opportunities.create(lead, name="Solar roof")).state
        'won'
        """
        return self._move(opportunity, "won", day_of("on", on), None, None)

    def lose(
        self,
        opportunity: OpportunityRef,
        *,
        reason: object = None,
        detail: str | None = None,
        on: date | str | None = None,
    ) -> Opportunity:
        """They do not buy, and why: one of ``db.lost_reasons``, words, or both.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> roof = db.opportunities.create(lead, name="Solar roof")
        >>> db.opportunities.lose(roof, detail="no budget").lost_detail
        'no budget'
        """
        return self._move(opportunity, "lost", day_of("on", on), id_of("reason", reason), detail)

    def reopen(self, opportunity: OpportunityRef) -> Opportunity:
        """It is open again. How it had ended stays in its history.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> won = db.opportunities.win(db.opportunities.create(lead, name="Solar roof"))
        >>> db.opportunities.reopen(won).is_open
        True
        """
        return self._move(opportunity, "open", None, None, None)

    def _move(
        self,
        opportunity: OpportunityRef,
        state: OpportunityState,
        on: str | None,
        reason: str | None,
        detail: str | None,
    ) -> Opportunity:
        told = _leadcore.opportunity_move(self._db._session, *_of(opportunity), state, on, reason, detail)
        return self._one(told)

    def delete(self, opportunity: OpportunityRef) -> None:
        """Delete it, with what is about it alone. An undo brings it back.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> db.opportunities.delete(db.opportunities.create(lead, name="Solar roof"))
        >>> len(db.opportunities.of(lead))
        0
        """
        _leadcore.opportunity_delete(self._db._session, *_of(opportunity))

    def of(
        self,
        subject: SubjectRef,
        *,
        open: bool | None = None,  # noqa: A002 - it is what people call it
        ascending: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Opportunity]:
        """A page of the opportunities of an account, a lead that became one, or a contact, the latest first.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> _ = db.opportunities.create(lead, name="Solar roof")
        >>> [one.name for one in db.opportunities.of(lead, open=True)]
        ['Solar roof']
        """
        told = _leadcore.opportunities_of(self._db._session, subject, open, ascending, after, limit)
        return page_of(told, opportunity_of)

    def list(
        self,
        *,
        account: object = None,
        owner: str | None = None,
        state: OpportunityState | None = None,
        source: object = None,
        since: date | str | None = None,
        until: date | str | None = None,
        ascending: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Opportunity]:
        """A page of all opportunities that the acting user may see, by the day on which they ended or may be won.

        For a user who may not see all leads, a page can be shorter than ``limit`` and still have a ``next``.

        Args:
            account: Only those of this account.
            owner: Only those that this user answers for.
            state: Only those in this state.
            source: Only those from this source, by record, id or name.
            since: Not of an earlier day.
            until: Not of a later day.
            ascending: The earliest first.
            limit: How many at most, 1 to 1,000.
            after: The ``next`` of the page before.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> _ = db.leads.convert(lead)
            >>> _ = db.opportunities.create(lead, name="Solar roof")
            >>> len(db.opportunities.list(state="open")), len(db.opportunities.list(state="won"))
            (1, 0)

        """
        text_or_none("owner", owner)
        text_or_none("state", state)
        asked = {
            "account": id_of("account", account),
            "owner": owner,
            "state": state,
            "source": id_of("source", source),
            "since": day_of("since", since),
            "until": day_of("until", until),
        }
        told = _leadcore.opportunity_page(self._db._session, fields_json(asked), ascending, after, limit)
        return page_of(told, opportunity_of)

    def _one(self, text: str) -> Opportunity:
        return opportunity_of(json.loads(text))


def _of(opportunity: OpportunityRef) -> tuple[Any, int | None]:
    return identity(opportunity, Opportunity, "opportunity")
