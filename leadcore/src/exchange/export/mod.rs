//! Leads as files (S1.22): CSV, JSON lines, and with feature `xlsx` spreadsheets; contacts as vCards.
//!
//! [`export`] writes the leads of a view, a filter or a list, page by page, so that memory does not grow with their
//! number. It is for whoever has [`Permission::Export`], and only for the leads that
//! this reaches; fields that the actor may not see are left out.
//!
//! # A file that comes back
//! Without columns of a view, a file has every field that an import fills, and [`ExportOptions::to_import`] with
//! [`Exported::mapping`] says how to read it. Then the import gives the same leads again:
//! - several e-mails, phones and labels stand in one cell with commas between (a list in JSON), the primary one first; what
//!   is said of an address stands behind it, `anna@nordlys.example (work opted_out)`; a label that holds a comma or semicolon
//!   itself stands in quotes, `Hot, "Bread, white"`;
//! - numbers have a decimal point and nothing else, days and times are ISO 8601, countries and currencies are codes,
//!   sources, stages and labels are names (or ids, see [`Values`]);
//! - ids in other systems stand behind their system, `sap:78, web:9`; what holds a comma or a quote is in quotes. They are
//!   found again by the mapping, and by the header alone;
//! - the id says which lead is meant: where it comes from, the file changes nothing, whatever leads share; elsewhere its
//!   leads keep it as their id in the system [`leadcore`](crate::domain::ExternalRef::OWN), so that the file again copies
//!   none. So does a number, which is never written;
//! - `Outcome` says how leads ended and `Closed` when, and beside the stage of those that did not what it means (`open` or `on_hold`), so that a
//!   stage that an import adds means what it means here;
//! - texts are as they are: what a spreadsheet could run is marked in CSV, and an import takes that mark off.
//!
//! What a file cannot say: the revision and history of a lead, when it was created, since when it is in its stage, since when and why
//! an address is marked, what hangs on it, order and rules of a stage that an import adds; ids in more systems
//! than one when [one is chosen](ExportOptions::external_system), and ids that begin like those of an advertising
//! platform (`l:`, which an import takes off).

mod cells;
mod contacts;
mod page;
#[cfg(feature = "xlsx")]
mod workbook;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde::{Deserialize, Serialize};

use super::import::ImportOptions;
use super::rows::clean_header;
use super::{ColumnRules, Mapping, Split};
use crate::context::Context;
use crate::desk::views::ViewRequest;
use crate::desk::{Extract, require};
use crate::domain::{Catalogue, CustomType, Field, FieldSpec, FieldType, header_key};
use crate::error::{Error, ErrorKind, Result};
use crate::id::UserId;
use crate::policy::Permission;
use crate::query::{Filter, Sort};
use crate::store::Txn;
use crate::value::DecimalMark;

pub use crate::desk::Extent;
pub use cells::Cell;
pub use contacts::{VcardVersion, contacts_vcard};
pub use page::{CellKind, ExportPage, PageColumn, page};

use cells::Reader;
#[cfg(feature = "xlsx")]
pub(super) use workbook::width;

/// The kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExportFormat {
    /// Comma-separated UTF-8, a line for each lead.
    Csv,
    /// A workbook; needs feature `xlsx`.
    Xlsx,
    /// A JSON object on each line.
    JsonLines,
}

impl ExportFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Xlsx, Self::JsonLines];

    /// Stable name, and the ending of files: `csv`, `xlsx` or `jsonl`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::JsonLines => "jsonl",
        }
    }

    /// The format with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.code() == code)
    }
}

/// How a file writes what is a reference or a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// By name, as an import reads it.
    #[default]
    Names,
    /// By id or code: for programs.
    Ids,
}

/// What stands over the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Headers {
    /// Labels in a table, keys in JSON.
    #[default]
    Usual,
    /// The tenant's words.
    Labels,
    /// The keys of the fields.
    Keys,
}

/// What becomes of a text that is longer than a cell of a spreadsheet takes: 32,767 units of UTF-16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LongTexts {
    /// The export is refused, by lead and field.
    #[default]
    Refuse,
    /// The text ends in `…`.
    Cut,
}

/// How to write a file; everything has a default.
///
/// ```
/// use leadcore::exchange::export::{ExportFormat, ExportOptions};
/// use leadcore::domain::Field;
/// let options = ExportOptions::new(ExportFormat::Csv).columns([Field::Number, Field::Company]);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ExportOptions {
    /// The kind of file.
    pub format: ExportFormat,
    /// These columns, instead of those of the view.
    pub columns: Option<Vec<Field>>,
    /// Every field that an import fills, also for a view.
    pub all_columns: bool,
    /// Only leads that match this too.
    pub filter: Option<Filter>,
    /// Only leads that have every word of this.
    pub search: Option<String>,
    /// Another order than the view's.
    pub sort: Option<Sort>,
    /// References by name or id.
    pub values: Values,
    /// What stands over the columns.
    pub headers: Headers,
    /// What a spreadsheet could run is left as it is: for a CSV that only programs read.
    pub without_formula_marks: bool,
    /// The ids of this system alone, without its name; else all of them, as `system:id`.
    pub external_system: Option<String>,
    /// What the host calls its users. Where a name is given the file holds it instead of the user's id, and an import
    /// does not know it.
    pub users: BTreeMap<UserId, String>,
    /// What becomes of texts that no cell of a spreadsheet takes.
    pub long_texts: LongTexts,
    /// How many rows a sheet takes, its header included: at most 1,048,576. What is more goes into further sheets.
    pub sheet_rows: u32,
}

/// The rows of a sheet, by its format.
const SHEET_ROWS: u32 = 1_048_576;

impl ExportOptions {
    /// A file of this kind.
    #[must_use]
    pub const fn new(format: ExportFormat) -> Self {
        Self {
            format,
            columns: None,
            all_columns: false,
            filter: None,
            search: None,
            sort: None,
            values: Values::Names,
            headers: Headers::Usual,
            without_formula_marks: false,
            external_system: None,
            users: BTreeMap::new(),
            long_texts: LongTexts::Refuse,
            sheet_rows: SHEET_ROWS,
        }
    }

    /// With these columns.
    #[must_use]
    pub fn columns(mut self, columns: impl IntoIterator<Item = Field>) -> Self {
        self.columns = Some(columns.into_iter().collect());
        self
    }

    /// With every field that an import fills.
    #[must_use]
    pub const fn all_columns(mut self) -> Self {
        self.all_columns = true;
        self
    }

    /// Only leads that match this too.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Only leads that have every word of this.
    #[must_use]
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.search = Some(text.into());
        self
    }

    /// In this order.
    #[must_use]
    pub fn sort(mut self, sort: Sort) -> Self {
        self.sort = Some(sort);
        self
    }

    /// References by name or id.
    #[must_use]
    pub const fn values(mut self, values: Values) -> Self {
        self.values = values;
        self
    }

    /// With labels or keys over the columns.
    #[must_use]
    pub const fn headers(mut self, headers: Headers) -> Self {
        self.headers = headers;
        self
    }

    /// With the ids of this system alone.
    #[must_use]
    pub fn external_system(mut self, system: &str) -> Self {
        self.external_system = Some(system.to_owned());
        self
    }

    /// With what the host calls its users.
    #[must_use]
    pub fn users(mut self, users: BTreeMap<UserId, String>) -> Self {
        self.users = users;
        self
    }

    /// With long texts cut.
    #[must_use]
    pub const fn long_texts(mut self, long_texts: LongTexts) -> Self {
        self.long_texts = long_texts;
        self
    }

    /// With at most so many rows in a sheet.
    #[must_use]
    pub const fn sheet_rows(mut self, rows: u32) -> Self {
        self.sheet_rows = rows;
        self
    }

    /// How an import reads a file that was written so: numbers with a decimal point, no word that stands for nothing, ids
    /// of the same system. The [mapping](Exported::mapping) of the export goes with it.
    #[must_use]
    pub fn to_import(&self) -> ImportOptions {
        let options = ImportOptions::new().no_answer(Vec::new()).decimal_mark(DecimalMark::Dot);
        match &self.external_system {
            Some(system) => options.external_system(system),
            None => options,
        }
    }

    fn request(&self) -> ViewRequest {
        let mut request = ViewRequest::new().users(self.users.clone());
        request.search.clone_from(&self.search);
        request.filter.clone_from(&self.filter);
        request.sort.clone_from(&self.sort);
        request.columns.clone_from(&self.columns);
        request
    }

    fn heads(&self, columns: &[FieldSpec], catalogue: &Catalogue) -> Vec<String> {
        let labels = match self.headers {
            Headers::Labels => true,
            Headers::Keys => false,
            Headers::Usual => self.format != ExportFormat::JsonLines,
        };
        if labels {
            clear_heads(columns, catalogue)
        } else {
            columns.iter().map(|spec| spec.field.key().to_owned()).collect()
        }
    }
}

/// What stands over columns with the tenant's words: the label, or the key where the label may be another field's.
pub(in crate::exchange) fn clear_heads(columns: &[FieldSpec], catalogue: &Catalogue) -> Vec<String> {
    let is_clear = |spec: &FieldSpec| {
        let wanted = header_key(&spec.label);
        let once = columns.iter().filter(|other| header_key(&other.label) == wanted).count() == 1;
        // What an import fills must be found again by its head.
        let found = || {
            spec.field.is_told_by_cells()
                || catalogue.field_for_header(&spec.label).as_ref() == Some(&spec.field)
        };
        once && (!spec.field.comes_by_file() || found())
    };
    let head = |spec: &FieldSpec| {
        // A head is one line, as an import reads it.
        if is_clear(spec) { clean_header(&spec.label) } else { spec.field.key().to_owned() }
    };
    columns.iter().map(head).collect()
}

/// Whether a custom field holds a user.
fn holds_users(catalogue: &Catalogue, field: &Field) -> bool {
    let Field::Custom(key) = field else { return false };
    catalogue.custom_field(key).is_some_and(|custom| custom.kind == CustomType::User)
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// How many leads.
    pub leads: u64,
    /// How many that were named are not there, or not for this actor to take out.
    pub passed_over: u64,
    /// The columns: what stands over each, and its field.
    pub columns: Vec<(String, Field)>,
    /// How many sheets a workbook has; 1 for other files.
    pub sheets: u32,
    /// The fields of the tenant's own that hold users.
    users: BTreeSet<Field>,
    /// The zone of its times, where they name none, in minutes east of UTC.
    utc_offset: Option<i32>,
}

impl Exported {
    /// Which column is which field when the file is imported. Ids and numbers say which lead is meant; what else only the engine
    /// sets is left out, and so are users by name, and sources, stages and the like by id. Ids in other systems come with
    /// their systems, unless they are those of one.
    #[must_use]
    pub fn mapping(&self, options: &ExportOptions) -> Mapping {
        let by_name = options.values == Values::Names;
        let comes_back = |field: &Field| match field {
            Field::Id => true,
            Field::Number | Field::Outcome | Field::ClosedAt => by_name,
            Field::Owner => options.users.is_empty(),
            own if self.users.contains(own) => options.users.is_empty(),
            _ if !by_name && matches!(field.field_type(), FieldType::Reference(_)) => false,
            other => other.comes_by_file(),
        };
        self.columns.iter().fold(Mapping::default(), |mapping, (head, field)| {
            let mapping = mapping.with(head, Some(field.clone()).filter(comes_back));
            if *field == Field::ExternalId && options.external_system.is_none() {
                return mapping.rules(head, ColumnRules::new().split(Split::ExternalIds));
            }
            if let (Field::ClosedAt, Some(minutes)) = (field, self.utc_offset.filter(|_| by_name)) {
                return mapping.rules(head, ColumnRules::new().utc_offset(minutes));
            }
            mapping
        })
    }
}

/// Writes leads as a file.
///
/// ```
/// use leadcore::desk::leads;
/// use leadcore::exchange::export::{Extent, ExportFormat, ExportOptions, export};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// store.write(ctx.tenant(), |txn| leads::create(&ctx, txn, LeadFields::company("=1+5")?.into()))?;
/// let options = ExportOptions::new(ExportFormat::Csv).columns([Field::Number, Field::Company, Field::Stage]);
/// let mut file = Vec::new();
/// let done = store.read(ctx.tenant(), |txn| {
///     file.clear();
///     export(&ctx, txn, &Extent::Filter(Filter::everything()), &options, &mut file)
/// })?;
/// assert_eq!(done.leads, 1);
/// assert_eq!(file, b"Lead number,Company,Status\n1,\"'=1+5\",New\n");
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound` for a view that the actor cannot see; `Invalid` for a filter, column or order that does not fit, and for a text
/// that is too long for a cell (`leads[17].description`: by the number of the lead); `Denied`;
/// [`ErrorKind::Storage`] when the output cannot be written, which then holds a part of the file; `Unsupported` for a
/// workbook without feature `xlsx`.
pub fn export(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    extent: &Extent,
    options: &ExportOptions,
    output: &mut (dyn Write + Send),
) -> Result<Exported> {
    require(ctx, txn, Permission::View)?;
    let mut extract = Extract::open(ctx, txn, extent, &options.request(), options.all_columns)?;
    let heads = options.heads(&extract.columns, &extract.catalogue);
    let fields: Vec<Field> = extract.columns.iter().map(|spec| spec.field.clone()).collect();
    let (catalogue, pipelines) = (extract.catalogue.clone(), extract.pipelines.clone());
    let reader = Reader::new(&fields, &catalogue, &pipelines, options);
    let mut out = Exported {
        leads: 0,
        passed_over: 0,
        columns: heads.iter().cloned().zip(fields.iter().cloned()).collect(),
        sheets: 1,
        users: fields.iter().filter(|field| holds_users(&catalogue, field)).cloned().collect(),
        utc_offset: None,
    };
    match options.format {
        ExportFormat::Csv => write::csv(txn, &mut extract, &reader, &heads, options, output, &mut out)?,
        ExportFormat::JsonLines => write::json_lines(txn, &mut extract, &reader, &heads, output, &mut out)?,
        #[cfg(feature = "xlsx")]
        ExportFormat::Xlsx => {
            workbook::write(ctx, txn, &mut extract, &reader, &heads, options, output, &mut out)?;
        }
        #[cfg(not(feature = "xlsx"))]
        ExportFormat::Xlsx => {
            return Err(Error::new(ErrorKind::Unsupported, "this build writes no spreadsheets"));
        }
    }
    output.flush().map_err(|error| unwritten().with_source(error))?;
    out.passed_over = extract.passed_over;
    Ok(out)
}

fn unwritten() -> Error {
    Error::new(ErrorKind::Storage, "cannot write the file")
}
