//! Values that parse once and are then trusted: e-mail addresses, phone numbers, countries, money, names.
//!
//! Every type here holds only what passed its checks: fields are private, deserialisation runs the same checks, and
//! nothing panics. Two rules hold for all of them:
//!
//! - **Nothing typed is lost.** A value keeps the text as it was written; a second, derived form (the *match key*)
//!   serves comparing and searching. Keys are computed here and stored, so that no collation of a database decides
//!   what is equal.
//! - **Length first.** The cap is checked before any other work, so hostile input costs no more than reading it.
//!   NUL is refused everywhere: PostgreSQL cannot store it.
//!
//! ```
//! use leadcore::value::{Email, fold};
//! let email = Email::parse(" Anna@Example.COM ")?;
//! assert_eq!(email.as_str(), "Anna@Example.COM");
//! assert_eq!(email.canonical(), "anna@example.com");
//! assert_eq!(fold("  Łódź  Straße "), "lodz strasse");
//! # Ok::<(), leadcore::error::ValueError>(())
//! ```

mod address;
mod amount;
mod company;
mod country;
mod currency;
mod email;
mod fold;
mod list;
mod mail_provider;
mod money;
mod person;
mod phone;
mod punycode;
mod tax_id;
mod web;

pub use address::Address;
pub use amount::{DecimalMark, parse_amount};
pub use company::{company_core, company_cores};
pub use country::Country;
pub use currency::Currency;
pub use email::Email;
pub use fold::{FoldedText, MAX_TEXT_BYTES, clean_text, fold};
pub use list::{LIST_MARKS, join_list, split_list};
pub use mail_provider::{is_disposable_domain, is_shared_domain};
pub use money::Money;
pub use person::PersonName;
pub use phone::Phone;
#[doc(no_inline)]
pub use rust_decimal::Decimal;
pub use tax_id::{TaxId, TaxIdRule};
pub use web::Website;

/// What every value that is one text shares: it prints, serialises and parses as that text.
///
/// Needs `as_str(&self) -> &str` and `parse(&str) -> Result<Self, ValueError>`.
macro_rules! text_value {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::error::ValueError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use fold::{check_text, is_invisible, malformed};
pub(crate) use text_value;
