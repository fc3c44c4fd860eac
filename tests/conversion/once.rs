//! Once: by key, by state, and from two processes at the same moment.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use leadcore::context::Context;
use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::leads;
use leadcore::domain::{Actor, OperationKind};
use leadcore::id::{LeadId, RandomIds, TenantId};
use leadcore::policy::AllowAll;
use leadcore::store::StoreExt as _;
use leadcore::testkit::dump;
use leadcore::time::SystemClock;
use leadcore_sqlite::{SqliteOptions, SqliteStore};

use crate::support::{Host, company};

const DATABASE: &str = "LEADCORE_TEST_CONVERT_IN";
const LEADS: &str = "LEADCORE_TEST_CONVERT_LEADS";

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

fn patient(database: &Path) -> SqliteStore {
    let options = SqliteOptions::new().busy_timeout(std::time::Duration::from_secs(600));
    SqliteStore::open_with(database, &options).unwrap()
}

/// The other process: this binary again, told by its environment what to convert. It waits for a line of input, so that
/// all of them begin together.
#[test]
fn other_process() {
    let (Some(database), Some(list)) = (std::env::var_os(DATABASE), std::env::var(LEADS).ok()) else {
        return;
    };
    let store = patient(Path::new(&database));
    let (clock, ids) = (SystemClock, RandomIds::new());
    let ctx = Context::new(&tenant(), Actor::System, &clock, &ids, &AllowAll);
    println!("\nready");
    let _ = std::io::stdout().flush();
    std::io::stdin().read_line(&mut String::new()).unwrap();
    for lead in list.split(',') {
        let lead: LeadId = lead.parse().unwrap();
        let done =
            store.write(ctx.tenant(), |txn| convert::convert(&ctx, txn, lead, &ConversionOptions::default()));
        let done = done.unwrap();
        println!(
            "\nconverted {} {} {}",
            done.newly_converted,
            done.lead,
            serde_json::to_string(&done).unwrap()
        );
    }
}

fn start(database: &Path, leads: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "conversion::once::other_process", "--nocapture"])
        .env(DATABASE, database)
        .env(LEADS, leads)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn processes_at_the_same_moment_get_the_same_outcome() {
    let host = Host::new();
    let ids: Vec<_> = (0..30).map(|n| host.add(company(&format!("Lead {n}"))).id).collect();
    let list = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let mut children: Vec<_> = (0..3).map(|_| start(&host.file(), &list)).collect();
    for child in &mut children {
        writeln!(child.stdin.take().unwrap()).unwrap();
    }
    let mut outcomes = Vec::new();
    let mut newly = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}");
        let said: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("converted ")).collect();
        newly += said.iter().filter(|line| line.starts_with("true ")).count();
        let told = said.iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect::<Vec<_>>();
        assert_eq!(told.len(), ids.len(), "{text}");
        outcomes.push(told);
    }
    assert!(outcomes.iter().all(|told| *told == outcomes[0]), "each gets the one outcome");
    assert_eq!(newly, ids.len(), "and each lead is converted once");
    let accounts = host.read(|_, txn| txn.accounts().scan(None, 1_000));
    let numbers: Vec<_> = accounts.iter().map(|account| account.number).collect();
    assert_eq!(numbers, (1..=30).collect::<Vec<_>>(), "no number twice, none skipped");
}

#[test]
fn a_conversion_is_found_by_its_key_and_by_the_state_of_the_lead() {
    let mut host = Host::new();
    let lead = host.add(super::nordlys());
    let options = ConversionOptions::default();
    let plans = [(); 2].map(|()| host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &options)));
    let first = host.write(|ctx, txn| convert::apply(ctx, txn, &plans[0]));
    host.restart();
    let done = dump(&host.store, &host.scene.tenant);
    let other = host.write(|ctx, txn| convert::apply(ctx, txn, &plans[1]));
    let again = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options));
    for outcome in [other, again] {
        assert!(!outcome.newly_converted);
        assert_eq!((outcome.operation, outcome.account.unwrap()), (first.operation, first.account.unwrap()));
    }
    assert_eq!(dump(&host.store, &host.scene.tenant), done, "nothing is written");
    let by_key = host.read(|_, txn| txn.journal().find(OperationKind::Convert, &format!("lead:{}", lead.id)));
    assert_eq!(by_key.map(|operation| operation.id), Some(first.operation));
    let frozen = host.read(|ctx, txn| leads::get(ctx, txn, lead.id));
    assert_eq!(frozen.conversion.map(|conversion| conversion.operation), Some(first.operation));
}
