"""What a plan of a conversion holds: the records that it makes, the fields that it writes, the links that it adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal
from uuid import UUID

from .arguments import check
from .conversion_options import uuid_of
from .estimate import Estimate, EstimateStatus
from .lines import Line, Totals, line_json, line_of, totals_of
from .opportunities import day_of
from .subjects import text_or_none
from .values import Record

__all__ = [
    "FieldWrite",
    "PlannedAccount",
    "PlannedContact",
    "PlannedEstimate",
    "PlannedLink",
    "PlannedOpportunity",
    "PlannedService",
]


def id_of(text: str | None) -> UUID | None:
    """An id that may be missing."""
    return None if text is None else UUID(text)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class PlannedAccount(Record):
    """The account as a plan makes it."""

    kind: Literal["new", "existing", "none"]
    """A new one, one that is there, or none."""
    id: UUID | None
    """The one that is there."""
    fields: dict[str, Any] = field(repr=False)
    """Its fields after the conversion."""
    next_number: int | None
    """The customer number that comes next in its series, for a new one; not reserved."""
    series_id: UUID | None = field(repr=False)
    """The series that numbers a new one; ``None`` for the default one."""

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class PlannedContact(Record):
    """A person of the customer as a plan makes it."""

    kind: Literal["existing", "new", "known"]
    """A person of the lead; the person of the lead itself, as a new contact; or one that is there, which a person of
    the lead is."""
    id: UUID | None
    """Which contact; ``None`` for a new one."""
    is_primary: bool
    """Whether it becomes the primary one."""
    fields: dict[str, Any] = field(repr=False)
    """Its fields after the conversion; empty for a person of the lead, who stays as they are."""
    instead_of: tuple[UUID, ...] = field(default=(), repr=False)
    """With ``known``: the persons of the lead who are this contact; none where it is the person of the lead itself."""

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class PlannedOpportunity(Record):
    """The opportunity as a plan makes it."""

    kind: Literal["new", "existing"]
    """A new one, or a running one that the lead joins."""
    id: UUID | None
    """The running one."""
    fields: dict[str, Any] = field(repr=False)
    """Its fields after the conversion."""
    state: Literal["open", "won", "lost"]
    """How it ended already, if it did."""
    next_number: str | None
    """The number that comes next, for a new one, as people read it; not reserved. ``None`` in a used-up series."""
    series_id: UUID | None = field(repr=False)
    """The series that numbers a new one; ``None`` for the default one."""

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class PlannedEstimate(Record):
    """An estimate of the lead that may become services: one that is open or accepted."""

    id: UUID = field(repr=False)
    """The id."""
    number: int
    """Its number."""
    title: str | None
    """What it is about."""
    status: EstimateStatus
    """How far it is."""
    currency: str | None = field(repr=False)
    """The currency of its lines, ISO 4217."""
    lines: tuple[Line, ...] = field(repr=False)
    """Its lines."""
    totals: Totals = field(repr=False)
    """What they add up to."""
    chosen: bool
    """Whether its lines become services."""
    became_services: bool = False
    """Whether its lines became services already, of whichever customer: then it is shown, and cannot be chosen."""


@dataclass(frozen=True, slots=True)
class PlannedService(Record):
    """A service as a plan makes it. Change one with ``dataclasses.replace``.

    >>> leadcore.PlannedService(leadcore.Line("Care", 12, 49), note="monthly").line.description
    'Care'
    """

    line: Line
    """What is bought."""
    currency: str | None = None
    """The currency of its price, ISO 4217; that of the account when not said."""
    since: date | None = None
    """The first day on which it is bought."""
    until: date | None = None
    """The last one."""
    note: str | None = None
    """What else there is to say."""
    estimate_id: UUID | None = field(default=None, repr=False)
    """The estimate that it was copied from."""
    position: int | None = field(default=None, repr=False)
    """The place of its line in that, from 0 on."""


@dataclass(frozen=True, slots=True)
class FieldWrite(Record):
    """What one rule of the conversion mapping does with this lead. Values are as JSON has them."""

    source: str
    """The field of the lead: ``company``."""
    target: str
    """The field of the target: ``account.name``."""
    policy: str
    """``fill_empty``, ``overwrite``, ``keep`` or ``append``, for a target that is there already."""
    old: Any
    """The value of the target before."""
    new: Any
    """The value after."""
    dropped: Any = None
    """A value that is in neither."""
    why: str | None = None
    """Why that is dropped: ``target_kept``, ``overwritten``, ``no_choice``, ``unreadable``, ``only_first``,
    ``too_long``, ``only_together`` (an amount without its currency), ``only_part`` (a day of a time, a number of
    money); then it is the whole value."""

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class PlannedLink(Record):
    """A link that a plan adds. The id of a record that is yet to be made is ``None``."""

    source: tuple[str, UUID | None]
    """From which record."""
    role: str
    """What the other one is to it: ``converted_to``, ``contact``, ``primary_contact``, ``opportunity``."""
    target: tuple[str, UUID | None]
    """To which record."""


def link_of(told: Mapping[str, Any]) -> PlannedLink:
    """A link that the compiled module wrote."""
    source, target = ((end["kind"], id_of(end["id"])) for end in (told["from"], told["to"]))
    return PlannedLink(source, told["role"], target)


def write_of(told: Mapping[str, Any]) -> FieldWrite:
    """A write that the compiled module wrote."""
    dropped = told.get("dropped") or {}
    write = told["from"], told["to"], told["policy"], told["old"], told["new"]
    return FieldWrite(*write, dropped.get("value"), dropped.get("why"))


def service_of(told: Mapping[str, Any]) -> PlannedService:
    """A service that the compiled module wrote."""
    fields, origin = told["fields"], told.get("origin") or {}
    return PlannedService(
        line_of(fields["line"]),
        fields.get("currency"),
        _day(fields.get("from")),
        _day(fields.get("until")),
        fields.get("note"),
        id_of(origin.get("estimate")),
        origin.get("position"),
    )


def estimate_of(told: Mapping[str, Any]) -> PlannedEstimate:
    """An estimate that the compiled module wrote."""
    return PlannedEstimate(
        UUID(told["id"]),
        told["number"],
        told.get("title"),
        told["status"],
        told.get("currency"),
        tuple(line_of(line) for line in told["lines"]),
        totals_of(told["totals"]),
        told["chosen"],
        told.get("became_services", False),
    )


def service_told(n: int, given: object) -> dict[str, Any]:
    """A service as the compiled module reads it."""
    path = f"services[{n}]."
    if not isinstance(given, PlannedService):
        check(f"services[{n}]", given, (Line, Mapping), "a PlannedService or a line")
        return {"line": line_json(given, path)}  # type: ignore[arg-type]
    for name in ("currency", "note"):
        text_or_none(f"{path}{name}", getattr(given, name))
    check(f"{path}position", given.position, (int, type(None)), "a whole number or None")
    origin = None
    if given.estimate_id is not None:
        estimate = uuid_of(f"{path}estimate_id", given.estimate_id, Estimate, "an estimate or its id")
        origin = {"estimate": estimate, "position": given.position or 0}
    return {
        "line": line_json(given.line, path),
        "currency": given.currency,
        "since": day_of(f"{path}since", given.since),
        "until": day_of(f"{path}until", given.until),
        "note": given.note,
        "origin": origin,
    }
