//! Number series in memory.

use std::cmp::Reverse;

use crate::domain::{Counter, GivenNumber, NumberSeries, Serial, Series, Subject};
use crate::error::{Error, Result};
use crate::id::{NumberSeriesId, Revision};
use crate::store::{GivenQuery, Numbers, WhichNumbers, check_skip};
use crate::time::Timestamp;
use crate::value::fold;

use super::{MemoryTxn, State, check_revision, exists, previous};

/// Whether two records of one kind cannot both have these numbers.
pub(super) fn clash(one: &(u64, Option<Serial>), other: &(u64, Option<Serial>)) -> bool {
    let place = |(number, serial): &(u64, Option<Serial>)| {
        let series = serial.as_ref().map(|serial| serial.series).filter(|id| !is_standard(*id));
        (series, serial.as_ref().and_then(|serial| serial.year), *number)
    };
    let text = |(_, serial): &(u64, Option<Serial>)| serial.as_ref().map(|serial| serial.text.clone());
    place(one) == place(other) || (text(one).is_some() && text(one) == text(other))
}

fn is_standard(id: NumberSeriesId) -> bool {
    Series::ALL.iter().any(|kind| kind.standard() == id)
}

impl State {
    fn number_series(&self, counter: Counter) -> Result<NumberSeries> {
        match self.series.get(&counter.series) {
            Some(series) if series.kind == counter.kind => Ok(series.clone()),
            None if counter.series == counter.kind.standard() => Ok(NumberSeries::standard(counter.kind)),
            _ => Err(Error::not_found("number series")),
        }
    }

    fn counted(&self, counter: Counter) -> u64 {
        self.counters.get(&counter).copied().unwrap_or(1)
    }

    /// Every number that a record of this kind has. Leads keep no series.
    fn numbers_of(&self, kind: Series) -> Vec<GivenNumber> {
        let given = |number: u64, serial: Option<&Serial>, subject: Subject, at: Timestamp| GivenNumber {
            series: serial.map_or(kind.standard(), |serial| serial.series),
            year: serial.and_then(|serial| serial.year),
            number,
            text: serial.map(|serial| serial.text.clone()),
            subject,
            at,
        };
        match kind {
            Series::Lead => {
                let leads = self.leads.values();
                leads.map(|lead| given(lead.number, None, lead.id.into(), lead.created_at)).collect()
            }
            Series::Account => {
                let all = self.accounts.values();
                all.map(|one| given(one.number, one.serial.as_ref(), one.id.into(), one.created_at)).collect()
            }
            Series::Estimate => {
                let all = self.estimates.values();
                all.map(|one| given(one.number, one.serial.as_ref(), one.id.into(), one.created_at)).collect()
            }
            Series::Opportunity => {
                let all = self.opportunities.values();
                all.map(|one| given(one.number, one.serial.as_ref(), one.id.into(), one.created_at)).collect()
            }
        }
    }
}

impl Numbers for MemoryTxn {
    fn list(&mut self) -> Result<Vec<NumberSeries>> {
        let mut all: Vec<_> = self.state.series.values().cloned().collect();
        for kind in Series::ALL {
            if !self.state.series.contains_key(&kind.standard()) {
                all.push(NumberSeries::standard(kind));
            }
        }
        all.sort_by_key(|series| {
            (series.kind, Reverse(series.is_default), fold(&series.fields.name), series.id)
        });
        Ok(all)
    }

    fn save(&mut self, series: &NumberSeries, expected: Option<Revision>) -> Result<()> {
        let state = self.writable()?;
        let stored = state.series.get(&series.id);
        match (stored, expected) {
            (Some(_), None) => return Err(exists("number series", "id")),
            (Some(stored), Some(expected)) => check_revision("number series", stored.revision, expected)?,
            (None, Some(expected)) if !series.is_standard() || expected != Revision::new(0) => {
                return Err(Error::not_found("number series"));
            }
            (None, _) => {}
        }
        let key = fold(&series.fields.name);
        let mut others = state.series.values().filter(|other| other.id != series.id);
        if others.any(|other| other.kind == series.kind && fold(&other.fields.name) == key) {
            return Err(exists("number series", "name"));
        }
        debug_assert_eq!(previous(series.revision), expected.unwrap_or(Revision::new(0)));
        state.series.insert(series.id, series.clone());
        Ok(())
    }

    fn take(&mut self, counter: Counter, count: u64) -> Result<u64> {
        let state = self.writable()?;
        let first = state.number_series(counter)?.room_for(state.counted(counter), count)?;
        if count > 0 {
            state.counters.insert(counter, first.saturating_add(count));
        }
        Ok(first)
    }

    fn skip_to(&mut self, counter: Counter, next: u64) -> Result<()> {
        check_skip(Numbers::peek(self, counter)?, next)?;
        self.writable()?.counters.insert(counter, next);
        Ok(())
    }

    fn peek(&mut self, counter: Counter) -> Result<u64> {
        let series = self.state.number_series(counter)?;
        Ok(self.state.counted(counter).max(series.fields.first))
    }

    fn given(&mut self, query: &GivenQuery) -> Result<Vec<GivenNumber>> {
        let wanted = |given: &GivenNumber| match &query.which {
            WhichNumbers::Of { series, first, last } => {
                (query.kind == Series::Lead || given.series == *series)
                    && (*first..=*last).contains(&given.number)
            }
            WhichNumbers::Number(number) => given.number == *number,
            WhichNumbers::Like(series) => given.series != series.id && given.is_like(&series.fields),
        };
        let mut found = self.state.numbers_of(query.kind);
        found.retain(wanted);
        found.sort_by_key(|given| (Reverse((given.year, given.number)), given.subject.id));
        found.truncate(query.limit);
        Ok(found)
    }
}
