//! The Splynx manual, Leads (S2): the lead form, "My leads", the filter tab, the way to a customer.

use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::views::{self, ViewRequest};
use leadcore::desk::{Expect, accounts, contacts, leads, pipelines, vocabulary};
use leadcore::domain::{AccountFields, Actor, Field, LeadFields, LeadPatch, StageKind, SystemView};
use leadcore::error::ErrorKind;
use leadcore::id::{CategoryId, LocationId, PartnerId, SourceId, UserId};
use leadcore::policy::{AllowAll, Permission, Policy, Role, RoleTable, Scope};
use leadcore::query::{Filter, LeadQuery, Operator};

use crate::support::{Host, company, fields_of, form, refused};

#[test]
fn s2_01_full_name() {
    let mut host = Host::new();
    let lead = host.add(form(&[(Field::Kind, "consumer"), (Field::Name, "Dr. Anna Maria van der Berg")]));
    host.restart();
    let person = host.get(&lead).fields.person.unwrap();
    assert_eq!(person.full(), "Dr. Anna Maria van der Berg", "one field, as it was typed");
    assert_eq!(
        (person.prefix(), person.given(), person.family()),
        (Some("Dr."), Some("Anna Maria"), Some("van der Berg"))
    );
    let single = host.add(form(&[(Field::Kind, "consumer"), (Field::Name, "Madonna")]));
    assert_eq!(host.get(&single).fields.person.unwrap().full(), "Madonna", "parts are optional");
}

#[test]
fn s2_02_pipeline_status() {
    let host = Host::new();
    // Config → Leads → Leads pipeline: add, edit, order.
    let stage = |name: &str, kind| pipelines::new_stage(&host.ctx(), name, kind);
    let stages = vec![
        stage("Call", StageKind::Open),
        stage("Visit", StageKind::Open),
        stage("Signed", StageKind::Won),
        stage("No", StageKind::Lost),
    ];
    let mut pipeline = host.write(|ctx, txn| pipelines::add(ctx, txn, "Fibre", stages.clone()));
    let lead = host.add(company("Nordlys AS"));
    assert_eq!(pipeline.stage(lead.stage).unwrap().name, "Call", "a new lead starts in the first");
    pipeline.stages.swap(0, 1);
    pipeline.stages[0].name = "Site visit".to_owned();
    pipeline = host.write(|ctx, txn| pipelines::update(ctx, txn, pipeline.clone()));
    let names: Vec<_> = pipeline.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names, ["Site visit", "Call", "Signed", "No"]);
    let next = host.add(company("Fjord AS"));
    assert_eq!(pipeline.stage(next.stage).unwrap().name, "Site visit");
    let signed = pipeline.stage_named("signed").unwrap();
    assert_eq!((signed.kind, signed.probability), (StageKind::Won, Some(100)));
    let moved = host.write(|ctx, txn| leads::move_to(ctx, txn, lead.id, lead.revision, signed.id));
    assert_eq!(host.get(&moved).stage, signed.id);
}

#[test]
fn s2_03_owner() {
    let host = Host::new();
    let own = host.add(company("Nordlys AS"));
    assert_eq!(own.fields.owner, Some("ada".parse().unwrap()), "who adds it is responsible");
    let given = LeadPatch::new().set(Field::Owner, "bob");
    let given = host.write(|ctx, txn| leads::edit(ctx, txn, own.id, own.revision, &given));
    assert_eq!(given.fields.owner, Some("bob".parse().unwrap()));
    assert_eq!(host.names(Filter::eq(Field::Owner, "bob")), ["Nordlys AS"]);
    // Administrators who do not exist are responsible for nothing.
    let table =
        RoleTable::new().role("all", Role::manager()).user(&"ada".parse().unwrap(), &["all"], None).unwrap();
    let stranger = LeadPatch::new().set(Field::Owner, "eve");
    let edit = host.write_as("ada", &table, |ctx, txn| leads::edit(ctx, txn, own.id, Expect::Any, &stranger));
    assert_eq!(fields_of(&refused(edit, ErrorKind::Invalid)), ["owner"]);
}

#[test]
fn s2_04_phones_separated_by_commas() {
    let mut host = Host::new();
    let typed = "77 60 00 12, +46 8 123 456 78 , 22334455";
    let lead =
        host.add(form(&[(Field::Company, "Nordlys AS"), (Field::Country, "NO"), (Field::Phone, typed)]));
    host.restart();
    let phones = host.get(&lead).fields.phones;
    let shown: Vec<_> = phones.iter().map(leadcore::value::Phone::as_str).collect();
    assert_eq!(shown, ["77 60 00 12", "+46 8 123 456 78", "22334455"], "as they were typed");
    let e164: Vec<_> = phones.iter().map(|phone| phone.e164().unwrap()).collect();
    assert_eq!(e164, ["+4777600012", "+46812345678", "+4722334455"], "each normalised");
    for number in [
        "+47 776 00 012",
        "+46-8-12345678",
        "12345678",
        "08-12345678",
        "0047 776 00 012",
        "22 33 44 55",
        "334455",
    ] {
        assert_eq!(host.names(Filter::search(number)), ["Nordlys AS"], "{number}");
    }
}

#[test]
fn s2_05_emails_separated_by_commas() {
    let mut host = Host::new();
    let typed = "Kari@Nordlys.example, post@nordlys.example ,kari@nordlys.EXAMPLE";
    let lead = host.add(form(&[(Field::Company, "Nordlys AS"), (Field::Email, typed)]));
    host.restart();
    let emails = host.get(&lead).fields.emails;
    let shown: Vec<_> = emails.iter().map(leadcore::value::Email::as_str).collect();
    assert_eq!(shown, ["Kari@Nordlys.example", "post@nordlys.example"], "as typed, each once");
    assert_eq!(host.names(Filter::eq(Field::Email, "POST@nordlys.example")), ["Nordlys AS"]);
    let wrong = LeadPatch::new().set(Field::Email, "post@nordlys.example, nordlys.example");
    let edit = host.try_write(|ctx, txn| leads::edit(ctx, txn, lead.id, lead.revision, &wrong));
    assert_eq!(fields_of(&refused(edit, ErrorKind::Invalid)), ["email"], "each is checked");
}

#[test]
fn s2_06_source() {
    let host = Host::new();
    let friend = host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "A friend", None));
    let mut fields = company("Nordlys AS");
    fields.source = Some(friend.id);
    let lead = host.add(fields.clone());
    assert_eq!(host.get(&lead).fields.source, Some(friend.id));
    fields.source = Some(SourceId::from_uuid(host.scene.uuid()));
    let made = host.try_write(|ctx, txn| leads::create(ctx, txn, fields.clone().into()));
    assert_eq!(fields_of(&refused(made, ErrorKind::Invalid)), ["source"], "not in the list");
}

/// People of a partner, who see its leads alone.
#[derive(Debug)]
struct OfPartner(PartnerId);

impl Policy for OfPartner {
    fn scope(&self, _: &Actor, _: Permission) -> Scope {
        Scope::Where(Filter::eq(Field::Partner, self.0))
    }

    fn is_hidden(&self, _: &Actor, _: &Field) -> bool {
        false
    }

    fn may_own(&self, _: &Actor, _: &UserId) -> bool {
        true
    }
}

#[test]
fn s2_07_partner() {
    let host = Host::new();
    let [north, south] = ["North", "South"]
        .map(|name| host.write(|ctx, txn| vocabulary::add::<PartnerId>(ctx, txn, name, None)));
    for (name, partner) in [("Nordlys AS", Some(north.id)), ("Fjord AS", Some(south.id)), ("Dal AS", None)] {
        host.add(LeadFields { partner, ..company(name) });
    }
    assert_eq!(host.names(Filter::eq(Field::Partner, north.id)), ["Nordlys AS"]);
    // The leads of a partner are a part that its people do not see beyond.
    let people = OfPartner(south.id);
    let page = host.write_as("eve", &people, |ctx, txn| leads::list(ctx, txn, &LeadQuery::default()));
    let seen: Vec<_> = page.unwrap().items.into_iter().filter_map(|lead| lead.fields.company).collect();
    assert_eq!(seen, ["Fjord AS"]);
}

#[test]
fn s2_08_location() {
    let host = Host::new();
    let oslo = host.write(|ctx, txn| vocabulary::add::<LocationId>(ctx, txn, "Oslo", None));
    let lead = host.add(LeadFields { location: Some(oslo.id), ..company("Nordlys AS") });
    host.add(company("Fjord AS"));
    let named = |text: &str| {
        let request = ViewRequest::new()
            .filter(Filter::parse(text).unwrap())
            .columns([Field::Company, Field::Location]);
        let page = host.read(|ctx, txn| views::open(ctx, txn, SystemView::All, &request));
        page.rows.into_iter().map(|row| row.cells).collect::<Vec<_>>()
    };
    assert_eq!(named("location = oslo"), [["Nordlys AS", "Oslo"]]);
    host.write(|ctx, txn| vocabulary::rename(ctx, txn, oslo.id, Expect::Any, "Oslo city"));
    assert_eq!(
        named("location = \"Oslo city\""),
        [["Nordlys AS", "Oslo city"]],
        "leads refer to it by its id"
    );
    let unknown = LeadPatch::new().set(Field::Location, host.scene.uuid());
    let edit = host.try_write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &unknown));
    assert_eq!(fields_of(&refused(edit, ErrorKind::Invalid)), ["location"]);
}

#[test]
fn s2_09_lead_data_is_reused() {
    let host = Host::new();
    let mut fields = form(&[
        (Field::Company, "Nordlys AS"),
        (Field::Name, "Kari Nordmann"),
        (Field::Email, "kari@nordlys.example, post@nordlys.example"),
        (Field::Street, "Storgata 1"),
        (Field::PostalCode, "09008"),
        (Field::City, "Tromsø"),
        (Field::Country, "NO"),
        (Field::Phone, "77 60 00 12"),
        (Field::Website, "https://nordlys.example"),
        (Field::TaxId, "923 609 016 MVA"),
        (Field::Currency, "NOK"),
        (Field::CurrencySymbol, "Kr"),
        (Field::Industry, "Energy"),
        (Field::Description, "Wants fibre"),
    ]);
    let retail = host.write(|ctx, txn| vocabulary::add::<CategoryId>(ctx, txn, "Retail", None));
    fields.category = Some(retail.id);
    let lead = host.add(fields);
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    let (lead, account) =
        (lead.fields, host.read(|ctx, txn| accounts::get(ctx, txn, done.account.unwrap())).fields);
    assert_eq!(account.name, "Nordlys AS");
    assert_eq!((account.emails, account.phones), (lead.emails, lead.phones));
    assert_eq!((account.website, account.address, account.tax_id), (lead.website, lead.address, lead.tax_id));
    assert_eq!((account.currency, account.currency_symbol), (lead.currency, lead.currency_symbol));
    assert_eq!((account.industry, account.description), (lead.industry, lead.description));
    assert_eq!((account.owner, account.category), (lead.owner, lead.category));
    let persons = host.read(|ctx, txn| contacts::of_account(ctx, txn, done.account.unwrap()));
    assert_eq!(persons[0].contact.fields.name, lead.person);
}

#[test]
fn s2_15_a_lead_says_what_a_customer_says() {
    let host = Host::new();
    let mut fields = form(&[
        (Field::Company, "Nordlys AS"),
        (Field::Email, "post@nordlys.example"),
        (Field::Phone, "+47 77 60 00 12"),
        (Field::Website, "https://nordlys.example"),
        (Field::Street, "Storgata 1"),
        (Field::City, "Tromsø"),
        (Field::Region, "Troms"),
        (Field::PostalCode, "9008"),
        (Field::Country, "NO"),
        (Field::TaxId, "923 609 016 MVA"),
        (Field::Currency, "NOK"),
        (Field::CurrencySymbol, "Kr"),
        (Field::Industry, "Energy"),
        (Field::Description, "Wants fibre"),
        (Field::Owner, "ada"),
    ]);
    fields.category = Some(host.write(|ctx, txn| vocabulary::add::<CategoryId>(ctx, txn, "Retail", None)).id);
    let lead = host.add(fields);
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    let account =
        host.read(|ctx, txn| accounts::get(ctx, txn, done.account.unwrap())).fields.as_lead_fields();
    for field in AccountFields::FIELDS {
        let value = field.read_fields(&account);
        assert!(!value.is_empty(), "{field} is compared");
        assert_eq!(value, field.read(&lead), "{field}");
    }
}

#[test]
fn s2_11_my_leads() {
    let host = Host::new();
    host.add(company("Ada's"));
    let mut fields = company("Bob's");
    fields.owner = Some("bob".parse().unwrap());
    host.add(fields);
    let mine = LeadQuery::new(Filter::eq(Field::Owner, "me"));
    let of = |user: &str| -> Vec<String> {
        let page = host.write_as(user, &AllowAll, |ctx, txn| leads::list(ctx, txn, &mine)).unwrap();
        page.items.iter().filter_map(|lead| lead.fields.company.clone()).collect()
    };
    assert_eq!(of("ada"), ["Ada's"]);
    assert_eq!(of("bob"), ["Bob's"]);
    assert!(of("eve").is_empty());
}

#[test]
fn s2_13_filter_by_several_fields() {
    let host = Host::new();
    let make = |name: &str, city: &str, amount: &str| {
        host.add(form(&[(Field::Company, name), (Field::City, city), (Field::Amount, amount)]))
    };
    make("Nordlys AS", "Tromsø", "1000");
    make("Nordkapp AS", "Tromsø", "10");
    make("Fjord AS", "Bergen", "1000");
    let filter = Filter::new(Field::Company, Operator::StartsWith, "nord")
        & Filter::eq(Field::City, "tromso")
        & Filter::new(Field::Amount, Operator::Ge, "500")
        & Filter::eq(Field::Owner, "me")
        & Filter::new(Field::CreatedAt, Operator::LastDays, 7);
    assert_eq!(host.names(filter.clone()), ["Nordlys AS"]);
    assert_eq!(host.names(!filter), ["Nordkapp AS", "Fjord AS"]);
}

#[test]
fn s2_14_open_by_full_name_or_id() {
    let host = Host::new();
    for name in ["Kari Nordmann", "Ola Nordmann", "Per Dal"] {
        host.add(form(&[(Field::Kind, "consumer"), (Field::Name, name)]));
    }
    let second = host.read(|ctx, txn| leads::by_number(ctx, txn, 2));
    assert_eq!(second.fields.display_name(), Some("Ola Nordmann"), "by the number that people say");
    assert_eq!(host.get(&second).id, second.id, "by the id of a link");
    assert_eq!(host.names(Filter::eq(Field::Name, "ola nordmann")), ["Ola Nordmann"], "by the full name");
    assert_eq!(host.names(Filter::search("ola nordmann")), ["Ola Nordmann"]);
    for number in [0, 4, u64::MAX] {
        refused(host.try_read(|ctx, txn| leads::by_number(ctx, txn, number)), ErrorKind::NotFound);
    }
}
