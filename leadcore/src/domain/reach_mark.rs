//! Marks of addresses and numbers: who must not be reached by them, or cannot, why and since when (X.39).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{ValueError, Violation, ViolationCode};
use crate::time::{Date, Timestamp};
use crate::value::{Country, Email, Phone, clean_text};

use super::reach::{Emails, Phones, Reachable};

/// The longest reason, in characters.
const MAX_REASON: usize = 500;

/// Why and since when something is so. Either may be unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Raw")]
pub struct MarkNote {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// A note as it is stored, before its reason is looked at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    since: Option<Timestamp>,
    #[serde(default)]
    reason: Option<String>,
}

impl TryFrom<Raw> for MarkNote {
    type Error = ValueError;

    fn try_from(raw: Raw) -> Result<Self, ValueError> {
        Self::new(raw.since, raw.reason.as_deref())
    }
}

impl MarkNote {
    /// A note. A blank reason is none.
    ///
    /// # Errors
    /// When the reason is longer than 500 characters or holds a NUL.
    pub fn new(since: Option<Timestamp>, reason: Option<&str>) -> Result<Self, ValueError> {
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        let reason = reason.map(|reason| clean_text(reason, MAX_REASON)).transpose()?;
        Ok(Self { since, reason })
    }

    /// Since when.
    #[must_use]
    pub const fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// This note over the one that is there already; of something new it says that it is so since now.
    #[must_use]
    pub(crate) fn over(self, known: Option<Self>, now: Timestamp) -> Self {
        let known = known.unwrap_or(Self { since: Some(now), reason: None });
        Self { since: self.since.or(known.since), reason: self.reason.or(known.reason) }
    }

    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.since.is_none() && self.reason.is_none()
    }
}

/// `since 2026-11-22: asked by phone`
impl fmt::Display for MarkNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(since) = self.since {
            write!(f, "since {}", Date::of(since))?;
        }
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

/// What can be said of one address or number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReachMark {
    /// Whoever it belongs to does not want to be reached by it; of a phone: do not call.
    OptedOut,
    /// It was tried and does not work: mail to it bounces, the number does not exist.
    Invalid,
}

impl ReachMark {
    /// Every mark.
    pub const ALL: [Self; 2] = [Self::OptedOut, Self::Invalid];

    /// Stable name: `opted_out` or `invalid`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::Invalid => "invalid",
        }
    }

    /// The mark with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.code() == code)
    }
}

/// By which kind of address somebody is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReachChannel {
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
}

impl ReachChannel {
    /// Every channel.
    pub const ALL: [Self; 2] = [Self::Email, Self::Phone];

    /// Stable name: `email` or `phone`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }

    /// The channel with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.code() == code)
    }
}

/// A mark to set on one address of a record, or to take off it.
///
/// ```
/// use leadcore::domain::{AddressMark, Emails, Phones, ReachChannel};
/// let mut emails = Emails::parse("anna@nordlys.example")?;
/// let mark = AddressMark::opt_out(ReachChannel::Email, "ANNA@nordlys.example").because("asked by phone");
/// assert!(mark.apply(&mut emails, &mut Phones::none(), None, leadcore::time::Timestamp::EPOCH).is_ok());
/// let told = emails.told();
/// assert_eq!(told.items()[0].as_text(), Some("anna@nordlys.example (opted_out since 1970-01-01: asked by phone)"));
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressMark {
    /// Which kind of address.
    pub channel: ReachChannel,
    /// The address, in any spelling of it.
    pub address: String,
    /// What is said of it.
    pub mark: ReachMark,
    /// The mark is taken off.
    #[serde(default)]
    pub lifted: bool,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// Since when; now, when not said.
    #[serde(default)]
    pub since: Option<Timestamp>,
}

impl AddressMark {
    /// This mark on this address.
    pub fn new(channel: ReachChannel, address: impl Into<String>, mark: ReachMark) -> Self {
        Self { channel, address: address.into(), mark, lifted: false, reason: None, since: None }
    }

    /// Nobody may reach them by this address any more.
    pub fn opt_out(channel: ReachChannel, address: impl Into<String>) -> Self {
        Self::new(channel, address, ReachMark::OptedOut)
    }

    /// The address does not work.
    pub fn bounced(channel: ReachChannel, address: impl Into<String>) -> Self {
        Self::new(channel, address, ReachMark::Invalid)
    }

    /// For this reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Since then.
    #[must_use]
    pub const fn since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }

    /// The mark is taken off.
    #[must_use]
    pub const fn lifted(mut self) -> Self {
        self.lifted = true;
        self
    }

    /// Sets the mark where the address is, or takes it off there. A mark that is there keeps its date, and its reason unless
    /// another is given. National phone numbers are also read as numbers of `region`; `now` is when the mark holds since,
    /// unless it says so itself.
    ///
    /// # Errors
    /// When the reason is too long, the address is none, or the record does not have it: by the field of the mark.
    pub fn apply(
        &self,
        emails: &mut Emails,
        phones: &mut Phones,
        region: Option<Country>,
        now: Timestamp,
    ) -> Result<(), Violation> {
        let note = MarkNote::new(self.since, self.reason.as_deref()).map_err(|error| error.at("reason"))?;
        let unreadable = |error: ValueError| error.at("address");
        let done = match self.channel {
            ReachChannel::Email => {
                let address = Email::parse(&self.address).map_err(unreadable)?;
                emails.find_mut(&address).map(|entry| self.set(entry, note, now))
            }
            ReachChannel::Phone => {
                let written = Phone::parse(&self.address, None).map_err(unreadable)?;
                let here = region.and_then(|region| Phone::parse(&self.address, Some(region)).ok());
                let is_there = phones.find_mut(&written).is_some();
                let wanted = here.filter(|_| !is_there).unwrap_or(written);
                phones.find_mut(&wanted).map(|entry| self.set(entry, note, now))
            }
        };
        let message = "the record has no such address";
        done.ok_or_else(|| Violation::new("address", ViolationCode::Unknown, message))
    }

    fn set<T>(&self, entry: &mut Reachable<T>, note: MarkNote, now: Timestamp) {
        if self.lifted {
            entry.set_mark(self.mark, None);
            return;
        }
        let known = entry.is_marked(self.mark).then(|| entry.note(self.mark).cloned().unwrap_or_default());
        entry.set_mark(self.mark, Some(note.over(known, now)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_kept_with_its_address_and_only_there() {
        let mut emails = Emails::parse("a@b.co (work), c@d.co").unwrap();
        let at: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        let mark = AddressMark::bounced(ReachChannel::Email, "C@d.co").because(" 550 (unknown) ").since(at);
        mark.apply(&mut emails, &mut Phones::none(), None, Timestamp::EPOCH).unwrap();
        let again = AddressMark::bounced(ReachChannel::Email, "c@d.co");
        again.apply(&mut emails, &mut Phones::none(), None, Timestamp::MAX).unwrap();
        let json = serde_json::to_string(&emails).unwrap();
        assert_eq!(serde_json::from_str::<Emails>(&json).unwrap(), emails);
        assert_eq!(json.matches("since").count(), 1, "nothing is stored where nothing is said: {json}");
        let told = emails.told();
        let told: Vec<_> = told.items().iter().filter_map(|item| item.as_text()).collect();
        assert_eq!(told, ["a@b.co (work)", "c@d.co (invalid since 2026-11-22: 550 (unknown))"]);
        // A form that sends the flag back keeps the note; one that takes it off takes the note too.
        let kept = emails.edited("c@d.co (invalid), a@b.co").unwrap();
        assert_eq!(kept.entries()[0].note(ReachMark::Invalid).and_then(MarkNote::since), Some(at));
        assert!(!emails.edited("c@d.co ()").unwrap().has_marks());
        mark.lifted().apply(&mut emails, &mut Phones::none(), None, at).unwrap();
        assert_eq!(emails, Emails::parse("a@b.co (work), c@d.co").unwrap());
        let unknown = AddressMark::opt_out(ReachChannel::Phone, "12345678");
        let broken = unknown.apply(&mut emails, &mut Phones::none(), None, at).unwrap_err();
        assert_eq!((broken.field.as_str(), broken.code), ("address", ViolationCode::Unknown));
        let no_address = AddressMark::opt_out(ReachChannel::Email, "\0");
        assert_eq!(
            no_address.apply(&mut emails, &mut Phones::none(), None, at).unwrap_err().field,
            "address"
        );
    }

    #[test]
    fn a_national_number_is_found_by_its_region() {
        let norway = Country::parse("NO").ok();
        let mut phones = Phones::parse("22 22 55 55", norway).unwrap();
        let mark = AddressMark::opt_out(ReachChannel::Phone, "22225555");
        mark.apply(&mut Emails::none(), &mut phones, norway, Timestamp::EPOCH).unwrap();
        assert!(phones.entries()[0].opted_out);
    }

    #[test]
    fn a_reason_that_is_none_is_refused() {
        assert!(MarkNote::new(None, Some(&"x".repeat(501))).is_err());
        assert!(MarkNote::new(None, Some("a\0b")).is_err());
        assert!(MarkNote::new(None, Some("  ")).unwrap().is_empty());
        assert!(serde_json::from_str::<MarkNote>("{\"reason\":\"a\\u0000\"}").is_err());
        assert!(serde_json::from_str::<MarkNote>("{\"other\":1}").is_err());
    }
}
