//! Links to the leads of lines about which a person decided, and to leads that did not come with their file.

use super::links::{family, file, furnished, furnished_with, host, key, parents};
use super::plans::{stored, words};
use super::*;
use crate::domain::{CustomField, CustomType, Field, FieldValue, SubjectKind};
use crate::exchange::export::{ExportOptions, Extent, export};
use crate::exchange::import::{LineAction, PlannedLine};
use crate::query::Operator;

const NOT_TAKEN: &str = "the row of the lead that it links to was not taken";

fn field() -> CustomField {
    CustomField::new(key(), "Parent", CustomType::Link(SubjectKind::Lead))
}

/// A tenant with two leads that are their own parents: one that no file names, and K.
fn with_others(is_required: bool) -> Host {
    let host = furnished_with(Host::new(), field().required(is_required));
    host.run(file("OO KK"));
    host
}

/// Applied as it is stored, as a stream, and after it was planned again.
fn outcomes(
    make: impl Fn() -> Host,
    rows: &str,
    options: &ImportOptions,
    edit: impl Fn(&Host, &mut ImportPlan),
) -> (Vec<ImportReport>, Host) {
    let mut reports = Vec::new();
    let mut last = None;
    for way in 0..3 {
        let host = make();
        let mut plan = host.plan(rows, options);
        edit(&host, &mut plan);
        let plan = stored(&plan);
        let input = || Cursor::new(rows.to_owned());
        let ctx = host.system();
        reports.push(match way {
            0 => host.apply(&plan, rows),
            1 => {
                let mut stream = Vec::new();
                plan.write_lines(&mut stream).unwrap();
                import::apply_from(&ctx, &host.store, Cursor::new(&stream), input(), None, &mut ()).unwrap()
            }
            _ => {
                let again = import::replan(&ctx, &host.store, &plan, input(), &mut ()).unwrap();
                let report = host.apply(&again, rows);
                assert_eq!(counts(&report), counts(&again.report), "{report}");
                assert_eq!(report.left_out_values, again.report.left_out_values);
                report
            }
        });
        last = Some(host);
    }
    for report in &reports {
        assert_eq!(counts(report), counts(&reports[0]), "{report}{}", reports[0]);
        assert_eq!(report.left_out_values, reports[0].left_out_values, "{report}");
        assert_eq!(report.rejections, reports[0].rejections, "{report}");
        assert_eq!(report.stale_lines, [0; 0], "{report}");
    }
    (reports, last.unwrap())
}

fn other(host: &Host) -> crate::id::LeadId {
    host.leads()[0].id
}

fn fields_left_out(report: &ImportReport) -> Vec<u64> {
    assert!(
        report
            .left_out_values
            .iter()
            .all(|told| (told.field.as_str(), told.message.as_str()) == ("x_parent", NOT_TAKEN))
    );
    report.left_out_values.iter().map(|told| told.line).collect()
}

#[test]
fn lines_that_link_to_one_that_is_left_out_come_without_the_link() {
    for chunk in [1, 2, 100] {
        let options = ImportOptions::new().chunk(chunk);
        // K is here, and changes by its link alone.
        for (rows, line) in [("AX KX X- CX", 4), ("X- AX KX CX", 2), ("AX KX CX X-", 5)] {
            let rows = file(rows);
            let (reports, host) =
                outcomes(|| with_others(false), &rows, &options, |_, plan| plan.skip(line).unwrap());
            assert_eq!(counts(&reports[0]), (2, 0, 2, 0), "{}", reports[0]);
            assert_eq!(fields_left_out(&reports[0]).len(), 3);
            assert_eq!(parents(&host), family("K<K O<O"));
            // The same as a line that is taken out of the plan.
            let (taken_out, _) = outcomes(
                || with_others(false),
                &rows,
                &options,
                |_, plan| plan.lines.retain(|planned| planned.line != line),
            );
            assert_eq!(counts(&taken_out[0]), (2, 0, 2, 0), "{}", taken_out[0]);
        }
        // Leads that must have it are not taken, nor those that must have these.
        for (rows, line) in [("AX BA XX CC", 4), ("XX AX BA CC", 2)] {
            let rows = file(rows);
            let (reports, _) =
                outcomes(|| with_others(true), &rows, &options, |_, plan| plan.skip(line).unwrap());
            assert_eq!(counts(&reports[0]), (1, 0, 1, 2), "{}", reports[0]);
            assert!(reports[0].rejections.iter().all(|told| told.message == NOT_TAKEN));
        }
    }
}

#[test]
fn lines_that_link_to_one_that_takes_another_lead_link_to_that() {
    for chunk in [1, 2, 100] {
        let options = ImportOptions::new().chunk(chunk);
        for (rows, line) in [("AX KX XX CX", 4), ("XX AX KX CX", 2), ("AX KX CX XX", 5)] {
            for is_required in [false, true] {
                let rows = file(rows);
                let (reports, host) = outcomes(
                    || with_others(is_required),
                    &rows,
                    &options,
                    |host, plan| plan.take(line, other(host)).unwrap(),
                );
                assert_eq!((counts(&reports[0]), reports[0].left_out), ((2, 2, 0, 0), 0), "{}", reports[0]);
                let linked = parents(&host);
                assert_eq!(
                    [&linked["A"], &linked["K"], &linked["C"]],
                    ["X", "X", "X"],
                    "Other is called X now"
                );
            }
        }
    }
}

#[test]
fn lines_that_link_to_one_that_is_put_right_link_to_it() {
    for chunk in [1, 2, 100] {
        let options = ImportOptions::new().chunk(chunk);
        for (rows, line) in [("AX KX XX CX", 4), ("XX AX KX CX", 2), ("AX KX CX XX", 5)] {
            for is_required in [false, true] {
                let rows = file(rows).replace("X@x.example", "wrong");
                let make = || with_others(is_required);
                assert_eq!(
                    counts(&make().plan(rows.as_str(), &options).report).3,
                    if is_required { 3 } else { 1 }
                );
                let (reports, host) = outcomes(make, &rows, &options, |_, plan| {
                    plan.set(line, Field::Email, "X@x.example").unwrap();
                });
                assert_eq!((counts(&reports[0]), reports[0].left_out), ((3, 1, 0, 0), 0), "{}", reports[0]);
                assert_eq!(parents(&host), family("A<X K<X C<X X<X O<O"));
            }
        }
    }
}

#[test]
fn what_was_planned_for_other_fields_is_held_to() {
    let rows = file("X- KX CX").replace("email,", "email,city,").replace("K@x.example,", "K@x.example,Oslo,");
    let rows = rows.replace("X@x.example,", "X@x.example,,").replace("C@x.example,", "C@x.example,,");
    let host = with_others(false);
    let mut plan = host.plan(rows.as_str(), &ImportOptions::new());
    assert_eq!(words(&plan), [(2, "created"), (3, "updated"), (4, "created")]);
    plan.skip(2).unwrap();
    host.run("company,email,city\nK,K@x.example,Moss\n");
    let report = host.apply(&plan, rows);
    assert_eq!((counts(&report), report.stale_lines.as_slice()), ((1, 0, 2, 0), &[3][..]), "{report}");
}

#[test]
fn a_line_is_open_once_somebody_decided_about_one_that_it_links_to() {
    use LineAction::{Create, Open, Skip};
    let (host, rows) = (host(), file("AX BA X- CC DA"));
    let plan = host.plan(rows.as_str(), &ImportOptions::new());
    let actions = |plan: &ImportPlan| {
        let lines = &stored(plan).lines;
        let relinked = PlannedLine::relinked(lines);
        lines.iter().map(|line| line.action(relinked.contains(&line.line))).collect::<Vec<_>>()
    };
    assert_eq!(plan.lines[1].links.len(), 1);
    assert_eq!(plan.lines[3].links, []);
    assert_eq!(actions(&plan), [Create; 5]);
    let mut edited = plan.clone();
    edited.skip(4).unwrap();
    assert_eq!(actions(&edited), [Open, Create, Skip, Create, Create]);
    let again =
        import::replan(&host.system(), &host.store, &edited, Cursor::new(rows.clone()), &mut ()).unwrap();
    assert_eq!(actions(&again), [Create, Create, Skip, Create, Create]);
    edited.reset(4).unwrap();
    assert_eq!(actions(&edited), [Create; 5]);
    edited.lines.remove(2);
    assert_eq!(actions(&edited), [Open, Create, Create, Create]);
    // Where leads must have their links, also those behind it.
    let host = furnished_with(Host::new(), field().required(true));
    let mut plan = host.plan(file("AX BA XX CC DA"), &ImportOptions::new());
    plan.skip(4).unwrap();
    assert_eq!(actions(&plan), [Open, Open, Skip, Create, Open]);
    // What is done is no line of the plan.
    let host = furnished(Host::new());
    let options = ImportOptions::new().chunk(1);
    let mut heard = Heard { stop_after: Some(1), ..Heard::default() };
    let rows = file("X- AX BA");
    host.hear(&host.store, rows.clone(), &options, &mut heard).unwrap_err();
    let rest = host.plan(rows, &options);
    assert_eq!(actions(&rest), [Create; 2]);
    assert_eq!((rest.lines[0].links.len(), rest.lines[1].links.len()), (0, 1));
}

#[test]
fn a_part_of_the_leads_comes_in_elsewhere_without_links_to_the_others() {
    for format in formats() {
        let here = host();
        here.run(file("AB B- CA"));
        let ctx = here.system();
        let extent = Extent::Filter(Filter::new(
            Field::Company,
            Operator::In,
            FieldValue::List(vec!["A".into(), "C".into()]),
        ));
        let options = ExportOptions::new(format);
        let mut out = Vec::new();
        let written = here.store.read(ctx.tenant(), |txn| {
            out.clear();
            export(&ctx, txn, &extent, &options, &mut out)
        });
        let mapped = options.to_import().mapping(written.unwrap().mapping(&options));
        let own = [Some(mapped), (format != ExportFormat::JsonLines).then(|| options.to_import())];
        for options in own.into_iter().flatten() {
            let there = furnished(Host::elsewhere());
            let dry = there.dry(out.clone(), &options);
            let report = there.run_with(out.clone(), &options);
            for report in [&dry, &report] {
                assert_eq!((counts(report), report.left_out), ((2, 0, 0, 0), 1), "{format:?} {report}");
                assert_eq!(report.left_out_values[0].field, "x_parent");
            }
            assert_eq!(parents(&there), family("C<A"));
            // Where it is required, the lead is not taken, nor the one that needs it.
            let there = furnished_with(Host::elsewhere(), field().required(true));
            let report = there.run_with(out.clone(), &options);
            assert_eq!(counts(&report), (0, 0, 0, 2), "{format:?} {report}");
            assert!(report.rejections.iter().all(|told| told.field == "x_parent"), "{report}");
        }
    }
}
