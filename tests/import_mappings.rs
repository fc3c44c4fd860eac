//! Mappings of imported files: proposed, saved, used again, with rules for each column (X.32, X.33).

use leadcore::desk::{leads, settings};
use leadcore::domain::{Action, Catalogue, CustomField, CustomKey, CustomType, Field, FieldValue};
use leadcore::error::ErrorKind;
use leadcore::exchange::import::{self, ImportOptions};
use leadcore::exchange::{ColumnRules, DateOrder, Evidence, Mapping, Note, ReadOptions, Split, mappings};
use leadcore::query::Filter;
use leadcore::value::DecimalMark;

use crate::support::{Host, counts, fields_of, refused};

fn preview(host: &Host, file: &str) -> import::Preview {
    import::preview(&host.ctx(), &host.store, std::io::Cursor::new(file), &ReadOptions::new()).unwrap()
}

#[test]
fn x_32_saved_mappings_and_auto_map() {
    let mut host = Host::new();
    let headers = ["Kunde", "Epost", "Ref", "Shoe size"].map(String::from);
    let file = "Kunde,Epost,Ref,Shoe size\nNordlys AS,post@nordlys.example,17,43\n";
    // By the words of the headers and the shape of the values, with how sure that is.
    let proposal = preview(&host, file).proposal;
    assert_eq!(proposal.columns[1].field, Some(Field::Email));
    assert!(proposal.columns.iter().all(|column| column.field.is_some() == (column.confidence > 0.0)));
    // Saved by name, a mapping is there for the next file with these headers.
    let mapping = Mapping::default()
        .with("Kunde", Some(Field::Company))
        .with("Epost", Some(Field::Email))
        .with("Ref", Some(Field::ExternalId))
        .constant(Field::Source, "Fair");
    let revision = host.write(|ctx, txn| mappings::save(ctx, txn, None, "Messe", &headers, &mapping));
    host.restart();
    let stale = host.try_write(|ctx, txn| mappings::save(ctx, txn, None, "Other", &headers, &mapping));
    refused(stale, ErrorKind::Conflict);
    let proposal = preview(&host, file).proposal;
    assert_eq!(proposal.columns[0].evidence, [Evidence::Saved("Messe".to_owned())]);
    assert_eq!(proposal.columns[2].field, Some(Field::ExternalId));
    assert_eq!(proposal.mapping().constants, mapping.constants);
    // What has a name is not forgotten for what was done once; without it the last use counts, whatever the order of the columns.
    let other = mapping.clone().with("Shoe size", Some(Field::Description));
    let report = host.import(file, &ImportOptions::new().mapping(other.clone()));
    assert_eq!(counts(&report), [1, 0, 0, 0], "{report}");
    let proposal = preview(&host, file).proposal;
    assert_eq!(proposal.mapped_as, Some(Evidence::Saved("Messe".to_owned())));
    let revision = host.write(|ctx, txn| mappings::remove(ctx, txn, Some(revision), "messe"));
    host.restart();
    let next = "Shoe size,Ref,Kunde,Epost\n44,18,Fjord AS,post@fjord.example\n";
    let proposal = preview(&host, next).proposal;
    assert_eq!(proposal.columns[0].evidence, [Evidence::LastUse]);
    assert_eq!(proposal.columns[0].field, Some(Field::Description));
    let report = host.import(next, &ImportOptions::new());
    assert_eq!(
        counts(&report),
        [1, 0, 0, 0],
        "the columns that were shown are those of an import without a mapping"
    );
    let lead = host.read(|ctx, txn| leads::by_number(ctx, txn, 2));
    assert_eq!(lead.fields.description.as_deref(), Some("44"));
    // A value that stands in no cell is written where somebody says so: it is proposed, and told as not said.
    assert_eq!((lead.fields.source, lead.fields.company.as_deref()), (None, Some("Fjord AS")));
    assert_eq!(report.not_said.len(), 1, "{report}");
    let shown = ImportOptions::new().mapping(proposal.mapping());
    host.import("Shoe size,Ref,Kunde,Epost\n45,19,Vik AS,post@vik.example\n", &shown);
    assert!(host.read(|ctx, txn| leads::by_number(ctx, txn, 3)).fields.source.is_some());
    // Other headers know nothing of it, another tenant neither.
    assert!(
        !preview(&host, "Kunde,Epost\nA,a@b.example\n").proposal.columns[0]
            .evidence
            .contains(&Evidence::LastUse)
    );
    let elsewhere = Host::new();
    assert!(elsewhere.read(|ctx, txn| mappings::list(ctx, txn)).1.is_empty());
    assert_ne!(preview(&elsewhere, file).proposal.columns[0].evidence, [Evidence::LastUse]);
    // A mapping must fit; removed, it is gone, and the journal knows of all of it.
    let wrong = Mapping::default().with("gone", Some(Field::City));
    let error = refused(
        host.try_write(|ctx, txn| mappings::save(ctx, txn, Some(revision), "x", &headers, &wrong)),
        ErrorKind::Invalid,
    );
    assert_eq!(fields_of(&error), ["mapping.city"]);
    let gone = host.try_write(|ctx, txn| mappings::remove(ctx, txn, Some(revision), "messe"));
    refused(gone, ErrorKind::NotFound);
    assert!(host.read(|ctx, txn| mappings::list(ctx, txn)).1.is_empty());
    let journal = host.read(|_, txn| txn.journal().replay(None, None, 10_000));
    let changes: Vec<_> = journal
        .iter()
        .filter(|entry| entry.action == Action::Updated)
        .flat_map(|entry| &entry.changes)
        .filter(|change| change.field.starts_with("import_mapping"))
        .map(|change| (change.field.as_str(), change.before == FieldValue::Empty))
        .collect();
    let saved = [("import_mappings", true), ("import_mapping", true), ("import_mappings", false)];
    assert_eq!(changes, [&saved[..], &[("import_mapping", false)]].concat());
}

#[test]
fn a_saved_mapping_holds_after_another_use_with_its_constants() {
    let host = Host::new();
    let headers = ["Kunde", "Slutt", "Merker"].map(String::from);
    let mapping = |order: DateOrder, name: Field| {
        Mapping::default()
            .with("Kunde", Some(name))
            .with("Slutt", Some(Field::ExpectedClose))
            .rules("Slutt", ColumnRules::new().date_order(order))
            .with("Merker", Some(Field::Labels))
    };
    let first = ImportOptions::new().mapping(mapping(DateOrder::MonthFirst, Field::Name));
    host.import("Kunde,Slutt,Merker\nElv AS,3/4/2027,\n", &first);
    let fair = mapping(DateOrder::DayFirst, Field::Company).constant(Field::Currency, "EUR");
    host.write(|ctx, txn| mappings::save(ctx, txn, None, "Fair", &headers, &fair));
    let report = host.import("Kunde,Slutt,Merker\nTo AS,5/6/2027,a|b\n", &ImportOptions::new());
    assert_eq!(report.mapped_as, Some(Evidence::Saved("Fair".to_owned())), "{report}");
    assert!(report.not_said.is_empty(), "{report}");
    let lead = host.read(|ctx, txn| leads::by_number(ctx, txn, 2)).fields;
    assert_eq!((lead.company.as_deref(), lead.person), (Some("To AS"), None));
    assert_eq!(lead.expected_close.unwrap().to_string(), "2027-06-05");
    assert_eq!(lead.currency.unwrap().code(), "EUR");
    assert_eq!(lead.labels.len(), 2, "what it leaves unsaid the cells say");
    // Used with more beside it, it is still what it was saved as.
    let more = ImportOptions::new().mapping(fair.constant(Field::Labels, "x"));
    host.import("Kunde,Slutt,Merker\nTre AS,5/6/2027,\n", &more);
    let report = host.import("Kunde,Slutt,Merker\nFire AS,5/6/2027,\n", &ImportOptions::new());
    assert_eq!(report.mapped_as, Some(Evidence::Saved("Fair".to_owned())), "{report}");
    let lead = host.read(|ctx, txn| leads::by_number(ctx, txn, 4)).fields;
    assert_eq!((lead.currency.unwrap().code(), lead.labels.len()), ("EUR", 0));
}

#[test]
fn x_33_import_formats() {
    let host = Host::new();
    let mut catalogue = Catalogue::standard();
    let first = CustomField::new(CustomKey::new("x_first").unwrap(), "First contact", CustomType::Date);
    catalogue.set_custom_field(first);
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    // Semicolons, decimal commas, days first, national numbers, family names in front, a whole address in a cell.
    let file = "Navn;Adresse;Telefon;Beløp;First contact;Kilde;Segment\n\
                Berg Anna;Karl Johans gate 1, 0154 Oslo;22 22 55 55;1.234,50;01-02-2018;Messe;\n\
                Dahl Ola;Storgata 5, 5003 Bergen;22 22 55 56;1.000;25-12-2018;-;Stor\n";
    let shown = preview(&host, file);
    let column = |header: &str| shown.proposal.columns.iter().find(|column| column.header == header).unwrap();
    assert_eq!(column("First contact").rules.date_order, Some(DateOrder::DayFirst));
    assert!(matches!(
        column("First contact").notes[0],
        Note::DateOrder { day_first: 1, month_first: 0, either: 1, proposed: Some(DateOrder::DayFirst) }
    ));
    assert_eq!(column("Beløp").rules.decimal_mark, Some(DecimalMark::Comma));
    assert_eq!(column("Adresse").rules.split, Some(Split::Address));
    let mapping = shown
        .mapping
        .with("Navn", Some(Field::Name))
        .rules("Navn", ColumnRules::new().split(Split::FamilyFirst))
        .with("Segment", Some(Field::Category))
        .rules("Segment", ColumnRules::new().default_value("Liten"))
        .rules("Telefon", ColumnRules::new().region(leadcore::value::Country::parse("NO").unwrap()))
        .constant(Field::Country, "NO");
    let report = host.import(file, &ImportOptions::new().mapping(mapping.clone()));
    assert_eq!(counts(&report), [2, 0, 0, 0], "{report}");
    let [anna, ola] = [1, 2].map(|number| host.read(|ctx, txn| leads::by_number(ctx, txn, number)));
    let person = anna.fields.person.as_ref().unwrap();
    assert_eq!((person.given(), person.family()), (Some("Anna"), Some("Berg")));
    assert_eq!(anna.fields.address.one_line(), "Karl Johans gate 1, 0154 Oslo, Norway");
    assert_eq!(anna.fields.phones.primary().unwrap().e164(), Some("+4722225555"));
    assert_eq!(anna.fields.amount.map(|amount| amount.normalize().to_string()).as_deref(), Some("1234.5"));
    assert_eq!(ola.fields.amount.map(|amount| amount.normalize().to_string()).as_deref(), Some("1000"));
    let day =
        |lead: &leadcore::domain::Lead| lead.fields.custom.values().next().map(|day| format!("{day:?}"));
    assert!(day(&anna).unwrap().contains("2018-02-01"), "{:?}", day(&anna));
    assert!(ola.fields.source.is_none(), "`-` is no answer");
    let small = Filter::eq(Field::Category, "Liten");
    assert_eq!(host.count(&small), 1, "a default fills what is empty");
    // The default is for new leads: one that is there is left alone by an empty cell.
    let stored = import_again(&host, &mapping);
    assert_eq!(stored, "Stor");
    // What can be read in two ways is not guessed: its line is rejected and says why.
    let ambiguous = "Company,First contact\nNordlys AS,01/02/2018\nFjord AS,03/04/2018\n";
    let note = &preview(&host, ambiguous).proposal.columns[1].notes[0];
    assert!(matches!(note, Note::DateOrder { either: 2, proposed: None, .. }), "{note}");
    let report = host.import(ambiguous, &ImportOptions::new());
    assert_eq!(counts(&report), [0, 0, 0, 2], "{report}");
    assert!(report.rejections[0].message.contains("order"), "{report}");
    // Rules that do not fit are refused before anything runs.
    let misfit = Mapping::default()
        .with("Company", Some(Field::Company))
        .rules("Company", ColumnRules::new().split(Split::Address));
    let error =
        refused(host.try_import(ambiguous, &ImportOptions::new().mapping(misfit)), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["mapping.company"]);
}

/// The category of the lead of a row that says nothing about it.
fn import_again(host: &Host, mapping: &Mapping) -> String {
    let file = "Navn;Adresse;Telefon;Beløp;First contact;Kilde;Segment\nDahl Ola;;22 22 55 56;2.000;;;\n";
    let report = host.import(file, &ImportOptions::new().mapping(mapping.clone()));
    assert_eq!(counts(&report), [0, 1, 0, 0], "{report}");
    host.read(|ctx, txn| {
        let lead = leads::by_number(ctx, txn, 2)?;
        let terms = leadcore::desk::vocabulary::list::<leadcore::id::CategoryId>(ctx, txn)?;
        let term = terms.into_iter().find(|term| Some(term.id) == lead.fields.category);
        Ok(term.map(|term| term.name).unwrap_or_default())
    })
}
