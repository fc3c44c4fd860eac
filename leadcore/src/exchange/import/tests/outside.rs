//! Imports of other people's files, which are not part of this project.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::*;
use crate::exchange::ReadOptions;
use crate::value::Country;

/// The folder of outside data, or `None` with a loud note.
fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let root = std::env::var_os("LEADCORE_SHARED").map_or(beside, PathBuf::from);
    let data = root.join("data");
    if data.join("leads-xeducation").is_dir() {
        return Some(data);
    }
    eprintln!(
        "NOT TESTED: no outside lead files at {}; set LEADCORE_SHARED to test with them",
        data.display()
    );
    None
}

/// Imports a file and says what became of it, then again, which must change nothing.
fn import(file: &Path, options: &ImportOptions) -> ImportReport {
    let host = Host::new();
    let started = Instant::now();
    let dry =
        import::dry_run(&host.system(), &host.store, File::open(file).unwrap(), options, &mut ()).unwrap();
    let dried = started.elapsed();
    let mut heard = Heard::default();
    let input = File::open(file).unwrap();
    let report = import::run(&host.system(), &host.store, input, options, None, &mut heard).unwrap();
    accounted(&report);
    assert_eq!(counts(&dry), counts(&report), "{}", file.display());
    assert_eq!(dry.new_values, report.new_values);
    assert_eq!(host.leads().len() as u64, report.created);
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for heard in &heard.lines {
        if let Outcome::Rejected { reasons: broken } = &heard.outcome {
            for reason in broken {
                *reasons.entry(reason.to_string()).or_default() += 1;
            }
        }
    }
    println!("== {}", file.display());
    println!("{}", ImportReport { rejections: Vec::new(), rejections_left_out: 0, ..report.clone() });
    println!("reasons: {reasons:#?}");
    println!("dry run {dried:?}, both {:?}\n", started.elapsed());

    // Another attempt reads the same leads and finds nothing to change.
    let before = host.leads();
    let again = options.clone().attempt(2);
    let second = import::run(&host.system(), &host.store, File::open(file).unwrap(), &again, None, &mut ());
    let second = second.unwrap();
    accounted(&second);
    assert_eq!(second.created, 0, "{second}");
    println!("another attempt: {:?}", counts(&second));
    assert_eq!(host.leads().len(), before.len());
    report
}

#[test]
fn outside_files_are_taken_line_by_line() {
    let Some(data) = shared() else { return };
    let plain = ImportOptions::new().read(ReadOptions::new());
    let in_us = plain.clone().region(Country::parse("US").unwrap());
    let files = [
        ("leads-xeducation/leads.csv", 9240, &plain),
        ("leads-zoho-demo/Leads.csv", 3900, &in_us),
        ("leads-datablist/leads-10000.csv", 10_000, &in_us),
        ("leads-olist/marketing_qualified_leads.csv", 8000, &plain),
        ("leads-mautic-demo/leads.csv", 54, &plain),
    ];
    for (name, lines, options) in files {
        let report = import(&data.join(name), options);
        assert_eq!(report.lines, lines, "{name}");
    }
}
