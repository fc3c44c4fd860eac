//! X.09: conversions that have persons in common are taken back in any order, and each gives back what it wrote.

use leadcore::context::Context;
use leadcore::dedupe::matching::MatchPolicy;
use leadcore::desk::convert::{self, ConversionOptions, Fate, PersonChoice};
use leadcore::desk::{accounts, contacts, conversion_mapping, leads};
use leadcore::domain::conversion_mapping::FillPolicy;
use leadcore::domain::{
    AccountFields, ContactFields, Emails, Field, Lead, LeadFields, Link, LinkRole, MarkNote, Phones, Subject,
};
use leadcore::error::{Conflict, Result};
use leadcore::id::{AccountId, LeadId};
use leadcore::memory::MemoryStore;
use leadcore::store::{Store, StoreExt as _, Txn};
use leadcore::testkit::fixtures::Scene;
use leadcore::value::PersonName;
use proptest::prelude::*;

use super::back::essence;
use super::fresh::{account, into, named, options};
use crate::support::{Host, company, form};

const POLICIES: [FillPolicy; 4] =
    [FillPolicy::FillEmpty, FillPolicy::Append, FillPolicy::Overwrite, FillPolicy::Keep];

/// Somebody of few names and addresses, so that many are the same.
#[derive(Debug, Clone)]
struct Somebody {
    name: &'static str,
    email: Option<&'static str>,
    phone: Option<&'static str>,
    /// Its address is opted out.
    out: bool,
    do_not_call: bool,
}

#[derive(Debug, Clone)]
struct Told {
    own: Option<Somebody>,
    persons: Vec<Somebody>,
    /// One of the persons of the first lead is its person too.
    shares: bool,
    into: Into,
    contacts: bool,
    /// From which score on a person is somebody whom we know.
    person: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Into {
    New,
    Known,
    Persons,
}

#[derive(Debug, Clone)]
struct Story {
    /// Who is with the account that is there.
    known: Option<Somebody>,
    /// That account has addresses and a number.
    reached: bool,
    emails: FillPolicy,
    leads: Vec<Told>,
    /// In which order they are tried to be taken back.
    order: Vec<usize>,
}

fn somebody() -> impl Strategy<Value = Somebody> {
    use prop::sample::select;
    let email = prop::option::weighted(0.7, select(&["a@n.example", "b@n.example", "c@n.example"][..]));
    let phone = prop::option::weighted(0.6, select(&["+47 22 22 22 22", "+47 33 33 33 33"][..]));
    (
        select(&["Anna Berg", "Kari Dal"][..]),
        email,
        phone,
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(name, email, phone, out, do_not_call)| Somebody {
            name,
            email,
            phone,
            out,
            do_not_call,
        })
}

fn told() -> impl Strategy<Value = Told> {
    use prop::sample::select;
    let own = prop::option::weighted(0.5, somebody());
    let persons = prop::collection::vec(somebody(), 0..3);
    let into = select(&[Into::New, Into::Known, Into::Known, Into::Persons][..]);
    let person = prop::option::weighted(0.8, select(&[60_u8, 80][..]));
    let shares = prop::bool::weighted(0.3);
    (own, persons, shares, into, prop::bool::weighted(0.8), person).prop_map(
        |(own, persons, shares, into, contacts, person)| Told {
            own,
            persons,
            shares,
            into,
            contacts,
            person,
        },
    )
}

fn story() -> impl Strategy<Value = Story> {
    let emails = prop::sample::select(POLICIES.to_vec());
    let known = prop::option::weighted(0.4, somebody());
    let leads = prop::collection::vec(told(), 2..4);
    (known, any::<bool>(), emails, leads).prop_flat_map(|(known, reached, emails, leads)| {
        let order = Just((0..leads.len()).collect::<Vec<_>>()).prop_shuffle();
        order.prop_map(move |order| Story {
            known: known.clone(),
            reached,
            emails,
            leads: leads.clone(),
            order,
        })
    })
}

impl Somebody {
    fn emails(&self) -> Emails {
        let mail =
            self.email.map(|mail| if self.out { format!("{mail} (opted_out)") } else { mail.to_owned() });
        mail.map_or_else(Emails::none, |mail| Emails::parse(&mail).unwrap())
    }

    fn phones(&self) -> Phones {
        self.phone.map_or_else(Phones::none, |phone| Phones::parse(phone, None).unwrap())
    }

    fn contact(&self) -> ContactFields {
        ContactFields {
            emails: self.emails(),
            phones: self.phones(),
            do_not_call: self.do_not_call.then(MarkNote::default),
            ..ContactFields::named(self.name).unwrap()
        }
    }
}

impl Told {
    fn lead(&self, n: usize) -> LeadFields {
        let fields = company(&format!("Lead {n}"));
        let Some(own) = &self.own else { return fields };
        let person = PersonName::parse(own.name).ok();
        LeadFields { person, emails: own.emails(), phones: own.phones(), ..fields }
    }

    fn options(&self, known: AccountId) -> ConversionOptions {
        let mut options = options();
        options = match self.into {
            Into::New => options,
            Into::Known => options.into_account(known),
            Into::Persons => options.contact_only(),
        };
        options.contacts = self.contacts || self.into == Into::Persons;
        match self.person.filter(|_| options.contacts) {
            Some(at_least) => options.person(PersonChoice::Match(MatchPolicy::Best { at_least })),
            None => options,
        }
    }
}

fn begin(ctx: &Context<'_>, txn: &mut dyn Txn, story: &Story) -> Result<(AccountId, Vec<LeadId>)> {
    let (revision, mut mapping) = conversion_mapping::get(ctx, txn)?;
    mapping.rules.retain(|rule| rule.to.to_string() != "contact.email");
    let mapping = mapping.with(Field::Email, "contact.email", story.emails)?;
    conversion_mapping::set(ctx, txn, revision, &mapping)?;
    let emails = if story.reached { Emails::parse("a@n.example, c@n.example")? } else { Emails::none() };
    let phones = if story.reached { Phones::parse("+47 22 22 22 22", None)? } else { Phones::none() };
    let fields = AccountFields { name: "Known AS".to_owned(), emails, phones, ..AccountFields::default() };
    let known = accounts::create(ctx, txn, fields.into())?.id;
    if let Some(person) = &story.known {
        contacts::add(ctx, txn, known, person.contact(), false)?;
    }
    let mut made: Vec<LeadId> = Vec::new();
    for (n, told) in story.leads.iter().enumerate() {
        let lead = leads::create(ctx, txn, told.lead(n).into())?.id;
        for person in &told.persons {
            contacts::add(ctx, txn, lead, person.contact(), false)?;
        }
        if let Some(first) = made.first().copied().filter(|_| told.shares) {
            // A person of the first lead is one of this one too.
            let known = txn.links().from(&[first.into()], Some(LinkRole::Contact))?;
            let shared = known.first().map(|link| Link::new(lead, LinkRole::Contact, link.to));
            txn.links().insert(&shared.into_iter().collect::<Vec<_>>())?;
        }
        made.push(lead);
    }
    Ok((known, made))
}

/// What is taken back is what was told.
fn back(store: &dyn Store, scene: &Scene, lead: LeadId) -> std::result::Result<bool, TestCaseError> {
    let ctx = scene.ctx();
    let plan = store.read(&scene.tenant, |txn| convert::plan_unconvert(&ctx, txn, lead)).unwrap();
    scene.tick();
    match store.write(&scene.tenant, |txn| convert::unconvert(&ctx, txn, lead)) {
        Ok(done) => {
            prop_assert!(plan.blockers.is_empty());
            prop_assert_eq!(done.records, plan.records);
            Ok(true)
        }
        Err(error) => {
            let blocked = matches!(error.conflict(), Some(Conflict::Blocked { .. }));
            prop_assert!(blocked && !plan.blockers.is_empty(), "{}", error);
            Ok(false)
        }
    }
}

fn there_and_back(store: &dyn Store, story: &Story) -> std::result::Result<(), TestCaseError> {
    let scene = Scene::new("acme");
    let ctx = scene.ctx();
    let (known, made) = store.write(&scene.tenant, |txn| begin(&ctx, txn, story)).unwrap();
    let before = essence(store, &scene);
    let mut done = vec![false; made.len()];
    for (n, lead) in made.iter().enumerate() {
        scene.tick();
        let options = story.leads[n].options(known);
        // Two who are as good as each other, or nobody at all: such a lead stays as it is.
        done[n] = store.write(&scene.tenant, |txn| convert::convert(&ctx, txn, *lead, &options)).is_ok();
    }
    let mut left: Vec<usize> = story.order.iter().copied().filter(|n| done[*n]).collect();
    while !left.is_empty() {
        let before = left.len();
        let mut still = Vec::new();
        for n in left {
            if !back(store, &scene, made[n])? {
                still.push(n);
            }
        }
        if still.len() == before {
            // Nobody else wrote: nothing stands against the last of them.
            let mut against = Vec::new();
            for n in still {
                let plan = store.read(&scene.tenant, |txn| convert::plan_unconvert(&ctx, txn, made[n]));
                against.push((n, plan.unwrap().blockers));
            }
            prop_assert!(false, "a dead end: {:?}", against);
            return Ok(());
        }
        left = still;
    }
    prop_assert_eq!(essence(store, &scene), before);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn x_09_conversions_that_share_persons_are_taken_back_in_any_order(story in story()) {
        there_and_back(&MemoryStore::new(), &story)?;
    }
}

fn add(host: &Host, lead: &Lead, person: &Somebody) -> leadcore::id::ContactId {
    host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, person.contact(), false)).id
}

fn with(host: &Host, person: &Somebody) -> Lead {
    let lead = host.add(company("Lead"));
    add(host, &lead, person);
    lead
}

const ANNA: Somebody = Somebody { name: "Anna", email: None, phone: None, out: false, do_not_call: false };
const NUMBER: Option<&str> = Some("+47 22 22 22 22");

fn best(at_least: u8) -> ConversionOptions {
    options().person(PersonChoice::Match(MatchPolicy::Best { at_least }))
}

fn mapped(host: &Host, policy: FillPolicy) {
    host.write(|ctx, txn| {
        let (revision, mut mapping) = conversion_mapping::get(ctx, txn)?;
        mapping.rules.retain(|rule| rule.to.to_string() != "contact.email");
        let mapping = mapping.with(Field::Email, "contact.email", policy)?;
        conversion_mapping::set(ctx, txn, revision, &mapping)
    });
}

#[test]
fn what_a_conversion_marked_does_not_stay_after_another_one_edited_the_address() {
    for policy in POLICIES {
        let host = Host::new();
        mapped(&host, policy);
        let first = host.add(company("X"));
        add(&host, &first, &Somebody { email: Some("b@n.example"), do_not_call: true, ..ANNA });
        let marked = add(&host, &first, &Somebody { email: Some("b@n.example"), phone: NUMBER, ..ANNA });
        let second = with(&host, &Somebody { email: Some("c@n.example"), phone: NUMBER, ..ANNA });
        let before = essence(&host.store, &host.scene);
        into(&host, &first, &options());
        into(&host, &second, &best(60));
        host.write(|ctx, txn| convert::unconvert(ctx, txn, second.id));
        let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, first.id));
        let fate =
            plan.records.iter().find(|taken| taken.record == Subject::from(marked)).map(|one| &one.fate);
        assert_eq!(fate, Some(&Fate::Restored(vec!["do_not_call".to_owned()])), "{policy:?}");
        host.write(|ctx, txn| convert::unconvert(ctx, txn, first.id));
        assert_eq!(essence(&host.store, &host.scene), before, "{policy:?}");
    }
}

#[test]
fn what_one_conversion_marked_is_not_passed_on_by_the_way_back_of_another() {
    let kari = Somebody { name: "Kari", ..ANNA };
    let host = Host::new();
    let first = host.add(form(&[(Field::Company, "X"), (Field::Name, "Ola")]));
    add(&host, &first, &Somebody { phone: NUMBER, ..kari.clone() });
    add(&host, &first, &Somebody { email: Some("c@n.example"), phone: NUMBER, ..kari.clone() });
    let second = with(&host, &Somebody { email: Some("c@n.example"), do_not_call: true, ..kari });
    let before = essence(&host.store, &host.scene);
    into(&host, &first, &options().contact_only());
    into(&host, &second, &best(80));
    for lead in [&first, &second] {
        host.write(|ctx, txn| convert::unconvert(ctx, txn, lead.id));
    }
    assert_eq!(essence(&host.store, &host.scene), before);
}

#[test]
fn a_person_whom_another_lead_kept_for_itself_goes_with_the_one_that_brought_it() {
    let host = Host::new();
    let known = account(&host, &named("X AS"));
    let first = with(&host, &Somebody { name: "Per Lie", email: Some("per@x.example"), ..ANNA });
    into(&host, &first, &options().into_account(known.id).account_only());
    let own = [(Field::Company, "X AS"), (Field::Name, "Per Lie"), (Field::Email, "per@x.example")];
    let second = host.add(form(&own));
    let between = essence(&host.store, &host.scene);
    let brought = into(&host, &second, &best(60).into_account(known.id));
    assert_eq!(brought.contacts.len(), 1);
    host.write(|ctx, txn| convert::unconvert(ctx, txn, second.id));
    assert!(host.read(|ctx, txn| contacts::of_account(ctx, txn, known.id)).is_empty());
    assert_eq!(essence(&host.store, &host.scene), between);
}
