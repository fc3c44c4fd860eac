"""Sources, categories, labels, locations, partners and reasons: lists of their own."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Literal

from . import _leadcore
from .exceptions import InvalidError, Violation
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
        revision = term.revision if isinstance(term, Term) else None
        return _leadcore.term_rename(self._db._session, self.kind, term, revision, name)

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
            raise InvalidError(message, violations=[Violation("in_use", "not_allowed", message)])
        _leadcore.term_delete(self._db._session, self.kind, term, in_use, reassign)

    def __repr__(self) -> str:
        return f"<Terms {self.kind}>"
