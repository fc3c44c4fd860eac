//! Importing a file, and the memory that takes.

use std::fs::File;
use std::io::BufWriter;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use leadcore::exchange::import::{self, ImportOptions, ImportSink, LineOutcome, OnMatch, Progress};
use leadcore::prelude::*;
use leadcore::testkit::fixtures::realistic_csv;
use leadcore_sqlite::SqliteStore;

use crate::bare_write::{self, Place};
use crate::dot_import;
use crate::fixture::{Scene, bare};
use crate::runner::{Line, Runner, median, show, timed};

/// The argument that makes this program import a file and say how much memory that took.
pub(crate) const CHILD: &str = "--import-and-say-memory";

pub(crate) fn file(dir: &Path, lines: usize) -> PathBuf {
    let path = dir.join(format!("leads-{lines}.csv"));
    if !path.exists() {
        realistic_csv(lines, 11, BufWriter::new(File::create(&path).unwrap())).unwrap();
    }
    path
}

/// Takes a database away with all that stands beside it.
pub(crate) fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm", "-lock", "-next"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
}

/// An empty database with its default pipeline.
pub(crate) fn empty(path: &Path) -> (SqliteStore, Place) {
    remove(path);
    let store = SqliteStore::open(path).unwrap();
    let scene = Scene::new();
    let ctx = scene.ctx();
    // The first lead of a tenant makes its pipeline.
    let lead = store
        .write(ctx.tenant(), |txn| {
            desk::leads::create(&ctx, txn, LeadFields::company("First").unwrap().into())
        })
        .unwrap();
    let place =
        Place { pipeline: *lead.pipeline.as_uuid().as_bytes(), stage: *lead.stage.as_uuid().as_bytes() };
    (store, place)
}

pub(crate) fn import_into(
    store: &SqliteStore,
    path: &Path,
    sink: &mut dyn ImportSink,
) -> import::ImportReport {
    let scene = Scene::new();
    let options = ImportOptions::new().on_match(OnMatch::Skip);
    import::run(&scene.ctx(), store, File::open(path).unwrap(), &options, None, sink).unwrap()
}

/// The same file into two empty databases, in turns.
pub(crate) fn run(runner: Runner, dir: &Path, lines: usize) -> Vec<Line> {
    let path = file(dir, lines);
    let rounds = match lines {
        _ if runner.try_out => 1,
        0..50_000 => 5,
        50_000..500_000 => 3,
        _ => 1,
    };
    let (mut ours, mut theirs, mut walls) = (Vec::new(), Vec::new(), (Vec::new(), Vec::new()));
    for _ in 0..rounds {
        let (store, _) = empty(&dir.join("import.db"));
        let (report, cpu, wall) = timed(|| import_into(&store, &path, &mut ()));
        ours.push(cpu.as_secs_f64());
        walls.0.push(wall.as_secs_f64());
        let other = dir.join("import-bare.db");
        let (store, place) = empty(&other);
        drop(store);
        let conn = bare(&other);
        let (created, cpu, wall) = timed(|| bare_write::import(&conn, &path, place));
        theirs.push(cpu.as_secs_f64());
        walls.1.push(wall.as_secs_f64());
        let apart = report.created.abs_diff(created);
        assert!(apart * 50 <= created, "{} leads and {created} are not the same work", report.created);
    }
    let (leadcore, bare) = (median(ours), median(theirs));
    let each = lines as f64;
    let note = format!(
        "on the wall {:.1} and {:.1} s; {:.0} and {:.0} rows a second of processor time",
        median(walls.0),
        median(walls.1),
        each / leadcore,
        each / bare
    );
    let columns = dot_import::run(&path, &dir.join("import-columns.db"), lines, leadcore);
    for name in ["import.db", "import-bare.db", "import-columns.db"] {
        remove(&dir.join(name));
    }
    let line = Line { name: "import a CSV file", size: lines, leadcore, bare, note };
    eprintln!("{}", show(&line));
    vec![line, columns]
}

/// Watches the private memory of this process while it imports.
struct Peak(u64);

impl ImportSink for Peak {
    fn line(&mut self, _: &LineOutcome) {}

    fn progress(&mut self, _: &Progress) -> ControlFlow<()> {
        self.0 = self.0.max(status("RssAnon"));
        ControlFlow::Continue(())
    }
}

/// A line of what the kernel says about this process, in KiB.
fn status(key: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0)
}

/// The child: imports and says what it took.
pub(crate) fn child(file: &Path, database: &Path) {
    let (store, _) = empty(database);
    let mut peak = Peak(0);
    let report = import_into(&store, file, &mut peak);
    println!(
        "{} leads, {} MiB private, {} MiB in all",
        report.created,
        peak.0 / 1024,
        status("VmHWM") / 1024
    );
}

/// Lines of a kilobyte, as systems with many fields export them: a long description, which the import takes, and columns that
/// it leaves out.
fn wide_file(dir: &Path, lines: usize) -> PathBuf {
    let path = dir.join(format!("wide-{lines}.csv"));
    let mut reader = csv::Reader::from_path(file(dir, lines)).unwrap();
    let mut writer = csv::Writer::from_path(&path).unwrap();
    let mut head = reader.headers().unwrap().clone();
    head.push_field("Col 31");
    head.push_field("Col 32");
    writer.write_record(&head).unwrap();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).unwrap() {
        let said = |cell: &str| format!("{cell} {}", "Wants an offer for the whole year. ".repeat(10));
        let mut wide: csv::StringRecord = record
            .iter()
            .enumerate()
            .map(|(n, cell)| if n == 13 { said(cell) } else { cell.into() })
            .collect();
        wide.push_field(&"internal note, ".repeat(16));
        wide.push_field(&"0123456789abcdef".repeat(16));
        writer.write_record(&wide).unwrap();
    }
    writer.flush().unwrap();
    path
}

/// The memory that an import takes in a process of its own, for a small file and one ten times as large.
pub(crate) fn memory(runner: Runner, dir: &Path) {
    let sizes = if runner.try_out { [100, 1_000] } else { [100_000, 1_000_000] };
    println!("\n| memory of an import | lines | MB | peak |\n|---|---|---|---|");
    for lines in sizes {
        let path = wide_file(dir, lines);
        let megabytes = path.metadata().unwrap().len() / 1_000_000;
        let child = Command::new(std::env::current_exe().unwrap())
            .arg(CHILD)
            .args([&path, &dir.join("memory.db")])
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
        println!("| | {lines} | {megabytes} | {} |", String::from_utf8_lossy(&child.stdout).trim());
        remove(&dir.join("memory.db"));
    }
}
