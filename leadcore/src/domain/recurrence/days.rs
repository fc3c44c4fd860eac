//! The days of a rule, period by period.
//!
//! A rule without `COUNT` is entered at the period that somebody asks about, however long ago the series began; so a page
//! of a calendar costs the same for a series of ten years as for one of yesterday.

use std::collections::VecDeque;

use chrono::{Datelike as _, Days as DayCount, NaiveDate};

use crate::time::Date;

use super::super::agenda::AgendaDays;
use super::{ByDay, Frequency, Rule, SeriesEnd};

/// The most periods (days, weeks or months; a year is twelve) that are looked at for one question.
const MOST_STEPS: u32 = 10_000;

/// The days on which a series occurs, in order, without regard to `UNTIL`: that is a matter of time zones.
pub(in crate::domain) struct SeriesDays<'r> {
    rule: &'r Rule,
    start: NaiveDate,
    /// What the rule says, or leaves to the start.
    month_days: Vec<i16>,
    weekdays: Vec<ByDay>,
    months: Vec<i16>,
    period: i64,
    found: VecDeque<NaiveDate>,
    left: Option<u16>,
    steps: u32,
    gave_up: bool,
}

impl<'r> SeriesDays<'r> {
    /// The days of a series that starts on this day.
    pub(in crate::domain) fn new(rule: &'r Rule, start: NaiveDate) -> Self {
        let (mut month_days, mut weekdays) = (rule.by_month_day.clone(), rule.by_day.clone());
        let mut months = rule.by_month.clone();
        if month_days.is_empty() && weekdays.is_empty() {
            let day_of = |day: u32| i16::try_from(day).unwrap_or(1);
            match rule.frequency {
                Frequency::Daily => {}
                Frequency::Weekly => weekdays.push(ByDay { nth: 0, weekday: start.weekday() }),
                Frequency::Monthly => month_days.push(day_of(start.day())),
                Frequency::Yearly => {
                    month_days.push(day_of(start.day()));
                    if months.is_empty() {
                        months.push(day_of(start.month()));
                    }
                }
            }
        }
        let left = match rule.end {
            SeriesEnd::Count(count) => Some(count),
            _ => None,
        };
        Self {
            rule,
            start,
            month_days,
            weekdays,
            months,
            period: 0,
            found: VecDeque::new(),
            left,
            steps: 0,
            gave_up: false,
        }
    }

    /// The days from this one on; a series that is counted is walked from its start.
    pub(in crate::domain) fn from(rule: &'r Rule, start: NaiveDate, day: NaiveDate) -> Self {
        let mut days = Self::new(rule, start);
        if days.left.is_none() && day > start {
            let interval = i64::from(rule.interval);
            let apart = day.signed_duration_since(start).num_days();
            days.period = match rule.frequency {
                Frequency::Daily => apart / interval,
                Frequency::Weekly => (apart / 7) / interval,
                Frequency::Monthly => (month_number(day) - month_number(start)) / interval,
                Frequency::Yearly => i64::from(day.year() - start.year()) / interval,
            };
        }
        days
    }

    /// The days that lie from `first` to `last` days behind those of the rule, as a set that has them all.
    pub(in crate::domain) fn spread(&self, first: i64, last: i64) -> AgendaDays {
        if last > 27 || first < -27 {
            return AgendaDays::EVERY;
        }
        let weekdays: Vec<i64> = match self.weekdays.as_slice() {
            [] => (0..7).collect(),
            some => some.iter().map(|day| day.weekday.num_days_from_monday().into()).collect(),
        };
        // Months have 28 to 31 days.
        let from_end = |n: i64| if n > 0 { n..=n } else { 29 + n..=32 + n };
        let month_days: Vec<i64> = match self.month_days.as_slice() {
            [] => (1..=31).collect(),
            some => some.iter().flat_map(|n| from_end((*n).into())).collect(),
        };
        let months: Vec<i64> = match self.months.as_slice() {
            [] => (0..12).collect(),
            some => some.iter().map(|month| i64::from(*month) - 1).collect(),
        };
        let mut set = AgendaDays::NONE;
        for by in first..=last {
            let weekday = |day: &i64| u32::try_from((day + by).rem_euclid(7)).unwrap_or(0);
            set = weekdays.iter().fold(set, |set, day| set.weekday(weekday(day)));
            for day in &month_days {
                set = set.month_day(day + by);
                set = (28..=31).fold(set, |set, length| {
                    let set = if day + by < 1 { set.month_day(day + by + length) } else { set };
                    if day + by > length { set.month_day(day + by - length) } else { set }
                });
            }
            set = months.iter().fold(set, |set, month| set.month(month + by.signum()).month(*month));
        }
        set
    }

    /// Whether it stopped because it had looked at too many periods.
    pub(in crate::domain) const fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// How many are left of a series that is counted.
    pub(in crate::domain) const fn left(&self) -> Option<u16> {
        self.left
    }

    /// Looks at the next period. None behind the last one that a date can be of.
    fn step(&mut self) -> Option<()> {
        let ahead = self.period.checked_mul(i64::from(self.rule.interval))?;
        self.period = self.period.checked_add(1)?;
        let weight = if self.rule.frequency == Frequency::Yearly { 12 } else { 1 };
        self.steps = self.steps.saturating_add(weight);
        let mut set = Vec::new();
        match self.rule.frequency {
            Frequency::Daily => {
                let day = plus(self.start, ahead)?;
                self.choose(day, day, &mut set);
            }
            Frequency::Weekly => {
                let back = self.start.weekday().days_since(self.rule.week_start);
                let first = plus(self.start, ahead.checked_mul(7)?.checked_sub(i64::from(back))?)?;
                self.choose(first, plus(first, 6)?, &mut set);
            }
            Frequency::Monthly => {
                let first = first_of(month_number(self.start).checked_add(ahead)?)?;
                if self.is_month(first) {
                    self.choose(first, last_of_month(first), &mut set);
                }
            }
            Frequency::Yearly => {
                let january = i64::from(self.start.year()).checked_add(ahead)?.checked_mul(12)?;
                for month in january..january.checked_add(12)? {
                    let first = first_of(month)?;
                    if self.is_month(first) {
                        self.choose(first, last_of_month(first), &mut set);
                    }
                }
            }
        }
        self.found = self.at_positions(set).into_iter().filter(|day| *day >= self.start).collect();
        Some(())
    }

    /// Adds the days between these two that the rule is about.
    fn choose(&self, first: NaiveDate, last: NaiveDate, set: &mut Vec<NaiveDate>) {
        let days = first.iter_days().take_while(|day| *day <= last);
        set.extend(days.filter(|day| self.is_chosen(*day)));
    }

    fn is_month(&self, day: NaiveDate) -> bool {
        self.months.is_empty() || self.months.iter().any(|month| i64::from(*month) == i64::from(day.month()))
    }

    fn is_chosen(&self, day: NaiveDate) -> bool {
        self.is_month(day)
            && (self.month_days.is_empty() || self.is_month_day(day))
            && (self.weekdays.is_empty() || self.weekdays.iter().any(|by_day| self.is_weekday(*by_day, day)))
    }

    fn is_month_day(&self, day: NaiveDate) -> bool {
        let (from_front, of) = (i64::from(day.day()), i64::from(last_of_month(day).day()));
        let from_back = from_front - of - 1;
        self.month_days.iter().any(|n| [from_front, from_back].contains(&i64::from(*n)))
    }

    fn is_weekday(&self, by_day: ByDay, day: NaiveDate) -> bool {
        if by_day.weekday != day.weekday() {
            return false;
        }
        let by_year = self.rule.frequency == Frequency::Yearly && self.rule.by_month.is_empty();
        let (place, of) = if by_year {
            (day.ordinal(), if day.leap_year() { 366 } else { 365 })
        } else {
            (day.day(), last_of_month(day).day())
        };
        let from_front = i64::from(place.saturating_sub(1) / 7) + 1;
        let from_back = -(i64::from(of.saturating_sub(place) / 7) + 1);
        by_day.nth == 0 || [from_front, from_back].contains(&i64::from(by_day.nth))
    }

    fn at_positions(&self, set: Vec<NaiveDate>) -> Vec<NaiveDate> {
        if self.rule.by_set_pos.is_empty() {
            return set;
        }
        let at = |position: &i16| {
            let n = usize::from(position.unsigned_abs());
            let place = if *position > 0 { n.checked_sub(1) } else { set.len().checked_sub(n) };
            place.and_then(|place| set.get(place)).copied()
        };
        let mut chosen: Vec<_> = self.rule.by_set_pos.iter().filter_map(at).collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }
}

impl Iterator for SeriesDays<'_> {
    type Item = NaiveDate;

    fn next(&mut self) -> Option<NaiveDate> {
        if self.left == Some(0) {
            return None;
        }
        while self.found.is_empty() {
            if self.steps >= MOST_STEPS {
                self.gave_up = true;
                return None;
            }
            self.step()?;
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
        }
        self.found.pop_front()
    }
}

/// Months since the year 0.
fn month_number(day: NaiveDate) -> i64 {
    i64::from(day.year()) * 12 + i64::from(day.month0())
}

/// The first day of that month, up to the last one of the calendar.
fn first_of(month: i64) -> Option<NaiveDate> {
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let first = NaiveDate::from_ymd_opt(year, u32::try_from(month.rem_euclid(12)).ok()? + 1, 1)?;
    Some(first).filter(|day| *day <= Date::MAX.to_naive())
}

fn last_of_month(day: NaiveDate) -> NaiveDate {
    first_of(month_number(day) + 1).and_then(|next| next.pred_opt()).unwrap_or(Date::MAX.to_naive())
}

/// The day so many days later (or earlier), up to the last one of the calendar.
fn plus(day: NaiveDate, days: i64) -> Option<NaiveDate> {
    let count = DayCount::new(days.unsigned_abs());
    let moved = if days < 0 { day.checked_sub_days(count) } else { day.checked_add_days(count) };
    moved.filter(|day| *day <= Date::MAX.to_naive())
}
