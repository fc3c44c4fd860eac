//! Files that a call writes: all of a file or nothing, and never over what the call reads or the database itself.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use leadcore::error::{Error, ErrorKind, Result, ViolationCode};
use pyo3::prelude::*;

use crate::convert::check_path;

/// So many links are followed from one to the next.
const MOST_LINKS: usize = 40;

/// Which file it is, by whatever path it is named: links lead to the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Device and number on it, of a file that is there.
    place: Option<(u64, u64)>,
    /// Where it is, links resolved; none of a file that is only open.
    path: Option<PathBuf>,
}

impl Identity {
    /// The file of this path; none where there cannot be one.
    fn of_path(path: &Path) -> Option<Self> {
        let place = fs::metadata(path).ok().as_ref().and_then(place_of);
        let target = target_of(path).ok();
        (place.is_some() || target.is_some()).then_some(Self { place, path: target })
    }

    /// The file behind an object of Python, where it has one.
    pub(crate) fn of_object(object: &Bound<'_, PyAny>) -> Option<Self> {
        // It would move its content out of memory to have a number, and its file is nobody else's.
        let spool = object.py().import("tempfile").and_then(|module| module.getattr("SpooledTemporaryFile"));
        if spool.is_ok_and(|spool| object.is_instance(&spool).unwrap_or(false)) {
            return None;
        }
        let number = object.call_method0("fileno").ok()?;
        let status = object.py().import("os").ok()?.call_method1("fstat", (number,)).ok()?;
        let read = |name: &str| status.getattr(name).ok()?.extract::<u64>().ok();
        let place = (read("st_dev")?, read("st_ino")?);
        (cfg!(unix) && place.1 != 0).then_some(Self { place: Some(place), path: None })
    }

    fn is(&self, other: &Self) -> bool {
        self.place.is_some() && self.place == other.place || self.path.is_some() && self.path == other.path
    }
}

#[cfg(unix)]
fn place_of(known: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    // A terminal or a pipe may be read and written in one call.
    known.is_file().then(|| (known.dev(), known.ino()))
}

#[cfg(not(unix))]
fn place_of(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// The path with links resolved, also where nothing is there yet.
fn target_of(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        done => return done,
    }
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&path) else { break };
        path = folder_of(&path).join(next);
    }
    let name = path.file_name().ok_or(io::ErrorKind::NotFound)?;
    Ok(fs::canonicalize(folder_of(&path))?.join(name))
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// What lies beside a database: the log and the index of SQLite, its journal, and the two locks of ours.
const BESIDE: [&str; 5] = ["-wal", "-shm", "-journal", "-lock", "-next"];
/// What a database of SQLite begins with (sqlite.org/fileformat.html, section 1.3.1).
const MAGIC: &[u8] = b"SQLite format 3\0";

/// The path of what lies beside a file under its whole name and this ending.
fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut beside = file.as_os_str().to_owned();
    beside.push(ending);
    PathBuf::from(beside)
}

/// Whether this process holds a lock on this file, which closing it would drop: SQLite does for as long as it has a database
/// in WAL mode open, under whatever name. Asking opens nothing of it.
#[cfg(target_os = "linux")]
fn is_locked_here(file: &Path) -> bool {
    let Some(place) = fs::metadata(file).ok().as_ref().and_then(place_of) else { return false };
    let Ok(descriptors) = fs::read_dir("/proc/self/fd") else { return false };
    let is_it = |path: &Path| fs::metadata(path).is_ok_and(|known| place_of(&known) == Some(place));
    descriptors.flatten().filter(|descriptor| is_it(&descriptor.path())).any(|descriptor| {
        // `lock: 1: POSIX ADVISORY READ …` (proc(5)).
        let told = fs::read_to_string(Path::new("/proc/self/fdinfo").join(descriptor.file_name()));
        told.is_ok_and(|told| told.contains("POSIX"))
    })
}

#[cfg(not(target_os = "linux"))]
fn is_locked_here(_: &Path) -> bool {
    false
}

/// Whether files beside this one, or locks on it, say that it is a database, perhaps an open one.
fn looks_held(file: &Path) -> bool {
    if is_locked_here(file) {
        return true;
    }
    let Ok(file) = target_of(file) else { return false };
    let is_there = |ending| fs::symlink_metadata(with_ending(&file, ending)).is_ok();
    ["-wal", "-shm", "-journal"].into_iter().any(is_there) || is_there("-lock") && is_there("-next")
}

/// Whether this file is a database. One that may be open is not looked into: to close it again would drop the locks that
/// this process has on it.
fn is_database(path: &Path) -> bool {
    if !fs::metadata(path).is_ok_and(|known| known.is_file()) {
        return false;
    }
    let begins = || {
        let mut head = Vec::with_capacity(MAGIC.len());
        let read = File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut head));
        read.is_ok() && head == MAGIC
    };
    looks_held(path) || begins()
}

/// The files beside which this one lies if they are databases.
fn beside_what(path: &Path) -> Vec<PathBuf> {
    let Some((folder, name)) = target_of(path)
        .ok()
        .as_deref()
        .and_then(|path| Some((path.parent()?.to_owned(), path.file_name()?.to_str()?.to_owned())))
    else {
        return Vec::new();
    };
    let names = BESIDE.iter().filter_map(|ending| name.strip_suffix(ending));
    names.map(|name| folder.join(name)).collect()
}

/// What a call must not write over.
#[derive(Debug, Default)]
pub(crate) struct Untouchable {
    files: Vec<(Identity, String)>,
    folder: Option<PathBuf>,
}

impl Untouchable {
    /// The open database, what lies beside it, and the folder of its files.
    pub(crate) fn database(path: Option<&Path>, files_in: Option<&Path>) -> Self {
        let mut kept = Self::default();
        if let Some(path) = path {
            kept.path("the database", path);
            for ending in BESIDE {
                kept.path("a part of the database", &with_ending(path, ending));
            }
        }
        kept.folder = files_in.and_then(|folder| fs::canonicalize(folder).ok());
        kept
    }

    /// The file of this path, called so.
    pub(crate) fn path(&mut self, what: &str, path: &Path) {
        self.file(what, Identity::of_path(path));
    }

    /// This file, called so.
    pub(crate) fn file(&mut self, what: &str, file: Option<Identity>) {
        self.files.extend(file.map(|file| (file, what.to_owned())));
    }

    /// Refuses a file to be written that is one of these, or any other database; then it is one of these itself.
    pub(crate) fn check(&mut self, at: &str, path: &Path) -> Result<()> {
        check_path(at, path)?;
        let Some(file) = Identity::of_path(path) else { return Ok(()) };
        if self.folder.as_ref().zip(file.path.as_ref()).is_some_and(|(folder, path)| path.starts_with(folder))
        {
            return Err(Self::refusal(at, "lies in the folder of the database's files"));
        }
        self.check_file(at, file)?;
        // The database itself, under whatever name, is not looked into.
        let is_own = |path: &Path| Identity::of_path(path).is_some_and(|file| self.own(&file).is_some());
        if is_database(path) || beside_what(path).iter().any(|path| is_own(path) || is_database(path)) {
            return Err(Self::refusal(at, "is a database of SQLite or a part of one"));
        }
        Ok(())
    }

    /// As [`check`](Self::check), of an object of Python that is written to.
    pub(crate) fn check_object(&mut self, at: &str, object: &Bound<'_, PyAny>) -> Result<()> {
        Identity::of_object(object).map_or(Ok(()), |file| self.check_file(at, file))
    }

    fn check_file(&mut self, at: &str, file: Identity) -> Result<()> {
        if let Some(what) = self.own(&file) {
            return Err(Self::refusal(at, &format!("is {what}")));
        }
        self.files.push((file, format!("the file of `{at}`")));
        Ok(())
    }

    /// Refuses a file to be read that is one of these, or may be another open database, without opening it: to close it again
    /// would drop the locks by which SQLite holds it for this process.
    pub(crate) fn check_read(&self, at: &str, path: &Path) -> Result<()> {
        check_path(at, path)?;
        let Some(file) = Identity::of_path(path) else { return Ok(()) };
        let is_held = || file.place.is_some() && looks_held(path);
        let is = self.own(&file).or_else(|| is_held().then_some("a database of SQLite"));
        is.map_or(Ok(()), |is| Err(Self::unreadable(at, is)))
    }

    /// As [`check_read`](Self::check_read), of an object of Python that is read.
    pub(crate) fn check_read_object(&self, at: &str, object: &Bound<'_, PyAny>) -> Result<()> {
        let file = Identity::of_object(object);
        file.and_then(|file| self.own(&file)).map_or(Ok(()), |is| Err(Self::unreadable(at, is)))
    }

    /// What this file is, where it is one of these.
    fn own(&self, file: &Identity) -> Option<&str> {
        self.files.iter().find(|(known, _)| known.is(file)).map(|(_, what)| what.as_str())
    }

    fn unreadable(at: &str, is: &str) -> Error {
        let message = format!("the file to be read is {is}: nothing was read or written");
        Error::invalid_field(at, ViolationCode::NotAllowed, message)
    }

    fn refusal(at: &str, why: &str) -> Error {
        let message = format!("the file to be written {why}: nothing was read or written");
        Error::invalid_field(at, ViolationCode::NotAllowed, message)
    }
}

/// The error of a file that cannot be written.
pub(crate) fn unwritable(at: &str, path: &Path, error: io::Error) -> Error {
    let message = format!("`{at}`: cannot write {}: {error}", path.display());
    Error::new(ErrorKind::Storage, message).with_source(error)
}

/// A file that is written beside the one it takes the place of when it is whole. Let go before, it leaves that as it was.
#[derive(Debug)]
pub(crate) struct Replacement {
    at: &'static str,
    path: PathBuf,
    /// What it is written to, and what that becomes; none for a device or pipe, which is written as it is.
    beside: Option<(PathBuf, PathBuf)>,
    file: File,
}

impl Replacement {
    pub(crate) fn create(at: &'static str, path: &Path) -> Result<Self> {
        check_path(at, path)?;
        let fail = |error| unwritable(at, path, error);
        let made = |beside, file| Self { at, path: path.to_owned(), beside, file };
        let known = match fs::metadata(path) {
            Ok(known) => Some(known),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(fail(error)),
        };
        if let Some(known) = &known {
            // Says what may not be written, as if it were.
            let opened = OpenOptions::new().write(true).open(path).map_err(fail)?;
            if !known.is_file() {
                return Ok(made(None, opened));
            }
        }
        let target = target_of(path).map_err(fail)?;
        let (temporary, file) = beside(&target).map_err(|error| {
            let said = format!("its folder takes no new file, and it is only written whole: {error}");
            fail(io::Error::new(error.kind(), said))
        })?;
        let new = made(Some((temporary, target)), file);
        if let Some(known) = known {
            new.file.set_permissions(known.permissions()).map_err(fail)?;
        }
        Ok(new)
    }

    /// Puts the file, which is whole, in its place.
    pub(crate) fn put(mut self) -> Result<()> {
        let Some((temporary, target)) = &self.beside else { return Ok(()) };
        let put = self.file.sync_all().and_then(|()| fs::rename(temporary, target));
        put.map_err(|error| unwritable(self.at, &self.path, error))?;
        self.beside = None;
        Ok(())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if let Some((temporary, _)) = &self.beside {
            // Nobody was told of it.
            let _ = fs::remove_file(temporary);
        }
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// So much of a file's name is a part of the name of what is written beside it.
const MOST_OF_A_NAME: usize = 150;

/// What the names of files that are written beside this one begin with.
fn beginning_of(target: &Path) -> String {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let mut end = name.len().min(MOST_OF_A_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!(".leadcore-{}-", name.get(..end).unwrap_or_default())
}

/// A new file in the same folder, which is locked as long as it is written. What a program that was killed left there of an
/// earlier one goes.
fn beside(target: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let (folder, beginning) = (folder_of(target), beginning_of(target));
    remove_left_over(&folder, &beginning);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{beginning}{}-{number}.part", std::process::id()));
        let file = match File::create_new(&path) {
            // Left over by a program that was killed and had this number, where files cannot be locked.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            made => made?,
        };
        // Where it is taken for left over before it is locked, another one is made.
        let is_ours = !matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        if is_ours && fs::symlink_metadata(&path).is_ok() {
            return Ok((path, file));
        }
    }
}

/// Removes the parts that nobody writes any more: whoever does holds a lock on his. Where files cannot be locked, they stay.
fn remove_left_over(folder: &Path, beginning: &str) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(beginning)) else { continue };
        let Some((process, number)) = rest.strip_suffix(".part").and_then(|rest| rest.split_once('-')) else {
            continue;
        };
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_file || !is_number(process) || !is_number(number) {
            continue;
        }
        let opened = OpenOptions::new().write(true).open(entry.path());
        if let Ok(file) = opened
            && file.try_lock().is_ok()
        {
            // Another one may have been quicker.
            let _ = fs::remove_file(entry.path());
        }
    }
}
