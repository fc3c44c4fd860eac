//! What every lead of a call is judged by, loaded once.

use crate::context::Context;
use crate::domain::{Catalogue, Lead};
use crate::error::{Conflict, Error, ErrorKind, Result};
use crate::id::LeadId;
use crate::policy::Permission;
use crate::store::Txn;

use super::super::access::{Expect, Gate};
use super::super::functions::Openings;
use super::super::settings;

#[derive(Debug)]
pub(super) struct Rules {
    view: Gate,
    /// None when the actor may convert no lead at all.
    convert: Option<Gate>,
    openings: Openings,
    pub(super) catalogue: Catalogue,
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
            view: Gate::open(ctx, txn, Permission::View)?,
            convert,
            openings: Openings::load(ctx, txn)?,
            catalogue: settings::load_catalogue(txn)?.1,
        })
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

    /// Refuses a lead that is in the trash, converted, of another revision, or for which this function is closed.
    pub(super) fn check_open(&self, lead: &Lead, expect: Expect, function: &str) -> Result<()> {
        if lead.trashed.is_some() {
            return Err(Error::not_found("lead"));
        }
        if lead.conversion.is_some() {
            return Err(Error::conflicting("lead", Conflict::Converted));
        }
        expect.check("lead", lead.revision)?;
        self.check_function(lead, function)
    }

    pub(super) fn check_function(&self, lead: &Lead, function: &str) -> Result<()> {
        self.openings.check(function, lead)
    }

    /// Which leads of a list the actor may see.
    pub(super) fn sees(&self, lead: &Lead) -> bool {
        self.view.admits(lead)
    }
}
