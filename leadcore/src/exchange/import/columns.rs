//! What a report says of each column: the field, how its cells were read, and by what that was guessed.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

use crate::domain::{Catalogue, Field};
use crate::exchange::mapping::column_notes;
use crate::exchange::{
    BadValues, ColumnMapping, ColumnRules, Constant, DateOrder, Evidence, Mapping, Note, OptOut, Sample,
    Split, Unit,
};
use crate::value::DecimalMark;

/// What the first 1,000 rows say of a column, that a person should know: in which order its dates stand, what its decimal mark
/// is, that it looks like consent and is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ColumnNotes {
    /// The header, as the file has it.
    pub header: String,
    /// Which of the columns with this header, from 1.
    pub number: usize,
    /// The field that it fills.
    pub field: Option<Field>,
    /// What to know.
    pub notes: Vec<Note>,
}

impl ColumnNotes {
    /// What to know of the columns of a file that are read by a mapping.
    /// `mark`: what the caller says of columns that say nothing themselves.
    pub(super) fn of(
        sample: &Sample,
        catalogue: &Catalogue,
        mapping: &Mapping,
        mark: DecimalMark,
    ) -> Vec<Self> {
        let headers = sample.headers();
        let noted = column_notes(sample, catalogue, mapping).into_iter().enumerate();
        let noted = noted.filter(|(_, (_, notes))| !notes.is_empty());
        let told = noted.filter_map(|(place, (field, mut notes))| {
            for note in &mut notes {
                if let Note::DecimalMark { proposed: proposed @ None, .. } = note {
                    *proposed = Some(mark).filter(|mark| *mark != DecimalMark::Auto);
                }
            }
            let header = headers.get(place)?.clone();
            let number = headers.iter().take(place + 1).filter(|other| **other == header).count();
            Some(Self { header, number, field, notes })
        });
        told.collect()
    }
}

/// Says where the mapping comes from, where it repeats another one.
pub(super) fn write_source(
    f: &mut fmt::Formatter<'_>,
    mapped_as: Option<&Evidence>,
    read_anew: bool,
) -> fmt::Result {
    let told = match mapped_as {
        Some(Evidence::LastUse) => Some("as when a file with these headers was last imported".to_owned()),
        Some(Evidence::Saved(name)) => Some(format!("by the saved mapping `{name}`")),
        Some(Evidence::Rejects) => Some("as in the import that rejected these rows".to_owned()),
        _ => None,
    };
    if let Some(told) = told {
        writeln!(f, "columns    {told}")?;
    }
    if read_anew {
        writeln!(
            f,
            "note       these rows were rejected by an import of which the file no longer says how it read them: columns, \
             dates and amounts are judged by these rows alone"
        )?;
    }
    Ok(())
}

/// Says of each column what it became, and what every row got.
pub(super) fn write(f: &mut fmt::Formatter<'_>, mapping: &Mapping, noted: &[ColumnNotes]) -> fmt::Result {
    for (place, (column, name)) in mapping.columns.iter().zip(mapping.names()).enumerate() {
        let before = mapping.columns.iter().take(place + 1);
        let number = before.filter(|other| other.header == column.header).count();
        let notes = noted.iter().find(|notes| notes.header == column.header && notes.number == number);
        let notes = notes.map_or(&[][..], |notes| notes.notes.as_slice());
        let field = column.field.as_ref().map_or("(left out)", |field| field.key());
        let said = said(column, notes)?;
        write!(f, "column     {name} -> {field}")?;
        let rules = Some(&column.rules).filter(|_| column.field.is_some());
        match rules.filter(|rules| !rules.invalid).and_then(|rules| Some((rules.opt_out?, rules.inverted))) {
            Some((OptOut::Own, false)) => write!(f, ": who opted out")?,
            Some((OptOut::All, false)) => write!(f, " and phone: who opted out")?,
            Some((OptOut::Own, true)) => write!(f, ": who agreed; a no opts out")?,
            Some((OptOut::All, true)) => write!(f, " and phone: who agreed; a no opts out")?,
            None if rules.is_some_and(|rules| rules.invalid) => write!(f, ": which ones do not work")?,
            None => {}
        }
        if !said.is_empty() {
            write!(f, " ({})", said.join("; "))?;
        }
        writeln!(f)?;
    }
    for Constant { field, value } in &mapping.constants {
        writeln!(f, "every row  `{value}` -> {}", field.key())?;
    }
    Ok(())
}

/// Says what every row had when a file with these headers was last imported, and none has now.
pub(super) fn write_not_said(f: &mut fmt::Formatter<'_>, constants: &[Constant]) -> fmt::Result {
    for Constant { field, value } in constants {
        writeln!(
            f,
            "note       every row had `{value}` as {} then: say it as a constant to have it again",
            field.key()
        )?;
    }
    Ok(())
}

/// How the cells of a column are read, and by what that was guessed.
fn said(column: &ColumnMapping, notes: &[Note]) -> Result<Vec<String>, fmt::Error> {
    let rules = &column.rules;
    let mut said = Vec::new();
    if column.field.is_some() {
        said.extend(dates(rules, notes)?);
        said.extend(marks(rules, notes)?);
        others(rules, &mut said);
    }
    said.extend(notes.iter().filter(|note| is_told(note)).map(ToString::to_string));
    Ok(said)
}

/// Whether a note stands in the report in its own words.
const fn is_told(note: &Note) -> bool {
    matches!(
        note,
        Note::Consent { .. }
            | Note::Closed { .. }
            | Note::Bounced { .. }
            | Note::DottedDates { .. }
            | Note::OddList { .. }
            | Note::DressedEmails { .. }
            | Note::Fractions { .. }
            | Note::Rounded { .. }
            | Note::Currency { .. }
    )
}

fn dates(rules: &ColumnRules, notes: &[Note]) -> Result<Option<String>, fmt::Error> {
    let found = notes.iter().find_map(|note| match note {
        Note::DateOrder { day_first, month_first, either, .. } => Some((*day_first, *month_first, *either)),
        _ => None,
    });
    let Some(order) = rules.date_order else {
        let open = notes.iter().find(|note| matches!(note, Note::DateOrder { .. }));
        return Ok(open.map(ToString::to_string));
    };
    let (mut text, other) = match order {
        DateOrder::DayFirst => ("day first".to_owned(), "month first"),
        DateOrder::MonthFirst => ("month first".to_owned(), "day first"),
        DateOrder::YearFirst => return Ok(Some("year first".to_owned())),
    };
    if let Some((day, month, either)) = found {
        let (so, not) = if order == DateOrder::DayFirst { (day, month) } else { (month, day) };
        write!(text, ": {} of the cells looked at say so, {} either", grouped(so), grouped(either))?;
        if not > 0 {
            write!(text, ", {} {other}", grouped(not))?;
        }
    }
    Ok(Some(text))
}

fn marks(rules: &ColumnRules, notes: &[Note]) -> Result<Option<String>, fmt::Error> {
    let found = notes.iter().find_map(|note| match note {
        Note::DecimalMark { dot, comma, either, .. } => Some((*dot, *comma, *either)),
        _ => None,
    });
    let (mut text, is_dot) = match rules.decimal_mark {
        Some(DecimalMark::Dot) => ("decimal dot".to_owned(), true),
        Some(DecimalMark::Comma) => ("decimal comma".to_owned(), false),
        Some(DecimalMark::Auto) => return Ok(Some("decimal mark by each cell".to_owned())),
        None => {
            let open = |note: &&Note| matches!(note, Note::DecimalMark { proposed: None, .. });
            return Ok(notes.iter().find(open).map(ToString::to_string));
        }
    };
    if let Some((dot, comma, either)) = found {
        let (so, not) = if is_dot { (dot, comma) } else { (comma, dot) };
        write!(text, ": {} of the cells looked at say so, {} either", grouped(so), grouped(either))?;
        if not > 0 {
            write!(text, ", {} the other", grouped(not))?;
        }
    }
    Ok(Some(text))
}

fn others(rules: &ColumnRules, said: &mut Vec<String>) {
    if let Some(minutes) = rules.utc_offset {
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
        said.push(format!("times without a zone: UTC{sign}{hours:02}:{rest:02}"));
    }
    match rules.unit {
        Some(Unit::Thousands) => said.push("in thousands".to_owned()),
        Some(Unit::Millions) => said.push("in millions".to_owned()),
        Some(Unit::Fractions) => said.push("parts of one".to_owned()),
        None => {}
    }
    if let Some(region) = rules.region {
        said.push(format!("national numbers: {}", region.code()));
    }
    match &rules.split {
        Some(Split::FamilyFirst) => said.push("family name first".to_owned()),
        Some(Split::List(between)) => said.push(format!("a list with `{}` between", between.escape_debug())),
        Some(Split::Address) => said.push("whole addresses".to_owned()),
        Some(Split::ExternalIds) => said.push("ids behind their systems".to_owned()),
        None => {}
    }
    if rules.join.is_some() {
        said.push("behind the columns before it".to_owned());
    }
    for (words, what) in [(&rules.yes, "yes"), (&rules.no, "no")] {
        if !words.is_empty() {
            said.push(format!("{} means {what}", quoted(words)));
        }
    }
    match rules.no_answer.as_deref() {
        Some([]) => said.push("every word is a value".to_owned()),
        Some(words) => said.push(format!("{} counts as empty", quoted(words))),
        None => {}
    }
    if let Some(value) = &rules.default {
        said.push(format!("new leads without it: `{value}`"));
    }
    if rules.bad_values == Some(BadValues::LeaveOut) {
        said.push("bad values are left out".to_owned());
    }
    if rules.opt_in {
        said.push("takes marks off too".to_owned());
    }
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// `2880` as `2,880`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
