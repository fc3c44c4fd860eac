"""Fields that the tenant added: defined, written, read, found, changed, taken away."""

from __future__ import annotations

import copy
import datetime
import pickle
from decimal import Decimal
from typing import Any
from uuid import uuid4

import leadcore
import pytest
from conftest import became
from leadcore import Choice, Database, F, Money

NOON = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
DAY = datetime.date(2026, 11, 22)

#: Of each type: its definition, values with what is read back, and what is refused.
TYPES: dict[str, tuple[dict[str, Any], list[tuple[Any, Any]], list[Any]]] = {
    "text": ({}, [("Ærø", "Ærø"), ("  a ", "a"), ("", None)], [5, "x" * 501, "a\0", "\ud800"]),
    "long_text": ({}, [("a\nb", "a\nb")], ["x" * 10_001]),
    "integer": ({}, [(5, 5), ("-7", -7), (5.0, 5), (2**63 - 1, 2**63 - 1)], [2**63, "x", 1.5, True, Decimal("1.5")]),
    "decimal": ({}, [("1.50", Decimal("1.5")), (0.1, Decimal("0.1")), (3, Decimal(3))], ["1,5", float("nan"), 1e300]),
    "money": (
        {"currency": "NOK"},
        [
            (1000, Money(1000, "NOK")),
            (Decimal("12.50"), Money(Decimal("12.5"), "NOK")),
            (Money(Decimal(5), "EUR"), Money(Decimal(5), "EUR")),
            ("7.5 usd", Money(Decimal("7.5"), "USD")),
        ],
        ["a lot", Decimal("0.00001"), Money(Decimal(5), "XQX"), True],
    ),
    "date": ({}, [(DAY, DAY), ("2026-11-22", DAY)], ["22.11.2026", 5, "2026-02-30"]),
    "time": ({}, [(NOON, NOON), ("2026-11-22T13:00:00+01:00", NOON)], ["noon", NOON.replace(tzinfo=None), DAY]),
    "bool": ({}, [(True, True), (False, False), ("yes", True), (0, False)], ["maybe", 2]),
    "one_of": ({"choices": {"s": "Small", "l": "Large"}}, [("s", "s"), ("Large", "l")], ["medium", 5, ["s"]]),
    "many_of": ({"choices": ["s", "l"]}, [({"s", "l"}, ("l", "s")), ("s,l", ("l", "s")), ([], None)], [["x"], 5]),
    "user": ({}, [("bob", "bob")], [5]),
    "link": ({"links_to": "lead"}, [], [uuid4(), "nobody", ("lead", uuid4())]),
    "email": ({}, [("Anna@Example.com", "Anna@Example.com")], ["nobody", 5]),
    "phone": ({}, [("+47 22 22 22 22", "+47 22 22 22 22")], ["x"]),
    "url": ({}, [("nordlys.example", "https://nordlys.example")], [5]),
}


def field(db: Database, kind: str, **more: Any) -> None:
    db.catalogue.add_field("x_f", type=kind, **{**TYPES[kind][0], **more})  # type: ignore[arg-type]


def row(**fields: Any) -> dict[str, Any]:
    return {"company": "Nordlys AS", **fields}


@pytest.mark.parametrize("kind", TYPES)
def test_values_of_every_type(db: Database, kind: str) -> None:
    field(db, kind)
    empty: dict[str, Any] = {"x_f": None}
    lead = db.leads.create(**row())
    assert (lead.custom["x_f"], lead.to_dict()["x_f"]) == (None, None)
    for given, read in TYPES[kind][1]:
        lead = db.leads.edit(lead, custom={"x_f": given})
        value = lead.custom["x_f"]
        if kind == "url":
            assert value in (read, given)
            continue
        assert (value, type(value)) == (read, type(read)), given
        assert value == lead.to_dict()["x_f"] == db.leads.get(lead.id).custom["x_f"]
        again = db.leads.create(**row(x_f=value))
        assert again.custom["x_f"] == value, "what is read can be written"
        for twin in (pickle.loads(pickle.dumps(lead)), copy.deepcopy(lead)):
            assert twin == lead
            assert twin.custom == lead.custom
    for given in TYPES[kind][2]:
        with pytest.raises(leadcore.InvalidError) as caught:
            db.leads.edit(lead, custom={"x_f": given})
        assert [violation.field for violation in caught.value.violations] == ["x_f"], given
    assert db.leads.edit(lead, **empty).custom["x_f"] is None


def test_links(db: Database) -> None:
    field(db, "link")
    first = db.leads.create(company="First")
    for given in (first, first.id, str(first.id), ("lead", first.id)):
        lead = db.leads.create(**row(x_f=given))
        assert lead.custom["x_f"] == ("lead", first.id)
    assert db.leads.count(where=F.x_f == first) == 4
    assert db.leads.get(lead.custom["x_f"][1]) == first


def test_attributes(db: Database) -> None:
    db.catalogue.add_field("x_budget", type="integer")
    lead: Any = db.leads.create(**row(x_budget=7))
    assert lead.x_budget == 7
    for name, meant in (("x_bugdet", "x_budget"), ("compny", "company"), ("emial", "email")):
        with pytest.raises(AttributeError, match=f"did you mean `{meant}`"):
            getattr(lead, name)
    for name in ("__array__", "_repr_html_", "nothing_like_it", "\ud800"):
        assert not hasattr(lead, name)
    with pytest.raises(TypeError):
        lead.custom["x_budget"] = 8
    with pytest.raises(KeyError):
        lead.custom["x_bugdet"]
    with pytest.raises(AttributeError):
        lead.x_budget = 8
    assert repr(lead) == "<Lead 1: Nordlys AS>"


def test_writing(db: Database) -> None:
    db.catalogue.add_field("x_a", type="integer", required=True)
    db.catalogue.add_field("x_b", default="new", unique=False)
    with pytest.raises(leadcore.InvalidError) as caught:
        db.leads.create(**row(x_b="x" * 501, email="nobody"))
    assert {violation.field for violation in caught.value.violations} >= {"x_b", "email"}
    with pytest.raises(leadcore.InvalidError, match="x_a"):
        db.leads.create(company="A")
    lead = db.leads.create(company="A", custom={"x_a": 1})
    assert lead.custom == {"x_a": 1, "x_b": "new"}
    for fields, path in (
        ({"x_a": 1, "custom": {"x_a": 2}}, "x_a"),
        ({"custom": {"city": "Oslo"}}, "custom.city"),
        ({"custom": 5}, "custom"),
        ({"x_A": 1}, "x_A"),
    ):
        with pytest.raises(leadcore.InvalidError) as caught:
            db.leads.create(**row(**fields))
        assert [violation.field for violation in caught.value.violations] == [path]
    with pytest.raises(leadcore.InvalidError, match="nearest is `x_a`"):
        db.leads.edit(lead, x_aa=1)  # type: ignore[call-arg]
    rows = [row(x_a=n, x_b=str(n)) for n in range(3)]
    assert [lead.custom["x_b"] for lead in db.leads.create_many(rows)] == ["0", "1", "2"]
    contact = db.contacts.add(lead, name="Anna")
    with pytest.raises(leadcore.InvalidError, match="x_a"):
        db.contacts.edit(lead, contact, x_a=1)  # type: ignore[call-arg]
    account = db.accounts.get(became(db.leads.convert(lead)))
    with pytest.raises(leadcore.InvalidError, match="x_a"):
        db.accounts.edit(account, x_a=1)  # type: ignore[call-arg]
    assert db.leads.get(lead).custom["x_a"] == 1


def test_unique(db: Database) -> None:
    db.catalogue.add_field("x_serial", unique=True)
    db.leads.create(**row(x_serial="A1"))
    with pytest.raises(leadcore.InvalidError) as caught:
        db.leads.create(**row(x_serial="a1"))
    assert [(v.field, v.code) for v in caught.value.violations] == [("x_serial", "duplicate")]


def test_finding(db: Database) -> None:
    db.catalogue.add_field("x_budget", type="money", currency="NOK")
    db.catalogue.add_field("x_size", type="one_of", choices=["s", "l"])
    db.catalogue.add_field("x_due", type="date")
    db.catalogue.add_field("x_vip", type="bool")
    days = [DAY + datetime.timedelta(days=n) for n in range(4)]
    sizes = ["s", "l", "l", None]
    values = zip([3, 1, 2, None], sizes, days, strict=True)
    db.leads.create_many(row(x_budget=b, x_size=s, x_due=d, x_vip=b == 2) for b, s, d in values)
    for where, count in (
        (F.x_budget >= 2, 2),
        (F.x_budget.between(Decimal(1), 2), 2),
        (F.x_budget.is_empty(), 1),
        (F.x_size == "l", 2),
        (F.x_size.in_(["s", "l"]), 3),
        (F.x_due > DAY, 3),
        (F.x_due.between(days[1], days[2]), 2),
        (F["x_vip"] == True, 1),  # noqa: E712
    ):
        assert db.leads.count(where=where) == count, where
    found = [one.custom["x_budget"] for one in db.leads.iter(sort="-x_budget")]
    assert [one and one.amount for one in found] == [3, 2, 1, None]
    assert [one.custom["x_due"] for one in db.leads.iter(sort="x_due", page_size=1)] == days
    assert db.leads.count_by("x_size") == {"s": 1, "l": 2, None: 1}
    assert db.leads.count_by("x_vip") == {True: 1, False: 3}
    for call in (
        lambda: db.leads.count(where=F.x_bugdet == 1),
        lambda: db.leads.count(where=F.x_budget == Money(Decimal(1), "NOK")),
        lambda: db.leads.count(where=F.x_vip > 1),
        lambda: db.leads.list(sort="x_size"),
        lambda: db.leads.list(sort="x_nothing"),
        lambda: db.leads.count_by("x_nothing"),
    ):
        with pytest.raises(leadcore.InvalidError):
            call()
    with pytest.raises(leadcore.UnsupportedError):
        db.leads.count_by("x_due")


def test_everything_wrong_is_told_at_once(db: Database) -> None:
    with pytest.raises(leadcore.InvalidError) as caught:
        db.catalogue.add_field(
            "x_a",
            type="one_of",
            choices=["a,b", "a,b"],
            min=2,
            max=1,
            max_length=5,
            label=" ",
            section="nowhere",
            default="c",
            currency="NOK",
        )
    paths = [violation.field for violation in caught.value.violations]
    expected = ["x_a", "x_a.choices", "x_a.currency", "x_a.default", "x_a.max_length", "x_a.min", "x_a.section"]
    assert sorted(set(paths)) == expected
    for key, definition, path in (
        ("budget", {}, "key"),
        ("x_Ä", {"min": 1}, "key"),
        ("x_a", {"type": "monney"}, "x_a.type"),
        ("x_a", {"type": "money", "currency": "crowns"}, "x_a.currency"),
        ("x_a", {"type": "link", "links_to": "stage"}, "x_a.links_to"),
        ("x_a", {"type": "one_of"}, "x_a.choices"),
        ("x_a", {"choices": ["a"]}, "x_a.choices"),
        ("x_a", {"required": "yes"}, "x_a.required"),
        ("x_a", {"order": -1}, "x_a.order"),
        ("x_a", {"lable": "A"}, "lable"),
        ("x_a", {"type": "integer", "default": 1, "min": 2}, "x_a.default"),
        ("x_a", {"unique": True, "default": "x"}, "x_a.default"),
    ):
        with pytest.raises(leadcore.InvalidError) as caught:
            db.catalogue.add_field(key, **definition)
        assert path in [violation.field for violation in caught.value.violations], definition
    assert not any(spec.custom for spec in db.catalogue.list())
    db.catalogue.add_field("x_a")
    with pytest.raises(leadcore.InvalidError, match="change_field"):
        db.catalogue.add_field("x_a")


def test_a_definition_is_read_back(db: Database) -> None:
    spec = db.catalogue.add_field(
        "x_budget",
        type="money",
        label="Budget",
        currency="NOK",
        required=True,
        default=5,
        min=1,
        max="99.5",
        help="In crowns.",
        section="finance",
        order=7,
    )
    assert spec == db.catalogue.get("x_budget")
    assert (spec.type, spec.label, spec.currency, spec.section, spec.order) == ("money", "Budget", "NOK", "finance", 7)
    assert (spec.default, spec.min, spec.max) == (Money(5, "NOK"), Decimal(1), Decimal("99.5"))
    assert (spec.custom, spec.required, spec.help) == (True, True, "In crowns.")
    sizes = db.catalogue.add_field("x_size", type="many_of", choices=[Choice("s", "Small"), ("l", "Large"), "x"])
    assert [(choice.code, choice.label) for choice in sizes.choices] == [("s", "Small"), ("l", "Large"), ("x", "x")]
    assert sizes.multiple
    assert pickle.loads(pickle.dumps(sizes)) == sizes
    assert not db.catalogue.get("city").custom


def test_changing(db: Database) -> None:
    db.catalogue.add_field("x_n", type="integer", label="N", min=0)
    lead = db.leads.create(**row(x_n=5))
    assert db.catalogue.change_field("x_n", label="Number").min == 0, "what is not given stays"
    changed = db.catalogue.change_field("x_n", type="text", min=None)
    assert (changed.type, db.leads.get(lead).custom["x_n"]) == ("text", "5")
    lead = db.leads.edit(lead.id, custom={"x_n": "many"})
    with pytest.raises(leadcore.ConflictError) as caught:
        db.catalogue.change_field("x_n", type="integer")
    assert caught.value.conflict == {"reason": "in_use", "by": 1}
    db.catalogue.change_field("x_n", type="integer", clear_rest=True)
    assert db.leads.get(lead).custom["x_n"] is None
    for call in (
        lambda: db.catalogue.change_field("x_nothing", label="A"),
        lambda: db.catalogue.change_field("city", label="A"),
        lambda: db.catalogue.remove_field("x_nothing"),
        lambda: db.catalogue.remove_field("city"),
        lambda: db.catalogue.archive_choice("x_n", "a"),
    ):
        with pytest.raises(leadcore.NotFoundError):
            call()


def test_choices(db: Database) -> None:
    db.catalogue.add_field("x_size", type="one_of", choices={"s": "Small", "m": "Medium", "l": "Large"})
    lead = db.leads.create(**row(x_size="m"))
    spec = db.catalogue.archive_choice("x_size", "m")
    assert [choice.archived for choice in spec.choices] == [False, True, False]
    assert db.leads.edit(lead, city="Oslo").custom["x_size"] == "m", "who has it keeps it"
    with pytest.raises(leadcore.InvalidError, match="x_size"):
        db.leads.create(**row(x_size="m"))
    left = [choice for choice in spec.choices if choice.code != "m"]
    with pytest.raises(leadcore.ConflictError):
        db.catalogue.change_field("x_size", choices=left)
    db.catalogue.change_field("x_size", choices=left, mapping={"m": "l"})
    assert db.leads.get(lead).custom["x_size"] == "l"
    db.catalogue.change_field("x_size", type="many_of")
    assert db.leads.get(lead).custom["x_size"] == ("l",)
    with pytest.raises(leadcore.ConflictError):
        db.catalogue.remove_field("x_size")
    db.catalogue.remove_field("x_size", clear=True)
    assert "x_size" not in db.leads.get(lead).custom


def test_sections_and_form(db: Database) -> None:
    db.catalogue.set_section("project", label="Project", order=1)
    db.catalogue.add_field("x_seats", type="integer", section="project", label="Seats", required=True)
    db.catalogue.set("city", section="project", order=0)
    first, *_ = db.catalogue.form()
    assert (first.section.label, [spec.key for spec in first.fields]) == ("Project", ["city", "x_seats"])
    schema = db.catalogue.json_schema()
    assert schema["properties"]["x_seats"] == {"type": "integer", "title": "Seats"}
    assert schema["required"] == ["x_seats"]
    db.catalogue.set_section("project", label="Work")
    assert db.catalogue.sections()[0].label == "Work"
    with pytest.raises(leadcore.InvalidError):
        db.catalogue.remove_section("project")
    with pytest.raises(leadcore.NotFoundError):
        db.catalogue.remove_section("nowhere")
    with pytest.raises(leadcore.InvalidError):
        db.catalogue.set_section("New section")
    db.catalogue.set("x_seats", enabled=False, required=False)
    assert "x_seats" not in db.catalogue.json_schema()["properties"]
    assert "x_seats" not in db.leads.create(company="A").custom


def test_the_timeline_has_the_types(db: Database) -> None:
    db.catalogue.add_field("x_budget", type="money", currency="NOK", label="Budget")
    db.catalogue.add_field("x_due", type="date")
    lead = db.leads.edit(db.leads.create(**row(x_budget=5)), custom={"x_budget": 7, "x_due": DAY})
    entry = next(iter(db.timeline(lead)))
    assert {change.field: (change.before, change.after) for change in entry.changes} == {
        "x_budget": (Money(Decimal(5), "NOK"), Money(Decimal(7), "NOK")),
        "x_due": (None, DAY),
    }
    db.catalogue.remove_field("x_due", clear=True)
    [gone] = next(iter(db.timeline(lead))).changes
    assert (gone.before, gone.after) == ("2026-11-22", None), "the field is gone, what was said is not"


def test_import_and_template(db: Database) -> None:
    db.catalogue.add_field("x_seats", type="integer", label="Seats")
    db.catalogue.add_field("x_sizes", type="many_of", choices={"s": "Small", "l": "Large"}, label="Sizes")
    assert db.import_template().decode().strip().split(",")[-2:] == ["Seats", "Sizes"]
    file = b'Company,Seats,Sizes\nA,12,"Small, l"\nB,many,\nC,,s\n'
    report = db.import_leads(file)
    assert report.mapping["Seats"] == "x_seats"
    assert [(rejected.line, rejected.field) for rejected in report.rejections] == [(3, "x_seats")]
    lead = next(db.leads.iter(where=F.company == "A"))
    assert lead.custom == {"x_seats": 12, "x_sizes": ("l", "s")}


def test_a_role_hides_custom_fields(db: Database) -> None:
    db.catalogue.add_field("x_hidden")
    roles = leadcore.RoleTable().role("r", leadcore.Role.salesperson().hide("x_hidden")).user("bob", "r")
    with leadcore.open(":memory:", user=None, policy=roles) as limited:
        limited.catalogue.add_field("x_hidden")
        limited.leads.create(**row(x_hidden="s", owner="bob"))
        [lead] = limited.as_user("bob").leads.iter()
        assert lead.custom == {"x_hidden": None}


def test_money() -> None:
    assert Money("1.50", "nok") == Money(Decimal("1.5"), "NOK")
    assert str(Money(Decimal("1E+3"), "NOK")) == "1000 NOK"
    assert hash(Money(Decimal(1), "NOK")) == hash(Money(Decimal("1.0"), "NOK"))
    for amount, currency in (("x", "NOK"), ("nan", "NOK"), ("1e999999", "NOK"), (1, "crowns"), (1, 5)):
        with pytest.raises(leadcore.InvalidError):
            Money(amount, currency)  # type: ignore[arg-type]
