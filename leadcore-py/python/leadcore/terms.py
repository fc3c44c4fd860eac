"""Sources, categories, labels, locations, partners and reasons: lists of their own."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from .arguments import compiled as _leadcore
from .arguments import several
from .exceptions import refused
from .fields import TermRef
from .models import Term

if TYPE_CHECKING:
    from .database import Database

__all__ = ["Terms"]


class Terms:
    """``db.sources``, ``db.categories`` and the like: one list.

    The others are ``db.labels``, ``db.locations``, ``db.partners``, ``db.lost_reasons`` and ``db.disqualify_reasons``.
    """

    __slots__ = ("_db", "kind")

    kind: str
    """The list: ``source``, ``category``, ``label``, ``location``, ``partner``, ``lost_reason`` or
    ``disqualify_reason``."""

    def __init__(self, db: Database, kind: str) -> None:
        """Use ``db.sources`` and the like."""
        self._db = db
        self.kind = kind

    def list(self) -> builtins.list[Term]:
        """Every term of the list, in its order.

        >>> _ = db.sources.add("Fair")
        >>> [str(source) for source in db.sources.list()]
        ['Fair']
        """
        return _leadcore.term_list(self._db._session, self.kind)

    def add(self, name: str, *, color: str | None = None) -> Term:
        """Add a term at the end of the list. Names differ by more than case and accents.

        >>> db.labels.add("VIP", color="#1a7f37").color
        '#1a7f37'
        """
        return _leadcore.term_add(self._db._session, self.kind, name, color)

    def rename(self, term: TermRef, name: str) -> Term:
        """Rename a term; leads that refer to it keep it. With a term object, refused when it changed since.

        >>> source = db.sources.add("Facebook")
        >>> db.sources.rename(source, "Facebook Ads").name
        'Facebook Ads'
        """
        return _leadcore.term_rename(self._db._session, self.kind, term, _revision(term), name)

    def recolor(self, term: TermRef, color: str | None) -> Term:
        """Give a term another colour, ``#rrggbb``, or none. With a term object, refused when it changed since.

        >>> label = db.labels.add("VIP", color="#1a7f37")
        >>> db.labels.recolor(label, "#cf222e").color
        '#cf222e'
        """
        return _leadcore.term_recolor(self._db._session, self.kind, term, _revision(term), color)

    def archive(self, term: TermRef) -> Term:
        """Stop offering a term: leads that have it keep it, and no other lead gets it.

        >>> _ = db.sources.add("Fair")
        >>> db.sources.archive("Fair").archived
        True
        """
        return _leadcore.term_archive(self._db._session, self.kind, term, _revision(term), True)

    def unarchive(self, term: TermRef) -> Term:
        """Offer a term again.

        >>> source = db.sources.archive(db.sources.add("Fair"))
        >>> db.sources.unarchive(source).archived
        False
        """
        return _leadcore.term_archive(self._db._session, self.kind, term, _revision(term), False)

    def ask_for_detail(self, term: TermRef, needs_detail: bool = True) -> Term:
        """Say whether who chooses this reason must give it in words too. Only reasons can be asked for.

        >>> reason = db.lost_reasons.add("Something else")
        >>> db.lost_reasons.ask_for_detail(reason).needs_detail
        True
        """
        return _leadcore.term_ask_for_detail(self._db._session, self.kind, term, _revision(term), needs_detail)

    def reorder(self, order: Iterable[TermRef]) -> builtins.list[Term]:
        """Put the list into this order. Every term is named once, archived ones too.

        Raises:
            ConflictError: When the list has other terms than those named.

        Example:
            >>> fair, web = db.sources.add("Fair"), db.sources.add("Web")
            >>> [str(source) for source in db.sources.reorder([web, fair])]
            ['Web', 'Fair']

        """
        return _leadcore.term_reorder(self._db._session, self.kind, several("order", order, "every term of the list"))

    def list_or_default(self) -> builtins.list[Term]:
        """Every term of the list; while it has none, the usual ones are added. Only reasons have usual ones.

        >>> [str(reason) for reason in db.lost_reasons.list_or_default()]
        ['Price', 'Competitor', 'No need', 'Other']
        """
        return _leadcore.term_defaults(self._db._session, self.kind)

    def delete(
        self,
        term: TermRef,
        *,
        in_use: Literal["refuse", "clear"] = "refuse",
        reassign: TermRef | None = None,
    ) -> None:
        """Delete a term for good; leads are never deleted with it.

        Args:
            term: Which one.
            in_use: While leads refer to it: ``"refuse"``, or ``"clear"`` their field.
            reassign: Or point those leads to this other term.

        Example:
            >>> old, new = db.sources.add("Old"), db.sources.add("New")
            >>> lead = db.leads.create(company="Nordlys AS", source=old)
            >>> db.sources.delete(old, reassign=new)
            >>> db.leads.get(lead).source.name
            'New'

        """
        if reassign is not None and in_use != "refuse":
            message = "`in_use` and `reassign` exclude each other"
            raise refused("in_use", "not_allowed", message)
        _leadcore.term_delete(self._db._session, self.kind, term, in_use, reassign)

    def __repr__(self) -> str:
        return f"<Terms {self.kind}>"


def _revision(term: TermRef) -> int | None:
    return term.revision if isinstance(term, Term) else None
