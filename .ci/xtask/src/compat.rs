//! The SQLite store against releases across the range of rusqlite it declares (`docs/compatibility.md`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::steps::Steps;

/// Both ends of the range, and the releases between them where rusqlite or its SQLite changed most.
const RELEASES: [&str; 6] = ["0.32.1", "0.37.0", "0.38.0", "0.39.0", "0.40.2", "0.41.1"];

/// What cargo reads of the repository. The rest would only be copied for nothing.
const NEEDED: [&str; 9] = [
    "Cargo.toml",
    "clippy.toml",
    "README.md",
    ".ci",
    "leadcore",
    "leadcore-sqlite",
    "leadcore-py",
    "benches",
    "tests/all.rs",
];

/// Tests `leadcore-sqlite` with each of `releases`, all of them when it is empty, and prints a table for the docs.
///
/// They run in a copy of the sources in `target/compat`, where each release has a lock file of its own: that of the
/// checkout stays as it is, and only what depends on rusqlite is built for each.
pub(crate) fn run(steps: &mut Steps, releases: &[String]) {
    let all: Vec<String> = RELEASES.map(str::to_owned).to_vec();
    let releases = if releases.is_empty() { &all } else { releases };
    let mut rows = Vec::new();
    for release in releases {
        let began = Instant::now();
        let passed = test(steps, release);
        let (sqlite, result) = match &passed {
            Some(done) => (done.sqlite.as_str(), format!("{} tests pass", done.tests)),
            None => ("?", "**fails**".to_owned()),
        };
        rows.push(format!("| {release} | {sqlite} | {result} | {} |", began.elapsed().as_secs()));
    }
    println!("\n| rusqlite | libsqlite3-sys | result | seconds |\n|---|---|---|---|");
    println!("{}", rows.join("\n"));
}

/// What a release that passed has to say.
struct Passed {
    sqlite: String,
    tests: u32,
}

fn test(steps: &mut Steps, release: &str) -> Option<Passed> {
    let name = format!("leadcore-sqlite with rusqlite {release}");
    let base = steps.target.join("compat");
    let (copy, lock) = (base.join("source"), base.join(format!("{release}.lock")));
    if let Err(error) = copy_of(&steps.root, &copy) {
        steps.fail(&name, &format!("{}: {error}", copy.display()));
        return None;
    }
    let cargo = |steps: &Steps, args: &[&str]| -> Command {
        let mut cargo = steps.cargo(args);
        cargo.current_dir(&copy).env("CARGO_TARGET_DIR", base.join("target"));
        cargo
    };
    let mut pin = cargo(steps, &["update", "--quiet", "--package", "rusqlite", "--precise", release]);
    steps.quiet(&format!("{name}: lock file"), &mut pin)?;
    let _ = fs::copy(copy.join("Cargo.lock"), lock); // only for whoever wants to look
    let mut tree = cargo(steps, &["tree", "--quiet", "--package", "leadcore-sqlite", "--prefix", "none"]);
    let tree = steps.quiet(&format!("{name}: what is linked"), &mut tree)?;
    if version_of(&tree, "rusqlite") != Some(release) {
        steps.fail(&name, "cargo chose another release");
        return None;
    }
    let mut tests = cargo(steps, &["test", "--quiet", "--no-fail-fast", "--package", "leadcore-sqlite"]);
    let output = steps.quiet(&name, &mut tests)?;
    let sqlite = version_of(&tree, "libsqlite3-sys").unwrap_or("?").to_owned();
    Some(Passed { sqlite, tests: passed(&output) })
}

/// A copy of the sources with the lock file; files that did not change keep their time, so that nothing is built twice.
fn copy_of(root: &Path, copy: &Path) -> std::io::Result<()> {
    for name in NEEDED {
        mirror(&root.join(name), &copy.join(name))?;
    }
    fs::copy(root.join("Cargo.lock"), copy.join("Cargo.lock")).map(drop)
}

fn mirror(from: &Path, to: &Path) -> std::io::Result<()> {
    if !from.is_dir() {
        let text = fs::read(from)?;
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        return if fs::read(to).is_ok_and(|old| old == text) { Ok(()) } else { fs::write(to, text) };
    }
    fs::create_dir_all(to)?;
    let wanted: Vec<PathBuf> =
        fs::read_dir(from)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if !wanted.iter().any(|path| path.file_name() == Some(&entry.file_name())) {
            let path = entry.path();
            if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
        }
    }
    wanted.iter().try_for_each(|path| match path.file_name() {
        Some(name) => mirror(path, &to.join(name)),
        None => Ok(()),
    })
}

/// The version of a crate in a `cargo tree` listing (`name vVERSION …` a line).
fn version_of<'a>(tree: &'a str, name: &str) -> Option<&'a str> {
    let line = tree.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" v"))?;
    line.split_whitespace().next()
}

/// How many tests passed, by what `cargo test` wrote.
fn passed(output: &str) -> u32 {
    let results = output.lines().filter_map(|line| line.strip_prefix("test result: ok. "));
    results.filter_map(|rest| rest.split(' ').next()?.parse::<u32>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_results_are_read() {
        let tree = "leadcore-sqlite v0.1.0 (/x)\nrusqlite v0.32.1\nlibsqlite3-sys v0.30.1 (*)";
        assert_eq!(version_of(tree, "rusqlite"), Some("0.32.1"));
        assert_eq!(version_of(tree, "libsqlite3-sys"), Some("0.30.1"));
        assert_eq!(version_of(tree, "sqlite"), None);
        assert_eq!(
            passed(
                "running 3 tests\n...\ntest result: ok. 3 passed; 0 failed\n\ntest result: ok. 40 passed;"
            ),
            43
        );
    }
}
