//! Web sites.

use super::fold::{is_invisible, malformed, trimmed};
use crate::error::ValueError;

/// Longest address kept; browsers and proxies cut at about the same length.
const MAX_CHARS: usize = 2048;

/// A web site's address, with or without `http://` or `https://`, as it was typed.
///
/// Only these two schemes are taken: the address ends up as a link on a page, and `javascript:` must not.
///
/// ```
/// use leadcore::value::Website;
/// let site = Website::parse("www.Example.com/about")?;
/// assert_eq!(site.as_str(), "www.Example.com/about");
/// assert_eq!(site.host(), "example.com");
/// assert_eq!(site.url(), "https://www.Example.com/about");
/// assert!(Website::parse("javascript:alert(1)").is_err());
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Website {
    text: String,
    host: String,
}

impl Website {
    /// Reads one address.
    ///
    /// # Errors
    /// When the text is empty, longer than 2048 characters, holds blanks, control characters or one of `<>"\`, names
    /// another scheme, a user or a bad port, or has no host with a dot.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let text = trimmed(text, MAX_CHARS, "the web site")?;
        let unsafe_in_link = |c: char| {
            c.is_whitespace()
                || c.is_control()
                || is_invisible(c)
                || matches!(c, '<' | '>' | '"' | '\\' | '`')
        };
        if text.contains(unsafe_in_link) {
            return Err(malformed(
                "a web site holds no blanks, control characters, quotes or angle brackets",
            ));
        }
        let authority = authority(text)?;
        let host = match authority.split_once(':') {
            None => authority,
            Some((host, port)) => {
                if port.parse::<u16>().is_err() || !port.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(malformed("the web site names a scheme or port that is not allowed"));
                }
                host
            }
        };
        Ok(Self { text: text.to_owned(), host: normal_host(host)? })
    }

    /// The address as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host, lower case, without `www.` and port: what two spellings of one site have in common.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The address as a link: with `https://` in front when no scheme was typed.
    #[must_use]
    pub fn url(&self) -> String {
        if strip_scheme(&self.text).is_some() { self.text.clone() } else { format!("https://{}", self.text) }
    }
}

super::text_value!(Website);

/// What follows `http://` or `https://`.
fn strip_scheme(text: &str) -> Option<&str> {
    ["http://", "https://"].into_iter().find_map(|scheme| {
        let start = text.get(..scheme.len())?;
        if start.eq_ignore_ascii_case(scheme) { text.get(scheme.len()..) } else { None }
    })
}

/// Host and port.
fn authority(text: &str) -> Result<&str, ValueError> {
    let rest = strip_scheme(text).unwrap_or(text);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(malformed("a web site names no user"));
    }
    Ok(authority)
}

fn normal_host(host: &str) -> Result<String, ValueError> {
    let host = host.strip_suffix('.').unwrap_or(host).to_lowercase();
    let well_formed = host.len() <= 253
        && host.contains('.')
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label.chars().all(|c| {
                    c.is_alphanumeric()
                        || matches!(c, '-' | '_')
                        || unicode_normalization::char::is_combining_mark(c)
                })
        });
    if !well_formed {
        return Err(malformed("a web site needs a host name with a dot"));
    }
    match host.strip_prefix("www.") {
        Some(bare) if bare.contains('.') => Ok(bare.to_owned()),
        _ => Ok(host),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_hosts_and_addresses() {
        for (text, host) in [
            ("example.com", "example.com"),
            (" https://Example.com/x?y=z#t ", "example.com"),
            ("HTTP://www.example.com", "example.com"),
            ("example.com:8080/path", "example.com"),
            ("www.com", "www.com"),
            ("example.com.", "example.com"),
            ("münchen.de", "münchen.de"),
            ("https://192.0.2.1/", "192.0.2.1"),
            ("example.com/a:b@c", "example.com"),
            ("http://example.com?next=javascript:1", "example.com"),
        ] {
            let site = Website::parse(text).unwrap();
            assert_eq!((site.as_str(), site.host()), (text.trim(), host), "{text}");
            assert!(site.url().to_lowercase().starts_with("http"));
        }
    }

    #[test]
    fn refuses_other_schemes_and_shapes() {
        for text in [
            "",
            "javascript:alert(1)",
            "JavaScript://example.com/%0aalert(1)",
            "data:text/html,x",
            "ftp://example.com",
            "mailto:a@example.com",
            "example",
            "http://",
            "http://localhost",
            "https://user:pw@example.com",
            "exa mple.com",
            "example.com/\u{1}",
            "exa\u{200b}mple.com",
            "//example.com",
            "http:example.com",
            "a..b",
            "example.com:99999",
            "example.com:+80",
            "example.com/<script>",
            "https://https://example.com",
            "/etc/x.y",
            "java\nscript:x.y",
            "http:\\\\example.com",
            "example.com:",
        ] {
            assert!(Website::parse(text).is_err(), "{text:?}");
        }
        assert!(Website::parse(&format!("a.b/{}", "x".repeat(2048))).is_err());
    }

    proptest! {
        #[test]
        fn a_link_is_always_http(text in "\\PC{0,20}[:/.]{0,3}\\PC{0,20}") {
            if let Ok(site) = Website::parse(&text) {
                let url = site.url().to_ascii_lowercase();
                prop_assert!(url.starts_with("http://") || url.starts_with("https://"));
                let linked = Website::parse(&site.url()).unwrap();
                prop_assert_eq!(linked.host(), site.host());
            }
        }
    }
}
