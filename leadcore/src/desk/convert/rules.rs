//! What every lead of a call is judged by, loaded once.

use crate::context::Context;
use crate::domain::{Actor, Lead, NumberSeries, Series};
use crate::error::{Conflict, Error, ErrorKind, Result};
use crate::id::{LeadId, NumberSeriesId};
use crate::policy::Permission;
use crate::store::Txn;

use super::super::access::{Expect, Gate};
use super::super::conversion_mapping::Mapper;
use super::super::functions::Openings;
use super::super::series;

#[derive(Debug)]
pub(super) struct Rules {
    /// Who asks.
    pub(super) actor: Actor,
    view: Gate,
    /// None when the actor may convert no lead at all.
    convert: Option<Gate>,
    openings: Openings,
    /// Read when the first lead is converted, and not again for the next one.
    series: Option<Vec<NumberSeries>>,
    mapper: Option<Mapper>,
    /// Whether the lead at hand began to be written.
    begun: bool,
}

impl Rules {
    pub(super) fn load(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Self> {
        ctx.check_tenant(txn)?;
        let convert = match Gate::open(ctx, txn, Permission::Convert) {
            Ok(gate) => Some(gate),
            Err(error) if error.kind() == ErrorKind::Denied => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            actor: ctx.actor().clone(),
            view: Gate::open(ctx, txn, Permission::View)?,
            convert,
            openings: Openings::load(ctx, txn)?,
            series: None,
            mapper: None,
            begun: false,
        })
    }

    /// Says that the first write of a lead comes next, or (`false`) that the next lead does.
    pub(super) const fn begin(&mut self, begun: bool) {
        self.begun = begun;
    }

    /// Whether the lead at hand began to be written: what refuses it then has to be taken back.
    pub(super) const fn has_begun(&self) -> bool {
        self.begun
    }

    fn series(&mut self, txn: &mut dyn Txn) -> Result<&[NumberSeries]> {
        if self.series.is_none() {
            self.series = Some(txn.numbers().list()?);
        }
        Ok(self.series.as_deref().unwrap_or_default())
    }

    /// The series that a new record is numbered in.
    pub(super) fn choose(
        &mut self,
        txn: &mut dyn Txn,
        kind: Series,
        wanted: Option<NumberSeriesId>,
    ) -> Result<NumberSeries> {
        series::choose_of(self.series(txn)?, kind, wanted)
    }

    /// The tenant's mapping with the names that this lead needs.
    pub(super) fn mapper(&mut self, txn: &mut dyn Txn, lead: &Lead) -> Result<&Mapper> {
        let mut mapper = match self.mapper.take() {
            Some(mapper) => mapper,
            None => {
                let series = self.series(txn)?;
                Mapper::load(txn, series)?
            }
        };
        mapper.learn(txn, lead)?;
        Ok(self.mapper.insert(mapper))
    }

    /// The lead, if the actor may see it and may convert such leads.
    pub(super) fn lead(&self, txn: &mut dyn Txn, id: LeadId) -> Result<Lead> {
        let found = txn.leads().get(&[id])?.pop().filter(|lead| self.view.admits(lead));
        let lead = found.ok_or_else(|| Error::not_found("lead"))?;
        match &self.convert {
            Some(gate) => gate.check(&lead)?,
            None => return Err(Error::denied(Permission::Convert.code())),
        }
        Ok(lead)
    }

    /// Refuses a lead that is in the trash, converted, or of another revision.
    pub(super) fn check_open(lead: &Lead, expect: Expect) -> Result<()> {
        if lead.trashed.is_some() {
            return Err(Error::not_found("lead"));
        }
        if lead.conversion.is_some() {
            return Err(Error::conflicting("lead", Conflict::Converted));
        }
        expect.check("lead", lead.revision)
    }

    pub(super) fn is_open(&self, lead: &Lead, function: &str) -> bool {
        self.openings.is_open(function, lead)
    }

    pub(super) fn check_function(&self, lead: &Lead, function: &str) -> Result<()> {
        self.openings.check(function, lead)
    }

    /// Which leads of a list the actor may see.
    pub(super) fn sees(&self, lead: &Lead) -> bool {
        self.view.admits(lead)
    }
}
