"""The compiled half of leadcore. Use the package; the functions here may change with any version."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from os import PathLike
from typing import Any, Literal, TypeAlias, final
from uuid import UUID

from leadcore.activity import Activity, CalendarEntry, Reminder
from leadcore.models import (
    Board,
    Closing,
    Email,
    Entry,
    FieldSpec,
    FormSection,
    MarkNote,
    Phone,
    Pipeline,
    Section,
    Stage,
    Term,
)
from leadcore.pages import AccountPage, LeadPage
from leadcore.values import Record

__all__ = [
    "Account",
    "Contact",
    "Lead",
    "LeadTable",
    "Part",
    "ReportTable",
    "Session",
    "account_by_number",
    "account_create",
    "account_delete",
    "account_delete_blockers",
    "account_edit",
    "account_get",
    "account_leads",
    "account_page",
    "activity_act",
    "activity_add",
    "activity_add_many",
    "activity_assign",
    "activity_complete",
    "activity_complete_call",
    "activity_delete",
    "activity_edit",
    "activity_get",
    "activity_ical",
    "activity_log",
    "activity_page",
    "activity_replace",
    "activity_set_state",
    "activity_skip",
    "arrow_to_csv",
    "board",
    "calendar_ical",
    "calendar_ical_of",
    "calendar_month",
    "calendar_overview",
    "check_hidden",
    "columns_list",
    "columns_set",
    "contact_add",
    "contact_do_not_call",
    "contact_edit",
    "contact_mark",
    "contact_primary",
    "contact_remove",
    "contacts_export",
    "contacts_of",
    "contacts_vcard",
    "conversion_apply",
    "conversion_check",
    "conversion_convert",
    "conversion_counted",
    "conversion_customer",
    "conversion_estimates",
    "conversion_mapping_get",
    "conversion_mapping_lint",
    "conversion_mapping_preview",
    "conversion_mapping_set",
    "conversion_mapping_standard",
    "conversion_no_opportunity",
    "conversion_opportunity",
    "conversion_plan",
    "conversion_series",
    "conversion_services",
    "conversion_target_fields",
    "conversion_told",
    "convert_in_batches",
    "convert_many",
    "convert_part",
    "convert_parts",
    "cost_add",
    "cost_delete",
    "cost_edit",
    "cost_get",
    "cost_page",
    "estimate_by_number",
    "estimate_can_move",
    "estimate_copy",
    "estimate_create",
    "estimate_delete",
    "estimate_edit",
    "estimate_for_request",
    "estimate_from_lines",
    "estimate_get",
    "estimate_move",
    "estimate_numbering_get",
    "estimate_numbering_set",
    "estimate_page",
    "estimate_revise",
    "estimates_expire_due",
    "estimates_of",
    "export_leads",
    "field_add",
    "field_change",
    "field_remove",
    "field_specs",
    "field_update",
    "file_delete",
    "file_edit",
    "file_get",
    "file_read",
    "file_read_range",
    "file_save",
    "files_add",
    "files_of",
    "filter_parse",
    "filter_text",
    "follow",
    "followed_by",
    "followers_of",
    "form",
    "form_schema",
    "functions_get",
    "functions_set",
    "hygiene_apply",
    "hygiene_check",
    "hygiene_check_correction",
    "hygiene_plan",
    "import_apply",
    "import_apply_from",
    "import_check_field",
    "import_check_plan",
    "import_leads",
    "import_line_actions",
    "import_line_gives_up",
    "import_plan",
    "import_plan_gone",
    "import_plan_relinked",
    "import_plan_to",
    "import_preview",
    "import_template",
    "input_check",
    "lead_actions",
    "lead_by_number",
    "lead_can_move",
    "lead_changes",
    "lead_changes_start",
    "lead_clone",
    "lead_count",
    "lead_count_by",
    "lead_create",
    "lead_delete",
    "lead_disqualify",
    "lead_do_not_call",
    "lead_edit",
    "lead_facets",
    "lead_functions",
    "lead_get",
    "lead_idle",
    "lead_mark",
    "lead_mark_address",
    "lead_mark_all",
    "lead_move",
    "lead_open",
    "lead_page",
    "lead_reopen",
    "lead_restore",
    "lead_stage_history",
    "lines_list",
    "lines_of",
    "lines_set",
    "mapping_list",
    "mapping_names",
    "mapping_remove",
    "mapping_save",
    "mass_edit",
    "mass_label",
    "mass_move",
    "mass_transfer",
    "mass_trash",
    "match_chosen",
    "matches",
    "numbering_get",
    "numbering_set",
    "opportunities_of",
    "opportunity_by_number",
    "opportunity_contacts",
    "opportunity_create",
    "opportunity_delete",
    "opportunity_edit",
    "opportunity_get",
    "opportunity_move",
    "opportunity_numbering_get",
    "opportunity_numbering_set",
    "opportunity_page",
    "outbox_acknowledge",
    "outbox_deliver",
    "outbox_poll",
    "outbox_start",
    "output_check",
    "page_of_account",
    "page_of_lead",
    "participants_named",
    "participants_search",
    "pipeline_add",
    "pipeline_list",
    "pipeline_remove",
    "pipeline_remove_stage",
    "pipeline_set_default",
    "pipeline_update",
    "preset_role",
    "purge",
    "purge_plan",
    "record_by_key",
    "record_edit",
    "record_get",
    "record_kind_remove",
    "record_kind_set",
    "record_kinds",
    "record_link",
    "record_unlink",
    "records_of",
    "reminder_acknowledge",
    "reminder_due",
    "report",
    "section_list",
    "section_remove",
    "section_set",
    "series_add",
    "series_archive",
    "series_edit",
    "series_get",
    "series_overview",
    "series_set_default",
    "service_create",
    "service_delete",
    "service_edit",
    "service_get",
    "service_page",
    "service_set_state",
    "services_of",
    "term_add",
    "term_archive",
    "term_ask_for_detail",
    "term_defaults",
    "term_delete",
    "term_list",
    "term_recolor",
    "term_rename",
    "term_reorder",
    "timeline",
    "unconversion_apply",
    "unconversion_do",
    "unconversion_plan",
    "unconversion_unmet",
    "undo",
    "undo_apply",
    "undo_plan",
    "view_arrange",
    "view_board",
    "view_default",
    "view_delete",
    "view_get",
    "view_list",
    "view_open",
    "view_pin",
    "view_rename",
    "view_save",
    "view_share",
    "view_update",
    "zone_known",
]

__version__: str

@final
class Lead:
    """A lead as it was when it was read.

    Leads are values: frozen, equal when everything is equal, with a hash, and safe to pickle and copy. To change one,
    hand it to `db.leads.edit`, which returns the new one.
    """

    @property
    def id(self) -> UUID:
        """The id: stable for ever."""

    @property
    def number(self) -> int:
        """The number that people say: counts up from 1 in each tenant."""

    @property
    def revision(self) -> int:
        """How often the lead was written. An edit with this object is refused when the stored one is higher."""

    @property
    def state(self) -> Literal["open", "disqualified", "converted"]:
        """`open`, `disqualified` or `converted`."""

    @property
    def kind(self) -> Literal["company", "consumer"]:
        """`company` or `consumer`."""

    @property
    def display_name(self) -> str | None:
        """What people call the lead: the company, else the person, else the first e-mail or phone."""

    @property
    def company(self) -> str | None:
        """Company name."""

    @property
    def name(self) -> str | None:
        """The person's full name: the lead itself, or who speaks for the company."""

    @property
    def first_name(self) -> str | None:
        """The person's given name."""

    @property
    def last_name(self) -> str | None:
        """The person's family name."""

    @property
    def salutation(self) -> str | None:
        """How to address the person (`Dr.`)."""

    @property
    def job_title(self) -> str | None:
        """The person's position in the company."""

    @property
    def email(self) -> str | None:
        """The primary e-mail address."""

    @property
    def emails(self) -> tuple[Email, ...]:
        """All e-mail addresses, the primary one first."""

    @property
    def phone(self) -> str | None:
        """The primary phone number."""

    @property
    def phones(self) -> tuple[Phone, ...]:
        """All phone numbers, the primary one first."""

    @property
    def phone_e164(self) -> str | None:
        """The primary phone number in E.164 form (`+4722222222`); none where it has none."""

    @property
    def phones_e164(self) -> tuple[str | None, ...]:
        """All phone numbers in E.164 form, in the order of `phones`; none for one that has no such form."""

    @property
    def website(self) -> str | None:
        """Web site."""

    @property
    def street(self) -> str | None:
        """Street and house number."""

    @property
    def city(self) -> str | None:
        """City."""

    @property
    def state_region(self) -> str | None:
        """State, province or region."""

    @property
    def postal_code(self) -> str | None:
        """Zip or postal code."""

    @property
    def country(self) -> str | None:
        """Country, ISO 3166-1 alpha-2."""

    @property
    def tax_id(self) -> str | None:
        """Tax number."""

    @property
    def currency(self) -> str | None:
        """Currency, ISO 4217."""

    @property
    def currency_symbol(self) -> str | None:
        """The symbol to print before an amount: the lead's own, else the currency's."""

    @property
    def amount(self) -> Decimal | None:
        """What the lead may be worth, in `currency`."""

    @property
    def probability(self) -> int | None:
        """The chance to win in percent, where it differs from the stage's."""

    @property
    def expected_close(self) -> date | None:
        """The day on which it may be won."""

    @property
    def score(self) -> int | None:
        """How promising it is, by a number of the tenant's own."""

    @property
    def follow_up(self) -> date | datetime | None:
        """When somebody has to turn to it next, for a task, call or meeting that is open; a `date` for a whole day."""

    @property
    def industry(self) -> str | None:
        """Line of business."""

    @property
    def campaign(self) -> str | None:
        """The campaign that brought it."""

    @property
    def description(self) -> str | None:
        """Anything else worth knowing."""

    @property
    def owner(self) -> str | None:
        """The user responsible."""

    @property
    def source(self) -> Term | None:
        """Where the lead came from."""

    @property
    def category(self) -> Term | None:
        """What kind of lead it is."""

    @property
    def location(self) -> Term | None:
        """The place it belongs to."""

    @property
    def partner(self) -> Term | None:
        """The reseller or unit it belongs to."""

    @property
    def labels(self) -> tuple[Term, ...]:
        """Labels."""

    @property
    def external_ids(self) -> tuple[str, ...]:
        """What other systems call this lead, each as `system:id`."""

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline of the stage."""

    @property
    def stage(self) -> Stage:
        """The stage it is in; changed by `db.leads.move`."""

    @property
    def stage_entered_at(self) -> datetime:
        """Since when it is in its stage."""

    @property
    def active_at(self) -> datetime:
        """Since when nothing happened: the later of entering the stage and the last activity."""

    @property
    def rank(self) -> str:
        """Its place among the cards of its stage: texts in the order of the cards."""

    @property
    def closing(self) -> Closing | None:
        """How it ended, while it is won, lost or disqualified."""

    @property
    def created_at(self) -> datetime:
        """When it was created."""

    @property
    def updated_at(self) -> datetime:
        """When it was last written."""

    @property
    def converted_at(self) -> datetime | None:
        """When it was converted, if it was."""

    @property
    def account_id(self) -> UUID | None:
        """The id of the account it became, if it was converted."""

    @property
    def deleted_at(self) -> datetime | None:
        """When it was put into the trash, while it is there."""

    @property
    def custom(self) -> Mapping[str, Any]:
        """The fields that the tenant added, each by its key; none where the lead has no value."""

    # Custom fields are attributes at run time. A `__getattr__` here would make every misspelt field one of them; typed
    # code reads `custom`.

    def to_dict(self) -> dict[str, Any]:
        """Every field by its key, custom ones too, with names for sources, stages and the like."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __copy__(self) -> Lead: ...
    def __deepcopy__(self, _memo: Any) -> Lead: ...
    def __reduce__(self) -> Any: ...

@final
class Contact:
    """A person of a lead or an account, as it was when it was read."""

    @property
    def id(self) -> UUID:
        """The id."""

    @property
    def revision(self) -> int:
        """How often the contact was written."""

    @property
    def is_primary(self) -> bool:
        """Whether it is the primary contact of the lead or account it was read from."""

    @property
    def name(self) -> str | None:
        """The person's full name."""

    @property
    def job_title(self) -> str | None:
        """Position in the company."""

    @property
    def role(self) -> str | None:
        """What part the person has in the deal."""

    @property
    def do_not_call(self) -> MarkNote | None:
        """Why and since when the person must not be called, by whatever number; none while it may."""

    @property
    def email(self) -> str | None:
        """The primary e-mail address."""

    @property
    def emails(self) -> tuple[Email, ...]:
        """All e-mail addresses, the primary one first."""

    @property
    def phone(self) -> str | None:
        """The primary phone number."""

    @property
    def phones(self) -> tuple[Phone, ...]:
        """All phone numbers, the primary one first."""

    @property
    def phone_e164(self) -> str | None:
        """The primary phone number in E.164 form (`+4722222222`); none where it has none."""

    @property
    def phones_e164(self) -> tuple[str | None, ...]:
        """All phone numbers in E.164 form, in the order of `phones`; none for one that has no such form."""

    @property
    def description(self) -> str | None:
        """Anything else worth knowing."""

    @property
    def created_at(self) -> datetime:
        """When it was created."""

    @property
    def updated_at(self) -> datetime:
        """When it was last written."""

    @property
    def custom(self) -> Mapping[str, Any]:
        """The fields that the tenant added which say something, by key."""

    # As of a lead: attributes at run time, and `custom` for typed code.

    def to_dict(self) -> dict[str, Any]:
        """Everything about the contact by name."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __copy__(self) -> Contact: ...
    def __deepcopy__(self, _memo: Any) -> Contact: ...
    def __reduce__(self) -> Any: ...

@final
class Account:
    """A customer, as it was when it was read. Accounts are made by converting leads, or created."""

    @property
    def id(self) -> UUID:
        """The id."""

    @property
    def written_number(self) -> str:
        """The number as people read it: in the standard series as that is written now, else as it was given."""

    @property
    def revision(self) -> int:
        """How often the account was written."""

    @property
    def name(self) -> str:
        """Company name, or the person's for a consumer."""

    @property
    def email(self) -> str | None:
        """The primary e-mail address."""

    @property
    def emails(self) -> tuple[Email, ...]:
        """All e-mail addresses, the primary one first."""

    @property
    def phone(self) -> str | None:
        """The primary phone number."""

    @property
    def phones(self) -> tuple[Phone, ...]:
        """All phone numbers, the primary one first."""

    @property
    def phone_e164(self) -> str | None:
        """The primary phone number in E.164 form (`+4722222222`); none where it has none."""

    @property
    def phones_e164(self) -> tuple[str | None, ...]:
        """All phone numbers in E.164 form, in the order of `phones`; none for one that has no such form."""

    @property
    def description(self) -> str | None:
        """Anything else worth knowing."""

    @property
    def created_at(self) -> datetime:
        """When it was created."""

    @property
    def updated_at(self) -> datetime:
        """When it was last written."""

    @property
    def number(self) -> int:
        """The customer number: counts up from 1 in each tenant."""

    @property
    def kind(self) -> Literal["company", "consumer"]:
        """`company` or `consumer`."""

    @property
    def status(self) -> Literal["customer", "prospect"]:
        """`prospect` or `customer`."""

    @property
    def website(self) -> str | None:
        """Web site."""

    @property
    def street(self) -> str | None:
        """Street and house number."""

    @property
    def city(self) -> str | None:
        """City."""

    @property
    def state_region(self) -> str | None:
        """State, province or region."""

    @property
    def postal_code(self) -> str | None:
        """Zip or postal code."""

    @property
    def country(self) -> str | None:
        """Country, ISO 3166-1 alpha-2."""

    @property
    def tax_id(self) -> str | None:
        """Tax number."""

    @property
    def currency(self) -> str | None:
        """Currency, ISO 4217."""

    @property
    def currency_symbol(self) -> str | None:
        """The symbol to print before an amount: the account's own, else the currency's."""

    @property
    def industry(self) -> str | None:
        """Line of business."""

    @property
    def owner(self) -> str | None:
        """The user responsible."""

    @property
    def category(self) -> Term | None:
        """Industry or type."""

    @property
    def custom(self) -> Mapping[str, Any]:
        """The fields that the tenant added which say something, by key."""

    # As of a lead: attributes at run time, and `custom` for typed code.

    def to_dict(self) -> dict[str, Any]:
        """Everything about the account by name."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...
    def __copy__(self) -> Account: ...
    def __deepcopy__(self, _memo: Any) -> Account: ...
    def __reduce__(self) -> Any: ...

@final
class Session:
    """Who asks, of which tenant, of which store. Cheap to copy: views for other users share the store."""

    @staticmethod
    def open(
        path: str | PathLike[str] | None,
        tenant: str,
        user: str | None,
        roles: str | None,
        clock: Callable[[], datetime] | None,
        tax_rule: Callable[[str, str | None], str | None] | None,
        files_in: str | PathLike[str] | None,
    ) -> Session:
        """Opens a store; `path` none means in memory. `clock` gives the time, `tax_rule` checks tax numbers."""

    def as_user(self, user: str | None, team: list[str] | None) -> Session:
        """The same store for another actor of this team."""

    def at_offset(self, seconds: int) -> Session:
        """The same actor, so many seconds east of UTC."""

    def begin(self) -> Session:
        """Begins a transaction; inside one, a savepoint."""

    def within(self, other: Session) -> Session:
        """The same session inside the transaction of `other`."""

    def end(self, commit: bool) -> None:
        """Ends the transaction that `begin` began."""

    def close(self) -> None:
        """Closes the store once the calls that are under way have ended. A second close does nothing."""

    def backup_to(self, path: str | PathLike[str]) -> None:
        """Writes a copy of the file."""

    def path(self) -> PathLike[str] | None:
        """Where the file is; none in memory."""

    def sweep_files(self) -> tuple[int, int, int]:
        """Removes contents that no file has: how many, their bytes, and how many temporary files."""

    def stats(self) -> tuple[int, int, float]:
        """Write transactions committed, writes run again, and the longest wait for a turn in seconds."""

    @property
    def closed(self) -> bool:
        """Whether it was closed."""

    @property
    def tenant(self) -> str:
        """Whose leads."""

    @property
    def user(self) -> str | None:
        """Who asks."""

    @property
    def key(self) -> int:
        """What tells transactions of one store from those of another."""

# What the package hands in: a record, its id, or the text of that.
_Targets: TypeAlias = tuple[list[str], Callable[[int, str, str | None, str | None], str | bool | None]]
_Decided: TypeAlias = tuple[str, str, dict[str, Any], dict[str, Any], dict[str, Any], dict[str, dict[str, Any]]]
_Lead: TypeAlias = Lead | UUID | str
_Named: TypeAlias = Term | Stage | Pipeline | UUID | str

def lead_create(session: Session, drafts: list[tuple[dict[str, Any], Any, Any, str | None]]) -> list[Lead]:
    """Creates leads in one operation: all or none."""

def lead_edit(session: Session, lead: _Lead, changes: dict[str, Any]) -> Lead:
    """Changes some fields; none empties one."""

def lead_get(session: Session, lead: _Lead) -> Lead:
    """One lead by id, also from the trash."""

def lead_by_number(session: Session, number: int | str) -> Lead:
    """One lead by the number that people say, or the text that is written for it."""

def lead_actions(session: Session, lead: _Lead) -> list[str]:
    """What the user can do with a lead now."""

def lead_delete(session: Session, lead: _Lead) -> None:
    """Puts a lead into the trash."""

def lead_restore(session: Session, lead: _Lead) -> Lead:
    """Takes a lead out of the trash."""

# Stage, reason, detail, and the place of the card: `top`, `bottom`, or `before` or `after` another.
_Target: TypeAlias = tuple[_Named, _Named | None, str | None, tuple[str, _Lead | None] | None]

def lead_move(session: Session, lead: _Lead, to: _Target) -> Lead:
    """Moves a lead to another stage, or its card to another place."""

def lead_can_move(session: Session, lead: _Lead, to: _Target) -> list[tuple[str, tuple[str, str, str]]]:
    """What stands against a move: each condition as JSON, and as a broken rule: field, code, sentence."""

def lead_disqualify(session: Session, lead: _Lead, reason: _Named | None, detail: str | None) -> Lead:
    """Says that a lead was none at all."""

def lead_reopen(session: Session, lead: _Lead) -> Lead:
    """Opens a lead again."""

def lead_stage_history(
    session: Session, lead: _Lead
) -> list[tuple[UUID, Stage | None, datetime, datetime | None, int, str | None, UUID | None]]:
    """The stages that a lead went through, oldest first."""

def lead_idle(session: Session, lead: _Lead) -> tuple[datetime, int, datetime | None]:
    """Since when nothing happened to a lead, how many days that is, and since when it rots."""

def lead_clone(session: Session, lead: _Lead, lines: bool) -> Lead:
    """A copy of a lead."""

def lead_functions(session: Session, lead: _Lead) -> dict[str, bool]:
    """Which functions are open for a lead and which are not."""

# Leads or ids, or a filter, and how many the caller saw.
_Chosen: TypeAlias = tuple[list[_Lead] | None, str | None, int | None]
# The operation; for each lead its id, what became of it, conflict and violations; the sums.
_Done: TypeAlias = tuple[UUID | None, list[tuple[UUID, str, Any, list[tuple[str, str, str]]]], list[int]]

def mass_transfer(session: Session, chosen: _Chosen, owner: str | None) -> _Done:
    """Gives leads another owner, or none."""

def mass_move(session: Session, chosen: _Chosen, to: _Target) -> _Done:
    """Moves leads to a stage."""

def mass_label(session: Session, chosen: _Chosen, labels: list[Any], add: bool) -> _Done:
    """Adds labels to leads, or takes them off."""

def mass_edit(session: Session, chosen: _Chosen, changes: dict[str, Any]) -> _Done:
    """Changes some fields of leads; none empties one."""

def mass_trash(session: Session, chosen: _Chosen, restore: bool) -> _Done:
    """Puts leads into the trash, or takes them out."""

def undo_plan(session: Session, operation: UUID, part: str | None) -> str:
    """What taking back a call would do, as JSON."""

def undo(session: Session, operation: UUID, part: str | None) -> tuple[str, bool]:
    """Takes a call back: what `leadcore.UndoOutcome` has, as JSON, and whether this call did it."""

def undo_apply(session: Session, plan: str) -> tuple[str, bool]:
    """Does what a plan says; the outcome likewise."""

def purge_plan(session: Session, where: str | None, trash_only: bool, older_than_days: int | None) -> str:
    """What a purge would remove, as JSON."""

def purge(session: Session, plan: str) -> tuple[UUID, int, int, int, int]:
    """Removes what a plan says, for good.

    The operation, how many leads and persons went, how many leads stayed, and how many archived accounts went.
    """

def numbering_get(session: Session) -> tuple[str, int, int, int | None]:
    """How lead numbers are written."""

def numbering_set(session: Session, prefix: str, width: int, start: int, revision: int | None) -> int:
    """Writes how lead numbers are written."""

def cost_add(session: Session, source: _Named | None, fields: str) -> str:
    """Writes a cost down; its fields as JSON."""

def cost_edit(session: Session, cost: Any, revision: int | None, source: _Named | None, fields: str) -> str:
    """Writes all fields of a cost, as JSON."""

def cost_delete(session: Session, cost: Any, revision: int | None) -> None:
    """Removes a cost."""

def cost_get(session: Session, cost: Any) -> str:
    """One cost, as JSON."""

def cost_page(
    session: Session,
    source: _Named | None,
    since: str | None,
    until: str | None,
    after: str | None,
    limit: int,
) -> tuple[str, str | None]:
    """A page of costs as a JSON list, and where the next one begins."""

def report(session: Session, where: str | None, asked: str) -> str:
    """A report, as JSON."""

def series_overview(session: Session, kind: str, last: int) -> str:
    """The series of a kind with what comes next and the last numbers of each, as JSON."""

def series_get(session: Session, series: Any) -> str:
    """One series, as JSON."""

def series_add(session: Session, kind: str, fields: str) -> str:
    """Adds a series; its fields as JSON."""

def series_edit(session: Session, series: Any, revision: int | None, fields: str) -> str:
    """Writes all fields of a series, as JSON."""

def series_archive(session: Session, series: Any, revision: int | None, archived: bool) -> str:
    """Archives a series, or takes it out of the archive."""

def series_set_default(session: Session, series: Any) -> str:
    """Makes a series the default of its kind."""

def functions_get(session: Session) -> tuple[list[tuple[str, str]], int | None]:
    """The functions that are not open for every lead, each with its filter as JSON."""

def functions_set(session: Session, functions: list[tuple[str, str]], revision: int | None) -> int:
    """Writes which functions are open for which leads."""

def lead_page(
    session: Session, where: str | None, sort: str | None, limit: int, after: str | None, trash: bool
) -> tuple[list[Lead], str | None]:
    """A page of leads and where the next one begins."""

def lead_count(session: Session, where: str | None) -> int:
    """How many leads match."""

def lead_count_by(session: Session, field: str, where: str | None) -> list[tuple[Any, int]]:
    """How many leads match, for each value of a field: ids of terms and stages as their records."""

def contact_add(session: Session, owner: _Subject, fields: dict[str, Any], primary: bool) -> Contact:
    """Adds a person to a lead or an account."""

def contact_edit(session: Session, owner: _Subject, contact: Contact | UUID | str, changes: dict[str, Any]) -> Contact:
    """Changes some fields of a person of a lead or an account; none empties one."""

def contact_primary(session: Session, owner: _Subject, contact: Contact | UUID | str) -> None:
    """Makes a person the primary contact of its lead or account."""

def contact_remove(session: Session, owner: _Subject, contact: Contact | UUID | str) -> None:
    """Takes a person off a lead or an account."""

def contacts_of(session: Session, owner: _Subject) -> list[Contact]:
    """The persons of a lead or an account, the primary one first."""

def account_get(session: Session, account: Account | UUID | str) -> Account:
    """One account."""

def account_create(session: Session, status: str | None, series: Any | None, given: dict[str, Any]) -> Account:
    """Creates an account that no lead became."""

def account_edit(
    session: Session, account: Account | UUID | str, status: str | None, changes: dict[str, Any]
) -> Account:
    """Changes some fields of an account, and its status when one is given; none empties a field."""

def account_delete_blockers(session: Session, account: Account | UUID | str) -> str:
    """Everything that stands against deleting an account, as JSON."""

def account_delete(session: Session, account: Account | UUID | str) -> None:
    """Deletes an account that nothing hangs on."""

def account_by_number(session: Session, number: int | str) -> Account:
    """The account with this number, or the text that people write for it."""

def account_page(session: Session, after: str | None, limit: int) -> tuple[list[Account], str | None]:
    """A page of accounts by number, and where the next one begins."""

def account_leads(session: Session, account: Account | UUID | str) -> list[Lead]:
    """The leads that became this account, oldest first."""

def conversion_plan(session: Session, lead: _Lead, decided: _Decided) -> str:
    """The plan of a conversion, as JSON."""

def conversion_convert(session: Session, lead: _Lead, decided: _Decided, targets: _Targets | None) -> tuple[str, bool]:
    """Plans and applies in one call. With targets it takes an open transaction."""

def conversion_apply(session: Session, plan: str, targets: _Targets | None) -> tuple[str, bool]:
    """Carries a plan out, once. With targets it takes an open transaction."""

def conversion_check(plan: str) -> None:
    """Whether this is the JSON of a plan."""

def conversion_told(plan: str) -> str:
    """What a plan tells of what it would do, as JSON: the links that it adds, and the document."""

def conversion_estimates(plan: str, choice: str) -> str:
    """Step 1 of the wizard: from plan to plan, both as JSON."""

def conversion_customer(
    plan: str,
    customer: str,
    convert_now: bool,
    account: dict[str, Any],
    contact: dict[str, Any],
    persons: dict[str, dict[str, Any]],
) -> str:
    """Step 2 of the wizard."""

def conversion_opportunity(plan: str, fields: str, own: dict[str, Any]) -> str:
    """Step 2, the form of the opportunity."""

def conversion_series(plan: str, series: UUID | str) -> str:
    """Step 2, the numbers: in another series."""

def conversion_no_opportunity(plan: str) -> str:
    """Step 2, without the opportunity."""

def conversion_services(plan: str, services: str) -> str:
    """Step 3 of the wizard."""

def convert_many(session: Session, chosen: Any, decided: _Decided) -> str:
    """Converts leads in one transaction: what became of each, as JSON."""

def conversion_counted(totals: str | None, leads: str) -> str:
    """The totals with these leads counted too, all of it as JSON; without totals, of these leads alone."""

@final
class Part:
    """Some of the leads that were chosen."""

def convert_parts(session: Session, chosen: Any, decided: _Decided, batch: int | None) -> list[Part]:
    """The leads that are chosen now, or that the key stands for, so many at a time."""

def convert_part(session: Session, part: Part, decided: _Decided, targets: _Targets) -> str:
    """Converts a part with the tables of the host, in an open transaction: what became of each lead, as JSON."""

def convert_in_batches(
    session: Session, chosen: Any, decided: _Decided, batch: int, hear: Callable[[str], object] | None
) -> str:
    """`convert_many` in transactions of so many leads each. `hear` is told each lead, and ends it with `False`."""

def unconversion_plan(session: Session, lead: Lead | UUID | str) -> str:
    """What taking a conversion back would do, as JSON."""

def unconversion_unmet(plan: str) -> list[tuple[str, tuple[str, str, str]]]:
    """What keeps the lead of a plan out of its stage: each as JSON, with field, code and message."""

def unconversion_apply(session: Session, plan: str, targets: _Targets | None) -> tuple[str, bool]:
    """Takes a conversion back as a plan says, once. With targets it takes an open transaction."""

def unconversion_do(
    session: Session, lead: Lead | UUID | str, targets: _Targets | None, key: str | None
) -> tuple[str, bool]:
    """Plans and takes back in one call. With targets it takes an open transaction."""

def matches(session: Session, lead: Lead | UUID | str, number: int | str | None, limit: int) -> str:
    """Every account and contact that a lead may be, as JSON."""

def match_chosen(
    session: Session, lead: Lead | UUID | str, record: str, policy: str, number: int | str | None, limit: int
) -> UUID | None:
    """The account or contact that a policy chooses."""

def conversion_mapping_get(session: Session) -> tuple[str, int | None]:
    """The mapping of the tenant as JSON, and the revision to change it with."""

def conversion_mapping_standard(opportunity: bool) -> str:
    """The mapping that a tenant begins with, as JSON; with what an opportunity takes, if asked for."""

def conversion_mapping_set(session: Session, mapping: str, revision: int | None) -> tuple[int, str]:
    """Writes the mapping: its revision, and the warnings of the linter as JSON."""

def conversion_mapping_lint(session: Session, mapping: str) -> str:
    """Everything that is wrong with a mapping, as JSON."""

def conversion_mapping_preview(session: Session, lead: Lead | UUID | str, account: Account | UUID | str | None) -> str:
    """What the mapping would make of a lead, as JSON."""

def conversion_target_fields(session: Session) -> list[tuple[str, str, str, list[str], bool]]:
    """The fields that accounts, contacts and opportunities have, with those that the tenant added."""

def outbox_poll(session: Session, consumer: str, limit: int) -> tuple[list[str], bool]:
    """What a consumer has not got yet, each as JSON, and whether there may be more."""

def outbox_acknowledge(session: Session, consumer: str, event: str) -> None:
    """A consumer has carried out an event."""

def outbox_start(session: Session, consumer: str) -> None:
    """A consumer that is new begins here."""

def outbox_deliver(session: Session, consumer: str, carry_out: Callable[[str], object], lease: int) -> int:
    """Carries out everything that a consumer has not got yet: how many events. What `carry_out` raises is raised."""

def board(session: Session, pipeline: _Named | None, where: str | None, sort: str | None, cards: int) -> Board:
    """The board of one pipeline."""

def pipeline_list(session: Session) -> list[Pipeline]:
    """Every pipeline, the default first."""

# Id, name, kind, probability, colour, required fields, stages that may follow, limit of leads, days until it rots.
_GivenStage: TypeAlias = tuple[
    UUID | None, str, str, int | None, str | None, list[str], list[Any] | None, int | None, int | None
]

def pipeline_add(session: Session, name: str, stages: list[_GivenStage]) -> Pipeline:
    """Adds a pipeline."""

def pipeline_update(session: Session, id: UUID, revision: int, name: str, stages: list[_GivenStage]) -> Pipeline:
    """Replaces a pipeline."""

# The pipeline, and the revision that the caller read.
_Which: TypeAlias = tuple[_Named, int | None]

def pipeline_set_default(session: Session, pipeline: _Which) -> Pipeline:
    """Makes a pipeline the one that new leads start in."""

def pipeline_remove(session: Session, pipeline: _Which) -> None:
    """Removes a pipeline that no lead is in."""

def pipeline_remove_stage(session: Session, pipeline: _Which, stage: _Named, target: _Named | None) -> Pipeline:
    """Removes a stage, and moves its leads to another."""

def term_list(session: Session, kind: str) -> list[Term]:
    """The terms of a list."""

def term_add(session: Session, kind: str, name: str, color: str | None) -> Term:
    """Adds a term."""

def term_rename(session: Session, kind: str, term: _Named, revision: int | None, name: str) -> Term:
    """Renames a term; `revision` none takes whatever is there."""

def term_delete(session: Session, kind: str, term: _Named, in_use: str, reassign: _Named | None) -> None:
    """Deletes a term. Leads that refer to it: `refuse`, `clear`, or `reassign` to another term."""

def term_recolor(session: Session, kind: str, term: _Named, revision: int | None, color: str | None) -> Term:
    """Gives a term another colour, or none."""

def term_archive(session: Session, kind: str, term: _Named, revision: int | None, archived: bool) -> Term:
    """Archives a term, or takes it out of the archive."""

def term_ask_for_detail(session: Session, kind: str, term: _Named, revision: int | None, needs_detail: bool) -> Term:
    """Says whether a reason must be given in words too."""

def term_reorder(session: Session, kind: str, order: list[Any]) -> list[Term]:
    """Puts a list into this order."""

def term_defaults(session: Session, kind: str) -> list[Term]:
    """The terms of a list; the usual reasons where there is none."""

def field_specs(session: Session, of: str) -> list[FieldSpec]:
    """Every field as the tenant sees it, in form order."""

def field_update(
    session: Session,
    of: str,
    field: str,
    required: bool | None,
    enabled: bool | None,
    label: str | None,
    order: int | None,
    section: str | None,
) -> FieldSpec:
    """Changes what the tenant says about one field; none leaves it."""

# Code, label, place, archived.
_GivenChoice: TypeAlias = tuple[str, str, int, bool]

def field_add(
    session: Session, of: str, key: str, definition: dict[str, Any], choices: list[_GivenChoice] | None
) -> FieldSpec:
    """Adds a custom field."""

def field_change(
    session: Session,
    of: str,
    key: str,
    definition: dict[str, Any],
    choices: list[_GivenChoice] | None,
    mapping: list[tuple[str, str | None]],
    clear_rest: bool,
) -> FieldSpec:
    """Changes a custom field, and by the mapping the values that records have."""

def field_remove(session: Session, of: str, key: str, clear: bool) -> None:
    """Takes a custom field away; with `clear` also the values that records have."""

def section_list(session: Session, of: str) -> list[Section]:
    """Every section of the form, in order."""

def section_set(session: Session, of: str, key: str, label: str | None, order: int | None) -> Section:
    """Adds a section, or changes its name and place; none leaves one."""

def section_remove(session: Session, of: str, key: str) -> None:
    """Takes a section away, or gives a standard one its own name and place back."""

def form(session: Session, of: str) -> list[FormSection]:
    """The sections of the form, each with the fields that people fill in."""

def form_schema(session: Session, of: str) -> str:
    """The JSON Schema of what people fill in."""

# A lead, account or contact: the object, its kind and id, or the id of a lead.
_Subject: TypeAlias = Lead | Account | Contact | Record | tuple[str, UUID | str] | UUID | str
_Activity: TypeAlias = Activity | UUID | str

def activity_add(session: Session, about: _Subject | Iterable[_Subject], kind: str, fields: dict[str, Any]) -> Activity:
    """Adds an activity."""

def activity_log(
    session: Session, lead: _Lead, kind: str, fields: dict[str, Any], to: _Target | None
) -> tuple[Activity, Lead]:
    """Writes down an interaction with a lead and moves it."""

def activity_add_many(session: Session, items: list[tuple[Any, str, dict[str, Any]]]) -> list[Activity]:
    """Adds several activities in one operation: all or none."""

def activity_get(session: Session, activity: _Activity) -> Activity:
    """One activity."""

def activity_edit(session: Session, activity: _Activity, changes: dict[str, Any]) -> Activity:
    """Changes some fields of an activity; none empties one."""

def activity_delete(session: Session, activity: _Activity) -> None:
    """Removes an activity."""

def activity_act(session: Session, activity: _Activity, act: str) -> Activity:
    """Does what people do with one click: `reopen`, `cancel` or `snooze`."""

def activity_skip(session: Session, activity: _Activity, day: date) -> Activity:
    """One occurrence of a series does not take place."""

def activity_replace(
    session: Session, activity: _Activity, day: date, changes: dict[str, Any]
) -> tuple[Activity, Activity]:
    """One occurrence of a series takes place otherwise: the series, and the meeting in its place."""

def activity_complete(session: Session, activity: _Activity) -> tuple[Activity, Activity | None]:
    """Completes an activity: it, and the next task of a series."""

def activity_complete_call(session: Session, activity: _Activity, outcome: str, duration: int | None) -> Activity:
    """Says what came of a call."""

def activity_assign(session: Session, activity: _Activity, user: str | None) -> Activity:
    """Gives an activity to a user, or to nobody."""

def activity_set_state(session: Session, activity: _Activity, state: str) -> Activity:
    """Says how far a request for an estimate is."""

def activity_page(
    session: Session,
    subject: _Subject | None,
    user: str | None,
    kinds: list[str],
    open: bool | None,
    ascending: bool,
    after: str | None,
    limit: int,
) -> tuple[list[Activity], str | None]:
    """A page of activities: about a record, of a user, or all."""

def activity_ical(session: Session, activity: _Activity) -> str:
    """One activity as iCalendar text."""

# From, to, kinds, assignee, about.
_Range: TypeAlias = tuple[date, date, list[str], str | None, _Subject | None]
# Entries, where the next ones begin, what could not be expanded.
_Overview: TypeAlias = tuple[list[CalendarEntry], str | None, list[UUID]]

def calendar_overview(session: Session, range: _Range, after: str | None, limit: int) -> _Overview:
    """A page of the calls, tasks and meetings of a range of time."""

def calendar_month(session: Session, year: int, month: int) -> _Overview:
    """The calendar of a month."""

def calendar_ical(session: Session, range: _Range) -> tuple[str, list[UUID]]:
    """A range of time as iCalendar text."""

def calendar_ical_of(session: Session, subject: _Subject) -> tuple[str, list[UUID]]:
    """What is about a record as iCalendar text."""

def reminder_due(
    session: Session, until: date | None, after: str | None, limit: int
) -> tuple[list[Reminder], str | None]:
    """The reminders that are due."""

def reminder_acknowledge(session: Session, activities: list[_Activity]) -> None:
    """Somebody was reminded of these activities."""

# How many of each tab, how many events, which tabs, names of users.
_Wanted: TypeAlias = tuple[int, int, list[str] | None, list[tuple[str, str]] | None]

def page_of_lead(session: Session, lead: _Lead, wanted: _Wanted, mark_read: bool) -> LeadPage:
    """The page of a lead."""

def page_of_account(session: Session, account: Account | UUID | str, wanted: _Wanted) -> AccountPage:
    """The page of an account."""

def timeline(
    session: Session, subject: _Subject, topics: list[str], before: int | None, limit: int
) -> tuple[list[Entry], int | None]:
    """A page of what happened, newest first, and where the next one begins."""

def check_hidden(fields: list[str]) -> None:
    """Refuses keys of fields that do not exist or cannot be hidden."""

def preset_role(name: str) -> str:
    """The data of a ready-made role, as JSON: `manager`, `salesperson` or `viewer`."""

# A path, bytes or an open file: the one of them that is there.
_Place: TypeAlias = tuple[str | PathLike[str] | None, bytes | None, Any]
# Path and file of rejected rows, the hearer of progress, and that of lines.
_Outputs: TypeAlias = tuple[Any, Any, Any, Any]

def import_leads(
    session: Session, place: _Place, options: str, dry_run: bool, outputs: _Outputs
) -> tuple[str, str, str | None]:
    """Imports a file, or says what an import would do: the report as JSON, its table, the table of its `earlier`."""

def import_plan(
    session: Session, place: _Place, options: str, earlier: str | None, outputs: _Outputs
) -> tuple[str, str]:
    """The plan of an import as JSON, and the table of its report."""

def import_apply(session: Session, plan: str, place: _Place, outputs: _Outputs) -> tuple[str, str, str | None]:
    """Imports a file as planned."""

def import_plan_to(
    session: Session, place: _Place, options: str, to: str | PathLike[str], outputs: _Outputs
) -> tuple[str, str]:
    """The plan of an import, written to a file line by line: its summary as JSON, and the table of its report."""

def import_apply_from(
    session: Session, plan: str | PathLike[str], place: _Place, outputs: _Outputs
) -> tuple[str, str, str | None]:
    """Imports a file as planned by a plan in a file."""

def import_check_plan(text: str) -> None:
    """Refuse a text that is no plan of an import."""

def import_plan_relinked(lines: str) -> list[int]: ...
def import_plan_gone(lines: str) -> list[str]:
    """The leads that no line of a plan creates any more."""

def import_line_gives_up(line: str) -> str | None:
    """The lead that a line of a plan would have created, where a person decided otherwise."""

def import_line_actions(lines: str, gone: list[bool]) -> list[str]:
    """What becomes of lines of a plan; of each, whether its lead is gone."""

def import_check_field(key: str) -> None:
    """Refuses the key of a field that an import does not write."""

def import_preview(session: Session, place: _Place, options: str) -> tuple[str, str, list[list[str]], str]:
    """How a file would be read: mapping, proposal, its notes in words, and format."""

def import_template(session: Session, xlsx: bool, users: list[str]) -> bytes:
    """A file to fill in."""

def mapping_list(session: Session) -> str:
    """Every saved mapping, by name, as JSON."""

def mapping_names(headers: list[str]) -> list[str]:
    """A name of its own for each of these columns: `Email (2)` for the second `Email`."""

def mapping_save(session: Session, name: str, headers: list[str] | None, columns: str, constants: str) -> None:
    """Saves a mapping under a name, for files with these headers; those that its columns name where none are said."""

def mapping_remove(session: Session, name: str) -> None:
    """Removes the saved mapping of this name."""

def arrow_to_csv(source: Any, file: Any) -> tuple[int, dict[str, int], set[int]]:
    """Writes a table as CSV to an open file: its rows, what was left out, and columns of floats with lost digits."""

@final
class LeadTable:
    """Leads for programs that speak Arrow."""

    def __new__(cls, session: Session, asked: tuple[Any, ...]) -> LeadTable:
        """Use `db.leads.to_arrow`."""
    @property
    def columns(self) -> list[str]:
        """The keys of the columns."""
    def __arrow_c_schema__(self) -> object:
        """The schema, by the Arrow PyCapsule interface."""
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The leads, by the Arrow PyCapsule interface, read as they are asked for."""

def export_leads(
    session: Session, path: str | PathLike[str], asked: tuple[Any, ...]
) -> tuple[int, int, list[tuple[str, str]], str, int]:
    """Writes leads to a file of this path."""

def output_check(session: Session, at: str, to: object) -> None:
    """Refuses a file to be written, the argument `at`, that is the database or another one: by its path, or open."""

def input_check(session: Session, at: str, file: object) -> None:
    """Refuses an open file to be read, the argument `at`, that is the database."""

def contacts_vcard(session: Session, owner: _Subject, version: str) -> str:
    """The persons of a lead or an account as vCards of this version."""

def hygiene_plan(session: Session, where: str | None, request: str) -> str:
    """What is wrong with addresses, as JSON."""

def hygiene_check(text: str) -> None:
    """Refuse a text that is no plan of hygiene."""

def hygiene_check_correction(channel: str, correction: str) -> None:
    """Refuse what an address of this kind cannot become."""

def hygiene_apply(session: Session, plan: str) -> Any:
    """Does what a plan of hygiene says."""

def filter_parse(text: str) -> str:
    """The filter that a text says, as JSON."""

def filter_text(where: str) -> str:
    """The text of a filter in JSON."""

@final
class ReportTable:
    """A report for programs that speak Arrow."""

    def __new__(cls, columns: list[tuple[str, str, list[Any]]]) -> ReportTable:
        """Use `report.to_arrow`."""
    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> object:
        """The schema, by the Arrow PyCapsule interface."""
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows, by the Arrow PyCapsule interface. A schema that is asked for is left to the caller to cast to."""

def lead_open(session: Session, lead: _Lead) -> Lead:
    """One lead, which the user has read from now on."""

def lead_mark(session: Session, leads: list[_Lead], read: bool) -> None:
    """The user has read these leads, or has not."""

def lead_mark_all(session: Session) -> None:
    """The user has read every lead."""

# Leads as they are now, those that are gone, where to go on, and whether more is waiting.
_Changes: TypeAlias = tuple[list[Lead], list[UUID], int, bool]

def lead_changes(session: Session, after: int | None, limit: int) -> _Changes:
    """What changed behind a place in the journal."""

def lead_changes_start(session: Session) -> _Changes:
    """What a copy begins with."""

# A field's key, and of each value the value, its name and how many leads have it.
_Facet: TypeAlias = tuple[str, list[tuple[Any, str, int]]]

def lead_facets(session: Session, where: str | None, fields: list[str]) -> list[_Facet]:
    """How many leads have which value of these fields."""

# `list` or `board`, and the pipeline of a board.
_Shape: TypeAlias = tuple[Literal["list", "board"], UUID | None]

def view_list(session: Session) -> list[tuple[str, str, _Shape, bool, bool, bool, bool]]:
    """The menu of views."""

# Id; revision, owner, whether it is shared; name, shape, filter as JSON, columns, sort, grouping.
_View: TypeAlias = tuple[
    UUID, tuple[int, str | None, bool], tuple[str, _Shape, str, list[str] | None, str | None, str | None]
]

def view_get(session: Session, view: str) -> _View:
    """One saved view."""

def view_save(session: Session, given: dict[str, Any]) -> _View:
    """Saves a view. `given` has the name and what else is said of it."""

def view_update(session: Session, view: str, revision: int | None, given: dict[str, Any]) -> _View:
    """Changes what a saved view shows."""

def view_rename(session: Session, view: str, revision: int | None, name: str) -> _View:
    """Renames a saved view."""

def view_share(session: Session, view: str, revision: int | None, shared: bool) -> _View:
    """Shows a saved view to everyone, or to its owner only."""

def view_delete(session: Session, view: str, revision: int | None) -> None:
    """Deletes a saved view."""

def view_pin(session: Session, view: str, pinned: bool) -> None:
    """Puts a view at the top of the user's menu, or takes it from there."""

def view_arrange(session: Session, views: list[str]) -> None:
    """Says which views are at the top of the user's menu."""

def view_default(session: Session, view: str) -> None:
    """Says with which view the user's lists open."""

# The lead, its cells, whether it is unread, whether it rots, what can be done with it.
_Row: TypeAlias = tuple[Lead, list[str], bool, bool, list[str]]

# A broken rule: field, code, message.
_LeftOut: TypeAlias = tuple[str, str, str]

def view_open(
    session: Session,
    view: str,
    search: str | None,
    where: str | None,
    sort: str | None,
    limit: int | None,
    after: str | None,
    columns: list[str] | None,
    users: list[tuple[str, str]] | None,
) -> tuple[str, list[FieldSpec], list[_Row], str, str | None, int | None, _Facet | None, list[_LeftOut]]:
    """A page of a view."""

def view_board(
    session: Session, view: str, search: str | None, where: str | None, sort: str | None, cards: int
) -> tuple[str, Board, list[_LeftOut]]:
    """A view as a board: its name, the board, what was left out."""

def columns_list(session: Session) -> list[FieldSpec]:
    """The columns of lists."""

def columns_set(session: Session, fields: list[str] | None) -> None:
    """Chooses the columns of lists; none goes back to the standard ones."""

# Items as JSON, and where the next page begins.
_Page: TypeAlias = tuple[str, str | None]
# Name, description, content.
_File: TypeAlias = tuple[str, str | None, bytes | str | PathLike[str]]
# Address, channel, mark, lifted, reason, since.
_Mark: TypeAlias = tuple[str, str, str, bool, str | None, datetime | None]
# Reason, since.
_Note: TypeAlias = tuple[str | None, datetime | None]

def files_add(
    session: Session, subject: _Subject | Iterable[_Subject], files: list[_File], max_bytes: int, single: bool
) -> str:
    """Adds files about records, in one operation: as JSON. A single one is told of by its own arguments."""

def file_get(session: Session, file: Any) -> str:
    """A file, as JSON."""

def file_read(session: Session, file: Any) -> bytes:
    """The content of a file, checked against its hash."""

def file_read_range(session: Session, file: Any, offset: int, size: int) -> bytes:
    """A part of the content of a file."""

def file_save(session: Session, file: Any, path: str | PathLike[str]) -> int:
    """Writes the content of a file to a path, all of it or nothing."""

def file_edit(session: Session, file: Any, revision: int | None, fields: str) -> str:
    """Writes name and description of a file: as JSON."""

def file_delete(session: Session, file: Any, revision: int | None) -> None:
    """Deletes a file."""

def files_of(session: Session, subject: _Subject, ascending: bool, after: str | None, limit: int) -> _Page:
    """A page of the files about a record."""

def estimate_create(session: Session, subject: _Subject | Iterable[_Subject], fields: str, series: Any) -> str:
    """Creates an estimate: as JSON."""

def estimate_from_lines(session: Session, lead: Any, fields: str, series: Any | None) -> str:
    """Creates an estimate with the products of a lead."""

def estimate_for_request(session: Session, request: Any, fields: str, series: Any | None) -> str:
    """Creates an estimate that answers a request."""

def estimate_get(session: Session, estimate: Any) -> str:
    """An estimate."""

def estimate_by_number(session: Session, number: int | str) -> str:
    """The estimate with this number, or the text that people write for it."""

def estimate_edit(session: Session, estimate: Any, revision: int | None, fields: str) -> str:
    """Changes some fields of an estimate; null empties one."""

def estimate_can_move(session: Session, estimate: Any, status: str) -> list[tuple[str, tuple[str, str, str]]]:
    """What stands against a move: each condition as JSON, with its field, code and message."""

def estimate_move(session: Session, estimate: Any, revision: int | None, status: str, reason: str | None) -> str:
    """Moves an estimate to its next state."""

def estimates_expire_due(session: Session, limit: int) -> list[UUID]:
    """Writes down which estimates have expired: their ids."""

def estimate_copy(session: Session, estimate: Any) -> str:
    """A new draft of its own with what an estimate offers."""

def estimate_revise(session: Session, estimate: Any) -> str:
    """A new draft with what was offered."""

def estimate_delete(session: Session, estimate: Any, revision: int | None) -> None:
    """Deletes a draft."""

def estimates_of(
    session: Session, subject: _Subject, open: bool | None, ascending: bool, after: str | None, limit: int
) -> _Page:
    """A page of the estimates about a record."""

def estimate_page(
    session: Session,
    status: str | None,
    since: str | None,
    until: str | None,
    ascending: bool,
    after: str | None,
    limit: int,
) -> _Page:
    """A page of all estimates."""

def lines_list(session: Session, subject: _Subject) -> str:
    """The products that a lead, an account or an opportunity shows."""

def lines_of(session: Session, lead: _Lead) -> str | None:
    """The products of a lead; none where it has none."""

def lines_set(
    session: Session, lead: _Lead, revision: int | None, lines: str, currency: str | None, with_amount: bool
) -> str | None:
    """Writes the products of a lead."""

def estimate_numbering_get(session: Session) -> tuple[str, int, int, int | None]:
    """How estimate numbers are written: prefix, digits, start, and the revision to change it with."""

def estimate_numbering_set(session: Session, prefix: str, width: int, start: int, revision: int | None) -> int:
    """Writes how estimate numbers are written."""

def contact_mark(session: Session, contact: Contact | UUID | str, mark: _Mark) -> Contact:
    """Marks an address of a person, or takes the mark off."""

def contact_do_not_call(session: Session, contact: Contact | UUID | str, note: _Note | None) -> Contact:
    """Nobody may call a person; or, without a note, they may again."""

def lead_mark_address(session: Session, lead: _Lead, mark: _Mark) -> Lead:
    """Marks an address of a lead, or takes the mark off."""

def lead_do_not_call(session: Session, lead: _Lead, note: _Note) -> Lead:
    """Nobody may call a lead."""

def contacts_export(
    session: Session, owner: _Subject, spreadsheet: bool, path: str | PathLike[str] | None
) -> tuple[bytes, int]:
    """The persons of a lead or an account as a file, and how many there are."""

def follow(session: Session, subject: _Subject, user: str | None, follows: bool) -> bool:
    """Makes somebody follow a record, or follow it no more: whether that is new."""

def followers_of(session: Session, subject: _Subject) -> str:
    """Who follows a record, as JSON."""

def followed_by(session: Session, user: str | None, after: str | None, limit: int) -> tuple[list[Lead], str | None]:
    """The leads that a user follows, and where the next page begins."""

def participants_named(session: Session, participants: Any) -> str:
    """What records are called and where they are reached, as JSON."""

def participants_search(session: Session, text: str, include_leads: bool, limit: int) -> str:
    """Who has every word of a text, as JSON."""

def record_kinds(session: Session) -> str:
    """The kinds of record that the host registered, as JSON."""

def record_kind_set(session: Session, kind: str, fields: str, new: bool) -> None:
    """Registers a kind, or changes how one is shown: the fields that were given."""

def record_kind_remove(session: Session, kind: str) -> None:
    """Takes a kind away that has no records."""

def record_link(session: Session, subject: _Subject | Iterable[_Subject], kind: str, key: str, fields: str) -> str:
    """Links a record of the host's, or writes one anew that is linked."""

def record_edit(session: Session, record: Any, revision: int | None, fields: str) -> str:
    """Changes what the host says of a record."""

def record_unlink(session: Session, record: Any, revision: int | None) -> None:
    """Takes a record off every page."""

def record_get(session: Session, record: Any) -> str:
    """A record."""

def record_by_key(session: Session, kind: str, key: str) -> str:
    """The record with this id of the host's."""

def records_of(
    session: Session, subject: _Subject, kind: str, open: bool | None, ascending: bool, after: str | None, limit: int
) -> _Page:
    """A page of the records of one kind about a record."""

def opportunity_create(
    session: Session,
    subject: _Subject,
    fields: str,
    contacts: list[Any],
    own: dict[str, Any],
    series: Any | None,
    convert: _Decided | None,
) -> str:
    """Creates an opportunity of an account, or of the account that a lead became: as JSON."""

def opportunity_get(session: Session, opportunity: Any) -> str:
    """An opportunity."""

def opportunity_by_number(session: Session, number: int | str) -> str:
    """The opportunity with this number, or the text that people write for it."""

def opportunity_edit(session: Session, opportunity: Any, revision: int | None, fields: str, own: dict[str, Any]) -> str:
    """Changes some fields of an opportunity; null empties one."""

def opportunity_contacts(session: Session, opportunity: Any, revision: int | None, contacts: list[Any]) -> str:
    """Says which persons an opportunity is about."""

def opportunity_move(
    session: Session,
    opportunity: Any,
    revision: int | None,
    state: str,
    on: str | None,
    reason: Any,
    detail: str | None,
) -> str:
    """Wins, loses or reopens an opportunity."""

def opportunity_delete(session: Session, opportunity: Any, revision: int | None) -> None:
    """Removes an opportunity."""

def opportunities_of(
    session: Session, subject: _Subject, open: bool | None, ascending: bool, after: str | None, limit: int
) -> _Page:
    """A page of the opportunities of a record."""

def opportunity_page(session: Session, asked: str, ascending: bool, after: str | None, limit: int) -> _Page:
    """A page of all opportunities. `asked` has who, which and when, as JSON."""

def opportunity_numbering_get(session: Session) -> tuple[str, int, int, int | None]:
    """How opportunity numbers are written: prefix, digits, start, and the revision to change it with."""

def opportunity_numbering_set(session: Session, prefix: str, width: int, start: int, revision: int | None) -> int:
    """Writes how opportunity numbers are written."""

def service_create(
    session: Session, subject: _Subject, fields: str, state: str, estimate: Any, position: int | None, opportunity: Any
) -> str:
    """Creates a service of an account, or of the account that a lead became: as JSON."""

def service_get(session: Session, service: Any) -> str:
    """A service."""

def service_edit(session: Session, service: Any, revision: int | None, fields: str) -> str:
    """Changes some fields of a service; null empties one."""

def service_set_state(session: Session, service: Any, revision: int | None, state: str) -> str:
    """Says whether a service is bought now."""

def service_delete(session: Session, service: Any, revision: int | None) -> None:
    """Removes a service."""

def services_of(
    session: Session, subject: _Subject, open: bool | None, ascending: bool, after: str | None, limit: int
) -> _Page:
    """A page of the services of a record."""

def service_page(session: Session, asked: str, ascending: bool, after: str | None, limit: int) -> _Page:
    """A page of all services. `asked` has which, as JSON."""

def zone_known(name: str) -> bool:
    """Whether there is a time zone of this name."""
