//! The lists that everyone opens walk an index: their cost does not grow with the number of leads.

use leadcore::desk::views::SystemDefinition;
use leadcore::domain::SystemView;
use leadcore::query::{Asker, LeadScan, Resolved};
use leadcore::testkit::fixtures::{Scene, World};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::compile::Condition;
use crate::migrate;
use crate::repo::replay_query;
use crate::txn::SqliteTxn;

/// The plan of a query, a line per step.
fn plan(conn: &Connection, query: Condition) -> Vec<String> {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {}", query.sql)).unwrap();
    let params: Vec<Value> = query.params;
    let rows = statement.query_map(rusqlite::params_from_iter(params), |row| row.get(3)).unwrap();
    rows.map(|row| row.unwrap()).collect()
}

/// The plan of a system view's first page and of the one behind it.
fn plans(view: SystemView) -> Vec<Vec<String>> {
    let mut conn = Connection::open_in_memory().unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    let scene = Scene::new("acme");
    let mut pipeline = World::install(&leadcore::memory::MemoryStore::new()).pipeline;
    for stage in &mut pipeline.stages {
        stage.idle_days = Some(7);
    }
    let ctx = scene.ctx();
    let definition = SystemDefinition::of(view);
    let asker = Asker { pipelines: std::slice::from_ref(&pipeline), ..ctx.asker() };
    let resolved: Resolved = definition.filter.resolve(&asker).unwrap();
    let lead = World::install(&leadcore::memory::MemoryStore::new()).company(1, "Nordlys AS");
    let behind = leadcore::query::Cursor::behind(&lead, &definition.sort);
    let tx = conn.transaction().unwrap();
    let mut txn = SqliteTxn::on(&tx, ctx.tenant());
    [None, Some(behind)]
        .map(|after| {
            let scan = LeadScan {
                filter: resolved.clone(),
                trashed: definition.trashed,
                sort: definition.sort.clone(),
                limit: 51,
                after,
            };
            let query = txn.scan_query(&scan).unwrap();
            plan(&tx, query)
        })
        .to_vec()
}

#[test]
fn a_replay_of_everything_reads_on_from_its_place() {
    let conn = Connection::open_in_memory().unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    let params = [Value::Text("acme".to_owned()), Value::Integer(7), Value::Integer(100)].to_vec();
    let plan = plan(&conn, Condition { sql: replay_query(""), params });
    // What other tenants did meanwhile is not walked over.
    let index = "SEARCH e USING INDEX leadcore_entry_tenant (tenant=? AND rowid>?)";
    assert!(plan[0].starts_with(index), "{plan:#?}");
    assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "it sorts: {plan:#?}");
}

#[test]
fn every_system_view_walks_an_index() {
    for view in SystemView::ALL {
        let index = match view {
            SystemView::Mine | SystemView::Unassigned => "leadcore_lead_owner (tenant=? AND owner=?",
            // Who has read everything up to a time has nothing before it looked at.
            SystemView::Unread => "leadcore_lead_created (tenant=? AND created_at>?",
            SystemView::RecentlyCreated => "leadcore_lead_created (tenant=?",
            SystemView::Converted => "leadcore_lead_converted (tenant=?",
            SystemView::FollowUps => "leadcore_lead_follow_up (tenant=?",
            SystemView::Rotting => "leadcore_lead_idle (tenant=?",
            SystemView::Trash => "leadcore_lead_trash (tenant=?",
            _ => "leadcore_lead_updated (tenant=?",
        };
        for plan in plans(view) {
            let wanted = format!("SEARCH l USING INDEX {index}");
            assert!(plan[0].starts_with(&wanted), "{view:?}: {plan:#?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{view:?} sorts: {plan:#?}");
        }
    }
}
