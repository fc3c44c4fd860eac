"""Importing files of leads: what is said about it."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, TypeAlias
from uuid import UUID

from .exceptions import InvalidError, Violation
from .models import Term, _Record

__all__ = ["FileFormat", "ImportReport", "Progress", "Rejection"]

ImportFile: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path, the bytes of a file, or a file opened in binary mode."""


@dataclass(frozen=True, slots=True)
class Progress(_Record):
    """How far an import is, after a chunk was written."""

    lines: int
    """Records done, those of an earlier run included."""
    created: int
    """Leads created so far."""
    updated: int
    """Rows so far that changed a lead."""
    skipped: int
    """Rows so far that were skipped."""
    rejected: int
    """Rows so far that were not taken."""
    bytes: int
    """Bytes of the file read so far."""
    total_bytes: int
    """Bytes of the file."""


@dataclass(frozen=True, slots=True)
class Rejection(_Record):
    """A line that was not taken, and why. It does not hold what the line said."""

    line: int
    """The line of the file on which the record begins, from 1, the header included."""
    field: str
    """The field's key; ``line`` when the line as a whole is at fault."""
    code: str
    """The reason as a code."""
    message: str
    """The reason as a sentence."""


@dataclass(frozen=True, slots=True)
class FileFormat(_Record):
    """How a file was read."""

    encoding: str
    """The encoding's standard name: ``UTF-8``, ``windows-1252`` …"""
    delimiter: str
    """The character between cells."""
    header_line: int | None
    """The line of the header; ``None`` for a file without one."""
    skipped_lines: int
    """Lines passed over before the table."""


@dataclass(frozen=True)
class ImportReport(_Record):
    """What became of a file. Created, updated, skipped and rejected rows add up to ``lines``. It prints as a table."""

    lines: int
    """Records read: rows of the table, the header not included."""
    created: int
    """Leads created."""
    updated: int
    """Rows that changed a lead."""
    skipped: int
    """Rows that had nothing to change, or whose lead takes no change."""
    rejected: int
    """Rows that were not taken."""
    repeated: bool
    """The file was imported before in the same way: nothing was written."""
    mapping: dict[str, str | None] = field(repr=False)
    """Which column was which field; ``None`` was left out. Change it and hand it to the next import."""
    new_values: dict[str, tuple[str, ...]] = field(repr=False)
    """Names that were added (would be, for a dry run) to a list or the default pipeline, by field."""
    rejections: tuple[Rejection, ...] = field(repr=False)
    """The first 1,000 rejections, each with its first reason."""
    rejections_left_out: int = field(repr=False)
    """How many rejections are not listed."""
    blanked: int = field(repr=False)
    """Cells that count as empty because they say nothing (``Select``, ``n/a`` …)."""
    resumed_after: int = field(repr=False)
    """How many records an earlier, interrupted run had done; they are in the other numbers."""
    format: FileFormat = field(repr=False)
    """How the file was read."""
    digest: str = field(repr=False)
    """SHA-256 of the file."""
    operation: UUID | None = field(repr=False)
    """The operation in the history; none for a dry run."""
    text: str = field(repr=False, compare=False)
    """The report as a table."""

    def __str__(self) -> str:
        return self.text

    __hash__ = None  # type: ignore[assignment]


def report(data: str, text: str) -> ImportReport:
    """Read what the compiled half says."""
    given: dict[str, Any] = json.loads(data)
    operation = given.pop("operation")
    return ImportReport(
        operation=None if operation is None else UUID(operation),
        mapping={column["header"]: column["field"] for column in given.pop("mapping")},
        new_values={key: tuple(names) for key, names in given.pop("new_values").items()},
        rejections=tuple(Rejection(**rejection) for rejection in given.pop("rejections")),
        format=FileFormat(**given.pop("format")),
        text=text,
        **given,
    )


def options(
    mapping: Mapping[str, str | None] | None,
    no_answer: Sequence[str] | None,
    source: Term | UUID | None,
    **given: Any,
) -> str:
    """Write what the compiled half reads."""
    values = {key: value for key, value in given.items() if value is not None}
    if mapping is not None:
        values["mapping"] = [{"header": header, "field": key} for header, key in mapping.items()]
    if no_answer is not None:
        values["no_answer"] = list(no_answer)
    if source is not None:
        values["source"] = str(source.id if isinstance(source, Term) else source)
    try:
        return json.dumps(values, allow_nan=False)
    except (TypeError, ValueError):
        message = "an option has a value of a wrong type"
        raise InvalidError(message, violations=[Violation("options", "malformed", message)]) from None


def place(file: Any) -> tuple[str | os.PathLike[str] | None, bytes | None, Any]:
    """Tell a path, bytes and an open file apart."""
    if isinstance(file, (str, os.PathLike)):
        return (file, None, None)
    if isinstance(file, (bytes, bytearray, memoryview)):
        return (None, bytes(file), None)
    if isinstance(file, io.TextIOBase) or not hasattr(file, "read"):
        raise TypeError("expected a path, bytes or a file opened in binary mode")
    return (None, None, file)
