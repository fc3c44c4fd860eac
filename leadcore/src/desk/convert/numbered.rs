//! Step 2, the numbers: another series, or no opportunity.

use crate::domain::conversion_mapping::TargetRecord;
use crate::error::{Error, Result, ViolationCode};
use crate::id::NumberSeriesId;

use super::super::series::{NextNumber, SeriesState};
use super::customer::SERIES;
use super::plan::{ConversionPlan, PlannedAccount, PlannedOpportunity};

impl ConversionPlan {
    /// Step 2: numbers the new account, or the new opportunity, in this [series](Self::series) instead: in one of
    /// [`opportunity_series`](Self::opportunity_series) it is the opportunity. What comes next there is shown, and not reserved.
    ///
    /// # Errors
    /// `Invalid` (`series`) for a series that the plan does not show, and for one that is used up or archived.
    pub fn number_in(mut self, series: NumberSeriesId) -> Result<Self> {
        let [of_account, of_opportunity] = SERIES;
        match (&mut self.account, &mut self.opportunity) {
            (PlannedAccount::New { series: chosen, next_number, .. }, _) if has(&self.series, series) => {
                let next = coming(&self.series, series, of_account)?;
                (*chosen, *next_number) = (Some(series), next.number);
                self.missing.retain(|one| one.field != of_account);
            }
            (_, Some(PlannedOpportunity::New { series: chosen, next, .. }))
                if has(&self.opportunity_series, series) =>
            {
                let found = coming(&self.opportunity_series, series, of_opportunity)?;
                (*chosen, *next) = (Some(series), found.text);
                self.missing.retain(|one| one.field != of_opportunity);
            }
            _ => {
                let message = "there is no such series for a new account or a new opportunity of this plan";
                return Err(Error::invalid_field(of_account, ViolationCode::Unknown, message));
            }
        }
        Ok(self)
    }

    /// Step 2: no opportunity after all. What only it would have taken along stays on the lead.
    #[must_use]
    pub fn without_opportunity(mut self) -> Self {
        self.opportunity = None;
        self.opportunity_series.clear();
        self.missing.retain(|one| !one.field.starts_with("opportunity."));
        let of_opportunity = |record: TargetRecord| record == TargetRecord::Opportunity;
        let (gone, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.writes).into_iter().partition(|write| of_opportunity(write.to.record));
        self.writes = kept;
        for field in gone.into_iter().map(|write| write.from) {
            let goes = self.writes.iter().any(|write| write.from == field);
            if !goes && !self.stays_on_lead.contains(&field) {
                self.stays_on_lead.push(field);
            }
        }
        self
    }
}

fn has(states: &[SeriesState], series: NumberSeriesId) -> bool {
    states.iter().any(|state| state.series.id == series)
}

fn coming(states: &[SeriesState], series: NumberSeriesId, field: &str) -> Result<NextNumber> {
    let next = states.iter().find(|state| state.series.id == series).and_then(|state| state.next.clone());
    let message = "this series of numbers is used up or archived: choose another one";
    next.ok_or_else(|| Error::invalid_field(field, ViolationCode::LimitReached, message))
}
