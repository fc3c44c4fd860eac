//! E-mail addresses as people and mail programs write them into cells: `Anna Berg <anna@x.example>`, `mailto:anna@x.example`.

use crate::desk::is_role;
use crate::domain::Emails;
use crate::error::ValueError;
use crate::value::{Email, PersonName, company_core, fold};

/// What may stand around an address: quotes of every kind, brackets, and the mark that ended a sentence.
const AROUND: &str = "'\"`\u{b4}\u{2018}\u{2019}\u{201a}\u{201c}\u{201d}\u{201e}<>()[]{}.,;:";
/// What stands around a name before an address.
const QUOTES: &str = "'\"`\u{b4}\u{2018}\u{2019}\u{201a}\u{201c}\u{201d}\u{201e}";
/// More words are no name.
const MOST_WORDS: usize = 6;
/// Characters without a width, which come with what was copied from a web page.
const UNSEEN: [char; 5] = ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];

/// The addresses of a cell. What is no address as it stands is read without what is written around it.
///
/// # Errors
/// As [`Emails::parse`].
pub(in crate::exchange) fn read(cell: &str) -> Result<Emails, ValueError> {
    Emails::parse(cell).or_else(|refused| bare(cell).ok_or(refused))
}

/// Whether the addresses of a cell can be read only without what is written around them.
pub(in crate::exchange) fn is_dressed(cell: &str) -> bool {
    cell.contains('@') && Emails::parse(cell).is_err() && bare(cell).is_some()
}

/// Words for no address, without what is no letter.
const NOBODY: [&str; 15] = [
    "noemail",
    "nomail",
    "none",
    "null",
    "nil",
    "na",
    "no",
    "unknown",
    "notavailable",
    "notprovided",
    "noaddress",
    "nobody",
    "nowhere",
    "test",
    "dummy",
];

/// Whether an address is what people write where there is none, so that leads which have it are not one: `none@none.com`,
/// `noemail@noemail.com`. Both halves have to say so.
pub(in crate::exchange) fn is_placeholder(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else { return false };
    let word = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect()
    };
    let (local, domain) = (word(local), word(domain.split('.').next().unwrap_or_default()));
    let is_nowhere = NOBODY.contains(&domain.as_str())
        || local != "test" && matches!(domain.as_str(), "email" | "mail" | "invalid");
    NOBODY.contains(&local.as_str()) && is_nowhere
}

fn bare(cell: &str) -> Option<Emails> {
    let has_names = cell.contains('<');
    let parts = apart(cell).into_iter().filter(|part| !part.trim().is_empty());
    // `Berg, Anna <anna@x.example>`: the name has a comma.
    let parts = parts.filter(|part| !has_names || part.contains('@'));
    let addresses: Vec<String> = parts.map(address).collect();
    if addresses.is_empty() { None } else { Emails::parse(&addresses.join(", ")).ok() }
}

/// Who stands before the first address of a cell, where that is surely a person's name: several words of letters, without the
/// legal form of a company and no function such as `Sales Team`, beside an address that is none of a function either.
pub(super) fn person<'c>(cell: &'c str, first: &Email) -> Option<&'c str> {
    let (before, _) = cell.split_once('<')?;
    let name = before.trim_matches(|c: char| c.is_whitespace() || QUOTES.contains(c) || UNSEEN.contains(&c));
    let is_letter = |c: char| c.is_alphabetic() || c.is_whitespace() || ".,-'\u{2019}".contains(c);
    if !name.chars().all(is_letter) || is_role(first.local()) {
        return None;
    }
    let folded = fold(name).replace(['.', '\'', '\u{2019}'], "");
    let words = || folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    // `Anna Berg via Fair`: a list wrote in her name.
    let is_other = |word: &str| is_role(word) || word == "via";
    let is_company = company_core(name).split_whitespace().count() < words().count();
    if is_company || words().count() > MOST_WORDS || words().any(is_other) {
        return None;
    }
    let parsed = PersonName::parse(name).ok()?;
    let is_whole = parsed.family().is_some() && (parsed.given().is_some() || parsed.prefix().is_some());
    is_whole.then_some(name)
}

/// The parts of a cell between commas, semicolons and line ends that are not in quotes.
fn apart(cell: &str) -> Vec<&str> {
    let mut quoted = false;
    let is_closed = cell.matches('"').count().is_multiple_of(2);
    let ends = |c: char| {
        quoted ^= c == '"' && is_closed;
        !quoted && matches!(c, ',' | ';' | '\n' | '\r')
    };
    cell.split(ends).collect()
}

/// One address without its name, its scheme and what stands around it. What is said of it in parentheses behind it stays.
fn address(part: &str) -> String {
    let is_around = |c: char| c.is_whitespace() || AROUND.contains(c) || UNSEEN.contains(&c);
    let (inner, said) = match part.rsplit_once('<').and_then(|(_, behind)| behind.split_once('>')) {
        Some((inner, behind)) if behind.trim_start().starts_with('(') => (inner, behind.trim()),
        Some((inner, behind)) if behind.trim_matches(is_around).is_empty() => (inner, ""),
        // Nobody knows what it means: the cell is no address.
        Some(_) => return part.to_owned(),
        None => (part, ""),
    };
    let mut text = inner.trim_matches(is_around);
    if let Some(rest) = text.get(..7).filter(|head| head.eq_ignore_ascii_case("mailto:")).and(text.get(7..)) {
        text = rest.split('?').next().unwrap_or(rest).trim_matches(is_around);
    }
    let text: String = text.chars().filter(|c| !UNSEEN.contains(c)).collect();
    if said.is_empty() { text } else { format!("{text} {said}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(cell: &str) -> Vec<String> {
        read(cell).map_or(Vec::new(), |emails| emails.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn addresses_are_read_without_what_stands_around_them() {
        for cell in [
            "a@x.example",
            "Anna Berg <a@x.example>",
            "Berg, Anna <a@x.example>",
            "\"Berg, Anna\" <a@x.example>",
            "<a@x.example>",
            "mailto:a@x.example",
            "MAILTO:a@x.example?subject=Hello",
            "<mailto:a@x.example>",
            "'a@x.example'",
            "\u{201c}a@x.example\u{201d}",
            "a@x.example.",
            "a@x.example,",
            "\u{200b}a@x.example\u{feff}",
        ] {
            assert_eq!(read_as(cell), ["a@x.example"], "{cell}");
        }
        for cell in
            ["A <a@x.example>; B <b@x.example>", "A <a@x.example>, b@x.example", "a@x.example.; b@x.example"]
        {
            assert_eq!(read_as(cell), ["a@x.example", "b@x.example"], "{cell}");
        }
        for cell in ["Anna Berg", "a@x", "a @x.example", "Anna <a at x.example>", "see a@x.example", "<>"] {
            assert_eq!(read_as(cell), [""; 0], "{cell}");
        }
        assert!(is_dressed("A <a@x.example>") && !is_dressed("a@x.example (work)") && !is_dressed("A"));
    }

    #[test]
    fn a_name_before_an_address_is_told_from_what_is_none() {
        let told = |cell: &str| {
            let emails = read(cell).unwrap();
            person(cell, &emails.entries()[0].value).map(str::to_owned)
        };
        for (cell, name) in [
            ("Anna Berg <anna@x.example>", "Anna Berg"),
            ("\"Berg, Anna\" <anna@x.example>", "Berg, Anna"),
            ("Berg, Anna <anna@x.example>", "Berg, Anna"),
            ("'Anna-Maria O'Neil' <a@x.example>", "Anna-Maria O'Neil"),
            ("Dr. Berg <berg@x.example>", "Dr. Berg"),
            ("Anna Berg <anna@x.example>; Kari Moe <kari@x.example>", "Anna Berg"),
        ] {
            assert_eq!(told(cell).as_deref(), Some(name), "{cell}");
        }
        for cell in [
            "anna@x.example",
            "<anna@x.example>",
            "anna@x.example <anna@x.example>",
            "anna.berg <anna.berg@x.example>",
            "Anna <anna@x.example>",
            "Sales Team <anna@x.example>",
            "Anna Berg <post@x.example>",
            "Nordlys Energi AS <anna@x.example>",
            "Anna Berg via Fair <anna@x.example>",
            "=?UTF-8?Q?Anna_Berg?= <anna@x.example>",
            "\"???\" <anna@x.example>",
            "Room 12 <anna@x.example>",
            "b@x.example, Anna Berg <anna@x.example>",
        ] {
            assert_eq!(told(cell), None, "{cell}");
        }
    }

    #[test]
    fn what_is_said_behind_an_address_stays() {
        let emails = read("a@x.example (work opted_out)").unwrap();
        assert!(emails.entries()[0].opted_out);
        for cell in [
            "Anna Berg <a@x.example> (opted_out)",
            "<a@x.example> (opted_out)",
            "B <b@x.example>; <a@x.example> (opted_out)",
        ] {
            assert!(read(cell).unwrap().entries().last().unwrap().opted_out, "{cell}");
        }
        for cell in ["Anna <a@x.example> opted out", "'a@x.example (opted_out)'", "<a@x.example (opted_out)>"]
        {
            assert!(
                read(cell).is_ok_and(|emails| emails.entries()[0].opted_out) || read(cell).is_err(),
                "{cell}"
            );
        }
    }
}
