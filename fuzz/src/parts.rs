//! Workbooks written as text: what a fuzzer changes is XML, not an archive with checksums.

use std::collections::BTreeSet;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Packs parts into an archive: each begins on a line `=== xl/workbook.xml` and goes on to the next such line.
#[must_use]
pub fn pack(text: &[u8]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut names = BTreeSet::new();
    let mut open = false;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if let Some(name) = line.strip_prefix(b"=== ") {
            let name = String::from_utf8_lossy(name).trim().to_owned();
            open = names.insert(name.clone()) && archive.start_file(name, options).is_ok();
        } else if open && archive.write_all(line).is_err() {
            break;
        }
    }
    archive.finish().map(Cursor::into_inner).unwrap_or_default()
}
