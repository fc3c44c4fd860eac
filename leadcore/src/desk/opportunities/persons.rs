//! Whom an opportunity may be about.

use crate::context::Context;
use crate::domain::{LinkRole, Subject, SubjectKind};
use crate::error::{Conflict, Error, Result};
use crate::id::LeadId;
use crate::store::Txn;

use super::super::access::visible;

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
