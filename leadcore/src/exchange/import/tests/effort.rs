//! What an undo of an import asks the store, by counting.

use super::*;
use crate::desk::undo;
use crate::domain::MatchKey;
use crate::id::{LeadId, TenantId};
use crate::store::{
    Accounts, Activities, Agenda, Blobs, Children, Contacts, Costs, Derived, Estimates, Files, Followers,
    Journal, LeadChange, Leads, Lines, Links, Marks, Numbers, Opportunities, Pipelines, Records, Reports,
    Services, Settings, Tallies, Terms, Txn, Views,
};

/// A transaction that counts how often leads are searched for, and how many are read.
struct Counting<'t> {
    inner: &'t mut dyn Txn,
    scans: usize,
    read: usize,
}

macro_rules! passed_on {
    ($($port:ident: $of:ident),+ $(,)?) => {$(
        fn $port(&mut self) -> &mut dyn $of {
            self.inner.$port()
        }
    )+};
}

impl Txn for Counting<'_> {
    fn tenant(&self) -> &TenantId {
        self.inner.tenant()
    }

    fn leads(&mut self) -> &mut dyn Leads {
        self
    }

    passed_on! {
        journal: Journal, tallies: Tallies, contacts: Contacts, accounts: Accounts, links: Links,
        pipelines: Pipelines, terms: Terms, settings: Settings, numbers: Numbers, views: Views, marks: Marks,
        children: Children, activities: Activities, agenda: Agenda, files: Files, blobs: Blobs, estimates: Estimates,
        lines: Lines, opportunities: Opportunities, services: Services, costs: Costs, reports: Reports,
        records: Records, followers: Followers,
    }

    fn savepoint(&mut self, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
        self.inner.savepoint(work)
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
        self.read += ids.len();
        self.inner.leads().get(ids)
    }

    fn find(&mut self, keys: &[MatchKey]) -> Result<Vec<(MatchKey, LeadId)>> {
        self.inner.leads().find(keys)
    }

    fn scan(&mut self, scan: &LeadScan) -> Result<Vec<Lead>> {
        self.scans += 1;
        self.inner.leads().scan(scan)
    }

    fn derive(&mut self, derived: &[Derived]) -> Result<()> {
        self.inner.leads().derive(derived)
    }
}

#[test]
fn names_that_a_file_added_make_its_undo_search_for_nothing() {
    const LEADS: usize = 400;
    for names in [1, 100] {
        let host = Host::new();
        let row = |n: usize| format!("c{n},c{n}@x.example,s{}\n", n % names);
        let file = format!("Company,E-mail,Source\n{}", (0..LEADS).map(row).collect::<String>());
        let operation = host.run(file).operation.unwrap();
        let ctx = host.system();
        let asked = |work: &dyn Fn(&mut dyn Txn)| {
            let counted = host.store.write(ctx.tenant(), |txn| {
                let mut counting = Counting { inner: txn, scans: 0, read: 0 };
                work(&mut counting);
                Ok((counting.scans, counting.read))
            });
            counted.unwrap()
        };
        let planned = asked(&|txn| {
            let plan = undo::plan(&ctx, txn, operation).unwrap();
            assert_eq!(plan.totals.reversed, (LEADS + names) as u64);
        });
        assert_eq!(planned, (0, LEADS), "{names} names");
        // Each lead is read once, and once to lose its name.
        let done = asked(&|txn| {
            let outcome = undo::undo(&ctx, txn, operation).unwrap();
            assert_eq!(outcome.totals.reversed, (LEADS + names) as u64);
        });
        assert_eq!(done, (0, 2 * LEADS), "{names} names");
    }
}
