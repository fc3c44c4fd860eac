//! Lists of activities walk an index: a page costs the same at any depth and with any number of others.

use leadcore::domain::{ActivityKind, Place};
use leadcore::store::ActivityQuery;
use leadcore::time::Timestamp;
use rusqlite::Connection;

use crate::migrate;
use crate::repo::walk_query;

#[test]
fn every_list_of_activities_reads_on_from_its_place() {
    let conn = Connection::open_in_memory().unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    let place = Place { at: Timestamp::EPOCH, child: uuid::Uuid::nil() };
    for (assignee, index) in [(None, "activity_kind"), (Some("ada"), "activity_assigned")] {
        for after in [None, Some(place)] {
            for descending in [false, true] {
                let query = ActivityQuery {
                    assignee: assignee.map(|name| name.parse().unwrap()),
                    kinds: vec![ActivityKind::Task],
                    open: Some(true),
                    descending,
                    after,
                    limit: 50,
                };
                let sql = format!("EXPLAIN QUERY PLAN {}", walk_query(&query));
                let mut statement = conn.prepare(&sql).unwrap();
                let plan: Vec<String> =
                    statement.raw_query().mapped(|row| row.get(3)).map(Result::unwrap).collect();
                assert_eq!(plan.len(), 1, "one walk and no sorting: {plan:?}");
                assert!(plan[0].contains(index) && plan[0].contains("COVERING"), "{plan:?}");
                assert!(plan[0].contains("kind=? AND open=?"), "{plan:?}");
                assert_eq!(plan[0].contains("(at,id)"), after.is_some(), "{plan:?}");
            }
        }
    }
}
