"""The page of a lead and of an account, and histories by topic."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import date
from typing import Any

import leadcore
import pytest
from conftest import became
from leadcore import Database, F


def test_the_page_of_a_lead_has_everything(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", name="Anna Berg", city="Oslo", owner="ada")
    anna = db.contacts.add(lead, name="Anna Berg")
    for n in range(3):
        db.activities.note(lead, f"Note {n}")
    db.activities.task(lead, "Call back", due=date(2020, 1, 7))
    lead = db.leads.move(lead.id, "Mailed")
    page = db.leads.page(lead, first=2, timeline=3, users={"ada": "Ada B."})
    assert page.lead == db.leads.get(lead.id)
    cells = {cell.field: cell.text for section in page.sections for cell in section.cells}
    assert (cells["city"], cells["stage"], cells["owner"]) == ("Oslo", "Mailed", "Ada B.")
    note = page.tab("note")
    assert (note.total, note.open, [one.text for one in note.items]) == (3, 0, ["Note 2", "Note 1"])
    more = db.activities.of(lead, kinds="note", after=note.next)
    assert [one.text for one in more] == ["Note 0"]
    assert page.tab("task").open == 1
    assert page.tab("ticket").total == 0
    assert page.follow_up_state == "overdue"
    assert page.qualification.stage == "Mailed"
    assert [(one.kind, one.total) for one in page.qualification.engagement] == [("note", 3), ("task", 1)]
    assert page.actions == ("view", "edit", "delete", "convert")
    assert [person.name for person in page.contacts] == [anna.name]
    assert [visit.stage and visit.stage.name for visit in page.history] == ["New", "Mailed"]
    assert len(page.timeline) == 3
    assert [entry.text for entry in db.timeline_page(lead, after=page.timeline.next)][-1] == "Lead created"
    assert page.is_unread
    assert db.leads.page(lead, mark_read=True).is_unread
    assert db.leads.count(where=F.is_unread) == 0
    assert pickle.loads(pickle.dumps(page)) == page
    assert repr(page) == "LeadPage(lead=<Lead 1: Nordlys AS>, follow_up_state='overdue')"
    assert page.to_dict()["tabs"][0]["tab"] == "note"


def test_a_page_counts_what_it_does_not_read(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    db.activities.note(lead, "A")
    db.activities.ticket(lead, "B")
    page = db.leads.page(lead, tabs=["ticket", "call"], timeline=0)
    assert [(tab.tab, tab.total, len(tab)) for tab in page.tabs] == [("note", 1, 0), ("call", 0, 0), ("ticket", 1, 1)]
    assert len(page.timeline) == 0
    assert len(db.leads.page(lead, first=0).tab("note").items) == 0
    calls: dict[str, Callable[[], object]] = {
        "first": lambda: db.leads.page(lead, first=1001),
        "timeline": lambda: db.accounts.page(became(db.leads.convert(lead)), timeline=2**70),
        "tabs[0]": lambda: db.leads.page(lead, tabs=["No such"]),
        "tabs[1]": lambda: db.leads.page(lead, tabs=["note", "no_such"]),
        "name": lambda: db.leads.page(lead).tab("no_such"),
        "users": lambda: db.leads.page(lead, users={"": "Nobody"}),
    }
    for name, call in calls.items():
        with pytest.raises(leadcore.InvalidError) as caught:
            call()
        assert [broken.field for broken in caught.value.violations] == [name]


def test_the_page_of_an_account_shows_its_leads_too(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", name="Anna Berg")
    db.activities.note(lead, "Before")
    account = db.accounts.get(became(db.leads.convert(lead)))
    db.activities.note(account, "After")
    page = db.accounts.page(account)
    assert page.account == account
    assert page.lead_ids == (lead.id,)
    assert {note.text for note in page.tab("note").items} == {"Before", "After"}
    assert db.leads.page(lead).tab("note").total == 2
    assert [person.name for person in page.contacts] == ["Anna Berg"]
    assert [(one.kind, one.total) for one in page.engagement] == [("note", 2)]
    assert repr(page) == "AccountPage(account=<Account 1: Nordlys AS>)"


def test_a_history_by_topic(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    db.activities.note(lead, "They called.", title="Call")
    lead = db.leads.edit(db.leads.move(lead, "Mailed"), city="Oslo", owner="bob")
    edited, moved, noted, created = db.leads.timeline(lead)
    assert set(edited.topics) == {"fields", "owner"}
    assert "stage" in moved.topics
    assert (noted.topics, created.topics) == (("note",), ("created",))
    assert list(db.leads.timeline(lead.id, topics="owner")) == [edited]
    assert list(db.timeline_page(lead, topics=["note", "stage"])) == [moved, noted]
    first = db.timeline_page(lead, topics=["note", "stage"], limit=1)
    assert list(db.timeline_page(lead, topics=["note", "stage"], after=first.next)) == [noted]
    assert pickle.loads(pickle.dumps(noted)) == noted
    note = db.activities.of(lead)[0]
    assert [entry.text for entry in db.timeline(("activity", note.id))] == ["Note added: Call"]
    with pytest.raises(leadcore.InvalidError, match=r"`topics\[0\]`: this is one of `created`"):
        db.timeline_page(lead, topics=["gossip"])  # type: ignore[list-item]


def test_a_tab_that_there_is_not_is_answered_with_the_nearest(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    db.records.register("subscription", "Subscription", "Subscriptions")
    account = became(db.leads.convert(db.leads.create(company="Fjord AS")))
    calls: list[Callable[[str], object]] = [
        lambda name: db.leads.page(lead, tabs=[name]),
        lambda name: db.accounts.page(account, tabs=[name]),
        lambda name: db.leads.page(lead).tab(name),
        lambda name: db.accounts.page(account).tab(name),
    ]
    for call in calls:
        for written, meant in (("nots", "note"), ("estimates", "estimate"), ("subscriptoin", "subscription")):
            with pytest.raises(leadcore.InvalidError, match=f"did you mean `{meant}`"):
                call(written)
        with pytest.raises(leadcore.InvalidError, match=r"the tabs are `note`, .* `subscription`"):
            call("wombat")
    page = db.leads.page(lead, tabs=["subscription"])
    assert [tab.tab for tab in page.tabs] == ["subscription"]
    assert (page.tab("subscription").total, page.tab("note").total) == (0, 0)
    assert page.tab_names[-6:] == ("file", "estimate", "product_lines", "opportunity", "service", "subscription")


def test_what_is_in_tabs_is_what_its_own_calls_give(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", currency="NOK")
    file = db.files.add(lead, b"hello", name="a.txt")
    lines = db.lines.set(lead, [leadcore.Line("Panel", 12, 200)])
    estimate = db.estimates.create_from_lines(lead)
    db.records.register("project", "Project", "Projects")
    record = db.records.link(lead, "project", "p-1", title="Roof")
    note = db.activities.note(lead, "They called.")
    db.followers.follow(lead, "bob")
    page = db.leads.page(lead)
    found = {tab.tab: tab[0] for tab in page.tabs}
    assert found == {"note": note, "file": file, "estimate": estimate, "product_lines": lines, "project": record}
    assert page.lines == lines
    assert db.leads.page(lead, tabs=[], first=0).lines == lines
    assert page.followers == tuple(db.followers.of(lead))
    account = became(db.leads.convert(lead.id))
    customer = db.accounts.page(account)
    assert {tab.tab: tab[0] for tab in customer.tabs} == found
    assert customer.followers == page.followers
    assert pickle.loads(pickle.dumps(customer)) == customer
    assert db.leads.page(db.leads.create(company="Fjord AS")).lines is None


def test_a_copy_has_the_products(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", currency="NOK")
    lines = db.lines.set(lead, [leadcore.Line("Panel", 12, 200, tax=25)])
    db.activities.note(lead, "They called.")
    assert lines is not None
    copy = db.leads.clone(lead)
    copied = db.lines.of(copy)
    assert copied is not None
    assert (copied.lines, copied.totals, copied.lead_id, copied.revision) == (lines.lines, lines.totals, copy.id, 1)
    assert copy.amount == lines.totals.net
    assert [tab.tab for tab in db.leads.page(copy).tabs] == ["product_lines"]
    assert db.lines.of(db.leads.clone(lead, lines=False)) is None
    db.lines.set(copy, [])
    assert db.lines.of(lead) == lines, "they are its own"


def test_every_tab_is_read_on_from_where_the_page_ends(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    db.records.register("project", "Project", "Projects")
    for n in range(2):
        db.activities.note(lead, f"Note {n}")
        db.files.add(lead, b"hello", name=f"{n}.txt")
        db.estimates.create(lead, title=f"Roof {n}")
        db.records.link(lead, "project", f"p-{n}", title="Roof")
    page = db.leads.page(lead, first=1)
    rest: dict[str, Callable[[str | None], leadcore.Page[Any]]] = {
        "note": lambda after: db.activities.of(lead, kinds="note", after=after),
        "file": lambda after: db.files.of(lead, after=after),
        "estimate": lambda after: db.estimates.of(lead, after=after),
        "project": lambda after: db.records.of(lead, "project", after=after),
    }
    for name, read in rest.items():
        tab = page.tab(name)
        following = read(tab.next)
        assert (len(tab), tab.total, len(following)) == (1, 2, 1)
        assert tab[0] != following[0]
