//! What stages mean that a file adds, where its rows say how their leads ended.

use chrono::TimeDelta;

use super::*;
use crate::desk::undo;
use crate::desk::{leads, pipelines, vocabulary};
use crate::domain::{Field, FieldValue, LeadDraft, LeadFields, LeadState, StageKind};
use crate::exchange::export::{ExportFormat, ExportOptions, Values};
use crate::exchange::import::{ImportPlan, Planned};
use crate::id::DisqualifyReasonId;
use crate::time::Timestamp;

const OWN: [(&str, StageKind); 4] = [
    ("Signed in Oslo", StageKind::Won),
    ("Gave up", StageKind::Lost),
    ("Waits for spring", StageKind::OnHold),
    ("Spam", StageKind::Open),
];

/// A tenant with stages of its own and a lead in each of them, the last one disqualified.
fn host() -> Host {
    let host = Host::new();
    host.clock.advance(TimeDelta::microseconds(1_234_567));
    let ctx = host.system();
    host.store
        .write(ctx.tenant(), |txn| {
            let first = leads::create(&ctx, txn, LeadFields::company("N")?.into())?;
            let mut known = pipelines::list(&ctx, txn)?.remove(0);
            known.stages.extend(OWN.map(|(name, kind)| pipelines::new_stage(&ctx, name, kind)));
            let known = pipelines::update(&ctx, txn, known)?;
            for stage in known.stages.iter().skip(known.stages.len() - OWN.len()) {
                let fields = LeadFields::company(&format!("In {}", stage.name))?;
                let draft = LeadDraft { stage: Some(stage.id), ..fields.into() };
                let lead = leads::create(&ctx, txn, draft)?;
                if stage.kind == StageKind::Open {
                    let why = vocabulary::add::<DisqualifyReasonId>(&ctx, txn, "Robot", None)?.id;
                    leads::disqualify(&ctx, txn, lead.id, crate::desk::Expect::Any, why, None)?;
                }
            }
            assert_eq!(first.state(), LeadState::Open);
            Ok(())
        })
        .unwrap();
    host
}

/// Company, stage, what the stage means, how the lead ended.
type Told = (Option<String>, String, StageKind, Option<&'static str>);

fn told(host: &Host) -> Vec<Told> {
    let ctx = host.system();
    let pipelines = host.store.read(ctx.tenant(), |txn| pipelines::list(&ctx, txn)).unwrap();
    let of = |lead: &Lead| {
        let stage = pipelines.iter().find_map(|known| known.stage(lead.stage)).unwrap();
        let end = lead.closing.as_ref().map(|closing| closing.outcome.code());
        (lead.fields.company.clone(), stage.name.clone(), stage.kind, end)
    };
    host.leads().iter().map(of).collect()
}

fn elsewhere() -> Host {
    let host = Host::elsewhere();
    host.clock.advance(TimeDelta::days(40));
    let ctx = host.system();
    let add =
        |txn: &mut dyn crate::store::Txn| vocabulary::add::<DisqualifyReasonId>(&ctx, txn, "Robot", None);
    host.store.write(ctx.tenant(), add).unwrap();
    host.run("Company\nFirst\n");
    host
}

#[test]
fn leads_in_stages_of_ones_own_come_back_as_they_ended() {
    let host = host();
    let expected = told(&host);
    assert_eq!(expected[1].3, Some("won"));
    for format in formats() {
        let options = ExportOptions::new(format);
        let (file, done) = host.exported(&options);
        for mapping in [Some(done.mapping(&options)), None] {
            let mut import = options.to_import();
            // A key that no lead has is no column of the file.
            import.mapping = mapping.filter(|_| format != ExportFormat::JsonLines);
            for chunk in [1, 100] {
                let import = import.clone().chunk(chunk);
                let other = elsewhere();
                let dry = other.dry(file.clone(), &import);
                let report = other.run_with(file.clone(), &import);
                assert_eq!(counts(&report), (5, 0, 0, 0), "{format:?}: {report}");
                assert_eq!(told(&other)[1..], expected, "{format:?}: {report}");
                assert_eq!(report.left_out, 0, "{report}");
                let news: Vec<_> =
                    report.new_stages.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
                let mut own = OWN.to_vec();
                own.sort_unstable();
                assert_eq!(news, own);
                assert_eq!(
                    (dry.new_stages, dry.new_values),
                    (report.new_stages.clone(), report.new_values.clone())
                );
                assert!(report.to_string().contains("Signed in Oslo (won: closes its leads)"), "{report}");
                // Taken back, the stages are gone.
                let ctx = other.system();
                let operation = report.operation.unwrap();
                other.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, operation)).unwrap();
                let left = other.store.read(ctx.tenant(), |txn| pipelines::list(&ctx, txn)).unwrap();
                let is_own = |name: &str| OWN.iter().any(|(own, _)| *own == name);
                assert!(!left.iter().flat_map(|known| &known.stages).any(|stage| is_own(&stage.name)));
            }
            // As planned, out of a file.
            let other = elsewhere();
            let plan = other.plan(file.clone(), &import);
            let plan = ImportPlan::from_json(&serde_json::to_string(&plan).unwrap()).unwrap();
            assert_eq!(plan.report.new_stages.get("Gave up"), Some(&StageKind::Lost));
            let report = other.apply(&plan, file.clone());
            assert_eq!((counts(&report), &told(&other)[1..]), ((5, 0, 0, 0), &expected[..]), "{report}");
        }
    }
    // Where it comes from, and once more, it changes nothing.
    let (file, _) = host.exported(&ExportOptions::new(ExportFormat::Csv));
    let report = host.run(file);
    assert_eq!((counts(&report), report.left_out), ((0, 0, 5, 0), 0), "{report}");
    assert_eq!(told(&host), expected);
}

#[test]
fn only_beside_the_name_of_the_stage_a_file_says_what_it_means() {
    let host = host();
    let column = |options: &ExportOptions| {
        let (file, _) = host.exported(options);
        let text = String::from_utf8(file).unwrap();
        text.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let options = ExportOptions::new(ExportFormat::Csv);
    let beside = options.clone().columns([Field::Stage, Field::Outcome]);
    assert_eq!(column(&beside), ["open", "won", "lost", "on_hold", "disqualified"]);
    let alone = options.columns([Field::Company, Field::Outcome]);
    assert_eq!(column(&alone), ["", "won", "lost", "", "disqualified"]);
    assert_eq!(column(&beside.values(Values::Ids)), ["", "won", "lost", "", "disqualified"]);
}

#[test]
fn a_stage_of_which_the_rows_say_two_things_means_what_its_name_says_and_each_of_them_is_told() {
    let file = "Company,Lead Status,Outcome\nA,Deal,won\nB,deal,lost\nC,Won,lost\nD,New,won\nE,Lost,lost\nF,Fine,\n\
        G,Fine,WON\nH,Waits,open\nI,Waits,On hold\n";
    let host = Host::new();
    host.run("Company,Lead Status\nZ,New\n");
    let dry = host.dry(file, &ImportOptions::new());
    let report = host.run(file);
    assert_eq!(counts(&report), (9, 0, 0, 0), "{report}");
    let lines = |report: &ImportReport| -> Vec<(u64, String)> {
        report.left_out_values.iter().map(|told| (told.line, told.field.clone())).collect()
    };
    assert_eq!(lines(&report), [2, 3, 4, 5].map(|line| (line, "outcome".to_owned())));
    assert_eq!(lines(&dry), lines(&report));
    let ends: Vec<_> = told(&host).into_iter().skip(1).map(|(_, _, kind, end)| (kind, end)).collect();
    let (open, waits) = ((StageKind::Open, None), (StageKind::OnHold, None));
    let (won, lost) = ((StageKind::Won, Some("won")), (StageKind::Lost, Some("lost")));
    assert_eq!(ends, [open, open, won, open, lost, won, won, waits, waits]);
    let message = &report.left_out_values[2].message;
    assert_eq!(message, "its stage is won here: leads end by their stages alone");
}

#[test]
fn a_column_that_only_is_called_so_says_nothing_of_how_leads_ended() {
    let host = Host::new();
    let report = host.run("Company,Lead Status,Outcome\nA,Fine,won\nB,Fine,Call back\n");
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
    assert_eq!(report.mapping.unmapped().collect::<Vec<_>>(), ["Outcome"]);
    assert_eq!(report.new_stages.get("Fine"), Some(&StageKind::Open));
    // So do words of others below those that are ours.
    let rows: String = (0..2_000).map(|n| format!("N{n},Fine,won,2001-01-01T00:00:00Z\n")).collect();
    let host = Host::new();
    host.clock.advance(TimeDelta::days(20_000));
    let report = host.run(format!("Company,Lead Status,Outcome,Closed\n{rows}Z,Fine,Cancelled,soon\n"));
    assert_eq!((counts(&report), report.left_out), ((2_001, 0, 0, 0), 2), "{report}");
    // Where it alone says so, a lead is disqualified by it.
    let report = host.run("Company,Outcome\nC,disqualified\n");
    assert_eq!(report.left_out, 0, "{report}");
    assert_eq!(told(&host)[2_001].3, Some("disqualified"));
}

/// When each lead ended, by company.
fn ended(host: &Host) -> Vec<(Option<String>, Option<Timestamp>)> {
    let of = |lead: &Lead| (lead.fields.company.clone(), lead.closing.as_ref().map(|closing| closing.at));
    host.leads().iter().map(of).collect()
}

#[test]
fn leads_come_back_as_ended_when_they_did_and_the_journal_tells_when_that_was_written() {
    let host = host();
    let expected = ended(&host);
    let to_the_second = |at: &Timestamp| at.as_micros().div_euclid(1_000_000);
    for format in formats() {
        let options = ExportOptions::new(format);
        let (file, done) = host.exported(&options);
        for mapping in [Some(done.mapping(&options)), None] {
            let mut import = options.to_import();
            import.mapping = mapping.filter(|_| format != ExportFormat::JsonLines);
            let other = elsewhere();
            let plan = other.plan(file.clone(), &import);
            let Planned::Create { values, .. } = &plan.lines[1].decision else { panic!("{plan:?}") };
            let told = values.iter().find(|value| value.field == "closed_at").cloned().unwrap();
            other.clock.advance(TimeDelta::days(1));
            let report = other.apply(&plan, file.clone());
            assert_eq!((counts(&report), report.left_out), ((5, 0, 0, 0), 0), "{format:?} {report}");
            let found = ended(&other);
            if format == ExportFormat::Xlsx {
                let seconds = |list: &[(Option<String>, Option<Timestamp>)]| -> Vec<_> {
                    list.iter().map(|(name, at)| (name.clone(), at.as_ref().map(to_the_second))).collect()
                };
                assert_eq!(seconds(&found[1..]), seconds(&expected), "{report}");
            } else {
                assert_eq!(found[1..], expected, "{report}");
            }
            assert_eq!(told.after, FieldValue::Time(found[2].1.unwrap()));
            let ctx = other.system();
            let won = other.leads()[2].clone();
            assert_eq!((won.created_at, won.stage_entered_at), (ctx.now(), ctx.now()));
            let visits =
                other.store.read(ctx.tenant(), |txn| leads::stage_history(&ctx, txn, won.id)).unwrap();
            assert!(visits.iter().all(|visit| visit.entered == ctx.now()), "{visits:?}");
            // The same file again finds it so.
            let report = other.run_with(file.clone(), &import.clone().attempt(2));
            assert_eq!((report.created, report.updated, report.left_out), (0, 0, 0), "{format:?} {report}");
        }
        let report = host.run_with(file, &options.to_import().attempt(2));
        assert_eq!((counts(&report), report.left_out), ((0, 0, 5, 0), 0), "{format:?} {report}");
    }
    assert_eq!(ended(&host), expected);
}

#[test]
fn no_file_lets_a_lead_end_in_the_future_or_at_another_time_than_it_did() {
    let host = Host::new();
    host.clock.advance(TimeDelta::days(20_000));
    let report = host.run(
        "Company,E-mail,Lead Status,Closed\nA,a@x.example,Won,2001-02-03T04:05:06Z\n\
         B,b@x.example,Lost,2999-01-01T00:00:00Z\nC,c@x.example,New,2001-02-03T04:05:06Z\nD,d@x.example,Won,\n",
    );
    assert_eq!(counts(&report), (4, 0, 0, 0), "{report}");
    let lines = |report: &ImportReport| -> Vec<(u64, String)> {
        report.left_out_values.iter().map(|told| (told.line, told.field.clone())).collect()
    };
    assert_eq!(lines(&report), [3, 4].map(|line| (line, "closed_at".to_owned())));
    let now = host.system().now();
    let first = "2001-02-03T04:05:06Z".parse().ok();
    let times = |host: &Host| ended(host).into_iter().map(|(_, at)| at).collect::<Vec<_>>();
    assert_eq!(times(&host), [first, Some(now), None, Some(now)]);
    // Another time is told; a lead that is lost by its row ended when that says, and is taken back as it was.
    let file = "Company,E-mail,Lead Status,Closed\nA,a@x.example,Won,2002-02-03T04:05:06Z\n\
        C,c@x.example,Lost,2001-02-03T04:05:06Z\n";
    let report = host.run(file);
    assert_eq!(
        (counts(&report), lines(&report)),
        ((0, 1, 1, 0), vec![(2, "closed_at".to_owned())]),
        "{report}"
    );
    assert_eq!(times(&host), [first, Some(now), first, Some(now)]);
    let ctx = host.system();
    host.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, report.operation.unwrap())).unwrap();
    assert_eq!(times(&host), [first, Some(now), None, Some(now)]);
    // What is no time is another column.
    for cells in ["yes,no", "2001-02-03,2001-02-04", "2001-02-03 04:05,2001-02-03 04:05"] {
        let (one, two) = cells.split_once(',').unwrap();
        let report = Host::new()
            .dry(format!("Company,Lead Status,Closed\nA,Won,{one}\nB,Won,{two}\n"), &ImportOptions::new());
        assert_eq!(report.mapping.unmapped().collect::<Vec<_>>(), ["Closed"], "{cells}");
    }
}
