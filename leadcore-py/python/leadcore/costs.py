"""What sources and campaigns cost."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import EllipsisType
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from .arguments import check
from .arguments import compiled as _leadcore
from .lines import number_of
from .models import Page
from .opportunities import day_of
from .subjects import text_or_none, time_of, user_of
from .values import Record

if TYPE_CHECKING:
    from .database import Database
    from .fields import TermRef

__all__ = ["Cost", "CostRef", "Costs"]


@dataclass(frozen=True, slots=True)
class Cost(Record):
    """What was spent on a source, on a campaign or on both."""

    id: UUID = field(repr=False)
    """The id."""
    amount: Decimal
    """How much."""
    currency: str
    """The currency, as ISO code."""
    first_day: date
    """The first day that it was spent for."""
    last_day: date
    """The last one; it is spread evenly over the days."""
    source_id: UUID | None
    """The source that it was spent on."""
    campaign: str | None
    """The campaign that it was spent on."""
    note: str | None = field(repr=False)
    """What else there is to say."""
    revision: int = field(repr=False)
    """How often it was written."""
    created_by: str | None = field(repr=False)
    """Who wrote it down; ``None`` for the program itself."""
    created_at: datetime = field(repr=False)
    """When it was written down."""
    updated_at: datetime = field(repr=False)
    """When it was last written."""


CostRef: TypeAlias = Cost | UUID | str


def _cost(told: Mapping[str, Any]) -> Cost:
    fields = told["fields"]
    source = fields["source"]
    return Cost(
        UUID(told["id"]),
        Decimal(str(fields["amount"])),
        fields["currency"],
        date.fromisoformat(fields["first_day"]),
        date.fromisoformat(fields["last_day"]),
        None if source is None else UUID(source),
        fields["campaign"],
        fields["note"],
        told["revision"],
        user_of(told["created_by"]),
        time_of(told["created_at"]),
        time_of(told["updated_at"]),
    )


def _fields(said: Mapping[str, Any]) -> str:
    for name in ("campaign", "note", "currency"):
        text_or_none(name, said[name])
    first, last = day_of("first_day", said["first_day"]), day_of("last_day", said["last_day"])
    amount = f"{number_of('amount', said['amount']):f}"
    days = {"first_day": first, "last_day": first if last is None else last}
    return json.dumps({**{name: said[name] for name in ("campaign", "note", "currency")}, "amount": amount, **days})


def _id(cost: CostRef) -> Any:
    return cost.id if isinstance(cost, Cost) else cost


def _revision(cost: CostRef) -> int | None:
    return cost.revision if isinstance(cost, Cost) else None


class Costs:
    """``db.costs``: what sources and campaigns cost, for :class:`leadcore.Reports`."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.costs``."""
        self._db = db

    def add(
        self,
        amount: Decimal | float | str,
        currency: str,
        first_day: date | str,
        last_day: date | str | None = None,
        *,
        source: TermRef | None = None,
        campaign: str | None = None,
        note: str | None = None,
    ) -> Cost:
        """Write down what was spent, for one day or from the first to the last.

        >>> fair = db.sources.add("Fair")
        >>> cost = db.costs.add("1200.50", "EUR", "2026-03-01", "2026-03-31", source=fair, campaign="Spring")
        >>> cost.amount, cost.campaign
        (Decimal('1200.5'), 'Spring')
        """
        said = {"amount": amount, "currency": currency, "first_day": first_day, "last_day": last_day}
        fields = _fields({**said, "campaign": campaign, "note": note})
        return _cost(json.loads(_leadcore.cost_add(self._db._session, source, fields)))

    def edit(
        self,
        cost: CostRef,
        *,
        amount: Decimal | float | str | None = None,
        currency: str | None = None,
        first_day: date | str | None = None,
        last_day: date | str | None = None,
        source: TermRef | EllipsisType | None = ...,
        campaign: str | EllipsisType | None = ...,
        note: str | EllipsisType | None = ...,
    ) -> Cost:
        """Change a cost; what is not said stays, and ``None`` empties source, campaign and note.

        Raises:
            ConflictError: With a cost object, when it changed since it was read.

        Example:
            >>> cost = db.costs.add(100, "EUR", "2026-03-01", campaign="Spring")
            >>> db.costs.edit(cost, amount="99.90", campaign=None).amount
            Decimal('99.9')

        """
        with self._db.transaction():
            known = self.get(cost)
            said = {"amount": amount, "currency": currency, "first_day": first_day, "last_day": last_day}
            fields = {name: getattr(known, name) if given is None else given for name, given in said.items()}
            fields["campaign"] = known.campaign if isinstance(campaign, EllipsisType) else campaign
            fields["note"] = known.note if isinstance(note, EllipsisType) else note
            of = known.source_id if isinstance(source, EllipsisType) else source
            written = _leadcore.cost_edit(self._db._session, known.id, _revision(cost), of, _fields(fields))
            return _cost(json.loads(written))

    def delete(self, cost: CostRef) -> None:
        """Remove a cost; :meth:`leadcore.Database.undo` brings it back.

        >>> db.costs.delete(db.costs.add(100, "EUR", "2026-03-01"))
        >>> len(db.costs.list())
        0
        """
        _leadcore.cost_delete(self._db._session, _id(cost), _revision(cost))

    def get(self, cost: CostRef) -> Cost:
        """One cost as it is now.

        Raises:
            NotFoundError: When there is none.

        """
        return _cost(json.loads(_leadcore.cost_get(self._db._session, _id(cost))))

    def list(
        self,
        *,
        source: TermRef | None = None,
        since: date | str | None = None,
        until: date | str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Cost]:
        """A page of costs by their first day: of a source, of some days.

        >>> _ = db.costs.add(100, "EUR", "2026-03-01", "2026-03-31")
        >>> [str(cost.amount) for cost in db.costs.list(since="2026-03-31", until="2026-12-31")]
        ['100']
        """
        check("limit", limit, int, "a whole number")
        days = (day_of("since", since), day_of("until", until))
        told, following = _leadcore.cost_page(self._db._session, source, *days, after, limit)
        return Page(tuple(_cost(one) for one in json.loads(told)), following)

    def iter(self, *, source: TermRef | None = None, page_size: int = 500) -> Iterator[Cost]:
        """All costs, page by page.

        >>> _ = db.costs.add(100, "EUR", "2026-03-01")
        >>> sum(cost.amount for cost in db.costs.iter())
        Decimal('100')
        """
        after: str | None = None
        while True:
            page = self.list(source=source, limit=page_size, after=after)
            yield from page
            if page.next is None:
                return
            after = page.next

    def to_dicts(self, *, source: TermRef | None = None) -> builtins.list[dict[str, Any]]:
        """All costs as dictionaries: what ``pandas.DataFrame`` and ``polars.DataFrame`` take as it is.

        >>> _ = db.costs.add(100, "EUR", "2026-03-01")
        >>> db.costs.to_dicts()[0]["currency"]
        'EUR'
        """
        return [cost.to_dict() for cost in self.iter(source=source)]
