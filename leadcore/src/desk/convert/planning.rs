//! Making a plan: reading, choosing, mapping. Nothing is written.

use std::borrow::Cow;

use crate::context::Context;
use crate::dedupe::matching::Matches;
use crate::domain::conversion_mapping::{Dropped, FieldWrite};
use crate::domain::{AccountFields, Field, Lead, Opportunity, OpportunityState, Series, plain};
use crate::error::{Conflict, Error, Result, Violation, ViolationCode};
use crate::id::ContactId;
use crate::store::Txn;

use super::super::access::Expect;
use super::super::contacts::{LinkedContact, linked};
use super::super::conversion_mapping::Mapper;
use super::super::{accounts, lines, matching, series};
use super::consent::Said;
use super::customer::{self, CustomerForms, no_number_of_opportunity};
use super::deal::{joined, values_of};
use super::hidden::Hidden;
use super::judged::{self, collect, untold};
use super::links::KnownLinks;
use super::made::{new_account, new_opportunity};
use super::opportunity_form::{is_worth_of_another, other_currency};
use super::options::{
    AccountChoice, ConversionOptions, CustomerType, EstimateChoice, OpportunityChoice, OpportunityRequest,
    PersonChoice,
};
use super::plan::{
    ConversionPlan, OwnPerson, PlannedAccount, PlannedContact, PlannedOpportunity, PlannedPerson, Unmatched,
};
use super::rules::Rules;
use super::sales::{self, joined_opportunity};
use super::staying::stays;
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
    let mut early = Vec::new();
    let own = making.fill_in(ctx, (&mut account, &mut contacts), &forms, &mut early)?;
    let made = making.opportunity(ctx, txn, running);
    let opportunity = collect(&mut early, made)?.flatten();
    let linked = linked_already(txn, &account, (&contacts, &persons), matches.as_ref())?;
    let plan = ConversionPlan {
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
        writes: std::mem::take(&mut making.writes).into_iter().filter(|_| looked_at).map(as_stored).collect(),
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
    let plan = if looked_at { tightened(ctx, txn, lead, plan)? } else { plan };
    let plan = making.judged(ctx, txn, plan, (&forms, early))?;
    making.completed(ctx, txn, plan, forms)
}

/// With what was said against reaching somebody, as far as the actor sees it.
fn tightened(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: &Lead,
    plan: ConversionPlan,
) -> Result<ConversionPlan> {
    let of_lead = txn.links().from(&[lead.id.into()], None)?;
    let said = Said::of(txn, (lead, &of_lead), &plan, Some(ctx))?;
    let mut told = Cow::Owned(plan);
    said.tighten(&mut told);
    Ok(told.into_owned())
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

    /// Writes what the options say over what the lead says, and tells the further persons of the lead.
    fn fill_in(
        &mut self,
        ctx: &Context<'_>,
        (account, contacts): (&mut PlannedAccount, &mut [PlannedContact]),
        forms: &CustomerForms,
        early: &mut Vec<Violation>,
    ) -> Result<Vec<OwnPerson>> {
        let may_not_see = Hidden::from(ctx);
        let is_hidden = |field: &Field| may_not_see.shows(field);
        let said = (&self.options.account_fields, &self.options.contact_fields);
        let written = customer::write((account, contacts), forms, said, &mut self.writes, is_hidden);
        collect(early, written)?;
        let of_persons = &self.options.person_fields;
        let is_asked = self.looked_at || !of_persons.is_empty();
        let own = if is_asked { own_persons::of(contacts, self.persons) } else { Vec::new() };
        let written = own_persons::write(account, (contacts, &own), forms, of_persons, is_hidden);
        collect(early, written)?;
        Ok(own)
    }

    /// Says what is missing, or refuses with everything that stands against the plan.
    fn judged(
        &self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        mut plan: ConversionPlan,
        (forms, early): (&CustomerForms, Vec<Violation>),
    ) -> Result<ConversionPlan> {
        // What is carried out at once is judged there.
        if !self.looked_at && early.is_empty() {
            return Ok(plan);
        }
        let missing = customer::missing(&plan, forms, |_| false);
        plan.missing = untold(missing, &early);
        let mut broken = untold(broken(ctx, txn, (self.lead, &plan), self.mapper)?, &early);
        // Somebody fills it in.
        broken.retain(|one| !plan.missing.contains(one));
        let (numbers, sold): (Vec<_>, Vec<_>) =
            sales::against(ctx, txn, self.lead, &plan)?.into_iter().partition(customer::is_of_series);
        broken.splice(0..0, early);
        let sold = untold(untold(sold, &broken), &plan.missing);
        broken.extend(sold);
        plan.missing.extend(numbers);
        let unnumbered =
            matches!(&plan.opportunity, Some(PlannedOpportunity::New { next, .. }) if next.is_empty());
        if broken.is_empty() && unnumbered {
            // Of one that misses something, too.
            let number = untold(vec![no_number_of_opportunity()], &plan.missing);
            plan.missing.extend(number);
        }
        if !broken.is_empty() {
            // Where there is no plan, everything is told at once.
            let missing = std::mem::take(&mut plan.missing);
            let broken = missing.into_iter().chain(broken).collect();
            return Err(Error::invalid(hidden::explained(ctx, &[], broken)));
        }
        plan.missing = hidden::explained(ctx, &[], plan.missing);
        Ok(plan)
    }

    /// With estimates and services, the type of customer, and what a person sees besides.
    fn completed(
        &self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        mut plan: ConversionPlan,
        forms: CustomerForms,
    ) -> Result<ConversionPlan> {
        let (options, looked_at) = (self.options, self.looked_at);
        if looked_at || options.estimates != EstimateChoice::None {
            plan.estimates = offers::of_lead(ctx, txn, self.lead.id)?;
            plan = plan.choose_estimates(&options.estimates)?;
        }
        if looked_at {
            plan.series = series::overview(ctx, txn, Series::Account, LAST_NUMBERS)?;
            if matches!(plan.opportunity, Some(PlannedOpportunity::New { .. })) {
                plan.opportunity_series = series::overview(ctx, txn, Series::Opportunity, LAST_NUMBERS)?;
            }
        }
        if options.customer != CustomerType::Neither {
            plan = plan.customer_information(options.customer, false)?;
        }
        if looked_at {
            hidden::mask(ctx, txn, (self.mapper, self.lead), &mut plan)?;
            plan.forms = forms.without(|field| Hidden::from(ctx).shows(field));
        }
        Ok(plan)
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
        if broken.is_empty() && is_worth_of_another(patch, &mapped.fields, &fields) {
            broken.push(other_currency("opportunity.currency"));
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
