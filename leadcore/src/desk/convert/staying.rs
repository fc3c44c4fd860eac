//! What of a lead nothing on the other side says: it stays readable on the lead.

use crate::domain::conversion_mapping::{FieldWrite, WhyDropped};
use crate::domain::{AccountFields, ContactFields, Field, FieldValue, Lead, LeadFields};

use super::super::contacts::LinkedContact;
use super::plan::{PlannedAccount, PlannedContact, PlannedOpportunity, PlannedPerson};

/// The fields of the lead with a value that nothing on the other side has.
pub(super) fn stays(
    lead: &Lead,
    (account, opportunity): (&PlannedAccount, Option<&PlannedOpportunity>),
    (contacts, persons): (&[PlannedContact], &[LinkedContact]),
    writes: &[FieldWrite],
) -> Vec<Field> {
    let mut takers: Vec<LeadFields> =
        account.fields().map(AccountFields::as_lead_fields).into_iter().collect();
    let of_account = takers.len();
    takers.extend(persons.iter().map(|person| person.contact.fields.as_lead_fields()));
    takers.extend(contacts.iter().filter_map(|contact| match &contact.who {
        PlannedPerson::New(fields) | PlannedPerson::Known { fields, .. } => {
            Some(ContactFields::as_lead_fields(fields))
        }
        PlannedPerson::Existing(_) => None,
    }));
    takers.extend(opportunity.map(|opportunity| {
        let (PlannedOpportunity::New { fields, .. } | PlannedOpportunity::Existing { fields, .. }) =
            opportunity;
        LeadFields {
            amount: fields.amount,
            currency: fields.currency,
            probability: fields.probability,
            expected_close: fields.expected_close,
            source: fields.source,
            campaign: fields.campaign.clone(),
            owner: fields.owner.clone(),
            description: fields.description.clone(),
            ..LeadFields::default()
        }
    }));
    // What took a field along, if all of it did: the target's own value that went is not the lead's.
    let whole = |write: &&FieldWrite| {
        write.dropped.as_ref().is_none_or(|dropped| dropped.why == WhyDropped::Overwritten)
    };
    let mut staying: Vec<Field> = Vec::new();
    for field in Field::ALL.iter().filter(|field| field.is_writable()) {
        // A contact is no company or consumer: only the account says which.
        let able = if *field == Field::Kind { of_account } else { takers.len() };
        let taken: Vec<_> = takers.iter().take(able).flat_map(|taker| comparable(field, taker)).collect();
        let all = comparable(field, &lead.fields).iter().all(|value| taken.contains(value));
        // What was appended is part of another value, and yet not lost.
        let all = all || writes.iter().filter(whole).any(|write| write.from == *field);
        // A name that stays is told once, not part by part.
        let told = field.name_group().contains(&Field::Name) && staying.contains(&Field::Name);
        if !all && !told {
            staying.push(field.clone());
        }
    }
    let taken = |field: &Field| writes.iter().filter(whole).any(|write| write.from == *field);
    let custom = lead.fields.custom.keys().cloned().map(Field::Custom);
    staying.extend(custom.filter(|field| !taken(field)));
    staying
}

/// The values of a field in the form in which equal ones are equal: another spelling of an e-mail is no other e-mail.
fn comparable(field: &Field, fields: &LeadFields) -> Vec<FieldValue> {
    match field {
        Field::Email => fields.emails.iter().map(|email| email.canonical().into()).collect(),
        Field::Phone => {
            let key = |phone: &crate::value::Phone| phone.match_key().unwrap_or_else(|| phone.digits());
            fields.phones.iter().map(|phone| key(phone).into()).collect()
        }
        _ => field.read_fields(fields).items().to_vec(),
    }
}
