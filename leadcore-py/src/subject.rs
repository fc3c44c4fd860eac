//! Records that something is about: leads, accounts and contacts, by object or by kind and id.

use leadcore::domain::{Subject, SubjectKind};
use leadcore::error::ViolationCode;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};
use uuid::Uuid;

use crate::convert::{Id, Text};
use crate::errors::invalid;
use crate::lead::Lead;
use crate::records::{Account, Contact};

/// One record: the object, `("account", id)`, or the id of a lead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SubjectArg(pub(crate) Subject);

impl<'a, 'py> FromPyObject<'a, 'py> for SubjectArg {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let of = |kind, id| Ok(Self(Subject::new(kind, id)));
        if let Some((kind, id)) = pair(&obj) {
            let Text(code) = kind.extract()?;
            let kind = SubjectKind::from_code(&code).ok_or_else(|| {
                invalid(obj.py(), "id", ViolationCode::Unknown, "there is no kind of record of this name")
            })?;
            return of(kind, id.extract::<Id>()?.0);
        }
        let Id(id) = obj.extract()?;
        let kind = if obj.is_instance_of::<Account>() {
            SubjectKind::Account
        } else if obj.is_instance_of::<Contact>() {
            SubjectKind::Contact
        } else if !obj.is_instance_of::<Lead>() && crate::activity::is_activity(&obj)? {
            SubjectKind::Activity
        } else {
            SubjectKind::Lead
        };
        of(kind, id)
    }
}

/// The kind and the id of a record that is named by both.
fn pair<'py>(obj: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let pair = obj.cast::<PyTuple>().ok()?;
    let (kind, id) = (pair.get_item(0).ok()?, pair.get_item(1).ok()?);
    (pair.len() == 2 && is_kind(&kind)).then_some((kind, id))
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
        let several = if let Ok(list) = obj.cast::<PyList>() {
            Some(list.iter().collect::<Vec<_>>())
        } else if let Ok(tuple) = obj.cast::<PyTuple>() {
            pair(&obj).is_none().then(|| tuple.iter().collect())
        } else {
            None
        };
        let subjects = match several {
            Some(several) => several.iter().map(|one| one.extract::<SubjectArg>().map(|it| it.0)).collect(),
            None => obj.extract::<SubjectArg>().map(|it| vec![it.0]),
        };
        subjects.map(Self)
    }
}
