//! Estimates: priced offers to a lead or an account (S0.27), and the moves between their states.

use serde::{Deserialize, Serialize};

use crate::error::{Violation, ViolationCode};
use crate::id::{ActivityId, EstimateId, LeadId, Revision, UserId};
use crate::time::{Date, Timestamp};
use crate::value::{Currency, clean_text};

use super::child::{Placement, Tab};
use super::given_number::Serial;
use super::journal::Actor;
use super::line::{Line, Totals};
use super::link::Subject;
use super::numbering::Numbering;

/// How far an estimate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EstimateStatus {
    /// Being written: nobody outside has seen it.
    Draft,
    /// Offered.
    Sent,
    /// They want it.
    Accepted,
    /// They do not want it.
    Declined,
    /// It is not offered any more.
    Expired,
}

/// From which state an estimate may go to which: the whole table. What was accepted, declined or has expired stays so; a
/// [revision](Estimate::revises) of it is another estimate. Of an estimate and its revisions, one at most is accepted.
const MOVES: [(EstimateStatus, EstimateStatus); 4] = [
    (EstimateStatus::Draft, EstimateStatus::Sent),
    (EstimateStatus::Sent, EstimateStatus::Accepted),
    (EstimateStatus::Sent, EstimateStatus::Declined),
    (EstimateStatus::Sent, EstimateStatus::Expired),
];

impl EstimateStatus {
    /// Every state, in the order in which they follow.
    pub const ALL: [Self; 5] = [Self::Draft, Self::Sent, Self::Accepted, Self::Declined, Self::Expired];

    /// Stable name, as stored: `draft`, `sent` …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Expired => "expired",
        }
    }

    /// The state with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// Whether an answer is still to come: draft or sent.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Draft | Self::Sent)
    }

    /// The states that an estimate may go to from this one.
    pub fn next(self) -> impl Iterator<Item = Self> {
        MOVES.iter().filter(move |(from, _)| *from == self).map(|(_, to)| *to)
    }

    /// What the move to this state is called, for [functions](crate::desk::functions) and errors.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Draft => "edit",
            Self::Sent => "send",
            Self::Accepted => "accept",
            Self::Declined => "decline",
            Self::Expired => "expire",
        }
    }
}

impl std::fmt::Display for EstimateStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// One condition that a move of an estimate does not meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "condition", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EstimateUnmet {
    /// There is no way from the one state to the other.
    NotFromHere {
        /// The state that it is in, on this day.
        from: EstimateStatus,
        /// The state that it shall go to.
        to: EstimateStatus,
    },
    /// There is nothing in it.
    NoLines,
    /// It says no currency.
    NoCurrency,
    /// It would expire before it is made.
    EndsBeforeDate {
        /// Its day.
        date: Date,
        /// The last day on which it holds.
        valid_until: Date,
    },
    /// There is a later version of it: only the latest is accepted.
    Superseded {
        /// The number of the latest one.
        latest: u64,
    },
    /// A version of it was accepted: of one offer only one is.
    AlreadyAccepted {
        /// The number of that one.
        number: u64,
    },
    /// The last day on which it holds is over.
    Over {
        /// That day.
        valid_until: Date,
    },
}

impl EstimateUnmet {
    /// The condition at its field.
    #[must_use]
    pub fn violation(&self) -> Violation {
        let at = |field: &str, code, message: &str| Violation::new(field, code, message);
        match self {
            Self::NotFromHere { .. } => {
                at("status", ViolationCode::NotAllowed, "an estimate in this state cannot go there")
            }
            Self::NoLines => at("lines", ViolationCode::Required, "an estimate that is sent has lines"),
            Self::NoCurrency => {
                at("currency", ViolationCode::Required, "an estimate that is sent has a currency")
            }
            Self::EndsBeforeDate { .. } => {
                at("valid_until", ViolationCode::OutOfRange, "must not lie before the date")
            }
            Self::Superseded { .. } => {
                at("status", ViolationCode::NotAllowed, "only the latest version of an estimate is accepted")
            }
            Self::AlreadyAccepted { .. } => {
                at("status", ViolationCode::NotAllowed, "another version of this estimate was accepted")
            }
            Self::Over { .. } => at("valid_until", ViolationCode::OutOfRange, "this day is over"),
        }
    }
}

/// What callers may set on an estimate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EstimateFields {
    /// What it is about, in a line of at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The user responsible; of a new estimate, whoever creates it where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    /// Its day; of a new estimate, the day of its creation where none is named. A stored one always has a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// The last day on which the offer holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
    /// The currency of all its lines; of a new estimate, that of the lead or account where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// What is offered: at most 1,000 lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
    /// What else there is to say, at most 20,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Under which terms, at most 20,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
}

impl EstimateFields {
    /// Fields with this title.
    #[must_use]
    pub fn titled(title: &str) -> Self {
        Self { title: Some(title.to_owned()), ..Self::default() }
    }

    /// With one more line.
    #[must_use]
    pub fn line(mut self, line: Line) -> Self {
        self.lines.push(line);
        self
    }

    /// The fields as they are stored: lines in their plain form, no empty texts.
    #[must_use]
    pub fn plain(mut self) -> Self {
        let told = |text: &mut Option<String>| {
            if text.as_deref().is_some_and(|text| text.trim().is_empty()) {
                *text = None;
            }
        };
        told(&mut self.title);
        told(&mut self.note);
        told(&mut self.terms);
        self.lines = self.lines.into_iter().map(Line::plain).collect();
        self
    }

    /// What the lines add up to.
    ///
    /// # Errors
    /// Every broken rule, of texts and lines.
    pub fn check(&self) -> Result<Totals, Vec<Violation>> {
        let mut broken = Vec::new();
        let texts =
            [("title", &self.title, 500), ("note", &self.note, 20_000), ("terms", &self.terms, 20_000)];
        for (field, text, most) in texts {
            if let Some(Err(error)) = text.as_deref().map(|text| clean_text(text, most)) {
                broken.push(error.at(field));
            }
        }
        match Totals::of(&self.lines, self.currency) {
            Ok(totals) if broken.is_empty() => return Ok(totals),
            Ok(_) => {}
            Err(error) => broken.extend(error.violations().iter().cloned()),
        }
        Err(broken)
    }

    /// What these fields lack for somebody to be offered them.
    #[must_use]
    pub fn unsendable(&self) -> Vec<EstimateUnmet> {
        let mut unmet = Vec::new();
        if self.lines.is_empty() {
            unmet.push(EstimateUnmet::NoLines);
        }
        if self.currency.is_none() {
            unmet.push(EstimateUnmet::NoCurrency);
        }
        if let (Some(date), Some(valid_until)) = (self.date, self.valid_until)
            && valid_until < date
        {
            unmet.push(EstimateUnmet::EndsBeforeDate { date, valid_until });
        }
        unmet
    }

    /// What was offered: all but who answers for it, what it is called and what is noted about it.
    #[must_use]
    pub fn offers_the_same(&self, other: &Self) -> bool {
        let offered = |fields: &Self| Self { title: None, owner: None, note: None, ..fields.clone() };
        offered(self) == offered(other)
    }
}

/// A stored estimate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// The id.
    pub id: EstimateId,
    /// Its number in its series: see [`Numbering`] for how people read one of the standard series.
    pub number: u64,
    /// The series and the written number, for one of another series than the standard one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
    /// The revision, for the next write.
    pub revision: Revision,
    /// The records that it is about: 1 to 20.
    pub about: Vec<Subject>,
    /// What callers may set.
    pub fields: EstimateFields,
    /// What its lines add up to.
    pub totals: Totals,
    /// How far it is. What the desk returns is as of the day of the call, by [`status_on`](Self::status_on).
    pub status: EstimateStatus,
    /// When it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// When it was accepted, declined or found to have expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// Why it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The estimate that this one is a new version of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revises: Option<EstimateId>,
    /// The request that it answers (S0.28).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<ActivityId>,
    /// Who created it.
    pub created_by: Actor,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

impl Estimate {
    /// Its state on this day: what was sent and holds until an earlier day has expired.
    #[must_use]
    pub fn status_on(&self, day: Date) -> EstimateStatus {
        let over = self.fields.valid_until.is_some_and(|until| until < day);
        if self.status == EstimateStatus::Sent && over { EstimateStatus::Expired } else { self.status }
    }

    /// Every condition that stands against this move on this day. Nothing is written.
    #[must_use]
    pub fn can_move(&self, to: EstimateStatus, day: Date) -> Vec<EstimateUnmet> {
        let from = self.status_on(day);
        // What is over by its date is not yet stored as such: that much may still be written.
        let lapses = to == EstimateStatus::Expired && self.status == EstimateStatus::Sent;
        let mut unmet = Vec::new();
        if !lapses && !MOVES.contains(&(from, to)) {
            unmet.push(EstimateUnmet::NotFromHere { from, to });
        }
        if to == EstimateStatus::Sent {
            unmet.extend(self.fields.unsendable());
            if let Some(valid_until) = self.fields.valid_until.filter(|until| *until < day) {
                unmet.push(EstimateUnmet::Over { valid_until });
            }
        }
        unmet
    }

    /// Its place in lists: its day at midnight UTC.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        let utc = chrono::Offset::fix(&chrono::Utc);
        self.fields.date.map_or(self.created_at, |date| date.begin(utc))
    }

    /// Where it is shown.
    #[must_use]
    pub fn placement(&self) -> Placement {
        Placement {
            child: self.id.into(),
            about: self.about.clone(),
            tab: Tab::Estimate,
            at: self.at(),
            is_open: self.status.is_open(),
            follow_up: None,
        }
    }

    /// An amount of it as people read it, with the symbol of its currency: `€ 1250.50`.
    #[must_use]
    pub fn show(&self, amount: rust_decimal::Decimal) -> String {
        super::display::money(amount, self.fields.currency, None)
    }
}

/// The place of an estimate in the list of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EstimatePlace {
    /// Its day.
    pub date: Date,
    /// Its id: what decides between two of one day.
    pub id: EstimateId,
}

impl Estimate {
    /// Its place in the list of all.
    #[must_use]
    pub fn place(&self) -> EstimatePlace {
        EstimatePlace { date: self.fields.date.unwrap_or(Date::of(self.created_at)), id: self.id }
    }
}

impl Numbering {
    /// How estimate numbers are written where the tenant does not say: `E-00042`.
    #[must_use]
    pub fn of_estimates() -> Self {
        Self { prefix: "E-".to_owned(), width: 5, start: 1 }
    }
}

/// The products of a lead (X.47): one list of lines, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadLines {
    /// The lead.
    pub lead: Subject,
    /// The revision, for the next write.
    pub revision: Revision,
    /// The currency of all lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The lines: 1 to 1,000. A lead without any has no list.
    pub lines: Vec<Line>,
    /// What they add up to.
    pub totals: Totals,
    /// When they were first written.
    pub created_at: Timestamp,
    /// When they were last written.
    pub updated_at: Timestamp,
}

impl LeadLines {
    /// The lead whose products they are.
    #[must_use]
    pub const fn lead(&self) -> LeadId {
        LeadId::from_uuid(self.lead.id)
    }

    /// What they are called as a child of their lead.
    #[must_use]
    pub fn subject_of(lead: LeadId) -> Subject {
        Subject::new(super::link::SubjectKind::Lines, lead.as_uuid())
    }

    /// Where they are shown.
    #[must_use]
    pub fn placement(&self) -> Placement {
        Placement {
            child: Self::subject_of(self.lead()),
            about: vec![self.lead],
            tab: Tab::Lines,
            at: self.created_at,
            is_open: false,
            follow_up: None,
        }
    }
}

#[cfg(test)]
mod tests;
