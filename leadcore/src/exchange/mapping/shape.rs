//! What kind of values a column holds.

use std::collections::{BTreeMap, BTreeSet};

use super::address::AddressLine;
use super::sample::MOST_OF_A_CELL;
use super::{Note, Sample, Split, words};
use crate::domain::ExternalRef;
use crate::exchange::coerce::currency::{Named, currency_of, named};
use crate::exchange::coerce::mail;
use crate::exchange::dates::{DateShape, date_shape};
use crate::value::{Country, DecimalMark, LIST_MARKS, Website, fold, parse_amount, split_list};

const SALUTATIONS: &[&str] = &[
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "madam", "rev", "herr", "frau", "hr", "fru", "fr",
    "frk", "monsieur", "madame", "mme", "mlle", "m", "sr", "sra", "srta", "sig", "sigra", "dhr", "mevr",
    "ing", "dipl ing",
];
const LEGAL_FORMS: &[&str] = &[
    "inc",
    "llc",
    "ltd",
    "limited",
    "gmbh",
    "ag",
    "kg",
    "as",
    "asa",
    "ab",
    "aps",
    "oy",
    "oyj",
    "sa",
    "srl",
    "sarl",
    "sas",
    "spa",
    "plc",
    "corp",
    "corporation",
    "co",
    "company",
    "bv",
    "nv",
    "pty",
    "kft",
    "doo",
    "group",
    "holding",
];

/// So many systems are told.
const MOST_SYSTEMS: usize = 20;

/// The cells of one column of a sample.
#[derive(Debug)]
pub(super) struct Cells<'s> {
    /// Those that say something.
    pub(super) filled: Vec<&'s str>,
    /// Which of them are numbers in their file: no rule about texts is for them.
    numbers: Vec<bool>,
    /// Words that stand for no answer, in how many cells, and whether they may be one.
    silent: BTreeMap<String, (usize, bool)>,
}

impl<'s> Cells<'s> {
    pub(super) fn of(sample: &'s Sample, place: usize) -> Self {
        let (mut filled, mut silent) = (Vec::new(), BTreeMap::<String, (usize, bool)>::new());
        let mut numbers = Vec::new();
        for (cell, is_number) in sample.column(place) {
            let word = if cell.len() <= 24 { fold(cell) } else { String::new() };
            let vague = words::is_vague(&word);
            if vague || words::is_silent(&word) {
                silent.entry(word).or_insert((0, vague)).0 += 1;
            } else {
                filled.push(cell);
                numbers.push(is_number);
            }
        }
        Self { filled, numbers, silent }
    }

    /// How many cells do this.
    pub(super) fn count(&self, mut is: impl FnMut(&str) -> bool) -> usize {
        self.filled.iter().filter(|cell| is(cell)).count()
    }

    /// Which share of the cells does this: none of no cells.
    pub(super) fn share(&self, is: impl FnMut(&str) -> bool) -> f64 {
        ratio(self.count(is), self.filled.len())
    }

    /// Whether hardly any cell repeats.
    pub(super) fn is_unique(&self) -> bool {
        let distinct: BTreeSet<_> = self.filled.iter().collect();
        ratio(distinct.len(), self.filled.len()) >= 0.95
    }

    /// The no-answer words that are frequent, and what counts as empty then. `of_vocabulary`: the column holds terms;
    /// `of_addresses`: it holds what no such word can be, so that one is enough.
    pub(super) fn silent(
        &self,
        (of_vocabulary, of_addresses): (bool, bool),
        defaults: &[String],
    ) -> (Option<Vec<String>>, Vec<Note>) {
        let all = self.filled.len() + self.silent.values().map(|(cells, _)| cells).sum::<usize>();
        let is_frequent = |cells: usize| of_addresses || cells >= 2 && cells * 50 >= all;
        let frequent = self.silent.iter().filter(|(_, (cells, _))| is_frequent(*cells));
        let (mut words, mut notes) = (defaults.to_vec(), Vec::new());
        for (word, (cells, vague)) in frequent {
            let proposed = !(of_vocabulary && *vague);
            notes.push(Note::NoAnswer { word: word.clone(), cells: *cells, proposed });
            if proposed && !words.iter().any(|known| fold(known) == *word) {
                words.push(word.clone());
            }
        }
        ((words.len() > defaults.len()).then_some(words), notes)
    }

    /// What its numbers say about their decimal mark.
    pub(super) fn marks(&self) -> Option<Note> {
        let (mut dot, mut comma, mut either) = (0, 0, 0);
        let texts = self.filled.iter().zip(&self.numbers).filter(|(_, is_number)| !**is_number);
        for (cell, _) in texts {
            match [DecimalMark::Dot, DecimalMark::Comma].map(|mark| parse_amount(cell, mark).ok()) {
                [Some(a), Some(b)] if a == b => {}
                [Some(_), Some(_)] => either += 1,
                [Some(_), None] => dot += 1,
                [None, Some(_)] => comma += 1,
                [None, None] => {}
            }
        }
        let proposed = match (dot, comma) {
            (1.., 0) => Some(DecimalMark::Dot),
            (0, 1..) => Some(DecimalMark::Comma),
            _ => None,
        };
        (dot + comma + either > 0).then_some(Note::DecimalMark { dot, comma, either, proposed })
    }

    /// The currencies that amounts name, the most usual one first. `kept`: each goes with its amount.
    pub(super) fn currencies(&self, kept: bool) -> Vec<Note> {
        let mut named = BTreeMap::<String, usize>::new();
        for currency in self.filled.iter().filter(|cell| is_amount(cell)).filter_map(|cell| currency_of(cell))
        {
            *named.entry(currency.as_str().to_owned()).or_default() += 1;
        }
        let mut named: Vec<_> = named.into_iter().collect();
        named.sort_by_key(|(_, cells)| std::cmp::Reverse(*cells));
        let several = (named.len() > 1).then_some(Note::Currencies { currencies: named.len() });
        let each = named.into_iter().take(MOST_SYSTEMS);
        each.map(|(symbol, cells)| Note::Currency { symbol, cells, kept }).chain(several).collect()
    }

    /// How many cells are parts of one, where all numbers are and not all are whole: `0.25`, `1`.
    pub(super) fn fractions(&self) -> Option<usize> {
        let is_part = |cell: &str| {
            let (whole, fraction) = cell.split_once(['.', ',']).unwrap_or((cell, "0"));
            let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            matches!(whole, "0" | "") && !fraction.is_empty() && is_digits(fraction)
                || whole == "1" && !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0')
        };
        let parts = self.count(is_part);
        let is_broken =
            self.count(|cell| is_part(cell) && cell.contains(['.', ',']) && !cell.starts_with('1')) > 0;
        (is_broken && parts == self.filled.len()).then_some(parts)
    }

    /// The numbers that are read as the nearest whole one.
    pub(super) fn rounded(&self) -> Option<Note> {
        let is_between = |cell: &str| {
            let number = cell.trim_end_matches('%').trim_end();
            number.rsplit_once(['.', ',']).is_some_and(|(whole, fraction)| {
                is_whole_number(whole)
                    && (cell.ends_with('%') || !whole.trim_matches(['-', '0']).is_empty())
                    && !fraction.trim_matches('0').is_empty()
                    // That may mean thousands, and is refused.
                    && (fraction.len() != 3 || whole.len() > 3)
                    && fraction.bytes().all(|byte| byte.is_ascii_digit())
            })
        };
        let cells = self.count(is_between);
        (cells > 0).then_some(Note::Rounded { cells })
    }

    /// The e-mail addresses that are read without what stands around them.
    pub(super) fn dressed(&self) -> Option<Note> {
        let cells = self.count(mail::is_dressed);
        (cells > 0).then_some(Note::DressedEmails { cells })
    }

    /// The signs of several currencies that a column of currencies has.
    pub(super) fn signs(&self) -> Vec<Note> {
        let mut signs = BTreeMap::<String, usize>::new();
        for cell in &self.filled {
            if let Some(Named::Sign(sign)) = named(cell) {
                *signs.entry(sign).or_default() += 1;
            }
        }
        let signs = signs.into_iter().take(MOST_SYSTEMS);
        signs.map(|(symbol, cells)| Note::Currency { symbol, cells, kept: true }).collect()
    }

    /// The systems whose ids its cells name, `sap:78, web:9`, where all of them do.
    pub(super) fn systems(&self) -> Option<Note> {
        let mut systems = BTreeSet::new();
        for cell in &self.filled {
            let mut items = split_list(cell, &LIST_MARKS);
            if cell.len() + 4 > MOST_OF_A_CELL && items.len() > 1 {
                // The sample ends in it.
                items.pop();
            }
            for item in items {
                let id = ExternalRef::parse(&item).ok()?;
                systems.insert(id.system().to_owned());
            }
        }
        let systems = systems.into_iter().take(MOST_SYSTEMS).collect();
        Some(Note::Systems { systems, cells: self.filled.len() })
    }

    /// Whether its cells hold whole addresses.
    pub(super) fn address(&self) -> Option<(Split, Note)> {
        let is_whole = |cell: &str| {
            let line = AddressLine::split(cell);
            line.postal_code.is_some() && line.city.is_some() && !line.street.is_empty()
        };
        let cells = self.count(is_whole);
        (ratio(cells, self.filled.len()) >= 0.6).then_some((Split::Address, Note::Address { cells }))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a sample has at most 1,000 rows")]
pub(super) fn ratio(hits: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { hits as f64 / of as f64 }
}

pub(super) fn is_email(cell: &str) -> bool {
    // With what is said of it behind it, as we write it: `anna@nordlys.example (work)`.
    cell.contains('@') && mail::read(cell).is_ok_and(|emails| !emails.entries().is_empty())
}

/// Seven to fifteen digits with what people write between them; bare digits are as likely an id.
pub(super) fn is_phone(cell: &str) -> bool {
    let cell = cell.strip_prefix("p:").unwrap_or(cell);
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let dressed =
        cell.starts_with('+') || cell.chars().any(|c| matches!(c, '(' | ')' | ' ' | '-' | '.' | '/'));
    let known =
        |c: char| c.is_ascii_digit() || matches!(c, '+' | '(' | ')' | ' ' | '-' | '.' | '/' | 'x' | '\u{a0}');
    (7..=20).contains(&digits)
        && dressed
        && cell.chars().all(known)
        && date_shape(cell) == DateShape::None
        && !is_ip(cell)
        && cell.matches('.').count() != 1
}

fn is_ip(cell: &str) -> bool {
    let parts: Vec<&str> = cell.split('.').collect();
    parts.len() == 4 && parts.iter().all(|part| (1..=3).contains(&part.len()) && part.parse::<u8>().is_ok())
}

/// Something with enough digits to be dialled, where the header says that it is a phone number.
pub(super) fn is_like_phone(cell: &str) -> bool {
    cell.chars().filter(char::is_ascii_digit).count() >= 5 && !cell.contains('@')
}

pub(super) fn is_national(cell: &str) -> bool {
    let cell = cell.strip_prefix("p:").unwrap_or(cell).trim_start();
    is_like_phone(cell) && !cell.starts_with('+') && !cell.starts_with("00")
}

pub(super) fn is_url(cell: &str) -> bool {
    let marked = cell.starts_with("http://") || cell.starts_with("https://") || cell.starts_with("www.");
    marked && Website::parse(cell).is_ok()
}

pub(super) fn is_like_url(cell: &str) -> bool {
    cell.contains('.')
        && Website::parse(cell).is_ok()
        && !cell.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// What is dialled for a country: `47`, `+47`, `0047`, `1-868`.
pub(super) fn is_dialling_code(cell: &str) -> bool {
    let digits = cell.trim_start_matches('+').trim_start_matches("00");
    let known = |c: char| c.is_ascii_digit() || c == '-' || c == ' ';
    (1..=6).contains(&digits.len())
        && digits.starts_with(|c: char| ('1'..='9').contains(&c))
        && digits.chars().all(known)
}

/// Names of countries are no shape when they are two letters: states look the same.
pub(super) fn is_country_name(cell: &str) -> bool {
    cell.len() > 3 && Country::parse(cell).is_ok()
}

pub(super) fn is_salutation(cell: &str) -> bool {
    let word: String = fold(cell).chars().filter(|c| *c != '.').collect();
    SALUTATIONS.contains(&word.trim())
}

/// Five digits or more, with what stands between and around them in the ids of the world's authorities: no rate, no word.
pub(super) fn is_like_tax_id(cell: &str) -> bool {
    let known = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '/' | ':' | '\u{a0}');
    let behind = cell.rsplit_once(['.', ',']).map(|(_, behind)| behind);
    let is_sum = behind.is_some_and(|digits| digits.len() < 3 && digits.bytes().all(|b| b.is_ascii_digit()));
    cell.chars().filter(char::is_ascii_digit).count() >= 5
        && cell.len() <= 40
        && cell.chars().all(known)
        && !is_sum
}

/// Two to four words of letters, and no company.
pub(super) fn is_person(cell: &str) -> bool {
    let is_word = |word: &str| {
        word.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '.' | '\u{2019}' | ','))
    };
    (2..=4).contains(&cell.split_whitespace().count())
        && cell.split_whitespace().all(is_word)
        && cell
            .split_whitespace()
            .all(|word| word.starts_with(|c: char| !c.is_lowercase()) || word.len() <= 3)
        && !is_company(cell)
}

pub(super) fn is_whole_number(cell: &str) -> bool {
    let number = cell.trim_end_matches('%').trim_end();
    let number = number.strip_suffix(".0").unwrap_or(number);
    !number.is_empty()
        && number.len() <= 12
        && number.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn is_amount(cell: &str) -> bool {
    [DecimalMark::Dot, DecimalMark::Comma].into_iter().any(|mark| parse_amount(cell, mark).is_ok())
}

/// A legal form at the end: `Nordlys AS`, `Wise, Ltd.`
pub(super) fn is_company(cell: &str) -> bool {
    let folded = fold(cell);
    let words: Vec<String> = folded
        .split_whitespace()
        .map(|word| word.chars().filter(|c| c.is_alphanumeric()).collect())
        .collect();
    words.len() > 1 && words.last().is_some_and(|last| LEGAL_FORMS.contains(&last.as_str()))
}
