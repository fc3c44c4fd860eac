//! From tokens to a filter.

use std::borrow::Cow;

use crate::domain::{Field, FieldValue, LinkRole, nearest};
use crate::error::ViolationCode;

use super::super::check::MAX_DEPTH;
use super::super::filter::{Circumstance, Filter, Operator};
use super::tokens::{Kind, Token, Words, tokens};
use super::{MAX_TEXT, TextError};

type Parsed<T> = Result<T, TextError>;

/// Words that stand for a field beside its key.
const ALIASES: [(&str, Field); 8] = [
    ("created", Field::CreatedAt),
    ("modified", Field::UpdatedAt),
    ("updated", Field::UpdatedAt),
    ("converted", Field::ConvertedAt),
    ("closed", Field::ClosedAt),
    ("status", Field::Stage),
    ("label", Field::Labels),
    ("follow_up_state", Field::FollowUp),
];

/// Words that are no values, unless in quotes.
const RESERVED: [&str; 3] = ["and", "or", "not"];

const AN_OPERATOR: &str = "an operator";

pub(super) fn filter(text: &str) -> Parsed<Filter> {
    if text.len() > MAX_TEXT {
        return Err(TextError::at(text, MAX_TEXT, ViolationCode::TooLong, "a text of at most 1 MiB"));
    }
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0, words: Words::Typed };
    if *parser.peek() == Kind::End {
        return Ok(Filter::everything());
    }
    let filter = parser.any()?;
    match parser.peek() {
        Kind::End => Ok(filter),
        // `city = New York`: the second word is most likely meant as one more of the value.
        Kind::Word(_) if matches!(parser.behind(), Some(Kind::Word(_))) => {
            Err(parser.expected("`and`, `or` or the end; text with blanks stands in quotes"))
        }
        _ => Err(parser.expected("`and`, `or` or the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    words: Words,
}

impl Parser<'_> {
    fn peek(&self) -> &Kind {
        self.ahead(0)
    }

    fn ahead(&self, by: usize) -> &Kind {
        self.tokens.get(self.next.saturating_add(by)).map_or(&Kind::End, |token| &token.kind)
    }

    /// The token before the next one.
    fn behind(&self) -> Option<&Kind> {
        self.next.checked_sub(1).and_then(|at| self.tokens.get(at)).map(|token| &token.kind)
    }

    fn expected(&self, what: impl Into<Cow<'static, str>>) -> TextError {
        let at = self.tokens.get(self.next).map_or(self.text.len(), |token| token.at);
        TextError::at(self.text, at, ViolationCode::Malformed, what)
    }

    /// Passes over one token when it is this word.
    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Kind::Word(next) if next.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    fn mark(&mut self, mark: char) -> bool {
        let found = *self.peek() == Kind::Mark(mark);
        self.next += usize::from(found);
        found
    }

    fn need_word(&mut self, word: &'static str) -> Parsed<()> {
        if self.word(word) { Ok(()) } else { Err(self.expected(format!("`{word}`"))) }
    }

    fn need_mark(&mut self, mark: char) -> Parsed<()> {
        if self.mark(mark) { Ok(()) } else { Err(self.expected(format!("`{mark}`"))) }
    }

    /// One level deeper: refused before the stack can overflow.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            let mut error = self.expected("at most 32 levels of `not` and parentheses");
            error.code = ViolationCode::TooLong;
            return Err(error);
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn any(&mut self) -> Parsed<Filter> {
        let first = self.all()?;
        let mut list = vec![first];
        while self.word("or") {
            list.push(self.all()?);
        }
        Ok(joined(list, Filter::Any))
    }

    fn all(&mut self) -> Parsed<Filter> {
        let first = self.one()?;
        let mut list = vec![first];
        while self.word("and") {
            list.push(self.one()?);
        }
        Ok(joined(list, Filter::All))
    }

    fn one(&mut self) -> Parsed<Filter> {
        if self.word("not") {
            return Ok(!self.deeper(Self::one)?);
        }
        if self.mark('(') {
            let inner = self.deeper(Self::any)?;
            self.need_mark(')')?;
            return Ok(inner);
        }
        if *self.ahead(1) == Kind::Mark('(') {
            if self.word("all") {
                return self.deeper(Self::list).map(Filter::All);
            }
            if self.word("any") {
                return self.deeper(Self::list).map(Filter::Any);
            }
        }
        if self.word("is") {
            let not = self.word("not");
            let found = self.code(Circumstance::from_code, "`unread`, `rotting` or `followed`")?;
            return Ok(negated(not, Filter::Is(found)));
        }
        if self.word("has") {
            let no = self.word("no");
            let expected = "`contact`, `primary_contact` or `converted_to`";
            let found = self.code(LinkRole::from_code, expected)?;
            return Ok(negated(no, Filter::Has(found)));
        }
        if matches!(self.ahead(1), Kind::Sign("~" | "!~")) && self.word("text") {
            let not = *self.peek() == Kind::Sign("!~");
            self.next += 1;
            let text = self.text_value()?;
            return Ok(negated(not, Filter::Search(text)));
        }
        self.condition()
    }

    /// `(a, b)` behind `all` or `any`.
    fn list(&mut self) -> Parsed<Vec<Filter>> {
        self.need_mark('(')?;
        let mut list = Vec::new();
        if self.mark(')') {
            return Ok(list);
        }
        loop {
            list.push(self.any()?);
            if self.mark(')') {
                return Ok(list);
            }
            if !self.mark(',') {
                return Err(self.expected("`,` or `)`"));
            }
        }
    }

    fn code<T>(&mut self, read: impl Fn(&str) -> Option<T>, expected: &'static str) -> Parsed<T> {
        let found = match self.peek() {
            Kind::Word(word) => read(&word.to_ascii_lowercase()),
            _ => None,
        };
        let found = found.ok_or_else(|| self.expected(expected))?;
        self.next += 1;
        Ok(found)
    }

    fn condition(&mut self) -> Parsed<Filter> {
        let field = self.field()?;
        self.words = Words::of(&field);
        if let Kind::Sign(sign) = *self.peek() {
            self.next += 1;
            let (op, not) = match sign {
                "=" => (Operator::Eq, false),
                "!=" => (Operator::Ne, false),
                "<" => (Operator::Lt, false),
                "<=" => (Operator::Le, false),
                ">" => (Operator::Gt, false),
                ">=" => (Operator::Ge, false),
                "~" => (Operator::Contains, false),
                _ => (Operator::Contains, true),
            };
            let value = self.value()?;
            return Ok(negated(not, Filter::new(field, op, value)));
        }
        if self.word("is") {
            let not = self.word("not");
            self.need_word("empty")?;
            let value = match self.other_value()? {
                Some(value) if !not => value,
                Some(_) => return Err(self.expected("no value here")),
                None => FieldValue::Bool(!not),
            };
            return Ok(Filter::new(field, Operator::IsEmpty, value));
        }
        if self.word("not") {
            self.need_word("in")?;
            let value = self.value()?;
            return Ok(!Filter::new(field, Operator::In, value));
        }
        let op = self.operator()?;
        let value = self.value_for(op.0, op.1)?;
        Ok(Filter::new(field, op.0, value))
    }

    fn field(&mut self) -> Parsed<Field> {
        let expected = "a field, `not`, `is`, `has`, `text ~` or `(`";
        let found = match self.peek() {
            Kind::Word(word) => {
                let lower = word.to_lowercase();
                let alias = ALIASES.iter().find(|(alias, _)| *alias == lower).map(|(_, field)| field.clone());
                word.parse().ok().or_else(|| lower.parse().ok()).or(alias)
            }
            _ => None,
        };
        let field = found.ok_or_else(|| {
            let Kind::Word(word) = self.peek() else { return self.expected(expected) };
            let mut error = match nearest(word) {
                Some(field) => self.expected(format!("{expected}; did you mean `{field}`?")),
                None => self.expected(expected),
            };
            error.code = ViolationCode::Unknown;
            error
        })?;
        self.next += 1;
        Ok(field)
    }

    /// An operator in words, and the period when it is one.
    fn operator(&mut self) -> Parsed<(Operator, Option<String>)> {
        for day in ["today", "yesterday", "tomorrow"] {
            if self.word(day) {
                return Ok((Operator::During, Some(day.to_owned())));
            }
        }
        for (word, op) in [
            ("in", Operator::In),
            ("contains", Operator::Contains),
            ("between", Operator::Between),
            ("during", Operator::During),
            ("starts_with", Operator::StartsWith),
            ("ends_with", Operator::EndsWith),
        ] {
            if self.word(word) {
                return Ok((op, None));
            }
        }
        for (first, second, op) in [
            ("starts", "with", Operator::StartsWith),
            ("ends", "with", Operator::EndsWith),
            ("older", "than", Operator::OlderThanDays),
        ] {
            if self.word(first) {
                self.need_word(second)?;
                return Ok((op, None));
            }
        }
        for (word, op) in
            [("last", Some(Operator::LastDays)), ("next", Some(Operator::NextDays)), ("this", None)]
        {
            if self.word(word) {
                return match self.period()? {
                    Some(unit) => Ok((Operator::During, Some(format!("{word}_{unit}")))),
                    None => Ok((
                        op.ok_or_else(|| self.expected("`week`, `month`, `quarter`, `year` or `fiscal`"))?,
                        None,
                    )),
                };
            }
        }
        Err(self.expected(AN_OPERATOR))
    }

    /// `month`, or `fiscal year from 4`.
    fn period(&mut self) -> Parsed<Option<String>> {
        for unit in ["week", "month", "quarter", "year"] {
            if self.word(unit) {
                return Ok(Some(unit.to_owned()));
            }
        }
        if !self.word("fiscal") {
            return Ok(None);
        }
        let unit = match (self.word("quarter"), self.word("year")) {
            (true, _) => "quarter",
            (_, true) => "year",
            _ => return Err(self.expected("`quarter` or `year`")),
        };
        self.need_word("from")?;
        let month = match self.peek() {
            Kind::Word(word) => word.parse().ok().filter(|month: &u8| (1..=12).contains(month)),
            _ => None,
        };
        let month = month.ok_or_else(|| self.expected("a month from 1 to 12"))?;
        self.next += 1;
        Ok(Some(format!("fiscal_{unit}_from_{month}")))
    }

    fn value_for(&mut self, op: Operator, period: Option<String>) -> Parsed<FieldValue> {
        if let Some(period) = period {
            return Ok(period.into());
        }
        match op {
            Operator::Between => {
                if let Some(other) = self.other_value()? {
                    return Ok(other);
                }
                let from = self.value()?;
                if matches!(from, FieldValue::List(_)) {
                    return Ok(from);
                }
                self.need_word("and")?;
                Ok(FieldValue::List(vec![from, self.value()?]))
            }
            Operator::LastDays | Operator::NextDays | Operator::OlderThanDays => {
                let value = self.value()?;
                if !self.word("day") {
                    self.need_word("days")?;
                }
                Ok(value)
            }
            _ => self.value(),
        }
    }

    /// A value behind `=`, where the operator has none of its own.
    fn other_value(&mut self) -> Parsed<Option<FieldValue>> {
        if *self.peek() != Kind::Sign("=") {
            return Ok(None);
        }
        self.next += 1;
        self.value().map(Some)
    }

    fn value(&mut self) -> Parsed<FieldValue> {
        if !self.mark('(') {
            return self.simple();
        }
        let mut list = Vec::new();
        if self.mark(')') {
            return Ok(FieldValue::List(list));
        }
        loop {
            list.push(self.simple()?);
            if self.mark(')') {
                return Ok(FieldValue::List(list));
            }
            if !self.mark(',') {
                return Err(self.expected("`,` or `)`"));
            }
        }
    }

    fn simple(&mut self) -> Parsed<FieldValue> {
        let value = match self.peek() {
            Kind::Quoted(text) => Some(FieldValue::Text(text.clone())),
            Kind::Word(word) if !RESERVED.iter().any(|reserved| word.eq_ignore_ascii_case(reserved)) => {
                Some(self.words.value(word))
            }
            _ => None,
        };
        let value = value.ok_or_else(|| self.expected("a value; text with blanks stands in quotes"))?;
        self.next += 1;
        Ok(value)
    }

    /// A value that is text as it stands.
    fn text_value(&mut self) -> Parsed<String> {
        let text = match self.peek() {
            Kind::Quoted(text) | Kind::Word(text) => Some(text.clone()),
            _ => None,
        };
        let text = text.ok_or_else(|| self.expected("a text"))?;
        self.next += 1;
        Ok(text)
    }
}

/// The filter itself where there is but one.
fn joined(mut list: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match list.pop() {
        Some(one) if list.is_empty() => one,
        last => {
            list.extend(last);
            join(list)
        }
    }
}

fn negated(not: bool, filter: Filter) -> Filter {
    if not { !filter } else { filter }
}
