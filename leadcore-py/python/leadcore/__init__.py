"""leadcore: the lead-management engine that other software embeds.

>>> with leadcore.open(":memory:", tenant="acme", user="ada") as db:
...     lead = db.leads.create(company="Nordlys AS", city="Oslo")
...     [lead.company for lead in db.leads.iter(where=leadcore.F.city == "oslo")]
['Nordlys AS']

Never open a leadcore file with another SQLite in the same process, Python's own ``sqlite3`` included: it drops
the locks of this one, and another process's committed rows can vanish. See the package's README.
"""

from ._leadcore import Account, Contact, Lead, __version__
from .accounts import Accounts
from .catalogue import Catalogue
from .contacts import Contacts
from .database import (
    Database,
    Stats,
    open,  # noqa: A004 - `leadcore.open` reads as it should
)
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
from .fields import AccountInput, ContactInput, FieldInput, FieldType, LeadInput
from .filters import F, Filter
from .imports import FileFormat, ImportPreview, ImportReport, LineOutcome, Progress, Rejection
from .leads import LeadAction, Leads
from .models import (
    Board,
    Change,
    Choice,
    Closing,
    Column,
    ConversionOutcome,
    ConversionPlan,
    Email,
    Entry,
    FieldSpec,
    FormSection,
    Money,
    Page,
    Phone,
    Pipeline,
    Section,
    Stage,
    Term,
)
from .pipelines import Pipelines, StageInput
from .policy import Role, RoleTable
from .terms import Terms
from .transactions import Transaction

__all__ = [
    "Account",
    "AccountInput",
    "Accounts",
    "AlreadyExistsError",
    "Board",
    "CancelledError",
    "Catalogue",
    "Change",
    "Choice",
    "Closing",
    "Column",
    "Conflict",
    "ConflictError",
    "Contact",
    "ContactInput",
    "Contacts",
    "ConversionOutcome",
    "ConversionPlan",
    "CorruptError",
    "Database",
    "DeniedError",
    "Email",
    "Entry",
    "F",
    "FieldInput",
    "FieldSpec",
    "FieldType",
    "FileFormat",
    "Filter",
    "FormSection",
    "FrozenError",
    "ImportPreview",
    "ImportReport",
    "InternalError",
    "InvalidError",
    "Lead",
    "LeadAction",
    "LeadInput",
    "LeadcoreError",
    "Leads",
    "LineOutcome",
    "Money",
    "NotFoundError",
    "Page",
    "Phone",
    "Pipeline",
    "Pipelines",
    "Progress",
    "Rejection",
    "Role",
    "RoleTable",
    "Section",
    "Stage",
    "StageInput",
    "Stats",
    "StorageError",
    "Term",
    "Terms",
    "Transaction",
    "UnavailableError",
    "UnsupportedError",
    "Violation",
    "__version__",
    "open",
]
