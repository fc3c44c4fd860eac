//! Number series (S4.11, S4.12): several for each kind of record, from the first number to the last one.

use std::path::Path;
use std::process::Command;

use chrono::TimeDelta;
use leadcore::context::Context;
use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::{Expect, accounts, estimates, leads, series, settings, undo};
use leadcore::domain::{
    Account, Actor, Estimate, EstimateFields, FieldChange, Lead, NumberSeries, Series, SeriesFields, Topics,
};
use leadcore::error::{Conflict, Error, ErrorKind, Result};
use leadcore::id::{NumberSeriesId, OperationId, RandomIds};
use leadcore::policy::{AllowAll, Permission, Role, RoleTable, Visibility};
use leadcore::store::{StoreExt, Txn};
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::Scene;
use leadcore::time::SystemClock;
use leadcore_sqlite::SqliteStore;

use crate::support::{Host, company, fields_of, refused};

/// What is tried here, with a viewer and with two tenants.
pub(crate) const TRIED: [&str; 13] = [
    "accounts::by_number",
    "estimates::create_in",
    "series::add",
    "series::archive",
    "series::edit",
    "series::get",
    "series::go_on_with",
    "series::list",
    "series::overview",
    "series::preview",
    "series::set_default",
    "series::writing",
    "series::written",
];

const ANY: Expect = Expect::Any;
const DATABASE: &str = "LEADCORE_TEST_NUMBERS";

#[expect(clippy::needless_pass_by_value, reason = "fields are made for one call")]
fn added(host: &Host, kind: Series, fields: SeriesFields) -> NumberSeries {
    host.write(|ctx, txn| series::add(ctx, txn, kind, fields.clone()))
}

fn customer(host: &Host, name: &str) -> Account {
    let lead = host.add(company(name));
    host.write(|ctx, txn| {
        let done = convert::convert(ctx, txn, lead.id, &ConversionOptions::default())?;
        accounts::get(ctx, txn, done.account.unwrap())
    })
}

fn try_offer(host: &Host, lead: &Lead, of: Option<NumberSeriesId>) -> Result<Estimate> {
    host.scene.tick();
    let fields = EstimateFields::titled("A roof");
    host.try_write(|ctx, txn| estimates::create_in(ctx, txn, &[lead.id.into()], fields.clone(), of))
}

fn offer(host: &Host, lead: &Lead, of: NumberSeriesId) -> String {
    let made = try_offer(host, lead, Some(of)).unwrap();
    host.read(|ctx, txn| series::written(ctx, txn, &made))
}

fn taken(error: &Error) -> (&str, &str) {
    match error.conflict() {
        Some(Conflict::NumberTaken { number, series }) => (number, series),
        _ => panic!("no number stands against it: {error}"),
    }
}

#[test]
fn s4_11_customer_number_series() {
    let mut host = Host::new();
    assert_eq!(customer(&host, "First").number, 1);
    // The next number is shown, and taken by whoever comes first.
    let next = |of| host.read(|ctx, txn| series::preview(ctx, txn, Series::Account, of)).text;
    assert_eq!((next(None), next(None)), ("2".to_owned(), "2".to_owned()));
    // Another range: 70000 to 70001, which the standard series leaves to it.
    let range = SeriesFields::named("North").range(70_000, 70_001);
    let error = host.try_write(|ctx, txn| series::add(ctx, txn, Series::Account, range.clone()));
    assert_eq!(taken(&refused(error, ErrorKind::Conflict)), ("70000", "Customers"));
    let standard = Series::Account.standard();
    let narrow = SeriesFields::named("Customers").range(1, 69_999);
    host.write(|ctx, txn| series::edit(ctx, txn, standard, ANY, narrow.clone()));
    let north = added(&host, Series::Account, range);
    host.write(|ctx, txn| series::set_default(ctx, txn, north.id));
    host.restart();
    let north_1 = customer(&host, "Second");
    assert_eq!(
        (north_1.number, north_1.serial.as_ref().map(|serial| serial.series)),
        (70_000, Some(north.id))
    );
    assert_eq!(customer(&host, "Third").number, 70_001);
    let lead = host.add(company("Fourth"));
    let before = dump(&host.store, &host.scene.tenant);
    let full = host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    let full = refused(full, ErrorKind::Conflict);
    let told = Conflict::SeriesExhausted { series: "North".to_owned(), last: 70_001 };
    assert_eq!(full.conflict(), Some(&told), "{full}");
    assert_eq!(dump(&host.store, &host.scene.tenant), before, "nothing of it is there");
    host.write(|ctx, txn| series::set_default(ctx, txn, standard));
    assert_eq!(customer(&host, "Fourth").number, 2, "the first series goes on");
    for number in ["70000", " 70000 "] {
        let found = host.read(|ctx, txn| accounts::by_number(ctx, txn, number));
        assert_eq!(found.id, north_1.id);
    }
    refused(host.try_read(|ctx, txn| accounts::by_number(ctx, txn, "70002")), ErrorKind::NotFound);
}

#[test]
fn s4_12_series_overview() {
    let host = Host::new();
    let names: Vec<_> = (1..=4).map(|n| format!("Customer {n}")).collect();
    for name in &names {
        customer(&host, name);
    }
    let yearly = SeriesFields::named("Yearly").prefix("K-{year}-").width(4).yearly();
    let yearly = added(&host, Series::Account, yearly);
    let seen = host.read(|ctx, txn| series::overview(ctx, txn, Series::Account, 3));
    let told: Vec<_> = seen.iter().map(|state| (state.series.id, state.next.clone().unwrap().text)).collect();
    assert_eq!(
        told,
        [(Series::Account.standard(), "5".to_owned()), (yearly.id, "K-2026-0001".to_owned())],
        "the default first"
    );
    let last: Vec<_> =
        seen[0].last.iter().map(|last| (last.text.as_str(), last.name.as_deref().unwrap())).collect();
    assert_eq!(last, [("4", "Customer 4"), ("3", "Customer 3"), ("2", "Customer 2")]);
    assert!(seen[0].last.iter().all(|last| last.record.is_some()));
    assert_eq!(seen[1].last, []);
    // Who may not see a customer learns of its number alone.
    let none = Role::new().grant(Permission::View, Visibility::Own);
    let policy = RoleTable::new().role("own", none).user(&"bob".parse().unwrap(), &["own"], None).unwrap();
    let ctx = host.scene.ctx_as("bob", &policy);
    let seen = host.store.read(ctx.tenant(), |txn| series::overview(&ctx, txn, Series::Account, 3)).unwrap();
    assert!(seen[0].last.iter().all(|last| last.record.is_none() && last.name.is_none()));
    let many = host.try_read(|ctx, txn| series::overview(ctx, txn, Series::Account, 1_001));
    assert_eq!(fields_of(&refused(many, ErrorKind::Invalid)), ["last"]);
}

#[test]
fn a_yearly_series_begins_anew_with_the_year_of_the_caller() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let fields = SeriesFields::named("Invoices").prefix("INV-{year}-").width(4).yearly().gapless();
    let invoices = added(&host, Series::Estimate, fields).id;
    let made: Vec<_> = (0..2).map(|_| offer(&host, &lead, invoices)).collect();
    assert_eq!(made, ["INV-2026-0001", "INV-2026-0002"]);
    // 2026-12-31T23:30:00Z, but for the seconds that passed.
    host.scene.clock.advance(TimeDelta::days(39) + TimeDelta::minutes(15 * 60 + 30));
    assert_eq!(offer(&host, &lead, invoices), "INV-2026-0003");
    let east = chrono::FixedOffset::east_opt(3_600).unwrap();
    let ctx = host.ctx().with_utc_offset(east);
    let ahead =
        host.store.read(ctx.tenant(), |txn| series::preview(&ctx, txn, Series::Estimate, Some(invoices)));
    assert_eq!(ahead.unwrap().text, "INV-2027-0001", "there it is 2027 already");
    host.scene.clock.advance(TimeDelta::minutes(31));
    assert_eq!(offer(&host, &lead, invoices), "INV-2027-0001");
    // One number, three records: each is found by what is written on it.
    let first = host.read(|ctx, txn| estimates::by_number(ctx, txn, "inv-2026-0001"));
    let again = host.read(|ctx, txn| estimates::by_number(ctx, txn, "INV-2027-1"));
    let plain = try_offer(&host, &lead, None).unwrap();
    assert_eq!((first.number, again.number, plain.number), (1, 1, 1));
    assert!(first.id != again.id && plain.serial.is_none());
    assert_eq!(host.read(|ctx, txn| estimates::by_number(ctx, txn, 1)).id, plain.id, "the standard one");
    assert_eq!(host.read(|ctx, txn| estimates::by_number(ctx, txn, "E-00001")).id, plain.id);
    let two = host.read(|ctx, txn| estimates::by_number(ctx, txn, 2));
    assert_eq!(two.serial.map(|serial| serial.text).as_deref(), Some("INV-2026-0002"), "the only one");
    try_offer(&host, &lead, Some(invoices)).unwrap();
    let several = host.try_read(|ctx, txn| estimates::by_number(ctx, txn, 2));
    assert_eq!(fields_of(&refused(several, ErrorKind::Invalid)), ["number"]);
    refused(host.try_read(|ctx, txn| estimates::by_number(ctx, txn, "INV-2025-0001")), ErrorKind::NotFound);
}

#[test]
fn an_edit_that_could_give_a_number_twice_is_refused_with_what_stands_against_it() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let a = added(&host, Series::Estimate, SeriesFields::named("A").prefix("A-").range(1, 99));
    let b = added(&host, Series::Estimate, SeriesFields::named("B").prefix("B-").range(1, 99));
    assert_eq!(offer(&host, &lead, a.id), "A-1");
    let edit =
        |id, fields: SeriesFields| host.try_write(|ctx, txn| series::edit(ctx, txn, id, ANY, fields.clone()));
    let error = refused(edit(b.id, b.fields.clone().prefix("a-")), ErrorKind::Conflict);
    assert_eq!(taken(&error), ("A-1", "A"), "both would write A-1");
    let renamed = edit(a.id, a.fields.clone().prefix("C-")).unwrap();
    assert_eq!(offer(&host, &lead, a.id), "C-2", "it goes on under its new prefix");
    assert_eq!(host.read(|ctx, txn| estimates::by_number(ctx, txn, "A-1")).number, 1, "what was given stays");
    let error = refused(edit(b.id, b.fields.clone().prefix("A-")), ErrorKind::Conflict);
    assert_eq!(taken(&error), ("A-1", "A"), "it was given, though nobody writes so any more");
    edit(b.id, b.fields.clone().prefix("A-").range(2, 99)).unwrap();
    assert_eq!(offer(&host, &lead, b.id), "A-2");
    let yearly = renamed.fields.clone().prefix("C-{year}-").yearly();
    assert_eq!(taken(&refused(edit(a.id, yearly), ErrorKind::Conflict)), ("C-2", "A"));
    // A first number ahead is where it goes on; one behind takes nothing back.
    edit(a.id, renamed.fields.clone().range(50, 99)).unwrap();
    assert_eq!(offer(&host, &lead, a.id), "C-50");
    edit(a.id, renamed.fields.clone().range(1, 99)).unwrap();
    assert_eq!(offer(&host, &lead, a.id), "C-51");
    let gapless = renamed.fields.clone().range(60, 99).gapless();
    assert_eq!(taken(&refused(edit(a.id, gapless), ErrorKind::Conflict)), ("C-51", "A"));
    let next = host.write(|ctx, txn| series::go_on_with(ctx, txn, a.id, ANY, 60));
    assert_eq!((next.text.as_str(), offer(&host, &lead, a.id)), ("C-60", "C-60".to_owned()));
    for (next, why) in [(60, "given"), (100, "beyond the range")] {
        let refusal = host.try_write(|ctx, txn| series::go_on_with(ctx, txn, a.id, ANY, next));
        assert_eq!(fields_of(&refused(refusal, ErrorKind::Invalid)), ["next"], "{why}");
    }
    let taken_name = edit(b.id, SeriesFields::named("a").prefix("X-"));
    assert!(refused(taken_name, ErrorKind::AlreadyExists).to_string().contains("`name`"));
    let stale = host.try_write(|ctx, txn| series::edit(ctx, txn, a.id, a.revision, a.fields.clone()));
    refused(stale, ErrorKind::Conflict);
}

#[test]
fn no_draft_of_a_gapless_series_is_removed_and_an_archived_one_gives_nothing() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let gapless = added(&host, Series::Estimate, SeriesFields::named("G").prefix("G-").gapless());
    let draft = try_offer(&host, &lead, Some(gapless.id)).unwrap();
    let error = host.try_write(|ctx, txn| estimates::delete(ctx, txn, draft.id, ANY));
    assert_eq!(taken(&refused(error, ErrorKind::Conflict)), ("G-1", "G"));
    let created = latest(&host, draft.id.into());
    let before = dump(&host.store, &host.scene.tenant);
    host.write(|ctx, txn| undo::undo(ctx, txn, created));
    assert_eq!(dump(&host.store, &host.scene.tenant), before, "its number would be missing");
    assert_eq!(host.read(|ctx, txn| estimates::get(ctx, txn, draft.id)).number, 1);
    let plain = try_offer(&host, &lead, None).unwrap();
    host.write(|ctx, txn| estimates::delete(ctx, txn, plain.id, ANY));

    host.write(|ctx, txn| series::archive(ctx, txn, gapless.id, ANY, true));
    let error = refused(try_offer(&host, &lead, Some(gapless.id)), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["series"]);
    let default = host.try_write(|ctx, txn| series::set_default(ctx, txn, gapless.id));
    assert_eq!(fields_of(&refused(default, ErrorKind::Invalid)), ["series"]);
    let standard = Series::Estimate.standard();
    let archived = host.try_write(|ctx, txn| series::archive(ctx, txn, standard, ANY, true));
    assert_eq!(fields_of(&refused(archived, ErrorKind::Invalid)), ["archived"]);
    for unknown in [Series::Account.standard(), NumberSeriesId::from_uuid(host.scene.uuid())] {
        assert_eq!(
            fields_of(&refused(try_offer(&host, &lead, Some(unknown)), ErrorKind::Invalid)),
            ["series"]
        );
    }
}

fn latest(host: &Host, of: leadcore::domain::Subject) -> OperationId {
    let found = host.read(|_, txn| txn.journal().about(&[of], Topics::NONE, None, 1));
    found[0].operation
}

#[test]
fn what_was_set_is_taken_back_by_an_undo() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let a = added(&host, Series::Estimate, SeriesFields::named("A").prefix("A-"));
    let edited = a.fields.clone().prefix("B-").width(3);
    host.write(|ctx, txn| series::edit(ctx, txn, a.id, a.revision, edited.clone()));
    host.write(|ctx, txn| undo::undo(ctx, txn, latest(&host, a.id.into())));
    assert_eq!(host.read(|ctx, txn| series::get(ctx, txn, a.id)).fields, a.fields);
    host.write(|ctx, txn| series::set_default(ctx, txn, a.id));
    assert!(try_offer(&host, &lead, None).unwrap().serial.is_some());
    host.write(|ctx, txn| undo::undo(ctx, txn, latest(&host, a.id.into())));
    assert!(try_offer(&host, &lead, None).unwrap().serial.is_none(), "the standard one again");
    let c = added(&host, Series::Estimate, SeriesFields::named("C").prefix("C-"));
    host.write(|ctx, txn| undo::undo(ctx, txn, latest(&host, c.id.into())));
    assert!(host.read(|ctx, txn| series::get(ctx, txn, c.id)).archived);
    let told: Vec<FieldChange> =
        host.read(|_, txn| txn.journal().about(&[c.id.into()], Topics::NONE, None, 1)).remove(0).changes;
    assert!(told.iter().any(|change| change.field == "archived"), "{told:?}");
}

#[test]
fn leads_have_ranges_on_one_line_of_numbers() {
    let host = Host::new();
    let first = host.add(company("First"));
    let field = SeriesFields::named("Field sales").range(1_000, 1_001);
    let error = host.try_write(|ctx, txn| series::add(ctx, txn, Series::Lead, field.clone()));
    assert_eq!(taken(&refused(error, ErrorKind::Conflict)).1, "Leads");
    let narrow = SeriesFields::named("Leads").prefix("L-").width(4).range(1, 999);
    host.write(|ctx, txn| series::edit(ctx, txn, Series::Lead.standard(), ANY, narrow.clone()));
    let prefixed = field.clone().prefix("F-");
    let error = host.try_write(|ctx, txn| series::add(ctx, txn, Series::Lead, prefixed.clone()));
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["prefix"]);
    let field = added(&host, Series::Lead, field);
    host.write(|ctx, txn| series::set_default(ctx, txn, field.id));
    let second = host.add(company("Second"));
    assert_eq!((first.number, second.number), (1, 1_000));
    assert_eq!(host.read(|ctx, txn| leads::by_number(ctx, txn, "L-1000")).id, second.id);
    let seen = host.read(|ctx, txn| series::overview(ctx, txn, Series::Lead, 9));
    let last: Vec<Vec<_>> =
        seen.iter().map(|state| state.last.iter().map(|last| last.text.clone()).collect()).collect();
    assert_eq!(last, [["L-1000"], ["L-0001"]]);
    assert_eq!(host.read(settings::numbering).1.format(1), "L-0001");
}

type Call = fn(&Context<'_>, &mut dyn Txn, &NumberSeries, &Lead) -> Result<()>;

const WRITES: [(&str, Call); 6] = [
    ("add", |ctx, txn, s, _| {
        series::add(ctx, txn, s.kind, SeriesFields::named("New").prefix("N-")).map(drop)
    }),
    ("edit", |ctx, txn, s, _| {
        series::edit(ctx, txn, s.id, ANY, SeriesFields::named("Else").prefix("Z-")).map(drop)
    }),
    ("archive", |ctx, txn, s, _| series::archive(ctx, txn, s.id, ANY, true).map(drop)),
    ("set_default", |ctx, txn, s, _| series::set_default(ctx, txn, s.id).map(drop)),
    ("go_on_with", |ctx, txn, s, _| series::go_on_with(ctx, txn, s.id, ANY, 7).map(drop)),
    ("create_in", |ctx, txn, s, lead| {
        let fields = EstimateFields::titled("A roof");
        estimates::create_in(ctx, txn, &[lead.id.into()], fields, Some(s.id)).map(drop)
    }),
];

#[test]
fn a_viewer_sets_no_series_and_another_tenant_finds_none() {
    let viewer = RoleTable::new().role("viewer", Role::viewer());
    let viewer = viewer.user(&"bob".parse().unwrap(), &["viewer"], None).unwrap();
    let reads: [(&str, Call); 6] = [
        ("get", |ctx, txn, s, _| series::get(ctx, txn, s.id).map(drop)),
        ("list", |ctx, txn, s, _| series::list(ctx, txn, s.kind).map(drop)),
        ("overview", |ctx, txn, s, _| series::overview(ctx, txn, s.kind, 3).map(drop)),
        ("preview", |ctx, txn, s, _| series::preview(ctx, txn, s.kind, Some(s.id)).map(drop)),
        ("writing", |ctx, txn, _, _| series::writing::<Lead>(ctx, txn).map(drop)),
        ("written, by_number", |ctx, txn, _, lead| {
            series::written(ctx, txn, lead)?;
            accounts::by_number(ctx, txn, 1).map(drop)
        }),
    ];
    let calls = WRITES.iter().map(|call| (call, true)).chain(reads.iter().map(|call| (call, false)));
    for ((name, call), writes) in calls {
        let host = Host::new();
        customer(&host, "Nordlys AS");
        let lead = host.add(company("Fjord AS"));
        let made = added(&host, Series::Estimate, SeriesFields::named("Mine").prefix("M-"));
        let before = dump(&host.store, &host.scene.tenant);
        let other = Scene::new("other");
        let ctx = Context::new(&other.tenant, other.actor.clone(), &other.clock, &host.scene.ids, &AllowAll);
        let elsewhere = host.store.write(&other.tenant, |txn| call(&ctx, txn, &made, &lead));
        assert_eq!(elsewhere.is_ok(), ["add", "list", "overview", "writing"].contains(name), "{name}");
        let mixed = host.store.write(&host.scene.tenant, |txn| call(&ctx, txn, &made, &lead));
        assert_eq!(fields_of(&refused(mixed, ErrorKind::Invalid)), ["tenant"], "{name}");
        let outcome = host.write_as("bob", &viewer, |ctx, txn| call(ctx, txn, &made, &lead));
        assert_eq!(outcome.is_ok(), !writes, "{name}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Denied, "{name}");
        }
        assert_eq!(dump(&host.store, &host.scene.tenant), before, "{name} leaves nothing");
        host.write(|ctx, txn| call(ctx, txn, &made, &lead));
        assert_eq!(dump(&host.store, &host.scene.tenant) != before, writes, "{name}");
    }
}

/// How many estimates each process makes.
const EACH: u64 = 60;

fn offers_of_a_process(database: &Path) {
    let store = SqliteStore::open(database).unwrap();
    let (clock, ids) = (SystemClock, RandomIds::new());
    let tenant = "acme".parse().unwrap();
    let ctx = Context::new(&tenant, Actor::System, &clock, &ids, &AllowAll);
    let (lead, of) = store
        .read(&tenant, |txn| {
            let lead = leads::by_number(&ctx, txn, 1)?;
            let all = series::list(&ctx, txn, Series::Estimate)?;
            Ok((lead.id, all.into_iter().find(|series| series.fields.gapless).map(|series| series.id)))
        })
        .unwrap();
    for n in 0..EACH {
        let make = |fails: bool| {
            store.write(&tenant, |txn| {
                let fields = EstimateFields::titled("A roof");
                estimates::create_in(&ctx, txn, &[lead.into()], fields, of)?;
                if fails { Err(Error::new(ErrorKind::Cancelled, "on purpose")) } else { Ok(()) }
            })
        };
        if n % 3 == 0 {
            assert!(make(true).is_err(), "a third of them are taken back first");
        }
        make(false).unwrap();
    }
}

/// The other process: this binary again, told by its environment where to write.
#[test]
fn other_process_of_numbers() {
    if let Some(database) = std::env::var_os(DATABASE) {
        offers_of_a_process(Path::new(&database));
    }
}

#[test]
fn two_processes_that_roll_back_leave_no_gap_and_no_number_twice() {
    let host = Host::new();
    host.add(company("Nordlys AS"));
    added(&host, Series::Estimate, SeriesFields::named("Gapless").prefix("G-").gapless());
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "number_series::other_process_of_numbers"])
            .env(DATABASE, host.file())
            .spawn()
            .unwrap()
    };
    for mut process in [start(), start()] {
        assert!(process.wait().unwrap().success());
    }
    let seen = host.read(|ctx, txn| series::overview(ctx, txn, Series::Estimate, 1_000));
    let gapless = seen.iter().find(|state| state.series.fields.gapless).unwrap();
    let mut numbers: Vec<_> = gapless.last.iter().map(|last| last.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=2 * EACH).collect::<Vec<_>>());
}
