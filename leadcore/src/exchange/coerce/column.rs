//! A column of the file: what it says, and what counts as nothing.

use std::borrow::Cow;

use super::currency::{Named, in_header};
use super::phones;
use crate::domain::{Catalogue, CustomType, Field, ReachKind};
use crate::exchange::Row;
use crate::exchange::import::{CARD_ID, ImportOptions};
use crate::exchange::mapping::{Located, Origin, Split, words};
use crate::exchange::write::text_in;
use crate::value::{LIST_MARKS, fold, split_list};

#[derive(Debug)]
pub(super) struct Column {
    pub(super) at: Located,
    no_answer: NoAnswer,
    pub(super) yes: Vec<String>,
    pub(super) no: Vec<String>,
    /// The cell that empties the field, folded.
    clear: Option<String>,
    /// Whether it lists names, each perhaps in quotes.
    takes_names: bool,
    /// Whether it holds e-mails, phones or ids, which no word for no answer can be; unless every word was said to be a value.
    takes_addresses: bool,
    /// Whether the currency of an amount matters.
    takes_money: bool,
    /// Whether it holds ids of a system that nobody named, in which zero and minus one are no ids.
    takes_unnamed_ids: bool,
    /// What its header says that its values are for.
    pub(super) kind: ReachKind,
    /// The column that says so row by row.
    pub(super) label: Option<usize>,
    /// The currency that its header names.
    pub(super) currency: Option<Named>,
    /// Whether it holds the ids of cards.
    pub(super) is_of_cards: bool,
    /// Whether its file is text with a character between cells.
    pub(super) is_of_text: bool,
}

/// Words that count as empty, folded.
#[derive(Debug)]
struct NoAnswer {
    words: Vec<String>,
    /// No longer cell is worth comparing.
    longest: usize,
}

impl NoAnswer {
    fn new(words: &[String]) -> Self {
        let words: Vec<String> = words.iter().map(|word| fold(word)).collect();
        // Folding may shorten a text to a quarter of its bytes.
        let longest = words.iter().map(String::len).max().unwrap_or(0).saturating_mul(4);
        Self { words, longest }
    }

    fn holds(&self, cell: &str) -> bool {
        cell.len() <= self.longest && self.words.contains(&fold(cell))
    }
}

impl Column {
    pub(super) fn new(at: Located, catalogue: &Catalogue, options: &ImportOptions) -> Self {
        let folded = |words: &[String]| words.iter().map(|word| fold(word)).collect();
        let no_answer = at.rules.no_answer.as_deref().unwrap_or(&options.no_answer);
        let is_address =
            matches!(at.field, Field::Email | Field::Phone | Field::ExternalId) && at.rules.opt_out.is_none();
        Self {
            no_answer: NoAnswer::new(no_answer),
            takes_addresses: is_address && !no_answer.is_empty(),
            takes_unnamed_ids: at.field == Field::ExternalId
                && !options.names_system()
                && !no_answer.is_empty(),
            kind: ReachKind::Unspecified,
            label: None,
            currency: None,
            is_of_cards: false,
            is_of_text: true,
            clear: options.clear.as_deref().map(|token| fold(token.trim())),
            yes: folded(&at.rules.yes),
            no: folded(&at.rules.no),
            takes_names: at.field == Field::Labels
                || at.rules.split == Some(Split::ExternalIds)
                || is_many_of(catalogue, &at.field),
            takes_money: is_money(catalogue, &at.field) && at.rules.opt_out.is_none(),
            at,
        }
    }

    /// What a number is without the currency that its file shows it with, where that does not matter.
    fn bare<'c>(&self, row: &Row, place: usize, cell: &'c str) -> &'c str {
        cell.rsplit_once(' ').filter(|_| self.is_bared(row, place)).map_or(cell, |(_, number)| number)
    }

    /// Whether a cell is read otherwise than its text says.
    pub(super) fn is_bared(&self, row: &Row, place: usize) -> bool {
        !self.takes_money && row.amounts.contains(&place)
    }

    /// Takes over what its header says of its values.
    pub(super) fn headed(&mut self, headers: &[String]) {
        let Origin::Columns(place, _) = self.at.from else { return };
        let Some(header) = headers.get(place) else { return };
        if phones::has_kinds(&self.at.field) {
            (self.kind, self.label) = (phones::kind_of(header), phones::label_of(headers, place));
        } else if self.at.field == Field::Amount {
            self.currency = in_header(header).map(|(_, currency)| currency);
        } else if self.at.field == Field::ExternalId {
            self.is_of_cards = header == CARD_ID;
        }
    }

    /// Whether it holds values of the field, rather than who opted out of it.
    pub(super) fn holds(&self, field: &Field) -> bool {
        self.at.field == *field && self.at.rules.opt_out.is_none()
    }

    /// Whether what the row says in this column is a number in its file.
    pub(super) fn is_number(&self, row: &Row) -> bool {
        matches!(&self.at.from, Origin::Columns(place, behind) if behind.is_empty() && row.is_number(*place))
    }

    /// Why the row's cells of this column cannot be taken.
    pub(super) fn unusable(&self, row: &Row, is_of_text: bool) -> Option<&'static str> {
        if self.at.from.places().any(|place| row.no_results.contains(&place)) {
            return Some(
                "the file holds no result of the cell's formula: open it in a spreadsheet and save it again",
            );
        }
        if self.at.from.places().any(|place| row.is_formula_error(place)) {
            return Some("the cell holds the error of a formula");
        }
        let message = if is_of_text {
            "not all digits of this long number are known: make the column one of text or of whole numbers"
        } else {
            "not all digits of this long number are known: format the column as text in the spreadsheet"
        };
        self.at.from.places().any(|place| row.has_lost_digits(place)).then_some(message)
    }

    /// Whether a cell is the one that empties the field.
    fn clears(&self, cell: &str) -> bool {
        self.clear.as_ref().is_some_and(|token| *token == fold(cell))
    }

    fn says_nothing(&self, cell: &str) -> bool {
        if self.clears(cell) {
            return false;
        }
        let is_word = || !cell.bytes().any(|byte| byte.is_ascii_digit() || byte == b'@');
        if self.takes_addresses && is_word() && words::is_no_answer(&fold(cell)) {
            return true;
        }
        if self.takes_unnamed_ids && is_no_id(cell) {
            return true;
        }
        if self.at.rules.no_answer.is_some() {
            return self.no_answer.holds(cell);
        }
        let country = self.at.field == Field::Country && cell.eq_ignore_ascii_case("unknown");
        self.at.field != Field::Description && (country || self.no_answer.holds(cell))
    }

    /// What the row says in this column; empty where it says nothing. `blanked` counts the cells whose words do.
    pub(super) fn text<'t>(&'t self, row: &'t Row, blanked: &mut u64) -> Cow<'t, str> {
        let mut cell = |place: usize| {
            let cell = text_in(row.get(place).unwrap_or_default(), self.is_of_text);
            let cell = self.bare(row, place, cell.trim());
            if !cell.is_empty() && self.says_nothing(cell) {
                *blanked += 1;
                return Cow::Borrowed("");
            }
            if row.quoted_lists.contains(&place) && !self.takes_names {
                return Cow::Owned(split_list(cell, &LIST_MARKS).join("; "));
            }
            Cow::Borrowed(cell)
        };
        match &self.at.from {
            Origin::Constant(value) => Cow::Borrowed(value.trim()),
            Origin::Columns(place, behind) => {
                let mut text = cell(*place);
                for (place, between) in behind {
                    let more = cell(*place);
                    // Of joined cells only all of them empty the field.
                    match (text.is_empty(), more.is_empty()) {
                        (_, true) => {}
                        (false, false) if self.clears(&more) => {}
                        (true, false) => text = more,
                        (false, false) if self.clears(&text) => text = more,
                        (false, false) => text = Cow::Owned(format!("{text}{between}{more}")),
                    }
                }
                text
            }
        }
    }
}

fn is_money(catalogue: &Catalogue, field: &Field) -> bool {
    match field {
        Field::Custom(key) => {
            catalogue.usable(key).is_ok_and(|custom| matches!(custom.kind, CustomType::Money(_)))
        }
        field => *field == Field::Amount,
    }
}

/// Whether it is what programs write for no id: zeros, with or without dashes, or minus one.
fn is_no_id(cell: &str) -> bool {
    cell == "-1" || cell.contains('0') && cell.bytes().all(|byte| matches!(byte, b'0' | b'-'))
}

fn is_many_of(catalogue: &Catalogue, field: &Field) -> bool {
    let Field::Custom(key) = field else { return false };
    catalogue.usable(key).is_ok_and(|custom| matches!(custom.kind, CustomType::ManyOf(_)))
}

/// Puts the columns in the order in which they are written: whole addresses before their parts.
pub(super) fn in_order(columns: &mut [Column]) {
    columns.sort_by_key(|column| {
        (column.at.rules.split != Some(Split::Address), column.at.field.is_written_late())
    });
}
