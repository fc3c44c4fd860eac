//! leadcore: the lead-management engine that other software embeds.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod context;
pub mod domain;
pub mod error;
pub mod id;
pub mod policy;
pub mod query;
pub mod store;
pub mod time;
pub mod value;
