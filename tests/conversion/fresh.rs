//! What somebody found who converted leads for the first time.

use leadcore::context::Context;
use leadcore::dedupe::matching::MatchPolicy;
use leadcore::desk::convert::{
    self, AccountChoice, ConversionOptions, ConversionOutcome, ConversionPlan, CustomerType, EstimateChoice,
    LeadConverted, OpportunityEnding, OpportunityRequest, PersonChoice, PlannedPerson, Unconvertible,
};
use leadcore::desk::mass::Selection;
use leadcore::desk::undo::{self, UndoOutcome};
use leadcore::desk::{Expect, accounts, activities, contacts, conversion_mapping, leads, settings};
use leadcore::domain::conversion_mapping::{ConversionMapping, FillPolicy, FindingCode, Severity};
use leadcore::domain::{
    Account, AccountFields, AccountStatus, ActivityFields, AddressMark, Catalogue, CatalogueKind, Contact,
    ContactFields, CustomField, CustomType, Emails, Field, Lead, LeadFields, LeadPatch, MarkNote,
    OpportunityPatch, Phones, ReachChannel, Subject, Topics,
};
use leadcore::error::{Conflict, Error, ErrorKind, Result};
use leadcore::id::{AccountId, ContactId, OperationId};
use leadcore::policy::{AllowAll, Permission, Role, RoleTable, Visibility};
use leadcore::store::Txn;

use crate::support::{Host, company, fields_of, form, refused};

pub(super) fn account(host: &Host, fields: &AccountFields) -> Account {
    host.write(|ctx, txn| accounts::create(ctx, txn, fields.clone().into()))
}

pub(super) fn named(name: &str) -> AccountFields {
    AccountFields { name: name.to_owned(), ..AccountFields::default() }
}

pub(super) fn person(host: &Host, of: AccountId, name: &str, email: &str) -> Contact {
    let emails = if email.is_empty() { Emails::none() } else { Emails::parse(email).unwrap() };
    let fields = ContactFields { emails, ..ContactFields::named(name).unwrap() };
    host.write(|ctx, txn| contacts::add(ctx, txn, of, fields.clone(), false))
}

pub(super) fn options() -> ConversionOptions {
    ConversionOptions::default()
}

pub(super) fn into(host: &Host, lead: &Lead, options: &ConversionOptions) -> ConversionOutcome {
    host.scene.tick();
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, options))
}

pub(super) fn plan(host: &Host, lead: &Lead, options: &ConversionOptions) -> ConversionPlan {
    host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, options))
}

pub(super) fn unplanned(host: &Host, lead: &Lead, options: &ConversionOptions, kind: ErrorKind) -> Error {
    let planned = host.try_read(|ctx, txn| convert::plan(ctx, txn, lead.id, options));
    let done = host.try_write(|ctx, txn| convert::convert(ctx, txn, lead.id, options));
    let (planned, done) = (refused(planned, kind), refused(done, kind));
    assert_eq!(planned.to_string(), done.to_string());
    planned
}

pub(super) fn blockers(host: &Host, lead: &Lead) -> Vec<Unconvertible> {
    host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id)).blockers
}

pub(super) fn as_bob<T>(host: &Host, work: impl FnMut(&Context<'_>, &mut dyn Txn) -> Result<T>) -> T {
    host.scene.tick();
    host.write_as("bob", &AllowAll, work).unwrap()
}

pub(super) fn last_operation(host: &Host, of: impl Into<Subject>) -> OperationId {
    let of = [of.into()];
    host.read(|_, txn| txn.journal().about(&of, Topics::NONE, None, 1)).remove(0).operation
}

/// Taken back, with nothing reversed and this field kept.
pub(super) fn kept(done: &UndoOutcome, field: &str) {
    let record = &done.remaining[0];
    assert!(record.reversed.iter().all(|reversed| reversed != field), "{done:?}");
    assert!(record.kept.iter().any(|kept| kept.field == field), "{done:?}");
}

#[test]
fn a_chosen_person_counts_also_where_the_lead_has_none() {
    let host = Host::new();
    let known = account(&host, &named("EX"));
    let kay = person(&host, known.id, "Kay", "k@x.example");
    let best = PersonChoice::Match(MatchPolicy::Best { at_least: 80 });
    for choice in [PersonChoice::Existing(kay.id), best] {
        let lead = host.add(form(&[(Field::Company, "Only"), (Field::Email, "k@x.example")]));
        let done = into(&host, &lead, &options().person(choice));
        assert_eq!(done.contacts, [kay.id], "{choice:?}");
        let of = host.read(|ctx, txn| contacts::of_account(ctx, txn, done.account.unwrap()));
        assert_eq!(of.len(), 1);
        assert_eq!(host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id)).len(), 1);
    }
    let lead = host.add(company("Stranger AS"));
    for id in [host.scene.uuid(), known.id.as_uuid()] {
        let wanted = options().person(PersonChoice::Existing(ContactId::from_uuid(id)));
        unplanned(&host, &lead, &wanted, ErrorKind::NotFound);
    }
    assert_eq!(into(&host, &lead, &options().person(best)).contacts, [], "nobody is made up");
    // The person of the lead is one of its contacts: it cannot be another one too.
    let lead = host.add(form(&[(Field::Company, "C"), (Field::Name, "Ola Dal")]));
    let ola = ContactFields::named("Ola Dal").unwrap();
    host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, ola.clone(), false));
    let wanted = options().person(PersonChoice::Existing(kay.id));
    assert_eq!(fields_of(&unplanned(&host, &lead, &wanted, ErrorKind::Invalid)), ["person"]);
}

#[test]
fn every_person_of_a_lead_is_matched() {
    let host = Host::new();
    let known = account(&host, &named("EX"));
    let old = person(&host, known.id, "Old Primary", "op@ex.example");
    let lead = host.add(company("EX"));
    let own = ContactFields {
        emails: Emails::parse("op@ex.example (opted_out)").unwrap(),
        role: Some("Decides".to_owned()),
        do_not_call: Some(MarkNote::default()),
        ..ContactFields::named("Old Primary").unwrap()
    };
    let own = host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, own.clone(), false));
    let best =
        options().into_account(known.id).person(PersonChoice::Match(MatchPolicy::Best { at_least: 80 }));
    let shown = plan(&host, &lead, &best);
    let told = &shown.matches.as_ref().unwrap().persons;
    assert_eq!((told.len(), told[0].contact, told[0].contacts[0].id), (1, own.id, old.id));
    assert!(!told[0].contacts[0].evidence.is_empty());
    assert!(
        matches!(&shown.contacts[..], [one] if matches!(&one.who,
            PlannedPerson::Known { id, instead_of, .. } if *id == old.id && *instead_of == [own.id])),
        "{:?}",
        shown.contacts
    );
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &shown));
    assert_eq!(done.contacts, [old.id]);
    let of = host.read(|ctx, txn| contacts::of_account(ctx, txn, known.id));
    let [only] = &of[..] else { panic!("{of:?}") };
    let fields = &only.contact.fields;
    assert!(fields.emails.entries()[0].opted_out && fields.do_not_call.is_some(), "the strictest wins");
    assert_eq!(fields.role.as_deref(), Some("Decides"), "what it lacked");
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    let of = host.read(|ctx, txn| contacts::of_account(ctx, txn, known.id));
    assert_eq!(of[0].contact.fields, old.fields);
    // Two that are as likely are nobody's guess.
    person(&host, account(&host, &named("Two")).id, "Old Primary", "op@ex.example");
    let error = unplanned(&host, &lead, &best, ErrorKind::Conflict);
    assert!(matches!(error.conflict(), Some(Conflict::AmbiguousMatch { .. })));
    assert!(error.to_string().contains("contacts[0]"), "{error}");
    // Unless asked, nobody is matched.
    assert_eq!(into(&host, &lead, &options().into_account(known.id)).contacts, [own.id]);
}

/// A customer with a person, and a lead whose further person is the same by number and name, at another address.
fn by_phone_and_name(host: &Host) -> (Contact, Lead, Contact) {
    let known = account(host, &named("EX"));
    let phones = || Phones::parse("+47 22 22 55 55", None).unwrap();
    let add =
        |host: &Host, of: contacts::Holder, mail: &str, phones: Phones, do_not_call: Option<MarkNote>| {
            let emails = Emails::parse(mail).unwrap();
            let fields =
                ContactFields { emails, phones, do_not_call, ..ContactFields::named("Ola Nord").unwrap() };
            host.write(|ctx, txn| contacts::add(ctx, txn, of, fields.clone(), false))
        };
    let old = add(host, known.id.into(), "ola@work.example", phones(), None);
    let lead = host.add(form(&[
        (Field::Company, "EX"),
        (Field::Name, "Kari Berg"),
        (Field::Phone, "+47 33 33 55 55"),
    ]));
    let own = add(host, lead.id.into(), "ola@home.example", phones(), Some(MarkNote::default()));
    (old, lead, own)
}

#[test]
fn what_a_further_person_said_holds_for_the_contact_that_it_is() {
    let host = Host::new();
    let (old, lead, own) = by_phone_and_name(&host);
    let best = options().person(PersonChoice::Match(MatchPolicy::Best { at_least: 70 }));
    let shown = plan(&host, &lead, &best);
    let known = shown.contacts.iter().find_map(|one| match &one.who {
        PlannedPerson::Known { id, fields, instead_of, is_lead, .. } => {
            Some((*id, fields, instead_of, is_lead))
        }
        _ => None,
    });
    let (id, fields, instead_of, is_lead) = known.expect("by number and name");
    assert_eq!((id, &instead_of[..], *is_lead), (old.id, &[own.id][..], false));
    assert!(fields.do_not_call.is_some(), "it is shown");
    host.write(|ctx, txn| convert::apply(ctx, txn, &shown));
    let now = host.read(|_, txn| txn.contacts().get(&[old.id])).remove(0).fields;
    assert!(now.do_not_call.is_some());
}

#[test]
fn hidden_fields_of_a_matched_person_come_from_that_person() {
    let host = Host::new();
    let (old, lead, own) = by_phone_and_name(&host);
    // Without a number the customer's Ola would learn one: that of the lead's Ola, not of Kari.
    host.write(|ctx, txn| {
        let fields = ContactFields { phones: Phones::none(), ..old.fields.clone() };
        let account = old_account(txn, &old)?;
        contacts::edit(ctx, txn, account, old.id, Expect::Any, fields)
    });
    host.write(|ctx, txn| {
        let fields = ContactFields { emails: old.fields.emails.clone(), ..own.fields.clone() };
        contacts::edit(ctx, txn, lead.id, own.id, Expect::Any, fields)
    });
    let eve = "eve".parse().unwrap();
    let role = Role::manager().hide(Field::Phone).unwrap();
    let table = RoleTable::new().role("m", role).user(&eve, &["m"], None).unwrap();
    let best = options().person(PersonChoice::Match(MatchPolicy::Best { at_least: 70 }));
    let done = host.write_as("eve", &table, |ctx, txn| convert::convert(ctx, txn, lead.id, &best)).unwrap();
    assert!(done.contacts.contains(&old.id), "{done:?}");
    let now = host.read(|_, txn| txn.contacts().get(&[old.id])).remove(0).fields;
    let phones: Vec<_> = now.phones.iter().map(|phone| phone.as_str().to_owned()).collect();
    assert_eq!(phones, ["+47 22 22 55 55"]);
}

fn old_account(txn: &mut dyn Txn, contact: &Contact) -> Result<AccountId> {
    let links = txn.links().to(&[contact.id.into()], None)?;
    Ok(AccountId::from_uuid(links[0].from.id))
}

#[test]
fn a_primary_contact_of_an_account_stays_and_the_plan_says_so() {
    let host = Host::new();
    let known = account(&host, &named("EX"));
    let old = person(&host, known.id, "Old Primary", "op@ex.example");
    let lead = host.add(form(&[(Field::Company, "EX"), (Field::Name, "Newcomer")]));
    let wanted = options().into_account(known.id);
    let shown = plan(&host, &lead, &wanted);
    assert_eq!(shown.contacts.iter().map(|one| one.is_primary).collect::<Vec<_>>(), [false]);
    into(&host, &lead, &wanted);
    let of = host.read(|ctx, txn| contacts::of_account(ctx, txn, known.id));
    assert_eq!((of[0].contact.id, of[0].is_primary, of[1].is_primary), (old.id, true, false));
    let lead = host.add(form(&[(Field::Company, "EX"), (Field::Name, "Old Primary")]));
    let shown = plan(&host, &lead, &wanted.person(PersonChoice::Existing(old.id)));
    assert!(shown.contacts[0].is_primary, "it is");
}

#[test]
fn a_person_that_a_lead_became_is_worked_with() {
    let host = Host::new();
    let lead = host.add(form(&[
        (Field::Company, "C"),
        (Field::Name, "Per Vik"),
        (Field::Email, "p@c.example"),
        (Field::Owner, "ada"),
    ]));
    let [per] = into(&host, &lead, &options().contact_only()).contacts[..] else { panic!() };
    let mark = AddressMark::opt_out(ReachChannel::Email, "p@c.example");
    host.write(|ctx, txn| contacts::mark(ctx, txn, per, Expect::Any, &mark));
    host.write(|ctx, txn| contacts::do_not_call(ctx, txn, per, Expect::Any, Some(&MarkNote::default())));
    host.write(|ctx, txn| activities::add(ctx, txn, &[per.into()], ActivityFields::task("Call")));
    let before = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id)).remove(0).contact;
    let fields = ContactFields { job_title: Some("CEO".to_owned()), ..before.fields.clone() };
    host.write(|ctx, txn| contacts::edit(ctx, txn, lead.id, per, Expect::Any, fields.clone()));
    let edit = last_operation(&host, per);
    host.write(|ctx, txn| undo::undo(ctx, txn, edit));
    let now = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id)).remove(0).contact;
    assert_eq!(now.fields, before.fields);
    // The lead itself stays frozen, and others stay out.
    let patch = LeadPatch::new().set(Field::City, "Oslo");
    let edit = host.try_write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch));
    refused(edit, ErrorKind::Frozen);
    let add = host.try_write(|ctx, txn| {
        contacts::add(ctx, txn, lead.id, ContactFields::named("Eva Moe").unwrap(), false)
    });
    refused(add, ErrorKind::Frozen);
    let sales = RoleTable::new()
        .role("sales", Role::salesperson())
        .user(&"eve".parse().unwrap(), &["sales"], None)
        .unwrap();
    let strange = host.write_as("eve", &sales, |ctx, txn| contacts::mark(ctx, txn, per, Expect::Any, &mark));
    assert!(matches!(strange.unwrap_err().kind(), ErrorKind::NotFound | ErrorKind::Denied));
    // A lead that became an account opens nobody by itself.
    let lead = host.add(form(&[(Field::Company, "D"), (Field::Name, "Ola Dal")]));
    let [ola] = into(&host, &lead, &options()).contacts[..] else { panic!() };
    let edit = host.try_write(|ctx, txn| {
        contacts::edit(ctx, txn, lead.id, ola, Expect::Any, ContactFields::named("Ola").unwrap())
    });
    refused(edit, ErrorKind::Frozen);
}

#[test]
fn an_existing_person_is_filled_where_it_is_empty() {
    let host = Host::new();
    let known = account(&host, &named("EX"));
    let kay = person(&host, known.id, "Kay", "");
    let lead = host.add(form(&[
        (Field::Company, "EX"),
        (Field::Name, "Kay Berg"),
        (Field::Email, "k@x.example"),
        (Field::JobTitle, "CEO"),
    ]));
    into(&host, &lead, &options().into_account(known.id).person(PersonChoice::Existing(kay.id)));
    let now = host.read(|ctx, txn| contacts::of_account(ctx, txn, known.id)).remove(0).contact.fields;
    let name = now.name.as_ref().map(|name| name.full().to_owned());
    assert_eq!((name.as_deref(), now.job_title.as_deref()), (Some("Kay"), Some("CEO")));
    assert_eq!(now.emails.primary().map(|email| email.as_str().to_owned()).as_deref(), Some("k@x.example"));
}

#[test]
fn what_is_wrong_with_the_opportunity_is_told_by_the_plan() {
    let host = Host::new();
    let lead = host.add(company("O"));
    let told = |request: OpportunityRequest| {
        let error = unplanned(&host, &lead, &options().with_opportunity(request), ErrorKind::Invalid);
        fields_of(&error).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let patch = OpportunityPatch::new;
    assert_eq!(
        told(OpportunityRequest::new().with(patch().probability(Some(150)))),
        ["opportunity.probability"]
    );
    let amount = patch().amount(Some("1.00001".parse().unwrap()));
    assert_eq!(told(OpportunityRequest::new().with(amount)), ["opportunity.amount"]);
    let late = OpportunityEnding::Won { on: Some("2030-01-01".parse().unwrap()) };
    assert_eq!(told(OpportunityRequest::new().ended(late)), ["opportunity.on"]);
    let reason = Some(leadcore::id::LostReasonId::from_uuid(host.scene.uuid()));
    let lost = OpportunityEnding::Lost { on: None, reason, detail: None };
    assert_eq!(told(OpportunityRequest::new().ended(lost)), ["opportunity.reason"]);
    let strange = leadcore::id::NumberSeriesId::from_uuid(host.scene.uuid());
    assert_eq!(told(OpportunityRequest::new().series(strange)), ["opportunity.series"]);
}

#[test]
fn options_without_an_effect_are_refused_by_name() {
    let host = Host::new();
    let lead = host.add(form(&[(Field::Company, "O"), (Field::Name, "Per Vik")]));
    let known = account(&host, &named("EX"));
    let series = leadcore::id::NumberSeriesId::from_uuid(host.scene.uuid());
    let told = |options: ConversionOptions| {
        let error = unplanned(&host, &lead, &options, ErrorKind::Invalid);
        fields_of(&error).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let prospect = || options().status(AccountStatus::Prospect);
    assert_eq!(told(prospect().contact_only()), ["status"]);
    assert_eq!(told(options().series(series).contact_only()), ["series"]);
    assert_eq!(told(options().estimates(EstimateChoice::All).contact_only()), ["estimates"]);
    assert_eq!(told(prospect().series(series).into_account(known.id)), ["series", "status"]);
    assert_eq!(told(prospect().customer(CustomerType::ActiveWithInvoice)), ["status"]);
    let person = PersonChoice::Match(MatchPolicy::AskCaller);
    assert_eq!(told(options().account_only().person(person)), ["person"]);
    let plan = plan(&host, &lead, &prospect().customer(CustomerType::InactiveWithProforma));
    assert_eq!(plan.account.fields().map(|fields| fields.status), Some(AccountStatus::Prospect));
    // Of many leads it is told that the target is not there, not that the lead is not.
    let chosen = Selection::Ids(vec![lead.id]);
    let nowhere = options().into_account(AccountId::from_uuid(host.scene.uuid()));
    let many = host.write(|ctx, txn| convert::many(ctx, txn, &chosen, &nowhere));
    assert!(
        matches!(&many.results[0].outcome, LeadConverted::GateUnmet(broken) if broken[0].field == "account"),
        "{many:?}"
    );
}

#[test]
fn what_is_appended_does_not_stay_on_the_lead() {
    let host = Host::new();
    let mut mapping = ConversionMapping::standard();
    mapping.rules.retain(|rule| rule.to.to_string() != "account.description");
    let mapping = mapping.with(Field::Description, "account.description", FillPolicy::Append).unwrap();
    host.write(|ctx, txn| conversion_mapping::set(ctx, txn, None, &mapping));
    let known = account(&host, &AccountFields { description: Some("AD".to_owned()), ..named("D") });
    let lead = host.add(form(&[(Field::Company, "D"), (Field::Description, "LD")]));
    let shown = plan(&host, &lead, &options().into_account(known.id));
    assert_eq!(shown.stays_on_lead, []);
}

#[test]
fn a_required_field_of_opportunities_is_linted_without_a_rule_of_theirs() {
    let host = Host::new();
    let mut catalogue = Catalogue::of(CatalogueKind::Opportunity);
    let key: leadcore::domain::CustomKey = "x_req".parse().unwrap();
    catalogue.set_custom_field(CustomField::new(key.clone(), "Req", CustomType::Text));
    catalogue.settings_mut(Field::Custom(key)).required = Some(true);
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    let found = host.read(|ctx, txn| conversion_mapping::lint(ctx, txn, &ConversionMapping::standard()));
    let told = found.iter().find(|one| one.code == FindingCode::NoSource).unwrap();
    assert_eq!(told.to.as_ref().map(ToString::to_string).as_deref(), Some("opportunity.x_req"));
    assert_eq!(told.severity, Severity::Warning, "a conversion need not make one");
}

#[test]
fn one_tax_number_written_two_ways_is_one() {
    let host = Host::new();
    let fields = |name: &str, id: &str, country: &str| {
        form(&[(Field::Company, name), (Field::TaxId, id), (Field::Country, country)])
    };
    let known = into(&host, &host.add(fields("First", "923609016", "NO")), &options()).account.unwrap();
    let best = options().choosing(AccountChoice::Match(MatchPolicy::Best { at_least: 90 }));
    let lead = host.add(fields("Other", "NO 923 609 016 MVA", "NO"));
    assert_eq!(into(&host, &lead, &best).account, Some(known));
    let lead = host.add(fields("Third", "DE923609016", "DE"));
    assert_ne!(into(&host, &lead, &best).account, Some(known), "another country");
}

#[test]
fn a_match_out_of_sight_says_what_can_be_done() {
    let host = Host::new();
    host.write_as("bob", &AllowAll, |ctx, txn| {
        let fields = LeadFields { owner: Some("bob".parse().unwrap()), ..company("Hidden AS") };
        let lead = leads::create(ctx, txn, fields.into())?;
        convert::convert(ctx, txn, lead.id, &ConversionOptions::default())
    })
    .unwrap();
    let sales = RoleTable::new()
        .role("sales", Role::salesperson().grant(Permission::Convert, Visibility::Own))
        .user(&"eve".parse().unwrap(), &["sales"], None)
        .unwrap();
    let wanted = options().choosing(AccountChoice::Match(MatchPolicy::Best { at_least: 60 }));
    let error = host.write_as("eve", &sales, |ctx, txn| {
        let fields = LeadFields { owner: Some("eve".parse().unwrap()), ..company("Hidden AS") };
        let lead = leads::create(ctx, txn, fields.into())?;
        convert::convert(ctx, txn, lead.id, &wanted)
    });
    let error = refused(error, ErrorKind::Conflict).to_string();
    assert!(error.starts_with("1 record out of sight may be this account: ask"), "{error}");
}
