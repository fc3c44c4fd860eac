//! Whether a row and a lead that share a key are two all the same.

use crate::domain::LeadFields;
use crate::exchange::coerce::Intent;
use crate::value::{PersonName, fold};

/// Whether company, person and e-mails of a row are those of a lead, as far as both have them.
fn shared(intent: &Intent, lead: &LeadFields) -> [Option<bool>; 3] {
    let row = &intent.fields;
    let company = row.company.as_deref().zip(lead.company.as_deref()).map(|(a, b)| alike(a, b));
    let person = intent.person.as_ref().zip(named(lead)).map(|(a, b)| {
        let family = a.family().zip(b.family()).is_some_and(|(a, b)| fold(a) == fold(b));
        family || PersonName::match_key(a) == PersonName::match_key(b)
    });
    let emails = (!row.emails.is_empty() && !lead.emails.is_empty()).then(|| {
        row.emails.iter().any(|own| lead.emails.iter().any(|known| known.canonical() == own.canonical()))
    });
    [company, person, emails]
}

/// Whether a row and a lead that share a number have nothing else in common: they name companies, persons, e-mails or
/// ids in the same system, and none of them is the same.
pub(super) fn is_another(intent: &Intent, lead: &LeadFields) -> bool {
    let row = &intent.fields;
    let [company, person, emails] = shared(intent, lead);
    let of_one_system = row.external_ids.iter().filter_map(|own| {
        let known = lead.external_ids.iter().find(|known| known.system() == own.system())?;
        Some(known == own)
    });
    let said: Vec<bool> = [company, person, emails].into_iter().flatten().chain(of_one_system).collect();
    !said.is_empty() && !said.contains(&true)
}

/// Whether a row and a lead that share an id are two by everything else: it names a company or a person and something more
/// that the lead has too, and nothing of that is the same.
pub(super) fn is_somebody_else(intent: &Intent, lead: &LeadFields) -> bool {
    let row = &intent.fields;
    let [company, person, emails] = shared(intent, lead);
    let phones = (!row.phones.is_empty() && !lead.phones.is_empty())
        .then(|| row.phones.iter().any(|own| lead.phones.iter().any(|known| known.digits() == own.digits())));
    let said: Vec<bool> = [company, person, emails, phones].into_iter().flatten().collect();
    (company.is_some() || person.is_some()) && said.len() > 1 && !said.contains(&true)
}

/// Whether a card and a lead that share its id name two persons, who have neither a given nor a family name in common, and share
/// no e-mail: colleagues have one company, families one phone.
pub(super) fn is_another_person(intent: &Intent, lead: &LeadFields) -> bool {
    let differ = |a: Option<&str>, b: Option<&str>| a.zip(b).is_some_and(|(a, b)| !alike(a, b));
    let [_, _, emails] = shared(intent, lead);
    let persons = intent.person.as_ref().zip(named(lead));
    emails != Some(true)
        && persons.is_some_and(|(a, b)| differ(a.given(), b.given()) && differ(a.family(), b.family()))
}

/// Whether a row and a lead name the same person, or one company and nobody.
pub(super) fn is_called_so(intent: &Intent, lead: &LeadFields) -> bool {
    match (&intent.person, named(lead)) {
        (Some(own), Some(known)) => own.match_key() == known.match_key(),
        (None, None) => shared(intent, lead).first() == Some(&Some(true)),
        _ => false,
    }
}

/// The person of a lead, where it is more than a salutation.
fn named(lead: &LeadFields) -> Option<&PersonName> {
    lead.person.as_ref().filter(|person| person.names_somebody())
}

/// Whether a row and a lead that share a phone are two all the same.
pub(super) fn differ(intent: &Intent, lead: &LeadFields) -> bool {
    let row = &intent.fields;
    let persons = intent.person.as_ref().zip(named(lead));
    let companies = row.company.as_deref().zip(lead.company.as_deref());
    let has_emails = !row.emails.is_empty() && !lead.emails.is_empty();
    let shares_email = || {
        let theirs = |email: &str| lead.emails.iter().any(|known| known.canonical() == email);
        row.emails.iter().any(|email| theirs(email.canonical()))
    };
    persons.is_some_and(|(a, b)| PersonName::match_key(a) != PersonName::match_key(b))
        || companies.is_some_and(|(a, b)| a != b && fold(a) != fold(b))
        || (has_emails && !shares_email())
}

/// Whether one name begins with the other: `Nordlys` and `Nordlys AS`.
fn alike(a: &str, b: &str) -> bool {
    let (a, b) = (fold(a), fold(b));
    a.starts_with(&b) || b.starts_with(&a)
}

/// Whether an e-mail that a row and a lead share is no more than that: it is not the first one of both, like the address of
/// a group that stands behind those of its companies, and they name other companies or persons.
pub(super) fn shares_no_more(intent: &Intent, lead: &LeadFields) -> bool {
    let row = &intent.fields;
    let first = row.emails.primary().zip(lead.emails.primary());
    if first.is_some_and(|(own, known)| own.canonical() == known.canonical()) {
        return false;
    }
    let companies = row.company.as_deref().zip(lead.company.as_deref());
    let persons = intent.person.as_ref().zip(named(lead));
    let is_same = |(a, b): (&PersonName, &PersonName)| {
        let family = a.family().zip(b.family()).is_some_and(|(a, b)| fold(a) == fold(b));
        let given = a.given().zip(b.given()).is_none_or(|(a, b)| alike(a, b));
        PersonName::match_key(a) == PersonName::match_key(b) || family && given
    };
    companies.is_some_and(|(a, b)| !alike(a, b)) || persons.is_some_and(|found| !is_same(found))
}
