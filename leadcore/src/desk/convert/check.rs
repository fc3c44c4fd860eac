//! What a plan must keep when it is carried out. One that [`plan`](super::plan) made breaks none of it; one that was edited, or
//! is old, may.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::domain::conversion_mapping::TargetRecord;
use crate::domain::{CustomValues, Lead, TermKind};
use crate::error::{Conflict, Error, Result, Violation, ViolationCode};
use crate::id::EstimateId;
use crate::store::Txn;

use super::super::conversion_mapping::TargetFields;
use super::super::{accounts, custom};
use super::plan::{ConversionPlan, PlannedAccount, PlannedOpportunity, PlannedPerson};
use super::planning::{estimates as offered, without_account};

/// Every rule that a plan breaks.
pub(super) fn violations(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (lead, plan): (&Lead, &ConversionPlan),
    fields: &TargetFields,
) -> Result<Vec<Violation>> {
    let mut broken = custom_values(txn, plan, fields)?;
    if let Some(fields) = plan.account.fields() {
        broken.extend(fields.violations());
        if let Some(category) = fields.category
            && txn.terms().get(TermKind::Category, &[category.as_uuid()])?.is_empty()
        {
            let message = "there is no category with this id";
            broken.push(Violation::new("account.category", ViolationCode::Unknown, message));
        }
        // The owner that lead or account have already needs no leave.
        let known = match &plan.account {
            PlannedAccount::Existing { id, .. } => accounts::load(ctx, txn, *id)?.fields.owner,
            PlannedAccount::New { .. } | PlannedAccount::None => None,
        };
        let own = |owner| lead.fields.owner.as_ref() == Some(owner) || known.as_ref() == Some(owner);
        if let Some(owner) = fields.owner.as_ref().filter(|owner| !own(owner))
            && !ctx.policy().may_own(ctx.actor(), owner)
        {
            let message = "this user cannot own leads";
            broken.push(Violation::new("account.owner", ViolationCode::NotAllowed, message));
        }
    } else {
        broken.extend(without_account(plan));
    }
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
    Ok(broken)
}

/// What the custom fields of account, contacts and opportunity break, all at once. Records that stay as they are are not
/// looked at.
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
    match &plan.opportunity {
        Some(PlannedOpportunity::New { fields, .. }) => {
            look(txn, TargetRecord::Opportunity, None, &fields.custom, &none)?;
        }
        Some(PlannedOpportunity::Existing { id, fields, .. }) => {
            let known = txn.opportunities().get(&[*id])?;
            let before = known.first().map_or(&none, |known| &known.fields.custom);
            look(txn, TargetRecord::Opportunity, Some(id.as_uuid()), &fields.custom, before)?;
        }
        None => {}
    }
    Ok(broken)
}

/// Refuses a plan whose chosen estimates changed since, or are not to be had any more.
pub(super) fn estimates(ctx: &Context<'_>, txn: &mut dyn Txn, plan: &ConversionPlan) -> Result<()> {
    let used: BTreeSet<EstimateId> =
        plan.services.iter().filter_map(|service| Some(service.origin?.estimate)).collect();
    if used.is_empty() {
        return Ok(());
    }
    let offered = offered(ctx, txn, plan.lead)?;
    let fits = used.iter().all(|id| {
        let planned = plan.estimates.iter().find(|estimate| estimate.id == *id);
        let now = offered.iter().find(|estimate| estimate.id == *id);
        planned.zip(now).is_some_and(|(planned, now)| now.revision == planned.revision)
    });
    if fits { Ok(()) } else { Err(Error::conflicting("estimate", Conflict::PlanOutdated)) }
}
