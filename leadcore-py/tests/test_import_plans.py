"""Plans of imports: kept, changed by a person, carried out later."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

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


def test_a_number_of_a_plan_counts_ones(db: Database) -> None:
    column = leadcore.ImportColumn
    amount, chance = column("amount", unit="thousands"), column("probability", unit="fractions")
    file = b"Company,Amt,P\nA,5,0.25\n"
    plan = db.plan_import(file, mapping={"Company": "company", "Amt": amount, "P": chance})
    for cells, wanted in [
        ({"amount": Decimal(7), "probability": 40}, {"amount": "7", "probability": 40}),
        ({"amount": 8, "probability": "0.4"}, {"amount": "8", "probability": 40}),
        ({"amount": "8", "probability": 4}, {"amount": "8000", "probability": 4}),
    ]:
        plan.set(2, **cells)  # type: ignore[arg-type]
        line = db.plan_import(file, earlier=plan).line(2)
        assert line.action == "create"
        assert {field: new for field, _, new in line.changes if field in wanted} == wanted


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


def test_a_line_that_is_taken_out_leaves_its_twins_open(db: Database) -> None:
    file = b"Company,E-mail,City\nA,a@x.example,\nA,a@x.example,Oslo\nB,b@x.example,\n"
    plan = db.plan_import(file)
    assert [line.action for line in plan.lines] == ["create", "update", "create"]
    plan.skip(2)
    assert [line.action for line in plan.lines] == ["skip", "open", "create"]
    plan.create(3)
    plan.reset(3)
    assert plan.line(3).action == "open"
    plan.reset(2)
    assert [line.action for line in plan.lines] == ["create", "update", "create"]
    data = plan.to_dict()
    del data["lines"][0]
    shorter = ImportPlan(data)
    assert [line.action for line in shorter.lines] == ["open", "create"]
    report = db.apply_import(shorter, file)
    assert (report.created, report.skips, report.stale_lines) == (2, {"left_out": 1}, ())
    assert db.leads.by_number(1).city == "Oslo"


def test_a_plan_that_is_too_old_leaves_its_lines_alone(db: Database) -> None:
    plan = db.plan_import(CSV)
    db.leads.create(company="Fjord AS", email="post@fjord.example")
    rejects = io.BytesIO()
    report = db.apply_import(plan, CSV, rejects=rejects)
    assert report.stale_lines == (3,)
    assert b"Fjord" in rejects.getvalue()


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


def test_lines_that_mean_a_lead_of_a_line_that_was_left_out_are_open(db: Database) -> None:
    file = b"Company,E-mail\nA,a@x.example\nA AS,a@x.example\n"
    plan = db.plan_import(file)
    plan.skip(2)
    assert [line.action for line in plan.lines] == ["skip", "open"]
    again = db.plan_import(file, earlier=plan)
    assert [line.action for line in again.lines] == ["skip", "create"]
    plan.reset(2)
    assert [line.action for line in plan.lines] == ["create", "update"]
    plan.skip(2)
    report = db.apply_import(leadcore.ImportPlan.from_json(plan.to_json()), file)
    assert (report.created, report.skips, report.stale_lines) == (1, {"left_out": 1}, ())


def test_a_line_is_open_as_long_as_its_cells_are_not_those_it_was_planned_with(db: Database) -> None:
    plan = db.plan_import(CSV)
    plan.set(2, city="Moss")
    again = db.plan_import(CSV, earlier=plan)
    seen = [again.line(2).action]
    for city in ("Moss", "Oslo"):
        again.set(2, city=city)
        seen.append(again.line(2).action)
    for _ in range(2):
        again.reset(2)
        seen.append(again.line(2).action)
    assert seen == ["create", "create", "open", "open", "open"]
    again.set(2, city="Moss")
    assert again.line(2).action == "create"


def test_what_a_line_that_was_given_to_a_lead_becomes_is_open(db: Database) -> None:
    lead = db.leads.create(company="Other", email="o@x.example")
    plan = db.plan_import(b"Company,E-mail\nA,a@x.example\n")
    plan.take(2, lead)
    assert (plan.line(2).action, plan.line(2).edit) == ("open", "take")
    plan.create(2)
    assert plan.line(2).action == "create"


@pytest.mark.parametrize("required", [False, True])
def test_lines_that_link_to_one_that_was_decided_about_are_written(db: Database, required: bool) -> None:
    db.catalogue.add_field("x_parent", label="Parent", type="link", links_to="lead", required=required)
    db.import_leads(b"external_id,company,x_parent\nO,Other,O\n", external_system="crm")
    other = db.leads.by_number(1)
    file = b"external_id,company,x_parent\nA,A,B\nB,B,B\nC,C,B\n"
    plan = db.plan_import(file, external_system="crm")
    assert [line.linked_lines for line in plan.lines] == [(3,), (), (3,)]
    plan.take(3, other)
    assert [line.action for line in plan.lines] == ["open", "open", "open"]
    report = db.apply_import(ImportPlan.from_json(plan.to_json()), file)
    assert (report.created, report.updated, report.left_out, report.stale_lines) == (2, 1, 0, ())
    assert {lead.custom["x_parent"] for lead in db.leads.iter()} == {("lead", other.id)}
    db.undo(report)
    plan.reset(3)
    assert [line.action for line in plan.lines] == ["create"] * 3
    plan.skip(3)
    assert [plan.line(line).action for line in (2, 3, 4)] == ["open", "skip", "open"]
    report = db.apply_import(plan, file)
    if required:
        assert (report.created, report.rejected) == (0, 2)
        assert {told.field for told in report.rejections} == {"x_parent"}
    else:
        assert (report.created, [told.line for told in report.left_out_values]) == (2, [2, 4])


def test_a_plan_of_one_user_is_carried_out_by_another(db: Database) -> None:
    file = b"Company,E-mail\nNordlys AS,post@nordlys.example\n"
    plan = db.plan_import(file)
    bob = db.as_user("bob")
    report = bob.apply_import(plan, file)
    assert (report.created, report.stale_lines) == (1, ())
    assert db.leads.by_number(1).owner == "bob"
    gone = bob.undo(bob.undo(bob.undo(report)))
    assert gone.freed_key is not None
    assert db.leads.count() == 0
    assert bob.import_leads(file).created == 1
