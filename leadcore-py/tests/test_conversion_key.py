"""A caller's own key for a conversion and its way back."""

from __future__ import annotations

from typing import Any

import leadcore
import pytest
from leadcore import Database


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


def test_a_key_of_many_stands_for_all_its_leads(db: Database) -> None:
    ids = [db.leads.create(company=name).id for name in ("One", "Two", "Three")]
    target = leadcore.Target("erp", lambda outcome, _plan: f"C-{outcome.account_number}")
    every: tuple[dict[str, Any], ...] = ({}, {"targets": [target]}, {"targets": [target], "batch": 1}, {"batch": 1})
    for options in every:
        key = f"campaign {sorted(options)}"
        first = db.leads.convert_many(ids[:2], key=key, **options)
        again = db.leads.convert_many(ids[:2], key=key, **options)
        assert again.totals.already == 2
        operations = [[one.outcome and one.outcome.operation for one in many.results] for many in (first, again)]
        assert operations[0] == operations[1]
        for other in (ids, ids[:1]):
            with pytest.raises(leadcore.ConflictError) as caught:
                db.leads.convert_many(other, key=key, **options)
            assert caught.value.conflict == {"reason": "key_reused", "differs": ["leads"]}
    assert db.leads.get(ids[2]).state == "open"


def test_many_that_were_broken_off_go_on_with_the_leads_they_had(db: Database) -> None:
    db.leads.create_many({"company": f"Lead {n}"} for n in range(5))
    stop = db.leads.convert_many("state = open", key="k", batch=2, progress=lambda _told: False)
    assert stop.totals.done == 2
    late = db.leads.create(company="Late")
    rest = db.leads.convert_many("state = open", key="k", batch=2)
    assert (rest.totals.already, rest.totals.done) == (2, 3)
    assert db.leads.get(late.id).state == "open"
