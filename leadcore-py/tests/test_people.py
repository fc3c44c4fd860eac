"""Persons: marks, whom nobody may call, lists to take along; followers, participants, records of the host."""

from __future__ import annotations

import csv
import datetime
import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import leadcore
import pytest
from conftest import became
from leadcore import Database, Email, F, Lead, Phone

SINCE = datetime.datetime(2026, 11, 22, 8, tzinfo=datetime.UTC)


@pytest.fixture
def lead(db: Database) -> Lead:
    return db.leads.create(
        company="Nordlys AS", email="post@nordlys.example", phone="22 22 22 22, +47 33 33 33 33", country="NO"
    )


def test_an_address_is_marked_with_date_and_reason(db: Database, lead: Lead) -> None:
    marked = db.leads.mark_address(lead, "POST@nordlys.example", "invalid", reason="550", since=SINCE)
    assert marked.emails[0].invalid
    assert marked.emails[0].invalid_note == leadcore.MarkNote(SINCE, "550")
    assert marked.emails[0].opted_out_note is None
    with pytest.raises(leadcore.ConflictError):
        db.leads.mark_address(lead, "post@nordlys.example", "opted_out")
    marked = db.leads.mark_address(lead.id, Phone("+47 22222222"), "opted_out", reason="asked")
    note = marked.phones[0].opted_out_note
    assert note is not None
    assert (note.reason, note.since is not None) == ("asked", True)
    assert marked.phones[0].to_dict()["opted_out_note"]["reason"] == "asked"
    # As plain text, an address that stays keeps what is known of it.
    edited = db.leads.edit(marked, email="new@nordlys.example, post@nordlys.example")
    assert edited.emails[1].invalid_note == leadcore.MarkNote(SINCE, "550")
    lifted = db.leads.mark_address(edited, Email("post@nordlys.example"), "invalid", lifted=True)
    assert (lifted.emails[1].invalid, lifted.emails[1].invalid_note) == (False, None)
    with pytest.raises(leadcore.InvalidError) as caught:
        db.leads.mark_address(lifted, "nobody@nordlys.example", "invalid")
    assert [broken.field for broken in caught.value.violations] == ["address"]
    with pytest.raises(leadcore.InvalidError, match="since"):
        db.leads.mark_address(lifted, "22222222", "invalid", since=datetime.datetime(2026, 1, 1))
    with pytest.raises(leadcore.InvalidError, match="reason"):
        db.leads.mark_address(lifted, "22222222", "invalid", reason="x" * 501)


def test_a_person_is_marked_and_not_called(db: Database, lead: Lead) -> None:
    anna = db.contacts.add(lead, name="Anna", role="Decision maker", email="a@b.example", phone="44 44 44 44")
    assert anna.role == "Decision maker"
    assert db.contacts.edit(lead, anna, role=None).role is None
    anna = db.contacts.of(lead)[0]
    marked = db.contacts.mark(anna, "a@b.example", "opted_out", reason="asked", since=SINCE)
    assert marked.emails[0].opted_out_note == leadcore.MarkNote(SINCE, "asked")
    assert marked.is_primary
    quiet = db.contacts.do_not_call(marked, reason="no calls", since=SINCE)
    assert quiet.do_not_call == leadcore.MarkNote(SINCE, "no calls")
    assert quiet.to_dict()["do_not_call"] is True
    with pytest.raises(leadcore.ConflictError):
        db.contacts.do_not_call(marked)
    assert db.contacts.do_not_call(quiet.id, lifted=True).do_not_call is None
    assert all(phone.opted_out for phone in db.leads.do_not_call(lead, reason="no").phones)
    assert str(next(iter(db.timeline(lead))).changes) != "()"


def test_the_list_of_persons_is_a_spreadsheet(db: Database, lead: Lead, tmp_path: Path) -> None:
    for name in ('=HYPERLINK("x")', "Anna <b>&amp;</b>", "\u202eevil", "Ola"):
        db.contacts.add(lead, name=name, email="a@b.example", phone="+47 22 22 22 22", role="Buyer")
    path = tmp_path / "persons.xlsx"
    assert db.contacts.to_xlsx(lead, path) == 4
    with zipfile.ZipFile(path) as book:
        assert book.testzip() is None
        parts = {name: book.read(name) for name in book.namelist()}
    trees = {name: ET.fromstring(part) for name, part in parts.items() if name.endswith((".xml", ".rels"))}  # noqa: S314
    sheet = trees["xl/worksheets/sheet1.xml"]
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    assert len(list(sheet.iter(f"{space}row"))) == 5
    assert not list(sheet.iter(f"{space}f")), "no formulas"
    texts = ["".join(one.itertext()) for one in trees["xl/sharedStrings.xml"].iter(f"{space}si")]
    assert {'=HYPERLINK("x")', "Anna <b>&amp;</b>", "+47 22 22 22 22", "Buyer"} <= set(texts)
    output = io.BytesIO()
    assert db.contacts.to_xlsx(lead.id, output) == 4
    assert output.getvalue()[:2] == b"PK"


def test_the_list_of_persons_is_a_csv_file(db: Database, lead: Lead, tmp_path: Path) -> None:
    db.contacts.add(lead, name="=1+1", email="a@b.example")
    path = tmp_path / "persons.csv"
    assert db.contacts.to_csv(lead, str(path)) == 1
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert len(rows) == 1
    assert "a@b.example" in rows[0].values()
    assert not [cell for cell in rows[0].values() if cell.startswith("=")], "no spreadsheet takes it for a formula"
    with pytest.raises(TypeError, match="`output`"):
        db.contacts.to_csv(lead, 5)  # type: ignore[call-overload]
    with pytest.raises(leadcore.NotFoundError):
        db.contacts.to_csv("0197f2a0-0000-7000-8000-000000000000", io.BytesIO())


def test_a_table_of_persons_is_escaped(db: Database, lead: Lead) -> None:
    db.contacts.add(lead, name="<img src=x onerror=alert(1)>", role="a & b")
    persons = db.contacts.of(lead)
    shown = persons._repr_html_()
    assert "<img" not in shown
    rows = [[cell.text for cell in row] for row in ET.fromstring(shown).iter("tr")]  # noqa: S314 - our own
    assert rows == [["name", "role", "is_primary"], ["<img src=x onerror=alert(1)>", "a & b", "True"]]
    assert persons == [persons[0]]
    assert db.contacts.of(db.leads.create(company="Fjord AS"))._repr_html_().startswith("<table>")


def test_followers_are_told_and_found(db: Database, lead: Lead) -> None:
    assert db.followers.follow(lead)
    assert not db.followers.follow(lead)
    assert db.followers.follow(lead, "bob")
    assert [follow.user for follow in db.followers.of(lead)] == ["ada", "bob"]
    assert db.followers.of(lead)[0].subject == ("lead", lead.id)
    other = db.leads.create(company="Fjord AS")
    assert [one.id for one in db.leads.iter(where=F.followed)] == [lead.id]
    assert db.leads.count(where="not is followed") == 1
    assert str(F.followed) == "is followed"
    db.followers.follow(other)
    first = db.followers.followed_by(limit=1)
    assert [one.company for one in first] == ["Fjord AS"]
    assert [one.company for one in db.followers.followed_by(after=first.next)] == ["Nordlys AS"]
    assert [one.company for one in db.followers.followed_by("bob")] == ["Nordlys AS"]
    account = db.accounts.get(became(db.leads.convert(lead)))
    assert [follow.user for follow in db.followers.of(account)] == ["ada", "bob"]
    assert db.followers.unfollow(other)
    with pytest.raises(leadcore.InvalidError, match="user"):
        leadcore.open(":memory:").followers.followed_by()


def test_participants_are_customers_first(db: Database, lead: Lead) -> None:
    db.contacts.add(lead, name="Anna Nordmann", email="anna@nordlys.example")
    account = became(db.leads.convert(lead))
    db.leads.create(company="Nordavind AS")
    found = db.participants.search("nord")
    assert [(one.name, one.company) for one in found] == [("Anna Nordmann", "Nordlys AS"), ("Nordlys AS", None)]
    assert (found[0].of, found[1].subject, found.complete) == (("account", account), ("account", account), True)
    assert "Nordavind AS" in [one.name for one in db.participants.search("nord", include_leads=True)]
    assert len(db.participants.search("nord", limit=1)) == 1
    assert len(db.participants.search()) == 2


def test_records_of_the_host_hang_on_leads(db: Database, lead: Lead) -> None:
    db.records.register("subscription", "Subscription", "Subscriptions", icon="wifi", color="#1a7f37")
    with pytest.raises(leadcore.InvalidError, match="kind"):
        db.records.register("subscription", "Subscription", "Subscriptions")
    with pytest.raises(leadcore.InvalidError, match="kind"):
        db.records.register("task", "Task", "Tasks")
    kind = db.records.rename("subscription", plural="Abos", icon=None)
    assert (kind.singular, kind.plural, kind.icon, kind.color) == ("Subscription", "Abos", None, "#1a7f37")
    with pytest.raises(leadcore.NotFoundError):
        db.records.rename("project", plural="Projects")
    record = db.records.link(lead, "subscription", "sub-42", title="Fibre 500", url="https://x.example/42", at=SINCE)
    assert record == db.records.by_key("subscription", "sub-42") == db.records.get(record)
    assert record.at == SINCE
    again = db.records.link([lead], "subscription", "sub-42", title="Fibre 1000", is_open=True)
    assert (again.id, again.url, again.is_open) == (record.id, None, True)
    with pytest.raises(leadcore.ConflictError):
        db.records.edit(record, state="cancelled")
    assert db.records.edit(again, state="cancelled", is_open=False).title == "Fibre 1000"
    assert len(db.records.of(lead, "subscription", open=True)) == 0
    with pytest.raises(leadcore.InvalidError) as caught:
        db.records.link(lead, "project", "", title="", url="javascript:alert(1)")
    assert {broken.field for broken in caught.value.violations} == {"kind", "key", "title", "url"}
    with pytest.raises(leadcore.ConflictError):
        db.records.remove("subscription")
    db.records.unlink(again.id)
    db.records.remove("subscription")
    assert db.records.kinds() == []


def test_a_file_of_persons_says_where_it_cannot_be(db: Database, lead: Lead, tmp_path: Path) -> None:
    for write in (db.contacts.to_csv, db.contacts.to_xlsx):
        with pytest.raises(leadcore.NotFoundError, match="`output`: there is no such directory"):
            write(lead, tmp_path / "missing" / "persons")
        for path in (tmp_path, "a\0b"):
            with pytest.raises(leadcore.InvalidError) as caught:
                write(lead, path)
            assert [broken.field for broken in caught.value.violations] == ["output"]


def test_the_times_of_both_files_are_those_of_the_user() -> None:
    zone = datetime.timedelta(hours=5, minutes=30)
    with leadcore.open(":memory:", utc_offset=zone, clock=lambda: SINCE) as db:
        lead = db.leads.create(company="Nordlys AS")
        db.contacts.add(lead, name="Anna Berg")
        table, book = io.BytesIO(), io.BytesIO()
        db.contacts.to_csv(lead, table)
        db.contacts.to_xlsx(("lead", lead.id), book)
    assert b"2026-11-22T13:30:00+05:30" in table.getvalue()
    assert "Added (UTC+05:30)" in zipfile.ZipFile(book).read("xl/sharedStrings.xml").decode()


def test_a_customer_who_was_there_before_has_persons_and_is_joined(db: Database) -> None:
    own = db.series.add("account", "Old customers", prefix="K-")
    account = db.accounts.create(name="Nordlys AS", city="Tromsø", series=own)
    assert (account.number, account.status, account.city) == (1, "customer", "Tromsø")
    anna = db.contacts.add(account, name="Anna Berg", email="anna@nordlys.example")
    ola = db.contacts.add(("account", account.id), name="Ola Dal")
    assert (anna.is_primary, ola.is_primary) == (True, False)
    db.contacts.make_primary(account, ola)
    assert db.contacts.edit(account, ola, job_title="CEO").job_title == "CEO"
    assert [person.name for person in db.contacts.of(account)] == ["Ola Dal", "Anna Berg"]
    lead = db.leads.create(company="NORDLYS A/S", name="Anna Berg", email="anna@nordlys.example")
    outcome = db.leads.convert(lead, account=account)
    assert outcome.account_id == account.id
    # The lead is frozen, the customer is not.
    with pytest.raises(leadcore.FrozenError):
        db.contacts.add(lead, name="Eva Moe")
    db.contacts.remove(account, ola)
    assert "Ola Dal" not in [person.name for person in db.contacts.of(account)]
    for bad in ({"name": " "}, {"name": "A", "email": "none"}):
        with pytest.raises(leadcore.InvalidError):
            db.accounts.create(**bad)  # type: ignore[arg-type]
    # What is wrong with the name is told of the name, however the core calls it.
    for write in (db.accounts.create, lambda **name: db.accounts.edit(account.id, **name)):
        with pytest.raises(leadcore.InvalidError) as caught:
            write(name="\ud800")
        assert [broken.field for broken in caught.value.violations] == ["name"]
    with pytest.raises(leadcore.InvalidError, match="only leads and accounts"):
        db.contacts.add(anna, name="Eva Moe")


def test_an_account_is_deleted_while_nothing_hangs_on_it(db: Database) -> None:
    account = db.accounts.create(name="Nordlys AS")
    anna = db.contacts.add(account, name="Anna Berg")
    note = db.activities.note(account, "They called.")
    lead = db.leads.create(company="Nordlys Nord")
    db.leads.convert(lead, account=account)
    told = {one.blocker: one for one in db.accounts.delete_blockers(account.id)}
    assert (told["leads"].leads, told["leads"].unseen, told["persons"].count) == ((lead.id,), 0, 1)
    assert told["has_children"].tabs == {"note": 1}
    assert told["leads"].to_dict()["blocker"] == "leads"
    with pytest.raises(leadcore.ConflictError) as caught:
        db.accounts.delete(account.id)
    assert caught.value.conflict == {"reason": "in_use", "by": 3}
    db.leads.unconvert(lead)
    db.contacts.remove(account, anna)
    db.activities.delete(note)
    assert db.accounts.delete_blockers(account) == ()
    db.accounts.edit(account.id, city="Oslo")
    with pytest.raises(leadcore.ConflictError, match="changed"):
        db.accounts.delete(account)
    db.accounts.delete(db.accounts.get(account))
    assert list(db.accounts.list()) == []
    with pytest.raises(leadcore.NotFoundError):
        db.accounts.delete_blockers(account)
    entry = next(iter(db.accounts.timeline(account)))
    assert entry.text == "Account archived"
    db.undo(entry)
    assert [one.city for one in db.accounts.list()] == ["Oslo"]
