//! Moving leads and their cards, disqualifying and reopening them, and where they have been.

use leadcore::context::Context;
use leadcore::desk;
use leadcore::domain::{self, Move, Position, TermId, Unmet};
use leadcore::error::{Error, ErrorKind, Result, ViolationCode};
use leadcore::id::{DisqualifyReasonId, LeadId, LostReasonId, StageId};
use leadcore::store::Txn;
use pyo3::prelude::*;
use uuid::Uuid;

use crate::arguments::Parts;
use crate::convert::{Id, LeadArg, Named, Text};
use crate::lead::Lead;
use crate::leads::named;
use crate::names::{find_stage, py_stage};
use crate::session::Session;
use crate::terms::find;

type Utc = chrono::DateTime<chrono::Utc>;

/// Where a lead shall go, as the package hands it over: stage, reason, detail, and the place of the card.
#[derive(Debug)]
pub(crate) struct Target {
    stage: Named,
    reason: Option<Named>,
    detail: Option<Text>,
    place: Option<Place>,
}

/// `top` or `bottom`, or `before` or `after` another card.
#[derive(Debug)]
struct Place {
    at: Text,
    card: Option<Id>,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Target {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let mut parts = Parts::new(&obj)?;
        Ok(Self {
            stage: parts.read("stage")?,
            reason: parts.read("reason")?,
            detail: parts.read("detail")?,
            place: parts.read("position")?,
        })
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Place {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let mut parts = Parts::new(&obj)?;
        let at: Text = parts.read("position")?;
        let card = parts.read(&at.0)?;
        Ok(Self { at, card })
    }
}

/// The place of a card: `top`, `bottom`, or `before` or `after` another card.
fn position(Place { at, card }: &Place) -> Result<Position> {
    let card = card.map(|card| LeadId::from_uuid(card.0));
    match (at.0.as_str(), card) {
        ("top", None) => Ok(Position::Top),
        ("bottom", None) => Ok(Position::Bottom),
        ("before", Some(card)) => Ok(Position::Before(card)),
        ("after", Some(card)) => Ok(Position::After(card)),
        _ => {
            let message = "a card lies at the `top` or the `bottom`, or `before` or `after` another";
            Err(Error::invalid_field("position", ViolationCode::Unknown, message))
        }
    }
}

/// The reason that the caller named; what there is not is refused like an id that there is not.
pub(crate) fn reason<I: TermId>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    field: &str,
    wanted: Option<&Named>,
) -> Result<Option<I>> {
    let found = wanted.map(|wanted| find::<I>(ctx, txn, wanted)).transpose();
    found.map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            Error::invalid_field(field, ViolationCode::Unknown, "there is no reason with this name")
        }
        _ => error,
    })
}

/// The move with ids for names. A stage that is named is looked for in the pipeline of `near` first.
pub(crate) fn target(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    near: Option<&domain::Lead>,
    Target { stage, reason, detail, place }: &Target,
) -> Result<Move> {
    let pipelines = desk::pipelines::list(ctx, txn)?;
    let mut to = Move::from(find_stage(&pipelines, near, stage)?);
    let reason = self::reason::<LostReasonId>(ctx, txn, "lost_reason", reason.as_ref())?;
    to = to.because(reason, detail.as_ref().map(|detail| detail.0.as_str()));
    to.position = place.as_ref().map(position).transpose()?;
    Ok(to)
}

/// Moves a lead to another stage, or its card to another place.
#[pyfunction]
pub(crate) fn lead_move(py: Python<'_>, session: &Session, lead: LeadArg, to: Target) -> PyResult<Lead> {
    session.write(py, move |ctx, txn| {
        let here = desk::leads::get(ctx, txn, lead.id)?;
        let to = target(ctx, txn, Some(&here), &to)?;
        let lead = desk::leads::move_to(ctx, txn, lead.id, lead.expect, to)?;
        named(txn, lead)
    })
}

/// A condition as JSON, and as the broken rule that it is: field, code and sentence.
type Condition = (String, (String, &'static str, String));

/// What stands against a move.
#[pyfunction]
pub(crate) fn lead_can_move(
    py: Python<'_>,
    session: &Session,
    lead: Id,
    to: Target,
) -> PyResult<Vec<Condition>> {
    let id = LeadId::from_uuid(lead.0);
    let unmet = session.read(py, move |ctx, txn| {
        let here = desk::leads::get(ctx, txn, id)?;
        let to = target(ctx, txn, Some(&here), &to)?;
        Ok(desk::board::can_move(ctx, txn, id, &to)?.unmet)
    })?;
    unmet.iter().map(|unmet| condition(py, unmet)).collect()
}

fn condition(py: Python<'_>, unmet: &Unmet) -> PyResult<Condition> {
    let broken = unmet.violation();
    Ok((crate::convert::to_json(py, unmet)?, (broken.field, broken.code.code(), broken.message)))
}

/// Says that a lead was none at all.
#[pyfunction]
pub(crate) fn lead_disqualify(
    py: Python<'_>,
    session: &Session,
    lead: LeadArg,
    reason: Option<Named>,
    detail: Option<Text>,
) -> PyResult<Lead> {
    session.write(py, move |ctx, txn| {
        let reason = self::reason::<DisqualifyReasonId>(ctx, txn, "disqualify_reason", reason.as_ref())?;
        let detail = detail.as_ref().map(|detail| detail.0.as_str());
        let lead = desk::leads::disqualify(ctx, txn, lead.id, lead.expect, reason, detail)?;
        named(txn, lead)
    })
}

/// Opens a lead again.
#[pyfunction]
pub(crate) fn lead_reopen(py: Python<'_>, session: &Session, lead: LeadArg) -> PyResult<Lead> {
    session.write(py, move |ctx, txn| {
        let lead = desk::leads::reopen(ctx, txn, lead.id, lead.expect)?;
        named(txn, lead)
    })
}

/// One stay in a stage: its id, the stage if there is one still, from and to, seconds, by whom, in which call.
type Visit<'py> = (Uuid, Option<Bound<'py, PyAny>>, Utc, Option<Utc>, u64, Option<String>, Option<Uuid>);

/// The stages that a lead went through, oldest first.
#[pyfunction]
pub(crate) fn lead_stage_history<'py>(
    py: Python<'py>,
    session: &Session,
    lead: Id,
) -> PyResult<Vec<Visit<'py>>> {
    let id = LeadId::from_uuid(lead.0);
    let (visits, pipelines) = session.read(py, move |ctx, txn| {
        Ok((desk::leads::stage_history(ctx, txn, id)?, desk::pipelines::list(ctx, txn)?))
    })?;
    let stage = |id: StageId| {
        let found = pipelines.iter().find_map(|pipeline| pipeline.stage(id));
        found.map(|stage| py_stage(py, stage)).transpose()
    };
    let visits = visits.into_iter().map(|visit| {
        Ok((
            visit.to.as_uuid(),
            stage(visit.to)?,
            visit.entered.to_datetime(),
            visit.left.map(leadcore::time::Timestamp::to_datetime),
            visit.seconds,
            visit.by.user().map(|user| user.as_str().to_owned()),
            visit.operation.map(leadcore::id::OperationId::as_uuid),
        ))
    });
    visits.collect()
}

/// Since when nothing happened to a lead, how many days that is, and since when it rots.
#[pyfunction]
pub(crate) fn lead_idle(py: Python<'_>, session: &Session, lead: Id) -> PyResult<(Utc, u32, Option<Utc>)> {
    let id = LeadId::from_uuid(lead.0);
    let idle = session.read(py, move |ctx, txn| {
        let lead = desk::leads::get(ctx, txn, id)?;
        Ok(desk::leads::Idle::of(&lead, &desk::pipelines::list(ctx, txn)?, ctx.now()))
    })?;
    let rotting = idle.rotting_since.map(leadcore::time::Timestamp::to_datetime);
    Ok((idle.since.to_datetime(), idle.days, rotting))
}

/// A copy of a lead.
#[pyfunction]
pub(crate) fn lead_clone(py: Python<'_>, session: &Session, lead: Id, lines: bool) -> PyResult<Lead> {
    let id = LeadId::from_uuid(lead.0);
    session.write(py, move |ctx, txn| {
        let options = desk::leads::CloneOptions::new().lines(lines);
        let lead = desk::leads::clone_lead_with(ctx, txn, id, options)?;
        named(txn, lead)
    })
}
