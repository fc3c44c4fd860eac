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
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeAlias
from uuid import UUID

from ._leadcore import Lead, LeadTable
from .arguments import check, expected, named, several
from .arguments import compiled as _leadcore
from .exceptions import refused
from .filters import Where, encode
from .values import Record

if TYPE_CHECKING:
    from .database import Database
    from .views import ViewRef

__all__ = ["Exported", "LeadExport"]

Target: TypeAlias = str | os.PathLike[str] | BinaryIO
"""A path, or a file opened for writing in binary mode."""


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
    """Which column is which field when the file is imported again: hand it to the import as ``mapping``. ``None`` for what
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

    def to_csv(
        self,
        to: Target,
        *,
        where: Where = None,
        view: ViewRef | None = None,
        leads: Iterable[Lead | UUID | str] | None = None,
        columns: Iterable[str] | None = None,
        sort: str | None = None,
        search: str | None = None,
        ids: bool = False,
        headers: Literal["labels", "keys"] | None = None,
        users: Mapping[str, str] | None = None,
        external_system: str | None = None,
        raw_formulas: bool = False,
    ) -> Exported:
        r"""Write leads as CSV: UTF-8, a line for each lead.

        What a spreadsheet could run (``=1+1``) gets a mark in front that an import takes off again.

        Args:
            to: A path, or a file opened for writing in binary mode.
            where: Which leads.
            view: Those of this view, in its order and with its columns; ``where`` narrows it.
            leads: These, in this order.
            columns: Keys of fields.
            sort: Another order, as for :meth:`Leads.list`.
            search: Only leads that have every word of this.
            ids: Sources, stages and the like by their ids instead of their names.
            headers: ``"labels"`` (usual for tables) or ``"keys"`` over the columns.
            users: What you call your users: written instead of their ids.
            external_system: The ids of this system alone, without its name.
            raw_formulas: Leave formulas as they are, for a file that only programs read.

        Example:
            >>> _ = db.leads.create(company="=1+5", email=["a@x.example", "b@x.example"])
            >>> import io
            >>> file = io.BytesIO()
            >>> db.leads.to_csv(file, columns=["company", "email"]).leads
            1
            >>> file.getvalue().decode().splitlines()
            ['Company,E-mail', '\'=1+5,"a@x.example, b@x.example"']

        """
        check("raw_formulas", raw_formulas, bool, "True or False")
        options = _options(search, ids, headers, users, external_system, formulas=raw_formulas)
        return self._write(to, ("csv", *_which(where, view, leads, columns, sort), options))

    def to_xlsx(
        self,
        to: Target,
        *,
        where: Where = None,
        view: ViewRef | None = None,
        leads: Iterable[Lead | UUID | str] | None = None,
        columns: Iterable[str] | None = None,
        sort: str | None = None,
        search: str | None = None,
        ids: bool = False,
        headers: Literal["labels", "keys"] | None = None,
        users: Mapping[str, str] | None = None,
        external_system: str | None = None,
        cut: bool = False,
    ) -> Exported:
        """Write leads as an Excel workbook: typed cells, a frozen header, more sheets where one is full.

        The arguments are those of :meth:`to_csv`. A text that is longer than a cell takes is refused; ``cut`` cuts it.

        >>> _ = db.leads.create(company="Nordlys AS", amount=1000, currency="NOK")
        >>> import io
        >>> file = io.BytesIO()
        >>> db.leads.to_xlsx(file).leads, file.getvalue()[:2]
        (1, b'PK')
        """
        check("cut", cut, bool, "True or False")
        options = _options(search, ids, headers, users, external_system, cut=cut)
        return self._write(to, ("xlsx", *_which(where, view, leads, columns, sort), options))

    def to_jsonl(
        self,
        to: Target,
        *,
        where: Where = None,
        view: ViewRef | None = None,
        leads: Iterable[Lead | UUID | str] | None = None,
        columns: Iterable[str] | None = None,
        sort: str | None = None,
        search: str | None = None,
        ids: bool = False,
        headers: Literal["labels", "keys"] | None = None,
        users: Mapping[str, str] | None = None,
        external_system: str | None = None,
    ) -> Exported:
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
        options = _options(search, ids, headers, users, external_system)
        return self._write(to, ("jsonl", *_which(where, view, leads, columns, sort), options))

    def to_arrow(
        self,
        *,
        where: Where = None,
        view: ViewRef | None = None,
        leads: Iterable[Lead | UUID | str] | None = None,
        columns: Iterable[str] | None = None,
        sort: str | None = None,
        search: str | None = None,
        ids: bool = False,
        users: Mapping[str, str] | None = None,
        external_system: str | None = None,
    ) -> LeadTable:
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
        options = _options(search, ids, None, users, external_system)
        asked = ("jsonl", *_which(where, view, leads, columns, sort), options)
        return _table(self._db._session, asked)

    def _write(self, to: Target, asked: tuple[Any, ...]) -> Exported:
        if isinstance(to, (str, os.PathLike)):
            return _exported(_leadcore.export_leads(self._db._session, to, asked))
        if isinstance(to, io.TextIOBase) or not hasattr(to, "write"):
            raise expected("to", "a path or a file opened for writing in binary mode", to)
        # The file of the caller is written when nothing of the database is locked any more.
        with tempfile.TemporaryDirectory(prefix="leadcore-") as directory:
            path = Path(directory) / "leads"
            told = _exported(_leadcore.export_leads(self._db._session, path, asked))
            with path.open("rb") as written:
                shutil.copyfileobj(written, to, 1 << 20)
        return told


def _table(session: Any, asked: tuple[Any, ...]) -> LeadTable:
    return named(LeadTable)(session, asked)


def _exported(told: tuple[int, int, list[tuple[str, str, bool]], int]) -> Exported:
    leads, passed_over, columns, sheets = told
    mapping = {head: key if filled else None for head, key, filled in columns}
    return Exported(leads, passed_over, {head: key for head, key, _ in columns}, mapping, sheets)


def _which(where: Where, view: Any, leads: Any, columns: Any, sort: Any) -> tuple[Any, ...]:
    chosen = None if leads is None else several("leads", leads, "several leads or ids")
    shown = None if columns is None else several("columns", columns, "several keys of fields")
    view = view if view is None or isinstance(view, str) else getattr(view, "id", view)
    view = str(view) if isinstance(view, UUID) else view
    return (None if where is None else encode(where), view, chosen, shown, sort)


def _options(
    search: str | None,
    ids: bool,
    headers: str | None,
    users: Mapping[str, str] | None,
    external_system: str | None,
    **more: bool,
) -> str:
    check("ids", ids, bool, "True or False")
    given: dict[str, Any] = {"ids": ids, **more}
    for name, text in (("search", search), ("external_system", external_system)):
        check(name, text, (str, type(None)), "text")
        given[name] = text
    check("headers", headers, (str, type(None)), "`labels` or `keys`")
    if headers not in (None, "labels", "keys"):
        raise refused("headers", "unknown", "must be `labels` or `keys`")
    given["headers"] = headers
    if users is not None:
        check("users", users, Mapping, "a mapping of your users to what you call them")
        for user, called in users.items():
            check("users", user, str, "a mapping of your users to what you call them")
            check("users", called, str, "a mapping of your users to what you call them")
        given["users"] = dict(users)
    return json.dumps({key: value for key, value in given.items() if value is not None})
