"""What lists and boards of leads are made of: views, rows, facets, changes. Frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload
from uuid import UUID

from ._leadcore import Lead
from .exceptions import Violation
from .filters import Filter
from .forms import FieldSpec
from .models import Board
from .values import Record

if TYPE_CHECKING:
    from .leads import LeadAction

__all__ = ["Changes", "Facet", "FacetValue", "ListPage", "Row", "View", "ViewBoard", "ViewEntry", "ViewShape"]

ViewShape: TypeAlias = Literal["list", "board"]
"""How a view is drawn."""


@dataclass(frozen=True, slots=True)
class ViewEntry(Record):
    """One line of the menu of views."""

    view: str
    """What opens it: the code of a system view (``mine``, ``all`` …), or the id of a saved one."""
    name: str
    """What people read."""
    shape: ViewShape = "list"
    """``list`` or ``board``."""
    pipeline: UUID | None = field(default=None, repr=False)
    """Of a board: the id of its pipeline; that of the default one when ``None``."""
    is_default: bool = False
    """Whether lists open with it."""
    is_pinned: bool = False
    """Whether the user pinned it."""
    is_shared: bool = False
    """Whether everyone sees it; system views are."""
    is_editable: bool = field(default=False, repr=False)
    """Whether the acting user may change, share and delete it."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class View(Record):
    """A view that somebody saved."""

    id: UUID = field(repr=False)
    """The id."""
    revision: int = field(repr=False)
    """How often it was written. A change with this object is refused when the stored one is higher."""
    name: str
    """What people read. Unique among the views of its owner."""
    owner: str | None
    """Whose view it is; nobody's when the program itself made it."""
    shared: bool
    """Whether everyone sees it, not only its owner."""
    filter: Filter = field(repr=False)
    """Which leads, with names for sources, stages and the like; conditions that no longer fit are left out."""
    shape: ViewShape = "list"
    """``list`` or ``board``."""
    pipeline: UUID | None = field(default=None, repr=False)
    """Of a board: the id of its pipeline; that of the default one when ``None``."""
    columns: tuple[str, ...] | None = field(default=None, repr=False)
    """The keys of its columns; the tenant's when ``None``."""
    sort: str | None = field(default=None, repr=False)
    """Its order: ``company``, ``-amount``; last written first when ``None``."""
    group_by: str | None = field(default=None, repr=False)
    """The field that rows are grouped by."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class FacetValue(Record):
    """One value of a field and how many leads have it."""

    value: Any = field(repr=False)
    """The value, for a filter: sources, stages and the like as their records; ``None`` for leads without one."""
    name: str
    """What people read; empty for leads without one."""
    count: int
    """How many leads."""


@dataclass(frozen=True, slots=True)
class Facet(Record):
    """The values that leads have in one field."""

    field: str
    """The field's key."""
    values: tuple[FacetValue, ...]
    """Each value that a lead has, in the order of its list or pipeline, else by name; leads without one first."""

    def __iter__(self) -> Iterator[FacetValue]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Row(Record):
    """One row of a list. ``row["source"]`` is what stands in that column."""

    id: UUID = field(repr=False)
    """The lead's id."""
    number: int
    """The number that people say."""
    lead: Lead = field(repr=False)
    """The lead, without fields that the acting user may not see."""
    values: Mapping[str, str] = field(hash=False)
    """What each column shows, by the key of its field; empty text for no value."""
    unread: bool = False
    """Whether the acting user has not opened it yet."""
    rotting: bool = False
    """Whether it has been idle for longer than its stage allows."""
    actions: tuple[LeadAction, ...] = field(default=(), repr=False)
    """What the acting user can do with it now."""

    def __getitem__(self, column: str) -> str:
        return self.values[column]


@dataclass(frozen=True, slots=True)
class ListPage(Record):
    """A page of a view. It is a sequence of its rows."""

    view: str
    """The view that was opened."""
    name: str
    """What people call it."""
    columns: tuple[FieldSpec, ...] = field(repr=False)
    """The columns, from left to right."""
    rows: tuple[Row, ...]
    """The rows."""
    sort: str
    """The order that the rows are in."""
    next: str | None = field(default=None, repr=False)
    """Hand it back as ``after`` to get the next page; ``None`` on the last one."""
    total: int | None = None
    """How many leads there are in all, where that is known without a look at each: ``None`` says nothing of how many.

    A number comes for all leads, and for those with one value in one of ``stage``, ``source``, ``category`` and
    ``owner``, with or without one ``state``. With any other filter, with a search and in the trash it is ``None``;
    what a role hides is a filter too. ``db.leads.count(where=...)`` looks at each lead, and ``next`` alone says whether
    there is another page."""
    groups: Facet | None = field(default=None, repr=False)
    """Of a grouped view, on its first page: the groups with names and counts. The leads of one are those of the view
    with the group's value as a filter."""
    left_out: tuple[Violation, ...] = field(default=(), repr=False)
    """What the saved view has and no longer fits: disabled or hidden since."""

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Row, ...]: ...
    def __getitem__(self, index: int | slice) -> Row | tuple[Row, ...]:
        return self.rows[index]

    def _repr_html_(self) -> str:
        """A table, for notebooks."""
        head = "".join(f"<th>{escape(column.label)}</th>" for column in self.columns)

        def cells(row: Row) -> str:
            return "".join(f"<td>{escape(row[column.key])}</td>" for column in self.columns)

        rows = "".join(f"<tr>{cells(row)}</tr>" for row in self.rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


@dataclass(frozen=True, slots=True)
class ViewBoard(Record):
    """A view as a board."""

    view: str
    """The view that was opened."""
    name: str
    """What people call it."""
    board: Board
    """The board."""
    left_out: tuple[Violation, ...] = field(default=(), repr=False)
    """What the saved view has and no longer fits."""


@dataclass(frozen=True, slots=True)
class Changes(Record):
    """What changed, and where to go on: for programs that keep a copy."""

    leads: tuple[Lead, ...]
    """Leads as they are now."""
    gone: tuple[UUID, ...]
    """The ids of leads that the copy drops, if it has them: in the trash, removed, or not to be seen any more."""
    next: int
    """Where the next page begins: hand it back as ``after``."""
    more: bool
    """Whether more is waiting already."""


def facet(found: tuple[str, list[tuple[Any, str, int]]]) -> Facet:
    """The facet that the compiled half found."""
    key, values = found
    return Facet(key, tuple(FacetValue(*value) for value in values))
