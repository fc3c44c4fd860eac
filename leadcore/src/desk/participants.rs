//! Who can take part in an appointment or get a task: customers and their persons, found while somebody types (S4.09).
//!
//! Leads and their persons are left out unless they are asked for: nobody invites by mistake whom sales only just got to
//! know. What the actor may not see is not found, nor is it by fields that it may not see.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::context::Context;
use crate::domain::{
    Account, Contact, Emails, Field, FieldValue, Lead, LeadKind, LeadState, Link, SearchText, Subject,
    SubjectKind,
};
use crate::error::{Error, Result, ViolationCode};
use crate::id::{AccountId, ContactId, LeadId};
use crate::query::{Cursor, Filter, LeadScan, Resolved, Sort, SortField, Term, search_terms};
use crate::store::{NamePlace, NameSearch, Txn};
use crate::value::{Email, fold};

use super::access::Mask;
use super::children::Sight;
use super::contacts::mask;
use super::leads::readable;
use super::listing::check_limit;

/// How many records of each kind a search looks at, at most: who may see one customer in ten thousand would else read all.
const MOST_LOOKED_AT: usize = 5_000;
/// How many are read at once.
const ROUND: usize = 100;
/// The longest text to look for, in bytes.
const MAX_TEXT: usize = 1_000;

/// What a search for participants finds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParticipantOptions {
    /// Leads that are no customers yet, and their persons, too.
    pub include_leads: bool,
    /// At most so many, 1 to 1,000.
    pub limit: usize,
}

impl Default for ParticipantOptions {
    fn default() -> Self {
        Self { include_leads: false, limit: 20 }
    }
}

impl ParticipantOptions {
    /// Customers and their persons, at most 20.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Leads and their persons too, or not.
    #[must_use]
    pub const fn include_leads(mut self, include: bool) -> Self {
        self.include_leads = include;
        self
    }

    /// At most so many.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// Somebody who can take part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Candidate {
    /// A contact, an account, or (where asked for) a lead.
    pub subject: Subject,
    /// What people call it.
    pub name: String,
    /// Its first e-mail address that works and was not opted out.
    pub email: Option<String>,
    /// Of a person: the customer or lead that it belongs to.
    pub of: Option<Subject>,
    /// What people call that.
    pub company: Option<String>,
}

/// Who was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Candidates {
    /// By name, without case and accents.
    pub items: Vec<Candidate>,
    /// Whether everybody who matches was looked at, or as many were found as asked for. If not, more letters help.
    pub complete: bool,
}

/// The customers and persons of customers whose names, e-mails or numbers have every word of `text`, by name; of all, when
/// it is blank.
///
/// ```
/// use leadcore::desk::participants::{self, ParticipantOptions};
/// use leadcore::desk::{convert, leads};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let found = store.write(ctx.tenant(), |txn| {
///     let customer = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     convert::convert(&ctx, txn, customer.id, &Default::default())?;
///     leads::create(&ctx, txn, LeadFields::company("Nordavind AS")?.into())?;
///     participants::search(&ctx, txn, "nord", &ParticipantOptions::default())
/// })?;
/// let names: Vec<_> = found.items.iter().map(|found| found.name.as_str()).collect();
/// assert_eq!(names, ["Nordlys AS"], "the other is only a lead");
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Denied`; `Invalid` for a limit that does not fit, or a text of more than 1,000 bytes.
pub fn search(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    text: &str,
    options: &ParticipantOptions,
) -> Result<Candidates> {
    check_limit(options.limit)?;
    if text.len() > MAX_TEXT {
        let message = "a search has at most 1,000 bytes";
        return Err(Error::invalid_field("text", ViolationCode::TooLong, message));
    }
    let mut hunt = Hunt::open(ctx, txn, text, options.limit)?;
    hunt.accounts(txn)?;
    hunt.contacts(txn, options.include_leads)?;
    if options.include_leads {
        hunt.leads(txn)?;
    }
    let mut found = hunt.found;
    found.sort_by_cached_key(|known| (fold(&known.name), known.subject));
    found.truncate(options.limit);
    Ok(Candidates { items: found, complete: hunt.complete })
}

/// What these contacts, accounts and leads are called and where they are reached, as the actor may see it, in the order
/// asked: who takes part in a meeting. What is none of these, is in the trash or may not be seen is left out.
///
/// ```
/// use leadcore::desk::{leads, participants};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let named = store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     participants::named(&ctx, txn, &[lead.id.into()])
/// })?;
/// assert_eq!((named[0].name.as_str(), &named[0].email), ("Nordlys AS", &None));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `Denied`.
pub fn named(ctx: &Context<'_>, txn: &mut dyn Txn, subjects: &[Subject]) -> Result<Vec<Candidate>> {
    let subjects: BTreeMap<Subject, usize> = subjects.iter().copied().zip(0..).collect();
    let mut hunt = Hunt::open(ctx, txn, "", subjects.len())?;
    let of_kind = |kind| subjects.keys().copied().filter(|subject| subject.kind == kind).collect::<Vec<_>>();
    let (accounts, leads) = (of_kind(SubjectKind::Account), of_kind(SubjectKind::Lead));
    let ids: Vec<_> = accounts.iter().map(|subject| AccountId::from_uuid(subject.id)).collect();
    let found = txn.accounts().get(&ids)?;
    hunt.keep_accounts(txn, found)?;
    let persons = of_kind(SubjectKind::Contact);
    let ids: Vec<_> = persons.iter().map(|subject| ContactId::from_uuid(subject.id)).collect();
    let found = txn.contacts().get(&ids)?;
    hunt.keep_contacts(txn, found, true)?;
    hunt.sight.learn(txn, &leads)?;
    let ids: Vec<_> = leads.iter().map(|subject| LeadId::from_uuid(subject.id)).collect();
    let mask = Mask::of(ctx);
    for mut lead in txn.leads().get(&ids)?.into_iter().filter(|lead| lead.trashed.is_none()) {
        if hunt.sight.sees(lead.id.into()) {
            mask.put_on(&mut lead);
            hunt.lead(&lead);
        }
    }
    let mut found = hunt.found;
    found.sort_by_key(|known| subjects.get(&known.subject).copied());
    Ok(found)
}

/// A search that is under way.
struct Hunt<'c> {
    ctx: &'c Context<'c>,
    sight: Sight,
    text: &'c str,
    terms: Vec<Term>,
    limit: usize,
    complete: bool,
    found: Vec<Candidate>,
}

impl<'c> Hunt<'c> {
    fn open(ctx: &'c Context<'c>, txn: &mut dyn Txn, text: &'c str, limit: usize) -> Result<Self> {
        let (sight, terms) = (Sight::open(ctx, txn)?, search_terms(text));
        Ok(Self { ctx, sight, text, terms, limit, complete: true, found: Vec::new() })
    }

    /// Whether what the actor may see of a record has every word.
    fn matches(&self, text: &SearchText) -> bool {
        self.terms.iter().all(|term| text.as_str().contains(term.as_str()))
    }

    /// Reads round after round, until enough were found, none is left, or too many were looked at.
    fn rounds<T>(
        &mut self,
        txn: &mut dyn Txn,
        place: impl Fn(&T) -> NamePlace,
        mut read: impl FnMut(&mut dyn Txn, &NameSearch) -> Result<Vec<T>>,
        mut keep: impl FnMut(&mut Self, &mut dyn Txn, Vec<T>) -> Result<()>,
    ) -> Result<()> {
        let enough = self.found.len().saturating_add(self.limit);
        let mut query = NameSearch { terms: self.terms.clone(), after: None, limit: ROUND };
        let mut looked_at: usize = 0;
        loop {
            let round = read(txn, &query)?;
            let last = round.len() < ROUND;
            looked_at = looked_at.saturating_add(round.len());
            query.after = round.last().map(&place);
            keep(self, txn, round)?;
            if last || self.found.len() >= enough {
                return Ok(());
            }
            if looked_at >= MOST_LOOKED_AT {
                self.complete = false;
                return Ok(());
            }
        }
    }

    fn accounts(&mut self, txn: &mut dyn Txn) -> Result<()> {
        let place =
            |account: &Account| NamePlace { name: account.fields.name_key(), id: account.id.as_uuid() };
        self.rounds(
            txn,
            place,
            |txn, query| txn.accounts().search(query),
            |hunt, txn, accounts| hunt.keep_accounts(txn, accounts),
        )
    }

    fn keep_accounts(&mut self, txn: &mut dyn Txn, accounts: Vec<Account>) -> Result<()> {
        let subjects: Vec<_> = accounts.iter().map(|account| account.id.into()).collect();
        self.sight.learn(txn, &subjects)?;
        for account in accounts {
            let ctx = self.ctx;
            if account.archived.is_some() || !self.sight.sees(account.id.into()) {
                continue;
            }
            let fields = account.fields.without(|field| ctx.policy().is_hidden(ctx.actor(), field));
            if self.matches(&fields.search_text()) {
                let (email, name) = (usable(&fields.emails), fields.name);
                self.keep(account.id.into(), name, email, None);
            }
        }
        Ok(())
    }

    fn contacts(&mut self, txn: &mut dyn Txn, include_leads: bool) -> Result<()> {
        let place =
            |contact: &Contact| NamePlace { name: contact.fields.name_key(), id: contact.id.as_uuid() };
        let of = (!include_leads).then_some(SubjectKind::Account);
        self.rounds(
            txn,
            place,
            |txn, query| txn.contacts().search(query, of),
            |hunt, txn, contacts| hunt.keep_contacts(txn, contacts, include_leads),
        )
    }

    fn keep_contacts(
        &mut self,
        txn: &mut dyn Txn,
        contacts: Vec<Contact>,
        include_leads: bool,
    ) -> Result<()> {
        let subjects: Vec<_> = contacts.iter().map(|contact| contact.id.into()).collect();
        let holders = self.holders(txn, &subjects, include_leads)?;
        for mut contact in contacts {
            let Some(holder) = holders.get(&contact.id.into()) else { continue };
            mask(self.ctx, &mut contact);
            if self.matches(&contact.fields.search_text()) {
                let name = contact.fields.display_name().unwrap_or_default().to_owned();
                let email = usable(&contact.fields.emails);
                self.keep(contact.id.into(), name, email, Some(holder.clone()));
            }
        }
        Ok(())
    }

    /// For each person, a customer (else a lead, where leads are wanted) that has it and that the actor may see, with its
    /// name.
    fn holders(
        &mut self,
        txn: &mut dyn Txn,
        persons: &[Subject],
        include_leads: bool,
    ) -> Result<BTreeMap<Subject, (Subject, Option<String>)>> {
        let mut links = txn.links().to(persons, None)?;
        links.retain(|link| link.from.kind == SubjectKind::Account || include_leads);
        // Customers before leads, then the oldest.
        links.sort_by_key(|link| (link.to, link.from.kind != SubjectKind::Account, link.from));
        let of_kind = |kind: SubjectKind| {
            links.iter().map(|link| link.from).filter(move |from| from.kind == kind).collect::<Vec<_>>()
        };
        let (accounts, leads) = (of_kind(SubjectKind::Account), of_kind(SubjectKind::Lead));
        self.sight.learn(txn, &accounts)?;
        self.sight.learn(txn, &leads)?;
        let mut names: BTreeMap<Subject, Option<String>> = BTreeMap::new();
        let ids: Vec<_> = accounts.iter().map(|from| AccountId::from_uuid(from.id)).collect();
        let hidden = |field: &Field| self.ctx.policy().is_hidden(self.ctx.actor(), field);
        for account in txn.accounts().get(&ids)? {
            let name = account.fields.without(hidden).name;
            names.insert(account.id.into(), (!name.is_empty()).then_some(name));
        }
        let ids: Vec<_> = leads.iter().map(|from| LeadId::from_uuid(from.id)).collect();
        let mask = Mask::of(self.ctx);
        for mut lead in txn.leads().get(&ids)?.into_iter().filter(|lead| lead.trashed.is_none()) {
            mask.put_on(&mut lead);
            names.insert(lead.id.into(), lead.fields.display_name().map(str::to_owned));
        }
        let mut holders = BTreeMap::new();
        for Link { from, to, .. } in links {
            if let Some(name) = names.get(&from).filter(|_| self.sight.sees(from)) {
                holders.entry(to).or_insert_with(|| (from, name.clone()));
            }
        }
        Ok(holders)
    }

    /// Companies by their names, consumers by theirs.
    fn leads(&mut self, txn: &mut dyn Txn) -> Result<()> {
        let words = if self.terms.is_empty() { Filter::everything() } else { Filter::search(self.text) };
        let words = readable(self.ctx, txn, &words, &[])?;
        let equals = |field: Field, code: &str| Resolved::Equals(field, vec![FieldValue::from(code)]);
        let mask = Mask::of(self.ctx);
        for (kind, by) in [(LeadKind::Company, SortField::Company), (LeadKind::Consumer, SortField::Name)] {
            let open = Resolved::Not(Box::new(equals(Field::State, LeadState::Converted.code())));
            let wanted = Resolved::All(vec![words.clone(), open, equals(Field::Kind, kind.code())]);
            let (filter, sort) = (wanted, Sort::ascending(by));
            let enough = self.found.len().saturating_add(self.limit);
            let (mut after, mut looked_at) = (None, 0_usize);
            loop {
                let (filter, sort) = (filter.clone(), sort.clone());
                let scan = LeadScan { filter, trashed: false, sort: sort.clone(), limit: ROUND, after };
                let round = txn.leads().scan(&scan)?;
                let last = round.len() < ROUND;
                looked_at = looked_at.saturating_add(round.len());
                after = round.last().map(|lead| Cursor::behind(lead, &sort));
                for mut lead in round {
                    mask.put_on(&mut lead);
                    self.lead(&lead);
                }
                if last || self.found.len() >= enough {
                    break;
                }
                if looked_at >= MOST_LOOKED_AT {
                    self.complete = false;
                    break;
                }
            }
        }
        Ok(())
    }

    fn lead(&mut self, lead: &Lead) {
        if self.matches(&lead.search_text()) {
            let name = lead.fields.display_name().unwrap_or_default().to_owned();
            self.keep(lead.id.into(), name, usable(&lead.fields.emails), None);
        }
    }

    fn keep(
        &mut self,
        subject: Subject,
        name: String,
        email: Option<String>,
        holder: Option<(Subject, Option<String>)>,
    ) {
        let (of, company) = holder.map_or((None, None), |(of, company)| (Some(of), company));
        self.found.push(Candidate { subject, name, email, of, company });
    }
}

/// The first address that works and was not opted out.
fn usable(emails: &Emails) -> Option<String> {
    let usable = emails.entries().iter().find(|entry| !entry.opted_out && !entry.invalid);
    usable.map(|entry| Email::as_str(&entry.value).to_owned())
}
