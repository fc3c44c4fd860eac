//! Lists and searches: sorted pages by keyset, and counts that no tally has.

use leadcore::domain::{Field, FieldValue, Lead};
use leadcore::error::Result;
use leadcore::query::{Direction, LeadScan, Resolved, SortField, TextSearch};
use rusqlite::types::Value;

use crate::compile::{Compiler, Condition, SearchBy, match_expression, number_value};
use crate::error::StoreResult as _;
use crate::row::{Columns, amount_units, corrupt, select_lead, to_json};
use crate::txn::SqliteTxn;

use super::walk::{Way, required};

/// A search never reads more candidates than this and sorts them; beyond it, a page fills sooner by walking the list in
/// order and looking into each row. At a million leads both ways cost about the same here (5,000 reads by row number
/// against 50 hits of one in 200 rows).
pub(super) const FEW: i64 = 5_000;
/// Up to this many leads a page's memory is taken before it is known how many there are.
const USUAL_PAGE: usize = 64;

impl SqliteTxn<'_> {
    pub(super) fn scan_leads(&mut self, scan: &LeadScan) -> Result<Vec<Lead>> {
        if let SortField::Custom(field) = &scan.sort.by {
            return self.scan_custom(scan, field);
        }
        let way = self.way(scan)?;
        self.scan_by(scan, way)
    }

    pub(super) fn scan_by(&mut self, scan: &LeadScan, mut way: Way<'_>) -> Result<Vec<Lead>> {
        if let Way::Walk { asks, few } = way
            && required_search(&scan.filter).is_none()
        {
            match self.scan_asking(scan, asks, few)? {
                Some(leads) => return Ok(leads),
                None => way = Way::Collect(asks),
            }
        }
        let Condition { sql, params } = self.page_query(scan, way)?;
        let mut statement = self.prepare(&sql, "list leads")?;
        let mut rows = statement.query(rusqlite::params_from_iter(params)).store("list leads")?;
        // Leads are large: a list that grows would move each of them several times.
        let mut leads = Vec::with_capacity(scan.limit.min(USUAL_PAGE));
        while let Some(row) = rows.next().store("list leads")? {
            leads.push(Columns::of(row).lead()?);
        }
        Ok(leads)
    }

    /// The whole query of a page.
    #[cfg(test)]
    pub(crate) fn scan_query(&mut self, scan: &LeadScan) -> Result<Condition> {
        let way = self.way(scan)?;
        self.page_query(scan, way)
    }

    fn page_query(&mut self, scan: &LeadScan, way: Way<'_>) -> Result<Condition> {
        let key = sort_column(&scan.sort.by, &scan.filter);
        let (order, behind) = match scan.sort.direction {
            Direction::Ascending => ("ASC", ">"),
            Direction::Descending => ("DESC", "<"),
        };
        let search_by = self.search_by(scan)?;
        let by_index = matches!(search_by, SearchBy::Among(..)) || matches!(way, Way::Collect(_));
        let tenant = self.tenant.clone();
        let mut compiler = Compiler::new(tenant.as_str(), search_by);
        way.tell(&mut compiler);
        compiler.by_creation = scan.sort.by == SortField::CreatedAt;
        // Candidates of a search are read by row number (an index on the sort order would visit every lead instead),
        // and only those of the page are read whole.
        compiler.text(if by_index {
            select_lead!("WHERE l.rid IN (SELECT l.rid FROM leadcore_lead l NOT INDEXED WHERE l.tenant = ")
        } else {
            select_lead!("WHERE l.tenant = ")
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
        Ok(compiler.finish())
    }

    pub(super) fn count_rows(&mut self, filter: &Resolved) -> Result<u64> {
        let condition = self.live(filter)?;
        let by_row = required_search(filter).is_some() || !required(filter).is_empty();
        let way = if by_row { " NOT INDEXED" } else { "" };
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
        compiler.by_creation = true;
        compiler.text("l.tenant = ");
        compiler.param(tenant.as_str().to_owned());
        compiler.text(" AND l.trashed_at IS NULL AND ");
        compiler.filter(filter)?;
        if compiler.folds {
            self.need_fold()?;
        }
        Ok(compiler.finish())
    }

    /// How a page's search is best answered. Finding its candidates is most of the work, so they are kept.
    fn search_by<'s>(&self, scan: &'s LeadScan) -> Result<SearchBy<'s>> {
        let Some(search) = required_search(&scan.filter) else { return Ok(SearchBy::Row) };
        let Some(expression) = match_expression(&search.terms) else { return Ok(SearchBy::Row) };
        let few = self.few(scan)?;
        let mut statement = self.prepare(
            "SELECT rowid FROM leadcore_lead_search WHERE leadcore_lead_search MATCH ? LIMIT ?",
            "ask the search index",
        )?;
        let mut rows = statement.query((expression, few)).store("ask the search index")?;
        let mut rids: Vec<i64> = Vec::new();
        while let Some(row) = rows.next().store("ask the search index")? {
            rids.push(row.get(0).store("ask the search index")?);
        }
        let is_few = i64::try_from(rids.len()).is_ok_and(|hits| hits < few);
        if !is_few {
            return Ok(SearchBy::Row);
        }
        if let Some(number) = search.number.map(number_value).transpose()? {
            let sql = "SELECT rid FROM leadcore_lead WHERE tenant = ? AND number = ?";
            let mut statement = self.prepare(sql, "ask for a number")?;
            let mut rows = statement.query((self.tenant_text(), number)).store("ask for a number")?;
            while let Some(row) = rows.next().store("ask for a number")? {
                rids.push(row.get(0).store("ask for a number")?);
            }
        }
        Ok(SearchBy::Among(search, to_json(&rids)?))
    }

    /// Up to how many candidates a search reads all of them. With `n` leads and `h` hits, a page of `p` is filled by
    /// walking past `p·n/h` leads; a candidate costs about two and a half times as much as a lead that is walked past.
    fn few(&self, scan: &LeadScan) -> Result<i64> {
        let walks = !matches!(
            scan.sort.by,
            SortField::Amount
                | SortField::ExpectedClose
                | SortField::StageEnteredAt
                | SortField::FollowUp
                | SortField::Score
        );
        if !walks || scan.trashed || !is_search(&scan.filter) {
            return Ok(FEW);
        }
        let leads = self.tallied_count(&Resolved::everything())?.unwrap_or_default();
        let page = u64::try_from(scan.limit).unwrap_or(u64::MAX);
        let few = (page.saturating_mul(leads) / 5 * 2).isqrt();
        Ok(i64::try_from(few).unwrap_or(FEW).clamp(100, FEW))
    }
}

/// Whether a filter is a search and nothing else.
fn is_search(filter: &Resolved) -> bool {
    match filter {
        Resolved::Search(_) => true,
        Resolved::All(list) => matches!(list.as_slice(), [one] if is_search(one)),
        _ => false,
    }
}

/// The search that every match must fulfil, when there is one.
fn required_search(filter: &Resolved) -> Option<&TextSearch> {
    match filter {
        Resolved::Search(search) => Some(search),
        Resolved::All(list) => list.iter().find_map(required_search),
        _ => None,
    }
}

pub(super) fn sort_column(by: &SortField, filter: &Resolved) -> &'static str {
    match by {
        // Where no match is without one, the index is in the order of the list.
        SortField::FollowUp if requires(filter, &Field::FollowUp) => "l.follow_up",
        SortField::Score if requires(filter, &Field::Score) => "l.score",
        SortField::CreatedAt => "l.created_at",
        SortField::Number => "l.number",
        SortField::Company => "l.company_key",
        SortField::Name => "l.name_key",
        // An empty amount or day is the smallest.
        SortField::Amount => "coalesce(l.amount, -9223372036854775808)",
        SortField::ExpectedClose => "coalesce(l.expected_close, -9223372036854775808)",
        SortField::StageEnteredAt => "l.stage_entered_at",
        SortField::ActiveAt => "l.active_at",
        SortField::FollowUp => "coalesce(l.follow_up, -9223372036854775808)",
        SortField::Score => "coalesce(l.score, -9223372036854775808)",
        SortField::Rank => "l.rank",
        _ => "l.updated_at",
    }
}

/// Whether every match has a value of the field.
fn requires(filter: &Resolved, field: &Field) -> bool {
    match filter {
        Resolved::All(list) => list.iter().any(|inner| requires(inner, field)),
        Resolved::Any(list) => !list.is_empty() && list.iter().all(|inner| requires(inner, field)),
        Resolved::Not(inner) => matches!(&**inner, Resolved::Empty(empty) if empty == field),
        Resolved::Equals(of, _) | Resolved::Range { field: of, .. } => of == field,
        Resolved::FollowUpBefore { .. } => *field == Field::FollowUp,
        _ => false,
    }
}

pub(super) fn sort_value(key: &FieldValue) -> Result<Value> {
    Ok(match key {
        FieldValue::Empty => Value::Integer(i64::MIN),
        FieldValue::Text(text) => Value::Text(text.clone()),
        FieldValue::Integer(number) => Value::Integer(*number),
        FieldValue::Date(day) => Value::Integer(day.as_days()),
        FieldValue::Time(at) => Value::Integer(at.as_micros()),
        FieldValue::Decimal(amount) => Value::Integer(amount_units(*amount)?),
        _ => return Err(corrupt("cursor")),
    })
}
