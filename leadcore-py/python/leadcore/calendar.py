"""The calendar of calls, tasks and meetings, and the reminders of activities."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

from .activities import ActivityRef
from .activity import Activity, Overview, Reminder, kinds_of
from .arguments import compiled as _leadcore
from .arguments import several
from .models import Page
from .subjects import SubjectRef

if TYPE_CHECKING:
    from typing import Self

    from .database import Database

__all__ = ["Calendar", "Reminders"]

_Kind: TypeAlias = Literal["call", "task", "meeting"]
_Kinds: TypeAlias = _Kind | Iterable[_Kind]


class Feed(str):
    """iCalendar text that knows what is not in it.

    >>> lead = db.leads.create(company="Nordlys AS")
    >>> db.calendar.ical_of(lead).left_out
    ()
    """

    left_out: tuple[UUID, ...]
    """The ids of series that could not be written: of a time zone that is not known here, for example."""

    def __new__(cls, text: str, left_out: Iterable[UUID] = ()) -> Self:
        """Use ``db.calendar.ical``."""
        feed = super().__new__(cls, text)
        feed.left_out = tuple(left_out)
        return feed


class Calendar:
    """``db.calendar``: what falls on which day."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.calendar``."""
        self._db = db

    def overview(
        self,
        start: date | datetime,
        to: date | datetime,
        *,
        kinds: _Kinds | None = None,
        assignee: str | None = None,
        about: SubjectRef | None = None,
        limit: int = 1000,
        after: str | None = None,
    ) -> Overview:
        """The calls, tasks and meetings that fall into a range of time, in order; of a series each occurrence.

        Args:
            start: From this time on; a ``date`` means where it begins for the acting user (``utc_offset``).
            to: To before this time, at most 366 days later.
            kinds: ``call``, ``task`` or ``meeting``; all of them when not said.
            assignee: Those that this user turns to.
            about: Those about this record; about anything when not said.
            limit: How many entries at most, 1 to 1,000.
            after: The ``next`` of the page before.

        Example:
            >>> import datetime
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> start = datetime.datetime(2030, 1, 7, 9, tzinfo=datetime.timezone.utc)
            >>> _ = db.activities.meeting(lead, "Weekly", start, recurrence="FREQ=WEEKLY")
            >>> entries = db.calendar.overview(datetime.date(2030, 1, 1), datetime.date(2030, 2, 1))
            >>> [entry.start.day for entry in entries]
            [7, 14, 21, 28]

        """
        wanted = (start, to, kinds_of(kinds), assignee, about)
        return _overview(*_leadcore.calendar_overview(self._db._session, wanted, after, limit))

    def month(self, year: int, month: int) -> Overview:
        """The calendar of a month where the acting user lives: its first 1,000 entries.

        >>> import datetime
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.activities.task(lead, "Call back", due=datetime.date(2030, 1, 7))
        >>> [(entry.kind, entry.title, entry.start.day) for entry in db.calendar.month(2030, 1)]
        [('task', 'Call back', 7)]
        """
        return _overview(*_leadcore.calendar_month(self._db._session, year, month))

    def ical(
        self,
        start: date | datetime,
        to: date | datetime,
        *,
        kinds: _Kinds | None = None,
        assignee: str | None = None,
        about: SubjectRef | None = None,
    ) -> Feed:
        """A range of time as iCalendar text (RFC 5545), for the calendars of others: a series once, as its rule.

        The arguments are those of :meth:`overview`. An activity has the same ``UID`` each time, so that a calendar that
        has read an earlier text takes the new one in its place. A series that cannot be written does not keep the rest
        from being read: the text says in ``left_out`` which.

        >>> import datetime
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.activities.task(lead, "Call back", due=datetime.date(2030, 1, 7))
        >>> "DUE;VALUE=DATE:20300107" in db.calendar.ical(datetime.date(2030, 1, 1), datetime.date(2030, 2, 1))
        True
        """
        return Feed(*_leadcore.calendar_ical(self._db._session, (start, to, kinds_of(kinds), assignee, about)))

    def ical_of(self, subject: SubjectRef) -> Feed:
        """The calls, tasks and meetings about a record as iCalendar text.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.calendar.ical_of(lead).startswith("BEGIN:VCALENDAR")
        True
        """
        return Feed(*_leadcore.calendar_ical_of(self._db._session, subject))


def _overview(entries: list[Any], following: str | None, unexpanded: list[UUID]) -> Overview:
    return Overview(tuple(entries), following, tuple(unexpanded))


class Reminders:
    """``db.reminders``: what your program asks from time to time, and how it says that somebody was reminded."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.reminders``."""
        self._db = db

    def due(
        self, until: date | datetime | None = None, *, limit: int = 100, after: str | None = None
    ) -> Page[Reminder]:
        """The reminders that are due by a time (now when not said), the earliest first, of activities that are open.

        They come again until they are acknowledged. A page can be shorter than ``limit`` and still have a next one.

        >>> import datetime
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> early = datetime.datetime(2020, 1, 7, 8, tzinfo=datetime.timezone.utc)
        >>> _ = db.activities.task(lead, "Call back", remind_at=early)
        >>> due = db.reminders.due()
        >>> [reminder.activity.title for reminder in due]
        ['Call back']
        >>> db.reminders.acknowledge(due)
        >>> len(db.reminders.due())
        0
        """
        found, following = _leadcore.reminder_due(self._db._session, until, after, limit)
        return Page(tuple(found), following)

    def acknowledge(self, activities: ActivityRef | Reminder | Iterable[ActivityRef | Reminder]) -> None:
        """Somebody was reminded of these activities: their reminders do not come again.

        That of a series comes before its next occurrence, by as much time as before the first one. The activities
        themselves do not change.
        """
        single = isinstance(activities, (Activity, Reminder, UUID, str))
        several_of: Any = activities
        given: Any = [activities] if single else several("activities", several_of, "activities or reminders")
        given = [one.activity if isinstance(one, Reminder) else one for one in given]
        _leadcore.reminder_acknowledge(self._db._session, given)
