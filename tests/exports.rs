//! Leads and contacts as files, and the template to fill in (S1.22, S0.17).

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use calamine::{Data, Reader as _, Xlsx};
use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::views::{self, ViewDraft};
use leadcore::desk::{contacts, leads, pipelines, settings, vocabulary};
use leadcore::domain::{
    Catalogue, Choice, ContactFields, CustomField, CustomType, Emails, Field, LeadDraft, LeadFields, Phones,
    Reachable, StageKind, Subject, SystemView,
};
use leadcore::error::{ErrorKind, Result};
use leadcore::exchange::export::{
    ExportFormat, ExportOptions, Exported, Extent, Headers, LongTexts, Values, VcardVersion, contacts_vcard,
    export,
};
use leadcore::exchange::import::ImportOptions;
use leadcore::exchange::{contacts_csv, contacts_xlsx, import, template_xlsx};
use leadcore::id::{LabelId, LeadId, SourceId};
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::query::{Filter, Operator, Sort, SortField};
use leadcore::value::Phone;

use crate::support::{Host, company, fields_of, form, refused};

fn try_export(host: &Host, extent: &Extent, options: &ExportOptions) -> Result<(Vec<u8>, Exported)> {
    host.try_read(|ctx, txn| {
        let mut file = Vec::new();
        let done = export(ctx, txn, extent, options, &mut file)?;
        Ok((file, done))
    })
}

fn text(host: &Host, extent: &Extent, options: &ExportOptions) -> String {
    String::from_utf8(try_export(host, extent, options).unwrap().0).unwrap()
}

fn all() -> Extent {
    Extent::Filter(Filter::everything())
}

fn csv() -> ExportOptions {
    ExportOptions::new(ExportFormat::Csv)
}

/// The day that a spreadsheet counts so.
fn day(serial: f64) -> String {
    let days = chrono::TimeDelta::try_days(serial as i64).unwrap();
    (chrono::NaiveDate::from_ymd_opt(1899, 12, 30).unwrap() + days).to_string()
}

/// A part of a workbook, as it is written.
fn zip_text(file: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(file)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn s1_22_export_leads() {
    let host = Host::new();
    let source = host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "Fair", None)).id;
    let fields = form(&[(Field::Company, "Nordlys AS"), (Field::Amount, "1250.5"), (Field::Country, "NO")]);
    let first = host.add(LeadFields { source: Some(source), ..fields });
    let second = host.add(company("=cmd|' /C calc'!A0"));
    let gone = host.add(company("Gone"));
    host.write(|ctx, txn| leads::delete(ctx, txn, gone.id, leadcore::desk::Expect::Any));
    // A view gives its leads, order and columns.
    let mut draft = ViewDraft::new("Mine", Filter::everything());
    draft.columns = Some(vec![Field::Company, Field::Amount, Field::Source, Field::Number]);
    draft.sort = Some(Sort::descending(SortField::Number));
    let view = host.write(|ctx, txn| views::save(ctx, txn, &draft));
    let file = text(&host, &Extent::View(view.id.into()), &csv());
    let expected =
        "Company,Expected value,Source,Lead number\n\"'=cmd|' /C calc'!A0\",,,2\nNordlys AS,1250.5,Fair,1\n";
    assert_eq!(file, expected);
    let (_, done) = try_export(&host, &Extent::View(view.id.into()), &csv()).unwrap();
    let mapped: Vec<_> = done.mapping(&csv()).columns.into_iter().map(|column| column.field).collect();
    let number = Some(Field::Number);
    assert_eq!(mapped, [Some(Field::Company), Some(Field::Amount), Some(Field::Source), number]);
    // A selection, in its order; who is not there is passed over.
    let ids = vec![first.id, gone.id, second.id, first.id, LeadId::from_uuid(host.scene.uuid())];
    let options = csv().columns([Field::Number, Field::Source]).values(Values::Ids).headers(Headers::Keys);
    let (file, done) = try_export(&host, &Extent::Leads(ids), &options).unwrap();
    assert_eq!(String::from_utf8(file).unwrap(), format!("number,source\n1,{source}\n2,\n"));
    assert_eq!((done.leads, done.passed_over), (2, 2));
    // A filter, narrowed and searched.
    let options = csv().columns([Field::Company]).search("nordlys");
    assert_eq!(text(&host, &all(), &options), "Company\nNordlys AS\n");
    let none = csv().columns([Field::Company]).filter(Filter::new(Field::Company, Operator::Eq, "Gone"));
    assert_eq!(text(&host, &all(), &none), "Company\n");
    assert_eq!(text(&host, &Extent::View(SystemView::Trash.into()), &none), "Company\nGone\n");
    // For programs: objects with typed values.
    let options =
        ExportOptions::new(ExportFormat::JsonLines).columns([Field::Company, Field::Amount, Field::Stage]);
    let file = text(&host, &all(), &options);
    let first_line = "{\"company\":\"Nordlys AS\",\"amount\":1250.5,\"stage\":\"New\"}";
    assert_eq!(file.lines().next(), Some(first_line));
    // What does not fit is refused before anything is written.
    let twice = csv().columns([Field::Company, Field::Company]);
    assert_eq!(fields_of(&refused(try_export(&host, &all(), &twice), ErrorKind::Invalid)), ["columns[1]"]);
    let without = csv().columns([]);
    assert_eq!(fields_of(&refused(try_export(&host, &all(), &without), ErrorKind::Invalid)), ["columns"]);
}

#[test]
fn a_stage_that_several_pipelines_have_goes_with_its_pipeline() {
    let host = Host::new();
    host.add(company("Nordlys AS"));
    let own = host.read(pipelines::list).swap_remove(0);
    let other = host.write(|ctx, txn| {
        let stage = |name: &str| pipelines::new_stage(ctx, name, StageKind::Open);
        pipelines::add(ctx, txn, "Partners", vec![stage("new"), stage("Talks")])
    });
    let draft = |n: usize, name: &str| {
        let mut draft = LeadDraft::from(company(name));
        draft.stage = Some(other.stages[n].id);
        draft
    };
    host.write(|ctx, txn| leads::create(ctx, txn, draft(0, "Fjord AS")));
    host.write(|ctx, txn| leads::create(ctx, txn, draft(1, "Berg AS")));
    let options = csv().columns([Field::Company, Field::Stage]);
    let (file, done) = try_export(&host, &all(), &options).unwrap();
    let name = format!("{} / New", own.name);
    let expected = format!("Company,Status\nNordlys AS,{name}\nFjord AS,Partners / new\nBerg AS,Talks\n");
    assert_eq!(String::from_utf8(file.clone()).unwrap(), expected);
    // The same stages come back, and a plan tells them so.
    let there = Host::new();
    there.add(company("First"));
    there.write(|ctx, txn| {
        let stages = other.stages.iter().map(|stage| pipelines::new_stage(ctx, &stage.name, stage.kind));
        pipelines::add(ctx, txn, "Partners", stages.collect())
    });
    let ctx = there.scene.ctx();
    let import = options.to_import().mapping(done.mapping(&options));
    let plan = import::plan(&ctx, &there.store, Cursor::new(&file), &import, &mut ()).unwrap();
    let json = serde_json::to_string(&plan).unwrap();
    assert!(json.contains(&name) && json.contains("Partners / new") && json.contains("\"Talks\""), "{json}");
    let report = import::apply(&ctx, &there.store, &plan, Cursor::new(&file), None, &mut ()).unwrap();
    assert_eq!((report.created, report.new_values.len()), (3, 0), "{report}");
    let again = text(&there, &all(), &options);
    assert_eq!(again, expected.replacen('\n', &format!("\nFirst,{name}\n"), 1));
    // So does the template offer them.
    let file = host.read(|ctx, txn| {
        let mut file = Vec::new();
        template_xlsx(ctx, txn, &[], &mut file)?;
        Ok(file)
    });
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(&file)).unwrap();
    let lists: Vec<String> =
        book.worksheet_range("Lists").unwrap().rows().flatten().map(ToString::to_string).collect();
    for offered in [&name, "Partners / new", "Talks"] {
        assert_eq!(lists.iter().filter(|known| *known == offered).count(), 1, "{offered} in {lists:?}");
    }
}

#[test]
fn a_file_holds_what_its_maker_may_take_out() {
    let host = Host::new();
    let (eve, bob) = ("eve".parse().unwrap(), "bob".parse().unwrap());
    host.add(LeadFields { owner: Some(bob), ..company("Bob's") });
    let own = LeadFields { owner: Some("eve".parse().unwrap()), ..company("Eve's") };
    host.add(LeadFields { emails: Emails::parse("secret@eve.example").unwrap(), ..own });
    let table = |role: Role| RoleTable::new().role("r", role).user(&eve, &["r"], None).unwrap();
    let file = |role: Role, options: &ExportOptions| {
        host.write_as("eve", &table(role), |ctx, txn| {
            let mut file = Vec::new();
            export(ctx, txn, &all(), options, &mut file)?;
            Ok(String::from_utf8(file).unwrap())
        })
    };
    refused(file(Role::viewer(), &csv()), ErrorKind::Denied);
    let role = || Role::viewer().grant(Permission::Export, Visibility::Own);
    assert_eq!(file(role(), &csv().columns([Field::Company])).unwrap(), "Company\n\"Eve's\"\n");
    let blind = || role().hide(Field::Email).unwrap();
    let whole = file(blind(), &csv()).unwrap();
    assert!(whole.contains("Eve's") && !whole.contains("E-mail") && !whole.contains("secret"), "{whole}");
    let asked = file(blind(), &csv().columns([Field::Email]));
    assert_eq!(fields_of(&refused(asked, ErrorKind::Invalid)), ["columns[0]"]);
    let sought = file(blind(), &csv().filter(Filter::new(Field::Email, Operator::IsEmpty, true)));
    refused(sought, ErrorKind::Invalid);
}

#[test]
fn a_workbook_has_typed_cells_and_as_many_sheets_as_it_needs() {
    let host = Host::new();
    let fields = form(&[
        (Field::Company, "=1+5"),
        (Field::Phone, "+4722225555"),
        (Field::PostalCode, "0150"),
        (Field::Amount, "1250.5"),
        (Field::ExpectedClose, "2026-12-24"),
    ]);
    host.add(fields);
    let ancient = form(&[
        (Field::Company, "B"),
        (Field::ExpectedClose, "0001-01-01"),
        (Field::Amount, "99999999999999.9999"),
    ]);
    host.add(ancient);
    host.add(company("C"));
    let columns = [
        Field::Company,
        Field::Phone,
        Field::PostalCode,
        Field::Amount,
        Field::ExpectedClose,
        Field::CreatedAt,
        Field::Number,
    ];
    let options = ExportOptions::new(ExportFormat::Xlsx).columns(columns.clone()).sheet_rows(3);
    let (file, done) = try_export(&host, &all(), &options).unwrap();
    assert_eq!((done.leads, done.sheets), (3, 2));
    assert_eq!(file, try_export(&host, &all(), &options).unwrap().0, "the same leads make the same bytes");
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(&file)).unwrap();
    assert_eq!(book.sheet_names(), ["Leads", "Leads 2"]);
    let range = book.worksheet_range("Leads").unwrap();
    let rows: Vec<_> = range.rows().collect();
    let text = |text: &str| Data::String(text.to_owned());
    assert_eq!(rows[0][5], text("Created (UTC+00:00)"));
    assert_eq!(rows[1][..4], [text("=1+5"), text("+4722225555"), text("0150"), Data::Float(1250.5)]);
    let Data::DateTime(day) = &rows[1][4] else { panic!("a day is a day") };
    assert_eq!(self::day(day.as_f64()), "2026-12-24");
    assert!(matches!(rows[1][5], Data::DateTime(_)));
    assert_eq!(rows[2][3..5], [text("99999999999999.9999"), text("0001-01-01")], "as exact as they are");
    assert!(book.worksheet_formula("Leads").unwrap().is_empty());
    let second = book.worksheet_range("Leads 2").unwrap();
    let heads: Vec<_> = second.rows().next().unwrap().to_vec();
    assert_eq!((heads, second.height()), (rows[0].to_vec(), 2));
    // A text that no cell takes.
    let long = LeadFields { description: Some("é".repeat(32_768)), ..company("Long") };
    let number = host.add(long).number;
    let options = ExportOptions::new(ExportFormat::Xlsx).columns([Field::Description]);
    let error = refused(try_export(&host, &all(), &options), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), [format!("leads[{number}].description")]);
    let (file, _) = try_export(&host, &all(), &options.long_texts(LongTexts::Cut)).unwrap();
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(&file)).unwrap();
    let range = book.worksheet_range("Leads").unwrap();
    let cut = range.rows().next_back().unwrap()[0].to_string();
    assert_eq!((cut.chars().count(), cut.ends_with('…')), (32_767, true));
    let error = try_export(&host, &all(), &ExportOptions::new(ExportFormat::Xlsx).sheet_rows(1));
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["sheet_rows"]);
}

#[test]
fn contacts_go_into_address_books() {
    let host = Host::new();
    let lead =
        host.add(form(&[(Field::Company, "Nordlys; AS"), (Field::City, "Tromsø"), (Field::Country, "NO")]));
    let anna = ContactFields {
        job_title: Some("CFO".into()),
        emails: Emails::parse("dead@n.example (invalid), anna@n.example (work), a@home.example (home)")
            .unwrap(),
        phones: Phones::parse("+47 22 22 55 55 (mobile)", None).unwrap(),
        description: Some("First line\r\nEND:VCARD".into()),
        ..ContactFields::named("Dr. Anna Berg").unwrap()
    };
    host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, anna.clone(), true));
    let cards = |version| {
        let file = host.read(|ctx, txn| {
            let mut file = Vec::new();
            assert_eq!(contacts_vcard(ctx, txn, lead.id, version, &mut file)?, 1);
            Ok(file)
        });
        String::from_utf8(file).unwrap()
    };
    let card = cards(VcardVersion::V3);
    for line in [
        "BEGIN:VCARD",
        "VERSION:3.0",
        "FN:Dr. Anna Berg",
        "N:Berg;Anna;;Dr.;",
        "ORG:Nordlys\\; AS",
        "TITLE:CFO",
        "EMAIL;TYPE=INTERNET,WORK,PREF:anna@n.example",
        "EMAIL;TYPE=INTERNET,HOME:a@home.example",
        "TEL;TYPE=CELL,PREF:+4722225555",
        "ADR;TYPE=WORK:;;;Tromsø;;;Norway",
        "NOTE:First line\\nEND:VCARD",
        "END:VCARD",
    ] {
        assert!(card.split("\r\n").any(|known| known == line), "{line} in {card}");
    }
    assert!(!card.contains("dead@"), "nobody wants an address that does not work");
    let card = cards(VcardVersion::V4);
    assert!(
        card.contains("VERSION:4.0\r\n") && card.contains("EMAIL;TYPE=WORK;PREF=1:anna@n.example\r\n"),
        "{card}"
    );
}

#[test]
fn cards_that_come_back_say_what_each_address_is_for() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let anna = ContactFields {
        emails: Emails::parse("anna@n.example (work), a@home.example (home), a@other.example").unwrap(),
        phones: Phones::parse(
            "+47 22 22 55 55 (mobile), +47 22 22 55 56 (work), +47 22 22 55 57, +47 22 22 55 58 (home), \
             +47 22 22 55 59 (fax)",
            None,
        )
        .unwrap(),
        ..ContactFields::named("Anna Berg").unwrap()
    };
    host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, anna.clone(), true));
    for version in [VcardVersion::V3, VcardVersion::V4] {
        let file = host.read(|ctx, txn| {
            let mut file = Vec::new();
            contacts_vcard(ctx, txn, lead.id, version, &mut file)?;
            Ok(file)
        });
        let other = Host::new();
        let report = other.import(file, &ImportOptions::new());
        assert_eq!((report.created, report.format.left_out.is_empty()), (1, true), "{report}");
        let query = leadcore::query::LeadQuery::default();
        let back = other.read(|ctx, txn| leads::list(ctx, txn, &query)).items.remove(0);
        let [id] = &back.fields.external_ids.iter().collect::<Vec<_>>()[..] else { panic!("{report}") };
        assert_eq!(id.system(), "vcard");
        let kinds = |list: &Emails| {
            list.entries().iter().map(|one| (one.value.to_string(), one.kind)).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&back.fields.emails), kinds(&anna.emails));
        let kinds = |list: &Phones| {
            let told = |one: &Reachable<Phone>| (one.value.e164().map(str::to_owned), one.kind);
            list.entries().iter().map(told).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&back.fields.phones), kinds(&anna.phones));
    }
}

#[test]
fn what_no_workbook_can_hold_is_refused_rather_than_replaced() {
    let host = Host::new();
    host.add(company("Nordlys\u{fffe} AS"));
    let xlsx = ExportOptions::new(ExportFormat::Xlsx);
    let error = try_export(&host, &all(), &xlsx);
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["leads[1].company"]);
    assert!(try_export(&host, &all(), &xlsx.long_texts(LongTexts::Cut)).is_ok());
}

#[test]
fn a_template_that_nobody_filled_in_holds_no_rows() {
    let host = Host::new();
    let file = host.read(|ctx, txn| {
        let mut file = Vec::new();
        template_xlsx(ctx, txn, &["ada".parse().unwrap()], &mut file)?;
        Ok(file)
    });
    let report = host.import(file, &ImportOptions::new());
    assert_eq!((report.format.sheet.as_deref(), report.lines), (Some("Leads"), 0), "{report}");
    assert!(report.to_string().contains("no rows"), "{report}");
}

#[test]
fn files_of_persons_are_for_who_may_take_the_lead_out() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let anna = ContactFields::named("Anna Berg").unwrap();
    host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, anna.clone(), true));
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    let eve = "eve".parse().unwrap();
    let table = |role: Role| RoleTable::new().role("r", role).user(&eve, &["r"], None).unwrap();
    let viewer = table(Role::viewer());
    let owner_only = table(Role::viewer().grant(Permission::Export, Visibility::Own));
    let all = table(Role::viewer().grant(Permission::Export, Visibility::All));
    for owner in [Subject::from(lead.id), Subject::from(made.account.unwrap())] {
        let files = |policy: &RoleTable| {
            let (mut out, v3) = (Vec::new(), VcardVersion::V3);
            [
                host.write_as("eve", policy, |ctx, txn| contacts_csv(ctx, txn, owner, &mut out)),
                host.write_as("eve", policy, |ctx, txn| contacts_xlsx(ctx, txn, owner, &mut Vec::new())),
                host.write_as("eve", policy, |ctx, txn| contacts_vcard(ctx, txn, owner, v3, &mut Vec::new())),
            ]
        };
        for policy in [&viewer, &owner_only] {
            files(policy).into_iter().for_each(|file| drop(refused(file, ErrorKind::Denied)));
        }
        assert_eq!(files(&all).map(Result::unwrap), [1, 1, 1]);
    }
}

#[test]
fn the_template_as_a_workbook_offers_what_there_is() {
    let host = Host::new();
    let mut catalogue = Catalogue::standard();
    catalogue.settings_mut(Field::Company).label = Some("Firma".to_owned());
    catalogue.settings_mut(Field::Company).required = Some(true);
    catalogue.settings_mut(Field::Industry).enabled = Some(false);
    let choices = vec![Choice::new("l", "Large, very").at(2), Choice::new("s", "Small").at(1)];
    catalogue.set_custom_field(CustomField::new(
        "x_size".parse().unwrap(),
        "Size",
        CustomType::OneOf(choices),
    ));
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    host.write(|ctx, txn| {
        for name in ["Fair", "Web"] {
            vocabulary::add::<SourceId>(ctx, txn, name, None)?;
        }
        let old = vocabulary::add::<SourceId>(ctx, txn, "Old", None)?;
        vocabulary::archive(ctx, txn, old.id, old.revision, true)?;
        vocabulary::add::<LabelId>(ctx, txn, "Hot", None)?;
        vocabulary::add::<LabelId>(ctx, txn, "Bread, white", None)
    });
    let file = host.read(|ctx, txn| {
        let mut file = Vec::new();
        template_xlsx(ctx, txn, &["ada".parse().unwrap()], &mut file)?;
        Ok(file)
    });
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(&file)).unwrap();
    assert_eq!(book.sheet_names(), ["Leads", "Instructions", "Lists"]);
    let rows = |book: &mut Xlsx<_>, name: &str| -> Vec<Vec<String>> {
        let range = book.worksheet_range(name).unwrap();
        range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
    };
    let sheet = rows(&mut book, "Leads");
    let [heads] = sheet.as_slice() else { panic!("nothing but the head") };
    assert!(heads.contains(&"Firma".to_owned()) && !heads.contains(&"Industry".to_owned()), "{heads:?}");
    // A column of the sheet of lists for each drop-down.
    let lists = rows(&mut book, "Lists");
    let of = |head: &str| -> Vec<&str> {
        let place =
            lists[0].iter().position(|known| known == head).unwrap_or_else(|| panic!("no list {head}"));
        lists[1..].iter().map(|row| row[place].as_str()).filter(|name| !name.is_empty()).collect()
    };
    assert_eq!(of("Source"), ["Fair", "Web"], "nothing that is archived");
    assert_eq!(
        (of("Labels"), of("Owner"), of("Lead type")),
        (vec!["Hot", "\"Bread, white\""], vec!["ada"], vec!["company", "consumer"]),
        "a label is offered as a cell of several says it"
    );
    assert_eq!(of("Size"), ["Small", "Large, very"]);
    let told: BTreeMap<_, _> =
        rows(&mut book, "Instructions").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    assert!(heads.iter().all(|head| told.contains_key(head)), "every column is explained");
    assert_eq!(told["Firma"], "yes");
    let archive = zip_text(&file, "xl/worksheets/sheet1.xml");
    assert_eq!(archive.matches("Lists!").count(), lists[0].len(), "a drop-down for each list");
}
