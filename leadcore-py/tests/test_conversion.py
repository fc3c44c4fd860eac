"""Conversion: targets, the wizard, plans that are stored, once, many, the way back."""

from __future__ import annotations

import dataclasses
import datetime
import pickle
from decimal import Decimal
from typing import Any

import leadcore
import pytest
from conftest import became
from leadcore import ConversionPlan, Database, Line, Match

D = Decimal


def anna(db: Database, **fields: Any) -> leadcore.Lead:
    given: dict[str, Any] = {"company": "Nordlys AS", "name": "Anna Berg", "email": "anna@nordlys.example"}
    return db.leads.create(**{**given, "currency": "EUR", **fields})


def loose(value: Any) -> Any:
    """What a caller without a type checker hands over."""
    return value


def fields_of(error: leadcore.LeadcoreError) -> list[str]:
    return [broken.field for broken in error.violations]


def test_s3_08_account_persons_or_both(db: Database) -> None:
    both = db.leads.convert(anna(db))
    alone = db.leads.convert(anna(db), into="account")
    persons = db.leads.convert(anna(db), into="contacts")
    assert (both.account_number, len(both.contact_ids)) == (1, 1)
    assert (alone.account_number, alone.contact_ids) == (2, ())
    assert (persons.account_id, persons.account_number, len(persons.contact_ids)) == (None, None, 1)
    assert db.leads.get(persons.lead_id).state == "converted"
    assert [link.role for link in persons.links] == ["converted_to", "primary_contact"]


def test_s0_21_what_the_popup_must_ask_for_is_told_at_once(db: Database) -> None:
    """The form holds company profile and primary contact; what is required and missing is told field by field."""
    lead = db.leads.create(name="Anna Berg", email="anna@nordlys.example", company="Nordlys AS")
    plan = db.leads.plan_conversion(lead)
    [person] = plan.contacts
    assert (plan.account_fields["name"], person.kind, person.is_primary) == ("Nordlys AS", "new", True)
    assert person.fields["name"]["given"] == "Anna"
    data = plan.to_dict()
    data["account"]["new"]["fields"]["name"] = " "
    with pytest.raises(leadcore.InvalidError) as caught:
        db.apply(ConversionPlan(data))
    assert fields_of(caught.value) == ["account.name"]
    db.catalogue.set("tax_id", required=True)
    with pytest.raises(leadcore.InvalidError) as caught:
        db.leads.plan_conversion(lead)
    assert fields_of(caught.value) == ["tax_id"]
    assert db.leads.get(lead).state == "open", "nothing was written"
    db.leads.edit(lead.id, tax_id="923609016")
    assert db.leads.convert(lead.id).newly_converted


def test_s0_22_the_result_carries_the_client(db: Database) -> None:
    outcome = db.leads.convert(anna(db))
    page = db.accounts.page(db.accounts.get(became(outcome)))
    assert (page.account.number, page.account.name) == (outcome.account_number, "Nordlys AS")


def test_s0_23_the_client_is_complete_and_knows_its_lead(db: Database) -> None:
    given = {"city": "Oslo", "street": "Storgata 1", "postal_code": "0155", "country": "NO", "phone": "22 22 22 22"}
    retail = db.categories.add("Retail")
    lead = anna(db, **given, tax_id="923609016", website="nordlys.example", category=retail, description="Roof")
    note = db.activities.note(lead, "They called.")
    account = db.accounts.get(became(db.leads.convert(lead)))
    assert {key: getattr(account, key) for key in given} == given
    told = (account.name, account.tax_id, account.description, account.website)
    assert told == ("Nordlys AS", "923609016", "Roof", lead.website)
    assert (account.email, account.category) == ("anna@nordlys.example", retail)
    assert [one.id for one in db.accounts.leads(account)] == [lead.id]
    assert db.leads.get(lead).account_id == account.id
    assert db.accounts.page(account).tab("note")[0] == db.leads.page(lead).tab("note")[0] == note


def test_s4_13_the_customer_is_opened_after_a_second_click_too(db: Database) -> None:
    lead = anna(db)
    plan = db.leads.plan_conversion(lead)
    first = db.apply(plan)
    for again in (db.apply(plan), db.leads.convert(lead), db.leads.convert(lead.id, into="contacts")):
        assert (again.account_id, again.operation) == (first.account_id, first.operation)
        assert not again.newly_converted
    assert len(db.accounts.list()) == 1
    assert db.accounts.get(became(first)).number == first.account_number


def test_an_account_and_a_person_that_are_there(db: Database) -> None:
    first = db.leads.convert(anna(db, industry="Energy"))
    known = db.accounts.get(became(first))
    lead = anna(db, company="Nordlys Norge AS", city="Oslo", industry="Solar")
    plan = db.leads.plan_conversion(lead, account=known, person=first.contact_ids[0])
    assert (plan.account.kind, plan.account.id, plan.next_number) == ("existing", known.id, None)
    assert [(one.kind, one.id) for one in plan.contacts] == [("known", first.contact_ids[0])]
    dropped = {one.source: (one.dropped, one.why) for one in plan.dropped}
    assert dropped["company"] == ("Nordlys Norge AS", "target_kept")
    assert dropped["industry"] == ("Solar", "target_kept")
    second = db.apply(plan)
    assert second.account_id == known.id
    assert db.accounts.get(known.id).city == "Oslo"
    assert len(db.contacts.of(known)) == 1


def test_matching_chooses_or_asks(db: Database) -> None:
    one = became(db.leads.convert(anna(db)))
    lead = anna(db, company="Nordlys A/S")
    with pytest.raises(leadcore.ConflictError) as caught:
        db.leads.plan_conversion(lead, account=Match())
    assert caught.value.conflict is not None
    assert caught.value.conflict["reason"] == "ambiguous_match"
    assert caught.value.conflict["candidates"] == [{"record": "account", "id": str(one), "score": 99}]
    plan = db.leads.plan_conversion(lead, account=Match(at_least=90), person=Match(at_least=90))
    assert (plan.account.id, plan.contacts[0].kind) == (one, "known")
    assert plan.matches is not None
    assert plan.matches.accounts[0].id == db.leads.match(lead, at_least=90) == one
    assert [found.kind for found in plan.matches.accounts[0].evidence][:2] == ["email", "company"]
    assert db.leads.match(lead, at_least=100) is None
    two = became(db.leads.convert(anna(db)))
    with pytest.raises(leadcore.ConflictError) as caught:
        db.leads.convert(lead, account=Match(at_least=60))
    assert caught.value.conflict is not None
    assert {ref["id"] for ref in caught.value.conflict["candidates"]} == {str(one), str(two)}
    assert db.leads.match(lead, number=2, at_least=99) == two
    with pytest.raises(leadcore.InvalidError, match="at_least"):
        Match(101)


def test_s1_07_an_opportunity_new_or_running_or_ended(db: Database) -> None:
    dear = db.lost_reasons.add("Too dear")
    plain = db.leads.convert(anna(db, amount=3000), opportunity=True)
    assert plain.opportunity_id is not None
    roof = db.opportunities.get(plain.opportunity_id)
    assert (roof.name, roof.amount, roof.currency, roof.state) == ("Nordlys AS", D(3000), "EUR", "open")
    won = db.leads.convert(anna(db), opportunity={"name": "Roof", "state": "won", "on": "2025-12-31", "amount": "5.5"})
    lost = db.leads.convert(anna(db), opportunity={"state": "lost", "reason": dear, "detail": "by 10 %"})
    states = [(one.state, one.lost_detail) for one in map(db.opportunities.get, map(of_one, (won, lost)))]
    assert states == [("won", None), ("lost", "by 10 %")]
    with pytest.raises(leadcore.InvalidError, match="reason"):
        db.leads.convert(anna(db), opportunity={"state": "lost"})
    joined = db.leads.convert(anna(db), opportunity=roof)
    assert (joined.opportunity_id, joined.account_id) == (roof.id, plain.account_id)
    with pytest.raises(leadcore.InvalidError) as caught:
        db.leads.convert(anna(db), into="contacts", opportunity=True)
    assert fields_of(caught.value) == ["opportunity"]
    with pytest.raises(leadcore.InvalidError, match="probabilty"):
        db.leads.convert(anna(db), opportunity=loose({"probabilty": 5}))
    for name, value in (("state", "gone"), ("on", "2025-12-31"), ("detail", "why"), ("amount", "nan")):
        with pytest.raises(leadcore.InvalidError) as caught:
            db.leads.convert(anna(db), opportunity=loose({name: value}))
        assert fields_of(caught.value) == [f"opportunity.{name}"]


def of_one(outcome: leadcore.ConversionOutcome) -> Any:
    assert outcome.opportunity_id is not None
    return outcome.opportunity_id


def test_an_opportunity_is_not_lost_without_a_reason_once_there_are_any(db: Database) -> None:
    made = db.opportunities.get(of_one(db.leads.convert(anna(db), opportunity=True)))
    lost = db.opportunities.lose(made)
    lead = db.leads.move(anna(db), "Lost")
    assert (lost.state, lead.stage.kind) == ("lost", "lost"), "no list, no reason"
    db.lost_reasons.add("Too dear")
    calls = (
        lambda: db.opportunities.lose(db.opportunities.reopen(lost)),
        lambda: db.leads.move(anna(db), "Lost"),
    )
    told = []
    for call in calls:
        with pytest.raises(leadcore.InvalidError) as caught:
            call()
        told.append(caught.value.violations)
    assert told[0] == told[1]
    assert [(broken.field, broken.code) for broken in told[0]] == [("lost_reason", "required")]


def test_each_target_is_numbered_in_its_series(db: Database) -> None:
    north = db.series.add("account", "North", prefix="N-", width=3)
    tenders = db.series.add("opportunity", "Tenders", prefix="T-")
    plan = db.leads.plan_conversion(anna(db), series=north, opportunity={"series": tenders.id})
    assert plan.opportunity is not None
    assert (plan.account.series_id, plan.opportunity.series_id) == (north.id, tenders.id)
    assert plan.opportunity.next_number == "T-1"
    assert [(one.name, one.next) for one in plan.series] == [("Customers", "1"), ("North", "N-001")]
    done = db.apply(plan)
    assert db.accounts.get(became(done)).written_number == "N-001"
    assert db.opportunities.get(of_one(done)).written_number == "T-1"
    shown = db.leads.plan_conversion(anna(db)).series[1]
    assert [(one.text, one.name) for one in shown.last_numbers] == [("N-001", "Nordlys AS")]
    with pytest.raises(leadcore.InvalidError) as caught:
        db.leads.convert(anna(db), series=tenders)
    assert fields_of(caught.value) == ["series"]


def test_s2_24_to_s2_27_the_wizard(db: Database) -> None:
    lead = anna(db)
    roof = db.estimates.create(lead, title="Roof", lines=[Line("Panel", 12, 200, tax=25), Line("Inverter", 1, 900)])
    care = db.estimates.create(lead, title="Care", lines=[Line("Care", 12, 49)])
    roof, care = db.estimates.send(roof), db.estimates.send(care)
    draft = db.leads.plan_conversion(lead)
    assert [(one.title, one.chosen, one.totals.net) for one in draft.estimates] == [
        ("Roof", False, D(3300)),
        ("Care", False, D(588)),
    ]
    one = draft.choose_estimates([roof])
    assert [service.line for service in one.services] == list(roof.lines)
    assert (one.services[1].estimate_id, one.services[1].position, draft.services) == (roof.id, 1, ())
    two = one.customer_information("inactive_with_proforma")
    assert (two.document, two.customer, two.account_fields["status"]) == (
        "proforma",
        "inactive_with_proforma",
        "prospect",
    )
    panel, inverter = two.services
    more = dataclasses.replace(
        panel, line=Line("Panel", 10, 190, tax=25), note="black", until=datetime.date(2099, 12, 31)
    )
    three = two.edit_services([more, inverter, {"description": "Report", "unit_price": 50}])
    assert ConversionPlan.from_json(three.to_json()) == three == pickle.loads(pickle.dumps(three))
    done = db.apply(three)
    assert (done.document, len(done.service_ids)) == ("proforma", 3)
    bought = [db.services.get(which) for which in done.service_ids]
    assert [(one.description, one.state, one.estimate_id) for one in bought] == [
        ("Panel", "inactive", roof.id),
        ("Inverter", "inactive", roof.id),
        ("Report", "inactive", None),
    ]
    assert (bought[0].line.quantity, bought[0].note) == (D(10), "black")
    assert db.accounts.get(became(done)).status == "prospect"
    second = anna(db)
    db.estimates.send(db.estimates.create(second, lines=[Line("Care", 12, 49)]))
    now = db.leads.plan_conversion(second, estimates="all").customer_information(
        "active_with_invoice", convert_now=True
    )
    assert (now.services, now.document, db.apply(now).service_ids) == ((), "invoice", ())
    assert care.id not in {one.estimate_id for one in bought}


def test_each_step_tells_what_is_wrong_at_its_field(db: Database) -> None:
    lead = anna(db)
    other = db.estimates.send(db.estimates.create(anna(db), lines=[Line("Panel", 1, 1)]))
    offer = db.estimates.send(db.estimates.create(lead, lines=[Line("Panel", 1, 1)]))
    plan = db.leads.plan_conversion(lead)
    with pytest.raises(leadcore.InvalidError) as caught:
        plan.choose_estimates([offer, other.id])
    assert fields_of(caught.value) == ["estimates[1]"]
    with pytest.raises(leadcore.InvalidError) as caught:
        db.leads.plan_conversion(lead, into="contacts").customer_information("active_with_invoice")
    assert fields_of(caught.value) == ["customer"]
    with pytest.raises(leadcore.InvalidError) as caught:
        plan.customer_information(loose("vip"))
    assert fields_of(caught.value) == ["customer"]
    [service] = plan.choose_estimates("all").services
    with pytest.raises(leadcore.InvalidError) as caught:
        plan.edit_services([Line("Care", "0.0000001", 1), service, Line("Care", 1, 1, tax=101)])
    assert fields_of(caught.value) == ["services[0].quantity", "services[1].origin", "services[2].tax"]
    late = leadcore.PlannedService(Line("Care", 1, 1), since=loose("2027-01-02"), until=loose("2027-01-01"))
    with pytest.raises(leadcore.InvalidError) as caught:
        plan.edit_services([late])
    assert fields_of(caught.value) == ["services[0].until"]
    with pytest.raises(leadcore.InvalidError) as caught:
        plan.edit_services([leadcore.PlannedService(Line("Care"), since=loose("soon"))])
    assert fields_of(caught.value) == ["services[0].since"]
    for given, name in (([{"description": "Care", "quantity": "x"}], "quantity"), ([{"quantity": 1}], "description")):
        with pytest.raises(leadcore.InvalidError) as caught:
            plan.edit_services(loose(given))
        assert fields_of(caught.value) == [f"services[0].{name}"]
    with pytest.raises(TypeError, match=r"`services\[0\]`"):
        plan.edit_services(loose([5]))


def test_what_is_wrong_in_a_service_is_told_by_its_own_fields(db: Database) -> None:
    lead = anna(db)
    db.leads.convert(lead)
    care = db.services.create(lead, Line("Care"))
    calls = {
        "quantity": {"description": "Care", "quantity": "0.0000001"},
        "unit_price": {"description": "Care", "unit_price": "nan"},
        "colour": {"description": "Care", "colour": "red"},
    }
    for name, line in calls.items():
        with pytest.raises(leadcore.InvalidError) as caught:
            db.services.create(lead, line)
        assert fields_of(caught.value) == [name]
        with pytest.raises(leadcore.InvalidError) as caught:
            db.services.edit(care, line=line)
        assert fields_of(caught.value) == [name]
    with pytest.raises(leadcore.InvalidError) as caught:
        db.services.create(lead, Line("Care"), since="soon")
    assert fields_of(caught.value) == ["since"]
    with pytest.raises(leadcore.InvalidError) as caught:
        db.services.edit(care, since="soon")
    assert fields_of(caught.value) == ["since"]
    with pytest.raises(TypeError, match="`line`"):
        db.services.edit(care, line=loose(5))


def test_a_plan_shows_links_and_keeps_children_reachable(db: Database) -> None:
    lead = anna(db)
    ola = db.contacts.add(lead, name="Ola Vik", primary=True)
    plan = db.leads.plan_conversion(lead, opportunity=True)
    told = [(link.source[0], link.role, link.target) for link in plan.links]
    assert told == [
        ("lead", "converted_to", ("account", None)),
        ("account", "primary_contact", ("contact", ola.id)),
        ("account", "contact", ("contact", None)),
        ("lead", "contact", ("contact", None)),
        ("lead", "opportunity", ("opportunity", None)),
    ]
    done = db.apply(plan)
    added = sorted((link.source[0], link.role, link.target[0]) for link in done.links)
    assert added == sorted((source, role, target[0]) for source, role, target in told)


def test_the_options_are_refused_by_name(db: Database) -> None:
    lead = anna(db)
    wrong: dict[str, tuple[type[Exception], Any]] = {
        "into": (leadcore.InvalidError, "nothing"),
        "status": (leadcore.InvalidError, "friend"),
        "customer": (leadcore.InvalidError, "vip"),
        "account": (leadcore.InvalidError, "x"),
        "person": (TypeError, 5),
        "series": (leadcore.InvalidError, "\ud800"),
        "estimates": (leadcore.InvalidError, "some"),
        "opportunity": (TypeError, 5),
        "acount": (leadcore.InvalidError, None),
    }
    for name, (kind, value) in wrong.items():
        for call in (db.leads.plan_conversion, db.leads.convert):
            with pytest.raises(kind, match=f"`{name}`"):
                call(lead, **{name: value})
        with pytest.raises(kind, match=f"`{name}`"):
            db.leads.convert_many([lead], **{name: value})
    with pytest.raises(leadcore.NotFoundError):
        db.leads.convert(lead, account=lead.id)


def test_x_07_the_mapping_is_data(db: Database) -> None:
    db.catalogue.add_field("x_budget", label="Budget", type="integer")
    mapping = db.conversion_mapping.get()
    assert (mapping.revision, mapping == leadcore.ConversionMapping.standard()) == (None, True)
    lost = {key for one in db.conversion_mapping.lint() if one.code == "lost" for key in one.sources}
    assert "x_budget" in lost
    changed = mapping.without(target="account.industry").with_rule("industry", "account.description", "append")
    changed = changed.staying("x_budget")
    warnings = db.conversion_mapping.set(changed)
    assert all(one.severity == "warning" for one in warnings)
    assert "x_budget" not in {key for one in warnings for key in one.sources}
    stored = db.conversion_mapping.get()
    assert (stored, stored.revision) == (changed, 1)
    with pytest.raises(leadcore.ConflictError):
        db.conversion_mapping.set(changed)
    lead = anna(db, industry="Energy", description="Roof", x_budget=5)
    plan = db.leads.plan_conversion(lead)
    assert plan.account_fields["description"] == "Roof\nEnergy"
    seen = [(one.source, one.target, one.new) for one in db.conversion_mapping.preview(lead).writes]
    assert seen == [(one.source, one.target, one.new) for one in plan.writes if one.target.startswith("account")]
    wrong = stored.with_rule("amount", "account.owner").with_rule("city", "account.city")
    with pytest.raises(leadcore.InvalidError) as caught:
        db.conversion_mapping.set(wrong)
    assert set(fields_of(caught.value)) == {"account.city", "account.owner"}
    odd = leadcore.ConversionMapping(
        (leadcore.MappingRule("nowhere", "account", loose("sometimes")),),
        ("neither",),
    )
    with pytest.raises(leadcore.InvalidError) as caught:
        db.conversion_mapping.lint(odd)
    assert fields_of(caught.value) == ["rules[0].source", "rules[0].target", "rules[0].policy", "stays[0]"]
    names = {one.name: one for one in db.conversion_mapping.fields()}
    assert names["account.name"].required
    assert names["opportunity.amount"].takes == "amount"


def test_x_07_the_fields_of_targets_have_those_of_the_tenant(db: Database) -> None:
    assert not any(one.name.partition(".")[2].startswith("x_") for one in db.conversion_mapping.fields())
    db.catalogue.of("account").add_field("x_seats", label="Seats", type="integer", required=True)
    db.catalogue.of("contact").add_field("x_size", label="Size", type="one_of", choices={"s": "Small", "l": "Large"})
    db.catalogue.add_field("x_lead", label="Of leads alone")
    own = [one for one in db.conversion_mapping.fields() if one.name.partition(".")[2].startswith("x_")]
    assert [(one.name, one.label, one.choices) for one in own] == [
        ("account.x_seats", "Seats", ()),
        ("contact.x_size", "Size", ("s", "l")),
    ]
    with leadcore.open(":memory:", tenant="other") as other:
        assert "account.x_seats" not in {one.name for one in other.conversion_mapping.fields()}


def test_consent_is_as_strict_as_the_stricter_one(db: Database) -> None:
    known = became(db.leads.convert(anna(db)))
    lead = anna(db, email=leadcore.Email("anna@nordlys.example", opted_out=True))
    db.leads.convert(lead, account=known)
    [mail] = db.accounts.get(known).emails
    assert mail.opted_out
    willing = anna(db)
    db.leads.convert(willing, account=known)
    assert db.accounts.get(known).emails[0].opted_out, "nobody opts in by a conversion"


def test_s1_14_who_may_not_convert_is_told(db: Database) -> None:
    lead = anna(db)
    roles = leadcore.RoleTable().role("viewer", leadcore.Role.viewer()).user("eve", "viewer")
    with leadcore.open(":memory:", user="eve", policy=roles) as limited:
        theirs = limited.as_user(None).leads.create(company="Nordlys AS")
        with pytest.raises(leadcore.DeniedError):
            limited.leads.plan_conversion(theirs)
        with pytest.raises(leadcore.DeniedError):
            limited.leads.convert_many("")
    db.leads.edit(lead, city="Oslo")
    with pytest.raises(leadcore.ConflictError):
        db.leads.convert(lead)
    assert db.leads.convert(lead.id).newly_converted


def test_a_key_of_the_callers_stands_for_one_conversion(db: Database) -> None:
    lead, other = db.leads.create(company="Nordlys AS"), db.leads.create(company="Fjord AS")
    first = db.leads.convert(lead.id, key="order 4711")
    again = db.leads.convert(lead.id, key="order 4711")
    assert (again.account_id, again.newly_converted) == (first.account_id, False)
    with pytest.raises(leadcore.ConflictError):
        db.leads.convert(other.id, key="order 4711")
    with pytest.raises(leadcore.ConflictError):
        db.leads.convert(lead.id, key="order 4711", status="prospect")
    back = db.leads.unconvert(lead, key="back 1")
    assert db.leads.unconvert(lead, key="back 1").operation == back.operation
    # A late retry of the first call does not convert again.
    assert db.leads.convert(lead.id, key="order 4711").account_id == first.account_id
    assert db.leads.get(lead.id).state == "open"
    for bad in (" ", "x" * 201):
        with pytest.raises(leadcore.InvalidError, match="key"):
            db.leads.convert(other.id, key=bad)
