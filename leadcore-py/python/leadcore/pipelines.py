"""Pipelines and their stages."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from . import _leadcore
from .exceptions import InvalidError, NotFoundError, Violation
from .models import Pipeline, Stage, StageKind

if TYPE_CHECKING:
    from .database import Database

__all__ = ["NewStage", "Pipelines"]

NewStage: TypeAlias = Stage | str | tuple[str, StageKind] | tuple[str, StageKind, int | None]
"""A stage that exists, the name of a new open one, or name and kind (and probability in percent) of a new one."""


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


def _given(stages: Iterable[NewStage]) -> list[tuple[UUID | None, str, str, int | None]]:
    return [_stage(stage) for stage in stages]


def _stage(stage: Any) -> tuple[UUID | None, str, str, int | None]:
    if isinstance(stage, Stage):
        return (stage.id, stage.name, stage.kind, stage.probability)
    if isinstance(stage, str):
        return (None, stage, "open", None)
    if isinstance(stage, (tuple, list)) and len(stage) in (2, 3):
        return (None, stage[0], stage[1], stage[2] if len(stage) == 3 else None)
    message = "a stage is a Stage, a name, or (name, kind) or (name, kind, probability)"
    raise InvalidError(message, violations=[Violation("stages", "malformed", message)])
