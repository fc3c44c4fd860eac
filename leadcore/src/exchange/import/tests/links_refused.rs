//! Links to rows that are not taken, and links that only one lead may have.

use super::links::{family, file, furnished, furnished_with, host, id, key, parents};
use super::plans::{stored, words};
use super::*;
use crate::domain::{CustomField, CustomType, SubjectKind};
use crate::exchange::import::{Planned, UnknownTerm};

const NOT_TAKEN: &str = "the row of the lead that it links to was not taken";

fn field() -> CustomField {
    CustomField::new(key(), "Parent", CustomType::Link(SubjectKind::Lead))
}

/// The row `X` cannot be read, or names a source that may not be added.
fn spoiled(rows: &str) -> [String; 2] {
    let file = file(rows);
    let source = |line: &str| {
        let more = match line {
            head if head.starts_with("id,") => ",source",
            line if line.contains("X@x.example") => ",Fair",
            _ => ",",
        };
        format!("{line}{more}\n")
    };
    [file.replace("X@x.example", "wrong"), file.lines().map(source).collect()]
}

fn strict(chunk: usize) -> ImportOptions {
    ImportOptions::new().chunk(chunk).unknown_terms(UnknownTerm::Reject)
}

/// What a plan, a dry run and a run say alike.
fn told(host: &Host, file: &str, options: &ImportOptions) -> (ImportPlan, ImportReport) {
    let plan = host.plan(file, options);
    let dry = host.dry(file, options);
    let mut heard = Heard::default();
    let report = host.hear(&host.store, file, options, &mut heard).unwrap();
    let lines: Vec<_> = words(&plan);
    assert_eq!(lines, heard.words());
    for said in [&plan.report, &dry] {
        assert_eq!(counts(said), counts(&report), "{said}{report}");
        assert_eq!(said.rejections, report.rejections);
        assert_eq!((said.left_out, &said.left_out_values), (report.left_out, &report.left_out_values));
    }
    (plan, report)
}

#[test]
fn a_link_to_a_row_that_is_not_taken_is_left_out_wherever_that_row_stands() {
    for rows in ["AX B- CX X-", "X- AX B- CX", "AX X- B- CX"] {
        for file in spoiled(rows) {
            for chunk in [1, 2, 100] {
                let host = host();
                let (_, report) = told(&host, &file, &strict(chunk));
                assert_eq!((counts(&report), report.left_out), ((3, 0, 0, 1), 2), "{rows} {report}");
                assert!(report.left_out_values.iter().all(|told| told.message == NOT_TAKEN), "{report}");
                assert_eq!(parents(&host), family(""));
            }
        }
    }
}

#[test]
fn a_lead_that_must_have_a_link_is_not_taken_without_it() {
    // E needs A, which needs X; B is its own parent.
    for rows in ["EA AX BB CA XA", "XA AX EA BB CA", "CA BB XE EA AX"] {
        for file in spoiled(rows) {
            for chunk in [1, 2, 100] {
                let host = furnished_with(Host::new(), field().required(true));
                let before = host.plan(file.as_str(), &strict(chunk));
                let (plan, report) = told(&host, &file, &strict(chunk));
                assert_eq!((counts(&report), report.left_out), ((1, 0, 0, 4), 0), "{rows} {report}");
                let reasons = report.rejections.iter().filter(|told| told.message == NOT_TAKEN);
                assert!(reasons.clone().all(|told| told.field == "x_parent"));
                assert_eq!(reasons.count(), 3, "what is wrong with X itself comes first: {report}");
                assert_eq!(parents(&host), family("B<B"));
                assert_eq!(words(&plan), words(&before));
                // As planned it is the same.
                let host = furnished_with(Host::new(), field().required(true));
                let report = host.apply(&stored(&before), file.as_str());
                assert_eq!((counts(&report), report.left_out), ((1, 0, 0, 4), 0), "{report}");
            }
        }
    }
}

#[test]
fn a_lead_that_must_have_a_link_to_a_row_that_a_person_leaves_out_is_not_taken() {
    let rows = file("EA AX BB CA XX");
    let host = furnished_with(Host::new(), field().required(true));
    let mut plan = host.plan(rows.clone(), &ImportOptions::new().chunk(2));
    assert_eq!(counts(&plan.report), (5, 0, 0, 0));
    plan.skip(6).unwrap();
    let again =
        import::replan(&host.system(), &host.store, &plan, Cursor::new(rows.clone()), &mut ()).unwrap();
    assert_eq!(counts(&again.report), (1, 0, 1, 3), "{}", again.report);
    let mut streamed = Vec::new();
    plan.write_lines(&mut streamed).unwrap();
    for is_streamed in [false, true] {
        let host = furnished_with(Host::new(), field().required(true));
        let (ctx, input) = (host.system(), Cursor::new(rows.clone()));
        let report = match is_streamed {
            false => import::apply(&ctx, &host.store, &plan, input, None, &mut ()),
            true => import::apply_from(&ctx, &host.store, Cursor::new(&streamed), input, None, &mut ()),
        };
        let report = report.unwrap();
        let parents = parents(&host);
        assert!(parents.values().all(|parent| parent != "nobody"), "{report}");
        assert!(host.leads().iter().all(|lead| lead.fields.custom.contains_key(&key())), "{report}");
        assert_eq!((counts(&report), report.stale_lines.len()), ((1, 0, 1, 3), 0), "{report}");
        assert_eq!((report.rejections, &parents["B"]), (again.report.rejections.clone(), &"B".to_owned()));
    }
}

#[test]
fn a_lead_keeps_the_link_that_it_must_have() {
    let host = furnished_with(Host::new(), field().required(true));
    host.run(file("AB BB"));
    let [file, _] = spoiled("AX XX");
    let (_, report) = told(&host, &file, &strict(1));
    assert_eq!((counts(&report), report.left_out), ((0, 0, 1, 1), 1), "{report}");
    assert_eq!(parents(&host), family("A<B B<B"));
}

#[test]
fn a_link_that_only_one_lead_may_have_waits_as_others_do() {
    for (rows, expected) in
        [("AX BX C- X-", "A<X"), ("X- AX BX C-", "A<X"), ("AX X- BX C-", "A<X"), ("C- X- BX AC", "B<X A<C")]
    {
        for chunk in [1, 2, 100] {
            let host = furnished_with(Host::new(), field().unique(true));
            let (_, report) = told(&host, &file(rows), &strict(chunk));
            let rejected = if rows.contains("AC") { 0 } else { 1 };
            assert_eq!(counts(&report), (4 - rejected, 0, 0, rejected), "{rows} {chunk} {report}");
            assert_eq!(parents(&host), family(expected), "{rows}");
        }
    }
}

#[test]
fn a_link_that_another_lead_has_by_now_is_told_when_its_row_comes() {
    for chunk in [1, 2, 100] {
        let host = furnished_with(Host::new(), field().unique(true));
        host.run("company,email\nX,X@x.example\n");
        let lead = host.leads()[0].id;
        host.run(format!("company,email,x_parent\nS,S@x.example,{lead}\n"));
        let (_, report) = told(&host, &file("AX X-"), &strict(chunk));
        assert_eq!((report.rejected, report.left_out), (0, 1), "{report}");
        assert_eq!(report.left_out_values[0].message, "another lead has this value");
        assert_eq!(parents(&host), family("S<X"));
    }
}

#[test]
fn the_last_row_of_a_lead_says_what_it_links_to() {
    for chunk in [1, 2, 100] {
        let host = furnished(Host::new());
        let (_, report) = told(&host, &file("Y- AX AY X-"), &strict(chunk));
        assert_eq!(counts(&report), (3, 1, 0, 0), "{report}");
        assert_eq!(parents(&host), family("A<Y"));
    }
}

#[test]
fn more_links_than_may_wait_are_told_and_come_with_the_rejected_rows() {
    let row = |n: u32| format!("{},N{n},{}\n", id(n), id(20_000));
    let head = "id,company,x_parent\n".to_owned();
    let file = (0..2_501).map(row).fold(head, |all, row| all + &row) + &format!("{},X,\n", id(20_000));
    let (host, options) = (host(), ImportOptions::new().chunk(1_000));
    let dry = host.dry(file.clone(), &options);
    let (mut rejects, input) = (Vec::new(), Cursor::new(file.into_bytes()));
    let rejected: &mut dyn std::io::Write = &mut rejects;
    let report = import::run(&host.system(), &host.store, input, &options, Some(rejected), &mut ()).unwrap();
    for report in [&dry, &report] {
        assert_eq!(counts(report), (2_501, 0, 0, 1), "{report}");
        assert_eq!((report.rejections[0].line, report.rejections[0].field.as_str()), (2_502, "x_parent"));
        assert!(report.rejections[0].message.starts_with("too many links"), "{report}");
    }
    let report = host.run(rejects);
    assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
    assert_eq!(parents(&host).values().filter(|parent| *parent == "X").count(), 2_501);
}

#[test]
fn a_lead_that_is_here_and_links_to_a_row_that_is_not_taken_is_unchanged() {
    for rows in ["AX CX X-", "AX X- CX", "X- AX CX"] {
        for file in spoiled(rows) {
            for chunk in [1, 2, 100] {
                let host = furnished(Host::new());
                host.run(links::file("A-"));
                let before = host.plan(file.as_str(), &strict(chunk));
                let (_, report) = told(&host, &file, &strict(chunk));
                let expected = [(2, "x_parent"), (3, "x_parent"), (4, "x_parent")];
                let left_out = report.left_out_values.iter().map(|told| (told.line, told.field.as_str()));
                assert!(left_out.clone().all(|told| expected.contains(&told)), "{report}");
                assert_eq!((counts(&report), left_out.count()), ((1, 0, 1, 1), 2), "{rows} {report}");
                // A plan says nothing of links that are left out, and is carried out so.
                let Planned::Create { values, .. } = &before
                    .lines
                    .iter()
                    .find(|line| matches!(line.decision, Planned::Create { .. }))
                    .unwrap()
                    .decision
                else {
                    panic!()
                };
                assert!(values.iter().all(|value| value.field != "x_parent"));
                let host = furnished(Host::new());
                host.run(links::file("A-"));
                let before = host.plan(file.as_str(), &strict(chunk));
                let report = host.apply(&stored(&before), file.as_str());
                assert_eq!((counts(&report), report.left_out), ((1, 0, 1, 1), 2), "{rows} {report}");
            }
        }
    }
}

#[test]
fn a_long_chain_of_leads_that_need_the_next_one_ends_with_it() {
    let rows = 60;
    let row = |n: u32| format!("{},N{n},n{n}@x.example,{}\n", id(n), id(n + 1));
    for is_good in [true, false] {
        let last = if is_good { "last@x.example" } else { "wrong" };
        let head = "id,company,email,x_parent\n".to_owned();
        let file = (0..rows).map(row).fold(head, |all, row| all + &row)
            + &format!("{},Last,{last},{}\n", id(rows), id(rows));
        for chunk in [7, 100] {
            let host = furnished_with(Host::new(), field().required(true));
            let (_, report) = told(&host, &file, &strict(chunk));
            let all = u64::from(rows) + 1;
            let expected = if is_good { (all, 0, 0, 0) } else { (0, 0, 0, all) };
            assert_eq!((counts(&report), report.left_out), (expected, 0), "{report}");
        }
    }
}
