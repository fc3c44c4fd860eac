//! The rows of a file that links of it name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::claims::every_fields;
use super::super::planned::Choice;
use super::super::records::Record;
use super::super::source::Source;
use crate::domain::{Catalogue, CustomKey, CustomType, CustomValue, Field, SubjectKind};
use crate::exchange::BadValues;
use crate::exchange::coerce::Content;
use crate::exchange::mapping::Located;
use crate::id::LeadId;

/// The ids of leads that rows of a file have and links of it name.
#[derive(Debug, Clone, Default)]
pub(in crate::exchange::import) struct RowsById {
    rows: HashMap<LeadId, RowOfId>,
    /// Those about whose rows a person decided since they were planned, and those whose rows need them.
    anew: BTreeSet<LeadId>,
    /// Those whose rows a person leaves out.
    left_out: BTreeSet<LeadId>,
    /// Those whose rows will not be taken, as far as that is known before.
    untaken: BTreeSet<LeadId>,
    /// Those whose rows a person leaves out, of those that leads must have links to, and those whose rows need them.
    skipped: BTreeSet<LeadId>,
    /// Whether a lead must have a link that names one of them.
    is_required: bool,
    /// Whether a row names one further down.
    is_forward: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct RowOfId {
    /// The number of the last such row.
    pub(super) number: u64,
    /// The line of it.
    pub(super) line: u64,
    /// What the row calls its lead besides, which may be known already.
    pub(super) other: Option<LeadId>,
}

/// Adds the rows that need those which are skipped, and those that need them in turn.
fn spread(skipped: &mut BTreeSet<LeadId>, mut needing: HashMap<LeadId, Vec<LeadId>>) {
    let mut new: Vec<_> = skipped.iter().copied().collect();
    while let Some(id) = new.pop() {
        let more = needing.remove(&id).into_iter().flatten();
        new.extend(more.filter(|id| skipped.insert(*id)));
    }
}

/// Finds them among the rows of a file.
#[derive(Debug, Default)]
pub(in crate::exchange::import) struct FindRows {
    columns: BTreeMap<CustomKey, LinkColumn>,
    last: HashMap<LeadId, RowOfId>,
    /// With the number of the first row that names it.
    named: BTreeMap<LeadId, u64>,
    required: BTreeSet<LeadId>,
    /// The ids of the rows that a person leaves out, and of the others.
    skipped: BTreeSet<LeadId>,
    kept: BTreeSet<LeadId>,
    /// The ids of the rows about which a person decided since they were planned.
    anew: BTreeSet<LeadId>,
    /// The rows that need those of an id, where a person decided about them.
    needing: Option<HashMap<LeadId, Vec<LeadId>>>,
}

impl FindRows {
    /// Nothing, where no column of the file holds links.
    pub(in crate::exchange::import) fn of(source: &Source, is_planned: bool) -> Option<Self> {
        let columns = link_columns(&source.columns, source.catalogue());
        let needing = is_planned.then(HashMap::new);
        (!columns.is_empty()).then(|| Self { columns, needing, ..Self::default() })
    }

    pub(in crate::exchange::import) fn add(&mut self, record: &Record) {
        let intent = if let Content::Filled(intent) = &record.content { Some(intent) } else { None };
        let own = intent.iter().flat_map(|intent| intent.own_ids());
        self.last.extend(record.link_ids().map(|id| {
            let other = own.clone().find(|other| *other != id);
            (id, RowOfId { number: record.number, line: record.line, other })
        }));
        if self.needing.is_some() {
            let is_skipped = record.choice == Some(Choice::Skip);
            (if is_skipped { &mut self.skipped } else { &mut self.kept }).extend(record.link_ids());
            self.anew.extend(record.link_ids().filter(|_| record.is_anew()));
        }
        let Some(intent) = intent else { return };
        for (key, value) in every_fields(intent).flat_map(|fields| &fields.custom) {
            let (Some(column), CustomValue::Link(to)) = (self.columns.get(key), value) else { continue };
            let to = LeadId::from_uuid(to.id);
            self.named.entry(to).or_insert(record.number);
            if column.is_required {
                self.required.insert(to);
                if let Some(needing) = &mut self.needing {
                    needing.entry(to).or_default().extend(record.link_ids());
                }
            }
        }
    }

    pub(in crate::exchange::import) fn found(self) -> RowsById {
        let Self { mut last, named, required, mut skipped, kept, mut anew, needing, .. } = self;
        last.retain(|id, _| named.contains_key(id));
        let is_required = required.iter().any(|id| last.contains_key(id));
        let is_forward = last.iter().any(|(id, row)| named.get(id).is_some_and(|by| *by < row.number));
        skipped.retain(|id| named.contains_key(id) && !kept.contains(id));
        let left_out = skipped.clone();
        let needing = needing.unwrap_or_default();
        spread(&mut anew, needing.clone());
        spread(&mut skipped, needing);
        RowsById { rows: last, anew, left_out, untaken: BTreeSet::new(), skipped, is_required, is_forward }
    }
}

impl RowsById {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn get(&self, id: LeadId) -> Option<&RowOfId> {
        self.rows.get(&id)
    }

    pub(in crate::exchange::import) fn has(&self, id: LeadId) -> bool {
        self.rows.contains_key(&id)
    }

    /// Whether what becomes of rows may depend on others further down.
    pub(in crate::exchange::import) const fn is_forward(&self) -> bool {
        self.is_forward || self.is_required
    }

    /// Whether a person decided about the row of this id since it was planned, or about one that it needs.
    pub(super) fn is_anew(&self, id: LeadId) -> bool {
        self.anew.contains(&id)
    }

    /// Whether rows may be refused for what becomes of others further down.
    pub(in crate::exchange::import) const fn is_required(&self) -> bool {
        self.is_required
    }

    /// Whether the row of this id will not be taken.
    pub(super) fn is_untaken(&self, id: LeadId) -> bool {
        self.untaken.contains(&id)
    }

    /// Whether a person leaves out the row of this id; for one that `needs` it, also whether that row needs one which is left out.
    pub(super) fn is_skipped(&self, id: LeadId, needs: bool) -> bool {
        if needs { self.skipped.contains(&id) } else { self.left_out.contains(&id) }
    }

    /// The rows of these ids will not be taken. Returns whether that is news.
    pub(in crate::exchange::import) fn learn(&mut self, untaken: BTreeSet<LeadId>) -> bool {
        let known = self.untaken.len();
        self.untaken.extend(untaken);
        self.untaken.len() > known
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct LinkColumn {
    pub(super) leaves_out: bool,
    /// Whether it holds the ids that leads have where the file comes from, as their rows do, and nothing is said of bad ones.
    pub(super) is_of_ids: bool,
    pub(super) is_unique: bool,
    pub(super) is_required: bool,
}

/// The columns that hold links to leads.
pub(super) fn link_columns(columns: &[Located], catalogue: &Catalogue) -> BTreeMap<CustomKey, LinkColumn> {
    let has_ids = columns.iter().any(|column| column.field == Field::Id);
    let link = |column: &Located| {
        let Field::Custom(key) = &column.field else { return None };
        let custom = catalogue.custom_field(key)?;
        let is_link = matches!(custom.kind, CustomType::Link(SubjectKind::Lead));
        let leaves_out = column.rules.bad_values == Some(BadValues::LeaveOut);
        let is_of_ids = has_ids && column.rules.bad_values.is_none();
        let is_required = custom.settings.required == Some(true);
        let is_unique = custom.unique;
        is_link.then(|| (key.clone(), LinkColumn { leaves_out, is_of_ids, is_unique, is_required }))
    };
    columns.iter().filter_map(link).collect()
}
