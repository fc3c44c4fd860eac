//! An error at the n-th write of a conversion in the store in memory, for every n: nothing or all, and a retry completes. The same
//! with a host's target that fails, and a host that rolls back.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use leadcore::desk::convert::{
    self, ConversionOptions, ConversionOutcome, ConversionPlan, ConversionTarget, LeadConverted,
    UnconvertOutcome,
};
use leadcore::desk::mass::Selection;
use leadcore::desk::{activities, contacts, estimates, leads, timeline};
use leadcore::domain::{ActivityFields, ContactFields, Lead};
use leadcore::error::{Error, ErrorKind, Result, ViolationCode};
use leadcore::id::LeadId;
use leadcore::memory::MemoryStore;
use leadcore::store::{StoreExt as _, Txn, nested};
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::Scene;

use super::faults::{in_full, offer};
use super::nordlys;

struct Memory {
    store: MemoryStore,
    scene: Scene,
}

impl Memory {
    fn new() -> Self {
        Self { store: MemoryStore::new(), scene: Scene::new("acme") }
    }

    fn write<T>(&self, work: impl FnMut(&mut dyn Txn) -> Result<T>) -> Result<T> {
        self.store.write(&self.scene.tenant, work)
    }

    fn dump(&self) -> impl PartialEq + std::fmt::Debug + use<> {
        dump(&self.store, &self.scene.tenant)
    }

    /// A lead with persons, notes and an estimate.
    fn lead(&self) -> Lead {
        let ctx = self.scene.ctx();
        let lead = self.write(|txn| {
            let lead = leads::create(&ctx, txn, nordlys().into())?;
            for name in ["Ola Dal", "Eva Moe"] {
                contacts::add(&ctx, txn, lead.id, ContactFields::named(name)?, false)?;
            }
            activities::add(&ctx, txn, &[lead.id.into()], ActivityFields::note("They called"))?;
            estimates::create(&ctx, txn, &[lead.id.into()], offer())?;
            leads::get(&ctx, txn, lead.id)
        });
        lead.unwrap()
    }

    fn lead_and_history(&self, id: LeadId) -> impl PartialEq + std::fmt::Debug + use<> {
        let ctx = self.scene.ctx();
        self.write(|txn| Ok((leads::get(&ctx, txn, id)?, timeline::of_lead(&ctx, txn, id, None, 100)?.items)))
            .unwrap()
    }

    fn accounts(&self) -> usize {
        self.store.read(&self.scene.tenant, |txn| txn.accounts().scan(None, 100)).unwrap().len()
    }

    /// Lets each write of the work fail, one after the other, until it passes: nothing is left each time. Says how many
    /// writes there were, and what the last try gave.
    fn fails_everywhere<T>(&self, work: impl Fn() -> Result<T>) -> (u64, T) {
        let before = self.dump();
        for n in 1..1_000 {
            self.store.fail_at(n);
            match work() {
                Ok(done) => {
                    assert!(self.store.fail_at(0) > 0, "the fault was passed over");
                    return (n - 1, done);
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
            }
            assert_eq!(self.store.fail_at(0), 0);
            assert_eq!(self.dump(), before, "write {n} failed: nothing is left");
        }
        panic!("it never passes")
    }
}

#[test]
fn an_error_at_any_write_leaves_nothing_and_a_retry_completes() {
    let memory = Memory::new();
    let (lead, ctx) = (memory.lead(), memory.scene.ctx());
    let convert = || memory.write(|txn| convert::convert(&ctx, txn, lead.id, &in_full()));
    let (writes, done): (u64, ConversionOutcome) = memory.fails_everywhere(convert);
    assert!(writes >= 10, "{writes}");
    assert!(done.newly_converted && done.opportunity.is_some() && done.services.len() == 2);
    assert_eq!((memory.accounts(), convert().unwrap().operation), (1, done.operation));
    let back = || memory.write(|txn| convert::unconvert_once(&ctx, txn, lead.id, &"b".parse().unwrap()));
    let (writes, back): (u64, UnconvertOutcome) = memory.fails_everywhere(back);
    assert!(writes >= 10, "{writes}");
    assert_eq!(back.conversion, done.operation);
}

#[test]
fn a_fault_in_one_of_many_leaves_none() {
    let memory = Memory::new();
    let (ids, ctx) = ([memory.lead().id, memory.lead().id], memory.scene.ctx());
    let all = Selection::Ids(ids.to_vec());
    let (writes, done) =
        memory.fails_everywhere(|| memory.write(|txn| convert::many(&ctx, txn, &all, &in_full())));
    assert!(writes >= 20, "{writes}");
    assert_eq!((done.totals.done, memory.accounts()), (2, 2));
}

/// A host may pass over an error and commit the rest: what failed is as if it had not been tried.
#[test]
fn a_fault_in_a_savepoint_takes_the_conversion_alone() {
    let memory = Memory::new();
    let (lead, ctx) = (memory.lead(), memory.scene.ctx());
    let mut tried = 0;
    loop {
        tried += 1;
        memory.store.fail_at(tried);
        let before = memory.dump();
        let passed = memory.write(|txn| {
            let done = nested(txn, |txn| convert::convert(&ctx, txn, lead.id, &in_full()));
            Ok(done.is_ok())
        });
        memory.store.fail_at(0);
        if passed.unwrap() {
            break;
        }
        assert_eq!(memory.dump(), before, "write {tried} failed, and the host committed");
    }
    assert!(tried > 10, "{tried}");
    assert_eq!(memory.accounts(), 1);
}

/// A host's own records: each call says whether it works.
#[derive(Debug, Default)]
struct Clients {
    fails: Cell<bool>,
    calls: Cell<u32>,
}

impl Clients {
    fn answer(&self) -> Result<()> {
        self.calls.set(self.calls.get() + 1);
        if self.fails.get() {
            return Err(Error::new(ErrorKind::Unavailable, "the client table is closed for the night"));
        }
        Ok(())
    }
}

impl ConversionTarget for Clients {
    fn name(&self) -> &str {
        "client"
    }

    fn create(
        &self,
        txn: &mut dyn Txn,
        made: &ConversionOutcome,
        _: &ConversionPlan,
    ) -> Result<Option<String>> {
        let found = txn.leads().get(&[made.lead])?;
        assert!(found[0].conversion.is_some(), "the host sees what is being written");
        self.answer()?;
        Ok(Some("C-1".to_owned()))
    }

    fn withdraw(&self, _: &mut dyn Txn, _: &ConversionOutcome, _: &str) -> Result<()> {
        self.answer()
    }
}

#[test]
fn a_failing_port_and_a_host_that_rolls_back_leave_nothing() {
    let memory = Memory::new();
    let (lead, ctx, clients) = (memory.lead(), memory.scene.ctx(), Clients::default());
    let apply = |txn: &mut dyn Txn| {
        let plan = convert::plan(&ctx, txn, lead.id, &in_full())?;
        convert::apply_with(&ctx, txn, &plan, &[&clients])
    };
    let before = memory.dump();
    clients.fails.set(true);
    assert_eq!(memory.write(apply).unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!((clients.calls.get(), memory.dump()), (1, before), "the port failed");
    clients.fails.set(false);
    let before = memory.dump();
    let rolled_back = memory.write(|txn| {
        apply(txn)?;
        Err::<(), _>(Error::not_found("client"))
    });
    assert_eq!(rolled_back.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!((clients.calls.get(), memory.dump()), (2, before), "the host rolled back");
    let (_, done) = memory.fails_everywhere(|| memory.write(apply));
    assert_eq!((done.host[0].reference.as_str(), memory.accounts()), ("C-1", 1));
    // The way back: the target fails, and works.
    let plan = memory.write(|txn| convert::plan_unconvert(&ctx, txn, lead.id)).unwrap();
    let back = |target: &Clients| {
        memory
            .write(|txn| convert::apply_unconvert_with(&ctx, txn, &plan, &[target as &dyn ConversionTarget]))
    };
    let before = memory.dump();
    clients.fails.set(true);
    assert_eq!(back(&clients).unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(memory.dump(), before);
    clients.fails.set(false);
    let (_, done) = memory.fails_everywhere(|| back(&clients));
    assert!(done.newly_unconverted);
    let again = memory.write(|txn| convert::convert(&ctx, txn, lead.id, &ConversionOptions::default()));
    assert!(again.unwrap().newly_converted);
}

/// A host's rows in the same unit of work: a note on each customer. One lead is refused after its note was written.
#[derive(Debug)]
struct Welcome<'a> {
    scene: &'a Scene,
    refuses: LeadId,
    calls: Cell<u32>,
}

impl ConversionTarget for Welcome<'_> {
    fn name(&self) -> &str {
        "welcome"
    }

    fn create(
        &self,
        txn: &mut dyn Txn,
        made: &ConversionOutcome,
        _: &ConversionPlan,
    ) -> Result<Option<String>> {
        self.calls.set(self.calls.get() + 1);
        let account = made.account.unwrap();
        let note =
            activities::add(&self.scene.ctx(), txn, &[account.into()], ActivityFields::note("Welcome"))?;
        if made.lead == self.refuses {
            return Err(Error::invalid_field("client", ViolationCode::LimitReached, "there is no room"));
        }
        Ok(Some(note.id.to_string()))
    }

    fn withdraw(&self, _: &mut dyn Txn, _: &ConversionOutcome, _: &str) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_port_that_fails_for_one_of_many_leaves_nothing_of_that_one() {
    let memory = Memory::new();
    let (ids, ctx) = ([memory.lead().id, memory.lead().id, memory.lead().id], memory.scene.ctx());
    let welcome = Welcome { scene: &memory.scene, refuses: ids[1], calls: Cell::default() };
    let all = Selection::Ids(ids.to_vec());
    let before = memory.lead_and_history(ids[1]);
    let run = || memory.write(|txn| convert::many_with(&ctx, txn, &all, &in_full(), &[&welcome]));
    let done = run().unwrap();
    assert_eq!((done.totals.done, done.totals.target_failed, memory.accounts()), (2, 1, 2));
    let LeadConverted::TargetFailed(why) = &done.results[1].outcome else { panic!("{done:?}") };
    assert_eq!((why.target.as_str(), why.kind, why.violations.len()), ("welcome", ErrorKind::Invalid, 1));
    assert_eq!((why.violations[0].field.as_str(), why.made.len()), ("client", 0));
    assert_eq!(memory.lead_and_history(ids[1]), before);
    // Those that are converted are not made again.
    let again = run().unwrap();
    assert_eq!((again.totals.already, again.totals.target_failed, welcome.calls.get()), (2, 1, 4));
    // In batches of the store's own transactions, once there is room.
    let (one, mut told) = (NonZeroUsize::MIN, 0);
    let open = Welcome { refuses: LeadId::from_uuid(memory.scene.uuid()), ..welcome };
    let hosts: [&dyn ConversionTarget; 1] = [&open];
    let rest = convert::many_in_batches_with(&ctx, &memory.store, &all, &in_full(), &hosts, one, &mut |_| {
        told += 1;
        ControlFlow::Continue(())
    });
    let totals = rest.unwrap().totals;
    assert_eq!((totals.done, totals.already, told, memory.accounts()), (1, 2, 3, 3));
}

/// The caller's key, with a target: a late retry gives the first outcome, and makes nothing.
#[test]
fn a_key_holds_with_targets_too() {
    let memory = Memory::new();
    let (lead, ctx, clients) = (memory.lead(), memory.scene.ctx(), Clients::default());
    let options = in_full().once("order 4711".parse().unwrap());
    let run = || memory.write(|txn| convert::convert_with(&ctx, txn, lead.id, &options, &[&clients]));
    let first = run().unwrap();
    let again = run().unwrap();
    assert_eq!((again.operation, again.host, clients.calls.get()), (first.operation, first.host, 1));
}
