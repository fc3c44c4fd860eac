//! A view opened: rows ready to be shown, or a board; and the columns of lists.

use leadcore::desk;
use leadcore::desk::views::{ListPage, ViewRequest};
use leadcore::domain::Catalogue;
use leadcore::error::{ValueError, Violation};
use leadcore::id::UserId;
use leadcore::query::Cursor;
use pyo3::prelude::*;

use crate::board::py_board;
use crate::convert::{Limit, Text};
use crate::errors::raise;
use crate::lead::Lead;
use crate::leads::{filter, named_all, sort};
use crate::names::{Names, of_field, resolve_filter};
use crate::reading::{PyFacet, fields_of, py_facet};
use crate::session::Session;
use crate::settings::py_spec;
use crate::views::{View, sort_text};

/// The lead, its cells, whether it is unread, whether it rots, what can be done with it.
type Row = (Lead, Vec<String>, bool, bool, Vec<&'static str>);
/// Name, columns, rows, sort, next, total, groups, what was left out.
type Opened<'py> = (
    String,
    Vec<Bound<'py, PyAny>>,
    Vec<Row>,
    String,
    Option<String>,
    Option<u64>,
    Option<PyFacet<'py>>,
    Vec<LeftOut>,
);
/// A broken rule: field, code, message.
type LeftOut = (String, &'static str, String);

fn left_out(violations: &[Violation]) -> Vec<LeftOut> {
    let parts = |it: &Violation| (it.field.clone(), it.code.code(), it.message.clone());
    violations.iter().map(parts).collect()
}

/// What the reader asks of a view, as far as that needs no store.
fn request(
    py: Python<'_>,
    search: Option<Text>,
    order: Option<Text>,
    limit: Option<Limit>,
    after: Option<Text>,
    columns: Option<Vec<Text>>,
    users: Option<Vec<(Text, Text)>>,
) -> PyResult<ViewRequest> {
    let mut request = ViewRequest::new();
    request.search = search.map(|text| text.0);
    request.sort = order.map(|text| sort(py, Some(&text))).transpose()?;
    request.limit = limit.map(|limit| limit.0);
    request.after =
        after.map(|text| Cursor::from_text(&text.0)).transpose().map_err(|error| raise(py, &error))?;
    request.columns = columns.map(|keys| fields_of(py, "columns", &keys)).transpose()?;
    let users = users.unwrap_or_default().into_iter().map(|(id, name)| Ok((UserId::new(id.0)?, name.0)));
    let users = users.collect::<Result<_, ValueError>>();
    request.users = users.map_err(|error| raise(py, &error.at("users").into()))?;
    Ok(request)
}

/// A page of a view.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the keyword arguments of one Python method")]
pub(crate) fn view_open<'py>(
    py: Python<'py>,
    session: &Session,
    view: View,
    search: Option<Text>,
    r#where: Option<Text>,
    sort: Option<Text>,
    limit: Option<Limit>,
    after: Option<Text>,
    columns: Option<Vec<Text>>,
    users: Option<Vec<(Text, Text)>>,
) -> PyResult<Opened<'py>> {
    let filter = filter(py, r#where.as_ref())?;
    let request = request(py, search, sort, limit, after, columns, users)?;
    let (mut page, leads, catalogue, names) = session.read(py, move |ctx, txn| {
        let request = request.clone().filter(resolve_filter(txn, &filter)?);
        let mut page = desk::views::open(ctx, txn, view.0, &request)?;
        let rows = std::mem::take(&mut page.rows);
        let (shown, leads): (Vec<_>, Vec<_>) =
            rows.into_iter().map(|row| ((row.cells, row.unread, row.rotting, row.actions), row.lead)).unzip();
        let leads: Vec<_> = named_all(txn, leads)?.into_iter().zip(shown).collect();
        let names = page.groups.as_ref().map(|groups| of_field(txn, &groups.field)).transpose()?;
        Ok((page, leads, desk::settings::catalogue(ctx, txn)?.1, names.unwrap_or_default()))
    })?;
    let rows = leads.into_iter().map(|(lead, (cells, unread, rotting, actions))| {
        (lead, cells, unread, rotting, actions.into_iter().map(desk::leads::LeadAction::code).collect())
    });
    opened(py, std::mem::take(&mut page.name), &page, rows.collect(), &catalogue, &names)
}

fn opened<'py>(
    py: Python<'py>,
    name: String,
    page: &ListPage,
    rows: Vec<Row>,
    catalogue: &Catalogue,
    names: &Names,
) -> PyResult<Opened<'py>> {
    let columns = page.columns.iter().map(|spec| py_spec(py, catalogue, spec));
    Ok((
        name,
        columns.collect::<PyResult<_>>()?,
        rows,
        sort_text(&page.sort),
        page.next.as_ref().map(Cursor::to_text),
        page.total,
        page.groups.as_ref().map(|groups| py_facet(py, groups, names)).transpose()?,
        left_out(&page.left_out),
    ))
}

/// A view as a board: its name, the board, what was left out.
#[pyfunction]
pub(crate) fn view_board<'py>(
    py: Python<'py>,
    session: &Session,
    view: View,
    search: Option<Text>,
    r#where: Option<Text>,
    sort: Option<Text>,
    cards: Limit,
) -> PyResult<(String, Bound<'py, PyAny>, Vec<LeftOut>)> {
    let filter = filter(py, r#where.as_ref())?;
    let request = request(py, search, sort, Some(cards), None, None, None)?;
    // A tenant without leads has no pipeline yet; it is made so that there is a board to look at.
    crate::pipelines::all(py, session)?;
    let (shown, cards) = session.read(py, move |ctx, txn| {
        let request = request.clone().filter(resolve_filter(txn, &filter)?);
        let mut shown = desk::views::board(ctx, txn, view.0, &request)?;
        let mut cards = Vec::with_capacity(shown.board.columns.len());
        for column in &mut shown.board.columns {
            cards.push(named_all(txn, std::mem::take(&mut column.cards))?);
        }
        Ok((shown, cards))
    })?;
    let board = py_board(py, &shown.board, cards)?;
    Ok((shown.name, board, left_out(&shown.left_out)))
}

/// The columns of lists.
#[pyfunction]
pub(crate) fn columns_list<'py>(py: Python<'py>, session: &Session) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let catalogue = session.read(py, |ctx, txn| desk::settings::visible_catalogue(ctx, txn))?;
    catalogue.columns().iter().map(|spec| py_spec(py, &catalogue, spec)).collect()
}

/// Chooses the columns of lists; none goes back to the standard ones.
#[pyfunction]
pub(crate) fn columns_set(py: Python<'_>, session: &Session, fields: Option<Vec<Text>>) -> PyResult<()> {
    let columns = fields.map(|keys| fields_of(py, "fields", &keys)).transpose()?;
    session.write(py, move |ctx, txn| {
        let (revision, mut catalogue) = desk::settings::catalogue(ctx, txn)?;
        catalogue.set_columns(columns.clone());
        desk::settings::set_catalogue(ctx, txn, revision, &catalogue).map(drop)
    })
}
