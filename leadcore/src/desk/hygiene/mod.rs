//! Addresses and numbers that do not reach anybody, or should not be used (S0.37): found, and mended by a plan.
//!
//! [`plan`] walks over the leads of a filter and lists what is wrong with the e-mail addresses and phone numbers of them and
//! of their persons, with a [`Fix`] for each; a person may change the fixes. [`apply`] does what the plan says in one operation, which
//! [`undo`](super::undo) takes back; a lead that changed since is left alone. Nothing is sent and no domain is asked:
//! what is known is the form of an address, its marks, and lists of domains.

mod apply;
mod judge;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{Contact, Field, Lead, LeadFields, LinkRole, ReachChannel, Reachable, Subject};
use crate::error::{Error, Result, ValueError, ViolationCode};
use crate::id::{ContactId, LeadId, OperationId, Revision};
use crate::policy::Permission;
use crate::query::{Cursor, Filter, LeadScan, Sort, SortField};
use crate::store::Txn;
use crate::value::{Country, Email, Phone};

use super::access::require;
use super::leads::readable;
use super::mass::{RecordResult, Totals};

use judge::Judge;

pub use apply::apply;
#[cfg(feature = "csv")]
pub(crate) use judge::is_role;

/// How many leads one round reads and writes.
const ROUND: usize = 500;
/// The most findings of one plan.
const MOST_FINDINGS: usize = 100_000;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Issue {
    /// No mail gets there: a domain without a dot, or one that is reserved.
    UndeliverableEmail,
    /// A slip of the hand in a domain that many people have.
    MisspeltEmail,
    /// The mailbox of a function (`info@`), not of a person.
    RoleEmail,
    /// A domain that gives out addresses for a few minutes.
    DisposableEmail,
    /// Marked as not working: mail to it bounced. What a fix marked for another issue keeps that one.
    BouncedEmail,
    /// Marked as opted out.
    OptedOutEmail,
    /// A number that can be read as a valid one, but is not written as one.
    MalformedPhone,
    /// No numbering plan has such a number.
    ImpossiblePhone,
    /// Marked as not working.
    DeadPhone,
    /// Marked as opted out: do not call.
    OptedOutPhone,
}

impl Issue {
    /// Every issue.
    pub const ALL: [Self; 10] = [
        Self::UndeliverableEmail,
        Self::MisspeltEmail,
        Self::RoleEmail,
        Self::DisposableEmail,
        Self::BouncedEmail,
        Self::OptedOutEmail,
        Self::MalformedPhone,
        Self::ImpossiblePhone,
        Self::DeadPhone,
        Self::OptedOutPhone,
    ];

    /// Stable name: `role_email`, `malformed_phone` …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UndeliverableEmail => "undeliverable_email",
            Self::MisspeltEmail => "misspelt_email",
            Self::RoleEmail => "role_email",
            Self::DisposableEmail => "disposable_email",
            Self::BouncedEmail => "bounced_email",
            Self::OptedOutEmail => "opted_out_email",
            Self::MalformedPhone => "malformed_phone",
            Self::ImpossiblePhone => "impossible_phone",
            Self::DeadPhone => "dead_phone",
            Self::OptedOutPhone => "opted_out_phone",
        }
    }

    /// The issue with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|issue| issue.code() == code)
    }

    /// What is said of an address that is marked for it.
    const fn reason(self) -> Option<&'static str> {
        match self {
            Self::UndeliverableEmail => Some("no mail gets to this domain"),
            Self::MisspeltEmail => Some("misspelt domain"),
            Self::RoleEmail => Some("mailbox of a function"),
            Self::DisposableEmail => Some("disposable address"),
            Self::MalformedPhone => Some("not written as a valid number"),
            Self::ImpossiblePhone => Some("no such number"),
            Self::BouncedEmail | Self::OptedOutEmail | Self::DeadPhone | Self::OptedOutPhone => None,
        }
    }

    /// The issue that an address of this channel was marked for, by what is said of it.
    fn from_reason(channel: ReachChannel, reason: &str) -> Option<Self> {
        let is_email = |issue: Self| issue.code().ends_with("_email");
        let fits = |issue: &Self| is_email(*issue) == (channel == ReachChannel::Email);
        Self::ALL.into_iter().filter(fits).find(|issue| issue.reason() == Some(reason))
    }
}

/// What is done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fix {
    /// Nothing.
    Keep,
    /// The address becomes this one; what is said of it stays.
    Correct(String),
    /// It is marked as not working.
    MarkInvalid,
    /// It goes behind the others, so that it is no longer the primary one.
    PutLast,
    /// It is removed.
    Remove,
}

impl Fix {
    /// Refuses a correction that is no address of this kind.
    ///
    /// # Errors
    /// As [`Email::parse`] and [`Phone::parse`].
    pub fn check(&self, channel: ReachChannel) -> std::result::Result<(), ValueError> {
        match (self, channel) {
            (Self::Correct(text), ReachChannel::Email) => Email::parse(text).map(drop),
            (Self::Correct(text), ReachChannel::Phone) => Phone::parse(text, None).map(drop),
            _ => Ok(()),
        }
    }
}

/// Which leads are looked at, and for what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HygieneRequest {
    /// Which leads; those in the trash are left alone.
    pub filter: Filter,
    /// Only these issues; all when empty.
    #[serde(default)]
    pub issues: Vec<Issue>,
    /// Domains that give out disposable addresses, besides the few that are known here.
    #[serde(default)]
    pub disposable: Vec<String>,
    /// Where national numbers are dialled from, of leads that name no country: a code like `NO`.
    #[serde(default)]
    pub region: Option<String>,
    /// The plan ends behind the lead with which it has so many findings: 1 to 100,000.
    pub limit: usize,
    /// Goes on behind an earlier plan: its [`next`](HygienePlan::next).
    #[serde(default)]
    pub after: Option<Cursor>,
}

impl HygieneRequest {
    /// Everything that is wrong with the addresses of these leads, 10,000 findings at a time.
    #[must_use]
    pub const fn new(filter: Filter) -> Self {
        Self { filter, issues: Vec::new(), disposable: Vec::new(), region: None, limit: 10_000, after: None }
    }

    /// Only these issues.
    #[must_use]
    pub fn issues(mut self, issues: impl IntoIterator<Item = Issue>) -> Self {
        self.issues = issues.into_iter().collect();
        self
    }

    /// With more domains that give out disposable addresses.
    #[must_use]
    pub fn disposable(mut self, domains: impl IntoIterator<Item = String>) -> Self {
        self.disposable = domains.into_iter().collect();
        self
    }

    /// With national numbers of this country.
    #[must_use]
    pub fn region(mut self, region: Country) -> Self {
        self.region = Some(region.code().to_owned());
        self
    }

    /// With at most so many findings, but for those of the last lead.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Behind an earlier plan.
    #[must_use]
    pub fn after(mut self, next: Option<Cursor>) -> Self {
        self.after = next;
        self
    }
}

/// One address and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// The lead.
    pub lead: LeadId,
    /// Its number.
    pub number: u64,
    /// The person of the lead whose address it is; none for the lead's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
    /// The person, else the lead, as it was read; when it changed since, nothing is done.
    pub revision: Revision,
    /// An e-mail address or a phone number.
    pub channel: ReachChannel,
    /// The address.
    pub address: String,
    /// Whether it is the primary one.
    pub primary: bool,
    /// What is wrong.
    pub issue: Issue,
    /// What is done about it; may be changed before the plan is applied.
    pub fix: Fix,
}

/// What is wrong, and what would be done. Pure data: show it, change its fixes, store it, apply it later. It holds
/// addresses, so it is personal data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HygienePlan {
    /// How many leads were looked at.
    pub scanned: u64,
    /// Address by address, by the numbers of the leads.
    pub findings: Vec<Finding>,
    /// How many findings each issue has.
    pub counts: BTreeMap<Issue, u64>,
    /// Where the next plan goes on, when there are more leads.
    pub next: Option<Cursor>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HygieneOutcome {
    /// The operation, for [`undo`](super::undo); none when nothing was written.
    pub operation: Option<OperationId>,
    /// Each lead of which something was to be done.
    pub results: Vec<RecordResult>,
    /// The sums.
    pub totals: Totals,
}

/// Looks for what is wrong with e-mail addresses and phone numbers of leads and their persons. Reads only; what the actor may
/// not see is not looked at.
///
/// ```
/// use leadcore::desk::hygiene::{self, Fix, HygieneRequest, Issue};
/// use leadcore::desk::leads;
/// use leadcore::domain::Emails;
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let fields = LeadFields { emails: Emails::parse("anna@gmial.com")?, ..LeadFields::company("Nordlys AS")? };
/// let lead = store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, fields.clone().into())?;
///     let plan = hygiene::plan(&ctx, txn, &HygieneRequest::new(Filter::everything()))?;
///     assert_eq!(plan.findings[0].issue, Issue::MisspeltEmail);
///     assert_eq!(plan.findings[0].fix, Fix::Correct("anna@gmail.com".to_owned()));
///     hygiene::apply(&ctx, txn, &plan)?;
///     leads::get(&ctx, txn, lead.id)
/// })?;
/// assert_eq!(lead.fields.emails, Emails::parse("anna@gmail.com")?);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Invalid` for a filter, limit, region or place that does not fit; `Denied`.
pub fn plan(ctx: &Context<'_>, txn: &mut dyn Txn, request: &HygieneRequest) -> Result<HygienePlan> {
    require(ctx, txn, Permission::View)?;
    if !(1..=MOST_FINDINGS).contains(&request.limit) {
        let message = "a plan has 1 to 100,000 findings";
        return Err(Error::invalid_field("limit", ViolationCode::OutOfRange, message));
    }
    let sort = Sort::ascending(SortField::Number);
    if request.after.as_ref().is_some_and(|after| after.sort != sort || !after.is_sound()) {
        let message = "this is no place behind an earlier plan";
        return Err(Error::invalid_field("after", ViolationCode::Malformed, message));
    }
    let region = request.region.as_deref().map(Country::parse).transpose();
    let region = region.map_err(|error| Error::invalid(vec![error.at("region")]))?;
    let judge = Judge::new(&request.disposable, region);
    let shown = |field: &Field| !ctx.policy().is_hidden(ctx.actor(), field);
    let shown = Shown { emails: shown(&Field::Email), phones: shown(&Field::Phone) };
    // A person of several leads is told once.
    let mut told = BTreeSet::new();
    let filter = readable(ctx, txn, &request.filter, &[])?;
    let mut plan = HygienePlan {
        scanned: 0,
        findings: Vec::new(),
        counts: BTreeMap::new(),
        next: request.after.clone(),
    };
    loop {
        let after = plan.next.take();
        let scan =
            LeadScan { filter: filter.clone(), trashed: false, sort: sort.clone(), limit: ROUND, after };
        let leads = txn.leads().scan(&scan)?;
        // A converted lead is frozen.
        let open = leads.iter().filter(|lead| lead.conversion.is_none());
        let persons = persons_of(txn, &open.map(|lead| lead.id).collect::<Vec<_>>())?;
        for lead in &leads {
            plan.scanned = plan.scanned.saturating_add(1);
            if lead.conversion.is_none() {
                plan.look_at(lead, None, &judge, request, shown);
            }
            let own = persons.get(&lead.id).into_iter().flatten();
            for person in own.filter(|person| told.insert(person.id)) {
                plan.look_at(lead, Some(person), &judge, request, shown);
            }
            if plan.findings.len() >= request.limit {
                plan.next = Some(Cursor::behind(lead, &sort));
                return Ok(plan);
            }
        }
        match leads.last() {
            Some(last) if leads.len() == ROUND => plan.next = Some(Cursor::behind(last, &sort)),
            _ => return Ok(plan),
        }
    }
}

/// What the actor may see of addresses.
#[derive(Debug, Clone, Copy)]
struct Shown {
    emails: bool,
    phones: bool,
}

/// A person of a lead as a lead: where it is dialled from is said by the lead.
fn as_lead(contact: &Contact, lead: &LeadFields) -> LeadFields {
    LeadFields { address: lead.address.clone(), ..contact.fields.as_lead_fields() }
}

/// The persons of these leads, each under every lead that has it, the primary one first.
fn persons_of(txn: &mut dyn Txn, leads: &[LeadId]) -> Result<BTreeMap<LeadId, Vec<Contact>>> {
    let subjects: Vec<Subject> = leads.iter().map(|lead| (*lead).into()).collect();
    let mut links = txn.links().from(&subjects, None)?;
    links.retain(|link| matches!(link.role, LinkRole::Contact | LinkRole::PrimaryContact));
    let ids: BTreeSet<_> = links.iter().map(|link| ContactId::from_uuid(link.to.id)).collect();
    let mut contacts = txn.contacts().get(&ids.into_iter().collect::<Vec<_>>())?;
    contacts.sort_by_key(|contact| (contact.created_at, contact.id));
    let places: BTreeMap<_, _> =
        contacts.iter().enumerate().map(|(place, contact)| (contact.id.as_uuid(), place)).collect();
    let mut links: Vec<_> = links
        .into_iter()
        .filter_map(|link| {
            Some((link.role != LinkRole::PrimaryContact, *places.get(&link.to.id)?, link.from))
        })
        .collect();
    links.sort_unstable();
    let mut persons: BTreeMap<_, Vec<Contact>> = BTreeMap::new();
    for (_, place, lead) in links {
        if let Some(contact) = contacts.get(place) {
            persons.entry(LeadId::from_uuid(lead.id)).or_default().push(contact.clone());
        }
    }
    Ok(persons)
}

/// Each address of which something is wrong, and whether it is the primary one.
fn addressed<T: AsRef<str>>(
    entries: &[Reachable<T>],
    found: Vec<(usize, Issue, Fix)>,
) -> impl Iterator<Item = (String, bool, Issue, Fix)> {
    found.into_iter().filter_map(|(place, issue, fix)| {
        let address = entries.get(place)?.value.as_ref().to_owned();
        Some((address, place == 0, issue, fix))
    })
}

impl HygienePlan {
    /// Decides what is done about a finding, by its place.
    ///
    /// # Errors
    /// `Invalid` at `finding` where there is none, at `correction` for one that is no address of its kind.
    pub fn set_fix(&mut self, finding: usize, fix: Fix) -> Result<()> {
        let found = self.findings.get_mut(finding).ok_or_else(|| {
            Error::invalid_field("finding", ViolationCode::OutOfRange, "there is no finding at this place")
        })?;
        fix.check(found.channel).map_err(|error| Error::invalid(vec![error.at("correction")]))?;
        found.fix = fix;
        Ok(())
    }

    /// Judges the addresses of a lead, or of a person that it has.
    fn look_at(
        &mut self,
        lead: &Lead,
        person: Option<&Contact>,
        judge: &Judge,
        request: &HygieneRequest,
        shown: Shown,
    ) {
        let of_person = person.map(|person| as_lead(person, &lead.fields));
        let fields = of_person.as_ref().unwrap_or(&lead.fields);
        let emails = if shown.emails { judge.emails(fields) } else { Vec::new() };
        let phones = if shown.phones { judge.phones(fields) } else { Vec::new() };
        let emails = addressed(fields.emails.entries(), emails).map(|found| (ReachChannel::Email, found));
        let phones = addressed(fields.phones.entries(), phones).map(|found| (ReachChannel::Phone, found));
        for (channel, (address, primary, issue, fix)) in emails.chain(phones) {
            if !request.issues.is_empty() && !request.issues.contains(&issue) {
                continue;
            }
            let count = self.counts.entry(issue).or_default();
            *count = count.saturating_add(1);
            self.findings.push(Finding {
                lead: lead.id,
                number: lead.number,
                contact: person.map(|person| person.id),
                revision: person.map_or(lead.revision, |person| person.revision),
                channel,
                address,
                primary,
                issue,
                fix,
            });
        }
    }
}
