"""What an import is told: where the file is, how it is read, and what becomes of its rows."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Literal, Protocol, TypeAlias, TypedDict
from uuid import UUID

from .arguments import check, expected, several
from .arguments import compiled as _leadcore
from .exceptions import refused
from .mapping import MappingInput, SavedMapping, columns_to, constants_to
from .models import Term

__all__ = ["ArrowTable", "ImportFile", "ImportInput", "ReadInput"]


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
    """The character around cells: ``"``, or ``'`` where most cells stand in such."""
    escape: str | None
    """The character that takes the meaning from the one behind it, such as ``\\``: in quotes and outside of them."""
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
    """What every row has, by field, beside the ``mapping`` or the one that is proposed."""
    match_by: Sequence[str] | None
    """What a row's lead is recognised by, the strongest first: ``id``, ``number``, ``external_id``, ``email``,
    ``phone`` or the key of a unique field of your own. ``["external_id", "email", "phone"]`` when not said, and before
    them the number, as long as the rest of its row does not speak against it; with none every row is new."""
    on_match: Literal["update", "skip", "create"]
    """What happens to a row whose lead exists: ``"update"`` it, ``"skip"`` the row, or ``"create"`` another one."""
    on_missing: Literal["create", "skip"]
    """What happens to a row that means no lead yet: ``"create"`` one, or ``"skip"`` the row."""
    on_ambiguous: Literal["reject", "review"]
    """What happens to a row that may mean several leads: it is rejected, or left to a person."""
    clear: str | None
    """The cell that empties its field, such as ``"(clear)"``; an empty cell leaves it alone.
    One that else counts as empty may be it; not one that ``no_answer`` says."""
    region: str | None
    """Where national phone numbers are dialled from, in rows that name no country: its code, such as ``"NO"``. Without
    it such numbers are kept as typed."""
    unknown_terms: Literal["create", "reject"]
    """``"create"`` sources, stages and the like that do not exist, or ``"reject"`` the row."""
    terms: Mapping[str, str | Mapping[str, Any]] | None
    """The same for single fields, and which of their values mean another one: ``{"labels": "reject", "source":
    {"unknown": "reject", "map": {"Messe": "Fair", "unbekannt": None}}}``; ``None`` counts as empty."""
    no_answer: Sequence[str] | None
    r"""Cells that count as empty.

    When not said: ``["select", "n/a", "-", "\N"]``, and words that stand in many cells.
    """
    decimal_mark: Literal[".", ",", "auto"]
    """How amounts are written: ``"auto"`` (by each cell) when not said. A column may have its own."""
    external_system: str | None
    """The name of the system whose ids a column ``external_id`` holds: ``import`` when not said. A lead has one id of
    each system; those of others stay."""
    source: Term | UUID | str | None
    """The source of leads that have none after their row was read: a term, its name or its id, not archived."""
    lost_reason: Term | UUID | str | None
    """Why leads were lost that come into a lost stage and whose rows name no reason: a term, its name or its id. No
    column fills when a lead was closed: that is the time of the import."""
    disqualify_reason: Term | UUID | str | None
    """Why leads were disqualified of which a column says so, and whose rows name no reason: a term, its name or its id.
    Where there is a list of reasons, they come in open without one, which the report tells."""
    chunk: int
    """How many rows are written in one transaction, between which ``progress`` and Ctrl-C act: 2,000 when not said."""
    attempt: int
    """A higher number than 1 imports a file again that was imported before in the same way, as if it were another."""


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
    "escape": _TEXT,
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
            said = constants_to(values.get("constants", {}))
            values["constants"] = {**values["mapping"].constants, **said}
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
    for key in ("source", "lost_reason", "disqualify_reason"):
        if key in values:
            check(key, values[key], (Term, UUID, str), "a term, its name or its id")
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
        if _is_pipe(file):
            with Path(file).open("rb") as piped:
                spool = _spooled(piped)
            return (None, None, spool), given, spool
        return (file, None, None), given, None
    if isinstance(file, (bytes, bytearray, memoryview)):
        return (None, bytes(file), None), given, None
    if type(file).__name__ in _COLUMNS and hasattr(file, "__arrow_c_stream__"):
        what = "a table: this is a single column of one, make a table of it (`series.to_frame()`)"
        raise expected("file", what, file)
    if hasattr(file, "__arrow_c_stream__"):
        file = _without_nulls(file)
        spool = tempfile.SpooledTemporaryFile(_SPOOL)  # noqa: SIM115 - the caller closes it
        try:
            _, left_out, long_floats = _leadcore.arrow_to_csv(file, spool)
            spool.seek(0)
        except BaseException:
            spool.close()
            raise
        ours = {"format": "csv", "encoding": "utf-8", "delimiter": ",", "quote": '"', "header_row": 1}
        ours |= {"left_out": left_out} if left_out else {}
        ours |= {"long_floats": sorted(long_floats)} if long_floats else {}
        said = {key: value for key, value in given.items() if key not in ReadInput.__annotations__}
        return (None, None, spool), said | ours, spool
    if isinstance(file, io.TextIOBase) or not hasattr(file, "read"):
        raise expected("file", "a path, bytes, a file opened in binary mode or a table of Arrow", file)
    if not _can_seek(file):
        spool = _spooled(file)
        return (None, None, spool), given, spool
    return (None, None, file), given, None


def _is_pipe(path: str | os.PathLike[str]) -> bool:
    """Whether a path is that of a named pipe, which is read once."""
    try:
        return Path(path).is_fifo()
    except (OSError, ValueError):
        return False


#: What tables call their columns.
_COLUMNS: Final = frozenset({"Series", "ChunkedArray", "Array"})


def _without_nulls(table: Any) -> Any:
    """A table of polars with its columns of nothing as text: polars hands them over as Arrow does not allow."""
    polars = sys.modules.get("polars")
    if polars is None or not isinstance(table, polars.DataFrame):
        return table
    nothing = [name for name, kind in zip(table.columns, table.dtypes, strict=True) if kind == polars.Null]
    return table.with_columns(polars.col(name).cast(polars.String) for name in nothing) if nothing else table


def _can_seek(file: Any) -> bool:
    """Whether a file object can be read more than once."""
    if not hasattr(file, "seek"):
        return False
    seekable = getattr(file, "seekable", None)
    return bool(seekable()) if callable(seekable) else True


def _spooled(file: Any) -> IO[bytes]:
    """What a pipe, a socket or a stream of the web gives, in a file of ours: an import reads it more than once."""
    spool = tempfile.SpooledTemporaryFile(_SPOOL)  # noqa: SIM115 - the caller closes it
    try:
        while piece := file.read(1 << 18):
            if not isinstance(piece, bytes):
                raise expected("file", "a file opened in binary mode: it gives text", piece)
            spool.write(piece)
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return spool
