//! Lists by custom fields: whether the leads of a value are collected, or the list is walked and each lead asked.
//!
//! Neither is right for every list. Few values: collected and sorted. Many values: a walk in the order of the list soon has
//! a page, unless most of what it passes does not match; then it stops and looks which way is shorter.

use leadcore::domain::{Field, Lead};
use leadcore::error::Result;
use leadcore::query::{Direction, LeadScan, Resolved, SortField};
use rusqlite::params_from_iter;

use crate::compile::{Compiler, Condition, SearchBy};
use crate::error::StoreResult as _;
use crate::row::Columns;
use crate::txn::SqliteTxn;

use super::custom::BY_RID;
use super::scan::{FEW, sort_column, sort_value};

/// After so many leads that were asked in vain, or not, a walk looks whether it is the shorter way.
#[cfg(not(test))]
const PATIENCE: usize = 2_000;
#[cfg(test)]
const PATIENCE: usize = 5;
/// To ask a lead costs about half of what it costs to read one that was collected, and sort it.
const COLLECTING: i64 = 2;
/// Values are not counted any further.
const MANY: i64 = 1_000_000;

/// How the conditions on custom fields are answered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way<'f> {
    /// As the filter has it: there is none that every match must fulfil.
    Plain,
    /// The leads of this one are collected; the others are asked of each.
    Collect(&'f Resolved),
    /// The list is walked, and each lead is asked this one. `few` leads are walked past at most.
    Walk { asks: &'f Resolved, few: i64 },
}

impl<'f> Way<'f> {
    pub(super) const fn tell(self, compiler: &mut Compiler<'f>) {
        compiler.probes = !matches!(self, Self::Plain);
        if let Self::Collect(condition) = self {
            compiler.collects = Some(condition);
        }
    }
}

/// The conditions on custom fields that every match must fulfil and that their index answers, those on equality first.
pub(super) fn required(filter: &Resolved) -> Vec<&Resolved> {
    match filter {
        Resolved::Equals(Field::Custom(_), _) | Resolved::Range { field: Field::Custom(_), .. } => {
            vec![filter]
        }
        Resolved::All(list) => {
            let mut found: Vec<_> = list.iter().flat_map(required).collect();
            found.sort_by_key(|condition| !matches!(condition, Resolved::Equals(..)));
            found
        }
        _ => Vec::new(),
    }
}

/// The conditions of which every match must fulfil each.
fn parts(filter: &Resolved) -> Vec<&Resolved> {
    match filter {
        Resolved::All(list) => list.iter().flat_map(parts).collect(),
        one => vec![one],
    }
}

/// The index in the order of "last written first" that has the leads of one value together.
const fn index_of(part: &Resolved) -> Option<&'static str> {
    match part {
        Resolved::Equals(Field::Owner, _) => Some("leadcore_lead_owner"),
        Resolved::Equals(Field::Source, _) => Some("leadcore_lead_source"),
        Resolved::Equals(Field::Stage, _) => Some("leadcore_lead_stage"),
        Resolved::Equals(Field::Category, _) => Some("leadcore_lead_category"),
        _ => None,
    }
}

impl SqliteTxn<'_> {
    /// Whether few leads have a value that a custom condition asks for.
    pub(super) fn way<'f>(&self, scan: &'f LeadScan) -> Result<Way<'f>> {
        let conditions = required(&scan.filter);
        let Some(asks) = conditions.first() else { return Ok(Way::Plain) };
        let few = self.shortest(scan)?.0;
        let bound = FEW.min(few / COLLECTING);
        for condition in &conditions {
            if self.values(condition, bound)? < bound {
                return Ok(Way::Collect(condition));
            }
        }
        Ok(Way::Walk { asks, few })
    }

    /// How many values fulfil a condition, counted up to `most`.
    fn values(&self, condition: &Resolved, most: i64) -> Result<i64> {
        let mut compiler = Compiler::new(self.tenant_text(), SearchBy::Row);
        compiler.text("SELECT count(*) FROM (SELECT 1 FROM leadcore_lead_field f WHERE ");
        compiler.custom_rows(condition)?;
        compiler.text(" LIMIT ");
        compiler.param(most);
        compiler.text(")");
        let Condition { sql, params } = compiler.finish();
        let mut statement = self.prepare(&sql, "count leads")?;
        statement.query_row(params_from_iter(params), |row| row.get(0)).store("count leads")
    }

    /// How many leads a walk passes at most, as the tallies have it, and by which condition.
    fn shortest<'f>(&self, scan: &'f LeadScan) -> Result<(i64, Option<&'f Resolved>)> {
        if scan.trashed {
            return Ok((MANY, None));
        }
        let count = |filter: &Resolved| -> Result<Option<i64>> {
            Ok(self.tallied_count(filter)?.map(|n| i64::try_from(n).unwrap_or(i64::MAX)))
        };
        let mut shortest = (count(&Resolved::everything())?.unwrap_or(MANY), None);
        for part in parts(&scan.filter) {
            if index_of(part).is_some()
                && let Some(n) = count(part)?
                && n < shortest.0
            {
                shortest = (n, Some(part));
            }
        }
        Ok(shortest)
    }

    /// A page by walking the list and asking each lead. None when most that were passed do not match and it is shorter to
    /// collect those that do.
    pub(super) fn scan_asking(
        &mut self,
        scan: &LeadScan,
        asks: &Resolved,
        few: i64,
    ) -> Result<Option<Vec<Lead>>> {
        let Condition { sql, params } = self.walk_query(scan, asks)?;
        let mut ask = Compiler::new(self.tenant_text(), SearchBy::Row);
        ask.text("SELECT 1 FROM leadcore_lead_field f INDEXED BY leadcore_lead_field_of WHERE ");
        ask.custom_rows(asks)?;
        ask.text(" AND f.lead = ?");
        let ask = ask.finish();
        let mut asked = self.prepare(&ask.sql, "list leads")?;
        for (n, value) in ask.params.iter().enumerate() {
            asked.raw_bind_parameter(n.saturating_add(1), value).store("list leads")?;
        }
        let place = ask.params.len().saturating_add(1);
        let mut statement = self.prepare(&sql, "list leads")?;
        let mut rows = statement.query(params_from_iter(params)).store("list leads")?;
        let (mut rids, mut passed) = (Vec::new(), 0_usize);
        while rids.len() < scan.limit {
            let Some(row) = rows.next().store("list leads")? else { break };
            let id = row.get_ref(1).store("list leads")?;
            asked
                .raw_bind_parameter(place, rusqlite::types::ToSqlOutput::Borrowed(id))
                .store("list leads")?;
            if asked.raw_query().next().store("list leads")?.is_some() {
                rids.push(row.get::<_, i64>(0).store("list leads")?);
            }
            passed = passed.saturating_add(1);
            let bound = (few / COLLECTING).min(MANY);
            if passed == PATIENCE && rids.len() < scan.limit && self.values(asks, bound)? < bound {
                return Ok(None);
            }
        }
        self.leads_by_row(&rids).map(Some)
    }

    /// The leads of these rows, in this order.
    pub(super) fn leads_by_row(&self, rids: &[i64]) -> Result<Vec<Lead>> {
        let mut statement = self.prepare(BY_RID, "list leads")?;
        let mut leads = Vec::with_capacity(rids.len());
        for rid in rids {
            let mut rows = statement.query([rid]).store("list leads")?;
            if let Some(row) = rows.next().store("list leads")? {
                leads.push(Columns::of(row).lead()?);
            }
        }
        Ok(leads)
    }

    /// The leads of a page and those behind it, in order, but for one condition.
    pub(crate) fn walk_query(&mut self, scan: &LeadScan, leaves: &Resolved) -> Result<Condition> {
        let key = sort_column(&scan.sort.by, &scan.filter);
        let (order, behind) = match scan.sort.direction {
            Direction::Ascending => ("ASC", ">"),
            Direction::Descending => ("DESC", "<"),
        };
        let shortest = self.shortest(scan)?.1.filter(|_| scan.sort.by == SortField::UpdatedAt);
        let tenant = self.tenant.clone();
        let mut compiler = Compiler::new(tenant.as_str(), SearchBy::Row);
        (compiler.probes, compiler.leaves) = (true, Some(leaves));
        compiler.by_creation = scan.sort.by == SortField::CreatedAt;
        compiler.text("SELECT l.rid, l.id FROM leadcore_lead l");
        if let Some(index) = shortest.and_then(index_of) {
            compiler.text(&format!(" INDEXED BY {index}"));
        }
        compiler.text(" WHERE l.tenant = ");
        compiler.param(tenant.as_str().to_owned());
        let trashed = if scan.trashed { "IS NOT NULL" } else { "IS NULL" };
        compiler.text(&format!(" AND l.trashed_at {trashed} AND "));
        compiler.filter(&scan.filter)?;
        if let Some(cursor) = &scan.after {
            compiler.text(&format!(" AND ({key}, l.id) {behind} ("));
            compiler.param(sort_value(&cursor.key)?);
            compiler.text(", ");
            compiler.param(cursor.id.as_uuid().as_bytes().to_vec());
            compiler.text(")");
        }
        compiler.text(&format!(" ORDER BY {key} {order}, l.id {order}"));
        if compiler.folds {
            self.need_fold()?;
        }
        Ok(compiler.finish())
    }
}

#[cfg(test)]
mod tests {
    use leadcore::domain::CustomValue;
    use leadcore::query::Sort;

    use super::*;

    #[test]
    fn every_way_gives_the_same_page() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("leads.db");
        let store = crate::SqliteStore::open(&path).unwrap();
        let world = leadcore::testkit::fixtures::World::install(&store);
        let leads = leadcore::testkit::fixtures::sample_leads(&world);
        world.write(&store, |txn| txn.leads().insert(&leads));
        drop(store);
        let mut conn = rusqlite::Connection::open(&path).unwrap();
        let transaction = conn.transaction().unwrap();
        let mut txn = SqliteTxn::on(&transaction, &world.scene.tenant);
        let (mut found, mut gave_up) = (0, 0);
        for (key, value) in leads.iter().flat_map(|lead| &lead.fields.custom) {
            let field = Field::Custom(key.clone());
            let Some(form) = value.forms().into_iter().next() else { continue };
            let mut conditions = vec![Resolved::Equals(field.clone(), vec![form.clone()])];
            if matches!(value, CustomValue::Integer(_) | CustomValue::Decimal(_) | CustomValue::Date(_)) {
                conditions.push(Resolved::Range { field, from: Some((form, true)), to: None });
            }
            for condition in conditions {
                let filter = Resolved::All(vec![condition]);
                let sort = Sort::descending(SortField::UpdatedAt);
                let scan = LeadScan { filter, trashed: false, sort, limit: 3, after: None };
                let asks = required(&scan.filter)[0];
                let collected = txn.scan_by(&scan, Way::Collect(asks)).unwrap();
                assert_eq!(txn.scan_by(&scan, Way::Plain).unwrap(), collected);
                // With nothing shorter, a walk goes on to its end.
                assert_eq!(txn.scan_by(&scan, Way::Walk { asks, few: 0 }).unwrap(), collected);
                gave_up += usize::from(txn.scan_asking(&scan, asks, MANY).unwrap().is_none());
                assert_eq!(txn.scan_by(&scan, Way::Walk { asks, few: MANY }).unwrap(), collected);
                found += collected.len();
            }
        }
        assert!(found > 50 && gave_up > 50, "the sample must say something: {found}, {gave_up}");
    }
}
