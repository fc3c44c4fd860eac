//! The suite that every store must pass, with the generators and fixtures that it is made of (feature `testkit`).
//!
//! Whoever writes a store adds one line to its tests, and every case becomes a test of its own:
//!
//! ```
//! leadcore::conformance!(Box::new(leadcore::memory::MemoryStore::new()));
//! ```
//!
//! - [`suite`]: one function per promise of a port, grouped by port;
//! - [`generate`]: proptest strategies for fields, filters, sorts and operations;
//! - [`differential`] runs the same operations against two stores, [`dump`](fn@dump) writes everything of a tenant as
//!   canonical text, [`filters_agree`] compares a store with the reference evaluator;
//! - [`conversion_policies`](fn@conversion_policies) fails a host's tests when a kind of record has no policy for conversion;
//! - [`fixtures`]: a context that stands still, sample records, large realistic sets.
//!
//! The names and the number of cases may change in any release: a store that passes today may have a bug that a new
//! case finds. Everything here panics with a reason when a store breaks a promise.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is test code: a broken promise must stop at the line that says which"
)]

mod compare;
mod dump;
pub mod fixtures;
pub mod generate;
mod policies;
pub mod suite;

pub use compare::{differential, filters_agree};
pub use dump::dump;
pub use policies::conversion_policies;
