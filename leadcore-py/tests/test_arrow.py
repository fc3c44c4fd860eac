"""Tables by the Arrow PyCapsule interface, with whichever packages are installed."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import leadcore
import pytest
from conftest import package
from leadcore import Database, F


def add_fields(db: Database) -> None:
    db.catalogue.add_field("x_seats", type="integer", label="Seats")
    db.catalogue.add_field("x_vip", type="bool", label="VIP")
    db.catalogue.add_field("x_when", type="time", label="When")


def fill(db: Database) -> None:
    add_fields(db)
    at = datetime.datetime(2026, 11, 22, 12, 30, 0, 250000, tzinfo=datetime.UTC)
    close = datetime.date(2027, 3, 31)
    db.leads.create(
        company="Nordlys AS",
        email=["a@x.example", "b@x.example"],
        amount=Decimal("1250.5"),
        currency="NOK",
        expected_close=close,
        custom={"x_seats": 12, "x_vip": True, "x_when": at},
    )
    db.leads.create(company="Fjord AS", email="c@x.example", labels=[db.labels.add("VIP")])


COLUMNS = ["number", "company", "email", "amount", "expected_close", "x_seats", "x_vip", "x_when", "labels"]


def test_leads_as_a_table_of_pyarrow(db: Database) -> None:
    pa = package("pyarrow")
    fill(db)
    out = db.leads.to_arrow(columns=COLUMNS)
    assert out.columns == COLUMNS
    table = pa.table(out)
    assert table.schema == pa.schema(out)
    assert {field.name: str(field.type) for field in table.schema} == {
        "number": "int64",
        "company": "string",
        "email": "list<item: string>",
        "amount": "decimal128(38, 6)",
        "expected_close": "date32[day]",
        "x_seats": "int64",
        "x_vip": "bool",
        "x_when": "timestamp[us, tz=UTC]",
        "labels": "list<item: string>",
    }
    first, second = table.to_pylist()
    assert first["amount"] == Decimal("1250.5")
    assert first["expected_close"] == datetime.date(2027, 3, 31)
    assert first["x_when"].microsecond == 250000
    assert first["email"] == ["a@x.example", "b@x.example"]
    assert (second["amount"], second["labels"]) == (None, ["VIP"])
    # It can be consumed again, and what was not consumed is let go.
    assert pa.table(out).num_rows == 2
    out.__arrow_c_stream__()


def test_leads_come_page_by_page(db: Database) -> None:
    pa = package("pyarrow")
    db.leads.create_many({"company": f"C{n}", "city": "Oslo" if n % 2 else "Bergen"} for n in range(2_500))
    reader = pa.RecordBatchReader.from_stream(db.leads.to_arrow(columns=["number"]))
    sizes = [batch.num_rows for batch in reader]
    assert sizes == [1000, 1000, 500]
    leads = [lead.id for lead in db.leads.iter(where=F.city == "Oslo")]
    assert pa.table(db.leads.to_arrow(leads=leads)).num_rows == 1_250
    assert pa.table(db.leads.to_arrow(where=F.city == "Voss", columns=["number"])).num_rows == 0


def test_a_closed_database_is_an_error_of_the_stream(db: Database) -> None:
    pa = package("pyarrow")
    out = db.leads.to_arrow()
    db.close()
    with pytest.raises(Exception, match="closed"):
        pa.table(out)


def test_leads_as_a_frame_of_polars_and_back(db: Database) -> None:
    pl = package("polars")
    fill(db)
    frame = pl.DataFrame(db.leads.to_arrow(columns=COLUMNS))
    assert frame["amount"].to_list() == [Decimal("1250.500000"), None]
    with leadcore.open(":memory:") as other:
        add_fields(other)
        mapping = {key: key for key in COLUMNS if key != "number"}
        report = other.import_leads(frame, mapping=mapping)
        assert (report.created, report.rejected) == (2, 0), report
        lead = other.leads.by_number(1)
        assert (lead.amount, lead.expected_close) == (Decimal("1250.5"), datetime.date(2027, 3, 31))
        assert dict(lead.custom) == dict(db.leads.by_number(1).custom)
        assert lead.custom["x_seats"] == 12
        assert [str(email) for email in lead.emails] == ["a@x.example", "b@x.example"]
        # The same table is the same file.
        assert other.import_leads(frame, mapping=mapping).repeated


def test_values_of_tables_lose_nothing(db: Database) -> None:
    pa = package("pyarrow")
    table = pa.table(
        {
            "company": pa.array(["=1+5", "'=x", 'a "b", c\nd']),
            "city": pa.array(["Oslo", None, "Oslo"]).dictionary_encode(),
            "amount": pa.array([Decimal("1.250"), Decimal("0.5"), None], pa.decimal128(10, 3)),
            "probability": pa.array([12, None, 7], pa.uint16()),
            "expected_close": pa.array([datetime.datetime(2027, 4, 3)] * 3, pa.timestamp("ns")),
            "email": pa.array([["a@x.example", "b@x.example"], [], None], pa.list_(pa.string())),
        }
    )
    report = db.import_leads(table, mapping={name: name for name in table.column_names})
    assert (report.created, report.rejected) == (3, 0), report
    leads = [db.leads.by_number(number) for number in (1, 2, 3)]
    assert [lead.company for lead in leads[:2]] == ["=1+5", "'=x"]
    assert leads[0].amount == Decimal("1.25")
    assert leads[1].city is None
    assert [lead.probability for lead in leads] == [12, None, 7]
    assert {lead.expected_close for lead in leads} == {datetime.date(2027, 4, 3)}
    assert len(leads[0].emails) == 2


@pytest.mark.parametrize(
    ("zone", "at"),
    [
        ("Europe/Oslo", datetime.datetime(2027, 1, 31, 23)),
        ("Europe/Oslo", datetime.datetime(2027, 2, 1, 22, 59, 59)),
        ("+01:00", datetime.datetime(2027, 1, 31, 23)),
        ("+01", datetime.datetime(2027, 2, 1, 22)),
        ("-0330", datetime.datetime(2027, 2, 1, 3, 30)),
        ("America/New_York", datetime.datetime(2027, 2, 2, 4)),
        ("UTC", datetime.datetime(2027, 2, 1)),
        ("Etc/UTC", datetime.datetime(2027, 2, 1, 23)),
    ],
)
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_day_is_that_of_the_zone_of_the_column(db: Database, zone: str, at: datetime.datetime, unit: str) -> None:
    pa = package("pyarrow")
    add_fields(db)
    times = pa.array([at], pa.timestamp(unit)).cast(pa.timestamp(unit, tz=zone))
    table = pa.table({"company": ["A"], "expected_close": times, "x_when": times})
    report = db.import_leads(table, mapping={name: name for name in table.column_names})
    assert (report.created, report.rejected) == (1, 0), report
    lead = db.leads.by_number(1)
    assert lead.expected_close == datetime.date(2027, 2, 1)
    assert lead.custom["x_when"] == at.replace(tzinfo=datetime.UTC)


def test_a_zone_that_there_is_not_is_refused_with_its_column(db: Database) -> None:
    pa = package("pyarrow")
    times = pa.array([datetime.datetime(2027, 2, 1)], pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))
    times = times.view(pa.timestamp("us", tz="Mars/Olympus"))
    with pytest.raises(leadcore.InvalidError, match=r"`expected_close`.*Mars"):
        db.import_leads(pa.table({"company": ["A"], "expected_close": times}))


def test_days_of_frames_with_a_zone(db: Database) -> None:
    day = datetime.date(2027, 2, 1)
    pd = package("pandas")
    package("pyarrow")
    days = pd.to_datetime(["2027-02-01"]).tz_localize("Europe/Oslo")
    assert db.import_leads(pd.DataFrame({"company": ["A"], "expected close": days})).created == 1
    assert db.leads.by_number(1).expected_close == day
    pl = package("polars")
    frame = pl.DataFrame({"company": ["B"], "expected close": [datetime.datetime(2027, 2, 1)]})
    frame = frame.with_columns(pl.col("expected close").dt.replace_time_zone("Europe/Oslo"))
    assert db.import_leads(frame).created == 1
    assert db.leads.by_number(2).expected_close == day


def test_tables_are_previewed_and_planned(db: Database) -> None:
    pa = package("pyarrow")
    table = pa.table({"Firma": ["Nordlys AS"], "E-Mail": ["post@nordlys.example"]})
    assert db.preview_import(table).mapping == {"Firma": "company", "E-Mail": "email"}
    plan = db.plan_import(table)
    assert db.apply_import(plan, table).created == 1


def test_columns_that_no_field_takes_are_told(db: Database) -> None:
    pa = package("pyarrow")
    parts = {
        "company": ["A", "B"],
        "parts": [{"a": 1}, None],
        "notes": [b"raw", b"more"],
        "tags": [[{"name": "x"}], [{"name": "y"}]],
        "labels": [["VIP"], []],
    }
    report = db.import_leads(pa.table(parts))
    assert (report.created, report.rejected) == (2, 0)
    assert report.format.left_out == {"notes": 2, "parts": 1, "tags": 2}
    assert "left out   notes in 2 rows" in str(report)
    assert set(report.mapping) == {"company", "labels"}
    assert [label.name for label in db.leads.by_number(1).labels] == ["VIP"]
    # A dictionary of nothing is a column of nothing.
    none = pa.DictionaryArray.from_arrays(pa.array([None], pa.int32()), pa.array([], pa.string()))
    assert db.import_leads(pa.table({"company": ["C"], "city": none})).created == 1
    # Asked for, they are refused.
    with pytest.raises(leadcore.InvalidError, match=r"`notes`.*leave it out"):
        db.import_leads(pa.table(parts), mapping={"company": "company", "notes": "description"})
    assert db.preview_import(pa.table(parts)).format.left_out == {"notes": 2, "parts": 1, "tags": 2}


def test_tables_that_no_import_takes(db: Database) -> None:
    pa = package("pyarrow")
    with pytest.raises(leadcore.InvalidError, match="no column of a type"):
        db.import_leads(pa.table({"parts": [{"a": 1}]}))
    with pytest.raises(leadcore.InvalidError, match="no columns"):
        db.import_leads(pa.table({}))

    class Liar:
        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            return object()

    with pytest.raises(TypeError):
        db.import_leads(Liar())

    def broken() -> Any:
        yield pa.record_batch({"company": ["A"]})
        raise RuntimeError("the source is gone")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"company": pa.string()}), broken())
    with pytest.raises(Exception, match="the source is gone"):
        db.import_leads(reader)
    assert db.leads.count() == 0


def test_leads_as_a_frame_of_pandas_and_back(db: Database) -> None:
    pd = package("pandas")
    package("pyarrow")
    fill(db)
    frame = pd.DataFrame.from_arrow(db.leads.to_arrow(columns=["company", "amount", "expected_close"]))
    assert list(frame["company"]) == ["Nordlys AS", "Fjord AS"]
    with leadcore.open(":memory:") as other:
        report = other.import_leads(frame)
        assert report.created == 2
        assert other.leads.by_number(1).amount == Decimal("1250.5")


def test_floats_that_are_too_large_to_be_known_are_refused() -> None:
    pa = package("pyarrow")

    def imported(ids: Any) -> leadcore.ImportReport:
        db = leadcore.open(":memory:", tenant="acme", user="ada")
        return db.import_leads(pa.table({"company": ["A", "B"], "external_id": ids}), external_system="crm")

    floats = pa.array([12345678901234567.0, None])
    for ids in (floats, floats.dictionary_encode()):
        report = imported(ids)
        assert (report.created, [(one.line, one.field) for one in report.rejections]) == (1, [(2, "external_id")])
        assert report.rejections[0].message.startswith("not all digits of this long number are known")
    assert imported(pa.array([9007199254740991.0, None])).created == 2
    assert imported(pa.array([12345678901234567, None])).created == 2
