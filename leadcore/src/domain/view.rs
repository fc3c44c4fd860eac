//! Views: lists and boards that people come back to (S1.16, S1.18, S2.11, X.35).
//!
//! What a view shows is data: a filter, columns, a sort. The filter lives in `query`, above this room, so a view keeps
//! it as the JSON that it serialises to; the desk reads and checks it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{ValueError, Violation, ViolationCode};
use crate::id::{PipelineId, Revision, UserId, ViewId};
use crate::value::{clean_text, fold};

use super::field::Field;

/// The views that every tenant has (S1.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SystemView {
    /// Leads that the user owns and that are not converted or disqualified: where lists open (S2.11).
    Mine,
    /// All leads.
    All,
    /// Leads that this user has not opened yet (S1.17).
    Unread,
    /// Leads, the newest first.
    RecentlyCreated,
    /// Leads, the last written first (S1.25).
    RecentlyModified,
    /// Leads that became customers.
    Converted,
    /// Open leads without an owner.
    Unassigned,
    /// Open leads that somebody has to turn to, the earliest first (X.23).
    FollowUps,
    /// Open leads that have been idle for longer than their stage allows (X.21).
    Rotting,
    /// Leads in the trash (X.53).
    Trash,
}

impl SystemView {
    /// Every system view, in the order of a menu; the first is the default.
    pub const ALL: [Self; 10] = [
        Self::Mine,
        Self::All,
        Self::Unread,
        Self::RecentlyCreated,
        Self::RecentlyModified,
        Self::Converted,
        Self::Unassigned,
        Self::FollowUps,
        Self::Rotting,
        Self::Trash,
    ];

    /// Stable name: `mine`, `recently_created` …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::All => "all",
            Self::Unread => "unread",
            Self::RecentlyCreated => "recently_created",
            Self::RecentlyModified => "recently_modified",
            Self::Converted => "converted",
            Self::Unassigned => "unassigned",
            Self::FollowUps => "follow_ups",
            Self::Rotting => "rotting",
            Self::Trash => "trash",
        }
    }

    /// What people read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mine => "My Leads",
            Self::All => "All Leads",
            Self::Unread => "Unread Leads",
            Self::RecentlyCreated => "Recently Created Leads",
            Self::RecentlyModified => "Recently Modified Leads",
            Self::Converted => "Converted Leads",
            Self::Unassigned => "Unassigned Leads",
            Self::FollowUps => "Follow-ups",
            Self::Rotting => "Rotting Leads",
            Self::Trash => "Trash",
        }
    }

    /// The view with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.code() == code)
    }
}

/// A system view or a saved one. As text: the code of a system view, or the id of a saved one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ViewRef {
    /// One that every tenant has.
    System(SystemView),
    /// One that somebody saved.
    Saved(ViewId),
}

impl Default for ViewRef {
    fn default() -> Self {
        Self::System(SystemView::Mine)
    }
}

impl From<SystemView> for ViewRef {
    fn from(view: SystemView) -> Self {
        Self::System(view)
    }
}

impl From<ViewId> for ViewRef {
    fn from(id: ViewId) -> Self {
        Self::Saved(id)
    }
}

impl fmt::Display for ViewRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(view) => f.write_str(view.code()),
            Self::Saved(id) => id.fmt(f),
        }
    }
}

impl FromStr for ViewRef {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if let Some(view) = SystemView::from_code(text) {
            return Ok(Self::System(view));
        }
        text.parse().map(Self::Saved).map_err(|_| {
            ValueError::new(ViolationCode::Unknown, "a view is named by a system view's code or by its id")
        })
    }
}

impl TryFrom<String> for ViewRef {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl From<ViewRef> for String {
    fn from(view: ViewRef) -> Self {
        view.to_string()
    }
}

/// How a view is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ViewShape {
    /// As a table.
    #[default]
    List,
    /// As the board of this pipeline, or of the default one.
    Board(Option<PipelineId>),
}

/// A view that somebody saved (S1.18).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedView {
    /// The id.
    pub id: ViewId,
    /// The revision, for the next write.
    pub revision: Revision,
    /// What people read. Unique among the views of its owner, ignoring case and accents.
    pub name: String,
    /// Whose view it is; nobody's when the host itself made it.
    pub owner: Option<UserId>,
    /// Whether everyone sees it, not only its owner.
    pub shared: bool,
    /// List or board.
    pub shape: ViewShape,
    /// Which leads: a filter as it serialises.
    pub filter: serde_json::Value,
    /// Its columns; the tenant's when not said.
    pub columns: Option<Vec<Field>>,
    /// Its order: a sort as it serialises; the last written first when not said.
    pub sort: Option<serde_json::Value>,
    /// The field that rows are grouped by.
    pub group_by: Option<Field>,
}

/// The longest name of a view, in bytes.
const MAX_NAME: usize = 200;
/// The most columns of a view.
const MAX_COLUMNS: usize = 100;

impl SavedView {
    /// A private list of every lead, to be filled in.
    #[must_use]
    pub fn new(id: ViewId, name: &str, owner: Option<UserId>) -> Self {
        Self {
            id,
            revision: Revision::FIRST,
            name: name.trim().to_owned(),
            owner,
            shared: false,
            shape: ViewShape::List,
            filter: serde_json::json!({ "all": [] }),
            columns: None,
            sort: None,
            group_by: None,
        }
    }

    /// What must be unique among the views of one owner.
    #[must_use]
    pub fn key(&self) -> String {
        fold(&self.name)
    }

    /// Every rule of its own that it breaks.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut broken = Vec::new();
        match clean_text(&self.name, MAX_NAME) {
            Ok(name) if name.trim().is_empty() => {
                broken.push(Violation::new("name", ViolationCode::Required, "a name must not be empty"));
            }
            Ok(_) => {}
            Err(error) => broken.push(error.at("name")),
        }
        if let Some(columns) = &self.columns {
            let distinct: BTreeSet<_> = columns.iter().collect();
            if columns.is_empty() || columns.len() > MAX_COLUMNS {
                let message = "a view has 1 to 100 columns";
                broken.push(Violation::new("columns", ViolationCode::OutOfRange, message));
            } else if distinct.len() != columns.len() {
                let message = "a view shows each field once";
                broken.push(Violation::new("columns", ViolationCode::Duplicate, message));
            }
        }
        broken
    }
}

/// How one user has the views arranged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ViewPreferences {
    /// The view that lists open with (S2.11: My Leads).
    pub default: ViewRef,
    /// The views at the top of the menu, in order.
    pub pinned: Vec<ViewRef>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_back() {
        for view in SystemView::ALL {
            let text = ViewRef::from(view).to_string();
            assert_eq!(text.parse::<ViewRef>().unwrap(), ViewRef::System(view));
        }
        let saved = ViewRef::Saved(ViewId::from_uuid(uuid::Uuid::from_u128(7)));
        assert_eq!(saved.to_string().parse::<ViewRef>().unwrap(), saved);
        assert!("nowhere".parse::<ViewRef>().is_err());
    }

    #[test]
    fn a_view_says_everything_that_is_wrong_with_it() {
        let mut view = SavedView::new(ViewId::from_uuid(uuid::Uuid::nil()), "  ", None);
        view.columns = Some(vec![Field::Name, Field::Name]);
        let fields: Vec<_> = view.violations().into_iter().map(|broken| broken.field).collect();
        assert_eq!(fields, ["name", "columns"]);
    }
}
