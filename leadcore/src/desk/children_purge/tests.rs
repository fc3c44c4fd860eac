//! What a purge asks of a store.

use super::*;
use crate::desk::counting::Counting;
use crate::domain::{Activity, ActivityFields, Actor};
use crate::id::{ActivityId, LeadId, Revision, SequentialIds};
use crate::memory::MemoryStore;
use crate::policy::AllowAll;
use crate::store::StoreExt;
use crate::time::{ManualClock, Timestamp};

#[test]
fn five_thousand_children_take_few_calls() {
    let store = MemoryStore::new();
    let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
    let ctx = Context::new(&"acme".parse().unwrap(), Actor::System, &clock, &ids, &AllowAll);
    let lead = |n: u128| Subject::from(LeadId::from_uuid(Uuid::from_u128(n)));
    let note = |n: u128, about: &[Subject]| Activity {
        id: ActivityId::from_uuid(Uuid::from_u128(1_000_000 + n)),
        revision: Revision::FIRST,
        about: about.to_vec(),
        fields: ActivityFields::note("In words."),
        created_by: Actor::System,
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
    };
    let kept = lead(999);
    // One lead with many, many leads with a few, some about two leads that go, some about one that stays.
    let mut all: Vec<_> = (0..2_500).map(|n| note(n, &[lead(0)])).collect();
    all.extend((2_500..4_500).map(|n| note(n, &[lead(n % 100)])));
    all.extend((4_500..4_700).map(|n| note(n, &[lead(0), lead(n % 100)])));
    all.extend((4_700..5_000).map(|n| note(n, &[lead(n % 100), kept])));
    for activity in &mut all {
        activity.about.dedup();
    }
    let gone: Vec<_> = (0..100).map(lead).collect();
    let (planned, removed, calls, left) = store
        .write(ctx.tenant(), |txn| {
            txn.activities().insert(&all)?;
            txn.children().place(&all.iter().map(Activity::placement).collect::<Vec<_>>())?;
            let planned = Leaving::default().count(txn, &gone)?;
            let mut counting = Counting::of(txn);
            let removed = purge(&ctx, &mut counting, &gone)?;
            let calls = counting.calls;
            Ok((planned, removed, calls, txn.children().counts(&[kept, lead(0), lead(7)])?))
        })
        .unwrap();
    assert_eq!((planned, removed), (4_700, 4_700));
    assert_eq!(left.iter().map(|count| count.total).collect::<Vec<_>>(), [300]);
    assert!(calls < 250, "{calls} calls of ports");
}
