//! The SQLite store of leadcore: one file that leadcore owns, or a few prefixed tables in the host's own file.
//!
//! # Opening the same file with another SQLite library
//!
//! SQLite keeps its locks per process and per *library*. When a second copy of SQLite in the same process (Python's
//! own `sqlite3` beside this crate, say) opens the same file and closes it again, the kernel drops the locks of
//! both, and committed data can vanish without an error ("How To Corrupt An SQLite Database File", §2.2.1 at
//! sqlite.org). This crate takes a second lock that survives it, and on Linux notices and refuses; but the rule for
//! hosts stays: read through leadcore, or open a copy made by `backup_to`. Inside one Rust program `links =
//! "sqlite3"` allows one copy only, so use [`rusqlite`] as re-exported here for connections of your own.
//!
//! # The SQLite that is linked
//!
//! The default feature `bundled` compiles SQLite in. Without it the host's library is linked and checked when a
//! database is opened: its version, FTS5, and the trigram tokenizer. SQLite 3.7.0 to 3.51.2 can lose commits in WAL
//! mode when two connections write and checkpoint at once (fixed in 3.51.3, 3.50.7 and 3.44.6; sqlite.org/wal.html,
//! "the WAL-reset bug"); on such a library leadcore uses a rollback journal instead. See
//! [`SqliteOptions::accept_wal_reset_bug`].
//!
//! # Files
//!
//! The content of files is in the database, in pieces of 256 KiB, or in a directory: see [`SqliteOptions::files_in`], which
//! says what a backup has to hold then.
#![forbid(unsafe_code)]

pub use rusqlite;

mod backup;
mod compile;
mod error;
mod guard;
mod keys;
mod lists;
pub mod migrate;
mod open;
mod options;
mod queue;
mod repo;
mod row;
mod store;
mod sweep;
#[cfg(test)]
mod tests;
mod txn;
mod vault;

pub use options::{Durability, SqliteOptions};
pub use store::{SqliteStats, SqliteStore, SweptFiles};
pub use txn::SqliteTxn;

/// The snippets of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The Rust of the manual's page on conversion; its Python is run by the tests of the package.
#[cfg(doctest)]
#[doc = include_str!("../../docs/manual/conversion.md")]
struct ConversionPage;
