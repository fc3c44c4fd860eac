//! The fields of a lead, by key and type: the one list that filters, sorts, imports, patches and the journal share.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{ValueError, ViolationCode};

use super::custom_value::CustomKey;
use super::nearest::nearest;
use super::vocabulary::TermKind;

/// What a reference field points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reference {
    /// The lead itself.
    Lead,
    /// A pipeline.
    Pipeline,
    /// A stage.
    Stage,
    /// An account.
    Account,
    /// A person.
    Contact,
    /// A term of this vocabulary.
    Term(TermKind),
}

/// What kind of values a field takes. It decides which filter operators fit and how text is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldType {
    /// Text, compared without case and accents.
    Text,
    /// E-mail addresses, compared by their canonical form.
    Email,
    /// Phone numbers, compared by their digits.
    Phone,
    /// A whole number.
    Integer,
    /// An exact amount of money.
    Amount,
    /// An exact decimal number.
    Decimal,
    /// Yes or no.
    Bool,
    /// A day.
    Date,
    /// A point in time.
    Time,
    /// One of these codes, or several of them.
    Choice(Cow<'static, [Cow<'static, str>]>),
    /// A user of the host, compared byte by byte.
    User,
    /// A code (country, currency, external id), compared byte by byte.
    Code,
    /// Another record.
    Reference(Reference),
    /// Of a custom field: only the tenant's catalogue knows, see [`Catalogue::field_type`](super::Catalogue::field_type).
    Custom,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $key:literal, $label:literal, $type:expr, $access:ident;)+) => {
        /// A field of a lead. [`key`](Self::key) is its stable name in filters, files, the journal and Python.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[non_exhaustive]
        pub enum Field {
            $($(#[$doc])* $name,)+
            /// A field that the tenant added (S1.10); its [`Catalogue`](super::Catalogue) describes it.
            Custom(CustomKey),
        }

        impl Field {
            /// Every standard field, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Stable name: `company`, `updated_at`, `x_budget` …
            #[must_use]
            pub fn key(&self) -> &str {
                match self {
                    $(Self::$name => $key,)+
                    Self::Custom(key) => key.as_str(),
                }
            }

            /// What people read unless the tenant relabels it; for a custom field its key.
            #[must_use]
            pub fn default_label(&self) -> &str {
                match self {
                    $(Self::$name => $label,)+
                    Self::Custom(key) => key.as_str(),
                }
            }

            /// What values a standard field takes.
            #[must_use]
            pub const fn field_type(&self) -> FieldType {
                match self {
                    $(Self::$name => $type,)+
                    Self::Custom(_) => FieldType::Custom,
                }
            }

            /// Whether callers set it, rather than the engine.
            #[must_use]
            pub const fn is_writable(&self) -> bool {
                match self {
                    $(Self::$name => matches!(Access::$access, Access::Write),)+
                    Self::Custom(_) => true,
                }
            }

            /// Whether forms and files fill it: what callers set, and the stage, into which a lead is put by its name.
            #[must_use]
            pub const fn is_imported(&self) -> bool {
                self.is_writable() || matches!(self, Self::Stage)
            }

            /// Whether an import takes it from a file: besides, how a lead ended, when, and why.
            pub(crate) const fn comes_by_file(&self) -> bool {
                self.is_imported()
                    || self.is_told_by_cells()
                    || matches!(self, Self::LostReason | Self::DisqualifyReason | Self::ReasonDetail)
            }

            /// Whether cells, rather than the header, tell that a column is this field: others use these words for much else.
            pub(crate) const fn is_told_by_cells(&self) -> bool {
                matches!(self, Self::State | Self::Outcome | Self::ClosedAt)
            }
        }
    };
}

enum Access {
    Write,
    Read,
}

const STATES: &[Cow<'static, str>] =
    &[Cow::Borrowed("open"), Cow::Borrowed("disqualified"), Cow::Borrowed("converted")];
const OUTCOMES: &[Cow<'static, str>] =
    &[Cow::Borrowed("won"), Cow::Borrowed("lost"), Cow::Borrowed("disqualified")];
const KINDS: &[Cow<'static, str>] = &[Cow::Borrowed("company"), Cow::Borrowed("consumer")];

const fn choice(codes: &'static [Cow<'static, str>]) -> FieldType {
    FieldType::Choice(Cow::Borrowed(codes))
}

const fn term(kind: TermKind) -> FieldType {
    FieldType::Reference(Reference::Term(kind))
}

fields! {
    /// The id.
    Id = "id", "Id", FieldType::Reference(Reference::Lead), Read;
    /// The number that people say.
    Number = "number", "Lead number", FieldType::Integer, Read;
    /// Open or converted.
    State = "state", "State", choice(STATES), Read;
    /// Company or consumer.
    Kind = "kind", "Lead type", choice(KINDS), Write;
    /// Company name.
    Company = "company", "Company", FieldType::Text, Write;
    /// The person's full name; writing it fills the parts.
    Name = "name", "Full name", FieldType::Text, Write;
    /// The person's given name.
    FirstName = "first_name", "First name", FieldType::Text, Write;
    /// The person's family name.
    LastName = "last_name", "Last name", FieldType::Text, Write;
    /// How to address the person (`Dr.`).
    Salutation = "salutation", "Salutation", FieldType::Text, Write;
    /// The person's position.
    JobTitle = "job_title", "Job title", FieldType::Text, Write;
    /// E-mail addresses; several are separated by commas.
    Email = "email", "E-mail", FieldType::Email, Write;
    /// Phone numbers; several are separated by commas.
    Phone = "phone", "Phone", FieldType::Phone, Write;
    /// Web site.
    Website = "website", "Website", FieldType::Text, Write;
    /// Street and house number.
    Street = "street", "Address", FieldType::Text, Write;
    /// City.
    City = "city", "City", FieldType::Text, Write;
    /// State, province or region.
    Region = "state_region", "State/region", FieldType::Text, Write;
    /// Zip or postal code.
    PostalCode = "postal_code", "Zip code", FieldType::Text, Write;
    /// Country, ISO 3166-1 alpha-2.
    Country = "country", "Country", FieldType::Code, Write;
    /// Tax number.
    TaxId = "tax_id", "TIN", FieldType::Text, Write;
    /// Currency, ISO 4217.
    Currency = "currency", "Currency", FieldType::Code, Write;
    /// Currency symbol, when it differs from the currency's own.
    CurrencySymbol = "currency_symbol", "Currency symbol", FieldType::Text, Write;
    /// What the lead may be worth.
    Amount = "amount", "Expected value", FieldType::Amount, Write;
    /// The chance to win, in percent, where it differs from the stage's.
    Probability = "probability", "Probability", FieldType::Integer, Write;
    /// When it may be won.
    ExpectedClose = "expected_close", "Close date", FieldType::Date, Write;
    /// How promising it is, by a scoring function of the host.
    Score = "score", "Score", FieldType::Integer, Write;
    /// Line of business.
    Industry = "industry", "Industry", FieldType::Text, Write;
    /// Anything else.
    Description = "description", "Description", FieldType::Text, Write;
    /// The user responsible.
    Owner = "owner", "Owner", FieldType::User, Write;
    /// Where the lead came from.
    Source = "source", "Source", term(TermKind::Source), Write;
    /// The campaign that brought it, as the host calls it.
    Campaign = "campaign", "Campaign", FieldType::Text, Write;
    /// What kind of lead it is.
    Category = "category", "Category", term(TermKind::Category), Write;
    /// The place it belongs to.
    Location = "location", "Location", term(TermKind::Location), Write;
    /// The reseller or unit it belongs to.
    Partner = "partner", "Partner", term(TermKind::Partner), Write;
    /// Labels.
    Labels = "labels", "Labels", term(TermKind::Label), Write;
    /// What other systems call this lead, as `system:id`.
    ExternalId = "external_id", "External id", FieldType::Code, Write;
    /// The pipeline of the stage.
    Pipeline = "pipeline", "Pipeline", FieldType::Reference(Reference::Pipeline), Read;
    /// The stage; changed by moving the lead.
    Stage = "stage", "Status", FieldType::Reference(Reference::Stage), Read;
    /// Since when it is in the stage.
    StageEnteredAt = "stage_entered_at", "In status since", FieldType::Time, Read;
    /// Its place among the cards of its stage.
    Rank = "rank", "Card position", FieldType::Code, Read;
    /// How it ended.
    Outcome = "outcome", "Outcome", choice(OUTCOMES), Read;
    /// Why it was lost.
    LostReason = "lost_reason", "Lost reason", term(TermKind::LostReason), Read;
    /// Why it was disqualified.
    DisqualifyReason = "disqualify_reason", "Disqualify reason", term(TermKind::DisqualifyReason), Read;
    /// Why it was lost or disqualified, in words.
    ReasonDetail = "reason_detail", "Reason detail", FieldType::Text, Read;
    /// When it ended.
    ClosedAt = "closed_at", "Closed", FieldType::Time, Read;
    /// Since when nothing happened.
    ActiveAt = "active_at", "Last activity", FieldType::Time, Read;
    /// When somebody has to turn to it next: the earliest of what is still to be done about it.
    FollowUp = "follow_up", "Next follow-up", FieldType::Time, Read;
    /// When it was created.
    CreatedAt = "created_at", "Created", FieldType::Time, Read;
    /// When it was last written.
    UpdatedAt = "updated_at", "Modified", FieldType::Time, Read;
    /// When it was converted.
    ConvertedAt = "converted_at", "Converted", FieldType::Time, Read;
    /// The account it became.
    Account = "account", "Account", FieldType::Reference(Reference::Account), Read;
}

impl Field {
    /// The columns of a list of leads unless the tenant chooses others (S3.02).
    pub const LIST: &'static [Self] = &[
        Self::Number,
        Self::Company,
        Self::Name,
        Self::Email,
        Self::Phone,
        Self::Stage,
        Self::Source,
        Self::Owner,
        Self::UpdatedAt,
    ];

    /// Whether it holds several values; of a custom field its definition says it.
    #[must_use]
    pub const fn is_multiple(&self) -> bool {
        matches!(self, Self::Email | Self::Phone | Self::Labels | Self::ExternalId)
    }

    /// The fields that show the same person's name: the full name and its parts; none for other fields. Whoever may not
    /// see one of them must not look for the others.
    #[must_use]
    pub const fn name_group(&self) -> &'static [Self] {
        match self {
            Self::Name => &[Self::FirstName, Self::LastName, Self::Salutation],
            Self::FirstName | Self::LastName | Self::Salutation => &[Self::Name],
            _ => &[],
        }
    }

    /// Whether a store can count leads per value of this field: references, users and choices with one value, and every
    /// custom field, by its [comparison forms](super::CustomValue::forms).
    #[must_use]
    pub fn is_groupable(&self) -> bool {
        let groupable = matches!(
            self.field_type(),
            FieldType::Reference(_) | FieldType::User | FieldType::Choice(_) | FieldType::Custom
        );
        groupable && !self.is_multiple()
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl Field {
    /// The field with this key, custom ones included; none for a key that is no field's. Where many keys are looked at that
    /// may be none, this is what to ask: parsing one looks for the field that was probably meant.
    #[must_use]
    pub fn known(key: &str) -> Option<Self> {
        if key.starts_with(CustomKey::PREFIX) {
            return CustomKey::new(key).ok().map(Self::Custom);
        }
        Self::ALL.iter().find(|field| field.key() == key).cloned()
    }
}

impl FromStr for Field {
    type Err = ValueError;

    fn from_str(key: &str) -> Result<Self, ValueError> {
        if key.starts_with(CustomKey::PREFIX) {
            return CustomKey::new(key).map(Self::Custom);
        }
        Self::known(key).ok_or_else(|| {
            let message = match nearest(key) {
                Some(field) => format!("there is no field with this key; did you mean `{field}`?").into(),
                None => Cow::Borrowed("there is no field with this key"),
            };
            ValueError::new(ViolationCode::Unknown, message)
        })
    }
}

impl TryFrom<String> for Field {
    type Error = ValueError;

    fn try_from(key: String) -> Result<Self, ValueError> {
        key.parse()
    }
}

impl From<Field> for String {
    fn from(field: Field) -> Self {
        field.key().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_distinct_and_lead_back() {
        for field in Field::ALL {
            assert_eq!(field.key().parse::<Field>().unwrap(), *field);
        }
        let keys: std::collections::BTreeSet<_> = Field::ALL.iter().map(Field::key).collect();
        assert_eq!(keys.len(), Field::ALL.len());
        assert!(keys.iter().all(|key| !key.starts_with(CustomKey::PREFIX)), "no custom field can collide");
        let custom: Field = "x_budget".parse().unwrap();
        assert_eq!((custom.key(), custom.to_string()), ("x_budget", "x_budget".to_owned()));
        assert!("x_".parse::<Field>().is_err() && "x_Budget".parse::<Field>().is_err());
    }
}
