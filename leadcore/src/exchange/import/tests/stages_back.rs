//! Stages that an import added, once it is taken back.

use super::*;
use crate::desk::undo::{self, UndoOutcome, UndoPart};
use crate::desk::{Expect, leads, pipelines};
use crate::domain::{Field, LeadDraft, LeadFields, Pipeline, Stage, StageKind, WhyKept};
use crate::id::{OperationId, UserId};
use crate::policy::{Permission, Scope};

const FILE: &str =
    "Company,E-mail,Lead Status\nA,a@x.example,Fresh\nB,b@x.example,Verloren\nC,c@x.example,New\n";
const START: [&str; 6] = ["New", "Mailed", "Discussion", "On hold", "Won", "Lost"];
const WITH: [&str; 8] = ["New", "Mailed", "Discussion", "On hold", "Fresh", "Verloren", "Won", "Lost"];

fn host() -> Host {
    let host = Host::new();
    host.run("Company,E-mail,Lead Status\nZ,z@x.example,New\n");
    host
}

fn pipeline(host: &Host) -> Pipeline {
    let ctx = host.system();
    host.store.read(ctx.tenant(), |txn| pipelines::list(&ctx, txn)).unwrap().remove(0)
}

fn names(host: &Host) -> Vec<String> {
    pipeline(host).stages.into_iter().map(|stage| stage.name).collect()
}

/// Company, stage, whether it is closed.
fn places(host: &Host) -> Vec<(String, String, bool)> {
    let known = pipeline(host);
    let name = |lead: &Lead| known.stage(lead.stage).unwrap().name.clone();
    let each = host.leads().into_iter();
    each.map(|lead| (lead.fields.company.clone().unwrap(), name(&lead), lead.closing.is_some())).collect()
}

fn undo(host: &Host, operation: OperationId) -> UndoOutcome {
    let ctx = host.system();
    let planned = host.store.read(ctx.tenant(), |txn| undo::plan(&ctx, txn, operation)).unwrap();
    let outcome = host.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, operation)).unwrap();
    assert_eq!(planned.totals, outcome.totals, "planned as done");
    outcome
}

/// The name of the stages that stay, and why.
fn kept(outcome: &UndoOutcome) -> (Option<&str>, Vec<WhyKept>) {
    let [kept] = outcome.remaining.as_slice() else { panic!("{outcome:?}") };
    assert!(kept.kept.iter().all(|kept| kept.field == "stage"), "{kept:?}");
    (kept.name.as_deref(), kept.kept.iter().map(|kept| kept.why).collect())
}

fn change(host: &Host, work: impl Fn(&mut Vec<Stage>)) {
    let ctx = host.system();
    let mut wanted = pipeline(host);
    work(&mut wanted.stages);
    host.store.write(ctx.tenant(), |txn| pipelines::update(&ctx, txn, wanted.clone())).unwrap();
}

#[test]
fn stages_that_an_import_added_go_with_it_and_come_back_with_the_undo_of_the_undo() {
    let host = host();
    let before = places(&host);
    let operation = host.run(FILE).operation.unwrap();
    assert_eq!(names(&host), WITH);
    let with = (pipeline(&host).stages, host.leads());
    let outcome = undo(&host, operation);
    assert_eq!((outcome.totals.kept, outcome.totals.failed, outcome.remaining.len()), (0, 0, 0));
    assert_eq!((names(&host), places(&host)), (START.map(str::to_owned).into(), before.clone()));
    // The way back from the way back: everything but revisions and times of writing.
    let again = undo(&host, outcome.operation);
    assert_eq!(again.remaining, []);
    let plain = |leads: Vec<Lead>| -> Vec<Lead> {
        leads
            .into_iter()
            .map(|lead| Lead { revision: crate::id::Revision::FIRST, updated_at: lead.created_at, ..lead })
            .collect()
    };
    assert_eq!(pipeline(&host).stages, with.0);
    assert_eq!(plain(host.leads()), plain(with.1));
    // And once more.
    let outcome = undo(&host, again.operation);
    assert_eq!(
        (outcome.remaining, names(&host), places(&host)),
        (Vec::new(), START.map(str::to_owned).into(), before)
    );
    // The file comes in anew.
    let host = self::host();
    let first = host.run(FILE).operation.unwrap();
    let undone = undo(&host, first);
    assert_eq!(counts(&host.run(FILE)), (3, 0, 0, 0));
    assert_eq!(names(&host), WITH);
    // What is there anew does not come back beside it.
    undo(&host, undone.operation);
    assert_eq!((names(&host), host.leads().len()), (WITH.map(str::to_owned).into(), 4));
}

#[test]
fn a_lead_that_is_restored_is_in_a_stage_of_the_kind_that_its_own_had() {
    let host = host();
    let report = host.run(FILE);
    let ids: Vec<_> = host.leads().into_iter().skip(1).map(|lead| lead.id).collect();
    undo(&host, report.operation.unwrap());
    let ctx = host.system();
    for id in &ids {
        host.store.write(ctx.tenant(), |txn| leads::restore(&ctx, txn, *id)).unwrap();
    }
    let place = |name: &str, stage: &str, closed| (name.to_owned(), stage.to_owned(), closed);
    assert_eq!(
        places(&host)[1..],
        [place("A", "New", false), place("B", "Lost", true), place("C", "New", false)]
    );
    // Its history says where it was.
    let visits = host.store.read(ctx.tenant(), |txn| leads::stage_history(&ctx, txn, ids[0])).unwrap();
    assert_eq!(visits.len(), 2, "{visits:?}");
}

#[test]
fn a_stage_in_which_somebody_else_is_stays_and_is_told_until_it_is_free() {
    let host = host();
    let report = host.run(FILE);
    let second = host.run("Company,E-mail,Lead Status\nD,d@x.example,fresh\n");
    let outcome = undo(&host, report.operation.unwrap());
    assert_eq!(kept(&outcome), (Some("Fresh"), vec![WhyKept::InUse]));
    assert_eq!(names(&host), ["New", "Mailed", "Discussion", "On hold", "Fresh", "Won", "Lost"]);
    // Asked again it says the same, and takes it once nobody is there.
    let again = undo_again(&host, report.operation.unwrap());
    assert_eq!(again.remaining, outcome.remaining);
    undo(&host, second.operation.unwrap());
    assert_eq!(undo_again(&host, report.operation.unwrap()).remaining, []);
    assert_eq!(names(&host), START);
    // Whom a person threw away may come back.
    let host = self::host();
    let report = host.run(FILE);
    let ctx = host.system();
    let fresh = pipeline(&host).stages[4].id;
    let draft = LeadDraft { stage: Some(fresh), ..LeadFields::company("Own").unwrap().into() };
    let own = host.store.write(ctx.tenant(), |txn| leads::create(&ctx, txn, draft.clone())).unwrap();
    host.store.write(ctx.tenant(), |txn| leads::delete(&ctx, txn, own.id, Expect::Any)).unwrap();
    assert_eq!(kept(&undo(&host, report.operation.unwrap())), (Some("Fresh"), vec![WhyKept::InUse]));
}

fn undo_again(host: &Host, operation: OperationId) -> UndoOutcome {
    let ctx = host.system();
    host.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, operation)).unwrap()
}

#[test]
fn a_stage_that_a_person_changed_or_moved_stays_and_is_told() {
    type Work = fn(&mut Vec<Stage>);
    let changes: [Work; 5] = [
        |stages| stages[4].name = "Fresh ones".to_owned(),
        |stages| stages[4].wip_limit = Some(7),
        |stages| stages.swap(3, 4),
        |stages| {
            let fresh = stages.remove(4);
            stages.insert(0, fresh);
        },
        |stages| stages[0].allowed_next = Some([stages[4].id].into()),
    ];
    for (n, work) in changes.into_iter().enumerate() {
        let host = host();
        let report = host.run(FILE);
        change(&host, work);
        let outcome = undo(&host, report.operation.unwrap());
        let (name, why) = kept(&outcome);
        assert!(name.is_some_and(|name| name.starts_with("Fresh")) && why == [WhyKept::Edited], "{n}");
        assert_eq!(names(&host).len(), 7, "the other one goes: {n}");
    }
    // What else is done to the pipeline stands against nothing.
    let host = host();
    let report = host.run(FILE);
    let own = pipelines::new_stage(&host.system(), "Own", StageKind::Open);
    change(&host, |stages| {
        stages.swap(0, 1);
        stages.insert(5, own.clone());
    });
    let outcome = undo(&host, report.operation.unwrap());
    assert_eq!(outcome.remaining, []);
    assert_eq!(names(&host), ["Mailed", "New", "Discussion", "On hold", "Own", "Won", "Lost"]);
    undo(&host, outcome.operation);
    assert_eq!(
        names(&host),
        ["Mailed", "New", "Discussion", "On hold", "Fresh", "Own", "Verloren", "Won", "Lost"]
    );
}

#[test]
fn a_stage_stays_as_long_as_a_part_of_the_import_does() {
    let host = host();
    let operation = host.run(FILE).operation.unwrap();
    let ctx = host.system();
    let part = UndoPart::lines([2]);
    host.store.write(ctx.tenant(), |txn| undo::undo_part(&ctx, txn, operation, &part)).unwrap();
    assert_eq!(names(&host), WITH);
    // A lead that is kept keeps its stage.
    let lost = host.leads().into_iter().find(|lead| lead.fields.company.as_deref() == Some("B")).unwrap();
    let patch = crate::domain::LeadPatch::new().set(Field::City, "Oslo");
    host.store.write(ctx.tenant(), |txn| leads::edit(&ctx, txn, lost.id, Expect::Any, &patch)).unwrap();
    let outcome = undo(&host, operation);
    let told = outcome.remaining.iter().find_map(|record| record.name.as_deref());
    assert_eq!(told, Some("Verloren"));
    assert_eq!(names(&host), ["New", "Mailed", "Discussion", "On hold", "Verloren", "Won", "Lost"]);
}

#[test]
fn stages_of_many_chunks_go_together_and_in_any_state_of_their_leads() {
    let host = host();
    let rows: String = (0..40).map(|n| format!("N{n},Stage {}\n", n / 4)).collect();
    let file = format!("Company,Lead Status\n{rows}");
    let report = host.run_with(file, &ImportOptions::new().chunk(3));
    assert_eq!(names(&host).len(), 16);
    let outcome = undo(&host, report.operation.unwrap());
    assert_eq!((outcome.remaining, names(&host)), (Vec::new(), START.map(str::to_owned).into()));
    undo(&host, outcome.operation);
    assert_eq!((names(&host).len(), host.leads().len()), (16, 41));
}

#[test]
fn who_may_not_configure_leaves_the_stages_and_is_told_so() {
    #[derive(Debug)]
    struct NotStages;
    impl Policy for NotStages {
        fn scope(&self, _: &Actor, permission: Permission) -> Scope {
            if permission == Permission::Configure { Scope::None } else { Scope::All }
        }

        fn is_hidden(&self, _: &Actor, _: &Field) -> bool {
            false
        }

        fn may_own(&self, _: &Actor, _: &UserId) -> bool {
            true
        }
    }
    let host = host();
    let report = host.run(FILE);
    let ctx = host.ctx(Actor::User("bob".parse().unwrap()), &NotStages);
    let outcome =
        host.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, report.operation.unwrap())).unwrap();
    assert_eq!((outcome.forbidden, outcome.totals.failed), (1, 1), "{outcome:?}");
    assert_eq!((names(&host), host.leads().len()), (WITH.map(str::to_owned).into(), 1));
    // Who may takes them later.
    assert_eq!(undo_again(&host, report.operation.unwrap()).remaining, []);
    assert_eq!(names(&host), START);
}
