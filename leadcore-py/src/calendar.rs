//! The calendar of calls, tasks and meetings, and the reminders of activities.

use leadcore::context::Context;
use leadcore::desk::calendar::{self, CalendarEntry, Overview, OverviewQuery};
use leadcore::desk::ical::Feed;
use leadcore::desk::{ical, reminders};
use leadcore::domain::{ActivityKind, FieldValue, Subject};
use leadcore::error::ViolationCode;
use leadcore::id::{ActivityId, UserId};
use leadcore::time::{Date, Timestamp};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt};
use uuid::Uuid;

use crate::activities::user_of;
use crate::activity::{classes, kinds_of, py_activity, py_moment, py_subjects};
use crate::arguments::Parts;
use crate::convert::{Id, Limit, Text, to_json, value_of};
use crate::errors::{invalid, raise};
use crate::listing::place;
use crate::session::Session;
use crate::subject::SubjectArg;

/// Entries, the place behind them, and what could not be expanded.
type PyOverview<'py> = (Vec<Bound<'py, PyAny>>, Option<String>, Vec<Uuid>);

/// A day or a point of time.
#[derive(Debug, Clone)]
pub(crate) struct When(FieldValue);

impl<'a, 'py> FromPyObject<'a, 'py> for When {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let wrong = |message: &str| Err(invalid(obj.py(), "id", ViolationCode::Malformed, message));
        match value_of(&obj) {
            Ok(value @ (FieldValue::Date(_) | FieldValue::Time(_))) => Ok(Self(value)),
            Ok(_) => wrong("this is a date, or a datetime with a time zone"),
            Err(error) => wrong(&error.to_string()),
        }
    }
}

impl When {
    /// The day, of a date only: which day a point of time falls on depends on where one is.
    pub(crate) fn date(&self, path: &str) -> leadcore::error::Result<Date> {
        match &self.0 {
            FieldValue::Date(day) => Ok(*day),
            _ => Err(leadcore::error::Error::invalid_field(path, ViolationCode::Malformed, "this is a date")),
        }
    }

    /// The point of time: of a day its beginning where the user lives.
    fn instant(&self, ctx: &Context<'_>) -> Timestamp {
        match &self.0 {
            FieldValue::Time(at) => *at,
            FieldValue::Date(day) => day.begin(ctx.utc_offset()),
            _ => ctx.now(),
        }
    }
}

/// A whole number; what is too large is out of range too, and the core says of what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole(i64);

impl<'a, 'py> FromPyObject<'a, 'py> for Whole {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let number = obj.cast::<PyInt>()?;
        Ok(Self(number.extract::<i64>().unwrap_or(i64::MAX)))
    }
}

/// Which part of the calendar, as the package hands it over: from, to, kinds, assignee, about.
#[derive(Debug, Clone)]
pub(crate) struct Range {
    start: When,
    to: When,
    kinds: Vec<ActivityKind>,
    assignee: Option<UserId>,
    about: Option<Subject>,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Range {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let py = obj.py();
        let mut parts = Parts::new(&obj)?;
        let (start, to) = (parts.read("start")?, parts.read("to")?);
        let kinds: Vec<Text> = parts.read("kinds")?;
        let kinds = kinds_of(&kinds).map_err(|error| raise(py, &error))?;
        let assignee = user_of(py, "assignee", parts.read("assignee")?)?;
        let about: Option<SubjectArg> = parts.read("about")?;
        Ok(Self { start, to, kinds, assignee, about: about.map(|about| about.0) })
    }
}

impl Range {
    fn query(&self, ctx: &Context<'_>) -> OverviewQuery {
        let mut query = OverviewQuery::new(self.start.instant(ctx), self.to.instant(ctx));
        // All of them, when not said; the package refuses an empty list.
        query.kinds = (!self.kinds.is_empty()).then(|| self.kinds.clone());
        query.assignee.clone_from(&self.assignee);
        query.about = self.about;
        query
    }
}

/// A page of the calls, tasks and meetings of a range of time.
#[pyfunction]
pub(crate) fn calendar_overview<'py>(
    py: Python<'py>,
    session: &Session,
    range: Range,
    after: Option<Text>,
    limit: Limit,
) -> PyResult<PyOverview<'py>> {
    let after = place(py, after.as_ref())?;
    let overview = session.read(py, move |ctx, txn| {
        calendar::overview(ctx, txn, &range.query(ctx).after(after).limit(limit.0))
    })?;
    py_overview(py, &overview)
}

/// The calendar of a month.
#[pyfunction]
pub(crate) fn calendar_month<'py>(
    py: Python<'py>,
    session: &Session,
    year: Whole,
    month: Whole,
) -> PyResult<PyOverview<'py>> {
    let year = i32::try_from(year.0).unwrap_or(i32::MAX);
    let month = u32::try_from(month.0).unwrap_or(u32::MAX);
    let overview = session.read(py, move |ctx, txn| calendar::month(ctx, txn, year, month))?;
    py_overview(py, &overview)
}

fn py_overview<'py>(py: Python<'py>, overview: &Overview) -> PyResult<PyOverview<'py>> {
    let entries = overview.entries.iter().map(|entry| py_entry(py, entry)).collect::<PyResult<_>>()?;
    let unexpanded = overview.unexpanded.iter().copied().map(ActivityId::as_uuid).collect();
    Ok((entries, overview.next.map(|next| to_json(py, &next)).transpose()?, unexpanded))
}

fn py_entry<'py>(py: Python<'py>, entry: &CalendarEntry) -> PyResult<Bound<'py, PyAny>> {
    let dict = PyDict::new(py);
    dict.set_item("activity_id", entry.activity.as_uuid())?;
    dict.set_item("kind", entry.kind.code())?;
    dict.set_item("title", entry.title.as_deref())?;
    dict.set_item("assignee", entry.assignee.as_ref().map(UserId::as_str))?;
    dict.set_item("start", py_moment(py, entry.start)?)?;
    dict.set_item("end", py_moment(py, entry.end)?)?;
    dict.set_item("is_open", entry.is_open)?;
    dict.set_item("canceled", entry.canceled)?;
    dict.set_item("about", py_subjects(py, &entry.about)?)?;
    dict.set_item("occurrence", entry.occurrence.map(Date::to_naive))?;
    classes(py)?.getattr("CalendarEntry")?.call((), Some(&dict))
}

/// A range of time as iCalendar text.
#[pyfunction]
pub(crate) fn calendar_ical(
    py: Python<'_>,
    session: &Session,
    range: Range,
) -> PyResult<(String, Vec<Uuid>)> {
    session.read(py, move |ctx, txn| ical::overview(ctx, txn, &range.query(ctx))).map(py_feed)
}

/// The text, and what could not be written.
fn py_feed(feed: Feed) -> (String, Vec<Uuid>) {
    (feed.text, feed.left_out.into_iter().map(ActivityId::as_uuid).collect())
}

/// What is about a record as iCalendar text.
#[pyfunction]
pub(crate) fn calendar_ical_of(
    py: Python<'_>,
    session: &Session,
    subject: SubjectArg,
) -> PyResult<(String, Vec<Uuid>)> {
    session.read(py, move |ctx, txn| ical::of(ctx, txn, subject.0)).map(py_feed)
}

/// The reminders that are due.
#[pyfunction]
pub(crate) fn reminder_due<'py>(
    py: Python<'py>,
    session: &Session,
    until: Option<When>,
    after: Option<Text>,
    limit: Limit,
) -> PyResult<(Vec<Bound<'py, PyAny>>, Option<String>)> {
    let after = place(py, after.as_ref())?;
    let page = session.read(py, move |ctx, txn| {
        let until = until.as_ref().map(|until| until.instant(ctx));
        reminders::due(ctx, txn, until, after, limit.0)
    })?;
    let class = classes(py)?.getattr("Reminder")?;
    let items = page
        .items
        .iter()
        .map(|reminder| class.call1((reminder.at.to_datetime(), py_activity(py, &reminder.activity)?)));
    Ok((items.collect::<PyResult<_>>()?, page.next.map(|next| to_json(py, &next)).transpose()?))
}

/// Somebody was reminded of these activities.
#[pyfunction]
pub(crate) fn reminder_acknowledge(py: Python<'_>, session: &Session, activities: Vec<Id>) -> PyResult<()> {
    let ids: Vec<_> = activities.into_iter().map(|id| ActivityId::from_uuid(id.0)).collect();
    session.write(py, move |ctx, txn| reminders::acknowledge(ctx, txn, &ids))
}
