"""Pipelines and their stages."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Required, TypeAlias, TypedDict
from uuid import UUID

from .arguments import check, several
from .arguments import compiled as _leadcore
from .exceptions import NotFoundError, refused
from .fields import StageRef, checked
from .models import Pipeline, Stage, StageKind

if TYPE_CHECKING:
    from typing import Unpack

    from .database import Database

__all__ = ["NewStage", "Pipelines", "StageInput", "StageRules"]


class StageRules(TypedDict, total=False):
    """Everything that can be said of a stage besides its name."""

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


class StageInput(StageRules, total=False):
    """A new stage with everything that can be said of it."""

    name: Required[str]
    """What people read."""


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
        check("pipeline", pipeline, (UUID, str), "an id or a name")
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
        check("pipeline", pipeline, Pipeline, "a pipeline that was read")
        wanted = _given(pipeline.stages if stages is None else stages)
        name = pipeline.name if name is None else name
        return _leadcore.pipeline_update(self._db._session, pipeline.id, pipeline.revision, name, wanted)

    def set_stage(
        self,
        pipeline: Pipeline | UUID | str,
        stage: StageRef,
        *,
        name: str | None = None,
        **rules: Unpack[StageRules],
    ) -> Pipeline:
        """Change what one stage is called and what it asks for; what is not given stays.

        With the pipeline object, refused when it changed since it was read. Leads that do not meet a new rule stay as
        they are: it holds for what comes into the stage from then on.

        >>> pipeline = db.pipelines.set_stage("Leads", "Mailed", color="#1a7f37", required_fields=["email"])
        >>> pipeline.stages[1].color, pipeline.stages[1].required_fields
        ('#1a7f37', ('email',))
        """
        checked(rules, STAGE_KEYS)
        check("stage", stage, (Stage, UUID, str), "a stage, its id or its name")
        with self._db.transaction():
            known = pipeline if isinstance(pipeline, Pipeline) else self.get(pipeline)
            found = [one for one in known.stages if stage in (one, one.id, str(one.id), one.name)]
            if not found:
                raise NotFoundError("stage not found")
            said: dict[str, Any] = {key: getattr(found[0], key) for key in STAGE_KEYS} | dict(rules)
            if name is not None:
                said["name"] = name
            stages = [_said(one.id, said) if one is found[0] else _stage(one) for one in known.stages]
            return _leadcore.pipeline_update(self._db._session, known.id, known.revision, known.name, stages)

    def set_default(self, pipeline: Pipeline | UUID | str) -> Pipeline:
        """Make a pipeline the one that new leads start in. With the object, refused when it changed since it was read.

        >>> pipeline = db.pipelines.add("Partners", ["Asked", ("Signed", "won")])
        >>> db.pipelines.set_default(pipeline).is_default
        True
        >>> db.leads.create(company="Nordlys AS").stage.name
        'Asked'
        """
        return _leadcore.pipeline_set_default(self._db._session, _which(pipeline))

    def remove(self, pipeline: Pipeline | UUID | str) -> None:
        """Remove a pipeline that no lead is in, those in the trash included, and that is not the default.

        >>> _ = db.pipelines.add("Partners", ["Asked", ("Signed", "won")])
        >>> db.pipelines.remove("Partners")
        >>> [pipeline.name for pipeline in db.pipelines.list()]
        ['Leads']
        """
        _leadcore.pipeline_remove(self._db._session, _which(pipeline))

    def remove_stage(
        self, pipeline: Pipeline | UUID | str, stage: StageRef, *, target: StageRef | None = None
    ) -> Pipeline:
        """Remove a stage, and move its leads to another one, perhaps of another pipeline.

        The leads go there whatever the target asks for; disqualified ones and those in the trash too. A stage that
        converted leads are in stays: they stay as they were converted.

        Args:
            pipeline: The pipeline. With the object, refused when it changed since it was read.
            stage: One of its stages.
            target: Where its leads go; not needed when there are none.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", stage="Mailed")
            >>> pipeline = db.pipelines.remove_stage("Leads", "Mailed", target="Discussion")
            >>> db.leads.get(lead).stage.name
            'Discussion'

        """
        return _leadcore.pipeline_remove_stage(self._db._session, _which(pipeline), stage, target)


def _which(pipeline: Pipeline | UUID | str) -> tuple[Pipeline | UUID | str, int | None]:
    return pipeline, pipeline.revision if isinstance(pipeline, Pipeline) else None


_Given: TypeAlias = tuple[
    UUID | None, str, str, int | None, str | None, list[str], list[Any] | None, int | None, int | None
]


def _given(stages: Iterable[NewStage]) -> list[_Given]:
    return [_stage(stage) for stage in several("stages", stages, "several stages")]


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
    raise refused("stages", "malformed", message)


def _said(identity: UUID | None, said: Mapping[str, Any]) -> _Given:
    following = said.get("allowed_next")
    return (
        identity,
        said["name"],
        said.get("kind", "open"),
        said.get("probability"),
        said.get("color"),
        several("required_fields", said.get("required_fields") or (), "several keys of fields"),
        None if following is None else several("allowed_next", following, "several stages"),
        said.get("wip_limit"),
        said.get("idle_days"),
    )
