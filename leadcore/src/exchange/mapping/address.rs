//! One line that holds a whole address, in its parts.

use crate::value::Country;

/// The parts of an address line. What cannot be told apart stays in the street.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::exchange) struct AddressLine {
    pub(in crate::exchange) street: String,
    pub(in crate::exchange) city: Option<String>,
    pub(in crate::exchange) region: Option<String>,
    pub(in crate::exchange) postal_code: Option<String>,
    pub(in crate::exchange) country: Option<Country>,
}

impl AddressLine {
    /// Splits a line at its commas, semicolons and line breaks. From its end: a country, then the segment with the postal
    /// code and what belongs to it; what stands before is the street. Without a postal code the last of two or more segments
    /// is the city, unless it has digits.
    pub(in crate::exchange) fn split(text: &str) -> Self {
        let mut segments: Vec<&str> =
            text.split([',', ';', '\n', '\r']).map(str::trim).filter(|segment| !segment.is_empty()).collect();
        let mut line = Self::default();
        if segments.len() > 1
            && let Some(country) = segments.last().and_then(|last| Country::parse(last).ok())
            // `CA` and `IL` are states behind a city and countries alone.
            && (segments.last().is_some_and(|last| last.chars().count() > 2) || segments.len() > 2)
        {
            line.country = Some(country);
            segments.pop();
        }
        let coded = segments.iter().enumerate().rev().find_map(|(place, segment)| {
            // A street number is no postal code: the street stands first.
            (place > 0 || segments.len() == 1).then(|| Some((place, Coded::of(segment)?))).flatten()
        });
        match coded {
            Some((place, coded)) if place > 0 => {
                line.postal_code = Some(coded.code.to_owned());
                line.region = coded.region.map(str::to_owned);
                let mut street = segments.get(..place).unwrap_or_default();
                let mut behind = segments.get(place + 1..).unwrap_or_default();
                line.city = coded.city.map(str::to_owned);
                if line.city.is_none() {
                    // `Springfield, IL 62704` and `62704, Springfield`.
                    if let ([_, .., city], _) = (street, behind) {
                        line.city = Some((*city).to_owned());
                        street = street.get(..street.len() - 1).unwrap_or_default();
                    } else if let [city, rest @ ..] = behind {
                        line.city = Some((*city).to_owned());
                        behind = rest;
                    }
                }
                if line.region.is_none()
                    && let [region] = behind
                {
                    line.region = Some((*region).to_owned());
                    behind = &[];
                }
                line.street = street.iter().chain(behind).copied().collect::<Vec<_>>().join(", ");
            }
            _ => {
                let has_digit = |segment: &str| segment.chars().any(char::is_numeric);
                if let [_, .., city] = segments.as_slice()
                    && !has_digit(city)
                {
                    line.city = Some((*city).to_owned());
                    segments.pop();
                }
                line.street = segments.join(", ");
            }
        }
        line
    }
}

/// A segment with a postal code.
struct Coded<'t> {
    code: &'t str,
    city: Option<&'t str>,
    region: Option<&'t str>,
}

impl<'t> Coded<'t> {
    /// `0154 Oslo`, `SE-111 22 Stockholm`, `1012 AB Amsterdam`, `IL 62704`, `Springfield IL 62704-1234`, `London SW1A 1AA`.
    fn of(segment: &'t str) -> Option<Self> {
        let words: Vec<&str> = segment.split(' ').filter(|word| !word.is_empty()).collect();
        let pairs = |at: usize| Some((*words.get(at)?, words.get(at + 1)?));
        let code_of = |from: usize, to: usize| {
            let (first, last) = (words.get(from)?, words.get(to)?);
            let begin = offset(segment, first)?;
            segment.get(begin..offset(segment, last)? + last.len())
        };
        let text = |part: Option<&'t str>| part.map(str::trim).filter(|part| !part.is_empty());
        // In front: with its second half, or alone.
        if let Some((first, second)) = pairs(0)
            && is_split_code(first, second)
        {
            let code = code_of(0, 1)?;
            let city = segment.get(offset(segment, second)? + second.len()..);
            return Some(Self { code, city: text(city), region: None });
        }
        let first = *words.first()?;
        if is_code(first) && (words.len() > 1 || first.len() > 2) {
            let behind = segment.get(offset(segment, first)? + first.len()..);
            return Some(Self { code: first, city: text(behind), region: None });
        }
        // At the end, perhaps behind a state.
        let count = words.len();
        let (begin, code) = match count.checked_sub(2).and_then(pairs) {
            Some((first, second)) if is_split_code(first, second) => {
                (count - 2, code_of(count - 2, count - 1)?)
            }
            _ => (count - 1, *words.last().filter(|last| is_code(last))?),
        };
        let before = segment.get(..offset(segment, words.get(begin)?)?)?.trim();
        let is_state =
            |word: &&str| (2..=3).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase());
        let state = before.rsplit(' ').next().filter(is_state);
        let city = state.map_or(before, |state| before.strip_suffix(state).unwrap_or(before));
        Some(Self { code, city: text(Some(city)), region: state })
    }
}

/// Where a part lies in its text.
fn offset(text: &str, part: &str) -> Option<usize> {
    (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)
}

/// Four to six digits, perhaps behind a country's letters (`NO-0154`, `D-10115`), or with four more (`62704-1234`,
/// `01310-100`).
fn is_code(word: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (head, tail) = word.split_once('-').unwrap_or((word, ""));
    match (digits(head), head.len(), digits(tail), tail.len()) {
        (true, 4..=6, _, 0) | (true, 5, true, 3..=4) | (true, 4, true, 3) | (true, 2, true, 3) => true,
        (false, 1..=2, true, 4..=6) => head.bytes().all(|byte| byte.is_ascii_uppercase()),
        _ => false,
    }
}

/// `111 22`, `SE-111 22`, `1012 AB`, `SW1A 1AA`, `K1A 0B1`
fn is_split_code(first: &str, second: &str) -> bool {
    let shape = |word: &str| -> String {
        let kind = |byte: u8| match byte {
            b'0'..=b'9' => '9',
            b'A'..=b'Z' => 'A',
            _ => '?',
        };
        word.bytes().map(kind).collect()
    };
    let (first, second) = (shape(first.rsplit('-').next().unwrap_or(first)), shape(second));
    matches!(
        (first.as_str(), second.as_str()),
        ("999", "99")
            | ("9999", "AA")
            | ("A9A", "9A9")
            | ("A9" | "A99" | "AA9" | "AA99" | "A9A" | "AA9A", "9AA")
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(text: &str) -> [String; 5] {
        let line = AddressLine::split(text);
        let country = line.country.map(|country| country.code().to_owned());
        [Some(line.street), line.postal_code, line.city, line.region, country].map(Option::unwrap_or_default)
    }

    #[test]
    fn a_line_is_split_into_its_parts() {
        for (text, expected) in [
            ("Karl Johans gate 1, 0154 Oslo, Norway", ["Karl Johans gate 1", "0154", "Oslo", "", "NO"]),
            ("Karl Johans gate 1, NO-0154 Oslo", ["Karl Johans gate 1", "NO-0154", "Oslo", "", ""]),
            ("12 Main St, Springfield, IL 62704", ["12 Main St", "62704", "Springfield", "IL", ""]),
            (
                "12 Main St, Apt 4, Springfield, IL 62704-1234, USA",
                ["12 Main St, Apt 4", "62704-1234", "Springfield", "IL", "US"],
            ),
            ("12 Main St, Springfield IL 62704", ["12 Main St", "62704", "Springfield", "IL", ""]),
            (
                "10 Downing Street, London SW1A 2AA, United Kingdom",
                ["10 Downing Street", "SW1A 2AA", "London", "", "GB"],
            ),
            (
                "Drottninggatan 5, SE-111 22 Stockholm, Sweden",
                ["Drottninggatan 5", "SE-111 22", "Stockholm", "", "SE"],
            ),
            ("Damrak 1\n1012 AB Amsterdam\nNetherlands", ["Damrak 1", "1012 AB", "Amsterdam", "", "NL"]),
            (
                "Av. Paulista 1000, São Paulo, 01310-100",
                ["Av. Paulista 1000", "01310-100", "São Paulo", "", ""],
            ),
            (
                "Unter den Linden 77; 10117 Berlin; Germany",
                ["Unter den Linden 77", "10117", "Berlin", "", "DE"],
            ),
            ("Storgata 5, Bergen", ["Storgata 5", "", "Bergen", "", ""]),
            ("Storgata 5", ["Storgata 5", "", "", "", ""]),
            ("321 Westcott Building", ["321 Westcott Building", "", "", "", ""]),
            ("1301 Hoch Drive, Suite 4", ["1301 Hoch Drive, Suite 4", "", "", "", ""]),
            ("", ["", "", "", "", ""]),
        ] {
            assert_eq!(parts(text), expected.map(str::to_owned), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "([A-Za-zø0-9]{1,6}[ ,;-]{0,2}){0,9}") {
            let line = AddressLine::split(&text);
            let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
            let kept = [Some(line.street), line.postal_code, line.city, line.region].into_iter().flatten();
            let kept: usize = kept.map(|part| letters(&part)).sum();
            prop_assert!(line.country.is_some() || kept == letters(&text), "{}", text);
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let _ = AddressLine::split(&text);
        }
    }
}
