//! Records that something is about: by object, by kind and id, or a lead by its id.

use leadcore::domain::{Subject, SubjectKind};
use leadcore::error::ViolationCode;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};
use uuid::Uuid;

use crate::account_record::Account;
use crate::convert::{Id, Text};
use crate::errors::invalid;
use crate::hints::{did_you_mean, listed};
use crate::lead::Lead;
use crate::records::Contact;

/// What people can name, as they write it.
const KINDS: [SubjectKind; 9] = [
    SubjectKind::Lead,
    SubjectKind::Contact,
    SubjectKind::Account,
    SubjectKind::Activity,
    SubjectKind::File,
    SubjectKind::Estimate,
    SubjectKind::Record,
    SubjectKind::Opportunity,
    SubjectKind::Service,
];

const EXPECTED: &str = "expected a record, its kind and id, or the id of a lead";

/// One record: the object, `("account", id)`, or the id of a lead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SubjectArg(pub(crate) Subject);

impl<'a, 'py> FromPyObject<'a, 'py> for SubjectArg {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let of = |kind, id| Ok(Self(Subject::new(kind, id)));
        if let Some(pair) = pair(&obj) {
            return named(&pair);
        }
        for (is, kind) in [
            (obj.is_instance_of::<Lead>(), SubjectKind::Lead),
            (obj.is_instance_of::<Account>(), SubjectKind::Account),
            (obj.is_instance_of::<Contact>(), SubjectKind::Contact),
        ] {
            if is {
                return of(kind, obj.extract::<Id>()?.0);
            }
        }
        if let Some(pair) = own(&obj)? {
            return named(&pair);
        }
        if obj.is_instance_of::<PyString>() || obj.extract::<Uuid>().is_ok() {
            return of(SubjectKind::Lead, obj.extract::<Id>()?.0);
        }
        Err(PyTypeError::new_err(format!("{EXPECTED}, not '{}'", obj.get_type().name()?)))
    }
}

/// The record that a pair of kind and id names.
fn named(pair: &Bound<'_, PyTuple>) -> PyResult<SubjectArg> {
    let Text(code) = pair.get_item(0)?.extract()?;
    let kind = KINDS.into_iter().find(|kind| kind.code() == code).ok_or_else(|| {
        let known = KINDS.map(SubjectKind::code);
        let hint = match did_you_mean(&code, known) {
            hint if hint.is_empty() => format!("; the kinds are {}", listed(&known)),
            hint => hint,
        };
        let message = format!("there is no kind of record of this name{hint}");
        invalid(pair.py(), "id", ViolationCode::Unknown, &message)
    })?;
    Ok(SubjectArg(Subject::new(kind, pair.get_item(1)?.extract::<Id>()?.0)))
}

/// What a record of the package says of itself: its `subject`.
fn own<'py>(obj: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyTuple>>> {
    let subject = obj.getattr_opt("subject")?;
    Ok(subject.and_then(|subject| pair(&subject)))
}

/// The kind and the id of a record that is named by both.
fn pair<'py>(obj: &Bound<'py, PyAny>) -> Option<Bound<'py, PyTuple>> {
    let pair = obj.cast::<PyTuple>().ok()?;
    let kind = pair.get_item(0).ok()?;
    (pair.len() == 2 && is_kind(&kind)).then(|| pair.clone())
}

/// Whether this names a kind: any text that is no id.
fn is_kind(obj: &Bound<'_, PyAny>) -> bool {
    let text = obj.cast::<PyString>().ok().map(|text| text.to_string_lossy().into_owned());
    text.is_some_and(|text| Uuid::try_parse(&text).is_err())
}

/// One record or several.
#[derive(Debug, Clone)]
pub(crate) struct SubjectsArg(pub(crate) Vec<Subject>);

impl<'a, 'py> FromPyObject<'a, 'py> for SubjectsArg {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        // Bytes and mappings have parts, but no records; text is an id.
        let single = obj.is_instance_of::<PyString>()
            || obj.is_instance_of::<PyBytes>()
            || obj.is_instance_of::<PyDict>()
            || pair(&obj).is_some()
            || own(&obj)?.is_some();
        let several = if single { None } else { obj.try_iter().ok() };
        let Some(several) = several else { return Ok(Self(vec![obj.extract::<SubjectArg>()?.0])) };
        several.map(|one| one?.extract::<SubjectArg>().map(|it| it.0)).collect::<PyResult<_>>().map(Self)
    }
}
