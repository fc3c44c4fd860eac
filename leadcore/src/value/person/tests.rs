use proptest::prelude::*;

use super::*;

use crate::error::ViolationCode;

type Expected = (Option<&'static str>, Option<&'static str>, Option<&'static str>, Option<&'static str>);

fn parts(name: &PersonName) -> (Option<&str>, Option<&str>, Option<&str>, Option<&str>) {
    (name.prefix(), name.given(), name.family(), name.suffix())
}

#[test]
fn splits_names() {
    let cases: &[(&str, Expected)] = &[
        ("Anna Berg", (None, Some("Anna"), Some("Berg"), None)),
        ("Berg", (None, None, Some("Berg"), None)),
        ("Dr. Berg", (Some("Dr."), None, Some("Berg"), None)),
        ("Berg, Anna Maria", (None, Some("Anna Maria"), Some("Berg"), None)),
        ("van der Berg, Dr. Anna", (Some("Dr."), Some("Anna"), Some("van der Berg"), None)),
        ("Van Morrison", (None, Some("Van"), Some("Morrison"), None)),
        ("Ludwig van Beethoven", (None, Some("Ludwig"), Some("van Beethoven"), None)),
        ("Osama bin Zayed", (None, Some("Osama"), Some("bin Zayed"), None)),
        ("John Smith, Jr.", (None, Some("John"), Some("Smith"), Some("Jr."))),
        ("John Smith, MD, PhD", (None, Some("John"), Some("Smith"), Some("MD PhD"))),
        ("Smith, John, Jr.", (None, Some("John"), Some("Smith"), Some("Jr."))),
        ("Prof. Dr. Anna Berg Ph.D.", (Some("Prof. Dr."), Some("Anna"), Some("Berg"), Some("Ph.D."))),
        ("Yo-Yo Ma", (None, Some("Yo-Yo"), Some("Ma"), None)),
        ("Mr", (None, None, Some("Mr"), None)),
        ("Jr.", (None, None, Some("Jr."), None)),
        ("山田 太郎", (None, Some("山田"), Some("太郎"), None)),
        ("Maj Sjöwall", (None, Some("Maj"), Some("Sjöwall"), None)),
        ("Maj. Tom Berg", (Some("Maj."), Some("Tom"), Some("Berg"), None)),
        ("M. Night Shyamalan", (None, Some("M. Night"), Some("Shyamalan"), None)),
        (",", (None, None, Some(","), None)),
    ];
    for (full, expected) in cases {
        let name = PersonName::parse(full).unwrap();
        assert_eq!(parts(&name), *expected, "{full}");
        assert_eq!(name.full(), *full);
    }
}

#[test]
fn parts_make_the_full_name() {
    let name = PersonName::from_parts(Some(" Dr. "), Some("Anna"), Some(""), None).unwrap();
    assert_eq!(name.full(), "Dr. Anna");
    assert_eq!(parts(&name), (Some("Dr."), Some("Anna"), None, None));
    let code = PersonName::from_parts(None, Some(" "), None, None).unwrap_err().code();
    assert_eq!(code, ViolationCode::Required);
    let long = "x".repeat(300);
    let code = PersonName::from_parts(None, Some(&long), Some(&long), None).unwrap_err().code();
    assert_eq!(code, ViolationCode::TooLong);
}

#[test]
fn refuses_blank_long_and_nul() {
    assert_eq!(PersonName::parse("\t").unwrap_err().code(), ViolationCode::Required);
    assert_eq!(PersonName::parse(&"ä".repeat(501)).unwrap_err().code(), ViolationCode::TooLong);
    assert_eq!(PersonName::parse("a\0b").unwrap_err().code(), ViolationCode::Malformed);
    assert!(serde_json::from_str::<PersonName>(r#"{"full":" "}"#).is_err());
}

#[test]
fn the_lists_are_folded() {
    for word in [PREFIXES, PREFIXES_WITH_DOT, SUFFIXES, PARTICLES].concat() {
        assert_eq!(fold(word).replace('.', ""), word);
    }
    assert_eq!(PersonName::parse("Berg, Ánna").unwrap().match_key(), "anna berg");
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.sort();
    words
}

proptest! {
    #[test]
    fn no_word_is_lost(
        text in proptest::collection::vec(
            prop_oneof![
                Just("Dr."), Just("van"), Just("de"), Just("Anna"), Just("Berg"), Just(","), Just("Jr."),
                Just("PhD,"), Just("Ma"), Just("  "), Just("山田"), Just("Sr"),
            ], 0..10),
    ) {
        let full = text.join(" ");
        if let Ok(name) = PersonName::parse(&full) {
            let together = [name.prefix(), name.given(), name.family(), name.suffix()];
            let together = together.into_iter().flatten().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(words(&together), words(&full));
            prop_assert_eq!(name.full(), full.trim());
        }
    }

    #[test]
    fn any_text_keeps_its_words_and_round_trips(text in any::<String>()) {
        if let Ok(name) = PersonName::parse(&text) {
            let (prefix, given, family, suffix) = parts(&name);
            let together = [prefix, given, family, suffix].into_iter().flatten().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(words(&together), words(&text));
            let json = serde_json::to_string(&name).unwrap();
            prop_assert_eq!(serde_json::from_str::<PersonName>(&json).unwrap(), name);
        }
    }
}
