//! The ports for files and their content.

use crate::domain::{Actor, ContentHash, FileFields, FileRecord, Subject};
use crate::error::{Conflict, Error, ErrorKind, Result};
use crate::id::{FileId, LeadId, Revision};
use crate::store::{Blobs, KeptFile, Store, StoreExt, Txn};

use super::super::fixtures::{World, storable_texts};
use super::{assert_kind, assert_stale, refused};

/// What stores may cut contents at.
const PIECE: usize = 256 * 1024;

/// Stores believe what they are told: any 32 bytes are a hash.
fn hash(n: u8) -> ContentHash {
    ContentHash::from_bytes([n; 32])
}

/// Bytes that are different at every place near a boundary.
fn content(len: usize) -> Vec<u8> {
    (0..len).map(|n| u8::try_from((n * 31 + n / 251) % 256).unwrap()).collect()
}

fn upload(txn: &mut dyn Txn, hash: &ContentHash, pieces: &[&[u8]]) -> Result<()> {
    let upload = txn.blobs().begin()?;
    for piece in pieces {
        txn.blobs().append(upload, piece)?;
    }
    txn.blobs().finish(upload, hash)
}

fn whole(blobs: &mut dyn Blobs, hash: &ContentHash, step: usize) -> Result<Vec<u8>> {
    let mut read = Vec::new();
    loop {
        let part = blobs.read(hash, u64::try_from(read.len()).unwrap(), step)?;
        if part.is_empty() {
            return Ok(read);
        }
        assert!(part.len() <= step, "no more than was asked for");
        read.extend(part);
    }
}

fn file(world: &World, name: &str, hash: ContentHash) -> FileRecord {
    let at = world.scene.clock_now();
    FileRecord {
        id: FileId::from_uuid(world.scene.uuid()),
        revision: Revision::FIRST,
        about: vec![Subject::from(LeadId::from_uuid(world.scene.uuid())), world.account.into()],
        fields: FileFields { name: name.to_owned(), description: Some("what it says".to_owned()) },
        media_type: "text/csv".to_owned(),
        size: 3,
        hash,
        created_by: world.scene.actor.clone(),
        created_at: at,
        updated_at: at,
    }
}

/// Every field comes back, hostile texts included, in the order asked.
pub fn files_come_back_as_they_were_written(store: &dyn Store) {
    let world = World::install(store);
    world.write(store, |txn| upload(txn, &hash(1), &[b"abc"]));
    let mut files: Vec<_> = storable_texts().map(|text| file(&world, text, hash(1))).collect();
    for (n, file) in files.iter_mut().enumerate() {
        if n % 2 == 0 {
            file.fields.description = None;
            file.created_by = Actor::System;
        }
    }
    world.write(store, |txn| txn.files().insert(&files));
    let ids: Vec<_> = files.iter().rev().map(|file| file.id).collect();
    files.reverse();
    assert_eq!(world.read(store, |txn| txn.files().get(&ids)), files);
    let unknown = FileId::from_uuid(world.scene.uuid());
    assert_eq!(world.read(store, |txn| txn.files().get(&[unknown, ids[0]])), files[..1]);
    world.write(store, |txn| txn.files().remove(&[unknown, ids[0]]));
    assert_eq!(world.read(store, |txn| txn.files().get(&ids)), files[1..]);
}

/// Ids are unique, revisions are kept, and no file is without its content.
pub fn files_keep_their_rules(store: &dyn Store) {
    let world = World::install(store);
    world.write(store, |txn| upload(txn, &hash(1), &[b"abc"]));
    let first = file(&world, "a.csv", hash(1));
    world.write(store, |txn| txn.files().insert(std::slice::from_ref(&first)));
    let second = file(&world, "b.csv", hash(1));
    let why = "a taken id";
    let error = refused(&world, store, why, |txn| txn.files().insert(&[second.clone(), first.clone()]));
    assert_kind(&error, ErrorKind::AlreadyExists, why);
    let why = "a content that is not there";
    let error = refused(&world, store, why, |txn| {
        txn.files().insert(&[second.clone(), file(&world, "c.csv", hash(2))])
    });
    assert_kind(&error, ErrorKind::NotFound, why);
    assert_eq!(world.read(store, |txn| txn.files().get(&[second.id])), [], "one write takes all or nothing");
    let mut next = FileRecord { revision: Revision::new(2), ..first.clone() };
    next.fields.name = "renamed.csv".to_owned();
    let error = refused(&world, store, why, |txn| {
        txn.files().update(&[FileRecord { hash: hash(2), ..next.clone() }])
    });
    assert_kind(&error, ErrorKind::NotFound, why);
    world.write(store, |txn| txn.files().update(std::slice::from_ref(&next)));
    assert_eq!(world.read(store, |txn| txn.files().get(&[first.id])), [next.clone()]);
    let why = "a file that changed since it was read must not be overwritten";
    let error = refused(&world, store, why, |txn| txn.files().update(std::slice::from_ref(&next)));
    assert_stale(&error, Revision::new(1), Revision::new(2), why);
    let why = "an unknown file";
    let error = refused(&world, store, why, |txn| txn.files().update(std::slice::from_ref(&second)));
    assert_kind(&error, ErrorKind::NotFound, why);
}

/// Contents come back byte for byte, however they were cut when they came and however they are read.
pub fn contents_come_back_at_every_boundary(store: &dyn Store) {
    let world = World::install(store);
    let lengths = [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 7];
    for (n, len) in (1_u8..).zip(lengths) {
        let bytes = content(len);
        let cut = len / 3;
        world.write(store, |txn| upload(txn, &hash(n), &[&bytes[..cut], b"", &bytes[cut..]]));
        let size = world.read(store, |txn| txn.blobs().size(&hash(n)));
        assert_eq!(size, Some(u64::try_from(len).unwrap()));
        for step in [1_000, PIECE - 1, PIECE, 3 * PIECE] {
            let read = world.read(store, |txn| whole(txn.blobs(), &hash(n), step));
            assert!(read == bytes, "{len} bytes, {step} at a time");
        }
        for offset in [0, 1, cut.saturating_sub(1), cut, PIECE - 1, PIECE, PIECE + 1, len, len + 1] {
            let at = u64::try_from(offset).unwrap();
            let part = world.read(store, |txn| txn.blobs().read(&hash(n), at, 5));
            let end = (offset + 5).min(len);
            assert_eq!(part, bytes.get(offset..end).unwrap_or_default(), "{len} bytes from {offset} on");
        }
        let behind = world.read(store, |txn| txn.blobs().read(&hash(n), u64::MAX, usize::MAX));
        assert_eq!(behind, [0_u8; 0]);
    }
    let unknown = store.read(&world.scene.tenant, |txn| txn.blobs().read(&hash(99), 0, 5)).unwrap_err();
    assert_kind(&unknown, ErrorKind::NotFound, "a content that nobody wrote");
    assert_eq!(world.read(store, |txn| txn.blobs().size(&hash(99))), None);
}

/// How many need a content, as a removal says that is refused for them; nothing is removed.
fn needed_by(world: &World, store: &dyn Store, n: u8) -> u64 {
    let asked: Result<()> = store.write(&world.scene.tenant, |txn| {
        txn.blobs().remove(&[hash(n)])?;
        Err(Error::not_found("anything that needs it"))
    });
    match asked.unwrap_err().conflict() {
        Some(Conflict::InUse { by }) => *by,
        _ => 0,
    }
}

/// The same content twice is one; it goes when it is removed, which no file may stand against.
pub fn a_content_is_kept_once(store: &dyn Store) {
    let world = World::install(store);
    let files = [file(&world, "a", hash(1)), file(&world, "b", hash(1))];
    world.write(store, |txn| {
        upload(txn, &hash(1), &[b"abc"])?;
        upload(txn, &hash(1), &[b"a", b"bc"])?;
        upload(txn, &hash(2), &[b"other"])?;
        txn.files().insert(&files)
    });
    let uses = |wanted: [u64; 3]| {
        let found = world.read(store, |txn| txn.files().uses(&[hash(2), hash(1), hash(3)]));
        assert_eq!(found, wanted.map(|by| by > 0));
        assert_eq!([2, 1, 3].map(|n| needed_by(&world, store, n)), wanted);
    };
    uses([0, 2, 0]);
    let why = "a content that files have";
    let error = refused(&world, store, why, |txn| txn.blobs().remove(&[hash(2), hash(1)]));
    assert_eq!(error.conflict(), Some(&Conflict::InUse { by: 2 }), "{why}");
    let sizes = || world.read(store, |txn| Ok([txn.blobs().size(&hash(1))?, txn.blobs().size(&hash(2))?]));
    assert_eq!(sizes(), [Some(3), Some(5)], "what was refused must not be done");
    world.write(store, |txn| txn.files().remove(&[files[0].id]));
    uses([0, 1, 0]);
    world.write(store, |txn| {
        txn.files().remove(&[files[1].id])?;
        txn.blobs().remove(&[hash(1), hash(9)])
    });
    uses([0; 3]);
    assert_eq!(sizes(), [None, Some(5)]);
    // What went may come again, as something else as far as the store is concerned.
    world.write(store, |txn| upload(txn, &hash(1), &[b"again"]));
    assert_eq!(world.read(store, |txn| whole(txn.blobs(), &hash(1), 10)), b"again");
}

/// What is kept for a file that may come back stays until the last record that it hung on is released.
pub fn a_content_is_kept_for_what_may_come_back(store: &dyn Store) {
    let world = World::install(store);
    let (file, other) = (file(&world, "a", hash(1)), FileId::from_uuid(world.scene.uuid()));
    let [lead, second]: [Subject; 2] = [LeadId::from_uuid(world.scene.uuid()).into(), world.account.into()];
    let kept = |file: FileId, n: u8, of: &[Subject]| KeptFile { file, content: hash(n), of: of.to_vec() };
    let uses = |wanted: [u64; 2]| {
        let found = world.read(store, |txn| txn.files().uses(&[hash(1), hash(2)]));
        assert_eq!(found, wanted.map(|by| by > 0));
        assert_eq!([1, 2].map(|n| needed_by(&world, store, n)), wanted);
    };
    let release = |of: &[Subject]| {
        let mut released = world.write(store, |txn| txn.files().release(of));
        released.sort();
        released
    };
    world.write(store, |txn| {
        upload(txn, &hash(1), &[b"abc"])?;
        upload(txn, &hash(2), &[b"other"])?;
        txn.files().keep(&[
            kept(file.id, 1, &[lead, second]),
            kept(other, 1, &[lead]),
            kept(other, 2, &[lead]),
        ])
    });
    // For the other file the second content took the place of the first.
    uses([2, 1]);
    let why = "a content that is kept";
    let error = refused(&world, store, why, |txn| txn.blobs().remove(&[hash(2)]));
    assert_eq!(error.conflict(), Some(&Conflict::InUse { by: 1 }), "{why}");
    let why = "a content that is not there";
    let error = refused(&world, store, why, |txn| txn.files().keep(&[kept(file.id, 9, &[lead])]));
    assert_kind(&error, ErrorKind::NotFound, why);
    let elsewhere = store.write(&"globex".parse().unwrap(), |txn| txn.files().release(&[lead]));
    assert_eq!(elsewhere.unwrap(), [], "another tenant keeps nothing for it");
    assert_eq!(release(&[lead, lead]), [hash(1), hash(2)]);
    // The other record keeps the first.
    uses([1, 0]);
    world.write(store, |txn| txn.blobs().remove(&[hash(2)]));
    // It is back: nothing more is kept for it.
    world.write(store, |txn| {
        txn.files().insert(std::slice::from_ref(&file))?;
        txn.files().keep(&[kept(file.id, 1, &[])])
    });
    assert_eq!(release(&[second]), []);
    // A file has it.
    uses([1, 0]);
    world.write(store, |txn| {
        txn.files().remove(&[file.id])?;
        txn.files().keep(&[kept(file.id, 1, &[second])])
    });
    assert_eq!(release(&[second]), [hash(1)]);
    uses([0, 0]);
    world.write(store, |txn| txn.blobs().remove(&[hash(1)]));
}

/// An upload that does not come to its end leaves nothing, and is nothing to later transactions.
pub fn an_upload_that_is_not_finished_leaves_nothing(store: &dyn Store) {
    let world = World::install(store);
    let begun = world.write(store, |txn| {
        let upload = txn.blobs().begin()?;
        txn.blobs().append(upload, b"half of")?;
        Ok(upload)
    });
    for why in ["an upload of an earlier transaction", "and again"] {
        let error = refused(&world, store, why, |txn| txn.blobs().append(begun, b"it"));
        assert_kind(&error, ErrorKind::NotFound, why);
        let error = refused(&world, store, why, |txn| txn.blobs().finish(begun, &hash(1)));
        assert_kind(&error, ErrorKind::NotFound, why);
    }
    let why = "a finished upload";
    let error = refused(&world, store, why, |txn| {
        let upload = txn.blobs().begin()?;
        txn.blobs().finish(upload, &hash(2))?;
        txn.blobs().append(upload, b"more")
    });
    assert_kind(&error, ErrorKind::NotFound, why);
    assert_eq!(world.read(store, |txn| txn.blobs().size(&hash(2))), None, "the savepoint took it back");
    // Two at once do not get into each other's way, also when a savepoint between them is taken back.
    world.write(store, |txn| {
        let one = txn.blobs().begin()?;
        txn.blobs().append(one, b"on")?;
        let lost = txn.savepoint(&mut |txn| {
            let lost = txn.blobs().begin()?;
            txn.blobs().append(lost, b"lost")?;
            txn.blobs().append(one, b"lost too")?;
            Err(Error::not_found("anything"))
        });
        assert!(lost.is_err());
        let two = txn.blobs().begin()?;
        txn.blobs().append(two, b"two")?;
        txn.blobs().finish(two, &hash(4))
    });
    assert_eq!(world.read(store, |txn| whole(txn.blobs(), &hash(4), 10)), b"two");
    assert_eq!(world.read(store, |txn| txn.blobs().size(&hash(3))), None);
    // A transaction that fails as a whole.
    let failed: Result<()> = store.write(&world.scene.tenant, |txn| {
        upload(txn, &hash(5), &[b"five"])?;
        Err(Error::not_found("anything"))
    });
    assert!(failed.is_err());
    assert_eq!(world.read(store, |txn| txn.blobs().size(&hash(5))), None);
}

/// Each tenant has its own contents and files; what one removes stays with the other.
pub fn contents_belong_to_their_tenant(store: &dyn Store) {
    let (world, other) = (World::install(store), "globex".parse().unwrap());
    let mine = file(&world, "a", hash(1));
    world.write(store, |txn| {
        upload(txn, &hash(1), &[b"abc"])?;
        txn.files().insert(std::slice::from_ref(&mine))
    });
    let seen = store.read(&other, |txn| {
        let (size, uses) = (txn.blobs().size(&hash(1))?, txn.files().uses(&[hash(1)])?);
        Ok((size, uses, txn.files().get(&[mine.id])?))
    });
    assert_eq!(seen.unwrap(), (None, vec![false], Vec::new()));
    store.write(&other, |txn| upload(txn, &hash(1), &[b"abc"])).unwrap();
    store
        .write(&other, |txn| {
            txn.files().remove(&[mine.id])?;
            txn.blobs().remove(&[hash(1)])
        })
        .unwrap();
    assert_eq!(world.read(store, |txn| whole(txn.blobs(), &hash(1), 10)), b"abc");
    assert_eq!(world.read(store, |txn| txn.files().get(&[mine.id])), [mine]);
}

/// A view writes neither files nor contents.
pub fn a_view_writes_no_content(store: &dyn Store) {
    let world = World::install(store);
    world.write(store, |txn| upload(txn, &hash(1), &[b"abc"]));
    let new = file(&world, "a", hash(1));
    type Attempt<'a> = &'a dyn Fn(&mut dyn Txn) -> Result<()>;
    let attempts: [Attempt<'_>; 4] = [
        &|txn| txn.blobs().begin().map(drop),
        &|txn| txn.blobs().remove(&[hash(1)]),
        &|txn| txn.files().insert(std::slice::from_ref(&new)),
        &|txn| txn.files().remove(&[new.id]),
    ];
    for attempt in attempts {
        let error = store.read(&world.scene.tenant, |txn| attempt(txn)).unwrap_err();
        assert_kind(&error, ErrorKind::Unsupported, "writing in a view");
    }
    assert_eq!(world.read(store, |txn| txn.blobs().size(&hash(1))), Some(3));
}
