//! Currencies (ISO 4217).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::fold::{malformed, trimmed};
use crate::error::{ValueError, ViolationCode};

/// A currency: its ISO 4217 code of three letters.
///
/// What a person types is checked against the list of today ([`parse`](Self::parse)); what a store holds is taken as
/// it is ([`from_stored`](Self::from_stored)), because codes are withdrawn (`ANG` in 2025) and old amounts stay.
///
/// ```
/// use leadcore::value::Currency;
/// let currency = Currency::parse("usd")?;
/// assert_eq!((currency.code(), currency.exponent()), ("USD", Some(2)));
/// assert!(Currency::parse("ANG").is_err());
/// assert_eq!(Currency::from_stored("ANG")?.code(), "ANG");
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Reads a code of today's ISO 4217 list in upper or lower case.
    ///
    /// # Errors
    /// When the text is not a code of three letters, or not in the list.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let text = trimmed(text, 16, "the currency")?;
        let currency = Self::from_stored(&text.to_ascii_uppercase())?;
        if currency.iso().is_none() {
            return Err(ValueError::new(ViolationCode::Unknown, "there is no such currency"));
        }
        Ok(currency)
    }

    /// Takes any code of three upper-case letters, also one that ISO has withdrawn or not listed yet.
    ///
    /// # Errors
    /// When the text is anything else than three letters `A` to `Z`.
    pub fn from_stored(code: &str) -> Result<Self, ValueError> {
        match code.as_bytes() {
            &[a, b, c] if code.bytes().all(|b| b.is_ascii_uppercase()) => Ok(Self([a, b, c])),
            _ => Err(malformed("a currency is a code of three letters")),
        }
    }

    /// All of today's list that amounts are paid in, by their codes.
    #[cfg(feature = "xlsx")]
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let letters = b'A'..=b'Z';
        let codes = letters.clone().flat_map(move |a| {
            let rest = letters.clone();
            rest.clone().flat_map(move |b| rest.clone().map(move |c| Self([a, b, c])))
        });
        codes.filter(|code| code.exponent().is_some())
    }

    /// The code, upper case.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The usual symbol (`$`, `€`, `kr.`); the code when there is none.
    #[must_use]
    pub fn symbol(self) -> String {
        match self.iso().map(|iso| iso.symbol().symbol) {
            Some(symbol) if !symbol.is_empty() && symbol != "¤" => symbol,
            _ => self.code().to_owned(),
        }
    }

    /// The English name, when the currency is in today's list.
    #[must_use]
    pub fn name(self) -> Option<String> {
        self.iso().map(|iso| iso.name().to_owned())
    }

    /// How many decimal places the smallest unit has: 2 for `USD`, 0 for `JPY`, 3 for `KWD`. Nothing for a code that
    /// has no unit (`XAU`) or is not in today's list.
    #[must_use]
    pub fn exponent(self) -> Option<u32> {
        self.iso().and_then(iso_currency::Currency::exponent).map(u32::from)
    }

    fn iso(self) -> Option<iso_currency::Currency> {
        iso_currency::Currency::from_code(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl FromStr for Currency {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(text)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// As [`Currency::from_stored`]: what was written once can always be read.
impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_stored(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn knows_today_s_currencies() {
        for (text, code, exponent) in
            [("usd", "USD", 2), (" EUR ", "EUR", 2), ("Jpy", "JPY", 0), ("KWD", "KWD", 3), ("CLF", "CLF", 4)]
        {
            let currency = Currency::parse(text).unwrap();
            assert_eq!((currency.code(), currency.exponent()), (code, Some(exponent)));
        }
        assert_eq!(Currency::parse("EUR").unwrap().symbol(), "€");
        assert_eq!(Currency::from_stored("ANG").unwrap().symbol(), "ANG");
        assert_eq!(Currency::from_stored("ANG").unwrap().exponent(), None);
        assert_eq!(Currency::parse("XAU").unwrap().symbol(), "XAU");
        assert_eq!(Currency::parse("NOK").unwrap().name().as_deref(), Some("Norwegian krone"));
    }

    #[test]
    fn refuses_the_rest() {
        for (text, code) in [
            ("", ViolationCode::Required),
            ("US", ViolationCode::Malformed),
            ("$", ViolationCode::Malformed),
            ("U$D", ViolationCode::Malformed),
            ("ééé", ViolationCode::Malformed),
            ("ABC", ViolationCode::Unknown),
            ("ANG", ViolationCode::Unknown),
        ] {
            assert_eq!(Currency::parse(text).unwrap_err().code(), code, "{text}");
        }
        assert!(Currency::from_stored("usd").is_err());
    }

    proptest! {
        #[test]
        fn stored_codes_round_trip(code in "[A-Z]{3}") {
            let currency = Currency::from_stored(&code).unwrap();
            let json = serde_json::to_string(&currency).unwrap();
            prop_assert_eq!(serde_json::from_str::<Currency>(&json).unwrap(), currency);
            prop_assert!(!currency.symbol().is_empty());
        }
    }
}
