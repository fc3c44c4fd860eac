//! The Rust side: tests, examples, dependency rules, lints, benchmarks.

use std::path::PathBuf;
use std::process::Command;

use crate::steps::Steps;

/// What every build selects, clippy's included: cargo chooses features for the selection as a whole, so the same one
/// everywhere means one set of compiled crates. The Python module is in it, but has nothing that `cargo test` runs.
const WORKSPACE: [&str; 2] = ["--workspace", "--all-features"];

/// Crates that must stay out of the core whatever its features are.
const NOT_IN_CORE: [&str; 6] = ["rusqlite", "libsqlite3-sys", "pyo3", "tokio", "postgres", "openssl-sys"];

/// Everything there is to test without Python.
pub(crate) fn test(steps: &mut Steps) {
    let mut tests = steps.cargo(&["test", "--quiet", "--no-fail-fast"]);
    steps.run("unit, integration and documentation tests", tests.args(WORKSPACE));
    examples(steps);
    let mut docs = steps.cargo(&["doc", "--quiet", "--no-deps"]);
    docs.args(WORKSPACE).args(["--exclude", "xtask"]).env("RUSTDOCFLAGS", "-D warnings");
    steps.quiet("documentation without warnings", &mut docs);
    // By clippy, which alone denies warnings without compiling every dependency with other flags.
    let mut core = steps.cargo(&["clippy", "--quiet", "--package", "leadcore", "--no-default-features"]);
    steps.quiet("the core without default features", core.args(["--", "-D", "warnings"]));
    dependencies(steps);
}

/// Formatting and clippy for every member, the Python module included.
pub(crate) fn lint(steps: &mut Steps) {
    let mut fmt = steps.cargo(&["fmt", "--all", "--", "--check"]);
    steps.run("formatting", &mut fmt);
    let mut clippy = steps.cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--all-features"]);
    steps.run("clippy", clippy.args(["--", "-D", "warnings"]));
}

/// `cargo bench` with the caller's arguments.
pub(crate) fn bench(steps: &mut Steps, args: &[String]) {
    let mut bench = steps.cargo(&["bench", "--package", "leadcore-workspace"]);
    steps.run("benchmarks", bench.args(args));
}

/// Builds the examples and runs each in an empty folder, so that none meets what an earlier run left. The built programs
/// are started directly: asking cargo again for one package would choose other features and compile everything anew.
fn examples(steps: &mut Steps) {
    let names = example_names(&steps.root);
    if names.is_empty() {
        return;
    }
    let mut build = steps.cargo(&["build", "--quiet", "--examples"]);
    if steps.quiet("examples: build", build.args(WORKSPACE)).is_none() {
        return;
    }
    let scratch = steps.built.join("example-runs");
    let _ = std::fs::remove_dir_all(&scratch);
    if let Err(error) = std::fs::create_dir_all(&scratch) {
        eprintln!("xtask: no folder for the examples: {error}");
    }
    for name in names {
        let program = steps.built.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        let mut command = Command::new(program);
        command.current_dir(&scratch);
        steps.quiet(&format!("example {name}"), &mut command);
    }
}

/// `examples/name.rs` and `examples/name/main.rs`, in order.
fn example_names(root: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(root.join("examples")).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "rs") || path.join("main.rs").is_file())
        .filter_map(|path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// Proves from cargo's own answer that the core stays free of stores, bindings and runtimes.
fn dependencies(steps: &mut Steps) {
    const NAME: &str = "what the core depends on";
    let mut tree = steps.cargo(&["tree", "--package", "leadcore", "--all-features", "--target", "all"]);
    tree.args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
    let Some(listing) = steps.quiet(NAME, &mut tree) else { return };
    let found = forbidden(&listing);
    if !listing.starts_with("leadcore ") {
        steps.fail(NAME, "`cargo tree` did not list leadcore");
    } else if !found.is_empty() {
        steps.fail(NAME, &format!("leadcore must not pull in {}", found.join(", ")));
    }
}

/// Which crates of a `cargo tree` listing (`name version …` a line) may not be there.
fn forbidden(listing: &str) -> Vec<&'static str> {
    let names: Vec<&str> = listing.lines().filter_map(|line| line.split_whitespace().next()).collect();
    NOT_IN_CORE.into_iter().filter(|name| names.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_crate_is_found_by_its_whole_name() {
        assert_eq!(forbidden("leadcore v0.1.0 (/x)\nserde v1.0.229\ntokio-like v1.0.0"), [""; 0]);
        assert_eq!(forbidden("leadcore v0.1.0\npyo3 v0.30.1 (*)\nrusqlite v0.41.1"), ["rusqlite", "pyo3"]);
    }
}
