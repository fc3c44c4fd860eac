"""The calls that add an activity of one kind each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Literal, TypeAlias

from .activity import Activity, ActivityKind, Participant
from .arguments import check
from .subjects import SubjectRef

_About: TypeAlias = SubjectRef | Iterable[SubjectRef]
_Priority: TypeAlias = Literal["low", "normal", "high", "urgent"]
_Direction: TypeAlias = Literal["inbound", "outbound"]
_Outcome: TypeAlias = Literal["answered", "no_answer", "busy", "left_message", "wrong_number", "failed"]
_Channel: TypeAlias = Literal["email", "sms", "chat", "letter", "other"]


class NewActivities:
    """What adds activities; see :class:`leadcore.Activities`."""

    def _add(self, about: _About, kind: ActivityKind, fields: dict[str, Any]) -> Activity:
        raise NotImplementedError

    def note(
        self,
        about: _About,
        text: str,
        *,
        title: str | None = None,
        assignee: str | None = None,
        remind_at: datetime | None = None,
    ) -> Activity:
        """Add a note.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> note = db.activities.note(lead, "They asked for a discount.", title="Prices")
        >>> note.text, note.created_by
        ('They asked for a discount.', 'ada')
        """
        check("text", text, str, "text")
        said = {"text": text, "title": title, "assignee": assignee, "remind_at": remind_at}
        return self._add(about, "note", said)

    def comment(
        self,
        about: _About,
        text: str,
        *,
        icon: str | None = None,
        color: str | None = None,
        title: str | None = None,
    ) -> Activity:
        """Add a comment, with the name of an icon and a colour.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.activities.comment(lead, "A good fit", icon="star", color="#1A7F37").color
        '#1a7f37'
        """
        check("text", text, str, "text")
        return self._add(about, "comment", {"text": text, "icon": icon, "color": color, "title": title})

    def call(
        self,
        about: _About,
        *,
        at: datetime | None = None,
        direction: _Direction = "outbound",
        outcome: _Outcome | None = None,
        duration: timedelta | int | None = None,
        number: str | None = None,
        title: str | None = None,
        text: str | None = None,
        assignee: str | None = None,
        remind_at: datetime | None = None,
    ) -> Activity:
        """Add a call: planned, or one that was made when it has an ``outcome``.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.activities.call(lead, outcome="answered", duration=95, text="They want an offer.").is_open
        False
        """
        check("direction", direction, str, "`inbound` or `outbound`")
        said = {"at": at, "direction": direction, "outcome": outcome, "duration": duration, "number": number}
        said |= {"title": title, "text": text, "assignee": assignee, "remind_at": remind_at}
        return self._add(about, "call", said)

    def task(
        self,
        about: _About,
        title: str,
        *,
        due: date | datetime | None = None,
        priority: _Priority = "normal",
        assignee: str | None = None,
        remind_at: datetime | None = None,
        recurrence: str | None = None,
        text: str | None = None,
    ) -> Activity:
        """Add something to do.

        Args:
            about: What it is about.
            title: What is to be done.
            due: Until when; a ``date`` means the whole day where the acting user lives.
            priority: ``low``, ``normal``, ``high`` or ``urgent``.
            assignee: The user who turns to it.
            remind_at: When somebody is to be reminded of it.
            recurrence: By which rule the next one is due when this one is done: ``FREQ=WEEKLY;COUNT=4``.
            text: More to say about it.

        Example:
            >>> import datetime
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> task = db.activities.task(lead, "Call back", due=datetime.date(2030, 1, 7), assignee="ada")
            >>> task.due, db.leads.get(lead.id).follow_up
            (datetime.date(2030, 1, 7), datetime.date(2030, 1, 7))

        """
        check("title", title, str, "text")
        check("priority", priority, str, "`low`, `normal`, `high` or `urgent`")
        said = {"title": title, "due": due, "priority": priority, "assignee": assignee, "remind_at": remind_at}
        return self._add(about, "task", said | {"recurrence": recurrence, "text": text})

    def meeting(
        self,
        about: _About,
        title: str,
        start: date | datetime,
        end: date | datetime | None = None,
        *,
        zone: str | None = None,
        place: str | None = None,
        participants: Iterable[Participant] | None = None,
        recurrence: str | None = None,
        assignee: str | None = None,
        remind_at: datetime | None = None,
        text: str | None = None,
    ) -> Activity:
        """Add an appointment, or a series of them.

        Args:
            about: What it is about.
            title: What is done there.
            start: When it begins: a ``datetime`` with a time zone, or a ``date`` for whole days.
            end: When it ends; of whole days the last one. An hour later, or the same day, when not said.
            zone: The time zone that it is held by: a series keeps its hour there when the clocks change. That of
                ``start``, where a series begins with a ``ZoneInfo``.
            place: Where.
            participants: Who takes part: records, ``("user", "ada")``, names and addresses of others.
            recurrence: By which rule it comes again: ``FREQ=WEEKLY;BYDAY=MO``.
            assignee: The user who turns to it.
            remind_at: When somebody is to be reminded of it.
            text: More to say about it.

        Example:
            >>> import datetime
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> start = datetime.datetime(2030, 1, 7, 9, tzinfo=datetime.timezone.utc)
            >>> people = [("user", "ada"), "Kari"]
            >>> meeting = db.activities.meeting(lead, "Demo", start, place="Online", participants=people)
            >>> meeting.end - meeting.start, meeting.participants
            (datetime.timedelta(seconds=3600), (('user', 'ada'), 'Kari'))

        """
        check("title", title, str, "text")
        check("start", start, date, "a date, or a datetime with a time zone")
        if zone is None and recurrence is not None:
            # A series keeps its hour where it begins: a named zone that is said there need not be said twice.
            zone = getattr(getattr(start, "tzinfo", None), "key", None)
        said = {"title": title, "start": start, "end": end, "zone": zone, "place": place}
        said |= {"recurrence": recurrence, "assignee": assignee, "remind_at": remind_at, "text": text}
        return self._add(about, "meeting", {**said, "participants": participants})

    def message(
        self,
        about: _About,
        text: str | None = None,
        *,
        title: str | None = None,
        channel: _Channel = "email",
        direction: _Direction = "outbound",
        at: datetime | None = None,
        sender: str | None = None,
        recipient: str | None = None,
    ) -> Activity:
        """Write down a message that went some other way. Nothing is sent.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.activities.message(lead, "Our offer.", title="Offer", recipient="anna@nordlys.example").channel
        'email'
        """
        check("channel", channel, str, "`email`, `sms`, `chat`, `letter` or `other`")
        check("direction", direction, str, "`inbound` or `outbound`")
        said = {"text": text, "title": title, "channel": channel, "direction": direction, "at": at}
        return self._add(about, "message", said | {"sender": sender, "recipient": recipient})

    def ticket(
        self,
        about: _About,
        title: str,
        text: str | None = None,
        *,
        priority: _Priority = "normal",
        assignee: str | None = None,
        remind_at: datetime | None = None,
    ) -> Activity:
        """Open a ticket; :meth:`complete` closes it.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> ticket = db.activities.ticket(lead, "Cannot log in", priority="urgent")
        >>> db.activities.complete(ticket).activity.is_open
        False
        """
        check("title", title, str, "text")
        check("priority", priority, str, "`low`, `normal`, `high` or `urgent`")
        said = {"title": title, "text": text, "priority": priority, "assignee": assignee}
        return self._add(about, "ticket", said | {"remind_at": remind_at})

    def estimate_request(
        self,
        about: _About,
        title: str,
        text: str | None = None,
        *,
        assignee: str | None = None,
        remind_at: datetime | None = None,
    ) -> Activity:
        """Write down that somebody asks for an estimate; :meth:`set_state` says how far it is.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.activities.estimate_request(lead, "Twelve seats").state
        'new'
        """
        check("title", title, str, "text")
        return self._add(
            about,
            "estimate_request",
            {"title": title, "text": text, "assignee": assignee, "remind_at": remind_at},
        )
