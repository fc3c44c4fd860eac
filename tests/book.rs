//! The book of accounts and persons: customers who were there before any lead, and work on those that leads became.

use leadcore::context::Context;
use leadcore::dedupe::matching::MatchPolicy;
use leadcore::desk::accounts::AccountBlocker;
use leadcore::desk::convert::{self, AccountChoice, ConversionOptions, Unconvertible};
use leadcore::desk::undo::{self, UndoFailure, UndoOutcome};
use leadcore::desk::{Expect, accounts, activities, contacts, series, settings, timeline};
use leadcore::domain::{
    Account, AccountFields, AccountPatch, ActivityFields, Catalogue, CatalogueKind, Contact, ContactFields,
    CustomField, CustomType, CustomValue, Emails, Field, Kept, Series, SeriesFields, Subject, Topics,
    WhyKept,
};
use leadcore::error::{Conflict, ErrorKind, Result, ViolationCode};
use leadcore::id::{AccountId, ContactId, UserId};
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::store::{StoreExt, Txn};
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::Scene;

use crate::support::{Host, company, fields_of, refused};

const ANY: Expect = Expect::Any;

/// The functions that are tried here with two tenants and as a viewer.
pub(crate) const TRIED: [&str; 3] = ["accounts::create", "accounts::delete", "accounts::delete_blockers"];

type Call = fn(&Context<'_>, &mut dyn Txn, AccountId, ContactId) -> Result<()>;

/// Writes of the book, with an account and a person of it.
const WRITES: [(&str, Call); 7] = [
    ("create", |ctx, txn, _, _| accounts::create(ctx, txn, fields("Known AS").into()).map(drop)),
    ("add", |ctx, txn, of, _| contacts::add(ctx, txn, of, ContactFields::named("Eva Moe")?, false).map(drop)),
    ("edit", |ctx, txn, of, kari| {
        contacts::edit(ctx, txn, of, kari, ANY, ContactFields::named("Kari Dal")?).map(drop)
    }),
    ("make_primary", |ctx, txn, of, kari| contacts::make_primary(ctx, txn, of, kari)),
    ("remove", |ctx, txn, of, kari| contacts::remove(ctx, txn, of, kari)),
    ("delete_blockers", |ctx, txn, of, _| accounts::delete_blockers(ctx, txn, of).map(drop)),
    ("delete", |ctx, txn, of, _| {
        // The person whom the account has still.
        for linked in contacts::of_account(ctx, txn, of)? {
            contacts::remove(ctx, txn, of, linked.contact.id)?;
        }
        accounts::delete(ctx, txn, of, ANY)
    }),
];

#[test]
fn a_viewer_and_another_tenant_write_nothing_into_the_book() {
    let bob: UserId = "bob".parse().unwrap();
    let policy = RoleTable::new().role("viewer", Role::viewer()).user(&bob, &["viewer"], None).unwrap();
    let host = Host::new();
    let account = known(&host, "Nordlys AS");
    person(&host, &account, "Ola Dal", true);
    let kari = person(&host, &account, "Kari Berg", false);
    let before = dump(&host.store, &host.scene.tenant);
    let other = Scene::new("other");
    for (name, call) in WRITES {
        let seen = host.write_as("bob", &policy, |ctx, txn| call(ctx, txn, account.id, kari.id));
        refused(seen, ErrorKind::Denied);
        let ctx = other.ctx();
        let foreign = host.store.write(ctx.tenant(), |txn| call(&ctx, txn, account.id, kari.id));
        if name != "create" {
            refused(foreign, ErrorKind::NotFound);
        }
        assert_eq!(dump(&host.store, &host.scene.tenant), before, "{name}");
    }
    for (_, call) in WRITES {
        host.write(|ctx, txn| call(ctx, txn, account.id, kari.id));
    }
}

fn fields(name: &str) -> AccountFields {
    AccountFields { name: name.to_owned(), ..AccountFields::default() }
}

fn known(host: &Host, name: &str) -> Account {
    host.scene.tick();
    host.write(|ctx, txn| accounts::create(ctx, txn, fields(name).into()))
}

fn person(host: &Host, account: &Account, name: &str, primary: bool) -> Contact {
    host.scene.tick();
    let fields = ContactFields::named(name).unwrap();
    host.write(|ctx, txn| contacts::add(ctx, txn, account.id, fields.clone(), primary))
}

fn persons(host: &Host, account: &Account) -> Vec<(String, bool)> {
    let found = host.read(|ctx, txn| contacts::of_account(ctx, txn, account.id));
    let name = |contact: &Contact| contact.fields.name.as_ref().unwrap().full().to_owned();
    found.iter().map(|linked| (name(&linked.contact), linked.is_primary)).collect()
}

fn undo_last(host: &Host, subject: impl Into<Subject>) -> UndoOutcome {
    host.scene.tick();
    let subject = subject.into();
    let entries = host.read(|_, txn| txn.journal().about(&[subject], Topics::NONE, None, 1));
    host.write(|ctx, txn| undo::undo(ctx, txn, entries[0].operation))
}

#[test]
fn customers_that_were_there_before_are_created_numbered_and_found_again() {
    let mut host = Host::new();
    let own = SeriesFields::named("Old customers").prefix("K-");
    let old = host.write(|ctx, txn| series::add(ctx, txn, Series::Account, own.clone()));
    let first = known(&host, "Nordlys AS");
    let numbered = accounts::NewAccount::from(fields("Fjord AS")).series(old.id);
    let second = host.write(|ctx, txn| accounts::create(ctx, txn, numbered.clone()));
    host.restart();
    assert_eq!(
        (first.number, first.fields.owner.as_ref().map(UserId::as_str)),
        (1, Some("ada")),
        "the acting user owns it"
    );
    assert_eq!(second.serial.as_ref().map(|serial| serial.series), Some(old.id));
    assert_eq!(host.read(|ctx, txn| accounts::get(ctx, txn, first.id)), first);
    assert_eq!(host.read(|ctx, txn| accounts::origins(ctx, txn, first.id)), []);
    // A lead of the same company finds it, and joins it by a policy.
    let lead = host.add(company("NORDLYS A/S"));
    let options =
        ConversionOptions::default().choosing(AccountChoice::Match(MatchPolicy::Best { at_least: 60 }));
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &options));
    assert_eq!(made.account, Some(first.id));
}

#[test]
fn a_new_account_keeps_the_rules_of_accounts() {
    let host = Host::new();
    let before = dump(&host.store, &host.scene.tenant);
    let none = host.try_write(|ctx, txn| accounts::create(ctx, txn, fields("  ").into()));
    assert_eq!(fields_of(&refused(none, ErrorKind::Invalid)), ["name"]);
    let nowhere = leadcore::id::CategoryId::from_uuid(host.scene.uuid());
    let wrong = AccountFields { category: Some(nowhere), ..fields("Nordlys AS") };
    let wrong = host.try_write(|ctx, txn| accounts::create(ctx, txn, wrong.clone().into()));
    let error = refused(wrong, ErrorKind::Invalid);
    assert_eq!((fields_of(&error), error.violations()[0].code), (vec!["category"], ViolationCode::Unknown));
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
}

#[test]
fn persons_of_an_account_are_added_edited_made_primary_and_taken_off() {
    let mut host = Host::new();
    let account = known(&host, "Nordlys AS");
    let kari = person(&host, &account, "Kari Berg", false);
    let ola = person(&host, &account, "Ola Dal", true);
    assert_eq!(persons(&host, &account), [("Ola Dal".to_owned(), true), ("Kari Berg".to_owned(), false)]);
    let fields =
        ContactFields { emails: Emails::parse("ola@nordlys.example").unwrap(), ..ola.fields.clone() };
    let edited =
        host.write(|ctx, txn| contacts::edit(ctx, txn, account.id, ola.id, ola.revision, fields.clone()));
    assert_eq!(edited.fields.emails.primary().unwrap().as_str(), "ola@nordlys.example");
    host.write(|ctx, txn| contacts::make_primary(ctx, txn, account.id, kari.id));
    host.scene.tick();
    host.write(|ctx, txn| contacts::remove(ctx, txn, account.id, ola.id));
    host.restart();
    assert_eq!(persons(&host, &account), [("Kari Berg".to_owned(), true)]);
    // Each of it has a way back.
    undo_last(&host, account.id);
    assert_eq!(persons(&host, &account).len(), 2);
    let stranger = known(&host, "Fjord AS");
    let foreign = host.try_write(|ctx, txn| contacts::make_primary(ctx, txn, stranger.id, kari.id));
    refused(foreign, ErrorKind::NotFound);
}

#[test]
fn work_goes_on_with_the_persons_of_a_customer_though_the_lead_is_frozen() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let kari = ContactFields::named("Kari Berg").unwrap();
    let kari = host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, kari.clone(), true));
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    let account = made.account.unwrap();
    let newer = ContactFields { job_title: Some("CEO".to_owned()), ..kari.fields.clone() };
    let frozen = host.try_write(|ctx, txn| contacts::edit(ctx, txn, lead.id, kari.id, ANY, newer.clone()));
    refused(frozen, ErrorKind::Frozen);
    host.write(|ctx, txn| contacts::edit(ctx, txn, account, kari.id, ANY, newer.clone()));
    let seen = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id));
    assert_eq!(seen[0].contact.fields.job_title.as_deref(), Some("CEO"), "one person, seen from both");
    // A person whom somebody else added to the new account since would go with it unseen.
    let ola = ContactFields::named("Ola Dal").unwrap();
    let bob = host.write_as("bob", &leadcore::policy::AllowAll, |ctx, txn| {
        contacts::add(ctx, txn, account, ola.clone(), false)
    });
    let bob = bob.unwrap();
    let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
    let contacts_changed =
        Unconvertible::Edited { record: account.into(), fields: vec!["contacts".to_owned()] };
    assert!(plan.blockers.contains(&contacts_changed), "{plan:?}");
    let back = host.try_write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    refused(back, ErrorKind::Conflict);
    host.write(|ctx, txn| contacts::remove(ctx, txn, account, bob.id));
    // One's own goes on to the lead.
    let ola = host.write(|ctx, txn| contacts::add(ctx, txn, account, ola.clone(), false));
    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    let persons = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id));
    assert_eq!(persons.iter().map(|one| one.contact.id).collect::<Vec<_>>(), [kari.id, ola.id]);
}

#[test]
fn what_was_done_to_an_account_is_taken_back() {
    let host = Host::new();
    let account = known(&host, "Nordlys AS");
    let patch = AccountPatch::new().name("Nordlys Energi AS").set(Field::City, "Oslo");
    host.scene.tick();
    host.write(|ctx, txn| accounts::edit(ctx, txn, account.id, ANY, &patch));
    let done = undo_last(&host, account.id);
    assert_eq!((done.totals.reversed, done.totals.kept), (1, 0));
    assert_eq!(host.read(|ctx, txn| accounts::get(ctx, txn, account.id)).fields, account.fields);
    // An account that nothing hangs on leaves the lists; one with a person stays, and says why.
    let created = host.read(|_, txn| txn.journal().about(&[account.id.into()], Topics::NONE, None, 9));
    let created = created.last().unwrap().operation;
    person(&host, &account, "Kari Berg", true);
    let plan = host.read(|ctx, txn| undo::plan(ctx, txn, created));
    let used = Kept { field: "created".to_owned(), why: WhyKept::InUse };
    assert_eq!(plan.records[0].kept, [used]);
    undo_last(&host, account.id);
    host.scene.tick();
    host.write(|ctx, txn| undo::undo(ctx, txn, created));
    assert_eq!(host.read(|ctx, txn| accounts::list(ctx, txn, None, 10)).items, []);
    let edit = host.try_write(|ctx, txn| accounts::edit(ctx, txn, account.id, ANY, &patch));
    refused(edit, ErrorKind::NotFound);
}

/// A customer that was created by mistake goes, unless something hangs on it; and comes back by an undo.
#[test]
fn an_account_is_deleted_while_nothing_stands_against_it() {
    let mut host = Host::new();
    let account = known(&host, "Nordlys AS");
    let kari = person(&host, &account, "Kari Berg", true);
    let note = ActivityFields::note("They called");
    let note = host.write(|ctx, txn| activities::add(ctx, txn, &[account.id.into()], note.clone()));
    let lead = host.add(company("Nordlys Nord"));
    let into = ConversionOptions::default().into_account(account.id);
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &into));
    let blockers = |host: &Host| host.read(|ctx, txn| accounts::delete_blockers(ctx, txn, account.id));
    let wanted = [
        AccountBlocker::Leads { leads: vec![lead.id], unseen: 0 },
        AccountBlocker::Persons { count: 1 },
        AccountBlocker::HasChildren { tabs: vec![("note".to_owned(), 1)] },
    ];
    assert_eq!(blockers(&host), wanted);
    let json = serde_json::to_string(&wanted).unwrap();
    assert_eq!(serde_json::from_str::<Vec<AccountBlocker>>(&json).unwrap(), wanted);
    let before = dump(&host.store, &host.scene.tenant);
    let error = host.try_write(|ctx, txn| accounts::delete(ctx, txn, account.id, ANY));
    assert_eq!(refused(error, ErrorKind::Conflict).conflict(), Some(&Conflict::InUse { by: 3 }));
    assert_eq!(dump(&host.store, &host.scene.tenant), before);

    host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    host.write(|ctx, txn| contacts::remove(ctx, txn, account.id, kari.id));
    host.write(|ctx, txn| activities::delete(ctx, txn, note.id, ANY));
    assert_eq!(blockers(&host), []);
    let now = host.read(|ctx, txn| accounts::get(ctx, txn, account.id));
    let stale = host.try_write(|ctx, txn| accounts::delete(ctx, txn, account.id, now.revision.next()));
    refused(stale, ErrorKind::Conflict);
    host.scene.tick();
    host.write(|ctx, txn| accounts::delete(ctx, txn, account.id, now.revision));
    host.restart();
    assert_eq!(host.read(|ctx, txn| accounts::list(ctx, txn, None, 10)).items, []);
    let again = host.try_write(|ctx, txn| accounts::delete(ctx, txn, account.id, ANY));
    refused(again, ErrorKind::NotFound);
    let told = |host: &Host| {
        host.read(|ctx, txn| timeline::of_account(ctx, txn, account.id, None, 1)).items.remove(0)
    };
    assert_eq!(told(&host).text, "Account archived");
    // Nobody finds it, and its number stays taken.
    let twin = host.add(company("Nordlys AS"));
    let best =
        ConversionOptions::default().choosing(AccountChoice::Match(MatchPolicy::Best { at_least: 60 }));
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, twin.id, &best));
    assert_eq!((made.account == Some(account.id), made.account_number), (false, 2));

    let undone = undo_last(&host, account.id);
    let back = host.read(|ctx, txn| accounts::get(ctx, txn, account.id));
    assert_eq!((back.archived, back.fields), (None, now.fields));
    assert_eq!(told(&host).text, "Account brought back");
    assert_eq!(host.read(|ctx, txn| accounts::list(ctx, txn, None, 10)).items.len(), 2);
    // And away again, by the undo of the undo.
    host.scene.tick();
    host.write(|ctx, txn| undo::undo(ctx, txn, undone.operation));
    assert!(host.read(|ctx, txn| accounts::get(ctx, txn, account.id)).archived.is_some());
}

/// An undo of an undo brings back what the first one archived; not with a value that is unique and another has by then.
#[test]
fn what_an_undo_archived_comes_back() {
    let host = Host::new();
    let mut catalogue = Catalogue::of(CatalogueKind::Account);
    let code = CustomField::new("x_code".parse().unwrap(), "Code", CustomType::Text);
    let code = code.unique(true);
    catalogue.set_custom_field(code);
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    let coded = || AccountFields {
        custom: [("x_code".parse().unwrap(), CustomValue::Text("A-1".to_owned()))].into(),
        ..fields("Nordlys AS")
    };
    let account = host.write(|ctx, txn| accounts::create(ctx, txn, coded().into()));
    let first = undo_last(&host, account.id);
    assert!(host.read(|ctx, txn| accounts::get(ctx, txn, account.id)).archived.is_some());
    let other = host.write(|ctx, txn| accounts::create(ctx, txn, coded().into()));
    let taken = host.read(|ctx, txn| undo::plan(ctx, txn, first.operation));
    assert!(matches!(&taken.records[0].failed, Some(UndoFailure::Invalid(_))), "{taken:?}");
    undo_last(&host, other.id);
    host.scene.tick();
    host.write(|ctx, txn| undo::undo(ctx, txn, first.operation));
    assert!(host.read(|ctx, txn| accounts::get(ctx, txn, account.id)).archived.is_none());
}

/// A seller sees what is his own: of leads, and of accounts that no lead became.
#[test]
fn an_account_without_a_lead_is_seen_by_what_it_says_itself() {
    let host = Host::new();
    let all = [Permission::View, Permission::Create, Permission::Edit];
    let own = all.into_iter().fold(Role::new(), |role, permission| role.grant(permission, Visibility::Own));
    let eva: UserId = "eva".parse().unwrap();
    let policy = RoleTable::new().role("seller", own).user(&eva, &["seller"], None).unwrap();
    let ada = known(&host, "Ada's AS");
    let mine = host
        .write_as("eva", &policy, |ctx, txn| accounts::create(ctx, txn, fields("Eva's AS").into()))
        .unwrap();
    let listed = host.write_as("eva", &policy, |ctx, txn| accounts::list(ctx, txn, None, 10)).unwrap();
    assert_eq!(listed.items, std::slice::from_ref(&mine));
    let added = host.write_as("eva", &policy, |ctx, txn| {
        let hers = accounts::get(ctx, txn, ada.id).unwrap_err();
        assert_eq!(hers.kind(), ErrorKind::NotFound);
        contacts::add(ctx, txn, mine.id, ContactFields::named("Kari Berg")?, true)
    });
    assert_eq!(persons(&host, &mine), [("Kari Berg".to_owned(), true)], "{added:?}");
}
