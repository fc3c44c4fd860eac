"""How lead numbers are written, and which functions are open for which leads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .arguments import check
from .arguments import compiled as _leadcore
from .filters import Filter, encode
from .values import Record

if TYPE_CHECKING:
    from .database import Database

__all__ = ["Numbering", "Settings"]


@dataclass(frozen=True, slots=True)
class Numbering(Record):
    """How numbers of leads, estimates or opportunities are written."""

    prefix: str = ""
    """What stands before the digits: at most 16 characters, the last of them no digit."""
    width: int = 0
    """The least number of digits, 0 to 18: shorter numbers get zeros in front."""
    start: int = 1
    """The lowest number that one created from then on may have."""
    revision: int | None = field(default=None, repr=False)
    """How often it was written; ``None`` when it never was."""

    def format(self, number: int) -> str:
        """The number as people read it.

        >>> db.settings.set_numbering(prefix="L-", width=5).format(42)
        'L-00042'
        """
        return f"{self.prefix}{number:0{self.width}d}"


class Settings:
    """``db.settings``: how numbers are written, and which functions are open."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.settings``."""
        self._db = db

    def numbering(self) -> Numbering:
        """How lead numbers are written.

        >>> db.settings.numbering()
        Numbering(prefix='', width=0, start=1)
        """
        return Numbering(*_leadcore.numbering_get(self._db._session))

    def set_numbering(
        self, *, prefix: str | None = None, width: int | None = None, start: int | None = None
    ) -> Numbering:
        """Change how lead numbers are written; what is ``None`` stays. A ``start`` can be set ahead, never back.

        Numbers that were given stay as they are, and are written the new way.

        >>> numbering = db.settings.set_numbering(prefix="L-", width=5, start=1000)
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> numbering.format(lead.number)
        'L-01000'
        >>> db.leads.by_number("L-01000") == lead
        True
        """
        with self._db.transaction():
            known = self.numbering()
            prefix = known.prefix if prefix is None else prefix
            width = known.width if width is None else width
            start = known.start if start is None else start
            _leadcore.numbering_set(self._db._session, prefix, width, start, known.revision)
            return self.numbering()

    def estimate_numbering(self) -> Numbering:
        """How estimate numbers are written.

        >>> db.settings.estimate_numbering().format(42)
        'E-00042'
        """
        return Numbering(*_leadcore.estimate_numbering_get(self._db._session))

    def set_estimate_numbering(
        self, *, prefix: str | None = None, width: int | None = None, start: int | None = None
    ) -> Numbering:
        """Change how estimate numbers are written; what is ``None`` stays. A ``start`` can be set ahead, never back.

        >>> db.settings.set_estimate_numbering(prefix="AN-", width=4, start=100).format(100)
        'AN-0100'
        >>> db.estimates.create(db.leads.create(company="Nordlys AS")).number
        100
        """
        with self._db.transaction():
            known = self.estimate_numbering()
            prefix = known.prefix if prefix is None else prefix
            width = known.width if width is None else width
            start = known.start if start is None else start
            _leadcore.estimate_numbering_set(self._db._session, prefix, width, start, known.revision)
            return self.estimate_numbering()

    def opportunity_numbering(self) -> Numbering:
        """How opportunity numbers are written.

        >>> db.settings.opportunity_numbering().format(42)
        'O-00042'
        """
        return Numbering(*_leadcore.opportunity_numbering_get(self._db._session))

    def set_opportunity_numbering(
        self, *, prefix: str | None = None, width: int | None = None, start: int | None = None
    ) -> Numbering:
        """Change how opportunity numbers are written; what is ``None`` stays. A ``start`` can be set ahead, never back.

        >>> db.settings.set_opportunity_numbering(prefix="POT-", width=4, start=100).format(100)
        'POT-0100'
        """
        with self._db.transaction():
            known = self.opportunity_numbering()
            prefix = known.prefix if prefix is None else prefix
            width = known.width if width is None else width
            start = known.start if start is None else start
            _leadcore.opportunity_numbering_set(self._db._session, prefix, width, start, known.revision)
            return self.opportunity_numbering()

    def functions(self) -> dict[str, Filter]:
        """The functions that are not open for every lead, each with the filter under which it is.

        >>> db.settings.functions()
        {}
        """
        return {name: Filter(json.loads(text)) for name, text in _leadcore.functions_get(self._db._session)[0]}

    def set_functions(self, functions: Mapping[str, Filter | Mapping[str, Any]]) -> None:
        """Say for all functions at once for which leads they are open; one that is not named is open for every lead.

        leadcore's own are ``edit``, ``move``, ``delete``, ``restore``, ``convert`` and ``clone``, and it refuses them
        where they are closed. Every other name is yours: ask ``db.leads.functions``. One that is hardly a letter
        away from one of leadcore's own is refused: it would close nothing.

        >>> db.settings.set_functions({"convert": leadcore.F.amount >= 100})
        >>> db.leads.convert(db.leads.create(company="Nordlys AS", amount=50))
        Traceback (most recent call last):
        ...
        leadcore.exceptions.ConflictError: ...
        """
        check("functions", functions, Mapping, "a mapping of names to filters")
        with self._db.transaction():
            revision = _leadcore.functions_get(self._db._session)[1]
            given = [(name, encode(where) or "{}") for name, where in functions.items()]
            _leadcore.functions_set(self._db._session, given, revision)

    def set_function(self, function: str, where: Filter | Mapping[str, Any] | None) -> None:
        """Say for which leads one function is open: those that match, or every lead for ``None``.

        >>> db.settings.set_function("send_offer", leadcore.F.state == "open")
        >>> list(db.settings.functions())
        ['send_offer']
        >>> db.settings.set_function("send_offer", None)
        >>> db.settings.functions()
        {}
        """
        check("function", function, str, "the name of a function")
        with self._db.transaction():
            known: dict[str, Filter | Mapping[str, Any]] = {**self.functions()}
            known.pop(function, None)
            if where is not None:
                known[function] = where
            self.set_functions(known)
