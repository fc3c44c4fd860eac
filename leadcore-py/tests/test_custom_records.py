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
    assert (one.x_f, dict(one.custom)) == (None, {})
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
