//! The records of lead management and the rules that need nothing but the record itself.
//!
//! Nothing here reads a store, a clock or a policy. What a caller may set ([`LeadFields`], [`ContactFields`],
//! [`AccountFields`]) is kept apart from the stored record around it ([`Lead`], [`Contact`], [`Account`]), so that
//! no input can claim an id, a revision or a conversion.

mod account;
mod catalogue;
mod changes;
mod contact;
mod field;
mod field_access;
mod field_value;
mod images;
mod journal;
mod keys;
mod lead;
mod link;
mod numbering;
mod patch;
mod pipeline;
mod rank;
mod reach;
mod rewind;
mod synonyms;
mod view;
mod vocabulary;

pub use account::{Account, AccountFields, AccountStatus};
pub use catalogue::{Catalogue, FieldSettings, FieldSpec, Section};
pub(crate) use changes::{TRASHED_AT, TRASHED_BY};
pub use changes::{account_changes, contact_changes, lead_changes, term_changes};
pub use contact::{Contact, ContactFields};
pub use field::{Field, FieldType, Reference};
pub use field_value::FieldValue;
pub(crate) use images::image_of;
pub use journal::{
    Action, Actor, Entry, FieldChange, NewEntry, Operation, OperationKind, OperationState, Sequence,
};
pub(crate) use keys::dialled;
pub use keys::{MatchKey, MatchKind, SearchText};
pub use lead::{
    Closing, Conversion, ExternalRef, Lead, LeadDraft, LeadFields, LeadKind, LeadState, Outcome, Trashed,
};
pub use link::{Link, LinkRole, Subject, SubjectKind};
pub use numbering::{LeadNumber, Numbering};
pub use patch::LeadPatch;
pub use pipeline::{Pipeline, Stage, StageKind};
pub use rank::Rank;
pub use reach::{Emails, Phones, ReachKind, Reachable};
pub use rewind::{Kept, Rewound, WhyKept, rewind};
pub(crate) use rewind::{plain, rewind_fields};
pub use view::{SavedView, SystemView, ViewPreferences, ViewRef, ViewShape};
pub use vocabulary::{Term, TermId, TermKind, TermRecord};
