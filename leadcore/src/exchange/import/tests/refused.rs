//! The file of rejected rows of an import that was broken off: all of them are in it, however many.

use super::*;
use crate::desk::undo;

/// Lines that are refused for one of several reasons, more than a report lists, and one in ten that is taken.
fn file() -> String {
    let line = |n: usize| match n % 10 {
        0 => format!("Company {n},a{n}@x.example\n"),
        1 | 2 => format!("Company {n},nobody {n}\n"),
        _ => format!("Company {n},a{n}@x.example,more,cells\n"),
    };
    std::iter::once("company,email\n".to_owned()).chain((0..3_000).map(line)).collect()
}

fn run(host: &Host, heard: &mut Heard) -> (Result<ImportReport>, String) {
    let mut rejects = Vec::new();
    let options = ImportOptions::new().chunk(250);
    let input = Cursor::new(file());
    let ctx = host.system();
    let report = import::run(&ctx, &host.store, input, &options, Some(&mut rejects), heard);
    (report, String::from_utf8(rejects).unwrap())
}

#[test]
fn every_refused_row_is_in_the_file_of_the_run_that_goes_on() {
    let whole = Host::new();
    let (report, expected) = run(&whole, &mut Heard::default());
    let report = report.unwrap();
    assert_eq!(counts(&report), (300, 0, 0, 2_700));
    assert_eq!(expected.lines().count(), 2_701);
    let host = Host::new();
    let (broken, _) = run(&host, &mut Heard { stop_after: Some(2_000), ..Heard::default() });
    broken.unwrap_err();
    let (again, all) = run(&host, &mut Heard::default());
    let again = again.unwrap();
    assert_eq!((counts(&again), again.resumed_after), (counts(&report), 2_000));
    assert!(all == expected, "{} lines", all.lines().count());
    // What the import noted about itself is nothing that could be taken back.
    let operation = again.operation.unwrap();
    let ctx = host.system();
    let undone = host.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, operation)).unwrap();
    assert_eq!((undone.totals.reversed, undone.remaining.len(), host.leads().len()), (300, 0, 0));
}
