//! The calls about activities, made with what belongs to another tenant.

use leadcore::desk::{Expect, Listing, activities};
use leadcore::domain::{ActivityFields, ActivityKind, CallOutcome, RequestState};

use crate::beyond::{Case, said};

/// Every function of `desk::activities`.
pub(crate) const CASES: &[(&str, Case)] = &[
    ("activities::add", |ctx, txn, f| {
        said(activities::add(ctx, txn, &[f.lead.id.into()], ActivityFields::note("Stolen")))
    }),
    ("activities::add_many", |ctx, txn, f| {
        let draft = ActivityFields::note("Stolen").about([f.lead.id]);
        said(activities::add_many(ctx, txn, vec![draft]))
    }),
    ("activities::all", |ctx, txn, _| {
        said(activities::all(ctx, txn, ActivityKind::ALL, &Listing::default()))
    }),
    ("activities::assign", |ctx, txn, f| {
        said(activities::assign(ctx, txn, f.activity.id, Expect::Any, None))
    }),
    ("activities::assigned_to", |ctx, txn, _| {
        said(activities::assigned_to(ctx, txn, &"ada".parse()?, ActivityKind::ALL, &Listing::default()))
    }),
    ("activities::cancel", |ctx, txn, f| said(activities::cancel(ctx, txn, f.activity.id, Expect::Any))),
    ("activities::complete", |ctx, txn, f| said(activities::complete(ctx, txn, f.activity.id, Expect::Any))),
    ("activities::complete_call", |ctx, txn, f| {
        let outcome = CallOutcome::Answered;
        said(activities::complete_call(ctx, txn, f.activity.id, Expect::Any, outcome, None))
    }),
    ("activities::delete", |ctx, txn, f| said(activities::delete(ctx, txn, f.activity.id, Expect::Any))),
    ("activities::edit", |ctx, txn, f| {
        said(activities::edit(ctx, txn, f.activity.id, Expect::Any, ActivityFields::task("Stolen")))
    }),
    ("activities::get", |ctx, txn, f| said(activities::get(ctx, txn, f.activity.id))),
    ("activities::log", |ctx, txn, f| {
        said(activities::log(ctx, txn, f.lead.id, Expect::Any, ActivityFields::note("Stolen"), None))
    }),
    ("activities::of", |ctx, txn, f| {
        said(activities::of(ctx, txn, f.lead.id, ActivityKind::ALL, &Listing::default()))
    }),
    ("activities::occurrence", |ctx, txn, f| {
        said(activities::occurrence(ctx, txn, f.activity.id, leadcore::time::Date::MIN))
    }),
    ("activities::reopen", |ctx, txn, f| said(activities::reopen(ctx, txn, f.activity.id, Expect::Any))),
    ("activities::replace", |ctx, txn, f| {
        let (day, by) = (leadcore::time::Date::MIN, ActivityFields::task("Stolen"));
        said(activities::replace(ctx, txn, f.activity.id, Expect::Any, day, by))
    }),
    ("activities::set_state", |ctx, txn, f| {
        said(activities::set_state(ctx, txn, f.activity.id, Expect::Any, RequestState::New))
    }),
    ("activities::skip", |ctx, txn, f| {
        said(activities::skip(ctx, txn, f.activity.id, Expect::Any, leadcore::time::Date::MIN))
    }),
    ("activities::snooze", |ctx, txn, f| said(activities::snooze(ctx, txn, f.activity.id, Expect::Any))),
];
