//! Keys that were computed by another version of the core: noticed, and computed anew.
//!
//! Folded names, match keys and the text of the search index are computed by the core and stored. When the rules change,
//! old values stay as they were: a search would miss them, and a name could be there twice. So the version of the rules
//! is stored beside them, and a store of another version is refused until [`rebuild_keys`] has run.

use leadcore::domain::{BlockKey, KEYS_VERSION, OpportunityFields, SearchText};
use leadcore::error::{Error, ErrorKind, Result};
use leadcore::value::fold;
use rusqlite::{Connection, Row};

use crate::error::StoreResult as _;
use crate::options::check_prefix;
use crate::repo::{ACCOUNT_COLUMNS, ADD_BLOCK, ADD_FIELD, CONTACT_COLUMNS, account, add_field, contact};
use crate::row::{Columns, select_lead};
use crate::txn::{in_savepoint, with_prefix};

/// How many leads are read at once.
const ROUND: i64 = 500;

/// Fails when the keys are not those of this build. The schema must be there.
pub(crate) fn check(conn: &Connection, prefix: &str) -> Result<()> {
    let found: Option<i64> = conn
        .query_row(&with_prefix("SELECT max(version) FROM main.leadcore_keys", prefix), [], |row| row.get(0))
        .store("read the version of the keys")?;
    if found == Some(i64::from(KEYS_VERSION)) {
        return Ok(());
    }
    let found = found.unwrap_or(0);
    Err(Error::new(
        ErrorKind::Unsupported,
        format!(
            "the keys of `{prefix}` were written by another version (theirs is {found}, this build's {KEYS_VERSION}): \
             call migrate::rebuild_keys; nothing was changed"
        ),
    ))
}

/// Computes everything anew that the core's rules decide: keys of leads, pipelines and terms, and the search index, of
/// all tenants; says how many leads there were. All of it or nothing; revisions and the journal stay as they are.
///
/// For a database that opening refuses because its keys were written by another version. Give it a `Transaction` to make
/// it part of the host's own unit of work; nobody else may write meanwhile.
///
/// ```
/// use leadcore_sqlite::{migrate, rusqlite::Connection};
/// let mut conn = Connection::open_in_memory().unwrap();
/// migrate::migrate(&conn, "leadcore_")?;
/// let tx = conn.transaction().unwrap();
/// assert_eq!(migrate::rebuild_keys(&tx, "leadcore_")?, 0);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `AlreadyExists` when two names of one list are the same by the new rules: rename one of them with the version that wrote
/// them; `Invalid` for a prefix that is none; the database's own errors. In each case nothing is changed.
pub fn rebuild_keys(conn: &Connection, prefix: &str) -> Result<u64> {
    check_prefix(prefix)?;
    let mut leads = 0;
    in_savepoint(conn, "leadcore_keys", || {
        for table in ["pipeline", "term", "number_series"] {
            refold_names(conn, prefix, table)?;
        }
        leads = rebuild_leads(conn, prefix)?;
        rebuild_people(conn, prefix, "contact", CONTACT_COLUMNS, |row| {
            let contact = contact(row)?;
            let (name, search) = (contact.fields.name_key(), contact.fields.search_text());
            Ok(Person { id: contact.id.as_uuid(), name, search, blocks: contact.fields.block_keys() })
        })?;
        rebuild_people(conn, prefix, "account", ACCOUNT_COLUMNS, |row| {
            let account = account(row)?;
            let (name, search) = (account.fields.name_key(), account.fields.search_text());
            Ok(Person { id: account.id.as_uuid(), name, search, blocks: account.block_keys() })
        })?;
        rebuild_opportunities(conn, prefix)?;
        let done = format!("DELETE FROM leadcore_keys; INSERT INTO leadcore_keys VALUES ({KEYS_VERSION})");
        conn.execute_batch(&with_prefix(&done, prefix)).store("write the version of the keys")
    })?;
    Ok(leads)
}

fn refold_names(conn: &Connection, prefix: &str, table: &str) -> Result<()> {
    let what = "compute keys of names anew";
    let read = format!("SELECT tenant, id, name FROM {prefix}{table}");
    let write = format!("UPDATE {prefix}{table} SET name_key = ? WHERE tenant = ? AND id = ?");
    let names: Vec<(String, Vec<u8>, String)> = conn
        .prepare(&read)
        .and_then(|mut statement| {
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        })
        .store(what)?;
    let mut write = conn.prepare(&write).store(what)?;
    for (tenant, id, name) in names {
        write.execute((fold(&name), tenant, id)).store(what)?;
    }
    Ok(())
}

fn rebuild_leads(conn: &Connection, prefix: &str) -> Result<u64> {
    let what = "compute keys of leads anew";
    let sql = |text: &str| with_prefix(text, prefix).into_owned();
    conn.execute_batch(&sql("DELETE FROM leadcore_lead_key; DELETE FROM leadcore_lead_field")).store(what)?;
    let mut rows = conn
        .prepare(&sql("SELECT rid, tenant FROM leadcore_lead WHERE rid > ? ORDER BY rid LIMIT ?"))
        .store(what)?;
    let mut read = conn.prepare(&sql(select_lead!("WHERE l.rid = ?"))).store(what)?;
    let mut write = conn
        .prepare(&sql("UPDATE leadcore_lead SET company_key = ?, name_key = ?, campaign_key = ?, search = ? WHERE rid = ?"))
        .store(what)?;
    let mut add_key = conn
        .prepare(&sql("INSERT INTO leadcore_lead_key (tenant, kind, key, lead) VALUES (?, ?, ?, ?)"))
        .store(what)?;
    let mut add_custom = conn.prepare(&sql(ADD_FIELD)).store(what)?;
    let (mut behind, mut count) = (i64::MIN, 0);
    loop {
        let round: Vec<(i64, String)> = rows
            .query_map((behind, ROUND), |row| Ok((row.get(0)?, row.get(1)?)))
            .and_then(Iterator::collect)
            .store(what)?;
        let Some((last, _)) = round.last() else { break };
        behind = *last;
        for (rid, tenant) in round {
            let mut found = read.query([rid]).store(what)?;
            let Some(row) = found.next().store(what)? else { continue };
            let lead = Columns::of(row).lead()?;
            let (company, name) = (lead.fields.company_key(), lead.fields.name_key());
            let campaign = lead.fields.campaign_key();
            write.execute((company, name, campaign, lead.search_text().as_str(), rid)).store(what)?;
            for key in lead.fields.match_keys() {
                add_key.execute((&tenant, key.kind.code(), key.key, rid)).store(what)?;
            }
            for (field, value) in &lead.fields.custom {
                add_field(&mut add_custom, &tenant, (&lead, rid), field, value)?;
            }
            count += 1;
        }
    }
    // Not only what changed: the index may hold words of texts that nobody knows any more.
    let rebuild = "INSERT INTO leadcore_lead_search (leadcore_lead_search) VALUES ('rebuild')";
    conn.execute_batch(&sql(rebuild)).store(what)?;
    Ok(count)
}

/// What is computed of a contact or an account.
struct Person {
    id: uuid::Uuid,
    name: String,
    search: SearchText,
    blocks: Vec<BlockKey>,
}

/// Names, search texts and keys of contacts or accounts, in rounds.
fn rebuild_people(
    conn: &Connection,
    prefix: &str,
    table: &str,
    columns: &str,
    keys: impl Fn(&Row<'_>) -> Result<Person>,
) -> Result<()> {
    let what = "compute keys of persons and accounts anew";
    conn.execute(&format!("DELETE FROM {prefix}block_key WHERE of = ?"), [table]).store(what)?;
    let mut add_block = conn.prepare(&with_prefix(ADD_BLOCK, prefix)).store(what)?;
    let mut rows = conn
        .prepare(&format!("SELECT rid, tenant FROM {prefix}{table} WHERE rid > ? ORDER BY rid LIMIT ?"))
        .store(what)?;
    let mut read =
        conn.prepare(&format!("SELECT {columns} FROM {prefix}{table} WHERE rid = ?")).store(what)?;
    let mut write = conn
        .prepare(&format!("UPDATE {prefix}{table} SET name_key = ?, search = ? WHERE rid = ?"))
        .store(what)?;
    let mut behind = i64::MIN;
    loop {
        let round: Vec<(i64, String)> = rows
            .query_map((behind, ROUND), |row| Ok((row.get(0)?, row.get(1)?)))
            .and_then(Iterator::collect)
            .store(what)?;
        let Some((last, _)) = round.last() else { break };
        behind = *last;
        for (rid, tenant) in round {
            let mut found = read.query([rid]).store(what)?;
            let Some(row) = found.next().store(what)? else { continue };
            let person = keys(row)?;
            write.execute((person.name, person.search.as_str(), rid)).store(what)?;
            for key in person.blocks {
                let subject = person.id.as_bytes().as_slice();
                add_block.execute((&tenant, table, key.kind.code(), key.key, subject)).store(what)?;
            }
        }
    }
    let rebuild = format!("INSERT INTO {prefix}{table}_search ({prefix}{table}_search) VALUES ('rebuild')");
    conn.execute_batch(&rebuild).store(what)
}

/// The keys of opportunities: those of their custom fields.
fn rebuild_opportunities(conn: &Connection, prefix: &str) -> Result<()> {
    let what = "compute keys of opportunities anew";
    conn.execute(&format!("DELETE FROM {prefix}block_key WHERE of = 'opportunity'"), []).store(what)?;
    let mut add_block = conn.prepare(&with_prefix(ADD_BLOCK, prefix)).store(what)?;
    let mut read = conn
        .prepare(&format!("SELECT tenant, id, custom FROM {prefix}opportunity WHERE custom IS NOT NULL"))
        .store(what)?;
    let mut rows = read.query([]).store(what)?;
    while let Some(row) = rows.next().store(what)? {
        let mut columns = Columns::of(row);
        let (tenant, id) = (columns.text()?.to_owned(), columns.uuid()?);
        let fields = OpportunityFields { custom: columns.json("custom fields")?, ..Default::default() };
        for key in fields.block_keys() {
            let subject = id.as_bytes().as_slice();
            add_block.execute((&tenant, "opportunity", key.kind.code(), key.key, subject)).store(what)?;
        }
    }
    Ok(())
}
