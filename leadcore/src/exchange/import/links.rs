//! Links between the leads of a file: an export names them by the ids that they have where it comes from.
//!
//! A link leads to the lead with this id, to the lead that is known to be called so elsewhere, or to what a row of the same
//! file became that has this id. Where that row comes further down, the link is written as soon as it is done.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::claims::every_fields;
use super::names::NewValues;
use super::records::Record;
use super::source::Source;
use super::stage_kinds::NewStages;
use crate::desk;
use crate::domain::{
    Catalogue, CustomKey, CustomType, CustomValue, ExternalRef, Field, FieldChange, FieldValue, Lead,
    LeadFields, MatchKey, MatchKind, Subject, SubjectKind,
};
use crate::error::{Result, Violation, ViolationCode};
use crate::exchange::BadValues;
use crate::exchange::coerce::{Content, Intent};
use crate::exchange::mapping::Located;
use crate::id::LeadId;
use crate::store::Txn;

/// So many links may wait for rows further down, and so many leads elsewhere are remembered that nothing else tells.
const MOST: usize = 10_000;

/// What later parts of an import have to know of earlier ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Carried {
    /// The new names so far.
    pub(super) new_values: NewValues,
    /// What the stages among them mean.
    pub(super) new_stages: NewStages,
    pub(super) links: OpenLinks,
}

/// Links that wait for the rows of their leads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct OpenLinks {
    #[serde(skip_serializing_if = "Waiting::is_empty")]
    waiting: Waiting,
    /// What leads elsewhere became, by their ids there, as far as their leads here do not say it themselves.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    known: BTreeMap<LeadId, LeadId>,
    /// What could not be linked, by line, until the report tells it.
    #[serde(skip)]
    left_out: Vec<(u64, Violation)>,
}

/// By the id that they name and their line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<OpenLink>", into = "Vec<OpenLink>")]
struct Waiting(BTreeMap<(LeadId, u64), Vec<(LeadId, CustomKey)>>);

impl Waiting {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that name this id.
    fn take(&mut self, to: LeadId) -> Vec<OpenLink> {
        let mut rest = self.0.split_off(&(to, 0));
        let mut behind = rest.split_off(&(to, u64::MAX));
        self.0.append(&mut behind);
        Self(rest).into()
    }
}

impl From<Vec<OpenLink>> for Waiting {
    fn from(links: Vec<OpenLink>) -> Self {
        let mut waiting = Self::default();
        for OpenLink { line, lead, field, to } in links {
            waiting.0.entry((to, line)).or_default().push((lead, field));
        }
        waiting
    }
}

impl From<Waiting> for Vec<OpenLink> {
    fn from(Waiting(waiting): Waiting) -> Self {
        let links = waiting.into_iter().flat_map(|((to, line), links)| {
            links.into_iter().map(move |(lead, field)| OpenLink { line, lead, field, to })
        });
        links.collect()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct OpenLink {
    line: u64,
    lead: LeadId,
    field: CustomKey,
    /// The id that it names.
    to: LeadId,
}

impl OpenLinks {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What could not be linked since this was last asked; at the end of the file, what still waits, too.
    pub(super) fn take_left_out(&mut self, is_end: bool) -> Vec<(u64, Violation)> {
        let mut told = std::mem::take(&mut self.left_out);
        if is_end {
            let Self { waiting, .. } = std::mem::take(self);
            let waiting = Vec::<OpenLink>::from(waiting).into_iter();
            told.extend(waiting.map(|link| (link.line, not_taken(&link.field))));
            told.sort_by_key(|(line, _)| *line);
        }
        told
    }
}

fn not_taken(field: &CustomKey) -> Violation {
    let message = "the row of the lead that it links to was not taken";
    Violation::new(field.as_str(), ViolationCode::Unknown, message)
}

/// The ids of leads that rows of a file have and links of it name.
#[derive(Debug, Default)]
pub(super) struct RowsById(HashMap<LeadId, RowOfId>);

#[derive(Debug, Clone, Copy)]
struct RowOfId {
    /// The number of the last such row.
    number: u64,
    /// What the row calls its lead besides, which may be known already.
    other: Option<LeadId>,
}

/// Finds them among the rows of a file.
#[derive(Debug, Default)]
pub(super) struct FindRows {
    columns: BTreeMap<CustomKey, LinkColumn>,
    last: HashMap<LeadId, RowOfId>,
    named: BTreeSet<LeadId>,
}

impl FindRows {
    /// Nothing, where no column of the file holds links.
    pub(super) fn of(source: &Source) -> Option<Self> {
        let columns = link_columns(&source.columns, source.catalogue());
        (!columns.is_empty()).then(|| Self { columns, ..Self::default() })
    }

    pub(super) fn add(&mut self, record: &Record) {
        let Content::Filled(intent) = &record.content else { return };
        self.last.extend(intent.own_ids().map(|id| {
            let other = intent.own_ids().find(|other| *other != id);
            (id, RowOfId { number: record.number, other })
        }));
        let custom = every_fields(intent).flat_map(|fields| &fields.custom);
        self.named.extend(custom.filter_map(|(key, value)| match value {
            CustomValue::Link(to) if self.columns.contains_key(key) => Some(LeadId::from_uuid(to.id)),
            _ => None,
        }));
    }

    pub(super) fn found(mut self) -> RowsById {
        self.last.retain(|id, _| self.named.contains(id));
        RowsById(self.last)
    }
}

#[derive(Debug, Clone, Copy)]
struct LinkColumn {
    leaves_out: bool,
    is_unique: bool,
}

/// The columns that hold links to leads.
fn link_columns(columns: &[Located], catalogue: &Catalogue) -> BTreeMap<CustomKey, LinkColumn> {
    let link = |column: &Located| {
        let Field::Custom(key) = &column.field else { return None };
        let custom = catalogue.custom_field(key)?;
        let is_link = matches!(custom.kind, CustomType::Link(SubjectKind::Lead));
        let leaves_out = column.rules.bad_values == Some(BadValues::LeaveOut);
        is_link.then(|| (key.clone(), LinkColumn { leaves_out, is_unique: custom.unique }))
    };
    columns.iter().filter_map(link).collect()
}

/// What a row says that is not yet done.
#[derive(Debug, Default)]
struct OfRow {
    ahead: Vec<(CustomKey, LeadId)>,
    left_out: Vec<Violation>,
}

/// Where the links of rows lead.
#[derive(Debug, Default)]
pub(super) struct Links {
    columns: BTreeMap<CustomKey, LinkColumn>,
    rows: Arc<RowsById>,
    pub(super) open: OpenLinks,
    /// What the store knows of leads that are not here.
    stored: HashMap<LeadId, LeadId>,
    missing: BTreeSet<LeadId>,
    row: OfRow,
}

impl Links {
    pub(super) fn new(source: &Source, rows: &Arc<RowsById>, open: OpenLinks) -> Self {
        let columns = link_columns(&source.columns, source.catalogue());
        Self { columns, rows: Arc::clone(rows), open, ..Self::default() }
    }

    pub(super) fn is_link(&self, field: &str) -> bool {
        self.columns.keys().any(|key| key.as_str() == field)
    }

    /// Asks who is called here what these rows link to, of those that are `missing` by their ids. Returns what that gives unique
    /// fields.
    pub(super) fn look_up<'i>(
        &mut self,
        txn: &mut dyn Txn,
        missing: &BTreeSet<Subject>,
        intents: impl Iterator<Item = &'i Intent>,
    ) -> Result<Vec<MatchKey>> {
        if self.columns.is_empty() {
            return Ok(Vec::new());
        }
        let missing = missing.iter().filter(|subject| subject.kind == SubjectKind::Lead);
        self.missing = missing.map(|subject| LeadId::from_uuid(subject.id)).collect();
        self.stored = self.known_here(txn)?;
        let fields = intents.flat_map(every_fields).flat_map(|fields| &fields.custom);
        let unique = fields.filter(|(key, _)| self.columns.get(*key).is_some_and(|column| column.is_unique));
        let keys = unique.filter_map(|(key, value)| {
            let CustomValue::Link(to) = value else { return None };
            let here = self.stored.get(&LeadId::from_uuid(to.id))?;
            MatchKey::custom(key, &FieldValue::Id(here.as_uuid()))
        });
        Ok(keys.collect())
    }

    /// Who is here what these ids name: known to be called so elsewhere, or as their rows call them besides.
    fn known_here(&self, txn: &mut dyn Txn) -> Result<HashMap<LeadId, LeadId>> {
        if self.missing.is_empty() {
            return Ok(HashMap::new());
        }
        let other = |id: &LeadId| self.rows.0.get(id).and_then(|row| row.other);
        let key = |id: &LeadId| MatchKey::new(MatchKind::External, ExternalRef::own(*id).to_string());
        let others: Vec<_> = self.missing.iter().filter_map(other).collect();
        let keys: Vec<_> = self.missing.iter().chain(&others).map(key).collect();
        let found: HashMap<_, _> = txn.leads().find(&keys)?.into_iter().collect();
        let live = txn.leads().get(&others)?.into_iter().filter(|lead| lead.trashed.is_none());
        let live: BTreeSet<_> = live.map(|lead| lead.id).collect();
        let here = |id: &LeadId| {
            let other = other(id);
            let by_key = |id: LeadId| found.get(&key(&id)).copied();
            let here = other.filter(|other| live.contains(other)).or_else(|| by_key(*id));
            Some((*id, here.or_else(|| by_key(other?))?))
        };
        Ok(self.missing.iter().filter_map(here).collect())
    }

    /// The leads whose links wait for one of these rows.
    pub(super) fn waiting_for<'i>(&self, intents: impl Iterator<Item = &'i Intent>) -> Vec<LeadId> {
        if self.open.waiting.is_empty() {
            return Vec::new();
        }
        let ids: BTreeSet<LeadId> = intents.flat_map(Intent::own_ids).collect();
        let waiting = |id: LeadId| self.open.waiting.0.range((id, 0)..=(id, u64::MAX));
        let leads = ids.into_iter().flat_map(waiting).flat_map(|(_, links)| links);
        leads.map(|(lead, _)| *lead).collect()
    }

    /// Forgets the row before.
    pub(super) fn begin_row(&mut self) {
        self.row = OfRow::default();
    }

    /// The row with its links as they lead here, for a lead as it was `before`. Without those that wait for rows further down,
    /// and those that lead nowhere, where such are left out.
    pub(super) fn lead_here<'i>(
        &mut self,
        intent: &'i Intent,
        number: u64,
        before: Option<&Lead>,
    ) -> Cow<'i, Intent> {
        self.begin_row();
        if self.columns.is_empty() || intent.fields.custom.is_empty() {
            return Cow::Borrowed(intent);
        }
        let mut said = Cow::Borrowed(intent);
        for (key, value) in &intent.fields.custom {
            let (Some(column), CustomValue::Link(subject)) = (self.columns.get(key), value) else { continue };
            let to = LeadId::from_uuid(subject.id);
            let is_kept = before.is_some_and(|before| before.fields.custom.get(key) == Some(value));
            if is_kept || !self.missing.contains(&to) {
                continue;
            }
            let known = self.open.known.get(&to).filter(|_| !column.is_unique);
            let is_ahead = !column.is_unique
                && self.rows.0.get(&to).is_some_and(|row| row.number >= number)
                && self.open.waiting.0.len() < MOST;
            if let Some(here) = known.or_else(|| self.stored.get(&to)) {
                let link = CustomValue::Link(Subject::from(*here));
                said.to_mut().fields.custom.insert(key.clone(), link);
            } else if is_ahead {
                said.to_mut().fields.custom.remove(key);
                self.row.ahead.push((key.clone(), to));
            } else if column.leaves_out {
                said.to_mut().fields.custom.remove(key);
                self.row.left_out.push(desk::no_such_record(key));
            }
        }
        said
    }

    /// Whether the row has links that wait.
    pub(super) const fn waits(&self) -> bool {
        !self.row.ahead.is_empty()
    }

    /// The lead as it will be once the links that wait are written: what is required is judged by that.
    pub(super) fn foreseen<'l>(&self, lead: &'l Lead) -> Cow<'l, Lead> {
        let mut foreseen = Cow::Borrowed(lead);
        if self.waits() {
            self.foresee(&mut foreseen.to_mut().fields);
        }
        foreseen
    }

    /// Writes the links that wait, for now, as the row names them.
    pub(super) fn foresee(&self, fields: &mut LeadFields) {
        for (key, to) in &self.row.ahead {
            fields.custom.insert(key.clone(), CustomValue::Link(Subject::from(*to)));
        }
    }

    /// Takes them off a new lead again.
    pub(super) fn await_in(&self, fields: &mut LeadFields) {
        self.row.ahead.iter().for_each(|(key, _)| drop(fields.custom.remove(key)));
    }

    /// The row is taken without something that it says.
    pub(super) fn tell(&mut self, reason: Violation) {
        self.row.left_out.push(reason);
    }

    /// What the row says of the links that wait, as it names them.
    pub(super) fn told(&self, before: Option<&Lead>) -> impl Iterator<Item = FieldChange> {
        self.row.ahead.iter().map(move |(key, to)| {
            let old = before.and_then(|before| before.fields.custom.get(key)).map(CustomValue::read);
            FieldChange::new(key.as_str(), old.unwrap_or(FieldValue::Empty), FieldValue::Id(to.as_uuid()))
        })
    }

    /// A row was taken: what it links to waits. Written, or found to be so already: what was left out is told.
    pub(super) fn take_row(&mut self, line: u64, lead: Option<LeadId>) {
        let OfRow { ahead, left_out } = std::mem::take(&mut self.row);
        self.open.left_out.extend(left_out.into_iter().map(|reason| (line, reason)));
        if let Some(lead) = lead {
            for (field, to) in ahead {
                self.open.waiting.0.entry((to, line)).or_default().push((lead, field));
            }
        }
    }

    /// A row is this lead: returns the links that waited for it, by lead, field and line.
    pub(super) fn arrive(&mut self, record: &Record, lead: LeadId) -> Vec<(LeadId, CustomKey, u64)> {
        let mut found = Vec::new();
        let Content::Filled(intent) = &record.content else { return found };
        if self.rows.0.is_empty() {
            return found;
        }
        for id in intent.own_ids().filter(|id| *id != lead && self.rows.0.contains_key(id)) {
            if self.open.known.len() < MOST {
                self.open.known.insert(id, lead);
            }
            let here = self.open.waiting.take(id).into_iter();
            found.extend(here.map(|link| (link.lead, link.field, link.line)));
        }
        found
    }

    /// A link that waited is not written after all.
    pub(super) fn leave_out(&mut self, field: &CustomKey, line: u64) {
        self.open.left_out.push((line, not_taken(field)));
    }

    /// What the next part has to know: not what these leads, which are written now, say themselves.
    pub(super) fn into_open<'l>(mut self, leads: impl Iterator<Item = &'l Lead>) -> OpenLinks {
        if !self.open.known.is_empty() {
            for id in leads.flat_map(|lead| &lead.fields.external_ids).filter_map(ExternalRef::as_own) {
                self.open.known.remove(&id);
            }
        }
        self.open
    }
}
