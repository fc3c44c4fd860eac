//! Activities on their way in and out: what callers set on them, and the Python objects.

use chrono::{FixedOffset, TimeDelta};
use leadcore::desk::Expect;
use leadcore::domain::{
    Activity, ActivityBody, ActivityFields, ActivityKind, CallOutcome, Channel, Direction, FieldValue,
    Meeting, Moment, Participant, Place, Priority, Recurrence, RequestState, Subject, Task,
};
use leadcore::error::{Error, Result, ValueError, Violation, ViolationCode};
use leadcore::id::{ActivityId, Revision, UserId};
use leadcore::time::Timestamp;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule, PyString, PyTuple};
use uuid::Uuid;

use crate::convert::{Id, Text, value_of};
use crate::errors::{invalid, raise};
use crate::hints::listed;
use crate::subject::SubjectArg;

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

/// What was given for one field.
#[derive(Debug, Clone)]
pub(crate) enum Given {
    Value(FieldValue),
    People(Vec<Participant>),
}

/// Fields by their keys, as far as they can be read without a store.
pub(crate) type GivenFields = Vec<(String, Given)>;

/// Reads what was given; every misfit at once.
pub(crate) fn given(fields: &Bound<'_, PyDict>) -> PyResult<GivenFields> {
    let (mut values, mut broken) = (Vec::with_capacity(fields.len()), Vec::new());
    for (key, value) in fields.iter() {
        let Text(key) = key.extract()?;
        if key == "participants" && !value.is_none() {
            match people(&value) {
                Ok(people) => values.push((key, Given::People(people))),
                Err(found) => broken.extend(found),
            }
            continue;
        }
        match value_of(&value) {
            Ok(value) => values.push((key, Given::Value(value))),
            Err(error) => broken.push(error.at(key)),
        }
    }
    if broken.is_empty() { Ok(values) } else { Err(raise(fields.py(), &Error::invalid(broken))) }
}

fn people(value: &Bound<'_, PyAny>) -> Result<Vec<Participant>, Vec<Violation>> {
    let malformed = || ValueError::new(ViolationCode::Malformed, PARTICIPANT);
    let several = if value.is_instance_of::<PyString>() { None } else { value.try_iter().ok() };
    let Some(several) = several else { return Err(vec![malformed().at("participants")]) };
    let (mut people, mut broken) = (Vec::new(), Vec::new());
    for (n, one) in several.enumerate() {
        match one.map_err(|_| malformed()).and_then(|one| participant(&one)) {
            Ok(one) => people.push(one),
            Err(error) => broken.push(error.at(format!("participants[{n}]"))),
        }
    }
    if broken.is_empty() { Ok(people) } else { Err(broken) }
}

const PARTICIPANT: &str =
    "who takes part is a record, `(\"user\", id)`, or the name or address of anybody else as text";

fn participant(one: &Bound<'_, PyAny>) -> Result<Participant, ValueError> {
    let malformed = || ValueError::new(ViolationCode::Malformed, PARTICIPANT);
    if one.is_instance_of::<PyString>() {
        return one.extract::<Text>().map(|text| Participant::Other(text.0)).map_err(|_| malformed());
    }
    if let Ok((Text(kind), Text(user))) = one.extract::<(Text, Text)>()
        && kind == "user"
    {
        return UserId::new(user).map(Participant::User);
    }
    one.extract::<SubjectArg>().map(|it| Participant::Record(it.0)).map_err(|_| malformed())
}

/// An activity of this kind of which nothing is said yet: now, from us.
pub(crate) fn blank(kind: ActivityKind, now: Timestamp) -> ActivityFields {
    let body = match kind {
        ActivityKind::Comment => ActivityBody::Comment { icon: None, color: None },
        ActivityKind::Call => return ActivityFields::call(Direction::Outbound, now),
        ActivityKind::Task => {
            let priority = Priority::Normal;
            ActivityBody::Task(Task { due: None, priority, done_at: None, recurrence: None })
        }
        ActivityKind::Meeting => {
            return ActivityFields { title: None, ..ActivityFields::meeting("", now, now) };
        }
        ActivityKind::Message => return ActivityFields::message(Channel::Email, Direction::Outbound, now),
        ActivityKind::Ticket => ActivityBody::Ticket { priority: Priority::Normal, closed_at: None },
        ActivityKind::EstimateRequest => ActivityBody::EstimateRequest { state: RequestState::New },
        _ => ActivityBody::Note,
    };
    ActivityFields::of(body)
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

/// Writes what was given over what is there; every misfit at once. A meeting that begins at another time ends as much
/// later, where nothing is said of its end; a new one takes an hour.
pub(crate) fn patch(
    fields: &mut ActivityFields,
    given: &GivenFields,
    is_new: bool,
    offset: FixedOffset,
) -> Result<()> {
    let before = match &fields.body {
        ActivityBody::Meeting(meeting) => Some((meeting.start, meeting.end)),
        _ => None,
    };
    let broken = given.iter().filter_map(|(key, value)| {
        let written = match value {
            Given::Value(value) => write(fields, key, value, offset),
            Given::People(people) => write_people(fields, people),
        };
        written.err().map(|error| error.at(key))
    });
    let mut broken: Vec<_> = broken.collect();
    let has = |wanted: &str| given.iter().any(|(key, _)| key == wanted);
    if let (Some(before), ActivityBody::Meeting(meeting)) = (before, &mut fields.body) {
        if is_new && !has("start") {
            broken.push(Violation::new("start", ViolationCode::Required, "a meeting says when it begins"));
        } else if has("start") && !has("end") {
            meeting.end = end_of(meeting, if is_new { None } else { Some(before) });
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
}

/// When a meeting ends of which only the start is said, that lay between these times before.
fn end_of(meeting: &Meeting, before: Option<(Moment, Moment)>) -> Moment {
    let start = meeting.start;
    match (start.day, before) {
        (Some(_), Some((Moment { day: Some(from), .. }, Moment { day: Some(to), .. }))) => {
            start.plus_days(to.as_days().saturating_sub(from.as_days()))
        }
        (Some(_), _) => start,
        (None, Some((Moment { day: None, at: from }, Moment { day: None, at: to }))) => {
            Moment::at(start.at.saturating_add(to.since(from)))
        }
        (None, _) => Moment::at(start.at.saturating_add(TimeDelta::hours(1))),
    }
}

fn write_people(fields: &mut ActivityFields, people: &[Participant]) -> Result<(), ValueError> {
    let ActivityBody::Meeting(meeting) = &mut fields.body else { return Err(no_field()) };
    meeting.participants = people.to_vec();
    Ok(())
}

fn no_field() -> ValueError {
    ValueError::new(ViolationCode::NotAllowed, "an activity of this kind has no such field")
}

fn write(
    fields: &mut ActivityFields,
    key: &str,
    value: &FieldValue,
    offset: FixedOffset,
) -> Result<(), ValueError> {
    match (key, &mut fields.body) {
        ("title", _) => fields.title = text(value)?,
        ("text", _) => fields.text = text(value)?,
        ("assignee", _) => fields.assignee = text(value)?.map(UserId::new).transpose()?,
        ("remind_at", _) => fields.remind_at = time(value)?,
        ("icon", ActivityBody::Comment { icon, .. }) => *icon = text(value)?,
        ("color", ActivityBody::Comment { color, .. }) => *color = text(value)?,
        ("at", ActivityBody::Call(call)) => call.at = needed(time(value)?)?,
        ("direction", ActivityBody::Call(call)) => call.direction = coded(value, DIRECTIONS)?,
        ("outcome", ActivityBody::Call(call)) => call.outcome = coded_or_none(value, OUTCOMES)?,
        ("duration", ActivityBody::Call(call)) => call.duration = seconds(value)?,
        ("number", ActivityBody::Call(call)) => call.number = text(value)?,
        ("due", ActivityBody::Task(task)) => task.due = moment(value, offset)?,
        ("priority", ActivityBody::Task(Task { priority, .. }) | ActivityBody::Ticket { priority, .. }) => {
            *priority = coded(value, PRIORITIES)?;
        }
        ("done_at", ActivityBody::Task(task)) => task.done_at = time(value)?,
        (
            "recurrence",
            ActivityBody::Task(Task { recurrence, .. }) | ActivityBody::Meeting(Meeting { recurrence, .. }),
        ) => *recurrence = text(value)?.map(|rule| Recurrence::parse(&rule)).transpose()?,
        ("start", ActivityBody::Meeting(meeting)) => meeting.start = needed(moment(value, offset)?)?,
        ("end", ActivityBody::Meeting(meeting)) => meeting.end = needed(moment(value, offset)?)?,
        ("zone", ActivityBody::Meeting(meeting)) => meeting.zone = text(value)?,
        ("place", ActivityBody::Meeting(meeting)) => meeting.place = text(value)?,
        ("participants", ActivityBody::Meeting(meeting)) => meeting.participants.clear(),
        ("at", ActivityBody::Message(message)) => message.at = needed(time(value)?)?,
        ("channel", ActivityBody::Message(message)) => message.channel = coded(value, CHANNELS)?,
        ("direction", ActivityBody::Message(message)) => message.direction = coded(value, DIRECTIONS)?,
        ("sender", ActivityBody::Message(message)) => message.from = text(value)?,
        ("recipient", ActivityBody::Message(message)) => message.to = text(value)?,
        ("closed_at", ActivityBody::Ticket { closed_at, .. }) => *closed_at = time(value)?,
        ("state", ActivityBody::EstimateRequest { state }) => *state = coded(value, STATES)?,
        _ => return Err(no_field()),
    }
    Ok(())
}

/// The values that a field chooses from, and their names.
type Codes<T> = (&'static [T], fn(T) -> &'static str);

const DIRECTIONS: Codes<Direction> = (Direction::ALL, Direction::code);
const OUTCOMES: Codes<CallOutcome> = (CallOutcome::ALL, CallOutcome::code);
const PRIORITIES: Codes<Priority> = (Priority::ALL, Priority::code);
const CHANNELS: Codes<Channel> = (Channel::ALL, Channel::code);
const STATES: Codes<RequestState> = (RequestState::ALL, RequestState::code);

fn coded<T: Copy>(value: &FieldValue, codes: Codes<T>) -> Result<T, ValueError> {
    needed(coded_or_none(value, codes)?)
}

fn coded_or_none<T: Copy>(value: &FieldValue, (all, code): Codes<T>) -> Result<Option<T>, ValueError> {
    let Some(given) = text(value)? else { return Ok(None) };
    let found = all.iter().copied().find(|it| code(*it) == given);
    found.map(Some).ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|it| code(*it)).collect();
        ValueError::new(ViolationCode::Unknown, format!("this is one of {}", listed(&known)))
    })
}

/// What came of a call, by its name.
pub(crate) fn outcome(code: &Text) -> Result<CallOutcome> {
    coded(&code.0.as_str().into(), OUTCOMES).map_err(|error| error.at("outcome").into())
}

/// How far a request is, by its name.
pub(crate) fn state(code: &Text) -> Result<RequestState> {
    coded(&code.0.as_str().into(), STATES).map_err(|error| error.at("state").into())
}

fn needed<T>(value: Option<T>) -> Result<T, ValueError> {
    value.ok_or_else(|| ValueError::new(ViolationCode::Required, "must have a value"))
}

fn text(value: &FieldValue) -> Result<Option<String>, ValueError> {
    match value {
        FieldValue::Empty => Ok(None),
        FieldValue::Text(text) => Ok(Some(text.clone())),
        _ => Err(ValueError::new(ViolationCode::Malformed, "this field takes text")),
    }
}

fn time(value: &FieldValue) -> Result<Option<Timestamp>, ValueError> {
    match value {
        FieldValue::Empty => Ok(None),
        FieldValue::Time(at) => Ok(Some(*at)),
        _ => Err(ValueError::new(ViolationCode::Malformed, "this field takes a datetime with a time zone")),
    }
}

fn seconds(value: &FieldValue) -> Result<Option<u32>, ValueError> {
    match value {
        FieldValue::Empty => Ok(None),
        FieldValue::Integer(seconds) => u32::try_from(*seconds)
            .map(Some)
            .map_err(|_| ValueError::new(ViolationCode::OutOfRange, "a call takes 0 to 604,800 seconds")),
        _ => Err(ValueError::new(ViolationCode::Malformed, "this field takes a timedelta or seconds")),
    }
}

/// A point of time, or a whole day where the user lives.
fn moment(value: &FieldValue, offset: FixedOffset) -> Result<Option<Moment>, ValueError> {
    match value {
        FieldValue::Empty => Ok(None),
        FieldValue::Time(at) => Ok(Some(Moment::at(*at))),
        FieldValue::Date(day) => Ok(Some(Moment::day(*day, offset))),
        _ => Err(ValueError::new(
            ViolationCode::Malformed,
            "this field takes a date, or a datetime with a time zone",
        )),
    }
}

/// The addresses of a message by the names that they have in Python, where `from` is a word of the language.
pub(crate) fn renamed(error: Error) -> Error {
    let known = |field: &str| matches!(field, "from" | "to");
    if !error.violations().iter().any(|broken| known(&broken.field)) {
        return error;
    }
    let renamed = error.violations().iter().cloned().map(|mut broken| {
        match broken.field.as_str() {
            "from" => "sender".clone_into(&mut broken.field),
            "to" => "recipient".clone_into(&mut broken.field),
            _ => {}
        }
        broken
    });
    Error::invalid(renamed.collect())
}

/// A place in a list as text, to be handed back.
pub(crate) fn place_text(place: Place) -> String {
    format!("{}/{}", place.at, place.child.simple())
}

/// The place that [`place_text`] wrote.
pub(crate) fn place_of(py: Python<'_>, text: Option<Text>) -> PyResult<Option<Place>> {
    let Some(Text(text)) = text else { return Ok(None) };
    let place = text
        .split_once('/')
        .and_then(|(at, child)| Some(Place { at: at.parse().ok()?, child: Uuid::try_parse(child).ok()? }));
    let broken = || invalid(py, "after", ViolationCode::Malformed, "this is not a page cursor");
    place.map(Some).ok_or_else(broken)
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
