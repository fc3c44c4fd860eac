//! The currency that the number format of a cell shows: `[$€-407] #,##0.00`, `"NOK" #,##0`.

use crate::exchange::coerce::currency::{Named, named};

/// The longest text around a number that may be a currency.
const LONGEST: usize = 8;

/// Signs that several currencies have, and whose they are in the languages of spreadsheets: as numbers of Windows and as
/// names.
const OF_LANGUAGE: &[(&str, &str, &str)] = &[
    ("$", "USD", "0409 en-us"),
    ("$", "CAD", "1009 0c0c en-ca fr-ca"),
    ("$", "AUD", "0c09 en-au"),
    ("$", "NZD", "1409 en-nz"),
    ("$", "MXN", "080a es-mx"),
    ("$", "HKD", "0c04 zh-hk"),
    ("$", "SGD", "1004 4809 en-sg zh-sg"),
    ("$", "TWD", "0404 zh-tw"),
    ("$", "ARS", "2c0a es-ar"),
    ("$", "CLP", "340a es-cl"),
    ("$", "COP", "240a es-co"),
    ("kr", "NOK", "0414 0814 nb-no nn-no"),
    ("kr", "SEK", "041d sv-se"),
    ("kr", "DKK", "0406 da-dk"),
    ("kr", "ISK", "040f is-is"),
    ("¥", "JPY", "0411 ja-jp"),
    ("¥", "CNY", "0804 zh-cn"),
    ("￥", "JPY", "0411 ja-jp"),
    ("￥", "CNY", "0804 zh-cn"),
    ("fr", "CHF", "0807 100c 0810 de-ch fr-ch it-ch"),
];

/// The code of the currency that a format shows, or its sign where several currencies have it. Only the part for positive
/// numbers counts.
pub(super) fn of_format(format: &str) -> Option<String> {
    let (text, language) = around(format)?;
    let text = text.trim();
    // Feet.
    if text == "ft" || text.len() > LONGEST {
        return None;
    }
    match named(text)? {
        Named::Code(code) => Some(code.code().to_owned()),
        Named::Sign(sign) => {
            let bare = sign.trim_end_matches('.').to_lowercase();
            let mut known = OF_LANGUAGE.iter().filter(|(known, ..)| *known == bare);
            let code = language.and_then(|language| {
                known.find(|(_, _, languages)| languages.split(' ').any(|known| known == language))
            });
            Some(code.map_or(sign, |(_, code, _)| (*code).to_owned()))
        }
    }
}

/// What a format shows around its digits, and the language of that. Nothing for formats of anything but numbers.
fn around(format: &str) -> Option<(String, Option<String>)> {
    let (mut text, mut language) = (String::new(), None);
    let mut marks = format.chars();
    while let Some(mark) = marks.next() {
        match mark {
            ';' => break,
            '"' => text.extend(marks.by_ref().take_while(|mark| *mark != '"')),
            '\\' => text.extend(marks.next()),
            // As wide as the next one, and filled with the next one.
            '_' | '*' => drop(marks.next()),
            '[' => {
                let inner: String = marks.by_ref().take_while(|mark| *mark != ']').collect();
                let Some(money) = inner.strip_prefix('$') else { continue };
                let (sign, of) = money.split_once('-').unwrap_or((money, ""));
                text.push_str(sign);
                language = Some(of.to_lowercase()).filter(|of| !of.is_empty());
            }
            '0'..='9' | '#' | '?' | '.' | ',' | '(' | ')' | '-' | '+' | ' ' | '\u{a0}' => {}
            other if other.is_ascii_alphabetic() || matches!(other, '%' | '/' | '@') => return None,
            other => text.push(other),
        }
    }
    let language = language.map(|of| match u32::from_str_radix(&of, 16) {
        Ok(number) => format!("{:04x}", number & 0xffff),
        Err(_) => of,
    });
    Some((text, language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_name_currencies() {
        for (format, currency) in [
            ("[$€-407] #,##0.00", Some("EUR")),
            ("#,##0.00\\ [$€-1]", Some("EUR")),
            ("#,##0\\ \"€\"", Some("EUR")),
            ("_-* #,##0.00\\ \"€\"_-;\\-* #,##0.00\\ \"€\"_-", Some("EUR")),
            ("\"NOK\" #,##0", Some("NOK")),
            ("[$NOK] #,##0.00", Some("NOK")),
            ("[$USD]\\ #,##0", Some("USD")),
            ("[$kr-414] #,##0", Some("NOK")),
            ("#,##0 [$kr-41D]", Some("SEK")),
            ("[$$-409]#,##0.00;[Red]\\-[$$-409]#,##0.00", Some("USD")),
            ("[$$-en-CA]#,##0.00", Some("CAD")),
            ("[$¥-411]#,##0", Some("JPY")),
            ("\"kr\" #,##0", Some("kr")),
            ("\"$\"#,##0.00", Some("$")),
            ("$#,##0", Some("$")),
            ("#,##0\\ [$\u{20bd}-46D]", Some("RUB")),
            ("#,##0.00", None),
            ("0%", None),
            ("0\" %\"", None),
            ("0\" kg\"", None),
            ("0 \"ft\"", None),
            ("[$-409]d-mmm-yy", None),
            ("General", None),
            ("[Red]0", None),
            ("[$", None),
            ("\"", None),
            ("", None),
        ] {
            assert_eq!(of_format(format).as_deref(), currency, "{format}");
        }
    }
}
