//! The one place where the policy is asked.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::context::Context;
use crate::domain::{CustomKey, Field, FieldValue, Lead};
use crate::error::{Conflict, Error, ErrorKind, Result, Violation, ViolationCode};
use crate::id::{LeadId, Revision};
use crate::policy::{Permission, Scope};
use crate::query::{Resolved, SearchParts};
use crate::store::Txn;

use super::custom::resolve;
use super::functions::Openings;

/// Which revision of a record the caller means to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// The one it read; refused when the record changed since (X.55).
    Revision(Revision),
    /// Whatever is there.
    Any,
}

impl From<Revision> for Expect {
    fn from(revision: Revision) -> Self {
        Self::Revision(revision)
    }
}

impl Expect {
    pub(super) fn check(self, what: &str, found: Revision) -> Result<()> {
        match self {
            Self::Revision(expected) if expected != found => {
                Err(Error::conflicting(what, Conflict::StaleRevision { expected, found }))
            }
            _ => Ok(()),
        }
    }
}

/// On which leads the actor has one permission, ready to be evaluated.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    permission: Permission,
    scope: Option<Resolved>,
}

impl Gate {
    /// Asks the policy once.
    ///
    /// # Errors
    /// `Denied` when the actor has the permission on no lead at all.
    pub(crate) fn open(ctx: &Context<'_>, txn: &mut dyn Txn, permission: Permission) -> Result<Self> {
        let scope = match ctx.policy().scope(ctx.actor(), permission) {
            Scope::None => return Err(Error::denied(permission.code())),
            Scope::All => None,
            Scope::Where(filter) => {
                let scope = resolve(ctx, txn, &filter)?;
                if filter.asks_for_rotting() || !scope.is_about_the_lead() {
                    let message = "a scope is about the lead alone, not about what was read or linked";
                    return Err(Error::new(ErrorKind::Unsupported, message));
                }
                Some(scope)
            }
        };
        Ok(Self { permission, scope })
    }

    /// Whether the actor has the permission on this lead.
    pub(crate) fn admits(&self, lead: &Lead) -> bool {
        self.scope.as_ref().is_none_or(|scope| scope.matches(lead))
    }

    /// Refuses a lead outside the scope.
    pub(crate) fn check(&self, lead: &Lead) -> Result<()> {
        if self.admits(lead) { Ok(()) } else { Err(Error::denied(self.permission.code())) }
    }

    /// The filter, narrowed to the scope.
    pub(super) fn narrow(&self, filter: Resolved) -> Resolved {
        match &self.scope {
            None => filter,
            Some(scope) => scope.clone().and(filter),
        }
    }

    /// Whether it admits every lead.
    pub(super) const fn is_unlimited(&self) -> bool {
        self.scope.is_none()
    }
}

/// The lead, if the actor may see it.
///
/// # Errors
/// `NotFound` when there is none, or none that this actor may see.
pub(super) fn visible(ctx: &Context<'_>, txn: &mut dyn Txn, id: LeadId) -> Result<Lead> {
    ctx.check_tenant(txn)?;
    let gate = Gate::open(ctx, txn, Permission::View)?;
    let mut found = txn.leads().get(&[id])?;
    found.retain(|lead| gate.admits(lead));
    found.pop().ok_or_else(|| Error::not_found("lead"))
}

/// The lead, if the actor may change it by `permission`: visible, in scope, of the expected revision, not in the
/// trash, not converted, and the function of the same name open in its state.
///
/// # Errors
/// `NotFound`, `Denied`, `Frozen` or `Conflict`.
pub(super) fn editable(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: LeadId,
    expect: Expect,
    permission: Permission,
) -> Result<Lead> {
    editable_for(ctx, txn, id, expect, permission, permission.code())
}

/// [`editable`] for a function that has not the name of its permission.
///
/// # Errors
/// `NotFound`, `Denied`, `Frozen` or `Conflict`.
pub(super) fn editable_for(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: LeadId,
    expect: Expect,
    permission: Permission,
    function: &str,
) -> Result<Lead> {
    let lead = visible(ctx, txn, id)?;
    if lead.trashed.is_some() {
        return Err(Error::not_found("lead"));
    }
    Gate::open(ctx, txn, permission)?.check(&lead)?;
    if lead.conversion.is_some() {
        return Err(Error::conflicting("lead", Conflict::Converted));
    }
    expect.check("lead", lead.revision)?;
    Openings::load(ctx, txn)?.check(function, &lead)?;
    Ok(lead)
}

/// The fields that the actor may not see: the policy is asked for each of them once, however many leads a page has.
#[derive(Debug)]
pub(super) struct Mask<'c> {
    ctx: &'c Context<'c>,
    standard: Vec<&'static Field>,
    custom: RefCell<BTreeMap<CustomKey, bool>>,
}

impl<'c> Mask<'c> {
    pub(super) fn of(ctx: &'c Context<'c>) -> Self {
        let hidden = |field: &&Field| field.is_writable() && ctx.policy().is_hidden(ctx.actor(), field);
        let standard = Field::ALL.iter().filter(hidden).collect();
        Self { ctx, standard, custom: RefCell::default() }
    }

    fn hides(&self, key: &CustomKey) -> bool {
        let (ctx, mut known) = (self.ctx, self.custom.borrow_mut());
        if let Some(hidden) = known.get(key) {
            return *hidden;
        }
        let hidden = ctx.policy().is_hidden(ctx.actor(), &Field::Custom(key.clone()));
        known.insert(key.clone(), hidden);
        hidden
    }

    /// Takes them out of the lead.
    pub(super) fn put_on(&self, lead: &mut Lead) {
        for field in &self.standard {
            // Clearing a field never fails: only values are checked.
            let _ = field.write(&mut lead.fields, &FieldValue::Empty);
        }
        lead.fields.custom.retain(|key, _| !self.hides(key));
    }
}

/// The lead without the fields that the actor may not see.
pub(crate) fn masked(ctx: &Context<'_>, mut lead: Lead) -> Lead {
    Mask::of(ctx).put_on(&mut lead);
    lead
}

/// Whether the actor may not see the field, or another that shows the same: a full name and its parts.
pub(super) fn shows_hidden(ctx: &Context<'_>, field: &Field) -> bool {
    let hidden = |field: &Field| ctx.policy().is_hidden(ctx.actor(), field);
    hidden(field) || field.name_group().iter().any(hidden)
}

/// What the actor's searches look into: nothing that shows of a field that the actor may not see.
pub(super) fn searched(ctx: &Context<'_>) -> SearchParts {
    let hidden = |field: &Field| ctx.policy().is_hidden(ctx.actor(), field);
    SearchParts::only(|part| !part.fields().iter().any(hidden))
}

/// Refuses to look at or sort by fields that the actor may not see: their order or a count would tell.
pub(super) fn check_readable<'f>(ctx: &Context<'_>, fields: impl Iterator<Item = &'f Field>) -> Result<()> {
    refuse(fields.filter(|field| shows_hidden(ctx, field)))
}

/// Refuses to write fields that the actor may not see.
pub(crate) fn check_fields<'f>(ctx: &Context<'_>, fields: impl Iterator<Item = &'f Field>) -> Result<()> {
    refuse(fields.filter(|field| ctx.policy().is_hidden(ctx.actor(), field)))
}

fn refuse<'f>(hidden: impl Iterator<Item = &'f Field>) -> Result<()> {
    let hidden: Vec<_> = hidden
        .map(|field| Violation::new(field.key(), ViolationCode::NotAllowed, "you may not see this field"))
        .collect();
    if hidden.is_empty() { Ok(()) } else { Err(Error::invalid(hidden)) }
}

/// Refuses an actor without a permission that is not about single leads.
pub(crate) fn require(ctx: &Context<'_>, txn: &dyn Txn, permission: Permission) -> Result<()> {
    ctx.check_tenant(txn)?;
    match ctx.policy().scope(ctx.actor(), permission) {
        Scope::None => Err(Error::denied(permission.code())),
        _ => Ok(()),
    }
}
