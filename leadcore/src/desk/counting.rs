//! What tests ask of a transaction that a use case is given: how much it asks of the store.

use crate::domain::{
    BlockKey, Contact, Entry, Lead, Link, LinkRole, MatchKey, NewEntry, Operation, OperationKind, Sequence,
    Subject, SubjectKind, Topics,
};
use crate::error::Result;
use crate::id::{ContactId, LeadId, OperationId, TenantId};
use crate::query::LeadScan;
use crate::store::{
    Accounts, Activities, Agenda, Blobs, Block, Children, Contacts, Costs, Derived, Estimates, Files,
    Followers, Journal, LeadChange, Leads, Lines, Links, Marks, NameSearch, Numbers, Opportunities,
    Pipelines, Records, Reports, Services, Settings, Tallies, Terms, Txn, Views,
};

/// A transaction that counts.
pub(crate) struct Counting<'t> {
    inner: &'t mut dyn Txn,
    /// How often a port was asked.
    pub(crate) calls: usize,
    /// How many entries of the journal were read.
    pub(crate) read: usize,
    /// The most of them that one look at a record's history gave.
    pub(crate) at_once: usize,
    /// How often leads were searched for.
    pub(crate) scans: usize,
    /// How many leads were asked for by their ids.
    pub(crate) leads: usize,
    /// How many persons and leads were read.
    pub(crate) records: usize,
    /// How many links were read, and ids of persons by what they share.
    pub(crate) links: usize,
}

impl<'t> Counting<'t> {
    pub(crate) fn of(inner: &'t mut dyn Txn) -> Self {
        Self { inner, calls: 0, read: 0, at_once: 0, scans: 0, leads: 0, records: 0, links: 0 }
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

    fn leads(&mut self) -> &mut dyn Leads {
        self.calls += 1;
        self
    }

    fn contacts(&mut self) -> &mut dyn Contacts {
        self.calls += 1;
        self
    }

    fn links(&mut self) -> &mut dyn Links {
        self.calls += 1;
        self
    }

    counted! {
        tallies: Tallies, accounts: Accounts,
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
        let entries = self.inner.journal().about(subjects, topics, before, limit)?;
        self.read += entries.len();
        self.at_once = self.at_once.max(entries.len());
        Ok(entries)
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

impl Leads for Counting<'_> {
    fn insert(&mut self, leads: &[Lead]) -> Result<()> {
        self.inner.leads().insert(leads)
    }

    fn update(&mut self, changes: &[LeadChange]) -> Result<()> {
        self.inner.leads().update(changes)
    }

    fn remove(&mut self, leads: &[Lead]) -> Result<()> {
        self.inner.leads().remove(leads)
    }

    fn get(&mut self, ids: &[LeadId]) -> Result<Vec<Lead>> {
        self.leads += ids.len();
        let found = self.inner.leads().get(ids)?;
        self.records += found.len();
        Ok(found)
    }

    fn find(&mut self, keys: &[MatchKey]) -> Result<Vec<(MatchKey, LeadId)>> {
        self.inner.leads().find(keys)
    }

    fn scan(&mut self, scan: &LeadScan) -> Result<Vec<Lead>> {
        self.scans += 1;
        let found = self.inner.leads().scan(scan)?;
        self.records += found.len();
        Ok(found)
    }

    fn derive(&mut self, derived: &[Derived]) -> Result<()> {
        self.inner.leads().derive(derived)
    }
}

impl Contacts for Counting<'_> {
    fn insert(&mut self, contacts: &[Contact]) -> Result<()> {
        self.inner.contacts().insert(contacts)
    }

    fn update(&mut self, contacts: &[Contact]) -> Result<()> {
        self.inner.contacts().update(contacts)
    }

    fn get(&mut self, ids: &[ContactId]) -> Result<Vec<Contact>> {
        let found = self.inner.contacts().get(ids)?;
        self.records += found.len();
        Ok(found)
    }

    fn remove(&mut self, ids: &[ContactId]) -> Result<()> {
        self.inner.contacts().remove(ids)
    }

    fn search(&mut self, search: &NameSearch, of: Option<SubjectKind>) -> Result<Vec<Contact>> {
        let found = self.inner.contacts().search(search, of)?;
        self.records += found.len();
        Ok(found)
    }

    fn blocks(&mut self, keys: &[BlockKey], limit: usize) -> Result<Vec<Block<ContactId>>> {
        let found = self.inner.contacts().blocks(keys, limit)?;
        self.links += found.iter().map(|block| block.ids.len()).sum::<usize>();
        Ok(found)
    }
}

impl Links for Counting<'_> {
    fn insert(&mut self, links: &[Link]) -> Result<()> {
        self.inner.links().insert(links)
    }

    fn remove(&mut self, links: &[Link]) -> Result<()> {
        self.inner.links().remove(links)
    }

    fn from(&mut self, subjects: &[Subject], role: Option<LinkRole>) -> Result<Vec<Link>> {
        let found = self.inner.links().from(subjects, role)?;
        self.links += found.len();
        Ok(found)
    }

    fn to(&mut self, subjects: &[Subject], role: Option<LinkRole>) -> Result<Vec<Link>> {
        let found = self.inner.links().to(subjects, role)?;
        self.links += found.len();
        Ok(found)
    }
}
