//! The records of lead management and the rules that need nothing but the record itself.
//!
//! Nothing here reads a store, a clock or a policy. What a caller may set ([`LeadFields`], [`ContactFields`],
//! [`AccountFields`]) is kept apart from the stored record around it ([`Lead`], [`Contact`], [`Account`]), so that
//! no input can claim an id, a revision or a conversion.

mod account;
mod activity;
mod agenda;
mod amounts;
mod block_key;
mod catalogue;
mod catalogue_kind;
mod changes;
mod child;
mod coded;
mod contact;
pub mod conversion_mapping;
mod cost;
mod custom_definition;
mod custom_field;
mod custom_parse;
mod custom_rules;
mod custom_value;
mod display;
mod draft;
mod estimate;
mod external_ref;
mod field;
mod field_access;
mod field_value;
mod file;
mod follow;
mod follow_up;
mod form;
mod given_number;
mod guard;
mod idle;
mod images;
mod journal;
mod json_schema;
mod keys;
mod lead;
mod line;
mod link;
#[cfg(feature = "files")]
mod media;
mod moves;
mod nearest;
mod number_series;
mod numbering;
pub mod occurrence;
mod opportunity;
mod patch;
mod pipeline;
mod pipeline_changes;
mod rank;
mod reach;
mod reach_mark;
mod record;
mod recurrence;
mod rewind;
mod series_field;
mod service;
mod synonyms;
mod together;
mod view;
mod vocabulary;
pub(crate) mod zone;

pub use account::{Account, AccountFields, AccountStatus};
pub use activity::{
    Activity, ActivityBody, ActivityDraft, ActivityFields, ActivityKind, Call, CallOutcome, Channel,
    Direction, Meeting, Message, Moment, OccurrenceOf, Participant, Priority, RequestState, Task,
};
pub use agenda::{AgendaDays, AgendaSpan, Reminder};
pub use amounts::{AmountSum, StageSum, amount_units};
pub use block_key::{BlockKey, BlockKind};
#[cfg(feature = "csv")]
pub(crate) use catalogue::header_key;
pub use catalogue::{Catalogue, FieldSettings, FieldSpec};
pub use catalogue_kind::CatalogueKind;
pub(crate) use changes::{IMPORT_LINE, TRASHED_AT, TRASHED_BY, custom_changes};
pub use changes::{account_changes, contact_changes, lead_changes, series_changes, term_changes};
pub use child::{Place, Placed, Placement, RecordKind, Tab, TabCount};
pub use contact::{Contact, ContactFields};
pub use cost::{Cost, CostField, CostFields, CostPlace, MAX_COST_DAYS, cost_changes};
pub use custom_field::{Choice, CustomField, CustomType};
#[cfg(feature = "csv")]
pub(crate) use custom_parse::yes_no_word;
pub use custom_value::{CustomKey, CustomValue, CustomValues};
pub use display::{Names, display};
pub use draft::LeadDraft;
pub use estimate::{Estimate, EstimateFields, EstimatePlace, EstimateStatus, EstimateUnmet, LeadLines};
pub use external_ref::ExternalRef;
pub use field::{Field, FieldType, Reference};
pub use field_value::FieldValue;
pub use file::{ContentHash, FileFields, FileLimits, FileRecord, file_name};
pub use follow::Follow;
pub(crate) use follow::{FOLLOWED_SINCE, FOLLOWER};
pub use follow_up::{FollowUp, FollowUpState};
pub use form::{FormSection, Section, SectionSettings};
pub use given_number::{GivenNumber, NumberPlace, Serial, written_number};
pub use guard::Guard;
pub use idle::Idle;
pub(crate) use images::{addresses, image_of};
pub use journal::{
    Action, Actor, Entry, FieldChange, NewEntry, Operation, OperationKind, OperationState, Sequence, Topic,
    Topics,
};
pub(crate) use keys::dialled;
pub use keys::{KEYS_VERSION, MatchKey, MatchKind, SearchPart, SearchText};
pub use lead::{Closing, Conversion, Lead, LeadFields, LeadKind, LeadState, Outcome, Trashed};
pub(crate) use line::in_words;
pub use line::{Discount, Line, LineAmounts, MAX_LINES, Tax, TaxTotal, Totals};
pub use link::{Link, LinkRole, Subject, SubjectKind};
#[cfg(feature = "files")]
pub(crate) use media::media_type;
pub use moves::{Move, Position, Unmet, Why};
pub(crate) use nearest::{distance, nearest};
pub use number_series::{Counter, LAST_NUMBER, NumberSeries, Series, SeriesFields};
pub use numbering::{LeadNumber, Numbering};
pub use occurrence::next_due;
pub(crate) use opportunity::MAX_REASON;
pub use opportunity::{
    Opportunity, OpportunityEnd, OpportunityFields, OpportunityPatch, OpportunityPlace, OpportunityState,
};
pub use patch::{AccountPatch, ContactPatch, LeadPatch};
pub use pipeline::{Pipeline, Stage, StageKind};
pub(crate) use pipeline_changes::stages_told;
pub use pipeline_changes::{pipeline_changes, pipeline_removed};
pub use rank::Rank;
pub use reach::{Emails, Phones, ReachKind, Reachable};
pub use reach_mark::{AddressMark, MarkNote, ReachChannel, ReachMark};
pub use record::{HostRecord, HostRecordFields, OnConversion, RecordKindSpec, RecordKinds};
pub use recurrence::{Frequency, Recurrence, SeriesEnd, Weekday};
pub use rewind::{Kept, Rewound, WhyKept, rewind};
pub(crate) use rewind::{plain, rewind_by};
pub use series_field::SeriesField;
pub use service::{Service, ServiceFields, ServiceOrigin, ServicePatch, ServiceState};
#[cfg(feature = "csv")]
pub(crate) use synonyms::{is_plain_word, whose_address};
pub(crate) use together::go_together;
pub use view::{SavedView, SystemView, ViewPreferences, ViewRef, ViewShape};
pub use vocabulary::{Term, TermId, TermKind, TermRecord};
