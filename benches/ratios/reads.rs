//! Reads: by id, a page, counts, the board, searches.

use leadcore::desk::board::BoardQuery;
use leadcore::prelude::*;
use leadcore::query::Cursor;

use crate::bare_read::{self, Sql};
use crate::fixture::{Full, TENANT, owner};
use crate::runner::{Line, Runner};

/// Leads spread over the whole database, the same for every run.
fn sample(full: &Full) -> Vec<Lead> {
    let ctx = full.scene.ctx();
    let step = (full.size / 499).max(1);
    let read = full.store.read(ctx.tenant(), |txn| {
        (0..499.min(full.size))
            .map(|n| desk::leads::by_number(&ctx, txn, (1 + n * 7919 % 499 * step) as u64))
            .collect()
    });
    read.unwrap()
}

fn point(runner: Runner, full: &Full, leads: &[Lead]) -> Vec<Line> {
    let (ctx, sql) = (full.scene.ctx(), Sql::new());
    let id = |n: usize| leads[n % leads.len()].id;
    let plain = bare_read::point(&full.bare, &sql, id(3));
    assert_eq!(plain.id, *id(3).as_uuid().as_bytes());
    let alone = runner.compare(
        "point read",
        full.size,
        |n| full.store.read(ctx.tenant(), |txn| desk::leads::get(&ctx, txn, id(n))).unwrap(),
        |n| bare_read::point(&full.bare, &sql, id(n)),
    );
    let together = runner.compare(
        "100 point reads, one transaction",
        full.size,
        |n| {
            let read = full.store.read(ctx.tenant(), |txn| {
                (0..100).try_for_each(|k| desk::leads::get(&ctx, txn, id(n * 100 + k)).map(drop))
            });
            read.unwrap();
        },
        |n| {
            let tx = full.bare.unchecked_transaction().unwrap();
            (0..100).for_each(|k| drop(bare_read::point(&tx, &sql, id(n * 100 + k))));
        },
    );
    vec![alone, together]
}

fn page(runner: Runner, full: &Full, leads: &[Lead]) -> Line {
    let (ctx, sql) = (full.scene.ctx(), Sql::new());
    let ours = |n: usize| {
        let lead = &leads[n % leads.len()];
        let filter = Filter::eq(Field::Stage, lead.stage) & Filter::eq(Field::State, "open");
        let query = LeadQuery::new(filter).limit(50).after(Some(Cursor::behind(lead, &Sort::default())));
        full.store.read(ctx.tenant(), |txn| desk::leads::list(&ctx, txn, &query)).unwrap()
    };
    let theirs = |n: usize| {
        let lead = &leads[n % leads.len()];
        bare_read::page(&full.bare, &sql, lead.stage, (lead.updated_at.as_micros(), lead.id), 51)
    };
    let ids: Vec<_> = ours(5).items.iter().map(|lead| *lead.id.as_uuid().as_bytes()).collect();
    let same: Vec<_> = theirs(5).iter().take(50).map(|plain| plain.id).collect();
    assert_eq!(ids, same);
    runner.compare("page of 50 by stage, any depth", full.size, ours, theirs)
}

fn counts(runner: Runner, full: &Full) -> Vec<Line> {
    let ctx = full.scene.ctx();
    let source = |n: usize| full.sources[n % full.sources.len()];
    let by_source = |n: usize| {
        let filter = Filter::eq(Field::Source, source(n));
        full.store.read(ctx.tenant(), |txn| desk::leads::count(&ctx, txn, &filter)).unwrap()
    };
    let bytes = |n: usize| *source(n).as_uuid().as_bytes();
    assert_eq!(by_source(1), u64::try_from(bare_read::tally(&full.bare, bytes(1))).unwrap());
    let kept =
        runner.compare("count by source", full.size, by_source, |n| bare_read::tally(&full.bare, bytes(n)));
    let both = |n: usize| {
        let filter = Filter::eq(Field::Source, source(n)) & Filter::eq(Field::Owner, owner(n));
        full.store.read(ctx.tenant(), |txn| desk::leads::count(&ctx, txn, &filter)).unwrap()
    };
    let by_rows = |n: usize| bare_read::count(&full.bare, bytes(n), owner(n).as_str());
    assert_eq!(both(1), u64::try_from(by_rows(1)).unwrap());
    let counted = runner.compare("count by source and owner", full.size, both, by_rows);
    vec![kept, counted]
}

fn board(runner: Runner, full: &Full) -> Line {
    let (ctx, sql) = (full.scene.ctx(), Sql::new());
    let query = BoardQuery::default().pipeline(full.pipeline.id).cards(25);
    let ours = || full.store.read(ctx.tenant(), |txn| desk::board::board(&ctx, txn, &query)).unwrap().columns;
    let stages: Vec<_> = full.pipeline.stages.iter().map(|stage| stage.id).collect();
    let theirs = || bare_read::board(&full.bare, &sql, &stages, 26);
    for (column, (_, count, sums, cards)) in ours().iter().zip(theirs()) {
        let ids: Vec<_> = cards.iter().take(25).map(|card| card.id).collect();
        let ours: Vec<_> = column.cards.iter().map(|card| *card.id.as_uuid().as_bytes()).collect();
        assert_eq!((column.count, ours), (count.try_into().unwrap(), ids));
        assert_eq!(column.sums.len(), sums.len());
    }
    runner.compare("board, 7 stages of 25 cards, sums", full.size, |_| ours(), |_| theirs())
}

fn searches(runner: Runner, full: &Full, leads: &[Lead]) -> Vec<Line> {
    let (ctx, sql) = (full.scene.ctx(), Sql::new());
    let rare = leads.iter().find_map(|lead| lead.fields.emails.primary()).unwrap();
    let rare = rare.canonical().split('@').next().unwrap_or_default().to_owned();
    let phone = leads.iter().find_map(|lead| lead.fields.phones.primary()).unwrap();
    let digits = phone.digits().get(3..10).unwrap_or_default().to_owned();
    let cases: [(&'static str, &str, String); 6] = [
        ("search: in nearly every lead", "exam", "exam".to_owned()),
        ("search: a frequent word", "nordlys", "nordlys".to_owned()),
        ("search: one lead's e-mail", &rare, rare.clone()),
        ("search: first two letters", "no", "  no".to_owned()),
        ("search: seven digits of a phone", &digits, digits.clone()),
        ("search: no hit", "qzxvk", "qzxvk".to_owned()),
    ];
    let mut lines = Vec::new();
    for (name, typed, looked_for) in &cases {
        let query = LeadQuery::new(Filter::search(*typed)).limit(50);
        let ours = || full.store.read(ctx.tenant(), |txn| desk::leads::list(&ctx, txn, &query)).unwrap();
        let is_rare = bare_read::is_rare(&full.bare, &format!("\"{looked_for}\""));
        let theirs = || bare_read::search(&full.bare, &sql, looked_for, is_rare, 51);
        let ids: Vec<_> = ours().items.iter().map(|lead| *lead.id.as_uuid().as_bytes()).collect();
        let same: Vec<_> = theirs().iter().take(50).map(|plain| plain.id).collect();
        assert_eq!(ids, same, "{name}");
        lines.push(runner.compare(name, full.size, |_| ours(), |_| theirs()));
    }
    let query = LeadQuery::new(Filter::search("nordlys")).limit(50);
    let mut line = runner.compare(
        "search: a frequent word, against LIKE",
        full.size,
        |_| full.store.read(ctx.tenant(), |txn| desk::leads::list(&ctx, txn, &query)).unwrap(),
        |_| bare_read::like(&full.bare, "nordlys", 51),
    );
    "LIKE '%…%' over the table, ids only".clone_into(&mut line.note);
    lines.push(line);
    lines
}

/// Every read bench on one database.
pub(crate) fn run(runner: Runner, full: &Full, wanted: &dyn Fn(&str) -> bool) -> Vec<Line> {
    assert_eq!(full.scene.ctx().tenant().as_str(), TENANT);
    let leads = sample(full);
    let mut lines = Vec::new();
    if wanted("point") {
        lines.extend(point(runner, full, &leads));
    }
    if wanted("page") {
        lines.push(page(runner, full, &leads));
    }
    if wanted("count") {
        lines.extend(counts(runner, full));
    }
    if wanted("board") {
        lines.push(board(runner, full));
    }
    if wanted("search") {
        lines.extend(searches(runner, full, &leads));
    }
    lines
}
