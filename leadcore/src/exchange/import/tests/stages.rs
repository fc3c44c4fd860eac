//! What stages mean that a file names first.

use super::*;
use crate::desk;
use crate::domain::{Field, StageKind, TermKind};
use crate::exchange::import::{Planned, TermRule, UnknownTerm};
use crate::id::LostReasonId;

fn kinds(host: &Host) -> Vec<(String, StageKind)> {
    let ctx = host.system();
    let pipelines = host.store.read(ctx.tenant(), |txn| desk::pipelines::list(&ctx, txn)).unwrap();
    let of = |lead: &Lead| {
        let stage = pipelines.iter().find_map(|known| known.stage(lead.stage)).unwrap();
        (stage.name.clone(), stage.kind)
    };
    host.leads().iter().map(of).collect()
}

#[test]
fn a_new_stage_closes_leads_only_where_its_whole_name_says_so() {
    let file = "Company,Lead Status\nA,Closed - Not Converted\nB,Open - Not Contacted\nC,Almost won\nD,Closed Won\n\
        E,Not lost\nF,Lost contact - retry\nG,Closed - Converted\n";
    let host = Host::new();
    let dry = host.dry(file, &ImportOptions::new());
    let report = host.run(file);
    assert_eq!(counts(&report), (7, 0, 0, 0), "{report}");
    let expected = [
        ("Closed - Not Converted", StageKind::Lost),
        ("Open - Not Contacted", StageKind::Open),
        ("Almost won", StageKind::Open),
        ("Closed Won", StageKind::Won),
        ("Not lost", StageKind::Open),
        ("Lost contact - retry", StageKind::Open),
        ("Closed - Converted", StageKind::Won),
    ];
    assert_eq!(kinds(&host), expected.map(|(name, kind)| (name.to_owned(), kind)));
    // Whoever looks before sees that leads will be closed.
    for told in [dry.to_string(), report.to_string()] {
        let line = told.lines().find(|line| line.starts_with("new ")).unwrap();
        assert!(
            line.contains("Closed - Not Converted (lost: closes its leads), Open - Not Contacted, "),
            "{line}"
        );
        assert!(line.contains("Closed Won (won: closes its leads)"), "{line}");
    }
    let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    assert_eq!(report.new_values["stage"], names, "as data it is the name alone");
}

/// A tenant that keeps a list of reasons.
fn host_with_reasons() -> Host {
    let host = Host::new();
    let ctx = host.system();
    host.store
        .write(ctx.tenant(), |txn| {
            for name in ["Too dear", "No need"] {
                desk::vocabulary::add::<LostReasonId>(&ctx, txn, name, None)?;
            }
            Ok(())
        })
        .unwrap();
    host
}

/// Company, stage and why it was lost.
fn ends(host: &Host) -> Vec<(String, String, Option<String>)> {
    let ctx = host.system();
    let reasons = host.store.read(ctx.tenant(), |txn| txn.terms().list(TermKind::LostReason)).unwrap();
    let why = |lead: &Lead| {
        let id = Field::LostReason.read(lead).items().first()?.as_id()?;
        reasons.iter().find(|record| record.term.id == id).map(|record| record.term.name.clone())
    };
    let leads = host.leads();
    let each = leads.iter().zip(kinds(host));
    each.map(|(lead, (stage, _))| (lead.fields.company.clone().unwrap(), stage, why(lead))).collect()
}

#[test]
fn a_lost_lead_comes_in_with_the_reason_of_its_row() {
    let host = host_with_reasons();
    let file = "Company,Lead Status,Lost reason\nA,Lost,too DEAR\nB,New,No need\nC,Lost,Unknown\nD,Lost,\n";
    let plan = host.plan(file, &ImportOptions::new());
    let told = |line: usize| {
        let Planned::Create { values, .. } = &plan.lines[line].decision else { panic!("line {line}") };
        values.iter().find(|value| value.field == "lost_reason").cloned()
    };
    assert_eq!(told(0).map(|value| value.after), Some("Too dear".into()));
    assert_eq!(told(1), None, "an open lead has none");
    let report = host.apply(&plan, file);
    assert_eq!(counts(&report), (2, 0, 0, 2), "{report}");
    let lost = |name: &str, why: &str| (name.to_owned(), "Lost".to_owned(), Some(why.to_owned()));
    let open = |name: &str| (name.to_owned(), "New".to_owned(), None);
    assert_eq!(ends(&host), [lost("A", "Too dear"), open("B")]);
    assert_eq!(report.new_values.get("lost_reason"), None, "no file adds a reason");
    // Read again it says the same; a lead that is here is lost by its row, and undone as it was.
    let again = "Company,E-mail,Lead Status,Lost reason\nE,e@x.example,New,\n";
    host.run(again);
    let moved = again.replace("New,", "Lost,No need");
    let report = host.run(moved.as_str());
    assert_eq!(counts(&report), (0, 1, 0, 0), "{report}");
    assert_eq!(ends(&host)[2], lost("E", "No need"));
    assert_eq!(counts(&host.run_with(moved.as_str(), &ImportOptions::new().attempt(2))), (0, 0, 1, 0));
    let ctx = host.system();
    host.store.write(ctx.tenant(), |txn| desk::undo::undo(&ctx, txn, report.operation.unwrap())).unwrap();
    assert_eq!(ends(&host)[2], open("E"));
    // Other words are mapped, and none is added.
    let rule =
        TermRule { map: [("Price".to_owned(), Some("Too dear".to_owned()))].into(), ..TermRule::default() };
    let file = "Company,Lead Status,Lost reason\nF,Lost,price\n";
    let report = host.run_with(file, &ImportOptions::new().term_rule(Field::LostReason, rule));
    assert_eq!((counts(&report), ends(&host)[3].clone()), ((1, 0, 0, 0), lost("F", "Too dear")), "{report}");
    let rule = TermRule { unknown: Some(UnknownTerm::Create), ..TermRule::default() };
    let options = ImportOptions::new().term_rule(Field::LostReason, rule);
    assert_eq!(options.check().unwrap_err().violations()[0].field, "terms.lost_reason");
    // Without a list nobody is asked for a reason, and each that is left out is told.
    let long = "dear ".repeat(200);
    let file =
        format!("Company,Lead Status,Lost reason\nA,Lost,Too dear\nB,New,Too dear\nC,Lost,\nD,Lost,{long}\n");
    let mapping = crate::exchange::Mapping::default()
        .with("Company", Some(Field::Company))
        .with("Lead Status", Some(Field::Stage))
        .with("Lost reason", Some(Field::LostReason));
    for options in [ImportOptions::new(), ImportOptions::new().mapping(mapping)] {
        let host = Host::new();
        let dry = host.dry(file.as_str(), &options);
        for report in [dry, host.run_with(file.as_str(), &options)] {
            assert_eq!((counts(&report), report.left_out), ((4, 0, 0, 0), 3), "{report}");
            let told = report.left_out_values.iter().map(|told| (told.line, told.field.as_str()));
            assert!(told.eq([2, 3, 5].map(|line| (line, "lost_reason"))));
            assert_eq!(report.left_out_values[0].message, "there is no lost_reason with this name");
        }
    }
    // The same where the file adds the stage: every batch asks for a reason.
    let host = host_with_reasons();
    let rows: String = (0..1_500).map(|n| format!("N{n},Verloren\n")).collect();
    assert_eq!(counts(&host.run(format!("Company,Lead Status\n{rows}"))), (0, 0, 0, 1_500));
    let rows = rows.replace("Verloren", "Tapt,No need");
    assert_eq!(counts(&host.run(format!("Company,Lead Status,Lost reason\n{rows}"))), (1_500, 0, 0, 0));
}

#[test]
fn lost_leads_that_are_exported_come_back_lost_for_their_reasons() {
    use crate::exchange::export::{ExportFormat, ExportOptions, Extent, export};
    let host = host_with_reasons();
    host.run("Company,Lead Status,Lost reason\nA,Lost,Too dear\nB,New,\nC,Lost,No need\n");
    let options =
        ExportOptions::new(ExportFormat::Csv).columns([Field::Company, Field::Stage, Field::LostReason]);
    let (ctx, mut file) = (host.system(), Vec::new());
    let extent = Extent::Filter(Filter::everything());
    let done = host.store.read(ctx.tenant(), |txn| export(&ctx, txn, &extent, &options, &mut file)).unwrap();
    for import in [ImportOptions::new(), options.to_import().mapping(done.mapping(&options))] {
        let other = host_with_reasons();
        assert_eq!(counts(&other.run_with(file.clone(), &import)), (3, 0, 0, 0));
        assert_eq!(ends(&other), ends(&host));
    }
}
