//! Reports: figures by source, by campaign and month, and the way through the stages. Every tenth lead became a customer.

use std::path::Path;

use leadcore::desk::convert::{ConversionOptions, OpportunityEnding, OpportunityRequest};
use leadcore::desk::reports::{self, ReportQuery};
use leadcore::domain::{CostFields, OpportunityPatch};
use leadcore::prelude::*;
use leadcore::query::{Dimension, PeriodUnit};
use rusqlite::{Connection, params};

use crate::fixture::{Full, TENANT};
use crate::runner::{Line, Runner};

/// What anyone would ask to know the same, group by group.
struct Bare {
    leads: String,
    waits: String,
    worth: String,
}

/// Grouped by these columns.
fn bare(by: &str) -> Bare {
    let from = "FROM leadcore_lead l WHERE l.tenant = ?1 AND l.trashed_at IS NULL";
    Bare {
        leads: format!(
            "SELECT {by}, count(*), sum(l.state = 2), sum(l.state = 1), sum(iif(l.state = 0 AND l.outcome = 'lost', 1, 0)), sum(iif(l.state = 2, l.converted_at - l.created_at, 0)) {from} GROUP BY {by}"
        ),
        waits: format!(
            "SELECT min(wait), max(wait) FROM (SELECT l.converted_at - l.created_at AS wait, row_number() OVER (PARTITION BY {by} ORDER BY l.converted_at - l.created_at) AS n, count(*) OVER (PARTITION BY {by}) AS many, {by} {from} AND l.state = 2) WHERE n IN ((many + 1) / 2, many / 2 + 1) GROUP BY n"
        ),
        worth: format!(
            "SELECT {by}, o.currency, o.state, count(*), sum(o.amount) FROM leadcore_opportunity o CROSS JOIN leadcore_lead l ON l.tenant = o.tenant AND l.id = o.origin_lead WHERE o.tenant = ?1 AND o.origin_lead IS NOT NULL AND l.trashed_at IS NULL GROUP BY {by}, o.currency, o.state"
        ),
    }
}

fn rows(conn: &Connection, sql: &str) -> usize {
    let mut statement = conn.prepare_cached(sql).unwrap();
    let mut rows = statement.query(params![TENANT]).unwrap();
    let mut count = 0;
    while let Some(row) = rows.next().unwrap() {
        let _: rusqlite::types::ValueRef<'_> = row.get_ref(0).unwrap();
        count += 1;
    }
    count
}

/// The same figures without leadcore, and how many groups there are; the middle wait of all is asked for by itself.
fn asked(conn: &Connection, bare: &Bare) -> usize {
    let groups = rows(conn, &bare.leads);
    rows(conn, &bare.waits);
    rows(conn, &bare.worth);
    rows(
        conn,
        "SELECT min(wait), max(wait) FROM (SELECT l.converted_at - l.created_at AS wait, row_number() OVER (ORDER BY l.converted_at - l.created_at) AS n, count(*) OVER () AS many FROM leadcore_lead l WHERE l.tenant = ?1 AND l.trashed_at IS NULL AND l.state = 2) WHERE n IN ((many + 1) / 2, many / 2 + 1)",
    );
    groups
}

const STAGES: &str = "SELECT stage, count(*) FROM (SELECT l.stage FROM leadcore_lead l WHERE l.tenant = ?1 AND l.trashed_at IS NULL UNION ALL SELECT DISTINCT s.from_stage FROM leadcore_lead l CROSS JOIN leadcore_stage_step s ON s.tenant = l.tenant AND s.lead = l.rid WHERE l.tenant = ?1 AND l.trashed_at IS NULL AND s.from_stage <> l.stage) GROUP BY stage";

/// Customers, what they bought and what it cost, on a copy of one database.
pub(crate) fn run(runner: Runner, full: &Full, scratch: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<Line> {
    if !wanted("reports") {
        return Vec::new();
    }
    let full = &full.copy(scratch, "reports");
    let ctx = full.scene.ctx();
    let open = Filter::parse("state = open and outcome is empty").unwrap();
    let query = LeadQuery::new(open).limit(1_000);
    for round in 0..(full.size / 10).div_ceil(1_000) {
        full.store
            .write(ctx.tenant(), |txn| {
                let most = (full.size / 10).min((round + 1) * 1_000) - round * 1_000;
                for (n, lead) in desk::leads::list(&ctx, txn, &query)?.items.iter().take(most).enumerate() {
                    let amount = i64::try_from(n * 37 % 90_000).unwrap();
                    let patch =
                        OpportunityPatch::new().amount(Some(amount.into())).currency(Some("EUR".parse()?));
                    let won = OpportunityEnding::Won { on: None };
                    let request = OpportunityRequest::new().with(patch).ended(won);
                    let options = ConversionOptions::default().with_opportunity(request);
                    desk::convert::convert(&ctx, txn, lead.id, &options)?;
                }
                Ok(())
            })
            .unwrap();
    }
    full.store
        .write(ctx.tenant(), |txn| {
            full.sources.iter().try_for_each(|source| {
                let cost = CostFields::new(1_000.into(), "EUR".parse()?, "2026-01-01".parse()?);
                let cost = cost.until("2026-12-31".parse()?).source(*source);
                desk::costs::add(&ctx, txn, cost).map(drop)
            })
        })
        .unwrap();
    let report =
        |query: &ReportQuery| full.store.read(ctx.tenant(), |txn| reports::report(&ctx, txn, query)).unwrap();
    let by_source = ReportQuery::by([Dimension::Source]);
    let month = Dimension::Period(PeriodUnit::Month);
    let by_pair = ReportQuery::by([Dimension::Campaign, month]);
    // The sign keeps SQLite from walking an index in its order, which has it read each lead.
    let source = bare("+l.source");
    let pair = bare("l.campaign_key, strftime('%Y%m', l.created_at / 1000000, 'unixepoch')");
    assert_eq!(report(&by_source).rows.len(), asked(&full.bare, &source), "both sides know the same groups");
    let customers =
        "SELECT count(*) FROM leadcore_lead WHERE tenant = ? AND state = 2 AND trashed_at IS NULL";
    let customers: i64 = full.bare.query_row(customers, [TENANT], |row| row.get(0)).unwrap();
    assert!(usize::try_from(customers).unwrap() > full.size / 10, "some were converted before");
    assert_eq!(report(&by_source).total.converted, u64::try_from(customers).unwrap());
    let days = ReportQuery::by([]).with_stages();
    assert_eq!(report(&days).total.stages.len(), rows(&full.bare, STAGES));
    let bare_all = bare("l.tenant");
    vec![
        runner.compare("report by source", full.size, |_| report(&by_source), |_| asked(&full.bare, &source)),
        runner.compare(
            "report by campaign and month",
            full.size,
            |_| report(&by_pair),
            |_| asked(&full.bare, &pair),
        ),
        runner.compare(
            "report with stages",
            full.size,
            |_| report(&days),
            |_| (asked(&full.bare, &bare_all), rows(&full.bare, STAGES)),
        ),
    ]
}
