//! Who may see and write estimates and products: roles, tenants, states of leads.

use leadcore::context::Context;
use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::estimates::{self, EstimateQuery};
use leadcore::desk::functions::Functions;
use leadcore::desk::lines::{self, Products};
use leadcore::desk::services::{self, NewService};
use leadcore::desk::timeline::{self, TimelineQuery};
use leadcore::desk::{Listing, activities, leads, settings};
use leadcore::domain::{
    ActivityBody, ActivityFields, ActivityKind, Estimate, EstimateFields, EstimateStatus, Field, Lead,
    LeadPatch, Numbering, RequestState, ServiceFields, ServicePatch, Tab,
};
use leadcore::error::{Error, ErrorKind, Result};
use leadcore::id::UserId;
use leadcore::policy::{Role, RoleTable};
use leadcore::store::{StoreExt, Txn};
use leadcore::testkit::dump;

use crate::estimates::{ANY, closed, draft, euro_lead, panels, roof, sent};
use crate::support::{Host, fields_of, form, refused};

/// The functions that this file tries with two tenants and as a viewer.
pub(crate) const TRIED: [&str; 25] = [
    "estimates::accept",
    "estimates::by_number",
    "estimates::can_move",
    "estimates::copy",
    "estimates::create",
    "estimates::create_for_request",
    "estimates::create_for_request_in",
    "estimates::create_from_lines",
    "estimates::create_from_lines_in",
    "estimates::decline",
    "estimates::delete",
    "estimates::edit",
    "estimates::expire",
    "estimates::expire_due",
    "estimates::get",
    "estimates::list",
    "estimates::of",
    "estimates::revise",
    "estimates::send",
    "estimates::set_lines",
    "lines::list",
    "lines::of",
    "lines::set",
    "settings::estimate_numbering",
    "settings::set_estimate_numbering",
];

fn bob() -> UserId {
    "bob".parse().unwrap()
}

#[test]
fn all_estimates_are_listed_to_those_who_see_them() {
    let host = Host::new();
    let mine = euro_lead(&host);
    let theirs =
        host.add(form(&[(Field::Company, "Fjord AS"), (Field::Owner, "bob"), (Field::Currency, "JPY")]));
    for lead in [&mine, &theirs, &mine] {
        draft(&host, lead, roof());
    }
    let policy = RoleTable::new().role("sales", Role::salesperson()).user(&bob(), &["sales"], None).unwrap();
    let ctx = host.scene.ctx_as("bob", &policy);
    let mut query = EstimateQuery::default();
    query.limit = 2;
    let mut seen = Vec::new();
    loop {
        let page = host.store.read(ctx.tenant(), |txn| estimates::list(&ctx, txn, &query)).unwrap();
        seen.extend(page.items.iter().map(|one| (one.number, one.show(one.totals.gross))));
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    assert_eq!(seen, [(2, "¥ 2850".to_owned())], "in the currency of its lead");
    let get = |number: u64| host.store.read(ctx.tenant(), |txn| estimates::by_number(&ctx, txn, number));
    refused(get(1), ErrorKind::NotFound);
    let due = host.write_as("bob", &policy, |ctx, txn| estimates::expire_due(ctx, txn, 10));
    refused(due, ErrorKind::Denied);
}

/// A call with what the first tenant has.
type Call = fn(&Context<'_>, &mut dyn Txn, &Lead, &Estimate) -> Result<()>;

/// Every write, each with sound input.
const WRITES: [(&str, Call); 18] = [
    ("create", |ctx, txn, lead, _| estimates::create(ctx, txn, &[lead.id.into()], roof()).map(drop)),
    ("create_for_request", |ctx, txn, lead, _| {
        let found = activities::of(ctx, txn, lead.id, &[ActivityKind::EstimateRequest], &Listing::default())?;
        estimates::create_for_request(ctx, txn, found.items[0].id, roof()).map(drop)
    }),
    ("create_from_lines", |ctx, txn, lead, _| {
        estimates::create_from_lines(ctx, txn, lead.id, EstimateFields::default()).map(drop)
    }),
    ("create_for_request_in", |ctx, txn, lead, _| {
        let found = activities::of(ctx, txn, lead.id, &[ActivityKind::EstimateRequest], &Listing::default())?;
        estimates::create_for_request_in(ctx, txn, found.items[0].id, roof(), None).map(drop)
    }),
    ("create_from_lines_in", |ctx, txn, lead, _| {
        estimates::create_from_lines_in(ctx, txn, lead.id, EstimateFields::default(), None).map(drop)
    }),
    ("edit", |ctx, txn, _, e| {
        estimates::edit(ctx, txn, e.id, ANY, e.fields.clone().line(panels())).map(drop)
    }),
    ("set_lines", |ctx, txn, _, e| estimates::set_lines(ctx, txn, e.id, ANY, vec![]).map(drop)),
    ("send", |ctx, txn, _, e| estimates::send(ctx, txn, e.id, ANY).map(drop)),
    ("delete", |ctx, txn, _, e| estimates::delete(ctx, txn, e.id, ANY)),
    ("accept", |ctx, txn, _, e| {
        let offer = estimates::by_number(ctx, txn, e.number + 1)?;
        estimates::accept(ctx, txn, offer.id, ANY).map(drop)
    }),
    ("decline", |ctx, txn, _, e| {
        let offer = estimates::by_number(ctx, txn, e.number + 1)?;
        estimates::decline(ctx, txn, offer.id, ANY, None).map(drop)
    }),
    ("expire", |ctx, txn, _, e| {
        let offer = estimates::by_number(ctx, txn, e.number + 1)?;
        estimates::expire(ctx, txn, offer.id, ANY).map(drop)
    }),
    ("revise", |ctx, txn, _, e| {
        let offer = estimates::by_number(ctx, txn, e.number + 1)?;
        estimates::revise(ctx, txn, offer.id).map(drop)
    }),
    ("copy", |ctx, txn, _, e| estimates::copy(ctx, txn, e.id).map(drop)),
    ("expire_due", |ctx, txn, _, _| estimates::expire_due(ctx, txn, 10).map(drop)),
    ("lines::set", |ctx, txn, lead, _| lines::set(ctx, txn, lead.id, ANY, vec![].into()).map(drop)),
    ("lines::set, with amount", |ctx, txn, lead, _| {
        lines::set(ctx, txn, lead.id, ANY, Products::from(vec![panels(), panels()]).with_amount()).map(drop)
    }),
    ("set_estimate_numbering", |ctx, txn, _, _| {
        settings::set_estimate_numbering(ctx, txn, None, &Numbering::default()).map(drop)
    }),
];

/// A lead with products, a request, a draft, and an offer whose number is one higher.
fn furnished(host: &Host) -> (Lead, Estimate) {
    let lead = euro_lead(host);
    let body = ActivityBody::EstimateRequest { state: RequestState::New };
    let asked = ActivityFields {
        title: Some("Prices".to_owned()),
        text: None,
        assignee: None,
        remind_at: None,
        body,
    };
    host.write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], asked.clone()));
    host.write(|ctx, txn| lines::set(ctx, txn, lead.id, ANY, vec![panels()].into()));
    let made = draft(host, &lead, EstimateFields { title: Some("acmesecret".to_owned()), ..roof() });
    sent(host, &lead, roof());
    (lead, made)
}

#[test]
fn a_viewer_writes_no_estimate_and_whoever_may_writes() {
    let policy = RoleTable::new().role("viewer", Role::viewer()).user(&bob(), &["viewer"], None).unwrap();
    for (name, call) in WRITES {
        let host = Host::new();
        let (lead, made) = furnished(&host);
        let before = dump(&host.store, &host.scene.tenant);
        let error = refused(
            host.write_as("bob", &policy, |ctx, txn| call(ctx, txn, &lead, &made)),
            ErrorKind::Denied,
        );
        assert!(error.violations().is_empty(), "{name}");
        assert_eq!(dump(&host.store, &host.scene.tenant), before, "{name} leaves nothing");
        host.write(|ctx, txn| call(ctx, txn, &lead, &made));
        let quiet = name == "expire_due";
        assert!(quiet || dump(&host.store, &host.scene.tenant) != before, "{name} writes");
    }
    // What a viewer may see, it may read; and nobody answers for an estimate whom the policy does not know.
    let host = Host::new();
    let (lead, made) = furnished(&host);
    let ctx = host.scene.ctx_as("bob", &policy);
    let read = host.store.read(ctx.tenant(), |txn| {
        estimates::can_move(&ctx, txn, made.id, EstimateStatus::Sent)?;
        lines::of(&ctx, txn, lead.id)?;
        settings::estimate_numbering(&ctx, txn)?;
        estimates::list(&ctx, txn, &EstimateQuery::default())
    });
    assert_eq!(read.unwrap().items.len(), 2);
    let sales = RoleTable::new().role("sales", Role::manager()).user(&bob(), &["sales"], None).unwrap();
    let own = |owner: &str| {
        let fields = EstimateFields { owner: Some(owner.parse().unwrap()), ..roof() };
        host.write_as("bob", &sales, |ctx, txn| {
            estimates::create(ctx, txn, &[lead.id.into()], fields.clone())
        })
    };
    assert!(own("bob").is_ok());
    assert_eq!(fields_of(&refused(own("nobody"), ErrorKind::Invalid)), ["owner"]);
}

#[test]
fn another_tenant_finds_no_estimate() {
    let host = Host::new();
    let (lead, made) = furnished(&host);
    let before = dump(&host.store, &host.scene.tenant);
    let other = leadcore::testkit::fixtures::Scene::new("other");
    let ctx = Context::new(
        &other.tenant,
        other.actor.clone(),
        &other.clock,
        &host.scene.ids,
        &leadcore::policy::AllowAll,
    );
    let reads: [(&str, Call); 7] = [
        ("get", |ctx, txn, _, e| estimates::get(ctx, txn, e.id).map(drop)),
        ("by_number", |ctx, txn, _, e| estimates::by_number(ctx, txn, e.number).map(drop)),
        ("can_move", |ctx, txn, _, e| estimates::can_move(ctx, txn, e.id, EstimateStatus::Sent).map(drop)),
        ("of", |ctx, txn, lead, _| estimates::of(ctx, txn, lead.id, &Listing::default()).map(drop)),
        ("lines::list", |ctx, txn, lead, _| lines::list(ctx, txn, lead.id).map(drop)),
        ("lines::of", |ctx, txn, lead, _| lines::of(ctx, txn, lead.id).map(drop)),
        ("list", |ctx, txn, _, _| {
            let found = estimates::list(ctx, txn, &EstimateQuery::default())?;
            if found.items.is_empty() { Err(Error::not_found("estimate")) } else { Ok(()) }
        }),
    ];
    for (name, call) in WRITES.into_iter().chain(reads) {
        let outcome = host.store.write(&other.tenant, |txn| call(&ctx, txn, &lead, &made));
        let of_its_own = ["expire_due", "set_estimate_numbering"];
        assert_eq!(outcome.is_ok(), of_its_own.contains(&name), "{name}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{name}");
        }
        let mixed = host.store.write(&host.scene.tenant, |txn| call(&ctx, txn, &lead, &made));
        assert_eq!(fields_of(&refused(mixed, ErrorKind::Invalid)), ["tenant"], "{name}");
    }
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
}

#[test]
fn estimates_are_closed_by_the_state_of_the_lead() {
    let host = Host::new();
    let lead = euro_lead(&host);
    let in_oslo = leadcore::query::Filter::eq(Field::City, "Oslo");
    let functions =
        Functions::new().open_for(Tab::Estimate.code(), in_oslo.clone()).open_for(Tab::Lines.code(), in_oslo);
    host.write(|ctx, txn| settings::set_functions(ctx, txn, None, &functions));
    let make = || host.try_write(|ctx, txn| estimates::create(ctx, txn, &[lead.id.into()], roof()));
    let set = || host.try_write(|ctx, txn| lines::set(ctx, txn, lead.id, ANY, vec![panels()].into()));
    closed(&refused(make(), ErrorKind::Conflict), "estimate");
    closed(&refused(set(), ErrorKind::Conflict), "product_lines");
    let patch = LeadPatch::new().set(Field::City, "Oslo");
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, ANY, &patch));
    assert!(make().is_ok() && set().is_ok());
}

/// Whoever is handed the customer reads the estimates of its leads, but not what is hidden of leads.
#[test]
fn what_is_hidden_of_leads_is_hidden_of_their_estimates_and_stays() {
    let host = Host::new();
    let lead = euro_lead(&host);
    let fields = EstimateFields { owner: Some("mona".parse().unwrap()), ..roof() };
    let made = draft(&host, &lead, fields);
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    let account = done.account.unwrap();
    let role = Role::manager().hide(Field::Amount).and_then(|role| role.hide(Field::Owner)).unwrap();
    let policy = RoleTable::new().role("m", role).user(&bob(), &["m"], None).unwrap();
    let ctx = host.scene.ctx_as("bob", &policy);
    let (mut shown, told) = host
        .store
        .read(ctx.tenant(), |txn| {
            let mut shown = estimates::list(&ctx, txn, &EstimateQuery::default())?.items;
            shown.extend(estimates::of(&ctx, txn, account, &Listing::default())?.items);
            shown.push(estimates::get(&ctx, txn, made.id)?);
            Ok((shown, timeline::of(&ctx, txn, account, &TimelineQuery::new(50))?))
        })
        .unwrap();
    assert_eq!(shown.len(), 3);
    for one in &shown {
        assert_eq!((&one.fields.owner, one.totals.gross, one.fields.currency), (&None, 0.into(), None));
        assert!(!one.fields.lines.is_empty() && one.fields.lines.len() == made.fields.lines.len());
        assert!(one.fields.lines.iter().all(|line| line.unit_price == 0.into() && line.discount.is_none()));
    }
    let changes = told.items.iter().flat_map(|item| &item.entry.changes);
    let fields: Vec<_> = changes.map(|change| change.field.as_str()).collect();
    assert!(!fields.iter().any(|field| ["owner", "total", "currency"].contains(field)), "{fields:?}");
    // Written back as it is shown, nothing of it is lost; said otherwise it is refused.
    let edit = |fields: &EstimateFields| {
        host.write_as("bob", &policy, |ctx, txn| estimates::edit(ctx, txn, made.id, ANY, fields.clone()))
    };
    let shown = shown.pop().unwrap().fields;
    let titled = EstimateFields { title: Some("Roof".to_owned()), ..shown.clone() };
    assert_eq!(edit(&titled).unwrap().totals.gross, 0.into());
    let kept = host.read(|ctx, txn| estimates::get(ctx, txn, made.id));
    assert_eq!(kept.fields, EstimateFields { title: Some("Roof".to_owned()), ..made.fields.clone() });
    assert_eq!(kept.totals, made.totals);
    let others = EstimateFields { owner: Some(bob()), lines: vec![panels()], ..shown };
    assert_eq!(fields_of(&refused(edit(&others), ErrorKind::Invalid)), ["owner", "amount"]);
    let set = host
        .write_as("bob", &policy, |ctx, txn| estimates::set_lines(ctx, txn, made.id, ANY, vec![panels()]));
    assert_eq!(fields_of(&refused(set, ErrorKind::Invalid)), ["amount"]);
}

/// Who may not see in which currency a lead counts, does not read it of what is sold either.
#[test]
fn a_hidden_currency_is_hidden_of_estimates_and_services_and_stays() {
    let host = Host::new();
    let lead = euro_lead(&host);
    let made = draft(&host, &lead, roof());
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    let sold = ServiceFields { currency: made.fields.currency, ..ServiceFields::from(panels()) };
    let sold = vec![NewService::from(sold)];
    let account = done.account.unwrap();
    let sold = host.write(|ctx, txn| services::create(ctx, txn, account, sold.clone())).remove(0);
    let role = Role::manager().hide(Field::Currency).unwrap();
    let policy = RoleTable::new().role("m", role).user(&bob(), &["m"], None).unwrap();
    let (shown, service, told) = host
        .write_as("bob", &policy, |ctx, txn| {
            let told = timeline::of(ctx, txn, account, &TimelineQuery::new(50))?;
            Ok((estimates::get(ctx, txn, made.id)?, services::get(ctx, txn, sold.id)?, told))
        })
        .unwrap();
    assert_eq!((shown.fields.currency, service.fields.currency), (None, None));
    assert_eq!(
        (&shown.totals, &service.totals),
        (&made.totals, &sold.totals),
        "what it comes to is not hidden"
    );
    let changes = told.items.iter().flat_map(|item| &item.entry.changes);
    assert!(!changes.into_iter().any(|change| change.field == "currency"));
    // Written back as it is shown it stays; said otherwise it is refused.
    let edit = |fields: &EstimateFields| {
        host.write_as("bob", &policy, |ctx, txn| estimates::edit(ctx, txn, made.id, ANY, fields.clone()))
    };
    let mut more = EstimateFields { title: Some("Roof".to_owned()), ..shown.fields };
    more.lines.push(panels());
    assert_eq!(edit(&more).unwrap().fields.currency, None);
    let lines = vec![panels()];
    let set =
        |ctx: &Context<'_>, txn: &mut dyn Txn| estimates::set_lines(ctx, txn, made.id, ANY, lines.clone());
    host.write_as("bob", &policy, set).unwrap();
    let kept = host.read(|ctx, txn| estimates::get(ctx, txn, made.id)).fields;
    assert_eq!((kept.currency, kept.lines.len()), (made.fields.currency, 1));
    let other = EstimateFields { currency: "USD".parse().ok(), ..more };
    assert_eq!(fields_of(&refused(edit(&other), ErrorKind::Invalid)), ["currency"]);
    let new = host
        .write_as("bob", &policy, |ctx, txn| estimates::create(ctx, txn, &[account.into()], other.clone()));
    assert_eq!(fields_of(&refused(new, ErrorKind::Invalid)), ["currency"]);
    let dollars = ServicePatch::new().currency("USD".parse().ok());
    let changed =
        host.write_as("bob", &policy, |ctx, txn| services::edit(ctx, txn, sold.id, sold.revision, &dollars));
    assert_eq!(fields_of(&refused(changed, ErrorKind::Invalid)), ["currency"]);
    let fields = ServiceFields { currency: "USD".parse().ok(), ..sold.fields.clone() };
    let new = host.write_as("bob", &policy, |ctx, txn| {
        services::create(ctx, txn, account, vec![NewService::from(fields.clone())])
    });
    assert_eq!(fields_of(&refused(new, ErrorKind::Invalid)), ["currency"]);
}
