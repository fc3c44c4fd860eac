//! Countries (ISO 3166-1).

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

use super::fold::{fold, malformed, trimmed};
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

/// The countries with their spellings; its head says what a line holds and where the names come from.
const COUNTRIES: &str = include_str!("countries.txt");

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

    /// What a store holds: a code that was [parsed](Self::parse) before it was written. It is not looked up again, so that
    /// reading a record needs no tables, and so that a country that is dissolved stays readable.
    ///
    /// # Errors
    /// When the text is anything else than two letters `A` to `Z`.
    pub fn from_stored(code: &str) -> Result<Self, ValueError> {
        match code.as_bytes() {
            &[a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Self([a, b])),
            _ => Err(malformed("a country is stored as a code of two letters")),
        }
    }

    fn lookup(text: &str) -> Option<Self> {
        let tables = tables();
        let key = fold(text);
        let (code, name) = (tables.codes.get(&key), tables.by_key.get(&key));
        // Transliterated, Egypt's name in Arabic is Montserrat's code: what is not in Latin letters is a name first.
        let found = if text.nfkc().all(|c| c.is_ascii()) { code.or(name) } else { name.or(code) };
        if let Some(country) = found {
            return Some(*country);
        }
        let bare = key.replace('.', "");
        let bare = bare.strip_prefix("the ").unwrap_or(&bare);
        tables.codes.get(bare).or_else(|| tables.by_key.get(bare)).copied()
    }

    /// All of them, by their names.
    #[cfg(feature = "xlsx")]
    pub(crate) fn all() -> Vec<Self> {
        let mut all: Vec<Self> = tables().names.keys().map(|code| Self(*code)).collect();
        all.sort_by_key(|country| fold(country.name()));
        all
    }

    /// The ISO 3166-1 alpha-2 code, upper case.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The English name: the ISO short name, or the shorter one in daily use (`United Kingdom`, `South Korea`). Empty for
    /// a [stored](Self::from_stored) code that is not in the list.
    #[must_use]
    pub fn name(self) -> &'static str {
        tables().names.get(&self.0).copied().unwrap_or_default()
    }
}

struct Tables {
    names: HashMap<[u8; 2], &'static str>,
    /// Codes of two and three letters, by match key.
    codes: HashMap<String, Country>,
    by_key: HashMap<String, Country>,
}

/// Built once, on the first look-up: an import asks for every row.
fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(build)
}

/// Spellings are folded here rather than in the file, so that the keys always match the ones [`fold`] makes.
fn build() -> Tables {
    let lines = || COUNTRIES.lines().filter_map(Line::read);
    let mut names = HashMap::with_capacity(256);
    let mut codes = HashMap::with_capacity(512);
    let mut by_key = HashMap::with_capacity(lines().map(|line| line.spellings().count()).sum());
    for line in lines() {
        names.insert(line.country.0, line.name);
        codes.extend(line.codes().map(|code| (code.to_ascii_lowercase(), line.country)));
        by_key.extend(line.spellings().map(|name| (fold(name), line.country)));
    }
    Tables { names, codes, by_key }
}

/// A line of [`COUNTRIES`].
struct Line<'a> {
    country: Country,
    alpha2: &'a str,
    alpha3: &'a str,
    /// The English name, which is also the first spelling.
    name: &'a str,
    others: &'a str,
}

impl<'a> Line<'a> {
    /// Nothing for a comment.
    fn read(line: &'a str) -> Option<Self> {
        let (alpha2, rest) = line.split_once(' ').filter(|_| !line.starts_with('#'))?;
        let (alpha3, names) = rest.split_once(' ')?;
        let (name, others) = names.split_once('|').unwrap_or((names, ""));
        let country = Country(alpha2.as_bytes().try_into().ok()?);
        Some(Self { country, alpha2, alpha3, name, others })
    }

    fn codes(&self) -> [&'a str; 2] {
        [self.alpha2, self.alpha3]
    }

    fn spellings(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        std::iter::once(self.name).chain(self.others.split('|').filter(|name| !name.is_empty()))
    }
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

    /// Names in daily use, many of which no list of ISO names has.
    #[test]
    fn reads_what_people_say() {
        for (code, names) in [
            ("AE", &["uae"][..]),
            ("BE", &["Belgique", "België", "Belgien"][..]),
            ("BO", &["bolivia"][..]),
            ("BR", &["Brasil", "Brésil", "巴西"][..]),
            ("CD", &["dr congo", "democratic republic of the congo"][..]),
            ("CG", &["congo", "republic of the congo"][..]),
            ("CH", &["Schweiz", "Suisse", "Svizzera", "Zwitserland"][..]),
            ("CI", &["ivory coast"][..]),
            ("CN", &["prc", "中国", "China", "Kina"][..]),
            ("CV", &["cape verde"][..]),
            ("CZ", &["czech republic", "czechia"][..]),
            ("EG", &["مصر", "Ägypten"][..]),
            ("FM", &["micronesia"][..]),
            ("FR", &["Frankrike", "Frankreich", "Francia", "フランス"][..]),
            (
                "GB",
                &[
                    "uk",
                    "great britain",
                    "britain",
                    "england",
                    "scotland",
                    "wales",
                    "northern ireland",
                    "Reino Unido",
                    "Royaume-Uni",
                    "Storbritannia",
                    "Vereinigtes Königreich",
                ][..],
            ),
            ("GN", &["guinea"][..]),
            ("GR", &["el", "Ελλάδα", "Hellas"][..]),
            ("HK", &["hong kong"][..]),
            ("HR", &["Hrvatska"][..]),
            ("HU", &["Magyarország", "Ungarn"][..]),
            ("IE", &["Éire", "Irland"][..]),
            ("IL", &["ישראל"][..]),
            ("IN", &["भारत", "Bharat"][..]),
            ("IR", &["iran"][..]),
            ("IS", &["Ísland"][..]),
            ("IT", &["Italia", "Italien", "Itálie"][..]),
            ("KP", &["north korea"][..]),
            ("KR", &["south korea", "korea", "korea, republic of", "republic of korea", "대한민국"][..]),
            ("LA", &["laos"][..]),
            ("MD", &["moldova"][..]),
            ("MK", &["macedonia"][..]),
            ("MM", &["burma"][..]),
            ("MO", &["macau"][..]),
            ("NL", &["holland"][..]),
            ("PL", &["Polska", "Polen", "Pologne", "Польша"][..]),
            ("PS", &["palestine"][..]),
            ("RU", &["russia"][..]),
            ("SA", &["ksa"][..]),
            ("SY", &["syria"][..]),
            ("SZ", &["swaziland"][..]),
            ("TH", &["ประเทศไทย", "ไทย"][..]),
            ("TL", &["east timor"][..]),
            ("TR", &["turkey", "turkiye"][..]),
            ("TW", &["taiwan"][..]),
            ("TZ", &["tanzania"][..]),
            ("UA", &["Україна", "Украина"][..]),
            (
                "US",
                &[
                    "us",
                    "usa",
                    "america",
                    "united states",
                    "Estados Unidos",
                    "États-Unis",
                    "Vereinigte Staaten",
                ][..],
            ),
            ("VA", &["vatican", "vatican city"][..]),
            ("VE", &["venezuela"][..]),
            ("VN", &["vietnam"][..]),
            ("XK", &["kosovo", "kosova", "xkx", "republic of kosovo"][..]),
        ] {
            for name in names {
                assert_eq!(Country::parse(name).map(|c| c.code().to_owned()).as_deref(), Ok(code), "{name}");
            }
        }
    }

    #[test]
    fn a_name_whose_transliteration_is_a_code_is_a_name() {
        for (text, code) in
            [("مصر", "EG"), ("MSR", "MS"), ("msr", "MS"), ("Mỹ", "US"), ("MY", "MY"), ("هند", "IN")]
        {
            assert_eq!(Country::parse(text).unwrap().code(), code, "{text}");
        }
        assert_eq!(Country::parse("ＵＳＡ").unwrap().code(), "US");
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
            assert_eq!(Country::from_stored(country.code()).unwrap(), country);
            assert_eq!(Country::parse(name).unwrap(), country, "{name}");
            assert!(!country.name().is_empty());
        }
    }

    #[test]
    fn every_line_of_the_table_is_read_and_no_spelling_names_two_countries() {
        let mut lines = 0;
        let mut keys = HashMap::new();
        for text in COUNTRIES.lines().filter(|line| !line.starts_with('#')) {
            let line = Line::read(text).unwrap();
            lines += 1;
            assert!(line.alpha2.len() == 2 && line.alpha3.len() == 3, "{text}");
            assert!(line.codes().concat().bytes().all(|byte| byte.is_ascii_uppercase()), "{text}");
            for spelling in line.codes().into_iter().chain(line.spellings()) {
                assert_eq!(Country::parse(spelling), Ok(line.country), "{spelling}");
            }
            for spelling in line.spellings() {
                let other = keys.insert(fold(spelling), line.country);
                assert!(other.is_none_or(|other| other == line.country), "{spelling}: two countries");
            }
        }
        assert_eq!(lines, 250);
    }

    #[test]
    fn the_tables_fit_a_small_stack() {
        // A host may call from a thread with little stack; a table built as one array overflowed two megabytes.
        let thread = std::thread::Builder::new().stack_size(512 * 1024);
        let built = thread.spawn(build).unwrap().join().unwrap();
        println!("{} names of {} countries", built.by_key.len(), built.names.len());
        // As many as the first table had: it may grow, and must not lose a name unnoticed.
        assert!(built.by_key.len() + built.codes.len() >= 15_483);
    }

    #[test]
    fn a_stored_code_is_two_capitals() {
        for text in ["", "n", "no", "NOR", "N1", "Ø", "É"] {
            assert_eq!(Country::from_stored(text).unwrap_err().code(), ViolationCode::Malformed, "{text}");
        }
        let gone = Country::from_stored("YU").unwrap();
        assert_eq!((gone.code(), gone.name()), ("YU", ""));
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
