//! Numbers that were given: the last ones of each series, and the record behind a number.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{
    Account, Estimate, GivenNumber, LAST_NUMBER, Lead, LeadNumber, NumberSeries, Opportunity, Serial, Series,
    SeriesFields, Subject,
};
use crate::error::{Error, ErrorKind, Result, ViolationCode};
use crate::id::{AccountId, EstimateId, LeadId, OpportunityId};
use crate::policy::Permission;
use crate::query::MAX_PAGE;
use crate::store::{GivenQuery, Txn, WhichNumbers};
use crate::time::Timestamp;

use super::super::access::require;
use super::super::{accounts, estimates, leads, opportunities};
use super::{NextNumber, next_of, of_kind, year};

/// A series as people choose among them: what comes next, and what was given last (S4.12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeriesState {
    /// The series.
    pub series: NumberSeries,
    /// The number that would come next, not reserved; none in a series that is used up or archived.
    pub next: Option<NextNumber>,
    /// How many numbers it has left (of this year, where it begins anew in each).
    pub left: u64,
    /// The last numbers of it, the latest first.
    pub last: Vec<LastNumber>,
}

/// A number that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LastNumber {
    /// The number.
    pub number: u64,
    /// The number as people read it.
    pub text: String,
    /// The year, in a series that begins anew in each.
    pub year: Option<u16>,
    /// The record that has it; none where the actor may not see it.
    pub record: Option<Subject>,
    /// What that is called, if the actor may see it.
    pub name: Option<String>,
    /// When it was created.
    pub at: Timestamp,
}

/// The series of a kind with the number that comes next in each, and the last `last` (at most 1,000) that it gave, with the
/// records that have them: what a person looks at before choosing one.
///
/// # Errors
/// `Denied` for an actor who may not see leads; `Invalid` for more than 1,000.
pub fn overview(ctx: &Context<'_>, txn: &mut dyn Txn, kind: Series, last: usize) -> Result<Vec<SeriesState>> {
    require(ctx, txn, Permission::View)?;
    if last > MAX_PAGE {
        let message = "a series shows at most 1,000 of its last numbers";
        return Err(Error::invalid_field("last", ViolationCode::OutOfRange, message));
    }
    let all = of_kind(txn, kind)?;
    all.into_iter().map(|series| state(ctx, txn, series, last)).collect()
}

fn state(ctx: &Context<'_>, txn: &mut dyn Txn, series: NumberSeries, last: usize) -> Result<SeriesState> {
    let coming = txn.numbers().peek(series.counter(year(ctx)))?;
    let left = if series.archived { 0 } else { series.fields.last.saturating_add(1).saturating_sub(coming) };
    let next = if left == 0 { None } else { Some(next_of(ctx, txn, &series)?) };
    let (low, high) = match series.kind {
        Series::Lead => (series.fields.first, series.fields.last),
        _ => (1, LAST_NUMBER),
    };
    // The standard series of leads has the leads from before its range was another.
    let low = if series.kind == Series::Lead && series.is_standard() { low.min(1) } else { low };
    let which = WhichNumbers::Of { series: series.id, first: low, last: high };
    let found = txn.numbers().given(&GivenQuery { kind: series.kind, which, limit: last })?;
    let others = of_kind(txn, series.kind)?;
    let mut given = Vec::with_capacity(found.len());
    for one in found {
        let of_another = |other: &NumberSeries| {
            other.id != series.id && (other.fields.first..=other.fields.last).contains(&one.number)
        };
        if series.kind == Series::Lead && others.iter().any(of_another) {
            continue;
        }
        given.push(shown(ctx, txn, &series, one)?);
    }
    Ok(SeriesState { series, next, left, last: given })
}

fn shown(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    series: &NumberSeries,
    given: GivenNumber,
) -> Result<LastNumber> {
    let text = match given.text {
        Some(text) => text,
        None => text_of(ctx, txn, series, given.number)?,
    };
    let name = match series.kind {
        Series::Lead => leads::get(ctx, txn, LeadId::from_uuid(given.subject.id))
            .map(|lead| lead.fields.display_name().map(str::to_owned)),
        Series::Account => {
            let account = accounts::get(ctx, txn, AccountId::from_uuid(given.subject.id));
            account.map(|account| Some(account.fields.name).filter(|name| !name.is_empty()))
        }
        Series::Estimate => {
            let estimate = estimates::get(ctx, txn, EstimateId::from_uuid(given.subject.id));
            estimate.map(|estimate| estimate.fields.title)
        }
        Series::Opportunity => {
            let found = opportunities::get(ctx, txn, OpportunityId::from_uuid(given.subject.id));
            found.map(|one| Some(one.fields.name))
        }
    };
    let (record, name) = match name {
        Ok(name) => (Some(given.subject), name),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Denied) => (None, None),
        Err(error) => return Err(error),
    };
    Ok(LastNumber { number: given.number, text, year: given.year, record, name, at: given.at })
}

/// A record with a number.
pub trait Numbered {
    /// What it is.
    const KIND: Series;

    /// Its number.
    fn number(&self) -> u64;

    /// The series that it is of, where it is not the standard one.
    fn serial(&self) -> Option<&Serial>;
}

impl Numbered for Lead {
    const KIND: Series = Series::Lead;

    fn number(&self) -> u64 {
        self.number
    }

    fn serial(&self) -> Option<&Serial> {
        None
    }
}

impl Numbered for Opportunity {
    const KIND: Series = Series::Opportunity;

    fn number(&self) -> u64 {
        self.number
    }

    fn serial(&self) -> Option<&Serial> {
        self.serial.as_ref()
    }
}

impl Numbered for Account {
    const KIND: Series = Series::Account;

    fn number(&self) -> u64 {
        self.number
    }

    fn serial(&self) -> Option<&Serial> {
        self.serial.as_ref()
    }
}

impl Numbered for Estimate {
    const KIND: Series = Series::Estimate;

    fn number(&self) -> u64 {
        self.number
    }

    fn serial(&self) -> Option<&Serial> {
        self.serial.as_ref()
    }
}

/// The number of a record as people read it: as it was written when it was given, or in the standard series, as that is
/// written now.
///
/// # Errors
/// `Denied` for an actor who may not see leads.
pub fn written<R: Numbered>(ctx: &Context<'_>, txn: &mut dyn Txn, record: &R) -> Result<String> {
    require(ctx, txn, Permission::View)?;
    match record.serial() {
        Some(serial) => Ok(serial.text.clone()),
        None => Ok(writing_of::<R>(ctx, txn)?.write(record)),
    }
}

/// How numbers of one kind of record are written now: what [`written`] says of one, for many.
#[derive(Debug, Clone)]
pub struct Writing<R> {
    standard: SeriesFields,
    year: u16,
    of: PhantomData<fn(&R)>,
}

impl<R: Numbered> Writing<R> {
    /// The number of a record as people read it.
    #[must_use]
    pub fn write(&self, record: &R) -> String {
        match record.serial() {
            Some(serial) => serial.text.clone(),
            None => self.standard.write(self.year, record.number()),
        }
    }
}

/// How the numbers of these records are written now.
///
/// # Errors
/// `Denied` for an actor who may not see leads.
pub fn writing<R: Numbered>(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Writing<R>> {
    require(ctx, txn, Permission::View)?;
    writing_of(ctx, txn)
}

fn writing_of<R: Numbered>(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Writing<R>> {
    let standard = standard(txn, R::KIND)?.fields;
    Ok(Writing { standard, year: year(ctx), of: PhantomData })
}

pub(in crate::desk) fn standard(txn: &mut dyn Txn, kind: Series) -> Result<NumberSeries> {
    Ok(standard_of(&of_kind(txn, kind)?, kind))
}

/// [`standard`] among series that were read before.
pub(in crate::desk) fn standard_of(all: &[NumberSeries], kind: Series) -> NumberSeries {
    let found = all.iter().find(|series| series.kind == kind && series.is_standard());
    found.cloned().unwrap_or_else(|| NumberSeries::standard(kind))
}

/// A number of a series as it would be written now. Leads are all written as those of the standard series.
pub(super) fn text_of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    series: &NumberSeries,
    number: u64,
) -> Result<String> {
    let year = year(ctx);
    Ok(match series.kind {
        Series::Lead => standard(txn, Series::Lead)?.fields.write(year, number),
        _ => series.fields.write(year, number),
    })
}

/// The record with this number, in whichever series: written as it was given, or as the standard series writes it, with or
/// without zeros in front; or the number alone, where one record has it, or one of the standard series.
pub(in crate::desk) fn find(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    kind: Series,
    number: LeadNumber<'_>,
    what: &str,
) -> Result<Subject> {
    let missing = || Error::not_found(what);
    let standard = standard(txn, kind)?.fields.numbering(year(ctx));
    let (wanted, text) = match number {
        LeadNumber::Number(number) => (number, None),
        LeadNumber::Text(text) => {
            let number = crate::domain::written_number(text.trim()).ok_or_else(missing)?;
            (number, Some(text.trim().to_owned()))
        }
    };
    let query = GivenQuery { kind, which: WhichNumbers::Number(wanted), limit: MAX_PAGE };
    let found = txn.numbers().given(&query)?;
    let written = text.as_deref().and_then(|text| found.iter().find(|given| given.is_written(text)));
    if let Some(given) = written {
        return Ok(given.subject);
    }
    let may_be_standard = text.as_deref().is_none_or(|text| standard.parse(text) == Some(wanted));
    if let Some(given) = found.iter().find(|given| may_be_standard && given.text.is_none()) {
        return Ok(given.subject);
    }
    let is_bare = text.as_deref().is_none_or(|text| text.bytes().all(|digit| digit.is_ascii_digit()));
    match found.as_slice() {
        _ if !is_bare => Err(missing()),
        [] => Err(missing()),
        [one] => Ok(one.subject),
        _ => {
            let message = "several series have this number: write it with its prefix";
            Err(Error::invalid_field("number", ViolationCode::Duplicate, message))
        }
    }
}
