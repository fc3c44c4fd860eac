//! A copy of a lead (X.61).

use std::collections::BTreeSet;

use crate::context::Context;
use crate::domain::{
    Action, Catalogue, CustomKey, CustomValue, Field, FieldValue, Lead, LeadDraft, LeadFields, LeadLines,
    Link, LinkRole, NewEntry, OperationKind, Subject, TermId, TermKind,
};
use crate::error::{Error, Result};
use crate::id::{LeadId, Revision};
use crate::policy::Permission;
use crate::store::Txn;

use super::access::{masked, require, visible};
use super::children;
use super::functions::Openings;
use super::intake::{Intake, store_new};
use super::operation::record;

/// What of a lead a copy has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloneOptions {
    /// Whether the copy has the products of the lead.
    pub lines: bool,
}

impl CloneOptions {
    /// Everything.
    #[must_use]
    pub const fn new() -> Self {
        Self { lines: true }
    }

    /// With the products of the lead, or without.
    #[must_use]
    pub const fn lines(mut self, lines: bool) -> Self {
        self.lines = lines;
        self
    }
}

impl Default for CloneOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Copies a lead with its products: [`clone_lead_with`] all that it copies.
///
/// # Errors
/// As there.
pub fn clone_lead(ctx: &Context<'_>, txn: &mut dyn Txn, id: LeadId) -> Result<Lead> {
    clone_lead_with(ctx, txn, id, CloneOptions::new())
}

/// Copies a lead, also one that was converted: the fields, on the first stage of the default
/// pipeline, with a number of its own.
///
/// What says who the lead is stays behind: ids in other systems, how it ended, what it became. So does what nobody may
/// choose any more: archived terms and values of disabled fields; and an owner that the actor may not give leads to,
/// instead of whom the actor owns the copy. Fields that the policy hides from the actor are copied, and stay hidden.
///
/// Its products are copied, where the options do not leave them out; notes, files and estimates stay with the lead alone.
/// Its persons are linked to the copy too, not copied: they are the same persons. The journal says of which lead it is a
/// copy.
///
/// # Errors
/// `NotFound` when the lead does not exist, is in the trash or may not be seen; `Denied` when the actor may not create leads, or not this
/// one; `Conflict` when the function is closed for the lead; `Invalid` when the copy breaks a rule of the tenant.
pub fn clone_lead_with(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: LeadId,
    options: CloneOptions,
) -> Result<Lead> {
    require(ctx, txn, Permission::Create)?;
    let source = visible(ctx, txn, id)?;
    if source.trashed.is_some() {
        return Err(Error::not_found("lead"));
    }
    Openings::load(ctx, txn)?.check("clone", &source)?;
    let mut intake = Intake::load(ctx, txn)?;
    let mut fields = source.fields.clone();
    fields.external_ids.clear();
    without_unique(&intake.catalogue, &mut fields);
    for field in Field::ALL.iter().filter(|field| intake.catalogue.is_disabled(field)) {
        clear(&mut fields, field);
    }
    without_archived(txn, &mut fields)?;
    if fields.owner.as_ref().is_some_and(|owner| !ctx.policy().may_own(ctx.actor(), owner)) {
        fields.owner = None;
    }
    let lead = intake.prepare(ctx, LeadDraft::from(fields)).map_err(Error::invalid)?;
    intake.gate.check(&lead)?;
    intake.guard.count_in(lead.stage);
    intake.settle(ctx, txn)?;
    let mut leads = [lead];
    let mut entries = store_new(txn, &mut leads)?;
    let [lead] = leads;
    entries = entries.into_iter().map(|entry| entry.with_other(source.id)).collect();
    let links: Vec<_> = txn
        .links()
        .from(&[source.id.into()], None)?
        .into_iter()
        .filter(|link| matches!(link.role, LinkRole::Contact | LinkRole::PrimaryContact))
        .map(|link| Link { from: Subject::from(lead.id), ..link })
        .collect();
    txn.links().insert(&links)?;
    entries.extend(links.iter().map(|link| {
        let role = crate::domain::FieldChange::new("role", FieldValue::Empty, link.role.code());
        let linked = NewEntry { other: Some(link.to), ..NewEntry::new(lead.id, Action::Linked, ctx.now()) };
        linked.with_changes(vec![role])
    }));
    if options.lines
        && let Some(list) = txn.lines().get(&[source.id])?.pop()
    {
        let (now, revision) = (ctx.now(), Revision::FIRST);
        let copy = LeadLines { lead: lead.id.into(), revision, created_at: now, updated_at: now, ..list };
        entries.extend(children::add(ctx, txn, &copy)?);
    }
    record(ctx, txn, OperationKind::Create, &entries)?;
    Ok(masked(ctx, lead))
}

/// Empties fields whose values no two leads may share, and custom fields that take no such value any more.
fn without_unique(catalogue: &Catalogue, fields: &mut LeadFields) {
    let unique: BTreeSet<_> =
        catalogue.unique_keys(&fields.custom).into_iter().map(|(field, _)| field).collect();
    let may_have = |key: &CustomKey, value: &CustomValue| {
        catalogue.usable(key).is_ok_and(|field| field.check(value).is_ok())
    };
    fields.custom.retain(|key, value| may_have(key, value) && !unique.contains(&Field::Custom(key.clone())));
}

fn clear(fields: &mut LeadFields, field: &Field) {
    if field.is_writable() {
        // Clearing a field never fails: only values are checked.
        let _ = field.write(fields, &FieldValue::Empty);
    }
}

fn without_archived(txn: &mut dyn Txn, fields: &mut LeadFields) -> Result<()> {
    for kind in TermKind::CHOSEN {
        let field = kind.field();
        let value = field.read_fields(fields);
        let ids: Vec<_> = value
            .items()
            .iter()
            .filter_map(|item| if let FieldValue::Id(id) = item { Some(*id) } else { None })
            .collect();
        if ids.is_empty() {
            continue;
        }
        let terms = txn.terms().get(kind, &ids)?;
        let gone = terms.iter().filter(|record| record.term.archived).map(|record| record.term.id);
        for id in gone {
            if kind == TermKind::Label {
                fields.labels.remove(&TermId::from_term(id));
            } else {
                clear(fields, &field);
            }
        }
    }
    Ok(())
}
