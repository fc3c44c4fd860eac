//! One file per port of core; the names are the same.

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

pub(crate) use leads::key_kind;
