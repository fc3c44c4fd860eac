//! Making a plan: reading, choosing, mapping. Nothing is written.

use std::borrow::Cow;

use crate::context::Context;
use crate::dedupe::matching::Matches;
use crate::domain::conversion_mapping::{Dropped, FieldWrite, WhyDropped};
use crate::domain::{
    AccountFields, ContactFields, Field, FieldValue, Lead, LeadFields, Opportunity, OpportunityState, Series,
    plain,
};
use crate::error::{Conflict, Error, Result, Violation, ViolationCode};
use crate::id::ContactId;
use crate::store::Txn;

use super::super::access::Expect;
use super::super::contacts::{LinkedContact, linked};
use super::super::conversion_mapping::Mapper;
use super::super::{accounts, lines, matching, series};
use super::consent::Said;
use super::customer::{self, CustomerForms};
use super::deal::{joined, values_of};
use super::hidden::Hidden;
use super::judged::{self, collect, untold};
use super::links::KnownLinks;
use super::made::{new_account, new_opportunity};
use super::options::{AccountChoice, ConversionOptions, OpportunityChoice, OpportunityRequest, PersonChoice};
use super::plan::{
    ConversionPlan, PlannedAccount, PlannedContact, PlannedOpportunity, PlannedPerson, Unmatched,
};
use super::rules::Rules;
use super::sales::{self, joined_opportunity};
use super::{check, hidden, offers, own_persons};

/// How many of the last numbers of each series a plan shows.
const LAST_NUMBERS: usize = 5;

/// Plans the conversion of one lead. For a person who looks at it, with matches, estimates and the state of the series;
/// else with what the options ask for alone.
pub(super) fn plan_by(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    rules: &mut Rules,
    lead: &Lead,
    (options, looked_at): (&ConversionOptions, bool),
) -> Result<ConversionPlan> {
    Rules::check_open(lead, options.revision.map_or(Expect::Any, Expect::Revision))?;
    let planned = planned(ctx, txn, rules, lead, (options, looked_at));
    // What is carried out at once is judged there, with the rest.
    if planned.is_ok() && !looked_at {
        return planned;
    }
    let lacks = rules.mapper(txn, lead)?.leads.check_change(&lead.fields, &lead.fields);
    judged::told(ctx, (judged::against(rules, lead), lacks), planned)
}

fn planned(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    rules: &mut Rules,
    lead: &Lead,
    (options, looked_at): (&ConversionOptions, bool),
) -> Result<ConversionPlan> {
    options.check()?;
    let persons = linked(txn, lead.id.into())?;
    let by_match = matches!(options.account, AccountChoice::Match(_))
        || matches!(options.person, PersonChoice::Match(_));
    let matches = if looked_at || by_match { Some(matching::for_lead(ctx, txn, lead.id)?) } else { None };
    let mapper = rules.mapper(txn, lead)?;
    let mut making = Making { lead, options, mapper, persons: &persons, looked_at, writes: Vec::new() };
    let running = making.running(ctx, txn)?;
    let mut account = making.account(ctx, txn, running.as_ref(), matches.as_ref())?;
    let mut contacts = making.contacts(ctx, txn, &account, matches.as_ref())?;
    let forms = mapper.fields.forms();
    let may_not_see = Hidden::from(ctx);
    let mut early = Vec::new();
    let written = customer::write(
        (&mut account, &mut contacts),
        &forms,
        (&options.account_fields, &options.contact_fields),
        &mut making.writes,
        |field| may_not_see.shows(field),
    );
    collect(&mut early, written)?;
    let is_asked = looked_at || !options.person_fields.is_empty();
    let own = if is_asked { own_persons::of(&contacts, &persons) } else { Vec::new() };
    let written =
        own_persons::write(&account, (&mut contacts, &own), &forms, &options.person_fields, |field| {
            may_not_see.shows(field)
        });
    collect(&mut early, written)?;
    let made = making.opportunity(ctx, txn, running);
    let opportunity = collect(&mut early, made)?.flatten();
    let linked = linked_already(txn, &account, (&contacts, &persons), matches.as_ref())?;
    let mut plan = ConversionPlan {
        lead: lead.id,
        revision: lead.revision,
        stays_on_lead: if looked_at {
            stays(lead, (&account, opportunity.as_ref()), (&contacts, &persons), &making.writes)
        } else {
            Vec::new()
        },
        status: account.fields().map(|fields| fields.status),
        account,
        persons: sorted(&persons),
        contacts,
        own_persons: own.into_iter().filter(|_| looked_at).collect(),
        linked,
        writes: making.writes.into_iter().filter(|_| looked_at).map(as_stored).collect(),
        opportunity,
        products: if looked_at { lines::seen(ctx, txn, lead.id)? } else { None },
        estimates: Vec::new(),
        services: Vec::new(),
        customer: options.customer,
        missing: Vec::new(),
        forms: CustomerForms::default(),
        matches,
        series: Vec::new(),
        opportunity_series: Vec::new(),
        hidden: Vec::new(),
        unmatched: if looked_at { Unmatched::of(options) } else { Unmatched::default() },
        key: options.key.clone(),
    };
    if looked_at {
        let of_lead = txn.links().from(&[lead.id.into()], None)?;
        let said = Said::of(txn, (lead, &of_lead), &plan, Some(ctx))?;
        let mut told = Cow::Owned(plan);
        said.tighten(&mut told);
        plan = told.into_owned();
    }
    if looked_at || !early.is_empty() {
        let missing = customer::missing((&plan.account, &plan.contacts), &forms, |_| false);
        plan.missing = untold(missing, &early);
        let mut broken = untold(broken(ctx, txn, (lead, &plan), mapper)?, &early);
        // Somebody fills it in.
        broken.retain(|one| !plan.missing.contains(one));
        let (numbers, sold): (Vec<_>, Vec<_>) =
            sales::against(ctx, txn, lead, &plan)?.into_iter().partition(customer::is_of_series);
        broken.splice(0..0, early);
        let sold = untold(sold, &broken);
        broken.extend(sold);
        plan.missing.extend(numbers);
        if !broken.is_empty() {
            // Where there is no plan, everything is told at once.
            let missing = std::mem::take(&mut plan.missing);
            let broken = missing.into_iter().chain(broken).collect();
            return Err(Error::invalid(hidden::explained(ctx, &[], broken)));
        }
        plan.missing = hidden::explained(ctx, &[], plan.missing);
    }
    if looked_at || options.estimates != super::EstimateChoice::None {
        plan.estimates = offers::of_lead(ctx, txn, lead.id)?;
        plan = plan.choose_estimates(&options.estimates)?;
    }
    if looked_at {
        plan.series = series::overview(ctx, txn, Series::Account, LAST_NUMBERS)?;
        if matches!(plan.opportunity, Some(PlannedOpportunity::New { .. })) {
            plan.opportunity_series = series::overview(ctx, txn, Series::Opportunity, LAST_NUMBERS)?;
        }
    }
    if options.customer != super::CustomerType::Neither {
        plan = plan.customer_information(options.customer, false)?;
    }
    if looked_at {
        hidden::mask(ctx, txn, (mapper, lead), &mut plan)?;
        plan.forms = forms.without(|field| Hidden::from(ctx).shows(field));
    }
    Ok(plan)
}

/// A write with its values as JSON gives them back: a plan that was stored is the plan that was made.
fn as_stored(write: FieldWrite) -> FieldWrite {
    let dropped = write.dropped.map(|dropped| Dropped { value: plain(&dropped.value), ..dropped });
    FieldWrite { old: plain(&write.old), new: plain(&write.new), dropped, ..write }
}

/// What lead and account are linked with, as far as the plan names it, or may name it once somebody chose among the matches.
fn linked_already(
    txn: &mut dyn Txn,
    account: &PlannedAccount,
    (contacts, persons): (&[PlannedContact], &[LinkedContact]),
    matches: Option<&Matches>,
) -> Result<KnownLinks> {
    let known = contacts.iter().filter_map(|contact| match &contact.who {
        PlannedPerson::Known { id, .. } => Some(*id),
        PlannedPerson::Existing(_) | PlannedPerson::New(_) => None,
    });
    let own = persons.iter().map(|person| person.contact.id);
    let found = matches
        .into_iter()
        .flat_map(|matches| matches.contacts.iter().chain(matches.persons.iter().flat_map(|it| &it.contacts)))
        .map(|found| found.id);
    let named: Vec<_> = own.chain(known).chain(found).collect();
    let account = match account {
        PlannedAccount::Existing { id, .. } => Some(*id),
        PlannedAccount::New { .. } | PlannedAccount::None => None,
    };
    let has_primary = persons.iter().any(|person| person.is_primary);
    let chosen = contacts.iter().flat_map(|contact| contact.who.instead_of().iter().copied());
    let may_be = matches.into_iter().flat_map(|matches| matches.persons.iter().map(|person| person.contact));
    let turned_out: Vec<_> = chosen.chain(may_be).collect();
    KnownLinks::read(txn, (has_primary, account), &named, &turned_out)
}

fn sorted(persons: &[LinkedContact]) -> Vec<ContactId> {
    let mut ids: Vec<_> = persons.iter().map(|person| person.contact.id).collect();
    ids.sort();
    ids
}

/// Every rule of account, persons and lead that has no value where it needs one, all at once. What is carried out at once is
/// checked there.
fn broken(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (lead, plan): (&Lead, &ConversionPlan),
    mapper: &Mapper,
) -> Result<Vec<Violation>> {
    let mut broken = check::account(ctx, txn, (lead, plan))?;
    broken.extend(check::custom_values(txn, plan, &mapper.fields)?);
    broken.extend(mapper.leads.check_change(&lead.fields, &lead.fields));
    Ok(broken)
}

pub(super) struct Making<'a> {
    pub(super) lead: &'a Lead,
    pub(super) options: &'a ConversionOptions,
    pub(super) mapper: &'a Mapper,
    pub(super) persons: &'a [LinkedContact],
    /// Whether a person will look at the plan: else it is carried out at once, and shows nothing.
    looked_at: bool,
    pub(super) writes: Vec<FieldWrite>,
}

impl Making<'_> {
    /// The running opportunity that the lead joins.
    fn running(&self, ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Option<Opportunity>> {
        let OpportunityChoice::Existing(id) = &self.options.opportunity else { return Ok(None) };
        let found = joined_opportunity(ctx, txn, *id)?;
        if found.state != OpportunityState::Open {
            return Err(Error::conflicting("opportunity", Conflict::Closed { function: "join".to_owned() }));
        }
        let same = match self.options.account {
            AccountChoice::New | AccountChoice::Match(_) => true,
            AccountChoice::Existing(account) => account == found.account,
            AccountChoice::None => false,
        };
        if same {
            return Ok(Some(found));
        }
        let message = "the opportunity belongs to another account";
        Err(Error::invalid_field("account", ViolationCode::NotAllowed, message))
    }

    fn account(
        &mut self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        running: Option<&Opportunity>,
        matches: Option<&Matches>,
    ) -> Result<PlannedAccount> {
        let chosen = match (running, self.options.account) {
            (Some(running), _) => Some(running.account),
            (None, AccountChoice::Existing(id)) => Some(id),
            (None, AccountChoice::Match(policy)) => {
                matches.map(|matches| matches.account(policy)).transpose()?.flatten()
            }
            (None, AccountChoice::New) => None,
            (None, AccountChoice::None) => return Ok(PlannedAccount::None),
        };
        let (by, mapping) = (self.mapper.readings(), &self.mapper.mapping);
        if let Some(id) = chosen {
            let account = accounts::editable(ctx, txn, id)?;
            let mapped = mapping.account(self.lead, Some(&account.fields), &by);
            self.writes.extend(mapped.writes);
            return Ok(PlannedAccount::Existing {
                id,
                revision: account.revision,
                fields: Box::new(mapped.fields),
            });
        }
        let mapped = new_account(self.mapper, self.lead);
        self.writes.extend(mapped.writes);
        let fields = AccountFields { status: self.options.status, ..mapped.fields };
        let series = self.options.series;
        let next_number = if self.looked_at { self.next_number(ctx, txn)? } else { 0 };
        Ok(PlannedAccount::New { fields: Box::new(fields), next_number, series })
    }

    /// None (0) in a series that is used up: who looks at the plan chooses another one.
    fn next_number(&self, ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<u64> {
        match series::preview(ctx, txn, Series::Account, self.options.series) {
            Ok(next) => Ok(next.number),
            Err(error) if is_used_up(&error) => Ok(0),
            Err(error) => Err(error),
        }
    }

    fn opportunity(
        &mut self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        running: Option<Opportunity>,
    ) -> Result<Option<PlannedOpportunity>> {
        if let Some(running) = running {
            let mapped = hidden::named(ctx, self.lead, |lead| joined(self.mapper, lead, &running.fields));
            self.writes.extend(mapped.writes);
            return Ok(Some(PlannedOpportunity::Existing {
                id: running.id,
                revision: running.revision,
                fields: Box::new(mapped.fields),
            }));
        }
        let OpportunityChoice::New(request) = &self.options.opportunity else { return Ok(None) };
        let OpportunityRequest { patch, ending, series } = request.as_ref();
        let mapped = hidden::named(ctx, self.lead, |lead| new_opportunity(self.mapper, lead));
        let mut fields = mapped.fields.clone();
        patch.apply(&mut fields);
        let (before, after) = (values_of(&mapped.fields), values_of(&fields));
        let holds = |write: &FieldWrite| before.get(write.to.key()) == after.get(write.to.key());
        self.writes.extend(mapped.writes.into_iter().filter(holds));
        let mut broken = hidden::said_of_hidden(ctx, &mapped.fields, &fields);
        let says = |name: &str| patch.names().contains(&name);
        let is_other = fields.amount.is_some() && fields.currency != mapped.fields.currency;
        if broken.is_empty() && is_other && !says("amount") && !says("lines") {
            let message = "the amount of the lead is in another currency: say the amount, too";
            broken.push(Violation::new("opportunity.currency", ViolationCode::NotAllowed, message));
        }
        if !broken.is_empty() {
            return Err(Error::invalid(broken));
        }
        if fields.name.is_empty() {
            fields.name = hidden::called(ctx, self.lead);
        }
        // None in a series that is used up: who looks at the plan chooses another one, or no opportunity.
        let next = match series::preview(ctx, txn, Series::Opportunity, *series) {
            Ok(next) => next.text,
            Err(error) if is_used_up(&error) => String::new(),
            Err(error) => return Err(sales::of_opportunity(error)),
        };
        Ok(Some(PlannedOpportunity::New {
            fields: Box::new(fields),
            ending: ending.clone(),
            series: *series,
            next,
        }))
    }
}

pub(super) fn is_used_up(error: &Error) -> bool {
    matches!(error.conflict(), Some(Conflict::SeriesExhausted { .. }))
}

/// The fields of the lead with a value that nothing on the other side has.
fn stays(
    lead: &Lead,
    (account, opportunity): (&PlannedAccount, Option<&PlannedOpportunity>),
    (contacts, persons): (&[PlannedContact], &[LinkedContact]),
    writes: &[FieldWrite],
) -> Vec<Field> {
    let mut takers: Vec<LeadFields> =
        account.fields().map(AccountFields::as_lead_fields).into_iter().collect();
    let of_account = takers.len();
    takers.extend(persons.iter().map(|person| person.contact.fields.as_lead_fields()));
    takers.extend(contacts.iter().filter_map(|contact| match &contact.who {
        PlannedPerson::New(fields) | PlannedPerson::Known { fields, .. } => {
            Some(ContactFields::as_lead_fields(fields))
        }
        PlannedPerson::Existing(_) => None,
    }));
    takers.extend(opportunity.map(|opportunity| {
        let (PlannedOpportunity::New { fields, .. } | PlannedOpportunity::Existing { fields, .. }) =
            opportunity;
        LeadFields {
            amount: fields.amount,
            currency: fields.currency,
            probability: fields.probability,
            expected_close: fields.expected_close,
            source: fields.source,
            campaign: fields.campaign.clone(),
            owner: fields.owner.clone(),
            description: fields.description.clone(),
            ..LeadFields::default()
        }
    }));
    // What took a field along, if all of it did: the target's own value that went is not the lead's.
    let whole = |write: &&FieldWrite| {
        write.dropped.as_ref().is_none_or(|dropped| dropped.why == WhyDropped::Overwritten)
    };
    let mut staying: Vec<Field> = Vec::new();
    for field in Field::ALL.iter().filter(|field| field.is_writable()) {
        // A contact is no company or consumer: only the account says which.
        let able = if *field == Field::Kind { of_account } else { takers.len() };
        let taken: Vec<_> = takers.iter().take(able).flat_map(|taker| comparable(field, taker)).collect();
        let all = comparable(field, &lead.fields).iter().all(|value| taken.contains(value));
        // What was appended is part of another value, and yet not lost.
        let all = all || writes.iter().filter(whole).any(|write| write.from == *field);
        // A name that stays is told once, not part by part.
        let told = field.name_group().contains(&Field::Name) && staying.contains(&Field::Name);
        if !all && !told {
            staying.push(field.clone());
        }
    }
    let taken = |field: &Field| writes.iter().filter(whole).any(|write| write.from == *field);
    let custom = lead.fields.custom.keys().cloned().map(Field::Custom);
    staying.extend(custom.filter(|field| !taken(field)));
    staying
}

/// The values of a field in the form in which equal ones are equal: another spelling of an e-mail is no other e-mail.
fn comparable(field: &Field, fields: &LeadFields) -> Vec<FieldValue> {
    match field {
        Field::Email => fields.emails.iter().map(|email| email.canonical().into()).collect(),
        Field::Phone => {
            let key = |phone: &crate::value::Phone| phone.match_key().unwrap_or_else(|| phone.digits());
            fields.phones.iter().map(|phone| key(phone).into()).collect()
        }
        _ => field.read_fields(fields).items().to_vec(),
    }
}
