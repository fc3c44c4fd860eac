//! The caller's own key: the same call again, in this process or another, gives the first outcome.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use leadcore::desk::convert::{
    self, ConversionOptions, ConversionPlan, LeadConverted, MassConversion, OpportunityRequest,
    PlannedAccount,
};
use leadcore::desk::mass::Selection;
use leadcore::desk::opportunities::{self, NewOpportunity};
use leadcore::domain::{
    AccountStatus, Field, Line, Operation, OperationKind, OpportunityFields, OpportunityPatch,
};
use leadcore::error::{Conflict, Error, ErrorKind, Result};
use leadcore::id::{IdempotencyKey, LeadId};
use leadcore::query::Filter;
use leadcore::testkit::dump;

use crate::support::{Host, company, refused};

fn key(text: &str) -> IdempotencyKey {
    text.parse().unwrap()
}

fn options() -> ConversionOptions {
    ConversionOptions::default().once(key("order 4711"))
}

fn differs(error: &Error) -> Vec<&str> {
    match error.conflict() {
        Some(Conflict::KeyReused { differs }) => differs.iter().map(String::as_str).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_gives_the_first_outcome_also_after_a_restart_and_the_way_back() {
    let mut host = Host::new();
    let lead = host.add(super::nordlys());
    let first = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options()));
    assert!(first.newly_converted);
    host.restart();
    let done = dump(&host.store, &host.scene.tenant);
    // The revision says when it may be done; afterwards the lead has another one.
    let again = options().at_revision(lead.revision);
    let second = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &again));
    assert!(!second.newly_converted);
    let exactly = |outcome: &convert::ConversionOutcome| serde_json::to_string(outcome).unwrap();
    assert_eq!(exactly(&second), exactly(&first));
    assert_eq!(dump(&host.store, &host.scene.tenant), done, "nothing is written");
    // A late repetition does not convert a lead again that was taken back.
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    let late = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options()));
    assert_eq!(exactly(&late), exactly(&first));
    assert!(host.get(&lead).conversion.is_none());
    let other = ConversionOptions::default().once(key("order 4712"));
    let anew = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &other));
    assert!(anew.newly_converted && anew.operation != first.operation);
}

#[test]
fn another_call_under_the_same_key_is_refused_and_told_what_differs() {
    let host = Host::new();
    let [lead, other] = ["First AS", "Second AS"].map(|name| host.add(company(name)));
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options()));
    let done = dump(&host.store, &host.scene.tenant);
    let refuse = |lead, options: &ConversionOptions| {
        refused(host.try_write(|ctx, txn| convert::convert(ctx, txn, lead, options)), ErrorKind::Conflict)
    };
    assert_eq!(differs(&refuse(other.id, &options())), ["lead"]);
    let named = OpportunityPatch::new().name("A roof");
    let wanted = options()
        .status(AccountStatus::Prospect)
        .with_opportunity(OpportunityRequest::new().with(named))
        .account_only();
    assert_eq!(differs(&refuse(lead.id, &wanted)), ["contacts", "opportunity", "status"]);
    assert_eq!(dump(&host.store, &host.scene.tenant), done, "nothing is written");
    for (text, fits) in [("", false), (" x", false), ("a\nb", false), (&*"k".repeat(200), true)] {
        assert_eq!(IdempotencyKey::new(text).is_ok(), fits, "{text:?}");
    }
    assert!(IdempotencyKey::new("k".repeat(201)).is_err());
}

#[test]
fn a_plan_that_was_edited_is_another_call() {
    let mut host = Host::new();
    let lead = host.add(super::nordlys());
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &options()));
    // As a host keeps it between two screens.
    let plan: ConversionPlan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    let first = host.write(|ctx, txn| convert::apply(ctx, txn, &plan));
    host.restart();
    assert_eq!(host.write(|ctx, txn| convert::apply(ctx, txn, &plan)).operation, first.operation);
    let mut edited = plan.clone();
    let PlannedAccount::New { fields, .. } = &mut edited.account else { panic!("{:?}", edited.account) };
    fields.name = "Nordlys Energi AS".to_owned();
    edited.contacts.clear();
    let error = refused(host.try_write(|ctx, txn| convert::apply(ctx, txn, &edited)), ErrorKind::Conflict);
    assert_eq!(differs(&error), ["account", "contacts"]);
    let error = host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options()));
    assert_eq!(
        differs(&refused(error, ErrorKind::Conflict)),
        ["call"],
        "not the call that the key stands for"
    );
}

fn these(host: &Host, ids: &[LeadId], options: &ConversionOptions) -> Result<MassConversion> {
    host.try_write(|ctx, txn| convert::many(ctx, txn, &Selection::Ids(ids.to_vec()), options))
}

/// What was done by the first call is answered by the second one as it was.
fn same(first: &MassConversion, again: &MassConversion) {
    assert_eq!(first.results.len(), again.results.len());
    for before in &first.results {
        let after = again.results.iter().find(|one| one.lead == before.lead).unwrap();
        let (LeadConverted::Done(before), LeadConverted::Already(after)) = (&before.outcome, &after.outcome)
        else {
            panic!("{before:?} {after:?}")
        };
        assert_eq!(before.operation, after.operation);
    }
}

#[test]
fn a_key_of_many_stands_for_one_call_with_all_its_leads() {
    let mut host = Host::new();
    let ids = ["First AS", "Second AS", "Third AS"].map(|name| host.add(company(name)).id);
    let first = these(&host, &ids[..2], &options()).unwrap();
    assert_eq!(first.totals.done, 2);
    host.write(|ctx, txn| convert::unconvert(ctx, txn, ids[0]));
    host.restart();
    let before = dump(&host.store, &host.scene.tenant);
    same(&first, &these(&host, &[ids[1], ids[0], ids[1]], &options()).unwrap());
    let refuse = |ids: &[LeadId], options: &ConversionOptions, what: &[&str]| {
        assert_eq!(differs(&refused(these(&host, ids, options), ErrorKind::Conflict)), what);
    };
    refuse(&ids, &options(), &["leads"]);
    refuse(&ids[..1], &options(), &["leads"]);
    refuse(&ids[..2], &options().status(AccountStatus::Prospect), &["status"]);
    assert_eq!(dump(&host.store, &host.scene.tenant), before, "nothing is written");
    // One lead under the same words is another call, and the words stand for this one.
    let lead = host.add(company("Fourth AS"));
    let one = host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options()));
    assert_eq!(differs(&refused(one, ErrorKind::Conflict)), ["call"]);
}

#[test]
fn a_call_for_many_that_was_broken_off_goes_on_with_the_leads_that_it_had() {
    let mut host = Host::new();
    for n in 0..5 {
        host.add(company(&format!("Lead {n}")));
    }
    let open = Selection::exactly(5, Filter::eq(Field::State, "open"));
    let run = |host: &Host, selection: &Selection, stop: bool| {
        let told = &mut |_: &_| if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let two = NonZeroUsize::new(2).unwrap();
        convert::many_in_batches(&host.ctx(), &host.store, selection, &options(), two, told)
    };
    assert_eq!(run(&host, &open, true).unwrap().totals.done, 2);
    host.restart();
    let late = host.add(company("Late AS"));
    // The filter finds four others by now; the call is about its five.
    let rest = run(&host, &open, false).unwrap();
    assert_eq!((rest.totals.already, rest.totals.done, rest.results.len()), (2, 3, 5));
    assert!(host.get(&late).conversion.is_none());
    assert_eq!(run(&host, &open, false).unwrap().totals.already, 5);
    let other = Selection::filter(Filter::eq(Field::Company, "Late AS"));
    assert_eq!(differs(&refused(run(&host, &other, false), ErrorKind::Conflict)), ["leads"]);
    // The parts of it, which a host converts in transactions of its own.
    let one = NonZeroUsize::MIN;
    let parts = host.write(|ctx, txn| convert::parts(ctx, txn, &open, &options(), one));
    assert_eq!(parts.len(), 5);
    let done = host.write(|ctx, txn| convert::part_with(ctx, txn, &parts[0], &options(), &[]));
    assert_eq!((done.totals.already, done.results.len()), (1, 1));
    let late = Selection::Ids(vec![late.id]);
    let late = host.try_write(|ctx, txn| convert::parts(ctx, txn, &late, &options(), one));
    assert_eq!(differs(&refused(late, ErrorKind::Conflict)), ["leads"]);
}

#[test]
fn a_key_of_many_from_before_is_read() {
    let host = Host::new();
    let ids = ["First AS", "Second AS"].map(|name| host.add(company(name)).id);
    let first = these(&host, &ids[..1], &options()).unwrap();
    // Versions before kept a key for each lead, and none for all of them.
    host.write(|_, txn| {
        let all = txn.journal().find(OperationKind::Once, "convert_all:order 4711")?.unwrap();
        txn.journal().update(&Operation { key: None, ..all })
    });
    let again = these(&host, &ids, &options()).unwrap();
    assert_eq!((again.totals.already, again.totals.done), (1, 1));
    let (LeadConverted::Done(before), LeadConverted::Already(after)) =
        (&first.results[0].outcome, &again.results[0].outcome)
    else {
        panic!("{again:?}")
    };
    assert_eq!(before.operation, after.operation);
}

#[test]
fn a_way_back_has_a_key_too() {
    let mut host = Host::new();
    let [lead, other] = ["First AS", "Second AS"].map(|name| host.add(company(name)));
    let back =
        |host: &Host, lead| host.try_write(|ctx, txn| convert::unconvert_once(ctx, txn, lead, &key("b")));
    let without_key = ConversionOptions::default();
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &without_key));
    let first = back(&host, lead.id).unwrap();
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &without_key));
    host.restart();
    let again = back(&host, lead.id).unwrap();
    assert_eq!((again.operation, again.newly_unconverted), (first.operation, false));
    assert!(host.get(&lead).conversion.is_some(), "the second conversion stands");
    host.write(|ctx, txn| convert::convert(ctx, txn, other.id, &without_key));
    assert_eq!(differs(&refused(back(&host, other.id), ErrorKind::Conflict)), ["lead"]);
}

#[test]
fn a_key_of_a_call_that_failed_is_free() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let failed = host.try_write(|ctx, txn| {
        convert::convert(ctx, txn, lead.id, &options())?;
        Err::<(), _>(Error::not_found("nothing"))
    });
    refused(failed, ErrorKind::NotFound);
    let stale = options().at_revision(leadcore::id::Revision::new(7));
    refused(host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, &stale)), ErrorKind::Conflict);
    let prospect = options().status(AccountStatus::Prospect);
    assert!(host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &prospect)).newly_converted);
}

#[test]
fn an_amount_is_the_same_however_it_is_written() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let convert = |amount: &str, name: &str| {
        let price = amount.parse().unwrap();
        let patch = OpportunityPatch::new().name(name).lines(vec![Line::new("Panel", price, price)]);
        let options = options().with_opportunity(OpportunityRequest::new().with(patch));
        host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options))
    };
    let first = convert("10", "1.0").unwrap();
    assert_eq!(convert("10.00", "1.0").unwrap().operation, first.operation);
    for (amount, name) in [("10.01", "1.0"), ("10", "1")] {
        assert_eq!(differs(&refused(convert(amount, name), ErrorKind::Conflict)), ["opportunity"]);
    }
}

#[test]
fn a_key_stands_for_one_call_of_whatever_kind() {
    type Call = fn(&Host, &[LeadId; 3]) -> Result<()>;
    let calls: [(&str, Call); 4] = [
        ("one", |host, [lead, ..]| {
            host.try_write(|ctx, txn| convert::convert(ctx, txn, *lead, &options())).map(drop)
        }),
        ("many", |host, [_, rest @ ..]| {
            these(host, rest, &options().status(AccountStatus::Prospect)).map(drop)
        }),
        ("opportunity", |host, [.., lead]| {
            let new = NewOpportunity::from(OpportunityFields::named("A roof")).converting(options());
            host.try_write(|ctx, txn| opportunities::create(ctx, txn, *lead, new.clone())).map(drop)
        }),
        ("back", |host, [lead, ..]| {
            host.try_write(|ctx, txn| convert::unconvert_once(ctx, txn, *lead, &key("order 4711"))).map(drop)
        }),
    ];
    for (first, call) in &calls {
        for (second, other) in calls.iter().filter(|(name, _)| name != first) {
            let host = Host::new();
            let ids = ["A", "B", "C"].map(|name| host.add(company(name)).id);
            if *first == "back" {
                let plain = ConversionOptions::default();
                host.write(|ctx, txn| convert::convert(ctx, txn, ids[0], &plain));
            }
            call(&host, &ids).unwrap();
            let done = dump(&host.store, &host.scene.tenant);
            let error = refused(other(&host, &ids), ErrorKind::Conflict);
            assert_eq!(differs(&error), ["call"], "{first}, {second}");
            assert_eq!(dump(&host.store, &host.scene.tenant), done, "nothing is written: {first}, {second}");
            call(&host, &ids).unwrap();
            assert_eq!(dump(&host.store, &host.scene.tenant), done, "the first call stays answered: {first}");
        }
    }
}
