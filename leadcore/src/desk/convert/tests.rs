//! What a conversion reads: as much for the hundredth lead of a customer as for the tenth.

mod fitting;
mod later;

use super::{ConversionOptions, PersonChoice, Unconvertible};
use crate::context::Context;
use crate::desk::counting::Counting;
use crate::desk::{Expect, accounts, activities, contacts, convert, leads};
use crate::domain::{
    AccountFields, AccountPatch, ActivityFields, Actor, ContactFields, Emails, Field, LeadFields, MarkNote,
    Participant, Subject,
};
use crate::id::{AccountId, ContactId, SequentialIds, TenantId};
use crate::memory::MemoryStore;
use crate::policy::AllowAll;
use crate::store::{StoreExt, Txn};
use crate::time::{ManualClock, Timestamp};
use crate::value::PersonName;

struct Host {
    tenant: TenantId,
    clock: ManualClock,
    ids: SequentialIds,
}

impl Default for Host {
    fn default() -> Self {
        Self { tenant: "acme".parse().unwrap(), clock: ManualClock::default(), ids: SequentialIds::new(1) }
    }
}

impl Host {
    fn ctx(&self) -> Context<'_> {
        Context::new(&self.tenant, Actor::System, &self.clock, &self.ids, &AllowAll)
    }
}

/// A customer with one person, who must not be called.
fn customer(store: &MemoryStore, host: &Host) -> (AccountId, ContactId) {
    let ctx = host.ctx();
    let fields = AccountFields { name: "Nordlys AS".into(), ..AccountFields::default() };
    let person = ContactFields {
        emails: Emails::parse("anna@nordlys.example").unwrap(),
        do_not_call: Some(MarkNote::default()),
        ..ContactFields::named("Anna Berg").unwrap()
    };
    store
        .write(ctx.tenant(), |txn| {
            let account = accounts::create(&ctx, txn, fields.clone().into())?.id;
            Ok((account, contacts::add(&ctx, txn, account, person.clone(), true)?.id))
        })
        .unwrap()
}

/// The persons and leads, and the links, that the conversion of each of a hundred leads into one customer reads.
fn read_by_each(
    (store, host): (&MemoryStore, &Host),
    options: &ConversionOptions,
    fields: impl Fn(usize) -> LeadFields,
) -> Vec<(usize, usize)> {
    let ctx = host.ctx();
    let each = (0..100).map(|n| {
        let convert = |inner: &mut dyn Txn| {
            let lead = leads::create(&ctx, inner, fields(n).into())?;
            let further = ContactFields {
                emails: Emails::parse(&format!("further{n}@nordlys.example")).unwrap(),
                ..ContactFields::named(&format!("Further {n}")).unwrap()
            };
            contacts::add(&ctx, inner, lead.id, further, false)?;
            let mut txn = Counting::of(inner);
            let plan = convert::plan(&ctx, &mut txn, lead.id, options)?;
            convert::apply(&ctx, &mut txn, &plan)?;
            Ok((txn.records, txn.links))
        };
        store.write(ctx.tenant(), convert).unwrap()
    });
    each.collect()
}

fn lead(name: &str, mail: &str) -> LeadFields {
    LeadFields {
        person: PersonName::parse(name).ok(),
        emails: Emails::parse(mail).unwrap(),
        ..LeadFields::company("Nordlys").unwrap()
    }
}

#[test]
fn a_lead_reads_no_more_persons_because_its_customer_has_many() {
    let (store, host) = (MemoryStore::new(), Host::default());
    let (account, _) = customer(&store, &host);
    let into = ConversionOptions::default().into_account(account);
    let each = |n: usize| LeadFields { emails: Emails::none(), ..lead(&format!("Person {n}"), "") };
    let read = read_by_each((&store, &host), &into, each);
    assert_eq!(read[99], read[9], "{read:?}");
}

#[test]
fn a_lead_reads_no_other_leads_because_they_have_the_same_person() {
    let (store, host) = (MemoryStore::new(), Host::default());
    let (account, anna) = customer(&store, &host);
    let into = ConversionOptions::default().into_account(account).person(PersonChoice::Existing(anna));
    let read = read_by_each((&store, &host), &into, |_| lead("Anna Berg", "anna@nordlys.example"));
    assert_eq!(read[99].0, read[9].0, "{read:?}");
}

/// The entries that the plan of the way back of a lead reads, and the most at once, after its customer was edited so often.
fn read_for_the_way_back(field: &Field, edits: u32) -> (usize, usize) {
    let (store, host) = (MemoryStore::new(), Host::default());
    let ctx = host.ctx();
    let read = store.write(ctx.tenant(), |txn| {
        let known = AccountFields { name: "Nordlys AS".into(), ..AccountFields::default() };
        let account = accounts::create(&ctx, txn, known.into())?.id;
        let mut fields =
            LeadFields { industry: Some("Energy".into()), ..lead("Anna Berg", "anna@nordlys.example") };
        if *field == Field::City {
            field.write(&mut fields, &"Oslo".into()).unwrap();
        }
        let lead = leads::create(&ctx, txn, fields.into())?;
        convert::convert(&ctx, txn, lead.id, &ConversionOptions::default().into_account(account))?;
        for n in 0..edits {
            let patch = AccountPatch::new().set(field.clone(), format!("Edit {n}").as_str());
            accounts::edit(&ctx, txn, account, Expect::Any, &patch)?;
        }
        let mut txn = Counting::of(txn);
        let plan = convert::plan_unconvert(&ctx, &mut txn, lead.id)?;
        assert_eq!(plan.blockers, []);
        Ok((txn.read, txn.at_once))
    });
    read.unwrap()
}

#[test]
fn a_way_back_reads_a_long_history_in_pages_and_once() {
    // Where the conversion wrote what was edited, that is one more look at the whole, whoever asks for it.
    for (field, looks) in [(Field::Description, 1), (Field::City, 2)] {
        let [few, many] = [500, 2_500].map(|edits| read_for_the_way_back(&field, edits));
        assert!(many.1 <= 256, "{field:?} {many:?}");
        assert!(many.0 - few.0 <= looks * 2_000 + 512, "each entry once: {field:?} {few:?} {many:?}");
    }
}

/// How often the plan of a way back asks, after so many meetings before the conversion and so many edits behind it, and what stands
/// against it: one meeting of somebody else with the new person.
fn asked_with_meetings(before: u32, edits: u32) -> usize {
    let (store, host) = (MemoryStore::new(), Host::default());
    let ctx = host.ctx();
    let bob = Actor::User("bob".parse().unwrap());
    let bob = Context::new(&host.tenant, bob, &host.clock, &host.ids, &AllowAll);
    let at: Timestamp = "2026-12-01T09:00:00Z".parse().unwrap();
    let asked = store.write(ctx.tenant(), |txn| {
        let known = AccountFields { name: "Nordlys AS".into(), ..AccountFields::default() };
        let account = accounts::create(&ctx, txn, known.into())?.id;
        let about = [Subject::from(account)];
        for _ in 0..before {
            activities::add(&ctx, txn, &about, ActivityFields::meeting("Visit", at, at))?;
        }
        let lead = leads::create(&ctx, txn, lead("Anna Berg", "anna@nordlys.example").into())?;
        let into = ConversionOptions::default().into_account(account);
        let anna = Subject::from(convert::convert(&ctx, txn, lead.id, &into)?.contacts[0]);
        let with = Participant::Record(anna);
        activities::add(&bob, txn, &about, ActivityFields::meeting("Visit", at, at).with(with))?;
        for n in 0..edits {
            let patch = AccountPatch::new().set(Field::Description, format!("Edit {n}").as_str());
            accounts::edit(&ctx, txn, account, Expect::Any, &patch)?;
        }
        let mut txn = Counting::of(txn);
        let plan = convert::plan_unconvert(&ctx, &mut txn, lead.id)?;
        let tabs = vec![("meeting".to_owned(), 1)];
        assert_eq!(plan.blockers, [Unconvertible::HasChildren { record: anna, tabs }]);
        Ok(txn.calls)
    });
    asked.unwrap()
}

#[test]
fn a_way_back_reads_no_meetings_from_before_the_conversion() {
    assert_eq!(asked_with_meetings(1_200, 0), asked_with_meetings(0, 0));
    // Behind much that was written since, few meetings are read instead; and some of both.
    asked_with_meetings(0, 1_200);
    asked_with_meetings(1_200, 1_200);
}
