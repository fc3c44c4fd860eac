"""A late retry under a key, after somebody renamed what the call had named."""

from __future__ import annotations

from typing import Any

import leadcore
import pytest
from leadcore import Database


def _differs(caught: pytest.ExceptionInfo[leadcore.ConflictError]) -> object:
    assert caught.value.conflict is not None
    assert caught.value.conflict["reason"] == "key_reused"
    return caught.value.conflict["differs"]


def _rename(terms: Any, name: str, to: str) -> None:
    [term] = [one for one in terms.list() if one.name == name]
    terms.rename(term, to)


@pytest.fixture
def named(db: Database) -> dict[str, Any]:
    """A call with names of every kind that a conversion takes."""
    db.sources.add("Fair")
    db.categories.add("Industry")
    db.lost_reasons.add("Price too high")
    lost = {"name": "Roof", "source": "Fair", "state": "lost", "reason": "Price too high"}
    return {"opportunity": lost, "account_fields": {"category": "Industry"}}


def _rename_all(db: Database) -> None:
    _rename(db.sources, "Fair", "Exhibitions")
    _rename(db.categories, "Industry", "Producers")
    _rename(db.lost_reasons, "Price too high", "Too dear")


def test_a_retry_gives_the_first_outcome_after_what_it_names_was_renamed(db: Database, named: dict[str, Any]) -> None:
    lead = db.leads.create(company="Nordlys AS")
    first = db.leads.convert(lead.id, key="order 1", **named)
    _rename_all(db)
    again = db.leads.convert(lead.id, key="order 1", **named)
    assert (again.operation, again.newly_converted) == (first.operation, False)
    db.leads.unconvert(lead)
    assert db.leads.convert(lead.id, key="order 1", **named).operation == first.operation
    # Another record has the name by now: the words are those of the first call all the same.
    db.sources.add("Fair")
    assert db.leads.convert(lead.id, key="order 1", **named).operation == first.operation
    # What they are called now means the same.
    by_now: Any = {**named["opportunity"], "source": "Exhibitions", "reason": "Too dear"}
    now = {"opportunity": by_now, "account_fields": {"category": "Producers"}}
    assert db.leads.convert(lead.id, key="order 1", **now).operation == first.operation
    # Without a key a name that nobody has is refused as ever; so it is under a key that stands for nothing yet.
    more: dict[str, Any]
    for more in ({}, {"key": "order 2"}):
        with pytest.raises(leadcore.InvalidError) as wrong:
            db.leads.convert(lead.id, **{**more, **named})
        assert [one.field for one in wrong.value.violations] == ["account.category"]


def test_other_names_under_the_same_key_are_another_call(db: Database, named: dict[str, Any]) -> None:
    db.sources.add("Web")
    lead, other = db.leads.create(company="Nordlys AS"), db.leads.create(company="Fjord AS")
    db.leads.convert(lead.id, key="order 1", **named)
    for source in ("Web", "Nobody"):
        said = {**named, "opportunity": {**named["opportunity"], "source": source}}
        with pytest.raises(leadcore.ConflictError) as caught:
            db.leads.convert(lead.id, key="order 1", **said)
        assert _differs(caught) == ["opportunity"]
    _rename_all(db)
    with pytest.raises(leadcore.ConflictError) as caught:
        db.leads.convert(other.id, key="order 1", **named)
    assert _differs(caught) == ["lead"]
    with pytest.raises(leadcore.ConflictError) as caught:
        db.leads.convert(lead.id, key="order 1", status="prospect", **named)
    assert _differs(caught) == ["status"]
    with pytest.raises(leadcore.ConflictError) as caught:
        db.leads.convert_many([lead.id], key="order 1", **named)
    assert _differs(caught) == ["call"]
    assert db.leads.get(other.id).state == "open"


@pytest.mark.parametrize("options", [{}, {"batch": 1}, {"targets": True}])
def test_many_are_told_as_before_after_what_they_name_was_renamed(
    db: Database, named: dict[str, Any], options: dict[str, Any]
) -> None:
    if "targets" in options:
        options = {"targets": [leadcore.Target("erp", lambda outcome, _plan: f"C-{outcome.account_number}")]}
    pipeline = db.pipelines.list()[0]
    stage = pipeline.stages[0]
    db.leads.create_many({"company": f"Lead {n}"} for n in range(3))
    chosen = f'stage = "{stage.name}"'
    first = db.leads.convert_many(chosen, key="k", **options, **named)
    assert first.totals.done == 3
    last = first.results[-1]
    _rename_all(db)
    db.pipelines.set_stage(pipeline, stage, name="Fresh")
    again = db.leads.convert_many(chosen, key="k", **options, **named)
    told = [[one.outcome and one.outcome.operation for one in many.results] for many in (first, again)]
    assert (again.totals.already, told[0]) == (3, told[1])
    for said in ({**named, "account_fields": {}}, named):
        other = chosen if said is not named else 'stage = "Nowhere"'
        with pytest.raises(leadcore.ConflictError) as caught:
            db.leads.convert_many(other, key="k", **options, **said)
        assert _differs(caught) == (["leads"] if said is named else ["account_fields"])
    with pytest.raises(leadcore.InvalidError):
        db.leads.convert_many([last.lead_id], **options, **named)


def test_leads_that_were_left_are_told_the_name_that_nobody_has(db: Database, named: dict[str, Any]) -> None:
    ids = [db.leads.create(company=name).id for name in ("One", "Two")]
    db.leads.convert_many(ids, key="k", batch=1, progress=lambda _told: False, **named)
    _rename_all(db)
    again = db.leads.convert_many(ids, key="k", **named)
    assert (again.totals.already, again.totals.gate_unmet) == (1, 1)
    assert [one.field for one in again.results[1].violations] == ["account.category"]
    by_now: Any = {**named["opportunity"], "source": "Exhibitions", "reason": "Too dear"}
    rest = db.leads.convert_many(ids, key="k", opportunity=by_now, account_fields={"category": "Producers"})
    assert (rest.totals.already, rest.totals.done) == (1, 1)


def test_an_opportunity_with_its_conversion_is_made_once_whatever_was_renamed(db: Database) -> None:
    db.sources.add("Fair")
    db.categories.add("Industry")
    lead = db.leads.create(company="Nordlys AS")

    def create(name: str = "Roof", source: str = "Fair") -> leadcore.Opportunity:
        convert: leadcore.ConversionInput = {"key": "order 1", "account_fields": {"category": "Industry"}}
        return db.opportunities.create(lead, name=name, source=source, convert=convert)

    first = create()
    _rename(db.sources, "Fair", "Exhibitions")
    assert create().id == first.id
    _rename(db.categories, "Industry", "Producers")
    assert create().id == first.id
    for other in ({"name": "Other"}, {"source": "Nobody"}):
        with pytest.raises(leadcore.ConflictError) as caught:
            create(**other)
        assert _differs(caught) == ["fields"]
    with pytest.raises(leadcore.InvalidError):
        db.opportunities.create(lead, name="Roof", source="Fair")
    assert len(list(db.opportunities.list())) == 1


def _mixed(named: dict[str, Any], **now: str) -> dict[str, Any]:
    """The call with some of its names as they are now."""
    account = {"category": now.pop("category", "Industry")}
    return {"opportunity": {**named["opportunity"], **now}, "account_fields": account}


@pytest.mark.parametrize("now", ["source", "reason", "category", "source reason", "source category", "reason category"])
def test_some_names_are_said_as_before_and_others_as_they_are_now(
    db: Database, named: dict[str, Any], now: str
) -> None:
    lead, other, third = (db.leads.create(company=name) for name in ("Nordlys AS", "Fjord AS", "Berg AS"))
    first = db.leads.convert(lead.id, key="order 1", **named)
    many = db.leads.convert_many([other.id, third.id], key="k", **named)
    assert many.totals.done == 2
    _rename_all(db)
    by_now = {"source": "Exhibitions", "reason": "Too dear", "category": "Producers"}
    said = _mixed(named, **{name: by_now[name] for name in now.split()})
    assert db.leads.convert(lead.id, key="order 1", **said).operation == first.operation
    assert db.leads.convert_many([other.id, third.id], key="k", **said).totals.already == 2
    # Once other records have the old names, the words are still those of the first call.
    db.sources.add("Fair")
    db.lost_reasons.add("Price too high")
    db.categories.add("Industry")
    assert db.leads.convert(lead.id, key="order 1", **said).operation == first.operation
    for wrong in ({"source": "Nobody"}, {"reason": "Nobody"}, {"name": "Tower"}):
        with pytest.raises(leadcore.ConflictError) as caught:
            db.leads.convert(lead.id, key="order 1", **{**said, "opportunity": {**said["opportunity"], **wrong}})
        # With a name that nobody has there are only the words to go by.
        assert _differs(caught) == ["opportunity"]


def test_an_id_and_an_old_name_are_the_same_call(db: Database) -> None:
    fair = db.sources.add("Fair")
    db.lost_reasons.add("Price too high")
    lead, other = db.leads.create(company="Nordlys AS"), db.leads.create(company="Fjord AS")
    said: Any = {"state": "lost", "reason": "Price too high", "source": "Fair"}
    first = db.leads.convert(lead.id, key="k", opportunity=said)
    said_by_id: Any = {**said, "source": fair}
    by_id = db.leads.convert(other.id, key="by id", opportunity=said_by_id)
    _rename(db.lost_reasons, "Price too high", "Too dear")
    _rename(db.sources, "Fair", "Exhibitions")
    for source, reason in ((fair, "Price too high"), (fair, "Too dear"), ("Fair", "Too dear")):
        again: Any = {**said, "source": source, "reason": reason}
        assert db.leads.convert(lead.id, key="k", opportunity=again).operation == first.operation
    for source, reason in ((fair, "Price too high"), ("Exhibitions", "Too dear"), ("Exhibitions", "Price too high")):
        again = {**said, "source": source, "reason": reason}
        assert db.leads.convert(other.id, key="by id", opportunity=again).operation == by_id.operation
