//! Which type of value goes to which.

use crate::domain::catalogue::Catalogue;
use crate::domain::custom_field::{Choice, CustomType};
use crate::domain::field::{Field, FieldType, Reference};
use crate::domain::link::SubjectKind;
use crate::domain::vocabulary::TermKind;

/// What a field holds, as far as a conversion is concerned: standard and custom fields alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shape {
    /// One line.
    Text,
    /// Several lines.
    LongText,
    /// The name of a person.
    Name,
    /// A tax number.
    TaxId,
    /// A whole number.
    Integer,
    /// A whole number of percent, 0 to 100.
    Percent,
    /// An exact number.
    Decimal,
    /// An amount in the currency of its record.
    Amount,
    /// An amount and its currency.
    Money,
    /// A day.
    Date,
    /// A point in time.
    Time,
    /// Yes or no.
    Bool,
    /// One of several choices.
    OneOf,
    /// Several of several choices.
    ManyOf,
    /// A user of the host.
    User,
    /// A term of this vocabulary.
    Term(TermKind),
    /// Several terms of this vocabulary.
    Terms(TermKind),
    /// Another record.
    Link(SubjectKind),
    /// A country.
    Country,
    /// A currency.
    Currency,
    /// One e-mail address.
    Email,
    /// Several e-mail addresses, with what is said of each.
    Emails,
    /// One phone number.
    Phone,
    /// Several phone numbers, with what is said of each.
    Phones,
    /// A web address.
    Url,
    /// Codes that leadcore does not look into: ids of other systems, card positions.
    Codes,
}

impl Shape {
    /// Stable name: `text`, `one_of`, `emails` …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::LongText => "long_text",
            Self::Name => "name",
            Self::TaxId => "tax_id",
            Self::Integer => "integer",
            Self::Percent => "percent",
            Self::Decimal => "decimal",
            Self::Amount => "amount",
            Self::Money => "money",
            Self::Date => "date",
            Self::Time => "time",
            Self::Bool => "bool",
            Self::OneOf => "one_of",
            Self::ManyOf => "many_of",
            Self::User => "user",
            Self::Term(_) => "term",
            Self::Terms(_) => "terms",
            Self::Link(_) => "link",
            Self::Country => "country",
            Self::Currency => "currency",
            Self::Email => "email",
            Self::Emails => "emails",
            Self::Phone => "phone",
            Self::Phones => "phones",
            Self::Url => "url",
            Self::Codes => "codes",
        }
    }

    /// Whether it takes more behind what it has.
    #[must_use]
    pub const fn grows(self) -> bool {
        matches!(self, Self::LongText | Self::ManyOf | Self::Emails | Self::Phones)
    }

    /// Whether its values are choices.
    #[must_use]
    pub const fn has_choices(self) -> bool {
        matches!(self, Self::OneOf | Self::ManyOf)
    }

    /// The shape of a custom field of this type, and its choices.
    #[must_use]
    pub fn of_custom(kind: &CustomType) -> (Self, Vec<Choice>) {
        let shape = match kind {
            CustomType::Text => Self::Text,
            CustomType::LongText => Self::LongText,
            CustomType::Integer => Self::Integer,
            CustomType::Decimal => Self::Decimal,
            CustomType::Money(_) => Self::Money,
            CustomType::Date => Self::Date,
            CustomType::Time => Self::Time,
            CustomType::Bool => Self::Bool,
            CustomType::OneOf(_) => Self::OneOf,
            CustomType::ManyOf(_) => Self::ManyOf,
            CustomType::User => Self::User,
            CustomType::Link(kind) => Self::Link(*kind),
            CustomType::Email => Self::Email,
            CustomType::Phone => Self::Phone,
            CustomType::Url => Self::Url,
        };
        (shape, kind.choices().unwrap_or_default().to_vec())
    }
}

/// What a lead field holds, and its choices; none for a custom field that the catalogue does not have.
#[must_use]
pub fn shape_of(field: &Field, leads: &Catalogue) -> Option<(Shape, Vec<Choice>)> {
    if let Field::Custom(key) = field {
        return leads.custom_field(key).map(|field| Shape::of_custom(&field.kind));
    }
    let plain = |shape| Some((shape, Vec::new()));
    match field {
        Field::Description | Field::ReasonDetail => return plain(Shape::LongText),
        Field::Name => return plain(Shape::Name),
        Field::TaxId => return plain(Shape::TaxId),
        Field::Website => return plain(Shape::Url),
        Field::Country => return plain(Shape::Country),
        Field::Currency => return plain(Shape::Currency),
        Field::Probability => return plain(Shape::Percent),
        Field::Labels => return plain(Shape::Terms(TermKind::Label)),
        _ => {}
    }
    plain(match field.field_type() {
        FieldType::Text => Shape::Text,
        FieldType::Email => Shape::Emails,
        FieldType::Phone => Shape::Phones,
        FieldType::Integer => Shape::Integer,
        FieldType::Amount => Shape::Amount,
        FieldType::Decimal => Shape::Decimal,
        FieldType::Bool => Shape::Bool,
        FieldType::Date => Shape::Date,
        FieldType::Time => Shape::Time,
        FieldType::User => Shape::User,
        FieldType::Choice(codes) => {
            let choices = codes.iter().map(|code| Choice::new(code.as_ref(), code.as_ref()));
            return Some((Shape::OneOf, choices.collect()));
        }
        FieldType::Reference(Reference::Term(kind)) => Shape::Term(kind),
        FieldType::Reference(Reference::Lead) => Shape::Link(SubjectKind::Lead),
        FieldType::Reference(Reference::Account) => Shape::Link(SubjectKind::Account),
        FieldType::Reference(Reference::Contact) => Shape::Link(SubjectKind::Contact),
        FieldType::Reference(_) | FieldType::Code | FieldType::Custom => Shape::Codes,
    })
}

/// How well a value of one shape goes into a field of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fit {
    /// As it is. Of choices only if the target has them: the linter looks.
    Same,
    /// In another form, nothing of it is lost.
    Widened,
    /// As people read it: a name for an id, a label for a code. The target does not know what it was.
    Displayed,
    /// It may not fit, or only a part of it is taken; this is what may happen.
    Narrowed(&'static str),
    /// Never.
    Never,
}

const READ: &str = "a text that the target cannot read is not taken";
const FIRST: &str = "only the first of several is taken";
const NO_CURRENCY: &str = "the currency is not taken";

/// The table of types (it is stricter than what a text would allow, as that of Salesforce is: most types go to the same
/// type only).
///
/// | from | to | |
/// |---|---|---|
/// | any | the same | same |
/// | any | long text | displayed; texts as they are |
/// | any | text | displayed; a long text may be too long for one line |
/// | time | text, long text | displayed, in UTC and with its offset: `2026-11-23T08:30:00Z` |
/// | one of several | several of several | widened |
/// | several of several | one of several | narrowed: the first |
/// | whole number, percent | decimal, amount | widened |
/// | percent | whole number | widened |
/// | whole number | percent | narrowed: 0 to 100 |
/// | amount | money | widened: with the lead's currency |
/// | decimal | amount | widened |
/// | amount, money | decimal; money | amount | narrowed: without its currency |
/// | time | date | narrowed: the day in UTC |
/// | one e-mail, phone | several | widened |
/// | several e-mails, phones | one | narrowed: the first |
/// | text | choice, name, tax number, country, currency, e-mail, phone, web address | narrowed: what the target can read |
/// | anything else | | never |
///
/// ```
/// use leadcore::domain::conversion_mapping::{Fit, Shape, fit};
/// assert_eq!(fit(Shape::Integer, Shape::Decimal), Fit::Widened);
/// assert_eq!(fit(Shape::Date, Shape::Text), Fit::Displayed);
/// assert_eq!(fit(Shape::Text, Shape::Date), Fit::Never);
/// ```
#[must_use]
pub fn fit(from: Shape, to: Shape) -> Fit {
    match (from, to) {
        (from, to) if from == to => Fit::Same,
        (Shape::LongText, Shape::Text) => Fit::Narrowed("a text of several lines may be too long for one"),
        (Shape::Text | Shape::Name | Shape::TaxId | Shape::Url, Shape::Text | Shape::LongText)
        | (Shape::OneOf, Shape::ManyOf)
        | (Shape::Integer | Shape::Percent, Shape::Decimal | Shape::Amount)
        | (Shape::Percent, Shape::Integer)
        | (Shape::Decimal, Shape::Amount)
        | (Shape::Amount, Shape::Money)
        | (Shape::Email, Shape::Emails)
        | (Shape::Phone, Shape::Phones) => Fit::Widened,
        (_, Shape::Text | Shape::LongText) => Fit::Displayed,
        (Shape::ManyOf, Shape::OneOf) | (Shape::Emails, Shape::Email) | (Shape::Phones, Shape::Phone) => {
            Fit::Narrowed(FIRST)
        }
        (Shape::Integer, Shape::Percent) => Fit::Narrowed("a number beyond 0 to 100 is not taken"),
        (Shape::Amount | Shape::Money, Shape::Decimal) | (Shape::Money, Shape::Amount) => {
            Fit::Narrowed(NO_CURRENCY)
        }
        (Shape::Time, Shape::Date) => Fit::Narrowed("only the day is taken, in UTC"),
        (
            Shape::Text,
            Shape::OneOf
            | Shape::Name
            | Shape::TaxId
            | Shape::Country
            | Shape::Currency
            | Shape::Email
            | Shape::Emails
            | Shape::Phone
            | Shape::Phones
            | Shape::Url,
        ) => Fit::Narrowed(READ),
        _ => Fit::Never,
    }
}
