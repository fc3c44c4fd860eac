"""Custom fields of accounts, contacts and opportunities, and what a conversion takes along."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import leadcore
import pytest
from leadcore import Database, Money
from test_custom import TYPES


def records(db: Database) -> dict[str, Any]:
    """How a record of each kind but leads is made, read and written."""
    lead = db.leads.create(company="Nordlys AS")
    anna = db.contacts.add(lead, name="Anna Berg")
    customer = db.leads.create(company="Fjord AS")
    account_id = db.leads.convert(customer).account_id
    assert account_id is not None
    account = db.accounts.get(account_id)
    roof = db.opportunities.create(account, name="Roof")
    return {
        "account": (account, db.accounts.edit, lambda: db.accounts.get(account.id)),
        "contact": (
            anna,
            lambda one, **said: db.contacts.edit(lead, one, **said),
            lambda: next(one for one in db.contacts.of(lead) if one.id == anna.id),
        ),
        "opportunity": (roof, db.opportunities.edit, lambda: db.opportunities.get(roof.id)),
    }


@pytest.mark.parametrize("of", ["account", "contact", "opportunity"])
@pytest.mark.parametrize("kind", TYPES)
def test_values_of_every_type_on_other_records(db: Database, of: Any, kind: str) -> None:
    one, edit, get = records(db)[of]
    db.catalogue.of(of).add_field("x_f", type=kind, **TYPES[kind][0])  # type: ignore[arg-type]
    assert (get().x_f, dict(get().custom)) == (None, {})
    values = list(TYPES[kind][1])
    if kind == "link":
        other = db.leads.create(company="Other AS")
        values = [(other.id, ("lead", other.id)), (("lead", other.id), ("lead", other.id))]
    for given, wanted in values:
        edit(one.id, x_f=given)
        now = get()
        # As of a lead, a web address is what was given.
        said = now.custom.get("x_f") if kind == "url" else wanted
        assert said in (wanted, given)
        assert (now.x_f, now.custom.get("x_f"), now.to_dict().get("x_f")) == (said, said, said)
        assert pickle.loads(pickle.dumps(now)) == now == copy.copy(now)
        assert hash(now) == hash(copy.deepcopy(now))
        edit(one.id, custom={"x_f": None})
        assert dict(get().custom) == {}
    for given in TYPES[kind][2]:
        with pytest.raises(leadcore.InvalidError) as caught:
            edit(one.id, x_f=given)
        assert [violation.field for violation in caught.value.violations] == ["x_f"]


@pytest.mark.parametrize("of", ["account", "contact", "opportunity"])
def test_a_misspelt_custom_field_is_no_attribute(db: Database, of: Any) -> None:
    one, edit, get = records(db)[of]
    for name in ("x_budget", "x_", "x_Budget"):
        with pytest.raises(AttributeError, match=f"no attribute `{name}`"):
            getattr(one, name)
    db.catalogue.of(of).add_field("x_budget", type="money", currency="NOK")
    assert (get().x_budget, hasattr(get(), "x_bugdet")) == (None, False)
    with pytest.raises(AttributeError, match="did you mean `x_budget`"):
        _ = get().x_bugdet
    for now in (edit(one.id, x_budget=5), get(), pickle.loads(pickle.dumps(get())), copy.deepcopy(get())):
        assert now.x_budget == Money(5, "NOK")
        assert not hasattr(now, "x_bugdet")
    # A record is the same with other fields.
    before = get()
    db.catalogue.of(of).add_field("x_other")
    assert (get() == before, get().x_other, hasattr(before, "x_other")) == (True, None, False)


def test_records_on_pages_know_their_fields(db: Database) -> None:
    db.catalogue.of("contact").add_field("x_floor", type="integer")
    db.catalogue.of("opportunity").add_field("x_size")
    db.catalogue.of("account").add_field("x_rank")
    lead = db.leads.create(company="Nordlys AS", name="Anna Berg")
    done = db.leads.convert(lead, opportunity=True)
    account = db.accounts.get(done.account_id)  # type: ignore[arg-type]
    page = db.accounts.page(account)
    roof: Any = page.tab("opportunity")[0]
    persons: list[Any] = [*page.contacts, *db.leads.page(lead).contacts, *db.contacts.of(account)]
    assert [one.x_floor for one in persons] == [None] * 3
    marked: Any = db.contacts.do_not_call(page.contacts[0])
    accounts: list[Any] = [page.account, db.accounts.list()[0]]
    assert (marked.x_floor, accounts[0].x_rank, accounts[1].x_rank) == (None, None, None)
    listed: list[Any] = [roof, *db.opportunities.list(), *db.opportunities.of(account), db.opportunities.win(roof)]
    assert [one.x_size for one in listed] == [None] * 4


@pytest.mark.parametrize("kind", TYPES)
def test_a_conversion_says_custom_fields_of_the_new_opportunity(db: Database, kind: str) -> None:
    db.catalogue.of("opportunity").add_field("x_f", type=kind, **TYPES[kind][0])  # type: ignore[arg-type]
    for given, wanted in TYPES[kind][1] if kind != "link" else ():
        for said in ({"x_f": given}, {"custom": {"x_f": given}, "name": "Roof"}):
            lead = db.leads.create(company="Nordlys AS")
            plan = db.leads.plan_conversion(lead, opportunity=said)  # type: ignore[arg-type]
            roofs: list[Any] = [db.opportunities.get(db.apply(plan).opportunity_id)]  # type: ignore[arg-type]
            others = [db.leads.create(company=name) for name in "AB"]
            done = db.leads.convert(others[0], opportunity=said)  # type: ignore[arg-type]
            [many] = db.leads.convert_many([others[1]], opportunity=said).results  # type: ignore[arg-type]
            for one in (done, many.outcome):
                assert one is not None
                assert one.opportunity_id is not None
                roofs.append(db.opportunities.get(one.opportunity_id))
            assert [roof.x_f in (wanted, given) for roof in roofs] == [True] * 3
    lead = db.leads.create(company="Nordlys AS")
    calls: list[Any] = [db.leads.plan_conversion, db.leads.convert]
    for given in TYPES[kind][2]:
        for call in calls:
            with pytest.raises(leadcore.InvalidError) as caught:
                call(lead, opportunity={"x_f": given})
            assert [violation.field for violation in caught.value.violations] == ["opportunity.x_f"]
    assert db.leads.get(lead).state == "open"


def test_what_an_opportunity_has_not_is_refused(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    for said, field in (
        ({"x_nothing": 5}, "opportunity.x_nothing"),
        ({"custom": {"size": 5}}, "opportunity.custom.size"),
        ({"custom": {"x_a": 5}, "x_a": 5}, "opportunity.x_a"),
        ({"nothing": 5}, "opportunity.nothing"),
    ):
        with pytest.raises(leadcore.InvalidError) as caught:
            db.leads.convert(lead, opportunity=said)  # type: ignore[arg-type]
        assert [violation.field for violation in caught.value.violations] == [field]


@pytest.mark.parametrize("of", ["account", "contact", "opportunity"])
def test_each_kind_has_fields_of_its_own(db: Database, of: Any) -> None:
    one, edit, get = records(db)[of]
    fields = db.catalogue.of(of)
    assert (fields.kind, fields.list(), db.catalogue.kind) == (of, [], "lead")
    fields.add_field("x_size", label="Size", type="one_of", choices={"s": "Small", "l": "Large"})
    fields.add_field("x_code", label="Code", unique=True, required=False)
    assert [spec.key for spec in fields.list()] == ["x_code", "x_size"]
    assert [spec.key for spec in db.catalogue.list() if spec.custom] == []
    assert set(fields.json_schema()["properties"]) == {"x_size", "x_code"}
    edit(one.id, x_size="Large", x_code="A-1")
    with pytest.raises(leadcore.ConflictError) as caught:
        fields.remove_field("x_size")
    assert caught.value.conflict is not None
    assert caught.value.conflict["by"] == 1
    fields.change_field("x_size", choices={"s": "Small", "m": "Medium"}, mapping={"l": "m"})
    assert get().x_size == "m"
    entry = next(iter(db.timeline((of, one.id))))
    assert entry.text == "Size: l → Medium" or "Size" in entry.text
    fields.remove_field("x_size", clear=True)
    assert dict(get().custom) == {"x_code": "A-1"}
    with pytest.raises(leadcore.InvalidError) as refusal:
        edit(one.id, x_size="s")
    assert [violation.field for violation in refusal.value.violations] == ["x_size"]
    with pytest.raises(AttributeError):
        _ = get().nothing
    with pytest.raises(leadcore.InvalidError):
        fields.columns()
    with pytest.raises(leadcore.InvalidError):
        db.catalogue.of("ticket")  # type: ignore[arg-type]


def test_a_conversion_takes_custom_fields_along(db: Database) -> None:
    for fields in (db.catalogue, db.catalogue.of("account"), db.catalogue.of("contact")):
        fields.add_field("x_budget", type="money", currency="NOK")
    db.catalogue.add_field("x_note")
    lead = db.leads.create(company="Nordlys AS", name="Anna Berg", custom={"x_budget": 1000, "x_note": "stays"})
    plan = db.leads.plan_conversion(lead)
    assert "x_note" in plan.stays_on_lead
    assert "x_budget" not in plan.stays_on_lead
    outcome = db.leads.convert(lead)
    assert outcome.account_id is not None
    account = db.accounts.get(outcome.account_id)
    (anna,) = db.contacts.of(account)
    assert account.custom == anna.custom == {"x_budget": Money(1000, "NOK")}
    assert db.leads.get(lead.id).custom == {"x_budget": Money(1000, "NOK"), "x_note": "stays"}
