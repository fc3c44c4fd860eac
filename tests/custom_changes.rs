//! Changing custom fields while leads have values of them, and values that only one lead may have.

use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::settings::FieldMapping;
use leadcore::desk::{Expect, leads, settings, timeline};
use leadcore::domain::{Catalogue, Choice, CustomType, CustomValue, Field, LeadFields, LeadPatch, MatchKey};
use leadcore::error::{Conflict, ErrorKind, ViolationCode};
use leadcore::exchange::import::ImportOptions;
use leadcore::query::Filter;

use crate::custom_fields::{catalogue, custom, field, host_with, lead, set, sizes};
use crate::support::{Host, company, counts, fields_of, refused};

#[test]
fn a_unique_field_takes_each_value_once() {
    let erp = custom("x_erp", "ERP number", CustomType::Text).unique(true);
    let (host, _) = host_with([erp, custom("x_seats", "Seats", CustomType::Integer)]);
    let first = lead(&host, "First AS", &[("x_erp", "A-1")]);
    let other = lead(&host, "Other AS", &[("x_erp", "A-2")]);
    let again = |name: &str| {
        let mut fields = company(name);
        fields.custom.insert("x_erp".parse().unwrap(), CustomValue::Text("a-1".to_owned()));
        fields
    };
    let error = refused(
        host.try_write(|ctx, txn| leads::create(ctx, txn, again("Third AS").into())),
        ErrorKind::Invalid,
    );
    assert_eq!((fields_of(&error), error.violations()[0].code), (vec!["x_erp"], ViolationCode::Duplicate));
    assert!(!error.to_string().contains("a-1"), "{error}");
    refused(set(&host, &other, "x_erp", "A-1"), ErrorKind::Invalid);
    set(&host, &first, "x_erp", "A-1").expect("its own value is no other's");
    let form = CustomValue::Text("A-1".to_owned()).sort_key();
    let key = MatchKey::custom(&"x_erp".parse().unwrap(), &form).unwrap();
    let found = host.read(|_, txn| txn.leads().find(std::slice::from_ref(&key)));
    assert_eq!(found.iter().map(|(_, id)| *id).collect::<Vec<_>>(), [first.id]);
    // The trash does not stand in the way, until it is emptied into the list again.
    host.write(|ctx, txn| leads::delete(ctx, txn, first.id, Expect::Any));
    let taken = host.add(again("Third AS"));
    let restored = host.try_write(|ctx, txn| leads::restore(ctx, txn, first.id));
    assert_eq!(fields_of(&refused(restored, ErrorKind::Invalid)), ["x_erp"]);
    set(&host, &taken, "x_erp", "A-9").unwrap();
    host.write(|ctx, txn| leads::restore(ctx, txn, first.id));
    // Two of one call, and two lines of one file.
    let two = vec![again("Fourth").into(), again("Fifth").into()];
    host.write(|ctx, txn| {
        leads::edit(ctx, txn, first.id, Expect::Any, &LeadPatch::new().clear(field("x_erp")))
    });
    let error =
        refused(host.try_write(|ctx, txn| leads::create_many(ctx, txn, two.clone())), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["drafts[1].x_erp"]);
    let file = "Company,ERP number\nSixth AS,B-1\nSeventh AS,b-1\nEighth AS,A-2\nNinth AS,B-2\n";
    let dry = host.dry_run(file, &ImportOptions::new());
    let report = host.import(file, &ImportOptions::new());
    assert_eq!((counts(&dry), counts(&report)), ([2, 0, 0, 2], [2, 0, 0, 2]), "{report}");
}

#[test]
fn a_field_becomes_unique_only_where_its_values_are() {
    let (host, revision) = host_with([custom("x_erp", "ERP number", CustomType::Text)]);
    let [one, _] = ["A", "B"].map(|name| lead(&host, name, &[("x_erp", "7")]));
    let mut catalogue = catalogue(&host);
    catalogue.set_custom_field(custom("x_erp", "ERP number", CustomType::Text).unique(true));
    let unique = |host: &Host| {
        host.try_write(|ctx, txn| settings::set_catalogue(ctx, txn, Some(revision), &catalogue))
    };
    assert_eq!(fields_of(&refused(unique(&host), ErrorKind::Invalid)), ["x_erp.unique"]);
    set(&host, &one, "x_erp", "8").unwrap();
    unique(&host).unwrap();
}

#[test]
fn what_leads_have_is_not_taken_away_in_passing() {
    let (host, revision) = host_with([
        custom("x_size", "Size", CustomType::OneOf(sizes())),
        custom("x_seats", "Seats", CustomType::Integer),
    ]);
    let large = lead(&host, "Large AS", &[("x_size", "l"), ("x_seats", "7")]);
    let gone = lead(&host, "Gone AS", &[("x_size", "l")]);
    host.write(|ctx, txn| leads::delete(ctx, txn, gone.id, Expect::Any));
    let key = |key: &str| key.parse::<leadcore::domain::CustomKey>().unwrap();
    let known = catalogue(&host);
    let attempt = |change: &dyn Fn(&mut Catalogue)| {
        let mut changed = known.clone();
        change(&mut changed);
        host.try_write(|ctx, txn| settings::set_catalogue(ctx, txn, Some(revision), &changed))
    };
    let fewer = custom("x_size", "Size", CustomType::OneOf(vec![Choice::new("s", "Small")]));
    let in_use = |result, by| {
        let error = refused(result, ErrorKind::Conflict);
        assert_eq!(error.conflict(), Some(&Conflict::InUse { by }), "{error}");
        error.to_string()
    };
    let message = in_use(attempt(&|catalogue| catalogue.set_custom_field(fewer.clone())), 2);
    assert!(message.contains("x_size"), "{message}");
    in_use(attempt(&|catalogue| drop(catalogue.remove_custom_field(&key("x_seats")))), 1);
    let text = custom("x_seats", "Seats", CustomType::Text);
    in_use(attempt(&|catalogue| catalogue.set_custom_field(text.clone())), 1);
    // With a mapping: the choice, then the type, then the field.
    let refusal = host.try_write(|ctx, txn| {
        settings::change_field(ctx, txn, Some(revision), &fewer, &FieldMapping::exact())
    });
    in_use(refusal, 2);
    let to_small = FieldMapping::exact().choice("l", Some("s"));
    let revision = host.write(|ctx, txn| settings::change_field(ctx, txn, Some(revision), &fewer, &to_small));
    assert_eq!(host.names(Filter::eq(field("x_size"), "s")), ["Large AS"]);
    assert_eq!(host.get(&gone).fields.custom[&key("x_size")], CustomValue::Code("s".to_owned()));
    let exact = FieldMapping::exact();
    let revision = host.write(|ctx, txn| settings::change_field(ctx, txn, Some(revision), &text, &exact));
    assert_eq!(host.names(Filter::eq(field("x_seats"), "7")), ["Large AS"], "a number as text");
    let history = host.read(|ctx, txn| timeline::of_lead(ctx, txn, large.id, None, 10));
    let texts: Vec<_> = history.items.iter().map(|item| item.text.as_str()).collect();
    assert_eq!(texts[..2], ["Seats: 7 → 7", "Size: l → Small"], "in the words of today");
    // Converted leads are frozen: their field can be disabled, but not emptied.
    host.write(|ctx, txn| convert::convert(ctx, txn, large.id, &ConversionOptions::default()));
    let clear = |host: &Host| {
        host.try_write(|ctx, txn| settings::remove_field(ctx, txn, Some(revision), &key("x_seats"), true))
    };
    in_use(clear(&host), 1);
    let decimal = custom("x_seats", "Seats", CustomType::Decimal);
    host.write(|ctx, txn| settings::change_field(ctx, txn, Some(revision), &decimal, &exact));
    assert_eq!(host.get(&large).fields.custom[&key("x_seats")], CustomValue::Decimal(7.into()));
}

#[test]
fn adding_relabelling_and_archiving_is_always_allowed() {
    let (host, revision) = host_with([custom("x_size", "Size", CustomType::OneOf(sizes()))]);
    let large = lead(&host, "Large AS", &[("x_size", "l")]);
    let mut choices = sizes();
    choices[2] = Choice::new("l", "Grande").archived();
    choices.push(Choice::new("xl", "Extra large"));
    let mut catalogue = catalogue(&host);
    catalogue.set_custom_field(custom("x_size", "How big", CustomType::OneOf(choices)));
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, Some(revision), &catalogue));
    let offered: Vec<_> = catalogue.json_schema()["properties"]["x_size"]["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|choice| choice["title"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(offered, ["Extra large", "Small", "Medium"]);
    // Who has it keeps it, also through a form that sends it back; nobody else gets it.
    let both = LeadPatch::new().set(field("x_size"), "l").set(Field::City, "Oslo");
    host.write(|ctx, txn| leads::edit(ctx, txn, large.id, Expect::Any, &both));
    assert_eq!(host.names(Filter::eq(field("x_size"), "l")), ["Large AS"]);
    let other = lead(&host, "Other AS", &[]);
    assert_eq!(fields_of(&refused(set(&host, &other, "x_size", "l"), ErrorKind::Invalid)), ["x_size"]);
    set(&host, &other, "x_size", "xl").unwrap();
}

#[test]
fn every_wrong_definition_is_named_at_once() {
    let host = Host::new();
    let mut catalogue = Catalogue::standard();
    catalogue.set_custom_field(custom("x_a", " ", CustomType::OneOf(Vec::new())));
    catalogue.set_custom_field(custom("x_b", "B", CustomType::Bool).unique(true).placed("nowhere", 1));
    catalogue.settings_mut(field("x_c")).required = Some(true);
    catalogue.set_columns(Some(vec![field("x_d")]));
    catalogue.section_mut("Bad Key").order = Some(1);
    let wrong = host.try_write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    let error = refused(wrong, ErrorKind::Invalid);
    let mut fields = fields_of(&error);
    fields.sort_unstable();
    let wanted =
        ["columns", "sections", "sections.Bad Key", "x_a", "x_a.choices", "x_b.section", "x_b.unique", "x_c"];
    assert_eq!(fields, wanted);
    let mut many = Catalogue::standard();
    for n in 0..501 {
        many.set_custom_field(custom(&format!("x_{n}"), "N", CustomType::Text));
    }
    let too_many = host.try_write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &many));
    assert_eq!(fields_of(&refused(too_many, ErrorKind::Invalid)), ["custom"]);
    let json = serde_json::to_string(&catalogue).unwrap();
    assert_eq!(serde_json::from_str::<Catalogue>(&json).unwrap(), catalogue, "kept as JSON");
    assert_eq!(LeadFields::default().custom.len(), 0);
}
