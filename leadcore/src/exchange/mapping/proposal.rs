//! What is proposed for each column, how sure that is, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ColumnMapping, ColumnRules, DateOrder, Mapping, OptOut};
use crate::domain::Field;
use crate::value::{Currency, DecimalMark};

/// Why a column is taken for a field, or is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Evidence {
    /// A file with the same headers was last imported like this.
    LastUse,
    /// The file holds rows that an import rejected, and that import read them like this.
    Rejects,
    /// The mapping that was saved under this name is for these headers.
    Saved(String),
    /// The header is the field's own key or label.
    Label,
    /// The header is a word that vendors use for the field.
    Word,
    /// The header is such a word with a number or with whose it is: `Phone 2`, `Company city`.
    QualifiedWord,
    /// Another header of the file tells the two meanings of this one apart: `Title` beside `Salutation`.
    Context,
    /// So many of the cells look like this kind of value: `email`, `phone`, `url`, `country`, `date`, `amount`, `number`,
    /// `salutation`, `company`, `unique`.
    Values {
        /// The kind of value.
        shape: String,
        /// How many cells look like it.
        hits: usize,
        /// Of how many that are filled.
        of: usize,
    },
    /// So many of the cells are names in the vocabulary, or choices of the custom field.
    Vocabulary {
        /// How many cells are.
        hits: usize,
        /// Of how many that are filled.
        of: usize,
    },
    /// The sample has no value in this column.
    Empty,
    /// The field is filled by the column with this header.
    Taken(String),
    /// Its part of an address belongs to another address than the one that is taken.
    OtherAddress,
}

/// What a person should know about the cells of a column before they are imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// Its dates, by how they can be read. Where no order is proposed, cells that can be read in two ways are rejected
    /// until one is said.
    DateOrder {
        /// Cells in which only the day can stand first.
        day_first: usize,
        /// Cells in which only the month can stand first.
        month_first: usize,
        /// Cells that can be read in both ways.
        either: usize,
        /// What is proposed: nothing, where no cell or both kinds of cells speak.
        proposed: Option<DateOrder>,
    },
    /// Its numbers, by their decimal mark. Where none is proposed, cells that can be read in two ways are rejected until one
    /// is said.
    DecimalMark {
        /// Cells in which only the dot can be the mark.
        dot: usize,
        /// Cells in which only the comma can.
        comma: usize,
        /// Cells that can be read in both ways, as another amount each.
        either: usize,
        /// What is proposed.
        proposed: Option<DecimalMark>,
    },
    /// A word that stands for no answer.
    NoAnswer {
        /// The word, folded.
        word: String,
        /// In how many cells it stands.
        cells: usize,
        /// Whether it is proposed to count as empty. `unknown` in a vocabulary is not: it may be a term.
        proposed: bool,
    },
    /// Times that name no zone; UTC is proposed.
    NoZone {
        /// How many cells.
        cells: usize,
    },
    /// Amounts that name a currency.
    Currency {
        /// The code; the sign where several currencies have it.
        symbol: String,
        /// In how many cells it stands.
        cells: usize,
        /// Whether it is kept, as the currency of the lead. A field that is a mere number has none.
        #[serde(default)]
        kept: bool,
    },
    /// The amounts of the column name several currencies.
    Currencies {
        /// How many.
        currencies: usize,
    },
    /// What a header calls countries are the codes that are dialled for them.
    DiallingCodes {
        /// How many cells.
        cells: usize,
    },
    /// National phone numbers: they need a region, or the country of the row.
    NationalNumbers {
        /// How many cells.
        cells: usize,
    },
    /// Cells that hold several values, and what separates them.
    List {
        /// What stands between the values.
        between: String,
        /// How many cells hold several.
        cells: usize,
    },
    /// Ids that name their system before them, `sap:78`.
    Systems {
        /// The systems, at most 20 of them.
        systems: Vec<String>,
        /// How many cells.
        cells: usize,
    },
    /// Cells that hold a whole address.
    Address {
        /// How many cells.
        cells: usize,
    },
    /// Dates with dots between and the year behind, `3.4.2027`, that can be read in two ways: they are read day first, as
    /// every locale of the CLDR that writes dots does.
    DottedDates {
        /// How many cells.
        cells: usize,
    },
    /// Cells with this in them, in a column whose values are separated by commas or semicolons: it separates nothing.
    OddList {
        /// What stands in them.
        between: String,
        /// How many cells.
        cells: usize,
    },
    /// E-mail addresses with a name, `mailto:`, brackets, quotes or a full stop around them, which are left out.
    DressedEmails {
        /// How many cells.
        cells: usize,
    },
    /// Chances as parts of one, `0.25`, which are read as percentages.
    Fractions {
        /// How many cells.
        cells: usize,
    },
    /// Chances and scores between two whole numbers, `41.37`, which are read as the nearest one.
    Rounded {
        /// How many cells.
        cells: usize,
    },
    /// A column that looks as if it said which addresses do not work, and is left out.
    Bounced {
        /// How many cells.
        cells: usize,
    },
    /// A column that says which leads are disqualified or converted, and is not read.
    Closed {
        /// How many cells say so.
        cells: usize,
    },
    /// A column that looks as if it said who may be reached, and is left out.
    Consent {
        /// How many cells.
        cells: usize,
    },
}

impl Note {
    /// Settles how the cells are read where files with these headers were read by `rules` before: what the cells say for sure
    /// counts, and what they leave open is as it was.
    pub(super) fn settle(&mut self, rules: &mut ColumnRules) {
        match self {
            Self::DateOrder { day_first, month_first, proposed, .. } => {
                if rules.date_order.is_none() || (*day_first > 0) != (*month_first > 0) {
                    rules.date_order = *proposed;
                }
                *proposed = rules.date_order;
            }
            // Each cell by itself is what all cells say together.
            Self::DecimalMark { .. } if rules.decimal_mark == Some(DecimalMark::Auto) => {}
            Self::DecimalMark { dot, comma, proposed, .. } => {
                if rules.decimal_mark.is_none() || (*dot > 0) != (*comma > 0) {
                    rules.decimal_mark = *proposed;
                }
                *proposed = rules.decimal_mark;
            }
            _ => {}
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DateOrder { day_first, month_first, either, proposed } => {
                let order = match proposed {
                    Some(DateOrder::DayFirst) => "day first",
                    Some(DateOrder::MonthFirst) => "month first",
                    Some(DateOrder::YearFirst) => "year first",
                    None => "say the order",
                };
                write!(f, "dates: {day_first} day first, {month_first} month first, {either} either: {order}")
            }
            Self::DecimalMark { dot, comma, either, proposed } => {
                let mark = match proposed {
                    Some(DecimalMark::Dot) => "dot",
                    Some(DecimalMark::Comma) => "comma",
                    Some(DecimalMark::Auto) | None => "say the mark",
                };
                write!(f, "decimal marks: {dot} dot, {comma} comma, {either} either: {mark}")
            }
            Self::NoAnswer { word, cells, proposed } => {
                let taken = if *proposed { "counts as empty" } else { "counts as a value" };
                write!(f, "`{word}` stands in {cells} cells and {taken}")
            }
            Self::NoZone { cells } => write!(f, "{cells} times name no zone and are read as UTC"),
            Self::Currency { symbol, cells, kept: true } if Currency::parse(symbol).is_err() => {
                write!(
                    f,
                    "{cells} amounts are in {symbol}, a sign of several currencies: of a lead with none of them it is kept \
                     as its symbol, and a constant currency says which one is meant"
                )
            }
            Self::Currency { symbol, cells, kept: true } => {
                write!(f, "{cells} amounts are in {symbol}, which is kept as the lead's currency")
            }
            Self::Currency { symbol, cells, kept: false } => {
                write!(f, "{cells} amounts are in {symbol}, which this field does not keep")
            }
            Self::Currencies { currencies } => {
                write!(
                    f,
                    "the amounts are in {currencies} currencies: a constant currency rejects all others"
                )
            }
            Self::DiallingCodes { cells } => {
                write!(
                    f,
                    "{cells} cells are dialling codes and no countries: say the region of the phone numbers"
                )
            }
            Self::NationalNumbers { cells } => {
                write!(f, "{cells} phone numbers are national: say their region")
            }
            Self::List { between, cells } => {
                write!(f, "{cells} cells hold several values separated by `{}`", between.escape_debug())
            }
            Self::Systems { systems, cells } => {
                write!(f, "{cells} cells name the system of each id: {}", systems.join(", "))
            }
            Self::Address { cells } => write!(f, "{cells} cells hold a whole address"),
            Self::DottedDates { cells } => {
                write!(f, "{cells} dates with dots can be read in two ways and are read day first")
            }
            Self::OddList { between, cells } => write!(
                f,
                "{cells} cells have `{}` in them, which separates nothing here: commas and semicolons do",
                between.escape_debug()
            ),
            Self::DressedEmails { cells } => {
                write!(f, "{cells} cells have something around the address: the address alone is read")
            }
            Self::Fractions { cells } => {
                write!(f, "{cells} cells are parts of one and are read as percentages: 0.25 is 25")
            }
            Self::Rounded { cells } => {
                write!(f, "{cells} cells lie between two whole numbers: the nearest one is read")
            }
            Self::Bounced { cells } => write!(
                f,
                "looks as if its {cells} cells said which addresses do not work, and is left out: give it `opt_out` and \
                 `invalid`, with its words for yes and no"
            ),
            Self::Closed { cells } => write!(
                f,
                "{cells} cells say that a lead is disqualified or converted: it comes in open, unless it is here already"
            ),
            Self::Consent { cells } => write!(
                f,
                "looks as if its {cells} cells said who may be reached, and is left out: give it `opt_out`, with its words \
                 for yes and no"
            ),
        }
    }
}

/// What is proposed for a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ColumnProposal {
    /// The header, as the file has it.
    pub header: String,
    /// The field; none where nothing fits or the file has a better column for it.
    pub field: Option<Field>,
    /// How sure the proposal is, from 0 to 1; 0 without a field.
    pub confidence: f64,
    /// Why.
    pub evidence: Vec<Evidence>,
    /// Where nothing is proposed: what it may be, and how sure that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perhaps: Option<(Field, f64)>,
    /// How the cells would be read.
    #[serde(default, skip_serializing_if = "ColumnRules::is_default")]
    pub rules: ColumnRules,
    /// What a person should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// A mapping with how sure each of its columns is, and why: for a form in which a person corrects it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Proposal {
    /// The columns, from left to right.
    pub columns: Vec<ColumnProposal>,
    /// What the mapping as a whole is a repetition of: [last use](Evidence::LastUse), a [saved](Evidence::Saved) mapping, the
    /// import that [rejected](Evidence::Rejects) these rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapped_as: Option<Evidence>,
    /// The constants of a mapping that was used before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constants: Vec<super::Constant>,
}

impl Proposal {
    /// The mapping, as it would be imported.
    #[must_use]
    pub fn mapping(&self) -> Mapping {
        let columns = self.columns.iter().map(|column| ColumnMapping {
            header: column.header.clone(),
            field: column.field.clone(),
            rules: if column.field.is_some() { column.rules.clone() } else { ColumnRules::default() },
        });
        Mapping { columns: columns.collect(), constants: self.constants.clone() }
    }

    /// Without the fields that somebody may not see.
    pub(in crate::exchange) fn without(mut self, is_hidden: impl Fn(&Field) -> bool) -> Self {
        for column in &mut self.columns {
            // What is seen of both is opted out.
            if column.rules.opt_out == Some(OptOut::All) {
                let kinds = [Field::Email, Field::Phone].into_iter();
                let seen: Vec<Field> = kinds.filter(|field| !is_hidden(field)).collect();
                if let [only] = seen.as_slice() {
                    (column.field, column.rules.opt_out) = (Some(only.clone()), Some(OptOut::Own));
                }
            }
            if column.field.take_if(|field| is_hidden(field)).is_some() {
                (column.confidence, column.evidence) = (0.0, Vec::new());
                (column.rules, column.notes) = (ColumnRules::default(), Vec::new());
            }
            column.perhaps.take_if(|(field, _)| is_hidden(field));
        }
        self.constants.retain(|constant| !is_hidden(&constant.field));
        self
    }
}
