//! How a lead or contact is reached: several e-mails and phones, the first one primary.

use serde::{Deserialize, Serialize};

use super::reach_mark::{MarkNote, ReachMark};

mod list;

pub use list::{Emails, Phones};

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

    /// Adds what `other` says of the same address: its use, where it says one, and marks that are missing here. No mark is
    /// taken off: the strictest of what is known holds.
    fn merge(&mut self, other: &Self) -> bool {
        let before = self.marks();
        if !other.kind.is_unspecified() {
            self.kind = other.kind;
        }
        for mark in ReachMark::ALL {
            if other.is_marked(mark) && !self.is_marked(mark) {
                self.set_mark(mark, Some(other.note(mark).cloned().unwrap_or_default()));
            }
        }
        before != self.marks()
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

#[cfg(test)]
mod tests;
