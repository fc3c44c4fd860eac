"""Many leads converted at once, and the way back."""

from __future__ import annotations

import pickle
from typing import Any

import leadcore
import pytest
from conftest import became
from leadcore import Database, Match, UnconvertPlan
from test_conversion import anna


def test_x_08_many_leads_each_for_itself(db: Database) -> None:
    done, lost, old, gone = (anna(db, company=name) for name in ("A", "B", "C", "D"))
    db.leads.move(lost, "Lost")
    first = db.leads.convert(old)
    db.leads.delete(gone)
    many = db.leads.convert_many([one.id for one in (done, lost, old, gone)], status="prospect")
    assert [result.code for result in many.results] == ["done", "gate_unmet", "already", "not_found"]
    assert (many.totals.done, many.totals.already, len(many.refused)) == (1, 1, 2)
    assert many.results[2].outcome is not None
    assert many.results[2].outcome.account_id == first.account_id
    assert many.results[1].violations
    new = many.results[0].outcome
    assert new is not None
    assert db.accounts.get(became(new)).status == "prospect"
    twins = [anna(db, company="A"), anna(db, company="A")]
    asked = db.leads.convert_many(twins, account=Match())
    assert [result.code for result in asked.results] == ["ambiguous", "ambiguous"]
    assert {ref.id for ref in asked.results[0].candidates} >= {new.account_id}
    stale = db.leads.convert_many([done])
    assert stale.results[0].code == "already"
    edited = anna(db, company="E")
    db.leads.edit(edited, city="Oslo")
    [late] = db.leads.convert_many([edited]).results
    assert (late.code, late.conflict) == ("conflict", {"reason": "stale_revision", "expected": 1, "found": 2})
    with pytest.raises(leadcore.ConflictError):
        db.leads.convert_many("company = E", expected=5)


def test_x_08_in_batches_with_progress(db: Database) -> None:
    db.leads.create_many({"company": f"Company {n}"} for n in range(10))
    heard: list[leadcore.ConversionProgress] = []
    many = db.leads.convert_many("", batch=3, progress=heard.append, into="account")
    assert (many.totals.done, len(heard), heard[-1].leads, heard[-1].totals) == (10, 10, 10, many.totals)
    assert heard[3].last == many.results[3]

    db.leads.create_many({"company": f"More {n}"} for n in range(10))
    stopped = db.leads.convert_many("company ~ More", batch=4, progress=lambda told: told.leads < 2)
    assert (stopped.totals.done, customers(db)) == (4, 14)

    def fails(told: leadcore.ConversionProgress) -> None:
        raise RuntimeError(str(told.leads))

    with pytest.raises(RuntimeError, match="1"):
        db.leads.convert_many(stopped_at(db), batch=2, progress=fails)
    assert customers(db) == 16, "what was committed stays"
    rest = db.leads.convert_many("company ~ More", batch=100)
    assert (rest.totals.done, rest.totals.already) == (4, 6), "the same call goes on"
    with pytest.raises(leadcore.UnsupportedError), db.transaction():
        db.leads.convert_many("", batch=2)
    with pytest.raises(leadcore.InvalidError, match="batch"):
        db.leads.convert_many("", batch=0)


def customers(db: Database) -> int:
    return len(list(db.accounts.iter()))


def stopped_at(db: Database) -> list[Any]:
    return [lead.id for lead in db.leads.iter(where="company ~ More", sort="number") if lead.state == "open"]


def test_x_09_back_and_forth(db: Database) -> None:
    lead = anna(db, amount=3000)
    note = db.activities.note(lead, "They called.")
    before = db.leads.get(lead).to_dict()
    done = db.leads.convert(lead, opportunity=True)
    plan = db.leads.plan_unconvert(lead)
    fates = {one.subject[0]: one.fate for one in plan.records}
    assert fates == {"account": "archived", "contact": "removed", "opportunity": "removed"}
    assert (plan.lead_id, plan.conversion, plan.blockers) == (lead.id, done.operation, ())
    assert UnconvertPlan.from_json(plan.to_json()) == plan == pickle.loads(pickle.dumps(plan))
    back = db.apply(plan)
    assert (back.newly_unconverted, back.records, back.conversion) == (True, plan.records, done.operation)
    assert not db.apply(plan).newly_unconverted
    after = db.leads.get(lead).to_dict()
    changing = ("revision", "updated_at")
    assert {k: v for k, v in after.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }
    assert db.leads.page(lead).tab("note")[0] == note
    assert (len(db.accounts.list()), len(db.opportunities.list())) == (0, 0)
    with pytest.raises(leadcore.InvalidError):
        db.leads.unconvert(lead)
    again = db.leads.convert(db.leads.get(lead))
    assert (again.newly_converted, again.account_number) == (True, 2), "the number stays taken"


def test_x_09_what_one_hung_on_a_new_account_goes_on_to_the_lead(db: Database) -> None:
    lead = anna(db)
    account = db.accounts.get(became(db.leads.convert(lead)))
    note = db.activities.note(account, "Pays in May")
    eva = db.contacts.add(account, name="Eva Moe")
    assert db.as_user("bob").leads.plan_unconvert(lead).blockers, "to bob it is somebody else's"
    plan = db.leads.plan_unconvert(lead)
    assert "1 note, 1 contact" in plan._repr_html_()
    [taken] = [one for one in db.apply(plan).records if one.subject == ("account", account.id)]
    assert (taken.fate, taken.moved) == ("archived", {"note": 1, "contact": 1})
    assert db.activities.get(note.id).about == (("lead", lead.id),)
    assert eva.id in [person.id for person in db.contacts.of(lead)]


def test_x_09_what_others_did_is_told(db: Database) -> None:
    lead = anna(db)
    account = db.accounts.get(became(db.leads.convert(lead)))
    bob = db.as_user("bob")
    bob.accounts.edit(account, city="Oslo")
    bob.activities.note(account, "Called")
    db.leads.convert(anna(db), account=account.id)
    plan = db.leads.plan_unconvert(lead)
    told = {one.blocker: one for one in plan.blockers}
    assert told["changed"].by == ("bob",)
    assert told["has_children"].tabs == {"note": 1}
    assert len(told["other_leads"].leads) == 1
    assert told["changed"].subject == ("account", account.id)
    with pytest.raises(leadcore.ConflictError) as caught:
        db.leads.unconvert(lead)
    assert caught.value.conflict == {"reason": "blocked", "by": len(plan.blockers)}
    with pytest.raises(leadcore.InvalidError):
        UnconvertPlan.from_json("{}")


def test_x_09_a_stage_that_is_full_is_told_as_a_condition(db: Database) -> None:
    lead = anna(db)
    db.leads.convert(lead)
    db.pipelines.set_stage("Leads", "New", wip_limit=1)
    anna(db)
    [blocker] = db.leads.plan_unconvert(lead).blockers
    [unmet] = blocker.unmet
    assert (blocker.blocker, unmet.condition, unmet.limit) == ("stage", "limit_reached", 1)


def test_a_value_that_only_one_customer_may_have_is_told_as_such(db: Database) -> None:
    for record in ("lead", "account"):
        db.catalogue.of(record).add_field("x_code", label="Code", unique=record == "account")
    twins = [db.leads.create(company=name, custom={"x_code": "A1"}) for name in ("One", "Two")]
    many = db.leads.convert_many(twins)
    assert [one.code for one in many.results] == ["done", "duplicate"]
    assert (many.totals.duplicate, many.totals.gate_unmet) == (1, 0)
    [violation] = many.results[1].violations
    assert (violation.field, violation.code) == ("account.x_code", "duplicate")


def test_x_08_a_closed_conversion_has_a_word_of_its_own(db: Database) -> None:
    lead = anna(db)
    db.settings.set_function("convert", leadcore.F.city == "Bergen")
    many = db.leads.convert_many([lead])
    assert ([one.code for one in many.refused], many.totals.closed, many.totals.conflict) == (["closed"], 1, 0)


def test_x_09_what_one_edited_oneself_is_kept_and_told(db: Database) -> None:
    account = db.accounts.create(name="Nordlys AS")
    lead = anna(db, city="Bodø", industry="Energy")
    db.leads.convert(lead, account=account)
    db.accounts.edit(db.accounts.get(account), city="Oslo")
    assert [one.blocker for one in db.as_user("bob").leads.plan_unconvert(lead).blockers] == ["edited"]
    plan = db.leads.plan_unconvert(lead)
    [taken] = [one for one in plan.records if one.subject == ("account", account.id)]
    assert (plan.blockers, taken.kept, "industry" in taken.fields) == ((), ("city",), True)
    assert "city" in plan._repr_html_()
    assert db.apply(plan).records == plan.records
    now = db.accounts.get(account)
    assert (now.city, now.industry) == ("Oslo", None)
