//! Leads as a workbook, row by row: what was written waits on disk, in the system's temporary directory.

use std::borrow::Cow;
use std::io::Write;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::cells::{Cell, Reader};
use super::{ExportOptions, Exported, LongTexts, SHEET_ROWS};
use crate::context::Context;
use crate::desk::Extract;
use crate::domain::{Field, FieldSpec, FieldType, Lead};
use crate::error::{Error, Result, ViolationCode};
use crate::exchange::sheet_out::{cut, excel, failed, fits, made, printable};
use crate::store::Txn;

/// How cells are shown.
struct Formats {
    head: Format,
    text: Format,
    day: Format,
    time: Format,
}

/// The columns of a workbook.
struct Columns<'e> {
    heads: Vec<String>,
    specs: &'e [FieldSpec],
}

#[expect(clippy::too_many_arguments, reason = "what every format is given, and who looks at the times")]
pub(super) fn write(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    extract: &mut Extract<'_>,
    reader: &Reader<'_>,
    heads: &[String],
    options: &ExportOptions,
    output: &mut (dyn Write + Send),
    out: &mut Exported,
) -> Result<()> {
    if !(2..=SHEET_ROWS).contains(&options.sheet_rows) {
        let message = "a sheet has 2 to 1,048,576 rows";
        return Err(Error::invalid_field("sheet_rows", ViolationCode::OutOfRange, message));
    }
    let formats = Formats {
        head: Format::new().set_bold(),
        text: Format::new().set_num_format("@"),
        day: Format::new().set_num_format("yyyy-mm-dd"),
        time: Format::new().set_num_format("yyyy-mm-dd hh:mm"),
    };
    let mut book = Workbook::new();
    if let Some(made) = made(ctx) {
        book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    }
    let specs = extract.columns.clone();
    // Times in cells are those of a clock; the head says of which.
    let named = heads.iter().zip(&specs).map(|(head, spec)| match spec.field.field_type() {
        FieldType::Time => format!("{head} (UTC{})", ctx.utc_offset()),
        _ => head.clone(),
    });
    let columns = Columns { heads: named.collect(), specs: &specs };
    out.utc_offset = Some(ctx.utc_offset().local_minus_utc() / 60);
    for (column, head) in out.columns.iter_mut().zip(&columns.heads) {
        column.0.clone_from(head);
    }
    let mut sheet = new_sheet(&mut book, 1, &columns, &formats).map_err(failed)?;
    let mut row = 1_u32;
    while let Some((leads, names)) = extract.next(txn)? {
        for lead in &leads {
            if row >= options.sheet_rows {
                out.sheets = out.sheets.saturating_add(1);
                sheet = new_sheet(&mut book, out.sheets, &columns, &formats).map_err(failed)?;
                row = 1;
            }
            for ((n, spec), cell) in (0_u16..).zip(&specs).zip(reader.row(lead, &names)) {
                put(ctx, sheet, (row, n), cell, &formats, options, (lead, &spec.field))?;
            }
            row = row.saturating_add(1);
            out.leads = out.leads.saturating_add(1);
        }
    }
    book.save_to_writer(output).map_err(failed)
}

fn new_sheet<'b>(
    book: &'b mut Workbook,
    number: u32,
    columns: &Columns<'_>,
    formats: &Formats,
) -> std::result::Result<&'b mut Worksheet, XlsxError> {
    let sheet = book.add_worksheet_with_constant_memory()?;
    sheet.set_name(if number == 1 { "Leads".to_owned() } else { format!("Leads {number}") })?;
    sheet.set_freeze_panes(1, 0)?;
    for (n, spec) in (0_u16..).zip(columns.specs) {
        sheet.set_column_width(n, width(&spec.field))?;
    }
    for (n, head) in (0_u16..).zip(&columns.heads) {
        sheet.write_string_with_format(0, n, cut(head), &formats.head)?;
    }
    Ok(sheet)
}

/// How wide a column is, in characters.
pub(in crate::exchange) fn width(field: &Field) -> f64 {
    match field {
        Field::Id | Field::Description => 40.0,
        Field::Company | Field::Name | Field::Email | Field::Street | Field::Website => 28.0,
        Field::Kind | Field::Country | Field::Currency | Field::CurrencySymbol | Field::Probability => 11.0,
        Field::Phone | Field::Labels => 22.0,
        other if other.field_type() == FieldType::Time => 27.0,
        _ => 16.0,
    }
}

/// A number that is written as nothing but its digits.
fn plain(text: &str) -> Option<f64> {
    text.parse::<u32>().ok().filter(|number| number.to_string() == text).map(f64::from)
}

fn put(
    ctx: &Context<'_>,
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    cell: Cell,
    formats: &Formats,
    options: &ExportOptions,
    (lead, field): (&Lead, &Field),
) -> Result<()> {
    let done = match &cell {
        Cell::Empty => return Ok(()),
        Cell::Flag(yes) => sheet.write_boolean(row, column, *yes),
        Cell::Number(number) => match exact(*number) {
            Some(number) => sheet.write_number(row, column, number),
            None => {
                sheet.write_string_with_format(row, column, number.normalize().to_string(), &formats.text)
            }
        },
        // Plain numbers of leads sort as numbers; with a prefix or zeros before them they are texts.
        Cell::Text(text) if *field == Field::Number && plain(text).is_some() => {
            sheet.write_number(row, column, plain(text).unwrap_or_default())
        }
        Cell::Day(day) => match ExcelDateTime::parse_from_str(&day.to_string()) {
            Ok(day) => sheet.write_datetime_with_format(row, column, &day, &formats.day),
            // No spreadsheet has days before 1900.
            Err(_) => sheet.write_string_with_format(row, column, day.to_string(), &formats.text),
        },
        Cell::Time(at) => match excel(ctx, *at) {
            Some(time) => sheet.write_datetime_with_format(row, column, &time, &formats.time),
            None => sheet.write_string_with_format(row, column, at.to_string(), &formats.text),
        },
        Cell::Text(_) | Cell::List(_) => {
            let text = cell.into_text(field);
            let text = match options.long_texts {
                LongTexts::Cut => cut(&text),
                LongTexts::Refuse => {
                    let refuse = |code, message| {
                        Err(Error::invalid_field(format!("leads[{}].{field}", lead.number), code, message))
                    };
                    if !fits(&text) {
                        let message = "a cell of a spreadsheet takes 32,767 characters";
                        return refuse(ViolationCode::TooLong, message);
                    }
                    if matches!(printable(&text), Cow::Owned(_)) {
                        let message = "a spreadsheet has no character U+FFFE or U+FFFF";
                        return refuse(ViolationCode::Malformed, message);
                    }
                    text.into()
                }
            };
            sheet.write_string_with_format(row, column, Cow::as_ref(&text), &formats.text)
        }
    };
    done.map(drop).map_err(failed)
}

/// The number as spreadsheets keep it, where that is the same: they have 15 digits.
fn exact(number: Decimal) -> Option<f64> {
    let number = number.normalize();
    let fits = number.mantissa().unsigned_abs() < 1_000_000_000_000_000;
    number.to_f64().filter(|_| fits)
}
