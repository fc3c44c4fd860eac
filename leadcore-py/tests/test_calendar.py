"""The calendar, reminders, and the follow-ups that they make."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import leadcore
import pytest
from leadcore import Database, F, Lead

OSLO = ZoneInfo("Europe/Oslo")


@pytest.fixture
def lead(db: Database) -> Lead:
    return db.leads.create(company="Nordlys AS")


def test_a_series_keeps_its_hour_when_the_clocks_change(db: Database, lead: Lead) -> None:
    start = datetime(2026, 10, 19, 9, tzinfo=OSLO)
    db.activities.meeting(lead, "Weekly", start, zone="Europe/Oslo", recurrence="FREQ=WEEKLY;COUNT=3")
    entries = db.calendar.overview(date(2026, 10, 1), date(2026, 12, 1))
    assert [entry.start for entry in entries] == [
        datetime(2026, 10, 19, 7, tzinfo=UTC),
        datetime(2026, 10, 26, 8, tzinfo=UTC),
        datetime(2026, 11, 2, 8, tzinfo=UTC),
    ]
    assert [entry.occurrence for entry in entries] == [date(2026, 10, 19), date(2026, 10, 26), date(2026, 11, 2)]
    text = db.calendar.ical(date(2026, 10, 1), date(2026, 12, 1))
    assert "DTSTART;TZID=Europe/Oslo:20261019T090000\r\n" in text
    assert text.count("BEGIN:VEVENT") == 1
    with pytest.raises(leadcore.InvalidError, match="`zone`"):
        db.activities.meeting(lead, "x", start, zone="Mars/Olympus")


def test_an_overview_chooses_and_goes_on(db: Database, lead: Lead) -> None:
    other = db.leads.create(company="Fjord AS")
    at = datetime(2026, 11, 22, 9, tzinfo=UTC)
    db.activities.task(lead, "Task", due=date(2026, 11, 22), assignee="bob")
    db.activities.call(other, at=at, title="Call")
    db.activities.meeting(lead, "Meeting", at + timedelta(hours=1))
    db.activities.note(lead, "No entry")
    day = (date(2026, 11, 22), date(2026, 11, 23))
    assert [entry.kind for entry in db.calendar.overview(*day)] == ["call", "meeting", "task"]
    assert [entry.kind for entry in db.calendar.overview(*day, kinds=["task", "call"])] == ["call", "task"]
    assert [entry.kind for entry in db.calendar.overview(*day, assignee="bob")] == ["task"]
    assert [entry.kind for entry in db.calendar.overview(*day, about=other)] == ["call"]
    first = db.calendar.overview(*day, limit=2)
    assert [entry.kind for entry in db.calendar.overview(*day, limit=2, after=first.next)] == ["task"]
    assert first.unexpanded == ()
    assert pickle.loads(pickle.dumps(first)) == first
    assert first[0].about == (("lead", other.id),)
    assert first[0].to_dict()["kind"] == "call"
    assert len(db.calendar.month(2026, 11)) == 3
    for year, month, name in ((0, 1, "year"), (2026, 13, "month"), (2**80, 1, "year"), (2026, -(2**80), "month")):
        with pytest.raises(leadcore.InvalidError, match=f"`{name}`"):
            db.calendar.month(year, month)
    with pytest.raises(leadcore.InvalidError, match="`to`"):
        db.calendar.overview(day[1], day[0])
    with pytest.raises(leadcore.InvalidError, match="`kinds"):
        db.calendar.overview(*day, kinds=["note"])  # type: ignore[list-item]
    with pytest.raises(leadcore.InvalidError, match="`activity`: only calls, tasks and meetings"):
        db.activities.ical(db.activities.note(lead, "x"))


def test_days_begin_where_the_user_lives(lead: Lead, db: Database) -> None:
    east = db.as_user("ada", utc_offset=timedelta(hours=13))
    east.activities.call(lead, at=datetime(2026, 11, 22, 12, tzinfo=UTC), title="Early")
    assert len(east.calendar.overview(date(2026, 11, 23), date(2026, 11, 24))) == 1
    assert len(db.calendar.overview(date(2026, 11, 23), date(2026, 11, 24))) == 0


def test_reminders_come_until_they_are_acknowledged(db: Database, lead: Lead) -> None:
    early = datetime(2020, 1, 7, 8, tzinfo=timezone(timedelta(hours=1)))
    tasks = [db.activities.task(lead, f"Task {n}", remind_at=early + timedelta(days=n)) for n in range(3)]
    due = db.reminders.due(limit=2)
    assert [reminder.activity for reminder in due] == tasks[:2]
    assert [reminder.activity for reminder in db.reminders.due(after=due.next)] == tasks[2:]
    assert len(db.reminders.due(date(2020, 1, 8))) == 1
    db.reminders.acknowledge(due)
    db.reminders.acknowledge(due[0])
    assert [reminder.activity for reminder in db.reminders.due()] == tasks[2:]
    db.activities.complete(tasks[2])
    assert len(db.reminders.due()) == 0
    db.reminders.acknowledge([tasks[2], tasks[1].id])
    assert db.activities.get(tasks[1]) == tasks[1]


def test_follow_ups_are_a_field_a_filter_a_sort_and_a_view() -> None:
    now = datetime(2026, 11, 22, 10, tzinfo=UTC)
    with leadcore.open(":memory:", tenant="acme", user="ada", clock=lambda: now) as db:
        late, today, later, none = db.leads.create_many({"company": name, "score": n} for n, name in enumerate("ABCD"))
        for lead, day in ((later, 25), (late, 20), (today, 22)):
            db.activities.task(lead, "Call back", due=date(2026, 11, day))
        assert db.leads.get(late.id).follow_up == date(2026, 11, 20)
        states = {"overdue": "A", "today": "B", "planned": "C", "none": "D"}
        for state, name in states.items():
            assert [lead.company for lead in db.leads.list(where=F.follow_up == state)] == [name]
            assert [lead.company for lead in db.leads.list(where=f"follow_up = {state}")] == [name]
            assert db.leads.page(db.leads.list(where=F.company == name)[0]).follow_up_state == state
        assert db.leads.count(where=F.follow_up.in_(["overdue", "today"])) == 2
        assert db.leads.count(where=F.follow_up_state != "none") == db.leads.count(where="follow_up_state != none") == 3
        assert db.leads.count(where=F.follow_up < now) == 1
        assert [lead.company for lead in db.leads.list(where=~F.follow_up.is_empty(), sort="follow_up")] == [*"ABC"]
        assert [row.lead.company for row in db.views.open("follow_ups")] == ["A", "B", "C"]
        assert [lead.score for lead in db.leads.list(sort="-score")] == [3, 2, 1, 0]
        assert db.leads.count(where=F.score >= 2) == 2
        assert db.leads.edit(none, score=None).score is None
        assert db.leads.get(late.id).to_dict()["score"] == 0


def test_one_occurrence_is_left_out_or_moved() -> None:
    with leadcore.open(":memory:", tenant="acme", user="ada") as db:
        lead = db.leads.create(company="Nordlys AS")
        start = datetime(2030, 1, 7, 9, tzinfo=UTC)
        series = db.activities.meeting(
            lead, "Weekly", start, recurrence="FREQ=WEEKLY;COUNT=4", remind_at=datetime(2030, 1, 7, 8, tzinfo=UTC)
        )
        series = db.activities.skip(series, date(2030, 1, 14))
        assert series.exceptions == (date(2030, 1, 14),)
        done = db.activities.replace(series, date(2030, 1, 21), start=datetime(2030, 1, 22, 9, tzinfo=UTC))
        assert done.meeting.instead_of == (series.id, date(2030, 1, 21))
        assert done.meeting.remind_at == datetime(2030, 1, 22, 8, tzinfo=UTC)
        assert [entry.start.day for entry in db.calendar.month(2030, 1)] == [7, 22, 28]
        text = db.calendar.ical_of(lead)
        assert text.left_out == ()
        assert "EXDATE:20300114T090000Z" in text
        db.undo(next(iter(db.timeline(lead))))
        assert [entry.start.day for entry in db.calendar.month(2030, 1)] == [7, 21, 28]
        for day in (date(2030, 1, 8), start):
            with pytest.raises(leadcore.InvalidError):
                db.activities.skip(series.id, day)
        assert db.activities.edit(series.id, exceptions=None).exceptions == ()


def test_cursors_of_calendar_and_reminders_belong_to_what_was_asked(db: Database, lead: Lead) -> None:
    at = datetime(2026, 11, 22, 9, tzinfo=UTC)
    for n in range(3):
        db.activities.meeting(lead, f"Meeting {n}", at + timedelta(hours=n))
        db.activities.task(lead, f"Task {n}", remind_at=datetime(2020, 1, 7 + n, tzinfo=UTC))
    days = (date(2026, 11, 22), date(2026, 11, 23))
    entries = db.calendar.overview(*days, limit=1)
    due, all_due = db.reminders.due(date(2021, 1, 1), limit=1), db.reminders.due(limit=1)
    assert len(db.calendar.overview(*days, after=entries.next)) == 2
    assert len(db.reminders.due(date(2021, 1, 1), after=due.next)) == 2
    # Due until now: the clock goes on between two pages.
    assert len(db.reminders.due(after=all_due.next)) == 2
    reads: tuple[Callable[[], object], ...] = (
        lambda: db.calendar.overview(days[0], date(2026, 11, 24), after=entries.next),
        lambda: db.calendar.overview(*days, kinds="meeting", after=entries.next),
        lambda: db.calendar.overview(*days, assignee="bob", after=entries.next),
        lambda: db.calendar.overview(*days, about=lead, after=entries.next),
        lambda: db.reminders.due(date(2021, 1, 2), after=due.next),
        lambda: db.reminders.due(after=due.next),
        lambda: db.reminders.due(after=entries.next),
        lambda: db.activities.of(lead, after=due.next),
    )
    for read in reads:
        with pytest.raises(leadcore.InvalidError, match="`after`: this page cursor belongs to another list"):
            read()


def test_who_takes_part_is_named_to_others_and_here(db: Database, lead: Lead) -> None:
    person = db.contacts.add(lead, name="Kari Nord", email="kari@nordlys.example")
    demo = db.activities.meeting(
        lead, "Demo", datetime(2026, 11, 22, 9, tzinfo=UTC), participants=[person, lead, ("user", "ada"), "Ola"]
    )
    named = db.participants.named(demo.participants)
    assert [(one.subject, one.name, one.email) for one in named] == [
        (("contact", person.id), "Kari Nord", "kari@nordlys.example"),
        (("lead", lead.id), "Nordlys AS", None),
    ]
    text = db.activities.ical(demo).replace("\r\n ", "")
    assert "ATTENDEE;CN=Kari Nord:mailto:kari@nordlys.example\r\n" in text
    assert text.count("ATTENDEE") == 1


@pytest.mark.parametrize("number", [-1, -(2**70), 1_001])
def test_a_page_of_no_size_is_refused_by_its_argument_and_range(db: Database, lead: Lead, number: int) -> None:
    reads: tuple[tuple[str, str, Callable[[], object]], ...] = (
        ("first", "0 to 1,000", lambda: db.leads.page(lead, first=number)),
        ("timeline", "0 to 1,000", lambda: db.leads.page(lead, timeline=number)),
        ("limit", "1 to 1,000", lambda: db.leads.list(limit=number)),
        ("limit", "1 to 1,000", lambda: db.activities.of(lead, limit=number)),
        ("limit", "1 to 1,000", lambda: db.reminders.due(limit=number)),
        ("limit", "1 to 1,000", lambda: db.calendar.overview(date(2026, 1, 1), date(2026, 1, 2), limit=number)),
        ("limit", "1 to 1,000", lambda: db.estimates.of(lead, limit=number)),
        ("limit", "1 to 1,000", lambda: db.files.of(lead, limit=number)),
        ("limit", "1 to 1,000", lambda: db.followers.followed_by(limit=number)),
        ("limit", "1 to 1,000", lambda: db.participants.search(limit=number)),
        ("limit", "1 to 1,000", lambda: db.timeline_page(lead, limit=number)),
        ("page_size", "1 to 1,000", lambda: list(db.activities.iter(lead, page_size=number))),
    )
    for argument, allowed, read in reads:
        with pytest.raises(leadcore.InvalidError, match=f"`{argument}`: .*{allowed}"):
            read()


def test_a_cursor_belongs_to_its_list_and_an_empty_list_is_refused() -> None:
    with leadcore.open(":memory:", tenant="acme", user="ada") as db:
        lead = db.leads.create(company="Nordlys AS")
        for n in range(3):
            db.activities.note(lead, f"Note {n}")
        page = db.activities.of(lead, kinds="note", limit=1)
        assert len(db.activities.of(lead, kinds="note", limit=5, after=page.next)) == 2
        reads: tuple[Callable[[], object], ...] = (
            lambda: db.activities.of(lead, after=page.next),
            lambda: db.activities.of(lead, kinds="note", ascending=True, after=page.next),
            lambda: db.activities.all(kinds="note", after=page.next),
            lambda: db.activities.of(lead, kinds="note", after="nothing"),
        )
        for read in reads:
            with pytest.raises(leadcore.InvalidError, match="cursor"):
                read()
        with pytest.raises(leadcore.InvalidError, match="kinds"):
            db.activities.of(lead, kinds=[])
        with pytest.raises(leadcore.InvalidError, match="topics"):
            db.timeline_page(lead, topics=[])
