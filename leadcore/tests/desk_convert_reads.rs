//! What a conversion reads: as much for the hundredth lead of a customer as for the tenth.
#![cfg(feature = "testkit")]

#[cfg(test)]
mod reads {
    use leadcore::desk::convert::{self, ConversionOptions, PersonChoice};
    use leadcore::desk::{Expect, accounts, contacts, leads};
    use leadcore::domain::{
        AccountFields, AccountPatch, BlockKey, Contact, ContactFields, Emails, Entry, Field, Lead,
        LeadFields, Link, LinkRole, MarkNote, MatchKey, NewEntry, Operation, OperationKind, Sequence,
        Subject, SubjectKind, Topics,
    };
    use leadcore::error::Result;
    use leadcore::id::{AccountId, ContactId, LeadId, OperationId, TenantId};
    use leadcore::memory::MemoryStore;
    use leadcore::query::LeadScan;
    use leadcore::store::{
        Accounts, Activities, Agenda, Blobs, Block, Children, Contacts, Costs, Derived, Estimates, Files,
        Followers, Journal, LeadChange, Leads, Lines, Links, Marks, NameSearch, Numbers, Opportunities,
        Pipelines, Records, Reports, Services, Settings, StoreExt, Tallies, Terms, Txn, Views,
    };
    use leadcore::testkit::fixtures::Scene;
    use leadcore::value::PersonName;

    /// A transaction that counts the persons, leads and links that are read.
    struct Counting<'t> {
        inner: &'t mut dyn Txn,
        records: usize,
        links: usize,
        /// The most entries of the journal that one call gave.
        at_once: usize,
        entries: usize,
    }

    impl<'t> Counting<'t> {
        fn of(inner: &'t mut dyn Txn) -> Self {
            Self { inner, records: 0, links: 0, at_once: 0, entries: 0 }
        }
    }

    macro_rules! passed_on {
        ($($port:ident: $of:ident),+ $(,)?) => {$(
            fn $port(&mut self) -> &mut dyn $of {
                self.inner.$port()
            }
        )+};
    }

    impl Txn for Counting<'_> {
        fn tenant(&self) -> &TenantId {
            self.inner.tenant()
        }

        fn contacts(&mut self) -> &mut dyn Contacts {
            self
        }

        fn leads(&mut self) -> &mut dyn Leads {
            self
        }

        fn links(&mut self) -> &mut dyn Links {
            self
        }

        fn journal(&mut self) -> &mut dyn Journal {
            self
        }

        passed_on! {
            accounts: Accounts, pipelines: Pipelines, terms: Terms, settings: Settings,
            numbers: Numbers, tallies: Tallies, views: Views, marks: Marks, children: Children,
            activities: Activities, agenda: Agenda, files: Files, blobs: Blobs, estimates: Estimates, lines: Lines,
            opportunities: Opportunities, services: Services, costs: Costs, reports: Reports, records: Records,
            followers: Followers
        }

        fn savepoint(&mut self, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
            self.inner.savepoint(work)
        }
    }

    impl Contacts for Counting<'_> {
        fn insert(&mut self, contacts: &[Contact]) -> Result<()> {
            self.inner.contacts().insert(contacts)
        }

        fn update(&mut self, contacts: &[Contact]) -> Result<()> {
            self.inner.contacts().update(contacts)
        }

        fn get(&mut self, ids: &[ContactId]) -> Result<Vec<Contact>> {
            let found = self.inner.contacts().get(ids)?;
            self.records += found.len();
            Ok(found)
        }

        fn remove(&mut self, ids: &[ContactId]) -> Result<()> {
            self.inner.contacts().remove(ids)
        }

        fn search(&mut self, search: &NameSearch, of: Option<SubjectKind>) -> Result<Vec<Contact>> {
            let found = self.inner.contacts().search(search, of)?;
            self.records += found.len();
            Ok(found)
        }

        fn blocks(&mut self, keys: &[BlockKey], limit: usize) -> Result<Vec<Block<ContactId>>> {
            let found = self.inner.contacts().blocks(keys, limit)?;
            self.links += found.iter().map(|block| block.ids.len()).sum::<usize>();
            Ok(found)
        }
    }

    impl Leads for Counting<'_> {
        fn insert(&mut self, leads: &[Lead]) -> Result<()> {
            self.inner.leads().insert(leads)
        }

        fn update(&mut self, changes: &[LeadChange]) -> Result<()> {
            self.inner.leads().update(changes)
        }

        fn remove(&mut self, leads: &[Lead]) -> Result<()> {
            self.inner.leads().remove(leads)
        }

        fn get(&mut self, ids: &[LeadId]) -> Result<Vec<Lead>> {
            let found = self.inner.leads().get(ids)?;
            self.records += found.len();
            Ok(found)
        }

        fn find(&mut self, keys: &[MatchKey]) -> Result<Vec<(MatchKey, LeadId)>> {
            self.inner.leads().find(keys)
        }

        fn scan(&mut self, scan: &LeadScan) -> Result<Vec<Lead>> {
            let found = self.inner.leads().scan(scan)?;
            self.records += found.len();
            Ok(found)
        }

        fn derive(&mut self, derived: &[Derived]) -> Result<()> {
            self.inner.leads().derive(derived)
        }
    }

    impl Links for Counting<'_> {
        fn insert(&mut self, links: &[Link]) -> Result<()> {
            self.inner.links().insert(links)
        }

        fn remove(&mut self, links: &[Link]) -> Result<()> {
            self.inner.links().remove(links)
        }

        fn from(&mut self, subjects: &[Subject], role: Option<LinkRole>) -> Result<Vec<Link>> {
            let found = self.inner.links().from(subjects, role)?;
            self.links += found.len();
            Ok(found)
        }

        fn to(&mut self, subjects: &[Subject], role: Option<LinkRole>) -> Result<Vec<Link>> {
            let found = self.inner.links().to(subjects, role)?;
            self.links += found.len();
            Ok(found)
        }
    }

    impl Journal for Counting<'_> {
        fn begin(&mut self, operation: &Operation) -> Result<()> {
            self.inner.journal().begin(operation)
        }

        fn update(&mut self, operation: &Operation) -> Result<()> {
            self.inner.journal().update(operation)
        }

        fn operation(&mut self, id: OperationId) -> Result<Option<Operation>> {
            self.inner.journal().operation(id)
        }

        fn find(&mut self, kind: OperationKind, key: &str) -> Result<Option<Operation>> {
            self.inner.journal().find(kind, key)
        }

        fn append(&mut self, operation: OperationId, entries: &[NewEntry]) -> Result<()> {
            self.inner.journal().append(operation, entries)
        }

        fn about(
            &mut self,
            subjects: &[Subject],
            topics: Topics,
            before: Option<Sequence>,
            limit: usize,
        ) -> Result<Vec<Entry>> {
            let found = self.inner.journal().about(subjects, topics, before, limit)?;
            self.entries += found.len();
            self.at_once = self.at_once.max(found.len());
            Ok(found)
        }

        fn replay(
            &mut self,
            operation: Option<OperationId>,
            after: Option<Sequence>,
            limit: usize,
        ) -> Result<Vec<Entry>> {
            let found = self.inner.journal().replay(operation, after, limit)?;
            self.entries += found.len();
            Ok(found)
        }

        fn end(&mut self) -> Result<Sequence> {
            self.inner.journal().end()
        }
    }

    /// A customer with one person, who must not be called.
    fn customer(store: &MemoryStore, scene: &Scene) -> (AccountId, ContactId) {
        let ctx = scene.ctx();
        let fields = AccountFields { name: "Nordlys AS".into(), ..AccountFields::default() };
        let person = ContactFields {
            emails: Emails::parse("anna@nordlys.example").unwrap(),
            do_not_call: Some(MarkNote::default()),
            ..ContactFields::named("Anna Berg").unwrap()
        };
        store
            .write(&scene.tenant, |txn| {
                let account = accounts::create(&ctx, txn, fields.clone().into())?.id;
                Ok((account, contacts::add(&ctx, txn, account, person.clone(), true)?.id))
            })
            .unwrap()
    }

    /// The persons and leads, and the links, that the conversion of each of a hundred leads into one customer reads.
    fn read_by_each(
        (store, scene): (&MemoryStore, &Scene),
        options: &ConversionOptions,
        fields: impl Fn(usize) -> LeadFields,
    ) -> Vec<(usize, usize)> {
        let ctx = scene.ctx();
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
            store.write(&scene.tenant, convert).unwrap()
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
        let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
        let (account, _) = customer(&store, &scene);
        let into = ConversionOptions::default().into_account(account);
        let each = |n: usize| LeadFields { emails: Emails::none(), ..lead(&format!("Person {n}"), "") };
        let read = read_by_each((&store, &scene), &into, each);
        assert_eq!(read[99], read[9], "{read:?}");
    }

    #[test]
    fn a_lead_reads_no_other_leads_because_they_have_the_same_person() {
        let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
        let (account, anna) = customer(&store, &scene);
        let into = ConversionOptions::default().into_account(account).person(PersonChoice::Existing(anna));
        let read = read_by_each((&store, &scene), &into, |_| lead("Anna Berg", "anna@nordlys.example"));
        assert_eq!(read[99].0, read[9].0, "{read:?}");
    }

    /// The entries that the plan of the way back of a lead reads, and the most at once, after its customer was edited so often.
    fn read_for_the_way_back(edits: u32) -> (usize, usize) {
        let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
        let ctx = scene.ctx();
        let read = store.write(&scene.tenant, |txn| {
            let known = AccountFields { name: "Nordlys AS".into(), ..AccountFields::default() };
            let account = accounts::create(&ctx, txn, known.into())?.id;
            let fields =
                LeadFields { industry: Some("Energy".into()), ..lead("Anna Berg", "anna@nordlys.example") };
            let lead = leads::create(&ctx, txn, fields.into())?;
            convert::convert(&ctx, txn, lead.id, &ConversionOptions::default().into_account(account))?;
            for n in 0..edits {
                let patch = AccountPatch::new().set(Field::Description, format!("Edit {n}").as_str());
                accounts::edit(&ctx, txn, account, Expect::Any, &patch)?;
            }
            let mut txn = Counting::of(txn);
            let plan = convert::plan_unconvert(&ctx, &mut txn, lead.id)?;
            assert_eq!(plan.blockers, []);
            Ok((txn.entries, txn.at_once))
        });
        read.unwrap()
    }

    #[test]
    fn a_way_back_reads_a_long_history_in_pages_and_once() {
        let (few, many) = (read_for_the_way_back(500), read_for_the_way_back(2_500));
        assert!(many.1 <= 256, "{many:?}");
        assert!(many.0 - few.0 <= 2_000 + 512, "each entry once: {few:?} {many:?}");
    }
}
