//! From names in cells to terms and stages, adding what is missing.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use super::stage_kinds::{NewStages, StageKinds};
use super::{ImportOptions, UnknownTerm};
use crate::context::Context;
use crate::domain::{Action, Subject, SubjectKind, Term, TermKind, TermRecord};
use crate::domain::{
    Field, FieldChange, FieldValue, Lead, NewEntry, Pipeline, Stage, StageKind, pipeline_changes,
};
use crate::error::{Result, ValueError, Violation, ViolationCode};
use crate::id::{PipelineId, StageId};
use crate::policy::{Permission, Scope};
use crate::store::Txn;
use crate::value::fold;

/// New names by field, in the order they were met.
pub(super) type NewValues = BTreeMap<String, Vec<String>>;

/// How often each name occurs that a vocabulary or the pipelines lack, by field.
pub(super) type Unknown = BTreeMap<String, BTreeMap<String, u64>>;

/// A column of free text taken for a vocabulary must not flood it.
const MOST_NEW: usize = 1_000;
/// As many stages as a pipeline may have.
const MOST_STAGES: usize = 200;

/// One vocabulary, by name.
#[derive(Debug, Default)]
struct List {
    by_key: HashMap<String, Uuid>,
    /// Archived terms: they have their names, and nobody chooses them.
    archived: HashSet<Uuid>,
    /// Spellings met before, so that each is folded once.
    by_spelling: HashMap<String, Uuid>,
    next_position: u32,
    /// How the terms are written, where somebody wants to know.
    written: HashMap<Uuid, String>,
    /// Terms that this import adds.
    new: HashSet<Uuid>,
}

/// The vocabularies and stages of a tenant, and what a file adds to them.
#[derive(Debug)]
pub(super) struct Names {
    lists: BTreeMap<TermKind, List>,
    stages: HashMap<String, Vec<(PipelineId, StageId)>>,
    stage_keys: HashMap<String, String>,
    unknown: UnknownTerm,
    unknown_in: BTreeMap<Field, UnknownTerm>,
    may_add: bool,
    /// Whether names are told in words and unknown ones counted.
    detailed: bool,
    /// How often each unknown name occurs, by field.
    pub(super) unknown_names: Unknown,
    added: Vec<Added>,
    /// What new stages mean.
    kinds: Arc<StageKinds>,
    /// Everything that this file added, earlier chunks included.
    pub(super) new_values: NewValues,
}

/// Something new, so that it can be taken back.
#[derive(Debug)]
enum Added {
    Term(TermRecord),
    Stage(Stage),
}

impl Names {
    pub(super) fn load(
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        options: &ImportOptions,
        fields: &[Field],
        pipelines: &[Pipeline],
        new_values: NewValues,
        detailed: bool,
    ) -> Result<Self> {
        let mut lists = BTreeMap::new();
        for kind in TermKind::ALL.into_iter().filter(|kind| fields.contains(&kind.field())) {
            let mut list = List::default();
            for TermRecord { term, .. } in txn.terms().list(kind)? {
                list.next_position = list.next_position.max(term.position.saturating_add(1));
                list.by_key.insert(term.key(), term.id);
                if term.archived {
                    list.archived.insert(term.id);
                }
                if detailed {
                    list.written.insert(term.id, term.name);
                }
            }
            lists.insert(kind, list);
        }
        let mut stages: HashMap<String, Vec<_>> = HashMap::new();
        for pipeline in pipelines {
            for stage in &pipeline.stages {
                stages.entry(fold(&stage.name)).or_default().push((pipeline.id, stage.id));
                stages.entry(fold(&pipeline.in_full(stage))).or_default().push((pipeline.id, stage.id));
            }
        }
        let may_add = ctx.policy().scope(ctx.actor(), Permission::Configure) != Scope::None;
        let rules = options.terms.iter();
        let unknown_in = rules.filter_map(|(field, rule)| Some((field.clone(), rule.unknown?))).collect();
        Ok(Self {
            lists,
            stages,
            stage_keys: HashMap::new(),
            unknown: options.unknown_terms,
            unknown_in,
            may_add,
            detailed,
            unknown_names: Unknown::new(),
            added: Vec::new(),
            kinds: Arc::default(),
            new_values,
        })
    }

    /// Takes over what the rows of the file say of their stages.
    pub(super) fn know_kinds(&mut self, kinds: &Arc<StageKinds>) {
        self.kinds = Arc::clone(kinds);
    }

    /// What the stages mean that this file added.
    pub(super) fn new_stages(&self) -> NewStages {
        let names = self.new_values.get(Field::Stage.key()).into_iter().flatten();
        names.map(|name| (name.clone(), self.kinds.of(name))).collect()
    }

    /// How a term is written, as far as its list was read.
    pub(super) fn written(&self, kind: TermKind, id: Uuid) -> Option<&str> {
        self.lists.get(&kind)?.written.get(&id).map(String::as_str)
    }

    /// What a stage is called, as [`Pipeline::stage_names`] says it, from what was looked up already.
    pub(super) fn stage_in_words(&self, pipelines: &[Pipeline], id: StageId) -> Option<String> {
        let (pipeline, stage) = pipelines.iter().find_map(|known| Some((known, known.stage(id)?)))?;
        let is_only = self.stages.get(&fold(&stage.name)).is_none_or(|known| known.len() < 2);
        Some(if is_only { stage.name.clone() } else { pipeline.in_full(stage) })
    }

    /// Counts a name that is not known.
    fn count(&mut self, field: &Field, name: &str) {
        if !self.detailed {
            return;
        }
        let names = self.unknown_names.entry(field.key().to_owned()).or_default();
        let is_full = names.len() >= MOST_NEW;
        match names.get_mut(name) {
            Some(count) => *count = count.saturating_add(1),
            None if is_full => {}
            None => {
                names.insert(name.to_owned(), 1);
            }
        }
    }

    /// The reason of this name in a list of reasons, where the tenant has it. None is added: with the first one, leads could
    /// not be closed any more without a reason.
    pub(super) fn reason(&mut self, kind: TermKind, name: &str) -> Result<Option<Uuid>, Violation> {
        let known = self.lists.get(&kind).and_then(|list| list.by_key.get(&fold(name)).copied());
        if known.is_none() {
            if !name.is_empty() {
                self.count(&kind.field(), name);
            }
            if self.unknown_in.get(&kind.field()) == Some(&UnknownTerm::Reject) {
                let message = format!("there is no {kind} with this name");
                return Err(Violation::new(kind.field().key(), ViolationCode::Unknown, message));
            }
        }
        Ok(known)
    }

    /// The term of this name.
    pub(super) fn term(&mut self, ctx: &Context<'_>, kind: TermKind, name: &str) -> Result<Uuid, Violation> {
        let field = kind.field();
        let list = self.lists.entry(kind).or_default();
        if let Some(id) = list.by_spelling.get(name) {
            return Ok(*id);
        }
        let key = fold(name);
        if let Some(id) = list.by_key.get(&key) {
            let id = *id;
            if self.detailed && list.new.contains(&id) {
                // Counted as it was written first.
                let first = list.written.get(&id).map_or(name, String::as_str).to_owned();
                self.count(&field, &first);
            } else if list.by_spelling.len() < 10 * MOST_NEW {
                list.by_spelling.insert(name.to_owned(), id);
            }
            return Ok(id);
        }
        self.count(&field, name);
        self.check_new(&field)?;
        let at = |error: ValueError| error.at(field.key());
        let list = self.lists.entry(kind).or_default();
        let term = Term::new(ctx.new_uuid(), name, None, list.next_position).map_err(at)?;
        list.next_position = list.next_position.saturating_add(1);
        let id = term.id;
        list.by_key.insert(key, id);
        if self.detailed {
            list.written.insert(id, term.name.clone());
            list.new.insert(id);
        }
        self.note(&field, &term.name);
        self.added.push(Added::Term(TermRecord { kind, term }));
        Ok(id)
    }

    /// Refuses an archived term to a lead that does not have it.
    pub(super) fn check_archived(
        &self,
        kind: TermKind,
        id: Uuid,
        lead: Option<&Lead>,
    ) -> Result<(), Violation> {
        let field = kind.field();
        let archived = self.lists.get(&kind).is_some_and(|list| list.archived.contains(&id));
        let has_it = |lead: &Lead| field.read(lead).items().contains(&FieldValue::Id(id));
        if !archived || lead.is_some_and(has_it) {
            return Ok(());
        }
        let message = format!("this {kind} is archived");
        Err(Violation::new(field.key(), ViolationCode::NotAllowed, message))
    }

    /// The stage of this name: of the lead's own pipeline, else of the default one, else of any. A new one goes into
    /// the default pipeline, the first of `pipelines`, before its first won or lost stage.
    pub(super) fn stage(
        &mut self,
        ctx: &Context<'_>,
        pipelines: &mut [Pipeline],
        name: &str,
        own: Option<PipelineId>,
    ) -> Result<(PipelineId, StageId), Violation> {
        if self.stage_keys.len() < 10 * MOST_NEW && !self.stage_keys.contains_key(name) {
            self.stage_keys.insert(name.to_owned(), fold(name));
        }
        let key =
            self.stage_keys.get(name).map_or_else(|| fold(name).into(), |key| Cow::Borrowed(key.as_str()));
        if let Some(known) = self.stages.get(key.as_ref()).filter(|known| !known.is_empty()) {
            let of_own = known.iter().find(|(pipeline, _)| Some(*pipeline) == own);
            if let Some(found) = of_own.or_else(|| known.first()).copied() {
                if self.detailed {
                    let is_new = |added: &&Stage| added.id == found.1;
                    let first = self.added.iter().filter_map(Added::as_stage).find(is_new);
                    if let Some(first) = first.map(|stage| stage.name.clone()) {
                        self.count(&Field::Stage, &first);
                    }
                }
                return Ok(found);
            }
        }
        let key = key.into_owned();
        self.count(&Field::Stage, name);
        self.check_new(&Field::Stage)?;
        let Some(pipeline) = pipelines.first_mut() else {
            return Err(Violation::new("stage", ViolationCode::Unknown, "there is no pipeline"));
        };
        if pipeline.stages.len() >= MOST_STAGES {
            let message = "the default pipeline has 200 stages and takes no more";
            return Err(Violation::new("stage", ViolationCode::TooLong, message));
        }
        let stage = Stage::new(StageId::from_uuid(ctx.new_uuid()), name, self.kinds.of(name));
        let ends = |stage: &Stage| matches!(stage.kind, StageKind::Won | StageKind::Lost);
        let place = pipeline.stages.iter().position(ends).unwrap_or(pipeline.stages.len());
        let found = (pipeline.id, stage.id);
        pipeline.stages.insert(place, stage.clone());
        self.stages.entry(key).or_default().push(found);
        self.note(&Field::Stage, &stage.name);
        self.added.push(Added::Stage(stage));
        Ok(found)
    }

    /// Whether a new name may be added to the field.
    fn check_new(&self, field: &Field) -> Result<(), Violation> {
        let refuse = |code, message: String| Err(Violation::new(field.key(), code, message));
        let known = self.new_values.get(field.key()).map_or(0, Vec::len);
        let unknown = self.unknown_in.get(field).copied().unwrap_or(self.unknown);
        if unknown == UnknownTerm::Reject {
            refuse(ViolationCode::Unknown, format!("there is no {field} with this name"))
        } else if !self.may_add {
            let message = format!("there is no {field} with this name, and you may not add one");
            refuse(ViolationCode::NotAllowed, message)
        } else if known >= MOST_NEW {
            let message = format!("more than 1,000 new values for `{field}`: is the column mapped right?");
            refuse(ViolationCode::TooLong, message)
        } else {
            Ok(())
        }
    }

    fn note(&mut self, field: &Field, name: &str) {
        self.new_values.entry(field.key().to_owned()).or_default().push(name.to_owned());
    }

    /// A place to go [back](Self::back_to) to.
    pub(super) const fn mark(&self) -> usize {
        self.added.len()
    }

    /// Takes back what was added since, for a row that is rejected after all.
    pub(super) fn back_to(&mut self, mark: usize, pipelines: &mut [Pipeline]) {
        while self.added.len() > mark {
            let field = match self.added.pop() {
                Some(Added::Term(TermRecord { kind, term })) => {
                    let list = self.lists.entry(kind).or_default();
                    list.by_key.remove(&term.key());
                    list.new.remove(&term.id);
                    list.by_spelling.clear();
                    kind.field()
                }
                Some(Added::Stage(stage)) => {
                    let own = self.stages.get_mut(&fold(&stage.name));
                    own.into_iter().for_each(|known| known.retain(|(_, id)| *id != stage.id));
                    let default = pipelines.first_mut();
                    default.into_iter().for_each(|p| p.stages.retain(|known| known.id != stage.id));
                    Field::Stage
                }
                None => return,
            };
            if let Some(names) = self.new_values.get_mut(field.key()) {
                names.pop();
                if names.is_empty() {
                    self.new_values.remove(field.key());
                }
            }
        }
    }

    /// Writes what was added, and returns its journal entries.
    pub(super) fn write(
        &self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        pipelines: &[Pipeline],
    ) -> Result<Vec<NewEntry>> {
        let mut entries = Vec::new();
        let terms: Vec<TermRecord> = self.added.iter().filter_map(Added::term).cloned().collect();
        if !terms.is_empty() {
            txn.terms().insert(&terms)?;
        }
        for TermRecord { kind, term } in &terms {
            let changes = vec![FieldChange::new(kind.code(), FieldValue::Empty, term.name.as_str())];
            let subject = Subject::new(SubjectKind::Term, term.id);
            entries.push(NewEntry::new(subject, Action::Created, ctx.now()).with_changes(changes));
        }
        let new_stages: Vec<StageId> =
            self.added.iter().filter_map(Added::as_stage).map(|stage| stage.id).collect();
        if let Some(pipeline) = pipelines.first().filter(|_| !new_stages.is_empty()) {
            let mut after = pipeline.clone();
            after.revision = after.revision.next();
            after.check()?;
            txn.pipelines().update(&after)?;
            let mut before = pipeline.clone();
            before.stages.retain(|stage| !new_stages.contains(&stage.id));
            let changes = pipeline_changes(Some(&before), &after);
            entries.push(NewEntry::new(pipeline.id, Action::Updated, ctx.now()).with_changes(changes));
        }
        Ok(entries)
    }
}

impl Added {
    const fn term(&self) -> Option<&TermRecord> {
        match self {
            Self::Term(record) => Some(record),
            Self::Stage(_) => None,
        }
    }

    const fn as_stage(&self) -> Option<&Stage> {
        match self {
            Self::Stage(stage) => Some(stage),
            Self::Term(_) => None,
        }
    }
}
