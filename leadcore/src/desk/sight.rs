//! Which records the actor may see, or write, learnt for many at once.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Context;
use crate::domain::{Lead, Link, LinkRole, Subject, SubjectKind};
use crate::error::Result;
use crate::id::{AccountId, ContactId, LeadId};
use crate::policy::Permission;
use crate::store::Txn;

use super::access::Gate;
use super::accounts;
use super::children::of_kind;

/// What the actor may see (or write), by the policy, learnt for many records at once.
pub(super) struct Sight {
    gate: Gate,
    /// Whether frozen leads are out of it.
    unfrozen: bool,
    /// Whether leads in the trash are out of it.
    live: bool,
    known: BTreeMap<Subject, bool>,
    /// What leads and persons out of sight became, as far as that is seen; nothing is asked for where somebody is to write.
    onwards: BTreeMap<Subject, Vec<Subject>>,
}

impl Sight {
    /// What the actor may see.
    pub(super) fn open(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Self> {
        Self::of(ctx, txn, Permission::View)
    }

    /// What the actor may do this with, as far as it is open for writing.
    pub(super) fn of(ctx: &Context<'_>, txn: &mut dyn Txn, permission: Permission) -> Result<Self> {
        ctx.check_tenant(txn)?;
        let gate = Gate::open(ctx, txn, permission)?;
        let writing = permission != Permission::View;
        let (known, onwards) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { gate, unfrozen: writing, live: writing, known, onwards })
    }

    /// What the actor may take back something of, also in the trash.
    ///
    /// # Errors
    /// `Denied` when that is nothing at all.
    pub(super) fn for_undo(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Self> {
        Ok(Self { live: false, ..Self::of(ctx, txn, Permission::Edit)? })
    }

    /// What the actor may join something to: what it may change, and what belongs to a frozen lead that it may change.
    ///
    /// # Errors
    /// `Denied` when that is nothing at all.
    pub(super) fn for_joining(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Self> {
        Ok(Self { unfrozen: false, ..Self::of(ctx, txn, Permission::Edit)? })
    }

    /// What the actor may change, or that became something it may change: also what is frozen or in the trash.
    ///
    /// # Errors
    /// `Denied` when that is nothing at all.
    pub(super) fn for_going_on(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Self> {
        Ok(Self { unfrozen: false, live: false, ..Self::of(ctx, txn, Permission::Edit)? })
    }

    const fn is_for_writing(&self) -> bool {
        self.unfrozen || self.live
    }

    /// Whether that is every record.
    pub(super) const fn is_unlimited(&self) -> bool {
        self.gate.is_unlimited()
    }

    pub(super) fn sees(&self, subject: Subject) -> bool {
        self.known.get(&subject).copied().unwrap_or(false)
    }

    /// Whether what is about these records is seen: with one of them, or with what one became. A customer shows what hangs on
    /// the leads that became it, also to whoever does not see the leads. Who a person turned out to be shows what hangs on the
    /// person only where no lead that has the person is out of reach: others may work with the same person.
    pub(super) fn shows(&self, about: &[Subject]) -> bool {
        about.iter().any(|subject| self.sees(*subject) || !self.onwards_of(*subject).is_empty())
    }

    /// These records as the actor knows them, each once: in the place of one out of sight what it became, if that is seen.
    pub(super) fn known_as(&self, about: &[Subject]) -> Vec<Subject> {
        let mut known = Vec::with_capacity(about.len());
        for subject in about {
            let own = std::slice::from_ref(subject);
            let seen = if self.sees(*subject) { own } else { self.onwards_of(*subject) };
            for one in seen {
                if !known.contains(one) {
                    known.push(*one);
                }
            }
        }
        known
    }

    fn onwards_of(&self, subject: Subject) -> &[Subject] {
        self.onwards.get(&subject).map_or(&[], Vec::as_slice)
    }

    fn admits(&self, lead: &Lead) -> bool {
        let is_out = self.unfrozen && lead.conversion.is_some() || self.live && lead.trashed.is_some();
        !is_out && self.gate.admits(lead)
    }

    /// Looks at the records of this list that are not known yet.
    pub(super) fn learn(&mut self, txn: &mut dyn Txn, subjects: &[Subject]) -> Result<()> {
        let new: BTreeSet<_> = subjects.iter().filter(|s| !self.known.contains_key(s)).copied().collect();
        let new: Vec<_> = new.into_iter().collect();
        // Children first: what they are about is learnt with the rest.
        let children: Vec<_> = new.iter().filter(|subject| subject.kind.is_child()).copied().collect();
        let placements = txn.children().placements(&children)?;
        let about: Vec<_> = placements.iter().flat_map(|placement| &placement.about).copied().collect();
        if !about.is_empty() {
            self.learn(txn, &about)?;
        }
        for placement in placements {
            let seen = self.shows(&placement.about);
            self.known.insert(placement.child, seen);
        }
        self.learn_leads(txn, &new)?;
        self.learn_accounts(txn, &new)?;
        self.learn_contacts(txn, &new)?;
        if self.is_for_writing() {
            return Ok(());
        }
        self.learn_onwards(txn, subjects, SubjectKind::Lead)?;
        let persons = self.learn_onwards(txn, subjects, SubjectKind::Contact)?;
        self.keep_apart(txn, &persons)
    }

    /// What those of these leads, or persons, became that are out of sight. Gives those who became something that is seen.
    fn learn_onwards(
        &mut self,
        txn: &mut dyn Txn,
        subjects: &[Subject],
        kind: SubjectKind,
    ) -> Result<Vec<Subject>> {
        let is_new = |one: &Subject| !self.sees(*one) && !self.onwards.contains_key(one);
        let hidden: BTreeSet<_> =
            subjects.iter().filter(|one| one.kind == kind && is_new(one)).copied().collect();
        if hidden.is_empty() {
            return Ok(Vec::new());
        }
        let mut hidden: Vec<_> = hidden.into_iter().collect();
        let links = txn.links().from(&hidden, Some(LinkRole::ConvertedTo))?;
        let became: Vec<_> =
            links.iter().map(|link| link.to).filter(|to| !self.known.contains_key(to)).collect();
        self.learn_accounts(txn, &became)?;
        self.learn_contacts(txn, &became)?;
        self.onwards.extend(hidden.iter().map(|one| (*one, Vec::new())));
        let seen: Vec<_> = links.into_iter().filter(|link| self.sees(link.to)).collect();
        for link in seen {
            self.onwards.entry(link.from).or_default().push(link.to);
        }
        hidden.retain(|one| !self.onwards_of(*one).is_empty());
        Ok(hidden)
    }

    /// Forgets what those of these persons became whom a lead or an account has that neither is seen nor became what is seen:
    /// what hangs on the person may be that one's.
    fn keep_apart(&mut self, txn: &mut dyn Txn, persons: &[Subject]) -> Result<()> {
        if persons.is_empty() {
            return Ok(());
        }
        let mut held = txn.links().to(persons, None)?;
        held.retain(|link| matches!(link.from.kind, SubjectKind::Lead | SubjectKind::Account));
        let holders: Vec<_> =
            held.iter().map(|link| link.from).filter(|from| !self.known.contains_key(from)).collect();
        self.learn_leads(txn, &holders)?;
        self.learn_accounts(txn, &holders)?;
        let holders: Vec<_> = held.iter().map(|link| link.from).collect();
        self.learn_onwards(txn, &holders, SubjectKind::Lead)?;
        for link in held {
            if !self.shows(&[link.from]) {
                self.onwards.insert(link.to, Vec::new());
            }
        }
        Ok(())
    }

    fn learn_leads(&mut self, txn: &mut dyn Txn, new: &[Subject]) -> Result<()> {
        let ids: Vec<_> = of_kind(new, SubjectKind::Lead).map(LeadId::from_uuid).collect();
        for lead in txn.leads().get(&ids)? {
            let seen = self.admits(&lead);
            self.known.insert(lead.id.into(), seen);
        }
        Ok(())
    }

    /// An account is seen by whoever sees a lead that became it; one without such a lead by what it says itself.
    fn learn_accounts(&mut self, txn: &mut dyn Txn, new: &[Subject]) -> Result<()> {
        let ids: Vec<_> = of_kind(new, SubjectKind::Account).map(AccountId::from_uuid).collect();
        let mut found = txn.accounts().get(&ids)?;
        found.retain(|account| !self.live || account.archived.is_none());
        let admitted = accounts::admitted(txn, &self.gate, &found)?;
        let seen = found.iter().map(|account| (account.id.into(), admitted.contains(&account.id)));
        self.known.extend(seen);
        Ok(())
    }

    /// A person is seen with any lead or account that has it.
    fn learn_contacts(&mut self, txn: &mut dyn Txn, new: &[Subject]) -> Result<()> {
        let ids: Vec<_> = of_kind(new, SubjectKind::Contact).map(ContactId::from_uuid).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let contacts: Vec<Subject> =
            txn.contacts().get(&ids)?.iter().map(|contact| contact.id.into()).collect();
        let links = txn.links().to(&contacts, None)?;
        let holders: Vec<_> = links.iter().map(|link| link.from).collect();
        self.learn_accounts(txn, &holders)?;
        // Whom a customer opens needs no lead: there may be thousands.
        let of_account = |link: &&Link| link.from.kind == SubjectKind::Account && self.sees(link.from);
        let held: BTreeSet<Subject> = links.iter().filter(of_account).map(|link| link.to).collect();
        let links: Vec<Link> = links.into_iter().filter(|link| !held.contains(&link.to)).collect();
        let holders: Vec<_> = links.iter().map(|link| link.from).collect();
        self.learn_leads(txn, &holders)?;
        let open = self.open_origins(txn, &links)?;
        for contact in contacts {
            let reaches = |link: &&Link| self.sees(link.from) || open.contains(&(link.from, contact));
            let by_lead = || links.iter().filter(|link| link.to == contact).any(|link| reaches(&link));
            let sees = held.contains(&contact) || by_lead();
            self.known.insert(contact, sees);
        }
        Ok(())
    }

    /// The persons that frozen leads open, as they open an account: what a lead became, and whom no account has, because the
    /// person did not come along. Somebody must be able to note that they are not to be reached, and to finish what is open.
    fn open_origins(&self, txn: &mut dyn Txn, links: &[Link]) -> Result<BTreeSet<(Subject, Subject)>> {
        if !self.unfrozen {
            return Ok(BTreeSet::new());
        }
        let held: BTreeSet<Subject> =
            links.iter().filter(|link| link.from.kind == SubjectKind::Account).map(|link| link.to).collect();
        let of_lead = |link: &&Link| link.from.kind == SubjectKind::Lead;
        let opens = |link: &&Link| is_origin(link) || !held.contains(&link.to);
        let open: Vec<&Link> = links.iter().filter(of_lead).filter(opens).collect();
        let ids: BTreeSet<_> = open.iter().map(|link| LeadId::from_uuid(link.from.id)).collect();
        if ids.is_empty() {
            return Ok(BTreeSet::new());
        }
        let leads = txn.leads().get(&ids.into_iter().collect::<Vec<_>>())?;
        let admits = |lead: &&Lead| !(self.live && lead.trashed.is_some()) && self.gate.admits(lead);
        let admitted: BTreeSet<Subject> = leads.iter().filter(admits).map(|lead| lead.id.into()).collect();
        let open = open.into_iter().filter(|link| admitted.contains(&link.from));
        Ok(open.map(|link| (link.from, link.to)).collect())
    }
}

fn is_origin(link: &Link) -> bool {
    link.role == LinkRole::ConvertedTo && link.from.kind == SubjectKind::Lead
}
