//! From a checked filter to SQL: columns and operators come from closed lists, every value is bound.

use std::collections::BTreeSet;

use leadcore::domain::{Field, FieldType, FieldValue, LeadState, LinkRole, Moment};
use leadcore::error::{Error, ErrorKind, Result};
use leadcore::id::UserId;
use leadcore::query::{Resolved, TextSearch};
use leadcore::time::{Date, Timestamp};
use rusqlite::types::Value;

use crate::repo::key_kind;
use crate::row::{AMOUNT_SCALE, state_number};

mod columns;
mod custom;
mod search;

use columns::{exact, lower, upper};
pub(crate) use columns::{raw_column, units};
pub(crate) use search::match_expression;

/// A condition and its parameters, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Condition {
    pub(crate) sql: String,
    pub(crate) params: Vec<Value>,
}

/// How searches are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SearchBy<'a> {
    /// Ask the index: right when few leads match, and for a count.
    Index,
    /// The index was asked for this and named these rows, as a JSON list.
    Among(&'a TextSearch, String),
    /// Look into each row that the rest of the query visits: right when many match and a page is soon full.
    Row,
}

/// Compiles one filter.
pub(crate) struct Compiler<'a> {
    pub(super) tenant: &'a str,
    search_by: SearchBy<'a>,
    condition: Condition,
    /// Whether the folding function is called.
    pub(crate) folds: bool,
    /// Whether conditions on custom fields are asked of each row that the rest of the query visits.
    pub(crate) probes: bool,
    /// The one whose rows are collected all the same.
    pub(crate) collects: Option<&'a Resolved>,
    /// One that somebody else asks.
    pub(crate) leaves: Option<&'a Resolved>,
    /// Whether the index on when leads were created may answer: where another order is asked for, it would have the page
    /// sorted.
    pub(crate) by_creation: bool,
}

impl<'a> Compiler<'a> {
    pub(crate) fn new(tenant: &'a str, search_by: SearchBy<'a>) -> Self {
        Self {
            tenant,
            search_by,
            condition: Condition::default(),
            folds: false,
            probes: false,
            collects: None,
            leaves: None,
            by_creation: false,
        }
    }

    pub(crate) fn finish(self) -> Condition {
        self.condition
    }

    pub(crate) fn text(&mut self, sql: &str) {
        self.condition.sql.push_str(sql);
    }

    pub(crate) fn param(&mut self, value: impl Into<Value>) {
        self.condition.sql.push('?');
        self.condition.params.push(value.into());
    }

    /// Writes a condition that is never NULL under a negation: `NOT x` of an unknown is true, as in memory.
    pub(crate) fn filter(&mut self, filter: &Resolved) -> Result<()> {
        let is = |which: Option<&Resolved>| which.is_some_and(|which| std::ptr::eq(which, filter));
        let probes = self.probes && !is(self.collects);
        match filter {
            _ if is(self.leaves) => self.text("1"),
            Resolved::Empty(Field::Custom(key)) => self.custom_empty(key),
            Resolved::Equals(Field::Custom(key), values) => self.custom_equals(key, values, probes),
            Resolved::Contains(Field::Custom(key), part) => {
                self.custom(key, |c| c.contains("f.value", part));
            }
            Resolved::Starts(Field::Custom(key), part) => self.custom(key, |c| c.starts("f.value", part)),
            Resolved::Ends(Field::Custom(key), part) => self.custom(key, |c| c.ends("f.value", part)),
            Resolved::Range { field: Field::Custom(key), from, to } => {
                return self.custom_range(key, (from.as_ref(), to.as_ref()), probes);
            }
            standard => return self.standard(standard),
        }
        Ok(())
    }

    fn standard(&mut self, filter: &Resolved) -> Result<()> {
        match filter {
            Resolved::All(list) => self.join(list, " AND ", "1"),
            Resolved::Any(list) => self.join(list, " OR ", "0"),
            // In this form it names the leads that a partial index has.
            Resolved::Not(inner) if matches!(&**inner, Resolved::Empty(field) if is_column(field)) => {
                if let Resolved::Empty(field) = &**inner {
                    let column = raw_column(field)?;
                    self.text(&format!("({column} IS NOT NULL)"));
                }
                Ok(())
            }
            Resolved::Not(inner) => {
                self.text("(");
                if let Resolved::ReadBy(user) = &**inner {
                    self.later_than_read(user);
                }
                self.text("(");
                self.filter(inner)?;
                self.text(") IS NOT TRUE)");
                Ok(())
            }
            Resolved::Empty(field) => self.empty(field),
            Resolved::Equals(field, values) => self.equals(field, values),
            Resolved::Contains(field, part) => self.part(field, |c, value| c.contains(value, part)),
            Resolved::Starts(field, part) => self.part(field, |c, value| c.starts(value, part)),
            Resolved::Ends(field, part) => self.part(field, |c, value| c.ends(value, part)),
            Resolved::Range { field, from, to } => self.range(field, from.as_ref(), to.as_ref()),
            Resolved::Search(search) => self.search(search),
            Resolved::ReadBy(user) => {
                self.read_by(user);
                Ok(())
            }
            Resolved::Linked(role) => {
                self.linked(*role);
                Ok(())
            }
            Resolved::FollowedBy(user) => {
                self.followed_by(user);
                Ok(())
            }
            Resolved::FollowUpBefore { at, day } => {
                self.follow_up_before(*at, *day);
                Ok(())
            }
            _ => Err(unsupported()),
        }
    }

    /// Leads that came before the user marked everything as read are not unread, but for those marked as unread: none is
    /// older than the oldest of these. Who has read everything would else have every lead looked at.
    fn later_than_read(&mut self, user: &UserId) {
        self.text(if self.by_creation { "l.created_at" } else { "+l.created_at" });
        self.text(" > coalesce((SELECT min(u.until, coalesce((SELECT min(o.created_at) - 1 FROM leadcore_mark m CROSS JOIN leadcore_lead o ON o.rid = m.lead WHERE m.tenant = ");
        self.param(self.tenant.to_owned());
        self.text(" AND m.user = ");
        self.param(user.as_str().to_owned());
        self.text(" AND m.read = 0), u.until)) FROM leadcore_marked_until u WHERE u.tenant = ");
        self.param(self.tenant.to_owned());
        self.text(" AND u.user = ");
        self.param(user.as_str().to_owned());
        self.text("), -9223372036854775808) AND ");
    }

    /// What the user marked, else whether the lead was there when the user marked everything.
    fn read_by(&mut self, user: &UserId) {
        self.text("coalesce((SELECT m.read FROM leadcore_mark m WHERE m.tenant = ");
        self.param(self.tenant.to_owned());
        self.text(" AND m.user = ");
        self.param(user.as_str().to_owned());
        self.text(" AND m.lead = l.rid), l.created_at <= (SELECT u.until FROM leadcore_marked_until u WHERE u.tenant = ");
        self.param(self.tenant.to_owned());
        self.text(" AND u.user = ");
        self.param(user.as_str().to_owned());
        self.text("), 0)");
    }

    /// The place of a day before this one is before that of this one: so one end is said for the index.
    fn follow_up_before(&mut self, at: Timestamp, day: Date) {
        self.text("(l.follow_up < ");
        self.param(at.max(Moment::day(day).at).as_micros());
        self.text(" AND (l.follow_up < ");
        self.param(at.as_micros());
        self.text(" OR l.follow_up_day < ");
        self.param(day.as_days());
        self.text("))");
    }

    fn followed_by(&mut self, user: &UserId) {
        self.text("(l.id IN (SELECT w.subject_id FROM leadcore_follower w WHERE w.tenant = ");
        self.param(self.tenant.to_owned());
        self.text(" AND w.user = ");
        self.param(user.as_str().to_owned());
        self.text(" AND w.subject_kind = 'lead'))");
    }

    fn linked(&mut self, role: LinkRole) {
        self.text("(EXISTS (SELECT 1 FROM leadcore_link k WHERE k.tenant = ");
        self.param(self.tenant.to_owned());
        self.text(" AND k.from_kind = 'lead' AND k.from_id = l.id AND k.role = ");
        self.param(role.code().to_owned());
        self.text("))");
    }

    /// Joins in halves: SQLite refuses expressions that nest deeper than 1,000, and a chain nests by one per link.
    fn join(&mut self, list: &[Resolved], operator: &str, none: &str) -> Result<()> {
        match list {
            [] => {
                self.text(none);
                Ok(())
            }
            [one] => self.filter(one),
            many => {
                let (left, right) = many.split_at(many.len() / 2);
                self.text("(");
                self.join(left, operator, none)?;
                self.text(operator);
                self.join(right, operator, none)?;
                self.text(")");
                Ok(())
            }
        }
    }

    fn empty(&mut self, field: &Field) -> Result<()> {
        let column = match field {
            // Never empty.
            Field::State => {
                self.text("0");
                return Ok(());
            }
            field => raw_column(field)?,
        };
        self.text(&format!("({column} IS NULL)"));
        Ok(())
    }

    fn equals(&mut self, field: &Field, values: &[FieldValue]) -> Result<()> {
        if *field == Field::State {
            return self.state(values);
        }
        // A value that is there never folds to nothing, but the key of an absent company or name is the empty text.
        let nothing = |value: &Value| matches!(value, Value::Text(text) if text.is_empty());
        let values = values.iter().filter_map(|value| exact(field, value));
        let values: Vec<Value> = values.filter(|value| !nothing(value)).collect();
        if values.is_empty() {
            self.text("0");
            return Ok(());
        }
        if key_kind(field).is_some() {
            return self.keyed(field, |c| {
                c.text("k.key");
                c.any_of(values);
                Ok(())
            });
        }
        let column = self.comparable(field)?;
        self.text("(");
        self.text(&column);
        self.any_of(values);
        self.text(")");
        Ok(())
    }

    pub(super) fn any_of(&mut self, values: Vec<Value>) {
        let single = values.len() == 1;
        self.text(if single { " = " } else { " IN (" });
        for (n, value) in values.into_iter().enumerate() {
            if n > 0 {
                self.text(", ");
            }
            self.param(value);
        }
        if !single {
            self.text(")");
        }
    }

    fn state(&mut self, values: &[FieldValue]) -> Result<()> {
        let states = values.iter().filter_map(FieldValue::as_text).filter_map(LeadState::from_code);
        let numbers: BTreeSet<i64> = states.map(state_number).collect();
        let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
        // Written out, not bound: partial indexes are chosen by it.
        match numbers.as_slice() {
            [] => self.text("0"),
            [one] => self.text(&format!("(l.state = {one})")),
            several => self.text(&format!("(l.state IN ({}))", several.join(", "))),
        }
        Ok(())
    }

    /// A condition on the keys of a lead, answered from the key table.
    fn keyed(&mut self, field: &Field, condition: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let kind = key_kind(field).ok_or_else(unsupported)?;
        self.text("(l.rid IN (SELECT k.lead FROM leadcore_lead_key k WHERE k.tenant = ");
        self.param(self.tenant.to_owned());
        self.text(" AND k.kind = ");
        self.param(kind.code().to_owned());
        self.text(" AND ");
        condition(self)?;
        self.text("))");
        Ok(())
    }

    /// A condition on a part of a text.
    fn part(&mut self, field: &Field, condition: impl FnOnce(&mut Self, &str)) -> Result<()> {
        match field.field_type() {
            FieldType::Email | FieldType::Phone => self.keyed(field, |c| {
                condition(c, "k.key");
                Ok(())
            }),
            FieldType::Text => {
                let column = self.comparable(field)?;
                let raw = raw_column(field)?;
                self.text(&format!("({raw} IS NOT NULL AND "));
                condition(self, &column);
                self.text(")");
                Ok(())
            }
            _ => Err(unsupported()),
        }
    }

    pub(super) fn contains(&mut self, value: &str, part: &str) {
        self.text(&format!("instr({value}, "));
        self.param(part.to_owned());
        self.text(") > 0");
    }

    pub(super) fn starts(&mut self, value: &str, part: &str) {
        // Lengths in SQL are in characters, as here; no pattern is involved, so no character is special.
        self.text(&format!("substr({value}, 1, {}) = ", part.chars().count()));
        self.param(part.to_owned());
    }

    pub(super) fn ends(&mut self, value: &str, part: &str) {
        let length = part.chars().count();
        if length == 0 {
            self.text("1");
            return;
        }
        self.text(&format!("length({value}) >= {length} AND substr({value}, -{length}) = "));
        self.param(part.to_owned());
    }

    fn range(
        &mut self,
        field: &Field,
        from: Option<&(FieldValue, bool)>,
        to: Option<&(FieldValue, bool)>,
    ) -> Result<()> {
        let column = raw_column(field)?;
        self.text(&format!("({column} IS NOT NULL"));
        if let Some((end, included)) = from {
            let (operator, end) = lower(end, *included, AMOUNT_SCALE)?;
            self.text(&format!(" AND {column} {operator} "));
            self.param(end);
        }
        if let Some((end, included)) = to {
            let (operator, end) = upper(end, *included, AMOUNT_SCALE)?;
            self.text(&format!(" AND {column} {operator} "));
            self.param(end);
        }
        self.text(")");
        Ok(())
    }

    /// The column in the form in which filters compare it.
    fn comparable(&mut self, field: &Field) -> Result<String> {
        let raw = raw_column(field)?;
        Ok(match field {
            Field::Company => "l.company_key".to_owned(),
            Field::Name => "l.name_key".to_owned(),
            Field::Campaign => "l.campaign_key".to_owned(),
            field if field.field_type() == FieldType::Text => {
                self.folds = true;
                format!("leadcore_fold({raw})")
            }
            _ => raw.to_owned(),
        })
    }
}

/// Whether a field is empty where its column is.
const fn is_column(field: &Field) -> bool {
    !matches!(field, Field::State | Field::Custom(_))
}

fn unsupported() -> Error {
    Error::new(ErrorKind::Unsupported, "this store cannot answer this condition")
}

pub(crate) fn number_value(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| unsupported())
}
