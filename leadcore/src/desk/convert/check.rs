//! What a plan must keep when it is carried out. One that [`plan`](super::plan) made breaks none of it; one that was edited, or
//! is old, may.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::dedupe::matching::{MatchPolicy, Matches};
use crate::domain::conversion_mapping::TargetRecord;
use crate::domain::{AccountFields, CustomValues, Lead};
use crate::error::{Conflict, Error, Result, Violation, ViolationCode};
use crate::id::{ContactId, EstimateId};
use crate::store::Txn;
use crate::value::Currency;

use super::super::conversion_mapping::TargetFields;
use super::super::{accounts, custom, matching};
use super::offers;
use super::plan::{ConversionPlan, PlannedAccount, PlannedOpportunity, PlannedPerson, Unmatched};

/// Every rule that a plan breaks.
pub(super) fn violations(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (lead, plan): (&Lead, &ConversionPlan),
    fields: &TargetFields,
) -> Result<Vec<Violation>> {
    let mut broken = custom_values(txn, plan, fields)?;
    broken.extend(account(ctx, txn, (lead, plan))?);
    broken.extend(contacts(plan));
    if plan.contacts.iter().filter(|contact| contact.is_primary).count() > 1 {
        let message = "an account has one primary contact at most";
        broken.push(Violation::new("contacts", ViolationCode::Duplicate, message));
    }
    let mut seen = BTreeSet::new();
    let twice = |who: &PlannedPerson| match who {
        PlannedPerson::Existing(id) | PlannedPerson::Known { id, .. } => !seen.insert(*id),
        PlannedPerson::New(_) => false,
    };
    if plan.contacts.iter().map(|contact| &contact.who).any(twice) {
        broken.push(Violation::new("contacts", ViolationCode::Duplicate, "a person is named twice"));
    }
    broken.extend(plan.broken_services());
    broken.extend(currencies(lead, plan));
    if let (PlannedAccount::New { fields, .. }, Some(status)) = (&plan.account, plan.customer.status())
        && fields.status != status
    {
        let message = "the type of customer says another status";
        broken.push(Violation::new("account.status", ViolationCode::NotAllowed, message));
    }
    Ok(broken)
}

/// Currencies that do not exist, however the plan was read; that of the lead may have gone out of use.
fn currencies(lead: &Lead, plan: &ConversionPlan) -> Vec<Violation> {
    let mut named: Vec<(String, Currency)> = Vec::new();
    if let PlannedAccount::New { fields, .. } = &plan.account {
        named.extend(fields.currency.map(|currency| ("account.currency".to_owned(), currency)));
    }
    if let Some(PlannedOpportunity::New { fields, .. }) = &plan.opportunity {
        named.extend(fields.currency.map(|currency| ("opportunity.currency".to_owned(), currency)));
    }
    let of_estimates: BTreeSet<&str> =
        plan.estimates.iter().filter_map(|estimate| Some(estimate.currency.as_ref()?.code())).collect();
    for (n, service) in plan.services.iter().enumerate() {
        let currency = service.fields.currency.filter(|currency| !of_estimates.contains(currency.code()));
        named.extend(currency.map(|currency| (format!("services[{n}].currency"), currency)));
    }
    let known = lead.fields.currency;
    let new = named.into_iter().filter(|(_, currency)| Some(*currency) != known);
    new.filter_map(|(field, currency)| Some(Currency::parse(currency.code()).err()?.at(field))).collect()
}

/// What the account of a plan breaks, as an edit of it would be told. One that stays as it is is not looked at.
pub(super) fn account(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (lead, plan): (&Lead, &ConversionPlan),
) -> Result<Vec<Violation>> {
    let Some(fields) = plan.account.fields() else { return Ok(without_account(plan)) };
    let mut known = match &plan.account {
        PlannedAccount::Existing { id, .. } => {
            let known = accounts::editable(ctx, txn, *id)?.fields;
            if known == *fields {
                return Ok(Vec::new());
            }
            known
        }
        PlannedAccount::New { .. } | PlannedAccount::None => AccountFields::default(),
    };
    // Owner, category and tax number that the lead has already need no leave.
    let of_lead = &lead.fields;
    if of_lead.category == fields.category {
        known.category = fields.category;
    }
    if of_lead.owner.is_some() && of_lead.owner == fields.owner {
        known.owner.clone_from(&fields.owner);
    }
    if of_lead.tax_id == fields.tax_id && of_lead.address.country() == fields.address.country() {
        known.tax_id.clone_from(&fields.tax_id);
        known.address.clone_from(&fields.address);
    }
    let of_account = |broken: Violation| Violation { field: format!("account.{}", broken.field), ..broken };
    Ok(accounts::violations(ctx, txn, &known, fields)?.into_iter().map(of_account).collect())
}

/// What the persons of a plan break, each by its place.
fn contacts(plan: &ConversionPlan) -> Vec<Violation> {
    let mut broken = Vec::new();
    for (n, contact) in plan.contacts.iter().enumerate() {
        if let PlannedPerson::New(fields) | PlannedPerson::Known { fields, .. } = &contact.who {
            let of_contact =
                |one: Violation| Violation { field: format!("contacts[{n}].{}", one.field), ..one };
            broken.extend(fields.violations().into_iter().map(of_contact));
        }
    }
    broken
}

/// What the custom fields of account and contacts break, all at once. Records that stay as they are are not looked at; those of
/// the opportunity are checked with the rest of it.
pub(super) fn custom_values(
    txn: &mut dyn Txn,
    plan: &ConversionPlan,
    fields: &TargetFields,
) -> Result<Vec<Violation>> {
    let mut broken = Vec::new();
    let none = CustomValues::new();
    let mut look = |txn: &mut dyn Txn, record, own, after: &CustomValues, before: &CustomValues| {
        let found = custom::broken_values(txn, fields.of(record), own, after, before)?;
        broken.extend(found.into_iter().map(|one| {
            let field = format!("{}.{}", record.code(), one.field);
            Violation { field, ..one }
        }));
        Ok::<_, Error>(())
    };
    match &plan.account {
        PlannedAccount::New { fields, .. } => look(txn, TargetRecord::Account, None, &fields.custom, &none)?,
        PlannedAccount::Existing { id, fields, .. } => {
            let known = txn.accounts().get(&[*id])?;
            if let Some(before) = known.first().filter(|known| known.fields != **fields) {
                let (own, values) = (Some(id.as_uuid()), &before.fields.custom);
                look(txn, TargetRecord::Account, own, &fields.custom, values)?;
            }
        }
        PlannedAccount::None => {}
    }
    for contact in &plan.contacts {
        match &contact.who {
            PlannedPerson::New(fields) => look(txn, TargetRecord::Contact, None, &fields.custom, &none)?,
            PlannedPerson::Known { id, fields, .. } => {
                let known = txn.contacts().get(&[*id])?;
                if let Some(before) = known.first().filter(|known| known.fields != **fields) {
                    let (own, values) = (Some(id.as_uuid()), &before.fields.custom);
                    look(txn, TargetRecord::Contact, own, &fields.custom, values)?;
                }
            }
            PlannedPerson::Existing(_) => {}
        }
    }
    Ok(broken)
}

/// Refuses a plan whose chosen estimates changed since, or are not to be had any more, and one that was edited to name lines
/// that they do not have.
pub(super) fn estimates(ctx: &Context<'_>, txn: &mut dyn Txn, plan: &ConversionPlan) -> Result<()> {
    let used: BTreeSet<EstimateId> =
        plan.services.iter().filter_map(|service| Some(service.origin?.estimate)).collect();
    if used.is_empty() {
        return Ok(());
    }
    let offered = offers::of_lead(ctx, txn, plan.lead)?;
    let fits = used.iter().all(|id| {
        let planned = plan.estimates.iter().find(|estimate| estimate.id == *id);
        let now = offered.iter().find(|estimate| estimate.id == *id);
        planned
            .zip(now)
            .is_some_and(|(planned, now)| now.revision == planned.revision && !now.became_services)
    });
    if !fits {
        return Err(Error::conflicting("estimate", Conflict::PlanOutdated));
    }
    let mut broken = Vec::new();
    for (n, service) in plan.services.iter().enumerate() {
        let Some(origin) = service.origin else { continue };
        let estimate = offered.iter().find(|estimate| estimate.id == origin.estimate);
        let count = estimate.map_or(0, |estimate| estimate.lines.len());
        if usize::try_from(origin.position).map_or(true, |position| position >= count) {
            let message = "this is no line of a chosen estimate";
            broken.push(Violation::new(format!("services[{n}].origin"), ViolationCode::Unknown, message));
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
}

/// Refuses a plan when by the policies that chose for it the lead, or one of its persons, may be somebody else by now: another one
/// than it joins, or one where it makes a new one. What somebody chose otherwise since is not asked about.
pub(super) fn matches(ctx: &Context<'_>, txn: &mut dyn Txn, plan: &ConversionPlan) -> Result<()> {
    let Unmatched { account, person } = plan.unmatched;
    if account.is_none() && person.is_none() {
        return Ok(());
    }
    let (then, now) = (plan.matches.as_ref(), matching::for_lead(ctx, txn, plan.lead)?);
    let outdated = |what| Err(Error::conflicting(what, Conflict::PlanOutdated));
    if let Some(policy) = account {
        let chosen = then.and_then(|then| then.account(policy).ok().flatten());
        let by_opportunity = matches!(plan.opportunity, Some(PlannedOpportunity::Existing { .. }));
        let is_asked = match &plan.account {
            PlannedAccount::New { .. } => true,
            PlannedAccount::Existing { id, .. } => chosen == Some(*id) && !by_opportunity,
            PlannedAccount::None => false,
        };
        let joined = chosen.filter(|_| matches!(plan.account, PlannedAccount::Existing { .. }));
        if is_asked && !matches!(now.account(policy), Ok(found) if found == joined) {
            return outdated("account");
        }
    }
    if let Some(policy) = person
        && !plan.contacts.iter().all(|contact| is_same(&contact.who, (then, &now), policy))
    {
        return outdated("contact");
    }
    Ok(())
}

/// Whether the policy says of a person what it said when the plan was made.
fn is_same(who: &PlannedPerson, (then, now): (Option<&Matches>, &Matches), policy: MatchPolicy) -> bool {
    // What it chose for one that hangs on the lead; none where it could not.
    let of_own = |found: &Matches, own: ContactId| {
        let person = found.persons.iter().find(|person| person.contact == own);
        person.map_or(Some(None), |person| person.choose("person", policy).ok())
    };
    let chosen = |own: ContactId| then.and_then(|then| of_own(then, own));
    match who {
        PlannedPerson::New(_) => matches!(now.contact(policy), Ok(None)),
        PlannedPerson::Known { id, instead_of, is_lead, .. } if *is_lead || !instead_of.is_empty() => {
            let by_policy = then.and_then(|then| then.contact(policy).ok().flatten()) == Some(*id);
            let is_it =
                !*is_lead || !by_policy || matches!(now.contact(policy), Ok(Some(found)) if found == *id);
            let mut own = instead_of.iter().filter(|own| chosen(**own) == Some(Some(*id)));
            is_it && own.all(|own| of_own(now, *own) == Some(Some(*id)))
        }
        PlannedPerson::Existing(own) | PlannedPerson::Known { id: own, .. } => {
            chosen(*own) != Some(None) || of_own(now, *own) == Some(None)
        }
    }
}

/// What stands against a conversion without an account.
fn without_account(plan: &ConversionPlan) -> Vec<Violation> {
    let mut broken = Vec::new();
    if plan.contacts.is_empty() {
        let message = "a lead becomes an account or a person at least";
        broken.push(Violation::new("contacts", ViolationCode::Required, message));
    }
    if plan.opportunity.is_some() {
        let message = "an opportunity belongs to an account";
        broken.push(Violation::new("opportunity", ViolationCode::NotAllowed, message));
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::super::super::counting::Counting;
    use super::super::super::{leads, settings};
    use super::super::{ConversionOptions, OpportunityRequest, convert};
    use crate::context::Context;
    use crate::domain::{
        Actor, Catalogue, CatalogueKind, CustomField, CustomKey, CustomType, CustomValue, LeadFields,
    };
    use crate::id::SequentialIds;
    use crate::memory::MemoryStore;
    use crate::policy::AllowAll;
    use crate::store::StoreExt;
    use crate::time::ManualClock;
    use crate::value::PersonName;

    /// How often a conversion asks the store, where the fields that the tenant added to each target are such.
    fn calls(is_unique: bool) -> usize {
        let store = MemoryStore::new();
        let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
        let ctx = Context::new(&"acme".parse().unwrap(), Actor::System, &clock, &ids, &AllowAll);
        let key: CustomKey = "x_code".parse().unwrap();
        let convert = |txn: &mut dyn crate::store::Txn| {
            for kind in CatalogueKind::ALL {
                let (revision, _) = settings::catalogue_of(&ctx, txn, kind)?;
                let mut catalogue = Catalogue::of(kind);
                let field = CustomField::new(key.clone(), "Code", CustomType::Text);
                catalogue.set_custom_field(field.unique(is_unique && kind != CatalogueKind::Lead));
                settings::set_catalogue(&ctx, txn, revision, &catalogue)?;
            }
            let mut fields = LeadFields::company("Nordlys AS")?;
            fields.person = PersonName::parse("Kari Berg").ok();
            fields.custom.insert(key.clone(), CustomValue::Text("A-1".to_owned()));
            let lead = leads::create(&ctx, txn, fields.into())?;
            let options = ConversionOptions::default().with_opportunity(OpportunityRequest::new());
            let mut counting = Counting::of(txn);
            convert(&ctx, &mut counting, lead.id, &options)?;
            Ok(counting.calls)
        };
        store.write(ctx.tenant(), convert).unwrap()
    }

    #[test]
    fn what_only_one_record_can_have_is_looked_up_once_for_each_target() {
        // Of an account it is asked besides whether those that have the value are archived.
        assert_eq!(calls(true) - calls(false), 4);
    }
}
