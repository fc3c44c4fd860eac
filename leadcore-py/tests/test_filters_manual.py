"""The page on filters names everything that the core knows: whoever adds to one must add to the other.

What the core knows is what its refusals list.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import leadcore
import pytest
from leadcore import Database, F

PAGE = (Path(__file__).parents[2] / "docs" / "manual" / "filters.md").read_text(encoding="utf-8")


def listed(call: Callable[[], object], behind: str = "") -> list[str]:
    """What a refusal lists in backticks behind some words."""
    with pytest.raises(leadcore.InvalidError) as refused:
        call()
    [violation] = refused.value.violations
    return re.findall(r"`([a-z0-9_]+)`", violation.message.rpartition(behind)[2] if behind else violation.message)


def operators(db: Database) -> list[str]:
    bad = {"field": "city", "op": "?", "value": 1}
    return listed(lambda: db.leads.count(where=bad), "the operators are")


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, f"the page has no section {title}"
    return found[1]


def rows(title: str) -> list[list[str]]:
    """The cells of a section's table, as what stands in backticks in them."""
    lines = [line for line in section(title).splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def codes(cell: str) -> list[str]:
    return re.findall(r"`([a-z0-9_]+)`", cell)


def test_every_operator(db: Database) -> None:
    known = operators(db)
    assert len(known) >= 16
    assert [codes(cells[0])[0] for cells in rows("Operators")] == known


def test_each_operator_as_data_text_and_expression(db: Database) -> None:
    db.sources.add("Fair")
    db.sources.add("Web")
    for cells in rows("Operators"):
        [op] = codes(cells[0])
        texts, expressions = (re.findall(r"`([^`]+)`", cell) for cell in cells[1:3])
        first = leadcore.Filter.parse(texts[0])
        assert first.to_dict()["where"]["op"] == op
        assert eval(expressions[0], {"F": F}) == first  # noqa: S307 - what the page shows
        for text in texts:
            assert db.leads.count(where=text) == 0


VALUES: dict[str, Any] = {
    "email": "post@nordlys.example",
    "date": "2026-11-22",
    "time": "now",
    "bool": True,
    "integer": 1,
    "decimal": 1,
    "amount": 1,
    "money": 1,
    "link": uuid.uuid4(),
    "reference": "Fair",
    "user": "me",
    "choice": "open",
}
STANDARD = {"choice": "state", "code": "country", "reference": "source", "amount": "amount", "time": "created_at"}


def test_every_operator_fits_the_types_that_the_page_says(db: Database) -> None:
    db.sources.add("Fair")
    said = {kind: codes(cells[1]) for cells in rows("Which operators fit which field") for kind in codes(cells[0])}
    known = {spec.type for spec in db.catalogue.list()} | set(get_args(leadcore.FieldType))
    assert set(said) == known
    for kind in said:
        key = STANDARD.get(kind, f"x_{kind}")
        if key.startswith("x_"):
            choices: Any = {"choices": ["small"]} if kind.endswith("_of") else {}
            db.catalogue.add_field(key, type=kind, **choices)  # type: ignore[arg-type]
        fit = [op for op in operators(db) if fits(db, key, op, VALUES.get(kind, "small"))]
        assert fit == said[kind], kind


def fits(db: Database, key: str, op: str, value: object) -> bool:
    days = dict.fromkeys(("last_days", "next_days", "older_than_days"), 1)
    special: dict[str, Any] = {"in": [value], "between": [value, value], "is_empty": True, "during": "today", **days}
    try:
        db.leads.count(where={"field": key, "op": op, "value": special.get(op, value)})
    except leadcore.InvalidError as error:
        # A source is looked for by its name before anything else.
        if error.violations[0].code == "operator" or (key, op) == ("source", "during"):
            return False
        raise
    return True


def test_every_period(db: Database) -> None:
    named = listed(lambda: db.leads.count(where=F.created_at.during("someday")))
    prefixes = [name for name in named if name.endswith("_")]
    days = [name for name in named if name.endswith(("day", "tomorrow"))]
    units = [name for name in named if name not in (*prefixes, *days)]
    assert (len(prefixes), len(days)) == (3, 3)
    assert len(units) >= 6
    known = {*days, *(prefix + unit for prefix in prefixes for unit in units)}
    shown = {name for cells in rows("Periods of the calendar") for cell in cells[1:] for name in codes(cell)}
    assert shown == known
    for period in known:
        assert db.leads.count(where=F.created_at.during(period)) == 0


def test_every_circumstance_and_link(db: Database) -> None:
    for word in ("is", "has"):
        for code in listed(lambda word=word: db.leads.count(where={word: "?"})):  # type: ignore[misc]
            assert f'`{{"{word}": "{code}"}}`' in PAGE, code


def test_every_sort_key(db: Database) -> None:
    known = listed(lambda: db.leads.list(sort="shoe_size"), "the keys are")
    assert len(known) >= 10
    assert sorted(codes(cells[0])[0] for cells in rows("Sort keys")) == sorted(known)
    text = re.search(r"when it is of the type (.*?)\.", section("Sort keys"))
    assert text
    said = codes(text[1])
    for kind in get_args(leadcore.FieldType):
        choices: Any = {"choices": ["small"]} if kind.endswith("_of") else {}
        db.catalogue.add_field(f"x_{kind}", type=kind, **choices)
        if kind in said:
            db.leads.list(sort=f"x_{kind}")
        else:
            with pytest.raises(leadcore.InvalidError):
                db.leads.list(sort=f"x_{kind}")


def test_every_sort_key_is_told_where_leads_are_listed(db: Database) -> None:
    told = leadcore.Leads.list.__doc__ or ""
    for key in listed(lambda: db.leads.list(sort="shoe_size"), "the keys are"):
        assert f"``{key}``" in told
