"""From source to customer: what leads cost, what became of them and what they brought."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias
from uuid import UUID

from ._leadcore import ReportTable
from .arguments import check, expected
from .arguments import compiled as _leadcore
from .exceptions import refused
from .filters import Where, encode
from .opportunities import day_of
from .subjects import text_or_none
from .values import Record

if TYPE_CHECKING:
    from .database import Database

__all__ = [
    "Dated",
    "Dimension",
    "GroupValue",
    "Report",
    "ReportMoney",
    "ReportRow",
    "ReportStage",
    "Reports",
    "Valued",
]

Dimension: TypeAlias = Literal["source", "campaign", "category", "owner", "day", "week", "month", "quarter", "year"]
"""What leads are grouped by."""

Dated: TypeAlias = Literal["created", "converted"]
"""Which day of a lead decides the period that it is counted in."""


@dataclass(frozen=True, slots=True)
class GroupValue(Record):
    """The value that a group has in one of the things that leads are grouped by."""

    by: Dimension
    """What it is grouped by."""
    value: UUID | date | str | None = field(repr=False)
    """The id of a source or category, a user, the folded name of a campaign, the first day of a period; ``None`` for
    leads without."""
    name: str
    """What people call it; empty for leads without."""


@dataclass(frozen=True, slots=True)
class Valued(Record):
    """How many opportunities, and what they are worth."""

    count: int
    """How many."""
    value: Decimal
    """What they add up to."""


@dataclass(frozen=True, slots=True)
class ReportMoney(Record):
    """What was brought and what was spent, in one currency."""

    currency: str | None
    """The currency, as ISO code; ``None`` for opportunities that name none."""
    open: Valued = field(repr=False)
    """Opportunities still to be won."""
    won: Valued
    """Those that were won."""
    lost: Valued = field(repr=False)
    """Those that were lost."""
    cost: Decimal | None
    """What was spent; ``None`` where no cost is known."""
    cost_per_lead: Decimal | None = field(repr=False)
    """That for each lead, rounded to the places of the currency."""
    roi: Decimal | None
    """(won - cost) / cost to 4 places. ``None`` where no cost is known, where there is another currency too, and where
    what was won is hidden from the user."""


@dataclass(frozen=True, slots=True)
class ReportStage(Record):
    """What became of leads that entered a stage. Each is counted once: ``entered`` is the sum of the others."""

    stage_id: UUID = field(repr=False)
    """The stage."""
    name: str
    """What it is called; empty for one that was removed since."""
    entered: int
    """Leads that were in it."""
    moved_on: int
    """Those that moved on to another stage."""
    lost: int
    """Those that were lost from there, and are."""
    disqualified: int
    """Those that were disqualified there."""
    converted: int
    """Those that were converted there."""
    still_there: int
    """Those that are there."""


@dataclass(frozen=True, slots=True)
class ReportRow(Record):
    """The figures of one group of leads."""

    group: tuple[GroupValue, ...]
    """The group: a value for each of what the report is grouped by."""
    leads: int
    """Leads."""
    converted: int
    """Of them, those that were converted."""
    lost: int
    """Those that are in a lost stage."""
    disqualified: int
    """Those that were found to be none."""
    conversion_rate: Decimal | None = field(repr=False)
    """Converted / leads, to 4 places; ``None`` without leads."""
    mean_time: timedelta | None = field(repr=False)
    """How long conversion took on average; ``None`` where nothing was converted."""
    median_time: timedelta | None = field(repr=False)
    """The same in the middle: half of them were faster."""
    money: tuple[ReportMoney, ...]
    """What was brought and spent, by currency."""
    stages: tuple[ReportStage, ...] = field(repr=False)
    """What became of leads in each stage; empty where it was not asked for."""

    @property
    def name(self) -> str:
        """What people call the group."""
        return " / ".join(value.name for value in self.group)

    def money_in(self, currency: str) -> ReportMoney | None:
        """What was brought and spent in a currency."""
        return next((money for money in self.money if money.currency == currency.upper()), None)


@dataclass(frozen=True, slots=True)
class Report(Record):
    """A report: a row for each group, and the total."""

    rows: tuple[ReportRow, ...]
    """Each group: in the order of its list, by date or by name, those without a value first."""
    total: ReportRow
    """All leads of the report as one group."""
    costs_left_out: Literal["scope", "filter", "groups"] | None
    """Why there are no costs: the user does not see all leads; the filter looks at more than source and campaign; leads
    are grouped by something that costs do not know (then the total has them)."""
    worth_hidden: bool = field(repr=False)
    """Whether the user may not see what opportunities are worth: then they are left out."""
    groups: tuple[Dimension, ...] = field(default=(), repr=False)
    """What it is grouped by."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """A flat dictionary for each row and currency.

        ``pandas.DataFrame`` and ``polars.DataFrame`` take them as they are.
        A row without money is there once, with no currency. Counts of leads are repeated for each currency.

        >>> _ = db.leads.create(company="Nordlys AS", campaign="Spring")
        >>> [(row["campaign"], row["leads"]) for row in db.reports.by("campaign").to_dicts()]
        [('Spring', 1)]
        """
        return [flat for row in self.rows for flat in _flat(row)]

    def to_arrow(self) -> ReportTable:
        """What :meth:`to_dicts` says as a table for programs that speak Arrow, with a type for each column.

        ``polars.DataFrame``, ``pyarrow.table`` and DuckDB take it as it is; amounts are exact decimals
        (``decimal128(38, 6)``), times to conversion durations in microseconds, groups and currencies text.

        >>> db.reports.by("campaign", "month").to_arrow().columns[:4]
        ['campaign', 'month', 'leads', 'converted']
        """
        return _table(self, _COLUMNS, self.to_dicts())

    def stages_to_arrow(self) -> ReportTable:
        """What :meth:`stages_to_dicts` says, likewise.

        >>> db.reports.by("source", stages=True).stages_to_arrow().columns[:3]
        ['source', 'stage', 'stage_id']
        """
        return _table(self, _STAGE_COLUMNS, self.stages_to_dicts())

    def stages_to_dicts(self) -> list[dict[str, Any]]:
        """A flat dictionary for each row and stage.

        >>> _ = db.leads.create(company="Nordlys AS")
        >>> [(row["stage"], row["entered"]) for row in db.reports.by(stages=True).stages_to_dicts()]
        [('New', 1)]
        """
        return [
            {
                **_named(row),
                "stage": stage.name,
                **{key: value for key, value in stage.to_dict().items() if key != "name"},
            }
            for row in self.rows
            for stage in row.stages
        ]


def _named(row: ReportRow) -> dict[str, Any]:
    return {value.by: value.name or None for value in row.group}


def _flat(row: ReportRow) -> list[dict[str, Any]]:
    counts = {
        name: getattr(row, name)
        for name in ("leads", "converted", "lost", "disqualified", "conversion_rate", "mean_time", "median_time")
    }
    none = Valued(0, Decimal(0))
    empty = ReportMoney(None, none, none, none, None, None, None)
    return [
        {
            **_named(row),
            **counts,
            "currency": money.currency,
            "open_count": money.open.count,
            "open_value": money.open.value,
            "won_count": money.won.count,
            "won_value": money.won.value,
            "lost_count": money.lost.count,
            "lost_value": money.lost.value,
            "cost": money.cost,
            "cost_per_lead": money.cost_per_lead,
            "roi": money.roi,
        }
        for money in row.money or (empty,)
    ]


_COLUMNS: Final = {
    "leads": "integer",
    "converted": "integer",
    "lost": "integer",
    "disqualified": "integer",
    "conversion_rate": "decimal",
    "mean_time": "duration",
    "median_time": "duration",
    "currency": "text",
    "open_count": "integer",
    "open_value": "decimal",
    "won_count": "integer",
    "won_value": "decimal",
    "lost_count": "integer",
    "lost_value": "decimal",
    "cost": "decimal",
    "cost_per_lead": "decimal",
    "roi": "decimal",
}

_STAGE_COLUMNS: Final = {
    "stage": "text",
    "stage_id": "text",
    "entered": "integer",
    "moved_on": "integer",
    "lost": "integer",
    "disqualified": "integer",
    "converted": "integer",
    "still_there": "integer",
}


def _table(report: Report, kinds: Mapping[str, str], rows: list[dict[str, Any]]) -> ReportTable:
    columns: dict[str, str] = {**dict.fromkeys(report.groups, "text"), **kinds}
    return ReportTable([(name, kind, [_cell(kind, row[name]) for row in rows]) for name, kind in columns.items()])


def _cell(kind: str, value: Any) -> Any:
    if kind == "duration" and value is not None:
        return value // timedelta(microseconds=1)
    return str(value) if isinstance(value, UUID) else value


def _decimal(told: Any) -> Decimal | None:
    return None if told is None else Decimal(str(told))


def _valued(told: Mapping[str, Any]) -> Valued:
    return Valued(told["count"], Decimal(str(told["value"])))


def _money(told: Mapping[str, Any]) -> ReportMoney:
    worth = (_valued(told["open"]), _valued(told["won"]), _valued(told["lost"]))
    return ReportMoney(
        told["currency"], *worth, _decimal(told["cost"]), _decimal(told["cost_per_lead"]), _decimal(told["roi"])
    )


def _in_year(group: str, begins: int) -> str:
    return f"fiscal_{group}_from_{begins}" if begins != 1 and group in ("quarter", "year") else group


def _group(told: Mapping[str, Any]) -> GroupValue:
    by, given = told["by"], told["value"]
    if by.startswith("fiscal_"):
        by = by.split("_")[1]
    value: UUID | date | str | None = given
    if given is not None and by in ("source", "category"):
        value = UUID(given)
    elif given is not None and by not in ("campaign", "owner"):
        value = date.fromisoformat(given)
    return GroupValue(by, value, told["name"])


def _stage(told: Mapping[str, Any]) -> ReportStage:
    counts = ("entered", "moved_on", "lost", "disqualified", "converted", "still_there")
    return ReportStage(UUID(told["stage"]), told["name"], *(told[name] for name in counts))


def _span(told: Mapping[str, Any] | None, which: str) -> timedelta | None:
    if told is None:
        return None
    # Exact: a second has a million parts, and more than a float can count.
    return timedelta(microseconds=int(Decimal(str(told[which])) * 1_000_000))


def _row(told: Mapping[str, Any]) -> ReportRow:
    time = told["time_to_conversion"]
    return ReportRow(
        tuple(_group(value) for value in told["group"]),
        told["leads"],
        told["converted"],
        told["lost"],
        told["disqualified"],
        _decimal(told["conversion_rate"]),
        _span(time, "mean"),
        _span(time, "median"),
        tuple(_money(money) for money in told["money"]),
        tuple(_stage(stage) for stage in told["stages"]),
    )


def _day(name: str, given: object) -> str | None:
    day = day_of(name, given)
    try:
        return None if day is None else date.fromisoformat(day).isoformat()
    except ValueError:
        raise refused(name, "malformed", "a day is written YYYY-MM-DD") from None


class Reports:
    """``db.reports``: what leads cost, what became of them and what they brought."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.reports``."""
        self._db = db

    def by(
        self,
        *groups: Dimension,
        where: Where = None,
        first_day: date | str | None = None,
        last_day: date | str | None = None,
        dated: Dated = "created",
        zone: str | None = None,
        stages: bool = False,
        year_begins: int = 1,
    ) -> Report:
        """The figures of leads, grouped by up to two things, or of all of them as one group.

        Args:
            groups: ``"source"``, ``"campaign"``, ``"category"``, ``"owner"``, or a period: ``"day"``, ``"week"``,
                ``"month"``, ``"quarter"``, ``"year"``.
            where: Which leads, as in lists. Costs are told where it looks at source and campaign alone.
            first_day: Not of an earlier day.
            last_day: Not of a later day.
            dated: Whether periods and days go by when leads were ``"created"`` or ``"converted"``.
            zone: The time zone in which days begin (``"Europe/Oslo"``); else that of the user, where ``utc_offset`` is
                a zone with a name (``zoneinfo.ZoneInfo``), with the summer time of each day; else the offset of now.
            stages: Whether to say what became of leads in each stage.
            year_begins: The month that years and quarters begin with: ``4`` for fiscal years from April on, which are
                called ``2026/27``, and their quarters ``2026/27-Q1``.

        Raises:
            InvalidError: For more than two groups, or one that the user may not see.

        Example:
            >>> fair = db.sources.add("Fair")
            >>> lead = db.leads.create(company="Nordlys AS", source=fair, currency="EUR")
            >>> account = db.leads.convert(lead).account_id
            >>> roof = db.opportunities.create(lead, name="Roof", amount=300)
            >>> _ = db.opportunities.win(roof)
            >>> _ = db.costs.add("100", "EUR", lead.created_at.date(), source=fair)
            >>> report = db.reports.by("source")
            >>> [(row.name, row.leads, row.converted, row.money_in("EUR").roi) for row in report.rows]
            [('Fair', 1, 1, Decimal('2'))]

        """
        check("stages", stages, bool, "true or false")
        text_or_none("zone", zone)
        if dated not in ("created", "converted"):
            raise refused("dated", "unknown", "a lead is dated `created` or `converted`")
        check("year_begins", year_begins, int, "the number of a month")
        if isinstance(year_begins, bool):
            raise expected("year_begins", "the number of a month", year_begins)
        if not 1 <= year_begins <= 12:
            raise refused("year_begins", "out_of_range", "a year begins with a month from 1 to 12")
        for group in groups:
            check("groups", group, str, "what leads are grouped by")
        asked = {
            "by": [_in_year(group, year_begins) for group in groups],
            "dated": dated,
            "first_day": _day("first_day", first_day),
            "last_day": _day("last_day", last_day),
            "zone": self._db._zone if zone is None else zone,
            "stages": stages,
        }
        told = json.loads(_leadcore.report(self._db._session, encode(where), json.dumps(asked)))
        rows: builtins.list[ReportRow] = [_row(row) for row in told["rows"]]
        return Report(tuple(rows), _row(told["total"]), told["costs_left_out"], told["worth_hidden"], groups)
