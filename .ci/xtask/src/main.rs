//! leadcore's task runner: everything a person or CI runs, behind `cargo xtask`.
//!
//! It has no dependencies and needs nothing installed by hand but cargo and Python 3.11 or later. Each step prints one
//! line, `== step`; a step that fails prints its output and the command that failed, the steps that do not need it still
//! run, and the exit code says whether all of them passed.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod compat;
mod python;
mod rust;
mod steps;

use std::process::ExitCode;

use steps::Steps;

const USAGE: &str = "\
usage: cargo xtask <command>

  test          everything: test-rust, then test-python
  test-rust     unit, integration and documentation tests, examples, the dependency rules
  test-python   the Python module: tests, types and style
  lint          formatting and clippy, warnings are errors
  bench [args]  cargo bench, with what follows handed on
  compat [versions]
                the SQLite store's tests with these releases of rusqlite, or a selection of the range; takes a while
  python        make target/venv and install the Python module in it; --release for a fast one

PYTHON names the interpreter to use; CARGO_TARGET_DIR is honoured.";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let takes = match command.as_str() {
        "bench" | "compat" => true,
        "python" => rest == ["--release"],
        _ => false,
    };
    if !rest.is_empty() && !takes {
        return misuse(&format!("`{command}` does not take these arguments: {}", rest.join(" ")));
    }
    let mut steps = match Steps::new() {
        Ok(steps) => steps,
        Err(problem) => return misuse(&problem),
    };
    match command.as_str() {
        "test" => {
            rust::test(&mut steps);
            python::test(&mut steps);
        }
        "test-rust" => rust::test(&mut steps),
        "test-python" => python::test(&mut steps),
        "lint" => rust::lint(&mut steps),
        "bench" => rust::bench(&mut steps, &rest),
        "compat" => compat::run(&mut steps, &rest),
        "python" => {
            python::install(&mut steps, !rest.is_empty());
        }
        "" | "help" | "-h" | "--help" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        other => return misuse(&format!("no command `{other}`\n\n{USAGE}")),
    }
    steps.finish()
}

fn misuse(problem: &str) -> ExitCode {
    eprintln!("xtask: {problem}");
    ExitCode::from(2)
}
