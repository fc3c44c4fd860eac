//! Rules of the desk that no store decides: catalogue, vocabularies, pipelines, filters and pages.
#![cfg(feature = "testkit")]

#[cfg(test)]
mod rules {
    use leadcore::desk::{Expect, board, leads, pipelines, settings, vocabulary};
    use leadcore::domain::{Field, FieldValue, Lead, LeadFields, LeadPatch, StageKind};
    use leadcore::error::{Conflict, Error, ErrorKind, Result, ViolationCode};
    use leadcore::id::{LabelId, SourceId};
    use leadcore::memory::MemoryStore;
    use leadcore::query::{Cursor, Filter, LeadQuery, MAX_DEPTH, Operator, Sort, SortField};
    use leadcore::store::{StoreExt, Txn};
    use leadcore::testkit::dump;
    use leadcore::testkit::fixtures::Scene;

    type Ctx<'a> = leadcore::context::Context<'a>;

    struct Case {
        store: MemoryStore,
        scene: Scene,
    }

    impl Case {
        fn new() -> Self {
            let case = Self { store: MemoryStore::new(), scene: Scene::new("acme") };
            // The default pipeline is made with a tenant's first call, whether it succeeds or not.
            case.run(|ctx, txn| pipelines::list_or_default(ctx, txn)).unwrap();
            case
        }

        fn run<T>(&self, mut work: impl FnMut(&Ctx<'_>, &mut dyn Txn) -> Result<T>) -> Result<T> {
            self.store.write(&self.scene.tenant, |txn| work(&self.scene.ctx(), txn))
        }

        /// The error of a call whose caller commits all the same: nothing may have been written before it.
        fn refused<T>(&self, mut work: impl FnMut(&Ctx<'_>, &mut dyn Txn) -> Result<T>) -> Error {
            let before = dump(&self.store, &self.scene.tenant);
            let error = self.run(|ctx, txn| Ok(work(ctx, txn).map(|_| ()).unwrap_err())).unwrap();
            assert_eq!(dump(&self.store, &self.scene.tenant), before, "checks come before the first write");
            error
        }

        fn lead(&self, fields: LeadFields) -> Lead {
            let draft = leadcore::domain::LeadDraft::from(fields);
            self.run(|ctx, txn| leads::create(ctx, txn, draft.clone())).unwrap()
        }

        fn configure(
            &self,
            change: impl Fn(&mut leadcore::domain::Catalogue),
        ) -> Result<leadcore::id::Revision> {
            self.run(|ctx, txn| {
                let (revision, mut catalogue) = settings::catalogue(ctx, txn)?;
                change(&mut catalogue);
                settings::set_catalogue(ctx, txn, revision, &catalogue)
            })
        }
    }

    fn company(name: &str) -> LeadFields {
        LeadFields::company(name).unwrap()
    }

    #[test]
    fn required_and_disabled_fields_hold_from_the_next_write_on() {
        let case = Case::new();
        let old = case.lead(company("Old"));
        case.configure(|catalogue| {
            catalogue.settings_mut(Field::City).required = Some(true);
            catalogue.settings_mut(Field::Industry).enabled = Some(false);
        })
        .unwrap();
        let error = case.refused(|ctx, txn| leads::create(ctx, txn, company("New").into()));
        assert_eq!(
            (error.violations()[0].field.as_str(), error.violations()[0].code),
            ("city", ViolationCode::Required)
        );
        let patch = LeadPatch::new().set(Field::Street, "Storgata 1");
        let error = case.refused(|ctx, txn| leads::edit(ctx, txn, old.id, Expect::Any, &patch));
        assert_eq!(error.violations()[0].field, "city", "an old lead needs it with its next write");
        let patch = patch.set(Field::City, "Oslo").set(Field::Industry, "Energy");
        let error = case.refused(|ctx, txn| leads::edit(ctx, txn, old.id, Expect::Any, &patch));
        assert_eq!(error.violations()[0].code, ViolationCode::NotAllowed, "a disabled field takes no value");
        let patch = LeadPatch::new().set(Field::City, "Oslo");
        case.run(|ctx, txn| leads::edit(ctx, txn, old.id, Expect::Any, &patch)).unwrap();
        let both = case.configure(|catalogue| catalogue.settings_mut(Field::Industry).required = Some(true));
        assert_eq!(
            both.unwrap_err().kind(),
            ErrorKind::Invalid,
            "required and disabled contradict each other"
        );
        let stale = case.refused(|ctx, txn| settings::set_catalogue(ctx, txn, None, &Default::default()));
        assert_eq!(stale.kind(), ErrorKind::Conflict);
    }

    #[test]
    fn a_disabled_owner_is_not_filled_in() {
        let case = Case::new();
        case.configure(|catalogue| catalogue.settings_mut(Field::Owner).enabled = Some(false)).unwrap();
        assert_eq!(case.lead(company("Nobody's")).fields.owner, None);
    }

    #[test]
    fn a_lead_has_one_id_in_each_system_however_it_gets_them() {
        let case = Case::new();
        let ids =
            |ids: &[&str]| ids.iter().map(|id| leadcore::domain::ExternalRef::parse(id).unwrap()).collect();
        let two = LeadFields { external_ids: ids(&["crm:1", "crm:2", "web:1"]), ..company("A") };
        let error = case.refused(|ctx, txn| leads::create(ctx, txn, two.clone().into()));
        let told = |error: &Error| (error.violations()[0].field.clone(), error.violations()[0].code);
        assert_eq!(told(&error), ("external_id".to_owned(), ViolationCode::Duplicate));
        let lead = case.lead(LeadFields { external_ids: ids(&["crm:1", "web:1"]), ..company("A") });
        let list = ["crm:1", "crm:2"].map(FieldValue::from).to_vec();
        let patch = LeadPatch::new().set(Field::ExternalId, FieldValue::List(list));
        let error = case.refused(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch));
        assert_eq!(told(&error), ("external_id".to_owned(), ViolationCode::Duplicate));
    }

    #[test]
    fn texts_set_past_the_parsers_keep_their_rules() {
        let case = Case::new();
        for (text, code) in [
            ("a\0b".to_owned(), ViolationCode::Malformed),
            (" ".to_owned(), ViolationCode::Malformed),
            (String::new(), ViolationCode::Malformed),
            ("x".repeat(501), ViolationCode::TooLong),
        ] {
            let fields = LeadFields { company: Some(text), ..LeadFields::default() };
            let error = case.refused(|ctx, txn| leads::create(ctx, txn, fields.clone().into()));
            assert_eq!((error.violations()[0].field.as_str(), error.violations()[0].code), ("company", code));
        }
        case.lead(company(&"ä".repeat(500)));
    }

    #[test]
    fn several_drafts_are_all_or_none_and_each_says_its_place() {
        let case = Case::new();
        let amount = LeadFields { amount: Some("0.00001".parse().unwrap()), ..company("Fine") };
        let drafts = vec![company("Fine").into(), LeadFields::default().into(), amount.into()];
        let error = case.refused(|ctx, txn| leads::create_many(ctx, txn, drafts.clone()));
        let fields: Vec<_> = error.violations().iter().map(|broken| broken.field.as_str()).collect();
        assert_eq!(fields, ["drafts[1].company", "drafts[2].amount"]);
        let unknown = LeadFields { source: Some(SourceId::from_uuid(uuid::Uuid::max())), ..company("X") };
        let error = case.refused(|ctx, txn| leads::create(ctx, txn, unknown.clone().into()));
        assert_eq!(
            (error.violations()[0].field.as_str(), error.violations()[0].code),
            ("source", ViolationCode::Unknown)
        );
    }

    #[test]
    fn a_patch_that_changes_nothing_writes_nothing() {
        let case = Case::new();
        let lead = case.lead(company("Same"));
        let before = dump(&case.store, &case.scene.tenant);
        let patch = LeadPatch::new().set(Field::Company, " Same ");
        let after = case.run(|ctx, txn| leads::edit(ctx, txn, lead.id, lead.revision, &patch)).unwrap();
        assert_eq!(after.revision, lead.revision);
        assert_eq!(dump(&case.store, &case.scene.tenant), before);
    }

    #[test]
    fn a_term_in_use_is_refused_cleared_or_replaced() {
        let case = Case::new();
        let add = |name: &str| case.run(|ctx, txn| vocabulary::add::<LabelId>(ctx, txn, name, None)).unwrap();
        let (hot, cold, warm) = (add("Hot"), add("Cold"), add("Warm"));
        let with =
            |labels: &[LabelId]| LeadFields { labels: labels.iter().copied().collect(), ..company("L") };
        let (both, one) = (case.lead(with(&[hot.id, cold.id])), case.lead(with(&[hot.id])));
        let delete = |label: LabelId, how| case.run(|ctx, txn| vocabulary::delete(ctx, txn, label, how));
        let error = case.refused(|ctx, txn| vocabulary::delete(ctx, txn, hot.id, vocabulary::InUse::Refuse));
        assert_eq!(error.conflict(), Some(&Conflict::InUse { by: 2 }));
        delete(hot.id, vocabulary::InUse::Reassign(cold.id)).unwrap();
        let labels = |lead: &Lead| {
            let lead = case.run(|ctx, txn| leads::get(ctx, txn, lead.id)).unwrap();
            lead.fields.labels.into_iter().collect::<Vec<_>>()
        };
        assert_eq!((labels(&both), labels(&one)), (vec![cold.id], vec![cold.id]), "each label once");
        delete(cold.id, vocabulary::InUse::Clear).unwrap();
        assert_eq!((labels(&both), labels(&one)), (vec![], vec![]));
        delete(warm.id, vocabulary::InUse::Refuse).unwrap();
        assert_eq!(delete(warm.id, vocabulary::InUse::Clear).unwrap_err().kind(), ErrorKind::NotFound);
        let lone = add("Lone");
        assert!(delete(lone.id, vocabulary::InUse::Reassign(lone.id)).is_err(), "not to itself");
        let error = case.refused(|ctx, txn| vocabulary::add::<LabelId>(ctx, txn, "LONE", None));
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    }

    #[test]
    fn stages_have_one_place_and_are_kept_while_in_use() {
        let case = Case::new();
        let lead = case.lead(company("Placed"));
        let own = case.run(|ctx, txn| pipelines::list(ctx, txn)).unwrap().remove(0);
        let error = case.refused(|ctx, txn| pipelines::add(ctx, txn, "Second", own.stages.clone()));
        assert_eq!(error.violations()[0].code, ViolationCode::Duplicate, "the stages of another pipeline");
        let mut twice = own.clone();
        twice.stages[1].id = twice.stages[0].id;
        let error = case.refused(|ctx, txn| pipelines::update(ctx, txn, twice.clone()));
        assert_eq!(error.violations()[0].field, "stages[1].id");
        case.run(|ctx, txn| leads::delete(ctx, txn, lead.id, Expect::Any)).unwrap();
        let mut without = own.clone();
        without.stages.retain(|stage| stage.id != lead.stage);
        let error = case.refused(|ctx, txn| pipelines::update(ctx, txn, without.clone()));
        assert_eq!(error.conflict(), Some(&Conflict::InUse { by: 1 }), "a lead in the trash keeps its stage");
        let won = own.stages.iter().find(|stage| stage.kind == StageKind::Won).unwrap().id;
        case.run(|ctx, txn| leads::restore(ctx, txn, lead.id)).unwrap();
        case.run(|ctx, txn| leads::move_to(ctx, txn, lead.id, Expect::Any, won)).unwrap();
        case.run(|ctx, txn| pipelines::update(ctx, txn, without.clone())).unwrap();
        let unknown = leadcore::id::StageId::from_uuid(uuid::Uuid::max());
        let error = case.refused(|ctx, txn| leads::move_to(ctx, txn, lead.id, Expect::Any, unknown));
        assert_eq!(error.violations()[0].field, "stage");
    }

    #[test]
    fn the_board_counts_what_its_columns_hold() {
        let case = Case::new();
        let made: Vec<_> = (0..5).map(|n| case.lead(company(&format!("Card {n}")))).collect();
        let stage = case.run(|ctx, txn| pipelines::list(ctx, txn)).unwrap()[0].stages[1].id;
        case.run(|ctx, txn| board::move_card(ctx, txn, made[0].id, Expect::Any, stage)).unwrap();
        case.run(|ctx, txn| leads::delete(ctx, txn, made[1].id, Expect::Any)).unwrap();
        case.run(|ctx, txn| leadcore::desk::convert::convert(ctx, txn, made[2].id, &Default::default()))
            .unwrap();
        let draw = |query: board::BoardQuery| case.run(|ctx, txn| board::board(ctx, txn, &query));
        let columns = draw(board::BoardQuery::default().cards(1)).unwrap().columns;
        let shown: Vec<_> = columns.iter().map(|c| (c.count, c.cards.len(), c.next.is_some())).collect();
        assert_eq!(shown[..3], [(2, 1, true), (1, 1, false), (0, 0, false)], "no trash, no converted leads");
        let none = draw(board::BoardQuery::default().cards(0)).unwrap().columns;
        assert_eq!((none[0].count, none[0].cards.len()), (2, 0));
        assert!(draw(board::BoardQuery::default().cards(1_001)).is_err());
        let found = draw(board::BoardQuery::default().filter(Filter::search("card 3"))).unwrap().columns;
        assert_eq!((found[0].count, found[0].cards[0].id), (1, made[3].id));
        // As deep as a list takes it.
        let deep = (0..MAX_DEPTH).fold(Filter::search("card"), |inner, _| Filter::All(vec![inner]));
        assert_eq!(draw(board::BoardQuery::default().filter(deep)).unwrap().columns[0].count, 2);
    }

    #[test]
    fn filters_beyond_the_limits_are_refused_not_run() {
        let case = Case::new();
        let count = |filter: &Filter| case.run(|ctx, txn| leads::count(ctx, txn, filter));
        let deep = |levels: usize| (0..levels).fold(Filter::everything(), |inner, _| !inner);
        assert!(count(&deep(MAX_DEPTH)).is_ok());
        let wide = Filter::Any(vec![Filter::everything(); 10_001]);
        let values = vec!["x"; 10_001];
        let list = Filter::new(Field::Company, Operator::In, values);
        for filter in [deep(MAX_DEPTH + 1), wide, list, Filter::search("x".repeat(1_001))] {
            let error = count(&filter).unwrap_err();
            assert_eq!(
                (error.kind(), error.violations()[0].code),
                (ErrorKind::Invalid, ViolationCode::TooLong)
            );
        }
        let misfits = Filter::new(Field::Company, Operator::Gt, "x") & Filter::eq(Field::Amount, "much");
        assert_eq!(count(&misfits).unwrap_err().violations().len(), 2, "every misfit at once");
    }

    #[test]
    fn limits_and_cursors_that_do_not_fit_are_refused() {
        let case = Case::new();
        let lead = case.lead(company("Page"));
        let list = |query: &LeadQuery| case.run(|ctx, txn| leads::list(ctx, txn, query));
        for limit in [0, 1_001, 1_000_000_000, usize::MAX] {
            let error = list(&LeadQuery::default().limit(limit)).unwrap_err();
            assert_eq!(
                (error.violations()[0].field.as_str(), error.violations()[0].code),
                ("limit", ViolationCode::OutOfRange)
            );
        }
        let by_company = Sort::ascending(SortField::Company);
        let cursor = Cursor::behind(&lead, &by_company);
        let query = LeadQuery::default().sort(by_company).after(Some(cursor.clone()));
        assert_eq!(list(&query).unwrap().items, []);
        for sort in [Sort::descending(SortField::Company), Sort::ascending(SortField::Name)] {
            let error = list(&LeadQuery::default().sort(sort).after(Some(cursor.clone()))).unwrap_err();
            assert_eq!(error.violations()[0].field, "after", "a cursor of another sort");
        }
        for text in ["", "zz", "7b7d", "é", &"ab".repeat(10_000)] {
            assert_eq!(Cursor::from_text(text).unwrap_err().kind(), ErrorKind::Invalid);
        }
    }
}
