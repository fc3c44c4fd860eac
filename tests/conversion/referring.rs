//! What refers to the records of a conversion, and what an undo brings back after its way back.

use leadcore::desk::convert::{self, Fate, OpportunityRequest, PersonChoice, Unconvertible};
use leadcore::desk::services::{self, NewService};
use leadcore::desk::{Expect, accounts, activities, contacts, opportunities, series, undo};
use leadcore::domain::{
    AccountPatch, ActivityFields, ContactFields, Field, Line, OpportunityFields, Participant, Series,
    SeriesFields, ServiceFields, Subject, WhyKept,
};
use leadcore::time::Timestamp;

use super::fresh::*;
use crate::support::{Host, company, form};

fn children(record: Subject, tab: &str) -> Unconvertible {
    Unconvertible::HasChildren { record, tabs: vec![(tab.to_owned(), 1)] }
}

#[test]
fn a_service_won_with_a_new_opportunity_stands_against_the_way_back() {
    let host = Host::new();
    let known = account(&host, &named("K"));
    let lead = host.add(company("K"));
    let wanted = options().into_account(known.id).with_opportunity(OpportunityRequest::new());
    let opportunity = into(&host, &lead, &wanted).opportunity.unwrap();
    assert_eq!(blockers(&host, &lead), []);
    let care = ServiceFields::from(Line::new("Care", 12.into(), 49.into()));
    let care = NewService::from(care).opportunity(opportunity);
    let made = as_bob(&host, |ctx, txn| services::create(ctx, txn, known.id, vec![care.clone()])).remove(0);
    assert_eq!(blockers(&host, &lead), [children(opportunity.into(), "service")]);
    host.write(|ctx, txn| services::delete(ctx, txn, made.id, made.revision));
    assert_eq!(blockers(&host, &lead), []);
}

#[test]
fn a_meeting_with_a_new_person_stands_against_the_way_back() {
    let host = Host::new();
    let known = account(&host, &named("K"));
    let lead = host.add(form(&[(Field::Company, "K"), (Field::Name, "Anna Berg")]));
    let anna = Subject::from(into(&host, &lead, &options().into_account(known.id)).contacts[0]);
    let at: Timestamp = "2026-12-01T09:00:00Z".parse().unwrap();
    let meeting = |with| ActivityFields::meeting("Visit", at, at).with(with);
    let other = meeting(Participant::Other("Anna".to_owned()));
    as_bob(&host, |ctx, txn| activities::add(ctx, txn, &[known.id.into()], other.clone()));
    assert_eq!(blockers(&host, &lead), []);
    let with = meeting(Participant::Record(anna));
    as_bob(&host, |ctx, txn| activities::add(ctx, txn, &[known.id.into()], with.clone()));
    assert_eq!(blockers(&host, &lead), [children(anna, "meeting")]);
}

#[test]
fn an_undo_brings_back_nothing_of_a_conversion_that_was_taken_back() {
    let host = Host::new();
    let known = account(&host, &named("K"));
    let anna = person(&host, known.id, "Anna", "a@k.example");
    let fields = [
        (Field::Company, "K"),
        (Field::City, "Bergen"),
        (Field::Industry, "Energy"),
        (Field::Name, "Anna"),
        (Field::JobTitle, "Boss"),
    ];
    let lead = host.add(form(&fields));
    into(&host, &lead, &options().into_account(known.id).person(PersonChoice::Existing(anna.id)));
    let now = || host.read(|ctx, txn| accounts::get(ctx, txn, known.id)).fields;
    let of_anna = || host.read(|_, txn| txn.contacts().get(&[anna.id])).remove(0).fields;
    let (filled, titled) = (now(), of_anna());
    assert_eq!(filled.address.city(), Some("Bergen"));
    assert_eq!(titled.job_title.as_deref(), Some("Boss"));
    let patch = AccountPatch::new().set(Field::City, "Mine").set(Field::Industry, "Mine");
    host.write(|ctx, txn| accounts::edit(ctx, txn, known.id, Expect::Any, &patch));
    let edit = last_operation(&host, known.id);
    let mine = ContactFields { job_title: Some("Mine".to_owned()), ..titled.clone() };
    host.write(|ctx, txn| contacts::edit(ctx, txn, known.id, anna.id, Expect::Any, mine.clone()));
    let of_person = last_operation(&host, anna.id);

    // While the conversion stands, an undo gives back what it wrote.
    let undone = host.write(|ctx, txn| undo::undo(ctx, txn, edit));
    assert_eq!((now(), undone.remaining.len()), (filled, 0));
    host.write(|ctx, txn| undo::undo(ctx, txn, undone.operation));
    host.scene.tick();
    host.write(|ctx, txn| accounts::edit(ctx, txn, known.id, Expect::Any, &patch));
    let patch = AccountPatch::new().set(Field::City, "Other");
    host.write(|ctx, txn| accounts::edit(ctx, txn, known.id, Expect::Any, &patch));
    let edits = [edit, last_operation(&host, known.id)];

    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    for edit in edits.into_iter().rev() {
        host.write(|ctx, txn| undo::undo(ctx, txn, edit));
    }
    assert_eq!(now().address.city(), Some("Mine"));
    assert_eq!(now().industry.as_deref(), Some("Mine"));
    let undone = host.write(|ctx, txn| undo::undo(ctx, txn, of_person));
    kept(&undone, "job_title");
    assert!(undone.remaining[0].kept.iter().all(|kept| kept.why == WhyKept::Reversed), "{undone:?}");
    assert_eq!(of_anna().job_title.as_deref(), Some("Mine"));
}

#[test]
fn a_conversion_for_an_opportunity_whose_number_stays_has_a_way_back() {
    let host = Host::new();
    let fields = SeriesFields::named("G").prefix("G-").gapless();
    let gapless = host.write(|ctx, txn| series::add(ctx, txn, Series::Opportunity, fields.clone()));
    host.write(|ctx, txn| series::set_default(ctx, txn, gapless.id));
    let lead = host.add(company("K"));
    let roof = opportunities::NewOpportunity::from(OpportunityFields::named("Roof")).converting(options());
    let roof = host.write(|ctx, txn| opportunities::create(ctx, txn, lead.id, roof.clone()));
    let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
    assert_eq!(plan.blockers, []);
    let told = plan.records.iter().find(|taken| taken.record == roof.id.into()).unwrap();
    assert_eq!(told.fate, Fate::Closed);
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    let now = host.read(|_, txn| txn.opportunities().get(&[roof.id])).remove(0);
    assert_eq!((now.state.code(), now.number), ("lost", roof.number));
    assert!(host.get(&lead).conversion.is_none());
    // Another one, made for it later by somebody else, is no part of the conversion.
    let lead = host.add(company("L"));
    let done = into(&host, &lead, &options());
    let more = opportunities::NewOpportunity::from(OpportunityFields::named("More"));
    as_bob(&host, |ctx, txn| opportunities::create(ctx, txn, lead.id, more.clone()));
    assert_eq!(blockers(&host, &lead), [children(done.account.unwrap().into(), "opportunity")]);
    // Nor is one that was made for it by the same user in the next call: bob takes back what ada did.
    let lead = host.add(company("M"));
    let account = into(&host, &lead, &options()).account.unwrap();
    host.write(|ctx, txn| opportunities::create(ctx, txn, account, more.clone()));
    let plan = as_bob(&host, |ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
    assert_eq!(plan.blockers, [children(account.into(), "opportunity")]);
    // To ada too: a sale is nobody's note.
    assert_eq!(blockers(&host, &lead), [children(account.into(), "opportunity")]);
}
