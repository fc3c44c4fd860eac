//! Reading on a thread of its own: the same results in the same order, and nothing that stays behind.

use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::dry::{file, plainly, row};
use super::*;
use crate::error::ErrorKind;
use crate::exchange::import::feed::Reading;
use crate::exchange::import::plan::Purpose;
use crate::exchange::import::run::{Import, execute};
use crate::exchange::import::source::Source;

/// An input that counts how many of it are alive, and fails or panics behind so many bytes.
struct Odd {
    inner: Cursor<Vec<u8>>,
    alive: Arc<AtomicUsize>,
    end: Option<(u64, bool)>,
    /// How often it was gone back to its start: twice before its rows are read.
    rounds: u32,
}

impl Odd {
    fn new(text: String, alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::SeqCst);
        Self { inner: Cursor::new(text.into_bytes()), alive: Arc::clone(alive), end: None, rounds: 0 }
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Read for Odd {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if let Some((end, panics)) = self.end.filter(|_| self.rounds > 3)
            && self.inner.position() > end
        {
            assert!(!panics, "the file is a mine");
            return Err(io::Error::other("disk"));
        }
        let most = target.len().min(4096);
        self.inner.read(&mut target[..most])
    }
}

impl Seek for Odd {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.rounds += u32::from(matches!(to, SeekFrom::Start(_)));
        self.inner.seek(to)
    }
}

fn import(
    host: &Host,
    input: &mut (impl Read + Seek + Send),
    options: &ImportOptions,
    reading: Reading,
    heard: &mut Heard,
) -> Result<(ImportReport, String)> {
    let ctx = host.system();
    let source = Source::prepare(&ctx, &host.store, input, options)?;
    let import = Import::new(&ctx, &host.store, &source, options, Purpose::Write);
    let mut rejects = Vec::new();
    let report = execute(import, input, (None, reading), Some(&mut rejects), heard)?;
    Ok((report, String::from_utf8(rejects).unwrap()))
}

fn many(rows: usize) -> String {
    let rows = (0..rows)
        .map(|n| format!("{n}@x.example,Company {n},{}\n", if n % 7 == 0 { "odd" } else { "+47 22225555" }));
    format!("email,company,phone\n{}", rows.collect::<String>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn who_reads_makes_no_difference(rows in prop::collection::vec(row(), 0..20), chunk in 1_usize..6, stop in prop::option::of(0_u64..20)) {
        let (here, apart) = (Host::new(), Host::new());
        let options = plainly().chunk(chunk);
        let run = |host: &Host, reading| {
            let mut heard = Heard { stop_after: stop, ..Heard::default() };
            let first = import(host, &mut Cursor::new(file(&rows)), &options, reading, &mut heard);
            let first = first.map_err(|error| (error.kind(), error.to_string()));
            heard.stop_after = None;
            // And goes on where it was stopped.
            let second = import(host, &mut Cursor::new(file(&rows)), &options, reading, &mut heard);
            (first, second.map_err(|error| error.kind()), heard.lines, heard.steps)
        };
        prop_assert_eq!(run(&here, Reading::Here), run(&apart, Reading::Apart));
        prop_assert_eq!(here.dump(), apart.dump());
    }
}

#[test]
fn a_cancelled_import_leaves_whole_chunks_and_no_reader() {
    let (host, alive) = (Host::new(), Arc::new(AtomicUsize::new(0)));
    let options = ImportOptions::new().chunk(50);
    let mut heard = Heard { stop_after: Some(100), ..Heard::default() };
    let mut input = Odd::new(many(1_000), &alive);
    let error = import(&host, &mut input, &options, Reading::Apart, &mut heard).unwrap_err();
    assert_eq!((error.kind(), heard.lines.len()), (ErrorKind::Cancelled, 100));
    drop(input);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
    let report = host.run_with(many(1_000), &options.chunk(10_000));
    assert_eq!((report.lines, report.resumed_after), (1_000, 100));
}

/// Reads a file that ends badly behind its first half.
fn badly(reading: Reading, panics: bool) -> (Result<(ImportReport, String)>, usize) {
    let (host, alive) = (Host::new(), Arc::new(AtomicUsize::new(0)));
    // Long lines: more bytes than are read ahead, in few rows.
    let text = many(400).replace("Company", &"Company ".repeat(40));
    let mut input = Odd::new(text, &alive);
    input.end = Some((70_000, panics));
    let mut heard = Heard::default();
    let done = import(&host, &mut input, &ImportOptions::new().chunk(50), reading, &mut heard);
    (done, heard.lines.len())
}

#[test]
fn what_fails_while_reading_fails_behind_what_was_read() {
    for reading in [Reading::Here, Reading::Apart] {
        let (done, heard) = badly(reading, false);
        assert_eq!(done.unwrap_err().kind(), ErrorKind::Storage);
        assert!(heard >= 50 && heard % 50 == 0, "{heard}");
    }
}

#[test]
fn a_panic_while_reading_comes_through() {
    for reading in [Reading::Here, Reading::Apart] {
        let done = catch_unwind(AssertUnwindSafe(|| badly(reading, true).0));
        let said = *done.unwrap_err().downcast::<&str>().unwrap();
        assert_eq!(said, "the file is a mine");
    }
}

#[test]
fn progress_tells_how_fast_and_how_long_by_the_clock_of_the_context() {
    struct Ticking<'h>(&'h Host, Vec<Progress>);
    impl ImportSink for Ticking<'_> {
        fn line(&mut self, _: &LineOutcome) {}

        fn progress(&mut self, progress: &Progress) -> ControlFlow<()> {
            self.1.push(*progress);
            self.0.clock.advance(chrono::TimeDelta::seconds(2));
            ControlFlow::Continue(())
        }
    }
    let host = Host::new();
    let mut input = Cursor::new(many(500));
    let mut sink = Ticking(&host, Vec::new());
    let (ctx, options) = (host.system(), ImportOptions::new().chunk(100));
    let source = Source::prepare(&ctx, &host.store, &mut input, &options).unwrap();
    let import = Import::new(&ctx, &host.store, &source, &options, Purpose::Write);
    execute(import, &mut input, (None, Reading::Apart), None, &mut sink).unwrap();
    let steps = sink.1;
    // A clock that stands still says nothing.
    assert_eq!((steps[0].rate, steps[0].remaining), (None, None));
    assert_eq!((steps[1].rate, steps[1].elapsed.as_secs()), (Some(100), 2));
    let last = steps.last().unwrap();
    assert_eq!((last.lines, last.remaining), (500, Some(std::time::Duration::ZERO)));
}
