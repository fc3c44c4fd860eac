//! The leads port: rows, keys, search index and tallies change together.

use leadcore::domain::{Field, FieldValue, Lead, MatchKey, MatchKind, StageSum};
use leadcore::error::{Conflict, Error, Result};
use leadcore::id::{AccountId, LeadId, Revision};
use leadcore::query::{LeadScan, Resolved};
use leadcore::store::{Derived, LeadChange, Leads, Tallies};
use leadcore::time::Date;

use rusqlite::OptionalExtension as _;

use crate::error::{StoreResult as _, parent_missing};
use crate::row::{Binder, Columns, select_lead, signed, state_number};
use crate::txn::SqliteTxn;

use super::tally::Deltas;

const INSERT: &str = "INSERT INTO leadcore_lead (tenant, id, number, revision, kind, company, company_key, name, salutation, first_name, last_name, name_suffix, name_key, job_title, emails, phones, website, street, city, state_region, postal_code, country, tax_id, currency, currency_symbol, amount, probability, expected_close, score, industry, description, owner, source, campaign, campaign_key, category, location, partner, labels, external_ids, custom, pipeline, stage, stage_entered_at, created_at, updated_at, active_at, follow_up, follow_up_day, rank, state, closed_at, outcome, reason, reason_detail, converted_at, account, converted_by, trashed_at, trashed_by, search) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const UPDATE: &str = "UPDATE leadcore_lead SET number = ?1, revision = ?2, kind = ?3, company = ?4, company_key = ?5, name = ?6, salutation = ?7, first_name = ?8, last_name = ?9, name_suffix = ?10, name_key = ?11, job_title = ?12, emails = ?13, phones = ?14, website = ?15, street = ?16, city = ?17, state_region = ?18, postal_code = ?19, country = ?20, tax_id = ?21, currency = ?22, currency_symbol = ?23, amount = ?24, probability = ?25, expected_close = ?26, score = ?27, industry = ?28, description = ?29, owner = ?30, source = ?31, campaign = ?32, campaign_key = ?33, category = ?34, location = ?35, partner = ?36, labels = ?37, external_ids = ?38, custom = ?39, pipeline = ?40, stage = ?41, stage_entered_at = ?42, created_at = ?43, updated_at = ?44, active_at = ?45, follow_up = ?46, follow_up_day = ?47, rank = ?48, state = ?49, closed_at = ?50, outcome = ?51, reason = ?52, reason_detail = ?53, converted_at = ?54, account = ?55, converted_by = ?56, trashed_at = ?57, trashed_by = ?58, search = ?59 WHERE rid = ?60";
/// The same for a lead that refers to what it referred to: without those columns SQLite has no foreign keys to check and
/// needs no savepoint of its own for each row, which costs more than the write.
const UPDATE_SAME: &str = "UPDATE leadcore_lead SET number = ?1, revision = ?2, kind = ?3, company = ?4, company_key = ?5, name = ?6, salutation = ?7, first_name = ?8, last_name = ?9, name_suffix = ?10, name_key = ?11, job_title = ?12, emails = ?13, phones = ?14, website = ?15, street = ?16, city = ?17, state_region = ?18, postal_code = ?19, country = ?20, tax_id = ?21, currency = ?22, currency_symbol = ?23, amount = ?24, probability = ?25, expected_close = ?26, score = ?27, industry = ?28, description = ?29, owner = ?30, campaign = ?32, campaign_key = ?33, labels = ?37, external_ids = ?38, custom = ?39, pipeline = ?40, stage_entered_at = ?42, created_at = ?43, updated_at = ?44, active_at = ?45, follow_up = ?46, follow_up_day = ?47, rank = ?48, state = ?49, closed_at = ?50, outcome = ?51, reason_detail = ?53, converted_at = ?54, account = ?55, converted_by = ?56, trashed_at = ?57, trashed_by = ?58, search = ?59 WHERE rid = ?60";
const ADD_KEY: &str = "INSERT INTO leadcore_lead_key (tenant, kind, key, lead) VALUES (?, ?, ?, ?)";
const DROP_KEY: &str = "DELETE FROM leadcore_lead_key WHERE tenant = ? AND kind = ? AND key = ? AND lead = ?";
const ADD_SEARCH: &str = "INSERT INTO leadcore_lead_search (rowid, search) VALUES (?, ?)";
// FTS5 with external content is told what it had indexed (sqlite.org/fts5.html, 4.4.3); its command column is named
// like the table.
// That is the stored text, never one computed anew: a word of it that is not taken out stays for ever.
/// The row of a lead of this revision, and its search text where that is another than the new one.
///
/// Read apart: an `UPDATE … RETURNING`, or an `INSERT … SELECT` into the search index, makes SQLite open a savepoint of its
/// own for each lead, and closing one walks all that the savepoint around it keeps.
const STORED: &str = "SELECT rid, CASE WHEN search = ?4 THEN NULL ELSE search END FROM leadcore_lead WHERE tenant = ?1 AND id = ?2 AND revision = ?3";
/// The same for a lead that was converted, or whose conversion was taken back, and has nothing else new: half of the indexes have
/// none of these columns, and neither keys nor search text move.
const CONVERT: &str = "UPDATE leadcore_lead SET revision = ?, updated_at = ?, state = ?, converted_at = ?, account = ?, converted_by = ? WHERE tenant = ? AND id = ? AND revision = ?";
/// What is missing when a foreign key of a lead fails.
const REFERENCE: &str = "a stage or term that the lead refers to";
const REVISION: &str = "SELECT revision FROM leadcore_lead WHERE tenant = ? AND id = ?";
const REMOVE: &str =
    "DELETE FROM leadcore_lead WHERE tenant = ? AND id = ? AND revision = ? RETURNING rid, search";
const FORGET_SEARCH: &str =
    "INSERT INTO leadcore_lead_search (leadcore_lead_search, rowid, search) VALUES ('delete', ?, ?)";
const DROP_MARKS: &str = "DELETE FROM leadcore_mark WHERE tenant = ? AND lead = ?";
const DERIVE: &str =
    "UPDATE leadcore_lead SET follow_up = ?, follow_up_day = ?, active_at = ? WHERE tenant = ? AND id = ?";
const GET: &str = select_lead!("WHERE l.tenant = ? AND l.id = ?");
const FIND: &str = "SELECT l.id FROM leadcore_lead_key k JOIN leadcore_lead l ON l.rid = k.lead WHERE k.tenant = ? AND k.kind = ? AND k.key = ? AND l.trashed_at IS NULL ORDER BY l.number";

impl SqliteTxn<'_> {
    fn insert_rows(&self, leads: &[Lead]) -> Result<()> {
        let mut insert = self.prepare(INSERT, "add a lead")?;
        let mut add_key = self.prepare(ADD_KEY, "add a key")?;
        let mut add_search = self.prepare(ADD_SEARCH, "add to the search index")?;
        let mut deltas = Deltas::default();
        for lead in leads {
            let mut binder = Binder::to(&mut insert);
            binder.bind(self.tenant_text())?;
            binder.id(lead.id.as_uuid())?;
            let search = lead.search_text();
            binder.lead(lead, search.as_str())?;
            insert.raw_execute().map_err(|error| parent_missing(error, REFERENCE))?;
            let rid = self.conn.last_insert_rowid();
            for key in lead.fields.match_keys() {
                add_key.execute((self.tenant_text(), key.kind.code(), key.key, rid)).store("add a key")?;
            }
            self.add_custom(lead, rid)?;
            add_search.execute((rid, search.as_str())).store("add to the search index")?;
            deltas.count(lead, 1)?;
        }
        self.apply(&deltas)
    }

    fn update_rows(&self, changes: &[LeadChange]) -> Result<()> {
        let mut update_all = self.prepare(UPDATE, "write a lead")?;
        let mut update_same = self.prepare(UPDATE_SAME, "write a lead")?;
        let mut stored = self.prepare(STORED, "read a lead")?;
        let mut forget = self.prepare(FORGET_SEARCH, "drop from the search index")?;
        let mut add_search = self.prepare(ADD_SEARCH, "add to the search index")?;
        let mut deltas = Deltas::default();
        for LeadChange { before, after } in changes {
            if is_conversion(before, after) {
                self.convert_row(before, after)?;
                deltas.count(before, -1)?;
                deltas.count(after, 1)?;
                continue;
            }
            let (id, search) = (before.id.as_uuid(), after.search_text());
            let revision = signed(before.revision.get())?;
            let row = (self.tenant_text(), id.as_bytes().as_slice(), revision, search.as_str());
            let found = stored.query_row(row, |row| Ok((row.get(0)?, row.get(1)?))).optional();
            let found: Option<(i64, Option<String>)> = found.store("read a lead")?;
            let Some((rid, old)) = found else { return Err(self.not_updated(before)?) };
            let moved = old.is_some();
            if let Some(old) = old {
                forget.execute((rid, old)).store("drop from the search index")?;
            }
            let update = if refers_alike(before, after) { &mut update_same } else { &mut update_all };
            let mut binder = Binder::to(update);
            binder.lead(after, search.as_str())?;
            binder.bind(rid)?;
            update.raw_execute().map_err(|error| parent_missing(error, REFERENCE))?;
            self.move_keys(before, after, rid)?;
            self.move_custom(before, after, rid)?;
            self.step(before, after, rid)?;
            if moved {
                add_search.execute((rid, search.as_str())).store("add to the search index")?;
            }
            deltas.count(before, -1)?;
            deltas.count(after, 1)?;
        }
        self.apply(&deltas)
    }

    fn convert_row(&self, before: &Lead, after: &Lead) -> Result<()> {
        let mut convert = self.prepare(CONVERT, "convert a lead")?;
        let mut binder = Binder::to(&mut convert);
        binder.number(after.revision.get())?;
        binder.time(after.updated_at)?;
        binder.bind(state_number(after.state()))?;
        let conversion = after.conversion.as_ref();
        binder.bind(conversion.map(|conversion| conversion.at.as_micros()))?;
        binder.optional_id(conversion.and_then(|conversion| conversion.account).map(AccountId::as_uuid))?;
        binder.optional_id(conversion.map(|conversion| conversion.operation.as_uuid()))?;
        binder.bind(self.tenant_text())?;
        binder.id(before.id.as_uuid())?;
        binder.number(before.revision.get())?;
        match convert.raw_execute().store("convert a lead")? {
            0 => Err(self.not_updated(before)?),
            _ => Ok(()),
        }
    }

    fn remove_rows(&self, leads: &[Lead]) -> Result<()> {
        let mut remove = self.prepare(REMOVE, "remove a lead")?;
        let mut drop_key = self.prepare(DROP_KEY, "drop a key")?;
        let mut forget = self.prepare(FORGET_SEARCH, "drop from the search index")?;
        let mut drop_marks = self.prepare(DROP_MARKS, "drop read marks")?;
        let mut deltas = Deltas::default();
        for lead in leads {
            let (id, revision) = (lead.id.as_uuid(), signed(lead.revision.get())?);
            let mut rows = remove
                .query((self.tenant_text(), id.as_bytes().as_slice(), revision))
                .store("remove a lead")?;
            let removed: Option<(i64, String)> = match rows.next().store("remove a lead")? {
                Some(row) => Some((row.get(0).store("remove a lead")?, row.get(1).store("remove a lead")?)),
                None => None,
            };
            while rows.next().store("remove a lead")?.is_some() {}
            drop(rows);
            let Some((rid, search)) = removed else { return Err(self.not_updated(lead)?) };
            for key in lead.fields.match_keys() {
                drop_key.execute((self.tenant_text(), key.kind.code(), &key.key, rid)).store("drop a key")?;
            }
            forget.execute((rid, search)).store("drop from the search index")?;
            self.drop_custom(lead)?;
            drop_marks.execute((self.tenant_text(), rid)).store("drop read marks")?;
            self.drop_steps(rid)?;
            deltas.count(lead, -1)?;
        }
        self.apply(&deltas)
    }

    fn not_updated(&self, lead: &Lead) -> Result<Error> {
        let mut statement = self.prepare(REVISION, "read a revision")?;
        let mut rows = statement
            .query((self.tenant_text(), lead.id.as_uuid().as_bytes().as_slice()))
            .store("read a revision")?;
        Ok(match rows.next().store("read a revision")? {
            None => Error::not_found("lead"),
            Some(row) => {
                let found: Revision = Columns::of(row).revision()?;
                Error::conflicting("lead", Conflict::StaleRevision { expected: lead.revision, found })
            }
        })
    }

    fn move_keys(&self, before: &Lead, after: &Lead, rid: i64) -> Result<()> {
        let (old, new) = (before.fields.match_keys(), after.fields.match_keys());
        if old != new {
            let mut drop_key = self.prepare(DROP_KEY, "drop a key")?;
            for key in old.iter().filter(|key| !new.contains(key)) {
                drop_key.execute((self.tenant_text(), key.kind.code(), &key.key, rid)).store("drop a key")?;
            }
            let mut add_key = self.prepare(ADD_KEY, "add a key")?;
            for key in new.iter().filter(|key| !old.contains(key)) {
                add_key.execute((self.tenant_text(), key.kind.code(), &key.key, rid)).store("add a key")?;
            }
        }
        Ok(())
    }

    /// Runs a write of several rows in a savepoint, so that a refused slice leaves nothing behind.
    fn all_or_none(&mut self, write: impl FnOnce(&Self) -> Result<()>) -> Result<()> {
        let mut write = Some(write);
        // The savepoint is this transaction's own, so the ports it hands over are not needed.
        let this: &Self = self;
        this.slice(|| write.take().map_or(Ok(()), |write| write(this)))
    }
}

impl Leads for SqliteTxn<'_> {
    fn insert(&mut self, leads: &[Lead]) -> Result<()> {
        self.all_or_none(|txn| txn.insert_rows(leads))
    }

    fn update(&mut self, changes: &[LeadChange]) -> Result<()> {
        self.all_or_none(|txn| txn.update_rows(changes))
    }

    fn remove(&mut self, leads: &[Lead]) -> Result<()> {
        self.slice(|| self.remove_rows(leads))
    }

    fn get(&mut self, ids: &[LeadId]) -> Result<Vec<Lead>> {
        let mut statement = self.prepare(GET, "read a lead")?;
        let mut leads = Vec::with_capacity(ids.len());
        for id in ids {
            let mut rows = statement
                .query((self.tenant_text(), id.as_uuid().as_bytes().as_slice()))
                .store("read a lead")?;
            if let Some(row) = rows.next().store("read a lead")? {
                leads.push(Columns::of(row).lead()?);
            }
        }
        Ok(leads)
    }

    fn find(&mut self, keys: &[MatchKey]) -> Result<Vec<(MatchKey, LeadId)>> {
        let mut keys: Vec<&MatchKey> = keys.iter().collect();
        keys.sort();
        keys.dedup();
        let mut statement = self.prepare(FIND, "find leads by a key")?;
        let mut found = Vec::new();
        for key in keys {
            if key.kind == MatchKind::Custom {
                found.extend(self.find_custom(key)?.into_iter().map(|id| (key.clone(), id)));
                continue;
            }
            let mut rows = statement
                .query((self.tenant_text(), key.kind.code(), &key.key))
                .store("find leads by a key")?;
            while let Some(row) = rows.next().store("find leads by a key")? {
                found.push((key.clone(), LeadId::from_uuid(Columns::of(row).uuid()?)));
            }
        }
        Ok(found)
    }

    fn scan(&mut self, scan: &LeadScan) -> Result<Vec<Lead>> {
        self.scan_leads(scan)
    }

    fn derive(&mut self, derived: &[Derived]) -> Result<()> {
        let mut statement = self.prepare(DERIVE, "write what follows from children")?;
        for lead in derived {
            let at = lead.follow_up.map(|follow_up| follow_up.at.as_micros());
            let day = lead.follow_up.and_then(|follow_up| follow_up.day).map(Date::as_days);
            let row = (
                at,
                day,
                lead.active_at.as_micros(),
                self.tenant_text(),
                lead.id.as_uuid().as_bytes().to_vec(),
            );
            statement.execute(row).store("write what follows from children")?;
        }
        Ok(())
    }
}

impl Tallies for SqliteTxn<'_> {
    fn count(&mut self, filter: &Resolved) -> Result<u64> {
        match self.tallied_count(filter)? {
            Some(count) => Ok(count),
            None => self.count_rows(filter),
        }
    }

    fn kept(&mut self, filter: &Resolved) -> Result<Option<u64>> {
        self.tallied_count(filter)
    }

    fn count_by(&mut self, filter: &Resolved, field: &Field) -> Result<Vec<(FieldValue, u64)>> {
        match self.tallied_groups(filter, field)? {
            Some(groups) => Ok(groups),
            None => self.count_groups(filter, field),
        }
    }

    fn sums(&mut self, filter: &Resolved) -> Result<Vec<StageSum>> {
        match self.kept_sums(filter)? {
            Some(sums) => Ok(sums),
            None => self.add_up(filter),
        }
    }
}

/// Whether nothing but the conversion of a lead is new.
fn is_conversion(before: &Lead, after: &Lead) -> bool {
    if before.conversion == after.conversion {
        return false;
    }
    let (revision, updated_at) = (after.revision, after.updated_at);
    *after == Lead { revision, updated_at, conversion: after.conversion.clone(), ..before.clone() }
}

/// Whether a lead refers to the same stage and terms before and after.
fn refers_alike(before: &Lead, after: &Lead) -> bool {
    let terms = |lead: &Lead| {
        let fields = &lead.fields;
        let reason = lead.closing.as_ref().and_then(|closing| closing.reason);
        (fields.source, fields.category, fields.location, fields.partner, reason)
    };
    before.stage == after.stage && terms(before) == terms(after)
}

/// The kinds of key that filters look into.
pub(crate) const fn key_kind(field: &Field) -> Option<MatchKind> {
    match field {
        Field::Email => Some(MatchKind::Email),
        Field::Phone => Some(MatchKind::Phone),
        Field::Labels => Some(MatchKind::Label),
        Field::ExternalId => Some(MatchKind::External),
        _ => None,
    }
}
