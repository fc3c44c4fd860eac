//! What a row says about a lead.

use super::currency::Named;
use crate::domain::{
    ExternalRef, Field, LeadFields, LeadKind, LeadState, MatchKey, Reachable, StageKind, TermKind,
};
use crate::error::{ValueError, Violation};
use crate::id::LeadId;
use crate::time::Timestamp;
use crate::value::{PersonName, Phone, fold};

/// What a row says, before anything is looked up in a store.
#[derive(Debug, Clone, Default)]
pub(in crate::exchange) struct Intent {
    /// Everything but kind, person, vocabularies and stage. What the row leaves empty is empty here.
    pub(in crate::exchange) fields: LeadFields,
    /// Company or consumer, where a column says so.
    pub(in crate::exchange) kind: Option<LeadKind>,
    /// The cells that make up the person.
    pub(in crate::exchange) name: NameCells,
    /// The person when the lead has none yet.
    pub(in crate::exchange) person: Option<PersonName>,
    /// Who stands beside the row's first address.
    pub(super) beside: Option<String>,
    /// Numbers that are faxes by their headers: they come behind the others.
    pub(super) faxes: Vec<Reachable<Phone>>,
    /// Names to be found in vocabularies.
    pub(in crate::exchange) terms: Vec<(TermKind, String)>,
    /// Whether it is open, disqualified or converted where it comes from.
    pub(in crate::exchange) state: Option<LeadState>,
    /// What its stage means, by how it ended.
    pub(in crate::exchange) stage_kind: Option<StageKind>,
    /// When it ended.
    pub(in crate::exchange) closed_at: Option<Timestamp>,
    /// Why it was lost or disqualified, in words.
    pub(in crate::exchange) reason_detail: Option<String>,
    /// The name of the stage.
    pub(in crate::exchange) stage: Option<String>,
    /// What the lead may be recognised by, of what the import recognises leads by.
    pub(in crate::exchange) keys: Vec<MatchKey>,
    /// The same with the default values of empty cells, where there are some: what a new lead gets.
    pub(in crate::exchange) for_new: Option<Box<Self>>,
    /// The lead itself, where a column holds its id.
    pub(in crate::exchange) id: Option<LeadId>,
    /// The lead itself, where a column holds its number.
    pub(in crate::exchange) number: Option<u64>,
    /// Whether anybody may use the lead's e-mails: `true` is that nobody may.
    pub(in crate::exchange) emails_out: Option<bool>,
    /// The same of its phones.
    pub(in crate::exchange) phones_out: Option<bool>,
    /// Whether the row's e-mails do not work.
    pub(in crate::exchange) emails_dead: bool,
    /// The same of its phones.
    pub(in crate::exchange) phones_dead: bool,
    /// The currency that the cell of the amount names.
    pub(in crate::exchange) named: Option<Named>,
    /// Whether nothing but the cell of the amount says the currency.
    pub(in crate::exchange) currency_by_amount: bool,
    /// The sign of a currency that the row names, where several currencies have it: `$`, `kr`.
    pub(in crate::exchange) sign: Option<String>,
    /// Whether it looks like a line below the table that sums it up, or says who made it.
    pub(in crate::exchange) is_total: bool,
    /// Whether it is one wherever it stands.
    pub(in crate::exchange) is_sure_total: bool,
    /// What links to leads are, with what they are if they are ids in the system of the file.
    pub(in crate::exchange) linked: Vec<(LeadId, ExternalRef)>,
    /// Fields to be emptied.
    pub(in crate::exchange) clear: Vec<Field>,
}

impl Intent {
    /// Whether it names anything by which a lead can be recognised.
    pub(in crate::exchange) fn is_recognisable(&self) -> bool {
        !self.keys.is_empty() || self.id.is_some() || self.number.is_some()
    }

    /// The leads that it may name by their own ids: the row's, and what a lead elsewhere was called here.
    pub(in crate::exchange) fn own_ids(&self) -> impl Iterator<Item = LeadId> + Clone + '_ {
        self.id.into_iter().chain(self.fields.external_ids.iter().filter_map(ExternalRef::as_own))
    }
}

/// The cells of a person's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::exchange) struct NameCells {
    pub(super) full: Option<String>,
    pub(super) salutation: Option<String>,
    pub(super) given: Option<String>,
    pub(super) family: Option<String>,
    /// What stands behind a name whose parts were taken from one cell.
    suffix: Option<String>,
}

impl NameCells {
    /// Takes over a full name of which the family name stands first, unless a comma says what it is.
    pub(super) fn take_family_first(&mut self, cell: &str) {
        let other = |name: &PersonName| PersonName::parse(cell).as_ref() != Ok(name);
        let Some(name) = PersonName::parse_family_first(cell).ok().filter(other) else {
            self.full = Some(cell.to_owned());
            return;
        };
        let text = |part: Option<&str>| part.map(str::to_owned);
        self.salutation = self.salutation.take().or_else(|| text(name.prefix()));
        (self.given, self.family) = (text(name.given()), text(name.family()));
        self.suffix = text(name.suffix());
    }

    /// Whether no cell says who it is.
    pub(super) const fn is_open(&self) -> bool {
        self.full.is_none() && self.given.is_none() && self.family.is_none()
    }

    /// The person with these cells over the name it has. Given and family name win over the full name, which fills
    /// what they leave open. A full name of one word that is not the family name beside it is the given name: of `Eva` and
    /// `Lund` nothing is lost.
    pub(in crate::exchange) fn over(
        &self,
        old: Option<&PersonName>,
    ) -> Result<Option<PersonName>, ValueError> {
        let family = self.family.as_deref().filter(|family| !self.is_salutation(family));
        let parts = self.given.is_some() || family.is_some();
        let full = match &self.full {
            // The whole of a name that is a salutation alone, as an export writes it.
            Some(full) if self.is_salutation(full) => None,
            Some(full) if self.given.is_none() || family.is_none() => self.adding(full, family)?,
            _ => None,
        };
        // Beside both parts it says what stands around them.
        let around = self.around(family);
        let alone = full.as_ref().and_then(|full| self.given_alone(full));
        let base = full.as_ref().or(old);
        let prefix =
            around.as_ref().and_then(PersonName::prefix).or_else(|| base.and_then(PersonName::prefix));
        let salutation = self.salutation.as_deref().or(prefix);
        if !parts && salutation == base.and_then(PersonName::prefix) {
            // `Anna Berg` says no more than `Ms Anna Berg` does.
            let same = |new: &PersonName, old: &PersonName| {
                (new.given(), new.family()) == (old.given(), old.family())
                    && new.prefix().is_none()
                    && new.suffix().is_none()
            };
            let kept = old.filter(|old| base.is_none_or(|new| same(new, old)));
            return Ok(kept.or(base).cloned());
        }
        // A family name alone deletes no given name that the person has, and the other way round.
        let part = |of: fn(&PersonName) -> Option<&str>| base.and_then(of).or_else(|| old.and_then(of));
        let given = self.given.as_deref().or(alone).or_else(|| part(PersonName::given));
        // `Ida` and `Ida`: the full name is no more than the given one.
        let is_given = full
            .as_ref()
            .is_some_and(|full| full.given().is_none() && full.family() == self.given.as_deref());
        let known = || if is_given { old.and_then(PersonName::family) } else { part(PersonName::family) };
        let family = family.or_else(known);
        if given.is_none() && family.is_none() {
            // A salutation alone names nobody, and is kept.
            let suffix = base.and_then(PersonName::suffix);
            let Some(salutation) = salutation else { return Ok(base.cloned()) };
            return PersonName::from_parts(Some(salutation), None, None, suffix).map(Some);
        }
        let beside = self.suffix.as_deref().or_else(|| around.as_ref().and_then(PersonName::suffix));
        let suffix = beside.or_else(|| base.and_then(PersonName::suffix));
        PersonName::from_parts(salutation, given, family, suffix).map(Some)
    }
}

impl NameCells {
    /// Whether a cell of the name repeats the salutation and names nobody.
    fn is_salutation(&self, cell: &str) -> bool {
        let is_same = self.salutation.as_deref().is_some_and(|own| own.trim() == cell.trim());
        let names =
            |full: &PersonName| full.given().is_some() || full.family().is_some_and(|own| own != cell.trim());
        is_same && !PersonName::parse(cell).is_ok_and(|full| names(&full))
    }

    /// The full name beside a given and a family name, where it is made of them.
    fn around(&self, family: Option<&str>) -> Option<PersonName> {
        let (given, family) = (self.given.as_deref()?, family?);
        let full = PersonName::parse(self.full.as_deref()?).ok()?;
        (full.given() == Some(given.trim()) && full.family() == Some(family.trim())).then_some(full)
    }

    /// What a full name says beside the parts: nothing where it is made of their words, and where it ends in the family name,
    /// before which no other word belongs to it, the rest of it as the given name.
    fn adding(&self, full: &str, family: Option<&str>) -> Result<Option<PersonName>, ValueError> {
        let words = |texts: &[Option<&str>]| -> Vec<String> {
            texts.iter().flatten().flat_map(|text| text.split_whitespace()).map(fold).collect()
        };
        let parts = [self.given.as_deref(), family];
        let said = words(&[Some(full)]);
        if !words(&parts).is_empty()
            && [&parts[..], &[self.salutation.as_deref(), parts[0], parts[1]]]
                .iter()
                .any(|parts| words(parts) == said)
        {
            return Ok(None);
        }
        let name = PersonName::parse(full)?;
        let own = words(&[family]);
        let known = words(&[name.given(), name.family()]);
        let Some(rest) =
            known.len().checked_sub(own.len()).filter(|_| !own.is_empty() && known.ends_with(&own))
        else {
            return Ok(Some(name));
        };
        let texts = [name.given(), name.family()];
        let given: Vec<&str> =
            texts.iter().flatten().flat_map(|text| text.split_whitespace()).take(rest).collect();
        let given = Some(given.join(" ")).filter(|given| !given.is_empty());
        PersonName::from_parts(name.prefix(), given.as_deref(), family, name.suffix()).map(Some)
    }

    /// The one word of a full name that is the given name, beside a family name that it is not.
    fn given_alone<'n>(&self, full: &'n PersonName) -> Option<&'n str> {
        let family = self.family.as_deref()?;
        let word = full.family().filter(|_| full.given().is_none())?;
        let known = fold(family);
        let is_part = known.split_whitespace().any(|part| part == fold(word)) || known == fold(word);
        (!is_part).then_some(word)
    }
}

/// What became of a row's cells.
#[derive(Debug, Clone)]
pub(in crate::exchange) enum Content {
    /// There are none.
    Blank,
    /// It is the header of the file once more.
    Header,
    /// The row cannot be taken, for these reasons.
    Broken(Vec<Violation>),
    /// The row says this.
    Filled(Box<Intent>),
}
