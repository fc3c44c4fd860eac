//! Every lead as CSV, beside one SELECT and the same writer.

use std::borrow::Cow;
use std::collections::HashMap;

use leadcore::exchange::export::{ExportFormat, ExportOptions, Exported, Extent, export};
use leadcore::prelude::*;
use rusqlite::params;

use crate::fixture::{BUDGET, Full, TENANT, field};
use crate::runner::{Line, Runner, median, show, timed};

/// By number, as the other side.
const ROWS: &str = "SELECT number, company, first_name, last_name, job_title, emails, phones, street, city, postal_code, country, currency, amount, industry, description, owner, source, stage, custom FROM leadcore_lead WHERE tenant = ?1 AND trashed_at IS NULL ORDER BY number";

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

fn ours(full: &Full, to: &mut Vec<u8>) -> Exported {
    let ctx = full.scene.ctx();
    let options = ExportOptions::new(ExportFormat::Csv).columns(columns());
    let everything = Extent::Filter(Filter::everything());
    full.store
        .read(ctx.tenant(), |txn| {
            to.clear();
            export(&ctx, txn, &everything, &options, to)
        })
        .unwrap()
}

/// The values of a list of addresses, each with what is said of it.
fn listed(json: Option<&str>, inner: Option<&str>) -> String {
    let Some(json) = json else { return String::new() };
    let list: Vec<serde_json::Value> = serde_json::from_str(json).unwrap();
    let text = |entry: &serde_json::Value| {
        let value = &entry["value"];
        let value = inner.map_or(value, |key| &value[key]).as_str().unwrap_or_default();
        let marks = ["opted_out", "invalid"].into_iter().filter(|mark| entry[*mark] == true);
        let said: Vec<_> = entry["kind"].as_str().into_iter().chain(marks).collect();
        if said.is_empty() { value.to_owned() } else { format!("{value} ({})", said.join(" ")) }
    };
    list.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// A text that no spreadsheet runs; a number is none.
fn harmless(text: &str) -> Cow<'_, str> {
    let shown = text.trim_start_matches('\'').trim_start_matches(' ');
    let is_number = |text: &str| {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b' '))
    };
    if shown.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) && !is_number(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// An amount of so many 1/10,000; three decimals could be a group of thousands.
fn amount(units: i64) -> String {
    let (whole, fraction) = (units / 10_000, format!("{:04}", units % 10_000));
    match fraction.trim_end_matches('0') {
        "" => whole.to_string(),
        three if three.len() == 3 => format!("{whole}.{fraction}"),
        other => format!("{whole}.{other}"),
    }
}

fn theirs(full: &Full, heads: &[String], names: &HashMap<Vec<u8>, String>, to: &mut Vec<u8>) -> u64 {
    to.clear();
    // As the writer of leadcore: cells that hold an apostrophe are quoted.
    let mut writer = csv::WriterBuilder::new().comment(Some(b'\'')).from_writer(to);
    writer.write_record(heads).unwrap();
    let mut statement = full.bare.prepare_cached(ROWS).unwrap();
    let mut rows = statement.query(params![TENANT]).unwrap();
    let mut count = 0;
    while let Some(row) = rows.next().unwrap() {
        writer.write_field(row.get::<_, i64>(0).unwrap().to_string()).unwrap();
        for n in 1..16 {
            let text = || row.get_ref(n).unwrap().as_str_or_null().unwrap();
            let text = match n {
                5 => Cow::Owned(listed(text(), None)),
                6 => Cow::Owned(listed(text(), Some("text"))),
                12 => Cow::Owned(row.get::<_, Option<i64>>(n).unwrap().map(amount).unwrap_or_default()),
                _ => Cow::Borrowed(text().unwrap_or_default()),
            };
            writer.write_field(harmless(&text).as_bytes()).unwrap();
        }
        for n in [16, 17] {
            let id: Option<Vec<u8>> = row.get(n).unwrap();
            let name = id.and_then(|id| names.get(&id)).map(String::as_str).unwrap_or_default();
            writer.write_field(harmless(name).as_bytes()).unwrap();
        }
        let custom = row.get_ref(18).unwrap().as_str_or_null().unwrap().unwrap_or("{}");
        let custom: serde_json::Value = serde_json::from_str(custom).unwrap();
        let budget = &custom[BUDGET]["money"];
        let budget = budget["amount"].as_str().zip(budget["currency"].as_str());
        let budget = budget.map(|(amount, currency)| format!("{amount} {currency}")).unwrap_or_default();
        writer.write_field(harmless(&budget).as_bytes()).unwrap();
        writer.write_record(None::<&[u8]>).unwrap();
        count += 1;
    }
    writer.flush().unwrap();
    count
}

/// The first lines in which two files differ.
fn difference(one: &[u8], other: &[u8]) -> Option<(String, String)> {
    let line = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
    let mut lines = one.split(|byte| *byte == b'\n').zip(other.split(|byte| *byte == b'\n'));
    lines.find(|(one, other)| one != other).map(|(one, other)| (line(one), line(other)))
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
    let exported = ours(full, &mut one);
    let heads: Vec<String> = exported.columns.into_iter().map(|(head, _)| head).collect();
    assert_eq!(exported.leads, theirs(full, &heads, &names, &mut other));
    assert_eq!(difference(&one, &other), None);
    assert_eq!(one.len(), other.len());
    let megabytes = one.len() / 1_000_000;
    let rounds = match full.size {
        _ if runner.try_out => 1,
        0..500_000 => 5,
        _ => 2,
    };
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        times.0.push(timed(|| ours(full, &mut one)).1.as_secs_f64());
        times.1.push(timed(|| theirs(full, &heads, &names, &mut other)).1.as_secs_f64());
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
