//! What a term asks of whoever chooses it.

use crate::context::Context;
use crate::domain::{Action, FieldChange, NewEntry, OperationKind, Term, TermId, TermKind};
use crate::error::{Error, Result, ViolationCode};
use crate::policy::Permission;
use crate::store::Txn;

use super::super::access::{Expect, require};
use super::super::operation::record;
use super::{find, subject};

/// Takes a term out of what is offered, or puts it back. Leads that have it keep it.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the term changed since it was read.
pub fn archive<I: TermId>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: I,
    expect: impl Into<Expect>,
    archived: bool,
) -> Result<Term<I>> {
    set(ctx, txn, id, expect.into(), "archived", |term| &mut term.archived, archived)
}

/// Says whether whoever chooses a reason must also say it in words (`Other`, X.18).
///
/// # Errors
/// `NotFound`, `Denied`; `Invalid` for a list that holds no reasons; `Conflict` when the term changed since it was read.
pub fn ask_for_detail<I: TermId>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: I,
    expect: impl Into<Expect>,
    needs_detail: bool,
) -> Result<Term<I>> {
    if needs_detail && !matches!(I::KIND, TermKind::LostReason | TermKind::DisqualifyReason) {
        let message = "only a reason is given in words";
        return Err(Error::invalid_field("needs_detail", ViolationCode::NotAllowed, message));
    }
    set(ctx, txn, id, expect.into(), "needs_detail", |term| &mut term.needs_detail, needs_detail)
}

fn set<I: TermId>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: I,
    expect: Expect,
    name: &str,
    flag: fn(&mut Term<uuid::Uuid>) -> &mut bool,
    value: bool,
) -> Result<Term<I>> {
    require(ctx, txn, Permission::Configure)?;
    let mut stored = find::<I>(txn, id)?;
    expect.check("term", stored.term.revision)?;
    if *flag(&mut stored.term) == value {
        return Ok(stored.term.typed());
    }
    *flag(&mut stored.term) = value;
    stored.term.revision = stored.term.revision.next();
    txn.terms().update(&stored)?;
    let entry = NewEntry::new(subject(id.term()), Action::Updated, ctx.now())
        .with_changes(vec![FieldChange::new(name, !value, value)]);
    record(ctx, txn, OperationKind::Configure, &[entry])?;
    Ok(stored.term.typed())
}
