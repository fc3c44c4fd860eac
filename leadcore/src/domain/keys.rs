//! What a lead is found by: computed here once, so that no store's collation ever decides a result.

use crate::value::fold;

use super::account::AccountFields;
use super::contact::ContactFields;
use super::custom_value::CustomKey;
use super::field::Field;
use super::field_value::FieldValue;
use super::lead::{Lead, LeadFields};

/// The version of the rules by which keys, search texts and folded names are computed: raised with every change of
/// what [`fold`], [`LeadFields::match_keys`], [`Lead::search_text`] or the [block keys](super::BlockKey) give for the same
/// record.
///
/// A store that keeps such values keeps this number with them, and refuses to go on when it is another: values of two
/// versions side by side would find only half.
pub const KEYS_VERSION: u32 = 3;

/// The kinds of exact key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MatchKind {
    /// `system:id` of another system.
    External,
    /// An e-mail address in canonical form.
    Email,
    /// The digits of a phone number, with country code where it is known.
    Phone,
    /// The id of a label.
    Label,
    /// A value of a custom field.
    Custom,
}

impl MatchKind {
    /// Every kind, strongest identity first.
    pub const ALL: [Self; 5] = [Self::External, Self::Email, Self::Phone, Self::Label, Self::Custom];

    /// Stable name, as stored: `external`, `email`, `phone`, `label`, `custom`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::External => "external",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Label => "label",
            Self::Custom => "custom",
        }
    }
}

/// One exact key of a lead: equal keys of two leads say that they may be the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatchKey {
    /// What kind of key.
    pub kind: MatchKind,
    /// The key itself.
    pub key: String,
}

impl MatchKey {
    /// A key of this kind.
    pub fn new(kind: MatchKind, key: impl Into<String>) -> Self {
        Self { kind, key: key.into() }
    }

    /// The key of a custom field with this [form](super::CustomValue::forms) of a value; none for an empty value or a list.
    #[must_use]
    pub fn custom(field: &CustomKey, form: &FieldValue) -> Option<Self> {
        let form = form.to_typed_text()?;
        Some(Self::new(MatchKind::Custom, format!("{field}={form}")))
    }

    /// The custom field and the form of its value, when it is such a key.
    #[must_use]
    pub fn as_custom(&self) -> Option<(CustomKey, FieldValue)> {
        let (field, form) = self.key.split_once('=').filter(|_| self.kind == MatchKind::Custom)?;
        Some((CustomKey::new(field).ok()?, FieldValue::from_typed_text(form)?))
    }
}

impl LeadFields {
    /// Every exact key but those of [custom fields](Self::custom_keys), strongest kind first, without repeats.
    #[must_use]
    pub fn match_keys(&self) -> Vec<MatchKey> {
        let external = self.external_ids.iter().map(|id| MatchKey::new(MatchKind::External, id.to_string()));
        let emails = self.emails.iter().map(|email| MatchKey::new(MatchKind::Email, email.canonical()));
        let phones = self.phones.iter().filter_map(|phone| {
            let key = phone.match_key()?;
            Some(MatchKey::new(MatchKind::Phone, key.trim_start_matches('+')))
        });
        let labels = self.labels.iter().map(|label| MatchKey::new(MatchKind::Label, label.to_string()));
        let mut keys: Vec<_> = external.chain(emails).chain(phones).chain(labels).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// The keys of every custom field, without repeats.
    #[must_use]
    pub fn custom_keys(&self) -> Vec<MatchKey> {
        let forms = self.custom.iter().flat_map(|(key, value)| {
            value.forms().into_iter().filter_map(|form| MatchKey::custom(key, &form))
        });
        let mut keys: Vec<_> = forms.collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// What a list sorts companies by.
    #[must_use]
    pub fn company_key(&self) -> String {
        self.company.as_deref().map(fold).unwrap_or_default()
    }

    /// What a list sorts persons by.
    #[must_use]
    pub fn name_key(&self) -> String {
        self.person.as_ref().map(|person| fold(person.full())).unwrap_or_default()
    }

    /// What leads of one campaign have in common, however it is written; none without one.
    #[must_use]
    pub fn campaign_key(&self) -> Option<String> {
        self.campaign.as_deref().map(fold)
    }

    /// The text that a search looks into (S0.15): see [`SearchText`].
    #[must_use]
    pub fn search_text(&self) -> SearchText {
        let mut text = SearchText::default();
        text.add(self.company.as_deref());
        text.begin(SearchPart::Person);
        text.add(self.person.as_ref().map(crate::value::PersonName::full));
        text.begin(SearchPart::Email);
        for email in self.emails.iter() {
            text.add(Some(email.as_str()));
        }
        text.begin(SearchPart::Phone);
        for phone in self.phones.iter() {
            // The number as digits, with and without country code: people type either.
            let digits = phone.digits();
            let key = phone.match_key().map(|key| key.trim_start_matches('+').to_owned());
            text.add(key.as_deref().filter(|key| !key.ends_with(&digits)));
            text.add(key.as_deref().filter(|key| key.ends_with(&digits)).or(Some(&digits)));
        }
        text
    }
}

impl ContactFields {
    /// The text that a search for persons looks into: name, e-mails, phone digits.
    #[must_use]
    pub fn search_text(&self) -> SearchText {
        self.as_lead_fields().search_text()
    }

    /// What a search for persons sorts them by: the name, else the first e-mail or phone.
    #[must_use]
    pub fn name_key(&self) -> String {
        self.display_name().map(fold).unwrap_or_default()
    }
}

impl AccountFields {
    /// The text that a search for accounts looks into: name, e-mails, phone digits.
    #[must_use]
    pub fn search_text(&self) -> SearchText {
        self.as_lead_fields().search_text()
    }

    /// What a search for accounts sorts them by.
    #[must_use]
    pub fn name_key(&self) -> String {
        fold(&self.name)
    }
}

impl Lead {
    /// The text that a search looks into, the lead number included.
    #[must_use]
    pub fn search_text(&self) -> SearchText {
        let mut text = self.fields.search_text();
        text.begin(SearchPart::Number);
        text.add(Some(&self.number.to_string()));
        text
    }
}

/// The digits of a folded text that has nothing but digits and what people write between those of a phone number.
pub(crate) fn dialled(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let all = text.chars().all(|letter| letter.is_ascii_digit() || " +-()./".contains(letter));
    (all && !digits.is_empty()).then_some(digits)
}

/// A part of the search text, in the order in which they stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SearchPart {
    /// The company's name.
    Company,
    /// The person's name.
    Person,
    /// The e-mail addresses.
    Email,
    /// The digits of the phone numbers.
    Phone,
    /// The lead number.
    Number,
}

impl SearchPart {
    /// Every part, in order.
    pub const ALL: [Self; 5] = [Self::Company, Self::Person, Self::Email, Self::Phone, Self::Number];

    /// The fields that it shows something of: whoever may not see one of them does not search in it.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Company => &[Field::Company],
            Self::Person => &[Field::Name, Field::FirstName, Field::LastName, Field::Salutation],
            Self::Email => &[Field::Email],
            Self::Phone => &[Field::Phone],
            Self::Number => &[Field::Number],
        }
    }

    /// The control character before it in the search text; none before the first. No word has one.
    #[must_use]
    pub const fn mark(self) -> Option<char> {
        match self {
            Self::Company => None,
            Self::Person => Some('\u{1}'),
            Self::Email => Some('\u{2}'),
            Self::Phone => Some('\u{3}'),
            Self::Number => Some('\u{4}'),
        }
    }
}

/// Folded words, each behind two blanks: company, person, e-mails, phone digits, number, with the [mark](SearchPart::mark)
/// of the part before each. A word of digits and phone punctuation (`7-11`) is followed by its digits alone.
///
/// The blanks let one index of three-letter runs answer everything: a search for one or two letters looks for words
/// that begin with them (`␣␣a`, `␣an`), a longer one for any part of a word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchText(String);

impl SearchText {
    fn begin(&mut self, part: SearchPart) {
        self.0.extend(part.mark());
    }

    fn add(&mut self, text: Option<&str>) {
        let text = text.map(fold).unwrap_or_default();
        // Whoever looks for `7-11` or `24 / 7` looks for digits: a search cannot know that no phone is meant.
        let whole = dialled(&text).filter(|digits| *digits != text);
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            self.word(word);
            if whole.is_none() {
                dialled(word).filter(|digits| digits != word).into_iter().for_each(|word| self.word(&word));
            }
        }
        whole.into_iter().for_each(|word| self.word(&word));
    }

    fn word(&mut self, word: &str) {
        self.0.push_str("  ");
        self.0.push_str(word);
    }

    /// The words of one part.
    #[must_use]
    pub fn part(&self, part: SearchPart) -> &str {
        let behind = part.mark().map_or(Some(self.as_str()), |mark| Some(self.0.split_once(mark)?.1));
        let next = SearchPart::ALL.into_iter().find(|next| *next > part).and_then(SearchPart::mark);
        let behind = behind.unwrap_or_default();
        next.and_then(|mark| behind.split_once(mark)).map_or(behind, |(words, _)| words)
    }

    /// The padded words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
