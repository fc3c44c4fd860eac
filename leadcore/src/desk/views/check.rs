//! What a view may show: checked when it is saved, and again when it is opened.

use serde_json::Value;

use crate::context::Context;
use crate::domain::{Catalogue, Field, SavedView, ViewShape};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::UserId;
use crate::query::{Asker, Filter, Sort};
use crate::store::Txn;

use super::super::access::shows_hidden;
use super::super::{naming, pipelines};
use super::manage::ViewDraft;

/// Why a view cannot show this field to this actor, if it cannot.
pub(super) fn unusable(
    ctx: &Context<'_>,
    catalogue: &Catalogue,
    field: &Field,
    path: &str,
) -> Option<Violation> {
    // A condition or an order by a name tells of its parts too.
    let message = if shows_hidden(ctx, field) {
        "you may not see this field"
    } else if catalogue.is_disabled(field) {
        "this field is disabled"
    } else {
        return None;
    };
    Some(Violation::new(path, ViolationCode::NotAllowed, message))
}

/// Puts what the draft says into the view, with ids for names; every misfit at once.
pub(super) fn apply(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    catalogue: &Catalogue,
    draft: &ViewDraft,
    view: &mut SavedView,
) -> Result<()> {
    draft.name.trim().clone_into(&mut view.name);
    view.shape = draft.shape;
    view.columns.clone_from(&draft.columns);
    view.group_by.clone_from(&draft.group_by);
    let mut broken = view.violations();
    for (n, column) in draft.columns.iter().flatten().enumerate() {
        broken.extend(unusable(ctx, catalogue, column, &format!("columns[{n}]")));
    }
    if let Some(sort) = &draft.sort {
        broken.extend(unusable(ctx, catalogue, &sort.by.field(), "sort"));
    }
    if let Some(field) = &draft.group_by {
        broken.extend(unusable(ctx, catalogue, field, "group_by"));
        if !field.is_groupable() {
            let message = "leads cannot be grouped by this field";
            broken.push(Violation::new("group_by", ViolationCode::NotAllowed, message));
        }
    }
    if let ViewShape::Board(Some(id)) = draft.shape
        && !txn.pipelines().list()?.iter().any(|pipeline| pipeline.id == id)
    {
        let message = "there is no pipeline with this id";
        broken.push(Violation::new("shape", ViolationCode::Unknown, message));
    }
    match filter(ctx, txn, catalogue, &draft.filter) {
        Ok(filter) => view.filter = filter,
        Err(error) if !error.violations().is_empty() => broken.extend_from_slice(error.violations()),
        Err(error) => return Err(error),
    }
    view.sort = draft.sort.as_ref().map(json).transpose()?;
    if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
}

/// The filter as it is kept.
fn filter(ctx: &Context<'_>, txn: &mut dyn Txn, catalogue: &Catalogue, filter: &Filter) -> Result<Value> {
    let fields = filter.fields();
    let unusable = fields
        .iter()
        .filter_map(|field| unusable(ctx, catalogue, field, &format!("filter.{field}")))
        .collect::<Vec<_>>();
    if !unusable.is_empty() {
        return Err(Error::invalid(unusable));
    }
    if fields.iter().any(|field| matches!(field, Field::Stage | Field::Pipeline)) {
        // The ids are kept: they are to be those of the pipeline that the tenant has from now on.
        pipelines::list_or_default(ctx, txn)?;
    }
    let named = naming::with_ids(ctx, txn, filter)?;
    fits(ctx, catalogue, &named)?;
    json(&*named)
}

/// Whether operators and values fit their fields. Others may open the view, so it need not fit the one who asks: `me` and
/// `my_team` are somebody then.
fn fits(ctx: &Context<'_>, catalogue: &Catalogue, filter: &Filter) -> Result<()> {
    let somebody = UserId::new("somebody")?;
    let asker = ctx.asker();
    let (user, team) = (asker.user.or(Some(&somebody)), asker.team.or(Some(&[])));
    filter.resolve(&Asker { user, team, catalogue: Some(catalogue), ..asker }).map(drop)
}

/// A kept filter, or one that no lead matches when it has conditions on fields that the actor may not see, or that no
/// longer fit.
pub(super) fn masked(ctx: &Context<'_>, catalogue: &Catalogue, filter: &Value) -> Result<Value> {
    json(&Pruner { ctx, catalogue, left_out: Vec::new() }.filter(filter))
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| {
        Error::new(crate::error::ErrorKind::Internal, "a view could not be written as JSON")
            .with_source(error)
    })
}

/// Of a saved view, what still fits: the rest is left out and told.
pub(super) struct Pruner<'a> {
    pub(super) ctx: &'a Context<'a>,
    pub(super) catalogue: &'a Catalogue,
    pub(super) left_out: Vec<Violation>,
}

impl Pruner<'_> {
    /// Passes over a field that the actor cannot be shown.
    pub(super) fn keeps(&mut self, field: &Field, path: &str) -> bool {
        let reason = unusable(self.ctx, self.catalogue, field, path);
        let keeps = reason.is_none();
        self.left_out.extend(reason);
        keeps
    }

    /// The filter, or one that no lead matches when a condition of it no longer fits: what is left of it would match
    /// leads that were never meant, and somebody may be about to change them all. JSON that was read from text nests at
    /// most 128 levels deep.
    pub(super) fn filter(&mut self, json: &Value) -> Filter {
        let before = self.left_out.len();
        match self.tree(json, "filter") {
            Some(filter) if self.left_out.len() == before => filter,
            _ => Filter::nothing(),
        }
    }

    fn tree(&mut self, json: &Value, path: &str) -> Option<Filter> {
        let (key, inner) = json.as_object().and_then(|object| object.iter().next())?;
        match (key.as_str(), inner) {
            ("all", Value::Array(list)) => Some(Filter::All(self.list(list, &format!("{path}.all")))),
            ("any", Value::Array(list)) => {
                let kept = self.list(list, &format!("{path}.any"));
                // One of nothing would hide every lead.
                if kept.is_empty() && !list.is_empty() { None } else { Some(Filter::Any(kept)) }
            }
            ("not", inner) => self.tree(inner, &format!("{path}.not")).map(|inner| !inner),
            _ => self.leaf(json, path),
        }
    }

    fn list(&mut self, list: &[Value], path: &str) -> Vec<Filter> {
        let mut kept = Vec::with_capacity(list.len());
        for (n, inner) in list.iter().enumerate() {
            kept.extend(self.tree(inner, &format!("{path}[{n}]")));
        }
        kept
    }

    fn leaf(&mut self, json: &Value, path: &str) -> Option<Filter> {
        let Ok(filter) = serde_json::from_value::<Filter>(json.clone()) else {
            let message = "this condition is no longer understood";
            self.left_out.push(Violation::new(path, ViolationCode::Unknown, message));
            return None;
        };
        let before = self.left_out.len();
        for field in filter.fields() {
            self.keeps(&field, &format!("{path}.{field}"));
        }
        if self.left_out.len() > before {
            return None;
        }
        match fits(self.ctx, self.catalogue, &filter) {
            Ok(()) => Some(filter),
            Err(_) => {
                let message = "this condition no longer fits its field";
                self.left_out.push(Violation::new(path, ViolationCode::Operator, message));
                None
            }
        }
    }

    /// The sort, unless the actor may not see what it sorts by.
    pub(super) fn sort(&mut self, json: Option<&Value>) -> Option<Sort> {
        let json = json?;
        match serde_json::from_value::<Sort>(json.clone()) {
            Ok(sort) => self.keeps(&sort.by.field(), "sort").then_some(sort),
            Err(_) => {
                let message = "this order is no longer understood";
                self.left_out.push(Violation::new("sort", ViolationCode::Unknown, message));
                None
            }
        }
    }
}
