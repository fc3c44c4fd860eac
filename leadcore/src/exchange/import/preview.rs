//! How a file would be read, from its head alone.

use std::io::{Read, Seek};

use super::ImportOptions;
use super::format::FileFormat;
use super::opened::Opened;
use super::source::{Seeing, format_of, propose, takes};
use crate::context::Context;
use crate::desk;
use crate::error::Result;
use crate::exchange::{Mapping, Proposal, ReadOptions};
use crate::policy::Permission;
use crate::store::{Store, StoreExt};

/// How a file would be read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Preview {
    /// Which column would be which field: a proposal to be changed and handed to the import.
    pub mapping: Mapping,
    /// How sure each of its columns is, and why; what would be read how; and what a person should know before, such as dates
    /// that can be read in two ways.
    pub proposal: Proposal,
    /// How the file is read.
    pub format: FileFormat,
}

/// Says how a file would be read and which column would be which field, from its first 1,000 rows and how such a file was
/// imported before: for a form in which a person corrects both before the import. Fields that the actor may not see are not proposed.
///
/// ```
/// use leadcore::exchange::{ReadOptions, import};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let file = std::io::Cursor::new("Firma;E-Mail\nNordlys AS;post@nordlys.example\n");
/// let preview = import::preview(&ctx, &store, file, &ReadOptions::new())?;
/// assert_eq!((preview.format.delimiter, preview.mapping.unmapped().count()), (';', 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// `Denied` without [`Permission::Import`]; `Invalid` for a file that is no table; a failure of the store or the file.
pub fn preview<R: Read + Seek>(
    ctx: &Context<'_>,
    store: &dyn Store,
    input: R,
    read: &ReadOptions,
) -> Result<Preview> {
    preview_with(ctx, store, input, &ImportOptions::new().read(read.clone()))
}

/// As [`preview`], for an import with these options: the system whose ids the file holds, and what leads are recognised by,
/// decide what some columns are. A mapping among them is not asked: this says what is proposed without one.
///
/// # Errors
/// As [`preview`]; `Invalid` for options that cannot work.
pub fn preview_with<R: Read + Seek>(
    ctx: &Context<'_>,
    store: &dyn Store,
    mut input: R,
    options: &ImportOptions,
) -> Result<Preview> {
    options.check()?;
    let (catalogue, numbering) = store.read(ctx.tenant(), |txn| {
        desk::require(ctx, txn, Permission::Import)?;
        Ok((desk::settings::load_catalogue(txn)?.1, desk::settings::load_numbering(txn)?.1))
    })?;
    let mut opened = Opened::head(&mut input, &catalogue, options)?;
    let sample = opened.sample()?;
    let seeing = Seeing {
        catalogue: &catalogue,
        numbering: &numbering,
        keys: &opened.options.match_by,
        one_system: opened.options.names_system(),
        then: opened.mapping_then(&catalogue),
    };
    let proposal = propose(ctx, store, &sample, seeing)?.without(|field| !takes(options, field));
    Ok(Preview { mapping: proposal.mapping(), proposal, format: format_of(&opened.table, &opened.read) })
}
