"""What an import would do, line by line: a value to be stored, reviewed, changed and carried out later."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, SupportsIndex, TypeAlias
from uuid import UUID

from .arguments import check
from .arguments import compiled as _leadcore
from .exceptions import NotFoundError, Violation, refused
from .imports import ImportReport, report_of
from .plan import read_plan
from .values import Record

if TYPE_CHECKING:
    from .leads import LeadRef

__all__ = ["ImportPlan", "LineCandidate", "PlanSummary", "PlannedLine"]


CellValue: TypeAlias = str | bool | SupportsIndex | float | Decimal | date
"""What a cell may be set to: a text, yes or no, a number, a day or a time."""


@dataclass(frozen=True, slots=True)
class LineCandidate(Record):
    """A lead that a line may mean."""

    lead_id: UUID
    """The lead."""
    number: int | None
    """Its number; ``None`` for one that an earlier line creates."""
    name: str | None
    """Its name."""


@dataclass(frozen=True, slots=True)
class PlannedLine(Record):
    """What would become of one record of the file."""

    line: int
    """The line of the file on which the record begins, from 1, the header included."""
    action: Literal["create", "update", "unchanged", "skip", "review", "reject", "open"]
    """What would become of it; ``open`` where cells were :meth:`set <ImportPlan.set>` since, another lead was taken, or
    the line was left out that would have created the lead, or a person decided about a line that it links to: planned
    again (``earlier=``) it says so, and applied it is done."""
    lead_id: UUID | None = None
    """The lead that is created or meant."""
    number: int | None = None
    """Its number; ``None`` for one that is yet to be created."""
    matched_by: str | None = None
    """The field by which the lead was recognised, or the leads of a review."""
    changes: tuple[tuple[str, Any, Any], ...] = ()
    """Each field that is written, with its value before and after; terms and stages by their names."""
    reason: str | None = None
    """Why a line is skipped: a key of :attr:`ImportReport.skips`."""
    candidates: tuple[LineCandidate, ...] = ()
    """Of a review: the leads that the line may mean."""
    violations: tuple[Violation, ...] = ()
    """Of a rejected line: every reason."""
    values: dict[str, str] = field(default_factory=dict)
    """Of a rejected line: what the cells at fault say, by field."""
    owner: str | None = None
    """Who owns the lead that the line means, where the reason is that this user may not see it."""
    edit: Literal["skip", "take", "create"] | None = None
    """What a person decided instead."""
    same_as_line: int | None = None
    """The earlier line of the same file that creates the lead or changes it first, where this one means it too."""
    linked_lines: tuple[int, ...] = ()
    """The other lines of the file to whose leads it links."""
    set: dict[str, str] = field(default_factory=dict)
    """Texts that are taken instead of the file's cells, by field."""

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class PlanSummary(Record):
    """What a plan that was written to a file comes to: ``db.plan_import_to``."""

    report: ImportReport
    """The sums, the mapping and how the file is read: what a dry run says."""
    unknown: dict[str, dict[str, int]]
    """Names that a list or the pipelines lack, and how often each occurs, by field."""

    __hash__ = None  # type: ignore[assignment]


def summary_of(text: str, table: str) -> PlanSummary:
    """Read what the compiled half says."""
    told = json.loads(text)
    return PlanSummary(report_of(told["report"], table), told["unknown"])


class ImportPlan:
    r"""What an import would do with a file, made by ``db.plan_import`` and carried out by ``db.apply_import``.

    It is pure data: store it as JSON, show it, change single lines. It holds values of the file, so it is personal
    data.

    >>> file = b"Company,E-mail\nNordlys AS,post@nordlys.example\nFjord AS,post@fjord.example\n"
    >>> plan = db.plan_import(file)
    >>> [(line.line, line.action) for line in plan.lines]
    [(2, 'create'), (3, 'create')]
    >>> plan.skip(3)
    >>> plan.set(2, city="Oslo")
    >>> kept = leadcore.ImportPlan.from_json(plan.to_json())
    >>> report = db.apply_import(kept, file)
    >>> report.created, report.skips, db.leads.by_number(1).city
    (1, {'left_out': 1}, 'Oslo')
    """

    __slots__ = ("_data", "_gone", "_places", "_relinked", "_text")

    def __init__(self, data: Mapping[str, Any], text: str = "") -> None:
        """Take the data that :meth:`to_dict` gave."""
        check("data", data, Mapping, "the data of a plan")
        try:
            self._data: dict[str, Any] = json.loads(json.dumps(data, allow_nan=False))
            self._places = {line["line"]: line for line in self._data["lines"]}
            self._gone: set[str] | None = None
            self._relinked: set[int] | None = None
        except (TypeError, ValueError, KeyError, RecursionError):
            raise refused("plan", "malformed", "this is not a plan of an import") from None
        self._text = text

    @classmethod
    def from_json(cls, text: str) -> ImportPlan:
        r"""Read what :meth:`to_json` wrote.

        >>> plan = db.plan_import(b"Company\nNordlys AS\n")
        >>> leadcore.ImportPlan.from_json(plan.to_json()) == plan
        True
        """
        data = read_plan(text, name="text", what="a plan of an import")
        _leadcore.import_check_plan(text)
        return cls(data)

    @classmethod
    def _of(cls, text: str, table: str) -> ImportPlan:
        """Read what the compiled half says."""
        return cls(json.loads(text), table)

    def to_json(self) -> str:
        """The plan as JSON, to be stored and carried out later."""
        return json.dumps(self._data)

    def to_dict(self) -> dict[str, Any]:
        """The plan as a dictionary of its own."""
        return copy.deepcopy(self._data)

    @property
    def report(self) -> ImportReport:
        """The sums, the mapping and how the file is read: what a dry run says."""
        return report_of(self._data["report"], self._text)

    @property
    def unknown(self) -> dict[str, dict[str, int]]:
        """Names that a list or the pipelines lack, and how often each occurs, by field.

        ``terms`` of an import says what becomes of them.
        """
        return copy.deepcopy(self._data["unknown"])

    @property
    def lines(self) -> tuple[PlannedLine, ...]:
        """Each record of the file."""
        return self._told(self._data["lines"])

    def line(self, line: int) -> PlannedLine:
        """The record that begins on this line."""
        return self._told([self._find(line)])[0]

    def skip(self, line: int) -> None:
        """Leave a line out.

        What becomes of later lines that mean the lead which it would have created, and of lines that link to it, is
        ``open`` then.
        """
        self._choose(line, "skip")

    def take(self, line: int, lead: LeadRef) -> None:
        """Let a line mean this lead."""
        identifier = getattr(lead, "id", lead)
        check("lead", identifier, (UUID, str), "a lead or its id")
        try:
            identifier = identifier if isinstance(identifier, UUID) else UUID(str(identifier))
        except ValueError:
            raise refused("lead", "malformed", "an id must be a UUID") from None
        self._choose(line, {"take": str(identifier)})

    def create(self, line: int) -> None:
        """Create a lead from a line, whatever exists."""
        self._choose(line, "create")

    def set(self, line: int, **cells: CellValue) -> None:
        r"""Take these values instead of the cells of a line, ``""`` for an empty cell.

        Texts are read as the cells of the field's column are; numbers, dates, times and yes or no are what they are,
        whatever the file's columns say of decimal marks, units (``thousands``) and the order of dates. What the line
        becomes is ``open`` then, until it is planned again or applied.

        >>> from datetime import date
        >>> from decimal import Decimal
        >>> file = b"Company,Amount,Closing\nNordlys AS,much,soon\n"
        >>> columns = {"Company": "company", "Amount": "amount", "Closing": "expected_close"}
        >>> plan = db.plan_import(file, mapping=columns, decimal_mark=",")
        >>> plan.set(2, amount=Decimal("1.234"), expected_close=date(2027, 4, 3))
        >>> plan.line(2).action, db.plan_import(file, earlier=plan).line(2).action
        ('open', 'create')
        """
        found = self._find(line)
        self._relinked = None
        read = {}
        for key, value in cells.items():
            read[key] = _cell(key, value)
            _leadcore.import_check_field(key)
        found.setdefault("set", {}).update({key: text for key, (text, _) in read.items()})
        numbers = {key for key in found.get("numbers", ()) if key not in read}
        found["numbers"] = sorted(numbers | {key for key, (_, is_number) in read.items() if is_number})
        found["open"] = _cells(found) != _cells(found.get("made_with", {}))

    def reset(self, line: int) -> None:
        """Take back what was decided about a line."""
        found = self._find(line)
        self._choose(line, None)
        found.pop("set", None)
        found.pop("numbers", None)
        # What was set when it was planned is a part of what was decided.
        found["open"] = _cells(found) != _cells(found.get("made_with", {}))

    def _choose(self, line: int, choice: str | dict[str, str] | None) -> None:
        found = self._find(line)
        self._relinked = None
        before = _gives_up(found)
        if choice is None:
            found.pop("choice", None)
        else:
            found["choice"] = choice
        if self._gone is not None:
            self._gone -= before
            self._gone |= _gives_up(found)

    def _told(self, lines: list[dict[str, Any]]) -> tuple[PlannedLine, ...]:
        """Lines, with what becomes of each by what a person decided about those above."""
        if self._gone is None:
            self._gone = set(_leadcore.import_plan_gone(json.dumps(self._data["lines"])))
        if self._relinked is None:
            is_linked = any(line.get("links") for line in self._data["lines"])
            told = _leadcore.import_plan_relinked(json.dumps(self._data["lines"])) if is_linked else ()
            self._relinked = set(told)
        gone = [line["decision"].get("lead") in self._gone or line["line"] in self._relinked for line in lines]
        actions: list[Any] = _leadcore.import_line_actions(json.dumps(lines), gone)
        return tuple(_line(line, action) for line, action in zip(lines, actions, strict=True))

    def _find(self, line: int) -> dict[str, Any]:
        check("line", line, int, "the number of a line")
        found: dict[str, Any] | None = self._places.get(line)
        if found is None:
            raise NotFoundError("`line`: no record of the plan begins on this line")
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ImportPlan) and self._data == other._data

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return self._text or repr(self)

    def __repr__(self) -> str:
        told = self._data.get("report", {})
        counts = " ".join(f"{key}={told.get(key)!r}" for key in ("created", "updated", "skipped", "review", "rejected"))
        return f"<ImportPlan {counts}>"


_MOST_DIGITS: Final = 100


def _cell(key: str, value: Any) -> tuple[str, bool]:
    """A value as a text, and whether that is a number, which is what it is."""
    check(key, value, (str, SupportsIndex, float, Decimal, date), "a text, a number, a date, a time, True or False")
    if isinstance(value, str):
        return value, False
    if isinstance(value, bool):
        return str(value).lower(), False
    if isinstance(value, date):
        # A midnight without a zone is a day, as in a table.
        if isinstance(value, datetime) and value.tzinfo is None and value.time() == time():
            return value.date().isoformat(), False
        return value.isoformat(), False
    if isinstance(value, SupportsIndex):
        return str(int(value)), True
    number = value if isinstance(value, Decimal) else Decimal(float.__repr__(value))
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise refused(key, "out_of_range", "must be a number of at most 100 digits")
    return format(number, "f"), True


def _cells(edits: dict[str, Any]) -> tuple[dict[str, str], list[str]]:
    """The cells that are set, and which of them as numbers."""
    return edits.get("set", {}), edits.get("numbers", [])


def _gives_up(line: dict[str, Any]) -> set[str]:
    """The lead that a line would have created, where a person decided otherwise."""
    lead = _leadcore.import_line_gives_up(json.dumps(line))
    return set() if lead is None else {lead}


def _line(told: dict[str, Any], action: Any) -> PlannedLine:
    decision = told["decision"]
    choice = told.get("choice")
    lead = decision.get("lead")
    changes = decision.get("changes") or decision.get("values") or ()
    listed = changes if isinstance(changes, list) else ()
    values = decision.get("values") if decision["action"] == "reject" else None
    return PlannedLine(
        line=told["line"],
        action=action,
        lead_id=None if lead is None else UUID(lead),
        number=decision.get("number"),
        matched_by=decision.get("matched_by"),
        changes=tuple((one["field"], one.get("before"), one.get("after")) for one in listed),
        reason=decision.get("reason"),
        candidates=tuple(
            LineCandidate(UUID(one["lead"]), one["number"], one["name"]) for one in decision.get("candidates", ())
        ),
        violations=tuple(Violation(one["field"], one["code"], one["message"]) for one in decision.get("reasons", ())),
        values=dict(values or {}),
        owner=decision.get("owner"),
        edit="take" if isinstance(choice, dict) else choice,
        same_as_line=told.get("same_as_line"),
        linked_lines=tuple(one["line"] for one in told.get("links", ())),
        set=dict(told.get("set", {})),
    )
