//! The kanban board.

use leadcore::desk;
use leadcore::desk::board::{Board, BoardQuery};
use leadcore::domain::Pipeline;
use leadcore::error::{Error, Result};
use leadcore::query::Cursor;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::convert::{Limit, Named, Text, models};
use crate::lead::Lead;
use crate::leads::{filter, named_all, sort};
use crate::names::{py_pipeline, py_stage, resolve_filter};
use crate::session::Session;

/// The pipeline that the caller means.
///
/// # Errors
/// `NotFound` when there is none.
pub(crate) fn find_pipeline(pipelines: &[Pipeline], wanted: &Named) -> Result<Pipeline> {
    let found = pipelines.iter().find(|pipeline| match wanted {
        Named::Id(id) => pipeline.id.as_uuid() == *id,
        Named::Name(name) => leadcore::value::fold(&pipeline.name) == leadcore::value::fold(name),
    });
    found.cloned().ok_or_else(|| Error::not_found("pipeline"))
}

/// The board of one pipeline.
#[pyfunction]
pub(crate) fn board<'py>(
    py: Python<'py>,
    session: &Session,
    pipeline: Option<Named>,
    r#where: Option<Text>,
    sort: Option<Text>,
    cards: Limit,
) -> PyResult<Bound<'py, PyAny>> {
    let filter = filter(py, r#where.as_ref())?;
    let mut query = BoardQuery::default().cards(cards.0);
    if sort.is_some() {
        query = query.sort(self::sort(py, sort.as_ref())?);
    }
    // A tenant without leads has no pipeline yet; it is made so that there is a board to look at.
    crate::pipelines::all(py, session)?;
    let (board, cards) = session.read(py, move |ctx, txn| {
        let mut query = query.clone().filter(resolve_filter(txn, &filter)?);
        if let Some(wanted) = &pipeline {
            query = query.pipeline(find_pipeline(&txn.pipelines().list()?, wanted)?.id);
        }
        let mut board = desk::board::board(ctx, txn, &query)?;
        let mut cards = Vec::with_capacity(board.columns.len());
        for column in &mut board.columns {
            cards.push(named_all(txn, std::mem::take(&mut column.cards))?);
        }
        Ok((board, cards))
    })?;
    py_board(py, &board, cards)
}

/// A board as its Python class, with the cards of each column.
pub(crate) fn py_board<'py>(
    py: Python<'py>,
    board: &Board,
    cards: Vec<Vec<Lead>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (models, mut columns) = (models(py)?, Vec::with_capacity(board.columns.len()));
    for (column, cards) in board.columns.iter().zip(cards) {
        let sums = column.sums.iter().map(|sum| {
            let currency = sum.currency.map(|currency| currency.code().to_owned());
            models.getattr("ColumnSum")?.call1((currency, sum.leads, sum.expected, sum.weighted))
        });
        let wip =
            column.wip.as_ref().map(|wip| models.getattr("Wip")?.call1((wip.limit, wip.full, wip.over)));
        let arguments = (
            py_stage(py, &column.stage)?,
            column.count,
            PyTuple::new(py, cards)?,
            column.next.as_ref().map(Cursor::to_text),
            PyTuple::new(py, sums.collect::<PyResult<Vec<_>>>()?)?,
            wip.transpose()?,
        );
        columns.push(models.getattr("Column")?.call1(arguments)?);
    }
    models.getattr("Board")?.call1((py_pipeline(py, &board.pipeline)?, PyTuple::new(py, columns)?))
}
