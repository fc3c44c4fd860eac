//! What the mapping makes of a lead where nothing is there yet.

use crate::context::Context;
use crate::domain::conversion_mapping::{Mapped, TargetRecord};
use crate::domain::{AccountFields, ContactFields, Lead, OpportunityFields};
use crate::error::{Error, Result, ViolationCode};
use crate::id::LeadId;
use crate::store::Txn;

use super::super::conversion_mapping::Mapper;
use super::deal::fields_of;
use super::hidden;
use super::opportunity_form::other_currency;
use super::options::{ConversionOptions, OpportunityChoice};
use super::rules::Rules;

pub(super) fn new_account(mapper: &Mapper, lead: &Lead) -> Mapped<AccountFields> {
    let mut mapped = mapper.mapping.account(lead, None, &mapper.readings());
    mapper.fields.of(TargetRecord::Account).fill_defaults(&mut mapped.fields.custom);
    mapped
}

pub(super) fn new_contact(mapper: &Mapper, lead: &Lead) -> Mapped<ContactFields> {
    let mut mapped = mapper.mapping.contact(lead, None, &mapper.readings());
    mapper.fields.of(TargetRecord::Contact).fill_defaults(&mut mapped.fields.custom);
    mapped
}

pub(super) fn new_opportunity(mapper: &Mapper, lead: &Lead) -> Mapped<OpportunityFields> {
    let catalogue = mapper.fields.of(TargetRecord::Opportunity);
    let mapped = mapper.sales.values(TargetRecord::Opportunity, lead, None, &mapper.readings());
    let mut fields = fields_of(&mapped.fields, OpportunityFields::default(), (lead, catalogue));
    catalogue.fill_defaults(&mut fields.custom);
    Mapped { fields, writes: mapped.writes }
}

/// The opportunity for which a lead is converted: what was said of it, over what the mapping makes of the lead, as of the
/// opportunity of a plan.
///
/// # Errors
/// As of a plan.
pub(in crate::desk) fn opportunity_for(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    said: OpportunityFields,
) -> Result<OpportunityFields> {
    let mut rules = Rules::load(ctx, txn)?;
    let lead = rules.lead(txn, lead)?;
    let mapper = rules.mapper(txn, &lead)?;
    let own = hidden::named(ctx, &lead, |lead| new_opportunity(mapper, lead)).fields;
    let is_worth = said.amount.is_some() || !said.lines.is_empty();
    if !is_worth && own.amount.is_some() && said.currency.is_some() && said.currency != own.currency {
        return Err(Error::invalid(vec![other_currency("currency")]));
    }
    let named = [said.name, own.name].into_iter().find(|name| !name.is_empty());
    let mut custom = own.custom;
    custom.extend(said.custom);
    Ok(OpportunityFields {
        name: named.unwrap_or_else(|| hidden::called(ctx, &lead)),
        owner: said.owner.or(own.owner),
        amount: said.amount.or(own.amount),
        currency: said.currency.or(own.currency),
        probability: said.probability.or(own.probability),
        expected_close: said.expected_close.or(own.expected_close),
        source: said.source.or(own.source),
        campaign: said.campaign.or(own.campaign),
        description: said.description.or(own.description),
        lines: said.lines,
        custom,
    })
}

/// Refuses another opportunity of the same conversion.
///
/// # Errors
/// `Invalid` (`convert.opportunity`).
pub(in crate::desk) fn check_for_opportunity(options: &ConversionOptions) -> Result<()> {
    if options.opportunity == OpportunityChoice::None {
        return Ok(());
    }
    let message = "the opportunity is the one that is created: the conversion makes and joins no other";
    Err(Error::invalid_field("convert.opportunity", ViolationCode::NotAllowed, message))
}
