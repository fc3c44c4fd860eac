"""Imports by plan and mapping, exports, templates, hygiene."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import leadcore
import pytest
from leadcore import Database, ImportColumn, Progress

CSV = b"Company,E-mail,City\nNordlys AS,post@nordlys.example,Oslo\nFjord AS,post@fjord.example,Bergen\nBerg,berg,\n"


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
    assert (report.mapped_as, report.constants, report.not_said) == ("last_use", {}, {"source": "Fair"})
    assert "every row had `Fair` as source then" in str(report)
    assert "last imported" in str(report)
    assert db.import_leads(b"Name,Mail\nC,c@x.example\n").mapped_as is None


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


def test_a_lead_of_several_lines_goes_back_with_all_of_them(db: Database) -> None:
    lead = db.leads.create(company="A", email="a@x.example", city="Oslo")
    file = b"Company,E-mail,City,Phone\nA,a@x.example,Bergen,+4722222222\nA,a@x.example,Voss,\n"
    report = db.import_leads(file)
    (kept,) = db.undo_plan(report, lines=[3]).records
    assert kept.reversed == ()
    assert {one.why for one in kept.kept} == {"shared"}
    assert db.undo(report, lines=[3]).remaining == (kept,)
    assert db.leads.get(lead).city == "Voss"
    assert db.undo(report, lines=[2, 3]).totals.reversed == 1
    assert (db.leads.get(lead).city, db.leads.get(lead).phone) == ("Oslo", None)


def test_a_lead_that_an_import_disqualified_is_open_again_after_an_undo(db: Database) -> None:
    db.disqualify_reasons.add("Spam")
    lead = db.leads.create(company="A", email="a@x.example")
    rows = b"Company,E-mail,Lead state,Disqualify reason\nA,a@x.example,disqualified,Spam\n"
    undone = db.undo(db.import_leads(rows))
    assert (undone.totals.reversed, undone.remaining) == (1, ())
    assert db.leads.get(lead).state == "open"


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


def test_stages_that_only_an_import_needed_go_with_it(db: Database) -> None:
    def stages() -> list[str]:
        return [stage.name for stage in db.pipelines.list()[0].stages]

    db.leads.create(company="Own")
    start = stages()
    report = db.import_leads(b"Company,Lead Status\nNordlys AS,Fresh\nFjord AS,Verloren\n")
    assert set(stages()) - set(start) == {"Fresh", "Verloren"}
    undone = db.undo(report)
    assert (undone.remaining, stages()) == ((), start)
    # One that is restored is where leads of its kind are.
    fjord = next(lead for lead in db.leads.trash() if lead.company == "Fjord AS")
    assert db.leads.restore(fjord).stage.name == "Lost"
    # A stage in which another lead is stays, and is named.
    report = db.import_leads(b"Company,Lead Status\nElv AS,Fresh\n")
    db.leads.create(company="Other", stage="Fresh")
    undone = db.undo(report)
    assert [(record.name, record.kept[0].why) for record in undone.remaining] == [("Fresh", "in_use")]
    assert "Fresh" in stages()


def test_disqualified_leads_come_in_so(db: Database) -> None:
    db.disqualify_reasons.add("Spam")
    file = b"Company,Lead state,Disqualify reason\nA,disqualified,spam\nB,disqualified,\nC,open,\n"
    report = db.import_leads(file)
    leads = [db.leads.by_number(number) for number in (1, 2, 3)]
    assert [lead.state for lead in leads] == ["disqualified", "open", "open"]
    assert leads[0].closing is not None
    assert str(leads[0].closing.reason) == "Spam"
    assert [(told.line, told.field) for told in report.left_out_values] == [(3, "state")]
    db.import_leads(file, attempt=2, disqualify_reason="Spam")
    assert [db.leads.by_number(number).state for number in (4, 5)] == ["disqualified", "disqualified"]
    with pytest.raises(leadcore.InvalidError, match="disqualify_reason"):
        db.import_leads(file, attempt=3, disqualify_reason="Unheard of")


def test_hygiene_names_its_issues(db: Database) -> None:
    with pytest.raises(leadcore.InvalidError, match="misspelt_email"):
        db.hygiene.plan(issues=["misspelt"])


def test_a_template_that_nobody_filled_in_holds_no_rows(db: Database) -> None:
    kinds: tuple[Literal["csv", "xlsx"], ...] = ("csv", "xlsx")
    for kind in kinds:
        report = db.import_leads(db.template(format=kind), dry_run=True)
        assert report.lines == 0
        assert "no rows" in str(report)


@pytest.mark.parametrize("kind", [ZeroDivisionError, KeyboardInterrupt, leadcore.NotFoundError])
def test_an_exception_of_the_callback_behind_the_last_row_names_the_import(
    db: Database, kind: type[BaseException]
) -> None:
    file = b"Company,E-mail\nNordlys AS,post@nordlys.example\n"

    def tell(_: object) -> None:
        raise kind

    for attempt, hear in enumerate(({"progress": tell}, {"lines": tell}), 1):
        with pytest.raises(kind) as caught:
            db.import_leads(file, attempt=attempt, **hear)  # type: ignore[arg-type]
        operation = caught.value.operation  # type: ignore[attr-defined]
        done = db.import_leads(file, attempt=attempt)
        assert (done.repeated, done.operation) == (True, operation)
        assert f"the import is done, as operation {operation}" in "".join(caught.value.__notes__)
        db.undo(operation)
    with pytest.raises(kind) as caught:
        db.import_leads(file, attempt=3, dry_run=True, progress=tell)
    assert getattr(caught.value, "operation", None) is None
