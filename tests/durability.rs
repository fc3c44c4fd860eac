//! Killed, crowded, out of space: what was acknowledged stays, in whole chunks, and the next run goes on from there.

use std::io::{BufRead as _, BufReader, Cursor, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use leadcore::context::Context;
use leadcore::desk::leads;
use leadcore::domain::{Actor, Field};
use leadcore::error::ErrorKind;
use leadcore::exchange::import::{self, ImportOptions, ImportReport, ImportSink, LineOutcome, Progress};
use leadcore::id::{RandomIds, TenantId};
use leadcore::policy::AllowAll;
use leadcore::query::Filter;
use leadcore::store::StoreExt;
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::{Scene, realistic_csv};
use leadcore::time::SystemClock;
use leadcore_sqlite::rusqlite::Connection;
use leadcore_sqlite::{SqliteOptions, SqliteStore, SqliteTxn, migrate};

use crate::support::{accounted, company, counts, refused};

const DATABASE: &str = "LEADCORE_TEST_IMPORT_INTO";
const FILE: &str = "LEADCORE_TEST_IMPORT_FROM";
/// How many lines the file has, and how many are written at once.
const LINES: u64 = 1_200;
const CHUNK: u64 = 60;

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

fn options() -> ImportOptions {
    ImportOptions::new().chunk(usize::try_from(CHUNK).unwrap())
}

/// Says each chunk that is safely written.
struct Says;

impl ImportSink for Says {
    fn line(&mut self, _: &LineOutcome) {}

    fn progress(&mut self, progress: &Progress) -> ControlFlow<()> {
        println!("\ndone {} {}", progress.lines, progress.created);
        let _ = std::io::stdout().flush();
        ControlFlow::Continue(())
    }
}

fn import_file(database: &Path, file: &Path, sink: &mut dyn ImportSink) -> ImportReport {
    let patient = SqliteOptions::new().busy_timeout(std::time::Duration::from_secs(600));
    let store = SqliteStore::open_with(database, &patient).unwrap();
    let (clock, ids) = (SystemClock, RandomIds::new());
    let ctx = Context::new(&tenant(), Actor::System, &clock, &ids, &AllowAll);
    let input = std::fs::File::open(file).unwrap();
    let report = import::run(&ctx, &store, BufReader::new(input), &options(), None, sink).unwrap();
    accounted(&report);
    report
}

/// The other process: this binary again, told by its environment what to import.
#[test]
fn other_process() {
    let (Some(database), Some(file)) = (std::env::var_os(DATABASE), std::env::var_os(FILE)) else { return };
    let report = import_file(Path::new(&database), Path::new(&file), &mut Says);
    println!("\nended {:?}", counts(&report));
}

fn start(database: &Path, file: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "durability::other_process", "--nocapture"])
        .env(DATABASE, database)
        .env(FILE, file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap() };
        let mut file = std::fs::File::create(place.file()).unwrap();
        realistic_csv(usize::try_from(LINES).unwrap(), 11, &mut file).unwrap();
        place
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("leads.csv")
    }

    fn database(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// What is in a database, counted by plain SQL, after checking that it is sound: leads, leads created in the journal,
/// distinct numbers, the highest number.
fn census(database: &Path) -> [u64; 4] {
    let conn = Connection::open(database).unwrap();
    let text = |sql: &str| -> String { conn.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(text("PRAGMA integrity_check"), "ok");
    let mut orphans = conn.prepare("PRAGMA foreign_key_check").unwrap();
    assert!(!orphans.exists([]).unwrap(), "every reference leads somewhere");
    conn.execute_batch("INSERT INTO leadcore_lead_search(leadcore_lead_search) VALUES ('integrity-check')")
        .expect("the search index fits the leads");
    let number = |sql: &str| -> u64 {
        let count: i64 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
        u64::try_from(count).unwrap()
    };
    [
        number("SELECT count(*) FROM leadcore_lead"),
        number(
            "SELECT count(DISTINCT subject_id) FROM leadcore_entry WHERE action = 'created' AND subject_kind = 'lead'",
        ),
        number("SELECT count(DISTINCT number) FROM leadcore_lead"),
        number("SELECT coalesce(max(number), 0) FROM leadcore_lead"),
    ]
}

#[test]
fn killed_at_any_moment_an_import_leaves_whole_chunks_and_goes_on() {
    let place = Place::new();
    let whole = import_file(&place.database("whole.db"), &place.file(), &mut ());
    assert_eq!(whole.lines, LINES);
    let mut steps = Steps::default();
    import_file(&place.database("steps.db"), &place.file(), &mut steps);
    let database = place.database("killed.db");
    let mut acknowledged = (0, 0);
    for after in [1, 2, 1, 4, 3] {
        let mut child = start(&database, &place.file());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let said = lines.filter_map(|line| {
            let (lines, created) = line.strip_prefix("done ")?.split_once(' ')?;
            Some((lines.parse().unwrap(), created.parse().unwrap()))
        });
        acknowledged = said.take(after).last().unwrap_or(acknowledged);
        child.kill().unwrap();
        child.wait().unwrap();
        let store = SqliteStore::open(&database).unwrap();
        let there = store
            .read(&tenant(), |txn| txn.tallies().count(&leadcore::query::Resolved::everything()))
            .unwrap();
        drop(store);
        assert!(there >= acknowledged.1, "acknowledged {acknowledged:?}, there are {there}");
        assert!(
            there == 0 || steps.0.iter().any(|step| step.created == there),
            "{there} is no end of a chunk"
        );
        assert_eq!(census(&database), [there; 4], "leads, journal, numbers agree");
    }
    assert!(acknowledged.0 < LINES, "killed before the end");
    let report = import_file(&database, &place.file(), &mut ());
    assert!(report.resumed_after >= acknowledged.0);
    assert_eq!(counts(&report), counts(&whole), "exactly what one run makes of the file");
    assert_eq!(census(&database), [whole.created; 4]);
    let again = import_file(&database, &place.file(), &mut ());
    assert!(again.repeated);
}

#[derive(Default)]
struct Steps(Vec<Progress>);

impl ImportSink for Steps {
    fn line(&mut self, _: &LineOutcome) {}

    fn progress(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.0.push(*progress);
        ControlFlow::Continue(())
    }
}

#[test]
fn two_processes_share_one_file() {
    let place = Place::new();
    let whole = import_file(&place.database("whole.db"), &place.file(), &mut ());
    let database = place.database("shared.db");
    drop(SqliteStore::open(&database).unwrap());
    let children = [start(&database, &place.file()), start(&database, &place.file())];
    for child in children {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("\nended "), "{text}");
    }
    assert_eq!(census(&database), [whole.created; 4]);
    let again = import_file(&database, &place.file(), &mut ());
    assert!(again.repeated && again.lines == LINES);
}

#[test]
fn a_hosts_transaction_takes_both_or_neither() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("host.db");
    let mut conn = Connection::open(&file).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON; CREATE TABLE invoice (lead TEXT, total INTEGER)").unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    let scene = Scene::new("acme");
    let count = |conn: &Connection, table: &str| -> i64 {
        conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    for commit in [false, true, false] {
        let before = (count(&conn, "leadcore_lead"), count(&conn, "leadcore_entry"), count(&conn, "invoice"));
        let tx = conn.transaction().unwrap();
        let mut txn = SqliteTxn::on(&tx, &scene.tenant);
        let lead = leads::create(&scene.ctx(), &mut txn, company("Nordlys AS").into()).unwrap();
        tx.execute("INSERT INTO invoice VALUES (?1, 100)", [lead.id.to_string()]).unwrap();
        if commit {
            tx.commit().unwrap();
        } else {
            tx.rollback().unwrap();
        }
        let after = (count(&conn, "leadcore_lead"), count(&conn, "leadcore_entry"), count(&conn, "invoice"));
        let more = i64::from(commit);
        assert_eq!((after.0, after.2), (before.0 + more, before.2 + more));
        assert_eq!(after.1 > before.1, commit, "the journal too");
    }
    drop(conn);
    let store = SqliteStore::open(&file).unwrap();
    let found = store.read(&scene.tenant, |txn| leads::count(&scene.ctx(), txn, &Filter::everything()));
    assert_eq!(found.unwrap(), 1);
    let number = store.read(&scene.tenant, |txn| leads::by_number(&scene.ctx(), txn, 1)).unwrap().number;
    assert_eq!(number, 1, "what was rolled back gave its number back");
}

#[test]
fn a_full_disk_is_an_error_and_no_loss() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("full.db");
    drop(SqliteStore::open(&file).unwrap());
    // A database that may not grow beyond a few pages fails like a full disk (SQLITE_FULL).
    let conn = Connection::open(&file).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    let pages: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    conn.query_row(&format!("PRAGMA max_page_count = {}", pages + 60), [], |_| Ok(())).unwrap();
    let store = SqliteStore::from_connection(conn, &SqliteOptions::new()).unwrap();
    let scene = Scene::new("acme");
    let ctx = scene.ctx();
    let mut made = Vec::new();
    let error = loop {
        let mut fields = company("Nordlys AS");
        fields.description = Some("x".repeat(4_000));
        match store.write(&scene.tenant, |txn| leads::create(&ctx, txn, fields.clone().into())) {
            Ok(lead) => made.push(lead),
            Err(error) => break error,
        }
        assert!(made.len() < 1_000, "the disk never gets full");
    };
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    assert!(error.to_string().contains("full"), "{error}");
    assert!(made.len() > 3, "{}", made.len());
    let intact = |made: &[leadcore::domain::Lead]| {
        let ids: Vec<_> = made.iter().map(|lead| lead.id).collect();
        let there = store.read(&scene.tenant, |txn| txn.leads().get(&ids)).unwrap();
        assert_eq!(there, made, "every acknowledged lead is there as it was");
        let count = store.read(&scene.tenant, |txn| leads::count(&ctx, txn, &Filter::everything())).unwrap();
        assert_eq!(count, made.len() as u64, "and no other");
    };
    intact(&made);
    let before = dump(&store, &scene.tenant);
    let mut file_of_leads = Vec::new();
    realistic_csv(2_000, 3, &mut file_of_leads).unwrap();
    let run = import::run(&ctx, &store, Cursor::new(file_of_leads), &options(), None, &mut ());
    refused(run, ErrorKind::Storage);
    // Chunks that still fitted stay; what was there before is untouched.
    let lead_lines = |dump: &str| -> Vec<String> {
        dump.lines().filter(|line| line.starts_with("lead ")).map(str::to_owned).collect()
    };
    let now = lead_lines(&dump(&store, &scene.tenant));
    assert!(lead_lines(&before).iter().all(|line| now.contains(line)));
    // A small write into the space that is there still works, and the file is sound.
    let last = made.last().unwrap();
    let shorter = leadcore::domain::LeadPatch::new().set(Field::Description, "short");
    let edited = store.write(&scene.tenant, |txn| leads::edit(&ctx, txn, last.id, last.revision, &shorter));
    drop(store);
    let [leads, journal, numbers, _] = census(&file);
    assert_eq!([leads, journal], [numbers; 2]);
    let reopened = SqliteStore::open(&file).unwrap();
    if let Err(error) = edited {
        assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
        let again =
            reopened.write(&scene.tenant, |txn| leads::edit(&ctx, txn, last.id, last.revision, &shorter));
        again.expect("with space again, the write goes");
    }
    let more = reopened.write(&scene.tenant, |txn| leads::create(&ctx, txn, company("Space again").into()));
    more.expect("with space again, the store takes leads");
}
