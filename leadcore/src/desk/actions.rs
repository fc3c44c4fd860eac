//! What can be done with each row of a list, by this actor, now (S3.04).

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::Lead;
use crate::error::{Error, ErrorKind, Result, ViolationCode};
use crate::id::LeadId;
use crate::policy::Permission;
use crate::query::MAX_PAGE;
use crate::store::Txn;

use super::access::Gate;
use super::functions::Openings;
use super::moving::check_convertible;

/// Something that a row of a list of leads offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeadAction {
    /// Open it.
    View,
    /// Change its fields and persons, and move it.
    Edit,
    /// Put it into the trash.
    Delete,
    /// Take it out of the trash.
    Restore,
    /// Make it a customer.
    Convert,
}

impl LeadAction {
    /// Every action.
    pub const ALL: [Self; 5] = [Self::View, Self::Edit, Self::Delete, Self::Restore, Self::Convert];

    /// Stable name: `view`, `edit` …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::Convert => "convert",
        }
    }

    /// The permission behind it.
    const fn permission(self) -> Permission {
        match self {
            Self::View => Permission::View,
            Self::Edit => Permission::Edit,
            Self::Delete | Self::Restore => Permission::Delete,
            Self::Convert => Permission::Convert,
        }
    }

    /// The function of the tenant's settings that can close it; none for looking.
    const fn function(self) -> Option<&'static str> {
        match self {
            Self::View => None,
            other => Some(other.code()),
        }
    }

    /// Whether the state of the lead leaves it open: a converted lead is frozen (S3.07), one in the trash can only be
    /// taken out again, and one that was lost or disqualified is reopened before it is converted.
    fn fits(self, lead: &Lead) -> bool {
        match self {
            Self::View => true,
            Self::Restore => lead.trashed.is_some(),
            Self::Convert => check_convertible(lead).is_empty(),
            Self::Edit | Self::Delete => lead.trashed.is_none() && lead.conversion.is_none(),
        }
    }
}

/// What the actor can do with one lead now, in the order of [`LeadAction::ALL`]: what the policy grants, the state of the
/// lead leaves open, and the tenant's [functions](super::functions) do not close. The buttons of a row; the calls themselves check again.
///
/// ```
/// use leadcore::desk::leads::{self, LeadAction};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let actions = store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     leads::actions(&ctx, txn, lead.id)
/// })?;
/// assert_eq!(actions, [LeadAction::View, LeadAction::Edit, LeadAction::Delete, LeadAction::Convert]);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound` when the lead does not exist or may not be seen; `Denied` for an actor who may see none.
pub fn actions(ctx: &Context<'_>, txn: &mut dyn Txn, id: LeadId) -> Result<Vec<LeadAction>> {
    let (_, actions) = actions_of(ctx, txn, &[id])?.pop().ok_or_else(|| Error::not_found("lead"))?;
    Ok(actions)
}

/// [`actions`] for a page of leads, at most 1,000: one question to the store, however many they are. In the order asked;
/// leads that do not exist or may not be seen are left out.
///
/// # Errors
/// `Invalid` for more than 1,000 ids; `Denied` for an actor who may see no lead.
pub fn actions_of(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    ids: &[LeadId],
) -> Result<Vec<(LeadId, Vec<LeadAction>)>> {
    ctx.check_tenant(txn)?;
    if ids.len() > MAX_PAGE {
        return Err(Error::invalid_field(
            "ids",
            ViolationCode::OutOfRange,
            "a page has at most 1,000 records",
        ));
    }
    let view = Gate::open(ctx, txn, Permission::View)?;
    let grants = Grants::open(ctx, txn)?;
    let seen = txn.leads().get(ids)?.into_iter().filter(|lead| view.admits(lead));
    Ok(seen.map(|lead| (lead.id, grants.offered(&lead))).collect())
}

/// What the policy grants the actor, asked once for any number of leads.
pub(super) struct Grants {
    open: Vec<(LeadAction, Gate)>,
    openings: Openings,
}

impl Grants {
    pub(super) fn open(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Self> {
        let mut open = Vec::new();
        for action in LeadAction::ALL {
            match Gate::open(ctx, txn, action.permission()) {
                Ok(gate) => open.push((action, gate)),
                Err(error) if error.kind() == ErrorKind::Denied => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { open, openings: Openings::load(ctx, txn)? })
    }

    /// What the actor can do with a lead that it sees.
    pub(super) fn offered(&self, lead: &Lead) -> Vec<LeadAction> {
        let is_open =
            |action: LeadAction| action.function().is_none_or(|name| self.openings.is_open(name, lead));
        let open = self.open.iter().filter(|(action, gate)| action.fits(lead) && gate.admits(lead));
        open.map(|(action, _)| *action).filter(|action| is_open(*action)).collect()
    }
}
