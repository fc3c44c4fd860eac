//! X.09: what the user who takes a conversion back changed since stands against nothing, and what was there before keeps it.

use leadcore::desk::convert::{
    self, Fate, OpportunityChoice, OpportunityRequest, PersonChoice, TakenBack, Unconvertible,
};
use leadcore::desk::{Expect, accounts, contacts, conversion_mapping, opportunities, services};
use leadcore::domain::conversion_mapping::FillPolicy;
use leadcore::domain::{
    AccountFields, AccountPatch, AddressMark, ContactFields, Emails, Field, Lead, Line, OpportunityFields,
    OpportunityPatch, ReachChannel, Subject,
};
use leadcore::id::AccountId;
use leadcore::policy::AllowAll;
use leadcore::value::Currency;

use super::fresh::*;
use crate::support::{Host, form};

/// A lead that fills most of an account.
fn full(host: &Host) -> Lead {
    host.add(form(&[
        (Field::Company, "Nordlys"),
        (Field::Name, "Kim Berg"),
        (Field::Email, "kim@nordlys.example"),
        (Field::City, "Bodø"),
        (Field::Industry, "Energy"),
        (Field::Description, "Met at the fair"),
        (Field::Amount, "500"),
        (Field::Currency, "EUR"),
    ]))
}

fn edit(host: &Host, account: AccountId, field: Field, value: &str) {
    host.scene.tick();
    let patch = AccountPatch::new().set(field, value);
    host.write(|ctx, txn| accounts::edit(ctx, txn, account, Expect::Any, &patch));
}

/// Takes it back, after a plan that says the same, and tells what became of this record.
pub(super) fn back(host: &Host, lead: &Lead, record: impl Into<Subject>) -> TakenBack {
    let record = record.into();
    let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
    assert_eq!(plan.blockers, []);
    let json = serde_json::to_string(&plan).unwrap();
    host.scene.tick();
    let plan = serde_json::from_str(&json).unwrap();
    let done = host.write(|ctx, txn| convert::apply_unconvert(ctx, txn, &plan));
    assert_eq!(done.records, plan.records);
    assert!(host.get(lead).conversion.is_none());
    done.records.into_iter().find(|taken| taken.record == record).unwrap()
}

fn now(host: &Host, account: AccountId) -> AccountFields {
    host.read(|ctx, txn| accounts::get(ctx, txn, account)).fields
}

#[test]
fn x_09_own_edits_of_a_new_account_go_with_it() {
    let host = Host::new();
    let lead = full(&host);
    let made = into(&host, &lead, &options()).account.unwrap();
    edit(&host, made, Field::City, "Oslo");
    let taken = back(&host, &lead, made);
    assert_eq!((taken.fate, taken.edited, taken.kept), (Fate::Archived, vec!["city".to_owned()], vec![]));
}

#[test]
fn x_09_a_filled_field_that_one_edited_oneself_stays_and_the_others_go_back() {
    let host = Host::new();
    let known = account(&host, &AccountFields { industry: Some("Wind".to_owned()), ..named("Nordlys") });
    let lead = full(&host);
    into(&host, &lead, &options().into_account(known.id));
    assert_eq!(now(&host, known.id).address.city(), Some("Bodø"));
    edit(&host, known.id, Field::City, "Oslo");
    let taken = back(&host, &lead, known.id);
    assert_eq!(taken.kept, ["city"]);
    assert!(
        matches!(&taken.fate, Fate::Restored(fields) if !fields.contains(&"city".to_owned())),
        "{taken:?}"
    );
    let mut expected = known.fields.clone();
    expected.address = now(&host, known.id).address;
    assert_eq!(expected.address.city(), Some("Oslo"));
    assert_eq!(now(&host, known.id), expected, "nothing else of the lead is left");
}

#[test]
fn x_09_overwritten_and_appended_fields_that_one_edited_oneself_stay() {
    for policy in [FillPolicy::Overwrite, FillPolicy::Append] {
        let host = Host::new();
        let (revision, mut mapping) = host.read(|ctx, txn| conversion_mapping::get(ctx, txn));
        mapping.rules.retain(|rule| rule.to.to_string() != "account.description");
        let mapping = mapping.with(Field::Description, "account.description", policy).unwrap();
        host.write(|ctx, txn| conversion_mapping::set(ctx, txn, revision, &mapping));
        let described = |text: &str| AccountFields { description: Some(text.to_owned()), ..named("Nordlys") };
        let known = account(&host, &described("An old customer"));
        let lead = full(&host);
        into(&host, &lead, &options().into_account(known.id));
        assert_ne!(now(&host, known.id).description, known.fields.description, "{policy:?}");
        edit(&host, known.id, Field::Description, "An old customer who wants more");
        assert_eq!(back(&host, &lead, known.id).kept, ["description"], "{policy:?}");
        let expected = AccountFields {
            description: Some("An old customer who wants more".to_owned()),
            ..known.fields.clone()
        };
        assert_eq!(now(&host, known.id), expected, "{policy:?}");
    }
}

#[test]
fn x_09_what_others_edited_stands_against_it_also_if_they_converted() {
    let host = Host::new();
    let known = account(&host, &named("Nordlys"));
    let lead = full(&host);
    into(&host, &lead, &options().into_account(known.id));
    edit(&host, known.id, Field::City, "Oslo");
    let plan = |user: &str| {
        host.write_as(user, &AllowAll, |ctx, txn| convert::plan_unconvert(ctx, txn, lead.id)).unwrap()
    };
    let record = Subject::from(known.id);
    let told = Unconvertible::Edited { record, fields: vec!["city".to_owned()] };
    assert_eq!(plan("bob").blockers, [told], "to bob it is somebody else's");
    assert_eq!(blockers(&host, &lead), []);
    // Of two who edited, the other one counts.
    let patch = AccountPatch::new().set(Field::Industry, "Solar");
    as_bob(&host, |ctx, txn| accounts::edit(ctx, txn, known.id, Expect::Any, &patch));
    let told = Unconvertible::Edited { record, fields: vec!["industry".to_owned()] };
    assert_eq!(blockers(&host, &lead), [told]);
    edit(&host, known.id, Field::Industry, "Water");
    assert_eq!(blockers(&host, &lead).len(), 1, "a field that both wrote");
    // The same of a new account.
    let lead = full(&host);
    let made = into(&host, &lead, &options()).account.unwrap();
    edit(&host, made, Field::City, "Oslo");
    let plan =
        host.write_as("bob", &AllowAll, |ctx, txn| convert::plan_unconvert(ctx, txn, lead.id)).unwrap();
    let by = vec![host.scene.actor.clone()];
    assert_eq!(plan.blockers, [Unconvertible::Changed { record: made.into(), by }]);
}

#[test]
fn x_09_own_edits_excuse_no_field_that_they_do_not_belong_to() {
    let host = Host::new();
    let known = account(&host, &named("Nordlys"));
    let lead = host.add(form(&[
        (Field::Company, "Nordlys"),
        (Field::Street, "Storgata 1"),
        (Field::City, "Bodø"),
        (Field::Industry, "Energy"),
    ]));
    into(&host, &lead, &options().into_account(known.id));
    // A host's own tool wrote it, past the journal.
    host.write(|_, txn| {
        let mut now = txn.accounts().get(&[known.id])?.remove(0);
        now.fields.industry = Some("Solar".to_owned());
        now.revision = now.revision.next();
        txn.accounts().update(&[now])
    });
    let against = |fields: &[&str]| {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        assert_eq!(blockers(&host, &lead), [Unconvertible::Edited { record: known.id.into(), fields }]);
    };
    against(&["industry"]);
    edit(&host, known.id, Field::City, "Oslo");
    against(&["industry"]);
    let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
    let taken = plan.records.iter().find(|taken| taken.record == known.id.into()).unwrap();
    let mut kept = taken.kept.clone();
    kept.sort();
    assert_eq!(kept, ["city", "street"], "the address is one thing");
    edit(&host, known.id, Field::Industry, "Energy");
    back(&host, &lead, known.id);
    assert_eq!(now(&host, known.id).address.street(), Some("Storgata 1"));
    assert_eq!(now(&host, known.id).industry, None);
}

#[test]
fn x_09_a_mark_that_one_set_oneself_stays_with_a_known_person() {
    let host = Host::new();
    let known = account(&host, &named("Nordlys"));
    let kim = person(&host, known.id, "Kim Berg", "");
    let lead = full(&host);
    into(&host, &lead, &options().into_account(known.id).person(PersonChoice::Existing(kim.id)));
    let mark = AddressMark::opt_out(ReachChannel::Email, "kim@nordlys.example");
    host.scene.tick();
    host.write(|ctx, txn| contacts::mark(ctx, txn, kim.id, Expect::Any, &mark));
    let taken = back(&host, &lead, kim.id);
    assert_eq!(taken.kept, ["email"]);
    let now = host.read(|_, txn| txn.contacts().get(&[kim.id])).remove(0).fields;
    assert!(now.emails.entries()[0].opted_out, "{now:?}");
    assert!(host.get(&lead).fields.emails.entries()[0].opted_out, "and the lead keeps to it");
}

#[test]
fn x_09_a_mark_that_stands_is_not_lost_with_a_field_that_goes_back() {
    // The account said it before, and the conversion wrote behind it.
    let host = Host::new();
    let emails = Emails::parse("old@nordlys.example (opted_out)").unwrap();
    let known = account(&host, &AccountFields { emails, ..named("Nordlys") });
    let lead = full(&host);
    into(&host, &lead, &options().into_account(known.id));
    edit(&host, known.id, Field::Email, "old@nordlys.example (opted_out), new@nordlys.example (opted_out)");
    edit(&host, known.id, Field::City, "Oslo");
    back(&host, &lead, known.id);
    let now = now(&host, known.id).emails;
    assert!(now.entries().iter().filter(|one| one.opted_out).count() == 2, "{now:?}");
}

fn running(host: &Host, of: AccountId, fields: &OpportunityFields) -> leadcore::domain::Opportunity {
    host.write(|ctx, txn| opportunities::create(ctx, txn, of, fields.clone().into()))
}

#[test]
fn x_09_own_edits_of_an_opportunity() {
    let host = Host::new();
    let known = account(&host, &named("Nordlys"));
    // One that is new goes with what was edited.
    let lead = full(&host);
    let new = options().into_account(known.id).with_opportunity(OpportunityRequest::new());
    let made = into(&host, &lead, &new).opportunity.unwrap();
    let patch = OpportunityPatch::new().amount(Some(700.into())).probability(Some(60));
    host.write(|ctx, txn| opportunities::edit(ctx, txn, made, Expect::Any, &patch));
    let taken = back(&host, &lead, made);
    assert_eq!(
        (taken.fate, taken.edited),
        (Fate::Removed, vec!["amount".to_owned(), "probability".to_owned()])
    );
    // One that was running keeps what was edited, and loses what the lead brought.
    let before = running(&host, known.id, &OpportunityFields::named("Running"));
    let join = options().opportunity(OpportunityChoice::Existing(before.id));
    let joined = |edit: &OpportunityPatch| {
        let lead = full(&host);
        into(&host, &lead, &join);
        let now = host.read(|ctx, txn| opportunities::get(ctx, txn, before.id));
        assert_eq!((now.fields.amount, now.about.len()), (Some(500.into()), 2));
        host.scene.tick();
        host.write(|ctx, txn| opportunities::edit(ctx, txn, before.id, Expect::Any, edit));
        let taken = back(&host, &lead, before.id);
        let now = host.read(|ctx, txn| opportunities::get(ctx, txn, before.id));
        assert_eq!((&now.about, now.origin_lead), (&before.about, None));
        (taken.kept, now.fields)
    };
    let (kept, fields) = joined(&OpportunityPatch::new().probability(Some(60)));
    assert_eq!(kept, [""; 0], "the conversion did not fill it");
    assert_eq!(fields, OpportunityFields { probability: Some(60), ..before.fields.clone() });
    let (kept, fields) = joined(&OpportunityPatch::new().amount(Some(700.into())));
    assert_eq!(kept, ["amount", "currency"]);
    let worth = OpportunityFields { probability: Some(60), ..before.fields.clone() };
    assert_eq!(fields, worth.worth(700.into(), Currency::parse("EUR").unwrap()));
}

#[test]
fn x_09_what_others_edited_in_a_joined_opportunity_stands_against_it() {
    let host = Host::new();
    let known = account(&host, &named("Nordlys"));
    let before = running(&host, known.id, &OpportunityFields::named("Running"));
    let lead = full(&host);
    into(&host, &lead, &options().opportunity(OpportunityChoice::Existing(before.id)));
    let record = Subject::from(before.id);
    let told = Unconvertible::Edited { record, fields: vec!["opportunity".to_owned()] };
    let patch = OpportunityPatch::new().amount(Some(700.into()));
    as_bob(&host, |ctx, txn| opportunities::edit(ctx, txn, before.id, Expect::Any, &patch));
    assert_eq!(blockers(&host, &lead), std::slice::from_ref(&told));
    let patch = OpportunityPatch::new().amount(Some(500.into()));
    as_bob(&host, |ctx, txn| opportunities::edit(ctx, txn, before.id, Expect::Any, &patch));
    assert_eq!(blockers(&host, &lead), []);
    // So does what somebody else won; what one won oneself stays so, and stands against nothing.
    host.write(|ctx, txn| opportunities::win(ctx, txn, before.id, Expect::Any, None));
    assert_eq!(blockers(&host, &lead), []);
    host.write(|ctx, txn| opportunities::reopen(ctx, txn, before.id, Expect::Any));
    as_bob(&host, |ctx, txn| opportunities::win(ctx, txn, before.id, Expect::Any, None));
    assert_eq!(blockers(&host, &lead), [told]);
}

#[test]
fn x_09_own_edits_of_services_go_with_them() {
    let host = Host::new();
    let lead = full(&host);
    let plan = plan(&host, &lead, &options());
    let line = Line::new("Care", 12.into(), 49.into());
    let care = convert::PlannedService { fields: line.into(), origin: None };
    let plan = plan.edit_services(vec![care]).unwrap();
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &plan));
    let service = done.services[0];
    host.scene.tick();
    let patch = leadcore::domain::ServicePatch::new().note(Some("Yearly".to_owned()));
    host.write(|ctx, txn| services::edit(ctx, txn, service, Expect::Any, &patch));
    let taken = back(&host, &lead, service);
    assert_eq!((taken.fate, taken.edited), (Fate::Removed, vec!["note".to_owned()]));
}

#[test]
fn x_09_of_a_known_person_too() {
    let host = Host::new();
    let known = account(&host, &named("Nordlys"));
    let kim = person(&host, known.id, "Kim Berg", "");
    let lead = host.add(form(&[
        (Field::Company, "Nordlys"),
        (Field::Name, "Kim Berg"),
        (Field::JobTitle, "Buyer"),
        (Field::Email, "kim@nordlys.example"),
    ]));
    into(&host, &lead, &options().into_account(known.id).person(PersonChoice::Existing(kim.id)));
    let read = || host.read(|_, txn| txn.contacts().get(&[kim.id])).remove(0).fields;
    assert_eq!(read().job_title.as_deref(), Some("Buyer"));
    let fields = ContactFields { job_title: Some("CTO".to_owned()), ..read() };
    host.write(|ctx, txn| contacts::edit(ctx, txn, known.id, kim.id, Expect::Any, fields.clone()));
    assert_eq!(back(&host, &lead, kim.id).kept, ["job_title"]);
    assert_eq!(read(), ContactFields { job_title: Some("CTO".to_owned()), ..kim.fields });
}

#[test]
fn x_09_whom_one_took_out_of_an_account_oneself_stays_out() {
    for is_new in [true, false] {
        let host = Host::new();
        let known = account(&host, &named("Nordlys"));
        let wanted = if is_new { options() } else { options().into_account(known.id) };
        let convert = || {
            let lead = full(&host);
            let done = into(&host, &lead, &wanted);
            (lead, done.account.unwrap(), done.contacts[0])
        };
        let (lead, made, kim) = convert();
        as_bob(&host, |ctx, txn| contacts::remove(ctx, txn, made, kim));
        let told = Unconvertible::Edited { record: made.into(), fields: vec!["contacts".to_owned()] };
        assert!(blockers(&host, &lead).contains(&told), "{is_new}");
        let (lead, made, kim) = convert();
        host.scene.tick();
        host.write(|ctx, txn| contacts::remove(ctx, txn, made, kim));
        back(&host, &lead, kim);
        let left = host.read(|ctx, txn| contacts::of_account(ctx, txn, known.id));
        assert!(left.iter().all(|one| one.contact.id != kim));
    }
}

#[test]
fn x_09_a_part_of_an_address_keeps_the_whole_of_it() {
    for by in [None, Some("bob")] {
        let host = Host::new();
        let account = host.write(|ctx, txn| {
            let known = AccountFields { name: "Nordlys".into(), ..AccountFields::default() };
            accounts::create(ctx, txn, known.into())
        });
        let lead = full(&host);
        let into = options().into_account(account.id);
        host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &into));
        assert_eq!(now(&host, account.id).address.city(), Some("Bodø"));
        host.scene.tick();
        let patch = AccountPatch::new().set(Field::Street, "Torget 1");
        match by {
            None => drop(host.write(|ctx, txn| accounts::edit(ctx, txn, account.id, Expect::Any, &patch))),
            Some(user) => {
                let edit = host.write_as(user, &AllowAll, |ctx, txn| {
                    accounts::edit(ctx, txn, account.id, Expect::Any, &patch)
                });
                edit.unwrap();
            }
        }
        if by.is_some() {
            let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
            assert!(
                matches!(&plan.blockers[..], [Unconvertible::Edited { fields, .. }] if fields == &["street"]),
                "{:?}",
                plan.blockers
            );
            continue;
        }
        assert_eq!(back(&host, &lead, account.id).kept, ["city"]);
        let address = now(&host, account.id).address;
        assert_eq!((address.street(), address.city()), (Some("Torget 1"), Some("Bodø")));
    }
}

#[test]
fn x_09_of_an_address_only_what_others_wrote_stands_against_the_way_back() {
    for (own, other) in [(Field::Street, Field::City), (Field::City, Field::Street)] {
        let host = Host::new();
        let known = account(&host, &named("Nordlys"));
        let lead = full(&host);
        into(&host, &lead, &options().into_account(known.id));
        edit(&host, known.id, own, "Mine");
        let patch = AccountPatch::new().set(other.clone(), "Theirs");
        as_bob(&host, |ctx, txn| accounts::edit(ctx, txn, known.id, Expect::Any, &patch));
        let fields = vec![other.key().to_owned()];
        assert_eq!(blockers(&host, &lead), [Unconvertible::Edited { record: known.id.into(), fields }]);
    }
}
