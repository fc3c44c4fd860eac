//! Files and their content, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::{ContentHash, FileRecord, Subject};
use crate::error::{Conflict, Error, Result};
use crate::id::FileId;
use crate::store::{Blobs, Files, KeptFile, Upload};

use super::{MemoryTxn, State, check_revision, exists, previous};

fn check_content(state: &State, files: &[FileRecord]) -> Result<()> {
    let there = files.iter().all(|file| state.blobs.contains_key(&file.hash));
    if there { Ok(()) } else { Err(Error::not_found("content")) }
}

fn uses_of(state: &State, content: &ContentHash) -> u64 {
    let files = state.files.values().map(|file| &file.hash);
    let all = files.chain(state.kept.values()).filter(|hash| *hash == content);
    u64::try_from(all.count()).unwrap_or(u64::MAX)
}

impl Files for MemoryTxn {
    fn insert(&mut self, files: &[FileRecord]) -> Result<()> {
        let state = self.writable()?;
        let ids: BTreeSet<_> = files.iter().map(|file| file.id).collect();
        if ids.len() < files.len() || ids.iter().any(|id| state.files.contains_key(id)) {
            return Err(exists("file", "id"));
        }
        check_content(state, files)?;
        Arc::make_mut(&mut state.files).extend(files.iter().map(|file| (file.id, file.clone())));
        Ok(())
    }

    fn update(&mut self, files: &[FileRecord]) -> Result<()> {
        let state = self.writable()?;
        let mut map = BTreeMap::clone(&state.files);
        for file in files {
            let stored = map.get(&file.id).ok_or_else(|| Error::not_found("file"))?;
            check_revision("file", stored.revision, previous(file.revision))?;
            map.insert(file.id, file.clone());
        }
        check_content(state, files)?;
        state.files = Arc::new(map);
        Ok(())
    }

    fn get(&mut self, ids: &[FileId]) -> Result<Vec<FileRecord>> {
        Ok(ids.iter().filter_map(|id| self.state.files.get(id)).cloned().collect())
    }

    fn remove(&mut self, ids: &[FileId]) -> Result<()> {
        let files = Arc::make_mut(&mut self.writable()?.files);
        ids.iter().for_each(|id| drop(files.remove(id)));
        Ok(())
    }

    fn uses(&mut self, contents: &[ContentHash]) -> Result<Vec<bool>> {
        Ok(contents.iter().map(|content| uses_of(&self.state, content) > 0).collect())
    }

    fn keep(&mut self, kept: &[KeptFile]) -> Result<()> {
        let state = self.writable()?;
        if kept.iter().any(|kept| !kept.of.is_empty() && !state.blobs.contains_key(&kept.content)) {
            return Err(Error::not_found("content"));
        }
        let known = Arc::make_mut(&mut state.kept);
        for kept in kept {
            known.retain(|(_, file), _| *file != kept.file);
            known.extend(kept.of.iter().map(|of| ((*of, kept.file), kept.content)));
        }
        Ok(())
    }

    fn release(&mut self, of: &[Subject]) -> Result<Vec<ContentHash>> {
        let known = Arc::make_mut(&mut self.writable()?.kept);
        let of: BTreeSet<_> = of.iter().collect();
        let mut released = BTreeSet::new();
        known.retain(|(subject, _), content| {
            let goes = of.contains(subject);
            if goes {
                released.insert(*content);
            }
            !goes
        });
        Ok(released.into_iter().collect())
    }
}

impl Blobs for MemoryTxn {
    fn begin(&mut self) -> Result<Upload> {
        let uploads = &mut self.writable()?.uploads;
        let next = uploads.last_key_value().map_or(0, |(last, _)| last.number()).saturating_add(1);
        uploads.insert(Upload::new(next), Vec::new());
        Ok(Upload::new(next))
    }

    fn append(&mut self, upload: Upload, bytes: &[u8]) -> Result<()> {
        let uploads = &mut self.writable()?.uploads;
        let written = uploads.get_mut(&upload).ok_or_else(|| Error::not_found("upload"))?;
        written.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self, upload: Upload, hash: &ContentHash) -> Result<()> {
        let state = self.writable()?;
        let written = state.uploads.remove(&upload).ok_or_else(|| Error::not_found("upload"))?;
        Arc::make_mut(&mut state.blobs).entry(*hash).or_insert_with(|| written.into());
        Ok(())
    }

    fn size(&mut self, hash: &ContentHash) -> Result<Option<u64>> {
        Ok(self.state.blobs.get(hash).map(|bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX)))
    }

    fn read(&mut self, hash: &ContentHash, offset: u64, max: usize) -> Result<Vec<u8>> {
        let bytes = self.state.blobs.get(hash).ok_or_else(|| Error::not_found("content"))?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(bytes.iter().skip(offset).take(max).copied().collect())
    }

    fn remove(&mut self, contents: &[ContentHash]) -> Result<()> {
        let state = self.writable()?;
        for content in contents {
            let by = uses_of(state, content);
            if by > 0 {
                return Err(Error::conflicting("content", Conflict::InUse { by }));
            }
        }
        let blobs = Arc::make_mut(&mut state.blobs);
        contents.iter().for_each(|content| drop(blobs.remove(content)));
        Ok(())
    }
}
