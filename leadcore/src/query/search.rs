//! Searching by words: what is looked for, and in which parts of a lead.

use crate::domain::{Lead, Numbering, SearchPart, dialled};
use crate::value::fold;

/// One word to look for in the search text, padded so that a short one stands at the beginning of a word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(String);

impl Term {
    /// What the search text must have somewhere: three letters at least.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The words of a search. Punctuation inside a word stays (`o'neil`, `anna@x.org`), but a word of digits and phone
/// punctuation alone is reduced to its digits, since numbers are searched as digits, without the zeros that are dialled
/// before a whole number.
#[must_use]
pub fn search_terms(text: &str) -> Vec<Term> {
    let folded = fold(text);
    let words: Vec<String> = match dialled(&folded) {
        Some(digits) => vec![without_trunk(&digits).to_owned()],
        None => folded.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
    };
    let mut terms: Vec<_> = words
        .into_iter()
        .map(|word| match word.chars().count() {
            1 => Term(format!("  {word}")),
            2 => Term(format!(" {word}")),
            _ => Term(word),
        })
        .collect();
    terms.sort();
    terms.dedup();
    terms
}

/// A number without the zeros that are dialled before it at home (`077…`) or to call abroad (`0047…`): a number that was
/// written with its country code has none. What is left occurs wherever the whole does.
fn without_trunk(digits: &str) -> &str {
    let number = digits.trim_start_matches('0');
    if number.len() >= SHORTEST_NUMBER { number } else { digits }
}

/// Fewer digits are part of a number, and its zeros count.
const SHORTEST_NUMBER: usize = 6;

/// Which parts of the search text are looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SearchParts([bool; SearchPart::ALL.len()]);

impl Default for SearchParts {
    fn default() -> Self {
        Self::ALL
    }
}

impl SearchParts {
    /// All of them.
    pub const ALL: Self = Self([true; SearchPart::ALL.len()]);

    /// Those for which `may` says so.
    pub fn only(mut may: impl FnMut(SearchPart) -> bool) -> Self {
        Self(SearchPart::ALL.map(&mut may))
    }

    /// Whether this part is looked into.
    #[must_use]
    pub fn has(self, part: SearchPart) -> bool {
        self.iter().any(|known| known == part)
    }

    /// The parts, in order.
    pub fn iter(self) -> impl Iterator<Item = SearchPart> {
        SearchPart::ALL.into_iter().zip(self.0).filter_map(|(part, looked_into)| looked_into.then_some(part))
    }
}

/// What a search looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextSearch {
    /// Each of these words,
    pub terms: Vec<Term>,
    /// in one of these parts of the search text;
    pub parts: SearchParts,
    /// or else the lead with this number.
    pub number: Option<u64>,
}

impl TextSearch {
    /// The words of this text, in every part.
    #[must_use]
    pub fn everywhere(text: &str) -> Self {
        Self::new(text, SearchParts::ALL, None)
    }

    /// The words of this text in these parts, or the number that it is.
    pub(super) fn new(text: &str, parts: SearchParts, numbering: Option<&Numbering>) -> Self {
        let number = numbering.filter(|_| parts.has(SearchPart::Number)).and_then(|numbering| {
            let number = numbering.parse_written(text)?;
            // Its bare digits are words like others.
            (text.trim() != number.to_string() && i64::try_from(number).is_ok()).then_some(number)
        });
        Self { terms: search_terms(text), parts, number }
    }

    /// Whether this lead is found.
    #[must_use]
    pub fn finds(&self, lead: &Lead) -> bool {
        if self.number == Some(lead.number) {
            return true;
        }
        let text = lead.search_text();
        if self.parts == SearchParts::ALL {
            return self.terms.iter().all(|term| text.as_str().contains(term.as_str()));
        }
        let parts: Vec<_> = self.parts.iter().map(|part| text.part(part)).collect();
        self.terms.iter().all(|term| parts.iter().any(|part| part.contains(term.as_str())))
    }
}
