//! The kanban board: one pipeline's stages as columns, with counts and first cards (S0.10).

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::context::Context;
use crate::domain::{Field, FieldValue, Lead, Pipeline, Stage, StageSum};
use crate::error::{Error, ErrorKind, Result, ViolationCode};
use crate::id::{PipelineId, StageId};
use crate::query::{Cursor, Filter, LeadScan, MAX_PAGE, Page, Resolved, Sort, SortField};
use crate::store::Txn;
use crate::value::Currency;

use super::access::Mask;
use super::leads::readable;
use super::moving::{cards, is_open};

pub use super::moving::{MoveCheck, can_move, move_to as move_card};

/// Which board to draw.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BoardQuery {
    /// Which pipeline; the default one when not said.
    pub pipeline: Option<PipelineId>,
    /// Which leads; disqualified and converted ones are never on the board.
    pub filter: Filter,
    /// The order of the cards in each column; by hand ([`SortField::Rank`], top first) when not said.
    pub sort: Sort,
    /// How many cards each column shows at most, 0 to 1,000.
    pub cards: usize,
}

impl Default for BoardQuery {
    fn default() -> Self {
        let sort = Sort::ascending(SortField::Rank);
        Self { pipeline: None, filter: Filter::everything(), sort, cards: 25 }
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

/// What the leads of a column may be worth, in one currency (X.46).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ColumnSum {
    /// The currency; none for leads that say an amount and no currency.
    pub currency: Option<Currency>,
    /// How many leads say an amount.
    pub leads: u64,
    /// Their amounts, exactly.
    pub expected: Decimal,
    /// Each amount times its probability, exactly: the lead's own, else the stage's; where neither says one it counts as
    /// nothing. None for an actor who may not see probabilities.
    pub weighted: Option<Decimal>,
}

/// How full a stage with a limit is (X.52), whatever part of it the board shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Wip {
    /// The most open leads that may be in it.
    pub limit: u32,
    /// Whether no other lead may come in.
    pub full: bool,
    /// Whether it holds more than it may: the limit was set later.
    pub over: bool,
}

/// One column of the board.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Column {
    /// The stage, with its colour.
    pub stage: Stage,
    /// How many leads are in it.
    pub count: u64,
    /// What they may be worth, per currency, leads without one first. Empty for an actor who may not see amounts.
    pub sums: Vec<ColumnSum>,
    /// How full it is, where it has a limit.
    pub wip: Option<Wip>,
    /// The first of them.
    pub cards: Vec<Lead>,
    /// Where the next cards begin, for [`leads::list`](super::leads::list) with the same filter and sort, this stage and
    /// the open state.
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

/// The board of one pipeline: open, won and lost leads that match and that the actor may see.
///
/// Without a filter its cost does not grow with the number of leads: counts and sums are kept with every write, and the
/// first cards lie in their order.
///
/// # Errors
/// `NotFound` when there is no such pipeline (a tenant without leads has none yet); `Invalid` for a filter or number of
/// cards that does not fit; `Denied`; `Unsupported` when a sum is too large for a decimal.
pub fn board(ctx: &Context<'_>, txn: &mut dyn Txn, query: &BoardQuery) -> Result<Board> {
    if query.cards > MAX_PAGE {
        return Err(Error::invalid_field(
            "cards",
            ViolationCode::OutOfRange,
            "a column has 0 to 1,000 cards",
        ));
    }
    let sorted_by = query.sort.by.field();
    let filter = readable(ctx, txn, &query.filter, std::slice::from_ref(&sorted_by))?.and(is_open());
    super::custom::check_sort(txn, &query.sort, None)?;
    let pipelines = txn.pipelines().list()?;
    let pipeline = match query.pipeline {
        None => pipelines.into_iter().next(),
        Some(id) => pipelines.into_iter().find(|pipeline| pipeline.id == id),
    };
    let pipeline = pipeline.ok_or_else(|| Error::not_found("pipeline"))?;
    let counts = txn.tallies().count_by(&filter, &Field::Stage)?;
    let mask = Mask::of(ctx);
    let hidden = |field| ctx.policy().is_hidden(ctx.actor(), &field);
    let sums = if hidden(Field::Amount) || hidden(Field::Currency) {
        Vec::new()
    } else {
        txn.tallies().sums(&filter)?
    };
    let limited = pipeline.stages.iter().any(|stage| stage.wip_limit.is_some());
    let held = if limited { cards(txn)? } else { BTreeMap::new() };
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
        Ok(Column {
            stage: stage.clone(),
            count,
            sums: column_sums(&sums, stage, !hidden(Field::Probability))?,
            wip: wip(stage, &held),
            cards: page.items,
            next: page.next,
        })
    });
    let columns = columns.collect::<Result<_>>()?;
    Ok(Board { pipeline, columns })
}

fn column_sums(sums: &[StageSum], stage: &Stage, show_weighted: bool) -> Result<Vec<ColumnSum>> {
    let too_large = || Error::new(ErrorKind::Unsupported, "the amounts of a stage add up to too much");
    let own = sums.iter().filter(|sum| sum.stage == stage.id);
    own.map(|StageSum { currency, sum, .. }| {
        let weighted = sum.weighted(stage.probability).ok_or_else(too_large)?;
        Ok(ColumnSum {
            currency: *currency,
            leads: sum.leads,
            expected: sum.total().ok_or_else(too_large)?,
            weighted: show_weighted.then_some(weighted),
        })
    })
    .collect()
}

fn wip(stage: &Stage, held: &BTreeMap<StageId, u64>) -> Option<Wip> {
    let limit = stage.wip_limit?;
    let count = held.get(&stage.id).copied().unwrap_or(0);
    Some(Wip { limit, full: count >= u64::from(limit), over: count > u64::from(limit) })
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
