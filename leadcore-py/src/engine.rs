//! The opened store, whichever it is, shared by every session on it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use leadcore::error::{Error, ErrorKind, Result, ViolationCode};
use leadcore::id::RandomIds;
use leadcore::store::Store;
use leadcore_sqlite::{SqliteOptions, SqliteStore};
use pyo3::Python;

use crate::host::refuse_inside;

/// The store behind the handle. A new kind of store is named here and nowhere else.
#[derive(Debug)]
pub(crate) struct Backend(SqliteStore, Option<PathBuf>);

impl Backend {
    /// Opens the file at `path`; none means in memory. The content of files lies in `files_in` where one is given.
    pub(crate) fn open(path: Option<PathBuf>, files_in: Option<PathBuf>) -> Result<Self> {
        let folder = files_in.clone();
        let store = match (path, files_in) {
            (None, None) => SqliteStore::open_in_memory(),
            (None, Some(_)) => {
                let message = "a database in memory has its files in memory too";
                Err(Error::invalid_field("files_in", ViolationCode::NotAllowed, message))
            }
            (Some(path), None) => SqliteStore::open(path),
            (Some(path), Some(dir)) => SqliteStore::open_with(path, &SqliteOptions::new().files_in(dir)),
        };
        store.map(|store| Self(store, folder))
    }

    /// The ports.
    pub(crate) const fn store(&self) -> &dyn Store {
        &self.0
    }

    /// Writes a copy that any SQLite may open.
    pub(crate) fn backup_to(&self, path: &Path) -> Result<()> {
        self.0.backup_to(path)
    }

    /// Where the file is; none in memory.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.0.path()
    }

    /// Where the content of files is, outside of the database.
    pub(crate) fn files_in(&self) -> Option<&Path> {
        self.1.as_deref()
    }

    /// Removes contents that no file has: how many, their bytes, and how many temporary files.
    pub(crate) fn sweep_files(&self) -> Result<(u64, u64, u64)> {
        let swept = self.0.sweep_files()?;
        Ok((swept.contents, swept.bytes, swept.left_over))
    }

    /// Write transactions committed, writes run again, and the longest wait for a turn in seconds.
    pub(crate) fn stats(&self) -> (u64, u64, f64) {
        let stats = self.0.stats();
        (stats.commits, stats.retries, stats.worst_wait.as_secs_f64())
    }
}

/// One opened store and the process that opened it.
#[derive(Debug)]
pub(crate) struct Engine {
    backend: RwLock<Option<Arc<Backend>>>,
    process: u32,
    pub(crate) ids: RandomIds,
}

impl Engine {
    pub(crate) fn new(backend: Backend) -> Self {
        Self {
            backend: RwLock::new(Some(Arc::new(backend))),
            process: std::process::id(),
            ids: RandomIds::new(),
        }
    }

    /// The store, for one call.
    ///
    /// # Errors
    /// `Unsupported` after a close, and in a process that was forked off the one that opened it.
    pub(crate) fn backend(&self) -> Result<Arc<Backend>> {
        self.check_process()?;
        let backend = self.backend.read().unwrap_or_else(PoisonError::into_inner);
        backend.clone().ok_or_else(|| Error::new(ErrorKind::Unsupported, "the database is closed"))
    }

    pub(crate) fn check_process(&self) -> Result<()> {
        if self.process == std::process::id() {
            return Ok(());
        }
        let message = "this process was forked off the one that opened the database: open it again here";
        Err(Error::new(ErrorKind::Unsupported, message))
    }

    pub(crate) fn close(&self) {
        let backend = self.backend.write().unwrap_or_else(PoisonError::into_inner).take();
        self.drop_here(backend);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.backend.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Lets go of the store. A forked child must not: closing would touch the parent's files and locks.
    fn drop_here(&self, backend: Option<Arc<Backend>>) {
        if self.check_process().is_err() {
            std::mem::forget(backend);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

/// Runs `work` detached from the interpreter, so that other threads go on; a panic becomes an error.
///
/// Locks are taken inside `work` only: never while attached, or a callback of another thread could wait for us.
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    py.detach(|| {
        refuse_inside()?;
        guarded(work)
    })
}

/// Runs `work`; a panic becomes an error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        // What was said in the panic may hold personal data: the panic hook has printed it already.
        Err(Error::new(
            ErrorKind::Internal,
            "leadcore panicked; what this call had not committed was not written",
        ))
    })
}
