//! A conversion as a good engineer writes it by hand: one read of the lead, then the same rows in the same tables.

use leadcore::domain::Series;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::bare_write::{add, digits, move_sum, new_id, now, numbers, quoted};
use crate::fixture::{BUDGET, SCORE, TENANT};

/// What the bare program needs of a lead.
#[derive(Debug)]
struct Row {
    stage: Vec<u8>,
    source: Option<Vec<u8>>,
    owner: Option<String>,
    currency: String,
    amount: Option<i64>,
    company: Option<String>,
    name: Option<String>,
    emails: Option<String>,
    phones: Option<String>,
    custom: Option<String>,
}

const LEAD: &str = "SELECT stage, source, owner, coalesce(currency, ''), amount, company, name, emails, phones, custom FROM leadcore_lead WHERE tenant = ? AND id = ? AND converted_at IS NULL";
const FREEZE: &str = "UPDATE leadcore_lead SET state = 2, converted_at = ?1, account = ?2, updated_at = ?1, revision = revision + 1, converted_by = ?3 WHERE tenant = ?4 AND id = ?5";
const ACCOUNT: &str = "INSERT INTO leadcore_account (tenant, id, number, revision, kind, name, status, emails, phones, website, street, city, state_region, postal_code, country, tax_id, currency, currency_symbol, industry, description, owner, category, created_at, updated_at, name_key, search, series, year) SELECT tenant, ?1, ?2, 1, kind, coalesce(company, name, '?'), 'customer', emails, phones, website, street, city, state_region, postal_code, country, tax_id, currency, currency_symbol, industry, description, owner, category, ?3, ?3, ?6, ?7, ?8, 0 FROM leadcore_lead WHERE tenant = ?4 AND id = ?5";
const CONTACT: &str = "INSERT INTO leadcore_contact (tenant, id, revision, name, first_name, last_name, job_title, emails, phones, created_at, updated_at, name_key, search) SELECT tenant, ?1, 1, name, first_name, last_name, job_title, emails, phones, ?2, ?2, ?5, ?6 FROM leadcore_lead WHERE tenant = ?3 AND id = ?4";
const BLOCK: &str =
    "INSERT OR IGNORE INTO leadcore_block_key (tenant, of, kind, key, subject) VALUES (?, ?, ?, ?, ?)";
const LINK: &str =
    "INSERT INTO leadcore_link (tenant, from_kind, from_id, role, to_kind, to_id) VALUES (?, ?, ?, ?, ?, ?)";
const OPERATION: &str = "INSERT INTO leadcore_operation (tenant, id, kind, actor, at, key, state, outcome) VALUES (?, ?, 'convert', 'ada', ?, ?, 'done', ?)";
const ENTRY: &str = "INSERT INTO leadcore_entry (tenant, operation, at, subject_kind, subject_id, action, other_kind, other_id, topics) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// The values of the `value` (or `e164`) of a JSON list that leadcore wrote.
fn values<'t>(json: Option<&'t str>, name: &str) -> Vec<&'t str> {
    let json = json.unwrap_or_default();
    let (start, mut found) = (format!("\"{name}\":\""), Vec::new());
    let mut rest = json;
    while let Some(at) = rest.find(&start) {
        rest = &rest[at + start.len()..];
        let end = rest.find('"').unwrap_or(rest.len());
        found.push(&rest[..end]);
        rest = &rest[end..];
    }
    found
}

fn search(parts: &[&str]) -> String {
    let mut search = String::with_capacity(120);
    for word in parts.iter().flat_map(|part| part.split_whitespace()) {
        search.push_str("  ");
        search.push_str(word);
    }
    search
}

fn keys(conn: &Connection, of: &str, subject: [u8; 16], keys: &[(&str, &str)]) {
    let mut add = conn.prepare_cached(BLOCK).unwrap();
    for (kind, key) in keys.iter().filter(|(_, key)| !key.is_empty()) {
        add.execute(params![TENANT, of, kind, key, subject]).unwrap();
    }
}

fn index(conn: &Connection, sql: &str, search: &str) {
    let rid = conn.last_insert_rowid();
    conn.prepare_cached(sql).unwrap().execute(params![rid, search]).unwrap();
}

fn counts(conn: &Connection, row: Row) {
    if let Some(amount) = row.amount {
        move_sum(conn, &row.currency, amount, (&row.stage, 0), (&row.stage, 2));
    }
    let custom = row.custom.unwrap_or_default();
    for key in [BUDGET, SCORE].into_iter().filter(|key| custom.contains(key)) {
        add(conn, "field", key.as_bytes(), 0, -1);
        add(conn, "field", key.as_bytes(), 2, 1);
    }
    let keys = [
        ("all", Vec::new()),
        ("stage", row.stage),
        ("source", row.source.unwrap_or_default()),
        ("category", Vec::new()),
        ("owner", row.owner.unwrap_or_default().into_bytes()),
    ];
    for (dim, key) in keys {
        add(conn, dim, &key, 0, -1);
        add(conn, dim, &key, 2, 1);
    }
}

fn uuid(bytes: [u8; 16]) -> uuid::Uuid {
    uuid::Uuid::from_bytes(bytes)
}

/// Account, contact, links, keys, search, counts, history; in the transaction that is open.
pub(crate) fn convert(conn: &Connection, lead: [u8; 16]) {
    let row = conn
        .prepare_cached(LEAD)
        .unwrap()
        .query_row(params![TENANT, lead], |row| {
            Ok(Row {
                stage: row.get(0)?,
                source: row.get(1)?,
                owner: row.get(2)?,
                currency: row.get(3)?,
                amount: row.get(4)?,
                company: row.get(5)?,
                name: row.get(6)?,
                emails: row.get(7)?,
                phones: row.get(8)?,
                custom: row.get(9)?,
            })
        })
        .optional()
        .unwrap();
    let Some(row) = row else { return };
    let (at, account, operation) = (now(), new_id(), new_id());
    let contact = row.name.is_some().then(new_id);
    let number = numbers(conn, Series::Account, 1);
    conn.prepare_cached(FREEZE).unwrap().execute(params![at, account, operation, TENANT, lead]).unwrap();

    let title = row.company.as_deref().or(row.name.as_deref()).unwrap_or("?").to_lowercase();
    let person = row.name.as_deref().unwrap_or_default().to_lowercase();
    let emails: Vec<String> =
        values(row.emails.as_deref(), "value").iter().map(|email| email.to_lowercase()).collect();
    let phones: Vec<String> =
        values(row.phones.as_deref(), "e164").iter().map(|phone| digits(phone)).collect();
    let reached = |own: &[&str]| {
        let addresses = emails.iter().chain(&phones).map(String::as_str);
        search(&own.iter().copied().chain(addresses).collect::<Vec<_>>())
    };
    let written = number.to_string();
    let text = reached(&[&title, &written]);
    let series = Series::Account.standard().as_uuid().into_bytes();
    let made = params![account, number, at, TENANT, lead, title, text, series];
    conn.prepare_cached(ACCOUNT).unwrap().execute(made).unwrap();
    index(conn, "INSERT INTO leadcore_account_search (rowid, search) VALUES (?, ?)", &text);
    let mut found_by: Vec<(&str, &str)> = emails.iter().map(|email| ("email", email.as_str())).collect();
    found_by.extend(phones.iter().map(|phone| ("phone", phone.as_str())));
    let mut of_account = found_by.clone();
    of_account.extend(emails.iter().filter_map(|email| Some(("domain", email.split_once('@')?.1))));
    of_account.extend([("company", title.as_str()), ("number", &written)]);
    keys(conn, "account", account, &of_account);
    if let Some(contact) = contact {
        let text = reached(&[&person]);
        let made = params![contact, at, TENANT, lead, person, text];
        conn.prepare_cached(CONTACT).unwrap().execute(made).unwrap();
        index(conn, "INSERT INTO leadcore_contact_search (rowid, search) VALUES (?, ?)", &text);
        found_by.push(("person", &person));
        keys(conn, "contact", contact, &found_by);
    }
    let ends = (lead, account, contact);
    history(conn, ends, (operation, number, at));
    counts(conn, row);
}

/// The links, the operation with its outcome, and an entry for each record.
fn history(
    conn: &Connection,
    (lead, account, contact): ([u8; 16], [u8; 16], Option<[u8; 16]>),
    (operation, number, at): ([u8; 16], i64, i64),
) {
    let mut links = vec![("lead", lead, "converted_to", "account", account)];
    if let Some(contact) = contact {
        links.push(("account", account, "primary_contact", "contact", contact));
        links.push(("lead", lead, "primary_contact", "contact", contact));
    }
    let mut link = conn.prepare_cached(LINK).unwrap();
    let mut told = Vec::new();
    for (kind, from, role, to_kind, to) in links {
        link.execute(params![TENANT, kind, from, role, to_kind, to]).unwrap();
        told.push(format!(
            "{{\"from\":{{\"kind\":\"{kind}\",\"id\":\"{}\"}},\"role\":\"{role}\",\"to\":{{\"kind\":\"{to_kind}\",\"id\":\"{}\"}}}}",
            uuid(from),
            uuid(to)
        ));
    }
    let contacts = contact.map(|contact| format!("\"{}\"", uuid(contact))).unwrap_or_default();
    let outcome = format!(
        "{{\"operation\":\"{}\",\"lead\":\"{}\",\"account\":\"{}\",\"account_number\":{number},\"contacts\":[{contacts}],\"links\":[{}]}}",
        uuid(operation),
        uuid(lead),
        uuid(account),
        told.join(",")
    );
    let key = quoted(&format!("lead:{}", uuid(lead)));
    conn.prepare_cached(OPERATION).unwrap().execute(params![TENANT, operation, at, key, outcome]).unwrap();
    let rid = conn.last_insert_rowid();
    let mut entry = conn.prepare_cached(ENTRY).unwrap();
    let mut tell =
        |kind: &str, id: [u8; 16], action: &str, other_kind: &str, other: [u8; 16], topics: i64| {
            entry.execute(params![TENANT, rid, at, kind, id, action, other_kind, other, topics]).unwrap();
        };
    tell("lead", lead, "converted", "account", account, 64);
    tell("account", account, "created", "lead", lead, 1);
    if let Some(contact) = contact {
        tell("contact", contact, "created", "account", account, 16);
    }
}
