//! What stands in the cells: values as an import reads them back.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{ExportOptions, Values};
use crate::domain::{
    Catalogue, CustomField, CustomValue, Emails, ExternalRef, Field, FieldValue, Lead, Names, Phones,
    Pipeline, Reachable, StageKind,
};
use crate::exchange::unescape_formula;
use crate::id::StageId;
use crate::time::{Date, Timestamp};
use crate::value::{Country, Email, PersonName, Phone, join_list};

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A text.
    Text(String),
    /// Several texts.
    List(Vec<String>),
    /// A number, whole or not.
    Number(Decimal),
    /// Yes or no.
    Flag(bool),
    /// A day.
    Day(Date),
    /// A point in time.
    Time(Timestamp),
}

impl Cell {
    /// As the cell of this field in a table of texts.
    pub(super) fn into_text(self, field: &Field) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text,
            // These have a notation of their own, in which quotes belong to an address.
            Self::List(list) if matches!(field, Field::Email | Field::Phone) => list.join(", "),
            Self::List(list) => join_list(list, ", "),
            Self::Number(number) => plain_number(number),
            Self::Flag(yes) => if yes { "yes" } else { "no" }.to_owned(),
            Self::Day(day) => day.to_string(),
            Self::Time(at) => at.to_string(),
        }
    }
}

/// The text as an import reads it back from a file of text in which no mark was put before formulas: one that looks like a marked
/// formula gets a mark, or it would lose its own.
pub(super) fn unmistaken(text: &str) -> Cow<'_, str> {
    if unescape_formula(text).len() == text.len() { text.into() } else { format!("'{text}").into() }
}

/// A number that is read in one way only, wherever: three decimals might be a group of thousands.
pub(super) fn plain_number(number: Decimal) -> String {
    let mut number = number.normalize();
    if number.scale() == 3 {
        number.rescale(4);
    }
    number.to_string()
}

/// Which cells of a person's name are filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NameCells {
    All,
    Whole,
    Parts,
}

/// Reads the columns of leads.
#[derive(Debug)]
pub(super) struct Reader<'e> {
    pub(super) fields: &'e [Field],
    options: &'e ExportOptions,
    custom: BTreeMap<&'e Field, &'e CustomField>,
    /// What each stage is called.
    stages: BTreeMap<StageId, String>,
    /// What each stage means, where the cells say it.
    kinds: BTreeMap<StageId, StageKind>,
    /// Whether a person's whole name and all its parts have columns.
    has_name_group: bool,
}

impl<'e> Reader<'e> {
    pub(super) fn new(
        fields: &'e [Field],
        catalogue: &'e Catalogue,
        pipelines: &[Pipeline],
        options: &'e ExportOptions,
    ) -> Self {
        let defined = |field: &'e Field| {
            let Field::Custom(key) = field else { return None };
            Some((field, catalogue.custom_fields().find(|custom| custom.key == *key)?))
        };
        let says_kinds = options.values == Values::Names && fields.contains(&Field::Stage);
        let stages = pipelines.iter().filter(|_| says_kinds).flat_map(|known| &known.stages);
        let group = [Field::Name, Field::FirstName, Field::LastName, Field::Salutation];
        Self {
            fields,
            options,
            custom: fields.iter().filter_map(defined).collect(),
            stages: Pipeline::stage_names(pipelines),
            kinds: stages.map(|stage| (stage.id, stage.kind)).collect(),
            has_name_group: group.iter().all(|part| fields.contains(part)),
        }
    }

    /// The cells of a lead.
    pub(super) fn row(&self, lead: &Lead, names: &Names) -> Vec<Cell> {
        let person = lead.fields.person.as_ref().filter(|_| self.has_name_group);
        let shown = person.map_or(NameCells::All, name_cells);
        let cell = |field: &Field| {
            let left_out = match field {
                Field::Name => shown == NameCells::Parts,
                Field::FirstName | Field::LastName | Field::Salutation => shown == NameCells::Whole,
                _ => false,
            };
            if left_out { Cell::Empty } else { self.cell(field, lead, names) }
        };
        self.fields.iter().map(cell).collect()
    }

    fn cell(&self, field: &Field, lead: &Lead, names: &Names) -> Cell {
        let ids = self.options.values == Values::Ids;
        match field {
            Field::Email => list(lead.fields.emails.entries().iter().map(email)),
            Field::Phone => {
                let region = lead.fields.phone_region();
                list(lead.fields.phones.entries().iter().map(|entry| phone(entry, region)))
            }
            Field::ExternalId => match &self.options.external_system {
                Some(system) => {
                    let own = lead.fields.external_ids.iter().find(|id| id.system() == system);
                    own.map_or(Cell::Empty, |id| Cell::Text(id.id().to_owned()))
                }
                None => list(lead.fields.external_ids.iter().map(ExternalRef::to_string)),
            },
            Field::Stage if !ids => {
                self.stages.get(&lead.stage).map_or(Cell::Empty, |name| Cell::Text(name.clone()))
            }
            // Of one that did not end, and became no customer: what its stage means.
            Field::Outcome if lead.closing.is_none() && lead.conversion.is_none() => {
                let kind = self.kinds.get(&lead.stage).map(|kind| kind.code().to_owned());
                kind.map_or(Cell::Empty, Cell::Text)
            }
            Field::Number if !ids => Cell::Text(names.show(field, &field.read(lead))),
            Field::Custom(key) => {
                let value = lead.fields.custom.get(key);
                let custom = self.custom.get(field);
                value.map_or(Cell::Empty, |value| {
                    self.custom(value, custom.copied(), (field, lead.fields.phone_region()), names)
                })
            }
            _ => value(field.read(lead), &|value| match value {
                FieldValue::Id(id) if ids => id.to_string(),
                FieldValue::Id(id) => names.record(*id).map_or_else(|| id.to_string(), str::to_owned),
                FieldValue::Text(text) if *field == Field::Owner && !ids => {
                    names.show(field, &text.as_str().into())
                }
                FieldValue::Text(text) => text.clone(),
                other => names.show(field, other),
            }),
        }
    }

    fn custom(
        &self,
        value: &CustomValue,
        custom: Option<&CustomField>,
        (field, region): (&Field, Option<Country>),
        names: &Names,
    ) -> Cell {
        // A label is written where it leads back to its code.
        let label = |code: &str| {
            let label = names.show(field, &code.into());
            let back = custom.and_then(|custom| custom.parse(&label.as_str().into(), None).ok().flatten());
            let same = match back {
                Some(CustomValue::Code(found)) => found == code,
                Some(CustomValue::Codes(found)) => found.len() == 1 && found.contains(code),
                _ => false,
            };
            if same && self.options.values == Values::Names { label } else { code.to_owned() }
        };
        match value {
            CustomValue::Code(code) => Cell::Text(label(code)),
            CustomValue::Codes(codes) => {
                let labels: Vec<_> = codes.iter().map(|code| label(code)).collect();
                let text = join_list(&labels, ", ").as_str().into();
                // What is one label as a whole is not taken for several.
                let same = custom.is_some_and(|custom| custom.parse(&text, None) == Ok(Some(value.clone())));
                if same { list(labels.into_iter()) } else { list(codes.iter().cloned()) }
            }
            CustomValue::Time(at) => Cell::Text(at.to_string()),
            CustomValue::Phone(number) => Cell::Text(phone(&Reachable::new(number.clone()), region)),
            CustomValue::User(_) if self.options.values == Values::Names => {
                Cell::Text(names.show(field, &value.read()))
            }
            other => self::value(other.read(), &|value| match value {
                FieldValue::Text(text) => text.clone(),
                FieldValue::Id(id) => id.to_string(),
                other => names.show(field, other),
            }),
        }
    }
}

fn list(items: impl Iterator<Item = String>) -> Cell {
    let items: Vec<_> = items.collect();
    if items.is_empty() { Cell::Empty } else { Cell::List(items) }
}

fn value(value: FieldValue, show: &dyn Fn(&FieldValue) -> String) -> Cell {
    match value {
        FieldValue::Empty => Cell::Empty,
        FieldValue::List(items) => list(items.iter().map(show)),
        FieldValue::Bool(yes) => Cell::Flag(yes),
        FieldValue::Integer(number) => Cell::Number(number.into()),
        FieldValue::Decimal(number) => Cell::Number(number),
        FieldValue::Date(day) => Cell::Day(day),
        FieldValue::Time(at) => Cell::Time(at),
        other => Cell::Text(show(&other)),
    }
}

/// The cells of a name from which an import makes the same name: all of them, where whole and parts agree.
fn name_cells(person: &PersonName) -> NameCells {
    let same = |found: Result<PersonName, _>| found.is_ok_and(|found: PersonName| found == *person);
    let (given, family) = (person.given(), person.family());
    let parts = same(PersonName::from_parts(person.prefix(), given, family, None));
    if parts && given.is_some() && family.is_some() {
        return NameCells::All;
    }
    if same(PersonName::parse(person.full())) {
        return NameCells::Whole;
    }
    if parts && (given.is_some() || family.is_some()) { NameCells::Parts } else { NameCells::All }
}

/// An address with what is said of it; without parentheses where nothing is.
fn email(entry: &Reachable<Email>) -> String {
    let mut one = Emails::none();
    let _ = one.push(entry.clone());
    let marked = one.marked();
    let marked = marked.items().first().and_then(FieldValue::as_text).unwrap_or_default();
    let bare = marked.strip_suffix(" ()").unwrap_or(marked);
    let read = |text: &str| {
        Emails::parse(text).is_ok_and(|list| list.iter().eq([&entry.value]) && list.marked() == one.marked())
    };
    if read(bare) { bare } else { marked }.to_owned()
}

/// A number as it was typed where it is read as the same one; else in its international form.
fn phone(entry: &Reachable<Phone>, region: Option<Country>) -> String {
    let mut one = Phones::none();
    let _ = one.push(entry.clone());
    let marked = one.marked();
    let marked = marked.items().first().and_then(FieldValue::as_text).unwrap_or_default();
    let bare = marked.strip_suffix(" ()").unwrap_or(marked);
    let reads = |text: &str| {
        Phones::parse(text, region)
            .is_ok_and(|list| list.iter().eq([&entry.value]) && list.marked() == one.marked())
    };
    if reads(bare) || entry.value.e164().is_none() {
        return bare.to_owned();
    }
    if reads(marked) {
        return marked.to_owned();
    }
    let marks = marked.strip_prefix(entry.value.as_str()).filter(|marks| *marks != " ()").unwrap_or_default();
    let extension = entry.value.extension().map(|digits| format!(" ext. {digits}")).unwrap_or_default();
    format!("{}{extension}{marks}", entry.value.e164().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_in_one_way_only() {
        for (number, text) in
            [("1.234", "1.2340"), ("1.2300", "1.23"), ("1000", "1000"), ("-0.125", "-0.1250")]
        {
            assert_eq!(plain_number(number.parse().unwrap()), text);
        }
    }

    #[test]
    fn a_name_comes_back_whole() {
        for (full, cells) in [
            ("Anna Berg", NameCells::All),
            ("Dr. Anna Berg", NameCells::All),
            ("Dr. Anna Berg jr.", NameCells::Whole),
            ("Berg, Anna", NameCells::Whole),
            ("Anna", NameCells::Whole),
        ] {
            assert_eq!(name_cells(&PersonName::parse(full).unwrap()), cells, "{full}");
        }
        let odd = PersonName::from_parts(None, Some("Anna"), None, None).unwrap();
        assert_eq!(name_cells(&odd), NameCells::Parts);
    }

    #[test]
    fn an_address_says_what_is_said_of_it() {
        let emails = Emails::parse("a@b.example, c@d.example (work opted_out)").unwrap();
        let texts: Vec<_> = emails.entries().iter().map(email).collect();
        assert_eq!(texts, ["a@b.example", "c@d.example (work opted_out)"]);
        assert_eq!(Emails::parse(&texts.join(", ")).unwrap(), emails);
        let norway = Country::parse("NO").ok();
        let phones = Phones::parse("22 22 55 55, +47 99 00 00 00 (mobile)", norway).unwrap();
        let texts: Vec<_> = phones.entries().iter().map(|entry| phone(entry, norway)).collect();
        assert_eq!(texts, ["22 22 55 55", "+47 99 00 00 00 (mobile)"]);
        if cfg!(feature = "phone") {
            let texts: Vec<_> = phones.entries().iter().map(|entry| phone(entry, None)).collect();
            assert_eq!(texts[0], "+4722225555", "elsewhere the number as typed is another");
        }
    }
}
