//! leadcore beside the same work in bare SQL: the same tables, the same run, one table of ratios at the end.
//!
//! See `benches/README.md`. Without `--bench` (as `cargo test` runs it) everything runs once, small, and only the
//! results are compared.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that prints, and should stop where something is wrong"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

mod bare_convert;
mod bare_read;
mod bare_write;
mod children;
mod convert;
mod dot_import;
mod export;
mod fixture;
mod import;
mod mass;
mod month;
mod reads;
mod reports;
mod runner;
mod sheets;
mod views;
mod writes;

use runner::Runner;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, file, database] = args.as_slice()
        && flag == import::CHILD
    {
        return import::child(Path::new(file), Path::new(database));
    }
    let runner =
        Runner { try_out: !args.iter().any(|arg| arg == "--bench"), budget: Duration::from_millis(1_200) };
    let names: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| *wanted == name);
    let scratch = tempfile::tempdir().unwrap();
    // Databases can be kept for the next run.
    let kept = std::env::var_os("LEADCORE_BENCH_DIR").map(PathBuf::from);
    let dir = kept.as_deref().unwrap_or(scratch.path());
    std::fs::create_dir_all(dir).unwrap();
    let mut sizes = if runner.try_out { vec![500] } else { vec![10_000, 100_000] };
    if std::env::var_os("LEADCORE_BENCH_1M").is_some() && !runner.try_out {
        sizes.push(1_000_000);
    }
    let mut lines = Vec::new();
    for size in sizes {
        if wanted("import") {
            lines.extend(import::run(runner, scratch.path(), size));
        }
        if wanted("sheets") {
            lines.extend(sheets::run(runner, scratch.path(), size));
        }
        if names.is_empty()
            || names.iter().any(|name| !["import", "memory", "sheets"].contains(&name.as_str()))
        {
            let full = fixture::Full::open(dir, size);
            lines.extend(reads::run(runner, &full, &wanted));
            lines.extend(views::run(runner, &full, &wanted));
            lines.extend(writes::run(runner, &full, scratch.path(), &wanted));
            lines.extend(convert::run(runner, &full, scratch.path(), &wanted));
            lines.extend(children::run(runner, &full, scratch.path(), &wanted));
            lines.extend(month::run(runner, &full, scratch.path(), &wanted));
            lines.extend(reports::run(runner, &full, scratch.path(), &wanted));
            lines.extend(export::run(runner, &full, &wanted));
            lines.extend(mass::run(&full, scratch.path(), &wanted));
        }
    }
    // Lines of one name together, from small to large.
    let mut order: Vec<&str> = Vec::new();
    for line in &lines {
        if !order.contains(&line.name) {
            order.push(line.name);
        }
    }
    lines.sort_by_key(|line| order.iter().position(|name| *name == line.name));
    runner::report(&lines);
    if wanted("memory") && (runner.try_out || !names.is_empty()) {
        import::memory(runner, scratch.path());
    }
}
