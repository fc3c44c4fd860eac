//! Who may see and change the fields that a tenant added to accounts, contacts and opportunities: roles and tenants.

use leadcore::desk::settings::{self, FieldMapping};
use leadcore::domain::{Catalogue, CatalogueKind, CustomField, CustomType};
use leadcore::error::ErrorKind;
use leadcore::id::{Revision, UserId};
use leadcore::policy::{Role, RoleTable};
use leadcore::store::StoreExt;
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::Scene;

use crate::support::{Host, refused};

/// The functions of the desk that are tried here with two tenants and as a viewer.
pub(crate) const TRIED: [&str; 4] = [
    "settings::catalogue_of",
    "settings::change_field_of",
    "settings::remove_field_of",
    "settings::visible_catalogue_of",
];

fn seats(kind: CustomType) -> CustomField {
    CustomField::new("x_seats".parse().unwrap(), "Seats", kind)
}

#[test]
fn fields_of_other_records_belong_to_one_tenant_and_a_viewer_changes_none() {
    let bob: UserId = "bob".parse().unwrap();
    let policy = RoleTable::new().role("viewer", Role::viewer()).user(&bob, &["viewer"], None).unwrap();
    for kind in [CatalogueKind::Account, CatalogueKind::Contact, CatalogueKind::Opportunity] {
        let (host, other) = (Host::new(), Scene::new("other"));
        let mut catalogue = Catalogue::of(kind);
        catalogue.set_custom_field(seats(CustomType::Integer));
        host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
        let (key, first) = (seats(CustomType::Integer).key, Some(Revision::FIRST));
        let before = dump(&host.store, &host.scene.tenant);
        let exact = FieldMapping::exact();
        let wider = seats(CustomType::Decimal);
        let change = host.write_as("bob", &policy, |ctx, txn| {
            settings::change_field_of(ctx, txn, kind, first, &wider, &exact)
        });
        refused(change, ErrorKind::Denied);
        let remove = host.write_as("bob", &policy, |ctx, txn| {
            settings::remove_field_of(ctx, txn, kind, first, &key, true)
        });
        refused(remove, ErrorKind::Denied);
        let seen = host.write_as("bob", &policy, |ctx, txn| settings::visible_catalogue_of(ctx, txn, kind));
        assert!(seen.unwrap().custom_field(&key).is_some(), "{kind:?}");

        let ctx = other.ctx();
        let none = host.store.read(ctx.tenant(), |txn| settings::catalogue_of(&ctx, txn, kind)).unwrap();
        assert_eq!((none.0, none.1.custom_field(&key)), (None, None), "{kind:?}: another tenant has none");
        let foreign = host
            .store
            .write(ctx.tenant(), |txn| settings::change_field_of(&ctx, txn, kind, None, &wider, &exact));
        refused(foreign, ErrorKind::NotFound);
        let foreign = host
            .store
            .write(ctx.tenant(), |txn| settings::remove_field_of(&ctx, txn, kind, None, &key, true));
        refused(foreign, ErrorKind::NotFound);
        assert_eq!(dump(&host.store, &host.scene.tenant), before, "{kind:?}");
        host.write(|ctx, txn| settings::remove_field_of(ctx, txn, kind, first, &key, true));
    }
}
