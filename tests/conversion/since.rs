//! What a way back keeps that was said or done since, and what stands against it.

use leadcore::desk::convert::{
    self, ConversionOutcome, ConversionPlan, ConversionTarget, OpportunityChoice, OpportunityEnding,
    OpportunityRequest, PersonChoice, Unconvertible,
};
use leadcore::desk::undo::{self};
use leadcore::desk::{Expect, accounts, contacts, conversion_mapping, leads, opportunities, reports};
use leadcore::domain::conversion_mapping::FillPolicy;
use leadcore::domain::{
    AccountFields, AccountPatch, AddressMark, ContactFields, Emails, Field, LeadPatch, Opportunity,
    OpportunityFields, OpportunityPatch, Phones, ReachChannel, Subject,
};
use leadcore::error::{ErrorKind, Result};
use leadcore::id::AccountId;
use leadcore::query::Dimension;
use leadcore::store::Txn;

use crate::support::{Host, company, form, refused};

use super::fresh::*;

#[test]
fn an_opt_out_since_is_not_taken_away_by_unconvert() {
    let host = Host::new();
    for (field, old, new) in
        [(Field::Email, "old@a.example", "new@a.example"), (Field::Phone, "+4722123456", "+4722123457")]
    {
        let mut fields = named("A");
        match field {
            Field::Email => fields.emails = Emails::parse(old).unwrap(),
            _ => fields.phones = Phones::parse(old, None).unwrap(),
        }
        let known = account(&host, &fields);
        let lead = host.add(form(&[(Field::Company, "A"), (field.clone(), new)]));
        into(&host, &lead, &options().into_account(known.id));
        let marked = format!("{old} (opted_out), {new}");
        let patch = AccountPatch::new().set(field.clone(), marked.as_str());
        as_bob(&host, |ctx, txn| accounts::edit(ctx, txn, known.id, Expect::Any, &patch));
        let against = blockers(&host, &lead);
        let told = vec![field.key().to_owned()];
        assert_eq!(against, [Unconvertible::Edited { record: known.id.into(), fields: told }]);
        refused(host.try_write(|ctx, txn| convert::unconvert(ctx, txn, lead.id)), ErrorKind::Conflict);
        let now = host.read(|ctx, txn| accounts::get(ctx, txn, known.id)).fields;
        let out = match field {
            Field::Email => now.emails.entries()[0].opted_out,
            _ => now.phones.entries()[0].opted_out,
        };
        assert!(out, "{field}");
    }
}

#[test]
fn an_opt_out_of_a_known_person_is_not_taken_away_by_unconvert() {
    let host = Host::new();
    let mapping = host.read(|ctx, txn| conversion_mapping::get(ctx, txn)).1;
    for policy in [FillPolicy::Append, FillPolicy::FillEmpty] {
        let mut mapping = mapping.clone();
        mapping.rules.retain(|rule| rule.to.to_string() != "contact.email");
        let mapping = mapping.with(Field::Email, "contact.email", policy).unwrap();
        let revision = host.read(|ctx, txn| conversion_mapping::get(ctx, txn)).0;
        host.write(|ctx, txn| conversion_mapping::set(ctx, txn, revision, &mapping));
        let known = account(&host, &named("B"));
        let mail = if policy == FillPolicy::Append { "old@b.example" } else { "" };
        let kim = person(&host, known.id, "Kim", mail);
        let lead =
            host.add(form(&[(Field::Company, "B"), (Field::Name, "Kim"), (Field::Email, "new@b.example")]));
        let wanted = options().into_account(known.id).person(PersonChoice::Existing(kim.id));
        into(&host, &lead, &wanted);
        let first = if policy == FillPolicy::Append { "old@b.example" } else { "new@b.example" };
        let mark = AddressMark::opt_out(ReachChannel::Email, first);
        as_bob(&host, |ctx, txn| contacts::mark(ctx, txn, kim.id, Expect::Any, &mark));
        let email = Unconvertible::Edited { record: kim.id.into(), fields: vec!["email".to_owned()] };
        assert!(blockers(&host, &lead).contains(&email), "{policy:?}");
        refused(host.try_write(|ctx, txn| convert::unconvert(ctx, txn, lead.id)), ErrorKind::Conflict);
    }
}

#[test]
fn an_opt_out_since_is_not_taken_away_by_undo() {
    let host = Host::new();
    let lead = host.add(form(&[(Field::Company, "A"), (Field::Email, "old@a.example")]));
    let patch = LeadPatch::new().set(Field::Email, "old@a.example, new@a.example");
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch));
    let edit = last_operation(&host, lead.id);
    let mark = AddressMark::opt_out(ReachChannel::Email, "old@a.example");
    as_bob(&host, |ctx, txn| leads::mark_address(ctx, txn, lead.id, Expect::Any, &mark));
    kept(&host.write(|ctx, txn| undo::undo(ctx, txn, edit)), "email");
    assert!(host.get(&lead).fields.emails.entries()[0].opted_out);

    let known =
        account(&host, &AccountFields { phones: Phones::parse("+4722123456", None).unwrap(), ..named("B") });
    let patch = AccountPatch::new().set(Field::Phone, "+4722123456, +4722123457");
    host.write(|ctx, txn| accounts::edit(ctx, txn, known.id, Expect::Any, &patch));
    let edit = last_operation(&host, known.id);
    let patch = AccountPatch::new().set(Field::Phone, "+4722123456 (opted_out), +4722123457");
    as_bob(&host, |ctx, txn| accounts::edit(ctx, txn, known.id, Expect::Any, &patch));
    kept(&host.write(|ctx, txn| undo::undo(ctx, txn, edit)), "phone");

    let kim = person(&host, known.id, "Kim", "old@b.example");
    let fields =
        ContactFields { emails: Emails::parse("old@b.example, new@b.example").unwrap(), ..kim.fields };
    host.write(|ctx, txn| contacts::edit(ctx, txn, known.id, kim.id, Expect::Any, fields.clone()));
    let edit = last_operation(&host, kim.id);
    let mark = AddressMark::opt_out(ReachChannel::Email, "old@b.example");
    as_bob(&host, |ctx, txn| contacts::mark(ctx, txn, kim.id, Expect::Any, &mark));
    kept(&host.write(|ctx, txn| undo::undo(ctx, txn, edit)), "email");
    let now = host.read(|ctx, txn| contacts::of_account(ctx, txn, known.id)).remove(0);
    assert!(now.contact.fields.emails.entries()[0].opted_out);
}

fn running(host: &Host, of: AccountId) -> Opportunity {
    let fields = OpportunityFields::named("Running");
    host.write(|ctx, txn| opportunities::create(ctx, txn, of, fields.clone().into()))
}

fn won_by_company(host: &Host) -> Vec<(String, String)> {
    let query = reports::ReportQuery::by([Dimension::Campaign]);
    let report = host.read(|ctx, txn| reports::report(ctx, txn, &query));
    let rows = report.rows.iter().flat_map(|row| {
        let name = row.group[0].name.clone();
        row.money
            .iter()
            .filter(|money| money.won.count > 0)
            .map(move |money| (name.clone(), money.won.value.to_string()))
    });
    rows.collect()
}

#[test]
fn an_opportunity_counts_for_the_first_lead_that_joined_it() {
    let host = Host::new();
    let known = account(&host, &named("EX"));
    let running = running(&host, known.id);
    let join = options().opportunity(OpportunityChoice::Existing(running.id));
    let lead = |campaign: &str| {
        let fields = [
            (Field::Company, "EX"),
            (Field::Campaign, campaign),
            (Field::Amount, "500"),
            (Field::Currency, "EUR"),
        ];
        host.add(form(&fields))
    };
    let (first, second) = (lead("C1"), lead("C2"));
    into(&host, &first, &join);
    into(&host, &second, &join);
    host.write(|ctx, txn| opportunities::win(ctx, txn, running.id, Expect::Any, None));
    assert_eq!(won_by_company(&host), [("C1".to_owned(), "500".to_owned())], "once");
    assert_eq!(blockers(&host, &first), [], "what one won oneself stays won, and stands against nothing");
    host.write(|ctx, txn| opportunities::reopen(ctx, txn, running.id, Expect::Any));
    // Whoever goes leaves it to the next one, and to nobody.
    host.write(|ctx, txn| convert::unconvert(ctx, txn, second.id));
    into(&host, &second, &join);
    host.write(|ctx, txn| convert::unconvert(ctx, txn, first.id));
    let now = host.read(|ctx, txn| opportunities::get(ctx, txn, running.id));
    assert_eq!(now.origin_lead, Some(second.id));
    host.write(|ctx, txn| convert::unconvert(ctx, txn, second.id));
    let now = host.read(|ctx, txn| opportunities::get(ctx, txn, running.id));
    assert_eq!(now.origin_lead, None);
}

#[test]
fn what_somebody_else_moved_on_since_stands_against_it() {
    let host = Host::new();
    let lead = host.add(company("W"));
    let done = into(&host, &lead, &options().with_opportunity(OpportunityRequest::new()));
    let record = Subject::from(done.opportunity.unwrap());
    let patch = OpportunityPatch::new().probability(Some(60));
    host.write(|ctx, txn| opportunities::edit(ctx, txn, done.opportunity.unwrap(), Expect::Any, &patch));
    let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
    assert_eq!(plan.blockers, []);
    let told = plan.records.iter().find(|taken| taken.record == record).unwrap();
    assert_eq!(told.edited, ["probability"], "own edits are told: they go with it");
    as_bob(&host, |ctx, txn| opportunities::win(ctx, txn, done.opportunity.unwrap(), Expect::Any, None));
    let by = vec![leadcore::domain::Actor::User("bob".parse().unwrap())];
    let moved = Unconvertible::MovedOn { record, state: "won".to_owned() };
    assert_eq!(blockers(&host, &lead), [Unconvertible::Changed { record, by }, moved]);
    refused(host.try_write(|ctx, txn| convert::unconvert(ctx, txn, lead.id)), ErrorKind::Conflict);
    // One that was won by the conversion did not move.
    let lead = host.add(company("V"));
    let won = OpportunityRequest::new().ended(OpportunityEnding::Won { on: None });
    into(&host, &lead, &options().with_opportunity(won));
    assert_eq!(blockers(&host, &lead), []);
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
}

#[test]
fn a_later_conversion_that_stands_against_it_is_named() {
    let host = Host::new();
    let known =
        account(&host, &AccountFields { emails: Emails::parse("base@ap.example").unwrap(), ..named("AP") });
    let running = running(&host, known.id);
    let join = options().opportunity(OpportunityChoice::Existing(running.id));
    let lead =
        |mail: &str| host.add(form(&[(Field::Company, "AP"), (Field::Name, mail), (Field::Email, mail)]));
    let (first, second) = (lead("one@ap.example"), lead("two@ap.example"));
    into(&host, &first, &join);
    into(&host, &second, &join);
    let other = |record: Subject| Unconvertible::OtherLeads { record, leads: vec![second.id], unseen: 0 };
    let against = blockers(&host, &first);
    assert!(
        against.contains(&other(running.id.into())) && against.contains(&other(known.id.into())),
        "{against:?}"
    );
    assert!(!against.iter().any(|one| matches!(one, Unconvertible::Edited { .. })), "{against:?}");
    host.write(|ctx, txn| convert::unconvert(ctx, txn, second.id));
    assert_eq!(blockers(&host, &first), []);
    host.write(|ctx, txn| convert::unconvert(ctx, txn, first.id));
}

#[test]
fn a_person_whom_another_lead_brought_too_stays_with_the_account_until_that_one_goes() {
    let host = Host::new();
    let (known, elsewhere) = (account(&host, &named("AP")), account(&host, &named("Other")));
    let anna = person(&host, elsewhere.id, "Anna Berg", "anna@other.example");
    let wanted = options().into_account(known.id).person(PersonChoice::Existing(anna.id));
    let (first, second) = (host.add(company("AP North")), host.add(company("AP South")));
    let brought = into(&host, &first, &wanted);
    let found = into(&host, &second, &wanted);
    let has = |done: &ConversionOutcome| {
        done.links.iter().any(|link| link.from == known.id.into() && link.to == anna.id.into())
    };
    assert_eq!((has(&brought), has(&found)), (true, false), "it was there when the second came");
    let persons = || {
        let linked = host.read(|ctx, txn| {
            let of_account = contacts::of_account(ctx, txn, known.id)?;
            Ok([of_account, contacts::of_lead(ctx, txn, first.id)?, contacts::of_lead(ctx, txn, second.id)?])
        });
        linked.map(|linked| linked.iter().map(|one| one.contact.id).collect::<Vec<_>>())
    };
    assert_eq!(blockers(&host, &first), []);
    host.write(|ctx, txn| convert::unconvert(ctx, txn, first.id));
    assert_eq!(persons(), [vec![anna.id], vec![], vec![anna.id]], "the second lead stands behind it");
    // It is the second's from now on, and goes with it: neither was there before.
    host.write(|ctx, txn| convert::unconvert(ctx, txn, second.id));
    assert_eq!(persons(), [vec![], vec![], vec![]]);
    // Who came with one lead alone goes with it.
    let ole = person(&host, elsewhere.id, "Ole Dal", "ole@other.example");
    into(&host, &first, &options().into_account(known.id).person(PersonChoice::Existing(ole.id)));
    assert_eq!(persons()[0], [ole.id]);
    host.write(|ctx, txn| convert::unconvert(ctx, txn, first.id));
    assert_eq!(persons(), [vec![], vec![], vec![]]);
}

#[derive(Debug)]
struct Erp;

impl ConversionTarget for Erp {
    fn name(&self) -> &str {
        "erp"
    }

    fn create(
        &self,
        _: &mut dyn Txn,
        outcome: &ConversionOutcome,
        _: &ConversionPlan,
    ) -> Result<Option<String>> {
        Ok(Some(format!("C-{}", outcome.account_number)))
    }

    fn withdraw(&self, _: &mut dyn Txn, _: &ConversionOutcome, _: &str) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_target_that_is_missing_stands_in_the_plan() {
    let host = Host::new();
    let lead = host.add(company("A"));
    let shown = plan(&host, &lead, &options());
    host.write(|ctx, txn| convert::apply_with(ctx, txn, &shown, &[&Erp]));
    let back = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
    assert_eq!(back.blockers, [Unconvertible::Target { target: "erp".to_owned() }]);
    let error =
        refused(host.try_write(|ctx, txn| convert::unconvert(ctx, txn, lead.id)), ErrorKind::Conflict);
    assert!(error.to_string().contains("1 thing stands against it"), "{error}");
    host.write(|ctx, txn| convert::apply_unconvert_with(ctx, txn, &back, &[&Erp]));
}
