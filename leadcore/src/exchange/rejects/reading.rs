//! How an import read its file, said in the file of its rejected rows: what it had learnt from thousands of cells cannot be
//! seen in the few that are left (ADR 0026).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{FIELD, READING, REASON};
use crate::error::{Error, ErrorKind, Result};
use crate::exchange::import::ImportOptions;
use crate::exchange::mapping::header_name;
use crate::exchange::{ColumnMapping, Mapping};

/// Where the mapping stands among the options.
const MAPPING: &str = "mapping";
/// Of the options, those that say what a cell means. What becomes of its lead is said by whoever imports it.
const SAID: [&str; 7] =
    ["region", "terms", "no_answer", "clear", "decimal_mark", "external_system", "names_default"];

/// What the cells of a file mean: its mapping, with the rules of its columns, and the options that are not as usual.
#[derive(Debug, Clone)]
pub(in crate::exchange) struct Reading(Map<String, Value>);

impl Reading {
    /// By this mapping, in a file with these headers.
    pub(in crate::exchange) fn of(
        mapping: &Mapping,
        headers: &[String],
        options: &ImportOptions,
    ) -> Result<Self> {
        let mapping = mapping.placed(headers);
        let filled: BTreeSet<&str> = mapping
            .columns
            .iter()
            .filter(|column| column.field.is_some())
            .map(|column| column.header.as_str())
            .collect();
        // Of several columns with one header each counts, also those that are left out.
        let told = |column: &&ColumnMapping| {
            ![FIELD, REASON, READING].contains(&column.header.as_str())
                && filled.iter().any(|header| header_name(header) == header_name(&column.header))
        };
        let columns = mapping.columns.iter().filter(told).cloned().collect();
        let mapping = Mapping { columns, constants: mapping.constants.clone() };
        let (usual, mut said) = (object(&ImportOptions::default())?, object(options)?);
        said.retain(|key, value| SAID.contains(&key.as_str()) && usual.get(key) != Some(value));
        said.insert(MAPPING.to_owned(), serde_json::to_value(&mapping).map_err(unwritable)?);
        Ok(Self(said))
    }

    /// As a header.
    pub(in crate::exchange) fn to_header(&self) -> Result<String> {
        Ok(format!("{READING} {}", serde_json::to_string(&self.0).map_err(unwritable)?))
    }

    /// What a header says, if it is one of these and whole.
    pub(in crate::exchange) fn of_header(header: &str) -> Option<Self> {
        let json = header.strip_prefix(READING)?.trim_start();
        let reading = Self(serde_json::from_str(json).ok()?);
        let usable = reading.mapping().is_some() && reading.over(&ImportOptions::default()).check().is_ok();
        usable.then_some(reading)
    }

    /// Which column was which field.
    pub(in crate::exchange) fn mapping(&self) -> Option<Mapping> {
        serde_json::from_value(self.0.get(MAPPING)?.clone()).ok()
    }

    /// The options, with what was said then where nothing is said now.
    pub(in crate::exchange) fn over(&self, options: &ImportOptions) -> ImportOptions {
        let merged = || {
            let (usual, mut said) = (object(&ImportOptions::default()).ok()?, object(options).ok()?);
            for (key, value) in self.0.iter().filter(|(key, _)| SAID.contains(&key.as_str())) {
                if said.get(key) == usual.get(key) {
                    said.insert(key.clone(), value.clone());
                }
            }
            serde_json::from_value::<ImportOptions>(Value::Object(said)).ok()
        };
        // Who knows headers is nothing that can be written.
        merged().map_or_else(|| options.clone(), |merged| merged.read(options.read.clone()))
    }
}

fn object(options: &ImportOptions) -> Result<Map<String, Value>> {
    match serde_json::to_value(options).map_err(unwritable)? {
        Value::Object(map) => Ok(map),
        _ => Err(Error::new(ErrorKind::Internal, "the options of an import are no object")),
    }
}

fn unwritable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Internal, "how a file was read could not be written as JSON").with_source(error)
}
