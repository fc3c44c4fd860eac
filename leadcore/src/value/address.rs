//! Postal addresses.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::country::Country;
use super::fold::check_text;
use crate::error::ValueError;

/// Longest street (which may have several lines), city or state.
const MAX_PART: usize = 500;
/// Longest postal code; the longest in use have ten characters.
const MAX_POSTAL_CODE: usize = 32;

/// A postal address in parts, each kept byte for byte as it was given. A blank part is none.
///
/// The postal code is text: leading zeros belong to it, and not every country uses digits.
///
/// ```
/// use leadcore::value::{Address, Country};
/// let address = Address::new()
///     .with_street("Karl Johans gate 1")?
///     .with_postal_code("0154")?
///     .with_city("Oslo")?
///     .with_country(Some(Country::parse("Norge")?));
/// assert_eq!(address.postal_code(), Some("0154"));
/// assert_eq!(address.one_line(), "Karl Johans gate 1, 0154 Oslo, Norway");
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Address {
    street: Option<String>,
    city: Option<String>,
    state: Option<String>,
    postal_code: Option<String>,
    country: Option<Country>,
}

#[derive(Serialize, Deserialize)]
struct Raw {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    street: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    city: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    country: Option<Country>,
}

impl Address {
    /// An address without any part.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What a store holds: parts that were checked before they were written. Only for that: their lengths are not
    /// checked again. A blank part is none here too.
    #[must_use]
    pub fn from_stored(
        street: Option<&str>,
        city: Option<&str>,
        state: Option<&str>,
        postal_code: Option<&str>,
        country: Option<Country>,
    ) -> Self {
        let part = |text: Option<&str>| text.filter(|text| !text.trim_start().is_empty()).map(str::to_owned);
        Self {
            street: part(street),
            city: part(city),
            state: part(state),
            postal_code: part(postal_code),
            country,
        }
    }

    /// Sets street and number; may have several lines. A blank text clears it.
    ///
    /// # Errors
    /// When the text holds NUL or is longer than 500 characters.
    pub fn with_street(mut self, text: &str) -> Result<Self, ValueError> {
        self.street = part(text, MAX_PART)?;
        Ok(self)
    }

    /// Sets the city. A blank text clears it.
    ///
    /// # Errors
    /// When the text holds NUL or is longer than 500 characters.
    pub fn with_city(mut self, text: &str) -> Result<Self, ValueError> {
        self.city = part(text, MAX_PART)?;
        Ok(self)
    }

    /// Sets the state, province or county. A blank text clears it.
    ///
    /// # Errors
    /// When the text holds NUL or is longer than 500 characters.
    pub fn with_state(mut self, text: &str) -> Result<Self, ValueError> {
        self.state = part(text, MAX_PART)?;
        Ok(self)
    }

    /// Sets the postal code. A blank text clears it.
    ///
    /// # Errors
    /// When the text holds NUL or is longer than 32 characters.
    pub fn with_postal_code(mut self, text: &str) -> Result<Self, ValueError> {
        self.postal_code = part(text, MAX_POSTAL_CODE)?;
        Ok(self)
    }

    /// Sets or clears the country.
    #[must_use]
    pub const fn with_country(mut self, country: Option<Country>) -> Self {
        self.country = country;
        self
    }

    /// Street and number.
    #[must_use]
    pub fn street(&self) -> Option<&str> {
        self.street.as_deref()
    }

    /// The city.
    #[must_use]
    pub fn city(&self) -> Option<&str> {
        self.city.as_deref()
    }

    /// The state, province or county.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The postal code.
    #[must_use]
    pub fn postal_code(&self) -> Option<&str> {
        self.postal_code.as_deref()
    }

    /// The country.
    #[must_use]
    pub const fn country(&self) -> Option<Country> {
        self.country
    }

    /// Whether there is no part at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.street.is_none()
            && self.city.is_none()
            && self.state.is_none()
            && self.postal_code.is_none()
            && self.country.is_none()
    }

    /// All parts on one line, for lists and search: street, postal code and city, state, country's English name.
    /// Not the layout that a country's post prescribes.
    #[must_use]
    pub fn one_line(&self) -> String {
        let town: Vec<&str> =
            [&self.postal_code, &self.city].into_iter().flatten().map(|s| s.trim()).collect();
        let street = self.street.iter().flat_map(|s| s.lines()).map(str::trim);
        street
            .chain([town.join(" ").as_str()])
            .chain(self.state.iter().map(|s| s.trim()))
            .chain(self.country.map(Country::name))
            .filter(|s| !s.is_empty())
            .flat_map(|s| [", ", s])
            .skip(1)
            .collect()
    }
}

fn part(text: &str, max: usize) -> Result<Option<String>, ValueError> {
    check_text(text, max)?;
    if text.trim_start().is_empty() { Ok(None) } else { Ok(Some(text.to_owned())) }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.one_line())
    }
}

impl TryFrom<Raw> for Address {
    type Error = ValueError;

    fn try_from(raw: Raw) -> Result<Self, ValueError> {
        Ok(Self::new()
            .with_street(raw.street.as_deref().unwrap_or_default())?
            .with_city(raw.city.as_deref().unwrap_or_default())?
            .with_state(raw.state.as_deref().unwrap_or_default())?
            .with_postal_code(raw.postal_code.as_deref().unwrap_or_default())?
            .with_country(raw.country))
    }
}

impl From<Address> for Raw {
    fn from(address: Address) -> Self {
        let Address { street, city, state, postal_code, country } = address;
        Self { street, city, state, postal_code, country }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ViolationCode;

    #[test]
    fn blank_parts_are_none() {
        let address = Address::new().with_city("  ").unwrap();
        assert!(address.is_empty());
        assert_eq!(address.one_line(), "");
        let cleared = Address::new().with_city("Oslo").unwrap().with_city("").unwrap();
        assert_eq!(cleared, Address::new());
    }

    #[test]
    fn prints_on_one_line() {
        let address = Address::new().with_street("1 Main St\r\nSuite 4").unwrap();
        let address = address.with_city("Chicago").unwrap().with_state("IL").unwrap();
        assert_eq!(address.one_line(), "1 Main St, Suite 4, Chicago, IL");
        let full = address.with_postal_code("00347").unwrap().with_country(Country::parse("US").ok());
        assert_eq!(full.to_string(), "1 Main St, Suite 4, 00347 Chicago, IL, United States");
    }

    #[test]
    fn lengths_and_nul_are_refused() {
        let long = "ä".repeat(501);
        assert_eq!(Address::new().with_city(&long).unwrap_err().code(), ViolationCode::TooLong);
        assert_eq!(
            Address::new().with_postal_code(&"1".repeat(33)).unwrap_err().code(),
            ViolationCode::TooLong
        );
        assert_eq!(Address::new().with_state("\0").unwrap_err().code(), ViolationCode::Malformed);
        assert!(serde_json::from_str::<Address>(r#"{"city":"\u0000"}"#).is_err());
    }

    proptest! {
        #[test]
        fn parts_come_back_byte_for_byte(street in "\\PC{1,40}", zip in "0{0,3}[0-9]{1,5}") {
            prop_assume!(!street.trim().is_empty());
            let address = Address::new().with_street(&street).unwrap().with_postal_code(&zip).unwrap();
            let json = serde_json::to_string(&address).unwrap();
            let back: Address = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(back.street(), Some(street.as_str()));
            prop_assert_eq!(back.postal_code(), Some(zip.as_str()));
            let (street, zip) = (address.street(), address.postal_code());
            prop_assert_eq!(Address::from_stored(street, Some(" "), None, zip, None), address);
        }
    }
}
