//! The writes of activities with sound input: a viewer may do none of them.

use leadcore::desk::{Expect, activities};
use leadcore::domain::{ActivityFields, CallOutcome, RequestState};

use crate::refusals::Call;

const ANY: Expect = Expect::Any;

/// Every write of `desk::activities`.
pub(crate) const WRITES: &[(&str, Call)] = &[
    ("activities::add", |ctx, txn, k| {
        activities::add(ctx, txn, &[k.open.into()], ActivityFields::note("New")).map(drop)
    }),
    ("activities::add_many", |ctx, txn, k| {
        let draft = ActivityFields::note("New").about([k.open]);
        activities::add_many(ctx, txn, vec![draft]).map(drop)
    }),
    ("activities::assign", |ctx, txn, k| {
        let user = ctx.actor().user().cloned();
        activities::assign(ctx, txn, k.task, ANY, user).map(drop)
    }),
    ("activities::cancel", |ctx, txn, k| activities::cancel(ctx, txn, k.meeting, ANY).map(drop)),
    ("activities::complete", |ctx, txn, k| activities::complete(ctx, txn, k.task, ANY).map(drop)),
    ("activities::complete_call", |ctx, txn, k| {
        activities::complete_call(ctx, txn, k.call, ANY, CallOutcome::Busy, None).map(drop)
    }),
    ("activities::delete", |ctx, txn, k| activities::delete(ctx, txn, k.task, ANY)),
    ("activities::edit", |ctx, txn, k| {
        activities::edit(ctx, txn, k.task, ANY, ActivityFields::task("New")).map(drop)
    }),
    ("activities::log", |ctx, txn, k| {
        activities::log(ctx, txn, k.open, ANY, ActivityFields::note("New"), None).map(drop)
    }),
    ("activities::replace", |ctx, txn, k| {
        let now = ctx.now();
        let (day, by) = (leadcore::time::Date::of(now), ActivityFields::meeting("New", now, now));
        activities::replace(ctx, txn, k.meeting, ANY, day, by).map(drop)
    }),
    ("activities::reopen", |ctx, txn, k| activities::reopen(ctx, txn, k.done, ANY).map(drop)),
    ("activities::set_state", |ctx, txn, k| {
        activities::set_state(ctx, txn, k.request, ANY, RequestState::Declined).map(drop)
    }),
    ("activities::skip", |ctx, txn, k| {
        activities::skip(ctx, txn, k.meeting, ANY, leadcore::time::Date::of(ctx.now())).map(drop)
    }),
    ("activities::snooze", |ctx, txn, k| activities::snooze(ctx, txn, k.task, ANY).map(drop)),
];
