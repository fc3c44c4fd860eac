"""Notes, comments, calls, tasks, meetings, messages, tickets and requests for estimates."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import leadcore
import pytest
from conftest import became
from leadcore import Activity, Database, Lead

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)

#: One of each kind, with all that it has.
MAKERS: dict[str, Callable[[Database, Lead], Activity]] = {
    "note": lambda db, lead: db.activities.note(lead, "They called.", title="Call", assignee="ada", remind_at=AT),
    "comment": lambda db, lead: db.activities.comment(lead, "A good fit", icon="star", color="#1A7F37", title="Fit"),
    "call": lambda db, lead: db.activities.call(
        lead,
        at=AT,
        direction="inbound",
        outcome="left_message",
        duration=timedelta(minutes=2),
        number="+47 22 22 22 22",
        title="Prices",
        text="Call back.",
        assignee="ada",
        remind_at=AT,
    ),
    "task": lambda db, lead: db.activities.task(
        lead, "Call back", due=AT, priority="high", assignee="bob", remind_at=AT, recurrence="freq=weekly;count=4"
    ),
    "meeting": lambda db, lead: db.activities.meeting(
        lead,
        "Demo",
        AT,
        AT + timedelta(hours=2),
        zone="Europe/Oslo",
        place="Oslo",
        participants=[lead, ("user", "ada"), "Kari"],
        recurrence="FREQ=WEEKLY;COUNT=3",
        assignee="ada",
        text="Bring the laptop.",
    ),
    "message": lambda db, lead: db.activities.message(
        lead,
        "Our offer.",
        title="Offer",
        channel="letter",
        direction="inbound",
        at=AT,
        sender="a@x.example",
        recipient="b@x.example",
    ),
    "ticket": lambda db, lead: db.activities.ticket(lead, "Cannot log in", "Since today", priority="urgent"),
    "estimate_request": lambda db, lead: db.activities.estimate_request(lead, "Twelve seats", "Until May"),
}


@pytest.fixture
def lead(db: Database) -> Lead:
    return db.leads.create(company="Nordlys AS", name="Anna Berg")


@pytest.mark.parametrize("kind", MAKERS)
def test_every_kind_is_kept_as_it_was_given(db: Database, lead: Lead, kind: str) -> None:
    made = MAKERS[kind](db, lead)
    assert made.kind == kind
    assert made.about == (("lead", lead.id),)
    assert made.created_by == "ada"
    assert db.activities.get(made) == made
    assert db.activities.get(str(made.id)) == made
    assert [entry.action for entry in db.timeline(made)] == [entry.action for entry in db.timeline(made.subject)]
    assert db.activities.of(lead).items == (made,)
    # A value: hashed, copied, pickled, and as plain data.
    assert pickle.loads(pickle.dumps(made)) == made
    assert copy.deepcopy(made) == made
    assert len({made, db.activities.get(made)}) == 1
    assert made.to_dict()["kind"] == kind
    assert "\n" not in repr(made)
    assert len(repr(made)) < 100
    with pytest.raises(AttributeError):
        made.title = "x"  # type: ignore[misc]


def test_what_each_kind_says(db: Database, lead: Lead) -> None:
    made = {kind: make(db, lead) for kind, make in MAKERS.items()}
    assert (made["comment"].icon, made["comment"].color) == ("star", "#1a7f37")
    call = made["call"]
    assert (call.at, call.direction, call.outcome, call.duration, call.is_open) == (
        AT,
        "inbound",
        "left_message",
        timedelta(seconds=120),
        False,
    )
    task = made["task"]
    assert (task.due, task.priority, task.recurrence, task.is_open) == (AT, "high", "FREQ=WEEKLY;COUNT=4", True)
    meeting = made["meeting"]
    assert meeting.participants == (("lead", lead.id), ("user", "ada"), "Kari")
    assert (meeting.start, meeting.end, meeting.zone, meeting.place) == (
        AT,
        AT + timedelta(hours=2),
        "Europe/Oslo",
        "Oslo",
    )
    message = made["message"]
    assert (message.sender, message.recipient, message.channel) == ("a@x.example", "b@x.example", "letter")
    assert made["ticket"].priority == "urgent"
    assert made["estimate_request"].state == "new"


@pytest.mark.parametrize("kind", MAKERS)
def test_the_fields_of_every_kind_can_be_given_back(db: Database, lead: Lead, kind: str) -> None:
    made = MAKERS[kind](db, lead)
    keys = leadcore.ActivityInput.__annotations__
    said = {key: value for key, value in made.to_dict().items() if key in keys and value not in (None, ())}
    if kind not in ("call", "message"):
        said.pop("at")
    again = db.activities.add(lead, made.kind, **said)
    ignored = {"id", "created_at", "updated_at"} | ({"at"} if "at" not in said else set())
    before, after = made.to_dict(), again.to_dict()
    assert {key for key in before if before[key] != after[key]} <= ignored
    assert db.activities.edit(made, **said) == made


def test_edits_change_what_is_said_and_no_more(db: Database, lead: Lead) -> None:
    task = MAKERS["task"](db, lead)
    after = db.activities.edit(task, priority="low", due=date(2026, 12, 24), remind_at=None, text="In the evening")
    assert (after.priority, after.due, after.remind_at, after.title) == ("low", date(2026, 12, 24), None, task.title)
    assert after.revision == task.revision + 1
    with pytest.raises(leadcore.ConflictError, match="activity changed since it was read"):
        db.activities.edit(task, priority="high")
    assert db.activities.edit(task.id, priority="high").priority == "high"
    assert db.activities.edit(task.id).revision == after.revision + 1  # nothing differs


def test_a_meeting_that_is_moved_keeps_its_length(db: Database, lead: Lead) -> None:
    meeting = db.activities.meeting(lead, "Demo", AT, AT + timedelta(minutes=90))
    moved = db.activities.edit(meeting, start=AT + timedelta(days=1))
    assert moved.end == AT + timedelta(days=1, minutes=90)
    fair = db.activities.meeting(lead, "Fair", date(2026, 11, 2), date(2026, 11, 4))
    assert db.activities.edit(fair, start=date(2026, 12, 30)).end == date(2027, 1, 1)
    assert db.activities.edit(meeting.id, start=date(2026, 12, 1)).end == date(2026, 12, 1)
    assert db.activities.meeting(lead, "Short", AT).end == AT + timedelta(hours=1)
    with pytest.raises(leadcore.InvalidError) as caught:
        db.activities.edit(fair.id, end=date(2026, 11, 1))
    assert [broken.field for broken in caught.value.violations] == ["end"]


def test_everything_wrong_is_told_at_once(db: Database, lead: Lead) -> None:
    wrong: dict[str, Any] = {
        "due": "tomorrow",
        "priority": "huge",
        "recurrence": "FREQ=SECONDLY",
        "remind_at": datetime(2026, 1, 1),
        "place": "Oslo",
    }
    with pytest.raises(leadcore.InvalidError) as caught:
        db.activities.add(lead, "task", title="x", **{key: it for key, it in wrong.items() if key != "remind_at"})
    assert {broken.field for broken in caught.value.violations} == wrong.keys() - {"remind_at"}
    with pytest.raises(leadcore.InvalidError, match="`remind_at`: a time needs a time zone"):
        db.activities.add(lead, "note", text="x", remind_at=wrong["remind_at"])
    with pytest.raises(leadcore.InvalidError, match=r"`colour`: there is no field of this name; did you mean `color`"):
        db.activities.add(lead, "comment", text="x", colour="red")  # type: ignore[call-arg]
    with pytest.raises(leadcore.InvalidError, match=r"`kind`: this is one of `note`, "):
        db.activities.add(lead, "dance", title="x")  # type: ignore[arg-type]
    with pytest.raises(leadcore.InvalidError) as caught:
        db.activities.meeting(lead, "x", AT, participants=["Kari", 5, ("user", "")])  # type: ignore[list-item]
    assert [broken.field for broken in caught.value.violations] == ["participants[1]", "participants[2]"]
    with pytest.raises(leadcore.InvalidError) as caught:
        db.activities.message(lead, "x", sender=" ", recipient="\0")
    assert [broken.field for broken in caught.value.violations] == ["sender", "recipient"]
    assert len(db.activities.of(lead)) == 0


HOSTILE = ["'; DROP TABLE activities; --", "<script>alert(1)</script>", "é́̂" * 50, "\u202e\u200b", "🦊" * 400, "%s{0}\\"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_comes_back_as_it_was(db: Database, lead: Lead, text: str) -> None:
    note = db.activities.note(lead, text, title=text[:400])
    assert db.activities.get(note).text == text
    meeting = db.activities.meeting(lead, text[:400], AT, place=text[:400], participants=[text[:400]])
    assert db.activities.get(meeting).participants == (text[:400],)
    assert "\n" not in repr(note)
    assert len(repr(note)) < 100
    assert db.calendar.ical_of(lead).count("BEGIN:VEVENT") == 1
    assert len(list(db.leads.timeline(lead))) == 3


@pytest.mark.parametrize("text", ["", " ", "a\0b", "x" * 70_000, "\ud800"])
def test_text_that_cannot_be_kept_is_refused(db: Database, lead: Lead, text: str) -> None:
    with pytest.raises(leadcore.InvalidError) as caught:
        db.activities.note(lead, text)
    assert [broken.field for broken in caught.value.violations] == ["text"]
    with pytest.raises(leadcore.InvalidError):
        db.activities.meeting(lead, "Demo", AT, participants=[text])


def test_what_people_do_with_one_click(db: Database, lead: Lead) -> None:
    acts = db.activities
    task = acts.task(lead, "Report", due=date(2090, 1, 2), recurrence="FREQ=WEEKLY;COUNT=2")
    done = acts.complete(task)
    assert done.activity.done_at is not None
    assert done.next is not None
    assert done.next.due == date(2090, 1, 9)
    assert acts.complete(done.next).next is None
    assert acts.reopen(done.activity).is_open
    assert acts.snooze(task.id).due == date(2090, 1, 9)
    assert acts.assign(task.id, "bob").assignee == "bob"
    assert acts.assign(task.id, None).assignee is None

    call = acts.call(lead, at=AT + timedelta(days=9999))
    made = acts.complete_call(call, "answered", duration=timedelta(minutes=5))
    assert (made.outcome, made.duration, made.is_open) == ("answered", timedelta(minutes=5), False)
    assert acts.complete_call(call.id, "busy", duration=7).duration == timedelta(seconds=7)
    meeting = acts.cancel(acts.meeting(lead, "Demo", AT))
    assert meeting.canceled
    with pytest.raises(leadcore.InvalidError, match="reopen it first"):
        acts.complete(meeting)
    held = acts.complete(acts.reopen(meeting)).activity
    assert held.held_until is not None
    request = acts.estimate_request(lead, "Twelve seats")
    assert acts.set_state(request, "processing").is_open
    assert not acts.set_state(request.id, "estimated").is_open
    for refuse in (acts.complete, acts.cancel, acts.snooze, acts.reopen):
        with pytest.raises(leadcore.InvalidError):
            refuse(acts.note(lead, "x"))
    with pytest.raises(leadcore.InvalidError, match="`outcome`: this is one of `answered`"):
        acts.complete_call(call.id, "bored")  # type: ignore[arg-type]


def test_lists_are_pages_that_go_on(db: Database, lead: Lead) -> None:
    other = db.leads.create(company="Fjord AS")
    for n in range(7):
        db.activities.task(lead if n % 2 else other, f"Task {n}", due=AT + timedelta(days=n), assignee="bob")
    db.activities.complete(db.activities.of(other, ascending=True)[0])
    db.activities.note(lead, "Not a task")
    assert [task.title for task in db.activities.of(lead, kinds="task")] == ["Task 5", "Task 3", "Task 1"]
    assert [task.title for task in db.activities.of(other, open=False)] == ["Task 0"]
    work = db.activities.assigned_to("bob", limit=4)
    assert [task.title for task in work] == ["Task 1", "Task 2", "Task 3", "Task 4"]
    assert [task.title for task in db.activities.assigned_to("bob", limit=4, after=work.next)] == ["Task 5", "Task 6"]
    assert len(db.activities.all(kinds=["task", "note"])) == 8
    assert len(list(db.activities.iter(page_size=3))) == 8
    assert len(list(db.activities.iter(lead, kinds=["task"], page_size=1))) == 3
    assert len(list(db.activities.iter(user="bob", open=True, page_size=2))) == 6
    for after in ("", "x", "2026-11-22T09:30:00Z/", "/" + str(uuid4()), "\0", "9" * 99):
        with pytest.raises(leadcore.InvalidError, match="`after`: this is not a page cursor"):
            db.activities.all(after=after)
    for limit in (0, -1, 1001, 2**70):
        with pytest.raises(leadcore.InvalidError, match="`limit`"):
            db.activities.of(lead, limit=limit)


def test_an_activity_about_several_records(db: Database, lead: Lead) -> None:
    anna = db.contacts.add(lead, name="Anna Berg")
    account = db.accounts.get(became(db.leads.convert(db.leads.create(company="Fjord AS"))))
    call = db.activities.call([lead, anna, ("account", account.id)], outcome="answered", title="Three of us")
    assert {kind for kind, _ in call.about} == {"lead", "contact", "account"}
    for subject in (lead, lead.id, str(lead.id), ("lead", str(lead.id)), anna, account, ("account", account.id)):
        assert db.activities.of(subject).items == (call,)
    assert [entry.text for entry in db.contacts.timeline(anna, topics="call")] == ["Call logged: Three of us"]
    assert [entry.text for entry in db.accounts.timeline(account.id, topics=["call"])] == ["Call logged: Three of us"]
    with pytest.raises(leadcore.NotFoundError):
        db.activities.note(("contact", lead.id), "x")
    with pytest.raises(leadcore.InvalidError, match="`about`: there is no kind of record of this name"):
        db.activities.note(("planet", lead.id), "x")
    with pytest.raises(leadcore.InvalidError, match="`about`: must be about 1 to 20 records"):
        db.activities.note([], "x")


def test_logging_moves_the_lead_too(db: Database, lead: Lead) -> None:
    note, moved = db.activities.log(lead, "note", text="They want an offer.", stage="Discussion")
    assert moved.stage.name == "Discussion"
    entry = db.timeline_page(lead, limit=1)[0]
    db.undo(entry)
    assert db.leads.get(lead.id).stage.name == "New"
    with pytest.raises(leadcore.NotFoundError):
        db.activities.get(note)
    with pytest.raises(leadcore.InvalidError) as caught:
        db.activities.log(lead.id, "call", duration=10**7, stage="Nowhere")
    assert "stage" in {broken.field for broken in caught.value.violations}
    call, same = db.activities.log(lead.id, "call", outcome="busy")
    assert (call.outcome, same.stage.name) == ("busy", "New")
    with pytest.raises(TypeError, match="`reason`"):
        db.activities.log(lead.id, "note", text="x", reason="Budget")


def test_an_added_note_is_taken_back_and_brought_back(db: Database, lead: Lead) -> None:
    note = db.activities.note(lead, "They called.")
    undone = db.undo(db.timeline_page(lead, limit=1)[0])
    assert undone.totals.reversed == 1
    assert len(db.activities.of(lead)) == 0
    db.undo(undone)
    assert db.activities.get(note).text == "They called."


def test_a_converted_lead_is_frozen_and_its_account_takes_notes(db: Database, lead: Lead) -> None:
    note = db.activities.note(lead, "Before")
    account = db.accounts.get(became(db.leads.convert(lead)))
    with pytest.raises(leadcore.FrozenError):
        db.activities.note(lead, "After")
    db.activities.note(account, "After")
    assert [note.text for note in db.activities.of(account, ascending=True)] == ["Before", "After"]
    assert db.activities.edit(note, text="Before, really").text == "Before, really"


def test_who_may_not_see_a_lead_does_not_see_its_notes() -> None:
    table = leadcore.RoleTable().role("seller", leadcore.Role.salesperson()).user("ada", "seller").user("bob", "seller")
    with leadcore.open(":memory:", tenant="acme", user="ada", policy=table) as mine:
        lead = mine.leads.create(company="Nordlys AS")
        note = mine.activities.note(lead, "They called.")
        bob = mine.as_user("bob")
        for refuse in (bob.activities.get, bob.activities.delete):
            with pytest.raises(leadcore.NotFoundError):
                refuse(note)
        with pytest.raises(leadcore.NotFoundError):
            bob.activities.of(lead)
        assert len(bob.activities.all()) == 0


def test_who_may_not_see_a_lead_does_not_learn_its_id_from_what_is_about_it() -> None:
    table = leadcore.RoleTable().role("seller", leadcore.Role.salesperson()).user("ada", "seller").user("bob", "seller")
    with leadcore.open(":memory:", tenant="acme", user=None, policy=table) as db:
        ada, bob = db.as_user("ada"), db.as_user("bob")
        mine, theirs = ada.leads.create(company="Nordlys AS"), bob.leads.create(company="Fjord AS")
        about = [theirs, mine]
        start = datetime(2030, 1, 7, 9, tzinfo=UTC)
        meeting = db.activities.meeting(about, "Both", start, remind_at=datetime(2020, 1, 7, 9, tzinfo=UTC))
        estimate = db.estimates.create(about, title="Both", lines=[leadcore.Line("Panel", 1, 100)], currency="EUR")
        assert meeting.about == (("lead", theirs.id), ("lead", mine.id))
        page = ada.leads.page(mine)
        days = (date(2030, 1, 7), date(2030, 1, 8))
        told = {
            "get": ada.activities.get(meeting.id).about,
            "of": ada.activities.of(mine)[0].about,
            "all": ada.activities.all()[0].about,
            "edit": ada.activities.edit(meeting.id, text="More").about,
            "overview": ada.calendar.overview(*days)[0].about,
            "due": ada.reminders.due()[0].activity.about,
            "estimate": ada.estimates.get(estimate.id).about,
            "estimates": ada.estimates.of(mine)[0].about,
            "page": page.tabs[0][0].about,
        }
        assert told == dict.fromkeys(told, (("lead", mine.id),))
        assert db.activities.get(meeting.id).about == meeting.about, "what ada wrote left it about both"
        secret = str(theirs.id)
        assert secret not in repr([entry.to_dict() for entry in ada.timeline(mine)])
        assert secret not in repr(page.to_dict())
        with pytest.raises(leadcore.NotFoundError):
            ada.activities.of(theirs)


def test_inside_a_transaction(db: Database, lead: Lead) -> None:
    with pytest.raises(RuntimeError), db.transaction():
        db.activities.note(lead, "They called.")
        assert len(db.activities.of(lead)) == 1
        raise RuntimeError
    assert len(db.activities.of(lead)) == 0


def test_many_at_once_are_one_operation(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    other = db.leads.create(company="Fjord AS")
    rows: list[dict[str, object]] = [
        {"about": lead, "kind": "note", "text": "They called.", "title": None},
        {"about": [lead, other.id], "kind": "task", "title": "Call back", "due": date(2030, 1, 7)},
        {"about": ("lead", other.id), "kind": "call", "duration": timedelta(minutes=3), "outcome": "busy"},
    ]
    added = db.activities.add_many(iter(rows))
    assert [one.kind for one in added] == ["note", "task", "call"]
    assert [len(one.about) for one in added] == [1, 2, 1]
    assert db.activities.add_many([]) == []
    found = db.activities.to_dicts(ascending=True)
    assert {row["id"] for row in found} == {one.id for one in added}
    columns = db.activities.to_columns()
    assert {len(column) for column in columns.values()} == {3}
    assert columns.keys() == found[0].keys()
    assert db.activities.to_columns(lead, kinds="task")["due"] == [date(2030, 1, 7)]
    assert db.activities.to_columns(lead, kinds="ticket")["kind"] == []
    operation = next(db.leads.timeline(lead)).operation
    assert {next(db.leads.timeline(one)).operation for one in (lead, other)} == {operation}
    db.undo(operation)
    assert len(db.activities.all()) == 0


def test_of_many_all_or_none_are_added_and_errors_say_which(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    good: dict[str, object] = {"about": lead, "kind": "note", "text": "They called."}
    task: dict[str, object] = {"about": lead, "kind": "task", "title": "Call back"}
    meeting = {"about": lead, "kind": "meeting", "title": "x", "start": date(2030, 1, 7)}
    message = {"about": lead, "kind": "message", "text": "x", "sender": "\0"}
    bad: list[tuple[list[dict[str, object]], list[str]]] = [
        ([good] * 17 + [{**task, "due": "soon"}], ["items[17].due"]),
        ([{**task, "title": " "}], ["items[0].title"]),
        ([{**task, "title": " "}, {**task, "title": ""}], ["items[0].title", "items[1].title"]),
        ([good, {**task, "priority": "huge"}, {**good, "outcome": "busy"}], ["items[1].priority", "items[2].outcome"]),
        ([good, {**meeting, "participants": [5]}], ["items[1].participants[0]"]),
        ([good, {**meeting, "recurrence": "FREQ=NEVER"}], ["items[1].recurrence"]),
        ([good, message], ["items[1].sender"]),
        ([good, {**good, "kind": "memo"}], ["items[1].kind"]),
        ([good, {**good, "about": []}], ["items[1].about"]),
        ([good, {**good, "about": "nobody"}], ["items[1].about"]),
        ([{"kind": "note"}], ["items[0].about"]),
        ([{**good, "txt": "x"}], ["items[0].txt"]),
    ]
    for rows, names in bad:
        with pytest.raises(leadcore.InvalidError) as caught:
            db.activities.add_many(rows)
        assert [broken.field for broken in caught.value.violations] == names
    for wrong in ([5], [None], "note", 5, [{**good, "kind": 5}], [{**good, "about": 5}]):
        with pytest.raises(TypeError, match=r"`items"):
            db.activities.add_many(wrong)  # type: ignore[arg-type]
    with pytest.raises(leadcore.FrozenError):
        db.activities.add_many([good, {**good, "about": frozen(db)}])
    assert len(db.activities.all()) == 0


def frozen(db: Database) -> leadcore.Lead:
    lead = db.leads.create(company="Fjord AS")
    db.leads.convert(lead)
    return db.leads.get(lead.id)
