//! Persons whom several leads brought to one account: whoever goes first leaves them to the next one.

use std::collections::BTreeSet;

use crate::domain::{Link, LinkRole, Subject, SubjectKind};
use crate::error::Result;
use crate::id::{ContactId, LeadId};
use crate::store::Txn;

use super::super::carry_out::first_outcome;
use super::super::plan::ConversionOutcome;
use super::look::Look;

impl Look<'_> {
    /// A person whom another conversion brought to the account too stays with it: this one was the first to bring it, that one would
    /// have. From now on the link is that one's, and goes with it.
    pub(super) fn shared(&mut self, txn: &mut dyn Txn) -> Result<()> {
        let Some(account) = self.outcome.account.map(Subject::from) else { return Ok(()) };
        let links = std::mem::take(&mut self.found.links);
        let (persons, mut gone): (Vec<Link>, Vec<Link>) =
            links.into_iter().partition(|link| link.from == account && link.to.kind == SubjectKind::Contact);
        let mut others = self.others(txn, account, &persons)?;
        for link in persons {
            let person = ContactId::from_uuid(link.to.id);
            match others.iter_mut().find(|(other, _)| other.contacts.contains(&person)) {
                Some((heir, is_heir)) => {
                    heir.links.push(link);
                    *is_heir = true;
                }
                None => gone.push(link),
            }
        }
        self.found.links = gone;
        self.found.heirs = others.into_iter().filter(|(_, is_heir)| *is_heir).map(|(heir, _)| heir).collect();
        Ok(())
    }

    /// What the other conversions into the account did that may have brought one of these persons, the oldest first.
    fn others(
        &self,
        txn: &mut dyn Txn,
        account: Subject,
        persons: &[Link],
    ) -> Result<Vec<(ConversionOutcome, bool)>> {
        if persons.is_empty() {
            return Ok(Vec::new());
        }
        let became = txn.links().to(&[account], Some(LinkRole::ConvertedTo))?;
        let became: BTreeSet<_> = became.iter().map(|link| link.from).collect();
        let persons: Vec<_> = persons.iter().map(|link| link.to).collect();
        let holders = txn.links().to(&persons, None)?;
        let leads = holders.iter().map(|link| link.from);
        let leads = leads.filter(|from| became.contains(from) && *from != Subject::from(self.lead.id));
        let leads: BTreeSet<_> = leads.map(|lead| LeadId::from_uuid(lead.id)).collect();
        let leads = txn.leads().get(&leads.into_iter().collect::<Vec<_>>())?;
        let mut done: Vec<_> = leads.into_iter().filter_map(|lead| lead.conversion).collect();
        done.sort_by_key(|done| (done.at, done.operation));
        done.iter().map(|done| Ok((first_outcome(txn, done.operation)?, false))).collect()
    }
}
