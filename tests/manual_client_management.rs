//! The manual of a client-management system (S1): what a lead is, where it comes from, what it becomes.

use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::{accounts, contacts, leads, settings, vocabulary};
use leadcore::domain::{
    Catalogue, ContactFields, CustomField, CustomType, Field, FieldType, FieldValue, LeadFields, LeadKind,
};
use leadcore::error::ErrorKind;
use leadcore::exchange::import::ImportOptions;
use leadcore::id::{CategoryId, LabelId, LocationId, PartnerId, SourceId};
use leadcore::query::Filter;

use crate::support::{Host, company, counts, form, refused};

#[test]
fn s1_01_person_or_representative() {
    let mut host = Host::new();
    let cases: [&[(Field, &str)]; 5] = [
        &[(Field::Kind, "consumer"), (Field::Name, "Kari Nordmann")],
        &[(Field::Company, "Nordlys AS")],
        &[(Field::Company, "Fjord AS"), (Field::Name, "Ola Berg"), (Field::JobTitle, "Buyer")],
        &[(Field::Name, "Per Dal")],
        &[(Field::Email, "someone@example.com")],
    ];
    for values in cases {
        host.add(form(values));
    }
    host.restart();
    let shown = ["Kari Nordmann", "Nordlys AS", "Fjord AS", "Per Dal", "someone@example.com"];
    assert_eq!(host.names(Filter::everything()), shown);
    let both = host.read(|ctx, txn| leads::by_number(ctx, txn, 3)).fields;
    assert_eq!(both.company.as_deref(), Some("Fjord AS"));
    assert_eq!(both.person.as_ref().unwrap().full(), "Ola Berg", "the person who speaks for it");
    assert_eq!(both.job_title.as_deref(), Some("Buyer"));
    // Nobody is no lead.
    let nobody = form(&[(Field::City, "Oslo"), (Field::Industry, "Retail")]);
    refused(host.try_write(|ctx, txn| leads::create(ctx, txn, nobody.clone().into())), ErrorKind::Invalid);
}

#[test]
fn s1_03_every_channel_records_its_source() {
    let host = Host::new();
    let channels = ["Trade show", "Seminar", "Advertisement"];
    for channel in channels {
        let source = host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, channel, None));
        let mut fields = company(&format!("Met at {channel}"));
        fields.source = Some(source.id);
        host.add(fields);
    }
    // A campaign hands over a file: a column says the source, or the person who imports it does.
    let file = "Company,Source\nFrom the file,Campaign\nSays nothing,\n";
    let newsletter = host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "Newsletter", None));
    let report = host.import(file, &ImportOptions::new().source(newsletter.id));
    assert_eq!(counts(&report), [2, 0, 0, 0], "{report}");
    let names = host.read(|ctx, txn| vocabulary::list::<SourceId>(ctx, txn));
    let everyone = Filter::everything();
    let groups = host.read(|ctx, txn| leads::count_by(ctx, txn, &everyone, &Field::Source));
    let count = |name: &str| {
        let id = names.iter().find(|term| term.name == name).unwrap().id;
        groups.iter().find(|(value, _)| *value == FieldValue::from(id)).map(|(_, count)| *count)
    };
    for name in ["Trade show", "Seminar", "Advertisement", "Campaign", "Newsletter"] {
        assert_eq!(count(name), Some(1), "{name}");
    }
    let states = host.read(|ctx, txn| leads::count_by(ctx, txn, &everyone, &Field::State));
    assert_eq!(states, [(FieldValue::from("open"), 5)], "unqualified: a lead, not a customer");
}

#[test]
fn s1_15_account_and_contacts_are_created() {
    let mut host = Host::new();
    let lead = host.add(form(&[
        (Field::Company, "Nordlys AS"),
        (Field::Name, "Kari Nordmann"),
        (Field::JobTitle, "Buyer"),
        (Field::Email, "kari@nordlys.example"),
        (Field::Phone, "+47 77 60 00 12"),
        (Field::City, "Tromsø"),
    ]));
    let ola = ContactFields::named("Ola Berg").unwrap();
    host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, ola.clone(), true));
    let options = ConversionOptions::default();
    let plan = host.read(|ctx, txn| convert::plan(ctx, txn, lead.id, &options));
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &plan));
    assert!(done.newly_converted);
    host.restart();
    let account = host.read(|ctx, txn| accounts::get(ctx, txn, done.account.unwrap()));
    assert_eq!((account.number, account.fields.name.as_str()), (1, "Nordlys AS"));
    assert_eq!((account.fields.kind, account.fields.address.city()), (LeadKind::Company, Some("Tromsø")));
    let persons = host.read(|ctx, txn| contacts::of_account(ctx, txn, done.account.unwrap()));
    let shown: Vec<_> = persons
        .iter()
        .map(|known| (known.contact.fields.display_name().unwrap(), known.is_primary))
        .collect();
    assert_eq!(shown, [("Ola Berg", true), ("Kari Nordmann", false)], "the lead's persons and its own");
    let kari = &persons[1].contact.fields;
    assert_eq!(kari.emails.primary().unwrap().as_str(), "kari@nordlys.example");
    assert_eq!((kari.job_title.as_deref(), kari.phones.iter().len()), (Some("Buyer"), 1));
    // Pressed again, nothing is made twice.
    let again = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options));
    assert_eq!((again.newly_converted, again.account.unwrap()), (false, done.account.unwrap()));
    assert_eq!(host.read(|ctx, txn| accounts::list(ctx, txn, None, 10)).items.len(), 1);
}

#[test]
fn s1_12_direct_form_entry() {
    let host = Host::new();
    let mut catalogue = Catalogue::standard();
    catalogue.settings_mut(Field::Industry).enabled = Some(false);
    catalogue.set_custom_field(CustomField::new("x_seats".parse().unwrap(), "Seats", CustomType::Integer));
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    let term = host.write(|ctx, txn| {
        Ok([
            (Field::Source, vocabulary::add::<SourceId>(ctx, txn, "Fair", None)?.id.as_uuid()),
            (Field::Category, vocabulary::add::<CategoryId>(ctx, txn, "Retail", None)?.id.as_uuid()),
            (Field::Location, vocabulary::add::<LocationId>(ctx, txn, "Oslo", None)?.id.as_uuid()),
            (Field::Partner, vocabulary::add::<PartnerId>(ctx, txn, "North", None)?.id.as_uuid()),
            (Field::Labels, vocabulary::add::<LabelId>(ctx, txn, "Hot", None)?.id.as_uuid()),
        ])
    });
    // The form is what the catalogue says: every field that is enabled, in its section.
    let form: Vec<_> = catalogue.form().into_iter().flat_map(|section| section.fields).collect();
    assert!(form.iter().all(|spec| spec.field != Field::Industry) && form.len() > 30);
    let mut fields = LeadFields::default();
    let typed: Vec<_> =
        form.iter().filter(|spec| spec.field != Field::Stage).map(|spec| spec.field.clone()).collect();
    for field in &typed {
        let value: FieldValue = match (field, field.field_type()) {
            (Field::Website, _) => "https://nordlys.example".into(),
            (Field::Country, _) => "NO".into(),
            (Field::Currency, _) => "NOK".into(),
            (Field::ExternalId, _) => "crm:42".into(),
            (_, FieldType::Email) => "post@nordlys.example".into(),
            (_, FieldType::Phone) => "+47 22 22 55 55".into(),
            (_, FieldType::Choice(codes)) => codes[0].as_ref().into(),
            (_, FieldType::Date) => "2026-12-01".into(),
            (_, FieldType::Integer | FieldType::Amount | FieldType::Custom) => 40.into(),
            (_, FieldType::Reference(_)) => term.iter().find(|(of, _)| of == field).unwrap().1.into(),
            _ => "Nordlys".into(),
        };
        catalogue.write(field, &mut fields, &value).unwrap_or_else(|error| panic!("{field}: {error}"));
    }
    let lead = host.add(fields);
    let kept = host.get(&lead);
    for field in &typed {
        assert!(!field.read(&kept).is_empty(), "{field} was typed and is there");
    }
}
