//! An error or a kill at the n-th write of a conversion, for every n: nothing or all, and a retry completes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use leadcore::desk::convert::{
    self, ConversionOptions, ConversionOutcome, CustomerType, EstimateChoice, OpportunityRequest,
};
use leadcore::desk::{estimates, series};
use leadcore::domain::{EstimateFields, Lead, Line, Series, SeriesFields};
use leadcore::error::{Conflict, Result};
use leadcore::id::LeadId;
use leadcore::store::StoreExt as _;
use leadcore::testkit::dump;
use leadcore_sqlite::rusqlite::functions::FunctionFlags;
use leadcore_sqlite::rusqlite::{self, Connection};
use leadcore_sqlite::{SqliteOptions, SqliteStore, SqliteTxn};

use super::worked;
use crate::support::Host;

const DATABASE: &str = "LEADCORE_TEST_KILL_IN";
const LEAD: &str = "LEADCORE_TEST_KILL_LEAD";
const AT: &str = "LEADCORE_TEST_KILL_AT";

/// What happens at the write that was asked for.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// The write fails.
    Error,
    /// It says so and waits for the end.
    Wait,
}

/// A connection on which the n-th row that is written to any table of ours meets a fault. The countdown is shared.
fn faulty(file: &Path, fault: Fault) -> (Connection, Arc<AtomicI64>) {
    let conn = Connection::open(file).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL")
        .unwrap();
    conn.busy_timeout(std::time::Duration::from_secs(600)).unwrap();
    let left = Arc::new(AtomicI64::new(i64::MAX));
    let counter = Arc::clone(&left);
    conn.create_scalar_function("fault_here", 0, FunctionFlags::SQLITE_UTF8, move |_| {
        let hit = counter.fetch_sub(1, Ordering::SeqCst) == 1;
        match fault {
            // The other process is killed here.
            Fault::Wait if hit => {
                println!("\nthere");
                let _ = std::io::stdout().flush();
                loop {
                    std::thread::park();
                }
            }
            Fault::Error if hit => Err(rusqlite::Error::UserFunctionError("the disk is gone".into())),
            _ => Ok(0),
        }
    })
    .unwrap();
    let mut tables = conn
        .prepare(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'leadcore\\_%' ESCAPE '\\'
             AND sql NOT LIKE 'CREATE VIRTUAL%' AND name NOT LIKE '%\\_search\\_%' ESCAPE '\\'",
        )
        .unwrap();
    let names: Vec<String> =
        tables.query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect();
    drop(tables);
    for name in names {
        for verb in ["INSERT", "UPDATE", "DELETE"] {
            let sql = format!(
                "CREATE TEMP TRIGGER fault_{name}_{verb} BEFORE {verb} ON main.{name} BEGIN
                     SELECT fault_here(); END"
            );
            conn.execute_batch(&sql).unwrap();
        }
    }
    (conn, left)
}

/// Everything that a conversion can write: account, persons, opportunity, services, links, and the caller's key.
pub(super) fn in_full() -> ConversionOptions {
    ConversionOptions::default()
        .with_opportunity(OpportunityRequest::new())
        .estimates(EstimateChoice::All)
        .customer(CustomerType::ActiveWithInvoice)
        .once("order 4711".parse().unwrap())
}

/// An estimate of two lines.
pub(super) fn offer() -> EstimateFields {
    let lines = vec![Line::new("Roof", 1.into(), 4_000.into()), Line::new("Delivery", 1.into(), 90.into())];
    EstimateFields { lines, ..EstimateFields::titled("A roof") }
}

/// A lead with persons, children and an estimate.
fn offered(host: &Host) -> Lead {
    let lead = worked(host);
    host.write(|ctx, txn| estimates::create(ctx, txn, &[lead.id.into()], offer()));
    host.get(&lead)
}

fn work(host: &Host, store: &SqliteStore, lead: LeadId) -> Result<ConversionOutcome> {
    store.write(&host.scene.tenant, |txn| convert::convert(&host.ctx(), txn, lead, &in_full()))
}

fn back(host: &Host, store: &SqliteStore, lead: LeadId) -> Result<convert::UnconvertOutcome> {
    store.write(&host.scene.tenant, |txn| convert::unconvert(&host.ctx(), txn, lead))
}

/// Lets each write of the work fail, one after the other, until it passes; says how many there were.
fn fails_everywhere<T: std::fmt::Debug>(host: &Host, work: impl Fn(&SqliteStore) -> Result<T>) -> i64 {
    let (conn, left) = faulty(&host.file(), Fault::Error);
    let store = SqliteStore::from_connection(conn, &SqliteOptions::new()).unwrap();
    let before = dump(&store, &host.scene.tenant);
    for n in 1.. {
        left.store(n, Ordering::SeqCst);
        let done = work(&store);
        if done.is_ok() {
            assert!(left.load(Ordering::SeqCst) > 0, "the fault was passed over");
            return n - 1;
        }
        let error = done.unwrap_err();
        left.store(i64::MAX, Ordering::SeqCst);
        assert_eq!(dump(&store, &host.scene.tenant), before, "write {n} failed ({error}): nothing is left");
        assert!(n < 1_000);
    }
    unreachable!()
}

#[test]
fn an_error_at_any_write_leaves_nothing_and_a_retry_completes() {
    let host = Host::new();
    let lead = offered(&host);
    let writes = fails_everywhere(&host, |store| work(&host, store, lead.id));
    assert!(writes > 10, "{writes}");
    let done = host.get(&lead).conversion.unwrap();
    assert_eq!(host.read(|_, txn| txn.accounts().scan(None, 10)).len(), 1);
    assert_eq!(done.operation, work(&host, &host.store, lead.id).unwrap().operation);
    let writes = fails_everywhere(&host, |store| back(&host, store, lead.id));
    assert!(writes > 5, "{writes}");
    assert!(host.get(&lead).conversion.is_none());
}

/// The other process: converts and stops at the write that it was told.
#[test]
fn other_process() {
    let (Some(database), Ok(lead), Ok(at)) =
        (std::env::var_os(DATABASE), std::env::var(LEAD), std::env::var(AT))
    else {
        return;
    };
    let (conn, left) = faulty(Path::new(&database), Fault::Wait);
    let store = SqliteStore::from_connection(conn, &SqliteOptions::new()).unwrap();
    left.store(at.parse().unwrap(), Ordering::SeqCst);
    let scene = leadcore::testkit::fixtures::Scene::new("acme");
    let ids = leadcore::id::RandomIds::new();
    let ctx = leadcore::context::Context::new(
        &scene.tenant,
        scene.actor.clone(),
        &scene.clock,
        &ids,
        &leadcore::policy::AllowAll,
    );
    let lead = lead.parse().unwrap();
    let done = store.write(&scene.tenant, |txn| convert::convert(&ctx, txn, lead, &in_full()));
    println!("\npassed {}", done.unwrap().operation);
}

fn start(database: &Path, lead: LeadId, at: i64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "conversion::faults::other_process", "--nocapture"])
        .env(DATABASE, database)
        .env(LEAD, lead.to_string())
        .env(AT, at.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn killed_at_any_write_a_conversion_leaves_nothing_and_the_next_one_completes() {
    let mut host = Host::new();
    let lead = offered(&host);
    let before = dump(&host.store, &host.scene.tenant);
    let mut killed = 0;
    for n in 1.. {
        let mut child = start(&host.file(), lead.id, n);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(std::io::Result::ok);
        let said =
            lines.find(|line| line == "there" || line.starts_with("passed ")).expect("it says how it went");
        child.kill().unwrap();
        child.wait().unwrap();
        host.restart();
        if said != "there" {
            break;
        }
        killed += 1;
        assert_eq!(dump(&host.store, &host.scene.tenant), before, "killed at write {n}");
        assert!(n < 1_000);
    }
    assert!(killed > 10, "{killed}");
    let done = host.get(&lead).conversion.expect("the last one was not killed before its end");
    let again = work(&host, &host.store, lead.id).unwrap();
    assert_eq!((again.newly_converted, again.operation), (false, done.operation));
    assert_eq!(host.read(|_, txn| txn.accounts().scan(None, 10)).len(), 1);
}

#[test]
fn a_host_that_rolls_back_takes_the_conversion_along() {
    let host = Host::new();
    let lead = worked(&host);
    let before = dump(&host.store, &host.scene.tenant);
    let count = |conn: &Connection| -> i64 {
        conn.query_row("SELECT count(*) FROM client", [], |row| row.get(0)).unwrap()
    };
    let mut conn = Connection::open(host.file()).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON; CREATE TABLE client (account TEXT, number INTEGER)")
        .unwrap();
    for commit in [false, true] {
        let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
        let mut txn = SqliteTxn::on(&tx, &host.scene.tenant);
        let done = convert::convert(&host.ctx(), &mut txn, lead.id, &ConversionOptions::default()).unwrap();
        assert!(done.newly_converted);
        tx.execute(
            "INSERT INTO client VALUES (?1, ?2)",
            (done.account.unwrap().to_string(), i64::try_from(done.account_number).unwrap()),
        )
        .unwrap();
        if commit {
            tx.commit().unwrap();
        } else {
            tx.rollback().unwrap();
            assert_eq!(dump(&host.store, &host.scene.tenant), before);
        }
        assert_eq!(count(&conn), i64::from(commit), "the client with it, or neither");
    }
    assert!(host.get(&lead).conversion.is_some());
    assert_eq!(host.read(|_, txn| txn.accounts().scan(None, 10))[0].number, 1, "the number came back");
}

/// A series that is used up refuses before anything is written: also when the host passes over the refusal and commits.
#[test]
fn a_series_that_is_used_up_leaves_nothing_of_a_conversion() {
    let host = Host::new();
    let leads = ["First AS", "Second AS"].map(|name| host.add(crate::support::company(name)));
    let one = |kind, name: &str| {
        let fields = SeriesFields::named(name).prefix(&format!("{name}-")).range(1, 1);
        host.write(|ctx, txn| series::add(ctx, txn, kind, fields.clone())).id
    };
    let (customers, deals) = (one(Series::Account, "X"), one(Series::Opportunity, "Y"));
    let deal = ConversionOptions::default().with_opportunity(OpportunityRequest::new().series(deals));
    for options in [ConversionOptions::default().series(customers), deal] {
        let plans =
            leads.each_ref().map(|lead| host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &options)));
        host.write(|ctx, txn| convert::apply(ctx, txn, &plans[0]));
        let before = dump(&host.store, &host.scene.tenant);
        let error = host.write(|ctx, txn| Ok(convert::apply(ctx, txn, &plans[1]).unwrap_err()));
        assert!(matches!(error.conflict(), Some(Conflict::SeriesExhausted { .. })), "{error}");
        assert_eq!(dump(&host.store, &host.scene.tenant), before);
        host.write(|ctx, txn| convert::unconvert(ctx, txn, leads[0].id));
    }
}
