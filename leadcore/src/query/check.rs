//! From what a caller wrote to what a store can trust: operators fit, values have the type of their field.

use std::borrow::Cow;

use uuid::Uuid;

use crate::domain::{Field, FieldType, FieldValue, LeadState};
use crate::error::{Error, Result, ValueError, Violation, ViolationCode};
use crate::time::{Date, Timestamp};
use crate::value::fold;

use super::asker::Asker;
use super::filter::{Circumstance, Condition, Filter, Operator, Resolved};
use super::follow_up::{follow_up_state, no_such_state};
use super::period::Period;
use super::search::TextSearch;

/// How deep a filter may nest. A person's filter has a handful of levels; deeper ones are hostile.
pub const MAX_DEPTH: usize = 32;
/// How many conditions and list values a filter may have in all.
const MAX_NODES: usize = 10_000;

impl Filter {
    /// Checks every condition and gives values the type of their field.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) with every misfit at once, each with its path in the
    /// filter; also when the filter nests deeper than [`MAX_DEPTH`] or has more than 10,000 conditions.
    pub fn resolve(&self, asker: &Asker<'_>) -> Result<Resolved> {
        let mut check = Check { asker, broken: Vec::new(), nodes: 0 };
        let resolved = check.tree(self, &Path::Root, 0);
        match resolved {
            Some(resolved) if check.broken.is_empty() => Ok(resolved),
            _ => Err(Error::invalid(check.broken)),
        }
    }

    /// Every field that the filter looks at, each once: what a field mask is checked against. A search is not in it: it
    /// looks into the [parts](Asker::searched) that the actor may see; nor is `owner = me`, which asks for the actor's own
    /// leads and for nobody's name.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        let mut todo = vec![self];
        while let Some(filter) = todo.pop() {
            match filter {
                Self::All(list) | Self::Any(list) => todo.extend(list),
                Self::Not(inner) => todo.push(inner),
                Self::Where(condition) if condition.asks_for_own() => {}
                Self::Where(condition) => fields.push(condition.field.clone()),
                Self::Search(_) | Self::Is(Circumstance::Unread | Circumstance::Followed) | Self::Has(_) => {}
                Self::Is(Circumstance::Rotting) => fields.extend([Field::Stage, Field::ActiveAt]),
            }
        }
        fields.sort();
        fields.dedup();
        fields
    }
}

/// Where in a filter a condition stands; written out only when something is wrong there.
enum Path<'p> {
    Root,
    Step(&'p Self, &'static str),
    Item(&'p Self, usize),
}

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => f.write_str("filter"),
            Self::Step(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, n) => write!(f, "{parent}[{n}]"),
        }
    }
}

struct Check<'a> {
    asker: &'a Asker<'a>,
    broken: Vec<Violation>,
    nodes: usize,
}

impl Check<'_> {
    fn refuse<T>(&mut self, path: &Path<'_>, code: ViolationCode, message: &str) -> Option<T> {
        self.broken.push(Violation::new(path.to_string(), code, message));
        None
    }

    fn tree(&mut self, filter: &Filter, path: &Path<'_>, depth: usize) -> Option<Resolved> {
        self.nodes += 1;
        if depth > MAX_DEPTH {
            return self.refuse(&Path::Root, ViolationCode::TooLong, "a filter nests at most 32 levels deep");
        }
        if self.nodes > MAX_NODES {
            return self.refuse(
                &Path::Root,
                ViolationCode::TooLong,
                "a filter has at most 10,000 conditions",
            );
        }
        match filter {
            Filter::All(list) => self.list(list, &Path::Step(path, "all"), depth).map(Resolved::All),
            Filter::Any(list) => self.list(list, &Path::Step(path, "any"), depth).map(Resolved::Any),
            Filter::Not(inner) => {
                let inner = self.tree(inner, &Path::Step(path, "not"), depth + 1)?;
                Some(Resolved::Not(Box::new(inner)))
            }
            Filter::Where(condition) => match self.condition(condition) {
                Ok(resolved) => Some(resolved),
                Err(error) => {
                    self.broken.push(error.at(format!("{path}.{}", condition.field)));
                    None
                }
            },
            Filter::Search(text) if text.len() > 1_000 => {
                self.refuse(path, ViolationCode::TooLong, "a search has at most 1,000 bytes")
            }
            Filter::Search(text) => {
                let Asker { searched, numbering, .. } = *self.asker;
                Some(Resolved::Search(TextSearch::new(text, searched, numbering)))
            }
            Filter::Is(Circumstance::Unread) => match self.asker.user {
                Some(user) => Some(Resolved::Not(Box::new(Resolved::ReadBy(user.clone())))),
                None => self.refuse(path, ViolationCode::Malformed, "`unread` needs an acting user"),
            },
            Filter::Is(Circumstance::Followed) => match self.asker.user {
                Some(user) => Some(Resolved::FollowedBy(user.clone())),
                None => self.refuse(path, ViolationCode::Malformed, "`followed` needs an acting user"),
            },
            Filter::Is(Circumstance::Rotting) => Some(rotting(self.asker)),
            Filter::Has(role) => Some(Resolved::Linked(*role)),
        }
    }

    fn list(&mut self, list: &[Filter], path: &Path<'_>, depth: usize) -> Option<Vec<Resolved>> {
        let mut all = Some(Vec::with_capacity(list.len().min(MAX_NODES)));
        for (n, inner) in list.iter().enumerate() {
            // Past the limits nothing more is said: one refusal is enough.
            if self.nodes > MAX_NODES {
                return None;
            }
            match (self.tree(inner, &Path::Item(path, n), depth + 1), &mut all) {
                (Some(resolved), Some(list)) => list.push(resolved),
                _ => all = None,
            }
        }
        all
    }

    fn condition(&mut self, condition: &Condition) -> Result<Resolved, ValueError> {
        let Condition { field, op, value } = condition;
        self.nodes += value.items().len();
        if self.nodes > MAX_NODES {
            return Err(ValueError::new(ViolationCode::TooLong, "a filter has at most 10,000 values"));
        }
        if *field == Field::FollowUp
            && let Some(resolved) = follow_up_state(*op, value, self.asker)
        {
            return Ok(resolved);
        }
        let kind = self.asker.field_type(field)?;
        let typed = |value: &FieldValue| typed(&kind, value, self.asker);
        if *field == Field::FollowUp
            && let Some(word) =
                value.items().iter().find(|item| item.as_text().is_some() && typed(item).is_err())
        {
            return Err(no_such_state(word));
        }
        if *field == Field::ExternalId
            && value.items().iter().filter_map(FieldValue::as_text).any(|id| !id.contains(':'))
        {
            // Every id stands behind its system: without one nothing would ever be found, which must not pass for an answer.
            let message = "an external id is written `system:id`";
            return Err(ValueError::new(ViolationCode::Malformed, message));
        }
        let field = field.clone();
        match op {
            Operator::Eq => {
                Ok(Resolved::Equals(field, self.each(&kind, std::slice::from_ref(single(value)?))?))
            }
            Operator::Ne => {
                let values = self.each(&kind, std::slice::from_ref(single(value)?))?;
                Ok(Resolved::Not(Box::new(Resolved::Equals(field, values))))
            }
            Operator::In => Ok(Resolved::Equals(field, self.each(&kind, value.items())?)),
            Operator::IsEmpty => match value {
                FieldValue::Empty | FieldValue::Bool(true) => Ok(Resolved::Empty(field)),
                FieldValue::Bool(false) => Ok(Resolved::Not(Box::new(Resolved::Empty(field)))),
                _ => Err(ValueError::new(ViolationCode::Malformed, "`is_empty` takes true or false")),
            },
            Operator::Contains => Ok(Resolved::Contains(field, part(&kind, single(value)?)?)),
            Operator::StartsWith => Ok(Resolved::Starts(field, part(&kind, single(value)?)?)),
            Operator::EndsWith => Ok(Resolved::Ends(field, part(&kind, single(value)?)?)),
            Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge | Operator::Between => {
                ordered(&kind)?;
                range(field, *op, value, typed)
            }
            Operator::LastDays | Operator::NextDays | Operator::OlderThanDays => match kind {
                FieldType::Time => days(field, *op, value, |days| self.asker.in_days(days).into()),
                FieldType::Date => {
                    let today = Date::in_zone(self.asker.now, self.asker.offset);
                    days(field, *op, value, |days| today.saturating_add_days(days).into())
                }
                _ => Err(misfit()),
            },
            Operator::During => during(&kind, field, value, self.asker),
        }
    }

    /// The values in the form in which the field is compared: one for each, but the members of `my_team`.
    fn each(&self, kind: &FieldType, values: &[FieldValue]) -> Result<Vec<FieldValue>, ValueError> {
        let mut all = Vec::with_capacity(values.len());
        for value in values {
            match (kind, value.as_text()) {
                (FieldType::User, Some("my_team")) => all.extend(team(self.asker)?),
                _ => all.push(typed(kind, value, self.asker)?),
            }
        }
        Ok(all)
    }
}

/// The acting user and its team.
fn team(asker: &Asker<'_>) -> Result<impl Iterator<Item = FieldValue>, ValueError> {
    let others = asker.team.ok_or_else(|| {
        ValueError::new(ViolationCode::Malformed, "`my_team` needs a team: the host has not named one")
    })?;
    Ok(asker.user.into_iter().chain(others).map(|user| user.as_str().into()))
}

fn misfit() -> ValueError {
    ValueError::new(ViolationCode::Operator, "this operator does not fit the type of the field")
}

fn ordered(kind: &FieldType) -> Result<(), ValueError> {
    match kind {
        FieldType::Integer | FieldType::Amount | FieldType::Decimal | FieldType::Date | FieldType::Time => {
            Ok(())
        }
        _ => Err(misfit()),
    }
}

fn single(value: &FieldValue) -> Result<&FieldValue, ValueError> {
    match value.items() {
        [one] => Ok(one),
        [] => Err(ValueError::new(
            ViolationCode::Required,
            "this operator needs a value; ask for none by `is_empty`",
        )),
        _ => Err(ValueError::new(
            ViolationCode::Malformed,
            "this operator takes one value; use `in` for several",
        )),
    }
}

fn range(
    field: Field,
    op: Operator,
    value: &FieldValue,
    typed: impl Fn(&FieldValue) -> Result<FieldValue, ValueError>,
) -> Result<Resolved, ValueError> {
    let (from, to) = match (op, value.items()) {
        (Operator::Between, [from, to]) => (Some((typed(from)?, true)), Some((typed(to)?, true))),
        (Operator::Between, _) => {
            return Err(ValueError::new(ViolationCode::Malformed, "`between` takes a list of two values"));
        }
        (Operator::Lt, [one]) => (None, Some((typed(one)?, false))),
        (Operator::Le, [one]) => (None, Some((typed(one)?, true))),
        (Operator::Gt, [one]) => (Some((typed(one)?, false)), None),
        (_, [one]) => (Some((typed(one)?, true)), None),
        _ => return Err(ValueError::new(ViolationCode::Malformed, "this operator takes one value")),
    };
    Ok(Resolved::Range { field, from, to })
}

/// Leads being worked that have been idle for longer than their stage allows. The bound that holds for every stage
/// stands beside those of each, so that a store finds the idle ones by time alone.
fn rotting(asker: &Asker<'_>) -> Resolved {
    let idle_since = |since: Timestamp| Resolved::Range {
        field: Field::ActiveAt,
        from: None,
        to: Some((since.into(), false)),
    };
    let stages = asker.pipelines.iter().flat_map(|pipeline| &pipeline.stages);
    let strict: Vec<_> =
        stages.filter_map(|stage| Some((stage.id, asker.in_days(-i64::from(stage.idle_days?))))).collect();
    let Some(latest) = strict.iter().map(|(_, since)| *since).max() else { return Resolved::nothing() };
    let idle = strict.into_iter().map(|(stage, since)| {
        Resolved::All(vec![Resolved::Equals(Field::Stage, vec![stage.into()]), idle_since(since)])
    });
    Resolved::All(vec![
        Resolved::Equals(Field::State, vec![LeadState::Open.code().into()]),
        Resolved::Empty(Field::ClosedAt),
        idle_since(latest),
        Resolved::Any(idle.collect()),
    ])
}

fn days(
    field: Field,
    op: Operator,
    value: &FieldValue,
    in_days: impl Fn(i64) -> FieldValue,
) -> Result<Resolved, ValueError> {
    let FieldValue::Integer(days @ 0..) = value else {
        return Err(ValueError::new(
            ViolationCode::Malformed,
            "this operator takes a number of days, 0 or more",
        ));
    };
    let (from, to) = match op {
        Operator::LastDays => (Some((in_days(-days), true)), Some((in_days(0), true))),
        Operator::NextDays => (Some((in_days(0), true)), Some((in_days(*days), true))),
        _ => (None, Some((in_days(-days), false))),
    };
    Ok(Resolved::Range { field, from, to })
}

fn during(
    kind: &FieldType,
    field: Field,
    value: &FieldValue,
    asker: &Asker<'_>,
) -> Result<Resolved, ValueError> {
    let period = || single(value)?.as_text().unwrap_or_default().parse::<Period>();
    let (from, to) = match kind {
        FieldType::Time => {
            let (from, to) = period()?.range(asker.now, asker.offset);
            (from.into(), to.into())
        }
        FieldType::Date => {
            let (from, to) = period()?.days(asker.now, asker.offset);
            (from.into(), to.into())
        }
        _ => return Err(misfit()),
    };
    Ok(Resolved::Range { field, from: Some((from, true)), to: Some((to, false)) })
}

/// The value in the form in which the field is compared.
fn typed(kind: &FieldType, value: &FieldValue, asker: &Asker<'_>) -> Result<FieldValue, ValueError> {
    let malformed = |message: &'static str| ValueError::new(ViolationCode::Malformed, message);
    let text = || as_text(value);
    match kind {
        FieldType::Text => Ok(fold(&text()?).into()),
        FieldType::Email => Ok(email_key(&text()?).into()),
        FieldType::Phone => Ok(digits(&text()?).into()),
        FieldType::Code => Ok(text()?.as_ref().into()),
        FieldType::Choice(codes) => match text()?.as_ref() {
            code if codes.iter().any(|known| known == code) => Ok(code.into()),
            _ => Err(ValueError::new(ViolationCode::Unknown, format!("must be one of {}", codes.join(", ")))),
        },
        FieldType::User => match (text()?.as_ref(), asker.user) {
            ("me", Some(user)) => Ok(user.as_str().into()),
            ("me", None) => Err(malformed("`me` needs an acting user")),
            (user, _) => Ok(user.into()),
        },
        FieldType::Integer => match value {
            FieldValue::Integer(_) => Ok(value.clone()),
            FieldValue::Text(text) => {
                text.trim().parse().map(FieldValue::Integer).map_err(|_| malformed("needs a whole number"))
            }
            _ => Err(malformed("needs a whole number")),
        },
        FieldType::Amount | FieldType::Decimal => amount(value),
        FieldType::Bool => match value {
            FieldValue::Bool(_) => Ok(value.clone()),
            _ => text()?.parse().map(FieldValue::Bool).map_err(|_| malformed("needs true or false")),
        },
        FieldType::Date => match value {
            FieldValue::Date(_) => Ok(value.clone()),
            FieldValue::Text(text) => text.trim().parse::<Date>().map(Into::into),
            _ => Err(malformed("needs a date like `2026-11-22`")),
        },
        FieldType::Time => match value {
            FieldValue::Time(_) => Ok(value.clone()),
            FieldValue::Text(text) if text == "now" => Ok(asker.now.into()),
            FieldValue::Date(day) => Ok(day.begin(asker.offset).into()),
            FieldValue::Text(text) if text.trim().len() == 10 => {
                text.trim().parse::<Date>().map(|day| day.begin(asker.offset).into())
            }
            FieldValue::Text(text) => text.parse::<Timestamp>().map(Into::into),
            _ => Err(malformed("needs a time like `2026-11-22T08:30:00Z`")),
        },
        FieldType::Reference(_) => match value {
            FieldValue::Id(_) => Ok(value.clone()),
            _ => Uuid::try_parse(&text()?).map(Into::into).map_err(|_| malformed("needs an id (a UUID)")),
        },
        FieldType::Custom => Err(ValueError::new(ViolationCode::Unknown, "there is no field with this key")),
    }
}

fn amount(value: &FieldValue) -> Result<FieldValue, ValueError> {
    let amount = match value {
        FieldValue::Decimal(amount) => Some(*amount),
        FieldValue::Integer(amount) => Some((*amount).into()),
        FieldValue::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    amount
        .map(FieldValue::Decimal)
        .ok_or_else(|| ValueError::new(ViolationCode::Malformed, "needs an amount like `1250.50`"))
}

/// A part of a text in the form in which the field is compared.
fn part(kind: &FieldType, value: &FieldValue) -> Result<String, ValueError> {
    let text = as_text(value)?;
    match kind {
        FieldType::Text => Ok(fold(&text)),
        FieldType::Email => Ok(email_key(&text)),
        FieldType::Phone => Ok(digits(&text)),
        _ => Err(misfit()),
    }
}

/// The text that a field is compared with. A filter that is read as text cannot know that a custom field is one of text:
/// `x_note = 42` looks for the text `42`.
fn as_text(value: &FieldValue) -> Result<Cow<'_, str>, ValueError> {
    Ok(match value {
        FieldValue::Text(text) => Cow::Borrowed(text),
        FieldValue::Bool(value) => Cow::Owned(value.to_string()),
        FieldValue::Integer(value) => Cow::Owned(value.to_string()),
        FieldValue::Decimal(value) => Cow::Owned(value.to_string()),
        FieldValue::Date(value) => Cow::Owned(value.to_string()),
        FieldValue::Time(value) => Cow::Owned(value.to_string()),
        FieldValue::Id(value) => Cow::Owned(value.to_string()),
        _ => return Err(ValueError::new(ViolationCode::Malformed, "this field is compared with text")),
    })
}

fn email_key(text: &str) -> String {
    crate::value::Email::parse(text)
        .map_or_else(|_| text.trim().to_lowercase(), |email| email.canonical().to_owned())
}

/// The digits of a phone number as typed; a leading `+` or blanks say nothing.
fn digits(text: &str) -> String {
    text.chars()
        .filter_map(|letter| letter.to_digit(10))
        .filter_map(|digit| char::from_digit(digit, 10))
        .collect()
}
