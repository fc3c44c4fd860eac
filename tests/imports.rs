//! Importing files of leads: keys, rejected rows, interruptions, plans and the way back (S4.04, X.27–X.31).

use std::io::Cursor;
use std::ops::ControlFlow;

use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::undo::{self, UndoPart};
use leadcore::desk::{Expect, leads, settings};
use leadcore::domain::{Catalogue, CustomField, CustomKey, CustomType, Field, LeadPatch, LeadState, WhyKept};
use leadcore::error::ErrorKind;
use leadcore::exchange::Mapping;
use leadcore::exchange::import::{
    self, ImportOptions, ImportSink, LineOutcome, MatchBy, OnAmbiguous, OnMatch, Planned, Progress,
    SkipReason,
};
use leadcore::query::Filter;
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::realistic_csv;

use crate::support::{Host, counts, fields_of, refused};

const FILE: &str = "id,company,email,city,source\n1,Nordlys AS,post@nordlys.example,Oslo,Fair\n\
    2,Fjord AS,not an address,Moss,Web\n3,Dal AS,post@dal.example,,Fair\n";

#[test]
fn s4_04_thousands_are_imported_as_leads_and_not_as_customers() {
    let mut host = Host::new();
    let mut file = Vec::new();
    realistic_csv(5_000, 7, &mut file).unwrap();
    let report = host.import(file.clone(), &ImportOptions::new());
    assert!(report.created > 4_500, "{report}");
    assert_eq!(report.lines, 5_000);
    host.restart();
    assert_eq!(host.count(&Filter::everything()), report.created);
    let converted = Filter::eq(Field::State, LeadState::Converted.code());
    assert_eq!(host.count(&converted), 0, "a file makes no customers");
    let accounts = host.read(|_, txn| txn.accounts().scan(None, 10));
    assert_eq!(accounts, []);
    assert!(host.import(file, &ImportOptions::new()).repeated);
}

#[test]
fn x_27_create_update_and_upsert_by_chosen_fields() {
    let host = Host::new();
    let mut catalogue = Catalogue::standard();
    let code = CustomKey::new("x_code").unwrap();
    catalogue.set_custom_field(CustomField::new(code.clone(), "Code", CustomType::Text).unique(true));
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    host.import(
        "External id,Code,Company,E-mail\n1,K1,Nordlys AS,post@nordlys.example\n",
        &ImportOptions::new(),
    );
    let lead = host.read(|ctx, txn| leads::by_number(ctx, txn, 1));
    let company = || host.get(&lead).fields.company.unwrap();
    let key = |field: &Field| {
        Mapping::default().with("key", Some(field.clone())).with("name", Some(Field::Company))
    };
    let id = lead.id.to_string();
    let keys = [
        (MatchBy::Id, id.as_str()),
        (MatchBy::Number, "1"),
        (MatchBy::ExternalId, "1"),
        (MatchBy::Email, "Post@Nordlys.example"),
        (MatchBy::Custom(code), "k1"),
    ];
    for (n, (by, value)) in keys.into_iter().enumerate() {
        let options = ImportOptions::new().mapping(key(&by.field())).match_by(vec![by.clone()]);
        let file = format!("key,name\n{value},Name {n}\n");
        let report = host.import(file.clone(), &options);
        assert_eq!(counts(&report), [0, 1, 0, 0], "{by}: {report}");
        assert_eq!(company(), format!("Name {n}"));
        let left = host.import(file, &options.create_only());
        assert_eq!((counts(&left), company()), ([0, 0, 1, 0], format!("Name {n}")));
    }
    let file = "Company,E-mail\nAnders AS,post@nordlys.example\nNy AS,ny@ny.example\n";
    let options = ImportOptions::new();
    assert_eq!(counts(&host.import(file, &options.clone().update_only())), [0, 1, 1, 0]);
    assert_eq!(counts(&host.import(file, &options.clone().create_only())), [1, 0, 1, 0]);
    assert_eq!(counts(&host.import(file, &options.clone().on_match(OnMatch::CreateNew))), [2, 0, 0, 0]);
    // Two leads have the address by now: a person has to say which one is meant.
    let report = host.import(file, &options.clone().ambiguous(OnAmbiguous::Review).create_only());
    assert_eq!((report.review, report.reviews[0].candidates.len()), (2, 2));
    // An empty cell leaves alone, the token empties.
    let file = "External id,Company,E-mail\n1,,(clear)\n";
    assert_eq!(counts(&host.import(file, &options.clear("(clear)"))), [0, 1, 0, 0]);
    let fields = host.get(&lead).fields;
    assert!(fields.emails.is_empty() && fields.company.is_some());
    let by_city = serde_json::from_str::<ImportOptions>(r#"{"match_by": ["city"]}"#);
    assert!(by_city.is_err(), "what several leads share is no key");
}

#[test]
fn x_28_rejected_rows_are_kept_and_come_back_corrected() {
    let host = Host::new();
    let mut rejects = Vec::new();
    let input = Cursor::new(FILE);
    let report =
        import::run(&host.ctx(), &host.store, input, &ImportOptions::new(), Some(&mut rejects), &mut ())
            .unwrap();
    assert_eq!(counts(&report), [2, 0, 0, 1]);
    let [told] = &report.rejections[..] else { panic!("{report}") };
    assert_eq!((told.line, told.field.as_str()), (3, "email"));
    let rejects = String::from_utf8(rejects).unwrap();
    let lines: Vec<_> = rejects.lines().collect();
    assert!(lines[0].starts_with("id,company,email,city,source,reject_field,reject_reason,"), "{rejects}");
    assert!(lines[1].starts_with("2,Fjord AS,not an address,Moss,Web,email,"), "{rejects}");
    // The plan tells the value too.
    let plan =
        import::plan(&host.ctx(), &host.store, Cursor::new(rejects.clone()), &ImportOptions::new(), &mut ());
    let Planned::Reject { values, .. } = &plan.unwrap().lines[0].decision else { panic!() };
    assert_eq!(values["email"], "not an address");
    let corrected = rejects.replace("not an address", "post@fjord.example");
    assert_eq!(counts(&host.import(corrected, &ImportOptions::new())), [1, 0, 0, 0]);
    assert_eq!(host.names(Filter::everything()), ["Nordlys AS", "Dal AS", "Fjord AS"]);
}

/// A sink that stops behind so many lines.
struct Until(u64, Vec<Progress>);

impl ImportSink for Until {
    fn line(&mut self, _: &LineOutcome) {}

    fn progress(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.1.push(*progress);
        if progress.lines < self.0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

#[test]
fn x_29_an_import_goes_on_behind_the_last_committed_row() {
    let mut host = Host::new();
    let mut file = Vec::new();
    realistic_csv(3_000, 5, &mut file).unwrap();
    let options = ImportOptions::new().chunk(500);
    let mut until = Until(1_000, Vec::new());
    let stopped = import::run(&host.ctx(), &host.store, Cursor::new(&file), &options, None, &mut until);
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
    host.restart();
    let written = host.count(&Filter::everything());
    assert!(written > 800 && written <= 1_000, "{written}");
    let progress = until.1.last().unwrap();
    assert!(progress.bytes > 0 && progress.bytes < progress.total_bytes);
    let report = host.import(file.clone(), &options);
    assert_eq!((report.lines, report.resumed_after), (3_000, 1_000));
    let whole = Host::new();
    let at_once = whole.import(file, &ImportOptions::new());
    assert_eq!(counts(&report), counts(&at_once));
    assert_eq!(host.names(Filter::everything()), whole.names(Filter::everything()));
}

#[test]
fn x_30_an_import_is_undone_whole_by_lines_and_by_leads() {
    let host = Host::new();
    host.import("id,company,city\n1,Nordlys AS,Oslo\n2,Fjord AS,Moss\n", &ImportOptions::new());
    host.scene.tick();
    let file = "id,company,city,email\n1,Nordlys AS,Bergen,post@nordlys.example\n2,Fjord AS,Bergen,\n3,Dal AS,,\n\
        4,Elv AS,,\n5,Foss AS,,\n6,Gren AS,,\n";
    let report = host.import(file, &ImportOptions::new());
    assert_eq!(counts(&report), [4, 2, 0, 0]);
    let operation = report.operation.unwrap();
    let lead = |number: u64| host.read(|ctx, txn| leads::by_number(ctx, txn, number));
    let (four, five, six) = (lead(4), lead(5), lead(6));
    // Edited by somebody else since, converted since.
    host.scene.tick();
    let patch = LeadPatch::new().set(Field::City, "Hamar");
    let one = lead(1);
    let edited = host.write_as("bob", &leadcore::policy::AllowAll, |ctx, txn| {
        leads::edit(ctx, txn, one.id, Expect::Any, &patch)
    });
    edited.unwrap();
    host.write(|ctx, txn| convert::convert(ctx, txn, four.id, &ConversionOptions::default()));
    // By lines: what line 3 changed and line 6 created.
    let part = UndoPart::lines([3, 6]);
    let plan = host.read(|ctx, txn| undo::plan_part(ctx, txn, operation, &part));
    assert_eq!((plan.records.len(), plan.totals.reversed), (2, 2), "{plan:?}");
    let plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    let outcome = host.write(|ctx, txn| undo::apply(ctx, txn, &plan));
    assert_eq!(outcome.totals.reversed, 2);
    assert_eq!(lead(2).fields.address.city(), Some("Moss"));
    assert_eq!(host.names(Filter::everything()), ["Nordlys AS", "Fjord AS", "Dal AS", "Elv AS", "Gren AS"]);
    assert!(host.import(file, &ImportOptions::new()).repeated, "the file still counts as imported");
    // By leads.
    let outcome = host.write(|ctx, txn| undo::undo_part(ctx, txn, operation, &UndoPart::leads([six.id])));
    assert_eq!(outcome.totals.reversed, 1);
    // A part is taken back like anything.
    host.write(|ctx, txn| undo::undo(ctx, txn, outcome.operation));
    assert_eq!(host.count(&Filter::everything()), 5);
    host.write(|ctx, txn| undo::undo_part(ctx, txn, operation, &UndoPart::leads([six.id])));
    // The rest as a whole: record by record it is said what stays and why.
    let outcome = host.write(|ctx, txn| undo::undo(ctx, txn, operation));
    assert_eq!(host.names(Filter::everything()), ["Nordlys AS", "Fjord AS", "Elv AS"]);
    let one = lead(1).fields;
    assert_eq!((one.address.city(), one.emails.is_empty()), (Some("Hamar"), true));
    let of = |id| outcome.remaining.iter().find(|record| record.subject.id == id).unwrap();
    assert_eq!(of(lead(1).id.as_uuid()).kept[0].field, "city");
    assert_eq!(of(four.id.as_uuid()).kept[0].why, WhyKept::Converted);
    assert!(!of(five.id.as_uuid()).kept.is_empty(), "it was gone already");
    // The file can be imported anew.
    assert!(!host.import(file, &ImportOptions::new()).repeated);
}

#[test]
fn x_31_a_plan_is_made_reviewed_changed_and_applied() {
    let mut host = Host::new();
    host.import("id,company,city\n1,Nordlys AS,Moss\n", &ImportOptions::new());
    let before = dump(&host.store, &host.scene.tenant);
    let input = || Cursor::new(FILE);
    let plan = import::plan(&host.ctx(), &host.store, input(), &ImportOptions::new(), &mut ()).unwrap();
    assert_eq!(dump(&host.store, &host.scene.tenant), before, "a plan writes nothing");
    assert_eq!(counts(&plan.report), [1, 1, 0, 1]);
    let Planned::Update { changes, .. } = &plan.lines[0].decision else { panic!("{plan:?}") };
    let told: Vec<_> =
        changes.iter().map(|change| (change.field.as_str(), change.after.items()[0].clone())).collect();
    assert_eq!(
        told,
        [("email", "post@nordlys.example".into()), ("city", "Oslo".into()), ("source", "Fair".into())]
    );
    assert_eq!(
        plan.unknown["source"],
        [("Fair".to_owned(), 2), ("Web".to_owned(), 0)].into_iter().filter(|(_, n)| *n > 0).collect()
    );
    // It is kept, a person corrects a line and leaves one out, the program starts again in between.
    let mut kept: import::ImportPlan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    kept.set(3, Field::Email, "post@fjord.example").unwrap();
    kept.skip(4).unwrap();
    host.restart();
    let report = import::apply(&host.ctx(), &host.store, &kept, input(), None, &mut ()).unwrap();
    assert_eq!(counts(&report), [1, 1, 1, 0], "{report}");
    assert_eq!(report.skips[&SkipReason::LeftOut], 1);
    assert_eq!(host.names(Filter::everything()), ["Nordlys AS", "Fjord AS"]);
    let again = import::apply(&host.ctx(), &host.store, &kept, input(), None, &mut ()).unwrap();
    assert!(again.repeated, "applied twice, it runs once");
    // Of another file it is refused.
    let other = Cursor::new("id,company\n1,Other\n");
    let wrong = import::apply(&host.ctx(), &host.store, &kept, other, None, &mut ());
    assert_eq!(fields_of(&refused(wrong, ErrorKind::Invalid)), ["file"]);
}
