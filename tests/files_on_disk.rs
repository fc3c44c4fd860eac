//! Contents of files in a directory, and in a database that is killed, full, damaged, shared, or backed up.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use leadcore::desk::files::{self, NewFile};
use leadcore::desk::{Expect, Listing, leads};
use leadcore::domain::{FileLimits, LeadFields};
use leadcore::error::ErrorKind;
use leadcore::id::{FileId, LeadId, RandomIds};
use leadcore::policy::AllowAll;
use leadcore::prelude::{Actor, Context};
use leadcore::store::StoreExt;
use leadcore::testkit::suite;
use leadcore::time::SystemClock;
use leadcore_sqlite::rusqlite::{Connection, TransactionBehavior};
use leadcore_sqlite::{SqliteOptions, SqliteStore, SqliteTxn};

use crate::files::{Office, content, contents_in, open};
use crate::support::refused;

const ROLE: &str = "LEADCORE_TEST_FILES_ROLE";
const PLACE: &str = "LEADCORE_TEST_FILES_PLACE";
const ABOUT: &str = "LEADCORE_TEST_FILES_ABOUT";

#[test]
fn the_suite_passes_with_contents_in_a_directory() {
    for (name, case) in suite::CASES {
        let own = ["file", "content", "upload"].iter().any(|word| name.contains(word));
        if own || name.contains("savepoint") || name.contains("panic") {
            let place = tempfile::tempdir().unwrap();
            println!("{name}");
            case(&open(place.path(), true));
        }
    }
}

fn start(role: &str, place: &Path, about: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "files_on_disk::other_process", "--nocapture"])
        .env(ROLE, role)
        .env(PLACE, place)
        .env(ABOUT, about)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// Says that it is there and waits to be killed.
fn wait_to_be_killed() -> ! {
    println!("\nready");
    let _ = std::io::stdout().flush();
    loop {
        std::thread::park();
    }
}

fn kill_when_ready(mut child: Child) {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "ready"), "the other process came to its point");
    child.kill().unwrap();
    child.wait().unwrap();
}

struct Endless(u64);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_sub(u64::try_from(buffer.len()).unwrap());
        if self.0 == 0 {
            wait_to_be_killed();
        }
        Ok(buffer.len())
    }
}

/// The other process: this binary again, told by its environment what to do.
#[test]
fn other_process() {
    let (Ok(role), Some(place)) = (std::env::var(ROLE), std::env::var_os(PLACE)) else { return };
    let place = Path::new(&place);
    let about = std::env::var(ABOUT).unwrap();
    let (clock, ids) = (SystemClock, RandomIds::new());
    let ctx = Context::new(&"acme".parse().unwrap(), Actor::System, &clock, &ids, &AllowAll);
    let limits = FileLimits::default().max_bytes(1 << 30);
    let lead = || about.parse::<LeadId>().unwrap();
    match role.as_str() {
        "dies before its commit" => {
            let store = open(place, true);
            let _: leadcore::error::Result<()> = store.write(ctx.tenant(), |txn| {
                let bytes = content(300_000);
                let mut bytes = bytes.as_slice();
                let file = NewFile::new("a", &mut bytes);
                files::add(&ctx, txn, &[lead().into()], file, &limits)?;
                wait_to_be_killed()
            });
        }
        "dies while it reads" => {
            let store = open(place, true);
            store
                .write(ctx.tenant(), |txn| {
                    let mut endless = Endless(1 << 20);
                    let file = NewFile::new("a", &mut endless);
                    files::add(&ctx, txn, &[lead().into()], file, &limits)
                })
                .map(drop)
                .unwrap();
        }
        "dies after its commit" => {
            // A transaction of its own ends there: the bytes are removed by another one, which never comes.
            let mut conn = Connection::open(place.join("leads.db")).unwrap();
            conn.execute_batch("PRAGMA foreign_keys = ON").unwrap();
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
            let mut txn = SqliteTxn::on(&tx, ctx.tenant()).with_files_in(place.join("files")).unwrap();
            let file: FileId = about.parse().unwrap();
            files::delete(&ctx, &mut txn, file, Expect::Any).unwrap();
            drop(txn);
            tx.commit().unwrap();
            wait_to_be_killed();
        }
        "adds and deletes" => {
            let store = open(place, true);
            for round in 0..20 {
                let bytes = content(1_000 + round % 3);
                let file = store.write(ctx.tenant(), |txn| {
                    files::add(&ctx, txn, &[lead().into()], NewFile::new("a", &mut bytes.as_slice()), &limits)
                });
                let file = file.unwrap();
                let mut read = Vec::new();
                store.read(ctx.tenant(), |txn| files::read(&ctx, txn, file.id, &mut read)).unwrap();
                assert!(read == bytes);
                if round % 4 != 3 {
                    store.write(ctx.tenant(), |txn| files::delete(&ctx, txn, file.id, Expect::Any)).unwrap();
                }
            }
        }
        "moves 64 MiB" | "moves 64 MiB outside" => {
            let store = open(place, role.ends_with("outside"));
            let lead = store
                .write(ctx.tenant(), |txn| {
                    leads::create(&ctx, txn, LeadFields::company("Nordlys AS").unwrap().into())
                })
                .unwrap();
            let move_through = |size: u64| {
                let file = store.write(ctx.tenant(), |txn| {
                    let mut source = std::io::repeat(7).take(size);
                    files::add(
                        &ctx,
                        txn,
                        &[lead.id.into()],
                        NewFile::new("a", &mut source).size(size),
                        &limits,
                    )
                });
                let file = file.unwrap();
                let mut sink = std::io::sink();
                let read =
                    store.read(ctx.tenant(), |txn| files::read(&ctx, txn, file.id, &mut sink)).unwrap();
                assert_eq!(read, size);
                store.write(ctx.tenant(), |txn| files::delete(&ctx, txn, file.id, Expect::Any)).unwrap();
            };
            // The caches of both connections are full afterwards.
            move_through(32 << 20);
            let before = high_water();
            move_through(64 << 20);
            println!("\ngrew {}", high_water() - before);
        }
        other => panic!("no such role: {other}"),
    }
}

/// The most memory that this process ever had, in kB; 0 where the system does not say.
fn high_water() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap())
}

#[test]
fn killed_before_or_after_the_commit_nothing_is_half_there() {
    let office = Office::new(true);
    let lead = office.lead("Nordlys AS");
    let about = lead.id.to_string();
    kill_when_ready(start("dies before its commit", office.place(), &about));
    assert_eq!(office.names(lead.id), [""; 0]);
    assert_eq!(office.kept(), [0, 0, 1], "bytes that no row refers to");
    // The same content joins what lies there, and takes it over.
    let file = office.add(lead.id, "b", &content(300_000)).unwrap();
    assert_eq!(office.kept(), [1, 0, 1]);
    assert_eq!(office.store.sweep_files().unwrap(), leadcore_sqlite::SweptFiles::default());
    assert!(office.read(file.id).unwrap() == content(300_000));
    kill_when_ready(start("dies after its commit", office.place(), &file.id.to_string()));
    refused(office.read(file.id), ErrorKind::NotFound);
    assert_eq!(office.kept(), [0, 0, 1]);
    let swept = office.store.sweep_files().unwrap();
    assert_eq!((swept.contents, swept.bytes, swept.left_over), (1, 300_000, 0));
    assert_eq!(office.kept(), [0; 3]);
    kill_when_ready(start("dies while it reads", office.place(), &about));
    assert_eq!(office.kept(), [0, 0, 1], "a temporary file");
    // It may be somebody's at work, until nobody wrote to it for an hour.
    assert_eq!(office.store.sweep_files().unwrap().left_over, 0);
    let [left] = contents_in(office.place()).try_into().unwrap();
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(4_000);
    std::fs::File::options().write(true).open(left).unwrap().set_modified(old).unwrap();
    assert_eq!(office.store.sweep_files().unwrap().left_over, 1);
    assert_eq!(office.kept(), [0; 3]);
}

#[test]
fn two_processes_share_a_directory() {
    let office = Office::new(true);
    let lead = office.lead("Nordlys AS");
    let about = lead.id.to_string();
    let children = [0; 3].map(|_| start("adds and deletes", office.place(), &about));
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let ctx = office.scene.ctx();
    let listed =
        office.store.read(&office.scene.tenant, |txn| files::of(&ctx, txn, lead.id, &Listing::default()));
    let listed = listed.unwrap().items;
    assert_eq!(listed.len(), 15);
    for file in &listed {
        assert!(office.read(file.id).unwrap() == content(usize::try_from(file.size).unwrap()));
    }
    let distinct: std::collections::BTreeSet<_> = listed.iter().map(|file| file.hash).collect();
    assert_eq!(office.kept(), [distinct.len(), 0, distinct.len()]);
    assert_eq!(office.store.sweep_files().unwrap(), leadcore_sqlite::SweptFiles::default());
}

#[test]
fn large_contents_take_no_more_memory_than_small_ones() {
    for role in ["moves 64 MiB", "moves 64 MiB outside"] {
        let place = tempfile::tempdir().unwrap();
        let output = start(role, place.path(), "").wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}");
        let grew = text.lines().find_map(|line| line.strip_prefix("grew ")).expect("it was run");
        let grew: u64 = grew.parse().unwrap();
        println!("{role}: {grew} kB more");
        assert!(grew < 8 << 10, "{role}: {grew} kB for 32 MiB more");
    }
}

#[test]
fn damaged_contents_are_told_and_left_alone() {
    let office = Office::new(false);
    let lead = office.lead("Nordlys AS");
    let file = office.add(lead.id, "a", &content(300_000)).unwrap();
    let conn = Connection::open(office.place().join("leads.db")).unwrap();
    for damage in [
        "UPDATE leadcore_blob_chunk SET bytes = zeroblob(length(bytes)) WHERE start > 0",
        "UPDATE leadcore_blob_chunk SET bytes = substr(bytes, 2) WHERE start > 0",
        "DELETE FROM leadcore_blob_chunk WHERE start > 0",
        "DELETE FROM leadcore_blob_chunk",
    ] {
        assert!(conn.execute(damage, []).unwrap() > 0);
        refused(office.read(file.id), ErrorKind::Corrupt);
    }
    let office = Office::new(true);
    let lead = office.lead("Nordlys AS");
    let file = office.add(lead.id, "a", &content(300_000)).unwrap();
    let [path] = contents_in(office.place()).try_into().unwrap();
    let mut bytes = content(300_000);
    bytes[299_999] ^= 1;
    for damaged in [Some(bytes.clone()), Some(bytes[..1_000].to_vec()), Some(Vec::new()), None] {
        match damaged {
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        refused(office.read(file.id), ErrorKind::Corrupt);
    }
    // Whoever adds the same content makes it whole again.
    office.add(lead.id, "b", &content(300_000)).unwrap();
    assert!(office.read(file.id).unwrap() == content(300_000));
}

#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let office = Office::new(false);
    let lead = office.lead("Nordlys AS");
    // A database that may not grow beyond a few pages fails like a full disk (SQLITE_FULL).
    let conn = Connection::open(office.place().join("leads.db")).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    let pages: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    conn.query_row(&format!("PRAGMA max_page_count = {}", pages + 100), [], |_| Ok(())).unwrap();
    let full = SqliteStore::from_connection(conn, &SqliteOptions::new()).unwrap();
    let ctx = office.scene.ctx();
    let add = |bytes: &[u8]| {
        full.write(&office.scene.tenant, |txn| {
            let mut bytes = bytes;
            let file = NewFile::new("a", &mut bytes);
            files::add(&ctx, txn, &[lead.id.into()], file, &FileLimits::default())
        })
    };
    let error = refused(add(&content(2_000_000)), ErrorKind::Storage);
    assert!(error.to_string().contains("full"), "{error}");
    assert_eq!((office.kept(), office.names(lead.id)), ([0; 3], Vec::<String>::new()));
    let small = add(&content(100_000)).unwrap();
    assert!(office.read(small.id).unwrap() == content(100_000));
}

#[cfg(unix)]
#[test]
fn a_directory_that_refuses_leaves_nothing_half_written() {
    let office = Office::new(true);
    let lead = office.lead("Nordlys AS");
    // A file where the folder of this content has to be: refused to everyone, root included.
    let hash = office.add(lead.id, "a", &content(1_000)).unwrap();
    office.delete(hash.id).unwrap();
    let folder = office.place().join("files").join(&hash.hash.to_string()[..2]);
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    refused(office.add(lead.id, "a", &content(1_000)), ErrorKind::Storage);
    assert_eq!(office.names(lead.id), [""; 0]);
    std::fs::remove_file(&folder).unwrap();
    assert_eq!(office.kept(), [0; 3]);
    office.add(lead.id, "a", &content(1_000)).unwrap();
}

#[test]
fn a_backup_holds_the_contents_and_says_where_they_are_not() {
    let office = Office::new(false);
    let lead = office.lead("Nordlys AS");
    let inside = office.add(lead.id, "a", &content(300_000)).unwrap();
    let copy = tempfile::tempdir().unwrap();
    office.store.backup_to(copy.path().join("leads.db")).unwrap();
    let ctx = office.scene.ctx();
    let read = |store: &SqliteStore, id| {
        let mut bytes = Vec::new();
        store.read(&office.scene.tenant, |txn| files::read(&ctx, txn, id, &mut bytes)).map(|_| bytes)
    };
    assert!(read(&open(copy.path(), false), inside.id).unwrap() == content(300_000));
    // What is in the database stays readable when later contents go into a directory; not the other way round.
    let moved = open(copy.path(), true);
    assert!(read(&moved, inside.id).unwrap() == content(300_000));
    let bytes = content(5_000);
    let outside = moved.write(&office.scene.tenant, |txn| {
        let mut bytes = bytes.as_slice();
        let file = NewFile::new("b", &mut bytes);
        files::add(&ctx, txn, &[lead.id.into()], file, &FileLimits::default())
    });
    let outside = outside.unwrap();
    assert!(read(&moved, outside.id).unwrap() == bytes);
    let error = refused(read(&open(copy.path(), false), outside.id), ErrorKind::Unsupported);
    assert!(error.to_string().contains("files_in"), "{error}");
    // Somebody else's directory is not ours to sweep.
    let foreign = SqliteOptions::new().files_in(copy.path().join("files"));
    refused(SqliteStore::open_with(office.place().join("leads.db"), &foreign), ErrorKind::Unsupported);
    // Database and directory together are a backup: the copy knows its directory.
    let restored = tempfile::tempdir().unwrap();
    moved.backup_to(restored.path().join("leads.db")).unwrap();
    let status = Command::new("cp")
        .arg("-r")
        .args([copy.path().join("files"), restored.path().join("files")])
        .status();
    assert!(status.unwrap().success());
    assert!(read(&open(restored.path(), true), outside.id).unwrap() == bytes);
}
