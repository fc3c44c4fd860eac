//! E-mail addresses.

use email_address::{EmailAddress, Options};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::fold::{is_invisible, malformed, trimmed};
use super::list::read_list;
use super::punycode;
use crate::error::{ValueError, ViolationCode};

/// The longest address that can be delivered to (RFC 5321, erratum 1690), in bytes.
const MAX_BYTES: usize = 254;
/// The longest local part (RFC 5321 section 4.5.3.1.1), in bytes.
const MAX_LOCAL: usize = 64;
/// The longest domain label (RFC 1035 section 2.3.4), in bytes.
const MAX_LABEL: usize = 63;

/// One e-mail address, kept as it was written (without blanks at its ends).
///
/// The syntax is that of RFC 5321 and 6531 with the choices a CRM needs: one address without display name or
/// comments, a domain with at least two labels, no address literal (`[192.0.2.1]`). A quoted local part
/// (`"a b"@example.com`) is accepted. Whether the mailbox exists is not asked.
///
/// Equality compares the text; use [`canonical`](Self::canonical) to find the same mailbox.
///
/// ```
/// use leadcore::value::Email;
/// let email = Email::parse("Anna.Berg@Example.COM")?;
/// assert_eq!(email.local(), "Anna.Berg");
/// assert_eq!(email.domain(), "Example.COM");
/// assert_eq!(email.canonical(), "anna.berg@example.com");
/// assert!(Email::parse("anna@localhost").is_err());
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email {
    text: String,
    /// None where the text is its own key, as most are: one allocation less for each address that is read.
    canonical: Option<String>,
}

impl Email {
    /// Reads one address.
    ///
    /// # Errors
    /// When the text is empty, longer than 254 bytes, or not one address.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let text = trimmed(text, MAX_BYTES, "the e-mail address")?;
        if text.len() > MAX_BYTES {
            return Err(ValueError::new(
                ViolationCode::TooLong,
                "the e-mail address is longer than 254 bytes",
            ));
        }
        let (local, domain) =
            text.rsplit_once('@').ok_or_else(|| malformed("an e-mail address needs an `@`"))?;
        if local.len() > MAX_LOCAL {
            return Err(malformed("the part before the `@` is longer than 64 bytes"));
        }
        if is_plain(local, domain) {
            return Ok(Self::lower_cased(text));
        }
        check_domain(domain)?;
        check_syntax(text)?;
        let canonical = Some(canonical(local, domain)).filter(|canonical| canonical != text);
        Ok(Self { text: text.to_owned(), canonical })
    }

    /// What a store holds: an address that was [parsed](Self::parse) before it was written. Only for that: the grammar
    /// is not checked again.
    ///
    /// # Errors
    /// When the text cannot be one that was parsed: too long, without `@`, or blank at an end.
    pub fn from_stored(text: &str) -> Result<Self, ValueError> {
        let is_cheap = text.is_ascii()
            && !text.contains("--")
            && text.len() <= MAX_BYTES
            && text.contains('@')
            && text.bytes().all(|b| !b.is_ascii_control())
            && !text.starts_with(' ')
            && !text.ends_with(' ');
        if is_cheap { Ok(Self::lower_cased(text)) } else { Self::parse(text) }
    }

    /// An ASCII address without Punycode.
    fn lower_cased(text: &str) -> Self {
        let is_lower = !text.bytes().any(|b| b.is_ascii_uppercase());
        Self { text: text.to_owned(), canonical: (!is_lower).then(|| text.to_ascii_lowercase()) }
    }

    /// Reads several addresses from one input, separated by commas, semicolons or line breaks.
    ///
    /// A comma inside a quoted local part does not separate. Blank entries are skipped. The message of a refusal
    /// names the position, counted from 1 over the entries that are not blank.
    ///
    /// ```
    /// use leadcore::value::Email;
    /// let all = Email::split_list("a@example.com; b@example.com,\n\"x,y\"@example.com");
    /// assert_eq!(all.len(), 3);
    /// assert!(all.iter().all(Result::is_ok));
    /// let bad = Email::split_list("a@example.com, b").into_iter().collect::<Result<Vec<_>, _>>();
    /// assert_eq!(bad.unwrap_err().message(), "e-mail address 2: an e-mail address needs an `@`");
    /// ```
    #[must_use]
    pub fn split_list(text: &str) -> Vec<Result<Self, ValueError>> {
        Self::read_list(text, Self::parse)
    }

    /// What `read` makes of each entry of such a list.
    pub(crate) fn read_list<T>(
        text: &str,
        read: impl Fn(&str) -> Result<T, ValueError>,
    ) -> Vec<Result<T, ValueError>> {
        read_list(["e-mail address", "e-mail addresses"], text, split_unquoted, read)
    }

    /// The address as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The match key: everything lower-cased, the domain in Unicode (`xn--mnchen-3ya.de` → `münchen.de`).
    ///
    /// Strictly the local part is case-sensitive (RFC 5321 section 2.4); no mail system in use treats it so. Dots
    /// and `+tags` are kept, because what they mean differs between providers.
    #[must_use]
    pub fn canonical(&self) -> &str {
        self.canonical.as_deref().unwrap_or(&self.text)
    }

    /// What stands before the `@`, as written.
    #[must_use]
    pub fn local(&self) -> &str {
        self.text.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// What stands after the `@`, as written.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.text.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The domain in the form of the match key: for grouping leads by company.
    #[must_use]
    pub fn canonical_domain(&self) -> &str {
        self.canonical().rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

super::text_value!(Email);

/// Whether an address is one of those that nearly everybody has: words of ASCII letters, digits, `_`, `-` and `+`, joined
/// by single dots, before a domain of ASCII labels. The whole grammar has nothing more to say about them, and they are
/// most of what imports check and stores read.
fn is_plain(local: &str, domain: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'))
    };
    let label = |label: &str| {
        let bytes = label.as_bytes();
        (1..=MAX_LABEL).contains(&bytes.len())
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
            && bytes.first() != Some(&b'-')
            && bytes.last() != Some(&b'-')
            // Perhaps Punycode.
            && bytes.get(2..4) != Some(b"--")
    };
    let Some((hosts, top)) = domain.rsplit_once('.') else { return false };
    local.split('.').all(word)
        && hosts.split('.').all(label)
        && label(top)
        && top.bytes().all(|b| b.is_ascii_alphabetic())
}

fn check_domain(domain: &str) -> Result<(), ValueError> {
    if domain.starts_with('[') {
        return Err(malformed("an e-mail address needs a domain name after the `@`"));
    }
    if !domain.contains('.') {
        return Err(malformed("the domain of an e-mail address needs a dot"));
    }
    let well_formed = domain.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= MAX_LABEL
            && !label.starts_with('-')
            && !label.ends_with('-')
            && !label.starts_with(is_combining_mark)
            && label.chars().all(|c| c == '-' || c.is_alphanumeric() || is_combining_mark(c))
    });
    // A top-level domain of digits only is an IP address written without brackets.
    let numeric = domain.rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit()));
    if well_formed && !numeric {
        Ok(())
    } else {
        Err(malformed("the domain of the e-mail address is malformed"))
    }
}

/// The grammar is the `email_address` crate's; it knows letters of all scripts, but refuses the marks that belong to
/// them (`é` as two code points, vowel signs), so it is shown a plain letter in their place.
fn check_syntax(text: &str) -> Result<(), ValueError> {
    let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
    let result = if text.is_ascii() {
        EmailAddress::parse_with_options(text, options)
    } else {
        if text.chars().any(|c| !c.is_ascii() && (c.is_whitespace() || c.is_control() || is_invisible(c))) {
            return Err(malformed("the e-mail address holds an invisible character"));
        }
        // A backslash quotes printable ASCII only (RFC 5321 quoted-pairSMTP).
        if text.chars().zip(text.chars().skip(1)).any(|(c, next)| c == '\\' && !next.is_ascii()) {
            return Err(malformed("the e-mail address is malformed"));
        }
        let shape: String = text.chars().map(|c| if c.is_ascii() { c } else { 'x' }).collect();
        EmailAddress::parse_with_options(&shape, options)
    };
    result.map(drop).map_err(|_| malformed("the e-mail address is malformed"))
}

fn canonical(local: &str, domain: &str) -> String {
    let mut out = String::with_capacity(local.len() + domain.len() + 1);
    if local.is_ascii() {
        out.extend(local.chars().map(|c| c.to_ascii_lowercase()));
    } else {
        out.push_str(&lower_nfc(local));
    }
    for (index, label) in domain.split('.').enumerate() {
        out.push(if index == 0 { '@' } else { '.' });
        push_label(&mut out, label);
    }
    out
}

fn push_label(out: &mut String, label: &str) {
    let lower = label.to_ascii_lowercase();
    if let Some(encoded) = lower.strip_prefix("xn--")
        && let Some(decoded) = punycode::decode(encoded)
        && !decoded.is_ascii()
        && decoded.chars().all(|c| c == '-' || c.is_alphanumeric() || is_combining_mark(c))
    {
        out.push_str(&lower_nfc(&decoded));
    } else if lower.is_ascii() {
        out.push_str(&lower);
    } else {
        out.push_str(&lower_nfc(&lower));
    }
}

/// NFKC would be closer to UTS 46, but can make dots and `@` out of other characters.
fn lower_nfc(text: &str) -> String {
    text.nfc().flat_map(char::to_lowercase).nfc().collect()
}

/// Splits on commas, semicolons and line breaks outside quotes; an unclosed quote is an ordinary character.
fn split_unquoted(text: &str) -> Vec<&str> {
    split_with_quotes(text, true).or_else(|| split_with_quotes(text, false)).unwrap_or_default()
}

fn split_with_quotes(text: &str, honour_quotes: bool) -> Option<Vec<&str>> {
    let (mut quoted, mut escaped) = (false, false);
    let entries = text
        .split(|c: char| {
            if quoted && escaped {
                escaped = false;
                return false;
            }
            match c {
                '\\' if quoted => escaped = true,
                '"' if honour_quotes => quoted = !quoted,
                ',' | ';' | '\n' | '\r' => return !quoted,
                _ => {}
            }
            false
        })
        .collect();
    if quoted { None } else { Some(entries) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keeps_the_text_and_computes_the_key() {
        for (text, canonical) in [
            ("a@b.co", "a@b.co"),
            (" A.B+tag@Example.Com\n", "a.b+tag@example.com"),
            ("jürgen@münchen.de", "jürgen@münchen.de"),
            ("JÜRGEN@MÜNCHEN.DE", "jürgen@münchen.de"),
            ("ju\u{308}rgen@mu\u{308}nchen.de", "jürgen@münchen.de"),
            ("a@xn--mnchen-3ya.de", "a@münchen.de"),
            ("a@XN--MNCHEN-3YA.DE", "a@münchen.de"),
            ("संपर्क@डाटामेल.भारत", "संपर्क@डाटामेल.भारत"),
            ("\"a b\"@example.com", "\"a b\"@example.com"),
            ("\"a@b\"@example.com", "\"a@b\"@example.com"),
            ("a@xn--99999999.de", "a@xn--99999999.de"),
        ] {
            let email = Email::parse(text).unwrap();
            assert_eq!(email.as_str(), text.trim());
            assert_eq!(email.canonical(), canonical);
        }
        let email = Email::parse("\"a@b\"@Example.com").unwrap();
        assert_eq!((email.local(), email.domain()), ("\"a@b\"", "Example.com"));
        assert_eq!(email.canonical_domain(), "example.com");
    }

    #[test]
    fn refuses_what_is_not_one_address() {
        for text in [
            "",
            "  ",
            "a",
            "@",
            "a@",
            "@b.co",
            "a@b",
            "a@b.",
            "a@.co",
            "a@b..co",
            "a b@c.de",
            "a@b c.de",
            "Jo <jo@x.com>",
            "<jo@x.com>",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@b.co, c@d.co",
            "a@b@c.de",
            "a\0@b.co",
            "a@b_c.de",
            "a@-b.co",
            "a@b-.co",
            ".a@b.co",
            "a.@b.co",
            "a..b@c.de",
            "a\u{200b}@b.co",
            "a@b\u{202e}.co",
            "a\u{a0}b@c.de",
            "mailto:a@b.co ,",
            "\"a\\é\"@b.co",
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
        let long = format!("{}@{}.com", "a".repeat(60), "b".repeat(63));
        assert!(Email::parse(&long).is_ok());
        assert!(Email::parse(&format!("{}@b.co", "a".repeat(65))).is_err());
        let code = Email::parse(&format!("a@{}.co", "b.".repeat(200))).unwrap_err().code();
        assert_eq!(code, ViolationCode::TooLong);
    }

    #[test]
    fn what_is_stored_is_not_asked_for_its_grammar_but_for_its_key() {
        for text in
            ["a@b.co", "A.B+tag@Example.Com", "jürgen@münchen.de", "a@XN--MNCHEN-3YA.DE", "\"a b\"@c.de"]
        {
            assert_eq!(Email::from_stored(text).unwrap(), Email::parse(text).unwrap(), "{text}");
        }
        for text in ["", "nobody", " a@b.co ", "a\n@b.co", "ä", &"a@b.".repeat(100)] {
            assert!(Email::from_stored(text).map_or(true, |email| email.as_str() == text.trim()), "{text:?}");
        }
        assert!(Email::from_stored("nobody").is_err());
    }

    #[test]
    fn lists_are_split_outside_quotes() {
        let list = Email::split_list("a@b.co,\"x,y\"@b.co ;; c@d.co\r\nnot one");
        let texts: Vec<_> = list.iter().map(|e| e.as_ref().map(Email::as_str)).collect();
        assert_eq!(texts[..3], [Ok("a@b.co"), Ok("\"x,y\"@b.co"), Ok("c@d.co")]);
        assert!(list[3].as_ref().unwrap_err().message().starts_with("e-mail address 4: "));
        let unclosed = Email::split_list("\"a@b.co, c@d.co");
        assert_eq!(unclosed.len(), 2);
        assert!(unclosed[1].is_ok());
        assert!(Email::split_list(" ,; \n").is_empty());
    }

    #[test]
    fn deserialising_checks() {
        let email: Email = serde_json::from_str("\"A@b.co\"").unwrap();
        assert_eq!(serde_json::to_string(&email).unwrap(), "\"A@b.co\"");
        assert!(serde_json::from_str::<Email>("\"nobody\"").is_err());
    }

    proptest! {
        #[test]
        fn the_key_is_an_address_with_the_same_key(
            local in "[a-zA-Z0-9_+äßéЖ-]{1,12}", domain in "[a-zA-Z0-9äéЖ]{1,12}", top in "[a-zA-Z]{2,6}",
        ) {
            let email = Email::parse(&format!("{local}@{domain}.{top}")).unwrap();
            let again = Email::parse(email.canonical()).unwrap();
            prop_assert_eq!(again.canonical(), email.canonical());
        }

        #[test]
        fn the_short_way_takes_only_what_the_long_one_takes(
            local in "[a-zA-Z0-9._+-]{1,12}", domain in "[a-zA-Z0-9.-]{1,20}", top in "[.a-z0-9-]{1,6}",
        ) {
            let domain = format!("{domain}.{top}");
            let text = format!("{local}@{domain}");
            if is_plain(&local, &domain) {
                prop_assert!(check_domain(&domain).is_ok() && check_syntax(&text).is_ok());
                prop_assert_eq!(canonical(&local, &domain), text.to_ascii_lowercase());
            }
        }

        #[test]
        fn an_address_comes_back_from_a_store(text in "[ -~äЖ]{1,12}@[a-zA-Z0-9.äЖ-]{1,12}[.][a-z]{2,3}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(Email::from_stored(email.as_str()), Ok(email));
            }
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let _ = Email::from_stored(&text);
            let _ = Email::parse(&text);
            let _ = Email::split_list(&text);
        }
    }
}
