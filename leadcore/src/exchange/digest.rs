//! The fingerprint by which an import knows a file it has seen before.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use crate::domain::ContentHash;

/// What identifies a file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileDigest {
    /// SHA-256 of all bytes, 64 lower-case hex digits: what `sha256sum`, PostgreSQL's `sha256()` and Python's
    /// `hashlib` print too.
    pub sha256: String,
    /// How many bytes were read.
    pub bytes: u64,
}

/// Reads `reader` to its end and fingerprints it in constant memory. Rewinding is the caller's job.
///
/// ```
/// let digest = leadcore::exchange::digest(&b"abc"[..])?;
/// assert_eq!(digest.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
/// assert_eq!(digest.bytes, 3);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// Whatever reading fails with.
pub fn digest(mut reader: impl Read) -> io::Result<FileDigest> {
    let mut hasher = Sha256::new();
    let mut chunk = vec![0_u8; 64 * 1024];
    let mut bytes = 0_u64;
    loop {
        let n = match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(chunk.get(..n).unwrap_or_default());
        bytes += n as u64;
    }
    let hash = ContentHash::from_bytes(hasher.finalize().into());
    Ok(FileDigest { sha256: hash.to_string(), bytes })
}

/// Only the hex digits of [`digest`].
///
/// # Errors
/// Whatever reading fails with.
pub fn sha256_hex(reader: impl Read) -> io::Result<String> {
    Ok(digest(reader)?.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_the_published_one() {
        let digest = digest(io::empty()).unwrap();
        assert_eq!(digest.sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(digest.bytes, 0);
    }

    #[test]
    fn a_million_a_over_many_chunks_is_the_published_one() {
        let digest = digest(io::repeat(b'a').take(1_000_000)).unwrap();
        assert_eq!(digest.sha256, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
        assert_eq!(digest.bytes, 1_000_000);
    }
}
