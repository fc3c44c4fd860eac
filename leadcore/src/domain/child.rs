//! What hangs on a lead: where a child record is shown, and in which order.
//!
//! Activities, files, estimates, opportunities, services and records of the host are *children*: each is about one or several records (a lead, a
//! contact, an account), is shown in one tab of their pages, and is never copied or moved. After a conversion the page of
//! the account shows what is about it and what is about the leads that became it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{ValueError, ViolationCode};
use crate::time::Timestamp;

use super::activity::ActivityKind;
use super::follow_up::FollowUp;
use super::journal::Topic;
use super::link::Subject;

/// The name of a kind of record that the host registers: `subscription`, `project` …
///
/// Lower-case ASCII letters, digits and `_`, a letter first, at most 31 characters; not the name of another tab.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordKind(std::sync::Arc<str>);

impl RecordKind {
    /// Reads a name.
    ///
    /// # Errors
    /// When it is not of this form, or the name of a tab that leadcore has itself.
    pub fn new(name: &str) -> Result<Self, ValueError> {
        let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !starts || !plain || name.len() > 31 {
            return Err(ValueError::new(
                ViolationCode::Malformed,
                "a kind of record is named by 1 to 31 of a-z, 0-9 and _, a letter first",
            ));
        }
        if Tab::built_in(name).is_some() {
            return Err(ValueError::new(ViolationCode::Duplicate, "there is a tab of this name already"));
        }
        Ok(Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RecordKind {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::new(text)
    }
}

impl TryFrom<String> for RecordKind {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        Self::new(&text)
    }
}

impl From<RecordKind> for String {
    fn from(kind: RecordKind) -> Self {
        kind.0.as_ref().to_owned()
    }
}

/// A tab of the page of a lead or account: what its children are sorted into.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tab {
    /// Activities of one kind.
    Activity(ActivityKind),
    /// Files.
    File,
    /// Estimates.
    Estimate,
    /// The products of a lead.
    Lines,
    /// Opportunities.
    Opportunity,
    /// Services.
    Service,
    /// Records of a kind that the host registered.
    Record(RecordKind),
}

impl Tab {
    /// Stable name, as stored: `note`, `task`, `file`, `estimate` …, or the name of the host's kind.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Activity(kind) => kind.code(),
            Self::File => "file",
            Self::Estimate => "estimate",
            Self::Lines => "product_lines",
            Self::Opportunity => "opportunity",
            Self::Service => "service",
            Self::Record(kind) => kind.as_str(),
        }
    }

    fn built_in(code: &str) -> Option<Self> {
        match code {
            "file" => Some(Self::File),
            "estimate" => Some(Self::Estimate),
            "product_lines" => Some(Self::Lines),
            "opportunity" => Some(Self::Opportunity),
            "service" => Some(Self::Service),
            _ => ActivityKind::from_code(code).map(Self::Activity),
        }
    }

    /// The tab with this [`code`](Self::code); any other name is that of a kind of the host's.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::built_in(code).or_else(|| RecordKind::new(code).ok().map(Self::Record))
    }

    /// What the timeline sorts its children's events under.
    #[must_use]
    pub const fn topic(&self) -> Topic {
        match self {
            Self::Activity(kind) => kind.topic(),
            Self::File => Topic::File,
            Self::Estimate => Topic::Estimate,
            Self::Lines => Topic::Products,
            Self::Opportunity => Topic::Opportunity,
            Self::Service => Topic::Service,
            Self::Record(_) => Topic::Record,
        }
    }
}

impl fmt::Display for Tab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Tab {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Tab {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| serde::de::Error::custom("there is no such tab"))
    }
}

/// Where a child is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The child.
    pub child: Subject,
    /// What it is about, without repetition: at least one record.
    pub about: Vec<Subject>,
    /// In which tab.
    pub tab: Tab,
    /// Its place in the order of the tab: when it happened, or is due.
    pub at: Timestamp,
    /// Whether something is still to be done about it.
    pub is_open: bool,
    /// When somebody has to turn to it: what the next follow-up of a lead is the earliest of (X.23).
    pub follow_up: Option<FollowUp>,
}

/// A child as a page of its tab lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// The child.
    pub child: Subject,
    /// Its tab.
    pub tab: Tab,
    /// Its place in the order.
    pub at: Timestamp,
    /// Whether something is still to be done about it.
    pub is_open: bool,
}

impl Placed {
    /// The place of this child, for the page behind it.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place { at: self.at, child: self.child.id }
    }
}

/// A place between the children of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The place in the order of the child before.
    pub at: Timestamp,
    /// Its id: what decides between two of one time.
    pub child: Uuid,
}

/// How many children a tab has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TabCount {
    /// The tab.
    pub tab: Tab,
    /// All of them.
    pub total: u64,
    /// Those about which something is still to be done.
    pub open: u64,
}
