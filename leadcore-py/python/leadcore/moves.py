"""Moving leads and their cards, losing, disqualifying and reopening them, and where they have been."""

from __future__ import annotations

import builtins
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

from ._leadcore import Lead
from .arguments import compiled as _leadcore
from .exceptions import Violation, refused
from .fields import StageRef, TermRef
from .models import Stage
from .values import Record

if TYPE_CHECKING:
    from .database import Database

__all__ = ["Idle", "LeadMoves", "StageVisit", "Unmet"]

_LeadRef: TypeAlias = Lead | UUID | str
_Edge: TypeAlias = Literal["top", "bottom"]


@dataclass(frozen=True, slots=True)
class Unmet(Record):
    """One condition that stands against a move. Which of the optional attributes are set depends on ``condition``."""

    condition: str
    """``field_required``, ``transition_not_allowed``, ``limit_reached``, ``reason_required``, ``reason_unknown``,
    ``reason_archived``, ``reason_not_asked``, ``detail_required``, ``detail_malformed``, ``unknown_stage``,
    ``no_such_card``, ``trashed``, ``converted``, ``disqualified`` or ``closed``; later versions may add conditions."""
    violation: Violation
    """The same as the broken rule with which the move itself is refused."""
    stage: UUID | None = field(default=None, repr=False)
    """The id of the stage that asks, or that the lead shall go to."""
    from_stage: UUID | None = field(default=None, repr=False)
    """With ``transition_not_allowed``: the id of the stage that the lead is in."""
    field: str | None = None
    """With ``field_required``: the key of the field that is empty."""
    limit: int | None = None
    """With ``limit_reached``: the most leads that the stage may hold."""
    count: int | None = None
    """With ``limit_reached``: how many it holds."""
    list: Literal["lost_reason", "disqualify_reason"] | None = None
    """Of a condition about a reason: its list."""
    reason: UUID | None = None
    """The id of the reason that does not fit."""
    lead: UUID | None = None
    """With ``no_such_card``: the id of the lead that is not in the stage."""
    outcome: Literal["won", "lost", "disqualified"] | None = None
    """With ``closed``: how the lead ended."""

    def __str__(self) -> str:
        return str(self.violation)


def unmet_of(text: str, broken: tuple[str, str, str]) -> Unmet:
    """A condition that the compiled module wrote."""
    said = json.loads(text)
    ids: dict[str, Any] = {key: UUID(said[key]) for key in ("stage", "reason", "lead") if key in said}
    if "from" in said:
        ids |= {"from_stage": UUID(said["from"]), "stage": UUID(said["to"])}
    plain = {key: said[key] for key in ("field", "limit", "count", "list", "outcome") if key in said}
    return Unmet(said["condition"], Violation(*broken), **ids, **plain)


@dataclass(frozen=True, slots=True)
class StageVisit(Record):
    """One stay of a lead in a stage. A lead that comes back has another one."""

    stage_id: UUID = field(repr=False)
    """The id of the stage."""
    stage: Stage | None
    """The stage as it is called now; ``None`` when it was removed since."""
    entered: datetime
    """When the lead came."""
    left: datetime | None
    """When it left; ``None`` for the stage it is in."""
    stayed: timedelta
    """How long it stayed, or has stayed until now."""
    by: str | None
    """Who brought it there; ``None`` for the program itself."""
    operation: UUID | None = field(repr=False)
    """The call that did, for :meth:`Database.undo`."""


@dataclass(frozen=True, slots=True)
class Idle(Record):
    """How long nothing happened to a lead."""

    since: datetime
    """Since when: the later of entering the stage and the last activity."""
    days: int
    """How many whole days that is."""
    rotting_since: datetime | None = None
    """Since when that is longer than the stage allows; ``None`` for a lead that does not rot."""

    @property
    def is_rotting(self) -> bool:
        """Whether nothing happened for longer than the stage allows."""
        return self.rotting_since is not None


def place(position: str | None, before: _LeadRef | None, after: _LeadRef | None) -> tuple[str, _LeadRef | None] | None:
    """The place of a card as the compiled module takes it."""
    said: list[tuple[str, _LeadRef | None]] = []
    if position is not None:
        said.append((position, None))
    said += [(name, card) for name, card in (("before", before), ("after", after)) if card is not None]
    if len(said) > 1:
        message = "`position`, `before` and `after` exclude each other"
        raise refused("position", "not_allowed", message)
    return said[0] if said else None


class LeadMoves:
    """The part of ``db.leads`` that moves leads."""

    __slots__ = ()

    _db: Database

    def move(
        self,
        lead: _LeadRef,
        stage: StageRef,
        *,
        reason: TermRef | None = None,
        detail: str | None = None,
        position: _Edge | None = None,
        before: _LeadRef | None = None,
        after: _LeadRef | None = None,
    ) -> Lead:
        """Move a lead to another stage, perhaps of another pipeline, or its card to another place in its column.

        Args:
            lead: Which lead. With the object, refused when it changed since it was read.
            stage: Where to; the stage it is in to move the card only.
            reason: For a lost stage why it was lost, of ``db.lost_reasons``. Needed once there are any.
            detail: The same in words.
            position: Put the card at the ``"top"`` of the column, where it comes when nothing is said, or the
                ``"bottom"``.
            before: Or right above the card of this lead.
            after: Or right below it.

        Raises:
            InvalidError: With every condition that is not met, as :meth:`can_move` lists them.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> db.leads.move(lead, "Discussion").stage.name
            'Discussion'
            >>> db.leads.move(lead.id, "Lost", detail="no budget this year").closing.detail
            'no budget this year'

        """
        return _leadcore.lead_move(self._db._session, lead, (stage, reason, detail, place(position, before, after)))

    def can_move(
        self,
        lead: _LeadRef,
        stage: StageRef,
        *,
        reason: TermRef | None = None,
        detail: str | None = None,
        position: _Edge | None = None,
        before: _LeadRef | None = None,
        after: _LeadRef | None = None,
    ) -> builtins.list[Unmet]:
        """Everything that stands against :meth:`move`; an empty list when nothing does. Writes nothing.

        The arguments are those of :meth:`move`. Each condition is told once, all at once, as :class:`Unmet`: which one
        it is, what belongs to it, and the same as a :class:`Violation` with a sentence to show. Whoever asks must be
        allowed to see the lead; whether they may move it is said by :meth:`actions`.

        Raises:
            InvalidError: When there is no such stage or reason to speak of, by name.
            NotFoundError: When there is no such lead, or the acting user may not see it.

        >>> asked = {"name": "Offered", "required_fields": ["amount"], "wip_limit": 20}
        >>> pipeline = db.pipelines.add("Sales", ["New", asked, ("Won", "won")])
        >>> lead = db.leads.create(company="Nordlys AS", stage=pipeline.stages[0])
        >>> [(unmet.condition, unmet.field) for unmet in db.leads.can_move(lead, "Offered")]
        [('field_required', 'amount')]
        """
        target = (stage, reason, detail, place(position, before, after))
        return [unmet_of(*told) for told in _leadcore.lead_can_move(self._db._session, lead, target)]

    def disqualify(self, lead: _LeadRef, *, reason: TermRef | None = None, detail: str | None = None) -> Lead:
        """Say that a lead was none at all: not lost, and not in its statistics. It leaves the board.

        Args:
            lead: Which lead. With the object, refused when it changed since it was read.
            reason: Why, of ``db.disqualify_reasons``. Needed once there are any.
            detail: Why, in words.

        Example:
            >>> _ = db.disqualify_reasons.add("Spam")
            >>> lead = db.leads.disqualify(db.leads.create(company="Nordlys AS"), reason="Spam")
            >>> lead.state, lead.closing.reason.name
            ('disqualified', 'Spam')

        """
        return _leadcore.lead_disqualify(self._db._session, lead, reason, detail)

    def reopen(self, lead: _LeadRef) -> Lead:
        """Open a lead that was won, lost or disqualified: back in the stage that it was last worked in.

        >>> lead = db.leads.move(db.leads.create(company="Nordlys AS"), "Mailed")
        >>> lead = db.leads.reopen(db.leads.move(lead, "Lost"))
        >>> lead.stage.name, lead.closing
        ('Mailed', None)
        """
        return _leadcore.lead_reopen(self._db._session, lead)

    def stage_history(self, lead: _LeadRef) -> builtins.list[StageVisit]:
        """The stages that a lead went through, oldest first; the last one is where it is.

        >>> lead = db.leads.move(db.leads.create(company="Nordlys AS"), "Mailed")
        >>> [(visit.stage.name, visit.by, visit.left is None) for visit in db.leads.stage_history(lead)]
        [('New', 'ada', False), ('Mailed', 'ada', True)]
        """
        visits = _leadcore.lead_stage_history(self._db._session, lead)
        return [
            StageVisit(stage_id, stage, entered, left, timedelta(seconds=seconds), by, operation)
            for stage_id, stage, entered, left, seconds, by, operation in visits
        ]

    def idle(self, lead: _LeadRef) -> Idle:
        """How long nothing happened to a lead, and whether that is too long for its stage.

        All that rot are found by ``where=leadcore.F.is_rotting``.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.leads.idle(lead).days, db.leads.idle(lead).is_rotting
        (0, False)
        """
        return Idle(*_leadcore.lead_idle(self._db._session, lead))

    def clone(self, lead: _LeadRef, *, lines: bool = True) -> Lead:
        """Copy a lead: its fields and products, in the first stage of the default pipeline, with a number of its own.

        Ids in other systems, unique values, how it ended and what it became stay behind, and so do notes, files and
        estimates; its persons belong to both.

        Args:
            lead: Which lead.
            lines: Whether the copy has its products (``db.lines``).

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", city="Oslo")
            >>> copy = db.leads.clone(lead)
            >>> copy.number, copy.city
            (2, 'Oslo')

        """
        return _leadcore.lead_clone(self._db._session, lead, lines)

    def functions(self, lead: _LeadRef) -> dict[str, bool]:
        """Which functions are open for a lead and which are not, as ``db.settings.functions`` says.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.settings.set_function("send_offer", leadcore.F.amount >= 1000)
        >>> functions = db.leads.functions(lead)
        >>> functions["edit"], functions["send_offer"]
        (True, False)
        """
        return _leadcore.lead_functions(self._db._session, lead)
