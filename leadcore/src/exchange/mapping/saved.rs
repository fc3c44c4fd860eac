//! Mappings that are kept: by name, and by the headers that they were last used for (X.32).
//!
//! What is saved by name is a settings document of the tenant, written with its revision. The last use is told by the
//! journal: an [import](super::super::import::run) with a mapping of its own notes it for the set of headers, so that the
//! next file with these headers, in whatever order, is read in the same way, unless a mapping was saved for them.
//!
//! ```
//! use leadcore::exchange::{Mapping, mappings};
//! use leadcore::prelude::*;
//! let store = MemoryStore::new();
//! let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
//! let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
//! let headers = ["Kunde", "Skostørrelse"].map(String::from);
//! let mapping = Mapping::default().with("Kunde", Some(Field::Company));
//! store.write(ctx.tenant(), |txn| mappings::save(&ctx, txn, None, "Fair", &headers, &mapping))?;
//! let (_, saved) = store.read(ctx.tenant(), |txn| mappings::list(&ctx, txn))?;
//! assert_eq!((saved[0].name.as_str(), &saved[0].mapping), ("Fair", &mapping));
//! // A file with these headers is mapped so from now on.
//! let file = std::io::Cursor::new("Skostørrelse,Kunde\n43,Nordlys AS\n");
//! let preview = leadcore::exchange::import::preview(&ctx, &store, file, &Default::default())?;
//! assert_eq!(preview.mapping.columns[1].field, Some(Field::Company));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Evidence, Mapping};
use crate::context::Context;
use crate::desk::{self, settings};
use crate::domain::{
    Action, Field, FieldChange, FieldValue, NewEntry, OperationKind, Subject, SubjectKind, Topics,
};
use crate::error::{Error, ErrorKind, Result, ViolationCode};
use crate::exchange::import::MatchBy;
use crate::exchange::{sha256_hex, unescape_formula};
use crate::id::Revision;
use crate::policy::Permission;
use crate::store::{SettingName, Txn};
use crate::value::{clean_text, fold};

/// So many mappings are saved by name at most.
const MOST: usize = 500;
/// The longest name, in bytes.
const MAX_NAME: usize = 200;
/// What the journal calls a last use.
const LAST_USE: &str = "import_mapping";

/// A mapping that was saved by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedMapping {
    /// Its name, unique without case and accents.
    pub name: String,
    /// The [fingerprint] of the headers that it is for.
    pub fingerprint: String,
    /// The mapping.
    pub mapping: Mapping,
}

/// The settings document: the last saved last.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Document {
    mappings: Vec<SavedMapping>,
}

/// What a set of headers is known by, as 32 hex digits: their order, case and accents do not matter, and neither do the columns
/// with the reasons in a file of rejected rows, so that a corrected one is read like the file that it came from.
///
/// # Errors
/// Never in practice.
pub fn fingerprint(headers: &[String]) -> Result<String> {
    let keys = headers.iter().map(|header| fold(unescape_formula(header)).trim().to_owned());
    let mut keys: Vec<String> = keys
        .filter(|key| !matches!(key.as_str(), "reject_field" | "reject_reason" | "reject_reading"))
        .collect();
    keys.sort_unstable();
    let mut digits = sha256_hex(keys.join("\u{1f}").as_bytes()).map_err(|error| {
        Error::new(ErrorKind::Internal, "text in memory could not be read").with_source(error)
    })?;
    digits.truncate(32);
    Ok(digits)
}

/// Every saved mapping, by name, and the revision to change them with; without the columns of fields that the actor may not
/// see.
///
/// # Errors
/// `Denied` without [`Permission::Import`]; `Corrupt` when the stored document cannot be read.
pub fn list(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<(Option<Revision>, Vec<SavedMapping>)> {
    desk::require(ctx, txn, Permission::Import)?;
    let (revision, Document { mut mappings }) = settings::document(txn, SettingName::ImportMappings)?;
    for saved in &mut mappings {
        saved.mapping = seen(ctx, std::mem::take(&mut saved.mapping));
    }
    mappings.sort_by_cached_key(|saved| fold(&saved.name));
    Ok((revision, mappings))
}

/// Saves a mapping under a name, for files with these headers; one of the same name is replaced.
///
/// # Errors
/// `Denied` without [`Permission::Import`], or for fields that the actor may not see; `Invalid` for a bad name, for a mapping
/// that does not fit the headers and fields, and when there are 500 already; `Conflict` when the mappings changed since they
/// were read.
pub fn save(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    name: &str,
    headers: &[String],
    mapping: &Mapping,
) -> Result<Revision> {
    desk::require(ctx, txn, Permission::Import)?;
    let name = clean_text(name, MAX_NAME).map_err(|error| Error::from(error.at("name")))?;
    if name.trim().is_empty() {
        return Err(Error::invalid_field("name", ViolationCode::Required, "a name must not be empty"));
    }
    let name = name.trim().to_owned();
    let (_, catalogue) = settings::load_catalogue(txn)?;
    // What an import recognises leads by is said with it.
    mapping.locate(headers, &catalogue, &[MatchBy::Id, MatchBy::Number])?;
    desk::check_fields(ctx, mapping.fields())?;
    let (_, mut document) = settings::document::<Document>(txn, SettingName::ImportMappings)?;
    document.mappings.retain(|saved| fold(&saved.name) != fold(&name));
    if document.mappings.len() >= MOST {
        let message = "there are 500 saved mappings: remove one";
        return Err(Error::invalid_field("name", ViolationCode::OutOfRange, message));
    }
    let fingerprint = fingerprint(headers)?;
    document.mappings.push(SavedMapping { name, fingerprint, mapping: mapping.placed(headers) });
    settings::record_saved(ctx, txn, SettingName::ImportMappings, expected, &document)
}

/// Removes the mapping of this name.
///
/// # Errors
/// `Denied` without [`Permission::Import`]; `NotFound`; `Conflict` when the mappings changed since they were read.
pub fn remove(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    name: &str,
) -> Result<Revision> {
    desk::require(ctx, txn, Permission::Import)?;
    let (_, mut document) = settings::document::<Document>(txn, SettingName::ImportMappings)?;
    let before = document.mappings.len();
    document.mappings.retain(|saved| fold(&saved.name) != fold(name.trim()));
    if document.mappings.len() == before {
        return Err(Error::not_found("mapping"));
    }
    settings::record_saved(ctx, txn, SettingName::ImportMappings, expected, &document)
}

/// The mapping that was last saved for these headers, else how a file with them was last imported: what somebody gave a name
/// holds until it is saved anew or removed.
///
/// # Errors
/// `Denied` without [`Permission::Import`]; `Corrupt` when what is stored cannot be read.
pub fn known(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    headers: &[String],
) -> Result<Option<(Evidence, Mapping)>> {
    desk::require(ctx, txn, Permission::Import)?;
    let fingerprint = fingerprint(headers)?;
    let (_, document) = settings::document::<Document>(txn, SettingName::ImportMappings)?;
    let saved = document.mappings.into_iter().rev().find(|saved| saved.fingerprint == fingerprint);
    if let Some(saved) = saved {
        return Ok(Some((Evidence::Saved(saved.name), seen(ctx, saved.mapping))));
    }
    let last = last_use(txn, &fingerprint)?;
    Ok(last.map(|mapping| (Evidence::LastUse, seen(ctx, mapping.placed(headers)))))
}

/// The mapping that was saved for most of these columns: the file has all columns that it fills fields from, and they are half of
/// the file or more. Of two that fit as well the one that was saved last.
pub(in crate::exchange) fn for_part(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    headers: &[String],
) -> Result<Option<(Evidence, Mapping)>> {
    let key = |header: &str| fold(unescape_formula(header)).trim().to_owned();
    let mut own = std::collections::BTreeMap::<String, usize>::new();
    for header in headers {
        *own.entry(key(header)).or_default() += 1;
    }
    let fits = |saved: &SavedMapping| {
        let mut left = own.clone();
        let mut known = 0_usize;
        for column in &saved.mapping.columns {
            match left.get_mut(&key(&column.header)).filter(|left| **left > 0) {
                Some(left) => {
                    *left -= 1;
                    known += 1;
                }
                None if column.field.is_some() => return None,
                None => {}
            }
        }
        let fills = saved.mapping.columns.iter().any(|column| column.field.is_some());
        (fills && known * 2 >= headers.len()).then_some(known)
    };
    let (_, document) = settings::document::<Document>(txn, SettingName::ImportMappings)?;
    let found = document.mappings.into_iter().filter_map(|saved| Some((fits(&saved)?, saved)));
    let best = found.max_by_key(|(known, _)| *known);
    Ok(best.map(|(_, saved)| (Evidence::Saved(saved.name), seen(ctx, saved.mapping))))
}

/// Notes that files with these headers are read so.
pub(in crate::exchange) fn remember(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    headers: &[String],
    mapping: &Mapping,
) -> Result<()> {
    let fingerprint = fingerprint(headers)?;
    let before = last_use(txn, &fingerprint)?;
    if before.as_ref() == Some(mapping) {
        return Ok(());
    }
    let text = |mapping: &Mapping| {
        serde_json::to_string(mapping).map(FieldValue::Text).map_err(|error| {
            Error::new(ErrorKind::Internal, "a mapping could not be written as JSON").with_source(error)
        })
    };
    let before = before.as_ref().map(text).transpose()?.unwrap_or_default();
    let change = FieldChange::new(LAST_USE, before, text(mapping)?);
    let entry = NewEntry::new(subject(&fingerprint)?, Action::Updated, ctx.now()).with_changes(vec![change]);
    let operation = desk::new_operation(ctx, OperationKind::Configure, None);
    txn.journal().begin(&operation)?;
    txn.journal().append(operation.id, &[entry])
}

fn last_use(txn: &mut dyn Txn, fingerprint: &str) -> Result<Option<Mapping>> {
    let found = txn.journal().about(&[subject(fingerprint)?], Topics::NONE, None, 1)?;
    let changes = found.into_iter().flat_map(|entry| entry.changes);
    let last = changes.into_iter().find(|change| change.field == LAST_USE);
    // One that is no longer understood, after fields were removed, is no longer known.
    Ok(last.and_then(|change| serde_json::from_str(change.after.as_text()?).ok()))
}

/// What the journal calls a set of headers.
fn subject(fingerprint: &str) -> Result<Subject> {
    let id = Uuid::try_parse(fingerprint)
        .map_err(|error| Error::new(ErrorKind::Internal, "a digest is no id").with_source(error))?;
    Ok(Subject::new(SubjectKind::Settings, id))
}

fn seen(ctx: &Context<'_>, mapping: Mapping) -> Mapping {
    mapping.without(|field: &Field| ctx.policy().is_hidden(ctx.actor(), field))
}
