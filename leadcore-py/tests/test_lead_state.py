"""What a lead, a stage and a reason say besides their fields; filters about them."""

from __future__ import annotations

import dataclasses
from typing import Any

import leadcore
import pytest
from leadcore import Database, F


def test_what_a_lead_says(db: Database) -> None:
    lead = db.leads.create(company="A", probability=40)
    assert (lead.probability, lead.state, lead.closing) == (40, "open", None)
    assert lead.active_at == lead.created_at
    assert isinstance(lead.rank, str)
    assert db.leads.edit(lead, probability=None).probability is None
    for bad in (101, -1, "many", 1.5):
        with pytest.raises(leadcore.InvalidError, match="probability"):
            db.leads.create(company="B", probability=bad)  # type: ignore[arg-type]
    assert {"rank", "active_at", "outcome", "closed_at", "lost_reason"} <= lead.to_dict().keys()


def test_sort_keys(db: Database) -> None:
    db.leads.create_many({"company": name} for name in "AB")
    for key in ("active_at", "-active_at", "rank", "-rank"):
        assert len(db.leads.list(sort=key)) == 2
    assert list(db.leads.iter(sort="rank", page_size=1)) == list(reversed(list(db.leads.iter(sort="-rank"))))


def test_stages_with_rules(db: Database) -> None:
    pipeline = db.pipelines.add(
        "Sales",
        [
            {
                "name": "Asked",
                "color": "#ABCDEF",
                "required_fields": ["email", "x_a"],
                "allowed_next": ["Won", "Asked"],
            },
            {"name": "Won", "kind": "won", "wip_limit": 3},
            ("Lost", "lost"),
        ],
    )
    asked, won, lost = pipeline.stages
    assert (asked.color, asked.wip_limit, asked.idle_days) == ("#abcdef", None, None)
    assert asked.required_fields == ("email", "x_a")
    assert set(asked.allowed_next or ()) == {asked.id, won.id}
    assert (won.probability, won.wip_limit, lost.probability, won.allowed_next) == (100, 3, 0, None)
    assert db.pipelines.update(pipeline).stages == pipeline.stages, "stages go through as they are"
    pipeline = db.pipelines.get("Sales")
    changed = dataclasses.replace(asked, idle_days=14, allowed_next=(lost.id,), probability=None, required_fields=())
    pipeline = db.pipelines.update(pipeline, stages=[changed, dataclasses.replace(won, probability=None), lost])
    assert pipeline.stages[0] == changed
    assert pipeline.stages[1].probability is None
    assert db.pipelines.get("Sales") == pipeline


@pytest.mark.parametrize(
    ("stage", "path"),
    [
        ({"name": "A", "color": "red"}, "stages[0].color"),
        ({"name": "A", "required_fields": ["shoe_size"]}, "stages[0].required_fields"),
        ({"name": "A", "required_fields": ["stage"]}, "stages[0].required_fields"),
        ({"name": "A", "allowed_next": ["Nowhere"]}, "stages[0].allowed_next"),
        ({"name": "A", "wip_limit": 0}, "stages[0].wip_limit"),
        ({"name": "A", "wip_limit": 2**40}, "stages[0].wip_limit"),
        ({"name": "A", "idle_days": 100_000}, "stages[0].idle_days"),
        ({"name": "A", "kind": "sideways"}, "stages[0].kind"),
        ({"name": "A", "colour": "#abcdef"}, "colour"),
        ({}, "stages"),
    ],
)
def test_rules_that_are_none(db: Database, stage: Any, path: str) -> None:
    with pytest.raises(leadcore.InvalidError) as caught:
        db.pipelines.add("Sales", [stage])
    assert path in [violation.field for violation in caught.value.violations]


def test_reasons(db: Database) -> None:
    reason = db.lost_reasons.add("Too dear")
    assert (reason.kind, reason.archived, reason.needs_detail) == ("lost_reason", False, False)
    assert db.lost_reasons.rename(reason, "Price").name == "Price"
    db.disqualify_reasons.add("Spam")
    assert [str(one) for one in db.disqualify_reasons.list()] == ["Spam"]
    assert db.leads.count(where=F.lost_reason == "price") == 0
    db.lost_reasons.delete("Price")
    assert db.lost_reasons.list() == []


def test_filters_about_circumstances(db: Database) -> None:
    plain, person = db.leads.create_many([{"company": "A"}, {"company": "B"}])
    db.contacts.add(person, name="Anna")
    db.contacts.add(person, name="Ola")

    def found(where: Any) -> list[str | None]:
        return [lead.company for lead in db.leads.iter(where=where, sort="company")]

    assert found(F.has("contact")) == ["B"]
    assert found(F.has("primary_contact")) == ["B"]
    assert found(~F.has("contact")) == ["A"]
    assert found(F.has("account")) == []
    db.leads.convert(plain)
    assert found(F.has("account")) == ["A"]
    assert found(F.is_unread & (F.company == "B")) == ["B"]
    assert found(F.is_rotting) == []
    with pytest.raises(leadcore.InvalidError, match="acting user"):
        db.as_user(None).leads.count(where=F.is_unread)
    for where, said in (
        ({"is": "unred"}, "where.is`: .*did you mean `unread`"),
        (F.has("contcat"), "where.has`: .*did you mean `contact`"),
        ({"has": 5}, "where.has"),
    ):
        with pytest.raises(leadcore.InvalidError, match=said):
            db.leads.count(where=where)
