//! What the package says about an import, as the core takes it.

use std::collections::{BTreeMap, BTreeSet};

use leadcore::domain::Field;
use leadcore::error::{Error, Result, ViolationCode};
use leadcore::exchange::import::{
    ImportOptions, MatchBy, OnAmbiguous, OnMatch, OnMissing, TermRule, UnknownTerm,
};
use leadcore::exchange::{
    ColumnMapping, ColumnRules, Constant, FileKind, Mapping, ReadOptions, SheetChoice, TextEncoding,
};
use leadcore::id::{DisqualifyReasonId, LostReasonId, SourceId};
use leadcore::value::{Country, DecimalMark};
use serde::Deserialize;
use uuid::Uuid;

use crate::hints::shortened;

/// What the package hands over; absent is what the core says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Given {
    mapping: Option<Vec<Column>>,
    constants: Option<BTreeMap<String, String>>,
    format: Option<String>,
    sheet: Option<SheetChoice>,
    header_row: Option<u64>,
    encoding: Option<String>,
    delimiter: Option<String>,
    quote: Option<String>,
    escape: Option<String>,
    has_header: Option<bool>,
    skip_lines: Option<u64>,
    left_out: BTreeMap<String, u64>,
    long_floats: BTreeSet<usize>,
    region: Option<String>,
    match_by: Option<Vec<String>>,
    on_match: Option<String>,
    on_missing: Option<String>,
    on_ambiguous: Option<String>,
    clear: Option<String>,
    unknown_terms: Option<String>,
    terms: Option<BTreeMap<String, Term>>,
    no_answer: Option<Vec<String>>,
    decimal_mark: Option<String>,
    external_system: Option<String>,
    source: Option<Uuid>,
    lost_reason: Option<Uuid>,
    disqualify_reason: Option<Uuid>,
    chunk: Option<usize>,
    attempt: Option<u32>,
}

/// A column and the key of its field, perhaps misspelt.
#[derive(Debug, Deserialize)]
pub(crate) struct Column {
    header: String,
    field: Option<String>,
    #[serde(default)]
    rules: serde_json::Map<String, serde_json::Value>,
}

/// What becomes of the values of a field.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Term {
    unknown: Option<String>,
    map: BTreeMap<String, Option<String>>,
}

impl Given {
    /// How the file is read.
    fn read(&self) -> Result<ReadOptions> {
        let mut read = ReadOptions::new();
        if let Some(label) = &self.encoding {
            read = read.encoding(TextEncoding::for_label(label)?);
        }
        read.delimiter = byte("delimiter", self.delimiter.as_deref())?;
        read.quote = byte("quote", self.quote.as_deref())?;
        read.escape = byte("escape", self.escape.as_deref())?;
        (read.has_header, read.skip_lines) = (self.has_header, self.skip_lines);
        read.format = self.format.as_deref().map(kind).transpose()?;
        (read.sheet, read.header_row) = (self.sheet.clone(), self.header_row);
        read.left_out.clone_from(&self.left_out);
        read.long_floats.clone_from(&self.long_floats);
        Ok(read)
    }

    pub(crate) fn options(self) -> Result<ImportOptions> {
        // Smaller chunks than the core's: Ctrl-C acts between two of them.
        let mut options = ImportOptions::new().chunk(self.chunk.unwrap_or(2_000)).read(self.read()?);
        match (self.mapping, self.constants) {
            (Some(columns), constants) => {
                options = options.mapping(mapping(columns, constants.unwrap_or_default())?);
            }
            (None, Some(constants)) => {
                options.constants = mapping(Vec::new(), constants)?.constants;
            }
            (None, None) => {}
        }
        if let Some(region) = self.region {
            options = options.region(country("region", &region)?);
        }
        if let Some(keys) = self.match_by {
            options.match_by = match_by(&keys)?;
        }
        options.on_match = match self.on_match.as_deref() {
            None | Some("update") => OnMatch::Update,
            Some("skip") => OnMatch::Skip,
            Some("create") => OnMatch::CreateNew,
            Some(_) => return Err(unknown("on_match", "must be `update`, `skip` or `create`")),
        };
        options.on_missing = match self.on_missing.as_deref() {
            None | Some("create") => OnMissing::Create,
            Some("skip") => OnMissing::Skip,
            Some(_) => return Err(unknown("on_missing", "must be `create` or `skip`")),
        };
        options.ambiguous = match self.on_ambiguous.as_deref() {
            None | Some("reject") => OnAmbiguous::Reject,
            Some("review") => OnAmbiguous::Review,
            Some(_) => return Err(unknown("on_ambiguous", "must be `reject` or `review`")),
        };
        options.unknown_terms = unknown_term("unknown_terms", self.unknown_terms.as_deref())?;
        for (key, Term { unknown, map }) in self.terms.unwrap_or_default() {
            let field = field(&key, format!("terms.{key}"))?;
            let mut rule = TermRule::default();
            if let Some(word) = unknown {
                rule.unknown = Some(unknown_term("terms", Some(&word))?);
            }
            rule.map = map;
            options.terms.insert(field, rule);
        }
        options.decimal_mark = match self.decimal_mark.as_deref() {
            None | Some("auto") => DecimalMark::default(),
            Some(".") => DecimalMark::Dot,
            Some(",") => DecimalMark::Comma,
            Some(_) => return Err(unknown("decimal_mark", "must be `.`, `,` or `auto`")),
        };
        if let Some(no_answer) = self.no_answer {
            options = options.no_answer(no_answer);
        }
        if let Some(system) = self.external_system {
            options = options.external_system(&system);
        }
        options.clear = self.clear;
        options.source = self.source.map(SourceId::from_uuid);
        options.lost_reason = self.lost_reason.map(LostReasonId::from_uuid);
        options.disqualify_reason = self.disqualify_reason.map(DisqualifyReasonId::from_uuid);
        options.attempt = self.attempt.unwrap_or(1);
        Ok(options)
    }
}

/// The mapping, or everything in it that there is not.
pub(crate) fn mapping(columns: Vec<Column>, constants: BTreeMap<String, String>) -> Result<Mapping> {
    let (mut mapping, mut broken) = (Mapping::default(), Vec::new());
    for Column { header, field, rules } in columns {
        let field = match field.map(|key| key.parse::<Field>()).transpose() {
            Ok(field) => field,
            Err(error) => {
                broken.push(error.at(format!("mapping[{}]", shortened(&header))));
                None
            }
        };
        let Ok(rules) = serde_json::from_value::<ColumnRules>(rules.into()) else {
            let message = "there is no such rule for a column, or it has another form";
            let at = format!("mapping[{}]", shortened(&header));
            return Err(Error::invalid_field(at, ViolationCode::Malformed, message));
        };
        mapping.columns.push(ColumnMapping { header, field, rules });
    }
    for (key, value) in constants {
        match key.parse::<Field>() {
            Ok(field) => mapping.constants.push(Constant { field, value }),
            Err(error) => broken.push(error.at(format!("constants.{key}"))),
        }
    }
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    Ok(mapping)
}

fn field(key: &str, at: String) -> Result<Field> {
    key.parse::<Field>().map_err(|error| Error::from(error.at(at)))
}

fn match_by(keys: &[String]) -> Result<Vec<MatchBy>> {
    let read = |(place, key): (usize, &String)| {
        let at = format!("match_by[{place}]");
        MatchBy::try_from(field(key, at.clone())?).map_err(|error| Error::from(error.at(at)))
    };
    keys.iter().enumerate().map(read).collect()
}

fn country(at: &str, code: &str) -> Result<Country> {
    Country::parse(code).map_err(|error| Error::from(error.at(at)))
}

fn unknown_term(at: &str, word: Option<&str>) -> Result<UnknownTerm> {
    match word {
        None | Some("create") => Ok(UnknownTerm::Create),
        Some("reject") => Ok(UnknownTerm::Reject),
        Some(_) => Err(unknown(at, "must be `create` or `reject`")),
    }
}

/// The kinds of file that people name.
const KINDS: [FileKind; 7] = [
    FileKind::Csv,
    FileKind::Json,
    FileKind::VCard,
    FileKind::Xlsx,
    FileKind::Xlsb,
    FileKind::Xls,
    FileKind::Ods,
];

fn kind(code: &str) -> Result<FileKind> {
    let found = KINDS.into_iter().find(|kind| kind.code() == code);
    found.ok_or_else(|| unknown("format", "must be `csv`, `json`, `vcard`, `xlsx`, `xlsb`, `xls` or `ods`"))
}

/// A character of one byte.
fn byte(field: &str, given: Option<&str>) -> Result<Option<u8>> {
    match given.map(str::as_bytes) {
        None => Ok(None),
        Some([byte]) if !matches!(byte, b'\n' | b'\r' | 0) => Ok(Some(*byte)),
        Some(_) => {
            let message = "must be one ASCII character and no line break";
            Err(Error::invalid_field(field, ViolationCode::Malformed, message))
        }
    }
}

fn unknown(field: &str, message: &str) -> Error {
    Error::invalid_field(field, ViolationCode::Unknown, message)
}
