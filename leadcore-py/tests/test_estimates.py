"""Estimates and products of leads: exact numbers, moves, tables, undo."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import leadcore
import pytest
from leadcore import Database, Estimate, Lead, Line

D = Decimal


@pytest.fixture
def lead(db: Database) -> Lead:
    return db.leads.create(company="Nordlys AS", currency="EUR")


def draft(db: Database, lead: Lead, *lines: Line | dict[str, Any], **more: Any) -> Estimate:
    return db.estimates.create(lead, lines=lines or [Line("Panel", 12, 200)], **more)


def broken(call: Callable[[], object]) -> list[tuple[str, str]]:
    with pytest.raises(leadcore.InvalidError) as caught:
        call()
    return [(violation.field, violation.code) for violation in caught.value.violations]


def test_lines_come_back_as_they_were(db: Database, lead: Lead) -> None:
    lines = [
        Line("Panel", D("12.5"), "199.999999", product="SP-400", unit="pcs", discount="5 %", tax="25%", tax_name="VAT"),
        Line("Off", 1, 100, discount=D("7.5")),
        Line("Credit", -1, 3.25, discount_percent=0.5),
        Line("Free"),
    ]
    estimate = db.estimates.create(lead, lines=lines, title="Roof", date=datetime.date(2026, 11, 22), terms="30 days")
    assert estimate.lines == tuple(lines)
    assert estimate == db.estimates.get(estimate.id)
    assert estimate.nets == (D("2375"), D("92.5"), D("-3.23"), D("0"))
    # 12.5 x 199.999999 = 2499.9999875, that is 2500.00; 5 % off.
    assert (estimate.totals.net, estimate.totals.tax, estimate.total) == (D("2464.27"), D("593.75"), D("3058.02"))
    assert [(tax.name, tax.percent, tax.net) for tax in estimate.totals.taxes] == [("VAT", D(25), D(2375))]
    assert estimate.to_dict()["lines"][0]["unit_price"] == D("199.999999")
    assert isinstance(estimate.totals.to_dict()["taxes"][0], dict)
    again = db.estimates.set_lines(estimate, [line.to_dict() for line in lines])
    assert (again.lines, again.terms, again.revision) == (estimate.lines, "30 days", estimate.revision)


def test_numbers_are_exact_or_refused(db: Database, lead: Lead) -> None:
    assert Line("x", 0.1, 0.2).quantity == D("0.1")
    for number in ("nan", "inf", "1e99", "-1e-99", Decimal("Infinity"), float("nan"), "1" * 50):
        with pytest.raises(leadcore.InvalidError, match="quantity"):
            draft(db, lead, Line("x", number))
    others: list[Any] = [True, None, b"1", [1]]
    for other in others:
        with pytest.raises(TypeError, match="`quantity`"):
            Line("x", other)
    assert broken(lambda: Line("x", "12,5")) == [("quantity", "malformed")]
    long = "0.00000000000000000000000000001"
    assert broken(lambda: draft(db, lead, Line("x", long))) == [("lines[0].quantity", "out_of_range")]
    assert broken(lambda: Line("x", discount="5%", discount_percent=5)) == [("discount", "not_allowed")]
    assert broken(lambda: Line("x", discount=5, discount_percent=5)) == [("discount", "not_allowed")]


def test_what_is_wrong_is_told_at_its_line(db: Database, lead: Lead) -> None:
    wrong: list[dict[str, Any]] = [{"description": "x"}, {"description": " ", "quantity": "1.0000001", "tax": 101}]
    assert broken(lambda: db.estimates.create(lead, lines=wrong)) == [
        ("lines[1].description", "required"),
        ("lines[1].quantity", "malformed"),
        ("lines[1].tax", "out_of_range"),
    ]
    assert broken(lambda: db.estimates.create(lead, lines=[{"quantity": 1}])) == [("lines[0].description", "required")]
    misspelt = [{"description": "x", "prize": 1}]
    assert broken(lambda: db.estimates.create(lead, lines=misspelt)) == [("lines[0].prize", "unknown")]
    with pytest.raises(TypeError, match=r"`lines\[0\].quantity`"):
        db.estimates.create(lead, lines=[{"description": "x", "quantity": None}])
    alone: Any = {"description": "x"}
    with pytest.raises(TypeError, match="`lines`"):
        db.estimates.create(lead, lines=alone)
    assert broken(lambda: db.estimates.create(lead, currency="EURO", date="tomorrow")) == [
        ("currency", "malformed"),
        ("date", "malformed"),
    ]
    assert len(db.estimates.list()) == 0


def test_totals_that_overflow_are_refused(db: Database, lead: Lead) -> None:
    most = Line("x", 1000, "99999999999.9999")
    assert draft(db, lead, most).total == D("99999999999999.9")
    assert broken(lambda: draft(db, lead, most, most)) == [("lines", "out_of_range")]
    assert broken(lambda: db.lines.set(lead, [most, most])) == [("lines", "out_of_range")]
    assert broken(lambda: draft(db, lead, *[Line("x")] * 1001)) == [("lines", "limit_reached")]


def test_an_estimate_goes_its_way(db: Database, lead: Lead) -> None:
    empty = db.estimates.create(lead, title="Roof", currency=None)
    assert [unmet.condition for unmet in db.estimates.can_move(empty, "sent")] == ["no_lines"]
    assert broken(lambda: db.estimates.send(empty)) == [("lines", "required")]
    assert [unmet.condition for unmet in db.estimates.can_move(empty, "accepted")] == ["not_from_here"]
    with pytest.raises(leadcore.ConflictError):
        db.estimates.accept(empty)
    estimate = db.estimates.send(db.estimates.set_lines(empty, [Line("Panel", 2, 10)]))
    assert (estimate.status, estimate.is_open, estimate.settled_at) == ("sent", True, None)
    with pytest.raises(leadcore.ConflictError):
        db.estimates.accept(empty)
    declined = db.estimates.decline(estimate, reason="too dear")
    assert (declined.status, declined.reason, declined.is_open) == ("declined", "too dear", False)
    with pytest.raises(leadcore.ConflictError):
        db.estimates.set_lines(declined, [])
    second = db.estimates.revise(declined)
    assert (second.number, second.revises, second.lines) == (2, estimate.id, estimate.lines)
    assert db.estimates.accept(db.estimates.send(second)).status == "accepted"
    assert [one.number for one in db.estimates.of(lead, open=False, ascending=True)] == [1, 2]
    with pytest.raises(leadcore.ConflictError):
        db.estimates.delete(second.id)


def test_offers_expire_by_their_day() -> None:
    now = [datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)]
    with leadcore.open(":memory:", user="ada", clock=lambda: now[0]) as db:
        lead = db.leads.create(company="Nordlys AS", currency="EUR")
        sent = [db.estimates.send(draft(db, lead, valid_until=f"2026-11-{day}")) for day in (23, 24)]
        now[0] += datetime.timedelta(days=2)
        assert [db.estimates.get(one).status for one in sent] == ["expired", "sent"]
        assert [one.number for one in db.estimates.list(status="expired")] == [1]
        assert db.estimates.expire_due() == [sent[0].id]
        assert db.estimates.expire_due() == []
        assert db.estimates.expire(sent[1]).status == "expired"


def test_lists_go_by_day_and_page_by_page(db: Database, lead: Lead) -> None:
    for day in (20, 22, 21):
        draft(db, lead, date=datetime.date(2026, 11, day))
    assert [one.date.day for one in db.estimates.list()] == [22, 21, 20]
    assert [one.date.day for one in db.estimates.list(since="2026-11-21", ascending=True)] == [21, 22]
    assert [one.date.day for one in db.estimates.list(until=datetime.date(2026, 11, 20))] == [20]
    first = db.estimates.list(limit=2)
    assert [one.date.day for one in db.estimates.list(after=first.next)] == [20]
    assert broken(lambda: db.estimates.list(status="lost")) == [("status", "unknown")]  # type: ignore[arg-type]
    assert broken(lambda: db.estimates.list(since="yesterday")) == [("since", "malformed")]
    assert broken(lambda: db.estimates.list(limit=0)) == [("limit", "out_of_range")]


def test_undo_brings_a_draft_back(db: Database, lead: Lead) -> None:
    estimate = draft(db, lead, title="Roof")
    db.estimates.edit(estimate, title="Roof 2", lines=[Line("Other", 1, 1)])
    db.undo(next(iter(db.timeline(lead))))
    back = db.estimates.get(estimate.id)
    assert (back.title, back.lines) == (estimate.title, estimate.lines)
    db.estimates.delete(estimate.id)
    db.undo(next(iter(db.timeline(lead))))
    assert db.estimates.get(estimate.id).lines == estimate.lines


def test_products_give_the_amount_and_an_estimate(db: Database, lead: Lead) -> None:
    assert db.lines.of(lead) is None
    assert broken(lambda: db.estimates.create_from_lines(lead)) == [("lines", "required")]
    products = db.lines.set(lead, [Line("Panel", 12, 200, tax=25), Line("Inverter", 1, 900)])
    assert products is not None
    assert (len(products), products[1].description, products.currency) == (2, "Inverter", "EUR")
    assert (products.totals.net, products.totals.gross) == (D(3300), D(3900))
    assert db.leads.get(lead).amount == 3300
    other = db.lines.set(products, [Line("Panel", 1, 200)], with_amount=False)
    assert db.leads.get(lead).amount == 3300
    with pytest.raises(leadcore.ConflictError):
        db.lines.set(products, [])
    assert db.estimates.create_from_lines(lead, title="Roof").total == 200
    assert other is not None
    assert db.lines.set(other, []) is None
    assert db.leads.get(lead).amount == 0
    db.undo(next(iter(db.timeline(lead))))
    assert db.lines.of(lead) is not None


def test_numbers_are_read_as_they_are_written(db: Database, lead: Lead) -> None:
    numbering = db.settings.set_estimate_numbering(prefix="AN-", width=4, start=42)
    estimate = draft(db, lead)
    assert numbering.format(estimate.number) == "AN-0042"
    for number in (42, "42", "AN-0042", "an-42"):
        assert db.estimates.by_number(number) == estimate
    for number in (43, "E-00042", "nobody"):
        with pytest.raises(leadcore.NotFoundError):
            db.estimates.by_number(number)
    assert db.settings.numbering().prefix == ""


def test_a_table_of_estimates_is_escaped(db: Database, lead: Lead) -> None:
    draft(db, lead, title="<script>alert(1)</script>&", valid_until="2099-01-01")
    page = db.estimates.list()
    shown = page._repr_html_()
    assert "<script>" not in shown
    rows = [[cell.text for cell in row] for row in ET.fromstring(shown).iter("tr")]  # noqa: S314 - our own
    assert rows[0] == ["number", "title", "status", "date", "valid_until", "total", "currency", "owner"]
    assert rows[1][:3] == ["1", "<script>alert(1)</script>&", "draft"]
    assert rows[1][5:] == ["2400", "EUR", "ada"]


def test_who_may_not_see_the_lead_sees_no_estimate() -> None:
    roles = leadcore.RoleTable().role("sales", leadcore.Role.salesperson()).user("ada", "sales").user("bob", "sales")
    with leadcore.open(":memory:", user="ada", policy=roles) as db:
        estimate = draft(db, db.leads.create(company="Nordlys AS", currency="EUR"))
        bob = db.as_user("bob")
        assert len(bob.estimates.list()) == 0
        with pytest.raises(leadcore.NotFoundError):
            bob.estimates.get(estimate)


def test_an_estimate_answers_a_request(db: Database, lead: Lead) -> None:
    request = db.activities.estimate_request(lead, "Twelve seats")
    estimate = db.estimates.create_for_request(request, lines=[Line("Seat", 12, 90)])
    assert (estimate.title, estimate.about, estimate.request) == ("Twelve seats", (("lead", lead.id),), request.id)
    assert db.activities.get(request).state == "estimated"
    with pytest.raises(leadcore.ConflictError):
        db.estimates.create_for_request(request.id)
    db.undo(next(iter(db.timeline(lead))))
    assert db.activities.get(request).state == "new"


def test_what_is_no_request_is_not_found(db: Database, lead: Lead) -> None:
    with pytest.raises(leadcore.NotFoundError):
        db.estimates.create_for_request(draft(db, lead).id)


def test_text_that_is_no_unicode_is_refused_by_name(db: Database, lead: Lead) -> None:
    assert broken(lambda: db.estimates.create(lead, title="\ud800")) == [("title", "malformed")]
    line = {"description": "x", "tax_name": "\ud800"}
    assert broken(lambda: db.estimates.create(lead, lines=[line])) == [("lines[0].tax_name", "malformed")]
    assert broken(lambda: db.lines.set(lead, [], currency="\ud800")) == [("currency", "malformed")]


def test_only_the_latest_version_is_accepted(db: Database, lead: Lead) -> None:
    lines = [Line("Panel", 1, 100)]
    first = db.estimates.send(db.estimates.create(lead, title="Roof", lines=lines, currency="EUR"))
    second = db.estimates.send(db.estimates.revise(first))
    assert [unmet.condition for unmet in db.estimates.can_move(first, "accepted")] == ["superseded"]
    with pytest.raises(leadcore.InvalidError, match="only the latest version"):
        db.estimates.accept(first)
    assert db.estimates.accept(second).status == "accepted"


def test_an_accepted_estimate_is_not_revised_but_copied(db: Database, lead: Lead) -> None:
    lines = [Line("Panel", 1, 100)]
    first = db.estimates.send(db.estimates.create(lead, title="Roof", lines=lines, currency="EUR"))
    db.estimates.accept(first)
    with pytest.raises(leadcore.ConflictError, match="revise"):
        db.estimates.revise(first)
    second = db.estimates.copy(first)
    assert (second.number, second.status, second.revises, second.lines) == (2, "draft", None, first.lines)
    assert db.estimates.accept(db.estimates.send(second)).status == "accepted"


def test_a_request_waits_again_when_its_draft_is_deleted(db: Database, lead: Lead) -> None:
    request = db.activities.estimate_request(lead, "Twelve seats")
    draft = db.estimates.create_for_request(request)
    db.estimates.delete(draft)
    assert db.activities.get(request.id).state == "new"
