"""Importing files of leads: what is said about it."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO, Final, Literal, Protocol, TypeAlias, TypedDict
from uuid import UUID

from .arguments import check, expected, several
from .arguments import compiled as _leadcore
from .exceptions import refused
from .mapping import ColumnProposal, MappingInput, SavedMapping, columns_to, constants_to, mapping_of, proposals_of
from .models import Term
from .values import Record

__all__ = [
    "FileFormat",
    "ImportInput",
    "ImportPreview",
    "ImportReport",
    "LineOutcome",
    "Progress",
    "ReadInput",
    "Rejection",
    "ReviewLine",
]


class ArrowTable(Protocol):
    """What speaks the Arrow PyCapsule interface: a table of polars, pyarrow, pandas or DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The stream."""


ImportFile: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | ArrowTable
"""A path, the bytes of a file, a file opened in binary mode, or a table that speaks Arrow."""


class ReadInput(TypedDict, total=False):
    """How a file is read; everything is found out when not said."""

    format: Literal["csv", "json", "vcard", "xlsx", "xlsb", "xls", "ods"] | None
    """What the file is, whatever its name says."""
    sheet: str | int | None
    """The sheet of a workbook: its name, or its place from 0. The first one that holds a table when not said."""
    header_row: int | None
    """The line or row of the header, from 1."""
    encoding: str | None
    """How the file is encoded (``"latin1"``, ``"utf-8"`` …). A byte order mark in the file outranks it."""
    delimiter: str | None
    """The character between cells."""
    quote: str | None
    """The character around cells: ``"`` when not said."""
    has_header: bool | None
    """Whether the first record names the columns."""
    skip_lines: int | None
    """How many lines to pass over before the first record."""


class ImportInput(ReadInput, total=False):
    """How a file becomes leads; everything has a default."""

    mapping: MappingInput | None
    """Which column is which field; proposed from headers, values and earlier imports when not said. Begin with the
    ``mapping`` of a preview or of a dry run's report. Columns that are not in it are left out."""
    constants: Mapping[str, str] | None
    """What every row has, by field; goes with a ``mapping``."""
    match_by: Sequence[str] | None
    """What a row's lead is recognised by, the strongest first: ``id``, ``number``, ``external_id``, ``email``,
    ``phone`` or the key of a unique field of your own. ``["external_id", "email", "phone"]`` when not said; with none
    every row is new."""
    on_match: Literal["update", "skip", "create"]
    """What happens to a row whose lead exists: ``"update"`` it, ``"skip"`` the row, or ``"create"`` another one."""
    on_missing: Literal["create", "skip"]
    """What happens to a row that means no lead yet: ``"create"`` one, or ``"skip"`` the row."""
    on_ambiguous: Literal["reject", "review"]
    """What happens to a row that may mean several leads: it is rejected, or left to a person."""
    clear: str | None
    """The cell that empties its field, such as ``"(clear)"``; an empty cell leaves it alone."""
    region: str | None
    """Where national phone numbers are dialled from, in rows that name no country."""
    unknown_terms: Literal["create", "reject"]
    """``"create"`` sources, stages and the like that do not exist, or ``"reject"`` the row."""
    terms: Mapping[str, str | Mapping[str, Any]] | None
    """The same for single fields, and which of their values mean another one: ``{"labels": "reject", "source":
    {"unknown": "reject", "map": {"Messe": "Fair", "unbekannt": None}}}``; ``None`` counts as empty."""
    no_answer: Sequence[str] | None
    """Cells that count as empty: ``["select", "n/a", "-"]`` when not said."""
    decimal_mark: Literal[".", ",", "auto"]
    """How amounts are written."""
    external_system: str | None
    """The name of the system whose ids the file holds."""
    source: Term | UUID | None
    """The source of leads that have none after their row was read."""
    lost_reason: Term | UUID | None
    """Why leads were lost that come into a lost stage."""
    chunk: int
    """How many rows are written in one transaction."""
    attempt: int
    """A higher number imports a file again that was imported before."""


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
    """Bytes of the file read so far."""
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
    """What every row has, by the mapping that was saved for such files."""

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
    skips: dict[str, int] = field(repr=False)
    """How many rows were skipped for each reason: ``blank``, ``unchanged``, ``frozen`` (converted), ``exists``,
    ``imported`` (the file was imported before), ``missing`` (no lead is meant, and none is created), ``left_out`` (by
    the plan), ``stale`` (something else would happen now than was planned)."""
    reviews: tuple[ReviewLine, ...] = field(repr=False)
    """The first 1,000 lines that may mean several leads."""
    stale_lines: tuple[int, ...] = field(repr=False)
    """The first 1,000 lines that the plan was too old for."""
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


def report_of(data: dict[str, Any], text: str) -> ImportReport:
    """Read what a plan says."""
    return _report(json.loads(json.dumps(data)), text, None)


def _report(given: dict[str, Any], text: str, earlier_text: str | None) -> ImportReport:
    operation = given.pop("operation")
    earlier = given.pop("earlier", None)
    return ImportReport(
        operation=None if operation is None else UUID(operation),
        mapping=mapping_of(given.pop("mapping"))[0],
        reviews=tuple(_review(one) for one in given.pop("reviews", ())),
        stale_lines=tuple(given.pop("stale_lines", ())),
        new_values={key: tuple(names) for key, names in given.pop("new_values").items()},
        rejections=tuple(Rejection(**rejection) for rejection in given.pop("rejections")),
        unrecognisable_lines=tuple(given.pop("unrecognisable_lines")),
        earlier=None if earlier is None else _report(earlier, earlier_text or "", None),
        format=FileFormat(**given.pop("format")),
        text=text,
        **given,
    )


def _review(told: dict[str, Any]) -> ReviewLine:
    candidates = tuple((UUID(lead), number) for lead, number in told["candidates"])
    return ReviewLine(told["line"], told["matched_by"], candidates)


def preview(mapping: str, proposal: str, notes: list[list[str]], form: str) -> ImportPreview:
    """Read what the compiled half says."""
    mapped, constants = mapping_of(json.loads(mapping))
    return ImportPreview(mapped, FileFormat(**json.loads(form)), proposals_of(proposal, notes), constants)


_TEXT: Final = (str, "text")
_COUNT: Final = (int, "a whole number of 0 or more")

_KINDS: Final[Mapping[str, tuple[type | tuple[type, ...], str]]] = {
    "region": _TEXT,
    "on_match": _TEXT,
    "on_missing": _TEXT,
    "on_ambiguous": _TEXT,
    "clear": _TEXT,
    "unknown_terms": _TEXT,
    "decimal_mark": _TEXT,
    "external_system": _TEXT,
    "chunk": _COUNT,
    "attempt": _COUNT,
    "format": _TEXT,
    "sheet": ((str, int), "the name of a sheet, or its place from 0"),
    "header_row": _COUNT,
    "encoding": _TEXT,
    "delimiter": _TEXT,
    "quote": _TEXT,
    "has_header": (bool, "True or False"),
    "skip_lines": _COUNT,
}
"""What plain options are."""

_TERM: Final = "a mapping of fields to `create`, `reject`, or a mapping with `unknown` and `map`"


def options(given: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """Write what the compiled half reads."""
    for key in given:
        if key not in known:
            raise TypeError(f"`{key}`: there is no such argument")
    values = {key: value for key, value in given.items() if value is not None}
    for key, value in values.items():
        if key not in _KINDS:
            continue
        kind, what = _KINDS[key]
        check(key, value, kind, what)
        # `True` is a number to Python; a number below zero is none of lines or rows.
        if isinstance(value, int) and kind is not bool and (isinstance(value, bool) or not 0 <= value < 2**63):
            raise refused(key, "out_of_range", what)
    if "mapping" in values:
        if isinstance(values["mapping"], SavedMapping):
            values.setdefault("constants", values["mapping"].constants)
        values["mapping"] = columns_to(values["mapping"])
    if "constants" in values:
        values["constants"] = constants_to(values["constants"])
    for key in ("no_answer", "match_by"):
        if key in values:
            values[key] = several(key, values[key], "several texts")
            for one in values[key]:
                check(key, one, str, "several texts")
    if "terms" in values:
        values["terms"] = _terms(values["terms"])
    for key in ("source", "lost_reason"):
        if key in values:
            check(key, values[key], (Term, UUID), "a term or its id")
            values[key] = str(values[key].id if isinstance(values[key], Term) else values[key])
    try:
        return json.dumps(values, allow_nan=False)
    except (TypeError, ValueError):
        message = "an option has a value of a wrong type"
        raise refused("options", "malformed", message) from None


def _terms(given: Any) -> dict[str, Any]:
    check("terms", given, Mapping, _TERM)
    rules: dict[str, Any] = {}
    for key, rule in given.items():
        check("terms", key, str, _TERM)
        check("terms", rule, (str, Mapping), _TERM)
        rules[key] = {"unknown": rule} if isinstance(rule, str) else dict(rule)
        if not rules[key].keys() <= {"unknown", "map"} or not isinstance(rules[key].get("map", {}), Mapping):
            raise refused("terms", "malformed", f"must be {_TERM}")
    return rules


#: So much of a table is held in memory, and no more.
_SPOOL: Final = 1 << 24


def opened(file: Any, given: dict[str, Any]) -> tuple[Any, dict[str, Any], IO[bytes] | None]:
    """Tell a path, bytes, an open file and a table apart; a table becomes a file of ours, to be closed."""
    if isinstance(file, (str, os.PathLike)):
        return (file, None, None), given, None
    if isinstance(file, (bytes, bytearray, memoryview)):
        return (None, bytes(file), None), given, None
    if hasattr(file, "__arrow_c_stream__"):
        spool = tempfile.SpooledTemporaryFile(_SPOOL)  # noqa: SIM115 - the caller closes it
        try:
            _leadcore.arrow_to_csv(file, spool)
            spool.seek(0)
        except BaseException:
            spool.close()
            raise
        ours = {"format": "csv", "encoding": "utf-8", "delimiter": ",", "quote": '"', "header_row": 1}
        said = {key: value for key, value in given.items() if key not in ReadInput.__annotations__}
        return (None, None, spool), said | ours, spool
    if isinstance(file, io.TextIOBase) or not hasattr(file, "read"):
        raise expected("file", "a path, bytes, a file opened in binary mode or a table of Arrow", file)
    return (None, None, file), given, None
