//! Transactions, savepoints and tenants.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::domain::{
    Action, Link, LinkRole, MatchKey, MatchKind, NewEntry, NumberSeries, OperationKind, TermKind, Topics,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{Revision, TenantId};
use crate::query::{LeadScan, Resolved, Sort};
use crate::store::{LeadChange, Series, SettingName, Store, StoreExt, Txn, nested};

use super::super::dump;
use super::super::fixtures::{World, full_fields};
use super::{assert_kind, assert_stale};

fn fail() -> Error {
    Error::new(ErrorKind::Cancelled, "on purpose")
}

/// Writes something by every port. `n` keeps numbers and names apart.
fn write_everywhere(world: &World, txn: &mut dyn Txn, n: u64) -> Result<()> {
    let lead = world.lead(n, full_fields(world, &format!("Everywhere {n}")));
    let (contact, account) = (world.contact("Everywhere"), world.account(n, "Everywhere"));
    let operation = world.operation(OperationKind::Import, Some(&format!("key {n}")));
    txn.leads().insert(std::slice::from_ref(&lead))?;
    let mut after = lead.clone();
    after.revision = lead.revision.next();
    after.fields.job_title = Some("Changed".to_owned());
    txn.leads().update(&[LeadChange { before: lead.clone(), after }])?;
    txn.contacts().insert(std::slice::from_ref(&contact))?;
    txn.accounts().insert(std::slice::from_ref(&account))?;
    txn.links().insert(&[Link::new(lead.id, LinkRole::Contact, contact.id)])?;
    txn.journal().begin(&operation)?;
    txn.journal()
        .append(operation.id, &[NewEntry::new(lead.id, Action::Created, world.scene.clock_now())])?;
    let mut pipeline = world.pipeline.clone();
    pipeline.revision = txn.pipelines().list()?[0].revision.next();
    pipeline.name = format!("Everywhere {n}");
    txn.pipelines().update(&pipeline)?;
    txn.terms()
        .remove(TermKind::Category, world.terms[&TermKind::Category][2])
        .or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    let read = txn.settings().load(SettingName::Catalogue)?.map(|(revision, _)| revision);
    txn.settings().save(SettingName::Catalogue, read, "{\"fields\":{}}")?;
    txn.numbers().take(Series::Lead.into(), 5)?;
    Ok(())
}

/// Whatever a transaction wrote by any port, nothing of it stays when its work fails.
pub fn a_failed_write_leaves_nothing(store: &dyn Store) {
    let world = World::install(store);
    let before = dump(store, &world.scene.tenant);
    let failed: Result<()> = store.write(&world.scene.tenant, |txn| {
        write_everywhere(&world, txn, 10)?;
        Err(fail())
    });
    assert_kind(
        &failed.expect_err("the work fails"),
        ErrorKind::Cancelled,
        "the error of the work comes out",
    );
    assert_eq!(dump(store, &world.scene.tenant), before, "nothing of a failed transaction may stay");
    world.write(store, |txn| write_everywhere(&world, txn, 10));
    assert_ne!(dump(store, &world.scene.tenant), before, "the same work must be possible afterwards");
}

/// What was written before and after a failed savepoint stays, what was written in it does not.
pub fn a_savepoint_takes_back_exactly_its_own(store: &dyn Store) {
    let world = World::install(store);
    let (a, b, c) = (world.company(1, "Before"), world.company(2, "Within"), world.company(3, "After"));
    world.write(store, |txn| {
        txn.leads().insert(std::slice::from_ref(&a))?;
        let error = nested(txn, |txn| -> Result<()> {
            txn.leads().insert(std::slice::from_ref(&b))?;
            write_everywhere(&world, txn, 10)?;
            Err(fail())
        });
        assert_kind(
            &error.expect_err("the work fails"),
            ErrorKind::Cancelled,
            "the error of the work comes out",
        );
        txn.leads().insert(std::slice::from_ref(&c))
    });
    let ids = [a.id, b.id, c.id];
    let found = world.read(store, |txn| txn.leads().get(&ids));
    assert_eq!(found, [a, c], "before and after stay, within does not");
    let rest = world.read(store, |txn| {
        Ok((
            txn.accounts().scan(None, 10)?.len(),
            txn.journal().find(OperationKind::Import, "key 10")?,
            txn.pipelines().list()?,
            txn.terms().list(TermKind::Category)?.len(),
            txn.settings().load(SettingName::Catalogue)?,
            txn.numbers().peek(Series::Lead.into())?,
            txn.tallies().count(&Resolved::search("everywhere"))?,
        ))
    });
    let untouched = (1, None, vec![world.pipeline.clone()], 3, None, 1, 0);
    assert_eq!(rest, untouched, "every port must be as it was before the savepoint");
}

/// An outer savepoint takes back what an inner one kept, and keeps what an inner one took back from itself.
pub fn savepoints_nest(store: &dyn Store) {
    let world = World::install(store);
    let leads: Vec<_> = (1..=4).map(|n| world.company(n, "Nested")).collect();
    let insert = |txn: &mut dyn Txn, n: usize| txn.leads().insert(&leads[n..=n]);
    world.write(store, |txn| {
        nested(txn, |txn| {
            insert(txn, 0)?;
            let inner: Result<()> = nested(txn, |txn| insert(txn, 1).and(Err(fail())));
            assert!(inner.is_err(), "the inner savepoint fails");
            nested(txn, |txn| insert(txn, 1))
        })?;
        let outer: Result<()> = nested(txn, |txn| {
            nested(txn, |txn| insert(txn, 2))?;
            Err(fail())
        });
        assert!(outer.is_err(), "the outer savepoint fails");
        insert(txn, 3)
    });
    let ids: Vec<_> = leads.iter().map(|lead| lead.id).collect();
    let found = world.read(store, |txn| txn.leads().get(&ids));
    let wanted = [0, 1, 3].map(|n: usize| leads[n].clone());
    assert_eq!(found, wanted, "an outer savepoint decides over its inner ones");
}

/// After a refused call inside a savepoint, the transaction reads, writes and commits.
pub fn a_failed_call_in_a_savepoint_leaves_the_transaction_usable(store: &dyn Store) {
    let world = World::install(store);
    let (first, second) = (world.company(1, "First"), world.company(2, "Second"));
    world.write(store, |txn| txn.leads().insert(std::slice::from_ref(&first)));
    world.write(store, |txn| {
        for _ in 0..3 {
            let refused = nested(txn, |txn| txn.leads().insert(std::slice::from_ref(&first)));
            assert_kind(&refused.expect_err("the id is taken"), ErrorKind::AlreadyExists, "a taken id");
        }
        assert_eq!(txn.tallies().count(&Resolved::everything())?, 1, "the transaction still reads");
        txn.leads().insert(std::slice::from_ref(&second))
    });
    let found = world.read(store, |txn| txn.leads().get(&[second.id]));
    assert_eq!(found, [second], "the transaction still writes and commits");
}

/// Every port refuses to write in a read transaction, and nothing is written even when the work says it went well.
pub fn a_read_transaction_refuses_every_write(store: &dyn Store) {
    let world = World::install(store);
    let lead = world.company(1, "Read only");
    let contact = world.contact("Read only");
    world.write(store, |txn| {
        txn.leads().insert(std::slice::from_ref(&lead))?;
        txn.contacts().insert(std::slice::from_ref(&contact))
    });
    let before = dump(store, &world.scene.tenant);
    let other = world.company(2, "Other");
    let mut after = lead.clone();
    after.revision = lead.revision.next();
    let change = LeadChange { before: lead.clone(), after };
    let new_contact = world.contact("New");
    let mut contact_after = contact.clone();
    contact_after.revision = contact.revision.next();
    let account = world.account(9, "New");
    let mut account_after = world.account(1, "Changed");
    (account_after.id, account_after.revision) = (world.account, account_after.revision.next());
    let link = Link::new(lead.id, LinkRole::Contact, contact.id);
    let operation = world.operation(OperationKind::Edit, None);
    let mut known_operation = world.operation(OperationKind::Configure, Some("key"));
    known_operation.id = world.operation;
    let entry = NewEntry::new(lead.id, Action::Updated, world.scene.clock_now());
    let mut pipeline = world.pipeline.clone();
    pipeline.revision = pipeline.revision.next();
    let free = world.terms[&TermKind::Source][2];
    type Write<'a> = (&'a str, &'a dyn Fn(&mut dyn Txn) -> Result<()>);
    let writes: [Write<'_>; 16] = [
        ("leads.insert", &|txn| txn.leads().insert(std::slice::from_ref(&other))),
        ("leads.update", &|txn| txn.leads().update(std::slice::from_ref(&change))),
        ("contacts.insert", &|txn| txn.contacts().insert(std::slice::from_ref(&new_contact))),
        ("contacts.update", &|txn| txn.contacts().update(std::slice::from_ref(&contact_after))),
        ("accounts.insert", &|txn| txn.accounts().insert(std::slice::from_ref(&account))),
        ("accounts.update", &|txn| txn.accounts().update(std::slice::from_ref(&account_after))),
        ("links.insert", &|txn| txn.links().insert(&[link])),
        ("journal.begin", &|txn| txn.journal().begin(&operation)),
        ("journal.update", &|txn| txn.journal().update(&known_operation)),
        ("journal.append", &|txn| txn.journal().append(world.operation, std::slice::from_ref(&entry))),
        ("pipelines.update", &|txn| txn.pipelines().update(&pipeline)),
        ("terms.remove", &|txn| txn.terms().remove(TermKind::Source, free)),
        ("settings.save", &|txn| txn.settings().save(SettingName::Catalogue, None, "{}").map(|_| ())),
        ("numbers.skip_to", &|txn| txn.numbers().skip_to(Series::Lead.into(), 10)),
        ("numbers.save", &|txn| {
            let mut series = NumberSeries::standard(Series::Lead);
            series.revision = Revision::FIRST;
            txn.numbers().save(&series, Some(Revision::new(0)))
        }),
        ("numbers.take", &|txn| txn.numbers().take(Series::Lead.into(), 1).map(|_| ())),
    ];
    for (name, write) in writes {
        let refused = store.read(&world.scene.tenant, |txn| write(txn));
        assert!(refused.is_err(), "{name} must be refused in a read transaction");
        // The answer to the second call does not matter: nothing may be written.
        let _ = store.read(&world.scene.tenant, |txn| {
            let _ = write(txn);
            Ok(())
        });
        assert_eq!(
            dump(store, &world.scene.tenant),
            before,
            "{name} must write nothing in a read transaction"
        );
    }
    for (name, write) in writes {
        world.write(store, |txn| {
            let done = nested(txn, |txn| write(txn).and(Err::<(), _>(fail())));
            assert_kind(&done.unwrap_err(), ErrorKind::Cancelled, &format!("{name} must work in a write"));
            Ok(())
        });
    }
}

/// What was written is read, listed, counted, searched and found in the same transaction.
pub fn a_transaction_sees_its_own_writes(store: &dyn Store) {
    let world = World::install(store);
    let lead = world.lead(1, full_fields(&world, "Own writes"));
    world.write(store, |txn| {
        txn.leads().insert(std::slice::from_ref(&lead))?;
        assert_eq!(txn.leads().get(&[lead.id])?, std::slice::from_ref(&lead), "get");
        assert_eq!(txn.tallies().count(&Resolved::everything())?, 1, "count");
        let search = Resolved::search("own writes");
        let scan = LeadScan { filter: search, trashed: false, sort: Sort::default(), limit: 5, after: None };
        assert_eq!(txn.leads().scan(&scan)?, std::slice::from_ref(&lead), "search");
        let key = MatchKey::new(MatchKind::External, "crm:42");
        assert_eq!(txn.leads().find(std::slice::from_ref(&key))?, [(key, lead.id)], "find");
        let usage = txn.terms().usage(TermKind::Source, world.terms[&TermKind::Source][0])?;
        assert_eq!(usage, 1, "usage");
        Ok(())
    });
}

/// The value of a closure comes out of `read` and `write`, and so does its error with kind and details.
pub fn closures_return_values_and_errors(store: &dyn Store) {
    let world = World::install(store);
    let tenant = &world.scene.tenant;
    assert_eq!(store.read(tenant, |_| Ok(42)).ok(), Some(42), "the value of a read");
    assert_eq!(
        store.write(tenant, |_| Ok("x".to_owned())).ok().as_deref(),
        Some("x"),
        "the value of a write"
    );
    let stale = || {
        let (expected, found) = (Revision::new(1), Revision::new(2));
        Error::conflicting("lead", crate::error::Conflict::StaleRevision { expected, found })
    };
    for error in [
        store.read(tenant, |_| Err::<(), _>(stale())),
        store.write(tenant, |_| Err::<(), _>(stale())),
        store.write(tenant, |txn| nested(txn, |_| Err::<(), _>(stale()))),
    ] {
        let (one, two) = (Revision::new(1), Revision::new(2));
        assert_stale(&error.expect_err("the work fails"), one, two, "an error comes out as it went in");
    }
}

/// A transaction says which tenant it was opened for, inside a savepoint too.
pub fn a_transaction_knows_its_tenant(store: &dyn Store) {
    for name in ["acme", "ACME", "o'neil & söhne", "%", "_"] {
        let tenant: TenantId = name.parse().unwrap();
        let seen = |txn: &mut dyn Txn| {
            let inner = nested(txn, |txn| Ok(txn.tenant().clone()))?;
            Ok((txn.tenant().clone(), inner))
        };
        let written = store.write(&tenant, seen).expect("a write");
        assert_eq!(written, (tenant.clone(), tenant.clone()), "a write knows its tenant");
        let read = store.read(&tenant, |txn| Ok(txn.tenant().clone())).expect("a read");
        assert_eq!(read, tenant, "a read knows its tenant");
    }
}

/// Nothing that one tenant wrote by any port is seen, counted, found or changed by another.
pub fn tenants_never_see_each_other(store: &dyn Store) {
    let world = World::install(store);
    world.write(store, |txn| write_everywhere(&world, txn, 10));
    let mine = dump(store, &world.scene.tenant);
    let lead = world.read(store, |txn| {
        let key = MatchKey::new(MatchKind::External, "crm:42");
        let found = txn.leads().find(std::slice::from_ref(&key))?;
        Ok(txn.leads().get(&[found[0].1])?.remove(0))
    });
    let empty: TenantId = "nobody".parse().unwrap();
    let nothing = dump(store, &empty);
    for other in ["SUITE", "suit", "suite2", "%", "suite'--"] {
        let tenant: TenantId = other.parse().unwrap();
        assert_eq!(
            dump(store, &tenant).replace(other, "nobody"),
            nothing,
            "another tenant sees nothing, however similar its name"
        );
        let seen = store.read(&tenant, |txn| {
            let keys = lead.fields.match_keys();
            let subjects = [lead.id.into(), world.account.into()];
            Ok((
                txn.leads().get(&[lead.id])?.len() + txn.leads().find(&keys)?.len(),
                txn.accounts().get(&[world.account])?.len(),
                txn.links().from(&subjects, None)?.len() + txn.links().to(&subjects, None)?.len(),
                txn.journal().about(&subjects, Topics::NONE, None, 10)?.len(),
                txn.journal().replay(Some(world.operation), None, 10)?.len(),
                txn.journal().operation(world.operation)?,
                txn.journal().find(OperationKind::Import, "key 10")?,
                txn.terms().usage(TermKind::Source, world.terms[&TermKind::Source][0])?,
                txn.terms().get(TermKind::Source, &world.terms[&TermKind::Source])?.len(),
            ))
        });
        assert_eq!(seen.expect("a read"), (0, 0, 0, 0, 0, None, None, 0, 0), "nor by id, key or subject");
        let mut after = lead.clone();
        after.revision = lead.revision.next();
        let change = LeadChange { before: lead.clone(), after };
        let refused = store.write(&tenant, |txn| txn.leads().update(std::slice::from_ref(&change)));
        assert_kind(
            &refused.expect_err("not theirs"),
            ErrorKind::NotFound,
            "nor can another tenant write it",
        );
        let refused = store
            .write(&tenant, |txn| txn.terms().remove(TermKind::Source, world.terms[&TermKind::Source][2]));
        assert_kind(&refused.expect_err("not theirs"), ErrorKind::NotFound, "nor can it remove a term");
    }
    assert_eq!(dump(store, &world.scene.tenant), mine, "what others tried must not touch this tenant");
}

/// Numbers, names, keys and settings are unique per tenant, not in the whole store.
pub fn two_tenants_may_use_the_same_names_and_numbers(store: &dyn Store) {
    let one = World::install_for(store, "one");
    let mut two = World::install_for(store, "two");
    // The worlds count up from the same seed: ids of the second begin elsewhere, as they would from one host.
    two.scene.ids = crate::id::SequentialIds::new(1 << 32);
    for world in [&one, &two] {
        world.write(store, |txn| write_everywhere(world, txn, 10));
    }
    let dumps = [&one, &two].map(|world| dump(store, &world.scene.tenant).lines().count());
    assert_eq!(dumps[0], dumps[1], "both tenants hold the same");
    let next = [&one, &two].map(|world| world.read(store, |txn| txn.numbers().peek(Series::Lead.into())));
    assert_eq!(next, [6, 6], "each tenant has its own series");
}

/// Two writers that read the same revision: one writes, the other is told.
pub fn of_two_writers_of_one_revision_one_wins(store: &dyn Store) {
    let world = World::install(store);
    let lead = world.company(1, "Contended");
    world.write(store, |txn| txn.leads().insert(std::slice::from_ref(&lead)));
    let results: Vec<Result<()>> = std::thread::scope(|scope| {
        let work = |name: &str| {
            let mut after = lead.clone();
            after.revision = lead.revision.next();
            after.fields.company = Some(name.to_owned());
            let change = LeadChange { before: lead.clone(), after };
            store.write(&world.scene.tenant, |txn| txn.leads().update(std::slice::from_ref(&change)))
        };
        let workers: Vec<_> =
            ["a", "b", "c", "d"].into_iter().map(|name| scope.spawn(move || work(name))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1, "one of several writers of one revision wins");
    for error in lost {
        let (one, two) = (lead.revision, lead.revision.next());
        assert_stale(&error.unwrap_err(), one, two, "the others are told");
    }
}

/// Work that panics leaves nothing, and the store goes on.
pub fn a_panic_in_the_work_leaves_nothing(store: &dyn Store) {
    let world = World::install(store);
    let before = dump(store, &world.scene.tenant);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        store.write(&world.scene.tenant, |txn| -> Result<()> {
            write_everywhere(&world, txn, 10)?;
            std::panic::resume_unwind(Box::new("on purpose"))
        })
    }));
    assert!(panicked.is_err(), "a panic goes through the store");
    assert_eq!(dump(store, &world.scene.tenant), before, "nothing of a transaction that panicked may stay");
    world.write(store, |txn| write_everywhere(&world, txn, 10));
}
