//! The calendar of a month with a hundred thousand meetings, one of a hundred of them a weekly or monthly series.

use std::path::Path;

use leadcore::desk::{activities, calendar};
use leadcore::domain::{ActivityFields, Place, Recurrence};
use leadcore::prelude::*;
use rusqlite::params;

use crate::children::rows;
use crate::fixture::{Full, TENANT};
use crate::runner::{Line, Runner};

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;
const PAGE: usize = 100;
/// The meetings of a page that are no series, with what they are about, as long as it is not in the trash.
const PAGE_OF_MEETINGS: &str = "SELECT a.at, a.id, a.revision, a.about, a.title, a.text, a.assignee, a.remind_at, a.body, a.created_by, a.created_at, a.updated_at FROM leadcore_activity a INDEXED BY leadcore_activity_agenda WHERE a.tenant = ?1 AND a.kind = 'meeting' AND a.is_series = 0 AND a.ends_at IS NOT NULL AND (a.at, a.id) > (?2, ?3) AND a.at < ?4 AND EXISTS (SELECT 1 FROM leadcore_child c JOIN leadcore_lead l ON l.tenant = c.tenant AND l.id = c.subject_id WHERE c.tenant = ?1 AND c.child_kind = 'activity' AND c.child = a.id AND l.trashed_at IS NULL) ORDER BY a.at, a.id LIMIT ?5";
/// The series that a page may be touched by: they are not expanded.
const SERIES: &str = "SELECT ends_at, id, revision, about, title, text, assignee, remind_at, body FROM leadcore_activity INDEXED BY leadcore_activity_series WHERE tenant = ?1 AND is_series = 1 AND ends_at > ?2 AND at < ?3 AND days & ?4 <> 0 AND days & ?5 <> 0 AND days & ?6 <> 0";

fn meeting(n: usize, begin: Timestamp) -> ActivityFields {
    let hours = i64::try_from(n * 7_919 % 720).unwrap();
    let minutes = i64::try_from(n % 60).unwrap();
    let at = |hours: i64| {
        begin.saturating_add(chrono::TimeDelta::microseconds(hours * HOUR + minutes * 60_000_000))
    };
    let fields = ActivityFields::meeting("Offer", at(hours), at(hours + 1));
    match n % 200 {
        0 => fields.zone("Europe/Oslo").recurring(Recurrence::weekly()),
        100 => fields.zone("Europe/Oslo").recurring(Recurrence::monthly()),
        _ => fields,
    }
}

/// Pages of a month on a copy of one database.
pub(crate) fn run(runner: Runner, full: &Full, scratch: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<Line> {
    if !wanted("month") {
        return Vec::new();
    }
    let full = &full.copy(scratch, "month");
    let ctx = full.scene.ctx();
    let meetings = if runner.try_out { 400 } else { 100_000 };
    let (year, month) = (2026, 9);
    let (from, to) = calendar::month_of(&ctx, year, month).unwrap();
    let leads = full.store.read(ctx.tenant(), |txn| {
        let query = LeadQuery::new(Filter::eq(Field::State, "open")).limit(100);
        desk::leads::list(&ctx, txn, &query)
    });
    let leads = leads.unwrap().items;
    for chunk in (0..meetings).collect::<Vec<_>>().chunks(10_000) {
        let write = |txn: &mut dyn Txn| {
            chunk.iter().try_for_each(|n| {
                let lead = leads[n % leads.len()].id;
                activities::add(&ctx, txn, &[lead.into()], meeting(*n, from)).map(drop)
            })
        };
        full.store.write(ctx.tenant(), write).unwrap();
    }
    // Places all over the month.
    let place = |n: usize| Place {
        at: from.saturating_add(chrono::TimeDelta::hours(i64::try_from(n * 131 % 600).unwrap())),
        child: uuid::Uuid::nil(),
    };
    let ours = |n: usize| {
        let query = calendar::OverviewQuery::new(from, to).after(Some(place(n).into())).limit(PAGE);
        full.store.read(ctx.tenant(), |txn| calendar::overview(&ctx, txn, &query)).unwrap().entries
    };
    let theirs = |n: usize| {
        let (after, limit) = (place(n), i64::try_from(PAGE + 1).unwrap());
        let (begin, child) = (after.at.as_micros(), after.child.into_bytes());
        let found = rows(&full.bare, PAGE_OF_MEETINGS, params![TENANT, begin, child, to.as_micros(), limit]);
        let end = found.last().copied().unwrap_or(begin);
        let days = leadcore::domain::AgendaDays::of_range(after.at, Timestamp::from_micros(end).unwrap());
        let [week, month, year] = days.parts();
        let series = rows(&full.bare, SERIES, params![TENANT, begin, end, week, month, year]);
        (found, series)
    };
    let single = ours(3).into_iter().filter(|entry| entry.occurrence.is_none());
    let single: Vec<_> = single.map(|entry| entry.start.at.as_micros()).collect();
    assert!(!single.is_empty() && theirs(3).0.starts_with(&single), "both sides show the same meetings");
    vec![runner.compare("page of 100 of a month of 100k meetings", full.size, ours, theirs)]
}
