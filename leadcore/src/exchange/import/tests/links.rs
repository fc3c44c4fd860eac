//! Links between the leads of a file lead to what their rows became, in whatever order these stand.

use std::collections::BTreeMap;

use super::plans::{stored, words};
use super::*;
use crate::desk::{settings, undo};
use crate::domain::{
    Catalogue, CustomField, CustomKey, CustomType, CustomValue, ExternalRef, Field, SubjectKind,
};
use crate::exchange::export::{ExportFormat, ExportOptions, Extent, export};
use crate::exchange::import::{Planned, UnknownTerm};
use crate::exchange::{BadValues, ColumnRules, Mapping};

pub(super) fn key() -> CustomKey {
    CustomKey::new("x_parent").unwrap()
}

pub(super) fn host() -> Host {
    furnished(Host::new())
}

pub(super) fn furnished(host: Host) -> Host {
    furnished_with(host, CustomField::new(key(), "Parent", CustomType::Link(SubjectKind::Lead)))
}

pub(super) fn furnished_with(host: Host, field: CustomField) -> Host {
    let mut catalogue = Catalogue::standard();
    catalogue.set_custom_field(field);
    let ctx = host.system();
    host.store
        .write(ctx.tenant(), |txn| settings::set_catalogue(&ctx, txn, None, &catalogue).map(drop))
        .unwrap();
    host
}

/// An id of a lead elsewhere.
pub(super) fn id(n: u32) -> String {
    format!("00000000-0000-7000-9000-{n:012}")
}

/// Rows `name<parent`, by single letters, with the ids of their places; `-` has no parent.
pub(super) fn file(rows: &str) -> String {
    let place = |letter: char| id(u32::from(letter));
    let row = |row: &str| {
        let letters: Vec<char> = row.chars().collect();
        let parent = if letters[1] == '-' { String::new() } else { place(letters[1]) };
        format!("{},{},{}@x.example,{parent}\n", place(letters[0]), letters[0], letters[0])
    };
    rows.split_whitespace().map(row).fold("id,company,email,x_parent\n".to_owned(), |all, row| all + &row)
}

/// Who has whom for a parent, by names.
pub(super) fn parents(host: &Host) -> BTreeMap<String, String> {
    let leads = host.leads();
    let name = |lead: &Lead| lead.fields.company.clone().unwrap();
    let parent = |lead: &Lead| {
        let CustomValue::Link(to) = lead.fields.custom.get(&key())? else { panic!() };
        let parent = leads.iter().find(|other| other.id.as_uuid() == to.id);
        Some((name(lead), parent.map_or("nobody".to_owned(), name)))
    };
    leads.iter().filter_map(parent).collect()
}

pub(super) fn family(pairs: &str) -> BTreeMap<String, String> {
    let pair = |pair: &str| {
        let (child, parent) = pair.split_once('<').unwrap();
        (child.to_owned(), parent.to_owned())
    };
    pairs.split_whitespace().map(pair).collect()
}

const ROWS: &str = "AB BC C- DD EA FC";
const FAMILY: &str = "A<B B<C D<D E<A F<C";

#[test]
fn links_lead_to_the_leads_of_their_rows_whatever_comes_first() {
    for chunk in [1, 2, 3, 100] {
        let host = host();
        let options = ImportOptions::new().chunk(chunk);
        let dry = host.dry(file(ROWS), &options);
        let report = host.run_with(file(ROWS), &options);
        assert_eq!(counts(&report), (6, 0, 0, 0), "{report}");
        assert_eq!((counts(&dry), dry.left_out, report.left_out), ((6, 0, 0, 0), 0, 0));
        assert_eq!(parents(&host), family(FAMILY));
        assert!(host.leads().iter().all(|lead| lead.number > 0));
        // Once more nothing changes.
        let report = host.run_with(file(ROWS), &options.clone().attempt(2));
        assert_eq!(counts(&report), (0, 0, 6, 0), "{report}");
        // What is known by now is found from another file.
        let report = host.run_with(file("GA"), &options);
        assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
        assert_eq!(parents(&host)["G"], "A");
    }
}

#[test]
fn a_link_that_is_required_may_wait_for_its_row() {
    for chunk in [1, 2, 100] {
        let field = CustomField::new(key(), "Parent", CustomType::Link(SubjectKind::Lead)).required(true);
        let host = furnished_with(Host::new(), field);
        let options = ImportOptions::new().chunk(chunk);
        let dry = host.dry(file("AB BC CA D-"), &options);
        let report = host.run_with(file("AB BC CA D-"), &options);
        assert_eq!((counts(&dry), counts(&report)), ((3, 0, 0, 1), (3, 0, 0, 1)), "{report}");
        assert_eq!(parents(&host), family("A<B B<C C<A"));
    }
}

#[test]
fn an_export_with_links_comes_back_elsewhere_and_here() {
    for format in [ExportFormat::Csv, ExportFormat::JsonLines] {
        let here = host();
        here.run(file(ROWS));
        let ctx = here.system();
        let everything = Extent::Filter(Filter::everything());
        let options = ExportOptions::new(format).sort(Sort::descending(SortField::Number));
        let mut out = Vec::new();
        here.store
            .read(ctx.tenant(), |txn| {
                out.clear();
                export(&ctx, txn, &everything, &options, &mut out)
            })
            .unwrap();
        let there = furnished(Host::elsewhere());
        for (attempt, counted) in [(1, (6, 0, 0, 0)), (2, (0, 0, 6, 0))] {
            let report = there.run_with(out.clone(), &options.to_import().attempt(attempt));
            assert_eq!(counts(&report), counted, "{report}");
            assert_eq!(parents(&there), family(FAMILY), "{format:?}");
        }
        let report = here.run_with(out.clone(), &options.to_import());
        assert_eq!(counts(&report), (0, 0, 6, 0), "{report}");
    }
}

#[test]
fn a_plan_with_links_is_the_run_and_goes_back_and_forth() {
    let (planned, ran) = (host(), host());
    let plan = planned.plan(file(ROWS), &ImportOptions::new().chunk(2));
    ran.run_with(file(ROWS), &ImportOptions::new());
    assert!(words(&plan).iter().all(|(_, word)| *word == "created"), "{:?}", words(&plan));
    // A link to a row further up is told by the id that its lead will have, others by that of the file.
    let told = |line: usize| {
        let Planned::Create { values, .. } = &plan.lines[line].decision else { panic!() };
        let value = values.iter().find(|value| value.field == "x_parent").unwrap();
        value.after.as_id().unwrap().to_string()
    };
    let Planned::Create { lead, .. } = plan.lines[0].decision else { panic!() };
    assert_eq!((told(0), told(4)), (id(u32::from('B')), lead.to_string()));
    let before = parents(&planned);
    for _ in 0..2 {
        let report = planned.apply(&stored(&plan), file(ROWS));
        assert_eq!(counts(&report), (6, 0, 0, 0), "{report}");
        assert_eq!((parents(&planned), parents(&ran)), (family(FAMILY), family(FAMILY)));
        let ctx = planned.system();
        let undo = |txn: &mut dyn crate::store::Txn| undo::undo(&ctx, txn, report.operation.unwrap());
        let outcome = planned.store.write(ctx.tenant(), undo).unwrap();
        assert_eq!((outcome.totals.kept, outcome.totals.failed), (0, 0));
        assert_eq!((planned.leads().len(), parents(&planned)), (0, before.clone()));
    }
}

#[test]
fn links_of_leads_that_are_here_are_written_and_taken_back() {
    for chunk in [1, 100] {
        let host = host();
        host.run("company,email\nA,A@x.example\nC,C@x.example\n");
        let before: Vec<_> = host.leads().into_iter().map(|lead| lead.fields).collect();
        let report = host.run_with(file("AB BC CA"), &ImportOptions::new().chunk(chunk));
        assert_eq!(counts(&report), (1, 2, 0, 0), "{report}");
        assert_eq!(parents(&host), family("A<B B<C C<A"));
        let ctx = host.system();
        let part = undo::UndoPart::lines([2]);
        let undo = |txn: &mut dyn crate::store::Txn| {
            undo::undo_part(&ctx, txn, report.operation.unwrap(), &part)?;
            assert_eq!(txn.leads().get(&[host.leads()[0].id])?.len(), 1);
            undo::undo(&ctx, txn, report.operation.unwrap())
        };
        let outcome = host.store.write(ctx.tenant(), undo).unwrap();
        assert_eq!(outcome.totals.failed, 0, "{outcome:?}");
        let after: Vec<_> = host.leads().into_iter().map(|lead| lead.fields).collect();
        assert_eq!(after, before);
    }
}

#[test]
fn an_import_that_was_interrupted_links_what_it_wrote_before() {
    let file = file("AC B- CB DA");
    for stop in 1..4 {
        let host = host();
        let options = ImportOptions::new().chunk(1);
        let mut heard = Heard { stop_after: Some(stop), ..Heard::default() };
        host.hear(&host.store, file.clone(), &options, &mut heard).unwrap_err();
        assert_eq!(counts(&host.dry(file.clone(), &options)), (4, 0, 0, 0));
        let report = host.run_with(file.clone(), &options);
        assert_eq!((counts(&report), report.resumed_after), ((4, 0, 0, 0), stop), "{report}");
        assert_eq!(parents(&host), family("A<C C<B D<A"));
        assert!(!serde_json::to_string(&report).unwrap().contains("waiting"));
    }
}

#[test]
fn a_link_that_leads_nowhere_goes_by_the_rule_of_its_column() {
    let file = file("A- BX");
    let host = host();
    // Beside the ids of another system it is a bad cell.
    let of_system = file.replace("id,", "external id,");
    let report = host.run_with(of_system, &ImportOptions::new().chunk(1));
    assert_eq!(counts(&report), (1, 0, 0, 1), "{report}");
    assert_eq!(report.rejections[0].field, "x_parent");
    let mapping = Mapping::default()
        .with("id", Some(Field::Id))
        .with("company", Some(Field::Company))
        .with("x_parent", Some(Field::Custom(key())))
        .rules("x_parent", ColumnRules::new().bad_values(BadValues::LeaveOut));
    let strict = mapping.clone().rules("x_parent", ColumnRules::new().bad_values(BadValues::Reject));
    let report = furnished(Host::new()).run_with(file.clone(), &ImportOptions::new().mapping(strict));
    assert_eq!(counts(&report), (1, 0, 0, 1), "{report}");
    let options = ImportOptions::new().mapping(mapping);
    let host = furnished(Host::new());
    let dry = host.dry(file.clone(), &options);
    let report = host.run_with(file, &options);
    for report in [dry, report] {
        assert_eq!((counts(&report), report.left_out), ((2, 0, 0, 0), 1), "{report}");
        let told = &report.left_out_values[0];
        assert_eq!((told.line, told.field.as_str()), (3, "x_parent"));
    }
    assert_eq!(parents(&host), family(""));
}

#[test]
fn a_link_to_a_row_that_is_not_taken_is_told() {
    // A source that may not be added.
    let file = file("AX B- CX X-")
        .replace("x_parent\n", "x_parent,source\n")
        .replace("X@x.example,", "X@x.example,,Fair");
    for chunk in [1, 100] {
        let host = host();
        let options = ImportOptions::new().chunk(chunk).unknown_terms(UnknownTerm::Reject);
        let plan = host.plan(file.clone(), &options);
        let dry = host.dry(file.clone(), &options);
        let report = host.run_with(file.clone(), &options);
        for report in [&plan.report, &dry, &report] {
            assert_eq!((counts(report), report.left_out), ((3, 0, 0, 1), 2), "{report}");
            let told: Vec<_> =
                report.left_out_values.iter().map(|told| (told.line, told.field.as_str())).collect();
            assert_eq!(told, [(2, "x_parent"), (4, "x_parent")]);
        }
        assert_eq!(parents(&host), family(""));
        // Corrected, its row is linked to when the file is imported again.
        let report = host.run(file.replace("Fair", ""));
        assert_eq!(counts(&report), (1, 2, 1, 0), "{report}");
        assert_eq!(parents(&host), family("A<X C<X"));
    }
}

#[test]
fn a_lead_that_came_from_far_is_linked_to_by_the_ids_of_its_file() {
    // A file from a place in between: its ids are of there, and each lead says what it is called here.
    let host = host();
    host.run("company,email\nA,a@x.example\nB,b@x.example\n");
    let own: Vec<_> = host.leads().iter().map(|lead| ExternalRef::own(lead.id).to_string()).collect();
    let file = format!(
        "id,company,external id,x_parent\n{},A,{},{}\n{},B,{},{}\n",
        id(1),
        own[0],
        id(2),
        id(2),
        own[1],
        id(1)
    );
    for chunk in [1, 2] {
        let report = host.run_with(file.clone(), &ImportOptions::new().chunk(chunk).attempt(chunk as u32));
        let expected = if chunk == 1 { (0, 2, 0, 0) } else { (0, 0, 2, 0) };
        assert_eq!(counts(&report), expected, "{report}");
        assert_eq!(parents(&host), family("A<B B<A"));
        assert!(host.leads().iter().all(|lead| lead.fields.external_ids.is_empty()));
    }
}
