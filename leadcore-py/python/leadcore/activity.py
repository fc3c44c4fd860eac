"""Activities as they are read: notes, calls, tasks and the like, calendar entries and reminders. Frozen values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import ClassVar, Literal, TypeAlias, TypedDict
from uuid import UUID

from ._leadcore import Account, Contact, Lead
from .arguments import several
from .exceptions import refused
from .html import facts
from .models import Page, Subject
from .values import Record

__all__ = [
    "Activity",
    "ActivityInput",
    "ActivityKind",
    "CalendarEntry",
    "Completed",
    "Overview",
    "Participant",
    "Reminder",
    "Replaced",
]

ActivityKind: TypeAlias = Literal["note", "comment", "call", "task", "meeting", "message", "ticket", "estimate_request"]
"""The kinds of activity."""

Participant: TypeAlias = Lead | Account | Contact | tuple[str, UUID | str] | str
"""Who takes part in a meeting: a record, ``("user", "ada")``, or the name or address of anybody else."""

_Moment: TypeAlias = date | datetime


class ActivityInput(TypedDict, total=False):
    """Everything a caller may set on an activity; which there is depends on the kind. ``None`` empties a field."""

    title: str | None
    """What it is about, in a line."""
    text: str | None
    """What there is to say."""
    assignee: str | None
    """The user who turns to it."""
    remind_at: datetime | None
    """When somebody is to be reminded of it."""
    icon: str | None
    """Of a comment: the name of an icon of your program."""
    color: str | None
    """Of a comment: ``#rrggbb``."""
    at: datetime
    """Of a call or message: when it was, or shall be. Now when not said."""
    direction: Literal["inbound", "outbound"]
    """Of a call or message: who reached out to whom; ``outbound`` when not said."""
    outcome: Literal["answered", "no_answer", "busy", "left_message", "wrong_number", "failed"] | None
    """Of a call: what came of it; it is only planned without one."""
    duration: timedelta | int | None
    """Of a call: how long it took; a number means seconds."""
    number: str | None
    """Of a call: the number, as it was dialled or shown."""
    due: _Moment | None
    """Of a task: until when; a ``date`` means the whole day, wherever one is."""
    priority: Literal["low", "normal", "high", "urgent"]
    """Of a task or ticket: how pressing it is."""
    recurrence: str | None
    """Of a task or meeting: by which rule it comes again, as iCalendar writes it: ``FREQ=WEEKLY;COUNT=4``."""
    done_at: datetime | None
    """Of a task: when it was done. Best by ``complete`` and ``reopen``."""
    start: _Moment
    """Of a meeting: when it begins. Where nothing is said of the end, that moves along."""
    end: _Moment
    """Of a meeting: when it ends; of whole days the last one. An hour or a day when not said."""
    zone: str | None
    """Of a meeting: the time zone that it is held by (``Europe/Oslo``): a series keeps its hour there."""
    exceptions: Iterable[date] | None
    """Of a series of meetings: the days on which it does not take place. Best by ``skip``."""
    place: str | None
    """Of a meeting: where."""
    participants: Iterable[Participant] | None
    """Of a meeting: who takes part."""
    channel: Literal["email", "sms", "chat", "letter", "other"]
    """Of a message: how it went."""
    sender: str | None
    """Of a message: the address that it came from."""
    recipient: str | None
    """Of a message: the address that it went to."""
    closed_at: datetime | None
    """Of a ticket: when it was closed. Best by ``complete`` and ``reopen``."""
    state: Literal["new", "processing", "estimated", "declined"]
    """Of a request for an estimate: how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Activity(Record):
    """A note, comment, call, task, meeting, message, ticket or request for an estimate, as it was when it was read.

    What its kind does not have is ``None``.

    >>> lead = db.leads.create(company="Nordlys AS")
    >>> task = db.activities.task(lead, "Call back", priority="high")
    >>> task.kind, task.title, task.priority, task.is_open, task.outcome
    ('task', 'Call back', 'high', True, None)
    """

    id: UUID
    """The id."""
    revision: int
    """How often it was written. A write with this object is refused when the stored one is higher."""
    kind: ActivityKind
    """What it is."""
    about: tuple[Subject, ...]
    """The records that it is about, by kind and id: ``("lead", id)``."""
    at: datetime
    """When it was or is due, in UTC: its place in lists. What says no time of its own is when it was written."""
    is_open: bool
    """Whether something is still to be done about it."""
    title: str | None = None
    """What it is about, in a line."""
    text: str | None = None
    """What there is to say."""
    assignee: str | None = None
    """The user who turns to it."""
    remind_at: datetime | None = None
    """When somebody is to be reminded of it."""
    created_by: str | None = None
    """The user who wrote it; ``None`` for the program itself."""
    created_at: datetime
    """When it was written."""
    updated_at: datetime
    """When it was last written."""
    icon: str | None = None
    """Of a comment: the name of an icon."""
    color: str | None = None
    """Of a comment: ``#rrggbb``."""
    direction: Literal["inbound", "outbound"] | None = None
    """Of a call or message: who reached out to whom."""
    outcome: Literal["answered", "no_answer", "busy", "left_message", "wrong_number", "failed"] | None = None
    """Of a call: what came of it; ``None`` while it is only planned."""
    duration: timedelta | None = None
    """Of a call: how long it took."""
    number: str | None = None
    """Of a call: the number."""
    due: _Moment | None = None
    """Of a task: until when; a ``date`` for a whole day."""
    priority: Literal["low", "normal", "high", "urgent"] | None = None
    """Of a task or ticket: how pressing it is."""
    done_at: datetime | None = None
    """Of a task: when it was done."""
    recurrence: str | None = None
    """Of a task or meeting: by which rule it comes again."""
    next_id: UUID | None = None
    """Of a task that is done: the id of the one that follows by its rule."""
    exceptions: tuple[date, ...] = ()
    """Of a series of meetings: the days on which it does not take place though its rule says so."""
    instead_of: tuple[UUID, date] | None = None
    """Of a meeting: the series and the day of it that it takes the place of."""
    start: _Moment | None = None
    """Of a meeting: when it begins; of a series, when its first occurrence does."""
    end: _Moment | None = None
    """Of a meeting: when it ends; of whole days the last one."""
    zone: str | None = None
    """Of a meeting: the time zone that it is held by."""
    place: str | None = None
    """Of a meeting: where."""
    participants: tuple[tuple[str, UUID | str] | str, ...] = ()
    """Of a meeting: who takes part: kind and id of a record, ``("user", "ada")``, or anybody else as text."""
    held_until: datetime | None = None
    """Of a meeting: when it was held; of a series, up to when its occurrences were."""
    canceled: bool = False
    """Of a meeting: it does not take place."""
    channel: Literal["email", "sms", "chat", "letter", "other"] | None = None
    """Of a message: how it went."""
    sender: str | None = None
    """Of a message: the address that it came from."""
    recipient: str | None = None
    """Of a message: the address that it went to."""
    closed_at: datetime | None = None
    """Of a ticket: when it was closed."""
    state: Literal["new", "processing", "estimated", "declined"] | None = None
    """Of a request for an estimate: how far it is."""

    #: The columns of a table of activities.
    _columns: ClassVar[tuple[str, ...]] = ("kind", "title", "text", "at", "assignee", "priority", "outcome", "is_open")

    @property
    def subject(self) -> Subject:
        """It as a record that something else can be about: ``("activity", id)``."""
        return ("activity", self.id)

    def _repr_html_(self) -> str:
        """What it has, for notebooks."""
        return facts((f.name, getattr(self, f.name)) for f in fields(self) if f.name not in _INNER)

    def __repr__(self) -> str:
        """Kind and title: enough to tell activities apart, and no text for a log to keep."""
        title = "" if self.title is None else f": {_line(self.title)}"
        return f"<Activity {self.kind}{title}{'' if self.is_open or self.kind not in _CLOSABLE else ' (closed)'}>"


#: What a table of one activity leaves out.
_INNER = frozenset({"id", "revision", "about", "created_at", "updated_at"})
_CLOSABLE = frozenset({"call", "task", "meeting", "ticket", "estimate_request"})


def _line(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in text[:61])
    return shown if len(shown) <= 60 else f"{shown[:59]}…"


@dataclass(frozen=True, slots=True)
class Completed(Record):
    """What became of an activity that was completed."""

    activity: Activity
    """It, as it is then."""
    next: Activity | None
    """The task that follows by its rule, where it has one."""


@dataclass(frozen=True, slots=True)
class Replaced(Record):
    """What became of a series of which one occurrence was replaced."""

    series: Activity
    """The series, without this occurrence."""
    meeting: Activity
    """The meeting that takes its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry(Record):
    """One entry of a calendar: a call, a task, or one occurrence of a meeting."""

    activity_id: UUID = field(repr=False)
    """The id of the activity."""
    kind: ActivityKind
    """``call``, ``task`` or ``meeting``."""
    title: str | None
    """What it is about, in a line."""
    assignee: str | None = field(default=None, repr=False)
    """The user who turns to it."""
    start: _Moment
    """When it begins, in UTC; a ``date`` for a whole day."""
    end: _Moment = field(repr=False)
    """When it ends; of whole days the last one."""
    is_open: bool = field(repr=False)
    """Whether something is still to be done about it."""
    canceled: bool = field(default=False, repr=False)
    """Whether it does not take place."""
    about: tuple[Subject, ...] = field(default=(), repr=False)
    """The records that it is about and that the acting user may see."""
    #: The columns of a table of entries.
    _columns: ClassVar[tuple[str, ...]] = ("start", "end", "kind", "title", "assignee", "is_open", "canceled")

    occurrence: date | None = field(default=None, repr=False)
    """Of a series, which occurrence: the day where the meeting is held."""


@dataclass(frozen=True)
class Overview(Page[CalendarEntry]):
    """A page of a calendar: a sequence of its entries."""

    unexpanded: tuple[UUID, ...] = field(default=(), repr=False)
    """Series that cannot be expanded here, because they have too many occurrences before."""


@dataclass(frozen=True, slots=True)
class Reminder(Record):
    """An activity that somebody is to be reminded of."""

    at: datetime
    """When."""
    activity: Activity
    """Of what."""


def seconds(fields: ActivityInput | dict[str, object]) -> dict[str, object]:
    """The fields with a length of time as seconds."""
    given: dict[str, object] = dict(fields)
    length = given.get("duration")
    if isinstance(length, timedelta):
        given["duration"] = int(length.total_seconds())
    return given


def kinds_of(kinds: str | Iterable[str] | None) -> list[str]:
    """Kinds of activity, or one."""
    if kinds is None:
        return []
    return [kinds] if isinstance(kinds, str) else _some("kinds", several("kinds", kinds, "kinds of activity"))


def topics_of(topics: str | Iterable[str] | None) -> list[str]:
    """Topics of a history, or one."""
    if topics is None:
        return []
    return [topics] if isinstance(topics, str) else _some("topics", several("topics", topics, "topics of a timeline"))


def _some(name: str, given: list[str]) -> list[str]:
    """Refuse a list without anything in it: it would mean nothing here and everything elsewhere."""
    if not given:
        raise refused(name, "required", "an empty list is of nothing; leave it out for all of them")
    return given
