//! Runs commands one step at a time and remembers which of them failed.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// The steps of one run.
pub(crate) struct Steps {
    /// The top of the repository.
    pub(crate) root: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
    /// Where the development profile puts what it builds: `target/debug`.
    pub(crate) built: PathBuf,
    failed: Vec<String>,
}

impl Steps {
    /// Finds the repository and the target directory this very program was built into.
    pub(crate) fn new() -> Result<Self, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .filter(|root| root.join("Cargo.toml").is_file())
            .ok_or("the repository moved since xtask was built: run `cargo clean -p xtask`")?;
        let program =
            std::env::current_exe().map_err(|error| format!("cannot find xtask itself: {error}"))?;
        let built = program.parent().ok_or("xtask has no directory")?;
        let target = built.parent().ok_or("xtask was not built into a target directory")?;
        Ok(Self { root: root.into(), target: target.into(), built: built.into(), failed: Vec::new() })
    }

    /// `cargo` as the one that runs us, at the top of the repository.
    pub(crate) fn cargo(&self, args: &[&str]) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(args).current_dir(&self.root);
        cargo
    }

    /// Runs a command whose own output says what it did (tests).
    pub(crate) fn run(&mut self, name: &str, command: &mut Command) -> bool {
        println!("== {name}");
        match command.status() {
            Ok(status) if status.success() => true,
            Ok(status) => self.fail(name, &format!("{status}: {}", shown(command))),
            Err(error) => self.fail(name, &format!("{error}: {}", shown(command))),
        }
    }

    /// Runs a command whose output matters only when it fails; gives what it wrote to standard output.
    pub(crate) fn quiet(&mut self, name: &str, command: &mut Command) -> Option<String> {
        println!("== {name}");
        match command.stdin(Stdio::null()).output() {
            Ok(output) if output.status.success() => {
                Some(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Ok(output) => {
                eprint!("{}", String::from_utf8_lossy(&output.stdout));
                eprint!("{}", String::from_utf8_lossy(&output.stderr));
                self.fail(name, &format!("{}: {}", output.status, shown(command)));
                None
            }
            Err(error) => {
                self.fail(name, &format!("{error}: {}", shown(command)));
                None
            }
        }
    }

    /// Notes that a step failed, and why. Always false, so that a caller can return it.
    pub(crate) fn fail(&mut self, name: &str, why: &str) -> bool {
        eprintln!("xtask: {name} failed: {why}");
        self.failed.push(name.to_owned());
        false
    }

    /// Says which steps failed and turns that into the exit code.
    pub(crate) fn finish(self) -> ExitCode {
        if self.failed.is_empty() {
            return ExitCode::SUCCESS;
        }
        eprintln!("xtask: {} of the steps failed: {}", self.failed.len(), self.failed.join("; "));
        ExitCode::FAILURE
    }
}

/// The command as a person would type it.
fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    for arg in command.get_args().map(|arg| arg.to_string_lossy()) {
        words.push(if arg.is_empty() || arg.contains(char::is_whitespace) {
            format!("'{arg}'")
        } else {
            arg.into_owned()
        });
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> Steps {
        Steps { root: ".".into(), target: ".".into(), built: ".".into(), failed: Vec::new() }
    }

    #[test]
    fn a_command_that_fails_or_is_missing_is_a_failed_step() {
        let mut steps = steps();
        let mut refused = steps.cargo(&["no-such-command"]);
        assert_eq!(steps.quiet("refused", &mut refused), None);
        assert!(!steps.run("missing", &mut Command::new("no-such-program-anywhere")));
        assert_eq!(steps.failed, ["refused", "missing"]);
    }

    #[test]
    fn commands_are_shown_as_typed() {
        let mut command = Command::new("python");
        command.args(["-m", "two words"]);
        assert_eq!(shown(&command), "python -m 'two words'");
    }
}
