//! The board and pipelines beyond what the manuals ask (X.21, X.46, X.52, X.58).

use leadcore::desk::board::{self, BoardQuery};
use leadcore::desk::{Expect, leads, pipelines, timeline, undo};
use leadcore::domain::{Field, Lead, LeadDraft, LeadPatch, Move, Position, StageKind, Topics, Unmet};
use leadcore::error::{Conflict, ErrorKind, ViolationCode};
use leadcore::exchange::import::ImportOptions;
use leadcore::id::LeadId;
use leadcore::query::{Circumstance, Cursor, Filter, LeadQuery, Sort, SortField};
use leadcore::value::Currency;

use crate::stages::{configure, draw, go, rules, stage};
use crate::support::{Host, company, counts, form, refused};

#[test]
fn x_21_rotting_per_stage() {
    let host = Host::new();
    let pipeline = configure(&host, |pipeline| {
        pipeline.stages[0].idle_days = Some(14);
        pipeline.stages[1].idle_days = Some(2);
    });
    let slow = host.add(company("Slow stage"));
    let fast = host.add(company("Fast stage"));
    let never = host.add(company("No limit"));
    let won = host.add(company("Won"));
    go(&host, &fast, stage(&pipeline, "Mailed")).unwrap();
    go(&host, &never, stage(&pipeline, "Discussion")).unwrap();
    go(&host, &won, stage(&pipeline, "Won")).unwrap();
    let rotting = || {
        let query =
            LeadQuery::new(Filter::Is(Circumstance::Rotting)).sort(Sort::ascending(SortField::ActiveAt));
        let page = host.read(|ctx, txn| leads::list(ctx, txn, &query));
        let listed = host.read(|ctx, txn| pipelines::list(ctx, txn));
        let idle = |lead: &Lead| leads::Idle::of(lead, &listed, host.scene.clock_now());
        page.items
            .iter()
            .map(|lead| (lead.fields.company.clone().unwrap(), idle(lead).days, idle(lead).is_rotting()))
            .collect::<Vec<_>>()
    };
    host.scene.clock.advance(chrono::TimeDelta::days(3));
    assert_eq!(rotting(), [("Fast stage".to_owned(), 3, true)], "by the days of its stage");
    host.scene.clock.advance(chrono::TimeDelta::days(12));
    let both = [("Slow stage".to_owned(), 15, true), ("Fast stage".to_owned(), 15, true)];
    assert_eq!(rotting(), both, "the longest idle first");
    // Putting its card elsewhere in the column is no activity; moving it on is.
    go(&host, &slow, Move::from(slow.stage).at(Position::Bottom)).unwrap();
    assert_eq!(rotting().len(), 2);
    go(&host, &slow, stage(&pipeline, "Mailed")).unwrap();
    assert_eq!(rotting().len(), 1);
}

#[test]
fn x_46_expected_and_weighted_value() {
    let host = Host::new();
    configure(&host, |pipeline| pipeline.stages[0].probability = Some(10));
    let rows: [(&str, &str, Option<u8>); 5] = [
        ("99999999999999.9999", "EUR", None),
        ("99999999999999.9999", "EUR", None),
        ("0.01", "EUR", Some(33)),
        ("1000", "USD", None),
        ("5", "", None),
    ];
    for (n, (amount, currency, own)) in rows.into_iter().enumerate() {
        let mut fields = form(&[(Field::Company, &format!("Lead {n}")), (Field::Amount, amount)]);
        fields.currency = (!currency.is_empty()).then(|| Currency::parse(currency).unwrap());
        fields.probability = own;
        host.add(fields);
    }
    host.add(company("Says nothing"));
    let shown = |query: &BoardQuery| -> Vec<(String, u64, String, String)> {
        let board = host.read(|ctx, txn| board::board(ctx, txn, query));
        let sums = board.columns[0].sums.iter();
        sums.map(|sum| {
            let code = sum.currency.map_or(String::new(), |currency| currency.code().to_owned());
            (code, sum.leads, sum.expected.to_string(), sum.weighted.unwrap().to_string())
        })
        .collect()
    };
    let row = |code: &str, leads, expected: &str, weighted: &str| {
        (code.to_owned(), leads, expected.to_owned(), weighted.to_owned())
    };
    let wanted = [
        row("", 1, "5", "0.5"),
        row("EUR", 3, "200000000000000.0098", "20000000000000.00328"),
        row("USD", 1, "1000", "100"),
    ];
    assert_eq!(shown(&BoardQuery::default()), wanted, "each currency of its own, to the last digit");
    // Another probability of the stage counts at once; a filter narrows the sums with the cards.
    configure(&host, |pipeline| pipeline.stages[0].probability = None);
    assert_eq!(shown(&BoardQuery::default())[1].3, "0.0033", "only leads that say their own");
    let filtered = BoardQuery::default().filter(Filter::eq(Field::Currency, "USD"));
    assert_eq!(shown(&filtered), [row("USD", 1, "1000", "0")]);
    // The close date: in a form, a filter, a sort, a file; shown, and taken back.
    let lead = host.read(|ctx, txn| leads::by_number(ctx, txn, 4));
    let edit = |day: &str| {
        let patch = LeadPatch::new().set(Field::ExpectedClose, day);
        host.try_write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch))
    };
    assert_eq!(edit("2026-12-01").unwrap().fields.expected_close.unwrap().to_string(), "2026-12-01");
    refused(edit("2026-02-30"), ErrorKind::Invalid);
    let file = "Company,Close date\nFjord AS,2026-11-30\nDal AS,soon\n";
    assert_eq!(counts(&host.import(file, &ImportOptions::new())), [1, 0, 0, 1]);
    let named = |text: &str| host.names(Filter::parse(text).unwrap());
    assert_eq!(named("expected_close = 2026-12-01"), ["Lead 3"]);
    assert_eq!(named("expected_close this month"), ["Fjord AS"]);
    assert_eq!(named("expected_close next 30 days"), ["Lead 3", "Fjord AS"]);
    assert_eq!(named("expected_close < 2026-12-01"), ["Fjord AS"], "a lead without one is not early");
    assert_eq!(named("expected_close is empty").len(), 5);
    let query = LeadQuery::default().sort(Sort::descending(SortField::ExpectedClose)).limit(1);
    let first = host.read(|ctx, txn| leads::list(ctx, txn, &query));
    let after = first.next.map(|next| Cursor::from_text(&next.to_text()).unwrap());
    let second = host.read(|ctx, txn| leads::list(ctx, txn, &query.clone().after(after.clone())));
    let both = [&first.items[0], &second.items[0]].map(|lead| lead.fields.display_name().unwrap().to_owned());
    assert_eq!(both, ["Lead 3", "Fjord AS"]);
    let history = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 1)).items.remove(0);
    assert_eq!(history.text, "Close date: – → 2026-12-01");
    host.write(|ctx, txn| undo::undo(ctx, txn, history.entry.operation));
    assert_eq!(host.get(&lead).fields.expected_close, None);
    // Who may not see amounts sees no sum of them.
    let secret = leadcore::policy::RoleTable::new()
        .role("r", leadcore::policy::Role::manager().hide(Field::Amount).unwrap())
        .user(&"eve".parse().unwrap(), &["r"], None)
        .unwrap();
    let board = host.write_as("eve", &secret, |ctx, txn| board::board(ctx, txn, &BoardQuery::default()));
    assert!(board.unwrap().columns.iter().all(|column| column.sums.is_empty()));
}

#[test]
fn x_52_card_order_and_limit() {
    let mut host = Host::new();
    let pipeline = configure(&host, |pipeline| pipeline.stages[1].wip_limit = Some(2));
    let made: Vec<_> = ["A", "B", "C"].iter().map(|name| host.add(company(name))).collect();
    let (new, mailed) = (made[0].stage, stage(&pipeline, "Mailed"));
    let column = |host: &Host, n: usize| -> Vec<LeadId> {
        draw(host).columns[n].cards.iter().map(|card| card.id).collect()
    };
    let [a, b, c] = [0, 1, 2].map(|n: usize| made[n].id);
    assert_eq!(column(&host, 0), [c, b, a], "what came last lies on top");
    let moved = go(&host, &made[2], Move::from(new).at(Position::After(b))).unwrap();
    assert_eq!(moved.stage_entered_at, made[2].stage_entered_at, "it is in the stage as long as before");
    host.restart();
    assert_eq!(column(&host, 0), [b, c, a]);
    for lead in &made[..2] {
        host.scene.tick();
        go(&host, lead, mailed).unwrap();
    }
    assert_eq!(column(&host, 1), [b, a]);
    let wip = draw(&host).columns[1].wip.unwrap();
    assert_eq!((wip.limit, wip.full, wip.over), (2, true, false));
    let error = refused(go(&host, &made[2], mailed), ErrorKind::Invalid);
    assert_eq!(rules(&error), [("stage", ViolationCode::LimitReached)]);
    let told = host.read(|ctx, txn| board::can_move(ctx, txn, c, &mailed.into()));
    assert_eq!(told.unmet, [Unmet::LimitReached { stage: mailed, limit: 2, count: 2 }]);
    // Every door counts, also within one call or one file.
    let drafts = || vec![LeadDraft::from(company("D")).in_stage(mailed)];
    refused(host.try_write(|ctx, txn| leads::create_many(ctx, txn, drafts())), ErrorKind::Invalid);
    host.write(|ctx, txn| leads::delete(ctx, txn, a, Expect::Any));
    let file = "Company,Status\nE,Mailed\nF,Mailed\nG,New\n";
    assert_eq!(counts(&host.import(file, &ImportOptions::new())), [2, 0, 0, 1], "one place was free");
    let back = host.try_write(|ctx, txn| leads::restore(ctx, txn, a));
    assert_eq!(rules(&refused(back, ErrorKind::Invalid)), [("stage", ViolationCode::LimitReached)]);
    // Within the stage cards still move, and a limit set later is shown, not enforced on who is there.
    go(&host, &made[1], Move::from(mailed).at(Position::Bottom)).unwrap();
    configure(&host, |pipeline| pipeline.stages[1].wip_limit = Some(1));
    assert!(draw(&host).columns[1].wip.unwrap().over);
    // Other orders are a sort away.
    let by_name = BoardQuery::default().sort(Sort::ascending(SortField::Company));
    let board = host.read(|ctx, txn| board::board(ctx, txn, &by_name));
    let names: Vec<_> =
        board.columns[1].cards.iter().map(|card| card.fields.company.clone().unwrap()).collect();
    assert_eq!(names, ["B", "E"]);
}

#[test]
fn x_58_several_pipelines() {
    let mut host = Host::new();
    let sales = configure(&host, |pipeline| {
        pipeline.stages[0].color = Some("#1a7f37".to_owned());
        pipeline.stages.swap(1, 2);
    });
    assert_eq!(draw(&host).columns[0].stage.color.as_deref(), Some("#1a7f37"));
    let lead = host.add(company("Nordlys AS"));
    let stages =
        ["Triage", "Repair"].map(|name| pipelines::new_stage(&host.ctx(), name, StageKind::Open)).to_vec();
    let service = host.write(|ctx, txn| pipelines::add(ctx, txn, "Service", stages.clone()));
    // Between pipelines every way is open; each has a board.
    go(&host, &lead, service.stages[1].id).unwrap();
    let query = BoardQuery::default().pipeline(service.id);
    assert_eq!(host.read(|ctx, txn| board::board(ctx, txn, &query)).columns[1].count, 1);
    let gone = host.try_write(|ctx, txn| pipelines::remove(ctx, txn, service.id, service.revision));
    assert_eq!(refused(gone, ErrorKind::Conflict).conflict(), Some(&Conflict::InUse { by: 1 }));
    // A stage goes, its leads go where they are sent, in one transaction.
    let new = stage(&sales, "New");
    let left = host.write(|ctx, txn| {
        pipelines::remove_stage(ctx, txn, service.id, service.revision, service.stages[1].id, Some(new))
    });
    assert_eq!((left.stages.len(), host.get(&lead).stage, host.get(&lead).pipeline), (1, new, sales.id));
    let chosen = host.write(|ctx, txn| pipelines::set_default(ctx, txn, service.id, left.revision));
    assert_eq!(host.add(company("Fjord AS")).pipeline, service.id, "new leads start in the default");
    host.restart();
    let listed = host.read(|ctx, txn| pipelines::list(ctx, txn));
    assert_eq!(listed.iter().map(|known| known.is_default).collect::<Vec<_>>(), [true, false]);
    let default = host.try_write(|ctx, txn| pipelines::remove(ctx, txn, service.id, chosen.revision));
    refused(default, ErrorKind::Invalid);
    // Every change is in the journal with what was before.
    let entries = host.read(|_, txn| txn.journal().about(&[service.id.into()], Topics::NONE, None, 10));
    let changed =
        &entries.iter().find(|entry| entry.changes.iter().any(|change| change.field == "stage_ids"));
    let before = &changed.unwrap().changes.iter().find(|change| change.field == "stages").unwrap().before;
    assert_eq!(before.items().len(), 2, "the stage that went can be read from it");
}
