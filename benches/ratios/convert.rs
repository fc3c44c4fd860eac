//! Conversions beside bare SQL that writes the same rows: one transaction for each lead and in batches, by the number of leads in
//! the database, and by the number of children that a lead has.

use std::path::Path;

use leadcore::desk::activities;
use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::mass::Selection;
use leadcore::domain::ActivityFields;
use leadcore::prelude::*;
use rusqlite::Connection;

use crate::bare_convert;
use crate::fixture::Full;
use crate::runner::{Line, Runner, timed};
use crate::writes::line;

/// What is compared row by row: nothing is counted that only one side wrote.
const WRITTEN: [&str; 12] = [
    "account",
    "account_search",
    "block_key",
    "child",
    "contact",
    "contact_search",
    "entry",
    "lead",
    "link",
    "number",
    "operation",
    "tally",
];

/// The first leads that can be converted, by number.
fn convertible(full: &Full, count: usize) -> Vec<LeadId> {
    let sql = "SELECT id FROM leadcore_lead WHERE converted_at IS NULL AND trashed_at IS NULL AND outcome IS NULL ORDER BY number LIMIT ?";
    let mut statement = full.bare.prepare(sql).unwrap();
    let ids = statement.query_map([i64::try_from(count).unwrap()], |row| row.get::<_, [u8; 16]>(0)).unwrap();
    ids.map(|id| LeadId::from_uuid(uuid::Uuid::from_bytes(id.unwrap()))).collect()
}

/// The same, with more leads where there are too few.
fn enough(full: &Full, count: usize) -> Vec<LeadId> {
    let there = convertible(full, count).len();
    if there < count {
        full.add_open(count - there);
    }
    let leads = convertible(full, count);
    assert_eq!(leads.len(), count, "as many are converted as the bench says");
    leads
}

/// Gives each of these leads so many notes.
fn with_children(full: &Full, leads: &[LeadId], each: usize) {
    let ctx = full.scene.ctx();
    let text = "They asked for prices and delivery of the larger size.";
    for some in leads.chunks(200) {
        let drafts =
            some.iter().flat_map(|lead| (0..each).map(|_| ActivityFields::note(text).about([*lead])));
        let drafts: Vec<_> = drafts.collect();
        full.store.write(ctx.tenant(), |txn| activities::add_many(&ctx, txn, drafts.clone())).unwrap();
    }
}

/// How many rows each table has, and how many of them have a value in each column.
fn rows(conn: &Connection) -> Vec<(&'static str, Vec<i64>)> {
    let count = |table: &&'static str| {
        let mut columns = conn.prepare("SELECT name FROM pragma_table_info(?)").unwrap();
        let columns =
            columns.query_map([format!("leadcore_{table}")], |row| row.get::<_, String>(0)).unwrap();
        let mut counts = vec!["count(*)".to_owned()];
        // The text of a search index is another table's.
        counts.extend(
            columns
                .map(|name| format!("count(\"{}\")", name.unwrap()))
                .filter(|_| !table.ends_with("_search")),
        );
        let sql = format!("SELECT {} FROM leadcore_{table}", counts.join(", "));
        let counted: rusqlite::Result<Vec<i64>> =
            conn.query_row(&sql, [], |row| (0..counts.len()).map(|n| row.get(n)).collect());
        (*table, counted.unwrap())
    };
    WRITTEN.iter().map(count).collect()
}

/// Two copies of one database, and the leads that are converted in both.
struct Pair {
    ours: Full,
    theirs: Full,
    leads: Vec<LeadId>,
}

impl Pair {
    fn of(full: &Full, dir: &Path, name: &str, leads: Vec<LeadId>) -> Self {
        let theirs = full.copy(dir, &format!("{name}-bare"));
        Self { ours: full.copy(dir, name), theirs, leads }
    }

    fn bare_in_one(&self, leads: &[LeadId]) {
        let conn = &self.theirs.bare;
        conn.prepare_cached("BEGIN IMMEDIATE").unwrap().execute([]).unwrap();
        leads.iter().for_each(|lead| bare_convert::convert(conn, *lead.as_uuid().as_bytes()));
        conn.prepare_cached("COMMIT").unwrap().execute([]).unwrap();
    }

    /// Both sides in turns, in portions of a hundred; `batch` leads in a transaction, each alone where it is 1.
    fn compare(&self, name: &'static str, batch: usize) -> Line {
        let ctx = self.ours.scene.ctx();
        let options = ConversionOptions::default();
        let (mut ours, mut theirs, mut wall) = (0.0, 0.0, [0.0; 2]);
        for portion in self.leads.chunks(batch.max(100)) {
            let ((), cpu, clock) = timed(|| {
                for some in portion.chunks(batch) {
                    let work = |txn: &mut dyn Txn| match some {
                        [one] => convert::convert(&ctx, txn, *one, &options).map(drop),
                        _ => {
                            let done = convert::many(&ctx, txn, &Selection::Ids(some.to_vec()), &options)?;
                            assert_eq!(
                                done.totals.done,
                                u64::try_from(some.len()).unwrap(),
                                "all are converted"
                            );
                            Ok(())
                        }
                    };
                    self.ours.store.write(ctx.tenant(), work).unwrap();
                }
            });
            (ours, wall[0]) = (ours + cpu.as_secs_f64(), wall[0] + clock.as_secs_f64());
            let ((), cpu, clock) = timed(|| portion.chunks(batch).for_each(|some| self.bare_in_one(some)));
            (theirs, wall[1]) = (theirs + cpu.as_secs_f64(), wall[1] + clock.as_secs_f64());
        }
        for (ours, theirs) in rows(&self.ours.bare).into_iter().zip(rows(&self.theirs.bare)) {
            assert_eq!(ours, theirs, "both sides wrote the same rows and columns");
        }
        let count = f64::from(u32::try_from(self.leads.len().max(1)).unwrap());
        let a_second = |seconds: f64| (count / seconds).round();
        let note = format!(
            "{count} leads: {} and {} a second, on the wall {} and {}",
            a_second(ours),
            a_second(theirs),
            a_second(wall[0]),
            a_second(wall[1])
        );
        line(name, &self.ours, ours / count, theirs / count, note)
    }
}

/// Every bench of conversions on copies of one database.
pub(crate) fn run(runner: Runner, full: &Full, dir: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<Line> {
    if !wanted("convert") {
        return Vec::new();
    }
    let count = if runner.try_out { 60 } else { 10_000 };
    let mut lines = Vec::new();
    let worked = full.copy(dir, "convert-fixture");
    let leads = enough(&worked, count);
    with_children(&worked, &leads, 20);
    for (name, batch) in [
        ("convert a lead with 20 children, one transaction each", 1),
        ("convert a lead with 20 children, 1,000 in a transaction", 1_000),
    ] {
        let pair = Pair::of(&worked, dir, &format!("convert-{batch}"), leads.clone());
        lines.push(pair.compare(name, batch));
    }
    let (count, each) = if runner.try_out { (10, [0, 2, 20]) } else { (500, [0, 20, 200]) };
    let full = full.copy(dir, "convert-children");
    let leads = enough(&full, 3 * count);
    // A third has none, a third some, a third many; they are spread alike over the database.
    let third = |n: usize| -> Vec<LeadId> { leads.iter().copied().skip(n).step_by(3).collect() };
    for (n, each) in each.into_iter().enumerate().skip(1) {
        with_children(&full, &third(n), each);
    }
    for (n, name) in ["convert a lead without children", "convert a lead with 20", "convert a lead with 200"]
        .into_iter()
        .enumerate()
    {
        lines.push(Pair::of(&full, dir, &format!("convert-third-{n}"), third(n)).compare(name, 1));
    }
    lines
}
