//! Calendars and reminders walk an index: a page costs the same with any number of activities before and behind it.

use leadcore::domain::Place;
use leadcore::store::AgendaQuery;
use leadcore::time::Timestamp;
use rusqlite::Connection;

use crate::migrate;
use crate::repo::agenda_queries;

#[test]
fn every_page_of_a_calendar_reads_on_from_its_place() {
    let conn = Connection::open_in_memory().unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    let place = Place { at: "2026-01-01T00:00:00Z".parse().unwrap(), child: uuid::Uuid::nil() };
    for assignee in [None, Some("ada")] {
        for after in [None, Some(place)] {
            let query = AgendaQuery {
                from: Timestamp::EPOCH,
                to: Timestamp::MAX,
                kinds: Vec::new(),
                assignee: assignee.map(|name| name.parse().unwrap()),
                after,
                limit: 50,
            };
            for (index, sql) in agenda_queries(&query) {
                let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
                let plan: Vec<String> =
                    statement.raw_query().mapped(|row| row.get(3)).map(Result::unwrap).collect();
                assert_eq!(plan.len(), 1, "one walk and no sorting: {plan:?}");
                assert!(plan[0].contains(index) && plan[0].starts_with("SEARCH"), "{plan:?}");
                assert_eq!(plan[0].contains(",id)>"), after.is_some(), "from the place on: {plan:?}");
            }
        }
    }
}
