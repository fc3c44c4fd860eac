"""Records are values; extreme input is stored exactly or refused in a typed way."""

from __future__ import annotations

import copy
import datetime
import pickle
from decimal import Decimal
from typing import Any

import leadcore
import pytest
from conftest import became
from leadcore import Database


@pytest.fixture
def records(db: Database) -> list[Any]:
    source = db.sources.add("Fair", color="#abcdef")
    lead = db.leads.create(
        company="Nordlys AS", name="Anna", email="a@b.example", amount="1.5", source=source, external_id="x:1"
    )
    contact = db.contacts.add(lead, name="Anna Berg", phone="+47 22 22 22 22")
    board, page = db.board(), db.leads.list()
    entries = list(db.timeline(lead))
    plan = db.leads.plan_conversion(lead)
    outcome = db.leads.convert(lead)
    return [
        source,
        lead,
        contact,
        board,
        page,
        *entries,
        plan,
        outcome,
        db.accounts.get(became(outcome)),
        lead.stage,
        lead.pipeline,
        db.catalogue.get("city"),
        leadcore.RoleTable().role("r", leadcore.Role.viewer()),
        leadcore.F.city == "Oslo",
    ]


def test_records_travel_and_come_back_equal(records: list[Any]) -> None:
    for record in records:
        for twin in (pickle.loads(pickle.dumps(record)), copy.copy(record), copy.deepcopy(record)):
            assert type(twin) is type(record)
            assert twin == record, record
            assert not record == "something else"  # noqa: SIM201
            if not isinstance(record, leadcore.RoleTable):
                assert hash(twin) == hash(record)
        assert len(repr(record)) < 1000
        assert "\n" not in repr(record)
        assert isinstance(record.to_json() if hasattr(record, "to_json") else record.to_dict(), (dict, str))


def test_a_lead_that_travelled_keeps_its_names(db: Database) -> None:
    lead = db.leads.create(company="A", source=db.sources.add("Fair"), labels=[db.labels.add("VIP")])
    twin = pickle.loads(pickle.dumps(lead))
    assert (twin.source, twin.labels, twin.stage, twin.pipeline) == (
        lead.source,
        lead.labels,
        lead.stage,
        lead.pipeline,
    )
    assert twin.to_dict() == lead.to_dict()
    assert db.leads.edit(twin, city="Oslo").revision == 2
    for state in ("", "[]", "\ud800"):
        with pytest.raises(leadcore.InvalidError):
            leadcore.Lead._restore(state)  # type: ignore[attr-defined]


def test_records_are_frozen(db: Database) -> None:
    lead = db.leads.create(company="A")
    with pytest.raises(AttributeError):
        lead.company = "B"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        lead.stage.name = "B"  # type: ignore[misc]
    with pytest.raises(TypeError):
        leadcore.Lead()
    assert len({lead, db.leads.get(lead)}) == 1


@pytest.mark.parametrize(
    "text",
    ["Ærø — 東京 \U0001d518", "‏مرحبا", "a\tb", "e\u0301", "\U0010ffff", "'; DROP TABLE leads; --", "%_\\", "x" * 400],
)
def test_text_comes_back_exactly(db: Database, text: str) -> None:
    lead = db.leads.create(company=text, description=text)
    assert (lead.company, lead.description) == (text, text)
    assert db.leads.get(lead).company == text
    assert text.split()[0][:20] in db.leads.search(text).items[0].company  # type: ignore[operator]


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "a\0b", "x" * 1_000_001])
def test_text_that_cannot_be_stored_is_refused(db: Database, text: str) -> None:
    lead = db.leads.create(company="A")
    for call in (
        lambda: db.leads.create(company=text),
        lambda: db.leads.edit(lead, city=text),
        lambda: db.sources.add(text),
        lambda: db.contacts.add(lead, name=text),
        lambda: db.pipelines.add(text, ["A"]),
        lambda: db.as_user(text),
        lambda: db.leads.move(lead, text),
        lambda: db.leads.get(text),
        lambda: db.leads.list(sort=text),
        lambda: db.leads.list(after=text),
        lambda: db.catalogue.set("city", label=text) if text != "a\0b" else db.leads.get(text),
        lambda: db.leads.create(**{text: "x"}),  # type: ignore[arg-type]
    ):
        with pytest.raises(leadcore.InvalidError):
            call()
    long = "x" * 1_000_000
    assert db.leads.edit(lead, description=long).description == long


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (0, "0"),
        (-1, "-1"),
        ("1250.5000", "1250.5000"),
        (Decimal("99999999999999.9999"), "99999999999999.9999"),
        (12.5, "12.5"),
        (0.1, "0.1"),
        (Decimal("-0"), "0"),
        (Decimal("1E+3"), "1000"),
    ],
)
def test_amounts_are_exact(db: Database, given: Any, stored: str) -> None:
    assert db.leads.create(company="A", amount=given).amount == Decimal(stored)


@pytest.mark.parametrize(
    "amount",
    [
        float("nan"),
        float("inf"),
        1e300,
        2**63,
        -(2**63) - 1,
        10**400,
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        Decimal("1e-999999"),
        Decimal("1e999999"),
        Decimal("0.00001"),
        Decimal(10) ** 14,
        "1,5",
        "",
        True,
        b"1",
        [1, 2],
        {"a": 1},
        object(),
    ],
)
def test_what_is_no_amount_is_refused(db: Database, amount: Any) -> None:
    if amount == "":
        assert db.leads.create(company="A", amount=amount).amount is None
        return
    with pytest.raises(leadcore.InvalidError):
        db.leads.create(company="A", amount=amount)


def test_times_at_the_edge(db: Database) -> None:
    from leadcore import F

    utc = datetime.UTC
    east, west = (datetime.timezone(datetime.timedelta(hours=hours)) for hours in (14, -14))
    db.leads.create(company="A")
    for low in (datetime.datetime.min.replace(tzinfo=utc), datetime.datetime(1, 1, 2, tzinfo=east)):
        assert db.leads.count(where=F.created_at > low) == 1
    assert db.leads.count(where=F.created_at > datetime.datetime.max.replace(tzinfo=utc)) == 0
    for out in (datetime.datetime.min.replace(tzinfo=east), datetime.datetime.max.replace(tzinfo=west)):
        with pytest.raises(leadcore.InvalidError):
            db.leads.count(where=F.created_at > out)


def test_wrong_types_are_type_errors_or_ours(db: Database) -> None:
    for call in (
        lambda: db.leads.get(7),  # type: ignore[arg-type]
        lambda: db.leads.get(None),  # type: ignore[arg-type]
        lambda: db.leads.by_number(1.5),  # type: ignore[arg-type]
        lambda: db.leads.list(limit="many"),  # type: ignore[arg-type]
        lambda: leadcore.open(7),  # type: ignore[arg-type]
        lambda: db.contacts.of(object()),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError):
            call()


def test_phones_have_an_e164_form(db: Database) -> None:
    lead = db.leads.create(company="A", country="NO", phone=["22 22 22 22", "+46 8 123 456 78"])
    assert lead.phone == "22 22 22 22"
    assert (lead.phone_e164, lead.phones_e164) == ("+4722222222", ("+4722222222", "+46812345678"))
    person = db.contacts.add(lead, name="Anna", phone="22 22 22 23")
    assert person.phone_e164 == "+4722222223"
    nowhere = db.leads.create(company="B", phone="22 22 22 22")
    assert (nowhere.phone_e164, nowhere.phones_e164) == (None, (None,))
    assert db.leads.create(company="C").phone_e164 is None
