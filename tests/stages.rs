//! Stages, how leads end, and the board beyond what the manuals ask (X.15–X.21, X.46, X.52, X.58, X.62), with the two rows
//! of the manuals that belong here (S1.07, S4.15).

use leadcore::desk::board::{self, Board, BoardQuery};
use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::functions::{self, Functions};
use leadcore::desk::{Expect, leads, pipelines, timeline, vocabulary};
use leadcore::domain::{
    Field, FieldValue, Lead, LeadDraft, LeadPatch, LeadState, Move, Outcome, Pipeline, Position, StageKind,
    Unmet,
};
use leadcore::error::{Conflict, Error, ErrorKind, Result, ViolationCode};
use leadcore::exchange::import::ImportOptions;
use leadcore::id::{DisqualifyReasonId, LeadId, LostReasonId, StageId};
use leadcore::query::{Circumstance, Filter, LeadQuery, Operator, Sort, SortField};
use leadcore::value::Currency;

use crate::support::{Host, company, counts, form, refused};

/// The default pipeline, changed.
fn configure(host: &Host, change: impl Fn(&mut Pipeline)) -> Pipeline {
    host.write(|ctx, txn| {
        let mut pipeline = pipelines::list_or_default(ctx, txn)?.remove(0);
        change(&mut pipeline);
        pipelines::update(ctx, txn, pipeline)
    })
}

fn stage(pipeline: &Pipeline, name: &str) -> StageId {
    pipeline.stage_named(name).unwrap().id
}

fn go(host: &Host, lead: &Lead, to: impl Into<Move>) -> Result<Lead> {
    let to = to.into();
    host.try_write(|ctx, txn| leads::move_to(ctx, txn, lead.id, Expect::Any, to.clone()))
}

fn draw(host: &Host) -> Board {
    host.read(|ctx, txn| board::board(ctx, txn, &BoardQuery::default()))
}

/// Field and code of each broken rule.
fn rules(error: &Error) -> Vec<(&str, ViolationCode)> {
    error.violations().iter().map(|violation| (violation.field.as_str(), violation.code)).collect()
}

fn outcome(lead: &Lead) -> Option<Outcome> {
    lead.closing.as_ref().map(|closing| closing.outcome)
}

#[test]
fn x_15_stage_kinds() {
    let host = Host::new();
    let pipeline = configure(&host, |_| {});
    let kinds: Vec<_> = pipeline.stages.iter().map(|stage| stage.kind).collect();
    assert_eq!(kinds[2..], [StageKind::Open, StageKind::OnHold, StageKind::Won, StageKind::Lost]);
    let lead = host.add(company("Nordlys AS"));
    let mut ends = Vec::new();
    for name in ["On hold", "Won", "Lost", "Discussion"] {
        ends.push(outcome(&go(&host, &lead, stage(&pipeline, name)).unwrap()));
    }
    assert_eq!(ends, [None, Some(Outcome::Won), Some(Outcome::Lost), None]);
    // No lead ends, or comes back, because somebody edits a pipeline.
    let turn = |host: &Host| {
        host.try_write(|ctx, txn| {
            let mut pipeline = pipelines::list(ctx, txn)?.remove(0);
            pipeline.stages[2].kind = StageKind::Won;
            pipelines::update(ctx, txn, pipeline)
        })
    };
    let error = refused(turn(&host), ErrorKind::Conflict);
    assert_eq!(error.conflict(), Some(&Conflict::InUse { by: 1 }));
    go(&host, &lead, stage(&pipeline, "New")).unwrap();
    turn(&host).unwrap();
}

#[test]
fn s1_07_won_or_lost_with_a_date() {
    let mut host = Host::new();
    let pipeline = configure(&host, |_| {});
    let (won, lost) = (host.add(company("Won AS")), host.add(company("Lost AS")));
    let at = host.scene.tick();
    go(&host, &won, stage(&pipeline, "Won")).unwrap();
    go(&host, &lost, stage(&pipeline, "Lost")).unwrap();
    host.restart();
    assert_eq!(host.names(Filter::eq(Field::Outcome, "won")), ["Won AS"]);
    assert_eq!(host.names(Filter::eq(Field::Outcome, "lost")), ["Lost AS"]);
    assert_eq!(host.names(Filter::new(Field::ClosedAt, Operator::Ge, at)), ["Won AS", "Lost AS"]);
    let groups = host.read(|ctx, txn| leads::count_by(ctx, txn, &Filter::everything(), &Field::Outcome));
    assert_eq!(groups, [(FieldValue::from("lost"), 1), (FieldValue::from("won"), 1)]);
    let file = "Company,Status\nDone AS,Won\nGone AS,Lost\n";
    assert_eq!(counts(&host.import(file, &ImportOptions::new())), [2, 0, 0, 0]);
    assert_eq!(
        host.names(Filter::eq(Field::Outcome, "won")),
        ["Won AS", "Done AS"],
        "an import ends leads too"
    );
}

#[test]
fn x_16_probability_of_a_stage_and_of_a_lead() {
    let host = Host::new();
    let pipeline = configure(&host, |pipeline| pipeline.stages[0].probability = Some(20));
    assert_eq!((pipeline.stages[4].probability, pipeline.stages[5].probability), (Some(100), Some(0)));
    let priced = form(&[(Field::Company, "A"), (Field::Amount, "100"), (Field::Currency, "EUR")]);
    let lead = host.add(priced);
    let weighted = || draw(&host).columns[0].sums[0].weighted.unwrap().to_string();
    assert_eq!(weighted(), "20", "the stage's");
    let own = LeadPatch::new().set(Field::Probability, 35);
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &own));
    assert_eq!(weighted(), "35", "the lead's own comes first");
    let beyond = LeadPatch::new().set(Field::Probability, 101);
    let error = host.try_write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &beyond));
    assert_eq!(rules(&refused(error, ErrorKind::Invalid)), [("probability", ViolationCode::OutOfRange)]);
    let error = host.try_write(|ctx, txn| {
        let mut pipeline = pipelines::list(ctx, txn)?.remove(0);
        pipeline.stages[0].probability = Some(101);
        pipelines::update(ctx, txn, pipeline)
    });
    assert_eq!(
        rules(&refused(error, ErrorKind::Invalid)),
        [("stages[0].probability", ViolationCode::OutOfRange)]
    );
}

#[test]
fn x_17_required_fields_and_transitions() {
    let host = Host::new();
    let pipeline = configure(&host, |pipeline| {
        let (new, mailed, won) = (pipeline.stages[0].id, pipeline.stages[1].id, pipeline.stages[4].id);
        pipeline.stages[1].required_fields = [Field::Email, Field::Amount].into();
        pipeline.stages[2].required_fields = [Field::City].into();
        pipeline.stages[0].allowed_next = Some([mailed].into());
        pipeline.stages[1].allowed_next = Some([new, won].into());
    });
    let (mailed, discussion) = (stage(&pipeline, "Mailed"), stage(&pipeline, "Discussion"));
    let lead = host.add(company("Nordlys AS"));
    // A dry answer: everything that is missing, at once, ready for a form.
    let ask = |to: StageId| host.read(|ctx, txn| board::can_move(ctx, txn, lead.id, &to.into())).unmet;
    let missing = |stage, field| Unmet::FieldRequired { stage, field };
    assert_eq!(ask(mailed), [missing(mailed, Field::Email), missing(mailed, Field::Amount)]);
    let from = lead.stage;
    let both = [Unmet::TransitionNotAllowed { from, to: discussion }, missing(discussion, Field::City)];
    assert_eq!(ask(discussion), both);
    let error = refused(go(&host, &lead, discussion), ErrorKind::Invalid);
    assert_eq!(rules(&error), [("stage", ViolationCode::NotAllowed), ("city", ViolationCode::Required)]);
    let patch = LeadPatch::new().set(Field::Email, "a@nordlys.example").set(Field::Amount, "12");
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch));
    go(&host, &lead, mailed).unwrap();
    // What the stage asks for cannot be taken away while it is there.
    let empty = LeadPatch::new().clear(Field::Email);
    let error = host.try_write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &empty));
    assert_eq!(rules(&refused(error, ErrorKind::Invalid)), [("email", ViolationCode::Required)]);
    // Nobody comes in by another door.
    let draft = LeadDraft::from(company("Fjord AS")).in_stage(mailed);
    let error = host.try_write(|ctx, txn| leads::create(ctx, txn, draft.clone()));
    let wanted = [("email", ViolationCode::Required), ("amount", ViolationCode::Required)];
    assert_eq!(rules(&refused(error, ErrorKind::Invalid)), wanted);
    let file = "Company,E-mail,Expected value,Status\nBerg AS,b@berg.example,,Mailed\nDal AS,d@dal.example,5,Mailed\n\
        Elv AS,e@elv.example,5,Discussion\n";
    let report = host.import(file, &ImportOptions::new());
    assert_eq!(counts(&report), [1, 0, 0, 2], "{report}");
    let report = host.import("E-mail,Status\nd@dal.example,Discussion\n", &ImportOptions::new());
    assert_eq!(counts(&report), [0, 0, 0, 1], "nor may an import move it there: {report}");
    // A rule that comes later: the lead stays, and may be edited as long as it gets no worse.
    configure(&host, |pipeline| {
        pipeline.stages[1].required_fields.insert(Field::City);
    });
    let phone = LeadPatch::new().set(Field::Phone, "+4722225555").clear(Field::City);
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &phone));
}

#[test]
fn x_18_lost_reason() {
    let host = Host::new();
    let pipeline = configure(&host, |_| {});
    let (lost, won) = (stage(&pipeline, "Lost"), stage(&pipeline, "Won"));
    let add = |name: &str| host.write(|ctx, txn| vocabulary::add::<LostReasonId>(ctx, txn, name, None));
    let first = host.add(company("Before the list"));
    go(&host, &first, Move::from(lost).because(None, Some("no budget"))).unwrap();
    let (price, other, old) = (add("Price"), add("Other"), add("Old"));
    host.write(|ctx, txn| vocabulary::require_detail(ctx, txn, other.id, other.revision, true));
    host.write(|ctx, txn| vocabulary::archive(ctx, txn, old.id, old.revision, true));
    let lead = host.add(company("Nordlys AS"));
    let cases = [
        (Move::from(lost), ("lost_reason", ViolationCode::Required)),
        (Move::from(lost).because(None, Some("words alone")), ("lost_reason", ViolationCode::Required)),
        (Move::from(lost).because(other.id, Some(" ")), ("reason_detail", ViolationCode::Required)),
        (Move::from(lost).because(old.id, None), ("lost_reason", ViolationCode::NotAllowed)),
        (Move::from(won).because(price.id, None), ("lost_reason", ViolationCode::NotAllowed)),
    ];
    for (to, wanted) in cases {
        assert_eq!(rules(&refused(go(&host, &lead, to), ErrorKind::Invalid)), [wanted]);
    }
    let moved = go(&host, &lead, Move::from(lost).because(other.id, Some("  moved away "))).unwrap();
    let closing = moved.closing.unwrap();
    assert_eq!((closing.reason, closing.detail.as_deref()), (Some(other.id.as_uuid()), Some("moved away")));
    // The reason may be put right, the date stays.
    host.scene.tick();
    let right = go(&host, &lead, Move::from(lost).because(price.id, None)).unwrap().closing.unwrap();
    assert_eq!((right.reason, right.detail, right.at), (Some(price.id.as_uuid()), None, closing.at));
    assert_eq!(host.names(Filter::eq(Field::LostReason, price.id)), ["Nordlys AS"]);
    // Every door asks for it.
    let draft = LeadDraft::from(company("Fjord AS")).in_stage(lost);
    refused(host.try_write(|ctx, txn| leads::create(ctx, txn, draft.clone())), ErrorKind::Invalid);
    let because = draft.because(price.id, None);
    let made = host.write(|ctx, txn| leads::create(ctx, txn, because.clone()));
    assert_eq!(outcome(&made), Some(Outcome::Lost));
    let file = "Company,Status\nBerg AS,Lost\n";
    assert_eq!(counts(&host.import(file, &ImportOptions::new())), [0, 0, 0, 1]);
    assert_eq!(counts(&host.import(file, &ImportOptions::new().lost_reason(price.id))), [1, 0, 0, 0]);
    // A reason in use is replaced everywhere when it goes.
    host.write(|ctx, txn| vocabulary::delete(ctx, txn, price.id, vocabulary::InUse::Reassign(other.id)));
    assert_eq!(host.count(&Filter::eq(Field::LostReason, other.id)), 3);
}

#[test]
fn x_19_reopen() {
    let host = Host::new();
    let pipeline = configure(&host, |_| {});
    let lead = host.add(company("Nordlys AS"));
    go(&host, &lead, stage(&pipeline, "Discussion")).unwrap();
    let lost = Filter::eq(Field::Outcome, "lost");
    for _ in 0..2 {
        host.scene.tick();
        go(&host, &lead, stage(&pipeline, "Lost")).unwrap();
        assert_eq!(host.count(&lost), 1);
        host.scene.tick();
        let open = host.write(|ctx, txn| leads::reopen(ctx, txn, lead.id, Expect::Any));
        assert_eq!((open.stage, outcome(&open)), (stage(&pipeline, "Discussion"), None));
        assert_eq!(host.count(&lost), 0, "the statistics are right again");
    }
    let won = go(&host, &lead, stage(&pipeline, "Won")).unwrap();
    let back = go(&host, &lead, stage(&pipeline, "New")).unwrap();
    assert_eq!((outcome(&won), outcome(&back)), (Some(Outcome::Won), None), "dragged back is reopened too");
    let told = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 10));
    let texts: Vec<_> = told.items.iter().map(|item| item.text.as_str()).collect();
    assert_eq!(texts[0], "Status: Won → New; Outcome: won → –");
    assert_eq!(texts[2], "Status: Lost → Discussion; Outcome: lost → –");
    let same = host.write(|ctx, txn| leads::reopen(ctx, txn, lead.id, back.revision));
    assert_eq!(same, back, "an open lead stays as it is");
}

#[test]
fn x_20_stage_history() {
    let mut host = Host::new();
    let pipeline = configure(&host, |_| {});
    let lead = host.add(form(&[(Field::Company, "Nordlys AS"), (Field::Email, "a@nordlys.example")]));
    let names = ["Mailed", "Discussion", "Mailed"];
    for name in names {
        host.scene.clock.advance(chrono::TimeDelta::hours(1));
        let to = Move::from(stage(&pipeline, name));
        let moved = host.write_as("bob", &leadcore::policy::AllowAll, |ctx, txn| {
            leads::move_to(ctx, txn, lead.id, Expect::Any, to.clone())
        });
        moved.unwrap();
    }
    host.scene.clock.advance(chrono::TimeDelta::hours(1));
    host.import("E-mail,Status\na@nordlys.example,Won\n", &ImportOptions::new());
    host.scene.clock.advance(chrono::TimeDelta::minutes(1));
    host.restart();
    let history = host.read(|ctx, txn| leads::stage_history(ctx, txn, lead.id));
    let name = |id: StageId| pipeline.stage(id).unwrap().name.clone();
    let told: Vec<_> =
        history.iter().map(|visit| (name(visit.to), visit.seconds, visit.by.to_string())).collect();
    let row = |name: &str, seconds, by: &str| (name.to_owned(), seconds, by.to_owned());
    let wanted = [
        row("New", 3600, "ada"),
        row("Mailed", 3600, "bob"),
        row("Discussion", 3600, "bob"),
        row("Mailed", 3600, "bob"),
        row("Won", 60, "ada"),
    ];
    assert_eq!(told, wanted, "each stay of its own, until now");
    assert!(
        history
            .windows(2)
            .all(|pair| pair[0].left == Some(pair[1].entered) && pair[1].from == Some(pair[0].to))
    );
}

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
    let filtered = BoardQuery::default().filter(Filter::search("lead 3"));
    assert_eq!(shown(&filtered), [row("USD", 1, "1000", "0")]);
    // Who may not see amounts sees no sum of them.
    let secret = leadcore::policy::RoleTable::new()
        .role("r", leadcore::policy::Role::manager().hide(Field::Amount))
        .user(&"eve".parse().unwrap(), &["r"], None);
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
    let entries = host.read(|_, txn| txn.journal().about(&[service.id.into()], None, 10));
    let changed =
        &entries.iter().find(|entry| entry.changes.iter().any(|change| change.field == "stage_ids"));
    let before = &changed.unwrap().changes.iter().find(|change| change.field == "stages").unwrap().before;
    assert_eq!(before.items().len(), 2, "the stage that went can be read from it");
}

#[test]
fn x_62_disqualified_is_not_lost() {
    let mut host = Host::new();
    let pipeline = configure(&host, |_| {});
    let lead = host.add(form(&[(Field::Company, "Nordlys AS"), (Field::Email, "a@nordlys.example")]));
    let spam = host.write(|ctx, txn| vocabulary::add::<DisqualifyReasonId>(ctx, txn, "Spam", None));
    let none = host.try_write(|ctx, txn| leads::disqualify(ctx, txn, lead.id, Expect::Any, None, None));
    assert_eq!(rules(&refused(none, ErrorKind::Invalid)), [("disqualify_reason", ViolationCode::Required)]);
    let gone =
        host.write(|ctx, txn| leads::disqualify(ctx, txn, lead.id, lead.revision, spam.id, Some("a robot")));
    assert_eq!((gone.state(), gone.stage), (LeadState::Disqualified, lead.stage));
    host.restart();
    assert_eq!(draw(&host).columns[0].count, 0, "off the board");
    assert_eq!(host.count(&Filter::eq(Field::Outcome, "lost")), 0, "and not lost");
    assert_eq!(host.names(Filter::search("nordlys")), ["Nordlys AS"], "listed and found");
    assert_eq!(host.names(Filter::eq(Field::DisqualifyReason, spam.id)), ["Nordlys AS"]);
    let convert =
        host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    let error = refused(convert, ErrorKind::Invalid);
    assert_eq!(rules(&error), [("state", ViolationCode::NotAllowed)], "not convertible");
    let error = refused(go(&host, &lead, stage(&pipeline, "Won")), ErrorKind::Invalid);
    assert_eq!(rules(&error), [("state", ViolationCode::NotAllowed)], "nor moved");
    assert!(!host.read(|ctx, txn| leads::actions(ctx, txn, lead.id)).contains(&leads::LeadAction::Convert));
    let open = host.write(|ctx, txn| leads::reopen(ctx, txn, lead.id, gone.revision));
    assert_eq!((open.state(), draw(&host).columns[0].count), (LeadState::Open, 1));
    // A lead that was lost is opened first: its reason is not lost with it.
    go(&host, &lead, stage(&pipeline, "Lost")).unwrap();
    let lost = host.try_write(|ctx, txn| leads::disqualify(ctx, txn, lead.id, Expect::Any, spam.id, None));
    assert_eq!(rules(&refused(lost, ErrorKind::Invalid)), [("state", ViolationCode::NotAllowed)]);
}

#[test]
fn s4_15_fewer_functions_before_conversion() {
    let mut host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let menu = ["call", "invoice", "contract"];
    let open = |host: &Host| host.read(|ctx, txn| functions::open(ctx, txn, lead.id, &menu));
    assert_eq!(open(&host), [true, true, true], "nothing is said");
    let rules = Functions::new()
        .open_in("invoice", &[LeadState::Converted])
        .open_in("contract", &[LeadState::Converted, LeadState::Open]);
    let first = host.write(|ctx, txn| functions::set_rules(ctx, txn, None, &rules));
    refused(host.try_write(|ctx, txn| functions::set_rules(ctx, txn, None, &rules)), ErrorKind::Conflict);
    host.restart();
    assert_eq!(host.read(|ctx, txn| functions::rules(ctx, txn)), (Some(first), rules));
    assert_eq!(open(&host), [true, false, true]);
    host.write(|ctx, txn| leads::disqualify(ctx, txn, lead.id, Expect::Any, None, None));
    assert_eq!(open(&host), [true, false, false]);
    host.write(|ctx, txn| leads::reopen(ctx, txn, lead.id, Expect::Any));
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    assert_eq!(open(&host), [true, true, true]);
}
