//! What stands against a number series: its own rules, and numbers that could be given twice or be missing.

use crate::context::Context;
use crate::domain::{GivenNumber, LAST_NUMBER, NumberSeries, Serial, Series, SeriesFields};
use crate::error::{Conflict, Error, ErrorKind, Result, Violation, ViolationCode};
use crate::store::{GivenQuery, Txn, WhichNumbers};
use crate::value::fold;

use super::super::operation::name_taken;
use super::{of_kind, year};

/// Refuses a series that breaks a rule, or could give a number twice, or leaves one out though it is gapless.
pub(in crate::desk) fn check(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    before: Option<&NumberSeries>,
    after: &NumberSeries,
) -> Result<()> {
    let mut broken = after.fields.violations(after.kind);
    let is_plain = after.fields.prefix.is_empty() && after.fields.width == 0;
    if after.kind == Series::Lead && !after.is_standard() && !is_plain {
        let message = "lead numbers are written alike: prefix and width are those of the standard series";
        broken.push(Violation::new("prefix", ViolationCode::NotAllowed, message));
    }
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    let others = of_kind(txn, after.kind)?.into_iter().filter(|other| other.id != after.id);
    let others: Vec<_> = others.collect();
    let key = fold(&after.fields.name);
    if others.iter().any(|other| fold(&other.fields.name) == key) {
        let taken = Error::new(ErrorKind::AlreadyExists, "a number series with this name exists");
        return Err(name_taken("number_series", taken));
    }
    let same = |before: &SeriesFields| {
        let rules = |fields: &SeriesFields| (fields.prefix.clone(), fields.first, fields.last);
        rules(before) == rules(&after.fields)
    };
    if !before.is_some_and(|before| same(&before.fields)) {
        check_twice(ctx, txn, &others, after)?;
    }
    if let Some(before) = before {
        check_change(ctx, txn, before, after)?;
    }
    Ok(())
}

/// No number of other series, whether they gave it or may give it, may be one of this series.
fn check_twice(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    others: &[NumberSeries],
    after: &NumberSeries,
) -> Result<()> {
    let (kind, fields) = (after.kind, &after.fields);
    for other in others {
        // Leads are told apart by the number alone.
        let apart = fields.last < other.fields.first || other.fields.last < fields.first;
        if (kind == Series::Lead && !apart) || (kind != Series::Lead && fields.collides(&other.fields)) {
            let number = other.fields.write(year(ctx), fields.first.max(other.fields.first));
            return Err(taken(number, other));
        }
    }
    let in_range = |id| WhichNumbers::Of { series: id, first: fields.first, last: fields.last };
    let standard = others.iter().find(|other| other.is_standard());
    // The standard series gave numbers outside of its range, if that was another one.
    let alike = |other: &&NumberSeries| {
        let all = SeriesFields { first: 1, last: LAST_NUMBER, ..other.fields.clone() };
        kind == Series::Lead || fields.collides(&all)
    };
    if let Some(standard) = standard.filter(alike)
        && let Some(given) = first_given(txn, kind, in_range(standard.id))?
    {
        let number = given.text.unwrap_or_else(|| standard.fields.write(year(ctx), given.number));
        return Err(taken(number, standard));
    }
    // Others did so too, or had this prefix once.
    if let Some(given) = first_given(txn, kind, WhichNumbers::Like(Box::new(after.clone())))?
        && let Some(other) = others.iter().find(|other| other.id == given.series)
    {
        return Err(taken(given.text.unwrap_or_default(), other));
    }
    Ok(())
}

fn check_change(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    before: &NumberSeries,
    after: &NumberSeries,
) -> Result<()> {
    if before.fields.yearly != after.fields.yearly
        && let Some(given) = latest(txn, before)?
    {
        return Err(taken(written(ctx, before, &given), before));
    }
    let coming = txn.numbers().peek(before.counter(year(ctx)))?;
    if after.fields.gapless && after.fields.first > coming {
        check_gap(ctx, txn, &NumberSeries { fields: after.fields.clone(), ..before.clone() })?;
    }
    Ok(())
}

/// Refuses to leave numbers out of a gapless series that gave some already.
pub(in crate::desk) fn check_gap(ctx: &Context<'_>, txn: &mut dyn Txn, series: &NumberSeries) -> Result<()> {
    if !series.fields.gapless {
        return Ok(());
    }
    match latest(txn, series)? {
        Some(given) => Err(taken(written(ctx, series, &given), series)),
        None => Ok(()),
    }
}

/// Refuses to remove a record alone whose number would be missing in a gapless series.
pub(in crate::desk) fn check_removal(
    txn: &mut dyn Txn,
    kind: Series,
    number: u64,
    serial: Option<&Serial>,
) -> Result<()> {
    let id = serial.map_or(kind.standard(), |serial| serial.series);
    let found = of_kind(txn, kind)?.into_iter().find(|series| series.id == id && series.fields.gapless);
    let Some(series) = found else { return Ok(()) };
    let number = serial.map_or_else(|| series.fields.write(0, number), |serial| serial.text.clone());
    Err(taken(number, &series))
}

/// Whether a record has a number of the series.
pub(in crate::desk) fn has_given(txn: &mut dyn Txn, series: &NumberSeries) -> Result<bool> {
    Ok(latest(txn, series)?.is_some())
}

/// The latest number of a series.
fn latest(txn: &mut dyn Txn, series: &NumberSeries) -> Result<Option<GivenNumber>> {
    let (first, last) = match series.kind {
        Series::Lead => (series.fields.first, series.fields.last),
        _ => (1, LAST_NUMBER),
    };
    first_given(txn, series.kind, WhichNumbers::Of { series: series.id, first, last })
}

fn first_given(txn: &mut dyn Txn, kind: Series, which: WhichNumbers) -> Result<Option<GivenNumber>> {
    Ok(txn.numbers().given(&GivenQuery { kind, which, limit: 1 })?.pop())
}

fn written(ctx: &Context<'_>, series: &NumberSeries, given: &GivenNumber) -> String {
    given.text.clone().unwrap_or_else(|| series.fields.write(year(ctx), given.number))
}

fn taken(number: String, series: &NumberSeries) -> Error {
    let series = series.fields.name.clone();
    Error::conflicting("number series", Conflict::NumberTaken { number, series })
}
