//! Headers that are paths into a JSON document: `form_response.definition.title`, `emails.1.value`.

use crate::domain::{Catalogue, Field, header_key};
use crate::exchange::coerce::currency::in_header;

/// Words that everything has, whatever it is: of whom they are said stands before them.
const OF_ANYTHING: &str = "id name title value number text url link type status state label description message source \
    date uuid key reference ref position role category address guid domain site via point points score first last";
/// Who a lead is.
const PERSONS: &str = "lead leads contact contacts person persons prospect prospects customer customers client user \
    individual respondent submitter author";
const COMPANIES: &str =
    "company companies organization organisation organizations account employer business firm";
/// What only holds the rest.
const HOLDERS: &str =
    "data attributes fields properties record records values payload result results item items object";

/// The field that a path means, and how usual the word is for it: by its last part, unless that is a word that everything
/// has. Then what stands before it counts too.
pub(super) fn rank(header: &str, catalogue: &Catalogue) -> Option<(Field, u32)> {
    let Some((before, last)) = header.rsplit_once('.') else { return of_record(header, catalogue) };
    let known = |words: &str, key: &str| words.split_ascii_whitespace().any(|word| word == key);
    let key = header_key(last);
    if header.contains(char::is_whitespace) || !known(OF_ANYTHING, &key) {
        return catalogue.rank_header(last);
    }
    let mut owners = before.split('.').map(header_key);
    let owner =
        owners.rfind(|owner| !owner.is_empty() && !owner.bytes().all(|byte| byte.is_ascii_digit()))?;
    if known("name fullname", &owner) && known("first last", &key) {
        return catalogue.rank_header(last);
    }
    if known(PERSONS, &owner) {
        return catalogue.rank_header(last);
    }
    if known(COMPANIES, &owner) {
        let wanted = match key.as_str() {
            "name" => Field::Company,
            "url" | "domain" | "site" => Field::Website,
            "address" => Field::Street,
            "title" | "position" | "role" => Field::JobTitle,
            _ => return None,
        };
        return (!catalogue.is_disabled(&wanted)).then_some((wanted, 1));
    }
    // `fields.1.title` is one of the questions of a form.
    let is_listed =
        before.rsplit('.').next().is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if is_listed && known("fields properties values items questions answers", &owner) {
        return None;
    }
    if known(HOLDERS, &owner) && !known("url link type value text", &key) {
        return catalogue.rank_header(last);
    }
    // `emails.1.value`: the list says what it holds; `amount.value`: its currency stands beside it.
    let found = catalogue.rank_header(&owner)?;
    let words = match &found.0 {
        Field::Email | Field::Phone | Field::Website => "value text number address url",
        Field::Amount => "value number",
        _ => return None,
    };
    known(words, &key).then_some(found)
}

/// Whether a path says something of an item of a list, and not what the item is: `email.1.primary`, `phone.2.label`.
pub(super) fn is_said_of_item(header: &str) -> bool {
    let mut parts = header.rsplit('.').map(header_key);
    let is_said = parts.next().is_some_and(|last| {
        ["primary", "isprimary", "default", "main", "verified", "label", "type", "kind"]
            .contains(&last.as_str())
    });
    let is_item =
        parts.next().is_some_and(|item| !item.is_empty() && item.bytes().all(|b| b.is_ascii_digit()));
    is_said && is_item && !header.contains(char::is_whitespace)
}

/// What a header means without a remark behind it that changes nothing: `Company name (legal)`.
pub(super) fn without_remark(header: &str, catalogue: &Catalogue) -> Option<(Field, u32)> {
    const REMARKS: &str = "legal official registered asregistered full required optional mandatory ifany \
        ifapplicable pflichtfeld obligatoire obligatorio ddmmyyyy mmddyyyy yyyymmdd";
    if let Some((before, _)) = in_header(header) {
        return catalogue.rank_header(before).filter(|(field, _)| *field == Field::Amount);
    }
    let (before, remark) = header.trim_end().strip_suffix([')', ']'])?.rsplit_once(['(', '['])?;
    let remark = header_key(remark);
    REMARKS.split_whitespace().any(|known| known == remark).then(|| catalogue.rank_header(before)).flatten()
}

/// `Person - Phone - Work`: the record, its field, and what kind of that it is.
fn of_record(header: &str, catalogue: &Catalogue) -> Option<(Field, u32)> {
    let (record, rest) = header.split_once(" - ")?;
    let known = |words: &str, key: &str| words.split_ascii_whitespace().any(|word| word == key);
    if !known("lead deal person contact", &header_key(record)) {
        return None;
    }
    // One label is a label.
    if header_key(rest) != "label" && known(OF_ANYTHING, &header_key(rest)) {
        return None;
    }
    catalogue.rank_header(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_anything_counts_by_whose_it_is() {
        let catalogue = Catalogue::standard();
        for (header, field) in [
            ("form_response.definition.title", None),
            ("form_response.definition.id", None),
            ("entry.1.id", None),
            ("entry.1.changes.1.value.form_id", None),
            ("form.name", None),
            ("campaign.source", None),
            ("lead.id", Some(Field::ExternalId)),
            ("data.id", Some(Field::ExternalId)),
            ("contact.name", Some(Field::Name)),
            ("contact.title", Some(Field::Salutation)),
            ("company.name", Some(Field::Company)),
            ("organization.title", Some(Field::JobTitle)),
            ("emails.1.value", Some(Field::Email)),
            ("phones.2.number", Some(Field::Phone)),
            ("attributes.referenceId", Some(Field::ExternalId)),
            ("attributes.url", None),
            ("amount.value", Some(Field::Amount)),
            ("amount.currency", Some(Field::Currency)),
            ("deal.budget.value", Some(Field::Amount)),
            ("amount.text", None),
            ("company.number", None),
            ("answers.email", Some(Field::Email)),
            ("address.city", Some(Field::City)),
            ("form_response.definition.fields.1.title", None),
            ("fields.2.label", None),
            ("fields.title", Some(Field::Salutation)),
            ("Person - Phone - Work", Some(Field::Phone)),
            ("Person - Email - Home", Some(Field::Email)),
            ("Lead - Labels", Some(Field::Labels)),
            ("Lead - Currency of Value", Some(Field::Currency)),
            ("Lead - Expected close date", Some(Field::ExpectedClose)),
            ("Lead - Title", None),
            ("Deal - Label", Some(Field::Labels)),
            ("name.first", Some(Field::FirstName)),
            ("contact.name.last", Some(Field::LastName)),
            ("email.1.label", None),
            ("Oslo - Bergen", None),
        ] {
            assert_eq!(rank(header, &catalogue).map(|(field, _)| field), field, "{header}");
        }
    }
}
