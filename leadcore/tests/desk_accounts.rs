//! How often a page of accounts, or of a history, asks its store.
#![cfg(feature = "testkit")]

#[cfg(test)]
mod questions {
    use leadcore::desk::timeline::{self, TimelineQuery};
    use leadcore::desk::{accounts, activities, convert, leads};
    use leadcore::domain::{ActivityFields, LeadFields};
    use leadcore::error::Result;
    use leadcore::id::TenantId;
    use leadcore::memory::MemoryStore;
    use leadcore::policy::{Permission, Role, RoleTable, Visibility};
    use leadcore::store::{
        Accounts, Activities, Agenda, Blobs, Children, Contacts, Costs, Estimates, Files, Followers, Journal,
        Leads, Lines, Links, Marks, Numbers, Opportunities, Pipelines, Records, Reports, Services, Settings,
        StoreExt, Tallies, Terms, Txn, Views,
    };
    use leadcore::testkit::fixtures::Scene;

    /// A transaction that counts how often its ports are asked for: every use of a port is one.
    struct Counting<'t> {
        inner: &'t mut dyn Txn,
        uses: usize,
    }

    macro_rules! counted {
        ($($name:ident: $port:ident),+) => {
            $(fn $name(&mut self) -> &mut dyn $port {
                self.uses += 1;
                self.inner.$name()
            })+
        };
    }

    impl Txn for Counting<'_> {
        fn tenant(&self) -> &TenantId {
            self.inner.tenant()
        }

        counted! {
            leads: Leads, contacts: Contacts, accounts: Accounts, links: Links, journal: Journal,
            pipelines: Pipelines, terms: Terms, settings: Settings, numbers: Numbers,
            tallies: Tallies, views: Views, marks: Marks, children: Children, activities: Activities,
            agenda: Agenda, files: Files, blobs: Blobs, estimates: Estimates, lines: Lines,
            opportunities: Opportunities, services: Services, costs: Costs, reports: Reports,
            records: Records, followers: Followers
        }

        fn savepoint(&mut self, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
            self.inner.savepoint(work)
        }
    }

    #[test]
    fn a_page_of_a_history_asks_as_often_as_one_event() {
        let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
        let ctx = scene.ctx();
        let lead = store
            .write(&scene.tenant, |txn| {
                let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
                for n in 0..30 {
                    let note = ActivityFields::note(&format!("Note {n}"));
                    activities::add(&ctx, txn, &[lead.id.into()], note)?;
                }
                Ok(lead)
            })
            .unwrap();
        let asked = [1, 20].map(|limit| {
            let read = store.read(&scene.tenant, |inner| {
                let mut txn = Counting { inner, uses: 0 };
                let page = timeline::of(&ctx, &mut txn, lead.id, &TimelineQuery::new(limit))?;
                assert_eq!(page.items.len(), limit);
                Ok(txn.uses)
            });
            read.unwrap()
        });
        // Who may see the lead, what belongs to it, and its events: notes have no names to look up.
        assert_eq!(asked, [6, 6]);
    }

    #[test]
    fn a_page_of_accounts_asks_as_often_as_one_account() {
        let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
        let seller = Role::salesperson().grant(Permission::View, Visibility::Own);
        let table =
            RoleTable::new().role("sales", seller).user(&"ada".parse().unwrap(), &["sales"], None).unwrap();
        let ctx = scene.ctx_as("ada", &table);
        let mut asked = Vec::new();
        for page in [1, 20] {
            for n in 0..page {
                let fields = LeadFields::company(&format!("Company {n}")).unwrap();
                let convert = |txn: &mut dyn Txn| {
                    let lead = leads::create(&ctx, txn, fields.clone().into())?;
                    convert::convert(&ctx, txn, lead.id, &Default::default())
                };
                store.write(&scene.tenant, convert).unwrap();
            }
            let (found, uses) = store
                .read(&scene.tenant, |txn| {
                    let mut txn = Counting { inner: txn, uses: 0 };
                    let found = accounts::list(&ctx, &mut txn, None, 100)?;
                    Ok((found.items.len(), txn.uses))
                })
                .unwrap();
            asked.push((found, uses));
        }
        assert_eq!((asked[0].0, asked[1].0), (1, 21), "she sees all of hers");
        assert_eq!(asked[0].1, asked[1].1, "a longer page asks no more often");
    }
}
