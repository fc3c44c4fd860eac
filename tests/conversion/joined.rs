//! What is there already: only who may change it joins it, and nobody reads or writes by a plan what the policy hides.

use leadcore::context::Context;
use leadcore::desk::convert::{
    self, ConversionOptions, ConversionPlan, LeadConverted, OpportunityChoice, OpportunityRequest,
    PersonChoice, PlannedAccount, PlannedContact, PlannedOpportunity, PlannedPerson,
};
use leadcore::desk::mass::Selection;
use leadcore::desk::{Expect, accounts, contacts, conversion_mapping, opportunities};
use leadcore::domain::conversion_mapping::TargetRecord;
use leadcore::domain::{AccountPatch, Field, Lead, LeadFields};
use leadcore::error::{ErrorKind, Result};
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::store::{StoreExt as _, Txn};
use leadcore::testkit::dump;

use super::{converted, nordlys};
use crate::support::{Host, form, refused};

fn options() -> ConversionOptions {
    ConversionOptions::default()
}

/// Sees everything, and changes and converts what is its own; phones and amounts are hidden from it.
fn eve() -> RoleTable {
    let own = [Permission::Create, Permission::Edit, Permission::Convert];
    let role = Role::new().grant(Permission::View, Visibility::All);
    let role = own.into_iter().fold(role, |role, permission| role.grant(permission, Visibility::Own));
    let role = role.hide(Field::Phone).and_then(|role| role.hide(Field::Amount)).unwrap();
    RoleTable::new().role("sales", role).user(&"eve".parse().unwrap(), &["sales"], None).unwrap()
}

fn as_eve<T>(host: &Host, work: impl FnMut(&Context<'_>, &mut dyn Txn) -> Result<T>) -> Result<T> {
    host.write_as("eve", &eve(), work)
}

/// A lead that eve owns.
fn eves(host: &Host) -> Lead {
    let fields = form(&[
        (Field::Company, "Nordlys Nord"),
        (Field::Name, "Per Vik"),
        (Field::Email, "per@nord.example"),
        (Field::Phone, "+47 55 55 55 55"),
        (Field::Amount, "77"),
        (Field::City, "Bodø"),
        (Field::Owner, "eve"),
    ]);
    host.add(fields)
}

fn with_deal() -> ConversionOptions {
    options().with_opportunity(OpportunityRequest::new())
}

#[test]
fn who_may_only_see_a_customer_joins_nothing_to_it() {
    let host = Host::new();
    let ada = host.add(LeadFields { owner: Some("ada".parse().unwrap()), ..nordlys() });
    let known = host.write(|ctx, txn| convert::convert(ctx, txn, ada.id, &with_deal()));
    let (account, person, deal) = (known.account.unwrap(), known.contacts[0], known.opportunity.unwrap());
    let lead = eves(&host);
    let patch = AccountPatch::new().name("Mine AS");
    let edit = |host: &Host| as_eve(host, |ctx, txn| accounts::edit(ctx, txn, account, Expect::Any, &patch));
    refused(edit(&host), ErrorKind::Denied);
    let before = dump(&host.store, &host.scene.tenant);
    for wanted in [
        options().into_account(account),
        options().into_account(account).account_only(),
        options().person(PersonChoice::Existing(person)),
        options().person(PersonChoice::Existing(person)).contact_only(),
        options().opportunity(OpportunityChoice::Existing(deal)),
    ] {
        refused(as_eve(&host, |ctx, txn| convert::plan(ctx, txn, lead.id, &wanted)), ErrorKind::Denied);
        refused(as_eve(&host, |ctx, txn| convert::convert(ctx, txn, lead.id, &wanted)), ErrorKind::Denied);
        let chosen = Selection::Ids(vec![lead.id]);
        let many = as_eve(&host, |ctx, txn| convert::many(ctx, txn, &chosen, &wanted)).unwrap();
        assert_eq!(many.results[0].outcome, LeadConverted::Forbidden, "{wanted:?}");
        // Nor by a plan that somebody else made, or that was edited to say so.
        let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &wanted));
        refused(as_eve(&host, |ctx, txn| convert::apply(ctx, txn, &plan)), ErrorKind::Denied);
    }
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
    refused(edit(&host), ErrorKind::Denied);
    // Who may change it joins it.
    let own = as_eve(&host, |ctx, txn| convert::convert(ctx, txn, lead.id, &with_deal())).unwrap();
    let next = eves(&host);
    let wanted = options()
        .opportunity(OpportunityChoice::Existing(own.opportunity.unwrap()))
        .person(PersonChoice::Existing(own.contacts[0]));
    let joined = as_eve(&host, |ctx, txn| convert::convert(ctx, txn, next.id, &wanted)).unwrap();
    assert_eq!((joined.account, joined.opportunity), (own.account, own.opportunity));
}

#[test]
fn a_person_without_an_account_is_joined_by_whoever_may_change_its_lead() {
    let host = Host::new();
    let first = eves(&host);
    let made = as_eve(&host, |ctx, txn| convert::convert(ctx, txn, first.id, &options().contact_only()));
    let person = made.unwrap().contacts[0];
    let wanted = options().person(PersonChoice::Existing(person));
    let lead = host.add(LeadFields { company: Some("Other AS".into()), ..eves(&host).fields });
    let done = as_eve(&host, |ctx, txn| convert::convert(ctx, txn, lead.id, &wanted)).unwrap();
    assert_eq!(done.contacts, [person]);
}

/// What eve has already: a customer, a person and a deal, with numbers and an amount that are hidden from her.
struct Known {
    wanted: ConversionOptions,
    made: convert::ConversionOutcome,
}

fn known(host: &Host) -> Known {
    let first = host.add(LeadFields { owner: Some("eve".parse().unwrap()), ..nordlys() });
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, first.id, &with_deal()));
    let wanted = options()
        .opportunity(OpportunityChoice::Existing(made.opportunity.unwrap()))
        .person(PersonChoice::Existing(made.contacts[0]));
    Known { wanted, made }
}

/// What stands in the hidden fields afterwards: the numbers of account and person, the worth of the deal.
fn hidden_of(host: &Host, made: &convert::ConversionOutcome) -> (Vec<String>, Vec<String>, Option<String>) {
    let texts = |phones: &leadcore::domain::Phones| -> Vec<String> {
        phones.iter().map(|phone| phone.as_str().to_owned()).collect()
    };
    host.read(|ctx, txn| {
        let account = accounts::get(ctx, txn, made.account.unwrap())?;
        let persons = contacts::of_account(ctx, txn, made.account.unwrap())?;
        let deal = opportunities::get(ctx, txn, made.opportunity.unwrap())?;
        let amount = deal.fields.amount.map(|amount| amount.normalize().to_string());
        Ok((texts(&account.fields.phones), texts(&persons[0].contact.fields.phones), amount))
    })
}

/// Empties everything that can be emptied of the records that are there, and names the account anew.
fn emptied(plan: &mut ConversionPlan) {
    if let PlannedAccount::Existing { fields, .. } = &mut plan.account {
        fields.name = "Nordlys Sør AS".to_owned();
        fields.phones = leadcore::domain::Phones::none();
    }
    for contact in &mut plan.contacts {
        if let PlannedPerson::Known { fields, .. } = &mut contact.who {
            fields.phones = leadcore::domain::Phones::none();
            fields.job_title = Some("Boss".to_owned());
        }
    }
    if let Some(PlannedOpportunity::Existing { fields, .. }) = &mut plan.opportunity {
        fields.amount = Some(1.into());
        fields.description = Some("Soon".to_owned());
    }
}

#[test]
fn a_plan_shows_and_writes_nothing_that_is_hidden_of_what_is_there() {
    let expected = {
        let host = Host::new();
        let Known { wanted, made } = known(&host);
        let lead = eves(&host);
        host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &wanted));
        hidden_of(&host, &made)
    };
    assert_eq!((expected.0.len(), expected.2.as_deref()), (2, Some("1200.5")), "{expected:?}");
    // Carried out by her; by somebody who sees all; and at once.
    for by_eve in [Some(true), Some(false), None] {
        let host = Host::new();
        let Known { wanted, made } = known(&host);
        let lead = eves(&host);
        let account = made.account.unwrap();
        let Some(by_eve) = by_eve else {
            as_eve(&host, |ctx, txn| convert::convert(ctx, txn, lead.id, &wanted)).unwrap();
            assert_eq!(hidden_of(&host, &made), expected, "nothing of the lead is lost");
            continue;
        };
        let plan = as_eve(&host, |ctx, txn| convert::plan(ctx, txn, lead.id, &wanted)).unwrap();
        let json = serde_json::to_string(&plan).unwrap();
        for secret in ["22123456", "22 12 34 56", "1200.5"] {
            assert!(!json.contains(secret), "{secret}: {json}");
        }
        assert_eq!(plan.hidden, {
            let mut hidden = vec![Field::Phone, Field::Amount];
            hidden.sort();
            hidden
        });
        let keys: Vec<_> = plan.writes.iter().map(|write| write.to.key()).collect();
        assert!(keys.contains(&"city") && !keys.contains(&"phone") && !keys.contains(&"amount"), "{keys:?}");
        let mut plan: ConversionPlan = serde_json::from_str(&json).unwrap();
        emptied(&mut plan);
        if by_eve {
            // What is hidden from her stays so, whatever the plan says of it.
            plan.hidden.clear();
            as_eve(&host, |ctx, txn| convert::apply(ctx, txn, &plan)).unwrap();
        } else {
            host.write(|ctx, txn| convert::apply(ctx, txn, &plan));
        }
        assert_eq!(hidden_of(&host, &made), expected, "by eve: {by_eve}");
        let (now, person) = host.read(|ctx, txn| {
            Ok((accounts::get(ctx, txn, account)?, contacts::of_account(ctx, txn, account)?.remove(0)))
        });
        assert_eq!(now.fields.name, "Nordlys Sør AS", "what she sees she may edit");
        assert_eq!(person.contact.fields.job_title.as_deref(), Some("Boss"));
        let deal = host.read(|ctx, txn| opportunities::get(ctx, txn, made.opportunity.unwrap()));
        assert_eq!(deal.fields.description.as_deref(), Some("Soon"));
    }
}

#[test]
fn a_preview_shows_of_an_account_what_one_may_see() {
    let host = Host::new();
    let Known { made, .. } = known(&host);
    let lead = eves(&host);
    let table = eve();
    let ctx = host.scene.ctx_as("eve", &table);
    let shown = host
        .store
        .read(ctx.tenant(), |txn| conversion_mapping::preview_account(&ctx, txn, lead.id, made.account));
    let shown = shown.unwrap();
    assert!(shown.fields.phones.is_empty() && !shown.fields.emails.is_empty(), "{shown:?}");
    assert!(shown.writes.iter().all(|write| write.to.record == TargetRecord::Account));
    assert!(shown.writes.iter().all(|write| write.to.key() != "phone"), "{shown:?}");
    assert!(!format!("{shown:?}").contains("22123456"));
}

#[test]
fn an_edited_person_is_told_by_its_place() {
    let host = Host::new();
    let lead = host.add(nordlys());
    let mut plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &options()));
    let nobody = PlannedContact { who: PlannedPerson::New(Box::default()), is_primary: false };
    plan.contacts.push(nobody);
    if let PlannedAccount::New { fields, .. } = &mut plan.account {
        fields.name.clear();
    }
    let broken = host.try_write(|ctx, txn| convert::apply(ctx, txn, &plan));
    let broken = refused(broken, ErrorKind::Invalid);
    assert_eq!(crate::support::fields_of(&broken), ["account.name", "contacts[1].name"], "all at once");
    converted(&host, &lead);
}

#[test]
fn who_edits_a_person_gets_no_hidden_field_back() {
    let host = Host::new();
    let lead = eves(&host);
    let mut person = leadcore::domain::ContactFields::named("Per Vik").unwrap();
    person.phones = "+47 22 12 34 56".parse().unwrap();
    let added = host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, person.clone(), true));
    for title in [Some("Boss".to_owned()), Some("Boss".to_owned())] {
        let mut fields = leadcore::domain::ContactFields::named("Per Vik").unwrap();
        fields.job_title = title;
        let edited = as_eve(&host, |ctx, txn| {
            contacts::edit(ctx, txn, lead.id, added.id, Expect::Any, fields.clone())
        });
        let edited = edited.unwrap();
        assert_eq!(edited.fields.job_title.as_deref(), Some("Boss"));
        assert!(edited.fields.phones.is_empty(), "changed or not, what is hidden is not told");
    }
    let kept = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id)).remove(0);
    assert_eq!(kept.contact.fields.phones, person.phones);
}
