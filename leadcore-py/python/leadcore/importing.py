"""Importing files of leads: the calls."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Literal
from uuid import UUID

from ._leadcore import Session
from .arguments import check, expected, several
from .arguments import compiled as _leadcore
from .exceptions import refused
from .import_input import ImportFile, ImportInput, opened, options
from .imports import ImportPreview, ImportReport, LineOutcome, Progress, preview, report
from .models import Term
from .plans import ImportPlan, PlanSummary, summary_of

if TYPE_CHECKING:
    from typing import Unpack

    from .terms import Terms

__all__ = ["Importing"]

_Tell = Callable[[Progress], object]
_Rejects = str | os.PathLike[str] | BinaryIO


class Importing:
    """The part of the database that imports files."""

    __slots__ = ()

    sources: Terms
    lost_reasons: Terms
    disqualify_reasons: Terms

    @property
    def _session(self) -> Session:
        raise NotImplementedError

    def import_leads(
        self,
        file: ImportFile,
        *,
        dry_run: bool = False,
        rejects: _Rejects | None = None,
        progress: _Tell | None = None,
        lines: Callable[[list[LineOutcome]], object] | None = None,
        **how: Unpack[ImportInput],
    ) -> ImportReport:
        r"""Import leads from a file of any kind or a table, in chunks that are each kept as a whole.

        CSV and its relatives, JSON lines and arrays, Excel and OpenDocument workbooks and vCards are told apart by
        their content. Interrupted (Ctrl-C, a crash, ``progress``), the same call goes on where it stopped; once done,
        the same file changes nothing more.

        Args:
            file: A path, the bytes of a file, a file opened in binary mode, or any table that speaks the Arrow
                PyCapsule interface (polars, pyarrow, pandas, DuckDB …), which is written to a temporary file first.
            dry_run: Only say what would be done; :meth:`plan_import` says it line by line.
            rejects: Where rows that were not taken (of a dry run: would not be) are written, with the reason: correct
                that file and import it. A path is written as a whole when the import is done or breaks; it must not be
                the file that is imported.
            progress: Called after each chunk, also by a dry run; ``False`` or an exception stops the import there.
            lines: Called after each chunk with what became of its lines, and which leads they met.
            **how: How the file is read and what becomes of its rows: see :class:`ImportInput`.

        Raises:
            CancelledError: When ``progress`` returned ``False``, or somebody took the import back meanwhile. Its
                ``operation`` is the import, as far as it came: ``db.undo`` takes it back.

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
        outputs = _outputs(rejects, progress, lines)
        with self._open(file, how) as (place, text):
            return report(*_leadcore.import_leads(self._session, place, text, dry_run, outputs))

    def plan_import(
        self,
        file: ImportFile,
        *,
        earlier: ImportPlan | None = None,
        progress: _Tell | None = None,
        **how: Unpack[ImportInput],
    ) -> ImportPlan:
        r"""Say what an import would do, line by line with the fields that would change. Writes nothing.

        The plan holds an entry for each record of the file; ``import_leads(dry_run=True)`` gives the sums alone.

        Args:
            file: As for :meth:`import_leads`.
            earlier: A plan in which a person changed lines, to be made anew for the same file by what the database
                holds now; then nothing else is said.
            progress: Called now and then.
            **how: As for :meth:`import_leads`.

        Example:
            >>> _ = db.leads.create(company="Nordlys AS", email="post@nordlys.example")
            >>> plan = db.plan_import(b"Company,E-mail,City\nNordlys AS,post@nordlys.example,Oslo\n")
            >>> line = plan.lines[0]
            >>> line.action, line.number, line.changes
            ('update', 1, (('city', None, 'Oslo'),))

        """
        check("earlier", earlier, (ImportPlan, type(None)), "a plan of `db.plan_import`")
        if earlier is not None and how:
            raise refused("earlier", "not_allowed", "an earlier plan says everything about the import itself")
        outputs = _outputs(None, progress, None)
        before = None if earlier is None else earlier.to_json()
        with self._open(file, how) as (place, text):
            told, table = _leadcore.import_plan(self._session, place, text, before, outputs)
        return ImportPlan._of(told, table)

    def plan_import_to(
        self,
        file: ImportFile,
        to: str | os.PathLike[str],
        *,
        progress: _Tell | None = None,
        **how: Unpack[ImportInput],
    ) -> PlanSummary:
        r"""Write a plan to a file, line by line: for files of millions of rows, in memory that does not grow with them.

        The file holds JSON lines: the options first, then a line for each record, then the summary. A line may be
        taken away, which leaves its record out, or be given a ``"choice"`` (``"skip"``, ``"create"``,
        ``{"take": "<id of a lead>"}``) or a ``"set"`` (texts by field, taken instead of the cells). It holds values of
        the imported file, so it is personal data.

        Args:
            file: As for :meth:`import_leads`.
            to: The path of the plan.
            progress: Called now and then.
            **how: As for :meth:`import_leads`.

        Example:
            >>> file = b"Company,E-mail\nNordlys AS,post@nordlys.example\nFjord AS,post@fjord.example\n"
            >>> db.plan_import_to(file, "plan.jsonl").report.created
            2
            >>> db.apply_import_from("plan.jsonl", file).created
            2

        """
        path = _path("to", to)
        outputs = _outputs(None, progress, None)
        with self._open(file, how) as (place, text):
            return summary_of(*_leadcore.import_plan_to(self._session, place, text, path, outputs))

    def apply_import_from(
        self,
        plan: str | os.PathLike[str],
        file: ImportFile,
        *,
        rejects: _Rejects | None = None,
        progress: _Tell | None = None,
        lines: Callable[[list[LineOutcome]], object] | None = None,
    ) -> ImportReport:
        r"""Import the file that a plan in a file was made of, as planned: :meth:`apply_import` beside its lines.

        Args:
            plan: The path that :meth:`plan_import_to` wrote to.
            file: The same file or table.
            rejects: As for :meth:`import_leads`, as are the others.
            progress: Called after each chunk.
            lines: Called after each chunk.

        Example:
            >>> file = b"Company,E-mail\nNordlys AS,post@nordlys.example\n"
            >>> summary = db.plan_import_to(file, "plan.jsonl")
            >>> db.apply_import_from("plan.jsonl", file).created
            1

        """
        path = _path("plan", plan)
        outputs = _outputs(rejects, progress, lines)
        with _open(file, {}) as (place, _):
            return report(*_leadcore.import_apply_from(self._session, path, place, outputs))

    def apply_import(
        self,
        plan: ImportPlan,
        file: ImportFile,
        *,
        rejects: _Rejects | None = None,
        progress: _Tell | None = None,
        lines: Callable[[list[LineOutcome]], object] | None = None,
    ) -> ImportReport:
        r"""Import the file that a plan was made of, as planned.

        A line that would become something else by now, because leads changed since, is left alone, counted under the
        skip ``stale`` and written among the rejected rows.

        Args:
            plan: What :meth:`plan_import` gave.
            file: The same file or table.
            rejects: As for :meth:`import_leads`, as are the others.
            progress: Called after each chunk.
            lines: Called after each chunk.

        Example:
            >>> file = b"Company,E-mail\nNordlys AS,post@nordlys.example\n"
            >>> plan = db.plan_import(file)
            >>> db.apply_import(plan, file).created
            1

        """
        check("plan", plan, ImportPlan, "a plan of `db.plan_import`")
        outputs = _outputs(rejects, progress, lines)
        with _open(file, {}) as (place, _):
            return report(*_leadcore.import_apply(self._session, plan.to_json(), place, outputs))

    def preview_import(self, file: ImportFile, **how: Unpack[ImportInput]) -> ImportPreview:
        r"""Say how a file would be read and which column would be which field, from its head and the last such file.

        Show it to a person, and hand what they make of it to the import. It takes what an import takes, since some of
        it decides what columns are (``external_system``, ``match_by``); a ``mapping`` is not asked.

        >>> preview = db.preview_import(b"Firma;E-Mail;Shoe size\nNordlys AS;post@nordlys.example;43\n")
        >>> preview.mapping, preview.format.delimiter
        ({'Firma': 'company', 'E-Mail': 'email', 'Shoe size': None}, ';')
        >>> preview.columns[0].confidence > 0.5, preview.columns[0].evidence[0]
        (True, 'word')
        """
        with self._open(file, how) as (place, text):
            return preview(*_leadcore.import_preview(self._session, place, text))

    def template(self, *, format: Literal["csv", "xlsx"] = "csv", users: Iterable[str] = ()) -> bytes:  # noqa: A002
        """Make an empty file to fill in, with a column for every field, in the tenant's order and words.

        A workbook has drop-downs for sources, stages and the like, the ``users`` that may be owners, and a sheet that
        says what goes where.

        >>> db.template().decode().split(",")[:3]
        ['Lead type', 'Company', 'Full name']
        >>> db.template(format="xlsx", users=["ada"])[:2]
        b'PK'
        """
        check("format", format, str, "`csv` or `xlsx`")
        if format not in ("csv", "xlsx"):
            raise refused("format", "unknown", "must be `csv` or `xlsx`")
        return _leadcore.import_template(self._session, format == "xlsx", several("users", users, "several users"))

    def import_template(self) -> bytes:
        """The template as CSV: ``db.template()``.

        >>> db.import_template() == db.template()
        True
        """
        return self.template()

    def _open(self, file: Any, how: Mapping[str, Any]) -> AbstractContextManager[tuple[Any, str]]:
        """The file, with the terms that are named instead of their ids."""
        said = dict(how)
        lists = {
            "source": self.sources,
            "lost_reason": self.lost_reasons,
            "disqualify_reason": self.disqualify_reasons,
        }
        for key, terms in lists.items():
            if isinstance(said.get(key), str):
                said[key] = _term(key, terms, said[key])
        return _open(file, said)


def _term(key: str, terms: Terms, named: str) -> Term | UUID:
    try:
        return UUID(named)
    except ValueError:
        pass
    wanted = named.strip().casefold()
    for term in terms.list():
        if term.name.casefold() == wanted:
            return term
    raise refused(key, "unknown", f"there is no term of this name in `db.{key}s`")


def _path(name: str, path: Any) -> Any:
    if not isinstance(path, (str, os.PathLike)):
        raise expected(name, "the path of a plan", path)
    return path


def _outputs(rejects: Any, progress: Any, lines: Any) -> tuple[Any, Any, Any, Any]:
    for name, call in (("progress", progress), ("lines", lines)):
        if call is not None and not callable(call):
            raise expected(name, "something to call", call)
    is_path = isinstance(rejects, (str, os.PathLike))
    if rejects is not None and not is_path and (isinstance(rejects, io.TextIOBase) or not hasattr(rejects, "write")):
        raise expected("rejects", "a path or a file opened for writing in binary mode", rejects)
    return (rejects, None, progress, lines) if is_path else (None, rejects, progress, lines)


@contextmanager
def _open(file: Any, how: Any) -> Iterator[tuple[Any, str]]:
    # What is said wrong is found out before a table is read.
    options(how, ImportInput.__annotations__)
    place, said, spool = opened(file, dict(how))
    try:
        yield place, options(said, {**ImportInput.__annotations__, "left_out": dict, "long_floats": list})
    finally:
        if spool is not None:
            spool.close()
