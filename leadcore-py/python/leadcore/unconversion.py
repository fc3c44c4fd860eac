"""Taking a conversion back: what it would do, what stands against it, what it did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from .arguments import compiled as _leadcore
from .conversion_outcome import HostMade
from .html import facts, grid, part
from .models import Subject
from .moves import Unmet, unmet_of
from .plan import Plan
from .subjects import time_of, user_of
from .values import Record

__all__ = ["TakenBack", "UnconvertBlocker", "UnconvertOutcome", "UnconvertPlan", "WrittenSince"]

Fate: TypeAlias = Literal["archived", "removed", "closed", "restored", "unlinked"]
"""What becomes of a record: a new account leaves every list and keeps its number; a new person, opportunity or service
goes; a new opportunity of a series without gaps is lost from then on and keeps its number; what was there gets back
what it had; or it only loses its link to the lead."""


@dataclass(frozen=True, slots=True)
class TakenBack(Record):
    """A record that the conversion made, filled or linked."""

    subject: Subject
    """The record: ``("account", id)``."""
    fate: Fate
    """What becomes of it: ``archived``, ``removed``, ``closed``, ``restored`` or ``unlinked``."""
    fields: tuple[str, ...] = ()
    """With ``restored``: the fields that get back what they had."""
    edited: tuple[str, ...] = ()
    """The fields of a new record that were edited since: that goes with it."""
    kept: tuple[str, ...] = ()
    """Fields that keep what the conversion wrote, because what was there before may not be written any more: its term
    or choice was removed, another record has it, a limit refuses it. And what the acting user edited since:

    The fields of a record that was there before, which the conversion filled and the acting user edited since: they
    keep what they have now, with the fields that mean something only together with them. ``opportunity`` where the
    acting user ended one that the lead had joined, or deleted it: it stays as it is."""
    moved: dict[str, int] = field(default_factory=dict)
    """What the acting user alone hung on a new record since, counted by kind (``note``, ``contact``): it hangs on the
    lead from then on, or stays with what else it is about. So are meetings of other records in which the lead takes
    part from then on instead of a new person. What was sold is none of it: it stands against the way back."""

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class WrittenSince(Record):
    """A call that wrote, since the conversion, a record that something stands against, or what hangs on it."""

    user: str | None
    """Who, ``None`` for the program itself."""
    kind: str
    """What kind of call it was: ``edit``, ``convert`` and so on."""
    at: datetime
    """When."""
    operation: UUID = field(repr=False)
    """The call: what ``db.undo`` takes back."""


@dataclass(frozen=True, slots=True)
class UnconvertBlocker(Record):
    """Something that stands against it. Which of the optional attributes are set depends on ``blocker``."""

    blocker: str
    """``changed`` (somebody else changed a new record), ``edited`` (somebody else changed fields that the conversion
    filled), ``has_children`` (what somebody else hung on a new record, or anybody sold with it), ``other_leads``
    (became the new account too, or were converted into the record since: their conversions are taken back first),
    ``in_use`` (others have a new person too, or a new record in a custom field), ``gone``,
    ``stage`` (the lead cannot come back into its stage),
    ``moved_on`` (somebody else won, lost or opened a new opportunity, or changed the state of a new service),
    ``target`` (a target of your program made something: hand it over as one of ``targets``); later versions may add
    more."""
    subject: Subject | None = None
    """The record."""
    by: tuple[str | None, ...] = field(default=(), repr=False)
    """Who, each once, ``None`` for the program itself: with ``changed`` and ``gone`` those who stand against it or took
    the record away, otherwise everybody of ``since``, also you. Empty where the journal does not tell."""
    fields: tuple[str, ...] = field(default=(), repr=False)
    """With ``edited``: which."""
    tabs: dict[str, int] = field(default_factory=dict, repr=False)
    """With ``has_children``: how many hang on it, by kind."""
    leads: tuple[UUID, ...] = field(default=(), repr=False)
    """With ``other_leads`` and ``in_use``: those that the acting user may see."""
    unseen: int = field(default=0, repr=False)
    """With ``other_leads``: how many there are besides."""
    count: int | None = field(default=None, repr=False)
    """With ``in_use``: how many records."""
    unmet: tuple[Unmet, ...] = field(default=(), repr=False)
    """With ``stage``: why."""
    state: str | None = field(default=None, repr=False)
    """With ``moved_on``: the state now."""
    target: str | None = field(default=None, repr=False)
    """With ``target``: its name."""
    since: tuple[WrittenSince, ...] = field(default=(), repr=False)
    """Who wrote the record, or what hangs on it, since: the latest call first, at most 20. One that was taken back
    again stands against nothing, and is told all the same."""

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class UnconvertOutcome(Record):
    """What taking a conversion back did."""

    operation: UUID = field(repr=False)
    """The call that did it."""
    lead_id: UUID
    """The lead, open again in the stage where it was."""
    conversion: UUID = field(repr=False)
    """The call that was taken back."""
    records: tuple[TakenBack, ...] = field(repr=False)
    """What became of the records."""
    newly_unconverted: bool
    """Whether this call did it; ``False`` when it was done before and this is the first outcome."""


def _counted(tabs: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {tab}" for tab, count in tabs.items())


def _subject(told: Mapping[str, Any]) -> Subject:
    return told["kind"], UUID(told["id"])


def _taken(told: Mapping[str, Any]) -> TakenBack:
    fate, fields = told["fate"], ()
    if not isinstance(fate, str):
        [(fate, fields)] = fate.items()
    edited, kept = tuple(told.get("edited", ())), tuple(told.get("kept", ()))
    return TakenBack(_subject(told["record"]), fate, tuple(fields), edited, kept, dict(told.get("moved", ())))


def unconversion_of(told: Mapping[str, Any], newly: bool) -> UnconvertOutcome:
    """An outcome that the compiled module wrote."""
    records = tuple(_taken(one) for one in told["records"])
    ids = UUID(told["operation"]), UUID(told["lead"]), UUID(told["conversion"])
    return UnconvertOutcome(*ids, records, newly)


def taken_back(told: tuple[str, bool]) -> UnconvertOutcome:
    """The same as the compiled module hands it over."""
    return unconversion_of(json.loads(told[0]), told[1])


class UnconvertPlan(Plan):
    """What taking a conversion back would do: pure data to store, show and hand to ``db.apply``.

    >>> lead = db.leads.create(company="Nordlys AS")
    >>> account = db.leads.convert(lead).account_id
    >>> plan = db.leads.plan_unconvert(lead)
    >>> [(one.subject == ("account", account), one.fate) for one in plan.records], plan.blockers
    ([(True, 'archived')], ())
    >>> db.apply(plan).lead_id == lead.id
    True
    """

    __slots__ = ()

    def _refuse(self) -> None:
        _leadcore.unconversion_unmet(self._json)

    @property
    def lead_id(self) -> UUID:
        """The lead."""
        return UUID(self._data["lead"])

    @property
    def conversion(self) -> UUID:
        """The call that converted it."""
        return UUID(self._data["conversion"])

    @property
    def records(self) -> tuple[TakenBack, ...]:
        """What becomes of the records that the conversion made, filled or linked."""
        return tuple(_taken(one) for one in self._data["records"])

    @property
    def host(self) -> tuple[HostMade, ...]:
        """What targets of your program made: each must be among the ``targets`` that take it back."""
        return tuple(HostMade(one["target"], one["reference"]) for one in self._data.get("host", ()))

    @property
    def blockers(self) -> tuple[UnconvertBlocker, ...]:
        """What stands against it, all at once; empty when it can be done."""
        return tuple(self._blocker(one) for one in self._data["blockers"])

    def _blocker(self, told: Mapping[str, Any]) -> UnconvertBlocker:
        kind = told["blocker"]
        by = told.get("by", ())
        since = self._since(told["record"]) if "record" in told else ()
        # Those of `in_use` are counted.
        named = isinstance(by, list)
        return UnconvertBlocker(
            kind,
            _subject(told["record"]) if "record" in told else None,
            tuple(user_of(actor) for actor in by) if named else tuple(dict.fromkeys(one.user for one in since)),
            tuple(told.get("fields", ())),
            dict(told.get("tabs", ())),
            tuple(UUID(lead) for lead in told.get("leads", ())),
            told.get("unseen", 0),
            by if kind == "in_use" else None,
            tuple(unmet_of(*one) for one in _leadcore.unconversion_unmet(self._json)) if kind == "stage" else (),
            told.get("state"),
            told.get("target"),
            since,
        )

    def _since(self, record: Mapping[str, Any]) -> tuple[WrittenSince, ...]:
        own = (one for one in self._data.get("since", ()) if one["record"] == record)
        return tuple(
            WrittenSince(user_of(one["actor"]), one["kind"], time_of(one["at"]), UUID(one["operation"])) for one in own
        )

    def __repr__(self) -> str:
        return f"<UnconvertPlan {len(self.records)} records, {len(self.blockers)} blockers>"

    def _repr_html_(self) -> str:
        """What it does, for notebooks."""
        rows = [
            (one.subject[0], one.fate, ", ".join((*one.fields, *one.edited)), ", ".join(one.kept), _counted(one.moved))
            for one in self.records
        ]
        shown = grid(("record", "fate", "fields", "kept", "moved"), rows)
        against = [(one.blocker, one.subject and one.subject[0]) for one in self.blockers]
        return shown + part("Stands against it", facts(against)) if against else shown
