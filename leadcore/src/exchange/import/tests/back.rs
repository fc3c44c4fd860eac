//! An import that is taken back leaves nothing behind that only it needed.

use super::*;
use crate::desk::undo::{self, UndoOutcome, UndoPart};
use crate::desk::{Expect, leads, vocabulary};
use crate::domain::{Field, LeadFields, LeadPatch, TermKind, Topics, WhyKept};
use crate::error::Conflict;
use crate::id::{LabelId, OperationId, SourceId};
use crate::store::Txn;

const FILE: &str = "Company,E-mail,Tags,Source\nA,a@x.example,\"Hot, Old\",Fair\nB,b@x.example,Hot,Radio\n";

fn names(host: &Host) -> (Vec<String>, Vec<String>) {
    let ctx = host.system();
    host.store
        .read(ctx.tenant(), |txn| {
            let labels = vocabulary::list::<LabelId>(&ctx, txn)?.into_iter().map(|term| term.name);
            let labels = labels.collect();
            Ok((labels, vocabulary::list::<SourceId>(&ctx, txn)?.into_iter().map(|term| term.name).collect()))
        })
        .unwrap()
}

fn undo(host: &Host, operation: OperationId) -> UndoOutcome {
    let ctx = host.system();
    let planned = host.store.read(ctx.tenant(), |txn| undo::plan(&ctx, txn, operation)).unwrap();
    let outcome = host.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, operation)).unwrap();
    assert_eq!(planned.totals, outcome.totals, "planned as done");
    outcome
}

fn undo_part(host: &Host, operation: OperationId, part: &UndoPart) -> Result<UndoOutcome> {
    let ctx = host.system();
    let planned = host.store.read(ctx.tenant(), |txn| undo::plan_part(&ctx, txn, operation, part));
    let outcome = host.store.write(ctx.tenant(), |txn| undo::undo_part(&ctx, txn, operation, part));
    assert_eq!(planned.map(|plan| plan.totals).ok(), outcome.as_ref().map(|done| done.totals).ok());
    outcome
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn terms_that_an_import_added_go_with_it_and_come_back_with_the_undo_of_the_undo() {
    let host = Host::new();
    let ctx = host.system();
    host.store.write(ctx.tenant(), |txn| vocabulary::add::<LabelId>(&ctx, txn, "Old", None)).unwrap();
    let before = names(&host);
    let report = host.run(FILE);
    let with = names(&host);
    assert_eq!(with, (texts(&["Old", "Hot"]), texts(&["Fair", "Radio"])));
    let outcome = undo(&host, report.operation.unwrap());
    assert_eq!((outcome.totals.kept, outcome.totals.failed, outcome.remaining.len()), (0, 0, 0));
    assert_eq!(names(&host), before);
    // The way back from the way back.
    undo(&host, outcome.operation);
    let (mut labels, mut sources) = names(&host);
    labels.sort();
    sources.sort();
    assert_eq!((labels, sources), (texts(&["Hot", "Old"]), texts(&["Fair", "Radio"])));
    assert_eq!(host.leads().iter().map(|lead| lead.fields.labels.len()).collect::<Vec<_>>(), [2, 1]);
    assert!(host.leads().iter().all(|lead| lead.fields.source.is_some()));
}

#[test]
fn a_file_that_was_taken_back_is_imported_again_with_its_terms() {
    let host = Host::new();
    let first = host.run(FILE);
    undo(&host, first.operation.unwrap());
    let again = host.run(FILE);
    assert_eq!((counts(&again), again.repeated), ((2, 0, 0, 0), false), "{again}");
    assert_eq!(names(&host).0, ["Hot", "Old"]);
}

#[test]
fn a_term_that_something_else_uses_by_now_stays_and_is_told() {
    let host = Host::new();
    let report = host.run(FILE);
    let ctx = host.system();
    let hot = host.store.read(ctx.tenant(), |txn| vocabulary::list::<LabelId>(&ctx, txn)).unwrap()[0].id;
    let mut fields = LeadFields::company("Own").unwrap();
    fields.labels.insert(hot);
    host.store.write(ctx.tenant(), |txn| leads::create(&ctx, txn, fields.clone().into())).unwrap();
    let outcome = undo(&host, report.operation.unwrap());
    assert_eq!(names(&host), (texts(&["Hot"]), Vec::new()));
    let [kept] = outcome.remaining.as_slice() else { panic!("{outcome:?}") };
    assert_eq!((kept.subject.id, kept.kept[0].why), (hot.as_uuid(), WhyKept::InUse));
    assert_eq!(host.leads()[0].fields.labels.len(), 1);
}

#[test]
fn terms_go_with_the_last_part_of_an_import() {
    let host = Host::new();
    let report = host.run(FILE);
    let operation = report.operation.unwrap();
    undo_part(&host, operation, &UndoPart::lines([2])).unwrap();
    assert_eq!(names(&host).0, ["Hot", "Old"], "a part takes back leads alone");
    let outcome = undo(&host, operation);
    assert_eq!(names(&host), (Vec::new(), Vec::new()), "{outcome:?}");
}

#[test]
fn terms_of_leads_that_were_there_before_go_too() {
    let host = Host::new();
    host.run("Company,E-mail\nA,a@x.example\n");
    let report = host.run(FILE);
    assert_eq!(counts(&report), (1, 1, 0, 0));
    undo(&host, report.operation.unwrap());
    assert_eq!(names(&host), (Vec::new(), Vec::new()));
    let used: usize =
        TermKind::ALL.into_iter().map(|kind| kind.field().read(&host.leads()[0]).items().len()).sum();
    assert_eq!(used, 0);
}

#[test]
fn lines_that_wrote_nothing_are_named() {
    let host = Host::new();
    let report = host.run("Company,E-mail\nA,a@x.example\nB,wrong\n");
    let before = host.dump();
    let error = undo_part(&host, report.operation.unwrap(), &UndoPart::lines([2, 3, 99])).unwrap_err();
    assert_eq!(error.violations()[0].field, "lines");
    assert!(error.to_string().contains("3, 99"), "{error}");
    assert_eq!(host.dump(), before);
}

#[test]
fn what_a_part_took_back_is_told_as_that_by_the_whole() {
    let host = Host::new();
    host.run("Company,E-mail,City\nA,a@x.example,Moss\nB,b@x.example,Moss\n");
    let file = "Company,E-mail,City,Labels\nA,a@x.example,Oslo,Hot\nB,b@x.example,Oslo,\nC,c@x.example,Oslo,Hot\nD,d@x.example,,\n";
    let operation = host.run(file).operation.unwrap();
    let why = |outcome: &UndoOutcome| {
        let told = outcome.remaining.iter().flat_map(|record| &record.kept);
        let mut told: Vec<_> = told.map(|kept| (kept.field.clone(), kept.why)).collect();
        told.sort();
        told
    };
    let part = UndoPart::lines([2, 3, 4]);
    assert!(why(&undo_part(&host, operation, &part).unwrap()).is_empty());
    // Somebody goes on with one of them: of what was taken back nothing was edited.
    let b = host.leads().into_iter().find(|lead| lead.fields.company.as_deref() == Some("B")).unwrap();
    host.run("Company,E-mail,Job title\nB,b@x.example,Chief\n");
    let again = undo_part(&host, operation, &part).unwrap();
    let reversed = |field: &str| (field.to_owned(), WhyKept::Reversed);
    let expected = vec![reversed("city"), reversed("city"), reversed("created"), reversed("labels")];
    assert_eq!(why(&again), expected);
    let whole = undo(&host, operation);
    assert_eq!((whole.totals.reversed, whole.totals.kept, whole.totals.failed), (2, 3, 0), "{whole:?}");
    assert_eq!(why(&whole), expected);
    let kept = whole.remaining.iter().find(|record| record.subject.id == b.id.as_uuid()).unwrap();
    assert_eq!(kept.kept[0].why, WhyKept::Reversed);
}

#[test]
fn what_was_edited_behind_the_undo_of_a_part_is_told_as_edited() {
    let host = Host::new();
    host.run("Company,E-mail,City\nA,a@x.example,Moss\n");
    let operation =
        host.run("Company,E-mail,City\nA,a@x.example,Oslo\nB,b@x.example,Oslo\n").operation.unwrap();
    undo_part(&host, operation, &UndoPart::lines([2])).unwrap();
    host.run("Company,E-mail,City\nA,a@x.example,Hamar\n");
    let whole = undo(&host, operation);
    let [kept] = whole.remaining.as_slice() else { panic!("{whole:?}") };
    assert_eq!((kept.kept[0].field.as_str(), kept.kept[0].why), ("city", WhyKept::Edited));
}

#[test]
fn a_plan_of_the_rest_takes_the_whole_file_once_its_beginning_was_taken_back() {
    let file = "company,email\nA,a@x.example\nB,b@x.example\nC,c@x.example\n";
    for streamed in [false, true] {
        let host = Host::new();
        let options = ImportOptions::new().chunk(1);
        let mut heard = Heard { stop_after: Some(2), ..Heard::default() };
        let begun = host.hear(&host.store, file, &options, &mut heard).unwrap_err().operation().unwrap();
        let mut plan = host.plan(file, &options);
        assert_eq!(plan.lines.len(), 1);
        plan.skip(4).unwrap();
        undo(&host, begun);
        let report = if streamed {
            let mut lines = Vec::new();
            plan.write_lines(&mut lines).unwrap();
            let (lines, input) = (Cursor::new(lines), Cursor::new(file));
            import::apply_from(&host.system(), &host.store, lines, input, None, &mut ()).unwrap()
        } else {
            host.apply(&plan, file)
        };
        assert_eq!(counts(&report), (2, 0, 1, 0), "{report}");
        let names: Vec<_> = host.leads().into_iter().map(|lead| lead.fields.company.unwrap()).collect();
        assert_eq!(names, ["A", "B"], "the one that was left out stays so");
    }
}

#[test]
fn a_plan_that_says_nothing_of_a_file_is_not_carried_out_once_its_import_was_taken_back() {
    let host = Host::new();
    let report = host.run(FILE);
    let plan = host.plan(FILE, &ImportOptions::new());
    assert!(plan.report.repeated && host.apply(&plan, FILE).repeated);
    undo(&host, report.operation.unwrap());
    let before = host.dump();
    let error =
        import::apply(&host.system(), &host.store, &plan, Cursor::new(FILE), None, &mut ()).unwrap_err();
    assert_eq!(error.conflict(), Some(&Conflict::PlanOutdated));
    assert_eq!(host.dump(), before, "the file does not count as imported");
    assert_eq!(host.run(FILE).created, 2);
}

#[test]
fn a_plan_of_an_undo_is_done_once_and_refused_once_it_says_something_else() {
    let host = Host::new();
    host.run("company,email\nA,a@x.example\n");
    let operation = host.run("email,city,industry\na@x.example,Oslo,Fish\n").operation.unwrap();
    let ctx = host.system();
    let planned = || host.store.read(ctx.tenant(), |txn| undo::plan(&ctx, txn, operation)).unwrap();
    let apply = |plan: &undo::UndoPlan| host.store.write(ctx.tenant(), |txn| undo::apply(&ctx, txn, plan));
    let lead = host.leads()[0].id;
    let city = |city: &str| {
        let patch = LeadPatch::new().set(Field::City, city);
        let edit = |txn: &mut dyn Txn| {
            leads::edit(&ctx, txn, lead, Expect::Any, &patch)?;
            txn.journal().about(&[lead.into()], Topics::NONE, None, 1)
        };
        host.store.write(ctx.tenant(), edit).unwrap()[0].operation
    };
    // What was edited since stays, also where the same is written again.
    let edits = [city("Moss"), city("Oslo")];
    let first = planned();
    let done = apply(&first).unwrap();
    assert!(done.newly_undone && done.totals.partly == 1, "{done:?}");
    assert_eq!(apply(&first).unwrap().operation, done.operation, "the same plan twice");
    // What is left to be taken back changes after it was planned.
    let second = planned();
    assert_eq!((first.attempts, second.attempts), (0, 1));
    for edit in edits.into_iter().rev() {
        host.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, edit)).unwrap();
    }
    assert_ne!(planned().records, second.records);
    assert_eq!(apply(&second).unwrap_err().conflict(), Some(&Conflict::PlanOutdated));
    let again = apply(&first).unwrap();
    assert_eq!((again.operation, again.newly_undone), (done.operation, false));
    // An undo that was taken back is planned anew.
    host.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, done.operation)).unwrap();
    assert_eq!(apply(&first).unwrap_err().conflict(), Some(&Conflict::PlanOutdated));
}

#[test]
fn a_file_of_which_nothing_is_left_can_be_imported_again() {
    // Line by line, and then as a whole.
    let host = Host::new();
    let operation = host.run(FILE).operation.unwrap();
    undo_part(&host, operation, &UndoPart::lines([2])).unwrap();
    undo_part(&host, operation, &UndoPart::lines([3])).unwrap();
    assert!(host.run(FILE).repeated, "a part leaves the file imported");
    let outcome = undo(&host, operation);
    assert!(outcome.freed_key.is_some(), "{outcome:?}");
    assert_eq!(host.run(FILE).created, 2);
    // Where no line was taken.
    let host = Host::new();
    let file = "company,email\nA,wrong\n";
    let report = host.run(file);
    assert_eq!(counts(&report), (0, 0, 0, 1));
    assert!(host.run(file).repeated);
    let undone = undo(&host, report.operation.unwrap());
    assert!(undone.freed_key.is_some());
    assert_eq!(counts(&host.run(file)), (0, 0, 0, 1), "not repeated");
    // Not where somebody's work keeps a lead.
    let host = Host::new();
    let operation = host.run(FILE).operation.unwrap();
    let ctx = host.system();
    for lead in host.leads() {
        let patch = LeadPatch::new().set(Field::City, "Oslo");
        let edit = |txn: &mut dyn Txn| leads::edit(&ctx, txn, lead.id, Expect::Any, &patch);
        host.store.write(ctx.tenant(), edit).unwrap();
    }
    assert_eq!(undo(&host, operation).freed_key, None);
    assert!(host.run(FILE).repeated);
}

/// What stays, and why.
fn stays(outcome: &UndoOutcome) -> Vec<(&str, WhyKept)> {
    let told = outcome.remaining.iter().flat_map(|record| &record.kept);
    told.map(|kept| (kept.field.as_str(), kept.why)).collect()
}

#[test]
fn a_line_of_a_lead_that_other_lines_wrote_too_is_taken_back_with_them_or_not_at_all() {
    let known = "Company,E-mail,City\nA,a@x.example,Oslo\n";
    let file = "Company,E-mail,City,Phone\nA,a@x.example,Bergen,+4722222222\nA,a@x.example,Voss,\n";
    // In one chunk or two, of a lead that was there or is new.
    for (chunk, is_new) in [(500, false), (1, false), (500, true), (1, true)] {
        let host = Host::new();
        if !is_new {
            host.run(known);
        }
        let operation = host.run_with(file, &ImportOptions::new().chunk(chunk)).operation.unwrap();
        let before = host.leads();
        for line in [2, 3] {
            let outcome = undo_part(&host, operation, &UndoPart::lines([line])).unwrap();
            assert_eq!((outcome.totals.reversed, outcome.totals.kept), (0, 1), "{outcome:?}");
            let kept = stays(&outcome);
            assert!(!kept.is_empty() && kept.iter().all(|(_, why)| *why == WhyKept::Shared), "{kept:?}");
            assert_eq!(kept.iter().any(|(field, _)| *field == "created"), is_new, "{kept:?}");
            assert_eq!(host.leads()[0].fields.address.city(), Some("Voss"));
        }
        assert_eq!(host.leads(), before, "nothing is written");
        let both = UndoPart::lines([2, 3]);
        let outcome = undo_part(&host, operation, &both).unwrap();
        assert_eq!((outcome.totals.reversed, outcome.remaining.len()), (1, 0), "{chunk} {outcome:?}");
        let leads = host.leads();
        assert_eq!(leads.len(), usize::from(!is_new));
        assert!(
            leads
                .iter()
                .all(|lead| lead.fields.address.city() == Some("Oslo") && lead.fields.phones.is_empty())
        );
        // What was taken back with them is told as that.
        let outcome = undo_part(&host, operation, &UndoPart::lines([3])).unwrap();
        assert!(stays(&outcome).iter().all(|(_, why)| *why == WhyKept::Reversed), "{outcome:?}");
    }
}

#[test]
fn whenever_an_import_stands_undone_its_file_can_be_imported_again() {
    let host = Host::new();
    let operation = host.run(FILE).operation.unwrap();
    let first = undo(&host, operation);
    let key = first.freed_key.clone();
    assert!(key.is_some());
    // There and back, some times: the key goes with the leads.
    let mut last = first.operation;
    for _ in 0..3 {
        let brought_back = undo(&host, last);
        assert_eq!((brought_back.freed_key, host.leads().len()), (None, 2));
        assert!(host.run(FILE).repeated);
        let gone = undo(&host, brought_back.operation);
        assert_eq!((&gone.freed_key, host.leads().len()), (&key, 0), "{gone:?}");
        last = gone.operation;
    }
    let again = host.run(FILE);
    assert_eq!((again.repeated, again.created, host.leads().len()), (false, 2, 2));
    // By now that import has it.
    let brought_back = undo(&host, last);
    let gone = undo(&host, brought_back.operation);
    assert_eq!(gone.freed_key, None, "{gone:?}");
    let repeated = host.run(FILE);
    assert_eq!((repeated.repeated, repeated.operation), (true, again.operation));
}

#[test]
fn terms_that_somebody_changed_since_stay_and_are_told() {
    type Change = fn(&Host, SourceId);
    let changes: [(Change, bool); 4] = [
        (
            |host, id| {
                write(host, |ctx, txn| vocabulary::rename(ctx, txn, id, Expect::Any, "Trade fair").map(drop));
            },
            true,
        ),
        (
            |host, id| {
                write(host, |ctx, txn| {
                    vocabulary::recolor(ctx, txn, id, Expect::Any, Some("#112233")).map(drop)
                });
            },
            true,
        ),
        (
            |host, id| write(host, |ctx, txn| vocabulary::archive(ctx, txn, id, Expect::Any, true).map(drop)),
            true,
        ),
        // Nobody did anything to it.
        (|_, _| {}, false),
    ];
    for (change, stays_there) in changes {
        let host = Host::new();
        let operation = host.run(FILE).operation.unwrap();
        let ctx = host.system();
        let sources = host.store.read(ctx.tenant(), |txn| vocabulary::list::<SourceId>(&ctx, txn)).unwrap();
        let fair = sources.iter().find(|term| term.name == "Fair").unwrap();
        change(&host, fair.id);
        let outcome = undo(&host, operation);
        let left = names(&host).1;
        if stays_there {
            assert_eq!((left.len(), stays(&outcome)), (1, vec![("created", WhyKept::Edited)]), "{outcome:?}");
            assert_eq!(outcome.remaining[0].name.as_ref(), left.first());
        } else {
            assert_eq!((left.len(), stays(&outcome)), (0, vec![]));
        }
        assert!(host.leads().is_empty());
    }
}

fn write(host: &Host, mut work: impl FnMut(&Context<'_>, &mut dyn Txn) -> Result<()>) {
    let ctx = host.system();
    host.store.write(ctx.tenant(), |txn| work(&ctx, txn)).unwrap();
}

#[test]
fn an_import_that_wrote_a_lead_there_and_back_is_as_if_it_had_not_in_one_chunk_or_two() {
    let known = "Company,E-mail,City\nA,a@x.example,Oslo\nB,b@x.example,Voss\n";
    let there_and_back = "Company,E-mail,City\nA,a@x.example,Moss\nB,b@x.example,Voss\nA,a@x.example,Oslo\n";
    for (chunk, is_undone) in [(100, true), (1, true), (100, false), (1, false)] {
        let host = Host::new();
        let first = host.run(known).operation.unwrap();
        let options = ImportOptions::new().chunk(chunk);
        let second = host.run_with(there_and_back, &options).operation.unwrap();
        if is_undone {
            let outcome = undo(&host, second);
            assert_eq!(outcome.remaining, []);
        }
        let outcome = undo(&host, first);
        assert_eq!((outcome.remaining, host.leads().len()), (Vec::new(), 0), "{chunk} {is_undone}");
    }
    // Somebody else's edit in between counts.
    let host = Host::new();
    let first = host.run(known).operation.unwrap();
    host.run_with(there_and_back, &ImportOptions::new().chunk(1));
    let (ctx, lead) = (host.system(), host.leads()[0].id);
    let patch = LeadPatch::new().set(Field::Industry, "Fishing");
    write(&host, |_, txn| leads::edit(&ctx, txn, lead, Expect::Any, &patch).map(drop));
    assert_eq!(stays(&undo(&host, first)), [("created", WhyKept::Edited)]);
}
