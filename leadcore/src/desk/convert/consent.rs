//! What was said against reaching somebody holds for every record of one conversion: the lead, the account with all its
//! persons, and those that the lead brings.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::context::Context;
use crate::domain::conversion_mapping::Consent;
use crate::domain::{
    AccountFields, Contact, ContactFields, FieldChange, Lead, Link, SubjectKind, contact_changes,
};
use crate::error::Result;
use crate::id::ContactId;
use crate::store::Txn;

use super::persons::is_same_person;
use super::plan::{ConversionPlan, PlannedAccount, PlannedPerson};

/// Marks of addresses and numbers go by the address, whoever has it. That somebody must not be called goes by the person.
pub(super) struct Said {
    marks: Consent,
    persons: Vec<Contact>,
}

impl Said {
    /// What is said in the records of a plan; with an actor, only what that one may see: for a plan to be looked at.
    pub(super) fn of(
        txn: &mut dyn Txn,
        (lead, of_lead): (&Lead, &[Link]),
        plan: &ConversionPlan,
        seen_by: Option<&Context<'_>>,
    ) -> Result<Self> {
        let mut marks = Consent::of_lead(&lead.fields);
        let mut ids: BTreeSet<ContactId> = contacts(of_lead).collect();
        ids.extend(plan.contacts.iter().filter_map(|contact| match &contact.who {
            PlannedPerson::Existing(id) | PlannedPerson::Known { id, .. } => Some(*id),
            PlannedPerson::New(_) => None,
        }));
        if let PlannedAccount::Existing { id, .. } = &plan.account {
            ids.extend(contacts(&txn.links().from(&[(*id).into()], None)?));
            let account = txn.accounts().get(&[*id])?.pop().map(|found| found.fields).unwrap_or_default();
            let account = match seen_by {
                Some(ctx) => account.without(|field| ctx.policy().is_hidden(ctx.actor(), field)),
                None => account,
            };
            marks = marks.join(&Consent::of_account(&account));
        }
        let mut persons = txn.contacts().get(&ids.into_iter().collect::<Vec<_>>())?;
        if let Some(ctx) = seen_by {
            persons.iter_mut().for_each(|person| super::super::contacts::mask(ctx, person));
        }
        for person in &persons {
            marks = marks.join(&Consent::of(&person.fields.emails, &person.fields.phones));
        }
        Ok(Self { marks, persons })
    }

    fn is_empty(&self) -> bool {
        self.marks.is_empty() && self.persons.iter().all(|person| person.fields.do_not_call.is_none())
    }

    fn tighten_account(&self, fields: &mut AccountFields) {
        self.marks.tighten_account(fields);
    }

    /// `are` says which contacts it is: itself, where it is one already, and those that a plan says are the same.
    fn tighten_contact(&self, are: &[ContactId], fields: &mut ContactFields) {
        self.marks.tighten_contact(fields);
        for known in self.persons.iter().filter(|known| known.fields.do_not_call.is_some()) {
            let same = |one: &ContactFields, other: &ContactFields| {
                is_same_person((one.name.as_ref(), &one.emails), (other.name.as_ref(), &other.emails))
            };
            if are.contains(&known.id) || same(&known.fields, fields) {
                let do_not_call = known.fields.do_not_call.clone();
                let said = ContactFields { do_not_call, ..ContactFields::default() };
                Consent::of_contact(&said).tighten_contact(fields);
            }
        }
    }

    /// Every record that the plan writes, with all that is said against reaching it.
    pub(super) fn tighten(&self, plan: &mut Cow<'_, ConversionPlan>) {
        if self.is_empty() {
            return;
        }
        let plan = plan.to_mut();
        if let Some(fields) = plan.account.fields_mut() {
            self.tighten_account(fields);
        }
        for contact in &mut plan.contacts {
            match &mut contact.who {
                PlannedPerson::New(fields) => self.tighten_contact(&[], fields),
                PlannedPerson::Known { id, fields, instead_of, .. } => {
                    let are: Vec<_> = instead_of.iter().copied().chain([*id]).collect();
                    self.tighten_contact(&are, fields);
                }
                PlannedPerson::Existing(_) => {}
            }
        }
    }

    /// A person of the lead that comes along as it is, when something is said against it elsewhere.
    pub(super) fn marked(&self, id: ContactId) -> Option<(Contact, Vec<FieldChange>)> {
        let before = self.persons.iter().find(|person| person.id == id).filter(|_| !self.is_empty())?;
        let mut after = before.clone();
        self.tighten_contact(&[id], &mut after.fields);
        let changes = contact_changes(&before.fields, &after.fields);
        (!changes.is_empty()).then_some((after, changes))
    }
}

fn contacts(links: &[Link]) -> impl Iterator<Item = ContactId> + '_ {
    let of_kind = links.iter().filter(|link| link.to.kind == SubjectKind::Contact);
    of_kind.map(|link| ContactId::from_uuid(link.to.id))
}
