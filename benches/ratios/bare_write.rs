//! The writes as a good engineer writes them by hand: the same rows in the same tables, plain checks only.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use leadcore::domain::Series;
use leadcore::prelude::*;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::fixture::TENANT;

/// What one lead says; an empty text says nothing.
#[derive(Debug, Default, Clone)]
pub(crate) struct New<'a> {
    pub(crate) company: &'a str,
    pub(crate) given: &'a str,
    pub(crate) family: &'a str,
    pub(crate) job: &'a str,
    pub(crate) email: &'a str,
    pub(crate) phone: &'a str,
    pub(crate) street: &'a str,
    pub(crate) city: &'a str,
    pub(crate) postal_code: &'a str,
    pub(crate) country: &'a str,
    pub(crate) currency: &'a str,
    pub(crate) amount: Option<i64>,
    pub(crate) industry: &'a str,
    pub(crate) description: &'a str,
    pub(crate) external_id: &'a str,
    pub(crate) owner: &'a str,
    pub(crate) source: Option<[u8; 16]>,
}

/// Where new leads begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) pipeline: [u8; 16],
    pub(crate) stage: [u8; 16],
}

pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

pub(crate) fn new_id() -> [u8; 16] {
    thread_local!(static IDS: RandomIds = RandomIds::new());
    let at = Timestamp::from_micros(now()).unwrap();
    IDS.with(|ids| *ids.next_uuid(at).as_bytes())
}

const LEAD: &str = "INSERT INTO leadcore_lead (tenant, id, number, revision, kind, company, company_key, name, first_name, last_name, name_key, job_title, emails, phones, street, city, postal_code, country, currency, amount, industry, description, owner, source, external_ids, pipeline, stage, stage_entered_at, created_at, updated_at, active_at, rank, state, search) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)";

fn said(text: &str) -> Option<&str> {
    if text.is_empty() { None } else { Some(text) }
}

/// On top of its column: what came later sorts before what came earlier.
fn rank(at: i64, number: i64) -> String {
    format!("{:016x}{:08x}i", i64::MAX - at, 0xffff_ffff_i64 - number)
}

pub(crate) fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

pub(crate) fn digits(text: &str) -> String {
    text.bytes().filter(u8::is_ascii_digit).map(char::from).collect()
}

impl New<'_> {
    fn name(&self) -> String {
        format!("{} {}", self.given, self.family).trim().to_owned()
    }

    /// The rows of one lead in the table, the keys and the search index; returns its id.
    pub(crate) fn insert(&self, conn: &Connection, place: Place, number: i64, at: i64) -> [u8; 16] {
        let (id, name, digits) = (new_id(), self.name(), digits(self.phone));
        let (company_key, name_key) = (self.company.to_lowercase(), name.to_lowercase());
        let email = self.email.to_lowercase();
        let emails = said(self.email).map(|email| format!("[{{\"value\":\"{}\"}}]", quoted(email)));
        let phones = said(self.phone).map(|phone| {
            let text = quoted(phone);
            format!("[{{\"value\":{{\"text\":\"{text}\",\"e164\":\"+{digits}\",\"valid\":true}}}}]")
        });
        let external = said(self.external_id).map(|id| format!("[\"import:{}\"]", quoted(id)));
        let mut search = String::with_capacity(120);
        let number_text = number.to_string();
        for text in [company_key.as_str(), &name_key, &email, &digits, &number_text] {
            for word in text.split_whitespace() {
                search.push_str("  ");
                search.push_str(word);
            }
        }
        let kind = if self.company.is_empty() { "consumer" } else { "company" };
        let row = params![
            TENANT,
            id,
            number,
            kind,
            said(self.company),
            company_key,
            said(&name),
            said(self.given),
            said(self.family),
            name_key,
            said(self.job),
            emails,
            phones,
            said(self.street),
            said(self.city),
            said(self.postal_code),
            said(self.country),
            said(self.currency),
            self.amount,
            said(self.industry),
            said(self.description),
            said(self.owner),
            self.source,
            external,
            place.pipeline,
            place.stage,
            at,
            at,
            at,
            at,
            rank(at, number),
            search
        ];
        conn.prepare_cached(LEAD).unwrap().execute(row).unwrap();
        let rid = conn.last_insert_rowid();
        let key = "INSERT OR IGNORE INTO leadcore_lead_key (tenant, kind, key, lead) VALUES (?, ?, ?, ?)";
        let mut key = conn.prepare_cached(key).unwrap();
        for (kind, text) in [("external", self.external_id), ("email", &email), ("phone", &digits)] {
            if !text.is_empty() {
                key.execute(params![TENANT, kind, text, rid]).unwrap();
            }
        }
        let mut index =
            conn.prepare_cached("INSERT INTO leadcore_lead_search (rowid, search) VALUES (?, ?)").unwrap();
        index.execute(params![rid, search]).unwrap();
        id
    }
}

/// Counts to be added to the tallies.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: HashMap<(&'static str, Vec<u8>), i64>,
    /// Leads and amounts, split at 1,000,000,000 units, by stage and currency.
    sums: HashMap<([u8; 16], String), (i64, i64, i64)>,
}

impl Tally {
    pub(crate) fn count(&mut self, lead: &New<'_>, place: Place) {
        let source = lead.source.map(|id| id.to_vec()).unwrap_or_default();
        let keys = [
            ("all", Vec::new()),
            ("stage", place.stage.to_vec()),
            ("source", source),
            ("category", Vec::new()),
            ("owner", lead.owner.as_bytes().to_vec()),
        ];
        for key in keys {
            *self.counts.entry(key).or_default() += 1;
        }
        if let Some(amount) = lead.amount {
            let sum = self.sums.entry((place.stage, lead.currency.to_owned())).or_default();
            *sum = (sum.0 + 1, sum.1 + amount / SPLIT, sum.2 + amount % SPLIT);
        }
    }

    pub(crate) fn write(&self, conn: &Connection) {
        for ((dim, key), n) in &self.counts {
            add(conn, dim, key, 0, *n);
        }
        for ((stage, currency), (leads, high, low)) in &self.sums {
            add_sum(conn, stage, currency, 0, [*leads, *high, *low]);
        }
    }
}

const SPLIT: i64 = 1_000_000_000;

fn add_sum(conn: &Connection, stage: &[u8], currency: &str, state: i64, by: [i64; 3]) {
    let sql = "INSERT INTO leadcore_stage_sum (tenant, stage, currency, state, leads, plain_high, plain_low, own_high, own_low, weighted_high, weighted_low) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, 0, 0) ON CONFLICT (tenant, stage, currency, state) DO UPDATE SET leads = leads + ?5, plain_high = plain_high + ?6, plain_low = plain_low + ?7";
    let [leads, high, low] = by;
    conn.prepare_cached(sql)
        .unwrap()
        .execute(params![TENANT, stage, currency, state, leads, high, low])
        .unwrap();
}

/// An amount leaves one cell of the sums for another.
pub(crate) fn move_sum(conn: &Connection, currency: &str, amount: i64, from: (&[u8], i64), to: (&[u8], i64)) {
    let (high, low) = (amount / SPLIT, amount % SPLIT);
    add_sum(conn, from.0, currency, from.1, [-1, -high, -low]);
    add_sum(conn, to.0, currency, to.1, [1, high, low]);
}

pub(crate) fn add(conn: &Connection, dim: &str, key: &[u8], state: i64, n: i64) {
    let sql = "INSERT INTO leadcore_tally (tenant, dim, key, state, n) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (tenant, dim, key, state) DO UPDATE SET n = n + ?5";
    conn.prepare_cached(sql).unwrap().execute(params![TENANT, dim, key, state, n]).unwrap();
}

/// The first of some new numbers of the standard series of a kind.
pub(crate) fn numbers(conn: &Connection, series: Series, count: i64) -> i64 {
    let sql = "INSERT INTO leadcore_number (tenant, series, year, next) VALUES (?1, ?2, 0, 1 + ?3) ON CONFLICT (tenant, series, year) DO UPDATE SET next = next + ?3 RETURNING next - ?3";
    let id = series.standard().as_uuid().into_bytes();
    conn.prepare_cached(sql).unwrap().query_row(params![TENANT, id, count], |row| row.get(0)).unwrap()
}

pub(crate) fn operation(conn: &Connection, kind: &str, at: i64, outcome: Option<&str>) -> i64 {
    let sql = "INSERT INTO leadcore_operation (tenant, id, kind, actor, at, state, outcome) VALUES (?, ?, ?, 'ada', ?, 'done', ?)";
    conn.prepare_cached(sql).unwrap().execute(params![TENANT, new_id(), kind, at, outcome]).unwrap();
    conn.last_insert_rowid()
}

pub(crate) fn entry(conn: &Connection, operation: i64, at: i64, kind: &str, id: [u8; 16], action: &str) {
    let sql = "INSERT INTO leadcore_entry (tenant, operation, at, subject_kind, subject_id, action, topics) VALUES (?, ?, ?, ?, ?, ?, 0)";
    conn.prepare_cached(sql).unwrap().execute(params![TENANT, operation, at, kind, id, action]).unwrap();
}

/// One lead in a transaction of its own, with everything that goes with it.
pub(crate) fn create(conn: &Connection, lead: &New<'_>, place: Place) {
    conn.prepare_cached("BEGIN IMMEDIATE").unwrap().execute([]).unwrap();
    let at = now();
    let number = numbers(conn, Series::Lead, 1);
    let id = lead.insert(conn, place, number, at);
    let mut tally = Tally::default();
    tally.count(lead, place);
    tally.write(conn);
    let operation = operation(conn, "create", at, None);
    entry(conn, operation, at, "lead", id, "created");
    conn.prepare_cached("COMMIT").unwrap().execute([]).unwrap();
}

/// The row of a lead that moves, with the values that go into its history.
const MOVING: &str = "SELECT stage, rank, coalesce(currency, ''), amount, number FROM leadcore_lead WHERE tenant = ?1 AND id = ?2 AND state = 0 AND trashed_at IS NULL";
const MOVE: &str = "UPDATE leadcore_lead SET stage = ?1, stage_entered_at = ?2, updated_at = ?2, active_at = ?2, rank = ?3, closed_at = NULL, outcome = NULL, reason = NULL, reason_detail = NULL, revision = revision + 1 WHERE tenant = ?4 AND id = ?5";
const CHANGED: &str = "INSERT INTO leadcore_entry (tenant, operation, at, subject_kind, subject_id, action, changes, topics) VALUES (?, ?, ?, 'lead', ?, 'moved', ?, 0)";

/// A move to an open stage in a transaction of its own: counts, sums, history.
pub(crate) fn move_to(conn: &Connection, lead: [u8; 16], stage: [u8; 16]) {
    conn.prepare_cached("BEGIN IMMEDIATE").unwrap().execute([]).unwrap();
    let at = now();
    /// Stage, rank, currency, amount, number.
    type Moving = (Vec<u8>, String, String, Option<i64>, i64);
    let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Moving> {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
    };
    let moving =
        conn.prepare_cached(MOVING).unwrap().query_row(params![TENANT, lead], row).optional().unwrap();
    if let Some((from, old, currency, amount, number)) = moving {
        let new = rank(at, number);
        conn.prepare_cached(MOVE).unwrap().execute(params![stage, at, new, TENANT, lead]).unwrap();
        add(conn, "stage", &from, 0, -1);
        add(conn, "stage", &stage, 0, 1);
        if let Some(amount) = amount {
            move_sum(conn, &currency, amount, (&from, 0), (&stage, 0));
        }
        let (was, is) = (uuid::Uuid::from_slice(&from).unwrap(), uuid::Uuid::from_bytes(stage));
        let changes = format!(
            "[{{\"field\":\"stage\",\"before\":\"{was}\",\"after\":\"{is}\"}},{{\"field\":\"rank\",\"before\":\"{old}\",\"after\":\"{new}\"}}]"
        );
        let operation = operation(conn, "move", at, None);
        conn.prepare_cached(CHANGED).unwrap().execute(params![TENANT, operation, at, lead, changes]).unwrap();
    }
    conn.prepare_cached("COMMIT").unwrap().execute([]).unwrap();
}

const MASS_ENTRIES: &str = "INSERT INTO leadcore_entry (tenant, operation, at, subject_kind, subject_id, action, changes, topics) SELECT tenant, ?2, ?3, 'lead', id, 'updated', json_array(json_object('field', 'industry', 'before', industry, 'after', ?4)), 0 FROM leadcore_lead WHERE tenant = ?1 AND state = 0 AND trashed_at IS NULL AND industry IS NOT ?4";
const MASS_EDIT: &str = "UPDATE leadcore_lead SET industry = ?2, updated_at = ?3, revision = revision + 1 WHERE tenant = ?1 AND state = 0 AND trashed_at IS NULL AND industry IS NOT ?2";

/// One value for every open lead, each with an entry in the journal; the operation and how many.
pub(crate) fn mass_edit(conn: &Connection, industry: &str) -> (i64, usize) {
    conn.execute_batch("BEGIN IMMEDIATE").unwrap();
    let at = now();
    let operation = operation(conn, "edit", at, None);
    conn.execute(MASS_ENTRIES, params![TENANT, operation, at, industry]).unwrap();
    let changed = conn.execute(MASS_EDIT, params![TENANT, industry, at]).unwrap();
    conn.execute_batch("COMMIT").unwrap();
    (operation, changed)
}

const UNDO_ENTRIES: &str = "INSERT INTO leadcore_entry (tenant, operation, at, subject_kind, subject_id, action, changes, topics) SELECT e.tenant, ?2, ?3, 'lead', e.subject_id, 'updated', json_array(json_object('field', 'industry', 'before', l.industry, 'after', e.changes ->> '$[0].before')), 0 FROM leadcore_entry e JOIN leadcore_lead l ON l.tenant = e.tenant AND l.id = e.subject_id WHERE e.tenant = ?1 AND e.operation = ?4 AND l.state < 2 AND l.industry IS e.changes ->> '$[0].after'";
const UNDO: &str = "UPDATE leadcore_lead AS l SET industry = e.changes ->> '$[0].before', updated_at = ?2, revision = l.revision + 1 FROM leadcore_entry e WHERE e.tenant = ?1 AND e.operation = ?3 AND l.tenant = e.tenant AND l.id = e.subject_id AND l.state < 2 AND l.industry IS e.changes ->> '$[0].after'";

/// Takes that back where the lead still has the value.
pub(crate) fn undo(conn: &Connection, undone: i64) -> usize {
    conn.execute_batch("BEGIN IMMEDIATE").unwrap();
    let at = now();
    let operation = operation(conn, "undo", at, None);
    conn.execute(UNDO_ENTRIES, params![TENANT, operation, at, undone]).unwrap();
    let changed = conn.execute(UNDO, params![TENANT, at, undone]).unwrap();
    conn.execute_batch("COMMIT").unwrap();
    changed
}

/// Whether a text can be an e-mail address: the check that most programs make.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let plain = |text: &str| !text.is_empty() && !text.contains(['@', ' ', '"', '<', '>']);
    plain(local)
        && plain(domain)
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
}

/// Reads a file and writes its leads in transactions of 10,000 rows: trimmed, e-mails checked, known ones passed over.
pub(crate) fn import(conn: &Connection, file: &std::path::Path, place: Place) -> u64 {
    let mut reader = csv::ReaderBuilder::new().from_path(file).unwrap();
    import_rows(conn, place, |record| reader.read_record(record).unwrap())
}

/// The same for rows from anywhere; `next` fills the record, and says whether there was one.
pub(crate) fn import_rows(
    conn: &Connection,
    place: Place,
    mut next: impl FnMut(&mut csv::StringRecord) -> bool,
) -> u64 {
    let mut record = csv::StringRecord::new();
    let (mut created, mut operation_rid) = (0, None);
    loop {
        conn.execute_batch("BEGIN IMMEDIATE").unwrap();
        let at = now();
        let operation = *operation_rid.get_or_insert_with(|| operation(conn, "import", at, None));
        let known = "SELECT 1 FROM leadcore_lead_key WHERE tenant = ? AND kind = ? AND key = ?";
        let (mut known, mut rows) = (conn.prepare_cached(known).unwrap(), 0);
        let (mut tally, mut number) = (Tally::default(), numbers(conn, Series::Lead, 10_000));
        while rows < 10_000 && next(&mut record) {
            rows += 1;
            let cell = |n: usize| record.get(n).unwrap_or_default().trim();
            let (email, external_id) = (cell(4), cell(14));
            if !email.is_empty() && !is_email(email) {
                continue;
            }
            let mut is_known =
                |kind, key: &str| !key.is_empty() && known.exists(params![TENANT, kind, key]).unwrap();
            if is_known("external", external_id)
                || is_known("email", &email.to_lowercase())
                || is_known("phone", &digits(cell(5)))
            {
                continue;
            }
            let amount = cell(11).parse::<f64>().ok();
            #[expect(clippy::cast_possible_truncation, reason = "an amount of money")]
            let lead = New {
                company: cell(0),
                given: cell(1),
                family: cell(2),
                job: cell(3),
                email,
                phone: cell(5),
                street: cell(6),
                city: cell(7),
                postal_code: cell(8),
                country: cell(9),
                currency: cell(10),
                amount: amount.map(|amount| (amount * 10_000.0) as i64),
                industry: cell(12),
                description: cell(13),
                external_id,
                owner: "ada",
                source: None,
            };
            let id = lead.insert(conn, place, number, at);
            number += 1;
            created += 1;
            tally.count(&lead, place);
            entry(conn, operation, at, "lead", id, "created");
        }
        tally.write(conn);
        conn.execute_batch("COMMIT").unwrap();
        if rows < 10_000 {
            return created;
        }
    }
}
