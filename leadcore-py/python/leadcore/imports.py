"""Importing files of leads: what is said about it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from .mapping import ColumnProposal, mapping_of, noted_of, proposals_of
from .values import Record

__all__ = [
    "FileFormat",
    "ImportPreview",
    "ImportReport",
    "LineOutcome",
    "Progress",
    "Rejection",
    "ReviewLine",
]


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
    review: int
    """Rows so far that were left to a person."""
    rejected: int
    """Rows so far that were not taken."""
    bytes: int
    """Bytes of the file up to the last row that is done."""
    total_bytes: int
    """Bytes of the file."""
    elapsed: float
    """Seconds that this run has taken."""
    rate: int | None
    """Rows a second of this run; ``None`` until the clock has moved."""
    remaining: float | None
    """Seconds that the rest of the file will take at this rate."""


def progress_of(
    counts: tuple[int, int, int, int, int, int], told: tuple[int, int, float, int | None, float | None]
) -> Progress:
    """Read what the compiled half says."""
    return Progress(*counts, *told)


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
class ReviewLine(Record):
    """A line that may mean several leads."""

    line: int
    """The line of the file on which the record begins, from 1, the header included."""
    matched_by: str
    """The field by which the leads were found."""
    candidates: tuple[tuple[UUID, int], ...]
    """Id and number of the leads that it may mean."""


@dataclass(frozen=True, slots=True)
class LineOutcome(Record):
    """What became of one line."""

    line: int
    """The line of the file on which the record begins, from 1, the header included."""
    outcome: Literal["created", "updated", "skipped", "review", "rejected"]
    """What became of it."""
    lead_id: UUID | None
    """The lead; ``None`` for a rejected or blank line, for a lead that this user may not see, and for one that a dry
    run only imagines."""
    number: int | None
    """Its number; ``None`` where ``lead_id`` is."""
    matched_by: str | None = None
    """What an updated lead was recognised by, or the leads of a review found: ``id``, ``number``, ``external``,
    ``email``, ``phone`` or ``custom``."""
    reason: str | None = None
    """Why: of a skipped line one of the keys of :attr:`ImportReport.skips`, of a rejected one a sentence."""
    same_as_line: int | None = None
    """The earlier line of the same file that created the lead or changed it first, where this one means it too."""


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
    kind: str = "csv"
    """What the file is: ``csv``, ``json``, ``vcard``, ``xlsx``, ``xlsb``, ``xls`` or ``ods``."""
    sheet: str | None = None
    """The sheet of a workbook."""
    other_sheets: tuple[str, ...] = ()
    """The sheets of the workbook that are shown and were not read; ``sheet=`` chooses another one."""
    left_out: dict[str, int] = field(default_factory=dict, hash=False)
    """Of address-book cards: what no column holds, by the name of its property (``PHOTO``, ``BDAY`` …), and how many
    cards have it. Of a table: its columns whose values no field takes, and how many rows hold anything there."""
    encoding_doubt: str | None = None
    """The encoding that the letters look like, where nobody said the encoding and they do not look like that one:
    ``macintosh`` (say it by ``encoding=``), ``dos`` (convert the file to UTF-8) or ``macintosh_or_dos``."""


@dataclass(frozen=True)
class ImportPreview(Record):
    """How a file would be read."""

    mapping: dict[str, str | None]
    """Which column would be which field, an :class:`ImportColumn` where its cells need rules; ``None`` is left out.
    Change it and hand it to the import."""
    format: FileFormat
    """How the file is read."""
    columns: tuple[ColumnProposal, ...] = field(repr=False)
    """How sure each column is, why, and what a person should know before."""
    constants: dict[str, str] = field(repr=False)
    """What every row has, by the mapping that was saved for such files or that they were last imported with. Hand it
    on as ``constants`` of the import, or leave it."""
    mapped_as: str | None = field(default=None, repr=False)
    """What the mapping as a whole repeats: ``last_use`` of a file with these headers, a ``saved`` mapping, the import
    that rejected these rows (``rejects``); ``None`` where each column was looked at."""

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class ImportReport(Record):
    """What became of a file. It prints as a table.

    Created, updated, skipped, reviewed and rejected rows add up to ``lines``.
    """

    lines: int
    """Records read: rows of the table, the header not included."""
    created: int
    """Leads created."""
    updated: int
    """Rows that changed a lead."""
    skipped: int
    """Rows that had nothing to change, or whose lead takes no change."""
    review: int
    """Rows that may mean several leads and were left to a person."""
    rejected: int
    """Rows that were not taken."""
    repeated: bool
    """The file was imported before in the same way: nothing was written. What was done then is in ``earlier``."""
    unrecognisable: int
    """Leads created from rows without external id, e-mail and phone. Nothing can recognise them: when the file is
    changed and imported again, these rows create their leads once more."""
    unrecognisable_lines: tuple[int, ...] = field(repr=False)
    """The first 100 lines of such rows."""
    unknown_numbers: int = field(repr=False)
    """Leads created from rows with a number that no lead here has. They got numbers of their own: a file gives none."""
    unknown_number_lines: tuple[int, ...] = field(repr=False)
    """The first 100 lines of such rows."""
    duplicates: int = field(repr=False)
    """Rows that met a lead which an earlier row of the same file had created or changed: the file has these leads more
    than once."""
    duplicate_lines: tuple[int, ...] = field(repr=False)
    """The first 100 lines of such rows."""
    skips: dict[str, int] = field(repr=False)
    """How many rows were skipped for each reason: ``blank``, ``unchanged``, ``frozen`` (converted), ``exists``,
    ``imported`` (the file was imported before), ``missing`` (no lead is meant, and none is created), ``left_out`` (by
    the plan), ``total`` (it stands below the leads and sums them up, or says who made the file), ``header`` (it is the
    header of the file once more), ``stale`` (something else would happen now than was planned)."""
    reviews: tuple[ReviewLine, ...] = field(repr=False)
    """The first 1,000 lines that may mean several leads."""
    stale_lines: tuple[int, ...] = field(repr=False)
    """The first 1,000 lines that the plan was too old for."""
    earlier: ImportReport | None = field(repr=False)
    """Of a repeated import, the report of the run that did it."""
    mapping: dict[str, str | None] = field(repr=False)
    """Which column was which field, an :class:`ImportColumn` where its cells were read by rules; ``None`` was left out.
    Change it and hand it to the next import. Of several columns with one header the second is ``Email (2)``."""
    constants: dict[str, str] = field(repr=False)
    """What every row got, by field: as said, or by the saved mapping that was repeated (``mapped_as``)."""
    not_said: dict[str, str] = field(repr=False)
    """What every row had when a file with these headers was last imported, by field. It is not repeated: who wants it
    again hands it to the import as ``constants``."""
    mapped_as: str | None = field(repr=False)
    """What the mapping repeats, where none was said: ``last_use`` of a file with these headers, a ``saved`` mapping,
    the import that rejected these rows (``rejects``)."""
    read_anew: bool = field(repr=False)
    """The file holds rows that an import rejected, and no longer says how that import read them: columns, dates and
    amounts were judged by these rows alone."""
    notes: dict[str, tuple[dict[str, Any], ...]] = field(repr=False)
    """By column, what its first cells say that a person should know, with counts: the order of dates, the decimal mark,
    that it looks like consent and is left out. The same as ``details`` of a :class:`ColumnProposal`."""
    new_values: dict[str, tuple[str, ...]] = field(repr=False)
    """Names that were added (would be, for a dry run) to a list or the default pipeline, by field."""
    new_stages: dict[str, str] = field(repr=False)
    """What the stages among them mean, by name: ``open``, ``on_hold``, ``won`` or ``lost``, as the rows say how their
    leads ended, else as the name says."""
    rejections: tuple[Rejection, ...] = field(repr=False)
    """The first 1,000 rejections, each with its first reason."""
    rejections_left_out: int = field(repr=False)
    """How many rejections are not listed."""
    left_out: int = field(repr=False)
    """Cells that their fields could not take and that were left out, by ``bad_values="leave_out"`` of their columns."""
    left_out_values: tuple[Rejection, ...] = field(repr=False)
    """The first 1,000 of them, with what was wrong."""
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
    """The operation in the history: ``db.undo`` takes it back. None for a dry run, but for one of a file whose import
    was interrupted: that import."""
    text: str = field(repr=False, compare=False)
    """The report as a table."""

    def __str__(self) -> str:
        return self.text

    __hash__ = None  # type: ignore[assignment]


def report(data: str, text: str, earlier: str | None) -> ImportReport:
    """Read what the compiled half says."""
    return _report(json.loads(data), text, earlier)


def report_of(data: dict[str, Any], text: str) -> ImportReport:
    """Read what a plan says."""
    return _report(json.loads(json.dumps(data)), text, None)


def _report(given: dict[str, Any], text: str, earlier_text: str | None) -> ImportReport:
    operation = given.pop("operation")
    earlier = given.pop("earlier", None)
    given.pop("known_numbers", None)
    given.pop("offered", None)
    given.pop("said", None)
    given.setdefault("unknown_numbers", 0)
    given.setdefault("left_out", 0)
    given.setdefault("duplicates", 0)
    mapped = given.pop("mapping")
    mapping, notes = noted_of(mapped, given.pop("notes", []))
    return ImportReport(
        operation=None if operation is None else UUID(operation),
        mapping=mapping,
        constants=mapping_of(mapped)[1],
        not_said={one["field"]: one["value"] for one in given.pop("not_said", ())},
        mapped_as=_word(given.pop("mapped_as", None)),
        read_anew=given.pop("read_anew", False),
        notes=notes,
        reviews=tuple(_review(one) for one in given.pop("reviews", ())),
        stale_lines=tuple(given.pop("stale_lines", ())),
        new_values={key: tuple(names) for key, names in given.pop("new_values").items()},
        new_stages=given.pop("new_stages", {}),
        rejections=tuple(Rejection(**rejection) for rejection in given.pop("rejections")),
        unrecognisable_lines=tuple(given.pop("unrecognisable_lines")),
        left_out_values=tuple(Rejection(**told) for told in given.pop("left_out_values", ())),
        unknown_number_lines=tuple(given.pop("unknown_number_lines", ())),
        duplicate_lines=tuple(given.pop("duplicate_lines", ())),
        earlier=None if earlier is None else _report(earlier, earlier_text or "", None),
        format=_format_of(given.pop("format")),
        text=text,
        **given,
    )


def _format_of(told: dict[str, Any]) -> FileFormat:
    return FileFormat(other_sheets=tuple(told.pop("other_sheets", ())), **told)


def _review(told: dict[str, Any]) -> ReviewLine:
    candidates = tuple((UUID(lead), number) for lead, number in told["candidates"])
    return ReviewLine(told["line"], told["matched_by"], candidates)


def preview(mapping: str, proposal: str, notes: list[list[str]], form: str) -> ImportPreview:
    """Read what the compiled half says."""
    mapped, constants = mapping_of(json.loads(mapping))
    mapped_as = _word(json.loads(proposal).get("mapped_as"))
    return ImportPreview(mapped, _format_of(json.loads(form)), proposals_of(proposal, notes), constants, mapped_as)


def _word(told: Any) -> str | None:
    """The word of what was done before, without the name of a saved mapping."""
    return told if told is None or isinstance(told, str) else str(next(iter(told)))
