//! The port that places what hangs on leads.

use std::collections::{BTreeMap, BTreeSet};

use leadcore::domain::{FollowUp, Placed, Placement, Subject, SubjectKind, Tab, TabCount};
use leadcore::error::Result;
use leadcore::store::{ChildQuery, Children};
use leadcore::time::Date;
use uuid::Uuid;

use crate::error::StoreResult as _;
use crate::row::{Columns, corrupt};
use crate::txn::SqliteTxn;

const PLACE: &str = "INSERT INTO leadcore_child (tenant, subject_kind, subject_id, tab, open, at, child, child_kind, follow_up, follow_up_day) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
// Said, because SQLite would rather walk all children of the tenant, whose rows lie in the key.
const LIFT: &str = "DELETE FROM leadcore_child INDEXED BY leadcore_child_placed WHERE tenant = ? AND child_kind = ? AND child = ?";
const PLACED: &str = "SELECT subject_kind, subject_id, tab, open, at, follow_up, follow_up_day FROM leadcore_child INDEXED BY leadcore_child_placed WHERE tenant = ? AND child_kind = ? AND child = ?";
const COUNTS: &str = "SELECT tab, open, count(*) FROM leadcore_child WHERE tenant = ? AND subject_kind = ? AND subject_id = ? GROUP BY tab, open";
const TABS: &str =
    "SELECT DISTINCT tab FROM leadcore_child WHERE tenant = ? AND subject_kind = ? AND subject_id = ?";
const MEMBERS: &str =
    "SELECT tab, open, child FROM leadcore_child WHERE tenant = ? AND subject_kind = ? AND subject_id = ?";
const FOLLOW_UP_DAY: &str = "SELECT min(follow_up_day) FROM leadcore_child WHERE tenant = ? AND subject_kind = ? AND subject_id = ? AND follow_up_day IS NOT NULL";
const FOLLOW_UP: &str = "SELECT min(follow_up) FROM leadcore_child WHERE tenant = ? AND subject_kind = ? AND subject_id = ? AND follow_up IS NOT NULL";

/// One walk of the key, from its beginning or from behind a place.
pub(crate) fn tab_query(descending: bool, from_place: bool) -> String {
    let (order, behind) = if descending { ("DESC", "<") } else { ("ASC", ">") };
    let (place, limit) = if from_place {
        (format!(" AND (at, child) {behind} (?6, ?7)"), "?8")
    } else {
        (String::new(), "?6")
    };
    format!(
        "SELECT at, child, child_kind FROM leadcore_child WHERE tenant = ?1 AND subject_kind = ?2 AND subject_id = ?3 AND tab = ?4 AND open = ?5{place} ORDER BY at {order}, child {order} LIMIT {limit}"
    )
}

/// What pages ask besides: counts of one record and of several, the next follow-up, and where a child is.
#[cfg(test)]
pub(crate) const fn child_queries() -> [&'static str; 6] {
    [COUNTS, MEMBERS, FOLLOW_UP, FOLLOW_UP_DAY, PLACED, LIFT]
}

fn tab(columns: &mut Columns<'_, '_>) -> Result<Tab> {
    Tab::from_code(columns.text()?).ok_or_else(|| corrupt("tab"))
}

impl SqliteTxn<'_> {
    fn place_one(&self, placement: &Placement) -> Result<()> {
        let child = placement.child.id.as_bytes().as_slice();
        let mut statement = self.prepare(LIFT, "place a child")?;
        statement.execute((self.tenant_text(), placement.child.kind.code(), child)).store("place a child")?;
        let mut statement = self.prepare(PLACE, "place a child")?;
        for about in &placement.about {
            let row = (
                self.tenant_text(),
                about.kind.code(),
                about.id.as_bytes().as_slice(),
                placement.tab.code(),
                placement.is_open,
                placement.at.as_micros(),
                child,
                placement.child.kind.code(),
                placement.follow_up.map(|follow_up| follow_up.at.as_micros()),
                placement.follow_up.and_then(|follow_up| follow_up.day).map(Date::as_days),
            );
            statement.execute(row).store("place a child")?;
        }
        Ok(())
    }

    /// The tabs that any of these records has children in.
    fn tabs_of(&self, about: &[Subject]) -> Result<BTreeSet<Tab>> {
        let mut statement = self.prepare(TABS, "read the tabs of a record")?;
        let mut tabs = BTreeSet::new();
        for subject in about {
            let row = (self.tenant_text(), subject.kind.code(), subject.id.as_bytes().as_slice());
            let mut rows = statement.query(row).store("read the tabs of a record")?;
            while let Some(row) = rows.next().store("read the tabs of a record")? {
                tabs.insert(tab(&mut Columns::of(row))?);
            }
        }
        Ok(tabs)
    }

    /// One walk of the index: children about one record, in one tab, all open or all not.
    fn walk(&self, about: Subject, tab: &Tab, open: bool, query: &ChildQuery) -> Result<Vec<Placed>> {
        let sql = tab_query(query.descending, query.after.is_some());
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let mut statement = self.prepare(&sql, "list children")?;
        let (tenant, kind, id) = (self.tenant_text(), about.kind.code(), about.id.as_bytes().as_slice());
        let mut rows = match &query.after {
            Some(after) => {
                let behind = (after.at.as_micros(), after.child.as_bytes().as_slice());
                statement.query((tenant, kind, id, tab.code(), open, behind.0, behind.1, limit))
            }
            None => statement.query((tenant, kind, id, tab.code(), open, limit)),
        }
        .store("list children")?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().store("list children")? {
            let mut columns = Columns::of(row);
            let (at, child) = (columns.time()?, columns.uuid()?);
            let kind = columns.code("child", SubjectKind::from_code)?;
            found.push(Placed { child: Subject::new(kind, child), tab: tab.clone(), at, is_open: open });
        }
        Ok(found)
    }

    /// Counts of one record are counted by SQLite; children of several records are told apart here.
    fn count_members(&self, about: &[Subject]) -> Result<BTreeMap<Tab, (u64, u64)>> {
        let mut known: BTreeSet<Uuid> = BTreeSet::new();
        let mut counts: BTreeMap<Tab, (u64, u64)> = BTreeMap::new();
        let mut statement = self.prepare(MEMBERS, "count children")?;
        for subject in about {
            let row = (self.tenant_text(), subject.kind.code(), subject.id.as_bytes().as_slice());
            let mut rows = statement.query(row).store("count children")?;
            while let Some(row) = rows.next().store("count children")? {
                let mut columns = Columns::of(row);
                let (tab, open, child) = (tab(&mut columns)?, columns.int()?, columns.uuid()?);
                if known.insert(child) {
                    add(&mut counts, tab, open, 1);
                }
            }
        }
        Ok(counts)
    }
}

fn add(counts: &mut BTreeMap<Tab, (u64, u64)>, tab: Tab, open: i64, n: u64) {
    let (total, of_open) = counts.entry(tab).or_default();
    *total = total.saturating_add(n);
    *of_open = of_open.saturating_add(if open == 1 { n } else { 0 });
}

impl Children for SqliteTxn<'_> {
    fn place(&mut self, placements: &[Placement]) -> Result<()> {
        self.slice(|| placements.iter().try_for_each(|p| self.place_one(p)))
    }

    fn lift(&mut self, children: &[Subject]) -> Result<()> {
        let mut statement = self.prepare(LIFT, "lift a child")?;
        for child in children {
            let row = (self.tenant_text(), child.kind.code(), child.id.as_bytes().as_slice());
            statement.execute(row).store("lift a child")?;
        }
        Ok(())
    }

    fn list(&mut self, query: &ChildQuery) -> Result<Vec<Placed>> {
        let about: BTreeSet<Subject> = query.about.iter().copied().collect();
        let about: Vec<_> = about.into_iter().collect();
        let tabs =
            if query.tabs.is_empty() { self.tabs_of(&about)? } else { query.tabs.iter().cloned().collect() };
        let opens: &[bool] = match query.open {
            Some(true) => &[true],
            Some(false) => &[false],
            None => &[false, true],
        };
        let mut found = Vec::new();
        for subject in about {
            for tab in &tabs {
                for open in opens {
                    found.extend(self.walk(subject, tab, *open, query)?);
                }
            }
        }
        found.sort_by_key(Placed::place);
        found.dedup_by_key(|placed| placed.child);
        if query.descending {
            found.reverse();
        }
        found.truncate(query.limit);
        Ok(found)
    }

    fn counts(&mut self, about: &[Subject]) -> Result<Vec<TabCount>> {
        let about: BTreeSet<Subject> = about.iter().copied().collect();
        let about: Vec<_> = about.into_iter().collect();
        let mut counts = BTreeMap::new();
        if let [subject] = about.as_slice() {
            let mut statement = self.prepare(COUNTS, "count children")?;
            let row = (self.tenant_text(), subject.kind.code(), subject.id.as_bytes().as_slice());
            let mut rows = statement.query(row).store("count children")?;
            while let Some(row) = rows.next().store("count children")? {
                let mut columns = Columns::of(row);
                let (tab, open, n) = (tab(&mut columns)?, columns.int()?, columns.unsigned()?);
                add(&mut counts, tab, open, n);
            }
        } else {
            counts = self.count_members(&about)?;
        }
        Ok(counts.into_iter().map(|(tab, (total, open))| TabCount { tab, total, open }).collect())
    }

    fn placements(&mut self, children: &[Subject]) -> Result<Vec<Placement>> {
        let mut statement = self.prepare(PLACED, "read a placement")?;
        let mut found = Vec::new();
        for child in children {
            let row = (self.tenant_text(), child.kind.code(), child.id.as_bytes().as_slice());
            let mut rows = statement.query(row).store("read a placement")?;
            let mut placement: Option<Placement> = None;
            while let Some(row) = rows.next().store("read a placement")? {
                let mut columns = Columns::of(row);
                let about = Subject::new(columns.code("child", SubjectKind::from_code)?, columns.uuid()?);
                let (tab, open, at) = (tab(&mut columns)?, columns.int()?, columns.time()?);
                let follow_up = columns.follow_up()?;
                let one =
                    || Placement { child: *child, about: Vec::new(), tab, at, is_open: open == 1, follow_up };
                placement.get_or_insert_with(one).about.push(about);
            }
            if let Some(mut placement) = placement {
                placement.about.sort();
                found.push(placement);
            }
        }
        Ok(found)
    }

    fn follow_ups(&mut self, about: &[Subject]) -> Result<Vec<(Subject, FollowUp)>> {
        let mut statement = self.prepare(FOLLOW_UP, "read a follow-up")?;
        let mut days = self.prepare(FOLLOW_UP_DAY, "read a follow-up")?;
        let mut found = Vec::new();
        for subject in about {
            let row = (self.tenant_text(), subject.kind.code(), subject.id.as_bytes().as_slice());
            let mut rows = statement.query(row).store("read a follow-up")?;
            let Some(first) = rows.next().store("read a follow-up")? else { continue };
            let Some(at) = Columns::of(first).optional_time()? else { continue };
            let mut rows = days.query(row).store("read a follow-up")?;
            let day = match rows.next().store("read a follow-up")? {
                Some(row) => Columns::of(row).optional_date()?,
                None => None,
            };
            found.push((*subject, FollowUp { at, day }));
        }
        Ok(found)
    }
}
