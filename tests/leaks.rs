//! A host that opens and closes for weeks: no file stays open and memory does not grow.
#![cfg(target_os = "linux")] // which tells in /proc how much a process has

use std::path::Path;
use std::process::Command;

use leadcore::desk::leads;
use leadcore::query::Filter;
use leadcore::store::StoreExt;
use leadcore::testkit::fixtures::Scene;
use leadcore_sqlite::SqliteStore;

use crate::support::company;

const FOLDER: &str = "LEADCORE_TEST_OPENS_IN";
/// `LEADCORE_TEST_OPENINGS=10000` makes it ten thousand: some minutes.
fn cycles() -> u64 {
    let said = std::env::var("LEADCORE_TEST_OPENINGS").ok();
    said.map_or(200, |text| text.parse().expect("LEADCORE_TEST_OPENINGS is a number"))
}
/// A loose bound: the allocator keeps some. A leak of a page at each opening is far beyond it.
const MAX_GROWTH_KB: u64 = 768;

/// Open descriptors and resident memory in kB of this process.
fn held() -> (usize, u64) {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    (descriptors, resident.trim().trim_end_matches(" kB").parse().unwrap())
}

fn cycle(scene: &Scene, good: &Path, wrong: &Path, number: u64) {
    let store = SqliteStore::open(good).unwrap();
    let ctx = scene.ctx();
    if number.is_multiple_of(100) {
        store.write(&scene.tenant, |txn| leads::create(&ctx, txn, company("Nordlys AS").into())).unwrap();
    } else {
        store.read(&scene.tenant, |txn| leads::count(&ctx, txn, &Filter::everything())).unwrap();
    }
    drop(store);
    // What fails half way must let go as well.
    if number.is_multiple_of(10) {
        SqliteStore::open(wrong).unwrap_err();
    }
}

/// The other process: alone, so that no other test's files are counted.
#[test]
fn opens_and_closes() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (good, wrong) = (Path::new(&folder).join("leads.db"), Path::new(&folder).join("wrong.db"));
    std::fs::write(&wrong, "no database ".repeat(1_000)).unwrap();
    let scene = Scene::new("acme");
    // The first ones fill what is kept for good: tables, the allocator's reserves.
    let cycles = cycles();
    (0..cycles / 10).for_each(|number| cycle(&scene, &good, &wrong, number));
    let (descriptors, kilobytes) = held();
    (0..cycles).for_each(|number| cycle(&scene, &good, &wrong, number));
    let after = held();
    println!("\n{cycles} times: {descriptors} and {} files, {kilobytes} and {} kB", after.0, after.1);
    assert_eq!(descriptors, after.0, "files left open");
    assert!(after.1 <= kilobytes + MAX_GROWTH_KB, "memory grew from {kilobytes} to {} kB", after.1);
}

#[test]
fn openings_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "leaks::opens_and_closes", "--nocapture"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let said =
        text.lines().find(|line| line.starts_with(&format!("{} times", cycles()))).expect("it was run");
    println!("{said}");
}
