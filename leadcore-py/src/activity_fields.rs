//! What callers set on activities: read from Python, and written over what is there.

use chrono::TimeDelta;
use leadcore::domain::{
    ActivityBody, ActivityFields, ActivityKind, CallOutcome, Channel, Direction, FieldValue, Meeting, Moment,
    Participant, Priority, Recurrence, RequestState, Task,
};
use leadcore::error::{Error, Result, ValueError, Violation, ViolationCode};
use leadcore::id::UserId;
use leadcore::time::{Date, Timestamp};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::convert::{Text, value_of};
use crate::errors::{self, raise};
use crate::hints::listed;
use crate::subject::SubjectArg;

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
    given_at(fields, "")
}

/// The same with `path` before the names in what is said of them.
pub(crate) fn given_at(fields: &Bound<'_, PyDict>, path: &str) -> PyResult<GivenFields> {
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
    if broken.is_empty() {
        return Ok(values);
    }
    let at = |one: Violation| Violation { field: format!("{path}{}", one.field), ..one };
    Err(raise(fields.py(), &Error::invalid(broken.into_iter().map(at).collect())))
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
            ActivityBody::Task(Task { due: None, priority, done_at: None, recurrence: None, next: None })
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

/// Writes what was given over what is there; every misfit at once. A meeting that begins at another time ends as much
/// later, where nothing is said of its end; a new one takes an hour.
pub(crate) fn patch(fields: &mut ActivityFields, given: &GivenFields, is_new: bool) -> Result<()> {
    let before = match &fields.body {
        ActivityBody::Meeting(meeting) => Some((meeting.start, meeting.end)),
        _ => None,
    };
    let broken = given.iter().filter_map(|(key, value)| {
        let written = match value {
            Given::Value(value) => write(fields, key, value),
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

fn write(fields: &mut ActivityFields, key: &str, value: &FieldValue) -> Result<(), ValueError> {
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
        ("due", ActivityBody::Task(task)) => task.due = moment(value)?,
        ("priority", ActivityBody::Task(Task { priority, .. }) | ActivityBody::Ticket { priority, .. }) => {
            *priority = coded(value, PRIORITIES)?;
        }
        ("done_at", ActivityBody::Task(task)) => task.done_at = time(value)?,
        (
            "recurrence",
            ActivityBody::Task(Task { recurrence, .. }) | ActivityBody::Meeting(Meeting { recurrence, .. }),
        ) => *recurrence = text(value)?.map(|rule| Recurrence::parse(&rule)).transpose()?,
        ("start", ActivityBody::Meeting(meeting)) => meeting.start = needed(moment(value)?)?,
        ("end", ActivityBody::Meeting(meeting)) => meeting.end = needed(moment(value)?)?,
        ("exceptions", ActivityBody::Meeting(meeting)) => meeting.exceptions = days(value)?,
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

/// A point of time, or a whole day.
fn moment(value: &FieldValue) -> Result<Option<Moment>, ValueError> {
    match value {
        FieldValue::Empty => Ok(None),
        FieldValue::Time(at) => Ok(Some(Moment::at(*at))),
        FieldValue::Date(day) => Ok(Some(Moment::day(*day))),
        _ => Err(ValueError::new(
            ViolationCode::Malformed,
            "this field takes a date, or a datetime with a time zone",
        )),
    }
}

/// The days on which a series does not take place.
fn days(value: &FieldValue) -> Result<Vec<Date>, ValueError> {
    let day = |item: &FieldValue| match item {
        FieldValue::Date(day) => Ok(*day),
        _ => Err(ValueError::new(ViolationCode::Malformed, "this field takes dates")),
    };
    value.items().iter().map(day).collect()
}

/// The addresses of a message by the names that they have in Python, where `from` is a word of the language.
pub(crate) fn renamed(error: Error) -> Error {
    errors::renamed(error, |field| {
        let (path, name) = field.rsplit_once('.').map_or(("", field), |(path, name)| (path, name));
        let name = match name {
            "from" => "sender",
            "to" => "recipient",
            _ => return None,
        };
        Some(if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") })
    })
}
