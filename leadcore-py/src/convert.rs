//! Values on their way in and out: Python objects, field values, ids, JSON.

use std::path::Path;

use leadcore::desk::Expect;
use leadcore::domain::{Field, FieldType, FieldValue, Reference, SubjectKind};
use leadcore::error::{Error, Result, ValueError, Violation, ViolationCode};
use leadcore::id::{AccountId, LeadId};
use leadcore::time::Timestamp;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyDate, PyDateTime, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyModule, PySet, PyString,
    PyTuple, PyTzInfo, PyTzInfoAccess,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::account_record::Account;
use crate::errors::{invalid, raise};
use crate::json_place;
use crate::lead::Lead;

/// Text from Python; lone surrogates are refused as invalid input instead of failing in the conversion.
#[derive(Debug, Clone)]
pub(crate) struct Text(pub(crate) String);

impl<'a, 'py> FromPyObject<'a, 'py> for Text {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let text = obj.cast::<PyString>()?;
        match text.to_str() {
            Ok(text) => Ok(Self(text.to_owned())),
            Err(_) => Err(invalid(obj.py(), "text", ViolationCode::Malformed, NOT_UNICODE)),
        }
    }
}

const NOT_UNICODE: &str = "text must be valid Unicode, without lone surrogates";

/// A number of things; what is no such number is refused as invalid input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count(pub(crate) u64);

impl<'a, 'py> FromPyObject<'a, 'py> for Count {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let number = obj.cast::<PyInt>()?;
        let out =
            |_| invalid(obj.py(), "number", ViolationCode::OutOfRange, "must be 0 or more and fit 63 bits");
        let number = number.extract::<i64>().map_err(out)?;
        u64::try_from(number).map(Self).map_err(|_| {
            invalid(obj.py(), "number", ViolationCode::OutOfRange, "must be 0 or more and fit 63 bits")
        })
    }
}

/// How many records at most. What is no such number at all is out of range too, and the core says of what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit(pub(crate) usize);

impl<'a, 'py> FromPyObject<'a, 'py> for Limit {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let number = obj.cast::<PyInt>()?;
        Ok(Self(number.extract::<usize>().unwrap_or(usize::MAX)))
    }
}

/// An id: a `uuid.UUID`, its text, or a record that has one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id(pub(crate) Uuid);

impl<'a, 'py> FromPyObject<'a, 'py> for Id {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let malformed = || invalid(obj.py(), "id", ViolationCode::Malformed, "an id must be a UUID");
        if let Ok(id) = obj.extract::<Uuid>() {
            return Ok(Self(id));
        }
        if let Ok(text) = obj.extract::<Text>() {
            return Uuid::try_parse(&text.0).map(Self).map_err(|_| malformed());
        }
        match obj.getattr_opt("id")?.and_then(|id| id.extract::<Uuid>().ok()) {
            Some(id) => Ok(Self(id)),
            None if obj.is_instance_of::<PyString>() => Err(malformed()),
            None => Err(PyTypeError::new_err("expected a record, a uuid.UUID or the text of one")),
        }
    }
}

/// A lead to write: with the revision of the object when one is given, else whatever is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeadArg {
    pub(crate) id: LeadId,
    pub(crate) expect: Expect,
}

impl<'a, 'py> FromPyObject<'a, 'py> for LeadArg {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(lead) = obj.cast::<Lead>() {
            let lead = lead.get().inner();
            return Ok(Self { id: lead.id, expect: lead.revision.into() });
        }
        let Id(id) = obj.extract()?;
        Ok(Self { id: LeadId::from_uuid(id), expect: Expect::Any })
    }
}

/// An account to write, likewise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AccountArg {
    pub(crate) id: AccountId,
    pub(crate) expect: Expect,
}

impl<'a, 'py> FromPyObject<'a, 'py> for AccountArg {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(account) = obj.cast::<Account>() {
            let account = &account.get().account;
            return Ok(Self { id: account.id, expect: account.revision.into() });
        }
        let Id(id) = obj.extract()?;
        Ok(Self { id: AccountId::from_uuid(id), expect: Expect::Any })
    }
}

/// A record of a list that people name: by id or by name.
#[derive(Debug, Clone)]
pub(crate) enum Named {
    Id(Uuid),
    Name(String),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Named {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if obj.is_instance_of::<PyString>() {
            let Text(text) = obj.extract()?;
            return Ok(Uuid::try_parse(&text).map_or(Self::Name(text), Self::Id));
        }
        obj.extract().map(|Id(id)| Self::Id(id))
    }
}

/// Field values by key, each checked as far as that needs no store: every misfit at once.
pub(crate) fn fields(given: &Bound<'_, PyDict>) -> PyResult<Vec<(Field, FieldValue)>> {
    let mut values = Vec::with_capacity(given.len());
    let mut broken = Vec::new();
    for (key, value) in given.iter() {
        let Text(key) = key.extract()?;
        match (key.parse::<Field>(), value_of(&value)) {
            (Ok(field), Ok(value)) => values.push((field, value)),
            (Err(error), _) | (_, Err(error)) => broken.push(error.at(key)),
        }
    }
    if !broken.is_empty() {
        return Err(raise(given.py(), &Error::invalid(broken)));
    }
    Ok(values)
}

/// A path that an operating system can have.
pub(crate) fn check_path(field: &str, path: &Path) -> Result<()> {
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(Error::invalid_field(field, ViolationCode::Malformed, "a path holds no NUL character"));
    }
    Ok(())
}

fn malformed(message: &'static str) -> ValueError {
    ValueError::new(ViolationCode::Malformed, message)
}

/// The field value that a Python object says.
pub(crate) fn value_of(value: &Bound<'_, PyAny>) -> Result<FieldValue, ValueError> {
    if let Some(many) = items(value) {
        if let Some(id) = subject(&many) {
            return Ok(FieldValue::Id(id));
        }
        let many = many.iter().map(single).collect::<Result<Vec<_>, _>>()?;
        return Ok(FieldValue::List(many));
    }
    single(value)
}

fn items<'py>(value: &Bound<'py, PyAny>) -> Option<Vec<Bound<'py, PyAny>>> {
    if let Ok(list) = value.cast::<PyList>() {
        return Some(list.iter().collect());
    }
    if let Ok(tuple) = value.cast::<PyTuple>() {
        return Some(tuple.iter().collect());
    }
    let is_set = value.is_instance_of::<PySet>() || value.is_instance_of::<PyFrozenSet>();
    is_set.then(|| value.try_iter().into_iter().flatten().flatten().collect())
}

/// The id of a record as leads show it: `("lead", id)`.
fn subject(pair: &[Bound<'_, PyAny>]) -> Option<Uuid> {
    let [kind, id] = pair else { return None };
    let kind = kind.cast::<PyString>().ok()?;
    SubjectKind::from_code(kind.to_str().ok()?)?;
    id.extract::<Uuid>().ok()
}

fn single(value: &Bound<'_, PyAny>) -> Result<FieldValue, ValueError> {
    if value.is_none() {
        return Ok(FieldValue::Empty);
    }
    if let Ok(yes) = value.cast::<PyBool>() {
        return Ok(FieldValue::Bool(yes.is_true()));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return text.to_str().map(Into::into).map_err(|_| malformed(NOT_UNICODE));
    }
    if value.is_instance_of::<PyInt>() {
        let number = value.extract::<i64>();
        return number
            .map(FieldValue::Integer)
            .map_err(|_| ValueError::new(ViolationCode::OutOfRange, "a whole number must fit 64 bits"));
    }
    if let Ok(number) = value.cast::<PyFloat>() {
        // Through its shortest decimal form: 12.5 stays 12.5.
        let number = number.value();
        let text = if number.abs() < 1e20 { number.to_string() } else { String::new() };
        return text
            .parse()
            .map(FieldValue::Decimal)
            .map_err(|_| malformed("the number has no exact decimal form"));
    }
    if let Ok(at) = value.cast::<PyDateTime>() {
        return time_of(at).map(Into::into);
    }
    if let Ok(day) = value.cast::<PyDate>() {
        let text = day.call_method0("isoformat").and_then(|text| text.extract::<String>());
        return text.map_err(|_| malformed("the day cannot be read"))?.parse().map(FieldValue::Date);
    }
    if let Ok(id) = value.extract::<Uuid>() {
        return Ok(FieldValue::Id(id));
    }
    if is_decimal(value) {
        return decimal_of(value);
    }
    // Money and addresses of ours know how they are written.
    if let Ok(Some(text)) = value.getattr_opt("_field_text")
        && let Ok(text) = text.cast::<PyString>()
    {
        return text.to_str().map(Into::into).map_err(|_| malformed(NOT_UNICODE));
    }
    let id = value.getattr_opt("id").ok().flatten();
    id.and_then(|id| id.extract::<Uuid>().ok())
        .map(FieldValue::Id)
        .ok_or_else(|| malformed("no field takes a value of this type"))
}

fn is_decimal(value: &Bound<'_, PyAny>) -> bool {
    let class = value.py().import("decimal").and_then(|module| module.getattr("Decimal"));
    class.and_then(|class| value.is_instance(&class)).unwrap_or(false)
}

/// The written form, without an exponent: exact, and the core says what fits. A whole number has no zeros behind it.
fn decimal_of(value: &Bound<'_, PyAny>) -> Result<FieldValue, ValueError> {
    let refuse = || ValueError::new(ViolationCode::OutOfRange, "a number has at most 28 digits");
    // `adjusted` is the place of the first digit; beyond this the written form would be long without a use.
    let place =
        value.call_method0("adjusted").and_then(|place| place.extract::<i64>()).map_err(|_| refuse())?;
    if !(-40..=40).contains(&place) {
        return Err(refuse());
    }
    let text = value.call_method1("__format__", ("f",)).and_then(|text| text.extract::<String>());
    let text = text.map_err(|_| refuse())?;
    let whole = text.split_once('.').filter(|(_, zeros)| zeros.bytes().all(|digit| digit == b'0'));
    Ok(whole.map_or_else(|| text.as_str().into(), |(whole, _)| whole.into()))
}

pub(crate) fn time_of(at: &Bound<'_, PyDateTime>) -> Result<Timestamp, ValueError> {
    if at.get_tzinfo().is_none() {
        return Err(malformed("a time needs a time zone"));
    }
    let utc = PyTzInfo::utc(at.py()).map_err(|_| malformed("the time zone cannot be read"))?;
    let at =
        at.call_method1("astimezone", (utc,)).and_then(|at| at.extract::<chrono::DateTime<chrono::Utc>>());
    at.map_err(|_| ValueError::new(ViolationCode::OutOfRange, "a time must lie in the years 0001 to 9999"))
        .and_then(Timestamp::try_from)
}

/// The Python object for a field value.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &FieldValue) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        FieldValue::Text(text) => text.into_pyobject(py)?.into_any(),
        FieldValue::Bool(yes) => yes.into_pyobject(py)?.to_owned().into_any(),
        FieldValue::Integer(number) => number.into_pyobject(py)?.into_any(),
        FieldValue::Decimal(number) => number.into_pyobject(py)?.into_any(),
        FieldValue::Date(day) => day.to_naive().into_pyobject(py)?.into_any(),
        FieldValue::Time(at) => at.to_datetime().into_pyobject(py)?.into_any(),
        FieldValue::Id(id) => id.into_pyobject(py)?.into_any(),
        FieldValue::List(list) => {
            let items = list.iter().map(|item| to_python(py, item)).collect::<PyResult<Vec<_>>>()?;
            PyTuple::new(py, items)?.into_any()
        }
        _ => py.None().into_bound(py),
    })
}

/// A value that the journal gave back as JSON, in the type of its field again.
pub(crate) fn retyped(field: &str, value: &FieldValue) -> FieldValue {
    let kind = field.parse::<Field>().map(|field| field.field_type());
    let one = |value: &FieldValue| match (&kind, value) {
        (Ok(FieldType::Amount), FieldValue::Text(text)) => {
            text.parse().map_or_else(|_| value.clone(), FieldValue::Decimal)
        }
        (Ok(FieldType::Date), FieldValue::Text(text)) => {
            text.parse().map_or_else(|_| value.clone(), FieldValue::Date)
        }
        (Ok(FieldType::Time), FieldValue::Text(text)) => {
            text.parse().map_or_else(|_| value.clone(), FieldValue::Time)
        }
        // Nothing is said of this address.
        (Ok(FieldType::Email | FieldType::Phone), FieldValue::Text(text)) => {
            text.strip_suffix(" ()").unwrap_or(text).into()
        }
        (
            Ok(FieldType::Reference(
                Reference::Lead
                | Reference::Stage
                | Reference::Pipeline
                | Reference::Account
                | Reference::Term(_),
            )),
            FieldValue::Text(text),
        ) => Uuid::try_parse(text).map_or_else(|_| value.clone(), FieldValue::Id),
        _ => value.clone(),
    };
    match value {
        FieldValue::List(list) => FieldValue::List(list.iter().map(one).collect()),
        single => one(single),
    }
}

/// A value of the core as JSON.
pub(crate) fn to_json(py: Python<'_>, value: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|_| {
        raise(py, &Error::new(leadcore::error::ErrorKind::Internal, "a value could not be written as JSON"))
    })
}

/// A value of the core from JSON that the package or the caller wrote. The reason names no value.
pub(crate) fn from_json<T: DeserializeOwned>(py: Python<'_>, field: &str, json: &str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|error| {
        let message = match error {
            error if error.to_string().starts_with("recursion limit") => "this nests too deep",
            error if json_place::is_misfit(json, &error) => {
                "the data does not have the form that is asked for"
            }
            _ => "this cannot be written as JSON: text must be valid Unicode, numbers finite and of 64 bits",
        };
        raise(py, &Error::invalid(vec![Violation::new(field, ViolationCode::Malformed, message)]))
    })
}

/// [`from_json`] of something large: named by the place in it that cannot be read, as far as that is known.
pub(crate) fn from_json_named<T: DeserializeOwned>(py: Python<'_>, field: &str, json: &str) -> PyResult<T> {
    match serde_json::from_str(json) {
        Ok(value) => Ok(value),
        Err(error) => {
            let place = json_place::of(json, &error).unwrap_or_else(|| field.to_owned());
            from_json(py, &place, json)
        }
    }
}

/// The record classes that are written in Python.
pub(crate) fn models(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static MODELS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let models = MODELS.get_or_try_init(py, || py.import("leadcore.models").map(Bound::unbind))?;
    Ok(models.bind(py))
}
