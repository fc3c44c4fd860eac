//! The other process: this test binary, run again with a role in its environment.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::SqliteOptions;
use crate::error::StoreResult as _;
use crate::open::Database;

const ROLE: &str = "LEADCORE_SQLITE_TEST_ROLE";
const FILE: &str = "LEADCORE_SQLITE_TEST_FILE";

pub(super) fn command(role: &str, file: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "tests::child::other_process", "--nocapture"]).env(ROLE, role).env(FILE, file);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(super) fn spawn(role: &str, file: &Path) -> Child {
    command(role, file).spawn().unwrap()
}

pub(super) fn run(role: &str, file: &Path) -> String {
    said(spawn(role, file))
}

/// What the child printed after `said: `; it must have ended well.
pub(super) fn said(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let line = text.lines().find_map(|line| line.split_once("said: ")).expect("the child says something").1;
    line.to_owned()
}

#[test]
fn other_process() {
    let (Ok(role), Ok(file)) = (std::env::var(ROLE), std::env::var(FILE)) else { return };
    let file = Path::new(&file);
    let answer = match role.as_str() {
        "writes_200" => writes_200(file),
        "leadcore_writes_one" => leadcore_writes_one(file),
        "plain_sqlite_writes_one" => plain_sqlite_writes_one(file),
        "opens" => match Database::open(file, &SqliteOptions::new()) {
            Ok(_) => "opened".to_owned(),
            Err(error) => format!("{:?}: {error}", error.kind()),
        },
        #[cfg(target_os = "linux")]
        "keeps_it_open" => super::foreign::keeps_it_open(file),
        other => panic!("no such role: {other}"),
    };
    println!("said: {answer}");
}

fn writes_200(file: &Path) -> String {
    let options = SqliteOptions::new().busy_timeout(Duration::from_secs(600));
    let database = Database::open(file, &options).unwrap();
    for _ in 0..200 {
        database.write(|tx| tx.execute("UPDATE t SET n = n + 1", []).store("count")).unwrap();
    }
    format!("worst wait {} ms, {} retries", database.stats().worst_wait.as_millis(), database.stats().retries)
}

fn leadcore_writes_one(file: &Path) -> String {
    let options = SqliteOptions::new().busy_timeout(Duration::from_millis(300));
    let outcome = Database::open(file, &options)
        .and_then(|database| database.write(|tx| tx.execute("INSERT INTO t VALUES (2)", []).store("write")));
    outcome.map_or_else(|error| format!("{:?}", error.kind()), |_| "committed".to_owned())
}

fn plain_sqlite_writes_one(file: &Path) -> String {
    let conn = rusqlite::Connection::open(file).unwrap();
    conn.busy_timeout(Duration::from_millis(300)).unwrap();
    conn.execute("INSERT INTO t VALUES (2)", [])
        .map_or_else(|error| error.to_string(), |_| "committed".to_owned())
}
