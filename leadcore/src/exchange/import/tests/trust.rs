//! What is believed of a file: ids of nobody's system, what an earlier file was like, and what is said that was found anyway.

use super::*;
use crate::desk;
use crate::domain::Field;
use crate::exchange::import::{MatchBy, OnAmbiguous, Planned, PlannedLine, SkipReason, preview};
use crate::exchange::{ColumnRules, Constant, DateOrder, Evidence, Mapping, ReadOptions, TextEncoding};
use crate::value::{Country, DecimalMark};

fn companies(host: &Host) -> Vec<String> {
    host.leads().iter().map(|lead| lead.fields.company.clone().unwrap_or_default()).collect()
}

const NORD: &str = "ID,Company,E-mail\n1,Nord AS,a@nord.example\n";
const ZETA: &str = "Record ID,Company name,Email\n1,Zeta Inc,z@zeta.example\n";

#[test]
fn an_id_of_a_system_that_nobody_named_is_not_believed_against_the_rest_of_its_row() {
    for match_by in [MatchBy::DEFAULT.to_vec(), vec![MatchBy::ExternalId]] {
        let host = Host::new();
        let options = ImportOptions::new().match_by(match_by).ambiguous(OnAmbiguous::Review);
        host.run_with(NORD, &options);
        let plan = host.plan(ZETA, &options);
        assert!(matches!(plan.lines[0].decision, Planned::Review { .. }), "{plan:?}");
        let mut rejects = Vec::new();
        let ctx = host.system();
        let report =
            import::run(&ctx, &host.store, Cursor::new(ZETA), &options, Some(&mut rejects), &mut ()).unwrap();
        assert_eq!((report.review, companies(&host)), (1, vec!["Nord AS".to_owned()]), "{report}");
        assert!(String::from_utf8(rejects).unwrap().contains("name their system in `external_system`"));
        // Named, it is an id of another system, and another lead; or it is the same one, whatever the row says.
        let host = Host::new();
        host.run_with(NORD, &options);
        host.run_with(ZETA, &options.clone().external_system("zeta"));
        assert_eq!(companies(&host), ["Nord AS", "Zeta Inc"]);
        let report = host.run_with(ZETA, &options.external_system("import").attempt(2));
        assert_eq!(counts(&report), (0, 1, 0, 0), "{report}");
    }
    // One thing that is another, or one that is the same, is a change of the lead.
    for row in ["1,Nordlys AS,", "1,Nord AS,b@nord.example", "1,Zeta Inc,a@nord.example"] {
        let host = Host::new();
        host.run(NORD);
        let report = host.run(format!("ID,Company,E-mail\n{row}\n"));
        assert_eq!(counts(&report), (0, 1, 0, 0), "{row}: {report}");
    }
}

#[test]
fn what_stands_for_no_id_and_no_address_is_no_key() {
    for cell in ["0", "-1", "null", "N/A", "00000000-0000-0000-0000-000000000000", "unknown"] {
        let host = Host::new();
        let file = format!("ID,Company,E-mail\n{cell},Nord AS,a@nord.example\n{cell},Zeta Inc,\n");
        let report = host.run(file);
        assert_eq!(counts(&report), (2, 0, 0, 0), "{cell}: {report}");
        assert!(host.leads().iter().all(|lead| lead.fields.external_ids.is_empty()));
    }
    // Who names the system means each of its ids.
    let host = Host::new();
    host.run_with("ID,Company\n0,Nord AS\n", &ImportOptions::new().external_system("crm"));
    assert_eq!(host.leads()[0].fields.external_ids.iter().next().unwrap().to_string(), "crm:0");
    for address in ["noemail@noemail.com", "none@none.no", "na@na.com", "test@test.com", "no@email.com"] {
        let host = Host::new();
        let report = host.run(format!("Company,E-mail\nNord AS,{address}\nZeta Inc,{address}\n"));
        assert_eq!(counts(&report), (2, 0, 0, 0), "{address}: {report}");
    }
}

fn constant(host: &Host) {
    let mut mapping = Mapping::default().with("Firma", Some(Field::Company)).with("Post", Some(Field::Email));
    mapping.constants.push(Constant { field: Field::Source, value: "Fair".to_owned() });
    let options = ImportOptions::new().mapping(mapping);
    host.run_with("Firma,Post\nA,a@x.example\n", &options);
}

#[test]
fn constants_of_the_last_use_are_proposed_and_not_repeated() {
    let host = Host::new();
    constant(&host);
    let file = "Firma,Post\nB,b@x.example\n";
    let seen = preview(&host.system(), &host.store, Cursor::new(file), &ReadOptions::new()).unwrap();
    assert_eq!((seen.mapping.constants.len(), seen.proposal.mapped_as), (1, Some(Evidence::LastUse)));
    let plan = host.plan(file, &ImportOptions::new());
    assert_eq!(plan.report.not_said[0].value, "Fair");
    let report = host.run(file);
    assert_eq!((report.mapping.constants.len(), report.not_said.len()), (0, 1));
    assert!(report.to_string().contains("every row had `Fair` as source then"), "{report}");
    let sources: Vec<bool> = host.leads().iter().map(|lead| lead.fields.source.is_some()).collect();
    assert_eq!(sources, [true, false]);
    // Said, they are there, and nothing is told.
    let said = ImportOptions::new().constant(Field::Source, "Web");
    let report = host.run_with("Firma,Post\nC,c@x.example\n", &said);
    assert_eq!((report.mapping.constants.len(), report.not_said.len()), (1, 0));
}

#[test]
fn what_the_cells_say_for_sure_counts_before_the_last_use() {
    let host = Host::new();
    let rules = |column: &str, rules: ColumnRules| {
        Mapping::default()
            .with("Firma", Some(Field::Company))
            .with("Day", Some(Field::ExpectedClose))
            .with("Sum", Some(Field::Amount))
            .rules(column, rules)
    };
    let day = ColumnRules::new().date_order(DateOrder::MonthFirst);
    let mapping = rules("Day", day).rules("Sum", ColumnRules::new().decimal_mark(DecimalMark::Dot));
    let mapped = ImportOptions::new().mapping(mapping);
    host.run_with("Firma,Day,Sum\nA,04/05/2027,1.5\n", &mapped);
    let order = |file: &str| {
        let seen = preview(&host.system(), &host.store, Cursor::new(file), &ReadOptions::new()).unwrap();
        let rules = |n: usize| seen.proposal.columns[n].rules.clone();
        (rules(1).date_order, rules(2).decimal_mark)
    };
    let open = "Firma,Day,Sum\nB,04/05/2027,\"1,000\"\n";
    assert_eq!(order(open), (Some(DateOrder::MonthFirst), Some(DecimalMark::Dot)));
    let report = host.run(open);
    assert!(report.to_string().contains("month first: 0 of the cells"), "{report}");
    let sure = "Firma,Day,Sum\nC,25/12/2027,\"1.000,50\"\nD,04/05/2027,\"2.000,25\"\n";
    assert_eq!(order(sure), (Some(DateOrder::DayFirst), Some(DecimalMark::Comma)));
    let report = host.run(sure);
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
    assert_eq!(host.leads()[3].fields.expected_close.unwrap().to_string(), "2027-05-04");
}

#[test]
fn who_says_what_is_found_anyway_imports_the_same_file() {
    let file = "Firma;E-Mail;Telefon;Betrag\nA;a@x.example;+47 22 22 55 55;1,5\nB;b@x.example;;2,75\n";
    let read = ReadOptions::new;
    let said = [
        ImportOptions::new(),
        ImportOptions::new().read(read().delimiter(b';')),
        ImportOptions::new().read(read().encoding(TextEncoding::for_label("utf-8").unwrap())),
        ImportOptions::new().read(read().has_header(true)),
        ImportOptions::new().read(read().header_row(1)),
        ImportOptions::new().region(Country::parse("NO").unwrap()),
        ImportOptions::new().decimal_mark(DecimalMark::Comma),
    ];
    for first in &said {
        let host = Host::new();
        let one = first.clone().chunk(1);
        let mut heard = Heard { stop_after: Some(1), ..Heard::default() };
        host.hear(&host.store, file, &one, &mut heard).unwrap_err();
        let mut rest = said.iter();
        let report = host.run_with(file, rest.next().unwrap());
        assert_eq!((counts(&report), report.resumed_after), ((2, 0, 0, 0), 1), "{first:?}");
        for again in rest {
            assert!(host.run_with(file, again).repeated, "{first:?} {again:?}");
        }
    }
    // What changes something is another import.
    let host = Host::new();
    let national = "Firma,Telefon\nA,22 22 55 55\n";
    host.run(national);
    let region = ImportOptions::new().region(Country::parse("NO").unwrap());
    assert!(!host.run_with(national, &region).repeated);
    assert!(host.run_with(national, &region).repeated && host.run(national).repeated);
}

#[test]
fn a_region_that_no_number_needs_is_the_same_import_of_a_long_file() {
    let region = ImportOptions::new().region(Country::parse("NO").unwrap());
    let rows = |number: &str| -> String { (0..2_000).map(|n| format!("A{n},{number}{n:04},NO\n")).collect() };
    for (rows, is_same) in
        [(rows("+472222"), true), (rows("2222"), true), (rows("+472222") + "B,22 22 55 55,\n", false)]
    {
        for (first, second) in [(&region, &ImportOptions::new()), (&ImportOptions::new(), &region)] {
            let host = Host::new();
            let file = format!("Firma,Telefon,Land\n{rows}");
            host.run_with(file.clone(), first);
            assert_eq!(host.run_with(file, second).repeated, is_same);
        }
    }
}

#[test]
fn a_line_that_is_left_out_does_not_take_its_twins_with_it() {
    let file = "Company,E-mail,City\nA,a@x.example,Oslo\nA,a@x.example,Bergen\nA,a@x.example,Voss\n";
    let host = Host::new();
    let mut plan = host.plan(file, &ImportOptions::new());
    plan.skip(2).unwrap();
    let report = host.apply(&plan, file);
    assert_eq!((counts(&report), report.stale_lines.len()), ((1, 1, 1, 0), 0), "{report}");
    assert_eq!(report.skips[&SkipReason::LeftOut], 1);
    assert_eq!(host.leads()[0].fields.address.city(), Some("Voss"));
    // Streamed, in chunks of a line.
    let (host, one) = (Host::new(), ImportOptions::new().chunk(1));
    let mut plan = host.plan(file, &one);
    plan.skip(2).unwrap();
    let mut lines = Vec::new();
    plan.write_lines(&mut lines).unwrap();
    let report =
        import::apply_from(&host.system(), &host.store, Cursor::new(lines), Cursor::new(file), None, &mut ());
    assert_eq!(counts(&report.unwrap()), (1, 1, 1, 0));
    // Given to another lead, it leaves the others to be what they are too.
    let host = Host::new();
    host.run("Company,E-mail\nOther,o@x.example\n");
    let other = host.leads()[0].id;
    let file = "Company,E-mail\nA,a@x.example\nA,a@x.example\n";
    let mut plan = host.plan(file, &ImportOptions::new());
    plan.take(2, other).unwrap();
    let report = host.apply(&plan, file);
    assert_eq!((report.stale_lines.len(), report.updated), (0, 1), "{report}");
    // What was decided before holds again.
    plan.reset(2).unwrap();
    assert!(plan.lines.iter().all(|line| !line.is_edited()));
}

#[test]
fn a_line_that_is_taken_out_of_a_plan_does_not_take_its_twins_with_it() {
    let file = "Company,E-mail,City\nB,b@x.example,\n\"A\nS\",a@x.example,Oslo\nA,a@x.example,Bergen\n\
                C,c@x.example,\nA,a@x.example,Bergen\n";
    for chunk in [1, 2, 100] {
        let host = Host::new();
        let mut plan = host.plan(file, &ImportOptions::new().chunk(chunk));
        assert!(PlannedLine::gone(&plan.lines).is_empty());
        plan.lines.retain(|line| line.line != 3);
        let gone = PlannedLine::gone(&plan.lines);
        let is_gone = |line: &PlannedLine| line.lead().is_some_and(|lead| gone.contains(&lead));
        let told: Vec<_> = plan.lines.iter().map(|line| line.action(is_gone(line)).code()).collect();
        assert_eq!((gone.len(), told), (1, vec!["create", "open", "create", "open"]));
        let mut lines = Vec::new();
        plan.write_lines(&mut lines).unwrap();
        let report = import::apply_from(
            &host.system(),
            &host.store,
            Cursor::new(lines),
            Cursor::new(file),
            None,
            &mut (),
        )
        .unwrap();
        assert_eq!((counts(&report), report.stale_lines.len()), ((3, 0, 2, 0), 0), "{report}");
        assert_eq!(report.skips[&SkipReason::LeftOut], 1);
        let cities: Vec<_> =
            host.leads().iter().map(|lead| lead.fields.address.city().map(str::to_owned)).collect();
        assert_eq!(cities, [None, Some("Bergen".to_owned()), None]);
    }
}

#[test]
fn an_id_that_a_person_writes_names_its_system() {
    let file = "Company\nA\nB\n";
    let host = Host::new();
    let mut plan = host.plan(file, &ImportOptions::new());
    plan.set(2, Field::ExternalId, "sap:1").unwrap();
    plan.set(3, Field::ExternalId, "7").unwrap();
    host.apply(&plan, file);
    let ids: Vec<_> =
        host.leads().iter().map(|lead| lead.fields.external_ids.first().unwrap().to_string()).collect();
    assert_eq!(ids, ["sap:1", "import:7"]);
    let host = Host::new();
    let mut plan = host.plan(file, &ImportOptions::new().external_system("crm"));
    plan.set(2, Field::ExternalId, "ORD:1").unwrap();
    host.apply(&plan, file);
    assert_eq!(host.leads()[0].fields.external_ids.first().unwrap().to_string(), "crm:ORD:1");
}

#[test]
fn amounts_that_can_be_read_in_two_ways_are_told() {
    let host = Host::new();
    let file = "Company,Amount\nA,\"1,000\"\nB,\"2,500\"\n";
    let report = host.dry(file, &ImportOptions::new());
    assert!(report.to_string().contains("2 either: say the mark"), "{report}");
    let report = host.dry(file, &ImportOptions::new().decimal_mark(DecimalMark::Dot));
    assert!(!report.to_string().contains("say the mark"), "{report}");
}

#[test]
fn a_source_of_two_imports_goes_when_both_were_taken_back() {
    let host = Host::new();
    let first = host.run("Company,Source\nA,Fair\n").operation.unwrap();
    let second = host.run("Company,Source\nB,Fair\n").operation.unwrap();
    let ctx = host.system();
    let undo =
        |operation| host.store.write(ctx.tenant(), |txn| desk::undo::undo(&ctx, txn, operation)).unwrap();
    let kept = undo(first).remaining;
    assert_eq!((kept.len(), kept[0].name.as_deref()), (1, Some("Fair")));
    assert_eq!(undo(second).remaining.len(), 0);
    let again = undo(first);
    assert_eq!(again.remaining.len(), 0, "{again:?}");
    let kind = crate::domain::TermKind::Source;
    assert!(host.store.read(ctx.tenant(), |txn| txn.terms().list(kind)).unwrap().is_empty());
    // A lead that a person put into the trash may come back, and needs it.
    let host = Host::new();
    let ctx = host.system();
    let first = host.run("Company,Source\nA,Fair\n").operation.unwrap();
    host.run("Company,Source\nB,Fair\n");
    let lead = host.leads()[1].clone();
    let undone = host.store.write(ctx.tenant(), |txn| {
        desk::leads::delete(&ctx, txn, lead.id, lead.revision)?;
        desk::undo::undo(&ctx, txn, first)
    });
    assert_eq!(undone.unwrap().remaining.len(), 1);
}
