//! Putting a report together from what the store counted.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

use crate::domain::{FieldValue, Lead, LeadFields, Rank, TermKind};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{LeadId, PipelineId, Revision, StageId};
use crate::query::{Dimension, ReportScan, Resolved};
use crate::store::{CostScan, Entered, Txn, Worth};
use crate::time::Timestamp;
use crate::value::{Currency, fold};

use super::{GroupValue, Money, ReportQuery, ReportRow, StageRow, TimeToConversion, Valued, spend};

/// How many costs are read at once.
const ROUND: usize = 1_000;

/// A group, in a form that can be ordered.
type Key = Vec<Option<String>>;

/// What a group adds up to.
#[derive(Default)]
struct Sums {
    group: Vec<FieldValue>,
    campaign: Option<String>,
    leads: u64,
    converted: u64,
    lost: u64,
    disqualified: u64,
    waited: i128,
    middle: Option<(i64, i64)>,
    money: BTreeMap<Option<String>, Sum>,
    stages: BTreeMap<StageId, Entered>,
}

/// What a group adds up to in one currency.
#[derive(Default)]
struct Sum {
    currency: Option<Currency>,
    open: Worth,
    won: Worth,
    lost: Worth,
    cost: Option<i128>,
}

impl Sums {
    fn money(&mut self, currency: Option<Currency>) -> &mut Sum {
        let code = currency.map(|currency| currency.code().to_owned());
        self.money.entry(code).or_insert_with(|| Sum { currency, ..Sum::default() })
    }

    fn spend(&mut self, currency: Currency, units: i128) {
        let sum = self.money(Some(currency));
        sum.cost = Some(sum.cost.unwrap_or(0).saturating_add(units));
    }
}

fn add(sum: &mut Worth, more: &Worth) {
    sum.count = sum.count.saturating_add(more.count);
    sum.units = sum.units.saturating_add(more.units);
}

pub(super) struct Build {
    scan: ReportScan,
    worth_hidden: bool,
    rows: BTreeMap<Key, Sums>,
    total: Sums,
}

impl Build {
    pub(super) fn new(scan: ReportScan, worth_hidden: bool) -> Self {
        Self { scan, worth_hidden, rows: BTreeMap::new(), total: Sums::default() }
    }

    fn row(&mut self, group: Vec<FieldValue>) -> &mut Sums {
        let key = group.iter().map(FieldValue::to_typed_text).collect();
        self.rows.entry(key).or_insert_with(|| Sums { group, ..Sums::default() })
    }

    /// What the store counts.
    pub(super) fn count(&mut self, txn: &mut dyn Txn, stages: bool) -> Result<()> {
        for figures in txn.reports().leads(&self.scan)? {
            let total = &mut self.total;
            total.leads = total.leads.saturating_add(figures.leads);
            total.converted = total.converted.saturating_add(figures.converted);
            total.lost = total.lost.saturating_add(figures.lost);
            total.disqualified = total.disqualified.saturating_add(figures.disqualified);
            total.waited = total.waited.saturating_add(figures.waited);
            let row = self.row(figures.key);
            (row.leads, row.converted, row.lost) = (figures.leads, figures.converted, figures.lost);
            (row.disqualified, row.waited) = (figures.disqualified, figures.waited);
            row.campaign = figures.campaign;
        }
        for figures in txn.reports().middle_waits(&self.scan)? {
            self.row(figures.key).middle = Some((figures.low, figures.high));
        }
        // The middle of all is none of the middles.
        let all = ReportScan { by: Vec::new(), ..self.scan.clone() };
        let middle = txn.reports().middle_waits(&all)?.pop();
        self.total.middle = middle.map(|middle| (middle.low, middle.high));
        if !self.worth_hidden {
            self.count_worth(txn)?;
        }
        if stages {
            for figures in txn.reports().stages(&self.scan)? {
                self.total.stages.entry(figures.stage).or_default().add(&figures.entered);
                self.row(figures.key).stages.insert(figures.stage, figures.entered);
            }
        }
        Ok(())
    }

    fn count_worth(&mut self, txn: &mut dyn Txn) -> Result<()> {
        for figures in txn.reports().worth(&self.scan)? {
            let currency = figures.currency;
            let row = self.row(figures.key).money(currency);
            (row.open, row.won, row.lost) = (figures.open, figures.won, figures.lost);
            let total = self.total.money(currency);
            add(&mut total.open, &figures.open);
            add(&mut total.won, &figures.won);
            add(&mut total.lost, &figures.lost);
        }
        Ok(())
    }

    /// What was spent; in the total alone, where groups do not know it.
    pub(super) fn spend(
        &mut self,
        txn: &mut dyn Txn,
        query: &ReportQuery,
        filter: &Resolved,
        total_only: bool,
    ) -> Result<()> {
        let days = (query.first_day, query.last_day);
        let by = self.scan.by.clone();
        let mut probe = probe();
        let mut scan = CostScan { from: days.0, until: days.1, limit: ROUND, ..CostScan::default() };
        loop {
            let found = txn.costs().scan(&scan)?;
            for cost in &found {
                probe.fields.source = cost.fields.source;
                probe.fields.campaign.clone_from(&cost.fields.campaign);
                if !filter.matches(&probe) {
                    continue;
                }
                let currency = cost.fields.currency;
                for (group, units) in spend::parts(cost, &by, days) {
                    self.total.spend(currency, units);
                    if !total_only {
                        let row = self.row(group);
                        row.spend(currency, units);
                        // A campaign that brought no lead is called as its costs call it.
                        if row.leads == 0 && row.campaign.is_none() && by.contains(&Dimension::Campaign) {
                            row.campaign.clone_from(&cost.fields.campaign);
                        }
                    }
                }
            }
            match found.last().filter(|_| found.len() >= ROUND) {
                Some(last) => scan.after = Some(last.place()),
                None => return Ok(()),
            }
        }
    }

    /// The rows in their order, and the total.
    pub(super) fn finish(self, txn: &mut dyn Txn) -> Result<(Vec<ReportRow>, ReportRow)> {
        let terms = names_of(txn, &self.scan.by)?;
        let stages = names_of_stages(txn)?;
        let by = &self.scan.by;
        let mut rows = Vec::with_capacity(self.rows.len());
        for sums in self.rows.into_values() {
            let named = by.iter().zip(&sums.group);
            let named = named.map(|(by, value)| name(*by, value, sums.campaign.as_deref(), &terms));
            let (places, group): (Vec<_>, Vec<_>) = named.unzip();
            rows.push((places, row(sums, group, (&stages, self.worth_hidden))?));
        }
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        let total = row(self.total, Vec::new(), (&stages, self.worth_hidden))?;
        Ok((rows.into_iter().map(|(_, row)| row).collect(), total))
    }
}

/// A lead that says nothing but what is written into it, for filters to look at.
fn probe() -> Lead {
    let (nil, at) = (Uuid::nil(), Timestamp::EPOCH);
    Lead {
        id: LeadId::from_uuid(nil),
        number: 0,
        revision: Revision::FIRST,
        fields: LeadFields::default(),
        pipeline: PipelineId::from_uuid(nil),
        stage: StageId::from_uuid(nil),
        stage_entered_at: at,
        created_at: at,
        updated_at: at,
        active_at: at,
        follow_up: None,
        rank: Rank::on_top(at, 0),
        closing: None,
        conversion: None,
        trashed: None,
    }
}

/// The place and name of each term.
type Terms = BTreeMap<Uuid, (usize, String)>;

fn names_of(txn: &mut dyn Txn, by: &[Dimension]) -> Result<Terms> {
    let mut terms = Terms::new();
    for (dimension, kind) in
        [(Dimension::Source, TermKind::Source), (Dimension::Category, TermKind::Category)]
    {
        if by.contains(&dimension) {
            let list = txn.terms().list(kind)?.into_iter().enumerate();
            terms.extend(list.map(|(place, record)| (record.term.id, (place, record.term.name))));
        }
    }
    Ok(terms)
}

fn names_of_stages(txn: &mut dyn Txn) -> Result<Vec<(StageId, String)>> {
    let pipelines = txn.pipelines().list()?;
    let stages = pipelines.into_iter().flat_map(|pipeline| pipeline.stages);
    Ok(stages.map(|stage| (stage.id, stage.name)).collect())
}

/// Where a group stands among others, and what it is called.
fn name(
    by: Dimension,
    value: &FieldValue,
    campaign: Option<&str>,
    terms: &Terms,
) -> ((bool, usize, String), GroupValue) {
    let term = value.as_id().and_then(|id| terms.get(&id));
    let named = match (by, value) {
        (_, FieldValue::Empty) => String::new(),
        (Dimension::Source | Dimension::Category, _) => {
            term.map(|(_, name)| name.clone()).unwrap_or_default()
        }
        (Dimension::Campaign, _) => campaign.unwrap_or_default().to_owned(),
        (Dimension::Period(unit), FieldValue::Date(day)) => unit.name(*day),
        (_, value) => value.as_text().unwrap_or_default().to_owned(),
    };
    let place = term.map_or(0, |(place, _)| *place);
    // By the day, not by what it is called: weeks of the turn of a year are called by the year that most of them is in.
    let order = match value {
        FieldValue::Date(day) => day.to_string(),
        _ => fold(&named),
    };
    ((!value.is_empty(), place, order), GroupValue { by, value: value.clone(), name: named })
}

fn row(
    sums: Sums,
    group: Vec<GroupValue>,
    (stages, worth_hidden): (&[(StageId, String)], bool),
) -> Result<ReportRow> {
    let (leads, converted) = (i128::from(sums.leads), i128::from(sums.converted));
    let time: Option<Result<_>> = sums.middle.filter(|_| converted > 0).map(|(low, high)| {
        let middle = i128::from(low).saturating_add(i128::from(high));
        Ok(TimeToConversion {
            mean: decimal(rounded(sums.waited, converted), 6)?,
            median: decimal(rounded(middle, 2), 6)?,
        })
    });
    let told = |sum: &Sum| sum.won.count > 0 || sum.cost.is_some();
    let one_currency = sums.money.values().filter(|sum| told(sum)).count() <= 1;
    // Who may not see what was won is not told that nothing was.
    let has_return = one_currency && !worth_hidden;
    let money: Result<Vec<_>> = sums.money.into_values().map(|sum| money(&sum, leads, has_return)).collect();
    let mut left = sums.stages;
    let known = stages.iter().filter_map(|(stage, name)| {
        left.remove(stage).map(|entered| StageRow { stage: *stage, name: name.clone(), entered })
    });
    let mut rows: Vec<_> = known.collect();
    rows.extend(left.into_iter().map(|(stage, entered)| StageRow { stage, name: String::new(), entered }));
    Ok(ReportRow {
        group,
        leads: sums.leads,
        converted: sums.converted,
        lost: sums.lost,
        disqualified: sums.disqualified,
        conversion_rate: (leads > 0)
            .then(|| decimal(rounded(converted.saturating_mul(10_000), leads), 4))
            .transpose()?,
        time_to_conversion: time.transpose()?,
        money: money?,
        stages: rows,
    })
}

fn money(sum: &Sum, leads: i128, has_return: bool) -> Result<Money> {
    let valued = |worth: &Worth| -> Result<Valued> {
        Ok(Valued { count: worth.count, value: decimal(worth.units, 4)? })
    };
    let step = 10_i128.pow(4_u32.saturating_sub(places(sum.currency)));
    let per_lead = sum
        .cost
        .filter(|_| leads > 0)
        .map(|cost| decimal(rounded(cost, leads.saturating_mul(step)).saturating_mul(step), 4));
    let roi = sum
        .cost
        .filter(|cost| *cost > 0 && has_return)
        .map(|cost| decimal(rounded(sum.won.units.saturating_sub(cost).saturating_mul(10_000), cost), 4));
    Ok(Money {
        currency: sum.currency,
        open: valued(&sum.open)?,
        won: valued(&sum.won)?,
        lost: valued(&sum.lost)?,
        cost: sum.cost.map(|cost| decimal(cost, 4)).transpose()?,
        cost_per_lead: per_lead.transpose()?,
        roi: roi.transpose()?,
    })
}

/// The decimal places of amounts in a currency; two where none is named, four at most.
pub(super) fn places(currency: Option<Currency>) -> u32 {
    currency.and_then(Currency::exponent).unwrap_or(2).min(4)
}

/// `value ÷ by`, rounded half away from zero; `by` is above zero.
pub(super) const fn rounded(value: i128, by: i128) -> i128 {
    let by = if by < 1 { 1 } else { by };
    let half = by / 2;
    let magnitude = value.unsigned_abs();
    let by_unsigned = by.unsigned_abs();
    let (whole, rest) = (magnitude / by_unsigned, magnitude % by_unsigned);
    let up = rest > half.unsigned_abs() || (by_unsigned % 2 == 0 && rest == half.unsigned_abs());
    let result = whole.cast_signed().saturating_add(if up { 1 } else { 0 });
    if value < 0 { result.saturating_neg() } else { result }
}

fn decimal(value: i128, places: u32) -> Result<Decimal> {
    let made = Decimal::try_from_i128_with_scale(value, places);
    made.map(|number| number.normalize())
        .map_err(|_| Error::new(ErrorKind::Unsupported, "the amounts add up to more than can be told"))
}

/// Seconds in days, to 2 places.
pub(super) fn days(seconds: Decimal) -> Decimal {
    let days = seconds / Decimal::from(86_400);
    days.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (value, by, wanted) in
            [(5, 2, 3), (-5, 2, -3), (4, 3, 1), (5, 3, 2), (-1, 3, 0), (0, 7, 0), (7, 7, 1), (3, 6, 1)]
        {
            assert_eq!(rounded(value, by), wanted, "{value} / {by}");
        }
        assert_eq!(days(Decimal::from(108_000)), Decimal::new(125, 2));
    }
}
