//! Custom fields of accounts, contacts and opportunities: every store keeps and finds them, and the desk treats them alike.

use crate::desk::settings::{self, FieldMapping};
use crate::desk::timeline::{self, TimelineQuery};
use crate::desk::{Expect, accounts, contacts, convert, leads, opportunities, undo};
use crate::domain::{
    AccountPatch, BlockKey, Catalogue, CatalogueKind, Choice, ContactFields, CustomField, CustomKey,
    CustomType, CustomValue, CustomValues, Field, FieldValue, LeadFields, MatchKey, OpportunityFields,
    OpportunityPatch, Subject,
};
use crate::error::{Conflict, Error, ErrorKind, Result, ViolationCode};
use crate::id::{AccountId, ContactId, LeadId, OperationId, OpportunityId};
use crate::store::{Store, StoreExt, Txn};

use super::super::fixtures::{Scene, World, custom_catalogue, custom_types, custom_values};
use super::opportunities::opportunity;

/// The kinds of record but leads.
const KINDS: [CatalogueKind; 3] =
    [CatalogueKind::Account, CatalogueKind::Contact, CatalogueKind::Opportunity];

fn key(key: &str) -> CustomKey {
    key.parse().unwrap()
}

/// A custom field of every type, for these records.
fn full(kind: CatalogueKind) -> Catalogue {
    let mut catalogue = Catalogue::of(kind);
    custom_catalogue().custom_fields().for_each(|field| catalogue.set_custom_field(field.clone()));
    catalogue
}

/// Two records of each kind.
struct Records<'a> {
    store: &'a dyn Store,
    scene: Scene,
    lead: LeadId,
    accounts: Vec<AccountId>,
    contacts: Vec<ContactId>,
    opportunities: Vec<OpportunityId>,
}

impl<'a> Records<'a> {
    fn install(store: &'a dyn Store) -> Self {
        let scene = Scene::new("suite");
        let ctx = scene.ctx();
        let made = store.write(&scene.tenant, |txn| {
            let open = leads::create(&ctx, txn, LeadFields::company("Open AS")?.into())?;
            let (mut accounts, mut persons, mut deals) = (Vec::new(), Vec::new(), Vec::new());
            for name in ["Anna Berg", "Ola Vik"] {
                persons
                    .push(contacts::add(&ctx, txn, open.id, ContactFields::named(name).unwrap(), false)?.id);
                let lead = leads::create(&ctx, txn, LeadFields::company(name)?.into())?;
                let made = convert::convert(&ctx, txn, lead.id, &convert::ConversionOptions::default())?;
                let account = made.account.unwrap();
                accounts.push(account);
                let roof = OpportunityFields::named("Roof").into();
                deals.push(opportunities::create(&ctx, txn, account, roof)?.id);
            }
            Ok((open.id, accounts, persons, deals))
        });
        let (lead, accounts, contacts, opportunities) = made.expect("records");
        drop(ctx);
        Self { store, scene, lead, accounts, contacts, opportunities }
    }

    fn try_write<T>(&self, work: impl FnMut(&mut dyn Txn) -> Result<T>) -> Result<T> {
        self.scene.tick();
        self.store.write(&self.scene.tenant, work)
    }

    fn write<T>(&self, work: impl FnMut(&mut dyn Txn) -> Result<T>) -> T {
        self.try_write(work).expect("a write that breaks no rule")
    }

    fn define(&self, catalogue: &Catalogue) -> Result<()> {
        let ctx = self.scene.ctx();
        self.try_write(|txn| {
            let (revision, _) = settings::catalogue_of(&ctx, txn, catalogue.kind())?;
            settings::set_catalogue(&ctx, txn, revision, catalogue).map(drop)
        })
    }

    fn subject(&self, kind: CatalogueKind, n: usize) -> Subject {
        match kind {
            CatalogueKind::Account => self.accounts[n].into(),
            CatalogueKind::Contact => self.contacts[n].into(),
            _ => self.opportunities[n].into(),
        }
    }

    /// What the n-th record of the kind says.
    fn values(&self, kind: CatalogueKind, n: usize) -> CustomValues {
        let ctx = self.scene.ctx();
        let read = self.store.read(&self.scene.tenant, |txn| {
            Ok(match kind {
                CatalogueKind::Account => accounts::get(&ctx, txn, self.accounts[n])?.fields.custom,
                CatalogueKind::Contact => txn.contacts().get(&[self.contacts[n]])?.remove(0).fields.custom,
                _ => opportunities::get(&ctx, txn, self.opportunities[n])?.fields.custom,
            })
        });
        read.unwrap()
    }

    /// Writes these values, each as somebody may type it; an empty one takes it away.
    fn set(&self, kind: CatalogueKind, n: usize, inputs: &[(&str, &str)]) -> Result<()> {
        let ctx = self.scene.ctx();
        let read = |text: &str| if text.is_empty() { FieldValue::Empty } else { text.into() };
        let before = self.values(kind, n);
        self.try_write(|txn| {
            let (_, catalogue) = settings::catalogue_of(&ctx, txn, kind)?;
            let mut values = before.clone();
            if kind != CatalogueKind::Account {
                for (field, text) in inputs {
                    let written = catalogue.write_custom(&key(field), &mut values, &read(text), None);
                    written.map_err(|error| error.at(*field))?;
                }
            }
            match kind {
                CatalogueKind::Account => {
                    let patch = inputs.iter().fold(AccountPatch::new(), |patch, (field, text)| {
                        patch.set(Field::Custom(key(field)), read(text))
                    });
                    accounts::edit(&ctx, txn, self.accounts[n], Expect::Any, &patch).map(drop)
                }
                CatalogueKind::Contact => {
                    let known = txn.contacts().get(&[self.contacts[n]])?.remove(0);
                    let fields = ContactFields { custom: values, ..known.fields };
                    contacts::edit(&ctx, txn, self.lead, self.contacts[n], Expect::Any, fields).map(drop)
                }
                _ => {
                    let patch = inputs.iter().fold(OpportunityPatch::new(), |patch, (field, _)| {
                        patch.custom(key(field), values.get(&key(field)).cloned())
                    });
                    opportunities::edit(&ctx, txn, self.opportunities[n], Expect::Any, &patch).map(drop)
                }
            }
        })
    }

    fn told(&self, kind: CatalogueKind, n: usize) -> Vec<String> {
        let ctx = self.scene.ctx();
        let read = self.store.read(&self.scene.tenant, |txn| {
            timeline::of(&ctx, txn, self.subject(kind, n), &TimelineQuery::new(50))
        });
        read.unwrap().items.into_iter().map(|item| item.text).collect()
    }

    /// The operation of the newest entry.
    fn last(&self) -> OperationId {
        let read = self.store.read(&self.scene.tenant, |txn| txn.journal().replay(None, None, 10_000));
        read.unwrap().last().unwrap().operation
    }
}

fn broken(result: Result<()>) -> Vec<(String, ViolationCode)> {
    let error: Error = result.expect_err("a rule is broken");
    error.violations().iter().map(|one| (one.field.clone(), one.code)).collect()
}

/// Each kind has a catalogue of its own, whose values are kept, told, unique and taken back; leads know nothing of it.
pub fn accounts_contacts_and_opportunities_have_fields_of_their_own(store: &dyn Store) {
    let records = Records::install(store);
    for kind in KINDS {
        assert_eq!(
            broken(records.set(kind, 0, &[("x_integer", "7")])),
            [("x_integer".to_owned(), ViolationCode::Unknown)],
            "{kind:?}: there is no such field yet"
        );
        records.define(&full(kind)).expect("definitions that break no rule");
        records.set(kind, 0, &[("x_integer", "7"), ("x_one", "Small"), ("x_code", "A-1")]).unwrap();
        let mut wanted = CustomValues::from([
            (key("x_integer"), CustomValue::Integer(7)),
            (key("x_one"), CustomValue::Code("s".to_owned())),
            (key("x_code"), CustomValue::Text("A-1".to_owned())),
        ]);
        assert_eq!(records.values(kind, 0), wanted, "{kind:?}");
        let told = records.told(kind, 0);
        assert!(told.iter().any(|line| line.contains("x_one: – → Small")), "{kind:?}: {told:?}");
        assert_eq!(
            broken(records.set(kind, 1, &[("x_code", "a-1"), ("x_integer", "8")])),
            [("x_code".to_owned(), ViolationCode::Duplicate)],
            "{kind:?}: another one has it"
        );
        assert_eq!(
            broken(records.set(kind, 1, &[("x_link", "00000000-0000-0000-0000-000000000009")])),
            [("x_link".to_owned(), ViolationCode::Unknown)],
            "{kind:?}: a link to nothing"
        );
        records.set(kind, 0, &[("x_integer", "9")]).unwrap();
        let (operation, ctx) = (records.last(), records.scene.ctx());
        let undone = records.write(|txn| undo::undo(&ctx, txn, operation));
        assert_eq!(undone.totals.reversed, 1, "{kind:?}");
        wanted.insert(key("x_integer"), CustomValue::Integer(7));
        assert_eq!(records.values(kind, 0), wanted, "{kind:?}");
        records.set(kind, 0, &[("x_code", "")]).unwrap();
        records.set(kind, 1, &[("x_code", "A-1")]).expect("it is free again");
    }
    let ctx = records.scene.ctx();
    let (_, of_leads) = store.read(&records.scene.tenant, |txn| settings::catalogue(&ctx, txn)).unwrap();
    assert_eq!(of_leads.custom_fields().count(), 0, "leads have none of these fields");
}

/// What records have values of is changed with them, or refused with how many there are.
pub fn definitions_change_with_what_records_say(store: &dyn Store) {
    let records = Records::install(store);
    let ctx = records.scene.ctx();
    let sizes = |codes: &[&str]| {
        CustomType::OneOf(codes.iter().map(|code| Choice::new(*code, code.to_uppercase())).collect())
    };
    for kind in KINDS {
        let mut catalogue = Catalogue::of(kind);
        catalogue.set_custom_field(CustomField::new(key("x_size"), "Size", sizes(&["s", "l"])));
        catalogue.set_custom_field(CustomField::new(key("x_note"), "Note", CustomType::Text));
        records.define(&catalogue).unwrap();
        records.set(kind, 0, &[("x_size", "l"), ("x_note", "same")]).unwrap();
        records.set(kind, 1, &[("x_size", "s"), ("x_note", "same")]).unwrap();
        let in_use = |result: Result<()>, by| {
            let error = result.expect_err("records have values");
            assert_eq!(error.conflict(), Some(&Conflict::InUse { by }), "{kind:?}: {error}");
        };
        let mut less = catalogue.clone();
        less.set_custom_field(CustomField::new(key("x_size"), "Size", sizes(&["s", "m"])));
        in_use(records.define(&less), 1);
        let mut less = catalogue.clone();
        less.remove_custom_field(&key("x_size"));
        in_use(records.define(&less), 2);
        let mut unique = catalogue.clone();
        unique.set_custom_field(CustomField::new(key("x_note"), "Note", CustomType::Text).unique(true));
        assert_eq!(
            records.define(&unique).unwrap_err().kind(),
            ErrorKind::Invalid,
            "{kind:?}: two say the same"
        );
        // With a mapping it is done, and told.
        let revision = store.read(&records.scene.tenant, |txn| settings::catalogue_of(&ctx, txn, kind));
        let (revision, _) = revision.unwrap();
        let field = CustomField::new(key("x_size"), "Size", sizes(&["s", "m"]));
        let mapping = FieldMapping::exact().choice("l", Some("m"));
        let revision =
            records.write(|txn| settings::change_field_of(&ctx, txn, kind, revision, &field, &mapping));
        let size = |n| records.values(kind, n).get(&key("x_size")).cloned();
        let code = |code: &str| Some(CustomValue::Code(code.to_owned()));
        assert_eq!((size(0), size(1)), (code("m"), code("s")), "{kind:?}");
        let told = records.told(kind, 0);
        assert!(told[0].contains("Size: "), "{kind:?}: {told:?}");
        let removed = |clear| {
            let (size, revision) = (key("x_size"), Some(revision));
            records
                .try_write(|txn| settings::remove_field_of(&ctx, txn, kind, revision, &size, clear).map(drop))
        };
        in_use(removed(false), 2);
        removed(true).expect("it says what becomes of the values");
        assert_eq!((size(0), size(1)), (None, None), "{kind:?}");
        let note = Some(&CustomValue::Text("same".to_owned()));
        assert_eq!(records.values(kind, 0).get(&key("x_note")), note, "{kind:?}: other fields stay");
    }
}

/// Opportunities are found by each value of theirs, and by having one; not when it went, or they.
pub fn opportunities_are_found_by_custom_fields(store: &dyn Store) {
    let world = World::install(store);
    let mut all: Vec<_> = (1..=12).map(|n| opportunity(&world, n, None)).collect();
    for (n, one) in all.iter_mut().enumerate() {
        one.fields.custom = custom_values(n);
    }
    world.write(store, |txn| txn.opportunities().insert(&all));
    let check = |all: &[crate::domain::Opportunity]| {
        let mut asked: Vec<_> = custom_types().iter().map(|(key, _)| BlockKey::with_value(key)).collect();
        asked.extend(all.iter().flat_map(|one| one.fields.block_keys()));
        for key in asked {
            let having = all.iter().filter(|one| one.fields.block_keys().contains(&key));
            let mut wanted: Vec<_> = having.map(|one| one.id).collect();
            wanted.sort();
            let asked = std::slice::from_ref(&key);
            let found = world.read(store, |txn| txn.opportunities().blocks(asked, usize::MAX));
            let found: Vec<_> = found.into_iter().flat_map(|block| block.ids).collect();
            assert_eq!(found, wanted, "{key:?}");
        }
    };
    check(&all);
    for (n, one) in all.iter_mut().enumerate().filter(|(n, _)| n % 2 == 0) {
        one.fields.custom = custom_values(n + 1);
        one.revision = one.revision.next();
    }
    let changed: Vec<_> = all.iter().step_by(2).cloned().collect();
    world.write(store, |txn| txn.opportunities().update(&changed));
    check(&all);
    let gone = all.remove(3);
    world.write(store, |txn| txn.opportunities().remove(&[gone.id]));
    check(&all);
    let of_gone = gone.fields.custom.iter().next().unwrap();
    let unknown = MatchKey::custom(of_gone.0, &"nobody says this".into()).unwrap();
    let none = world
        .read(store, |txn| txn.opportunities().blocks(&[BlockKey::of_custom(&unknown).unwrap()], usize::MAX));
    assert_eq!(none, []);
}
