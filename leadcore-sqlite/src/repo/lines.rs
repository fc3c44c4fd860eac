//! Lines of estimates, leads and opportunities as rows, and the port for the products of leads. What did not change is not written.

use std::collections::BTreeMap;

use leadcore::domain::{Discount, LeadLines, Line, Subject, Tax, Totals};
use leadcore::error::{Error, ErrorKind, Result};
use leadcore::id::{EstimateId, LeadId, OpportunityId};
use leadcore::store::Lines;
use leadcore::value::Currency;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::error::StoreResult as _;
use crate::row::{Binder, Columns, amount_units, corrupt};
use crate::txn::SqliteTxn;

use super::records::before;

const INSERT_LIST: &str = "INSERT INTO leadcore_lead_lines (revision, currency, net, discount, tax, gross, taxes, created_at, updated_at, tenant, lead) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const UPDATE_LIST: &str = "UPDATE leadcore_lead_lines SET revision = ?, currency = ?, net = ?, discount = ?, tax = ?, gross = ?, taxes = ?, created_at = ?, updated_at = ? WHERE tenant = ? AND lead = ? AND revision = ?";
const LIST: &str = "SELECT revision, currency, net, discount, tax, gross, taxes, created_at, updated_at FROM leadcore_lead_lines WHERE tenant = ? AND lead = ?";

const LINES: &str = "SELECT description, product, quantity, unit, unit_price, discount_percent, discount_amount, tax_name, tax_percent FROM leadcore_line WHERE tenant = ? AND holder_kind = ? AND holder = ? ORDER BY position";
const INSERT_LINE: &str = "INSERT INTO leadcore_line (tenant, holder_kind, holder, position, description, product, quantity, unit, unit_price, discount_percent, discount_amount, tax_name, tax_percent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const CLEAR_LINES: &str = "DELETE FROM leadcore_line WHERE tenant = ? AND holder_kind = ? AND holder = ?";

/// Of how many holders lines are read at once.
const AT_ONCE: usize = 50;

/// The lines of many holders of a kind, with the holder behind each.
fn lines_of_many() -> String {
    let ids = vec!["?"; AT_ONCE].join(", ");
    format!(
        "SELECT description, product, quantity, unit, unit_price, discount_percent, discount_amount, tax_name, tax_percent, holder FROM leadcore_line WHERE tenant = ? AND holder_kind = ? AND holder IN ({ids}) ORDER BY holder, position"
    )
}

/// Decimal places of stored quantities and unit prices.
const FINE: u32 = 6;

/// What the `holder` of a line is.
#[derive(Clone, Copy)]
pub(super) enum Holder {
    Estimate(EstimateId),
    Lead(LeadId),
    Opportunity(OpportunityId),
}

impl Holder {
    const fn key(self) -> (&'static str, Uuid) {
        match self {
            Self::Estimate(id) => ("estimate", id.as_uuid()),
            Self::Lead(id) => ("lead", id.as_uuid()),
            Self::Opportunity(id) => ("opportunity", id.as_uuid()),
        }
    }
}

/// A quantity or unit price in units of 1/1,000,000. Core has checked places and size.
fn fine_units(value: Decimal) -> Result<i64> {
    let mut scaled = value;
    scaled.rescale(FINE);
    i64::try_from(scaled.mantissa())
        .ok()
        .filter(|_| scaled == value && scaled.scale() == FINE)
        .ok_or_else(|| Error::new(ErrorKind::Unsupported, "the number cannot be stored exactly"))
}

fn amount(columns: &mut Columns<'_, '_>) -> Result<Decimal> {
    columns.amount()?.ok_or_else(|| corrupt("amount"))
}

pub(super) fn bind_totals(binder: &mut Binder<'_, '_>, totals: &Totals) -> Result<()> {
    for sum in [totals.net, totals.discount, totals.tax, totals.gross] {
        binder.bind(amount_units(sum)?)?;
    }
    binder.json(&totals.taxes, totals.taxes.is_empty())
}

pub(super) fn totals(columns: &mut Columns<'_, '_>) -> Result<Totals> {
    Ok(Totals {
        net: amount(columns)?,
        discount: amount(columns)?,
        tax: amount(columns)?,
        gross: amount(columns)?,
        taxes: columns.json("taxes")?,
    })
}

pub(super) fn bind_line(binder: &mut Binder<'_, '_>, line: &Line) -> Result<()> {
    binder.bind(&line.description)?;
    binder.bind(line.product.as_deref())?;
    binder.bind(fine_units(line.quantity)?)?;
    binder.bind(line.unit.as_deref())?;
    binder.bind(fine_units(line.unit_price)?)?;
    let (percent, amount) = match line.discount {
        Some(Discount::Percent(percent)) => (Some(amount_units(percent)?), None),
        Some(Discount::Amount(amount)) => (None, Some(amount_units(amount)?)),
        None => (None, None),
    };
    binder.bind(percent)?;
    binder.bind(amount)?;
    binder.bind(line.tax.as_ref().and_then(|tax| tax.name.as_deref()))?;
    binder.bind(line.tax.as_ref().map(|tax| amount_units(tax.percent)).transpose()?)
}

pub(super) fn line(columns: &mut Columns<'_, '_>) -> Result<Line> {
    let fine =
        |columns: &mut Columns<'_, '_>| columns.int().map(|units| Decimal::new(units, FINE).normalize());
    let (description, product) = (columns.text()?.to_owned(), columns.string()?);
    let (quantity, unit) = (fine(columns)?, columns.string()?);
    let unit_price = fine(columns)?;
    let discount = match (columns.amount()?, columns.amount()?) {
        (Some(percent), _) => Some(Discount::Percent(percent)),
        (None, amount) => amount.map(Discount::Amount),
    };
    let name = columns.string()?;
    let tax = columns.amount()?.map(|percent| Tax { name, percent });
    Ok(Line { description, product, quantity, unit, unit_price, discount, tax })
}

impl SqliteTxn<'_> {
    pub(super) fn lines_of(&self, holder: Holder) -> Result<Vec<Line>> {
        let (kind, id) = holder.key();
        self.lines_of_one(kind, id)
    }

    fn lines_of_one(&self, kind: &str, id: Uuid) -> Result<Vec<Line>> {
        let mut statement = self.prepare(LINES, "read lines")?;
        let key = (self.tenant_text(), kind, id.as_bytes().as_slice());
        let mut rows = statement.query(key).store("read lines")?;
        let mut lines = Vec::new();
        while let Some(row) = rows.next().store("read lines")? {
            lines.push(line(&mut Columns::of(row))?);
        }
        Ok(lines)
    }

    /// The lines of these holders of one kind, in few queries.
    pub(super) fn lines_of_all(&self, kind: &str, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Vec<Line>>> {
        if let [id] = ids {
            return Ok(BTreeMap::from([(*id, self.lines_of_one(kind, *id)?)]));
        }
        let sql = lines_of_many();
        let mut all: BTreeMap<Uuid, Vec<Line>> = BTreeMap::new();
        for some in ids.chunks(AT_ONCE) {
            let mut statement = self.prepare(&sql, "read lines")?;
            let mut binder = Binder::to(&mut statement);
            binder.bind(self.tenant_text())?;
            binder.bind(kind)?;
            // Always of the same length, so that it is prepared once: the last is asked again.
            let last = some.last().into_iter().cycle();
            for id in some.iter().chain(last).take(AT_ONCE) {
                binder.id(*id)?;
            }
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next().store("read lines")? {
                let mut columns = Columns::of(row);
                let line = line(&mut columns)?;
                all.entry(columns.uuid()?).or_default().push(line);
            }
        }
        Ok(all)
    }

    pub(super) fn add_lines(&self, holder: Holder, lines: &[Line]) -> Result<()> {
        let (kind, id) = holder.key();
        let mut statement = self.prepare(INSERT_LINE, "write a line")?;
        for (position, line) in (0_u64..).zip(lines) {
            let mut binder = Binder::to(&mut statement);
            binder.bind(self.tenant_text())?;
            binder.bind(kind)?;
            binder.id(id)?;
            binder.number(position)?;
            bind_line(&mut binder, line)?;
            statement.raw_execute().store("write a line")?;
        }
        Ok(())
    }

    pub(super) fn clear_lines(&self, holder: Holder) -> Result<()> {
        let (kind, id) = holder.key();
        let mut statement = self.prepare(CLEAR_LINES, "remove lines")?;
        let key = (self.tenant_text(), kind, id.as_bytes().as_slice());
        statement.execute(key).store("remove lines").map(drop)
    }

    /// Writes these lines in the place of what there is. Most writes leave the lines as they are: reading them is cheap.
    pub(super) fn set_lines(&self, holder: Holder, lines: &[Line]) -> Result<()> {
        if self.lines_of(holder)? == lines {
            return Ok(());
        }
        self.clear_lines(holder)?;
        self.add_lines(holder, lines)
    }
}

fn bind_list(binder: &mut Binder<'_, '_>, list: &LeadLines) -> Result<()> {
    binder.number(list.revision.get())?;
    binder.bind(list.currency.as_ref().map(Currency::code))?;
    bind_totals(binder, &list.totals)?;
    binder.time(list.created_at)?;
    binder.time(list.updated_at)
}

impl Lines for SqliteTxn<'_> {
    fn insert(&mut self, lists: &[LeadLines]) -> Result<()> {
        self.slice(|| {
            let mut statement = self.prepare(INSERT_LIST, "add products")?;
            for list in lists {
                let mut binder = Binder::to(&mut statement);
                bind_list(&mut binder, list)?;
                binder.bind(self.tenant_text())?;
                binder.id(list.lead.id)?;
                statement.raw_execute().store("add products")?;
                self.add_lines(Holder::Lead(list.lead()), &list.lines)?;
            }
            Ok(())
        })
    }

    fn update(&mut self, lists: &[LeadLines]) -> Result<()> {
        self.slice(|| {
            let mut statement = self.prepare(UPDATE_LIST, "write products")?;
            for list in lists {
                let expected = before(list.revision);
                let mut binder = Binder::to(&mut statement);
                bind_list(&mut binder, list)?;
                binder.bind(self.tenant_text())?;
                binder.id(list.lead.id)?;
                binder.number(expected.get())?;
                if statement.raw_execute().store("write products")? == 0 {
                    let select = "SELECT revision FROM leadcore_lead_lines WHERE tenant = ? AND lead = ?";
                    return Err(self.missed(select, "list of products", list.lead.id, expected)?);
                }
                self.set_lines(Holder::Lead(list.lead()), &list.lines)?;
            }
            Ok(())
        })
    }

    fn get(&mut self, leads: &[LeadId]) -> Result<Vec<LeadLines>> {
        let mut statement = self.prepare(LIST, "read products")?;
        let mut found = Vec::new();
        for lead in leads {
            let id = lead.as_uuid();
            let key = (self.tenant_text(), id.as_bytes().as_slice());
            let mut rows = statement.query(key).store("read products")?;
            let Some(row) = rows.next().store("read products")? else { continue };
            let mut columns = Columns::of(row);
            found.push(LeadLines {
                lead: Subject::from(*lead),
                revision: columns.revision()?,
                currency: columns.parsed("currency", Currency::from_stored)?,
                totals: totals(&mut columns)?,
                created_at: columns.time()?,
                updated_at: columns.time()?,
                lines: self.lines_of(Holder::Lead(*lead))?,
            });
        }
        Ok(found)
    }

    fn remove(&mut self, leads: &[LeadId]) -> Result<()> {
        let sql = "DELETE FROM leadcore_lead_lines WHERE tenant = ? AND lead = ?";
        let mut statement = self.prepare(sql, "remove products")?;
        for lead in leads {
            self.clear_lines(Holder::Lead(*lead))?;
            let id = lead.as_uuid();
            let key = (self.tenant_text(), id.as_bytes().as_slice());
            statement.execute(key).store("remove products")?;
        }
        Ok(())
    }
}
