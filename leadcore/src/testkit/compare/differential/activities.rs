//! Calls about activities.

use uuid::Uuid;

use super::{Made, at, json, lead_text, stage};
use crate::context::Context;
use crate::desk::{Expect, Listing, activities};
use crate::domain::{ActivityKind, Move, Subject};
use crate::error::Result;
use crate::id::{ActivityId, Revision};
use crate::store::Txn;
use crate::testkit::generate::ActivityOp;

pub(super) fn call(ctx: &Context<'_>, txn: &mut dyn Txn, made: &mut Made, op: &ActivityOp) -> Result<String> {
    let id = |place: usize| at(&made.activities, place).unwrap_or(ActivityId::from_uuid(Uuid::max()));
    let any = Expect::Any;
    match op {
        ActivityOp::AddMany { about, account, fields } => {
            let mut subjects: Vec<Subject> = about.iter().map(|place| made.lead(*place).into()).collect();
            subjects.extend(at(&made.accounts, 0).filter(|_| *account).map(Subject::from));
            let drafts = fields.iter().map(|fields| fields.clone().about(subjects.clone())).collect();
            let new = activities::add_many(ctx, txn, drafts)?;
            made.activities.extend(new.iter().map(|activity| activity.id));
            Ok(json(new))
        }
        ActivityOp::Edit { activity, stale, fields } => {
            let expect = if *stale { Expect::Revision(Revision::new(77)) } else { any };
            activities::edit(ctx, txn, id(*activity), expect, fields.as_ref().clone()).map(json)
        }
        ActivityOp::Complete(place) => activities::complete(ctx, txn, id(*place), any).map(json),
        ActivityOp::CompleteCall { activity, outcome, seconds } => {
            activities::complete_call(ctx, txn, id(*activity), any, *outcome, *seconds).map(json)
        }
        ActivityOp::Reopen(place) => activities::reopen(ctx, txn, id(*place), any).map(json),
        ActivityOp::Cancel(place) => activities::cancel(ctx, txn, id(*place), any).map(json),
        ActivityOp::Assign { activity, user } => {
            activities::assign(ctx, txn, id(*activity), any, user.clone()).map(json)
        }
        ActivityOp::Snooze(place) => activities::snooze(ctx, txn, id(*place), any).map(json),
        ActivityOp::SetState { activity, state } => {
            activities::set_state(ctx, txn, id(*activity), any, *state).map(json)
        }
        ActivityOp::Delete(place) => activities::delete(ctx, txn, id(*place), any).map(json),
        ActivityOp::Log { lead, fields, stage: place } => {
            let to = place.map(|place| stage(ctx, txn, place)).transpose()?.map(Move::from);
            let logged =
                activities::log(ctx, txn, made.lead(*lead), any, fields.as_ref().clone(), to.as_ref())?;
            made.activities.push(logged.activity.id);
            Ok(json(&logged.activity) + &lead_text(logged.lead))
        }
        ActivityOp::Of { lead, kinds, open, ascending, limit } => {
            let mut listing = listing(*open, *ascending, *limit);
            let mut out = String::new();
            for _ in 0..3 {
                let page = activities::of(ctx, txn, made.lead(*lead), kinds, &listing)?;
                out.push_str(&json((&page.items, page.next)));
                listing.after = page.next;
            }
            Ok(out)
        }
        ActivityOp::AssignedTo { user, open, ascending, limit } => {
            let listing = listing(*open, *ascending, *limit);
            let page = activities::assigned_to(ctx, txn, user, ActivityKind::ALL, &listing)?;
            Ok(json((page.items, page.next)))
        }
    }
}

fn listing(open: Option<bool>, ascending: bool, limit: usize) -> Listing {
    Listing { open, ascending, after: None, limit }
}
