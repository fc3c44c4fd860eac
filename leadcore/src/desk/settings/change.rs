//! Changing what records already have values of: refused, or done with a stated mapping in the same transaction.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Context;
use crate::domain::{
    Account, Catalogue, CatalogueKind, Contact, CustomField, CustomKey, CustomType, CustomValue,
    CustomValues, Field, FieldValue, Lead, OperationKind, Opportunity,
};
use crate::error::{Conflict, Error, Result, ViolationCode};
use crate::id::Revision;
use crate::policy::Permission;
use crate::store::Txn;

use super::super::access::require;
use super::super::conversion_mapping;
use super::super::operation::new_operation;
use super::super::views::{Instead, follow};
use super::holders::{Holder, Wanted};
use super::{load_catalogue_of, save};

/// What becomes of the values of records when a custom field changes. Values that the changed field takes as they are stay;
/// those that it can hold without loss are converted (a number to text, a whole number to a decimal one).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldMapping {
    choices: BTreeMap<String, Option<String>>,
    clear_rest: bool,
}

impl FieldMapping {
    /// Only what is kept or converted without loss; anything else refuses the change.
    #[must_use]
    pub fn exact() -> Self {
        Self::default()
    }

    /// Records with the choice `code` get `instead`, or none.
    #[must_use]
    pub fn choice(mut self, code: &str, instead: Option<&str>) -> Self {
        self.choices.insert(code.to_owned(), instead.map(str::to_owned));
        self
    }

    /// What can be neither kept nor converted is emptied.
    #[must_use]
    pub const fn clear_rest(mut self) -> Self {
        self.clear_rest = true;
        self
    }

    /// The choices of a value after the mapping.
    fn mapped(&self, value: &CustomValue) -> Option<CustomValue> {
        let instead = |code: &String| match self.choices.get(code) {
            Some(instead) => instead.clone(),
            None => Some(code.clone()),
        };
        match value {
            CustomValue::Code(code) => instead(code).map(CustomValue::Code),
            CustomValue::Codes(codes) => {
                let codes: BTreeSet<_> = codes.iter().filter_map(instead).collect();
                (!codes.is_empty()).then_some(CustomValue::Codes(codes))
            }
            other => Some(other.clone()),
        }
    }

    /// The value after the change of `known` to `field`; `Err` when nothing says what it shall be.
    fn apply(
        &self,
        known: &CustomField,
        field: &CustomField,
        value: &CustomValue,
    ) -> Result<Option<CustomValue>, ()> {
        let Some(mapped) = self.mapped(value) else { return Ok(None) };
        // What lay outside the limits before is no matter of this change.
        let fits = |new: &CustomValue| field.check_limits(new).is_ok() || known.check_limits(value).is_err();
        match field.convert_exactly(&mapped).filter(fits) {
            Some(converted) => Ok(Some(converted)),
            None if self.clear_rest => Ok(None),
            None => Err(()),
        }
    }
}

/// Replaces the definition of a custom field of leads: see [`change_field_of`].
///
/// # Errors
/// As [`change_field_of`].
pub fn change_field(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    field: &CustomField,
    mapping: &FieldMapping,
) -> Result<Revision> {
    change_field_of(ctx, txn, CatalogueKind::Lead, expected, field, mapping)
}

/// Takes a custom field of leads away: see [`remove_field_of`].
///
/// # Errors
/// As [`remove_field_of`].
pub fn remove_field(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    field: &CustomKey,
    clear: bool,
) -> Result<Revision> {
    remove_field_of(ctx, txn, CatalogueKind::Lead, expected, field, clear)
}

/// Replaces the definition of a custom field, and rewrites the values of records by `mapping` in the same transaction,
/// trashed leads and archived accounts included; each change is in the journal. Saved views of leads that ask for a choice
/// which is mapped ask for the other.
///
/// Values outside limits that are tightened by this (of length or size) refuse it, or are emptied where the mapping says so.
/// To let them stay, write the limits by [`set_catalogue`](super::set_catalogue): then they hold for new values.
///
/// A converted lead keeps what its values say: its values are converted, but never mapped to another choice or emptied.
///
/// # Errors
/// `Denied`; `NotFound` when there is no such field; `Invalid` for a definition that breaks a rule, or unique values that
/// would not be; `Conflict` when the catalogue changed since it was read, or with [`Conflict::InUse`] when that many records
/// have values that the mapping says nothing of or that lie outside the new limits, or are converted leads.
pub fn change_field_of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    kind: CatalogueKind,
    expected: Option<Revision>,
    field: &CustomField,
    mapping: &FieldMapping,
) -> Result<Revision> {
    let mut catalogue = known(ctx, txn, kind, &field.key)?;
    let known = catalogue.custom_field(&field.key).cloned().ok_or_else(|| Error::not_found("field"))?;
    catalogue.set_custom_field(field.clone());
    let catalogue = catalogue.with_plain_labels();
    catalogue.validate()?;
    let change = |value: &CustomValue| mapping.apply(&known, field, value);
    let instead = |value: &FieldValue| {
        let instead = mapping.choices.get(value.as_text()?)?.as_deref()?;
        Some(FieldValue::from(instead))
    };
    rewrite(ctx, txn, expected, &catalogue, &field.key, (&change, &instead))
}

/// Takes a custom field away. With `clear`, records that have a value are emptied in the same transaction, trashed and
/// archived ones included.
///
/// # Errors
/// As [`change_field_of`]; [`Conflict::InUse`] when records have values and are not to be emptied, or are converted leads:
/// such a field can be disabled instead; or when a rule of the [conversion mapping](super::super::conversion_mapping) names it.
pub fn remove_field_of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    kind: CatalogueKind,
    expected: Option<Revision>,
    field: &CustomKey,
    clear: bool,
) -> Result<Revision> {
    let mut catalogue = known(ctx, txn, kind, field)?;
    catalogue.remove_custom_field(field);
    catalogue.validate()?;
    let change = |_: &CustomValue| if clear { Ok(None) } else { Err(()) };
    rewrite(ctx, txn, expected, &catalogue, field, (&change, &|_| None))
}

fn known(ctx: &Context<'_>, txn: &mut dyn Txn, kind: CatalogueKind, key: &CustomKey) -> Result<Catalogue> {
    require(ctx, txn, Permission::Configure)?;
    let (_, catalogue) = load_catalogue_of(txn, kind)?;
    if catalogue.custom_field(key).is_some() { Ok(catalogue) } else { Err(Error::not_found("field")) }
}

/// What becomes of a value, by the mapping.
type Change<'a> = &'a dyn Fn(&CustomValue) -> Result<Option<CustomValue>, ()>;

/// Does something with the type of record that a catalogue is of.
macro_rules! for_holder {
    ($kind:expr, $H:ident => $work:expr) => {
        match $kind {
            CatalogueKind::Lead => {
                type $H = Lead;
                $work
            }
            CatalogueKind::Account => {
                type $H = Account;
                $work
            }
            CatalogueKind::Contact => {
                type $H = Contact;
                $work
            }
            CatalogueKind::Opportunity => {
                type $H = Opportunity;
                $work
            }
        }
    };
}

fn rewrite(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    catalogue: &Catalogue,
    key: &CustomKey,
    how: (Change<'_>, Instead<'_>),
) -> Result<Revision> {
    for_holder!(catalogue.kind(), H => rewrite_of::<H>(ctx, txn, expected, catalogue, key, how))
}

fn rewrite_of<H: Holder>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    catalogue: &Catalogue,
    key: &CustomKey,
    (change, instead): (Change<'_>, Instead<'_>),
) -> Result<Revision> {
    // Before the first write, so that a refusal leaves nothing behind.
    let (mut blocked, mut frozen, mut seen, mut twice) = (0, 0_u64, BTreeSet::new(), false);
    H::each(txn, Wanted::any(key), &mut |_, records| {
        for record in records {
            let Some(value) = record.custom().get(key) else { continue };
            match change(value) {
                Ok(new) if record.is_frozen() && !says_the_same(value, new.as_ref()) => frozen += 1,
                Ok(new) if record.is_live() => {
                    let mut after = record.custom().clone();
                    put(&mut after, key, new);
                    let keys = catalogue.unique_keys(&after).into_iter().map(|(_, key)| key);
                    let own =
                        keys.filter(|unique| unique.as_custom().is_some_and(|(field, _)| field == *key));
                    own.for_each(|unique| twice |= !seen.insert(unique));
                }
                Ok(_) => {}
                Err(()) => blocked += 1,
            }
        }
        Ok(())
    })?;
    if frozen > 0 && blocked == 0 {
        return Err(held_by_converted(key, frozen));
    }
    if blocked > 0 {
        let blocked = frozen.saturating_add(blocked);
        return Err(Error::conflicting(key.as_str(), Conflict::InUse { by: blocked }));
    }
    if twice {
        return Err(not_unique(H::KIND, key));
    }
    conversion_mapping::check_catalogue(txn, catalogue)?;
    let operation = new_operation(ctx, OperationKind::Configure, None);
    txn.journal().begin(&operation)?;
    let (revision, entry) = save(ctx, txn, H::KIND.into(), expected, catalogue)?;
    let mut entries = vec![entry];
    if H::KIND == CatalogueKind::Lead {
        entries.extend(follow(ctx, txn, &Field::Custom(key.clone()), instead)?);
    }
    txn.journal().append(operation.id, &entries)?;
    H::each(txn, Wanted::any(key), &mut |txn, records| {
        let mut changed = Vec::new();
        for before in records {
            let Some(value) = before.custom().get(key) else { continue };
            let Ok(new) = change(value) else { continue };
            let mut after = before.clone();
            put(after.custom_mut(), key, new);
            if after.custom() != before.custom() {
                changed.push((before, after));
            }
        }
        let entries = H::write(ctx, txn, changed)?;
        txn.journal().append(operation.id, &entries)
    })?;
    Ok(revision)
}

fn put(custom: &mut CustomValues, key: &CustomKey, value: Option<CustomValue>) {
    match value {
        Some(value) => custom.insert(key.clone(), value),
        None => custom.remove(key),
    };
}

/// Whether a conversion kept what the value says: it was not mapped or emptied.
fn says_the_same(before: &CustomValue, after: Option<&CustomValue>) -> bool {
    let codes = |value: &CustomValue| match value {
        CustomValue::Code(code) => Some([code.clone()].into()),
        CustomValue::Codes(codes) => Some(codes.clone()),
        _ => None::<BTreeSet<String>>,
    };
    after.is_some_and(|after| match (codes(before), codes(after)) {
        (Some(before), Some(after)) => before == after,
        _ => true,
    })
}

/// Refuses a catalogue that takes away what records have.
pub(super) fn check_values(txn: &mut dyn Txn, before: &Catalogue, after: &Catalogue) -> Result<()> {
    for_holder!(after.kind(), H => check_values_of::<H>(txn, before, after))
}

fn check_values_of<H: Holder>(txn: &mut dyn Txn, before: &Catalogue, after: &Catalogue) -> Result<()> {
    for old in before.custom_fields() {
        let any = Wanted::any(&old.key);
        let Some(new) = after.custom_field(&old.key) else {
            refuse_used::<H>(txn, any)?;
            continue;
        };
        if new == old {
            continue;
        }
        if !keeps_type(&old.kind, &new.kind) {
            refuse_used::<H>(txn, any)?;
        }
        let kept: BTreeSet<_> =
            new.kind.choices().unwrap_or_default().iter().map(|choice| &choice.code).collect();
        let choices = old.kind.choices().unwrap_or_default().iter().map(|choice| &choice.code);
        let gone: Vec<_> = choices.filter(|code| !kept.contains(code)).map(String::as_str).collect();
        if !gone.is_empty() {
            refuse_used::<H>(txn, Wanted { choices: Some(&gone), ..any })?;
        }
        let is_unique = |field: &CustomField| field.unique && field.settings.enabled != Some(false);
        if is_unique(new) && !is_unique(old) && H::is_shared(txn, &old.key)? {
            return Err(not_unique(H::KIND, &old.key));
        }
    }
    Ok(())
}

/// Whether every value of the old type is one of the new type.
fn keeps_type(old: &CustomType, new: &CustomType) -> bool {
    let longer = matches!((old, new), (CustomType::Text, CustomType::LongText));
    let same = match (old, new) {
        (CustomType::Link(old), CustomType::Link(new)) => old == new,
        (old, new) => old.code() == new.code(),
    };
    longer || same
}

fn refuse_used<H: Holder>(txn: &mut dyn Txn, wanted: Wanted<'_>) -> Result<()> {
    let (mut by, mut frozen) = (0_u64, 0_u64);
    H::each(txn, wanted, &mut |_, records| {
        by += u64::try_from(records.len()).unwrap_or(u64::MAX);
        frozen += records.iter().filter(|record| record.is_frozen()).fold(0, |count, _| count + 1);
        Ok(())
    })?;
    match by {
        0 => Ok(()),
        _ if by == frozen => Err(held_by_converted(wanted.key, frozen)),
        _ => Err(Error::conflicting(wanted.key.as_str(), Conflict::InUse { by })),
    }
}

fn held_by_converted(key: &CustomKey, by: u64) -> Error {
    Error::in_use_by_converted(key.as_str(), by, "disable the field, or keep the choice")
}

fn not_unique(kind: CatalogueKind, key: &CustomKey) -> Error {
    let message = format!("{} have the same value: it cannot be unique", kind.plural());
    Error::invalid_field(format!("{key}.unique"), ViolationCode::Duplicate, message)
}
