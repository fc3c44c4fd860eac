"""Reports from source to customer, and what sources and campaigns cost."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import leadcore
import pytest
from conftest import package
from leadcore import Database


def sold(db: Database, amount: str, currency: str = "EUR", **fields: object) -> leadcore.Lead:
    """A lead whose account bought for so much."""
    lead = db.leads.create(company="Nordlys AS", currency=currency, **fields)  # type: ignore[arg-type]
    db.leads.convert(lead)
    db.opportunities.win(db.opportunities.create(lead, name="Roof", amount=amount))
    return lead


def test_a_report_says_what_a_source_brought(db: Database) -> None:
    fair = db.sources.add("Fair")
    lead = sold(db, "1500.03", source="Fair", campaign="Spring")
    db.leads.create(company="Fjord AS")
    day = lead.created_at.date()
    db.costs.add(Decimal("1000.02"), "EUR", day - timedelta(days=1), day + timedelta(days=1), source="fair")
    report = db.reports.by("source")
    none, row = report.rows
    assert (none.name, none.group[0].value, none.money) == ("", None, ())
    assert (row.name, row.group[0].value, row.group[0].by) == ("Fair", fair.id, "source")
    money = row.money_in("eur")
    assert money is not None
    assert (money.won.value, money.cost, money.cost_per_lead) == (
        Decimal("1500.03"),
        Decimal("1000.02"),
        Decimal("1000.02"),
    )
    assert money.roi == Decimal("0.5")
    assert (report.total.leads, report.total.converted, report.total.conversion_rate) == (2, 1, Decimal("0.5"))
    assert isinstance(row.median_time, timedelta)
    assert isinstance(row.mean_time, timedelta)
    flat = report.to_dicts()
    assert [(one["source"], one["won_value"], one["roi"]) for one in flat] == [
        (None, 0, None),
        ("Fair", Decimal("1500.03"), Decimal("0.5")),
    ]
    assert row.to_dict()["money"][0]["currency"] == "EUR"


def test_groups_have_values_of_their_kind(db: Database) -> None:
    lead = sold(db, "1", campaign="Frühling", category=db.categories.add("Retail"))
    day = lead.created_at.date()
    values = {
        by: db.reports.by(by).rows[0].group[0].value for by in ("campaign", "category", "owner", "day", "month", "year")
    }
    category = lead.category
    assert category is not None
    assert values == {
        "campaign": "fruhling",
        "category": category.id,
        "owner": "ada",
        "day": day,
        "month": day.replace(day=1),
        "year": date(day.year, 1, 1),
    }
    pair = db.reports.by("owner", "quarter", dated="converted", zone="Europe/Oslo")
    assert len(pair.rows[0].group) == 2
    assert pair.rows[0].name.startswith("ada / ")
    assert db.reports.by().rows[0].leads == db.reports.by().total.leads == 1
    assert db.reports.by(first_day=day + timedelta(days=2)).total.leads == 0


def test_stages_tell_where_leads_drop_off(db: Database) -> None:
    first, second = db.pipelines.list()[0].stages[:2]
    lead = db.leads.create(company="Nordlys AS")
    db.leads.create(company="Fjord AS")
    db.leads.move(lead, second)
    stages = db.reports.by(stages=True).total.stages
    assert [(one.name, one.stage_id, one.entered, one.moved_on, one.still_there) for one in stages] == [
        (first.name, first.id, 2, 1, 1),
        (second.name, second.id, 1, 0, 1),
    ]
    assert db.reports.by().total.stages == ()
    flat = db.reports.by("owner", stages=True).stages_to_dicts()
    assert [(one["owner"], one["stage"], one["entered"]) for one in flat] == [
        ("ada", first.name, 2),
        ("ada", second.name, 1),
    ]


def test_what_does_not_fit_is_refused(db: Database) -> None:
    for wrong in (
        lambda: db.reports.by("colour"),  # type: ignore[arg-type]
        lambda: db.reports.by("source", "source"),
        lambda: db.reports.by("source", "owner", "month"),
        lambda: db.reports.by(dated="lost"),  # type: ignore[arg-type]
        lambda: db.reports.by(zone="Europe/Nowhere"),
        lambda: db.reports.by(first_day="2026-02-01", last_day="2026-01-01"),
        lambda: db.costs.add("0.00001", "EUR", "2026-01-01"),
        lambda: db.costs.add("1", "EUR", "2026-01-02", "2026-01-01"),
        lambda: db.costs.add("1", "EURO", "2026-01-01"),
    ):
        with pytest.raises(leadcore.InvalidError):
            wrong()
    with pytest.raises(leadcore.NotFoundError):
        db.costs.add("1", "EUR", "2026-01-01", source="Nobody")
    with pytest.raises(TypeError):
        db.reports.by(1)  # type: ignore[arg-type]


def test_costs_are_kept_changed_and_taken_back(db: Database) -> None:
    fair = db.sources.add("Fair")
    cost = db.costs.add("99.90", "EUR", date(2026, 3, 1), source=fair, campaign="Spring", note="stand")
    assert (cost.first_day, cost.last_day, cost.source_id, cost.created_by) == (
        date(2026, 3, 1),
        date(2026, 3, 1),
        fair.id,
        "ada",
    )
    edited = db.costs.edit(cost, last_day="2026-03-31", source=None, note=None)
    assert (edited.source_id, edited.campaign, edited.note, edited.revision) == (None, "Spring", None, 2)
    assert db.costs.get(cost.id) == edited
    with pytest.raises(leadcore.ConflictError):
        db.costs.edit(cost, amount=1)
    more = [db.costs.add(amount, "EUR", "2026-04-01", source=fair) for amount in (1, 2, 3)]
    page = db.costs.list(limit=2)
    assert page.next is not None
    rest = db.costs.list(limit=2, after=page.next)
    assert [one.id for one in (*page, *rest)] == [one.id for one in db.costs.iter(page_size=1)]
    assert {one.id for one in db.costs.list(source="Fair")} == {one.id for one in more}
    assert [one["amount"] for one in db.costs.to_dicts()] == [Decimal("99.9"), 1, 2, 3]
    assert len(db.costs.list(since="2026-03-31", until="2026-03-31")) == 1
    db.costs.delete(more[0])
    with pytest.raises(leadcore.NotFoundError):
        db.costs.get(more[0])


def test_a_campaign_goes_the_way_of_every_field(db: Database) -> None:
    report = db.import_leads(b"Company,Campaign\nNordlys AS,Spring\nFjord AS,\n")
    assert report.created == 2
    lead = db.leads.list(where=leadcore.F.campaign == "SPRING")[0]
    assert (lead.company, lead.campaign, lead.to_dict()["campaign"]) == ("Nordlys AS", "Spring", "Spring")
    outcome = db.leads.edit_many(leadcore.F.campaign.is_empty(), campaign="Autumn")
    assert outcome.totals.done == 1
    db.undo(outcome)
    assert db.leads.count(where=leadcore.F.campaign.is_empty()) == 1
    told = io.BytesIO()
    db.leads.to_jsonl(told, columns=["company", "campaign"], sort="number", headers="keys")
    assert json.loads(told.getvalue().splitlines()[0]) == {"company": "Nordlys AS", "campaign": "Spring"}


def noon(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)


def test_fiscal_years_and_quarters_to_the_cent() -> None:
    now = noon(2025, 3, 31)
    with leadcore.open(":memory:", user="ada", clock=lambda: now) as db:
        for now, amount in (  # noqa: B007 - the clock says it
            (noon(2025, 3, 31), "100.10"),
            (noon(2025, 4, 1), "200.20"),
            (noon(2026, 3, 31), "300.30"),
            (noon(2026, 4, 1), "400.40"),
        ):
            sold(db, amount)
        db.costs.add("1000", "EUR", date(2025, 2, 1), date(2026, 1, 31))

        def told(by: Any, year_begins: int) -> list[tuple[object, ...]]:
            report = db.reports.by(by, year_begins=year_begins)
            assert {row.group[0].by for row in report.rows} == {by}
            rows = [(row, row.money_in("EUR")) for row in report.rows]
            return [
                (row.name, row.group[0].value, row.leads, str(money.won.value), money.cost and str(money.cost))
                for row, money in rows
                if money is not None
            ]

        assert told("year", 4) == [
            ("2024/25", date(2024, 4, 1), 1, "100.1", "161.64"),
            ("2025/26", date(2025, 4, 1), 2, "500.5", "838.36"),
            ("2026/27", date(2026, 4, 1), 1, "400.4", None),
        ]
        assert told("quarter", 4) == [
            ("2024/25-Q4", date(2025, 1, 1), 1, "100.1", "161.64"),
            ("2025/26-Q1", date(2025, 4, 1), 1, "200.2", "249.32"),
            ("2025/26-Q2", date(2025, 7, 1), 0, "0", "252.05"),
            ("2025/26-Q3", date(2025, 10, 1), 0, "0", "252.06"),
            ("2025/26-Q4", date(2026, 1, 1), 1, "300.3", "84.93"),
            ("2026/27-Q1", date(2026, 4, 1), 1, "400.4", None),
        ]
        assert db.reports.by("month", year_begins=4).rows[0].name == "2025-02"
        assert told("year", 1)[0][0] == "2025"
        [first, *_] = db.reports.by("year", year_begins=4).to_dicts()
        assert (first["year"], first["won_value"]) == ("2024/25", Decimal("100.1"))
        for wrong in (0, 13, -1):
            with pytest.raises(leadcore.InvalidError, match="year_begins"):
                db.reports.by("year", year_begins=wrong)
        with pytest.raises(TypeError, match="`year_begins`"):
            db.reports.by("year", year_begins="April")  # type: ignore[arg-type]


def test_a_report_as_a_table_of_arrow(db: Database) -> None:
    pa = package("pyarrow")
    db.sources.add("Fair")
    lead = sold(db, "1500.03", source="Fair")
    db.costs.add("1000.02", "EUR", lead.created_at.date(), source="Fair")
    db.leads.create(company="Fjord AS")
    report = db.reports.by("source", "quarter", stages=True)
    out = report.to_arrow()
    table = pa.table(out)
    assert (out.columns, len(out)) == (table.column_names, 2)
    assert table.schema == pa.schema(out)
    types = {field.name: str(field.type) for field in table.schema}
    assert (types["source"], types["leads"], types["won_value"]) == ("string", "int64", "decimal128(38, 6)")
    assert (types["mean_time"], types["currency"], types["quarter"]) == ("duration[us]", "string", "string")
    assert table.to_pylist() == report.to_dicts()
    assert pa.table(out).equals(table), "it can be read again"
    stages = report.stages_to_arrow()
    wanted = [{**row, "stage_id": str(row["stage_id"])} for row in report.stages_to_dicts()]
    assert (pa.table(stages).to_pylist(), stages.columns[:3]) == (wanted, ["source", "quarter", "stage"])
    empty = leadcore.open(":memory:", user="ada").reports.by("campaign").to_arrow()
    assert (len(empty), pa.table(empty).column_names[0], pa.table(empty).num_rows) == (0, "campaign", 0)
    for one in (report.to_arrow(), empty):
        with pytest.raises(TypeError):
            leadcore._leadcore.ReportTable(one)  # type: ignore[arg-type]


def test_a_report_as_a_table_of_polars(db: Database) -> None:
    pl = package("polars")
    sold(db, "0.01")
    frame = pl.DataFrame(db.reports.by("campaign").to_arrow())
    assert frame["won_value"].sum() == Decimal("0.01")
    assert frame.height == 1


def test_past_months_do_not_change_with_the_season() -> None:
    now = [datetime(2025, 6, 30, 22, 30, tzinfo=UTC)]
    oslo = ZoneInfo("Europe/Oslo")
    with leadcore.open(":memory:", user="ada", clock=lambda: now[0], utc_offset=oslo) as db:
        db.leads.create(company="Nordlys AS")
        for month in (7, 12):
            now[0] = datetime(2025, month, 1, 12, tzinfo=UTC)
            for told in (db, db.as_user("bo")):
                assert [row.name for row in told.reports.by("month").rows] == ["2025-07"]
            assert [row.name for row in db.reports.by("month", zone="UTC").rows] == ["2025-06"]
