"""The small records: stages, terms, pages, boards, history. Frozen values; equal when everything is equal.

:class:`Lead`, :class:`Contact` and :class:`Account` are written in Rust, because there are many of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from html import escape
from typing import Any, Generic, Literal, TypeVar, overload
from uuid import UUID

from ._leadcore import Lead
from .forms import Choice, FieldSpec, FormSection, Section
from .html import MOST_ROWS, table
from .values import Email, MarkNote, Money, Phone, ReachKind, Record

__all__ = [
    "Board",
    "Change",
    "Choice",
    "Closing",
    "Column",
    "ColumnSum",
    "Email",
    "Entry",
    "FieldSpec",
    "FormSection",
    "MarkNote",
    "Money",
    "Page",
    "Phone",
    "Pipeline",
    "ReachKind",
    "Section",
    "Stage",
    "StageKind",
    "Subject",
    "Term",
    "Topic",
    "Wip",
]

StageKind = Literal["open", "on_hold", "won", "lost"]
"""What a stage means for the lead."""

Topic = Literal[
    "created",
    "fields",
    "stage",
    "owner",
    "contact",
    "trash",
    "converted",
    "note",
    "comment",
    "call",
    "task",
    "meeting",
    "message",
    "ticket",
    "estimate_request",
    "file",
    "estimate",
    "record",
    "follower",
    "products",
    "opportunity",
    "service",
]
"""What an event of a timeline is about."""

Subject = tuple[str, UUID]
"""A record, whatever its kind: ``("lead", id)``."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Term(Record):
    """One term of a list: a source, category, label, location, partner or reason."""

    kind: str = field(repr=False)
    """The list: ``source``, ``category``, ``label``, ``location``, ``partner``, ``lost_reason`` or
    ``disqualify_reason``."""
    id: UUID = field(repr=False)
    """What leads refer to; a rename leaves it alone."""
    name: str
    """What people read."""
    color: str | None = None
    """``#rrggbb``, where the list uses colours."""
    position: int = field(default=0, repr=False)
    """The place in the list, from 0."""
    revision: int = field(default=1, repr=False)
    """How often it was written."""
    archived: bool = field(default=False, repr=False)
    """No longer offered: records that have it keep it, and no other record gets it."""
    needs_detail: bool = field(default=False, repr=False)
    """Of a reason: whoever chooses this one must also say it in words."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Stage(Record):
    """One column of the board."""

    id: UUID = field(repr=False)
    """What leads refer to; a rename leaves it alone."""
    name: str
    """What people read."""
    kind: StageKind = "open"
    """``open``, ``on_hold``, ``won`` or ``lost``."""
    probability: int | None = None
    """The chance to win from here in percent, when the pipeline says one."""
    color: str | None = field(default=None, repr=False)
    """``#rrggbb``."""
    required_fields: tuple[str, ...] = field(default=(), repr=False)
    """The keys of the fields that a lead must have to be here."""
    allowed_next: tuple[UUID, ...] | None = field(default=None, repr=False)
    """The ids of the stages that a lead may go to from here; any when ``None``."""
    wip_limit: int | None = field(default=None, repr=False)
    """The most leads that may be here."""
    idle_days: int | None = field(default=None, repr=False)
    """After so many days without activity a lead that is here rots."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Pipeline(Record):
    """A pipeline: its stages in board order."""

    id: UUID = field(repr=False)
    """The id."""
    name: str
    """What people read."""
    stages: tuple[Stage, ...] = field(repr=False)
    """The stages, in board order."""
    is_default: bool = False
    """Whether new leads start here when nothing else is said."""
    revision: int = field(default=1, repr=False)
    """How often it was written."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Closing(Record):
    """How a lead ended, until it is reopened."""

    outcome: Literal["won", "lost", "disqualified"]
    """How."""
    at: datetime
    """When."""
    reason: Term | None = None
    """Why: a term of ``db.lost_reasons`` or ``db.disqualify_reasons``."""
    detail: str | None = None
    """Why, in words."""


@dataclass(frozen=True, slots=True)
class Page(Record, Generic[T]):
    """Some records of a list, and where the next ones begin. It is a sequence of its items."""

    items: tuple[T, ...]
    """The records."""
    next: str | None = field(default=None, repr=False)
    """Hand it back as ``after`` to get the next page; ``None`` on the last one.

    It can hold the name of the last record, so treat it like the page itself.
    """

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self.items[index]

    def _repr_html_(self) -> str:
        """A table, for notebooks."""
        return table(self.items)


@dataclass(frozen=True, slots=True)
class ColumnSum(Record):
    """What the leads of a column may be worth, in one currency."""

    currency: str | None
    """Currency, ISO 4217; ``None`` for leads that say an amount and no currency."""
    leads: int
    """How many leads say an amount."""
    expected: Decimal
    """Their amounts."""
    weighted: Decimal | None
    """Each amount times its probability: the lead's own, else the stage's; where neither says one it counts as nothing.
    ``None`` for a user who may not see probabilities."""


@dataclass(frozen=True, slots=True)
class Wip(Record):
    """How full a stage with a limit is, whatever part of it the board shows."""

    limit: int
    """The most leads that may be in it."""
    full: bool
    """Whether no other lead may come in."""
    over: bool
    """Whether it holds more than it may: the limit was set later."""


@dataclass(frozen=True, slots=True)
class Column(Record):
    """One column of a board."""

    stage: Stage
    """The stage."""
    count: int
    """How many leads are in it."""
    cards: tuple[Lead, ...] = field(repr=False)
    """The first of them."""
    next: str | None = field(default=None, repr=False)
    """Where the next cards begin: ``after`` for ``db.leads.list`` with this stage in the filter and the same sort
    (``rank`` when the board was asked for none)."""
    sums: tuple[ColumnSum, ...] = field(default=(), repr=False)
    """What they may be worth, per currency. Empty for a user who may not see amounts."""
    wip: Wip | None = field(default=None, repr=False)
    """How full the stage is, where it has a limit."""

    @property
    def color(self) -> str | None:
        """The colour of the stage: ``#rrggbb``."""
        return self.stage.color


@dataclass(frozen=True, slots=True)
class Board(Record):
    """A pipeline as columns of leads."""

    pipeline: Pipeline
    """The pipeline it shows."""
    columns: tuple[Column, ...]
    """A column for each stage, in order."""

    def __getitem__(self, stage: str) -> Column:
        """The column of the stage with this name."""
        for column in self.columns:
            if column.stage.name == stage:
                return column
        raise KeyError(stage)

    def _repr_html_(self) -> str:
        """The columns side by side, for notebooks."""

        def cards(column: Column) -> str:
            shown = "".join(f"<li>{escape(card.display_name or '?')}</li>" for card in column.cards[:MOST_ROWS])
            return f"<td style='vertical-align: top'><ul>{shown}</ul></td>"

        head = "".join(f"<th>{escape(column.stage.name)} ({column.count})</th>" for column in self.columns)
        body = "".join(cards(column) for column in self.columns)
        return f"<table><thead><tr>{head}</tr></thead><tbody><tr>{body}</tr></tbody></table>"


@dataclass(frozen=True, slots=True)
class Change(Record):
    """One field's value before and after."""

    field: str
    """The field's key."""
    before: Any
    """The value before; ``None`` when there was none."""
    after: Any
    """The value after; ``None`` when there is none."""


@dataclass(frozen=True, slots=True)
class Entry(Record):
    """One event of a timeline."""

    sequence: int = field(repr=False)
    """Its place in the journal: later entries have higher numbers."""
    at: datetime
    """When, in UTC."""
    actor: str | None
    """The user who did it; ``None`` for the program itself."""
    action: str
    """``created``, ``updated``, ``moved``, ``deleted``, ``restored``, ``converted``, ``linked``,
    ``unlinked`` or ``purged``."""
    text: str = field(repr=False)
    """The same in a line of words: ``Status: New → Discussion``."""
    changes: tuple[Change, ...] = field(repr=False)
    """What changed."""
    subject: Subject = field(repr=False)
    """The record it is about."""
    other: Subject | None = field(repr=False)
    """The other record, where there is one."""
    operation: UUID = field(repr=False)
    """The call that wrote it; entries of one call share it."""
    operation_kind: str = field(repr=False)
    """What kind of call that was: ``create``, ``edit``, ``import`` …"""
    topics: tuple[Topic, ...] = field(default=(), repr=False)
    """What it is about, to show only some of a history."""

    def __str__(self) -> str:
        return self.text
