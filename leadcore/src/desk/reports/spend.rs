//! Costs, as far as a report can tell them apart: by source, campaign and day.

use crate::domain::{Cost, CostFields, Field, FieldValue, amount_units};
use crate::query::{Dimension, PeriodUnit, Resolved};
use crate::time::Date;

/// Whether a filter looks at nothing but what costs know.
pub(super) fn knows(filter: &Resolved) -> bool {
    match filter {
        Resolved::All(list) | Resolved::Any(list) => list.iter().all(knows),
        Resolved::Not(inner) => knows(inner),
        Resolved::Empty(field)
        | Resolved::Equals(field, _)
        | Resolved::Contains(field, _)
        | Resolved::Starts(field, _)
        | Resolved::Ends(field, _)
        | Resolved::Range { field, .. } => matches!(field, Field::Source | Field::Campaign),
        _ => false,
    }
}

/// What falls to the first so many days of a cost, in units of 1/10,000, rounded to the places of the currency. All of it
/// falls to all of its days.
fn share(cost: &CostFields, days: i64) -> i128 {
    let (units, all) = (amount_units(cost.amount).unwrap_or(0), i128::from(cost.days().max(1)));
    let days = i128::from(days);
    if days >= all {
        return units;
    }
    let step = 10_i128.pow(4_u32.saturating_sub(places(cost)));
    super::build::rounded(units.saturating_mul(days), all.saturating_mul(step)).saturating_mul(step)
}

fn places(cost: &CostFields) -> u32 {
    super::build::places(Some(cost.currency))
}

/// The parts of a cost that fall into the days from `first` to `last`, each with its group and units of 1/10,000.
pub(super) fn parts(
    cost: &Cost,
    by: &[Dimension],
    (first, last): (Option<Date>, Option<Date>),
) -> Vec<(Vec<FieldValue>, i128)> {
    let fields = &cost.fields;
    let (begin, end) = (fields.first_day, fields.last_day);
    let from = first.map_or(begin, |first| first.max(begin));
    let until = last.map_or(end, |last| last.min(end));
    let units = by.iter().filter_map(|by| if let Dimension::Period(unit) = by { Some(*unit) } else { None });
    let units: Vec<PeriodUnit> = units.collect();
    let behind = |day: Date| day.as_days().saturating_sub(begin.as_days());
    let mut parts = Vec::new();
    let mut day = from;
    while day <= until {
        // Of several periods the one that is over first parts it.
        let next = units.iter().filter_map(|unit| next(*unit, day)).min();
        let over = next.map_or(until, |next| until.min(next.saturating_add_days(-1)));
        let group = by.iter().map(|by| match by {
            Dimension::Source => fields.source.into(),
            Dimension::Campaign => fields.campaign_key().into(),
            Dimension::Period(unit) => FieldValue::Date(unit.begin(day)),
            _ => FieldValue::Empty,
        });
        let units = share(fields, behind(over).saturating_add(1)).saturating_sub(share(fields, behind(day)));
        parts.push((group.collect(), units));
        if over >= until {
            break;
        }
        day = over.saturating_add_days(1);
    }
    parts
}

/// The first day of the next period; none where there is none.
fn next(unit: PeriodUnit, day: Date) -> Option<Date> {
    // So many days behind the first day of a period lie in the next one, at its beginning.
    let ahead = match unit {
        PeriodUnit::Day => 1,
        PeriodUnit::Week => 7,
        PeriodUnit::Month => 31,
        PeriodUnit::Quarter | PeriodUnit::FiscalQuarter(_) => 92,
        PeriodUnit::Year | PeriodUnit::FiscalYear(_) => 366,
    };
    let begin = unit.begin(day);
    let next = unit.begin(begin.saturating_add_days(ahead));
    (next > day).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Actor;
    use crate::id::{CostId, Revision};
    use crate::time::Timestamp;

    fn cost(amount: &str, first: &str, last: &str) -> Cost {
        let fields = CostFields::new(amount.parse().unwrap(), "EUR".parse().unwrap(), first.parse().unwrap());
        Cost {
            id: CostId::from_uuid(uuid::Uuid::nil()),
            revision: Revision::FIRST,
            fields: fields.until(last.parse().unwrap()),
            created_by: Actor::System,
            created_at: Timestamp::EPOCH,
            updated_at: Timestamp::EPOCH,
        }
    }

    fn told(cost: &Cost, unit: PeriodUnit, days: (Option<Date>, Option<Date>)) -> Vec<(String, i128)> {
        let parts = parts(cost, &[Dimension::Period(unit)], days);
        let name = |key: &[FieldValue]| match key {
            [FieldValue::Date(day)] => day.to_string(),
            other => format!("{other:?}"),
        };
        parts.iter().map(|(key, units)| (name(key), *units)).collect()
    }

    #[test]
    fn of_two_periods_each_part_lies_in_one_of_both() {
        let autumn = cost("100.00", "2026-10-25", "2026-11-03");
        let by = [PeriodUnit::Month, PeriodUnit::Week].map(Dimension::Period);
        let name = |value: &FieldValue| match value {
            FieldValue::Date(day) => day.to_string(),
            other => format!("{other:?}"),
        };
        let told: Vec<_> = parts(&autumn, &by, (None, None))
            .into_iter()
            .map(|(key, units)| (key.iter().map(name).collect::<Vec<_>>().join(" "), units))
            .collect();
        let wanted = [
            ("2026-10-01 2026-10-19", 100_000),
            ("2026-10-01 2026-10-26", 600_000),
            ("2026-11-01 2026-10-26", 100_000),
            ("2026-11-01 2026-11-02", 200_000),
        ];
        assert_eq!(told, wanted.map(|(key, units)| (key.to_owned(), units)));
        let by = [PeriodUnit::Month, PeriodUnit::Year].map(Dimension::Period);
        let keys: Vec<_> =
            parts(&autumn, &by, (None, None)).into_iter().map(|(key, _)| name(&key[1])).collect();
        assert_eq!(keys, ["2026-01-01", "2026-01-01"], "the year of the lead's row");
    }

    #[test]
    fn the_parts_of_a_cost_are_cents_and_add_up() {
        let quarter = cost("100.00", "2026-01-15", "2026-04-14");
        let months = told(&quarter, PeriodUnit::Month, (None, None));
        // 17, 28, 31 and 14 of 90 days: 18.888…, 50, 84.444… and all of it by then.
        let wanted = [
            ("2026-01-01", 188_900),
            ("2026-02-01", 311_100),
            ("2026-03-01", 344_400),
            ("2026-04-01", 155_600),
        ];
        assert_eq!(months, wanted.map(|(day, units)| (day.to_owned(), units)));
        let fiscal = [PeriodUnit::FiscalQuarter(2), PeriodUnit::FiscalYear(3)];
        for unit in [PeriodUnit::Day, PeriodUnit::Week, PeriodUnit::Quarter, PeriodUnit::Year]
            .into_iter()
            .chain(fiscal)
        {
            let parts = told(&quarter, unit, (None, None));
            assert_eq!(parts.iter().map(|(_, units)| units).sum::<i128>(), 1_000_000, "{unit:?}");
            assert!(parts.iter().all(|(_, units)| units % 100 == 0), "{unit:?}");
        }
        // 45 of 90 days until the first of March, and the others.
        let years = told(&quarter, PeriodUnit::FiscalYear(3), (None, None));
        let wanted = [("2025-03-01", 500_000), ("2026-03-01", 500_000)];
        assert_eq!(years, wanted.map(|(day, units)| (day.to_owned(), units)));
        let one = (Some("2026-02-01".parse().unwrap()), Some("2026-02-28".parse().unwrap()));
        assert_eq!(told(&quarter, PeriodUnit::Year, one), [("2026-01-01".to_owned(), 311_100)]);
        assert!(told(&quarter, PeriodUnit::Year, (Some("2026-05-01".parse().unwrap()), None)).is_empty());
    }

    #[test]
    fn the_ends_of_time_are_days_as_others() {
        let last = cost("0.0007", "9999-12-30", "9999-12-31");
        for unit in [
            PeriodUnit::Day,
            PeriodUnit::Week,
            PeriodUnit::Month,
            PeriodUnit::Quarter,
            PeriodUnit::FiscalYear(7),
        ] {
            let parts = told(&last, unit, (None, None));
            assert_eq!(parts.iter().map(|(_, units)| units).sum::<i128>(), 7, "{unit:?}");
        }
    }
}
