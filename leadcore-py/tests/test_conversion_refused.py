"""What conversions refuse from Python, by the name of what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import leadcore
import pytest
from leadcore import Database, Line
from test_conversion import loose


def fields_of(call: Callable[..., object], *given: Any, **options: Any) -> list[str]:
    with pytest.raises(leadcore.InvalidError) as caught:
        call(*given, **options)
    return [one.field for one in caught.value.violations]


@pytest.mark.parametrize("key", [" k1 ", "k\0", "k\n1"])
def test_a_key_is_refused_by_its_name(db: Database, key: str) -> None:
    lead = db.leads.create(company="Nordlys AS")
    assert fields_of(lambda: db.leads.convert(lead, key=key)) == ["key"]
    assert fields_of(lambda: db.leads.unconvert(lead, key=key)) == ["key"]


def test_a_plan_that_does_not_fit_says_where(db: Database) -> None:
    plan = db.leads.plan_conversion(db.leads.create(company="Nordlys AS")).to_dict()
    for key, value in (("account", None), ("contacts", {}), ("opportunity", 3), ("lead", "x")):
        with pytest.raises(leadcore.InvalidError) as caught:
            leadcore.ConversionPlan({**plan, key: value})
        assert [one.field for one in caught.value.violations] == [key]
    with pytest.raises(leadcore.InvalidError) as caught:
        leadcore.ConversionPlan({key: value for key, value in plan.items() if key != "account"})
    assert [one.field for one in caught.value.violations] == ["account"]
    with pytest.raises(TypeError, match="`at_least`"):
        leadcore.Match(True)


def _named(name: str) -> Callable[..., str]:
    return lambda _outcome, _plan: name


def test_what_a_target_made_has_a_name(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    for name in (" ", "", "x" * 1_001):
        with pytest.raises(leadcore.InvalidError) as caught, db.transaction():
            db.leads.convert(lead, targets=[leadcore.Target("erp", _named(name))])
        assert [one.field for one in caught.value.violations] == ["reference"]
    assert db.leads.get(lead).state == "open"


def test_a_blocker_says_who_wrote_what(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    made = db.leads.convert(lead).account_id
    assert made is not None
    account = db.accounts.get(made)
    db.as_user("bob").accounts.edit(account, city="Oslo")
    [blocker] = db.leads.plan_unconvert(lead).blockers
    [since] = blocker.since
    assert (since.user, since.kind, since.at.tzinfo is not None) == ("bob", "edit", True)
    db.undo(since.operation)
    assert db.leads.plan_unconvert(lead).blockers == ()
    db.leads.unconvert(lead)


def test_options_without_an_effect_are_refused(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", name="Anna Berg")
    known = db.accounts.create(name="Known AS")
    running = db.opportunities.create(known, name="Running")
    series = db.series.add("account", "North", prefix="N-")
    wrong: list[tuple[dict[str, Any], list[str]]] = [
        ({"into": "contacts", "status": "customer"}, ["status"]),
        ({"account": known, "status": "customer"}, ["status"]),
        ({"opportunity": running, "status": "prospect"}, ["status"]),
        ({"customer": "active_with_invoice", "status": "prospect"}, ["status"]),
        ({"customer": "inactive_with_proforma", "status": "customer"}, ["status"]),
        ({"into": "contacts", "series": series}, ["series"]),
        ({"account": known, "series": series}, ["series"]),
        ({"into": "contacts", "estimates": "all"}, ["estimates"]),
    ]
    for options, fields in wrong:
        assert fields_of(db.leads.plan_conversion, lead, **options) == fields, options
        assert fields_of(db.leads.convert, lead, **options) == fields, options


def test_a_service_that_cannot_be_read_hides_no_other(db: Database) -> None:
    plan = db.leads.plan_conversion(db.leads.create(company="Nordlys AS", currency="EUR"))
    unread: list[Any] = [
        {"description": "Care", "quantity": "x"},
        Line("Panel", 1, 1),
        {"description": "Care", "unit_price": "y"},
    ]
    assert fields_of(plan.edit_services, unread) == ["services[0].quantity", "services[2].unit_price"]
    strange = [Line("Care", "0.0000001", 1), Line("Panel", 1, 1), Line("Care", "0.0000002", 1)]
    assert fields_of(plan.edit_services, strange) == ["services[0].quantity", "services[2].quantity"]


def test_days_of_a_report_are_refused_by_name(db: Database) -> None:
    assert fields_of(lambda: db.reports.by(first_day="x")) == ["first_day"]
    assert fields_of(lambda: db.reports.by(last_day="2026-02-30")) == ["last_day"]


def test_a_cost_beside_leads_of_two_periods(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    db.costs.add("100", "EUR", lead.created_at.date())
    [row] = db.reports.by("month", "year").rows
    money = row.money_in("EUR")
    assert money is not None
    assert (row.leads, money.cost) == (1, Decimal(100))


def test_a_cost_has_the_places_of_its_currency(db: Database) -> None:
    for amount, currency in (("5.123", "EUR"), ("5.5", "JPY"), ("-5.123", "EUR")):
        assert fields_of(db.costs.add, amount, currency, "2026-01-01") == ["amount"]
    assert fields_of(db.costs.add, "1E+40", "EUR", "2026-01-01") == ["amount"]
    with pytest.raises(TypeError, match="year_begins"):
        db.reports.by("quarter", year_begins=True)
    assert db.costs.add("-5", "EUR", "2026-01-01").amount == Decimal(-5), "some of it was paid back"


def test_a_target_cannot_convert_its_own_lead_again(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    again = leadcore.Target("erp", lambda _, __: str(db.leads.convert(lead)))
    with pytest.raises(leadcore.UnsupportedError, match="going on"):
        db.leads.convert(lead, targets=[again])
    assert db.leads.get(lead).state == "open"


def test_a_key_that_was_used_before_says_what_differs(db: Database) -> None:
    first, other = (db.leads.create(company=name) for name in ("Nordlys AS", "Fjord AS"))
    db.leads.convert(first, key="order 1")
    with pytest.raises(leadcore.ConflictError) as caught:
        db.leads.convert(other, key="order 1")
    assert caught.value.conflict is not None
    assert caught.value.conflict["reason"] == "key_reused"
    assert caught.value.conflict["differs"] == ["lead"]


def test_an_account_that_is_gone_is_not_blamed_on_the_lead(db: Database) -> None:
    lead, account = db.leads.create(company="Nordlys AS"), db.accounts.create(name="Gone AS")
    db.accounts.delete(account)
    with pytest.raises(leadcore.NotFoundError, match=r"^account not found$"):
        db.leads.convert(lead.id, account=account.id)


def test_a_plan_that_cannot_be_read_names_the_field(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", name="Anna Berg", email="anna@n.example")
    text = db.leads.plan_conversion(lead).to_json()
    for whole, broken, field in [
        ('"status": "customer"', '"status": "king"', "account.new.fields.status"),
        ("anna@n.example", "anna at n", "account.new.fields.emails"),
    ]:
        assert whole in text
        with pytest.raises(leadcore.InvalidError) as caught:
            leadcore.ConversionPlan.from_json(text.replace(whole, broken, 1))
        [violation] = caught.value.violations
        assert violation.field.startswith(field), violation
        assert not any(said in str(caught.value) for said in ("king", "anna"))
    with pytest.raises(leadcore.InvalidError) as caught:
        leadcore.ConversionPlan.from_json(text.replace('"contacts"', '"karl"', 1))
    assert "karl" not in str(caught.value)


def test_a_term_is_said_by_its_name(db: Database) -> None:
    dear, fair = db.lost_reasons.add("Too dear"), db.sources.add("Fair")
    lead = db.leads.create(company="Nordlys AS")
    made = db.leads.convert(lead, opportunity={"state": "lost", "reason": "too dear", "source": "fair"})
    assert made.opportunity_id is not None
    lost = db.opportunities.get(made.opportunity_id)
    assert (lost.lost_reason, lost.source) == (dear.id, fair.id)
    other = db.opportunities.create(lead, name="Roof", source="Fair")
    assert db.opportunities.edit(other, source="FAIR").source == fair.id
    assert db.opportunities.lose(other, reason="Too dear").lost_reason == dear.id
    assert {one.id for one in db.opportunities.list(source="Fair")} == {lost.id, other.id}
    second = db.leads.create(company="Fjord AS")
    wanted: dict[str, Any] = {"state": "lost", "reason": "Nobody", "source": "Nowhere"}
    assert fields_of(db.leads.convert, second, opportunity={"source": "Nowhere"}) == ["opportunity.source"]
    assert fields_of(db.leads.plan_conversion, second, opportunity={**wanted, "source": None}) == ["opportunity.reason"]
    assert fields_of(db.leads.convert, second, opportunity={"state": "won", "reason": "Too dear"}) == [
        "opportunity.reason"
    ]
    assert fields_of(db.opportunities.create, lead, name="A", source="Nowhere") == ["source"]
    assert fields_of(db.opportunities.list, source="Nowhere") == ["source"]
    assert fields_of(db.opportunities.lose, db.opportunities.reopen(other.id), reason="Nobody") == ["reason"]


def test_what_is_wrong_with_a_service_names_its_place(db: Database) -> None:
    plan = db.leads.plan_conversion(db.leads.create(company="Nordlys AS", currency="EUR"))
    good = Line("Care", 1, 49)
    wrong: list[tuple[Any, str]] = [
        ({"description": "Care", "quantity": "many"}, "quantity"),
        (Line("Care", "0.0000001", 1), "quantity"),
        (Line(" ", 1, 1), "description"),
        (Line("Care", 1, "1e20"), "unit_price"),
        (leadcore.PlannedService(good, currency="nothing"), "currency"),
        (leadcore.PlannedService(good, since=loose("soon")), "since"),
        (leadcore.PlannedService(good, until=loose("soon")), "until"),
        (leadcore.PlannedService(good, since=loose("2026-02-01"), until=loose("2026-01-01")), "until"),
        ({"description": "Care", "discount": 1, "discount_percent": 1}, "discount"),
        ({"description": "Care", "colour": "red"}, "colour"),
        ({"quantity": 1}, "description"),
    ]
    for service, field in wrong:
        with pytest.raises(leadcore.InvalidError) as caught:
            plan.edit_services([good, good, service])
        assert [one.field for one in caught.value.violations] == [f"services[2].{field}"], service
        assert f"services[2].{field}" in str(caught.value)


def test_what_stands_against_a_conversion_is_told_at_once(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", name="Anna Berg")
    db.catalogue.of("account").add_field("x_terms", label="Payment terms", required=True)
    db.settings.set_function("convert", leadcore.F.city == "Bergen")
    lead = db.leads.disqualify(lead)
    wrong: Any = {"contact_fields": {"email": "no address"}}
    for call in (db.leads.convert, db.leads.plan_conversion):
        assert sorted(fields_of(call, lead)) == ["account.x_terms", "convert", "state"]
        assert sorted(fields_of(call, lead, **wrong)) == ["account.x_terms", "contact.email", "convert", "state"]
