//! X.09: the way back restores the lead and every association, or says what stands against it.

use leadcore::desk::convert::{self, ConversionOptions, Fate, UnconvertPlan, Unconvertible};
use leadcore::desk::functions::Functions;
use leadcore::desk::{Expect, accounts, activities, contacts, leads, participants, settings, timeline};
use leadcore::domain::{
    AccountPatch, Action, ActivityFields, AddressMark, Field, Lead, LeadPatch, LeadState, OperationKind,
    ReachChannel, Subject, Topics,
};
use leadcore::error::{Conflict, Error, ErrorKind, Result};
use leadcore::policy::{AllowAll, Permission, Role, RoleTable, Visibility};
use leadcore::query::Filter;
use leadcore::store::Store;
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::Scene;
use serde_json::Value;

use super::fresh::as_bob;
use super::{converted, nordlys, worked};
use crate::support::{Host, company, refused};

/// The dump without what tells that time went by: the journal, revisions, times of writing, numbers that were taken,
/// accounts that were archived.
pub(crate) fn essence(store: &dyn Store, scene: &Scene) -> Vec<String> {
    let text = dump(store, &scene.tenant);
    let lines = text.lines().filter_map(|line| {
        let (what, json) = line.split_once(" {").map_or((line, None), |(what, json)| (what, Some(json)));
        if ["operation ", "entry ", "next number "].iter().any(|skip| line.starts_with(skip)) {
            return None;
        }
        let Some(json) = json.filter(|_| ["lead", "account", "contact", "opportunity"].contains(&what))
        else {
            return Some(line.to_owned());
        };
        let mut value: Value = serde_json::from_str(&format!("{{{json}")).unwrap();
        let record = value.as_object_mut().unwrap();
        if record.get("archived").is_some_and(|archived| !archived.is_null()) {
            return None;
        }
        record.remove("revision");
        record.remove("updated_at");
        Some(format!("{what} {value}"))
    });
    lines.collect()
}

fn plan(host: &Host, lead: &Lead) -> UnconvertPlan {
    host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id))
}

/// What stands against it, after which nothing is written.
fn blocked(host: &Host, lead: &Lead) -> Vec<Unconvertible> {
    let before = dump(&host.store, &host.scene.tenant);
    let plan = plan(host, lead);
    let by = u64::try_from(plan.blockers.len()).unwrap();
    for refusal in [
        host.try_write(|ctx, txn| convert::unconvert(ctx, txn, lead.id)),
        host.try_write(|ctx, txn| convert::apply_unconvert(ctx, txn, &plan)),
    ] {
        let error = refused(refusal, ErrorKind::Conflict);
        assert_eq!(error.conflict(), Some(&Conflict::Blocked { by }));
    }
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
    plan.blockers
}

#[test]
fn x_09_a_wrong_conversion_is_taken_back() {
    let mut host = Host::new();
    let lead = worked(&host);
    let done = converted(&host, &lead);
    let plan = plan(&host, &lead);
    assert_eq!(plan.blockers, []);
    let fate =
        |record: Subject| plan.records.iter().find(|taken| taken.record == record).map(|taken| &taken.fate);
    assert_eq!(fate(done.account.unwrap().into()), Some(&Fate::Archived));
    let persons: Vec<_> = done.contacts.iter().map(|id| fate((*id).into()).unwrap()).collect();
    assert_eq!(persons, [&Fate::Unlinked, &Fate::Unlinked, &Fate::Removed], "the lead's own person was new");
    let json = serde_json::to_string(&plan).unwrap();
    let stored: UnconvertPlan = serde_json::from_str(&json).unwrap();
    host.scene.tick();
    let back = host.write(|ctx, txn| convert::apply_unconvert(ctx, txn, &stored));
    host.restart();
    let now = host.get(&lead);
    assert_eq!((now.state(), now.stage, &now.fields), (LeadState::Open, lead.stage, &lead.fields));
    assert_eq!(host.count(&Filter::eq(Field::State, "converted")), 0, "the statistics are right");
    assert_eq!(host.count(&Filter::eq(Field::State, "open")), 1);
    // The account is in no list, but still there with its number.
    assert_eq!(host.read(|ctx, txn| accounts::list(ctx, txn, None, 10)).items, []);
    let found = host.read(|ctx, txn| participants::search(ctx, txn, "nordlys", &Default::default()));
    assert!(found.items.is_empty(), "nobody to be invited: {:?}", found.items);
    let archived = host.read(|ctx, txn| accounts::get(ctx, txn, done.account.unwrap()));
    assert_eq!(archived.archived.as_ref().map(|trashed| trashed.operation), Some(back.operation));
    let patch = AccountPatch::new().set(Field::City, "Oslo");
    let edit =
        host.try_write(|ctx, txn| accounts::edit(ctx, txn, done.account.unwrap(), Expect::Any, &patch));
    refused(edit, ErrorKind::NotFound);
    let note = ActivityFields::note("Late");
    let add =
        host.try_write(|ctx, txn| activities::add(ctx, txn, &[done.account.unwrap().into()], note.clone()));
    refused(add, ErrorKind::Denied);
    let into = ConversionOptions::default().into_account(done.account.unwrap());
    refused(host.try_read(|ctx, txn| convert::plan(ctx, txn, lead.id, &into)), ErrorKind::NotFound);
    // Journaled, and told once.
    let told = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 1)).items.remove(0);
    assert_eq!((told.text.as_str(), told.entry.operation), ("Conversion taken back", back.operation));
    let again = host.write(|ctx, txn| convert::apply_unconvert(ctx, txn, &stored));
    assert_eq!((again.newly_unconverted, again.operation), (false, back.operation));
    refused(host.try_write(|ctx, txn| convert::unconvert(ctx, txn, lead.id)), ErrorKind::Invalid);
    let undo = host.try_write(|ctx, txn| leadcore::desk::undo::undo(ctx, txn, back.operation));
    refused(undo, ErrorKind::Unsupported);
    // And converted again it is another customer.
    let next = converted(&host, &lead);
    assert!(next.newly_converted);
    assert_eq!((next.account.unwrap() == done.account.unwrap(), next.account_number), (false, 2));
}

#[test]
fn x_09_what_others_did_stands_against_it() {
    let host = Host::new();
    let lead = worked(&host);
    let done = converted(&host, &lead);
    let account = Subject::from(done.account.unwrap());
    let patch = AccountPatch::new().set(Field::City, "Oslo");
    // Its own edit takes nothing from anybody.
    host.write(|ctx, txn| accounts::edit(ctx, txn, done.account.unwrap(), Expect::Any, &patch));
    assert_eq!(plan(&host, &lead).blockers, []);
    let patch = AccountPatch::new().set(Field::City, "Bergen");
    host.write_as("bob", &AllowAll, |ctx, txn| {
        accounts::edit(ctx, txn, done.account.unwrap(), Expect::Any, &patch)
    })
    .unwrap();
    let note = ActivityFields::note("As a customer");
    let note = as_bob(&host, |ctx, txn| activities::add(ctx, txn, &[account], note.clone()));
    let other = host.add(company("Fjord AS"));
    let into = ConversionOptions::default().into_account(done.account.unwrap());
    host.write(|ctx, txn| convert::convert(ctx, txn, other.id, &into));
    // An opt-out goes with no record: what one noted oneself goes on to the lead.
    let person = *done.contacts.last().unwrap();
    let mark = AddressMark::opt_out(ReachChannel::Email, "kari@nordlys.example");
    host.write(|ctx, txn| contacts::mark(ctx, txn, person, Expect::Any, &mark));
    let bob = leadcore::domain::Actor::User("bob".parse().unwrap());
    assert_eq!(
        blocked(&host, &lead),
        [
            Unconvertible::Changed { record: account, by: vec![bob] },
            Unconvertible::HasChildren { record: account, tabs: vec![("note".to_owned(), 1)] },
            Unconvertible::OtherLeads { record: account, leads: vec![other.id], unseen: 0 },
        ]
    );
    // The other lead filled nothing that anybody changed: it goes back, and takes its blocker along.
    host.write(|ctx, txn| convert::unconvert(ctx, txn, other.id));
    host.write(|ctx, txn| activities::delete(ctx, txn, note.id, Expect::Any));
    assert_eq!(blocked(&host, &lead).len(), 1);
}

#[test]
fn x_09_an_existing_account_gets_back_what_it_had() {
    let host = Host::new();
    let first = host.add(company("Nordlys AS"));
    let made = converted(&host, &first);
    let before = host.read(|ctx, txn| accounts::get(ctx, txn, made.account.unwrap()));
    let lead = host.add(nordlys());
    let into = ConversionOptions::default().into_account(made.account.unwrap());
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &into));
    let patch = AccountPatch::new().set(Field::City, "Bodø");
    host.write_as("bob", &AllowAll, |ctx, txn| {
        accounts::edit(ctx, txn, made.account.unwrap(), Expect::Any, &patch)
    })
    .unwrap();
    let edited =
        Unconvertible::Edited { record: made.account.unwrap().into(), fields: vec!["city".to_owned()] };
    assert_eq!(blocked(&host, &lead), [edited]);
    let patch = AccountPatch::new().set(Field::City, "Tromsø");
    host.write(|ctx, txn| accounts::edit(ctx, txn, made.account.unwrap(), Expect::Any, &patch));
    let back = host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    let fate = &back.records.iter().find(|taken| taken.record == made.account.unwrap().into()).unwrap().fate;
    assert!(matches!(fate, Fate::Restored(fields) if fields.contains(&"city".to_owned())), "{fate:?}");
    let now = host.read(|ctx, txn| accounts::get(ctx, txn, made.account.unwrap()));
    assert_eq!(now.fields, before.fields);
    assert_eq!(host.read(|ctx, txn| accounts::origins(ctx, txn, made.account.unwrap())), [first.id]);
    assert_eq!(host.read(|ctx, txn| contacts::of_account(ctx, txn, made.account.unwrap())), []);
}

#[test]
fn x_09_only_who_may_convert_and_where_it_is_open() {
    let host = Host::new();
    let lead = worked(&host);
    converted(&host, &lead);
    let sales = RoleTable::new()
        .role(
            "sales",
            Role::salesperson()
                .grant(Permission::View, Visibility::All)
                .grant(Permission::Convert, Visibility::Own),
        )
        .user(&"eve".parse().unwrap(), &["sales"], None)
        .unwrap();
    let denied = host.write_as("eve", &sales, |ctx, txn| convert::unconvert(ctx, txn, lead.id));
    refused(denied, ErrorKind::Denied);
    let functions = Functions::new().open_for("unconvert", Filter::nothing());
    host.write(|ctx, txn| settings::set_functions(ctx, txn, None, &functions));
    let closed =
        refused(host.try_write(|ctx, txn| convert::unconvert(ctx, txn, lead.id)), ErrorKind::Conflict);
    assert_eq!(closed.conflict(), Some(&Conflict::Closed { function: "unconvert".to_owned() }));
}

#[test]
fn x_09_a_full_stage_takes_no_lead_back() {
    let host = Host::new();
    let lead = worked(&host);
    converted(&host, &lead);
    let mut pipeline = host.read(|_, txn| txn.pipelines().list()).remove(0);
    pipeline.stages.iter_mut().find(|stage| stage.id == lead.stage).unwrap().wip_limit = Some(1);
    host.write(|ctx, txn| leadcore::desk::pipelines::update(ctx, txn, pipeline.clone()));
    let next = host.add(company("Fjord AS"));
    assert!(matches!(&blocked(&host, &lead)[..], [Unconvertible::Stage { unmet }] if unmet.len() == 1));
    host.write(|ctx, txn| leads::delete(ctx, txn, next.id, Expect::Any));
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
}

#[test]
fn x_09_a_plan_that_is_out_of_date_is_refused() {
    let host = Host::new();
    let lead = worked(&host);
    let done = converted(&host, &lead);
    let old = plan(&host, &lead);
    host.write(|ctx, txn| {
        activities::add(ctx, txn, &[done.account.unwrap().into()], ActivityFields::note("New"))
    });
    let error =
        refused(host.try_write(|ctx, txn| convert::apply_unconvert(ctx, txn, &old)), ErrorKind::Conflict);
    assert_eq!(error.conflict(), Some(&Conflict::PlanOutdated));
    // An error inside the work leaves nothing.
    let (lead, before) = (host.add(nordlys()), dump(&host.store, &host.scene.tenant));
    let failed: Result<()> = host.try_write(|ctx, txn| {
        convert::convert(ctx, txn, lead.id, &ConversionOptions::default())?;
        convert::unconvert(ctx, txn, lead.id)?;
        Err(Error::not_found("nothing"))
    });
    refused(failed, ErrorKind::NotFound);
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
    let kinds: Vec<_> = host
        .read(|_, txn| txn.journal().about(&[lead.id.into()], Topics::NONE, None, 10))
        .into_iter()
        .map(|entry| (entry.operation_kind, entry.action))
        .collect();
    assert_eq!(kinds, [(OperationKind::Create, Action::Created)]);
    host.write(|ctx, txn| {
        leads::edit(ctx, txn, lead.id, Expect::Any, &LeadPatch::new().set(Field::City, "Oslo"))
    });
}
