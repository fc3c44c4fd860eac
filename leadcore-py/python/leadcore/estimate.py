"""What an estimate has, and what a caller may set on one."""

from __future__ import annotations

import datetime as time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal, TypeAlias, TypedDict
from uuid import UUID

from .exceptions import Violation
from .html import facts
from .lines import Line, LineRef, Totals, line_of, lines_table, totals_of
from .models import Subject
from .subjects import about_of, time_of, time_or_none, user_of
from .values import Record

__all__ = ["Estimate", "EstimateInput", "EstimateRef", "EstimateStatus", "EstimateUnmet"]

EstimateStatus: TypeAlias = Literal["draft", "sent", "accepted", "declined", "expired"]
"""How far an estimate is."""


class EstimateInput(TypedDict, total=False):
    """Everything a caller may set on an estimate. ``None`` leaves or makes a field empty."""

    title: str | None
    """What it is about, in a line."""
    owner: str | None
    """The user responsible; the acting user when not said."""
    date: date | str | None
    """Its day; today when not said."""
    valid_until: date | str | None
    """The last day on which the offer holds."""
    currency: str | None
    """The currency of all lines, as ISO code; that of the lead or account when not said."""
    lines: Iterable[LineRef]
    """What is offered: each a :class:`Line`, or a mapping of its fields."""
    note: str | None
    """What else there is to say."""
    terms: str | None
    """Under which terms."""


ESTIMATE_KEYS = frozenset(EstimateInput.__annotations__)


@dataclass(frozen=True, slots=True)
class Estimate(Record):
    """A stored estimate."""

    id: UUID = field(repr=False)
    """The id."""
    number: int
    """Its number; ``db.settings.estimate_numbering().format`` writes it as people read it."""
    revision: int = field(repr=False)
    """How often it was written."""
    about: tuple[Subject, ...] = field(repr=False)
    """The records that it is about."""
    title: str | None
    """What it is about, in a line."""
    status: EstimateStatus
    """How far it is, on the day of the call."""
    owner: str | None = field(repr=False)
    """The user responsible."""
    date: time.date
    """Its day."""
    valid_until: time.date | None = field(repr=False)
    """The last day on which the offer holds."""
    currency: str | None
    """The currency of all lines, ISO 4217."""
    lines: tuple[Line, ...] = field(repr=False)
    """What is offered."""
    nets: tuple[Decimal, ...] = field(repr=False)
    """What each line comes to without tax, in their order."""
    totals: Totals = field(repr=False)
    """What the lines add up to."""
    note: str | None = field(repr=False)
    """What else there is to say."""
    terms: str | None = field(repr=False)
    """Under which terms."""
    sent_at: datetime | None = field(repr=False)
    """When it was sent."""
    settled_at: datetime | None = field(repr=False)
    """When it was accepted, declined or found to have expired."""
    reason: str | None = field(repr=False)
    """Why it was declined."""
    revises: UUID | None = field(repr=False)
    """The estimate that this one is a new version of."""
    request: UUID | None = field(repr=False)
    """The request that it answers."""
    created_by: str | None = field(repr=False)
    """Who created it; ``None`` for the program itself."""
    created_at: datetime = field(repr=False)
    """When it was created."""
    updated_at: datetime = field(repr=False)
    """When it was last written."""
    written_number: str = field(default="", repr=False, compare=False)
    """The number as people read it: in the standard series as that is written now, else as it was given."""

    #: The columns of a table of estimates.
    _columns: ClassVar[tuple[str, ...]] = (
        "number",
        "title",
        "status",
        "date",
        "valid_until",
        "total",
        "currency",
        "owner",
    )

    @property
    def total(self) -> Decimal:
        """What is to be paid, with tax."""
        return self.totals.gross

    @property
    def subject(self) -> Subject:
        """Its kind and id."""
        return "estimate", self.id

    @property
    def is_open(self) -> bool:
        """Whether an answer is still to come."""
        return self.status in ("draft", "sent")

    def _repr_html_(self) -> str:
        """What is offered, for notebooks."""
        said = [(name, getattr(self, name)) for name in ("number", "title", "status", "date", "valid_until", "owner")]
        return facts(said) + lines_table(self.lines, self.nets, self.totals, self.currency)


EstimateRef: TypeAlias = Estimate | UUID | str
"""An estimate: the record, or its id. A write with the record is refused when it changed since."""


@dataclass(frozen=True, slots=True)
class EstimateUnmet(Record):
    """One condition that stands against a move of an estimate."""

    condition: str
    """``not_from_here``, ``no_lines``, ``no_currency``, ``ends_before_date``, ``superseded``, ``already_accepted`` or
    ``over``; later versions may add conditions."""
    violation: Violation
    """The same as the broken rule with which the move itself is refused."""

    def __str__(self) -> str:
        return str(self.violation)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


def estimate_of(told: Mapping[str, Any]) -> Estimate:
    """An estimate that the compiled module wrote."""
    fields = told["fields"]
    return Estimate(
        UUID(told["id"]),
        told["number"],
        told["revision"],
        about_of(told),
        fields.get("title"),
        told["status"],
        fields.get("owner"),
        date.fromisoformat(fields["date"]),
        _day(fields.get("valid_until")),
        fields.get("currency"),
        tuple(line_of(line) for line in fields.get("lines", ())),
        tuple(Decimal(net) for net in told["nets"]),
        totals_of(told["totals"]),
        fields.get("note"),
        fields.get("terms"),
        time_or_none(told.get("sent_at")),
        time_or_none(told.get("settled_at")),
        told.get("reason"),
        _id(told.get("revises")),
        _id(told.get("request")),
        user_of(told["created_by"]),
        time_of(told["created_at"]),
        time_of(told["updated_at"]),
        told["written"],
    )
