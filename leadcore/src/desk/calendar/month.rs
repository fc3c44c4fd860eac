//! Months of the calendar.

use chrono::NaiveDate;

use super::{Overview, OverviewQuery, overview};
use crate::context::Context;
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::store::Txn;
use crate::time::{Date, Timestamp};

/// The calendar of a month where the actor lives ([`Context::with_utc_offset`]): its first 1,000 entries.
///
/// # Errors
/// `Invalid` for a year outside of 1 to 9999 or a month outside of 1 to 12; `Denied`.
pub fn month(ctx: &Context<'_>, txn: &mut dyn Txn, year: i32, month: u32) -> Result<Overview> {
    let (from, to) = month_of(ctx, year, month)?;
    overview(ctx, txn, &OverviewQuery::new(from, to))
}

/// When a month begins and ends where the actor lives: for an [`OverviewQuery`] that asks for less than all of it.
///
/// # Errors
/// `Invalid` for a year outside of 1 to 9999 or a month outside of 1 to 12.
pub fn month_of(ctx: &Context<'_>, year: i32, month: u32) -> Result<(Timestamp, Timestamp)> {
    let mut broken = Vec::new();
    if !(1..=9_999).contains(&year) {
        broken.push(Violation::new("year", ViolationCode::OutOfRange, "a year is one of 1 to 9999"));
    }
    if !(1..=12).contains(&month) {
        broken.push(Violation::new("month", ViolationCode::OutOfRange, "a month is one of 1 to 12"));
    }
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    let first = |year, month| NaiveDate::from_ymd_opt(year, month, 1).map(Date::held);
    let offset = ctx.utc_offset();
    let from = first(year, month).unwrap_or(Date::MIN).begin(offset);
    let next =
        if month == 12 { first(year.saturating_add(1), 1) } else { first(year, month.saturating_add(1)) };
    // Behind the last month there is no day.
    let to = next.filter(|_| (year, month) < (9_999, 12)).map_or(Timestamp::MAX, |day| day.begin(offset));
    Ok((from, to))
}
