//! A whole day is the same day everywhere: lists, filters, calendars and exports, from UTC-11 to UTC+14.

use chrono::{FixedOffset, TimeDelta};
use leadcore::context::Context;
use leadcore::desk::calendar::{self, OverviewQuery};
use leadcore::desk::{Expect, activities, ical, leads, page, undo};
use leadcore::domain::{Activity, ActivityBody, ActivityFields, Field, FollowUpState, Moment, Recurrence};
use leadcore::query::{Filter, LeadQuery};
use leadcore::store::StoreExt as _;
use leadcore::time::{Date, ManualClock, Timestamp};

use crate::support::{Host, company};

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn offsets() -> impl Iterator<Item = FixedOffset> {
    [-660, -600, -210, 0, 60, 345, 720, 765, 840]
        .into_iter()
        .map(|minutes| FixedOffset::east_opt(minutes * 60).unwrap())
}

/// Somebody at this offset, at this hour of a day there.
fn with_reader<T>(
    host: &Host,
    offset: FixedOffset,
    day: Date,
    hour: i64,
    work: impl Fn(&Context<'_>) -> T,
) -> T {
    let clock = ManualClock::new(day.begin(offset).saturating_add(TimeDelta::hours(hour)));
    let ids = leadcore::id::SequentialIds::new(9_000_000);
    let actor = host.scene.actor.clone();
    let policy = leadcore::policy::AllowAll;
    let ctx = Context::new(&host.scene.tenant, actor, &clock, &ids, &policy).with_utc_offset(offset);
    work(&ctx)
}

#[test]
fn a_task_is_due_on_its_day_wherever_one_reads() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let due = date("2026-11-30");
    let task = host
        .write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], ActivityFields::task("x").due(due)));
    assert_eq!(host.get(&lead).follow_up.map(|next| next.moment()), Some(Moment::day(due)));
    for offset in offsets() {
        for (today, state) in [("2026-11-29", "planned"), ("2026-11-30", "today"), ("2026-12-01", "overdue")]
        {
            for hour in [0, 11, 23] {
                with_reader(&host, offset, date(today), hour, |ctx| {
                    let read = host.store.read(ctx.tenant(), |txn| {
                        let page = page::lead_page(ctx, txn, lead.id, &page::PageOptions::new())?;
                        let mut found = Vec::new();
                        for state in FollowUpState::ALL {
                            let query = LeadQuery::new(Filter::eq(Field::FollowUp, state.code()));
                            if !leads::list(ctx, txn, &query)?.items.is_empty() {
                                found.push(state.code());
                            }
                        }
                        Ok((page.follow_up_state.code(), found))
                    });
                    assert_eq!(read.unwrap(), (state, vec![state]), "{today} {hour}:00 at {offset}");
                });
            }
        }
    }
    let stored = host.read(|ctx, txn| activities::get(ctx, txn, task.id));
    assert_eq!(serde_json::to_value(&stored).unwrap()["due"], serde_json::json!({"day": "2026-11-30"}));
}

#[test]
fn a_day_lies_in_its_month_and_in_no_other_wherever_one_reads() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let about = [lead.id.into()];
    for day in ["2026-10-31", "2026-11-01", "2026-11-30", "2026-12-01"] {
        host.write(|ctx, txn| activities::add(ctx, txn, &about, ActivityFields::task(day).due(date(day))));
    }
    let fair = ActivityFields::meeting("fair", date("2026-10-30"), date("2026-11-01"));
    host.write(|ctx, txn| activities::add(ctx, txn, &about, fair.clone()));
    let series = ActivityFields::meeting("series", date("2026-10-31"), date("2026-10-31"))
        .zone("Pacific/Kiritimati")
        .recurring(Recurrence::daily().interval(30).unwrap());
    host.write(|ctx, txn| activities::add(ctx, txn, &about, series.clone()));
    for offset in offsets() {
        let titles = with_reader(&host, offset, date("2026-11-22"), 9, |ctx| {
            let query = |after, limit| {
                let (from, to) = calendar::month_of(ctx, 2026, 11).unwrap();
                OverviewQuery::new(from, to).after(after).limit(limit)
            };
            let all = host
                .store
                .read(ctx.tenant(), |txn| calendar::overview(ctx, txn, &query(None, 1_000)))
                .unwrap();
            let about = host
                .store
                .read(ctx.tenant(), |txn| calendar::overview(ctx, txn, &query(None, 1_000).about(lead.id)));
            assert_eq!(about.unwrap().entries, all.entries, "about a lead at {offset}");
            let (mut paged, mut after) = (Vec::new(), None);
            loop {
                let page = host
                    .store
                    .read(ctx.tenant(), |txn| calendar::overview(ctx, txn, &query(after, 1)))
                    .unwrap();
                paged.extend(page.entries);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(paged, all.entries, "in pages at {offset}");
            all.entries.iter().map(|entry| entry.title.clone().unwrap_or_default()).collect::<Vec<_>>()
        });
        assert_eq!(titles, ["fair", "2026-11-01", "2026-11-30", "series"], "{offset}");
    }
}

#[test]
fn what_recurs_by_days_follows_the_day_of_who_completes_it() {
    for offset in offsets() {
        let host = Host::new();
        let lead = host.add(company("Nordlys AS"));
        let task = ActivityFields::task("x").due(date("2026-11-20")).recurring(Recurrence::daily());
        let task = host.write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], task.clone()));
        with_reader(&host, offset, date("2026-11-22"), 23, |ctx| {
            let done = host
                .store
                .write(ctx.tenant(), |txn| activities::complete(ctx, txn, task.id, Expect::Any))
                .unwrap();
            let next = done.next.unwrap();
            assert_eq!(due(&next), Some(Moment::day(date("2026-11-22"))), "{offset}");
        });
    }
}

fn due(activity: &Activity) -> Option<Moment> {
    match &activity.fields.body {
        ActivityBody::Task(task) => task.due,
        _ => None,
    }
}

#[test]
fn a_day_survives_an_undo_and_an_export() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let task = ActivityFields::task("x").due(date("2026-11-20")).recurring(Recurrence::weekly());
    let task = host.write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], task.clone()));
    let text = host.read(|ctx, txn| ical::activity(ctx, txn, task.id));
    for line in ["DUE;VALUE=DATE:20261120\r\n", "DTSTART;VALUE=DATE:20261120\r\n", "RRULE:FREQ=WEEKLY\r\n"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let moved = ActivityFields::task("x").due("2026-11-25T09:00:00Z".parse::<Timestamp>().unwrap());
    host.write(|ctx, txn| activities::edit(ctx, txn, task.id, Expect::Any, moved.clone()));
    let last = host.read(|_, txn| txn.journal().replay(None, None, 10_000)).last().unwrap().operation;
    host.write(|ctx, txn| undo::undo(ctx, txn, last));
    let back = host.read(|ctx, txn| activities::get(ctx, txn, task.id));
    assert_eq!(due(&back), Some(Moment::day(date("2026-11-20"))));
}
