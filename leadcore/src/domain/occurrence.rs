//! When something that comes again comes: meetings, their series, and tasks (RFC 5545, sections 3.3.10 and 3.8.5.3).
//!
//! A series is expanded where it is held: it keeps the hour that clocks show there. An hour that clocks leave out is later
//! by as much as they are put forward; one that they show twice is the first. Whole days stay whole days. The occurrences
//! are those of the rule: a start that the rule leaves out is none of them.
//!
//! Series and time zones other than UTC need the feature `calendar`; without it they are refused when written.

use chrono::{Datelike as _, NaiveDate, NaiveTime, TimeDelta};

use crate::error::{Error, Result, Violation, ViolationCode};
use crate::time::{Date, Timestamp};

use super::activity::{ActivityBody, ActivityFields, Meeting, Moment, Task};
use super::agenda::AgendaDays;
use super::recurrence::days::SeriesDays;
use super::recurrence::{Recurrence, SeriesEnd};
use super::zone::Zone;

/// The longest that a meeting takes, in days.
const LONGEST_DAYS: i64 = 366;

/// One time that a meeting takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// When it begins.
    pub start: Moment,
    /// When it ends: after the same time as the first one. Of whole days the last one.
    pub end: Moment,
    /// The day where the meeting is held: what tells the occurrences of a series apart.
    pub day: Date,
}

/// A rule with the time that it starts from.
struct Series<'r> {
    rule: &'r Recurrence,
    first: Moment,
    day: NaiveDate,
    time: NaiveTime,
    zone: Zone,
    except: &'r [Date],
}

impl<'r> Series<'r> {
    fn new(rule: &'r Recurrence, first: Moment, zone: Zone) -> Self {
        let local = zone.local(first.at);
        let day = first.day.map_or(local.date(), Date::to_naive);
        Self { rule, first, day, time: local.time(), zone, except: &[] }
    }

    fn of(meeting: &'r Meeting) -> Result<Option<Self>> {
        let Some(rule) = &meeting.recurrence else { return Ok(None) };
        let zone = Zone::named(meeting.zone.as_deref())?;
        Ok(Some(Self { except: &meeting.exceptions, ..Self::new(rule, meeting.start, zone) }))
    }

    /// The occurrence of a day; none behind the end of the series and of time.
    fn on(&self, day: NaiveDate) -> Option<Moment> {
        let moment = if self.first.day.is_some() {
            let is_held = day <= Date::MAX.to_naive();
            Moment::day(is_held.then(|| Date::held(day))?)
        } else {
            Moment::at(self.zone.instant(day.and_time(self.time))?)
        };
        let goes_on = match (self.rule.end(), moment.day) {
            (SeriesEnd::Day(last), _) => day <= last.to_naive(),
            (SeriesEnd::At(last), Some(day)) => day <= Date::of(last),
            (SeriesEnd::At(last), None) => moment.at <= last,
            _ => true,
        };
        goes_on.then_some(moment)
    }

    /// Why no day was found although the rule has not ended.
    fn gave_up(&self) -> Error {
        let has_days = SeriesDays::new(self.rule.rule(), self.day).next().is_some();
        let (code, message) = if has_days {
            (ViolationCode::LimitReached, "the series has too many occurrences before this range")
        } else {
            (ViolationCode::OutOfRange, "the rule of the series fits no day")
        };
        Error::invalid_field("recurrence", code, message)
    }

    /// The occurrences from about this time on.
    fn from(&self, at: Timestamp) -> Walk<'_> {
        // A day earlier: the place of a whole day may lie in another day here.
        let day = self.zone.local(at).date().pred_opt().unwrap_or(self.day);
        Walk { series: self, days: SeriesDays::from(self.rule.rule(), self.day, day) }
    }

    fn all(&self) -> Walk<'_> {
        Walk { series: self, days: SeriesDays::new(self.rule.rule(), self.day) }
    }
}

struct Walk<'s> {
    series: &'s Series<'s>,
    days: SeriesDays<'s>,
}

impl Iterator for Walk<'_> {
    type Item = (NaiveDate, Moment);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let day = self.days.next()?;
            let moment = self.series.on(day)?;
            if self.series.except.binary_search(&Date::held(day)).is_err() {
                return Some((day, moment));
            }
        }
    }
}

impl Meeting {
    /// When it takes place next: the first occurrence that was not held and begins behind `after`.
    ///
    /// None when it is canceled or held, when its series has ended, and when the zone cannot be computed.
    ///
    /// ```
    /// # #[cfg(feature = "calendar")] {
    /// use leadcore::domain::{Meeting, Moment, Recurrence};
    /// let at = |text: &str| text.parse().map(Moment::at);
    /// let mut meeting = Meeting {
    ///     start: at("2026-10-19T07:00:00Z")?, end: at("2026-10-19T08:00:00Z")?, zone: Some("Europe/Oslo".into()),
    ///     place: None, participants: Vec::new(), recurrence: Some(Recurrence::weekly()), exceptions: Vec::new(),
    ///     instead_of: None, held_until: None, canceled: false,
    /// };
    /// assert_eq!(meeting.next_occurrence(None), Some(meeting.start.at));
    /// meeting.held_until = Some(meeting.start.at);
    /// // The clocks were put back in the night before: it is nine o'clock in Oslo again.
    /// meeting.held_until = meeting.next_occurrence(None);
    /// assert_eq!(meeting.next_occurrence(None), Some("2026-11-02T08:00:00Z".parse()?));
    /// # }
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    #[must_use]
    pub fn next_occurrence(&self, after: Option<Timestamp>) -> Option<Timestamp> {
        if self.canceled {
            return None;
        }
        match Series::of(self).ok()? {
            None => {
                let start = self.start.at;
                (self.held_until.is_none() && after.is_none_or(|after| start > after)).then_some(start)
            }
            Some(series) => {
                let after = after.max(self.held_until);
                let walk = after.map_or_else(|| series.all(), |after| series.from(after));
                walk.map(|(_, moment)| moment.at).find(|at| after.is_none_or(|after| *at > after))
            }
        }
    }

    /// How long it takes, in microseconds: an end before the start takes no time.
    fn length(&self) -> TimeDelta {
        self.end.at.since(self.start.at).max(TimeDelta::zero())
    }

    fn occurrence(&self, day: NaiveDate, start: Moment) -> Occurrence {
        let end = match start.day {
            Some(_) => start.plus_days(self.length().num_days()),
            None => Moment::at(start.at.saturating_add(self.length())),
        };
        Occurrence { start, end, day: Date::held(day) }
    }

    /// The occurrence of a series on this day where it is held; none, when the rule gives none or it is left out.
    ///
    /// # Errors
    /// What [`occurrences`] returns.
    pub fn occurrence_on(&self, day: Date) -> Result<Option<Occurrence>> {
        let Some(series) = Series::of(self)? else { return Ok(None) };
        let mut walk =
            Walk { series: &series, days: SeriesDays::from(series.rule.rule(), series.day, day.to_naive()) };
        match walk.find(|(found, _)| *found >= day.to_naive()) {
            Some((found, start)) if found == day.to_naive() => Ok(Some(self.occurrence(found, start))),
            Some(_) => Ok(None),
            None if walk.days.gave_up() => Err(series.gave_up()),
            None => Ok(None),
        }
    }

    /// When the last occurrence of a series began before this time; none, when that was the first.
    pub(crate) fn previous_occurrence(&self, before: Timestamp) -> Option<Timestamp> {
        let series = Series::of(self).ok()??;
        let until = |walk: Walk<'_>| walk.map(|(_, moment)| moment.at).take_while(|at| *at < before).last();
        // Most series have one not long ago: all that came before is walked only where they have not.
        let near = [40, 800].iter().find_map(|days| {
            until(series.from(before.saturating_add(-TimeDelta::days(*days))))
                .filter(|at| *at >= series.first.at)
        });
        near.or_else(|| until(series.all()))
    }
}

/// The times that a meeting takes place and that fall into `from..to`, be it in part: at most `limit` of them, in order.
///
/// An occurrence that ends at `from` is before it. Whether the meeting is canceled or was held is not asked.
///
/// # Errors
/// `Invalid` when more than 10,000 periods of the rule would have to be looked at, or none of them has a day that the rule fits
/// (29 February of every fourth year from 2026 on); `Unsupported` without the feature
/// `calendar`.
pub fn occurrences(
    meeting: &Meeting,
    from: Timestamp,
    to: Timestamp,
    limit: usize,
) -> Result<Vec<Occurrence>> {
    let falls = |occurrence: &Occurrence| {
        occurrence.start.at < to && (occurrence.start.at >= from || occurrence.end.at > from)
    };
    let Some(series) = Series::of(meeting)? else {
        let local = Zone::named(meeting.zone.as_deref())?.local(meeting.start.at).date();
        let day = meeting.start.day.map_or(local, Date::to_naive);
        let only = meeting.occurrence(day, meeting.start);
        return Ok(Some(only).filter(falls).into_iter().take(limit).collect());
    };
    let mut walk = series.from(from.saturating_add(-meeting.length()));
    let mut found = Vec::new();
    while found.len() < limit {
        let Some((day, start)) = walk.next() else {
            if walk.days.gave_up() {
                return Err(series.gave_up());
            }
            break;
        };
        if start.at >= to {
            break;
        }
        found.extend(Some(meeting.occurrence(day, start)).filter(falls));
    }
    Ok(found)
}

/// When the last occurrence of a meeting ends: the latest time there is, when it has no last one or that is not known.
pub(crate) fn ends(meeting: &Meeting) -> Timestamp {
    let length = meeting.length();
    let Ok(Some(series)) = Series::of(meeting) else {
        return if meeting.recurrence.is_some() {
            Timestamp::MAX
        } else {
            meeting.end.at.max(meeting.start.at)
        };
    };
    let last = match series.rule.end() {
        SeriesEnd::Never => return Timestamp::MAX,
        SeriesEnd::At(last) => last.saturating_add(TimeDelta::days(1)),
        // Days end up to fourteen hours later than in UTC.
        SeriesEnd::Day(last) => {
            last.begin(chrono::Offset::fix(&chrono::Utc)).saturating_add(TimeDelta::days(2))
        }
        SeriesEnd::Count(_) => {
            let mut walk = series.all();
            let last = walk.by_ref().map(|(_, moment)| moment.at).last();
            if walk.days.gave_up() {
                return Timestamp::MAX;
            }
            last.unwrap_or(series.first.at)
        }
    };
    last.saturating_add(length)
}

/// The days, in UTC, that the occurrences of a series can touch: all of them, where that is not known.
pub(super) fn days(meeting: &Meeting) -> AgendaDays {
    // By how much a zone changes its offset; more than that was last done by Samoa.
    const MARGIN: TimeDelta = TimeDelta::hours(4);
    const SETTLED: i64 = 2012;
    let Ok(Some(series)) = Series::of(meeting) else { return AgendaDays::EVERY };
    let days_on = |at: Timestamp| Date::of(at).to_naive().signed_duration_since(series.day).num_days();
    let mut first = days_on(series.first.at.saturating_add(-MARGIN));
    let mut last = days_on(series.first.at.saturating_add(MARGIN).saturating_add(meeting.length()));
    if i64::from(series.day.year()) < SETTLED {
        (first, last) = (first.saturating_sub(1), last.saturating_add(1));
    }
    SeriesDays::new(series.rule.rule(), series.day).spread(first, last)
}

/// What calendars of others are told about a meeting, with dates and times as they are shown where it is held.
#[cfg(feature = "calendar")]
pub(crate) struct Exported {
    /// The first occurrence; where there is none, the meeting as it is.
    pub(crate) first: Occurrence,
    /// Its beginning and end as clocks show them.
    pub(crate) shown: (chrono::NaiveDateTime, chrono::NaiveDateTime),
    /// The rule, its end of the kind that the start is of (RFC 5545, section 3.3.10, on `UNTIL`).
    pub(crate) rule: Option<Recurrence>,
}

/// A meeting for calendars of others.
#[cfg(feature = "calendar")]
pub(crate) fn exported(meeting: &Meeting) -> Result<Exported> {
    let zone = Zone::named(meeting.zone.as_deref())?;
    // What is left out is counted too: the first one that the rule gives, though it may be an exception.
    let all = Meeting { exceptions: Vec::new(), ..meeting.clone() };
    let first = occurrences(&all, Timestamp::MIN, Timestamp::MAX, 1)?.pop();
    let first = first.unwrap_or_else(|| {
        let day = meeting.start.day.map_or(zone.local(meeting.start.at).date(), Date::to_naive);
        meeting.occurrence(day, meeting.start)
    });
    let end = |rule: &Recurrence| match (rule.end(), meeting.start.day) {
        (SeriesEnd::Day(day), None) => {
            let last = day.to_naive().and_hms_opt(23, 59, 59).and_then(|last| zone.instant(last));
            SeriesEnd::At(last.unwrap_or(Timestamp::MAX))
        }
        (SeriesEnd::At(at), Some(_)) => SeriesEnd::Day(Date::of(at)),
        (end, _) => end,
    };
    let rule = meeting.recurrence.as_ref().map(|rule| rule.clone().ending(end(rule)));
    Ok(Exported { first, shown: (zone.local(first.start.at), zone.local(first.end.at)), rule })
}

/// The rule of a task that is due then for calendars of others, its end of the kind that the due time is of.
#[cfg(feature = "calendar")]
pub(crate) fn exported_rule(rule: &Recurrence, due: Moment) -> Recurrence {
    let end = match (rule.end(), due.day) {
        (SeriesEnd::Day(day), None) => SeriesEnd::At(
            Moment::day(day).ends(chrono::Offset::fix(&chrono::Utc)).saturating_add(-TimeDelta::seconds(1)),
        ),
        (SeriesEnd::At(at), Some(_)) => SeriesEnd::Day(Date::of(at)),
        (end, _) => end,
    };
    rule.clone().ending(end)
}

/// When a task that was due then is due next by its rule, behind `after` and behind that time, and the rule that it then
/// has: as many occurrences as are left, none when it comes for the last time.
///
/// A task knows no time zone: it keeps its time in UTC, and whole days stay whole days.
///
/// ```
/// use leadcore::domain::{Moment, Recurrence, next_due};
/// let due = Moment::day("2026-11-20".parse()?);
/// let rule = Recurrence::weekly().count(3)?;
/// let (next, rule) = next_due(&rule, due, due.at)?.expect("it comes two times more");
/// assert_eq!(next.day, Some("2026-11-27".parse()?));
/// assert_eq!(rule, Some(Recurrence::weekly().count(2)?));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Unsupported` without the feature `calendar`.
pub fn next_due(
    rule: &Recurrence,
    due: Moment,
    after: Timestamp,
) -> Result<Option<(Moment, Option<Recurrence>)>> {
    supported(Some(rule))?;
    let series = Series::new(rule, due, Zone::Utc);
    let after = due.at.max(after);
    let mut walk = series.from(after);
    let Some((_, next)) = walk.find(|(_, moment)| moment.at > after) else { return Ok(None) };
    let rule = match walk.days.left() {
        Some(0) => None,
        // The one found is one of those left.
        Some(left) => Some(rule.clone().ending(SeriesEnd::Count(left.saturating_add(1)))),
        None => Some(rule.clone()),
    };
    Ok(Some((next, rule)))
}

/// What is wrong with the times of an activity that is to be written: its zone, its rule, how long it takes.
///
/// # Errors
/// `Unsupported` for series and zones in a program built without the feature `calendar`.
pub fn check(fields: &ActivityFields) -> Result<Vec<Violation>> {
    match &fields.body {
        ActivityBody::Meeting(meeting) => check_meeting(meeting),
        ActivityBody::Task(task) => check_task(task),
        _ => Ok(Vec::new()),
    }
}

fn check_meeting(meeting: &Meeting) -> Result<Vec<Violation>> {
    supported(meeting.recurrence.as_ref())?;
    let mut violations = Vec::new();
    if meeting.end.at.since(meeting.start.at) > TimeDelta::days(LONGEST_DAYS) {
        let message = "a meeting takes at most 366 days";
        violations.push(Violation::new("end", ViolationCode::OutOfRange, message));
    }
    match Zone::named(meeting.zone.as_deref()) {
        Ok(zone) => {
            let series = meeting.recurrence.as_ref().map(|rule| Series::new(rule, meeting.start, zone));
            violations.extend(series.and_then(|series| never(&series)));
        }
        Err(error) if error.violations().is_empty() => return Err(error),
        Err(error) => violations.extend(error.violations().iter().cloned()),
    }
    Ok(violations)
}

fn check_task(task: &Task) -> Result<Vec<Violation>> {
    supported(task.recurrence.as_ref())?;
    let violation = match (&task.recurrence, task.due) {
        (None, _) => None,
        (Some(_), None) => Some(Violation::new(
            "due",
            ViolationCode::Required,
            "a task that recurs must be due at some time",
        )),
        (Some(rule), Some(due)) => never(&Series::new(rule, due, Zone::Utc)),
    };
    Ok(violation.into_iter().collect())
}

fn never(series: &Series<'_>) -> Option<Violation> {
    let message = "the rule gives no occurrence from the start on";
    let none = series.all().next().is_none();
    none.then(|| Violation::new("recurrence", ViolationCode::OutOfRange, message))
}

#[cfg(feature = "calendar")]
fn supported(_: Option<&Recurrence>) -> Result<()> {
    Ok(())
}

#[cfg(not(feature = "calendar"))]
fn supported(rule: Option<&Recurrence>) -> Result<()> {
    if rule.is_some() { Err(super::zone::needs_feature()) } else { Ok(()) }
}
