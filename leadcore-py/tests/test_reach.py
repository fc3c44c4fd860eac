"""E-mails and phones with what is known of each."""

from __future__ import annotations

import pickle
from typing import Any

import leadcore
import pytest
from conftest import became
from leadcore import Database, Email, Phone


def test_what_is_known_is_read_and_written(db: Database) -> None:
    mail, phone = Email("anna@nordlys.example", "work", opted_out=True), Phone("22 22 22 22", "mobile", invalid=True)
    lead = db.leads.create(company="A", country="NO", email=[mail, "post@nordlys.example"], phone=phone)
    assert lead.emails == (mail, Email("post@nordlys.example"))
    assert lead.phones == (Phone("22 22 22 22", "mobile", invalid=True, e164="+4722222222"),)
    assert (lead.email, str(lead.emails[0])) == ("anna@nordlys.example", "anna@nordlys.example")
    assert db.leads.get(lead).emails == pickle.loads(pickle.dumps(lead)).emails == lead.emails
    assert lead.to_dict()["email"] == ("anna@nordlys.example", "post@nordlys.example")
    assert db.leads.count(where=leadcore.F.email == mail) == 1


def test_an_edit_as_text_keeps_what_is_known(db: Database) -> None:
    lead = db.leads.create(company="A", email=Email("a@b.example", "work", opted_out=True))
    lead = db.leads.edit(lead, email="new@b.example, A@b.example")
    assert lead.emails == (Email("new@b.example"), Email("A@b.example", "work", opted_out=True))
    lead = db.leads.edit(lead, email=[Email("a@b.example", invalid=True)])
    assert lead.emails == (Email("a@b.example", invalid=True),), "the object says all that is known"
    person = db.contacts.add(lead, name="Anna", email=Email("anna@b.example", "home"), phone=[Phone("123", "fax")])
    person = db.contacts.edit(lead, person, email=["x@b.example", "anna@b.example"])
    assert [mail.kind for mail in person.emails] == [None, "home"]
    assert person.phones[0].kind == "fax"
    account = db.accounts.get(became(db.leads.convert(lead)))
    assert account.emails == (Email("a@b.example", invalid=True),)
    edited = db.accounts.edit(account, email="b@b.example, a@b.example")
    assert [mail.invalid for mail in edited.emails] == [False, True]


def test_the_timeline_tells_of_it(db: Database) -> None:
    lead = db.leads.create(company="A", email="a@b.example")
    lead = db.leads.edit(lead, email=Email("a@b.example", opted_out=True))
    entry = next(iter(db.timeline(lead)))
    assert entry.text == "E-mail: a@b.example → a@b.example (opted_out)"
    assert [(change.before, change.after) for change in entry.changes] == [
        (("a@b.example",), ("a@b.example (opted_out)",))
    ]


@pytest.mark.parametrize("given", [Email("nobody"), Phone("x"), [Email("a@b.example"), 5], Email("a@b.example (x)")])
def test_what_is_no_address_is_refused(db: Database, given: Any) -> None:
    key = "phone" if isinstance(given, Phone) else "email"
    with pytest.raises(leadcore.InvalidError, match=key):
        db.leads.create(**{"company": "A", key: given})
    with pytest.raises(leadcore.InvalidError, match="work"):
        Email("a@b.example", "sofa")  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [lambda: Email("a@b.example, c@d.example"), lambda: Phone("22 22 22 22; 33 33 33 33")])
def test_what_is_known_is_said_of_one_address(db: Database, make: Any) -> None:
    with pytest.raises(leadcore.InvalidError, match="one address"):
        make()
    given = [Phone("+1 917-584-0243, ext. 12", "work"), Phone("+4722222222;ext=7", invalid=True)]
    lead = db.leads.create(company="A", phone=given, email=Email('"a,b"@c.example', opted_out=True))
    assert [(one.value, one.kind, one.invalid) for one in lead.phones] == [
        ("+1 917-584-0243, ext. 12", "work", False),
        ("+4722222222;ext=7", None, True),
    ]
    assert lead.emails == (Email('"a,b"@c.example', opted_out=True),)
