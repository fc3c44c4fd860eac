//! Lists of opportunities and services walk an index, whatever they are narrowed to: their cost does not grow with how many
//! there are.

use leadcore::domain::{OpportunityPlace, OpportunityState, ServiceState};
use leadcore::id::{AccountId, EstimateId, OpportunityId, ServiceId, SourceId};
use leadcore::store::{OpportunityScan, ServiceScan};
use leadcore::time::Date;
use rusqlite::Connection;
use uuid::Uuid;

use crate::migrate;
use crate::repo::{opportunity_query, service_query};

fn check(sql: &str, wanted: &str) {
    let conn = Connection::open_in_memory().unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = statement.raw_query();
    let mut plan = String::new();
    while let Some(row) = rows.next().unwrap() {
        plan.push_str(&row.get::<_, String>(3).unwrap());
    }
    assert!(plan.contains(wanted), "{sql}\n{plan}");
    assert!(!plan.contains("ORDER BY"), "it sorts: {sql}\n{plan}");
}

#[test]
fn lists_of_opportunities_walk_an_index() {
    let nil = Uuid::nil();
    let after = Some(OpportunityPlace { day: Date::MIN, id: OpportunityId::from_uuid(nil) });
    let all = OpportunityScan::default();
    let account = OpportunityScan { account: Some(AccountId::from_uuid(nil)), ..all.clone() };
    let owner = OpportunityScan { owner: Some("bob".parse().unwrap()), ..all.clone() };
    let state = OpportunityScan { state: Some(OpportunityState::Open), ..all.clone() };
    let source = OpportunityScan { source: Some(SourceId::from_uuid(nil)), ..all.clone() };
    for (scan, index, key) in [
        (all, "opportunity_day", "tenant=?"),
        (account, "opportunity_account", "tenant=? AND account=?"),
        (owner, "opportunity_owner", "tenant=? AND owner=?"),
        (state, "opportunity_state", "tenant=? AND state=?"),
        (source, "opportunity_source", "tenant=? AND source=?"),
    ] {
        for descending in [false, true] {
            let scan = OpportunityScan { descending, ..scan.clone() };
            check(&opportunity_query(&scan), &format!("INDEX leadcore_{index} ({key})"));
            let behind = if descending { "<" } else { ">" };
            let scan = OpportunityScan { after, ..scan };
            let place = format!("INDEX leadcore_{index} ({key} AND (day,id){behind}(?,?))");
            check(&opportunity_query(&scan), &place);
        }
    }
}

#[test]
fn lists_of_services_walk_an_index() {
    let nil = Uuid::nil();
    let all = ServiceScan::default();
    let account = ServiceScan { account: Some(AccountId::from_uuid(nil)), ..all.clone() };
    let state = ServiceScan { state: Some(ServiceState::Active), ..all.clone() };
    let won = ServiceScan { opportunity: Some(OpportunityId::from_uuid(nil)), ..all.clone() };
    let estimate = ServiceScan { estimate: Some(EstimateId::from_uuid(nil)), ..all.clone() };
    for (scan, index) in [
        (all, "PRIMARY KEY (tenant=?"),
        (account, "INDEX leadcore_service_account (tenant=? AND account=?"),
        (state, "INDEX leadcore_service_state (tenant=? AND state=?"),
        (won, "INDEX leadcore_service_opportunity (tenant=? AND opportunity=?"),
        (estimate, "INDEX leadcore_service_estimate (tenant=? AND estimate=?"),
    ] {
        for descending in [false, true] {
            let scan = ServiceScan { descending, ..scan.clone() };
            check(&service_query(&scan), index);
            let behind = if descending { "<" } else { ">" };
            let scan = ServiceScan { after: Some(ServiceId::from_uuid(nil)), ..scan };
            check(&service_query(&scan), &format!("{index} AND id{behind}?"));
        }
    }
}
