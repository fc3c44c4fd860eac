//! Lists and searches: sorted pages by keyset, and counts that no tally has.

use leadcore::domain::{FieldValue, Lead};
use leadcore::error::Result;
use leadcore::query::{Direction, LeadScan, Resolved, SortField, Term};
use rusqlite::types::Value;

use crate::compile::{Compiler, Condition, SearchBy, match_expression};
use crate::error::StoreResult as _;
use crate::row::{Columns, LEAD_COLUMNS, amount_units, corrupt};
use crate::txn::SqliteTxn;

/// Up to this many candidates a search reads all and sorts them; beyond it, a page fills sooner by walking the list in
/// order and looking into each row. At a million leads both ways cost about the same here (5,000 reads by row number
/// against 50 hits of one in 200 rows).
const FEW: i64 = 5_000;

impl SqliteTxn<'_> {
    pub(super) fn scan_leads(&mut self, scan: &LeadScan) -> Result<Vec<Lead>> {
        let key = sort_column(scan.sort.by);
        let (order, behind) = match scan.sort.direction {
            Direction::Ascending => ("ASC", ">"),
            Direction::Descending => ("DESC", "<"),
        };
        let search_by = self.search_by(&scan.filter)?;
        let tenant = self.tenant.clone();
        let mut compiler = Compiler::new(tenant.as_str(), search_by);
        // Candidates of a search are read by row number (an index on the sort order would visit every lead instead),
        // and only those of the page are read whole.
        let by_index = search_by == SearchBy::Index;
        compiler.text(&if by_index {
            format!("SELECT {LEAD_COLUMNS} FROM leadcore_lead l WHERE l.rid IN (SELECT l.rid FROM leadcore_lead l NOT INDEXED WHERE l.tenant = ")
        } else {
            format!("SELECT {LEAD_COLUMNS} FROM leadcore_lead l WHERE l.tenant = ")
        });
        compiler.param(tenant.as_str().to_owned());
        compiler.text(if scan.trashed {
            " AND l.trashed_at IS NOT NULL AND "
        } else {
            " AND l.trashed_at IS NULL AND "
        });
        compiler.filter(&scan.filter)?;
        if let Some(cursor) = &scan.after {
            compiler.text(&format!(" AND ({key}, l.id) {behind} ("));
            compiler.param(sort_value(&cursor.key)?);
            compiler.text(", ");
            compiler.param(cursor.id.as_uuid().as_bytes().to_vec());
            compiler.text(")");
        }
        let sorted = format!(" ORDER BY {key} {order}, l.id {order}");
        compiler.text(&format!("{sorted} LIMIT "));
        compiler.param(i64::try_from(scan.limit).unwrap_or(i64::MAX));
        if by_index {
            compiler.text(&format!("){sorted}"));
        }
        if compiler.folds {
            self.need_fold()?;
        }
        let Condition { sql, params } = compiler.finish();
        let mut statement = self.prepare(&sql, "list leads")?;
        let mut rows = statement.query(rusqlite::params_from_iter(params)).store("list leads")?;
        let mut leads = Vec::new();
        while let Some(row) = rows.next().store("list leads")? {
            leads.push(Columns::of(row).lead()?);
        }
        Ok(leads)
    }

    pub(super) fn count_rows(&mut self, filter: &Resolved) -> Result<u64> {
        let condition = self.live(filter)?;
        let way = if required_search(filter).is_some() { " NOT INDEXED" } else { "" };
        let sql = format!("SELECT count(*) FROM leadcore_lead l{way} WHERE {}", condition.sql);
        let count: i64 = self
            .prepare(&sql, "count leads")?
            .query_row(rusqlite::params_from_iter(condition.params), |row| row.get(0))
            .store("count leads")?;
        u64::try_from(count).map_err(|_| corrupt("count"))
    }

    /// The condition for live leads of this tenant that match.
    pub(super) fn live(&mut self, filter: &Resolved) -> Result<Condition> {
        let tenant = self.tenant.clone();
        // A count visits every candidate, so the index is asked however many there are.
        let mut compiler = Compiler::new(tenant.as_str(), SearchBy::Index);
        compiler.text("l.tenant = ");
        compiler.param(tenant.as_str().to_owned());
        compiler.text(" AND l.trashed_at IS NULL AND ");
        compiler.filter(filter)?;
        if compiler.folds {
            self.need_fold()?;
        }
        Ok(compiler.finish())
    }

    fn search_by(&self, filter: &Resolved) -> Result<SearchBy> {
        let Some(expression) = required_search(filter).and_then(match_expression) else {
            return Ok(SearchBy::Row);
        };
        let mut statement = self.prepare(
            "SELECT count(*) FROM (SELECT 1 FROM leadcore_lead_search WHERE leadcore_lead_search MATCH ? LIMIT ?)",
            "ask the search index",
        )?;
        let hits: i64 =
            statement.query_row((expression, FEW), |row| row.get(0)).store("ask the search index")?;
        Ok(if hits < FEW { SearchBy::Index } else { SearchBy::Row })
    }
}

/// The search that every match must fulfil, when there is one.
fn required_search(filter: &Resolved) -> Option<&[Term]> {
    match filter {
        Resolved::Search(terms) => Some(terms),
        Resolved::All(list) => list.iter().find_map(required_search),
        _ => None,
    }
}

const fn sort_column(by: SortField) -> &'static str {
    match by {
        SortField::CreatedAt => "l.created_at",
        SortField::Number => "l.number",
        SortField::Company => "l.company_key",
        SortField::Name => "l.name_key",
        // An empty amount is the smallest.
        SortField::Amount => "coalesce(l.amount, -9223372036854775808)",
        SortField::StageEnteredAt => "l.stage_entered_at",
        _ => "l.updated_at",
    }
}

fn sort_value(key: &FieldValue) -> Result<Value> {
    Ok(match key {
        FieldValue::Empty => Value::Integer(i64::MIN),
        FieldValue::Text(text) => Value::Text(text.clone()),
        FieldValue::Integer(number) => Value::Integer(*number),
        FieldValue::Time(at) => Value::Integer(at.as_micros()),
        FieldValue::Decimal(amount) => Value::Integer(amount_units(*amount)?),
        _ => return Err(corrupt("cursor")),
    })
}
