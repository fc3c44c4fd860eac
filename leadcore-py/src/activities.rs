//! Activities of leads, accounts and contacts.

use leadcore::desk::{self, activities};
use leadcore::domain::{Activity, ActivityBody, ActivityDraft, ActivityKind, Move, Subject};
use leadcore::error::{Error, Result, ValueError, Violation, ViolationCode};
use leadcore::id::UserId;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::activity::{ActivityArg, kind_of, kinds_of, py_activity};
use crate::activity_fields::{GivenFields, blank, given, given_at, outcome, patch, renamed, state};
use crate::arguments::Parts;
use crate::calendar::When;
use crate::convert::{Count, LeadArg, Limit, Text, to_json};
use crate::errors::{invalid, raise};
use crate::lead::Lead;
use crate::leads::named;
use crate::listing::listing;
use crate::moves::{Target, target};
use crate::session::Session;
use crate::subject::{SubjectArg, SubjectsArg};

type Any<'py> = Bound<'py, PyAny>;

/// A page of activities and where the next one begins.
type PyPage<'py> = (Vec<Any<'py>>, Option<String>);

pub(crate) fn user_of(py: Python<'_>, path: &str, user: Option<Text>) -> PyResult<Option<UserId>> {
    let user = user.map(|user| UserId::new(user.0)).transpose();
    user.map_err(|error: ValueError| raise(py, &error.at(path).into()))
}

/// Adds an activity.
#[pyfunction]
pub(crate) fn activity_add<'py>(
    py: Python<'py>,
    session: &Session,
    about: SubjectsArg,
    kind: Text,
    fields: &Bound<'py, PyDict>,
) -> PyResult<Any<'py>> {
    let kind = kind_of("kind", &kind.0).map_err(|error| raise(py, &error))?;
    let given = given(fields)?;
    let added = session.write(py, move |ctx, txn| {
        let mut fields = blank(kind, ctx.now());
        patch(&mut fields, &given, true)?;
        activities::add(ctx, txn, &about.0, fields).map_err(renamed)
    })?;
    py_activity(py, &added)
}

/// An activity that was read from Python, before anything of it was looked up.
type Ready = (Vec<Subject>, ActivityKind, GivenFields);

/// Reads one activity of several, which stands at `items[n]`: about, kind and fields, as the package hands them over.
fn ready(py: Python<'_>, n: usize, item: &Bound<'_, PyAny>) -> PyResult<Ready> {
    let at = |name: &str| format!("items[{n}].{name}");
    let mut parts = Parts::new(item)?;
    let SubjectsArg(about) = parts.read(&at("about"))?;
    let Text(kind) = parts.read(&at("kind"))?;
    let kind = kind_of(&at("kind"), &kind).map_err(|error| raise(py, &error))?;
    Ok((about, kind, given_at(&parts.any()?.cast_into::<PyDict>()?, &at(""))?))
}

/// Adds several activities in one operation: all or none.
#[pyfunction]
pub(crate) fn activity_add_many<'py>(
    py: Python<'py>,
    session: &Session,
    items: Vec<Bound<'py, PyAny>>,
) -> PyResult<Vec<Any<'py>>> {
    let items = items.iter().enumerate().map(|(n, item)| ready(py, n, item)).collect::<PyResult<Vec<_>>>()?;
    let added = session.write(py, move |ctx, txn| {
        let (mut drafts, mut broken) = (Vec::with_capacity(items.len()), Vec::new());
        for (n, (about, kind, given)) in items.iter().enumerate() {
            let mut fields = blank(*kind, ctx.now());
            match patch(&mut fields, given, true) {
                Ok(()) => drafts.push(ActivityDraft { about: about.clone(), fields }),
                Err(error) => broken.extend(
                    error
                        .violations()
                        .iter()
                        .map(|one| Violation { field: format!("items[{n}].{}", one.field), ..one.clone() }),
                ),
            }
        }
        if !broken.is_empty() {
            return Err(Error::invalid(broken));
        }
        activities::add_many(ctx, txn, drafts).map_err(in_items)
    })?;
    added.iter().map(|activity| py_activity(py, activity)).collect()
}

/// The error with its fields as those of `items`; the core names those of the first draft without a place.
fn in_items(error: Error) -> Error {
    crate::errors::renamed(renamed(error), |field| {
        Some(match field.strip_prefix("drafts[") {
            Some(rest) => format!("items[{rest}"),
            None => format!("items[0].{field}"),
        })
    })
}

/// Writes down an interaction with a lead and moves it.
#[pyfunction]
pub(crate) fn activity_log<'py>(
    py: Python<'py>,
    session: &Session,
    lead: LeadArg,
    kind: Text,
    fields: &Bound<'py, PyDict>,
    to: Option<Target>,
) -> PyResult<(Any<'py>, Lead)> {
    let kind = kind_of("kind", &kind.0).map_err(|error| raise(py, &error))?;
    let given = given(fields)?;
    let (activity, lead) = session.write(py, move |ctx, txn| {
        let mut fields = blank(kind, ctx.now());
        patch(&mut fields, &given, true)?;
        let to: Option<Move> = match &to {
            Some(to) => {
                let here = desk::leads::get(ctx, txn, lead.id)?;
                Some(target(ctx, txn, Some(&here), to)?)
            }
            None => None,
        };
        let logged = activities::log(ctx, txn, lead.id, lead.expect, fields, to.as_ref()).map_err(renamed)?;
        Ok((logged.activity, named(txn, logged.lead)?))
    })?;
    Ok((py_activity(py, &activity)?, lead))
}

/// One activity.
#[pyfunction]
pub(crate) fn activity_get<'py>(
    py: Python<'py>,
    session: &Session,
    activity: ActivityArg,
) -> PyResult<Any<'py>> {
    let found = session.read(py, move |ctx, txn| activities::get(ctx, txn, activity.id))?;
    py_activity(py, &found)
}

/// Changes some fields of an activity; none empties one.
#[pyfunction]
pub(crate) fn activity_edit<'py>(
    py: Python<'py>,
    session: &Session,
    activity: ActivityArg,
    changes: &Bound<'py, PyDict>,
) -> PyResult<Any<'py>> {
    let given = given(changes)?;
    let after = session.write(py, move |ctx, txn| {
        let mut fields = activities::get(ctx, txn, activity.id)?.fields;
        patch(&mut fields, &given, false)?;
        activities::edit(ctx, txn, activity.id, activity.expect, fields).map_err(renamed)
    })?;
    py_activity(py, &after)
}

/// Removes an activity.
#[pyfunction]
pub(crate) fn activity_delete(py: Python<'_>, session: &Session, activity: ActivityArg) -> PyResult<()> {
    session.write(py, move |ctx, txn| activities::delete(ctx, txn, activity.id, activity.expect))
}

/// The error of a call that takes nothing but the activity: what it has that stands against the call.
fn of_activity(error: Error) -> Error {
    crate::errors::renamed(error, |_| Some("activity".to_owned()))
}

/// Does what people do with one click: `reopen`, `cancel` or `snooze`.
#[pyfunction]
pub(crate) fn activity_act<'py>(
    py: Python<'py>,
    session: &Session,
    activity: ActivityArg,
    act: Text,
) -> PyResult<Any<'py>> {
    let act = match act.0.as_str() {
        "reopen" => activities::reopen,
        "cancel" => activities::cancel,
        "snooze" => activities::snooze,
        _ => return Err(invalid(py, "act", ViolationCode::Unknown, "there is no such act")),
    };
    let after = session
        .write(py, move |ctx, txn| act(ctx, txn, activity.id, activity.expect).map_err(of_activity))?;
    py_activity(py, &after)
}

/// One occurrence of a series does not take place.
#[pyfunction]
pub(crate) fn activity_skip<'py>(
    py: Python<'py>,
    session: &Session,
    activity: ActivityArg,
    day: When,
) -> PyResult<Any<'py>> {
    let after = session.write(py, move |ctx, txn| {
        activities::skip(ctx, txn, activity.id, activity.expect, day.date("day")?)
    })?;
    py_activity(py, &after)
}

/// One occurrence of a series takes place otherwise: the series, and the meeting in its place.
#[pyfunction]
pub(crate) fn activity_replace<'py>(
    py: Python<'py>,
    session: &Session,
    activity: ActivityArg,
    day: When,
    changes: &Bound<'py, PyDict>,
) -> PyResult<(Any<'py>, Any<'py>)> {
    let given = given(changes)?;
    let done = session.write(py, move |ctx, txn| {
        let day = day.date("day")?;
        let mut by = activities::occurrence(ctx, txn, activity.id, day)?;
        let (was, remind_at) = (by.clone(), by.remind_at);
        patch(&mut by, &given, false)?;
        if by.remind_at == remind_at {
            by.move_reminder(&was);
        }
        activities::replace(ctx, txn, activity.id, activity.expect, day, by).map_err(renamed)
    })?;
    Ok((py_activity(py, &done.series)?, py_activity(py, &done.meeting)?))
}

/// Completes an activity: it, and the next task of a series.
#[pyfunction]
pub(crate) fn activity_complete<'py>(
    py: Python<'py>,
    session: &Session,
    activity: ActivityArg,
) -> PyResult<(Any<'py>, Option<Any<'py>>)> {
    let done = session.write(py, move |ctx, txn| {
        activities::complete(ctx, txn, activity.id, activity.expect).map_err(of_activity)
    })?;
    let next = done.next.as_ref().map(|next| py_activity(py, next)).transpose()?;
    Ok((py_activity(py, &done.activity)?, next))
}

/// The error of a call with arguments of its own: an activity of another kind is told at `activity`.
fn of_kind(error: Error) -> Error {
    crate::errors::renamed(error, |field| (field == "kind").then(|| "activity".to_owned()))
}

/// Says what came of a call.
#[pyfunction]
pub(crate) fn activity_complete_call<'py>(
    py: Python<'py>,
    session: &Session,
    activity: ActivityArg,
    outcome: Text,
    duration: Option<Count>,
) -> PyResult<Any<'py>> {
    let outcome = self::outcome(&outcome).map_err(|error| raise(py, &error))?;
    let seconds = duration.map(|Count(seconds)| u32::try_from(seconds)).transpose().map_err(|_| {
        invalid(py, "duration", ViolationCode::OutOfRange, "a call takes at most 604,800 seconds")
    })?;
    let after = session.write(py, move |ctx, txn| {
        let done = activities::complete_call(ctx, txn, activity.id, activity.expect, outcome, seconds);
        done.map_err(of_kind)
    })?;
    py_activity(py, &after)
}

/// Gives an activity to a user, or to nobody.
#[pyfunction]
pub(crate) fn activity_assign<'py>(
    py: Python<'py>,
    session: &Session,
    activity: ActivityArg,
    user: Option<Text>,
) -> PyResult<Any<'py>> {
    let user = user_of(py, "user", user)?;
    let after = session.write(py, move |ctx, txn| {
        let given = activities::assign(ctx, txn, activity.id, activity.expect, user.clone());
        given.map_err(|error| {
            crate::errors::renamed(error, |field| (field == "assignee").then(|| "user".to_owned()))
        })
    })?;
    py_activity(py, &after)
}

/// Says how far a request for an estimate is.
#[pyfunction]
pub(crate) fn activity_set_state<'py>(
    py: Python<'py>,
    session: &Session,
    activity: ActivityArg,
    state: Text,
) -> PyResult<Any<'py>> {
    let state = self::state(&state).map_err(|error| raise(py, &error))?;
    let after = session.write(py, move |ctx, txn| {
        activities::set_state(ctx, txn, activity.id, activity.expect, state).map_err(of_kind)
    })?;
    py_activity(py, &after)
}

/// A page of activities: about a record, of a user, or all.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the keyword arguments of one Python method")]
pub(crate) fn activity_page<'py>(
    py: Python<'py>,
    session: &Session,
    subject: Option<SubjectArg>,
    user: Option<Text>,
    kinds: Vec<Text>,
    open: Option<bool>,
    ascending: bool,
    after: Option<Text>,
    limit: Limit,
) -> PyResult<PyPage<'py>> {
    let mut kinds = kinds_of(&kinds).map_err(|error| raise(py, &error))?;
    if kinds.is_empty() {
        // None was named; the package refuses an empty list.
        kinds = ActivityKind::ALL.to_vec();
    }
    let user = user_of(py, "user", user)?;
    let subject = subject.map(|subject| subject.0);
    let listing = listing(py, open, ascending, after.as_ref(), limit)?;
    let page = session.read(py, move |ctx, txn| match (&subject, &user) {
        (Some(subject), _) => activities::of(ctx, txn, *subject, &kinds, &listing),
        (None, Some(user)) => activities::assigned_to(ctx, txn, user, &kinds, &listing),
        (None, None) => activities::all(ctx, txn, &kinds, &listing),
    })?;
    let items = page.items.iter().map(|activity| py_activity(py, activity)).collect::<PyResult<_>>()?;
    Ok((items, page.next.map(|next| to_json(py, &next)).transpose()?))
}

/// One activity as iCalendar text.
#[pyfunction]
pub(crate) fn activity_ical(py: Python<'_>, session: &Session, activity: ActivityArg) -> PyResult<String> {
    session.read(py, move |ctx, txn| {
        check_ical(&activities::get(ctx, txn, activity.id)?)?;
        desk::ical::activity(ctx, txn, activity.id)
    })
}

fn check_ical(activity: &Activity) -> Result<()> {
    let body = &activity.fields.body;
    if matches!(body, ActivityBody::Call(_) | ActivityBody::Task(_) | ActivityBody::Meeting(_)) {
        return Ok(());
    }
    let message = "only calls, tasks and meetings have a place in a calendar";
    Err(Error::invalid_field("activity", ViolationCode::NotAllowed, message))
}
