//! Everything that happened to a lead, an account or a person.

use std::collections::BTreeSet;

use leadcore::context::Context;
use leadcore::desk;
use leadcore::desk::timeline::{TimelineItem, TimelineQuery};
use leadcore::domain::{Catalogue, CatalogueKind, Field, FieldValue, Sequence, SubjectKind, Topic};
use leadcore::error::{Error, Result, ViolationCode};
use leadcore::store::Txn;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::convert::{Count, Limit, Text, models, retyped, to_python};
use crate::custom::journalled;
use crate::errors::raise;
use crate::hints::listed;
use crate::session::Session;
use crate::subject::SubjectArg;

/// A page of what happened, newest first, and where the next one begins.
#[pyfunction]
pub(crate) fn timeline<'py>(
    py: Python<'py>,
    session: &Session,
    subject: SubjectArg,
    topics: Vec<Text>,
    before: Option<Count>,
    limit: Limit,
) -> PyResult<(Vec<Bound<'py, PyAny>>, Option<i64>)> {
    let before = before.map(|before| Sequence(i64::try_from(before.0).unwrap_or(i64::MAX)));
    let topics = topics_of(&topics).map_err(|error| raise(py, &error))?;
    let mut query = TimelineQuery::new(limit.0).before(before);
    if !topics.is_empty() {
        // None was named; the package refuses an empty list.
        query = query.topics(&topics);
    }
    let (page, catalogue) = session.read(py, move |ctx, txn| {
        let page = desk::timeline::of(ctx, txn, subject.0, &query)?;
        let catalogue = catalogue_of(ctx, txn, &page.items)?;
        Ok((page, catalogue))
    })?;
    Ok((entries(py, &catalogue, &page.items)?, page.next.map(|sequence| sequence.0)))
}

fn topics_of(topics: &[Text]) -> Result<Vec<Topic>> {
    let topic = |(n, code): (usize, &Text)| {
        Topic::from_code(&code.0).ok_or_else(|| {
            let known: Vec<_> = Topic::ALL.iter().map(|topic| topic.code()).collect();
            let message = format!("this is one of {}", listed(&known));
            Error::invalid_field(format!("topics[{n}]"), ViolationCode::Unknown, message)
        })
    };
    topics.iter().enumerate().map(topic).collect()
}

/// The fields that the tenant added, of each kind of record that events speak of.
pub(crate) type Catalogues = Vec<Catalogue>;

/// The fields that these events speak of.
pub(crate) fn catalogue_of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    items: &[TimelineItem],
) -> Result<Catalogues> {
    let own = |item: &&TimelineItem| item.entry.changes.iter().any(|change| change.field.starts_with("x_"));
    let kinds: BTreeSet<_> =
        items.iter().filter(own).map(|item| fields_of(item.entry.subject.kind)).collect();
    kinds.into_iter().map(|kind| Ok(desk::settings::catalogue_of(ctx, txn, kind)?.1)).collect()
}

/// Whose fields the custom fields of a record are.
const fn fields_of(kind: SubjectKind) -> CatalogueKind {
    match kind {
        SubjectKind::Account => CatalogueKind::Account,
        SubjectKind::Contact => CatalogueKind::Contact,
        SubjectKind::Opportunity => CatalogueKind::Opportunity,
        _ => CatalogueKind::Lead,
    }
}

/// Events as their Python class.
pub(crate) fn entries<'py>(
    py: Python<'py>,
    catalogues: &Catalogues,
    items: &[TimelineItem],
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    items.iter().map(|item| py_entry(py, catalogues, item)).collect()
}

/// A value of a change, in the type of its field.
fn shown<'py>(
    py: Python<'py>,
    catalogue: Option<&Catalogue>,
    field: &str,
    value: &FieldValue,
) -> PyResult<Bound<'py, PyAny>> {
    match field.parse() {
        Ok(Field::Custom(key)) => {
            let nothing = Catalogue::default();
            journalled(py, catalogue.unwrap_or(&nothing), &key, value)
        }
        _ => to_python(py, &retyped(field, value)),
    }
}

fn py_entry<'py>(
    py: Python<'py>,
    catalogues: &Catalogues,
    item: &TimelineItem,
) -> PyResult<Bound<'py, PyAny>> {
    let (models, entry) = (models(py)?, &item.entry);
    let kind = fields_of(entry.subject.kind);
    let catalogue = catalogues.iter().find(|catalogue| catalogue.kind() == kind);
    let change = models.getattr("Change")?;
    let changes = entry.changes.iter().map(|it| {
        let before = shown(py, catalogue, &it.field, &it.before)?;
        let after = shown(py, catalogue, &it.field, &it.after)?;
        change.call1((it.field.as_str(), before, after))
    });
    let changes = changes.collect::<PyResult<Vec<_>>>()?;
    let arguments = (
        entry.sequence.0,
        entry.at.to_datetime(),
        entry.actor.user().map(leadcore::id::UserId::as_str),
        entry.action.code(),
        item.text.as_str(),
        PyTuple::new(py, changes)?,
        (entry.subject.kind.code(), entry.subject.id),
        entry.other.map(|other| (other.kind.code(), other.id)),
        entry.operation.as_uuid(),
        entry.operation_kind.code(),
        PyTuple::new(py, item.topics.iter().map(|topic| topic.code()))?,
    );
    models.getattr("Entry")?.call1(arguments)
}
