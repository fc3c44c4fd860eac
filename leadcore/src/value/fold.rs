//! Match keys of any text, and the check that every free text passes.

use std::fmt;

use deunicode::deunicode_char;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use crate::error::{ValueError, ViolationCode};

/// The longest text any field takes: 1 MiB in UTF-8.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// Passes over a text until its key no longer changes; two are enough for every character known today.
const MAX_PASSES: usize = 4;

/// The match key of a text: two texts that a person would call the same spelling have the same key.
///
/// Compatibility forms are resolved (`ﬁ` → `fi`), letters are transliterated to ASCII (`Łódź` → `lodz`, `Straße` →
/// `strasse`, `北京` → `bei jing`), upper case becomes lower case, runs of blanks and control characters become one
/// blank, and the ends are trimmed. Characters without a transliteration stay as they are, and a text that consists
/// only of characters that transliterate to nothing keeps them, so that only a blank text has an empty key.
/// Folding a key gives the same key.
///
/// Transliteration follows the `deunicode` tables, which serve comparing, not reading: Han characters are spelt in
/// Mandarin, and `ü` becomes `u`, not `ue`.
///
/// ```
/// use leadcore::value::fold;
/// assert_eq!(fold("  ACME\t Ltd "), "acme ltd");
/// assert_eq!(fold("Łódź"), fold("lodz"));
/// assert_eq!(fold(" \n "), "");
/// ```
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return fold_ascii(text);
    }
    let mut key = fold_pass(text);
    if key.is_empty() {
        key = fold_keeping(text);
    }
    // Dropping a mark can bring characters together that compose in the next pass.
    for _ in 1..MAX_PASSES {
        if key.is_ascii() {
            break;
        }
        let next = fold_pass(&key);
        if next.is_empty() || next == key {
            break;
        }
        key = next;
    }
    key
}

/// The path nearly every cell of an import takes: one pass over bytes, one allocation.
fn fold_ascii(text: &str) -> String {
    let mut out = Key::with_capacity(text.len());
    for byte in text.bytes() {
        out.push(byte as char);
    }
    out.finish()
}

fn fold_pass(text: &str) -> String {
    let mut out = Key::with_capacity(text.len());
    if is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        text.chars().for_each(|c| out.push_transliterated(c));
    } else {
        text.nfkc().for_each(|c| out.push_transliterated(c));
    }
    out.finish()
}

/// For texts made of characters that transliterate to nothing, such as a lone variation selector.
fn fold_keeping(text: &str) -> String {
    let mut out = Key::with_capacity(text.len());
    text.nfkc().flat_map(char::to_lowercase).nfkc().for_each(|c| out.push(c));
    out.finish()
}

/// A key under construction: lower-cases ASCII and collapses blanks as characters come in.
struct Key {
    text: String,
    blank_due: bool,
}

impl Key {
    fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), blank_due: false }
    }

    fn push(&mut self, c: char) {
        if c.is_whitespace() || c.is_control() {
            self.blank_due = !self.text.is_empty();
            return;
        }
        if self.blank_due {
            self.text.push(' ');
            self.blank_due = false;
        }
        self.text.push(c.to_ascii_lowercase());
    }

    fn push_transliterated(&mut self, c: char) {
        if c.is_ascii() || c.is_whitespace() || c.is_control() {
            self.push(c);
        } else if let Some(ascii) = deunicode_char(c) {
            ascii.chars().for_each(|c| self.push(c));
        } else {
            for lower in c.to_lowercase() {
                match deunicode_char(lower) {
                    Some(ascii) => ascii.chars().for_each(|c| self.push(c)),
                    None => self.push(lower),
                }
            }
        }
    }

    fn finish(self) -> String {
        self.text
    }
}

/// A text that went through [`fold`]: lower case, ASCII where possible, no blanks at its ends.
///
/// ```
/// use leadcore::value::FoldedText;
/// assert_eq!(FoldedText::of("ACME  Ltd"), FoldedText::of(" acme ltd"));
/// assert!(FoldedText::of("Acme Ltd").contains(&FoldedText::of("LTD")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FoldedText(String);

impl FoldedText {
    /// The key of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(fold(text))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the text was blank.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `part` occurs in this key.
    #[must_use]
    pub fn contains(&self, part: &Self) -> bool {
        self.0.contains(&part.0)
    }

    /// The key, without a copy.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for FoldedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for FoldedText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for FoldedText {
    fn from(text: &str) -> Self {
        Self::of(text)
    }
}

impl Serialize for FoldedText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for FoldedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::of(&text))
    }
}

/// A free text exactly as it was given: byte for byte, blanks included.
///
/// ```
/// use leadcore::value::clean_text;
/// assert_eq!(clean_text(" Ω≈ç√ ", 100)?, " Ω≈ç√ ");
/// assert!(clean_text("abcd", 3).is_err());
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
///
/// # Errors
/// When the text holds NUL, or is longer than `max_len` characters (Unicode scalar values) or
/// [`MAX_TEXT_BYTES`].
pub fn clean_text(text: &str, max_len: usize) -> Result<String, ValueError> {
    check_text(text, max_len)?;
    Ok(text.to_owned())
}

/// The checks of [`clean_text`] without the copy.
pub(crate) fn check_text(text: &str, max_len: usize) -> Result<(), ValueError> {
    if text.len() > MAX_TEXT_BYTES || (text.len() > max_len && text.chars().nth(max_len).is_some()) {
        return Err(ValueError::new(
            ViolationCode::TooLong,
            format!("the text is longer than {} characters", max_len.min(MAX_TEXT_BYTES)),
        ));
    }
    if text.as_bytes().contains(&0) {
        return Err(ValueError::new(ViolationCode::Malformed, "the text holds a NUL character"));
    }
    Ok(())
}

/// A text of a value type: checked, trimmed, and not blank. `what` names the value in the message.
pub(crate) fn trimmed<'a>(text: &'a str, max_len: usize, what: &str) -> Result<&'a str, ValueError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ValueError::new(ViolationCode::Required, format!("{what} is empty")));
    }
    check_text(text, max_len)?;
    Ok(text)
}

/// A refusal of text that does not have the form of the value.
pub(crate) fn malformed(message: &'static str) -> ValueError {
    ValueError::new(ViolationCode::Malformed, message)
}

/// Whether `c` shows nothing or reorders its neighbours: such characters make two different addresses look the same.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn transliterates_and_collapses() {
        for (text, key) in [
            ("", ""),
            ("  ", ""),
            ("Acme", "acme"),
            (" A\t\r\n b ", "a b"),
            ("Łódź", "lodz"),
            ("Straße", "strasse"),
            ("Ærøskøbing", "aeroskobing"),
            ("Ромашка", "romashka"),
            ("ＡＣＭＥ　ｌｔｄ", "acme ltd"),
            ("ﬁrma", "firma"),
            ("caf\u{65}\u{301}", "cafe"),
            ("北京", "bei jing"),
            ("a\u{a0}\u{a0}b", "a b"),
            ("a\0b", "a b"),
        ] {
            assert_eq!(fold(text), key, "{text:?}");
        }
    }

    #[test]
    fn only_blank_text_has_an_empty_key() {
        for text in ["\u{fe0f}", "\u{301}", "\u{10ffff}", "\u{1b170}", "\u{200d}"] {
            assert!(!fold(text).is_empty(), "{text:?}");
        }
    }

    #[test]
    fn every_character_folds_to_a_stable_key() {
        // Planes 0 to 3 and the tags hold every assigned character; the rest is empty or private.
        for c in ('\0'..='\u{33fff}').chain('\u{e0000}'..='\u{e0fff}').chain('\u{10fff0}'..=char::MAX) {
            let key = fold(c.encode_utf8(&mut [0; 4]));
            assert_eq!(fold(&key), key, "U+{:04X}", c as u32);
            assert!(!key.is_empty() || c.is_whitespace() || c.is_control(), "U+{:04X}", c as u32);
        }
    }

    #[test]
    fn hostile_text_is_folded_whole() {
        for text in ["\u{301}".repeat(50_000), "\u{fdfa}".repeat(30_000), " ".repeat(100_000) + "x"] {
            let key = fold(&text);
            assert_eq!(fold(&key), key);
        }
    }

    #[test]
    fn clean_text_keeps_bytes_and_refuses_nul_and_length() {
        assert_eq!(clean_text("a\u{301} ", 3).unwrap(), "a\u{301} ");
        assert_eq!(clean_text("äöü", 2).unwrap_err().code(), ViolationCode::TooLong);
        assert_eq!(clean_text("äöü", 3).unwrap(), "äöü");
        assert_eq!(clean_text("a\0", 9).unwrap_err().code(), ViolationCode::Malformed);
        let long = "x".repeat(MAX_TEXT_BYTES + 1);
        assert_eq!(clean_text(&long, usize::MAX).unwrap_err().code(), ViolationCode::TooLong);
    }

    #[test]
    fn folded_text_is_folded_on_the_way_in() {
        let key: FoldedText = serde_json::from_str("\" ACME \"").unwrap();
        assert_eq!(key.as_str(), "acme");
        assert_eq!(serde_json::to_string(&key).unwrap(), "\"acme\"");
    }

    proptest! {
        #[test]
        fn folding_is_idempotent(text in any::<String>()) {
            let key = fold(&text);
            prop_assert_eq!(fold(&key), key);
        }

        #[test]
        fn folding_awkward_sequences_is_idempotent(
            parts in proptest::collection::vec(
                prop_oneof![
                    "[A-Za-z \u{e0}-\u{24f}]", "[\u{300}-\u{36f}]", "[\u{1100}-\u{11ff}]", "[\u{ac00}-\u{ac40}]",
                    "[\u{10400}-\u{10450}]", "[\u{1e900}-\u{1e943}]", "[\u{1f300}-\u{1fad0}]", "[\u{11000}-\u{11150}]",
                    "[\u{200b}-\u{2060}]", "[\u{fe00}-\u{fe0f}]", "[\u{1d400}-\u{1d7ff}]", "[\u{900}-\u{94d}]",
                ], 0..12),
        ) {
            let text = parts.concat();
            let key = fold(&text);
            prop_assert_eq!(fold(&key), key);
        }

        #[test]
        fn ascii_and_general_path_agree(text in "[ -~\t\n]{0,40}") {
            prop_assert_eq!(fold_ascii(&text), fold_pass(&text));
        }

        #[test]
        fn keys_have_no_blanks_at_the_ends_nor_control_characters(text in any::<String>()) {
            let key = fold(&text);
            prop_assert_eq!(key.trim(), key.as_str());
            prop_assert!(!key.chars().any(char::is_control));
        }
    }
}
