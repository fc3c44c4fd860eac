//! X.09: what targets of the host wrote into records of the store goes back with the conversion, and what they write there on the way
//! back stands.

use std::fmt;

use leadcore::desk::convert::{
    self, ConversionOptions, ConversionOutcome, ConversionPlan, ConversionTarget, OpportunityRequest,
    Unconvertible,
};
use leadcore::desk::{Expect, accounts, activities, contacts, opportunities, services};
use leadcore::domain::{
    AccountFields, AccountPatch, ActivityBody, ActivityFields, ContactFields, Emails, Field, Lead, Line,
    OpportunityPatch, Participant, ServiceFields, Subject,
};
use leadcore::error::{Conflict, Error, ErrorKind, Result};
use leadcore::store::Txn;

use super::back::essence;
use super::fresh::*;
use crate::support::{Host, company, form, refused};

type Work<'w> = &'w dyn Fn(&mut dyn Txn, &ConversionOutcome) -> Result<()>;

/// A host that works with our own records.
struct Erp<'w> {
    create: Work<'w>,
    withdraw: Work<'w>,
}

impl fmt::Debug for Erp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Erp")
    }
}

impl ConversionTarget for Erp<'_> {
    fn name(&self) -> &str {
        "erp"
    }

    fn create(
        &self,
        txn: &mut dyn Txn,
        made: &ConversionOutcome,
        _: &ConversionPlan,
    ) -> Result<Option<String>> {
        (self.create)(txn, made)?;
        Ok(Some("C-1".to_owned()))
    }

    fn withdraw(&self, txn: &mut dyn Txn, made: &ConversionOutcome, _: &str) -> Result<()> {
        (self.withdraw)(txn, made)
    }
}

fn nothing(_: &mut dyn Txn, _: &ConversionOutcome) -> Result<()> {
    Ok(())
}

fn with(host: &Host, lead: &Lead, options: &ConversionOptions, target: &Erp<'_>) -> ConversionOutcome {
    host.scene.tick();
    host.write(|ctx, txn| convert::convert_with(ctx, txn, lead.id, options, &[target]))
}

fn back(host: &Host, lead: &Lead, target: &Erp<'_>) -> Result<convert::UnconvertOutcome> {
    host.scene.tick();
    host.try_write(|ctx, txn| convert::unconvert_with(ctx, txn, lead.id, &[target]))
}

/// Everything but what stands against it because the target is not handed over.
fn against(host: &Host, lead: &Lead) -> Vec<Unconvertible> {
    let is_target = |one: &Unconvertible| matches!(one, Unconvertible::Target { .. });
    blockers(host, lead).into_iter().filter(|one| !is_target(one)).collect()
}

#[test]
fn what_a_target_hung_on_a_known_account_goes_with_the_conversion() {
    let host = Host::new();
    let known = account(&host, &named("Nordlys"));
    let lead = host.add(company("Nordlys"));
    let before = essence(&host.store, &host.scene);
    let ctx = host.ctx();
    let hang = |txn: &mut dyn Txn, made: &ConversionOutcome| {
        let account = made.account.unwrap();
        activities::add(&ctx, txn, &[account.into()], ActivityFields::note("Client opened"))?;
        let person = contacts::add(&ctx, txn, account, ContactFields::named("Erp Contact")?, false)?;
        activities::add(&ctx, txn, &[person.id.into()], ActivityFields::note("Met"))?;
        let hosting = ServiceFields::from(Line::new("Hosting", 1.into(), 49.into()));
        services::create(&ctx, txn, account, vec![hosting.into()]).map(drop)
    };
    let target = Erp { create: &hang, withdraw: &nothing };
    for into in [options().into_account(known.id), options()] {
        with(&host, &lead, &into, &target);
        assert_ne!(essence(&host.store, &host.scene), before);
        assert_eq!(against(&host, &lead), []);
        let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
        let done = back(&host, &lead, &target).unwrap();
        assert_eq!(done.records, plan.records);
        assert_eq!(essence(&host.store, &host.scene), before);
    }
}

#[test]
fn what_somebody_built_on_what_a_target_hung_stands_against_the_way_back() {
    let host = Host::new();
    let known = account(&host, &named("Nordlys"));
    let lead = host.add(company("Nordlys"));
    let ctx = host.ctx();
    let hang = |txn: &mut dyn Txn, made: &ConversionOutcome| {
        let account = made.account.unwrap();
        activities::add(&ctx, txn, &[account.into()], ActivityFields::task("Open the client"))?;
        contacts::add(&ctx, txn, account, ContactFields::named("Erp Contact")?, false).map(drop)
    };
    let target = Erp { create: &hang, withdraw: &nothing };
    with(&host, &lead, &options().into_account(known.id), &target);
    let task = host.read(|ctx, txn| {
        let of =
            activities::of(ctx, txn, known.id, leadcore::domain::ActivityKind::ALL, &Default::default())?;
        Ok(of.items[0].id)
    });
    let person = host.read(|ctx, txn| contacts::of_account(ctx, txn, known.id))[0].contact.id;
    as_bob(&host, |ctx, txn| activities::complete(ctx, txn, task, Expect::Any));
    as_bob(&host, |ctx, txn| activities::add(ctx, txn, &[person.into()], ActivityFields::note("Called")));
    let against = against(&host, &lead);
    let names = |record: Subject| against.iter().any(|one| one.record() == Some(record));
    assert!(names(task.into()) && names(person.into()), "{against:?}");
    let error = refused(back(&host, &lead, &target), ErrorKind::Conflict);
    assert!(matches!(error.conflict(), Some(Conflict::Blocked { .. })), "{error}");
}

#[test]
fn a_target_writes_into_our_records_on_the_way_back() {
    let host = Host::new();
    let known =
        account(&host, &AccountFields { emails: Emails::parse("post@x.example").unwrap(), ..named("X") });
    let kim = person(&host, known.id, "Kim", "kim@x.example");
    let lead = host.add(form(&[
        (Field::Company, "X"),
        (Field::Name, "Kim"),
        (Field::Email, "kim@x.example, post@x.example (opted_out)"),
        (Field::City, "Bodø"),
        (Field::Phone, "+47 22 12 34 56"),
    ]));
    let ctx = host.ctx();
    let (write, gone) =
        (AccountPatch::new().set(Field::Industry, "Energy"), AccountPatch::new().set(Field::Industry, ""));
    let create = |txn: &mut dyn Txn, made: &ConversionOutcome| {
        accounts::edit(&ctx, txn, made.account.unwrap(), Expect::Any, &write).map(drop)
    };
    let withdraw = |txn: &mut dyn Txn, made: &ConversionOutcome| {
        let id = made.account.unwrap();
        accounts::edit(&ctx, txn, id, Expect::Any, &gone)?;
        let patch = OpportunityPatch::new().probability(Some(10));
        opportunities::edit(&ctx, txn, made.opportunity.unwrap(), Expect::Any, &patch)?;
        let person = txn.contacts().get(&made.contacts)?.remove(0);
        let fields = ContactFields { role: None, job_title: Some("Withdrawn".to_owned()), ..person.fields };
        contacts::edit(&ctx, txn, id, person.id, Expect::Any, fields).map(drop)
    };
    let target = Erp { create: &create, withdraw: &withdraw };
    let wanted = options().with_opportunity(OpportunityRequest::new());
    let before = essence(&host.store, &host.scene);
    // A new account and a new person; then those that are there.
    with(&host, &lead, &wanted, &target);
    back(&host, &lead, &target).unwrap();
    assert_eq!(essence(&host.store, &host.scene), before);
    with(
        &host,
        &lead,
        &wanted.into_account(known.id).person(convert::PersonChoice::Existing(kim.id)),
        &target,
    );
    assert_eq!(against(&host, &lead), []);
    back(&host, &lead, &target).unwrap();
    let now = host.read(|ctx, txn| accounts::get(ctx, txn, known.id));
    assert_eq!(now.fields, known.fields, "neither what the conversion wrote nor what the target did");
    let now = host.read(|_, txn| txn.contacts().get(&[kim.id])).remove(0);
    let withdrawn = ContactFields { job_title: Some("Withdrawn".to_owned()), ..kim.fields.clone() };
    assert_eq!(now.fields, withdrawn, "what a target writes on the way back stands");
    // It removes what the conversion made, and fails: nothing is written.
    let fails = |_: &mut dyn Txn, _: &ConversionOutcome| Err(Error::new(ErrorKind::Unavailable, "closed"));
    let late = Erp { create: &nothing, withdraw: &fails };
    with(&host, &lead, &options(), &late);
    refused(back(&host, &lead, &late), ErrorKind::Unavailable);
    let removes = |txn: &mut dyn Txn, made: &ConversionOutcome| {
        contacts::remove(&ctx, txn, made.account.unwrap(), made.contacts[0]).map(drop)
    };
    back(&host, &lead, &Erp { create: &nothing, withdraw: &removes }).unwrap();
}

/// The persons of an account with who is the primary one.
fn persons(host: &Host, account: leadcore::id::AccountId) -> Vec<(String, bool)> {
    let of = host.read(|ctx, txn| contacts::of_account(ctx, txn, account));
    let shown =
        |one: &contacts::LinkedContact| one.contact.fields.display_name().unwrap_or_default().to_owned();
    of.iter().map(|one| (shown(one), one.is_primary)).collect()
}

/// An account with Kim, who is the primary contact, and Liv; and a lead that is to join it, with a person of its own.
fn with_kim(host: &Host) -> (leadcore::domain::Account, Lead) {
    let known = account(host, &named("X"));
    for (name, primary) in [("Kim", true), ("Liv", false)] {
        let fields = ContactFields::named(name).unwrap();
        host.write(|ctx, txn| contacts::add(ctx, txn, known.id, fields.clone(), primary));
    }
    (known, host.add(form(&[(Field::Company, "X"), (Field::Name, "Anna Berg")])))
}

#[test]
fn a_primary_contact_that_a_target_replaced_comes_back() {
    let host = Host::new();
    let (known, lead) = with_kim(&host);
    let liv = host.read(|ctx, txn| contacts::of_account(ctx, txn, known.id))[1].contact.id;
    let ctx = host.ctx();
    let new = |txn: &mut dyn Txn, made: &ConversionOutcome| {
        contacts::add(&ctx, txn, made.account.unwrap(), ContactFields::named("Erp Contact")?, true).map(drop)
    };
    let of_lead = |txn: &mut dyn Txn, made: &ConversionOutcome| {
        contacts::make_primary(&ctx, txn, made.account.unwrap(), made.contacts[0])
    };
    let known_one = |txn: &mut dyn Txn, made: &ConversionOutcome| {
        contacts::make_primary(&ctx, txn, made.account.unwrap(), liv)
    };
    let twice = |txn: &mut dyn Txn, made: &ConversionOutcome| {
        known_one(txn, made)?;
        new(txn, made)
    };
    let before = essence(&host.store, &host.scene);
    let all: [(&str, Work<'_>); 4] =
        [("Erp Contact", &new), ("Anna Berg", &of_lead), ("Liv", &known_one), ("Erp Contact", &twice)];
    for (name, create) in all {
        let target = Erp { create, withdraw: &nothing };
        with(&host, &lead, &options().into_account(known.id), &target);
        assert_eq!(persons(&host, known.id)[0], (name.to_owned(), true));
        assert_eq!(against(&host, &lead), [], "{name}");
        let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
        let restored = convert::Fate::Restored(vec!["primary_contact".to_owned()]);
        let of_account = plan.records.iter().find(|one| one.record == known.id.into());
        assert_eq!(of_account.map(|one| &one.fate), Some(&restored));
        assert_eq!(back(&host, &lead, &target).unwrap().records, plan.records);
        assert_eq!(persons(&host, known.id), [("Kim".to_owned(), true), ("Liv".to_owned(), false)]);
        assert_eq!(essence(&host.store, &host.scene), before, "{name}");
    }
    // A new account goes with its persons, whoever of them a target preferred.
    let target = Erp { create: &new, withdraw: &nothing };
    with(&host, &lead, &options(), &target);
    assert_eq!(against(&host, &lead), []);
    back(&host, &lead, &target).unwrap();
    assert_eq!(essence(&host.store, &host.scene), before);
}

#[test]
fn a_primary_contact_that_somebody_chose_since_stays() {
    let host = Host::new();
    let (known, lead) = with_kim(&host);
    let ctx = host.ctx();
    let persons_of = |txn: &mut dyn Txn| contacts::of_account(&ctx, txn, known.id);
    let called = |name: &'static str| {
        move |one: &contacts::LinkedContact| one.contact.fields.display_name() == Some(name)
    };
    let prefer = |txn: &mut dyn Txn, name: &'static str| {
        let id = persons_of(txn)?.into_iter().find(called(name)).unwrap().contact.id;
        contacts::make_primary(&ctx, txn, known.id, id)
    };
    let create = |txn: &mut dyn Txn, _: &ConversionOutcome| {
        contacts::add(&ctx, txn, known.id, ContactFields::named("Erp Contact")?, true).map(drop)
    };
    let itself = |txn: &mut dyn Txn, _: &ConversionOutcome| prefer(txn, "Kim");
    let other = |txn: &mut dyn Txn, _: &ConversionOutcome| prefer(txn, "Liv");
    let withdraws: [(Work<'_>, &str); 3] = [(&nothing, "Kim"), (&itself, "Kim"), (&other, "Liv")];
    for (withdraw, primary) in withdraws {
        let target = Erp { create: &create, withdraw };
        with(&host, &lead, &options().into_account(known.id), &target);
        back(&host, &lead, &target).unwrap();
        assert_eq!(persons(&host, known.id)[0], (primary.to_owned(), true));
        assert_eq!(persons(&host, known.id).len(), 2);
    }
    // By hand, since.
    host.write(|_, txn| prefer(txn, "Kim"));
    let target = Erp { create: &create, withdraw: &nothing };
    with(&host, &lead, &options().into_account(known.id), &target);
    as_bob(&host, |_, txn| prefer(txn, "Liv"));
    back(&host, &lead, &target).unwrap();
    assert_eq!(persons(&host, known.id), [("Liv".to_owned(), true), ("Kim".to_owned(), false)]);
}

#[test]
fn a_primary_contact_comes_back_when_nobody_is_it_any_more() {
    let host = Host::new();
    let (known, lead) = with_kim(&host);
    let ctx = host.ctx();
    let of_lead = |txn: &mut dyn Txn, made: &ConversionOutcome| {
        contacts::make_primary(&ctx, txn, made.account.unwrap(), made.contacts[0])
    };
    let add = |txn: &mut dyn Txn, made: &ConversionOutcome| {
        contacts::add(&ctx, txn, made.account.unwrap(), ContactFields::named("Erp Contact")?, false).map(drop)
    };
    let before = essence(&host.store, &host.scene);
    // Whom the target preferred was taken out since.
    let target = Erp { create: &of_lead, withdraw: &nothing };
    let anna = with(&host, &lead, &options().into_account(known.id), &target).contacts[0];
    host.write(|ctx, txn| contacts::remove(ctx, txn, known.id, anna));
    assert_eq!(against(&host, &lead), []);
    back(&host, &lead, &target).unwrap();
    assert_eq!(essence(&host.store, &host.scene), before);
    // Whom the target added was preferred since.
    let target = Erp { create: &add, withdraw: &nothing };
    with(&host, &lead, &options().into_account(known.id), &target);
    let of = host.read(|ctx, txn| contacts::of_account(ctx, txn, known.id));
    let new = of.iter().find(|one| one.contact.fields.display_name() == Some("Erp Contact")).unwrap();
    host.write(|ctx, txn| contacts::make_primary(ctx, txn, known.id, new.contact.id));
    assert_eq!(against(&host, &lead), []);
    back(&host, &lead, &target).unwrap();
    assert_eq!(essence(&host.store, &host.scene), before);
    // Whom the target replaced was brought by the conversion, and goes.
    let alone = account(&host, &named("Alone"));
    let of_erp = |txn: &mut dyn Txn, made: &ConversionOutcome| {
        contacts::add(&ctx, txn, made.account.unwrap(), ContactFields::named("Erp Contact")?, true).map(drop)
    };
    let target = Erp { create: &of_erp, withdraw: &nothing };
    with(&host, &lead, &options().into_account(alone.id), &target);
    let erp = host.read(|ctx, txn| contacts::of_account(ctx, txn, alone.id))[0].contact.id;
    host.write(|ctx, txn| contacts::remove(ctx, txn, alone.id, erp));
    assert_eq!(against(&host, &lead), []);
    back(&host, &lead, &target).unwrap();
    assert_eq!(persons(&host, alone.id), []);
}

#[test]
fn whom_a_target_made_stays_in_own_meetings_by_name() {
    let host = Host::new();
    let known = account(&host, &named("Nordlys"));
    let lead = host.add(company("Nordlys"));
    let ctx = host.ctx();
    let hang = |txn: &mut dyn Txn, made: &ConversionOutcome| {
        let fields = ContactFields::named("Erp Contact")?;
        contacts::add(&ctx, txn, made.account.unwrap(), fields, false).map(drop)
    };
    let target = Erp { create: &hang, withdraw: &nothing };
    with(&host, &lead, &options().into_account(known.id), &target);
    let person = host.read(|ctx, txn| contacts::of_account(ctx, txn, known.id))[0].contact.id;
    let at: leadcore::time::Timestamp = "2026-12-01T09:00:00Z".parse().unwrap();
    let visit = ActivityFields::meeting("Visit", at, at).with(Participant::Record(person.into()));
    host.scene.tick();
    let visit = host.write(|ctx, txn| activities::add(ctx, txn, &[known.id.into()], visit.clone()));
    assert_eq!(against(&host, &lead), []);
    back(&host, &lead, &target).unwrap();
    assert_eq!(host.read(|_, txn| txn.contacts().get(&[person])), []);
    let now = host.read(|_, txn| txn.activities().get(&[visit.id])).remove(0);
    let ActivityBody::Meeting(meeting) = &now.fields.body else { panic!("{now:?}") };
    assert_eq!(meeting.participants, [Participant::Other("Erp Contact".to_owned())]);
}
