//! What a second look at conversions found: persons that stay behind, hidden fields, edited plans.

use leadcore::desk::convert::{
    self, ConversionOptions, OpportunityChoice, OpportunityRequest, PersonChoice, PlannedAccount,
};
use leadcore::desk::{accounts, activities, contacts, leads, lines, opportunities, settings, undo};
use leadcore::domain::{
    AccountFields, AccountPatch, ActivityFields, AddressMark, Catalogue, CatalogueKind, ContactFields,
    ContactPatch, CustomField, CustomKey, CustomType, Emails, Field, Line, MarkNote, OpportunityFields,
    OpportunityPatch, ReachChannel, Subject, Topics,
};
use leadcore::error::{ErrorKind, Violation, ViolationCode};
use leadcore::policy::{Role, RoleTable};

use crate::support::{Host, company, fields_of, form, refused};

const ANY: leadcore::desk::Expect = leadcore::desk::Expect::Any;

fn options() -> ConversionOptions {
    ConversionOptions::default()
}

#[test]
fn a_person_that_stays_behind_is_marked_and_its_work_is_finished() {
    let host = Host::new();
    let lead = host.add(company("IA AS"));
    let ia = ContactFields {
        emails: Emails::parse("ia@ia.example").unwrap(),
        ..ContactFields::named("Ia Vik").unwrap()
    };
    let ia = host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, ia.clone(), false));
    let task =
        host.write(|ctx, txn| activities::add(ctx, txn, &[ia.id.into()], ActivityFields::task("Call Ia")));
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options().account_only()));
    let mark = AddressMark::opt_out(ReachChannel::Email, "ia@ia.example");
    let marked = host.write(|ctx, txn| contacts::mark(ctx, txn, ia.id, ANY, &mark));
    assert!(marked.fields.emails.entries()[0].opted_out);
    host.write(|ctx, txn| activities::complete(ctx, txn, task.id, ANY));
    // Through the lead nothing is written: that is frozen.
    let fields = ContactFields::named("Ia Berg").unwrap();
    let error = host.try_write(|ctx, txn| contacts::edit(ctx, txn, lead.id, ia.id, ANY, fields.clone()));
    refused(error, ErrorKind::Frozen);
}

#[test]
fn who_may_not_see_a_field_neither_reads_nor_writes_it_by_a_plan() {
    let host = Host::new();
    let eve = "eve".parse().unwrap();
    let role = Role::manager().hide(Field::TaxId).unwrap().hide(Field::Amount).unwrap();
    let table = RoleTable::new().role("m", role).user(&eve, &["m"], None).unwrap();
    let lead = host.add(form(&[
        (Field::Company, "Nordlys AS"),
        (Field::TaxId, "SECRET99"),
        (Field::Amount, "500"),
        (Field::Currency, "EUR"),
    ]));
    let wanted = options().with_opportunity(OpportunityRequest::new());
    let mut plan =
        host.write_as("eve", &table, |ctx, txn| convert::plan(ctx, txn, lead.id, &wanted)).unwrap();
    let told = serde_json::to_string(&plan).unwrap();
    assert!(!told.contains("SECRET99") && !told.contains("500"), "{told}");
    assert!(plan.hidden.contains(&Field::TaxId) && plan.hidden.contains(&Field::Amount), "{:?}", plan.hidden);
    let PlannedAccount::New { fields, .. } = &mut plan.account else { panic!("{plan:?}") };
    fields.tax_id = Some("EVIL1234".parse().unwrap());
    let done = host.write_as("eve", &table, |ctx, txn| convert::apply(ctx, txn, &plan)).unwrap();
    let account = host.read(|ctx, txn| accounts::get(ctx, txn, done.account.unwrap()));
    assert_eq!(account.fields.tax_id.unwrap().as_str(), "SECRET99", "as the mapping makes it");
    let deal = host.read(|ctx, txn| opportunities::get(ctx, txn, done.opportunity.unwrap()));
    assert_eq!(deal.fields.amount.unwrap().normalize().to_string(), "500");
    let second = host.add(company("Fjord AS"));
    let patch = OpportunityPatch::new().amount(Some(5.into()));
    let asked = options().with_opportunity(OpportunityRequest::new().with(patch));
    let told = host.write_as("eve", &table, |ctx, txn| convert::convert(ctx, txn, second.id, &asked));
    assert_eq!(fields_of(&refused(told, ErrorKind::Invalid)), ["opportunity.amount"]);
}

#[test]
fn what_is_required_and_hidden_is_no_field_to_fill_in() {
    let host = Host::new();
    let (eve, key): (_, CustomKey) = ("eve".parse().unwrap(), "x_terms".parse().unwrap());
    let field = CustomField::new(key.clone(), "Payment terms", CustomType::Text).required(true);
    for kind in [CatalogueKind::Account, CatalogueKind::Opportunity] {
        let mut catalogue = Catalogue::of(kind);
        catalogue.set_custom_field(field.clone());
        host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    }
    let role = Role::manager().hide(Field::Custom(key)).unwrap();
    let table = RoleTable::new().role("m", role).user(&eve, &["m"], None).unwrap();
    let lead = host.add(company("Nordlys AS"));
    // Who sees it fills it in.
    let seen = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &options()));
    assert_eq!(seen.missing.iter().map(|one| one.code).collect::<Vec<_>>(), [ViolationCode::Required]);
    // Who does not is told why it does not go on, with a plan, in each step and without one.
    let reason = |told: &[Violation], fields: &[&str]| {
        assert_eq!(told.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), fields);
        for one in told {
            assert_eq!(one.code, ViolationCode::NotAllowed);
            assert!(one.message.contains("somebody who may see it has to convert"), "{one:?}");
        }
    };
    let plan = host.write_as("eve", &table, |ctx, txn| convert::plan(ctx, txn, lead.id, &options())).unwrap();
    reason(&plan.missing, &["account.x_terms"]);
    let second = plan.clone().customer_fields(&AccountPatch::new(), &ContactPatch::new()).unwrap();
    reason(&second.missing, &["account.x_terms"]);
    let applied = host.write_as("eve", &table, |ctx, txn| convert::apply(ctx, txn, &second));
    reason(refused(applied, ErrorKind::Invalid).violations(), &["account.x_terms"]);
    let both = options().with_opportunity(OpportunityRequest::new());
    let lacks = ["account.x_terms", "opportunity.x_terms"];
    let plan = host.write_as("eve", &table, |ctx, txn| convert::plan(ctx, txn, lead.id, &both)).unwrap();
    reason(&plan.missing, &lacks);
    let said = OpportunityPatch::new().probability(Some(50));
    let second = plan.opportunity_fields(&said).unwrap();
    reason(&second.missing, &lacks);
    for told in [
        host.write_as("eve", &table, |ctx, txn| convert::apply(ctx, txn, &second)),
        host.write_as("eve", &table, |ctx, txn| convert::convert(ctx, txn, lead.id, &both)),
    ] {
        reason(refused(told, ErrorKind::Invalid).violations(), &lacks);
    }
}

#[test]
fn s1_14_the_products_of_a_lead_are_told_and_shown_with_what_it_becomes() {
    let host = Host::new();
    let line = |name: &str| Line::new(name, 2.into(), 100.into());
    let offered = |company: &str| {
        let lead = host.add(form(&[
            (Field::Company, company),
            (Field::Name, "Kari Berg"),
            (Field::Currency, "EUR"),
        ]));
        let products = vec![line(company)];
        host.write(|ctx, txn| lines::set(ctx, txn, lead.id, ANY, products.clone().into()))
            .map(|list| (lead, list))
    };
    let (lead, list) = offered("Nordlys AS").unwrap();
    let wanted = options().with_opportunity(OpportunityRequest::new());
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &wanted));
    assert_eq!(plan.products.as_ref(), Some(&list), "the plan tells of them");
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &plan));
    let (account, deal) = (done.account.unwrap(), done.opportunity.unwrap());
    let of = |subject: Subject| host.read(|ctx, txn| lines::list(ctx, txn, subject));
    for shown in [lead.id.into(), account.into(), deal.into()] {
        assert_eq!(of(shown), std::slice::from_ref(&list), "{shown:?}");
    }
    // Also of who joins it; and of what is made of the lead later.
    let (second, joined) = offered("Nordlys Energi AS").unwrap();
    let running = OpportunityChoice::Existing(deal);
    host.write(|ctx, txn| convert::convert(ctx, txn, second.id, &options().opportunity(running.clone())));
    let fields = OpportunityFields::named("Care");
    let care = host.write(|ctx, txn| opportunities::create(ctx, txn, second.id, fields.clone().into()));
    assert_eq!(of(deal.into()), [list.clone(), joined.clone()]);
    assert_eq!((of(account.into()), of(care.id.into())), (vec![list.clone(), joined.clone()], vec![joined]));
    let refused_of = host.try_read(|ctx, txn| lines::list(ctx, txn, Subject::from(done.contacts[0])));
    assert_eq!(fields_of(&refused(refused_of, ErrorKind::Invalid)), ["of"]);
    // What they add up to is the amount: who may not see that sees none of them, and no plan tells of them.
    let eve = "eve".parse().unwrap();
    let role = Role::manager().hide(Field::Amount).unwrap();
    let table = RoleTable::new().role("m", role).user(&eve, &["m"], None).unwrap();
    let told = host.write_as("eve", &table, |ctx, txn| lines::list(ctx, txn, deal));
    assert_eq!(refused(told, ErrorKind::Invalid).violations().len(), 1);
    let (third, _) = offered("Fjord AS").unwrap();
    let plan = host.write_as("eve", &table, |ctx, txn| convert::plan(ctx, txn, third.id, &wanted)).unwrap();
    assert_eq!(plan.products, None);
    // The way back leaves the opportunity what the other lead brought.
    host.write(|ctx, txn| opportunities::delete(ctx, txn, care.id, ANY));
    host.write(|ctx, txn| convert::unconvert(ctx, txn, second.id));
    assert_eq!(of(deal.into()), [list]);
}

#[test]
fn an_edited_plan_names_currencies_that_exist_and_the_status_of_its_type() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let wanted = options().customer(convert::CustomerType::ActiveWithInvoice);
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &wanted));
    let edited = |from: &str, to: &str| {
        let text = serde_json::to_string(&plan).unwrap();
        assert!(text.contains(from), "{text}");
        let plan: convert::ConversionPlan = serde_json::from_str(&text.replacen(from, to, 1)).unwrap();
        let told = host.try_write(|ctx, txn| convert::apply(ctx, txn, &plan));
        fields_of(&refused(told, ErrorKind::Invalid)).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(edited("\"status\":\"customer\"", "\"status\":\"prospect\""), ["account.status"]);
    assert_eq!(edited("\"currency\":null", "\"currency\":\"ZZZ\""), ["account.currency"]);
}

#[test]
fn what_was_said_since_to_a_customer_goes_back_with_the_lead() {
    let host = Host::new();
    let mail = "v@v.example";
    let account = AccountFields { emails: Emails::parse(mail).unwrap(), ..AccountFields::default() };
    let account = AccountFields { name: "V".to_owned(), ..account };
    let account = host.write(|ctx, txn| accounts::create(ctx, txn, account.clone().into()));
    let person =
        ContactFields { emails: Emails::parse(mail).unwrap(), ..ContactFields::named("Vera").unwrap() };
    let person = host.write(|ctx, txn| contacts::add(ctx, txn, account.id, person.clone(), false));
    let fields = [
        (Field::Company, "V2"),
        (Field::Name, "Vera"),
        (Field::Email, mail),
        (Field::Phone, "+47 22 22 55 55"),
    ];
    let lead = host.add(form(&fields));
    let wanted = options().into_account(account.id).person(PersonChoice::Existing(person.id));
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &wanted));
    host.scene.tick();
    let mark = AddressMark::opt_out(ReachChannel::Email, mail).because("unsubscribed");
    host.write(|ctx, txn| contacts::mark(ctx, txn, person.id, ANY, &mark));
    host.write(|ctx, txn| contacts::do_not_call(ctx, txn, person.id, ANY, Some(&MarkNote::default())));
    assert!(host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id)).blockers.is_empty());
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    let now = host.read(|ctx, txn| leads::get(ctx, txn, lead.id)).fields;
    assert!(now.emails.entries()[0].opted_out && now.phones.entries()[0].opted_out, "{now:?}");
    // Nothing was said: the lead is as it was.
    let other = host.add(form(&fields));
    host.write(|ctx, txn| convert::convert(ctx, txn, other.id, &wanted));
    host.write(|ctx, txn| convert::unconvert(ctx, txn, other.id));
    let now = host.read(|ctx, txn| leads::get(ctx, txn, other.id)).fields;
    assert_eq!(now, other.fields);
}

#[test]
fn an_undo_leaves_what_a_customer_has_by_now() {
    let host = Host::new();
    let last = |of: Subject| {
        host.read(|_, txn| txn.journal().about(&[of], Topics::NONE, None, 1)).remove(0).operation
    };
    // The products of a lead are frozen with it.
    let lead = host.add(form(&[(Field::Company, "E AS"), (Field::Currency, "EUR")]));
    let products = vec![Line::new("Panel", 1.into(), 10.into())];
    host.write(|ctx, txn| lines::set(ctx, txn, lead.id, ANY, products.clone().into()));
    let set = last(lead.id.into());
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options()));
    let done = host.write(|ctx, txn| undo::undo(ctx, txn, set));
    assert_eq!((done.totals.reversed, done.totals.kept), (0, 1), "{done:?}");
    assert!(host.read(|ctx, txn| lines::of(ctx, txn, lead.id)).is_some());
    // A person whom a lead became stays with the customer.
    let account = AccountFields { name: "A".to_owned(), ..AccountFields::default() };
    let account = host.write(|ctx, txn| accounts::create(ctx, txn, account.clone().into()));
    let person = ContactFields::named("Kay Berg").unwrap();
    let person = host.write(|ctx, txn| contacts::add(ctx, txn, account.id, person.clone(), false));
    let added = last(account.id.into());
    let lead = host.add(company("B AS"));
    let wanted = options().into_account(account.id).person(PersonChoice::Existing(person.id));
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &wanted));
    let done = host.write(|ctx, txn| undo::undo(ctx, txn, added));
    assert_eq!(done.totals.reversed, 0, "{done:?}");
    assert_eq!(host.read(|ctx, txn| contacts::of_account(ctx, txn, account.id)).len(), 1);
    // Nothing comes back to an account that is gone.
    let gone = AccountFields { name: "G".to_owned(), ..AccountFields::default() };
    let gone = host.write(|ctx, txn| accounts::create(ctx, txn, gone.clone().into()));
    let fields = OpportunityFields::named("Ghost");
    let deal = host.write(|ctx, txn| opportunities::create(ctx, txn, gone.id, fields.clone().into()));
    host.write(|ctx, txn| opportunities::delete(ctx, txn, deal.id, ANY));
    let deleted = last(gone.id.into());
    host.write(|ctx, txn| accounts::delete(ctx, txn, gone.id, ANY));
    let done = host.write(|ctx, txn| undo::undo(ctx, txn, deleted));
    assert_eq!(done.totals.reversed, 0, "{done:?}");
}

#[test]
fn an_opportunity_is_not_named_by_what_its_maker_may_not_see() {
    let host = Host::new();
    let eve = "eve".parse().unwrap();
    let role = Role::manager().hide(Field::Company).unwrap();
    let table = RoleTable::new().role("m", role).user(&eve, &["m"], None).unwrap();
    let wanted = options().with_opportunity(OpportunityRequest::new());
    let named = form(&[(Field::Company, "SECRET AS"), (Field::Name, "Ia Berg")]);
    for (fields, by_number) in [(named, false), (company("SECRET AS"), true)] {
        let lead = host.add(fields);
        let plan =
            host.write_as("eve", &table, |ctx, txn| convert::plan(ctx, txn, lead.id, &wanted)).unwrap();
        let told = serde_json::to_string(&plan).unwrap();
        assert!(!told.contains("SECRET"), "{told}");
        let name = if by_number { format!("#{}", lead.number) } else { "Ia Berg".to_owned() };
        let done = host.write_as("eve", &table, |ctx, txn| convert::apply(ctx, txn, &plan)).unwrap();
        let deal =
            host.write_as("eve", &table, |ctx, txn| opportunities::get(ctx, txn, done.opportunity.unwrap()));
        assert_eq!(deal.unwrap().fields.name, name);
        let account = host.read(|ctx, txn| accounts::get(ctx, txn, done.account.unwrap()));
        assert_eq!(account.fields.name, "SECRET AS", "as the mapping makes it");
    }
    // Without looking at a plan, too; and whoever sees the company names it so.
    let [at_once, seen] = [(); 2].map(|()| host.add(company("SECRET AS")));
    let done = host.write_as("eve", &table, |ctx, txn| convert::convert(ctx, txn, at_once.id, &wanted));
    let deal =
        host.read(|ctx, txn| opportunities::get(ctx, txn, done.as_ref().unwrap().opportunity.unwrap()));
    assert_eq!(deal.fields.name, format!("#{}", at_once.number));
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, seen.id, &wanted));
    let deal = host.read(|ctx, txn| opportunities::get(ctx, txn, done.opportunity.unwrap()));
    assert_eq!(deal.fields.name, "SECRET AS");
}
