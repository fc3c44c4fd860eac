//! The outbox, from several processes at once: each event goes to one of them.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use chrono::TimeDelta;
use leadcore::context::Context;
use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::leads;
use leadcore::desk::outbox::{self, Delivered, DeliveryOptions, Event};
use leadcore::domain::Actor;
use leadcore::error::{Error, ErrorKind, Result};
use leadcore::id::{OperationId, RandomIds};
use leadcore::policy::AllowAll;
use leadcore::time::{Clock as _, ManualClock, SystemClock, Timestamp};
use leadcore_sqlite::{SqliteOptions, SqliteStore};

use crate::support::{Host, company, fields_of, refused};

const DATABASE: &str = "LEADCORE_TEST_OUTBOX_IN";
const HANGS: &str = "LEADCORE_TEST_OUTBOX_HANGS";

/// The other process: this binary again. It writes the key of each event behind those that are in the file beside the database.
#[test]
fn other_process() {
    let Some(database) = std::env::var_os(DATABASE) else { return };
    let database = Path::new(&database);
    let options = SqliteOptions::new().busy_timeout(std::time::Duration::from_secs(600));
    let store = SqliteStore::open_with(database, &options).unwrap();
    let (clock, ids) = (SystemClock, RandomIds::new());
    let ctx = Context::new(&"acme".parse().unwrap(), Actor::System, &clock, &ids, &AllowAll);
    println!("\nready");
    let _ = std::io::stdout().flush();
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let hangs = std::env::var_os(HANGS).is_some();
    let mut told =
        OpenOptions::new().append(true).create(true).open(database.with_extension("told")).unwrap();
    loop {
        let done = outbox::deliver(&ctx, &store, "erp", &mut |event| {
            writeln!(told, "{}", event.key).unwrap();
            if hangs {
                println!("\nthere");
                let _ = std::io::stdout().flush();
                std::io::stdin().read_line(&mut String::new()).unwrap();
            }
            Ok(())
        });
        let done = done.unwrap();
        assert!(done.stopped.is_none());
        if done.held_until.is_none() {
            return;
        }
        std::thread::yield_now();
    }
}

fn start(database: &Path, hangs: bool) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "conversion::outbox::other_process", "--nocapture"]).env(DATABASE, database);
    if hangs {
        command.env(HANGS, "1");
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Converts so many leads: the keys of the events, in their order.
fn events(host: &Host, many: usize) -> Vec<OperationId> {
    host.write(|ctx, txn| {
        let drafts = (0..many).map(|n| company(&format!("Lead {n}")).into());
        for lead in leads::create_many(ctx, txn, drafts.collect())? {
            convert::convert(ctx, txn, lead.id, &ConversionOptions::default())?;
        }
        Ok(outbox::poll(ctx, txn, "erp", 1_000)?.events.iter().map(|event| event.key).collect())
    })
}

fn told(host: &Host) -> Vec<OperationId> {
    let text = std::fs::read_to_string(host.file().with_extension("told")).unwrap();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

/// Delivers at this time, by a worker of its own.
fn deliver_at(
    host: &Host,
    now: Timestamp,
    carry_out: &mut dyn FnMut(&Event) -> Result<()>,
) -> Result<Delivered> {
    let (clock, ids) = (ManualClock::new(now), RandomIds::new());
    let ctx = Context::new(&host.scene.tenant, Actor::System, &clock, &ids, &AllowAll);
    outbox::deliver(&ctx, &host.store, "erp", carry_out)
}

#[test]
fn four_processes_carry_out_each_event_once_and_in_order() {
    let host = Host::new();
    let keys = events(&host, 60);
    let mut children: Vec<_> = (0..4).map(|_| start(&host.file(), false)).collect();
    for child in &mut children {
        writeln!(child.stdin.take().unwrap()).unwrap();
    }
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    assert_eq!(told(&host), keys);
    assert_eq!(host.read(|ctx, txn| outbox::poll(ctx, txn, "erp", 10)).events, []);
}

#[test]
fn what_a_killed_process_had_begun_is_told_again_under_its_key_when_the_lease_has_run_out() {
    let host = Host::new();
    let keys = events(&host, 3);
    let mut child = start(&host.file(), true);
    let mut input = child.stdin.take().unwrap();
    writeln!(input).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(std::io::Result::ok);
    assert!(lines.any(|line| line == "there"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(told(&host), keys[..1]);
    let mut again = Vec::new();
    let mut deliver = |now| {
        deliver_at(&host, now, &mut |event| {
            again.push(event.key);
            Ok(())
        })
        .unwrap()
    };
    let held = deliver(SystemClock.now());
    let until = held.held_until.expect("the dead one has it still");
    assert_eq!(held.events, 0);
    let late = deliver(until);
    assert_eq!((late.events, late.held_until), (3, None));
    assert_eq!(again, keys);
}

#[test]
fn a_worker_keeps_the_others_waiting_until_it_is_done_or_fails() {
    let host = Host::new();
    let keys = events(&host, 3);
    let now = host.ctx().now();
    let mut told = Vec::new();
    let first = deliver_at(&host, now, &mut |event| {
        let second = deliver_at(&host, now, &mut |_| panic!("this is not its turn")).unwrap();
        assert_eq!((second.events, second.held_until), (0, Some(now.saturating_add(TimeDelta::minutes(5)))));
        told.push(event.key);
        match told.len() {
            2 => Err(Error::new(ErrorKind::Unavailable, "the line is cut")),
            _ => Ok(()),
        }
    });
    let first = first.unwrap();
    assert_eq!((first.events, first.stopped.unwrap().kind()), (1, ErrorKind::Unavailable));
    let rest = deliver_at(&host, now, &mut |event| {
        told.push(event.key);
        Ok(())
    });
    let rest = rest.unwrap();
    assert_eq!((rest.events, rest.held_until), (2, None), "a failure gives the turn back at once");
    assert_eq!(told, [keys[0], keys[1], keys[1], keys[2]]);
    let idle = deliver_at(&host, now, &mut |_| panic!("nothing is left")).unwrap();
    assert_eq!((idle.events, idle.held_until), (0, None));
}

/// One that was too slow does not go on beside the one that took its turn.
#[test]
fn a_worker_that_lost_its_lease_carries_nothing_out_twice() {
    let host = Host::new();
    let keys = events(&host, 2);
    let (clock, ids) = (ManualClock::new(host.ctx().now()), RandomIds::new());
    let ctx = Context::new(&host.scene.tenant, Actor::System, &clock, &ids, &AllowAll);
    let (mut slow, mut quick) = (Vec::new(), Vec::new());
    let short = DeliveryOptions::default().lease(TimeDelta::seconds(1));
    let done = outbox::deliver_with(&ctx, &host.store, "erp", &short, &mut |event| {
        slow.push(event.key);
        clock.advance(TimeDelta::seconds(2));
        let other = deliver_at(&host, ctx.now(), &mut |event| {
            quick.push(event.key);
            Ok(())
        });
        assert_eq!(other.unwrap().events, 2, "the first one again, under its key");
        Ok(())
    });
    assert_eq!(done.unwrap().events, 1);
    assert_eq!((slow, quick), (vec![keys[0]], keys));
    for lease in [TimeDelta::zero(), TimeDelta::hours(25)] {
        let options = DeliveryOptions::default().lease(lease);
        let error = outbox::deliver_with(&ctx, &host.store, "erp", &options, &mut |_| Ok(()));
        assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["lease"]);
    }
}
