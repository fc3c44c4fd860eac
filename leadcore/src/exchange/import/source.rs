//! The file of an import: known, mapped, and read in chunks.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::options::fingerprint;
use super::planned::{Choice, Planned, PlannedLine};
use super::report::{FileFormat, ImportReport};
use super::{ImportOptions, MatchBy, OPERATION};
use crate::context::Context;
use crate::desk;
use crate::domain::{Catalogue, Field, Numbering, Operation, OperationState, TermKind};
use crate::error::{Error, ErrorKind, Result, Violation, ViolationCode};
use crate::exchange::coerce::{Coercer, Content};
use crate::exchange::mapping::{Located, fillable, saved};
use crate::exchange::rejects::Kept;
use crate::exchange::{Knowledge, Mapping, Proposal, ReadOptions, Row, Sample, Table, digest};
use crate::id::LeadId;
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
    /// What was planned for it, where a plan is applied or made anew.
    pub(super) planned: Option<Box<PlannedLine>>,
    /// What a person decided about it. A line that a plan lacks is one that it leaves out.
    pub(super) choice: Option<Choice>,
}

impl Record {
    /// The lead that a person chose for it.
    pub(super) fn taken(&self) -> Option<LeadId> {
        match self.choice? {
            Choice::Take(lead) => Some(lead),
            _ => None,
        }
    }

    /// The id that a lead which it creates shall have.
    pub(super) fn creates(&self) -> Option<LeadId> {
        match self.planned.as_deref()?.decision {
            Planned::Create { lead, .. } => Some(lead),
            _ => None,
        }
    }
}

/// What is written in one transaction.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) records: Vec<Record>,
    /// Whether the file ends behind it.
    pub(super) end: bool,
    /// How many bytes of the file were read, those ahead of the next record included; of a table that is held in memory,
    /// the share of its records that were.
    pub(super) bytes: u64,
}

/// The lines of a plan, in the order of the file.
pub(super) enum PlanLines<'p> {
    /// The next of those in memory.
    Held(&'p [PlannedLine]),
    Streamed(Box<dyn Iterator<Item = Result<PlannedLine>> + Send + 'p>),
}

impl PlanLines<'_> {
    fn next(&mut self) -> Result<Option<PlannedLine>> {
        match self {
            Self::Held(lines) => {
                let [first, rest @ ..] = *lines else { return Ok(None) };
                *lines = rest;
                Ok(Some(first.clone()))
            }
            Self::Streamed(lines) => lines.next().transpose(),
        }
    }
}

/// A plan beside the rows.
struct Beside<'p> {
    lines: PlanLines<'p>,
    next: Option<PlannedLine>,
    /// Records up to this one were done when it was made, so it does not say what becomes of them.
    from: u64,
}

impl Beside<'_> {
    /// What was planned for a record.
    fn of(&mut self, number: u64) -> Result<Option<PlannedLine>> {
        loop {
            let line = match self.next.take() {
                Some(line) => line,
                None => match self.lines.next()? {
                    Some(line) => line,
                    None => return Ok(None),
                },
            };
            if line.number == number {
                return Ok(Some(line));
            }
            if line.number > number {
                self.next = Some(line);
                return Ok(None);
            }
        }
    }
}

/// What is known of a file before its rows are read.
#[derive(Debug)]
pub(super) struct Source {
    start: u64,
    pub(super) bytes: u64,
    read: ReadOptions,
    pub(super) columns: Vec<Located>,
    pub(super) headers: Vec<String>,
    /// The key of the operation: the same file with the same options is the same import. Its first import has the plain
    /// key, whatever its mapping was, so that it is found without one; others have their mapping in it.
    pub(super) key: String,
    /// The report to begin with.
    pub(super) report: ImportReport,
    catalogue: Catalogue,
    numbering: Numbering,
}

impl Source {
    /// Reads the whole file once for its digest, and its head for its columns.
    pub(super) fn prepare<R: Read + Seek>(
        ctx: &Context<'_>,
        store: &dyn Store,
        input: &mut R,
        options: &ImportOptions,
    ) -> Result<Self> {
        Self::prepare_same(ctx, store, input, options, None)
    }

    /// As [`prepare`](Self::prepare), of the file with this digest and no other.
    pub(super) fn prepare_same<R: Read + Seek>(
        ctx: &Context<'_>,
        store: &dyn Store,
        input: &mut R,
        options: &ImportOptions,
        same: Option<&str>,
    ) -> Result<Self> {
        options.check()?;
        let (catalogue, numbering) = store.read(ctx.tenant(), |txn| {
            desk::require(ctx, txn, Permission::Import)?;
            desk::require(ctx, txn, Permission::Create)?;
            Ok((desk::settings::load_catalogue(txn)?.1, desk::settings::load_numbering(txn)?.1))
        })?;
        let start = input.stream_position().map_err(unreadable)?;
        let file = digest(&mut *input).map_err(unreadable)?;
        if same.is_some_and(|same| same != file.sha256) {
            let message = "this is not the file that the plan was made of";
            return Err(Error::invalid_field("file", ViolationCode::NotAllowed, message));
        }
        let read = knowing(&catalogue, &options.read);
        input.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        let mut table = Table::open_head(&mut *input, &read)?;
        let plain = format!("{}:{}", file.sha256, options.fingerprint()?);
        let stored = |key: &str| store.read(ctx.tenant(), |txn| find(txn, key));
        let first = stored(&plain)?;
        let mapping = match (&options.mapping, &first) {
            (Some(mapping), _) => mapping.clone(),
            (None, Some((_, report))) => report.mapping.clone(),
            (None, None) => propose(ctx, store, &mut table, &catalogue)?.mapping(),
        };
        let other = format!("{plain}:{}", fingerprint(&mapping)?);
        let (key, earlier) = match (first, stored(&other)?) {
            (Some(first), _) if first.1.mapping == mapping => (plain, Some(first)),
            (_, Some(known)) => (other, Some(known)),
            (Some(_), None) => (other, None),
            (None, None) => (plain, None),
        };
        let columns = if earlier.is_some_and(|(operation, _)| is_done(&operation)) {
            // Nothing is read of it any more, so nobody has to be able to.
            Vec::new()
        } else {
            let columns = mapping.locate(table.headers(), &catalogue, &options.match_by)?;
            check_keys(&catalogue, options, &columns)?;
            desk::check_fields(ctx, columns.iter().map(|column| &column.field))?;
            columns
        };
        let format = format_of(&table);
        let headers = table.headers().to_vec();
        let report = ImportReport { digest: file.sha256, mapping, format, ..ImportReport::default() };
        Ok(Self { start, bytes: file.bytes, read, columns, headers, key, report, catalogue, numbering })
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
        let bytes = Arc::new(AtomicU64::new(0));
        let table = Table::open(Counted { input, bytes: Arc::clone(&bytes) }, &self.read)?;
        let coercer = Coercer::new(self.columns.clone(), &self.catalogue, options, table.encoding().name())
            .with_numbering(self.numbering.clone());
        Ok(Rows { table, coercer, row: Row::new(), bytes, size: self.bytes, beside: None })
    }

    /// How far this import got before, if it was begun.
    ///
    /// # Errors
    /// `Conflict` when somebody else began with another mapping since this one looked.
    pub(super) fn earlier(&self, txn: &mut dyn Txn) -> Result<Option<(Operation, ImportReport)>> {
        let found = find(txn, &self.key)?;
        if found.as_ref().is_some_and(|(_, report)| report.mapping != self.report.mapping) {
            let message = "the file is being imported with another mapping: import it again";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        Ok(found)
    }

    /// Refuses texts for fields that could not be mapped either, as whoever applies the plan.
    pub(super) fn check_edits<'l>(
        &self,
        ctx: &Context<'_>,
        options: &ImportOptions,
        lines: impl Iterator<Item = &'l PlannedLine>,
    ) -> Result<()> {
        let fields: BTreeSet<&Field> = lines.flat_map(|line| line.set.keys()).collect();
        desk::check_fields(ctx, fields.iter().copied())?;
        let fillable = |field: &Field| fillable(field, &self.catalogue, &options.match_by).map(drop);
        let broken: Vec<_> = fields
            .into_iter()
            .filter_map(|field| Some(fillable(field).err()?.at(format!("set.{field}"))))
            .collect();
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }

    pub(super) const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }
}

/// The import with this key, and how far it got.
fn find(txn: &mut dyn Txn, key: &str) -> Result<Option<(Operation, ImportReport)>> {
    txn.journal().find(OPERATION, key)?.map(|operation| stored_report(&operation)).transpose()
}

/// Refuses keys that say nothing here: of unknown fields, of fields that several leads may share, of no column at all.
fn check_keys(catalogue: &Catalogue, options: &ImportOptions, columns: &[Located]) -> Result<()> {
    let mut broken = Vec::new();
    let mut refuse = |path: String, code, message: &str| broken.push(Violation::new(path, code, message));
    for by in &options.match_by {
        if let MatchBy::Custom(key) = by
            && !catalogue.custom_field(key).is_some_and(|field| field.unique)
        {
            let message = "only a unique field says which lead is meant";
            refuse(format!("match_by.{by}"), ViolationCode::NotAllowed, message);
        }
    }
    let is_key = |field: &Field| options.match_by.iter().any(|by| by.field() == *field);
    let is_chosen = options.match_by != MatchBy::DEFAULT && !options.match_by.is_empty();
    if is_chosen && !columns.iter().any(|column| is_key(&column.field)) {
        let message = "no column of the file is mapped to a field by which leads are to be recognised";
        refuse("match_by".to_owned(), ViolationCode::Required, message);
    }
    if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
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
pub(super) struct Rows<'r, R> {
    table: Table<Counted<'r, R>>,
    coercer: Coercer,
    row: Row,
    bytes: Arc<AtomicU64>,
    /// How many bytes the file has.
    size: u64,
    beside: Option<Beside<'r>>,
}

impl<'r, R: Read + Seek> Rows<'r, R> {
    /// How far the file is read: see [`Chunk::bytes`].
    pub(super) fn bytes(&self) -> u64 {
        let Some(total) = self.table.total().filter(|total| *total > 0) else {
            return self.bytes.load(Ordering::Relaxed);
        };
        let done = u128::from(self.size) * u128::from(self.table.records()) / u128::from(total);
        u64::try_from(done).unwrap_or(self.size)
    }

    /// With what was planned for them: records behind number `from` that the plan lacks are left out.
    pub(super) fn beside(mut self, lines: PlanLines<'r>, from: u64) -> Self {
        self.beside = Some(Beside { lines, next: None, from });
        self
    }

    /// Passes over the records up to the one with this number, showing each.
    pub(super) fn skip_to(&mut self, number: u64, mut each: impl FnMut(&Row) -> Result<()>) -> Result<()> {
        while self.table.records() < number {
            if !self.table.next_row(&mut self.row)? {
                return Err(shorter());
            }
            each(&self.row)?;
        }
        Ok(())
    }

    /// The next records, `most` of them or 16 MiB of text.
    pub(super) fn next_chunk(&mut self, most: usize, keep: bool) -> Result<Chunk> {
        let mut records = Vec::new();
        let (mut text, mut end) = (0, false);
        while records.len() < most && text < CHUNK_BYTES {
            if !self.table.next_row(&mut self.row)? {
                end = true;
                break;
            }
            text += self.row.raw().len();
            let kept = keep.then(|| Kept::of(&self.row));
            let (planned, choice) = self.decided()?;
            if let Some(planned) = &planned {
                self.correct(planned);
            }
            let content = self.coercer.read(&self.row);
            records.push(Record {
                line: self.row.line(),
                number: self.row.number(),
                content,
                blanked: self.coercer.take_blanked(),
                kept,
                planned: planned.map(Box::new),
                choice,
            });
        }
        Ok(Chunk { records, end, bytes: self.bytes() })
    }

    /// What was planned for the row, and what a person decided.
    fn decided(&mut self) -> Result<(Option<PlannedLine>, Option<Choice>)> {
        let Some(beside) = &mut self.beside else { return Ok((None, None)) };
        let number = self.row.number();
        let planned = beside.of(number)?;
        let choice = match &planned {
            Some(planned) => planned.choice,
            None => (number > beside.from).then_some(Choice::Skip),
        };
        Ok((planned, choice))
    }

    /// Takes the cells that a person set instead of the file's.
    fn correct(&mut self, planned: &PlannedLine) {
        if planned.set.is_empty() || self.row.problem().is_some() {
            return;
        }
        let mut cells: Vec<String> = self.row.iter().map(str::to_owned).collect();
        for (field, text) in &planned.set {
            let place = self.coercer.place_of(field, self.table.headers().len());
            if cells.len() <= place {
                cells.resize(place + 1, String::new());
            }
            for other in self.coercer.other_places(field, place) {
                cells.get_mut(other).into_iter().for_each(String::clear);
            }
            if let Some(cell) = cells.get_mut(place) {
                cell.clone_from(text);
            }
        }
        self.row.replace_cells(&cells);
    }
}

/// The error of a file that is shorter than it was.
pub(super) fn shorter() -> Error {
    Error::new(ErrorKind::Conflict, "the file is shorter than what was imported of it")
}

/// Counts what is read.
#[derive(Debug)]
struct Counted<'r, R> {
    input: &'r mut R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(target)?;
        self.bytes.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl<R: Seek> Seek for Counted<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        // Detection reads the head and goes back to it.
        self.bytes.store(0, Ordering::Relaxed);
        self.input.seek(to)
    }
}
