"""Leads as a reader meets them: opened, unread, changed since, counted beside drop-downs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from ._leadcore import Lead
from .arguments import compiled as _leadcore
from .arguments import several
from .filters import Where, encode
from .lists import Changes, Facet, facet

if TYPE_CHECKING:
    from .database import Database
    from .leads import LeadRef

__all__ = ["LeadReading"]


class LeadReading:
    """The part of ``db.leads`` for those who read leads: what is new to them, what changed, what there is to choose."""

    __slots__ = ()

    _db: Database

    def open(self, lead: LeadRef) -> Lead:
        """The lead as it is now; from then on the acting user has read it.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.leads.open(lead).company
        'Nordlys AS'
        >>> db.leads.count(where=leadcore.F.is_unread)
        0
        """
        return _leadcore.lead_open(self._db._session, lead)

    def mark_read(self, leads: LeadRef | Iterable[LeadRef]) -> None:
        """The acting user has read this lead, or these: at most 1,000. Leads that there are not are passed over.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.leads.mark_read(lead)
        >>> db.leads.count(where=leadcore.F.is_unread)
        0
        """
        _leadcore.lead_mark(self._db._session, _several(leads), True)

    def mark_unread(self, leads: LeadRef | Iterable[LeadRef]) -> None:
        """The acting user has not read this lead, or these, whatever was marked before. Likewise.

        >>> lead = db.leads.open(db.leads.create(company="Nordlys AS"))
        >>> db.leads.mark_unread([lead])
        >>> db.leads.count(where=leadcore.F.is_unread)
        1
        """
        _leadcore.lead_mark(self._db._session, _several(leads), False)

    def mark_all_read(self) -> None:
        """The acting user has read every lead that is there now.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.leads.mark_all_read()
        >>> db.leads.count(where=leadcore.F.is_unread)
        0
        """
        _leadcore.lead_mark_all(self._db._session)

    def changes_start(self) -> Changes:
        """The beginning of a copy: the 200 leads written last, and the place from which :meth:`changes` goes on.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> start = db.leads.changes_start()
        >>> [lead.company for lead in start.leads], start.gone
        (['Nordlys AS'], ())
        """
        return _changes(*_leadcore.lead_changes_start(self._db._session))

    def changes(self, after: int | None = None, *, limit: int = 200) -> Changes:
        """What changed behind ``after``, the ``next`` of the page before; from the beginning without one.

        Each lead comes once, as it is now. A page can be short, even empty, and still have ``more`` behind it.

        Args:
            after: Where to go on.
            limit: How many leads at most, 1 to 1,000.

        Example:
            >>> start = db.leads.changes_start()
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> page = db.leads.changes(start.next)
            >>> [lead.company for lead in page.leads], page.more
            (['Nordlys AS'], False)
            >>> db.leads.delete(lead)
            >>> db.leads.changes(page.next).gone == (lead.id,)
            True

        """
        return _changes(*_leadcore.lead_changes(self._db._session, after, limit))

    def facets(self, fields: Iterable[str], *, where: Where = None) -> tuple[Facet, ...]:
        """How many leads have which value of these fields, with names: what stands beside drop-downs.

        >>> _ = db.sources.add("Fair")
        >>> _ = db.leads.create_many([{"company": "A", "source": "Fair"}, {"company": "B"}])
        >>> [(it.name, it.count) for facet in db.leads.facets(["source"]) for it in facet]
        [('', 1), ('Fair', 1)]
        """
        found = _leadcore.lead_facets(
            self._db._session, encode(where), several("fields", fields, "several keys of fields")
        )
        return tuple(facet(one) for one in found)


def _several(leads: LeadRef | Iterable[LeadRef]) -> list[LeadRef]:
    return [leads] if isinstance(leads, (Lead, UUID, str)) else several("leads", leads, "a lead, an id, or several")


def _changes(leads: list[Lead], gone: list[UUID], following: int, more: bool) -> Changes:
    return Changes(tuple(leads), tuple(gone), following, more)
