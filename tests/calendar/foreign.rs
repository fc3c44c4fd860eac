//! The calls about calendars and reminders, made with what belongs to another tenant.

use leadcore::desk::calendar::{self, OverviewQuery};
use leadcore::desk::{ical, reminders};
use leadcore::time::Timestamp;

use crate::beyond::{Case, said};

/// Every function of `desk::calendar`, `desk::ical` and `desk::reminders` that is handed a transaction.
pub(crate) const CASES: &[(&str, Case)] = &[
    ("calendar::month", |ctx, txn, _| said(calendar::month(ctx, txn, 2026, 11))),
    ("calendar::overview", |ctx, txn, f| {
        let month = OverviewQuery::new("2026-11-01T00:00:00Z".parse()?, "2026-12-01T00:00:00Z".parse()?);
        said(calendar::overview(ctx, txn, &month.clone().assigned_to(&"ada".parse()?)))?;
        said(calendar::overview(ctx, txn, &month.about(f.lead.id)))
    }),
    ("ical::activity", |ctx, txn, f| said(ical::activity(ctx, txn, f.activity.id))),
    ("ical::of", |ctx, txn, f| said(ical::of(ctx, txn, f.lead.id))),
    ("ical::overview", |ctx, txn, _| {
        let month = OverviewQuery::new("2026-11-01T00:00:00Z".parse()?, "2026-12-01T00:00:00Z".parse()?);
        said(ical::overview(ctx, txn, &month))
    }),
    ("reminders::acknowledge", |ctx, txn, f| said(reminders::acknowledge(ctx, txn, &[f.activity.id]))),
    ("reminders::due", |ctx, txn, _| said(reminders::due(ctx, txn, Timestamp::MAX, None, 1_000))),
];
