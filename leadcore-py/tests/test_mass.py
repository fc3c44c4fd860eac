"""One change to many leads, taking calls back, and removing leads for good."""

from __future__ import annotations

import uuid
from typing import Any

import leadcore
import pytest
from leadcore import Database, F, Lead, PurgePlan, Role, RoleTable, UndoPlan


@pytest.fixture
def leads(db: Database) -> list[Lead]:
    return db.leads.create_many({"company": name, "city": "Oslo"} for name in "ABC")


def test_every_change(db: Database, leads: list[Lead]) -> None:
    vip, cold = db.labels.add("VIP"), db.labels.add("Cold")
    ids = [lead.id for lead in leads]
    in_oslo = F.city == "Oslo"

    def first() -> Lead:
        return db.leads.get(ids[0])

    assert db.leads.transfer_many(ids, "bob").totals == leadcore.MassTotals(done=3)
    assert first().owner == "bob"
    assert db.leads.transfer_many(in_oslo, None, expected=3).totals.done == 3
    assert first().owner is None
    assert db.leads.move_many(in_oslo, "Lost", detail="gone").totals.done == 3
    assert first().closing is not None
    assert db.leads.move_many(map(str, ids), "New").totals.done == 3
    assert db.leads.label_many(ids, ["vip", cold]).totals.done == 3
    assert db.leads.unlabel_many({"field": "labels", "op": "eq", "value": "VIP"}, vip).totals.done == 3
    assert first().labels == (cold,)
    assert db.leads.edit_many(ids, city="Bergen", source=None).totals.done == 3
    assert db.leads.delete_many(F.city == "Bergen").totals.done == 3
    assert db.leads.restore_many(F.city == "Bergen", expected=3).totals.done == 3


def test_what_a_list_shows(db: Database, leads: list[Lead]) -> None:
    assert db.leads.transfer_many(db.leads.list(limit=2), "bob").totals.done == 2
    assert db.leads.transfer_many(db.board()["New"].cards, "bob").totals == leadcore.MassTotals(done=1, unchanged=2)
    assert db.leads.edit_many(db.leads.iter(where=F.owner == "bob"), city="Bergen", expected=3).totals.done == 3
    with pytest.raises(leadcore.InvalidError, match="did you mean `city`"):
        db.leads.edit_many(leads, citi="Oslo")  # type: ignore[call-arg]
    with pytest.raises(leadcore.InvalidError, match="owner"):
        db.leads.transfer_many(leads, "")


def test_each_is_judged_by_itself(db: Database, leads: list[Lead]) -> None:
    a, b, c = leads
    db.catalogue.set("city", required=True)
    db.leads.edit(b, city="Bergen")
    db.leads.convert(c)
    outcome = db.leads.edit_many([a, b, db.leads.get(c)], city="Bergen")
    assert [result.code for result in outcome.results] == ["done", "conflict", "conflict"]
    assert [result.lead_id for result in outcome.refused] == [b.id, c.id]
    assert outcome.results[1].conflict == {"reason": "stale_revision", "expected": 1, "found": 2}
    assert outcome.results[2].conflict == {"reason": "converted"}
    outcome = db.leads.edit_many([a.id, b.id, uuid.uuid4()], city=None)
    assert [result.code for result in outcome.results] == ["invalid", "invalid", "not_found"]
    assert [broken.field for broken in outcome.results[0].violations] == ["city"]
    assert (outcome.operation, outcome.totals) == (None, leadcore.MassTotals(invalid=2, not_found=1))
    with pytest.raises(leadcore.InvalidError, match="nothing was written"):
        db.undo(outcome)
    assert db.leads.edit_many([a.id], city="Bergen").totals.unchanged == 1


def test_the_policy_holds() -> None:
    roles = RoleTable().role("sales", Role.salesperson()).user("eve", "sales").user("zoe", "sales")
    with leadcore.open(":memory:", policy=roles) as other:
        owners = [None, "eve", "zoe"]
        ids = [lead.id for lead in other.leads.create_many({"company": "A", "owner": owner} for owner in owners)]
        outcome = other.as_user("eve").leads.edit_many(ids, city="Oslo")
        assert [result.code for result in outcome.results] == ["forbidden", "done", "not_found"]


def test_as_many_as_seen(db: Database, leads: list[Lead]) -> None:
    for wrong in (F.city == "Oslo", [lead.id for lead in leads]):
        with pytest.raises(leadcore.ConflictError) as caught:
            db.leads.delete_many(wrong, expected=2)
        assert caught.value.conflict == {"reason": "plan_outdated"}
    assert db.leads.count() == 3


def test_selections_that_are_none(db: Database, leads: list[Lead]) -> None:
    for bad in (None, leads[0], 5):
        with pytest.raises(TypeError):
            db.leads.delete_many(bad)  # type: ignore[arg-type]
    with pytest.raises(leadcore.InvalidError):  # text is a filter, and an id is none
        db.leads.delete_many(str(leads[0].id))
    assert db.leads.count() == 3
    mixed: Any = [leads[0], leads[1].id]
    with pytest.raises(leadcore.InvalidError, match="not some of each"):
        db.leads.delete_many(mixed)
    with pytest.raises(leadcore.InvalidError, match="labels"):
        db.leads.label_many(leads, "Nothing of this name")
    with pytest.raises(leadcore.InvalidError, match="stage"):
        db.leads.move_many(leads, "Nowhere")
    with pytest.raises(leadcore.InvalidError):
        db.leads.delete_many({})
    assert db.leads.delete_many([]).totals == leadcore.MassTotals()
    assert db.leads.count() == 3


def test_undo(db: Database, leads: list[Lead]) -> None:
    outcome = db.leads.edit_many(leads, city="Bergen", industry="Fish")
    db.leads.edit(leads[0].id, city="Tromsø")
    plan = db.undo_plan(outcome)
    assert UndoPlan.from_json(plan.to_json()) == plan
    assert (plan.operation, plan.kind, plan.totals) == (outcome.operation, "edit", leadcore.UndoTotals(2, 1))
    kept = [record for record in plan.records if record.kept]
    assert [(record.subject, record.reversed) for record in kept] == [(("lead", leads[0].id), ("industry",))]
    undone = db.undo(plan)
    assert (undone.totals, undone.newly_undone, undone.remaining) == (plan.totals, True, tuple(kept))
    again = db.undo(outcome)
    assert (again.operation, again.newly_undone) == (undone.operation, False)
    assert {lead.city for lead in db.leads.iter()} == {"Oslo", "Tromsø"}
    db.undo(undone)
    assert db.leads.count(where=F.city == "Bergen") == 2


def test_inside_a_transaction(db: Database, leads: list[Lead]) -> None:
    with pytest.raises(RuntimeError), db.transaction():
        outcome = db.leads.edit_many(leads, city="Bergen")
        assert db.undo_plan(outcome).totals.reversed == 3
        assert db.undo(outcome).totals.reversed == 3
        assert db.purge(db.purge_plan({"all": []}, trash_only=False)).leads == 3
        raise RuntimeError
    assert db.leads.count(where=F.city == "Oslo") == 3


def test_undo_of_anything(db: Database, leads: list[Lead]) -> None:
    entry = next(iter(db.timeline(leads[0])))
    assert db.undo(entry).totals.reversed == 3
    assert db.leads.count() == 0
    with pytest.raises(leadcore.NotFoundError):
        db.undo(uuid.uuid4())
    with pytest.raises(leadcore.InvalidError, match="UUID"):
        db.undo("yesterday")
    lead = db.leads.create(company="D")
    with pytest.raises(leadcore.UnsupportedError):
        db.undo(db.leads.convert(lead).operation)


def test_a_plan_that_is_out_of_date(db: Database, leads: list[Lead]) -> None:
    outcome = db.leads.edit_many(leads, city="Bergen")
    plan = db.undo_plan(outcome)
    db.leads.edit(leads[0].id, city="Tromsø")
    edit = next(iter(db.timeline(("lead", leads[0].id)))).operation
    with pytest.raises(leadcore.ConflictError):
        db.undo(plan)
    # Nor is the answer what another undo did.
    plan = db.undo_plan(outcome)
    undone = db.undo(plan)
    assert (db.undo(plan).operation, db.undo(plan).newly_undone) == (undone.operation, False)
    rest = db.undo_plan(outcome)
    assert (plan.attempts, rest.attempts) == (0, 1)
    db.undo(edit)
    with pytest.raises(leadcore.ConflictError):
        db.undo(rest)
    with pytest.raises(leadcore.InvalidError, match="plan"):
        UndoPlan.from_json("[]")
    with pytest.raises(leadcore.InvalidError):
        db.undo(UndoPlan({"kind": "edit"}))


def test_a_converted_lead_is_kept(db: Database, leads: list[Lead]) -> None:
    outcome = db.leads.edit_many(leads, city="Bergen")
    db.leads.convert(leads[0].id)
    record = next(record for record in db.undo_plan(outcome).records if record.kept)
    assert (record.subject[1], record.failed, record.violations) == (leads[0].id, None, ())
    assert record.kept == (leadcore.Kept("city", "converted"),)
    assert db.undo(outcome).totals == leadcore.UndoTotals(reversed=2, kept=1)


def test_an_undo_is_tried_again(db: Database, leads: list[Lead]) -> None:
    first = db.leads.edit_many(leads, city="Bergen")
    second = db.leads.edit_many([leads[0].id], city="Voss")
    assert db.undo(first).totals == leadcore.UndoTotals(reversed=2, kept=1)
    assert not db.undo(first).newly_undone
    db.undo(second)
    again = db.undo(first)
    assert (again.newly_undone, again.totals) == (True, leadcore.UndoTotals(reversed=1))
    assert {lead.city for lead in db.leads.iter()} == {"Oslo"}


def test_purge(db: Database, leads: list[Lead]) -> None:
    db.leads.delete_many(leads[:2])
    db.leads.convert(leads[2])
    plan = db.purge_plan({"all": []}, trash_only=False)
    assert (plan.trashed, plan.live, plan.blocked, plan.contacts) == (2, 0, 1, 0)
    assert [(one.lead_id, one.number) for one in plan.blockers] == [(leads[2].id, 3)]
    assert plan.sample == ((leads[0].id, 1), (leads[1].id, 2))
    assert db.purge_plan(older_than_days=1).trashed == 0
    with pytest.raises(leadcore.InvalidError, match="older_than_days"):
        db.purge_plan(older_than_days=2**40)
    again = PurgePlan.from_json(plan.to_json())
    db.leads.restore(leads[0])
    with pytest.raises(leadcore.ConflictError):
        db.purge(again)
    done = db.purge(db.purge_plan())
    assert (done.leads, done.contacts, done.blocked) == (1, 0, 0)
    with pytest.raises(leadcore.UnsupportedError):
        db.undo(done.operation)
    with pytest.raises(leadcore.NotFoundError):
        db.leads.get(leads[1])
