//! What a lead may be is looked up by key: its cost does not grow with the number of accounts and contacts.

use rusqlite::Connection;

use crate::migrate;
use crate::repo::block_queries;

#[test]
fn keys_are_looked_up_and_nothing_is_walked() {
    let conn = Connection::open_in_memory().unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    let [find, known] = block_queries();
    for (sql, wanted) in [
        (find, "PRIMARY KEY (tenant=? AND of=? AND kind=? AND key=?)"),
        (known, "INDEX leadcore_block_key_of (tenant=? AND subject=?"),
    ] {
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = statement.raw_query();
        let mut plan = String::new();
        while let Some(row) = rows.next().unwrap() {
            plan.push_str(&row.get::<_, String>(3).unwrap());
        }
        assert!(plan.contains(wanted) && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}
