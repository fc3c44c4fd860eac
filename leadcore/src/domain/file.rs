//! Files of leads, contacts, accounts, notes and estimates (S0.29, S0.30): what is known of each, and what it may be called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{ValueError, Violation, ViolationCode};
use crate::id::{FileId, Revision};
use crate::time::Timestamp;
use crate::value::{check_text, is_invisible, malformed};

use super::child::{Placement, Tab};
use super::journal::Actor;
use super::link::Subject;

/// The longest name of a file, in characters.
const MAX_NAME: usize = 255;
/// The longest description of a file, in characters.
const MAX_DESCRIPTION: usize = 10_000;

/// SHA-256 of a content: what it is stored and found by. Written as 64 lower-case hexadecimal digits.
///
/// ```
/// use leadcore::domain::ContentHash;
/// let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// let hash: ContentHash = empty.parse()?;
/// assert_eq!(hash.to_string(), empty);
/// assert!("../../etc/passwd".parse::<ContentHash>().is_err());
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// From the 32 bytes of a digest.
    #[must_use]
    pub const fn from_bytes(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

impl FromStr for ContentHash {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let wrong = || malformed("the hash of a content is 64 hexadecimal digits");
        let digits: Option<Vec<u8>> =
            text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let bytes: Vec<u8> = digits
            .ok_or_else(wrong)?
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect();
        if text.len() != 64 {
            return Err(wrong());
        }
        bytes.try_into().map(Self).map_err(|_| wrong())
    }
}

impl TryFrom<String> for ContentHash {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl From<ContentHash> for String {
    fn from(hash: ContentHash) -> Self {
        hash.to_string()
    }
}

/// What callers may set on a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFields {
    /// What it is called where it is shown: no path, whatever it looks like; see [`file_name`].
    pub name: String,
    /// What there is to say about it, at most 10,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl FileFields {
    /// A file of this name.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), description: None }
    }

    /// The fields as they are stored: the name cleaned, a blank description left out.
    ///
    /// # Errors
    /// Every broken rule, at `name` and `description`.
    pub fn checked(&self) -> Result<Self, Vec<Violation>> {
        let mut broken = Vec::new();
        let name = file_name(&self.name).map_err(|error| broken.push(error.at("name"))).unwrap_or_default();
        let description = self.description.as_deref().filter(|text| !text.trim().is_empty());
        if let Some(Err(error)) = description.map(|text| check_text(text, MAX_DESCRIPTION)) {
            broken.push(error.at("description"));
        }
        let description = description.map(str::to_owned);
        if broken.is_empty() { Ok(Self { name, description }) } else { Err(broken) }
    }
}

/// A stored file. Its content is kept by its [`hash`](Self::hash): once, however many files have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// The id.
    pub id: FileId,
    /// The revision, for the next write.
    pub revision: Revision,
    /// The records that it is about: 1 to 20. An attachment is about its note.
    pub about: Vec<Subject>,
    /// What callers may set.
    #[serde(flatten)]
    pub fields: FileFields,
    /// What the content is, as it was recognised by its first bytes: `application/pdf`, `text/csv` …, or
    /// `application/octet-stream`. The sender's word is not asked.
    pub media_type: String,
    /// How long the content is, in bytes.
    pub size: u64,
    /// What the content is kept by.
    pub hash: ContentHash,
    /// Who added it.
    pub created_by: Actor,
    /// When it was added: its place in lists.
    pub created_at: Timestamp,
    /// When its fields were last written. The content never changes.
    pub updated_at: Timestamp,
}

impl FileRecord {
    /// Where it is shown.
    #[must_use]
    pub fn placement(&self) -> Placement {
        Placement {
            child: self.id.into(),
            about: self.about.clone(),
            tab: Tab::File,
            at: self.created_at,
            is_open: false,
            follow_up: None,
        }
    }
}

/// How much a caller may add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileLimits {
    /// The longest content, in bytes: 25 MiB unless said otherwise.
    pub max_bytes: u64,
    /// The most files that one record has: 1,000 unless said otherwise.
    pub max_files_per_record: u64,
}

impl Default for FileLimits {
    fn default() -> Self {
        Self { max_bytes: 25 * 1024 * 1024, max_files_per_record: 1_000 }
    }
}

impl FileLimits {
    /// With this longest content, in bytes.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// With so many files for each record.
    #[must_use]
    pub const fn max_files_per_record(mut self, files: u64) -> Self {
        self.max_files_per_record = files;
        self
    }
}

/// The name that a file is shown by, from what the caller says.
///
/// It is never used as a path here, and is made so that a person can save the file under it anywhere:
/// - folders before it go (browsers and mail programs send them): what follows the last `/` or `\` is the name;
/// - blanks at its ends and full stops at its end go, as Windows drops them;
/// - `< > : " | ? *` become `_`, as Windows refuses them;
/// - control characters, NUL among them, and characters that show nothing or turn the direction of text are refused: they
///   hide what kind of file it is;
/// - the names of devices (`CON`, `nul.txt`, `COM1` …) are refused, and so is a name of nothing but full stops;
/// - it has 1 to 255 characters.
///
/// ```
/// use leadcore::domain::file_name;
/// assert_eq!(file_name(r"C:\fakepath\Offer 7.pdf")?, "Offer 7.pdf");
/// assert_eq!(file_name("../../etc/passwd")?, "passwd");
/// assert!(file_name("..").is_err());
/// assert!(file_name("invoice\u{202e}fdp.exe").is_err());
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
///
/// # Errors
/// When it is refused.
pub fn file_name(text: &str) -> Result<String, ValueError> {
    let hidden = |c: char| c.is_control() || (is_invisible(c) && !matches!(c, '\u{200c}' | '\u{200d}'));
    if text.chars().any(hidden) {
        return Err(malformed("the name holds control characters, or some that cannot be seen"));
    }
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = last.trim().trim_end_matches(|c: char| c == '.' || c.is_whitespace());
    if name.is_empty() {
        return Err(ValueError::new(ViolationCode::Required, "the file has no name"));
    }
    if name.chars().nth(MAX_NAME).is_some() {
        return Err(ValueError::new(ViolationCode::TooLong, "the name is longer than 255 characters"));
    }
    if is_device(name) {
        return Err(malformed("the name is that of a device"));
    }
    Ok(name
        .chars()
        .map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c })
        .collect())
}

/// Names that Windows gives to devices, with any ending ("Naming Files, Paths, and Namespaces", learn.microsoft.com).
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    if ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"].contains(&stem.as_str()) {
        return true;
    }
    let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    number.is_some_and(|n| {
        n.chars().count() == 1 && n.chars().all(|c| matches!(c, '0'..='9' | '¹' | '²' | '³'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_shown_and_never_followed() {
        for (given, shown) in [
            ("Offer.pdf", "Offer.pdf"),
            (" Offer.pdf ", "Offer.pdf"),
            ("/etc/passwd", "passwd"),
            (r"..\..\boot.ini", "boot.ini"),
            (r"C:\fakepath\x.pdf", "x.pdf"),
            ("x.txt:evil.exe", "x.txt_evil.exe"),
            ("what?<is>|\"this\"*.md", "what__is___this__.md"),
            (".env", ".env"),
            ("trailing. . .", "trailing"),
            ("Ærøskøbing 契約書.pdf", "Ærøskøbing 契約書.pdf"),
            ("👩\u{200d}💻.png", "👩\u{200d}💻.png"),
            ("COM10.txt", "COM10.txt"),
            ("console.log", "console.log"),
        ] {
            assert_eq!(file_name(given).unwrap(), shown, "{given:?}");
        }
        for refused in [
            "",
            " ",
            ".",
            "..",
            "...",
            "a/",
            r"a\..",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "a\u{85}b",
            "x\u{202e}fdp.exe",
            "\u{200b}",
            "a\u{2066}b",
            "con",
            "NUL.txt",
            "aux.",
            "Com1.tar.gz",
            "LPT¹",
            "nul .txt",
            "conin$",
            "a\u{feff}",
            "a\u{2028}b",
        ] {
            assert!(file_name(refused).is_err(), "{refused:?}");
        }
        assert!(file_name(&"é".repeat(255)).is_ok());
        assert_eq!(file_name(&"é".repeat(256)).unwrap_err().code(), ViolationCode::TooLong);
    }

    proptest! {
        #[test]
        fn what_a_name_became_is_a_name(text in any::<String>()) {
            if let Ok(name) = file_name(&text) {
                prop_assert!(!name.is_empty() && name.chars().count() <= 255);
                prop_assert!(!name.contains(['/', '\\', '\0', '\n']) && name != "." && name != "..");
                prop_assert_eq!(file_name(&name), Ok(name));
            }
        }

        #[test]
        fn a_hash_is_its_text(bytes in any::<[u8; 32]>()) {
            let hash = ContentHash::from_bytes(bytes);
            prop_assert_eq!(hash.to_string().parse::<ContentHash>(), Ok(hash));
            prop_assert_eq!(hash.to_string().len(), 64);
        }
    }

    #[test]
    fn all_broken_fields_are_told_at_once() {
        let fields = FileFields { name: "..".into(), description: Some("x".repeat(10_001)) };
        let broken: Vec<_> = fields.checked().unwrap_err().into_iter().map(|broken| broken.field).collect();
        assert_eq!(broken, ["name", "description"]);
        let blank = FileFields { description: Some("  ".into()), ..FileFields::named("a") };
        assert_eq!(blank.checked().unwrap(), FileFields::named("a"));
    }
}
