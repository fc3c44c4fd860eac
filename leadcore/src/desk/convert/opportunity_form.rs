//! The form of a new opportunity: what is written over what the lead says.

use crate::domain::conversion_mapping::TargetRecord;
use crate::domain::{Field, OpportunityFields, OpportunityPatch};
use crate::error::{Error, Result, Violation, ViolationCode};

use super::super::opportunities::shown_by;
use super::customer::{is_misfit, named, outdo, own};
use super::deal::values_of;
use super::plan::{ConversionPlan, PlannedOpportunity};

impl ConversionPlan {
    /// Step 2, the form of the opportunity: what is said here is written over what the plan says of a new one, and what is
    /// [`missing`](Self::missing) is looked at anew. As with [`customer_fields`](Self::customer_fields), what the mapping would have
    /// written there stays on the lead, and what takes a store to know is checked when the plan is carried out.
    ///
    /// # Errors
    /// `Invalid` with every value that does not fit its field (`opportunity.x_region`), every field that there is not or that the
    /// actor may not see, for another currency without an amount in it, and for a running opportunity or none.
    pub fn opportunity_fields(self, said: &OpportunityPatch) -> Result<Self> {
        if *said == OpportunityPatch::new() {
            return Ok(self);
        }
        self.filled_in(|plan, is_hidden| {
            let Some(PlannedOpportunity::New { fields, .. }) = &mut plan.opportunity else {
                let message = "only a new opportunity is filled in: one that is there is edited by itself";
                return Err(Error::invalid_field("opportunity", ViolationCode::NotAllowed, message));
            };
            let mut after = fields.as_ref().clone();
            said.apply(&mut after);
            let mut broken = unseen(said, is_hidden);
            if is_worth_of_another(said, fields, &after) {
                broken.push(other_currency("opportunity.currency"));
            }
            let account = plan.account.fields().and_then(|account| account.currency);
            let whole = OpportunityFields { currency: after.currency.or(account), ..after.clone() };
            let unfit = whole.settle().err().unwrap_or_default();
            broken.extend(unfit.into_iter().map(|one| named("opportunity", one)));
            let of_own = own("opportunity", &plan.forms.opportunity, &after.custom, &fields.custom);
            broken.extend(of_own.filter(is_misfit));
            if !broken.is_empty() {
                return Err(Error::invalid(broken));
            }
            let (was, is) = (values_of(fields), values_of(&after));
            **fields = after;
            Ok(outdo(&mut plan.writes, TargetRecord::Opportunity, |key| was.get(key) != is.get(key)))
        })
    }
}

/// What is said of fields that are hidden.
fn unseen(said: &OpportunityPatch, is_hidden: &dyn Fn(&Field) -> bool) -> Vec<Violation> {
    let names = said.names();
    let custom = said.custom_keys().map(|key| key.as_str());
    let hidden = names.into_iter().chain(custom).filter(|name| shown_by(&[name]).iter().any(is_hidden));
    let told = hidden.map(|name| {
        let message = "you may not see this field";
        Violation::new(format!("opportunity.{name}"), ViolationCode::NotAllowed, message)
    });
    told.collect()
}

/// Whether the amount that the lead says would stand in another currency than it is in.
pub(super) fn is_worth_of_another(
    said: &OpportunityPatch,
    before: &OpportunityFields,
    after: &OpportunityFields,
) -> bool {
    let says = |name: &str| said.names().contains(&name);
    let is_other = after.amount.is_some() && after.currency != before.currency;
    is_other && !says("amount") && !says("lines")
}

/// It is refused so.
pub(super) fn other_currency(field: &str) -> Violation {
    let message = "the amount of the lead is in another currency: say the amount, too";
    Violation::new(field, ViolationCode::NotAllowed, message)
}
