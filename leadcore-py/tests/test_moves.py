"""Moving leads, their cards, losing, disqualifying, reopening; the board; copies; stages and pipelines taken away."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from decimal import Decimal
from typing import Any

import leadcore
import pytest
from leadcore import Database, Lead, Pipeline


@pytest.fixture
def sales(db: Database) -> Pipeline:
    """A pipeline with a rule of every kind."""
    stages: list[Any] = [
        {"name": "New", "allowed_next": ["Offered", "Lost"], "color": "#1a7f37", "probability": 10},
        {"name": "Offered", "required_fields": ["amount", "city"], "wip_limit": 1, "idle_days": 14},
        ("Won", "won"),
        ("Lost", "lost"),
    ]
    pipeline = db.pipelines.add("Sales", stages)
    return db.pipelines.set_default(pipeline)


def names(cards: tuple[Lead, ...]) -> str:
    return "".join(card.company or "" for card in cards)


def test_every_condition_at_once(db: Database, sales: Pipeline) -> None:
    new, offered, won, lost = sales.stages
    db.lost_reasons.list_or_default()
    db.leads.create(company="Full", amount=1, city="Oslo", stage=offered)
    lead = db.leads.create(company="Nordlys AS")
    unmet = db.leads.can_move(lead, "Offered")
    assert [one.condition for one in unmet] == ["field_required", "field_required", "limit_reached"]
    assert {one.field for one in unmet} == {"amount", "city", None}
    assert (unmet[2].stage, unmet[2].limit, unmet[2].count) == (offered.id, 1, 1)
    with pytest.raises(leadcore.InvalidError) as caught:
        db.leads.move(lead, "Offered")
    assert sorted(map(str, caught.value.violations)) == sorted(str(one) for one in unmet)
    (transition,) = db.leads.can_move(lead.id, won)
    assert (transition.condition, transition.from_stage, transition.stage) == ("transition_not_allowed", new.id, won.id)
    (reason,) = db.leads.can_move(lead, lost)
    assert (reason.condition, reason.list) == ("reason_required", "lost_reason")
    (detail,) = db.leads.can_move(lead, lost, reason="Other")
    assert (detail.condition, detail.reason) == ("detail_required", db.lost_reasons.list()[3].id)
    assert detail.to_dict()["condition"] == "detail_required"
    elsewhere = db.leads.create(company="Elsewhere", stage="Mailed")
    (card,) = db.leads.can_move(lead, new, before=elsewhere)
    assert (card.condition, card.lead) == ("no_such_card", elsewhere.id)
    assert db.leads.can_move(lead, lost, reason="Price") == []


def test_lost_and_reopened(db: Database, sales: Pipeline) -> None:
    db.lost_reasons.list_or_default()
    lead = db.leads.create(company="Nordlys AS")
    with pytest.raises(leadcore.InvalidError, match="lost_reason"):
        db.leads.move(lead, "Lost", reason="Nothing of this name")
    lost = db.leads.move(lead, "Lost", reason="price", detail="  too dear ")
    assert lost.closing is not None
    assert (lost.closing.outcome, str(lost.closing.reason), lost.closing.detail) == ("lost", "Price", "too dear")
    with pytest.raises(leadcore.ConflictError):
        db.leads.reopen(lead)
    again = db.leads.reopen(lost)
    assert (again.stage, again.closing) == (sales.stages[0], None)
    assert db.leads.reopen(again) == again


def test_created_as_lost(db: Database) -> None:
    db.lost_reasons.list_or_default()
    with pytest.raises(leadcore.InvalidError, match="lost_reason"):
        db.leads.create(company="A", stage="Lost")
    with pytest.raises(leadcore.InvalidError, match="no reason with this name"):
        db.leads.create(company="A", stage="Lost", reason="Nothing of this name")
    with pytest.raises(leadcore.InvalidError, match="only a lost stage"):
        db.leads.create(company="A", detail="why?")
    (lead,) = db.leads.create_many([{"company": "A", "stage": "Lost", "reason": "Other", "detail": "moved away"}])
    assert lead.closing is not None
    assert (str(lead.closing.reason), lead.closing.detail) == ("Other", "moved away")


def test_disqualified(db: Database) -> None:
    reasons = db.disqualify_reasons.list_or_default()
    lead = db.leads.create(company="Nordlys AS")
    with pytest.raises(leadcore.InvalidError, match="disqualify_reason"):
        db.leads.disqualify(lead)
    with pytest.raises(leadcore.InvalidError, match="reason_detail"):
        db.leads.disqualify(lead, reason=reasons[3])
    gone = db.leads.disqualify(lead, reason="Spam", detail="robot")
    assert gone.state == "disqualified"
    assert db.board()["New"].count == 0
    assert [one.condition for one in db.leads.can_move(gone, "Mailed")] == ["disqualified"]
    assert db.leads.reopen(gone.id).state == "open"


def test_cards_in_order(db: Database) -> None:
    a, b, c = db.leads.create_many({"company": name} for name in "ABC")
    assert names(db.board()["New"].cards) == "CBA"
    db.leads.move(a, "New", position="top")
    assert names(db.board()["New"].cards) == "ACB"
    db.leads.move(a.id, "New", position="bottom")
    assert names(db.board()["New"].cards) == "CBA"
    db.leads.move(c, "New", after=b)
    assert names(db.board()["New"].cards) == "BCA"
    db.leads.move(a.id, "New", before=b.id)
    assert names(db.board()["New"].cards) == "ABC"
    column = db.board(cards=2)["New"]
    assert names(tuple(db.leads.list(sort="rank", after=column.next))) == "C"
    assert names(db.board(sort="-company")["New"].cards) == "CBA"
    with pytest.raises(leadcore.InvalidError, match="exclude"):
        db.leads.move(a.id, "New", position="top", before=b)
    with pytest.raises(leadcore.InvalidError, match="position"):
        db.leads.move(a.id, "New", position="middle")  # type: ignore[arg-type]


def test_board(db: Database, sales: Pipeline) -> None:
    rows: list[dict[str, Any]] = [
        {"amount": 100, "currency": "NOK"},
        {"amount": "0.30", "currency": "NOK", "probability": 50},
        {"amount": 7},
    ]
    db.leads.create_many({"company": "A", **row} for row in rows)
    db.leads.create(company="B", amount=1, city="Oslo", currency="EUR", stage="Offered")
    new, offered, *_ = db.board().columns
    nothing, nok = new.sums
    assert (nothing.currency, nothing.leads, nothing.expected) == (None, 1, Decimal(7))
    assert (nok.currency, nok.leads, nok.expected, nok.weighted) == ("NOK", 2, Decimal("100.30"), Decimal("10.15"))
    assert (new.wip, new.color, offered.color) == (None, "#1a7f37", None)
    assert offered.wip == leadcore.Wip(1, True, False)
    assert offered.sums[0].weighted == 0
    assert db.board(where=leadcore.F.currency == "EUR")["New"].sums == ()
    assert db.board().to_dict()["columns"][0]["sums"][1]["currency"] == "NOK"
    assert sales.name == db.board().pipeline.name


def test_history_and_idle(db: Database, sales: Pipeline) -> None:
    lead = db.leads.create(company="A", amount=1, city="Oslo")
    lead = db.leads.move(lead, "Offered")
    first, second = db.leads.stage_history(lead)
    assert (first.stage, first.left, first.by) == (sales.stages[0], second.entered, "ada")
    assert (second.stage_id, second.left) == (sales.stages[1].id, None)
    assert first.operation != second.operation
    assert first.stayed >= timedelta(0)
    idle = db.leads.idle(lead)
    assert (idle.since, idle.days, idle.rotting_since, idle.is_rotting) == (lead.active_at, 0, None, False)
    pipeline = db.pipelines.remove_stage(sales.name, "Offered", target="New")
    assert [visit.stage for visit in db.leads.stage_history(lead)][1] is None
    assert [stage.name for stage in pipeline.stages] == ["New", "Won", "Lost"]


def test_stages_and_pipelines_taken_away(db: Database, sales: Pipeline) -> None:
    lead = db.leads.create(company="A", stage="Mailed")
    with pytest.raises(leadcore.ConflictError) as caught:
        db.pipelines.remove_stage("Leads", "Mailed")
    assert caught.value.conflict == {"reason": "in_use", "by": 1}
    with pytest.raises(leadcore.InvalidError, match="no stage with this name"):
        db.pipelines.remove_stage("Leads", "Offered")
    db.pipelines.remove_stage("Leads", "Mailed", target="Lost")
    assert db.leads.get(lead).stage == db.pipelines.get("Leads").stages[-1], "its own stages come first"
    with pytest.raises(leadcore.InvalidError):
        db.pipelines.remove(sales)
    with pytest.raises(leadcore.ConflictError):
        db.pipelines.remove("Leads")
    db.leads.move(lead.id, sales.stages[0])
    db.pipelines.remove(db.pipelines.get("Leads"))
    assert [pipeline.name for pipeline in db.pipelines.list()] == ["Sales"]
    with pytest.raises(leadcore.NotFoundError):
        db.pipelines.set_default("Leads")


def test_one_stage_changed(db: Database, sales: Pipeline) -> None:
    changed = db.pipelines.set_stage("Sales", "Won", name="Sold", allowed_next=["New", "sold"], wip_limit=5)
    assert [stage.name for stage in changed.stages] == ["New", "Offered", "Sold", "Lost"]
    assert changed.stages[2].allowed_next is not None
    assert set(changed.stages[2].allowed_next) == {sales.stages[0].id, sales.stages[2].id}
    assert (changed.stages[2].kind, changed.stages[2].probability, changed.stages[0]) == ("won", 100, sales.stages[0])
    assert db.pipelines.set_stage(changed, sales.stages[2].id, wip_limit=None).stages[2].wip_limit is None
    with pytest.raises(leadcore.ConflictError):
        db.pipelines.set_stage(sales, "New", color=None)
    with pytest.raises(leadcore.NotFoundError):
        db.pipelines.set_stage("Sales", "Mailed")
    with pytest.raises(leadcore.InvalidError, match="wip_limit"):
        db.pipelines.set_stage("Sales", "New", wip_limt=5)  # type: ignore[call-arg]
    with pytest.raises(leadcore.InvalidError, match="color"):
        db.pipelines.set_stage("Sales", "New", color="red")


def test_an_old_pipeline_is_refused(db: Database, sales: Pipeline) -> None:
    changed = dataclasses.replace(sales.stages[0], color="#000000")
    db.pipelines.update(sales, stages=[changed, *sales.stages[1:]])
    for call in (db.pipelines.remove, lambda old: db.pipelines.remove_stage(old, "Offered")):
        with pytest.raises(leadcore.ConflictError, match="changed since"):
            call(sales)


def test_copy(db: Database) -> None:
    lead = db.leads.create(company="A", city="Oslo", external_id="shop:1")
    db.contacts.add(lead, name="Anna")
    copy = db.leads.clone(db.leads.move(lead, "Lost"))
    assert (copy.city, copy.external_ids, copy.state, copy.stage.name) == ("Oslo", (), "open", "New")
    assert db.contacts.of(copy) == db.contacts.of(lead)
