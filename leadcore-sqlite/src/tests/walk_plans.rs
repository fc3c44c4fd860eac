//! A list by a custom field that many leads have walks the index of its order; leads that do not match otherwise are passed
//! without being read.

use leadcore::domain::{Field, FieldValue};
use leadcore::query::{Cursor, LeadScan, Resolved, Sort, SortField};
use rusqlite::Connection;

use crate::compile::Condition;
use crate::migrate;
use crate::txn::SqliteTxn;

fn plan(conn: &Connection, Condition { sql, params }: Condition) -> String {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let rows =
        statement.query_map(rusqlite::params_from_iter(params), |row| row.get::<_, String>(3)).unwrap();
    rows.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_list_that_is_walked_is_not_sorted() {
    let mut conn = Connection::open_in_memory().unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    // A million leads, a tenth of one owner, and a fifth of one source.
    let source = uuid::Uuid::from_u128(7);
    let tallies: [(&str, &[u8], i64); 3] =
        [("all", b"", 1_000_000), ("owner", b"ada", 100_000), ("source", source.as_bytes(), 200_000)];
    for (dim, key, n) in tallies {
        let row = ("acme", dim, key, 0, n);
        conn.execute("INSERT INTO leadcore_tally VALUES (?, ?, ?, ?, ?)", row).unwrap();
    }
    let transaction = conn.transaction().unwrap();
    let mut txn = SqliteTxn::on(&transaction, &"acme".parse().unwrap());
    let budget = Resolved::Range {
        field: "x_budget".parse().unwrap(),
        from: Some((FieldValue::Integer(1), true)),
        to: Some((FieldValue::Integer(2), false)),
    };
    let owner = Resolved::Equals(Field::Owner, vec!["ada".into()]);
    let source = Resolved::Equals(Field::Source, vec![FieldValue::Id(source)]);
    let of_all = Resolved::All(vec![budget.clone()]);
    let of_one = Resolved::All(vec![source, budget, owner]);
    let cases = [
        (&of_all, SortField::UpdatedAt, "INDEX leadcore_lead_updated (tenant=?"),
        (&of_all, SortField::CreatedAt, "INDEX leadcore_lead_created (tenant=?"),
        // The shorter of the two.
        (&of_one, SortField::UpdatedAt, "INDEX leadcore_lead_owner (tenant=? AND owner=?"),
    ];
    for (filter, by, index) in cases {
        let sort = Sort::descending(by);
        let cursor = Cursor {
            sort: sort.clone(),
            key: FieldValue::Time(leadcore::time::Timestamp::EPOCH),
            id: leadcore::id::LeadId::from_uuid(uuid::Uuid::nil()),
            list: None,
        };
        for after in [None, Some(cursor)] {
            let scan =
                LeadScan { filter: filter.clone(), trashed: false, sort: sort.clone(), limit: 50, after };
            let Resolved::All(parts) = &scan.filter else { unreachable!() };
            let asks = parts.iter().find(|part| matches!(part, Resolved::Range { .. })).unwrap();
            let query = txn.walk_query(&scan, asks).unwrap();
            let plan = plan(&transaction, query);
            assert!(
                plan.starts_with(&format!("SEARCH l USING {index}"))
                    || plan.starts_with(&format!("SEARCH l USING COVERING {index}")),
                "{plan}"
            );
            assert!(!plan.contains("TEMP B-TREE"), "it sorts: {plan}");
        }
    }
}

#[test]
fn an_asked_lead_is_found_by_its_key() {
    let conn = Connection::open_in_memory().unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    let sql = "SELECT 1 FROM leadcore_lead_field f INDEXED BY leadcore_lead_field_of WHERE f.tenant = 'acme' AND f.field = 'x' AND f.value >= 1 AND f.value < 2 AND f.lead = x''";
    let plan = plan(&conn, Condition { sql: sql.to_owned(), params: Vec::new() });
    assert!(plan.contains("(tenant=? AND lead=? AND field=? AND value>? AND value<?)"), "{plan}");
}
