//! A conversion as a good engineer writes it by hand: one read of the lead, then the same rows in the same tables.
//!
//! No statement of it makes SQLite open a savepoint.

use leadcore::domain::Series;
use leadcore::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::bare_write::{add, digits, move_sum, new_id, now, quoted};
use crate::fixture::{BUDGET, SCORE, TENANT};

/// What the bare program needs of a lead: what it works with, and what it only copies.
#[derive(Debug)]
struct Row {
    stage: Vec<u8>,
    source: Option<Vec<u8>>,
    amount: Option<i64>,
    custom: Option<String>,
    company: Option<String>,
    name: Option<String>,
    emails: Option<String>,
    phones: Option<String>,
    currency: Option<String>,
    owner: Option<String>,
    kind: Value,
    first_name: Value,
    last_name: Value,
    job_title: Value,
    website: Value,
    street: Value,
    city: Value,
    state_region: Value,
    postal_code: Value,
    country: Value,
    tax_id: Value,
    currency_symbol: Value,
    industry: Value,
    description: Value,
    category: Value,
}

const LEAD: &str = "SELECT stage, source, amount, custom, company, name, emails, phones, currency, owner, kind, first_name, last_name, job_title, website, street, city, state_region, postal_code, country, tax_id, currency_symbol, industry, description, category FROM leadcore_lead WHERE tenant = ? AND id = ? AND converted_at IS NULL";
const FREEZE: &str = "UPDATE leadcore_lead SET state = 2, converted_at = ?1, account = ?2, updated_at = ?1, revision = revision + 1, converted_by = ?3 WHERE tenant = ?4 AND id = ?5";
// From values, not from a `SELECT`: with that SQLite opens a savepoint for each statement, and the search indexes write out what
// they collected. For the same reason the next number is read and then written, without `RETURNING`.
const ACCOUNT: &str = "INSERT INTO leadcore_account (tenant, id, number, revision, kind, name, status, emails, phones, website, street, city, state_region, postal_code, country, tax_id, currency, currency_symbol, industry, description, owner, category, created_at, updated_at, name_key, search, series, year) VALUES (?, ?, ?, 1, ?, ?, 'customer', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)";
const CONTACT: &str = "INSERT INTO leadcore_contact (tenant, id, revision, name, first_name, last_name, job_title, emails, phones, created_at, updated_at, name_key, search) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const NEXT: &str = "SELECT next FROM leadcore_number WHERE tenant = ? AND series = ? AND year = 0";
const TAKEN: &str = "INSERT INTO leadcore_number (tenant, series, year, next) VALUES (?1, ?2, 0, ?3) ON CONFLICT (tenant, series, year) DO UPDATE SET next = ?3";
const BLOCK: &str =
    "INSERT OR IGNORE INTO leadcore_block_key (tenant, of, kind, key, subject) VALUES (?, ?, ?, ?, ?)";
const LINK: &str =
    "INSERT INTO leadcore_link (tenant, from_kind, from_id, role, to_kind, to_id) VALUES (?, ?, ?, ?, ?, ?)";
const OPERATION: &str = "INSERT INTO leadcore_operation (tenant, id, kind, actor, at, key, state, outcome) VALUES (?, ?, 'convert', 'ada', ?, ?, 'done', ?)";
const ENTRY: &str = "INSERT INTO leadcore_entry (tenant, operation, at, subject_kind, subject_id, action, other_kind, other_id, changes, topics) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

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
        let currency = row.currency.as_deref().unwrap_or_default();
        move_sum(conn, currency, amount, (&row.stage, 0), (&row.stage, 2));
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

fn read(conn: &Connection, lead: [u8; 16]) -> Option<Row> {
    let mut statement = conn.prepare_cached(LEAD).unwrap();
    let row = statement.query_row(params![TENANT, lead], |row| {
        Ok(Row {
            stage: row.get(0)?,
            source: row.get(1)?,
            amount: row.get(2)?,
            custom: row.get(3)?,
            company: row.get(4)?,
            name: row.get(5)?,
            emails: row.get(6)?,
            phones: row.get(7)?,
            currency: row.get(8)?,
            owner: row.get(9)?,
            kind: row.get(10)?,
            first_name: row.get(11)?,
            last_name: row.get(12)?,
            job_title: row.get(13)?,
            website: row.get(14)?,
            street: row.get(15)?,
            city: row.get(16)?,
            state_region: row.get(17)?,
            postal_code: row.get(18)?,
            country: row.get(19)?,
            tax_id: row.get(20)?,
            currency_symbol: row.get(21)?,
            industry: row.get(22)?,
            description: row.get(23)?,
            category: row.get(24)?,
        })
    });
    row.optional().unwrap()
}

/// The next number of the accounts.
fn next_number(conn: &Connection) -> (i64, [u8; 16]) {
    let series = Series::Account.standard().as_uuid().into_bytes();
    let next = conn.prepare_cached(NEXT).unwrap().query_row(params![TENANT, series], |row| row.get(0));
    let number: i64 = next.optional().unwrap().unwrap_or(1);
    conn.prepare_cached(TAKEN).unwrap().execute(params![TENANT, series, number + 1]).unwrap();
    (number, series)
}

/// Account, contact, links, keys, search, counts, history; in the transaction that is open.
pub(crate) fn convert(conn: &Connection, lead: [u8; 16]) {
    let Some(row) = read(conn, lead) else { return };
    let (at, account, operation) = (now(), new_id(), new_id());
    let contact = row.name.is_some().then(new_id);
    let (number, series) = next_number(conn);
    conn.prepare_cached(FREEZE).unwrap().execute(params![at, account, operation, TENANT, lead]).unwrap();

    let called = row.company.as_deref().or(row.name.as_deref()).unwrap_or("?");
    let (title, written) = (called.to_lowercase(), number.to_string());
    let person = row.name.as_deref().unwrap_or_default().to_lowercase();
    let emails: Vec<String> =
        values(row.emails.as_deref(), "value").iter().map(|email| email.to_lowercase()).collect();
    let phones: Vec<String> =
        values(row.phones.as_deref(), "e164").iter().map(|phone| digits(phone)).collect();
    let reached = |own: &[&str]| {
        let addresses = emails.iter().chain(&phones).map(String::as_str);
        search(&own.iter().copied().chain(addresses).collect::<Vec<_>>())
    };
    let text = reached(&[&title, &written]);
    let made = params![
        TENANT,
        account,
        number,
        row.kind,
        called,
        row.emails,
        row.phones,
        row.website,
        row.street,
        row.city,
        row.state_region,
        row.postal_code,
        row.country,
        row.tax_id,
        row.currency,
        row.currency_symbol,
        row.industry,
        row.description,
        row.owner,
        row.category,
        at,
        at,
        title,
        text,
        series
    ];
    conn.prepare_cached(ACCOUNT).unwrap().execute(made).unwrap();
    index(conn, "INSERT INTO leadcore_account_search (rowid, search) VALUES (?, ?)", &text);
    let mut found_by: Vec<(&str, &str)> = emails.iter().map(|email| ("email", email.as_str())).collect();
    found_by.extend(phones.iter().map(|phone| ("phone", phone.as_str())));
    let mut of_account = found_by.clone();
    of_account.extend(emails.iter().filter_map(|email| Some(("domain", email.split_once('@')?.1))));
    // As those write it who have no such letters.
    let spelled =
        title.replace(['ø', 'ö'], "oe").replace(['æ', 'ä'], "ae").replace('å', "aa").replace('ü', "ue");
    of_account.extend([("company", title.as_str()), ("company", spelled.as_str()), ("number", &written)]);
    keys(conn, "account", account, &of_account);
    if let Some(contact) = contact {
        let text = reached(&[&person]);
        let (first, last) = (&row.first_name, &row.last_name);
        let made = params![
            TENANT,
            contact,
            row.name,
            first,
            last,
            row.job_title,
            row.emails,
            row.phones,
            at,
            at,
            person,
            text
        ];
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
    let mut tell = |(kind, id): (&str, [u8; 16]), action, other: (&str, [u8; 16]), changes, topics: i64| {
        let told: Option<&str> = changes;
        let row = params![TENANT, rid, at, kind, id, action, other.0, other.1, told, topics];
        entry.execute(row).unwrap();
    };
    let changes = format!(
        "[{{\"field\":\"state\",\"before\":\"open\",\"after\":\"converted\"}},{{\"field\":\"converted_at\",\"after\":\"{}\"}},{{\"field\":\"account\",\"after\":\"{}\"}}]",
        Timestamp::from_micros(at).unwrap(),
        uuid(account)
    );
    tell(("lead", lead), "converted", ("account", account), Some(&changes), 64);
    tell(("account", account), "created", ("lead", lead), None, 1);
    if let Some(contact) = contact {
        tell(("contact", contact), "created", ("account", account), None, 16);
    }
}
