//! The tenant's settings: which fields are required, disabled, relabelled and in which order, and which it added.

mod change;

use crate::context::Context;
use crate::domain::{Action, Catalogue, FieldChange, NewEntry, OperationKind, Subject, SubjectKind};
use crate::error::{Error, ErrorKind, Result};
use crate::id::Revision;
use crate::policy::Permission;
use crate::store::{SettingName, Txn};

use super::access::require;
use super::operation::record;

pub use change::{FieldMapping, change_field, remove_field};

/// The field catalogue and the revision to change it with; none when the tenant never changed it.
///
/// # Errors
/// `Denied` for an actor who may not see leads; `Corrupt` when the stored document cannot be read.
pub fn catalogue(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<(Option<Revision>, Catalogue)> {
    require(ctx, txn, Permission::View)?;
    load_catalogue(txn)
}

pub(crate) fn load_catalogue(txn: &mut dyn Txn) -> Result<(Option<Revision>, Catalogue)> {
    match txn.settings().load(SettingName::Catalogue)? {
        None => Ok((None, Catalogue::standard())),
        Some((revision, json)) => {
            let catalogue = serde_json::from_str(&json).map_err(|error| {
                Error::new(ErrorKind::Corrupt, "the stored field catalogue cannot be read").with_source(error)
            })?;
            Ok((Some(revision), catalogue))
        }
    }
}

/// Writes the field catalogue. Leads that are there stay as they are; the rules hold from their next write on.
///
/// What leads have values of cannot go like this: see [`change_field`] and [`remove_field`].
///
/// # Errors
/// `Denied`; `Invalid` with every rule that the settings break, also when a field shall be unique whose values are not;
/// `Conflict` when the catalogue changed since it was read, or with [`InUse`](crate::error::Conflict::InUse) when a custom
/// field is taken away, or its type or one of its choices, that leads have: the message names the field.
pub fn set_catalogue(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    catalogue: &Catalogue,
) -> Result<Revision> {
    require(ctx, txn, Permission::Configure)?;
    catalogue.validate()?;
    let (_, known) = load_catalogue(txn)?;
    change::check_values(txn, &known, catalogue)?;
    let (revision, entry) = save(ctx, txn, expected, catalogue)?;
    record(ctx, txn, OperationKind::Configure, &[entry])?;
    Ok(revision)
}

/// Writes the document and says what the journal has to keep.
fn save(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    catalogue: &Catalogue,
) -> Result<(Revision, NewEntry)> {
    let json = to_json(catalogue)?;
    let before = txn.settings().load(SettingName::Catalogue)?.map(|(_, json)| json);
    let revision = txn.settings().save(SettingName::Catalogue, expected, &json)?;
    let subject = Subject::new(SubjectKind::Settings, uuid::Uuid::nil());
    let entry = NewEntry::new(subject, Action::Updated, ctx.now()).with_changes(vec![FieldChange::new(
        SettingName::Catalogue.code(),
        before,
        json,
    )]);
    Ok((revision, entry))
}

fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::Internal, "a value could not be written as JSON").with_source(error)
    })
}
