//! Amounts as people and spreadsheets write them.

use rust_decimal::Decimal;

use super::fold::{malformed, trimmed};
use crate::error::{ValueError, ViolationCode};

/// The most decimal places that are kept.
pub(super) const MAX_SCALE: u32 = 4;
/// Amounts lie below this magnitude: 10^14.
pub(super) const LIMIT: i64 = 100_000_000_000_000;
/// Longer than any amount below the limit with its separators, symbol and code.
const MAX_CHARS: usize = 64;

/// Which character separates the whole from the fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecimalMark {
    /// Decide from the text, and refuse a text that can be read in two ways.
    #[default]
    Auto,
    /// `1,234.56`
    Dot,
    /// `1.234,56`
    Comma,
}

/// Reads an amount: `$22,700.00`, `1.234,56 €`, `1 234,56 kr`, `342.09K`, `(12.50)`, `12.50-`, `500,-`.
///
/// A currency symbol or code before or after the number is skipped; `K`, `M` and `B` right after it multiply by a
/// thousand, a million, a thousand million; parentheses or a minus mean a negative amount. Groups of digits may be
/// separated by the other mark, blanks or apostrophes, and have three digits (two in the middle for Indian amounts).
///
/// With [`DecimalMark::Auto`] the text itself decides: of two different separators the last is the decimal mark; a
/// separator that occurs more than once separates groups; a single one followed by anything but three digits is the
/// decimal mark, and so is one that cannot separate groups because nothing, a zero, more than three digits or a
/// grouped number stands before it (`0.125`, `1234.567`). What remains, `1,234`, is refused: say the mark.
///
/// ```
/// use leadcore::value::{DecimalMark, parse_amount};
/// assert_eq!(parse_amount("$1,117.10K", DecimalMark::Auto)?.to_string(), "1117100.00");
/// assert_eq!(parse_amount("1.234,56 €", DecimalMark::Auto)?.to_string(), "1234.56");
/// assert!(parse_amount("1.234", DecimalMark::Auto).is_err());
/// assert_eq!(parse_amount("1.234", DecimalMark::Comma)?.to_string(), "1234");
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
///
/// # Errors
/// When the text is no amount, can be read in two ways, has more than four decimal places that are not zero, or is
/// 10^14 or more.
pub fn parse_amount(text: &str, mark: DecimalMark) -> Result<Decimal, ValueError> {
    let text = trimmed(text, MAX_CHARS, "the amount")?;
    let (text, negative) = strip_sign(text);
    let (number, suffix) = split_affixes(text)?;
    let (text_after_symbol, negative_inside) = strip_sign(number);
    let factor = suffix_factor(suffix)?;
    let plain = normalise(text_after_symbol, mark)?;
    let amount = Decimal::from_str_exact(&plain)
        .ok()
        .and_then(|amount| amount.checked_mul(Decimal::from(factor)))
        .ok_or_else(out_of_range)?;
    let amount = check_amount(amount)?;
    match (negative, negative_inside) {
        (true, true) => Err(malformed("the amount has two signs")),
        (false, false) => Ok(amount),
        _ => Ok(if amount.is_zero() { amount } else { -amount }),
    }
}

/// Holds an amount to four decimal places and the magnitude limit.
pub(super) fn check_amount(amount: Decimal) -> Result<Decimal, ValueError> {
    if amount.abs() >= Decimal::from(LIMIT) {
        return Err(out_of_range());
    }
    if amount.scale() <= MAX_SCALE {
        return Ok(amount);
    }
    let shorter = amount.normalize();
    if shorter.scale() > MAX_SCALE {
        return Err(malformed("the amount has more than four decimal places"));
    }
    Ok(shorter)
}

fn out_of_range() -> ValueError {
    ValueError::new(ViolationCode::OutOfRange, "the amount is 100,000,000,000,000 or more")
}

/// Takes off one sign or pair of parentheses.
fn strip_sign(text: &str) -> (&str, bool) {
    if let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        return (inner.trim(), true);
    }
    if let Some(rest) = text.strip_prefix(['-', '\u{2212}']) {
        return (rest.trim_start(), true);
    }
    if let Some(rest) = text.strip_prefix('+') {
        return (rest.trim_start(), false);
    }
    // `500,-` is a whole amount; `12.50-` is negative, as accounting systems print it.
    for whole in [",-", ".-", ",\u{2013}", ".\u{2013}"] {
        if let Some(rest) = text.strip_suffix(whole) {
            return (rest, false);
        }
    }
    match text.strip_suffix(['-', '\u{2212}']) {
        Some(rest) if rest.ends_with(|c: char| c.is_ascii_digit()) => (rest, true),
        _ => (text, false),
    }
}

/// Cuts the text into the number with its sign and separators, and what follows the last digit. A symbol in front is
/// checked and dropped.
fn split_affixes(text: &str) -> Result<(&str, &str), ValueError> {
    let no_digits = || malformed("the amount has no digits");
    let first = text.find(|c: char| c.is_ascii_digit()).ok_or_else(no_digits)?;
    let last = text.rfind(|c: char| c.is_ascii_digit()).ok_or_else(no_digits)?;
    let (head, suffix) = text.split_at_checked(last + 1).ok_or_else(no_digits)?;
    let (prefix, digits) = head.split_at_checked(first).ok_or_else(no_digits)?;
    // The number may begin with its sign or a bare decimal mark: `$-5`, `.5`, `-.5`.
    let symbol = prefix.trim_end_matches(['-', '\u{2212}', '+', '(', ' ', '\u{a0}']);
    let (symbol, number) = if symbol.is_empty() || is_currency(symbol.trim()) {
        (symbol, head.get(symbol.len()..).unwrap_or(digits))
    } else {
        let bare = symbol.trim_end_matches(['.', ',']);
        (bare, head.get(bare.len()..).unwrap_or(digits))
    };
    if !symbol.trim().is_empty() && !is_currency(symbol.trim()) {
        return Err(malformed("the amount holds something that is no number and no currency"));
    }
    Ok((number.trim_start_matches([' ', '\u{a0}']), suffix))
}

/// The multiplier in what follows the number, after taking off a currency.
fn suffix_factor(suffix: &str) -> Result<i64, ValueError> {
    let suffix = suffix.trim();
    // `500,-` with a currency after it: `500,- kr`.
    let suffix = suffix.strip_prefix(",-").or_else(|| suffix.strip_prefix(".-")).unwrap_or(suffix).trim();
    if suffix.is_empty() {
        return Ok(1);
    }
    let mut rest = suffix.chars();
    let factor = match rest.next() {
        Some('k' | 'K') => 1_000,
        Some('m' | 'M') => 1_000_000,
        // `B$` is the dollar of Brunei and of the Bahamas, and a thousand million dollars.
        Some('b' | 'B') if rest.as_str() == "$" => {
            return Err(malformed("the letter after the amount can be a multiplier or part of a currency"));
        }
        Some('b' | 'B') => 1_000_000_000,
        _ => 0,
    };
    let rest = rest.as_str().trim();
    if factor != 0 && (rest.is_empty() || is_currency(rest)) {
        return Ok(factor);
    }
    if is_currency(suffix) {
        return Ok(1);
    }
    Err(malformed("the amount holds something that is no number and no currency"))
}

/// Symbols and abbreviations that stand for a currency beside the ISO codes.
fn is_currency(text: &str) -> bool {
    const WORDS: [&str; 16] = [
        "kr", "kr.", "rs", "rs.", "zł", "kč", "ft", "fr", "fr.", "sfr", "sfr.", "лв", "лв.", "руб", "руб.",
        "lei",
    ];
    const SYMBOLS: [char; 8] = ['$', '¢', '£', '¥', '฿', '﷼', '￥', '＄'];
    let count = text.chars().count();
    if count == 0 || count > 4 {
        return false;
    }
    // `R$`, `US$`, `A$`, `€`: a symbol, perhaps with letters around it.
    let has_symbol = text.chars().any(|c| SYMBOLS.contains(&c) || ('\u{20a0}'..='\u{20cf}').contains(&c));
    let rest_is_letters = text
        .chars()
        .all(|c| c.is_ascii_alphabetic() || SYMBOLS.contains(&c) || ('\u{20a0}'..='\u{20cf}').contains(&c));
    (has_symbol && rest_is_letters)
        || WORDS.contains(&text.to_lowercase().as_str())
        || iso_currency::Currency::from_code(&text.to_ascii_uppercase()).is_some()
}

const fn is_group_blank(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '\'' | '\u{2019}')
}

/// Decides what the separators mean and returns `digits[.digits]`.
fn normalise(number: &str, mark: DecimalMark) -> Result<String, ValueError> {
    if let Some(c) =
        number.chars().find(|c| !(c.is_ascii_digit() || matches!(c, '.' | ',') || is_group_blank(*c)))
    {
        return Err(malformed(if c == '-' || c == '\u{2212}' || c == '+' {
            "the amount has a sign inside"
        } else {
            "the amount holds something that is no number and no currency"
        }));
    }
    let decimal = decimal_mark(number, mark)?;
    let (whole, fraction) = match decimal.and_then(|mark| number.rsplit_once(mark)) {
        Some((whole, fraction)) => (whole, fraction),
        None => (number, ""),
    };
    if decimal.is_some() && (fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit())) {
        return Err(malformed("the decimal places of the amount are malformed"));
    }
    check_groups(whole, decimal)?;
    let mut plain: String = whole.chars().filter(char::is_ascii_digit).collect();
    if plain.is_empty() {
        plain.push('0');
    }
    if !fraction.is_empty() {
        plain.push('.');
        plain.push_str(fraction);
    }
    Ok(plain)
}

/// Which character of the number is its decimal mark, if it has one.
fn decimal_mark(number: &str, mark: DecimalMark) -> Result<Option<char>, ValueError> {
    let (dots, commas) = (number.matches('.').count(), number.matches(',').count());
    let given = match mark {
        DecimalMark::Dot => Some(('.', dots)),
        DecimalMark::Comma => Some((',', commas)),
        DecimalMark::Auto => None,
    };
    if let Some((c, count)) = given {
        return match count {
            0 => Ok(None),
            1 => Ok(Some(c)),
            _ => Err(malformed("the amount has more than one decimal mark")),
        };
    }
    let last = number.chars().rev().find(|c| matches!(c, '.' | ','));
    match (dots, commas, last) {
        (0, 0, _) | (_, _, None) => Ok(None),
        (1, 0, Some(c)) | (0, 1, Some(c)) => {
            let (whole, fraction) = number.rsplit_once(c).unwrap_or_default();
            let may_group = (1..=3).contains(&whole.len()) && !whole.starts_with('0');
            if fraction.len() == 3 && may_group {
                return Err(malformed("the separator in the amount can mean thousands or decimals"));
            }
            Ok(Some(c))
        }
        (_, 0, _) | (0, _, _) => Ok(None),
        (_, _, Some(c)) if number.matches(c).count() == 1 => Ok(Some(c)),
        _ => Err(malformed("the separators in the amount are mixed")),
    }
}

/// Groups must use one separator, and have three digits; two in the middle, as in `12,34,567`.
fn check_groups(whole: &str, decimal: Option<char>) -> Result<(), ValueError> {
    let bad = || malformed("the digit groups of the amount are malformed");
    let mut separators = whole.chars().filter(|c| !c.is_ascii_digit());
    let Some(separator) = separators.next() else { return Ok(()) };
    if Some(separator) == decimal || separators.any(|c| c != separator) {
        return Err(bad());
    }
    let groups: Vec<usize> = whole.split(separator).map(str::len).collect();
    let Some(((first, middle), last)) = groups.split_first().and_then(|(first, rest)| {
        let (last, middle) = rest.split_last()?;
        Some(((first, middle), last))
    }) else {
        return Err(bad());
    };
    let thousands = middle.iter().all(|len| *len == 3);
    let indian = separator == ',' && middle.iter().all(|len| *len == 2) && *first <= 2;
    if *last == 3 && (1..=3).contains(first) && (thousands || indian) { Ok(()) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_unambiguous_amounts() {
        for (text, amount) in [
            ("0", "0"),
            ("12", "12"),
            ("$22,700.00", "22700.00"),
            ("$342.09K", "342090.00"),
            ("342.09 k", "342090.00"),
            ("$1,117.10K", "1117100.00"),
            ("1.234,56 €", "1234.56"),
            ("1 234,56 kr", "1234.56"),
            ("1\u{a0}234\u{a0}567", "1234567"),
            ("1'234.50", "1234.50"),
            ("(12.50)", "-12.50"),
            ("($1,000.25)", "-1000.25"),
            ("-12.5", "-12.5"),
            ("\u{2212}12,5", "-12.5"),
            ("12.50-", "-12.50"),
            ("$-5", "-5"),
            ("-$5.00", "-5.00"),
            ("500,-", "500"),
            ("500,- kr", "500"),
            ("1,234,567", "1234567"),
            ("1.234.567", "1234567"),
            ("12,34,567.80", "1234567.80"),
            ("0.125", "0.125"),
            ("1234.567", "1234.567"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            ("USD 12.50", "12.50"),
            ("12.50 eur", "12.50"),
            ("US$ 3.10", "3.10"),
            ("R$39,99", "39.99"),
            ("Rs.500", "500"),
            ("Rs. 1,50,000.00", "150000.00"),
            ("2.5M", "2500000"),
            ("1B", "1000000000"),
            ("3K€", "3000"),
            ("3 MUSD", "3000000"),
            ("3 BRL", "3"),
            ("3 kr.", "3"),
            ("3 mUSD", "3000000"),
            ("3 BRL", "3"),
            ("3 kr.", "3"),
            ("007", "7"),
            ("+3.0", "3.0"),
            ("1 234.567", "1234.567"),
            ("1.50000", "1.5"),
            ("99999999999999.9999", "99999999999999.9999"),
            ("-0", "0"),
        ] {
            let read = parse_amount(text, DecimalMark::Auto);
            assert_eq!(read, Ok(amount.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn the_mark_settles_what_the_text_leaves_open() {
        for text in ["1,234", "1.234", "$12,500", "999.999K"] {
            assert!(parse_amount(text, DecimalMark::Auto).is_err(), "{text}");
        }
        for (text, mark, amount) in [
            ("1,234", DecimalMark::Dot, "1234"),
            ("1,234", DecimalMark::Comma, "1.234"),
            ("1.234", DecimalMark::Dot, "1.234"),
            ("1.234", DecimalMark::Comma, "1234"),
            ("200.000.000", DecimalMark::Comma, "200000000"),
        ] {
            assert_eq!(parse_amount(text, mark), Ok(amount.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "  ",
            "abc",
            "$",
            "-",
            "1-2",
            "1,2,3",
            "1.2.3",
            "1,234.567,8",
            "1.5.",
            "12.",
            "1 2",
            "1,23,4",
            "--5",
            "(-5)",
            "5%",
            "1e5",
            "0x10",
            "1.23456",
            "100000000000000",
            "99999999999999999999999999999",
            "12 apples",
            "NaN",
            "１２",
            "1,,000",
            "1 000,000,00",
            "((5))",
            "$$$$$5",
            "1K K",
            "12/5",
            "1.234,567.8",
            "5B$",
        ] {
            assert!(parse_amount(text, DecimalMark::Auto).is_err(), "{text}");
        }
        for (text, mark) in
            [("1,5", DecimalMark::Dot), ("1.5", DecimalMark::Comma), ("1.2.3", DecimalMark::Dot)]
        {
            assert!(parse_amount(text, mark).is_err(), "{text}");
        }
        let code = parse_amount("100000000000000", DecimalMark::Auto).unwrap_err().code();
        assert_eq!(code, ViolationCode::OutOfRange);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(units in -9_999_999_999_999_i64..=9_999_999_999_999, scale in 0_u32..=4) {
            let amount = Decimal::new(units, scale);
            prop_assert_eq!(parse_amount(&amount.to_string(), DecimalMark::Dot), Ok(amount));
            let comma = amount.to_string().replace('.', ",");
            prop_assert_eq!(parse_amount(&comma, DecimalMark::Comma), Ok(amount));
        }

        #[test]
        fn auto_agrees_with_a_mark_or_refuses(text in "[0-9.,' ]{1,14}") {
            if let Ok(amount) = parse_amount(&text, DecimalMark::Auto) {
                let dot = parse_amount(&text, DecimalMark::Dot).ok();
                let comma = parse_amount(&text, DecimalMark::Comma).ok();
                prop_assert!(dot == Some(amount) || comma == Some(amount));
                // Where both marks give an answer, it is the same one or the text had a reason to choose.
                if let (Some(dot), Some(comma)) = (dot, comma) && dot != comma {
                    prop_assert!(text.matches(['.', ',']).count() == 1);
                }
            }
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            for mark in [DecimalMark::Auto, DecimalMark::Dot, DecimalMark::Comma] {
                let _ = parse_amount(&text, mark);
            }
        }
    }
}
