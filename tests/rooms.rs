//! The house rules that a reader of the sources can check: who imports whom, no test file left out, no file too long.
//!
//! The rules are the tables right below; `ARCHITECTURE.md` says why they are as they are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What every room of the core may use.
const BASE: [&str; 4] = ["error", "id", "time", "value"];
/// What the pure decisions (import, duplicates …) and the use cases may use besides.
const BELOW_DESK: [&str; 5] = ["domain", "query", "policy", "store", "context"];

/// The rooms of the core, from the ground up, each with the rooms that it may use. A room may always use itself. A new
/// file or folder in `leadcore/src/` needs a row.
const ROOMS: &[(&str, &[&[&str]])] = &[
    ("error", &[&["id"]]),
    ("id", &[&["error", "time"]]),
    ("time", &[&["error"]]),
    ("value", &[&BASE]),
    ("domain", &[&BASE]),
    ("query", &[&BASE, &["domain"]]),
    ("policy", &[&BASE, &["domain", "query"]]),
    ("store", &[&BASE, &["domain", "query"]]),
    ("context", &[&BASE, &["domain", "query", "policy", "store"]]),
    ("memory", &[&BASE, &["domain", "query", "store"]]),
    ("dedupe", &[&BASE, &BELOW_DESK]),
    ("desk", &[&BASE, &BELOW_DESK, &["dedupe"]]),
    ("exchange", &[&BASE, &BELOW_DESK, &["dedupe", "desk"]]),
    ("testkit", &[&BASE, &BELOW_DESK, &["dedupe", "exchange", "desk"]]),
];

/// Words that must not occur in the code of a folder, and why.
const NOT_NAMED: &[(&str, &[&str], &str)] = &[
    (
        "leadcore/src",
        &["rusqlite", "pyo3", "postgres", "tokio", "leadcore_sqlite"],
        "the core knows no store, binding or runtime",
    ),
    (
        "leadcore-sqlite/src",
        &[
            "pyo3",
            "leadcore::desk",
            "leadcore::exchange",
            "leadcore::dedupe",
            "leadcore::policy",
            "leadcore::memory",
        ],
        "an adapter implements the ports and decides nothing",
    ),
    (
        "leadcore-py/src",
        &["rusqlite", "leadcore::memory", "leadcore::testkit"],
        "the binding is thin and sees concrete stores only",
    ),
    // What the compiler does not already forbid: with these three, everyone outside a crate sees its public API only.
    ("leadcore/src", &["doc(hidden)"], "what is public is documented"),
    ("leadcore-sqlite/src", &["doc(hidden)"], "what is public is documented"),
    ("leadcore-py/src", &["#[path"], "sources are not shared around the public API"),
    ("tests", &["#[path"], "tests use the public API"),
    ("examples", &["#[path"], "examples use the public API"),
    ("benches", &["#[path"], "benchmarks use the public API"),
];

/// A source file has at most this many lines.
const LONGEST: usize = 450;
/// The files that are longer, from the top of the repository. The list only shrinks; a new entry needs a reason.
const LONGER: &[&str] = &[];
/// Where sources are.
const SOURCES: [&str; 9] = [
    "leadcore/src",
    "leadcore-sqlite/src",
    "leadcore-py/src",
    "leadcore-py/python",
    "leadcore-py/tests",
    ".ci/xtask/src",
    "tests",
    "examples",
    "benches",
];

#[test]
fn every_room_imports_only_what_lies_below_it() {
    let mut broken = Vec::new();
    let mut checked = 0;
    for file in files_below("leadcore/src").into_iter().filter(|file| !holds_unit_tests(file)) {
        let inside = inside_core(&file);
        let Some(room) = room_of(&inside) else { continue };
        let code = without_tests(&read(&file));
        for used in rooms_used(&code, depth_of(&inside)) {
            checked += 1;
            if let Some(complaint) = complaint(&room, &used) {
                broken.push(format!("leadcore/src/{inside}: {complaint}"));
            }
        }
    }
    assert!(checked > 0, "no import found: the reader of this test is broken");
    assert_eq!(broken, [""; 0], "the rules are the table `ROOMS` in tests/rooms.rs");
}

#[test]
fn every_room_of_the_core_has_a_row() {
    let files = files_below("leadcore/src");
    let rooms: BTreeSet<String> = files.iter().filter_map(|file| room_of(&inside_core(file))).collect();
    let without: Vec<_> = rooms.iter().filter(|room| allowed(room).is_none()).collect();
    assert!(without.is_empty(), "no row in `ROOMS` (tests/rooms.rs) for {without:?}");
}

#[test]
fn no_crate_names_what_it_must_not_know() {
    let mut broken = Vec::new();
    for (folder, words, why) in NOT_NAMED {
        for file in files_below(folder) {
            if holds_unit_tests(&file) || file.ends_with("tests/rooms.rs") {
                continue;
            }
            let code = without_tests(&read(&file));
            for word in words.iter().filter(|word| names(&code, word)) {
                broken.push(format!("{} names `{word}`: {why}", shown(&file)));
            }
        }
    }
    assert_eq!(broken, [""; 0]);
}

#[test]
fn every_test_file_is_listed() {
    let root = root();
    let all = read(&root.join("tests/all.rs"));
    let listed: BTreeSet<&str> = all
        .lines()
        .filter_map(|line| line.trim().trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    let missing: Vec<String> = entries(&root.join("tests"))
        .iter()
        .filter(|path| is_source(path) || path.join("mod.rs").is_file())
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .filter(|name| name != "all" && !listed.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "tests/all.rs must say `mod …;` for {missing:?}, or they never run");
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = SOURCES
        .iter()
        .flat_map(|folder| files_below(folder))
        .filter(|file| read(file).lines().count() > LONGEST)
        .map(|file| shown(&file))
        .collect();
    assert_eq!(long, LONGER, "files of more than {LONGEST} lines (left) and the list of exceptions (right)");
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let code = "\
        use crate::value::Email;\n\
        use crate::{error::{Error, Result}, time::Timestamp};\n\
        // use crate::comment::Ignored;\n\
        /// [`x`](crate::link::Ignored)\n\
        use super::super::store::Txn;\n\
        use super::sibling::Thing;\n\
        fn f() -> crate::id::LeadId { $crate::domain::new() } // crate::trailing::Ignored\n\
        crate::exported!();\n\
        use crate::{\n    desk,\n    query::{Filter, Sort},\n};\n\
        #[cfg(test)]\n\
        mod tests {\n    use crate::memory::MemoryStore;\n}\n";
    let used = rooms_used(&without_tests(code), 2);
    assert_eq!(
        used.into_iter().collect::<Vec<_>>(),
        ["desk", "domain", "error", "id", "query", "store", "time", "value"]
    );
}

#[test]
fn a_forbidden_import_is_a_complaint() {
    assert_eq!(complaint("desk", "store"), None);
    assert_eq!(complaint("desk", "desk"), None);
    assert!(complaint("value", "domain").is_some());
    assert!(complaint("store", "policy").is_some());
    assert!(complaint("testkit", "memory").is_some());
    for room in ["desk", "exchange", "dedupe"] {
        assert!(complaint(room, "memory").is_some(), "{room} must not know an adapter");
    }
    assert!(complaint("desk", "Error").is_some(), "what lies at the root is imported from its room");
}

#[test]
fn a_name_is_found_as_a_whole_word() {
    assert!(names("use rusqlite::Connection;", "rusqlite"));
    assert!(!names("fn from_rusqlite_like() {}", "rusqlite"));
    assert!(!names("/// Unlike rusqlite", "rusqlite"));
    assert!(names("use leadcore::{\n    store::Txn,\n    desk::Desk,\n};", "leadcore::desk"));
    assert!(!names("use leadcore::{store::desk};", "leadcore::desk"));
}

/// Why `room` may not use `used`, if it may not.
fn complaint(room: &str, used: &str) -> Option<String> {
    if used == room || allowed(room)?.contains(used) {
        return None;
    }
    if allowed(used).is_none() {
        return Some(format!("`crate::{used}` is not a room: import it from the room it lives in"));
    }
    Some(format!("`{room}` may not use `{used}`"))
}

fn allowed(room: &str) -> Option<BTreeSet<&'static str>> {
    let (_, lists) = ROOMS.iter().find(|(name, _)| *name == room)?;
    Some(lists.iter().flat_map(|list| list.iter().copied()).collect())
}

/// The first name after the crate's root, for every path in the code that starts there: `crate::…`, `$crate::…`, and
/// as many `super::` as the file lies deep.
fn rooms_used(code: &str, depth: usize) -> BTreeSet<String> {
    let mut used = names_after("crate::", code);
    used.extend(names_after(&"super::".repeat(depth), code));
    used
}

/// The first name of every path that goes on after `prefix`.
fn names_after(prefix: &str, code: &str) -> BTreeSet<String> {
    let code: String = code.lines().map(code_of).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        if !code.get(..at).unwrap_or_default().ends_with(part_of_name) {
            found.extend(first_names(code.get(at + prefix.len()..).unwrap_or_default()));
        }
    }
    found
}

/// `a::b` gives a; `{a::{b, c}, d}` gives a and d.
fn first_names(path: &str) -> Vec<String> {
    let Some(list) = path.strip_prefix('{') else {
        let name: String = path.chars().take_while(|c| part_of_name(*c)).collect();
        // Exported macros lie at the root of a crate, whatever room wrote them.
        let is_macro = path.get(name.len()..).is_some_and(|rest| rest.starts_with('!'));
        return if is_macro { Vec::new() } else { vec![name] };
    };
    let mut names = vec![String::new()];
    let mut depth = 1_u32;
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(String::new()),
            _ if depth == 1 => names.iter_mut().last().into_iter().for_each(|name| name.push(c)),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names.iter().flat_map(|name| first_names(name.trim())).filter(|name| !name.is_empty()).collect()
}

/// A line without its comment. A `//` inside a text is cut too, which hides nothing that matters here.
fn code_of(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// The file up to its unit tests, which may use every room.
fn without_tests(text: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let tests = line == "#[cfg(test)]"
            && lines.peek().is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
        if tests {
            break;
        }
        kept.push(line);
    }
    kept.join("\n")
}

/// Unit tests in files of their own: `…/tests.rs`, `…/tests/….rs`.
fn holds_unit_tests(file: &Path) -> bool {
    let inside = shown(file);
    inside.ends_with("/tests.rs") || inside.contains("/tests/")
}

fn part_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether the code holds the word; `leadcore::room` is also found in `leadcore::{other, room::Thing}`.
fn names(code: &str, word: &str) -> bool {
    if let Some(room) = word.strip_prefix("leadcore::") {
        return names_after("leadcore::", code).contains(room);
    }
    code.lines().map(code_of).any(|line| {
        line.match_indices(word).any(|(at, _)| {
            let before = line.get(..at).unwrap_or_default();
            let after = line.get(at + word.len()..).unwrap_or_default();
            !before.ends_with(part_of_name) && !after.starts_with(part_of_name)
        })
    })
}

/// `value/email.rs` belongs to `value`, `error.rs` to `error`, `lib.rs` to none.
fn room_of(inside: &str) -> Option<String> {
    let first = inside.split('/').next()?.trim_end_matches(".rs");
    (first != "lib").then(|| first.to_owned())
}

/// How many `super::` lead from the file to the crate's root.
fn depth_of(inside: &str) -> usize {
    inside.trim_end_matches("/mod.rs").split('/').count()
}

fn inside_core(file: &Path) -> String {
    shown(file).trim_start_matches("leadcore/src/").to_owned()
}

/// The path from the top of the repository, with `/` on every system.
fn shown(file: &Path) -> String {
    let root = root();
    let inside = file.strip_prefix(&root).unwrap_or(file);
    inside.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file below a folder, in order. Stubs (`.pyi`) are not sources: they are as long as the module is wide.
fn files_below(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(directory) = open.pop() {
        for path in entries(&directory) {
            if path.is_dir() {
                open.push(path);
            } else if is_source(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs" || extension == "py")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", shown(file)))
}
