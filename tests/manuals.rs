//! Every row that this release must satisfy has an acceptance test of its name.

use std::path::Path;

/// The rows: manual and statement.
const ROWS: &str = "\
    s0_01 s0_02 s0_03 s0_04 s0_05 s0_06 s0_07 s0_08 s0_09 s0_10 s0_11 s0_12 s0_13 s0_14 s0_15 s0_16 s0_17 \
    s0_18 s0_19 s0_20 s0_21 s0_22 s0_23 s0_24 s0_25 s0_26 s0_27 s0_28 s0_29 s0_30 s0_31 s0_32 s0_36 s0_37 s0_38 s0_39 s0_40 s1_01 s1_02 s1_03 \
    s1_05 s1_07 s1_08 s1_09 s1_10 s1_12 s1_13 s1_15 s1_16 s1_17 s1_18 s1_19 s1_21 s1_22 s1_23 s1_24 s1_25 s2_01 s2_02 \
    s2_03 s2_04 s2_05 s2_06 s2_07 s2_08 s2_09 s2_11 s2_12 s2_13 s2_14 s2_15 s2_16 s2_17 s2_18 s2_20 s2_21 s2_22 \
    s2_23 s2_28 s3_02 s3_03 s3_04 s3_05 s3_06 s3_07 s3_09 s4_01 s4_04 s4_05 s4_06 s4_07 s4_09 s4_11 s4_12 s4_13 s4_15 x_15 x_16 x_17 \
    x_18 x_19 x_20 x_21 x_22 x_23 x_27 \
    x_28 x_29 x_30 x_31 x_32 x_33 x_34 x_35 x_36 x_37 x_38 x_39 x_46 x_47 x_49 x_50 x_52 x_53 x_54 x_55 x_57 x_58 x_61 x_62 x_65 x_67 \
    s1_06 s1_14 s2_24 s2_25 s2_26 s2_27 s3_08 s4_08 s4_10 s4_14 x_02 x_04 x_05 x_06 x_07 x_08 x_09 x_68";

/// The names of all functions that the test harnesses of Rust and Python run, also of those in folders.
fn names_in(folder: &Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names_in(&path, names);
            continue;
        }
        let Some(extension) = path.extension().and_then(|extension| extension.to_str()) else { continue };
        if !["rs", "py"].contains(&extension) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        if extension == "py" {
            let tests = text.lines().filter_map(|line| line.strip_prefix("def test_"));
            names.extend(tests.map(|name| name.split('(').next().unwrap_or_default().to_owned()));
            continue;
        }
        let mut lines = text.lines().map(str::trim_start);
        while let Some(line) = lines.next() {
            // Only what the test harness runs counts.
            if line == "#[test]" {
                let name = lines.next().and_then(|line| line.strip_prefix("fn ")).unwrap_or_default();
                names.push(name.split('(').next().unwrap_or_default().to_owned());
            }
        }
    }
}

#[test]
fn every_row_has_a_test_of_its_name() {
    let mut names = Vec::new();
    for folder in ["tests", "leadcore-py/tests"] {
        names_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut names);
    }
    // A row that is proved in several parts has several tests, and a test may prove two rows: `s4_11_and_s4_12_…`.
    let proves = |name: &str, row: &str| {
        let rows = format!("{row}_");
        name.starts_with(&rows) || name.contains(&format!("_and_{rows}"))
    };
    let without: Vec<_> =
        ROWS.split_whitespace().filter(|row| !names.iter().any(|name| proves(name, row))).collect();
    assert_eq!(without, [""; 0], "rows without a test named after them");
    let mut named: Vec<_> =
        names.iter().filter(|name| ROWS.split_whitespace().any(|row| proves(name, row))).collect();
    named.sort();
    let twice: Vec<_> = named.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "a name says which test it is: {twice:?}");
}
