"""A caller's own key for a conversion and its way back."""

from __future__ import annotations

from decimal import Decimal
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


@pytest.mark.parametrize("kind", ["money", "decimal", "integer"])
@pytest.mark.parametrize("record", ["account", "contact"])
def test_an_amount_in_a_field_of_ones_own_is_what_it_is_under_a_key(db: Database, record: Any, kind: Any) -> None:
    of_money: dict[str, Any] = {"currency": "EUR"} if kind == "money" else {}
    db.catalogue.of(record).add_field("x_own", label="Own", type=kind, **of_money)
    text = "10" if kind == "integer" else "10.00"
    said: tuple[Any, ...] = (10, text, Decimal("10.00"), Decimal("1e1"), 10.0, " 10 ")
    for n, first in enumerate(said):
        lead, *many = (db.leads.create(company=f"Lead {n}", name=f"Ana {n}") for _ in range(3))

        def call(lead: Any, key: str, value: Any) -> Any:
            options: Any = {f"{record}_fields": {"x_own": value}, "key": key}
            return (db.leads.convert_many if isinstance(lead, list) else db.leads.convert)(lead, **options)

        done = call(lead.id, f"one {n}", first)
        of_many = call([one.id for one in many], f"many {n}", first)
        assert of_many.totals.done == 2
        for again in said:
            assert call(lead.id, f"one {n}", again).operation == done.operation, (first, again)
            assert call([one.id for one in many], f"many {n}", again).totals.already == 2
        for other in (10.01, "100", Decimal("10.01"), None):
            for which, key in ((lead.id, f"one {n}"), ([one.id for one in many], f"many {n}")):
                with pytest.raises(leadcore.ConflictError) as caught:
                    call(which, key, other)
                assert caught.value.conflict == {"reason": "key_reused", "differs": [f"{record}_fields"]}


def test_text_under_a_key_is_no_number_and_a_field_that_went_answers_still(db: Database) -> None:
    fields = db.catalogue.of("account")
    fields.add_field("x_code", label="Code", type="text")
    fields.add_field("x_fee", label="Fee", type="money", currency="EUR")
    lead = db.leads.create(company="Nordlys AS")
    said: Any = {"x_code": "007", "x_fee": "10.00"}
    first = db.leads.convert(lead.id, key="k", account_fields=said)
    other: Any = {**said, "x_code": "7"}
    with pytest.raises(leadcore.ConflictError, match="key"):
        db.leads.convert(lead.id, key="k", account_fields=other)
    db.leads.unconvert(lead)
    fields.remove_field("x_fee", clear=True)
    assert db.leads.convert(lead.id, key="k", account_fields=said).operation == first.operation
