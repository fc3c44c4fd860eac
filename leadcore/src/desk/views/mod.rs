//! Views: the lists and boards that people choose from, save, share and open (S1.16, S1.18, S2.11, S2.12, X.35).
//!
//! How a user arranges views for itself (saving private ones, pinning, the default) is no event of the tenant and is not
//! in the journal; what happens to a shared view is.

mod check;
mod follow;
mod manage;
mod open;
mod system;

pub(super) use follow::{Instead, follow};
pub use manage::{
    ViewDraft, ViewEntry, arrange, delete, get, list, pin, rename, save, set_default, share, unpin, update,
};
#[cfg(feature = "csv")]
pub(super) use open::Shown;
pub use open::{ListPage, Row, ViewBoard, ViewRequest, board, draft, open};
pub use system::SystemDefinition;
