//! Records of the host's own on the pages of leads and customers (S3.09): subscriptions, projects, contracts.
//!
//! The host registers its kinds once ([`set_kinds`]) and links its records by their own ids ([`link`], again whenever one
//! changed). They are children like notes and files: shown in a tab of their kind, counted, told by the history, and seen
//! from both sides of a conversion.

use crate::context::Context;
use crate::domain::{
    FieldChange, FieldValue, HostRecord, HostRecordFields, OperationKind, RecordKind, RecordKinds, Subject,
    Tab,
};
use crate::error::{Conflict, Error, Result, Violation, ViolationCode};
use crate::id::{RecordId, Revision};
use crate::policy::Permission;
use crate::query::{ListCursor, Page};
use crate::store::{SettingName, Txn};

use super::access::{Expect, require};
use super::children::{self, Child, stored_child};
use super::listing::Listing;
use super::operation::record;
use super::settings;

impl Child for HostRecord {
    const WHAT: &'static str = "record";

    stored_child!(records by RecordId);

    /// Unless its kind is none any more, or the host linked the same thing again.
    fn can_return(txn: &mut dyn Txn, now: Option<&Self>, child: &Self) -> Result<bool> {
        if now.is_some() {
            return Ok(true);
        }
        let kinds = settings::document::<RecordKinds>(txn, SettingName::RecordKinds)?.1;
        Ok(kinds.get(&child.kind).is_some() && txn.records().find(&child.kind, &[&child.key])?.is_empty())
    }

    fn told(before: Option<&Self>, after: Option<&Self>) -> Vec<FieldChange> {
        let change = |field: &str, read: &dyn Fn(&Self) -> FieldValue| {
            let side = |side: Option<&Self>| side.map_or(FieldValue::Empty, read);
            FieldChange::new(field, side(before), side(after))
        };
        let mut changes = vec![
            change("state", &|record| record.fields.state.as_deref().into()),
            change("url", &|record| record.fields.url.as_deref().into()),
            change("is_open", &|record| record.fields.is_open.into()),
        ];
        changes.retain(|change| change.before != change.after);
        // Which kind it is of is said always, so that the history can name it.
        changes.insert(0, change("kind", &|record| record.kind.as_str().into()));
        changes.insert(0, change("title", &|record| record.fields.title.as_str().into()));
        changes
    }
}

/// The kinds of record that the host registered, and the revision to change them with; none when it never did.
///
/// # Errors
/// `Denied` for an actor who may not see leads; `Corrupt` when the stored document cannot be read.
pub fn kinds(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<(Option<Revision>, RecordKinds)> {
    require(ctx, txn, Permission::View)?;
    settings::document(txn, SettingName::RecordKinds)
}

/// Registers kinds of record: all that there shall be, in the order of their tabs. Names, icons and colours may change at
/// any time; the kind itself is what its records are stored by.
///
/// # Errors
/// `Denied`; `Invalid` with every broken rule; `Conflict` when the kinds changed since they were read, or with
/// [`InUse`](Conflict::InUse) when one is taken away that has records.
pub fn set_kinds(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    kinds: &RecordKinds,
) -> Result<Revision> {
    require(ctx, txn, Permission::Configure)?;
    kinds.validate()?;
    let (_, known) = settings::document::<RecordKinds>(txn, SettingName::RecordKinds)?;
    for gone in known.all().iter().filter(|spec| kinds.get(&spec.kind).is_none()) {
        let by = txn.records().usage(&gone.kind)?;
        if by > 0 {
            return Err(Error::conflicting(
                format!("kind of record `{}`", gone.kind).as_str(),
                Conflict::InUse { by },
            ));
        }
    }
    settings::record_saved(ctx, txn, SettingName::RecordKinds, expected, kinds)
}

/// Links a record of the host's with leads, contacts or accounts, by the host's own id (`key`). One that is linked already
/// is written anew: then it is about these records, with these fields. Without a difference nothing is written.
///
/// ```
/// use leadcore::desk::{leads, records};
/// use leadcore::domain::{HostRecordFields, RecordKind, RecordKindSpec, RecordKinds};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let kind = RecordKind::new("subscription")?;
/// let kinds = RecordKinds::new().with(RecordKindSpec::new(kind.clone(), "Subscription", "Subscriptions"));
/// store.write(ctx.tenant(), |txn| {
///     records::set_kinds(&ctx, txn, None, &kinds)?;
///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let fields = HostRecordFields { is_open: true, ..HostRecordFields::titled("Fibre 500") };
///     let first = records::link(&ctx, txn, &[lead.id.into()], &kind, "sub-42", fields.clone())?;
///     let again = records::link(&ctx, txn, &[lead.id.into()], &kind, "sub-42", fields)?;
///     assert_eq!(again, first);
///     Ok(())
/// })?;
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` for a new link with a converted lead: its account takes it; `Invalid` with every broken
/// rule, also for a kind that is not registered.
pub fn link(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    about: &[Subject],
    kind: &RecordKind,
    key: &str,
    fields: HostRecordFields,
) -> Result<HostRecord> {
    ctx.check_tenant(txn)?;
    let mut broken = fields.violations();
    broken.extend(HostRecord::check_key(key));
    if settings::document::<RecordKinds>(txn, SettingName::RecordKinds)?.1.get(kind).is_none() {
        let message = "no such kind of record is registered";
        broken.push(Violation::new("kind", ViolationCode::Unknown, message));
    }
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    let tab = Tab::Record(kind.clone());
    let Some(before) = txn.records().find(kind, &[key])?.pop() else {
        let about = children::check_about(ctx, txn, about, &tab)?;
        let now = ctx.now();
        let new = HostRecord {
            id: RecordId::from_uuid(ctx.new_uuid()),
            revision: Revision::FIRST,
            about,
            kind: kind.clone(),
            key: key.to_owned(),
            fields,
            created_by: ctx.actor().clone(),
            created_at: now,
            updated_at: now,
        };
        let entries = children::add(ctx, txn, &new)?;
        record(ctx, txn, OperationKind::Create, &entries)?;
        return Ok(new);
    };
    children::check_change(ctx, txn, &before)?;
    // What the actor cannot see is not taken off: it is not in its list because it does not know of it.
    let mut about = match about {
        [] => Vec::new(),
        given => children::given_back(ctx, txn, &before.about, given)?,
    };
    // The same in another order is the same.
    about.sort_by_key(|one| before.about.iter().position(|known| known == one).unwrap_or(usize::MAX));
    let about = children::check_more(ctx, txn, &about, &before.about, &tab)?;
    write(ctx, txn, &before, HostRecord { about, fields, ..before.clone() })
}

/// Writes what the host says of a record.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected; `Invalid` with every broken rule.
pub fn edit(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: RecordId,
    expect: impl Into<Expect>,
    fields: HostRecordFields,
) -> Result<HostRecord> {
    let before = found(ctx, txn, id)?;
    children::check_change(ctx, txn, &before)?;
    expect.into().check("record", before.revision)?;
    let broken = fields.violations();
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    write(ctx, txn, &before, HostRecord { fields, ..before.clone() })
}

fn write(ctx: &Context<'_>, txn: &mut dyn Txn, before: &HostRecord, after: HostRecord) -> Result<HostRecord> {
    let (after, entries) = children::replace(ctx, txn, before, after)?;
    if !entries.is_empty() {
        record(ctx, txn, OperationKind::Edit, &entries)?;
    }
    children::shown_one(ctx, txn, after)
}

/// Takes a record off every page. An undo of the operation brings it back; the host's own record is the host's.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected.
pub fn unlink(ctx: &Context<'_>, txn: &mut dyn Txn, id: RecordId, expect: impl Into<Expect>) -> Result<()> {
    let known = found(ctx, txn, id)?;
    children::check_change(ctx, txn, &known)?;
    expect.into().check("record", known.revision)?;
    let entries = children::take_away(ctx, txn, &known)?;
    record(ctx, txn, OperationKind::Delete, &entries).map(drop)
}

/// The record, if the actor may see what it is about.
///
/// # Errors
/// `NotFound`.
pub fn get(ctx: &Context<'_>, txn: &mut dyn Txn, id: RecordId) -> Result<HostRecord> {
    let record = found(ctx, txn, id)?;
    children::shown_one(ctx, txn, record)
}

/// The record as it is stored, if the actor may see it.
fn found(ctx: &Context<'_>, txn: &mut dyn Txn, id: RecordId) -> Result<HostRecord> {
    children::get(ctx, txn, id.as_uuid())
}

/// The record with this id of the host's.
///
/// # Errors
/// `NotFound`.
pub fn by_key(ctx: &Context<'_>, txn: &mut dyn Txn, kind: &RecordKind, key: &str) -> Result<HostRecord> {
    ctx.check_tenant(txn)?;
    let found = txn.records().find(kind, &[key])?.pop().ok_or_else(|| Error::not_found("record"))?;
    get(ctx, txn, found.id)
}

/// A page of the records of one kind about a lead, contact or account.
///
/// # Errors
/// `NotFound`; `Invalid` for a limit that does not fit.
pub fn of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    subject: impl Into<Subject>,
    kind: &RecordKind,
    listing: &Listing,
) -> Result<Page<HostRecord, ListCursor>> {
    children::page(ctx, txn, subject.into(), vec![Tab::Record(kind.clone())], listing)
}
