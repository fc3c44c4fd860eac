//! The PantaSys manual, Leads (S3): the table, its filters and row actions, the form, the promoted lead.

use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::leads::LeadAction;
use leadcore::desk::{Expect, contacts, leads, settings};
use leadcore::domain::{Catalogue, Choice, ContactFields, CustomField, CustomType, Field, LeadPatch};
use leadcore::error::{Conflict, ErrorKind};
use leadcore::id::{CategoryId, SourceId, StageId};
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::query::{Filter, Operator};

use crate::support::{Host, company, fields_of, form, refused};

#[test]
fn s3_02_table_with_configurable_columns() {
    let host = Host::new();
    let columns = |host: &Host| -> Vec<String> {
        let (_, catalogue) = host.read(|ctx, txn| settings::catalogue(ctx, txn));
        catalogue.columns().into_iter().map(|column| column.label).collect()
    };
    let standard = columns(&host);
    assert_eq!(standard[..5], ["Lead number", "Company", "Full name", "E-mail", "Phone"]);
    let mut catalogue = Catalogue::standard();
    catalogue.set_columns(Some(vec![Field::Company, Field::TaxId, Field::Amount, Field::City]));
    catalogue.settings_mut(Field::Amount).label = Some("Worth".to_owned());
    catalogue.settings_mut(Field::City).enabled = Some(false);
    let revision = host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    assert_eq!(
        columns(&host),
        ["Company", "TIN", "Worth"],
        "in the tenant's words, without what is disabled"
    );
    // Each column has a value for each row.
    let lead = host.add(form(&[(Field::Company, "Nordlys AS"), (Field::Amount, "12.50")]));
    let row: Vec<_> = catalogue.columns().iter().map(|column| column.field.read(&lead).is_empty()).collect();
    assert_eq!(row, [false, true, false]);
    for wrong in [vec![], vec![Field::City, Field::City]] {
        catalogue.set_columns(Some(wrong));
        let set = host.try_write(|ctx, txn| settings::set_catalogue(ctx, txn, Some(revision), &catalogue));
        assert_eq!(fields_of(&refused(set, ErrorKind::Invalid)), ["columns"]);
    }
    catalogue.set_columns(None);
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, Some(revision), &catalogue));
    assert_eq!(columns(&host)[0], "Lead number", "back to the standard");
}

#[test]
fn s3_03_search_and_filter_fields() {
    let host = Host::new();
    let kari = host.add(form(&[
        (Field::Company, "Nordlys AS"),
        (Field::FirstName, "Kari"),
        (Field::LastName, "Nordmann"),
        (Field::Email, "kari@nordlys.example"),
        (Field::Phone, "+47 77 60 00 12"),
    ]));
    host.add(form(&[
        (Field::Company, "Fjord AS"),
        (Field::FirstName, "Ola"),
        (Field::LastName, "Nordmann"),
        (Field::Email, "ola@fjord.example"),
        (Field::Phone, "+47 22 33 44 55"),
    ]));
    let only_kari = [
        Filter::eq(Field::Id, kari.id),
        Filter::eq(Field::Number, 1),
        Filter::eq(Field::FirstName, "kari"),
        Filter::eq(Field::Email, "Kari@Nordlys.example"),
        Filter::new(Field::Email, Operator::EndsWith, "@nordlys.example"),
        Filter::new(Field::Company, Operator::Contains, "LYS"),
        Filter::new(Field::Phone, Operator::Contains, "7760 00"),
        Filter::eq(Field::LastName, "Nordmann") & Filter::eq(Field::Company, "nordlys as"),
    ];
    for filter in only_kari {
        assert_eq!(host.names(filter.clone()), ["Nordlys AS"], "{filter:?}");
    }
    assert_eq!(host.names(Filter::eq(Field::LastName, "NORDMANN")).len(), 2);
    // Every field can be asked whether it is empty: no column is left out of the filters.
    for field in Field::ALL {
        let asked = Filter::new(field.clone(), Operator::IsEmpty, true);
        let other = Filter::new(field.clone(), Operator::IsEmpty, false);
        assert_eq!(host.count(&asked) + host.count(&other), 2, "{field}");
    }
}

#[test]
fn s3_04_row_actions() {
    use LeadAction::{Convert, Delete, Edit, Restore, View};
    let host = Host::new();
    let owned = |name: &str, owner: &str| {
        let mut fields = company(name);
        fields.owner = Some(owner.parse().unwrap());
        host.add(fields)
    };
    let (own, others) = (owned("Bob's", "bob"), owned("Ada's", "ada"));
    let (done, gone) = (owned("Converted", "bob"), owned("Deleted", "bob"));
    host.write(|ctx, txn| convert::convert(ctx, txn, done.id, &ConversionOptions::default()));
    host.write(|ctx, txn| leads::delete(ctx, txn, gone.id, Expect::Any));
    let clerk = Role::new()
        .grant(Permission::View, Visibility::All)
        .grant(Permission::Edit, Visibility::Own)
        .grant(Permission::Convert, Visibility::Own);
    let table = RoleTable::new()
        .role("clerk", clerk)
        .role("boss", Role::manager())
        .user(&"bob".parse().unwrap(), &["clerk"], None)
        .unwrap()
        .user(&"ada".parse().unwrap(), &["boss"], None)
        .unwrap();
    let page = [own.id, others.id, done.id, gone.id];
    let of = |user: &str| -> Vec<Vec<LeadAction>> {
        let rows = host.write_as(user, &table, |ctx, txn| leads::actions_of(ctx, txn, &page)).unwrap();
        assert_eq!(rows.iter().map(|(id, _)| *id).collect::<Vec<_>>(), page);
        rows.into_iter().map(|(_, actions)| actions).collect()
    };
    assert_eq!(of("bob"), [vec![View, Edit, Convert], vec![View], vec![View], vec![View]]);
    let every = vec![View, Edit, Delete, Convert];
    assert_eq!(of("ada"), [every.clone(), every, vec![View], vec![View, Restore]]);
    // What a row offers, the call does; what it does not offer, the call refuses.
    let patch = LeadPatch::new().set(Field::City, "Oslo");
    for (user, lead) in [("bob", &own), ("bob", &others), ("ada", &others), ("ada", &done), ("bob", &gone)] {
        let offers = host.write_as(user, &table, |ctx, txn| leads::actions(ctx, txn, lead.id)).unwrap();
        let edit =
            |id| host.write_as(user, &table, |ctx, txn| leads::edit(ctx, txn, id, Expect::Any, &patch));
        assert_eq!(offers.contains(&Edit), edit(lead.id).is_ok(), "{user} {:?}", lead.fields.company);
    }
    let blind = RoleTable::new();
    refused(host.write_as("bob", &blind, |ctx, txn| leads::actions(ctx, txn, own.id)), ErrorKind::Denied);
    let too_many = vec![own.id; 1_001];
    refused(host.try_read(|ctx, txn| leads::actions_of(ctx, txn, &too_many)), ErrorKind::Invalid);
}

#[test]
fn s3_05_enumerated_inputs() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let wrong = [
        (Field::Kind, "partner"),
        (Field::Country, "Atlantis"),
        (Field::Currency, "XXZ"),
        (Field::Source, "Fair"),
        (Field::Category, "not-an-id"),
        (Field::Labels, "Hot"),
    ];
    for (field, value) in wrong {
        let patch = LeadPatch::new().set(field.clone(), value);
        let edit = host.try_write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch));
        assert_eq!(fields_of(&refused(edit, ErrorKind::Invalid)), [field.key()], "{value}");
    }
    // A field that the tenant added has its own list.
    let mut catalogue = Catalogue::standard();
    let size = CustomType::OneOf(vec![Choice::new("s", "Small"), Choice::new("l", "Large").archived()]);
    catalogue.set_custom_field(CustomField::new("x_size".parse().unwrap(), "Size", size));
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    for value in ["Huge", "l", "Large"] {
        let patch = LeadPatch::new().set("x_size".parse().unwrap(), value);
        let edit = host.try_write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch));
        assert_eq!(fields_of(&refused(edit, ErrorKind::Invalid)), ["x_size"], "{value}");
    }
    // Well-formed, but in no list.
    let mut fields = company("Fjord AS");
    fields.source = Some(SourceId::from_uuid(host.scene.uuid()));
    fields.category = Some(CategoryId::from_uuid(host.scene.uuid()));
    let draft = leadcore::domain::LeadDraft::from(fields).in_stage(StageId::from_uuid(host.scene.uuid()));
    let error =
        refused(host.try_write(|ctx, txn| leads::create(ctx, txn, draft.clone())), ErrorKind::Invalid);
    let mut broken = fields_of(&error);
    broken.sort_unstable();
    assert_eq!(broken, ["category", "source", "stage"], "all at once");
    assert_eq!(host.get(&lead), lead, "nothing was written");
}

#[test]
fn s3_06_view_update_delete() {
    let mut host = Host::new();
    let lead = host.add(form(&[(Field::Company, "Nordlys AS"), (Field::City, "Oslo")]));
    assert_eq!(host.get(&lead), lead, "the View icon");
    let patch = LeadPatch::new().set(Field::City, "Tromsø");
    let edited = host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, lead.revision, &patch));
    host.restart();
    assert_eq!(host.get(&lead), edited, "the Edit icon");
    // Confirmed for the lead as the user saw it, not as somebody else changed it meanwhile.
    let stale = host.try_write(|ctx, txn| leads::delete(ctx, txn, lead.id, lead.revision));
    refused(stale, ErrorKind::Conflict);
    host.write(|ctx, txn| leads::delete(ctx, txn, lead.id, edited.revision));
    assert!(host.names(Filter::everything()).is_empty(), "the Delete icon");
}

#[test]
fn s3_07_promoted_lead_is_frozen() {
    let mut host = Host::new();
    let lead = host.add(form(&[(Field::Company, "Nordlys AS"), (Field::Name, "Kari Nordmann")]));
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    host.restart();
    let before = leadcore::testkit::dump(&host.store, &host.scene.tenant);
    let patch = LeadPatch::new().set(Field::City, "Oslo");
    let person = ContactFields::named("Ola Berg").unwrap();
    let kari = done.contacts[0];
    let stage = host.get(&lead).stage;
    let any = Expect::Any;
    let refusals = [
        host.try_write(|ctx, txn| leads::edit(ctx, txn, lead.id, any, &patch).map(drop)),
        host.try_write(|ctx, txn| leads::move_to(ctx, txn, lead.id, any, stage).map(drop)),
        host.try_write(|ctx, txn| leads::delete(ctx, txn, lead.id, any)),
        host.try_write(|ctx, txn| contacts::add(ctx, txn, lead.id, person.clone(), true).map(drop)),
        host.try_write(|ctx, txn| contacts::edit(ctx, txn, lead.id, kari, any, person.clone()).map(drop)),
        host.try_write(|ctx, txn| contacts::make_primary(ctx, txn, lead.id, kari)),
        host.try_write(|ctx, txn| contacts::remove(ctx, txn, lead.id, kari)),
    ];
    for refusal in refusals {
        let error = refused(refusal, ErrorKind::Frozen);
        assert_eq!(error.conflict(), Some(&Conflict::Converted), "an error that says why, not silence");
    }
    // A file that names it does not change it either.
    let file = "Company,E-mail,City\nNordlys AS,kari@nordlys.example,Oslo\n";
    host.import(
        file,
        &leadcore::exchange::import::ImportOptions::new()
            .on_match(leadcore::exchange::import::OnMatch::Update),
    );
    assert_eq!(host.get(&lead).fields.address.city(), None);
    let after = leadcore::testkit::dump(&host.store, &host.scene.tenant);
    let lines = |dump: &str| -> Vec<String> {
        dump.lines().filter(|line| line.contains(&lead.id.to_string())).map(str::to_owned).collect()
    };
    assert_eq!(lines(&after), lines(&before), "it can be read for ever, as it was");
}
