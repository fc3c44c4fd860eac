//! The use cases: what a host calls.
//!
//! Each function takes a [`Context`](crate::context::Context) (who, when, by which policy) and a
//! [`Txn`](crate::store::Txn) (where, possibly inside the host's own transaction), does one thing completely, and
//! writes what it did into the journal. Business flow lives here and nowhere else.
//!
//! Every function refuses what the policy does not allow: a record that the actor may not see is
//! [`NotFound`](crate::error::ErrorKind::NotFound), one that it sees but may not change is
//! [`Denied`](crate::error::ErrorKind::Denied). Nothing is written before every check has passed.

mod access;
mod actions;
mod child_page;
mod child_parts;
mod children;
mod children_purge;
mod children_shown;
mod clone;
#[cfg(test)]
pub(crate) mod counting;
mod custom;
#[cfg(feature = "csv")]
mod extract;
mod facets;
mod history;
mod intake;
mod listing;
mod live;
mod marks;
mod moving;
mod naming;
mod offline;
mod operation;
mod reading;
mod reasons;
mod rounds;
mod sight;
mod terms_held;

pub mod accounts;
pub mod activities;
pub mod board;
pub mod calendar;
pub mod contacts;
pub mod conversion_mapping;
pub mod convert;
pub mod costs;
pub mod estimates;
pub mod files;
pub mod followers;
pub mod functions;
pub mod hygiene;
#[cfg(feature = "calendar")]
pub mod ical;
pub mod leads;
pub mod lines;
pub mod mass;
pub mod matching;
pub mod opportunities;
pub mod outbox;
pub mod page;
pub mod participants;
pub mod pipelines;
pub mod purge;
pub mod records;
pub mod reminders;
pub mod reports;
pub mod series;
pub mod services;
pub mod settings;
pub mod timeline;
pub mod undo;
pub mod views;
pub mod vocabulary;

pub use access::Expect;
#[cfg(feature = "csv")]
pub(crate) use access::{Gate, check_fields, masked, require};
#[cfg(feature = "csv")]
pub(crate) use custom::{missing, no_such_record};
#[cfg(feature = "csv")]
pub use extract::Extent;
#[cfg(feature = "csv")]
pub(crate) use extract::{Extract, persons};
#[cfg(feature = "csv")]
pub(crate) use functions::Openings;
#[cfg(feature = "csv")]
pub(crate) use hygiene::is_role;
#[cfg(feature = "csv")]
pub(crate) use intake::{Intake, check_rules, store_new, violations};
#[cfg(feature = "csv")]
pub(crate) use leads::touch;
pub use listing::Listing;
#[cfg(feature = "csv")]
pub(crate) use operation::new_operation;
