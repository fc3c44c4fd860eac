//! Which field of a lead becomes which field of a customer: set up, checked, previewed and taken back (X.07, S2.09, S2.15).

use std::collections::{BTreeMap, BTreeSet};

use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::{conversion_mapping, leads, settings, undo, vocabulary};
use leadcore::domain::conversion_mapping::{
    ConversionMapping, FillPolicy, FindingCode, Severity, WhyDropped,
};
use leadcore::domain::{
    Catalogue, CatalogueKind, CustomField, CustomKey, CustomType, CustomValue, Field, LeadFields, SubjectKind,
};
use leadcore::error::{Conflict, ErrorKind};
use leadcore::id::{OperationId, Revision, SourceId};
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::store::StoreExt;
use leadcore::testkit::dump;
use leadcore::testkit::generate::lead_fields;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{Host, company, fields_of, refused};

/// The functions of the desk that are tried here, with other users and another tenant.
pub(crate) const TRIED: [&str; 5] = [
    "conversion_mapping::get",
    "conversion_mapping::lint",
    "conversion_mapping::preview_account",
    "conversion_mapping::set",
    "conversion_mapping::targets",
];

/// The source of the lead, by its name, as the industry of the account.
fn with_source() -> ConversionMapping {
    let mut mapping = ConversionMapping::standard();
    mapping.rules.retain(|rule| rule.from != Field::Industry);
    mapping.with(Field::Source, "account.industry", FillPolicy::Overwrite).unwrap()
}

/// The last operation that changed the settings.
fn last_change(host: &Host) -> OperationId {
    let entries = host.read(|_, txn| txn.journal().replay(None, None, 10_000));
    let of_settings = entries.iter().rev().find(|entry| entry.subject.kind == SubjectKind::Settings);
    of_settings.unwrap().operation
}

#[test]
fn x_07_a_mapping_is_declared_and_checked_by_type() {
    let mut host = Host::new();
    let mut catalogue = Catalogue::standard();
    let budget = CustomField::new("x_budget".parse().unwrap(), "Budget", CustomType::Integer);
    catalogue.set_custom_field(budget);
    host.write(|ctx, txn| settings::set_catalogue(ctx, txn, None, &catalogue));
    let (none, standard) = host.read(|ctx, txn| conversion_mapping::get(ctx, txn));
    assert_eq!((none, &standard), (None, &ConversionMapping::standard()));
    let found = host.read(|ctx, txn| conversion_mapping::lint(ctx, txn, &standard));
    let budget = Field::known("x_budget").unwrap();
    let lost: Vec<_> =
        found.iter().filter(|one| one.code == FindingCode::Lost).flat_map(|one| &one.from).collect();
    assert!(
        lost.contains(&&budget),
        "a custom field that no rule names is told before it is missed: {lost:?}"
    );

    let wrong = standard
        .clone()
        .with(Field::Amount, "account.owner", FillPolicy::Keep)
        .and_then(|mapping| mapping.with(Field::City, "account.tier", FillPolicy::Keep))
        .unwrap();
    let before = dump(&host.store, &host.scene.tenant);
    let error = refused(
        host.try_write(|ctx, txn| conversion_mapping::set(ctx, txn, None, &wrong)),
        ErrorKind::Invalid,
    );
    assert_eq!(fields_of(&error), ["account.tier", "account.owner", "account.owner"], "all at once");
    assert_eq!(dump(&host.store, &host.scene.tenant), before);

    // Several sources for one text: the ones behind the first append.
    let mapping = with_source().with(budget, "account.description", FillPolicy::Append).unwrap();
    let (revision, warnings) = host.write(|ctx, txn| conversion_mapping::set(ctx, txn, None, &mapping));
    assert_eq!(revision, Revision::FIRST);
    assert!(warnings.iter().all(|one| one.severity == Severity::Warning));
    host.restart();
    let stored = host.read(|ctx, txn| conversion_mapping::get(ctx, txn));
    assert_eq!(stored, (Some(revision), mapping));
    let stale = host.try_write(|ctx, txn| conversion_mapping::set(ctx, txn, None, &stored.1));
    assert!(matches!(stale.unwrap_err().conflict(), Some(Conflict::StaleRevision { .. })));

    let source = host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "Fair", None));
    let lead = host.add(LeadFields {
        source: Some(source.id),
        description: Some("Met in Oslo".into()),
        industry: Some("Fish".into()),
        custom: [("x_budget".parse().unwrap(), CustomValue::Integer(12))].into(),
        ..company("Nordlys AS")
    });
    let new = host.read(|ctx, txn| conversion_mapping::preview_account(ctx, txn, lead.id, None));
    assert_eq!(new.fields.industry.as_deref(), Some("Fair"), "a source by its name");
    assert_eq!(new.fields.description.as_deref(), Some("Met in Oslo\n12"));
    let from: Vec<_> = new.writes.iter().map(|write| (write.from.key(), write.to.to_string())).collect();
    assert!(from.contains(&("source", "account.industry".to_owned())), "each value says where it came from");
}

#[test]
fn x_04_into_an_existing_account_each_field_by_its_policy() {
    let host = Host::new();
    let first = host.add(LeadFields { industry: Some("Fish".into()), ..company("Nordlys AS") });
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, first.id, &ConversionOptions::default()));
    let lead = host.add(LeadFields { industry: Some("Energy".into()), ..company("Nordlys Energi AS") });
    let preview = |host: &Host| {
        let into = Some(made.account.unwrap());
        host.read(|ctx, txn| conversion_mapping::preview_account(ctx, txn, lead.id, into))
    };
    let kept = preview(&host);
    let industry = kept.writes.iter().find(|write| write.from == Field::Industry).unwrap();
    assert_eq!((&industry.old, &industry.new), (&"Fish".into(), &"Fish".into()));
    let dropped = industry.dropped.as_ref().unwrap();
    assert_eq!((&dropped.value, dropped.why), (&"Energy".into(), WhyDropped::TargetKept));
    host.write(|ctx, txn| {
        let (revision, mut mapping) = conversion_mapping::get(ctx, txn)?;
        let rule = mapping.rules.iter_mut().find(|rule| rule.from == Field::Industry).unwrap();
        rule.policy = FillPolicy::Overwrite;
        conversion_mapping::set(ctx, txn, revision, &mapping)
    });
    assert_eq!(preview(&host).fields.industry.as_deref(), Some("Energy"));
}

/// What the standard mapping says is what a conversion does, into new accounts and into ones that are there.
#[test]
fn the_standard_mapping_is_what_a_conversion_does() {
    let host = Host::new();
    let known = host.add(LeadFields {
        emails: "anna@example.com".parse().unwrap(),
        currency: Some("SEK".parse().unwrap()),
        ..company("Known AS")
    });
    let bare = host.add(company("Bare AS"));
    let into: Vec<_> = [known, bare]
        .map(|lead| host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default())))
        .map(|made| Some(made.account.unwrap()))
        .into_iter()
        .chain([None])
        .collect();
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let test = |fields: LeadFields| {
        // What was said against an address is a rule of its own.
        prop_assume!(!fields.emails.has_marks() && !fields.phones.has_marks());
        prop_assume!(fields.display_name().is_some());
        // Values that only one lead can have are in nobody's way here.
        let (custom, external_ids) = (BTreeMap::new(), BTreeSet::new());
        let fields = LeadFields { custom, external_ids, ..fields };
        let lead = host.write(|ctx, txn| leads::create(ctx, txn, fields.clone().into()));
        for account in &into {
            let options = ConversionOptions::default();
            let options = account.map_or(options.clone(), |account| options.clone().into_account(account));
            let plan = host.try_read(|ctx, txn| convert::plan(ctx, txn, lead.id, &options));
            let Ok(plan) = plan else { continue };
            let said = host.read(|ctx, txn| conversion_mapping::preview_account(ctx, txn, lead.id, *account));
            prop_assert_eq!(Some(&said.fields), plan.account.fields());
        }
        Ok(())
    };
    runner.run(&lead_fields(), test).unwrap();
}

#[test]
fn a_mapping_is_taken_back_by_an_undo_and_again() {
    let host = Host::new();
    let mapping = with_source();
    host.write(|ctx, txn| conversion_mapping::set(ctx, txn, None, &mapping));
    let now = |host: &Host| host.read(|ctx, txn| conversion_mapping::get(ctx, txn)).1;
    let first = last_change(&host);
    let plan = host.read(|ctx, txn| undo::plan(ctx, txn, first));
    assert_eq!(plan.records[0].reversed, ["conversion_mapping"]);
    let undone = host.write(|ctx, txn| undo::undo(ctx, txn, first));
    assert_eq!(now(&host), ConversionMapping::standard());
    host.write(|ctx, txn| undo::undo(ctx, txn, undone.operation));
    assert_eq!(now(&host), mapping, "an undo of the undo");
    // Changed by somebody since: it stays.
    host.write(|ctx, txn| {
        let (revision, mapping) = conversion_mapping::get(ctx, txn)?;
        conversion_mapping::set(ctx, txn, revision, &mapping.staying([Field::Score]))
    });
    let last = last_change(&host);
    host.write(|ctx, txn| {
        let (revision, mapping) = conversion_mapping::get(ctx, txn)?;
        conversion_mapping::set(ctx, txn, revision, &mapping.staying([Field::Labels]))
    });
    let kept = host.write(|ctx, txn| undo::undo(ctx, txn, last));
    assert_eq!(kept.remaining[0].kept[0].field, "conversion_mapping");
    // Nobody but who may set it up.
    let table =
        RoleTable::new().role("clerk", Role::viewer()).user(&"ada".parse().unwrap(), &["clerk"], None);
    let table = table.unwrap();
    let last = last_change(&host);
    let clerk = host.scene.ctx_as("ada", &table);
    let error = host.store.write(clerk.tenant(), |txn| undo::undo(&clerk, txn, last)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
}

#[test]
fn who_may_not_does_not() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let own = Role::new().grant(Permission::View, Visibility::Own);
    let table = RoleTable::new()
        .role("clerk", Role::viewer())
        .role("own", own)
        .user(&"bob".parse().unwrap(), &["clerk"], None)
        .and_then(|table| table.user(&"eve".parse().unwrap(), &["own"], None))
        .unwrap();
    let standard = ConversionMapping::standard();
    let clerk = host.scene.ctx_as("bob", &table);
    let kind = |result: leadcore::error::Result<()>| result.unwrap_err().kind();
    let before = dump(&host.store, &host.scene.tenant);
    let set = host
        .store
        .write(clerk.tenant(), |txn| conversion_mapping::set(&clerk, txn, None, &standard).map(drop));
    assert_eq!(kind(set), ErrorKind::Denied);
    let preview = |ctx: &leadcore::context::Context<'_>| {
        host.store
            .read(ctx.tenant(), |txn| conversion_mapping::preview_account(ctx, txn, lead.id, None).map(drop))
    };
    assert_eq!(kind(preview(&clerk)), ErrorKind::Denied, "it shows all of the lead");
    let eve = host.scene.ctx_as("eve", &table);
    assert_eq!(kind(preview(&eve)), ErrorKind::NotFound, "what one does not see is not there");
    let nobody = host.scene.ctx_as("nobody", &table);
    for call in [
        |ctx: &leadcore::context::Context<'_>, txn: &mut dyn leadcore::store::Txn| {
            conversion_mapping::get(ctx, txn).map(drop)
        },
        |ctx: &leadcore::context::Context<'_>, txn: &mut dyn leadcore::store::Txn| {
            conversion_mapping::lint(ctx, txn, &ConversionMapping::standard()).map(drop)
        },
    ] {
        assert_eq!(kind(host.store.read(nobody.tenant(), |txn| call(&nobody, txn))), ErrorKind::Denied);
    }
    // Another tenant has a mapping of its own.
    host.write(|ctx, txn| conversion_mapping::set(ctx, txn, None, &standard.clone().staying([Field::Score])));
    let other = leadcore::testkit::fixtures::Scene::new("other");
    let theirs = host.store.read(&other.tenant, |txn| conversion_mapping::get(&other.ctx(), txn)).unwrap();
    assert_eq!(theirs, (None, standard));
    assert_ne!(dump(&host.store, &host.scene.tenant), before);
}

/// Writes the catalogue of these records with these fields.
fn define(host: &Host, kind: CatalogueKind, fields: &[CustomField]) {
    host.write(|ctx, txn| {
        let (revision, mut catalogue) = settings::catalogue_of(ctx, txn, kind)?;
        fields.iter().for_each(|field| catalogue.set_custom_field(field.clone()));
        settings::set_catalogue(ctx, txn, revision, &catalogue)
    });
}

fn text(key: &str) -> CustomField {
    CustomField::new(key.parse().unwrap(), key, CustomType::Text)
}

#[test]
fn a_value_that_only_one_customer_can_have_is_told_before_a_lead_is_refused() {
    let host = Host::new();
    define(&host, CatalogueKind::Lead, &[text("x_code").required(true)]);
    define(&host, CatalogueKind::Account, &[text("x_code").required(true).unique(true)]);
    let told = |mapping: &ConversionMapping| -> Vec<_> {
        let found = host.read(|ctx, txn| conversion_mapping::lint(ctx, txn, mapping));
        let found = found.into_iter().filter(|one| one.code == FindingCode::NotUnique);
        found.map(|one| (one.severity, one.from, one.to.unwrap().to_string())).collect()
    };
    let standard = ConversionMapping::standard();
    let code = Field::known("x_code").unwrap();
    assert_eq!(told(&standard), [(Severity::Warning, vec![code], "account.x_code".to_owned())]);
    define(&host, CatalogueKind::Lead, &[text("x_code").required(true).unique(true)]);
    assert_eq!(told(&standard), [], "no two leads have the same");
    let numbered = standard.with(Field::Number, "account.x_code", FillPolicy::Keep).unwrap();
    assert_eq!(told(&numbered), [], "nor the same number");
}

#[test]
fn a_field_that_a_rule_names_does_not_go_in_silence() {
    let host = Host::new();
    define(&host, CatalogueKind::Lead, &[text("x_roof"), text("x_same")]);
    define(&host, CatalogueKind::Account, &[text("x_kind"), text("x_worth"), text("x_same")]);
    let [roof, kind, same] = ["x_roof", "x_kind", "x_same"].map(|key| key.parse::<CustomKey>().unwrap());
    let from = Field::known("x_roof").unwrap();
    let mapping = ConversionMapping::standard()
        .with(from.clone(), "account.x_kind", FillPolicy::FillEmpty)
        .and_then(|mapping| mapping.with(Field::Amount, "account.x_worth", FillPolicy::FillEmpty))
        .unwrap();
    let revision = host.write(|ctx, txn| conversion_mapping::set(ctx, txn, None, &mapping)).0;
    let before = dump(&host.store, &host.scene.tenant);
    let set = |of, work: &dyn Fn(&mut Catalogue)| {
        host.try_write(|ctx, txn| {
            let (revision, mut catalogue) = settings::catalogue_of(ctx, txn, of)?;
            work(&mut catalogue);
            settings::set_catalogue(ctx, txn, revision, &catalogue)
        })
    };
    let (leads, accounts) = (CatalogueKind::Lead, CatalogueKind::Account);
    let remove = |of, key: &CustomKey| {
        host.try_write(|ctx, txn| {
            let revision = settings::catalogue_of(ctx, txn, of)?.0;
            settings::remove_field_of(ctx, txn, of, revision, key, true)
        })
    };
    let day = CustomField::new("x_worth".parse().unwrap(), "Day", CustomType::Date);
    let change = host.try_write(|ctx, txn| {
        let revision = settings::catalogue_of(ctx, txn, accounts)?.0;
        settings::change_field_of(ctx, txn, accounts, revision, &day, &settings::FieldMapping::exact())
    });
    for (refusal, rule) in [
        (remove(leads, &roof), "`x_roof` into `account.x_kind`"),
        (remove(accounts, &kind), "`x_roof` into `account.x_kind`"),
        (change, "`amount` into `account.x_worth`"),
        (set(leads, &|all| drop(all.remove_custom_field(&roof))), "`x_roof` into `account.x_kind`"),
        (set(accounts, &|all| drop(all.remove_custom_field(&kind))), "`x_roof` into `account.x_kind`"),
        (
            set(accounts, &|all| all.settings_mut(Field::Custom(kind.clone())).enabled = Some(false)),
            "`x_roof` into `account.x_kind`",
        ),
    ] {
        let error = refused(refusal, ErrorKind::Conflict);
        assert_eq!(error.conflict(), Some(&Conflict::InUse { by: 1 }));
        assert!(error.to_string().contains(rule), "{error}");
    }
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
    // What goes without saying follows the fields, and a source that is switched off is only told.
    remove(accounts, &same).unwrap();
    set(leads, &|all| all.settings_mut(from.clone()).enabled = Some(false)).unwrap();
    let found = host.read(|ctx, txn| conversion_mapping::lint(ctx, txn, &mapping));
    assert!(found.iter().any(|one| one.code == FindingCode::SourceDisabled));
    let mut without = mapping.staying([from.clone()]);
    without.rules.retain(|rule| rule.from != from);
    host.write(|ctx, txn| conversion_mapping::set(ctx, txn, Some(revision), &without));
    remove(accounts, &kind).unwrap();
    remove(leads, &roof).unwrap();
    let found = host.read(|ctx, txn| conversion_mapping::lint(ctx, txn, &without));
    let gone = found.iter().find(|one| one.code == FindingCode::UnknownField).unwrap();
    assert_eq!((gone.severity, &gone.from, &gone.to), (Severity::Warning, &vec![from], &None));
}
