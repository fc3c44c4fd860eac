//! Links between the leads of a file: an export names them by the ids that they have where it comes from.
//!
//! A link leads to the lead with this id, to the lead that is known to be called so elsewhere, or to what a row of the same
//! file became that has this id. Where that row comes further down, the link is written as soon as it is done. Where that row is
//! not taken, the link is left out and told; a new lead that must have it is not taken either.

mod beside;
mod open;
mod rows;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::claims::every_fields;
use super::names::NewValues;
use super::planned::PlannedLine;
use super::records::Record;
use super::source::Source;
use super::stage_kinds::NewStages;
use crate::desk;
use crate::domain::{
    CustomKey, CustomValue, ExternalRef, Field, FieldChange, FieldValue, Lead, LeadFields, MatchKey,
    MatchKind, Subject, SubjectKind,
};
use crate::error::{Result, Violation, ViolationCode};
use crate::exchange::coerce::{Content, Intent, stand_in};
use crate::id::LeadId;
use crate::store::Txn;

use beside::{LinksOfLines, RowLink, was_not_taken};
use open::MOST;
pub(super) use open::OpenLinks;
pub(super) use rows::{FindRows, RowsById};
use rows::{LinkColumn, link_columns};

/// What later parts of an import have to know of earlier ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Carried {
    /// The new names so far.
    pub(super) new_values: NewValues,
    /// What the stages among them mean.
    pub(super) new_stages: NewStages,
    pub(super) links: OpenLinks,
}

/// A link to a row that there is, and that became no lead.
fn not_taken(field: &CustomKey) -> Violation {
    let message = "the row of the lead that it links to was not taken";
    Violation::new(field.as_str(), ViolationCode::Unknown, message)
}

/// A link to a lead of the place that the file comes from, which is neither in the file nor here.
fn stayed_there(field: &CustomKey) -> Violation {
    let message = "the lead that it links to is neither in the file nor here";
    Violation::new(field.as_str(), ViolationCode::Unknown, message)
}

/// A link to a row further down, of a file with too many of them.
fn too_many(field: &CustomKey) -> Violation {
    let message = "too many links of the file lead to rows further down: import the line again, or put these rows first";
    Violation::new(field.as_str(), ViolationCode::LimitReached, message)
}

/// Who is called by an id here.
#[derive(Debug, Clone, Copy)]
struct Here {
    lead: LeadId,
    /// Whether it is the id of a system that nobody named: two files may mean two systems by it.
    is_doubtful: bool,
}

/// What a row says that is not yet done.
#[derive(Debug, Default)]
struct OfRow {
    ahead: Vec<(CustomKey, LeadId)>,
    left_out: Vec<Violation>,
    /// Values of unique fields, as the row names them.
    claims: Vec<(Field, MatchKey)>,
    /// What it is refused for, when nothing else speaks against it.
    broken: Vec<Violation>,
    /// The rows that it links to.
    linked: Vec<RowLink>,
    /// The fields that link to rows about which a person decided since they were planned.
    anew: Vec<CustomKey>,
}

/// Where the links of rows lead.
#[derive(Debug, Default)]
pub(super) struct Links {
    columns: BTreeMap<CustomKey, LinkColumn>,
    rows: Arc<RowsById>,
    pub(super) open: OpenLinks,
    /// What the store knows of leads that are not here.
    stored: HashMap<LeadId, Here>,
    missing: BTreeSet<LeadId>,
    /// What they may be in the system of the file.
    elsewhere: HashMap<LeadId, ExternalRef>,
    unnamed: &'static [&'static str],
    row: OfRow,
    of_lines: LinksOfLines,
    /// The number of the first row that is decided here.
    first: Option<u64>,
}

impl Links {
    pub(super) fn new(source: &Source, rows: &Arc<RowsById>, open: OpenLinks) -> Self {
        let columns = link_columns(&source.columns, source.catalogue());
        let unnamed = source.options.unnamed_systems();
        Self { columns, rows: Arc::clone(rows), open, unnamed, ..Self::default() }
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
        intents: impl Iterator<Item = &'i Intent> + Clone,
    ) -> Result<Vec<MatchKey>> {
        self.of_lines.clear();
        if self.columns.is_empty() {
            return Ok(Vec::new());
        }
        let missing = missing.iter().filter(|subject| subject.kind == SubjectKind::Lead);
        self.missing = missing.map(|subject| LeadId::from_uuid(subject.id)).collect();
        let every = |intent: &'i Intent| [Some(intent), intent.for_new.as_deref()];
        let linked = intents.clone().flat_map(every).flatten().flat_map(|intent| &intent.linked);
        let linked = linked.filter(|(id, _)| self.missing.contains(id));
        self.elsewhere = linked.map(|(id, elsewhere)| (*id, elsewhere.clone())).collect();
        self.stored = self.known_here(txn)?;
        let fields = intents.flat_map(every_fields).flat_map(|fields| &fields.custom);
        let unique = fields.filter(|(key, _)| self.columns.get(*key).is_some_and(|column| column.is_unique));
        let keys = unique.filter_map(|(key, value)| {
            let CustomValue::Link(to) = value else { return None };
            let to = LeadId::from_uuid(to.id);
            let known = self.open.known.get(&to).copied();
            let here = known.or_else(|| Some(self.stored.get(&to)?.lead))?;
            MatchKey::custom(key, &FieldValue::Id(here.as_uuid()))
        });
        Ok(keys.collect())
    }

    /// Who is here what these ids name: known to be called so elsewhere, or as their rows call them besides.
    fn known_here(&self, txn: &mut dyn Txn) -> Result<HashMap<LeadId, Here>> {
        if self.missing.is_empty() {
            return Ok(HashMap::new());
        }
        let other = |id: &LeadId| self.rows.get(*id).and_then(|row| row.other);
        let key = |id: &ExternalRef| MatchKey::new(MatchKind::External, id.to_string());
        let own = |id: &LeadId| key(&ExternalRef::own(*id));
        let others: Vec<_> = self.missing.iter().filter_map(other).collect();
        let keys = self.missing.iter().chain(&others).map(own).chain(self.elsewhere.values().map(key));
        let found: HashMap<_, _> = txn.leads().find(&keys.collect::<Vec<_>>())?.into_iter().collect();
        let live = txn.leads().get(&others)?.into_iter().filter(|lead| lead.trashed.is_none());
        let live: BTreeSet<_> = live.map(|lead| lead.id).collect();
        let by_own = |id: LeadId| found.get(&own(&id)).copied();
        let here = |id: &LeadId| {
            let other = other(id);
            let lead = other.filter(|other| live.contains(other)).or_else(|| by_own(*id));
            if let Some(lead) = lead.or_else(|| by_own(other?)) {
                return Some((*id, Here { lead, is_doubtful: false }));
            }
            let elsewhere = self.elsewhere.get(id)?;
            let is_doubtful = self.unnamed.contains(&elsewhere.system());
            Some((*id, Here { lead: *found.get(&key(elsewhere))?, is_doubtful }))
        };
        Ok(self.missing.iter().filter_map(here).collect())
    }

    /// Who is called so here, for a lead that has this link. In a system that nobody named a row of the file says it, as long as
    /// such rows are remembered.
    fn here(&self, to: LeadId, has: Option<&CustomValue>) -> Option<LeadId> {
        let stored = || {
            let Here { lead, is_doubtful } = *self.stored.get(&to)?;
            let has_it = has == Some(&CustomValue::Link(Subject::from(lead)));
            let is_told = self.rows.has(to) && self.open.known.len() < MOST;
            (has_it || !is_doubtful || !is_told).then_some(lead)
        };
        self.open.known.get(&to).copied().or_else(stored)
    }

    /// The leads whose links wait for one of these rows.
    pub(super) fn waiting_for<'i>(&self, intents: impl Iterator<Item = &'i Intent>) -> Vec<LeadId> {
        if self.open.waiting.is_empty() {
            return Vec::new();
        }
        let ids: BTreeSet<LeadId> = intents.flat_map(Intent::link_ids).collect();
        ids.into_iter().flat_map(|id| self.open.waiting.leads_for(id)).collect()
    }

    /// Forgets the row before.
    pub(super) fn begin_row(&mut self) {
        self.row = OfRow::default();
    }

    /// The row with its links as they lead here, for a lead as it was `before`. Without those that wait for rows further down,
    /// and those that lead nowhere, where such are left out. A row that was `planned` to be refused for its links is.
    pub(super) fn lead_here<'i>(
        &mut self,
        intent: &'i Intent,
        (number, planned): (u64, Option<&PlannedLine>),
        before: Option<&Lead>,
    ) -> Cow<'i, Intent> {
        self.begin_row();
        let mut said = Cow::Borrowed(intent);
        if self.columns.is_empty() {
            return said;
        }
        for (key, value) in &intent.fields.custom {
            let (Some(column), CustomValue::Link(subject)) = (self.columns.get(key), value) else { continue };
            let to = LeadId::from_uuid(subject.id);
            let has = before.and_then(|before| before.fields.custom.get(key));
            if has == Some(value) || !self.missing.contains(&to) {
                continue;
            }
            if column.is_unique {
                let named = MatchKey::custom(key, &FieldValue::Id(to.as_uuid()));
                self.row.claims.extend(named.map(|named| (Field::Custom(key.clone()), named)));
            }
            let row = self.rows.get(to).copied();
            let is_ahead = row.is_some_and(|row| row.number >= number);
            let is_needed = column.is_required && has.is_none();
            let is_anew = self.rows.is_anew(to);
            self.row.linked.extend(row.map(|row| RowLink { to, row, is_needed, is_ahead }));
            self.row.anew.extend(is_anew.then(|| key.clone()));
            let fields = &mut said.to_mut().fields.custom;
            if let Some(here) = self.here(to, has) {
                fields.insert(key.clone(), CustomValue::Link(Subject::from(here)));
                continue;
            }
            let is_passed = row.is_some() && !is_ahead && self.open.known.len() < MOST;
            let is_refused = is_passed
                || self.rows.is_untaken(to)
                || self.rows.is_skipped(to, is_needed)
                || (!is_anew && was_not_taken(planned, key, is_ahead));
            if is_refused && !is_needed {
                self.row.left_out.push(not_taken(key));
            } else if is_refused || is_ahead {
                if is_refused {
                    self.row.broken.push(not_taken(key));
                } else if self.open.waiting.is_full() {
                    self.row.broken.push(too_many(key));
                }
                self.row.ahead.push((key.clone(), to));
            } else if column.leaves_out {
                self.row.left_out.push(desk::no_such_record(key));
            } else if column.is_of_ids && !is_needed && !self.is_of_system(to) {
                self.row.left_out.push(stayed_there(key));
            } else {
                continue;
            }
            fields.remove(key);
        }
        said
    }

    /// Whether this stands for the id that another system gives a lead.
    fn is_of_system(&self, to: LeadId) -> bool {
        self.elsewhere.get(&to).is_some_and(|id| stand_in(id) == to)
    }

    /// What the row claims for its lead alone, as it names it.
    ///
    /// # Errors
    /// The links that the row cannot be taken without.
    pub(super) fn claims(&self) -> Result<&[(Field, MatchKey)], Vec<Violation>> {
        if self.row.broken.is_empty() { Ok(&self.row.claims) } else { Err(self.row.broken.clone()) }
    }

    /// What leads claim whose links wait.
    pub(super) fn claims_that_wait(&self) -> impl Iterator<Item = (MatchKey, LeadId)> + '_ {
        let has_unique = self.columns.values().any(|column| column.is_unique);
        let waiting = has_unique.then(|| self.open.waiting.iter()).into_iter().flatten();
        waiting.filter_map(|(to, lead, field)| Some((self.claim(field, to)?, lead)))
    }

    /// What a lead claims that links to this one, where no other may.
    pub(super) fn claim(&self, field: &CustomKey, to: LeadId) -> Option<MatchKey> {
        let is_unique = self.columns.get(field).is_some_and(|column| column.is_unique);
        is_unique.then(|| MatchKey::custom(field, &FieldValue::Id(to.as_uuid()))).flatten()
    }

    /// What rows may claim whose links wait for one of these leads.
    pub(super) fn claims_of(&self, leads: &[LeadId]) -> Vec<MatchKey> {
        if self.missing.is_empty() && self.open.waiting.is_empty() {
            return Vec::new();
        }
        let fields = self.columns.keys();
        fields.flat_map(|field| leads.iter().filter_map(|lead| self.claim(field, *lead))).collect()
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
            let elsewhere = self.elsewhere.get(to).filter(|_| self.is_of_system(*to));
            let new = elsewhere.map_or(FieldValue::Id(to.as_uuid()), |id| FieldValue::from(id.id()));
            FieldChange::new(key.as_str(), old.unwrap_or(FieldValue::Empty), new)
        })
    }

    /// A row was taken: what it links to waits. Written, or found to be so already: what was left out is told.
    pub(super) fn take_row(&mut self, line: u64, lead: Option<LeadId>) {
        let OfRow { ahead, left_out, .. } = std::mem::take(&mut self.row);
        self.open.left_out.extend(left_out.into_iter().map(|reason| (line, reason)));
        if let Some(lead) = lead {
            for (field, to) in ahead {
                self.open.waiting.add((to, line), lead, field);
            }
        }
    }

    /// A row says something of a lead of which an earlier one did: what that one links to, and waits, is not written any more.
    pub(super) fn supersede(&mut self, record: &Record, lead: LeadId) {
        let Content::Filled(intent) = &record.content else { return };
        if self.open.waiting.is_empty() {
            return;
        }
        let cleared = |key: &CustomKey| intent.clear.contains(&Field::Custom(key.clone()));
        let columns = self.columns.keys();
        let said: Vec<_> =
            columns.filter(|key| intent.fields.custom.contains_key(*key) || cleared(key)).collect();
        if !said.is_empty() {
            self.open.waiting.forget(lead, |field| said.contains(&field));
        }
    }

    /// A row is this lead: returns the links that waited for it, by lead, field and line.
    pub(super) fn arrive(&mut self, record: &Record, lead: LeadId) -> Vec<(LeadId, CustomKey, u64)> {
        let mut found = Vec::new();
        if self.rows.is_empty() {
            return found;
        }
        for id in record.link_ids().filter(|id| *id != lead && self.rows.has(*id)) {
            if self.open.known.len() < MOST {
                self.open.known.insert(id, lead);
            }
            let here = self.open.waiting.take(id).into_iter();
            found.extend(here.map(|link| (link.lead, link.field, link.line)));
        }
        found
    }

    /// A link that waited is not written after all.
    pub(super) fn leave_out(&mut self, field: &CustomKey, line: u64, is_claimed: bool) {
        let reason = if is_claimed { super::claims::another_has(field.as_str()) } else { not_taken(field) };
        self.open.left_out.push((line, reason));
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
