"""leadcore: the lead-management engine that other software embeds.

Never open a leadcore file with another SQLite in the same process, Python's own ``sqlite3`` included: it drops
the locks of this one, and another process's committed rows can vanish. See the package's README.
"""

from leadcore.exceptions import (
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

__all__ = [
    "AlreadyExistsError",
    "CancelledError",
    "Conflict",
    "ConflictError",
    "CorruptError",
    "DeniedError",
    "FrozenError",
    "InternalError",
    "InvalidError",
    "LeadcoreError",
    "NotFoundError",
    "StorageError",
    "UnavailableError",
    "UnsupportedError",
    "Violation",
]
