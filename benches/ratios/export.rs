//! Every lead as CSV, beside one SELECT and the same writer.

use std::collections::HashMap;

use leadcore::exchange::export::{ExportFormat, ExportOptions, Extent, export};
use leadcore::prelude::*;
use rusqlite::params;

use crate::fixture::{BUDGET, Full, TENANT, field};
use crate::runner::{Line, Runner, median, show, timed};

/// In the order of the table: the rows of the other side come in the order of the list, newest first.
const ROWS: &str = "SELECT number, company, first_name, last_name, job_title, emails, phones, street, city, postal_code, country, currency, amount, industry, description, owner, source, stage, custom FROM leadcore_lead WHERE tenant = ?1 AND trashed_at IS NULL";

fn columns() -> Vec<Field> {
    vec![
        Field::Number,
        Field::Company,
        Field::FirstName,
        Field::LastName,
        Field::JobTitle,
        Field::Email,
        Field::Phone,
        Field::Street,
        Field::City,
        Field::PostalCode,
        Field::Country,
        Field::Currency,
        Field::Amount,
        Field::Industry,
        Field::Description,
        Field::Owner,
        Field::Source,
        Field::Stage,
        field(BUDGET),
    ]
}

fn ours(full: &Full, to: &mut Vec<u8>) -> u64 {
    let ctx = full.scene.ctx();
    let options = ExportOptions::new(ExportFormat::Csv).columns(columns());
    let everything = Extent::Filter(Filter::everything());
    full.store
        .read(ctx.tenant(), |txn| {
            to.clear();
            export(&ctx, txn, &everything, &options, to)
        })
        .unwrap()
        .leads
}

/// The values of a list of addresses.
fn listed(json: Option<&str>, inner: Option<&str>) -> String {
    let Some(json) = json else { return String::new() };
    let list: Vec<serde_json::Value> = serde_json::from_str(json).unwrap();
    let text = |entry: &serde_json::Value| {
        let value = &entry["value"];
        inner.map_or(value, |key| &value[key]).as_str().unwrap_or_default().to_owned()
    };
    list.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// A text that no spreadsheet runs.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn theirs(full: &Full, names: &HashMap<Vec<u8>, String>, to: &mut Vec<u8>) -> u64 {
    to.clear();
    let mut writer = csv::Writer::from_writer(to);
    let heads = columns();
    writer.write_record(heads.iter().map(Field::key)).unwrap();
    let mut statement = full.bare.prepare_cached(ROWS).unwrap();
    let mut rows = statement.query(params![TENANT]).unwrap();
    let mut count = 0;
    while let Some(row) = rows.next().unwrap() {
        writer.write_field(row.get::<_, i64>(0).unwrap().to_string()).unwrap();
        for n in 1..16 {
            let text = match n {
                5 => listed(row.get_ref(n).unwrap().as_str_or_null().unwrap(), None),
                6 => listed(row.get_ref(n).unwrap().as_str_or_null().unwrap(), Some("e164")),
                12 => {
                    let units: Option<i64> = row.get(n).unwrap();
                    units.map(|units| (units / 10_000).to_string()).unwrap_or_default()
                }
                _ => row.get_ref(n).unwrap().as_str_or_null().unwrap().unwrap_or_default().to_owned(),
            };
            writer.write_field(harmless(&text)).unwrap();
        }
        for n in [16, 17] {
            let id: Option<Vec<u8>> = row.get(n).unwrap();
            let name = id.and_then(|id| names.get(&id)).map(String::as_str).unwrap_or_default();
            writer.write_field(harmless(name)).unwrap();
        }
        let custom = row.get_ref(18).unwrap().as_str_or_null().unwrap().unwrap_or("{}");
        let custom: serde_json::Value = serde_json::from_str(custom).unwrap();
        let budget = &custom[BUDGET];
        writer.write_field(if budget.is_null() { String::new() } else { budget.to_string() }).unwrap();
        writer.write_record(None::<&[u8]>).unwrap();
        count += 1;
    }
    writer.flush().unwrap();
    count
}

/// All leads of one database.
pub(crate) fn run(runner: Runner, full: &Full, wanted: &dyn Fn(&str) -> bool) -> Vec<Line> {
    if !wanted("export") {
        return Vec::new();
    }
    let ctx = full.scene.ctx();
    let terms = full.store.read(ctx.tenant(), |txn| desk::vocabulary::list::<SourceId>(&ctx, txn)).unwrap();
    let stages =
        full.pipeline.stages.iter().map(|stage| (stage.id.as_uuid().as_bytes().to_vec(), &stage.name));
    let terms = terms.iter().map(|term| (term.id.as_uuid().as_bytes().to_vec(), &term.name));
    let names = stages.chain(terms).map(|(id, name)| (id, name.to_string())).collect();
    let (mut one, mut other) = (Vec::new(), Vec::new());
    assert_eq!(ours(full, &mut one), theirs(full, &names, &mut other));
    let megabytes = one.len() / 1_000_000;
    assert!(one.len().abs_diff(other.len()) * 4 < one.len(), "{} and {} bytes", one.len(), other.len());
    let rounds = match full.size {
        _ if runner.try_out => 1,
        0..500_000 => 5,
        _ => 2,
    };
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        times.0.push(timed(|| ours(full, &mut one)).1.as_secs_f64());
        times.1.push(timed(|| theirs(full, &names, &mut other)).1.as_secs_f64());
    }
    let line = Line {
        name: "export every lead as CSV",
        size: full.size,
        leadcore: median(times.0),
        bare: median(times.1),
        note: format!("{megabytes} MB"),
    };
    eprintln!("{}", show(&line));
    vec![line]
}
