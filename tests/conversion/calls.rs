//! Who may call what, and no other tenant at all.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use leadcore::context::Context;
use leadcore::desk::convert::{self, ConversionOptions, LeadConverted, MassConversion};
use leadcore::desk::mass::Selection;
use leadcore::desk::outbox;
use leadcore::domain::Lead;
use leadcore::error::{Error, ErrorKind, Result};
use leadcore::policy::{AllowAll, Role, RoleTable};
use leadcore::query::Filter;
use leadcore::store::{StoreExt as _, Txn};
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::Scene;

use crate::support::{Host, company, fields_of, refused};

/// The functions of this part of the desk: each is called below by a viewer and by another tenant.
pub(crate) const TRIED: [&str; 16] = [
    "convert::apply_unconvert",
    "convert::apply_unconvert_with",
    "convert::apply_with",
    "convert::convert_with",
    "convert::many",
    "convert::many_with",
    "convert::part_with",
    "convert::parts",
    "convert::plan_unconvert",
    "convert::unconvert",
    "convert::unconvert_once",
    "convert::unconvert_once_with",
    "convert::unconvert_with",
    "outbox::acknowledge",
    "outbox::poll",
    "outbox::start_now",
];

struct Known {
    open: Lead,
    converted: Lead,
    plan: convert::UnconvertPlan,
    conversion: convert::ConversionPlan,
    event: outbox::Event,
}

type Call = fn(&Context<'_>, &mut dyn Txn, &Known) -> Result<()>;

const WRITES: &[(&str, Call)] = &[
    ("convert::apply_unconvert", |ctx, txn, k| convert::apply_unconvert(ctx, txn, &k.plan).map(drop)),
    ("convert::apply_unconvert_with", |ctx, txn, k| {
        convert::apply_unconvert_with(ctx, txn, &k.plan, &[]).map(drop)
    }),
    ("convert::apply_with", |ctx, txn, k| convert::apply_with(ctx, txn, &k.conversion, &[]).map(drop)),
    ("convert::convert_with", |ctx, txn, k| {
        convert::convert_with(ctx, txn, k.open.id, &ConversionOptions::default(), &[]).map(drop)
    }),
    ("convert::many", |ctx, txn, k| {
        let chosen = Selection::Ids(vec![k.open.id]);
        only(&convert::many(ctx, txn, &chosen, &ConversionOptions::default())?)
    }),
    ("convert::many_with", |ctx, txn, k| {
        let chosen = Selection::Ids(vec![k.open.id]);
        only(&convert::many_with(ctx, txn, &chosen, &ConversionOptions::default(), &[])?)
    }),
    ("convert::part_with", |ctx, txn, k| {
        let (chosen, options) = (Selection::Ids(vec![k.open.id]), ConversionOptions::default());
        let parts = convert::parts(ctx, txn, &chosen, &options, NonZeroUsize::MIN)?;
        only(&convert::part_with(ctx, txn, &parts[0], &options, &[])?)
    }),
    ("convert::unconvert", |ctx, txn, k| convert::unconvert(ctx, txn, k.converted.id).map(drop)),
    ("convert::unconvert_once", |ctx, txn, k| {
        convert::unconvert_once(ctx, txn, k.converted.id, &"b".parse().unwrap()).map(drop)
    }),
    ("convert::unconvert_once_with", |ctx, txn, k| {
        convert::unconvert_once_with(ctx, txn, k.converted.id, &"b".parse().unwrap(), &[]).map(drop)
    }),
    ("convert::unconvert_with", |ctx, txn, k| {
        convert::unconvert_with(ctx, txn, k.converted.id, &[]).map(drop)
    }),
    ("outbox::acknowledge", |ctx, txn, k| outbox::acknowledge(ctx, txn, "erp", &k.event)),
];

/// What became of the only lead.
fn only(done: &MassConversion) -> Result<()> {
    match &done.results[0].outcome {
        LeadConverted::Done(_) => Ok(()),
        LeadConverted::NotFound => Err(Error::not_found("lead")),
        other => panic!("{other:?}"),
    }
}

/// Calls about the tenant that is asked, whoever that is.
const OWN: &[(&str, Call)] = &[
    ("convert::parts", |ctx, txn, _| {
        let all = Selection::filter(Filter::everything());
        let options = ConversionOptions::default().once("parts".parse().unwrap());
        convert::parts(ctx, txn, &all, &options, NonZeroUsize::MIN).map(drop)
    }),
    ("outbox::poll", |ctx, txn, _| outbox::poll(ctx, txn, "erp", 10).map(drop)),
    ("outbox::start_now", |ctx, txn, _| outbox::start_now(ctx, txn, "erp")),
];

const READS: &[(&str, Call)] =
    &[("convert::plan_unconvert", |ctx, txn, k| convert::plan_unconvert(ctx, txn, k.converted.id).map(drop))];

fn furnished(host: &Host) -> Known {
    let [open, converted] = ["Open AS", "Converted AS"].map(|name| host.add(company(name)));
    super::converted(host, &converted);
    let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, converted.id));
    let options = ConversionOptions::default();
    let conversion = host.read(|ctx, txn| convert::plan(ctx, txn, open.id, &options));
    let event = host.read(|ctx, txn| outbox::poll(ctx, txn, "erp", 1)).events.remove(0);
    Known { open, converted, plan, conversion, event }
}

#[test]
fn x_68_conversion_and_its_way_back_are_a_permission_of_their_own() {
    let bob = "bob".parse().unwrap();
    let policy = RoleTable::new().role("viewer", Role::viewer()).user(&bob, &["viewer"], None).unwrap();
    for (name, call) in WRITES.iter().chain(READS).chain(OWN) {
        let host = Host::new();
        let known = furnished(&host);
        let before = dump(&host.store, &host.scene.tenant);
        refused(host.write_as("bob", &policy, |ctx, txn| call(ctx, txn, &known)), ErrorKind::Denied);
        assert_eq!(dump(&host.store, &host.scene.tenant), before, "{name} leaves nothing");
        host.write(|ctx, txn| call(ctx, txn, &known));
    }
}

#[test]
fn another_tenant_finds_none_of_it() {
    let host = Host::new();
    let known = furnished(&host);
    let before = dump(&host.store, &host.scene.tenant);
    let other = Scene::new("other");
    let ctx = Context::new(&other.tenant, other.actor.clone(), &other.clock, &host.scene.ids, &AllowAll);
    for (name, call) in WRITES.iter().chain(READS) {
        let outcome = host.store.write(&other.tenant, |txn| call(&ctx, txn, &known));
        refused(outcome, ErrorKind::NotFound);
        let mixed = host.store.write(&host.scene.tenant, |txn| call(&ctx, txn, &known));
        assert_eq!(fields_of(&refused(mixed, ErrorKind::Invalid)), ["tenant"], "{name}");
    }
    for (name, call) in OWN {
        assert!(host.store.write(&other.tenant, |txn| call(&ctx, txn, &known)).is_ok(), "{name}");
        let mixed = host.store.write(&host.scene.tenant, |txn| call(&ctx, txn, &known));
        assert_eq!(fields_of(&refused(mixed, ErrorKind::Invalid)), ["tenant"], "{name}");
    }
    let one = NonZeroUsize::MIN;
    let chosen = Selection::Ids(vec![known.open.id]);
    let mut told = |_: &_| ControlFlow::Continue(());
    let options = ConversionOptions::default();
    let done = convert::many_in_batches(&ctx, &host.store, &chosen, &options, one, &mut told).unwrap();
    assert_eq!(done.totals.not_found, 1);
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
}

#[test]
fn every_call_is_listed() {
    let mut called: Vec<_> = WRITES.iter().chain(READS).chain(OWN).map(|(name, _)| *name).collect();
    called.sort_unstable();
    assert_eq!(called, TRIED);
}
