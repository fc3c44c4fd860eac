//! leadcore: the lead-management engine that other software embeds.
#![forbid(unsafe_code)]

pub mod error;
pub mod id;
pub mod time;
pub mod value;
