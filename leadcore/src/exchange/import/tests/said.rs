//! What a caller says of a file holds against what is guessed, and the same file is read again where more of it can be.

use super::policies::clerk;
use super::*;
use crate::desk::{leads, settings};
use crate::domain::{CustomField, CustomKey, CustomType, Field, FieldValue, LeadDraft, LeadFields};
use crate::error::{ErrorKind, ViolationCode};
use crate::exchange::export::{ExportFormat, ExportOptions, Exported};
use crate::exchange::import::Planned;
use crate::exchange::mapping::ColumnRules;
use crate::exchange::{Mapping, Note};
use crate::policy::{Permission, RoleTable, Visibility};

fn cities(host: &Host) -> Vec<Option<String>> {
    host.leads().iter().map(|lead| lead.fields.address.city().map(str::to_owned)).collect()
}

#[test]
fn words_that_were_said_to_be_none_are_none() {
    let rows: String = (0..20)
        .map(|n| format!("C{n},c{n}@x.example,{}\n", if n % 2 == 0 { "None" } else { "Oslo" }))
        .collect();
    let file = format!("Company,E-mail,City\n{rows}");
    let count = |options: &ImportOptions| {
        let host = Host::new();
        let report = host.run_with(file.clone(), options);
        (report.blanked, cities(&host).iter().flatten().count())
    };
    assert_eq!(count(&ImportOptions::new()), (10, 10));
    assert_eq!(count(&ImportOptions::new().no_answer(Vec::new())), (0, 20));
    // Also in a plan, which keeps the mapping.
    let host = Host::new();
    let plan = host.plan(file.clone(), &ImportOptions::new().no_answer(Vec::new()));
    assert_eq!(host.apply(&plan, file).blanked, 0);
}

#[test]
fn the_word_that_empties_a_field_wins_over_those_that_say_nothing() {
    let clear = |file: &str, options: &ImportOptions| {
        let host = Host::new();
        host.run("Company,E-mail,First name,Last name,City\nA,a@x.example,Eva,Lund,Oslo\n");
        host.hear(&host.store, file, options, &mut Heard::default()).map(|_| host.leads().remove(0))
    };
    let options = ImportOptions::new().clear("-");
    let lead = clear("E-mail,City\na@x.example,-\n", &options).unwrap();
    assert_eq!(lead.fields.address.city(), None);
    // Of joined columns, all of them empty it; one of them says nothing.
    let joined = Mapping::default()
        .with("E-mail", Some(Field::Email))
        .with("A", Some(Field::City))
        .with("B", Some(Field::City))
        .rules("B", ColumnRules { join: Some(" ".to_owned()), ..ColumnRules::new() });
    for (cells, city) in
        [("-,-", None), ("-,Moss", Some("Moss")), ("Moss,-", Some("Moss")), (",", Some("Oslo"))]
    {
        let file = format!("E-mail,A,B\na@x.example,{cells}\n");
        let lead = clear(&file, &options.clone().mapping(joined.clone())).unwrap();
        assert_eq!(lead.fields.address.city(), city, "{cells}");
    }
    // Said both ways, it is refused.
    let words = |word: &str| vec![word.to_owned()];
    let column = joined.rules("A", ColumnRules { no_answer: Some(words("-")), ..ColumnRules::new() });
    for options in [options.clone().no_answer(words(" - ")), options.mapping(column)] {
        let error = clear("E-mail,A,B\na@x.example,-,\n", &options).unwrap_err();
        let told: Vec<_> = error.violations().iter().map(|at| (at.field.as_str(), at.code)).collect();
        assert_eq!(told, [("clear", ViolationCode::NotAllowed)]);
    }
}

#[test]
fn constants_go_with_a_proposed_mapping() {
    let host = Host::new();
    let options = ImportOptions::new().constant(Field::City, "Oslo").constant(Field::Labels, "Fair");
    let file = "Company,E-mail,City\nA,a@x.example,Moss\n";
    let plan = host.plan(file, &options);
    let report = host.apply(&plan, file);
    assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
    assert_eq!((cities(&host), host.leads()[0].fields.labels.len()), (vec![Some("Oslo".to_owned())], 1));
    assert!(host.run_with(file, &options).repeated);
    assert!(!host.run(file).repeated, "without them it is another import");
    let broken = ImportOptions::new().constant(Field::Country, "Nowhere");
    let error = host.hear(&host.store, "Company\nB\n", &broken, &mut Heard::default()).unwrap_err();
    assert_eq!(
        (error.kind(), error.violations()[0].field.as_str()),
        (ErrorKind::Invalid, "constants.country")
    );
}

/// Kim may not see what stands in `hidden`; mona sees everything.
pub(super) fn team(hidden: &[Field]) -> RoleTable {
    let role = || {
        clerk()
            .grant(Permission::View, Visibility::All)
            .grant(Permission::Create, Visibility::All)
            .grant(Permission::Edit, Visibility::All)
    };
    let kim = hidden.iter().fold(role(), |role, field| role.hide(field.clone()).unwrap());
    RoleTable::new()
        .role("kim", kim)
        .role("mona", role())
        .user(&"kim".parse().unwrap(), &["kim"], None)
        .unwrap()
        .user(&"mona".parse().unwrap(), &["mona"], None)
        .unwrap()
}

#[test]
fn a_file_is_read_again_by_whom_more_of_it_is_shown() {
    let file = "Company,E-mail,Amount\nA,a@x.example,EUR 500\n";
    for (hidden, mapping) in [
        (vec![Field::Amount], false),
        (vec![Field::Currency, Field::CurrencySymbol], false),
        (vec![Field::Currency, Field::CurrencySymbol], true),
    ] {
        let (host, policy) = (Host::new(), team(&hidden));
        let mut options = ImportOptions::new();
        if mapping {
            let known = [("Company", Field::Company), ("E-mail", Field::Email), ("Amount", Field::Amount)];
            options =
                options.mapping(known.iter().fold(Mapping::default(), |mapping, (head, field)| {
                    mapping.with(head, Some(field.clone()))
                }));
        }
        let run = |who: &str| {
            let ctx = host.ctx(Actor::User(who.parse().unwrap()), &policy);
            import::run(&ctx, &host.store, Cursor::new(file), &options, None, &mut ()).unwrap()
        };
        assert_eq!(counts(&run("kim")), (1, 0, 0, 0));
        assert!(run("kim").repeated);
        let report = run("mona");
        assert_eq!((counts(&report), report.repeated), ((0, 1, 0, 0), false), "{hidden:?} {report}");
        let lead = host.leads().remove(0).fields;
        assert_eq!(
            (lead.amount, lead.currency.map(|own| own.code().to_owned())),
            (Some(500.into()), Some("EUR".to_owned()))
        );
        assert!(run("mona").repeated && run("kim").repeated);
    }
}

pub(super) fn add_field(host: &Host, key: &str, label: &str, kind: &CustomType) {
    let ctx = host.system();
    host.store
        .write(ctx.tenant(), |txn| {
            let (revision, mut catalogue) = settings::catalogue(&ctx, txn)?;
            catalogue.set_custom_field(CustomField::new(CustomKey::new(key).unwrap(), label, kind.clone()));
            settings::set_catalogue(&ctx, txn, revision, &catalogue)
        })
        .unwrap();
}

#[test]
fn a_file_is_read_again_once_there_is_a_field_for_a_column() {
    let file = "Company,E-mail,Shoe size\nA,a@x.example,43\nB,b@x.example,40\n";
    let host = Host::new();
    host.run(file);
    add_field(&host, "x_hat", "Hat", &CustomType::Integer);
    assert!(host.run(file).repeated, "no column has the field that came");
    add_field(&host, "x_shoe", "Shoe size", &CustomType::Integer);
    let plan = host.plan(file, &ImportOptions::new());
    assert!(matches!(plan.lines[0].decision, Planned::Update { .. }));
    // It goes on where it was interrupted.
    let options = ImportOptions::new().chunk(1);
    let mut heard = Heard { stop_after: Some(1), ..Heard::default() };
    host.hear(&host.store, file, &options, &mut heard).unwrap_err();
    let report = host.run_with(file, &options);
    assert_eq!((counts(&report), report.resumed_after), ((0, 2, 0, 0), 1), "{report}");
    assert!(host.run(file).repeated);
}

#[test]
fn a_file_that_was_begun_is_read_with_the_mapping_of_then() {
    let file = "Company,E-mail,Shoe size\nA,a@x.example,43\nB,b@x.example,40\n";
    let (host, options) = (Host::new(), ImportOptions::new().chunk(1));
    let mut heard = Heard { stop_after: Some(1), ..Heard::default() };
    host.hear(&host.store, file, &options, &mut heard).unwrap_err();
    add_field(&host, "x_shoe", "Shoe size", &CustomType::Integer);
    let report = host.run_with(file, &options);
    assert_eq!((counts(&report), report.resumed_after), ((2, 0, 0, 0), 1), "{report}");
    assert_eq!(counts(&host.run_with(file, &options)), (0, 2, 0, 0));
}

fn out(host: &Host, options: &ExportOptions) -> (String, Exported) {
    let (file, done) = host.exported(options);
    (String::from_utf8(file).unwrap(), done)
}

#[test]
fn a_salutation_alone_is_kept_and_comes_back() {
    let host = Host::new();
    host.run("Company,Salutation\nA AS,Dr.\n");
    let ctx = host.system();
    let mut fields = LeadFields::company("B AS").unwrap();
    Field::Salutation.write(&mut fields, &FieldValue::from("Dr.")).unwrap();
    Field::Email.write(&mut fields, &FieldValue::from("x@y.example")).unwrap();
    host.store.write(ctx.tenant(), |txn| leads::create(&ctx, txn, LeadDraft::from(fields.clone()))).unwrap();
    for lead in host.leads() {
        let person = lead.fields.person.unwrap();
        assert_eq!((person.prefix(), person.given(), person.family()), (Some("Dr."), None, None));
    }
    let options = ExportOptions::new(ExportFormat::Csv).all_columns();
    let (file, done) = out(&host, &options);
    let before = host.leads();
    let report = host.run_with(file.clone(), &options.to_import().mapping(done.mapping(&options)));
    assert_eq!(counts(&report), (0, 0, 2, 0), "{file}{report}");
    assert_eq!(host.leads(), before);
    // Nobody is recognised by it, and a company stays one.
    let report = host.run("Company,Salutation,Phone\nC,Dr.,+4722225555\nC,Ms,+4722225555\n");
    assert_eq!(counts(&report), (1, 1, 0, 0), "{report}");
}

#[test]
fn names_of_users_do_not_come_back_as_ids() {
    let host = Host::new();
    add_field(&host, "x_helper", "Helper", &CustomType::User);
    host.run("Company,E-mail,Owner,Helper\nA,a@x.example,ada,ada\n");
    let users = [("ada".parse().unwrap(), "Ada Berg".to_owned())].into_iter().collect();
    let columns =
        [Field::Id, Field::Company, Field::Owner, Field::Custom(CustomKey::new("x_helper").unwrap())];
    let options = ExportOptions::new(ExportFormat::Csv).columns(columns).users(users);
    let (file, done) = out(&host, &options);
    assert_eq!(file.matches("Ada Berg").count(), 2, "{file}");
    let report = host.run_with(file, &options.to_import().mapping(done.mapping(&options)));
    assert_eq!(counts(&report), (0, 0, 1, 0), "{report}");
    let plain = ExportOptions::new(ExportFormat::Csv)
        .columns([Field::Id, Field::Custom(CustomKey::new("x_helper").unwrap())]);
    let (_, done) = out(&host, &plain);
    assert_eq!(done.mapping(&plain).unmapped().count(), 0);
}

#[test]
fn a_column_of_states_is_told_when_leads_come_in_open() {
    let file = "Company,Lead state\nA,open\nB,disqualified\nC,converted\n";
    let host = Host::new();
    let mapping = Mapping::default().with("Company", Some(Field::Company)).with("Lead state", None);
    let report = host.run_with(file, &ImportOptions::new().mapping(mapping));
    assert_eq!(report.notes[0].notes, [Note::Closed { cells: 2 }]);
    assert!(report.to_string().contains("2 cells say that a lead is disqualified or converted"), "{report}");
    // Of open leads there is nothing to tell.
    assert!(host.run("Company,Lead state\nD,open\nE,open\n").notes.is_empty());
}

#[test]
fn stored_options_name_a_key_that_there_is_not_and_those_that_there_are() {
    for (json, wrong, known) in [
        (r#"{"regoin":"NO"}"#, "`regoin`", "`region`"),
        (r#"{"read":{"delimeter":59}}"#, "`delimeter`", "`delimiter`"),
        (r#"{"read":{"limits":{"max_cells":5}}}"#, "`max_cells`", "`max_cell_bytes`"),
        (r#"{"terms":{"source":{"unknwon":"reject"}}}"#, "`unknwon`", "`unknown`"),
        (r#"{"constants":[{"field":"city","valeu":"Oslo"}]}"#, "`valeu`", "`value`"),
    ] {
        let error = serde_json::from_str::<ImportOptions>(json).unwrap_err().to_string();
        assert!(error.contains(wrong) && error.contains(known), "{json}: {error}");
    }
    // What is absent has its default: options of before a key was there are read.
    let read: ImportOptions = serde_json::from_str("{}").unwrap();
    assert_eq!((read.chunk, read.attempt), (ImportOptions::new().chunk, 1));
    let stored = serde_json::to_string(&ImportOptions::new()).unwrap();
    assert_eq!(
        serde_json::to_string(&serde_json::from_str::<ImportOptions>(&stored).unwrap()).unwrap(),
        stored
    );
}

#[test]
fn keys_of_an_export_are_their_fields_whatever_others_are_called() {
    for (label, key) in [("City", "city"), ("Company", "company"), ("Phone", "phone"), ("E-mail", "email")] {
        let hosts = [Host::new(), Host::elsewhere()];
        for host in &hosts {
            let ctx = host.system();
            let add = |txn: &mut dyn crate::store::Txn| {
                let (revision, mut catalogue) = settings::catalogue(&ctx, txn)?;
                catalogue.set_custom_field(CustomField::new("x_a".parse().unwrap(), label, CustomType::Text));
                settings::set_catalogue(&ctx, txn, revision, &catalogue)
            };
            host.store.write(ctx.tenant(), add).unwrap();
        }
        let [host, other] = &hosts;
        host.run("company,email,city,phone,x_a\nA,a@a.example,Oslo,+4722222222,North\n");
        let (file, done) = out(host, &ExportOptions::new(ExportFormat::Csv));
        assert!(done.columns.iter().any(|(head, _)| head == key), "{label}");
        for host in &hosts {
            let report = host.run(file.clone());
            assert_eq!(report.rejected, 0, "{label}: {report}");
            assert_eq!(field_of(&report, key).as_deref(), Some(key), "{report}");
            assert_eq!(field_of(&report, "x_a").as_deref(), Some("x_a"), "{report}");
        }
        let [here, there] = [host, other].map(|host| host.leads().remove(0).fields);
        assert_eq!((&here.address, &here.custom), (&there.address, &there.custom), "{label}");
        assert_eq!(here.address.city(), Some("Oslo"), "{label}");
    }
}

fn field_of(report: &ImportReport, header: &str) -> Option<String> {
    let column = report.mapping.columns.iter().find(|column| column.header == header)?;
    Some(column.field.as_ref()?.key().to_owned())
}

fn mapped(columns: &[(&str, Field, ColumnRules)]) -> ImportOptions {
    let add = |mapping: Mapping, (head, field, rules): &(&str, Field, ColumnRules)| {
        mapping.with(head, Some(field.clone())).rules(head, rules.clone())
    };
    ImportOptions::new().mapping(columns.iter().fold(Mapping::default(), add))
}

#[test]
fn a_default_of_joined_columns_is_for_all_of_them() {
    let rules = ColumnRules::new;
    let joined = rules().join(" ");
    for (first, second) in [
        (rules(), joined.clone().default_value("unknown")),
        (rules().default_value("unknown"), joined.clone()),
        (rules().default_value("unknown"), joined.default_value("other")),
    ] {
        let host = Host::new();
        let company = ("Company", Field::Company, rules());
        let options = mapped(&[company, ("A", Field::Street, first), ("B", Field::Street, second)]);
        let report = host.run_with("Company,A,B\nX,,\nY,Storgata,\nZ,,5\n", &options);
        assert_eq!(counts(&report), (3, 0, 0, 0), "{report}");
        let leads = host.leads();
        let streets: Vec<_> = leads.iter().map(|lead| lead.fields.address.street()).collect();
        assert_eq!(streets, [Some("unknown"), Some("Storgata"), Some("5")], "{report}");
    }
}

#[test]
fn titles_stand_before_a_family_name_too() {
    let host = Host::new();
    let rules = ColumnRules::new().split(crate::exchange::Split::FamilyFirst);
    let options = mapped(&[("Name", Field::Name, rules)]);
    let names = [
        "Dr. Kiss János",
        "Mr. Nagy Anna Lise",
        "Kiss János PhD",
        "\"Kiss, Dr. János\"",
        "Dr. Kiss",
        "Nguyễn Văn An",
    ];
    let report = host.run_with(format!("Name\n{}\n", names.join("\n")), &options);
    assert_eq!(counts(&report), (6, 0, 0, 0), "{report}");
    let told: Vec<String> = host
        .leads()
        .iter()
        .map(|lead| {
            let person = lead.fields.person.clone().unwrap();
            let parts = [person.prefix(), person.given(), person.family(), person.suffix()];
            parts.map(Option::unwrap_or_default).join("/")
        })
        .collect();
    let wanted = [
        "Dr./János/Kiss/",
        "Mr./Anna Lise/Nagy/",
        "/János/Kiss/PhD",
        "Dr./János/Kiss/",
        "Dr.//Kiss/",
        "/Văn An/Nguyễn/",
    ];
    assert_eq!(told, wanted);
}

#[test]
fn what_a_mapping_leaves_unsaid_the_cells_say() {
    let plain = ColumnRules::new;
    let company = ("Company", Field::Company, plain());
    let close = |rules: ColumnRules| mapped(&[company.clone(), ("Close", Field::ExpectedClose, rules)]);
    // Lists, as without a mapping.
    let host = Host::new();
    let file = "Company;Labels\nA;a|b\nB;c|d\n";
    let options = mapped(&[company.clone(), ("Labels", Field::Labels, plain())]);
    let report = host.run_with(file, &options);
    let labels: Vec<_> = host.leads().iter().map(|lead| lead.fields.labels.len()).collect();
    assert_eq!(labels, [2, 2], "{report}");
    assert!(report.to_string().contains("a list with `|` between"), "{report}");
    assert!(host.run_with(file, &options).repeated, "the same file with the same mapping");
    // Days.
    let file = "Company;Close\nA;3.4.2027\nB;13.4.2027\n";
    let report = Host::new().run_with(file, &close(plain()));
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
    assert!(report.to_string().contains("day first: 1 of the cells"), "{report}");
    let report = Host::new().run_with("Company;Close\nA;3/4/2027\n", &close(plain()));
    assert_eq!(counts(&report), (0, 0, 0, 1), "what no cell says is not guessed: {report}");
    // What was said holds, of a column or of all.
    let host = Host::new();
    let said = close(plain().date_order(crate::exchange::DateOrder::MonthFirst));
    let report = host.run_with("Company;Close\nA;3.4.2027\n", &said);
    assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
    assert_eq!(host.leads()[0].fields.expected_close.unwrap().to_string(), "2027-03-04");
    let host = Host::new();
    let amount = mapped(&[company, ("Amount", Field::Amount, plain())]);
    let amount = amount.decimal_mark(crate::value::DecimalMark::Comma);
    let report = host.run_with("Company;Amount\nA;1.50\nB;1.234\n", &amount);
    assert_eq!(report.mapping.columns[1].rules, plain(), "{report}");
}
