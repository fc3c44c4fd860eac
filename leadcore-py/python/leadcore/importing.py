"""Importing files of leads: the calls."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO, Literal
from uuid import UUID

from ._leadcore import Session
from .arguments import check, expected
from .arguments import compiled as _leadcore
from .imports import (
    ImportFile,
    ImportPreview,
    ImportReport,
    LineOutcome,
    Progress,
    options,
    place,
    preview,
    report,
)
from .models import Term

__all__ = ["Importing"]


class Importing:
    """The part of the database that imports files."""

    __slots__ = ()

    @property
    def _session(self) -> Session:
        raise NotImplementedError

    def import_leads(
        self,
        file: ImportFile,
        *,
        mapping: Mapping[str, str | None] | None = None,
        dry_run: bool = False,
        region: str | None = None,
        on_match: Literal["update", "skip"] = "update",
        unknown_terms: Literal["create", "reject"] = "create",
        no_answer: Sequence[str] | None = None,
        decimal_mark: Literal[".", ",", "auto"] = "auto",
        external_system: str | None = None,
        source: Term | UUID | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        quote: str | None = None,
        has_header: bool | None = None,
        skip_lines: int | None = None,
        rejects: str | os.PathLike[str] | BinaryIO | None = None,
        progress: Callable[[Progress], bool | None] | None = None,
        lines: Callable[[list[LineOutcome]], object] | None = None,
        chunk: int = 2_000,
        attempt: int = 1,
    ) -> ImportReport:
        r"""Import a CSV file of leads, in chunks that are each kept as a whole.

        Interrupted (Ctrl-C, a crash, ``progress``), the same call goes on where it stopped; once done, the same file
        changes nothing more.

        Args:
            file: A path, the bytes of a file, or a file opened in binary mode.
            mapping: Which column is which field; proposed from the headers when not said. Begin with the ``mapping``
                of a dry run's report. Columns that are not in it are left out.
            dry_run: Only say what would be done.
            region: Where national phone numbers are dialled from, in rows that name no country.
            on_match: What happens to a row whose lead exists: ``"update"`` it, or ``"skip"`` the row.
            unknown_terms: ``"create"`` sources, stages and the like that do not exist, or ``"reject"`` the row.
            no_answer: Cells that count as empty: ``["select", "n/a", "-"]`` when not said.
            decimal_mark: How amounts are written.
            external_system: The name of the system whose ids the file holds.
            source: The source of leads that have none after their row was read.
            encoding: How the file is encoded (``"latin1"``, ``"utf-8"`` …), when the guess is wrong. A byte order mark
                in the file outranks it.
            delimiter: The character between cells, when the guess is wrong.
            quote: The character around cells: ``"`` when not said.
            has_header: Whether the first record names the columns, when the guess is wrong.
            skip_lines: How many lines to pass over before the first record, when the guess is wrong.
            rejects: Where rows that were not taken are written, with the reason: correct that file and import it.
            progress: Called after each chunk; ``False`` or an exception stops the import there.
            lines: Called after each chunk with what became of its lines, and which leads they met.
            chunk: How many rows are written in one transaction.
            attempt: A higher number imports a file again that was imported before.

        Raises:
            CancelledError: When ``progress`` returned ``False``.

        Example:
            >>> file = b"Company,E-mail,Shoe size\nNordlys AS,post@nordlys.example,43\nBerg AS,berg,41\n"
            >>> plan = db.import_leads(file, dry_run=True)
            >>> plan.mapping
            {'Company': 'company', 'E-mail': 'email', 'Shoe size': None}
            >>> report = db.import_leads(file, mapping=plan.mapping | {"Shoe size": "description"})
            >>> report.created, [(rejection.line, rejection.field) for rejection in report.rejections]
            (1, [(3, 'email')])

        """
        check("dry_run", dry_run, bool, "True or False")
        for name, call in (("progress", progress), ("lines", lines)):
            if call is not None and not callable(call):
                raise expected(name, "something to call", call)
        is_path = isinstance(rejects, (str, os.PathLike))
        if rejects is not None and not is_path and not hasattr(rejects, "write"):
            raise expected("rejects", "a path or a file opened for writing in binary mode", rejects)
        needed = {"on_match": on_match, "unknown_terms": unknown_terms, "decimal_mark": decimal_mark}
        for name, word in needed.items():
            check(name, word, str, "text")
        for name, number in (("chunk", chunk), ("attempt", attempt)):
            check(name, number, int, "a whole number")
        how = options(
            mapping,
            no_answer,
            source,
            region=region,
            on_match=on_match,
            unknown_terms=unknown_terms,
            decimal_mark=decimal_mark,
            external_system=external_system,
            chunk=chunk,
            attempt=attempt,
            encoding=encoding,
            delimiter=delimiter,
            quote=quote,
            has_header=has_header,
            skip_lines=skip_lines,
        )
        path, data, opened = place(file)
        rejects_path, rejects_file = (rejects, None) if is_path else (None, rejects)
        return report(
            *_leadcore.import_leads(
                self._session, path, data, opened, how, dry_run, rejects_path, rejects_file, progress, lines
            )
        )

    def preview_import(
        self,
        file: ImportFile,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
        quote: str | None = None,
        has_header: bool | None = None,
        skip_lines: int | None = None,
    ) -> ImportPreview:
        r"""Say how a file would be read and which column would be which field, from its head and the last such file.

        The arguments are those of :meth:`import_leads`. Show it to a person, and hand what they make of it to the
        import.

        >>> preview = db.preview_import(b"Firma;E-Mail;Shoe size\nNordlys AS;post@nordlys.example;43\n")
        >>> preview.mapping, preview.format.delimiter
        ({'Firma': 'company', 'E-Mail': 'email', 'Shoe size': None}, ';')
        """
        how = options(encoding=encoding, delimiter=delimiter, quote=quote, has_header=has_header, skip_lines=skip_lines)
        return preview(*_leadcore.import_preview(self._session, *place(file), how))

    def import_template(self) -> bytes:
        """Make an empty CSV file to fill in, with a column for every field, in the tenant's order and words.

        >>> db.import_template().decode().split(",")[:3]
        ['Lead type', 'Company', 'Full name']
        """
        return _leadcore.import_template(self._session)
