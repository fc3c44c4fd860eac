//! What a way back may not write any more, because it was removed, taken or tightened since.

use std::collections::BTreeMap;

use crate::context::Context;
use crate::desk::convert::{self, ConversionOptions, OpportunityChoice, PersonChoice};
use crate::desk::vocabulary::InUse;
use crate::desk::{Expect, accounts, contacts, leads, opportunities, settings, vocabulary};
use crate::domain::{
    AccountFields, AccountPatch, Catalogue, CatalogueKind, Choice, ContactFields, ContactPatch, CustomField,
    CustomKey, CustomType, CustomValue, CustomValues, Field, LeadFields, OpportunityFields, OpportunityPatch,
    Subject,
};
use crate::error::{Error, Result};
use crate::id::LeadId;
use crate::store::Txn;
use crate::value::PersonName;

use super::later::{account, category, overwriting, person_of, source, written};

fn key(key: &str) -> CustomKey {
    key.parse().unwrap()
}

fn text(value: &str) -> CustomValue {
    CustomValue::Text(value.to_owned())
}

fn code(value: &str) -> CustomValue {
    CustomValue::Code(value.to_owned())
}

/// Leads, accounts, contacts and opportunities have these; only one account, contact or opportunity can have one `x_code`.
fn extended(ctx: &Context<'_>, txn: &mut dyn Txn, sizes: &[&str], least: Option<i64>) -> Result<()> {
    for kind in CatalogueKind::ALL {
        let (revision, _) = settings::catalogue_of(ctx, txn, kind)?;
        let mut catalogue = Catalogue::of(kind);
        let is_target = kind != CatalogueKind::Lead;
        let sizes = sizes.iter().map(|code| Choice::new(*code, *code)).collect();
        let least = least.filter(|_| is_target).map(Into::into);
        let unique = CustomField::new(key("x_code"), "Code", CustomType::Text).unique(is_target);
        catalogue.set_custom_field(unique);
        catalogue.set_custom_field(CustomField::new(key("x_size"), "Size", CustomType::OneOf(sizes)));
        let count = CustomField::new(key("x_count"), "Count", CustomType::Integer).between(least, None);
        catalogue.set_custom_field(count);
        settings::set_catalogue(ctx, txn, revision, &catalogue)?;
    }
    Ok(())
}

fn values(code_is: &str, size: &str, count: i64) -> CustomValues {
    let values =
        [("x_code", text(code_is)), ("x_size", code(size)), ("x_count", CustomValue::Integer(count))];
    values.into_iter().map(|(of, value)| (key(of), value)).collect()
}

/// What the plan of the way back, and its outcome, say of a record: what it gets back and what it keeps.
fn back(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    record: Subject,
) -> Result<(convert::Fate, Vec<String>)> {
    let plan = convert::plan_unconvert(ctx, txn, lead)?;
    assert_eq!(plan.blockers, []);
    let done = convert::unconvert(ctx, txn, lead)?;
    assert_eq!(done.records, plan.records);
    let of = done.records.into_iter().find(|taken| taken.record == record).unwrap();
    Ok((of.fate, of.kept))
}

const OWN: [&str; 3] = ["account.x_code", "account.x_size", "account.x_count"];

fn restored(fields: &[&str]) -> convert::Fate {
    convert::Fate::Restored(fields.iter().map(|field| (*field).to_owned()).collect())
}

#[test]
fn the_way_back_writes_nothing_into_an_account_that_may_not_be_written_any_more() {
    written(|ctx, txn| {
        extended(ctx, txn, &["s", "m"], None)?;
        overwriting(ctx, txn, &[&OWN[..], &["account.category", "account.industry"]].concat())?;
        let (old, new) = (category(ctx, txn, "Old")?, category(ctx, txn, "New")?);
        let known = AccountFields {
            category: Some(old),
            industry: Some("Energy".into()),
            custom: values("1", "s", 1),
            ..account("Nordlys AS")
        };
        let known = accounts::create(ctx, txn, known.into())?.id;
        let lead = LeadFields {
            category: Some(new),
            industry: Some("Trade".into()),
            custom: values("2", "m", 20),
            ..LeadFields::company("Nordlys AS")?
        };
        let lead = leads::create(ctx, txn, lead.into())?.id;
        convert::convert(ctx, txn, lead, &ConversionOptions::default().into_account(known))?;
        vocabulary::delete(ctx, txn, old, InUse::Refuse)?;
        let mut other = account("Other AS");
        other.custom.insert(key("x_code"), text("1"));
        accounts::create(ctx, txn, other.into())?;
        extended(ctx, txn, &["m"], Some(10))?;
        let (fate, mut kept) = back(ctx, txn, lead, known.into())?;
        kept.sort();
        assert_eq!(kept, ["category", "x_code", "x_count", "x_size"]);
        assert_eq!(fate, restored(&["industry"]));
        let now = accounts::get(ctx, txn, known)?.fields;
        assert_eq!((now.category, now.industry.as_deref()), (Some(new), Some("Energy")));
        assert_eq!(now.custom, values("2", "m", 20));
        accounts::edit(ctx, txn, known, Expect::Any, &AccountPatch::new().set(Field::City, "Oslo"))
    });
}

#[test]
fn what_was_archived_since_comes_back_to_who_had_it() {
    written(|ctx, txn| {
        extended(ctx, txn, &["s", "m"], None)?;
        overwriting(ctx, txn, &["account.x_size", "account.category"])?;
        let (old, new) = (category(ctx, txn, "Old")?, category(ctx, txn, "New")?);
        let mut known = AccountFields { category: Some(old), ..account("Nordlys AS") };
        known.custom.insert(key("x_size"), code("s"));
        let known = accounts::create(ctx, txn, known.into())?.id;
        let mut lead = LeadFields { category: Some(new), ..LeadFields::company("Nordlys AS")? };
        lead.custom.insert(key("x_size"), code("m"));
        let lead = leads::create(ctx, txn, lead.into())?.id;
        convert::convert(ctx, txn, lead, &ConversionOptions::default().into_account(known))?;
        vocabulary::archive(ctx, txn, old, Expect::Any, true)?;
        let (revision, mut catalogue) = settings::catalogue_of(ctx, txn, CatalogueKind::Account)?;
        let choices = vec![Choice { archived: true, ..Choice::new("s", "s") }, Choice::new("m", "m")];
        catalogue.set_custom_field(CustomField::new(key("x_size"), "Size", CustomType::OneOf(choices)));
        settings::set_catalogue(ctx, txn, revision, &catalogue)?;
        let (_, kept) = back(ctx, txn, lead, known.into())?;
        assert_eq!(kept, Vec::<String>::new());
        let now = accounts::get(ctx, txn, known)?.fields;
        assert_eq!((now.category, now.custom.get(&key("x_size"))), (Some(old), Some(&code("s"))));
        accounts::edit(ctx, txn, known, Expect::Any, &AccountPatch::new().set(Field::City, "Oslo"))
    });
}

#[test]
fn the_way_back_leaves_persons_what_others_have_by_now() {
    written(|ctx, txn| {
        extended(ctx, txn, &["s"], None)?;
        overwriting(ctx, txn, &["contact.x_code", "contact.job_title"])?;
        let known = accounts::create(ctx, txn, account("Nordlys AS").into())?.id;
        let person = |name: &str, of: &str| {
            let custom = CustomValues::from([(key("x_code"), text(of))]);
            Ok::<_, Error>(ContactFields {
                custom,
                job_title: Some("Buyer".into()),
                ..ContactFields::named(name)?
            })
        };
        let kari = contacts::add(ctx, txn, known, person("Kari Berg", "1")?, true)?.id;
        let mut lead = LeadFields {
            person: PersonName::parse("Kari Berg").ok(),
            job_title: Some("Owner".into()),
            ..LeadFields::company("Nordlys AS")?
        };
        lead.custom.insert(key("x_code"), text("2"));
        let lead = leads::create(ctx, txn, lead.into())?.id;
        let ola = contacts::add(ctx, txn, lead, person("Ola Dal", "3")?, false)?.id;
        let said = ContactPatch::new().set(Field::Custom(key("x_code")), "4").set(Field::JobTitle, "Owner");
        let options = ConversionOptions::default()
            .into_account(known)
            .person(PersonChoice::Existing(kari))
            .person_fields(BTreeMap::from([(ola, said)]));
        convert::convert(ctx, txn, lead, &options)?;
        let other = accounts::create(ctx, txn, account("Other AS").into())?.id;
        contacts::add(ctx, txn, other, person("Eva Moe", "1")?, false)?;
        contacts::add(ctx, txn, other, person("Per Lie", "3")?, false)?;
        let plan = convert::plan_unconvert(ctx, txn, lead)?;
        assert_eq!(plan.blockers, []);
        convert::apply_unconvert(ctx, txn, &plan)?;
        for (who, has) in [(kari, "2"), (ola, "4")] {
            let of = plan.records.iter().find(|taken| taken.record == who.into()).unwrap();
            assert_eq!(of.kept, ["x_code"]);
            assert_eq!(of.fate, restored(&["job_title"]));
            let now = person_of(txn, who)?;
            assert_eq!(now.custom.get(&key("x_code")), Some(&text(has)));
            assert_eq!(now.job_title.as_deref(), Some("Buyer"));
            let of: contacts::Holder = if who == kari { known.into() } else { lead.into() };
            let fields = ContactFields { job_title: Some("Boss".into()), ..now };
            contacts::edit(ctx, txn, of, who, Expect::Any, fields)?;
        }
        Ok(())
    });
}

#[test]
fn the_way_back_leaves_an_opportunity_what_it_may_not_have_any_more() {
    written(|ctx, txn| {
        extended(ctx, txn, &["s"], None)?;
        overwriting(ctx, txn, &["opportunity.x_code", "opportunity.source", "opportunity.campaign"])?;
        let (old, new) = (source(ctx, txn, "Old")?, source(ctx, txn, "New")?);
        let known = accounts::create(ctx, txn, account("Nordlys AS").into())?.id;
        let deal = |of: &str| OpportunityFields {
            source: Some(old),
            campaign: Some("Spring".into()),
            custom: CustomValues::from([(key("x_code"), text(of))]),
            ..OpportunityFields::named("Roof")
        };
        let roof = opportunities::create(ctx, txn, known, deal("1").into())?.id;
        let mut lead = LeadFields {
            source: Some(new),
            campaign: Some("Autumn".into()),
            ..LeadFields::company("Nordlys AS")?
        };
        lead.custom.insert(key("x_code"), text("2"));
        let lead = leads::create(ctx, txn, lead.into())?.id;
        let joins = ConversionOptions::default().opportunity(OpportunityChoice::Existing(roof));
        convert::convert(ctx, txn, lead, &joins)?;
        let more = OpportunityFields { source: None, ..deal("1") };
        opportunities::create(ctx, txn, known, more.into())?;
        vocabulary::delete(ctx, txn, old, InUse::Refuse)?;
        let (_, kept) = back(ctx, txn, lead, roof.into())?;
        assert_eq!(kept, ["source", "x_code"]);
        let now = opportunities::get(ctx, txn, roof)?.fields;
        assert_eq!((now.source, now.campaign.as_deref()), (Some(new), Some("Spring")));
        assert_eq!(now.custom.get(&key("x_code")), Some(&text("2")));
        let patch = OpportunityPatch::new().name("Roof and wall");
        opportunities::edit(ctx, txn, roof, Expect::Any, &patch)
    });
}
