"""Opportunities: what accounts may buy, until it is won or lost; and services: what they buy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .arguments import check, expected
from .arguments import compiled as _leadcore
from .estimate import Estimate
from .fields import checked
from .lines import LineRef, lines_json, number_of
from .models import Page
from .opportunity import (
    OPPORTUNITY_KEYS,
    SERVICE_KEYS,
    Opportunity,
    OpportunityInput,
    OpportunityRef,
    OpportunityState,
    Service,
    ServiceInput,
    ServiceRef,
    ServiceState,
    opportunity_of,
    service_of,
)
from .subjects import SubjectRef, fields_json, identity, page_of, text_or_none

if TYPE_CHECKING:
    from typing import Unpack

    from .contacts import ContactRef
    from .database import Database

__all__ = ["Opportunities", "Services"]


def _day(name: str, given: object) -> str | None:
    if isinstance(given, datetime) or not isinstance(given, (date, str, type(None))):
        raise expected(name, "a date, or the same as text", given)
    return given.isoformat() if isinstance(given, date) else given


def _id(name: str, given: object) -> str | None:
    which = getattr(given, "id", given)
    if not isinstance(which, (UUID, str, type(None))):
        raise expected(name, "an id, or the record", given)
    return str(which) if isinstance(which, UUID) else which


def _fields(given: Mapping[str, Any]) -> str:
    """The fields that were said, each of a type that it can be."""
    said = checked(given, OPPORTUNITY_KEYS)
    for name in ("name", "owner", "currency", "campaign", "description"):
        text_or_none(name, said.get(name))
    if "expected_close" in said:
        said["expected_close"] = _day("expected_close", said["expected_close"])
    if "amount" in said:
        said["amount"] = None if said["amount"] is None else f"{number_of('amount', said['amount']):f}"
    if "source" in said:
        said["source"] = _id("source", said["source"])
    if "probability" in said:
        check("probability", said["probability"], (int, type(None)), "a whole number or None")
    if "lines" in said:
        said["lines"] = lines_json(said["lines"])
    return fields_json(said)


def _service_fields(given: Mapping[str, Any]) -> str:
    said = checked(given, SERVICE_KEYS)
    for name in ("currency", "note"):
        text_or_none(name, said.get(name))
    if "line" in said:
        said["line"] = lines_json([said["line"]])
    for name in ("since", "until"):
        if name in said:
            said["from" if name == "since" else name] = _day(name, said.pop(name))
    return fields_json(said)


class Opportunities:
    """``db.opportunities``."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.opportunities``."""
        self._db = db

    def create(
        self, subject: SubjectRef, /, *, contacts: Iterable[ContactRef] = (), **fields: Unpack[OpportunityInput]
    ) -> Opportunity:
        """Create an open opportunity of an account, or of the account that a lead became.

        Raises:
            ConflictError: For a lead that is not converted: its ``conflict`` says ``conversion_required``, with the
                lead and its revision to plan the conversion with.
            InvalidError: With every broken rule.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
            >>> _ = db.leads.convert(lead)
            >>> roof = db.opportunities.create(lead, name="Solar roof", amount=3000, probability=60)
            >>> roof.state, roof.amount, roof.currency
            ('open', Decimal('3000'), 'EUR')

        """
        persons = [_id("contacts", contact) for contact in contacts]
        return self._one(_leadcore.opportunity_create(self._db._session, subject, _fields(fields), persons))

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
        """
        return self._one(_leadcore.opportunity_edit(self._db._session, *_of(opportunity), _fields(changes)))

    def set_contacts(self, opportunity: OpportunityRef, contacts: Iterable[ContactRef]) -> Opportunity:
        """Say which persons it is about.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> kari = db.contacts.add(lead, name="Kari")
        >>> _ = db.leads.convert(lead)
        >>> roof = db.opportunities.create(lead, name="Solar roof")
        >>> db.opportunities.set_contacts(roof, [kari]).contact_ids == (kari.id,)
        True
        """
        persons = [_id("contacts", contact) for contact in contacts]
        return self._one(_leadcore.opportunity_contacts(self._db._session, *_of(opportunity), persons))

    def win(self, opportunity: OpportunityRef, *, on: date | str | None = None) -> Opportunity:
        """They buy: on this day, or today.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> db.opportunities.win(db.opportunities.create(lead, name="Solar roof")).state
        'won'
        """
        return self._move(opportunity, "won", _day("on", on), None, None)

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
        return self._move(opportunity, "lost", _day("on", on), _id("reason", reason), detail)

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
            source: Only those from this source.
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
            "account": _id("account", account),
            "owner": owner,
            "state": state,
            "source": _id("source", source),
            "since": _day("since", since),
            "until": _day("until", until),
        }
        told = _leadcore.opportunity_page(self._db._session, fields_json(asked), ascending, after, limit)
        return page_of(told, opportunity_of)

    def _one(self, text: str) -> Opportunity:
        return opportunity_of(json.loads(text))


def _of(opportunity: OpportunityRef) -> tuple[Any, int | None]:
    return identity(opportunity, Opportunity, "opportunity")


class Services:
    """``db.services``."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.services``."""
        self._db = db

    def create(
        self,
        subject: SubjectRef,
        line: LineRef,
        /,
        *,
        state: ServiceState = "active",
        estimate: Estimate | UUID | str | None = None,
        position: int | None = None,
        opportunity: OpportunityRef | None = None,
        **fields: Unpack[ServiceInput],
    ) -> Service:
        """Create a service of an account, or of the account that a lead became.

        Args:
            subject: The account, or the lead.
            line: What is bought.
            state: Whether it is bought from now on.
            estimate: The estimate that the line was copied from.
            position: The place of the line in it, from 0 on.
            opportunity: The opportunity that it was won with.
            fields: What else there is to say of it.

        Raises:
            ConflictError: For a lead that is not converted: see ``db.opportunities.create``.
            InvalidError: With every broken rule.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
            >>> _ = db.leads.convert(lead)
            >>> care = db.services.create(lead, leadcore.Line("Care", 12, 49, tax=25), since="2027-01-01")
            >>> care.total, care.currency, care.state
            (Decimal('735'), 'EUR', 'active')

        """
        text = _service_fields({**fields, "line": line})
        origin = _id("estimate", estimate), position
        of = _id("opportunity", opportunity)
        return self._one(_leadcore.service_create(self._db._session, subject, text, state, *origin, of))

    def get(self, service: ServiceRef) -> Service:
        """The service.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> care = db.services.create(lead, leadcore.Line("Care"))
        >>> db.services.get(care.id) == care
        True
        """
        return self._one(_leadcore.service_get(self._db._session, _service(service)[0]))

    def edit(self, service: ServiceRef, /, **changes: Unpack[ServiceInput]) -> Service:
        """Change some fields.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> care = db.services.create(lead, leadcore.Line("Care"))
        >>> db.services.edit(care, note="monthly", line={"description": "Care", "unit_price": 9}).total
        Decimal('9')
        """
        return self._one(_leadcore.service_edit(self._db._session, *_service(service), _service_fields(changes)))

    def activate(self, service: ServiceRef) -> Service:
        """It is bought from now on.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> db.services.activate(db.services.create(lead, leadcore.Line("Care"), state="inactive")).state
        'active'
        """
        return self._one(_leadcore.service_set_state(self._db._session, *_service(service), "active"))

    def deactivate(self, service: ServiceRef) -> Service:
        """It is bought no more, or not yet.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> db.services.deactivate(db.services.create(lead, leadcore.Line("Care"))).state
        'inactive'
        """
        return self._one(_leadcore.service_set_state(self._db._session, *_service(service), "inactive"))

    def delete(self, service: ServiceRef) -> None:
        """Delete it. One that is bought no more is rather made inactive. An undo brings it back.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> db.services.delete(db.services.create(lead, leadcore.Line("Care")))
        >>> len(db.services.of(lead))
        0
        """
        _leadcore.service_delete(self._db._session, *_service(service))

    def of(
        self,
        subject: SubjectRef,
        *,
        open: bool | None = None,  # noqa: A002 - it is what people call it
        ascending: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Service]:
        """A page of the services of an account, or of a lead that became one, by their first day, the latest first.

        With ``open`` only those that are bought now, or with ``False`` the others.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> _ = db.services.create(lead, leadcore.Line("Care"))
        >>> [service.description for service in db.services.of(lead)]
        ['Care']
        """
        told = _leadcore.services_of(self._db._session, subject, open, ascending, after, limit)
        return page_of(told, service_of)

    def list(
        self,
        *,
        account: object = None,
        state: ServiceState | None = None,
        opportunity: OpportunityRef | None = None,
        estimate: Estimate | UUID | str | None = None,
        ascending: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Service]:
        """A page of all services that the acting user may see, the latest made first unless ``ascending``.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.leads.convert(lead)
        >>> _ = db.services.create(lead, leadcore.Line("Care"))
        >>> len(db.services.list(state="active")), len(db.services.list(state="inactive"))
        (1, 0)
        """
        text_or_none("state", state)
        asked = {
            "account": _id("account", account),
            "state": state,
            "opportunity": _id("opportunity", opportunity),
            "estimate": _id("estimate", estimate),
        }
        told = _leadcore.service_page(self._db._session, fields_json(asked), ascending, after, limit)
        return page_of(told, service_of)

    def _one(self, text: str) -> Service:
        return service_of(json.loads(text))


def _service(service: ServiceRef) -> tuple[Any, int | None]:
    return identity(service, Service, "service")
