//! Contents of files in a directory: `dir/ab/cdef…`, by their hash and nothing else.
//!
//! A content is written to a temporary file, made safe on disk, and renamed, all before the transaction commits: a row never
//! refers to bytes that are not there. Bytes are removed after the commit that dropped their last row, by a transaction of
//! its own that looks again: while it holds the database's write lock nobody adds the same content. So whatever dies in
//! between leaves bytes that no row refers to, at worst, and a sweep finds those.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use leadcore::domain::ContentHash;
use leadcore::error::{Error, ErrorKind, Result};
use rusqlite::Connection;

use crate::error::StoreResult as _;
use crate::repo::no_directory;
use crate::txn::with_prefix;

/// The file that says to which database the directory belongs.
const OWNER: &str = "leadcore-files";
/// What names of temporary files begin with.
const TEMPORARY: &str = "tmp-";
/// Temporary files that nobody wrote to for so long were left over.
const LEFT_OVER: Duration = Duration::from_secs(3_600);

/// Failures of the directory never name it: what it holds is the host's business, where it is may be too.
fn failed(error: io::Error, what: &'static str) -> Error {
    let sentence = match error.kind() {
        io::ErrorKind::StorageFull => "the disk is full",
        io::ErrorKind::PermissionDenied => "access was refused",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        _ => "the directory of the files failed",
    };
    Error::new(ErrorKind::Storage, format!("{what}: {sentence}")).with_source(error)
}

/// The directory.
#[derive(Debug, Clone)]
pub(crate) struct Vault {
    dir: PathBuf,
}

impl Vault {
    /// The directory at `dir`, made when it is not there and may be.
    pub(crate) fn open(dir: &Path, create: bool) -> Result<Self> {
        if create {
            fs::create_dir_all(dir).map_err(|error| failed(error, "open the directory of files"))?;
        }
        let dir = fs::canonicalize(dir).map_err(|error| failed(error, "open the directory of files"))?;
        if !dir.is_dir() {
            return Err(Error::new(ErrorKind::Storage, "the place for files is no directory"));
        }
        Ok(Self { dir })
    }

    /// Refuses a directory that holds the files of another database: a sweep would take them for left over. An empty one
    /// becomes that of this database. Says whether that is settled; if not, it takes a connection that may write.
    pub(crate) fn belongs_to(&self, conn: &Connection, prefix: &str, may_write: bool) -> Result<bool> {
        let select = with_prefix("SELECT lower(hex(id)) FROM leadcore_blob_directory", prefix);
        let known = conn
            .prepare(&select)
            .and_then(|mut statement| {
                statement.query_map([], |row| row.get::<_, String>(0))?.next().transpose()
            })
            .store("find the directory of files")?;
        let owner = match fs::read_to_string(self.dir.join(OWNER)) {
            Ok(owner) => Some(owner.trim().to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error, "open the directory of files")),
        };
        if known.is_some() && known == owner {
            return Ok(true);
        }
        if !self.prefixes()?.is_empty() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the directory holds the files of another database",
            ));
        }
        if !may_write {
            return Ok(false);
        }
        let id = match known {
            Some(id) => id,
            None => {
                let insert =
                    with_prefix("INSERT INTO leadcore_blob_directory (id) VALUES (randomblob(16))", prefix);
                conn.execute(&insert, []).store("make the directory of files ours")?;
                conn.query_row(&select, [], |row| row.get(0)).store("make the directory of files ours")?
            }
        };
        let mut mark = self.temporary()?;
        mark.write(id.as_bytes())?;
        mark.rename(&self.dir.join(OWNER))?;
        sync_dir(&self.dir)?;
        Ok(true)
    }

    fn place(&self, hash: &ContentHash) -> (PathBuf, String) {
        let mut text = hash.to_string();
        let rest = text.split_off(2);
        (self.dir.join(text), rest)
    }

    fn temporary(&self) -> Result<Partial> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = self.dir.join(format!("{TEMPORARY}{}-{n}", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Partial { path, file, kept: false }),
                // Left over from a process that had this number before.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error, "begin a content")),
            }
        }
    }

    fn keep(&self, partial: Partial, hash: &ContentHash) -> Result<()> {
        let (folder, name) = self.place(hash);
        match fs::create_dir(&folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error, "end a content")),
        }
        // Also where the folder was there: whoever made it may have died before it was safe.
        sync_dir(&self.dir)?;
        partial.rename(&folder.join(name))?;
        sync_dir(&folder)
    }

    fn bytes_of(&self, hash: &ContentHash) -> Result<File> {
        let (folder, name) = self.place(hash);
        File::open(folder.join(name)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                let message = "the content of a file is missing from the directory; nothing was changed";
                Error::new(ErrorKind::Corrupt, message).with_source(error)
            }
            _ => failed(error, "read a content"),
        })
    }

    /// Removes the bytes, and says how many there were; what is not there is passed over.
    fn remove(&self, hash: &ContentHash) -> Result<Option<u64>> {
        let (folder, name) = self.place(hash);
        let path = folder.join(name);
        let size = fs::symlink_metadata(&path).map(|known| known.len());
        match size.and_then(|size| fs::remove_file(&path).map(|()| size)) {
            Ok(size) => Ok(Some(size)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error, "remove a content")),
        }
    }

    /// The folders `00` to `ff` that are there.
    fn prefixes(&self) -> Result<Vec<String>> {
        let names = names_in(&self.dir)?;
        let hex =
            |name: &String| name.len() == 2 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        Ok(names.into_iter().filter(hex).collect())
    }

    /// Every content that has bytes here. Files of other names are not ours and left alone.
    pub(crate) fn contents(&self) -> Result<Vec<ContentHash>> {
        let mut found = Vec::new();
        for prefix in self.prefixes()? {
            for name in names_in(&self.dir.join(&prefix))? {
                let text = format!("{prefix}{name}");
                found.extend(text.parse::<ContentHash>().ok().filter(|hash| hash.to_string() == text));
            }
        }
        Ok(found)
    }

    /// Removes temporary files that were left over, and says how many.
    pub(crate) fn remove_left_over(&self) -> Result<u64> {
        let mut removed = 0_u64;
        for name in names_in(&self.dir)?.into_iter().filter(|name| name.starts_with(TEMPORARY)) {
            let path = self.dir.join(name);
            let written = fs::symlink_metadata(&path).and_then(|known| known.modified());
            let age = written.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
            if age.is_some_and(|age| age >= LEFT_OVER) {
                match fs::remove_file(&path) {
                    Ok(()) => removed = removed.saturating_add(1),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(failed(error, "remove a left-over file")),
                }
            }
        }
        Ok(removed)
    }

    /// Removes the bytes of those of these contents that no row refers to, whoever's. The connection holds the write lock.
    pub(crate) fn remove_unused(
        &self,
        conn: &Connection,
        prefix: &str,
        contents: &[ContentHash],
    ) -> Result<(u64, u64)> {
        let sql = with_prefix("SELECT 1 FROM leadcore_blob WHERE hash = ? AND outside = 1", prefix);
        let mut statement = conn.prepare_cached(&sql).store("look for a content")?;
        let (mut removed, mut bytes) = (0_u64, 0_u64);
        for content in contents {
            if !statement.exists([content.as_bytes().as_slice()]).store("look for a content")?
                && let Some(size) = self.remove(content)?
            {
                removed = removed.saturating_add(1);
                bytes = bytes.saturating_add(size);
            }
        }
        Ok((removed, bytes))
    }
}

fn names_in(dir: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
        Err(error) => return Err(failed(error, "look through the directory of files")),
    };
    for entry in entries {
        let entry = entry.map_err(|error| failed(error, "look through the directory of files"))?;
        // A name that is no text is none of ours.
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// Makes renames in a directory safe. Where directories cannot be opened (Windows) the file system sees to it.
fn sync_dir(dir: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| failed(error, "end a content"))?;
    }
    Ok(())
}

/// A temporary file, which goes unless it is renamed.
#[derive(Debug)]
struct Partial {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Partial {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| failed(error, "add to a content"))
    }

    fn rename(mut self, to: &Path) -> Result<()> {
        self.file.sync_all().map_err(|error| failed(error, "end a content"))?;
        fs::rename(&self.path, to).map_err(|error| failed(error, "end a content"))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.kept {
            // Should it stay, the sweep finds it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What one transaction does in the directory, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    vault: Option<Vault>,
    open: BTreeMap<i64, Partial>,
    /// The content that was read last, so that a stream opens its file once, and reads on when another process removes it.
    reading: Option<(ContentHash, File)>,
    touched: BTreeSet<ContentHash>,
}

impl Outside {
    pub(crate) fn of(vault: Option<Vault>) -> Self {
        Self { vault, ..Self::default() }
    }

    /// Whether new contents go into the directory.
    pub(crate) const fn is_open(&self) -> bool {
        self.vault.is_some()
    }

    fn vault(&self) -> Result<&Vault> {
        self.vault.as_ref().ok_or_else(no_directory)
    }

    pub(crate) fn begin(&mut self, upload: i64) -> Result<()> {
        let partial = self.vault()?.temporary()?;
        self.open.insert(upload, partial);
        Ok(())
    }

    pub(crate) fn append(&mut self, upload: i64, bytes: &[u8]) -> Result<()> {
        self.open.get_mut(&upload).ok_or_else(|| Error::not_found("upload"))?.write(bytes)
    }

    pub(crate) fn keep(&mut self, upload: i64, hash: &ContentHash) -> Result<()> {
        let partial = self.open.remove(&upload).ok_or_else(|| Error::not_found("upload"))?;
        // Should the transaction fail, somebody has to look whether these bytes are needed.
        self.touched.insert(*hash);
        self.vault()?.keep(partial, hash)
    }

    pub(crate) fn abandon(&mut self, upload: i64) {
        self.open.remove(&upload);
    }

    pub(crate) fn read(&mut self, hash: &ContentHash, offset: u64, end: u64) -> Result<Vec<u8>> {
        let mut file = match self.reading.take() {
            Some((known, file)) if known == *hash => file,
            _ => self.vault()?.bytes_of(hash)?,
        };
        let wanted = end.saturating_sub(offset);
        let mut bytes = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| (&mut file).take(wanted).read_to_end(&mut bytes))
            .map_err(|error| failed(error, "read a content"))?;
        self.reading = Some((*hash, file));
        if u64::try_from(bytes.len()).is_ok_and(|read| read == wanted) {
            Ok(bytes)
        } else {
            let message = "the content of a file is shorter than it was; nothing was changed";
            Err(Error::new(ErrorKind::Corrupt, message))
        }
    }

    /// Bytes that may be needed no more, when the transaction is through.
    pub(crate) fn touched(&mut self, content: &ContentHash) {
        self.touched.insert(*content);
    }

    pub(crate) fn take_touched(&mut self) -> BTreeSet<ContentHash> {
        std::mem::take(&mut self.touched)
    }
}
