//! What a host does, at random: calls of the desk as data.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::domain::{ContactFields, CustomKey, CustomType, Field, LeadFields, LeadPatch, TermKind};
use crate::query::{Filter, Sort};

use super::super::fixtures::custom_types;
use super::activities::{ActivityOp, activity_op};
use super::strategies::{contact_fields, custom_field, filter, lead_fields, patch, sort, text};

/// Where a card shall lie: beside another lead, or at an end.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names are those of a position")]
pub enum Place {
    Top,
    Bottom,
    Before(usize),
    After(usize),
}

/// One call of the desk. Records are named by their place among those that were made so far, counted round.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are those of the desk's functions and their parameters")]
pub enum Op {
    Create {
        fields: Box<LeadFields>,
        stage: Option<usize>,
        terms: Vec<(TermKind, usize)>,
    },
    CreateMany(Vec<LeadFields>),
    Edit {
        lead: usize,
        stale: bool,
        patch: LeadPatch,
    },
    SetTerms {
        lead: usize,
        terms: Vec<(TermKind, usize)>,
    },
    Delete {
        lead: usize,
    },
    Restore {
        lead: usize,
    },
    Move {
        lead: usize,
        stage: usize,
        reason: Option<usize>,
        detail: bool,
        position: Option<Place>,
    },
    Disqualify {
        lead: usize,
        reason: Option<usize>,
    },
    Reopen {
        lead: usize,
    },
    StageRules {
        stage: usize,
        limit: Option<u32>,
        required: Option<Field>,
        next: Option<usize>,
        probability: Option<u8>,
    },
    RemoveStage {
        stage: usize,
        target: Option<usize>,
    },
    FlagReason {
        term: usize,
        archived: bool,
    },
    StageHistory {
        lead: usize,
    },
    AddContact {
        lead: usize,
        fields: Box<ContactFields>,
        primary: bool,
    },
    EditContact {
        lead: usize,
        contact: usize,
        fields: Box<ContactFields>,
    },
    RemoveContact {
        lead: usize,
        contact: usize,
    },
    MakePrimary {
        lead: usize,
        contact: usize,
    },
    Convert {
        lead: usize,
        into: Option<usize>,
    },
    AddTerm {
        kind: TermKind,
        name: String,
    },
    RenameTerm {
        kind: TermKind,
        term: usize,
        name: String,
    },
    DeleteTerm {
        kind: TermKind,
        term: usize,
        reassign: Option<usize>,
        clear: bool,
    },
    Require {
        field: Field,
        required: bool,
    },
    /// A custom field changes its type, or goes: the values of leads follow or are emptied, or it is refused.
    Redefine {
        field: CustomKey,
        kind: Option<CustomType>,
        clear: bool,
    },
    Get {
        lead: usize,
    },
    ByNumber(u64),
    Pages {
        filter: Filter,
        sort: Sort,
        limit: usize,
        trash: bool,
    },
    Count(Filter),
    CountBy {
        filter: Filter,
        field: Field,
    },
    Board {
        filter: Filter,
        sort: Sort,
        cards: usize,
    },
    Timeline {
        lead: usize,
        limit: usize,
    },
    Accounts {
        limit: usize,
    },
    Persons {
        lead: usize,
    },
    Activity(ActivityOp),
    /// The clock moves on by so many seconds.
    Tick(i64),
    /// Several calls in one transaction, each in a savepoint; at its end the transaction is kept or not.
    Batch {
        ops: Vec<Self>,
        commit: bool,
    },
}

/// One call.
pub fn operation() -> impl Strategy<Value = Op> {
    let one = single().boxed();
    let batch = (vec(one.clone(), 1..5), any::<bool>()).prop_map(|(ops, commit)| Op::Batch { ops, commit });
    prop_oneof![12 => one, 1 => batch]
}

/// Calls in a row, at most so many.
pub fn operations(most: usize) -> impl Strategy<Value = Vec<Op>> {
    vec(operation(), 1..=most)
}

fn terms() -> impl Strategy<Value = Vec<(TermKind, usize)>> {
    vec((select(TermKind::CHOSEN.to_vec()), 0..6_usize), 0..3)
}

fn beside() -> impl Strategy<Value = Place> {
    prop_oneof![
        Just(Place::Top),
        Just(Place::Bottom),
        (0..64_usize).prop_map(Place::Before),
        (0..64_usize).prop_map(Place::After),
    ]
}

fn single() -> impl Strategy<Value = Op> {
    let kind = || select(TermKind::ALL.to_vec());
    let place = || 0..64_usize;
    let creating = prop_oneof![
        4 => (lead_fields(), option::of(0..7_usize), terms())
            .prop_map(|(fields, stage, terms)| Op::Create { fields: Box::new(fields), stage, terms }),
        1 => vec(lead_fields(), 0..4).prop_map(Op::CreateMany),
        1 => Just(Op::CreateMany(vec![LeadFields::default()])),
    ];
    let changing = prop_oneof![
        3 => (place(), prop::bool::weighted(0.1), patch())
            .prop_map(|(lead, stale, patch)| Op::Edit { lead, stale, patch }),
        1 => (place(), terms()).prop_map(|(lead, terms)| Op::SetTerms { lead, terms }),
        1 => place().prop_map(|lead| Op::Delete { lead }),
        1 => place().prop_map(|lead| Op::Restore { lead }),
        3 => (place(), 0..8_usize, option::of(0..6_usize), any::<bool>(), option::of(beside())).prop_map(
            |(lead, stage, reason, detail, position)| Op::Move { lead, stage, reason, detail, position }
        ),
        1 => (place(), option::of(0..6_usize)).prop_map(|(lead, reason)| Op::Disqualify { lead, reason }),
        1 => place().prop_map(|lead| Op::Reopen { lead }),
        1 => (place(), option::of(place())).prop_map(|(lead, into)| Op::Convert { lead, into }),
    ];
    let persons = prop_oneof![
        3 => (place(), contact_fields(), any::<bool>())
            .prop_map(|(lead, fields, primary)| Op::AddContact { lead, fields: Box::new(fields), primary }),
        1 => (place(), place(), contact_fields())
            .prop_map(|(lead, contact, fields)| Op::EditContact { lead, contact, fields: Box::new(fields) }),
        1 => (place(), place()).prop_map(|(lead, contact)| Op::RemoveContact { lead, contact }),
        1 => (place(), place()).prop_map(|(lead, contact)| Op::MakePrimary { lead, contact }),
    ];
    let setup = prop_oneof![
        3 => (kind(), text()).prop_map(|(kind, name)| Op::AddTerm { kind, name }),
        1 => (kind(), 0..6_usize, text()).prop_map(|(kind, term, name)| Op::RenameTerm { kind, term, name }),
        2 => (kind(), 0..6_usize, option::of(0..6_usize), any::<bool>())
            .prop_map(|(kind, term, reassign, clear)| Op::DeleteTerm { kind, term, reassign, clear }),
        1 => (select(vec![Field::City, Field::Email, Field::Number]), any::<bool>())
            .prop_map(|(field, required)| Op::Require { field, required }),
        1 => (select(custom_types()), option::weighted(0.8, select(custom_types())), any::<bool>())
            .prop_map(|((field, _), kind, clear)| Op::Redefine { field, kind: kind.map(|(_, kind)| kind), clear }),
        1 => (-1_i64..4).prop_map(Op::Tick),
    ];
    let stages = prop_oneof![
        3 => (0..8_usize, option::of(1..4_u32), option::of(select(vec![Field::City, Field::Email, Field::Amount])),
            option::of(0..8_usize), option::of(0..=100_u8))
            .prop_map(|(stage, limit, required, next, probability)|
                Op::StageRules { stage, limit, required, next, probability }),
        1 => (0..8_usize, option::of(0..8_usize)).prop_map(|(stage, target)| Op::RemoveStage { stage, target }),
        1 => (0..6_usize, any::<bool>()).prop_map(|(term, archived)| Op::FlagReason { term, archived }),
    ];
    let limit = || prop_oneof![4 => 1..5_usize, 1 => Just(1_000), 1 => Just(0), 1 => Just(1_000_000_000)];
    let reading = prop_oneof![
        4 => (filter(), sort(), limit(), prop::bool::weighted(0.2))
            .prop_map(|(filter, sort, limit, trash)| Op::Pages { filter, sort, limit, trash }),
        1 => filter().prop_map(Op::Count),
        1 => (filter(), prop_oneof![3 => select(Field::ALL.to_vec()), 1 => custom_field()])
            .prop_map(|(filter, field)| Op::CountBy { filter, field }),
        1 => (filter(), sort(), 0..3_usize)
            .prop_map(|(filter, sort, cards)| Op::Board { filter, sort, cards }),
        1 => (place(), limit()).prop_map(|(lead, limit)| Op::Timeline { lead, limit }),
        1 => limit().prop_map(|limit| Op::Accounts { limit }),
        1 => place().prop_map(|lead| Op::Persons { lead }),
        1 => place().prop_map(|lead| Op::StageHistory { lead }),
        1 => place().prop_map(|lead| Op::Get { lead }),
        1 => prop_oneof![0..10_u64, Just(u64::MAX)].prop_map(Op::ByNumber),
    ];
    let activities = activity_op().prop_map(Op::Activity);
    prop_oneof![4 => creating, 4 => changing, 2 => persons, 2 => setup, 1 => stages, 4 => reading, 3 => activities]
}
