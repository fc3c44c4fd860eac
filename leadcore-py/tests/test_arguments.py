"""An argument of a wrong type is refused by its name, whatever public call takes it."""

from __future__ import annotations

import dataclasses
import datetime
import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import leadcore
import pytest
from conftest import became
from leadcore import Database
from worlds import GIVEN, NOT_CALLED, VALID, World, customer_of, managers, small_world


class Stranger:
    """Of a type that nothing takes."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with leadcore.open(":memory:", tenant="acme", user="ada") as db:
        lead = db.leads.create(company="Nordlys AS", name="Anna Berg")
        account = db.accounts.get(became(db.leads.convert(db.leads.create(company="Fjord AS"))))
        outcome = db.leads.edit_many([db.leads.create(company="Berg AS")], city="Oslo")
        for terms in (db.sources, db.categories, db.labels, db.locations, db.partners):
            terms.add("Known")
        for terms in (db.lost_reasons, db.disqualify_reasons):
            terms.add("Known")
        db.catalogue.add_field("x_size", type="one_of", choices=["s", "l"])
        db.catalogue.set_section("project", label="Project", order=15)
        view = db.views.save("Large", "amount > 5")
        task = db.activities.task(lead, "Call back")
        file = db.files.add(lead, b"hello", name="a.txt")
        estimate = db.estimates.create(lead, title="Roof")
        db.records.register("project", "Project", "Projects", on_conversion="shown")
        record = db.records.link(lead, "project", "p-1", title="Roof")
        contact = db.contacts.add(lead, name="Ola Vik")
        sales = customer_of(db)
        yield World(db, lead, account, contact, view, outcome, task, file, estimate, record, *sales)


#: What takes a value of any type by its nature, or is no argument at all.
ANYTHING = {"FieldRef.in_.values", "FieldRef.between.low", "FieldRef.between.high", "RoleTable.user.roles"}


def calls() -> Iterator[tuple[str, str]]:
    """Every public call with each of its parameters."""
    with leadcore.open(":memory:") as db:
        for owner, manager in managers(db).items():
            names = ["open", "Money", "Email", "Phone", "Line"] if manager is leadcore else dir(manager)
            for name in names:
                function = None if name.startswith("_") else getattr(manager, name)
                if not callable(function) or isinstance(function, leadcore.Filter) or f"{owner}.{name}" in NOT_CALLED:
                    continue
                call = f"{owner}.{name}"
                for parameter in inspect.signature(function).parameters.values():
                    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                        inputs, passed = GIVEN[call]
                        yield from ((call, key) for key in inputs.__annotations__ if key not in passed)
                    elif f"{call}.{parameter.name}" not in ANYTHING:
                        yield call, parameter.name


def annotation(function: Any, name: str) -> str:
    parameter = inspect.signature(function).parameters.get(name)
    return "TypedDict" if parameter is None else str(parameter.annotation)


def wrong(said: str) -> list[Any]:
    """Values that an argument which is declared like this cannot have."""
    values: list[Any] = [Stranger(), [Stranger()]]
    if said == "TypedDict":
        return values
    if not any(word in said for word in ("int", "float", "Any", "object")):
        values.append(5)
    if not any(word in said for word in ("float", "Any", "object")):
        values.append(2.5)
    if not any(word in said for word in ("None", "Where", "Any", "object", "bytes")):
        values.append(None)
    if (
        "Clock" in said
        or "TaxRule" in said
        or said
        in (
            "int",
            "bool",
            "int | None",
            "bool | None",
            "UtcOffset | None",
            "RoleTable | None",
            "PurgePlan",
            "ImportPlan",
            "HygienePlan",
        )
    ):
        values.append("junk")
    return values


@pytest.mark.parametrize(("call", "name"), list(calls()), ids=lambda it: it)
def test_a_wrong_type_is_refused_by_name(world: World, call: str, name: str) -> None:
    owner, method = call.split(".")
    function = getattr(managers(world.db)[owner], method)
    parameters = inspect.signature(function).parameters
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for parameter in parameters.values():
        needed = parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
        if parameter.kind is parameter.VAR_POSITIONAL:
            continue
        if needed or parameter.name == name:
            key = f"{call}.{parameter.name}"
            value = VALID.get(key, VALID.get(parameter.name, lambda _: None))(world)
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                keywords[parameter.name] = value
    for value in wrong(annotation(function, name)):
        given = dict(keywords)
        first = list(positional)
        wanted = parameters.get(name)
        kind = None if wanted is None else wanted.kind
        if kind is inspect.Parameter.POSITIONAL_ONLY:
            first[[it.name for it in parameters.values()].index(name)] = value
        elif kind is inspect.Parameter.VAR_POSITIONAL:
            first = [*given.values(), value]
            given = {}
        else:
            given[name] = value
        with pytest.raises((TypeError, ValueError, leadcore.LeadcoreError)) as refused:
            result = function(*first, **given)
            if isinstance(result, Iterator):
                list(result)
            pytest.fail(f"{call}({name}={value!r}) was taken")
        told = re.findall(r"`([^`]*)`", str(refused.value))
        told += [broken.field for broken in getattr(refused.value, "violations", ())]
        named = any(re.search(rf"\b{name}\b", text) for text in told)
        assert named, f"{call}({name}={value!r}) says {refused.value!r}"


def test_a_number_out_of_range_is_refused_by_name(db: Database) -> None:
    calls: dict[str, Callable[[], object]] = {
        "older_than_days": lambda: db.purge_plan(older_than_days=-1),
        "wip_limit": lambda: db.pipelines.set_stage("Leads", "New", wip_limit=-1),
        "idle_days": lambda: db.pipelines.set_stage("Leads", "New", idle_days=-1),
        "expected": lambda: db.leads.delete_many("", expected=-1),
        "chunk": lambda: db.import_leads(b"Company\n", chunk=-1),
        "skip_lines": lambda: db.import_leads(b"Company\n", skip_lines=-1),
        "start": lambda: db.settings.set_numbering(start=-1),
        "after": lambda: db.leads.changes(-1),
    }
    for name, call in calls.items():
        with pytest.raises(leadcore.InvalidError) as caught:
            call()
        assert [broken.field.rpartition(".")[2] for broken in caught.value.violations] == [name]


def test_an_id_that_is_none_is_refused_by_name(db: Database) -> None:
    with pytest.raises(leadcore.InvalidError) as caught:
        db.leads.get("nobody")
    assert caught.value.violations == [leadcore.Violation("lead", "malformed", "an id must be a UUID")]


def test_an_offset_is_no_text() -> None:
    with pytest.raises(TypeError, match="`utc_offset`: expected a timedelta or a time zone, not 'str'"):
        leadcore.open(":memory:", utc_offset="+01:00")  # type: ignore[arg-type]
    assert leadcore.open(":memory:", utc_offset=datetime.timedelta(hours=1)).closed is False


#: What somebody may hand over by mistake, or on purpose.
HOSTILE: list[Any] = [
    *("", " ", "\0", "\ud800", "x" * 100_000, "'; DROP TABLE leads; --", "../../etc/passwd", "NaN", "drafts[1]"),
    *(-1, 0, 2**31, 2**70, float("nan"), float("inf"), True, b"", b"\0", None),
    *([], [None], [[]], {}, {"id": 1}, ("lead",), ("lead", "x"), ("nobody", "x"), ("", ""), ("a", "b", "c")),
    *(datetime.date.min, datetime.date.max, datetime.datetime.max, datetime.datetime(2026, 1, 1)),
]

#: What came with the page of a lead: its calls are swept with all of these.
SWEPT = (
    *("Activities", "Calendar", "Reminders", "Files", "Estimates", "Lines", "Followers", "Participants", "Records"),
    *("Opportunities", "Services", "Outbox"),
    *("Leads.plan_conversion", "Leads.convert", "Leads.unconvert", "Leads.plan_unconvert", "Leads.match"),
    *("Leads.page", "Accounts.page", "Contacts.of", "Contacts.to_csv", "Contacts.to_xlsx", "Leads.clone"),
)
#: Words of the library's own inside, which no caller wrote.
INSIDE = re.compile(r"\bdrafts\[|\bkinds\[\d+\]\.|\bPy[A-Z]|\bconverted to\b|\bfields\b: |\bplaceholder")


def swept() -> list[tuple[str, str]]:
    found = [(call, name) for call, name in calls() if call.startswith(SWEPT)]
    # A filter tells which part of it is wrong, as those of other calls for many.
    found = [(call, name) for call, name in found if (call, name) != ("Leads.convert_many", "leads")]
    return [(call, name) for call, name in found if call not in ("Contacts.to_csv", "Contacts.to_xlsx")]


@pytest.mark.parametrize(("call", "name"), swept(), ids=lambda it: it)
def test_hostile_values_are_taken_or_refused_by_name(call: str, name: str, tmp_path: Path) -> None:
    """Whatever is handed over, the call says what is wrong with which of its arguments, and in the caller's words."""
    owner, method = call.split(".")
    with leadcore.open(":memory:", tenant="acme", user="ada") as db:
        world = small_world(db)
        function = getattr(managers(db)[owner], method)
        parameters = inspect.signature(function).parameters
        names = set(parameters) | set(
            GIVEN.get(call, (type("", (), {"__annotations__": {}}), set()))[0].__annotations__
        )
        for value in HOSTILE:
            if call in ("Files.save", "Files.add") and isinstance(value, (str, bytes)) and len(value) < 40:
                value = tmp_path / "no" / repr(value) if name in ("path", "content") else value
            positional, keywords = given(call, name, parameters, world, value)
            said = refusal(function, positional, keywords)
            what = f"{call}({name}={value!r:.40}) says {said!r}"
            assert isinstance(said, (leadcore.LeadcoreError, TypeError, type(None))), what
            assert not isinstance(said, (leadcore.InternalError, leadcore.CorruptError)), what
            assert not INSIDE.search(str(said)), what
            if isinstance(said, TypeError):
                assert re.match(rf"`{name}[`.\[]", str(said)), what
            # A line that is written anew says which of its own fields is wrong.
            if name == "line":
                names |= {one.name for one in dataclasses.fields(leadcore.Line)}
                names |= set(value) if isinstance(value, dict) else set()
            # What is said of the new contact is named as the plan names what is missing of it.
            if name == "contact_fields":
                names.add("contact")
            roots = {re.split(r"[.\[]", broken.field)[0] for broken in getattr(said, "violations", ())}
            assert roots <= names, what


def refusal(function: Callable[..., Any], positional: list[Any], keywords: dict[str, Any]) -> Exception | None:
    """How a call ends that goes wrong."""
    try:
        result = function(*positional, **keywords)
        if isinstance(result, Iterator):
            list(itertools.islice(result, 3))
    except Exception as error:  # noqa: BLE001 - which one it is, is what the test is about
        return error
    return None


def given(
    call: str, name: str, parameters: Mapping[str, inspect.Parameter], world: World, value: object
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments that are right but for one."""
    positional: list[Any] = []
    keywords: dict[str, Any] = {} if name in parameters else {name: value}
    for parameter in parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.default is not parameter.empty and parameter.name != name:
            continue
        sound = VALID.get(f"{call}.{parameter.name}", VALID.get(parameter.name, lambda _: None))
        said = value if parameter.name == name else sound(world)
        if parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(said)
        else:
            keywords[parameter.name] = said
    return positional, keywords
