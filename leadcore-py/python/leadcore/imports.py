"""Importing files of leads: what is said about it."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, Literal, TypeAlias
from uuid import UUID

from .arguments import check, expected, several
from .exceptions import refused
from .models import Term
from .values import Record

__all__ = ["FileFormat", "ImportPreview", "ImportReport", "LineOutcome", "Progress", "Rejection"]

ImportFile: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path, the bytes of a file, or a file opened in binary mode."""


@dataclass(frozen=True, slots=True)
class Progress(Record):
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
class Rejection(Record):
    """A line that was not taken, and why. It does not hold what the line said."""

    line: int
    """The line of the file on which the record begins, from 1, the header included."""
    field: str
    """The field's key; ``line`` when the line as a whole is at fault."""
    code: str
    """The reason as a code."""
    message: str
    """The reason as a sentence."""
    owner: str | None = None
    """Who owns the lead that the line means, where the reason is that this user may not see that lead."""


@dataclass(frozen=True, slots=True)
class LineOutcome(Record):
    """What became of one line."""

    line: int
    """The line of the file on which the record begins, from 1, the header included."""
    outcome: Literal["created", "updated", "skipped", "rejected"]
    """What became of it."""
    lead_id: UUID | None
    """The lead; ``None`` for a rejected or blank line, for a lead that this user may not see, and for one that a dry
    run only imagines."""
    number: int | None
    """Its number; ``None`` where ``lead_id`` is."""
    matched_by: str | None = None
    """What an updated lead was recognised by: ``external``, ``email`` or ``phone``."""
    reason: str | None = None
    """Why: of a skipped line one of the keys of :attr:`ImportReport.skips`, of a rejected one a sentence."""


@dataclass(frozen=True, slots=True)
class FileFormat(Record):
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
class ImportPreview(Record):
    """How a file would be read."""

    mapping: dict[str, str | None]
    """Which column would be which field; ``None`` is left out. Change it and hand it to the import."""
    format: FileFormat
    """How the file is read."""

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class ImportReport(Record):
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
    """The file was imported before in the same way: nothing was written. What was done then is in ``earlier``."""
    unrecognisable: int
    """Leads created from rows without external id, e-mail and phone. Nothing can recognise them: when the file is
    changed and imported again, these rows create their leads once more."""
    unrecognisable_lines: tuple[int, ...] = field(repr=False)
    """The first 100 lines of such rows."""
    skips: dict[str, int] = field(repr=False)
    """How many rows were skipped for each reason: ``blank``, ``unchanged``, ``frozen`` (converted), ``exists``,
    ``imported`` (the file was imported before)."""
    earlier: ImportReport | None = field(repr=False)
    """Of a repeated import, the report of the run that did it."""
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
    done_elsewhere: int = field(repr=False)
    """How many records another run did while this one was under way; they are in the other numbers."""
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


def report(data: str, text: str, earlier: str | None) -> ImportReport:
    """Read what the compiled half says."""
    return _report(json.loads(data), text, earlier)


def _report(given: dict[str, Any], text: str, earlier_text: str | None) -> ImportReport:
    operation = given.pop("operation")
    earlier = given.pop("earlier", None)
    return ImportReport(
        operation=None if operation is None else UUID(operation),
        mapping=_mapping(given.pop("mapping")),
        new_values={key: tuple(names) for key, names in given.pop("new_values").items()},
        rejections=tuple(Rejection(**rejection) for rejection in given.pop("rejections")),
        unrecognisable_lines=tuple(given.pop("unrecognisable_lines")),
        earlier=None if earlier is None else _report(earlier, earlier_text or "", None),
        format=FileFormat(**given.pop("format")),
        text=text,
        **given,
    )


def preview(mapping: str, form: str) -> ImportPreview:
    """Read what the compiled half says."""
    return ImportPreview(_mapping(json.loads(mapping)), FileFormat(**json.loads(form)))


def _mapping(given: Any) -> dict[str, str | None]:
    # With constants it comes as an object.
    columns = given["columns"] if isinstance(given, dict) else given
    return {column["header"]: column["field"] for column in columns}


_TEXT: Final = (str, "text")
_COUNT: Final = (int, "a whole number of 0 or more")

_KINDS: Final[Mapping[str, tuple[type, str]]] = {
    "region": _TEXT,
    "on_match": _TEXT,
    "unknown_terms": _TEXT,
    "decimal_mark": _TEXT,
    "external_system": _TEXT,
    "chunk": _COUNT,
    "attempt": _COUNT,
    "encoding": _TEXT,
    "delimiter": _TEXT,
    "quote": _TEXT,
    "has_header": (bool, "True or False"),
    "skip_lines": _COUNT,
}
"""What plain options are."""


def options(
    mapping: Mapping[str, str | None] | None = None,
    no_answer: Sequence[str] | None = None,
    source: Term | UUID | None = None,
    **given: Any,
) -> str:
    """Write what the compiled half reads."""
    values = {key: value for key, value in given.items() if value is not None}
    for key, value in values.items():
        kind, what = _KINDS[key]
        check(key, value, kind, what)
        # `True` is a number to Python; a number below zero is none of lines or rows.
        if kind is int and (isinstance(value, bool) or not 0 <= value < 2**63):
            raise refused(key, "out_of_range", what)
    if mapping is not None:
        check("mapping", mapping, Mapping, "a mapping of column headers to keys of fields")
        values["mapping"] = [{"header": header, "field": key} for header, key in mapping.items()]
    if no_answer is not None:
        values["no_answer"] = several("no_answer", no_answer, "several texts")
        for one in values["no_answer"]:
            check("no_answer", one, str, "several texts")
    if source is not None:
        check("source", source, (Term, UUID), "a source or its id")
        values["source"] = str(source.id if isinstance(source, Term) else source)
    try:
        return json.dumps(values, allow_nan=False)
    except (TypeError, ValueError):
        message = "an option has a value of a wrong type"
        raise refused("options", "malformed", message) from None


def place(file: Any) -> tuple[str | os.PathLike[str] | None, bytes | None, Any]:
    """Tell a path, bytes and an open file apart."""
    if isinstance(file, (str, os.PathLike)):
        return (file, None, None)
    if isinstance(file, (bytes, bytearray, memoryview)):
        return (None, bytes(file), None)
    if isinstance(file, io.TextIOBase) or not hasattr(file, "read"):
        raise expected("file", "a path, bytes or a file opened in binary mode", file)
    return (None, None, file)
