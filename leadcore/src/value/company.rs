//! Names of companies without their legal form: what two spellings of one company have in common.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;

use super::fold::fold;

/// Words that say in which legal form a company is, folded, without dots; of several words each as one entry.
///
/// They are the abbreviations of ISO 20275 (the Entity Legal Forms code list, which GLEIF maintains) that companies in
/// Europe, the Americas and Asia write behind their names, with the English, German and Scandinavian words in full.
const FORMS: &str = "\
    ltd|limited|plc|llp|lp|llc|lllp|pllc|inc|incorporated|corp|corporation|co|company|cic|pty|pty ltd|pte|pte ltd|pvt|\
    pvt ltd|private limited|bhd|sdn bhd|l l c|l l p|l t d|p l c|\
    gmbh|ggmbh|mbh|ag|kg|kgaa|ohg|ug|ug haftungsbeschrankt|haftungsbeschrankt|ev|e v|eg|e g|se|gbr|e k|ek|ekfm|\
    gesellschaft mit beschrankter haftung|aktiengesellschaft|kommanditgesellschaft|partg|partgmbb|\
    as|a s|asa|aps|ans|da|ba|nuf|enk|sa|iks|kf|a m b a|amba|i s|ivs|smba|fmba|aksjeselskap|aktieselskab|anpartsselskab|\
    ab|aktiebolag|publ|hb|kb|handelsbolag|kommanditbolag|oy|oyj|ab oy|oy ab|osakeyhtio|ky|tmi|ry|ehf|hf|sf|ses|\
    bv|b v|nv|n v|vof|v o f|cv|c v|besloten vennootschap|naamloze vennootschap|bvba|b v b a|sprl|s p r l|srl|s r l|cvba|\
    sarl|s a r l|sarlu|sas|s a s|sasu|eurl|e u r l|sci|snc|s n c|scop|scs|sca|selarl|societe anonyme|s a|\
    spa|s p a|sapa|srls|s r l s|sas di|s a p a|soc coop|scarl|s c a r l|scrl|onlus|\
    sl|s l|slu|s l u|sll|slne|s a u|sau|scp|s coop|sociedad anonima|sociedad limitada|sa de cv|s a de c v|\
    s de rl de cv|s de r l de c v|de cv|ltda|lda|s a c|sac|eirl|e i r l|eireli|me|epp|unipessoal|unipessoal lda|\
    sp z oo|sp z o o|spolka z oo|spolka z o o|spolka z ograniczona odpowiedzialnoscia|sp j|sp k|sp p|spolka akcyjna|\
    sro|s r o|spol s ro|spol s r o|as cz|a s cz|vos|ks|zs|kft|bt|zrt|nyrt|rt|kkt|\
    doo|d o o|dd|d d|jdoo|j d o o|ad|a d|ood|eood|ead|et|sc|s c|scs|pfa|\
    uab|ab lt|mb|sia|ou|o u|tu|fie|ik|ooo|zao|oao|pao|ao|ip|tov|too|\
    as ee|llc ua|\
    ae|a e|epe|ike|oe|o e|ee|monoprosopi|\
    as tr|a s tr|ltd sti|limited sirketi|anonim sirketi|sti|\
    kk|k k|gk|g k|kabushiki kaisha|godo kaisha|\
    pt|tbk|pjsc|jsc|ojsc|cjsc|fze|fzc|fzco|fzllc|dmcc|wll|w l l|\
    gmbh co kg|ag co kg|co kg|co ohg|cie|und co|and co|et cie|fils";

static KNOWN_FORMS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| FORMS.split('|').map(str::trim).collect());

/// The same in front of a name (`AB Volvo`, `OOO Romashka`): only forms that are no words.
const FORMS_IN_FRONT: &str = "ab as oy ooo zao oao pao uab sia pt cv";

/// Forms that are written without a blank, as they are typed.
const FORMS_TOGETHER: [&str; 9] = [
    "株式会社",
    "有限会社",
    "合同会社",
    "(株)",
    "（株）",
    "股份有限公司",
    "有限责任公司",
    "有限公司",
    "주식회사",
];

/// Words between two names.
const BETWEEN: [&str; 5] = ["and", "und", "og", "och", "et"];

/// The name of a company folded, without its legal form, punctuation and words like `and`: companies whose core is the
/// same may be the same. A name of nothing but such words is kept; only a blank one has an empty core.
///
/// ```
/// use leadcore::value::company_core;
/// assert_eq!(company_core("Nordlys Energi A/S"), company_core("NORDLYS ENERGI AS"));
/// assert_eq!(company_core("Müller & Söhne GmbH & Co. KG"), "muller sohne");
/// assert_eq!(company_core("Kowalski Sp. z o.o."), "kowalski");
/// assert_eq!(company_core("Limited"), "limited");
/// ```
#[must_use]
pub fn company_core(name: &str) -> String {
    let mut text = name.trim();
    for form in FORMS_TOGETHER {
        let rest = text.strip_prefix(form).or_else(|| text.strip_suffix(form)).map(str::trim);
        text = rest.filter(|rest| !rest.is_empty()).unwrap_or(text);
    }
    let folded = fold(text);
    let words = words(&folded);
    let mut core: &[String] = &words;
    while let Some(rest) = without_form(core) {
        core = rest;
    }
    if let [first, rest @ ..] = core
        && !rest.is_empty()
        && FORMS_IN_FRONT.split(' ').any(|form| form == first)
    {
        core = rest;
    }
    let said: Vec<_> = core.iter().map(String::as_str).filter(|word| !BETWEEN.contains(word)).collect();
    let said = if said.is_empty() { core.iter().map(String::as_str).collect() } else { said };
    if said.is_empty() { folded } else { said.join(" ") }
}

/// Every core by which a company is found: [`company_core`], the same with umlauts and Nordic letters as they are spelled without them
/// (`Müller` is `Mueller`, `Ørsted` is `Oersted`), and each without an English article in front.
///
/// ```
/// use leadcore::value::company_cores;
/// assert_eq!(company_cores("Müller GmbH"), ["mueller", "muller"]);
/// assert_eq!(company_cores("Mueller GmbH"), ["mueller"]);
/// assert_eq!(company_cores("The Acme Company"), ["acme", "the acme"]);
/// ```
#[must_use]
pub fn company_cores(name: &str) -> Vec<String> {
    let spelled: String = name.nfc().map(spelled_out).collect();
    let mut cores = Vec::new();
    for name in [name.trim(), spelled.trim()] {
        cores.push(company_core(name));
        let article = name.get(..4).filter(|start| start.eq_ignore_ascii_case("the "));
        let rest = article.and_then(|_| name.get(4..)).map(company_core);
        cores.extend(rest.filter(|rest| !rest.is_empty()));
    }
    cores.sort();
    cores.dedup();
    cores
}

fn spelled_out(letter: char) -> Cow<'static, str> {
    Cow::Borrowed(match letter {
        'ü' | 'Ü' => "ue",
        'ö' | 'Ö' | 'ø' | 'Ø' => "oe",
        'ä' | 'Ä' | 'æ' | 'Æ' => "ae",
        'å' | 'Å' => "aa",
        other => return Cow::Owned(other.to_string()),
    })
}

/// Words of letters and digits; dots and apostrophes inside one are left out (`S.r.l.` is `srl`), and so is the stroke of
/// `A/S`.
fn words(folded: &str) -> Vec<String> {
    let mut words = Vec::new();
    for part in folded.split_whitespace() {
        let short = part.len() <= 4;
        let mut word = String::new();
        for letter in part.chars() {
            match letter {
                '.' | '\'' | '’' => {}
                '/' if short => {}
                letter if letter.is_alphanumeric() => word.push(letter),
                _ => words.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            }
        }
        words.extend((!word.is_empty()).then_some(word));
    }
    words
}

/// The words without the longest form at their end; none when there is none, or nothing would be left.
fn without_form(words: &[String]) -> Option<&[String]> {
    let most = words.len().saturating_sub(1).min(4);
    (1..=most).rev().find_map(|count| {
        let (rest, end) = words.split_at_checked(words.len().saturating_sub(count))?;
        let end = end.join(" ");
        KNOWN_FORMS.contains(end.as_str()).then_some(rest)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_company_have_one_core() {
        for (core, names) in [
            ("nordlys", &["Nordlys AS", "NORDLYS A/S", "Nordlys a.s.", "Nordlys, AS", "Nordlys"][..]),
            ("acme", &["Acme Ltd", "ACME Ltd.", "Acme Limited", "acme, Inc.", "Acme LLC", "Acme Pty Ltd"]),
            ("volvo", &["AB Volvo", "Volvo AB", "Volvo AB (publ)"]),
            ("rossi", &["Rossi S.r.l.", "Rossi srl", "Rossi S.p.A.", "ROSSI S. r. l."]),
            ("dupont", &["Dupont SARL", "Dupont S.A.R.L.", "Dupont SA", "Dupont & Cie", "Dupont S.A.S."]),
            ("kowalski", &["Kowalski Sp. z o.o.", "Kowalski sp. z o. o.", "Kowalski Spółka z o.o."]),
            ("jansen", &["Jansen BV", "Jansen B.V.", "Jansen N.V."]),
            ("muller sohne", &["Müller & Söhne GmbH", "Müller und Söhne GmbH & Co. KG", "Muller Sohne oHG"]),
            ("nokia", &["Nokia Oyj", "Nokia Oy Ab", "Oy Nokia Ab"]),
            ("garcia", &["García S.L.", "Garcia SLU", "García, S.A. de C.V."]),
            ("novak", &["Novák s.r.o.", "Novak spol. s r.o.", "Novak d.o.o."]),
            ("foo bar", &["Foo-Bar GmbH", "Foo Bar UG (haftungsbeschränkt)"]),
        ] {
            for name in names {
                assert_eq!(company_core(name), core, "{name}");
            }
        }
        assert_eq!(company_core("株式会社トヨタ"), company_core("トヨタ"));
    }

    #[test]
    fn a_name_is_found_however_its_letters_are_spelled() {
        for (one, other) in [
            ("Müller GmbH", "Mueller GmbH"),
            ("MU\u{308}LLER", "Mueller"),
            ("Weiß AG", "Weiss AG"),
            ("Ørsted A/S", "Oersted"),
            ("Ærø Færger", "Aeroe Faerger"),
            ("Ålesund AS", "Aalesund"),
            ("The Acme Company", "Acme"),
            ("The Müller Co", "Mueller"),
        ] {
            let (one, other) = (company_cores(one), company_cores(other));
            assert!(one.iter().any(|core| other.contains(core)), "{one:?} {other:?}");
        }
        for (one, other) in [("Blue AS", "Blu AS"), ("The", "Other"), ("Theatre", "Atre"), ("Öl AG", "Ol AG")]
        {
            let known = company_cores(other);
            let is_new = company_cores(one)
                .iter()
                .filter(|core| **core != company_core(one))
                .all(|core| !known.contains(core));
            assert!(is_new, "{one} {other}");
        }
    }

    #[test]
    fn other_companies_stay_others() {
        for (one, other) in [
            ("Nordlys AS", "Nordlys Energi AS"),
            ("Asahi", "Ahi"),
            ("Company of Heroes", "Heroes"),
            ("AS Roma", "Lazio"),
            ("3M", "3"),
        ] {
            assert_ne!(company_core(one), company_core(other), "{one}");
        }
        for alone in ["Limited", "AG", "& Co.", "AS", "S.A."] {
            assert!(!company_core(alone).is_empty(), "{alone}");
        }
        assert_eq!(company_core(" \t"), "");
    }

    proptest! {
        #[test]
        fn a_core_is_there_and_has_no_case(name in "\\PC{0,30}") {
            let core = company_core(&name);
            prop_assert_eq!(core.is_empty(), fold(&name).is_empty());
            prop_assert_eq!(company_core(&name.to_ascii_uppercase()), company_core(&name.to_ascii_lowercase()));
        }

        #[test]
        fn a_form_more_makes_no_difference(name in "[a-z]{4,12} [a-z]{4,12}", at in any::<prop::sample::Index>()) {
            let forms = ["GmbH", "AS", "Ltd.", "S.r.l.", "Inc", "LLC", "B.V.", "Oy", "AB", "SA", "SARL", "Sp. z o.o."];
            let form = at.get(&forms);
            prop_assert_eq!(company_core(&format!("{name} {form}")), company_core(&name));
        }
    }
}
