//! Who asks, for which tenant, with which clock, ids and policy: handed to every use case by reference.

use chrono::{FixedOffset, Offset, Utc};
use uuid::Uuid;

use crate::domain::Actor;
use crate::error::{Error, Result, ViolationCode};
use crate::id::{IdSource, TenantId, UserId};
use crate::policy::Policy;
use crate::query::{Asker, SearchParts};
use crate::store::Txn;
use crate::time::{Clock, Timestamp};
use crate::value::TaxIdRule;

/// What a use case needs to know besides its arguments. Same inputs, same ids, same clock: same result.
///
/// ```
/// use leadcore::prelude::*;
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::User("ada".parse()?), &clock, &ids, &AllowAll);
/// assert_eq!(ctx.tenant().as_str(), "acme");
/// # Ok::<(), leadcore::error::ValueError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Context<'a> {
    tenant: TenantId,
    actor: Actor,
    clock: &'a dyn Clock,
    ids: &'a dyn IdSource,
    policy: &'a dyn Policy,
    offset: FixedOffset,
    team: Option<Vec<UserId>>,
    tax_rule: Option<&'a dyn TaxIdRule>,
}

impl<'a> Context<'a> {
    /// A context for one actor of one tenant.
    #[must_use]
    pub fn new(
        tenant: &TenantId,
        actor: Actor,
        clock: &'a dyn Clock,
        ids: &'a dyn IdSource,
        policy: &'a dyn Policy,
    ) -> Self {
        Self {
            tenant: tenant.clone(),
            actor,
            clock,
            ids,
            policy,
            offset: Utc.fix(),
            team: None,
            tax_rule: None,
        }
    }

    /// With the offset from UTC at which the actor lives: it decides where days begin. Without, they begin at midnight UTC.
    ///
    /// The host looks the offset up for the time of the call: a zone with summer time has two.
    #[must_use]
    pub const fn with_utc_offset(mut self, offset: FixedOffset) -> Self {
        self.offset = offset;
        self
    }

    /// With the team of the actor, for `my_team` in filters. The actor itself need not be named.
    #[must_use]
    pub fn with_team(mut self, users: impl IntoIterator<Item = UserId>) -> Self {
        self.team = Some(users.into_iter().collect());
        self
    }

    /// With the host's check of tax numbers (S0.02). It is asked about new, edited and imported leads and
    /// about edited accounts, whenever the tax number or the country changes; what it refuses is a violation of `tax_id`.
    #[must_use]
    pub const fn with_tax_rule(mut self, rule: &'a dyn TaxIdRule) -> Self {
        self.tax_rule = Some(rule);
        self
    }

    /// The host's check of tax numbers, when it has one.
    #[must_use]
    pub const fn tax_rule(&self) -> Option<&'a dyn TaxIdRule> {
        self.tax_rule
    }

    /// The offset from UTC at which the actor lives.
    #[must_use]
    pub const fn utc_offset(&self) -> FixedOffset {
        self.offset
    }

    /// The tenant.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Who asks.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The policy that says what the actor may do.
    #[must_use]
    pub const fn policy(&self) -> &'a dyn Policy {
        self.policy
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new UUID.
    #[must_use]
    pub fn new_uuid(&self) -> Uuid {
        self.ids.next_uuid(self.now())
    }

    /// Who asks and when, for filters.
    #[must_use]
    pub fn asker(&self) -> Asker<'_> {
        Asker {
            user: self.actor.user(),
            now: self.now(),
            team: self.team.as_deref(),
            offset: self.offset,
            pipelines: &[],
            catalogue: None,
            numbering: None,
            searched: SearchParts::ALL,
        }
    }

    /// Refuses a transaction of another tenant.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) when the tenants differ.
    pub fn check_tenant(&self, txn: &dyn Txn) -> Result<()> {
        if *txn.tenant() == self.tenant {
            return Ok(());
        }
        let message = "the transaction was opened for another tenant than the context names";
        Err(Error::invalid_field("tenant", ViolationCode::NotAllowed, message))
    }
}
