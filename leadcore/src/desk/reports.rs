//! From source to customer: what became of leads, by where they came from and when (S0.36, S1.24).
//!
//! # How it is counted
//!
//! A report counts live leads: those in the trash are out, and in again once they are restored. Each lead is in exactly one
//! group, that of what it says now, and so is everything that was made of it: an opportunity counts for the one lead that
//! [it was made of](crate::domain::Opportunity::origin_lead), whoever else joined it later; one that was made of an account,
//! without a lead, for the first lead that joined it, and where none did for the first lead that became the account: that lead
//! brought the customer. One of an account that no lead became is in no report. A conversion that was taken back has never been,
//! also where its opportunity stays, lost, because of its number; so has a move.
//!
//! Amounts stay in their currency: nothing is added across currencies. A [return](Money::roi) is told where all that was won
//! and all that was spent in a group is in one currency.
//!
//! What was made of an account before any lead had become it counts for none: no lead brought that customer.
//!
//! # How it is rounded
//!
//! Sums are exact. A cost for several days is spread evenly over them: what falls to the first days of it is rounded to the
//! places of the currency, so that the parts add up to the whole. Rates and returns are rounded to 4 places, a cost per lead to
//! the places of its currency, all half away from zero.

mod build;
mod spend;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{Field, FieldValue};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::StageId;
use crate::policy::Permission;
use crate::query::{Clocks, Dated, Dimension, Filter, ReportScan, Resolved};
use crate::store::{Entered, Txn};
use crate::time::Date;
use crate::value::Currency;

use super::access::{Gate, shows_hidden};
use super::leads::readable;

/// The most things that a report is grouped by at once.
const MOST_GROUPS: usize = 2;

/// What a report is about.
///
/// ```
/// use leadcore::desk::reports::ReportQuery;
/// use leadcore::query::{Dimension, PeriodUnit};
/// let query = ReportQuery::by([Dimension::Source, Dimension::Period(PeriodUnit::Month)]);
/// assert!(query.filter.fields().is_empty());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReportQuery {
    /// Which leads.
    pub filter: Filter,
    /// What they are grouped by: two things at most.
    pub by: Vec<Dimension>,
    /// What dates them, for periods and the days below.
    pub dated: Dated,
    /// Not of an earlier day.
    pub first_day: Option<Date>,
    /// Not of a later day.
    pub last_day: Option<Date>,
    /// The time zone in which days begin, by its IANA name; where none is named, the offset of the
    /// [context](Context::utc_offset), all year round.
    pub zone: Option<String>,
    /// Whether to say what became of leads in each stage.
    pub stages: bool,
}

impl ReportQuery {
    /// All leads, grouped by these.
    #[must_use]
    pub fn by(by: impl IntoIterator<Item = Dimension>) -> Self {
        Self {
            filter: Filter::everything(),
            by: by.into_iter().collect(),
            dated: Dated::default(),
            first_day: None,
            last_day: None,
            zone: None,
            stages: false,
        }
    }

    /// Only leads that match.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// Dated by this.
    #[must_use]
    pub const fn dated(mut self, dated: Dated) -> Self {
        self.dated = dated;
        self
    }

    /// Only of these days, both included.
    #[must_use]
    pub const fn days(mut self, first: Date, last: Date) -> Self {
        self.first_day = Some(first);
        self.last_day = Some(last);
        self
    }

    /// With days that begin at midnight of this zone, by its IANA name.
    #[must_use]
    pub fn zone(mut self, zone: &str) -> Self {
        self.zone = Some(zone.to_owned());
        self
    }

    /// With what became of leads in each stage.
    #[must_use]
    pub const fn with_stages(mut self) -> Self {
        self.stages = true;
        self
    }
}

/// The value that a group has in one of the things that leads are grouped by.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GroupValue {
    /// What it is grouped by.
    pub by: Dimension,
    /// An id, a user, the folded name of a campaign, or the first day of a period; empty for leads without.
    pub value: FieldValue,
    /// What people call it; empty for leads without.
    pub name: String,
}

/// How many opportunities, and what they are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Valued {
    /// How many.
    pub count: u64,
    /// What those add up to that say what they are worth.
    pub value: Decimal,
}

/// What was brought and what was spent, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Money {
    /// The currency; none for opportunities that name none.
    pub currency: Option<Currency>,
    /// Opportunities still to be won.
    pub open: Valued,
    /// Those that were won.
    pub won: Valued,
    /// Those that were lost.
    pub lost: Valued,
    /// What was spent; none where no cost is known, which is not the same as nothing.
    pub cost: Option<Decimal>,
    /// That for each lead, rounded to the places of the currency; none without leads.
    pub cost_per_lead: Option<Decimal>,
    /// (won − cost) ÷ cost, to 4 places: `0.5` for half as much again as was spent. None where no cost is known or it is not
    /// above zero, where the group won or spent something in another currency too, and where what was won is hidden
    /// ([`worth_hidden`](Report::worth_hidden)).
    pub roi: Option<Decimal>,
}

/// How long converted leads took, in seconds from their creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TimeToConversion {
    /// On average, to the microsecond.
    pub mean: Decimal,
    /// In the middle: half of them were faster. Of an even number, halfway between the two in the middle.
    pub median: Decimal,
}

impl TimeToConversion {
    /// The average in days of 24 hours, to 2 places.
    #[must_use]
    pub fn mean_days(&self) -> Decimal {
        build::days(self.mean)
    }

    /// The middle in days of 24 hours, to 2 places.
    #[must_use]
    pub fn median_days(&self) -> Decimal {
        build::days(self.median)
    }
}

/// What became of leads that entered a stage: the drop-off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StageRow {
    /// The stage.
    pub stage: StageId,
    /// What it is called; empty for one that was removed since.
    pub name: String,
    /// How many leads entered it, and where they went.
    #[serde(flatten)]
    pub entered: Entered,
}

/// The figures of one group of leads.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReportRow {
    /// The group: a value for each of what the report is grouped by.
    pub group: Vec<GroupValue>,
    /// Leads.
    pub leads: u64,
    /// Of them, those that were converted.
    pub converted: u64,
    /// Those that are in a lost stage.
    pub lost: u64,
    /// Those that were found to be none.
    pub disqualified: u64,
    /// Converted ÷ leads, to 4 places; none without leads.
    pub conversion_rate: Option<Decimal>,
    /// How long conversion took; none where nothing was converted.
    pub time_to_conversion: Option<TimeToConversion>,
    /// What was brought and spent, by currency, none first; empty where there is neither.
    pub money: Vec<Money>,
    /// What became of leads in each stage, in the order of the pipelines; empty where it was not asked for.
    pub stages: Vec<StageRow>,
}

impl ReportRow {
    /// What was brought and spent in this currency.
    #[must_use]
    pub fn money_in(&self, currency: Currency) -> Option<&Money> {
        self.money.iter().find(|money| money.currency == Some(currency))
    }
}

/// Why a report says nothing of costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CostsLeftOut {
    /// The actor does not see all leads.
    Scope,
    /// The filter looks at something that costs do not know: at more than source and campaign. For days, say
    /// [`first_day`](ReportQuery::first_day) and [`last_day`](ReportQuery::last_day) instead.
    Filter,
    /// Leads are grouped by something that costs do not know: the total has them.
    Groups,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Each group: in the order of its list, by date or by name, those without a value first.
    pub rows: Vec<ReportRow>,
    /// All leads of the report as one group.
    pub total: ReportRow,
    /// Why there are no costs, where they are left out.
    pub costs_left_out: Option<CostsLeftOut>,
    /// Whether the actor may not see what opportunities are worth: then they are left out.
    pub worth_hidden: bool,
}

/// What became of the leads that the actor may see: leads, converted, lost, what was won in each currency, what it cost and
/// brought back, how long it took, and the drop-off per stage.
///
/// ```
/// use leadcore::desk::reports::{self, ReportQuery};
/// use leadcore::prelude::*;
/// use leadcore::query::Dimension;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let report = store.write(ctx.tenant(), |txn| {
///     let fields = LeadFields { campaign: Some("Spring fair".into()), ..LeadFields::company("Nordlys AS")? };
///     let lead = desk::leads::create(&ctx, txn, fields.into())?;
///     desk::convert::convert(&ctx, txn, lead.id, &Default::default())?;
///     reports::report(&ctx, txn, &ReportQuery::by([Dimension::Campaign]))
/// })?;
/// assert_eq!(report.rows[0].group[0].name, "Spring fair");
/// assert_eq!((report.total.leads, report.total.converted), (1, 1));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Invalid` for a filter that does not fit, for grouping by more than two things, twice by one, by a field that the actor may
/// not see, or by a fiscal year that begins with no month, for days in the wrong order and a zone that there is not; `Denied`.
pub fn report(ctx: &Context<'_>, txn: &mut dyn Txn, query: &ReportQuery) -> Result<Report> {
    check(query)?;
    let mut shown: Vec<Field> = query.by.iter().map(|dimension| dimension.field(query.dated)).collect();
    if query.first_day.is_some() || query.last_day.is_some() {
        shown.push(query.dated.field());
    }
    let filter = readable(ctx, txn, &query.filter, &shown)?;
    let clocks = clocks(ctx, query.zone.as_deref())?;
    let own = super::custom::resolve(ctx, txn, &query.filter)?;
    let unlimited = Gate::open(ctx, txn, Permission::View)?.is_unlimited();
    let left_out = if !unlimited {
        Some(CostsLeftOut::Scope)
    } else if !spend::knows(&own) {
        Some(CostsLeftOut::Filter)
    } else if query.by.iter().any(|by| matches!(by, Dimension::Category | Dimension::Owner)) {
        Some(CostsLeftOut::Groups)
    } else {
        None
    };
    let scan = ReportScan {
        filter: filter.and(days(query, &clocks)),
        by: query.by.clone(),
        dated: query.dated,
        clocks,
    };
    let worth_hidden = [Field::Amount, Field::Currency].iter().any(|field| shows_hidden(ctx, field));
    let mut build = build::Build::new(scan, worth_hidden);
    build.count(txn, query.stages)?;
    if matches!(left_out, None | Some(CostsLeftOut::Groups)) {
        build.spend(txn, query, &own, left_out.is_some())?;
    }
    let (rows, total) = build.finish(txn)?;
    Ok(Report { rows, total, costs_left_out: left_out, worth_hidden })
}

fn check(query: &ReportQuery) -> Result<()> {
    let mut broken = Vec::new();
    let twice = query.by.iter().enumerate().any(|(n, by)| query.by.iter().take(n).any(|other| other == by));
    if twice || query.by.len() > MOST_GROUPS {
        let message = "a report is grouped by two different things at most";
        broken.push(Violation::new("by", ViolationCode::NotAllowed, message));
    }
    if query.by.iter().any(|by| matches!(by, Dimension::Period(unit) if !unit.is_fit())) {
        let message = "a fiscal year begins with a month from 1 to 12";
        broken.push(Violation::new("by", ViolationCode::OutOfRange, message));
    }
    if query.first_day.zip(query.last_day).is_some_and(|(first, last)| first > last) {
        let message = "the last day lies before the first one";
        broken.push(Violation::new("last_day", ViolationCode::OutOfRange, message));
    }
    if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
}

fn clocks(ctx: &Context<'_>, zone: Option<&str>) -> Result<Clocks> {
    match zone {
        None => Ok(Clocks::fixed(ctx.utc_offset())),
        Some("UTC" | "Etc/UTC") => Ok(Clocks::fixed(chrono::Offset::fix(&chrono::Utc))),
        #[cfg(feature = "calendar")]
        Some(zone) => Clocks::named(zone, ctx.now()),
        #[cfg(not(feature = "calendar"))]
        Some(_) => Err(crate::domain::zone::needs_feature()),
    }
}

/// The leads of the days that were asked for.
fn days(query: &ReportQuery, clocks: &Clocks) -> Resolved {
    let (first, last) = (query.first_day, query.last_day);
    if first.is_none() && last.is_none() {
        return Resolved::everything();
    }
    let begin = |day: Date| FieldValue::Time(clocks.begins(day));
    Resolved::Range {
        field: query.dated.field(),
        from: first.map(|day| (begin(day), true)),
        // The last day that there is has no next one.
        to: last.filter(|day| *day < Date::MAX).map(|day| (begin(day.saturating_add_days(1)), false)),
    }
}
