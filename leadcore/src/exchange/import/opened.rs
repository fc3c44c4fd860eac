//! The head of a file, opened as its layout, or what it says of itself, asks for.

use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};

use super::ImportOptions;
use super::source::unreadable;
use crate::domain::Catalogue;
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::exchange::rejects::{self, Origin};
use crate::exchange::{Mapping, ReadOptions, Row, Sample, Table};
use crate::value::fold;

/// A table of which nothing is read but the head.
#[derive(Debug)]
pub(super) struct Opened<R> {
    pub(super) table: Table<R>,
    /// How it is read.
    pub(super) read: ReadOptions,
    /// Its headers, as they are told.
    pub(super) headers: Vec<String>,
    /// What is said about the import; of rejected rows, what was said when they were, where nothing else is said now.
    pub(super) options: ImportOptions,
    /// What it says of an import that rejected its rows.
    pub(super) origin: Origin,
}

impl<'r, R: Read + Seek> Opened<&'r mut R> {
    /// Opens a file that begins where the input stands.
    pub(super) fn head(input: &'r mut R, catalogue: &Catalogue, options: &ImportOptions) -> Result<Self> {
        let read = layout(&mut *input, catalogue, options)?;
        let table = Table::open_head(input, &read)?;
        if read.sheet.is_some() && table.sheet().is_none() {
            let message = "only a workbook has sheets, and this file is none";
            return Err(Error::invalid_field("sheet", ViolationCode::NotAllowed, message));
        }
        let (origin, headers) = Origin::of(table.headers());
        let options = origin.reading().map_or_else(|| options.clone(), |reading| reading.over(options));
        Ok(Self { table, read, headers, options, origin })
    }
}

impl<R: Read + Seek> Opened<R> {
    /// The first rows.
    pub(super) fn sample(&mut self) -> Result<Sample> {
        let mut sample = Sample::new(&self.headers).of_kind(self.table.format());
        let mut row = Row::new();
        while !sample.is_full() && self.table.next_row(&mut row)? {
            sample.push(&row);
        }
        Ok(sample)
    }

    /// Refuses a mapping of columns that could not be read.
    pub(super) fn check_left_out(&self, mapping: &Mapping) -> Result<()> {
        let is_left_out = |header: &String| self.read.left_out.contains_key(header);
        let mapped = mapping.columns.iter().filter(|column| is_left_out(&column.header));
        let broken: Vec<_> = mapped
            .filter_map(|column| {
                let path = format!("mapping.{}", column.field.as_ref()?);
                let message =
                    format!("the column `{}` holds values that no field takes: leave it out", column.header);
                Some(Violation::new(path, ViolationCode::NotAllowed, message))
            })
            .collect();
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }

    /// How the rows were read by the import that rejected them, as far as there are these fields.
    pub(super) fn mapping_then(&self, catalogue: &Catalogue) -> Option<Mapping> {
        let mapping = self.origin.reading()?.mapping()?;
        Some(mapping.without(|field| catalogue.field_type(field).is_err()))
    }
}

/// How a file is to be read. What was said of the file that rows were rejected from is not true of the file that these were
/// written to: where that is plain by its headers, it is read as what it is.
fn layout<R: Read + Seek>(
    input: &mut R,
    catalogue: &Catalogue,
    options: &ImportOptions,
) -> Result<ReadOptions> {
    let said = &options.read;
    let knowing = |read: &ReadOptions| knowing(catalogue, options.mapping.as_ref(), read);
    let read = knowing(said);
    if !said.says_layout() {
        return Ok(read);
    }
    let start = input.stream_position().map_err(unreadable)?;
    let mut holds_rejects = |read: &ReadOptions| {
        let found = Table::open_head(&mut *input, read).map(|table| {
            rejects::holds(table.headers()) && (read.sheet.is_none() || table.sheet().is_some())
        });
        input.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        Ok::<_, Error>(found.unwrap_or(false))
    };
    let plain = knowing(&ReadOptions::new().limits(said.limits.clone()).left_out(said.left_out.clone()));
    let is_plain = !holds_rejects(&read)? && holds_rejects(&plain)?;
    Ok(if is_plain { plain } else { read })
}

/// Lets the tenant's fields, and the columns that a mapping names, vote on where the header is and what separates its cells.
fn knowing(catalogue: &Catalogue, mapping: Option<&Mapping>, read: &ReadOptions) -> ReadOptions {
    if read.has_known_header() {
        return read.clone();
    }
    let catalogue = catalogue.clone();
    let columns = mapping.into_iter().flat_map(|mapping| &mapping.columns);
    let mapped: BTreeSet<String> = columns.map(|column| fold(column.header.trim())).collect();
    read.clone().known_header(move |cell| {
        rejects::is_own(cell) || catalogue.field_for_header(cell).is_some() || mapped.contains(&fold(cell))
    })
}
