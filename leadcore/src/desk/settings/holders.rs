//! The records that have values of custom fields: leads, accounts, contacts and opportunities, each walked and written its way.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::context::Context;
use crate::domain::{
    Account, Action, BlockKey, CatalogueKind, Contact, CustomKey, CustomValue, CustomValues, Field,
    FieldValue, Lead, MatchKey, NewEntry, Opportunity, account_changes, contact_changes,
};
use crate::error::Result;
use crate::id::{AccountId, ContactId, OpportunityId};
use crate::query::Resolved;
use crate::store::{Block, LeadChange, Txn};

use super::super::children;
use super::super::leads::{touch, update_all};
use super::super::rounds::{Place, ROUND, each_lead};

/// Which values are looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Of this field.
    pub(super) key: &'a CustomKey,
    /// With one of these choices; whatever the value, where none are named.
    pub(super) choices: Option<&'a [&'a str]>,
}

impl<'a> Wanted<'a> {
    /// Every value of a field.
    pub(super) const fn any(key: &'a CustomKey) -> Self {
        Self { key, choices: None }
    }

    /// The keys of an index that find the records.
    fn keys(&self) -> Vec<BlockKey> {
        let Some(choices) = self.choices else { return vec![BlockKey::with_value(self.key)] };
        let key = |code: &&str| BlockKey::of_custom(&MatchKey::custom(self.key, &FieldValue::from(*code))?);
        choices.iter().filter_map(key).collect()
    }
}

/// What is done with the records of one round.
pub(super) type Round<'a, H> = &'a mut dyn FnMut(&mut dyn Txn, Vec<H>) -> Result<()>;

/// A record that can have values of custom fields.
pub(super) trait Holder: Sized + Clone {
    /// What it is.
    const KIND: CatalogueKind;

    fn custom(&self) -> &CustomValues;
    fn custom_mut(&mut self) -> &mut CustomValues;

    /// Whether it keeps what its values say, whatever becomes of the field.
    fn is_frozen(&self) -> bool {
        false
    }

    /// Whether no other may have its values of unique fields: what is put away holds nothing.
    fn is_live(&self) -> bool {
        true
    }

    /// Every record with such a value, also those that are put away, in rounds.
    fn each(txn: &mut dyn Txn, wanted: Wanted<'_>, work: Round<'_, Self>) -> Result<()>;

    /// Writes what changed, and says what the journal has to keep.
    fn write(ctx: &Context<'_>, txn: &mut dyn Txn, changed: Vec<(Self, Self)>) -> Result<Vec<NewEntry>>;

    /// Whether two of them have the same value.
    fn is_shared(txn: &mut dyn Txn, key: &CustomKey) -> Result<bool> {
        let (mut seen, mut twice) = (BTreeSet::new(), false);
        Self::each(txn, Wanted::any(key), &mut |_, records| {
            let live = records.iter().filter(|record| record.is_live());
            let values = live.filter_map(|record| record.custom().get(key));
            let keys = values.flat_map(CustomValue::forms).filter_map(|form| MatchKey::custom(key, &form));
            keys.for_each(|key| twice |= !seen.insert(key));
            Ok(())
        })?;
        Ok(twice)
    }
}

impl Holder for Lead {
    const KIND: CatalogueKind = CatalogueKind::Lead;

    fn custom(&self) -> &CustomValues {
        &self.fields.custom
    }

    fn custom_mut(&mut self) -> &mut CustomValues {
        &mut self.fields.custom
    }

    fn is_frozen(&self) -> bool {
        self.conversion.is_some()
    }

    fn is_live(&self) -> bool {
        self.trashed.is_none()
    }

    fn each(txn: &mut dyn Txn, wanted: Wanted<'_>, work: Round<'_, Self>) -> Result<()> {
        let field = Field::Custom(wanted.key.clone());
        let filter = match wanted.choices {
            None => Resolved::Not(Box::new(Resolved::Empty(field))),
            Some(codes) => Resolved::Equals(field, codes.iter().map(|code| (*code).into()).collect()),
        };
        each_lead(txn, &filter, Place::Everywhere, work)
    }

    fn write(ctx: &Context<'_>, txn: &mut dyn Txn, changed: Vec<(Self, Self)>) -> Result<Vec<NewEntry>> {
        let (mut changes, mut entries) = (Vec::new(), Vec::new());
        for (before, mut after) in changed {
            entries.push(touch(ctx, &before, &mut after, Action::Updated));
            changes.push(LeadChange { before, after });
        }
        update_all(txn, &changes)?;
        Ok(entries)
    }

    fn is_shared(txn: &mut dyn Txn, key: &CustomKey) -> Result<bool> {
        let field = Field::Custom(key.clone());
        let any = Resolved::Not(Box::new(Resolved::Empty(field.clone())));
        Ok(txn.tallies().count_by(&any, &field)?.into_iter().any(|(_, count)| count > 1))
    }
}

impl Holder for Account {
    const KIND: CatalogueKind = CatalogueKind::Account;

    fn custom(&self) -> &CustomValues {
        &self.fields.custom
    }

    fn custom_mut(&mut self) -> &mut CustomValues {
        &mut self.fields.custom
    }

    fn is_live(&self) -> bool {
        self.archived.is_none()
    }

    fn each(txn: &mut dyn Txn, wanted: Wanted<'_>, work: Round<'_, Self>) -> Result<()> {
        let ids = found(&txn.accounts().blocks(&wanted.keys(), usize::MAX)?, AccountId::as_uuid);
        in_rounds(txn, &ids, work, |txn, ids| {
            txn.accounts().get(&ids.iter().copied().map(AccountId::from_uuid).collect::<Vec<_>>())
        })
    }

    fn write(ctx: &Context<'_>, txn: &mut dyn Txn, changed: Vec<(Self, Self)>) -> Result<Vec<NewEntry>> {
        let (mut all, mut entries) = (Vec::new(), Vec::new());
        for (before, after) in changed {
            let changes = account_changes(&before.fields, &after.fields);
            entries.push(NewEntry::new(after.id, Action::Updated, ctx.now()).with_changes(changes));
            all.push(Self { revision: before.revision.next(), updated_at: ctx.now(), ..after });
        }
        txn.accounts().update(&all)?;
        Ok(entries)
    }
}

impl Holder for Contact {
    const KIND: CatalogueKind = CatalogueKind::Contact;

    fn custom(&self) -> &CustomValues {
        &self.fields.custom
    }

    fn custom_mut(&mut self) -> &mut CustomValues {
        &mut self.fields.custom
    }

    fn each(txn: &mut dyn Txn, wanted: Wanted<'_>, work: Round<'_, Self>) -> Result<()> {
        let ids = found(&txn.contacts().blocks(&wanted.keys(), usize::MAX)?, ContactId::as_uuid);
        in_rounds(txn, &ids, work, |txn, ids| {
            txn.contacts().get(&ids.iter().copied().map(ContactId::from_uuid).collect::<Vec<_>>())
        })
    }

    fn write(ctx: &Context<'_>, txn: &mut dyn Txn, changed: Vec<(Self, Self)>) -> Result<Vec<NewEntry>> {
        let (mut all, mut entries) = (Vec::new(), Vec::new());
        for (before, after) in changed {
            let changes = contact_changes(&before.fields, &after.fields);
            entries.push(NewEntry::new(after.id, Action::Updated, ctx.now()).with_changes(changes));
            all.push(Self { revision: before.revision.next(), updated_at: ctx.now(), ..after });
        }
        txn.contacts().update(&all)?;
        Ok(entries)
    }
}

impl Holder for Opportunity {
    const KIND: CatalogueKind = CatalogueKind::Opportunity;

    fn custom(&self) -> &CustomValues {
        &self.fields.custom
    }

    fn custom_mut(&mut self) -> &mut CustomValues {
        &mut self.fields.custom
    }

    fn each(txn: &mut dyn Txn, wanted: Wanted<'_>, work: Round<'_, Self>) -> Result<()> {
        let ids = found(&txn.opportunities().blocks(&wanted.keys(), usize::MAX)?, OpportunityId::as_uuid);
        in_rounds(txn, &ids, work, |txn, ids| {
            txn.opportunities().get(&ids.iter().copied().map(OpportunityId::from_uuid).collect::<Vec<_>>())
        })
    }

    fn write(ctx: &Context<'_>, txn: &mut dyn Txn, changed: Vec<(Self, Self)>) -> Result<Vec<NewEntry>> {
        let mut entries = Vec::new();
        for (before, after) in changed {
            entries.extend(children::lapse(ctx, txn, &before, after)?);
        }
        Ok(entries)
    }
}

/// The records of these blocks, each once, by id.
fn found<I: Copy>(blocks: &[Block<I>], id: impl Fn(I) -> Uuid) -> Vec<Uuid> {
    let all: BTreeSet<Uuid> = blocks.iter().flat_map(|block| &block.ids).map(|found| id(*found)).collect();
    all.into_iter().collect()
}

fn in_rounds<H: Holder>(
    txn: &mut dyn Txn,
    ids: &[Uuid],
    work: Round<'_, H>,
    get: impl Fn(&mut dyn Txn, &[Uuid]) -> Result<Vec<H>>,
) -> Result<()> {
    for ids in ids.chunks(ROUND) {
        let records = get(txn, ids)?;
        work(txn, records)?;
    }
    Ok(())
}
