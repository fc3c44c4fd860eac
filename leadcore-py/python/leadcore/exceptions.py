"""Every error leadcore raises, under one base class.

Catch :class:`LeadcoreError` for all of them, or one of its subclasses for what you can act on::

    try:
        lead = db.leads.edit(lead, city="Oslo")
    except leadcore.ConflictError:
        lead = db.leads.get(lead.id)  # someone else was faster: read again
    except leadcore.InvalidError as error:
        for violation in error.violations:
            form.mark(violation.field, violation.message)

Messages hold no personal data, so they may be logged. All classes can be pickled and copied.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Required, TypedDict
from uuid import UUID

__all__ = [
    "BY_CODE",
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


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule, at one field."""

    field: str
    """The field's key (``company``, ``email`` …) or a path (``filter.all[2].stage``)."""
    code: str
    """The reason as a code: ``required``, ``malformed``, ``too_long``, ``out_of_range``, ``unknown`` …"""
    message: str
    """The reason as a sentence, without the value."""

    def __str__(self) -> str:
        return f"`{self.field}`: {self.message}"


class AmbiguousRecord(TypedDict):
    """A record that may be the one that is meant."""

    record: str
    """What it is: ``account`` or ``contact``."""
    id: str
    """Its id."""
    score: int
    """How sure it is, 0 to 100."""


class Conflict(TypedDict, total=False):
    """Why a write does not fit the record as it is now. Which keys are there depends on ``reason``."""

    reason: Required[str]
    """``stale_revision``, ``in_use``, ``converted``, ``conversion_required``, ``plan_outdated``, ``blocked``,
    ``closed``, ``series_exhausted``, ``number_taken``, ``ambiguous_match`` or ``key_reused``; later versions may add
    reasons."""
    expected: int
    """With ``stale_revision``: the revision the caller sent."""
    found: int
    """With ``stale_revision``: the revision the store holds."""
    by: int
    """With ``in_use``: how many records refer to this one; with ``blocked``: how much stands against it."""
    lead: str
    """With ``conversion_required``: the id of the lead to convert."""
    revision: int
    """With ``conversion_required``: its revision, to plan the conversion with."""
    function: str
    """With ``closed``: the function that ``db.settings`` closes for this lead."""
    series: str
    """With ``series_exhausted`` and ``number_taken``: what the number series is called."""
    last: int
    """With ``series_exhausted``: the last number of its range."""
    number: str
    """With ``number_taken``: the number that stands against it, as it is written."""
    candidates: list[AmbiguousRecord]
    """With ``ambiguous_match``: the records that the acting user may see, the likeliest first."""
    elsewhere: int
    """With ``ambiguous_match``: how many others there are."""
    differs: list[str]
    """With ``key_reused``: what is another than when the key was first used: ``lead``, ``account``, ``status`` …"""


class LeadcoreError(Exception):
    """Base of every error leadcore raises.

    It is raised itself only for a kind of error that this version of the package does not know by name.
    """

    code: str = "unknown"
    """Stable machine-readable name of the kind of error: ``not_found``, ``conflict`` …"""
    violations: list[Violation]
    """Every broken rule of an :class:`InvalidError`, all at once; empty for other kinds."""
    conflict: Conflict | None
    """Details of a :class:`ConflictError` or :class:`FrozenError`, else ``None``."""
    operation: UUID | None
    """The operation that wrote something before it failed: of an import that was cancelled or broke after its first
    chunk. ``db.undo(error.operation)`` takes it back."""

    def __init__(
        self,
        message: str = "",
        *,
        violations: Iterable[Violation] = (),
        conflict: Conflict | None = None,
        operation: UUID | None = None,
    ) -> None:
        super().__init__(message)
        self.violations = list(violations)
        self.conflict = conflict
        self.operation = operation

    @property
    def is_retryable(self) -> bool:
        """Whether the same call may succeed when simply made again."""
        return self.code == "unavailable"


class NotFoundError(LeadcoreError):
    """The record does not exist, or this actor may not know that it does."""

    code = "not_found"


class AlreadyExistsError(LeadcoreError):
    """A record with the same id or unique value exists."""

    code = "already_exists"


class ConflictError(LeadcoreError):
    """The record changed since it was read, or is in use; see ``conflict``."""

    code = "conflict"


class FrozenError(LeadcoreError):
    """The record was converted and takes no more edits; see ``conflict``."""

    code = "frozen"


class InvalidError(LeadcoreError):
    """Input breaks a rule; ``violations`` lists every broken rule at once."""

    code = "invalid"


def refused(field: str, code: str, message: str) -> InvalidError:
    """The error for input that breaks one rule; its message names the field."""
    broken = Violation(field, code, message)
    return InvalidError(str(broken), violations=[broken])


class DeniedError(LeadcoreError):
    """The policy does not allow this actor to do this."""

    code = "denied"


class UnsupportedError(LeadcoreError):
    """The store or this build cannot do what was asked."""

    code = "unsupported"


class UnavailableError(LeadcoreError):
    """The store cannot be reached or stayed busy; trying again may help."""

    code = "unavailable"


class CancelledError(LeadcoreError):
    """The caller asked to stop; whole chunks written so far stay."""

    code = "cancelled"


class CorruptError(LeadcoreError):
    """Stored data cannot be read as what it should be. Nothing was deleted or rewritten."""

    code = "corrupt"


class StorageError(LeadcoreError):
    """The store failed in another way (disk full, input/output error …)."""

    code = "storage"


class InternalError(LeadcoreError):
    """A bug in leadcore, caught at the border. Please report it."""

    code = "internal"


BY_CODE: Final[dict[str, type[LeadcoreError]]] = {
    kind.code: kind
    for kind in (
        NotFoundError,
        AlreadyExistsError,
        ConflictError,
        FrozenError,
        InvalidError,
        DeniedError,
        UnsupportedError,
        UnavailableError,
        CancelledError,
        CorruptError,
        StorageError,
        InternalError,
    )
}
"""The class of each ``code``. Use ``BY_CODE.get(code, LeadcoreError)`` for a code of a later version."""
