"""Leads as files and tables."""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeAlias, TypedDict, overload
from uuid import UUID

from ._leadcore import Lead, LeadTable
from .arguments import check, expected, named, several
from .arguments import compiled as _leadcore
from .exceptions import refused
from .filters import Where, encode
from .mapping import mapping_of
from .values import Record

if TYPE_CHECKING:
    from typing import Unpack

    from .database import Database
    from .views import ViewRef

__all__ = ["ExportInput", "Exported", "LeadExport", "LeadsInput"]

Target: TypeAlias = str | os.PathLike[str] | BinaryIO
"""A path, or a file opened for writing in binary mode."""


class LeadsInput(TypedDict, total=False):
    """Which leads are taken out, and what of them."""

    where: Where
    """Which leads."""
    view: ViewRef | None
    """Those of this view, in its order and with its columns; ``where`` narrows it."""
    leads: Iterable[Lead | UUID | str] | None
    """These, in this order."""
    columns: Iterable[str] | None
    """Keys of fields."""
    sort: str | None
    """Another order, as for :meth:`Leads.list`."""
    search: str | None
    """Only leads that have every word of this."""
    ids: bool
    """Sources, stages and the like by their ids instead of their names."""
    users: Mapping[str, str] | None
    """What you call your users: written instead of their ids."""
    external_system: str | None
    """The ids of this system alone, without its name."""


class ExportInput(LeadsInput, total=False):
    """Which leads are written to a file, and what of them."""

    headers: Literal["labels", "keys"] | None
    """``"labels"`` (usual for tables) or ``"keys"`` over the columns."""


@dataclass(frozen=True)
class Exported(Record):
    """What was written."""

    leads: int
    """How many leads."""
    passed_over: int
    """How many that were named are not there, or not for this user to take out."""
    columns: dict[str, str]
    """What stands over each column, and its field; also of columns that no import fills."""
    mapping: dict[str, str | None] = field(repr=False)
    """Which column is which field when the file is imported again: hand it to the import as ``mapping``. Ids in other
    systems come with their systems, as an :class:`ImportColumn`; the number says which lead is meant. ``None`` for what
    no import fills."""
    sheets: int = field(repr=False)
    """How many sheets a workbook has; 1 for other files."""

    __hash__ = None  # type: ignore[assignment]


class LeadExport:
    """The part of ``db.leads`` that takes leads out. It needs the permission ``export``.

    Fields that this user may not see are left out. Without ``columns`` a file has every field that an import fills, or
    those of the ``view``.
    """

    __slots__ = ()

    _db: Database

    @overload
    def to_csv(self, to: None = None, *, raw_formulas: bool = False, **which: Unpack[ExportInput]) -> bytes: ...
    @overload
    def to_csv(self, to: Target, *, raw_formulas: bool = False, **which: Unpack[ExportInput]) -> Exported: ...
    def to_csv(
        self, to: Target | None = None, *, raw_formulas: bool = False, **which: Unpack[ExportInput]
    ) -> Exported | bytes:
        r"""Write leads as CSV: UTF-8, a line for each lead.

        What a spreadsheet could run (``=1+1``) gets a mark in front that an import takes off again.

        Args:
            to: A path, or a file opened for writing in binary mode; without it the file is returned, as bytes.
            raw_formulas: Leave formulas as they are, for a file that only programs read.
            **which: Which leads and columns: see :class:`ExportInput`.

        Example:
            >>> _ = db.leads.create(company="=1+5", email=["a@x.example", "b@x.example"])
            >>> import io
            >>> file = io.BytesIO()
            >>> db.leads.to_csv(file, columns=["company", "email"]).leads
            1
            >>> file.getvalue().decode().splitlines()
            ['Company,E-mail', '"\'=1+5","a@x.example, b@x.example"']
            >>> db.leads.to_csv(columns=["company"]).decode().splitlines()
            ['Company', '"\'=1+5"']

        """
        check("raw_formulas", raw_formulas, bool, "True or False")
        return self._write(to, _asked("csv", which, formulas=raw_formulas))

    @overload
    def to_xlsx(self, to: None = None, *, cut: bool = False, **which: Unpack[ExportInput]) -> bytes: ...
    @overload
    def to_xlsx(self, to: Target, *, cut: bool = False, **which: Unpack[ExportInput]) -> Exported: ...
    def to_xlsx(self, to: Target | None = None, *, cut: bool = False, **which: Unpack[ExportInput]) -> Exported | bytes:
        """Write leads as an Excel workbook: typed cells, a frozen header, more sheets where one is full.

        The arguments are those of :meth:`to_csv`. A text that a cell does not take is refused; ``cut`` cuts it.

        >>> _ = db.leads.create(company="Nordlys AS", amount=1000, currency="NOK")
        >>> import io
        >>> file = io.BytesIO()
        >>> db.leads.to_xlsx(file).leads, file.getvalue()[:2]
        (1, b'PK')
        """
        check("cut", cut, bool, "True or False")
        return self._write(to, _asked("xlsx", which, cut=cut))

    @overload
    def to_jsonl(self, to: None = None, **which: Unpack[ExportInput]) -> bytes: ...
    @overload
    def to_jsonl(self, to: Target, **which: Unpack[ExportInput]) -> Exported: ...
    def to_jsonl(self, to: Target | None = None, **which: Unpack[ExportInput]) -> Exported | bytes:
        r"""Write leads as JSON lines: an object for each lead, with every key (`null` where a lead has nothing).

        The arguments are those of :meth:`to_csv`. The keys of the objects are keys of fields: an import of the file
        needs no mapping.

        >>> _ = db.leads.create(company="Nordlys AS", email=["a@x.example", "b@x.example"])
        >>> import io
        >>> file = io.BytesIO()
        >>> _ = db.leads.to_jsonl(file, columns=["company", "email"])
        >>> file.getvalue()
        b'{"company":"Nordlys AS","email":["a@x.example","b@x.example"]}\n'
        """
        return self._write(to, _asked("jsonl", which))

    def to_arrow(self, **which: Unpack[LeadsInput]) -> LeadTable:
        """Leads as a table of Arrow, for polars, pyarrow, pandas, DuckDB and whatever else speaks it.

        ``polars.DataFrame(table)``, ``pyarrow.table(table)``, ``pandas.DataFrame.from_arrow(table)``. It speaks the
        Arrow PyCapsule interface; none of these packages is needed here. The columns are named by the keys of fields
        and typed: ``utf8``, ``int64``, ``decimal128(38, 6)`` for every exact number, ``date32``, ``timestamp[us,
        UTC]``, ``bool`` and ``list<utf8>`` for e-mails, phones, labels and other lists. Leads are read a page at a
        time, each as it is then, when the table is consumed; it can be consumed again.

        The arguments are those of :meth:`to_csv`.

        >>> _ = db.leads.create(company="Nordlys AS", amount=1000, currency="NOK")
        >>> table = db.leads.to_arrow(columns=["number", "company", "amount"])
        >>> table.columns
        ['number', 'company', 'amount']
        """
        return _table(self._db._session, _asked("jsonl", which, known=LeadsInput))

    def _write(self, to: Any, asked: tuple[Any, ...]) -> Exported | bytes:
        if isinstance(to, (str, os.PathLike)):
            return _exported(_leadcore.export_leads(self._db._session, to, asked))
        if to is not None:
            if isinstance(to, io.TextIOBase) or not hasattr(to, "write"):
                raise expected("to", "a path or a file opened for writing in binary mode", to)
            _leadcore.output_check(self._db._session, "to", to)
        # The file of the caller is written when nothing of the database is locked any more.
        with tempfile.TemporaryDirectory(prefix="leadcore-") as directory:
            path = Path(directory) / "leads"
            told = _exported(_leadcore.export_leads(self._db._session, path, asked))
            if to is None:
                return path.read_bytes()
            with path.open("rb") as written:
                shutil.copyfileobj(written, to, 1 << 20)
        return told


def _table(session: Any, asked: tuple[Any, ...]) -> LeadTable:
    return named(LeadTable)(session, asked)


def _exported(told: tuple[int, int, list[tuple[str, str]], str, int]) -> Exported:
    leads, passed_over, columns, mapping, sheets = told
    names = _leadcore.mapping_names([head for head, _ in columns])
    fields = {name: field for name, (_, field) in zip(names, columns, strict=True)}
    return Exported(leads, passed_over, fields, mapping_of(json.loads(mapping))[0], sheets)


def _asked(format: str, given: Mapping[str, Any], *, known: Any = None, **more: bool) -> tuple[Any, ...]:  # noqa: A002
    """What the compiled half is asked for."""
    for key in given:
        if key not in (known or ExportInput).__annotations__:
            raise TypeError(f"`{key}`: there is no such argument")
    where, view, leads, columns = (given.get(key) for key in ("where", "view", "leads", "columns"))
    chosen = None if leads is None else several("leads", leads, "several leads or ids")
    shown = None if columns is None else several("columns", columns, "several keys of fields")
    view = view if view is None or isinstance(view, str) else getattr(view, "id", view)
    view = str(view) if isinstance(view, UUID) else view
    filter_ = None if where is None else encode(where)
    return (format, filter_, view, chosen, shown, given.get("sort"), _options(given, more))


def _options(given: Mapping[str, Any], more: Mapping[str, bool]) -> str:
    ids, headers, users = given.get("ids", False), given.get("headers"), given.get("users")
    check("ids", ids, bool, "True or False")
    options: dict[str, Any] = {"ids": ids, **more}
    for name in ("search", "external_system"):
        check(name, given.get(name), (str, type(None)), "text")
        options[name] = given.get(name)
    check("headers", headers, (str, type(None)), "`labels` or `keys`")
    if headers not in (None, "labels", "keys"):
        raise refused("headers", "unknown", "must be `labels` or `keys`")
    options["headers"] = headers
    if users is not None:
        check("users", users, Mapping, "a mapping of your users to what you call them")
        for user, called in users.items():
            check("users", user, str, "a mapping of your users to what you call them")
            check("users", called, str, "a mapping of your users to what you call them")
        options["users"] = dict(users)
    return json.dumps({key: value for key, value in options.items() if value is not None})
