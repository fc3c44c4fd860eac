//! What tests ask of a transaction that a use case is given: how much it asks of the store.

use crate::domain::{Entry, NewEntry, Operation, OperationKind, Sequence, Subject, Topics};
use crate::error::Result;
use crate::id::{OperationId, TenantId};
use crate::store::{
    Accounts, Activities, Agenda, Blobs, Children, Contacts, Costs, Estimates, Files, Followers, Journal,
    Leads, Lines, Links, Marks, Numbers, Opportunities, Pipelines, Records, Reports, Services, Settings,
    Tallies, Terms, Txn, Views,
};

/// A transaction that counts.
pub(super) struct Counting<'t> {
    inner: &'t mut dyn Txn,
    /// How often a port was asked.
    pub(super) calls: usize,
    /// How many entries of the journal were read.
    pub(super) read: usize,
}

impl<'t> Counting<'t> {
    pub(super) fn of(inner: &'t mut dyn Txn) -> Self {
        Self { inner, calls: 0, read: 0 }
    }
}

macro_rules! counted {
    ($($port:ident: $of:ident),+ $(,)?) => {$(
        fn $port(&mut self) -> &mut dyn $of {
            self.calls += 1;
            self.inner.$port()
        }
    )+};
}

impl Txn for Counting<'_> {
    fn tenant(&self) -> &TenantId {
        self.inner.tenant()
    }

    fn journal(&mut self) -> &mut dyn Journal {
        self.calls += 1;
        self
    }

    counted! {
        leads: Leads, tallies: Tallies, contacts: Contacts, accounts: Accounts, links: Links,
        pipelines: Pipelines, terms: Terms, settings: Settings, numbers: Numbers, views: Views, marks: Marks,
        children: Children, activities: Activities, agenda: Agenda, files: Files, blobs: Blobs, estimates: Estimates,
        lines: Lines, opportunities: Opportunities, services: Services, costs: Costs, reports: Reports,
        records: Records, followers: Followers,
    }

    fn savepoint(&mut self, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
        self.inner.savepoint(work)
    }
}

impl Journal for Counting<'_> {
    fn begin(&mut self, operation: &Operation) -> Result<()> {
        self.inner.journal().begin(operation)
    }

    fn update(&mut self, operation: &Operation) -> Result<()> {
        self.inner.journal().update(operation)
    }

    fn operation(&mut self, id: OperationId) -> Result<Option<Operation>> {
        self.inner.journal().operation(id)
    }

    fn find(&mut self, kind: OperationKind, key: &str) -> Result<Option<Operation>> {
        self.inner.journal().find(kind, key)
    }

    fn append(&mut self, operation: OperationId, entries: &[NewEntry]) -> Result<()> {
        self.inner.journal().append(operation, entries)
    }

    fn about(
        &mut self,
        subjects: &[Subject],
        topics: Topics,
        before: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        self.inner.journal().about(subjects, topics, before, limit)
    }

    fn replay(
        &mut self,
        operation: Option<OperationId>,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        let entries = self.inner.journal().replay(operation, after, limit)?;
        self.read += entries.len();
        Ok(entries)
    }

    fn end(&mut self) -> Result<Sequence> {
        self.inner.journal().end()
    }
}
