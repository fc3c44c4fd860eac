//! Objects of JSON as rows: one a line, or in a list.
//!
//! The file is cut into its objects first, so that a broken one costs one row and memory stays that of the largest.
//! Numbers keep the digits they are written with: ids may be longer than a float can hold.

mod flat;
mod pieces;
mod shape;

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};

use super::decode::{self, Decoded, ENCODING_SAMPLE, TextEncoding};
use super::kind::refused;
use super::options::ReadOptions;
use super::row_problem::RowProblem;
use super::rows::{Row, clean_header, unreadable};
use super::scan::Limits;
use crate::error::{Error, Result, ViolationCode};
use flat::{Broken, Form, Most};
use pieces::{Pieces, Style};

/// So many cells may be empty because their object lacks the key, and besides so many for each byte of the file: a few bytes
/// an object, each as wide as all keys of the file, would else be a table of any size.
const MOST_ABSENT: u64 = 1 << 26;
const ABSENT_A_BYTE: u64 = 8;
/// The memory of a cell that is longer is given back.
const LONG: usize = 4 * 1024;

/// Objects of JSON, read one by one.
#[derive(Debug)]
pub struct JsonReader<R> {
    pieces: Pieces<R>,
    encoding: TextEncoding,
    headers: Vec<String>,
    places: HashMap<String, usize>,
    cells: Vec<String>,
    /// What the value of each column was in the file.
    forms: Vec<Form>,
    most: Most,
    records: u64,
    /// Where the last object began.
    line: u64,
}

impl<R: Read + Seek> JsonReader<R> {
    /// Reads the whole file once for the keys of its objects, in the order in which they first come.
    pub(super) fn open(mut input: R, options: &ReadOptions) -> Result<Self> {
        let start = input.stream_position().map_err(unreadable)?;
        let mut sample = Vec::new();
        input.by_ref().take(ENCODING_SAMPLE as u64).read_to_end(&mut sample).map_err(unreadable)?;
        let whole = sample.len() < ENCODING_SAMPLE;
        let (encoding, bom) = decode::detect(&sample, whole, options.encoding);
        let text = decode::decode_sample(sample.get(bom..).unwrap_or_default(), encoding);
        drop(sample);
        // Where nobody knows the names of fields, any may be one.
        let knows = |key: &str| !options.has_known_header() || options.knows(key);
        let style = Style::of(&text, whole, &knows).map_err(refused)?;
        drop(text);
        let start = start + bom as u64;
        input.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        let mut pieces =
            Pieces::new(Decoded::new(&mut input, encoding), style, options.limits.max_record_bytes);
        let places = keys(&mut pieces, &options.limits)?;
        if let Some(key) = pieces.rival() {
            return Err(refused(format!(
                "this JSON holds several lists of objects, and only one can be imported at a time: behind the first one \
                 there is `{}`",
                shape::shown(key)
            )));
        }
        let mut headers = vec![String::new(); places.len()];
        for (key, place) in &places {
            if let Some(header) = headers.get_mut(*place) {
                *header = clean_header(key);
            }
        }
        input.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        let pieces = Pieces::new(Decoded::new(input, encoding), style, options.limits.max_record_bytes);
        let cells = vec![String::new(); headers.len()];
        let forms = vec![Form::Text; headers.len()];
        let most = Most::of(&options.limits);
        Ok(Self { pieces, encoding, headers, places, cells, forms, most, records: 0, line: 0 })
    }
}

/// The keys of all objects and their columns.
fn keys<R: Read>(pieces: &mut Pieces<R>, limits: &Limits) -> Result<HashMap<String, usize>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let (mut row, mut any, mut size) = (Row::new(), false, 0);
    let (mut objects, mut values) = (0_u64, 0_u64);
    let most = limits.max_columns;
    while pieces.next_into(&mut row).map_err(unreadable)? {
        any = true;
        if row.problem.is_some() {
            continue;
        }
        let text = String::from_utf8_lossy(&row.raw);
        let (mut found, mut given) = (Vec::new(), 0);
        // What an object says before it turns out to be broken makes no columns.
        let outcome = flat::flatten(&text, Most::of(limits), &mut |key, _, _| {
            given += 1;
            if !places.contains_key(key) {
                size += key.len();
                places.insert(key.to_owned(), places.len());
                found.push(key.to_owned());
            }
            places.len() <= most && size <= limits.max_record_bytes
        });
        match outcome {
            Ok(()) => (objects, values) = (objects + 1, values + given),
            Err(Broken::Enough) => {
                let message = if places.len() > most {
                    format!("the objects have more than {most} different keys")
                } else {
                    format!(
                        "the keys of the objects are longer than {} bytes together",
                        limits.max_record_bytes
                    )
                };
                return Err(Error::invalid_field(
                    format!("line {}", row.line),
                    ViolationCode::TooLong,
                    message,
                ));
            }
            Err(_) => {
                for key in found {
                    size -= key.len();
                    places.remove(&key);
                }
            }
        }
    }
    let absent = objects.saturating_mul(places.len() as u64).saturating_sub(values);
    if absent > MOST_ABSENT.saturating_add(pieces.taken().saturating_mul(ABSENT_A_BYTE)) {
        let message = format!(
            "the objects have {} different keys together and nearly none of them each: import those of one kind at a time",
            places.len()
        );
        return Err(Error::invalid_field("file", ViolationCode::TooLong, message));
    }
    match (any, places.is_empty()) {
        (false, _) => Err(Error::invalid_field("file", ViolationCode::Required, "the file holds no rows")),
        (true, true) => Err(refused(
            "no object of this JSON can be read: a list of objects is expected, or an object on each line",
        )),
        (true, false) => Ok(places),
    }
}

impl<R> JsonReader<R> {
    /// The column names: the keys of the objects, those inside others with a dot between.
    #[must_use]
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// The file's encoding.
    #[must_use]
    pub const fn encoding(&self) -> TextEncoding {
        self.encoding
    }

    /// Objects given so far.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }
}

impl<R: Read> JsonReader<R> {
    /// How much text was given as objects, and how much was read.
    pub(super) fn given(&self) -> (u64, u64) {
        self.pieces.given()
    }

    /// Reads the next object into `row`; `false` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::error::ErrorKind::Storage) if the input cannot be read.
    pub fn next_row(&mut self, row: &mut Row) -> Result<bool> {
        if !self.pieces.next_into(row).map_err(unreadable)? {
            return Ok(false);
        }
        // Whole lists stand on one line: by its line a row must still be known from every other.
        row.line = row.line.max(self.line + 1);
        (self.line, self.records) = (row.line, self.records + 1);
        row.number = self.records;
        if row.problem.is_some() {
            return Ok(true);
        }
        for cell in &mut self.cells {
            // One long text in each column, each in another object, must not add up.
            if cell.capacity() > LONG {
                *cell = String::new();
            }
            cell.clear();
        }
        let text = String::from_utf8_lossy(&row.raw);
        self.forms.fill(Form::Text);
        let (places, cells, forms) = (&self.places, &mut self.cells, &mut self.forms);
        let outcome = flat::flatten(&text, self.most, &mut |key, value, form| {
            let place = places.get(key);
            let column = place.and_then(|place| Some((cells.get_mut(*place)?, forms.get_mut(*place)?)));
            if let Some((cell, stands_as)) = column {
                value.clone_into(cell);
                *stands_as = form;
            }
            true
        });
        match outcome {
            Ok(()) => {
                self.cells.iter().for_each(|cell| row.cells.push_field(cell));
                for (place, form) in self.forms.iter().enumerate() {
                    match form {
                        Form::QuotedList => row.quoted_lists.push(place),
                        Form::Number => row.numbers.push(place),
                        Form::Text => {}
                    }
                }
            }
            Err(Broken::Cell) => row.problem = Some(RowProblem::CellTooLarge),
            Err(Broken::Record) => row.problem = Some(RowProblem::RecordTooLarge),
            Err(Broken::Malformed | Broken::Enough) => row.problem = Some(RowProblem::Malformed),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
