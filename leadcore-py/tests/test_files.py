"""Files: opening, copies, import."""

from __future__ import annotations

import contextlib
import io
import sqlite3
from pathlib import Path

import leadcore
import pytest
from leadcore import Database, LineOutcome, Progress

CSV = b"""Company,E-mail,Lead Source,Status,Amount,Shoe size
Nordlys AS,post@nordlys.example,Fair,New,"1,250.50",43
Berg AS,berg.example,Fair,New,10,41
Fjord AS,post@fjord.example,Web,Called,20,40
"""


def test_a_file_keeps_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "leads ø.db"
    with leadcore.open(path, tenant="acme") as db:
        assert db.path == path.resolve()
        lead = db.leads.create(company="Nordlys AS", source=db.sources.add("Fair"))
    with leadcore.open(str(path), tenant="acme") as db:
        assert db.leads.get(lead.id) == lead
        assert db.as_user("bob").leads.count() == 1
    with leadcore.open(path, tenant="other") as db:
        assert db.leads.count() == 0
        with pytest.raises(leadcore.NotFoundError):
            db.leads.get(lead.id)


def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("this is no database " * 100)
    for bad in (path, tmp_path, tmp_path / "none" / "leads.db"):
        with pytest.raises(leadcore.LeadcoreError):
            leadcore.open(bad)
    assert path.read_text().startswith("this is no database")


def test_a_copy_is_safe_to_open_with_anything(tmp_path: Path) -> None:
    with leadcore.open(tmp_path / "leads.db") as db:
        db.leads.create(company="Nordlys AS")
        db.backup_to(tmp_path / "copy.db")
        with pytest.raises(leadcore.AlreadyExistsError):
            db.backup_to(tmp_path / "copy.db")
        assert db.stats().commits > 0
    connection = sqlite3.connect(tmp_path / "copy.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    with leadcore.open(tmp_path / "copy.db") as db:
        assert db.leads.by_number(1).company == "Nordlys AS"


def test_import_from_a_path_bytes_and_an_open_file(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(CSV)
    for file in (path, str(path), CSV, bytearray(CSV), io.BytesIO(CSV)):
        with leadcore.open(":memory:") as db:
            report = db.import_leads(file)
            assert (report.lines, report.created, report.rejected) == (3, 2, 1)
    with path.open("rb") as opened, leadcore.open(":memory:") as db:
        assert db.import_leads(opened).created == 2


def test_the_report(db: Database) -> None:
    plan = db.import_leads(CSV, dry_run=True)
    assert (plan.operation, plan.created, db.leads.count()) == (None, 2, 0)
    assert plan.new_values == {"source": ("Fair", "Web"), "stage": ("Called",)}
    assert (plan.format.encoding, plan.format.delimiter, plan.format.header_line) == ("UTF-8", ",", 1)
    assert plan.mapping["Shoe size"] is None
    mapping = plan.mapping | {"Shoe size": "description"}
    rejects = io.BytesIO()
    report = db.import_leads(CSV, mapping=mapping, rejects=rejects)
    assert (report.lines, report.created, report.rejected, report.repeated) == (3, 2, 1, False)
    [rejection] = report.rejections
    assert (rejection.line, rejection.field, rejection.code) == (3, "email", "malformed")
    assert "berg" not in str(report)
    assert "created    2" in str(report)
    assert rejects.getvalue().count(b"\n") == 2
    lead = db.leads.search("nordlys")[0]
    assert (lead.description, str(lead.amount), lead.stage.name) == ("43", "1250.5", "New")
    again = db.import_leads(CSV, mapping=mapping)
    assert (again.repeated, again.created, again.skipped, again.skips) == (True, 0, 3, {"imported": 3})
    assert again.earlier == report
    assert str(again.earlier) == str(report)
    assert report.earlier is None
    assert "when it was imported:" in str(again)
    corrected = rejects.getvalue().replace(b"berg.example", b"post@berg.example")
    assert db.import_leads(corrected).created == 1


def test_the_options(db: Database) -> None:
    db.import_leads(CSV)
    source = db.sources.add("Trade fair")
    file = b"Company;E-mail;Phone;Amount;Source\nN;post@nordlys.example;22222222;1,5;\nOslo AS;a@b.example;;;Moon\n"
    report = db.import_leads(
        file, region="NO", on_match="skip", unknown_terms="reject", decimal_mark=",", source=source, chunk=1
    )
    assert (report.skipped, report.rejected) == (1, 1)
    report = db.import_leads(file, region="NO", decimal_mark=",", source=source, attempt=2)
    assert (report.updated, report.created) == (1, 1)
    assert db.leads.search("post@nordlys")[0].phone == "22222222"
    for bad in (
        {"on_match": "x"},
        {"unknown_terms": "x"},
        {"decimal_mark": "x"},
        {"region": "Atlantis"},
        {"chunk": 0},
        {"mapping": {"Company": "shoe_size"}},
        {"mapping": {"Company": "created_at"}},
        {"attempt": -1},
        {"encoding": "klingon"},
        {"delimiter": ""},
        {"delimiter": ";;"},
        {"quote": "«"},
        {"skip_lines": -1},
        {"no_answer": ["\ud800"]},
    ):
        with pytest.raises(leadcore.InvalidError):
            db.import_leads(file, **bad)
    with pytest.raises(TypeError, match="`has_header`: expected True or False"):
        db.import_leads(file, has_header="yes")  # type: ignore[arg-type]


def test_rows_that_nothing_can_recognise_are_counted(db: Database) -> None:
    file = b"Company,E-mail,City\nA,,Oslo\nB,b@x.example,\n"
    for report in (db.import_leads(file, dry_run=True), db.import_leads(file)):
        assert (report.created, report.unrecognisable, report.unrecognisable_lines) == (2, 1, (2,))
        assert "1 created without external id, e-mail or phone" in str(report)
    changed = db.import_leads(file.replace(b"Oslo", b"Moss"))
    assert (changed.created, changed.skipped, changed.skips) == (1, 1, {"unchanged": 1})
    assert "1: the lead says the same already" in str(changed)


def test_each_line_says_which_lead_it_met(db: Database) -> None:
    known = db.leads.create(company="A", email="a@x.example")
    same = db.leads.create(company="B", email="b@x.example")
    told: list[LineOutcome] = []
    file = b"Company,E-mail,City\nA,a@x.example,Oslo\nB,b@x.example,\nC,c@x.example,\nD,nobody,\n,,\n"
    db.import_leads(file, chunk=2, lines=told.extend)
    new = db.leads.search("c@x.example")[0]
    assert told == [
        LineOutcome(2, "updated", known.id, known.number, "email"),
        LineOutcome(3, "skipped", same.id, same.number, None, "unchanged"),
        LineOutcome(4, "created", new.id, new.number),
        LineOutcome(5, "rejected", None, None, None, told[3].reason),
        LineOutcome(6, "skipped", None, None, None, "blank"),
    ]

    def fail(outcomes: list[LineOutcome]) -> None:
        raise RuntimeError(f"after {len(outcomes)}")

    with pytest.raises(RuntimeError, match="after 2"):
        db.import_leads(file, chunk=2, attempt=2, lines=fail)


def test_how_a_file_is_read_can_be_said(db: Database) -> None:
    file = "Firma;Ort\nŁódź Import;Łódź\n".encode("cp1250")
    guess = db.preview_import(file)
    assert guess.mapping == {"Firma": "company", "Ort": "city"}
    said = db.preview_import(file, encoding="windows-1250", delimiter=",")
    assert (said.format.encoding, list(said.mapping)) == ("windows-1250", ["Firma;Ort"])
    assert db.leads.count() == 0
    db.import_leads(file, encoding="windows-1250")
    assert db.leads.search("import")[0].city == "Łódź"
    report = db.import_leads(
        b"to be skipped\n'Nordlys, AS',Oslo\n",
        skip_lines=1,
        quote="'",
        delimiter=",",
        has_header=False,
        mapping={"column 1": "company", "column 2": "city"},
    )
    assert (report.created, report.format.header_line, report.format.skipped_lines) == (1, None, 1)
    assert db.leads.search("nordlys")[0].company == "Nordlys, AS"
    with pytest.raises(leadcore.InvalidError):
        db.preview_import(file, encoding="klingon")
    with pytest.raises(leadcore.InvalidError):
        db.preview_import(file, delimiter="\n")


def test_a_misspelt_field_of_a_mapping_is_named(db: Database) -> None:
    with pytest.raises(leadcore.InvalidError) as caught:
        db.import_leads(CSV, mapping={"Company": "compny", "E-mail": "email", "Shoe size": "shoe_size"})
    assert [(violation.field, violation.message) for violation in caught.value.violations] == [
        ("mapping[Company]", "there is no field with this key; did you mean `company`?"),
        ("mapping[Shoe size]", "there is no field with this key"),
    ]


def test_a_path_holds_no_nul(db: Database, tmp_path: Path) -> None:
    bad = f"{tmp_path}/a\0b"
    for call in (
        lambda: db.import_leads(bad),
        lambda: db.preview_import(bad),
        lambda: db.import_leads(CSV, rejects=bad),
        lambda: db.backup_to(bad),
        lambda: leadcore.open(bad),
    ):
        with pytest.raises(leadcore.InvalidError, match="NUL"):
            call()
    assert db.leads.count() == 0


def test_of_a_lead_out_of_sight_only_the_owner_is_told() -> None:
    role = leadcore.Role.salesperson().grant("import", "all")
    roles = leadcore.RoleTable().role("clerk", role).user("ada", "clerk").user("bob", "clerk")
    with leadcore.open(":memory:", user="ada", policy=roles) as db:
        db.as_user("bob").leads.create(company="Theirs", email="a@x.example")
        report = db.import_leads(b"Company,E-mail\nMine,a@x.example\n")
        assert (report.rejected, report.rejections[0].owner) == (1, "bob")
        assert report.rejections[0].message == "a lead with this e-mail exists that you may not see"


def test_progress_can_stop_an_import_which_then_goes_on(db: Database) -> None:
    rows = "".join(f"Company {n},p{n}@company.example\n" for n in range(1000))
    file = ("Company,E-mail\n" + rows).encode()
    told: list[Progress] = []

    def stop(progress: Progress) -> bool:
        told.append(progress)
        # Nothing is locked while the caller is asked.
        return db.leads.count() < 300

    with pytest.raises(leadcore.CancelledError):
        db.import_leads(file, progress=stop, chunk=100)
    assert [progress.created for progress in told] == [100, 200, 300]
    assert told[0].total_bytes == len(file)

    def fail(progress: Progress) -> None:
        raise RuntimeError(f"after {progress.lines}")

    with pytest.raises(RuntimeError, match="after 400"):
        db.import_leads(file, progress=fail, chunk=100)
    report = db.import_leads(file, chunk=100)
    assert (report.created, report.resumed_after, db.leads.count()) == (1000, 400, 1000)


def test_files_that_cannot_be_read(db: Database, tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:  # noqa: ARG002
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        db.import_leads(Broken())
    with pytest.raises(leadcore.NotFoundError):
        db.import_leads(tmp_path / "none.csv")
    with pytest.raises(TypeError, match="binary"):
        db.import_leads(io.StringIO("Company\nA\n"))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        db.import_leads(7)  # type: ignore[arg-type]
    for nothing in (b"", b"\n\n", b"\x00\xff\x00"):
        with contextlib.suppress(leadcore.LeadcoreError):
            assert db.import_leads(nothing).created == 0
    with db.transaction(), pytest.raises(leadcore.UnsupportedError, match="transactions of its own"):
        db.import_leads(CSV)


def test_the_template_maps_itself(db: Database) -> None:
    db.catalogue.set("company", label="Virksomhet")
    header = db.import_template()
    plan = db.import_leads(header + b"company,Nordlys AS\n", dry_run=True)
    assert plan.mapping["Virksomhet"] == "company"
    assert None not in plan.mapping.values()


@pytest.mark.parametrize("told", [0, "", [], 0.0, None, {}])
def test_nothing_but_false_stops_an_import(db: Database, told: object) -> None:
    file = b"Company,E-mail\nA,a@a.example\nB,b@b.example\n"
    assert db.import_leads(file, chunk=1, progress=lambda _: told).created == 2
    many = db.leads.convert_many("", batch=1, progress=lambda _: told, into="account")
    assert many.totals.done == 2
    with pytest.raises(leadcore.CancelledError):
        db.import_leads(file, chunk=1, attempt=2, on_match="create", progress=lambda _: False)
