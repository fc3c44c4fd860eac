//! The field catalogues: what the tenant says of the fields of a lead, and the fields that it added to leads, accounts, contacts
//! and opportunities.

use leadcore::desk;
use leadcore::desk::settings::FieldMapping;
use leadcore::domain::{
    Catalogue, CatalogueKind, CustomField, CustomKey, Field, FieldSettings, FieldSpec, FieldType, Section,
};
use leadcore::error::{Error, ValueError, ViolationCode};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::convert::{Count, Text, models, to_json};
use crate::custom::value;
use crate::definition::{Definition, GivenChoice};
use crate::errors::{invalid, raise};
use crate::session::Session;

fn catalogue(py: Python<'_>, session: &Session, of: &Text) -> PyResult<Catalogue> {
    let kind = kind_of(py, of)?;
    session.read(py, move |ctx, txn| Ok(desk::settings::catalogue_of(ctx, txn, kind)?.1))
}

/// Whose fields.
fn kind_of(py: Python<'_>, of: &Text) -> PyResult<CatalogueKind> {
    let message = "fields are those of a `lead`, `account`, `contact` or `opportunity`";
    CatalogueKind::from_code(&of.0).ok_or_else(|| invalid(py, "of", ViolationCode::Unknown, message))
}

/// Every field as the tenant sees it, in form order.
#[pyfunction]
pub(crate) fn field_specs<'py>(
    py: Python<'py>,
    session: &Session,
    of: Text,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let catalogue = catalogue(py, session, &of)?;
    catalogue.specs().iter().map(|spec| py_spec(py, &catalogue, spec)).collect()
}

/// Changes what the tenant says about one field; none leaves it.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the keyword arguments of one Python method")]
pub(crate) fn field_update<'py>(
    py: Python<'py>,
    session: &Session,
    of: Text,
    field: Text,
    required: Option<bool>,
    enabled: Option<bool>,
    label: Option<Text>,
    order: Option<Count>,
    section: Option<Text>,
) -> PyResult<Bound<'py, PyAny>> {
    let kind = kind_of(py, &of)?;
    let field: Field = field.0.parse().map_err(|error: ValueError| raise(py, &error.at("field").into()))?;
    let order = order.map(|order| u32::try_from(order.0).unwrap_or(u32::MAX));
    let wanted = field.clone();
    let catalogue = session.write(py, move |ctx, txn| {
        let (revision, mut catalogue) = desk::settings::catalogue_of(ctx, txn, kind)?;
        let settings: &mut FieldSettings = catalogue.settings_mut(field.clone());
        settings.required = required.or(settings.required);
        settings.enabled = enabled.or(settings.enabled);
        settings.order = order.or(settings.order);
        if let Some(label) = &label {
            settings.label = Some(label.0.clone());
        }
        if let Some(section) = &section {
            settings.section = Some(section.0.clone());
        }
        desk::settings::set_catalogue(ctx, txn, revision, &catalogue)?;
        Ok(catalogue)
    })?;
    py_spec(py, &catalogue, &catalogue.spec(&wanted))
}

/// Adds a custom field.
#[pyfunction]
pub(crate) fn field_add<'py>(
    py: Python<'py>,
    session: &Session,
    of: Text,
    key: Text,
    definition: &Bound<'_, PyDict>,
    choices: Option<Vec<GivenChoice>>,
) -> PyResult<Bound<'py, PyAny>> {
    let kind = kind_of(py, &of)?;
    let definition = Definition::read(key, definition, choices)?;
    let (catalogue, field) = session.write(py, move |ctx, txn| {
        let (revision, mut catalogue) = desk::settings::catalogue_of(ctx, txn, kind)?;
        let field = definition.add(&mut catalogue)?;
        desk::settings::set_catalogue(ctx, txn, revision, &catalogue)?;
        Ok((catalogue, field))
    })?;
    py_spec(py, &catalogue, &catalogue.spec(&Field::Custom(field.key)))
}

/// Changes a custom field, and by the mapping the values that records have.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the keyword arguments of one Python method")]
pub(crate) fn field_change<'py>(
    py: Python<'py>,
    session: &Session,
    of: Text,
    key: Text,
    definition: &Bound<'_, PyDict>,
    choices: Option<Vec<GivenChoice>>,
    mapping: Vec<(Text, Option<Text>)>,
    clear_rest: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let kind = kind_of(py, &of)?;
    let definition = Definition::read(key, definition, choices)?;
    let plain = mapping.is_empty() && !clear_rest;
    let exact = if clear_rest { FieldMapping::exact().clear_rest() } else { FieldMapping::exact() };
    let mapping = mapping.into_iter().fold(exact, |mapping, (code, instead)| {
        mapping.choice(&code.0, instead.as_ref().map(|instead| instead.0.as_str()))
    });
    let (catalogue, field) = session.write(py, move |ctx, txn| {
        let (revision, mut catalogue) = desk::settings::catalogue_of(ctx, txn, kind)?;
        let before = definition.known(&catalogue)?;
        let field = definition.change(&mut catalogue)?;
        // What keeps its type changes no value, and needs no look at the leads.
        if plain && before.kind.code() == field.kind.code() {
            desk::settings::set_catalogue(ctx, txn, revision, &catalogue)?;
        } else {
            desk::settings::change_field_of(ctx, txn, kind, revision, &field, &mapping)?;
        }
        Ok((catalogue, field))
    })?;
    py_spec(py, &catalogue, &catalogue.spec(&Field::Custom(field.key)))
}

/// Takes a custom field away; with `clear` also the values that records have.
#[pyfunction]
pub(crate) fn field_remove(
    py: Python<'_>,
    session: &Session,
    of: Text,
    key: Text,
    clear: bool,
) -> PyResult<()> {
    let kind = kind_of(py, &of)?;
    let key = CustomKey::new(&key.0).map_err(|_| raise(py, &Error::not_found("field")))?;
    session.write(py, move |ctx, txn| {
        let (revision, _) = desk::settings::catalogue_of(ctx, txn, kind)?;
        desk::settings::remove_field_of(ctx, txn, kind, revision, &key, clear).map(drop)
    })
}

/// Every section of the form, in order.
#[pyfunction]
pub(crate) fn section_list<'py>(
    py: Python<'py>,
    session: &Session,
    of: Text,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    catalogue(py, session, &of)?.sections().iter().map(|section| py_section(py, section)).collect()
}

/// Adds a section, or changes its name and place; none leaves one.
#[pyfunction]
pub(crate) fn section_set<'py>(
    py: Python<'py>,
    session: &Session,
    of: Text,
    key: Text,
    label: Option<Text>,
    order: Option<Count>,
) -> PyResult<Bound<'py, PyAny>> {
    let kind = kind_of(py, &of)?;
    let order = order.map(|order| u32::try_from(order.0).unwrap_or(u32::MAX));
    let section = session.write(py, move |ctx, txn| {
        let (revision, mut catalogue) = desk::settings::catalogue_of(ctx, txn, kind)?;
        let settings = catalogue.section_mut(&key.0);
        settings.order = order.or(settings.order);
        if let Some(label) = &label {
            settings.label = Some(label.0.clone());
        }
        desk::settings::set_catalogue(ctx, txn, revision, &catalogue)?;
        let section = catalogue.sections().into_iter().find(|section| section.key == key.0);
        section.ok_or_else(|| Error::not_found("section"))
    })?;
    py_section(py, &section)
}

/// Takes a section away, or gives a standard one its own name and place back.
#[pyfunction]
pub(crate) fn section_remove(py: Python<'_>, session: &Session, of: Text, key: Text) -> PyResult<()> {
    let kind = kind_of(py, &of)?;
    session.write(py, move |ctx, txn| {
        let (revision, mut catalogue) = desk::settings::catalogue_of(ctx, txn, kind)?;
        if !catalogue.sections().iter().any(|section| section.key == key.0) {
            return Err(Error::not_found("section"));
        }
        catalogue.remove_section(&key.0);
        desk::settings::set_catalogue(ctx, txn, revision, &catalogue).map(drop)
    })
}

/// The sections of the form, each with the fields that people fill in.
#[pyfunction]
pub(crate) fn form<'py>(py: Python<'py>, session: &Session, of: Text) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let catalogue = visible(py, session, &of)?;
    let class = models(py)?.getattr("FormSection")?;
    let parts = catalogue.form();
    let parts = parts.iter().map(|part| {
        let fields =
            part.fields.iter().map(|spec| py_spec(py, &catalogue, spec)).collect::<PyResult<Vec<_>>>()?;
        class.call1((py_section(py, &part.section)?, PyTuple::new(py, fields)?))
    });
    parts.collect()
}

/// The JSON Schema of what people fill in.
#[pyfunction]
pub(crate) fn form_schema(py: Python<'_>, session: &Session, of: Text) -> PyResult<String> {
    to_json(py, &visible(py, session, &of)?.json_schema())
}

/// What the acting user sees of the catalogue.
fn visible(py: Python<'_>, session: &Session, of: &Text) -> PyResult<Catalogue> {
    let kind = kind_of(py, of)?;
    session.read(py, move |ctx, txn| desk::settings::visible_catalogue_of(ctx, txn, kind))
}

fn py_section<'py>(py: Python<'py>, section: &Section) -> PyResult<Bound<'py, PyAny>> {
    models(py)?.getattr("Section")?.call1((section.key.as_str(), section.label.as_str(), section.order))
}

/// A field as its Python class.
pub(crate) fn py_spec<'py>(
    py: Python<'py>,
    catalogue: &Catalogue,
    spec: &FieldSpec,
) -> PyResult<Bound<'py, PyAny>> {
    let custom = match &spec.field {
        Field::Custom(key) => catalogue.custom_field(key),
        _ => None,
    };
    let kind = custom.map_or_else(|| type_name(&spec.field.field_type()), |custom| custom.kind.code());
    let arguments = (
        spec.field.key(),
        spec.label.as_str(),
        Some(spec.section.as_str()),
        kind,
        spec.required,
        spec.enabled,
        spec.field.is_writable() && !spec.read_only,
        spec.multiple,
        spec.order,
        spec.help.as_deref(),
    );
    let more = PyDict::new(py);
    if let Some(custom) = custom {
        describe(py, custom, &more)?;
    }
    models(py)?.getattr("FieldSpec")?.call(arguments, Some(&more))
}

/// What only a custom field has.
fn describe(py: Python<'_>, custom: &CustomField, more: &Bound<'_, PyDict>) -> PyResult<()> {
    use leadcore::domain::CustomType;
    more.set_item("custom", true)?;
    more.set_item("unique", custom.unique)?;
    more.set_item("default", custom.default.as_ref().map(|it| value(py, it)).transpose()?)?;
    more.set_item("min", custom.min)?;
    more.set_item("max", custom.max)?;
    more.set_item("max_length", custom.max_length)?;
    match &custom.kind {
        CustomType::Money(currency) => {
            more.set_item("currency", currency.map(|currency| currency.code().to_owned()))?;
        }
        CustomType::Link(kind) => more.set_item("links_to", kind.code())?,
        _ => {}
    }
    let class = models(py)?.getattr("Choice")?;
    let choices = custom.kind.choices().unwrap_or_default().iter();
    let choices = choices.map(|choice| {
        class.call1((choice.code.as_str(), choice.label.as_str(), choice.order, choice.archived))
    });
    more.set_item("choices", PyTuple::new(py, choices.collect::<PyResult<Vec<_>>>()?)?)
}

const fn type_name(kind: &FieldType) -> &'static str {
    match kind {
        FieldType::Email => "email",
        FieldType::Phone => "phone",
        FieldType::Integer => "integer",
        FieldType::Amount => "amount",
        FieldType::Decimal => "decimal",
        FieldType::Bool => "bool",
        FieldType::Date => "date",
        FieldType::Time => "time",
        FieldType::Choice(_) => "choice",
        FieldType::User => "user",
        FieldType::Code => "code",
        FieldType::Reference(_) => "reference",
        _ => "text",
    }
}
