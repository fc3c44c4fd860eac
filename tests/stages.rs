//! Stages and how leads end, beyond what the manuals ask (X.15–X.20, X.62), with the row that belongs here (S1.07).

use leadcore::desk::board::{self, Board, BoardQuery};
use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::{Expect, leads, pipelines, timeline, vocabulary};
use leadcore::domain::{
    Field, FieldValue, Lead, LeadDraft, LeadPatch, LeadState, Move, Outcome, Pipeline, StageKind, Unmet,
};
use leadcore::error::{Conflict, Error, ErrorKind, Result, ViolationCode};
use leadcore::exchange::import::ImportOptions;
use leadcore::id::{DisqualifyReasonId, LostReasonId, StageId};
use leadcore::query::{Filter, Operator};

use crate::support::{Host, company, counts, form, refused};

/// The default pipeline, changed.
pub(crate) fn configure(host: &Host, change: impl Fn(&mut Pipeline)) -> Pipeline {
    host.write(|ctx, txn| {
        let mut pipeline = pipelines::list_or_default(ctx, txn)?.remove(0);
        change(&mut pipeline);
        pipelines::update(ctx, txn, pipeline)
    })
}

pub(crate) fn stage(pipeline: &Pipeline, name: &str) -> StageId {
    pipeline.stage_named(name).unwrap().id
}

pub(crate) fn go(host: &Host, lead: &Lead, to: impl Into<Move>) -> Result<Lead> {
    let to = to.into();
    host.try_write(|ctx, txn| leads::move_to(ctx, txn, lead.id, Expect::Any, to.clone()))
}

pub(crate) fn draw(host: &Host) -> Board {
    host.read(|ctx, txn| board::board(ctx, txn, &BoardQuery::default()))
}

/// Field and code of each broken rule.
pub(crate) fn rules(error: &Error) -> Vec<(&str, ViolationCode)> {
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
    host.write(|ctx, txn| vocabulary::ask_for_detail(ctx, txn, other.id, other.revision, true));
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
