"""Imports by plan and mapping, exports, templates, hygiene."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import leadcore
import pytest
from leadcore import Database, ImportColumn, ImportPlan, Progress

CSV = b"Company,E-mail,City\nNordlys AS,post@nordlys.example,Oslo\nFjord AS,post@fjord.example,Bergen\nBerg,berg,\n"


def test_a_plan_is_kept_changed_and_carried_out(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", email="post@nordlys.example")
    plan = db.plan_import(CSV)
    assert [line.action for line in plan.lines] == ["update", "create", "reject"]
    assert plan.lines[0].lead_id == lead.id
    assert plan.lines[0].matched_by == "email"
    assert ("city", None, "Oslo") in plan.lines[0].changes
    assert plan.lines[2].values == {"email": "berg"}
    assert plan.lines[2].violations[0].field == "email"
    assert (plan.report.created, plan.report.updated, plan.report.rejected) == (1, 1, 1)
    assert "created" in str(plan)
    plan.skip(2)
    plan.set(4, email="post@berg.example")
    kept = ImportPlan.from_json(plan.to_json())
    assert kept == plan
    assert kept.line(2).edit == "skip"
    report = db.apply_import(kept, CSV)
    assert (report.created, report.updated, report.skips) == (2, 0, {"left_out": 1})
    assert db.leads.get(lead).city is None
    with pytest.raises(leadcore.NotFoundError, match="line"):
        plan.skip(77)
    with pytest.raises(leadcore.InvalidError, match="set"):
        plan.set(2, emial="x")
    with pytest.raises(leadcore.InvalidError):
        db.apply_import(plan, b"Company\nAnother file\n")


def test_a_cell_of_a_plan_is_set_to_what_a_table_holds(db: Database) -> None:
    columns = {"Company": "company", "Amount": "amount", "Close": "expected_close", "Zip": "postal_code"}
    file = b"Company,Amount,Close,Zip\nA,much,soon,\n"
    options = {"mapping": columns, "decimal_mark": ","}
    plan = db.plan_import(file, **options)  # type: ignore[arg-type]
    assert plan.line(2).action == "reject"
    plan.set(2, amount=Decimal("1.234"), expected_close=datetime(2027, 4, 3), postal_code=7010)
    assert (plan.line(2).action, plan.line(2).set["expected_close"]) == ("open", "2027-04-03")
    again = db.plan_import(file, earlier=leadcore.ImportPlan.from_json(plan.to_json()))
    assert again.line(2).action == "create"
    assert db.apply_import(again, file).created == 1
    lead = db.leads.by_number(1)
    assert (lead.amount, str(lead.expected_close), lead.postal_code) == (Decimal("1.234"), "2027-04-03", "7010")
    for value, text in ((1.5, "1.5"), (True, "true"), (date(2027, 1, 2), "2027-01-02"), (12, "12"), ("x", "x")):
        plan.set(2, amount=value)
        assert plan.line(2).set["amount"] == text
    for wrong in (float("nan"), Decimal("1e999")):
        with pytest.raises(leadcore.InvalidError, match="amount"):
            plan.set(2, amount=wrong)
    with pytest.raises(TypeError, match="amount"):
        plan.set(2, amount=[1])  # type: ignore[arg-type]
    plan.reset(2)
    assert plan.line(2).action == "reject"


def test_a_preview_takes_what_an_import_takes(db: Database) -> None:
    file = b"External id,Company\nORD:1,A\nORD:2,B\n"
    plain, named = db.preview_import(file), db.preview_import(file, external_system="crm")
    assert (plain.mapping["External id"], named.mapping["External id"]) == ("external_id", "external_id")
    assert getattr(plain.mapping["External id"], "rules", None) == {"split": "external_ids"}
    assert not getattr(named.mapping["External id"], "rules", None)


def test_constants_of_the_last_use_are_told(db: Database) -> None:
    columns = {"Company": "company", "E-mail": "email"}
    db.import_leads(b"Company,E-mail\nA,a@x.example\n", mapping=columns, constants={"source": "Fair"})
    file = b"Company,E-mail\nB,b@x.example\n"
    preview = db.preview_import(file)
    assert (preview.mapped_as, preview.constants) == ("last_use", {"source": "Fair"})
    report = db.import_leads(file)
    assert (report.mapped_as, report.constants) == ("last_use", {"source": "Fair"})
    assert "`Fair` -> source" in str(report)
    assert "last imported" in str(report)
    assert db.import_leads(b"Name,Mail\nC,c@x.example\n").mapped_as is None


def test_a_line_can_mean_another_lead(db: Database) -> None:
    lead = db.leads.create(company="Nordlys Holding")
    plan = db.plan_import(CSV)
    plan.take(2, lead)
    plan.create(3)
    again = db.plan_import(CSV, earlier=plan)
    assert (again.line(2).action, again.line(2).lead_id) == ("update", lead.id)
    plan.reset(2)
    assert plan.line(2).edit is None
    assert db.apply_import(again, CSV).updated == 1


def test_a_plan_that_is_too_old_leaves_its_lines_alone(db: Database) -> None:
    plan = db.plan_import(CSV)
    db.leads.create(company="Fjord AS", email="post@fjord.example")
    rejects = io.BytesIO()
    report = db.apply_import(plan, CSV, rejects=rejects)
    assert report.stale_lines == (3,)
    assert b"Fjord" in rejects.getvalue()


def test_rows_that_may_mean_several_leads_are_left_to_a_person(db: Database) -> None:
    leads = [db.leads.create(company=name, email="post@nordlys.example") for name in ("Nordlys", "Nordlys Nord")]
    file = b"Company,E-mail,City\nSomebody,post@nordlys.example,Oslo\n"
    report = db.import_leads(file, on_ambiguous="review", dry_run=True)
    assert report.review == 1
    assert {number for _, number in report.reviews[0].candidates} == {lead.number for lead in leads}
    plan = db.plan_import(file, on_ambiguous="review")
    assert {one.lead_id for one in plan.lines[0].candidates} == {lead.id for lead in leads}
    plan.take(2, leads[1])
    db.apply_import(plan, file)
    assert db.leads.get(leads[1]).city == "Oslo"


def test_how_leads_are_recognised_and_what_then(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", city="Oslo", email="post@nordlys.example")
    file = f"Lead number,Company,City\n{lead.number},Nordlys Nord,(clear)\n".encode()
    mapping = {"Lead number": "number", "Company": "company", "City": "city"}
    report = db.import_leads(file, mapping=mapping, match_by=["number"], clear="(clear)")
    assert report.updated == 1
    assert (db.leads.get(lead).company, db.leads.get(lead).city) == ("Nordlys Nord", None)
    again = b"Company,E-mail\nOther,post@nordlys.example\nNew,new@x.example\n"
    assert db.import_leads(again, on_match="skip", on_missing="skip").created == 0
    assert db.import_leads(again, on_match="create").created == 2
    wrongs: list[dict[str, Any]] = [
        {"match_by": ["city"]},
        {"on_match": "merge"},
        {"on_missing": "x"},
        {"on_ambiguous": "x"},
    ]
    for wrong in wrongs:
        with pytest.raises(leadcore.InvalidError, match=next(iter(wrong))):
            db.import_leads(again, **wrong)
    with pytest.raises(TypeError, match="on_macth"):
        db.import_leads(again, on_macth="skip")  # type: ignore[call-arg]


def test_names_that_mean_others(db: Database) -> None:
    db.sources.add("Fair")
    file = b"Company,Lead Source\nA,Messe\nB,Unknown\nC,Radio\n"
    plan = db.plan_import(file, unknown_terms="reject")
    assert plan.unknown == {"source": {"Messe": 1, "Radio": 1, "Unknown": 1}}
    rule = {"unknown": "reject", "map": {"Messe": "Fair", "Unknown": None}}
    report = db.import_leads(file, terms={"source": rule})
    assert (report.created, report.rejected) == (2, 1)
    assert db.leads.by_number(1).source is not None
    with pytest.raises(leadcore.InvalidError, match="terms"):
        db.import_leads(file, terms={"source": {"unknwon": "reject"}})


def test_a_mapping_with_rules_and_constants(db: Database) -> None:
    file = b"Firma,Slutt,Verdi\nNordlys AS,3/4/2027,12\n"
    mapping: dict[str, Any] = {
        "Firma": "company",
        "Slutt": ImportColumn("expected_close", date_order="day_first"),
        "Verdi": {"field": "amount", "unit": "thousands"},
    }
    report = db.import_leads(file, mapping=mapping, constants={"currency": "NOK", "city": "Oslo"})
    lead = db.leads.by_number(1)
    assert report.created == 1
    assert (str(lead.expected_close), str(lead.amount), lead.city) == ("2027-04-03", "12000", "Oslo")
    assert isinstance(report.mapping["Slutt"], ImportColumn)
    assert report.mapping["Slutt"].rules == {"date_order": "day_first"}
    column = ImportColumn("amount", unit="millions")
    assert pickle.loads(pickle.dumps(column)).rules == column.rules
    with pytest.raises(leadcore.InvalidError, match="date_ordre"):
        ImportColumn("amount", date_ordre="x")  # type: ignore[call-arg]
    with pytest.raises(leadcore.InvalidError, match="mapping"):
        db.import_leads(file, mapping={"Firma": {"field": "company", "ruel": 1}})


def test_constants_go_without_a_mapping(db: Database) -> None:
    file = b"Company,City\nNordlys AS,Moss\n"
    report = db.import_leads(file, constants={"city": "Oslo", "labels": "Fair"})
    assert (report.created, db.leads.by_number(1).city) == (1, "Oslo")
    assert report.mapping["City"] is None
    assert db.import_leads(file, constants={"city": "Oslo", "labels": "Fair"}).repeated
    with pytest.raises(leadcore.InvalidError, match=r"constants\.cty"):
        db.import_leads(file, constants={"cty": "Oslo"})


def test_a_plan_shows_consent_and_an_objection_since_holds(db: Database) -> None:
    file = b"Company,E-mail,OK to call,City\nA,a@a.example,yes,Os\n"
    call = ImportColumn("phone", opt_out="own", inverted=True, opt_in=True)
    mapping = {"Company": "company", "E-mail": "email", "City": "city", "OK to call": call}
    lead = db.leads.create(company="A", email="a@a.example", phone="+4722222222")
    plan = db.plan_import(file, mapping=mapping)
    db.leads.mark_address(lead, "+4722222222", "opted_out", reason="phoned us")
    assert db.apply_import(plan, file).stale_lines == (2,)
    assert db.leads.get(lead).phones[0].opted_out
    plan = db.plan_import(file, mapping=mapping, attempt=2)
    assert ("phone", ["+4722222222 (opted_out)"], ["+4722222222 ()"]) in plan.line(2).changes


def test_an_edited_line_is_held_to_its_plan(db: Database) -> None:
    file = b"Company,E-mail,City\nA AS,a@a.example,Oslo\n"
    plan = db.plan_import(file)
    plan.set(2, industry="I")
    lead = db.leads.create(company="A AS", email="a@a.example", city="MINE")
    report = db.apply_import(leadcore.ImportPlan.from_json(plan.to_json()), file)
    assert (report.updated, report.stale_lines, db.leads.get(lead).city) == (0, (2,), "MINE")


def test_a_plan_with_a_key_that_no_plan_has_is_refused(db: Database) -> None:
    file = b"Company\nA\nB\n"
    data = db.plan_import(file).to_dict()
    data["lines"][1]["chioce"] = "skip"
    with pytest.raises(leadcore.InvalidError, match=r"plan\.lines\[1\]"):
        db.apply_import(leadcore.ImportPlan(data), file)
    with pytest.raises(leadcore.InvalidError, match=r"plan\.lines\[1\]"):
        leadcore.ImportPlan.from_json(json.dumps(data))
    assert db.leads.count() == 0


def test_mappings_are_kept_by_name(db: Database) -> None:
    db.mappings.save("Fair", {"Kunde": "company", "Sko": None}, constants={"city": "Oslo"})
    [saved] = db.mappings.list()
    assert (saved.mapping, saved.constants) == ({"Kunde": "company", "Sko": None}, {"city": "Oslo"})
    preview = db.preview_import(b"Sko,Kunde\n43,Nordlys AS\n")
    assert preview.mapping["Kunde"] == "company"
    assert preview.constants == {"city": "Oslo"}
    assert preview.columns[1].evidence[0] == "saved"
    db.mappings.remove("fair")
    assert db.mappings.list() == ()
    with pytest.raises(leadcore.NotFoundError):
        db.mappings.remove("fair")
    with pytest.raises(leadcore.NotFoundError):
        db.mappings.get("fair")


def test_a_preview_says_what_is_not_clear(db: Database) -> None:
    rows = "".join(f"C{n},c{n}@x.example,0{n}/0{n + 1}/2027\n" for n in range(1, 9))
    preview = db.preview_import(f"Company,E-mail,Expected close\n{rows}".encode())
    [column] = [column for column in preview.columns if column.header == "Expected close"]
    assert any("either" in note for note in column.notes)
    assert "date_order" in column.details[0]
    assert 0 < column.confidence <= 1


def test_progress_is_what_a_bar_needs(db: Database) -> None:
    rows = "".join(f"Company {n},p{n}@company.example\n" for n in range(1000))
    file = ("Company,E-mail\n" + rows).encode()
    told: list[Progress] = []
    db.import_leads(file, progress=told.append, chunk=100)
    # Small files are read as a whole before their first row is: what counts is what is done.
    assert all(abs(one.bytes / len(file) - one.lines / 1000) < 0.02 for one in told)
    last = told[-1]
    assert (last.lines, last.bytes, last.total_bytes) == (1000, len(file), len(file))
    assert last.elapsed >= 0
    assert any(progress.rate is None or progress.rate > 0 for progress in told)


@pytest.mark.parametrize("kind", [ZeroDivisionError, KeyboardInterrupt, leadcore.NotFoundError])
def test_an_exception_of_the_callback_names_the_import(db: Database, kind: type[BaseException]) -> None:
    rows = "".join(f"Company {n},p{n}@company.example\n" for n in range(300))
    file = ("Company,E-mail\n" + rows).encode()

    def tell(progress: Progress) -> None:
        if progress.lines >= 100:
            raise kind

    with pytest.raises(kind) as caught:
        db.import_leads(file, chunk=100, progress=tell)
    operation = caught.value.operation  # type: ignore[attr-defined]
    assert operation == db.import_leads(file, dry_run=True).operation
    assert str(operation) in "".join(caught.value.__notes__)
    assert db.undo(operation).totals.reversed == 100
    assert db.leads.count() == 0


def test_other_formats_come_in(db: Database, tmp_path: Path) -> None:
    assert db.import_leads(b'[{"company": "A", "email": "a@x.example"}]').format.kind == "json"
    card = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Anna Berg\r\nEMAIL:anna@x.example\r\nEND:VCARD\r\n"
    assert db.import_leads(card, format="vcard").created == 1
    path = tmp_path / "leads.xlsx"
    db.leads.to_xlsx(path)
    report = db.import_leads(path, sheet=0, header_row=1, dry_run=True)
    assert (report.format.kind, report.lines) == ("xlsx", 2)
    with pytest.raises(leadcore.InvalidError, match="format"):
        db.import_leads(b"Company\nA\n", format="docx")  # type: ignore[arg-type]


def test_part_of_an_import_is_taken_back(db: Database) -> None:
    report = db.import_leads(CSV)
    lead = next(lead for lead in db.leads.iter() if lead.company == "Fjord AS")
    assert db.undo_plan(report, lines=[2]).totals.reversed == 1
    assert db.undo(report, leads=[lead]).totals.reversed == 1
    assert [lead.company for lead in db.leads.iter()] == ["Nordlys AS"]
    with pytest.raises(leadcore.InvalidError):
        db.undo(report, leads=[lead], lines=[2])


def test_addresses_are_mended_by_a_plan(db: Database) -> None:
    for number, email in enumerate(["a@gmial.com", "b@mailinator.com", "c@nordlys.example"]):
        db.leads.create(company=f"C{number}", email=email)
    plan = db.hygiene.plan(issues=["misspelt_email", "disposable_email"], limit=1)
    assert plan.has_more
    second = db.hygiene.plan(issues=["misspelt_email", "disposable_email"], after=plan)
    assert second.findings[0].issue == "disposable_email"
    second.set_fix(0, "remove")
    assert db.hygiene.apply(second).totals.done == 1
    assert db.hygiene.apply(plan).totals.done == 1
    assert db.leads.by_number(1).email == "a@gmail.com"
    assert db.leads.by_number(2).emails == ()
    with pytest.raises(leadcore.InvalidError, match="fix"):
        plan.set_fix(0, "burn")
    before = plan.to_dict()
    for wrong in ("nobody", "", "a@x", "\ud800"):
        with pytest.raises(leadcore.InvalidError):
            plan.set_fix(0, "correct", wrong)
    assert plan.to_dict() == before
    plan.set_fix(0, "correct", "a@nordlys.example")


def test_addresses_of_persons_are_mended_too(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", email="post@nordlys.example")
    anna = db.contacts.add(lead, name="Anna Berg", email="anna@gmial.com")
    plan = db.hygiene.plan(issues=["misspelt_email"])
    [finding] = plan.findings
    assert (finding.lead_id, finding.contact_id) == (lead.id, anna.id)
    outcome = db.hygiene.apply(leadcore.HygienePlan.from_json(plan.to_json()))
    assert outcome.totals.done == 1
    assert [contact.email for contact in db.contacts.of(lead)] == ["anna@gmail.com"]
    db.undo(outcome)
    assert [contact.email for contact in db.contacts.of(lead)] == ["anna@gmial.com"]


def test_who_opted_out_is_marked_and_stays_so(db: Database) -> None:
    file = b"Company,E-mail,Phone,Do Not Call,Email Opt Out\nA,a@x.example,+4722225555,Yes,No\nB,b@x.example,,,TRUE\n"
    report = db.import_leads(file)
    assert report.mapping["Do Not Call"] == "phone"
    a, b = db.leads.by_number(1), db.leads.by_number(2)
    assert (a.phones[0].opted_out, a.emails[0].opted_out, b.emails[0].opted_out) == (True, False, True)
    again = b"E-mail,No mail\na@x.example,no\nb@x.example,no\n"
    stays = {"E-mail": "email", "No mail": leadcore.ImportColumn("email", opt_out="own")}
    assert db.import_leads(again, mapping=stays).updated == 0
    off: dict[str, str | dict[str, Any]] = {
        "E-mail": "email",
        "No mail": {"field": "email", "opt_out": "own", "opt_in": True},
    }
    assert db.import_leads(again, mapping=off).updated == 1
    assert not db.leads.get(b).emails[0].opted_out


def test_what_a_mapping_lacks_is_named(db: Database) -> None:
    with pytest.raises(leadcore.InvalidError, match="no column `Kompany`; is it `Company`"):
        db.import_leads(b"Company,Phone\nA,\n", mapping={"Kompany": "company"})
    with pytest.raises(leadcore.InvalidError, match="its columns are `Foo`, `Bar`"):
        db.import_leads(b"Foo,Bar\n1,2\n")
    report = db.import_leads(b'{"company":"A"}\n')
    assert str(report).startswith("read as    json\n")


def test_a_bad_value_of_a_side_field_is_left_out_and_told(db: Database) -> None:
    mapping = {"Company": "company", "Site": ImportColumn("website", bad_values="leave_out")}
    report = db.import_leads(b"Company,Site\nA,nowhere\nB,x.example\n", mapping=mapping)
    assert (report.created, report.rejected, report.left_out) == (2, 0, 1)
    assert [(told.line, told.field) for told in report.left_out_values] == [(2, "website")]


def test_paths_are_named_before_anything_is_written(db: Database, tmp_path: Path) -> None:
    nowhere = tmp_path / "none" / "rejects.csv"
    plan = db.plan_import(CSV)
    calls: list[Callable[[], object]] = [
        lambda: db.import_leads(CSV, rejects=nowhere),
        lambda: db.apply_import(plan, CSV, rejects=nowhere),
        lambda: db.import_leads(CSV, rejects=tmp_path),
    ]
    for call in calls:
        with pytest.raises(leadcore.StorageError, match=r"rejects.*" + tmp_path.name):
            call()
        assert db.leads.count() == 0
        assert db.sources.list() == []
    for write in (db.leads.to_csv, db.leads.to_xlsx, db.leads.to_jsonl):
        with pytest.raises(leadcore.StorageError, match=r"to.*none"):
            write(tmp_path / "none" / "leads")
        with pytest.raises(leadcore.StorageError, match=r"to.*" + tmp_path.name):
            write(tmp_path)
    with pytest.raises(leadcore.StorageError, match=r"to.*none"):
        db.plan_import_to(CSV, nowhere)
    for read in (db.import_leads, db.preview_import, db.plan_import):
        with pytest.raises(leadcore.InvalidError, match=r"directory.*" + tmp_path.name):
            read(tmp_path)
        with pytest.raises(leadcore.NotFoundError, match="none"):
            read(nowhere)
    assert db.import_leads(CSV, rejects=tmp_path / "rejects.csv").rejected == 1
    assert b"Berg" in (tmp_path / "rejects.csv").read_bytes()
    # What was imported before rejects nothing, and leaves the file alone.
    assert db.import_leads(CSV, rejects=tmp_path / "rejects.csv").repeated
    assert b"Berg" in (tmp_path / "rejects.csv").read_bytes()


def test_a_plan_is_streamed_to_a_file_and_carried_out(db: Database, tmp_path: Path) -> None:
    lead = db.leads.create(company="Nordlys AS", email="post@nordlys.example")
    path = tmp_path / "plan.jsonl"
    told: list[Progress] = []
    summary = db.plan_import_to(CSV, path, progress=told.append)
    assert told
    assert summary.report == db.plan_import(CSV).report
    assert summary.unknown == {}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 1 + 3 + 1
    assert (db.leads.count(), db.leads.get(lead).city) == (1, None)
    # A person takes one line away and gives another a cell.
    lines[3]["set"] = {"email": "post@berg.example"}
    path.write_text("".join(json.dumps(line) + "\n" for line in [lines[0], lines[1], *lines[3:]]))
    rejects = io.BytesIO()
    report = db.apply_import_from(path, CSV, rejects=rejects)
    assert (report.created, report.updated, report.skips) == (1, 1, {"left_out": 1})
    assert db.leads.get(lead).city == "Oslo"
    assert db.apply_import_from(path, CSV).repeated
    with pytest.raises(leadcore.InvalidError, match="file"):
        db.apply_import_from(path, b"Company\nAnother file\n")
    with pytest.raises(leadcore.NotFoundError, match=r"plan.*none"):
        db.apply_import_from(tmp_path / "none", CSV)
    path.write_text("no plan\n")
    with pytest.raises(leadcore.InvalidError, match="plan line 1"):
        db.apply_import_from(path, CSV)
    with pytest.raises(TypeError, match="path"):
        db.plan_import_to(CSV, io.BytesIO())  # type: ignore[arg-type]


def test_cards_tell_what_no_column_holds(db: Database) -> None:
    card = (
        b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Anna Berg\r\nEMAIL;TYPE=HOME:anna@x.example\r\nBDAY:1990-01-02\r\n"
        b"TEL;TYPE=WORK,FAX:+4722225555\r\nPHOTO;ENCODING=b:AAAA\r\nEND:VCARD\r\n"
    )
    assert db.preview_import(card).format.left_out == {"BDAY": 1, "PHOTO": 1}
    report = db.import_leads(card)
    assert report.format.left_out == {"BDAY": 1, "PHOTO": 1}
    assert "left out   PHOTO in 1 card" in str(report)
    lead = db.leads.by_number(1)
    assert [(email.value, email.kind) for email in lead.emails] == [("anna@x.example", "home")]
    assert [phone.kind for phone in lead.phones] == ["fax"]


def test_what_only_an_import_needed_goes_with_it(db: Database) -> None:
    file = b"Company,E-mail,Tags,Source\nNordlys AS,post@nordlys.example,Hot,Fair\n"
    report = db.import_leads(file)
    assert [label.name for label in db.labels.list()] == ["Hot"]
    undone = db.undo(report)
    assert undone.remaining == ()
    assert (db.labels.list(), db.sources.list()) == ([], [])
    db.undo(undone)
    assert [label.name for label in db.labels.list()] == ["Hot"]
    assert [label.name for label in db.leads.by_number(1).labels] == ["Hot"]
    with pytest.raises(leadcore.InvalidError, match=r"lines.*99"):
        db.undo(report, lines=[2, 99])


def test_hygiene_names_its_issues(db: Database) -> None:
    with pytest.raises(leadcore.InvalidError, match="misspelt_email"):
        db.hygiene.plan(issues=["misspelt"])


def test_a_template_that_nobody_filled_in_holds_no_rows(db: Database) -> None:
    kinds: tuple[Literal["csv", "xlsx"], ...] = ("csv", "xlsx")
    for kind in kinds:
        report = db.import_leads(db.template(format=kind), dry_run=True)
        assert report.lines == 0
        assert "no rows" in str(report)
