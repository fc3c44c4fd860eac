//! The store that keeps everything in memory: for tests, examples and small sets that need no file.
//!
//! It is the reference: as plain as it can be, and held to the same conformance suite as every other store. Writers
//! wait for each other, readers see the last committed state. A transaction copies the maps that it changes, so its
//! cost grows with the number of records; use a database for more than some ten thousand leads.

mod activities;
mod agenda;
mod blobs;
mod children;
mod estimates;
mod followers;
mod host_records;
mod leads;
mod numbers;
mod opportunities;
mod records;
mod reports;
mod setup;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use uuid::Uuid;

use crate::domain::{
    Account, Activity, Contact, ContentHash, Cost, Counter, Estimate, FileRecord, HostRecord, Lead,
    LeadLines, Link, MatchKey, NewEntry, NumberSeries, Operation, Opportunity, Pipeline, Placement,
    SavedView, Service, Subject, TermKind, TermRecord, ViewPreferences,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{
    AccountId, ActivityId, ContactId, CostId, EstimateId, FileId, LeadId, NumberSeriesId, OperationId,
    OpportunityId, PipelineId, RecordId, Revision, ServiceId, StageId, TenantId, UserId, ViewId,
};
use crate::store::{SettingName, Store, Txn, Upload};
use crate::time::Timestamp;

/// Everything of one tenant. Large maps sit behind `Arc`, so that a transaction copies only what it changes.
#[derive(Debug, Clone, Default)]
struct State {
    leads: Arc<BTreeMap<LeadId, Arc<Lead>>>,
    keys: Arc<BTreeMap<MatchKey, BTreeSet<(u64, LeadId)>>>,
    numbers_used: Arc<BTreeSet<u64>>,
    contacts: Arc<BTreeMap<ContactId, Contact>>,
    accounts: Arc<BTreeMap<AccountId, Account>>,
    links: Arc<BTreeSet<Link>>,
    operations: Arc<BTreeMap<OperationId, Operation>>,
    entries: Arc<Vec<(OperationId, NewEntry)>>,
    pipelines: BTreeMap<PipelineId, Pipeline>,
    terms: BTreeMap<(TermKind, Uuid), TermRecord>,
    settings: BTreeMap<SettingName, (Revision, String)>,
    series: BTreeMap<NumberSeriesId, NumberSeries>,
    /// The number that comes next, where one was given.
    counters: BTreeMap<Counter, u64>,
    views: BTreeMap<ViewId, SavedView>,
    preferences: BTreeMap<UserId, ViewPreferences>,
    /// What each user marked, and up to when everything.
    marks: Arc<BTreeMap<(UserId, LeadId), bool>>,
    marked_until: BTreeMap<UserId, Timestamp>,
    placements: Arc<BTreeMap<Subject, Placement>>,
    activities: Arc<BTreeMap<ActivityId, Activity>>,
    /// Reminders that were moved or taken away.
    reminded: Arc<BTreeMap<ActivityId, Option<Timestamp>>>,
    files: Arc<BTreeMap<FileId, FileRecord>>,
    /// Contents of files that were removed and may come back, by what they hung on.
    kept: Arc<BTreeMap<(Subject, FileId), ContentHash>>,
    blobs: Arc<BTreeMap<ContentHash, Arc<[u8]>>>,
    /// What is being written; a transaction that ends drops it.
    uploads: BTreeMap<Upload, Vec<u8>>,
    records: Arc<BTreeMap<RecordId, HostRecord>>,
    /// Since when a user follows a record.
    followers: Arc<BTreeMap<(Subject, UserId), Timestamp>>,
    estimates: Arc<BTreeMap<EstimateId, Estimate>>,
    lead_lines: Arc<BTreeMap<LeadId, LeadLines>>,
    opportunities: Arc<BTreeMap<OpportunityId, Opportunity>>,
    services: Arc<BTreeMap<ServiceId, Service>>,
    costs: Arc<BTreeMap<CostId, Cost>>,
    /// The moves of leads between stages, as far as they were not taken back.
    steps: Arc<BTreeMap<LeadId, Vec<Step>>>,
}

/// A move of a lead between stages.
#[derive(Debug, Clone, Copy)]
struct Step {
    from: StageId,
    /// Since when it had been there.
    since: Timestamp,
    to: StageId,
}

/// A store in memory.
///
/// ```
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let lead = store.write(ctx.tenant(), |txn| {
///     desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())
/// })?;
/// assert_eq!(lead.number, 1);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    committed: RwLock<BTreeMap<TenantId, State>>,
    writer: Mutex<()>,
    /// How many writes are left until one fails, that one included; 0 where none shall.
    fault: Arc<AtomicU64>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the `n`-th write from now on fail with [`Unavailable`](ErrorKind::Unavailable), 1 being the next one, and those
    /// behind it pass: for tests of what an error leaves behind. 0 lets none fail. Says how many were still to come until the
    /// one that was told to fail before; 0 when it has failed.
    ///
    /// ```
    /// use leadcore::prelude::*;
    /// let store = MemoryStore::new();
    /// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
    /// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
    /// let add = || store.write(ctx.tenant(), |txn| {
    ///     desk::leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())
    /// });
    /// store.fail_at(2);
    /// assert!(add().is_err());
    /// assert_eq!((store.fail_at(0), add()?.number), (0, 1));
    /// # Ok::<(), leadcore::error::Error>(())
    /// ```
    #[cfg(feature = "testkit")]
    pub fn fail_at(&self, n: u64) -> u64 {
        self.fault.swap(n, Ordering::SeqCst)
    }

    fn txn(&self, tenant: &TenantId, writable: bool) -> MemoryTxn {
        let fault = Arc::clone(&self.fault);
        MemoryTxn { tenant: tenant.clone(), state: self.state(tenant), writable, fault }
    }

    fn state(&self, tenant: &TenantId) -> State {
        let committed = self.committed.read().unwrap_or_else(PoisonError::into_inner);
        committed.get(tenant).cloned().unwrap_or_default()
    }

    fn lock_writer(&self) -> MutexGuard<'_, ()> {
        // The committed state is replaced in one step, so a panic of another writer left it whole.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn read_with(&self, tenant: &TenantId, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
        let mut txn = self.txn(tenant, false);
        work(&mut txn)
    }

    fn write_with(&self, tenant: &TenantId, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
        let _writer = self.lock_writer();
        let mut txn = self.txn(tenant, true);
        work(&mut txn)?;
        txn.state.uploads.clear();
        let mut committed = self.committed.write().unwrap_or_else(PoisonError::into_inner);
        committed.insert(tenant.clone(), txn.state);
        Ok(())
    }
}

struct MemoryTxn {
    tenant: TenantId,
    state: State,
    writable: bool,
    fault: Arc<AtomicU64>,
}

impl MemoryTxn {
    fn writable(&mut self) -> Result<&mut State> {
        if !self.writable {
            return Err(Error::new(ErrorKind::Unsupported, "a read transaction cannot write"));
        }
        // Writers wait for each other, so nobody else counts.
        let left = self.fault.load(Ordering::SeqCst);
        if left > 0 {
            self.fault.store(left.saturating_sub(1), Ordering::SeqCst);
        }
        if left == 1 {
            return Err(Error::new(ErrorKind::Unavailable, "this write was told to fail"));
        }
        Ok(&mut self.state)
    }
}

impl Txn for MemoryTxn {
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    crate::own_ports!();

    fn savepoint(&mut self, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
        let before = self.state.clone();
        let result = work(self);
        if result.is_err() {
            self.state = before;
        }
        result
    }
}

/// `{what} with this {unique} exists`.
fn exists(what: &str, unique: &str) -> Error {
    Error::new(ErrorKind::AlreadyExists, format!("a {what} with this {unique} exists"))
}

/// Refuses a write unless the stored revision is the one that the caller read.
fn check_revision(what: &str, found: Revision, expected: Revision) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::conflicting(what, crate::error::Conflict::StaleRevision { expected, found }))
}

/// The revision before this one.
const fn previous(revision: Revision) -> Revision {
    Revision::new(revision.get().saturating_sub(1))
}
