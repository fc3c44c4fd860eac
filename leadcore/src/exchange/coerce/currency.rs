//! The currency that a cell names beside its amount, `NOK 1 200`, `12,50 €`, `$5`, or in a column of its own.

use super::Intent;
use crate::domain::{Field, FieldValue};
use crate::error::{ValueError, ViolationCode};
use crate::value::{Currency, fold};

/// How a cell names a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::exchange) enum Named {
    /// By its code, or by a sign that only one has.
    Code(Currency),
    /// By a sign that several have: `$`, `kr`.
    Sign(String),
}

impl Named {
    pub(in crate::exchange) fn as_str(&self) -> &str {
        match self {
            Self::Code(code) => code.code(),
            Self::Sign(sign) => sign,
        }
    }
}

/// Signs that stand for one currency, folded.
const SIGNS: &[(&str, &str)] = &[
    ("€", "EUR"),
    ("£", "GBP"),
    ("r$", "BRL"),
    ("us$", "USD"),
    ("a$", "AUD"),
    ("au$", "AUD"),
    ("c$", "CAD"),
    ("ca$", "CAD"),
    ("nz$", "NZD"),
    ("hk$", "HKD"),
    ("s$", "SGD"),
    ("nt$", "TWD"),
    ("mx$", "MXN"),
    ("zł", "PLN"),
    ("zl", "PLN"),
    ("kč", "CZK"),
    ("kc", "CZK"),
    ("ft", "HUF"),
    ("sfr", "CHF"),
    ("лв", "BGN"),
    ("руб", "RUB"),
    ("₽", "RUB"),
    ("₹", "INR"),
    ("₺", "TRY"),
    ("₩", "KRW"),
    ("₫", "VND"),
    ("₪", "ILS"),
    ("₴", "UAH"),
    ("฿", "THB"),
    ("₦", "NGN"),
    ("₱", "PHP"),
    ("₸", "KZT"),
    ("₾", "GEL"),
    ("₡", "CRC"),
    ("₲", "PYG"),
    ("₵", "GHS"),
    ("lei", "RON"),
];

/// The currency of an amount, which is known to be one. What stands around the number is its sign, a multiplier and the
/// currency.
pub(in crate::exchange) fn currency_of(cell: &str) -> Option<Named> {
    let first = cell.find(|c: char| c.is_ascii_digit())?;
    let last = cell.rfind(|c: char| c.is_ascii_digit())?;
    let is_edge = |c: char| c.is_whitespace() || "-+\u{2212}\u{2013}()'.,".contains(c);
    let before = cell.get(..first)?.trim_matches(is_edge);
    let behind = cell.get(last + 1..)?.trim_matches(is_edge);
    let named = if before.is_empty() { behind } else { before };
    let whole = read(named);
    if whole.is_some() || !before.is_empty() {
        return whole.or_else(|| (!named.is_empty()).then(|| Named::Sign(named.to_owned())));
    }
    let rest = behind.strip_prefix(['k', 'K', 'm', 'M', 'b', 'B']);
    match rest.map(|rest| rest.trim_matches(is_edge)) {
        // `kr` and `Kč` are no thousands.
        Some(rest) if rest.is_empty() || read(rest).is_some() || rest == "$" => {
            read(rest).or_else(|| (!rest.is_empty()).then(|| Named::Sign(rest.to_owned())))
        }
        _ => (!behind.is_empty()).then(|| Named::Sign(behind.to_owned())),
    }
}

fn read(text: &str) -> Option<Named> {
    let folded = fold(text);
    let one =
        SIGNS.iter().find(|(sign, _)| *sign == folded || *sign == text.to_lowercase()).map(|(_, code)| *code);
    let code = one.or_else(|| (text.len() == 3).then_some(text))?;
    Currency::parse(code).ok().map(Named::Code)
}

/// Signs that several currencies have, in lower case.
const SHARED: [&str; 7] = ["$", "＄", "kr", "¥", "￥", "rs", "fr"];

/// The currency that a text is the code or a sign of.
pub(in crate::exchange) fn named(text: &str) -> Option<Named> {
    let text = text.trim();
    let bare = text.trim_end_matches('.');
    let is_shared = SHARED.contains(&bare.to_lowercase().as_str());
    read(text).or_else(|| read(bare)).or_else(|| is_shared.then(|| Named::Sign(text.to_owned())))
}

/// The currency that the header of a column of amounts names, and what stands before it: `Amount (EUR)`, `Value in USD`,
/// `Montant (€)`. A code is in capitals: words of three letters are none.
pub(in crate::exchange) fn in_header(header: &str) -> Option<(&str, Named)> {
    let header = header.trim();
    let in_brackets = header.strip_suffix([')', ']']).and_then(|rest| rest.rsplit_once(['(', '[']));
    let (before, word) = in_brackets.or_else(|| header.rsplit_once(" in "))?;
    let is_code = |word: &str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_sign = |word: &str| !word.chars().all(|c| c.is_ascii_lowercase());
    let word = word.trim();
    (is_code(word) || is_sign(word) && !word.chars().all(|c| c.is_ascii_alphabetic()) || word == "kr")
        .then(|| named(word))
        .flatten()
        .map(|currency| (before.trim_end(), currency))
}

/// Takes over what a column of currencies says.
pub(super) fn take(intent: &mut Intent, cell: &str) -> Result<(), ValueError> {
    let Err(refused) = Field::Currency.write(&mut intent.fields, &FieldValue::from(cell)) else {
        return Ok(());
    };
    match named(cell) {
        Some(Named::Code(code)) => intent.fields.currency = Some(code),
        Some(Named::Sign(sign)) => intent.sign = Some(sign),
        None => return Err(refused),
    }
    Ok(())
}

/// Puts together what the row says of its currency, in a column of its own and beside the amount.
pub(super) fn settle(intent: &mut Intent) -> Result<(), ValueError> {
    match (&intent.named, intent.fields.currency, &intent.sign) {
        (Some(Named::Code(code)), None, sign) => {
            if sign.as_deref().is_some_and(|sign| !is_sign_of(sign, *code)) {
                return Err(another());
            }
            (intent.fields.currency, intent.currency_by_amount) = (Some(*code), true);
        }
        (Some(Named::Code(code)), Some(own), _) if *code != own => return Err(another()),
        (Some(Named::Sign(sign)), _, Some(known)) if !is_alike(sign, known) => return Err(another()),
        (Some(Named::Sign(sign)), ..) => intent.sign = Some(sign.clone()),
        _ => {}
    }
    Ok(())
}

/// Whether two signs are written alike: `kr` and `Kr.`
fn is_alike(one: &str, other: &str) -> bool {
    fold(one).trim_end_matches('.') == fold(other).trim_end_matches('.')
}

/// Whether what is called the symbol of a lead's currency may be this sign.
pub(in crate::exchange) fn is_symbol(symbol: &str, sign: &str) -> bool {
    is_alike(symbol, sign) || matches!(named(symbol), Some(Named::Code(code)) if is_sign_of(sign, code))
}

/// Whether a sign may stand for this currency.
pub(in crate::exchange) fn is_sign_of(sign: &str, currency: Currency) -> bool {
    let known = match fold(sign).trim_end_matches('.') {
        "$" | "＄" => currency.symbol().contains('$') || DOLLARS.contains(&currency.code()),
        "kr" => ["NOK", "SEK", "DKK", "ISK"].contains(&currency.code()),
        "¥" | "￥" => ["JPY", "CNY"].contains(&currency.code()),
        "rs" => ["INR", "PKR", "LKR", "NPR", "MUR", "SCR"].contains(&currency.code()),
        "fr" => ["CHF", "XAF", "XOF", "XPF"].contains(&currency.code()),
        _ => false,
    };
    known || fold(&currency.symbol()).trim_end_matches('.') == fold(sign).trim_end_matches('.')
}

const DOLLARS: [&str; 16] = [
    "USD", "AUD", "CAD", "NZD", "HKD", "SGD", "TWD", "MXN", "ARS", "CLP", "COP", "JMD", "BSD", "BBD", "TTD",
    "FJD",
];

/// Why an amount is refused.
pub(in crate::exchange) fn another() -> ValueError {
    let message = "the amount is in another currency than the row or its lead says";
    ValueError::new(ViolationCode::NotAllowed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_name_the_currency_of_their_column() {
        for (header, expected) in [
            ("Amount (EUR)", Some(("Amount", "EUR"))),
            ("Value [USD]", Some(("Value", "USD"))),
            ("Montant (€)", Some(("Montant", "EUR"))),
            ("Amount in USD", Some(("Amount", "USD"))),
            ("Amount ($)", Some(("Amount", "$"))),
            ("Beløp (kr)", Some(("Beløp", "kr"))),
            ("Amount (all)", None),
            ("Amount (net)", None),
            ("Amount (0%)", None),
            ("Amount", None),
        ] {
            let found = in_header(header);
            let found = found.as_ref().map(|(before, named)| (*before, named.as_str()));
            assert_eq!(found, expected, "{header}");
        }
    }

    #[test]
    fn what_stands_around_a_number_is_its_currency() {
        for (cell, named) in [
            ("NOK 1 200", Some("NOK")),
            ("1 200 nok", Some("NOK")),
            ("€ 5", Some("EUR")),
            ("-5,00 €", Some("EUR")),
            ("$1.5K", Some("$")),
            ("1.5K €", Some("EUR")),
            ("1.5M$", Some("$")),
            ("12 kr", Some("kr")),
            ("500,- kr", Some("kr")),
            ("500,-", None),
            ("(12.50)", None),
            ("342.09K", None),
            ("R$39,99", Some("BRL")),
            ("10 Kč", Some("CZK")),
            ("7", None),
        ] {
            assert_eq!(currency_of(cell).as_ref().map(Named::as_str), named, "{cell}");
        }
        let [nok, usd] = ["NOK", "USD"].map(|code| Currency::parse(code).unwrap());
        assert!(
            is_sign_of("kr", nok) && is_sign_of("$", usd) && !is_sign_of("$", nok) && !is_sign_of("kr.", usd)
        );
    }
}
