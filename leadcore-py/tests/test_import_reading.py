"""How files are read, and which column is which field: what a fresh user met."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import leadcore
import pytest
from conftest import package
from leadcore import Database, ImportColumn


@pytest.fixture
def db() -> Iterator[Database]:
    with leadcore.open(":memory:", tenant="acme", user="ada") as opened:
        yield opened


@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_own_cards_come_back_with_every_address(db: Database, version: Any) -> None:
    lead = db.leads.create(company="Nordlys AS")
    for n in range(4):
        email = f"c{n}@x.example (home)"
        db.contacts.add(lead, name=f"P{n} Q", email=email, phone=f"+4722225{n}55 (work)")
    cards = db.contacts.to_vcard(lead, version=version)
    with leadcore.open(":memory:", tenant="acme", user="ada") as other:
        report = other.import_leads(cards.encode())
        assert report.created == 4
        assert report.mapping["E-mail 1"] == "email"
        assert [len(one.emails) for one in other.leads.list().items] == [1] * 4
        assert [len(one.phones) for one in other.leads.list().items] == [1] * 4


def test_columns_with_one_header_have_names_of_their_own(db: Database) -> None:
    file = (
        b"Company,Email,Email,Phone,Phone\nNordlys AS,a@x.example,b@x.example,+4722225555,+4722226666\n"
        b"Fjord AS,c@x.example,,,+4722227777\n"
    )
    plan = db.import_leads(file, dry_run=True)
    assert plan.mapping == {
        "Company": "company",
        "Email": "email",
        "Email (2)": "email",
        "Phone": "phone",
        "Phone (2)": "phone",
    }
    assert db.preview_import(file).mapping == plan.mapping
    report = db.import_leads(file, mapping=plan.mapping)
    lead = db.leads.by_number(1)
    assert (len(lead.emails), len(lead.phones)) == (2, 2)
    assert report.mapping == plan.mapping
    assert db.import_leads(file, mapping=report.mapping).repeated
    with leadcore.open(":memory:", tenant="acme", user="ada") as other:
        other.mappings.save("Twice", plan.mapping | {"Email (2)": None})
        seen = other.preview_import(file)
        assert seen.mapping["Email (2)"] is None
        assert seen.mapping["Phone (2)"] == "phone"
        assert other.mappings.get("Twice").mapping == seen.mapping
        other.import_leads(file, mapping=seen.mapping)
        assert [len(one.emails) for one in other.leads.list(sort="number").items] == [1, 1]


def test_of_two_names_the_first_is_told(db: Database) -> None:
    report = db.import_leads(b"Company,Name,Name\nNordlys AS,Eva Lund,Ola Berg\n")
    assert report.mapping == {"Company": "company", "Name": "name", "Name (2)": None}


def test_typed_numbers_are_what_they_are(db: Database) -> None:
    db.leads.create(company="Nordlys AS", amount=Decimal("1.234"), currency="NOK")
    for write in (db.leads.to_xlsx, db.leads.to_jsonl):
        file = io.BytesIO()
        written = write(file)
        for how in ({}, {"mapping": written.mapping}, {"decimal_mark": ","}):
            with leadcore.open(":memory:", tenant="acme", user="ada") as other:
                report = other.import_leads(file.getvalue(), **how)
                assert report.rejected == 0, report
                assert other.leads.by_number(1).amount == Decimal("1.234")


def test_typed_numbers_of_a_table_are_what_they_are(db: Database) -> None:
    db.leads.create(company="Nordlys AS", amount=Decimal("1.234"), currency="NOK")
    table = db.leads.to_arrow(columns=["company", "amount"])
    with leadcore.open(":memory:", tenant="acme", user="ada") as other:
        report = other.import_leads(table)
        assert report.rejected == 0, report
        assert other.leads.by_number(1).amount == Decimal("1.234")


def test_one_foreign_byte_spoils_one_line(db: Database) -> None:
    file = b"Company,E-mail\nCaf\xc3\xa9,a@x.example\nCaf\xe9,b@x.example\n"
    report = db.import_leads(file)
    assert (report.format.encoding, report.created, report.rejected) == ("UTF-8", 1, 1)
    assert report.rejections[0].line == 3
    assert db.leads.by_number(1).company == "Caf\u00e9"
    latin = "Company\nK\u00e5re\nS\u00f8ren\n\u00c3\u00a9t\u00e5\n".encode("latin1")
    assert db.import_leads(latin).rejected == 0
    assert db.leads.by_number(2).company == "K\u00e5re"


def test_what_was_guessed_is_told(db: Database) -> None:
    rows = b"".join(b"C%d,%s\n" % (n, b"13/04/2027" if n % 10 == 0 else b"03/01/2027") for n in range(3000))
    report = db.import_leads(b"Company,Close date\n" + rows)
    assert "Close date -> expected_close (day first: 100 of the cells looked at say so, 900 either)" in str(report)
    assert report.mapping["Close date"] == ImportColumn("expected_close", date_order="day_first")
    assert isinstance(report.mapping["Close date"], ImportColumn)
    [note] = report.notes["Close date"]
    assert note["date_order"] == {"day_first": 100, "month_first": 0, "either": 900, "proposed": "day_first"}


def test_a_saved_mapping_goes_with_a_wider_file(db: Database) -> None:
    db.mappings.save("Fair", {"Kunde": "company", "X": "city"})
    report = db.import_leads(b"Kunde,X,Extra\nNordlys AS,Oslo,7\n")
    assert report.mapping == {"Kunde": "company", "X": "city", "Extra": None}
    assert report.created == 1


def test_a_saved_mapping_keeps_its_constants_beside_others(db: Database) -> None:
    constants = {"source": "Fair", "currency": "EUR"}
    db.mappings.save("Fair", {"Kunde": "company"}, constants=constants)
    more = {"labels": "x", "currency": "NOK"}
    report = db.import_leads(b"Kunde\nA\n", mapping=db.mappings.get("Fair"), constants=more)
    assert report.constants == {"source": "Fair", "currency": "NOK", "labels": "x"}
    report = db.import_leads(b"Kunde\nB\n")
    assert (report.mapped_as, report.constants, report.not_said) == ("saved", constants, {})
    lead = db.leads.by_number(2)
    assert (lead.source and lead.source.name, lead.currency, lead.labels) == ("Fair", "EUR", ())


def test_a_plain_mapping_is_filled_by_the_cells(db: Database) -> None:
    file = b"Company;Labels;Closing\nA;a|b;3.4.2027\nB;c|d;13.4.2027\n"
    mapping = {"Company": "company", "Labels": "labels", "Closing": "expected_close"}
    report = db.import_leads(file, mapping=mapping)
    assert (report.created, report.rejected) == (2, 0)
    assert [len(lead.labels) for lead in db.leads.iter(sort="number")] == [2, 2]
    closing = report.mapping["Closing"]
    assert isinstance(closing, ImportColumn)
    assert closing.rules == {"date_order": "day_first"}


@pytest.mark.parametrize("label", ["City", "Company", "Phone", "E-mail"])
def test_the_template_tells_fields_of_one_label_apart(db: Database, label: str) -> None:
    db.catalogue.add_field("x_a", label=label, type="text")
    heads = db.template().decode().strip().split(",")
    assert len(set(heads)) == len(heads)
    cells = {"Company": "A", "company": "A", "City": "Oslo", "city": "Oslo", "Phone": "+4722222222", "x_a": "North"}
    cells |= {"phone": "+4722222222", "E-mail": "a@a.example", "email": "a@a.example"}
    row = ",".join(cells.get(head, "") for head in heads)
    report = db.import_leads(f"{','.join(heads)}\n{row}\n".encode())
    assert (report.created, report.rejected) == (1, 0)
    lead = db.leads.by_number(1)
    assert (lead.company, lead.city, lead.email, lead.phone) == ("A", "Oslo", "a@a.example", "+4722222222")
    assert lead.custom["x_a"] == "North"


def test_dialects(db: Database) -> None:
    cases: tuple[tuple[bytes, dict[str, Any]], ...] = (
        (b"'Company','City'\n'Nordlys, AS','Oslo'\n'Fjord','Moss'\n", {}),
        (b"Company,City\nNordlys\\, AS,Oslo\nFjord,Moss\n", {}),
        (b"Company,City\nNordlys\\, AS,Oslo\n", {"escape": "\\"}),
        (b"Company,City\nNordlys!, AS,Oslo\n", {"escape": "!"}),
        (b"Company^City\nNordlys, AS^Oslo\nFjord^Moss\n", {}),
    )
    for file, how in cases:
        with leadcore.open(":memory:", tenant="acme", user="ada") as other:
            report = other.import_leads(file, **how)
            assert report.rejected == 0, report
            assert (other.leads.by_number(1).company, other.leads.by_number(1).city) == ("Nordlys, AS", "Oslo")
    with pytest.raises(leadcore.InvalidError) as caught:
        db.import_leads(b"Company\nA\n", escape="\n")
    assert caught.value.violations[0].field == "escape"


def test_consent(db: Database) -> None:
    report = db.import_leads(
        b"Company,E-mail,Subscribed,Email Opt Out\nA,a@x.example,no,maybe\nB,b@x.example,yes,maybe\n"
    )
    subscribed = report.mapping["Subscribed"]
    assert isinstance(subscribed, ImportColumn)
    assert subscribed.rules == {"opt_out": "own", "inverted": True}
    assert [db.leads.by_number(n).emails[0].opted_out for n in (1, 2)] == [True, False]
    assert report.mapping["Email Opt Out"] is None
    assert "Email Opt Out -> (left out) (looks as if its 2 cells said who may be reached" in str(report)
    assert report.notes["Email Opt Out"] == ({"consent": {"cells": 2}},)


def test_a_label_of_two_lines_becomes_one(db: Database) -> None:
    db.catalogue.add_field("x_line", label="a\nL", type="integer")
    db.leads.create(company="Nordlys AS", x_line=7)  # type: ignore[call-arg]
    file = io.BytesIO()
    written = db.leads.to_csv(file)
    assert written.mapping["a L"] == "x_line"


def test_names_of_columns_are_those_of_the_compiled_half(db: Database) -> None:
    file = b"Company,Date,Date,Date (2)\nNordlys AS,2027-01-01,3/4/2027,2027-01-02\n"
    mapping = {"Company": "company", "Date": None, "Date (#2)": "expected_close", "Date (2)": None}
    report = db.import_leads(file, mapping=mapping, dry_run=True)
    assert report.mapping == mapping
    assert list(report.notes) == ["Date (#2)"], "the second of its name, and not what is called so"
    report = db.import_leads(file, mapping={"Company": "company", "Date (#2)": "expected_close"}, dry_run=True)
    assert list(report.notes) == [name for name, key in report.mapping.items() if key == "expected_close"]
    # No column is the first by its number: this one is called so.
    db.mappings.save("Fair", {"Email": "email", "Email (1)": "city"})
    seen = db.preview_import(b"Email,Email (1)\npost@nordlys.example,Oslo\n")
    assert seen.mapping == {"Email": "email", "Email (1)": "city"}


def test_a_number_that_no_file_has_is_told(db: Database) -> None:
    mapping = {"A (2)": "company", "A (4000000000)": None}
    assert db.import_leads(b"A,A\n1,2\n", mapping=mapping).created == 1
    with pytest.raises(leadcore.InvalidError, match="4000000000"):
        db.import_leads(b"A,A\n1,2\n", mapping=mapping | {"A (4000000000)": "city"})


@pytest.mark.parametrize("end", ["", ",", "] trailing", "]\n[{}]", "}"])
def test_a_list_of_json_that_does_not_end_is_told(db: Database, end: str) -> None:
    rejects = io.BytesIO()
    report = db.import_leads(f'[{{"company":"A"}},{{"company":"B"}}{end}'.encode(), rejects=rejects)
    assert (report.created, report.rejected) == (2, 1)
    assert report.rejections[0].message == "the record is cut off or damaged"
    assert "cut off or damaged" in rejects.getvalue().decode()
    whole = b'[{"company":"C"},{"company":"D"}]\n'
    assert db.import_leads(whole).rejected == 0


def test_noise_of_sums_is_no_fourth_decimal(db: Database) -> None:
    noisy = [0.1 + 0.2, 1.1 * 3, 19.99 * 7]
    polars = package("polars")
    table = polars.DataFrame({"company": ["A", "B", "C"], "amount": noisy})
    assert db.import_leads(table).created == 3
    lines = "".join(f'{{"company":"J{n}","amount":{amount!r}e0}}\n' for n, amount in enumerate(noisy))
    assert db.import_leads(lines.replace("e0", "").encode(), dry_run=True).rejected == 0
    assert db.import_leads(lines.encode()).created == 3
    amounts = [lead.amount for lead in db.leads.list(sort="number").items]
    assert amounts == [Decimal("0.3"), Decimal("3.3"), Decimal("139.93")] * 2


def test_letters_of_another_encoding_are_told(db: Database) -> None:
    text = "Navn;By\nSøren Bjørnson;Tønsberg\nKåre Håland;Måløy\n"
    for encoding, doubt in (("cp850", "dos"), ("mac_roman", "macintosh"), ("cp1252", None), ("utf-8", None)):
        file = text.encode(encoding)
        assert db.preview_import(file).format.encoding_doubt == doubt
        report = db.import_leads(file, dry_run=True)
        assert report.format.encoding_doubt == doubt
    report = db.import_leads(text.encode("mac_roman"), encoding="macintosh")
    assert report.format.encoding_doubt is None
    assert db.leads.by_number(1).city == "Tønsberg"


def test_fractions_and_dead_addresses_by_rule(db: Database) -> None:
    columns = {
        "Firma": "company",
        "Post": "email",
        "Sjanse": leadcore.ImportColumn("probability", unit="fractions"),
        "Retur": leadcore.ImportColumn("email", opt_out="own", invalid=True),
    }
    report = db.import_leads(
        b"Firma,Post,Sjanse,Retur\nA,a@x.example,0.5,ja\nB,b@x.example,25 %,nei\n", mapping=columns
    )
    assert report.created == 2, str(report)
    leads = [db.leads.by_number(1), db.leads.by_number(2)]
    assert [lead.probability for lead in leads] == [50, 25]
    assert [lead.emails[0].invalid for lead in leads] == [True, False]
    with pytest.raises(leadcore.InvalidError, match="opt_out"):
        db.import_leads(b"Retur\nja\n", mapping={"Retur": leadcore.ImportColumn("email", invalid=True)})
