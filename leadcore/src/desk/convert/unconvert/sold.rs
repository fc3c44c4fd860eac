//! Opportunities that were made of the lead after its conversion, beside it.

use std::collections::BTreeSet;

use crate::domain::{Opportunity, Subject};
use crate::error::Result;
use crate::store::{OpportunityScan, Txn};

use super::look::Look;

/// How many opportunities of an account are read at once.
const ROUND: usize = 500;

impl Look<'_> {
    /// They stay with the account, and count from then on for the lead that they would count for without this one: what was won
    /// does not go with a lead that is no customer any more.
    pub(super) fn made_later(&mut self, txn: &mut dyn Txn, told: &BTreeSet<Subject>) -> Result<()> {
        let Some(account) = self.outcome.account else { return Ok(()) };
        let known = self.outcome.opportunity;
        let mut scan = OpportunityScan { account: Some(account), limit: ROUND, ..OpportunityScan::default() };
        loop {
            let found = txn.opportunities().scan(&scan)?;
            let of_lead = |one: &&Opportunity| {
                one.origin_lead == Some(self.lead.id)
                    && known != Some(one.id)
                    && !told.contains(&Subject::from(one.id))
            };
            let later: Vec<_> = found.iter().filter(of_lead).map(|one| one.id).collect();
            for id in later {
                self.joined_as_it_is(txn, id)?;
            }
            scan.after = found.last().map(Opportunity::place);
            if found.len() < ROUND {
                return Ok(());
            }
        }
    }
}
