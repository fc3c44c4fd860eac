//! A customer that was handed over, a term that converted leads keep, functions that are spelt wrongly.

use leadcore::context::Context;
use leadcore::desk::calendar::{self, OverviewQuery};
use leadcore::desk::convert::{ConversionOptions, PersonChoice};
use leadcore::desk::estimates::EstimateQuery;
use leadcore::desk::files::{self, NewFile};
use leadcore::desk::functions::Functions;
use leadcore::desk::page::{self, PageOptions};
use leadcore::desk::timeline::{self, TimelineItem, TimelineQuery};
use leadcore::desk::vocabulary::{self, InUse};
use leadcore::desk::{
    Expect, Listing, accounts, activities, contacts, convert, estimates, followers, leads, lines, settings,
};
use leadcore::domain::{
    AccountPatch, ActivityBody, ActivityFields, ActivityKind, ContactFields, Field, FileLimits, Lead,
    LeadFields, Link, LinkRole, Subject, SubjectKind, Tab,
};
use leadcore::error::{Conflict, ErrorKind, Result};
use leadcore::id::{AccountId, LeadId};
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::query::Filter;
use leadcore::store::Txn;
use leadcore::time::Timestamp;

use super::fresh::{account, named};
use super::{converted, nordlys, worked};
use crate::estimates::{panels, roof};
use crate::support::{Host, company, refused};

/// Sellers who see and edit what is theirs.
fn sellers(role: Role) -> RoleTable {
    let role = role.grant(Permission::View, Visibility::Own).grant(Permission::Edit, Visibility::Own);
    ["eve", "kai", "ola"].iter().fold(RoleTable::new().role("sales", role), |table, user| {
        table.user(&user.parse().unwrap(), &["sales"], None).unwrap()
    })
}

/// A lead of eve's with a note, a task, a file on the lead and one on the note, an estimate and products, converted and handed
/// to kai.
fn handed(host: &Host) -> (Lead, AccountId) {
    let lead = worked(host);
    let eve = leadcore::domain::LeadPatch::new().set(Field::Owner, "eve");
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &eve));
    let note = activity(host, &lead, ActivityKind::Note);
    for about in [Subject::from(lead.id), note] {
        host.write(|ctx, txn| {
            let mut content = b"on the roof".as_slice();
            files::add(ctx, txn, &[about], NewFile::new("roof.txt", &mut content), &FileLimits::default())
        });
    }
    host.write(|ctx, txn| {
        let visit = ActivityFields::meeting("Visit", at("2026-11-24T09:00:00Z"), at("2026-11-24T10:00:00Z"));
        activities::add(ctx, txn, &[lead.id.into()], visit)
    });
    host.write(|ctx, txn| estimates::create(ctx, txn, &[lead.id.into()], roof()));
    host.write(|ctx, txn| lines::set(ctx, txn, lead.id, Expect::Any, vec![panels()].into()));
    let account = converted(host, &lead).account.unwrap();
    let patch = AccountPatch::new().set(Field::Owner, "kai");
    host.write(|ctx, txn| accounts::edit(ctx, txn, account, Expect::Any, &patch));
    (lead, account)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn activity(host: &Host, lead: &Lead, kind: ActivityKind) -> Subject {
    let of = |ctx: &Context<'_>, txn: &mut dyn Txn| {
        activities::of(ctx, txn, lead.id, &[kind], &Listing::default())
    };
    host.read(of).items[0].id.into()
}

/// What the page of a customer shows, as far as it is the same for all who see it.
fn shown(ctx: &Context<'_>, txn: &mut dyn Txn, account: AccountId) -> Result<Vec<String>> {
    let page = page::account_page(ctx, txn, account, &PageOptions::new().timeline(1_000))?;
    let mut shown: Vec<String> =
        page.tabs.iter().map(|tab| format!("{}: {} of {}", tab.tab, tab.items.len(), tab.total)).collect();
    shown.extend(page.attachments.iter().map(|attached| format!("attached: {}", attached.total)));
    shown.extend(page.timeline.items.into_iter().map(|item| item.text));
    Ok(shown)
}

#[test]
fn who_sees_a_customer_sees_what_hangs_on_its_leads() {
    let host = Host::new();
    let (lead, account) = handed(&host);
    let table = sellers(Role::salesperson());
    let all = host.read(|ctx, txn| shown(ctx, txn, account));
    assert!(all.iter().any(|line| line == "note: 1 of 1") && all.iter().any(|line| line == "attached: 1"));
    assert!(all.iter().any(|line| line == "Estimate added: A roof"), "{all:?}");
    host.write_as("kai", &table, |ctx, txn| {
        assert_eq!(shown(ctx, txn, account)?, all);
        let options = Listing::default();
        let note = activities::of(ctx, txn, account, &[ActivityKind::Note], &options)?.items.remove(0);
        assert_eq!(note.about, [account.into()], "in the place of the lead the customer");
        assert_eq!(activities::get(ctx, txn, note.id)?, note);
        assert_eq!(activities::all(ctx, txn, ActivityKind::ALL, &options)?.items.len(), 3);
        let days = OverviewQuery::new(at("2026-11-23T00:00:00Z"), at("2026-11-30T00:00:00Z"));
        for query in [days.clone(), days.about(account)] {
            let entries = calendar::overview(ctx, txn, &query)?.entries;
            assert_eq!(entries.iter().map(|one| &one.about[..]).collect::<Vec<_>>(), [[account.into()]]);
        }
        for of in [account.into(), Subject::from(note.id)] {
            let file = files::of(ctx, txn, of, &options)?.items.remove(0);
            let mut content = Vec::new();
            files::read(ctx, txn, file.id, &mut content)?;
            assert_eq!(content, b"on the roof");
        }
        assert_eq!(estimates::list(ctx, txn, &EstimateQuery::default())?.items.len(), 1);
        assert_eq!(estimates::of(ctx, txn, account, &options)?.items.len(), 1);
        assert_eq!(lines::list(ctx, txn, account)?.len(), 1);
        let notes = TimelineQuery::new(100);
        assert!(!timeline::of(ctx, txn, note.id, &notes)?.items.is_empty());
        // He goes on with it.
        let task = activities::of(ctx, txn, account, &[ActivityKind::Task], &options)?.items.remove(0);
        let done = activities::complete(ctx, txn, task.id, task.revision)?.activity;
        assert!(matches!(done.fields.body, ActivityBody::Task(_)) && !done.is_open());
        Ok(())
    })
    .unwrap();
    // The lead itself he does not see, nor does anybody else see more than before.
    type Read = fn(&Context<'_>, &mut dyn Txn, &Lead) -> Result<()>;
    let of_lead: [Read; 5] = [
        |ctx, txn, lead| leads::get(ctx, txn, lead.id).map(drop),
        |ctx, txn, lead| page::lead_page(ctx, txn, lead.id, &PageOptions::new()).map(drop),
        |ctx, txn, lead| timeline::of(ctx, txn, lead.id, &TimelineQuery::new(10)).map(drop),
        |ctx, txn, lead| followers::of(ctx, txn, lead.id).map(drop),
        |ctx, txn, lead| {
            activities::of(ctx, txn, lead.id, &[ActivityKind::Note], &Listing::default()).map(drop)
        },
    ];
    for user in ["kai", "ola"] {
        for read in of_lead {
            refused(host.write_as(user, &table, |ctx, txn| read(ctx, txn, &lead)), ErrorKind::NotFound);
        }
        let none = host.write_as(user, &table, |ctx, txn| leads::count(ctx, txn, &Filter::everything()));
        assert_eq!(none.unwrap(), 0);
    }
    let origins = host.write_as("kai", &table, |ctx, txn| accounts::origins(ctx, txn, account));
    assert_eq!(origins.unwrap(), []);
    let note = activity(&host, &lead, ActivityKind::Note);
    host.write_as("ola", &table, |ctx, txn| {
        let note = leadcore::id::ActivityId::from_uuid(note.id);
        refused(activities::get(ctx, txn, note), ErrorKind::NotFound);
        refused(shown(ctx, txn, account), ErrorKind::NotFound);
        assert_eq!(activities::all(ctx, txn, ActivityKind::ALL, &Listing::default())?.items, []);
        assert_eq!(estimates::list(ctx, txn, &EstimateQuery::default())?.items, []);
        Ok(())
    })
    .unwrap();
    // Eve, whose lead it was, sees it as before.
    let eve = host.write_as("eve", &table, |ctx, txn| {
        activities::all(ctx, txn, ActivityKind::ALL, &Listing::default())
    });
    assert!(eve.unwrap().items.iter().all(|one| one.about == [lead.id.into()]));
}

#[test]
fn who_sees_a_person_sees_what_hangs_on_the_lead_that_became_it() {
    let host = Host::new();
    let table = sellers(Role::salesperson());
    let eve = LeadFields { owner: Some("eve".parse().unwrap()), ..nordlys() };
    let lead = host.add(eve);
    let note = ActivityFields::note("They called");
    host.write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], note.clone()));
    let alone = ConversionOptions::default().contact_only();
    let kari = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &alone)).contacts[0];
    let of_kari = |user: &str| {
        host.write_as(user, &table, |ctx, txn| {
            activities::of(ctx, txn, kari, &[ActivityKind::Note], &Listing::default())
        })
    };
    refused(of_kari("kai"), ErrorKind::NotFound);
    // She works for a customer of kai's.
    let other = host.add(LeadFields { owner: Some("kai".parse().unwrap()), ..company("Fjord AS") });
    let joined = ConversionOptions::default().person(PersonChoice::Existing(kari));
    host.write(|ctx, txn| convert::convert(ctx, txn, other.id, &joined));
    let notes = of_kari("kai").unwrap().items;
    assert_eq!(notes.iter().map(|one| &one.about[..]).collect::<Vec<_>>(), [[kari.into()]]);
    refused(of_kari("ola"), ErrorKind::NotFound);
}

#[test]
fn what_is_hidden_of_leads_is_hidden_with_their_customer() {
    let host = Host::new();
    let (_, account) = handed(&host);
    let role = Role::salesperson().hide(Field::Amount).and_then(|role| role.hide(Field::City)).unwrap();
    let table = sellers(role);
    host.write_as("kai", &table, |ctx, txn| {
        let page = page::account_page(ctx, txn, account, &PageOptions::new().timeline(1_000))?;
        assert!(page.tabs.iter().all(|tab| tab.tab != Tab::Lines), "they add up to the amount");
        for entry in page.timeline.items.iter().map(|item| &item.entry) {
            let hidden = ["city", "amount"];
            let is_hidden = |field: &str| entry.subject.kind == SubjectKind::Lines || hidden.contains(&field);
            assert!(entry.changes.iter().all(|change| !is_hidden(&change.field)), "{entry:?}");
        }
        refused(lines::list(ctx, txn, account), ErrorKind::Invalid);
        Ok(())
    })
    .unwrap();
}

#[test]
fn who_may_only_read_the_customer_changes_nothing_of_its_leads() {
    let host = Host::new();
    let (lead, _) = handed(&host);
    let reader = Role::new().grant(Permission::View, Visibility::Own);
    let table =
        RoleTable::new().role("reader", reader).user(&"kai".parse().unwrap(), &["reader"], None).unwrap();
    let note = leadcore::id::ActivityId::from_uuid(activity(&host, &lead, ActivityKind::Note).id);
    host.write_as("kai", &table, |ctx, txn| activities::get(ctx, txn, note)).unwrap();
    let text = ActivityFields::note("Other");
    for write in [
        host.write_as("kai", &table, |ctx, txn| activities::delete(ctx, txn, note, Expect::Any)),
        host.write_as("kai", &table, |ctx, txn| {
            activities::edit(ctx, txn, note, Expect::Any, text.clone()).map(drop)
        }),
    ] {
        refused(write, ErrorKind::Denied);
    }
}

#[test]
fn a_customer_who_is_handed_over_is_seen_by_both() {
    let host = Host::new();
    let lead = host.add(LeadFields { owner: Some("eve".parse().unwrap()), ..nordlys() });
    let account = converted(&host, &lead).account.unwrap();
    let table = sellers(Role::salesperson());
    let patch = AccountPatch::new().set(Field::Owner, "kai");
    host.write(|ctx, txn| accounts::edit(ctx, txn, account, Expect::Any, &patch));
    for user in ["eve", "kai"] {
        let city = AccountPatch::new().set(Field::City, user);
        let edit = host.write_as(user, &table, |ctx, txn| {
            contacts::of_account(ctx, txn, account)?;
            assert_eq!(accounts::list(ctx, txn, None, 10)?.items.len(), 1);
            accounts::edit(ctx, txn, account, Expect::Any, &city)
        });
        assert_eq!(
            edit.unwrap().fields.owner.map(|owner| owner.to_string()),
            Some("kai".to_owned()),
            "{user}"
        );
    }
    let other = host.write_as("ola", &table, |ctx, txn| accounts::get(ctx, txn, account));
    refused(other, ErrorKind::NotFound);
    // The lead stays that of whoever worked it.
    let theirs = host.write_as("kai", &table, |ctx, txn| leads::get(ctx, txn, lead.id));
    refused(theirs, ErrorKind::NotFound);
}

#[test]
fn what_converted_leads_keep_is_refused_with_the_reason() {
    let host = Host::new();
    let source = host.write(|ctx, txn| vocabulary::add::<leadcore::id::SourceId>(ctx, txn, "Fair", None));
    let lead = host.add(LeadFields { source: Some(source.id), ..company("Nordlys") });
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &Default::default()));
    for in_use in [InUse::Refuse, InUse::Clear] {
        let error = refused(
            host.try_write(|ctx, txn| vocabulary::delete(ctx, txn, source.id, in_use)),
            ErrorKind::Conflict,
        );
        assert_eq!(error.conflict(), Some(&Conflict::InUse { by: 1 }));
        assert!(error.to_string().contains("1 converted lead,"), "{error}");
        assert!(error.to_string().contains("archive it"), "{error}");
    }
}

#[test]
fn a_misspelt_function_is_refused_when_it_is_set_up() {
    let host = Host::new();
    let set = |name: &str| {
        let functions = Functions::new().open_for(name, Filter::eq(Field::Kind, "company"));
        host.try_write(|ctx, txn| {
            let revision = settings::functions(ctx, txn)?.0;
            settings::set_functions(ctx, txn, revision, &functions)
        })
    };
    for wrong in ["covert", "convrt", "conevrt", "unconvet", "detele", "esimate"] {
        let error = refused(set(wrong), ErrorKind::Invalid);
        assert!(error.to_string().contains("`convert`") && !error.to_string().contains(wrong), "{error}");
    }
    for own in ["convert", "send_offer", "send", "erp:push"] {
        set(own).unwrap();
    }
}

/// What a change of the primary contact says.
fn told_of_primary(items: &[TimelineItem]) -> Vec<&str> {
    items.iter().map(|item| item.text.as_str()).filter(|text| text.starts_with("Primary contact")).collect()
}

#[test]
fn persons_who_stayed_with_a_lead_out_of_sight_are_not_named_with_the_customer() {
    let host = Host::new();
    let table = sellers(Role::salesperson());
    let lead = host.add(LeadFields { owner: Some("eve".parse().unwrap()), ..company("Nordlys") });
    let persons = ["Ola Dal", "Eva Moe"].map(|name| {
        let fields = ContactFields::named(name).unwrap();
        host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, fields.clone(), false)).id
    });
    host.scene.tick();
    host.write(|ctx, txn| contacts::make_primary(ctx, txn, lead.id, persons[1]));
    let mut alone = ConversionOptions::default();
    alone.contacts = false;
    let customer = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &alone)).account.unwrap();
    let patch = AccountPatch::new().set(Field::Owner, "kai");
    host.write(|ctx, txn| accounts::edit(ctx, txn, customer, Expect::Any, &patch));
    let history = |ctx: &Context<'_>, txn: &mut dyn Txn| {
        Ok(timeline::of(ctx, txn, customer, &TimelineQuery::new(1_000))?.items)
    };
    let all = host.write_as("eve", &table, history).unwrap();
    assert_eq!(told_of_primary(&all), ["Primary contact: Ola Dal → Eva Moe"]);
    let kais = host.write_as("kai", &table, history).unwrap();
    assert_eq!(told_of_primary(&kais), [""; 0]);
    let whole = format!("{kais:?}");
    for hidden in ["Ola Dal", "Eva Moe", &persons[0].to_string(), &persons[1].to_string()] {
        assert!(!whole.contains(hidden), "{hidden}: {whole}");
    }
    // One of them comes to be known: the other stays out of it.
    host.write(|_, txn| txn.links().insert(&[Link::new(customer, LinkRole::Contact, persons[1])]));
    let kais = host.write_as("kai", &table, history).unwrap();
    assert_eq!(told_of_primary(&kais), ["Primary contact: – → Eva Moe"]);
    assert!(!format!("{kais:?}").contains(&persons[0].to_string()));
}

#[test]
fn the_oldest_lead_behind_a_customer_comes_first_whatever_its_id() {
    let host = Host::new();
    let customer = account(&host, &named("Nordlys")).id;
    let young = host.add(company("Nordlys"));
    host.write(|ctx, txn| lines::set(ctx, txn, young.id, Expect::Any, vec![panels()].into()));
    // Of another program, with ids of its own.
    let old = Lead {
        id: LeadId::from_uuid(uuid::Uuid::max()),
        number: young.number + 1,
        created_at: at("2020-01-01T00:00:00Z"),
        ..host.get(&young)
    };
    host.write(|_, txn| txn.leads().insert(std::slice::from_ref(&old)));
    host.write(|ctx, txn| lines::set(ctx, txn, old.id, Expect::Any, vec![panels()].into()));
    for lead in [&young, &old] {
        let there = ConversionOptions::default().into_account(customer);
        host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &there));
    }
    assert_eq!(host.read(|ctx, txn| accounts::origins(ctx, txn, customer)), [old.id, young.id]);
    let shown = host.read(|ctx, txn| lines::list(ctx, txn, customer));
    assert_eq!(shown.iter().map(|list| list.lead()).collect::<Vec<_>>(), [old.id, young.id]);
}
