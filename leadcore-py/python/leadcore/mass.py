"""One change to many leads at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

from ._leadcore import Lead
from .arguments import compiled as _leadcore
from .arguments import expected as expected_type
from .exceptions import Conflict, InvalidError, Violation
from .fields import LeadInput, StageRef, TermRef, lead_fields
from .filters import Filter, encode
from .values import Record

if TYPE_CHECKING:
    from typing import Unpack

    from .database import Database

__all__ = ["LeadMass", "MassOutcome", "MassTotals", "RecordOutcome", "Selection"]

Selection: TypeAlias = Filter | str | Mapping[str, Any] | Iterable[Lead] | Iterable[UUID] | Iterable[str]
"""Which leads: all that match a filter (also as text), or these. With lead objects, one that changed since it was read
is left as it is and told as a conflict; with ids the change goes over whatever is there."""

_Chosen: TypeAlias = tuple[list[Lead | UUID | str] | None, str | None, int | None]
_Told: TypeAlias = tuple[UUID, str, Any, list[tuple[str, str, str]]]
_Done: TypeAlias = tuple[UUID | None, list[_Told], list[int]]


@dataclass(frozen=True, slots=True)
class RecordOutcome(Record):
    """What became of one lead."""

    lead_id: UUID
    """The lead."""
    code: Literal["done", "unchanged", "conflict", "not_found", "forbidden", "invalid", "unknown"]
    """What became of it: written; as asked already; changed since, converted or closed; not there; not allowed; against
    the rules. ``unknown`` is something that this version does not know by name."""
    conflict: Conflict | None = None
    """With ``conflict``: which."""
    violations: tuple[Violation, ...] = ()
    """With ``invalid``: the rules that it would break."""


@dataclass(frozen=True, slots=True)
class MassTotals(Record):
    """How many leads had which outcome."""

    done: int = 0
    """Written."""
    unchanged: int = 0
    """As asked already."""
    conflict: int = 0
    """Changed since they were read, converted, or in a state in which this is closed."""
    not_found: int = 0
    """Not there."""
    forbidden: int = 0
    """Not allowed."""
    invalid: int = 0
    """Against the rules."""


@dataclass(frozen=True, slots=True)
class MassOutcome(Record):
    """What a change to many leads did."""

    operation: UUID | None
    """The call, for :meth:`Database.undo`; ``None`` when nothing was written."""
    totals: MassTotals
    """The sums."""
    results: tuple[RecordOutcome, ...] = field(repr=False)
    """Each lead once: in the order asked, those of a filter by number."""

    @property
    def refused(self) -> tuple[RecordOutcome, ...]:
        """Those that were neither written nor as asked already."""
        return tuple(result for result in self.results if result.code not in ("done", "unchanged"))


def outcome_of(told: _Done) -> MassOutcome:
    """Read what the compiled half says."""
    operation, records, totals = told
    results = (
        RecordOutcome(lead, code, conflict, tuple(Violation(*broken) for broken in violations))  # type: ignore[arg-type]
        for lead, code, conflict, violations in records
    )
    return MassOutcome(operation, MassTotals(*totals), tuple(results))


def chosen_of(leads: Selection, expected: int | None) -> _Chosen:
    """The leads as the compiled module reads them."""
    if isinstance(leads, str):
        leads = _parsed(leads)
    if isinstance(leads, (Filter, Mapping)):
        return None, encode(leads), expected
    # `None` must never come to mean every lead.
    if not isinstance(leads, Iterable):
        raise expected_type("leads", "a filter (also as text), or several leads or ids", leads)
    return list(leads), None, expected


def _parsed(text: str) -> Filter:
    """A filter as text; what is wrong with it is wrong with the argument."""
    try:
        return Filter.parse(text)
    except InvalidError as error:
        broken = [Violation("leads", one.code, one.message) for one in error.violations]
    raise InvalidError("; ".join(str(one) for one in broken), violations=broken)


class LeadMass:
    """The part of ``db.leads`` that changes many leads at once.

    Each lead is judged by itself, by the rules of the single call: what cannot be done with one is told in its
    :class:`RecordOutcome` and does not stop the others. All is written as one call that ``db.undo`` takes back.

    ``expected`` is how many leads the caller saw: when there are more or fewer now, nothing is done and
    :class:`ConflictError` says so.
    """

    __slots__ = ()

    _db: Database

    def transfer_many(self, leads: Selection, owner: str | None, *, expected: int | None = None) -> MassOutcome:
        """Give leads another owner, or none.

        >>> _ = db.leads.create_many({"company": name, "city": "Oslo"} for name in "ABC")
        >>> outcome = db.leads.transfer_many(leadcore.F.city == "Oslo", "bob", expected=3)
        >>> outcome.totals.done
        3
        >>> db.undo(outcome).totals.reversed
        3
        """
        return outcome_of(_leadcore.mass_transfer(self._db._session, chosen_of(leads, expected), owner))

    def move_many(
        self,
        leads: Selection,
        stage: StageRef,
        *,
        reason: TermRef | None = None,
        detail: str | None = None,
        expected: int | None = None,
    ) -> MassOutcome:
        """Move leads to a stage; one that is named is looked for in the default pipeline first.

        A move that no lead can make, to a stage or for a reason that there is not, is refused as a whole.

        >>> leads = db.leads.create_many({"company": name} for name in "ABC")
        >>> db.leads.move_many(leads, "Mailed").totals.done
        3
        """
        target = (stage, reason, detail, None)
        return outcome_of(_leadcore.mass_move(self._db._session, chosen_of(leads, expected), target))

    def label_many(
        self, leads: Selection, labels: TermRef | Iterable[TermRef], *, expected: int | None = None
    ) -> MassOutcome:
        """Add labels to those that the leads have.

        >>> vip = db.labels.add("VIP")
        >>> leads = db.leads.create_many([{"company": "A"}, {"company": "B", "labels": [vip]}])
        >>> totals = db.leads.label_many(leads, "VIP").totals
        >>> totals.done, totals.unchanged
        (1, 1)
        """
        return outcome_of(_leadcore.mass_label(self._db._session, chosen_of(leads, expected), _several(labels), True))

    def unlabel_many(
        self, leads: Selection, labels: TermRef | Iterable[TermRef], *, expected: int | None = None
    ) -> MassOutcome:
        """Take labels off leads.

        >>> vip = db.labels.add("VIP")
        >>> lead = db.leads.create(company="A", labels=[vip])
        >>> db.leads.unlabel_many(leadcore.F.labels == "VIP", vip).totals.done
        1
        """
        return outcome_of(_leadcore.mass_label(self._db._session, chosen_of(leads, expected), _several(labels), False))

    def edit_many(self, leads: Selection, *, expected: int | None = None, **changes: Unpack[LeadInput]) -> MassOutcome:
        """Change some fields of leads. ``None`` empties a field.

        >>> leads = db.leads.create_many({"company": name} for name in "ABC")
        >>> outcome = db.leads.edit_many([lead.id for lead in leads], city="Tromsø", country="NO")
        >>> outcome.totals.done, db.leads.count(where=leadcore.F.city == "Tromsø")
        (3, 3)
        """
        return outcome_of(_leadcore.mass_edit(self._db._session, chosen_of(leads, expected), lead_fields(changes)))

    def delete_many(self, leads: Selection, *, expected: int | None = None) -> MassOutcome:
        """Put leads into the trash.

        >>> leads = db.leads.create_many({"company": name} for name in "ABC")
        >>> db.leads.delete_many(leads).totals.done, db.leads.count()
        (3, 0)
        """
        return outcome_of(_leadcore.mass_trash(self._db._session, chosen_of(leads, expected), False))

    def restore_many(self, leads: Selection, *, expected: int | None = None) -> MassOutcome:
        """Take leads out of the trash; a filter looks there.

        >>> leads = db.leads.create_many({"company": name, "city": "Oslo"} for name in "ABC")
        >>> _ = db.leads.delete_many(leads)
        >>> db.leads.restore_many(leadcore.F.city == "Oslo").totals.done
        3
        """
        return outcome_of(_leadcore.mass_trash(self._db._session, chosen_of(leads, expected), True))


def _several(labels: TermRef | Iterable[TermRef]) -> list[TermRef]:
    return list(labels) if isinstance(labels, (list, tuple, set, frozenset)) else [labels]  # type: ignore[list-item]
