//! From the cells of a row to what it says about a lead.

use std::borrow::Cow;
use std::collections::HashMap;

use super::import::{ImportOptions, MatchBy, TermRule};
use super::{Row, unescape_formula};
use crate::domain::{
    Catalogue, CustomField, CustomType, ExternalRef, Field, FieldType, FieldValue, LeadFields, LeadKind,
    MatchKey, MatchKind, Numbering, Reachable, Reference, Term, TermKind,
};
use crate::error::{ValueError, Violation, ViolationCode};
use crate::id::LeadId;
use rust_decimal::Decimal;

use crate::value::{Country, Email, PersonName, Phone, fold, parse_amount};

/// What a row says, before anything is looked up in a store.
#[derive(Debug, Clone, Default)]
pub(super) struct Intent {
    /// Everything but kind, person, vocabularies and stage. What the row leaves empty is empty here.
    pub(super) fields: LeadFields,
    /// Company or consumer, where a column says so.
    pub(super) kind: Option<LeadKind>,
    /// The cells that make up the person.
    pub(super) name: NameCells,
    /// The person when the lead has none yet.
    pub(super) person: Option<PersonName>,
    /// Names to be found in vocabularies.
    pub(super) terms: Vec<(TermKind, String)>,
    /// The name of the stage.
    pub(super) stage: Option<String>,
    /// What the lead may be recognised by, of what the import recognises leads by.
    pub(super) keys: Vec<MatchKey>,
    /// The lead itself, where a column holds its id.
    pub(super) id: Option<LeadId>,
    /// The lead itself, where a column holds its number.
    pub(super) number: Option<u64>,
    /// Fields to be emptied.
    pub(super) clear: Vec<Field>,
}

impl Intent {
    /// Whether it names anything by which a lead can be recognised.
    pub(super) fn is_recognisable(&self) -> bool {
        !self.keys.is_empty() || self.id.is_some() || self.number.is_some()
    }
}

/// The cells of a person's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NameCells {
    full: Option<String>,
    salutation: Option<String>,
    given: Option<String>,
    family: Option<String>,
}

impl NameCells {
    /// The person with these cells over the name it has. Given and family name win over the full name, which fills
    /// what they leave open.
    pub(super) fn over(&self, old: Option<&PersonName>) -> Result<Option<PersonName>, ValueError> {
        let parts = self.given.is_some() || self.family.is_some();
        let full = match &self.full {
            Some(full) if self.given.is_none() || self.family.is_none() => Some(PersonName::parse(full)?),
            _ => None,
        };
        let base = full.as_ref().or(old);
        let salutation = self.salutation.as_deref().or_else(|| base.and_then(PersonName::prefix));
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
        let given = self.given.as_deref().or_else(|| base.and_then(PersonName::given));
        let family = self.family.as_deref().or_else(|| base.and_then(PersonName::family));
        if given.is_none() && family.is_none() {
            // A salutation alone names nobody.
            return Ok(base.cloned());
        }
        let suffix = base.and_then(PersonName::suffix);
        PersonName::from_parts(salutation, given, family, suffix).map(Some)
    }
}

/// What became of a row's cells.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// There are none.
    Blank,
    /// The row cannot be taken, for these reasons.
    Broken(Vec<Violation>),
    /// The row says this.
    Filled(Box<Intent>),
}

/// Reads rows by one mapping.
#[derive(Debug)]
pub(super) struct Coercer {
    /// In the order in which fields depend on each other: the row's country says how national numbers are read.
    columns: Vec<(usize, Field)>,
    catalogue: Catalogue,
    options: ImportOptions,
    no_answer: Vec<String>,
    /// No longer cell is worth comparing with `no_answer`.
    longest: usize,
    countries: HashMap<String, Result<Country, ValueError>>,
    encoding: &'static str,
    blanked: u64,
    numbering: Numbering,
    /// The folded cell that empties its field.
    clear: Option<String>,
    /// What folded cells of a field mean.
    meanings: HashMap<Field, HashMap<String, Option<String>>>,
}

/// What a cell says once the choices of the caller are applied.
enum Said<'c> {
    Text(Cow<'c, str>),
    Nothing,
    Clear,
}

/// How many spellings of countries are remembered.
const COUNTRIES: usize = 2_000;

impl Coercer {
    pub(super) fn new(
        mut columns: Vec<(usize, Field)>,
        catalogue: &Catalogue,
        options: &ImportOptions,
        encoding: &'static str,
    ) -> Self {
        columns.sort_by_key(|(_, field)| field.is_written_late());
        let no_answer: Vec<String> = options.no_answer.iter().map(|word| fold(word)).collect();
        // Folding may shorten a text to a quarter of its bytes.
        let longest = no_answer.iter().map(String::len).max().unwrap_or(0).saturating_mul(4);
        Self {
            columns,
            catalogue: catalogue.clone(),
            options: options.clone(),
            no_answer,
            longest,
            countries: HashMap::new(),
            encoding,
            blanked: 0,
            numbering: Numbering::default(),
            clear: options.clear.as_deref().map(|token| fold(token.trim())),
            meanings: options.terms.iter().map(|(field, rule)| (field.clone(), meanings(rule))).collect(),
        }
    }

    /// With the way in which the tenant writes numbers of leads.
    pub(super) fn with_numbering(mut self, numbering: Numbering) -> Self {
        self.numbering = numbering;
        self
    }

    /// The first column of the field; one behind the others where there is none yet.
    pub(super) fn place_of(&mut self, field: &Field, width: usize) -> usize {
        if let Some((place, _)) = self.columns.iter().find(|(_, known)| known == field) {
            return *place;
        }
        let place = self.columns.iter().map(|(place, _)| place + 1).max().unwrap_or(0).max(width);
        self.columns.push((place, field.clone()));
        self.columns.sort_by_key(|(_, field)| field.is_written_late());
        place
    }

    /// The other columns of the field.
    pub(super) fn other_places<'s>(
        &'s self,
        field: &'s Field,
        first: usize,
    ) -> impl Iterator<Item = usize> + 's {
        let same = self.columns.iter().filter(move |(place, known)| known == field && *place != first);
        same.map(|(place, _)| *place)
    }

    fn said<'c>(&self, field: &Field, cell: &'c str) -> Said<'c> {
        if self.clear.is_none() && self.meanings.is_empty() {
            return Said::Text(Cow::Borrowed(cell));
        }
        let key = fold(cell);
        if self.clear.as_ref() == Some(&key) {
            return Said::Clear;
        }
        match self.meanings.get(field).and_then(|known| known.get(&key)) {
            None => Said::Text(Cow::Borrowed(cell)),
            Some(None) => Said::Nothing,
            Some(Some(meant)) => Said::Text(Cow::Owned(meant.clone())),
        }
    }

    /// How many cells counted as empty since this was last asked.
    pub(super) fn take_blanked(&mut self) -> u64 {
        std::mem::take(&mut self.blanked)
    }

    pub(super) fn read(&mut self, row: &Row) -> Content {
        if let Some(broken) = self.unreadable(row) {
            return Content::Broken(vec![broken]);
        }
        if row.is_blank() {
            return Content::Blank;
        }
        let mut intent = Intent::default();
        let mut broken = Vec::new();
        let columns = std::mem::take(&mut self.columns);
        for (place, field) in &columns {
            let cell = unescape_formula(row.get(*place).unwrap_or_default()).trim();
            if cell.is_empty() {
                continue;
            }
            if self.says_nothing(field, cell) {
                self.blanked += 1;
                continue;
            }
            let taken = match self.said(field, cell) {
                Said::Text(text) => self.take(&mut intent, field, &text),
                Said::Clear => clear(&mut intent, field),
                Said::Nothing => {
                    self.blanked += 1;
                    Ok(())
                }
            };
            if let Err(error) = taken {
                broken.push(error.at(field.key()));
            }
        }
        self.columns = columns;
        match intent.name.over(None) {
            Ok(person) => intent.person = person,
            Err(error) => broken.push(error.at(Field::Name.key())),
        }
        if !broken.is_empty() {
            return Content::Broken(broken);
        }
        intent.keys = self.keys(&intent.fields);
        Content::Filled(Box::new(intent))
    }

    /// What the lead may be recognised by.
    fn keys(&self, fields: &LeadFields) -> Vec<MatchKey> {
        let mut keys = fields.match_keys();
        let by = &self.options.match_by;
        if *by == MatchBy::DEFAULT {
            return keys;
        }
        keys.retain(|key| {
            by.iter().any(|by| match by {
                MatchBy::ExternalId => key.kind == MatchKind::External,
                MatchBy::Email => key.kind == MatchKind::Email,
                MatchBy::Phone => key.kind == MatchKind::Phone,
                _ => false,
            })
        });
        for by in by {
            if let MatchBy::Custom(field) = by
                && let Some(value) = fields.custom.get(field)
            {
                keys.extend(value.forms().iter().filter_map(|form| MatchKey::custom(field, form)));
            }
        }
        keys
    }

    /// Why a row cannot be read at all.
    fn unreadable(&self, row: &Row) -> Option<Violation> {
        let (code, message) = if let Some(problem) = row.problem() {
            (ViolationCode::Malformed, problem.message().to_owned())
        } else if row.bad_encoding() {
            let message = format!("the line holds bytes that are no {} text", self.encoding);
            (ViolationCode::Malformed, message)
        } else if row.has_nul() {
            (ViolationCode::Malformed, "the line holds a NUL character".to_owned())
        } else {
            return None;
        };
        Some(Violation::new("line", code, message))
    }

    fn says_nothing(&self, field: &Field, cell: &str) -> bool {
        if *field == Field::Description {
            return false;
        }
        let country = *field == Field::Country && cell.eq_ignore_ascii_case("unknown");
        country || (cell.len() <= self.longest && self.no_answer.contains(&fold(cell)))
    }

    fn take(&mut self, intent: &mut Intent, field: &Field, cell: &str) -> Result<(), ValueError> {
        let fields = &mut intent.fields;
        match field {
            Field::Kind => intent.kind = Some(kind(cell)?),
            Field::Name => intent.name.full = Some(cell.to_owned()),
            Field::Salutation => intent.name.salutation = Some(cell.to_owned()),
            Field::FirstName => intent.name.given = Some(cell.to_owned()),
            Field::LastName => intent.name.family = Some(cell.to_owned()),
            Field::Email => {
                for email in Email::split_list(cell) {
                    fields.emails.push(Reachable::new(email?))?;
                }
            }
            Field::Phone => {
                let region = fields.phone_region().or(self.options.region);
                let cell = without_prefix(cell, &["p"]);
                for phone in Phone::split_list(cell, region) {
                    fields.phones.push(Reachable::new(phone?))?;
                }
            }
            Field::Country => {
                let country = self.country(cell)?;
                fields.address = std::mem::take(&mut fields.address).with_country(Some(country));
            }
            Field::Amount => fields.amount = Some(parse_amount(cell, self.options.decimal_mark)?),
            Field::ExternalId => {
                let id = without_prefix(cell, &["l", "f", "c", "ag", "as"]);
                fields.external_ids.insert(ExternalRef::new(&self.options.external_system, id)?);
            }
            Field::Stage => intent.stage = Some(Term::check_name(cell)?),
            Field::Labels => {
                for name in cell.split([',', ';']).map(str::trim).filter(|name| !name.is_empty()) {
                    // The token for the whole cell is none of a label.
                    if let Said::Text(name) = self.said(field, name) {
                        intent.terms.push((TermKind::Label, Term::check_name(&name)?));
                    }
                }
            }
            Field::Id => {
                let id =
                    cell.parse().map_err(|_| ValueError::new(ViolationCode::Malformed, "this is no id"))?;
                intent.id = Some(id);
            }
            Field::Number => {
                let wrong = || ValueError::new(ViolationCode::Malformed, "this is no number of a lead");
                intent.number = Some(self.numbering.parse(cell).ok_or_else(wrong)?);
            }
            Field::Custom(key) => {
                let region = fields.phone_region().or(self.options.region);
                let value = custom_cell(self.catalogue.usable(key)?, cell, &self.options)?;
                if let Some(value) = self.catalogue.usable(key)?.parse(&value, region)? {
                    fields.custom.insert(key.clone(), value);
                }
            }
            other => match other.field_type() {
                FieldType::Reference(Reference::Term(kind)) => {
                    intent.terms.push((kind, Term::check_name(cell)?));
                }
                _ => other.write(fields, &FieldValue::from(cell))?,
            },
        }
        Ok(())
    }

    fn country(&mut self, cell: &str) -> Result<Country, ValueError> {
        if let Some(known) = self.countries.get(cell) {
            return known.clone();
        }
        let country = Country::parse(cell);
        if self.countries.len() < COUNTRIES {
            self.countries.insert(cell.to_owned(), country.clone());
        }
        country
    }
}

/// The row empties this field.
fn clear(intent: &mut Intent, field: &Field) -> Result<(), ValueError> {
    if !field.is_writable() || *field == Field::Kind {
        return Err(ValueError::new(ViolationCode::NotAllowed, "this field cannot be emptied"));
    }
    if !intent.clear.contains(field) {
        intent.clear.push(field.clone());
    }
    Ok(())
}

/// What a rule says, by folded cell.
fn meanings(rule: &TermRule) -> HashMap<String, Option<String>> {
    rule.map.iter().map(|(cell, meant)| (fold(cell.trim()), meant.clone())).collect()
}

/// Meta's lead exports write a letter and a colon before numbers, so that spreadsheets leave them alone: `p:+4722225555`
/// is a phone number, `l:123` a lead, `f:` a form, `c:` a campaign, `ag:` an ad and `as:` an ad set.
fn without_prefix<'c>(cell: &'c str, known: &[&str]) -> &'c str {
    match cell.split_once(':') {
        Some((prefix, rest)) if known.contains(&prefix) && !rest.trim().is_empty() => rest.trim(),
        _ => cell,
    }
}

/// A cell as the type of a custom field reads it: numbers with the decimal mark of the file.
fn custom_cell(field: &CustomField, cell: &str, options: &ImportOptions) -> Result<FieldValue, ValueError> {
    let amount = || parse_amount(cell, options.decimal_mark);
    Ok(match &field.kind {
        CustomType::Integer => {
            cell.parse().map_or_else(|_| amount().map(FieldValue::Decimal), |n| Ok(FieldValue::Integer(n)))?
        }
        CustomType::Decimal => FieldValue::Decimal(fine_number(cell).map_or_else(amount, Ok)?),
        CustomType::Money(_) => {
            let mut words = cell.split_whitespace();
            let ends = [words.next(), words.next_back()];
            let is_code =
                |word: &&str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
            match ends.into_iter().flatten().find(is_code) {
                Some(code) => FieldValue::Text(format!("{} {code}", amount()?)),
                None => FieldValue::Decimal(amount()?),
            }
        }
        _ => cell.into(),
    })
}

/// A number with so many digits behind its only mark that it can be read in one way, though it is no amount.
fn fine_number(cell: &str) -> Option<Decimal> {
    let (_, fraction) = cell.split_once(['.', ','])?;
    let fine = fraction.len() > 4 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    fine.then(|| Decimal::from_str_exact(&cell.replace(',', ".")).ok()).flatten()
}

fn kind(cell: &str) -> Result<LeadKind, ValueError> {
    match fold(cell).as_str() {
        "company" | "business" | "organization" | "organisation" | "b2b" | "firma" => Ok(LeadKind::Company),
        "consumer" | "person" | "individual" | "private" | "b2c" => Ok(LeadKind::Consumer),
        _ => Err(ValueError::new(ViolationCode::Unknown, "a lead is a `company` or a `consumer`")),
    }
}
