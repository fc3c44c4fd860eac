//! Laws of undo: whatever many leads went through, taking it back makes them what they were.
#![cfg(feature = "testkit")]

#[cfg(test)]
mod laws {
    use std::collections::BTreeSet;

    use leadcore::desk::mass::{self, Change, Selection};
    use leadcore::desk::{leads, pipelines, settings, undo, vocabulary};
    use leadcore::domain::{Lead, LeadDraft, LeadFields, LeadPatch, Move, lead_changes, rewind};
    use leadcore::error::Result;
    use leadcore::id::{LabelId, LeadId, LostReasonId, Revision, StageId};
    use leadcore::memory::MemoryStore;
    use leadcore::query::Filter;
    use leadcore::store::{StoreExt, Txn};
    use leadcore::testkit::fixtures::{Scene, World, custom_catalogue};
    use leadcore::testkit::generate;
    use proptest::prelude::*;
    use proptest::sample::Index;

    struct Case {
        store: MemoryStore,
        scene: Scene,
        leads: Vec<LeadId>,
        labels: Vec<LabelId>,
        stages: Vec<StageId>,
        reasons: Vec<LostReasonId>,
    }

    impl Case {
        fn new(fields: &[LeadFields]) -> Self {
            let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
            let made = store.write(&scene.tenant, |txn| {
                let ctx = scene.ctx();
                let mut labels = Vec::new();
                for name in ["Hot", "Cold"] {
                    labels.push(vocabulary::add::<LabelId>(&ctx, txn, name, None)?.id);
                }
                settings::set_catalogue(&ctx, txn, None, &custom_catalogue())?;
                let mut known = BTreeSet::new();
                let drafts = fields.iter().cloned().map(|mut fields| {
                    fields.external_ids.retain(|id| known.insert(id.clone()));
                    // No two leads share the one, and nothing is there for the other.
                    fields.custom.retain(|key, _| !["x_code", "x_link"].contains(&key.as_str()));
                    LeadDraft::from(fields)
                });
                let drafts = drafts.collect();
                let leads = leads::create_many(&ctx, txn, drafts)?.into_iter().map(|lead| lead.id).collect();
                let stages = pipelines::list(&ctx, txn)?.remove(0).stages;
                let stages = stages.into_iter().map(|stage| stage.id).collect();
                let reasons = vocabulary::list_or_default::<LostReasonId>(&ctx, txn)?;
                let reasons = reasons.into_iter().map(|term| term.id).collect();
                Ok((leads, labels, stages, reasons))
            });
            let (leads, labels, stages, reasons) = made.unwrap();
            Self { store, scene, leads, labels, stages, reasons }
        }

        fn run<T>(&self, work: impl FnMut(&mut dyn Txn) -> Result<T>) -> T {
            self.store.write(&self.scene.tenant, work).unwrap()
        }

        /// The leads without what every write changes.
        fn state(&self) -> Vec<Lead> {
            let leads = self.run(|txn| txn.leads().get(&self.leads));
            leads.into_iter().map(still).collect()
        }

        fn change(&self, step: &Drawn) -> (Selection, Change) {
            let change = match step {
                Drawn::Owner(owner) => Change::Transfer(owner.then(|| "bob".parse().unwrap())),
                Drawn::Stage(at, reason) => {
                    let step = Move::from(*at.get(&self.stages));
                    // A reason that does not fit the stage refuses the whole call, which changes nothing.
                    let because = |at: &Index| step.clone().because(*at.get(&self.reasons), Some("so"));
                    Change::Move(reason.as_ref().map_or(step.clone(), because))
                }
                Drawn::Label(at, true) => Change::AddLabels(vec![*at.get(&self.labels)]),
                Drawn::Label(at, false) => Change::RemoveLabels(vec![*at.get(&self.labels)]),
                Drawn::Edit(patch) => Change::Edit(patch.clone()),
                Drawn::Delete => Change::Delete,
                Drawn::Restore => Change::Restore,
            };
            (Selection::filter(Filter::everything()), change)
        }
    }

    fn still(lead: Lead) -> Lead {
        let updated_at = lead.created_at;
        Lead { revision: Revision::FIRST, updated_at, ..lead }
    }

    #[derive(Debug, Clone)]
    enum Drawn {
        Owner(bool),
        Stage(Index, Option<Index>),
        Label(Index, bool),
        Edit(LeadPatch),
        Delete,
        Restore,
    }

    fn drawn() -> impl Strategy<Value = Drawn> {
        prop_oneof![
            1 => any::<bool>().prop_map(Drawn::Owner),
            1 => any::<(Index, Option<Index>)>().prop_map(|(stage, reason)| Drawn::Stage(stage, reason)),
            1 => any::<(Index, bool)>().prop_map(|(label, on)| Drawn::Label(label, on)),
            4 => generate::patch().prop_map(Drawn::Edit),
            1 => Just(Drawn::Delete),
            2 => Just(Drawn::Restore),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn many_leads_are_what_they_were_before(
            fields in prop::collection::vec(generate::lead_fields(), 1..6),
            steps in prop::collection::vec(drawn(), 1..8),
        ) {
            let case = Case::new(&fields);
            let ctx = case.scene.ctx();
            let mut done = Vec::new();
            for step in &steps {
                case.scene.tick();
                let (selection, change) = case.change(step);
                let before = case.state();
                let result = case.store.write(&case.scene.tenant, |txn| mass::run(&ctx, txn, &selection, &change));
                match result.ok().and_then(|outcome| outcome.operation) {
                    Some(operation) => done.push((operation, before)),
                    None => prop_assert_eq!(case.state(), before, "no operation, no change"),
                }
            }
            for (operation, before) in done.into_iter().rev() {
                case.scene.tick();
                let after = case.state();
                let undone = case.run(|txn| undo::undo(&ctx, txn, operation));
                prop_assert_eq!(undone.remaining, []);
                prop_assert_eq!(case.state(), before.clone(), "taken back");
                let redone = case.run(|txn| undo::undo(&ctx, txn, undone.operation));
                prop_assert_eq!(case.state(), after, "done again");
                case.run(|txn| undo::undo(&ctx, txn, redone.operation));
                prop_assert_eq!(case.state(), before, "and taken back again");
            }
        }

        // Also through JSON, where ids, amounts and times are text.
        #[test]
        fn changes_make_the_one_lead_from_the_other(one in generate::lead_fields(), other in generate::lead_fields()) {
            let store = MemoryStore::new();
            let world = World::install(&store);
            let one = world.lead(1, one);
            let mut other = Lead { fields: other, ..one.clone() };
            let json = serde_json::to_string(&lead_changes(&one, &other)).unwrap();
            let changes: Vec<leadcore::domain::FieldChange> = serde_json::from_str(&json).unwrap();
            let done = rewind(&mut other, &changes, &|_, _| None);
            prop_assert_eq!(done.kept, []);
            prop_assert_eq!(other, one);
        }
    }

    #[test]
    fn a_failure_in_the_middle_leaves_nothing() {
        let names: Vec<_> = (0..2_100).map(|n| LeadFields::company(&format!("Lead {n}")).unwrap()).collect();
        let case = Case::new(&names);
        let ctx = case.scene.ctx();
        let before = leadcore::testkit::dump(&case.store, &case.scene.tenant);
        let everyone = Selection::filter(Filter::everything());
        let failed: Result<()> = case.store.write(&case.scene.tenant, |txn| {
            let done =
                mass::run(&ctx, &mut Failing { inner: txn, updates: 0, at: 2 }, &everyone, &Change::Delete);
            done.map(drop)
        });
        assert_eq!(
            failed.unwrap_err().kind(),
            leadcore::error::ErrorKind::Storage,
            "the second round failed"
        );
        assert_eq!(leadcore::testkit::dump(&case.store, &case.scene.tenant), before, "nothing of the first");
        let done = case.run(|txn| mass::run(&ctx, txn, &everyone, &Change::Delete));
        let before = leadcore::testkit::dump(&case.store, &case.scene.tenant);
        let failed: Result<()> = case.store.write(&case.scene.tenant, |txn| {
            let mut failing = Failing { inner: txn, updates: 0, at: 3 };
            undo::undo(&ctx, &mut failing, done.operation.unwrap()).map(drop)
        });
        assert_eq!(failed.unwrap_err().kind(), leadcore::error::ErrorKind::Storage, "the third chunk failed");
        assert_eq!(leadcore::testkit::dump(&case.store, &case.scene.tenant), before, "an undo is whole too");
    }

    /// A transaction in which one update of leads fails.
    struct Failing<'t> {
        inner: &'t mut dyn Txn,
        updates: u32,
        at: u32,
    }

    macro_rules! ports {
        ($($name:ident: $port:ident),+) => {$(
            fn $name(&mut self) -> &mut dyn leadcore::store::$port {
                self.inner.$name()
            }
        )+};
    }

    impl Txn for Failing<'_> {
        ports!(contacts: Contacts, accounts: Accounts, links: Links, journal: Journal, pipelines: Pipelines);
        ports!(terms: Terms, settings: Settings, numbers: Numbers, tallies: Tallies, views: Views, marks: Marks);
        ports!(children: Children, activities: Activities, agenda: Agenda, files: Files, blobs: Blobs);
        ports!(estimates: Estimates, lines: Lines, records: Records, followers: Followers);
        ports!(opportunities: Opportunities, services: Services, costs: Costs, reports: Reports);

        fn tenant(&self) -> &leadcore::id::TenantId {
            self.inner.tenant()
        }

        fn leads(&mut self) -> &mut dyn leadcore::store::Leads {
            self
        }

        fn savepoint(&mut self, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
            self.inner.savepoint(work)
        }
    }

    impl leadcore::store::Leads for Failing<'_> {
        fn insert(&mut self, leads: &[Lead]) -> Result<()> {
            self.inner.leads().insert(leads)
        }

        fn update(&mut self, changes: &[leadcore::store::LeadChange]) -> Result<()> {
            self.updates += 1;
            if self.updates == self.at {
                return Err(leadcore::error::Error::new(
                    leadcore::error::ErrorKind::Storage,
                    "the disk is full",
                ));
            }
            self.inner.leads().update(changes)
        }

        fn derive(&mut self, derived: &[leadcore::store::Derived]) -> Result<()> {
            self.inner.leads().derive(derived)
        }

        fn remove(&mut self, leads: &[Lead]) -> Result<()> {
            self.inner.leads().remove(leads)
        }

        fn get(&mut self, ids: &[LeadId]) -> Result<Vec<Lead>> {
            self.inner.leads().get(ids)
        }

        fn find(
            &mut self,
            keys: &[leadcore::domain::MatchKey],
        ) -> Result<Vec<(leadcore::domain::MatchKey, LeadId)>> {
            self.inner.leads().find(keys)
        }

        fn scan(&mut self, scan: &leadcore::query::LeadScan) -> Result<Vec<Lead>> {
            self.inner.leads().scan(scan)
        }
    }
}
