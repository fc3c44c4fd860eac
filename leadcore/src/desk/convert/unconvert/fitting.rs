//! Values that may not be written any more: of a term or a choice that was removed, that another record has by now, that a limit
//! refuses. As an undo does, a way back leaves what the conversion wrote there, and tells it.

use serde_json::Value;

use crate::context::Context;
use crate::domain::{
    AccountFields, CatalogueKind, ContactFields, CustomType, CustomValues, FieldChange, Opportunity,
    OpportunityFields, Subject, account_changes, contact_changes, go_together, image_of,
};
use crate::error::{ErrorKind, Result, Violation};
use crate::store::Txn;

use super::super::super::settings::load_catalogue_of;
use super::super::super::{accounts, custom, opportunities};
use super::look::Look;
use super::own::{deep, flat};

/// Turns those of the changed fields back that are asked for. Says which.
type TurnBack<T> = fn(&T, &mut T, &dyn Fn(&str) -> bool) -> Vec<String>;

impl Look<'_> {
    /// The records as they shall be, without what may not be written any more: of each field that, with those that go together with
    /// it. Where rules are broken by no field alone, all of them stay.
    pub(super) fn fitting(&mut self, ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<()> {
        for mut known in std::mem::take(&mut self.found.accounts) {
            let (id, now) = (known.before.id, &known.before.fields);
            let kept = fitted(now, &mut known.after.fields, of_account, &mut |then| {
                // Owner and tax number were there before and need no leave.
                let mut broken = accounts::violations(ctx, txn, then, then)?;
                broken.extend(of_tenant(
                    txn,
                    CatalogueKind::Account,
                    id.into(),
                    (&then.custom, &now.custom),
                )?);
                Ok(broken)
            })?;
            self.keep(id.into(), kept);
            self.found.accounts.push(known);
        }
        for mut known in std::mem::take(&mut self.found.known) {
            let (id, now) = (known.before.id, &known.before.fields);
            let kept = fitted(now, &mut known.after.fields, of_contact, &mut |then| {
                let mut broken = then.violations();
                broken.extend(of_tenant(
                    txn,
                    CatalogueKind::Contact,
                    id.into(),
                    (&then.custom, &now.custom),
                )?);
                Ok(broken)
            })?;
            self.keep(id.into(), kept);
            self.found.known.push(known);
        }
        for mut joined in std::mem::take(&mut self.found.joined) {
            let Opportunity { id, fields: now, .. } = &joined.before;
            let kept = fitted(now, &mut joined.after.fields, of_opportunity, &mut |then| {
                // So were the owner and a source that was archived since.
                let (owner, source) = (then.owner.clone(), then.source);
                let values = (&then.custom, &now.custom);
                let mut broken = of_tenant(txn, CatalogueKind::Opportunity, (*id).into(), values)?;
                let bare = OpportunityFields { custom: now.custom.clone(), ..then.clone() };
                let known = OpportunityFields { owner, ..now.clone() };
                match opportunities::checked(ctx, txn, Some(*id), (Some(&known), source), bare) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::Invalid => {
                        broken.extend(error.violations().iter().cloned());
                    }
                    Err(error) => return Err(error),
                }
                Ok(broken)
            })?;
            if !kept.is_empty()
                && let Ok((fields, totals)) = joined.after.fields.clone().settle()
            {
                (joined.after.fields, joined.after.totals) = (fields, totals);
            }
            self.keep((*id).into(), kept);
            self.found.joined.push(joined);
        }
        Ok(())
    }

    fn keep(&mut self, record: Subject, fields: Vec<String>) {
        if let Some(taken) = self.found.plan.records.iter_mut().find(|taken| taken.record == record) {
            taken.kept.extend(fields);
            taken.kept.sort();
            taken.kept.dedup();
        }
    }
}

/// Turns back what breaks more rules than what is there now. Says which fields those are.
fn fitted<T: Clone + PartialEq>(
    now: &T,
    then: &mut T,
    turn_back: TurnBack<T>,
    broken: &mut dyn FnMut(&T) -> Result<Vec<Violation>>,
) -> Result<Vec<String>> {
    let mut kept = Vec::new();
    while then != now {
        let found = broken(then)?;
        if found.is_empty() {
            break;
        }
        let known = broken(now)?;
        let new: Vec<_> = found.into_iter().filter(|one| !known.contains(one)).collect();
        if new.is_empty() {
            break;
        }
        let named = |field: &str| new.iter().any(|one| one.field == field || go_together(&one.field, field));
        let before = then.clone();
        kept.extend(turn_back(now, then, &named));
        if *then == before {
            kept.extend(turn_back(now, then, &|_| true));
            then.clone_from(now);
        }
    }
    kept.retain(|field| image_of(field).is_none());
    Ok(kept)
}

fn names(changes: Vec<FieldChange>) -> Vec<String> {
    changes.into_iter().map(|change| change.field).collect()
}

fn of_account(now: &AccountFields, then: &mut AccountFields, is: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut changes = account_changes(now, then);
    changes.retain(|change| is(&change.field));
    then.rewind(&changes, &|_, _| None);
    names(changes)
}

fn of_contact(now: &ContactFields, then: &mut ContactFields, is: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut changes = contact_changes(now, then);
    changes.retain(|change| is(&change.field));
    then.rewind(&changes, &|_, _| None);
    names(changes)
}

fn of_opportunity(
    now: &OpportunityFields,
    then: &mut OpportunityFields,
    is: &dyn Fn(&str) -> bool,
) -> Vec<String> {
    let (Some(is_now), Some(mut fields)) = (flat(now), flat(then)) else { return Vec::new() };
    let value = |value: Option<&Value>| value.filter(|value| !value.is_null()).cloned();
    let differs = |key: &&String| value(is_now.get(*key)) != value(fields.get(*key));
    let mut changed: Vec<String> =
        is_now.keys().chain(fields.keys()).filter(differs).filter(|key| is(key)).cloned().collect();
    changed.sort();
    changed.dedup();
    for key in &changed {
        fields.remove(key);
        fields.extend(is_now.get(key).map(|value| (key.clone(), value.clone())));
    }
    let Some(turned) = deep(fields) else { return Vec::new() };
    *then = turned;
    changed
}

/// What values of the tenant's fields break. Choices that are offered no more are taken: who had one before has it again.
fn of_tenant(
    txn: &mut dyn Txn,
    kind: CatalogueKind,
    record: Subject,
    (then, now): (&CustomValues, &CustomValues),
) -> Result<Vec<Violation>> {
    let (_, mut catalogue) = load_catalogue_of(txn, kind)?;
    let fields: Vec<_> = catalogue.custom_fields().cloned().collect();
    for mut field in fields {
        if let CustomType::OneOf(choices) | CustomType::ManyOf(choices) = &mut field.kind {
            choices.iter_mut().for_each(|choice| choice.archived = false);
            catalogue.set_custom_field(field);
        }
    }
    custom::broken_values(txn, &catalogue, Some(record.id), then, now)
}
