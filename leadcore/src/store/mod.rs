//! The ports: what core asks of a store.
//!
//! These traits are for whoever writes a store; users of leadcore call the [`desk`](crate::desk). They are
//! synchronous, dyn-compatible and set-based (slices in, vectors out), have at most seven methods (the journal eight) and no default
//! bodies. A store is right when it passes the suite in `testkit`.
//!
//! A [`Txn`] is one unit of work of one tenant and the sum of the ports; it does not know who opened it. After an
//! error inside it the only legal moves are to end it or to be inside a [`Txn::savepoint`]. Ports check no rules but
//! their own: revisions, unique ids and names, operations of entries, terms in use. A
//! store may refuse references to records that do not exist (stages, terms, accounts); core never writes one.
//!
//! Texts are compared bytewise and never by a collation; where a name is unique or sorted "without case and accents",
//! it is by its [`fold`](crate::value::fold)ed form. A slice may be empty; what is asked twice by id is answered twice,
//! in the order asked, and one write takes all of its slice or nothing: one that failed half-way is taken back at once, or with
//! the savepoint around it; without one the store refuses every call after it, and commits nothing.

mod activities;
mod agenda;
mod blobs;
mod children;
mod estimates;
mod followers;
mod host_records;
mod journal;
mod leads;
mod opportunities;
mod records;
mod reports;
mod setup;
mod views;

use crate::error::{Error, ErrorKind, Result};
use crate::id::TenantId;

pub use crate::domain::Series;
pub use activities::{Activities, ActivityQuery};
pub use agenda::{Agenda, AgendaQuery};
pub use blobs::{Blobs, Files, KeptFile, Upload};
pub use children::{ChildQuery, Children};
pub use estimates::{EstimateScan, Estimates, Lines};
pub use followers::Followers;
pub use host_records::Records;
pub use journal::{Journal, Links};
pub use leads::{Derived, LeadChange, Leads, Tallies};
pub use opportunities::{Opportunities, OpportunityScan, ServiceScan, Services};
pub use records::{Accounts, Block, Contacts, NamePlace, NameSearch};
pub use reports::{
    CostScan, Costs, Entered, LeadFigures, MiddleWaits, Reports, StageFigures, Worth, WorthFigures,
};
pub use setup::{GivenQuery, Numbers, Pipelines, SettingName, Settings, Terms, WhichNumbers, check_skip};
pub use views::{Marks, Views, WhichViews};

/// One unit of work of one tenant. Bound to its tenant when it is opened, so that no query can forget it.
///
/// It is the sum of the ports, and so has more methods than a port may have.
pub trait Txn {
    /// The tenant that every port of this transaction reads and writes.
    fn tenant(&self) -> &TenantId;
    /// Leads.
    fn leads(&mut self) -> &mut dyn Leads;
    /// Counts of leads.
    fn tallies(&mut self) -> &mut dyn Tallies;
    /// Contacts.
    fn contacts(&mut self) -> &mut dyn Contacts;
    /// Accounts.
    fn accounts(&mut self) -> &mut dyn Accounts;
    /// Links between records.
    fn links(&mut self) -> &mut dyn Links;
    /// Operations and what happened in them.
    fn journal(&mut self) -> &mut dyn Journal;
    /// Pipelines with their stages.
    fn pipelines(&mut self) -> &mut dyn Pipelines;
    /// Vocabularies.
    fn terms(&mut self) -> &mut dyn Terms;
    /// Settings documents.
    fn settings(&mut self) -> &mut dyn Settings;
    /// Number series.
    fn numbers(&mut self) -> &mut dyn Numbers;
    /// Saved views.
    fn views(&mut self) -> &mut dyn Views;
    /// Read marks.
    fn marks(&mut self) -> &mut dyn Marks;
    /// Where activities, files, estimates, opportunities, services and records of the host are shown.
    fn children(&mut self) -> &mut dyn Children;
    /// Activities.
    fn activities(&mut self) -> &mut dyn Activities;
    /// Activities by time.
    fn agenda(&mut self) -> &mut dyn Agenda;
    /// Files.
    fn files(&mut self) -> &mut dyn Files;
    /// The bytes of files.
    fn blobs(&mut self) -> &mut dyn Blobs;
    /// Estimates.
    fn estimates(&mut self) -> &mut dyn Estimates;
    /// The products of leads.
    fn lines(&mut self) -> &mut dyn Lines;
    /// Opportunities.
    fn opportunities(&mut self) -> &mut dyn Opportunities;
    /// Services.
    fn services(&mut self) -> &mut dyn Services;
    /// What sources and campaigns cost.
    fn costs(&mut self) -> &mut dyn Costs;
    /// Figures of leads and of what came of them.
    fn reports(&mut self) -> &mut dyn Reports;
    /// Records of the host's own.
    fn records(&mut self) -> &mut dyn Records;
    /// Who follows what.
    fn followers(&mut self) -> &mut dyn Followers;

    /// Runs `work`; when it fails, what it wrote is taken back and the transaction goes on.
    ///
    /// # Errors
    /// What `work` returns, or a failure of the store.
    fn savepoint(&mut self, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()>;
}

/// The accessors of a [`Txn`] that is every port itself, for its `impl`.
///
/// ```text
/// impl Txn for MyTxn {
///     leadcore::own_ports!();
///     // tenant, savepoint
/// }
/// ```
#[macro_export]
macro_rules! own_ports {
    () => {
        $crate::own_ports! {
            leads: Leads, tallies: Tallies, contacts: Contacts, accounts: Accounts, links: Links, journal: Journal,
            pipelines: Pipelines, terms: Terms, settings: Settings, numbers: Numbers, views: Views, marks: Marks,
            children: Children, activities: Activities, agenda: Agenda, files: Files, blobs: Blobs,
            estimates: Estimates, lines: Lines, opportunities: Opportunities, services: Services,
            costs: Costs, reports: Reports, records: Records, followers: Followers,
        }
    };
    ($($port:ident: $of:ident,)+) => {$(
        fn $port(&mut self) -> &mut dyn $crate::store::$of {
            self
        }
    )+};
}

/// A place that opens transactions. Stores also give transactions inside a host's own; those need no `Store`.
pub trait Store: Send + Sync {
    /// Runs `work` on a consistent view of one tenant.
    ///
    /// # Errors
    /// What `work` returns, or a failure of the store. Writing inside is an error, and nothing is written even when
    /// `work` passes over it.
    fn read_with(&self, tenant: &TenantId, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()>;

    /// Runs `work` and commits; when it fails or panics, nothing of it stays. The store may run `work` more than once (busy,
    /// serialization failure), so it must have no effect but on the transaction.
    ///
    /// # Errors
    /// What `work` returns, or a failure of the store.
    fn write_with(&self, tenant: &TenantId, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()>;
}

/// Sugar for callers: closures that return a value.
pub trait StoreExt: Store {
    /// Runs `work` on a consistent view of one tenant and returns its value.
    ///
    /// # Errors
    /// What `work` returns, or a failure of the store.
    fn read<T>(&self, tenant: &TenantId, mut work: impl FnMut(&mut dyn Txn) -> Result<T>) -> Result<T> {
        let mut value = None;
        self.read_with(tenant, &mut |txn| {
            value = Some(work(txn)?);
            Ok(())
        })?;
        value.ok_or_else(closure_not_run)
    }

    /// Runs `work`, commits and returns its value. `work` may run more than once; see [`Store::write_with`].
    ///
    /// # Errors
    /// What `work` returns, or a failure of the store.
    fn write<T>(&self, tenant: &TenantId, mut work: impl FnMut(&mut dyn Txn) -> Result<T>) -> Result<T> {
        let mut value = None;
        self.write_with(tenant, &mut |txn| {
            value = Some(work(txn)?);
            Ok(())
        })?;
        value.ok_or_else(closure_not_run)
    }
}

impl<S: Store + ?Sized> StoreExt for S {}

fn closure_not_run() -> Error {
    Error::new(ErrorKind::Internal, "the store said yes without running the work")
}

/// Sugar for callers: a savepoint that returns a value.
///
/// # Errors
/// What `work` returns, or a failure of the store; then what `work` wrote is taken back.
pub fn nested<T>(txn: &mut dyn Txn, mut work: impl FnMut(&mut dyn Txn) -> Result<T>) -> Result<T> {
    let mut value = None;
    txn.savepoint(&mut |txn| {
        value = Some(work(txn)?);
        Ok(())
    })?;
    value.ok_or_else(closure_not_run)
}
