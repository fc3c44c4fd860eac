//! Names of people.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::fold::{fold, malformed, trimmed};
use crate::error::ValueError;

/// Longest full name, and longest part of one.
const MAX_CHARS: usize = 500;

/// Salutations and titles before a name, folded and without dots.
const PREFIXES: &[&str] = &[
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "prof",
    "professor",
    "sir",
    "dame",
    "lord",
    "lady",
    "rev",
    "fr",
    "herr",
    "frau",
    "hr",
    "fru",
    "froken",
    "dipl-ing",
    "mme",
    "mlle",
    "monsieur",
    "madame",
    "sr",
    "sra",
    "srta",
    "dott",
    "sigra",
    "dhr",
    "mevr",
    "drs",
    "capt",
    "sgt",
];

/// Titles that are also given names (`Maj`, `Gen`, `Mag`); they count only with a dot.
const PREFIXES_WITH_DOT: &[&str] = &["maj", "gen", "col", "lt", "mag", "ing", "ir", "hon", "sig", "mw"];

/// Generations and degrees after a name, folded and without dots.
const SUFFIXES: &[&str] = &[
    "jr", "sr", "ii", "iii", "iv", "phd", "md", "dds", "dvm", "esq", "mba", "msc", "bsc", "ma", "ba", "jd",
    "llm", "llb", "cpa", "cfa", "pe", "rn", "do", "mbe", "obe", "cbe", "kbe", "dphil", "edd",
];

/// Suffixes that are also names; they count only after a comma (`Do`, `Ma` and `Ba` are family names).
const SUFFIXES_AFTER_COMMA: &[&str] = &["do", "ma", "ba", "pe"];

/// Words that belong to the family name that follows them.
const PARTICLES: &[&str] = &[
    "van", "von", "vom", "de", "del", "dela", "della", "der", "den", "des", "di", "da", "das", "do", "dos",
    "du", "la", "le", "las", "los", "bin", "ibn", "bint", "al", "el", "ter", "ten", "te", "zu", "zum", "zur",
    "af", "av", "st", "san", "santa", "y", "e",
];

/// A person's name: in full as it was typed, and in parts.
///
/// The parts come from a small rule that is right for most names of European form and never loses a word:
///
/// 1. Known titles at the start are the prefix, known generations and degrees at the end the suffix.
/// 2. With a comma in the rest, what stands before it is the family name, what follows the given names
///    (`Berg, Anna`).
/// 3. Otherwise the last word is the family name, together with the particles before it (`van der Berg`), unless
///    that would leave no given name.
/// 4. A single word is the family name, because exports with one name column for companies' people fill that one.
///
/// ```
/// use leadcore::value::PersonName;
/// let name = PersonName::parse("Dr. Anna Maria van der Berg Jr.")?;
/// assert_eq!(name.full(), "Dr. Anna Maria van der Berg Jr.");
/// assert_eq!(name.prefix(), Some("Dr."));
/// assert_eq!(name.given(), Some("Anna Maria"));
/// assert_eq!(name.family(), Some("van der Berg"));
/// assert_eq!(name.suffix(), Some("Jr."));
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct PersonName {
    full: String,
    prefix: Option<String>,
    given: Option<String>,
    family: Option<String>,
    suffix: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Raw {
    full: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    given: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    family: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    suffix: Option<String>,
}

impl PersonName {
    /// Reads a full name and fills its parts.
    ///
    /// # Errors
    /// When the text is blank, holds NUL, or is longer than 500 characters.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        Self::read(text, false)
    }

    /// As [`parse`](Self::parse), of a name whose first word behind the titles is the family name, unless a comma says it.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    #[cfg(feature = "csv")]
    pub(crate) fn parse_family_first(text: &str) -> Result<Self, ValueError> {
        Self::read(text, true)
    }

    fn read(text: &str, is_family_first: bool) -> Result<Self, ValueError> {
        let full = trimmed(text, MAX_CHARS, "the name")?;
        let parts = Parts::of(full, is_family_first);
        let join = |words: &[&str]| (!words.is_empty()).then(|| words.join(" "));
        let mut name = Self {
            full: full.to_owned(),
            prefix: join(&parts.prefix),
            given: join(&parts.given),
            family: join(&parts.family),
            suffix: join(&parts.suffix),
        };
        if name.given.is_none() && name.family.is_none() {
            // Only commas and blanks: still a text that must not be lost.
            name.family = Some(full.to_owned());
        }
        Ok(name)
    }

    /// A name given in parts; the full name is their words in this order.
    ///
    /// ```
    /// use leadcore::value::PersonName;
    /// let name = PersonName::from_parts(Some("Ms"), Some("Anna"), Some("Berg"), None)?;
    /// assert_eq!(name.full(), "Ms Anna Berg");
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    ///
    /// # Errors
    /// When every part is blank, or one (or all together) is too long or holds NUL.
    pub fn from_parts(
        prefix: Option<&str>,
        given: Option<&str>,
        family: Option<&str>,
        suffix: Option<&str>,
    ) -> Result<Self, ValueError> {
        let parts = [part(prefix)?, part(given)?, part(family)?, part(suffix)?];
        let full = parts.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
        let [prefix, given, family, suffix] = parts;
        trimmed(&full, MAX_CHARS, "the name")?;
        Ok(Self { full, prefix, given, family, suffix })
    }

    /// What a store holds: the full name with the parts as they are, which a person may have corrected. Only for names
    /// that were checked before they were written: their lengths are not checked again.
    ///
    /// # Errors
    /// When the full name is blank.
    pub fn from_stored(
        full: &str,
        prefix: Option<&str>,
        given: Option<&str>,
        family: Option<&str>,
        suffix: Option<&str>,
    ) -> Result<Self, ValueError> {
        let stored = |text: &str| if text.trim_start().is_empty() { None } else { Some(text.to_owned()) };
        Ok(Self {
            full: stored(full).ok_or_else(|| malformed("the stored name is blank"))?,
            prefix: prefix.and_then(stored),
            given: given.and_then(stored),
            family: family.and_then(stored),
            suffix: suffix.and_then(stored),
        })
    }

    /// The full name with these parts, all checked.
    fn checked(
        full: &str,
        prefix: Option<&str>,
        given: Option<&str>,
        family: Option<&str>,
        suffix: Option<&str>,
    ) -> Result<Self, ValueError> {
        Ok(Self {
            full: trimmed(full, MAX_CHARS, "the name")?.to_owned(),
            prefix: part(prefix)?,
            given: part(given)?,
            family: part(family)?,
            suffix: part(suffix)?,
        })
    }

    /// The whole name as it was typed.
    #[must_use]
    pub fn full(&self) -> &str {
        &self.full
    }

    /// Whether it is more than a salutation.
    #[cfg(feature = "csv")]
    pub(crate) const fn names_somebody(&self) -> bool {
        self.given.is_some() || self.family.is_some()
    }

    /// Salutation and titles.
    #[must_use]
    pub fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    /// Given names, middle names included.
    #[must_use]
    pub fn given(&self) -> Option<&str> {
        self.given.as_deref()
    }

    /// The family name with its particles.
    #[must_use]
    pub fn family(&self) -> Option<&str> {
        self.family.as_deref()
    }

    /// Generation and degrees.
    #[must_use]
    pub fn suffix(&self) -> Option<&str> {
        self.suffix.as_deref()
    }

    /// The match key: given and family name folded, without titles.
    #[must_use]
    pub fn match_key(&self) -> String {
        match (&self.given, &self.family) {
            (Some(given), Some(family)) => fold(&format!("{given} {family}")),
            (Some(only), None) | (None, Some(only)) => fold(only),
            (None, None) => fold(&self.full),
        }
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.full)
    }
}

impl TryFrom<Raw> for PersonName {
    type Error = ValueError;

    fn try_from(raw: Raw) -> Result<Self, ValueError> {
        let Raw { full, prefix, given, family, suffix } = raw;
        Self::checked(&full, prefix.as_deref(), given.as_deref(), family.as_deref(), suffix.as_deref())
    }
}

impl From<PersonName> for Raw {
    fn from(name: PersonName) -> Self {
        let PersonName { full, prefix, given, family, suffix } = name;
        Self { full, prefix, given, family, suffix }
    }
}

fn part(text: Option<&str>) -> Result<Option<String>, ValueError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    trimmed(text, MAX_CHARS, "a part of the name").map(|text| Some(text.to_owned()))
}

/// The words of a name by part, commas taken off.
#[derive(Default)]
struct Parts<'a> {
    prefix: Vec<&'a str>,
    given: Vec<&'a str>,
    family: Vec<&'a str>,
    suffix: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(full: &'a str, is_family_first: bool) -> Self {
        // Segments between commas that hold at least one word.
        let mut segments: Vec<Vec<&str>> = full
            .split(',')
            .map(|segment| segment.split_whitespace().collect::<Vec<_>>())
            .filter(|words| !words.is_empty())
            .collect();
        let mut parts = Self::default();
        parts.take_suffixes(&mut segments);
        let mut segments = segments.into_iter();
        let mut first = segments.next().unwrap_or_default();
        let mut given: Vec<&str> = segments.flatten().collect();
        parts.take_prefixes(&mut first);
        if given.is_empty() {
            let mut start = family_start(&first);
            if is_family_first && first.len() > 1 {
                first.rotate_left(1);
                start = first.len() - 1;
            }
            parts.family = first.split_off(start);
            parts.given = first;
        } else {
            parts.take_prefixes(&mut given);
            parts.family = first;
            parts.given = given;
        }
        parts
    }

    /// Whole segments of suffixes after the first, then suffix words at the end of what is left, as long as a name
    /// remains.
    fn take_suffixes(&mut self, segments: &mut Vec<Vec<&'a str>>) {
        let mut found: Vec<&str> = Vec::new();
        while segments.len() > 1
            && segments.last().is_some_and(|words| words.iter().all(|word| is_listed(word, SUFFIXES)))
        {
            found.extend(segments.pop().unwrap_or_default().into_iter().rev());
        }
        let words_in_all: usize = segments.iter().map(Vec::len).sum();
        if let Some(words) = segments.last_mut() {
            let mut left = words_in_all;
            while left > 1
                && words.len() > 1
                && words
                    .last()
                    .is_some_and(|word| is_listed(word, SUFFIXES) && !is_listed(word, SUFFIXES_AFTER_COMMA))
            {
                found.extend(words.pop());
                left -= 1;
            }
        }
        found.reverse();
        self.suffix = found;
    }

    fn take_prefixes(&mut self, words: &mut Vec<&'a str>) {
        let listed = words.iter().take_while(|word| is_prefix(word)).count();
        let count = listed.min(words.len().saturating_sub(1));
        self.prefix.extend(words.drain(..count));
    }
}

/// Where the family name starts: at the last word, or at the particles before it while a given name remains.
fn family_start(words: &[&str]) -> usize {
    let mut start = words.len().saturating_sub(1);
    while start > 1 && words.get(start - 1).is_some_and(|word| is_listed(word, PARTICLES)) {
        start -= 1;
    }
    start
}

fn is_prefix(word: &str) -> bool {
    is_listed(word, PREFIXES) || (word.ends_with('.') && is_listed(word, PREFIXES_WITH_DOT))
}

fn is_listed(word: &str, list: &[&str]) -> bool {
    // The longest entry has nine characters; dots and accents may double that.
    if word.len() > 24 {
        return false;
    }
    let key = fold(word).replace('.', "");
    list.contains(&key.as_str())
}

#[cfg(test)]
mod tests;
