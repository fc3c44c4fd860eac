//! Money: an exact amount in a currency.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::amount::{DecimalMark, check_amount, parse_amount};
use super::currency::Currency;
use crate::error::{ValueError, ViolationCode};

/// An exact amount in one currency: at most four decimal places, below 10^14 in magnitude.
///
/// Equality is numeric (`1.5` is `1.50`); the decimal places that were given are kept for printing. There is no
/// order: amounts of different currencies cannot be compared.
///
/// ```
/// use leadcore::value::{Currency, DecimalMark, Money};
/// let usd = Currency::parse("USD")?;
/// let money = Money::parse("$22,700.00", DecimalMark::Auto, usd)?;
/// assert_eq!(money.to_string(), "22700.00 USD");
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

#[derive(Serialize, Deserialize)]
struct Raw {
    amount: Decimal,
    currency: Currency,
}

impl Money {
    /// An amount in a currency.
    ///
    /// # Errors
    /// When the amount has more than four decimal places that are not zero, or is 10^14 or more.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, ValueError> {
        Ok(Self { amount: check_amount(amount)?, currency })
    }

    /// Reads the amount as [`parse_amount`] does. A symbol or code in the text is skipped, not obeyed: `currency` is
    /// what the column or the account says.
    ///
    /// # Errors
    /// As [`parse_amount`].
    pub fn parse(text: &str, mark: DecimalMark, currency: Currency) -> Result<Self, ValueError> {
        Self::new(parse_amount(text, mark)?, currency)
    }

    /// The amount, in units of the currency.
    #[must_use]
    pub const fn amount(self) -> Decimal {
        self.amount
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum of two amounts in the same currency.
    ///
    /// # Errors
    /// When the currencies differ, or the sum is 10^14 or more.
    pub fn checked_add(self, other: Self) -> Result<Self, ValueError> {
        if self.currency != other.currency {
            return Err(ValueError::new(
                ViolationCode::NotAllowed,
                "amounts in different currencies cannot be added",
            ));
        }
        Self::new(self.amount + other.amount, self.currency)
    }
}

impl TryFrom<Raw> for Money {
    type Error = ValueError;

    fn try_from(raw: Raw) -> Result<Self, ValueError> {
        Self::new(raw.amount, raw.currency)
    }
}

impl From<Money> for Raw {
    fn from(money: Money) -> Self {
        Self { amount: money.amount, currency: money.currency }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(amount: &str, code: &str) -> Result<Money, ValueError> {
        Money::new(amount.parse().unwrap(), Currency::from_stored(code).unwrap())
    }

    #[test]
    fn keeps_scale_and_compares_by_value() {
        assert_eq!(money("10.50", "USD").unwrap().to_string(), "10.50 USD");
        assert_eq!(money("10.50", "USD"), money("10.5", "USD"));
        assert_ne!(money("10.50", "USD"), money("10.50", "EUR"));
        assert_eq!(money("1.00000", "USD").unwrap().to_string(), "1 USD");
    }

    #[test]
    fn holds_its_limits() {
        assert_eq!(money("1.00001", "USD").unwrap_err().code(), ViolationCode::Malformed);
        assert_eq!(money("100000000000000", "USD").unwrap_err().code(), ViolationCode::OutOfRange);
        assert_eq!(money("-100000000000000", "USD").unwrap_err().code(), ViolationCode::OutOfRange);
        assert!(money("-99999999999999.9999", "USD").is_ok());
    }

    #[test]
    fn adds_within_a_currency() {
        let sum = money("0.1", "USD").unwrap().checked_add(money("0.20", "USD").unwrap()).unwrap();
        assert_eq!(sum.to_string(), "0.30 USD");
        assert!(sum.checked_add(money("1", "EUR").unwrap()).is_err());
        let most = money("99999999999999.9999", "USD").unwrap();
        assert!(most.checked_add(most).is_err());
    }

    #[test]
    fn deserialising_checks() {
        let json = serde_json::to_string(&money("10.50", "USD").unwrap()).unwrap();
        assert_eq!(json, r#"{"amount":"10.50","currency":"USD"}"#);
        assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money("10.50", "USD").unwrap());
        assert!(serde_json::from_str::<Money>(r#"{"amount":"1.00001","currency":"USD"}"#).is_err());
    }

    proptest! {
        #[test]
        fn round_trips(units in any::<i32>(), scale in 0_u32..=4, code in "[A-Z]{3}") {
            let money = Money::new(Decimal::new(i64::from(units), scale), Currency::from_stored(&code).unwrap()).unwrap();
            let json = serde_json::to_string(&money).unwrap();
            let back: Money = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(back.to_string(), money.to_string());
        }
    }
}
