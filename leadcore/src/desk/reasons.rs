//! Reasons for losing or disqualifying a lead: the lists that a tenant starts with.

use crate::context::Context;
use crate::domain::term_changes;
use crate::domain::{
    Action, NewEntry, OperationKind, Subject, SubjectKind, Term, TermId, TermKind, TermRecord,
};
use crate::error::{Error, Result};
use crate::policy::Permission;
use crate::store::Txn;

use super::access::require;
use super::operation::record;

/// Why leads are lost, unless the tenant says otherwise; the last one must be said in words.
const LOST: [&str; 4] = ["Price", "Competitor", "No need", "Other"];
/// Why leads are none.
const DISQUALIFIED: [&str; 4] = ["Not reachable", "Not a fit", "Spam", "Other"];

/// The terms of a list; a tenant without reasons gets the usual ones: Price, Competitor, No need, Other for a lost lead,
/// Not reachable, Not a fit, Spam, Other for one that is none. Whoever chooses Other must say it in words. Other lists
/// have no default.
///
/// # Errors
/// `Denied` for an actor who may not see leads; a failure of the store.
pub fn list_or_default<I: TermId>(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Vec<Term<I>>> {
    require(ctx, txn, Permission::View)?;
    let names: &[&str] = match I::KIND {
        TermKind::LostReason => &LOST,
        TermKind::DisqualifyReason => &DISQUALIFIED,
        _ => &[],
    };
    let mut records = txn.terms().list(I::KIND)?;
    if records.is_empty() && !names.is_empty() {
        let last = names.len().saturating_sub(1);
        for (at, name) in names.iter().enumerate() {
            let position = u32::try_from(at).unwrap_or(u32::MAX);
            let mut term = Term::new(ctx.new_uuid(), name, None, position).map_err(Error::from)?;
            term.needs_detail = at == last;
            records.push(TermRecord { kind: I::KIND, term });
        }
        txn.terms().insert(&records)?;
        let created = records.iter().map(|record| {
            NewEntry::new(Subject::new(SubjectKind::Term, record.term.id), Action::Created, ctx.now())
                .with_changes(term_changes(I::KIND, None, Some(&record.term)))
        });
        record(ctx, txn, OperationKind::Configure, &created.collect::<Vec<_>>())?;
    }
    Ok(records.into_iter().map(|record| record.term.typed()).collect())
}
