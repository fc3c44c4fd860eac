//! The fuzz targets (`fuzz/`) on known inputs and on changed copies of them, the same at every run.
//!
//! A fuzzer finds more; this holds what it found. An input that broke something goes into `tests/fuzz_corpus/`.

use std::fs;
use std::path::Path;

use leadcore_fuzz::mutate::Dice;
use leadcore_fuzz::{Seen, cards, coercions, json, mapping, pack, text, workbook};

/// The files of one target, by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz_corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() > 2, "{}", folder.display());
    files
}

/// Says which input it was, should the target panic.
struct Told<'i>(&'i [u8]);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input, for tests/fuzz_corpus: b\"{}\"", self.0.escape_ascii());
        }
    }
}

fn run(target: fn(&[u8]) -> Seen, input: &[u8]) -> Seen {
    let _told = Told(input);
    target(input)
}

/// Pieces that are repeated forty times make few inputs long and slow.
const LONGEST: usize = 20 * 1024;

/// Every file, every beginning of some, and so many changed copies; how many were read.
fn fuzz(name: &str, target: fn(&[u8]) -> Seen, changes: u64) -> (usize, usize) {
    let beginnings = usize::try_from(changes / 100).unwrap();
    let files: Vec<Vec<u8>> = corpus(name).into_iter().map(|(_, bytes)| bytes).collect();
    for file in &files {
        run(target, file);
        for end in (0..file.len()).step_by(file.len() / beginnings + 1) {
            run(target, &file[..end]);
        }
    }
    let (mut read, mut refused) = (0, 0);
    for seed in 0..changes {
        let mut input = Dice::new(seed).changed(&files);
        // What is found at such lengths is found in less; the limits of the targets lie below.
        input.truncate(LONGEST);
        let seen = run(target, &input);
        *(if seen.refused { &mut refused } else { &mut read }) += 1;
    }
    (read, refused)
}

/// Both ways of a target are taken, or its inputs teach nothing.
#[track_caller]
fn both((read, refused): (usize, usize)) {
    assert!(read > 50 && refused > 10, "{read} read, {refused} refused");
}

#[test]
fn changed_text_is_read_or_refused() {
    both(fuzz("text", text, 2_000));
}

#[test]
fn changed_json_is_read_or_refused() {
    both(fuzz("json", json, 2_000));
}

#[test]
fn changed_cards_are_read_or_refused() {
    both(fuzz("cards", cards, 2_000));
}

#[test]
fn changed_workbooks_are_read_or_refused() {
    both(fuzz("workbook", workbook, 2_000));
}

#[test]
fn changed_archives_are_read_or_refused() {
    let packed = corpus("workbook").into_iter().filter(|(name, _)| name.ends_with(".txt"));
    let packed: Vec<Vec<u8>> = packed.map(|(_, parts)| pack(&parts)).collect();
    let read = (0..2_000).filter(|seed| !run(workbook, &Dice::new(*seed).changed(&packed)).refused).count();
    assert!(read > 10, "{read} read");
}

#[test]
fn changed_cells_become_values_or_reasons() {
    // Each of them is a dry run of an import.
    let (read, _) = fuzz("coercions", coercions, 2_000);
    assert!(read > 1_000, "{read} read");
}

#[test]
fn changed_mappings_are_taken_or_refused() {
    // Most changes make JSON that is none.
    let (read, refused) = fuzz("mapping", mapping, 2_000);
    assert!(read > 10 && refused > 10, "{read} read, {refused} refused");
}

#[test]
fn the_known_inputs_are_what_they_should_be() {
    let rows = |name: &str, target: fn(&[u8]) -> Seen| -> Vec<(String, u64)> {
        corpus(name).into_iter().map(|(name, bytes)| (name, run(target, &bytes).rows)).collect()
    };
    let found = [rows("text", text), rows("json", json), rows("cards", cards), rows("workbook", workbook)];
    let of = |name: &str| found.iter().flatten().find(|(known, _)| known == name).unwrap().1;
    let expected = [
        ("plain.csv", 3),
        ("tabs_utf16.tsv", 2),
        ("headless.csv", 3),
        ("decided_rows", 1),
        ("lines.jsonl", 2),
        ("list.json", 2),
        ("v3.vcf", 1),
        // The second card holds a third without `AGENT:`, which vCard 4.0 does not know (RFC 6350, appendix A.2): that is
        // a person of its own. The second has no end before it and is a row that cannot be read.
        ("v4.vcf", 3),
        ("old.xls", 2),
        ("xlsx_parts.txt", 3),
        ("ods_parts.txt", 4),
    ];
    assert_eq!(expected.map(|(name, _)| (name, of(name))), expected);
}
