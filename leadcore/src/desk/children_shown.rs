//! What a record shows besides what hangs on itself: what it became, and what became it.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Context;
use crate::domain::{Conversion, Lead, LinkRole, Subject, SubjectKind};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, LeadId};
use crate::store::Txn;

use super::children::of_kind;
use super::sight::Sight;

/// The records that a lead became: the account, or the persons where it became no account. Work about it goes on with them.
pub(super) fn became(txn: &mut dyn Txn, lead: &Lead) -> Result<Vec<Subject>> {
    match &lead.conversion {
        None => Ok(Vec::new()),
        Some(Conversion { account: Some(account), .. }) => Ok(vec![Subject::from(*account)]),
        Some(Conversion { account: None, .. }) => {
            let links = txn.links().from(&[lead.id.into()], Some(LinkRole::ConvertedTo))?;
            Ok(links.into_iter().map(|link| link.to).collect())
        }
    }
}

/// What those of these records became that are leads which were converted, or persons of such a lead who turned out to be somebody
/// else. A person that several leads had may be somebody else for each of them: then all of these are given, and first those
/// who belong to what the other records became, which were converted with it; those who are the same to that are in the order
/// of their ids.
pub(super) fn became_by(txn: &mut dyn Txn, about: &[Subject]) -> Result<BTreeMap<Subject, Vec<Subject>>> {
    let leads: Vec<_> = of_kind(about, SubjectKind::Lead).map(LeadId::from_uuid).collect();
    let leads = if leads.is_empty() { Vec::new() } else { txn.leads().get(&leads)? };
    let mut onwards = BTreeMap::new();
    for lead in leads.into_iter().filter(|lead| lead.conversion.is_some()) {
        onwards.insert(lead.id.into(), became(txn, &lead)?);
    }
    let of_kind = of_kind(about, SubjectKind::Contact);
    let persons: Vec<Subject> = of_kind.map(|id| Subject::new(SubjectKind::Contact, id)).collect();
    if persons.is_empty() {
        return Ok(onwards);
    }
    let holders: BTreeSet<Subject> = onwards.values().flatten().chain(about).copied().collect();
    let holds = |from: &Subject| from.kind != SubjectKind::Contact && holders.contains(from);
    let mut became: BTreeMap<Subject, Vec<Subject>> = BTreeMap::new();
    for link in txn.links().from(&persons, Some(LinkRole::ConvertedTo))? {
        became.entry(link.from).or_default().push(link.to);
    }
    for (person, mut is) in became {
        if is.len() > 1 {
            let links = txn.links().to(&is, None)?;
            let held: BTreeSet<_> =
                links.iter().filter(|link| holds(&link.from)).map(|link| link.to).collect();
            is.sort_by_key(|one| (!held.contains(one), one.id));
        }
        onwards.insert(person, is);
    }
    Ok(onwards)
}

/// [`became_by`] as far as the actor may change what is about these records by it. A person who turned out to be somebody else
/// may be that of other leads too: then all of them, or what they became, must be the actor's to see and to change.
pub(super) fn became_for_change(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    about: &[Subject],
) -> Result<BTreeMap<Subject, Vec<Subject>>> {
    let mut became = became_by(txn, about)?;
    let mut persons: Vec<_> = became.keys().filter(|one| one.kind == SubjectKind::Contact).copied().collect();
    if persons.is_empty() {
        return Ok(became);
    }
    let mut bounds = vec![Sight::open(ctx, txn)?];
    match Sight::for_going_on(ctx, txn) {
        Ok(sight) => bounds.push(sight),
        // Who changes nothing at all is told so by what is in sight.
        Err(error) if error.kind() == ErrorKind::Denied => {}
        Err(error) => return Err(error),
    }
    for mut sight in bounds.into_iter().filter(|sight| !sight.is_unlimited()) {
        sight.learn(txn, &persons)?;
        persons.retain(|person| sight.shows(&[*person]));
    }
    became.retain(|one, _| one.kind != SubjectKind::Contact || persons.contains(one));
    Ok(became)
}

/// The records that work about these goes on with, each once: in the place of a lead, or a person, what it became. A person whom
/// an open lead has stays that lead's: it shows with no customer what is worked on there.
pub(super) fn going_on(txn: &mut dyn Txn, about: &[Subject]) -> Result<Vec<Subject>> {
    let mut became = became_by(txn, about)?;
    let persons: Vec<_> = became.keys().filter(|one| one.kind == SubjectKind::Contact).copied().collect();
    let held = if persons.is_empty() { Vec::new() } else { txn.links().to(&persons, None)? };
    let holders = held.iter().filter(|link| link.from.kind == SubjectKind::Lead);
    let holders: BTreeSet<_> = holders.map(|link| LeadId::from_uuid(link.from.id)).collect();
    let mut leads = txn.leads().get(&holders.into_iter().collect::<Vec<_>>())?;
    leads.retain(|lead| lead.conversion.is_none() && lead.trashed.is_none());
    let open: BTreeSet<Subject> = leads.iter().map(|lead| lead.id.into()).collect();
    for link in held.iter().filter(|link| open.contains(&link.from)) {
        became.remove(&link.to);
    }
    let mut onwards = Vec::with_capacity(about.len());
    for subject in about {
        let onward = became.get(subject).and_then(|became| became.first()).unwrap_or(subject);
        if !onwards.contains(onward) {
            onwards.push(*onward);
        }
    }
    Ok(onwards)
}

/// What a stored list of records becomes, of which the actor gives back what it read, or something else: what it gives without
/// what only stands in the place of what it does not see, and that where it stood, because the actor cannot take it away.
pub(super) fn given_back(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    stored: &[Subject],
    given: &[Subject],
) -> Result<Vec<Subject>> {
    let mut sight = Sight::open(ctx, txn)?;
    if sight.is_unlimited() {
        return Ok(given.to_vec());
    }
    sight.learn(txn, stored)?;
    let kept: Vec<_> = stored.iter().filter(|one| !sight.sees(**one)).copied().collect();
    let stand_ins = sight.known_as(&kept);
    let is_meant = |one: &&Subject| stored.contains(one) || !stand_ins.contains(one);
    let mut all: Vec<_> = given.iter().filter(is_meant).copied().collect();
    for (place, one) in stored.iter().enumerate().filter(|(_, one)| kept.contains(one)) {
        if !all.contains(one) {
            all.insert(place.min(all.len()), *one);
        }
    }
    Ok(all)
}

/// The records whose children a page of this record shows: itself, the account that a lead became, the leads that became
/// an account, the persons of leads who turned out to be a contact, and that contact. Whoever sees the customer sees what
/// hangs on what became it, and need not see that itself.
///
/// # Errors
/// `NotFound` when there is no such record, or none that the actor may see.
pub(super) fn shown_with(ctx: &Context<'_>, txn: &mut dyn Txn, subject: Subject) -> Result<Vec<Subject>> {
    let mut sight = Sight::open(ctx, txn)?;
    sight.learn(txn, &[subject])?;
    if !sight.sees(subject) {
        return Err(Error::not_found(subject.kind.code()));
    }
    let mut shown = vec![subject];
    match subject.kind {
        SubjectKind::Lead => {
            let links = txn.links().from(&[subject], Some(LinkRole::ConvertedTo))?;
            shown.extend(links.into_iter().map(|link| link.to));
        }
        SubjectKind::Account => {
            let behind = super::accounts::behind(txn, AccountId::from_uuid(subject.id))?;
            shown.extend(behind.into_iter().map(Subject::from));
        }
        SubjectKind::Contact => {
            // Of a lead that became an account, the account's page shows it.
            let links = txn.links().to(&[subject], Some(LinkRole::ConvertedTo))?;
            let mut same: Vec<_> = links.into_iter().map(|link| link.from).collect();
            let links = txn.links().from(&[subject], Some(LinkRole::ConvertedTo))?;
            same.extend(links.into_iter().map(|link| link.to));
            sight.learn(txn, &same)?;
            shown.extend(same.into_iter().filter(|one| sight.shows(&[*one])));
        }
        _ => {}
    }
    Ok(shown)
}
