//! What an actor may see and do, whatever the store.
#![cfg(feature = "testkit")]

#[cfg(test)]
mod policy {
    use leadcore::desk::{
        Expect, accounts, board, contacts, convert, leads, pipelines, timeline, vocabulary,
    };
    use leadcore::domain::{AccountPatch, ContactFields, Field, FieldValue, Lead, LeadFields, LeadPatch};
    use leadcore::error::{ErrorKind, Result, ViolationCode};
    use leadcore::id::SourceId;
    use leadcore::memory::MemoryStore;
    use leadcore::policy::{Permission, Role, RoleTable, Visibility};
    use leadcore::query::{Filter, LeadQuery, Operator, Resolved, Sort, SortField};
    use leadcore::store::{StoreExt, Txn};
    use leadcore::testkit::fixtures::Scene;
    use leadcore::value::PersonName;

    /// Ada and Bob are of one team, Cy of another; Vi only looks; Eve has no role.
    fn table() -> RoleTable {
        let seller = Role::salesperson().grant(Permission::Delete, Visibility::Own);
        RoleTable::new()
            .role("own", Role::new().grant(Permission::View, Visibility::Own))
            .role("team", Role::new().grant(Permission::View, Visibility::Team))
            .role("sales", seller.hide(Field::Amount).unwrap().hide(Field::Email).unwrap())
            .role("viewer", Role::viewer())
            .role("boss", Role::manager())
            .user(&"ada".parse().unwrap(), &["sales"], Some("north"))
            .unwrap()
            .user(&"bob".parse().unwrap(), &["team"], Some("north"))
            .unwrap()
            .user(&"cy".parse().unwrap(), &["own"], Some("south"))
            .unwrap()
            .user(&"vi".parse().unwrap(), &["viewer"], None)
            .unwrap()
            .user(&"max".parse().unwrap(), &["boss"], None)
            .unwrap()
    }

    struct Case {
        store: MemoryStore,
        scene: Scene,
        table: RoleTable,
        leads: Vec<Lead>,
    }

    impl Case {
        /// One lead of each of Ada, Bob and Cy, and one of nobody.
        fn new() -> Self {
            let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
            let mut made = Vec::new();
            for owner in ["ada", "bob", "cy", ""] {
                let fields = LeadFields {
                    owner: owner.parse().ok(),
                    amount: Some(100.into()),
                    ..LeadFields::company(&format!("Of {owner}")).unwrap()
                };
                let ctx = leadcore::context::Context::new(
                    &scene.tenant,
                    leadcore::domain::Actor::System,
                    &scene.clock,
                    &scene.ids,
                    &leadcore::policy::AllowAll,
                );
                let make = |txn: &mut dyn Txn| leads::create(&ctx, txn, fields.clone().into());
                made.push(store.write(&scene.tenant, make).unwrap());
            }
            Self { store, scene, table: table(), leads: made }
        }

        fn as_user<T>(
            &self,
            user: &str,
            mut work: impl FnMut(&leadcore::context::Context<'_>, &mut dyn Txn) -> Result<T>,
        ) -> Result<T> {
            let ctx = self.scene.ctx_as(user, &self.table);
            self.store.write(&self.scene.tenant, |txn| work(&ctx, txn))
        }

        fn kind<T>(
            &self,
            user: &str,
            work: impl FnMut(&leadcore::context::Context<'_>, &mut dyn Txn) -> Result<T>,
        ) -> Option<ErrorKind> {
            self.as_user(user, work).err().map(|error| error.kind())
        }
    }

    #[test]
    fn lists_counts_searches_and_single_records_have_one_scope() {
        let case = Case::new();
        for (user, sees) in [
            ("ada", &[0, 1, 3][..]),
            ("bob", &[0, 1]),
            ("cy", &[2]),
            ("vi", &[0, 1, 2, 3]),
            ("max", &[0, 1, 2, 3]),
        ] {
            let listed = case
                .as_user(user, |ctx, txn| {
                    let query = LeadQuery::default().sort(Sort::ascending(SortField::Number));
                    Ok(leads::list(ctx, txn, &query)?.items)
                })
                .unwrap();
            let wanted: Vec<_> = sees.iter().map(|n| case.leads[*n].id).collect();
            assert_eq!(listed.iter().map(|lead| lead.id).collect::<Vec<_>>(), wanted, "{user} lists");
            let count = case.as_user(user, |ctx, txn| leads::count(ctx, txn, &Filter::everything())).unwrap();
            assert_eq!(count, wanted.len() as u64, "{user} counts");
            let groups = case
                .as_user(user, |ctx, txn| leads::count_by(ctx, txn, &Filter::everything(), &Field::Owner));
            assert_eq!(groups.unwrap().iter().map(|(_, n)| n).sum::<u64>(), count, "{user} counts by owner");
            let board = case.as_user(user, |ctx, txn| board::board(ctx, txn, &board::BoardQuery::default()));
            assert_eq!(board.unwrap().columns.iter().map(|c| c.count).sum::<u64>(), count, "{user}'s board");
            for (n, lead) in case.leads.iter().enumerate() {
                let wanted = if sees.contains(&n) { None } else { Some(ErrorKind::NotFound) };
                assert_eq!(
                    case.kind(user, |ctx, txn| leads::get(ctx, txn, lead.id)),
                    wanted,
                    "{user} gets {n}"
                );
                let by_number = case.kind(user, |ctx, txn| leads::by_number(ctx, txn, lead.number));
                assert_eq!(by_number, wanted, "{user} gets {n} by number");
                let history = case.kind(user, |ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 10));
                assert_eq!(history, wanted, "{user} reads the history of {n}");
                let persons = case.kind(user, |ctx, txn| contacts::of_lead(ctx, txn, lead.id));
                assert_eq!(persons, wanted, "{user} reads the persons of {n}");
            }
        }
    }

    #[test]
    fn what_is_seen_but_not_owned_is_denied_and_what_is_not_seen_is_not_found() {
        let case = Case::new();
        let patch = LeadPatch::new().set(Field::City, "Oslo");
        let edit = |user: &str, n: usize| {
            case.kind(user, |ctx, txn| leads::edit(ctx, txn, case.leads[n].id, Expect::Any, &patch))
        };
        assert_eq!(edit("ada", 0), None, "her own");
        assert_eq!(edit("ada", 1), Some(ErrorKind::Denied), "her team mate's");
        assert_eq!(edit("ada", 3), Some(ErrorKind::Denied), "nobody's");
        assert_eq!(edit("ada", 2), Some(ErrorKind::NotFound), "another team's");
        assert_eq!(edit("vi", 0), Some(ErrorKind::Denied), "a viewer edits nothing");
        assert_eq!(edit("eve", 0), Some(ErrorKind::Denied), "without a role there is nothing to see");
        let lead = case.leads[1].id;
        let stage = case.leads[1].stage;
        let named = || ContactFields::named("Kari").unwrap();
        let refused = [
            case.kind("ada", |ctx, txn| leads::delete(ctx, txn, lead, Expect::Any)),
            case.kind("ada", |ctx, txn| leads::move_to(ctx, txn, lead, Expect::Any, stage)),
            case.kind("ada", |ctx, txn| contacts::add(ctx, txn, lead, named(), false)),
            case.kind("ada", |ctx, txn| convert::plan(ctx, txn, lead, &Default::default())),
            case.kind("ada", |ctx, txn| convert::convert(ctx, txn, lead, &Default::default())),
            case.kind("ada", |ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "Web", None)),
            case.kind("vi", |ctx, txn| leads::create(ctx, txn, LeadFields::company("X").unwrap().into())),
            case.kind("ada", |ctx, txn| pipelines::add(ctx, txn, "X", Vec::new())),
        ];
        assert_eq!(refused, [Some(ErrorKind::Denied); 8]);
    }

    #[test]
    fn a_stale_revision_of_a_foreign_lead_tells_nothing() {
        let case = Case::new();
        let stale = leadcore::id::Revision::new(9);
        let patch = LeadPatch::new().set(Field::City, "Oslo");
        let kind = case.kind("ada", |ctx, txn| leads::edit(ctx, txn, case.leads[2].id, stale, &patch));
        assert_eq!(kind, Some(ErrorKind::NotFound));
    }

    #[test]
    fn hidden_fields_are_left_out_and_cannot_be_asked_for() {
        let case = Case::new();
        let lead = case.as_user("ada", |ctx, txn| leads::get(ctx, txn, case.leads[0].id)).unwrap();
        assert_eq!(lead.fields.amount, None, "a hidden field is left out");
        let boss = case.as_user("max", |ctx, txn| leads::get(ctx, txn, case.leads[0].id)).unwrap();
        assert_eq!(boss.fields.amount, Some(100.into()), "and is there for others");
        let nested = !(Filter::eq(Field::City, "x") | Filter::new(Field::Amount, Operator::Gt, 5_i64));
        let by_amount = LeadQuery::default().sort(Sort::descending(SortField::Amount));
        let patch = LeadPatch::new().set(Field::Amount, 5_i64);
        for error in [
            case.as_user("ada", |ctx, txn| leads::count(ctx, txn, &nested).map(|_| ())),
            case.as_user("ada", |ctx, txn| {
                leads::list(ctx, txn, &LeadQuery::new(nested.clone())).map(|_| ())
            }),
            case.as_user("ada", |ctx, txn| leads::list(ctx, txn, &by_amount).map(|_| ())),
            case.as_user("ada", |ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch).map(|_| ())),
        ] {
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert_eq!(error.violations()[0].code, ViolationCode::NotAllowed, "{error}");
        }
        let patch = LeadPatch::new().set(Field::City, "Oslo");
        case.as_user("ada", |ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch)).unwrap();
        let boss = case.as_user("max", |ctx, txn| leads::get(ctx, txn, lead.id)).unwrap();
        assert_eq!(boss.fields.amount, Some(100.into()), "an edit by somebody who does not see it keeps it");
        let patch = LeadPatch::new().set(Field::Amount, 7_i64);
        case.as_user("max", |ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch)).unwrap();
        let history = case.as_user("ada", |ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 10)).unwrap();
        let said = history.items.iter().any(|item| item.entry.changes.iter().any(|c| c.field == "amount"));
        assert!(!said, "nor does the history tell");
    }

    #[test]
    fn only_users_who_may_own_become_owners() {
        let case = Case::new();
        let owned = |owner: Option<&str>| LeadFields {
            owner: owner.map(|owner| owner.parse().unwrap()),
            ..LeadFields::company("New").unwrap()
        };
        let create = |user: &str, owner: Option<&str>| {
            case.as_user(user, |ctx, txn| leads::create(ctx, txn, owned(owner).into()))
        };
        let lead = create("ada", None).unwrap();
        assert_eq!(lead.fields.owner, Some("ada".parse().unwrap()), "the creator owns what has no owner");
        let error = create("ada", Some("nobody")).unwrap_err();
        assert_eq!((error.kind(), error.violations()[0].field.as_str()), (ErrorKind::Invalid, "owner"));
        assert_eq!(
            create("ada", Some("bob")).unwrap_err().kind(),
            ErrorKind::Denied,
            "she creates own ones only"
        );
        assert_eq!(create("max", Some("bob")).unwrap().fields.owner, Some("bob".parse().unwrap()));
        let to = |owner: &str| LeadPatch::new().set(Field::Owner, owner);
        let patch = to("nobody");
        let kind = case.kind("max", |ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch));
        assert_eq!(kind, Some(ErrorKind::Invalid));
        let patch = to("cy");
        let given =
            case.as_user("ada", |ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch)).unwrap();
        assert_eq!(given.fields.owner, Some("cy".parse().unwrap()), "she may give hers away");
        let kind = case.kind("ada", |ctx, txn| leads::get(ctx, txn, lead.id));
        assert_eq!(kind, Some(ErrorKind::NotFound), "and then sees it no more");
    }

    #[test]
    fn an_account_is_seen_through_its_leads() {
        let case = Case::new();
        let convert = |ctx: &leadcore::context::Context<'_>, txn: &mut dyn Txn| {
            convert::convert(ctx, txn, case.leads[2].id, &Default::default())
        };
        let account = case.as_user("max", convert).unwrap().account.unwrap();
        for (user, wanted) in [("cy", None), ("ada", Some(ErrorKind::NotFound)), ("vi", None)] {
            assert_eq!(case.kind(user, |ctx, txn| accounts::get(ctx, txn, account)), wanted, "{user}");
            let listed = case.as_user(user, |ctx, txn| accounts::list(ctx, txn, None, 10)).unwrap().items;
            assert_eq!(listed.is_empty(), wanted.is_some(), "{user}");
        }
    }

    #[test]
    fn an_account_is_edited_by_who_may_edit_a_lead_behind_it() {
        let case = Case::new();
        let account = case
            .as_user("max", |ctx, txn| convert::convert(ctx, txn, case.leads[0].id, &Default::default()))
            .unwrap()
            .account
            .unwrap();
        let edit = |user: &str, patch: &AccountPatch| {
            case.as_user(user, |ctx, txn| accounts::edit(ctx, txn, account, Expect::Any, patch))
        };
        let kind = |user: &str| {
            edit(user, &AccountPatch::new().set(Field::City, user)).err().map(|error| error.kind())
        };
        assert_eq!(kind("ada"), None, "her lead");
        assert_eq!(kind("max"), None, "all leads");
        assert_eq!(kind("vi"), Some(ErrorKind::Denied), "a viewer edits nothing");
        assert_eq!(kind("bob"), Some(ErrorKind::Denied), "he sees it and edits nothing");
        assert_eq!(kind("cy"), Some(ErrorKind::NotFound), "of another team's lead");
        for (patch, field) in [
            (AccountPatch::new().set(Field::Email, "a@b.example"), "email"),
            (AccountPatch::new().set(Field::Owner, "nobody"), "owner"),
        ] {
            let error = edit("ada", &patch).unwrap_err();
            let broken = &error.violations()[0];
            assert_eq!((broken.field.as_str(), broken.code), (field, ViolationCode::NotAllowed));
        }
    }

    #[test]
    fn a_search_finds_no_lead_by_what_is_hidden() {
        let case = Case::new();
        let fields = LeadFields {
            person: Some(PersonName::parse("Dr. Secretfirst Secretlast").unwrap()),
            emails: "mail@x.example".parse().unwrap(),
            phones: "+47 33 44 55 66".parse().unwrap(),
            ..LeadFields::company("Kiosk").unwrap()
        };
        let lead = case.as_user("max", |ctx, txn| leads::create(ctx, txn, fields.clone().into())).unwrap();
        let words = ["kiosk", "dr.", "secretfirst", "secretlast", "mail@x.example", "33445566"];
        for hidden in Field::ALL.iter().filter(|field| field.is_writable()) {
            let role = Role::viewer().hide(hidden.clone()).unwrap();
            let table =
                RoleTable::new().role("clerk", role).user(&"kim".parse().unwrap(), &["clerk"], None).unwrap();
            let ctx = case.scene.ctx_as("kim", &table);
            let found = |word: &str| {
                let filter = Filter::search(word);
                case.store.read(&case.scene.tenant, |txn| leads::count(&ctx, txn, &filter)).unwrap() > 0
            };
            // What the field adds to the text of a lead is what a search may find it by.
            let mut without = lead.clone();
            hidden.write(&mut without.fields, &FieldValue::Empty).unwrap();
            for word in words {
                let tells = !Resolved::search(word).matches(&without);
                assert!(!tells || !found(word), "`{word}` is found by {hidden}");
                let named = hidden.name_group().is_empty() && *hidden != Field::Name;
                assert!(tells || !named || found(word), "`{word}` is not found beside {hidden}");
            }
        }
    }

    #[test]
    fn a_name_is_looked_for_by_who_may_see_all_of_it() {
        let case = Case::new();
        let names = [Field::Name, Field::FirstName, Field::LastName, Field::Salutation];
        for (hidden, asked) in [(0, 1), (0, 3), (2, 0)] {
            let role = Role::viewer().hide(names[hidden].clone()).unwrap();
            let table =
                RoleTable::new().role("clerk", role).user(&"kim".parse().unwrap(), &["clerk"], None).unwrap();
            let ctx = case.scene.ctx_as("kim", &table);
            let filter = Filter::new(names[asked].clone(), Operator::Contains, "be");
            let error = case.store.read(&case.scene.tenant, |txn| leads::count(&ctx, txn, &filter));
            assert_eq!(error.unwrap_err().violations()[0].field, names[asked].key());
        }
        let anna = ContactFields::named("Anna Berg").unwrap();
        let lead = case.leads[0].id;
        case.as_user("max", |ctx, txn| contacts::add(ctx, txn, lead, anna.clone(), true)).unwrap();
        let role = Role::viewer().hide(Field::LastName).unwrap();
        let table =
            RoleTable::new().role("clerk", role).user(&"kim".parse().unwrap(), &["clerk"], None).unwrap();
        let ctx = case.scene.ctx_as("kim", &table);
        let seen = case.store.read(&case.scene.tenant, |txn| contacts::of_lead(&ctx, txn, lead)).unwrap();
        let name = seen[0].contact.fields.name.as_ref().map(PersonName::full);
        assert_eq!(name, Some("Anna"), "a hidden part of a contact's name is left out");
    }

    #[test]
    fn a_transaction_of_another_tenant_is_refused() {
        let case = Case::new();
        let ctx = case.scene.ctx();
        let other = "other".parse().unwrap();
        let read = case.store.read(&other, |txn| leads::get(&ctx, txn, case.leads[0].id));
        assert_eq!(read.unwrap_err().violations()[0].field, "tenant");
        let write = case
            .store
            .write(&other, |txn| leads::create(&ctx, txn, LeadFields::company("X").unwrap().into()));
        assert_eq!(write.unwrap_err().violations()[0].field, "tenant");
    }

    #[test]
    fn me_is_the_actor() {
        let case = Case::new();
        let mine = Filter::eq(Field::Owner, "me");
        let count = |user: &str| case.as_user(user, |ctx, txn| leads::count(ctx, txn, &mine)).unwrap();
        assert_eq!((count("ada"), count("max")), (1, 0));
        let list = FieldValue::from(vec!["me", "cy"]);
        let some = Filter::new(Field::Owner, Operator::In, list);
        let found = case.as_user("vi", |ctx, txn| leads::count(ctx, txn, &some)).unwrap();
        assert_eq!(found, 1);
    }

    #[test]
    fn what_is_hidden_can_neither_be_written_nor_lost() {
        let case = Case::new();
        let lead = case.leads[0].id;
        let anna = ContactFields {
            emails: "anna@x.example".parse().unwrap(),
            ..ContactFields::named("Anna Berg").unwrap()
        };
        let made = case.as_user("max", |ctx, txn| contacts::add(ctx, txn, lead, anna.clone(), true)).unwrap();
        // Ada sees no e-mails: what she writes back has none, and Anna keeps hers.
        let seen =
            case.as_user("ada", |ctx, txn| contacts::of_lead(ctx, txn, lead)).unwrap().remove(0).contact;
        assert!(seen.fields.emails.is_empty());
        let titled = ContactFields { job_title: Some("CEO".into()), ..seen.fields };
        case.as_user("ada", |ctx, txn| {
            contacts::edit(ctx, txn, lead, made.id, made.revision, titled.clone())
        })
        .unwrap();
        let kept =
            case.as_user("max", |ctx, txn| contacts::of_lead(ctx, txn, lead)).unwrap().remove(0).contact;
        assert_eq!(
            (kept.fields.emails, kept.fields.job_title.as_deref()),
            (anna.emails.clone(), Some("CEO"))
        );
        for refused in [
            case.as_user("ada", |ctx, txn| contacts::add(ctx, txn, lead, anna.clone(), false)).map(drop),
            case.as_user("ada", |ctx, txn| {
                let fields = LeadFields { amount: Some(1.into()), ..LeadFields::company("New").unwrap() };
                leads::create(ctx, txn, fields.into())
            })
            .map(drop),
        ] {
            assert_eq!(refused.unwrap_err().violations()[0].code, ViolationCode::NotAllowed);
        }
    }

    #[test]
    fn national_numbers_of_contacts_are_read_by_the_leads_country_also_where_it_is_hidden() {
        let hides = Role::salesperson().hide(Field::Country).unwrap();
        let case = Case { table: table().role("sales", hides), ..Case::new() };
        let lead = case.leads[0].id;
        let patch = LeadPatch::new().set(Field::Country, "NO");
        case.as_user("max", |ctx, txn| leads::edit(ctx, txn, lead, Expect::Any, &patch)).unwrap();
        let seen = case.as_user("ada", |ctx, txn| leads::get(ctx, txn, lead)).unwrap();
        assert_eq!(seen.fields.phone_region(), None, "what a lead shows is masked");
        let region = case.as_user("ada", |ctx, txn| contacts::phone_region(ctx, txn, lead)).unwrap();
        assert_eq!(region.map(|country| country.code().to_owned()).as_deref(), Some("NO"));
        let other = case.leads[2].id;
        let refused = case.kind("ada", |ctx, txn| contacts::phone_region(ctx, txn, other).map(drop));
        assert_eq!(refused, Some(ErrorKind::NotFound));
    }
}
