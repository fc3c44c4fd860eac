//! The file of an import: known, mapped, and read in chunks.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use super::report::{FileFormat, ImportReport};
use super::{ImportOptions, OPERATION};
use crate::context::Context;
use crate::desk;
use crate::domain::{Catalogue, Field, Operation, OperationState, TermKind};
use crate::error::{Error, ErrorKind, Result};
use crate::exchange::coerce::{Coercer, Content};
use crate::exchange::mapping::{Located, saved};
use crate::exchange::rejects::Kept;
use crate::exchange::{Knowledge, Mapping, Proposal, ReadOptions, Row, Sample, Table, digest};
use crate::policy::Permission;
use crate::store::{Store, StoreExt, Txn};

/// This much text ends a chunk.
const CHUNK_BYTES: usize = 16 * 1024 * 1024;

/// A record of the file, read as far as that goes without a store.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) number: u64,
    pub(super) content: Content,
    pub(super) blanked: u64,
    pub(super) kept: Option<Kept>,
}

/// What is written in one transaction.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) records: Vec<Record>,
    /// Whether the file ends behind it.
    pub(super) end: bool,
}

/// What is known of a file before its rows are read.
#[derive(Debug)]
pub(super) struct Source {
    start: u64,
    pub(super) bytes: u64,
    read: ReadOptions,
    columns: Vec<Located>,
    pub(super) headers: Vec<String>,
    /// The key of the operation: the same file read the same way is the same import.
    pub(super) key: String,
    /// The report to begin with.
    pub(super) report: ImportReport,
    catalogue: Catalogue,
}

impl Source {
    /// Reads the whole file once for its digest, and its head for its columns.
    pub(super) fn prepare<R: Read + Seek>(
        ctx: &Context<'_>,
        store: &dyn Store,
        input: &mut R,
        options: &ImportOptions,
    ) -> Result<Self> {
        options.check()?;
        let catalogue = store.read(ctx.tenant(), |txn| {
            desk::require(ctx, txn, Permission::Import)?;
            desk::require(ctx, txn, Permission::Create)?;
            Ok(desk::settings::load_catalogue(txn)?.1)
        })?;
        let start = input.stream_position().map_err(unreadable)?;
        let file = digest(&mut *input).map_err(unreadable)?;
        let read = knowing(&catalogue, &options.read);
        input.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        let mut table = Table::open_head(&mut *input, &read)?;
        let mapping = match &options.mapping {
            Some(mapping) => mapping.clone(),
            None => propose(ctx, store, &mut table, &catalogue)?.mapping(),
        };
        let columns = mapping.locate(table.headers(), &catalogue)?;
        desk::check_fields(ctx, columns.iter().map(|column| &column.field))?;
        let key = format!("{}:{}", file.sha256, options.fingerprint(&mapping)?);
        let format = format_of(&table);
        let headers = table.headers().to_vec();
        let report = ImportReport { digest: file.sha256, mapping, format, ..ImportReport::default() };
        Ok(Self { start, bytes: file.bytes, read, columns, headers, key, report, catalogue })
    }

    /// The fields that the file fills.
    pub(super) fn fields(&self) -> Vec<Field> {
        self.columns.iter().map(|column| column.field.clone()).collect()
    }

    /// The rows, from the first.
    pub(super) fn rows<'r, R: Read + Seek>(
        &self,
        input: &'r mut R,
        options: &ImportOptions,
    ) -> Result<Rows<'r, R>> {
        input.seek(SeekFrom::Start(self.start)).map_err(unreadable)?;
        let bytes = Rc::new(Cell::new(0));
        let table = Table::open(Counted { input, bytes: Rc::clone(&bytes) }, &self.read)?;
        let coercer = Coercer::new(self.columns.clone(), &self.catalogue, options, table.encoding().name());
        Ok(Rows { table, coercer, row: Row::new(), bytes })
    }

    /// How far this import got before, if it was begun.
    pub(super) fn earlier(&self, txn: &mut dyn Txn) -> Result<Option<(Operation, ImportReport)>> {
        txn.journal().find(OPERATION, &self.key)?.map(|operation| stored_report(&operation)).transpose()
    }
}

/// Lets the tenant's fields vote on where the header is and what separates its cells.
pub(super) fn knowing(catalogue: &Catalogue, read: &ReadOptions) -> ReadOptions {
    if read.has_known_header() {
        return read.clone();
    }
    let catalogue = catalogue.clone();
    read.clone().known_header(move |cell| catalogue.field_for_header(cell).is_some())
}

/// How a file is read.
pub(super) fn format_of<R: Read + Seek>(table: &Table<R>) -> FileFormat {
    FileFormat {
        kind: table.format(),
        sheet: table.sheet().map(str::to_owned),
        encoding: table.encoding().name().to_owned(),
        delimiter: table.dialect().map_or(',', |dialect| char::from(dialect.delimiter)),
        header_line: table.header_line(),
        skipped_lines: table.skipped_lines(),
    }
}

/// Which column is which field, from the headers, the first rows and earlier files; without the fields that the actor may
/// not see.
pub(super) fn propose<R: Read + Seek>(
    ctx: &Context<'_>,
    store: &dyn Store,
    table: &mut Table<R>,
    catalogue: &Catalogue,
) -> Result<Proposal> {
    let mut sample = Sample::new(table.headers());
    let mut row = Row::new();
    while !sample.is_full() && table.next_row(&mut row)? {
        sample.push(&row);
    }
    let is_hidden = |field: &Field| ctx.policy().is_hidden(ctx.actor(), field);
    let seen = catalogue.clone().without(is_hidden);
    let knowledge = store.read(ctx.tenant(), |txn| {
        let mut knowledge = Knowledge::new(&seen);
        for kind in TermKind::ALL.into_iter().filter(|kind| kind.field().is_writable()) {
            let terms = txn.terms().list(kind)?;
            knowledge =
                knowledge.vocabulary(kind.field(), terms.iter().map(|record| record.term.name.as_str()));
        }
        let pipelines = txn.pipelines().list()?;
        let stages = pipelines.iter().flat_map(|pipeline| &pipeline.stages);
        knowledge = knowledge.vocabulary(Field::Stage, stages.map(|stage| stage.name.as_str()));
        Ok(match saved::known(ctx, txn, sample.headers())? {
            Some((evidence, mapping)) => knowledge.earlier(evidence, mapping),
            None => knowledge,
        })
    })?;
    Ok(Mapping::propose_from(&sample, &knowledge).without(is_hidden))
}

fn stored_report(operation: &Operation) -> Result<(Operation, ImportReport)> {
    let stored = operation.outcome.clone().unwrap_or_default();
    let report = serde_json::from_value(stored).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "the stored progress of the import cannot be read").with_source(error)
    })?;
    Ok((operation.clone(), ImportReport { operation: Some(operation.id), ..report }))
}

pub(super) fn is_done(operation: &Operation) -> bool {
    operation.state == OperationState::Done
}

pub(super) fn unreadable(error: io::Error) -> Error {
    Error::new(ErrorKind::Storage, "cannot read the file").with_source(error)
}

/// The rows of a file, chunk by chunk.
#[derive(Debug)]
pub(super) struct Rows<'r, R> {
    table: Table<Counted<'r, R>>,
    coercer: Coercer,
    row: Row,
    bytes: Rc<Cell<u64>>,
}

impl<R: Read + Seek> Rows<'_, R> {
    /// Passes over the records up to the one with this number, showing each.
    pub(super) fn skip_to(&mut self, number: u64, mut each: impl FnMut(&Row) -> Result<()>) -> Result<()> {
        while self.table.records() < number {
            if !self.table.next_row(&mut self.row)? {
                let message = "the file is shorter than what was imported of it";
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            each(&self.row)?;
        }
        Ok(())
    }

    /// The next records, `most` of them or 16 MiB of text.
    pub(super) fn next_chunk(&mut self, most: usize, keep: bool) -> Result<Chunk> {
        let mut records = Vec::new();
        let mut bytes = 0;
        while records.len() < most && bytes < CHUNK_BYTES {
            if !self.table.next_row(&mut self.row)? {
                return Ok(Chunk { records, end: true });
            }
            bytes += self.row.raw().len();
            let content = self.coercer.read(&self.row);
            records.push(Record {
                line: self.row.line(),
                number: self.row.number(),
                content,
                blanked: self.coercer.take_blanked(),
                kept: keep.then(|| Kept::of(&self.row)),
            });
        }
        Ok(Chunk { records, end: false })
    }

    /// How many bytes of the file were read, those ahead of the current record included.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.get()
    }
}

/// Counts what is read.
#[derive(Debug)]
struct Counted<'r, R> {
    input: &'r mut R,
    bytes: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(target)?;
        self.bytes.set(self.bytes.get().saturating_add(n as u64));
        Ok(n)
    }
}

impl<R: Seek> Seek for Counted<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        // Detection reads the head and goes back to it.
        self.bytes.set(0);
        self.input.seek(to)
    }
}
