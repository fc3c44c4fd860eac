//! Numbers as they are typed, with their country and without.

use super::{MIN_KEY_DIGITS, Phone, digits_of, split_extension};

impl Phone {
    /// Whether this is the same number with its country: of one record, where nobody has two numbers that differ in nothing else.
    pub(crate) fn completes(&self, typed: &Self) -> bool {
        let (Some(full), None) = (&self.e164, &typed.e164) else { return false };
        let number = split_extension(&typed.text).0;
        let digits = digits_of(number);
        // A trunk prefix is not dialled from abroad.
        let national = digits.trim_start_matches('0');
        let country = full.strip_suffix(national).map_or(0, |country| country.len().saturating_sub(1));
        self.extension == typed.extension
            && !number.trim_start().starts_with('+')
            && national.len() >= MIN_KEY_DIGITS
            && country > 0
            && full.get(1..=country) == calling_code(full).as_deref()
    }

    /// The [match key](Self::match_key) of the same text where nobody said the country it is dialled from.
    pub(crate) fn key_as_typed(&self) -> Option<String> {
        let number = split_extension(&self.text).0;
        let digits = self.e164.as_ref().map(|_| digits_of(number))?;
        (digits.len() >= MIN_KEY_DIGITS && !number.trim_start().starts_with('+')).then_some(digits)
    }
}

/// The digits of a number with its country that stand for that.
#[cfg(feature = "phone")]
fn calling_code(e164: &str) -> Option<String> {
    let number = rlibphonenumber::PHONE_NUMBER_UTIL.parse(e164, None).ok()?;
    Some(number.country_code.to_string())
}

/// Nobody knows them without numbering plans.
#[cfg(not(feature = "phone"))]
const fn calling_code(_e164: &str) -> Option<String> {
    None
}

#[cfg(all(test, feature = "phone"))]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_completed_by_its_country_alone() {
        for (full, typed, is_it) in [
            ("+47 91234567", "91234567", true),
            ("+44 20 7946 0958", "020 7946 0958", true),
            ("+47 91234567", "1234567", false),
            ("+44 20 7946 0958", "7946 0958", false),
            ("+1 212 555 1234", "(212) 555-1234", true),
            ("+420 601 234 567", "601234567", true),
        ] {
            let [full, typed] = [full, typed].map(|text| Phone::parse(text, None).unwrap());
            assert_eq!(full.completes(&typed), is_it, "{full:?} {typed:?}");
        }
    }
}
