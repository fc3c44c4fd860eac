//! What the customer may buy and buys: the opportunity and the services of a conversion.

use crate::context::Context;
use crate::domain::{
    Account, Contact, Lead, Link, LinkRole, NewEntry, Opportunity, OpportunityEnd, OpportunityFields,
    OpportunityState, Series, Subject,
};
use crate::error::{Conflict, Error, ErrorKind, Result, Violation};
use crate::id::{ContactId, NumberSeriesId, OpportunityId};
use crate::policy::Permission;
use crate::store::Txn;

use super::super::children;
use super::super::opportunities::{self, Lost, Made};
use super::super::series;
use super::super::services::{self, NewService};
use super::super::sight::Sight;
use super::customer::{no_number, no_number_of_opportunity};
use super::judged;
use super::options::OpportunityEnding;
use super::plan::{ConversionOutcome, ConversionPlan, PlannedAccount, PlannedOpportunity};
use super::planning::is_used_up;

/// The most persons that an opportunity is about.
const MOST_PERSONS: usize = 19;
/// What the fields of the opportunity of a plan begin with.
const PREFIX: &str = "opportunity.";

/// The opportunity as it was checked, before anything is written.
pub(super) enum Sales {
    None,
    New {
        fields: Box<OpportunityFields>,
        ended: Option<(OpportunityState, OpportunityEnd)>,
        series: Option<NumberSeriesId>,
    },
    Running {
        before: Box<Opportunity>,
        fields: Box<OpportunityFields>,
    },
}

/// The contact that the person of the lead is, if the actor may change a lead or an account that has it: whoever joins it gets
/// it for their own customer, too.
pub(super) fn joined_contact(ctx: &Context<'_>, txn: &mut dyn Txn, id: ContactId) -> Result<Contact> {
    let subject = Subject::from(id);
    let mut sight = Sight::open(ctx, txn)?;
    sight.learn(txn, &[subject])?;
    let found = if sight.sees(subject) { txn.contacts().get(&[id])?.pop() } else { None };
    let found = found.ok_or_else(|| Error::not_found("contact"))?;
    let mut joining = Sight::for_joining(ctx, txn)?;
    joining.learn(txn, &[subject])?;
    if joining.sees(subject) { Ok(found) } else { Err(Error::denied(Permission::Edit.code())) }
}

/// The running opportunity that the lead joins, if the actor may change it.
pub(super) fn joined_opportunity(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    id: OpportunityId,
) -> Result<Opportunity> {
    let found: Opportunity = children::get(ctx, txn, id.as_uuid())?;
    children::check_change(ctx, txn, &found)?;
    Ok(found)
}

/// An error with the fields of the opportunity named as such.
pub(super) fn of_opportunity(error: Error) -> Error {
    if error.violations().is_empty() {
        return error;
    }
    let inside = |broken: &Violation| {
        let field = match broken.field.as_str() {
            field if field.starts_with(PREFIX) => return broken.clone(),
            // As the ending that was asked for calls it.
            "lost_reason" => "reason",
            field => field,
        };
        Violation { field: format!("{PREFIX}{field}"), ..broken.clone() }
    };
    Error::invalid(error.violations().iter().map(inside).collect())
}

/// Why a new account would get no number, and every rule that the opportunity of a plan breaks.
pub(super) fn against(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: &Lead,
    plan: &ConversionPlan,
) -> Result<Vec<Violation>> {
    let mut against = without_number(ctx, txn, plan)?;
    match prepare(ctx, txn, lead, plan) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::Invalid => {
            against.extend(error.violations().iter().cloned());
        }
        Err(error) if is_used_up(&error) => against.push(no_number_of_opportunity()),
        Err(error) => return Err(error),
    }
    Ok(against)
}

/// What is wrong with the series of the new account of a plan: it has no number left, is archived, or is none.
fn without_number(ctx: &Context<'_>, txn: &mut dyn Txn, plan: &ConversionPlan) -> Result<Vec<Violation>> {
    let PlannedAccount::New { series, .. } = &plan.account else { return Ok(Vec::new()) };
    match series::preview(ctx, txn, Series::Account, *series) {
        Ok(_) => Ok(Vec::new()),
        Err(error) if is_used_up(&error) => Ok(vec![no_number()]),
        Err(error) if error.kind() == ErrorKind::Invalid => Ok(error.violations().to_vec()),
        Err(error) => Err(error),
    }
}

/// The error of a plan whose opportunity is refused: all that is [`against`] it. One series that is used up is told as that where
/// it stands against it alone.
pub(super) fn refusal(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (lead, plan): (&Lead, &ConversionPlan),
    error: Error,
) -> Result<Error> {
    if error.kind() != ErrorKind::Invalid && !is_used_up(&error) {
        return Ok(error);
    }
    let against = against(ctx, txn, lead, plan)?;
    if is_used_up(&error) && against.len() == 1 {
        return Ok(error);
    }
    Ok(judged::refusal(ctx, &plan.hidden, against))
}

/// Checks the opportunity of a plan. Reads only.
pub(super) fn prepare(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: &Lead,
    plan: &ConversionPlan,
) -> Result<Sales> {
    prepared(ctx, txn, lead, plan).map_err(of_opportunity)
}

fn prepared(ctx: &Context<'_>, txn: &mut dyn Txn, lead: &Lead, plan: &ConversionPlan) -> Result<Sales> {
    match &plan.opportunity {
        None => Ok(Sales::None),
        Some(PlannedOpportunity::New { fields, ending, series, .. }) => {
            let ended = match ending {
                OpportunityEnding::Open => None,
                OpportunityEnding::Won { on } => Some((OpportunityState::Won, opportunities::won(ctx, *on)?)),
                OpportunityEnding::Lost { on, reason, detail } => {
                    let mut why = Lost::because(*reason, detail.as_deref());
                    why.on = *on;
                    Some((OpportunityState::Lost, opportunities::lost(ctx, txn, &why)?))
                }
            };
            // Owner and source that the lead has already need no leave.
            let kept = OpportunityFields {
                owner: lead.fields.owner.clone(),
                source: lead.fields.source,
                ..OpportunityFields::default()
            };
            let mut fields = fields.as_ref().clone();
            fields.currency = fields.currency.or(plan.account.fields().and_then(|account| account.currency));
            let (fields, _) = opportunities::checked(ctx, txn, None, (Some(&kept), None), fields)?;
            // A series that is used up is refused before anything is written.
            series::preview(ctx, txn, Series::Opportunity, *series)?;
            Ok(Sales::New { fields: Box::new(fields), ended, series: *series })
        }
        Some(PlannedOpportunity::Existing { id, revision, fields }) => {
            let before = joined_opportunity(ctx, txn, *id)?;
            if before.revision != *revision || before.state != OpportunityState::Open {
                return Err(Error::conflicting("opportunity", Conflict::PlanOutdated));
            }
            let known = (Some(&before.fields), lead.fields.source);
            let (own, fields) = (Some(before.id), fields.as_ref().clone());
            let (fields, _) = opportunities::checked(ctx, txn, own, known, fields)?;
            Ok(Sales::Running { before: Box::new(before), fields: Box::new(fields) })
        }
    }
}

/// What is told of a conversion while it is written.
type Told<'t> = (&'t mut ConversionOutcome, &'t mut Vec<Link>, &'t mut Vec<NewEntry>);

/// Writes the opportunity and the services of an account.
pub(super) fn write(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (account, plan): (&Account, &ConversionPlan),
    sales: Sales,
    (outcome, links, entries): Told<'_>,
) -> Result<()> {
    let opportunity = match sales {
        Sales::None => None,
        Sales::New { fields, ended, series } => {
            let contacts: Vec<ContactId> = outcome.contacts.iter().copied().take(MOST_PERSONS).collect();
            let about = Opportunity::about(account.id, &contacts);
            let settled = fields.settle().map_err(Error::invalid)?;
            let made = Made { origin_lead: Some(plan.lead), series, ended };
            let (made, told) = opportunities::add(ctx, txn, (account.id, about), settled, made)?;
            entries.extend(told);
            Some(made.id)
        }
        Sales::Running { before, fields } => {
            let (fields, totals) = fields.settle().map_err(Error::invalid)?;
            let mut contacts: Vec<ContactId> = before.contacts().collect();
            contacts.extend(outcome.contacts.iter().filter(|id| !before.about.contains(&(**id).into())));
            contacts.truncate(MOST_PERSONS.max(before.contacts().count()));
            let about = Opportunity::about(account.id, &contacts);
            // What no lead made counts for the first one that joins it.
            let origin_lead = before.origin_lead.or(Some(plan.lead));
            let after = Opportunity { fields, totals, about, origin_lead, ..before.as_ref().clone() };
            let (after, told) = children::replace(ctx, txn, before.as_ref(), after)?;
            entries.extend(told);
            Some(after.id)
        }
    };
    links.extend(opportunity.map(|id| Link::new(plan.lead, LinkRole::Opportunity, id)));
    outcome.opportunity = opportunity;
    let state = plan.customer.services();
    let new = plan.services.iter().map(|service| NewService {
        origin: service.origin,
        opportunity,
        ..NewService::from(service.fields.clone()).state(state)
    });
    let about = [Subject::from(account.id)];
    let (made, told) = services::add(ctx, txn, account.id, &about, new.collect())?;
    entries.extend(told);
    outcome.services = made.iter().map(|service| service.id).collect();
    Ok(())
}
