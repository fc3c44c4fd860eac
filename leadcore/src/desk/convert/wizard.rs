//! The steps of a wizard, from plan to plan: estimates (S2.24), customer and type (S2.25, S2.26), services (S2.27).

use std::collections::BTreeSet;

use crate::domain::{EstimateStatus, ServiceFields, ServiceOrigin};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::EstimateId;

use super::super::services;
use super::options::{CustomerType, EstimateChoice};
use super::plan::{ConversionPlan, PlannedAccount, PlannedService};

/// The most services of one conversion.
pub(super) const MOST_SERVICES: usize = 1_000;

impl ConversionPlan {
    /// Step 1: whose lines become services. Services that were there are replaced by copies of the lines of these estimates.
    ///
    /// # Errors
    /// `Invalid` for an estimate that the plan does not offer (it is over, another version of it counts, or it is not of this lead)
    /// or whose lines [became services](super::PlannedEstimate::became_services) already, and for more than 1,000 lines; for any
    /// estimate when there is no account.
    pub fn choose_estimates(mut self, choice: &EstimateChoice) -> Result<Self> {
        let mut broken = Vec::new();
        if let EstimateChoice::These(ids) = choice {
            let known = |id: &EstimateId| self.estimates.iter().any(|estimate| estimate.id == *id);
            for (n, _) in ids.iter().enumerate().filter(|(_, id)| !known(id)) {
                let message = "only an estimate of the lead that is offered or was accepted can be chosen";
                broken.push(Violation::new(format!("estimates[{n}]"), ViolationCode::Unknown, message));
            }
            let sold = |id: &EstimateId| {
                self.estimates.iter().any(|estimate| estimate.id == *id && estimate.became_services)
            };
            for (n, _) in ids.iter().enumerate().filter(|(_, id)| sold(id)) {
                let message = "the lines of this estimate became services already";
                broken.push(Violation::new(format!("estimates[{n}]"), ViolationCode::NotAllowed, message));
            }
        }
        for estimate in &mut self.estimates {
            estimate.chosen = match choice {
                _ if estimate.became_services => false,
                EstimateChoice::None => false,
                EstimateChoice::Accepted => estimate.status == EstimateStatus::Accepted,
                EstimateChoice::All => true,
                EstimateChoice::These(ids) => ids.contains(&estimate.id),
            };
        }
        let chosen = self.estimates.iter().filter(|estimate| estimate.chosen);
        self.services = chosen
            .flat_map(|estimate| {
                estimate.lines.iter().zip(0_u32..).map(move |(line, position)| PlannedService {
                    fields: ServiceFields { currency: estimate.currency, ..line.clone().into() },
                    origin: Some(ServiceOrigin { estimate: estimate.id, position }),
                })
            })
            .collect();
        broken.extend(self.broken_services());
        if broken.is_empty() { Ok(self) } else { Err(Error::invalid(broken)) }
    }

    /// Step 2: what the customer is, and which document it gets. With `convert_now` the services are left out, and the plan is
    /// ready.
    ///
    /// A new account becomes a customer or a prospect by this; one that exists becomes a customer, and never less than it
    /// is.
    ///
    /// # Errors
    /// `Invalid` for a document when there is no account that could get it.
    pub fn customer_information(mut self, customer: CustomerType, convert_now: bool) -> Result<Self> {
        if customer.document().is_some() && self.account == PlannedAccount::None {
            let message = "without an account nobody gets a document";
            return Err(Error::invalid_field("customer", ViolationCode::NotAllowed, message));
        }
        self.customer = customer;
        let is_new = matches!(self.account, PlannedAccount::New { .. });
        if let Some(fields) = self.account.fields_mut() {
            // Whatever was chosen before, and before that one.
            let before = *self.status.get_or_insert(fields.status);
            let said = customer.status().filter(|_| is_new || customer == CustomerType::ActiveWithInvoice);
            fields.status = said.unwrap_or(before);
        }
        if convert_now {
            self.services.clear();
        }
        Ok(self)
    }

    /// Step 3: the services as they were edited. One keeps the line that it was copied from, another is new.
    ///
    /// # Errors
    /// `Invalid` with every rule that each of them breaks (`services[1].quantity`), also for the line of an estimate that was not
    /// chosen or that another of them was copied from, and for more than 1,000.
    pub fn edit_services(mut self, services: Vec<PlannedService>) -> Result<Self> {
        self.services = services;
        let broken = self.broken_services();
        if broken.is_empty() { Ok(self) } else { Err(Error::invalid(broken)) }
    }

    /// Every rule that the services break.
    pub(super) fn broken_services(&self) -> Vec<Violation> {
        let mut broken = Vec::new();
        if self.services.len() > MOST_SERVICES {
            let message = "at most 1,000 services at once";
            broken.push(Violation::new("services", ViolationCode::LimitReached, message));
        }
        let Some(account) = self.account.fields() else {
            if !self.services.is_empty() {
                let message = "without an account nobody buys services";
                broken.push(Violation::new("services", ViolationCode::NotAllowed, message));
            }
            return broken;
        };
        let lines: BTreeSet<ServiceOrigin> = self
            .estimates
            .iter()
            .filter(|estimate| estimate.chosen)
            .flat_map(|estimate| {
                let positions = estimate.lines.iter().zip(0_u32..).map(|(_, position)| position);
                positions.map(move |position| ServiceOrigin { estimate: estimate.id, position })
            })
            .collect();
        let mut copied = BTreeSet::new();
        for (n, service) in self.services.iter().enumerate() {
            let at = |violation: Violation| Violation {
                field: format!("services[{n}].{}", violation.field),
                ..violation
            };
            if service.origin.is_some_and(|origin| !lines.contains(&origin)) {
                let message = "this is no line of a chosen estimate";
                broken.push(at(Violation::new("origin", ViolationCode::Unknown, message)));
            } else if service.origin.is_some_and(|origin| !copied.insert(origin)) {
                broken.push(at(services::copied_twice("origin")));
            }
            let mut fields = service.fields.clone();
            fields.currency = fields.currency.or(account.currency);
            if let Err(found) = fields.settle() {
                broken.extend(found.into_iter().map(at));
            }
        }
        broken
    }
}
