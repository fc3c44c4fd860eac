//! One file per port of core; the names are the same.

mod blobs;
mod children;
mod custom;
mod files;
mod journal;
mod leads;
mod links;
mod records;
mod scan;
mod setup;
mod sums;
mod tally;
mod terms;
mod views;

pub(crate) use blobs::no_directory;
pub(crate) use custom::{ADD_FIELD, add_field, custom_value};
#[cfg(test)]
pub(crate) use journal::replay_query;
pub(crate) use leads::key_kind;
