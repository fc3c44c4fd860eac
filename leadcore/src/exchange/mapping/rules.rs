//! How the cells of one column are read.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::domain::{CustomType, Field, FieldType};
use crate::error::{ValueError, Violation, ViolationCode};
use crate::value::{Country, DecimalMark, LIST_MARKS, split_list};

/// In which order a date that is all numbers names its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// `25/12/2026`
    DayFirst,
    /// `12/25/2026`
    MonthFirst,
    /// `26-12-25`; four digits in front are always the year.
    YearFirst,
}

/// What the numbers of a column count, where the header says it: `Revenue (k€)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Thousands.
    Thousands,
    /// Millions.
    Millions,
    /// Parts of one, of what is told in percent: `0.25` is 25. What has a percent sign stays as it is.
    Fractions,
}

impl Unit {
    /// What a number of the column is multiplied by.
    #[must_use]
    pub const fn factor(self) -> i64 {
        match self {
            Self::Thousands => 1_000,
            Self::Millions => 1_000_000,
            Self::Fractions => 100,
        }
    }
}

/// How one cell becomes several values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Split {
    /// Of a full name: the family name stands first behind the titles, `Dr. Berg Anna Lise`. Without it the given name does;
    /// `Berg, Anna` is read in either case.
    FamilyFirst,
    /// A list of values with this between them; without it commas and semicolons separate.
    List(String),
    /// One line holds the whole address: street, postal code, city, region and country are taken out of it. Columns of their
    /// own win over it.
    Address,
    /// Of ids in other systems: a list of `system:id` with commas or semicolons between, as an export writes them
    /// (`sap:78, web:9`). What holds a comma or a quote stands in quotes (`"sap:a, b"`); the first colon ends the name of the
    /// system, and an id without one is of the import's own system.
    ExternalIds,
}

/// Which addresses of a lead a yes in a column keeps from being used: `Do not call`, `Email opt out`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptOut {
    /// Those of the column's field: every e-mail, or every phone.
    Own,
    /// Every e-mail and every phone.
    All,
}

/// What becomes of a cell that its field cannot take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadValues {
    /// Its line is rejected.
    Reject,
    /// The line is taken without it, and the report tells it.
    LeaveOut,
}

/// How the cells of one column are read; by default as the [import's options](super::super::import::ImportOptions) say.
///
/// ```
/// use leadcore::exchange::{ColumnRules, DateOrder};
/// let rules = ColumnRules::new().date_order(DateOrder::DayFirst).default_value("2026-12-31");
/// assert_eq!(serde_json::to_string(&rules)?, r#"{"date_order":"day_first","default":"2026-12-31"}"#);
/// assert!(serde_json::from_str::<ColumnRules>(r#"{"date_ordre":"day_first"}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ColumnRules {
    /// The order of day and month. Without it a date that can be read in two ways rejects its line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_order: Option<DateOrder>,
    /// Minutes east of UTC, for times that name no zone. Without it they reject their lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utc_offset: Option<i32>,
    /// The decimal mark of numbers and amounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal_mark: Option<DecimalMark>,
    /// What amounts and numbers are multiplied by. A `K` or `M` in a cell multiplies too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Where national phone numbers of the column are dialled from, whatever country the row names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Country>,
    /// Words that mean yes, beside the usual ones of a dozen languages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub yes: Vec<String>,
    /// Words that mean no.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub no: Vec<String>,
    /// Cells that count as empty, compared without case, in the place of those of the options; an empty list means that
    /// every word is a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_answer: Option<Vec<String>>,
    /// What a new lead gets where the cell is empty, or all cells that are joined. A lead that is there is left alone by an empty
    /// cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// How a cell becomes several values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// Puts the cell behind what the columns to the left gave the same field, with this text between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join: Option<String>,
    /// The column of an e-mail or phone holds no addresses, but whether nobody may use them: a yes marks all that the lead has
    /// as opted out, once its row is written. A no and an empty cell take no mark off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opt_out: Option<OptOut>,
    /// What becomes of cells that the field cannot take; without it they reject their lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bad_values: Option<BadValues>,
    /// A no in a column of [`opt_out`](Self::opt_out) takes the mark off.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub opt_in: bool,
    /// The column of [`opt_out`](Self::opt_out) says it the other way round (`Subscribed`, `Marketing consent`): a no marks, a yes
    /// does not. Words that are clear by themselves (`unsubscribed`) mean what they say.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub inverted: bool,
    /// The column of [`opt_out`](Self::opt_out) says which addresses do not work (`Email bounced`): a yes marks those of the
    /// row as invalid, of a row without any the first one of its lead.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub invalid: bool,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($type:ty) => |$rules:ident, $value:ident| $set:expr;)+) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $value: $type) -> Self {
            let $rules = &mut self;
            $set;
            self
        }
    )+};
}

impl ColumnRules {
    /// No rule.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The names that a cell lists.
    pub(in crate::exchange) fn names_in<'c>(&self, cell: &'c str) -> Vec<Cow<'c, str>> {
        match &self.split {
            Some(Split::List(between)) => split_list(cell, &[between.as_str()]),
            _ => split_list(cell, &LIST_MARKS),
        }
    }

    /// Takes over what a column that is joined behind says of the whole, where this one says nothing.
    pub(in crate::exchange) fn adopt(&mut self, joined: &Self) {
        self.default = self.default.take().or_else(|| joined.default.clone());
        self.bad_values = self.bad_values.or(joined.bad_values);
    }

    /// Takes over what the cells say of how they are read, where nothing is said.
    pub(in crate::exchange) fn fill(&mut self, by_cells: &Self) {
        self.date_order = self.date_order.or(by_cells.date_order);
        self.decimal_mark = self.decimal_mark.or(by_cells.decimal_mark);
        self.unit = self.unit.or(by_cells.unit);
        if self.split.is_none() && matches!(by_cells.split, Some(Split::List(_))) {
            self.split.clone_from(&by_cells.split);
        }
    }

    setters! {
        /// Says the order of day and month.
        date_order(DateOrder) => |rules, order| rules.date_order = Some(order);
        /// Says the zone of times that name none, in minutes east of UTC.
        utc_offset(i32) => |rules, minutes| rules.utc_offset = Some(minutes);
        /// Says the decimal mark.
        decimal_mark(DecimalMark) => |rules, mark| rules.decimal_mark = Some(mark);
        /// Says what the numbers count.
        unit(Unit) => |rules, unit| rules.unit = Some(unit);
        /// Says where national phone numbers are dialled from.
        region(Country) => |rules, region| rules.region = Some(region);
        /// Adds a word for yes.
        yes(&str) => |rules, word| rules.yes.push(word.to_owned());
        /// Adds a word for no.
        no(&str) => |rules, word| rules.no.push(word.to_owned());
        /// Says which words count as empty.
        no_answer(Vec<String>) => |rules, words| rules.no_answer = Some(words);
        /// Says what new leads get where the cell is empty.
        default_value(&str) => |rules, value| rules.default = Some(value.to_owned());
        /// Says how a cell becomes several values.
        split(Split) => |rules, split| rules.split = Some(split);
        /// Says what becomes of cells that the field cannot take.
        bad_values(BadValues) => |rules, then| rules.bad_values = Some(then);
        /// Says that the column tells who must not be reached.
        opt_out(OptOut) => |rules, which| rules.opt_out = Some(which);
        /// Lets a no take the mark off.
        opt_in(bool) => |rules, yes| rules.opt_in = yes;
        /// Says that a yes in the column of who opted out lets the address be used.
        inverted(bool) => |rules, yes| rules.inverted = yes;
        /// Says that the column of who opted out tells which addresses do not work instead.
        invalid(bool) => |rules, yes| rules.invalid = yes;
        /// Joins the column to those on its left, with this between them.
        join(&str) => |rules, between| rules.join = Some(between.to_owned());
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What does not fit a field of this type, at `mapping.<field>`.
    pub(in crate::exchange) fn violations(
        &self,
        field: &Field,
        kind: &FieldType,
        custom: Option<&CustomType>,
    ) -> Vec<Violation> {
        let mut broken = Vec::new();
        let mut refuse = |message: &'static str| {
            let error = ValueError::new(ViolationCode::NotAllowed, message);
            broken.push(error.at(format!("mapping.{field}")));
        };
        match &self.split {
            Some(Split::FamilyFirst) if *field != Field::Name => {
                refuse("only a full name has a family name in front");
            }
            Some(Split::Address) if *field != Field::Street => {
                refuse("a whole address is split in the column of the street");
            }
            Some(Split::ExternalIds) if *field != Field::ExternalId => {
                refuse("only ids in other systems have a system before them");
            }
            Some(Split::List(between)) if between.is_empty() => {
                refuse("a list needs something between its values");
            }
            Some(Split::List(_))
                if !matches!(field, Field::Email | Field::Phone | Field::Labels)
                    && !custom.is_some_and(CustomType::is_multiple) =>
            {
                refuse("this field takes no list");
            }
            _ => {}
        }
        if self.opt_out.is_some() && !matches!(field, Field::Email | Field::Phone) {
            refuse("only e-mails and phones are opted out");
        }
        if self.opt_in && self.opt_out.is_none() {
            refuse("only a column of who opted out takes marks off");
        }
        if self.opt_out.is_some() && self.bad_values.is_some() {
            refuse(
                "what a column of who opted out says is not left out: its words are said by `yes` and `no`",
            );
        }
        if self.inverted && self.opt_out.is_none() {
            refuse("only a column of who opted out is read the other way round");
        }
        if self.invalid && (self.opt_out != Some(OptOut::Own) || self.opt_in) {
            refuse("only a column of `opt_out` for its own addresses says which ones do not work");
        }
        if self.join.is_some() && !takes_joined(field, kind) {
            refuse("only columns of text can be joined");
        }
        let is = |known: fn(&FieldType) -> bool, custom_is: fn(&CustomType) -> bool| {
            custom.map_or_else(|| known(kind), custom_is)
        };
        // A column of days may be mapped to a text with the rules that were proposed for it.
        let has_days = is(
            |kind| matches!(kind, FieldType::Date | FieldType::Time | FieldType::Text),
            |custom| matches!(custom, CustomType::Date | CustomType::Time | CustomType::Text),
        );
        if self.date_order.is_some() && !has_days {
            refuse("only dates and times have an order of day and month");
        }
        if self.utc_offset.is_some_and(|minutes| minutes.abs() > 18 * 60) {
            refuse("no time zone is further than 18 hours from UTC");
        }
        broken
    }
}

/// Whether several columns may be joined into the field.
pub(in crate::exchange) fn takes_joined(field: &Field, kind: &FieldType) -> bool {
    *kind == FieldType::Text && !matches!(field, Field::Website | Field::TaxId | Field::CurrencySymbol)
}
