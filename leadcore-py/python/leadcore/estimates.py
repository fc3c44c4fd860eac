"""Estimates: priced offers for leads and customers."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .arguments import compiled as _leadcore
from .estimate import (
    ESTIMATE_KEYS,
    Estimate,
    EstimateInput,
    EstimateRef,
    EstimateStatus,
    EstimateUnmet,
    estimate_of,
)
from .exceptions import Violation
from .fields import checked
from .leads import LeadRef
from .lines import LineRef, lines_json
from .models import Page, Subject
from .opportunities import day_of
from .series import SeriesRef
from .subjects import SubjectRef, fields_json, identity, page_of, text_or_none
from .values import Record

if TYPE_CHECKING:
    from typing import Unpack

    from .database import Database

__all__ = ["Estimates"]


def _fields(given: Mapping[str, Any]) -> str:
    """The fields that were said, each of a type that it can be."""
    said = checked(given, ESTIMATE_KEYS)
    for name in ("title", "owner", "currency", "note", "terms"):
        text_or_none(name, said.get(name))
    for name in ("date", "valid_until"):
        if name in said:
            said[name] = day_of(name, said[name])
    if "lines" in said:
        said["lines"] = lines_json(said["lines"])
    return fields_json(said)


class Estimates:
    """``db.estimates``."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.estimates``."""
        self._db = db

    def create(
        self,
        subject: SubjectRef | Iterable[SubjectRef],
        /,
        *,
        series: SeriesRef | None = None,
        **fields: Unpack[EstimateInput],
    ) -> Estimate:
        """Create a draft about a lead, contact or account, or about several.

        It gets the next number of a ``series`` (``db.series``), or of the default one.

        Raises:
            InvalidError: With every broken rule, those of lines too: ``lines[3].quantity``.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
            >>> panels = {"description": "Panel", "quantity": 12, "unit_price": 200, "tax": 25, "tax_name": "VAT"}
            >>> estimate = db.estimates.create(lead, title="A roof of panels", lines=[panels])
            >>> estimate.status, estimate.totals.net, estimate.total
            ('draft', Decimal('2400'), Decimal('3000'))

        """
        return self._one(_leadcore.estimate_create(self._db._session, subject, _fields(fields), series))

    def create_from_lines(
        self, lead: LeadRef, /, *, series: SeriesRef | None = None, **fields: Unpack[EstimateInput]
    ) -> Estimate:
        """Create a draft with the products of a lead (``db.lines``); lines that are given come behind them.

        It gets the next number of a ``series`` (``db.series``), or of the default one.

        >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
        >>> _ = db.lines.set(lead, [leadcore.Line("Panel", 12, 200)])
        >>> db.estimates.create_from_lines(lead, lines=[leadcore.Line("Delivery", 1, 90)]).total
        Decimal('2490')
        """
        return self._one(_leadcore.estimate_from_lines(self._db._session, lead, _fields(fields), series))

    def create_for_request(
        self,
        request: Record | Subject | UUID | str,
        /,
        *,
        series: SeriesRef | None = None,
        **fields: Unpack[EstimateInput],
    ) -> Estimate:
        """Create a draft that answers a request for an estimate, about the same records; the request is estimated then.

        It has the title of the request when none is given.

        Args:
            request: The activity, or its id.
            series: The series that numbers it (``db.series``); the default one when not said.
            fields: What the estimate has.

        Raises:
            NotFoundError: When there is no such request.
            ConflictError: When it was answered already.

        Example:
            >>> db.estimates.create_for_request("0197f2a0-0000-7000-8000-000000000000")
            Traceback (most recent call last):
            ...
            leadcore.exceptions.NotFoundError: ...

        """
        which = request[1] if isinstance(request, tuple) and len(request) == 2 else request
        return self._one(_leadcore.estimate_for_request(self._db._session, which, _fields(fields), series))

    def get(self, estimate: EstimateRef) -> Estimate:
        """One estimate.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.estimates.get(db.estimates.create(lead, title="Roof").id).title
        'Roof'
        """
        return self._one(_leadcore.estimate_get(self._db._session, _of(estimate)[0]))

    def by_number(self, number: int | str) -> Estimate:
        """The estimate with this number, or the text that people write for it: ``E-00042``.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> estimate = db.estimates.create(lead, title="Roof")
        >>> db.estimates.by_number("E-00001") == db.estimates.by_number(1) == estimate
        True
        """
        return self._one(_leadcore.estimate_by_number(self._db._session, number))

    def edit(self, estimate: EstimateRef, /, **changes: Unpack[EstimateInput]) -> Estimate:
        """Change some fields. Once it was answered, only title, owner and note change.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> estimate = db.estimates.create(lead, title="Roof")
        >>> db.estimates.edit(estimate, title="A roof of panels", valid_until="2099-12-31").title
        'A roof of panels'
        """
        fields = _fields(changes)
        return self._one(_leadcore.estimate_edit(self._db._session, *_of(estimate), fields))

    def set_lines(self, estimate: EstimateRef, lines: Iterable[LineRef]) -> Estimate:
        """Write the lines in the place of those that it has.

        >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
        >>> estimate = db.estimates.create(lead, title="Roof")
        >>> db.estimates.set_lines(estimate, [{"description": "Panel", "unit_price": "199.90"}]).total
        Decimal('199.9')
        """
        return self.edit(estimate, lines=lines)

    def can_move(self, estimate: EstimateRef, status: EstimateStatus) -> builtins.list[EstimateUnmet]:
        """Everything that stands against this state today; an empty list when nothing does. Writes nothing.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> estimate = db.estimates.create(lead, title="Roof")
        >>> [unmet.condition for unmet in db.estimates.can_move(estimate, "sent")]
        ['no_lines', 'no_currency']
        """
        told = _leadcore.estimate_can_move(self._db._session, _of(estimate)[0], status)
        return [EstimateUnmet(json.loads(text)["condition"], Violation(*broken)) for text, broken in told]

    def send(self, estimate: EstimateRef) -> Estimate:
        """Say that it was sent: your program does that. From then on it is offered.

        Raises:
            InvalidError: With all that is missing, as :meth:`can_move` lists it.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
            >>> estimate = db.estimates.create(lead, lines=[leadcore.Line("Panel", 12, 200)])
            >>> db.estimates.send(estimate).status
            'sent'

        """
        return self._move(estimate, "sent")

    def accept(self, estimate: EstimateRef) -> Estimate:
        """They want it. What was offered is frozen.

        >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
        >>> sent = db.estimates.send(db.estimates.create(lead, lines=[leadcore.Line("Panel", 12, 200)]))
        >>> db.estimates.accept(sent).status
        'accepted'
        """
        return self._move(estimate, "accepted")

    def decline(self, estimate: EstimateRef, reason: str | None = None) -> Estimate:
        """They do not want it, perhaps for this reason. What was offered is frozen.

        >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
        >>> sent = db.estimates.send(db.estimates.create(lead, lines=[leadcore.Line("Panel", 12, 200)]))
        >>> db.estimates.decline(sent, reason="too dear").reason
        'too dear'
        """
        return self._move(estimate, "declined", reason)

    def expire(self, estimate: EstimateRef) -> Estimate:
        """It is not offered any more, whether its last day is over or not.

        >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
        >>> sent = db.estimates.send(db.estimates.create(lead, lines=[leadcore.Line("Panel", 12, 200)]))
        >>> db.estimates.expire(sent).status
        'expired'
        """
        return self._move(estimate, "expired")

    def _move(self, estimate: EstimateRef, status: EstimateStatus, reason: str | None = None) -> Estimate:
        return self._one(_leadcore.estimate_move(self._db._session, *_of(estimate), status, reason))

    def expire_due(self, *, limit: int = 1000) -> builtins.list[UUID]:
        """Write down which estimates have expired, at most ``limit`` of them, and return their ids.

        For a job that goes on until none is left. Estimates look expired from their last day on, with or without it.

        >>> db.estimates.expire_due()
        []
        """
        return _leadcore.estimates_expire_due(self._db._session, limit)

    def revise(self, estimate: EstimateRef) -> Estimate:
        """A new draft with what was offered, of today: the way on from one that is not what they want.

        Of an estimate and its revisions one at most is accepted: then none of them is revised or accepted any more.
        What they want besides, or instead, begins with a :meth:`copy`.

        >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
        >>> sent = db.estimates.send(db.estimates.create(lead, lines=[leadcore.Line("Panel", 12, 200)]))
        >>> draft = db.estimates.revise(sent)
        >>> draft.status, draft.total, draft.revises == sent.id
        ('draft', Decimal('2400'), True)
        """
        return self._one(_leadcore.estimate_revise(self._db._session, _of(estimate)[0]))

    def copy(self, estimate: EstimateRef) -> Estimate:
        """A new draft with what an estimate in any state offers, of today: an estimate of its own.

        >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
        >>> sent = db.estimates.send(db.estimates.create(lead, lines=[leadcore.Line("Panel", 12, 200)]))
        >>> draft = db.estimates.copy(db.estimates.accept(sent))
        >>> draft.status, draft.total, draft.revises
        ('draft', Decimal('2400'), None)
        """
        return self._one(_leadcore.estimate_copy(self._db._session, _of(estimate)[0]))

    def delete(self, estimate: EstimateRef) -> None:
        """Delete a draft. Its number is not given again; an undo brings it back.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.estimates.delete(db.estimates.create(lead, title="Roof"))
        >>> len(db.estimates.of(lead))
        0
        """
        _leadcore.estimate_delete(self._db._session, *_of(estimate))

    def of(
        self,
        subject: SubjectRef,
        *,
        open: bool | None = None,  # noqa: A002 - it is what people call it
        ascending: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Estimate]:
        """A page of the estimates about a record by date, the latest first unless ``ascending``.

        With ``open`` only those to which an answer is still to come, or with ``False`` the others.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.estimates.create(lead, title="Roof")
        >>> [estimate.title for estimate in db.estimates.of(lead)]
        ['Roof']
        """
        return page_of(_leadcore.estimates_of(self._db._session, subject, open, ascending, after, limit), estimate_of)

    def list(
        self,
        *,
        status: EstimateStatus | None = None,
        since: date | str | None = None,
        until: date | str | None = None,
        ascending: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Estimate]:
        """A page of all estimates that the acting user may see, by date, the latest first unless ``ascending``.

        For a user who may not see all leads, a page can be shorter than ``limit`` and still have a ``next``.

        Args:
            status: Only those in this state today.
            since: Not of an earlier day.
            until: Not of a later day.
            ascending: The earliest first.
            limit: How many at most, 1 to 1,000.
            after: The ``next`` of the page before.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> _ = db.estimates.create(lead, title="Roof")
            >>> len(db.estimates.list(status="draft")), len(db.estimates.list(status="sent"))
            (1, 0)

        """
        days = day_of("since", since), day_of("until", until)
        told = _leadcore.estimate_page(self._db._session, status, *days, ascending, after, limit)
        return page_of(told, estimate_of)

    def _one(self, text: str) -> Estimate:
        return estimate_of(json.loads(text))


def _of(estimate: EstimateRef) -> tuple[Any, int | None]:
    return identity(estimate, Estimate, "estimate")
