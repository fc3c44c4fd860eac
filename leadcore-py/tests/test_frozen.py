"""S3.07: every public call that takes a lead, with one that was converted."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

import leadcore
import pytest
from leadcore import Database
from worlds import NOT_CALLED, VALID, World, customer_of, managers

#: What writes nothing.
READS = {
    *(
        "Leads.get",
        "Leads.open",
        "Leads.page",
        "Leads.timeline",
        "Leads.stage_history",
        "Leads.idle",
        "Leads.functions",
    ),
    *("Leads.actions", "Leads.can_move", "Leads.plan_unconvert", "Leads.matches", "Leads.match"),
    *("Database.timeline", "Accounts.leads", "Contacts.of", "Contacts.to_csv", "Contacts.to_xlsx", "Contacts.to_vcard"),
    *(
        "Activities.of",
        "Files.of",
        "Estimates.of",
        "Lines.of",
        "Lines.list",
        "Records.of",
        "Followers.of",
        "Opportunities.of",
    ),
    *("Services.of", "Participants.search", "Participants.named", "ConversionMappings.preview", "Leads.actions_many"),
    *(
        "Database.timeline_page",
        "Database.undo_plan",
        "Leads.to_arrow",
        "Leads.to_csv",
        "Leads.to_jsonl",
        "Leads.to_xlsx",
    ),
    *("Activities.iter", "Activities.to_columns", "Activities.to_dicts"),
    *("Calendar.ical", "Calendar.ical_of", "Calendar.overview"),
    *("Activities.recent", "Activities.timeline", "Calendar.of", "Activities.conversation"),
}
#: What a converted lead takes, and why.
TAKEN = {
    "Leads.convert": "gives the first outcome again",
    "Leads.unconvert": "is the way back",
    "Leads.clone": "makes another lead",
    "Leads.mark_read": "is about the reader",
    "Leads.mark_unread": "is about the reader",
    "Opportunities.create": "is about its account",
    "Services.create": "is about its account",
    "Followers.follow": "is about the follower",
    "Followers.unfollow": "is about the follower",
    "Followers.add": "is about the follower",
    "Followers.remove": "is about the follower",
    "Database.undo": "takes back what is asked for; of a converted lead nothing, as is shown below",
}
#: It is not in the trash, and whoever may be told so is told so.
NOT_THERE = {"Leads.restore", "Leads.restore_many"}
LEADS = ("lead", "leads", "subject", "about", "owner")


def lead_calls() -> Iterator[str]:
    """Every public call that takes a lead."""
    with leadcore.open(":memory:") as db:
        for owner, manager in managers(db).items():
            if owner in ("Filter", "F", "FieldRef", "RoleTable", "Role", "leadcore"):
                continue
            for name in dir(manager):
                function = None if name.startswith("_") else getattr(manager, name)
                if not callable(function) or f"{owner}.{name}" in NOT_CALLED:
                    continue
                said = inspect.signature(function).parameters
                if any(given in said and lead_ish(said[given]) for given in LEADS):
                    yield f"{owner}.{name}"


def lead_ish(parameter: inspect.Parameter) -> bool:
    told = str(parameter.annotation)
    return any(word in told for word in ("Lead", "Subject", "Selection", "About", "Iterable"))


@pytest.fixture
def world() -> Iterator[World]:
    with leadcore.open(":memory:", tenant="acme", user="ada") as db:
        for terms in (db.sources, db.labels, db.lost_reasons, db.disqualify_reasons):
            terms.add("Known")
        lead = db.leads.create(company="Nordlys AS", name="Anna Berg", email="post@nordlys.example", currency="NOK")
        contact = db.contacts.add(lead, name="Ola Vik")
        db.records.register("project", "Project", "Projects", on_conversion="shown")
        hanging: tuple[Any, ...] = (
            db.activities.task(lead, "Call back"),
            db.files.add(lead, b"hello", name="a.txt"),
            db.estimates.create(lead, title="Roof"),
            db.records.link(lead, "project", "p-1", title="Roof"),
        )
        db.lines.set(lead, [leadcore.Line("Panel", 1, 5)])
        account = db.accounts.get(of(db.leads.convert(lead.id)))
        outcome = db.leads.edit_many([db.leads.create(company="Berg AS")], city="Oslo")
        view = db.views.save("Large", "amount > 5")
        _, opportunity, service = customer_of(db)
        rest = account, contact, view, outcome, *hanging, lead, opportunity, service
        yield World(db, db.leads.get(lead), *rest)


def of(outcome: leadcore.ConversionOutcome) -> Any:
    return outcome.account_id


def called(world: World, call: str) -> Any:
    """What the call says of the converted lead; everything else that it asks for is sound."""
    owner, name = call.split(".")
    function = getattr(managers(world.db)[owner], name)
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.default is not parameter.empty and parameter.name not in LEADS:
            continue
        sound = VALID.get(f"{call}.{parameter.name}", VALID.get(parameter.name, lambda _: None))(world)
        sound = "note" if parameter.name == "kind" and call.startswith("Activities.") else sound
        if parameter.name in LEADS and lead_ish(parameter):
            sound = [world.lead.id] if parameter.name == "leads" else world.lead.id
        if parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(sound)
        else:
            keywords[parameter.name] = sound
    more: dict[str, Any] = {
        "Leads.edit": {"city": "Oslo"},
        "Leads.edit_many": {"city": "Oslo"},
        "Contacts.add": {"name": "New"},
        "Contacts.edit": {"name": "Another"},
        "Activities.add": {"text": "late"},
        "Opportunities.create": {"name": "Roof"},
        "Activities.log": {"text": "late"},
        "Leads.transfer_many": {"owner": "bob"},
        "Leads.match": {"at_least": 1},
    }
    said = function(*positional, **{**keywords, **more.get(call, {})})
    return list(said) if isinstance(said, Iterator) else said


@pytest.mark.parametrize("call", list(lead_calls()))
def test_s3_07_a_converted_lead_takes_no_write(world: World, call: str) -> None:
    before = world.db.leads.get(world.lead)
    history = [entry for entry in world.db.timeline(world.lead) if entry.operation_kind != "convert"]
    if call in READS or call in TAKEN:
        called(world, call)
        if call != "Leads.unconvert":
            assert world.db.leads.get(world.lead) == before
        return
    try:
        said = called(world, call)
    except leadcore.NotFoundError:
        assert call in NOT_THERE
    except leadcore.FrozenError as error:
        assert error.conflict == {"reason": "converted"}  # noqa: PT017 - calls for many say it of each lead
    else:
        results: Iterable[Any] = getattr(said, "results", ())
        told = [(one.code, one.conflict) for one in results]
        other = {"Leads.convert_many": "already", "Leads.restore_many": "not_found"}.get(call)
        assert told == [(other, None) if other else ("conflict", {"reason": "converted"})], said
    assert world.db.leads.get(world.lead) == before
    after = [entry for entry in world.db.timeline(world.lead) if entry.operation_kind != "convert"]
    assert after == history, "nothing was written"


def test_the_sweep_meets_the_calls_that_matter() -> None:
    found = set(lead_calls())
    wanted = {"Leads.edit", "Leads.move", "Leads.delete", "Leads.edit_many", "Leads.label_many", "Leads.do_not_call"}
    wanted |= {"Leads.mark_address", "Activities.note", "Activities.log", "Files.add", "Estimates.create", "Lines.set"}
    wanted |= {"Contacts.add", "Contacts.edit", "Records.link", "Leads.plan_conversion", "Leads.transfer_many"}
    assert not wanted - found


def test_s3_07_an_import_leaves_a_converted_lead_alone(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", email="post@nordlys.example")
    db.leads.convert(lead)
    frozen = db.leads.get(lead)
    file = b"Company,E-mail,City\nNordlys AS,post@nordlys.example,Oslo\n"
    report = db.import_leads(file, on_match="update")
    assert (report.created, report.updated) == (0, 0)
    assert db.leads.get(lead) == frozen


def test_s3_07_an_earlier_operation_is_not_undone_on_a_converted_lead(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    db.leads.edit(lead, city="Oslo")
    entry = next(iter(db.timeline(lead)))
    db.leads.convert(lead.id)
    frozen = db.leads.get(lead)
    [record] = db.undo_plan(entry).records
    assert (record.failed, record.reversed, record.kept) == (None, (), (leadcore.Kept("city", "converted"),))
    db.undo(entry)
    assert db.leads.get(lead) == frozen
