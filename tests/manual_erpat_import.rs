//! The ERPat manual, "Steps for Importing Leads" and "Audit & Logs" (S0.17–S0.20, S0.38).

use leadcore::desk::{Expect, leads, pipelines, settings, timeline, vocabulary};
use leadcore::domain::{Action, Actor, Catalogue, Field, FieldValue, LeadPatch};
use leadcore::error::ErrorKind;
use leadcore::exchange::import::{self, ImportOptions};
use leadcore::exchange::{Mapping, ReadOptions, TableReader, template};
use leadcore::id::SourceId;
use leadcore::query::Filter;

use crate::support::{Host, company, counts, fields_of, form, outside, refused};

#[test]
fn s0_17_import_template() {
    let host = Host::new();
    let mut catalogue = Catalogue::standard();
    catalogue.settings_mut(Field::Company).label = Some("Firma".to_owned());
    catalogue.settings_mut(Field::Industry).enabled = Some(false);
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    let (_, catalogue) = host.read(|ctx, txn| settings::catalogue(ctx, txn));
    let mut file = Vec::new();
    template(&catalogue, &mut file).unwrap();
    let header = String::from_utf8(file.clone()).unwrap();
    for label in ["Firma", "Category", "Status", "Owner", "Source", "Address", "City", "State/region"] {
        assert!(header.split([',', '\r', '\n']).any(|cell| cell == label), "{label} in {header}");
    }
    for label in ["Zip code", "Country", "Phone", "Website", "TIN", "Currency", "Currency symbol"] {
        assert!(header.contains(label), "{label} in {header}");
    }
    assert!(!header.contains("Industry"), "what the tenant does not use is not asked for");
    // Filled in, it maps itself.
    let columns: Vec<&str> = header.trim_end().split(',').collect();
    let row = columns.iter().map(|column| match *column {
        "Firma" => "Nordlys AS",
        "Category" => "Retail",
        "Status" => "Mailed",
        "TIN" => "923609016",
        _ => "",
    });
    let row = row.collect::<Vec<_>>().join(",");
    let report = host.import(format!("{header}{row}\r\n"), &ImportOptions::new());
    assert_eq!(counts(&report), [1, 0, 0, 0], "{report}");
    assert_eq!(report.mapping.unmapped().count(), 0);
    let found = host.names(Filter::eq(Field::TaxId, "923609016"));
    assert_eq!(found, ["Nordlys AS"]);
}

#[test]
fn s0_18_import_upload() {
    let host = Host::new();
    // As spreadsheets save it in Europe: semicolons, a byte order mark, cells with line breaks.
    let csv = "\u{feff}Company;E-mail;Description\r\nNordlys AS;post@nordlys.example;\"two\r\nlines\"\r\n";
    let report = host.import(csv, &ImportOptions::new());
    assert_eq!(counts(&report), [1, 0, 0, 0], "{report}");
    assert_eq!(report.format.delimiter, ';');
    let utf16: Vec<u8> =
        "\u{feff}Company\tCity\nFjord AS\tBodø\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(counts(&host.import(utf16, &ImportOptions::new())), [1, 0, 0, 0]);
    assert_eq!(host.names(Filter::everything()), ["Nordlys AS", "Fjord AS"]);
    // What only begins as a workbook is not read as text full of rubbish: it is refused, and the reason says what it is.
    let workbook = [b"PK\x03\x04".as_slice(), &[0x14, 0, 6, 0, 8, 0, 0, 0, 0x21, 0]].concat();
    let error = refused(host.try_import(workbook, &ImportOptions::new()), ErrorKind::Invalid);
    assert!(error.to_string().contains("perhaps a spreadsheet"), "{error}");
    assert_eq!(host.count(&Filter::everything()), 2, "a refused file leaves nothing");
    // A workbook under a name that says otherwise is read as what it is.
    if let Some(data) = outside::data("s0_18: a real workbook is read") {
        let workbook = std::fs::read(data.join("leads-odoo/crm_lead.xls")).unwrap();
        let report = host.import(workbook, &ImportOptions::new());
        assert_eq!((report.format.kind.code(), report.lines), ("xls", 8), "{report}");
    }
}

#[test]
fn s0_19_column_mapping() {
    let host = Host::new();
    let file = "Kunde,Epost,Merknad,Skostørrelse\nNordlys AS,post@nordlys.example,ring om våren,43\n";
    let table = TableReader::open(std::io::Cursor::new(file), &ReadOptions::new().has_header(true)).unwrap();
    let proposal = Mapping::propose(table.headers(), &Catalogue::standard());
    assert!(
        proposal.unmapped().any(|header| header == "Skostørrelse"),
        "what it does not know it leaves out"
    );
    let mapping = proposal
        .with("Kunde", Some(Field::Company))
        .with("Epost", Some(Field::Email))
        .with("Merknad", Some(Field::Description));
    let options = ImportOptions::new().mapping(mapping.clone());
    let report = host.import(file, &options);
    assert_eq!((counts(&report), &report.mapping), ([1, 0, 0, 0], &mapping));
    let lead = host.read(|ctx, txn| leads::by_number(ctx, txn, 1));
    assert_eq!(lead.fields.company.as_deref(), Some("Nordlys AS"));
    assert_eq!(lead.fields.emails.primary().unwrap().as_str(), "post@nordlys.example");
    assert_eq!(lead.fields.description.as_deref(), Some("ring om våren"));
    // A mapping that does not fit is refused before anything runs.
    let wrong = Mapping::default().with("Navn", Some(Field::Name)).with("Kunde", Some(Field::CreatedAt));
    let error = refused(host.try_import(file, &ImportOptions::new().mapping(wrong)), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["mapping.name", "mapping.created_at"]);
}

#[test]
fn s0_20_execute_import() {
    let mut host = Host::new();
    let file = "Company,E-mail,Source,Status\n\
                Nordlys AS,post@nordlys.example,Fair,Mailed\n\
                Fjord AS,not an address,Fair,New\n\
                Berg AS,berg@berg.example,Web,New\n";
    let before = leadcore::testkit::dump(&host.store, &host.scene.tenant);
    let options = ImportOptions::new();
    let planned = host.dry_run(file, &options);
    assert_eq!(leadcore::testkit::dump(&host.store, &host.scene.tenant), before, "looking writes nothing");
    let mut rejects = Vec::new();
    let input = std::io::Cursor::new(file);
    let done = import::run(&host.ctx(), &host.store, input, &options, Some(&mut rejects), &mut ()).unwrap();
    assert_eq!(counts(&done), [2, 0, 0, 1], "{done}");
    assert_eq!(counts(&done), counts(&planned), "and it does what was shown");
    assert_eq!((done.rejections[0].line, done.rejections[0].field.as_str()), (3, "email"));
    host.restart();
    assert_eq!(host.names(Filter::everything()), ["Nordlys AS", "Berg AS"]);
    let sources = host.read(|ctx, txn| vocabulary::list::<SourceId>(ctx, txn));
    assert_eq!(sources.iter().map(|term| term.name.as_str()).collect::<Vec<_>>(), ["Fair", "Web"]);
    // Corrected, the rejected rows come in the same way.
    let corrected = String::from_utf8(rejects).unwrap().replace("not an address", "post@fjord.example");
    assert_eq!(counts(&host.import(corrected, &options)), [1, 0, 0, 0]);
    assert!(host.import(file, &options).repeated, "pressed twice, it runs once");
    assert_eq!(host.count(&Filter::everything()), 3);
}

#[test]
fn s0_38_audit_and_logs() {
    let mut host = Host::new();
    let lead = host.add(form(&[(Field::Company, "Nordlys AS"), (Field::City, "Oslo")]));
    let bob = host.scene.ctx_as("bob", &leadcore::policy::AllowAll);
    let at = host.scene.tick();
    let patch = LeadPatch::new().set(Field::City, "Bergen");
    leadcore::store::StoreExt::write(&host.store, bob.tenant(), |txn| {
        leads::edit(&bob, txn, lead.id, lead.revision, &patch)
    })
    .unwrap();
    let pipeline = host.read(|ctx, txn| pipelines::list(ctx, txn)).remove(0);
    let mailed = pipeline.stage_named("Mailed").unwrap().id;
    host.scene.tick();
    host.write(|ctx, txn| leads::move_to(ctx, txn, lead.id, Expect::Any, mailed));
    host.write(|ctx, txn| leads::delete(ctx, txn, lead.id, Expect::Any));
    host.restart();
    let log = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 100)).items;
    let texts: Vec<_> = log.iter().map(|item| item.text.as_str()).collect();
    let expected = ["Moved to the trash", "Status: New → Mailed", "City: Oslo → Bergen", "Lead created"];
    assert_eq!(texts, expected, "newest first");
    let edit = &log[2].entry;
    assert_eq!(edit.actor, Actor::User("bob".parse().unwrap()), "who");
    assert_eq!(edit.at, at, "when");
    assert_eq!(edit.action, Action::Updated, "what");
    let change = &edit.changes[0];
    assert_eq!(
        (change.field.as_str(), &change.before, &change.after),
        ("city", &FieldValue::from("Oslo"), &FieldValue::from("Bergen"))
    );
    // A write that changes nothing is no event.
    let quiet = host.add(company("Quiet AS"));
    let same = LeadPatch::new().set(Field::Company, "Quiet AS");
    host.write(|ctx, txn| leads::edit(ctx, txn, quiet.id, quiet.revision, &same));
    let log = host.read(|ctx, txn| timeline::of_lead(ctx, txn, quiet.id, None, 100));
    assert_eq!(log.items.len(), 1);
}
