//! The tenant's settings: which fields are required, disabled, relabelled and in which order, and which it added; which
//! functions are open in which state; how lead numbers are written.

mod change;
mod holders;

use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::domain::{
    Action, Catalogue, CatalogueKind, FieldChange, LAST_NUMBER, NewEntry, NumberSeries, Numbering,
    OperationKind, RecordKinds, Series, Subject, SubjectKind,
};
use crate::error::{Conflict, Error, ErrorKind, Result, ViolationCode};
use crate::id::Revision;
use crate::policy::{Permission, Scope};
use crate::store::{SettingName, Txn};

use super::access::require;
use super::functions::{self, Functions};
use super::operation::record;
use super::{conversion_mapping, series};

pub use change::{FieldMapping, change_field, change_field_of, remove_field, remove_field_of};

/// The field catalogue of leads and the revision to change it with; none when the tenant never changed it. For other
/// records, see [`catalogue_of`].
///
/// # Errors
/// `Denied` for an actor who may not see leads; `Corrupt` when the stored document cannot be read.
pub fn catalogue(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<(Option<Revision>, Catalogue)> {
    catalogue_of(ctx, txn, CatalogueKind::Lead)
}

/// The field catalogue of these records and the revision to change it with; none when the tenant never changed it.
///
/// ```
/// use leadcore::desk::{accounts, convert, leads, settings};
/// use leadcore::domain::{AccountPatch, CatalogueKind, CustomField, CustomType, CustomValue, Field};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let account = store.write(ctx.tenant(), |txn| {
///     let (revision, mut catalogue) = settings::catalogue_of(&ctx, txn, CatalogueKind::Account)?;
///     catalogue.set_custom_field(CustomField::new("x_fleet".parse()?, "Fleet", CustomType::Integer));
///     settings::set_catalogue(&ctx, txn, revision, &catalogue)?;
///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let made = convert::convert(&ctx, txn, lead.id, &Default::default())?;
///     let patch = AccountPatch::new().set(Field::Custom("x_fleet".parse()?), "40");
///     accounts::edit(&ctx, txn, made.account.unwrap(), desk::Expect::Any, &patch)
/// })?;
/// assert_eq!(account.fields.custom.values().next(), Some(&CustomValue::Integer(40)));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// As [`catalogue`].
pub fn catalogue_of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    kind: CatalogueKind,
) -> Result<(Option<Revision>, Catalogue)> {
    require(ctx, txn, Permission::View)?;
    load_catalogue_of(txn, kind)
}

/// The field catalogue of leads as the actor sees it, for its forms, schemas, columns and import templates: without the fields that
/// the policy hides from it; for an actor who may neither create nor edit leads, every field is
/// [to be read only](crate::domain::FieldSpec::read_only).
///
/// ```
/// use leadcore::desk::settings;
/// use leadcore::domain::Field;
/// use leadcore::policy::{Role, RoleTable};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let clerk = Role::viewer().hide(Field::Amount)?;
/// let table = RoleTable::new().role("clerk", clerk).user(&"ada".parse()?, &["clerk"], None)?;
/// let ctx = Context::new(&"acme".parse()?, Actor::User("ada".parse()?), &clock, &ids, &table);
/// let catalogue = store.read(ctx.tenant(), |txn| settings::visible_catalogue(&ctx, txn))?;
/// let fields: Vec<_> = catalogue.form().into_iter().flat_map(|section| section.fields).collect();
/// assert!(fields.iter().all(|spec| spec.read_only && spec.field != Field::Amount));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// As [`catalogue`].
pub fn visible_catalogue(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Catalogue> {
    visible_catalogue_of(ctx, txn, CatalogueKind::Lead)
}

/// [`visible_catalogue`] of these records: what the policy hides of leads, it hides here too.
///
/// # Errors
/// As [`catalogue`].
pub fn visible_catalogue_of(ctx: &Context<'_>, txn: &mut dyn Txn, kind: CatalogueKind) -> Result<Catalogue> {
    let (_, catalogue) = catalogue_of(ctx, txn, kind)?;
    let seen = catalogue.without(|field| ctx.policy().is_hidden(ctx.actor(), field));
    let may = |permission| ctx.policy().scope(ctx.actor(), permission) != Scope::None;
    let writes = may(Permission::Create) || may(Permission::Edit);
    Ok(if writes { seen } else { seen.read_only() })
}

pub(crate) fn load_catalogue(txn: &mut dyn Txn) -> Result<(Option<Revision>, Catalogue)> {
    load_catalogue_of(txn, CatalogueKind::Lead)
}

pub(crate) fn load_catalogue_of(
    txn: &mut dyn Txn,
    kind: CatalogueKind,
) -> Result<(Option<Revision>, Catalogue)> {
    match txn.settings().load(kind.into())? {
        None => Ok((None, Catalogue::of(kind))),
        Some((revision, json)) => {
            let catalogue = serde_json::from_str(&json).map_err(|error| {
                Error::new(ErrorKind::Corrupt, "the stored field catalogue cannot be read").with_source(error)
            })?;
            Ok((Some(revision), catalogue))
        }
    }
}

/// Writes the field catalogue of the records that it is [of](Catalogue::kind). Those that are there stay as they are; the
/// rules hold from their next write on.
///
/// What they have values of cannot go like this: see [`change_field_of`] and [`remove_field_of`]. Labels are of one line: a line
/// break or tab in one becomes a blank.
///
/// # Errors
/// `Denied`; `Invalid` with every rule that the settings break, also when a field shall be unique whose values are not;
/// `Conflict` when the catalogue changed since it was read, or with [`InUse`](crate::error::Conflict::InUse) when a custom
/// field is taken away, or its type or one of its choices, that records have, or a field that a rule of the
/// [conversion mapping](super::conversion_mapping) names is taken away, switched off as its target, or made of a type that does not fit:
/// the message names the field.
pub fn set_catalogue(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    catalogue: &Catalogue,
) -> Result<Revision> {
    require(ctx, txn, Permission::Configure)?;
    let catalogue = &catalogue.clone().with_plain_labels();
    catalogue.validate()?;
    let (_, known) = load_catalogue_of(txn, catalogue.kind())?;
    change::check_values(txn, &known, catalogue)?;
    conversion_mapping::check_catalogue(txn, catalogue)?;
    record_saved(ctx, txn, catalogue.kind().into(), expected, catalogue)
}

/// Which functions are open for which leads (S4.15), and the revision to change it with; none when the tenant never
/// changed it.
///
/// # Errors
/// `Denied` for an actor who may not see leads; `Corrupt` when the stored document cannot be read.
pub fn functions(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<(Option<Revision>, Functions)> {
    require(ctx, txn, Permission::View)?;
    functions::load(txn)
}

/// Writes which functions are open for which leads. It holds from the next call on.
///
/// A name that is hardly a letter away from one of the desk's own would close nothing, and is refused, unless a kind of record
/// is called so.
///
/// # Errors
/// `Denied`; `Invalid` with every broken rule; `Conflict` when the settings changed since they were read.
pub fn set_functions(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    functions: &Functions,
) -> Result<Revision> {
    require(ctx, txn, Permission::Configure)?;
    functions.validate(&load_catalogue(txn)?.1)?;
    let kinds = document::<RecordKinds>(txn, SettingName::RecordKinds)?.1;
    functions.check_names(|name| name.parse().is_ok_and(|kind| kinds.get(&kind).is_some()))?;
    record_saved(ctx, txn, SettingName::Functions, expected, functions)
}

/// How lead numbers are written (X.57): by the standard [series] of leads; and the revision to change it with,
/// none when the tenant never changed it.
///
/// # Errors
/// `Denied` for an actor who may not see leads.
pub fn numbering(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<(Option<Revision>, Numbering)> {
    require(ctx, txn, Permission::View)?;
    load_numbering(txn)
}

pub(crate) fn load_numbering(txn: &mut dyn Txn) -> Result<(Option<Revision>, Numbering)> {
    // Lead numbers have no year.
    Ok(numbering_of(&series::standard(txn, Series::Lead)?, 0))
}

fn numbering_of(series: &NumberSeries, year: u16) -> (Option<Revision>, Numbering) {
    let revision = Some(series.revision).filter(|revision| *revision >= Revision::FIRST);
    (revision, series.fields.numbering(year))
}

/// Writes how lead numbers are written. Numbers that were given stay as they are; all are written the new way from then
/// on. A [start](Numbering::start) beyond the number that comes next is where the series goes on. The rest of the standard
/// series is changed by [`series::edit`].
///
/// # Errors
/// `Denied`; `Invalid` with every broken rule, also for a new start that lies behind the number that comes next;
/// `Conflict` when the settings changed since they were read, and as [`series::edit`].
pub fn set_numbering(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    numbering: &Numbering,
) -> Result<Revision> {
    renumber(ctx, txn, Series::Lead, expected, numbering)
}

/// How estimate numbers of the standard [series] are written (S0.27), and the revision to change it with;
/// `E-00042` and none when the tenant never changed it.
///
/// # Errors
/// `Denied` for an actor who may not see leads.
pub fn estimate_numbering(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<(Option<Revision>, Numbering)> {
    require(ctx, txn, Permission::View)?;
    Ok(numbering_of(&series::standard(txn, Series::Estimate)?, series::year(ctx)))
}

/// Writes how estimate numbers are written, as [`set_numbering`] does it for leads.
///
/// # Errors
/// As [`set_numbering`].
pub fn set_estimate_numbering(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    numbering: &Numbering,
) -> Result<Revision> {
    renumber(ctx, txn, Series::Estimate, expected, numbering)
}

/// How opportunity numbers are written, and the revision to change it with; `O-00042` and none when the tenant never changed
/// it.
///
/// # Errors
/// `Denied` for an actor who may not see leads; `Corrupt` when the stored document cannot be read.
pub fn opportunity_numbering(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<(Option<Revision>, Numbering)> {
    require(ctx, txn, Permission::View)?;
    load_opportunity_numbering(ctx, txn)
}

pub(super) fn load_opportunity_numbering(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
) -> Result<(Option<Revision>, Numbering)> {
    Ok(numbering_of(&series::standard(txn, Series::Opportunity)?, series::year(ctx)))
}

/// Writes how opportunity numbers are written, as [`set_numbering`] does it for leads.
///
/// # Errors
/// As [`set_numbering`].
pub fn set_opportunity_numbering(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    numbering: &Numbering,
) -> Result<Revision> {
    require(ctx, txn, Permission::Configure)?;
    renumber(ctx, txn, Series::Opportunity, expected, numbering)
}

fn renumber(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    kind: Series,
    expected: Option<Revision>,
    numbering: &Numbering,
) -> Result<Revision> {
    require(ctx, txn, Permission::Configure)?;
    numbering.validate()?;
    let before = series::standard(txn, kind)?;
    let year = series::year(ctx);
    let (found, known) = numbering_of(&before, year);
    let coming = txn.numbers().peek(before.counter(year))?;
    if numbering.start != known.start && numbering.start < coming {
        let message = "numbers below the next one may be in use";
        return Err(Error::invalid_field("start", ViolationCode::OutOfRange, message));
    }
    if numbering.start > LAST_NUMBER {
        return Err(Error::new(ErrorKind::Unsupported, "numbers stay below 2^63"));
    }
    if found != expected {
        let [expected, found] = [expected, found].map(|revision| revision.unwrap_or(Revision::new(0)));
        return Err(Error::conflicting("setting", Conflict::StaleRevision { expected, found }));
    }
    let mut fields = before.fields.clone();
    if numbering.prefix != known.prefix {
        fields.prefix.clone_from(&numbering.prefix);
    }
    (fields.width, fields.first) = (numbering.width, numbering.start);
    Ok(series::edit(ctx, txn, before.id, before.revision, fields)?.revision)
}

/// A stored document and its revision, or the default.
pub(crate) fn document<T: DeserializeOwned + Default>(
    txn: &mut dyn Txn,
    name: SettingName,
) -> Result<(Option<Revision>, T)> {
    let Some((revision, json)) = txn.settings().load(name)? else { return Ok((None, T::default())) };
    let value = serde_json::from_str(&json).map_err(|error| {
        Error::new(ErrorKind::Corrupt, format!("the stored {} cannot be read", name.code()))
            .with_source(error)
    })?;
    Ok((Some(revision), value))
}

/// Writes a document in an operation of its own.
pub(crate) fn record_saved(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    name: SettingName,
    expected: Option<Revision>,
    value: &impl serde::Serialize,
) -> Result<Revision> {
    let (revision, entry) = save(ctx, txn, name, expected, value)?;
    record(ctx, txn, OperationKind::Configure, &[entry])?;
    Ok(revision)
}

/// Writes the document and says what the journal has to keep.
fn save(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    name: SettingName,
    expected: Option<Revision>,
    value: &impl serde::Serialize,
) -> Result<(Revision, NewEntry)> {
    let json = to_json(value)?;
    let before = txn.settings().load(name)?.map(|(_, json)| json);
    let revision = txn.settings().save(name, expected, &json)?;
    let subject = Subject::new(SubjectKind::Settings, uuid::Uuid::nil());
    let change = FieldChange::new(name.code(), before, json);
    Ok((revision, NewEntry::new(subject, Action::Updated, ctx.now()).with_changes(vec![change])))
}

fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::Internal, "a value could not be written as JSON").with_source(error)
    })
}
