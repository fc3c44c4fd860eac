//! What was said against reaching somebody holds for every record of one conversion: the lead, the account with all its
//! persons, and those that the lead brings. Of the persons of an account only those are read that something is said of: a lead
//! that becomes one of a thousand in it costs what the first one did.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::context::Context;
use crate::domain::conversion_mapping::{Consent, asked_keys};
use crate::domain::{
    AccountFields, BlockKey, Contact, ContactFields, Emails, FieldChange, Lead, LeadFields, Link, ReachMark,
    Subject, SubjectKind, contact_changes,
};
use crate::error::Result;
use crate::id::{AccountId, ContactId};
use crate::store::Txn;
use crate::value::PersonName;

use super::persons::is_same_person;
use super::plan::{ConversionPlan, PlannedAccount, PlannedPerson};

/// How many that say something of one address or name are looked at. Where there are more, all persons of the account are.
const OF_ONE_KEY: usize = 1_000;

/// Marks of addresses and numbers go by the address, whoever has it. That somebody must not be called goes by the person.
pub(super) struct Said {
    marks: Consent,
    persons: Vec<Contact>,
    callee: Option<Callee>,
}

/// The person of a lead that nobody may call: every number of the lead is opted out.
struct Callee {
    name: Option<PersonName>,
    emails: Emails,
    said: Consent,
}

impl Callee {
    fn of(lead: &LeadFields) -> Option<Self> {
        let numbers = lead.phones.entries();
        if !numbers.iter().all(|number| number.opted_out) {
            return None;
        }
        let notes =
            numbers.iter().map(|number| number.note(ReachMark::OptedOut).cloned().unwrap_or_default());
        let said = notes.map(|note| {
            Consent::of_contact(&ContactFields { do_not_call: Some(note), ..ContactFields::default() })
        });
        let said = said.reduce(|one, other| one.join(&other))?;
        Some(Self { name: lead.person.clone(), emails: lead.emails.clone(), said })
    }

    /// Also where all numbers of the contact say so already: one that it gets later does not.
    fn tighten(&self, fields: &mut ContactFields) {
        self.said.tighten_contact(fields);
    }

    fn is(&self, fields: &ContactFields) -> bool {
        let own = (self.name.as_ref(), &self.emails);
        is_same_person(own, (fields.name.as_ref(), &fields.emails))
    }
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
        let mut persons = txn.contacts().get(&ids.iter().copied().collect::<Vec<_>>())?;
        if let PlannedAccount::Existing { id, .. } = &plan.account {
            let speaking = speaking(txn, *id, &asked(plan, &persons))?;
            let others: Vec<_> = speaking.into_iter().filter(|id| !ids.contains(id)).collect();
            persons.extend(txn.contacts().get(&others)?);
            let account = txn.accounts().get(&[*id])?.pop().map(|found| found.fields).unwrap_or_default();
            let account = match seen_by {
                Some(ctx) => account.without(|field| ctx.policy().is_hidden(ctx.actor(), field)),
                None => account,
            };
            marks = marks.join(&Consent::of_account(&account));
        }
        if let Some(ctx) = seen_by {
            persons.iter_mut().for_each(|person| super::super::contacts::mask(ctx, person));
        }
        for person in &persons {
            marks = marks.join(&Consent::of(&person.fields.emails, &person.fields.phones));
        }
        Ok(Self { marks, persons, callee: Callee::of(&lead.fields) })
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

    /// The person of the lead, which a contact is by the plan, or by what is known of it.
    fn tighten_callee(&self, is_lead: bool, fields: &mut ContactFields) {
        if let Some(callee) = self.callee.as_ref().filter(|callee| is_lead || callee.is(fields)) {
            callee.tighten(fields);
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
                PlannedPerson::New(fields) => {
                    self.tighten_contact(&[], fields);
                    self.tighten_callee(true, fields);
                }
                PlannedPerson::Known { id, fields, instead_of, is_lead, .. } => {
                    let are: Vec<_> = instead_of.iter().copied().chain([*id]).collect();
                    self.tighten_contact(&are, fields);
                    self.tighten_callee(*is_lead, fields);
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
        self.tighten_callee(false, &mut after.fields);
        let changes = contact_changes(&before.fields, &after.fields);
        (!changes.is_empty()).then_some((after, changes))
    }
}

/// What is looked for: every address and number that the plan writes, or that is one of its persons', and their names.
fn asked(plan: &ConversionPlan, persons: &[Contact]) -> Vec<BlockKey> {
    let of_contact =
        |fields: &ContactFields| asked_keys(fields.name.as_ref(), &fields.emails, &fields.phones);
    let account = plan.account.fields();
    let mut keys: Vec<_> =
        account.map(|fields| asked_keys(None, &fields.emails, &fields.phones)).unwrap_or_default();
    keys.extend(persons.iter().flat_map(|person| of_contact(&person.fields)));
    for contact in &plan.contacts {
        if let PlannedPerson::New(fields) | PlannedPerson::Known { fields, .. } = &contact.who {
            keys.extend(of_contact(fields));
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

/// The persons of an account that say something of what is asked, by the index; where that is cut, all of them.
pub(super) fn speaking(
    txn: &mut dyn Txn,
    account: AccountId,
    asked: &[BlockKey],
) -> Result<BTreeSet<ContactId>> {
    let account = Subject::from(account);
    let blocks = txn.contacts().blocks(asked, OF_ONE_KEY)?;
    if blocks.iter().any(|block| block.is_cut) {
        return Ok(contacts(&txn.links().from(&[account], None)?).collect());
    }
    let found: BTreeSet<Subject> =
        blocks.iter().flat_map(|block| &block.ids).map(|id| (*id).into()).collect();
    let held = txn.links().to(&found.into_iter().collect::<Vec<_>>(), None)?;
    Ok(contacts(&held.into_iter().filter(|link| link.from == account).collect::<Vec<_>>()).collect())
}

fn contacts(links: &[Link]) -> impl Iterator<Item = ContactId> + '_ {
    let of_kind = links.iter().filter(|link| link.to.kind == SubjectKind::Contact);
    of_kind.map(|link| ContactId::from_uuid(link.to.id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::MarkNote;

    fn somebody() -> impl Strategy<Value = ContactFields> {
        let names = ["", "Anna Berg", "anna BERG", "Dr. Anna Berg", "Berg, Anna", "Ola"];
        let mails = ["", "a@x.example", "A@X.example", "b@x.example, a@x.example", "c@x.example"];
        let of = (prop::sample::select(names.to_vec()), prop::sample::select(mails.to_vec()));
        of.prop_map(|(name, mails)| ContactFields {
            name: PersonName::parse(name).ok(),
            emails: Emails::parse(mails).unwrap(),
            ..ContactFields::default()
        })
    }

    proptest! {
        #[test]
        fn who_must_not_be_called_is_found_by_whoever_is_the_same(one in somebody(), other in somebody()) {
            let known = ContactFields { do_not_call: Some(MarkNote::default()), ..one };
            let asked = asked_keys(other.name.as_ref(), &other.emails, &other.phones);
            let is_found = known.block_keys().iter().any(|key| asked.contains(key));
            let is_same =
                is_same_person((known.name.as_ref(), &known.emails), (other.name.as_ref(), &other.emails));
            prop_assert!(is_found || !is_same, "{known:?} {other:?}");
        }
    }
}
