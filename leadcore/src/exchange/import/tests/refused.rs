//! The file of rejected rows of an import that was broken off: all of them are in it, however many.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::desk::undo;
use crate::domain::{Entry, NewEntry, Operation, OperationKind, Sequence, Subject, Topics};
use crate::exchange::import::refused::Earlier;
use crate::id::{OperationId, TenantId};
use crate::store::{
    Accounts, Activities, Agenda, Blobs, Children, Contacts, Costs, Estimates, Files, Followers, Journal,
    Leads, Lines, Links, Marks, Numbers, Opportunities, Pipelines, Records, Reports, Services, Settings,
    Tallies, Terms, Txn, Views,
};

/// Lines that are refused for one of several reasons, more than a report lists, and one in ten that is taken.
fn file() -> String {
    let line = |n: usize| match n % 10 {
        0 => format!("Company {n},a{n}@x.example\n"),
        1 | 2 => format!("Company {n},nobody {n}\n"),
        _ => format!("Company {n},a{n}@x.example,more,cells\n"),
    };
    std::iter::once("company,email\n".to_owned()).chain((0..3_000).map(line)).collect()
}

fn run(host: &Host, heard: &mut Heard) -> (Result<ImportReport>, String) {
    run_by(host, heard, 250)
}

fn run_by(host: &Host, heard: &mut Heard, chunk: usize) -> (Result<ImportReport>, String) {
    let mut rejects = Vec::new();
    let options = ImportOptions::new().chunk(chunk);
    let input = Cursor::new(file());
    let ctx = host.system();
    let report = import::run(&ctx, &host.store, input, &options, Some(&mut rejects), heard);
    (report, String::from_utf8(rejects).unwrap())
}

#[test]
fn every_refused_row_is_in_the_file_of_the_run_that_goes_on() {
    let whole = Host::new();
    let (report, expected) = run(&whole, &mut Heard::default());
    let report = report.unwrap();
    assert_eq!(counts(&report), (300, 0, 0, 2_700));
    assert_eq!(expected.lines().count(), 2_701);
    let host = Host::new();
    let (broken, _) = run(&host, &mut Heard { stop_after: Some(2_000), ..Heard::default() });
    broken.unwrap_err();
    let (again, all) = run(&host, &mut Heard::default());
    let again = again.unwrap();
    assert_eq!((counts(&again), again.resumed_after), (counts(&report), 2_000));
    assert!(all == expected, "{} lines", all.lines().count());
    // What the import noted about itself is nothing that could be taken back.
    let operation = again.operation.unwrap();
    let ctx = host.system();
    let undone = host.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, operation)).unwrap();
    assert_eq!((undone.totals.reversed, undone.remaining.len(), host.leads().len()), (300, 0, 0));
}

/// A store that counts the entries of its journal that are read about a record.
struct Counting<'s> {
    inner: &'s MemoryStore,
    read: AtomicUsize,
}

struct CountingTxn<'t> {
    inner: &'t mut dyn Txn,
    read: &'t AtomicUsize,
}

type Work<'w> = &'w mut dyn FnMut(&mut dyn Txn) -> Result<()>;

impl Store for Counting<'_> {
    fn read_with(&self, tenant: &TenantId, work: Work<'_>) -> Result<()> {
        self.inner.read_with(tenant, &mut |txn| work(&mut CountingTxn { inner: txn, read: &self.read }))
    }

    fn write_with(&self, tenant: &TenantId, work: Work<'_>) -> Result<()> {
        self.inner.write_with(tenant, work)
    }
}

macro_rules! ports {
    ($($name:ident: $port:ident),+) => {$(
        fn $name(&mut self) -> &mut dyn $port {
            self.inner.$name()
        }
    )+};
}

impl Txn for CountingTxn<'_> {
    ports!(leads: Leads, contacts: Contacts, accounts: Accounts, links: Links, pipelines: Pipelines);
    ports!(terms: Terms, settings: Settings, numbers: Numbers, tallies: Tallies, views: Views, marks: Marks);
    ports!(children: Children, activities: Activities, agenda: Agenda, files: Files, blobs: Blobs);
    ports!(estimates: Estimates, lines: Lines, records: Records, followers: Followers);
    ports!(opportunities: Opportunities, services: Services, costs: Costs, reports: Reports);

    fn tenant(&self) -> &TenantId {
        self.inner.tenant()
    }

    fn journal(&mut self) -> &mut dyn Journal {
        self
    }

    fn savepoint(&mut self, work: Work<'_>) -> Result<()> {
        self.inner.savepoint(work)
    }
}

impl Journal for CountingTxn<'_> {
    fn about(
        &mut self,
        subjects: &[Subject],
        topics: Topics,
        before: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        let entries = self.inner.journal().about(subjects, topics, before, limit)?;
        self.read.fetch_add(entries.len(), Ordering::SeqCst);
        Ok(entries)
    }

    fn begin(&mut self, _: &Operation) -> Result<()> {
        unreachable!()
    }

    fn update(&mut self, _: &Operation) -> Result<()> {
        unreachable!()
    }

    fn operation(&mut self, _: OperationId) -> Result<Option<Operation>> {
        unreachable!()
    }

    fn find(&mut self, _: OperationKind, _: &str) -> Result<Option<Operation>> {
        unreachable!()
    }

    fn append(&mut self, _: OperationId, _: &[NewEntry]) -> Result<()> {
        unreachable!()
    }

    fn replay(&mut self, _: Option<OperationId>, _: Option<Sequence>, _: usize) -> Result<Vec<Entry>> {
        unreachable!()
    }

    fn end(&mut self) -> Result<Sequence> {
        unreachable!()
    }
}

#[test]
fn who_falls_in_again_reads_only_what_was_noted_since() {
    let host = Host::new();
    let ctx = host.system();
    let upto = |lines: u64| {
        let mut heard = Heard { stop_after: Some(lines), ..Heard::default() };
        run_by(&host, &mut heard, 50).0.unwrap_err().operation().unwrap()
    };
    let store = Counting { inner: &host.store, read: AtomicUsize::new(0) };
    let operation = upto(2_000);
    let mut earlier = Earlier::load(&ctx, &store, operation).unwrap();
    let all = store.read.swap(0, Ordering::SeqCst);
    assert!(all > 15, "{all} chunks with lines that the report does not list");
    assert_eq!(upto(2_100), operation);
    earlier.catch_up(&ctx, &store).unwrap();
    let since = store.read.swap(0, Ordering::SeqCst);
    assert!((2..=4).contains(&since), "{since} of two new chunks");
    // Line 2101 is the last of the last chunk; those before it were somebody else's to tell.
    let reasons = earlier.reasons(&ctx, &store, 2_101).unwrap().unwrap();
    assert_eq!((reasons.len(), store.read.swap(0, Ordering::SeqCst)), (1, 1), "one chunk is read");
    earlier.catch_up(&ctx, &store).unwrap();
    assert_eq!(earlier.reasons(&ctx, &store, 2_150).unwrap(), None);
    assert!(store.read.swap(0, Ordering::SeqCst) <= 2, "nothing new");
}
