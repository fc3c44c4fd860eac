//! Reads every table in a folder, whatever its format, and prints what became of each: the table of
//! `docs/import-files.md`. Without a folder it reads three small files of its own.
//!
//! `cargo run --release --example import_files -- FOLDER`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::Instant;

use leadcore::error::Result;
use leadcore::exchange::{ReadOptions, Row, Table};

/// Endings of files that people call tables. What is inside is seen by the content.
const ENDINGS: [&str; 15] = [
    "csv", "tsv", "txt", "xlsx", "xlsm", "xlsb", "xls", "ods", "json", "jsonl", "vcf", "gz", "bz2", "zip",
    "xml",
];

fn main() -> io::Result<()> {
    println!("| file | format | columns | rows | rejected | how, or why not |");
    println!("|---|---|---|---|---|---|");
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        for (name, text) in [
            ("leads.csv", "Company;E-mail\nNordlys AS;post@nordlys.example\n\"Berg AS;x\n"),
            ("leads.jsonl", "{\"company\":\"Nordlys AS\",\"address\":{\"city\":\"Oslo\"}}\n"),
            ("leads.csv.gz", "\u{1f}\u{8b}"),
        ] {
            println!("| {name} {}", line(Cursor::new(text)));
        }
        return Ok(());
    };
    let mut files = Vec::new();
    collect(&folder, &mut files)?;
    for path in files {
        let name = path.strip_prefix(&folder).unwrap_or(&path).display();
        let start = Instant::now();
        let line = line(File::open(&path)?);
        println!("| {name} {line}");
        let seconds = start.elapsed().as_secs_f64();
        if seconds > 2.0 {
            println!("<!-- {seconds:.1} s -->");
        }
    }
    println!("<!-- peak memory {} -->", peak().unwrap_or_default());
    Ok(())
}

/// All tables below a folder, in order.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    entries.sort();
    for path in entries {
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
        if path.is_dir() {
            collect(&path, files)?;
        } else if ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) {
            files.push(path);
        }
    }
    Ok(())
}

fn line<R: Read + Seek>(input: R) -> String {
    match read(input) {
        Ok(line) => line,
        Err(error) => {
            let reasons: Vec<&str> =
                error.violations().iter().map(|violation| violation.message.as_str()).collect();
            format!("| – | | | all | {} |", reasons.join("; "))
        }
    }
}

fn read<R: Read + Seek>(input: R) -> Result<String> {
    let mut table = Table::open(input, &ReadOptions::new())?;
    let (mut row, mut rejected, mut why) = (Row::new(), 0, Vec::new());
    while table.next_row(&mut row)? {
        let reason = match row.problem() {
            Some(problem) => problem.message(),
            None if row.bad_encoding() => "bytes that are no text",
            None if row.has_nul() => "a NUL character",
            None => continue,
        };
        rejected += 1;
        let reason = format!("line {}: {reason}", row.line());
        if why.len() < 2 {
            why.push(reason);
        }
    }
    let mut how = Vec::new();
    if let Some(dialect) = table.dialect() {
        let delimiter = char::from(dialect.delimiter).escape_default().to_string();
        how.push(format!("`{}`, {}", delimiter.replace('|', "\\|"), table.encoding()));
    }
    how.extend(table.sheet().map(|sheet| format!("sheet `{sheet}` of {}", table.sheets().len())));
    match table.header_line() {
        Some(1) => {}
        Some(line) => how.push(format!("header on {line}")),
        None if table.dialect().is_some() || table.sheet().is_some() => how.push("no header".to_owned()),
        None => {}
    }
    how.extend(why);
    let (format, columns, rows) = (table.format().code(), table.headers().len(), table.records());
    Ok(format!("| {format} | {columns} | {} | {rejected} | {} |", rows - rejected, how.join("; ")))
}

/// The most memory this program had, where the system tells.
fn peak() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().skip(1).collect::<Vec<_>>().join(" "))
}
