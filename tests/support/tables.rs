//! Files of the outside data as rows, read apart from what is tested.

use std::path::Path;

use chrono::NaiveDateTime;
use leadcore::time::Timestamp;

/// The rows of a file, by the names of its columns.
pub(crate) struct Table {
    header: csv::StringRecord,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    pub(crate) fn read(folder: &Path, name: &str) -> Self {
        let mut reader = csv::Reader::from_path(folder.join(name)).unwrap();
        let header = reader.headers().unwrap().clone();
        Self { header, rows: reader.records().map(Result::unwrap).collect() }
    }

    pub(crate) fn each(&self) -> impl Iterator<Item = impl Fn(&str) -> String> {
        self.rows.iter().map(move |row| {
            move |name: &str| {
                let column = self.header.iter().position(|known| known == name).expect("a column");
                row[column].trim().to_owned()
            }
        })
    }
}

/// A time of the files, which say no zone.
pub(crate) fn time(text: &str) -> Timestamp {
    let forms = ["%Y-%m-%d %H:%M:%S", "%d %b, %Y %H:%M:%S"];
    let read = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    Timestamp::try_from(read.expect("a time").and_utc()).unwrap()
}
