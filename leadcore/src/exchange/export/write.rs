//! The rows of text formats.

use std::io::Write;

use super::cells::{Cell, Reader, plain_number, unmistaken};
use super::{ExportOptions, Exported, unwritten};
use crate::desk::Extract;
use crate::error::Result;
use crate::exchange::CsvWriter;
use crate::store::Txn;

pub(super) fn csv(
    txn: &mut dyn Txn,
    extract: &mut Extract<'_>,
    reader: &Reader<'_>,
    heads: &[String],
    options: &ExportOptions,
    output: &mut (dyn Write + Send),
    out: &mut Exported,
) -> Result<()> {
    let mut csv = CsvWriter::new(output);
    if options.without_formula_marks {
        csv = csv.without_formula_marks();
    }
    csv.write_row(heads)?;
    while let Some((leads, names)) = extract.next(txn)? {
        for lead in &leads {
            let cells = reader.row(lead, &names).into_iter().zip(reader.fields);
            csv.write_row(cells.map(|(cell, field)| match cell.into_text(field) {
                text if options.without_formula_marks => unmistaken(&text).into_owned(),
                text => text,
            }))?;
            out.leads = out.leads.saturating_add(1);
        }
    }
    csv.flush()
}

pub(super) fn json_lines(
    txn: &mut dyn Txn,
    extract: &mut Extract<'_>,
    reader: &Reader<'_>,
    heads: &[String],
    output: &mut (dyn Write + Send),
    out: &mut Exported,
) -> Result<()> {
    let keys: Vec<String> = heads.iter().map(|head| text(head)).collect();
    let mut line = String::new();
    while let Some((leads, names)) = extract.next(txn)? {
        for lead in &leads {
            line.clear();
            line.push('{');
            for ((key, field), cell) in keys.iter().zip(reader.fields).zip(reader.row(lead, &names)) {
                let value = match cell {
                    Cell::Empty => "null".to_owned(),
                    Cell::List(list) => {
                        let items: Vec<_> = list.iter().map(|item| text(item)).collect();
                        format!("[{}]", items.join(","))
                    }
                    Cell::Number(number) => plain_number(number),
                    Cell::Flag(yes) => yes.to_string(),
                    other => text(&other.into_text(field)),
                };
                if line.len() > 1 {
                    line.push(',');
                }
                line.push_str(key);
                line.push(':');
                line.push_str(&value);
            }
            line.push_str("}\n");
            output.write_all(line.as_bytes()).map_err(|error| unwritten().with_source(error))?;
            out.leads = out.leads.saturating_add(1);
        }
    }
    Ok(())
}

/// A text of JSON.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
