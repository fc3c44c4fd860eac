"""The page of a lead or an account: everything about it from one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

from ._leadcore import Account, Contact, Lead
from .arguments import check, several
from .exceptions import refused
from .html import PERSON_COLUMNS, cell, facts, part, table
from .models import Entry, Page
from .moves import Idle, StageVisit
from .values import Record

if TYPE_CHECKING:
    from .files import FileRecord
    from .followers import Follow
    from .leads import LeadAction
    from .lines import LeadLines

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
    """The latest of them, as their own calls give them: :class:`Activity`, :class:`FileRecord`, :class:`Estimate`,
    :class:`LeadLines` or :class:`HostRecord`."""
    next: str | None = field(default=None, repr=False)
    """Where the next ones begin: ``after`` for ``db.activities.of``, ``db.files.of``, ``db.estimates.of`` or
    ``db.records.of``; ``None`` when there are no more."""

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        return self.items[index]

    def _repr_html_(self) -> str:
        """A table, for notebooks."""
        if len(self.items) == 1 and self.tab == "product_lines":
            return str(self.items[0]._repr_html_())
        return table(self.items)


def _tab(tabs: tuple[TabPage, ...], names: tuple[str, ...], name: str) -> TabPage:
    check("name", name, str, "the name of a tab")
    found = [tab for tab in tabs if tab.tab == name]
    if not found and name not in names:
        near = get_close_matches(name, names, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"the tabs are {', '.join(f'`{one}`' for one in names)}"
        raise refused("name", "unknown", f"there is no such tab; {hint}")
    return found[0] if found else TabPage(name, 0, 0, ())


def _shown_tabs(tabs: tuple[TabPage, ...]) -> str:
    filled = [tab for tab in tabs if tab.total]
    return "".join(part(f"{tab.tab} ({tab.total}, {tab.open} open)", tab._repr_html_()) for tab in filled)


def _shown_people(contacts: tuple[Contact, ...], followers: tuple[Follow, ...]) -> str:
    shown = part("contacts", table(contacts, PERSON_COLUMNS)) if contacts else ""
    return shown + (part("followers", table(followers, ("user", "since"))) if followers else "")


@dataclass(frozen=True, slots=True)
class Attached(Record):
    """What is attached to a note, a task, an estimate."""

    of: tuple[str, UUID]
    """What it is attached to, by kind and id."""
    total: int
    """How many files."""
    files: tuple[FileRecord, ...] = field(repr=False)
    """The latest of them."""


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
    lines: LeadLines | None = field(repr=False)
    """Its products with their totals, whichever tabs were asked for; ``None`` where it has none, or the acting user may
    not see its amount."""
    followers: tuple[Follow, ...] = field(repr=False)
    """Who follows it or the account that it became, by user."""
    tab_names: tuple[str, ...] = field(repr=False)
    """The names of all tabs that there are, also of those without anything."""
    timeline: Page[Entry] = field(repr=False)
    """What happened to it last; its ``next`` is ``after`` for ``db.timeline_page``."""

    def tab(self, name: str) -> TabPage:
        """The tab with this name; an empty one when there is nothing in it.

        Raises:
            InvalidError: When there is no such tab.

        """
        return _tab(self.tabs, self.tab_names, name)

    def _repr_html_(self) -> str:
        """The page, for notebooks."""
        how = self.qualification
        said = [("stage", how.stage), ("outcome", how.outcome), ("follow-up", self.follow_up_state)]
        shown = f"<h3>{cell(self.lead.display_name or 'Lead')}</h3>" + facts(said)
        for section in self.sections:
            if any(one.text for one in section.cells):
                shown += part(section.label, facts((one.label, one.text) for one in section.cells))
        if self.lines is not None and all(tab.tab != "product_lines" or not tab.items for tab in self.tabs):
            shown += part("product_lines", self.lines._repr_html_())
        shown += _shown_tabs(self.tabs) + _shown_people(self.contacts, self.followers)
        return shown + part("timeline", table(self.timeline.items, ("at", "actor", "text")))


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
    followers: tuple[Follow, ...] = field(repr=False)
    """Who follows it or a lead that became it, by user."""
    tab_names: tuple[str, ...] = field(repr=False)
    """The names of all tabs that there are, also of those without anything."""
    timeline: Page[Entry] = field(repr=False)
    """What happened to it, and to the leads that became it."""

    def tab(self, name: str) -> TabPage:
        """The tab with this name; an empty one when there is nothing in it.

        Raises:
            InvalidError: When there is no such tab.

        """
        return _tab(self.tabs, self.tab_names, name)

    def _repr_html_(self) -> str:
        """The page, for notebooks."""
        account = self.account
        named = [(name, getattr(account, name, None)) for name in ("number", "email", "phone", "city", "owner")]
        shown = f"<h3>{cell(account.name)}</h3>" + facts([*named, ("leads", len(self.lead_ids))])
        shown += _shown_tabs(self.tabs) + _shown_people(self.contacts, self.followers)
        return shown + part("timeline", table(self.timeline.items, ("at", "actor", "text")))


def wanted(
    first: int, timeline: int, tabs: Iterable[str] | None, users: Mapping[str, str] | None
) -> tuple[int, int, list[str] | None, list[tuple[str, str]] | None]:
    """What a page is to hold, as the compiled half takes it."""
    check("users", users, (Mapping, type(None)), "a mapping of users to names")
    names = None if users is None else list(users.items())
    return first, timeline, None if tabs is None else several("tabs", tabs, "names of tabs"), names
