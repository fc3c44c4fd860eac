//! Activities as Python objects, and places in lists of them.

use chrono::TimeDelta;
use leadcore::desk::Expect;
use leadcore::domain::{Activity, ActivityBody, ActivityKind, CallOutcome, Moment, Participant, Subject};
use leadcore::error::{Error, Result, ViolationCode};
use leadcore::id::{ActivityId, Revision, UserId};
use leadcore::time::Timestamp;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule, PyTuple};

use crate::convert::{Id, Text};
use crate::hints::listed;

/// The record classes of activities, which are written in Python.
pub(crate) fn classes(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static CLASSES: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let classes = CLASSES.get_or_try_init(py, || py.import("leadcore.activity").map(Bound::unbind))?;
    Ok(classes.bind(py))
}

/// Whether this is an activity that was read.
pub(crate) fn is_activity(obj: &Bound<'_, PyAny>) -> PyResult<bool> {
    obj.is_instance(&classes(obj.py())?.getattr("Activity")?)
}

/// An activity to write: with the revision of the object when one is given, else whatever is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActivityArg {
    pub(crate) id: ActivityId,
    pub(crate) expect: Expect,
}

impl<'a, 'py> FromPyObject<'a, 'py> for ActivityArg {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let Id(id) = obj.extract()?;
        let expect = match is_activity(&obj)? {
            true => Revision::new(obj.getattr("revision")?.extract::<u64>()?).into(),
            false => Expect::Any,
        };
        Ok(Self { id: ActivityId::from_uuid(id), expect })
    }
}

/// The kind with this name.
pub(crate) fn kind_of(path: &str, code: &str) -> Result<ActivityKind> {
    ActivityKind::from_code(code).ok_or_else(|| {
        let known: Vec<_> = ActivityKind::ALL.iter().map(|kind| kind.code()).collect();
        Error::invalid_field(path, ViolationCode::Unknown, format!("this is one of {}", listed(&known)))
    })
}

/// Kinds by their names.
pub(crate) fn kinds_of(kinds: &[Text]) -> Result<Vec<ActivityKind>> {
    kinds.iter().enumerate().map(|(n, kind)| kind_of(&format!("kinds[{n}]"), &kind.0)).collect()
}

/// A record as kind and id.
pub(crate) fn py_subject<'py>(py: Python<'py>, subject: &Subject) -> PyResult<Bound<'py, PyTuple>> {
    (subject.kind.code(), subject.id).into_pyobject(py)
}

/// Several records.
pub(crate) fn py_subjects<'py>(py: Python<'py>, subjects: &[Subject]) -> PyResult<Bound<'py, PyTuple>> {
    let subjects = subjects.iter().map(|it| py_subject(py, it)).collect::<PyResult<Vec<_>>>()?;
    PyTuple::new(py, subjects)
}

/// A `date` for a whole day, else a `datetime`.
pub(crate) fn py_moment(py: Python<'_>, moment: Moment) -> PyResult<Bound<'_, PyAny>> {
    Ok(match moment.day {
        Some(day) => day.to_naive().into_pyobject(py)?.into_any(),
        None => moment.at.to_datetime().into_pyobject(py)?.into_any(),
    })
}

fn py_participant<'py>(py: Python<'py>, one: &Participant) -> PyResult<Bound<'py, PyAny>> {
    Ok(match one {
        Participant::User(user) => ("user", user.as_str()).into_pyobject(py)?.into_any(),
        Participant::Record(subject) => py_subject(py, subject)?.into_any(),
        Participant::Other(text) => text.into_pyobject(py)?.into_any(),
        _ => py.None().into_bound(py),
    })
}

/// An activity as its Python class.
pub(crate) fn py_activity<'py>(py: Python<'py>, activity: &Activity) -> PyResult<Bound<'py, PyAny>> {
    let (dict, fields) = (PyDict::new(py), &activity.fields);
    dict.set_item("id", activity.id.as_uuid())?;
    dict.set_item("revision", activity.revision.get())?;
    dict.set_item("kind", activity.kind().code())?;
    dict.set_item("about", py_subjects(py, &activity.about)?)?;
    dict.set_item("at", activity.at().to_datetime())?;
    dict.set_item("is_open", activity.is_open())?;
    dict.set_item("title", fields.title.as_deref())?;
    dict.set_item("text", fields.text.as_deref())?;
    dict.set_item("assignee", fields.assignee.as_ref().map(UserId::as_str))?;
    dict.set_item("remind_at", fields.remind_at.map(Timestamp::to_datetime))?;
    dict.set_item("created_by", activity.created_by.user().map(UserId::as_str))?;
    dict.set_item("created_at", activity.created_at.to_datetime())?;
    dict.set_item("updated_at", activity.updated_at.to_datetime())?;
    py_body(&dict, &fields.body)?;
    classes(py)?.getattr("Activity")?.call((), Some(&dict))
}

fn py_body(dict: &Bound<'_, PyDict>, body: &ActivityBody) -> PyResult<()> {
    let py = dict.py();
    match body {
        ActivityBody::Comment { icon, color } => {
            dict.set_item("icon", icon.as_deref())?;
            dict.set_item("color", color.as_deref())?;
        }
        ActivityBody::Call(call) => {
            dict.set_item("direction", call.direction.code())?;
            dict.set_item("outcome", call.outcome.map(CallOutcome::code))?;
            dict.set_item("duration", call.duration.map(|seconds| TimeDelta::seconds(seconds.into())))?;
            dict.set_item("number", call.number.as_deref())?;
        }
        ActivityBody::Task(task) => {
            dict.set_item("due", task.due.map(|due| py_moment(py, due)).transpose()?)?;
            dict.set_item("priority", task.priority.code())?;
            dict.set_item("next_id", task.next.map(ActivityId::as_uuid))?;
            dict.set_item("done_at", task.done_at.map(Timestamp::to_datetime))?;
            dict.set_item("recurrence", task.recurrence.as_ref().map(ToString::to_string))?;
        }
        ActivityBody::Meeting(meeting) => {
            let people = meeting.participants.iter().map(|one| py_participant(py, one));
            dict.set_item("start", py_moment(py, meeting.start)?)?;
            dict.set_item("end", py_moment(py, meeting.end)?)?;
            dict.set_item("zone", meeting.zone.as_deref())?;
            dict.set_item("place", meeting.place.as_deref())?;
            dict.set_item("participants", PyTuple::new(py, people.collect::<PyResult<Vec<_>>>()?)?)?;
            dict.set_item("recurrence", meeting.recurrence.as_ref().map(ToString::to_string))?;
            let days = meeting.exceptions.iter().map(|day| day.to_naive());
            dict.set_item("exceptions", PyTuple::new(py, days.collect::<Vec<_>>())?)?;
            let instead = meeting.instead_of.map(|it| (it.series.as_uuid(), it.day.to_naive()));
            dict.set_item("instead_of", instead)?;
            dict.set_item("held_until", meeting.held_until.map(Timestamp::to_datetime))?;
            dict.set_item("canceled", meeting.canceled)?;
        }
        ActivityBody::Message(message) => {
            dict.set_item("channel", message.channel.code())?;
            dict.set_item("direction", message.direction.code())?;
            dict.set_item("sender", message.from.as_deref())?;
            dict.set_item("recipient", message.to.as_deref())?;
        }
        ActivityBody::Ticket { priority, closed_at } => {
            dict.set_item("priority", priority.code())?;
            dict.set_item("closed_at", closed_at.map(Timestamp::to_datetime))?;
        }
        ActivityBody::EstimateRequest { state } => dict.set_item("state", state.code())?,
        _ => {}
    }
    Ok(())
}
