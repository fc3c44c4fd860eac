//! What a page of a lead asks walks the keys of its children: its cost grows neither with the number of leads nor with the
//! depth of the page.

use rusqlite::Connection;

use crate::migrate;
use crate::repo::{child_queries, history_queries, tab_query};

/// The steps of the plan of a query; what its parameters are does not matter.
fn plan(conn: &Connection, sql: &str) -> String {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = statement.raw_query();
    let mut steps: Vec<String> = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get(3).unwrap());
    }
    steps.join("\n")
}

fn check(sql: &str, wanted: &str) {
    let conn = Connection::open_in_memory().unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    let plan = plan(&conn, sql);
    assert!(plan.contains(wanted), "{sql}\n{plan}");
    assert!(!plan.contains("ORDER BY"), "it sorts: {sql}\n{plan}");
}

#[test]
fn a_page_of_children_walks_their_key() {
    let key = "PRIMARY KEY (tenant=? AND subject_kind=? AND subject_id=? AND tab=? AND open=?";
    for descending in [false, true] {
        check(&tab_query(descending, false), &format!("{key})"));
        let behind = if descending { "<" } else { ">" };
        check(&tab_query(descending, true), &format!("{key} AND (at,child){behind}(?,?))"));
    }
}

#[test]
fn counts_and_follow_ups_walk_the_key_of_their_record() {
    let [counts, members, follow_up, day, placed, lift] = child_queries();
    let record = "(tenant=? AND subject_kind=? AND subject_id=?";
    check(counts, record);
    check(members, record);
    check(follow_up, &format!("INDEX leadcore_child_follow_up {record}"));
    check(day, &format!("INDEX leadcore_child_follow_up_day {record}"));
    for by_child in [placed, lift] {
        check(by_child, "INDEX leadcore_child_placed (tenant=? AND child_kind=? AND child=?)");
    }
}

#[test]
fn a_history_is_read_from_its_place() {
    let [own, of_children] = history_queries();
    check(&own, "INDEX leadcore_entry_subject (tenant=? AND subject_kind=? AND subject_id=? AND seq<?)");
    check(&of_children, "INDEX leadcore_entry_child (tenant=? AND other_kind=? AND other_id=? AND seq<?)");
}
