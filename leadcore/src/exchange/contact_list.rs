//! The persons of a lead or an account as a file (S0.25): CSV, and with feature `xlsx` a spreadsheet.
//!
//! They are for whoever may take the lead out ([`Permission::Export`](crate::policy::Permission::Export)), of an account for
//! whoever may take out a lead behind it. Both have the same columns, in the tenant's words: fields that the tenant disabled or that the actor may not see have
//! none. Nothing in a file can be run: in a spreadsheet every text is a text, also one that looks like a formula or a
//! number, and in CSV such cells are defused.

use std::io::Write;

use crate::context::Context;
use crate::desk::contacts::LinkedContact;
use crate::desk::{persons, settings};
use crate::domain::{Catalogue, Field, MarkNote, Reachable, Subject};
use crate::error::Result;
use crate::store::Txn;
use crate::time::Timestamp;
use crate::value::PersonName;

use super::CsvWriter;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Empty,
    Text(String),
    Flag(bool),
    Time(Timestamp),
}

impl From<Option<&str>> for Cell {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.to_owned()))
    }
}

/// One column.
struct Column {
    label: String,
    /// How wide it is, in characters.
    #[cfg_attr(not(feature = "xlsx"), expect(dead_code, reason = "a CSV file has no widths"))]
    width: u8,
    read: fn(&LinkedContact) -> Cell,
    /// Whether it holds times.
    timed: bool,
}

/// The columns that hold times.
const SINCE: &str = "Do not call since";
const ADDED: &str = "Added";

/// The columns that this actor gets.
fn columns(ctx: &Context<'_>, catalogue: &Catalogue) -> Vec<Column> {
    let is_shown = |field: &Field| {
        let hidden = |field: &Field| ctx.policy().is_hidden(ctx.actor(), field);
        !catalogue.is_disabled(field) && !hidden(field)
    };
    let mut columns = Vec::new();
    let mut add = |field: Option<Field>, label: Option<&str>, width: u8, read: fn(&LinkedContact) -> Cell| {
        if field.as_ref().is_none_or(is_shown) {
            let own = || field.as_ref().map(|field| catalogue.spec(field).label);
            let label = label.map(str::to_owned).or_else(own).unwrap_or_default();
            columns.push(Column { label, width, read, timed: false });
        }
    };
    add(Some(Field::Name), None, 28, |it| name(it, |name| Some(name.full())));
    add(Some(Field::FirstName), None, 16, |it| name(it, PersonName::given));
    add(Some(Field::LastName), None, 16, |it| name(it, PersonName::family));
    add(None, Some("Primary"), 9, |it| Cell::Flag(it.is_primary));
    add(Some(Field::JobTitle), Some("Role"), 20, |it| it.contact.fields.role.as_deref().into());
    add(Some(Field::JobTitle), None, 20, |it| it.contact.fields.job_title.as_deref().into());
    add(Some(Field::Email), None, 30, |it| addresses(it.contact.fields.emails.entries(), |n| n == 0));
    add(Some(Field::Email), Some("Other e-mails"), 30, |it| {
        addresses(it.contact.fields.emails.entries(), |n| n > 0)
    });
    add(Some(Field::Phone), None, 20, |it| addresses(it.contact.fields.phones.entries(), |n| n == 0));
    add(Some(Field::Phone), Some("Other phones"), 20, |it| {
        addresses(it.contact.fields.phones.entries(), |n| n > 0)
    });
    add(Some(Field::Email), Some("E-mail marks"), 30, |it| marks(it.contact.fields.emails.told().items()));
    add(Some(Field::Phone), Some("Phone marks"), 30, |it| marks(it.contact.fields.phones.told().items()));
    add(Some(Field::Phone), Some("Do not call"), 11, |it| {
        Cell::Flag(it.contact.fields.do_not_call.is_some())
    });
    add(Some(Field::Phone), Some(SINCE), 28, |it| {
        let since = it.contact.fields.do_not_call.as_ref().and_then(MarkNote::since);
        since.map_or(Cell::Empty, Cell::Time)
    });
    add(Some(Field::Phone), Some("Do not call because"), 30, |it| {
        it.contact.fields.do_not_call.as_ref().and_then(MarkNote::reason).into()
    });
    add(Some(Field::Description), None, 40, |it| it.contact.fields.description.as_deref().into());
    add(None, Some(ADDED), 19, |it| Cell::Time(it.contact.created_at));
    for column in &mut columns {
        column.timed = [SINCE, ADDED].contains(&column.label.as_str());
    }
    columns
}

fn name(person: &LinkedContact, part: fn(&PersonName) -> Option<&str>) -> Cell {
    person.contact.fields.name.as_ref().and_then(part).into()
}

/// The addresses at these places of the list, as they were written.
fn addresses<T: ToString>(entries: &[Reachable<T>], wanted: fn(usize) -> bool) -> Cell {
    let texts = entries.iter().enumerate().filter(|(n, _)| wanted(*n));
    let texts: Vec<_> = texts.map(|(_, entry)| entry.value.to_string()).collect();
    if texts.is_empty() { Cell::Empty } else { Cell::Text(texts.join(", ")) }
}

/// What is said of addresses of which something is said.
fn marks(told: &[crate::domain::FieldValue]) -> Cell {
    let said = told.iter().filter_map(|item| item.as_text()).filter(|text| !text.ends_with(" ()"));
    let said: Vec<_> = said.collect();
    if said.is_empty() { Cell::Empty } else { Cell::Text(said.join(", ")) }
}

/// The time where the actor lives, and how far that is from UTC. Beyond the years that can be written so, in UTC.
fn written(ctx: &Context<'_>, at: Timestamp) -> String {
    let offset = ctx.utc_offset();
    let local = at.to_datetime().naive_utc().checked_add_offset(offset);
    local.map_or_else(|| at.to_string(), |local| format!("{}{offset}", local.format("%Y-%m-%dT%H:%M:%S")))
}

/// Writes the persons of a lead or an account as CSV, a row for each, the primary one first; says how many.
///
/// Yes and no are `yes` and `no`; times are those of the actor's [offset](Context::utc_offset) from UTC, which each of them
/// names: `2026-11-22T09:00:00+01:00`.
///
/// # Errors
/// `NotFound`; `Denied`; [`ErrorKind::Storage`](crate::error::ErrorKind::Storage) when the output cannot be written.
pub fn contacts_csv(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    owner: impl Into<Subject>,
    output: &mut dyn Write,
) -> Result<usize> {
    let persons = persons(ctx, txn, owner.into())?;
    let columns = columns(ctx, &settings::catalogue(ctx, txn)?.1);
    let mut csv = CsvWriter::new(output);
    csv.write_row(columns.iter().map(|column| column.label.as_str()))?;
    for person in &persons {
        csv.write_row(columns.iter().map(|column| match (column.read)(person) {
            Cell::Empty => String::new(),
            Cell::Text(text) => text,
            Cell::Flag(yes) => if yes { "yes" } else { "no" }.to_owned(),
            Cell::Time(at) => written(ctx, at),
        }))?;
    }
    csv.flush()?;
    Ok(persons.len())
}

#[cfg(feature = "xlsx")]
pub use sheet::contacts_xlsx;

#[cfg(feature = "xlsx")]
mod sheet {
    use rust_xlsxwriter::{DocProperties, Format, Workbook, Worksheet, XlsxError};

    use super::{Cell, Column, columns};
    use crate::context::Context;
    use crate::desk::contacts::LinkedContact;
    use crate::desk::{persons, settings};
    use crate::domain::Subject;
    use crate::error::{Error, ErrorKind, Result};
    use crate::exchange::sheet_out::{cut, excel, made};
    use crate::store::Txn;

    /// Writes the persons of a lead or an account as a spreadsheet, a row for each, the primary one first; says how many.
    ///
    /// The header stays in sight. Phone numbers and every other text are texts; yes and no are such; times are those of
    /// the actor's [offset](Context::utc_offset) from UTC, which the head of their column names: `Added (UTC+01:00)`. A text that is longer than a cell takes (32,767 units) ends in
    /// `…`. The same persons at the same time of the clock give the same bytes.
    ///
    /// ```
    /// use leadcore::desk::{contacts, leads};
    /// use leadcore::domain::ContactFields;
    /// use leadcore::exchange::contacts_xlsx;
    /// use leadcore::prelude::*;
    /// let store = MemoryStore::new();
    /// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
    /// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
    /// let mut file = Vec::new();
    /// store.write(ctx.tenant(), |txn| {
    ///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
    ///     contacts::add(&ctx, txn, lead.id, ContactFields::named("Anna Berg")?, true)?;
    ///     file.clear();
    ///     assert_eq!(contacts_xlsx(&ctx, txn, lead.id, &mut file)?, 1);
    ///     Ok(())
    /// })?;
    /// assert!(file.starts_with(b"PK"));
    /// # Ok::<(), leadcore::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// `NotFound`; `Denied`; [`ErrorKind::Storage`] when the output cannot be written.
    pub fn contacts_xlsx(
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        owner: impl Into<Subject>,
        output: &mut dyn std::io::Write,
    ) -> Result<usize> {
        let persons = persons(ctx, txn, owner.into())?;
        let columns = columns(ctx, &settings::catalogue(ctx, txn)?.1);
        let bytes = book(ctx, &columns, &persons).map_err(|error| {
            Error::new(ErrorKind::Internal, "the spreadsheet could not be made").with_source(error)
        })?;
        output.write_all(&bytes).and_then(|()| output.flush()).map_err(|error| {
            Error::new(ErrorKind::Storage, "cannot write the spreadsheet").with_source(error)
        })?;
        Ok(persons.len())
    }

    fn book(
        ctx: &Context<'_>,
        columns: &[Column],
        persons: &[LinkedContact],
    ) -> std::result::Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        if let Some(made) = made(ctx) {
            book.set_properties(&DocProperties::new().set_creation_datetime(&made));
        }
        let bold = Format::new().set_bold();
        let as_text = Format::new().set_num_format("@");
        let as_time = Format::new().set_num_format("yyyy-mm-dd hh:mm");
        let sheet = book.add_worksheet();
        sheet.set_name("Contacts")?;
        sheet.set_freeze_panes(1, 0)?;
        for (n, column) in (0_u16..).zip(columns) {
            sheet.set_column_width(n, f64::from(column.width))?;
            let label = if column.timed {
                format!("{} (UTC{})", column.label, ctx.utc_offset())
            } else {
                column.label.clone()
            };
            sheet.write_string_with_format(0, n, cut(&label), &bold)?;
        }
        for (row, person) in (1_u32..).zip(persons) {
            for (n, column) in (0_u16..).zip(columns) {
                match (column.read)(person) {
                    Cell::Empty => continue,
                    Cell::Text(text) => text_cell(sheet, row, n, &text, &as_text)?,
                    Cell::Flag(yes) => drop(sheet.write_boolean(row, n, yes)?),
                    Cell::Time(at) => match excel(ctx, at) {
                        Some(time) => drop(sheet.write_datetime_with_format(row, n, &time, &as_time)?),
                        // No spreadsheet has days before 1900.
                        None => text_cell(sheet, row, n, &at.to_string(), &as_text)?,
                    },
                }
            }
        }
        book.save_to_buffer()
    }

    fn text_cell(
        sheet: &mut Worksheet,
        row: u32,
        column: u16,
        text: &str,
        format: &Format,
    ) -> std::result::Result<(), XlsxError> {
        sheet.write_string_with_format(row, column, cut(text), format).map(drop)
    }
}
