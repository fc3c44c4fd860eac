//! Sources, categories, labels, locations, partners, and reasons for losing and disqualifying.

use leadcore::context::Context;
use leadcore::desk::vocabulary::InUse;
use leadcore::desk::{Expect, vocabulary};
use leadcore::domain::{Term, TermId, TermKind};
use leadcore::error::{Error, ErrorKind, Result, ViolationCode};
use leadcore::id::{
    CategoryId, DisqualifyReasonId, LabelId, LocationId, LostReasonId, PartnerId, Revision, SourceId,
};
use leadcore::store::Txn;
use leadcore::value::fold;
use pyo3::prelude::*;
use uuid::Uuid;

use crate::convert::{Count, Named, Text};
use crate::errors::invalid;
use crate::names::py_term;
use crate::session::Session;

/// Calls a function of the core with the id type of the list.
macro_rules! of_kind {
    ($kind:expr, $function:ident($($argument:expr),*)) => {
        match $kind {
            TermKind::Source => $function::<SourceId>($($argument),*),
            TermKind::Category => $function::<CategoryId>($($argument),*),
            TermKind::Label => $function::<LabelId>($($argument),*),
            TermKind::Location => $function::<LocationId>($($argument),*),
            TermKind::Partner => $function::<PartnerId>($($argument),*),
            TermKind::LostReason => $function::<LostReasonId>($($argument),*),
            TermKind::DisqualifyReason => $function::<DisqualifyReasonId>($($argument),*),
            _ => Err(Error::new(ErrorKind::Unsupported, "this list is not known to the Python module yet")),
        }
    };
}

fn kind(py: Python<'_>, code: &Text) -> PyResult<TermKind> {
    TermKind::from_code(&code.0)
        .ok_or_else(|| invalid(py, "kind", ViolationCode::Unknown, "there is no list of this name"))
}

/// The term without the id type of its list.
fn plain<I: TermId>(term: Term<I>) -> Result<Term<Uuid>> {
    let mut plain = Term::new(term.id.term(), &term.name, term.color.as_deref(), term.position)
        .map_err(|error| Error::from(error.at("name")))?;
    plain.revision = term.revision;
    plain.archived = term.archived;
    plain.needs_detail = term.needs_detail;
    Ok(plain)
}

fn list<I: TermId>(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Vec<Term<Uuid>>> {
    vocabulary::list::<I>(ctx, txn)?.into_iter().map(plain).collect()
}

fn add<I: TermId>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    name: &str,
    color: Option<&str>,
) -> Result<Term<Uuid>> {
    plain(vocabulary::add::<I>(ctx, txn, name, color)?)
}

/// The id of a term that the caller named.
pub(crate) fn find<I: TermId>(ctx: &Context<'_>, txn: &mut dyn Txn, wanted: &Named) -> Result<I> {
    match wanted {
        Named::Id(id) => Ok(I::from_term(*id)),
        Named::Name(name) => {
            let key = fold(name);
            let found = vocabulary::list::<I>(ctx, txn)?.into_iter().find(|term| term.key() == key);
            found.map(|term| term.id).ok_or_else(|| Error::not_found(I::KIND.code()))
        }
    }
}

fn rename<I: TermId>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    term: &Named,
    expect: Expect,
    name: &str,
) -> Result<Term<Uuid>> {
    let id = find::<I>(ctx, txn, term)?;
    plain(vocabulary::rename(ctx, txn, id, expect, name)?)
}

/// One change to a term.
#[derive(Debug, Clone)]
enum TermChange {
    Color(Option<Text>),
    Archived(bool),
    NeedsDetail(bool),
}

fn change<I: TermId>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    term: &Named,
    expect: Expect,
    change: &TermChange,
) -> Result<Term<Uuid>> {
    let id = find::<I>(ctx, txn, term)?;
    plain(match change {
        TermChange::Color(color) => {
            let color = color.as_ref().map(|color| color.0.as_str());
            vocabulary::recolor(ctx, txn, id, expect, color)?
        }
        TermChange::Archived(archived) => vocabulary::archive(ctx, txn, id, expect, *archived)?,
        TermChange::NeedsDetail(asked) => vocabulary::ask_for_detail(ctx, txn, id, expect, *asked)?,
    })
}

fn reorder<I: TermId>(ctx: &Context<'_>, txn: &mut dyn Txn, order: &[Named]) -> Result<Vec<Term<Uuid>>> {
    let order = order.iter().map(|term| find::<I>(ctx, txn, term)).collect::<Result<Vec<_>>>()?;
    vocabulary::reorder(ctx, txn, &order)?.into_iter().map(plain).collect()
}

fn list_or_default<I: TermId>(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Vec<Term<Uuid>>> {
    vocabulary::list_or_default::<I>(ctx, txn)?.into_iter().map(plain).collect()
}

/// What becomes of the leads that refer to a deleted term.
#[derive(Debug)]
enum Fate {
    Refuse,
    Clear,
    Reassign(Named),
}

fn delete<I: TermId>(ctx: &Context<'_>, txn: &mut dyn Txn, term: &Named, fate: &Fate) -> Result<()> {
    let id = find::<I>(ctx, txn, term)?;
    let in_use = match fate {
        Fate::Refuse => InUse::Refuse,
        Fate::Clear => InUse::Clear,
        Fate::Reassign(other) => InUse::Reassign(find::<I>(ctx, txn, other)?),
    };
    vocabulary::delete(ctx, txn, id, in_use)
}

/// The terms of a list.
#[pyfunction]
pub(crate) fn term_list<'py>(
    py: Python<'py>,
    session: &Session,
    kind: Text,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let kind = self::kind(py, &kind)?;
    let terms = session.read(py, move |ctx, txn| of_kind!(kind, list(ctx, txn)))?;
    terms.iter().map(|term| py_term(py, kind, term)).collect()
}

/// Adds a term.
#[pyfunction]
pub(crate) fn term_add<'py>(
    py: Python<'py>,
    session: &Session,
    kind: Text,
    name: Text,
    color: Option<Text>,
) -> PyResult<Bound<'py, PyAny>> {
    let kind = self::kind(py, &kind)?;
    let term = session.write(py, move |ctx, txn| {
        let color = color.as_ref().map(|color| color.0.as_str());
        of_kind!(kind, add(ctx, txn, &name.0, color))
    })?;
    py_term(py, kind, &term)
}

/// Renames a term; `revision` none takes whatever is there.
#[pyfunction]
pub(crate) fn term_rename<'py>(
    py: Python<'py>,
    session: &Session,
    kind: Text,
    term: Named,
    revision: Option<Count>,
    name: Text,
) -> PyResult<Bound<'py, PyAny>> {
    let kind = self::kind(py, &kind)?;
    let expect = revision.map_or(Expect::Any, |revision| Revision::new(revision.0).into());
    let term = session.write(py, move |ctx, txn| of_kind!(kind, rename(ctx, txn, &term, expect, &name.0)))?;
    py_term(py, kind, &term)
}

/// Deletes a term. Leads that refer to it: `refuse`, `clear`, or `reassign` to another term.
#[pyfunction]
pub(crate) fn term_delete(
    py: Python<'_>,
    session: &Session,
    kind: Text,
    term: Named,
    in_use: Text,
    reassign: Option<Named>,
) -> PyResult<()> {
    let kind = self::kind(py, &kind)?;
    let fate = match (in_use.0.as_str(), reassign) {
        (_, Some(other)) => Fate::Reassign(other),
        ("refuse", None) => Fate::Refuse,
        ("clear", None) => Fate::Clear,
        _ => return Err(invalid(py, "in_use", ViolationCode::Unknown, "must be `refuse` or `clear`")),
    };
    session.write(py, move |ctx, txn| of_kind!(kind, delete(ctx, txn, &term, &fate)))
}

fn changed<'py>(
    py: Python<'py>,
    session: &Session,
    kind: &Text,
    (term, revision): (Named, Option<Count>),
    wanted: TermChange,
) -> PyResult<Bound<'py, PyAny>> {
    let kind = self::kind(py, kind)?;
    let expect = revision.map_or(Expect::Any, |revision| Revision::new(revision.0).into());
    let term = session.write(py, move |ctx, txn| of_kind!(kind, change(ctx, txn, &term, expect, &wanted)))?;
    py_term(py, kind, &term)
}

/// Gives a term another colour, or none.
#[pyfunction]
pub(crate) fn term_recolor<'py>(
    py: Python<'py>,
    session: &Session,
    kind: Text,
    term: Named,
    revision: Option<Count>,
    color: Option<Text>,
) -> PyResult<Bound<'py, PyAny>> {
    changed(py, session, &kind, (term, revision), TermChange::Color(color))
}

/// Archives a term, or takes it out of the archive.
#[pyfunction]
pub(crate) fn term_archive<'py>(
    py: Python<'py>,
    session: &Session,
    kind: Text,
    term: Named,
    revision: Option<Count>,
    archived: bool,
) -> PyResult<Bound<'py, PyAny>> {
    changed(py, session, &kind, (term, revision), TermChange::Archived(archived))
}

/// Says whether a reason must be given in words too.
#[pyfunction]
pub(crate) fn term_ask_for_detail<'py>(
    py: Python<'py>,
    session: &Session,
    kind: Text,
    term: Named,
    revision: Option<Count>,
    needs_detail: bool,
) -> PyResult<Bound<'py, PyAny>> {
    changed(py, session, &kind, (term, revision), TermChange::NeedsDetail(needs_detail))
}

/// Puts a list into this order.
#[pyfunction]
pub(crate) fn term_reorder<'py>(
    py: Python<'py>,
    session: &Session,
    kind: Text,
    order: Vec<Named>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let kind = self::kind(py, &kind)?;
    let terms = session.write(py, move |ctx, txn| of_kind!(kind, reorder(ctx, txn, &order)))?;
    terms.iter().map(|term| py_term(py, kind, term)).collect()
}

/// The terms of a list; the usual reasons where there is none.
#[pyfunction]
pub(crate) fn term_defaults<'py>(
    py: Python<'py>,
    session: &Session,
    kind: Text,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let kind = self::kind(py, &kind)?;
    let terms = session.write(py, move |ctx, txn| of_kind!(kind, list_or_default(ctx, txn)))?;
    terms.iter().map(|term| py_term(py, kind, term)).collect()
}
