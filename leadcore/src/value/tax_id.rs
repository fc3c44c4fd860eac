//! Tax and company registration numbers.

use unicode_normalization::UnicodeNormalization;

use super::country::Country;
use super::fold::{malformed, trimmed};
use crate::error::ValueError;

/// Longest number kept.
const MAX_CHARS: usize = 64;

/// A tax or company registration number: free text with at least one letter or digit.
///
/// Every country has its own form, and many have several, so leadcore checks none of them; a host that must, brings
/// a [`TaxIdRule`] in its [`Context`](crate::context::Context::with_tax_rule).
///
/// ```
/// use leadcore::value::TaxId;
/// let id = TaxId::parse("no 923 609 016 mva")?;
/// assert_eq!(id.as_str(), "no 923 609 016 mva");
/// assert_eq!(id.match_key(), "NO923609016MVA");
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaxId(String);

/// A host's check of tax numbers, by country.
///
/// ```
/// use leadcore::error::{ValueError, ViolationCode};
/// use leadcore::value::{Country, TaxId, TaxIdRule};
///
/// #[derive(Debug)]
/// struct NineDigitsInNorway;
///
/// impl TaxIdRule for NineDigitsInNorway {
///     fn check(&self, country: Option<Country>, id: &TaxId) -> Result<(), ValueError> {
///         let norway = country.is_some_and(|c| c.code() == "NO");
///         if norway && id.match_key().bytes().filter(u8::is_ascii_digit).count() != 9 {
///             return Err(ValueError::new(ViolationCode::Malformed, "an organisation number has nine digits"));
///         }
///         Ok(())
///     }
/// }
///
/// let norway = Some(Country::parse("NO")?);
/// assert!(TaxId::parse_with("923 609 016", norway, &NineDigitsInNorway).is_ok());
/// assert!(TaxId::parse_with("12", norway, &NineDigitsInNorway).is_err());
/// # Ok::<(), ValueError>(())
/// ```
pub trait TaxIdRule: std::fmt::Debug + Send + Sync {
    /// Refuses a number that cannot be one of `country`; `None` when the country is not known.
    ///
    /// # Errors
    /// When the number does not have the form that the rule asks for.
    fn check(&self, country: Option<Country>, id: &TaxId) -> Result<(), ValueError>;
}

impl TaxId {
    /// Takes a number as it is.
    ///
    /// # Errors
    /// When the text is longer than 64 characters or has no letter or digit.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let text = trimmed(text, MAX_CHARS, "the tax number")?;
        if !text.chars().any(char::is_alphanumeric) {
            return Err(malformed("a tax number needs letters or digits"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Takes a number that passes the host's rule.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and when the rule refuses.
    pub fn parse_with(
        text: &str,
        country: Option<Country>,
        rule: &dyn TaxIdRule,
    ) -> Result<Self, ValueError> {
        let id = Self::parse(text)?;
        rule.check(country, &id)?;
        Ok(id)
    }

    /// The number as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Letters and digits only, upper case: what two spellings of one number have in common.
    #[must_use]
    pub fn match_key(&self) -> String {
        self.0.nfkc().flat_map(char::to_uppercase).filter(|c| c.is_alphanumeric()).collect()
    }

    /// Whether people write it where they have no number: `n/a`, `none`, `unknown`, `000000000`, `xxx`. It is kept as it was
    /// typed, and nobody is recognised by it.
    ///
    /// ```
    /// use leadcore::value::TaxId;
    /// assert!(TaxId::parse("N/A")?.is_placeholder() && TaxId::parse("000 000 000")?.is_placeholder());
    /// assert!(!TaxId::parse("923 609 016")?.is_placeholder());
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        const WORDS: [&str; 12] = [
            "NA",
            "NONE",
            "UNKNOWN",
            "NULL",
            "NIL",
            "NOTAVAILABLE",
            "NOTAPPLICABLE",
            "NOTKNOWN",
            "NO",
            "PENDING",
            "TBD",
            "TEST",
        ];
        let key = self.match_key();
        let mut chars = key.chars();
        let first = chars.next();
        // A single digit may be a number that somebody counts by.
        let is_filler = key.len() > 2 || !first.is_some_and(|c| ('1'..='9').contains(&c));
        WORDS.contains(&key.as_str()) || is_filler && chars.all(|c| Some(c) == first)
    }

    /// The [`match_key`](Self::match_key) behind the code of its country, whether the number says it or only `country` does,
    /// and without what some countries write behind it to say that it is one for value added tax: `NO 923 609 016 MVA` and
    /// `923609016` of Norway are one. None where neither says a country.
    ///
    /// ```
    /// use leadcore::value::{Country, TaxId};
    /// let norway = Some(Country::parse("NO")?);
    /// assert_eq!(TaxId::parse("923609016")?.match_key_in(norway).as_deref(), Some("NO923609016"));
    /// assert_eq!(TaxId::parse("NO 923 609 016 MVA")?.match_key_in(None).as_deref(), Some("NO923609016"));
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    #[must_use]
    pub fn match_key_in(&self, country: Option<Country>) -> Option<String> {
        let (country, bare) = self.parts(country);
        Some(format!("{}{bare}", country?.code()))
    }

    /// The [`match_key`](Self::match_key) without its country and without what says that it is one for value added tax: what a
    /// number has in common with the same one of which nobody said a country.
    ///
    /// ```
    /// use leadcore::value::TaxId;
    /// assert_eq!(TaxId::parse("NO 923 609 016 MVA")?.bare_key(None), "923609016");
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    #[must_use]
    pub fn bare_key(&self, country: Option<Country>) -> String {
        self.parts(country).1
    }

    /// Whether two numbers are one, as far as they and their countries say. Numbers of two countries are two, however they are
    /// written; where only one side says a country, the rest decides.
    ///
    /// ```
    /// use leadcore::value::{Country, TaxId};
    /// let number = TaxId::parse("923609016")?;
    /// let [norway, sweden] = ["NO", "SE"].map(|code| Country::parse(code).ok());
    /// assert!(TaxId::parse("NO923609016MVA")?.is_same(norway, &number, None));
    /// assert!(!number.is_same(norway, &number, sweden));
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    #[must_use]
    pub fn is_same(&self, country: Option<Country>, other: &Self, others: Option<Country>) -> bool {
        match (self.match_key_in(country), other.match_key_in(others)) {
            // Numbers that name their country are that country's, wherever the companies are.
            (Some(one), Some(two)) => {
                let itself = self.match_key_in(None);
                one == two || itself.is_some() && itself == other.match_key_in(None)
            }
            _ => self.match_key() == other.match_key() || self.bare_key(country) == other.bare_key(others),
        }
    }

    /// The country that the number itself begins with; none that is another than `country`.
    fn said(&self, country: Option<Country>) -> Option<Country> {
        let key = self.match_key();
        let code = key.get(..2).filter(|code| code.bytes().all(|byte| byte.is_ascii_uppercase()))?;
        // Greece writes EL.
        let said = Country::parse(if code == "EL" { "GR" } else { code }).ok()?;
        let has_digits = key.get(2..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        (has_digits && country.is_none_or(|country| country == said)).then_some(said)
    }

    /// The country, if one is known, and the number without it.
    fn parts(&self, country: Option<Country>) -> (Option<Country>, String) {
        let key = self.match_key();
        let (country, number) = match self.said(country) {
            Some(said) => (Some(said), key.get(2..).unwrap_or_default()),
            None => (country, key.as_str()),
        };
        let of_country = |(of, _): &&(&str, &[&str])| country.is_none_or(|country| country.code() == *of);
        let suffixes = SUFFIXES.iter().filter(of_country).flat_map(|(_, suffixes)| suffixes.iter());
        let is_number = |bare: &&str| country.is_some() || bare.bytes().all(|byte| byte.is_ascii_digit());
        let bare = suffixes.filter_map(|suffix| number.strip_suffix(suffix)).find(is_number);
        (country, bare.filter(|bare| !bare.is_empty()).unwrap_or(number).to_owned())
    }
}

/// What is written behind a number to say that it is one for value added tax.
const SUFFIXES: &[(&str, &[&str])] = &[("NO", &["MVA"]), ("CH", &["MWST", "TVA", "IVA", "VAT"])];

super::text_value!(TaxId);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ViolationCode;

    #[test]
    fn spellings_share_a_key() {
        for text in ["DE123456789", "de 123 456 789", "DE-123.456.789", "ＤＥ１２３４５６７８９"] {
            assert_eq!(TaxId::parse(text).unwrap().match_key(), "DE123456789", "{text}");
        }
    }

    #[test]
    fn refuses_empty_long_and_empty_of_meaning() {
        for (text, code) in [
            (" ", ViolationCode::Required),
            ("--", ViolationCode::Malformed),
            ("1\0", ViolationCode::Malformed),
            (&"1".repeat(65), ViolationCode::TooLong),
        ] {
            assert_eq!(TaxId::parse(text).unwrap_err().code(), code, "{text:?}");
        }
        assert!(serde_json::from_str::<TaxId>("\"--\"").is_err());
    }

    proptest! {
        #[test]
        fn the_key_is_never_empty(text in any::<String>()) {
            if let Ok(id) = TaxId::parse(&text) {
                prop_assert!(!id.match_key().is_empty());
            }
        }
    }
}
