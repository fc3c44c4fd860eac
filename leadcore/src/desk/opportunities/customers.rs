//! Whose an opportunity is, and whom it may be about.

use crate::context::Context;
use crate::domain::{Lead, LinkRole, Subject, SubjectKind};
use crate::error::{Conflict, Error, Result, ViolationCode};
use crate::id::{AccountId, LeadId};
use crate::store::Txn;

use super::super::access::visible;

/// The account that this record is, or that the lead became, with the lead.
///
/// # Errors
/// `NotFound`; `Conflict` with `ConversionRequired`; `Invalid` for another kind of record.
pub(in crate::desk) fn customer(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    of: Subject,
    what: &str,
) -> Result<(AccountId, Option<Lead>)> {
    match of.kind {
        SubjectKind::Account => Ok((AccountId::from_uuid(of.id), None)),
        SubjectKind::Lead => {
            let lead = visible(ctx, txn, LeadId::from_uuid(of.id))?;
            match &lead.conversion {
                Some(conversion) => {
                    let account = conversion.account.ok_or_else(|| {
                        let message = "the lead became a person without an account";
                        Error::invalid_field("of", ViolationCode::NotAllowed, message)
                    })?;
                    Ok((account, Some(lead)))
                }
                None if lead.trashed.is_some() => Err(Error::not_found("lead")),
                None => {
                    let (lead, revision) = (lead.id, lead.revision);
                    Err(Error::conflicting(what, Conflict::ConversionRequired { lead, revision }))
                }
            }
        }
        _ => {
            let message = "only an account, or a lead that became one, has this";
            Err(Error::invalid_field("of", ViolationCode::NotAllowed, message))
        }
    }
}

/// Refuses somebody whom no customer has: the person of leads alone that are not converted. Whom it is about already stays.
pub(super) fn check_persons(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    about: &[Subject],
    known: &[Subject],
) -> Result<()> {
    for lead in leads_to_convert(txn, about, known)? {
        if let Ok(lead) = visible(ctx, txn, lead) {
            let (lead, revision) = (lead.id, lead.revision);
            return Err(Error::conflicting("opportunity", Conflict::ConversionRequired { lead, revision }));
        }
    }
    Ok(())
}

/// The leads of persons whom no customer has, of those whom an opportunity is about that was not about them before.
pub(super) fn leads_to_convert(
    txn: &mut dyn Txn,
    about: &[Subject],
    known: &[Subject],
) -> Result<Vec<LeadId>> {
    let new = about.iter().filter(|one| one.kind == SubjectKind::Contact && !known.contains(one));
    let new: Vec<_> = new.copied().collect();
    let mut found = Vec::new();
    if new.is_empty() {
        return Ok(found);
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
        if leads.iter().all(|lead| lead.conversion.is_none()) {
            found.extend(leads.iter().filter(|lead| lead.trashed.is_none()).map(|lead| lead.id));
        }
    }
    Ok(found)
}
