//! The JSON lists in a row, read without a JSON parser where they have the form in which leadcore writes them: no escapes,
//! no blanks, fields in their order. A reader that meets anything else gives up, and serde reads the text; nothing is
//! refused here.
//!
//! Nearly every lead has two or three such lists, and a page has fifty leads.

use std::collections::BTreeSet;

use leadcore::domain::{Emails, ExternalRef, Phones, Reachable};
use leadcore::id::LabelId;
use leadcore::value::{Email, Phone};

/// What is left of a text.
struct Rest<'t>(&'t str);

impl<'t> Rest<'t> {
    /// Passes over `word` if it stands here.
    fn eat(&mut self, word: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(word)?;
        Some(())
    }

    /// The text up to the next quote, which is passed over.
    fn text(&mut self) -> Option<&'t str> {
        let end = self.0.bytes().position(|byte| byte == b'"' || byte == b'\\')?;
        let (text, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.strip_prefix('"')?;
        Some(text)
    }

    /// The text behind `name`, if that stands here.
    fn named(&mut self, name: &str) -> Option<Option<&'t str>> {
        match self.eat(name) {
            Some(()) => self.text().map(Some),
            None => Some(None),
        }
    }
}

/// Each item of a list.
fn items(json: &str, mut item: impl FnMut(&mut Rest<'_>) -> Option<()>) -> Option<()> {
    let mut rest = Rest(json);
    rest.eat("[")?;
    loop {
        item(&mut rest)?;
        if rest.eat(",").is_none() {
            rest.eat("]")?;
            return rest.0.is_empty().then_some(());
        }
    }
}

/// `[{"value":"anna@example.com"}]`
pub(crate) fn emails(json: &str) -> Option<Emails> {
    let mut list = Emails::none();
    items(json, |rest| {
        rest.eat("{\"value\":\"")?;
        let email = Email::from_stored(rest.text()?).ok()?;
        rest.eat("}")?;
        list.push(Reachable::new(email)).ok().map(drop)
    })?;
    Some(list)
}

/// `[{"value":{"text":"+47 22 22 55 55","e164":"+4722225555","valid":true}}]`
pub(crate) fn phones(json: &str) -> Option<Phones> {
    let mut list = Phones::none();
    items(json, |rest| {
        rest.eat("{\"value\":{\"text\":\"")?;
        let text = rest.text()?;
        let e164 = rest.named(",\"e164\":\"")?;
        let extension = rest.named(",\"extension\":\"")?;
        let valid = rest.eat(",\"valid\":true").is_some();
        if !valid {
            rest.eat(",\"valid\":false")?;
        }
        rest.eat("}}")?;
        let phone = Phone::from_stored(text, e164, extension, valid).ok()?;
        list.push(Reachable::new(phone)).ok().map(drop)
    })?;
    Some(list)
}

/// `[{"system":"erp","id":"42"}]`
pub(crate) fn external_ids(json: &str) -> Option<BTreeSet<ExternalRef>> {
    let mut ids = BTreeSet::new();
    items(json, |rest| {
        rest.eat("{\"system\":\"")?;
        let system = rest.text()?;
        rest.eat(",\"id\":\"")?;
        let id = ExternalRef::new(system, rest.text()?).ok()?;
        ids.insert(id);
        rest.eat("}")
    })?;
    Some(ids)
}

/// `["01938f5e-…"]`
pub(crate) fn labels(json: &str) -> Option<BTreeSet<LabelId>> {
    let mut labels = BTreeSet::new();
    items(json, |rest| {
        rest.eat("\"")?;
        labels.insert(rest.text()?.parse().ok()?);
        Some(())
    })?;
    Some(labels)
}

#[cfg(test)]
mod tests {
    use leadcore::domain::ReachKind;
    use proptest::prelude::*;

    use super::*;

    fn json(value: &impl serde::Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn the_usual_lists_are_read_the_short_way() {
        let list: Emails = "Anna@Example.com, ola@example.no".parse().unwrap();
        assert_eq!(emails(&json(&list)), Some(list));
        for text in ["+47 22 22 55 55, 0047 22225556", "917-584-0243x4606", "12345", "+1 917 584 0243 x12"] {
            let list: Phones = text.parse().unwrap();
            assert_eq!(phones(&json(&list)), Some(list), "{text}");
        }
        let ids: BTreeSet<_> = ["erp:42", "b:x y"].iter().map(|id| ExternalRef::parse(id).unwrap()).collect();
        assert_eq!(external_ids(&json(&ids)), Some(ids));
        let list = BTreeSet::from([LabelId::from_uuid(uuid::Uuid::from_u128(7))]);
        assert_eq!(labels(&json(&list)), Some(list));
    }

    #[test]
    fn what_is_not_usual_is_left_to_serde() {
        let mut list = Emails::none();
        list.push(Reachable::of_kind(Email::parse("a@b.co").unwrap(), ReachKind::Work)).unwrap();
        assert_eq!(emails(&json(&list)), None);
        for text in [
            "",
            "[]",
            "[",
            "null",
            "[{\"value\":\"a@b.co\"}",
            "[{\"value\":\"a@b.co\"}]x",
            "[{\"value\":\"\\u0061@b.co\"}]",
        ] {
            assert_eq!(emails(text), None, "{text}");
            assert_eq!(phones(text), None, "{text}");
            assert_eq!(external_ids(text), None, "{text}");
            assert_eq!(labels(text), None, "{text}");
        }
    }

    proptest! {
        /// Whatever the short way answers, serde answers the same.
        #[test]
        fn both_ways_agree_on_what_is_written(
            emails in proptest::collection::vec("[a-zA-Zä\"\\\\ ]{1,8}@[a-zA-Zü]{1,8}[.]com", 0..3),
            phones in proptest::collection::vec("[+0-9 x#\"\\\\é]{3,20}", 0..3),
            ids in proptest::collection::vec("[a-z]{1,3}:[ -~é]{1,9}", 0..3),
        ) {
            let mut list = Emails::none();
            emails.iter().filter_map(|text| Email::parse(text).ok()).for_each(|email| {
                list.push(Reachable::new(email)).unwrap();
            });
            let text = json(&list);
            prop_assert!(super::emails(&text).is_none_or(|read| read == list));
            let mut list = Phones::none();
            phones.iter().filter_map(|text| Phone::parse(text, None).ok()).for_each(|phone| {
                list.push(Reachable::new(phone)).unwrap();
            });
            prop_assert!(super::phones(&json(&list)).is_none_or(|read| read == list));
            let list: BTreeSet<_> = ids.iter().filter_map(|id| ExternalRef::parse(id).ok()).collect();
            prop_assert!(external_ids(&json(&list)).is_none_or(|read| read == list));
        }
    }
}
