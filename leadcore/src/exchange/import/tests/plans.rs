//! A plan says what the run does; changed by a person or by the store since, it says so.

use proptest::prelude::*;

use super::dry::{file, plainly, row};
use super::*;
use crate::desk;
use crate::domain::{Field, LeadPatch};
use crate::error::ErrorKind;
use crate::exchange::import::{Choice, OnAmbiguous, OnMatch, Planned, SkipReason, UnknownTerm};

const FILE: &str =
    "id,company,email,city\n1,A,a@x.example,Oslo\n2,B,b@x.example,Moss\n3,C,wrong,\n4,D,d@x.example,\n";

fn word(planned: &Planned) -> &'static str {
    match planned {
        Planned::Create { .. } => "created",
        Planned::Update { .. } => "updated",
        Planned::Unchanged { .. } => "unchanged",
        Planned::Skip { reason, .. } => reason.code(),
        Planned::Review { .. } => "review",
        Planned::Reject { .. } => "rejected",
    }
}

pub(super) fn words(plan: &ImportPlan) -> Vec<(u64, &'static str)> {
    plan.lines.iter().map(|line| (line.line, word(&line.decision))).collect()
}

pub(super) fn stored(plan: &ImportPlan) -> ImportPlan {
    serde_json::from_str(&serde_json::to_string(plan).unwrap()).unwrap()
}

/// The leads, with terms and stages by their names.
pub(super) fn facts(host: &Host) -> Vec<String> {
    let ctx = host.system();
    let named = |lead: Lead| {
        let names = host.store.read(ctx.tenant(), |txn| {
            let mut names = Vec::new();
            for kind in crate::domain::TermKind::ALL {
                let value = kind.field().read(&lead);
                let ids: Vec<_> = value.items().iter().filter_map(crate::domain::FieldValue::as_id).collect();
                let mut own: Vec<_> =
                    txn.terms().get(kind, &ids)?.into_iter().map(|record| record.term.name).collect();
                own.sort();
                names.push(own);
            }
            let stages = txn.pipelines().list()?.into_iter().flat_map(|pipeline| pipeline.stages);
            let stage =
                stages.filter(|stage| stage.id == lead.stage).map(|stage| stage.name).collect::<Vec<_>>();
            Ok((names, stage))
        });
        let mut fields = lead.fields.clone();
        fields.labels.clear();
        fields.source = None;
        format!("{} {:?} {:?}", lead.number, names.unwrap(), fields)
    };
    host.leads().into_iter().map(named).collect()
}

/// Leads have other ids in the other store.
pub(super) fn without_ids(mut report: ImportReport) -> ImportReport {
    report.operation = None;
    let candidates = report.reviews.iter_mut().flat_map(|review| &mut review.candidates);
    candidates.for_each(|(id, _)| *id = crate::id::LeadId::from_uuid(uuid::Uuid::nil()));
    report
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_plan_is_the_run(
        first in prop::collection::vec(row(), 0..8),
        second in prop::collection::vec(row(), 0..14),
        chunks in (1_usize..5, 1_usize..5),
        mode in (0_u8..3, any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let (on_match, refuse, review, clear) = mode;
        let on_match = [OnMatch::Update, OnMatch::Skip, OnMatch::CreateNew][usize::from(on_match)];
        let mut options = plainly().on_match(on_match).attempt(2);
        if refuse {
            options = options.unknown_terms(UnknownTerm::Reject);
        }
        if review {
            options = options.ambiguous(OnAmbiguous::Review);
        }
        if clear {
            // In these rows it is a city.
            options = options.clear("moss");
        }
        let (planned, ran) = (Host::new(), Host::new());
        for host in [&planned, &ran] {
            host.run_with(file(&first), &plainly());
        }
        let before = planned.dump();
        let plan = planned.plan(file(&second), &options.clone().chunk(chunks.0));
        prop_assert_eq!(planned.dump(), before, "a plan writes nothing");
        let mut heard = Heard::default();
        let run = ran.hear(&ran.store, file(&second), &options.clone().chunk(chunks.1), &mut heard).unwrap();
        prop_assert_eq!(words(&plan), heard.words());
        // The streamed form is the same.
        let mut lines = Vec::new();
        plan.write_lines(&mut lines).unwrap();
        prop_assert_eq!(serde_json::to_value(ImportPlan::read_lines(&lines[..]).unwrap()).unwrap(), serde_json::to_value(&plan).unwrap());
        let mut plan = stored(&plan);
        plan.options.chunk = chunks.1;
        let applied = planned.apply(&plan, file(&second));
        prop_assert_eq!(without_ids(applied), without_ids(run));
        prop_assert_eq!(facts(&planned), facts(&ran));
        prop_assert!(planned.run_with(file(&second), &options).repeated, "it is the same import");
    }
}

#[test]
fn a_plan_tells_what_changes_and_writes_nothing() {
    let host = Host::new();
    host.run("id,company,email\n1,A,a@x.example\n2,B,b@x.example\n");
    let before = host.dump();
    let plan = host.plan(FILE, &ImportOptions::new());
    assert_eq!(host.dump(), before);
    assert_eq!(words(&plan), [(2, "updated"), (3, "updated"), (4, "rejected"), (5, "created")]);
    let Planned::Update { changes, number, .. } = &plan.lines[0].decision else { panic!() };
    let told: Vec<_> =
        changes.iter().map(|change| (change.field.as_str(), change.after.as_text().unwrap())).collect();
    assert_eq!((told, *number), (vec![("city", "Oslo")], Some(1)));
    let Planned::Create { values, recognisable, .. } = &plan.lines[3].decision else { panic!() };
    let told: Vec<_> = values.iter().map(|change| change.field.as_str()).collect();
    assert_eq!((told, *recognisable), (vec!["kind", "company", "email", "external_id", "stage"], true));
    let Planned::Reject { values, reasons, .. } = &plan.lines[2].decision else { panic!() };
    assert_eq!((values["email"].as_str(), reasons[0].field.as_str()), ("wrong", "email"));
    assert_eq!(counts(&host.apply(&stored(&plan), FILE)), (1, 2, 0, 1));
    assert!(host.apply(&plan, FILE).repeated);
}

#[test]
fn a_person_changes_single_lines() {
    let host = Host::new();
    host.run("id,company,email\n1,A,a@x.example\n2,B,b@x.example\n");
    let two = host.leads()[1].id;
    let mut plan = host.plan(FILE, &ImportOptions::new());
    plan.create(2).unwrap();
    plan.set(2, Field::ExternalId, "11").unwrap();
    plan.skip(3).unwrap();
    plan.set(4, Field::Email, "c@x.example").unwrap();
    // A field without a column.
    plan.set(4, Field::Industry, "Fishing").unwrap();
    plan.take(5, two).unwrap();
    assert_eq!(plan.skip(77).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(plan.set(2, Field::Number, "1").unwrap_err().kind(), ErrorKind::Invalid);
    let again = import::replan(&host.system(), &host.store, &plan, Cursor::new(FILE), &mut ()).unwrap();
    assert_eq!(words(&again), [(2, "created"), (3, "left_out"), (4, "created"), (5, "updated")]);
    assert_eq!(again.lines[3].choice, Some(Choice::Take(two)));
    for plan in [plan, again] {
        let host = Host::new();
        host.run("id,company,email\n1,A,a@x.example\n2,B,b@x.example\n");
        let report = host.apply(&stored(&plan), FILE);
        assert_eq!(counts(&report), (2, 1, 1, 0), "{report}");
        let leads = host.leads();
        let told: Vec<_> = leads.iter().map(|lead| lead.fields.company.clone().unwrap()).collect();
        assert_eq!(told, ["A", "D", "A", "C"]);
        assert_eq!(leads[3].fields.industry.as_deref(), Some("Fishing"));
        assert_eq!(leads[2].fields.external_ids.iter().next().unwrap().id(), "11");
    }
}

#[test]
fn a_line_that_would_become_something_else_by_now_is_left_alone() {
    let host = Host::new();
    host.run("id,company,email\n1,A,a@x.example\n2,B,b@x.example\n");
    let plan = host.plan(FILE, &ImportOptions::new());
    let ctx = host.system();
    let two = host.leads()[1].id;
    let edit = |field, value: &str| {
        let patch = LeadPatch::new().set(field, value);
        host.store
            .write(ctx.tenant(), |txn| desk::leads::edit(&ctx, txn, two, desk::Expect::Any, &patch))
            .unwrap();
    };
    // What the plan does not touch does not matter.
    edit(Field::Industry, "Fishing");
    edit(Field::City, "Bergen");
    host.run("email\nd@x.example\n");
    let (mut rejects, mut heard) = (Vec::new(), Heard::default());
    let input = Cursor::new(FILE);
    let report = import::apply(&ctx, &host.store, &plan, input, Some(&mut rejects), &mut heard).unwrap();
    accounted(&report);
    assert_eq!(heard.words(), [(2, "updated"), (3, "stale"), (4, "rejected"), (5, "stale")]);
    assert_eq!((report.stale_lines, report.skips[&SkipReason::Stale]), (vec![3, 5], 2));
    // They come back with the rejected rows, to be imported by what holds now.
    let rejects = String::from_utf8(rejects).unwrap();
    assert_eq!(rejects.lines().count(), 4, "{rejects}");
    let report = host.run(rejects.replace("wrong", "c@x.example"));
    assert_eq!(counts(&report), (1, 2, 0, 0), "{report}");
}

#[test]
fn a_line_above_that_is_left_out_leaves_the_others_to_be_decided_anew() {
    let host = Host::new();
    let file = "email,company\na@x.example,A\na@x.example,B\n";
    let mut plan = host.plan(file, &ImportOptions::new());
    assert_eq!(words(&plan), [(2, "created"), (3, "updated")]);
    plan.skip(2).unwrap();
    let again = import::replan(&host.system(), &host.store, &plan, Cursor::new(file), &mut ()).unwrap();
    assert_eq!(words(&again), [(2, "left_out"), (3, "created")]);
    let report = host.apply(&plan, file);
    assert_eq!((counts(&report), report.stale_lines), ((1, 0, 1, 0), vec![]));
    let host = Host::new();
    assert_eq!(counts(&host.apply(&again, file)), (1, 0, 1, 0));
}

#[test]
fn a_streamed_plan_is_carried_out_beside_its_file() {
    let host = Host::new();
    let mut stream = Vec::new();
    let input = Cursor::new(FILE);
    let summary =
        import::plan_to(&host.system(), &host.store, input, &ImportOptions::new(), &mut stream, &mut ())
            .unwrap();
    assert_eq!(counts(&summary.report), (3, 0, 0, 1));
    let text = String::from_utf8(stream).unwrap();
    assert_eq!(text.lines().count(), 6);
    // A line that is taken away is left out; what is no plan is refused by its line.
    let fewer: String =
        text.lines().filter(|line| !line.contains(r#""line":3,"#)).map(|line| format!("{line}\n")).collect();
    let ctx = host.system();
    let apply = |plan: &str, file: &str| {
        import::apply_from(&ctx, &host.store, Cursor::new(plan), Cursor::new(file.to_owned()), None, &mut ())
    };
    for (plan, field) in [("", "plan line 1"), (&text[..text.len() / 2], "plan line 3")] {
        let error = apply(plan, FILE).unwrap_err();
        assert_eq!(
            (error.kind(), error.violations()[0].field.as_str()),
            (ErrorKind::Invalid, field),
            "{error}"
        );
    }
    assert_eq!(apply(&text, "id,company\n9,Z\n").unwrap_err().violations()[0].field, "file");
    let newer = text.replacen("\"version\":1", "\"version\":2", 1);
    assert_eq!(apply(&newer, FILE).unwrap_err().violations()[0].field, "plan.version");
    let report = apply(&fewer, FILE).unwrap();
    assert_eq!(counts(&report), (2, 0, 1, 1), "{report}");
}

#[test]
fn an_interrupted_plan_goes_on() {
    let host = Host::new();
    let mut plan = host.plan(FILE, &ImportOptions::new().chunk(1));
    plan.skip(3).unwrap();
    let mut heard = Heard { stop_after: Some(2), ..Heard::default() };
    let input = Cursor::new(FILE);
    import::apply(&host.system(), &host.store, &plan, input, None, &mut heard).unwrap_err();
    let report = host.apply(&stored(&plan), FILE);
    assert_eq!((counts(&report), report.resumed_after), ((2, 0, 1, 1), 2), "{report}");
    assert_eq!(host.plan(FILE, &ImportOptions::new().chunk(1)).lines.len(), 0);
}

#[test]
fn a_plan_that_was_applied_and_taken_back_is_applied_again() {
    // The third line means the lead of the first.
    const FILE: &str = "id,company,email,city\n2,B,b@x.example,Moss\n3,C,wrong,\n2,B,b@x.example,Oslo\n1,A,a@x.example,Oslo\n\
        4,D,d@x.example,\n";
    let host = Host::new();
    host.run("id,company,email\n1,A,a@x.example\n");
    let mut plan = host.plan(FILE, &ImportOptions::new());
    plan.skip(6).unwrap();
    plan.options.chunk = 1;
    let first = host.apply(&plan, FILE);
    let before = facts(&host);
    assert_eq!(counts(&first), (1, 2, 1, 1), "{first}");
    let again = host.apply(&plan, FILE);
    assert!(again.repeated, "while it stands it is the same import");
    let ctx = host.system();
    let undo = |operation| {
        let undone = host.store.write(ctx.tenant(), |txn| desk::undo::undo(&ctx, txn, operation));
        assert_eq!(undone.unwrap().remaining, []);
    };
    undo(first.operation.unwrap());
    assert_eq!(host.leads().len(), 1);
    let second = host.apply(&plan, FILE);
    assert_eq!((counts(&second), second.repeated), ((1, 2, 1, 1), false), "{second}");
    assert_eq!(second.stale_lines, [0_u64; 0]);
    let unnumbered = |text: &String| text.split_once(' ').unwrap().1.to_owned();
    let told = |facts: &[String]| facts.iter().map(unnumbered).collect::<Vec<_>>();
    assert_eq!(told(&facts(&host)), told(&before), "but for the number of the lead that is made anew");
    // Through the streamed form too.
    undo(second.operation.unwrap());
    let mut lines = Vec::new();
    plan.write_lines(&mut lines).unwrap();
    let third =
        import::apply_from(&ctx, &host.store, Cursor::new(&lines), Cursor::new(FILE), None, &mut ()).unwrap();
    assert_eq!(counts(&third), (1, 2, 1, 1), "{third}");
}

#[test]
fn a_plan_may_be_carried_out_by_somebody_else_who_then_owns_what_nobody_owns() {
    let [ada, bob] = ["ada", "bob"].map(|user| Actor::User(user.parse().unwrap()));
    let owners = |file: &str| {
        let host = Host::new();
        let planner = host.ctx(ada.clone(), &AllowAll);
        let plan =
            import::plan(&planner, &host.store, Cursor::new(file), &ImportOptions::new(), &mut ()).unwrap();
        let ctx = host.ctx(bob.clone(), &AllowAll);
        let report =
            import::apply(&ctx, &host.store, &stored(&plan), Cursor::new(file), None, &mut ()).unwrap();
        assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
        let owners = host.leads().into_iter().map(|lead| lead.fields.owner.unwrap().to_string());
        owners.collect::<Vec<_>>()
    };
    assert_eq!(owners("company,email\nA,a@x.example\nB,b@x.example\n"), ["bob", "bob"]);
    assert_eq!(owners("company,email,owner\nA,a@x.example,cleo\nB,b@x.example,\n"), ["cleo", "bob"]);
}

#[test]
fn a_plan_of_which_nothing_holds_leaves_its_file_to_be_planned_again() {
    for chunk in [1, 100] {
        let host = Host::new();
        let file = "company,email\nA,a@x.example\nB,b@x.example\n";
        let options = ImportOptions::new().chunk(chunk);
        let plan = host.plan(file, &options);
        host.run("email\na@x.example\nb@x.example\n");
        let report = host.apply(&plan, file);
        assert_eq!((counts(&report), report.stale_lines.clone()), ((0, 0, 2, 0), vec![2, 3]), "{report}");
        // Once more, and as it is by now.
        assert_eq!(host.apply(&plan, file).stale_lines, [2, 3]);
        let plan = host.plan(file, &options);
        assert!(!plan.report.repeated);
        assert_eq!(counts(&host.apply(&plan, file)), (0, 2, 0, 0));
        assert!(host.apply(&plan, file).repeated);
    }
    // What was written in part is imported.
    let host = Host::new();
    let plan = host.plan(FILE, &ImportOptions::new());
    host.run("email\na@x.example\n");
    assert!(host.apply(&plan, FILE).created > 0);
    assert!(host.plan(FILE, &ImportOptions::new()).report.repeated);
}

#[test]
fn another_lead_is_created_where_several_are_meant() {
    let host = Host::new();
    let file = "company,phone\nA,+47 22225555\n";
    for attempt in 1..=4 {
        let options = ImportOptions::new().on_match(OnMatch::CreateNew).attempt(attempt);
        assert_eq!(counts(&host.dry(file, &options)), (1, 0, 0, 0));
        let report = host.run_with(file, &options);
        assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
    }
    assert_eq!(host.leads().len(), 4);
    assert_eq!(counts(&host.run_with(file, &ImportOptions::new().attempt(9))), (0, 0, 0, 1));
}
