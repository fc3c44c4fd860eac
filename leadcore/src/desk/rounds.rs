//! Walking over many leads, some at a time.

use crate::domain::Lead;
use crate::error::Result;
use crate::query::{Cursor, LeadScan, Resolved, Sort, SortField};
use crate::store::Txn;

/// How many leads one round reads and writes.
pub(super) const ROUND: usize = 500;

/// Where leads are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In lists.
    Live,
    /// In the trash.
    Trash,
    /// In lists first, then in the trash.
    Everywhere,
}

/// What is done with the leads of one round.
pub(super) type Round<'a> = &'a mut dyn FnMut(&mut dyn Txn, Vec<Lead>) -> Result<()>;

/// Does something with the leads of a filter, in rounds by number: what it changes so that a lead matches no more, or
/// another does, passes over none and does none twice.
pub(super) fn each_lead(txn: &mut dyn Txn, filter: &Resolved, place: Place, work: Round<'_>) -> Result<()> {
    let places: &[bool] = match place {
        Place::Live => &[false],
        Place::Trash => &[true],
        Place::Everywhere => &[false, true],
    };
    for trashed in places.iter().copied() {
        let mut after = None;
        while let Some(leads) = next(txn, filter, trashed, &mut after)? {
            work(txn, leads)?;
        }
    }
    Ok(())
}

/// The next leads, and where to go on.
pub(super) fn next(
    txn: &mut dyn Txn,
    filter: &Resolved,
    trashed: bool,
    after: &mut Option<Cursor>,
) -> Result<Option<Vec<Lead>>> {
    let sort = Sort::ascending(SortField::Number);
    let (filter, behind) = (filter.clone(), after.take());
    let scan = LeadScan { filter, trashed, sort, limit: ROUND, after: behind };
    let leads = txn.leads().scan(&scan)?;
    let Some(last) = leads.last() else { return Ok(None) };
    *after = Some(Cursor::behind(last, &scan.sort));
    Ok(Some(leads))
}
