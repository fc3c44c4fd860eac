//! What was asked of a lead, settled or archived since its conversion was planned.

use crate::context::Context;
use crate::dedupe::matching::MatchPolicy;
use crate::desk::convert::{
    self, AccountChoice, ConversionOptions, OpportunityChoice, OpportunityRequest, PersonChoice,
};
use crate::desk::{
    Expect, accounts, contacts, conversion_mapping, leads, opportunities, settings, vocabulary,
};
use crate::domain::conversion_mapping::{ConversionMapping, FillPolicy};
use crate::domain::{
    AccountFields, AccountPatch, ContactFields, Emails, Field, LeadFields, MarkNote, OpportunityFields,
    OpportunityPatch, Phones,
};
use crate::error::{Conflict, Error, ErrorKind, Result};
use crate::id::{CategoryId, ContactId, SourceId};
use crate::memory::MemoryStore;
use crate::store::{StoreExt, Txn};
use crate::value::PersonName;

use super::Host;

pub(super) fn written<T>(work: impl FnMut(&Context<'_>, &mut dyn Txn) -> Result<T>) -> T {
    tried(&MemoryStore::new(), &Host::default(), work).unwrap()
}

pub(super) fn tried<T>(
    store: &MemoryStore,
    host: &Host,
    mut work: impl FnMut(&Context<'_>, &mut dyn Txn) -> Result<T>,
) -> Result<T> {
    let ctx = host.ctx();
    store.write(ctx.tenant(), |txn| work(&ctx, txn))
}

/// What the lead says of these goes over what the customer says.
pub(super) fn overwriting(ctx: &Context<'_>, txn: &mut dyn Txn, targets: &[&str]) -> Result<()> {
    let mut mapping = ConversionMapping::standard().with_opportunity();
    for to in targets {
        let from: Field = to.rsplit('.').next().unwrap().parse().unwrap();
        mapping.rules.retain(|rule| rule.to.to_string() != *to);
        mapping = mapping.with(from, to, FillPolicy::Overwrite)?;
    }
    conversion_mapping::set(ctx, txn, None, &mapping).map(drop)
}

pub(super) fn category(ctx: &Context<'_>, txn: &mut dyn Txn, name: &str) -> Result<CategoryId> {
    Ok(vocabulary::add::<CategoryId>(ctx, txn, name, None)?.id)
}

pub(super) fn source(ctx: &Context<'_>, txn: &mut dyn Txn, name: &str) -> Result<SourceId> {
    Ok(vocabulary::add::<SourceId>(ctx, txn, name, None)?.id)
}

pub(super) fn account(name: &str) -> AccountFields {
    AccountFields { name: name.to_owned(), ..AccountFields::default() }
}

pub(super) fn person_of(txn: &mut dyn Txn, id: ContactId) -> Result<ContactFields> {
    Ok(txn.contacts().get(&[id])?.remove(0).fields)
}

fn broken(error: &Error) -> Vec<&str> {
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    error.violations().iter().map(|one| one.field.as_str()).collect()
}

#[test]
fn a_plan_is_not_carried_out_for_a_lead_that_lacks_what_it_must_have_by_now() {
    let (store, host) = (MemoryStore::new(), Host::default());
    let refused = tried(&store, &host, |ctx, txn| {
        let lead = leads::create(ctx, txn, LeadFields::company("Nordlys AS")?.into())?.id;
        let plan = convert::plan(ctx, txn, lead, &ConversionOptions::default())?;
        let (revision, mut catalogue) = settings::catalogue(ctx, txn)?;
        catalogue.settings_mut(Field::City).required = Some(true);
        settings::set_catalogue(ctx, txn, revision, &catalogue)?;
        convert::apply(ctx, txn, &plan)
    });
    assert_eq!(broken(&refused.unwrap_err()), ["city"]);
}

#[test]
fn the_person_of_an_open_lead_is_in_no_opportunity_before_the_lead_is_a_customer() {
    written(|ctx, txn| {
        let known = accounts::create(ctx, txn, account("Nordlys AS").into())?.id;
        let lead = leads::create(ctx, txn, LeadFields::company("Fjord AS")?.into())?;
        let ola = contacts::add(ctx, txn, lead.id, ContactFields::named("Ola Dal")?, true)?.id;
        let roof = || OpportunityFields::named("Roof");
        let asks = |error: Error| {
            let wanted = Conflict::ConversionRequired { lead: lead.id, revision: lead.revision };
            assert!(
                matches!(error.conflict(), Some(Conflict::ConversionRequired { lead: of, .. }) if *of == lead.id),
                "{error} {wanted:?}"
            );
        };
        let new = opportunities::NewOpportunity::from(roof()).contacts([ola]);
        asks(opportunities::create(ctx, txn, known, new.clone()).unwrap_err());
        let deal = opportunities::create(ctx, txn, known, roof().into())?;
        asks(opportunities::set_contacts(ctx, txn, deal.id, Expect::Any, &[ola]).unwrap_err());
        // Also of another lead that is converted for it.
        let other = leads::create(ctx, txn, LeadFields::company("Vik AS")?.into())?.id;
        convert::convert(ctx, txn, other, &ConversionOptions::default())?;
        asks(opportunities::create(ctx, txn, other, new.clone()).unwrap_err());
        // The lead itself is converted in the same call, and so its person is one of a customer.
        let of_lead = opportunities::create(ctx, txn, lead.id, new.clone().converting(Default::default()))?;
        assert_eq!(of_lead.contacts().collect::<Vec<_>>(), [ola]);
        let now = opportunities::set_contacts(ctx, txn, deal.id, Expect::Any, &[ola])?;
        assert_eq!(now.contacts().collect::<Vec<_>>(), [ola]);
        // Whom an account has too, or a lead that became persons alone.
        let eva = contacts::add(ctx, txn, known, ContactFields::named("Eva Moe")?, false)?.id;
        let alone = leads::create(ctx, txn, LeadFields::company("Lie AS")?.into())?.id;
        let per = contacts::add(ctx, txn, alone, ContactFields::named("Per Lie")?, false)?.id;
        convert::convert(ctx, txn, alone, &ConversionOptions::default().contact_only())?;
        opportunities::set_contacts(ctx, txn, deal.id, Expect::Any, &[ola, eva, per])
    });
}

fn outdated<T: std::fmt::Debug>(done: Result<T>) {
    let error = done.unwrap_err();
    assert_eq!(error.conflict(), Some(&Conflict::PlanOutdated), "{error}");
}

const LIKELY: MatchPolicy = MatchPolicy::Best { at_least: 50 };

#[test]
fn a_plan_that_joined_an_account_by_a_policy_asks_it_again() {
    written(|ctx, txn| {
        let known = accounts::create(ctx, txn, account("Riv AS").into())?.id;
        let lead = leads::create(ctx, txn, LeadFields::company("Riv AS")?.into())?.id;
        let by = ConversionOptions::default().choosing(AccountChoice::Match(LIKELY));
        let plan = convert::plan(ctx, txn, lead, &by)?;
        let chosen = convert::plan(ctx, txn, lead, &ConversionOptions::default().into_account(known))?;
        accounts::create(ctx, txn, account("Riv AS").into())?;
        let stored = serde_json::from_value(serde_json::to_value(&plan).unwrap()).unwrap();
        outdated(convert::apply(ctx, txn, &plan));
        outdated(convert::apply(ctx, txn, &stored));
        // Who chose it by hand knows.
        let done = convert::apply(ctx, txn, &chosen)?;
        assert_eq!(done.account, Some(known));
        Ok(())
    });
}

#[test]
fn a_plan_that_joined_a_person_by_a_policy_asks_it_again() {
    written(|ctx, txn| {
        let known = accounts::create(ctx, txn, account("Riv AS").into())?.id;
        let called = |name: &str, mail: &str| {
            let emails = Emails::parse(mail).unwrap();
            Ok::<_, Error>(ContactFields { emails, ..ContactFields::named(name)? })
        };
        let anna = || called("Anna Berg", "anna@riv.example");
        let ola = || called("Ola Dal", "ola@riv.example");
        for (own, further) in [(true, false), (false, true)] {
            let kept = contacts::add(ctx, txn, known, if own { anna()? } else { ola()? }, false)?.id;
            let mut lead = LeadFields::company("Riv AS")?;
            if own {
                lead.person = PersonName::parse("Anna Berg").ok();
                lead.emails = Emails::parse("anna@riv.example").unwrap();
            }
            let lead = leads::create(ctx, txn, lead.into())?.id;
            if further {
                contacts::add(ctx, txn, lead, ola()?, false)?;
            }
            let by = ConversionOptions::default().into_account(known).person(PersonChoice::Match(LIKELY));
            let plan = convert::plan(ctx, txn, lead, &by)?;
            assert_eq!(plan.contacts[0].who.contact(), Some(kept));
            contacts::add(ctx, txn, known, if own { anna()? } else { ola()? }, false)?;
            outdated(convert::apply(ctx, txn, &plan));
        }
        // Nobody was found, and somebody is there by now.
        let lead = leads::create(ctx, txn, LeadFields::company("Riv AS")?.into())?.id;
        let eva = || called("Eva Moe", "eva@riv.example");
        contacts::add(ctx, txn, lead, eva()?, false)?;
        let by = ConversionOptions::default().into_account(known).person(PersonChoice::Match(LIKELY));
        let plan = convert::plan(ctx, txn, lead, &by)?;
        contacts::add(ctx, txn, known, eva()?, false)?;
        outdated(convert::apply(ctx, txn, &plan));
        Ok(())
    });
}

#[test]
fn a_number_that_the_person_of_a_lead_gets_later_is_not_called_either() {
    written(|ctx, txn| {
        let fields = LeadFields {
            person: PersonName::parse("An Berg").ok(),
            phones: Phones::parse("+47 22 22 22 22", None).unwrap(),
            ..LeadFields::company("Nordlys AS")?
        };
        let lead = leads::create(ctx, txn, fields.into())?.id;
        let note = MarkNote::new(None, Some("register")).unwrap();
        leads::do_not_call(ctx, txn, lead, Expect::Any, &note)?;
        let plan = convert::plan(ctx, txn, lead, &ConversionOptions::default())?;
        let an = convert::apply(ctx, txn, &plan)?.contacts[0];
        let said = person_of(txn, an)?.do_not_call;
        assert_eq!(said.as_ref().and_then(MarkNote::reason), Some("register"));
        // A contact with that number alone learns it too, and unlearns it.
        convert::unconvert(ctx, txn, lead)?;
        let known = accounts::create(ctx, txn, account("Nordlys AS").into())?.id;
        let phones = Phones::parse("+47 22 22 22 22", None).unwrap();
        let fields = ContactFields { phones, ..ContactFields::named("An Berg")? };
        let an = contacts::add(ctx, txn, known, fields, true)?.id;
        let into = ConversionOptions::default().into_account(known).person(PersonChoice::Existing(an));
        convert::convert(ctx, txn, lead, &into)?;
        assert!(person_of(txn, an)?.do_not_call.is_some());
        convert::unconvert(ctx, txn, lead)?;
        let now = person_of(txn, an)?;
        assert!(now.do_not_call.is_none() && !now.phones.entries()[0].opted_out);
        Ok(())
    });
}

#[test]
fn nobody_says_an_archived_term_of_a_new_customer() {
    let (store, host) = (MemoryStore::new(), Host::default());
    let (lead, old, fair) = tried(&store, &host, |ctx, txn| {
        let (old, fair) = (category(ctx, txn, "Old")?, source(ctx, txn, "Fair")?);
        let lead = leads::create(ctx, txn, LeadFields::company("Nordlys AS")?.into())?.id;
        vocabulary::archive(ctx, txn, old, Expect::Any, true)?;
        vocabulary::archive(ctx, txn, fair, Expect::Any, true)?;
        Ok((lead, old, fair))
    })
    .unwrap();
    let patch = OpportunityPatch::new().source(Some(fair));
    let sold = ConversionOptions::default().with_opportunity(OpportunityRequest::new().with(patch.clone()));
    let filed = AccountPatch::new().set(Field::Category, old.as_uuid());
    let filed = ConversionOptions::default().account_fields(filed);
    for (options, field) in [(&sold, "opportunity.source"), (&filed, "account.category")] {
        let planned = tried(&store, &host, |ctx, txn| convert::plan(ctx, txn, lead, options).map(drop));
        let done = tried(&store, &host, |ctx, txn| convert::convert(ctx, txn, lead, options).map(drop));
        for refused in [planned, done] {
            assert_eq!(broken(&refused.unwrap_err()), [field]);
        }
    }
    let made = tried(&store, &host, |ctx, txn| {
        let fields = AccountFields { category: Some(old), ..account("Fjord AS") };
        accounts::create(ctx, txn, fields.into())
    });
    assert_eq!(broken(&made.unwrap_err()), ["category"]);
    let made = tried(&store, &host, |ctx, txn| {
        let known = accounts::create(ctx, txn, account("Fjord AS").into())?.id;
        let fields = OpportunityFields { source: Some(fair), ..OpportunityFields::named("Roof") };
        opportunities::create(ctx, txn, known, fields.into())
    });
    assert_eq!(broken(&made.unwrap_err()), ["source"]);
}

#[test]
fn what_a_lead_had_before_it_was_archived_goes_along() {
    written(|ctx, txn| {
        overwriting(ctx, txn, &["account.category", "opportunity.source"])?;
        let (old, fair) = (category(ctx, txn, "Old")?, source(ctx, txn, "Fair")?);
        let fields = LeadFields::company("Nordlys AS")?;
        let fields = LeadFields { category: Some(old), source: Some(fair), ..fields };
        let lead = |ctx: &Context<'_>, txn: &mut dyn Txn| leads::create(ctx, txn, fields.clone().into());
        let leads = [lead(ctx, txn)?.id, lead(ctx, txn)?.id, lead(ctx, txn)?.id];
        let known = accounts::create(ctx, txn, account("Fjord AS").into())?.id;
        let deal = opportunities::create(ctx, txn, known, OpportunityFields::named("Roof").into())?.id;
        vocabulary::archive(ctx, txn, old, Expect::Any, true)?;
        vocabulary::archive(ctx, txn, fair, Expect::Any, true)?;
        let sold = ConversionOptions::default().with_opportunity(OpportunityRequest::new());
        let joins = ConversionOptions::default().opportunity(OpportunityChoice::Existing(deal));
        for (lead, options) in leads.into_iter().zip([sold, joins]) {
            let plan = convert::plan(ctx, txn, lead, &options)?;
            let done = convert::apply(ctx, txn, &plan)?;
            let account = accounts::get(ctx, txn, done.account.unwrap())?;
            assert_eq!(account.fields.category, Some(old));
            let deal = opportunities::get(ctx, txn, done.opportunity.unwrap())?;
            assert_eq!(deal.fields.source, Some(fair));
            let patch = AccountPatch::new().set(Field::City, "Oslo");
            accounts::edit(ctx, txn, account.id, Expect::Any, &patch)?;
            let patch = OpportunityPatch::new().name("Wall");
            opportunities::edit(ctx, txn, deal.id, Expect::Any, &patch)?;
        }
        convert::convert(ctx, txn, leads[2], &ConversionOptions::default())?;
        // The source of an opportunity that names none is that of its lead.
        let made = opportunities::create(ctx, txn, leads[2], OpportunityFields::named("Wall").into())?;
        assert_eq!(made.fields.source, Some(fair));
        Ok(())
    });
}
