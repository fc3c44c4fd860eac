//! Pipelines and their stages.

use leadcore::desk;
use leadcore::domain::{Pipeline, Stage, StageKind};
use leadcore::error::{Error, Result, ValueError, Violation, ViolationCode};
use leadcore::id::{PipelineId, Revision, StageId};
use pyo3::prelude::*;
use uuid::Uuid;

use crate::arguments::Parts;
use crate::board::find_pipeline;
use crate::convert::{Count, Id, Named, Text};
use crate::names::{find_stage, py_pipeline};
use crate::session::Session;

/// A stage as the package hands it over: id when it exists, name, kind, probability, colour, required fields, the stages
/// that may follow, the limit of leads, the days until it rots.
#[derive(Debug)]
pub(crate) struct Given {
    id: Option<Uuid>,
    name: Text,
    kind: Text,
    probability: Option<Count>,
    color: Option<Text>,
    required: Vec<Text>,
    next: Option<Vec<Named>>,
    limit: Option<Count>,
    idle: Option<Count>,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Given {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let mut parts = Parts::new(&obj)?;
        Ok(Self {
            id: parts.read("id")?,
            name: parts.read("name")?,
            kind: parts.read("kind")?,
            probability: parts.read("probability")?,
            color: parts.read("color")?,
            required: parts.read("required_fields")?,
            next: parts.read("allowed_next")?,
            limit: parts.read("wip_limit")?,
            idle: parts.read("idle_days")?,
        })
    }
}

/// Every pipeline; a tenant that has none gets the default one.
pub(crate) fn all(py: Python<'_>, session: &Session) -> PyResult<Vec<Pipeline>> {
    let known = session.read(py, desk::pipelines::list)?;
    if known.is_empty() { session.write(py, desk::pipelines::list_or_default) } else { Ok(known) }
}

/// The stages, with ids for names; everything that does not fit at once.
fn stages(ctx: &leadcore::context::Context<'_>, given: &[Given]) -> Result<Vec<Stage>> {
    let (mut stages, mut broken) = (Vec::with_capacity(given.len()), Vec::new());
    for (n, Given { id, name, kind, probability, color, required, limit, idle, .. }) in
        given.iter().enumerate()
    {
        let mut refuse = |part: &str, error: ValueError| broken.push(error.at(format!("stages[{n}].{part}")));
        let kind = StageKind::from_code(&kind.0).unwrap_or_else(|| {
            let message = "a stage is `open`, `on_hold`, `won` or `lost`";
            refuse("kind", ValueError::new(ViolationCode::Unknown, message));
            StageKind::Open
        });
        // Beyond the range the check of the pipeline refuses it.
        let percent = probability.map(|Count(percent)| u8::try_from(percent).unwrap_or(u8::MAX));
        let mut stage = match id {
            Some(id) => Stage::new(StageId::from_uuid(*id), &name.0, kind),
            None => desk::pipelines::new_stage(ctx, &name.0, kind),
        };
        // Of a stage that exists everything is said; a new one may leave its chance to its kind.
        stage.probability = if id.is_some() { percent } else { percent.or(stage.probability) };
        stage.color = color.as_ref().map(|color| color.0.to_ascii_lowercase());
        for field in required {
            match field.0.parse() {
                Ok(field) => drop(stage.required_fields.insert(field)),
                Err(error) => refuse("required_fields", error),
            }
        }
        let too_large = || ValueError::new(ViolationCode::OutOfRange, "the number is too large");
        stage.wip_limit = limit
            .and_then(|Count(limit)| u32::try_from(limit).map_err(|_| refuse("wip_limit", too_large())).ok());
        stage.idle_days = idle
            .and_then(|Count(days)| u16::try_from(days).map_err(|_| refuse("idle_days", too_large())).ok());
        stages.push(stage);
    }
    let by_name: Vec<_> = stages.iter().map(|stage| (leadcore::value::fold(&stage.name), stage.id)).collect();
    let find = |wanted: &Named| match wanted {
        Named::Id(id) => Some(StageId::from_uuid(*id)),
        Named::Name(name) => {
            let key = leadcore::value::fold(name.trim());
            by_name.iter().find(|(name, _)| *name == key).map(|(_, id)| *id)
        }
    };
    for (n, (stage, Given { next, .. })) in stages.iter_mut().zip(given).enumerate() {
        let Some(next) = next else { continue };
        let found: Option<_> = next.iter().map(find).collect();
        if found.is_none() {
            let message = "names a stage that is not in this pipeline";
            broken.push(Violation::new(format!("stages[{n}].allowed_next"), ViolationCode::Unknown, message));
        }
        stage.allowed_next = found;
    }
    if broken.is_empty() { Ok(stages) } else { Err(Error::invalid(broken)) }
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

/// A pipeline to change: by id or name, and the revision that the caller read.
type Which = (Named, Option<Count>);

fn which(
    ctx: &leadcore::context::Context<'_>,
    txn: &mut dyn leadcore::store::Txn,
    (wanted, revision): &Which,
) -> Result<(Pipeline, desk::Expect)> {
    let pipeline = find_pipeline(&desk::pipelines::list(ctx, txn)?, wanted)?;
    let expect = revision.map_or(desk::Expect::Any, |Count(revision)| Revision::new(revision).into());
    Ok((pipeline, expect))
}

/// Makes a pipeline the one that new leads start in.
#[pyfunction]
pub(crate) fn pipeline_set_default<'py>(
    py: Python<'py>,
    session: &Session,
    pipeline: Which,
) -> PyResult<Bound<'py, PyAny>> {
    let pipeline = session.write(py, move |ctx, txn| {
        let (found, expect) = which(ctx, txn, &pipeline)?;
        desk::pipelines::set_default(ctx, txn, found.id, expect)
    })?;
    py_pipeline(py, &pipeline)
}

/// Removes a pipeline that no lead is in.
#[pyfunction]
pub(crate) fn pipeline_remove(py: Python<'_>, session: &Session, pipeline: Which) -> PyResult<()> {
    session.write(py, move |ctx, txn| {
        let (found, expect) = which(ctx, txn, &pipeline)?;
        desk::pipelines::remove(ctx, txn, found.id, expect)
    })
}

/// Removes a stage, and moves its leads to another.
#[pyfunction]
pub(crate) fn pipeline_remove_stage<'py>(
    py: Python<'py>,
    session: &Session,
    pipeline: Which,
    stage: Named,
    target: Option<Named>,
) -> PyResult<Bound<'py, PyAny>> {
    let pipeline = session.write(py, move |ctx, txn| {
        let (found, expect) = which(ctx, txn, &pipeline)?;
        let own = std::slice::from_ref(&found);
        let stage = find_stage(own, None, &stage)?;
        // Its own stages come first: another pipeline may have stages of the same names.
        let mut all = desk::pipelines::list(ctx, txn)?;
        all.sort_by_key(|pipeline| pipeline.id != found.id);
        let target = target.as_ref().map(|target| find_stage(&all, None, target)).transpose()?;
        desk::pipelines::remove_stage(ctx, txn, found.id, expect, stage, target)
    })?;
    py_pipeline(py, &pipeline)
}
