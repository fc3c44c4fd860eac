//! leadcore: the lead-management engine that other software embeds.
#![forbid(unsafe_code)]

pub mod error;
#[cfg(feature = "csv")]
pub mod exchange;
pub mod id;
pub mod time;
