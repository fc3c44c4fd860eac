//! The README does not promise files that are not there. Its Rust is run by the documentation tests of `leadcore-sqlite`.

use std::path::Path;

/// Named before they are written. The list only shrinks.
const AWAITED: [&str; 0] = [];

/// The targets of Markdown links, and what stands in backticks and looks like a path of this repository.
fn named_files(text: &str) -> Vec<String> {
    let mut named = Vec::new();
    for (at, _) in text.match_indices("](") {
        let rest = text.get(at + 2..).unwrap_or_default();
        let target = rest.split([')', '#', ' ']).next().unwrap_or_default();
        if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
            named.push(target.to_owned());
        }
    }
    let code = text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2));
    const TOPS: [&str; 9] = [
        "leadcore/",
        "leadcore-sqlite/",
        "leadcore-py/",
        "tests/",
        "docs/",
        "examples/",
        "benches/",
        ".ci/",
        "fuzz/",
    ];
    named.extend(code.filter(|word| TOPS.iter().any(|top| word.starts_with(top))).map(str::to_owned));
    named
}

#[test]
fn what_the_documents_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    let mut read = 0;
    for document in
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "leadcore-py/README.md"]
    {
        let path = root.join(document);
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        read += 1;
        let folder = path.parent().unwrap();
        let names = named_files(&text).into_iter();
        let gone = names.filter(|name| {
            let plain = name.trim_end_matches('/');
            !plain.contains(['*', '…', '<', '{'])
                && !AWAITED.contains(&plain)
                && !folder.join(plain).exists()
                && !root.join(plain).exists()
        });
        missing.extend(gone.map(|name| format!("{document} names {name}")));
    }
    assert!(read >= 2, "the documents are at the top of the repository");
    assert_eq!(missing, [""; 0]);
}

#[test]
fn links_and_paths_are_seen() {
    let text = "[a](docs/x.md#y) [b](https://x.example) `tests/all.rs` ```\n`docs/not`\n``` `plain`";
    assert_eq!(named_files(text), ["docs/x.md", "tests/all.rs"]);
}
