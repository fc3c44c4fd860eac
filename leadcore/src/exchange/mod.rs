//! Tables in and out: the streaming CSV reader and writer, and the import of leads over them.
//!
//! [`import`] takes a file of leads into a store, and [`mod@export`] takes them out again; [`Mapping`] says which column is which field, and [`template()`] writes
//! an empty file to fill in. What lies below knows nothing of leads: [`TableReader`] takes a file as people have it, finds out its encoding and layout,
//! and gives its records one by one with their line numbers; [`CsvWriter`] writes tables that a spreadsheet can open
//! without running them; [`digest()`] tells whether a file was seen before.
//!
//! # Lines and records
//! A *line* is what an editor counts: it ends in LF, CRLF or CR, also inside a quoted cell. A *record* is a row of the
//! table and may span lines. Completely empty lines are not records; [`TableReader::blank_lines`] counts them. Every
//! other line belongs to the skipped lines, the header, or one record, so a report can account for all of them.
//!
//! # Damaged records
//! A quote that is never closed would make everything behind it one cell. Such a record is recognised when it passes one
//! of the [`Limits`], when the file ends inside it, or when a quoted cell that ran over line breaks is "closed" by a
//! quote with text right behind it (in truth the opening quote of a later cell). Then only the *line where it began* is
//! reported, as a row with a [`RowProblem`], no cells and its text in [`Row::raw`]; reading goes on at the line after
//! it, so every good row behind is still read. The price: if a limit was passed by an honest cell of many lines, its
//! later lines come out as rows of their own; raise the limit for such a file.
//!
//! # Malformed text
//! Bytes that mean nothing in the file's encoding become U+FFFD and mark their row with [`Row::bad_encoding`]. NUL is a
//! valid character and is passed through; [`Row::has_nul`] tells.

/// The parameter of an e-mail or phone in a vCard that says what is known of it: `opted_out`.
const MARKS: &str = "X-LEADCORE-MARKS";

#[cfg(feature = "vcard")]
mod cards;
mod coerce;
mod contact_list;
mod dates;
mod decode;
mod dialect;
mod digest;
mod doubt;
mod escaped;
pub mod export;
#[cfg(any(feature = "sheets", feature = "vcard"))]
#[cfg_attr(
    all(not(feature = "sheets"), not(test)),
    expect(dead_code, reason = "only sheets have merged cells and glances at them")
)]
mod filler;
mod floats;
mod frames;
#[cfg_attr(
    not(all(feature = "sheets", feature = "vcard")),
    expect(dead_code, reason = "sheets and cards fill tables in memory, each in its own way")
)]
mod held;
pub mod import;
mod json;
mod kind;
mod mapping;
mod options;
mod rejects;
mod row_problem;
mod rows;
mod scan;
#[cfg(feature = "xlsx")]
mod sheet_out;
#[cfg(feature = "sheets")]
mod sheets;
mod table;
mod template;
mod trail;
mod wrapped;
mod write;

pub use contact_list::contacts_csv;
#[cfg(feature = "xlsx")]
pub use contact_list::contacts_xlsx;
pub use decode::TextEncoding;
pub use dialect::Dialect;
pub use digest::{FileDigest, digest, sha256_hex};
pub use doubt::EncodingDoubt;
pub use floats::{float_cell, has_lost_digits};
pub use held::{HeldTable, SheetName};
pub use json::JsonReader;
pub use kind::FileKind;
pub use mapping::saved as mappings;
pub use mapping::{
    BadValues, ColumnMapping, ColumnProposal, ColumnRules, Constant, DateOrder, Evidence, Knowledge, Mapping,
    Note, OptOut, Proposal, Sample, Split, Unit,
};
pub use options::{ReadOptions, SheetChoice};
pub use row_problem::RowProblem;
pub use rows::{Row, TableReader};
pub use scan::Limits;
pub use table::Table;
pub use template::template;
#[cfg(feature = "xlsx")]
pub use template::xlsx::template_xlsx;
pub use write::{CsvWriter, escape_formula, unescape_formula};

#[cfg(test)]
mod corpus_tests;
#[cfg(test)]
mod tests;
