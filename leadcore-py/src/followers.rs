//! Who follows leads and accounts, and who can take part in something.

use leadcore::desk;
use leadcore::desk::participants::ParticipantOptions;
use leadcore::id::UserId;
use pyo3::prelude::*;

use crate::convert::{Limit, Text, to_json};
use crate::errors::raise;
use crate::lead::Lead;
use crate::leads::named_all;
use crate::listing::place;
use crate::session::Session;
use crate::subject::{SubjectArg, SubjectsArg};

fn who(py: Python<'_>, user: Option<Text>) -> PyResult<Option<UserId>> {
    let user = user.map(|user| UserId::new(user.0)).transpose();
    user.map_err(|error| raise(py, &error.at("user").into()))
}

/// Makes somebody follow a record, or follow it no more: whether that is new.
#[pyfunction]
pub(crate) fn follow(
    py: Python<'_>,
    session: &Session,
    subject: SubjectArg,
    user: Option<Text>,
    follows: bool,
) -> PyResult<bool> {
    let user = who(py, user)?;
    session.write(py, move |ctx, txn| {
        let change = if follows { desk::followers::follow } else { desk::followers::unfollow };
        change(ctx, txn, subject.0, user.as_ref())
    })
}

/// Who follows a record, as JSON.
#[pyfunction]
pub(crate) fn followers_of(py: Python<'_>, session: &Session, subject: SubjectArg) -> PyResult<String> {
    let found = session.read(py, move |ctx, txn| desk::followers::of(ctx, txn, subject.0))?;
    to_json(py, &found)
}

/// The leads that a user follows, and where the next page begins.
#[pyfunction]
pub(crate) fn followed_by(
    py: Python<'_>,
    session: &Session,
    user: Option<Text>,
    after: Option<Text>,
    limit: Limit,
) -> PyResult<(Vec<Lead>, Option<String>)> {
    let (user, after) = (who(py, user)?, place(py, after.as_ref())?);
    let (leads, next) = session.read(py, move |ctx, txn| {
        let page = desk::followers::followed(ctx, txn, user.as_ref(), after, limit.0)?;
        Ok((named_all(txn, page.items)?, page.next))
    })?;
    Ok((leads, next.map(|place| to_json(py, &place)).transpose()?))
}

/// What records are called and where they are reached, as JSON.
#[pyfunction]
pub(crate) fn participants_named(
    py: Python<'_>,
    session: &Session,
    participants: SubjectsArg,
) -> PyResult<String> {
    let found = session.read(py, move |ctx, txn| desk::participants::named(ctx, txn, &participants.0))?;
    to_json(py, &found)
}

/// Who has every word of a text, as JSON.
#[pyfunction]
pub(crate) fn participants_search(
    py: Python<'_>,
    session: &Session,
    text: Text,
    include_leads: bool,
    limit: Limit,
) -> PyResult<String> {
    let options = ParticipantOptions::new().include_leads(include_leads).limit(limit.0);
    let found = session.read(py, move |ctx, txn| desk::participants::search(ctx, txn, &text.0, &options))?;
    to_json(py, &found)
}
