"""What an opportunity and a service have, and what a caller may set on one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, TypedDict
from uuid import UUID

from .fields import CUSTOM, TermRef
from .html import facts
from .lines import Line, LineRef, Totals, line_of, lines_table, totals_of
from .models import Subject
from .subjects import about_of, time_of, user_of
from .values import Money, Record

__all__ = [
    "Opportunity",
    "OpportunityInput",
    "OpportunityRef",
    "OpportunityState",
    "Service",
    "ServiceInput",
    "ServiceRef",
    "ServiceState",
]

OpportunityState: TypeAlias = Literal["open", "won", "lost"]
"""How far an opportunity is."""

ServiceState: TypeAlias = Literal["active", "inactive"]
"""Whether a service is bought now."""


class OpportunityInput(TypedDict, total=False):
    """Everything a caller may set on an opportunity. ``None`` leaves or makes a field empty."""

    name: str
    """What it is called."""
    owner: str | None
    """The user responsible; the acting user when not said."""
    amount: Decimal | float | str | None
    """What it is worth; where there are lines, what they add up to without tax."""
    currency: str | None
    """The currency of the amount and of all lines, as ISO code; that of the account when not said."""
    probability: int | None
    """The chance to win it, in percent."""
    expected_close: date | str | None
    """The day on which it may be won."""
    source: TermRef | None
    """Where it came from, by record, id or name; the source of the lead when not said."""
    campaign: str | None
    """The campaign that brought it, as you call it."""
    description: str | None
    """What else there is to say."""
    lines: Iterable[LineRef]
    """What they may buy: each a :class:`Line`, or a mapping of its fields."""
    custom: Mapping[str, Any] | None
    """Fields that the tenant added to opportunities, by key; each is an argument of its own too, as of a lead."""


OPPORTUNITY_KEYS = frozenset(OpportunityInput.__annotations__)


class ServiceInput(TypedDict, total=False):
    """Everything a caller may set on a service. ``None`` leaves or makes a field empty."""

    line: LineRef
    """What it is, how much of it, its price, discount and tax."""
    currency: str | None
    """The currency of the price, as ISO code; that of the account when not said."""
    since: date | str | None
    """The first day on which it is bought."""
    until: date | str | None
    """The last one."""
    note: str | None
    """What else there is to say."""


SERVICE_KEYS = frozenset(ServiceInput.__annotations__)


@dataclass(frozen=True, slots=True)
class Opportunity(Record):
    """A stored opportunity."""

    id: UUID = field(repr=False)
    """The id."""
    number: int
    """Its number; ``db.settings.opportunity_numbering().format`` writes it as people read it."""
    revision: int = field(repr=False)
    """How often it was written."""
    account_id: UUID = field(repr=False)
    """The account that it belongs to."""
    about: tuple[Subject, ...] = field(repr=False)
    """The account, and the persons that it is about."""
    name: str
    """What it is called."""
    state: OpportunityState
    """Open, won or lost."""
    closed_on: date | None = field(repr=False)
    """The day on which it was won or lost."""
    lost_reason: UUID | None = field(repr=False)
    """Why it was lost, by the list of reasons."""
    lost_detail: str | None = field(repr=False)
    """Why it was lost, in words."""
    owner: str | None = field(repr=False)
    """The user responsible."""
    amount: Decimal | None
    """What it is worth."""
    currency: str | None
    """The currency of the amount and of all lines, ISO 4217."""
    probability: int | None = field(repr=False)
    """The chance to win it, in percent, as somebody said it."""
    expected_close: date | None = field(repr=False)
    """The day on which it may be won."""
    source: UUID | None = field(repr=False)
    """Where it came from."""
    campaign: str | None = field(repr=False)
    """The campaign that brought it."""
    description: str | None = field(repr=False)
    """What else there is to say."""
    lines: tuple[Line, ...] = field(repr=False)
    """What they may buy."""
    nets: tuple[Decimal, ...] = field(repr=False)
    """What each line comes to without tax, in their order."""
    totals: Totals = field(repr=False)
    """What the lines add up to."""
    origin_lead_id: UUID | None = field(repr=False)
    """The lead that it was made of."""
    created_by: str | None = field(repr=False)
    """Who created it; ``None`` for the program itself."""
    created_at: datetime = field(repr=False)
    """When it was created."""
    updated_at: datetime = field(repr=False)
    """When it was last written."""
    written_number: str = field(default="", repr=False, compare=False)
    """The number as people read it: in the standard series as that is written now, else as it was given."""
    _said: tuple[tuple[str, Any], ...] = field(default=(), repr=False)
    _known: tuple[str, ...] = field(default=(), repr=False, compare=False)

    @property
    def custom(self) -> Mapping[str, Any]:
        """The fields that the tenant added which say something, by key."""
        return MappingProxyType(dict(self._said))

    if not TYPE_CHECKING:  # It would make every misspelt field one of them; typed code reads `custom`.

        def __getattr__(self, name: str) -> Any:
            said = dict(self._said) if name.startswith(CUSTOM) else {}
            if name in said:
                return said[name]
            if name.startswith(CUSTOM) and name in self._known:
                return None
            message = f"an opportunity has no attribute `{name[:100]}`"
            if name.startswith(CUSTOM):
                near = difflib.get_close_matches(name, {*said, *self._known}, n=1)
                message += "".join(f"; did you mean `{key}`?" for key in near)
            raise AttributeError(message)

    def to_dict(self) -> dict[str, Any]:
        """Everything about the opportunity by name, custom fields too."""
        told = super(Opportunity, self).to_dict()
        del told["_said"], told["_known"]
        return told | dict(self._said)

    #: The columns of a table of opportunities.
    _columns: ClassVar[tuple[str, ...]] = (
        "number",
        "name",
        "state",
        "amount",
        "currency",
        "probability",
        "expected_close",
        "closed_on",
        "owner",
    )

    @property
    def subject(self) -> Subject:
        """Its kind and id."""
        return "opportunity", self.id

    @property
    def is_open(self) -> bool:
        """Whether it is still to be won."""
        return self.state == "open"

    @property
    def contact_ids(self) -> tuple[UUID, ...]:
        """The persons that it is about."""
        return tuple(which for kind, which in self.about if kind == "contact")

    def _repr_html_(self) -> str:
        """What it is worth, for notebooks."""
        said = [(name, getattr(self, name)) for name in self._columns]
        shown = facts(said)
        return shown + lines_table(self.lines, self.nets, self.totals, self.currency) if self.lines else shown


OpportunityRef: TypeAlias = Opportunity | UUID | str
"""An opportunity: the record, or its id. A write with the record is refused when it changed since."""


@dataclass(frozen=True, slots=True)
class Service(Record):
    """A stored service: one line that an account buys."""

    id: UUID = field(repr=False)
    """The id."""
    revision: int = field(repr=False)
    """How often it was written."""
    account_id: UUID = field(repr=False)
    """The account that buys it."""
    line: Line
    """What it is, how much of it, its price, discount and tax."""
    state: ServiceState
    """Whether it is bought now."""
    currency: str | None
    """The currency of the price, ISO 4217."""
    since: date | None = field(repr=False)
    """The first day on which it is bought."""
    until: date | None = field(repr=False)
    """The last one."""
    note: str | None = field(repr=False)
    """What else there is to say."""
    totals: Totals = field(repr=False)
    """What its line comes to."""
    estimate_id: UUID | None = field(repr=False)
    """The estimate that its line was copied from."""
    position: int | None = field(repr=False)
    """The place of the line in the estimate, from 0 on."""
    opportunity_id: UUID | None = field(repr=False)
    """The opportunity that it was won with."""
    created_by: str | None = field(repr=False)
    """Who created it; ``None`` for the program itself."""
    created_at: datetime = field(repr=False)
    """When it was created."""
    updated_at: datetime = field(repr=False)
    """When it was last written."""

    #: The columns of a table of services.
    _columns: ClassVar[tuple[str, ...]] = ("description", "state", "total", "currency", "since", "until")

    @property
    def description(self) -> str:
        """What it is."""
        return self.line.description

    @property
    def total(self) -> Decimal:
        """What is to be paid, with tax."""
        return self.totals.gross

    @property
    def subject(self) -> Subject:
        """Its kind and id."""
        return "service", self.id

    @property
    def is_open(self) -> bool:
        """Whether it is bought now."""
        return self.state == "active"


ServiceRef: TypeAlias = Service | UUID | str
"""A service: the record, or its id. A write with the record is refused when it changed since."""


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


def opportunity_of(told: Mapping[str, Any]) -> Opportunity:
    """An opportunity that the compiled module wrote."""
    fields, end = told["fields"], told.get("end") or {}
    amount = fields.get("amount")
    return Opportunity(
        UUID(told["id"]),
        told["number"],
        told["revision"],
        UUID(told["account"]),
        about_of(told),
        fields["name"],
        told["state"],
        _day(end.get("on")),
        _id(end.get("reason")),
        end.get("detail"),
        fields.get("owner"),
        None if amount is None else Decimal(amount),
        fields.get("currency"),
        fields.get("probability"),
        _day(fields.get("expected_close")),
        _id(fields.get("source")),
        fields.get("campaign"),
        fields.get("description"),
        tuple(line_of(line) for line in fields.get("lines", ())),
        tuple(Decimal(net) for net in told["nets"]),
        totals_of(told["totals"]),
        _id(told.get("origin_lead")),
        user_of(told["created_by"]),
        time_of(told["created_at"]),
        time_of(told["updated_at"]),
        told["written"],
        tuple((key, _own(*value)) for key, value in told["custom"]),
        tuple(told["known"]),
    )


def _own(of: str, said: Any, more: str = "") -> Any:
    """The value of a custom field, as leads have it."""
    match of:
        case "decimal":
            return Decimal(said)
        case "money":
            return Money(Decimal(said), more)
        case "date":
            return date.fromisoformat(said)
        case "time":
            return time_of(said)
        case "codes":
            return tuple(said)
        case "link":
            return (said, UUID(more))
    return said


def service_of(told: Mapping[str, Any]) -> Service:
    """A service that the compiled module wrote."""
    fields, origin = told["fields"], told.get("origin") or {}
    return Service(
        UUID(told["id"]),
        told["revision"],
        UUID(told["account"]),
        line_of(fields["line"]),
        told["state"],
        fields.get("currency"),
        _day(fields.get("from")),
        _day(fields.get("until")),
        fields.get("note"),
        totals_of(told["totals"]),
        _id(origin.get("estimate")),
        origin.get("position"),
        _id(told.get("opportunity")),
        user_of(told["created_by"]),
        time_of(told["created_at"]),
        time_of(told["updated_at"]),
    )
