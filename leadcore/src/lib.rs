//! leadcore: the lead-management engine that other software embeds.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod context;
pub mod dedupe;
pub mod desk;
pub mod domain;
pub mod error;
#[cfg(feature = "csv")]
pub mod exchange;
pub mod id;
pub mod memory;
pub mod policy;
pub mod query;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod time;
pub mod value;

/// What most programs need, in one line: `use leadcore::prelude::*;`.
pub mod prelude {
    pub use crate::context::Context;
    pub use crate::desk;
    pub use crate::domain::{
        Actor, ContactFields, Field, FieldValue, Lead, LeadDraft, LeadFields, LeadPatch, StageKind,
    };
    pub use crate::error::{Error, ErrorKind, Result};
    pub use crate::id::{
        AccountId, CategoryId, ContactId, IdSource, LabelId, LeadId, SequentialIds, SourceId, StageId,
        TenantId, UserId,
    };
    pub use crate::memory::MemoryStore;
    pub use crate::policy::{AllowAll, Permission, Policy, Role, RoleTable};
    pub use crate::query::{Filter, LeadQuery, Operator, Sort, SortField};
    pub use crate::store::{Store, StoreExt, Txn};
    pub use crate::time::{Clock, ManualClock, Timestamp};

    #[cfg(feature = "system")]
    pub use crate::{id::RandomIds, time::SystemClock};
}
