//! The field catalogue.

use leadcore::desk;
use leadcore::domain::{Catalogue, Field, FieldSettings, FieldSpec, FieldType};
use leadcore::error::ValueError;
use pyo3::prelude::*;

use crate::convert::{Count, Text, models};
use crate::errors::raise;
use crate::session::Session;

/// Every field as the tenant sees it, in form order.
#[pyfunction]
pub(crate) fn field_specs<'py>(py: Python<'py>, session: &Session) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let catalogue = session.read(py, |ctx, txn| Ok(desk::settings::catalogue(ctx, txn)?.1))?;
    catalogue.specs().iter().map(|spec| py_spec(py, spec, &type_of(&catalogue, spec))).collect()
}

/// Changes what the tenant says about one field; none leaves it.
#[pyfunction]
pub(crate) fn field_update<'py>(
    py: Python<'py>,
    session: &Session,
    field: Text,
    required: Option<bool>,
    enabled: Option<bool>,
    label: Option<Text>,
    order: Option<Count>,
) -> PyResult<Bound<'py, PyAny>> {
    let field: Field = field.0.parse().map_err(|error: ValueError| raise(py, &error.at("field").into()))?;
    let order = order.map(|order| u32::try_from(order.0).unwrap_or(u32::MAX));
    let (spec, kind) = session.write(py, move |ctx, txn| {
        let (revision, mut catalogue) = desk::settings::catalogue(ctx, txn)?;
        let settings: &mut FieldSettings = catalogue.settings_mut(field.clone());
        settings.required = required.or(settings.required);
        settings.enabled = enabled.or(settings.enabled);
        settings.order = order.or(settings.order);
        if let Some(label) = &label {
            settings.label = Some(label.0.clone());
        }
        desk::settings::set_catalogue(ctx, txn, revision, &catalogue)?;
        let spec = catalogue.spec(&field);
        let kind = type_of(&catalogue, &spec);
        Ok((spec, kind))
    })?;
    py_spec(py, &spec, &kind)
}

/// The type of a field, also of one that is disabled.
fn type_of(catalogue: &Catalogue, spec: &FieldSpec) -> FieldType {
    let custom = match &spec.field {
        Field::Custom(key) => catalogue.custom_field(key),
        _ => None,
    };
    custom.map_or_else(|| spec.field.field_type(), |custom| custom.kind.field_type())
}

fn py_spec<'py>(py: Python<'py>, spec: &FieldSpec, kind: &FieldType) -> PyResult<Bound<'py, PyAny>> {
    let arguments = (
        spec.field.key(),
        spec.label.as_str(),
        Some(spec.section.as_str()),
        type_name(kind),
        spec.required,
        spec.enabled,
        spec.field.is_writable(),
        spec.multiple,
        spec.order,
    );
    models(py)?.getattr("FieldSpec")?.call1(arguments)
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
