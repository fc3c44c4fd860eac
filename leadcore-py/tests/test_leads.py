"""Leads: create, edit, find, move, delete, and the forms of their values."""

from __future__ import annotations

import datetime
from decimal import Decimal
from uuid import UUID, uuid4

import leadcore
import pytest
from leadcore import Database, F


def test_a_lead_has_what_was_given_and_what_follows_from_it(db: Database) -> None:
    source = db.sources.add("Facebook Ads")
    label = db.labels.add("VIP", color="#1a7f37")
    lead = db.leads.create(
        company="Nordlys AS",
        name="Dr. Anna Berg",
        email=["post@nordlys.example", "anna@nordlys.example"],
        phone="22 22 22 22",
        website="nordlys.example",
        street="Storgata 1",
        city="Oslo",
        postal_code="0155",
        country="Norway",
        currency="NOK",
        amount=Decimal("12.50"),
        source=source,
        labels=["vip"],
        external_id="hubspot:17",
    )
    assert isinstance(lead.id, UUID)
    assert (lead.number, lead.revision, lead.state, lead.kind) == (1, 1, "open", "company")
    assert (lead.first_name, lead.last_name, lead.salutation) == ("Anna", "Berg", "Dr.")
    assert (lead.email, lead.emails[1].value) == ("post@nordlys.example", "anna@nordlys.example")
    assert (lead.country, lead.currency, lead.amount) == ("NO", "NOK", Decimal("12.50"))
    assert (lead.owner, lead.source, lead.labels) == ("ada", source, (label,))
    assert lead.external_ids == ("hubspot:17",)
    assert (lead.stage.name, lead.stage.kind, lead.pipeline.name) == ("New", "open", "Leads")
    assert lead.created_at.tzinfo is datetime.UTC
    assert lead.created_at == lead.updated_at == lead.stage_entered_at
    assert (lead.converted_at, lead.account_id, lead.deleted_at) == (None, None, None)
    assert repr(lead) == "<Lead 1: Nordlys AS>"


def test_to_dict_can_be_created_from(db: Database) -> None:
    db.sources.add("Fair")
    lead = db.leads.create(company="Nordlys AS", email="a@b.example", source="fair", amount=3, labels=[])
    data = lead.to_dict()
    assert (data["source"], data["stage"], data["email"], data["labels"]) == ("Fair", "New", ("a@b.example",), ())
    writable = {spec.key for spec in db.catalogue.list() if spec.writable}
    [twin] = db.leads.create_many([{key: value for key, value in data.items() if key in writable}])
    assert {**twin.to_dict(), **{key: None for key in data if key not in writable}} == {
        **data,
        **{key: None for key in data if key not in writable},
    }


def test_references_are_given_by_record_id_or_name(db: Database) -> None:
    source = db.sources.add("Fair")
    for way in (source, source.id, str(source.id), "FAIR"):
        assert db.leads.create(company="A", source=way).source == source
    with pytest.raises(leadcore.InvalidError) as caught:
        db.leads.create(company="A", source="Fare", category=uuid4())
    assert [violation.code for violation in caught.value.violations] == ["unknown"]


def test_every_broken_rule_is_told_at_once(db: Database) -> None:
    with pytest.raises(leadcore.InvalidError) as caught:
        db.leads.create(email="nobody", amount="much", currency="ZZZ")
    assert {violation.field for violation in caught.value.violations} == {"email", "amount", "currency"}


def test_misspelt_fields_are_named_with_what_was_meant(db: Database) -> None:
    with pytest.raises(leadcore.InvalidError, match="did you mean `email`"):
        db.leads.create(emial="a@b.example")  # type: ignore[call-arg]
    with pytest.raises(leadcore.InvalidError, match=r"`db\.leads\.move`"):
        db.leads.edit(db.leads.create(company="A"), stage="Won")  # type: ignore[call-arg]


def test_an_edit_carries_the_revision_of_the_object(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", city="Oslo")
    newer = db.leads.edit(lead, city="Tromsø", company=None, name="Anna")
    assert (newer.city, newer.company, newer.revision) == ("Tromsø", None, 2)
    with pytest.raises(leadcore.ConflictError) as caught:
        db.leads.edit(lead, city="Bergen")
    assert caught.value.conflict == {"reason": "stale_revision", "expected": 1, "found": 2}
    assert db.leads.edit(lead.id, city="Bergen").city == "Bergen"
    assert db.leads.edit(str(lead.id), city=None).city is None


def test_create_many_is_all_or_nothing(db: Database) -> None:
    with pytest.raises(leadcore.InvalidError) as caught:
        db.leads.create_many([{"company": "A"}, {"email": "x"}, {"source": "none"}])
    assert [violation.field for violation in caught.value.violations] == ["drafts[1].email", "drafts[2].source"]
    assert db.leads.count() == 0
    leads = db.leads.create_many({"company": str(n), "stage": "Discussion"} for n in range(3))
    assert [(lead.number, lead.stage.name) for lead in leads] == [(n, "Discussion") for n in (1, 2, 3)]


def test_delete_and_restore(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    db.leads.delete(lead)
    assert (db.leads.count(), [one.id for one in db.leads.trash()]) == (0, [lead.id])
    assert db.leads.get(lead.id).deleted_at is not None
    assert db.leads.restore(lead).deleted_at is None
    with pytest.raises(leadcore.NotFoundError):
        db.leads.restore(lead)
    with pytest.raises(leadcore.NotFoundError):
        db.leads.get(uuid4())


def test_pages_and_iteration_show_each_lead_once(db: Database) -> None:
    db.leads.create_many({"company": f"C{n % 7}", "city": "Oslo" if n % 2 else "Bergen"} for n in range(250))
    for sort in ("company", "-company", "number", "-updated_at", "amount", None):
        seen = [lead.number for lead in db.leads.iter(sort=sort, page_size=40)]
        assert sorted(seen) == list(range(1, 251)), sort
    pages, after = [], None
    while True:
        page = db.leads.list(where=F.city == "oslo", sort="number", limit=50, after=after)
        pages.append([lead.number for lead in page.items])
        after = page.next
        if after is None:
            break
    assert [len(page) for page in pages] == [50, 50, 25]
    with pytest.raises(leadcore.InvalidError):
        db.leads.list(after="zz")
    with pytest.raises(leadcore.InvalidError):
        db.leads.list(limit=0)
    with pytest.raises(leadcore.InvalidError):
        db.leads.list(sort="shoe_size")


def test_a_page_is_a_sequence(db: Database) -> None:
    leads = db.leads.create_many({"company": f"<b>{n}"} for n in range(3))
    page = db.leads.list(sort="number")
    assert (len(page), page[0], page[1:], list(page)) == (3, leads[0], tuple(leads[1:]), leads)
    assert "&lt;b&gt;1" in page._repr_html_()
    assert "<b>1" not in page._repr_html_()


def test_search_and_counts(db: Database) -> None:
    db.sources.add("Fair")
    db.leads.create(company="Nordlys AS", phone="+47 22 22 22 22", source="Fair")
    db.leads.create(company="Fjord AS")
    assert [lead.company for lead in db.leads.search("nord 2222")] == ["Nordlys AS"]
    assert db.leads.count(where=F.source == "fair") == 1
    assert {getattr(key, "name", key): n for key, n in db.leads.count_by("source").items()} == {"Fair": 1, None: 1}
    assert {getattr(key, "name", key): n for key, n in db.leads.count_by("stage").items()} == {"New": 2}
    with pytest.raises(leadcore.UnsupportedError):
        db.leads.count_by("company")


def test_moving_by_name_record_or_id(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    lead = db.leads.move(lead, "discussion")
    assert (lead.stage.name, lead.revision) == ("Discussion", 2)
    won = next(stage for stage in lead.pipeline.stages if stage.kind == "won")
    assert db.leads.move(lead.id, won).stage == won
    with pytest.raises(leadcore.InvalidError):
        db.leads.move(lead.id, "Nowhere")
    with pytest.raises(leadcore.InvalidError):
        db.leads.move(lead.id, uuid4())


def test_by_number(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    assert db.leads.by_number(1) == lead
    with pytest.raises(leadcore.NotFoundError):
        db.leads.by_number(2)
    for number in (-1, 2**63, 2**200):
        with pytest.raises(leadcore.LeadcoreError):
            db.leads.by_number(number)
