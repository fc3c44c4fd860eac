//! Reports are answered from indexes: no lead is read to be counted, whatever it is grouped by.

use leadcore::domain::Field;
use leadcore::id::{SourceId, TenantId};
use leadcore::query::{Clocks, Dated, Dimension, PeriodUnit, ReportScan, Resolved};
use leadcore::store::CostScan;
use rusqlite::Connection;
use uuid::Uuid;

use crate::migrate;
use crate::repo::{cost_query, report_queries};
use crate::txn::SqliteTxn;

fn plan(conn: &Connection, sql: &str, params: Vec<rusqlite::types::Value>) -> Vec<String> {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    for (n, param) in params.into_iter().enumerate() {
        statement.raw_bind_parameter(n + 1, param).unwrap();
    }
    let (mut rows, mut steps) = (statement.raw_query(), Vec::new());
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get(3).unwrap());
    }
    steps
}

#[test]
fn reports_read_no_lead() {
    let mut conn = Connection::open_in_memory().unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    let tenant: TenantId = "acme".parse().unwrap();
    let month = Dimension::Period(PeriodUnit::Month);
    let since = "2026-01-01T00:00:00Z".parse::<leadcore::time::Timestamp>().unwrap();
    let filters = [
        Resolved::everything(),
        Resolved::Range { field: Field::CreatedAt, from: Some((since.into(), true)), to: None },
    ];
    let tx = conn.transaction().unwrap();
    let mut txn = SqliteTxn::on(&tx, &tenant);
    for filter in filters {
        for by in [
            vec![],
            vec![Dimension::Source],
            vec![Dimension::Campaign, month],
            vec![Dimension::Category, Dimension::Owner],
            vec![Dimension::Period(PeriodUnit::FiscalQuarter(4))],
        ] {
            for dated in [Dated::Created, Dated::Converted] {
                let clocks = Clocks::changing(3_600, vec![(since, 7_200)]);
                let scan = ReportScan { filter: filter.clone(), by: by.clone(), dated, clocks };
                let [leads, waits, worth, _] = report_queries(&mut txn, &scan);
                for query in [leads, waits] {
                    let steps = plan(&tx, &query.sql, query.params.clone());
                    let covered = steps.iter().any(|step| step.contains("l USING COVERING INDEX"));
                    assert!(covered, "{by:?} {dated:?}: {steps:?}\n{}", query.sql);
                }
                let steps = plan(&tx, &worth.sql, worth.params.clone());
                let first = "SEARCH o USING COVERING INDEX leadcore_opportunity_lead";
                assert!(steps.iter().any(|step| step.contains(first)), "{by:?}: {steps:?}");
                let without = "SEARCH p USING COVERING INDEX leadcore_opportunity_without_lead";
                assert!(steps.iter().any(|step| step.contains(without)), "{by:?}: {steps:?}");
                assert!(
                    steps
                        .iter()
                        .any(|step| step.contains("l USING INDEX leadcore_lead_id (tenant=? AND id=?)")),
                    "{steps:?}"
                );
            }
        }
    }
    let [_, _, _, stages] = report_queries(&mut txn, &ReportScan::all());
    let steps = plan(&tx, &stages.sql, stages.params.clone());
    assert!(steps.iter().any(|step| step.contains("l USING COVERING INDEX")), "{steps:?}");
    assert!(
        steps.iter().any(|step| step.contains("SEARCH s USING PRIMARY KEY (tenant=? AND lead=?")),
        "{steps:?}"
    );
}

#[test]
fn lists_of_costs_walk_an_index() {
    let conn = Connection::open_in_memory().unwrap();
    migrate::migrate(&conn, "leadcore_").unwrap();
    let all = CostScan::default();
    let source = CostScan { source: Some(SourceId::from_uuid(Uuid::nil())), ..all.clone() };
    for (scan, wanted) in [
        (all, "INDEX leadcore_cost_day (tenant=?"),
        (source, "INDEX leadcore_cost_source (tenant=? AND source=?"),
    ] {
        let steps = plan(&conn, &cost_query(&scan), Vec::new()).join("\n");
        assert!(steps.contains(wanted) && !steps.contains("ORDER BY"), "{steps}");
    }
}
