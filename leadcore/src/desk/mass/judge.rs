//! What becomes of one lead of many: the rules of the single calls.

use std::collections::BTreeSet;

use crate::context::Context;
use crate::domain::{Action, Catalogue, Field, Lead, LeadFields, NewEntry, TermKind, Trashed};
use crate::error::{Conflict, Error, Result, ViolationCode};
use crate::id::{LeadId, OperationId, Revision, UserId};
use crate::policy::Permission;
use crate::store::Txn;

use super::super::access::{Expect, Gate, check_fields};
use super::super::custom::Claimed;
use super::super::functions::Openings;
use super::super::intake::{check_references, check_rules, violations};
use super::super::leads::touch;
use super::super::moving::Mover;
use super::super::settings::load_catalogue;
use super::{Change, RecordOutcome, outcome_of};

/// What was decided about one lead.
pub(super) enum Judged {
    /// Nothing is written.
    Refused(RecordOutcome),
    /// This is written.
    Changed { before: Box<Lead>, after: Box<Lead>, entry: NewEntry },
}

/// Everything that the leads are judged by, loaded once.
pub(super) struct Judge<'a> {
    ctx: &'a Context<'a>,
    change: &'a Change,
    view: Gate,
    gate: Gate,
    openings: Openings,
    catalogue: Catalogue,
    /// The stages and their guard.
    mover: Mover,
    /// Values of unique fields that leads of this change got.
    claimed: Claimed,
    /// Terms of the change that exist and are not archived.
    fresh: Fresh,
    /// Who reads, and what was read in this round.
    reader: Option<UserId>,
    read: Vec<LeadId>,
}

/// The terms that a change would choose, as far as they are archived: who has one keeps it.
type Fresh = Vec<(TermKind, BTreeSet<uuid::Uuid>)>;

impl<'a> Judge<'a> {
    /// Refuses a change that fits no lead.
    pub(super) fn load(ctx: &'a Context<'a>, txn: &mut dyn Txn, change: &'a Change) -> Result<Self> {
        let mut reader = None;
        let mover = Mover::load(txn)?;
        let mut fresh = Fresh::new();
        match change {
            Change::Transfer(_) => check_fields(ctx, std::iter::once(&Field::Owner))?,
            Change::Move(to) if to.position.is_some() => {
                let message = "cards are placed one by one: many leads go on top";
                return Err(Error::invalid_field("position", ViolationCode::NotAllowed, message));
            }
            Change::Move(to) => mover.check_target(to)?,
            Change::AddLabels(labels) => {
                check_fields(ctx, std::iter::once(&Field::Labels))?;
                let fields = LeadFields { labels: labels.iter().copied().collect(), ..LeadFields::default() };
                fresh = chosen(txn, &fields)?;
            }
            Change::RemoveLabels(_) => check_fields(ctx, std::iter::once(&Field::Labels))?,
            Change::Edit(patch) => {
                check_fields(ctx, patch.fields())?;
                fresh = chosen_by(txn, patch)?;
            }
            Change::MarkRead(_) => {
                let user = ctx.actor().user().cloned().ok_or_else(|| {
                    let message = "only a user has read marks";
                    Error::invalid_field("actor", ViolationCode::NotAllowed, message)
                })?;
                reader = Some(user);
            }
            Change::Delete | Change::Restore => {}
        }
        Ok(Self {
            ctx,
            change,
            view: Gate::open(ctx, txn, Permission::View)?,
            gate: Gate::open(ctx, txn, change.permission())?,
            openings: Openings::load(ctx, txn)?,
            catalogue: load_catalogue(txn)?.1,
            mover,
            claimed: Claimed::default(),
            fresh,
            reader,
            read: Vec::new(),
        })
    }

    /// What becomes of this lead; errors are the store's.
    pub(super) fn judge(
        &mut self,
        txn: &mut dyn Txn,
        lead: Option<Lead>,
        revision: Option<Revision>,
        operation: OperationId,
    ) -> Result<Judged> {
        let Some(before) = lead.filter(|lead| self.view.admits(lead)) else {
            return Ok(Judged::Refused(RecordOutcome::NotFound));
        };
        match self.decide(txn, &before, revision, operation) {
            Ok(None) => Ok(Judged::Refused(RecordOutcome::Unchanged)),
            // Read marks are no part of the lead.
            Ok(Some(_)) if self.reader.is_some() => Ok(Judged::Refused(RecordOutcome::Done)),
            Ok(Some((mut after, action))) => {
                let entry = touch(self.ctx, &before, &mut after, action);
                Ok(Judged::Changed { before: Box::new(before), after: Box::new(after), entry })
            }
            Err(error) => outcome_of(error).map(Judged::Refused),
        }
    }

    fn decide(
        &mut self,
        txn: &mut dyn Txn,
        before: &Lead,
        revision: Option<Revision>,
        operation: OperationId,
    ) -> Result<Option<(Lead, Action)>> {
        let restores = *self.change == Change::Restore;
        if before.trashed.is_some() != restores {
            return Err(Error::not_found("lead"));
        }
        self.gate.check(before)?;
        if before.conversion.is_some() && self.reader.is_none() {
            return Err(Error::conflicting("lead", Conflict::Converted));
        }
        revision.map_or(Expect::Any, Expect::Revision).check("lead", before.revision)?;
        if let Some(function) = self.change.function() {
            self.openings.check(function, before)?;
        }
        let mut after = before.clone();
        let action = self.change(&mut after, operation)?;
        if let Some(user) = &self.reader {
            let known = !txn.marks().read_by(user, &[before.id])?.is_empty();
            if known == (*self.change == Change::MarkRead(true)) {
                return Ok(None);
            }
            self.read.push(before.id);
            return Ok(Some((after, action)));
        }
        if after == *before {
            return Ok(None);
        }
        if after.fields != before.fields {
            let mut broken = check_rules(self.ctx, &self.catalogue, &after.fields, &before.fields);
            for (kind, archived) in &self.fresh {
                let field = kind.field();
                let (old, new) = (field.read_fields(&before.fields), field.read_fields(&after.fields));
                let newly = new.items().iter().filter(|item| !old.items().contains(item));
                let is_archived = |item: &crate::domain::FieldValue| matches!(item, crate::domain::FieldValue::Id(id) if archived.contains(id));
                if newly.into_iter().any(is_archived) {
                    let message = format!("this {kind} is archived");
                    broken.push(crate::error::Violation::new(
                        field.key(),
                        ViolationCode::NotAllowed,
                        message,
                    ));
                }
            }
            broken.extend(violations(&self.mover.check_edit(before, &after), &broken));
            if !broken.is_empty() {
                return Err(Error::invalid(broken));
            }
        }
        let (old, new) = (&before.fields, &after.fields);
        if new.custom != old.custom || new.external_ids != old.external_ids || restores {
            self.claimed.claim(txn, &self.catalogue, before, &after)?;
        }
        if restores {
            self.mover.take_back(&after)?;
        }
        Ok(Some((after, action)))
    }

    fn change(&mut self, lead: &mut Lead, operation: OperationId) -> Result<Action> {
        match self.change {
            Change::Transfer(owner) => lead.fields.owner.clone_from(owner),
            Change::AddLabels(labels) => lead.fields.labels.extend(labels),
            Change::RemoveLabels(labels) => lead.fields.labels.retain(|label| !labels.contains(label)),
            Change::Edit(patch) => patch.apply(&self.catalogue, &mut lead.fields)?,
            Change::Move(to) => {
                self.mover.step(self.ctx, lead, to)?;
                return Ok(Action::Moved);
            }
            Change::Delete => {
                lead.trashed = Some(Trashed { at: self.ctx.now(), operation });
                return Ok(Action::Deleted);
            }
            Change::Restore => {
                lead.trashed = None;
                return Ok(Action::Restored);
            }
            Change::MarkRead(_) => {}
        }
        Ok(Action::Updated)
    }

    /// Writes the read marks of a round.
    pub(super) fn mark(&mut self, txn: &mut dyn Txn) -> Result<()> {
        let read = std::mem::take(&mut self.read);
        match (&self.reader, self.change) {
            (Some(user), Change::MarkRead(yes)) if !read.is_empty() => txn.marks().mark(user, &read, *yes),
            _ => Ok(()),
        }
    }
}

/// Refuses terms that do not exist; returns those that are archived.
fn chosen(txn: &mut dyn Txn, fields: &LeadFields) -> Result<Fresh> {
    let mut broken = Vec::new();
    // As if the lead had all of them: only what does not exist is refused here.
    check_references(txn, &std::iter::once(fields), fields, &mut broken)?;
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    let mut fresh = Fresh::new();
    for kind in TermKind::CHOSEN {
        let value = kind.field().read_fields(fields);
        let ids: Vec<_> = value
            .items()
            .iter()
            .filter_map(|item| if let crate::domain::FieldValue::Id(id) = item { Some(*id) } else { None })
            .collect();
        if ids.is_empty() {
            continue;
        }
        let archived = txn.terms().get(kind, &ids)?.into_iter().filter(|record| record.term.archived);
        fresh.push((kind, archived.map(|record| record.term.id).collect()));
    }
    Ok(fresh)
}

/// The terms that a patch names.
fn chosen_by(txn: &mut dyn Txn, patch: &crate::domain::LeadPatch) -> Result<Fresh> {
    let mut fields = LeadFields::default();
    // What else does not fit is said lead by lead: a phone may fit the country of one and not of another.
    if let Err(error) = patch.apply(&load_catalogue(txn)?.1, &mut fields) {
        let about_terms = |field: &str| TermKind::CHOSEN.iter().any(|kind| kind.field().key() == field);
        let engine = |code| code == ViolationCode::NotAllowed;
        let broken: Vec<_> = error
            .violations()
            .iter()
            .filter(|violation| {
                let unknown = violation.code == ViolationCode::Unknown
                    && violation.field.starts_with(crate::domain::CustomKey::PREFIX);
                about_terms(&violation.field) || engine(violation.code) || unknown
            })
            .cloned()
            .collect();
        if !broken.is_empty() {
            return Err(Error::invalid(broken));
        }
    }
    chosen(txn, &fields)
}
