//! Countries (ISO 3166-1).

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use keshvar::{Alpha2, CountryIterator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::fold::{fold, trimmed};
use crate::error::{ValueError, ViolationCode};

/// Longer than every name of a country in every language of the tables.
const MAX_CHARS: usize = 120;

/// A country or territory: its ISO 3166-1 alpha-2 code (`NO`, `US` …), two bytes.
///
/// Kosovo has no ISO code; it is known by `XK`, the code that the European Commission and most software use.
///
/// ```
/// use leadcore::value::Country;
/// let country = Country::parse("Deutschland")?;
/// assert_eq!(country.code(), "DE");
/// assert_eq!(country.name(), "Germany");
/// assert_eq!(Country::parse("deu")?, country);
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

/// Names in daily use that the tables lack, or that would be ambiguous in them. Keys are folded.
const ALIASES: &[(&str, &[u8; 2])] = &[
    ("uk", b"GB"),
    ("great britain", b"GB"),
    ("britain", b"GB"),
    ("england", b"GB"),
    ("scotland", b"GB"),
    ("wales", b"GB"),
    ("northern ireland", b"GB"),
    ("us", b"US"),
    ("usa", b"US"),
    ("america", b"US"),
    ("united states", b"US"),
    ("el", b"GR"),
    ("holland", b"NL"),
    ("south korea", b"KR"),
    ("korea", b"KR"),
    ("korea, republic of", b"KR"),
    ("republic of korea", b"KR"),
    ("north korea", b"KP"),
    ("czech republic", b"CZ"),
    ("czechia", b"CZ"),
    ("ivory coast", b"CI"),
    ("cape verde", b"CV"),
    ("swaziland", b"SZ"),
    ("macedonia", b"MK"),
    ("burma", b"MM"),
    ("east timor", b"TL"),
    ("turkey", b"TR"),
    ("turkiye", b"TR"),
    ("russia", b"RU"),
    ("syria", b"SY"),
    ("iran", b"IR"),
    ("vietnam", b"VN"),
    ("laos", b"LA"),
    ("moldova", b"MD"),
    ("tanzania", b"TZ"),
    ("bolivia", b"BO"),
    ("venezuela", b"VE"),
    ("taiwan", b"TW"),
    ("palestine", b"PS"),
    ("vatican", b"VA"),
    ("vatican city", b"VA"),
    ("congo", b"CG"),
    ("republic of the congo", b"CG"),
    ("dr congo", b"CD"),
    ("democratic republic of the congo", b"CD"),
    ("guinea", b"GN"),
    ("macau", b"MO"),
    ("hong kong", b"HK"),
    ("micronesia", b"FM"),
    ("uae", b"AE"),
    ("ksa", b"SA"),
    ("prc", b"CN"),
    ("kosovo", b"XK"),
    ("kosova", b"XK"),
    ("xkx", b"XK"),
    ("republic of kosovo", b"XK"),
];

/// English names people expect, where the ISO short name is another one.
const NAMES: &[(&[u8; 2], &str)] = &[
    (b"GB", "United Kingdom"),
    (b"US", "United States"),
    (b"XK", "Kosovo"),
    (b"KR", "South Korea"),
    (b"KP", "North Korea"),
    (b"RU", "Russia"),
    (b"IR", "Iran"),
    (b"SY", "Syria"),
    (b"VN", "Vietnam"),
    (b"LA", "Laos"),
    (b"MD", "Moldova"),
    (b"TZ", "Tanzania"),
    (b"BO", "Bolivia"),
    (b"VE", "Venezuela"),
    (b"TW", "Taiwan"),
    (b"PS", "Palestine"),
    (b"NL", "Netherlands"),
];

impl Country {
    /// Reads a code of two or three letters or a name in any common language: `us`, `USA`, `United States`,
    /// `Vereinigte Staaten`, `日本`. Upper and lower case, accents and dots do not matter.
    ///
    /// # Errors
    /// When the text is empty or names no country.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let text = trimmed(text, MAX_CHARS, "the country")?;
        Self::lookup(text).ok_or_else(|| ValueError::new(ViolationCode::Unknown, "there is no such country"))
    }

    fn lookup(text: &str) -> Option<Self> {
        let tables = tables();
        if let &[a, b] = text.as_bytes() {
            let country = Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]);
            if tables.names.contains_key(&country.0) {
                return Some(country);
            }
        }
        let key = fold(text);
        if let Some(country) = tables.by_key.get(&key) {
            return Some(*country);
        }
        let bare = key.replace('.', "");
        let bare = bare.strip_prefix("the ").unwrap_or(&bare);
        tables.by_key.get(bare).copied()
    }

    /// The ISO 3166-1 alpha-2 code, upper case.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The English name: the ISO short name, or the shorter one in daily use (`United Kingdom`, `South Korea`).
    #[must_use]
    pub fn name(self) -> &'static str {
        tables().names.get(&self.0).copied().unwrap_or_default()
    }
}

struct Tables {
    names: HashMap<[u8; 2], &'static str>,
    by_key: HashMap<String, Country>,
}

/// Built once, on the first look-up: an import asks for every row.
fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(build)
}

fn build() -> Tables {
    let mut names: HashMap<[u8; 2], &'static str> = HashMap::new();
    let mut by_key = HashMap::new();
    for (alias, code) in ALIASES {
        by_key.insert((*alias).to_owned(), Country(**code));
    }
    let (mut unofficial, mut translated) = (Claims::new(), Claims::new());
    for entry in CountryIterator::new() {
        let Some(country) = alpha2_bytes(entry.alpha2()).map(Country) else { continue };
        names.insert(country.0, entry.iso_short_name());
        let alpha3 = entry.alpha3().to_string();
        for key in [country.code(), &alpha3, entry.iso_short_name(), entry.iso_long_name()] {
            by_key.entry(fold(key)).or_insert(country);
        }
        entry.unofficial_name_list().iter().for_each(|name| claim(&mut unofficial, name, country));
        entry.translations().values().for_each(|name| claim(&mut translated, name, country));
    }
    names.extend(NAMES.iter().map(|(code, name)| (**code, *name)));
    by_key.extend(names.iter().map(|(code, name)| (fold(name), Country(*code))));
    for (key, country) in unofficial.into_iter().chain(translated) {
        if let Some(country) = country {
            by_key.entry(key).or_insert(country);
        }
    }
    by_key.shrink_to_fit();
    Tables { names, by_key }
}

/// Names that only fill gaps; one that two countries claim names neither.
type Claims = HashMap<String, Option<Country>>;

fn claim(claims: &mut Claims, name: &str, country: Country) {
    let owner = claims.entry(fold(name)).or_insert(Some(country));
    if *owner != Some(country) {
        *owner = None;
    }
}

fn alpha2_bytes(code: Alpha2) -> Option<[u8; 2]> {
    let text = code.to_string();
    <[u8; 2]>::try_from(text.to_ascii_uppercase().as_bytes()).ok()
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl FromStr for Country {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(text)
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_import_files_hold() {
        for (text, code) in [
            ("NO", "NO"),
            ("no", "NO"),
            ("NOR", "NO"),
            ("Norge", "NO"),
            ("Norway", "NO"),
            ("Noreg", "NO"),
            ("US", "US"),
            ("USA", "US"),
            ("U.S.A.", "US"),
            ("u.s.", "US"),
            ("United States", "US"),
            ("united states of america", "US"),
            ("The United States", "US"),
            ("America", "US"),
            ("UK", "GB"),
            ("England", "GB"),
            ("United Kingdom", "GB"),
            ("Great Britain", "GB"),
            ("GBR", "GB"),
            ("Deutschland", "DE"),
            ("DEU", "DE"),
            ("Allemagne", "DE"),
            ("Германия", "DE"),
            ("Россия", "RU"),
            ("Holland", "NL"),
            ("The Netherlands", "NL"),
            ("South Korea", "KR"),
            ("Czech Republic", "CZ"),
            ("Ivory Coast", "CI"),
            ("Côte d'Ivoire", "CI"),
            ("Türkiye", "TR"),
            ("TURKEY", "TR"),
            ("日本", "JP"),
            ("Kosovo", "XK"),
            ("XK", "XK"),
            ("España", "ES"),
            ("espana", "ES"),
            ("Österreich", "AT"),
            ("Viet Nam", "VN"),
            ("Vietnam", "VN"),
            ("Sverige", "SE"),
            ("Danmark", "DK"),
            ("Suomi", "FI"),
            ("Niger", "NE"),
            ("Nigeria", "NG"),
            ("Guinea", "GN"),
            ("India", "IN"),
            ("Georgia", "GE"),
        ] {
            assert_eq!(Country::parse(text).map(|c| c.code().to_owned()).as_deref(), Ok(code), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_country() {
        for text in ["unknown", "Asia/Pacific Region", "XX", "ZZZ", "Select", "1", "é", "EU"] {
            assert_eq!(Country::parse(text).unwrap_err().code(), ViolationCode::Unknown, "{text}");
        }
        assert_eq!(Country::parse(" ").unwrap_err().code(), ViolationCode::Required);
        assert_eq!(Country::parse(&"x".repeat(1000)).unwrap_err().code(), ViolationCode::TooLong);
    }

    #[test]
    fn every_country_is_found_by_its_code_and_names() {
        assert_eq!(tables().names.len(), 250);
        for (code, name) in &tables().names {
            let country = Country(*code);
            assert_eq!(Country::parse(country.code()).unwrap(), country);
            assert_eq!(Country::parse(name).unwrap(), country, "{name}");
            assert!(!country.name().is_empty());
        }
        for entry in CountryIterator::new() {
            let code = alpha2_bytes(entry.alpha2()).unwrap();
            assert_eq!(Country::parse(&entry.alpha3().to_string()).unwrap().0, code);
        }
    }

    #[test]
    fn the_tables_fit_a_small_stack() {
        // A host may call from a thread with little stack; a table built as one array overflowed two megabytes.
        let thread = std::thread::Builder::new().stack_size(512 * 1024);
        let built = thread.spawn(build).unwrap().join().unwrap();
        println!("{} names of {} countries", built.by_key.len(), built.names.len());
        assert!(built.by_key.len() > 10_000);
    }

    #[test]
    fn names_fold_to_themselves() {
        for (alias, _) in ALIASES {
            assert_eq!(fold(alias), *alias);
        }
    }

    #[test]
    fn serialises_as_its_code() {
        let country: Country = serde_json::from_str("\"norge\"").unwrap();
        assert_eq!(serde_json::to_string(&country).unwrap(), "\"NO\"");
        assert!(serde_json::from_str::<Country>("\"Narnia\"").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            if let Ok(country) = Country::parse(&text) {
                prop_assert_eq!(Country::parse(country.code()), Ok(country));
            }
        }
    }
}
