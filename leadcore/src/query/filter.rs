//! The filter tree as data.

use serde::{Deserialize, Serialize};

use crate::domain::{Field, FieldValue, LinkRole};
use crate::id::UserId;
use crate::time::{Date, Timestamp};

use super::search::TextSearch;

/// How a field is compared with a value. Which operators fit depends on the type of the field; a misfit is refused
/// with [`ViolationCode::Operator`](crate::error::ViolationCode::Operator) when the filter is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operator {
    /// Equal. For a field with several values: one of them is equal.
    Eq,
    /// Not equal: true where [`Eq`](Self::Eq) is false, so also for an empty field.
    Ne,
    /// Equal to one of a list.
    In,
    /// Text: has the value anywhere in it. Phones: any run of digits.
    Contains,
    /// Text: begins with the value.
    StartsWith,
    /// Text: ends with the value.
    EndsWith,
    /// Number, amount, date or time: less. Empty fields never are.
    Lt,
    /// Number, amount, date or time: less or equal.
    Le,
    /// Number, amount, date or time: greater.
    Gt,
    /// Number, amount, date or time: greater or equal.
    Ge,
    /// Number, amount, date or time: in a list of two, both ends included.
    Between,
    /// Has no value (`true`) or has one (`false`).
    IsEmpty,
    /// Date or time: in the last n days up to now.
    LastDays,
    /// Date or time: in the next n days from now.
    NextDays,
    /// Date or time: more than n days ago.
    OlderThanDays,
    /// Time: in this [`Period`](super::Period) of the calendar: `today`, `last_month` …
    During,
}

impl Operator {
    /// Every operator.
    pub const ALL: [Self; 16] = [
        Self::Eq,
        Self::Ne,
        Self::In,
        Self::Contains,
        Self::StartsWith,
        Self::EndsWith,
        Self::Lt,
        Self::Le,
        Self::Gt,
        Self::Ge,
        Self::Between,
        Self::IsEmpty,
        Self::LastDays,
        Self::NextDays,
        Self::OlderThanDays,
        Self::During,
    ];
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The field.
    pub field: Field,
    /// The operator.
    pub op: Operator,
    /// The value: text, number, `true`, a list … For [`Field::Owner`], the text `me` means the actor and `my_team` the
    /// actor and its team; for a time, the text `now` means now. For [`Field::FollowUp`], the codes of
    /// [`FollowUpState`](crate::domain::FollowUpState) mean what lies before, in and after the asker's day.
    #[serde(default)]
    pub value: FieldValue,
}

impl Condition {
    /// Whether it asks for leads that the actor owns.
    pub(super) fn asks_for_own(&self) -> bool {
        let is_me = matches!(self.value.items(), [only] if only.as_text() == Some("me"));
        self.field == Field::Owner && matches!(self.op, Operator::Eq | Operator::Ne | Operator::In) && is_me
    }
}

/// What a lead is to the one who asks, now: not a field of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Circumstance {
    /// The acting user has not opened it yet (S1.17).
    Unread,
    /// It is open and has been idle for longer than its stage allows (X.21).
    Rotting,
    /// The acting user follows it (X.49).
    Followed,
}

impl Circumstance {
    /// Every circumstance.
    pub const ALL: [Self; 3] = [Self::Unread, Self::Rotting, Self::Followed];

    /// Stable name: `unread`, `rotting` or `followed`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Rotting => "rotting",
            Self::Followed => "followed",
        }
    }

    /// The circumstance with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|circumstance| circumstance.code() == code)
    }
}

/// A tree of conditions. `All([])` matches everything, `Any([])` nothing.
///
/// ```
/// use leadcore::domain::Field;
/// use leadcore::query::{Filter, Operator};
/// let mine = Filter::eq(Field::Owner, "me") & !Filter::new(Field::Email, Operator::IsEmpty, true);
/// let text = serde_json::to_string(&mine)?;
/// assert_eq!(serde_json::from_str::<Filter>(&text)?, mine);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Every one of these holds.
    All(Vec<Self>),
    /// One of these holds at least.
    Any(Vec<Self>),
    /// This does not hold.
    Not(Box<Self>),
    /// This comparison holds.
    Where(Condition),
    /// The lead has every word of this text in its names, e-mails, phone digits or number (S0.15), or the text is its
    /// number as the tenant writes it (`L-00042`). Words of one or two letters stand at the beginning of a word, longer
    /// ones anywhere. What a policy hides from the actor is not searched.
    Search(String),
    /// This is so for the one who asks.
    Is(Circumstance),
    /// The lead is linked with a record in this role (X.34): it has a contact, say.
    Has(LinkRole),
}

impl Filter {
    /// Matches every lead.
    #[must_use]
    pub const fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// Matches no lead.
    #[must_use]
    pub const fn nothing() -> Self {
        Self::Any(Vec::new())
    }

    /// One comparison.
    pub fn new(field: Field, op: Operator, value: impl Into<FieldValue>) -> Self {
        Self::Where(Condition { field, op, value: value.into() })
    }

    /// `field` equals `value`.
    pub fn eq(field: Field, value: impl Into<FieldValue>) -> Self {
        Self::new(field, Operator::Eq, value)
    }

    /// The lead has every word of `text`.
    pub fn search(text: impl Into<String>) -> Self {
        Self::Search(text.into())
    }

    /// The acting user follows the lead (X.49).
    #[must_use]
    pub const fn followed() -> Self {
        Self::Is(Circumstance::Followed)
    }

    /// Whether a condition somewhere in it is so. In a loop: this is asked before the depth is checked.
    fn has(&self, wanted: impl Fn(&Self) -> bool) -> bool {
        let mut todo = vec![self];
        while let Some(filter) = todo.pop() {
            match filter {
                Self::All(list) | Self::Any(list) => todo.extend(list),
                Self::Not(inner) => todo.push(inner),
                leaf if wanted(leaf) => return true,
                _ => {}
            }
        }
        false
    }

    /// Whether it looks at a custom field, so that only the tenant's catalogue can say what it means.
    #[must_use]
    pub fn needs_catalogue(&self) -> bool {
        self.has(|leaf| matches!(leaf, Self::Where(condition) if matches!(condition.field, Field::Custom(_))))
    }

    /// Whether there is a search in it.
    #[must_use]
    pub fn searches(&self) -> bool {
        self.has(|leaf| matches!(leaf, Self::Search(_)))
    }

    /// Whether it searches for something that may be a lead number, and so for the tenant's numbering.
    #[must_use]
    pub fn needs_numbering(&self) -> bool {
        self.has(|leaf| matches!(leaf, Self::Search(text) if text.bytes().any(|byte| byte.is_ascii_digit())))
    }

    /// Whether it asks for [`Circumstance::Rotting`], and so for the pipelines.
    #[must_use]
    pub fn asks_for_rotting(&self) -> bool {
        self.has(|leaf| *leaf == Self::Is(Circumstance::Rotting))
    }

    /// Whether it nests deeper than a filter may. Only what does not can be copied without danger to the stack.
    pub(crate) fn is_too_deep(&self) -> bool {
        let mut todo = vec![(self, 0)];
        while let Some((filter, depth)) = todo.pop() {
            match filter {
                _ if depth > super::check::MAX_DEPTH => return true,
                Self::All(list) | Self::Any(list) => todo.extend(list.iter().map(|inner| (inner, depth + 1))),
                Self::Not(inner) => todo.push((inner, depth + 1)),
                _ => {}
            }
        }
        false
    }

    /// Moves what is nested in this one into `to`.
    fn give_children(&mut self, to: &mut Vec<Self>) {
        match self {
            Self::All(list) | Self::Any(list) => to.append(list),
            Self::Not(inner) if !inner.is_leaf() => to.push(std::mem::take(&mut **inner)),
            Self::Not(_) | Self::Where(_) | Self::Search(_) | Self::Is(_) | Self::Has(_) => {}
        }
    }

    /// Whether nothing is nested in this one.
    const fn is_leaf(&self) -> bool {
        match self {
            Self::All(list) | Self::Any(list) => list.is_empty(),
            Self::Not(_) => false,
            Self::Where(_) | Self::Search(_) | Self::Is(_) | Self::Has(_) => true,
        }
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::everything()
    }
}

impl std::ops::BitAnd for Filter {
    type Output = Self;

    fn bitand(mut self, mut other: Self) -> Self {
        match (&mut self, &mut other) {
            (Self::All(a), Self::All(b)) => a.append(b),
            (Self::All(a), _) => a.push(other),
            (_, Self::All(b)) => {
                b.insert(0, self);
                return other;
            }
            _ => return Self::All(vec![self, other]),
        }
        self
    }
}

impl std::ops::BitOr for Filter {
    type Output = Self;

    fn bitor(mut self, mut other: Self) -> Self {
        match (&mut self, &mut other) {
            (Self::Any(a), Self::Any(b)) => a.append(b),
            (Self::Any(a), _) => a.push(other),
            (_, Self::Any(b)) => {
                b.insert(0, self);
                return other;
            }
            _ => return Self::Any(vec![self, other]),
        }
        self
    }
}

/// A filter that somebody nested a hundred thousand levels deep is refused by [`Filter::resolve`], and then has to go
/// away: taken apart in a loop, because one call per level would overflow the stack.
impl Drop for Filter {
    fn drop(&mut self) {
        let mut todo = Vec::new();
        self.give_children(&mut todo);
        while let Some(mut filter) = todo.pop() {
            filter.give_children(&mut todo);
        }
    }
}

impl std::ops::Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// A checked filter whose values have the type of their field and mean the same to everyone: `me` is a user, days
/// are points in time, text is folded. This is what stores compile and [`matches`](Self::matches) evaluates.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Resolved {
    /// Every one of these holds.
    All(Vec<Self>),
    /// One of these holds at least.
    Any(Vec<Self>),
    /// This does not hold.
    Not(Box<Self>),
    /// The field has no value.
    Empty(Field),
    /// One value of the field equals one of these. Text is folded, e-mails canonical, phones digits.
    Equals(Field, Vec<FieldValue>),
    /// One value of the field has this folded text in it.
    Contains(Field, String),
    /// One value of the field begins with this folded text.
    Starts(Field, String),
    /// One value of the field ends with this folded text.
    Ends(Field, String),
    /// The field has a value and it lies in this range. `None` leaves that end open.
    Range {
        /// An ordered field.
        field: Field,
        /// The lower end and whether it is included.
        from: Option<(FieldValue, bool)>,
        /// The upper end and whether it is included.
        to: Option<(FieldValue, bool)>,
    },
    /// The lead is found by this.
    Search(TextSearch),
    /// This user has read the lead.
    ReadBy(UserId),
    /// A link in this role begins at the lead.
    Linked(LinkRole),
    /// This user follows the lead.
    FollowedBy(UserId),
    /// The lead has a follow-up before this time, or on a whole day before this one: both begin together where the asker is.
    FollowUpBefore {
        /// The time.
        at: Timestamp,
        /// The day.
        day: Date,
    },
}

impl Resolved {
    /// Matches every lead.
    #[must_use]
    pub const fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// Matches no lead.
    #[must_use]
    pub const fn nothing() -> Self {
        Self::Any(Vec::new())
    }

    /// The lead has every word of `text`, whoever asks.
    #[must_use]
    pub fn search(text: &str) -> Self {
        Self::Search(TextSearch::everywhere(text))
    }

    /// Whether it can be answered from the lead alone.
    #[must_use]
    pub fn is_about_the_lead(&self) -> bool {
        match self {
            Self::All(list) | Self::Any(list) => list.iter().all(Self::is_about_the_lead),
            Self::Not(inner) => inner.is_about_the_lead(),
            Self::ReadBy(_) | Self::Linked(_) | Self::FollowedBy(_) => false,
            _ => true,
        }
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All(list), other) | (other, Self::All(list)) if list.is_empty() => other,
            (Self::All(mut list), other) => {
                list.push(other);
                Self::All(list)
            }
            (one, other) => Self::All(vec![one, other]),
        }
    }
}
