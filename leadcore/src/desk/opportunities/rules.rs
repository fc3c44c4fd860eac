//! What an opportunity is held to, and what it is given.

use crate::context::Context;
use crate::domain::{
    CatalogueKind, Field, LinkRole, OpportunityFields, Subject, SubjectKind, TermKind, Totals,
};
use crate::error::{Conflict, Error, Result, Violation, ViolationCode};
use crate::id::{AccountId, LeadId, OpportunityId, SourceId};
use crate::store::Txn;

use super::super::access::{check_fields, visible};
use super::super::custom;
use super::super::settings::load_catalogue_of;
use super::shown_by;

/// Refuses somebody whom no customer has: the person of leads alone that are not converted. Whom it is about already stays.
pub(super) fn check_persons(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    about: &[Subject],
    known: &[Subject],
) -> Result<()> {
    let new = about.iter().filter(|one| one.kind == SubjectKind::Contact && !known.contains(one));
    let new: Vec<_> = new.copied().collect();
    if new.is_empty() {
        return Ok(());
    }
    let mut links = txn.links().to(&new, None)?;
    links.retain(|link| matches!(link.role, LinkRole::Contact | LinkRole::PrimaryContact));
    for person in new {
        let holders: Vec<_> = links.iter().filter(|link| link.to == person).map(|link| link.from).collect();
        if holders.iter().any(|holder| holder.kind == SubjectKind::Account) {
            continue;
        }
        let leads = holders.iter().filter(|holder| holder.kind == SubjectKind::Lead);
        let leads = txn.leads().get(&leads.map(|lead| LeadId::from_uuid(lead.id)).collect::<Vec<_>>())?;
        if leads.iter().any(|lead| lead.conversion.is_some()) {
            continue;
        }
        for lead in leads.iter().filter(|lead| lead.trashed.is_none()) {
            if let Ok(lead) = visible(ctx, txn, lead.id) {
                let (lead, revision) = (lead.id, lead.revision);
                return Err(Error::conflicting(
                    "opportunity",
                    Conflict::ConversionRequired { lead, revision },
                ));
            }
        }
    }
    Ok(())
}

/// The fields as they are stored, with what their lines add up to; of the opportunity `own`, where there is one already. A
/// source that it has from a lead may have been archived since.
///
/// # Errors
/// `Invalid` with every rule that they break: their own, who may answer for it, and where it may come from.
pub(in crate::desk) fn checked(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    own: Option<OpportunityId>,
    (before, of_lead): (Option<&OpportunityFields>, Option<SourceId>),
    fields: OpportunityFields,
) -> Result<(OpportunityFields, Totals)> {
    let mut broken = Vec::new();
    let (_, catalogue) = load_catalogue_of(txn, CatalogueKind::Opportunity)?;
    let values = before.map(|before| before.custom.clone()).unwrap_or_default();
    let own = own.map(OpportunityId::as_uuid);
    broken.extend(custom::broken_values(txn, &catalogue, own, &fields.custom, &values)?);
    let kept = before.and_then(|before| before.owner.as_ref());
    let owner = fields.owner.as_ref().filter(|owner| kept != Some(*owner));
    if owner.is_some_and(|owner| !ctx.policy().may_own(ctx.actor(), owner)) {
        let message = "this user cannot own opportunities";
        broken.push(Violation::new("owner", ViolationCode::NotAllowed, message));
    }
    let source = fields.source.filter(|source| before.and_then(|before| before.source) != Some(*source));
    if let Some(source) = source {
        match txn.terms().get(TermKind::Source, &[source.as_uuid()])?.first() {
            None => {
                let message = "there is no source with this id";
                broken.push(Violation::new("source", ViolationCode::Unknown, message));
            }
            Some(known) if known.term.archived && of_lead != Some(source) => {
                broken.push(Violation::new("source", ViolationCode::NotAllowed, "this source is archived"));
            }
            Some(_) => {}
        }
    }
    match fields.settle() {
        Ok(settled) if broken.is_empty() => return Ok(settled),
        Ok(_) => {}
        Err(found) => broken.extend(found),
    }
    Err(Error::invalid(broken))
}

/// Refuses a new one that names fields that the actor may not see.
pub(super) fn check_named(ctx: &Context<'_>, fields: &OpportunityFields) -> Result<()> {
    let named = [
        ("owner", fields.owner.is_some()),
        ("amount", fields.amount.is_some()),
        ("currency", fields.currency.is_some()),
        ("probability", fields.probability.is_some()),
        ("expected_close", fields.expected_close.is_some()),
        ("source", fields.source.is_some()),
        ("campaign", fields.campaign.is_some()),
        ("description", fields.description.is_some()),
        ("lines", !fields.lines.is_empty()),
    ];
    let names: Vec<_> = named.iter().filter(|(_, named)| *named).map(|(name, _)| *name).collect();
    let custom = fields.custom.keys().cloned().map(Field::Custom);
    let all: Vec<_> = shown_by(&names).into_iter().chain(custom).collect();
    check_fields(ctx, all.iter())
}

/// The fields in the currency of the account, where they name none.
pub(in crate::desk) fn with_currency(
    txn: &mut dyn Txn,
    account: AccountId,
    mut fields: OpportunityFields,
) -> Result<OpportunityFields> {
    if fields.currency.is_none() {
        let accounts = txn.accounts().get(&[account])?;
        fields.currency = accounts.first().and_then(|account| account.fields.currency);
    }
    Ok(fields)
}
