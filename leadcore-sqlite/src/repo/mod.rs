//! One file per port of core; the names are the same.

mod children;
mod custom;
mod estimates;
mod journal;
mod leads;
mod lines;
mod links;
mod records;
mod scan;
mod setup;
mod sums;
mod tally;
mod terms;
mod views;

pub(crate) use custom::{ADD_FIELD, add_field, custom_value};
#[cfg(test)]
pub(crate) use journal::replay_query;
pub(crate) use leads::key_kind;
