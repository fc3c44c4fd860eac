"""Conversion into what is there: who may, and what is neither shown nor written."""

from __future__ import annotations

from typing import Any

import leadcore
import pytest
from conftest import became
from leadcore import ConversionPlan, Database, Role, RoleTable


def test_what_is_hidden_of_a_customer_is_neither_shown_nor_written_by_a_plan(db: Database, tmp_path: Any) -> None:
    sales = Role().grant("view", "all").grant("create", "own").grant("edit", "own").grant("convert", "own")
    roles = RoleTable().role("sales", sales.hide("phone")).role("boss", Role.manager())
    roles = roles.user("eve", "sales").user("mona", "boss")
    with leadcore.open(tmp_path / "hidden.db", tenant="acme", policy=roles) as office:
        eve, mona = office.as_user("eve"), office.as_user("mona")
        theirs = mona.leads.convert(mona.leads.create(company="Nordlys AS", phone="+47 22 22 22 22")).account_id
        own = eve.leads.create(company="Nordlys Nord")
        for call in (eve.leads.plan_conversion, eve.leads.convert):
            with pytest.raises(leadcore.DeniedError):
                call(own, account=theirs)
        mine = became(eve.leads.convert(own))
        mona.accounts.edit(mona.accounts.get(mine), phone="+47 22 12 34 56")
        second = eve.leads.create(company="Nordlys Syd", city="Oslo")
        plan = eve.leads.plan_conversion(second, account=mine)
        assert (plan.hidden, "22123456" in plan.to_json().replace(" ", "")) == (["phone"], False)
        data = plan.to_dict()
        data["account"]["existing"]["fields"].update(name="Nordlys Syd AS", phones=[])
        del data["hidden"]
        eve.apply(ConversionPlan(data))
        account = mona.accounts.get(mine)
        assert (account.name, account.phone, account.city) == ("Nordlys Syd AS", "+47 22 12 34 56", "Oslo")
        assert db.leads.plan_conversion(db.leads.create(company="Nordlys AS")).hidden == []


def test_an_opportunity_of_a_series_without_gaps_is_lost_and_keeps_its_number(db: Database) -> None:
    deals = db.series.add("opportunity", "Deals", prefix="D-", gapless=True)
    lead = db.leads.create(company="Nordlys AS", name="Anna Berg", amount=10, currency="EUR")
    done = db.leads.convert(lead, opportunity={"series": deals})
    plan = db.leads.plan_unconvert(lead)
    assert plan.blockers == ()
    assert ("opportunity", "closed") in [(one.subject[0], one.fate) for one in plan.records]
    db.apply(plan)
    kept = db.opportunities.list(state="lost")
    assert [(one.id, one.number, one.origin_lead_id, one.contact_ids) for one in kept] == [
        (done.opportunity_id, 1, None, ())
    ]
    assert [row.leads for row in db.reports.by("source").rows] == [1]
    assert db.reports.by("source").rows[0].money == (), "it counts for no lead"
    again = db.leads.convert(lead.id, opportunity={"series": deals})
    assert again.opportunity_id is not None
    assert db.opportunities.get(again.opportunity_id).number == 2


def test_leads_that_have_a_new_person_too_are_named(db: Database) -> None:
    first, second = (db.leads.create(company=name, name="Anna Berg") for name in ("Nordlys AS", "Fjord AS"))
    [person] = db.leads.convert(first).contact_ids
    db.leads.convert(second, person=person)
    [blocker] = db.leads.plan_unconvert(first).blockers
    assert (blocker.blocker, blocker.leads) == ("in_use", (second.id,))


@pytest.mark.parametrize("text", ["n/a", "0", "none", "Unknown", "000 000 000", "xxx", "N.A."])
def test_what_stands_for_no_tax_number_is_nobodys(db: Database, text: str) -> None:
    db.leads.convert(db.leads.create(company="Nordlys AS", tax_id=text))
    lead = db.leads.create(company="Fjord AS", tax_id=text)
    assert lead.tax_id == text
    assert not db.leads.matches(lead)
    same = db.leads.create(company="Nordlys AS", tax_id="923 609 016")
    assert db.leads.matches(same).accounts[0].score == 70, "and it speaks against nobody"


def test_who_follows_the_account_follows_the_lead_again(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    db.followers.follow(lead)
    account = db.accounts.get(became(db.leads.convert(lead)))
    for user in ("ada", "bob"):
        db.followers.follow(account, user=user)
    db.leads.unconvert(lead.id)
    assert [one.user for one in db.followers.of(lead)] == ["ada", "bob"]
    assert db.followers.followed_by("bob")[0].id == lead.id
    assert not db.followers.of(account)


def test_a_number_is_matched_as_people_write_it(db: Database) -> None:
    north = db.series.add("account", "North", prefix="N-", width=4)
    first = became(db.leads.convert(db.leads.create(company="Nordlys AS")))
    second = became(db.leads.convert(db.leads.create(company="Fjord AS"), series=north))
    lead = db.leads.create(company="Vik AS")
    for number, account in (("N-0001", second), ("1", first), ("N-0002", None), ("nonsense", None)):
        found = [(one.id, one.score) for one in db.leads.matches(lead, number=number).accounts]
        assert found == ([] if account is None else [(account, 100)]), number
    assert [one.score for one in db.leads.matches(lead, number=1).accounts] == [40, 40]
    assert db.leads.match(lead, at_least=90, number="N-0001") == second
    assert db.leads.match(lead, at_least=90, number=1) is None
    with pytest.raises(TypeError, match="number"):
        db.leads.matches(lead, number=1.5)  # type: ignore[arg-type]


def test_a_company_is_found_however_its_letters_are_spelled(db: Database) -> None:
    for company in ("Müller GmbH", "Oersted", "The Acme Company"):
        db.leads.convert(db.leads.create(company=company))
    for company, known in (("Mueller", "Müller GmbH"), ("Ørsted A/S", "Oersted"), ("ACME Inc.", "The Acme Company")):
        found = db.leads.matches(db.leads.create(company=company)).accounts
        assert [(one.name, one.score) for one in found] == [(known, 70)]
