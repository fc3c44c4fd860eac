//! Leads that were disqualified where they come from.

use super::*;
use crate::desk::{self, Expect, leads, pipelines, vocabulary};
use crate::domain::{Field, LeadState, TermKind};
use crate::exchange::Mapping;
use crate::exchange::import::{Planned, TermRule, UnknownTerm};
use crate::id::DisqualifyReasonId;

const FILE: &str = "Company,E-mail,Lead state,Disqualify reason\nA,a@x.example,disqualified,SPAM\n\
    B,b@x.example,open,Spam\nC,c@x.example,Disqualified,Unheard of\nD,d@x.example,disqualified,\nE,e@x.example,,Spam\n";

/// A tenant that keeps a list of reasons.
fn host_with_reasons() -> Host {
    let host = Host::new();
    let ctx = host.system();
    for name in ["Spam", "Not a fit"] {
        let add = |txn: &mut dyn crate::store::Txn| {
            vocabulary::add::<DisqualifyReasonId>(&ctx, txn, name, None).map(drop)
        };
        host.store.write(ctx.tenant(), add).unwrap();
    }
    host
}

fn reason(host: &Host, name: &str) -> DisqualifyReasonId {
    let ctx = host.system();
    let list =
        host.store.read(ctx.tenant(), |txn| vocabulary::list::<DisqualifyReasonId>(&ctx, txn)).unwrap();
    list.into_iter().find(|term| term.name == name).unwrap().id
}

/// Company, whether it is disqualified, and why.
fn states(host: &Host) -> Vec<(String, bool, Option<String>)> {
    let ctx = host.system();
    let reasons = host.store.read(ctx.tenant(), |txn| txn.terms().list(TermKind::DisqualifyReason)).unwrap();
    let why = |lead: &Lead| {
        let id = Field::DisqualifyReason.read(lead).items().first()?.as_id()?;
        reasons.iter().find(|record| record.term.id == id).map(|record| record.term.name.clone())
    };
    let each = host.leads().into_iter();
    each.map(|lead| {
        let is_out = lead.state() == LeadState::Disqualified;
        (lead.fields.company.clone().unwrap(), is_out, why(&lead))
    })
    .collect()
}

fn out(name: &str, why: &str) -> (String, bool, Option<String>) {
    (name.to_owned(), true, Some(why.to_owned()).filter(|why| !why.is_empty()))
}

fn open(name: &str) -> (String, bool, Option<String>) {
    (name.to_owned(), false, None)
}

/// Lines of which something was left out, and the field that tells it.
fn left_out(report: &ImportReport) -> Vec<(u64, &str)> {
    report.left_out_values.iter().map(|told| (told.line, told.field.as_str())).collect()
}

#[test]
fn a_disqualified_lead_comes_in_so_with_the_reason_of_its_row() {
    let host = host_with_reasons();
    let dry = host.dry(FILE, &ImportOptions::new());
    let plan = host.plan(FILE, &ImportOptions::new());
    let told = |line: usize, field: &str| {
        let Planned::Create { values, .. } = &plan.lines[line].decision else { panic!("line {line}") };
        values.iter().find(|value| value.field == field).map(|value| value.after.clone())
    };
    assert_eq!(
        (told(0, "state"), told(0, "disqualify_reason")),
        (Some("disqualified".into()), Some("Spam".into()))
    );
    assert_eq!((told(1, "state"), told(1, "disqualify_reason")), (None, None), "an open lead has none");
    assert_eq!(told(3, "state"), None);
    let report = host.apply(&plan, FILE);
    assert_eq!(counts(&report), (5, 0, 0, 0), "{report}");
    // Where there is a list, nobody is disqualified without a reason: the lead comes in open, and is told.
    assert_eq!(states(&host), [out("A", "Spam"), open("B"), open("C"), open("D"), open("E")]);
    let reasons = |line| (line, "disqualify_reason");
    assert_eq!(
        left_out(&report),
        [reasons(3), (4, "state"), reasons(4), (5, "state"), reasons(6)],
        "{report}"
    );
    assert_eq!(left_out(&dry), left_out(&report));
    assert!(
        report.to_string().contains("not disqualified, but open: needs a reason of the list"),
        "{report}"
    );
    assert_eq!(report.new_values.get("disqualify_reason"), None, "no file adds a reason");
    // Read again nothing changes.
    let again = host.run_with(FILE, &ImportOptions::new().attempt(2));
    assert_eq!((again.created, again.updated, again.rejected), (0, 0, 0), "{again}");
    // The import's own reason stands behind that of a row.
    let host = host_with_reasons();
    let options = ImportOptions::new().disqualify_reason(reason(&host, "Not a fit"));
    assert_eq!(counts(&host.run_with(FILE, &options)), (5, 0, 0, 0));
    assert_eq!(
        states(&host),
        [out("A", "Spam"), open("B"), out("C", "Not a fit"), out("D", "Not a fit"), open("E")]
    );
    // Without a list nobody is asked for a reason.
    let host = Host::new();
    let report = host.run(FILE);
    assert_eq!(states(&host)[2..4], [out("C", ""), out("D", "")]);
    assert_eq!(report.mapping.unmapped().count(), 0);
    assert_eq!(left_out(&report), [reasons(2), reasons(3), reasons(4), reasons(6)]);
    assert_eq!(report.left_out_values[0].message, "there is no disqualify_reason with this name");
}

#[test]
fn words_for_states_and_reasons_are_mapped_and_none_is_added() {
    let host = host_with_reasons();
    let map = |from: &str, to: &str| TermRule {
        map: [(from.to_owned(), Some(to.to_owned()))].into(),
        ..TermRule::default()
    };
    let file = "Company,How,Why\nA,Junk,Bots\nB,Fine,\n";
    let mapping = Mapping::default()
        .with("Company", Some(Field::Company))
        .with("How", Some(Field::State))
        .with("Why", Some(Field::DisqualifyReason));
    let mut states_rule = map("junk", "disqualified");
    states_rule.map.insert("Fine".to_owned(), Some("open".to_owned()));
    let options = ImportOptions::new()
        .mapping(mapping)
        .term_rule(Field::State, states_rule)
        .term_rule(Field::DisqualifyReason, map("bots", "Spam"));
    assert_eq!(counts(&host.run_with(file, &options)), (2, 0, 0, 0));
    assert_eq!(states(&host), [out("A", "Spam"), open("B")]);
    // What is no state is refused with its line.
    let report = host.run_with(file.replace("Junk", "Odd"), &options);
    assert_eq!((report.rejections[0].line, report.rejections[0].field.as_str()), (2, "state"));
    // An unknown reason, where unknown ones are refused.
    let rule = TermRule { unknown: Some(UnknownTerm::Reject), ..TermRule::default() };
    let report = host.run_with(FILE, &ImportOptions::new().term_rule(Field::DisqualifyReason, rule));
    assert_eq!((report.rejections[0].line, report.rejections[0].field.as_str()), (4, "disqualify_reason"));
    let rule = TermRule { unknown: Some(UnknownTerm::Create), ..TermRule::default() };
    let options = ImportOptions::new().term_rule(Field::DisqualifyReason, rule.clone());
    assert_eq!(options.check().unwrap_err().violations()[0].field, "terms.disqualify_reason");
    let options = ImportOptions::new().term_rule(Field::State, rule);
    assert_eq!(options.check().unwrap_err().violations()[0].field, "terms.state");
    let nobody = DisqualifyReasonId::from_uuid(uuid::Uuid::nil());
    let options = ImportOptions::new().disqualify_reason(nobody);
    let error =
        import::run(&host.system(), &host.store, Cursor::new(FILE), &options, None, &mut ()).unwrap_err();
    assert_eq!(error.violations()[0].field, "disqualify_reason");
}

#[test]
fn a_lead_that_is_here_is_disqualified_by_its_row_and_comes_back_with_the_undo() {
    let host = host_with_reasons();
    host.run("Company,E-mail\nA,a@x.example\nB,b@x.example\n");
    let before = host.leads();
    let report = host.run(FILE);
    assert_eq!(states(&host)[..2], [out("A", "Spam"), open("B")]);
    let ctx = host.system();
    host.store.write(ctx.tenant(), |txn| desk::undo::undo(&ctx, txn, report.operation.unwrap())).unwrap();
    assert_eq!(states(&host), [open("A"), open("B")]);
    let place = |leads: &[Lead]| {
        leads.iter().map(|lead| (lead.stage, lead.closing.clone(), lead.rank.clone())).collect::<Vec<_>>()
    };
    assert_eq!(place(&host.leads()), place(&before));
    // No file opens one again; a row that moves it is refused as everywhere.
    let a = host.leads()[0].id;
    let spam = reason(&host, "Spam");
    host.store.write(ctx.tenant(), |txn| leads::disqualify(&ctx, txn, a, Expect::Any, spam, None)).unwrap();
    let report = host.run("Company,E-mail,Lead state\nA,a@x.example,open\n");
    assert_eq!((counts(&report), left_out(&report)), ((0, 0, 1, 0), vec![(2, "state")]), "{report}");
    assert!(states(&host)[0].1);
    assert_eq!(counts(&host.run("Company,E-mail,Lead Status\nA,a@x.example,Mailed\n")), (0, 0, 0, 1));
}

#[test]
fn what_is_closed_otherwise_stays_so_and_is_told() {
    let host = Host::new();
    let file =
        "Company,Lead Status,Lead state\nA,Lost,disqualified\nB,Mailed,disqualified\nC,New,converted\n";
    let report = host.run(file);
    assert_eq!(counts(&report), (3, 0, 0, 0));
    assert_eq!(states(&host), [open("A"), out("B", ""), open("C")]);
    assert_eq!(left_out(&report), [(2, "state"), (4, "state")], "{report}");
    let text = report.to_string();
    assert!(text.contains("the lead is lost") && text.contains("no file converts a lead"), "{text}");
    // It takes no place on the board.
    let host = Host::new();
    host.run("Company\nZ\n");
    let ctx = host.system();
    let mut wanted = host.store.read(ctx.tenant(), |txn| pipelines::list(&ctx, txn)).unwrap().remove(0);
    wanted.stages[1].wip_limit = Some(1);
    host.store.write(ctx.tenant(), |txn| pipelines::update(&ctx, txn, wanted.clone())).unwrap();
    let rows = "A,Mailed,disqualified\nB,Mailed,disqualified\nC,Mailed,open\nD,Mailed,open\n";
    assert_eq!(counts(&host.run(format!("Company,Lead Status,Lead state\n{rows}"))), (3, 0, 0, 1));
}

#[test]
fn a_column_called_state_holds_states_of_leads_only_where_all_its_cells_do() {
    for (file, field) in [
        ("Company,State\nA,CA\nB,NY\n", Some(Field::Region)),
        ("Company,State\nA,open\nB,disqualified\n", Some(Field::State)),
        ("Company,Lead state\nA,open\nB,\n", Some(Field::State)),
        ("[{\"company\":\"A\",\"state\":\"CA\"}]", Some(Field::Region)),
        ("[{\"company\":\"A\",\"state\":\"disqualified\"}]", Some(Field::State)),
    ] {
        let report = Host::new().run(file);
        let found =
            report.mapping.columns.iter().find(|column| column.field != Some(Field::Company)).unwrap();
        assert_eq!(found.field, field, "{file}");
    }
}

#[test]
fn disqualified_leads_that_are_exported_come_back_so() {
    use crate::exchange::export::{ExportFormat, ExportOptions, Extent, export};
    let host = host_with_reasons();
    host.run(FILE);
    for format in [ExportFormat::Csv, ExportFormat::JsonLines] {
        let options =
            ExportOptions::new(format).columns([Field::Company, Field::State, Field::DisqualifyReason]);
        let (ctx, mut file) = (host.system(), Vec::new());
        let extent = Extent::Filter(Filter::everything());
        let done =
            host.store.read(ctx.tenant(), |txn| export(&ctx, txn, &extent, &options, &mut file)).unwrap();
        for import in [ImportOptions::new(), options.to_import().mapping(done.mapping(&options))] {
            let other = host_with_reasons();
            assert_eq!(counts(&other.run_with(file.clone(), &import)), (5, 0, 0, 0));
            assert_eq!(states(&other), states(&host));
        }
    }
}

#[test]
fn a_reason_that_needs_words_takes_them_from_the_row() {
    let host = host_with_reasons();
    let ctx = host.system();
    let id = reason(&host, "Not a fit");
    let asks = |txn: &mut dyn crate::store::Txn| vocabulary::ask_for_detail(&ctx, txn, id, Expect::Any, true);
    host.store.write(ctx.tenant(), asks).unwrap();
    let report = host.run(
        "Company,Lead state,Disqualify reason,Reason detail\nA,disqualified,Not a fit,Too small\nB,disqualified,Not a fit,\n",
    );
    assert_eq!(states(&host), [out("A", "Not a fit"), open("B")]);
    assert_eq!(left_out(&report), [(3, "state"), (3, "disqualify_reason")]);
    assert_eq!(host.leads()[0].closing.as_ref().unwrap().detail.as_deref(), Some("Too small"));
}

#[test]
fn another_reason_than_that_of_a_lead_that_ended_is_told() {
    let host = host_with_reasons();
    host.run("Company,E-mail,Lead state,Disqualify reason\nA,a@x.example,disqualified,Spam\n");
    let report =
        host.run("Company,E-mail,Lead state,Disqualify reason\nA,a@x.example,disqualified,Not a fit\n");
    assert_eq!(states(&host), [out("A", "Spam")]);
    assert_eq!(left_out(&report), [(2, "disqualify_reason")]);
    let report = host.run("Company,E-mail,Lead state,Disqualify reason\nA,a@x.example,disqualified,Spam\n");
    assert_eq!((left_out(&report), counts(&report)), (vec![], (0, 0, 1, 0)));
}

#[test]
fn a_lead_that_an_import_disqualified_is_open_again_once_that_is_taken_back() {
    for (more, cell) in [("", ""), (",Reason detail", ",Sent by a robot")] {
        let host = host_with_reasons();
        host.run("Company,E-mail\nA,a@x.example\n");
        let before = host.leads().remove(0);
        let file = format!(
            "Company,E-mail,Lead state,Disqualify reason{more}\nA,a@x.example,disqualified,Spam{cell}\n"
        );
        let operation = host.run(file).operation.unwrap();
        let with = host.leads().remove(0);
        assert_eq!(states(&host), [out("A", "Spam")]);
        let ctx = host.system();
        let undo = |operation| {
            let planned =
                host.store.read(ctx.tenant(), |txn| desk::undo::plan(&ctx, txn, operation)).unwrap();
            let done = host.store.write(ctx.tenant(), |txn| desk::undo::undo(&ctx, txn, operation)).unwrap();
            assert_eq!(planned.totals, done.totals, "planned as done");
            assert_eq!((done.totals.reversed, &done.remaining), (1, &Vec::new()), "{done:?}");
            done.operation
        };
        let undone = undo(operation);
        let after = host.leads().remove(0);
        assert_eq!((&after.closing, &after.fields), (&before.closing, &before.fields));
        // And out again with the undo of the undo.
        undo(undone);
        assert_eq!(host.leads().remove(0).closing, with.closing);
    }
}
