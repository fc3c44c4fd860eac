"""What notebooks show: escaped, and never longer than somebody reads."""

from __future__ import annotations

from datetime import date

import leadcore
import pytest
from conftest import became
from leadcore import Database, Lead

HOSTILE = "<script>alert('&')</script>"


@pytest.fixture
def lead(db: Database) -> Lead:
    lead = db.leads.create(company=HOSTILE, currency="NOK", description="d" * 5000)
    db.contacts.add(lead, name=HOSTILE, job_title=HOSTILE)
    db.activities.note(lead, HOSTILE, title=HOSTILE)
    db.activities.task(lead, "Call back", due=date(2030, 1, 7))
    db.files.add(lead, b"hello", name="a.txt", description=HOSTILE)
    db.lines.set(lead, [leadcore.Line(HOSTILE, 2, "199.90", unit="h", discount="5 %", tax=25, tax_name="VAT")])
    db.estimates.create_from_lines(lead, title=HOSTILE)
    db.records.register("project", "Project", "Projects")
    db.records.link(lead, "project", HOSTILE, title=HOSTILE)
    db.followers.follow(lead, HOSTILE)
    return db.leads.get(lead)


def html(shown: object) -> str:
    text: str = shown._repr_html_()  # type: ignore[attr-defined]
    assert "<script" not in text
    assert text.count("<table>") == text.count("</table>") > 0
    return text


def test_pages_of_leads_and_accounts(db: Database, lead: Lead) -> None:
    shown = html(db.leads.page(lead))
    for part in ("note (1, 0 open)", "task (1, 1 open)", "estimate (1, 1 open)", "contacts", "followers", "timeline"):
        assert f"<h4>{part}</h4>" in shown
    assert "&lt;script&gt;" in shown
    assert "d" * 200 not in shown, "a cell is short"
    assert "379.81 NOK" not in html(db.leads.page(lead, first=0, timeline=0)), "without tax"
    assert "474.76 NOK" in html(db.leads.page(lead, first=0, timeline=0)), "products are shown in every case"
    account = db.accounts.get(became(db.leads.convert(lead.id)))
    shown = html(db.accounts.page(account))
    assert "<h4>note (1, 0 open)</h4>" in shown
    assert "<tr><th>leads</th><td>1</td></tr>" in shown


def test_lists_and_what_is_in_them(db: Database, lead: Lead) -> None:
    assert "<th>title</th>" in html(db.activities.of(lead))
    assert "<th>priority</th>" in html(db.activities.of(lead, kinds="task"))
    assert "<tr><th>kind</th><td>task</td></tr>" in html(db.activities.of(lead, kinds="task")[0])
    assert "<th>total</th>" in html(db.estimates.of(lead))
    assert "<th>VAT 25 %</th>" in html(db.estimates.of(lead)[0])
    assert "<td>2 h</td><td>199.9" in html(db.lines.of(lead))
    assert "<td>a.txt</td>" in html(db.files.of(lead))
    assert "<th>job_title</th>" in html(db.contacts.of(lead))
    assert "<th>start</th>" in html(db.calendar.month(2030, 1))
    for tab in db.leads.page(lead).tabs:
        html(tab)


def test_a_long_list_says_how_many_are_left_out(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    db.activities.add_many({"about": lead, "kind": "note", "text": f"Note {n}"} for n in range(130))
    shown = html(db.activities.of(lead, limit=1000))
    assert "… and 30 more" in shown
    assert shown.count("<tr>") == 102
    estimate = db.estimates.create(lead, lines=[{"description": "x"}] * 150, currency="NOK")
    assert "… and 50 more" in html(estimate)
    assert html(db.activities.of(lead, kinds="call")) == "<table><thead><tr></tr></thead><tbody></tbody></table>"
