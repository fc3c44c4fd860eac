"""Leads: create, edit, find, move, delete, convert."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast
from uuid import UUID

from ._leadcore import Lead
from .arguments import check, page_size_of, several
from .arguments import compiled as _leadcore
from .converting import LeadConversion
from .exceptions import InvalidError, Violation
from .exporting import LeadExport
from .fields import LeadInput, StageRef, TermRef, lead_fields
from .filters import Where, encode
from .marks import LeadMarks
from .mass import LeadMass
from .models import Entry, Page, Topic
from .moves import LeadMoves
from .pages import LeadPage, wanted
from .reading import LeadReading

if TYPE_CHECKING:
    from typing import Unpack

    from .database import Database

__all__ = ["LeadAction", "LeadRef", "Leads"]

LeadRef: TypeAlias = Lead | UUID | str
"""A lead: the object, its id, or the text of that. A write with the object is refused when the lead changed since."""

LeadAction: TypeAlias = Literal["view", "edit", "delete", "restore", "convert"]
"""Something that a row of a list of leads offers."""


class Leads(LeadMoves, LeadMass, LeadMarks, LeadReading, LeadExport, LeadConversion):
    """``db.leads``."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.leads``."""
        self._db = db

    def create(
        self,
        *,
        stage: StageRef | None = None,
        reason: TermRef | None = None,
        detail: str | None = None,
        **fields: Unpack[LeadInput],
    ) -> Lead:
        """Create a lead. Without ``stage`` it starts in the first open stage of the default pipeline.

        In a lost stage, ``reason`` (of ``db.lost_reasons``) and ``detail`` say why it was lost, as in :meth:`move`.

        Raises:
            InvalidError: With every broken rule at once.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", phone="22 22 22 22", country="NO")
            >>> lead.number, lead.phone, lead.stage.name
            (1, '22 22 22 22', 'New')

        Fields that the tenant added are arguments by their keys, or in ``custom``:

            >>> _ = db.catalogue.add_field("x_seats", type="integer", label="Seats")
            >>> db.leads.create(company="Fjord AS", x_seats=12).x_seats
            12

        """
        return _leadcore.lead_create(self._db._session, [(lead_fields(fields), stage, reason, detail)])[0]

    def create_many(self, rows: Iterable[Mapping[str, Any]]) -> builtins.list[Lead]:
        """Create several leads in one operation: all or none. Each row holds what :meth:`create` takes.

        >>> [lead.number for lead in db.leads.create_many([{"company": "A"}, {"company": "B", "stage": "Mailed"}])]
        [1, 2]
        """
        drafts = []
        for row in several("rows", rows, "several mappings of field keys to values"):
            check("rows", row, Mapping, "mappings of field keys to values")
            fields = dict(row)
            stage, reason, detail = (fields.pop(key, None) for key in ("stage", "reason", "detail"))
            try:
                drafts.append((lead_fields(fields), stage, reason, detail))
            except InvalidError as error:
                raise (in_row(len(drafts), error) if drafts else error) from None
        return _leadcore.lead_create(self._db._session, drafts)

    def edit(self, lead: LeadRef, /, **changes: Unpack[LeadInput]) -> Lead:
        """Change some fields, and return the lead as it is then. ``None`` empties a field.

        With a lead object, the edit is refused when somebody changed the lead since it was read; with an id it goes
        over whatever is there.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> newer = db.leads.edit(lead, city="Tromsø")
        >>> db.leads.edit(lead, city="Oslo")
        Traceback (most recent call last):
        ...
        leadcore.exceptions.ConflictError: lead changed since it was read: revision 2, expected 1
        """
        return _leadcore.lead_edit(self._db._session, lead, lead_fields(changes))

    def get(self, lead: LeadRef) -> Lead:
        """The lead with this id as it is now, also from the trash.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.leads.get(lead.id) == lead
        True
        """
        return _leadcore.lead_get(self._db._session, lead)

    def by_number(self, number: int | str) -> Lead:
        """The lead with the number that people say: itself, or as ``db.settings.numbering`` writes it.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.leads.by_number(1).company
        'Nordlys AS'
        >>> _ = db.settings.set_numbering(prefix="L-", width=5)
        >>> db.leads.by_number("L-00001") == lead
        True
        """
        return _leadcore.lead_by_number(self._db._session, number)

    def list(
        self, *, where: Where = None, sort: str | None = None, limit: int = 50, after: str | None = None
    ) -> Page[Lead]:
        """A page of leads.

        Args:
            where: Which leads: ``F.city == "Oslo"``, or the same as text or plain data.
            sort: ``company``, ``name``, ``number``, ``amount``, ``expected_close``, ``created_at``, ``updated_at``,
                ``stage_entered_at``, ``active_at``, ``follow_up``, ``score``, ``rank`` or the key of a custom field;
                with a minus the largest first. Last written first when not said.
            limit: How many at most, 1 to 1,000.
            after: The ``next`` of the page before.

        Example:
            >>> _ = db.leads.create_many({"company": name} for name in ("Beta", "Alfa", "Gamma"))
            >>> page = db.leads.list(sort="company", limit=2)
            >>> [lead.company for lead in page]
            ['Alfa', 'Beta']
            >>> [lead.company for lead in db.leads.list(sort="company", limit=2, after=page.next)]
            ['Gamma']

        """
        leads, following = _leadcore.lead_page(self._db._session, encode(where), sort, limit, after, False)
        return Page(tuple(leads), following)

    def iter(self, *, where: Where = None, sort: str | None = None, page_size: int = 500) -> Iterator[Lead]:
        """Every matching lead, any number of them, read in pages as you go.

        >>> _ = db.leads.create_many({"company": f"Company {n}"} for n in range(1200))
        >>> sum(1 for lead in db.leads.iter(sort="number"))
        1200
        """
        return self._pages(encode(where), sort, page_size, False)

    def trash(self, *, where: Where = None, sort: str | None = None, page_size: int = 500) -> Iterator[Lead]:
        """Every matching lead in the trash, likewise.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.leads.delete(lead)
        >>> [lead.company for lead in db.leads.trash()]
        ['Nordlys AS']
        """
        return self._pages(encode(where), sort, page_size, True)

    def _pages(self, where: str | None, sort: str | None, page_size: int, trash: bool) -> Iterator[Lead]:
        size = page_size_of(page_size)
        after: str | None = None
        while True:
            leads, after = _leadcore.lead_page(self._db._session, where, sort, size, after, trash)
            yield from leads
            if after is None:
                return

    def search(self, text: str, *, sort: str | None = None, limit: int = 50, after: str | None = None) -> Page[Lead]:
        """Leads that have every word of ``text`` in their names, e-mails, phone digits or number.

        >>> lead = db.leads.create(company="Nordlys AS", phone="+47 22 22 22 22")
        >>> [lead.company for lead in db.leads.search("nord 2222")]
        ['Nordlys AS']
        """
        check("text", text, str, "the words to look for")
        return self.list(where={"search": text}, sort=sort, limit=limit, after=after)

    def count(self, *, where: Where = None) -> int:
        """How many leads match.

        >>> db.leads.count(where=leadcore.F.email.is_empty())
        0
        """
        return _leadcore.lead_count(self._db._session, encode(where))

    def count_by(self, field: str, *, where: Where = None) -> dict[Any, int]:
        """How many leads match, for each value of a field; sources, stages and the like as their records.

        >>> source = db.sources.add("Fair")
        >>> _ = db.leads.create_many([{"company": "A", "source": source}, {"company": "B"}])
        >>> db.leads.count_by("source")[source]
        1
        """
        return dict(_leadcore.lead_count_by(self._db._session, field, encode(where)))

    def actions(self, lead: LeadRef) -> builtins.list[LeadAction]:
        """What the user can do with this lead now: what the policy grants and the state of the lead leaves open.

        These are the buttons to show; the calls themselves check again.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.leads.actions(lead.id)
        ['view', 'edit', 'delete', 'convert']
        >>> db.leads.delete(lead)
        >>> db.leads.actions(lead)
        ['view', 'restore']
        """
        return cast("builtins.list[LeadAction]", _leadcore.lead_actions(self._db._session, lead))

    def delete(self, lead: LeadRef) -> None:
        """Put a lead into the trash: it leaves every list, search and count. Its history stays.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.leads.delete(lead)
        >>> db.leads.restore(lead).company
        'Nordlys AS'
        """
        _leadcore.lead_delete(self._db._session, lead)

    def restore(self, lead: LeadRef) -> Lead:
        """Take a lead out of the trash.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.leads.delete(lead)
        >>> db.leads.restore(lead.id).deleted_at is None
        True
        """
        return _leadcore.lead_restore(self._db._session, lead)

    def page(
        self,
        lead: LeadRef,
        *,
        first: int = 10,
        timeline: int = 20,
        tabs: Iterable[str] | None = None,
        mark_read: bool = False,
        users: Mapping[str, str] | None = None,
    ) -> LeadPage:
        """The page of a lead: its fields as people read them, its tabs, persons, stages and history, from one call.

        Args:
            lead: Which lead.
            first: How many records of each tab at most, the latest first; 0 only counts them.
            timeline: How many events of the history at most; 0 for none.
            tabs: The tabs whose records are read; all when not said. Others are counted only.
            mark_read: The acting user has read the lead from now on.
            users: What your program calls its users; others are shown by their id.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", city="Oslo")
            >>> _ = db.activities.note(lead, "They called.")
            >>> page = db.leads.page(lead)
            >>> [(tab.tab, tab.total) for tab in page.tabs], page.tab("note")[0].text
            ([('note', 1)], 'They called.')
            >>> page.follow_up_state, page.qualification.stage, len(page.timeline)
            ('none', 'New', 2)

        """
        chosen = wanted(first, timeline, tabs, users)
        page: LeadPage = _leadcore.page_of_lead(self._db._session, lead, chosen, mark_read)
        return page

    def timeline(self, lead: LeadRef, *, topics: Topic | Iterable[Topic] | None = None) -> Iterator[Entry]:
        """Everything that happened to a lead, as :meth:`Database.timeline` tells it.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.activities.note(lead, "They called.", title="Call")
        >>> [entry.text for entry in db.leads.timeline(lead.id, topics="note")]
        ['Note added: Call']
        """
        check("lead", lead, (Lead, UUID, str), "a lead or its id")
        return self._db.timeline(lead, topics=topics)


def in_row(number: int, error: InvalidError) -> InvalidError:
    """The error with the row in the path of each broken rule, as the core says it of all rows but the first."""
    broken = [Violation(f"drafts[{number}].{one.field}", one.code, one.message) for one in error.violations]
    return InvalidError("; ".join(str(one) for one in broken), violations=broken)
