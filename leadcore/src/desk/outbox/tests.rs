//! How much of the journal the outbox reads.

use super::*;
use crate::desk::counting::Counting;
use crate::desk::{convert, leads};
use crate::domain::{LeadFields, NewEntry};
use crate::id::{LeadId, SequentialIds, TenantId};
use crate::memory::MemoryStore;
use crate::policy::AllowAll;
use crate::time::ManualClock;

/// A store whose transactions count together.
struct Counted<'s> {
    inner: &'s MemoryStore,
    read: std::sync::Mutex<usize>,
}

impl Counted<'_> {
    fn count(&self, txn: &mut dyn Txn, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
        let mut txn = Counting::of(txn);
        let done = work(&mut txn);
        *self.read.lock().unwrap() += txn.read;
        done
    }
}

impl Store for Counted<'_> {
    fn read_with(&self, tenant: &TenantId, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
        self.inner.read_with(tenant, &mut |txn| self.count(txn, work))
    }

    fn write_with(&self, tenant: &TenantId, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
        self.inner.write_with(tenant, &mut |txn| self.count(txn, work))
    }
}

fn lead(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<LeadId> {
    Ok(leads::create(ctx, txn, LeadFields::company("Nordlys AS")?.into())?.id)
}

fn converted(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<()> {
    let lead = lead(ctx, txn)?;
    convert::convert(ctx, txn, lead, &convert::ConversionOptions::default()).map(drop)
}

/// So many entries that are no events.
fn noise(ctx: &Context<'_>, txn: &mut dyn Txn, entries: usize) -> Result<()> {
    let operation = new_operation(ctx, OperationKind::Edit, None);
    let lead = lead(ctx, txn)?;
    txn.journal().begin(&operation)?;
    let entry = NewEntry::new(lead, Action::Updated, ctx.now());
    txn.journal().append(operation.id, &vec![entry; entries])
}

fn entries(store: &MemoryStore, ctx: &Context<'_>) -> usize {
    store.read(ctx.tenant(), |txn| txn.journal().replay(None, None, usize::MAX)).unwrap().len()
}

#[test]
fn a_delivery_reads_each_entry_twice() {
    let store = MemoryStore::new();
    let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
    let ctx = Context::new(&"acme".parse().unwrap(), Actor::System, &clock, &ids, &AllowAll);
    store.write(ctx.tenant(), |txn| (0..150).try_for_each(|_| converted(&ctx, txn))).unwrap();
    let counted = Counted { inner: &store, read: std::sync::Mutex::default() };
    let delivered = deliver(&ctx, &counted, "erp", &mut |_| Ok(())).unwrap();
    assert_eq!(delivered.events, 150);
    let (read, all) = (*counted.read.lock().unwrap(), entries(&store, &ctx));
    // Once to find the events, and once more to acknowledge them.
    assert!(read <= 2 * all, "{read} entries were read of {all}");
}

#[test]
fn what_comes_behind_the_next_event_is_not_read() {
    let store = MemoryStore::new();
    let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
    let ctx = Context::new(&"acme".parse().unwrap(), Actor::System, &clock, &ids, &AllowAll);
    let (polled, acknowledged) = store
        .write(ctx.tenant(), |txn| {
            converted(&ctx, txn)?;
            noise(&ctx, txn, 5_000)?;
            let mut txn = Counting::of(txn);
            let batch = poll(&ctx, &mut txn, "erp", 1)?;
            let polled = txn.read;
            acknowledge(&ctx, &mut txn, "erp", &batch.events[0])?;
            Ok((polled, txn.read - polled))
        })
        .unwrap();
    assert!(polled <= FIRST && acknowledged <= 8, "{polled} and {acknowledged} entries were read");
}

/// A long stretch of other work hides no event: not from a poll, which goes on by itself, and not from a delivery.
#[test]
fn an_event_behind_a_long_stretch_of_other_work_is_found() {
    let store = MemoryStore::new();
    let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
    let ctx = Context::new(&"acme".parse().unwrap(), Actor::System, &clock, &ids, &AllowAll);
    let event = store
        .write(ctx.tenant(), |txn| {
            noise(&ctx, txn, 2 * READ)?;
            converted(&ctx, txn)?;
            let batch = poll(&ctx, txn, "erp", 10)?;
            assert_eq!((batch.events.len(), batch.more), (1, false));
            acknowledge(&ctx, txn, "erp", &batch.events[0])?;
            assert_eq!(poll(&ctx, txn, "erp", 10)?.events, []);
            Ok(batch.events[0].clone())
        })
        .unwrap();
    let mut told = Vec::new();
    let delivered = deliver(&ctx, &store, "mailer", &mut |event| {
        told.push(event.key);
        Ok(())
    });
    assert_eq!((delivered.unwrap().events, told), (1, vec![event.key]));
    // An event that is not where it says acknowledges nothing, whatever lies between.
    store.write(ctx.tenant(), |txn| (0..2).try_for_each(|_| converted(&ctx, txn))).unwrap();
    let batch = store.read(ctx.tenant(), |txn| poll(&ctx, txn, "erp", 10)).unwrap();
    let [first, second] = &batch.events[..] else { panic!("{batch:?}") };
    for (place, kind) in
        [(second.place, ErrorKind::Invalid), (Sequence(first.place.0 - 1), ErrorKind::NotFound)]
    {
        let moved = Event { place, ..second.clone() };
        let error = store.write(ctx.tenant(), |txn| acknowledge(&ctx, txn, "erp", &moved)).unwrap_err();
        assert_eq!(error.kind(), kind);
    }
    let late = Event { place: second.place, ..first.clone() };
    store.write(ctx.tenant(), |txn| acknowledge(&ctx, txn, "erp", &late)).unwrap();
    let left = store.read(ctx.tenant(), |txn| poll(&ctx, txn, "erp", 10)).unwrap();
    assert_eq!(left.events.as_slice(), std::slice::from_ref(second), "the second one is still to be told");
}
