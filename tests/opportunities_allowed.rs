//! Who may see and write opportunities and services: roles, tenants, hidden fields.

use leadcore::context::Context;
use leadcore::desk::opportunities::{self, Lost, OpportunityQuery};
use leadcore::desk::services::{self, ServiceQuery};
use leadcore::desk::timeline::{self, TimelineQuery};
use leadcore::desk::{Listing, settings};
use leadcore::domain::{
    Field, Numbering, Opportunity, OpportunityPatch, Service, ServiceFields, ServicePatch, ServiceState,
};
use leadcore::error::{Error, ErrorKind, Result};
use leadcore::id::UserId;
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::store::{StoreExt, Txn};
use leadcore::testkit::dump;

use crate::estimates::{ANY, panels};
use crate::opportunities::{customer, opened, solar};
use crate::support::{Host, fields_of, refused};

/// The functions that this file tries with two tenants and as a viewer.
pub(crate) const TRIED: [&str; 20] = [
    "opportunities::by_number",
    "opportunities::create",
    "opportunities::delete",
    "opportunities::edit",
    "opportunities::get",
    "opportunities::list",
    "opportunities::lose",
    "opportunities::of",
    "opportunities::reopen",
    "opportunities::set_contacts",
    "opportunities::win",
    "services::create",
    "services::delete",
    "services::edit",
    "services::get",
    "services::list",
    "services::of",
    "services::set_state",
    "settings::opportunity_numbering",
    "settings::set_opportunity_numbering",
];

/// What the first tenant has: two opportunities, of which the second is won, and a service.
struct Known {
    open: Opportunity,
    won: Opportunity,
    service: Service,
}

type Call = fn(&Context<'_>, &mut dyn Txn, &Known) -> Result<()>;

const WRITES: [(&str, Call); 11] = [
    ("create", |ctx, txn, k| opportunities::create(ctx, txn, k.open.account, solar(9).into()).map(drop)),
    ("edit", |ctx, txn, k| {
        opportunities::edit(ctx, txn, k.open.id, ANY, &OpportunityPatch::new().name("Other")).map(drop)
    }),
    ("set_contacts", |ctx, txn, k| {
        let person = txn.links().from(&[k.open.account.into()], None)?;
        let persons: Vec<_> =
            person.iter().map(|link| leadcore::id::ContactId::from_uuid(link.to.id)).collect();
        opportunities::set_contacts(ctx, txn, k.open.id, ANY, &persons).map(drop)
    }),
    ("win", |ctx, txn, k| opportunities::win(ctx, txn, k.open.id, ANY, None).map(drop)),
    ("lose", |ctx, txn, k| {
        opportunities::lose(ctx, txn, k.open.id, ANY, &Lost::because(None, Some("no budget"))).map(drop)
    }),
    ("reopen", |ctx, txn, k| opportunities::reopen(ctx, txn, k.won.id, ANY).map(drop)),
    ("delete", |ctx, txn, k| opportunities::delete(ctx, txn, k.open.id, ANY)),
    ("services::create", |ctx, txn, k| {
        let new = ServiceFields::from(panels()).into();
        services::create(ctx, txn, k.open.account, vec![new]).map(drop)
    }),
    ("services::edit", |ctx, txn, k| {
        services::edit(ctx, txn, k.service.id, ANY, &ServicePatch::new().note(Some("Other".into()))).map(drop)
    }),
    ("services::set_state", |ctx, txn, k| {
        services::set_state(ctx, txn, k.service.id, ANY, ServiceState::Inactive).map(drop)
    }),
    ("services::delete", |ctx, txn, k| services::delete(ctx, txn, k.service.id, ANY)),
];

const READS: [(&str, Call); 7] = [
    ("get", |ctx, txn, k| opportunities::get(ctx, txn, k.open.id).map(drop)),
    ("by_number", |ctx, txn, k| opportunities::by_number(ctx, txn, k.open.number).map(drop)),
    ("of", |ctx, txn, k| opportunities::of(ctx, txn, k.open.account, &Listing::default()).map(drop)),
    ("list", |ctx, txn, _| {
        let found = opportunities::list(ctx, txn, &OpportunityQuery::default())?;
        if found.items.is_empty() { Err(Error::not_found("opportunity")) } else { Ok(()) }
    }),
    ("services::get", |ctx, txn, k| services::get(ctx, txn, k.service.id).map(drop)),
    ("services::of", |ctx, txn, k| services::of(ctx, txn, k.open.account, &Listing::default()).map(drop)),
    ("services::list", |ctx, txn, _| {
        let found = services::list(ctx, txn, &ServiceQuery::default())?;
        if found.items.is_empty() { Err(Error::not_found("service")) } else { Ok(()) }
    }),
];

fn bob() -> UserId {
    "bob".parse().unwrap()
}

fn furnished(host: &Host) -> Known {
    let (lead, made) = customer(host, "Nordlys AS");
    let open = opened(host, lead.id, solar(3_000));
    let won = opened(host, made.account.unwrap(), solar(5_000));
    let won = host.write(|ctx, txn| opportunities::win(ctx, txn, won.id, ANY, None));
    let new = ServiceFields::from(panels());
    let made =
        host.write(|ctx, txn| services::create(ctx, txn, made.account.unwrap(), vec![new.clone().into()]));
    Known { open, won, service: made.into_iter().next().unwrap() }
}

#[test]
fn a_viewer_writes_no_opportunity_and_whoever_may_writes() {
    let policy = RoleTable::new().role("viewer", Role::viewer()).user(&bob(), &["viewer"], None).unwrap();
    for (name, call) in WRITES {
        let host = Host::new();
        let known = furnished(&host);
        let before = dump(&host.store, &host.scene.tenant);
        refused(host.write_as("bob", &policy, |ctx, txn| call(ctx, txn, &known)), ErrorKind::Denied);
        assert_eq!(dump(&host.store, &host.scene.tenant), before, "{name} leaves nothing");
        for (read, call) in READS {
            let ctx = host.scene.ctx_as("bob", &policy);
            assert!(host.store.read(ctx.tenant(), |txn| call(&ctx, txn, &known)).is_ok(), "{read}");
        }
        host.write(|ctx, txn| call(ctx, txn, &known));
        let quiet = name == "set_contacts";
        assert!(quiet || dump(&host.store, &host.scene.tenant) != before, "{name} writes");
    }
    let host = Host::new();
    let known = furnished(&host);
    let sales = RoleTable::new().role("sales", Role::manager()).user(&bob(), &["sales"], None).unwrap();
    let patch = OpportunityPatch::new().owner(Some("nobody".parse().unwrap()));
    let given =
        host.write_as("bob", &sales, |ctx, txn| opportunities::edit(ctx, txn, known.open.id, ANY, &patch));
    assert_eq!(fields_of(&refused(given, ErrorKind::Invalid)), ["owner"], "whom the policy does not know");
}

#[test]
fn another_tenant_finds_no_opportunity() {
    let host = Host::new();
    let known = furnished(&host);
    let before = dump(&host.store, &host.scene.tenant);
    let other = leadcore::testkit::fixtures::Scene::new("other");
    let ctx = Context::new(
        &other.tenant,
        other.actor.clone(),
        &other.clock,
        &host.scene.ids,
        &leadcore::policy::AllowAll,
    );
    for (name, call) in WRITES.into_iter().chain(READS) {
        let outcome = host.store.write(&other.tenant, |txn| call(&ctx, txn, &known));
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::NotFound, "{name}");
        let mixed = host.store.write(&host.scene.tenant, |txn| call(&ctx, txn, &known));
        assert_eq!(fields_of(&refused(mixed, ErrorKind::Invalid)), ["tenant"], "{name}");
    }
    let numbering = host.store.write(&host.scene.tenant, |txn| {
        settings::set_opportunity_numbering(&ctx, txn, None, &Numbering::default())
    });
    assert_eq!(fields_of(&refused(numbering, ErrorKind::Invalid)), ["tenant"]);
    let numbering =
        host.store.read(&host.scene.tenant, |txn| settings::opportunity_numbering(&ctx, txn).map(drop));
    assert_eq!(fields_of(&refused(numbering, ErrorKind::Invalid)), ["tenant"]);
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
}

/// Who may name numbers: settings are for whoever configures.
#[test]
fn numbering_is_for_whoever_configures() {
    let host = Host::new();
    let policy = RoleTable::new().role("sales", Role::salesperson()).user(&bob(), &["sales"], None).unwrap();
    let set = host.write_as("bob", &policy, |ctx, txn| {
        settings::opportunity_numbering(ctx, txn)?;
        settings::set_opportunity_numbering(ctx, txn, None, &Numbering::default())
    });
    refused(set, ErrorKind::Denied);
}

/// A salesperson sees the opportunities of own customers alone, also in the list of all; and what the policy hides of leads is
/// hidden here too.
#[test]
fn what_is_out_of_sight_or_hidden_is_not_told() {
    let host = Host::new();
    let known = furnished(&host);
    let own = Role::salesperson().grant(Permission::View, Visibility::Own);
    let policy = RoleTable::new().role("sales", own).user(&bob(), &["sales"], None).unwrap();
    let ctx = host.scene.ctx_as("bob", &policy);
    let seen = host.store.read(ctx.tenant(), |txn| {
        let all = opportunities::list(&ctx, txn, &OpportunityQuery::default())?;
        let bought = services::list(&ctx, txn, &ServiceQuery::default())?;
        Ok((all.items.len(), bought.items.len()))
    });
    assert_eq!(seen.unwrap(), (0, 0), "another's customer");
    let got = host.store.read(ctx.tenant(), |txn| opportunities::get(&ctx, txn, known.open.id));
    refused(got, ErrorKind::NotFound);

    let masked = Role::manager().hide(Field::Amount).unwrap();
    let policy = RoleTable::new().role("counted", masked).user(&bob(), &["counted"], None).unwrap();
    let ctx = host.scene.ctx_as("bob", &policy);
    let (one, bought, told) = host
        .store
        .read(ctx.tenant(), |txn| {
            let one = opportunities::get(&ctx, txn, known.open.id)?;
            let bought = services::get(&ctx, txn, known.service.id)?;
            let told = timeline::of(&ctx, txn, known.open.account, &TimelineQuery::new(50))?;
            Ok((one, bought, told))
        })
        .unwrap();
    assert_eq!((one.fields.amount, one.fields.name), (None, known.open.fields.name.clone()));
    assert_eq!(bought.totals.gross, 0.into());
    assert_eq!(bought.fields.line.description, "Panel");
    let fields: Vec<_> =
        told.items.iter().flat_map(|item| &item.entry.changes).map(|c| c.field.as_str()).collect();
    assert!(!fields.iter().any(|field| ["amount", "unit_price", "total"].contains(field)), "{fields:?}");
    let patch = OpportunityPatch::new().amount(Some(1.into()));
    let write =
        host.write_as("bob", &policy, |ctx, txn| opportunities::edit(ctx, txn, known.open.id, ANY, &patch));
    assert_eq!(fields_of(&refused(write, ErrorKind::Invalid)), ["amount"]);
    let renamed = host.write_as("bob", &policy, |ctx, txn| {
        opportunities::edit(ctx, txn, known.open.id, ANY, &OpportunityPatch::new().name("Roof"))
    });
    assert_eq!(renamed.unwrap().fields.amount, None);
    let kept = host.read(|ctx, txn| opportunities::get(ctx, txn, known.open.id));
    assert_eq!(kept.fields.amount, Some(3_000.into()), "what is hidden stays");
}
