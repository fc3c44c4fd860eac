//! The kanban board: one pipeline's stages as columns, with counts and first cards (S0.10).

use serde::Serialize;

use crate::context::Context;
use crate::domain::{Field, FieldValue, Lead, LeadState, Pipeline, Stage};
use crate::error::{Error, Result, ViolationCode};
use crate::id::PipelineId;
use crate::query::{Cursor, Filter, LeadScan, MAX_PAGE, Page, Resolved, Sort};
use crate::store::Txn;

use super::access::Mask;
use super::leads::readable;

pub use super::leads::move_to as move_card;

/// Which board to draw.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BoardQuery {
    /// Which pipeline; the default one when not said.
    pub pipeline: Option<PipelineId>,
    /// Which leads; converted ones are never on the board.
    pub filter: Filter,
    /// The order of the cards in each column.
    pub sort: Sort,
    /// How many cards each column shows at most, 0 to 1,000.
    pub cards: usize,
}

impl Default for BoardQuery {
    fn default() -> Self {
        Self { pipeline: None, filter: Filter::everything(), sort: Sort::default(), cards: 25 }
    }
}

impl BoardQuery {
    /// The board of this pipeline.
    #[must_use]
    pub const fn pipeline(mut self, pipeline: PipelineId) -> Self {
        self.pipeline = Some(pipeline);
        self
    }

    /// Only these leads.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// At most this many cards in each column.
    #[must_use]
    pub const fn cards(mut self, cards: usize) -> Self {
        self.cards = cards;
        self
    }

    /// Cards in this order.
    #[must_use]
    pub fn sort(mut self, sort: Sort) -> Self {
        self.sort = sort;
        self
    }
}

/// One column of the board.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// The stage.
    pub stage: Stage,
    /// How many leads are in it.
    pub count: u64,
    /// The first of them.
    pub cards: Vec<Lead>,
    /// Where the next cards begin, for [`leads::list`](super::leads::list) with the same filter and this stage.
    pub next: Option<Cursor>,
}

/// A board.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Board {
    /// The pipeline it shows.
    pub pipeline: Pipeline,
    /// A column for each stage, in order.
    pub columns: Vec<Column>,
}

/// The board of one pipeline: open leads that match and that the actor may see.
///
/// # Errors
/// `NotFound` when there is no such pipeline (a tenant without leads has none yet); `Invalid` for a filter or number of
/// cards that does not fit; `Denied`.
pub fn board(ctx: &Context<'_>, txn: &mut dyn Txn, query: &BoardQuery) -> Result<Board> {
    if query.cards > MAX_PAGE {
        return Err(Error::invalid_field(
            "cards",
            ViolationCode::OutOfRange,
            "a column has at most 1,000 cards",
        ));
    }
    let sorted_by = query.sort.by.field();
    let open = Resolved::Equals(Field::State, vec![LeadState::Open.code().into()]);
    let filter = readable(ctx, txn, &query.filter, std::slice::from_ref(&sorted_by))?.and(open);
    super::custom::check_sort(txn, &query.sort, None)?;
    let pipelines = txn.pipelines().list()?;
    let pipeline = match query.pipeline {
        None => pipelines.into_iter().next(),
        Some(id) => pipelines.into_iter().find(|pipeline| pipeline.id == id),
    };
    let pipeline = pipeline.ok_or_else(|| Error::not_found("pipeline"))?;
    let counts = txn.tallies().count_by(&filter, &Field::Stage)?;
    let mask = Mask::of(ctx);
    let columns = pipeline.stages.iter().map(|stage| {
        let id = FieldValue::Id(stage.id.as_uuid());
        let count = counts.iter().find(|(value, _)| *value == id).map_or(0, |(_, count)| *count);
        let mut page = if count == 0 || query.cards == 0 {
            Page { items: Vec::new(), next: None }
        } else {
            let in_stage = Resolved::Equals(Field::Stage, vec![id]);
            first_cards(txn, filter.clone().and(in_stage), query)?
        };
        page.items.iter_mut().for_each(|lead| mask.put_on(lead));
        Ok(Column { stage: stage.clone(), count, cards: page.items, next: page.next })
    });
    let columns = columns.collect::<Result<_>>()?;
    Ok(Board { pipeline, columns })
}

fn first_cards(txn: &mut dyn Txn, filter: Resolved, query: &BoardQuery) -> Result<Page<Lead>> {
    let found = txn.leads().scan(&LeadScan {
        filter,
        trashed: false,
        sort: query.sort.clone(),
        limit: query.cards.saturating_add(1),
        after: None,
    })?;
    Ok(Page::cut(found, query.cards, |lead| Cursor::behind(lead, &query.sort)))
}
