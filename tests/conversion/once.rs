//! Once: by key, by state, and from two processes at the same moment.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use leadcore::context::Context;
use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::{leads, series};
use leadcore::domain::{Actor, OperationKind, Series, SeriesFields};
use leadcore::id::{LeadId, NumberSeriesId, RandomIds, TenantId};
use leadcore::policy::AllowAll;
use leadcore::store::StoreExt as _;
use leadcore::testkit::dump;
use leadcore::time::SystemClock;
use leadcore_sqlite::{SqliteOptions, SqliteStore};

use crate::support::{Host, company};

const DATABASE: &str = "LEADCORE_TEST_CONVERT_IN";
const LEADS: &str = "LEADCORE_TEST_CONVERT_LEADS";
const SERIES: &str = "LEADCORE_TEST_CONVERT_SERIES";
const FROM: &str = "LEADCORE_TEST_CONVERT_FROM";

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

fn patient(database: &Path) -> SqliteStore {
    let options = SqliteOptions::new().busy_timeout(std::time::Duration::from_secs(600));
    SqliteStore::open_with(database, &options).unwrap()
}

/// The other process: this binary again, told by its environment what to convert and where to begin. It waits for a line of
/// input, so that all of them begin together.
#[test]
fn other_process() {
    let (Some(database), Some(list)) = (std::env::var_os(DATABASE), std::env::var(LEADS).ok()) else {
        return;
    };
    let mut leads: Vec<LeadId> = list.split(',').map(|lead| lead.parse().unwrap()).collect();
    leads.rotate_left(std::env::var(FROM).unwrap().parse().unwrap());
    let series = std::env::var(SERIES).unwrap().parse().unwrap();
    let options = ConversionOptions::default().series(series);
    let store = patient(Path::new(&database));
    let (clock, ids) = (SystemClock, RandomIds::new());
    let ctx = Context::new(&tenant(), Actor::System, &clock, &ids, &AllowAll);
    println!("\nready");
    let _ = std::io::stdout().flush();
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let mut told = String::new();
    for lead in leads {
        let done = store.write(ctx.tenant(), |txn| convert::convert(&ctx, txn, lead, &options)).unwrap();
        let outcome = serde_json::to_string(&done).unwrap();
        told.push_str(&format!("\nconverted {} {lead} {outcome}", done.newly_converted));
    }
    println!("{told}");
}

/// What every process converts.
struct Work<'w> {
    database: &'w Path,
    leads: &'w str,
    series: NumberSeriesId,
}

/// A process that begins with this lead.
fn start(work: &Work<'_>, from: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "conversion::once::other_process", "--nocapture"])
        .env(DATABASE, work.database)
        .env(LEADS, work.leads)
        .env(SERIES, work.series.to_string())
        .env(FROM, from.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What a process said: the outcome of each lead, and how many it converted itself.
fn said(child: Child) -> (BTreeMap<String, String>, usize) {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    let lines = text.lines().filter_map(|line| line.strip_prefix("converted "));
    let mut newly = 0;
    let told = lines.map(|line| {
        let (own, rest) = line.split_once(' ').unwrap();
        newly += usize::from(own == "true");
        let (lead, outcome) = rest.split_once(' ').unwrap();
        (lead.to_owned(), outcome.to_owned())
    });
    (told.collect(), newly)
}

/// Eight processes, each of which begins elsewhere and goes through all leads: whoever comes first converts, everybody gets the
/// outcome, and the gapless series has no gap.
#[test]
fn eight_processes_convert_the_same_thousand_leads_once() {
    const PROCESSES: usize = 8;
    const MANY: usize = 1_000;
    let host = Host::new();
    let (leads, series) = host.write(|ctx, txn| {
        let drafts = (0..MANY).map(|n| company(&format!("Lead {n}")).into());
        let leads = leads::create_many(ctx, txn, drafts.collect())?;
        let fields = SeriesFields::named("Clients").prefix("K-").gapless();
        Ok((leads, series::add(ctx, txn, Series::Account, fields)?.id))
    });
    let list = leads.iter().map(|lead| lead.id.to_string()).collect::<Vec<_>>().join(",");
    let work = Work { database: &host.file(), leads: &list, series };
    let mut children: Vec<_> = (0..PROCESSES).map(|n| start(&work, n * MANY / PROCESSES)).collect();
    for child in &mut children {
        writeln!(child.stdin.take().unwrap()).unwrap();
    }
    let said: Vec<_> = children.into_iter().map(said).collect();
    let newly: Vec<_> = said.iter().map(|(_, newly)| *newly).collect();
    assert_eq!(newly.iter().sum::<usize>(), MANY, "each lead is converted once: {newly:?}");
    assert_eq!(said[0].0.len(), MANY, "every process has an outcome for every lead");
    assert!(said.iter().all(|(told, _)| *told == said[0].0), "and it is the same one");
    let accounts = host.read(|_, txn| txn.accounts().scan(None, 2 * MANY));
    let numbers: Vec<_> = accounts.iter().map(|account| account.number).collect();
    assert_eq!(numbers, (1..=1_000).collect::<Vec<_>>(), "no number twice, none skipped");
    assert!(accounts.iter().all(|account| account.serial.as_ref().unwrap().series == series));
    let outcomes: BTreeSet<_> = said[0].0.values().collect();
    assert_eq!(outcomes.len(), MANY, "each lead has a customer of its own");
    let next = host.read(|ctx, txn| series::preview(ctx, txn, Series::Account, Some(series)));
    assert_eq!(next.number, 1_001);
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
