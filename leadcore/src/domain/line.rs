//! Lines of products with quantities and prices, and what they add up to (X.47).
//!
//! # How amounts are rounded
//!
//! By the rules of the European invoice (EN 16931, as Peppol BIS Billing 3.0 applies them), so that an invoice made of an
//! accepted estimate has the same sums. All arithmetic is on whole numbers and exact; it rounds in three places only, each
//! time to the smallest unit of the currency (0 places for JPY, 2 for EUR and CHF, 3 for KWD; 2 where ISO 4217 lists no
//! unit, as BR-DEC asks), half away from zero, so that a credit is the mirror image of what it takes back:
//!
//! 1. the amount of a line, quantity × unit price, and its discount, each for itself: the net of a line (BT-131) is the one
//!    less the other;
//! 2. the tax of each rate, once: the sum of the nets of its lines × rate (BR-CO-17), never line by line;
//! 3. nothing else: net is the sum of the lines (BR-CO-10, BR-CO-13), tax the sum over the rates (BR-CO-14), gross is net and
//!    tax (BR-CO-15).
//!
//! Prices are without tax. Cash is not rounded here (five Rappen in CHF): that is a matter of the payment.
//!
//! # Signs
//!
//! A quantity or a price may be negative, for something that is given back or taken off; not both in one line. A discount
//! is never negative and takes from the line towards zero: of a credit line it takes some credit away. BR-27 wants prices
//! of invoices not to be negative: whoever makes one turns the sign of the quantity.

mod rounding;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Violation, ViolationCode};
use crate::value::{Currency, clean_text};

use rounding::{
    FINE, MAX_AMOUNT, MAX_PRICE, MAX_QUANTITY, SCALE, decimal, not_negative, noted, number, percent, places,
    rounded, share, units, units_of,
};

/// The most lines of one estimate or lead.
pub const MAX_LINES: usize = 1_000;

/// What is taken off a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discount {
    /// So many percent of its amount: 0 to 100, at most 4 decimal places.
    Percent(Decimal),
    /// This amount, at most that of the line; at most 4 decimal places, of which those count that the currency has.
    Amount(Decimal),
}

/// The tax of a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tax {
    /// What it is called: `VAT`, `GST` … Lines of one rate and name are taxed together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The rate in percent: 0 to 100, at most 4 decimal places.
    pub percent: Decimal,
}

/// One line: so much of something for this price.
///
/// ```
/// use leadcore::domain::{Discount, Line, Totals};
/// use leadcore::value::Currency;
/// let line = Line::new("Solar panel", "12".parse()?, "199.99".parse()?)
///     .product("SP-400")
///     .unit("pcs")
///     .discount(Discount::Percent("5".parse()?))
///     .tax("VAT", "25".parse()?);
/// let totals = Totals::of(&[line], Some(Currency::parse("EUR")?))?;
/// assert_eq!(totals.discount.to_string(), "119.99"); // 119.994
/// assert_eq!((totals.net.to_string(), totals.gross.to_string()), ("2279.89".into(), "2849.86".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Line {
    /// What it is: 1 to 4,000 characters.
    pub description: String,
    /// The host's own code of the product, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// How much of it: below 10⁹, at most 6 decimal places.
    pub quantity: Decimal,
    /// What the quantity counts (`h`, `pcs` …), at most 50 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The price of one, without tax: below 10¹², at most 6 decimal places.
    pub unit_price: Decimal,
    /// What is taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Discount>,
    /// Its tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<Tax>,
}

/// What one line comes to, in the smallest units of the currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LineAmounts {
    /// Quantity × unit price.
    pub amount: Decimal,
    /// What is taken off: of the sign of the amount.
    pub discount: Decimal,
    /// The amount less the discount, without tax.
    pub net: Decimal,
}

/// The tax of the lines of one rate and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TaxTotal {
    /// What the tax is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The rate in percent.
    pub percent: Decimal,
    /// The sum of the nets of its lines.
    pub net: Decimal,
    /// The tax on that.
    pub tax: Decimal,
}

/// What lines add up to. Numbers without zeros at their ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Totals {
    /// What is to be paid without tax.
    pub net: Decimal,
    /// What was taken off to get there.
    pub discount: Decimal,
    /// The tax of each rate, by name, then by rate. Lines without a tax are in none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxTotal>,
    /// The tax of all rates.
    pub tax: Decimal,
    /// Net and tax.
    pub gross: Decimal,
}

/// Whole numbers of 1/10,000.
#[derive(Debug, Clone, Copy)]
struct Units {
    amount: i128,
    discount: i128,
    net: i128,
}

impl Line {
    /// So much of something at this price, without discount or tax.
    #[must_use]
    pub fn new(description: &str, quantity: Decimal, unit_price: Decimal) -> Self {
        Self {
            description: description.to_owned(),
            product: None,
            quantity,
            unit: None,
            unit_price,
            discount: None,
            tax: None,
        }
    }

    /// With the host's code of the product.
    #[must_use]
    pub fn product(mut self, code: &str) -> Self {
        self.product = Some(code.to_owned());
        self
    }

    /// With what the quantity counts.
    #[must_use]
    pub fn unit(mut self, unit: &str) -> Self {
        self.unit = Some(unit.to_owned());
        self
    }

    /// With something taken off.
    #[must_use]
    pub const fn discount(mut self, discount: Discount) -> Self {
        self.discount = Some(discount);
        self
    }

    /// With a tax of this name and rate in percent.
    #[must_use]
    pub fn tax(mut self, name: &str, percent: Decimal) -> Self {
        self.tax = Some(Tax { name: Some(name.to_owned()), percent });
        self
    }

    /// What the line comes to in this currency.
    ///
    /// # Errors
    /// `Invalid` with every rule that the line breaks (`quantity`, `unit_price`, `discount` …).
    pub fn amounts(&self, currency: Option<Currency>) -> Result<LineAmounts> {
        let units = self.units(places(currency)).map_err(Error::invalid)?;
        Ok(LineAmounts {
            amount: decimal(units.amount),
            discount: decimal(units.discount),
            net: decimal(units.net),
        })
    }

    /// The line as it is stored: without blanks at the ends of codes, empty texts and zeros at the ends of numbers.
    #[must_use]
    pub fn plain(mut self) -> Self {
        let tidy = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|t| !t.is_empty());
        self.product = tidy(self.product);
        self.unit = tidy(self.unit);
        self.quantity = self.quantity.normalize();
        self.unit_price = self.unit_price.normalize();
        self.discount = self.discount.map(|discount| match discount {
            Discount::Percent(percent) => Discount::Percent(percent.normalize()),
            Discount::Amount(amount) => Discount::Amount(amount.normalize()),
        });
        self.tax = self.tax.map(|tax| Tax { name: tidy(tax.name), percent: tax.percent.normalize() });
        self
    }

    /// The amounts, or every broken rule.
    fn units(&self, places: u32) -> Result<Units, Vec<Violation>> {
        let mut broken = self.broken_texts();
        let quantity = noted(number(self.quantity, FINE, MAX_QUANTITY), "quantity", &mut broken);
        let price = noted(number(self.unit_price, FINE, MAX_PRICE), "unit_price", &mut broken);
        let discount = match self.discount {
            Some(Discount::Percent(value)) => noted(percent(value), "discount", &mut broken),
            Some(Discount::Amount(value)) => {
                noted(number(value, SCALE, MAX_AMOUNT).and_then(not_negative), "discount", &mut broken)
            }
            None => Some(0),
        };
        if let Some(tax) = &self.tax {
            noted(percent(tax.percent), "tax.percent", &mut broken);
        }
        let (Some(quantity), Some(price), Some(discount)) = (quantity, price, discount) else {
            return Err(broken);
        };
        if quantity < 0 && price < 0 {
            let message = "a quantity and a price cannot both be negative";
            broken.push(Violation::new("unit_price", ViolationCode::OutOfRange, message));
        }
        // Below 10¹⁵ times below 10¹⁸.
        let amount = rounded(quantity.saturating_mul(price), FINE.saturating_mul(2), places);
        if amount.abs() >= units_of(MAX_AMOUNT) {
            let message = "quantity times price must stay below 100,000,000,000,000";
            broken.push(Violation::new("unit_price", ViolationCode::OutOfRange, message));
            return Err(broken);
        }
        let discount = match self.discount {
            Some(Discount::Amount(_)) => rounded(discount, SCALE, places).saturating_mul(amount.signum()),
            _ => share(amount, discount, places),
        };
        if discount.abs() > amount.abs()
            || (amount == 0 && matches!(self.discount, Some(Discount::Amount(d)) if !d.is_zero()))
        {
            let message = "a discount cannot be more than the line";
            broken.push(Violation::new("discount", ViolationCode::OutOfRange, message));
        }
        let net = amount.saturating_sub(discount);
        if broken.is_empty() { Ok(Units { amount, discount, net }) } else { Err(broken) }
    }

    fn broken_texts(&self) -> Vec<Violation> {
        let mut broken = Vec::new();
        if self.description.trim().is_empty() {
            broken.push(Violation::new("description", ViolationCode::Required, "a line says what it is"));
        }
        let name = self.tax.as_ref().and_then(|tax| tax.name.as_deref());
        let texts = [
            ("description", Some(self.description.as_str()), 4_000),
            ("product", self.product.as_deref(), 200),
            ("unit", self.unit.as_deref(), 50),
            ("tax.name", name, 100),
        ];
        for (field, text, most) in texts {
            let Some(text) = text else { continue };
            match clean_text(text, most) {
                Err(error) => broken.push(error.at(field)),
                Ok(text) if field != "description" && text.contains(char::is_control) => {
                    let message = "a code, unit or name holds no control characters";
                    broken.push(Violation::new(field, ViolationCode::Malformed, message));
                }
                Ok(_) => {}
            }
        }
        broken
    }
}

/// Lines in words, as a history tells them: `12 × Panel, 1 × Inverter`; beyond the first five, how many more there are.
#[must_use]
pub(crate) fn in_words(lines: &[Line]) -> String {
    const TOLD: usize = 5;
    let one = |line: &Line| {
        let what = line.description.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = what.chars().take(60).collect();
        let more = if short.len() < what.len() { "…" } else { "" };
        format!("{} × {short}{more}", line.quantity)
    };
    let mut words = lines.iter().take(TOLD).map(one).collect::<Vec<_>>().join(", ");
    if let Some(more) = lines.len().checked_sub(TOLD).filter(|more| *more > 0) {
        words.push_str(&format!(" and {more} more"));
    }
    words
}

impl Totals {
    /// What these lines add up to in this currency.
    ///
    /// # Errors
    /// `Invalid` with every broken rule of every line (`lines[3].quantity`), when there are more than [`MAX_LINES`], or
    /// when a sum reaches 10¹⁴.
    pub fn of(lines: &[Line], currency: Option<Currency>) -> Result<Self> {
        if lines.len() > MAX_LINES {
            let message = "there can be at most 1,000 lines";
            return Err(Error::invalid_field("lines", ViolationCode::LimitReached, message));
        }
        let places = places(currency);
        let mut broken = Vec::new();
        let (mut net, mut discount) = (0_i128, 0_i128);
        let mut rates: BTreeMap<(Option<&str>, Decimal), i128> = BTreeMap::new();
        for (n, line) in lines.iter().enumerate() {
            match line.units(places) {
                Ok(units) => {
                    net = net.saturating_add(units.net);
                    discount = discount.saturating_add(units.discount);
                    if let Some(tax) = &line.tax {
                        let name = tax.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
                        let sum = rates.entry((name, tax.percent.normalize())).or_default();
                        *sum = sum.saturating_add(units.net);
                    }
                }
                Err(found) => broken.extend(found.into_iter().map(|violation| Violation {
                    field: format!("lines[{n}].{}", violation.field),
                    ..violation
                })),
            }
        }
        if !broken.is_empty() {
            return Err(Error::invalid(broken));
        }
        let mut sums = vec![net, discount];
        let mut tax = 0_i128;
        let mut taxes = Vec::with_capacity(rates.len());
        for ((name, rate), sum) in rates {
            let part = share(sum, units(rate, SCALE).unwrap_or(0), places);
            tax = tax.saturating_add(part);
            sums.extend([sum, part]);
            taxes.push((name.map(str::to_owned), rate, sum, part));
        }
        let gross = net.saturating_add(tax);
        sums.extend([tax, gross]);
        if sums.iter().any(|sum| sum.abs() >= units_of(MAX_AMOUNT)) {
            let message = "the totals must stay below 100,000,000,000,000";
            return Err(Error::invalid_field("lines", ViolationCode::OutOfRange, message));
        }
        let taxes = taxes.into_iter().map(|(name, percent, net, tax)| TaxTotal {
            name,
            percent,
            net: decimal(net),
            tax: decimal(tax),
        });
        Ok(Self {
            net: decimal(net),
            discount: decimal(discount),
            taxes: taxes.collect(),
            tax: decimal(tax),
            gross: decimal(gross),
        })
    }
}

#[cfg(test)]
mod tests;
