"""Pipelines and their stages."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Required, TypeAlias, TypedDict
from uuid import UUID

from . import _leadcore
from .exceptions import InvalidError, NotFoundError, Violation
from .fields import StageRef, checked
from .models import Pipeline, Stage, StageKind

if TYPE_CHECKING:
    from .database import Database

__all__ = ["NewStage", "Pipelines", "StageInput"]


class StageInput(TypedDict, total=False):
    """A new stage with everything that can be said of it."""

    name: Required[str]
    """What people read."""
    kind: StageKind
    """``open`` when not said."""
    probability: int | None
    """The chance to win from here in percent; 100 for a won and 0 for a lost stage when not said."""
    color: str | None
    """``#rrggbb``."""
    required_fields: Iterable[str]
    """The keys of the fields that a lead must have to be here."""
    allowed_next: Iterable[StageRef] | None
    """The stages of this pipeline that a lead may go to from here, new ones by name; any when ``None``."""
    wip_limit: int | None
    """The most leads that may be here."""
    idle_days: int | None
    """After so many days without activity a lead that is here rots."""


NewStage: TypeAlias = Stage | str | tuple[str, StageKind] | tuple[str, StageKind, int | None] | StageInput
"""A stage that exists, the name of a new open one, name and kind (and probability in percent) of a new one, or a
mapping with the keys of :class:`StageInput`."""

STAGE_KEYS = frozenset(StageInput.__annotations__)


class Pipelines:
    """``db.pipelines``. A tenant that has none gets one with the stages New, Mailed, Discussion, On hold, Won, Lost."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.pipelines``."""
        self._db = db

    def list(self) -> builtins.list[Pipeline]:
        """Every pipeline, the default first.

        >>> [stage.name for stage in db.pipelines.list()[0].stages]
        ['New', 'Mailed', 'Discussion', 'On hold', 'Won', 'Lost']
        """
        return _leadcore.pipeline_list(self._db._session)

    def get(self, pipeline: UUID | str) -> Pipeline:
        """The pipeline with this id or name.

        >>> db.pipelines.get("Leads").is_default
        True
        """
        for known in self.list():
            if pipeline in (known.id, str(known.id), known.name):
                return known
        raise NotFoundError("pipeline not found")

    def add(self, name: str, stages: Iterable[NewStage]) -> Pipeline:
        """Add a pipeline.

        >>> pipeline = db.pipelines.add("Partners", ["Asked", ("Signed", "won"), ("Gone", "lost")])
        >>> [stage.kind for stage in pipeline.stages]
        ['open', 'won', 'lost']
        >>> asked = {"name": "Asked", "required_fields": ["email"], "allowed_next": ["Signed"], "idle_days": 14}
        >>> db.pipelines.add("Resellers", [asked, ("Signed", "won")]).stages[0].required_fields
        ('email',)
        """
        return _leadcore.pipeline_add(self._db._session, name, _given(stages))

    def update(
        self, pipeline: Pipeline, *, name: str | None = None, stages: Iterable[NewStage] | None = None
    ) -> Pipeline:
        """Rename a pipeline, or give it these stages: rename, reorder, add; those left out are taken away.

        Stages that exist keep their place in leads, so pass them as they are or changed by ``dataclasses.replace``. A
        stage that leads are in cannot be taken away.

        >>> pipeline = db.pipelines.list()[0]
        >>> first, *rest = pipeline.stages
        >>> pipeline = db.pipelines.update(pipeline, stages=[first, ("Called", "open", 20), *rest])
        >>> [stage.name for stage in pipeline.stages][:3]
        ['New', 'Called', 'Mailed']
        """
        wanted = _given(pipeline.stages if stages is None else stages)
        name = pipeline.name if name is None else name
        return _leadcore.pipeline_update(self._db._session, pipeline.id, pipeline.revision, name, wanted)


_Given: TypeAlias = tuple[
    UUID | None, str, str, int | None, str | None, list[str], list[Any] | None, int | None, int | None
]


def _given(stages: Iterable[NewStage]) -> list[_Given]:
    return [_stage(stage) for stage in stages]


def _stage(stage: Any) -> _Given:
    if isinstance(stage, Stage):
        said: Mapping[str, Any] = {key: getattr(stage, key) for key in STAGE_KEYS}
        return _said(stage.id, said)
    if isinstance(stage, str):
        return _said(None, {"name": stage})
    if isinstance(stage, (tuple, list)) and len(stage) in (2, 3):
        return _said(None, {"name": stage[0], "kind": stage[1], "probability": stage[2] if len(stage) == 3 else None})
    if isinstance(stage, Mapping):
        said = checked(stage, STAGE_KEYS)
        if "name" in said:
            return _said(None, said)
    message = "a stage is a Stage, a name, (name, kind) or (name, kind, probability), or a mapping with a name"
    raise InvalidError(message, violations=[Violation("stages", "malformed", message)])


def _said(identity: UUID | None, said: Mapping[str, Any]) -> _Given:
    following = said.get("allowed_next")
    return (
        identity,
        said["name"],
        said.get("kind", "open"),
        said.get("probability"),
        said.get("color"),
        list(said.get("required_fields") or ()),
        None if following is None else list(following),
        said.get("wip_limit"),
        said.get("idle_days"),
    )
