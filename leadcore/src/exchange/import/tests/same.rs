//! Which lead a row means when it has an id: no weaker key goes against it, and an export comes back.

use proptest::prelude::*;

use super::*;
use crate::desk::undo;
use crate::desk::{Expect, activities, leads};
use crate::domain::{ActivityFields, ExternalRef, Field, FieldValue, LeadDraft, LeadFields, LeadPatch};
use crate::error::ErrorKind;
use crate::exchange::export::{ExportFormat, ExportOptions, Exported};
use crate::exchange::import::{MatchBy, SkipReason};
use crate::id::LeadId;

fn ids(host: &Host) -> Vec<Vec<String>> {
    host.leads()
        .iter()
        .map(|lead| lead.fields.external_ids.iter().map(ToString::to_string).collect())
        .collect()
}

fn names(host: &Host) -> Vec<String> {
    host.leads().iter().map(|lead| lead.fields.company.clone().unwrap_or_default()).collect()
}

#[test]
fn two_ids_of_one_system_are_two_leads_whatever_they_share() {
    let file =
        "Id,Company,E-mail,Phone\n1,A,info@x.example,+47 22225555\n2,B,info@x.example,\n3,A,,+47 22225555\n";
    for chunk in [1, 100] {
        let host = Host::new();
        let options = ImportOptions::new().chunk(chunk);
        let dry = host.dry(file, &options);
        let report = host.run_with(file, &options);
        assert_eq!((counts(&dry), counts(&report)), ((3, 0, 0, 0), (3, 0, 0, 0)), "{report}");
        assert_eq!(
            (names(&host), ids(&host)[1].clone()),
            (vec!["A".into(), "B".into(), "A".into()], vec!["import:2".into()])
        );
    }
    // Against the store too.
    let host = Host::new();
    let sap = ImportOptions::new().external_system("sap");
    host.run_with("Id,Company,E-mail\n007,Known,a@x.example\n", &sap);
    let report = host.run_with("Id,Company,E-mail\n8,A,a@x.example\n", &sap);
    assert_eq!((counts(&report), names(&host)), ((1, 0, 0, 0), vec!["Known".into(), "A".into()]));
    // Another system says nothing against it.
    let host = Host::new();
    host.run_with("Id,Company,E-mail\n007,Known,a@x.example\n", &sap);
    let report = host.run_with("Id,Company,E-mail\n8,A,a@x.example\n", &sap.external_system("web"));
    assert_eq!((counts(&report), ids(&host)), ((0, 1, 0, 0), vec![vec!["sap:007".into(), "web:8".into()]]));
}

#[test]
fn rows_that_meet_another_row_of_the_file_are_told() {
    let file =
        "Company,E-mail,City\nA,a@x.example,\nB,b@x.example,\nA,a@x.example,Oslo\nA,a@x.example,Oslo\n";
    for chunk in [1, 2, 100] {
        let host = Host::new();
        host.run("Company,E-mail\nB,b@x.example\n");
        let options = ImportOptions::new().chunk(chunk);
        let plan = host.plan(file, &options);
        let same: Vec<_> = plan.lines.iter().map(|line| line.same_as_line).collect();
        assert_eq!(same, [None, None, Some(2), Some(2)]);
        let report = host.run_with(file, &options);
        assert_eq!(
            (report.duplicates, report.duplicate_lines.as_slice()),
            (2, &[4, 5][..]),
            "{chunk} {report}"
        );
        assert_eq!(plan.report.duplicates, 2);
        assert!(report.to_string().contains("2 met the lead of an earlier row"), "{report}");
    }
}

fn written(host: &Host, format: ExportFormat) -> (Vec<u8>, Exported) {
    host.exported(&ExportOptions::new(format))
}

fn add(host: &Host, fields: &LeadFields) -> LeadId {
    let ctx = host.system();
    host.store
        .write(ctx.tenant(), |txn| leads::create(&ctx, txn, LeadDraft::from(fields.clone())))
        .unwrap()
        .id
}

/// Here nothing changes; elsewhere the same leads are made once.
fn comes_back(host: &Host, format: ExportFormat) {
    let (file, done) = written(host, format);
    let all = host.leads().len() as u64;
    let options = ExportOptions::new(format);
    let before = host.leads();
    for mapping in [Some(done.mapping(&options)), None] {
        let mut import = options.to_import();
        import.mapping = mapping;
        let report = host.run_with(file.clone(), &import);
        assert_eq!(counts(&report), (0, 0, all, 0), "{format:?} {report}");
        assert_eq!(host.leads(), before);
    }
    let mut import = options.to_import();
    import.mapping = Some(done.mapping(&options));
    let other = Host::elsewhere();
    assert_eq!(counts(&other.run_with(file.clone(), &import)), (all, 0, 0, 0));
    let report = other.run_with(file, &import.attempt(2));
    assert_eq!(counts(&report), (0, 0, all, 0), "{format:?} {report}");
    for (here, there) in before.iter().zip(other.leads()) {
        let own = ExternalRef::own(here.id);
        assert!(there.fields.external_ids.contains(&own));
        let mut there = there.fields;
        there.external_ids.remove(&own);
        assert_eq!(there, here.fields);
    }
    // What went there comes home to the leads that it was.
    let (file, done) = written(&other, format);
    let mut import = options.to_import();
    import.mapping = Some(done.mapping(&options));
    let report = host.run_with(file, &import);
    assert_eq!(
        (report.created, report.rejected, host.leads().len() as u64),
        (0, 0, all),
        "{format:?} {report}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn an_export_comes_back_whatever_its_leads_share(
        drawn in prop::collection::vec(("[A-C]", 0..3_u8, 0..3_u8), 1..6),
        format in prop::sample::select(&[ExportFormat::Csv, ExportFormat::JsonLines][..]),
    ) {
        let host = Host::new();
        for (company, email, phone) in &drawn {
            let mut fields = LeadFields::company(company).unwrap();
            if *email > 0 {
                Field::Email.write(&mut fields, &FieldValue::from(format!("m{email}@x.example"))).unwrap();
            }
            if *phone > 0 {
                Field::Phone.write(&mut fields, &FieldValue::from(format!("+47 2222555{phone}"))).unwrap();
            }
            add(&host, &fields);
        }
        comes_back(&host, format);
    }
}

#[test]
fn an_id_of_a_lead_in_the_trash_is_none_of_the_others() {
    let host = Host::new();
    let mut fields = LeadFields::company("A").unwrap();
    Field::Email.write(&mut fields, &FieldValue::from("a@x.example")).unwrap();
    let gone = add(&host, &fields);
    fields.company = Some("B".to_owned());
    add(&host, &fields);
    let (file, done) = written(&host, ExportFormat::Csv);
    let ctx = host.system();
    host.store.write(ctx.tenant(), |txn| leads::delete(&ctx, txn, gone, Expect::Any)).unwrap();
    let mut import = ExportOptions::new(ExportFormat::Csv).to_import();
    import.mapping = Some(done.mapping(&ExportOptions::new(ExportFormat::Csv)));
    let report = host.run_with(file, &import);
    assert_eq!(
        (counts(&report), report.skips.get(&SkipReason::Unchanged)),
        ((1, 0, 1, 0), Some(&1)),
        "{report}"
    );
    assert_eq!(names(&host), ["B", "A"]);
}

#[test]
fn a_chosen_key_that_is_no_id_takes_none() {
    let host = Host::new();
    add(&host, &LeadFields::company("A").unwrap());
    let (file, done) = written(&host, ExportFormat::Csv);
    let mut import = ExportOptions::new(ExportFormat::Csv).to_import().match_by(vec![MatchBy::Email]);
    import.mapping = Some(done.mapping(&ExportOptions::new(ExportFormat::Csv)));
    let error =
        import::run(&host.system(), &host.store, Cursor::new(file), &import, None, &mut ()).unwrap_err();
    assert_eq!(error.violations()[0].field, "mapping.id");
}

#[test]
fn what_was_worked_on_since_stays_whoever_did_it() {
    let file = "Company,E-mail\nEdited,a@x.example\nNoted,b@x.example\nImported,c@x.example\nLeft,d@x.example\nBack,e@x.example\n";
    let host = Host::new();
    let report = host.run(file);
    let leads = host.leads();
    let ctx = host.system();
    let edit = |lead: &Lead, city: &str| {
        let patch = LeadPatch::new().set(Field::City, city);
        host.store.write(ctx.tenant(), |txn| leads::edit(&ctx, txn, lead.id, Expect::Any, &patch)).unwrap()
    };
    edit(&leads[0], "Oslo");
    let note = ActivityFields::note("asked for an offer");
    host.store
        .write(ctx.tenant(), |txn| activities::add(&ctx, txn, &[leads[1].id.into()], note.clone()))
        .unwrap();
    host.run("Company,E-mail,City\nImported,c@x.example,Bergen\n");
    // Taken back itself, it is no work on the lead.
    let second = host.run("Company,E-mail,City\nBack,e@x.example,Bergen\n");
    host.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, second.operation.unwrap())).unwrap();
    let done =
        host.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, report.operation.unwrap())).unwrap();
    assert_eq!((done.totals.kept, done.totals.failed), (3, 0), "{done:?}");
    assert_eq!(names(&host), ["Edited", "Noted", "Imported"]);
}

#[test]
fn an_interrupted_import_says_its_operation_and_is_taken_back() {
    let file = "Company,E-mail\nA,a@x.example\nB,b@x.example\nC,c@x.example\n";
    let host = Host::new();
    let ctx = host.system();
    let options = ImportOptions::new().chunk(1);
    let mut heard = Heard { stop_after: Some(2), ..Heard::default() };
    let error = host.hear(&host.store, file, &options, &mut heard).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let operation = error.operation().unwrap();
    assert_eq!(host.dry(file, &options).operation, Some(operation), "how a killed one is found");
    let done = host.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, operation)).unwrap();
    assert_eq!((done.totals.kept, done.totals.failed, host.leads().len()), (0, 0, 0));
    let report = host.run_with(file, &options);
    assert_eq!((counts(&report), report.resumed_after), ((3, 0, 0, 0), 0));

    /// Takes the import back in the middle of it, as another process does.
    struct Meanwhile<'h>(&'h Host);
    impl ImportSink for Meanwhile<'_> {
        fn line(&mut self, _: &LineOutcome) {}
        fn progress(&mut self, _: &Progress) -> ControlFlow<()> {
            let ctx = self.0.system();
            let file = "Company,E-mail\nX,x@x.example\nY,y@x.example\nZ,z@x.example\n";
            let operation = self.0.dry(file, &ImportOptions::new().chunk(1)).operation.unwrap();
            self.0.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, operation)).unwrap();
            ControlFlow::Continue(())
        }
    }
    let other = "Company,E-mail\nX,x@x.example\nY,y@x.example\nZ,z@x.example\n";
    let error = import::run(&ctx, &host.store, Cursor::new(other), &options, None, &mut Meanwhile(&host))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    assert!(error.to_string().contains("taken back"), "{error}");
    assert_eq!(names(&host), ["A", "B", "C"]);
}

#[test]
fn a_rejected_damaged_row_is_rejected_again_until_it_is_put_right() {
    let host = Host::new();
    let ctx = host.system();
    for file in [
        "Company,E-mail\nA,a@x.example\n\"C,c@x.example\n",
        "{\"company\":\"A\",\"email\":\"a@x.example\"}\nnot json\n",
    ] {
        let host = Host::new();
        let mut rejects = Vec::new();
        let input = Cursor::new(file);
        let first = import::run(&ctx, &host.store, input, &ImportOptions::new(), Some(&mut rejects), &mut ())
            .unwrap();
        assert_eq!(counts(&first), (1, 0, 0, 1), "{first}");
        let (mut again, input) = (Vec::new(), Cursor::new(rejects.clone()));
        let second =
            import::run(&ctx, &host.store, input, &ImportOptions::new(), Some(&mut again), &mut ()).unwrap();
        assert_eq!(counts(&second), (0, 0, 0, 1), "{second}");
        assert_eq!(second.rejections[0].message, first.rejections[0].message);
        assert_eq!(again, rejects, "and written as it was");
    }
    let corrected = "Company,E-mail,reject_field,reject_reason\nC,c@x.example,line,a quote on this line is never closed\n";
    assert_eq!(counts(&host.run(corrected)), (1, 0, 0, 0));
}

#[test]
fn a_dry_run_writes_the_rejects_of_the_run() {
    let file = "Company,E-mail\nA,wrong\nB,b@x.example\n";
    let host = Host::new();
    let (ctx, options) = (host.system(), ImportOptions::new());
    let (mut dry, mut run) = (Vec::new(), Vec::new());
    import::dry_run_with_rejects(&ctx, &host.store, Cursor::new(file), &options, Some(&mut dry), &mut ())
        .unwrap();
    import::run(&ctx, &host.store, Cursor::new(file), &options, Some(&mut run), &mut ()).unwrap();
    assert!(dry == run && !run.is_empty());
}

#[test]
fn what_says_nothing_in_a_call_is_refused_by_its_name() {
    use crate::exchange::import::{TermRule, UnknownTerm};
    use crate::exchange::{ColumnRules, DateOrder, Mapping, ReadOptions, SheetChoice};
    let host = Host::new();
    let refused = |options: ImportOptions| {
        let input = Cursor::new("Company,E-mail\nA,a@x.example\n");
        let error = import::run(&host.system(), &host.store, input, &options, None, &mut ()).unwrap_err();
        error.violations()[0].field.clone()
    };
    let mapping = Mapping::default().with("Company", Some(Field::Company)).with("E-mail", Some(Field::Email));
    let constant = mapping.clone().constant(Field::Amount, "x");
    assert_eq!(refused(ImportOptions::new().mapping(constant)), "constants.amount");
    let dated = mapping.rules("E-mail", ColumnRules::new().date_order(DateOrder::DayFirst));
    assert_eq!(refused(ImportOptions::new().mapping(dated)), "mapping.email");
    assert_eq!(refused(ImportOptions::new().attempt(0)), "attempt");
    let terms = ImportOptions::new().term_rule(Field::Company, TermRule::new(UnknownTerm::Reject));
    assert_eq!(refused(terms), "terms.company");
    let mut read = ReadOptions::new();
    read.sheet = Some(SheetChoice::Name("Leads".to_owned()));
    assert_eq!(refused(ImportOptions::new().read(read)), "sheet");
    assert_eq!(host.leads(), []);
}
