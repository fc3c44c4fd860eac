//! Real files, the way a host imports them: every line accounted for, the second time nothing, the board adds up.
//!
//! The files are no part of the repository (see [`outside::data`]).

use std::collections::BTreeMap;
use std::path::Path;

use leadcore::desk::board::{self, BoardQuery};
use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::{accounts, leads};
use leadcore::domain::{Field, FieldValue, LeadFields, LeadPatch};
use leadcore::error::ErrorKind;
use leadcore::exchange::import::{ImportOptions, ImportReport};
use leadcore::exchange::{Mapping, ReadOptions, TableReader};
use leadcore::query::{Filter, LeadQuery};
use leadcore::testkit::dump;
use leadcore::value::Country;

use crate::support::outside::{self, files_below};
use crate::support::{Host, accounted, counts, refused};

/// What a file must become.
struct File {
    name: &'static str,
    lines: u64,
    region: Option<&'static str>,
    /// A text that finds a lead, and how many it finds.
    known: (&'static str, u64),
}

const FILES: [File; 5] = [
    File { name: "leads-xeducation/leads.csv", lines: 9_240, region: None, known: ("4242", 1) },
    File {
        name: "leads-zoho-demo/Leads.csv",
        lines: 3_900,
        region: Some("US"),
        known: ("garyldenson@cuvox.de", 1),
    },
    File {
        name: "leads-datablist/leads-10000.csv",
        lines: 10_000,
        region: Some("US"),
        known: ("369 329 6963", 1),
    },
    File {
        name: "leads-olist/marketing_qualified_leads.csv",
        lines: 8_000,
        region: None,
        known: ("7999", 1),
    },
    File { name: "leads-mautic-demo/leads.csv", lines: 54, region: Some("GB"), known: ("penny moore", 1) },
];

fn import(number: usize) {
    let File { name, lines, region, known: (text, found) } = &FILES[number];
    let Some(data) = outside::data(name) else { return };
    let bytes = std::fs::read(data.join(name)).unwrap();
    let mut options = ImportOptions::new();
    options.region = region.map(|code| Country::parse(code).unwrap());
    let host = Host::new();
    let planned = host.dry_run(bytes.clone(), &options);
    assert_eq!(host.count(&Filter::everything()), 0, "a dry run writes nothing");
    let report = host.import(bytes.clone(), &options);
    println!("{name}: {:?} of {} lines; rejected:", counts(&report), report.lines);
    reasons(&report);
    assert_eq!(report.lines, *lines, "every row of the file");
    assert_eq!(counts(&planned), counts(&report), "the dry run said what the run does");
    assert_eq!(planned.new_values, report.new_values);
    assert_eq!(host.count(&Filter::everything()), report.created, "every created lead is there");

    let again = host.import(bytes.clone(), &options);
    assert_eq!((again.repeated, again.skipped), (true, *lines), "the same file once more writes nothing");
    if *lines < 5_000 && lines_have_keys(&host) {
        // Read anew as if it had never been seen: every row is recognised.
        let anew = host.import(bytes, &options.clone().attempt(2));
        assert_eq!((anew.created, anew.updated, anew.rejected), (0, 0, report.rejected));
    }

    let total = host.count(&Filter::everything());
    let query = BoardQuery::default().cards(3);
    let board = host.read(|ctx, txn| board::board(ctx, txn, &query));
    assert_eq!(board.columns.iter().map(|column| column.count).sum::<u64>(), total, "the board adds up");
    for field in [Field::Source, Field::Owner, Field::Kind] {
        let groups = host.read(|ctx, txn| leads::count_by(ctx, txn, &Filter::everything(), &field));
        assert_eq!(groups.iter().map(|(_, count)| count).sum::<u64>(), total, "{field}");
    }
    assert_eq!(host.count(&Filter::search(*text)), *found, "the search for a lead of the file");

    let first =
        host.read(|ctx, txn| leads::list(ctx, txn, &LeadQuery::new(Filter::search(*text)))).items.remove(0);
    let mut lead = first;
    if lead.fields.display_name().is_none() {
        // Some files name nobody: who becomes a customer has told its name by then.
        let patch = LeadPatch::new().set(Field::Company, "Told its name");
        lead = host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, lead.revision, &patch));
    }
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    let account = host.read(|ctx, txn| accounts::get(ctx, txn, done.account.unwrap()));
    assert_eq!(Some(account.fields.name.as_str()), lead.fields.display_name());
    let board = host.read(|ctx, txn| board::board(ctx, txn, &query));
    assert_eq!(board.columns.iter().map(|column| column.count).sum::<u64>(), total - 1);
}

/// Whether every lead can be recognised when its row comes again.
fn lines_have_keys(host: &Host) -> bool {
    let empty = |field| Filter::new(field, leadcore::query::Operator::IsEmpty, true);
    host.count(&(empty(Field::ExternalId) & empty(Field::Email) & empty(Field::Phone))) == 0
}

/// Prints how often each reason occurs.
fn reasons(report: &ImportReport) {
    let mut groups: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for rejection in &report.rejections {
        *groups.entry((&rejection.field, &rejection.message)).or_default() += 1;
    }
    for ((field, message), count) in groups {
        println!("  {count:>5} × `{field}`: {message}");
    }
    println!("  {:>5} not listed", report.rejections_left_out);
}

#[test]
fn a_course_seller_with_9240_leads() {
    import(0);
}

#[test]
fn a_whole_crm_with_3900_leads() {
    import(1);
}

#[test]
fn a_generated_list_of_10000_leads() {
    import(2);
}

#[test]
fn a_marketplace_with_8000_leads_without_names() {
    import(3);
}

#[test]
fn a_marketing_product_with_54_leads() {
    import(4);
}

#[test]
fn files_that_break_readers() {
    let Some(data) = outside::data("files that break readers") else { return };
    let mut files = files_below(&data.join("csv-messy"));
    files.extend(files_below(&data.join("webhooks")).into_iter().filter(|path| is(path, "csv")));
    files.extend(files_below(&data.join("contacts-csv")));
    let host = Host::new();
    let (mut taken, mut refused) = (0, 0);
    for path in &files {
        let name = path.strip_prefix(&data).unwrap().display();
        let bytes = std::fs::read(path).unwrap();
        // Few of them have a column that means a field of a lead; then a person says that the first one does.
        let options = match header(&bytes) {
            Some(first) => {
                ImportOptions::new().mapping(Mapping::default().with(&first, Some(Field::Company)))
            }
            None => ImportOptions::new(),
        };
        match host.try_import(bytes.clone(), &options) {
            Ok(report) => {
                taken += 1;
                println!("{name}: {:?} of {} lines", counts(&report), report.lines);
                let again = host.import(bytes, &options);
                assert!(again.repeated && again.lines == report.lines, "{name}");
            }
            Err(error) => {
                refused += 1;
                println!("{name}: {error}");
                assert_eq!(error.kind(), ErrorKind::Invalid, "{name}: {error}");
                assert!(!error.violations().is_empty(), "{name}: a refusal says why");
            }
        }
    }
    println!("{taken} taken, {refused} refused");
    assert!(taken > 60 && refused > 10, "{taken} taken, {refused} refused");
    let dump = dump(&host.store, &host.scene.tenant);
    assert!(dump.lines().count() > 100, "the leads of all these files can be read");
}

/// The first column's name, if there is one.
fn header(bytes: &[u8]) -> Option<String> {
    let table = TableReader::open(std::io::Cursor::new(bytes), &ReadOptions::new()).ok()?;
    table.headers().first().cloned()
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

#[test]
fn exports_of_a_social_network() {
    let Some(data) = outside::data("exports of a social network") else { return };
    let host = Host::new();
    let read = |n: &str| std::fs::read(data.join(format!("webhooks/meta_leads_export_{n}.csv"))).unwrap();
    let first = host.import(read("1"), &ImportOptions::new());
    assert_eq!((first.lines, first.created), (2, 2), "{first}");
    // The customer came back in September: the same lead.
    let second = host.import(read("2"), &ImportOptions::new());
    assert_eq!((second.lines, second.created), (1, 0), "{second}");
    let junk = host.import(read("junk_first_line"), &ImportOptions::new());
    assert_eq!(junk.lines, 1, "the line above the header is no lead: {junk}");
    let test = host.import(read("test_row"), &ImportOptions::new());
    assert_eq!(test.lines, 1, "{test}");
    accounted(&test);
    assert_eq!(host.count(&Filter::search("d@e.com")), 1);
    // The vendor writes `p:` before a number.
    assert_eq!(host.count(&Filter::search("+55 11 7777 7777")), 1);
}

#[test]
fn naughty_strings_come_back_byte_for_byte() {
    let Some(data) = outside::data("naughty strings") else { return };
    let json = std::fs::read_to_string(data.join("text/blns.json")).unwrap();
    let strings: Vec<String> = serde_json::from_str(&json).unwrap();
    assert_eq!(strings.len(), 515);
    let mut host = Host::new();
    let texts = [
        Field::Company,
        Field::Name,
        Field::JobTitle,
        Field::Street,
        Field::City,
        Field::Region,
        Field::Industry,
        Field::Description,
    ];
    let mut kept = Vec::new();
    for string in strings.iter().filter(|string| !string.trim().is_empty() && !string.contains('\0')) {
        let mut fields = LeadFields::default();
        let mut stored = 0;
        for field in &texts {
            stored += u32::from(field.write(&mut fields, &FieldValue::from(string.as_str())).is_ok());
        }
        assert_eq!(stored, 8, "no text field refuses {string:?}");
        let lead = host.write(|ctx, txn| leads::create(ctx, txn, fields.clone().into()));
        kept.push((lead, string.clone()));
    }
    assert!(kept.len() > 500, "{}", kept.len());
    host.restart();
    for (lead, string) in &kept {
        let back = host.get(lead);
        assert_eq!(back, *lead);
        for field in &texts {
            // Blanks at the ends are cut when a text is entered, in the address they stay.
            let text = field.read(&back);
            assert_eq!(text.as_text().unwrap().trim(), string.trim(), "{field}");
        }
        let same = host.read(|ctx, txn| {
            let number = i64::try_from(lead.number).unwrap_or_default();
            let filter = Filter::eq(Field::Number, number) & Filter::search(string.clone());
            leads::list(ctx, txn, &LeadQuery::new(filter))
        });
        let looks_for_something = !leadcore::query::search_terms(string).is_empty();
        assert!(!looks_for_something || same.items == [back.clone()], "{string:?} does not find its lead");
        let equal = Filter::eq(Field::Company, string.as_str()) & Filter::eq(Field::Id, lead.id);
        let found = host.count(&equal);
        assert!(found == 1 || leadcore::value::fold(string).is_empty(), "{string:?} is not equal to itself");
    }
    let odd = host.try_read(|ctx, txn| leads::count(ctx, txn, &Filter::eq(Field::Company, "a\0b")));
    assert_eq!(odd.unwrap_or_default(), 0);
    let null = LeadPatch::new().set(Field::City, "a\0b");
    let id = kept[0].0.id;
    refused(
        host.try_write(|ctx, txn| leads::edit(ctx, txn, id, leadcore::desk::Expect::Any, &null)),
        ErrorKind::Invalid,
    );
}
