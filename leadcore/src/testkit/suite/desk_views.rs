//! Views, read marks, changes and facets through the use cases.

use std::collections::BTreeMap;

use crate::desk::leads::{self, Changed};
use crate::desk::views::{self, ViewDraft, ViewRequest};
use crate::desk::{Expect, settings, vocabulary};
use crate::domain::{Catalogue, Field, FieldValue, Lead, LeadFields, LeadPatch, SystemView, Topics, ViewRef};
use crate::error::{ErrorKind, Result};
use crate::id::{LeadId, SourceId};
use crate::policy::{Permission, Role, RoleTable, Visibility};
use crate::query::{Filter, LeadQuery, Operator, Sort, SortField};
use crate::store::{Store, StoreExt, Txn};

use super::super::fixtures::Scene;
use super::assert_kind;

fn company(name: &str) -> LeadFields {
    LeadFields::company(name).unwrap()
}

fn write<T>(store: &dyn Store, scene: &Scene, work: impl FnMut(&mut dyn Txn) -> Result<T>) -> T {
    store.write(&scene.tenant, work).expect("a write that breaks no rule")
}

fn read<T>(store: &dyn Store, scene: &Scene, work: impl FnMut(&mut dyn Txn) -> Result<T>) -> T {
    store.read(&scene.tenant, work).expect("a read that breaks no rule")
}

fn add(store: &dyn Store, scene: &Scene, name: &str) -> Lead {
    scene.tick();
    write(store, scene, |txn| leads::create(&scene.ctx(), txn, company(name).into()))
}

/// What users save is theirs until they share it; what others may do with it follows from that.
pub fn a_view_is_saved_opened_shared_and_deleted(store: &dyn Store) {
    let scene = Scene::new("suite");
    let table = RoleTable::new()
        .role("sales", Role::salesperson())
        .role("boss", Role::manager())
        .user(&"ada".parse().unwrap(), &["sales"], None)
        .unwrap()
        .user(&"bob".parse().unwrap(), &["sales"], None)
        .unwrap()
        .user(&"eve".parse().unwrap(), &["boss"], None)
        .unwrap();
    let [ada, bob, eve] = ["ada", "bob", "eve"].map(|user| scene.ctx_as(user, &table));
    for name in ["Alfa", "Beta"] {
        write(store, &scene, |txn| leads::create(&ada, txn, company(name).into()));
    }
    let draft = ViewDraft::new("Only Alfa", Filter::parse("company ~ alfa").unwrap())
        .columns([Field::Company, Field::Owner])
        .sort(Sort::ascending(SortField::Company));
    let saved = write(store, &scene, |txn| views::save(&ada, txn, &draft));
    let page = read(store, &scene, |txn| views::open(&ada, txn, saved.id, &ViewRequest::new()));
    assert_eq!(page.rows.iter().map(|row| row.cells.clone()).collect::<Vec<_>>(), [["Alfa", "ada"]]);
    let hidden = store.read(&scene.tenant, |txn| views::open(&bob, txn, saved.id, &ViewRequest::new()));
    assert_kind(&hidden.unwrap_err(), ErrorKind::NotFound, "a private view is nobody else's business");
    let taken = store.write(&scene.tenant, |txn| views::save(&ada, txn, &draft));
    assert_kind(&taken.unwrap_err(), ErrorKind::AlreadyExists, "one name per owner");
    let shared = write(store, &scene, |txn| views::share(&ada, txn, saved.id, saved.revision, true));
    let menu = |ctx: &crate::context::Context<'_>| read(store, &scene, |txn| views::list(ctx, txn));
    let last = menu(&bob).pop().expect("a menu");
    assert_eq!((last.view, last.is_shared, last.is_editable), (ViewRef::Saved(saved.id), true, false));
    let denied = store.write(&scene.tenant, |txn| views::rename(&bob, txn, saved.id, Expect::Any, "Mine"));
    assert_kind(&denied.unwrap_err(), ErrorKind::Denied, "shared, not given away");
    let stale = store.write(&scene.tenant, |txn| views::rename(&eve, txn, saved.id, saved.revision, "X"));
    assert_kind(&stale.unwrap_err(), ErrorKind::Conflict, "it changed since");
    write(store, &scene, |txn| views::rename(&eve, txn, saved.id, shared.revision, "Alfa"));
    write(store, &scene, |txn| {
        views::pin(&bob, txn, saved.id)?;
        views::pin(&bob, txn, SystemView::Unread)?;
        views::arrange(&bob, txn, &[SystemView::Unread.into(), saved.id.into()])?;
        views::set_default(&bob, txn, saved.id)
    });
    let top: Vec<_> = menu(&bob).into_iter().take(3).map(|entry| (entry.name, entry.is_default)).collect();
    assert_eq!(top, [("Unread Leads".into(), false), ("Alfa".into(), true), ("My Leads".into(), false)]);
    write(store, &scene, |txn| views::delete(&eve, txn, saved.id, Expect::Any));
    let top: Vec<_> = menu(&bob).into_iter().take(2).map(|entry| (entry.name, entry.is_default)).collect();
    assert_eq!(
        top,
        [("Unread Leads".into(), false), ("My Leads".into(), true)],
        "what is gone is no default"
    );
    let told = read(store, &scene, |txn| txn.journal().about(&[saved.id.into()], Topics::NONE, None, 10));
    assert_eq!(told.len(), 3, "shared, renamed, deleted: what was private before is not told");
}

/// A saved view outlives the fields that it shows: it opens, and says what it leaves out.
pub fn a_view_opens_without_what_no_longer_fits(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    add(store, &scene, "Alfa");
    let filter =
        Filter::parse("city is empty and not (tax_id = 1 or tax_id = 2) and any(tax_id = 3)").unwrap();
    let draft = ViewDraft::new("All", filter)
        .columns([Field::Company, Field::TaxId])
        .sort(Sort::ascending(SortField::Company));
    let saved = write(store, &scene, |txn| views::save(&ctx, txn, &draft));
    let open = || read(store, &scene, |txn| views::open(&ctx, txn, saved.id, &ViewRequest::new()));
    assert_eq!((open().rows.len(), open().left_out), (0, vec![]), "nobody has that number");
    let mut catalogue = Catalogue::standard();
    catalogue.settings_mut(Field::TaxId).enabled = Some(false);
    write(store, &scene, |txn| settings::set_catalogue(&ctx, txn, None, &catalogue));
    let page = open();
    assert_eq!(page.rows.len(), 0, "what is left of the filter would show leads that were never meant");
    assert_eq!(page.columns.len(), 1);
    let left_out: Vec<_> = page.left_out.iter().map(|broken| broken.field.as_str()).collect();
    let wanted = [
        "filter.all[1].not.any[0].tax_id",
        "filter.all[1].not.any[1].tax_id",
        "filter.all[2].any[0].tax_id",
        "columns[1]",
    ];
    assert_eq!(left_out, wanted);
    let table = RoleTable::new()
        .role("clerk", Role::manager().hide(Field::Company).unwrap())
        .user(&"bob".parse().unwrap(), &["clerk"], None)
        .unwrap();
    write(store, &scene, |txn| views::share(&ctx, txn, saved.id, Expect::Any, true));
    let bob = scene.ctx_as("bob", &table);
    let page = read(store, &scene, |txn| views::open(&bob, txn, saved.id, &ViewRequest::new()));
    assert_eq!(page.sort, Sort::default(), "an order that would tell is left out");
    assert!(page.columns.iter().all(|column| column.field != Field::Company), "and so is the column");
    let every = store.write(&scene.tenant, |txn| {
        let draft = ViewDraft::new(" ", Filter::parse("tax_id = 1 and amount ~ x").unwrap())
            .columns([Field::TaxId])
            .group_by(Field::Email);
        views::save(&ctx, txn, &draft)
    });
    let error = every.unwrap_err();
    let fields: Vec<_> = error.violations().iter().map(|broken| broken.field.as_str()).collect();
    assert_eq!(fields, ["name", "columns[0]", "group_by", "filter.tax_id"], "every misfit at once");
}

/// Read is read per user: what others write changes nothing.
pub fn leads_are_unread_per_user_until_opened(store: &dyn Store) {
    let scene = Scene::new("suite");
    let allow = crate::policy::AllowAll;
    let [ada, bob] = ["ada", "bob"].map(|user| scene.ctx_as(user, &allow));
    let [first, second] = ["First", "Second"].map(|name| add(store, &scene, name).id);
    let unread = |ctx: &crate::context::Context<'_>| -> Vec<LeadId> {
        let page = read(store, &scene, |txn| views::open(ctx, txn, SystemView::Unread, &ViewRequest::new()));
        let all = read(store, &scene, |txn| views::open(ctx, txn, SystemView::All, &ViewRequest::new()));
        let flagged = all.rows.iter().filter(|row| row.unread).count();
        assert_eq!(flagged, page.rows.len(), "the list and its flags are of one mind");
        page.rows.into_iter().map(|row| row.id).collect()
    };
    assert_eq!(unread(&ada), [second, first]);
    write(store, &scene, |txn| leads::open(&ada, txn, first));
    assert_eq!((unread(&ada), unread(&bob).len()), (vec![second], 2));
    let patch = LeadPatch::new().set(Field::City, "Oslo");
    write(store, &scene, |txn| leads::edit(&bob, txn, first, Expect::Any, &patch));
    assert_eq!(unread(&ada), [second], "somebody else's edit does not make it unread again");
    read(store, &scene, |txn| leads::open(&ada, txn, first));
    write(store, &scene, |txn| leads::mark_unread(&ada, txn, &[first]));
    assert_eq!(unread(&ada), [second, first]);
    write(store, &scene, |txn| leads::mark_all_read(&ada, txn));
    assert_eq!(unread(&ada), [] as [LeadId; 0]);
    let third = add(store, &scene, "Third").id;
    assert_eq!(unread(&ada), [third], "what comes later is unread");
    write(store, &scene, |txn| leads::mark_read(&ada, txn, &[third, third]));
    assert_eq!(unread(&ada), [] as [LeadId; 0]);
    let host = crate::context::Context::new(
        &scene.tenant,
        crate::domain::Actor::System,
        &scene.clock,
        &scene.ids,
        &allow,
    );
    let error = store.write(&scene.tenant, |txn| leads::mark_all_read(&host, txn)).unwrap_err();
    assert_kind(&error, ErrorKind::Invalid, "the host is no user");
    let menu = read(store, &scene, |txn| views::list(&host, txn));
    assert!(menu.iter().all(|entry| entry.view != SystemView::Unread.into()), "and has no such list");
}

/// Every system view, page by page, is what its filter says.
pub fn every_page_of_a_view_shows_every_lead_once(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    for n in 0..9 {
        add(store, &scene, &format!("Lead {n}"));
    }
    let gone = add(store, &scene, "Gone").id;
    write(store, &scene, |txn| leads::delete(&ctx, txn, gone, Expect::Any));
    for (view, count) in [
        (SystemView::Mine, 9),
        (SystemView::All, 9),
        (SystemView::Unread, 9),
        (SystemView::RecentlyCreated, 9),
        (SystemView::RecentlyModified, 9),
        (SystemView::Converted, 0),
        (SystemView::Unassigned, 0),
        (SystemView::FollowUps, 0),
        (SystemView::Rotting, 0),
        (SystemView::Trash, 1),
    ] {
        let mut request = ViewRequest::new().limit(4);
        let mut seen = Vec::new();
        loop {
            let page = read(store, &scene, |txn| views::open(&ctx, txn, view, &request));
            seen.extend(page.rows.iter().map(|row| row.id));
            if page.next.is_none() {
                break;
            }
            request = request.after(page.next);
        }
        assert_eq!(seen.len(), count, "{view:?}");
        let once: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!(once.len(), count, "{view:?}: each once");
    }
}

/// A copy that is kept by [`leads::changes`] is the list itself, however the pages fall.
pub fn a_copy_follows_every_change_once(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let ids: Vec<LeadId> = (0..7).map(|n| add(store, &scene, &format!("Lead {n}")).id).collect();
    let start = read(store, &scene, |txn| leads::changes_start(&ctx, txn));
    assert_eq!(start.items.len(), 7, "the newest leads to begin with");
    let quiet = read(store, &scene, |txn| leads::changes(&ctx, txn, Some(start.next), 10));
    assert_eq!((quiet.items, quiet.next, quiet.more), (vec![], start.next, false), "nothing is repeated");
    for limit in [1, 2, 3, 1_000] {
        let mut copy: BTreeMap<LeadId, Lead> = BTreeMap::new();
        // From the beginning in one case, from the newest leads in the others.
        let mut after = (limit > 1).then_some(start.next);
        if limit > 1 {
            copy.extend(start.items.iter().filter_map(|item| match item {
                Changed::Lead(lead) => Some((lead.id, (**lead).clone())),
                Changed::Gone(_) => None,
            }));
        }
        let mut round = 0;
        loop {
            // Others write between the pages.
            if round < 5 {
                scene.tick();
                let patch = LeadPatch::new().set(Field::City, format!("City {limit} {round}").as_str());
                write(store, &scene, |txn| {
                    leads::edit(&ctx, txn, ids[round], Expect::Any, &patch)?;
                    // One lead goes into the trash and comes back again.
                    match leads::get(&ctx, txn, ids[6])?.trashed {
                        None => leads::delete(&ctx, txn, ids[6], Expect::Any),
                        Some(_) => leads::restore(&ctx, txn, ids[6]).map(drop),
                    }
                });
            }
            round += 1;
            let page = read(store, &scene, |txn| leads::changes(&ctx, txn, after, limit));
            let once: std::collections::BTreeSet<_> = page.items.iter().map(Changed::id).collect();
            assert_eq!(once.len(), page.items.len(), "each lead once per page");
            assert!(page.items.len() <= limit, "at most the limit");
            for item in page.items {
                match item {
                    Changed::Lead(lead) => drop(copy.insert(lead.id, *lead)),
                    Changed::Gone(id) => drop(copy.remove(&id)),
                }
            }
            after = Some(page.next);
            if !page.more && round >= 5 {
                break;
            }
        }
        let list = read(store, &scene, |txn| leads::list(&ctx, txn, &LeadQuery::default().limit(1_000)));
        let list: BTreeMap<LeadId, Lead> = list.items.into_iter().map(|lead| (lead.id, lead)).collect();
        assert_eq!(copy, list, "the copy is the list (pages of {limit})");
    }
    write(store, &scene, |txn| leads::delete(&ctx, txn, ids[0], Expect::Any));
    let end = read(store, &scene, |txn| txn.journal().end());
    let clerk = Role::new().grant(Permission::View, Visibility::Own);
    let table =
        RoleTable::new().role("clerk", clerk).user(&"bob".parse().unwrap(), &["clerk"], None).unwrap();
    let bob = scene.ctx_as("bob", &table);
    let page = read(store, &scene, |txn| leads::changes(&bob, txn, None, 1_000));
    assert!(
        page.items.iter().all(|item| matches!(item, Changed::Gone(_))),
        "only ids of what is not to be seen"
    );
    assert_eq!((page.next, page.more), (end, false));
}

/// A facet counts what the list with that value shows.
pub fn facets_are_the_counts_of_the_lists(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let sources = write(store, &scene, |txn| {
        ["Zoo", "Fair"]
            .iter()
            .map(|name| vocabulary::add::<SourceId>(&ctx, txn, name, None))
            .collect::<Result<Vec<_>>>()
    });
    let label = write(store, &scene, |txn| vocabulary::add::<crate::id::LabelId>(&ctx, txn, "Hot", None));
    for n in 0..6_usize {
        let mut fields = company(&format!("Lead {n}"));
        fields.source = sources.get(n % 3).map(|source| source.id);
        if n < 2 {
            fields.labels = [label.id].into();
        }
        write(store, &scene, |txn| leads::create(&ctx, txn, fields.clone().into()));
    }
    for filter in [Filter::everything(), Filter::parse("company != \"Lead 0\"").unwrap()] {
        let fields = [Field::Source, Field::Stage, Field::Labels, Field::Owner, Field::State];
        let facets = read(store, &scene, |txn| leads::facets(&ctx, txn, &filter, &fields));
        assert_eq!(facets.len(), fields.len());
        for facet in &facets {
            for value in &facet.values {
                let of_value = match &value.value {
                    FieldValue::Empty => Filter::new(facet.field.clone(), Operator::IsEmpty, true),
                    one => Filter::eq(facet.field.clone(), one.clone()),
                };
                let both = filter.clone() & of_value;
                let count = read(store, &scene, |txn| leads::count(&ctx, txn, &both));
                assert_eq!(count, value.count, "{} {}", facet.field, value.name);
            }
        }
        let names: Vec<_> = facets[0].values.iter().map(|value| value.name.as_str()).collect();
        assert_eq!(names, ["", "Zoo", "Fair"], "none first, then in the order of the list");
    }
    let refused =
        store.read(&scene.tenant, |txn| leads::facets(&ctx, txn, &Filter::everything(), &[Field::Company]));
    assert_kind(&refused.unwrap_err(), ErrorKind::Unsupported, "free text has no groups");
}

/// Names of terms, stages and pipelines in filters; what nothing has is refused with the nearest.
pub fn names_in_a_filter_stand_for_ids(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let web = write(store, &scene, |txn| vocabulary::add::<SourceId>(&ctx, txn, "Web site", None));
    for (name, source) in [("With", Some(web.id)), ("Without", None)] {
        let fields = LeadFields { source, ..company(name) };
        write(store, &scene, |txn| leads::create(&ctx, txn, fields.clone().into()));
    }
    let count = |text: &str| {
        let filter = Filter::parse(text).unwrap();
        store.read(&scene.tenant, |txn| leads::count(&ctx, txn, &filter))
    };
    for (text, wanted) in [
        ("source = \"WEB SITE\"", 1),
        ("source != \"web site\"", 1),
        ("source not in (\"Web site\")", 1),
        ("status = new", 2),
        ("stage in (New, Mailed) and pipeline = leads", 2),
        ("stage = \"Leads / New\"", 2),
    ] {
        assert_eq!(count(text).expect("names that are there"), wanted, "{text}");
    }
    let error = count("source = \"web sight\" or stage in (nwe, New)").unwrap_err();
    assert_kind(&error, ErrorKind::Invalid, "nothing has these names");
    let mut told: Vec<_> = error.violations().iter().map(ToString::to_string).collect();
    told.sort();
    let wanted = [
        "`filter.any[0].source`: nothing has this name; did you mean `Web site`?",
        "`filter.any[1].stage`: nothing has this name; did you mean `New`?",
    ];
    assert_eq!(told, wanted, "each with the nearest name");
    // A saved view keeps the id: a rename changes nothing.
    let draft = ViewDraft::new("From the web", Filter::parse("source = \"Web site\"").unwrap());
    let saved = write(store, &scene, |txn| views::save(&ctx, txn, &draft));
    write(store, &scene, |txn| vocabulary::rename(&ctx, txn, web.id, Expect::Any, "Internet"));
    let page = read(store, &scene, |txn| views::open(&ctx, txn, saved.id, &ViewRequest::new()));
    assert_eq!(page.rows.len(), 1);
}
