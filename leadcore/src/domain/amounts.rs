//! Amounts added up exactly (X.46).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::id::StageId;
use crate::value::Currency;

use super::lead::LeadFields;

/// Decimal places of an amount.
const SCALE: u32 = 4;

/// The expected values of some leads of one stage and currency. Whole numbers that no number of leads overflows; split by
/// whether a lead says its own probability, so that the stage's may change without adding up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AmountSum {
    /// How many leads say an amount.
    pub leads: u64,
    /// Amounts of leads without a probability of their own, in units of 1/10,000.
    pub plain: i128,
    /// Amounts of leads with their own probability, in units of 1/10,000.
    pub own: i128,
    /// Amounts times own probability in percent, in units of 1/1,000,000.
    pub own_weighted: i128,
}

impl AmountSum {
    /// Counts a lead in; one without an amount changes nothing.
    pub fn add(&mut self, fields: &LeadFields) {
        let Some(units) = fields.amount.and_then(amount_units) else { return };
        self.leads = self.leads.saturating_add(1);
        match fields.probability {
            None => self.plain = self.plain.saturating_add(units),
            Some(percent) => {
                self.own = self.own.saturating_add(units);
                self.own_weighted = self.own_weighted.saturating_add(units.saturating_mul(percent.into()));
            }
        }
    }

    /// The sum of all amounts; none beyond what a decimal can hold (some 10²⁴).
    #[must_use]
    pub fn total(&self) -> Option<Decimal> {
        decimal(self.plain.checked_add(self.own)?, SCALE)
    }

    /// Each amount times its probability: the lead's own, else this one of the stage, in percent. Where neither says
    /// one, the amount counts as nothing.
    #[must_use]
    pub fn weighted(&self, percent: Option<u8>) -> Option<Decimal> {
        let by_stage = self.plain.checked_mul(percent.unwrap_or(0).into())?;
        decimal(by_stage.checked_add(self.own_weighted)?, SCALE + 2)
    }
}

fn decimal(units: i128, scale: u32) -> Option<Decimal> {
    Decimal::try_from_i128_with_scale(units, scale).ok().map(|sum| sum.normalize())
}

/// An amount in units of 1/10,000; none for one with more places, which no lead can have.
#[must_use]
pub fn amount_units(amount: Decimal) -> Option<i128> {
    let mut scaled = amount;
    scaled.rescale(SCALE);
    (scaled == amount && scaled.scale() == SCALE).then(|| scaled.mantissa())
}

/// What the leads of one stage that trade in one currency add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageSum {
    /// The stage.
    pub stage: StageId,
    /// The currency; none for leads that say an amount and no currency.
    pub currency: Option<Currency>,
    /// The sums.
    pub sum: AmountSum,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_where_64_bits_are_not_enough() {
        let mut sum = AmountSum::default();
        let most =
            LeadFields { amount: Some("99999999999999.9999".parse().unwrap()), ..LeadFields::default() };
        let half = LeadFields { probability: Some(50), ..most.clone() };
        for _ in 0..1_000 {
            sum.add(&most);
            sum.add(&half);
            sum.add(&LeadFields::default());
        }
        assert_eq!(sum.leads, 2_000);
        assert_eq!(sum.total(), Some("199999999999999999.8".parse().unwrap()));
        assert_eq!(sum.weighted(Some(10)), Some("59999999999999999.94".parse().unwrap()));
        assert_eq!(sum.weighted(None), Some("49999999999999999.95".parse().unwrap()));
    }
}
