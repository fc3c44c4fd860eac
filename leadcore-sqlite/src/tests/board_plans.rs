//! Which index answers what a board and its lists ask again and again: a plan that sorts or visits every lead is slow at a
//! million of them and looks fast in every other test.

use leadcore::domain::{Field, LeadState, Pipeline, Stage, StageKind};
use leadcore::id::{PipelineId, StageId, TenantId};
use leadcore::query::{Asker, Circumstance, Cursor, Direction, Filter, LeadScan, Resolved, Sort, SortField};
use leadcore::time::Timestamp;
use rusqlite::Connection;
use uuid::Uuid;

use crate::{SqliteTxn, migrate};

fn open() -> Resolved {
    Resolved::Equals(Field::State, vec![LeadState::Open.code().into()])
}

/// The steps of the plan for a scan.
fn plan(filter: Resolved, sort: Sort, after: Option<Cursor>) -> String {
    let mut conn = Connection::open_in_memory().unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    let tx = conn.transaction().unwrap();
    let tenant: TenantId = "acme".parse().unwrap();
    let mut txn = SqliteTxn::on(&tx, &tenant);
    let query = txn.scan_query(&LeadScan { filter, trashed: false, sort, limit: 25, after }).unwrap();
    let mut statement = tx.prepare(&format!("EXPLAIN QUERY PLAN {}", query.sql)).unwrap();
    let steps =
        statement.query_map(rusqlite::params_from_iter(query.params), |row| row.get::<_, String>(3)).unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_column_of_the_board_is_read_in_its_order() {
    let stage = Resolved::Equals(Field::Stage, vec![StageId::from_uuid(Uuid::nil()).into()]);
    for direction in [Direction::Ascending, Direction::Descending] {
        let sort = Sort { by: SortField::Rank, direction };
        let key = "i".into();
        let cursor =
            Cursor { sort: sort.clone(), key, id: leadcore::id::LeadId::from_uuid(Uuid::nil()), list: None };
        for after in [None, Some(cursor)] {
            let plan = plan(open().and(stage.clone()), sort.clone(), after);
            assert!(plan.contains("INDEX leadcore_lead_board (tenant=? AND stage=?"), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}

#[test]
fn rotting_leads_are_found_by_time() {
    let mut stage = Stage::new(StageId::from_uuid(Uuid::nil()), "New", StageKind::Open);
    stage.idle_days = Some(3);
    let id = PipelineId::from_uuid(Uuid::nil());
    let pipelines = [Pipeline::new(id, "Leads", true, vec![stage]).unwrap()];
    let scene = leadcore::testkit::fixtures::Scene::new("acme");
    let ctx = scene.ctx();
    let asker = Asker { now: Timestamp::MAX, pipelines: &pipelines, ..ctx.asker() };
    let rotting = Filter::Is(Circumstance::Rotting).resolve(&asker).unwrap();
    let plan = plan(rotting, Sort::ascending(SortField::ActiveAt), None);
    assert!(plan.contains("INDEX leadcore_lead_idle (tenant=? AND active_at<?)"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}
