"""Conversion: the form of a new customer and its contact."""

from __future__ import annotations

from decimal import Decimal

import leadcore
import pytest
from conftest import became
from leadcore import AccountInput, ContactInput, Database, OpportunityInput


def fields_of(error: leadcore.InvalidError) -> list[str]:
    return [broken.field for broken in error.violations]


def test_s0_21_three_screens_and_one_call_take_the_form(db: Database) -> None:
    """Three screens; what the form says goes over what the lead says, also in one call."""
    db.catalogue.of("account").add_field("x_terms", label="Payment terms", required=True)
    lead = db.leads.create(name="Ana Berg", company="Nordlys AS")
    plan = db.leads.plan_conversion(lead)
    assert [(one.field, one.code) for one in plan.missing] == [("account.x_terms", "required")]
    with pytest.raises(leadcore.InvalidError) as caught:
        db.apply(plan)
    assert fields_of(caught.value) == ["account.x_terms"]
    with pytest.raises(leadcore.InvalidError) as caught:
        db.leads.convert(lead)
    assert fields_of(caught.value) == ["account.x_terms"]
    with pytest.raises(leadcore.InvalidError) as caught:
        plan.customer_information(
            "neither", account_fields={"email": "nobody"}, contact_fields={"email": "nobody either"}
        )
    assert sorted(fields_of(caught.value)) == ["account.email", "contact.email"]
    profile: AccountInput = {"custom": {"x_terms": "30 days"}, "name": "Nordlys Energi AS"}
    person: ContactInput = {"name": "Anna Berg", "role": "Buyer"}
    second = plan.choose_estimates(None).customer_information(
        "active_with_invoice", account_fields=profile, contact_fields=person
    )
    assert second.missing == ()
    outcome = db.apply(second.edit_services([]))
    account = db.accounts.get(became(outcome))
    assert (account.name, account.custom["x_terms"]) == ("Nordlys Energi AS", "30 days")
    assert [(one.name, one.role) for one in db.contacts.of(account)] == [("Anna Berg", "Buyer")]
    other = db.leads.create(name="Ana Holm", company="Fjord AS")
    at_once = db.leads.convert(other, account_fields=profile, contact_fields=person)
    assert db.accounts.get(became(at_once)).name == "Nordlys Energi AS"
    third = db.leads.plan_conversion(db.leads.create(company="Fjord AS"), account=account)
    with pytest.raises(leadcore.InvalidError) as caught:
        third.customer_information("neither", account_fields={"city": "Oslo"})
    assert fields_of(caught.value) == ["account"]


def test_each_further_person_has_a_form_too(db: Database) -> None:
    lead = db.leads.create(company="Fjord AS")
    ola = db.contacts.add(lead, name="Ola Dal", email="ola@fjord.example")
    kari = db.contacts.add(lead, name="Kari Berg")
    plan = db.leads.plan_conversion(lead)
    assert list(plan.own_persons) == [ola.id, kari.id]
    with pytest.raises(leadcore.InvalidError) as refused:
        plan.customer_information("neither", person_fields={ola: {"email": "nobody"}, kari.id: {"name": ""}})
    assert [one.field for one in refused.value.violations] == ["contacts[0].email", "contacts[1].name"]
    with pytest.raises(leadcore.InvalidError) as refused:
        db.leads.convert(lead, person_fields={kari: {"x_no": 5, "email": object()}})  # type: ignore[typeddict-item]
    assert {one.field for one in refused.value.violations} <= {"person_fields[0].x_no", "person_fields[0].email"}
    said = {ola: {"role": "Buyer"}, str(kari.id): {"job_title": "CTO"}}
    done = db.apply(plan.customer_information("neither", person_fields=said))  # type: ignore[arg-type]
    persons = db.contacts.of(("account", done.account_id)) if done.account_id else []
    assert [(one.role, one.job_title) for one in persons] == [("Buyer", None), (None, "CTO")]


def test_a_new_opportunity_has_a_form_too(db: Database) -> None:
    db.catalogue.of("opportunity").add_field("x_region", label="Region", required=True)
    db.catalogue.of("opportunity").add_field("x_seats", label="Seats", type="integer")
    plan = db.leads.plan_conversion(db.leads.create(company="Nordlys AS"), opportunity=True)
    assert [one.field for one in plan.missing] == ["opportunity.x_region"]
    for wrong, broken in (
        ({"x_seats": "many"}, "opportunity.x_seats"),
        ({"x_none": 1}, "opportunity.x_none"),
        ({"probability": 101}, "opportunity.probability"),
        ({"amount": "much"}, "opportunity.amount"),
        ({"source": "By name"}, "opportunity.source"),
    ):
        with pytest.raises(leadcore.InvalidError) as refused:
            plan.customer_information("neither", opportunity_fields=wrong)  # type: ignore[arg-type]
        assert fields_of(refused.value) == [broken]
    with pytest.raises(TypeError, match="opportunity_fields"):
        plan.customer_information("neither", opportunity_fields=5)  # type: ignore[arg-type]
    fair = db.sources.add("Fair")
    said: OpportunityInput = {"custom": {"x_region": "north"}, "source": fair, "amount": 7}
    ready = plan.customer_information("neither", opportunity_fields=said)
    assert ready.missing == ()
    made = db.opportunities.get(str(db.apply(ready).opportunity_id))
    assert (made.custom["x_region"], made.amount, made.source) == ("north", Decimal(7), fair.id)


def test_an_opportunity_that_converts_its_lead_is_made_of_it(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", amount=500, currency="EUR", probability=40)
    with pytest.raises(leadcore.InvalidError) as refused:
        db.opportunities.create(lead, name="Roof", convert={"opportunity": {"state": "won"}})
    assert fields_of(refused.value) == ["convert.opportunity"]
    roof = db.opportunities.create(lead, name="Roof", probability=60, convert=True)
    assert (roof.name, roof.amount, roof.currency, roof.probability) == ("Roof", Decimal(500), "EUR", 60)
    assert len(db.opportunities.of(lead)) == 1
