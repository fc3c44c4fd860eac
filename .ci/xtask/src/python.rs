//! The Python side: an environment of our own in `target/venv`, the module built into it, its tests, types and style.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::steps::Steps;

const OLDEST: (u32, u32) = (3, 11);

/// The environment, ready to run tools in.
pub(crate) struct Venv {
    python: PathBuf,
    project: PathBuf,
}

impl Venv {
    /// `python -m tool …` in `leadcore-py/`, where the tools find their settings.
    fn tool<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.python);
        command.arg("-m").args(args).current_dir(&self.project);
        // The environment is complete in itself; what the caller's shell adds would only make runs differ.
        command.env_remove("PYTHONPATH").env_remove("PYTHONHOME").env_remove("PYTHONWARNINGS");
        command.env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("PIP_NO_INPUT", "1");
        command
    }
}

/// Builds and installs the module, then tests it in every way.
pub(crate) fn test(steps: &mut Steps) {
    let Some(venv) = install(steps, false) else { return };
    let examples = examples(&steps.root);
    steps.run("Python tests", &mut venv.tool(["pytest", "-q", "tests"]));
    for example in &examples {
        let name = example.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut command = Command::new(&venv.python);
        command.arg(example).current_dir(&steps.root).env_remove("PYTHONPATH");
        steps.quiet(&format!("Python example {name}"), &mut command);
    }
    let mut stubs = venv.tool(["mypy.stubtest", "leadcore", "--allowlist", "stubtest-allowlist.txt"]);
    steps.quiet("Python stubs describe the module", stubs.args(["--mypy-config-file", "pyproject.toml"]));
    steps.quiet("Python types", venv.tool(["mypy", "--strict", "python/leadcore", "tests"]).args(&examples));
    let style = ["--config", "pyproject.toml", "."];
    steps.quiet("Python lints", venv.tool(["ruff", "check", "--quiet"]).args(style).args(&examples));
    let mut format = venv.tool(["ruff", "format", "--check", "--quiet"]);
    steps.quiet("Python formatting", format.args(style).args(&examples));
}

/// Makes or refreshes the environment and installs the module as it is now.
///
/// The wheel is built with the development profile unless asked otherwise, so that it shares what the Rust tests compiled
/// where cargo chose the same features (SQLite's C code does, which is the slowest part). Symbols are stripped, which
/// keeps the wheel small and its installation quick.
pub(crate) fn install(steps: &mut Steps, release: bool) -> Option<Venv> {
    let venv = environment(steps)?;
    let wheels = steps.target.join("wheels-of-this-checkout");
    let _ = fs::remove_dir_all(&wheels); // one wheel must be left when maturin is done
    let mut build = venv.tool(["maturin", "build", "--quiet", "--strip", "--auditwheel", "skip"]);
    build.arg("--interpreter").arg(&venv.python).arg("--out").arg(&wheels);
    build.env("CARGO_TARGET_DIR", &steps.target);
    // What only the tests call is in the wheel of the tests alone.
    build.arg(if release { "--release" } else { "--features=testing" });
    steps.quiet("Python module: build", &mut build)?;
    let Some(wheel) = files(&wheels, "whl").pop() else {
        steps.fail("Python module: build", "maturin left no wheel");
        return None;
    };
    let mut pip = venv.tool(["pip", "install", "--quiet", "--no-deps", "--no-index", "--force-reinstall"]);
    steps.quiet("Python module: install", pip.arg(wheel))?;
    Some(venv)
}

/// `target/venv` with the tools of `requirements-test.txt`, made anew when that file or the interpreter changed.
fn environment(steps: &mut Steps) -> Option<Venv> {
    const NAME: &str = "Python environment";
    let directory = steps.target.join("venv");
    let venv = Venv {
        python: directory.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" }),
        project: steps.root.join("leadcore-py"),
    };
    let requirements = venv.project.join("requirements-test.txt");
    let found = interpreter().and_then(|python| {
        let wanted = fs::read_to_string(&requirements)
            .map_err(|error| format!("{}: {error}", requirements.display()))?;
        Ok((format!("{}\n{wanted}", python.description), python))
    });
    let (stamp, python) = match found {
        Ok(found) => found,
        Err(problem) => {
            println!("== {NAME}");
            steps.fail(NAME, &problem);
            return None;
        }
    };
    let stamp_file = directory.join("leadcore-stamp.txt");
    if fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) && describe(&venv.python).is_some() {
        return Some(venv);
    }
    let mut check = Command::new(&python.program);
    if !succeeds(check.args(["-c", "import venv, ensurepip"])) {
        println!("== {NAME}");
        let name = python.program.display();
        steps.fail(
            NAME,
            &format!("`{name}` has no venv module (on Debian and Ubuntu: apt-get install python3-venv)"),
        );
        return None;
    }
    let mut create = Command::new(&python.program);
    create.args(["-m", "venv", "--clear"]).arg(&directory);
    steps.quiet(&format!("{NAME}: create"), &mut create)?;
    let mut pip = venv.tool(["pip", "install", "--quiet", "--requirement"]);
    steps.quiet(&format!("{NAME}: install the tools (from PyPI)"), pip.arg(&requirements))?;
    if let Err(error) = fs::write(&stamp_file, stamp) {
        steps.fail(NAME, &format!("{}: {error}", stamp_file.display()));
        return None;
    }
    Some(venv)
}

/// A Python that can run the module.
struct Interpreter {
    program: PathBuf,
    /// Version and place, so that the environment is made anew when either changes.
    description: String,
}

/// The interpreter that `PYTHON` names, else the first one on the path that is new enough.
fn interpreter() -> Result<Interpreter, String> {
    let (major, minor) = OLDEST;
    if let Some(program) = std::env::var_os("PYTHON").filter(|name| !name.is_empty()) {
        let shown = program.to_string_lossy().into_owned();
        let description = describe(Path::new(&program)).ok_or(format!(
            "PYTHON names `{shown}`, which is not a working Python {major}.{minor} or later"
        ))?;
        return Ok(Interpreter { program: program.into(), description });
    }
    let numbered = (minor..minor + 8).rev().map(|minor| format!("python{major}.{minor}"));
    let mut names = vec!["python3".to_owned(), "python".to_owned()];
    names.extend(numbered);
    names
        .into_iter()
        .find_map(|name| {
            let description = describe(Path::new(&name))?;
            Some(Interpreter { program: name.into(), description })
        })
        .ok_or(format!("no Python {major}.{minor} or later found: install one, or name it in PYTHON"))
}

/// What the interpreter says about itself; nothing when it does not run or is too old.
fn describe(program: &Path) -> Option<String> {
    const ASK: &str = "import sys; print(*sys.version_info[:2], sys.version.split()[0], sys.base_prefix)";
    let output = Command::new(program).args(["-c", ASK]).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let output = output.ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    new_enough(&text).then_some(text)
}

fn new_enough(description: &str) -> bool {
    let mut numbers = description.split(' ').map_while(|word| word.parse().ok());
    matches!((numbers.next(), numbers.next()), (Some(major), Some(minor)) if (major, minor) >= OLDEST)
}

fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).output().is_ok_and(|output| output.status.success())
}

/// The Python examples, in order.
fn examples(root: &Path) -> Vec<PathBuf> {
    files(&root.join("examples"), "py")
}

fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_pythons_and_other_programs_are_refused() {
        assert!(new_enough("3 11 3.11.7 /usr"));
        assert!(new_enough("4 0 4.0.0 /usr"));
        assert!(!new_enough("3 9 3.9.2 /usr"));
        assert!(!new_enough("2 7 2.7.18 /usr"));
        assert!(!new_enough("hello"));
        assert!(!new_enough(""));
    }

    #[test]
    fn a_program_that_is_missing_is_no_interpreter() {
        assert_eq!(describe(Path::new("no-such-python-anywhere")), None);
    }
}
