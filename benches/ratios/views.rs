//! What a list opens with: filters with a custom field, the system views, an order by a custom field.

use leadcore::desk::views::{self, ViewRequest};
use leadcore::domain::SystemView;
use leadcore::prelude::*;
use rusqlite::params;

use crate::bare_read::{self, Plain};
use crate::fixture::{BUDGET, Full, READER, ROTS, SCORE, TENANT, field, owner};
use crate::runner::{Line, Runner};

/// What a custom number is stored in.
const UNITS: i64 = 1_000_000;

fn bytes(lead: &Lead) -> [u8; 16] {
    *lead.id.as_uuid().as_bytes()
}

/// Both sides have the same page.
fn same(name: &str, ours: impl Iterator<Item = [u8; 16]>, theirs: &[Plain]) {
    let ours: Vec<_> = ours.collect();
    let theirs: Vec<_> = theirs.iter().take(50).map(|plain| plain.id).collect();
    assert_eq!(ours, theirs, "{name}");
}

/// The budget of a range, the source and the owner: few leads of the owner are of it.
fn rare(runner: Runner, full: &Full) -> Line {
    let ctx = full.scene.ctx();
    let source = |n: usize| full.sources[n % full.sources.len()];
    let from = |n: usize| i64::try_from(n * 37 % 9 * 100_000).unwrap();
    let ours = |n: usize| {
        let budget = FieldValue::List(vec![from(n).into(), (from(n) + 100_000).into()]);
        let filter = Filter::new(field(BUDGET), Operator::Between, budget)
            & Filter::eq(Field::Source, source(n))
            & Filter::eq(Field::Owner, owner(n));
        let query = LeadQuery::new(filter).limit(50);
        full.store.read(ctx.tenant(), |txn| desk::leads::list(&ctx, txn, &query)).unwrap().items
    };
    let theirs = |n: usize| {
        let (low, high) = (from(n) * UNITS, (from(n) + 100_000) * UNITS);
        let source = *source(n).as_uuid().as_bytes();
        bare_read::list(
            &full.bare,
            bare_read::FILTERED,
            params![TENANT, source, owner(n).as_str(), low, high],
        )
    };
    filtered(runner, full, "page of 50: budget range, source, owner", ours, theirs)
}

/// Stage, source, an owner and a budget from two hundred thousand: what many leads are, so that the page gets full.
fn frequent(runner: Runner, full: &Full) -> Line {
    let ctx = full.scene.ctx();
    let source = |n: usize| full.sources[n % full.sources.len()];
    let stage = |n: usize| full.pipeline.stages[n % ROTS.len()].id;
    let ours = |n: usize| {
        let filter = Filter::eq(Field::Stage, stage(n))
            & Filter::eq(Field::Source, source(n))
            & Filter::new(Field::Owner, Operator::IsEmpty, false)
            & Filter::new(field(BUDGET), Operator::Ge, 200_000_i64);
        let query = LeadQuery::new(filter).limit(50);
        full.store.read(ctx.tenant(), |txn| desk::leads::list(&ctx, txn, &query)).unwrap().items
    };
    let theirs = |n: usize| {
        let (stage, source) = (*stage(n).as_uuid().as_bytes(), *source(n).as_uuid().as_bytes());
        bare_read::list(&full.bare, bare_read::FREQUENT, params![TENANT, source, stage, 200_000 * UNITS])
    };
    filtered(runner, full, "page of 50: stage, source, owned, budget from", ours, theirs)
}

/// Both sides by one filter, with how many leads a page has.
fn filtered(
    runner: Runner,
    full: &Full,
    name: &'static str,
    ours: impl Fn(usize) -> Vec<Lead>,
    theirs: impl Fn(usize) -> Vec<Plain>,
) -> Line {
    let mut found = 0;
    for n in 0..20 {
        let page = ours(n);
        found += page.len();
        same(name, page.iter().map(bytes), &theirs(n));
    }
    let mut line = runner.compare(name, full.size, ours, theirs);
    line.note = format!("{} of 50 on a page", found / 20);
    line
}

/// One view, opened as a list shows it, beside the query of its page.
fn view(
    runner: Runner,
    full: &Full,
    (name, view, user): (&'static str, SystemView, &str),
    theirs: impl Fn() -> Vec<Plain>,
) -> Line {
    let ctx = full.scene.ctx_of(user);
    let request = ViewRequest::new();
    let ours = || full.store.read(ctx.tenant(), |txn| views::open(&ctx, txn, view, &request)).unwrap().rows;
    same(name, ours().iter().map(|row| bytes(&row.lead)), &theirs());
    runner.compare(name, full.size, |_| ours(), |_| theirs())
}

fn system(runner: Runner, full: &Full) -> Vec<Line> {
    let simple = [
        ("view: mine", SystemView::Mine, "user3", bare_read::MINE),
        ("view: unread, none read", SystemView::Unread, "user3", bare_read::UNREAD),
        ("view: unread, all read", SystemView::Unread, READER, bare_read::UNREAD),
        ("view: recently created", SystemView::RecentlyCreated, "user3", bare_read::CREATED),
        ("view: converted", SystemView::Converted, "user3", bare_read::CONVERTED),
        ("view: unassigned", SystemView::Unassigned, "user3", bare_read::UNASSIGNED),
    ];
    let mut lines: Vec<Line> = simple
        .iter()
        .map(|(name, which, user, rest)| {
            let theirs = || bare_read::list(&full.bare, rest, params![TENANT, user]);
            view(runner, full, (*name, *which, *user), theirs)
        })
        .collect();
    let stages = full.pipeline.stages.iter().filter(|stage| ROTS.contains(&stage.name.as_str()));
    let stages: Vec<String> = stages.map(|stage| stage.id.as_uuid().simple().to_string()).collect();
    let stages = format!("[\"{}\"]", stages.join("\",\"").to_uppercase());
    let since = full.scene.ctx().now().as_micros() - 7 * 86_400_000_000;
    let theirs = || bare_read::list(&full.bare, bare_read::ROTTING, params![TENANT, since, stages]);
    lines.push(view(runner, full, ("view: rotting", SystemView::Rotting, "user3"), theirs));
    lines
}

/// Pages in the order of a custom field. In a rising order leads without a value come first.
fn sorted(runner: Runner, full: &Full) -> Vec<Line> {
    let ctx = full.scene.ctx();
    let sort = |by: &str| SortField::Custom(by.parse().unwrap());
    let cases = [
        ("sort by a custom field, falling", BUDGET, Sort::descending(sort(BUDGET))),
        ("sort by a custom field, rising", BUDGET, Sort::ascending(sort(BUDGET))),
        ("sort by a custom field all have, rising", SCORE, Sort::ascending(sort(SCORE))),
    ];
    let mut lines = Vec::new();
    for (name, by, order) in cases {
        let query = LeadQuery::new(Filter::everything()).sort(order.clone()).limit(50);
        let ours =
            || full.store.read(ctx.tenant(), |txn| desk::leads::list(&ctx, txn, &query)).unwrap().items;
        let theirs = || {
            let rising = name.contains("rising");
            if rising && by == BUDGET {
                return bare_read::list(&full.bare, bare_read::WITHOUT, params![TENANT, by]);
            }
            let rest = if rising { bare_read::POOREST } else { bare_read::RICHEST };
            bare_read::list(&full.bare, rest, params![TENANT, by])
        };
        same(name, ours().iter().map(bytes), &theirs());
        lines.push(runner.compare(name, full.size, |_| ours(), |_| theirs()));
    }
    lines
}

/// Every list bench on one database.
pub(crate) fn run(runner: Runner, full: &Full, wanted: &dyn Fn(&str) -> bool) -> Vec<Line> {
    let mut lines = Vec::new();
    if wanted("filter") {
        lines.extend([frequent(runner, full), rare(runner, full)]);
    }
    if wanted("view") {
        lines.extend(system(runner, full));
    }
    if wanted("sort") {
        lines.extend(sorted(runner, full));
    }
    lines
}
