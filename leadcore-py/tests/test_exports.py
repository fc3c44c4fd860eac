"""Exports, and that they come back as they were."""

from __future__ import annotations

import io
import json
from pathlib import Path

import leadcore
import pytest
from leadcore import Database, F
from test_exchange import CSV


def test_an_export_comes_back(db: Database, tmp_path: Path) -> None:
    db.sources.add("Fair")
    db.leads.create(company="=1+5", name="Anna Berg", email=["a@x.example", "b@x.example"], source="Fair", city="Oslo")
    db.leads.create(company="Fjord AS", city="Bergen", email="c@x.example")
    for write in (db.leads.to_csv, db.leads.to_jsonl, db.leads.to_xlsx):
        file = io.BytesIO()
        written = write(file)
        assert written.leads == 2
        with leadcore.open(":memory:") as other:
            # The objects of JSON lines have what is not empty, under the keys of fields.
            mapping = None if write == db.leads.to_jsonl else written.mapping
            report = other.import_leads(file.getvalue(), mapping=mapping, no_answer=[], decimal_mark=".")
            assert report.created == 2, report
            lead = other.leads.by_number(1)
            assert (lead.company, lead.city, len(lead.emails)) == ("=1+5", "Oslo", 2)
    path = tmp_path / "leads.csv"
    told = db.leads.to_csv(path, where=F.city == "Oslo", columns=["number", "city"], headers="keys")
    assert path.read_text() == "number,city\n1,Oslo\n"
    assert told.columns == {"number": "number", "city": "city"}
    first = db.leads.by_number(1)
    named = io.BytesIO()
    assert db.leads.to_jsonl(named, leads=[first, first.id], columns=["company"]).leads == 1
    assert json.loads(named.getvalue()) == {"company": "=1+5"}
    view = db.views.save("Oslo", F.city == "Oslo")
    assert db.leads.to_csv(io.BytesIO(), view=view.id).leads == 1
    with pytest.raises(leadcore.InvalidError, match="columns"):
        db.leads.to_csv(io.BytesIO(), columns=["ctiy"])
    with pytest.raises(leadcore.StorageError):
        db.leads.to_csv(tmp_path / "none" / "leads.csv")


def test_export_needs_its_permission_and_leaves_hidden_fields_out() -> None:
    roles = leadcore.RoleTable().role("viewer", leadcore.Role.viewer()).user("eve", "viewer")
    with leadcore.open(":memory:", policy=roles) as db:
        lead = db.leads.create(company="Nordlys AS")
        db.contacts.add(lead, name="Anna Berg")
        eve = db.as_user("eve")
        for take_persons in (eve.contacts.to_csv, eve.contacts.to_xlsx):
            with pytest.raises(leadcore.DeniedError):
                take_persons(lead, io.BytesIO())
        with pytest.raises(leadcore.DeniedError):
            eve.contacts.to_vcard(lead)
        for take in (eve.leads.to_csv, eve.leads.to_jsonl, eve.leads.to_xlsx):
            with pytest.raises(leadcore.DeniedError):
                take(io.BytesIO())
        with pytest.raises(leadcore.DeniedError):
            eve.leads.to_arrow()


def test_cards_go_out(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    db.contacts.add(lead, name="Anna Berg", email="anna@nordlys.example")
    assert "VERSION:4.0" in db.contacts.to_vcard(lead, version="4.0")
    with pytest.raises(leadcore.InvalidError, match="version"):
        db.contacts.to_vcard(lead, version="2.1")  # type: ignore[arg-type]


def test_labels_with_commas_come_back(db: Database) -> None:
    db.labels.add("Bread, white")
    db.labels.add('"Big"; small')
    db.leads.create(company="Nordlys AS", labels=["Bread, white", '"Big"; small'])
    for write in (db.leads.to_csv, db.leads.to_xlsx, db.leads.to_jsonl):
        file = io.BytesIO()
        told = write(file, columns=["company", "labels"])
        with leadcore.open(":memory:", tenant="acme") as other:
            report = other.import_leads(
                file.getvalue(), mapping=told.mapping, no_answer=[], decimal_mark=".", unknown_terms="create"
            )
            assert report.created == 1
            assert sorted(label.name for label in other.labels.list()) == ['"Big"; small', "Bread, white"]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl"])
def test_ids_of_every_system_come_back(db: Database, tmp_path: Path, kind: str) -> None:
    first = db.leads.create(company="Nordlys AS", external_id=["sap:78", "web:9, x"])
    second = db.leads.create(company="Fjord AS", external_id=["import:917"])
    path = tmp_path / f"leads.{kind}"
    written = getattr(db.leads, f"to_{kind}")(path)
    header = next(head for head, key in written.columns.items() if key == "external_id")
    assert written.mapping[header] == "external_id"
    # Elsewhere a lead keeps the id that it has here, too.
    expected = [(f"leadcore:{first.id}", "sap:78", "web:9, x"), ("import:917", f"leadcore:{second.id}")]
    for mapping in (written.mapping, None):
        with leadcore.open(":memory:") as other:
            assert other.import_leads(path, mapping=mapping).created == 2
            assert [other.leads.by_number(n).to_dict()["external_id"] for n in (1, 2)] == expected
    report = db.import_leads(path)
    assert (report.created, report.updated) == (0, 0), report
    report = db.import_leads(path, mapping=written.mapping, attempt=2)
    assert (report.created, report.updated) == (0, 0), report


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl"])
def test_our_own_numbers_mean_the_same_leads(db: Database, tmp_path: Path, kind: str) -> None:
    for company in ("Nordlys AS", "Fjord AS", "Berg AS"):
        db.leads.create(company=company, city="Oslo")
    path = tmp_path / f"leads.{kind}"
    written = getattr(db.leads, f"to_{kind}")(path, columns=["number", "company", "city"])
    db.leads.edit(db.leads.by_number(2), city="Voss")
    plan = db.plan_import(path)
    assert [line.action for line in plan.lines] == ["unchanged", "update", "unchanged"]
    report = db.import_leads(path)
    assert (report.created, report.updated, report.skipped) == (0, 1, 2)
    report = db.import_leads(path, mapping=written.mapping, attempt=2)
    assert (report.created, report.updated, report.unknown_numbers) == (0, 0, 0)
    with leadcore.open(":memory:") as other:
        report = other.import_leads(path, mapping=written.mapping)
        assert (report.created, report.unknown_numbers, len(report.unknown_number_lines)) == (3, 3, 3)


def test_an_export_that_is_not_told_where_to_gives_its_bytes(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", email="post@nordlys.example")
    db.contacts.add(lead, name="Anna Berg")
    for take in (db.leads.to_csv, db.leads.to_jsonl, db.leads.to_xlsx):
        file = io.BytesIO()
        assert take(file).leads == 1
        assert db.import_leads(file.getvalue(), dry_run=True).skips == {"unchanged": 1}
        assert db.import_leads(take(), dry_run=True).skips == {"unchanged": 1}
    assert db.leads.to_csv(columns=["company"]).decode() == "Company\nNordlys AS\n"
    table = io.BytesIO()
    assert db.contacts.to_csv(lead, table) == 1
    assert db.contacts.to_csv(lead) == table.getvalue()
    assert db.contacts.to_xlsx(lead)[:2] == b"PK"


def test_files_of_text_are_refused_in_words(db: Database, tmp_path: Path) -> None:
    db.leads.create(company="Nordlys AS")
    for write in (db.leads.to_csv, db.leads.to_xlsx, db.leads.to_jsonl):
        with pytest.raises(TypeError, match="binary mode"):
            write(io.StringIO())  # type: ignore[call-overload]
        with (tmp_path / "text").open("w") as file, pytest.raises(TypeError, match="binary mode"):
            write(file)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="binary mode"):
        db.import_leads(CSV, rejects=io.StringIO())  # type: ignore[arg-type]
    assert db.leads.count() == 1
