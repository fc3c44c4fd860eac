//! Deleting an account: a customer that was created by mistake.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{
    Account, Action, Link, LinkRole, NewEntry, OperationKind, Subject, SubjectKind, Trashed,
};
use crate::error::{Conflict, Error, Result};
use crate::id::{AccountId, LeadId};
use crate::policy::Permission;
use crate::store::{ChildQuery, Txn};

use super::super::access::{Expect, Gate, require};
use super::super::operation::new_operation;
use super::{behind, live, load, visible};

/// How many of what hangs on an account are counted.
const MOST_CHILDREN: usize = 1_000;

/// What stands against deleting an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "blocker", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountBlocker {
    /// Leads became it: [take their conversion back](crate::desk::convert::unconvert).
    Leads {
        /// Those that the actor may see.
        leads: Vec<LeadId>,
        /// How many there are besides.
        unseen: u64,
    },
    /// It has persons.
    Persons {
        /// How many.
        count: u64,
    },
    /// Notes, files, opportunities, services and the like hang on it.
    HasChildren {
        /// How many, by tab; of them all, the first thousand are counted.
        tabs: Vec<(String, u64)>,
    },
}

impl AccountBlocker {
    /// How many records it is about.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Leads { leads, unseen } => {
                u64::try_from(leads.len()).unwrap_or(u64::MAX).saturating_add(*unseen)
            }
            Self::Persons { count } => *count,
            Self::HasChildren { tabs } => tabs.iter().map(|(_, count)| count).sum(),
        }
    }
}

/// Everything that stands against deleting this account; nothing for one that can go. Reads only.
///
/// # Errors
/// `NotFound`, also for one that is archived; `Denied`.
pub fn delete_blockers(ctx: &Context<'_>, txn: &mut dyn Txn, id: AccountId) -> Result<Vec<AccountBlocker>> {
    let account = deletable(ctx, txn, id)?;
    blockers(ctx, txn, &account)
}

/// Deletes an account that nothing hangs on and that no lead became: it is archived, because its number stays taken, and is in no
/// list and no match any more. An undo of the operation brings it back.
///
/// ```
/// use leadcore::desk::accounts::{self, AccountBlocker};
/// use leadcore::desk::contacts;
/// use leadcore::domain::{AccountFields, ContactFields};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// store.write(ctx.tenant(), |txn| {
///     let mistake = AccountFields { name: "Nordlys AS".into(), ..AccountFields::default() };
///     let account = accounts::create(&ctx, txn, mistake.into())?;
///     let anna = contacts::add(&ctx, txn, account.id, ContactFields::named("Anna Berg")?, true)?;
///     let blockers = accounts::delete_blockers(&ctx, txn, account.id)?;
///     assert_eq!(blockers, [AccountBlocker::Persons { count: 1 }]);
///     contacts::remove(&ctx, txn, account.id, anna.id)?;
///     accounts::delete(&ctx, txn, account.id, account.revision)?;
///     assert!(accounts::list(&ctx, txn, None, 10)?.items.is_empty());
///     Ok(())
/// })?;
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, also for one that is archived; `Denied`; `Conflict` when the revision is another than expected, and with
/// [`InUse`](Conflict::InUse) while [something stands against it](delete_blockers). Nothing is written then.
pub fn delete(ctx: &Context<'_>, txn: &mut dyn Txn, id: AccountId, expect: impl Into<Expect>) -> Result<()> {
    let before = deletable(ctx, txn, id)?;
    expect.into().check("account", before.revision)?;
    let by = blockers(ctx, txn, &before)?.iter().map(AccountBlocker::count).fold(0, u64::saturating_add);
    if by > 0 {
        return Err(Error::conflicting("account", Conflict::InUse { by }));
    }
    let operation = new_operation(ctx, OperationKind::Delete, None);
    txn.journal().begin(&operation)?;
    let now = ctx.now();
    let archived = Some(Trashed { at: now, operation: operation.id });
    let after = Account { archived, revision: before.revision.next(), updated_at: now, ..before };
    txn.accounts().update(std::slice::from_ref(&after))?;
    txn.journal().append(operation.id, &[NewEntry::new(after.id, Action::Deleted, now)])
}

/// The account, if the actor may delete it.
fn deletable(ctx: &Context<'_>, txn: &mut dyn Txn, id: AccountId) -> Result<Account> {
    let account = live(load(ctx, txn, id)?)?;
    require(ctx, txn, Permission::Delete)?;
    let gate = Gate::open(ctx, txn, Permission::Delete)?;
    let mut allowed = visible(txn, &gate, vec![account])?;
    allowed.pop().ok_or_else(|| Error::denied(Permission::Delete.code()))
}

fn blockers(ctx: &Context<'_>, txn: &mut dyn Txn, account: &Account) -> Result<Vec<AccountBlocker>> {
    let hanging = Hanging::on(txn, account.id, MOST_CHILDREN)?;
    let mut found = Vec::new();
    if !hanging.origins.is_empty() {
        let gate = Gate::open(ctx, txn, Permission::View)?;
        let leads = txn.leads().get(&hanging.origins)?;
        let leads: Vec<_> = leads.iter().filter(|lead| gate.admits(lead)).map(|lead| lead.id).collect();
        let unseen = u64::try_from(hanging.origins.len().saturating_sub(leads.len())).unwrap_or(u64::MAX);
        found.push(AccountBlocker::Leads { leads, unseen });
    }
    if hanging.persons > 0 {
        found.push(AccountBlocker::Persons { count: hanging.persons });
    }
    let mut tabs: BTreeMap<String, u64> = BTreeMap::new();
    for placement in txn.children().placements(&hanging.children)? {
        let count = tabs.entry(placement.tab.code().to_owned()).or_default();
        *count = count.saturating_add(1);
    }
    if !tabs.is_empty() {
        found.push(AccountBlocker::HasChildren { tabs: tabs.into_iter().collect() });
    }
    Ok(found)
}

/// What hangs on an account, without which it may go.
pub(in crate::desk) struct Hanging {
    /// The leads that became it.
    origins: Vec<LeadId>,
    /// How many persons it has.
    persons: u64,
    /// Notes, files, opportunities, services and the like.
    children: Vec<Subject>,
}

impl Hanging {
    /// Looks at so many children at the most.
    pub(in crate::desk) fn on(txn: &mut dyn Txn, account: AccountId, most: usize) -> Result<Self> {
        let record = Subject::from(account);
        let is_person = |link: &&Link| {
            link.to.kind == SubjectKind::Contact
                && matches!(link.role, LinkRole::Contact | LinkRole::PrimaryContact)
        };
        let persons = txn.links().from(&[record], None)?.iter().filter(is_person).count();
        let query = ChildQuery {
            about: vec![record],
            tabs: Vec::new(),
            open: None,
            descending: false,
            after: None,
            limit: most,
        };
        Ok(Self {
            origins: behind(txn, account)?,
            persons: u64::try_from(persons).unwrap_or(u64::MAX),
            children: txn.children().list(&query)?.iter().map(|placed| placed.child).collect(),
        })
    }

    pub(in crate::desk) const fn is_nothing(&self) -> bool {
        self.origins.is_empty() && self.persons == 0 && self.children.is_empty()
    }
}
