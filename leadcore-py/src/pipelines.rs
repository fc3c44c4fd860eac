//! Pipelines and their stages.

use leadcore::desk;
use leadcore::domain::{Pipeline, Stage, StageKind};
use leadcore::error::{Error, Result, ViolationCode};
use leadcore::id::{PipelineId, Revision, StageId};
use pyo3::prelude::*;
use uuid::Uuid;

use crate::convert::{Count, Id, Text};
use crate::names::py_pipeline;
use crate::session::Session;

/// A stage as the package hands it over: id when it exists, name, kind, probability.
type Given = (Option<Uuid>, Text, Text, Option<Count>);

/// Every pipeline; a tenant that has none gets the default one.
pub(crate) fn all(py: Python<'_>, session: &Session) -> PyResult<Vec<Pipeline>> {
    let known = session.read(py, desk::pipelines::list)?;
    if known.is_empty() { session.write(py, desk::pipelines::list_or_default) } else { Ok(known) }
}

fn stages(ctx: &leadcore::context::Context<'_>, given: &[Given]) -> Result<Vec<Stage>> {
    let stages = given.iter().enumerate().map(|(n, (id, name, kind, probability))| {
        let kind = StageKind::from_code(&kind.0).ok_or_else(|| {
            let message = "a stage is `open`, `on_hold`, `won` or `lost`";
            Error::invalid_field(format!("stages[{n}].kind"), ViolationCode::Unknown, message)
        })?;
        let mut stage = match id {
            Some(id) => Stage::new(StageId::from_uuid(*id), &name.0, kind),
            None => desk::pipelines::new_stage(ctx, &name.0, kind),
        };
        if let Some(Count(percent)) = probability {
            // Beyond the range the check of the pipeline refuses it.
            stage.probability = Some(u8::try_from(*percent).unwrap_or(u8::MAX));
        }
        Ok(stage)
    });
    stages.collect()
}

/// Every pipeline, the default first.
#[pyfunction]
pub(crate) fn pipeline_list<'py>(py: Python<'py>, session: &Session) -> PyResult<Vec<Bound<'py, PyAny>>> {
    all(py, session)?.iter().map(|pipeline| py_pipeline(py, pipeline)).collect()
}

/// Adds a pipeline.
#[pyfunction]
pub(crate) fn pipeline_add<'py>(
    py: Python<'py>,
    session: &Session,
    name: Text,
    stages: Vec<Given>,
) -> PyResult<Bound<'py, PyAny>> {
    // The default pipeline comes first, so that adding one more never makes it the default by accident.
    all(py, session)?;
    let pipeline = session
        .write(py, move |ctx, txn| desk::pipelines::add(ctx, txn, &name.0, self::stages(ctx, &stages)?))?;
    py_pipeline(py, &pipeline)
}

/// Replaces a pipeline.
#[pyfunction]
pub(crate) fn pipeline_update<'py>(
    py: Python<'py>,
    session: &Session,
    id: Id,
    revision: Count,
    name: Text,
    stages: Vec<Given>,
) -> PyResult<Bound<'py, PyAny>> {
    let pipeline = session.write(py, move |ctx, txn| {
        let known = desk::pipelines::list(ctx, txn)?;
        let id = PipelineId::from_uuid(id.0);
        let found = known.into_iter().find(|pipeline| pipeline.id == id);
        let mut pipeline = found.ok_or_else(|| Error::not_found("pipeline"))?;
        pipeline.revision = Revision::new(revision.0);
        pipeline.name = name.0.trim().to_owned();
        pipeline.stages = self::stages(ctx, &stages)?;
        desk::pipelines::update(ctx, txn, pipeline)
    })?;
    py_pipeline(py, &pipeline)
}
