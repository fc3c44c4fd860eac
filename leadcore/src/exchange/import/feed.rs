//! Reading and understanding rows on a thread of its own, while the one that imports writes.

use std::io::{Read, Seek};
use std::panic;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::records::{Chunk, Rows};
use crate::error::{Error, ErrorKind, Result};

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// The thread that writes, in turns.
    Here,
    /// A thread of its own: one chunk is made while the one before is written, and no more than that.
    Apart,
}

/// Below this size a file is read faster than a thread starts.
const SMALL: u64 = 256 * 1024;

impl Reading {
    pub(super) const fn of(bytes: u64) -> Self {
        if bytes < SMALL { Self::Here } else { Self::Apart }
    }
}

/// Does `work` with a source of chunks. However it ends, nothing reads any more when this returns; what panicked while
/// reading panics here.
pub(super) fn feed<R: Read + Seek + Send, T>(
    mut rows: Rows<'_, R>,
    (most, keep): (usize, bool),
    reading: Reading,
    work: impl FnOnce(&mut dyn FnMut() -> Result<Chunk>) -> Result<T>,
) -> Result<T> {
    if reading == Reading::Here {
        return work(&mut || rows.next_chunk(most, keep));
    }
    // The lock is taken once, by whoever reads: the new thread, or this one where there can be no other.
    let rows = Mutex::new(rows);
    thread::scope(|scope| {
        // Without room of its own: a chunk waits in the hands of its maker.
        let (sender, receiver) = sync_channel(0);
        let rows = &rows;
        let reader = move || {
            let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                let chunk = rows.next_chunk(most, keep);
                let is_last = chunk.as_ref().map_or(true, |chunk| chunk.end);
                // Nobody takes it where the import ended early.
                if sender.send(chunk).is_err() || is_last {
                    return;
                }
            }
        };
        let spawned = thread::Builder::new().name("leadcore-import".to_owned()).spawn_scoped(scope, reader);
        let Ok(reader) = spawned else {
            let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
            return work(&mut || rows.next_chunk(most, keep));
        };
        let done = work(&mut || receiver.recv().unwrap_or_else(|_| Err(ended())));
        drop(receiver);
        match reader.join() {
            Ok(()) => done,
            Err(panicked) => panic::resume_unwind(panicked),
        }
    })
}

fn ended() -> Error {
    Error::new(ErrorKind::Internal, "the file is not read any more")
}
