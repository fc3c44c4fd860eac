//! What the mapping makes of a lead where nothing is there yet.

use crate::domain::conversion_mapping::{Mapped, TargetRecord};
use crate::domain::{AccountFields, ContactFields, Lead, OpportunityFields};

use super::super::conversion_mapping::Mapper;
use super::deal::fields_of;

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
