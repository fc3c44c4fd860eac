"""Number series."""

from __future__ import annotations

from typing import Any

import leadcore
import pytest
from conftest import became
from leadcore import Database


def test_a_series_from_its_first_number_to_its_last(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    series = db.series.add("estimate", "Offers", prefix="OF-", width=3, first=9, last=10, gapless=True)
    assert (series.next, series.left, series.revision, series.is_default) == ("OF-009", 2, 1, False)
    first = db.estimates.create(lead, series=series, title="Roof")
    assert (first.number, first.written_number) == (9, "OF-009")
    assert db.estimates.by_number("of-9") == first
    plain = db.estimates.create(lead, title="Plain")
    assert plain.written_number == "E-00001"
    assert db.estimates.by_number(plain.written_number) == plain == db.leads.page(lead).tab("estimate")[0]
    db.estimates.create(lead, series=series.id)
    with pytest.raises(leadcore.ConflictError, match="Offers"):
        db.estimates.create(lead, series=series)
    full = db.series.get(series)
    assert (full.next, full.left) == (None, 0)
    assert [(one.text, one.name) for one in full.last_numbers] == [("OF-010", None), ("OF-009", "Roof")]
    assert full.last_numbers[1].record == ("estimate", first.id)


def test_what_stands_against_an_edit_is_told(db: Database) -> None:
    offers = db.series.add("estimate", "Offers", prefix="OF-")
    with pytest.raises(leadcore.ConflictError, match="OF-1"):
        db.series.add("estimate", "Other", prefix="of-")
    wider = db.series.edit(offers, width=5)
    assert (wider.prefix, wider.next) == ("OF-", "OF-00001")
    with pytest.raises(leadcore.ConflictError):
        db.series.edit(offers, width=6)
    with pytest.raises(leadcore.InvalidError, match="prefix"):
        db.series.edit(wider, yearly=True)
    with pytest.raises(leadcore.AlreadyExistsError):
        db.series.edit(wider, name="estimates")
    with pytest.raises(leadcore.InvalidError, match="kind"):
        db.series.list("invoice")  # type: ignore[arg-type]


def test_a_default_series_and_an_archived_one(db: Database) -> None:
    north = db.series.set_default(db.series.add("account", "North", prefix="N-"))
    assert [one.name for one in db.series.list("account")] == ["North", "Customers"]
    account = db.accounts.get(became(db.leads.convert(db.leads.create(company="Nordlys AS"))))
    assert (account.number, account.written_number) == (1, "N-1")
    assert db.accounts.by_number("n-1") == account
    with pytest.raises(leadcore.InvalidError):
        db.series.archive(north)
    db.series.set_default(db.series.list("account")[1])
    assert db.series.archive(db.series.get(north.id)).archived
    db.leads.convert(db.leads.create(company="Fjord AS"))
    both = db.accounts.list()
    assert [one.number for one in both] == [1, 1]
    page = db.accounts.list(limit=1)
    assert [one.id for one in db.accounts.list(after=page.next)] == [both[1].id]
    assert len(list(db.accounts.iter(page_size=1))) == 2


@pytest.mark.parametrize("name", ["width", "first", "last"])
@pytest.mark.parametrize("given", [-1, 2**70])
def test_a_number_that_no_series_has_is_refused_by_name(db: Database, name: str, given: int) -> None:
    numbers: dict[str, Any] = {name: given}
    with pytest.raises(leadcore.InvalidError) as added:
        db.series.add("account", "North", **numbers)
    with pytest.raises(leadcore.InvalidError) as edited:
        db.series.edit(db.series.list("account")[0], **numbers)
    assert [broken.field for broken in (*added.value.violations, *edited.value.violations)] == [name, name]
    assert [series.name for series in db.series.list("account")] == ["Customers"]


def test_opportunities_of_a_series(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    db.leads.convert(lead)
    tenders = db.series.add("opportunity", "Tenders", prefix="T-", width=3)
    tender = db.opportunities.create(lead, name="School", series=tenders)
    plain = db.opportunities.create(lead, name="Roof")
    assert (tender.number, tender.written_number) == (1, "T-001")
    assert (plain.number, plain.written_number) == (1, "O-00001")
    assert db.opportunities.by_number("t-1") == tender
    assert db.opportunities.by_number("O-00001") == plain


def test_what_a_plan_says_comes_next_is_what_is_written(db: Database) -> None:
    for prefix in ("", "K-"):
        [standard] = [one for one in db.series.list("account") if one.is_default]
        db.series.edit(standard, prefix=prefix)
        lead = db.leads.create(company="Nordlys AS")
        plan = db.leads.plan_conversion(lead, opportunity=True)
        [shown] = [one.next for one in plan.series if one.is_default]
        assert plan.opportunity is not None
        done = db.apply(plan)
        assert done.account_id is not None
        assert done.opportunity_id is not None
        account, opportunity = db.accounts.get(done.account_id), db.opportunities.get(done.opportunity_id)
        assert (account.written_number, opportunity.written_number) == (shown, plan.opportunity.next_number)
        assert db.accounts.by_number(account.written_number) == account
        assert db.leads.page(lead).tab("opportunity")[0] == opportunity == db.opportunities.list().items[0]
        assert [one.written_number for one in db.accounts.iter()][-1] == account.written_number
