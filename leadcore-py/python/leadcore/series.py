"""Number series: several for each kind of record, each with its prefix and range."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

from .arguments import check
from .arguments import compiled as _leadcore
from .exceptions import refused
from .models import Subject
from .subjects import check_unicode, time_of
from .values import Record

if TYPE_CHECKING:
    from .database import Database

__all__ = ["LastNumber", "NumberSeries", "Series", "SeriesKind", "SeriesRef"]

SeriesKind: TypeAlias = Literal["lead", "account", "opportunity", "estimate"]


@dataclass(frozen=True, slots=True)
class LastNumber(Record):
    """A number that a series gave."""

    text: str
    """The number as people read it."""
    number: int = field(repr=False)
    """The number."""
    year: int | None = field(repr=False)
    """The year, in a series that begins anew in each."""
    record: Subject | None
    """The record that has it; ``None`` where the user may not see it."""
    name: str | None
    """What that is called."""
    at: datetime = field(repr=False)
    """When it was created."""


@dataclass(frozen=True, slots=True)
class NumberSeries(Record):
    """A number series, with the number that comes next."""

    id: UUID = field(repr=False)
    """The id."""
    kind: SeriesKind
    """What it numbers."""
    name: str
    """What it is called."""
    prefix: str
    """What stands before the digits; ``{year}`` in it stands for the year."""
    width: int = field(repr=False)
    """The least number of digits."""
    first: int = field(repr=False)
    """The lowest number."""
    last: int = field(repr=False)
    """The highest number."""
    yearly: bool = field(repr=False)
    """Whether it begins anew in each year."""
    gapless: bool = field(repr=False)
    """Whether no number may be missing."""
    is_default: bool
    """Whether it numbers what names no series."""
    archived: bool = field(repr=False)
    """Whether it gives no numbers any more."""
    revision: int = field(repr=False)
    """How often it was written; 0 for a standard one that never was."""
    next: str | None
    """The number that would come next, as people read it: not reserved. ``None`` when it is used up or archived."""
    left: int = field(repr=False)
    """How many numbers it has left, of this year where it begins anew in each."""
    last_numbers: tuple[LastNumber, ...] = field(repr=False)
    """The last numbers that it gave, the latest first."""


SeriesRef: TypeAlias = NumberSeries | UUID | str


def _last(told: Mapping[str, Any]) -> LastNumber:
    record = told["record"]
    subject: Subject | None = None if record is None else (record["kind"], UUID(record["id"]))
    return LastNumber(told["text"], told["number"], told["year"], subject, told["name"], time_of(told["at"]))


def series_of(told: Mapping[str, Any]) -> NumberSeries:
    series = told["series"]
    fields, following = series["fields"], told["next"]
    return NumberSeries(
        UUID(series["id"]),
        series["kind"],
        fields["name"],
        fields["prefix"],
        fields["width"],
        fields["first"],
        fields["last"],
        fields["yearly"],
        fields["gapless"],
        series["is_default"],
        series["archived"],
        series["revision"],
        None if following is None else following["text"],
        told["left"],
        tuple(_last(last) for last in told["last"]),
    )


def _fields(said: dict[str, Any]) -> str:
    """What is said of a series, as the compiled module reads it: of the right types, in their ranges."""
    for name, kind, what in (
        ("name", str, "text"),
        ("prefix", str, "text"),
        ("yearly", bool, "true or false"),
        ("gapless", bool, "true or false"),
    ):
        check(name, said[name], kind, what)
        check_unicode(name, said[name])
    for name, highest in (("width", 255), ("first", 2**63 - 1), ("last", 2**63 - 1)):
        given = said[name]
        if given is None and name == "last":
            continue
        check(name, given, int, "a whole number")
        if not 0 <= given <= highest:
            raise refused(name, "out_of_range", f"must lie in 0 to {highest:,}")
    return json.dumps({name: given for name, given in said.items() if given is not None})


class Series:
    """``db.series``: the number series of leads, accounts, opportunities and estimates."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.series``."""
        self._db = db

    def list(self, kind: SeriesKind, *, last: int = 5) -> builtins.list[NumberSeries]:
        """The series of a kind, the default first, with what comes next and the ``last`` numbers that each gave.

        >>> _ = db.leads.convert(db.leads.create(company="Nordlys AS"))
        >>> customers = db.series.list("account")[0]
        >>> customers.name, customers.next, [(one.text, one.name) for one in customers.last_numbers]
        ('Customers', '2', [('1', 'Nordlys AS')])
        """
        return [series_of(told) for told in json.loads(_leadcore.series_overview(self._db._session, kind, last))]

    def get(self, series: SeriesRef) -> NumberSeries:
        """One series as it is now.

        Raises:
            NotFoundError: When there is none.

        """
        known = series.id if isinstance(series, NumberSeries) else series
        return self._one(json.loads(_leadcore.series_get(self._db._session, known)))

    def add(
        self,
        kind: SeriesKind,
        name: str,
        *,
        prefix: str = "",
        width: int = 0,
        first: int = 1,
        last: int | None = None,
        yearly: bool = False,
        gapless: bool = False,
    ) -> NumberSeries:
        """Add a series. It must not be able to write a number as another one of its kind does.

        >>> invoices = db.series.add("estimate", "Offers", prefix="OF-{year}-", width=4, yearly=True)
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> offer = db.estimates.create(lead, series=invoices, title="Roof")
        >>> offer.written_number == f"OF-{offer.created_at.year}-0001"
        True
        """
        said: dict[str, Any] = {"name": name, "prefix": prefix, "width": width, "first": first, "last": last}
        said |= {"yearly": yearly, "gapless": gapless}
        return self._one(json.loads(_leadcore.series_add(self._db._session, kind, _fields(said))))

    def edit(
        self,
        series: SeriesRef,
        *,
        name: str | None = None,
        prefix: str | None = None,
        width: int | None = None,
        first: int | None = None,
        last: int | None = None,
        yearly: bool | None = None,
        gapless: bool | None = None,
    ) -> NumberSeries:
        """Change a series; what is ``None`` stays. Numbers that were given stay as they were written.

        A ``first`` beyond the number that comes next is where the series goes on.

        Raises:
            ConflictError: When it could give a number twice, or changed since it was read.

        Example:
            >>> customers = db.series.list("account")[0]
            >>> db.series.edit(customers, prefix="K-", width=5, first=10000).next
            'K-10000'

        """
        said = {"name": name, "prefix": prefix, "width": width, "first": first, "last": last}
        said |= {"yearly": yearly, "gapless": gapless}
        for name, value in said.items():
            check(name, value, (str, int, type(None)), "a value of its kind, or None")
        with self._db.transaction():
            known = self.get(series)
            fields = {key: getattr(known, key) if value is None else value for key, value in said.items()}
            written = _leadcore.series_edit(self._db._session, known.id, _revision(series), _fields(fields))
            return self._one(json.loads(written))

    def archive(self, series: SeriesRef, archived: bool = True) -> NumberSeries:
        """Archive a series, or take it out of the archive. An archived one gives no numbers; records keep theirs."""
        check("archived", archived, bool, "true or false")
        known = self.get(series).id
        return self._one(json.loads(_leadcore.series_archive(self._db._session, known, _revision(series), archived)))

    def set_default(self, series: SeriesRef) -> NumberSeries:
        """Make a series the one that numbers what names no series.

        >>> north = db.series.add("account", "North", prefix="N-")
        >>> db.series.set_default(north).is_default
        True
        >>> account = db.leads.convert(db.leads.create(company="Nordlys AS")).account_id
        >>> db.accounts.get(account).written_number
        'N-1'
        """
        return self._one(json.loads(_leadcore.series_set_default(self._db._session, self.get(series).id)))

    def _one(self, told: Mapping[str, Any]) -> NumberSeries:
        return next(one for one in self.list(told["kind"]) if one.id == UUID(told["id"]))


def _revision(series: SeriesRef) -> int | None:
    return series.revision if isinstance(series, NumberSeries) else None
