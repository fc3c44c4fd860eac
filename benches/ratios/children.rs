//! What hangs on leads: the page of a lead, a page of a tab and of the history at any depth, with a thousand activities on
//! each lead that is looked at.

use std::path::Path;

use leadcore::desk::page::{self, PageOptions};
use leadcore::desk::timeline::{self, TimelineQuery};
use leadcore::desk::{Listing, activities};
use leadcore::domain::{ActivityBody, ActivityFields, ActivityKind, Moment, Place, Priority, Sequence, Task};
use leadcore::prelude::*;
use rusqlite::{Connection, params};

use crate::bare_read::{self, Sql};
use crate::fixture::{Full, TENANT};
use crate::runner::{Line, Runner};

/// Some leads with their activities, and places all over their lists.
struct Busy {
    leads: Vec<LeadId>,
    places: Vec<Vec<Place>>,
    events: Vec<Vec<Sequence>>,
}

fn activity(n: usize, now: Timestamp) -> ActivityFields {
    let body = if n.is_multiple_of(2) {
        ActivityBody::Note
    } else {
        let minutes = i64::try_from(n).unwrap();
        let at = now.saturating_add(chrono::TimeDelta::minutes(minutes));
        let done_at = (n % 10 != 1).then_some(now);
        ActivityBody::Task(Task {
            due: Some(Moment::at(at)),
            priority: Priority::Normal,
            done_at,
            recurrence: None,
            next: None,
        })
    };
    let text = Some("They asked for prices and delivery of the larger size.".to_owned());
    ActivityFields { title: Some(format!("Activity {n}")), text, assignee: None, remind_at: None, body }
}

fn fill(full: &Full, leads: usize, each: usize) -> Busy {
    let ctx = full.scene.ctx();
    let mut busy = Busy { leads: Vec::new(), places: Vec::new(), events: Vec::new() };
    for n in 0..leads {
        let number = u64::try_from(1 + n * (full.size / leads)).unwrap();
        let lead = full.store.write(ctx.tenant(), |txn| {
            let lead = desk::leads::by_number(&ctx, txn, number)?;
            // A frozen lead takes no notes.
            if lead.conversion.is_some() {
                return Ok(None);
            }
            for n in 0..each {
                activities::add(&ctx, txn, &[lead.id.into()], activity(n, ctx.now()))?;
            }
            Ok(Some(lead.id))
        });
        busy.leads.extend(lead.unwrap());
    }
    for lead in &busy.leads {
        let mut listing = Listing::default();
        listing.limit = 1_000;
        let kinds = [ActivityKind::Note];
        let (page, history) = full
            .store
            .read(ctx.tenant(), |txn| {
                let page = activities::of(&ctx, txn, *lead, &kinds, &listing)?;
                Ok((page, timeline::of(&ctx, txn, *lead, &TimelineQuery::new(1_000))?))
            })
            .unwrap();
        let place = |it: &leadcore::domain::Activity| Place { at: it.at(), child: it.id.as_uuid() };
        busy.places.push(page.items.iter().map(place).collect());
        busy.events.push(history.items.iter().map(|item| item.entry.sequence).collect());
    }
    busy
}

const COUNTS: &str = "SELECT tab, open, count(*) FROM leadcore_child WHERE tenant = ?1 AND subject_kind = 'lead' AND subject_id = ?2 GROUP BY tab, open";
const FIRST: &str = "SELECT c.at, a.id, a.revision, a.about, a.title, a.text, a.assignee, a.remind_at, a.body, a.created_by, a.created_at, a.updated_at FROM (SELECT at, child FROM leadcore_child WHERE tenant = ?1 AND subject_kind = 'lead' AND subject_id = ?2 AND tab = ?3 AND open = ?4 AND (at, child) < (?5, ?6) ORDER BY at DESC, child DESC LIMIT ?7) c JOIN leadcore_activity a ON a.tenant = ?1 AND a.id = c.child";
const HISTORY: &str = "SELECT * FROM (SELECT e.seq, o.id, o.kind, o.actor, e.at, e.subject_kind, e.subject_id, e.action, e.changes, e.topics FROM leadcore_entry e JOIN leadcore_operation o ON o.tenant = e.tenant AND o.rid = e.operation WHERE e.tenant = ?1 AND e.subject_kind = 'lead' AND e.subject_id = ?2 AND e.seq < ?3 ORDER BY e.seq DESC LIMIT ?4) UNION ALL SELECT * FROM (SELECT e.seq, o.id, o.kind, o.actor, e.at, e.subject_kind, e.subject_id, e.action, e.changes, e.topics FROM leadcore_entry e JOIN leadcore_operation o ON o.tenant = e.tenant AND o.rid = e.operation WHERE e.tenant = ?1 AND e.other_kind = 'lead' AND e.other_id = ?2 AND e.seq < ?3 AND e.subject_kind IN ('activity', 'file', 'estimate', 'record', 'product_lines') ORDER BY e.seq DESC LIMIT ?4) ORDER BY 1 DESC LIMIT ?4";
const LINKS: &str =
    "SELECT role, to_id FROM leadcore_link WHERE tenant = ?1 AND from_kind = 'lead' AND from_id = ?2";

/// The first column of every row; the others are read as well.
pub(crate) fn rows(conn: &Connection, sql: &str, params: impl rusqlite::Params) -> Vec<i64> {
    let mut statement = conn.prepare_cached(sql).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query(params).unwrap();
    let mut first = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        for n in 1..columns {
            std::hint::black_box(row.get::<_, rusqlite::types::Value>(n).unwrap());
        }
        first.push(row.get(0).unwrap_or_default());
    }
    first
}

fn bare_tab(
    conn: &Connection,
    lead: &[u8; 16],
    tab: &str,
    open: bool,
    behind: &Place,
    limit: i64,
) -> Vec<i64> {
    let (at, child) = (behind.at.as_micros(), behind.child.into_bytes());
    rows(conn, FIRST, params![TENANT, lead, tab, open, at, child, limit])
}

fn bare_page(conn: &Connection, sql: &Sql, lead: LeadId) -> usize {
    let id = *lead.as_uuid().as_bytes();
    let tx = conn.unchecked_transaction().unwrap();
    let mut found = usize::from(bare_read::point(&tx, sql, lead).id == id);
    found += rows(&tx, "SELECT number, json FROM (SELECT 1 AS number, json FROM leadcore_setting WHERE tenant = ?1 AND name = ?2)", params![TENANT, "catalogue"]).len();
    found += rows(&tx, COUNTS, params![TENANT, id]).len();
    let end = Place { at: Timestamp::MAX, child: uuid::Uuid::max() };
    for tab in ["note", "task"] {
        for open in [false, true] {
            found += bare_tab(&tx, &id, tab, open, &end, 11).len();
        }
    }
    found += rows(&tx, LINKS, params![TENANT, id]).len();
    found + rows(&tx, HISTORY, params![TENANT, id, i64::MAX, 21]).len()
}

/// Every bench of children on a copy of one database.
pub(crate) fn run(runner: Runner, full: &Full, scratch: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<Line> {
    if !wanted("children") {
        return Vec::new();
    }
    let full = full.copy(scratch, "children");
    let (leads, each) = if runner.try_out { (3, 60) } else { (40, 1_000) };
    let busy = fill(&full, leads, each);
    let (ctx, sql) = (full.scene.ctx(), Sql::new());
    let which = |n: usize| n * 7 % busy.leads.len();
    let lead = |n: usize| busy.leads[which(n)];
    let options = PageOptions::new();
    let ours = |n: usize| {
        full.store.read(ctx.tenant(), |txn| page::lead_page(&ctx, txn, lead(n), &options)).unwrap()
    };
    assert_eq!(ours(1).tabs.iter().map(|tab| tab.items.len()).collect::<Vec<_>>(), [10, 10]);
    let whole =
        runner.compare("lead page, 1k activities", full.size, ours, |n| bare_page(&full.bare, &sql, lead(n)));

    let place = |n: usize| busy.places[which(n)][n * 131 % (busy.places[which(n)].len() / 2)];
    let ours = |n: usize| {
        let mut listing = Listing::default();
        (listing.after, listing.limit) = (Some(place(n).into()), 20);
        full.store
            .read(ctx.tenant(), |txn| activities::of(&ctx, txn, lead(n), &[ActivityKind::Note], &listing))
            .unwrap()
            .items
    };
    let theirs = |n: usize| bare_tab(&full.bare, lead(n).as_uuid().as_bytes(), "note", false, &place(n), 21);
    let times = |found: &[i64]| found.iter().take(20).copied().collect::<Vec<_>>();
    let said: Vec<i64> = ours(3).iter().map(|it| it.at().as_micros()).collect();
    assert_eq!(said, times(&theirs(3)));
    let tab = runner.compare("page of 20 of a tab, any depth", full.size, ours, theirs);

    let event = |n: usize| busy.events[which(n)][n * 131 % (busy.events[which(n)].len() / 2)];
    let ours = |n: usize| {
        let query = TimelineQuery::new(20).before(Some(event(n)));
        full.store.read(ctx.tenant(), |txn| timeline::of(&ctx, txn, lead(n), &query)).unwrap().items
    };
    let theirs = |n: usize| {
        let id = *lead(n).as_uuid().as_bytes();
        rows(&full.bare, HISTORY, params![TENANT, id, event(n).0, 21])
    };
    let said: Vec<i64> = ours(3).iter().map(|item| item.entry.sequence.0).collect();
    assert_eq!(said, times(&theirs(3)));
    let history = runner.compare("page of 20 of a history, any depth", full.size, ours, theirs);
    vec![whole, tab, history]
}
