"""Opportunities and services: only customers have them; won or lost, and no third way."""

from __future__ import annotations

import datetime
from decimal import Decimal
from uuid import UUID

import leadcore
import pytest
from leadcore import Database, Lead, Line

D = Decimal


@pytest.fixture
def lead(db: Database) -> Lead:
    lead = db.leads.create(company="Nordlys AS", currency="EUR")
    db.leads.convert(lead)
    return lead


def test_an_opportunity_forces_conversion(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    for call in (
        lambda: db.opportunities.create(lead, name="Roof"),
        lambda: db.services.create(lead, Line("Care")),
    ):
        with pytest.raises(leadcore.ConflictError) as caught:
            call()
        wanted = {"reason": "conversion_required", "lead": str(lead.id), "revision": lead.revision}
        assert caught.value.conflict == wanted
    outcome = db.leads.convert(lead)
    made = db.opportunities.create(lead, name="Roof")
    assert (made.account_id, made.origin_lead_id) == (outcome.account_id, lead.id)


def test_it_lives_until_it_is_won_or_lost(db: Database, lead: Lead) -> None:
    fair = db.sources.add("Fair")
    made = db.opportunities.create(
        lead,
        name="Roof",
        lines=[Line("Panel", 12, 200, tax=25)],
        source=fair.id,
        campaign="Spring",
        expected_close=datetime.date(2099, 12, 31),
    )
    assert (made.number, made.amount, made.totals.gross, made.owner) == (1, D(2400), D(3000), "ada")
    assert (made.source, made.campaign, made.currency) == (fair.id, "Spring", "EUR")
    assert made == db.opportunities.get(made.id) == db.opportunities.by_number("O-00001")
    edited = db.opportunities.edit(made, lines=[], amount="99.50", probability=40, campaign=None)
    assert (edited.amount, edited.probability, edited.campaign) == (D("99.5"), 40, None)
    won = db.opportunities.win(edited, on="2025-12-31")
    assert (won.state, won.closed_on) == ("won", datetime.date(2025, 12, 31))
    with pytest.raises(leadcore.ConflictError):
        db.opportunities.edit(won, amount=1)
    with pytest.raises(leadcore.ConflictError):
        db.opportunities.win(made)
    dear = db.lost_reasons.add("Too dear")
    lost = db.opportunities.lose(db.opportunities.reopen(won), reason=dear, detail="by 10 %")
    assert (lost.state, lost.lost_reason, lost.lost_detail) == ("lost", dear.id, "by 10 %")
    assert [one.id for one in db.opportunities.list(state="lost", source=fair, owner="ada")] == [made.id]
    assert not db.opportunities.list(state="won")
    assert next(iter(db.timeline(made))).topics == ("opportunity",)
    db.opportunities.delete(lost)
    with pytest.raises(leadcore.NotFoundError):
        db.opportunities.get(made.id)
    db.undo(next(iter(db.timeline(lead))))
    assert db.opportunities.get(made.id).state == "lost"


def test_what_is_wrong_is_told_by_its_name(db: Database, lead: Lead) -> None:
    with pytest.raises(leadcore.InvalidError) as caught:
        db.opportunities.create(lead, name=" ", probability=101, source=UUID(int=5), lines=[{"description": " "}])
    named = [violation.field for violation in caught.value.violations]
    assert named == ["source", "name", "probability", "lines[0].description"]
    with pytest.raises(leadcore.InvalidError, match="nome"):
        db.opportunities.create(lead, nome="Roof")  # type: ignore[call-arg]
    with pytest.raises(leadcore.InvalidError, match="state"):
        db.opportunities.list(state="gone")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="`amount`"):
        db.opportunities.create(lead, name="Roof", amount=True)
    with pytest.raises(leadcore.InvalidError, match="amount"):
        db.opportunities.create(lead, name="Roof", amount="nan")


def test_pages_of_lead_and_account_show_the_same(db: Database, lead: Lead) -> None:
    made = db.opportunities.create(lead, name="Roof")
    care = db.services.create(lead, Line("Care", 12, 49), opportunity=made)
    account = db.accounts.get(made.account_id)
    for page in (db.leads.page(lead), db.accounts.page(account)):
        shown = {tab.tab: tab.items for tab in page.tabs}
        assert (shown["opportunity"], shown["service"]) == ((made,), (care,))
    assert [one.id for one in db.services.list(opportunity=made)] == [care.id]
    assert db.activities.note(made, "Measured").about == (("opportunity", made.id),)


def test_services_are_bought_or_not(db: Database, lead: Lead) -> None:
    offer = db.estimates.create(lead_account(db, lead), lines=[Line("Care", 12, 49, tax=25, unit="months")])
    care = db.services.create(
        lead, offer.lines[0], state="inactive", estimate=offer, position=0, since="2027-01-01", until="2027-12-31"
    )
    assert (care.line, care.total, care.currency) == (offer.lines[0], offer.total, "EUR")
    assert (care.estimate_id, care.position, care.state) == (offer.id, 0, "inactive")
    active = db.services.activate(care)
    assert [one.id for one in db.services.of(lead, open=True)] == [care.id]
    edited = db.services.edit(active, line={"description": "Care", "unit_price": 40}, until=None)
    assert (edited.total, edited.until, edited.since) == (D(40), None, datetime.date(2027, 1, 1))
    with pytest.raises(leadcore.ConflictError):
        db.services.deactivate(active)
    db.services.delete(edited)
    assert not db.services.list()
    with pytest.raises(leadcore.InvalidError) as caught:
        db.services.create(lead, {"description": "Care", "tax": 101}, since="2027-01-02", until="2027-01-01")
    assert [violation.field for violation in caught.value.violations] == ["until", "tax"]


def lead_account(db: Database, lead: Lead) -> leadcore.Account:
    account = db.leads.get(lead).account_id
    assert account is not None
    return db.accounts.get(account)


def test_s4_14_an_opportunity_can_trigger_the_conversion(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", currency="EUR")
    for name, probability in ((" ", 50), ("Roof", 101)):
        with pytest.raises(leadcore.InvalidError):
            db.opportunities.create(lead, name=name, probability=probability, convert=True)
    assert db.leads.get(lead) == lead, "nothing is left of the conversion"
    assert not db.accounts.list()
    with db.transaction():
        with pytest.raises(leadcore.InvalidError):
            db.opportunities.create(lead, name="Roof", probability=101, convert=True)
        assert db.leads.get(lead) == lead, "not in a transaction either"
    roof = db.opportunities.create(lead, name="Roof", amount=3, convert={"status": "prospect"})
    account = db.accounts.get(roof.account_id)
    assert (account.status, roof.origin_lead_id, roof.currency) == ("prospect", lead.id, "EUR")
    assert db.opportunities.create(lead, name="Cellar", convert=True).account_id == account.id, (
        "it is a customer by now"
    )
    lost = db.leads.create(company="Fjord AS")
    db.settings.set_function("convert", leadcore.F.state == "disqualified")
    with pytest.raises(leadcore.ConflictError):
        db.opportunities.create(lost, name="Roof", convert=True)
    with pytest.raises(leadcore.InvalidError, match="status"):
        db.opportunities.create(lost, name="Roof", convert={"status": "friend"})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="convert"):
        db.opportunities.create(lost, name="Roof", convert="yes")  # type: ignore[arg-type]
