"""Filter expressions: the data they make, and what they find."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import leadcore
import pytest
from leadcore import Database, F, Filter


def found(db: Database, where: Any) -> list[str | None]:
    return [lead.company for lead in db.leads.iter(where=where, sort="company")]


@pytest.fixture
def filled(db: Database) -> Database:
    db.sources.add("Fair")
    db.leads.create_many(
        [
            {"company": "Alfa", "city": "Oslo", "amount": 100, "email": "a@alfa.example", "source": "Fair"},
            {"company": "Beta", "city": "Bergen", "amount": Decimal("250.50"), "owner": "bob"},
            {"company": "Gamma", "city": "Tromsø", "stage": "Won", "phone": "+47 22 22 22 22"},
        ]
    )
    return db


@pytest.mark.parametrize(
    ("where", "companies"),
    [
        (F.city == "OSLO", ["Alfa"]),
        (F.city != "oslo", ["Beta", "Gamma"]),
        (F.city.in_(["oslo", "tromso"]), ["Alfa", "Gamma"]),
        (F.company.contains("am"), ["Gamma"]),
        (F.company.starts_with("b") | F.company.ends_with("fa"), ["Alfa", "Beta"]),
        (F.amount > 100, ["Beta"]),
        (F.amount >= Decimal(100), ["Alfa", "Beta"]),
        (F.amount < 250.5, ["Alfa"]),
        (F.amount <= "250.5", ["Alfa", "Beta"]),
        (F.amount.between(100, 200), ["Alfa"]),
        (F.email.is_empty(), ["Beta", "Gamma"]),
        (F.email == None, ["Beta", "Gamma"]),  # noqa: E711
        (~F.email.is_empty() & (F.city == "Oslo"), ["Alfa"]),
        (F.created_at.last_days(1), ["Alfa", "Beta", "Gamma"]),
        (F.created_at.older_than_days(1), []),
        (F.created_at.next_days(1), []),
        (F.created_at > datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), ["Alfa", "Beta", "Gamma"]),
        (F.source == "fair", ["Alfa"]),
        (F.stage == "won", ["Gamma"]),
        (F["stage"].in_(["Won", "Lost", "New"]), ["Alfa", "Beta", "Gamma"]),
        (F.pipeline == "leads", ["Alfa", "Beta", "Gamma"]),
        (F.owner == "me", ["Alfa", "Gamma"]),
        (F.phone.contains("2222"), ["Gamma"]),
        (F.search("gam"), ["Gamma"]),
        ({"field": "city", "op": "eq", "value": "Oslo"}, ["Alfa"]),
        ({"any": [{"search": "alfa"}, {"not": {"where": {"field": "amount", "op": "is_empty"}}}]}, ["Alfa", "Beta"]),
        ((F.city == "Oslo").to_dict(), ["Alfa"]),
        (None, ["Alfa", "Beta", "Gamma"]),
    ],
)
def test_what_a_filter_finds(filled: Database, where: Any, companies: list[str]) -> None:
    assert found(filled, where) == companies
    assert filled.leads.count(where=where) == len(companies)


def test_stages_of_the_same_name_are_all_meant(filled: Database) -> None:
    filled.pipelines.add("Partners", ["Asked", ("Won", "won")])
    second = filled.pipelines.get("Partners")
    filled.leads.create(company="Delta", stage=second.stages[1])
    assert found(filled, F.stage == "won") == ["Delta", "Gamma"]
    assert found(filled, F.stage != "won") == ["Alfa", "Beta"]


def test_records_stand_for_their_ids(filled: Database) -> None:
    [source] = filled.sources.list()
    assert found(filled, F.source == source) == ["Alfa"]
    assert found(filled, F.source.in_({source})) == ["Alfa"]


def deep(levels: int) -> Filter:
    where = F.city == "Oslo"
    for _ in range(levels):
        where = ~where
    return where


@pytest.mark.parametrize(
    "where",
    [
        F.shoe_size == 1,
        F.city > "Oslo",
        F.source == "nothing",
        F.stage == "nowhere",
        F.amount == float("nan"),
        F.amount == Decimal("NaN"),
        F.amount == Decimal("1e999999999"),
        F.city == "\ud800",
        F.number == 2**64,
        F.created_at > datetime.datetime(2020, 1, 1),
        F.city == object(),
        deep(40),
        deep(500),
        deep(100_000),
        {"nonsense": 1},
        {"field": "city"},
        {"all": "x"},
    ],
)
def test_what_is_no_filter_is_refused(db: Database, where: Any) -> None:
    with pytest.raises(leadcore.InvalidError):
        db.leads.count(where=where)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"nonsense": 1}, "`where.nonsense`: a filter has the keys `all`"),
        ({"alll": []}, "`where.alll`: .*did you mean `all`"),
        ({"all": [{"field": "city", "op": "eq"}]}, r"`where.all\[0\].(field|op)`: a condition inside"),
        ({"field": "city"}, "`where.where.op`: a condition needs `op`"),
        ({"field": "ctiy", "op": "eq", "value": 1}, "`where.where.field.ctiy`: .*did you mean `city`"),
        ({"field": "city", "op": "eqals"}, "`where.where.op.eqals`: there is no operator"),
        ({"field": "city", "op": "eq", "vlaue": 1}, "`where.where.vlaue`: .*did you mean `value`"),
        ({"all": "x"}, "`where.all`: this takes a list"),
        ({"not": {"any": [{}]}}, r"`where.not.any\[0\]`: a filter has one key"),
        (F.shoe_size == 1, "`where.where.field.shoe_size`: there is no field of this name"),
    ],
)
def test_a_wrong_filter_is_told_where_it_is_wrong(db: Database, where: Any, said: str) -> None:
    with pytest.raises(leadcore.InvalidError, match=said):
        db.leads.count(where=where)


def test_a_filter_is_a_value_without_truth() -> None:
    one, same, other = F.city == "Oslo", F.city == "Oslo", F.city == "Bergen"
    assert one.to_dict() == same.to_dict()
    assert (hash(one), one.__eq__(same), one.__eq__(other)) == (hash(same), True, False)
    assert (one & same & other).to_dict()["all"][2] == other.to_dict()
    with pytest.raises(TypeError):
        bool(one)
