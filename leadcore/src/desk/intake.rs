//! What every new or changed lead is checked against: the catalogue, the policy, the guard and the lists it refers to.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::context::Context;
use crate::domain::{
    Action, Catalogue, Closing, Field, Guard, Lead, LeadDraft, LeadFields, NewEntry, Pipeline, Rank,
    TermKind, Unmet, Why,
};
use crate::error::{Result, Violation, ViolationCode};
use crate::id::{LeadId, Revision};
use crate::policy::Permission;
use crate::store::{Series, Txn};

use super::access::Gate;
use super::moving::guard;
use super::{pipelines, settings};

/// What new leads are checked against, loaded once per call or chunk.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) catalogue: Catalogue,
    pub(crate) pipelines: Vec<Pipeline>,
    pub(crate) gate: Gate,
    /// Who takes a prepared lead counts it in.
    pub(crate) guard: Guard,
    /// The default pipeline of a tenant that has none yet, until [`settle`](Self::settle) writes it.
    unwritten: Option<Pipeline>,
}

impl Intake {
    /// Reads only: a tenant without a pipeline is checked against the default one.
    pub(crate) fn load(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Self> {
        let mut pipelines = txn.pipelines().list()?;
        let unwritten = pipelines.is_empty().then(|| pipelines::default_pipeline(ctx)).transpose()?;
        pipelines.extend(unwritten.clone());
        let catalogue = settings::load_catalogue(txn)?.1;
        let guard = guard(txn, &pipelines)?;
        Ok(Self { catalogue, pipelines, gate: Gate::open(ctx, txn, Permission::Create)?, guard, unwritten })
    }

    /// Writes what [`load`](Self::load) imagined, once every check has passed.
    pub(crate) fn settle(&mut self, ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<()> {
        match self.unwritten.take() {
            Some(pipeline) => pipelines::insert(ctx, txn, &pipeline),
            None => Ok(()),
        }
    }

    /// A lead from a draft, without number; every broken rule at once.
    pub(crate) fn prepare(&self, ctx: &Context<'_>, draft: LeadDraft) -> Result<Lead, Vec<Violation>> {
        let LeadDraft { mut fields, stage, reason, detail } = draft;
        if fields.owner.is_none() && !self.catalogue.is_disabled(&Field::Owner) {
            let creator = ctx.actor().user().filter(|user| ctx.policy().may_own(ctx.actor(), user));
            fields.owner = creator.cloned();
        }
        self.catalogue.fill_defaults(&mut fields.custom);
        let mut broken = check_rules(ctx, &self.catalogue, &fields, &LeadFields::default());
        let place = match stage {
            None => self.pipelines.first().and_then(|p| p.first_stage().map(|stage| (p.id, stage))),
            Some(stage) => self.pipelines.iter().find_map(|p| Some((p.id, p.stage(stage)?))),
        };
        let Some((pipeline, stage)) = place else {
            broken.push(Violation::new("stage", ViolationCode::Unknown, "there is no stage with this id"));
            return Err(broken);
        };
        let why = Why { reason: reason.map(|id| id.as_uuid()), detail: detail.as_deref() };
        broken.extend(violations(&self.guard.check_new(&fields, stage, why), &broken));
        if !broken.is_empty() {
            return Err(broken);
        }
        let now = ctx.now();
        Ok(Lead {
            id: LeadId::from_uuid(ctx.new_uuid()),
            number: 0,
            revision: Revision::FIRST,
            fields,
            pipeline,
            stage: stage.id,
            stage_entered_at: now,
            created_at: now,
            updated_at: now,
            active_at: now,
            follow_up: None,
            rank: Rank::on_top(now, 0),
            closing: Closing::on_entering(stage.kind, why, None, now),
            conversion: None,
            trashed: None,
        })
    }
}

/// Conditions as broken rules; a field that is refused already is not refused twice.
pub(crate) fn violations(unmet: &[Unmet], known: &[Violation]) -> Vec<Violation> {
    let new = unmet.iter().map(Unmet::violation);
    new.filter(|new| !known.iter().any(|old| old.field == new.field && old.code == new.code)).collect()
}

/// Numbers and writes prepared leads, and returns their journal entries.
pub(crate) fn store_new(txn: &mut dyn Txn, leads: &mut [Lead]) -> Result<Vec<NewEntry>> {
    let count = u64::try_from(leads.len()).unwrap_or(u64::MAX);
    // Lead numbers never begin anew, so the year does not matter.
    let series = super::series::choose(txn, Series::Lead, None)?;
    let first = txn.numbers().take(series.counter(1), count)?;
    for (number, lead) in (first..).zip(leads.iter_mut()) {
        lead.number = number;
        lead.rank = Rank::on_top(lead.created_at, number);
    }
    txn.leads().insert(leads)?;
    Ok(leads.iter().map(|lead| NewEntry::new(lead.id, Action::Created, lead.created_at)).collect())
}

/// The rules of the engine, the tenant and the policy for a write that turns `before` into `after`.
pub(crate) fn check_rules(
    ctx: &Context<'_>,
    catalogue: &Catalogue,
    after: &LeadFields,
    before: &LeadFields,
) -> Vec<Violation> {
    let mut broken = catalogue.check_change(after, before);
    for field in catalogue.fields().filter(|field| catalogue.is_disabled(field)) {
        if field.read_fields(after) != field.read_fields(before) {
            broken.push(Violation::new(field.key(), ViolationCode::NotAllowed, "this field is disabled"));
        }
    }
    if let Some(owner) = after.owner.as_ref().filter(|owner| before.owner.as_ref() != Some(owner))
        && !ctx.policy().may_own(ctx.actor(), owner)
    {
        broken.push(Violation::new("owner", ViolationCode::NotAllowed, "this user cannot own leads"));
    }
    broken.extend(check_tax_id(ctx, after, before));
    broken
}

/// What the host's rule says of a tax number that is new, or new in its country.
pub(super) fn check_tax_id(ctx: &Context<'_>, after: &LeadFields, before: &LeadFields) -> Option<Violation> {
    let id = after.tax_id.as_ref()?;
    let (country, was) = (after.address.country(), before.address.country());
    if before.tax_id.as_ref() == Some(id) && was == country {
        return None;
    }
    ctx.tax_rule()?.check(country, id).err().map(|error| error.at(Field::TaxId.key()))
}

/// Refuses references to terms that do not exist, and to archived ones that are not there `before`.
pub(super) fn check_references<'f>(
    txn: &mut dyn Txn,
    all: &(impl Iterator<Item = &'f LeadFields> + Clone),
    before: &LeadFields,
    broken: &mut Vec<Violation>,
) -> Result<()> {
    type Refer = fn(&LeadFields) -> Vec<Uuid>;
    let lists: [(TermKind, Field, Refer); 5] = [
        (TermKind::Source, Field::Source, |fields| fields.source.iter().map(|id| id.as_uuid()).collect()),
        (TermKind::Category, Field::Category, |fields| {
            fields.category.iter().map(|id| id.as_uuid()).collect()
        }),
        (TermKind::Location, Field::Location, |fields| {
            fields.location.iter().map(|id| id.as_uuid()).collect()
        }),
        (TermKind::Partner, Field::Partner, |fields| fields.partner.iter().map(|id| id.as_uuid()).collect()),
        (TermKind::Label, Field::Labels, |fields| fields.labels.iter().map(|id| id.as_uuid()).collect()),
    ];
    for (kind, field, refer) in lists {
        let wanted: BTreeSet<Uuid> = all.clone().flat_map(refer).collect();
        if wanted.is_empty() {
            continue;
        }
        let wanted: Vec<_> = wanted.into_iter().collect();
        let known = refer(before);
        let found = txn.terms().get(kind, &wanted)?;
        if found.len() != wanted.len() {
            let message = format!("there is no {kind} with this id");
            broken.push(Violation::new(field.key(), ViolationCode::Unknown, message));
        }
        if found.iter().any(|record| record.term.archived && !known.contains(&record.term.id)) {
            let message = format!("this {kind} is archived");
            broken.push(Violation::new(field.key(), ViolationCode::NotAllowed, message));
        }
    }
    Ok(())
}
