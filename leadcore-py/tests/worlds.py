"""A database with something of everything, and a valid value for every argument of every public call."""

from __future__ import annotations

import datetime
import io
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import leadcore
from conftest import became
from leadcore import Database
from leadcore.activity import ActivityInput
from leadcore.conversion_options import ConversionInput
from leadcore.estimate import EstimateInput
from leadcore.fields import AccountInput, ContactInput, FieldInput, LeadInput
from leadcore.opportunity import OpportunityInput, ServiceInput
from leadcore.pipelines import StageRules


@dataclass
class World:
    """A database with something of everything, to have a valid value for every argument."""

    db: Database
    lead: leadcore.Lead
    account: leadcore.Account
    contact: leadcore.Contact
    view: leadcore.View
    outcome: leadcore.MassOutcome
    activity: leadcore.Activity
    file: leadcore.FileRecord
    estimate: leadcore.Estimate
    record: leadcore.HostRecord
    customer: leadcore.Lead
    opportunity: leadcore.Opportunity
    service: leadcore.Service


def customer_of(db: Database) -> tuple[leadcore.Lead, leadcore.Opportunity, leadcore.Service]:
    """A lead that was converted, with an opportunity and a service. What somebody else wrote keeps it a customer."""
    lead = db.leads.create(company="Vik AS", currency="NOK")
    account = became(db.leads.convert(lead, into="account"))
    db.as_user("bob").activities.note(("account", account), "They called")
    return lead, db.opportunities.create(lead, name="Roof"), db.services.create(lead, leadcore.Line("Care"))


DAY = datetime.date(2026, 11, 22)


FILE_CALLS = ("get", "read", "open", "copy_to", "save", "edit", "delete")


def plan_file(db: Database) -> str:
    path = os.path.join(tempfile.mkdtemp(), "plan.jsonl")  # noqa: PTH118 - a path as text
    db.plan_import_to(b"Company\nA\n", path)
    return path


#: What each argument may be, by its name; where it depends on the call, by call and name.
VALID: dict[str, Callable[[World], Any]] = {
    "lead": lambda world: world.lead.id,
    "leads": lambda world: [world.lead.id],
    "account": lambda world: world.account.id,
    "contact": lambda world: world.contact.id,
    "owner": lambda world: world.lead.id,
    "subject": lambda world: world.lead,
    "about": lambda world: world.lead,
    "activity": lambda world: world.activity.id,
    "activities": lambda world: [world.activity.id],
    "Activities.complete_call.activity": lambda world: world.db.activities.call(world.lead),
    "kind": lambda _: "meeting",
    "Activities.edit.activity": lambda world: world.db.activities.meeting(world.lead, "Demo", DAY),
    **dict.fromkeys(
        ("Activities.skip.activity", "Activities.replace.activity"),
        lambda world: world.db.activities.meeting(world.lead, "Weekly", DAY, recurrence="FREQ=DAILY;COUNT=3"),
    ),
    **dict.fromkeys(("Activities.skip.day", "Activities.replace.day"), lambda _: DAY),
    "title": lambda _: "Call back",
    "start": lambda _: DAY,
    "to": lambda _: datetime.date(2026, 12, 1),
    "year": lambda _: 2026,
    "month": lambda _: 11,
    "state": lambda _: "new",
    "Activities.complete_call.outcome": lambda _: "answered",
    "stage": lambda _: "Mailed",
    "target": lambda _: "Mailed",
    "pipeline": lambda _: "Leads",
    "Pipelines.update.pipeline": lambda world: world.db.pipelines.get("Leads"),
    "stages": lambda _: ["New", ("Won", "won")],
    "view": lambda world: world.view.id,
    "views": lambda _: ["all"],
    "term": lambda _: "Known",
    "order": lambda _: ["Known"],
    "labels": lambda _: ["Known"],
    "operation": lambda world: world.outcome,
    "name": lambda _: "A name",
    "color": lambda _: "#1a7f37",
    "key": lambda _: "x_size",
    "code": lambda _: "s",
    "field": lambda _: "city",
    "fields": lambda _: ["city"],
    "number": lambda _: 1,
    "text": lambda _: "nord",
    "rows": lambda _: [{"company": "A"}],
    "opportunity": lambda world: world.opportunity.id,
    "service": lambda world: world.service.id,
    "line": lambda _: leadcore.Line("Care"),
    "series": lambda world: world.db.series.list("account")[0],
    "contacts": lambda _: [],
    "consumer": lambda _: "erp",
    "Outbox.acknowledge.event": lambda world: world.db.outbox.poll("erp").events[0],
    "carry_out": lambda _: print,
    "mapping": lambda _: leadcore.ConversionMapping.standard(),
    "choice": lambda _: "all",
    "services": lambda _: [],
    "ConversionPlan.customer_information.customer": lambda _: "neither",
    "source": lambda _: "city",
    "Series.list.kind": lambda _: "account",
    "Series.add.kind": lambda _: "account",
    **{f"{call}.lead": lambda world: world.customer.id for call in ("Leads.plan_unconvert", "Leads.unconvert")},
    **{
        f"{owner}.{call}.subject": lambda world: world.customer
        for owner, call in (
            ("Opportunities", "create"),
            ("Opportunities", "of"),
            ("Services", "create"),
            ("Services", "of"),
        )
    },
    "Database.apply.plan": lambda world: world.db.leads.plan_conversion(world.lead),
    "Database.purge.plan": lambda world: world.db.purge_plan(),
    "Database.apply_import.plan": lambda world: world.db.plan_import(b"Company\nA\n"),
    "Database.apply_import_from.plan": lambda world: plan_file(world.db),
    "Database.plan_import_to.to": lambda world: plan_file(world.db),
    "Hygiene.apply.plan": lambda world: world.db.hygiene.plan(),
    "Mappings.save.mapping": lambda _: {"Company": "company"},
    **{f"Leads.to_{kind}.to": lambda _: io.BytesIO() for kind in ("csv", "xlsx", "jsonl")},
    "path": lambda _: ":memory:",
    "file": lambda _: b"Company\nA\n",
    "user": lambda _: "bob",
    "function": lambda _: "send_offer",
    "functions": lambda _: {},
    "where": lambda _: None,
    "RoleTable.role.role": lambda _: leadcore.Role.viewer(),
    "permission": lambda _: "view",
    "on": lambda _: "all",
    "data": lambda _: {},
    "amount": lambda _: 5,
    "currency": lambda _: "NOK",
    "value": lambda _: "post@nordlys.example",
    "values": lambda _: ["Oslo"],
    "part": lambda _: "os",
    "low": lambda _: 1,
    "high": lambda _: 2,
    "days": lambda _: 2,
    "period": lambda _: "today",
    "what": lambda _: "contact",
    "content": lambda _: b"hello",
    "files": lambda _: [("a.txt", b"hello")],
    "output": lambda _: io.BytesIO(),
    "estimate": lambda world: world.estimate.id,
    "request": lambda world: world.estimate.id,
    "Estimates.can_move.status": lambda _: "sent",
    "lines": lambda _: [],
    "items": lambda world: [{"about": world.lead, "kind": "note", "text": "They called."}],
    "Leads.clone.lines": lambda _: True,
    "record": lambda world: world.record.id,
    "Records.link.title": lambda _: "Roof",
    "singular": lambda _: "One",
    "plural": lambda _: "Many",
    "address": lambda _: "post@nordlys.example",
    "mark": lambda _: "invalid",
    "Records.register.kind": lambda _: "task_list",
    "Records.rename.kind": lambda _: "project",
    "Records.remove.kind": lambda _: "project",
    "Records.link.kind": lambda _: "project",
    "Records.by_key.kind": lambda _: "project",
    "Records.of.kind": lambda _: "project",
    "Records.link.key": lambda _: "p-2",
    "Records.by_key.key": lambda _: "p-1",
    "leadcore.Line.description": lambda _: "Panel",
    **{f"Files.{call}.file": lambda world: world.file.id for call in FILE_CALLS},
}


#: What the keywords of a call are, and which of them may be anything.
GIVEN: dict[str, tuple[type, set[str]]] = {
    "Database.import_leads": (leadcore.ImportInput, set()),
    "Database.plan_import": (leadcore.ImportInput, set()),
    "Database.plan_import_to": (leadcore.ImportInput, set()),
    "Leads.to_csv": (leadcore.ExportInput, set()),
    "Leads.to_xlsx": (leadcore.ExportInput, set()),
    "Leads.to_jsonl": (leadcore.ExportInput, set()),
    "Leads.to_arrow": (leadcore.LeadsInput, set()),
    "Database.preview_import": (leadcore.ImportInput, set()),
    "Leads.create": (LeadInput, set()),
    "Leads.edit": (LeadInput, set()),
    "Leads.edit_many": (LeadInput, set()),
    "Contacts.add": (ContactInput, set()),
    "Contacts.edit": (ContactInput, set()),
    "Accounts.create": (AccountInput, set()),
    "Accounts.edit": (AccountInput, set()),
    "Activities.add": (ActivityInput, set()),
    "Activities.edit": (ActivityInput, set()),
    "Activities.log": (ActivityInput, set()),
    "Activities.replace": (ActivityInput, set()),
    "Catalogue.add_field": (FieldInput, {"default"}),
    "Catalogue.change_field": (FieldInput, {"default"}),
    "Pipelines.set_stage": (StageRules, set()),
    "Estimates.create": (EstimateInput, set()),
    "Estimates.create_from_lines": (EstimateInput, set()),
    "Estimates.create_for_request": (EstimateInput, set()),
    "Estimates.edit": (EstimateInput, set()),
    "Opportunities.create": (OpportunityInput, set()),
    "Opportunities.edit": (OpportunityInput, set()),
    "Services.create": (ServiceInput, {"line"}),
    "Services.edit": (ServiceInput, set()),
    **{f"Leads.{call}": (ConversionInput, set()) for call in ("plan_conversion", "convert", "convert_many")},
}


def managers(db: Database) -> dict[str, Any]:
    found = {"Database": db, "Filter": leadcore.Filter, "F": leadcore.F, "FieldRef": leadcore.F.city}
    found |= {"RoleTable": leadcore.RoleTable(), "Role": leadcore.Role.viewer(), "leadcore": leadcore}
    parts = (db.leads, db.views, db.contacts, db.accounts, db.pipelines, db.sources, db.catalogue, db.settings)
    more = (db.files, db.estimates, db.lines, db.followers, db.participants, db.records, db.mappings, db.hygiene)
    sales = (db.opportunities, db.services, db.series, db.conversion_mapping, db.outbox)
    for manager in (*parts, *more, *sales, db.activities, db.calendar, db.reminders):
        found[type(manager).__name__] = manager
    return found


#: They need no argument, or end the test.
NOT_CALLED = {"Database.close", "Filter.to_dict", "Filter.to_text"}


def small_world(db: Database) -> World:
    """Something of what the swept calls name, and a lead and an account that no call has changed."""
    lead = db.leads.create(company="Nordlys AS", currency="NOK")
    account = db.accounts.get(became(db.leads.convert(db.leads.create(company="Fjord AS"))))
    db.records.register("project", "Project", "Projects")
    return World(
        db,
        lead,
        account,
        db.contacts.add(lead, name="Ola Vik"),
        db.views.save("Large", "amount > 5"),
        db.leads.edit_many([db.leads.create(company="Berg AS")], city="Oslo"),
        db.activities.task(lead, "Call back"),
        db.files.add(lead, b"hello", name="a.txt"),
        db.estimates.create(lead, title="Roof"),
        db.records.link(lead, "project", "p-1", title="Roof"),
        *customer_of(db),
    )
