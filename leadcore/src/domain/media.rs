//! What a content is, by its first bytes.

/// What has no mark of its own in its bytes: texts, told by the end of their name.
const TEXTS: &[(&str, &str)] = &[
    ("txt", "text/plain"),
    ("text", "text/plain"),
    ("log", "text/plain"),
    ("csv", "text/csv"),
    ("tsv", "text/tab-separated-values"),
    ("md", "text/markdown"),
    ("markdown", "text/markdown"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("css", "text/css"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("xml", "application/xml"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("svg", "image/svg+xml"),
    ("ics", "text/calendar"),
    ("vcf", "text/vcard"),
    ("eml", "message/rfc822"),
    ("rtf", "application/rtf"),
];

/// The media type of a content that begins with these bytes, of a file of this name.
///
/// Text of a known ending is what its ending says: some marks are two letters, with which a text may begin as well. The
/// ending alone decides nothing.
pub(crate) fn media_type(first: &[u8], name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
    let text = is_text(first);
    if text {
        let known = TEXTS.iter().find(|(known, _)| Some(*known) == ending.as_deref());
        if let Some((_, media_type)) = known {
            return media_type;
        }
    }
    match infer::get(first) {
        Some(kind) => kind.mime_type(),
        None if text && !first.is_empty() => "text/plain",
        None => "application/octet-stream",
    }
}

/// Whether the bytes are UTF-8 without control characters; a character that is cut at the end is one.
fn is_text(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_decide_and_endings_help_with_texts() {
        for (first, name, wanted) in [
            (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3".as_slice(), "x.txt", "application/pdf"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "photo.pdf", "image/png"),
            (b"PK\x03\x04\0\0\0\0", "x", "application/zip"),
            (b"a,b\n1,2\n", "x.csv", "text/csv"),
            (b"a,b\n1,2\n", "x.CSV", "text/csv"),
            (b"BM, the company\n", "note.md", "text/markdown"),
            (b"a,b\n1,2\n", "x.pdf", "text/plain"),
            (b"a\0b", "x.txt", "application/octet-stream"),
            ("æ".as_bytes().get(..1).unwrap(), "x.txt", "text/plain"),
            (b"\xff\xfe\xfd", "x.txt", "application/octet-stream"),
            (b"", "x.txt", "text/plain"),
            (b"", "x", "application/octet-stream"),
            (b"BEGIN:VCARD\r\n", "anna.vcf", "text/vcard"),
        ] {
            assert_eq!(media_type(first, name), wanted, "{name} {first:?}");
        }
    }
}
