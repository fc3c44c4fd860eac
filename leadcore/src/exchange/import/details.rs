//! What a decision changes, field by field, in words: for a person who reviews it, and to tell whether it is still the same.

use super::names::Names;
use crate::context::Context;
use crate::domain::{
    Field, FieldChange, FieldType, FieldValue, Lead, LeadFields, LeadState, Pipeline, Reference,
};

/// What is needed to tell it.
pub(super) struct Details<'a> {
    pub(super) ctx: &'a Context<'a>,
    pub(super) names: &'a Names,
    pub(super) pipelines: &'a [Pipeline],
    /// When the lead ended, where the file says it.
    pub(super) ended: Option<&'a FieldChange>,
}

impl Details<'_> {
    /// The fields of a new lead.
    pub(super) fn of_new(&self, lead: &Lead) -> Vec<FieldChange> {
        let mut changes = self.between(&LeadFields::default(), &lead.fields);
        let kind = FieldChange::new(Field::Kind.key(), FieldValue::Empty, lead.fields.kind.code());
        changes.retain(|change| change.field != kind.field);
        changes.insert(0, kind);
        changes.extend(self.stage(None, lead));
        changes.extend(self.lost_reason(None, lead));
        changes.extend(self.disqualified(None, lead));
        changes.extend(self.ended());
        changes
    }

    /// The fields that differ.
    pub(super) fn of_changed(&self, before: &Lead, after: &Lead) -> Vec<FieldChange> {
        let mut changes = self.between(&before.fields, &after.fields);
        if before.stage != after.stage {
            changes.extend(self.stage(Some(before), after));
            changes.extend(self.lost_reason(Some(before), after));
        }
        changes.extend(self.disqualified(Some(before), after));
        changes.extend(self.ended());
        changes
    }

    fn between(&self, before: &LeadFields, after: &LeadFields) -> Vec<FieldChange> {
        let custom: Vec<_> =
            before.custom.keys().chain(after.custom.keys()).cloned().map(Field::Custom).collect();
        let mut changes: Vec<FieldChange> = Vec::new();
        for field in Field::ALL.iter().filter(|field| field.is_writable()).chain(&custom) {
            if self.ctx.policy().is_hidden(self.ctx.actor(), field) {
                continue;
            }
            let (old, new) = both(field, before, after);
            if old != new && !changes.iter().any(|known| known.field == field.key()) {
                changes.push(FieldChange::new(
                    field.key(),
                    self.in_words(field, old),
                    self.in_words(field, new),
                ));
            }
        }
        changes
    }

    fn stage(&self, before: Option<&Lead>, after: &Lead) -> Option<FieldChange> {
        if self.ctx.policy().is_hidden(self.ctx.actor(), &Field::Stage) {
            return None;
        }
        let name =
            |lead: &Lead| -> FieldValue { self.names.stage_in_words(self.pipelines, lead.stage).into() };
        let before = before.map_or(FieldValue::Empty, name);
        Some(FieldChange::new(Field::Stage.key(), before, name(after)))
    }

    /// Why a lead is lost that comes into a lost stage.
    fn lost_reason(&self, before: Option<&Lead>, after: &Lead) -> impl Iterator<Item = FieldChange> {
        [Field::LostReason, Field::ReasonDetail]
            .into_iter()
            .filter_map(move |field| self.read(&field, before, after))
    }

    /// That a lead comes in disqualified, and why.
    fn disqualified(&self, before: Option<&Lead>, after: &Lead) -> Vec<FieldChange> {
        let is_so = |lead: &Lead| lead.state() == LeadState::Disqualified;
        if !is_so(after) || before.is_some_and(is_so) {
            return Vec::new();
        }
        let fields = [Field::State, Field::DisqualifyReason, Field::ReasonDetail];
        fields.iter().filter_map(|field| self.read(field, before, after)).collect()
    }

    /// When a lead ended that ends by its row, where that says it.
    fn ended(&self) -> Option<FieldChange> {
        let is_seen = |change: &&&FieldChange| {
            let field = Field::known(&change.field);
            !field.is_some_and(|field| self.ctx.policy().is_hidden(self.ctx.actor(), &field))
        };
        self.ended.as_ref().filter(is_seen).copied().cloned()
    }

    /// What the engine set in a field.
    fn read(&self, field: &Field, before: Option<&Lead>, after: &Lead) -> Option<FieldChange> {
        let read = |lead: &Lead| self.in_words(field, field.read(lead));
        let (old, new) = (before.map_or(FieldValue::Empty, read), read(after));
        let is_seen = !self.ctx.policy().is_hidden(self.ctx.actor(), field);
        (is_seen && old != new).then(|| FieldChange::new(field.key(), old, new))
    }

    /// Terms by their names: the ids of new ones are drawn anew in each run.
    fn in_words(&self, field: &Field, value: FieldValue) -> FieldValue {
        let FieldType::Reference(Reference::Term(kind)) = field.field_type() else { return value };
        let name = |id: uuid::Uuid| self.names.written(kind, id).map(FieldValue::from);
        match value {
            FieldValue::Id(id) => name(id).unwrap_or(FieldValue::Id(id)),
            FieldValue::List(list) => {
                let mut list: Vec<_> =
                    list.into_iter().map(|item| item.as_id().and_then(name).unwrap_or(item)).collect();
                list.sort_by(FieldValue::order);
                FieldValue::List(list)
            }
            other => other,
        }
    }
}

/// What a field says in both states: e-mails and phones with their uses and marks, where any has some. Who may not be
/// reached is a part of what a person reviews.
fn both(field: &Field, before: &LeadFields, after: &LeadFields) -> (FieldValue, FieldValue) {
    // No addresses are nothing, as everywhere.
    let told = |list: FieldValue| if list.is_empty() { FieldValue::Empty } else { list };
    match field {
        Field::Email if before.emails.has_marks() || after.emails.has_marks() => {
            (told(before.emails.marked()), told(after.emails.marked()))
        }
        Field::Phone if before.phones.has_marks() || after.phones.has_marks() => {
            (told(before.phones.marked()), told(after.phones.marked()))
        }
        _ => (field.read_fields(before), field.read_fields(after)),
    }
}
