//! What writes and reads of custom fields are held to, beyond what a value alone can tell.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::context::Context;
use crate::domain::{
    BlockKey, Catalogue, CatalogueKind, CustomKey, CustomValue, CustomValues, ExternalRef, Field, FieldType,
    FieldValue, Lead, MatchKey, MatchKind, Subject, SubjectKind,
};
use crate::error::{Error, ErrorKind, Result, Violation, ViolationCode};
use crate::id::{AccountId, ContactId, LeadId};
use crate::query::{Asker, Cursor, Filter, Resolved, SearchParts, Sort, SortField};
use crate::store::Txn;

use super::naming;
use super::settings::{load_catalogue, load_numbering};

/// The checked filter, as it is meant: it searches everything, whoever asks.
pub(super) fn resolve(ctx: &Context<'_>, txn: &mut dyn Txn, filter: &Filter) -> Result<Resolved> {
    resolve_in(ctx, txn, filter, SearchParts::ALL)
}

/// The checked filter, searching these parts. The catalogue is read only for filters that look at custom fields, the
/// pipelines for those that ask what rots, the numbering for those that search for a number.
pub(super) fn resolve_in(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    filter: &Filter,
    searched: SearchParts,
) -> Result<Resolved> {
    let filter = &*naming::with_ids(ctx, txn, filter)?;
    let catalogue = if filter.needs_catalogue() { Some(load_catalogue(txn)?.1) } else { None };
    let pipelines = if filter.asks_for_rotting() { txn.pipelines().list()? } else { Vec::new() };
    let numbering = if filter.needs_numbering() { Some(load_numbering(txn)?.1) } else { None };
    filter.resolve(&Asker {
        catalogue: catalogue.as_ref(),
        pipelines: &pipelines,
        numbering: numbering.as_ref(),
        searched,
        ..ctx.asker()
    })
}

/// Refuses to sort by a custom field that there is not, has no order or several values, and a cursor whose key is no value
/// of it.
pub(super) fn check_sort(txn: &mut dyn Txn, sort: &Sort, after: Option<&Cursor>) -> Result<()> {
    let SortField::Custom(key) = &sort.by else { return Ok(()) };
    let (_, catalogue) = load_catalogue(txn)?;
    let field = catalogue.usable(key).map_err(|error| error.at("sort"))?;
    if !field.kind.is_sortable() {
        let message = "leads cannot be sorted by a field of this type";
        return Err(Error::invalid_field("sort", ViolationCode::Operator, message));
    }
    let fits = |key: &FieldValue| {
        if let FieldValue::Decimal(number) = key {
            return matches!(field.kind.field_type(), FieldType::Decimal | FieldType::Amount)
                && CustomValue::is_storable(*number);
        }
        matches!(
            (field.kind.field_type(), key),
            (_, FieldValue::Empty)
                | (FieldType::Text, FieldValue::Text(_))
                | (FieldType::Integer, FieldValue::Integer(_))
                | (FieldType::Bool, FieldValue::Bool(_))
                | (FieldType::Date, FieldValue::Date(_))
                | (FieldType::Time, FieldValue::Time(_))
        )
    };
    if after.is_some_and(|cursor| !fits(&cursor.key)) {
        let message = "this cursor belongs to another sort";
        return Err(Error::invalid_field("after", ViolationCode::Malformed, message));
    }
    Ok(())
}

/// Refuses to count by a custom field with free text or several values.
pub(super) fn check_groupable(txn: &mut dyn Txn, field: &Field) -> Result<()> {
    let Field::Custom(key) = field else { return Ok(()) };
    let (_, catalogue) = load_catalogue(txn)?;
    if catalogue.usable(key).map_err(|error| error.at(key.as_str()))?.kind.is_groupable() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unsupported, "leads cannot be counted by this field"))
}

/// The values of unique fields that leads got in one call before they are written: the store does not know of them yet.
#[derive(Debug, Default)]
pub(super) struct Claimed(BTreeSet<MatchKey>);

impl Claimed {
    /// Gives a lead its values, unless another one has one of them, in the store or by this call.
    ///
    /// # Errors
    /// `Invalid` with what is taken, or a link to a record that there is not.
    pub(super) fn claim(
        &mut self,
        txn: &mut dyn Txn,
        catalogue: &Catalogue,
        before: &Lead,
        after: &Lead,
    ) -> Result<()> {
        check_written(txn, catalogue, &[(after, Some(before))])?;
        // What lies in the trash holds nothing.
        let had =
            if before.trashed.is_some() { Vec::new() } else { catalogue.unique_keys(&before.fields.custom) };
        let new = claims(catalogue, after, Some(before)).into_iter().filter(|key| !had.contains(key));
        for (field, key) in new {
            if !self.0.insert(key) {
                return Err(Error::invalid(vec![already_taken(&field)]));
            }
        }
        Ok(())
    }
}

/// Refuses values of unique fields that another lead has, and links to records that there are not. Each lead comes with
/// what it was.
pub(super) fn check_written(
    txn: &mut dyn Txn,
    catalogue: &Catalogue,
    leads: &[(&Lead, Option<&Lead>)],
) -> Result<()> {
    let mut broken = Vec::new();
    let path = |n: usize, key: &str| if n == 0 { key.to_owned() } else { format!("drafts[{n}].{key}") };
    let mut links: Vec<(usize, &CustomKey, Subject)> = Vec::new();
    for (n, (after, before)) in leads.iter().enumerate() {
        let old = |key: &CustomKey| before.and_then(|before| before.fields.custom.get(key));
        for (key, value) in after.fields.custom.iter().filter(|(key, value)| old(key) != Some(*value)) {
            if let CustomValue::Link(subject) = value {
                links.push((n, key, *subject));
            }
        }
    }
    let missing = missing(txn, links.iter().map(|(_, _, subject)| *subject).collect())?;
    for (n, key, _) in links.iter().filter(|(_, _, subject)| missing.contains(subject)) {
        let violation = no_such_record(key);
        broken.push(Violation { field: path(*n, &violation.field), ..violation });
    }
    let keys = leads.iter().map(|(lead, before)| claims(catalogue, lead, *before)).collect::<Vec<_>>();
    for (n, field) in taken(txn, leads.iter().map(|(lead, _)| lead.id), &keys)? {
        broken.push(Violation { field: path(n, field.key()), ..already_taken(&field) });
    }
    if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
}

fn already_taken(field: &Field) -> Violation {
    taken_by(CatalogueKind::Lead, field)
}

pub(super) fn taken_by(kind: CatalogueKind, field: &Field) -> Violation {
    let message = format!("another {} has this value", kind.code());
    Violation::new(field.key(), ViolationCode::Duplicate, message)
}

/// What the custom values of an account, contact or opportunity break where they are not what they were: by themselves, by
/// links to records that there are not, and by values of unique fields that another one has. `id` is whose they are; none
/// while it has no id.
pub(super) fn broken_values(
    txn: &mut dyn Txn,
    catalogue: &Catalogue,
    id: Option<Uuid>,
    after: &CustomValues,
    before: &CustomValues,
) -> Result<Vec<Violation>> {
    let mut broken = catalogue.check_custom(after, before);
    broken.extend(catalogue.changed_while_disabled(after, before));
    let new = || after.iter().filter(|(key, value)| before.get(*key) != Some(*value));
    let links = new().filter_map(|(key, value)| match value {
        CustomValue::Link(subject) => Some((key, *subject)),
        _ => None,
    });
    let links: Vec<_> = links.collect();
    let missing = missing(txn, links.iter().map(|(_, subject)| *subject).collect())?;
    broken.extend(
        links.iter().filter(|(_, subject)| missing.contains(subject)).map(|(key, _)| no_such_record(key)),
    );
    broken.extend(shared(txn, catalogue, id, after)?.iter().map(|field| taken_by(catalogue.kind(), field)));
    Ok(broken)
}

/// The unique fields of which another account, contact or opportunity has the value. Archived accounts hold none.
pub(super) fn shared(
    txn: &mut dyn Txn,
    catalogue: &Catalogue,
    id: Option<Uuid>,
    values: &CustomValues,
) -> Result<Vec<Field>> {
    let mut shared = Vec::new();
    for (field, key) in catalogue.unique_keys(values) {
        let Some(key) = BlockKey::of_custom(&key) else { continue };
        let others = holders(txn, catalogue.kind(), &key)?;
        if others.into_iter().any(|other| Some(other) != id) {
            shared.push(field);
        }
    }
    Ok(shared)
}

/// Who has a value, of those that are not put away.
fn holders(txn: &mut dyn Txn, kind: CatalogueKind, key: &BlockKey) -> Result<Vec<Uuid>> {
    let keys = std::slice::from_ref(key);
    Ok(match kind {
        CatalogueKind::Lead => Vec::new(),
        CatalogueKind::Account => {
            let found = txn.accounts().blocks(keys, usize::MAX)?;
            let ids: Vec<_> = found.into_iter().flat_map(|block| block.ids).collect();
            let live = txn.accounts().get(&ids)?.into_iter().filter(|account| account.archived.is_none());
            live.map(|account| account.id.as_uuid()).collect()
        }
        CatalogueKind::Contact => {
            let found = txn.contacts().blocks(keys, usize::MAX)?;
            found.iter().flat_map(|block| &block.ids).map(|id| id.as_uuid()).collect()
        }
        CatalogueKind::Opportunity => {
            let found = txn.opportunities().blocks(keys, usize::MAX)?;
            found.iter().flat_map(|block| &block.ids).map(|id| id.as_uuid()).collect()
        }
    })
}

/// What only one lead outside the trash can have: the values of unique fields, and what other systems call the lead that
/// they did not call it before (X.54).
pub(super) fn claims(catalogue: &Catalogue, lead: &Lead, before: Option<&Lead>) -> Vec<(Field, MatchKey)> {
    let before = before.filter(|before| before.trashed.is_none());
    let known = |id| before.is_some_and(|before| before.fields.external_ids.contains(id));
    let ids = lead.fields.external_ids.iter().filter(|id| !known(id));
    let key = |id: &ExternalRef| (Field::ExternalId, MatchKey::new(MatchKind::External, id.to_string()));
    ids.map(key).chain(catalogue.unique_keys(&lead.fields.custom)).collect()
}

/// The places of leads with a unique value that another one has, in the store or before it in the list.
fn taken(
    txn: &mut dyn Txn,
    leads: impl Iterator<Item = LeadId>,
    keys: &[Vec<(Field, MatchKey)>],
) -> Result<Vec<(usize, Field)>> {
    let wanted: Vec<MatchKey> = keys.iter().flatten().map(|(_, key)| key.clone()).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut holders: BTreeMap<MatchKey, LeadId> = txn.leads().find(&wanted)?.into_iter().collect();
    let mut taken = Vec::new();
    for (n, (lead, keys)) in leads.zip(keys).enumerate() {
        for (field, key) in keys {
            let holder = *holders.entry(key.clone()).or_insert(lead);
            if holder != lead {
                taken.push((n, field.clone()));
            }
        }
    }
    Ok(taken)
}

/// Refuses to take a lead out of the trash while another one has the value of a unique field.
pub(super) fn check_restored(txn: &mut dyn Txn, before: &Lead, after: &Lead) -> Result<()> {
    if after.fields.custom.is_empty() && after.fields.external_ids.is_empty() {
        return Ok(());
    }
    let (_, catalogue) = load_catalogue(txn)?;
    check_written(txn, &catalogue, &[(after, Some(before))])
}

/// Those of these records that there are not.
pub(crate) fn missing(txn: &mut dyn Txn, mut subjects: BTreeSet<Subject>) -> Result<BTreeSet<Subject>> {
    let of = |kind: SubjectKind, subjects: &BTreeSet<Subject>| -> Vec<Uuid> {
        subjects.iter().filter(|subject| subject.kind == kind).map(|subject| subject.id).collect()
    };
    if subjects.is_empty() {
        return Ok(subjects);
    }
    let leads: Vec<_> = of(SubjectKind::Lead, &subjects).into_iter().map(LeadId::from_uuid).collect();
    for lead in txn.leads().get(&leads)? {
        subjects.remove(&lead.id.into());
    }
    let contacts: Vec<_> =
        of(SubjectKind::Contact, &subjects).into_iter().map(ContactId::from_uuid).collect();
    for contact in txn.contacts().get(&contacts)? {
        subjects.remove(&contact.id.into());
    }
    let accounts: Vec<_> =
        of(SubjectKind::Account, &subjects).into_iter().map(AccountId::from_uuid).collect();
    for account in txn.accounts().get(&accounts)? {
        subjects.remove(&account.id.into());
    }
    Ok(subjects)
}

pub(crate) fn no_such_record(key: &CustomKey) -> Violation {
    Violation::new(key.as_str(), ViolationCode::Unknown, "there is no record with this id")
}
