//! The file of an import: known, mapped, and read in chunks.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::columns::ColumnNotes;
use super::format::FileFormat;
use super::key::{self, SaidOfAll};
use super::offered::Offered;
use super::opened::Opened;
use super::options::fingerprint;
use super::own_numbers::{own_ids, own_numbers};
use super::planned::PlannedLine;
use super::records::{Counted, Rows};
use super::report::ImportReport;
use super::{ImportOptions, MatchBy, OPERATION};
use crate::context::Context;
use crate::desk;
use crate::domain::{Catalogue, Field, Numbering, Operation, OperationState, TermId as _, TermKind};
use crate::error::{Error, ErrorKind, Result, Violation, ViolationCode};
use crate::exchange::coerce::Coercer;
use crate::exchange::mapping::{Located, completed, fillable, saved};
use crate::exchange::rejects::{Origin, Reading, Rejects};
use crate::exchange::{Evidence, Knowledge, Mapping, Proposal, ReadOptions, Sample, Table, digest};
use crate::policy::Permission;
use crate::query::{Filter, LeadScan, Sort, SortField};
use crate::store::{Store, StoreExt, Txn};

/// How many sheets that were not read a report names.
const SHEETS: usize = 100;

/// What is known of a file before its rows are read.
#[derive(Debug)]
pub(super) struct Source {
    start: u64,
    pub(super) bytes: u64,
    read: ReadOptions,
    /// What is said about the import, with what the file says itself.
    pub(super) options: ImportOptions,
    pub(super) columns: Vec<Located>,
    pub(super) headers: Vec<String>,
    /// The key of the operation: the same file with the same options is the same import. Its first import has the plain
    /// key, whatever its mapping was, so that it is found without one; others have their mapping in it.
    pub(super) key: String,
    /// The report to begin with.
    pub(super) report: ImportReport,
    catalogue: Catalogue,
    numbering: Numbering,
    known_numbers: u64,
    keeps_currency: bool,
    keeps_names: bool,
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
        input.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        let mut opened = Opened::head(&mut *input, &catalogue, options)?;
        // What the caller says and the file's bytes, which hold what the file says.
        let stored = |key: &str| store.read(ctx.tenant(), |txn| find(txn, key));
        let is_stored = |key: &str| Ok(stored(key)?.is_some());
        let plain = key::plain(&file.sha256, options, &opened.table, is_stored)?;
        let said = SaidOfAll::by(options);
        let first = stored(&plain)?;
        let sample = opened.sample()?;
        let Opened { table, headers, options, .. } = &opened;
        let offered = Offered::now(ctx, &catalogue);
        let proposed = || {
            let seeing = Seeing {
                catalogue: &catalogue,
                numbering: &numbering,
                keys: &options.match_by,
                one_system: options.names_system(),
                then: opened.mapping_then(&catalogue),
            };
            let proposal = propose(ctx, store, &sample, seeing)?;
            let mapping = proposal.mapping().without(|field| !takes(options, field));
            Ok::<_, Error>((options.over(mapping), proposal.mapped_as.clone()))
        };
        let mut not_said = Vec::new();
        let then = first.as_ref().and_then(|(_, report)| report.offered.as_ref());
        let (mapping, mapped_as) = match (&options.mapping, &first) {
            (Some(said), _) => {
                let said = said.placed(headers);
                (completed(&sample, &catalogue, said, options.decimal_mark), None)
            }
            (None, Some((operation, report))) => {
                let is_more = then.filter(|then| is_done(operation) && offered.is_more_than(then));
                let mapping = report.mapping.clone();
                let mapping = match is_more {
                    Some(then) => offered.filled(then, mapping, &proposed()?.0),
                    None => mapping,
                };
                (mapping, report.mapped_as.clone())
            }
            (None, None) => {
                let (mut mapping, mapped_as) = proposed()?;
                // What every row of another file had is said anew, or none has it.
                if mapped_as == Some(Evidence::LastUse) {
                    not_said = std::mem::take(&mut mapping.constants);
                    not_said.retain(|last| options.constants.iter().all(|own| own.field != last.field));
                }
                (mapping, mapped_as)
            }
        };
        let mapping = options.with_constants(mapping);
        let has_currency_now = then.is_some_and(|then| offered.has_currency_now(then, &mapping));
        let other = format!("{plain}:{}", fingerprint(&mapping)?);
        let other = if has_currency_now { format!("{other}:currency") } else { other };
        let said_of = |(operation, report): &(Operation, ImportReport)| Some(report.said?.of(operation));
        let said_then = first.as_ref().and_then(said_of).unwrap_or(said);
        let is_as_then = said.is_as(said_then, &sample, &catalogue, options, &mapping);
        let other = if is_as_then { other } else { format!("{other}:{}", fingerprint(&said)?) };
        let (key, earlier): (_, Option<(Operation, ImportReport)>) = match (first, stored(&other)?) {
            (Some(first), _)
                if is_as_then && first.1.mapping == mapping && !(has_currency_now && is_done(&first.0)) =>
            {
                (plain, Some(first))
            }
            (_, Some(known)) => (other, Some(known)),
            (Some(_), None) => (other, None),
            (None, None) => (plain, None),
        };
        let begun = earlier.as_ref().and_then(|(_, report)| report.known_numbers);
        let columns = if earlier.is_some_and(|(operation, _)| is_done(&operation)) {
            // Nothing is read of it any more, so nobody has to be able to.
            Vec::new()
        } else {
            opened.check_left_out(&mapping)?;
            let columns = mapping.locate(headers, &catalogue, &options.match_by)?;
            check_keys(&catalogue, options, &columns)?;
            desk::check_fields(ctx, columns.iter().flat_map(Located::writes))?;
            let mut coercer = Coercer::new(columns.clone(), &catalogue, options, table.encoding().name());
            coercer.check_constants().map_err(Error::invalid)?;
            columns
        };
        let notes = ColumnNotes::of(&sample, &catalogue, &mapping, options.decimal_mark);
        let format = format_of(table, &opened.read);
        let has_numbers = columns.iter().any(|column| column.field == Field::Number);
        let known_numbers = match begun {
            None if has_numbers => Some(store.read(ctx.tenant(), |txn| last_number(ctx, txn))?),
            begun => begun,
        };
        let report = ImportReport {
            digest: file.sha256,
            mapping,
            mapped_as,
            not_said,
            read_anew: matches!(opened.origin, Origin::Unknown),
            notes,
            format,
            known_numbers,
            offered: Some(offered),
            said: Some(said.begun()),
            ..ImportReport::default()
        };
        let known_numbers = known_numbers.unwrap_or(u64::MAX);
        let fields = [Field::Currency, Field::CurrencySymbol];
        let names = [Field::Name, Field::FirstName, Field::LastName];
        let Opened { read, headers, options, .. } = opened;
        Ok(Self {
            start,
            bytes: file.bytes,
            read,
            options,
            columns,
            headers,
            key,
            report,
            catalogue,
            numbering,
            known_numbers,
            keeps_currency: desk::check_fields(ctx, fields.iter()).is_ok(),
            keeps_names: desk::check_fields(ctx, names.iter()).is_ok(),
        })
    }

    /// The highest number that its rows may mean: those that the import gives itself are none that the file knows.
    pub(super) const fn known_numbers(&self) -> u64 {
        self.known_numbers
    }

    /// The fields that the file fills.
    pub(super) fn fields(&self) -> Vec<Field> {
        self.columns.iter().map(|column| column.field.clone()).collect()
    }

    /// The rows, from the first.
    pub(super) fn rows<'r, R: Read + Seek>(&self, input: &'r mut R) -> Result<Rows<'r, R>> {
        let options = &self.options;
        input.seek(SeekFrom::Start(self.start)).map_err(unreadable)?;
        let read = Counted::new(input);
        let bytes = read.counter();
        let table = Table::open(read, &self.read)?;
        let coercer = Coercer::new(self.columns.clone(), &self.catalogue, options, table.encoding().name())
            .with_numbering(self.numbering.clone())
            .with_headers(&self.headers)
            .of_kind(table.format())
            .below(if table.header_line().is_some() { table.headers() } else { &[] })
            .keeping_currency(self.keeps_currency)
            .keeping_names(self.keeps_names);
        Ok(Rows::new(table, coercer, (bytes, self.bytes)))
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
        let has = |field: Field| self.columns.iter().any(|column| column.field == field);
        let mut keys = options.match_by.clone();
        keys.extend(has(Field::Number).then_some(MatchBy::Number));
        keys.extend(has(Field::Id).then_some(MatchBy::Id));
        let fillable = |field: &Field| fillable(field, &self.catalogue, &keys).map(drop);
        let broken: Vec<_> = fields
            .into_iter()
            .filter_map(|field| Some(fillable(field).err()?.at(format!("set.{field}"))))
            .collect();
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }

    /// A file for the rows that are rejected.
    pub(super) fn rejects<W: Write>(&self, output: W, mapping: &Mapping) -> Result<Rejects<W>> {
        Rejects::new(output, &self.headers, &Reading::of(mapping, &self.headers, &self.options)?)
    }

    pub(super) const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }
}

/// Whether a field may be proposed: leads are recognised by their numbers or ids where that is said, and where nothing is.
pub(super) fn takes(options: &ImportOptions, field: &Field) -> bool {
    let by = |key| options.match_by == MatchBy::DEFAULT || options.match_by.contains(&key);
    match field {
        Field::Number => by(MatchBy::Number),
        Field::Id => by(MatchBy::Id),
        _ => true,
    }
}

/// The highest number of a lead.
fn last_number(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<u64> {
    let filter = Filter::everything().resolve(&ctx.asker())?;
    let sort = Sort::descending(SortField::Number);
    let scan = LeadScan { filter, trashed: false, sort, limit: 1, after: None };
    Ok(txn.leads().scan(&scan)?.first().map_or(0, |lead| lead.number))
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
    let columns = || columns.iter().filter(|column| column.rules.opt_out.is_none());
    let is_key = |field: &Field| options.match_by.iter().any(|by| by.field() == *field);
    let is_chosen = options.match_by != MatchBy::DEFAULT && !options.match_by.is_empty();
    if is_chosen && !columns().any(|column| is_key(&column.field)) {
        let message = "no column of the file is mapped to a field by which leads are to be recognised";
        refuse("match_by".to_owned(), ViolationCode::Required, message);
    }
    if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
}

/// How a file is read.
pub(super) fn format_of<R: Read + Seek>(table: &Table<R>, read: &ReadOptions) -> FileFormat {
    let mut left_out = table.left_out().clone();
    left_out.extend(read.left_out.iter().map(|(column, rows)| (column.clone(), *rows)));
    let others =
        table.sheets().iter().filter(|sheet| sheet.visible && Some(sheet.name.as_str()) != table.sheet());
    FileFormat {
        kind: table.format(),
        sheet: table.sheet().map(str::to_owned),
        other_sheets: others.take(SHEETS).map(|sheet| sheet.name.clone()).collect(),
        encoding: table.encoding().name().to_owned(),
        encoding_doubt: table.encoding_doubt(),
        delimiter: table.dialect().map_or(',', |dialect| char::from(dialect.delimiter)),
        header_line: table.header_line(),
        skipped_lines: table.skipped_lines(),
        left_out,
    }
}

/// By what the columns of a file are looked at.
pub(super) struct Seeing<'s> {
    pub(super) catalogue: &'s Catalogue,
    pub(super) numbering: &'s Numbering,
    /// What leads are recognised by.
    pub(super) keys: &'s [MatchBy],
    /// Whether the caller named the system of all ids.
    pub(super) one_system: bool,
    /// How an import read the rows that it rejected, where they are such.
    pub(super) then: Option<Mapping>,
}

/// Which column is which field, from the headers, the first rows and earlier files; without the fields that the actor may
/// not see.
pub(super) fn propose(
    ctx: &Context<'_>,
    store: &dyn Store,
    sample: &Sample,
    Seeing { catalogue, numbering, keys, one_system, then }: Seeing<'_>,
) -> Result<Proposal> {
    let is_hidden = |field: &Field| ctx.policy().is_hidden(ctx.actor(), field);
    let seen = catalogue.clone().without(is_hidden);
    let knowledge = store.read(ctx.tenant(), |txn| {
        let mut knowledge = Knowledge::new(&seen).one_system(one_system);
        for kind in TermKind::ALL.into_iter().filter(|kind| kind.field().is_writable()) {
            let terms = txn.terms().list(kind)?;
            knowledge =
                knowledge.vocabulary(kind.field(), terms.iter().map(|record| record.term.name.as_str()));
        }
        // Those that the first lead brings are known before it.
        let pipelines = desk::pipelines::known_or_default(ctx, txn)?;
        let stages = pipelines.iter().flat_map(|pipeline| &pipeline.stages);
        knowledge = knowledge.vocabulary(Field::Stage, stages.map(|stage| stage.name.as_str()));
        if !is_hidden(&Field::Number) {
            let known = (numbering, keys.contains(&MatchBy::Number));
            knowledge = knowledge.own_numbers(own_numbers(ctx, txn, sample, &seen, known)?);
        }
        if keys == MatchBy::DEFAULT || keys.contains(&MatchBy::Id) {
            knowledge = knowledge.own_ids(own_ids(ctx, txn, sample, &seen)?);
        }
        if let Some(mapping) = &then {
            return Ok(knowledge.earlier(Evidence::Rejects, mapping.clone()));
        }
        if let Some((evidence, mapping)) = saved::known(ctx, txn, sample.headers())? {
            return Ok(knowledge.earlier(evidence, mapping));
        }
        Ok(match saved::for_part(ctx, txn, sample.headers())? {
            Some((evidence, mapping)) => knowledge.earlier_in_part(evidence, mapping),
            None => knowledge,
        })
    })?;
    Ok(Mapping::propose_from(sample, &knowledge).without(is_hidden))
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

/// Refuses a constant source or reason that does not exist.
pub(super) fn check_source(txn: &mut dyn Txn, options: &ImportOptions) -> Result<()> {
    match options.source {
        None => {}
        Some(source) => match txn.terms().get(TermKind::Source, &[source.term()])?.pop() {
            None => {
                let message = "there is no source with this id";
                return Err(Error::invalid_field("source", ViolationCode::Unknown, message));
            }
            Some(record) if record.term.archived => {
                let message = "this source is archived";
                return Err(Error::invalid_field("source", ViolationCode::NotAllowed, message));
            }
            Some(_) => {}
        },
    }
    let reasons = [
        (TermKind::LostReason, options.lost_reason.map(|reason| reason.term())),
        (TermKind::DisqualifyReason, options.disqualify_reason.map(|reason| reason.term())),
    ];
    for (kind, reason) in reasons {
        if let Some(reason) = reason
            && txn.terms().get(kind, &[reason])?.is_empty()
        {
            let message = "there is no reason with this id";
            return Err(Error::invalid_field(kind.field().key(), ViolationCode::Unknown, message));
        }
    }
    Ok(())
}
