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
            && (1..=3).contains(&country)
    }

    /// The [match key](Self::match_key) of the same text where nobody said the country it is dialled from.
    pub(crate) fn key_as_typed(&self) -> Option<String> {
        let number = split_extension(&self.text).0;
        let digits = self.e164.as_ref().map(|_| digits_of(number))?;
        (digits.len() >= MIN_KEY_DIGITS && !number.trim_start().starts_with('+')).then_some(digits)
    }
}
