//! Persons whom several leads brought to one account: whoever goes first leaves them to the next one.

use std::collections::BTreeSet;

use crate::domain::{Link, LinkRole, Subject, SubjectKind};
use crate::error::Result;
use crate::id::{ContactId, LeadId};
use crate::store::Txn;

use super::super::plan::ConversionOutcome;
use super::super::stored::first_outcome;
use super::look::Look;

impl Look<'_> {
    /// A person whom another conversion brought to the account too stays with it, and so does who a person of both leads turned out
    /// to be: this one was the first to say it, that one would have. From now on the link is that one's, and goes with it.
    pub(super) fn shared(&mut self, txn: &mut dyn Txn) -> Result<()> {
        let account = self.outcome.account.map(Subject::from);
        let is_person = |subject: Subject| subject.kind == SubjectKind::Contact;
        let may_stay =
            |link: &Link| is_person(link.to) && (Some(link.from) == account || is_person(link.from));
        let links = std::mem::take(&mut self.found.links);
        let (persons, mut gone): (Vec<Link>, Vec<Link>) = links.into_iter().partition(may_stay);
        let others = self.others(txn, &persons)?;
        for link in persons {
            let heir = others.iter().find(|(other, own)| brought(other, own, &link));
            match heir.map(|(other, _)| other.operation) {
                Some(conversion) => self.heir(txn, conversion)?.outcome.links.push(link),
                None => gone.push(link),
            }
        }
        self.found.links = gone;
        Ok(())
    }

    /// What the other conversions did that may have brought one of these persons, the oldest first, each with the persons of its lead.
    fn others(
        &self,
        txn: &mut dyn Txn,
        persons: &[Link],
    ) -> Result<Vec<(ConversionOutcome, BTreeSet<Subject>)>> {
        if persons.is_empty() {
            return Ok(Vec::new());
        }
        let persons: BTreeSet<_> = persons.iter().map(|link| link.to).collect();
        let holders = txn.links().to(&persons.into_iter().collect::<Vec<_>>(), None)?;
        let leads = holders.iter().map(|link| link.from).filter(|from| from.kind == SubjectKind::Lead);
        let leads: BTreeSet<_> =
            leads.map(|lead| LeadId::from_uuid(lead.id)).filter(|id| *id != self.lead.id).collect();
        let mut leads = txn.leads().get(&leads.into_iter().collect::<Vec<_>>())?;
        leads.sort_by_key(|lead| lead.conversion.as_ref().map(|done| (done.at, done.operation)));
        let mut others = Vec::new();
        for lead in leads {
            let Some(done) = &lead.conversion else { continue };
            let outcome = first_outcome(txn, done.operation)?;
            let links = txn.links().from(&[lead.id.into()], None)?;
            let own = links.iter().filter(|link| !outcome.links.contains(link)).map(|link| link.to);
            let own = own.collect();
            others.push((outcome, own));
        }
        Ok(others)
    }
}

/// Whether a conversion would have added this link: of an account to one of its persons, or of a person of its lead, who came along
/// as somebody else, to who that is.
fn brought(other: &ConversionOutcome, own: &BTreeSet<Subject>, link: &Link) -> bool {
    let came = |subject: Subject| other.contacts.contains(&ContactId::from_uuid(subject.id));
    match link.role {
        LinkRole::ConvertedTo => own.contains(&link.from) && !came(link.from) && came(link.to),
        _ => other.account.map(Subject::from) == Some(link.from) && came(link.to),
    }
}
