//! Headers that are the questions of a form: `What is your name?`, `Which company do you work for?`, `Votre e-mail`.

use super::others::is_of_person;
use crate::domain::{Catalogue, Field};
use crate::value::fold;

/// How one asks, the longer ones first.
const ASKED: &[&str] = &[
    "please tell us",
    "please provide",
    "please enter",
    "please type",
    "please give",
    "please state",
    "may we have",
    "can we have",
    "please",
    "tell us",
    "provide",
    "enter",
    "what is",
    "what's",
    "what’s",
    "whats",
    "what",
    "which",
];
/// Whose it is.
const YOURS: &[&str] = &[
    "your", "the", "ihr", "ihre", "dein", "deine", "votre", "vos", "ton", "su", "tu", "din", "ditt", "deres",
    "seu", "sua", "uw", "jouw", "il tuo", "la tua", "il suo", "la sua",
];
/// What one does there.
const DONE: &[&str] = &[
    "do you work for",
    "do you work at",
    "do you work in",
    "do you represent",
    "do you live in",
    "are you working for",
    "are you based in",
    "are you from",
    "are you in",
    "you work for",
    "you work at",
    "you represent",
];
const NAME_OF: &[&str] = &["name of your", "name of the", "name of"];

/// The field that a question asks for, and how usual its words are.
pub(super) fn rank(header: &str, catalogue: &Catalogue) -> Option<(Field, u32)> {
    let folded = fold(header).replace('_', " ");
    let whole = folded.trim_matches(|letter: char| !letter.is_alphanumeric());
    let rest = without(whole, ASKED);
    let rest = without(rest, YOURS);
    let rest = DONE.iter().find_map(|done| rest.strip_suffix(done)).unwrap_or(rest).trim_end();
    let named = without(rest, NAME_OF);
    if rest == whole && named == rest {
        return None;
    }
    // `your company's name`
    let plain = named.replace("'s ", " ").replace("’s ", " ");
    let found = catalogue.rank_header(&plain).filter(|(field, _)| is_asked(field));
    // The name of whatever else has another field, or none.
    found.filter(|(field, _)| named == rest || *field == Field::Company)
}

/// Without the first of some words that it begins with.
fn without<'h>(header: &'h str, words: &[&str]) -> &'h str {
    let rest = words.iter().find_map(|words| header.strip_prefix(words)?.strip_prefix(' '));
    rest.map_or(header, str::trim_start)
}

/// Whether a form asks somebody for it. Titles and references are of too many kinds.
const fn is_asked(field: &Field) -> bool {
    let is_other = matches!(field, Field::Salutation | Field::ExternalId);
    (is_of_person(field) && !is_other)
        || matches!(field, Field::Industry | Field::Description | Field::Amount | Field::Currency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_means_what_it_asks_for() {
        let catalogue = Catalogue::standard();
        for (header, field) in [
            ("What's your name?", Some(Field::Name)),
            ("What is your e-mail address?", Some(Field::Email)),
            ("Please enter your phone number *", Some(Field::Phone)),
            ("Your Company", Some(Field::Company)),
            ("What is the name of your company?", Some(Field::Company)),
            ("Name of the company", Some(Field::Company)),
            ("Which company do you work for?", Some(Field::Company)),
            ("Company you work for", Some(Field::Company)),
            ("what_is_your_company_name?", Some(Field::Company)),
            ("What is your company's name?", Some(Field::Company)),
            ("what_is_your_job_title?", Some(Field::JobTitle)),
            ("Which country are you in?", Some(Field::Country)),
            ("What industry are you in?", Some(Field::Industry)),
            ("What is your budget?", Some(Field::Amount)),
            ("Your message", Some(Field::Description)),
            ("Ihr Name", Some(Field::Name)),
            ("Votre téléphone", Some(Field::Phone)),
            ("Ditt navn", Some(Field::Name)),
            ("What is your favourite colour?", None),
            ("What is the name of your dog?", None),
            ("What is the name of your city?", None),
            ("Your reference", None),
            ("Your title", None),
            ("Your", None),
            ("Name", None),
            ("", None),
        ] {
            assert_eq!(rank(header, &catalogue).map(|(field, _)| field), field, "{header}");
        }
    }
}
