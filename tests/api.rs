//! What a host may rely on in the types themselves.

use leadcore::context::Context;
use leadcore::desk::convert::{ConversionOutcome, ConversionPlan};
use leadcore::desk::functions::Functions;
use leadcore::desk::leads::{Changes, Facet, LeadAction};
use leadcore::desk::{board, mass, page, purge, timeline, undo, views};
use leadcore::domain::{
    Account, Catalogue, Contact, Entry, Field, FieldValue, Lead, LeadPatch, Names, Numbering, Operation,
    Pipeline,
};
use leadcore::error::{Error, ErrorKind, ValueError, Violation};
use leadcore::exchange::Mapping;
use leadcore::exchange::import::{ImportOptions, ImportReport};
use leadcore::id::{LeadId, RandomIds, SequentialIds, TenantId, UserId};
use leadcore::memory::MemoryStore;
use leadcore::policy::{AllowAll, Policy, RoleTable};
use leadcore::query::{Cursor, Filter, LeadQuery, Period, Resolved, TextError};
use leadcore::store::{Store, StoreExt, Txn};
use leadcore::time::{ManualClock, SystemClock, Timestamp};
use leadcore_sqlite::{SqliteOptions, SqliteStore};

fn crosses_threads<T: Send + Sync + ?Sized>() {}

fn outlives_its_maker<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}

#[test]
fn what_a_host_keeps_crosses_threads() {
    crosses_threads::<Error>();
    crosses_threads::<MemoryStore>();
    crosses_threads::<RandomIds>();
    crosses_threads::<SequentialIds>();
    crosses_threads::<ManualClock>();
    crosses_threads::<Context<'_>>();
    crosses_threads::<dyn Store>();
    crosses_threads::<dyn Policy>();
    outlives_its_maker::<SqliteStore>();
    outlives_its_maker::<SqliteOptions>();
    outlives_its_maker::<(Lead, Account, Contact, Pipeline, Catalogue)>();
    outlives_its_maker::<(Entry, Operation, LeadPatch, Field, FieldValue)>();
    outlives_its_maker::<(Filter, Resolved, LeadQuery, Cursor)>();
    outlives_its_maker::<(ConversionPlan, ConversionOutcome, LeadAction)>();
    outlives_its_maker::<(board::Board, board::BoardQuery, timeline::TimelineItem)>();
    outlives_its_maker::<(views::ListPage, views::ViewRequest, views::ViewDraft, views::ViewEntry)>();
    outlives_its_maker::<(Changes, Facet, Names, Period, TextError)>();
    outlives_its_maker::<(mass::Selection, mass::Change, mass::MassOutcome)>();
    outlives_its_maker::<(undo::UndoPlan, undo::UndoOutcome, purge::PurgePlan, purge::PurgeOutcome)>();
    outlives_its_maker::<(page::LeadPage, page::AccountPage, page::PageOptions, timeline::TimelineQuery)>();
    outlives_its_maker::<(Functions, Numbering)>();
    outlives_its_maker::<(ImportOptions, ImportReport, Mapping)>();
    outlives_its_maker::<(LeadId, TenantId, UserId, Timestamp, SystemClock)>();
    outlives_its_maker::<(ErrorKind, ValueError, Violation, AllowAll, RoleTable)>();
}

#[test]
fn an_error_is_small_and_a_standard_one() {
    assert_eq!(size_of::<Error>(), size_of::<usize>(), "it is in every result");
    fn standard<E: std::error::Error + Send + Sync + 'static>() {}
    standard::<Error>();
    standard::<ValueError>();
    let boxed: Box<dyn std::error::Error + Send + Sync> = Error::not_found("lead").into();
    assert_eq!(boxed.downcast::<Error>().unwrap().kind(), ErrorKind::NotFound);
}

#[test]
fn stores_and_transactions_are_used_behind_a_pointer() {
    let tenant: TenantId = "acme".parse().unwrap();
    let stores: [Box<dyn Store>; 2] =
        [Box::new(MemoryStore::new()), Box::new(SqliteStore::open_in_memory().unwrap())];
    for store in &stores {
        let work = |txn: &mut dyn Txn| Ok(txn.tenant().clone());
        assert_eq!(store.read(&tenant, work).unwrap(), tenant);
        assert_eq!(store.write(&tenant, work).unwrap(), tenant);
    }
}

#[test]
fn one_store_serves_many_threads() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("leads.db")).unwrap();
    let (clock, ids) = (SystemClock, RandomIds::new());
    let tenant: TenantId = "acme".parse().unwrap();
    let ctx = Context::new(&tenant, leadcore::domain::Actor::System, &clock, &ids, &AllowAll);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (store, ctx) = (store.clone(), &ctx);
            scope.spawn(move || {
                for n in 0..25 {
                    let fields = crate::support::company(&format!("{thread}-{n}"));
                    let draft = || fields.clone().into();
                    let made =
                        store.write(ctx.tenant(), |txn| leadcore::desk::leads::create(ctx, txn, draft()));
                    let made = made.unwrap();
                    let back = store.read(ctx.tenant(), |txn| leadcore::desk::leads::get(ctx, txn, made.id));
                    assert_eq!(back.unwrap(), made, "one reads what one wrote");
                }
            });
        }
    });
    let numbers: std::collections::BTreeSet<u64> = store
        .read(&tenant, |txn| {
            let query = LeadQuery::default().limit(1_000);
            Ok(leadcore::desk::leads::list(&ctx, txn, &query)?.items.iter().map(|lead| lead.number).collect())
        })
        .unwrap();
    assert_eq!(numbers, (1..=200).collect(), "numbers without gaps or repeats");
}
