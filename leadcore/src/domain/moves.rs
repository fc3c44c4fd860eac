//! Where a lead shall go, and the conditions that may stand against it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Violation, ViolationCode};
use crate::id::{LeadId, LostReasonId, StageId};

use super::field::Field;
use super::lead::Outcome;
use super::vocabulary::TermKind;

/// Where a card shall lie in its column (X.52).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Above every other card.
    Top,
    /// Below every other card.
    Bottom,
    /// Right above this card of the same stage.
    Before(LeadId),
    /// Right below this card of the same stage.
    After(LeadId),
}

/// Where a lead shall go. A stage alone is one: `stage.into()`.
///
/// ```
/// use leadcore::domain::{Move, Position};
/// use leadcore::id::StageId;
/// # let stage = StageId::from_uuid(Default::default());
/// let to = Move::from(stage).because(None, Some("no budget this year")).at(Position::Bottom);
/// assert_eq!((to.stage, to.detail.as_deref()), (stage, Some("no budget this year")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Move {
    /// The stage; the one that the lead is in already for a move within its column.
    pub stage: StageId,
    /// Why it was lost, for a lost stage.
    #[serde(default)]
    pub reason: Option<LostReasonId>,
    /// Why it was lost, in words.
    #[serde(default)]
    pub detail: Option<String>,
    /// Where the card shall lie. When not said, it lies on top of a stage it comes into, and stays where it is in the
    /// stage it is in.
    #[serde(default)]
    pub position: Option<Position>,
}

impl From<StageId> for Move {
    fn from(stage: StageId) -> Self {
        Self { stage, reason: None, detail: None, position: None }
    }
}

impl Move {
    /// With the reason why the lead was lost, by the list, in words, or both.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Option<LostReasonId>>, detail: Option<&str>) -> Self {
        (self.reason, self.detail) = (reason.into(), detail.map(str::to_owned));
        self
    }

    /// With the card in this place.
    #[must_use]
    pub const fn at(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }
}

/// One condition that a write does not meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "condition", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unmet {
    /// The lead waits in the trash: restore it first.
    Trashed,
    /// The lead was converted and is frozen.
    Converted,
    /// The lead was disqualified: reopen it first.
    Disqualified,
    /// The lead is won or lost: reopen it first.
    Closed {
        /// How it ended.
        outcome: Outcome,
    },
    /// There is no such stage.
    UnknownStage {
        /// The stage that was asked for.
        stage: StageId,
    },
    /// The stage asks for a field that is empty.
    FieldRequired {
        /// The stage.
        stage: StageId,
        /// The field.
        field: Field,
    },
    /// A lead may not go from the one stage to the other.
    TransitionNotAllowed {
        /// The stage it is in.
        from: StageId,
        /// The stage it shall go to.
        to: StageId,
    },
    /// The stage holds as many open leads as it may.
    LimitReached {
        /// The stage.
        stage: StageId,
        /// The most it may hold.
        limit: u32,
        /// How many it holds.
        count: u64,
    },
    /// The tenant keeps a list of reasons, and none was given.
    ReasonRequired {
        /// The list.
        list: TermKind,
    },
    /// There is no such reason in the list.
    ReasonUnknown {
        /// The list.
        list: TermKind,
        /// The reason.
        reason: Uuid,
    },
    /// The reason is no longer offered.
    ReasonArchived {
        /// The list.
        list: TermKind,
        /// The reason.
        reason: Uuid,
    },
    /// A reason was given, and the stage is not a lost one.
    ReasonNotAsked {
        /// The list.
        list: TermKind,
    },
    /// The reason must be said in words too.
    DetailRequired {
        /// The list.
        list: TermKind,
        /// The reason.
        reason: Uuid,
    },
    /// The words are too long or hold a NUL character.
    DetailMalformed,
    /// The card that the lead shall lie beside is not one of the stage.
    NoSuchCard {
        /// The card.
        lead: LeadId,
    },
}

impl Unmet {
    /// The same as a broken rule of an [`Invalid`](crate::error::ErrorKind::Invalid) error. Field and code together say
    /// which condition it is: the field's key and `required`, `stage` and `not_allowed` (transition), `limit_reached` or
    /// `unknown`, `lost_reason` or `disqualify_reason` and `required`, `unknown` or `not_allowed`, `reason_detail` and
    /// `required` or `malformed`, `state` and `not_allowed`, `position` and `unknown`.
    #[must_use]
    pub fn violation(&self) -> Violation {
        use ViolationCode as Code;
        let state = Field::State.key();
        let (field, code, message) = match self {
            Self::Trashed => (state, Code::NotAllowed, "the lead is in the trash: restore it first"),
            Self::Converted => (state, Code::NotAllowed, "the lead was converted and takes no more edits"),
            Self::Disqualified => (state, Code::NotAllowed, "the lead was disqualified: reopen it first"),
            Self::Closed { outcome: Outcome::Won } => {
                (state, Code::NotAllowed, "the lead is won: reopen it first")
            }
            Self::Closed { outcome: Outcome::Lost } => {
                (state, Code::NotAllowed, "the lead is lost: reopen it first")
            }
            Self::Closed { .. } => (state, Code::NotAllowed, "the lead is closed: reopen it first"),
            Self::UnknownStage { .. } => ("stage", Code::Unknown, "there is no stage with this id"),
            Self::FieldRequired { field, .. } => {
                (field.key(), Code::Required, "the stage asks for this field")
            }
            Self::TransitionNotAllowed { .. } => {
                ("stage", Code::NotAllowed, "a lead may not go to this stage from the one it is in")
            }
            Self::LimitReached { .. } => {
                ("stage", Code::LimitReached, "the stage holds as many leads as it may")
            }
            Self::ReasonRequired { list } => {
                (reason_key(*list), Code::Required, "needs a reason of the list")
            }
            Self::ReasonUnknown { list, .. } => {
                (reason_key(*list), Code::Unknown, "there is no reason with this id")
            }
            Self::ReasonArchived { list, .. } => {
                (reason_key(*list), Code::NotAllowed, "this reason is no longer offered")
            }
            Self::ReasonNotAsked { list } => {
                (reason_key(*list), Code::NotAllowed, "only a lost stage takes a reason")
            }
            Self::DetailRequired { .. } => {
                (Field::ReasonDetail.key(), Code::Required, "this reason must be said in words too")
            }
            Self::DetailMalformed => {
                (Field::ReasonDetail.key(), Code::Malformed, "too long, or it holds a NUL character")
            }
            Self::NoSuchCard { .. } => ("position", Code::Unknown, "this card is not in the stage"),
        };
        Violation::new(field, code, message)
    }
}

/// The key of the field that holds a reason of this list.
const fn reason_key(list: TermKind) -> &'static str {
    match list {
        TermKind::DisqualifyReason => "disqualify_reason",
        _ => "lost_reason",
    }
}

/// Why a lead ended: a reason of the list, words, or both.
#[derive(Debug, Clone, Copy, Default)]
pub struct Why<'a> {
    /// The reason.
    pub reason: Option<Uuid>,
    /// The words.
    pub detail: Option<&'a str>,
}

impl<'a> Why<'a> {
    /// The words, trimmed; none when nothing is left.
    pub(super) fn words(&self) -> Option<&'a str> {
        self.detail.map(str::trim).filter(|detail| !detail.is_empty())
    }

    pub(super) const fn is_given(&self) -> bool {
        self.reason.is_some() || self.detail.is_some()
    }
}

impl<'a> From<&'a Move> for Why<'a> {
    fn from(to: &'a Move) -> Self {
        Self { reason: to.reason.map(LostReasonId::as_uuid), detail: to.detail.as_deref() }
    }
}
