//! Identifiers: newtypes that cannot be mixed up, and the source that makes them.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{ValueError, ViolationCode};
use crate::time::Timestamp;

/// One id type for every kind of record: a newtype over UUID version 7, made by the host's [`IdSource`].
macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id with this UUID.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID behind the id.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ValueError;

            fn from_str(text: &str) -> Result<Self, ValueError> {
                parse_uuid(text).map(Self)
            }
        }
    )+};
}

fn parse_uuid(text: &str) -> Result<Uuid, ValueError> {
    Uuid::try_parse(text).map_err(|_| ValueError::new(ViolationCode::Malformed, "an id must be a UUID"))
}

uuid_id! {
    /// A lead. Stable for ever, also after conversion.
    LeadId;
    /// A person of a lead or an account.
    ContactId;
    /// A customer: what a lead becomes.
    AccountId;
    /// A pipeline of stages.
    PipelineId;
    /// One stage of a pipeline.
    StageId;
    /// Where leads come from.
    SourceId;
    /// What kind of lead it is (industry, type …).
    CategoryId;
    /// A label: name and colour, many per lead.
    LabelId;
    /// A place the lead belongs to.
    LocationId;
    /// The partition (reseller, unit) the lead belongs to.
    PartnerId;
    /// Why a lead was lost.
    LostReasonId;
    /// Why a lead was disqualified.
    DisqualifyReasonId;
    /// A saved view of the list or the board.
    ViewId;
    /// Something done or to be done about a lead: a note, a call, a task, a meeting …
    ActivityId;
    /// A file that belongs to a record.
    FileId;
    /// A priced offer.
    EstimateId;
    /// What an account may buy.
    OpportunityId;
    /// What an account buys.
    ServiceId;
    /// A number series.
    NumberSeriesId;
    /// What a source or campaign cost.
    CostId;
    /// A record of the host's own that is shown with leads: a subscription, a project.
    RecordId;
    /// One operation: everything that was written by one call, and what undo takes back.
    OperationId;
}

/// An opaque text of the host: printable, without blanks at its ends.
macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident, $max:literal, $what:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Takes the host's own identifier as it is.
            ///
            /// # Errors
            /// When it is empty, too long, or holds control characters or blanks at its ends.
            pub fn new(text: impl AsRef<str>) -> Result<Self, ValueError> {
                check_text_id(text.as_ref(), $max, $what)?;
                Ok(Self(text.as_ref().into()))
            }

            /// The host's identifier.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = ValueError;

            fn from_str(text: &str) -> Result<Self, ValueError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = ValueError;

            fn try_from(text: String) -> Result<Self, ValueError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }
    )+};
}

fn check_text_id(text: &str, max: usize, what: &'static str) -> Result<(), ValueError> {
    if text.is_empty() {
        return Err(ValueError::new(ViolationCode::Required, format!("{what} must not be empty")));
    }
    if text.len() > max {
        return Err(ValueError::new(ViolationCode::TooLong, format!("{what} must not exceed {max} bytes")));
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(ValueError::new(
            ViolationCode::Malformed,
            format!("{what} must not hold control characters or blanks at its ends"),
        ));
    }
    Ok(())
}

text_id! {
    /// The host's name for one tenant (organisation, workspace). At most 64 bytes; a short one keeps indexes small.
    TenantId, 64, "a tenant id";
    /// The host's name for one of its users. leadcore keeps no user table. At most 128 bytes.
    UserId, 128, "a user id";
    /// The caller's own name for one call, so that the same call again, also from another process or after a crash, gives the
    /// first outcome and does nothing. At most 200 bytes: a UUID, or the number of a request. It is kept for ever, so it should
    /// say nothing about a person.
    ///
    /// ```
    /// use leadcore::id::IdempotencyKey;
    /// assert_eq!(IdempotencyKey::new("order 4711")?.as_str(), "order 4711");
    /// assert!(IdempotencyKey::new(" ").is_err());
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    IdempotencyKey, 200, "an idempotency key";
}

/// How often a record was written: 1 when it is created, one more with each change.
///
/// A write carries the revision it was read with; when the store holds another, the write is refused with
/// [`Conflict::StaleRevision`](crate::error::Conflict::StaleRevision).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(u64);

impl Revision {
    /// The revision of a record that was just created.
    pub const FIRST: Self = Self(1);

    /// From a stored number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The stored number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The revision after the next write.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Makes ids. The host hands one in with every [`Context`](crate::context::Context).
pub trait IdSource: Send + Sync + fmt::Debug {
    /// A new UUID that was never given before, best version 7: ids that sort by creation time keep indexes small.
    fn next_uuid(&self, now: Timestamp) -> Uuid;
}

/// Random version 7 UUIDs that never go backwards within one source.
#[cfg(feature = "system")]
#[derive(Debug)]
pub struct RandomIds(std::sync::Mutex<uuid::ContextV7>);

#[cfg(feature = "system")]
impl Default for RandomIds {
    fn default() -> Self {
        Self(std::sync::Mutex::new(uuid::ContextV7::new()))
    }
}

#[cfg(feature = "system")]
impl RandomIds {
    /// A source of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[cfg(feature = "system")]
impl IdSource for RandomIds {
    fn next_uuid(&self, now: Timestamp) -> Uuid {
        let micros = u64::try_from(now.as_micros()).unwrap_or(0);
        let nanos = u32::try_from(micros % 1_000_000).unwrap_or(0) * 1_000;
        Uuid::new_v7(uuid::Timestamp::from_unix(&self.0, micros / 1_000_000, nanos))
    }
}

/// Version 7 UUIDs that count up from a seed: the same calls give the same ids, for tests and replays.
#[derive(Debug, Default)]
pub struct SequentialIds(AtomicU64);

impl SequentialIds {
    /// Counts from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl IdSource for SequentialIds {
    fn next_uuid(&self, now: Timestamp) -> Uuid {
        let n = self.0.fetch_add(1, Ordering::SeqCst);
        let millis = u64::try_from(now.as_micros() / 1_000).unwrap_or(0);
        let mut random = [0_u8; 10];
        random.iter_mut().skip(2).zip(n.to_be_bytes()).for_each(|(slot, byte)| *slot = byte);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequential_ids_are_version_7_and_rise() {
        let ids = SequentialIds::new(0);
        let now = "2026-11-22T08:00:00Z".parse().unwrap();
        let (a, b) = (ids.next_uuid(now), ids.next_uuid(now));
        assert_eq!(a.get_version_num(), 7);
        assert!(a < b);
    }

    #[cfg(feature = "system")]
    #[test]
    fn random_ids_rise_within_one_source() {
        let ids = RandomIds::new();
        let now = "2026-11-22T08:00:00Z".parse().unwrap();
        let many: Vec<_> = (0..10_000).map(|_| ids.next_uuid(now)).collect();
        assert!(many.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn host_ids_refuse_what_cannot_be_told_apart() {
        assert!(TenantId::new("").is_err());
        assert!(TenantId::new("a ").is_err());
        assert!(UserId::new("a\0b").is_err());
        assert!(UserId::new("x".repeat(129)).is_err());
        assert_eq!(UserId::new("7").unwrap().as_str(), "7");
    }
}
