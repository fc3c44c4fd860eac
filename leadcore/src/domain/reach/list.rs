//! The e-mail addresses and phone numbers of one record: without repeats, in order.

use serde::{Deserialize, Serialize};

use crate::domain::field_value::FieldValue;
use crate::domain::reach_mark::{MarkNote, ReachMark};
use crate::error::{ValueError, ViolationCode};
use crate::value::{Country, Email, Phone};

use super::{Marks, Reachable};

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

            /// The list as a patch takes it, with what is said of each entry: `a@b.example (work opted_out)`, and `()`
            /// where nothing is.
            #[must_use]
            pub fn marked(&self) -> FieldValue {
                let entry = |entry: &Reachable<$value>| format!("{} ({})", entry.value.as_str(), entry.marks().words());
                self.0.iter().map(entry).collect::<Vec<_>>().into()
            }

            /// The same for people: with why and since when each mark is there, which no patch takes.
            #[must_use]
            pub fn told(&self) -> FieldValue {
                let entry = |entry: &Reachable<$value>| format!("{} ({})", entry.value.as_str(), entry.told());
                self.0.iter().map(entry).collect::<Vec<_>>().into()
            }

            /// Whether anything is said of an entry besides the address.
            #[must_use]
            pub fn has_marks(&self) -> bool {
                self.0.iter().any(|entry| entry.marks() != Marks::default())
            }

            /// Takes over what `entry` says of its address, where the list has it; says whether it has.
            pub fn mark(&mut self, entry: &Reachable<$value>) -> bool {
                let known = self.0.iter_mut().find(|known| Self::same(&known.value, &entry.value));
                let Some(known) = known else { return false };
                known.take(entry.marks(), Some(entry));
                true
            }

            /// The entry of this address.
            pub(in crate::domain) fn find_mut(&mut self, value: &$value) -> Option<&mut Reachable<$value>> {
                self.0.iter_mut().find(|known| Self::same(&known.value, value))
            }

            /// The entries, for what is said of them; which addresses there are stays.
            pub(in crate::domain) fn entries_mut(&mut self) -> &mut [Reachable<$value>] {
                &mut self.0
            }

            /// Marks every entry that is not marked so yet; says whether there was one.
            pub fn mark_all(&mut self, mark: ReachMark, note: &MarkNote) -> bool {
                let mut new = false;
                for entry in self.0.iter_mut().filter(|entry| !entry.is_marked(mark)) {
                    entry.set_mark(mark, Some(note.clone()));
                    new = true;
                }
                new
            }

            /// This list instead of another one, and behind it what of that is marked: what was said against an address does
            /// not go with it. Where there is no room for both, marks go first.
            pub(in crate::domain) fn before_marked(&self, other: &Self) -> Self {
                let is_marked = |entry: &&Reachable<$value>| {
                    ReachMark::ALL.into_iter().any(|mark| entry.is_marked(mark)) && self.place(&entry.value).is_none()
                };
                let marked: Vec<_> = other.0.iter().filter(is_marked).cloned().collect();
                let room = MAX_ENTRIES.saturating_sub(marked.len());
                Self(self.0.iter().take(room).cloned().chain(marked).collect())
            }

            /// Takes this mark off every entry.
            #[cfg(feature = "csv")]
            pub(crate) fn unmark_all(&mut self, mark: ReachMark) {
                self.0.iter_mut().for_each(|entry| entry.set_mark(mark, None));
            }

            /// Whether two ways to write it are the same address, also where only one of them is known to be complete.
            fn same(one: &$value, other: &$value) -> bool {
                let key: fn(&$value) -> String = $key;
                one.as_str() == other.as_str() || key(one) == key(other)
            }

            /// Adds what was read instead of this list; of an address that stays and of which nothing is said now, what
            /// was known of it is kept.
            fn replaced(
                &self,
                entries: impl IntoIterator<Item = Result<($value, Option<Marks>), ValueError>>,
            ) -> Result<Self, ValueError> {
                let mut list = Self::none();
                for entry in entries {
                    let (value, marks) = entry?;
                    let known = self.0.iter().find(|known| Self::same(&known.value, &value));
                    let mut entry = Reachable::new(value);
                    entry.take(marks.or(known.map(Reachable::marks)).unwrap_or_default(), known);
                    list.push(entry)?;
                }
                Ok(list)
            }

            /// Adds an entry at the end; where its address is there, what it says of it is added to what is known: its use,
            /// where it says one, and its marks. No mark is taken off: who opted out stays out. Says whether the list changed.
            ///
            /// # Errors
            /// [`ViolationCode::TooLong`] beyond 50 entries.
            pub fn merge(&mut self, entry: Reachable<$value>) -> Result<bool, ValueError> {
                match self.place(&entry.value).and_then(|place| self.0.get_mut(place)) {
                    Some(known) => Ok(known.merge(&entry)),
                    None => self.push(entry),
                }
            }

            /// The entries as a list, repeats [merged](Self::merge).
            ///
            /// # Errors
            /// [`ViolationCode::TooLong`] beyond 50 entries.
            pub fn merged(entries: impl IntoIterator<Item = Reachable<$value>>) -> Result<Self, ValueError> {
                let mut list = Self::none();
                entries.into_iter().try_for_each(|entry| list.merge(entry).map(drop))?;
                Ok(list)
            }

            /// Makes the first address of another list the primary one of this, where that list names the primary one of this
            /// too, but behind it: only then it says which of them is. An address that is not to be used stays where it is.
            pub fn follow(&mut self, told: &Self) {
                let Some((first, primary)) = told.primary().zip(self.primary()) else { return };
                if told.place(primary).is_none_or(|place| place == 0) {
                    return;
                }
                let usable = |entry: &Reachable<$value>| !entry.opted_out && !entry.invalid;
                if let Some(place) = self.place(first).filter(|place| self.0.get(*place).is_some_and(usable)) {
                    let entry = self.0.remove(place);
                    self.0.insert(0, entry);
                }
            }

            /// Where the address stands in the list.
            fn place(&self, value: &$value) -> Option<usize> {
                // Mostly there is none to compare with.
                if self.0.is_empty() {
                    return None;
                }
                let key: fn(&$value) -> String = $key;
                let wanted = key(value);
                self.0.iter().position(|known| key(&known.value) == wanted)
            }

            /// Adds an entry at the end unless an equal one is there; says whether it was added.
            ///
            /// # Errors
            /// [`ViolationCode::TooLong`] beyond 50 entries.
            pub fn push(&mut self, entry: Reachable<$value>) -> Result<bool, ValueError> {
                if self.place(&entry.value).is_some() {
                    return Ok(false);
                }
                // The first entry, mostly the only one, needs no place for more.
                if self.0.is_empty() {
                    self.0.reserve_exact(1);
                }
                if self.0.len() >= MAX_ENTRIES {
                    return Err(ValueError::new(
                        ViolationCode::TooLong,
                        concat!("a record takes at most 50 ", $what),
                    ));
                }
                self.0.push(entry.settled());
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
    /// Splits one comma-separated input into addresses (S2.05), each perhaps with [marks](Self::marked) behind it.
    ///
    /// # Errors
    /// When one of them is not an address; the message says which.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        Self::none().edited(text)
    }

    /// The list that is to be there instead of this one. An address that stays keeps what is said of it, unless the text
    /// says it anew in parentheses.
    ///
    /// ```
    /// use leadcore::domain::Emails;
    /// let known = Emails::parse("anna@nordlys.example (work opted_out)")?;
    /// let edited = known.edited("post@nordlys.example, Anna@nordlys.example")?;
    /// assert!(edited.entries()[1].opted_out);
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn edited(&self, text: &str) -> Result<Self, ValueError> {
        self.replaced(Email::read_list(text, |entry| {
            let (address, marks) = Marks::split(entry);
            Ok((Email::parse(address)?, marks))
        }))
    }
}

impl Phones {
    /// [Merges](Self::merge) a number of which perhaps the list, or the number itself, knows no country: what was typed is the
    /// same then, and the one with its country stays.
    ///
    /// # Errors
    /// [`ViolationCode::TooLong`] beyond 50 entries.
    #[cfg(feature = "csv")]
    pub(crate) fn merge_typed(&mut self, mut entry: Reachable<Phone>) -> Result<bool, ValueError> {
        let mut completed = false;
        if let Some(known) = self.0.iter().find(|known| known.value.completes(&entry.value)) {
            entry.value = known.value.clone();
        } else if self.place(&entry.value).is_none()
            && let Some(known) = self.0.iter_mut().find(|known| entry.value.completes(&known.value))
        {
            known.value = entry.value.clone();
            completed = true;
        }
        Ok(self.merge(entry)? || completed)
    }

    /// Splits one comma-separated input into numbers (S2.04), national ones read as numbers of `region`, each perhaps with
    /// [marks](Self::marked) behind it.
    ///
    /// # Errors
    /// When one of them is not a number; the message says which.
    pub fn parse(text: &str, region: Option<Country>) -> Result<Self, ValueError> {
        Self::none().edited(text, region)
    }

    /// The list that is to be there instead of this one. A number that stays keeps what is said of it, unless the text says
    /// it anew in parentheses.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn edited(&self, text: &str, region: Option<Country>) -> Result<Self, ValueError> {
        self.replaced(Phone::read_list(text, |entry| {
            let (number, marks) = Marks::split(entry);
            Ok((Phone::parse(number, region)?, marks))
        }))
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
