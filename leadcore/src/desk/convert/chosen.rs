//! Which leads one call for many is about, and the key that stands for it.

use std::collections::{BTreeSet, HashSet};
use std::num::NonZeroUsize;

use crate::context::Context;
use crate::error::{Conflict, Error, Result, ViolationCode};
use crate::id::{LeadId, Revision};
use crate::policy::Permission;
use crate::store::Txn;

use super::super::access::require;
use super::super::leads::readable;
use super::super::mass::{MAX_RECORDS, Selection, count};
use super::super::rounds::{Place, each_lead};
use super::ConversionOptions;
use super::once::{All, First, LEADS, Once};

/// A lead, and the revision that the caller read.
pub(super) type Chosen = (LeadId, Option<Revision>);

/// Some of the leads of one call for many, which a host converts in a transaction of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversionPart {
    pub(super) leads: Vec<Chosen>,
}

impl ConversionPart {
    /// The leads.
    pub fn leads(&self) -> impl Iterator<Item = LeadId> + '_ {
        self.leads.iter().map(|(lead, _)| *lead)
    }
}

/// The leads that a selection has now, each once, as parts of `batch` leads: for a host that opens the transaction of each batch
/// itself, such as one on a connection of its own. Each of them is converted by [`part_with`](super::part_with). With a
/// [key](ConversionOptions::key) the call for all of them is kept here: it takes a transaction that writes.
///
/// # Errors
/// As [`many`](super::many), for the selection and the key.
pub fn parts(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    selection: &Selection,
    options: &ConversionOptions,
    batch: NonZeroUsize,
) -> Result<Vec<ConversionPart>> {
    let chosen = chosen(ctx, txn, selection, options)?;
    Ok(chosen.chunks(batch.get()).map(|part| ConversionPart { leads: part.to_vec() }).collect())
}

/// The leads of a call, each once. A conversion changes what a filter matches, so they are listed first; under a key they are kept,
/// and the same call goes on with those that it had.
pub(super) fn chosen(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    selection: &Selection,
    options: &ConversionOptions,
) -> Result<Vec<Chosen>> {
    ctx.check_tenant(txn)?;
    require(ctx, txn, Permission::Convert)?;
    let Some(key) = &options.key else {
        options.check_read()?;
        return selected(ctx, txn, selection);
    };
    let once = Once::all(key).asking(txn, options)?;
    let filter = match selection {
        Selection::Filter { filter, .. } => Some(Once::sum(filter)?),
        Selection::Ids(_) | Selection::Revisions(_) => None,
    };
    let Some(first) = once.first_of_all(txn)? else {
        let chosen = selected(ctx, txn, selection)?;
        let leads = chosen.iter().map(|(lead, _)| *lead).collect();
        once.keep_all(ctx, txn, All { filter, leads })?;
        return Ok(chosen);
    };
    let First { all: first, mut differs, same_words } = first;
    let is_same = filter.is_some() && (first.filter == filter || same_words);
    if differs.iter().any(|part| part == LEADS) {
        return Err(Error::conflicting("conversion", Conflict::KeyReused { differs }));
    }
    let chosen = if is_same {
        let expected = if let Selection::Filter { expected, .. } = selection { *expected } else { None };
        let found = u64::try_from(first.leads.len()).unwrap_or(u64::MAX);
        check_expected(expected, found)?;
        first.leads.iter().map(|lead| (*lead, None)).collect()
    } else {
        selected(ctx, txn, selection)?
    };
    let had: BTreeSet<_> = first.leads.iter().collect();
    if !is_same && had != chosen.iter().map(|(lead, _)| lead).collect() {
        differs.push(LEADS.to_owned());
    }
    if differs.is_empty() {
        return Ok(chosen);
    }
    Err(Error::conflicting("conversion", Conflict::KeyReused { differs }))
}

fn selected(ctx: &Context<'_>, txn: &mut dyn Txn, selection: &Selection) -> Result<Vec<Chosen>> {
    let mut seen = HashSet::new();
    let mut chosen: Vec<Chosen> = Vec::new();
    match selection {
        Selection::Ids(ids) => chosen.extend(ids.iter().map(|id| (*id, None))),
        Selection::Revisions(list) => chosen.extend(list.iter().map(|(id, read)| (*id, Some(*read)))),
        Selection::Filter { filter, expected } => {
            let filter = readable(ctx, txn, filter, &[])?;
            let found = count(txn, &filter, false)?;
            check_expected(*expected, found)?;
            check_count(usize::try_from(found).unwrap_or(usize::MAX))?;
            each_lead(txn, &filter, Place::Live, &mut |_, leads| {
                chosen.extend(leads.iter().map(|lead| (lead.id, None)));
                Ok(())
            })?;
        }
    }
    chosen.retain(|(id, _)| seen.insert(*id));
    check_count(chosen.len())?;
    Ok(chosen)
}

fn check_expected(expected: Option<u64>, found: u64) -> Result<()> {
    let Some(expected) = expected.filter(|expected| *expected != found) else { return Ok(()) };
    Err(Error::outdated(format!("`expected`: the filter has {found} leads, not {expected}")))
}

fn check_count(count: usize) -> Result<()> {
    if count <= MAX_RECORDS {
        return Ok(());
    }
    let message = "one call takes at most 1,000,000 leads";
    Err(Error::invalid_field("selection", ViolationCode::TooLong, message))
}
