"""Vocabularies kept in order, how numbers are written, and functions that are open for some leads only."""

from __future__ import annotations

import leadcore
import pytest
from leadcore import Database, F, Filter, Terms

LISTS = ("sources", "categories", "labels", "locations", "partners", "lost_reasons", "disqualify_reasons")


@pytest.mark.parametrize("name", LISTS)
def test_every_list(db: Database, name: str) -> None:
    terms: Terms = getattr(db, name)
    a, b, c = (terms.add(one) for one in "ABC")
    assert [str(term) for term in terms.reorder(["c", a, b.id])] == ["C", "A", "B"]
    assert [str(term) for term in terms.list()] == ["C", "A", "B"]
    with pytest.raises(leadcore.ConflictError):
        terms.reorder([a, b])
    with pytest.raises(leadcore.InvalidError):
        terms.reorder([a, b, b])
    with pytest.raises(leadcore.ConflictError):
        terms.recolor(a, "#000000")
    assert terms.recolor("a", "#ABCDEF").color == "#abcdef"
    assert terms.recolor("a", None).color is None
    with pytest.raises(leadcore.InvalidError, match="color"):
        terms.recolor("a", "red")
    assert terms.archive("a").archived
    assert not terms.unarchive("a").archived
    with pytest.raises(leadcore.NotFoundError):
        terms.archive("Nothing of this name")
    terms.delete(c.id)
    assert [str(term) for term in terms.list_or_default()] == ["A", "B"]
    assert c.kind == terms.kind


def test_archived_terms(db: Database) -> None:
    fair = db.sources.add("Fair")
    lead = db.leads.create(company="A", source=fair)
    db.sources.archive(fair)
    with pytest.raises(leadcore.InvalidError, match="archived"):
        db.leads.create(company="B", source="Fair")
    assert db.leads.edit(lead, city="Oslo").source is not None
    assert db.leads.count(where=F.source == "Fair") == 1


def test_reasons(db: Database) -> None:
    assert [reason.needs_detail for reason in db.lost_reasons.list_or_default()] == [False, False, False, True]
    assert db.lost_reasons.ask_for_detail("Price").needs_detail
    assert not db.lost_reasons.ask_for_detail("Other", False).needs_detail
    with pytest.raises(leadcore.InvalidError, match="needs_detail"):
        db.sources.ask_for_detail(db.sources.add("Fair"))
    assert db.categories.list_or_default() == []


@pytest.mark.parametrize("way", ["clear", "reassign"])
def test_reasons_in_use(db: Database, way: str) -> None:
    db.lost_reasons.list_or_default()
    lead = db.leads.move(db.leads.create(company="A"), "Lost", reason="Price")
    with pytest.raises(leadcore.ConflictError):
        db.lost_reasons.delete("Price")
    if way == "clear":
        db.lost_reasons.delete("Price", in_use="clear")
    else:
        db.lost_reasons.delete("Price", reassign="No need")
    closing = db.leads.get(lead).closing
    assert closing is not None
    assert str(closing.reason) == {"clear": "None", "reassign": "No need"}[way]


def test_numbering(db: Database) -> None:
    assert db.settings.numbering().format(7) == "7"
    lead = db.leads.create(company="A")
    numbering = db.settings.set_numbering(prefix="L-", width=5, start=42)
    assert (numbering.prefix, numbering.width, numbering.start) == ("L-", 5, 42)
    later = db.leads.create(company="B")
    assert [numbering.format(one.number) for one in (lead, later)] == ["L-00001", "L-00042"]
    for text in ("L-00042", " l-42 ", "42"):
        assert db.leads.by_number(text) == later
    for text in ("K-42", "", "forty-two", "L-43"):
        with pytest.raises(leadcore.NotFoundError):
            db.leads.by_number(text)
    assert db.settings.set_numbering(width=3).format(1) == "L-001"
    for bad in ({"start": 5}, {"width": 19}, {"prefix": "L1"}, {"width": 1000}):
        with pytest.raises(leadcore.InvalidError, match=next(iter(bad))):
            db.settings.set_numbering(**bad)
    with pytest.raises(leadcore.InvalidError):
        db.settings.set_numbering(width=-1)


def test_functions(db: Database) -> None:
    fair = db.sources.add("Fair")
    db.settings.set_functions({"edit": F.state == "open", "send_offer": F.source == "Fair"})
    lead = db.leads.create(company="A")
    functions = db.leads.functions(lead)
    assert {"edit", "move", "delete", "restore", "convert", "clone", "note", "task", "meeting"} < functions.keys()
    assert {name for name, is_open in functions.items() if not is_open} == {"send_offer"}
    assert db.leads.functions(db.leads.edit(lead, source=fair))["send_offer"]
    gone = db.leads.disqualify(lead.id)
    with pytest.raises(leadcore.ConflictError) as caught:
        db.leads.edit(gone, city="Oslo")
    assert caught.value.conflict == {"reason": "closed", "function": "edit"}
    assert db.leads.edit_many([gone], city="Oslo").results[0].conflict == {"reason": "closed", "function": "edit"}
    assert set(db.settings.functions()) == {"edit", "send_offer"}
    assert all(isinstance(where, Filter) for where in db.settings.functions().values())
    db.settings.set_function("edit", None)
    assert set(db.settings.functions()) == {"send_offer"}
    assert db.leads.edit(gone, city="Oslo").city == "Oslo"


def test_functions_that_are_none(db: Database) -> None:
    for bad in ({"Send offer": F.city == "Oslo"}, {"edit": F.is_unread}, {"edit": {"field": "shoe", "op": "eq"}}):
        with pytest.raises(leadcore.LeadcoreError):
            db.settings.set_functions(bad)
    assert db.settings.functions() == {}
