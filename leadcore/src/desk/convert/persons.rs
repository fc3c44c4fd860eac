//! The persons of a plan: those of the lead, and the person that the lead itself is.

use std::borrow::Cow;

use crate::context::Context;
use crate::dedupe::matching::Matches;
use crate::domain::conversion_mapping::Mapped;
use crate::domain::{ContactFields, CustomValues, Emails, Lead, LeadFields, LinkRole};
use crate::error::{Error, Result, ViolationCode};
use crate::id::ContactId;
use crate::store::Txn;
use crate::value::{PersonName, fold};

use super::super::contacts::LinkedContact;
use super::super::conversion_mapping::Mapper;
use super::made::new_contact;
use super::options::PersonChoice;
use super::plan::{PlannedAccount, PlannedContact, PlannedPerson};
use super::planning::Making;
use super::sales::joined_contact;

impl Making<'_> {
    /// The lead's persons, and the person of the lead itself unless it is one of them.
    pub(super) fn contacts(
        &mut self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        account: &PlannedAccount,
        matches: Option<&Matches>,
    ) -> Result<Vec<PlannedContact>> {
        if !self.options.contacts {
            return Ok(Vec::new());
        }
        let mut planned = Vec::new();
        for (n, known) in self.persons.iter().enumerate() {
            self.further(ctx, txn, (n, known), matches, &mut planned)?;
        }
        self.own_person(ctx, txn, matches, &mut planned)?;
        let PlannedAccount::Existing { id, .. } = account else { return Ok(planned) };
        // An account that has a primary contact keeps it.
        let primary = txn.links().from(&[(*id).into()], Some(LinkRole::PrimaryContact))?;
        if let Some(primary) = primary.first().map(|link| link.to.id) {
            for one in &mut planned {
                one.is_primary = one.who.contact().is_some_and(|id| id.as_uuid() == primary);
            }
        }
        Ok(planned)
    }

    /// A person that hangs on the lead: as it is, or the contact of a customer that it is by the policy.
    fn further(
        &mut self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        (n, known): (usize, &LinkedContact),
        matches: Option<&Matches>,
        planned: &mut Vec<PlannedContact>,
    ) -> Result<()> {
        let id = known.contact.id;
        let found = match (self.options.person, matches) {
            (PersonChoice::Match(policy), Some(matches)) => {
                let of = matches.persons.iter().find(|person| person.contact == id);
                of.map(|person| person.choose(&format!("contacts[{n}]"), policy)).transpose()?.flatten()
            }
            _ => None,
        };
        let Some(found) = found else {
            planned.push(PlannedContact { who: PlannedPerson::Existing(id), is_primary: known.is_primary });
            return Ok(());
        };
        self.fill((ctx, txn), found, (Some(known), known.is_primary), planned)
    }

    /// The person of the lead itself.
    fn own_person(
        &mut self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        matches: Option<&Matches>,
        planned: &mut Vec<PlannedContact>,
    ) -> Result<()> {
        let fields = &self.lead.fields;
        let person = fields.person.as_ref();
        let is_known = person.is_some_and(|person| is_known(fields, person, self.persons));
        let is_own = |id: ContactId| self.persons.iter().any(|known| known.contact.id == id);
        let chosen = match self.options.person {
            PersonChoice::Existing(id) if is_own(id) => return Ok(()),
            PersonChoice::Existing(_) if is_known => {
                let message = "the person of the lead is one of its contacts already";
                return Err(Error::invalid_field("person", ViolationCode::NotAllowed, message));
            }
            PersonChoice::Existing(id) => Some(id),
            _ if is_known => return Ok(()),
            PersonChoice::New => None,
            PersonChoice::Match(policy) => {
                matches.map(|matches| matches.contact(policy)).transpose()?.flatten()
            }
        };
        let is_primary = !planned.iter().any(|contact| contact.is_primary);
        let mapper = self.mapper;
        match chosen {
            Some(id) => self.fill((ctx, txn), id, (None, is_primary), planned)?,
            None if person.is_none() => {}
            None => {
                let mapped = new_contact(mapper, self.lead);
                self.writes.extend(mapped.writes);
                let who = PlannedPerson::New(Box::new(mapped.fields));
                planned.push(PlannedContact { who, is_primary });
            }
        }
        Ok(())
    }

    /// A contact that is there learns what it lacks of somebody who it is: once, however many are it.
    fn fill(
        &mut self,
        (ctx, txn): (&Context<'_>, &mut dyn Txn),
        id: ContactId,
        (of, is_primary): (Option<&LinkedContact>, bool),
        planned: &mut Vec<PlannedContact>,
    ) -> Result<()> {
        let mut place = planned.iter_mut().find(|one| one.who.contact() == Some(id));
        let (revision, before, mut instead_of, was_lead) = match place.as_ref().map(|one| &one.who) {
            Some(PlannedPerson::Known { revision, fields, instead_of, is_lead, .. }) => {
                (*revision, fields.as_ref().clone(), instead_of.clone(), *is_lead)
            }
            _ => {
                let found = joined_contact(ctx, txn, id)?;
                (found.revision, found.fields, Vec::new(), false)
            }
        };
        let mapped = learned(self.mapper, self.lead, of.map(|of| &of.contact.fields), &before);
        self.writes.extend(mapped.writes);
        instead_of.extend(of.map(|of| of.contact.id));
        let (is_lead, fields) = (was_lead || of.is_none(), Box::new(mapped.fields));
        let who = PlannedPerson::Known { id, revision, fields, instead_of, is_lead };
        match &mut place {
            Some(one) => {
                one.who = who;
                one.is_primary |= is_primary;
            }
            None => planned.push(PlannedContact { who, is_primary }),
        }
        Ok(())
    }
}

/// What a contact that is there learns of a person of the lead, or of the lead itself.
pub(super) fn learned(
    mapper: &Mapper,
    lead: &Lead,
    of: Option<&ContactFields>,
    before: &ContactFields,
) -> Mapped<ContactFields> {
    let told = match of {
        // What the tenant added to leads is said of the lead, not of its persons.
        Some(person) => Cow::Owned(Lead {
            fields: LeadFields { custom: CustomValues::new(), ..person.as_lead_fields() },
            ..lead.clone()
        }),
        None => Cow::Borrowed(lead),
    };
    let mut mapped = mapper.mapping.contact(&told, Some(before), &mapper.readings());
    let role = of.and_then(|person| person.role.clone());
    mapped.fields.role = mapped.fields.role.or(role);
    mapped
}

/// Whether the person of the lead is already one of its contacts.
fn is_known(lead: &LeadFields, person: &PersonName, persons: &[LinkedContact]) -> bool {
    let own = (Some(person), &lead.emails);
    persons.iter().map(|known| &known.contact.fields).any(|known| {
        let other = (known.name.as_ref(), &known.emails);
        // Two who share the e-mail of the office are two.
        is_same_person(own, other) && known.name.as_ref().is_none_or(|name| is_same_name(person, name))
    })
}

/// Whether two names may be the same one, as far as both say it: `K. Berg`, `Kari`, `Dr. Kari Anne Berg`.
fn is_same_name(one: &PersonName, other: &PersonName) -> bool {
    let words = |name: &PersonName| -> Vec<String> {
        let name = fold(name.full());
        let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let (one, other) = (words(one), words(other));
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    short.iter().all(|word| {
        long.iter().any(|known| known.starts_with(word.as_str()) || word.starts_with(known.as_str()))
    })
}

/// By e-mail, or by name where an e-mail is missing: a number alone may be that of the office.
pub(super) fn is_same_person(
    (name, emails): (Option<&PersonName>, &Emails),
    (other_name, other_emails): (Option<&PersonName>, &Emails),
) -> bool {
    let is_shared =
        emails.iter().any(|mail| other_emails.iter().any(|other| other.canonical() == mail.canonical()));
    let comparable = emails.is_empty() || other_emails.is_empty();
    let names = name.zip(other_name);
    is_shared || comparable && names.is_some_and(|(name, other)| fold(name.full()) == fold(other.full()))
}
