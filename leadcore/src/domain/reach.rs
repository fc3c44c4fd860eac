//! How a lead or contact is reached: several e-mails and phones, the first one primary.

use serde::{Deserialize, Serialize};

use crate::error::{ValueError, ViolationCode};
use crate::value::{Country, Email, Phone};

use super::field_value::FieldValue;
use super::reach_mark::{MarkNote, ReachMark};

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
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Unspecified, Self::Work, Self::Home, Self::Mobile, Self::Fax];

    /// Stable name: `unspecified`, `work`, `home`, `mobile` or `fax`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Work => "work",
            Self::Home => "home",
            Self::Mobile => "mobile",
            Self::Fax => "fax",
        }
    }

    /// The kind with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    fn is_unspecified(&self) -> bool {
        *self == Self::Unspecified
    }
}

/// One way to reach someone: the value, what it is for, and whether it may and can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reachable<T> {
    /// The e-mail address or phone number.
    pub value: T,
    /// What it is for.
    #[serde(default, skip_serializing_if = "ReachKind::is_unspecified")]
    pub kind: ReachKind,
    /// Whoever it belongs to does not want to be reached by it (X.36).
    #[serde(default, skip_serializing_if = "is_false")]
    pub opted_out: bool,
    /// It was tried and does not work (X.36). Its form says nothing of that.
    #[serde(default, skip_serializing_if = "is_false")]
    pub invalid: bool,
    /// Why and since when it is opted out (X.39); gone with the flag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opted_out_note: Option<Box<MarkNote>>,
    /// Why and since when it does not work; gone with the flag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_note: Option<Box<MarkNote>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl<T> Reachable<T> {
    /// A value for any use.
    pub const fn new(value: T) -> Self {
        Self::of_kind(value, ReachKind::Unspecified)
    }

    /// A value for this use.
    pub const fn of_kind(value: T, kind: ReachKind) -> Self {
        Self { value, kind, opted_out: false, invalid: false, opted_out_note: None, invalid_note: None }
    }

    /// The same, opted out or not.
    #[must_use]
    pub fn opted_out(mut self, opted_out: bool) -> Self {
        self.opted_out = opted_out;
        self.settled()
    }

    /// The same, known not to work or not.
    #[must_use]
    pub fn invalid(mut self, invalid: bool) -> Self {
        self.invalid = invalid;
        self.settled()
    }

    /// Whether it is marked so.
    #[must_use]
    pub const fn is_marked(&self, mark: ReachMark) -> bool {
        match mark {
            ReachMark::OptedOut => self.opted_out,
            ReachMark::Invalid => self.invalid,
        }
    }

    /// Why and since when it is marked so, where that is known.
    #[must_use]
    pub fn note(&self, mark: ReachMark) -> Option<&MarkNote> {
        match mark {
            ReachMark::OptedOut => self.opted_out_note.as_deref(),
            ReachMark::Invalid => self.invalid_note.as_deref(),
        }
    }

    /// Marks it, with what is known of that; without a note the mark is taken off.
    pub fn set_mark(&mut self, mark: ReachMark, note: Option<MarkNote>) {
        let (flag, slot) = match mark {
            ReachMark::OptedOut => (&mut self.opted_out, &mut self.opted_out_note),
            ReachMark::Invalid => (&mut self.invalid, &mut self.invalid_note),
        };
        *flag = note.is_some();
        *slot = note.filter(|note| !note.is_empty()).map(Box::new);
    }

    /// Without the notes of marks that it does not have, and without empty ones.
    fn settled(mut self) -> Self {
        let says = |note: &Option<Box<MarkNote>>| note.as_ref().is_some_and(|note| !note.is_empty());
        if !self.opted_out || !says(&self.opted_out_note) {
            self.opted_out_note = None;
        }
        if !self.invalid || !says(&self.invalid_note) {
            self.invalid_note = None;
        }
        self
    }

    const fn marks(&self) -> Marks {
        Marks { kind: self.kind, opted_out: self.opted_out, invalid: self.invalid }
    }

    /// The flags of `marks`; notes of flags that stay are those of `known`.
    fn take(&mut self, marks: Marks, known: Option<&Self>)
    where
        T: Clone,
    {
        (self.kind, self.opted_out, self.invalid) = (marks.kind, marks.opted_out, marks.invalid);
        self.opted_out_note =
            known.filter(|_| marks.opted_out).and_then(|known| known.opted_out_note.clone());
        self.invalid_note = known.filter(|_| marks.invalid).and_then(|known| known.invalid_note.clone());
    }

    /// What is said of it, for people: the words of a patch, with what is known of each mark.
    fn told(&self) -> String {
        if self.opted_out_note.is_none() && self.invalid_note.is_none() {
            return self.marks().words();
        }
        let kind = (!self.kind.is_unspecified()).then(|| self.kind.code().to_owned());
        let marks = ReachMark::ALL.into_iter().filter(|mark| self.is_marked(*mark));
        let marks = marks.map(|mark| match self.note(mark) {
            Some(note) if note.since().is_none() => format!("{}{note}", mark.code()),
            Some(note) => format!("{} {note}", mark.code()),
            None => mark.code().to_owned(),
        });
        kind.into_iter().chain(marks).collect::<Vec<_>>().join("; ")
    }
}

/// What is said of an address besides the address, but for why and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Marks {
    kind: ReachKind,
    opted_out: bool,
    invalid: bool,
}

impl Marks {
    /// The marks behind an address, `a@b.example (work opted_out)`, and the address alone; without parentheses nothing is
    /// said of it. Other words in parentheses belong to the address.
    fn split(text: &str) -> (&str, Option<Self>) {
        let inner = text.strip_suffix(')').and_then(|text| text.rsplit_once('('));
        let Some((address, words)) = inner else { return (text, None) };
        let mut marks = Self::default();
        for word in words.split_whitespace() {
            match (word, ReachKind::from_code(word)) {
                ("opted_out", _) => marks.opted_out = true,
                ("invalid", _) => marks.invalid = true,
                (_, Some(kind)) => marks.kind = kind,
                _ => return (text, None),
            }
        }
        (address.trim_end(), Some(marks))
    }

    fn words(self) -> String {
        let kind = (!self.kind.is_unspecified()).then_some(self.kind.code());
        let flags = [self.opted_out.then_some("opted_out"), self.invalid.then_some("invalid")];
        kind.into_iter().chain(flags.into_iter().flatten()).collect::<Vec<_>>().join(" ")
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
            pub(super) fn find_mut(&mut self, value: &$value) -> Option<&mut Reachable<$value>> {
                self.0.iter_mut().find(|known| Self::same(&known.value, value))
            }

            /// The entries, for what is said of them; which addresses there are stays.
            pub(super) fn entries_mut(&mut self) -> &mut [Reachable<$value>] {
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

#[cfg(test)]
mod tests;
