//! What the ids of leads are called: read together with the leads, shared by all leads of one page.

use std::collections::{BTreeMap, BTreeSet};

use leadcore::domain::{
    CatalogueKind, CustomKey, Field, FieldType, FieldValue, Lead, Outcome, Pipeline, Reference, Stage, Term,
    TermKind,
};
use leadcore::error::{Error, Result, Violation, ViolationCode};
use leadcore::id::StageId;
use leadcore::query::{Condition, Filter};
use leadcore::store::Txn;
use leadcore::value::fold;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::convert::{Named, models};
use crate::hints::did_you_mean;

/// The pipelines of the tenant and the terms that some leads refer to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Names {
    pipelines: Vec<Pipeline>,
    terms: BTreeMap<Uuid, (TermKind, Term<Uuid>)>,
    /// The custom fields that take values.
    #[serde(default)]
    pub(crate) custom: BTreeSet<CustomKey>,
}

impl Names {
    /// The names for these leads.
    pub(crate) fn load<'l>(txn: &mut dyn Txn, leads: impl IntoIterator<Item = &'l Lead>) -> Result<Self> {
        let mut wanted: BTreeMap<TermKind, BTreeSet<Uuid>> = BTreeMap::new();
        for lead in leads {
            for (kind, id) in references(lead) {
                wanted.entry(kind).or_default().insert(id);
            }
        }
        let mut terms = BTreeMap::new();
        for (kind, ids) in wanted {
            let ids: Vec<_> = ids.into_iter().collect();
            let found = txn.terms().get(kind, &ids)?.into_iter();
            terms.extend(found.map(|record| (record.term.id, (record.kind, record.term))));
        }
        let custom = crate::custom::keys(txn, CatalogueKind::Lead)?;
        Ok(Self { pipelines: txn.pipelines().list()?, terms, custom })
    }

    /// Only what this lead needs, to travel with it.
    pub(crate) fn of(&self, lead: &Lead) -> Self {
        let pipelines = self.pipelines.iter().filter(|pipeline| pipeline.id == lead.pipeline).cloned();
        let terms = references(lead);
        let terms = terms.filter_map(|(_, id)| self.terms.get(&id).map(|term| (id, term.clone())));
        Self { pipelines: pipelines.collect(), terms: terms.collect(), custom: self.custom.clone() }
    }

    pub(crate) fn pipeline(&self, lead: &Lead) -> Option<&Pipeline> {
        self.pipelines.iter().find(|pipeline| pipeline.id == lead.pipeline)
    }

    pub(crate) fn stage(&self, id: StageId) -> Option<&Stage> {
        self.pipelines.iter().find_map(|pipeline| pipeline.stage(id))
    }

    /// The term with this id.
    pub(crate) fn term(&self, id: Uuid) -> Option<&(TermKind, Term<Uuid>)> {
        self.terms.get(&id)
    }
}

fn references(lead: &Lead) -> impl Iterator<Item = (TermKind, Uuid)> {
    let fields = &lead.fields;
    let reason = lead.closing.as_ref().and_then(|closing| match closing.outcome {
        Outcome::Won => None,
        Outcome::Lost => Some((TermKind::LostReason, closing.reason?)),
        Outcome::Disqualified => Some((TermKind::DisqualifyReason, closing.reason?)),
    });
    let labels = fields.labels.iter().map(|id| (TermKind::Label, id.as_uuid()));
    let single = [
        (TermKind::Source, fields.source.map(|id| id.as_uuid())),
        (TermKind::Category, fields.category.map(|id| id.as_uuid())),
        (TermKind::Location, fields.location.map(|id| id.as_uuid())),
        (TermKind::Partner, fields.partner.map(|id| id.as_uuid())),
    ];
    single.into_iter().filter_map(|(kind, id)| Some((kind, id?))).chain(labels).chain(reason)
}

/// Turns names of terms into ids: people say `source="Facebook Ads"`.
///
/// # Errors
/// `Invalid` with every name that no term has.
pub(crate) fn resolve_fields(
    txn: &mut dyn Txn,
    given: &[(Field, FieldValue)],
) -> Result<Vec<(Field, FieldValue)>> {
    let mut broken = Vec::new();
    let mut values = Vec::with_capacity(given.len());
    for (field, value) in given {
        match resolve_value(txn, field, value)? {
            Ok(value) => values.push((field.clone(), value)),
            Err(hint) => broken.push(unknown_name(field.key(), field, &hint)),
        }
    }
    if broken.is_empty() { Ok(values) } else { Err(Error::invalid(broken)) }
}

fn unknown_name(path: &str, field: &Field, hint: &str) -> Violation {
    let what = match field {
        Field::Labels => "label".to_owned(),
        other => other.default_label().to_lowercase(),
    };
    let message = format!("there is no {what} with this name{hint}");
    Violation::new(path, ViolationCode::Unknown, message)
}

/// The value with ids for names; where a name is unknown, which one may be meant.
fn resolve_value(txn: &mut dyn Txn, field: &Field, value: &FieldValue) -> Result<Result<FieldValue, String>> {
    let FieldType::Reference(reference) = field.field_type() else { return Ok(Ok(value.clone())) };
    let is_name = |value: &FieldValue| {
        value.as_text().is_some_and(|text| !text.trim().is_empty() && Uuid::try_parse(text).is_err())
    };
    if !value.items().iter().any(is_name) {
        return Ok(Ok(value.clone()));
    }
    let known: Vec<(String, Uuid)> = match reference {
        Reference::Term(kind) => {
            txn.terms().list(kind)?.into_iter().map(|record| (record.term.name, record.term.id)).collect()
        }
        Reference::Stage => {
            let pipelines = txn.pipelines().list()?;
            let stages =
                pipelines.iter().flat_map(|pipeline| pipeline.stages.iter().map(move |it| (pipeline, it)));
            let known = stages.flat_map(|(pipeline, stage)| {
                // As saved views tell apart stages of one name.
                let exact = pipeline.in_full(stage);
                [(stage.name.clone(), stage.id.as_uuid()), (exact, stage.id.as_uuid())]
            });
            known.collect()
        }
        Reference::Pipeline => {
            let pipelines = txn.pipelines().list()?.into_iter();
            pipelines.map(|pipeline| (pipeline.name, pipeline.id.as_uuid())).collect()
        }
        _ => return Ok(Ok(value.clone())),
    };
    let mut ids = Vec::new();
    for item in value.items() {
        match item.as_text().filter(|_| is_name(item)) {
            None => ids.push(item.clone()),
            Some(name) => {
                // Stages of several pipelines may share a name: a filter means all of them.
                let key = fold(name);
                let found =
                    known.iter().filter(|(known, _)| fold(known) == key).map(|(_, id)| FieldValue::Id(*id));
                let before = ids.len();
                ids.extend(found);
                if ids.len() == before {
                    return Ok(Err(did_you_mean(name, known.iter().map(|(name, _)| name.as_str()))));
                }
            }
        }
    }
    Ok(Ok(match ids.as_slice() {
        [one] if !matches!(value, FieldValue::List(_)) => one.clone(),
        _ => FieldValue::List(ids),
    }))
}

/// The same filter with ids for names of terms, stages and pipelines.
///
/// # Errors
/// `Invalid` for a name that nothing has, or a filter that nests too deep.
pub(crate) fn resolve_filter(txn: &mut dyn Txn, filter: &Filter) -> Result<Filter> {
    resolve_tree(txn, filter, 0)
}

fn resolve_tree(txn: &mut dyn Txn, filter: &Filter, depth: usize) -> Result<Filter> {
    if depth > leadcore::query::MAX_DEPTH {
        let message = "a filter nests at most 32 levels deep";
        return Err(Error::invalid_field("filter", ViolationCode::TooLong, message));
    }
    let mut all = |list: &[Filter]| -> Result<Vec<Filter>> {
        list.iter().map(|inner| resolve_tree(txn, inner, depth + 1)).collect()
    };
    Ok(match filter {
        Filter::All(list) => Filter::All(all(list)?),
        Filter::Any(list) => Filter::Any(all(list)?),
        Filter::Not(inner) => !resolve_tree(txn, inner, depth + 1)?,
        Filter::Where(condition) => resolve_condition(txn, condition)?,
        other @ (Filter::Search(_) | Filter::Is(_) | Filter::Has(_)) => other.clone(),
    })
}

fn resolve_condition(txn: &mut dyn Txn, condition: &Condition) -> Result<Filter> {
    use leadcore::query::Operator;
    let Condition { field, op, value } = condition;
    let value = match resolve_value(txn, field, value)? {
        Ok(value) => value,
        Err(hint) => {
            let path = format!("filter.{field}");
            return Err(Error::invalid(vec![unknown_name(&path, field, &hint)]));
        }
    };
    let several = value.items().len() > 1;
    Ok(match op {
        Operator::Eq if several && condition.value.items().len() == 1 => {
            Filter::new(field.clone(), Operator::In, value)
        }
        Operator::Ne if several && condition.value.items().len() == 1 => {
            !Filter::new(field.clone(), Operator::In, value)
        }
        op => Filter::new(field.clone(), *op, value),
    })
}

/// The stage that the caller means: by id, or by name, first in the pipeline of `near`, then in the others.
///
/// # Errors
/// `Invalid` when there is none.
pub(crate) fn find_stage(pipelines: &[Pipeline], near: Option<&Lead>, stage: &Named) -> Result<StageId> {
    let name = match stage {
        Named::Id(id) => return Ok(StageId::from_uuid(*id)),
        Named::Name(name) => name,
    };
    let own = pipelines.iter().filter(|pipeline| near.is_some_and(|lead| lead.pipeline == pipeline.id));
    let found = own.chain(pipelines).find_map(|pipeline| pipeline.stage_named(name));
    found.map(|stage| stage.id).ok_or_else(|| {
        let names = pipelines.iter().flat_map(|pipeline| &pipeline.stages).map(|stage| stage.name.as_str());
        let message = format!("there is no stage with this name{}", did_you_mean(name, names));
        Error::invalid_field("stage", ViolationCode::Unknown, message)
    })
}

/// A stage as its Python class.
pub(crate) fn py_stage<'py>(py: Python<'py>, stage: &Stage) -> PyResult<Bound<'py, PyAny>> {
    let required = PyTuple::new(py, stage.required_fields.iter().map(Field::key))?;
    let next = stage.allowed_next.as_ref();
    let next = next.map(|next| PyTuple::new(py, next.iter().map(|id| id.as_uuid()))).transpose()?;
    let arguments = (
        stage.id.as_uuid(),
        stage.name.as_str(),
        stage.kind.code(),
        stage.probability,
        stage.color.as_deref(),
        required,
        next,
        stage.wip_limit,
        stage.idle_days,
    );
    models(py)?.getattr("Stage")?.call1(arguments)
}

/// A pipeline as its Python class.
pub(crate) fn py_pipeline<'py>(py: Python<'py>, pipeline: &Pipeline) -> PyResult<Bound<'py, PyAny>> {
    let stages = pipeline.stages.iter().map(|stage| py_stage(py, stage)).collect::<PyResult<Vec<_>>>()?;
    let stages = PyTuple::new(py, stages)?;
    let arguments =
        (pipeline.id.as_uuid(), pipeline.name.as_str(), stages, pipeline.is_default, pipeline.revision.get());
    models(py)?.getattr("Pipeline")?.call1(arguments)
}

/// A term as its Python class.
pub(crate) fn py_term<'py>(
    py: Python<'py>,
    kind: TermKind,
    term: &Term<Uuid>,
) -> PyResult<Bound<'py, PyAny>> {
    let arguments = (
        kind.code(),
        term.id,
        term.name.as_str(),
        term.color.as_deref(),
        term.position,
        term.revision.get(),
        term.archived,
        term.needs_detail,
    );
    models(py)?.getattr("Term")?.call1(arguments)
}

/// The names that values of one field may need.
///
/// # Errors
/// A failure of the store.
pub(crate) fn of_field(txn: &mut dyn Txn, field: &Field) -> Result<Names> {
    let mut names = Names::default();
    match field.field_type() {
        FieldType::Reference(Reference::Term(kind)) => {
            let terms = txn.terms().list(kind)?.into_iter();
            names.terms = terms.map(|record| (record.term.id, (record.kind, record.term))).collect();
        }
        FieldType::Reference(Reference::Stage | Reference::Pipeline) => {
            names.pipelines = txn.pipelines().list()?;
        }
        _ => {}
    }
    Ok(names)
}

impl Names {
    /// The record that a value of this field is the id of.
    pub(crate) fn shown<'py>(
        &self,
        py: Python<'py>,
        field: &Field,
        value: &FieldValue,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let FieldValue::Id(id) = value else { return Ok(None) };
        match field.field_type() {
            FieldType::Reference(Reference::Term(_)) => {
                self.term(*id).map(|(kind, term)| py_term(py, *kind, term)).transpose()
            }
            FieldType::Reference(Reference::Stage) => {
                self.stage(StageId::from_uuid(*id)).map(|stage| py_stage(py, stage)).transpose()
            }
            FieldType::Reference(Reference::Pipeline) => {
                let found = self.pipelines.iter().find(|pipeline| pipeline.id.as_uuid() == *id);
                found.map(|pipeline| py_pipeline(py, pipeline)).transpose()
            }
            _ => Ok(None),
        }
    }
}
