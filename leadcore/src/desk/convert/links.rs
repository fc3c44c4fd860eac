//! Which links a conversion adds: one rule for the plan that shows them and for the work that writes them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{Link, LinkRole, Subject, SubjectKind};
use crate::error::Result;
use crate::id::{AccountId, ContactId, LeadId};
use crate::store::Txn;

use super::options::Document;
use super::plan::{ConversionPlan, PlannedAccount, PlannedOpportunity, PlannedPerson};

/// One end of a link that a plan adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedEnd {
    /// What it is.
    pub kind: SubjectKind,
    /// Which one; none for a record that is yet to be made.
    pub id: Option<Uuid>,
}

impl From<Subject> for PlannedEnd {
    fn from(subject: Subject) -> Self {
        Self { kind: subject.kind, id: Some(subject.id) }
    }
}

impl PlannedEnd {
    fn of(kind: SubjectKind, id: Option<Uuid>) -> Self {
        Self { kind, id }
    }

    fn subject(self) -> Option<Subject> {
        self.id.map(|id| Subject::new(self.kind, id))
    }
}

/// A link that a plan adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedLink {
    /// The record that will have something.
    pub from: PlannedEnd,
    /// What it will be to it.
    pub role: LinkRole,
    /// What it will have.
    pub to: PlannedEnd,
}

impl PlannedLink {
    /// The link, where both records are there.
    pub(super) fn made(self) -> Option<Link> {
        Some(Link::new(self.from.subject()?, self.role, self.to.subject()?))
    }
}

/// What the lead and the account of a plan were linked with when it was made, as far as the plan names it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct KnownLinks {
    /// Whether the lead has a primary contact.
    pub lead_has_primary: bool,
    /// Whether the account has one, which it keeps.
    pub account_has_primary: bool,
    /// The persons that the account has already, of those that the plan or its matches name.
    pub of_account: Vec<ContactId>,
    /// Persons of the lead of whom another conversion said already who they are, each with who that is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub same: Vec<(ContactId, ContactId)>,
}

impl KnownLinks {
    pub(super) fn read(
        txn: &mut dyn Txn,
        (lead_has_primary, account): (bool, Option<AccountId>),
        persons: &[ContactId],
        turned_out: &[ContactId],
    ) -> Result<Self> {
        let same = if turned_out.is_empty() { Vec::new() } else { said_same(txn, turned_out)? };
        let Some(account) = account else {
            return Ok(Self { lead_has_primary, same, ..Self::default() });
        };
        let account_has_primary =
            !txn.links().from(&[account.into()], Some(LinkRole::PrimaryContact))?.is_empty();
        let persons: Vec<Subject> = persons.iter().map(|id| (*id).into()).collect();
        let held = txn.links().to(&persons, None)?;
        let of_account = held.iter().filter(|link| link.from == account.into());
        let mut of_account: Vec<_> = of_account.map(|link| ContactId::from_uuid(link.to.id)).collect();
        of_account.sort();
        of_account.dedup();
        Ok(Self { lead_has_primary, account_has_primary, of_account, same })
    }

    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Who these persons turned out to be already.
fn said_same(txn: &mut dyn Txn, persons: &[ContactId]) -> Result<Vec<(ContactId, ContactId)>> {
    let persons: Vec<Subject> = persons.iter().map(|id| (*id).into()).collect();
    let links = txn.links().from(&persons, Some(LinkRole::ConvertedTo))?;
    let id = |subject: Subject| ContactId::from_uuid(subject.id);
    let mut same: Vec<_> = links
        .iter()
        .filter(|link| link.to.kind == SubjectKind::Contact)
        .map(|link| (id(link.from), id(link.to)))
        .collect();
    same.sort();
    Ok(same)
}

/// A person who is linked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Linked {
    pub(super) person: PlannedEnd,
    pub(super) is_primary: bool,
    /// Whether it is one of the lead's persons already.
    pub(super) of_lead: bool,
}

/// The persons of a lead who turned out to be somebody else, each with who that is.
pub(super) type Same = Vec<(ContactId, PlannedEnd)>;

/// What belongs together after a conversion and was not linked before: lead and account, or lead and persons where there is no
/// account; the persons, the primary one first, with the account and with the lead; and who turned out to be one of them: what hangs
/// on that one is reachable from there.
pub(super) fn added(
    lead: LeadId,
    account: Option<PlannedEnd>,
    (persons, same): (&[Linked], &Same),
    known: &KnownLinks,
) -> Vec<PlannedLink> {
    let lead = PlannedEnd::from(Subject::from(lead));
    // Who has a primary contact keeps it.
    let role = |linked: &Linked, has_primary: bool| {
        if linked.is_primary && !has_primary { LinkRole::PrimaryContact } else { LinkRole::Contact }
    };
    let link = |from, role, to| PlannedLink { from, role, to };
    let mut links = Vec::new();
    match account {
        Some(account) => {
            links.push(link(lead, LinkRole::ConvertedTo, account));
            let has = |linked: &&Linked| {
                linked.person.id.is_some_and(|id| known.of_account.contains(&ContactId::from_uuid(id)))
            };
            let new = persons.iter().filter(|linked| !has(linked));
            let has_primary = known.account_has_primary;
            links.extend(new.map(|linked| link(account, role(linked, has_primary), linked.person)));
        }
        None => {
            links.extend(persons.iter().map(|linked| link(lead, LinkRole::ConvertedTo, linked.person)));
        }
    }
    // The person of the lead is listed on the lead too: both sides show the same persons. Where the account keeps its primary
    // contact the plan makes nobody one; of the lead without one, the first is it.
    let new = persons.iter().filter(|linked| !linked.of_lead).enumerate();
    links.extend(new.map(|(n, linked)| {
        let is_primary = linked.is_primary || known.account_has_primary && n == 0;
        link(lead, role(&Linked { is_primary, ..*linked }, known.lead_has_primary), linked.person)
    }));
    let is_said = |own: ContactId, is: &PlannedEnd| {
        is.id.is_some_and(|id| known.same.contains(&(own, ContactId::from_uuid(id))))
    };
    let same = same.iter().filter(|(own, is)| !is_said(*own, is));
    links.extend(same.map(|(own, is)| link(Subject::from(*own).into(), LinkRole::ConvertedTo, *is)));
    links
}

impl ConversionPlan {
    /// The links that it adds, as things stood when it was made. What hangs on the lead (notes, calls, files, estimates …) is not
    /// among them: it stays where it is, and is shown with the customer too, by the first of these links.
    ///
    /// ```
    /// use leadcore::desk::{convert, leads};
    /// use leadcore::domain::LinkRole;
    /// use leadcore::prelude::*;
    /// let store = MemoryStore::new();
    /// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
    /// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
    /// let (plan, done) = store.write(ctx.tenant(), |txn| {
    ///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
    ///     let plan = convert::plan(&ctx, txn, lead.id, &Default::default())?;
    ///     let done = convert::apply(&ctx, txn, &plan)?;
    ///     Ok((plan, done))
    /// })?;
    /// let links = plan.links();
    /// assert_eq!((links[0].role, links[0].to.id), (LinkRole::ConvertedTo, None), "the account is yet to be made");
    /// assert_eq!((links.len(), done.links.len()), (1, 1));
    /// # Ok::<(), leadcore::error::Error>(())
    /// ```
    #[must_use]
    pub fn links(&self) -> Vec<PlannedLink> {
        let end = |kind| move |id: Option<Uuid>| PlannedEnd::of(kind, id);
        let account = match &self.account {
            PlannedAccount::New { .. } => Some(None),
            PlannedAccount::Existing { id, .. } => Some(Some(id.as_uuid())),
            PlannedAccount::None => None,
        };
        let mut persons: Vec<Linked> = self
            .contacts
            .iter()
            .map(|contact| {
                let (id, of_lead) = match &contact.who {
                    PlannedPerson::Existing(id) => (Some(id.as_uuid()), true),
                    PlannedPerson::Known { id, .. } => (Some(id.as_uuid()), self.persons.contains(id)),
                    PlannedPerson::New(_) => (None, false),
                };
                Linked { person: end(SubjectKind::Contact)(id), is_primary: contact.is_primary, of_lead }
            })
            .collect();
        persons.sort_by_key(|linked| !linked.is_primary);
        let same = self.contacts.iter().flat_map(|contact| {
            let own = contact.who.instead_of().iter().filter(|id| self.persons.contains(id));
            let is = end(SubjectKind::Contact)(contact.who.contact().map(ContactId::as_uuid));
            own.map(move |own| (*own, is))
        });
        let same: Same = same.collect();
        let mut known = self.linked.clone();
        if !matches!(self.account, PlannedAccount::Existing { .. }) {
            (known.account_has_primary, known.of_account) = (false, Vec::new());
        }
        let mut links = added(self.lead, account.map(end(SubjectKind::Account)), (&persons, &same), &known);
        let opportunity = self.opportunity.as_ref().map(|opportunity| match opportunity {
            PlannedOpportunity::New { .. } => None,
            PlannedOpportunity::Existing { id, .. } => Some(id.as_uuid()),
        });
        links.extend(opportunity.map(end(SubjectKind::Opportunity)).map(|to| PlannedLink {
            from: Subject::from(self.lead).into(),
            role: LinkRole::Opportunity,
            to,
        }));
        links
    }

    /// The document that the host makes for the customer.
    #[must_use]
    pub const fn document(&self) -> Option<Document> {
        self.customer.document()
    }
}
