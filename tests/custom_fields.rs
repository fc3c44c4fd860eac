//! Fields, sections and choices as the tenant's own data: S1.08 to S1.10, on a database file.

use leadcore::desk::{Expect, leads, settings, timeline};
use leadcore::domain::{
    Catalogue, Choice, CustomField, CustomType, CustomValue, Field, Lead, LeadPatch, SubjectKind,
};
use leadcore::error::ErrorKind;
use leadcore::exchange::import::{ImportOptions, OnMatch};
use leadcore::exchange::{Mapping, template};
use leadcore::id::Revision;
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::query::{Cursor, Filter, LeadQuery, Operator, Sort, SortField};

use crate::support::{Host, company, counts, fields_of, refused};

pub(crate) fn field(key: &str) -> Field {
    key.parse().unwrap()
}

pub(crate) fn custom(key: &str, label: &str, kind: CustomType) -> CustomField {
    CustomField::new(key.parse().unwrap(), label, kind)
}

pub(crate) fn sizes() -> Vec<Choice> {
    vec![Choice::new("s", "Small").at(1), Choice::new("m", "Medium").at(2), Choice::new("l", "Large").at(3)]
}

/// A host with these custom fields.
pub(crate) fn host_with(fields: impl IntoIterator<Item = CustomField>) -> (Host, Revision) {
    let host = Host::new();
    let mut catalogue = Catalogue::standard();
    fields.into_iter().for_each(|field| catalogue.set_custom_field(field));
    let revision = host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    (host, revision)
}

pub(crate) fn catalogue(host: &Host) -> Catalogue {
    host.read(|ctx, txn| settings::catalogue(ctx, txn)).1
}

/// A company with values as a form sends them.
pub(crate) fn lead(host: &Host, name: &str, values: &[(&str, &str)]) -> Lead {
    let (catalogue, mut fields) = (catalogue(host), company(name));
    for (key, value) in values {
        catalogue.write(&field(key), &mut fields, &(*value).into()).unwrap();
    }
    host.add(fields)
}

pub(crate) fn set(host: &Host, lead: &Lead, key: &str, value: &str) -> leadcore::error::Result<Lead> {
    let patch = LeadPatch::new().set(field(key), value);
    host.try_write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch))
}

#[test]
fn s1_08_use_and_disable_fields() {
    let seats = custom("x_seats", "Seats", CustomType::Integer);
    let (host, revision) = host_with([seats]);
    let kept = lead(&host, "Nordlys AS", &[("x_seats", "12"), ("city", "Oslo")]);
    let mut catalogue = catalogue(&host);
    for key in ["city", "x_seats"] {
        catalogue.settings_mut(field(key)).required = Some(true);
        catalogue.settings_mut(field(key)).enabled = Some(false);
    }
    let both = host.try_write(|ctx, txn| settings::set_catalogue(ctx, txn, Some(revision), &catalogue));
    assert_eq!(
        fields_of(&refused(both, ErrorKind::Invalid)),
        ["city", "x_seats"],
        "disabled is not required"
    );
    for key in ["city", "x_seats"] {
        catalogue.settings_mut(field(key)).required = None;
    }
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, Some(revision), &catalogue));
    // Not writable, in no form, template, filter or list; what is there stays.
    for key in ["city", "x_seats"] {
        assert_eq!(fields_of(&refused(set(&host, &kept, key, "7"), ErrorKind::Invalid)), [key]);
        assert!(catalogue.form().iter().all(|part| part.fields.iter().all(|spec| spec.field != field(key))));
        assert!(catalogue.json_schema()["properties"].get(key).is_none());
        assert_eq!(catalogue.field_for_header(key), None);
        let clear = LeadPatch::new().clear(field(key));
        let cleared = host.try_write(|ctx, txn| leads::edit(ctx, txn, kept.id, Expect::Any, &clear));
        refused(cleared, ErrorKind::Invalid);
    }
    let asked = host.try_read(|ctx, txn| leads::count(ctx, txn, &Filter::eq(field("x_seats"), 12)));
    assert_eq!(fields_of(&refused(asked, ErrorKind::Invalid)), ["filter.x_seats"]);
    let edited = host.write(|ctx, txn| {
        leads::edit(ctx, txn, kept.id, Expect::Any, &LeadPatch::new().set(Field::Industry, "Retail"))
    });
    assert_eq!((edited.fields.custom, edited.fields.address), (kept.fields.custom, kept.fields.address));
    let mut file = Vec::new();
    template(&catalogue, &mut file).unwrap();
    assert!(!String::from_utf8(file).unwrap().contains("Seats"));
}

#[test]
fn s1_09_reorder_fields_and_sections() {
    let (mut host, revision) = host_with([]);
    let mut catalogue = catalogue(&host);
    catalogue.set_custom_field(custom("x_seats", "Seats", CustomType::Integer).placed("deal", 5));
    let wrong = host.try_write(|ctx, txn| settings::set_catalogue(ctx, txn, Some(revision), &catalogue));
    assert_eq!(
        fields_of(&refused(wrong, ErrorKind::Invalid)),
        ["x_seats.section"],
        "there is no such section"
    );
    let deal = catalogue.section_mut("deal");
    (deal.label, deal.order) = (Some("The deal".to_owned()), Some(1));
    catalogue.section_mut("reach").label = Some("Contact".to_owned());
    let amount = catalogue.settings_mut(Field::Amount);
    (amount.section, amount.order) = (Some("deal".to_owned()), Some(6));
    catalogue.settings_mut(Field::Name).order = Some(0);
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, Some(revision), &catalogue));
    host.restart();
    let (_, catalogue) = host.read(|ctx, txn| settings::catalogue(ctx, txn));
    let form = catalogue.form();
    let labels: Vec<_> = form.iter().map(|part| part.section.label.as_str()).collect();
    assert_eq!(labels[..3], ["The deal", "Identity", "Contact"]);
    let keys = |n: usize| form[n].fields.iter().map(|spec| spec.field.key().to_owned()).collect::<Vec<_>>();
    assert_eq!(keys(0), ["x_seats", "amount"]);
    assert_eq!(keys(1)[0], "name", "the field that was moved to the front");
    let placed: usize = form.iter().map(|part| part.fields.len()).sum();
    let fillable = catalogue.fields().filter(|field| field.is_imported());
    assert_eq!(placed, fillable.count(), "every field stands somewhere, once");
}

#[test]
fn s1_10_custom_fields() {
    let fields = [
        custom("x_text", "Text", CustomType::Text),
        custom("x_notes", "Notes", CustomType::LongText),
        custom("x_seats", "Seats", CustomType::Integer).between(Some(1.into()), Some(500.into())),
        custom("x_score", "Score", CustomType::Decimal),
        custom("x_budget", "Budget", CustomType::Money(None)),
        custom("x_due", "Due", CustomType::Date),
        custom("x_called", "Called", CustomType::Time),
        custom("x_vip", "VIP", CustomType::Bool),
        custom("x_size", "Size", CustomType::OneOf(sizes())).required(true),
        custom("x_wants", "Wants", CustomType::ManyOf(sizes())),
        custom("x_buddy", "Buddy", CustomType::User),
        custom("x_twin", "Twin", CustomType::Link(SubjectKind::Lead)),
        custom("x_mail", "Invoices to", CustomType::Email),
        custom("x_fax", "Fax", CustomType::Phone),
        custom("x_shop", "Shop", CustomType::Url),
    ];
    let (mut host, _) = host_with(fields);
    let missing = host.try_write(|ctx, txn| leads::create(ctx, txn, company("Nordlys AS").into()));
    assert_eq!(fields_of(&refused(missing, ErrorKind::Invalid)), ["x_size"], "required");
    let first = lead(&host, "First AS", &[("x_size", "s")]);
    let twin = first.id.to_string();
    let values = [
        ("x_text", "Ångström"),
        ("x_notes", "one\ntwo"),
        ("x_seats", "12"),
        ("x_score", "1.25"),
        ("x_budget", "1250.50 NOK"),
        ("x_due", "2026-11-25"),
        ("x_called", "2026-11-22T07:30:00Z"),
        ("x_vip", "yes"),
        ("x_size", "Large"),
        ("x_wants", "s; Medium"),
        ("x_buddy", "ada"),
        ("x_twin", twin.as_str()),
        ("x_mail", "Anna@Example.com"),
        ("x_fax", "+47 22 22 55 55"),
        ("x_shop", "https://nordlys.example/shop"),
    ];
    let full = lead(&host, "Nordlys AS", &values);
    host.restart();
    assert_eq!(host.get(&full), full, "typed, and on disk");
    let found = [
        Filter::eq(field("x_text"), "angstrom"),
        Filter::new(field("x_text"), Operator::Contains, "STRÖM"),
        Filter::new(field("x_notes"), Operator::StartsWith, "one"),
        Filter::new(field("x_seats"), Operator::Between, vec![12_i64, 12]),
        Filter::new(field("x_score"), Operator::Gt, "1.2"),
        Filter::eq(field("x_budget"), "1250.5"),
        Filter::new(field("x_due"), Operator::NextDays, 3),
        Filter::new(field("x_called"), Operator::LastDays, 1),
        Filter::eq(field("x_vip"), true),
        Filter::new(field("x_size"), Operator::In, vec!["m", "l"]),
        Filter::eq(field("x_wants"), "m"),
        Filter::eq(field("x_buddy"), "me"),
        Filter::eq(field("x_twin"), first.id),
        Filter::eq(field("x_mail"), "anna@example.com"),
        Filter::new(field("x_fax"), Operator::EndsWith, "5555"),
        Filter::new(field("x_shop"), Operator::Contains, "/shop"),
        Filter::new(field("x_due"), Operator::IsEmpty, false),
    ];
    for filter in found {
        assert_eq!(host.names(filter.clone()), ["Nordlys AS"], "{filter:?}");
    }
    // Wrong values, each refused at its field.
    let long = "x".repeat(501);
    let wrong = [
        ("x_text", long.as_str()),
        ("x_seats", "0"),
        ("x_seats", "1.5"),
        ("x_score", "0.0000001"),
        ("x_budget", "12"),
        ("x_due", "2026-02-30"),
        ("x_called", "yesterday"),
        ("x_vip", "perhaps"),
        ("x_size", "huge"),
        ("x_wants", "s, huge"),
        ("x_twin", "00000000-0000-0000-0000-000000000000"),
        ("x_mail", "nobody"),
        ("x_nowhere", "1"),
    ];
    for (key, value) in wrong {
        assert_eq!(fields_of(&refused(set(&host, &full, key, value), ErrorKind::Invalid)), [key], "{value}");
    }
    let wild = Filter::eq(field("x_budgte"), 1);
    let error = refused(host.try_read(|ctx, txn| leads::count(ctx, txn, &wild)), ErrorKind::Invalid);
    assert!(error.violations()[0].message.contains("`x_budget`"), "the nearest key: {error}");
    // The journal has the value before and after.
    let edited = set(&host, &full, "x_seats", "13").unwrap();
    let history = host.read(|ctx, txn| timeline::of_lead(ctx, txn, full.id, None, 10));
    assert_eq!(history.items[0].text, "Seats: 12 → 13");
    let change = &history.items[0].entry.changes[0];
    assert_eq!((change.field.as_str(), &change.before), ("x_seats", &12_i64.into()));
    assert_eq!(
        set(&host, &edited, "x_seats", " ").unwrap().fields.custom.get(&"x_seats".parse().unwrap()),
        None
    );
}

#[test]
fn custom_fields_sort_page_and_count() {
    let fields = [
        custom("x_text", "Text", CustomType::Text),
        custom("x_due", "Due", CustomType::Date),
        custom("x_size", "Size", CustomType::OneOf(sizes())),
        custom("x_wants", "Wants", CustomType::ManyOf(sizes())),
    ];
    let (host, _) = host_with(fields);
    for (name, due, size) in [
        ("A", "2026-03-01", "s"),
        ("B", "", "l"),
        ("C", "2026-01-01", "l"),
        ("D", "2026-03-01", ""),
        ("E", "2025-12-31", "s"),
        ("F", "", ""),
    ] {
        lead(&host, name, &[("x_due", due), ("x_size", size)]);
    }
    let pages = |sort: Sort| {
        let (mut names, mut after) = (Vec::new(), None);
        loop {
            let query = LeadQuery::default().sort(sort.clone()).limit(2).after(after);
            let page = host.read(|ctx, txn| leads::list(ctx, txn, &query));
            names.extend(page.items.iter().filter_map(|lead| lead.fields.company.clone()));
            // Handed to a browser and back.
            after = page.next.map(|cursor| Cursor::from_text(&cursor.to_text()).unwrap());
            if after.is_none() {
                return names.join("");
            }
        }
    };
    let due: SortField = "x_due".parse().unwrap();
    assert_eq!(pages(Sort::ascending(due.clone())), "BFECAD");
    assert_eq!(pages(Sort::descending(due.clone())), "DACEFB");
    for key in ["x_size", "x_wants", "x_none"] {
        let query = LeadQuery::default().sort(Sort::ascending(key.parse().unwrap()));
        let sorted = host.try_read(|ctx, txn| leads::list(ctx, txn, &query));
        assert_eq!(fields_of(&refused(sorted, ErrorKind::Invalid)), ["sort"], "{key}");
    }
    let sort = Sort::ascending(due);
    let query = LeadQuery::default().sort(sort.clone()).limit(5);
    let last = host.read(|ctx, txn| leads::list(ctx, txn, &query)).next.unwrap();
    let forged = Cursor { key: "2026-03-01".into(), ..last };
    let query = LeadQuery::default().sort(sort).after(Some(forged));
    let page = host.try_read(|ctx, txn| leads::list(ctx, txn, &query));
    assert_eq!(fields_of(&refused(page, ErrorKind::Invalid)), ["after"]);
    let groups = host.read(|ctx, txn| leads::count_by(ctx, txn, &Filter::everything(), &field("x_size")));
    assert_eq!(groups, [(leadcore::domain::FieldValue::Empty, 2), ("l".into(), 2), ("s".into(), 2)]);
    for key in ["x_text", "x_wants", "x_due"] {
        let groups = host.try_read(|ctx, txn| leads::count_by(ctx, txn, &Filter::everything(), &field(key)));
        refused(groups, ErrorKind::Unsupported);
    }
}

#[test]
fn defaults_fill_what_is_not_given() {
    let size = custom("x_size", "Size", CustomType::OneOf(sizes())).required(true);
    let (host, _) = host_with([size.with_default(CustomValue::Code("m".to_owned()))]);
    let key = "x_size".parse().unwrap();
    let code = |lead: &Lead| lead.fields.custom[&key].read();
    assert_eq!(code(&host.add(company("Nordlys AS"))), "m".into());
    assert_eq!(code(&lead(&host, "Fjord AS", &[("x_size", "l")])), "l".into());
    host.import("Company,Size\nA,\nB,Small\n", &ImportOptions::new());
    let sizes = |size: &str| host.names(Filter::eq(field("x_size"), size));
    assert_eq!(
        (sizes("m"), sizes("s")),
        (vec!["Nordlys AS".to_owned(), "A".to_owned()], vec!["B".to_owned()])
    );
}

#[test]
fn files_fill_custom_fields_by_key_and_label() {
    let fields = [
        custom("x_seats", "Number of seats", CustomType::Integer),
        custom("x_budget", "Budget 2027", CustomType::Money(None)),
        custom("x_score", "Score", CustomType::Decimal),
        custom("x_vip", "VIP", CustomType::Bool),
        custom("x_wants", "Wants", CustomType::ManyOf(sizes())),
        custom("x_due", "Due", CustomType::Date),
    ];
    let (host, _) = host_with(fields);
    let mut file = Vec::new();
    template(&catalogue(&host), &mut file).unwrap();
    assert!(String::from_utf8(file).unwrap().contains("Number of seats"));
    let file = "Company;X_SEATS;Budget 2027;Score;vip;Wants;Due\n\
        Nordlys AS;12;1.250,50 NOK;0,123456;Ja;Small, l;2026-11-25\n\
        Fjord AS;many;5;x;perhaps;huge;25.11.2026\n";
    let report = host.import(file, &ImportOptions::new());
    assert_eq!(counts(&report), [1, 0, 0, 1], "{report}");
    let read = |key: &str| {
        let lead = host.read(|ctx, txn| leads::by_number(ctx, txn, 1));
        field(key).read(&lead)
    };
    assert_eq!(read("x_seats"), 12_i64.into());
    assert_eq!(read("x_budget"), "1250.50 NOK".into());
    assert_eq!(serde_json::to_value(read("x_score")).unwrap(), "0.123456");
    assert_eq!(read("x_vip"), true.into());
    assert_eq!(read("x_wants"), vec!["l", "s"].into());
    assert_eq!(read("x_due"), "2026-11-25".parse::<leadcore::time::Date>().unwrap().into());
    // The same file again changes nothing; another one fills what it says.
    let update = ImportOptions::new().on_match(OnMatch::Update);
    let mail = "Company;E-mail;X_SEATS\nBerg AS;a@berg.example;1\n";
    host.import(mail, &update);
    let report = host.import("Company;E-mail;X_SEATS\nBerg AS;a@berg.example;2\n", &update);
    assert_eq!(counts(&report), [0, 1, 0, 0], "{report}");
    assert_eq!(host.names(Filter::eq(field("x_seats"), 2)), ["Berg AS"]);
    let unknown =
        Mapping::default().with("Company", Some(Field::Company)).with("Size", Some(field("x_size")));
    let import = host.try_import("Company,Size\nA,1\n", &ImportOptions::new().mapping(unknown));
    assert_eq!(fields_of(&refused(import, ErrorKind::Invalid)), ["mapping.x_size"]);
}

#[test]
fn a_hidden_custom_field_stays_hidden() {
    let (host, _) = host_with([custom("x_margin", "Margin", CustomType::Integer)]);
    let secret = lead(&host, "Nordlys AS", &[("x_margin", "7")]);
    let all =
        Permission::ALL.iter().fold(Role::new(), |role, permission| role.grant(*permission, Visibility::All));
    let table = RoleTable::new()
        .role("clerk", all.hide(field("x_margin")).unwrap())
        .user(&"bob".parse().unwrap(), &["clerk"], None)
        .unwrap();
    let bob =
        |work: &dyn Fn(
            &leadcore::context::Context<'_>,
            &mut dyn leadcore::store::Txn,
        ) -> leadcore::error::Result<()>| { host.write_as("bob", &table, |ctx, txn| work(ctx, txn)) };
    bob(&|ctx, txn| {
        assert!(leads::get(ctx, txn, secret.id)?.fields.custom.is_empty());
        let history = timeline::of_lead(ctx, txn, secret.id, None, 10)?;
        assert!(!format!("{history:?}").contains("x_margin"));
        Ok(())
    })
    .unwrap();
    let margin = Filter::eq(field("x_margin"), 7);
    refused(bob(&|ctx, txn| leads::count(ctx, txn, &margin).map(drop)), ErrorKind::Invalid);
    let sort = LeadQuery::default().sort(Sort::ascending("x_margin".parse().unwrap()));
    refused(bob(&|ctx, txn| leads::list(ctx, txn, &sort).map(drop)), ErrorKind::Invalid);
    let patch = LeadPatch::new().set(field("x_margin"), 8_i64);
    refused(
        bob(&|ctx, txn| leads::edit(ctx, txn, secret.id, Expect::Any, &patch).map(drop)),
        ErrorKind::Invalid,
    );
    let mut fields = company("Fjord AS");
    fields.custom.insert("x_margin".parse().unwrap(), CustomValue::Integer(1));
    refused(bob(&|ctx, txn| leads::create(ctx, txn, fields.clone().into()).map(drop)), ErrorKind::Invalid);
    bob(&|ctx, txn| {
        let patch = LeadPatch::new().set(Field::City, "Oslo");
        leads::edit(ctx, txn, secret.id, Expect::Any, &patch).map(drop)
    })
    .unwrap();
    assert_eq!(host.get(&secret).fields.custom, secret.fields.custom, "what bob cannot see he does not lose");
}

#[test]
fn a_scope_may_look_at_a_custom_field() {
    let (host, _) = host_with([custom("x_region", "Region", CustomType::Text)]);
    for (name, region) in [("North AS", "north"), ("South AS", "south")] {
        lead(&host, name, &[("x_region", region)]);
    }
    #[derive(Debug)]
    struct North;
    impl leadcore::policy::Policy for North {
        fn scope(&self, _: &leadcore::domain::Actor, _: Permission) -> leadcore::policy::Scope {
            leadcore::policy::Scope::Where(Filter::eq("x_region".parse().unwrap(), "North"))
        }
        fn is_hidden(&self, _: &leadcore::domain::Actor, _: &Field) -> bool {
            false
        }
        fn may_own(&self, _: &leadcore::domain::Actor, _: &leadcore::id::UserId) -> bool {
            true
        }
    }
    let page = host.write_as("bob", &North, |ctx, txn| leads::list(ctx, txn, &LeadQuery::default())).unwrap();
    let names: Vec<_> = page.items.iter().filter_map(|lead| lead.fields.display_name()).collect();
    assert_eq!(names, ["North AS"]);
}
