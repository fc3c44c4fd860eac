//! The form of the further persons of a lead: those that hang on it and come along.

use std::collections::BTreeMap;

use crate::domain::{ContactFields, ContactPatch, Field};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::ContactId;

use super::super::contacts::LinkedContact;
use super::customer::{CustomerForms, misfits, named, own};
use super::plan::{ConversionPlan, OwnPerson, PlannedAccount, PlannedContact, PlannedPerson};

impl ConversionPlan {
    /// Step 2, the form of the further persons: what is said here is written over what those say that hang on the lead and come
    /// along ([`own_persons`](Self::own_persons)), when the plan is carried out; the way back gives them back what they said.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use leadcore::desk::{contacts, convert, leads};
    /// use leadcore::domain::{ContactFields, ContactPatch};
    /// use leadcore::prelude::*;
    /// let store = MemoryStore::new();
    /// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
    /// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
    /// let titled = store.write(ctx.tenant(), |txn| {
    ///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
    ///     let ola = contacts::add(&ctx, txn, lead.id, ContactFields::named("Ola Dal")?, true)?.id;
    ///     let plan = convert::plan(&ctx, txn, lead.id, &Default::default())?;
    ///     let said = ContactPatch::new().set(Field::JobTitle, "Buyer");
    ///     let done = convert::apply(&ctx, txn, &plan.person_fields(&BTreeMap::from([(ola, said)]))?)?;
    ///     Ok(contacts::of_account(&ctx, txn, done.account.unwrap())?.remove(0).contact.fields.job_title)
    /// })?;
    /// assert_eq!(titled.as_deref(), Some("Buyer"));
    /// # Ok::<(), leadcore::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Invalid` with every value that does not fit its field (`contacts[1].phone`), every field that there is not or that the actor
    /// may not see, and for a contact that is not such a person (`person_fields`).
    pub fn person_fields(mut self, of: &BTreeMap<ContactId, ContactPatch>) -> Result<Self> {
        let hidden = std::mem::take(&mut self.hidden);
        let is_hidden = |field: &Field| {
            hidden.contains(field) || field.name_group().iter().any(|field| hidden.contains(field))
        };
        write(&self.account, (&mut self.contacts, &self.own_persons), &self.forms, of, is_hidden)?;
        self.hidden = hidden;
        Ok(self)
    }
}

/// The persons of a plan that hang on the lead and stay as they are.
pub(super) fn of(contacts: &[PlannedContact], persons: &[LinkedContact]) -> Vec<OwnPerson> {
    let stays = |person: &&LinkedContact| {
        contacts.iter().any(|one| one.who == PlannedPerson::Existing(person.contact.id))
    };
    let own = persons.iter().filter(stays).map(|person| OwnPerson {
        id: person.contact.id,
        revision: person.contact.revision,
        fields: Box::new(person.contact.fields.clone()),
    });
    own.collect()
}

/// Writes what is said over what the persons say: all of it, or nothing.
pub(super) fn write(
    account: &PlannedAccount,
    (contacts, persons): (&mut [PlannedContact], &[OwnPerson]),
    forms: &CustomerForms,
    of: &BTreeMap<ContactId, ContactPatch>,
    is_hidden: impl Fn(&Field) -> bool,
) -> Result<()> {
    let region = account.fields().and_then(|fields| fields.address.country());
    let (mut broken, mut written) = (Vec::new(), Vec::new());
    for (id, patch) in of.iter().filter(|(_, patch)| !patch.is_empty()) {
        let person = persons.iter().find(|person| person.id == *id);
        let place = contacts.iter().position(|one| one.who.contact() == Some(*id));
        let (Some(person), Some(n)) = (person, place) else {
            let message = "only a person that hangs on the lead and comes along is filled in: another one is edited by itself";
            broken.push(Violation::new("person_fields", ViolationCode::Unknown, message));
            continue;
        };
        let at = format!("contacts[{n}]");
        let unseen = patch.fields().filter(|field| is_hidden(field)).map(|field| {
            let message = "you may not see this field";
            Violation::new(format!("{at}.{}", field.key()), ViolationCode::NotAllowed, message)
        });
        broken.extend(unseen);
        // Said twice, the later word goes over the earlier one.
        let before = match contacts.get(n).map(|one| &one.who) {
            Some(PlannedPerson::Known { fields, .. }) => fields.as_ref().clone(),
            _ => person.fields.as_ref().clone(),
        };
        let mut after = before.clone();
        broken.extend(misfits(&at, patch.apply(&forms.contact, &mut after, region)));
        broken.extend(unfit(&before, &after).into_iter().map(|one| named(&at, one)));
        broken.extend(own(&at, &forms.contact, &after.custom, &before.custom));
        written.push((n, person, after));
    }
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    for (n, person, after) in written {
        if let Some(one) = contacts.get_mut(n) {
            let (id, revision, fields) = (person.id, person.revision, Box::new(after));
            one.who = PlannedPerson::Known { id, revision, fields, instead_of: Vec::new(), is_lead: false };
        }
    }
    Ok(())
}

/// What the change breaks that was not broken before.
fn unfit(before: &ContactFields, after: &ContactFields) -> Vec<Violation> {
    let known = before.violations();
    after.violations().into_iter().filter(|one| !known.contains(one)).collect()
}
