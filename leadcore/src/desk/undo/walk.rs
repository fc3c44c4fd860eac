//! Walking over the records of an operation, the one written last first, in chunks.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use uuid::Uuid;

use crate::context::Context;
use crate::domain::{
    Action, Catalogue, CatalogueKind, Entry, FieldValue, Lead, NewEntry, Operation, OperationKind, Sequence,
    Subject, SubjectKind, TermKind,
};
use crate::error::{ErrorKind, Result};
use crate::id::{LeadId, OperationId, PipelineId, StageId};
use crate::policy::{Permission, Scope};
use crate::store::{LeadChange, Txn};

use super::super::access::Gate;
use super::super::children::for_child;
use super::super::leads::update_all;
use super::super::settings::{load_catalogue, load_catalogue_of};
use super::child::{self, Hands};
use super::claims::{Claims, Decision, Docket, Waiting};
use super::stories::{Story, stories, tell, unsupported};
use super::turns::in_turn;
use super::{
    UndoPart, UndoRecord, account, cost, followers, key, links, record, series, setting, stages, terms,
};

/// How many records one chunk reads and writes.
const CHUNK: usize = 500;
/// How many entries of an operation are read at a time.
const READ: usize = 1_000;

/// When a record is taken back: in the order of these, and of them that which was written last first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// A term or a stage that was added goes when nothing has it any more.
    Last,
    Usual,
    /// One that was deleted is there again before what had it gets it back.
    First,
}

impl Turn {
    fn of(entry: &Entry) -> Self {
        match (entry.subject.kind, entry.action) {
            (SubjectKind::Term, Action::Created) => Self::Last,
            (SubjectKind::Term, Action::Deleted) => Self::First,
            (SubjectKind::Pipeline, Action::Updated) => {
                stages::turn(entry).map_or(Self::Usual, |adds| if adds { Self::Last } else { Self::First })
            }
            _ => Self::Usual,
        }
    }
}

/// What the records are judged by.
pub(super) struct Bench<'a> {
    pub(super) ctx: &'a Context<'a>,
    /// The operation that is taken back.
    pub(super) undone: &'a Operation,
    pub(super) view: Gate,
    pub(super) edit: Option<Gate>,
    pub(super) delete: Option<Gate>,
    pub(super) catalogue: Catalogue,
    /// The fields of contacts.
    pub(super) contacts: Catalogue,
    /// The fields of accounts.
    pub(super) accounts: Catalogue,
    pub(super) may_configure: bool,
    pub(super) stages: BTreeSet<(PipelineId, StageId)>,
    /// Terms that exist, as far as entries refer to them.
    pub(super) terms: BTreeSet<Uuid>,
    /// The terms that the operation added, each with the leads that an undo of it put into the trash.
    pub(super) new_terms: HashMap<Uuid, Vec<LeadId>>,
    /// How many leads an undo that is only planned would take off each term and out of each stage.
    pub(super) freed: HashMap<Uuid, u64>,
    /// The terms and stages that come back to leads of the operation once what was written over them is taken back.
    pub(super) needed: HashSet<Uuid>,
    /// Whether these operations are undos of this operation.
    pub(super) undos: HashMap<OperationId, bool>,
    /// Leads that lines of a file wrote of which the part that is taken back names some and not all.
    pub(super) shared: BTreeSet<Subject>,
    /// Whether something was written.
    begun: bool,
}

impl Bench<'_> {
    /// The operation that writes is in the journal before its first entry.
    pub(super) fn begin(&mut self, txn: &mut dyn Txn, by: &Operation) -> Result<()> {
        if std::mem::replace(&mut self.begun, true) { Ok(()) } else { txn.journal().begin(by) }
    }
}

pub(super) struct Walk<'a> {
    bench: Bench<'a>,
    /// The first entry of the operation: nothing before it matters.
    first: Sequence,
    todo: std::vec::IntoIter<Subject>,
    /// Terms and stages that were added: they go when nothing has them any more.
    last: std::vec::IntoIter<Subject>,
    /// Leads that wait for what others have, whose turn comes first.
    later: Vec<Waiting>,
    /// The same, once the others had their turn: some at a time.
    turns: VecDeque<Vec<LeadId>>,
    /// The leads whose turn comes yet, asked for with the first that waits.
    coming: Option<HashSet<LeadId>>,
    /// What only one lead can have, as far as leads got it back or gave it up.
    claims: Claims,
    /// Whether all of the operation was taken back once: then what is left is told.
    again: bool,
    /// How many leads are there and out of the actor's sight.
    unseen: u64,
    /// What the actor may take back of what hangs on leads; asked with the first of them.
    hands: Option<Hands>,
}

impl<'a> Walk<'a> {
    pub(super) fn begin(
        ctx: &'a Context<'a>,
        txn: &mut dyn Txn,
        undone: &'a Operation,
        part: Option<&UndoPart>,
    ) -> Result<Self> {
        // Only a place for each record is held for all of them at once.
        let mut last: HashMap<Subject, (Turn, Sequence)> = HashMap::new();
        let (mut named, mut shared) = (BTreeSet::new(), BTreeSet::new());
        let mut first = Sequence(i64::MAX);
        let mut missing = part.and_then(UndoPart::lines_named).cloned().unwrap_or_default();
        let mut after = None;
        loop {
            let entries = txn.journal().replay(Some(undone.id), after, READ)?;
            let Some(end) = entries.last() else { break };
            after = Some(end.sequence);
            for entry in entries {
                // What an operation notes about itself changed no record.
                if entry.subject.id == undone.id.as_uuid() {
                    continue;
                }
                first = first.min(entry.sequence);
                if part.is_some_and(|part| part.names(&entry, &mut missing)) {
                    named.insert(entry.subject);
                }
                if part.is_some_and(|part| part.leaves(&entry)) {
                    shared.insert(entry.subject);
                }
                last.insert(entry.subject, (Turn::of(&entry), entry.sequence));
            }
        }
        if !missing.is_empty() {
            return Err(UndoPart::unwritten(&missing));
        }
        last.retain(|subject, _| part.is_none() || named.contains(subject));
        let mut order: Vec<_> = last.into_iter().map(|(subject, when)| (when, subject)).collect();
        order.sort_unstable_by(|a, b| b.cmp(a));
        let (last, todo): (Vec<_>, Vec<_>) =
            order.into_iter().partition(|((turn, _), _)| *turn == Turn::Last);
        let subjects = |order: Vec<(_, Subject)>| order.into_iter().map(|(_, subject)| subject).collect();
        let (last, todo): (Vec<Subject>, Vec<Subject>) = (subjects(last), subjects(todo));
        let pipelines = txn.pipelines().list()?;
        let stages = pipelines
            .iter()
            .flat_map(|pipeline| pipeline.stages.iter().map(|stage| (pipeline.id, stage.id)))
            .collect();
        let bench = Bench {
            ctx,
            undone,
            view: Gate::open(ctx, txn, Permission::View)?,
            edit: gate(ctx, txn, Permission::Edit)?,
            delete: gate(ctx, txn, Permission::Delete)?,
            catalogue: load_catalogue(txn)?.1,
            contacts: load_catalogue_of(txn, CatalogueKind::Contact)?.1,
            accounts: load_catalogue_of(txn, CatalogueKind::Account)?.1,
            may_configure: ctx.policy().scope(ctx.actor(), Permission::Configure) != Scope::None,
            stages,
            terms: BTreeSet::new(),
            new_terms: of_kind(&last, SubjectKind::Term).map(|id| (id, Vec::new())).collect(),
            freed: HashMap::new(),
            needed: HashSet::new(),
            shared: shared.intersection(&named).copied().collect(),
            undos: HashMap::new(),
            begun: false,
        };
        let again = part.is_none() && txn.journal().find(OperationKind::Undo, &key(undone.id, 0))?.is_some();
        let (todo, last, claims) = (todo.into_iter(), last.into_iter(), Claims::default());
        let (later, turns, coming, hands) = (Vec::new(), VecDeque::new(), None, None);
        Ok(Self { bench, first, todo, last, later, turns, coming, claims, again, unseen: 0, hands })
    }

    /// Whether there was something to be written.
    pub(super) const fn has_written(&self) -> bool {
        self.bench.begun
    }

    /// How many leads the actor may not even see: for him they are not there, and somebody else may take them back.
    pub(super) const fn unseen(&self) -> u64 {
        self.unseen
    }

    /// The next records; written, when there is an operation to write them by.
    pub(super) fn next(
        &mut self,
        txn: &mut dyn Txn,
        by: Option<&Operation>,
    ) -> Result<Option<Vec<UndoRecord>>> {
        let mut subjects: Vec<_> = self.todo.by_ref().take(CHUNK).collect();
        if subjects.is_empty() && self.turns.is_empty() && !self.later.is_empty() {
            // Nobody's turn comes yet that is not among them, and they stand in their order.
            self.turns = in_turn(&std::mem::take(&mut self.later), CHUNK);
            self.coming = None;
        }
        if subjects.is_empty() {
            subjects = self.turns.pop_front().into_iter().flatten().map(Subject::from).collect();
        }
        if subjects.is_empty() {
            subjects = self.last.by_ref().take(CHUNK).collect();
        }
        if subjects.is_empty() {
            return Ok(None);
        }
        if let Some(coming) = &mut self.coming {
            for id in of_kind(&subjects, SubjectKind::Lead) {
                coming.remove(&LeadId::from_uuid(id));
            }
        }
        let mut stories = stories(txn.journal(), self.bench.undone, self.first, &subjects)?;
        self.find_terms(txn, &stories)?;
        let ids: Vec<_> = of_kind(&subjects, SubjectKind::Lead).map(LeadId::from_uuid).collect();
        let leads: BTreeMap<_, _> =
            txn.leads().get(&ids)?.into_iter().map(|lead| (lead.id.as_uuid(), lead)).collect();
        let (mut records, mut changes, mut entries) = (BTreeMap::new(), Vec::new(), Vec::new());
        // Children come behind the leads, from which they are written apart: what follows from them is kept with the lead.
        let is_child = |(_, subject): &(usize, Subject)| subject.kind.is_child();
        let (children, others): (Vec<_>, Vec<_>) = subjects.into_iter().enumerate().partition(is_child);
        let mut decided: Option<HashMap<Subject, Decision>> = None;
        for (n, subject) in others {
            // Behind the terms that are there again before what had them gets them back.
            if subject.kind == SubjectKind::Lead && decided.is_none() {
                decided = Some(self.decide(txn, by, (&ids, &leads), &stories)?);
            }
            let story = stories.remove(&subject).unwrap_or_default();
            let record = match subject.kind {
                SubjectKind::Lead => {
                    let decision = decided.as_mut().and_then(|decided| decided.remove(&subject));
                    // Those that wait have none.
                    let Some(decision) = decision else { continue };
                    let lead = leads.get(&subject.id);
                    if let Some(lead) = lead {
                        terms::own(&mut self.bench, txn, by, lead)?;
                    }
                    let sides = (&mut changes, &mut entries);
                    let record = self.lead(txn, by, (subject, lead, decision), &story, sides)?;
                    self.bench.needed.extend(lead.into_iter().flat_map(|_| story.needs(&record)));
                    record
                }
                SubjectKind::Contact => record::contact(&self.bench, txn, by, subject, &story, &mut entries)?,
                SubjectKind::Account => {
                    account::take_back(&self.bench, txn, by, subject, &story, &mut entries)?
                }
                SubjectKind::NumberSeries => {
                    series::take_back(&self.bench, txn, by, subject, &story, &mut entries)?
                }
                SubjectKind::Cost => cost::take_back(&self.bench, txn, by, subject, &story, &mut entries)?,
                SubjectKind::Pipeline => {
                    stages::take_back(&mut self.bench, txn, by, subject, &story, &mut entries)?
                }
                SubjectKind::Term => terms::term(&mut self.bench, txn, by, subject, &story, &mut entries)?,
                SubjectKind::Settings => {
                    setting::take_back(&self.bench, txn, by, subject, &story, &mut entries)?
                }
                _ => unsupported(subject, &story),
            };
            records.insert(n, tell(record, &story, self.again));
        }
        if by.is_some() && !changes.is_empty() {
            update_all(txn, &changes)?;
        }
        for (n, subject) in children {
            let story = stories.remove(&subject).unwrap_or_default();
            let record = self.child(txn, by.is_some(), subject, &story, &mut entries)?;
            records.insert(n, tell(record, &story, self.again));
        }
        if let Some(by) = by.filter(|_| !entries.is_empty()) {
            self.bench.begin(txn, by)?;
            txn.journal().append(by.id, &entries)?;
        }
        Ok(Some(records.into_values().flatten().collect()))
    }

    /// What becomes of the leads of a chunk; those that wait for others are put off.
    fn decide(
        &mut self,
        txn: &mut dyn Txn,
        by: Option<&Operation>,
        (ids, leads): (&[LeadId], &BTreeMap<Uuid, Lead>),
        stories: &HashMap<Subject, Story>,
    ) -> Result<HashMap<Subject, Decision>> {
        let subjects: Vec<Subject> = ids.iter().map(|id| (*id).into()).collect();
        let docket = Docket { bench: &self.bench, by, first: self.first, leads, stories };
        let (coming, todo) = (&mut self.coming, self.todo.as_slice());
        let mut waits = |lead: LeadId| {
            let coming = coming
                .get_or_insert_with(|| of_kind(todo, SubjectKind::Lead).map(LeadId::from_uuid).collect());
            coming.contains(&lead)
        };
        let (decided, waiting) = self.claims.decide(txn, &docket, &subjects, &mut waits)?;
        if let Some(coming) = &mut self.coming {
            coming.extend(waiting.iter().map(|one| one.lead));
        }
        self.later.extend(waiting);
        Ok(decided)
    }

    fn child(
        &mut self,
        txn: &mut dyn Txn,
        write: bool,
        subject: Subject,
        story: &Story,
        entries: &mut Vec<NewEntry>,
    ) -> Result<UndoRecord> {
        let ctx = self.bench.ctx;
        let hands = match &mut self.hands {
            Some(hands) => hands,
            none => none.insert(Hands::open(ctx, txn)?),
        };
        // The kinds of child are listed in `for_child`.
        for_child!(subject, C => child::take_back::<C>(ctx, txn, (hands, write), subject, story, entries), else {
            Ok(unsupported(subject, story))
        })
    }

    fn lead(
        &mut self,
        txn: &mut dyn Txn,
        by: Option<&Operation>,
        (subject, lead, decision): (Subject, Option<&Lead>, Decision),
        story: &Story,
        (changes, entries): (&mut Vec<LeadChange>, &mut Vec<NewEntry>),
    ) -> Result<UndoRecord> {
        let unseen = lead.is_some_and(|lead| !self.bench.view.admits(lead));
        self.unseen = self.unseen.saturating_add(u64::from(unseen));
        let (mut record, change) = decision;
        if record.failed.is_some() || self.bench.shared.contains(&subject) {
            return Ok(record);
        }
        let may = lead.is_some_and(|lead| self.bench.edit.as_ref().is_some_and(|gate| gate.admits(lead)));
        if story.own.iter().any(links::concerns) {
            links::take_back(&self.bench, txn, by, (subject, may), story, &mut record, entries)?;
            if record.failed.is_some() {
                return Ok(record);
            }
        }
        if story.own.iter().any(followers::concerns) {
            followers::take_back(&self.bench, txn, by, (subject, may), story, &mut record, entries)?;
        }
        if let Some((change, new)) = change {
            match by {
                None => terms::free(&mut self.bench, &change),
                Some(_) => terms::own(&mut self.bench, txn, by, &change.after)?,
            }
            changes.push(change);
            entries.extend(new);
        }
        Ok(record)
    }

    /// Which of the terms that would be written exist.
    fn find_terms(&mut self, txn: &mut dyn Txn, stories: &HashMap<Subject, Story>) -> Result<()> {
        let changes = || {
            let own = stories.iter().filter(|(subject, _)| subject.kind == SubjectKind::Lead);
            own.flat_map(|(_, story)| &story.own).flat_map(|entry| &entry.changes)
        };
        for kind in TermKind::ALL {
            let field = kind.field();
            let of_field = changes().filter(|change| change.field == field.key());
            let wanted: BTreeSet<_> =
                of_field.flat_map(|change| change.before.items()).filter_map(FieldValue::as_id).collect();
            let wanted: Vec<_> = wanted.into_iter().filter(|id| !self.bench.terms.contains(id)).collect();
            if !wanted.is_empty() {
                let found = txn.terms().get(kind, &wanted)?;
                self.bench.terms.extend(found.into_iter().map(|record| record.term.id));
            }
        }
        Ok(())
    }
}

fn of_kind(subjects: &[Subject], kind: SubjectKind) -> impl Iterator<Item = Uuid> + '_ {
    subjects.iter().filter(move |subject| subject.kind == kind).map(|subject| subject.id)
}

/// The gate, or none when the actor has the permission on no lead at all.
fn gate(ctx: &Context<'_>, txn: &mut dyn Txn, permission: Permission) -> Result<Option<Gate>> {
    match Gate::open(ctx, txn, permission) {
        Ok(gate) => Ok(Some(gate)),
        Err(error) if error.kind() == ErrorKind::Denied => Ok(None),
        Err(error) => Err(error),
    }
}
