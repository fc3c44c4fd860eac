//! The port for number series.

use std::cmp::Reverse;

use leadcore::domain::{
    Counter, GivenNumber, NumberSeries, Serial, Series, SeriesFields, Subject, SubjectKind,
};
use leadcore::error::{Error, Result};
use leadcore::id::{NumberSeriesId, Revision};
use leadcore::store::{GivenQuery, Numbers, WhichNumbers, check_skip};
use leadcore::value::fold;
use rusqlite::{OptionalExtension as _, Row};

use crate::error::StoreResult as _;
use crate::row::{Binder, Columns, corrupt, signed};
use crate::txn::SqliteTxn;

const ALL: &str = "SELECT id, kind, revision, name, prefix, width, first, last, yearly, gapless, is_default, archived FROM leadcore_number_series WHERE tenant = ?";
const ONE: &str = "SELECT id, kind, revision, name, prefix, width, first, last, yearly, gapless, is_default, archived FROM leadcore_number_series WHERE tenant = ? AND id = ?";
const ADD: &str = "INSERT INTO leadcore_number_series (kind, revision, name, name_key, prefix, width, first, last, yearly, gapless, is_default, archived, tenant, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const CHANGE: &str = "UPDATE leadcore_number_series SET kind = ?, revision = ?, name = ?, name_key = ?, prefix = ?, width = ?, first = ?, last = ?, yearly = ?, gapless = ?, is_default = ?, archived = ? WHERE tenant = ? AND id = ? AND revision = ?";
const REVISION: &str = "SELECT revision FROM leadcore_number_series WHERE tenant = ? AND id = ?";
const PUT: &str = "INSERT INTO leadcore_number (tenant, series, year, next) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (tenant, series, year) DO UPDATE SET next = ?4";
const NEXT: &str = "SELECT next FROM leadcore_number WHERE tenant = ? AND series = ? AND year = ?";

fn number_series(row: &Row<'_>) -> Result<NumberSeries> {
    let mut columns = Columns::of(row);
    Ok(NumberSeries {
        id: NumberSeriesId::from_uuid(columns.uuid()?),
        kind: columns.code("number series", Series::from_code)?,
        revision: columns.revision()?,
        fields: SeriesFields {
            name: columns.text()?.to_owned(),
            prefix: columns.text()?.to_owned(),
            width: u8::try_from(columns.int()?).map_err(|_| corrupt("number series"))?,
            first: columns.unsigned()?,
            last: columns.unsigned()?,
            yearly: columns.int()? == 1,
            gapless: columns.int()? == 1,
        },
        is_default: columns.int()? == 1,
        archived: columns.int()? == 1,
    })
}

fn bind_series(binder: &mut Binder<'_, '_>, series: &NumberSeries) -> Result<()> {
    let fields = &series.fields;
    binder.bind(series.kind.code())?;
    binder.number(series.revision.get())?;
    binder.bind(fields.name.as_str())?;
    binder.bind(fold(&fields.name))?;
    binder.bind(fields.prefix.as_str())?;
    binder.bind(fields.width)?;
    binder.number(fields.first)?;
    binder.number(fields.last)?;
    binder.bind(fields.yearly)?;
    binder.bind(fields.gapless)?;
    binder.bind(series.is_default)?;
    binder.bind(series.archived)
}

/// The columns `series`, `year` and `written` of a record of this kind.
pub(super) fn bind_serial(binder: &mut Binder<'_, '_>, kind: Series, serial: Option<&Serial>) -> Result<()> {
    binder.id(serial.map_or(kind.standard(), |serial| serial.series).as_uuid())?;
    binder.bind(serial.and_then(|serial| serial.year).unwrap_or(0))?;
    binder.bind(serial.map(|serial| serial.text.as_str()))
}

pub(super) fn serial(columns: &mut Columns<'_, '_>) -> Result<Option<Serial>> {
    let series = NumberSeriesId::from_uuid(columns.uuid()?);
    let year = year(columns)?;
    Ok(columns.string()?.map(|text| Serial { series, year, text }))
}

fn year(columns: &mut Columns<'_, '_>) -> Result<Option<u16>> {
    let year = u16::try_from(columns.int()?).map_err(|_| corrupt("year"))?;
    Ok((year != 0).then_some(year))
}

impl SqliteTxn<'_> {
    fn counted_series(&self, counter: Counter) -> Result<NumberSeries> {
        let id = counter.series.as_uuid();
        let key = (self.tenant_text(), id.as_bytes().as_slice());
        match self.first(ONE, "read a number series", key, number_series)? {
            Some(series) if series.kind == counter.kind => Ok(series),
            None if counter.series == counter.kind.standard() => Ok(NumberSeries::standard(counter.kind)),
            _ => Err(Error::not_found("number series")),
        }
    }

    fn counted(&self, counter: Counter) -> Result<u64> {
        let id = counter.series.as_uuid();
        let next: Option<i64> = self
            .prepare(NEXT, "read a number series")?
            .query_row((self.tenant_text(), id.as_bytes().as_slice(), counter.year.unwrap_or(0)), |row| {
                row.get(0)
            })
            .optional()
            .store("read a number series")?;
        u64::try_from(next.unwrap_or(1)).map_err(|_| corrupt("number"))
    }

    fn count_on(&self, counter: Counter, next: u64) -> Result<()> {
        let id = counter.series.as_uuid();
        let row = (self.tenant_text(), id.as_bytes().as_slice(), counter.year.unwrap_or(0), signed(next)?);
        self.prepare(PUT, "write a number series")?.execute(row).store("write a number series")?;
        Ok(())
    }
}

impl Numbers for SqliteTxn<'_> {
    fn list(&mut self) -> Result<Vec<NumberSeries>> {
        let mut all = self.all(ALL, "list number series", (self.tenant_text(),), number_series)?;
        for kind in Series::ALL {
            if !all.iter().any(|series| series.id == kind.standard()) {
                all.push(NumberSeries::standard(kind));
            }
        }
        all.sort_by_key(|series| {
            (series.kind, Reverse(series.is_default), fold(&series.fields.name), series.id)
        });
        Ok(all)
    }

    fn save(&mut self, series: &NumberSeries, expected: Option<Revision>) -> Result<()> {
        let what = "write a number series";
        // The standard series is there before it has a row.
        let unwritten = series.is_standard() && expected == Some(Revision::new(0));
        let expected = expected.filter(|_| !unwritten);
        let mut statement = self.prepare(if expected.is_some() { CHANGE } else { ADD }, what)?;
        let mut binder = Binder::to(&mut statement);
        bind_series(&mut binder, series)?;
        binder.bind(self.tenant_text())?;
        binder.id(series.id.as_uuid())?;
        if let Some(expected) = expected {
            binder.number(expected.get())?;
            if statement.raw_execute().store(what)? == 0 {
                return Err(self.missed(REVISION, "number series", series.id.as_uuid(), expected)?);
            }
            return Ok(());
        }
        if unwritten {
            let none = Revision::new(0);
            let missed = self.missed(REVISION, "number series", series.id.as_uuid(), none)?;
            if missed.conflict().is_some() {
                return Err(missed);
            }
        }
        statement.raw_execute().store(what).map(drop)
    }

    fn take(&mut self, counter: Counter, count: u64) -> Result<u64> {
        let first = self.counted_series(counter)?.room_for(self.counted(counter)?, count)?;
        if count > 0 {
            self.count_on(counter, first.saturating_add(count))?;
        }
        Ok(first)
    }

    fn skip_to(&mut self, counter: Counter, next: u64) -> Result<()> {
        check_skip(Numbers::peek(self, counter)?, next)?;
        self.count_on(counter, next)
    }

    fn peek(&mut self, counter: Counter) -> Result<u64> {
        let series = self.counted_series(counter)?;
        Ok(self.counted(counter)?.max(series.fields.first))
    }

    fn given(&mut self, query: &GivenQuery) -> Result<Vec<GivenNumber>> {
        let standard = query.kind.standard().as_uuid();
        let (table, subject) = match query.kind {
            Series::Lead => ("lead", SubjectKind::Lead),
            Series::Account => ("account", SubjectKind::Account),
            Series::Estimate => ("estimate", SubjectKind::Estimate),
            Series::Opportunity => ("opportunity", SubjectKind::Opportunity),
            _ => return Ok(Vec::new()),
        };
        let is_lead = query.kind == Series::Lead;
        let columns = if is_lead { "?2, 0, number, NULL" } else { "series, year, number, written" };
        let order = if is_lead { "number DESC" } else { "year DESC, number DESC, id" };
        let (place, series, first, last) = match &query.which {
            WhichNumbers::Of { first, last, .. } if is_lead => {
                ("number BETWEEN ?4 AND ?5", standard, *first, *last)
            }
            WhichNumbers::Of { series, first, last } => {
                ("series = ?3 AND number BETWEEN ?4 AND ?5", series.as_uuid(), *first, *last)
            }
            WhichNumbers::Number(number) => ("number BETWEEN ?4 AND ?5", standard, *number, *number),
            // Leads keep no written number.
            _ if is_lead => return Ok(Vec::new()),
            WhichNumbers::Like(like) => (
                "series <> ?3 AND number BETWEEN ?4 AND ?5 AND written IS NOT NULL",
                like.id.as_uuid(),
                like.fields.first,
                like.fields.last,
            ),
        };
        let sql = format!(
            "SELECT id, created_at, {columns} FROM leadcore_{table} WHERE tenant = ?1 AND {place} ORDER BY {order}"
        );
        let most = u64::try_from(i64::MAX).unwrap_or(u64::MAX);
        let mut statement = self.prepare(&sql, "find numbers")?;
        let row = (
            self.tenant_text(),
            standard.as_bytes().as_slice(),
            series.as_bytes().as_slice(),
            signed(first.min(most))?,
            // No record has the greatest of all numbers.
            signed(if first > most { 0 } else { last.min(most) })?,
        );
        let mut rows = statement.query(row).store("find numbers")?;
        let mut found = Vec::new();
        while found.len() < query.limit
            && let Some(row) = rows.next().store("find numbers")?
        {
            let mut columns = Columns::of(row);
            let subject = Subject::new(subject, columns.uuid()?);
            let at = columns.time()?;
            let series = NumberSeriesId::from_uuid(columns.uuid()?);
            let year = year(&mut columns)?;
            let (number, text) = (columns.unsigned()?, columns.string()?);
            let given = GivenNumber { series, year, number, text, subject, at };
            let wanted = match &query.which {
                WhichNumbers::Like(like) => given.is_like(&like.fields),
                _ => true,
            };
            if wanted {
                found.push(given);
            }
        }
        Ok(found)
    }
}
