"""What a plan of a conversion shows to somebody from whom fields are hidden, and what is written all the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import leadcore
import pytest
from leadcore import ConversionPlan, Database, Line, Role, RoleTable

SECRETS = ("1234.5", "1234", "Kari", "Berg", "kari@", "99887766", "99 88 77 66", "Klausul", "12345")


def _role(*hidden: str) -> Role:
    role = Role.manager()
    for field in hidden:
        role = role.hide(field)
    return role


@pytest.fixture
def office() -> Iterator[Database]:
    """A boss who sees all, and others who do not see some of it."""
    roles = (
        RoleTable()
        .role("boss", Role.manager())
        .role("worthless", _role("amount"))
        .role("placeless", _role("currency"))
        .role("nameless", _role("name", "first_name", "last_name", "email", "phone"))
        .role("secretless", _role("x_secret", "phone"))
        .user("mona", "boss")
        .user("eve", "worthless")
        .user("cleo", "placeless")
        .user("nils", "nameless")
        .user("sara", "secretless")
    )
    with leadcore.open(":memory:", tenant="acme", policy=roles) as db:
        yield db


def _as(office: Database, user: str) -> Any:
    return office.as_user(user)


def _nothing_secret(plan: ConversionPlan) -> None:
    for shown in (plan.to_json(), plan._repr_html_(), repr(plan)):
        for secret in SECRETS:
            assert secret not in shown, secret


@pytest.mark.parametrize("applied_by", ["eve", "mona"])
def test_a_plan_shows_no_prices_where_amounts_are_hidden(office: Database, applied_by: str) -> None:
    mona, eve = _as(office, "mona"), _as(office, "eve")
    lead = mona.leads.create(company="Nordlys AS", amount=Decimal("1234.5"), currency="EUR")
    lines = [Line("Panel", 2, Decimal("1234.5"), discount_percent=10, tax=25), Line("Inverter", 1, Decimal(12345))]
    offer = mona.estimates.send(mona.estimates.create(lead, title="Roof", lines=lines))
    plan = eve.leads.plan_conversion(lead, estimates="all", opportunity=True)
    _nothing_secret(plan)
    assert [one.description for one in plan.estimates[0].lines] == ["Panel", "Inverter"]
    plan = plan.choose_estimates(None).choose_estimates([offer]).customer_information("active_with_invoice")
    panel, inverter = plan.services
    _nothing_secret(plan)
    plan = plan.edit_services([inverter, panel, Line("Care", 12, 49)])
    plan = ConversionPlan.from_json(plan.to_json())
    done = _as(office, applied_by).apply(plan)
    made = {one.description: one for one in mona.services.list(account=done.account_id)}
    assert made["Panel"].line.unit_price == Decimal("1234.5")
    assert (made["Panel"].line.discount_percent, made["Panel"].currency) == (10, "EUR")
    assert (made["Inverter"].line.unit_price, made["Care"].line.unit_price) == (12345, 49)
    assert mona.opportunities.get(done.opportunity_id).amount == Decimal("1234.5")


@pytest.mark.parametrize("applied_by", ["cleo", "mona"])
def test_a_plan_shows_no_currency_where_it_is_hidden(office: Database, applied_by: str) -> None:
    mona, cleo = _as(office, "mona"), _as(office, "cleo")
    lead = mona.leads.create(company="Nordlys AS", amount=100, currency="CHF")
    mona.estimates.create(lead, title="Roof", lines=[Line("Panel", 2, 5), Line("Care", 1, 7)])
    plan = cleo.leads.plan_conversion(lead, opportunity=True, estimates="all")
    assert (plan.estimates[0].currency, plan.estimates[0].lines[0].unit_price) == (None, 5)
    assert [one.currency for one in plan.services] == [None, None]
    for shown in (plan.to_json(), plan._repr_html_(), repr(plan)):
        assert "CHF" not in shown
    panel, care = plan.choose_estimates("all").services
    # Prices are not hidden: what is said of them holds.
    plan = plan.edit_services([dataclasses.replace(panel, line=Line("Panel", 2, 6)), care])
    done = _as(office, applied_by).apply(ConversionPlan.from_json(plan.to_json()))
    made = {one.description: one for one in mona.services.list(account=done.account_id)}
    assert {name: (one.line.unit_price, one.currency) for name, one in made.items()} == {
        "Panel": (6, "CHF"),
        "Care": (7, "CHF"),
    }
    assert {one.currency for one in cleo.services.list(account=done.account_id)} == {None}


def test_a_plan_calls_a_consumer_by_its_number_where_names_are_hidden(office: Database) -> None:
    mona, nils = _as(office, "mona"), _as(office, "nils")
    lead = mona.leads.create(kind="consumer", name="Kari Berg", email="kari@berg.example", city="Oslo")
    plan = nils.leads.plan_conversion(lead)
    _nothing_secret(plan)
    assert (plan.account_fields["name"], plan.account_fields["address"]["city"]) == (f"#{lead.number}", "Oslo")
    plan = plan.customer_information("neither", account_fields={"city": "Tromsø"})
    assert plan.missing == ()
    _nothing_secret(plan)
    account = mona.accounts.get(nils.apply(plan).account_id)
    assert (account.name, account.city, account.email) == ("Kari Berg", "Tromsø", "kari@berg.example")
    # What somebody calls it stays so.
    other = mona.leads.create(kind="consumer", name="Kari Berg")
    plan = nils.leads.plan_conversion(other).customer_information("neither", account_fields={"name": "Household 7"})
    assert mona.accounts.get(nils.apply(plan).account_id).name == "Household 7"
    third = mona.leads.create(kind="consumer", name="Kari Berg")
    assert mona.accounts.get(nils.leads.convert(third).account_id).name == "Kari Berg"


@pytest.mark.parametrize("joins", [False, True])
@pytest.mark.parametrize("applied_by", ["sara", "mona"])
def test_a_plan_shows_nothing_hidden_that_a_rule_takes_into_a_field_that_is_seen(
    office: Database, applied_by: str, joins: bool
) -> None:
    mona, sara = _as(office, "mona"), _as(office, "sara")
    mona.catalogue.add_field("x_secret", label="Secret")
    mona.catalogue.of("account").add_field("x_terms", label="Terms", required=True)
    mapping = mona.conversion_mapping.get()
    for rule in (
        ("x_secret", "account.x_terms", "overwrite"),
        ("phone", "account.description", "append"),
        ("x_secret", "contact.description", "append"),
        ("x_secret", "opportunity.description", "overwrite"),
        ("company", "opportunity.name", "overwrite"),
    ):
        mapping = mapping.with_rule(*rule)
    mona.conversion_mapping.set(mapping)
    into: dict[str, Any] = {}
    if joins:
        known = mona.accounts.create(name="Nordlys AS", description="An old friend", x_terms="30 days")
        into = {"account": known}
    fields = {"name": "Ola Dal", "phone": "+47 99 88 77 66", "x_secret": "Klausul 5", "city": "Oslo"}
    lead = mona.leads.create(company="Nordlys AS", **fields)
    plan = sara.leads.plan_conversion(lead, opportunity=True, **into)
    _nothing_secret(plan)
    assert "account.city" in [one.target for one in plan.writes]
    assert plan.account_fields["description"] == ("An old friend" if joins else None)
    assert plan.missing == ()
    if not joins:
        plan = plan.customer_information("neither", contact_fields={"job_title": "Buyer"})
        assert plan.missing == ()
    _nothing_secret(plan)
    done = _as(office, applied_by).apply(ConversionPlan.from_json(plan.to_json()))
    account = mona.accounts.get(done.account_id)
    assert account.x_terms == "Klausul 5"
    assert account.description.startswith("An old friend" if joins else "+47")
    assert "99" in account.description
    [person] = mona.contacts.of(account)
    assert person.description == "Klausul 5"
    assert mona.opportunities.get(done.opportunity_id).description == "Klausul 5"
    again = mona.leads.create(company="Fjord AS", **fields)
    at_once = sara.leads.convert(again, opportunity={"description": "Said"}, account_fields={"x_terms": "10 days"})
    assert mona.opportunities.get(at_once.opportunity_id).description == "Said"
    assert mona.accounts.get(at_once.account_id).x_terms == "10 days"
    third = mona.leads.create(company="Berg Vest AS", **fields)
    said = sara.leads.plan_conversion(third, opportunity={"description": "Said"}, account_fields={"x_terms": "10 days"})
    assert said.account_fields["custom"]["x_terms"] is not None
    made = _as(office, applied_by).apply(said)
    assert mona.opportunities.get(made.opportunity_id).description == "Said"
    assert mona.accounts.get(made.account_id).x_terms == "10 days"
