//! Lists of the desk: cursors, kinds, and reminders of what came back.

use crate::desk::page::{self, PageOptions};
use crate::desk::timeline::{self, TimelineQuery};
use crate::desk::{Expect, Listing, activities, calendar, estimates, reminders};
use crate::domain::{ActivityFields, ActivityKind, Lead, Recurrence};
use crate::error::{Result, ViolationCode};
use crate::store::{Store, StoreExt, Txn};
use crate::time::Timestamp;

use super::super::fixtures::Scene;
use super::desk_children::{add, make, note, take_back, task, write};

/// Somebody was reminded before the time: the reminder does not come again with an activity that was deleted and came
/// back. That of a series goes on with the occurrence behind; nobody loses one that was not acknowledged.
pub fn an_acknowledged_reminder_stays_so_when_its_activity_comes_back(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let lead = make(store, &scene, "Nordlys AS");
    let day = |days: i64| ctx.now().saturating_add(chrono::TimeDelta::days(days));
    let told = task("Call back", "2030-01-02T09:00:00Z").remind_at(day(3));
    let waits = task("Offer", "2030-01-02T09:00:00Z").remind_at(day(3));
    let series = ActivityFields::meeting("Weekly", day(4), day(4)).remind_at(day(3));
    let series = series.recurring(Recurrence::weekly());
    let all = [told, waits, series].map(|fields| add(store, &scene, &[lead.id.into()], &fields));
    let read = || {
        let due = store.read(&scene.tenant, |txn| reminders::due(&ctx, txn, day(90), None, 10)).unwrap();
        due.items.into_iter().map(|due| (due.at, due.activity.id)).collect::<Vec<_>>()
    };
    assert_eq!(read().len(), 3);
    write(store, &scene, |txn| reminders::acknowledge(&ctx, txn, &[all[0].id, all[2].id]));
    let acknowledged = read();
    assert_eq!(acknowledged.iter().map(|due| due.1).collect::<Vec<_>>(), [all[1].id, all[2].id]);
    for activity in &all {
        write(store, &scene, |txn| activities::delete(&scene.ctx(), txn, activity.id, Expect::Any));
        let told = store
            .read(&scene.tenant, |txn| timeline::of(&ctx, txn, lead.id, &TimelineQuery::new(1)))
            .unwrap();
        let changes = &told.items[0].entry.changes;
        assert!(changes.iter().all(|change| change.field != "kept"), "no news: {changes:?}");
        assert_eq!(take_back(store, &scene).totals.failed, 0);
        assert_eq!(read(), acknowledged, "{:?}", activity.fields.title);
    }
    // Taken back, and that taken back too.
    take_back(store, &scene);
    take_back(store, &scene);
    assert_eq!(read(), acknowledged);
}

/// A cursor belongs to the list that gave it: of this record, these kinds, this order.
pub fn a_cursor_of_another_list_is_refused(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let (lead, other) = (make(store, &scene, "Nordlys AS"), make(store, &scene, "Fjord AS"));
    for of in [&lead, &other] {
        for n in 0..3 {
            add(store, &scene, &[of.id.into()], &note(&format!("Note {n}")));
        }
    }
    let first = Listing::default().limit(1);
    let notes = [ActivityKind::Note];
    let of = |lead: &Lead, kinds: &[ActivityKind], listing: &Listing| {
        store.read(&scene.tenant, |txn| activities::of(&ctx, txn, lead.id, kinds, listing))
    };
    let next = of(&lead, &notes, &first).unwrap().next.expect("there are more");
    let after = |listing: &Listing| listing.clone().after(next);
    assert_eq!(of(&lead, &notes, &after(&first.clone().limit(9))).unwrap().items.len(), 2);
    let options = PageOptions::new().first(1);
    let page = store.read(&scene.tenant, |txn| page::lead_page(&ctx, txn, lead.id, &options)).unwrap();
    assert_eq!(page.tabs[0].next, Some(next), "that of the page reads on in its tab");
    let everywhere = |listing: &Listing| {
        store.read(&scene.tenant, |txn| activities::all(&ctx, txn, &notes, listing)).map(drop)
    };
    let elsewhere = |listing: &Listing| {
        store.read(&scene.tenant, |txn| estimates::of(&ctx, txn, lead.id, listing)).map(drop)
    };
    for (what, answer) in [
        ("another lead", of(&other, &notes, &after(&first)).map(drop)),
        ("other kinds", of(&lead, ActivityKind::ALL, &after(&first)).map(drop)),
        ("another order", of(&lead, &notes, &after(&first).ascending()).map(drop)),
        ("closed ones", of(&lead, &notes, &Listing { open: Some(false), ..after(&first) }).map(drop)),
        ("all activities", everywhere(&after(&first))),
        ("another tab", elsewhere(&after(&first))),
    ] {
        let error = answer.expect_err(what);
        assert_eq!(error.violations()[0].field, "after", "{what}");
    }
}

/// A list of no kinds is of nothing here and of everything elsewhere: it is refused in every list.
pub fn a_list_of_no_kinds_is_refused(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let lead = make(store, &scene, "Nordlys AS");
    let (ada, listing) = ("ada".parse().unwrap(), Listing::default());
    let (from, to) = (Timestamp::MIN, Timestamp::MIN.saturating_add(chrono::TimeDelta::days(1)));
    let month = calendar::OverviewQuery::new(from, to);
    let refused = |work: &dyn Fn(&mut dyn Txn) -> Result<()>| {
        let error = store.read(&scene.tenant, |txn| work(txn)).expect_err("it is of nothing");
        error.violations().iter().map(|one| (one.field.clone(), one.code)).collect::<Vec<_>>()
    };
    let kinds = [("kinds".to_owned(), ViolationCode::Required)];
    assert_eq!(refused(&|txn| activities::of(&ctx, txn, lead.id, &[], &listing).map(drop)), kinds);
    assert_eq!(refused(&|txn| activities::all(&ctx, txn, &[], &listing).map(drop)), kinds);
    assert_eq!(refused(&|txn| activities::assigned_to(&ctx, txn, &ada, &[], &listing).map(drop)), kinds);
    assert_eq!(refused(&|txn| calendar::overview(&ctx, txn, &month.clone().kinds(&[])).map(drop)), kinds);
    let query = TimelineQuery::new(1).topics(&[]);
    let topics = [("topics".to_owned(), ViolationCode::Required)];
    assert_eq!(refused(&|txn| timeline::of(&ctx, txn, lead.id, &query).map(drop)), topics);
    store.read(&scene.tenant, |txn| calendar::overview(&ctx, txn, &month)).expect("all kinds, when not said");
}
