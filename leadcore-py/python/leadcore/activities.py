"""Activities of leads, accounts and contacts: notes, comments, calls, tasks, meetings, messages, tickets, requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

from ._leadcore import Lead
from .activity import Activity, ActivityInput, ActivityKind, Completed, Replaced, kinds_of, seconds
from .arguments import check, expected, page_size_of, several
from .arguments import compiled as _leadcore
from .exceptions import refused
from .fields import StageRef, TermRef, checked
from .models import Page
from .new_activities import NewActivities
from .subjects import SubjectRef

if TYPE_CHECKING:
    from typing import Unpack

    from .database import Database
    from .leads import LeadRef

__all__ = ["Activities", "ActivityRef"]

ActivityRef: TypeAlias = Activity | UUID | str
"""An activity: the object, its id, or the text of that. A write with the object is refused when it changed since."""

_About: TypeAlias = SubjectRef | Iterable[SubjectRef]
_Outcome: TypeAlias = Literal["answered", "no_answer", "busy", "left_message", "wrong_number", "failed"]
_State: TypeAlias = Literal["new", "processing", "estimated", "declined"]
_Kinds: TypeAlias = ActivityKind | Iterable[ActivityKind]

_KEYS = frozenset(ActivityInput.__annotations__)


class Activities(NewActivities):
    """``db.activities``. Each is about one record or several: leads, accounts, contacts."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.activities``."""
        self._db = db

    def add(self, about: _About, kind: ActivityKind, /, **fields: Unpack[ActivityInput]) -> Activity:
        """Add an activity of any kind: what the calls of each kind do, for a form that knows the kind as text.

        Raises:
            FrozenError: When it is about a converted lead; its account takes new activities.
            InvalidError: With every broken rule at once.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> db.activities.add(lead, "ticket", title="Cannot log in", priority="high")
            <Activity ticket: Cannot log in>

        """
        return _leadcore.activity_add(self._db._session, about, kind, seconds(checked(fields, _KEYS)))

    def add_many(self, items: Iterable[Mapping[str, Any]]) -> list[Activity]:
        """Add several activities in one operation: all, or none.

        Args:
            items: Of each a mapping: ``about`` and ``kind`` as :meth:`add` takes them, and the fields by their names.

        Raises:
            InvalidError: With every broken rule of every one of them: ``items[17].due``.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> rows = [{"about": lead, "kind": "note", "text": text} for text in ("They called.", "We called back.")]
            >>> [note.text for note in db.activities.add_many(rows)]
            ['They called.', 'We called back.']

        """
        return _leadcore.activity_add_many(
            self._db._session, [_item(n, one) for n, one in enumerate(several("items", items, "several mappings"))]
        )

    def _add(self, about: _About, kind: ActivityKind, fields: dict[str, Any]) -> Activity:
        given = {key: value for key, value in fields.items() if value is not None}
        return _leadcore.activity_add(self._db._session, about, kind, seconds(checked(given, _KEYS)))

    def log(
        self,
        lead: LeadRef,
        kind: ActivityKind,
        /,
        *,
        stage: StageRef | None = None,
        reason: TermRef | None = None,
        detail: str | None = None,
        **fields: Unpack[ActivityInput],
    ) -> tuple[Activity, Lead]:
        """Write down what was done about a lead and move it to another stage: both or neither, and one undo for both.

        Args:
            lead: Which lead. With the object, refused when it changed since it was read.
            kind: What was done: ``call``, ``meeting``, ``note`` …
            stage: Where the lead stands now; where it is when not said.
            reason: For a lost stage why it was lost, as in ``db.leads.move``.
            detail: The same in words.
            **fields: What is said of the activity.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> call, lead = db.activities.log(lead, "call", outcome="answered", stage="Discussion")
            >>> call.outcome, lead.stage.name
            ('answered', 'Discussion')

        """
        to = None if stage is None else (stage, reason, detail, None)
        if to is None:
            for name, given in (("reason", reason), ("detail", detail)):
                check(name, given, type(None), "nothing, as no stage is given")
        said = seconds(checked(fields, _KEYS))
        return _leadcore.activity_log(self._db._session, lead, kind, said, to)

    def get(self, activity: ActivityRef) -> Activity:
        """The activity with this id as it is now.

        >>> note = db.activities.note(db.leads.create(company="Nordlys AS"), "They called.")
        >>> db.activities.get(note.id) == note
        True
        """
        return _leadcore.activity_get(self._db._session, activity)

    def edit(self, activity: ActivityRef, /, **changes: Unpack[ActivityInput]) -> Activity:
        """Change some fields, and return the activity as it is then. ``None`` empties a field; the kind stays.

        >>> task = db.activities.task(db.leads.create(company="Nordlys AS"), "Call bak")
        >>> db.activities.edit(task, title="Call back", priority="high")
        <Activity task: Call back>
        """
        return _leadcore.activity_edit(self._db._session, activity, seconds(checked(changes, _KEYS)))

    def delete(self, activity: ActivityRef) -> None:
        """Remove an activity. Its history stays, and an undo brings it back.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.activities.delete(db.activities.note(lead, "Wrong lead."))
        >>> _ = db.undo(db.timeline_page(lead, limit=1)[0])
        >>> [note.text for note in db.activities.of(lead)]
        ['Wrong lead.']
        """
        _leadcore.activity_delete(self._db._session, activity)

    def complete(self, activity: ActivityRef) -> Completed:
        """A task is done, a meeting was held, a ticket is closed: now.

        A task that comes again leaves the next one behind; of a series of meetings the next occurrence was held. For
        a call say what came of it: :meth:`complete_call`.

        >>> import datetime
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> day = datetime.date(2030, 1, 7)
        >>> done = db.activities.complete(db.activities.task(lead, "Report", due=day, recurrence="FREQ=WEEKLY"))
        >>> done.activity.is_open, done.next.due
        (False, datetime.date(2030, 1, 14))
        """
        return Completed(*_leadcore.activity_complete(self._db._session, activity))

    def complete_call(
        self, activity: ActivityRef, outcome: _Outcome, *, duration: timedelta | int | None = None
    ) -> Activity:
        """A call was made, and this came of it.

        >>> call = db.activities.call(db.leads.create(company="Nordlys AS"))
        >>> db.activities.complete_call(call, "no_answer").is_open
        False
        """
        length = int(duration.total_seconds()) if isinstance(duration, timedelta) else duration
        return _leadcore.activity_complete_call(self._db._session, activity, outcome, length)

    def reopen(self, activity: ActivityRef) -> Activity:
        """A task, ticket, call or meeting is open again; a meeting that was cancelled takes place after all.

        >>> task = db.activities.task(db.leads.create(company="Nordlys AS"), "Call back")
        >>> db.activities.reopen(db.activities.complete(task).activity).is_open
        True
        """
        return _leadcore.activity_act(self._db._session, activity, "reopen")

    def cancel(self, activity: ActivityRef) -> Activity:
        """A meeting, or all that is left of a series, does not take place.

        >>> import datetime
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.activities.cancel(db.activities.meeting(lead, "Fair", datetime.date(2030, 1, 7))).canceled
        True
        """
        return _leadcore.activity_act(self._db._session, activity, "cancel")

    def skip(self, activity: ActivityRef, day: date) -> Activity:
        """One occurrence of a series of meetings does not take place: that of this day where it is held.

        >>> import datetime
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> start = datetime.datetime(2030, 1, 7, 9, tzinfo=datetime.timezone.utc)
        >>> series = db.activities.meeting(lead, "Weekly", start, recurrence="FREQ=WEEKLY;COUNT=3")
        >>> _ = db.activities.skip(series, datetime.date(2030, 1, 14))
        >>> [entry.start.day for entry in db.calendar.month(2030, 1)]
        [7, 21]
        """
        return _leadcore.activity_skip(self._db._session, activity, day)

    def replace(self, activity: ActivityRef, day: date, /, **changes: Unpack[ActivityInput]) -> Replaced:
        """One occurrence of a series of meetings takes place otherwise: at another time, in another place.

        It is left out of the series, and a meeting of its own takes its place: both by one undo.

        >>> import datetime
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> start = datetime.datetime(2030, 1, 7, 9, tzinfo=datetime.timezone.utc)
        >>> series = db.activities.meeting(lead, "Weekly", start, recurrence="FREQ=WEEKLY;COUNT=3")
        >>> later = datetime.datetime(2030, 1, 15, 10, tzinfo=datetime.timezone.utc)
        >>> moved = db.activities.replace(series, datetime.date(2030, 1, 14), start=later)
        >>> moved.meeting.end.hour, moved.meeting.instead_of == (series.id, datetime.date(2030, 1, 14))
        (11, True)
        >>> [entry.start.day for entry in db.calendar.month(2030, 1)]
        [7, 15, 21]
        """
        given = seconds(checked(changes, _KEYS))
        return Replaced(*_leadcore.activity_replace(self._db._session, activity, day, given))

    def assign(self, activity: ActivityRef, user: str | None) -> Activity:
        """Give an activity to a user, or with ``None`` to nobody.

        >>> task = db.activities.task(db.leads.create(company="Nordlys AS"), "Call back")
        >>> db.activities.assign(task, "bob").assignee
        'bob'
        """
        return _leadcore.activity_assign(self._db._session, activity, user)

    def snooze(self, activity: ActivityRef) -> Activity:
        """Put off a task, call or meeting by a week: from today when it is late, else from its own day.

        >>> import datetime
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.activities.snooze(db.activities.task(lead, "Call back", due=datetime.date(2090, 1, 2))).due
        datetime.date(2090, 1, 9)
        """
        return _leadcore.activity_act(self._db._session, activity, "snooze")

    def set_state(self, activity: ActivityRef, state: _State) -> Activity:
        """Say how far a request for an estimate is.

        >>> request = db.activities.estimate_request(db.leads.create(company="Nordlys AS"), "Twelve seats")
        >>> db.activities.set_state(request, "declined").is_open
        False
        """
        return _leadcore.activity_set_state(self._db._session, activity, state)

    def of(
        self,
        subject: SubjectRef,
        *,
        kinds: _Kinds | None = None,
        open: bool | None = None,  # noqa: A002 - it is what people call it
        ascending: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Activity]:
        """A page of the activities about a record, by when they were or are due: a tab of its page.

        Args:
            subject: A lead, account or contact: the object, kind and id, or the id of a lead.
            kinds: Which kinds; all when not said.
            open: Only those that are open, or with ``False`` only the others.
            ascending: The earliest first; else the latest.
            limit: How many at most, 1 to 1,000.
            after: The ``next`` of the page before; :meth:`iter` reads on by itself.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> _ = db.activities.note(lead, "They called.")
            >>> _ = db.activities.ticket(lead, "Cannot log in")
            >>> [ticket.title for ticket in db.activities.of(lead, kinds="ticket", open=True)]
            ['Cannot log in']

        """
        if subject is None:  # which means all records to the compiled half
            raise expected("subject", "a record, or the id of a lead", subject)
        return self._page(subject, None, kinds, open, ascending, limit, after)

    def assigned_to(
        self,
        user: str,
        *,
        kinds: _Kinds | None = None,
        open: bool | None = True,  # noqa: A002 - it is what people call it
        ascending: bool = True,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Activity]:
        """A page of what a user turns to, across all records: what is open, the earliest first.

        A page can be shorter than ``limit`` and still have a next one.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.activities.task(lead, "Call back", assignee="ada")
        >>> [task.title for task in db.activities.assigned_to("ada")]
        ['Call back']
        """
        check("user", user, str, "a user")
        return self._page(None, user, kinds, open, ascending, limit, after)

    def all(
        self,
        *,
        kinds: _Kinds | None = None,
        open: bool | None = None,  # noqa: A002 - it is what people call it
        ascending: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Activity]:
        """A page of the activities of all records that the acting user may see: all tasks, all open tickets.

        >>> for company in ("Nordlys AS", "Fjord AS"):
        ...     _ = db.activities.ticket(db.leads.create(company=company), f"{company} cannot log in")
        >>> len(db.activities.all(kinds=["ticket"], open=True))
        2
        """
        return self._page(None, None, kinds, open, ascending, limit, after)

    def iter(
        self,
        subject: SubjectRef | None = None,
        *,
        user: str | None = None,
        kinds: _Kinds | None = None,
        open: bool | None = None,  # noqa: A002 - it is what people call it
        ascending: bool = False,
        page_size: int = 500,
    ) -> Iterator[Activity]:
        """Every activity about a record, of a user, or at all, read in pages as you go.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> for n in range(3):
        ...     _ = db.activities.note(lead, f"Note {n}")
        >>> sum(1 for note in db.activities.iter(lead, page_size=2))
        3
        """
        size = page_size_of(page_size)
        if subject is not None and user is not None:
            raise expected("user", "None where a record is named", user)
        chosen = kinds_of(kinds)
        after: str | None = None
        while True:
            found, after = _leadcore.activity_page(
                self._db._session, subject, user, chosen, open, ascending, after, size
            )
            yield from found
            if after is None:
                return

    def to_dicts(
        self,
        subject: SubjectRef | None = None,
        *,
        user: str | None = None,
        kinds: _Kinds | None = None,
        open: bool | None = None,  # noqa: A002 - it is what people call it
        ascending: bool = False,
    ) -> list[dict[str, Any]]:
        """Every activity about a record, of a user, or at all, as a dictionary each: rows for a dataframe.

        All have the same keys, those of :class:`Activity`; what a kind does not have is ``None``. The arguments are
        those of :meth:`iter`, with which many are read without holding all of them.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.activities.call(lead, title="Prices", outcome="answered")
        >>> [(row["kind"], row["title"], row["outcome"]) for row in db.activities.to_dicts(lead)]
        [('call', 'Prices', 'answered')]
        """
        found = self.iter(subject, user=user, kinds=kinds, open=open, ascending=ascending, page_size=1000)
        return [one.to_dict() for one in found]

    def to_columns(
        self,
        subject: SubjectRef | None = None,
        *,
        user: str | None = None,
        kinds: _Kinds | None = None,
        open: bool | None = None,  # noqa: A002 - it is what people call it
        ascending: bool = False,
    ) -> dict[str, list[Any]]:
        """The same column by column: what ``pandas.DataFrame`` and ``polars.DataFrame`` take as it is.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.activities.note(lead, "They called.")
        >>> columns = db.activities.to_columns(lead)
        >>> columns["kind"], columns["text"]
        (['note'], ['They called.'])
        """
        rows = self.to_dicts(subject, user=user, kinds=kinds, open=open, ascending=ascending)
        return {one.name: [row[one.name] for row in rows] for one in fields(Activity)}

    def _page(
        self,
        subject: SubjectRef | None,
        user: str | None,
        kinds: _Kinds | None,
        is_open: bool | None,
        ascending: bool,
        limit: int,
        after: str | None,
    ) -> Page[Activity]:
        found, following = _leadcore.activity_page(
            self._db._session, subject, user, kinds_of(kinds), is_open, ascending, after, limit
        )
        return Page(tuple(found), following)

    def ical(self, activity: ActivityRef) -> str:
        """A call, task or meeting as iCalendar text, for the calendars of others.

        >>> task = db.activities.task(db.leads.create(company="Nordlys AS"), "Call back")
        >>> "SUMMARY:Call back" in db.activities.ical(task)
        True
        """
        return _leadcore.activity_ical(self._db._session, activity)


def _item(number: int, given: Mapping[str, Any]) -> tuple[Any, Any, dict[str, object]]:
    """One of several activities, as the compiled half takes it."""
    where = f"items[{number}]"
    check(where, given, Mapping, "a mapping of `about`, `kind` and fields")
    said = dict(given)
    for name in ("about", "kind"):
        if said.get(name) is None:
            raise refused(f"{where}.{name}", "required", "an activity says what it is about, and its kind")
    about, kind = said.pop("about"), said.pop("kind")
    if not isinstance(kind, str):
        raise expected(f"{where}.kind", "the name of a kind of activity", kind)
    for name in said:
        if name not in _KEYS:
            raise refused(f"{where}.{name}", "unknown", "an activity has no such field")
    return about, kind, seconds({key: value for key, value in said.items() if value is not None})
