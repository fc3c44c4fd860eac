//! From a filter to its text.

use std::fmt::Write as _;

use crate::domain::FieldValue;

use super::super::filter::{Condition, Filter, Operator};
use super::super::period::{Period, Relative, Unit};
use super::tokens::{MARK, Words};

/// What is still to be written, the next piece last.
enum Piece<'a> {
    Text(&'static str),
    Filter(&'a Filter),
}

/// In a loop: a filter may nest deeper than the stack is.
pub(super) fn text(filter: &Filter) -> String {
    let mut out = String::new();
    // The outermost list needs no parentheses.
    let mut todo = Vec::new();
    match filter {
        Filter::All(list) if list.len() > 1 => push_list(&mut todo, list, " and "),
        Filter::Any(list) if list.len() > 1 => push_list(&mut todo, list, " or "),
        other => todo.push(Piece::Filter(other)),
    }
    while let Some(piece) = todo.pop() {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Filter(filter) => one(filter, &mut out, &mut todo),
        }
    }
    out
}

fn push_list<'a>(todo: &mut Vec<Piece<'a>>, list: &'a [Filter], between: &'static str) {
    for (n, inner) in list.iter().enumerate().rev() {
        todo.push(Piece::Filter(inner));
        if n > 0 {
            todo.push(Piece::Text(between));
        }
    }
}

fn one<'a>(filter: &'a Filter, out: &mut String, todo: &mut Vec<Piece<'a>>) {
    match filter {
        Filter::All(list) | Filter::Any(list) => {
            let all = matches!(filter, Filter::All(_));
            todo.push(Piece::Text(")"));
            push_list(todo, list, if all { " and " } else { " or " });
            // A list of one or none would not be read back as a list.
            out.push_str(match (list.len(), all) {
                (0 | 1, true) => "all(",
                (0 | 1, false) => "any(",
                _ => "(",
            });
        }
        Filter::Not(inner) => {
            out.push_str("not ");
            todo.push(Piece::Filter(inner));
        }
        Filter::Where(wanted) => condition(wanted, out),
        Filter::Search(text) => {
            out.push_str("text ~ ");
            quote(text, out);
        }
        Filter::Is(circumstance) => {
            out.push_str("is ");
            out.push_str(circumstance.code());
        }
        Filter::Has(role) => {
            out.push_str("has ");
            out.push_str(role.code());
        }
    }
}

fn condition(condition: &Condition, out: &mut String) {
    let Condition { field, op, value } = condition;
    let words = Words::of(field);
    out.push_str(field.key());
    let sign = match op {
        Operator::Eq => "=",
        Operator::Ne => "!=",
        Operator::In => "in",
        Operator::Contains => "~",
        Operator::StartsWith => "starts with",
        Operator::EndsWith => "ends with",
        Operator::Lt => "<",
        Operator::Le => "<=",
        Operator::Gt => ">",
        Operator::Ge => ">=",
        Operator::Between => "between",
        Operator::IsEmpty => "is empty",
        Operator::LastDays => "last",
        Operator::NextDays => "next",
        Operator::OlderThanDays => "older than",
        Operator::During => "during",
    };
    let days = matches!(op, Operator::LastDays | Operator::NextDays | Operator::OlderThanDays);
    match (op, value) {
        (Operator::IsEmpty, FieldValue::Bool(true)) => out.push_str(" is empty"),
        (Operator::IsEmpty, FieldValue::Bool(false)) => out.push_str(" is not empty"),
        (Operator::Between, FieldValue::List(ends)) if ends.len() == 2 => {
            out.push_str(" between ");
            literal(ends.first().unwrap_or(&FieldValue::Empty), words, out);
            out.push_str(" and ");
            literal(ends.last().unwrap_or(&FieldValue::Empty), words, out);
        }
        (Operator::During, FieldValue::Text(text)) if period(text).is_some() => {
            out.push(' ');
            out.push_str(&period(text).unwrap_or_default());
        }
        // A value that does not fit is written behind a sign that no fitting one has there.
        (Operator::IsEmpty, _) | (Operator::Between, FieldValue::Empty | FieldValue::Text(_)) => {
            let _ = write!(out, " {sign} = ");
            literal(value, words, out);
        }
        (Operator::Between, value) if !matches!(value, FieldValue::List(_)) => {
            let _ = write!(out, " {sign} = ");
            literal(value, words, out);
        }
        _ => {
            let _ = write!(out, " {sign} ");
            literal(value, words, out);
            out.push_str(if days { " days" } else { "" });
        }
    }
}

/// A period in words, where it is one.
fn period(text: &str) -> Option<String> {
    let period: Period = text.parse().ok()?;
    Some(match (period.which, period.unit) {
        (_, Unit::Day) => period.to_string(),
        (which, unit) => {
            let which = match which {
                Relative::Last => "last",
                Relative::This => "this",
                Relative::Next => "next",
            };
            match unit {
                Unit::FiscalQuarter(start) => format!("{which} fiscal quarter from {start}"),
                Unit::FiscalYear(start) => format!("{which} fiscal year from {start}"),
                _ => period.to_string().replace('_', " "),
            }
        }
    })
}

fn literal(value: &FieldValue, words: Words, out: &mut String) {
    if words.marks(value) {
        out.push(MARK);
    }
    // Writing to a text never fails.
    let _ = match value {
        FieldValue::Empty => out.write_str("null"),
        FieldValue::Text(text) => {
            quote(text, out);
            Ok(())
        }
        FieldValue::Bool(value) => write!(out, "{value}"),
        FieldValue::Integer(value) => write!(out, "{value}"),
        // The mark tells it from a whole number.
        FieldValue::Decimal(value) if value.scale() == 0 => write!(out, "{value}.0"),
        FieldValue::Decimal(value) => write!(out, "{value}"),
        FieldValue::Time(value) => write!(out, "{value}"),
        FieldValue::Date(value) => write!(out, "{value}"),
        FieldValue::Id(value) => write!(out, "{value}"),
        FieldValue::List(list) => {
            out.push('(');
            for (n, item) in list.iter().enumerate() {
                out.push_str(if n > 0 { ", " } else { "" });
                literal(item, words, out);
            }
            out.write_str(")")
        }
    };
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if letter.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}
