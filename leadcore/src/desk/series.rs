//! Number series (S4.11, S4.12): several for each kind of record, each with its prefix and its range.
//!
//! Every tenant has one of each kind from the start: `1, 2, 3 …`, for estimates `E-00001`. More can be added: an office with
//! a range of its own, invoices that begin anew in each year. A record keeps its number and the series it is of. A number is
//! taken in the transaction that writes its record: a write that fails gives it back, and no two get the same.
//!
//! ```
//! use leadcore::desk::{estimates, leads, series};
//! use leadcore::domain::{EstimateFields, Series, SeriesFields};
//! use leadcore::prelude::*;
//! let store = MemoryStore::new();
//! let (clock, ids) = (ManualClock::new("2026-11-22T12:00:00Z".parse()?), SequentialIds::new(1));
//! let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
//! let offer = store.write(ctx.tenant(), |txn| {
//!     let fields = SeriesFields::named("Offers").prefix("OF-{year}-").width(4).yearly();
//!     let offers = series::add(&ctx, txn, Series::Estimate, fields)?;
//!     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
//!     estimates::create_in(&ctx, txn, &[lead.id.into()], EstimateFields::titled("A roof"), Some(offers.id))
//! })?;
//! assert_eq!(store.read(ctx.tenant(), |txn| series::written(&ctx, txn, &offer))?, "OF-2026-0001");
//! # Ok::<(), leadcore::error::Error>(())
//! ```

mod check;
mod given;

use chrono::Datelike as _;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{
    Action, NewEntry, NumberSeries, OperationKind, Serial, Series, SeriesFields, series_changes,
};
use crate::error::{Error, Result, ViolationCode};
use crate::id::{NumberSeriesId, Revision};
use crate::policy::Permission;
use crate::store::Txn;
use crate::time::Date;

use super::access::{Expect, require};
use super::operation::{name_taken, record};

pub(super) use check::{check, check_gap, check_removal, has_given};
pub use given::{LastNumber, Numbered, SeriesState, Writing, overview, writing, written};
pub(super) use given::{find, standard, standard_of};

/// The series of a kind, also archived ones: the default first, then by name.
///
/// # Errors
/// `Denied` for an actor who may not see leads.
pub fn list(ctx: &Context<'_>, txn: &mut dyn Txn, kind: Series) -> Result<Vec<NumberSeries>> {
    require(ctx, txn, Permission::View)?;
    of_kind(txn, kind)
}

pub(super) fn of_kind(txn: &mut dyn Txn, kind: Series) -> Result<Vec<NumberSeries>> {
    let mut all = txn.numbers().list()?;
    all.retain(|series| series.kind == kind);
    Ok(all)
}

/// One series.
///
/// # Errors
/// `Denied` for an actor who may not see leads; `NotFound`.
pub fn get(ctx: &Context<'_>, txn: &mut dyn Txn, id: NumberSeriesId) -> Result<NumberSeries> {
    require(ctx, txn, Permission::View)?;
    load(txn, id)
}

fn load(txn: &mut dyn Txn, id: NumberSeriesId) -> Result<NumberSeries> {
    let found = txn.numbers().list()?.into_iter().find(|series| series.id == id);
    found.ok_or_else(|| Error::not_found("number series"))
}

/// A number that would be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextNumber {
    /// The series.
    pub series: NumberSeriesId,
    /// The number.
    pub number: u64,
    /// The number as people read it.
    pub text: String,
}

/// The number that would come next in a series, or in the default one of the kind; not a reservation: another call may
/// take it first.
///
/// # Errors
/// `Denied` for an actor who may not see leads; `Invalid` (field `series`) for one that does not exist, is archived, or
/// numbers something else; `Conflict` with [`SeriesExhausted`](crate::error::Conflict::SeriesExhausted).
pub fn preview(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    kind: Series,
    series: Option<NumberSeriesId>,
) -> Result<NextNumber> {
    require(ctx, txn, Permission::View)?;
    let series = choose(txn, kind, series)?;
    next_of(ctx, txn, &series)
}

fn next_of(ctx: &Context<'_>, txn: &mut dyn Txn, series: &NumberSeries) -> Result<NextNumber> {
    let number = txn.numbers().peek(series.counter(year(ctx)))?;
    let number = series.room_for(number, 1)?;
    Ok(NextNumber { series: series.id, number, text: given::text_of(ctx, txn, series, number)? })
}

/// The year whose numbers are given now.
pub(super) fn year(ctx: &Context<'_>) -> u16 {
    let year = Date::in_zone(ctx.now(), ctx.utc_offset()).to_naive().year();
    u16::try_from(year.clamp(1, 9_999)).unwrap_or(1)
}

/// The series that a record is numbered in: the one it names, or the default of its kind.
pub(crate) fn choose(
    txn: &mut dyn Txn,
    kind: Series,
    wanted: Option<NumberSeriesId>,
) -> Result<NumberSeries> {
    choose_of(&of_kind(txn, kind)?, kind, wanted)
}

/// [`choose`] among series that were read before.
pub(super) fn choose_of(
    all: &[NumberSeries],
    kind: Series,
    wanted: Option<NumberSeriesId>,
) -> Result<NumberSeries> {
    let mut own = all.iter().filter(|series| series.kind == kind);
    let found = own.find(|series| wanted.map_or(series.is_default, |id| series.id == id)).cloned();
    let refuse = |code, message| Err(Error::invalid_field("series", code, message));
    match found {
        None => refuse(ViolationCode::Unknown, "there is no such series of numbers for this kind of record"),
        Some(series) if series.archived => {
            refuse(ViolationCode::NotAllowed, "this series of numbers is archived")
        }
        Some(series) => Ok(series),
    }
}

/// Takes the next number of a series, for a record that is written in the same transaction.
pub(super) fn take(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    kind: Series,
    series: Option<NumberSeriesId>,
) -> Result<(u64, Option<Serial>)> {
    let series = choose(txn, kind, series)?;
    take_of(ctx, txn, &series)
}

/// [`take`] of a series that was chosen. One that is used up is refused before anything is written.
pub(super) fn take_of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    series: &NumberSeries,
) -> Result<(u64, Option<Serial>)> {
    let year = year(ctx);
    let number = txn.numbers().take(series.counter(year), 1)?;
    let serial = series.serial(year, number);
    Ok((number, serial))
}

/// Adds a series.
///
/// # Errors
/// `Denied`; `Invalid` with every broken rule; `AlreadyExists` when the kind has a series of this name; `Conflict` with
/// [`NumberTaken`](crate::error::Conflict::NumberTaken) when it could give a number that another series of the kind gives
/// or gave: as it is written, or for leads, which are written alike, at all.
pub fn add(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    kind: Series,
    mut fields: SeriesFields,
) -> Result<NumberSeries> {
    require(ctx, txn, Permission::Configure)?;
    fields.name = fields.name.trim().to_owned();
    let id = NumberSeriesId::from_uuid(ctx.new_uuid());
    let series =
        NumberSeries { id, kind, fields, is_default: false, archived: false, revision: Revision::FIRST };
    check(ctx, txn, None, &series)?;
    txn.numbers().save(&series, None).map_err(|error| name_taken("number_series", error))?;
    let entry = NewEntry::new(id, Action::Created, ctx.now()).with_changes(series_changes(None, &series));
    record(ctx, txn, OperationKind::Configure, &[entry])?;
    Ok(series)
}

/// Changes name, prefix, width, range and rules of a series. Numbers that were given stay as they were written (those of the
/// standard series, and of leads, are read with the prefix of the day). A first number beyond the one that comes next is
/// where it goes on; one below it changes nothing of what comes. A last number below it ends the series.
///
/// # Errors
/// `NotFound`; as [`add`]; `Conflict` when it changed since it was read, or with
/// [`NumberTaken`](crate::error::Conflict::NumberTaken) also when it shall begin anew in each year, or no longer, and gave
/// numbers already, or would leave numbers out and is gapless.
pub fn edit(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: NumberSeriesId,
    expect: impl Into<Expect>,
    mut fields: SeriesFields,
) -> Result<NumberSeries> {
    require(ctx, txn, Permission::Configure)?;
    let before = load(txn, id)?;
    expect.into().check("number series", before.revision)?;
    fields.name = fields.name.trim().to_owned();
    let after = NumberSeries { fields, ..before.clone() };
    check(ctx, txn, Some(&before), &after)?;
    write(ctx, txn, vec![(before, after)])?.pop().ok_or_else(|| Error::not_found("number series"))
}

/// Archives a series, or takes it out of the archive. An archived one gives no numbers; records keep theirs.
///
/// # Errors
/// `NotFound`, `Denied`; `Invalid` for the default series; `Conflict` when it changed since it was read.
pub fn archive(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: NumberSeriesId,
    expect: impl Into<Expect>,
    archived: bool,
) -> Result<NumberSeries> {
    require(ctx, txn, Permission::Configure)?;
    let before = load(txn, id)?;
    expect.into().check("number series", before.revision)?;
    if archived && before.is_default {
        let message = "the default series gives numbers: choose another one first";
        return Err(Error::invalid_field("archived", ViolationCode::NotAllowed, message));
    }
    let after = NumberSeries { archived, ..before.clone() };
    write(ctx, txn, vec![(before, after)])?.pop().ok_or_else(|| Error::not_found("number series"))
}

/// Makes this series the one that numbers what names no series.
///
/// # Errors
/// `NotFound`, `Denied`; `Invalid` for an archived series.
pub fn set_default(ctx: &Context<'_>, txn: &mut dyn Txn, id: NumberSeriesId) -> Result<NumberSeries> {
    require(ctx, txn, Permission::Configure)?;
    let chosen = load(txn, id)?;
    if chosen.archived {
        let message = "an archived series gives no numbers";
        return Err(Error::invalid_field("series", ViolationCode::NotAllowed, message));
    }
    let all = of_kind(txn, chosen.kind)?.into_iter();
    let pairs = all.map(|before| {
        let after = NumberSeries { is_default: before.id == id, ..before.clone() };
        (before, after)
    });
    write(ctx, txn, pairs.collect())?;
    load(txn, id)
}

/// Lets a series go on with this number, which lies beyond the one that comes next (of this year, where it begins anew in
/// each): the ones in between are never given.
///
/// # Errors
/// `NotFound`, `Denied`; `Invalid` (field `next`) for a number below the one that comes next, or outside of the range;
/// `Conflict` for a gapless series that gave numbers already, and when it changed since it was read.
pub fn go_on_with(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: NumberSeriesId,
    expect: impl Into<Expect>,
    next: u64,
) -> Result<NextNumber> {
    require(ctx, txn, Permission::Configure)?;
    let series = load(txn, id)?;
    expect.into().check("number series", series.revision)?;
    let counter = series.counter(year(ctx));
    let coming = txn.numbers().peek(counter)?;
    if !(series.fields.first..=series.fields.last).contains(&next) {
        let message = "this number is outside of the range of the series";
        return Err(Error::invalid_field("next", ViolationCode::OutOfRange, message));
    }
    if next > coming {
        check_gap(ctx, txn, &series)?;
    }
    txn.numbers().skip_to(counter, next)?;
    if next > coming {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let told = crate::domain::FieldChange::new("next", number(coming), number(next));
        let entry = NewEntry::new(id, Action::Updated, ctx.now()).with_changes(vec![told]);
        record(ctx, txn, OperationKind::Configure, &[entry])?;
    }
    next_of(ctx, txn, &series)
}

/// Writes what differs, in one operation, and returns the series as they are then.
fn write(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    pairs: Vec<(NumberSeries, NumberSeries)>,
) -> Result<Vec<NumberSeries>> {
    let (mut done, mut entries) = (Vec::new(), Vec::new());
    for (before, after) in pairs {
        let (after, entry) = save(ctx, txn, &before, after)?;
        entries.extend(entry);
        done.push(after);
    }
    if !entries.is_empty() {
        record(ctx, txn, OperationKind::Configure, &entries)?;
    }
    Ok(done)
}

/// Writes one series and says what the journal has to keep; nothing where nothing differs.
pub(super) fn save(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    before: &NumberSeries,
    mut after: NumberSeries,
) -> Result<(NumberSeries, Option<NewEntry>)> {
    if after == *before {
        return Ok((after, None));
    }
    after.revision = before.revision.next();
    txn.numbers().save(&after, Some(before.revision)).map_err(|error| name_taken("number_series", error))?;
    let changes = series_changes(Some(before), &after);
    let entry = NewEntry::new(after.id, Action::Updated, ctx.now()).with_changes(changes);
    Ok((after, Some(entry)))
}
