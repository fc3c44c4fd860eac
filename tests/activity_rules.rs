//! What activities are refused, to whom they are shown, and how they are paged.

use leadcore::desk::functions::Functions;
use leadcore::desk::{Expect, Listing, activities, leads, settings};
use leadcore::domain::{ActivityFields, ActivityKind, Field, Participant};
use leadcore::error::{Conflict, ErrorKind};
use leadcore::id::LeadId;
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::query::Filter;
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::HOSTILE_TEXTS;
use leadcore::time::Timestamp;

use crate::activities::{add, converted, list, titles, user};
use crate::support::{Host, company, fields_of, refused};

#[test]
fn a_converted_lead_takes_no_new_activity_but_what_was_open_is_done() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let task = add(&host, lead.id, ActivityFields::task("Send the contract"));
    let account = converted(&host, &lead);
    for about in [vec![lead.id.into()], vec![account.into(), lead.id.into()]] {
        let note = || ActivityFields::note("x");
        refused(host.try_write(|ctx, txn| activities::add(ctx, txn, &about, note())), ErrorKind::Frozen);
    }
    let log = host.try_write(|ctx, txn| {
        activities::log(ctx, txn, lead.id, Expect::Any, ActivityFields::note("x"), None)
    });
    refused(log, ErrorKind::Frozen);
    let done = host.write(|ctx, txn| activities::complete(ctx, txn, task.id, task.revision));
    assert!(!done.activity.is_open());
    assert_eq!(titles(&list(&host, account, ActivityKind::ALL, &Listing::closed())), ["Send the contract"]);
}

#[test]
fn a_lead_in_the_trash_takes_no_activity() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let task = add(&host, lead.id, ActivityFields::task("x"));
    host.write(|ctx, txn| leads::delete(ctx, txn, lead.id, Expect::Any));
    let add =
        host.try_write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], ActivityFields::note("x")));
    refused(add, ErrorKind::NotFound);
    let done = host.try_write(|ctx, txn| activities::complete(ctx, txn, task.id, Expect::Any));
    refused(done, ErrorKind::NotFound);
    host.write(|ctx, txn| leads::restore(ctx, txn, lead.id));
    host.write(|ctx, txn| activities::complete(ctx, txn, task.id, Expect::Any));
}

#[test]
fn hostile_texts_are_kept_or_refused_but_never_cut() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    for text in HOSTILE_TEXTS {
        let fields = ActivityFields::meeting(text, Timestamp::MIN, Timestamp::MIN)
            .text(text)
            .place(text)
            .with(Participant::Other((*text).to_owned()));
        let added = host.try_write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], fields.clone()));
        if text.contains('\0') {
            let error = refused(added, ErrorKind::Invalid);
            assert_eq!(fields_of(&error), ["title", "text", "place", "participants[0]"]);
        } else {
            let id = added.unwrap().id;
            assert_eq!(host.read(|ctx, txn| activities::get(ctx, txn, id)).fields, fields);
        }
    }
    let before = dump(&host.store, &host.scene.tenant);
    let long = "ø".repeat(65_537);
    let bad = [
        ActivityFields::note(&long),
        ActivityFields::task(&long[..1_002]),
        ActivityFields::meeting("x", Timestamp::MAX, Timestamp::MIN),
        ActivityFields::meeting("x", Timestamp::MIN, Timestamp::MIN).zone("../../etc/passwd"),
    ];
    for fields in bad {
        let error = host.try_write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], fields.clone()));
        let error = refused(error, ErrorKind::Invalid);
        assert!(
            !error.to_string().contains('ø') && !error.to_string().contains("passwd"),
            "no value is repeated"
        );
    }
    assert_eq!(dump(&host.store, &host.scene.tenant), before, "nothing of what was refused stays");
    add(&host, lead.id, ActivityFields::note(&long[2..]));
}

#[test]
fn two_thousand_activities_are_paged_by_their_place() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let note = |n: usize| ActivityFields::note(&n.to_string()).about([lead.id]);
    host.write(|ctx, txn| activities::add_many(ctx, txn, (0..2_000).map(note).collect()));
    for ascending in [false, true] {
        let mut listing = Listing::default().limit(300);
        listing.ascending = ascending;
        let mut seen = Vec::new();
        loop {
            let page = host.read(|ctx, txn| activities::of(ctx, txn, lead.id, ActivityKind::ALL, &listing));
            seen.extend(page.items.into_iter().map(|note| note.id));
            listing.after = page.next;
            if page.next.is_none() {
                break;
            }
        }
        let every: std::collections::BTreeSet<_> = seen.iter().copied().collect();
        assert_eq!((seen.len(), every.len()), (2_000, 2_000), "each one once");
    }
    for limit in [0, 1_001, usize::MAX] {
        let listing = Listing::default().limit(limit);
        let page = host.try_read(|ctx, txn| activities::of(ctx, txn, lead.id, ActivityKind::ALL, &listing));
        assert_eq!(fields_of(&refused(page, ErrorKind::Invalid)), ["limit"]);
        let page = host.try_read(|ctx, txn| activities::all(ctx, txn, ActivityKind::ALL, &listing));
        assert_eq!(fields_of(&refused(page, ErrorKind::Invalid)), ["limit"]);
    }
}

#[test]
fn a_stale_revision_conflicts_and_a_kind_stays() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let task = add(&host, lead.id, ActivityFields::task("x"));
    let other = task.fields.clone().title("y");
    host.write(|ctx, txn| activities::edit(ctx, txn, task.id, task.revision, other.clone()));
    let stale = |error: leadcore::error::Error| {
        assert!(matches!(error.conflict(), Some(Conflict::StaleRevision { .. })), "{error}");
    };
    let edit = host.try_write(|ctx, txn| activities::edit(ctx, txn, task.id, task.revision, other.clone()));
    stale(edit.unwrap_err());
    let act = host.try_write(|ctx, txn| activities::complete(ctx, txn, task.id, task.revision));
    stale(act.unwrap_err());
    let gone = host.try_write(|ctx, txn| activities::delete(ctx, txn, task.id, task.revision));
    stale(gone.unwrap_err());
    let note = ActivityFields::note("x");
    let error = host.try_write(|ctx, txn| activities::edit(ctx, txn, task.id, Expect::Any, note.clone()));
    assert_eq!(fields_of(&refused(error, ErrorKind::Invalid)), ["kind"]);
    let before = dump(&host.store, &host.scene.tenant);
    host.write(|ctx, txn| activities::edit(ctx, txn, task.id, Expect::Any, other.clone()));
    assert_eq!(dump(&host.store, &host.scene.tenant), before, "no difference, nothing written");
}

#[test]
fn a_tenant_closes_kinds_by_the_state_of_the_lead() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let functions = Functions::new().open_for("ticket", Filter::eq(Field::State, "converted"));
    host.write(|ctx, txn| settings::set_functions(ctx, txn, None, &functions));
    let error =
        host.try_write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], ActivityFields::ticket("x")));
    let closed = Conflict::Closed { function: "ticket".to_owned() };
    assert_eq!(error.unwrap_err().conflict(), Some(&closed));
    add(&host, lead.id, ActivityFields::note("x"));
}

#[test]
fn lists_across_leads_show_what_the_actor_may_see() {
    let host = Host::new();
    let mut fields = company("Hers");
    fields.owner = Some(user("eve"));
    let (hers, his) = (host.add(fields), host.add(company("His")));
    let drafts = |lead: LeadId, title: &str, n: usize| {
        let task = ActivityFields::task(title).assigned_to(&user("eve"));
        vec![task.about([lead]); n]
    };
    // More than one round of what she may not see lies before what she may.
    host.write(|ctx, txn| activities::add_many(ctx, txn, drafts(his.id, "His", 250)));
    host.scene.tick();
    host.write(|ctx, txn| activities::add_many(ctx, txn, drafts(hers.id, "Hers", 3)));
    let own = Role::new().grant(Permission::View, Visibility::Own).grant(Permission::Edit, Visibility::Own);
    let table = RoleTable::new().role("own", own).user(&user("eve"), &["own"], None).unwrap();
    let listing = Listing::open().ascending().limit(2);
    let page = host.write_as("eve", &table, |ctx, txn| {
        activities::assigned_to(ctx, txn, &user("eve"), ActivityKind::ALL, &listing)
    });
    let page = page.unwrap();
    assert_eq!(titles(&page.items), ["Hers", "Hers"]);
    let listing = listing.after(page.next);
    let rest = host.write_as("eve", &table, |ctx, txn| {
        activities::assigned_to(ctx, txn, &user("eve"), ActivityKind::ALL, &listing)
    });
    assert_eq!((rest.as_ref().unwrap().items.len(), rest.unwrap().next), (1, None));
    let all = host.write_as("eve", &table, |ctx, txn| {
        activities::all(ctx, txn, ActivityKind::ALL, &Listing::default())
    });
    assert_eq!(all.unwrap().items.len(), 3);
    let hidden = list(&host, his.id, ActivityKind::ALL, &Listing::default()).remove(0);
    let get = host.write_as("eve", &table, |ctx, txn| activities::get(ctx, txn, hidden.id));
    refused(get, ErrorKind::NotFound);
    let give = host.write_as("eve", &table, |ctx, txn| {
        let task = ActivityFields::task("x").assigned_to(&user("ada"));
        activities::add(ctx, txn, &[hers.id.into()], task)
    });
    assert_eq!(fields_of(&refused(give, ErrorKind::Invalid)), ["assignee"]);
    let table = RoleTable::new().role("none", Role::new()).user(&user("eve"), &["none"], None).unwrap();
    let none = host.write_as("eve", &table, |ctx, txn| {
        activities::all(ctx, txn, ActivityKind::ALL, &Listing::default())
    });
    refused(none, ErrorKind::Denied);
}
