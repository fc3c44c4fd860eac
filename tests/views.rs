//! The lists that a user chooses from: system views, saved ones, read marks, a copy for the road.

use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::leads::Changed;
use leadcore::desk::views::{self, ListPage, ViewDraft, ViewRequest};
use leadcore::desk::{Expect, leads, pipelines, settings, vocabulary};
use leadcore::domain::{Actor, Catalogue, Field, Lead, LeadPatch, SystemView, ViewRef, ViewShape};
use leadcore::error::ErrorKind;
use leadcore::id::{CategoryId, LabelId, SourceId};
use leadcore::policy::{AllowAll, Permission, Role, RoleTable, Visibility};
use leadcore::query::{Filter, Sort, SortField};
use leadcore::store::StoreExt;

use crate::support::{Host, company, fields_of, form, refused};

pub(crate) fn open(host: &Host, view: impl Into<ViewRef>, request: &ViewRequest) -> ListPage {
    let view = view.into();
    host.read(|ctx, txn| views::open(ctx, txn, view, request))
}

/// What the first column of each row shows.
pub(crate) fn first_cells(page: &ListPage) -> Vec<&str> {
    page.rows.iter().map(|row| row.cells[0].as_str()).collect()
}

pub(crate) fn by_company() -> ViewRequest {
    ViewRequest::new().columns([Field::Company])
}

pub(crate) fn parsed(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Three leads with everything that a column can show.
pub(crate) fn furnish(host: &Host) -> [Lead; 3] {
    let (source, category, labels) = host.write(|ctx, txn| {
        let labels = ["Hot", "Urgent"].map(|name| vocabulary::add::<LabelId>(ctx, txn, name, None));
        let [hot, urgent] = labels;
        Ok((
            vocabulary::add::<SourceId>(ctx, txn, "Trade fair", None)?,
            vocabulary::add::<CategoryId>(ctx, txn, "Retail", None)?,
            [hot?.id, urgent?.id],
        ))
    });
    let mut full = form(&[
        (Field::Company, "Nordlys AS"),
        (Field::Name, "Kari Nordmann"),
        (Field::Email, "kari@nordlys.example, post@nordlys.example"),
        (Field::Phone, "+47 22 22 55 55"),
        (Field::Country, "NO"),
        (Field::Amount, "1250.5"),
        (Field::Currency, "EUR"),
        (Field::Probability, "40"),
    ]);
    full.source = Some(source.id);
    full.category = Some(category.id);
    full.labels = labels.into();
    let mut own_symbol =
        form(&[(Field::Company, "Fjord AS"), (Field::Amount, "99"), (Field::Currency, "NOK")]);
    own_symbol.currency_symbol = Some("NKr".to_owned());
    [host.add(full), host.add(own_symbol), host.add(company("Berg AS"))]
}

#[test]
fn s1_16_system_list_views() {
    let host = Host::new();
    let [old, other, bare] = furnish(&host);
    host.write(|ctx, txn| convert::convert(ctx, txn, other.id, &ConversionOptions::default()));
    host.scene.tick();
    host.write(|ctx, txn| {
        leads::edit(ctx, txn, old.id, Expect::Any, &LeadPatch::new().set(Field::City, "Oslo"))?;
        let nobody = LeadPatch::new().set(Field::Owner, leadcore::domain::FieldValue::Empty);
        leads::edit(ctx, txn, bare.id, Expect::Any, &nobody)
    });
    let gone = host.add(company("Gone AS"));
    host.write(|ctx, txn| leads::delete(ctx, txn, gone.id, Expect::Any));
    let menu = host.read(|ctx, txn| views::list(ctx, txn));
    let names: Vec<_> = menu.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "My Leads",
            "All Leads",
            "Unread Leads",
            "Recently Created Leads",
            "Recently Modified Leads",
            "Converted Leads",
            "Unassigned Leads",
            "Follow-ups",
            "Rotting Leads",
            "Trash"
        ]
    );
    for (view, wanted) in [
        (SystemView::Mine, vec!["Nordlys AS"]),
        (SystemView::Unread, vec!["Berg AS", "Fjord AS", "Nordlys AS"]),
        (SystemView::RecentlyCreated, vec!["Berg AS", "Fjord AS", "Nordlys AS"]),
        (SystemView::Converted, vec!["Fjord AS"]),
        (SystemView::Unassigned, vec!["Berg AS"]),
        (SystemView::Rotting, vec![]),
        (SystemView::Trash, vec!["Gone AS"]),
    ] {
        assert_eq!(first_cells(&open(&host, view, &by_company())), wanted, "{view:?}");
    }
    let modified = open(&host, SystemView::RecentlyModified, &by_company());
    let mut last_two = first_cells(&modified);
    last_two.truncate(2);
    last_two.sort_unstable();
    assert_eq!(last_two, ["Berg AS", "Nordlys AS"], "what was written last comes first");
    // A week without anything, where the stage allows no more than that.
    let mut pipeline = host.read(|ctx, txn| pipelines::list(ctx, txn)).remove(0);
    pipeline.stages[0].idle_days = Some(7);
    host.write(|ctx, txn| pipelines::update(ctx, txn, pipeline.clone()));
    host.scene.clock.advance(chrono::TimeDelta::days(8));
    let fresh = host.add(company("Fresh AS"));
    let rotting = open(&host, SystemView::Rotting, &by_company());
    let mut names = first_cells(&rotting);
    names.sort_unstable();
    assert_eq!(
        names,
        ["Berg AS", "Nordlys AS"],
        "neither the customer nor the fresh one nor the one in the trash"
    );
    assert!(rotting.rows.iter().all(|row| row.rotting));
    let all = open(&host, SystemView::All, &by_company());
    let flags: Vec<_> = all.rows.iter().filter(|row| row.rotting).map(|row| row.number).collect();
    assert_eq!(flags.len(), 2, "and every list says so");
    assert!(!flags.contains(&fresh.number));
}

#[test]
fn s1_17_unread_state() {
    let mut host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let unread = |host: &Host, user: &str| {
        let request = by_company();
        host.write_as(user, &AllowAll, |ctx, txn| views::open(ctx, txn, SystemView::Unread, &request))
            .unwrap()
            .rows
            .len()
    };
    assert_eq!((unread(&host, "bob"), unread(&host, "eve")), (1, 1));
    host.write_as("bob", &AllowAll, |ctx, txn| leads::open(ctx, txn, lead.id)).unwrap();
    host.restart();
    assert_eq!((unread(&host, "bob"), unread(&host, "eve")), (0, 1), "per user, not per lead");
    host.write_as("eve", &AllowAll, |ctx, txn| {
        leads::edit(ctx, txn, lead.id, Expect::Any, &LeadPatch::new().set(Field::City, "Oslo"))
    })
    .unwrap();
    assert_eq!((unread(&host, "bob"), unread(&host, "eve")), (0, 1), "unread until that user opens it");
    host.write_as("bob", &AllowAll, |ctx, txn| leads::mark_unread(ctx, txn, &[lead.id])).unwrap();
    host.write_as("eve", &AllowAll, |ctx, txn| leads::mark_all_read(ctx, txn)).unwrap();
    assert_eq!((unread(&host, "bob"), unread(&host, "eve")), (1, 0));
    // Nobody marks what it may not see, and a list of those is no way to find out.
    let own = Role::new().grant(Permission::View, Visibility::Own);
    let table = RoleTable::new().role("own", own).user(&"cy".parse().unwrap(), &["own"], None).unwrap();
    refused(host.write_as("cy", &table, |ctx, txn| leads::open(ctx, txn, lead.id)), ErrorKind::NotFound);
    host.write_as("cy", &table, |ctx, txn| leads::mark_read(ctx, txn, &[lead.id])).unwrap();
    assert_eq!(unread(&host, "cy"), 1, "passed over");
    let many = vec![lead.id; 1_001];
    refused(host.try_write(|ctx, txn| leads::mark_read(ctx, txn, &many)), ErrorKind::Invalid);
}

#[test]
fn s1_18_custom_views() {
    let mut host = Host::new();
    furnish(&host);
    let draft = ViewDraft::new("  Worth a call ", parsed("amount > 100 and source = \"trade FAIR\""))
        .columns([Field::Company, Field::Amount])
        .sort(Sort::descending(SortField::Amount));
    let saved = host.write(|ctx, txn| views::save(ctx, txn, &draft));
    assert_eq!(saved.name, "Worth a call");
    host.restart();
    let page = open(&host, saved.id, &ViewRequest::new());
    let labels: Vec<_> = page.columns.iter().map(|column| column.label.as_str()).collect();
    assert_eq!(labels, ["Company", "Expected value"]);
    assert_eq!(page.rows[0].cells, ["Nordlys AS", "€ 1250.50"]);
    assert_eq!((page.rows.len(), page.sort), (1, Sort::descending(SortField::Amount)));
    let (revision, form) = host.read(|ctx, txn| views::draft(ctx, txn, saved.id));
    assert_eq!(form.filter.to_text(), r#"amount > 100 and source = "Trade fair""#, "to be changed by people");
    let same = host.write(|ctx, txn| views::update(ctx, txn, saved.id, revision, &form));
    assert_eq!(same, saved, "nothing was changed");
    let wider = ViewDraft::new("Worth a call", parsed("amount > 50"));
    let stale = leadcore::id::Revision::new(7);
    let update = host.try_write(|ctx, txn| views::update(ctx, txn, saved.id, stale, &wider));
    refused(update, ErrorKind::Conflict);
    let updated = host.write(|ctx, txn| views::update(ctx, txn, saved.id, saved.revision, &wider));
    assert_eq!((updated.revision, updated.columns), (saved.revision.next(), None));
    assert_eq!(open(&host, saved.id, &by_company()).rows.len(), 2);
    // Every misfit at once.
    let wrong = ViewDraft::new("", parsed("amount ~ 3 and source = Fare"))
        .columns([Field::City, Field::City])
        .shape(ViewShape::Board(Some(leadcore::id::PipelineId::from_uuid(host.scene.uuid()))))
        .group_by(Field::Description);
    let error = refused(host.try_write(|ctx, txn| views::save(ctx, txn, &wrong)), ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["name", "columns", "group_by", "shape", "filter.all[1].source"]);
    refused(
        host.try_write(|ctx, txn| views::rename(ctx, txn, saved.id, Expect::Any, " ")),
        ErrorKind::Invalid,
    );
    host.write(|ctx, txn| views::delete(ctx, txn, saved.id, Expect::Any));
    refused(host.try_read(|ctx, txn| views::get(ctx, txn, saved.id)), ErrorKind::NotFound);
}

#[test]
fn s1_25_changed_since() {
    let mut host = Host::new();
    for n in 0..205 {
        host.add(company(&format!("Lead {n}")));
    }
    let start = host.read(|ctx, txn| leads::changes_start(ctx, txn));
    let newest: Vec<u64> = start
        .items
        .iter()
        .map(|item| match item {
            Changed::Lead(lead) => lead.number,
            Changed::Gone(_) => 0,
        })
        .collect();
    assert_eq!(newest, (6..=205).rev().collect::<Vec<u64>>(), "the last 200 modified");
    host.restart();
    let quiet = host.read(|ctx, txn| leads::changes(ctx, txn, Some(start.next), 50));
    assert_eq!((quiet.items.len(), quiet.next, quiet.more), (0, start.next, false));
    let [first, second] = [&start.items[0], &start.items[1]].map(Changed::id);
    let added = host.add(company("Added"));
    host.write(|ctx, txn| {
        for city in ["Oslo", "Bergen"] {
            leads::edit(ctx, txn, first, Expect::Any, &LeadPatch::new().set(Field::City, city))?;
        }
        leads::delete(ctx, txn, second, Expect::Any)
    });
    let page = host.read(|ctx, txn| leads::changes(ctx, txn, Some(start.next), 50));
    let after = host.read(|ctx, txn| leads::get(ctx, txn, first));
    assert_eq!(
        page.items,
        [Changed::Lead(Box::new(added)), Changed::Lead(Box::new(after)), Changed::Gone(second)],
        "each once, as it is now"
    );
    // Page by page it is the same.
    let one = host.read(|ctx, txn| leads::changes(ctx, txn, Some(start.next), 1));
    assert!(one.more);
    let rest = host.read(|ctx, txn| leads::changes(ctx, txn, Some(one.next), 50));
    assert_eq!((rest.items.len(), rest.next), (2, page.next));
    for limit in [0, 1_001] {
        refused(host.try_read(|ctx, txn| leads::changes(ctx, txn, None, limit)), ErrorKind::Invalid);
    }
    let future = leadcore::domain::Sequence(page.next.0 + 1);
    let ahead = host.try_read(|ctx, txn| leads::changes(ctx, txn, Some(future), 50));
    assert_eq!(fields_of(&refused(ahead, ErrorKind::Invalid)), ["after"], "a copy of another history");
    // What the reader may not see stays unseen.
    let masked = RoleTable::new()
        .role("clerk", Role::viewer().hide(Field::City).unwrap())
        .user(&"bob".parse().unwrap(), &["clerk"], None)
        .unwrap();
    let page =
        host.write_as("bob", &masked, |ctx, txn| leads::changes(ctx, txn, Some(start.next), 50)).unwrap();
    assert!(!format!("{page:?}").contains("Bergen"));
}

#[test]
fn s2_12_drop_down_of_lists() {
    let host = Host::new();
    furnish(&host);
    let menu = |host: &Host| host.read(|ctx, txn| views::list(ctx, txn));
    let default = |host: &Host| menu(host).into_iter().find(|entry| entry.is_default).unwrap().view;
    assert_eq!(default(&host), ViewRef::System(SystemView::Mine), "S2.11: lists open with one's own leads");
    let saved = host.write(|ctx, txn| views::save(ctx, txn, &ViewDraft::new("Alle", parsed(""))));
    host.write(|ctx, txn| {
        views::pin(ctx, txn, SystemView::Converted)?;
        views::pin(ctx, txn, saved.id)?;
        views::pin(ctx, txn, SystemView::Converted)?;
        views::set_default(ctx, txn, saved.id)
    });
    let top: Vec<_> = menu(&host).into_iter().take(3).map(|entry| entry.name).collect();
    assert_eq!(top, ["Converted Leads", "Alle", "My Leads"], "pinned first, in the order of pinning");
    assert_eq!(default(&host), ViewRef::Saved(saved.id));
    // A view is named in a link by its code or id.
    for entry in menu(&host) {
        let view: ViewRef = entry.view.to_string().parse().unwrap();
        assert_eq!(open(&host, view, &ViewRequest::new()).name, entry.name);
    }
    host.write(|ctx, txn| views::unpin(ctx, txn, SystemView::Converted));
    host.write(|ctx, txn| views::delete(ctx, txn, saved.id, Expect::Any));
    assert_eq!(menu(&host)[0].name, "My Leads");
    assert_eq!(default(&host), ViewRef::System(SystemView::Mine), "what is gone is no default");
    refused(host.try_write(|ctx, txn| views::pin(ctx, txn, saved.id)), ErrorKind::NotFound);
    let nobody = leadcore::context::Context::new(
        &host.scene.tenant,
        Actor::System,
        &host.scene.clock,
        &host.scene.ids,
        &AllowAll,
    );
    let pinned = host.store.write(&host.scene.tenant, |txn| views::pin(&nobody, txn, SystemView::All));
    refused(pinned, ErrorKind::Invalid);
}

#[test]
fn x_35_saved_views() {
    let host = Host::new();
    let [full, ..] = furnish(&host);
    let board = ViewDraft::new("Board", parsed("amount > 0"))
        .shape(ViewShape::Board(None))
        .sort(Sort::descending(SortField::Amount));
    let saved = host.write(|ctx, txn| views::save(ctx, txn, &board));
    let drawn = host.read(|ctx, txn| views::board(ctx, txn, saved.id, &ViewRequest::new()));
    let cards: Vec<_> = drawn.board.columns[0].cards.iter().map(|card| card.id).collect();
    assert_eq!((drawn.board.columns[0].count, cards.len(), cards[0]), (2, 2, full.id));
    let narrow = ViewRequest::new().search("nordlys").limit(1);
    let drawn = host.read(|ctx, txn| views::board(ctx, txn, saved.id, &narrow));
    assert_eq!(drawn.board.columns[0].count, 1);
    let trash = host.try_read(|ctx, txn| views::board(ctx, txn, SystemView::Trash, &narrow));
    refused(trash, ErrorKind::Unsupported);
    // Grouped: the groups with their counts, the rows of one by a filter.
    let grouped = ViewDraft::new("By source", parsed("")).group_by(Field::Source);
    let grouped = host.write(|ctx, txn| views::save(ctx, txn, &grouped));
    let groups = open(&host, grouped.id, &by_company()).groups.unwrap();
    let named: Vec<_> = groups.values.iter().map(|group| (group.name.as_str(), group.count)).collect();
    assert_eq!(named, [("", 2), ("Trade fair", 1)]);
    let of_group = Filter::eq(groups.field, groups.values[1].value.clone());
    assert_eq!(first_cells(&open(&host, grouped.id, &by_company().filter(of_group))), ["Nordlys AS"]);
    // Private, then public: the owner shares, another reads, who configures may change.
    let table = RoleTable::new()
        .role("clerk", Role::viewer())
        .role("boss", Role::manager())
        .user(&"bob".parse().unwrap(), &["clerk"], None)
        .unwrap()
        .user(&"eve".parse().unwrap(), &["boss"], None)
        .unwrap();
    let of = |user: &str| {
        let menu = host.write_as(user, &table, |ctx, txn| views::list(ctx, txn)).unwrap();
        let ours = menu.into_iter().filter(|entry| matches!(entry.view, ViewRef::Saved(_)));
        ours.map(|entry| (entry.name, entry.is_editable)).collect::<Vec<_>>()
    };
    assert!(of("bob").is_empty());
    let shared = host.write(|ctx, txn| views::share(ctx, txn, saved.id, saved.revision, true));
    assert_eq!((of("bob"), of("eve")), (vec![("Board".into(), false)], vec![("Board".into(), true)]));
    let blind = RoleTable::new()
        .role("blind", Role::manager().hide(Field::Amount).unwrap())
        .user(&"cy".parse().unwrap(), &["blind"], None)
        .unwrap();
    let view = host.write_as("cy", &blind, |ctx, txn| views::get(ctx, txn, saved.id)).unwrap();
    assert!(!view.filter.to_string().contains("amount"), "a condition on a hidden field holds a value of it");
    let request = by_company();
    let page = host.write_as("cy", &blind, |ctx, txn| views::open(ctx, txn, saved.id, &request)).unwrap();
    let left_out: Vec<_> = page.left_out.iter().map(|broken| broken.field.as_str()).collect();
    assert_eq!(left_out, ["filter.amount", "sort"]);
    let delete =
        |user| host.write_as(user, &table, |ctx, txn| views::delete(ctx, txn, saved.id, shared.revision));
    refused(delete("bob"), ErrorKind::Denied);
    delete("eve").unwrap();
    // A field that was disabled since is left out, and the view opens all the same.
    let draft = ViewDraft::new("Tax", parsed("tax_id is empty")).columns([Field::TaxId, Field::Company]);
    let tax = host.write(|ctx, txn| views::save(ctx, txn, &draft));
    let mut catalogue = Catalogue::standard();
    catalogue.settings_mut(Field::TaxId).enabled = Some(false);
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    let page = open(&host, tax.id, &ViewRequest::new());
    let left_out: Vec<_> = page.left_out.iter().map(|broken| broken.field.as_str()).collect();
    assert_eq!(left_out, ["filter.tax_id", "columns[0]"]);
    assert_eq!(page.rows.len(), 0, "rather none than leads that the view was not about");
    let mut again = draft.clone();
    again.name = "Again".to_owned();
    refused(host.try_write(|ctx, txn| views::save(ctx, txn, &again)), ErrorKind::Invalid);
}
