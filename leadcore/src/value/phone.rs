//! Phone numbers.

#[cfg(feature = "csv")]
mod typed;

use serde::{Deserialize, Serialize};

use super::country::Country;
use super::fold::{malformed, trimmed};
use super::list::read_list;
use crate::error::ValueError;

/// Longest text kept for one number.
const MAX_CHARS: usize = 64;
/// Fewer digits than this are no phone number (three are: emergency and short numbers).
const MIN_DIGITS: usize = 3;
/// Fewer digits than this do not identify anyone, so they make no match key.
const MIN_KEY_DIGITS: usize = 7;
/// Digits of an international number (ITU-T E.164) as accepted without the numbering plans.
#[cfg_attr(feature = "phone", expect(dead_code, reason = "only the reader without numbering plans asks"))]
const E164_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// The longest extension kept.
const MAX_EXTENSION: usize = 20;

/// A phone number: the text as it was typed, and its E.164 form when it could be understood.
///
/// A number that cannot be understood is kept all the same and can be searched by its digits; only text with fewer
/// than three digits is refused. With the feature `phone`, every country's numbering plan is known; without it only
/// international numbers (`+47 …`, `0047 …`) get an E.164 form, and none is called valid.
///
/// ```
/// use leadcore::value::Phone;
/// let phone = Phone::parse("+47 22 22 55 55", None)?;
/// assert_eq!(phone.as_str(), "+47 22 22 55 55");
/// assert_eq!(phone.e164(), Some("+4722225555"));
/// assert_eq!(phone.match_key().as_deref(), Some("+4722225555"));
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Phone {
    text: String,
    e164: Option<String>,
    extension: Option<String>,
    valid: bool,
}

#[derive(Serialize, Deserialize)]
struct Raw {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e164: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extension: Option<String>,
    #[serde(default)]
    valid: bool,
}

/// What the numbering plans say about a text.
struct Understood {
    e164: String,
    extension: Option<String>,
    valid: bool,
}

impl Phone {
    /// Reads one number. `default_region` is where a number without country code is dialled from.
    ///
    /// # Errors
    /// When the text is longer than 64 characters or has fewer than three digits.
    pub fn parse(text: &str, default_region: Option<Country>) -> Result<Self, ValueError> {
        let text = checked_text(text)?;
        if let Some(found) = understand(text, default_region) {
            let Understood { e164, extension, valid } = found;
            return Ok(Self { text: text.to_owned(), e164: Some(e164), extension, valid });
        }
        let (_, extension) = split_extension(text);
        Ok(Self { text: text.to_owned(), e164: None, extension, valid: false })
    }

    /// What a store holds, checked for form but not read anew: the numbering plans of today may differ from those
    /// of the day the number was entered.
    ///
    /// # Errors
    /// When a part does not have its form, or a number is valid without an E.164 form.
    pub fn from_stored(
        text: &str,
        e164: Option<&str>,
        extension: Option<&str>,
        valid: bool,
    ) -> Result<Self, ValueError> {
        let text = checked_text(text)?;
        let e164_ok = e164.is_none_or(|e164| {
            e164.strip_prefix('+')
                .is_some_and(|d| (3..=20).contains(&d.len()) && d.bytes().all(|b| b.is_ascii_digit()))
        });
        let extension_ok = extension.is_none_or(|extension| {
            (1..=MAX_EXTENSION).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_digit())
        });
        if !e164_ok || !extension_ok || (valid && e164.is_none()) {
            return Err(malformed("the stored parts of the phone number are malformed"));
        }
        Ok(Self {
            text: text.to_owned(),
            e164: e164.map(str::to_owned),
            extension: extension.map(str::to_owned),
            valid,
        })
    }

    /// Reads several numbers from one input, separated by commas, semicolons or line breaks. Blank entries are
    /// skipped; the message of a refusal names the position, counted from 1. A separator before an extension
    /// (`, ext. 12`, `;ext=12`) does not separate.
    ///
    /// ```
    /// use leadcore::value::Phone;
    /// let all = Phone::split_list("+4722225555; +1 917-584-0243 x4606", None);
    /// assert_eq!(all.len(), 2);
    /// assert!(all.iter().all(Result::is_ok));
    /// ```
    #[must_use]
    pub fn split_list(text: &str, default_region: Option<Country>) -> Vec<Result<Self, ValueError>> {
        Self::read_list(text, |entry| Self::parse(entry, default_region))
    }

    /// What `read` makes of each entry of such a list.
    pub(crate) fn read_list<T>(
        text: &str,
        read: impl Fn(&str) -> Result<T, ValueError>,
    ) -> Vec<Result<T, ValueError>> {
        read_list(["phone number", "phone numbers"], text, split_numbers, read)
    }

    /// The number as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The number in E.164 form (`+4722225555`), without extension, when it is at least a possible one.
    #[must_use]
    pub fn e164(&self) -> Option<&str> {
        self.e164.as_deref()
    }

    /// The extension's digits.
    #[must_use]
    pub fn extension(&self) -> Option<&str> {
        self.extension.as_deref()
    }

    /// Whether the number exists in its country's numbering plan.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.valid
    }

    /// Every digit that was typed, in ASCII: what a search for digits looks into.
    #[must_use]
    pub fn digits(&self) -> String {
        digits_of(&self.text)
    }

    /// What two spellings of one number have in common: the E.164 form, else the digits without extension when there
    /// are at least seven.
    #[must_use]
    pub fn match_key(&self) -> Option<String> {
        if let Some(e164) = &self.e164 {
            return Some(e164.clone());
        }
        let digits = digits_of(split_extension(&self.text).0);
        (digits.len() >= MIN_KEY_DIGITS).then_some(digits)
    }
}

impl AsRef<str> for Phone {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::fmt::Display for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.text)
    }
}

impl TryFrom<Raw> for Phone {
    type Error = ValueError;

    fn try_from(raw: Raw) -> Result<Self, ValueError> {
        Self::from_stored(&raw.text, raw.e164.as_deref(), raw.extension.as_deref(), raw.valid)
    }
}

impl From<Phone> for Raw {
    fn from(phone: Phone) -> Self {
        let Phone { text, e164, extension, valid } = phone;
        Self { text, e164, extension, valid }
    }
}

fn checked_text(text: &str) -> Result<&str, ValueError> {
    let text = trimmed(text, MAX_CHARS, "the phone number")?;
    if text.chars().filter_map(digit).take(MIN_DIGITS).count() < MIN_DIGITS {
        return Err(malformed("a phone number needs at least three digits"));
    }
    Ok(text)
}

/// The ASCII digit for a decimal digit of any script.
fn digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return c.is_ascii_digit().then_some(c);
    }
    if !c.is_numeric() {
        return None;
    }
    let mut ascii = deunicode::deunicode_char(c)?.chars();
    match (ascii.next(), ascii.next()) {
        (Some(digit), None) if digit.is_ascii_digit() => Some(digit),
        _ => None,
    }
}

fn digits_of(text: &str) -> String {
    text.chars().filter_map(digit).collect()
}

/// Cuts `x4606`, `ext. 12`, `;ext=12`, `#12` off the end of a number that the numbering plans could not read.
fn split_extension(text: &str) -> (&str, Option<String>) {
    let number = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let extension = text.get(number.len()..).unwrap_or_default();
    if !(1..=MAX_EXTENSION).contains(&extension.len()) {
        return (text, None);
    }
    let lead = number.trim_end_matches([' ', '.', ':', '=', '\u{a0}']);
    let marker = ["extension", "ext", "x", "#"].into_iter().find_map(|marker| {
        let at = lead.len().checked_sub(marker.len())?;
        let tail = lead.get(at..)?;
        if tail.eq_ignore_ascii_case(marker) { lead.get(..at) } else { None }
    });
    match marker {
        Some(number) if number.chars().filter_map(digit).count() >= MIN_DIGITS => {
            (number.trim_end_matches([' ', ',', ';', '\u{a0}']), Some(extension.to_owned()))
        }
        _ => (text, None),
    }
}

fn split_numbers(text: &str) -> Vec<&str> {
    let mut entries = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(at) = rest.get(from..).and_then(|tail| tail.find([',', ';', '\n', '\r'])).map(|i| i + from)
    {
        let (entry, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let separates =
            tail.starts_with(['\n', '\r']) || !starts_parameter(tail.get(1..).unwrap_or_default());
        if separates {
            entries.push(entry);
            rest = tail.get(1..).unwrap_or_default();
            from = 0;
        } else {
            from = at + 1;
        }
    }
    entries.push(rest);
    entries
}

/// Whether what follows a comma or semicolon still belongs to the number: an extension or an RFC 3966 parameter.
fn starts_parameter(tail: &str) -> bool {
    let tail = tail.trim_start_matches([' ', '\u{a0}']);
    let begins = |word: &str| tail.get(..word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word));
    begins("ext") || begins("isub=") || begins("phone-context=") || {
        let mut chars = tail.chars();
        matches!(chars.next(), Some('x' | 'X' | '#'))
            && chars.next().is_some_and(|c| c == ' ' || c.is_ascii_digit())
    }
}

#[cfg(feature = "phone")]
fn understand(text: &str, default_region: Option<Country>) -> Option<Understood> {
    let region = default_region.and_then(|c| rlibphonenumber::Region::from_code(c.code()).ok());
    let direct = ask(text, region);
    if direct.as_ref().is_some_and(|found| found.valid) {
        return direct;
    }
    // `00` is the international prefix in most of the world, and in files from all of it; where the region dials
    // another one, the text is taken so only when that gives a valid number.
    let international = text.strip_prefix("00").filter(|rest| !rest.starts_with('0'));
    match international.and_then(|rest| ask(&format!("+{rest}"), None)) {
        Some(found) if found.valid || direct.is_none() => Some(found),
        _ => direct,
    }
}

#[cfg(feature = "phone")]
fn ask(text: &str, region: Option<rlibphonenumber::Region>) -> Option<Understood> {
    use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};

    let number = PHONE_NUMBER_UTIL.parse(text, region).ok()?;
    if !PHONE_NUMBER_UTIL.is_possible_number(&number) {
        return None;
    }
    let e164 = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned();
    let valid = PHONE_NUMBER_UTIL.is_valid_number(&number);
    let extension = number
        .extension
        .filter(|e| (1..=MAX_EXTENSION).contains(&e.len()) && e.bytes().all(|b| b.is_ascii_digit()));
    Some(Understood { e164, extension, valid })
}

/// Without numbering plans: `+` or `00`, then 7 to 15 digits with the usual separators.
#[cfg(not(feature = "phone"))]
fn understand(text: &str, _default_region: Option<Country>) -> Option<Understood> {
    let (number, extension) = split_extension(text);
    let rest = number.strip_prefix('+').or_else(|| number.strip_prefix("00"))?;
    let plain = rest.chars().all(|c| {
        digit(c).is_some()
            || matches!(c, ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}' | '\u{2010}'..='\u{2013}')
    });
    let digits = digits_of(rest);
    // `(0)` is a trunk prefix that only some countries drop.
    if !plain || rest.contains("(0)") || digits.starts_with('0') || !E164_DIGITS.contains(&digits.len()) {
        return None;
    }
    Some(Understood { e164: format!("+{digits}"), extension, valid: false })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ViolationCode;

    fn phone(text: &str) -> Phone {
        Phone::parse(text, None).unwrap()
    }

    #[test]
    fn reads_international_numbers_with_and_without_plans() {
        for (text, e164, extension) in [
            ("+47 22 22 55 55", "+4722225555", None),
            ("0047 22225555", "+4722225555", None),
            ("+1-917-584-0243x4606", "+19175840243", Some("4606")),
            ("001-917-584-0243 ext. 12", "+19175840243", Some("12")),
            ("+44 20 8765 4321", "+442087654321", None),
        ] {
            let phone = phone(text);
            assert_eq!((phone.e164(), phone.extension()), (Some(e164), extension), "{text}");
            assert_eq!(phone.as_str(), text);
            assert_eq!(phone.match_key().as_deref(), Some(e164));
            assert_eq!(phone.is_valid(), cfg!(feature = "phone"), "{text}");
        }
    }

    #[cfg(feature = "phone")]
    #[test]
    fn reads_national_numbers_of_the_region() {
        let us = Country::parse("US").ok();
        for (text, region, e164) in [
            ("917-584-0243x4606", us, "+19175840243"),
            ("001-917-584-0243", us, "+19175840243"),
            ("(917) 584 0243", us, "+19175840243"),
            ("0047 22225555", us, "+4722225555"),
            ("070 7086 0753", Country::parse("GB").ok(), "+447070860753"),
            ("+44 (0)20 8765 4321", None, "+442087654321"),
        ] {
            let phone = Phone::parse(text, region).unwrap();
            assert_eq!(phone.e164(), Some(e164), "{text}");
            assert!(phone.is_valid(), "{text}");
        }
        assert_eq!(Phone::parse("917-584-0243x4606", us).unwrap().extension(), Some("4606"));
        assert!(Phone::parse("800 SIX-flag", us).unwrap().is_valid());
    }

    #[test]
    fn keeps_what_it_cannot_read() {
        let unread = phone("917-584-0243x4606");
        assert_eq!((unread.e164(), unread.extension(), unread.is_valid()), (None, Some("4606"), false));
        assert_eq!(unread.digits(), "91758402434606");
        assert_eq!(unread.match_key().as_deref(), Some("9175840243"));
        assert_eq!(phone("call 12345").match_key(), None);
        assert_eq!(phone("१२३४५६७").digits(), "1234567");
        assert_eq!(phone("12 34 56 #").extension(), None);
    }

    #[test]
    fn refuses_what_is_no_number() {
        for (text, code) in [
            ("", ViolationCode::Required),
            ("n/a", ViolationCode::Malformed),
            ("12", ViolationCode::Malformed),
            ("12\u{0}3", ViolationCode::Malformed),
            (&"1".repeat(65), ViolationCode::TooLong),
        ] {
            assert_eq!(Phone::parse(text, None).unwrap_err().code(), code, "{text:?}");
        }
    }

    #[test]
    fn lists_are_split_but_not_before_an_extension() {
        let list =
            Phone::split_list("+4722225555, +19175840243 , ext 12;tel:+19175840243;ext=7\n12\r\n;", None);
        assert_eq!(list.len(), 4);
        assert_eq!(list[1].as_ref().unwrap().extension(), Some("12"));
        assert_eq!(list[2].as_ref().unwrap().as_str(), "tel:+19175840243;ext=7");
        assert!(list[3].as_ref().unwrap_err().message().starts_with("phone number 4: "));
        let hostile = ",x 1".repeat(20_000);
        assert!(Phone::split_list(&hostile, None).iter().all(Result::is_err));
    }

    #[test]
    fn stored_numbers_are_checked_for_form() {
        let phone = phone("+1-917-584-0243x4606");
        let json = serde_json::to_string(&phone).unwrap();
        assert_eq!(serde_json::from_str::<Phone>(&json).unwrap(), phone);
        assert!(Phone::from_stored("123", Some("123"), None, false).is_err());
        assert!(Phone::from_stored("123", None, None, true).is_err());
        assert!(Phone::from_stored("123", None, Some("x"), false).is_err());
        assert!(serde_json::from_str::<Phone>(r#"{"text":"hello"}"#).is_err());
    }

    proptest! {
        #[test]
        fn text_with_three_digits_is_always_kept(text in "[+()0-9a-zA-Z .,;#=-]{0,40}[0-9]{3}[a-z ]{0,5}") {
            let phone = Phone::parse(&text, Country::parse("US").ok()).unwrap();
            prop_assert_eq!(phone.as_str(), text.trim());
            let json = serde_json::to_string(&phone).unwrap();
            prop_assert_eq!(serde_json::from_str::<Phone>(&json).unwrap(), phone);
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let _ = Phone::parse(&text, None);
            let _ = Phone::split_list(&text, Country::parse("NO").ok());
        }
    }
}
