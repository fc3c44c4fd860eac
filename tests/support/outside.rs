//! Data from the outside world, which is no part of the repository.

use std::path::{Path, PathBuf};

/// The folder with real files: `$LEADCORE_SHARED/data`, else `../shared/data` beside the checkout. Without it the tests
/// that read it pass, and say so.
pub(crate) fn data(test: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("LEADCORE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let data = shared.join("data");
    if data.is_dir() {
        return Some(data);
    }
    // Not through the test harness, which would keep it to itself for a test that passes.
    let message =
        format!("\n!!! NOT TESTED: {test} needs the files in {}; set LEADCORE_SHARED\n", data.display());
    let _ = std::io::Write::write_all(&mut std::io::stderr(), message.as_bytes());
    None
}

/// Every file below a folder, in order.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
