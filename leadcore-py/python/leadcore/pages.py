"""The page of a lead or an account: everything about it from one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

from ._leadcore import Account, Contact, Lead
from .arguments import check, several
from .models import Entry, Page
from .moves import Idle, StageVisit
from .values import Record

if TYPE_CHECKING:
    from .leads import LeadAction

__all__ = [
    "AccountPage",
    "Attached",
    "Cell",
    "Engagement",
    "FollowUpState",
    "LeadPage",
    "PageSection",
    "Qualification",
    "TabPage",
]

FollowUpState: TypeAlias = Literal["none", "planned", "today", "overdue"]
"""Whether somebody has to turn to a lead, and how soon, by the acting user's day."""


@dataclass(frozen=True, slots=True)
class Cell(Record):
    """A field as a page shows it."""

    field: str
    """The field's key."""
    label: str
    """What people call it."""
    text: str
    """What it shows; empty for no value."""


@dataclass(frozen=True, slots=True)
class PageSection(Record):
    """A section of the form with its fields."""

    key: str
    """Its key."""
    label: str
    """What people call it."""
    cells: tuple[Cell, ...]
    """Its fields, in order."""


@dataclass(frozen=True, slots=True)
class Engagement(Record):
    """How much happened of one kind."""

    kind: str
    """The kind: ``note``, ``call`` …"""
    total: int
    """How often, what is only planned included."""
    open: int
    """How much of it is still open."""
    last: datetime | None
    """When the latest was that is not open any more."""


@dataclass(frozen=True, slots=True)
class Qualification(Record):
    """How far a lead is, and what was done about it."""

    pipeline: str
    """What its pipeline is called."""
    stage: str
    """What its stage is called."""
    state: Literal["open", "disqualified", "converted"]
    """``open``, ``disqualified`` or ``converted``."""
    outcome: Literal["won", "lost", "disqualified"] | None
    """How it ended, if it did."""
    reason: str | None
    """Why, by the tenant's list."""
    reason_detail: str | None
    """Why, in words."""
    engagement: tuple[Engagement, ...]
    """What was done and is to be done, kind by kind."""


@dataclass(frozen=True, slots=True)
class TabPage(Record):
    """A tab of a page. It is a sequence of its first records."""

    tab: str
    """Which: a kind of activity, ``file``, ``estimate``, ``product_lines``, or a kind of record of your program's."""
    total: int
    """How many records it has."""
    open: int
    """How many of them are still open."""
    items: tuple[Any, ...] = field(repr=False)
    """The latest of them: an :class:`Activity` each; other records as plain data with their ``type``."""
    next: str | None = field(default=None, repr=False)
    """Where the next ones begin: ``after`` for ``db.activities.of``; ``None`` when there are no more."""

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        return self.items[index]


def _tab(tabs: tuple[TabPage, ...], name: str) -> TabPage:
    check("name", name, str, "the name of a tab")
    found = [tab for tab in tabs if tab.tab == name]
    return found[0] if found else TabPage(name, 0, 0, ())


@dataclass(frozen=True, slots=True)
class Attached(Record):
    """What is attached to a note, a task, an estimate."""

    of: tuple[str, UUID]
    """What it is attached to, by kind and id."""
    total: int
    """How many files."""
    files: tuple[dict[str, Any], ...] = field(repr=False)
    """The latest of them, as plain data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPage(Record):
    """The page of a lead."""

    lead: Lead
    """The lead."""
    sections: tuple[PageSection, ...] = field(repr=False)
    """Its fields as people read them, section by section."""
    qualification: Qualification = field(repr=False)
    """How far it is, and what was done about it."""
    follow_up_state: FollowUpState
    """Whether somebody has to turn to it, and how soon."""
    idle: Idle = field(repr=False)
    """How long nothing happened to it."""
    is_unread: bool = field(repr=False)
    """Whether the acting user had not opened it yet."""
    actions: tuple[LeadAction, ...] = field(repr=False)
    """What the acting user can do with it now."""
    tabs: tuple[TabPage, ...] = field(repr=False)
    """Its tabs that have something, and those that were asked for."""
    attachments: tuple[Attached, ...] = field(repr=False)
    """What is attached to the notes, tasks, estimates … of its tabs: no files of the lead itself."""
    contacts: tuple[Contact, ...] = field(repr=False)
    """Its persons, the primary one first."""
    history: tuple[StageVisit, ...] = field(repr=False)
    """The stages that it went through, oldest first."""
    followers: tuple[str, ...] = field(repr=False)
    """The users who follow it."""
    timeline: Page[Entry] = field(repr=False)
    """What happened to it last; its ``next`` is ``after`` for ``db.timeline_page``."""

    def tab(self, name: str) -> TabPage:
        """The tab with this name; an empty one when there is nothing in it."""
        return _tab(self.tabs, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage(Record):
    """The page of an account: what is about it, and about the leads that became it."""

    account: Account
    """The account."""
    lead_ids: tuple[UUID, ...] = field(repr=False)
    """The leads that became it and that the acting user may see, oldest first."""
    engagement: tuple[Engagement, ...] = field(repr=False)
    """What was done and is to be done, kind by kind."""
    tabs: tuple[TabPage, ...] = field(repr=False)
    """Its tabs that have something, and those that were asked for."""
    attachments: tuple[Attached, ...] = field(repr=False)
    """What is attached to the notes, tasks, estimates … of its tabs: no files of the account itself."""
    contacts: tuple[Contact, ...] = field(repr=False)
    """Its persons, the primary one first."""
    followers: tuple[str, ...] = field(repr=False)
    """The users who follow it."""
    timeline: Page[Entry] = field(repr=False)
    """What happened to it, and to the leads that became it."""

    def tab(self, name: str) -> TabPage:
        """The tab with this name; an empty one when there is nothing in it."""
        return _tab(self.tabs, name)


def wanted(
    first: int, timeline: int, tabs: Iterable[str] | None, users: Mapping[str, str] | None
) -> tuple[int, int, list[str] | None, list[tuple[str, str]] | None]:
    """What a page is to hold, as the compiled half takes it."""
    check("users", users, (Mapping, type(None)), "a mapping of users to names")
    names = None if users is None else list(users.items())
    return first, timeline, None if tabs is None else several("tabs", tabs, "names of tabs"), names
