//! The same file into a table of bare text columns: by the shell of SQLite where it is installed, else by plain inserts.

use std::path::Path;
use std::process::Command;

use rusqlite::Connection;

use crate::runner::{Line, show, timed};

/// The processor time of children, in seconds, from what `times` of a shell says: `0m1.23s 0m0.45s`.
fn seconds(text: &str) -> Option<f64> {
    let one = |word: &str| {
        let (minutes, seconds) = word.trim_end_matches('s').split_once('m')?;
        Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
    };
    text.lines().last()?.split_whitespace().map(one).sum()
}

/// `.import`, which reads no quotes but CSV's, checks nothing and writes no index; `None` without the shell.
fn by_shell(file: &Path, database: &Path) -> Option<f64> {
    let script = format!(
        "sqlite3 '{}' 'PRAGMA journal_mode=WAL' '.import --csv {} columns' >/dev/null && times",
        database.display(),
        file.display()
    );
    let done = Command::new("bash").args(["-c", &script]).output().ok()?;
    done.status.success().then(|| seconds(&String::from_utf8_lossy(&done.stdout)))?
}

fn by_inserts(file: &Path, database: &Path) -> f64 {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let heads: Vec<String> =
        reader.headers().unwrap().iter().map(|head| format!("\"{head}\" TEXT")).collect();
    let conn = Connection::open(database).unwrap();
    conn.execute_batch(&format!(
        "PRAGMA journal_mode=WAL; CREATE TABLE columns ({}); BEGIN",
        heads.join(", ")
    ))
    .unwrap();
    let ((), cpu, _) = timed(|| {
        let marks = vec!["?"; heads.len()].join(", ");
        let mut insert = conn.prepare(&format!("INSERT INTO columns VALUES ({marks})")).unwrap();
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).unwrap() {
            insert.execute(rusqlite::params_from_iter(record.iter())).unwrap();
        }
        conn.execute_batch("COMMIT").unwrap();
    });
    cpu.as_secs_f64()
}

/// What leadcore took for the file, beside that.
pub(crate) fn run(file: &Path, database: &Path, lines: usize, leadcore: f64) -> Line {
    crate::import::remove(database);
    let (bare, note) = match by_shell(file, database) {
        Some(seconds) => (seconds, "the shell's .import, one transaction, text columns, no index".to_owned()),
        None => (by_inserts(file, database), "no shell: plain inserts, text columns, no index".to_owned()),
    };
    let line = Line { name: "import a CSV file, against .import", size: lines, leadcore, bare, note };
    eprintln!("{}", show(&line));
    line
}
