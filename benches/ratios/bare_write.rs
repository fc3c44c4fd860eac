//! The writes as a good engineer writes them by hand: the same rows in the same tables, plain checks only.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

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

const LEAD: &str = "INSERT INTO leadcore_lead (tenant, id, number, revision, kind, company, company_key, name, first_name, last_name, name_key, job_title, emails, phones, street, city, postal_code, country, currency, amount, industry, description, owner, source, external_ids, pipeline, stage, stage_entered_at, created_at, updated_at, search) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

fn said(text: &str) -> Option<&str> {
    if text.is_empty() { None } else { Some(text) }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn digits(text: &str) -> String {
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
pub(crate) struct Tally(HashMap<(&'static str, Vec<u8>), i64>);

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
            *self.0.entry(key).or_default() += 1;
        }
    }

    pub(crate) fn write(&self, conn: &Connection) {
        for ((dim, key), n) in &self.0 {
            add(conn, dim, key, 0, *n);
        }
    }
}

fn add(conn: &Connection, dim: &str, key: &[u8], converted: i64, n: i64) {
    let sql = "INSERT INTO leadcore_tally (tenant, dim, key, converted, n) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (tenant, dim, key, converted) DO UPDATE SET n = n + ?5";
    conn.prepare_cached(sql).unwrap().execute(params![TENANT, dim, key, converted, n]).unwrap();
}

/// The first of some new numbers.
pub(crate) fn numbers(conn: &Connection, series: &str, count: i64) -> i64 {
    let sql = "INSERT INTO leadcore_number (tenant, series, next) VALUES (?1, ?2, 1 + ?3) ON CONFLICT (tenant, series) DO UPDATE SET next = next + ?3 RETURNING next - ?3";
    conn.prepare_cached(sql).unwrap().query_row(params![TENANT, series, count], |row| row.get(0)).unwrap()
}

pub(crate) fn operation(conn: &Connection, kind: &str, at: i64, outcome: Option<&str>) -> i64 {
    let sql = "INSERT INTO leadcore_operation (tenant, id, kind, actor, at, state, outcome) VALUES (?, ?, ?, 'ada', ?, 'done', ?)";
    conn.prepare_cached(sql).unwrap().execute(params![TENANT, new_id(), kind, at, outcome]).unwrap();
    conn.last_insert_rowid()
}

pub(crate) fn entry(conn: &Connection, operation: i64, at: i64, kind: &str, id: [u8; 16], action: &str) {
    let sql = "INSERT INTO leadcore_entry (tenant, operation, at, subject_kind, subject_id, action) VALUES (?, ?, ?, ?, ?, ?)";
    conn.prepare_cached(sql).unwrap().execute(params![TENANT, operation, at, kind, id, action]).unwrap();
}

/// One lead in a transaction of its own, with everything that goes with it.
pub(crate) fn create(conn: &Connection, lead: &New<'_>, place: Place) {
    conn.prepare_cached("BEGIN IMMEDIATE").unwrap().execute([]).unwrap();
    let at = now();
    let number = numbers(conn, "lead", 1);
    let id = lead.insert(conn, place, number, at);
    let mut tally = Tally::default();
    tally.count(lead, place);
    tally.write(conn);
    let operation = operation(conn, "create", at, None);
    entry(conn, operation, at, "lead", id, "created");
    conn.prepare_cached("COMMIT").unwrap().execute([]).unwrap();
}

const FREEZE: &str = "UPDATE leadcore_lead SET converted_at = ?1, account = ?2, updated_at = ?1, revision = revision + 1, converted_by = ?3 WHERE tenant = ?4 AND id = ?5 AND converted_at IS NULL RETURNING stage, source, owner, coalesce(company, name, '?'), name, first_name, last_name";
const ACCOUNT: &str = "INSERT INTO leadcore_account (tenant, id, number, revision, kind, name, status, emails, phones, website, street, city, state_region, postal_code, country, tax_id, currency, currency_symbol, industry, description, owner, category, created_at, updated_at) SELECT tenant, ?1, ?2, 1, kind, coalesce(company, name, '?'), 'customer', emails, phones, website, street, city, state_region, postal_code, country, tax_id, currency, currency_symbol, industry, description, owner, category, ?3, ?3 FROM leadcore_lead WHERE tenant = ?4 AND id = ?5";
const CONTACT: &str = "INSERT INTO leadcore_contact (tenant, id, revision, name, first_name, last_name, job_title, emails, phones, created_at, updated_at) SELECT tenant, ?1, 1, name, first_name, last_name, job_title, emails, phones, ?2, ?2 FROM leadcore_lead WHERE tenant = ?3 AND id = ?4";

/// A conversion in a transaction of its own: account, contact, links, counts, history.
pub(crate) fn convert(conn: &Connection, lead: [u8; 16]) {
    conn.prepare_cached("BEGIN IMMEDIATE").unwrap().execute([]).unwrap();
    let (at, account, contact) = (now(), new_id(), new_id());
    let number = numbers(conn, "account", 1);
    let outcome = format!("{{\"account\":\"{}\"}}", uuid::Uuid::from_bytes(account));
    let operation = operation(conn, "convert", at, Some(&outcome));
    let frozen = conn
        .prepare_cached(FREEZE)
        .unwrap()
        .query_row(params![at, account, new_id(), TENANT, lead], |row| {
            let source: Option<Vec<u8>> = row.get(1)?;
            let owner: Option<String> = row.get(2)?;
            Ok((row.get::<_, Vec<u8>>(0)?, source, owner))
        })
        .optional()
        .unwrap();
    let (stage, source, owner) = frozen.unwrap();
    let keys = [
        ("all", Vec::new()),
        ("stage", stage),
        ("source", source.unwrap_or_default()),
        ("category", Vec::new()),
        ("owner", owner.unwrap_or_default().into_bytes()),
    ];
    for (dim, key) in keys {
        add(conn, dim, &key, 0, -1);
        add(conn, dim, &key, 1, 1);
    }
    conn.prepare_cached(ACCOUNT).unwrap().execute(params![account, number, at, TENANT, lead]).unwrap();
    conn.prepare_cached(CONTACT).unwrap().execute(params![contact, at, TENANT, lead]).unwrap();
    let link = "INSERT INTO leadcore_link (tenant, from_kind, from_id, role, to_kind, to_id) VALUES (?, ?, ?, ?, ?, ?)";
    let mut link = conn.prepare_cached(link).unwrap();
    for (kind, from, role, to_kind, to) in [
        ("lead", lead, "converted_to", "account", account),
        ("account", account, "primary_contact", "contact", contact),
        ("lead", lead, "primary_contact", "contact", contact),
    ] {
        link.execute(params![TENANT, kind, from, role, to_kind, to]).unwrap();
    }
    for (kind, id, action) in
        [("lead", lead, "converted"), ("account", account, "created"), ("contact", contact, "created")]
    {
        entry(conn, operation, at, kind, id, action);
    }
    conn.prepare_cached("COMMIT").unwrap().execute([]).unwrap();
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
    let mut record = csv::StringRecord::new();
    let (mut created, mut operation_rid) = (0, None);
    loop {
        conn.execute_batch("BEGIN IMMEDIATE").unwrap();
        let at = now();
        let operation = *operation_rid.get_or_insert_with(|| operation(conn, "import", at, None));
        let known = "SELECT 1 FROM leadcore_lead_key WHERE tenant = ? AND kind = ? AND key = ?";
        let (mut known, mut rows) = (conn.prepare_cached(known).unwrap(), 0);
        let (mut tally, mut number) = (Tally::default(), numbers(conn, "lead", 10_000));
        while rows < 10_000 && reader.read_record(&mut record).unwrap() {
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
