//! Targets of the host write records of the store while they take back what they had made: what goes back is looked at anew.

use crate::domain::{
    Account, AccountFields, Contact, ContactFields, FieldChange, Opportunity, account_changes,
    contact_changes,
};
use crate::error::Result;
use crate::store::Txn;

use super::look::{Found, Rewritten};

impl Found {
    /// The records as they are by now, each with what the way back writes into it. What a target wrote into the same field is what it
    /// gives back, and stays; what it removed is gone.
    pub(super) fn look_anew(&mut self, txn: &mut dyn Txn) -> Result<()> {
        for known in std::mem::take(&mut self.accounts) {
            let Some(now) = txn.accounts().get(&[known.before.id])?.pop() else { continue };
            let mut fields = now.fields.clone();
            AccountFields::rewind(&mut fields, &forth(&known.changes), &|_, _| None);
            let changes = account_changes(&now.fields, &fields);
            let after = Account { fields, ..now.clone() };
            self.accounts.push(Rewritten { before: now, after, changes });
        }
        for known in std::mem::take(&mut self.known) {
            let Some(now) = txn.contacts().get(&[known.before.id])?.pop() else { continue };
            let mut fields = now.fields.clone();
            ContactFields::rewind(&mut fields, &forth(&known.changes), &|_, _| None);
            let changes = contact_changes(&now.fields, &fields);
            let after = Contact { fields, ..now.clone() };
            self.known.push(Rewritten { before: now, after, changes });
        }
        for joined in std::mem::take(&mut self.joined) {
            let Some(now) = txn.opportunities().get(&[joined.before.id])?.pop() else { continue };
            let Opportunity { fields, about, totals, origin_lead, .. } = joined.after;
            let after = Opportunity { fields, about, totals, origin_lead, ..now.clone() };
            self.joined.push(Rewritten { before: now, after, changes: Vec::new() });
        }
        let ids: Vec<_> = self.contacts.iter().map(|contact| contact.id).collect();
        self.contacts = txn.contacts().get(&ids)?;
        let ids: Vec<_> = self.opportunities.iter().map(|one| one.id).collect();
        self.opportunities = txn.opportunities().get(&ids)?;
        let ids: Vec<_> = self.closed.iter().map(|one| one.id).collect();
        self.closed = txn.opportunities().get(&ids)?;
        let ids: Vec<_> = self.services.iter().map(|service| service.id).collect();
        self.services = txn.services().get(&ids)?;
        Ok(())
    }
}

/// Changes the other way round: rewound, they are made once more.
fn forth(changes: &[FieldChange]) -> Vec<FieldChange> {
    let turned = |change: &FieldChange| FieldChange {
        field: change.field.clone(),
        before: change.after.clone(),
        after: change.before.clone(),
    };
    changes.iter().map(turned).collect()
}
