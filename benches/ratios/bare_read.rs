//! The reads as a good engineer writes them by hand for the same tables.

use leadcore::id::{LeadId, StageId};
use rusqlite::{Connection, Row, params};

use crate::fixture::TENANT;

const COLUMNS: &str = "l.id, l.number, l.revision, l.kind, l.company, l.name, l.salutation, l.first_name, l.last_name, l.name_suffix, l.job_title, l.emails, l.phones, l.website, l.street, l.city, l.state_region, l.postal_code, l.country, l.tax_id, l.currency, l.currency_symbol, l.amount, l.probability, l.industry, l.description, l.owner, l.source, l.campaign, l.category, l.location, l.partner, l.labels, l.external_ids, l.custom, l.pipeline, l.stage, l.stage_entered_at, l.created_at, l.updated_at, l.active_at, l.rank, l.closed_at, l.outcome, l.reason, l.reason_detail, l.converted_at, l.account, l.converted_by, l.trashed_at, l.trashed_by";

/// A row in owned values: texts, numbers and ids as they are stored, lists as their JSON.
#[derive(Debug)]
#[expect(dead_code, reason = "reading the columns is the work")]
pub(crate) struct Plain {
    pub(crate) id: [u8; 16],
    pub(crate) number: i64,
    pub(crate) revision: i64,
    kind: String,
    texts: [Option<String>; 18],
    numbers: [Option<i64>; 2],
    more_texts: [Option<String>; 4],
    terms: [Option<[u8; 16]>; 4],
    lists: [Option<String>; 3],
    pipeline: [u8; 16],
    stage: [u8; 16],
    stage_entered_at: i64,
    created_at: i64,
    pub(crate) updated_at: i64,
    active_at: i64,
    rank: String,
    closed: (Option<i64>, Option<String>, Option<[u8; 16]>, Option<String>),
    converted: (Option<i64>, Option<[u8; 16]>, Option<[u8; 16]>),
    trashed: (Option<i64>, Option<[u8; 16]>),
}

fn plain(row: &Row<'_>) -> rusqlite::Result<Plain> {
    let text = |n| row.get::<_, Option<String>>(n);
    let id = |n| row.get::<_, Option<[u8; 16]>>(n);
    let mut texts: [Option<String>; 18] = Default::default();
    for (n, slot) in texts.iter_mut().enumerate() {
        *slot = text(4 + n)?;
    }
    Ok(Plain {
        id: row.get(0)?,
        number: row.get(1)?,
        revision: row.get(2)?,
        kind: row.get(3)?,
        texts,
        numbers: [row.get(22)?, row.get(23)?],
        more_texts: [text(24)?, text(25)?, text(26)?, text(28)?],
        terms: [id(27)?, id(29)?, id(30)?, id(31)?],
        lists: [text(32)?, text(33)?, text(34)?],
        pipeline: row.get(35)?,
        stage: row.get(36)?,
        stage_entered_at: row.get(37)?,
        created_at: row.get(38)?,
        updated_at: row.get(39)?,
        active_at: row.get(40)?,
        rank: row.get(41)?,
        closed: (row.get(42)?, text(43)?, id(44)?, text(45)?),
        converted: (row.get(46)?, id(47)?, id(48)?),
        trashed: (row.get(49)?, id(50)?),
    })
}

pub(crate) fn all(conn: &Connection, sql: &str, params: impl rusqlite::Params) -> Vec<Plain> {
    let mut statement = conn.prepare_cached(sql).unwrap();
    let rows = statement.query_map(params, plain).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

pub(crate) fn point(conn: &Connection, sql: &Sql, id: LeadId) -> Plain {
    conn.prepare_cached(&sql.point)
        .unwrap()
        .query_row(params![TENANT, id.as_uuid().as_bytes()], plain)
        .unwrap()
}

/// Statements, put together once.
#[derive(Debug)]
pub(crate) struct Sql {
    point: String,
    page: String,
    first_page: String,
    by_index: String,
    by_row: String,
}

impl Sql {
    pub(crate) fn new() -> Self {
        let stage = format!(
            "SELECT {COLUMNS} FROM leadcore_lead l WHERE l.tenant = ?1 AND l.trashed_at IS NULL AND l.state = 0 AND l.stage = ?2"
        );
        let order = "ORDER BY l.updated_at DESC, l.id DESC";
        Self {
            point: format!("SELECT {COLUMNS} FROM leadcore_lead l WHERE l.tenant = ?1 AND l.id = ?2"),
            page: format!("{stage} AND (l.updated_at, l.id) < (?3, ?4) {order} LIMIT ?5"),
            first_page: format!("{stage} ORDER BY l.rank, l.id LIMIT ?3"),
            by_index: format!(
                "SELECT {COLUMNS} FROM leadcore_lead l WHERE l.rid IN (SELECT l.rid FROM leadcore_lead_search s CROSS JOIN leadcore_lead l ON l.rid = s.rowid WHERE s.search MATCH ?2 AND l.tenant = ?1 AND l.trashed_at IS NULL {order} LIMIT ?3) {order}"
            ),
            by_row: format!(
                "SELECT {COLUMNS} FROM leadcore_lead l WHERE l.tenant = ?1 AND l.trashed_at IS NULL AND instr(l.search, ?2) > 0 {order} LIMIT ?3"
            ),
        }
    }
}

/// A page of one stage behind a lead.
pub(crate) fn page(
    conn: &Connection,
    sql: &Sql,
    stage: StageId,
    after: (i64, LeadId),
    limit: i64,
) -> Vec<Plain> {
    let (at, id) = after;
    all(conn, &sql.page, params![TENANT, stage.as_uuid().as_bytes(), at, id.as_uuid().as_bytes(), limit])
}

const SUMS: &str = "SELECT stage, currency, leads, plain_high, plain_low, own_high, own_low, weighted_high, weighted_low FROM leadcore_stage_sum WHERE tenant = ?1 AND state = 0 AND leads > 0 ORDER BY stage, currency";
/// Stage, currency, leads, and what their amounts add up to.
type Sum = ([u8; 16], String, i64, [i128; 3]);
/// Stage, count, sums and first cards.
type Column = ([u8; 16], i64, Vec<Sum>, Vec<Plain>);

/// The counts of the stages, the sums of their amounts and the first cards of each.
pub(crate) fn board(conn: &Connection, sql: &Sql, stages: &[StageId], cards: i64) -> Vec<Column> {
    // Counts and cards of one state of the data, as leadcore's board has them.
    let tx = conn.unchecked_transaction().unwrap();
    let mut counts = tx
        .prepare_cached("SELECT key, n FROM leadcore_tally WHERE tenant = ?1 AND dim = 'stage' AND state = 0")
        .unwrap();
    let counts: Vec<([u8; 16], i64)> = counts
        .query_map(params![TENANT], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap();
    let mut sums = tx.prepare_cached(SUMS).unwrap();
    let sums: Vec<Sum> = sums
        .query_map(params![TENANT], |row| {
            let part = |n: usize| -> rusqlite::Result<i128> {
                Ok(i128::from(row.get::<_, i64>(n)?) * 1_000_000_000 + i128::from(row.get::<_, i64>(n + 1)?))
            };
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, [part(3)?, part(5)?, part(7)?]))
        })
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap();
    let column = |stage: &StageId| {
        let id = *stage.as_uuid().as_bytes();
        let count = counts.iter().find(|(key, _)| *key == id).map_or(0, |(_, n)| *n);
        let sums = sums.iter().filter(|sum| sum.0 == id).cloned().collect();
        (id, count, sums, all(&tx, &sql.first_page, params![TENANT, id, cards]))
    };
    stages.iter().map(column).collect()
}

/// A count that is kept.
pub(crate) fn tally(conn: &Connection, source: [u8; 16]) -> i64 {
    conn.prepare_cached(
        "SELECT coalesce(sum(n), 0) FROM leadcore_tally WHERE tenant = ?1 AND dim = 'source' AND key = ?2",
    )
    .unwrap()
    .query_row(params![TENANT, source], |row| row.get(0))
    .unwrap()
}

/// A count of rows.
pub(crate) fn count(conn: &Connection, source: [u8; 16], owner: &str) -> i64 {
    conn.prepare_cached(
        "SELECT count(*) FROM leadcore_lead WHERE tenant = ?1 AND trashed_at IS NULL AND source = ?2 AND owner = ?3",
    )
    .unwrap()
    .query_row(params![TENANT, source, owner], |row| row.get(0))
    .unwrap()
}

/// Whether few leads hold a text, so that the index is the better way.
pub(crate) fn is_rare(conn: &Connection, phrase: &str) -> bool {
    let hits: i64 = conn
        .query_row(
            "SELECT count(*) FROM (SELECT 1 FROM leadcore_lead_search WHERE search MATCH ?1 LIMIT 5000)",
            params![phrase],
            |row| row.get(0),
        )
        .unwrap();
    hits < 5_000
}

/// A page of a search, by the way that suits the text.
pub(crate) fn search(conn: &Connection, sql: &Sql, text: &str, rare: bool, limit: i64) -> Vec<Plain> {
    if rare {
        all(conn, &sql.by_index, params![TENANT, format!("\"{text}\""), limit])
    } else {
        all(conn, &sql.by_row, params![TENANT, text, limit])
    }
}

/// The same text by a scan of the table, as most applications look for it.
pub(crate) fn like(conn: &Connection, text: &str, limit: i64) -> usize {
    let mut statement = conn
        .prepare_cached(
            "SELECT id FROM leadcore_lead NOT INDEXED WHERE tenant = ?1 AND trashed_at IS NULL AND (company LIKE ?2 OR name LIKE ?2 OR emails LIKE ?2 OR phones LIKE ?2) ORDER BY updated_at DESC LIMIT ?3",
        )
        .unwrap();
    let rows =
        statement.query_map(params![TENANT, format!("%{text}%"), limit], |row| row.get::<_, [u8; 16]>(0));
    rows.unwrap().count()
}

/// The pages of lists and views, as SQL behind the columns of a lead.
pub(crate) const MINE: &str = "FROM leadcore_lead l WHERE l.tenant = ?1 AND l.trashed_at IS NULL AND l.owner = ?2 AND l.state = 0 ORDER BY l.updated_at DESC, l.id DESC LIMIT 51";
pub(crate) const UNREAD: &str = "FROM leadcore_lead l WHERE l.tenant = ?1 AND l.trashed_at IS NULL AND (l.created_at > coalesce((SELECT until FROM leadcore_marked_until WHERE tenant = ?1 AND user = ?2), -1)) AND NOT EXISTS (SELECT 1 FROM leadcore_mark m WHERE m.tenant = ?1 AND m.user = ?2 AND m.lead = l.rid AND m.read = 1) ORDER BY l.created_at DESC, l.id DESC LIMIT 51";
pub(crate) const CREATED: &str = "FROM leadcore_lead l WHERE l.tenant = ?1 AND l.trashed_at IS NULL AND ?2 <> '' ORDER BY l.created_at DESC, l.id DESC LIMIT 51";
pub(crate) const CONVERTED: &str = "FROM leadcore_lead l WHERE l.tenant = ?1 AND l.trashed_at IS NULL AND l.state = 2 AND ?2 <> '' ORDER BY l.updated_at DESC, l.id DESC LIMIT 51";
pub(crate) const UNASSIGNED: &str = "FROM leadcore_lead l WHERE l.tenant = ?1 AND l.trashed_at IS NULL AND l.owner IS NULL AND l.state = 0 AND ?2 <> '' ORDER BY l.updated_at DESC, l.id DESC LIMIT 51";
/// What rots: a week in one of the stages that a JSON list names.
pub(crate) const ROTTING: &str = "FROM leadcore_lead l WHERE l.tenant = ?1 AND l.trashed_at IS NULL AND l.state = 0 AND l.closed_at IS NULL AND l.active_at < ?2 AND hex(l.stage) IN (SELECT value FROM json_each(?3)) ORDER BY l.active_at, l.id LIMIT 51";
/// Walked in the order of the list: of the leads of an owner few are of the source, and these are asked for their budget.
pub(crate) const FILTERED: &str = "FROM leadcore_lead l INDEXED BY leadcore_lead_owner WHERE l.tenant = ?1 AND l.trashed_at IS NULL AND l.source = ?2 AND l.owner = ?3 AND EXISTS (SELECT 1 FROM leadcore_lead_field f INDEXED BY leadcore_lead_field_of WHERE f.tenant = ?1 AND f.lead = l.id AND f.field = 'x_budget' AND f.value BETWEEN ?4 AND ?5) ORDER BY l.updated_at DESC, l.id DESC LIMIT 51";
/// Of the leads of a stage many are of the source and have such a budget.
pub(crate) const FREQUENT: &str = "FROM leadcore_lead l INDEXED BY leadcore_lead_stage WHERE l.tenant = ?1 AND l.trashed_at IS NULL AND l.stage = ?3 AND l.source = ?2 AND l.owner IS NOT NULL AND EXISTS (SELECT 1 FROM leadcore_lead_field f INDEXED BY leadcore_lead_field_of WHERE f.tenant = ?1 AND f.lead = l.id AND f.field = 'x_budget' AND f.value >= ?4) ORDER BY l.updated_at DESC, l.id DESC LIMIT 51";
pub(crate) const RICHEST: &str = "FROM leadcore_lead_field f CROSS JOIN leadcore_lead l ON l.rid = f.rid WHERE f.tenant = ?1 AND f.field = ?2 AND l.trashed_at IS NULL ORDER BY f.value DESC, f.lead DESC LIMIT 51";
pub(crate) const POOREST: &str = "FROM leadcore_lead_field f CROSS JOIN leadcore_lead l ON l.rid = f.rid WHERE f.tenant = ?1 AND f.field = ?2 AND l.trashed_at IS NULL ORDER BY f.value, f.lead LIMIT 51";
/// Leads without a value come first in a rising order.
pub(crate) const WITHOUT: &str = "FROM leadcore_lead l INDEXED BY leadcore_lead_id WHERE l.tenant = ?1 AND l.trashed_at IS NULL AND (l.custom IS NULL OR json_type(l.custom, '$.' || ?2) IS NULL) ORDER BY l.id LIMIT 51";

/// A page by one of them.
pub(crate) fn list(conn: &Connection, rest: &str, params: impl rusqlite::Params) -> Vec<Plain> {
    all(conn, &format!("SELECT {COLUMNS} {rest}"), params)
}
