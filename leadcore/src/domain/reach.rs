//! How a lead or contact is reached: several e-mails and phones, the first one primary.

use serde::{Deserialize, Serialize};

use crate::error::{ValueError, ViolationCode};
use crate::value::{Country, Email, Phone};

/// What an address or number is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReachKind {
    /// Not said.
    #[default]
    Unspecified,
    /// At work.
    Work,
    /// At home.
    Home,
    /// A mobile phone.
    Mobile,
    /// A fax.
    Fax,
}

impl ReachKind {
    fn is_unspecified(&self) -> bool {
        *self == Self::Unspecified
    }
}

/// One way to reach someone: the value and what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reachable<T> {
    /// The e-mail address or phone number.
    pub value: T,
    /// What it is for.
    #[serde(default, skip_serializing_if = "ReachKind::is_unspecified")]
    pub kind: ReachKind,
}

impl<T> Reachable<T> {
    /// A value for any use.
    pub const fn new(value: T) -> Self {
        Self { value, kind: ReachKind::Unspecified }
    }

    /// A value for this use.
    pub const fn of_kind(value: T, kind: ReachKind) -> Self {
        Self { value, kind }
    }
}

/// The most addresses or numbers one record may have.
const MAX_ENTRIES: usize = 50;

macro_rules! reach_list {
    ($(#[$doc:meta])* $name:ident, $value:ident, $key:expr, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
        #[serde(transparent)]
        pub struct $name(Vec<Reachable<$value>>);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let entries = Vec::<Reachable<$value>>::deserialize(deserializer)?;
                let mut list = Self::none();
                for entry in entries {
                    list.push(entry).map_err(serde::de::Error::custom)?;
                }
                Ok(list)
            }
        }

        impl $name {
            /// No entry.
            #[must_use]
            pub const fn none() -> Self {
                Self(Vec::new())
            }

            /// The entries; the first is primary.
            #[must_use]
            pub fn entries(&self) -> &[Reachable<$value>] {
                &self.0
            }

            /// The values; the first is primary.
            pub fn iter(&self) -> impl DoubleEndedIterator<Item = &$value> + ExactSizeIterator {
                self.0.iter().map(|entry| &entry.value)
            }

            /// The first value.
            #[must_use]
            pub fn primary(&self) -> Option<&$value> {
                self.0.first().map(|entry| &entry.value)
            }

            /// Whether there is no entry.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }

            /// Adds an entry at the end unless an equal one is there; says whether it was added.
            ///
            /// # Errors
            /// [`ViolationCode::TooLong`] beyond 50 entries.
            pub fn push(&mut self, entry: Reachable<$value>) -> Result<bool, ValueError> {
                let key: fn(&$value) -> String = $key;
                // The first entry, mostly the only one, has nothing to be compared with and needs no place for more.
                if self.0.is_empty() {
                    self.0.reserve_exact(1);
                } else {
                    let wanted = key(&entry.value);
                    if self.0.iter().any(|known| key(&known.value) == wanted) {
                        return Ok(false);
                    }
                }
                if self.0.len() >= MAX_ENTRIES {
                    return Err(ValueError::new(
                        ViolationCode::TooLong,
                        concat!("a record takes at most 50 ", $what),
                    ));
                }
                self.0.push(entry);
                Ok(true)
            }
        }
    };
}

reach_list!(
    /// E-mail addresses of one record, without repeats; the first is primary.
    Emails, Email, |email| email.canonical().to_owned(), "e-mail addresses"
);
reach_list!(
    /// Phone numbers of one record, without repeats; the first is primary.
    Phones, Phone, |phone| phone.match_key().unwrap_or_else(|| phone.digits()), "phone numbers"
);

impl Emails {
    /// Splits one comma-separated input into addresses (S2.05).
    ///
    /// # Errors
    /// When one of them is not an address; the message says which.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let mut list = Self::none();
        for email in Email::split_list(text) {
            list.push(Reachable::new(email?))?;
        }
        Ok(list)
    }
}

impl Phones {
    /// Splits one comma-separated input into numbers (S2.04), national ones read as numbers of `region`.
    ///
    /// # Errors
    /// When one of them is not a number; the message says which.
    pub fn parse(text: &str, region: Option<Country>) -> Result<Self, ValueError> {
        let mut list = Self::none();
        for phone in Phone::split_list(text, region) {
            list.push(Reachable::new(phone?))?;
        }
        Ok(list)
    }
}

impl std::str::FromStr for Emails {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(text)
    }
}

/// National numbers are kept as typed; [`Phones::parse`] reads them as numbers of a region.
impl std::str::FromStr for Phones {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(text, None)
    }
}
