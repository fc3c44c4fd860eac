"""Taking calls back, and removing leads for good."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .arguments import check, expected, several
from .arguments import compiled as _leadcore
from .exceptions import Violation, refused
from .filters import Where, encode
from .imports import ImportReport
from .mass import MassOutcome
from .models import Entry, Subject
from .plan import Plan
from .values import Record

if TYPE_CHECKING:
    from .leads import LeadRef

__all__ = [
    "Blocker",
    "Kept",
    "Operations",
    "PurgeOutcome",
    "PurgePlan",
    "UndoOutcome",
    "UndoPlan",
    "UndoRecord",
    "UndoTotals",
]


@dataclass(frozen=True, slots=True)
class Kept(Record):
    """Something that is not taken back."""

    field: str
    """The key of the field, or ``created``, ``deleted``, ``restored`` for the record itself."""
    why: str
    """``edited`` or ``converted`` since, ``taken`` by another record, ``reversed`` before by an undo of a part,
    ``shared`` with lines of the imported file that were not named (name all lines of the lead),
    ``gone``, ``not_allowed``, ``in_use`` or ``unsupported``; later versions may add reasons."""


@dataclass(frozen=True, slots=True)
class UndoRecord(Record):
    """What becomes of one record."""

    subject: Subject
    """The record: ``("lead", id)``."""
    reversed: tuple[str, ...] = ()
    """What is taken back: keys of fields, ``created``, ``deleted`` or ``restored`` for the record itself, ``contact``
    for a person that was linked or taken off, ``stage`` for stages of a pipeline."""
    kept: tuple[Kept, ...] = ()
    """What stays, and why."""
    failed: str | None = None
    """Why nothing is written at all: ``not_found``, ``forbidden`` or ``invalid``."""
    violations: tuple[Violation, ...] = ()
    """With ``invalid``: the rules that it would break."""
    name: str | None = None
    """What it is called, where it is a term of a vocabulary that stays; of a pipeline the stages that stay."""


@dataclass(frozen=True, slots=True)
class UndoTotals(Record):
    """How many records."""

    reversed: int = 0
    """Taken back wholly."""
    partly: int = 0
    """Taken back in part: some fields were kept."""
    kept: int = 0
    """Left as they are."""
    failed: int = 0
    """Not to be written at all."""


@dataclass(frozen=True, slots=True)
class UndoOutcome(Record):
    """What an undo did, as ``db.undo`` returns it. What was taken back wholly is only counted, in ``totals``.

    >>> lead = db.leads.create(company="Nordlys AS")
    >>> outcome = db.leads.edit_many([lead], city="Oslo", industry="Energy")
    >>> _ = db.leads.edit(lead.id, city="Bergen")
    >>> undone = db.undo(outcome)
    >>> undone.newly_undone, undone.undone == outcome.operation
    (True, True)
    >>> [(record.reversed, record.kept[0].why) for record in undone.remaining]
    [(('industry',), 'edited')]
    """

    operation: UUID
    """The undo itself, which can be undone."""
    undone: UUID = field(repr=False)
    """What was taken back."""
    totals: UndoTotals
    """The sums."""
    remaining: tuple[UndoRecord, ...] = field(repr=False)
    """The records that were not taken back wholly, at most 1,000 of them."""
    forbidden: int = field(repr=False)
    """How many of the failed records the policy refused."""
    freed_key: str | None = field(repr=False)
    """The key that an undone import had: the file can be imported anew."""
    newly_undone: bool
    """Whether this call did it; ``False`` when it was undone before, with this outcome."""


@dataclass(frozen=True, slots=True)
class Blocker(Record):
    """A lead that a purge leaves."""

    lead_id: UUID
    """The lead."""
    number: int
    """Its number."""
    why: str
    """``converted``, ``has_account`` or ``forbidden``; later versions may add reasons."""


@dataclass(frozen=True, slots=True)
class PurgeOutcome(Record):
    """What a purge removed."""

    operation: UUID = field(repr=False)
    """The call; it cannot be undone."""
    leads: int
    """How many leads went."""
    contacts: int
    """How many persons went with them."""
    blocked: int
    """How many leads matched and stayed."""
    accounts: int
    """How many archived accounts went with them."""


class UndoPlan(Plan):
    """What taking back a call would do, record by record: hand it to ``db.undo``."""

    __slots__ = ()

    @property
    def operation(self) -> UUID:
        """The call to be taken back."""
        return UUID(self._data["operation"])

    @property
    def kind(self) -> str:
        """What kind of call it was: ``create``, ``edit``, ``import`` and so on."""
        kind: str = self._data["kind"]
        return kind

    @property
    def records(self) -> tuple[UndoRecord, ...]:
        """Each of its records, that which was written last first."""
        return tuple(_record(record) for record in self._data["records"])

    @property
    def totals(self) -> UndoTotals:
        """The sums."""
        return UndoTotals(**self._data["totals"])

    @property
    def attempts(self) -> int:
        """How often the whole call had been taken back when this was made."""
        return int(self._data.get("attempts", 0))

    def __repr__(self) -> str:
        # Data that is no plan is to be printed too.
        return f"<UndoPlan kind={self._data.get('kind')!r} totals={self._data.get('totals')!r}>"


class PurgePlan(Plan):
    """What a purge would remove: hand it to ``db.purge``."""

    __slots__ = ()

    @property
    def trashed(self) -> int:
        """How many leads go out of the trash."""
        return int(self._data["trashed"])

    @property
    def live(self) -> int:
        """How many live leads go."""
        return int(self._data["live"])

    @property
    def contacts(self) -> int:
        """How many persons go with them."""
        return int(self._data["contacts"])

    @property
    def accounts(self) -> int:
        """How many accounts go with them: those that were archived when a conversion was taken back."""
        return int(self._data.get("accounts", 0))

    @property
    def blocked(self) -> int:
        """How many leads match and stay."""
        return int(self._data["blocked"])

    @property
    def blockers(self) -> tuple[Blocker, ...]:
        """The first 100 of those that stay."""
        told = self._data["blockers"]
        return tuple(Blocker(UUID(one["lead"]), one["number"], one["why"]) for one in told)

    @property
    def sample(self) -> tuple[tuple[UUID, int], ...]:
        """Id and number of the first 20 leads that go."""
        return tuple((UUID(lead), number) for lead, number in self._data["sample"])

    def __repr__(self) -> str:
        told = " ".join(f"{key}={self._data.get(key)!r}" for key in ("trashed", "live", "contacts", "blocked"))
        return f"<PurgePlan {told}>"


def _record(told: dict[str, Any]) -> UndoRecord:
    failed = told.get("failed")
    violations: tuple[Violation, ...] = ()
    if isinstance(failed, dict):
        ((failed, broken),) = failed.items()
        violations = tuple(Violation(one["field"], one["code"], one["message"]) for one in broken)
    return UndoRecord(
        (told["subject"]["kind"], UUID(told["subject"]["id"])),
        tuple(told.get("reversed", ())),
        tuple(Kept(one["field"], one["why"]) for one in told.get("kept", ())),
        failed,
        violations,
        told.get("name"),
    )


def _operation(given: object) -> UUID:
    if not isinstance(given, (UUID, str)) and not hasattr(given, "operation"):
        raise expected("operation", "what a call gave back, an entry of a timeline, or an id", given)
    operation = given if isinstance(given, (UUID, str)) else getattr(given, "operation", None)
    if operation is None:
        raise refused("operation", "malformed", "nothing was written by it, so there is nothing to take back")
    try:
        return operation if isinstance(operation, UUID) else UUID(operation)
    except ValueError:
        raise refused("operation", "malformed", "an id must be a UUID") from None


def _part(leads: Iterable[LeadRef] | None, lines: Iterable[int] | None) -> str | None:
    if leads is not None and lines is not None:
        raise refused("leads", "not_allowed", "say leads or lines, not both")
    if lines is not None:
        numbers = several("lines", lines, "several numbers of lines")
        for line in numbers:
            check("lines", line, int, "several numbers of lines")
        return json.dumps({"lines": numbers})
    if leads is None:
        return None
    chosen = []
    for lead in several("leads", leads, "several leads or ids"):
        identifier = getattr(lead, "id", lead)
        check("leads", identifier, (UUID, str), "several leads or ids")
        try:
            chosen.append(str(identifier if isinstance(identifier, UUID) else UUID(str(identifier))))
        except ValueError:
            raise refused("leads", "malformed", "an id must be a UUID") from None
    return json.dumps({"leads": chosen})


class Operations:
    """The part of the database that takes calls back and removes leads for good."""

    __slots__ = ()

    @property
    def _session(self) -> _leadcore.Session:
        raise NotImplementedError

    def undo_plan(
        self,
        operation: MassOutcome | UndoOutcome | ImportReport | Entry | UUID | str,
        *,
        leads: Iterable[LeadRef] | None = None,
        lines: Iterable[int] | None = None,
    ) -> UndoPlan:
        """What taking a call back would do, record by record. Writes nothing.

        ``leads`` and ``lines`` are as for :meth:`undo`.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> outcome = db.leads.edit_many([lead], city="Oslo", industry="Energy")
        >>> _ = db.leads.edit(lead.id, city="Bergen")
        >>> record = db.undo_plan(outcome).records[0]
        >>> record.reversed, record.kept
        (('industry',), (Kept(field='city', why='edited'),))
        """
        return UndoPlan.from_json(_leadcore.undo_plan(self._session, _operation(operation), _part(leads, lines)))

    def undo(
        self,
        operation: UndoPlan | MassOutcome | UndoOutcome | ImportReport | Entry | UUID | str,
        *,
        leads: Iterable[LeadRef] | None = None,
        lines: Iterable[int] | None = None,
    ) -> UndoOutcome:
        r"""Take a call back, whatever it was: an edit, a change to many leads, an import, an undo.

        Fields that somebody changed since stay as they are, and the outcome says so. Conversions and purges are not
        taken back. A second time tries what stayed; where nothing of that can be taken back, it writes nothing and
        gives the outcome that there was.

        Args:
            operation: The outcome of a change to many leads or of an undo, the report of an import, an entry of a
                timeline, or the id in them; or a plan, which is refused when it would do something else by now.
            leads: Only what it did to these leads.
            lines: Of an import, only the leads that these lines created or changed, as the report counts lines. A lead
                that other lines wrote too stays as it is (``shared``) until all of them are named.

        Example:
            >>> leads = db.leads.create_many({"company": name} for name in "ABC")
            >>> outcome = db.leads.delete_many(leads)
            >>> undone = db.undo(outcome)
            >>> undone.totals.reversed, db.leads.count()
            (3, 3)
            >>> _ = db.undo(undone)
            >>> db.leads.count()
            0

        Of an import, single lines:

            >>> report = db.import_leads(b"Company,E-mail\nA,a@x.example\nB,b@x.example\n")
            >>> db.undo(report, lines=[3]).totals.reversed, db.leads.count()
            (1, 1)

        """
        part = _part(leads, lines)
        if isinstance(operation, UndoPlan):
            if part is not None:
                raise refused("leads", "not_allowed", "a plan of an undo says itself what is taken back")
            text, newly = _leadcore.undo_apply(self._session, operation.to_json())
        else:
            text, newly = _leadcore.undo(self._session, _operation(operation), part)
        told = json.loads(text)
        return UndoOutcome(
            UUID(told["operation"]),
            UUID(told["undone"]),
            UndoTotals(**told["totals"]),
            tuple(_record(record) for record in told["remaining"]),
            told["forbidden"],
            told.get("freed_key"),
            newly,
        )

    def purge_plan(
        self, where: Where = None, *, trash_only: bool = True, older_than_days: int | None = None
    ) -> PurgePlan:
        """What :meth:`purge` would remove. Writes nothing.

        Args:
            where: Which leads; all when ``None``.
            trash_only: Only those in the trash.
            older_than_days: Only those that nobody touched for so many days.

        Example:
            >>> db.leads.delete(db.leads.create(company="Nordlys AS"))
            >>> plan = db.purge_plan()
            >>> plan.trashed, plan.live, plan.blocked
            (1, 0, 0)

        """
        return PurgePlan.from_json(_leadcore.purge_plan(self._session, encode(where), trash_only, older_than_days))

    def purge(self, plan: PurgePlan) -> PurgeOutcome:
        """Remove leads for good. It cannot be taken back. Refused when other leads match by now.

        The journal stays: a purge keeps lists short, it is no erasure of personal data.

        >>> db.leads.delete(db.leads.create(company="Nordlys AS"))
        >>> db.purge(db.purge_plan(leadcore.F.company == "Nordlys AS")).leads
        1
        """
        check("plan", plan, PurgePlan, "a plan of `db.purge_plan`")
        return PurgeOutcome(*_leadcore.purge(self._session, plan.to_json()))
