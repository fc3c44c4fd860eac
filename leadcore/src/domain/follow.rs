//! Who follows what (X.49).

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::time::Timestamp;

use super::link::Subject;

/// A user follows a record: the host tells it what happens there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    /// The record: a lead or an account.
    pub subject: Subject,
    /// Who follows it.
    pub user: UserId,
    /// Since when.
    pub since: Timestamp,
}

/// What the journal calls a change of followers; it is no field of a lead.
pub(crate) const FOLLOWER: &str = "follower";
/// Since when somebody who follows no more had followed.
pub(crate) const FOLLOWED_SINCE: &str = "follower_since";
