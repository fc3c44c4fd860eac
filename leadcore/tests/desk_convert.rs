//! Conversion: what no store decides.
#![cfg(feature = "testkit")]

#[cfg(test)]
mod conversion {
    use leadcore::desk::convert::{
        ConversionOptions, ConversionPlan, PlannedAccount, PlannedContact, PlannedPerson, apply, convert,
        plan,
    };
    use leadcore::desk::{Expect, accounts, contacts, leads, timeline, vocabulary};
    use leadcore::domain::{
        AccountStatus, Action, ContactFields, Emails, Field, Lead, LeadFields, LeadPatch,
    };
    use leadcore::error::{Conflict, ErrorKind, Result};
    use leadcore::id::{AccountId, CategoryId, SourceId};
    use leadcore::memory::MemoryStore;
    use leadcore::store::{StoreExt, Txn};
    use leadcore::testkit::dump;
    use leadcore::testkit::fixtures::Scene;
    use leadcore::value::PersonName;

    struct Case {
        store: MemoryStore,
        scene: Scene,
    }

    impl Case {
        fn new() -> Self {
            Self { store: MemoryStore::new(), scene: Scene::new("acme") }
        }

        fn run<T>(
            &self,
            mut work: impl FnMut(&leadcore::context::Context<'_>, &mut dyn Txn) -> Result<T>,
        ) -> Result<T> {
            self.store.write(&self.scene.tenant, |txn| work(&self.scene.ctx(), txn))
        }

        fn lead(&self, fields: LeadFields) -> Lead {
            let draft = leadcore::domain::LeadDraft::from(fields);
            self.run(|ctx, txn| leads::create(ctx, txn, draft.clone())).unwrap()
        }

        fn plan(&self, lead: &Lead) -> ConversionPlan {
            self.run(|ctx, txn| plan(ctx, txn, lead.id, &ConversionOptions::default())).unwrap()
        }

        /// The error, after which everything is as it was.
        fn refused<T>(
            &self,
            work: impl FnMut(&leadcore::context::Context<'_>, &mut dyn Txn) -> Result<T>,
        ) -> leadcore::error::Error {
            let before = dump(&self.store, &self.scene.tenant);
            let error = self.run(work).map(|_| ()).unwrap_err();
            assert_eq!(dump(&self.store, &self.scene.tenant), before, "a refused conversion leaves nothing");
            error
        }
    }

    fn full() -> LeadFields {
        LeadFields {
            person: Some(PersonName::parse("Kari Berg").unwrap()),
            emails: Emails::parse("kari@nordlys.example").unwrap(),
            amount: Some(5.into()),
            industry: Some("Energy".to_owned()),
            ..LeadFields::company("Nordlys AS").unwrap()
        }
    }

    #[test]
    fn a_new_account_takes_over_what_the_lead_says() {
        let case = Case::new();
        let lead = case.lead(full());
        let made = case.plan(&lead);
        assert_eq!(made.stays_on_lead, [Field::Amount], "told, not lost");
        let outcome = case.run(|ctx, txn| apply(ctx, txn, &made)).unwrap();
        let (account, persons) = case
            .run(|ctx, txn| {
                Ok((
                    accounts::get(ctx, txn, outcome.account.unwrap())?,
                    contacts::of_account(ctx, txn, outcome.account.unwrap())?,
                ))
            })
            .unwrap();
        assert_eq!(account.fields.name, "Nordlys AS");
        assert_eq!(account.fields.emails, lead.fields.emails);
        assert_eq!(account.fields.industry.as_deref(), Some("Energy"));
        assert_eq!(account.fields.status, AccountStatus::Customer);
        assert_eq!(
            (persons.len(), persons[0].is_primary),
            (1, true),
            "the person of the lead is its contact"
        );
        assert_eq!(outcome.contacts, [persons[0].contact.id]);
        let origins = case.run(|ctx, txn| accounts::origins(ctx, txn, outcome.account.unwrap())).unwrap();
        assert_eq!(origins, [lead.id]);
    }

    #[test]
    fn an_existing_account_is_filled_not_overwritten() {
        let case = Case::new();
        let first = case.lead(LeadFields {
            emails: Emails::parse("post@nordlys.example").unwrap(),
            person: Some(PersonName::parse("Ola Dahl").unwrap()),
            ..LeadFields::company("Nordlys").unwrap()
        });
        let done = case.run(|ctx, txn| convert(ctx, txn, first.id, &ConversionOptions::default())).unwrap();
        let second = case.lead(full());
        let options = ConversionOptions::default().into_account(done.account.unwrap());
        let said = options.clone().status(AccountStatus::Prospect);
        let error = case.refused(|ctx, txn| convert(ctx, txn, second.id, &said));
        assert_eq!(error.violations()[0].field, "status", "only a new account is given one");
        let again = case.run(|ctx, txn| convert(ctx, txn, second.id, &options)).unwrap();
        assert_eq!((again.account.unwrap(), again.account_number), (done.account.unwrap(), 1));
        let account = case.run(|ctx, txn| accounts::get(ctx, txn, done.account.unwrap())).unwrap();
        assert_eq!(account.fields.name, "Nordlys", "what it says stays");
        assert_eq!(account.fields.status, AccountStatus::Customer, "its status stays");
        assert_eq!(account.fields.industry.as_deref(), Some("Energy"), "what it did not say is filled");
        let mails: Vec<_> = account.fields.emails.iter().map(|mail| mail.as_str()).collect();
        assert_eq!(mails, ["post@nordlys.example", "kari@nordlys.example"], "lists grow at their end");
        let persons = case.run(|ctx, txn| contacts::of_account(ctx, txn, done.account.unwrap())).unwrap();
        let primary: Vec<_> = persons.iter().map(|person| person.is_primary).collect();
        assert_eq!(primary, [true, false], "the account keeps its primary contact");
        assert_eq!(persons[0].contact.id, done.contacts[0]);
        let unknown = ConversionOptions::default().into_account(AccountId::from_uuid(uuid()));
        let third = case.lead(full());
        let error = case.refused(|ctx, txn| convert(ctx, txn, third.id, &unknown));
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    fn uuid() -> uuid::Uuid {
        uuid::Uuid::max()
    }

    #[test]
    fn a_person_who_is_a_contact_already_is_not_made_again() {
        let named = |name: &str, mail: &str| ContactFields {
            emails: Emails::parse(mail).unwrap(),
            ..ContactFields::named(name).unwrap()
        };
        for (contact, persons) in [
            (named("K. Berg", "KARI@nordlys.example"), 1), // the same mailbox
            (named("kari berg", ""), 1),                   // the same name, and no mail that says otherwise
            (named("Kari Berg", "other@nordlys.example"), 2), // a namesake
            (named("Ola Dahl", ""), 2),
        ] {
            let case = Case::new();
            let lead = case.lead(full());
            case.run(|ctx, txn| contacts::add(ctx, txn, lead.id, contact.clone(), false)).unwrap();
            let made = case.plan(&lead);
            assert_eq!(made.contacts.len(), persons, "{contact:?}");
            let primary = made.contacts.iter().filter(|contact| contact.is_primary).count();
            assert_eq!(
                (primary, made.contacts[0].is_primary),
                (1, true),
                "the lead's primary contact stays so"
            );
            let outcome = case.run(|ctx, txn| apply(ctx, txn, &made)).unwrap();
            let sides = case
                .run(|ctx, txn| {
                    let of_lead = contacts::of_lead(ctx, txn, lead.id)?;
                    Ok((of_lead, contacts::of_account(ctx, txn, outcome.account.unwrap())?))
                })
                .unwrap();
            assert_eq!(sides.0, sides.1, "both sides list the same persons");
            assert_eq!(sides.0.len(), persons);
        }
    }

    #[test]
    fn a_plan_is_data_and_outlives_its_process() {
        let case = Case::new();
        let lead = case.lead(full());
        case.run(|ctx, txn| contacts::add(ctx, txn, lead.id, ContactFields::named("Ola").unwrap(), true))
            .unwrap();
        let made = case.plan(&lead);
        let read: ConversionPlan = serde_json::from_str(&serde_json::to_string(&made).unwrap()).unwrap();
        assert_eq!(read, made);
        case.run(|ctx, txn| apply(ctx, txn, &read)).unwrap();
    }

    #[test]
    fn an_outdated_plan_is_refused() {
        let case = Case::new();
        let lead = case.lead(full());
        let made = case.plan(&lead);
        let patch = LeadPatch::new().set(Field::City, "Oslo");
        case.run(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch)).unwrap();
        let error = case.refused(|ctx, txn| apply(ctx, txn, &made));
        assert_eq!(error.conflict(), Some(&Conflict::PlanOutdated), "the lead changed");

        let into = |lead: &Lead, account| {
            let options = ConversionOptions::default().into_account(account);
            case.run(|ctx, txn| plan(ctx, txn, lead.id, &options)).unwrap()
        };
        let account =
            case.run(|ctx, txn| convert(ctx, txn, lead.id, &Default::default())).unwrap().account.unwrap();
        let more = LeadFields { description: Some("Met in Bergen".to_owned()), ..full() };
        let (second, third) = (case.lead(more), case.lead(full()));
        let (of_second, of_third) = (into(&second, account), into(&third, account));
        case.run(|ctx, txn| apply(ctx, txn, &of_second)).unwrap();
        let error = case.refused(|ctx, txn| apply(ctx, txn, &of_third));
        assert_eq!(error.conflict(), Some(&Conflict::PlanOutdated), "the account changed");
        case.run(|ctx, txn| leads::delete(ctx, txn, third.id, Expect::Any)).unwrap();
        let error = case.refused(|ctx, txn| apply(ctx, txn, &of_third));
        assert_eq!(error.kind(), ErrorKind::NotFound, "the lead is in the trash");
    }

    #[test]
    fn an_edited_plan_keeps_the_rules() {
        let case = Case::new();
        let lead = case.lead(full());
        let other = case.lead(full());
        let add = |lead: &Lead, name: &str| {
            let fields = ContactFields::named(name).unwrap();
            case.run(|ctx, txn| contacts::add(ctx, txn, lead.id, fields.clone(), false)).unwrap().id
        };
        let (own, foreign) = (add(&lead, "Ola"), add(&other, "Per"));
        let made = case.plan(&lead);
        let field = |edit: &dyn Fn(&mut ConversionPlan)| {
            let mut edited = made.clone();
            edit(&mut edited);
            let error = case.refused(|ctx, txn| apply(ctx, txn, &edited));
            error.violations().first().map_or_else(|| error.kind().to_string(), |broken| broken.field.clone())
        };
        let account = |plan: &mut ConversionPlan, edit: &dyn Fn(&mut leadcore::domain::AccountFields)| {
            if let PlannedAccount::New { fields, .. } = &mut plan.account {
                edit(fields);
            }
        };
        let person = |id, is_primary| PlannedContact { who: PlannedPerson::Existing(id), is_primary };
        assert_eq!(field(&|plan| account(plan, &|fields| fields.name = " ".to_owned())), "account.name");
        assert_eq!(
            field(&|plan| account(plan, &|fields| fields.industry = Some("a\0b".to_owned()))),
            "account.industry"
        );
        assert_eq!(
            field(&|plan| account(plan, &|fields| fields.category = Some(CategoryId::from_uuid(uuid())))),
            "account.category"
        );
        assert_eq!(field(&|plan| plan.contacts = vec![person(own, true), person(own, false)]), "contacts");
        assert_eq!(field(&|plan| plan.contacts.iter_mut().for_each(|c| c.is_primary = true)), "contacts");
        assert_eq!(field(&|plan| plan.contacts.push(person(foreign, false))), "conflict");
        let nobody = PlannedPerson::New(Box::default());
        assert_eq!(
            field(&|plan| plan.contacts.push(PlannedContact { who: nobody.clone(), is_primary: false })),
            "contacts[2].name"
        );
        let mut swapped = made.clone();
        swapped.contacts.iter_mut().for_each(|contact| contact.is_primary = !contact.is_primary);
        let outcome = case.run(|ctx, txn| apply(ctx, txn, &swapped)).unwrap();
        for persons in [
            case.run(|ctx, txn| contacts::of_account(ctx, txn, outcome.account.unwrap())).unwrap(),
            case.run(|ctx, txn| contacts::of_lead(ctx, txn, lead.id)).unwrap(),
        ] {
            assert_eq!(
                persons.iter().filter(|person| person.is_primary).count(),
                1,
                "one primary on each side"
            );
        }
    }

    #[test]
    fn a_required_field_stops_the_plan() {
        let case = Case::new();
        let lead = case.lead(full());
        case.run(|ctx, txn| {
            let (revision, mut catalogue) = leadcore::desk::settings::catalogue(ctx, txn)?;
            catalogue.settings_mut(Field::TaxId).required = Some(true);
            leadcore::desk::settings::set_catalogue(ctx, txn, revision, &catalogue)
        })
        .unwrap();
        let error = case.refused(|ctx, txn| plan(ctx, txn, lead.id, &ConversionOptions::default()));
        assert_eq!(error.violations()[0].field, "tax_id");
    }

    #[test]
    fn a_converted_lead_refuses_every_write() {
        let case = Case::new();
        let source = case.run(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "Fair", None)).unwrap();
        let lead = case.lead(LeadFields { source: Some(source.id), ..full() });
        let open = case.lead(LeadFields { source: Some(source.id), ..full() });
        let contact = case
            .run(|ctx, txn| contacts::add(ctx, txn, lead.id, ContactFields::named("Ola").unwrap(), true))
            .unwrap();
        case.run(|ctx, txn| convert(ctx, txn, lead.id, &ConversionOptions::default())).unwrap();
        let patch = LeadPatch::new().set(Field::City, "Oslo");
        let fields = || ContactFields::named("Per").unwrap();
        let errors = [
            case.refused(|ctx, txn| leads::edit(ctx, txn, lead.id, Expect::Any, &patch)),
            case.refused(|ctx, txn| leads::delete(ctx, txn, lead.id, Expect::Any)),
            case.refused(|ctx, txn| leads::move_to(ctx, txn, lead.id, Expect::Any, lead.stage)),
            case.refused(|ctx, txn| contacts::add(ctx, txn, lead.id, fields(), false)),
            case.refused(|ctx, txn| contacts::edit(ctx, txn, lead.id, contact.id, Expect::Any, fields())),
            case.refused(|ctx, txn| contacts::remove(ctx, txn, lead.id, contact.id)),
            case.refused(|ctx, txn| contacts::make_primary(ctx, txn, lead.id, contact.id)),
            case.refused(|ctx, txn| plan(ctx, txn, lead.id, &ConversionOptions::default())),
        ];
        for error in errors {
            assert_eq!((error.kind(), error.conflict()), (ErrorKind::Frozen, Some(&Conflict::Converted)));
        }
        assert_eq!(case.refused(|ctx, txn| leads::restore(ctx, txn, lead.id)).kind(), ErrorKind::NotFound);
        // Caught inside the transaction, which then commits: nothing may have been written before the refusal.
        let before = dump(&case.store, &case.scene.tenant);
        let how = vocabulary::InUse::Clear;
        let error =
            case.run(|ctx, txn| Ok(vocabulary::delete(ctx, txn, source.id, how).unwrap_err())).unwrap();
        assert_eq!(error.conflict(), Some(&Conflict::InUse { by: 1 }), "by the converted lead");
        assert_eq!(dump(&case.store, &case.scene.tenant), before, "the open lead {} keeps it", open.number);
    }

    #[test]
    fn the_history_of_both_sides_pages_alike() {
        let case = Case::new();
        let lead = case.lead(full());
        let outcome = case.run(|ctx, txn| convert(ctx, txn, lead.id, &ConversionOptions::default())).unwrap();
        let read = |limit: usize| {
            let mut all = Vec::new();
            let mut before = None;
            loop {
                let page = case
                    .run(|ctx, txn| timeline::of_account(ctx, txn, outcome.account.unwrap(), before, limit));
                let page = page.unwrap();
                all.extend(page.items);
                before = page.next;
                if before.is_none() {
                    return all;
                }
            }
        };
        let of_lead = case.run(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 1_000)).unwrap().items;
        assert_eq!(read(1), of_lead);
        assert_eq!(read(2), of_lead);
        let actions: Vec<_> = of_lead.iter().map(|item| item.entry.action).collect();
        assert_eq!(actions, [Action::Created, Action::Created, Action::Converted, Action::Created]);
        for limit in [0, 1_001, usize::MAX] {
            let error = case.run(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, limit)).unwrap_err();
            assert_eq!(error.violations()[0].field, "limit");
        }
    }

    #[test]
    fn a_person_who_came_after_the_plan_is_not_left_behind() {
        let case = Case::new();
        let lead = case.lead(full());
        let made = case.plan(&lead);
        let late = ContactFields::named("Late Comer").unwrap();
        case.run(|ctx, txn| contacts::add(ctx, txn, lead.id, late.clone(), false)).unwrap();
        let error = case.refused(|ctx, txn| apply(ctx, txn, &made));
        assert_eq!(error.conflict(), Some(&Conflict::PlanOutdated));
    }

    #[test]
    fn a_lead_that_changed_since_it_was_read_is_not_converted() {
        let case = Case::new();
        let lead = case.lead(full());
        let patch = LeadPatch::new().set(Field::City, "Bergen");
        case.run(|ctx, txn| leads::edit(ctx, txn, lead.id, lead.revision, &patch)).unwrap();
        let options = ConversionOptions::default().at_revision(lead.revision);
        let error = case.refused(|ctx, txn| convert(ctx, txn, lead.id, &options));
        assert_eq!(error.kind(), ErrorKind::Conflict);
    }
}
