//! The field catalogue.

use leadcore::desk;
use leadcore::domain::{Field, FieldSettings, FieldSpec, FieldType};
use leadcore::error::ValueError;
use pyo3::prelude::*;

use crate::convert::{Count, Text, models};
use crate::errors::raise;
use crate::session::Session;

/// Every field as the tenant sees it, in form order.
#[pyfunction]
pub(crate) fn field_specs<'py>(py: Python<'py>, session: &Session) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let specs = session.read(py, |ctx, txn| Ok(desk::settings::catalogue(ctx, txn)?.1.specs()))?;
    specs.iter().map(|spec| py_spec(py, spec)).collect()
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
    let spec = session.write(py, move |ctx, txn| {
        let (revision, mut catalogue) = desk::settings::catalogue(ctx, txn)?;
        let settings: &mut FieldSettings = catalogue.settings_mut(field.clone());
        settings.required = required.or(settings.required);
        settings.enabled = enabled.or(settings.enabled);
        settings.order = order.or(settings.order);
        if let Some(label) = &label {
            settings.label = Some(label.0.clone());
        }
        desk::settings::set_catalogue(ctx, txn, revision, &catalogue)?;
        Ok(catalogue.spec(&field))
    })?;
    py_spec(py, &spec)
}

fn py_spec<'py>(py: Python<'py>, spec: &FieldSpec) -> PyResult<Bound<'py, PyAny>> {
    let section = serde_json::to_value(spec.section).ok();
    let arguments = (
        spec.field.key(),
        spec.label.as_str(),
        section.as_ref().and_then(|section| section.as_str()),
        type_name(spec.field.field_type()),
        spec.required,
        spec.enabled,
        spec.field.is_writable(),
        spec.field.is_multiple(),
        spec.order,
    );
    models(py)?.getattr("FieldSpec")?.call1(arguments)
}

const fn type_name(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Email => "email",
        FieldType::Phone => "phone",
        FieldType::Integer => "integer",
        FieldType::Amount => "amount",
        FieldType::Time => "time",
        FieldType::Choice(_) => "choice",
        FieldType::User => "user",
        FieldType::Code => "code",
        FieldType::Reference(_) => "reference",
        _ => "text",
    }
}
