//! One file per port of core; the names are the same.

mod activities;
mod agenda;
mod blobs;
mod blocks;
mod children;
mod costs;
mod custom;
mod estimates;
mod files;
mod followers;
mod host_records;
mod journal;
mod leads;
mod lines;
mod links;
mod numbers;
mod opportunities;
mod people;
mod records;
mod reports;
mod scan;
mod services;
mod setup;
mod steps;
mod sums;
mod table;
mod tally;
mod terms;
mod views;
mod walk;

#[cfg(test)]
pub(crate) use activities::walk_query;
#[cfg(test)]
pub(crate) use agenda::agenda_queries;
pub(crate) use blobs::no_directory;
pub(crate) use blocks::ADD_BLOCK;
#[cfg(test)]
pub(crate) use blocks::block_queries;
#[cfg(test)]
pub(crate) use children::{child_queries, tab_query};
#[cfg(test)]
pub(crate) use costs::scan_query as cost_query;
pub(crate) use custom::{ADD_FIELD, add_field, custom_value};
#[cfg(test)]
pub(crate) use journal::{history_queries, replay_query};
pub(crate) use leads::key_kind;
#[cfg(test)]
pub(crate) use opportunities::scan_query as opportunity_query;
pub(crate) use records::{ACCOUNT_COLUMNS, CONTACT_COLUMNS, account, contact};
#[cfg(test)]
pub(crate) use reports::report_queries;
#[cfg(test)]
pub(crate) use services::scan_query as service_query;
