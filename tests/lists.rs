//! Lists as a user works with them: rows ready to be shown, searched, filtered and paged, filters written as text.

use std::collections::BTreeMap;

use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::leads::LeadAction;
use leadcore::desk::views::{self, ViewRequest};
use leadcore::desk::{contacts, leads};
use leadcore::domain::{ContactFields, CustomType, Field, SystemView};
use leadcore::error::{ErrorKind, ViolationCode};
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::query::{Cursor, Filter, LeadQuery, MAX_DEPTH, Operator, Sort, SortField};
use leadcore::store::StoreExt;

use crate::custom_fields::{custom, host_with, lead};
use crate::support::{Host, company, form, refused};
use crate::views::{by_company, first_cells, furnish, open, parsed};

#[test]
fn rows_come_ready_to_be_shown() {
    let host = Host::new();
    let [full, own_symbol, bare] = furnish(&host);
    let columns = [
        Field::Number,
        Field::Company,
        Field::Email,
        Field::Phone,
        Field::Country,
        Field::Amount,
        Field::Probability,
        Field::Source,
        Field::Category,
        Field::Labels,
        Field::Stage,
        Field::Pipeline,
        Field::Owner,
        Field::Kind,
        Field::State,
        Field::CreatedAt,
    ];
    let users = BTreeMap::from([("ada".parse().unwrap(), "Ada Lovelace".to_owned())]);
    let request = ViewRequest::new().columns(columns).users(users).sort(Sort::ascending(SortField::Number));
    let page = open(&host, SystemView::All, &request);
    let wanted = [
        "1",
        "Nordlys AS",
        "kari@nordlys.example, post@nordlys.example",
        "+47 22 22 55 55",
        "Norway",
        "€ 1250.50",
        "40 %",
        "Trade fair",
        "Retail",
        "Hot, Urgent",
        "New",
        "Leads",
        "Ada Lovelace",
        "Company",
        "Open",
        "2026-11-22 08:00",
    ];
    assert_eq!(page.rows[0].cells, wanted);
    assert_eq!(page.rows[1].cells[5], "NKr 99.00", "the lead's own symbol");
    assert!(page.rows[2].cells[2..11].iter().take(8).all(String::is_empty), "no value, no text");
    let ids: Vec<_> = page.rows.iter().map(|row| (row.id, row.number, row.revision)).collect();
    assert_eq!(ids, [&full, &own_symbol, &bare].map(|lead| (lead.id, lead.number, lead.revision)));
    assert_eq!((page.total, page.name.as_str()), (Some(3), "All Leads"));
    // An hour east of Greenwich it is later.
    let east = host.ctx().with_utc_offset(chrono::FixedOffset::east_opt(3_600).unwrap());
    let page =
        host.store.read(east.tenant(), |txn| views::open(&east, txn, SystemView::All, &request)).unwrap();
    assert_eq!(page.rows[0].cells[15], "2026-11-22 09:00");
}

#[test]
fn a_view_is_searched_filtered_and_paged() {
    let host = Host::new();
    for n in 0..10 {
        let city = if n % 2 == 0 { "Oslo" } else { "Bergen" };
        host.add(form(&[(Field::Company, &format!("Lead {n}")), (Field::City, city)]));
    }
    let request =
        by_company().filter(parsed("city = oslo")).sort(Sort::ascending(SortField::Company)).limit(2);
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = open(&host, SystemView::Mine, &request.clone().after(after));
        seen.extend(first_cells(&page).into_iter().map(str::to_owned));
        let Some(next) = page.next else { break };
        after = Some(Cursor::from_text(&next.to_text()).unwrap());
    }
    assert_eq!(seen, ["Lead 0", "Lead 2", "Lead 4", "Lead 6", "Lead 8"]);
    let page = open(&host, SystemView::Mine, &by_company().search(" lead 0 "));
    assert_eq!(
        (first_cells(&page), page.total),
        (vec!["Lead 0"], None),
        "nobody counts what must be looked at"
    );
    let mut deep = Filter::everything();
    for _ in 0..50_000 {
        deep = !deep;
    }
    let mut request = ViewRequest::new();
    request.filter = Some(deep);
    refused(host.try_read(|ctx, txn| views::open(ctx, txn, SystemView::All, &request)), ErrorKind::Invalid);
    for wrong in [
        ViewRequest::new().limit(0),
        ViewRequest::new().columns([Field::City, Field::City]),
        ViewRequest::new().filter(parsed("amount ~ 1")),
        ViewRequest::new()
            .after(Some(Cursor::behind(&host.add(company("X")), &Sort::ascending(SortField::Company)))),
    ] {
        refused(host.try_read(|ctx, txn| views::open(ctx, txn, SystemView::All, &wrong)), ErrorKind::Invalid);
    }
}

#[test]
fn facets_stand_beside_the_drop_downs() {
    let host = Host::new();
    furnish(&host);
    let fields = [Field::Source, Field::Labels, Field::Stage];
    let facets = host.read(|ctx, txn| leads::facets(ctx, txn, &parsed("owner = me"), &fields));
    let shown: Vec<Vec<(&str, u64)>> = facets
        .iter()
        .map(|facet| facet.values.iter().map(|value| (value.name.as_str(), value.count)).collect())
        .collect();
    assert_eq!(
        shown,
        [vec![("", 2), ("Trade fair", 1)], vec![("", 2), ("Hot", 1), ("Urgent", 1)], vec![("New", 3)],]
    );
}

#[test]
fn x_34_filter_tree() {
    let host = Host::new();
    let [full, _, _] = furnish(&host);
    let kari = ContactFields::named("Kari").unwrap();
    host.write(|ctx, txn| contacts::add(ctx, txn, full.id, kari.clone(), true));
    for (text, wanted) in [
        ("owner = me and (amount >= 1000 or source in (\"Web\", \"Trade fair\")) and not email is empty", 1),
        ("amount >= 99 or company starts with berg", 3),
        ("not (amount >= 99 or company starts with berg)", 0),
        ("created last 30 days and created <= now", 3),
        ("created today", 3),
        ("created yesterday", 0),
        ("created this month and created this fiscal year from 4", 3),
        ("created last quarter", 0),
        ("has contact", 0),
        ("has primary_contact", 1),
        ("has no primary_contact", 2),
        ("is unread and text ~ \"nordlys kari\"", 1),
        ("is rotting", 0),
        ("label = hot and category = retail", 1),
        ("", 3),
        ("any()", 0),
    ] {
        let filter = parsed(&text.replace("\"Web\", ", ""));
        assert_eq!(host.count(&filter), wanted, "{text}");
        assert_eq!(parsed(&filter.to_text()), filter);
    }
    // Where days begin depends on where the asker lives.
    let east = host.ctx().with_utc_offset(chrono::FixedOffset::east_opt(16 * 3_600).unwrap());
    host.scene.clock.advance(chrono::TimeDelta::hours(1));
    let count = |ctx: &leadcore::context::Context<'_>, text: &str| {
        host.store.read(ctx.tenant(), |txn| leads::count(ctx, txn, &parsed(text)))
    };
    assert_eq!(count(&host.ctx(), "created today").unwrap(), 3);
    host.scene.clock.advance(chrono::TimeDelta::hours(8));
    assert_eq!(count(&host.ctx(), "created today").unwrap(), 3, "five in the afternoon");
    assert_eq!(
        count(&east, "created today").unwrap(),
        3,
        "nine in the morning of the 23rd, as when they were made"
    );
    host.scene.clock.advance(chrono::TimeDelta::hours(7));
    assert_eq!(count(&host.ctx(), "created yesterday").unwrap(), 3, "midnight has passed");
    assert_eq!(count(&east, "created today").unwrap(), 3, "not there");
    let team = host.ctx().with_team(["bob".parse().unwrap()]);
    assert_eq!(count(&team, "owner = my_team").unwrap(), 3);
    assert_eq!(count(&team, "owner != my_team").unwrap(), 0);
    refused(count(&host.ctx(), "owner = my_team"), ErrorKind::Invalid);
    let error = refused(count(&host.ctx(), "source = \"Trade fare\""), ErrorKind::Invalid);
    assert!(error.to_string().contains("did you mean `Trade fair`?"), "{error}");
    let error = Filter::parse("amount >= 1 and (").unwrap_err();
    assert_eq!((error.character, error.code), (18, ViolationCode::Malformed));
    assert_eq!(Filter::parse(&"(".repeat(10_000)).unwrap_err().code, ViolationCode::TooLong);
    assert!(Filter::parse(&format!("{}is unread", "not ".repeat(MAX_DEPTH))).is_ok());
}

#[test]
fn rows_offer_what_the_actor_can_do() {
    let host = Host::new();
    let [full, other, _] = furnish(&host);
    host.write(|ctx, txn| convert::convert(ctx, txn, other.id, &ConversionOptions::default()));
    let clerk = Role::new()
        .grant(Permission::View, Visibility::All)
        .grant(Permission::Edit, Visibility::Own)
        .hide(Field::Amount)
        .and_then(|role| role.hide(Field::Email))
        .unwrap();
    let table =
        RoleTable::new().role("clerk", clerk).user(&"ada".parse().unwrap(), &["clerk"], None).unwrap();
    let request = ViewRequest::new().sort(Sort::ascending(SortField::Number));
    let page =
        host.write_as("ada", &table, |ctx, txn| views::open(ctx, txn, SystemView::All, &request)).unwrap();
    let ids: Vec<_> = page.rows.iter().map(|row| row.id).collect();
    let offered = host.write_as("ada", &table, |ctx, txn| leads::actions_of(ctx, txn, &ids)).unwrap();
    let of_rows: Vec<_> = page.rows.iter().map(|row| (row.id, row.actions.clone())).collect();
    assert_eq!(of_rows, offered, "what `actions_of` says, without a second reading");
    assert_eq!(of_rows[0].1, [LeadAction::View, LeadAction::Edit]);
    assert_eq!(of_rows[1].1, [LeadAction::View], "a customer is frozen");
    assert_eq!(page.rows[0].lead.fields.amount, None, "what is hidden is in no row");
    assert!(page.columns.iter().all(|column| column.field != Field::Email), "and in no column");
    let asked = ViewRequest::new().columns([Field::Amount]);
    refused(
        host.write_as("ada", &table, |ctx, txn| views::open(ctx, txn, SystemView::All, &asked)),
        ErrorKind::Invalid,
    );
    let query = LeadQuery::new(Filter::new(Field::Id, Operator::Eq, full.id));
    assert_eq!(host.read(|ctx, txn| leads::list(ctx, txn, &query)).items.len(), 1);
}

#[test]
fn words_of_a_filter_are_text_beside_a_field_of_text() {
    let note = custom("x_note", "Note", CustomType::Text);
    let rate = custom("x_rate", "Rate", CustomType::Decimal);
    let (host, _) = host_with([note, rate]);
    for (name, note, rate) in
        [("A", "42", "1.50"), ("B", "007", "2"), ("C", "2026-11-22", "42"), ("D", "true", "7")]
    {
        lead(&host, name, &[("x_note", note), ("x_rate", rate)]);
    }
    for (text, found) in [
        ("x_note = 42", "A"),
        ("x_note = 007", "B"),
        ("x_note = 2026-11-22", "C"),
        ("x_note = true", "D"),
        ("x_note ~ 00", "B"),
        ("x_rate = 42", "C"),
        ("x_rate = 1.50", "A"),
        ("x_rate = 007", "D"),
    ] {
        assert_eq!(host.names(Filter::parse(text).unwrap()), [found], "{text}");
    }
}
