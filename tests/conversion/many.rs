//! Many leads at once, each with an outcome of its own.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use leadcore::desk::convert::{self, ConversionOptions, LeadConverted, MassConversion};
use leadcore::desk::functions::Functions;
use leadcore::desk::mass::Selection;
use leadcore::desk::{Expect, accounts, leads, series, settings};
use leadcore::domain::{Catalogue, Field, LeadPatch, Series, SeriesFields};
use leadcore::error::{Conflict, ErrorKind, ViolationCode};
use leadcore::id::{LeadId, Revision};
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::query::Filter;
use leadcore::store::StoreExt as _;
use leadcore::testkit::dump;

use crate::support::{Host, company, form, refused};

fn options() -> ConversionOptions {
    ConversionOptions::default()
}

fn leads(host: &Host, names: &[&str]) -> Vec<LeadId> {
    names.iter().map(|name| host.add(company(name)).id).collect()
}

fn many(host: &Host, selection: &Selection) -> MassConversion {
    host.write(|ctx, txn| convert::many(ctx, txn, selection, &options()))
}

#[test]
fn x_08_mass_convert() {
    let mut host = Host::new();
    let ids = leads(&host, &["Nordlys AS", "Before AS", "Lost AS", "Trashed AS", "Bare AS", "Moved AS"]);
    let mut catalogue = Catalogue::standard();
    catalogue.settings_mut(Field::City).required = Some(true);
    for id in &ids[..4] {
        host.write(|ctx, txn| {
            leads::edit(ctx, txn, *id, Expect::Any, &LeadPatch::new().set(Field::City, "Oslo"))
        });
    }
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    let first = host.write(|ctx, txn| convert::convert(ctx, txn, ids[1], &options()));
    host.write(|ctx, txn| leads::disqualify(ctx, txn, ids[2], Expect::Any, None, None));
    host.write(|ctx, txn| leads::delete(ctx, txn, ids[3], Expect::Any));
    let stranger = LeadId::from_uuid(host.scene.uuid());
    let asked: Vec<_> = ids.iter().copied().chain([stranger, ids[0]]).collect();
    let done = many(&host, &Selection::Ids(asked));
    host.restart();
    let outcome = |n: usize| &done.results[n].outcome;
    let LeadConverted::Done(made) = outcome(0) else { panic!("{:?}", outcome(0)) };
    assert_eq!(
        host.read(|ctx, txn| accounts::get(ctx, txn, made.account.unwrap())).fields.name,
        "Nordlys AS"
    );
    let LeadConverted::Already(again) = outcome(1) else { panic!("{:?}", outcome(1)) };
    assert_eq!(
        (again.account.unwrap(), again.operation),
        (first.account.unwrap(), first.operation),
        "the first outcome"
    );
    assert!(matches!(outcome(2), LeadConverted::GateUnmet(_)), "{:?}", outcome(2));
    assert_eq!(outcome(3), &LeadConverted::NotFound);
    let LeadConverted::GateUnmet(missing) = outcome(4) else { panic!("{:?}", outcome(4)) };
    assert_eq!((missing[0].field.as_str(), missing[0].code), ("city", ViolationCode::Required));
    assert_eq!(outcome(6), &LeadConverted::NotFound);
    assert_eq!(done.results.len(), 7, "each once");
    let totals = done.totals;
    assert_eq!(
        (totals.done, totals.already, totals.gate_unmet, totals.not_found, totals.forbidden, totals.conflict),
        (1, 1, 3, 2, 0, 0)
    );
    let numbers = host.read(|ctx, txn| accounts::list(ctx, txn, None, 10)).items;
    assert_eq!(numbers.iter().map(|account| account.number).collect::<Vec<_>>(), [1, 2], "no number is lost");
    let json = serde_json::to_string(&done).unwrap();
    assert_eq!(serde_json::from_str::<MassConversion>(&json).unwrap().totals, totals);
}

/// What is refused when it is already being written is taken back alone, however many were written with it.
#[test]
fn the_lead_at_which_a_series_ends_takes_no_other_back() {
    let host = Host::new();
    let ids = leads(&host, &["First AS", "Second AS", "Third AS", "Fourth AS"]);
    let few = SeriesFields::named("Few").prefix("F-").range(1, 2);
    let series = host.write(|ctx, txn| series::add(ctx, txn, Series::Account, few.clone())).id;
    let options = options().series(series);
    let done = host.write(|ctx, txn| convert::many(ctx, txn, &Selection::Ids(ids.clone()), &options));
    let numbers: Vec<u64> = done
        .results
        .iter()
        .filter_map(|result| match &result.outcome {
            LeadConverted::Done(made) => Some(made.account_number),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [1, 2]);
    for refused in &done.results[2..] {
        let exhausted =
            LeadConverted::Conflict(Conflict::SeriesExhausted { series: "Few".to_owned(), last: 2 });
        assert_eq!(refused.outcome, exhausted);
    }
    assert_eq!((done.totals.done, done.totals.conflict), (2, 2));
    let converted = ids.iter().map(|id| host.read(|ctx, txn| leads::get(ctx, txn, *id)).conversion.is_some());
    assert_eq!(converted.collect::<Vec<_>>(), [true, true, false, false]);
    assert_eq!(host.read(|ctx, txn| accounts::list(ctx, txn, None, 10)).items.len(), 2);
    // The rest goes on in another series.
    let rest = many(&host, &Selection::Ids(ids));
    assert_eq!((rest.totals.done, rest.totals.already), (2, 2));
}

#[test]
fn x_08_mass_convert_by_filter() {
    let host = Host::new();
    let names: Vec<String> = (0..7).map(|n| format!("Lead {n}")).collect();
    let ids = leads(&host, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let open = Filter::eq(Field::State, "open");
    let wrong =
        host.try_write(|ctx, txn| convert::many(ctx, txn, &Selection::exactly(6, open.clone()), &options()));
    refused(wrong, ErrorKind::Conflict);
    let done = many(&host, &Selection::exactly(7, open.clone()));
    assert_eq!(done.results.iter().map(|result| result.lead).collect::<Vec<_>>(), ids);
    assert_eq!((done.totals.done, host.count(&open)), (7, 0));
    assert_eq!(many(&host, &Selection::filter(open)).results, []);
}

#[test]
fn a_lead_that_was_changed_or_is_closed_or_not_ones_own_says_so() {
    let host = Host::new();
    let ids = leads(&host, &["Read AS", "Changed AS", "Closed AS"]);
    host.write(|ctx, txn| {
        leads::edit(ctx, txn, ids[2], Expect::Any, &LeadPatch::new().set(Field::City, "Bergen"))
    });
    host.write(|ctx, txn| {
        leads::edit(ctx, txn, ids[1], Expect::Any, &LeadPatch::new().set(Field::Owner, "eve"))
    });
    let functions = Functions::new().open_for("convert", !Filter::eq(Field::City, "Bergen"));
    host.write(|ctx, txn| settings::set_functions(ctx, txn, None, &functions));
    let read = Selection::Revisions(ids.iter().map(|id| (*id, Revision::FIRST)).collect());
    let own = RoleTable::new()
        .role(
            "own",
            Role::salesperson()
                .grant(Permission::View, Visibility::All)
                .grant(Permission::Convert, Visibility::Own),
        )
        .user(&"eve".parse().unwrap(), &["own"], None)
        .unwrap();
    let of_eve = host.write_as("eve", &own, |ctx, txn| convert::many(ctx, txn, &read, &options())).unwrap();
    assert_eq!(of_eve.results[0].outcome, LeadConverted::Forbidden);
    let done = many(&host, &read);
    assert!(matches!(done.results[0].outcome, LeadConverted::Done(_)));
    let stale = Conflict::StaleRevision { expected: Revision::FIRST, found: Revision::FIRST.next() };
    assert_eq!(done.results[1].outcome, LeadConverted::Conflict(stale));
    let now = Selection::Ids(vec![ids[2]]);
    let closed = many(&host, &now);
    assert_eq!(closed.results[0].outcome, LeadConverted::Closed, "a word of its own");
    assert_eq!((closed.totals.closed, closed.totals.conflict), (1, 0));
}

#[test]
fn several_leads_become_one_account() {
    let host = Host::new();
    let ids = leads(&host, &["Nordlys AS", "Nordlys Nord", "Nordlys Sør"]);
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, ids[0], &options()));
    host.write(|ctx, txn| {
        leads::edit(ctx, txn, ids[2], Expect::Any, &LeadPatch::new().set(Field::City, "Bergen"))
    });
    let into = options().into_account(made.account.unwrap());
    let done = host.write(|ctx, txn| convert::many(ctx, txn, &Selection::Ids(ids[1..].to_vec()), &into));
    assert_eq!(done.totals.done, 2);
    assert_eq!(host.read(|ctx, txn| accounts::origins(ctx, txn, made.account.unwrap())), ids);
    let account = host.read(|ctx, txn| accounts::get(ctx, txn, made.account.unwrap()));
    assert_eq!(account.fields.address.city(), Some("Bergen"), "each fills what was empty");
}

#[test]
fn batches_that_were_committed_stay_and_the_next_run_goes_on() {
    let mut host = Host::new();
    for n in 0..10 {
        host.add(form(&[(Field::Company, &format!("Lead {n}"))]));
    }
    let all = Selection::filter(Filter::everything());
    let three = NonZeroUsize::new(3).unwrap();
    let mut told = 0;
    let run = |host: &Host, told: &mut dyn FnMut(&convert::LeadConversion) -> ControlFlow<()>| {
        convert::many_in_batches(&host.ctx(), &host.store, &all, &options(), three, told).unwrap()
    };
    let first = run(&host, &mut |_| {
        told += 1;
        if told == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    host.restart();
    assert_eq!((told, first.totals.done), (6, 6), "whole batches");
    let rest = run(&host, &mut |_| ControlFlow::Continue(()));
    assert_eq!((rest.totals.done, rest.totals.already), (4, 6));
    for (before, now) in first.results.iter().zip(&rest.results) {
        let (LeadConverted::Done(first), LeadConverted::Already(again)) = (&before.outcome, &now.outcome)
        else {
            panic!("{before:?} {now:?}")
        };
        assert_eq!(first.account.unwrap(), again.account.unwrap());
    }
    let done = dump(&host.store, &host.scene.tenant);
    run(&host, &mut |_| ControlFlow::Continue(()));
    assert_eq!(dump(&host.store, &host.scene.tenant), done, "a third run writes nothing");
    let accounts = host.store.read(&host.scene.tenant, |txn| txn.accounts().scan(None, 100)).unwrap();
    assert_eq!(
        accounts.iter().map(|account| account.number).collect::<Vec<_>>(),
        (1..=10).collect::<Vec<_>>()
    );
}
