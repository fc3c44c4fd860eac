//! Systems that do not show a process its own locks: only the lock file protects here.

use std::path::Path;

use leadcore::error::Result;

use super::{Journal, Moment, SideLock};
use crate::queue::Patience;

/// Sees nothing on this system.
#[derive(Debug)]
pub(crate) struct Watch;

impl Watch {
    pub(crate) fn start(_: &Path, _: Journal, _: &SideLock, _: &Patience) -> Result<Option<Self>> {
        Ok(None)
    }

    #[expect(clippy::unused_self, reason = "the same shape on every system")]
    pub(crate) fn look(&self, _: Moment) -> Result<()> {
        Ok(())
    }
}
