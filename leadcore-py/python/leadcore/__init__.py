"""leadcore: the lead-management engine that other software embeds.

>>> with leadcore.open(":memory:", tenant="acme", user="ada") as db:
...     lead = db.leads.create(company="Nordlys AS", city="Oslo")
...     [lead.company for lead in db.leads.iter(where=leadcore.F.city == "oslo")]
['Nordlys AS']

Never open a leadcore file with another SQLite in the same process, Python's own ``sqlite3`` included: it drops
the locks of this one, and another process's committed rows can vanish. See the package's README.
"""

from ._leadcore import Account, Contact, Lead, LeadTable, ReportTable, __version__
from .accounts import AccountBlocker, Accounts
from .activities import Activities
from .activity import (
    Activity,
    ActivityInput,
    ActivityKind,
    CalendarEntry,
    Completed,
    Overview,
    Reminder,
    Replaced,
)
from .calendar import Calendar, Reminders
from .catalogue import Catalogue
from .contacts import ContactList, Contacts
from .conversion import ConversionPlan
from .conversion_mapping import (
    ConversionMapping,
    ConversionMappings,
    MappedAccount,
    MappingFinding,
    MappingRule,
    TargetField,
)
from .conversion_options import ConversionInput, Match, NewOpportunity
from .conversion_outcome import ConversionOutcome, HostMade, LinkAdded
from .conversion_parts import (
    FieldWrite,
    PlannedAccount,
    PlannedContact,
    PlannedEstimate,
    PlannedLink,
    PlannedOpportunity,
    PlannedService,
)
from .converting import (
    ConversionProgress,
    ConversionTotals,
    LeadConversion,
    LeadConverted,
    MassConversion,
    MatchRef,
)
from .costs import Cost, Costs
from .database import Database, Stats
from .estimate import Estimate, EstimateInput, EstimateUnmet
from .estimates import Estimates
from .exceptions import (
    AlreadyExistsError,
    CancelledError,
    Conflict,
    ConflictError,
    CorruptError,
    DeniedError,
    FrozenError,
    InternalError,
    InvalidError,
    LeadcoreError,
    NotFoundError,
    StorageError,
    UnavailableError,
    UnsupportedError,
    Violation,
)
from .exporting import Exported, ExportInput, LeadExport, LeadsInput
from .fields import AccountInput, ContactInput, FieldInput, FieldsOf, FieldType, LeadInput
from .files import FileRecord, Files, SweptFiles
from .filters import F, Filter
from .followers import Candidate, Candidates, Follow, Followers, Participants
from .hygiene import Finding, Hygiene, HygienePlan
from .import_input import ImportInput, ReadInput
from .importing import Importing
from .imports import FileFormat, ImportPreview, ImportReport, LineOutcome, Progress, Rejection, ReviewLine
from .leads import LeadAction, Leads
from .lines import LeadLines, Line, Lines, TaxTotal, Totals
from .lists import Changes, Facet, FacetValue, ListPage, Row, View, ViewBoard, ViewEntry
from .mapping import ColumnProposal, ColumnRules, ImportColumn, Mappings, SavedMapping
from .marks import LeadMarks
from .mass import LeadMass, MassOutcome, MassTotals, RecordOutcome
from .matching import Elsewhere, Evidence, MatchCandidate, Matches, PersonMatches, TooCommon
from .models import (
    Board,
    Change,
    Choice,
    Closing,
    Column,
    ColumnSum,
    Email,
    Entry,
    FieldSpec,
    FormSection,
    MarkNote,
    Money,
    Page,
    Phone,
    Pipeline,
    Section,
    Stage,
    Term,
    Topic,
    Wip,
)
from .moves import Idle, LeadMoves, StageVisit, Unmet
from .opening import open as open  # noqa: A004 - `leadcore.open` reads as it should; `*` leaves the builtin alone
from .operations import (
    Blocker,
    Kept,
    Operations,
    PurgeOutcome,
    PurgePlan,
    UndoOutcome,
    UndoPlan,
    UndoRecord,
    UndoTotals,
)
from .opportunities import Opportunities
from .opportunity import Opportunity, OpportunityInput, Service, ServiceInput
from .outbox import Outbox, OutboxBatch, OutboxEvent
from .pages import AccountPage, Attached, Cell, Engagement, LeadPage, PageSection, Qualification, TabPage
from .pipelines import Pipelines, StageInput, StageRules
from .plans import ImportPlan, LineCandidate, PlannedLine, PlanSummary
from .policy import Role, RoleTable
from .reading import LeadReading
from .records import HostRecord, OnConversion, RecordKind, Records
from .reports import GroupValue, Report, ReportMoney, ReportRow, Reports, ReportStage, Valued
from .series import LastNumber, NumberSeries, Series
from .services import Services
from .settings import Numbering, Settings
from .subjects import SubjectRef
from .targets import ConversionTarget, Target
from .terms import Terms
from .transactions import Transaction
from .unconversion import TakenBack, UnconvertBlocker, UnconvertOutcome, UnconvertPlan, WrittenSince
from .views import SystemView, Views

__all__ = [
    "Account",
    "AccountBlocker",
    "AccountInput",
    "AccountPage",
    "Accounts",
    "Activities",
    "Activity",
    "ActivityInput",
    "ActivityKind",
    "AlreadyExistsError",
    "Attached",
    "Blocker",
    "Board",
    "Calendar",
    "CalendarEntry",
    "CancelledError",
    "Candidate",
    "Candidates",
    "Catalogue",
    "Cell",
    "Change",
    "Changes",
    "Choice",
    "Closing",
    "Column",
    "ColumnProposal",
    "ColumnRules",
    "ColumnSum",
    "Completed",
    "Conflict",
    "ConflictError",
    "Contact",
    "ContactInput",
    "ContactList",
    "Contacts",
    "ConversionInput",
    "ConversionMapping",
    "ConversionMappings",
    "ConversionOutcome",
    "ConversionPlan",
    "ConversionProgress",
    "ConversionTarget",
    "ConversionTotals",
    "CorruptError",
    "Cost",
    "Costs",
    "Database",
    "DeniedError",
    "Elsewhere",
    "Email",
    "Engagement",
    "Entry",
    "Estimate",
    "EstimateInput",
    "EstimateUnmet",
    "Estimates",
    "Evidence",
    "ExportInput",
    "Exported",
    "F",
    "Facet",
    "FacetValue",
    "FieldInput",
    "FieldSpec",
    "FieldType",
    "FieldWrite",
    "FieldsOf",
    "FileFormat",
    "FileRecord",
    "Files",
    "Filter",
    "Finding",
    "Follow",
    "Followers",
    "FormSection",
    "FrozenError",
    "GroupValue",
    "HostMade",
    "HostRecord",
    "Hygiene",
    "HygienePlan",
    "Idle",
    "ImportColumn",
    "ImportInput",
    "ImportPlan",
    "ImportPreview",
    "ImportReport",
    "Importing",
    "InternalError",
    "InvalidError",
    "Kept",
    "LastNumber",
    "Lead",
    "LeadAction",
    "LeadConversion",
    "LeadConverted",
    "LeadExport",
    "LeadInput",
    "LeadLines",
    "LeadMarks",
    "LeadMass",
    "LeadMoves",
    "LeadPage",
    "LeadReading",
    "LeadTable",
    "LeadcoreError",
    "Leads",
    "LeadsInput",
    "Line",
    "LineCandidate",
    "LineOutcome",
    "Lines",
    "LinkAdded",
    "ListPage",
    "MappedAccount",
    "MappingFinding",
    "MappingRule",
    "Mappings",
    "MarkNote",
    "MassConversion",
    "MassOutcome",
    "MassTotals",
    "Match",
    "MatchCandidate",
    "MatchRef",
    "Matches",
    "Money",
    "NewOpportunity",
    "NotFoundError",
    "NumberSeries",
    "Numbering",
    "OnConversion",
    "Operations",
    "Opportunities",
    "Opportunity",
    "OpportunityInput",
    "Outbox",
    "OutboxBatch",
    "OutboxEvent",
    "Overview",
    "Page",
    "PageSection",
    "Participants",
    "PersonMatches",
    "Phone",
    "Pipeline",
    "Pipelines",
    "PlanSummary",
    "PlannedAccount",
    "PlannedContact",
    "PlannedEstimate",
    "PlannedLine",
    "PlannedLink",
    "PlannedOpportunity",
    "PlannedService",
    "Progress",
    "PurgeOutcome",
    "PurgePlan",
    "Qualification",
    "ReadInput",
    "RecordKind",
    "RecordOutcome",
    "Records",
    "Rejection",
    "Reminder",
    "Reminders",
    "Replaced",
    "Report",
    "ReportMoney",
    "ReportRow",
    "ReportStage",
    "ReportTable",
    "Reports",
    "ReviewLine",
    "Role",
    "RoleTable",
    "Row",
    "SavedMapping",
    "Section",
    "Series",
    "Service",
    "ServiceInput",
    "Services",
    "Settings",
    "Stage",
    "StageInput",
    "StageRules",
    "StageVisit",
    "Stats",
    "StorageError",
    "SubjectRef",
    "SweptFiles",
    "SystemView",
    "TabPage",
    "TakenBack",
    "Target",
    "TargetField",
    "TaxTotal",
    "Term",
    "Terms",
    "TooCommon",
    "Topic",
    "Totals",
    "Transaction",
    "UnavailableError",
    "UnconvertBlocker",
    "UnconvertOutcome",
    "UnconvertPlan",
    "UndoOutcome",
    "UndoPlan",
    "UndoRecord",
    "UndoTotals",
    "Unmet",
    "UnsupportedError",
    "Valued",
    "View",
    "ViewBoard",
    "ViewEntry",
    "Views",
    "Violation",
    "Wip",
    "WrittenSince",
    "__version__",
]
