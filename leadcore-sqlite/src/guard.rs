//! Protection against a second SQLite library in the same process.
//!
//! SQLite's locks are POSIX locks, which belong to the process: when any other code in it closes *any* handle to
//! the database or its `-shm` file, the kernel drops them all, and SQLite does not notice. Another process can then
//! write at the same time, and one of the two acknowledged transactions is gone, without an error.
//!
//! Two layers, neither of which opens the database's own files (that would do the harm it is to prevent):
//!
//! * **A lock of our own** on a file beside the database (`<file>-lock`), held around every write. It is a `flock`
//!   lock, which belongs to the open handle and not to the process, so nobody can drop it for us: two leadcore
//!   processes never write at once. The file is empty and stays, as does `<file>-next`, which keeps the queue;
//!   deleting them while a store is open undoes this layer.
//! * **A look at what the kernel says** (Linux, `/proc/self`), before and after a transaction: are SQLite's locks
//!   still ours, and does a second library have the `-shm` file mapped? If so the transaction is rolled back and the
//!   caller told. This also covers writers that are not leadcore.
//!
//! What is left: a second library that opens the file within the microseconds between the last look and the commit.
//! The look after the commit reports that one, as a write whose outcome is uncertain.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use leadcore::error::{Error, ErrorKind, Result};

use crate::queue::Patience;

#[cfg(target_os = "linux")]
#[path = "guard/linux.rs"]
mod watch;
#[cfg(not(target_os = "linux"))]
#[path = "guard/elsewhere.rs"]
mod watch;

pub(crate) use watch::Watch;

/// How SQLite locks this file, which decides which of its locks to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Journal {
    /// Write-ahead log: locks live in the `-shm` file, some for as long as the database is open.
    Wal,
    /// A rollback journal: locks live in the database file, for as long as a transaction.
    Rollback,
}

/// When the look is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before BEGIN of a write.
    BeforeWrite,
    /// Before COMMIT, while the write lock must be held.
    BeforeCommit,
    /// After COMMIT.
    AfterCommit,
    /// Before the end of a read transaction.
    EndOfRead,
}

/// The lock files beside the database.
///
/// Two of them, for the order: whoever stands in the gate (`-next`) is the next to write. With one, the process that
/// has just written is the first to ask again while the others sleep: of four busy processes one waited 0.6 s and
/// another not at all; with two, each waits up to 0.15 s.
#[derive(Debug)]
pub(crate) struct SideLock {
    gate: LockFile,
    lock: LockFile,
}

/// A file that is opened once and kept: a handle closed and reopened would be one more way to lose a lock.
#[derive(Debug)]
struct LockFile {
    file: File,
    path: PathBuf,
}

impl SideLock {
    /// Opens, and creates where needed, the lock files beside `database`.
    pub(crate) fn beside(database: &Path) -> Result<Self> {
        Ok(Self {
            gate: LockFile::open(with_suffix(database, "-next"))?,
            lock: LockFile::open(with_suffix(database, "-lock"))?,
        })
    }

    /// Waits until no other leadcore handle writes. `None` where the file system has no such locks.
    pub(crate) fn hold(&self, patience: &Patience) -> Result<Option<Held<'_>>> {
        let _gate = self.gate.hold(patience)?;
        self.lock.hold(patience)
    }
    #[cfg(target_os = "linux")]
    fn descriptor(&self) -> i32 {
        use std::os::fd::AsRawFd as _;
        self.lock.file.as_raw_fd()
    }
}

impl LockFile {
    fn open(path: PathBuf) -> Result<Self> {
        let mut options = OpenOptions::new();
        match options.read(true).write(true).create(true).truncate(false).open(&path) {
            Ok(file) => Ok(Self { file, path }),
            Err(error) => Err(Error::new(
                ErrorKind::Storage,
                format!("cannot open the lock file `{}`: its directory must be writable", path.display()),
            )
            .with_source(error)),
        }
    }

    fn hold(&self, patience: &Patience) -> Result<Option<Held<'_>>> {
        let mut attempt = 0;
        loop {
            match self.file.try_lock() {
                Ok(()) => return Ok(Some(Held(&self.file))),
                Err(TryLockError::WouldBlock) if patience.pause(attempt) => attempt += 1,
                Err(TryLockError::WouldBlock) => return Err(patience.exhausted()),
                Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                    return Ok(None);
                }
                Err(TryLockError::Error(error)) => {
                    let context = format!("cannot lock `{}`", self.path.display());
                    return Err(Error::new(ErrorKind::Storage, context).with_source(error));
                }
            }
        }
    }
}

/// A lock file's lock, until dropped.
#[derive(Debug)]
pub(crate) struct Held<'a>(&'a File);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // It cannot fail on an open handle; if it did, the next writer would time out with a clear error.
        let _ = self.0.unlock();
    }
}

/// `file` with `suffix` after its whole name, as SQLite names `-wal` and `-shm`.
pub(crate) fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    PathBuf::from(name)
}

impl Moment {
    /// What became of the transaction that is refused at this moment.
    #[cfg(target_os = "linux")]
    const fn outcome(self) -> &'static str {
        match self {
            Self::BeforeWrite => "nothing was written",
            Self::BeforeCommit => "the transaction was rolled back",
            Self::AfterCommit => "the last write may be lost: check it after opening the store again",
            Self::EndOfRead => "what was read may not be one state of the data and was discarded",
        }
    }
}

/// The refusal when the file is no longer where it was opened: SQLite would go on in the file that was moved, and
/// another process that opens the old or the new name would share no locks with it.
#[cfg(target_os = "linux")]
fn moved_away(file: &Path, moment: Moment) -> Error {
    let outcome = moment.outcome();
    Error::new(
        ErrorKind::Storage,
        format!(
            "the file `{}` was renamed, replaced or deleted while the store had it open; {outcome}: close every store on \
             it, move it with its `-wal` file to where it belongs, and open it again",
            file.display()
        ),
    )
}

/// The refusal: what was seen, and what to do instead.
#[cfg(target_os = "linux")]
fn second_library(file: &Path, moment: Moment) -> Error {
    let outcome = moment.outcome();
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "another SQLite library in this process has `{}` open, or had, so that its locks cannot be trusted; {outcome}: close \
             it there, open the store again, and use backup_to or an export to read the data elsewhere",
            file.display()
        ),
    )
}
