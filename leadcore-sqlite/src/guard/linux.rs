//! What the Linux kernel says about our locks.
//!
//! `/proc/self/fdinfo/N` lists the locks taken through descriptor N, one line each:
//! `lock: 1: POSIX ADVISORY WRITE 8335 fe:00:10158107 120 120` (proc(5)). Reading it, and reading the links in
//! `/proc/self/fd`, touches neither the database nor its locks.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use leadcore::error::Result;

use super::{Journal, Moment, SideLock, moved_away, second_library, with_suffix};
use crate::queue::Patience;

// Lock bytes of SQLite's file formats: sqlite.org/walformat.html §2.3 (and os_unix.c: UNIX_SHM_BASE 120, eight
// locks, then the "dead man switch"), and os.h (PENDING_BYTE 0x40000000).
/// Held in `-shm` while a WAL write transaction is open.
const WAL_WRITE: u64 = 120;
/// First and last of the WAL read marks: a reader holds one of them.
const WAL_READ: std::ops::RangeInclusive<u64> = 123..=127;
/// Held in `-shm`, shared, from opening it to closing it: gone once means gone for good.
const WAL_OPEN: u64 = 128;
/// Held in the database file while a rollback-journal write transaction is open.
const RESERVED: u64 = 0x4000_0001;
/// Held in the database file, shared, by readers; in WAL mode for as long as it is open.
const SHARED: u64 = 0x4000_0002;

const DESCRIPTORS: &str = "/proc/self/fd";
const MAPS: &str = "/proc/self/maps";
/// How many mappings at least are read in the time of one link of a descriptor: 1.5 and 5 µs on a virtual machine.
const LINK: usize = 2;

/// Watches over one open database.
#[derive(Debug)]
pub(crate) struct Watch {
    db: Seen,
    shm: Seen,
    journal: Journal,
    /// Device and number of the database file when the watch began.
    file: Option<(u64, u64)>,
    /// How many mappings this process had when they were last read.
    mappings: AtomicUsize,
}

/// A file of the database and the descriptor through which its locks were last seen.
#[derive(Debug)]
struct Seen {
    path: PathBuf,
    descriptor: AtomicI32,
}

impl Watch {
    /// Begins to watch. To be called after a first read, when SQLite has opened its files.
    ///
    /// `None` where `/proc` does not tell (not mounted, no lock lines as under some sandboxes).
    ///
    /// # Errors
    /// `Unsupported` when a second library has the file open already, or had and took our locks with it.
    pub(crate) fn start(
        db: &Path,
        journal: Journal,
        side: &SideLock,
        patience: &Patience,
    ) -> Result<Option<Self>> {
        let (file, shm) = (identity(db), Seen::new(with_suffix(db, "-shm")));
        let mappings = AtomicUsize::new(usize::MAX);
        let watch = Self { db: Seen::new(db.to_owned()), shm, journal, file, mappings };
        let witness = if journal == Journal::Wal { &watch.shm } else { &watch.db };
        if !descriptors().into_iter().any(|descriptor| witness.is(descriptor)) {
            // No /proc, or a host connection in exclusive locking mode, which shares the index with nobody.
            return Ok(None);
        }
        // Every link is read this once, so that a handle is noticed that maps nothing.
        let found = watch.look(Moment::BeforeWrite);
        if let Ok(maps) = fs::read(MAPS) {
            watch.mappings.store(count(&maps), Ordering::Relaxed);
        }
        if journal == Journal::Wal && found.is_ok() {
            return Ok(Some(watch));
        }
        // Locks not seen: are they gone, or does this kernel not show them? Ours on the lock file must be visible.
        let held = side.hold(patience)?;
        let shown = locks_of(side.descriptor()).is_some_and(|text| text.contains("FLOCK"));
        drop(held);
        if shown { found.map(|()| Some(watch)) } else { Ok(None) }
    }

    /// Fails when SQLite's locks are no longer ours alone.
    pub(crate) fn look(&self, moment: Moment) -> Result<()> {
        let sound = match (self.journal, moment) {
            (Journal::Wal, Moment::BeforeWrite) => self.still_open() && self.alone(),
            (Journal::Wal, Moment::BeforeCommit) => {
                self.still_open() && self.shm.holds(WAL_WRITE..=WAL_WRITE, true) && self.alone()
            }
            (Journal::Wal, Moment::AfterCommit) => self.still_open(),
            (Journal::Wal, Moment::EndOfRead) => self.still_open() && self.shm.holds(WAL_READ, false),
            (Journal::Rollback, Moment::BeforeCommit) => self.db.holds(RESERVED..=RESERVED, true),
            (Journal::Rollback, Moment::EndOfRead) => self.db.holds(SHARED..=SHARED, false),
            (Journal::Rollback, Moment::BeforeWrite | Moment::AfterCommit) => true,
        };
        if sound {
            return Ok(());
        }
        // A file that is not where it was opened shows no locks under its name either; that is not another library.
        if self.file.is_some() && identity(&self.db.path) != self.file {
            return Err(moved_away(&self.db.path, moment));
        }
        Err(second_library(&self.db.path, moment))
    }

    /// Whether the locks are there that SQLite holds in WAL mode from opening to closing.
    fn still_open(&self) -> bool {
        self.shm.holds(WAL_OPEN..=WAL_OPEN, false) && self.db.holds(SHARED..=SHARED, false)
    }

    /// Whether the `-shm` file is open once and mapped once: a SQLite library does either once per process, however
    /// many connections it has.
    fn alone(&self) -> bool {
        // Kernels before 6.2 do not say how many there are.
        let open = fs::metadata(DESCRIPTORS).ok().and_then(|dir| usize::try_from(dir.len()).ok());
        let listed = if open.is_some_and(|open| open > 0) { None } else { Some(descriptors()) };
        let open = listed.as_ref().map_or(open.unwrap_or_default(), Vec::len);
        // Either answer will do, so the one that costs less is asked for.
        if open.saturating_mul(LINK) <= self.mappings.load(Ordering::Relaxed) {
            let all = listed.unwrap_or_else(descriptors);
            return all.into_iter().filter(|descriptor| self.shm.is(*descriptor)).count() <= 1;
        }
        let Ok(maps) = fs::read(MAPS) else { return true };
        self.mappings.store(count(&maps), Ordering::Relaxed);
        mapped(&maps, &self.shm.path) <= 1
    }
}

/// Device and number of the file of this name, which a rename keeps; asking opens nothing.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// How many mappings `/proc/self/maps` tells.
fn count(maps: &[u8]) -> usize {
    maps.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count()
}

/// How often the start of `file` is mapped, from `/proc/self/maps`.
fn mapped(maps: &[u8], file: &Path) -> usize {
    let file = file.as_os_str().as_encoded_bytes();
    maps.split(|byte| *byte == b'\n')
        // address, permissions, offset, device, inode, path
        .filter(|line| line.ends_with(file) && line.split(|byte| *byte == b' ').nth(2) == Some(b"00000000"))
        // The path is all that has a slash: it is this one, and does not merely end with it.
        .filter(|line| {
            line.split(|byte| *byte == b'/').next().map(<[u8]>::len) == line.len().checked_sub(file.len())
        })
        .count()
}

impl Seen {
    fn new(path: PathBuf) -> Self {
        Self { path, descriptor: AtomicI32::new(-1) }
    }

    /// Whether this descriptor is this file. A deleted or replaced file does not count: its link says so.
    fn is(&self, descriptor: i32) -> bool {
        fs::read_link(format!("/proc/self/fd/{descriptor}")).is_ok_and(|target| target == self.path)
    }

    /// Whether this process holds a lock on one of `bytes`.
    fn holds(&self, bytes: std::ops::RangeInclusive<u64>, exclusive: bool) -> bool {
        let shows = |descriptor: i32| {
            self.is(descriptor)
                && locks_of(descriptor).is_some_and(|text| {
                    text.lines().filter_map(posix_lock).any(|lock| {
                        lock.first <= *bytes.end()
                            && lock.last >= *bytes.start()
                            && (lock.exclusive || !exclusive)
                    })
                })
        };
        let known = self.descriptor.load(Ordering::Relaxed);
        if known >= 0 && shows(known) {
            return true;
        }
        // SQLite keeps a lock on whichever connection took it first, so it may have moved.
        match descriptors().into_iter().find(|descriptor| shows(*descriptor)) {
            Some(descriptor) => {
                self.descriptor.store(descriptor, Ordering::Relaxed);
                true
            }
            None => false,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct PosixLock {
    exclusive: bool,
    first: u64,
    last: u64,
}

/// Reads one `lock:` line; other lines and other kinds of lock give `None`.
fn posix_lock(line: &str) -> Option<PosixLock> {
    let mut words = line.strip_prefix("lock:")?.split_whitespace().skip(1);
    let kind = words.next()?;
    let mode = words.nth(1)?;
    let first = words.nth(2)?.parse().ok()?;
    let last = words.next()?;
    let last = if last == "EOF" { u64::MAX } else { last.parse().ok()? };
    (kind == "POSIX").then_some(PosixLock { exclusive: mode == "WRITE", first, last })
}

fn locks_of(descriptor: i32) -> Option<String> {
    fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).ok()
}

fn descriptors() -> Vec<i32> {
    let Ok(entries) = fs::read_dir(DESCRIPTORS) else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_mapping_is_counted_and_a_second_region_is_not() {
        let line = |offset: &str, path: &str| {
            format!("7f49a2ce1000-7f49a2ce9000 rw-s {offset} fe:00 10158107                   {path}\n")
        };
        let one =
            line("00000000", "/d/a.db-shm") + &line("00008000", "/d/a.db-shm") + &line("00000000", "/d/a.db");
        let shm = Path::new("/d/a.db-shm");
        assert_eq!(mapped(one.as_bytes(), shm), 1);
        assert_eq!(count(one.as_bytes()), 3);
        let below = one.clone() + &line("00000000", "/b/d/a.db-shm");
        assert_eq!(mapped(below.as_bytes(), shm), 1, "a file whose path only ends so is another one");
        assert_eq!(mapped((one + &line("00000000", "/d/a.db-shm")).as_bytes(), shm), 2);
    }

    #[test]
    fn lock_lines_are_read_as_proc_writes_them() {
        let line = "lock:\t1: POSIX  ADVISORY  WRITE 8335 fe:00:10158107 120 121";
        assert_eq!(posix_lock(line), Some(PosixLock { exclusive: true, first: 120, last: 121 }));
        let line = "lock:\t12: POSIX  ADVISORY  READ 8335 fe:00:10158105 1073741826 EOF";
        assert_eq!(posix_lock(line), Some(PosixLock { exclusive: false, first: SHARED, last: u64::MAX }));
        for other in
            ["pos:\t0", "lock:\t1: FLOCK  ADVISORY  WRITE 1 fe:00:1 0 EOF", "lock:", "lock:\t1: POSIX"]
        {
            assert_eq!(posix_lock(other), None, "{other}");
        }
    }
}
