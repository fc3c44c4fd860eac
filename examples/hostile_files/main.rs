//! Reads files that somebody made on purpose, each in a process of its own, and prints what became of it, the most memory
//! that took, and how long: the table of `docs/import-files.md`. It makes bombs of its own, and reads every file of a
//! folder beside them.
//!
//! `cargo run --release --example hostile_files -- FOLDER`; Linux tells the memory, other systems do not. It takes minutes, and
//! half a gigabyte of disk: without a folder it only says so.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

mod made;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use leadcore::exchange::{ReadOptions, Row, Table};

const CHILD: &str = "--child";

fn main() -> io::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next();
    if first.as_deref().is_some_and(|word| word == CHILD) {
        let path = arguments.next().map(PathBuf::from).unwrap_or_default();
        println!("{}", read(&path)?);
        return Ok(());
    }
    let Some(folder) = first.map(PathBuf::from) else {
        println!("usage: hostile_files FOLDER (reads its files, and bombs made on the way; takes minutes)");
        return Ok(());
    };
    println!("| file | bytes | what became of it | peak memory, MiB | seconds | of which at work |");
    println!("|---|---|---|---|---|---|");
    let scratch = tempfile::tempdir()?;
    for (name, make) in made::ALL {
        let path = scratch.path().join(name);
        make(&mut io::BufWriter::new(File::create(&path)?))?;
        line(name, &path)?;
        std::fs::remove_file(&path)?;
    }
    let mut files = Vec::new();
    collect(&folder, &mut files)?;
    for path in files {
        line(&path.strip_prefix(&folder).unwrap_or(&path).display().to_string(), &path)?;
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// Reads a file in another process, so that its memory is its own, and its end too.
fn line(name: &str, path: &Path) -> io::Result<()> {
    let bytes = path.metadata()?.len();
    let start = Instant::now();
    let done = Command::new(std::env::current_exe()?).arg(CHILD).arg(path).output()?;
    let seconds = start.elapsed().as_secs_f64();
    let told = String::from_utf8_lossy(&done.stdout);
    let (told, spent) = told.trim().split_once('\t').unwrap_or(("**the process ended**", "? | ?"));
    let (peak, work) = spent.split_once('\t').unwrap_or((spent, "?"));
    println!("| {name} | {bytes} | {told} | {peak} | {seconds:.1} | {work} |");
    Ok(())
}

/// What becomes of a file, and the most memory that this process had.
fn read(path: &Path) -> io::Result<String> {
    let told = match table(File::open(path)?) {
        Ok(told) => told,
        Err(error) => {
            let reasons: Vec<&str> = error.violations().iter().map(|one| one.message.as_str()).collect();
            format!("refused: {}", reasons.join("; "))
        }
    };
    let spent = [peak(), work()].map(|figure| figure.unwrap_or_else(|| "?".to_owned()));
    Ok(format!("{}\t{}", told.replace('|', "\\|"), spent.join("\t")))
}

fn table(file: File) -> leadcore::error::Result<String> {
    let mut table = Table::open(file, &ReadOptions::new())?;
    let (mut row, mut rejected) = (Row::new(), 0_u64);
    while table.next_row(&mut row)? {
        rejected += u64::from(row.problem().is_some());
    }
    let rows = table.records() - rejected;
    Ok(format!("{}: {rows} rows, {rejected} rejected", table.format().code()))
}

/// The seconds that a processor worked on it: on a machine with much else to do, the clock tells more.
fn work() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    let nanoseconds: f64 = status.split_whitespace().next()?.parse().ok()?;
    Some(format!("{:.1}", nanoseconds / 1e9))
}

fn peak() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some((kibibytes / 1024).to_string())
}
