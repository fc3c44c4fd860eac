//! The template as a workbook: a sheet to fill in, with drop-downs, and one that says what each column takes.

use std::collections::BTreeMap;
use std::io::Write;

use rust_xlsxwriter::{
    DataValidation, DataValidationErrorStyle, DataValidationRule, DocProperties, ExcelDateTime, Format,
    Formula, Workbook, Worksheet, XlsxError,
};

use super::{TEMPLATE_SHEETS, offered};
use crate::context::Context;
use crate::desk::{self, settings};
use crate::domain::{Catalogue, CustomType, Field, FieldSpec, FieldType, Pipeline, Reference, TermKind};
use crate::error::Result;
use crate::exchange::export::width;
use crate::exchange::sheet_out::{cut, failed, made};
use crate::id::UserId;
use crate::store::Txn;
use crate::value::{Country, Currency, join_list};

/// The import knows the template by these.
const LEADS: &str = TEMPLATE_SHEETS[0];
const INSTRUCTIONS: &str = TEMPLATE_SHEETS[1];
const LISTS: &str = TEMPLATE_SHEETS[2];

/// The last row that has drop-downs, counted from 0.
const LAST_ROW: u32 = 10_000;

/// Writes the template as a workbook: the sheet `Leads` with the columns of [`template`](super::template()), a drop-down for
/// every vocabulary, choice and list of stages, for countries and currencies, the sheet `Instructions` that says what each column takes, and the sheet
/// `Lists` with what the drop-downs offer. `users` are those that can be owners, if the host has a list of them.
///
/// A drop-down warns of a value that is in no list, and takes it all the same: the import says what becomes of it.
///
/// ```
/// use leadcore::exchange::template_xlsx;
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let mut file = Vec::new();
/// store.read(ctx.tenant(), |txn| {
///     file.clear();
///     template_xlsx(&ctx, txn, &[], &mut file)
/// })?;
/// assert!(file.starts_with(b"PK"));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Denied` for an actor who may not see leads; [`ErrorKind::Storage`](crate::error::ErrorKind::Storage) when the output
/// cannot be written.
pub fn template_xlsx(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    users: &[UserId],
    output: &mut (dyn Write + Send),
) -> Result<()> {
    let catalogue = settings::visible_catalogue(ctx, txn)?;
    let specs = offered(&catalogue);
    let mut lists = BTreeMap::new();
    for spec in &specs {
        let list = list_of(ctx, txn, &catalogue, &spec.field, users)?;
        if !list.is_empty() {
            lists.insert(spec.field.clone(), list);
        }
    }
    let mut book = Workbook::new();
    if let Some(made) = made(ctx) {
        book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    }
    fill(&mut book, &catalogue, &specs, &lists).map_err(failed)?;
    book.save_to_writer(output).map_err(failed)
}

/// What a drop-down of the field offers.
fn list_of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    catalogue: &Catalogue,
    field: &Field,
    users: &[UserId],
) -> Result<Vec<String>> {
    Ok(match field.field_type() {
        FieldType::Code if *field == Field::Country => {
            Country::all().into_iter().map(|country| country.name().to_owned()).collect()
        }
        FieldType::Code if *field == Field::Currency => {
            Currency::all().map(|currency| currency.code().to_owned()).collect()
        }
        FieldType::Choice(codes) => codes.iter().map(ToString::to_string).collect(),
        FieldType::User => users.iter().map(|user| user.as_str().to_owned()).collect(),
        // A cell may hold several labels: one with a comma is offered in quotes.
        FieldType::Reference(Reference::Term(TermKind::Label)) => {
            terms(txn, TermKind::Label)?.into_iter().map(|name| join_list([name], ", ")).collect()
        }
        FieldType::Reference(Reference::Term(kind)) => terms(txn, kind)?,
        FieldType::Reference(Reference::Stage) => {
            let pipelines = desk::pipelines::known_or_default(ctx, txn)?;
            let mut names = Pipeline::stage_names(&pipelines);
            let stages = pipelines.iter().flat_map(|pipeline| &pipeline.stages);
            stages.filter_map(|stage| names.remove(&stage.id)).collect()
        }
        FieldType::Custom => match custom_type(catalogue, field) {
            Some(kind @ (CustomType::OneOf(_) | CustomType::ManyOf(_))) => {
                let mut choices: Vec<_> =
                    kind.choices().unwrap_or_default().iter().filter(|choice| !choice.archived).collect();
                choices.sort_by_key(|choice| choice.order);
                choices.into_iter().map(|choice| choice.label.clone()).collect()
            }
            Some(CustomType::Bool) => ["yes", "no"].map(str::to_owned).to_vec(),
            Some(CustomType::User) => users.iter().map(|user| user.as_str().to_owned()).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    })
}

fn custom_type<'c>(catalogue: &'c Catalogue, field: &Field) -> Option<&'c CustomType> {
    let Field::Custom(key) = field else { return None };
    catalogue.custom_fields().find(|custom| custom.key == *key).map(|custom| &custom.kind)
}

fn terms(txn: &mut dyn Txn, kind: TermKind) -> Result<Vec<String>> {
    let mut terms: Vec<_> =
        txn.terms().list(kind)?.into_iter().map(|record| record.term).filter(|term| !term.archived).collect();
    terms.sort_by_key(|term| term.position);
    Ok(terms.into_iter().map(|term| term.name).collect())
}

type Lists = BTreeMap<Field, Vec<String>>;

fn fill(
    book: &mut Workbook,
    catalogue: &Catalogue,
    specs: &[FieldSpec],
    lists: &Lists,
) -> std::result::Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let as_text = Format::new().set_num_format("@");
    let as_day = Format::new().set_num_format("yyyy-mm-dd");
    let sheet = book.add_worksheet();
    sheet.set_name(LEADS)?;
    sheet.set_freeze_panes(1, 0)?;
    // Each list has a column of its own in the sheet of lists.
    let mut place = 0_u16;
    for (n, spec) in (0_u16..).zip(specs) {
        sheet.set_column_width(n, width(&spec.field).max(wide(&spec.label)))?;
        match kind_of(catalogue, &spec.field) {
            Kind::Number => {}
            Kind::Day => drop(sheet.set_column_format(n, &as_day)?),
            // Numbers of phones, zip codes and ids keep their zeros.
            Kind::Text | Kind::Listed => drop(sheet.set_column_format(n, &as_text)?),
        }
        sheet.write_string_with_format(0, n, cut(&spec.label), &bold)?;
        if let Some(list) = lists.get(&spec.field) {
            drop_down(sheet, n, place, list.len(), spec)?;
            place = place.saturating_add(1);
        } else {
            check(sheet, n, catalogue, spec)?;
        }
    }
    instructions(book.add_worksheet(), catalogue, specs, lists, &bold)?;
    let sheet = book.add_worksheet();
    sheet.set_name(LISTS)?;
    let listed = specs.iter().filter_map(|spec| Some((spec, lists.get(&spec.field)?)));
    for (n, (spec, list)) in (0_u16..).zip(listed) {
        sheet.set_column_width(n, wide(&spec.label).max(20.0))?;
        sheet.write_string_with_format(0, n, cut(&spec.label), &bold)?;
        for (row, name) in (1_u32..).zip(list) {
            sheet.write_string_with_format(row, n, cut(name), &as_text)?;
        }
    }
    Ok(())
}

fn wide(label: &str) -> f64 {
    f64::from(u8::try_from(label.chars().count()).unwrap_or(60).min(60)) + 2.0
}

/// The name of a column: A, B … Z, AA …
fn letters(mut column: u16) -> String {
    let mut name = Vec::new();
    loop {
        name.push(char::from(b'A' + u8::try_from(column % 26).unwrap_or(0)));
        match (column / 26).checked_sub(1) {
            Some(rest) => column = rest,
            None => break,
        }
    }
    name.into_iter().rev().collect()
}

fn drop_down(
    sheet: &mut Worksheet,
    column: u16,
    list: u16,
    entries: usize,
    spec: &FieldSpec,
) -> std::result::Result<(), XlsxError> {
    let name = letters(list);
    let range = Formula::new(format!("={LISTS}!${name}$2:${name}${}", entries.saturating_add(1)));
    let style = if spec.multiple {
        // Several values stand in one cell, which no list has.
        DataValidationErrorStyle::Information
    } else {
        DataValidationErrorStyle::Warning
    };
    let rule = DataValidation::new().allow_list_formula(range).set_error_style(style);
    let rule = rule.set_error_title("Not in the list")?;
    let rule = rule.set_error_message("This value is in no list of yours. It may be new, or refused.")?;
    sheet.add_data_validation(1, column, LAST_ROW, column, &rule).map(drop)
}

fn check(
    sheet: &mut Worksheet,
    column: u16,
    catalogue: &Catalogue,
    spec: &FieldSpec,
) -> std::result::Result<(), XlsxError> {
    let rule = DataValidation::new().set_error_style(DataValidationErrorStyle::Warning);
    let (rule, message) = match (&spec.field, kind_of(catalogue, &spec.field)) {
        (Field::Probability, _) => {
            (rule.allow_whole_number(DataValidationRule::Between(0, 100)), "A whole number from 0 to 100.")
        }
        (_, Kind::Day) => {
            let first = ExcelDateTime::from_ymd(1900, 1, 1)?;
            (rule.allow_date(DataValidationRule::GreaterThanOrEqualTo(first)), "A day, like 2026-11-22.")
        }
        _ => return Ok(()),
    };
    let rule = rule.set_error_title("Does not fit")?.set_error_message(message)?;
    sheet.add_data_validation(1, column, LAST_ROW, column, &rule).map(drop)
}

/// How the cells of a column are typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Day,
    Listed,
}

fn kind_of(catalogue: &Catalogue, field: &Field) -> Kind {
    match field.field_type() {
        FieldType::Integer | FieldType::Amount | FieldType::Decimal => Kind::Number,
        FieldType::Date => Kind::Day,
        FieldType::Choice(_) | FieldType::Reference(_) => Kind::Listed,
        FieldType::Custom => match custom_type(catalogue, field) {
            Some(CustomType::Integer | CustomType::Decimal) => Kind::Number,
            Some(CustomType::Date) => Kind::Day,
            Some(CustomType::OneOf(_) | CustomType::ManyOf(_) | CustomType::Bool) => Kind::Listed,
            _ => Kind::Text,
        },
        _ => Kind::Text,
    }
}

fn instructions(
    sheet: &mut Worksheet,
    catalogue: &Catalogue,
    specs: &[FieldSpec],
    lists: &Lists,
    bold: &Format,
) -> std::result::Result<(), XlsxError> {
    const ABOUT: [&str; 5] = [
        "Fill in the sheet Leads: one lead in each row, below the head.",
        "Columns may be left out, moved and left empty. An empty cell leaves what is there alone.",
        "A lead needs a company, a name, an e-mail, a phone or an external id.",
        "A lead that is there already is recognised by its external id, e-mail or phone, and is not made twice.",
        "The lists of the drop-downs are in the sheet Lists.",
    ];
    sheet.set_name(INSTRUCTIONS)?;
    let wrapped = Format::new().set_text_wrap();
    for (row, line) in (0_u32..).zip(ABOUT) {
        sheet.write_string(row, 0, line)?;
    }
    let head = u32::try_from(ABOUT.len()).unwrap_or_default() + 1;
    for ((n, title), width) in
        (0_u16..).zip(["Column", "Required", "What it takes", "Example"]).zip([28, 10, 70, 40])
    {
        sheet.set_column_width(n, width)?;
        sheet.write_string_with_format(head, n, title, bold)?;
    }
    for (row, spec) in (head + 1..).zip(specs) {
        let (takes, example) = told(catalogue, spec);
        let is_of_world = matches!(spec.field, Field::Country | Field::Currency);
        let of_list = lists.get(&spec.field).and_then(|list| list.first()).filter(|_| !is_of_world);
        let takes = match &spec.help {
            Some(help) => format!("{help} {takes}"),
            None => takes.to_owned(),
        };
        sheet.write_string(row, 0, cut(&spec.label))?;
        sheet.write_string(row, 1, if spec.required { "yes" } else { "" })?;
        sheet.write_string_with_format(row, 2, cut(&takes), &wrapped)?;
        sheet.write_string(row, 3, of_list.map_or(example, |first| first.as_str()))?;
    }
    Ok(())
}

/// What a column takes, and an example.
fn told(catalogue: &Catalogue, spec: &FieldSpec) -> (&'static str, &'static str) {
    match &spec.field {
        Field::Email => {
            ("E-mail addresses, the main one first, with commas between.", "anna@nordlys.example")
        }
        Field::Phone => (
            "Phone numbers, the main one first, with commas between; best with the code of the country.",
            "+47 22 22 55 55",
        ),
        Field::Labels => ("Labels, with commas between; in quotes where one holds a comma.", ""),
        Field::Country => ("A country, by its name or code of two letters.", "NO"),
        Field::Currency => ("A currency, by its code of three letters.", "NOK"),
        Field::Amount => ("An amount, without its currency.", "1250.50"),
        Field::Probability => ("Percent: a whole number from 0 to 100.", "40"),
        Field::Website => ("A web address.", "https://nordlys.example"),
        Field::ExternalId => ("What another system calls the lead. It is found again by it.", "4711"),
        Field::Name => {
            ("The person's whole name. First and last name may stand in their columns instead.", "Anna Berg")
        }
        Field::Owner => ("The user who is responsible, as the program knows them.", ""),
        Field::Stage => ("A status of the list.", ""),
        Field::Kind => ("Company or consumer.", "company"),
        field => match (field.field_type(), custom_type(catalogue, field)) {
            (FieldType::Date, _) | (_, Some(CustomType::Date)) => ("A day: year-month-day.", "2026-11-22"),
            (FieldType::Integer, _) | (_, Some(CustomType::Integer)) => ("A whole number.", "3"),
            (_, Some(CustomType::Decimal)) => ("A number.", "12.5"),
            (_, Some(CustomType::Money(_))) => ("An amount and its currency.", "1250.50 NOK"),
            (_, Some(CustomType::Time)) => ("A day and time with its zone.", "2026-11-22T08:00:00Z"),
            (_, Some(CustomType::Bool)) => ("Yes or no.", "yes"),
            (_, Some(CustomType::ManyOf(_))) => {
                ("Values of the list, with commas between; in quotes where one holds a comma.", "")
            }
            (_, Some(CustomType::Email)) => ("An e-mail address.", "anna@nordlys.example"),
            (_, Some(CustomType::Phone)) => ("A phone number.", "+47 22 22 55 55"),
            (_, Some(CustomType::Url)) => ("A web address.", "https://nordlys.example"),
            (FieldType::Reference(_), _) | (_, Some(CustomType::OneOf(_))) => ("A value of the list.", ""),
            _ => ("Text.", ""),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Actor;
    use crate::store::StoreExt;

    #[test]
    fn columns_have_letters() {
        let names = [0, 25, 26, 51, 52, 701, 702].map(letters);
        assert_eq!(names, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }

    #[test]
    fn a_new_tenant_is_offered_stages_countries_and_currencies() {
        let store = crate::memory::MemoryStore::new();
        let (clock, ids) = (crate::time::ManualClock::default(), crate::id::SequentialIds::new(1));
        let policy = crate::policy::AllowAll;
        let ctx = Context::new(&"acme".parse().unwrap(), Actor::System, &clock, &ids, &policy);
        let list = |field: Field| {
            let catalogue = Catalogue::standard();
            store.read(ctx.tenant(), |txn| list_of(&ctx, txn, &catalogue, &field, &[])).unwrap()
        };
        assert_eq!(list(Field::Stage), ["New", "Mailed", "Discussion", "On hold", "Won", "Lost"]);
        let (countries, currencies) = (list(Field::Country), list(Field::Currency));
        assert!(countries.len() > 240 && countries.contains(&"Norway".to_owned()));
        assert!(countries.iter().all(|name| Country::parse(name).is_ok()));
        assert!(currencies.len() > 140 && currencies.contains(&"NOK".to_owned()));
        assert!(!currencies.contains(&"XAU".to_owned()));
    }
}
