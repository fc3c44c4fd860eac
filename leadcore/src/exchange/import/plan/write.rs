//! From what rows say to fields, and from what was decided to the store.

use super::{Found, Planner};
use crate::context::Context;
use crate::desk;
use crate::domain::{
    Action, Field, FieldChange, FieldValue, IMPORT_LINE, Lead, LeadFields, LeadState, MarkNote, NewEntry,
    ReachMark, TermId, TermKind,
};
use crate::error::{Result, ValueError, Violation, ViolationCode};
use crate::exchange::coerce::Intent;
use crate::exchange::coerce::currency::{another, is_sign_of, is_symbol};
use crate::exchange::import::CARDS;
use crate::exchange::import::links::Carried;
use crate::id::{CategoryId, LabelId, LeadId, LocationId, OperationId, PartnerId, SourceId};
use crate::store::{LeadChange, Txn};

impl Planner<'_> {
    /// Writes what the row says over what is there. Of an address that is there, the strictest of what is said holds: a file
    /// marks it as opted out or as not working, and takes no mark off. Of the ids in another system the first one stays: two rows that
    /// share a key but not the id would change it back and forth for ever; of cards that is told.
    pub(super) fn write(
        &mut self,
        intent: &Intent,
        found: &Found,
        fields: &mut LeadFields,
    ) -> Result<(), Vec<Violation>> {
        let mut broken = Vec::new();
        let row = &intent.fields;
        for field in &intent.clear {
            let done = self.empty(field, fields);
            broken.extend(done.err().map(|error| error.at(field.key())));
        }
        broken.extend(other_currency(intent, fields).err().map(|error| error.at(Field::Amount.key())));
        overwrite(row, fields);
        if let Some(kind) = intent.kind {
            fields.kind = kind;
        }
        match intent.name.over(fields.person.as_ref()) {
            Ok(person) => fields.person = person,
            Err(error) => broken.push(error.at(Field::Name.key())),
        }
        for email in row.emails.entries() {
            broken.extend(fields.emails.merge(email.clone()).err().map(|error| error.at(Field::Email.key())));
        }
        fields.emails.follow(&row.emails);
        for phone in row.phones.entries() {
            broken.extend(
                fields.phones.merge_typed(phone.clone()).err().map(|error| error.at(Field::Phone.key())),
            );
        }
        fields.phones.follow(&row.phones);
        mark(intent, fields);
        if let Some(sign) = &intent.sign {
            match (fields.currency, &fields.currency_symbol) {
                (Some(own), _) if is_sign_of(sign, own) => {}
                (None, Some(own)) if is_symbol(own, sign) => {}
                (None, None) => fields.currency_symbol = Some(sign.clone()),
                _ => broken.push(another().at(Field::Amount.key())),
            }
        }
        for id in &row.external_ids {
            if !fields.external_ids.iter().any(|known| known.system() == id.system()) {
                fields.external_ids.insert(id.clone());
            } else if id.system() == CARDS && !fields.external_ids.contains(id) {
                // By it, the card is not found again.
                let message = "the lead keeps the id of another card";
                self.links.tell(Violation::new(Field::ExternalId.key(), ViolationCode::Duplicate, message));
            }
        }
        for (kind, id) in &found.terms {
            match kind {
                TermKind::Source => fields.source = Some(SourceId::from_term(*id)),
                TermKind::Category => fields.category = Some(CategoryId::from_term(*id)),
                TermKind::Location => fields.location = Some(LocationId::from_term(*id)),
                TermKind::Partner => fields.partner = Some(PartnerId::from_term(*id)),
                TermKind::Label => {
                    fields.labels.insert(LabelId::from_term(*id));
                }
                // Reasons come with closing a lead.
                TermKind::LostReason | TermKind::DisqualifyReason => {}
            }
        }
        fields.source = fields.source.or(self.options.source);
        if broken.is_empty() { Ok(()) } else { Err(broken) }
    }

    /// Empties a field. Of the ids in other systems, only that of the file's system.
    fn empty(&self, field: &Field, fields: &mut LeadFields) -> Result<(), ValueError> {
        if *field == Field::ExternalId {
            fields.external_ids.retain(|id| id.system() != self.options.external_system);
            return Ok(());
        }
        field.write(fields, &FieldValue::Empty)
    }

    /// Writes everything that was decided under one operation; returns id and number of each lead on the bench, and what the
    /// next part has to know.
    pub(in crate::exchange::import) fn commit(
        self,
        txn: &mut dyn Txn,
        operation: OperationId,
    ) -> Result<(Vec<(LeadId, u64)>, Carried)> {
        let links = self.links.into_open(self.bench.slots.iter().map(|slot| &slot.lead));
        let mut entries = self.names.write(self.ctx, txn, &self.intake.pipelines)?;
        let (mut new, mut changes, mut changed) = (Vec::new(), Vec::new(), Vec::new());
        let mut lines = Vec::new();
        let mut leads: Vec<(LeadId, u64)> = Vec::with_capacity(self.bench.slots.len());
        for slot in self.bench.slots {
            leads.push((slot.lead.id, slot.lead.number));
            match slot.before {
                None => {
                    lines.push(told(&slot.lines));
                    new.push(slot.lead);
                }
                Some(before) if before != slot.lead => {
                    let mut after = slot.lead;
                    stay(&before, &mut after);
                    if before == after {
                        continue;
                    }
                    let mut entries = touched(self.ctx, &before, &mut after);
                    entries.first_mut().into_iter().for_each(|entry| entry.changes.push(told(&slot.lines)));
                    changed.extend(entries);
                    changes.push(LeadChange { before, after });
                }
                Some(_) => {}
            }
        }
        if !new.is_empty() {
            let created = desk::store_new(txn, &mut new)?;
            entries
                .extend(created.into_iter().zip(lines).map(|(entry, line)| entry.with_changes(vec![line])));
            let mut numbers = new.iter().map(|lead| lead.number);
            for lead in leads.iter_mut().filter(|(_, number)| *number == 0) {
                lead.1 = numbers.next().unwrap_or(0);
            }
        }
        if !changes.is_empty() {
            txn.leads().update(&changes)?;
            entries.extend(changed);
        }
        if !entries.is_empty() {
            txn.journal().append(operation, &entries)?;
        }
        let new_stages = self.names.new_stages();
        Ok((leads, Carried { new_values: self.names.new_values, new_stages, links }))
    }
}

/// Marks the addresses of a lead as the row's columns of consent say: all that it has by now.
fn mark(intent: &Intent, fields: &mut LeadFields) {
    let note = MarkNote::default();
    if intent.emails_dead {
        let own = intent.fields.emails.entries().iter().chain(fields.emails.entries().first());
        let own: Vec<_> = own.take(intent.fields.emails.entries().len().max(1)).cloned().collect();
        for entry in own {
            let _ = fields.emails.merge(entry.invalid(true));
        }
    }
    if intent.phones_dead {
        let own = intent.fields.phones.entries().iter().chain(fields.phones.entries().first());
        let own: Vec<_> = own.take(intent.fields.phones.entries().len().max(1)).cloned().collect();
        for entry in own {
            let _ = fields.phones.merge(entry.invalid(true));
        }
    }
    match intent.emails_out {
        Some(true) => drop(fields.emails.mark_all(ReachMark::OptedOut, &note)),
        Some(false) => fields.emails.unmark_all(ReachMark::OptedOut),
        None => {}
    }
    match intent.phones_out {
        Some(true) => drop(fields.phones.mark_all(ReachMark::OptedOut, &note)),
        Some(false) => fields.phones.unmark_all(ReachMark::OptedOut),
        None => {}
    }
}

/// Refuses an amount in another currency than the lead has, where no column says that the currency changes.
fn other_currency(intent: &Intent, lead: &LeadFields) -> Result<(), ValueError> {
    let Some(code) = intent.fields.currency.filter(|_| intent.currency_by_amount) else { return Ok(()) };
    let symbol = lead.currency_symbol.as_deref().filter(|_| intent.fields.currency_symbol.is_none());
    let is_same = match (lead.currency, symbol) {
        (Some(own), _) => own == code,
        (None, Some(symbol)) => is_symbol(symbol, code.code()) || is_sign_of(symbol, code),
        (None, None) => true,
    };
    if is_same { Ok(()) } else { Err(another()) }
}

/// Single values: what the row says wins, what it leaves empty stays.
fn overwrite(row: &LeadFields, fields: &mut LeadFields) {
    macro_rules! take {
        ($($name:ident),+) => {$(
            if row.$name.is_some() && row.$name != fields.$name {
                fields.$name.clone_from(&row.$name);
            }
        )+};
    }
    take!(
        company,
        job_title,
        website,
        tax_id,
        currency,
        currency_symbol,
        amount,
        probability,
        expected_close,
        score,
        industry,
        description,
        campaign,
        owner
    );
    for (key, value) in &row.custom {
        fields.custom.insert(key.clone(), value.clone());
    }
    let address = &row.address;
    if address.is_empty() {
        return;
    }
    for field in [Field::Street, Field::City, Field::Region, Field::PostalCode, Field::Country] {
        let value = field.read_fields(row);
        if !value.is_empty() {
            // The row's address is made of the same parts, so they are known to fit.
            let _ = field.write(fields, &value);
        }
    }
}

/// Which lines of the file wrote a lead, as its entry tells it: so that an undo knows the leads of single lines.
fn told(lines: &[u64]) -> FieldChange {
    let line = |line: &u64| FieldValue::Integer(i64::try_from(*line).unwrap_or(i64::MAX));
    let lines = match lines {
        [only] => line(only),
        several => FieldValue::List(several.iter().map(line).collect()),
    };
    FieldChange::new(IMPORT_LINE, FieldValue::Empty, lines)
}

/// What changes with a stage.
const OF_A_MOVE: [Field; 11] = [
    Field::Stage,
    Field::Pipeline,
    Field::StageEnteredAt,
    Field::ActiveAt,
    Field::Rank,
    Field::State,
    Field::Outcome,
    Field::LostReason,
    Field::DisqualifyReason,
    Field::ReasonDetail,
    Field::ClosedAt,
];

/// The journal's entries for a changed lead: one for its fields, one for its stage.
fn touched(ctx: &Context<'_>, before: &Lead, after: &mut Lead) -> Vec<NewEntry> {
    let mut updated = desk::touch(ctx, before, after, Action::Updated);
    let of_stage = |key: &str| OF_A_MOVE.iter().any(|field| field.key() == key);
    let (moves, edits) = updated.changes.into_iter().partition(|change| of_stage(&change.field));
    updated.changes = edits;
    let moved = NewEntry::new(after.id, Action::Moved, after.updated_at).with_changes(moves);
    [updated, moved].into_iter().filter(|entry| !entry.changes.is_empty()).collect()
}

/// A lead that is where it was, after all its lines of a chunk, has not moved: its visit of the stage goes on.
fn stay(before: &Lead, after: &mut Lead) {
    if (before.pipeline, before.stage) == (after.pipeline, after.stage) {
        after.stage_entered_at = before.stage_entered_at;
        after.rank.clone_from(&before.rank);
        if after.state() != LeadState::Disqualified {
            after.closing.clone_from(&before.closing);
        }
    }
}
