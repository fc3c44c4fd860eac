//! How many leads have which value: what stands beside the drop-downs of a list.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use uuid::Uuid;

use crate::context::Context;
use crate::domain::{Field, FieldType, FieldValue, Names, Pipeline, Reference, TermKind};
use crate::error::Result;
use crate::query::{Filter, Resolved};
use crate::store::Txn;
use crate::value::fold;

use super::leads::readable;
use super::{custom, naming};

/// One value of a field and how many leads have it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FacetValue {
    /// The value, for a filter; empty for leads without one.
    pub value: FieldValue,
    /// What people call it; empty for leads without one.
    pub name: String,
    /// How many leads.
    pub count: u64,
}

/// The values that leads have in one field.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facet {
    /// The field.
    pub field: Field,
    /// Each value that a lead has, in the order of its vocabulary or pipeline, else by name; leads without one first.
    pub values: Vec<FacetValue>,
}

/// How many leads of the filter the actor may see, per value of each of these fields, with names: what a list shows
/// beside its drop-downs (S2.13). For the whole tenant, or one state of it, stores answer from counts that they keep.
///
/// # Errors
/// `Invalid` for a filter that does not fit or a field that the actor may not see; `Unsupported` for a field with free text;
/// `Denied`.
pub fn facets(ctx: &Context<'_>, txn: &mut dyn Txn, filter: &Filter, fields: &[Field]) -> Result<Vec<Facet>> {
    let resolved = readable(ctx, txn, filter, fields)?;
    let pipelines = txn.pipelines().list()?;
    fields.iter().map(|field| facet(txn, &resolved, field, &pipelines, Names::new())).collect()
}

/// The facet of one field; `names` knows the users.
pub(super) fn facet(
    txn: &mut dyn Txn,
    filter: &Resolved,
    field: &Field,
    pipelines: &[Pipeline],
    mut names: Names,
) -> Result<Facet> {
    custom::check_groupable(txn, field)?;
    let counts = match field {
        Field::Labels => count_labels(txn, filter)?,
        field => txn.tallies().count_by(filter, field)?,
    };
    let mut places: BTreeMap<Uuid, usize> = BTreeMap::new();
    if let FieldType::Reference(reference) = field.field_type() {
        let ids: BTreeSet<Uuid> = counts.iter().flat_map(|(value, _)| naming::ids(value)).collect();
        naming::load_ids(txn, reference, ids, pipelines, &mut names)?;
        let order: Vec<Uuid> = match reference {
            Reference::Term(kind) => {
                txn.terms().list(kind)?.into_iter().map(|record| record.term.id).collect()
            }
            Reference::Stage => pipelines
                .iter()
                .flat_map(|pipeline| pipeline.stages.iter().map(|stage| stage.id.as_uuid()))
                .collect(),
            _ => pipelines.iter().map(|pipeline| pipeline.id.as_uuid()).collect(),
        };
        places.extend(order.into_iter().zip(0..));
    }
    let mut values: Vec<_> = counts
        .into_iter()
        .map(|(value, count)| FacetValue { name: names.show(field, &value), value, count })
        .collect();
    values.sort_by_cached_key(|facet| {
        let place = naming::ids(&facet.value).first().and_then(|id| places.get(id).copied());
        (!facet.value.is_empty(), place.unwrap_or(usize::MAX), fold(&facet.name))
    });
    Ok(Facet { field: field.clone(), values })
}

/// A lead has several labels, so that it counts for each of them.
fn count_labels(txn: &mut dyn Txn, filter: &Resolved) -> Result<Vec<(FieldValue, u64)>> {
    let labels = txn.terms().list(TermKind::Label)?;
    let mut conditions = vec![(FieldValue::Empty, Resolved::Empty(Field::Labels))];
    conditions.extend(labels.into_iter().map(|record| {
        let value = FieldValue::Id(record.term.id);
        (value.clone(), Resolved::Equals(Field::Labels, vec![value]))
    }));
    let mut counts = Vec::new();
    for (value, condition) in conditions {
        let count = txn.tallies().count(&filter.clone().and(condition))?;
        if count > 0 {
            counts.push((value, count));
        }
    }
    Ok(counts)
}
