//! Accounts and contacts that a lead may be, before it is converted or while it is worked (X.02, X.04).

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Context;
use crate::dedupe::matching::{
    Candidate, Elsewhere, Evidence, EvidenceKind, Matches, PersonMatches, Probe, TooCommon, rank,
};
use crate::domain::{
    Account, Contact, Field, Lead, Link, LinkRole, Series, Subject, SubjectKind, written_number,
};
use crate::error::{Error, ErrorKind, Result, ViolationCode};
use crate::id::{AccountId, ContactId, LeadId, UserId};
use crate::store::{Block, Txn};

use super::access::visible;
use super::contacts::linked;
use super::series;
use super::sight::Sight;

/// What a search for matches is told besides the lead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MatchRequest {
    /// The customer number that somebody gave. Where accounts of several series have it, it says little.
    pub number: Option<u64>,
    /// The same as people write it: `N-0001`. It is certain, as in [`by_number`](super::accounts::by_number). Where no account has
    /// it, the number above holds.
    pub written: Option<String>,
    /// How many records that share one key are looked at, 1 to 1,000; when there are more, the answer says so.
    pub limit: usize,
}

impl Default for MatchRequest {
    fn default() -> Self {
        Self { number: None, written: None, limit: 50 }
    }
}

impl MatchRequest {
    /// With the customer number that somebody gave.
    #[must_use]
    pub const fn number(mut self, number: u64) -> Self {
        self.number = Some(number);
        self
    }

    /// With the customer number that somebody gave, as people write it.
    #[must_use]
    pub fn written(mut self, number: impl Into<String>) -> Self {
        self.written = Some(number.into());
        self
    }

    /// With so many records of one key.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// Every account and contact that this lead may be, with what speaks for each: by e-mail, phone, domain, company name, tax
/// number, and for accounts also by their contacts. Reads only. The contacts of the lead itself are not listed.
///
/// Of records that the actor may not see it is told that there is one, and whose; nothing else. Values of fields that are
/// hidden from it are left out of the evidence.
///
/// ```
/// use leadcore::dedupe::matching::{EvidenceKind, MatchPolicy};
/// use leadcore::desk::{convert, leads, matching};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let (known, found) = store.write(ctx.tenant(), |txn| {
///     let customer = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let known = convert::convert(&ctx, txn, customer.id, &Default::default())?.account.unwrap();
///     let lead = leads::create(&ctx, txn, LeadFields::company("NORDLYS A/S")?.into())?;
///     Ok((known, matching::for_lead(&ctx, txn, lead.id)?))
/// })?;
/// assert_eq!(found.accounts[0].evidence[0].kind, EvidenceKind::Company);
/// assert_eq!(found.account(MatchPolicy::Best { at_least: 60 })?, Some(known));
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound` when there is no such lead, or none that this actor may see; `Denied`.
pub fn for_lead(ctx: &Context<'_>, txn: &mut dyn Txn, lead: LeadId) -> Result<Matches> {
    search(ctx, txn, lead, &MatchRequest::default())
}

/// [`for_lead`] with a customer number, or another limit.
///
/// # Errors
/// As [`for_lead`]; `Invalid` for a limit that does not fit.
pub fn search(ctx: &Context<'_>, txn: &mut dyn Txn, lead: LeadId, request: &MatchRequest) -> Result<Matches> {
    if !(1..=1_000).contains(&request.limit) {
        let message = "1 to 1,000 records of one key are looked at";
        return Err(Error::invalid_field("limit", ViolationCode::OutOfRange, message));
    }
    let lead = visible(ctx, txn, lead)?;
    let persons = linked(txn, lead.id.into())?;
    let keys = persons.iter().flat_map(|person| person.contact.fields.as_lead_fields().contact_keys());
    let mut probe = Probe::of(&lead.fields).person(keys.collect::<Vec<_>>());
    let (named, number) = given(ctx, txn, request)?;
    if let Some(number) = number {
        probe = probe.number(number);
    }
    let own: BTreeSet<_> = persons.iter().map(|person| person.contact.id).collect();
    let search = Search { limit: request.limit, named };
    let (contacts, mut too_common) = search.contacts(txn, &probe, &own)?;
    let mut others = Vec::with_capacity(persons.len());
    for person in &persons {
        let (found, too_common) = search.contacts(txn, &Probe::of_person(&person.contact.fields), &own)?;
        others.push(Other { person: person.contact.id, found, too_common });
    }
    let of_others = others.iter().flat_map(|other| &other.found);
    let links = holders(txn, contacts.iter().chain(of_others).map(|(found, _)| found.id))?;
    let (accounts, of_accounts) = search.accounts(txn, &probe, &contacts, &links)?;
    too_common.extend(of_accounts);
    let mut matches = Matches { too_common, ..Matches::default() };
    matches.sorted_by_sight(ctx, txn, (contacts, accounts, others), &links)?;
    Ok(matches)
}

/// The account whose number was given, where that is certain; else the number that was given.
fn given(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    request: &MatchRequest,
) -> Result<(Option<AccountId>, Option<u64>)> {
    let Some(text) = request.written.as_deref() else { return Ok((None, request.number)) };
    match series::find(ctx, txn, Series::Account, text.into(), "account") {
        Ok(found) => Ok((Some(AccountId::from_uuid(found.id)), None)),
        // Nobody has what was written: what was said besides holds.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok((None, request.number)),
        // Several series have it, and none of them is the standard one: all of them are candidates.
        Err(error) if error.violations().iter().any(|broken| broken.code == ViolationCode::Duplicate) => {
            Ok((None, written_number(text.trim())))
        }
        Err(error) => Err(error),
    }
}

/// Who has a contact: leads and accounts.
fn holders(txn: &mut dyn Txn, contacts: impl Iterator<Item = ContactId>) -> Result<Vec<Link>> {
    let subjects: Vec<Subject> = contacts.map(Subject::from).collect();
    let mut links = txn.links().to(&subjects, None)?;
    links.retain(|link| matches!(link.from.kind, SubjectKind::Account | SubjectKind::Lead));
    Ok(links)
}

type Found<I, R> = Vec<(Candidate<I>, R)>;

/// What was found, and what was cut short.
type Searched<I, R> = (Found<I, R>, Vec<TooCommon>);

/// What was found for a person that hangs on the lead.
struct Other {
    person: ContactId,
    found: Found<ContactId, Contact>,
    too_common: Vec<TooCommon>,
}

#[derive(Clone, Copy)]
struct Search {
    limit: usize,
    /// The account whose number was given.
    named: Option<AccountId>,
}

/// Those of these contacts that turned out to be another one, when a lead of theirs was converted, each with that one: whatever
/// speaks for the former speaks for the latter. Whom several leads had, each may have become somebody else: then it speaks for all
/// of them; and who became somebody who became somebody else is that one.
fn same(txn: &mut dyn Txn, ids: &BTreeSet<ContactId>) -> Result<BTreeMap<ContactId, BTreeSet<ContactId>>> {
    let mut became: BTreeMap<ContactId, BTreeSet<ContactId>> = BTreeMap::new();
    let mut asked: BTreeSet<ContactId> = BTreeSet::new();
    let mut next = ids.clone();
    while !next.is_empty() {
        let subjects: Vec<Subject> = next.iter().map(|id| (*id).into()).collect();
        asked.append(&mut next);
        for link in txn.links().from(&subjects, Some(LinkRole::ConvertedTo))? {
            let (own, is) = (ContactId::from_uuid(link.from.id), ContactId::from_uuid(link.to.id));
            became.entry(own).or_default().insert(is);
            next.extend(Some(is).filter(|is| !asked.contains(is)));
        }
    }
    let last = |id: &ContactId| {
        let (mut ends, mut seen, mut todo) = (BTreeSet::new(), BTreeSet::from([*id]), vec![*id]);
        while let Some(one) = todo.pop() {
            match became.get(&one) {
                Some(onwards) => todo.extend(onwards.iter().copied().filter(|is| seen.insert(*is))),
                None => drop(ends.insert(one)),
            }
        }
        ends
    };
    let those = ids.iter().filter(|id| became.contains_key(id)).map(|id| (*id, last(id)));
    // Whoever became themselves in the end is nobody else.
    Ok(those.filter(|(_, is)| !is.is_empty()).collect())
}

/// Who is in these blocks, and which of them are cut short.
fn members<I: Copy + Ord>(blocks: &[Block<I>], is_account: bool) -> (BTreeSet<I>, Vec<TooCommon>) {
    let cut = blocks.iter().filter(|block| block.is_cut);
    let told = cut.filter_map(|block| TooCommon::new(is_account, block.key.kind, block.ids.len()));
    (blocks.iter().flat_map(|block| block.ids.iter().copied()).collect(), told.collect())
}

impl Search {
    fn contacts(
        self,
        txn: &mut dyn Txn,
        probe: &Probe,
        own: &BTreeSet<ContactId>,
    ) -> Result<Searched<ContactId, Contact>> {
        let blocks = txn.contacts().blocks(probe.contact_keys(), self.limit)?;
        let (ids, cut) = members(&blocks, false);
        let same = same(txn, &ids)?;
        let ids: BTreeSet<_> = ids.into_iter().chain(same.values().flatten().copied()).collect();
        let mut evidence: BTreeMap<ContactId, Vec<Evidence>> = BTreeMap::new();
        let mut contacts = txn.contacts().get(&ids.into_iter().collect::<Vec<_>>())?;
        for contact in &contacts {
            let told = probe.contact(contact).map(|found| found.evidence).unwrap_or_default();
            let itself = BTreeSet::from([contact.id]);
            for is in same.get(&contact.id).unwrap_or(&itself) {
                evidence.entry(*is).or_default().extend(told.iter().cloned());
            }
        }
        contacts.retain(|contact| !same.contains_key(&contact.id) && !own.contains(&contact.id));
        let found = contacts.into_iter().filter_map(|contact| {
            let told = evidence.remove(&contact.id).filter(|told| !told.is_empty())?;
            Some((Candidate::of_contact(&contact).with(told), contact))
        });
        Ok((found.collect(), cut))
    }

    /// Accounts by their own keys, and those that have a contact with the lead's e-mail or phone.
    fn accounts(
        self,
        txn: &mut dyn Txn,
        probe: &Probe,
        contacts: &Found<ContactId, Contact>,
        links: &[Link],
    ) -> Result<Searched<AccountId, Account>> {
        let blocks = txn.accounts().blocks(probe.account_keys(), self.limit)?;
        let (mut ids, cut) = members(&blocks, true);
        let reached: BTreeSet<_> = contacts
            .iter()
            .filter(|(found, _)| found.is_reached_alike())
            .map(|(found, _)| found.id.as_uuid())
            .collect();
        let through: BTreeSet<_> = links
            .iter()
            .filter(|link| link.from.kind == SubjectKind::Account && reached.contains(&link.to.id))
            .map(|link| AccountId::from_uuid(link.from.id))
            .collect();
        ids.extend(&through);
        ids.extend(self.named);
        let accounts = txn.accounts().get(&ids.into_iter().collect::<Vec<_>>())?;
        let mut judged = Vec::with_capacity(accounts.len());
        for account in accounts.into_iter().filter(|account| account.archived.is_none()) {
            let own = probe.account(&account);
            let mut more = Vec::new();
            if through.contains(&account.id) {
                more.push(Evidence::new(EvidenceKind::ContactOfAccount, None));
            }
            if self.named == Some(account.id) {
                more.push(Evidence::new(EvidenceKind::Number, account.number.to_string()));
            }
            let found = if more.is_empty() {
                own
            } else {
                Some(own.unwrap_or_else(|| Candidate::of_account(&account)).with(more))
            };
            judged.extend(found.map(|found| (found, account)));
        }
        Ok((of_several(judged), cut))
    }
}

/// A number that several accounts have, each in a series of its own, is certain for none.
fn of_several(mut found: Found<AccountId, Account>) -> Found<AccountId, Account> {
    let is_number = |one: &Evidence| one.kind == EvidenceKind::Number;
    let several = found.iter().filter(|(found, _)| found.evidence.iter().any(is_number)).count() > 1;
    for (found, _) in found.iter_mut().filter(|_| several) {
        for evidence in &mut found.evidence {
            if is_number(evidence) {
                evidence.kind = EvidenceKind::NumberOfSeveral;
            }
        }
        *found = found.clone().with([]);
    }
    found
}

impl Matches {
    /// Puts each where it belongs: in sight with what the actor may see of it, or out of sight.
    fn sorted_by_sight(
        &mut self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        (contacts, accounts, persons): (Found<ContactId, Contact>, Found<AccountId, Account>, Vec<Other>),
        links: &[Link],
    ) -> Result<()> {
        let of_accounts = accounts.iter().map(|(found, _)| Subject::from(found.id));
        let of_persons = contacts.iter().chain(persons.iter().flat_map(|other| &other.found));
        let subjects = of_accounts.chain(of_persons.map(|(found, _)| found.id.into()));
        let holders = links.iter().map(|link| link.from).filter(|from| from.kind == SubjectKind::Account);
        let subjects: Vec<Subject> = subjects.chain(holders).collect();
        let mut sight = Sight::open(ctx, txn)?;
        sight.learn(txn, &subjects)?;
        // Only of whom the actor does not see it is told whose it is.
        let unseen: Vec<_> = links.iter().filter(|link| !sight.sees(link.to)).copied().collect();
        let owners = if is_hidden(ctx, &Field::Owner) { BTreeMap::new() } else { owners(txn, &unseen)? };
        for (mut found, account) in accounts {
            if !sight.sees(found.id.into()) {
                let owner = account.fields.owner.filter(|_| !is_hidden(ctx, &Field::Owner));
                self.elsewhere.push(Elsewhere::new(true, owner, found.score));
                continue;
            }
            mask(ctx, &mut found, &Field::Company);
            self.accounts.push(found);
        }
        rank(&mut self.accounts);
        let (contacts, elsewhere) = contacts_in_sight(ctx, &sight, contacts, (links, &owners));
        self.contacts = contacts;
        self.elsewhere.extend(elsewhere);
        sort_elsewhere(&mut self.elsewhere);
        for other in persons {
            if other.found.is_empty() && other.too_common.is_empty() {
                continue;
            }
            let (contacts, mut elsewhere) = contacts_in_sight(ctx, &sight, other.found, (links, &owners));
            sort_elsewhere(&mut elsewhere);
            self.persons.push(PersonMatches::new(other.person, contacts, elsewhere, other.too_common));
        }
        Ok(())
    }
}

fn sort_elsewhere(elsewhere: &mut [Elsewhere]) {
    elsewhere.sort_by(|one, other| {
        other
            .score
            .cmp(&one.score)
            .then_with(|| one.is_account.cmp(&other.is_account))
            .then_with(|| one.owner.cmp(&other.owner))
    });
}

/// The contacts in sight, the best first, with what the actor may see of them; and of the others that there are some.
fn contacts_in_sight(
    ctx: &Context<'_>,
    sight: &Sight,
    contacts: Found<ContactId, Contact>,
    (links, owners): (&[Link], &BTreeMap<Subject, UserId>),
) -> (Vec<Candidate<ContactId>>, Vec<Elsewhere>) {
    let (mut seen, mut elsewhere) = (Vec::new(), Vec::new());
    for (mut found, contact) in contacts {
        let of = |link: &&Link| link.to == Subject::from(found.id);
        if !sight.sees(found.id.into()) {
            let owner = links.iter().filter(of).find_map(|link| owners.get(&link.from).cloned());
            elsewhere.push(Elsewhere::new(false, owner, found.score));
            continue;
        }
        let mut held: Vec<_> = links
            .iter()
            .filter(of)
            .filter(|link| link.from.kind == SubjectKind::Account && sight.sees(link.from))
            .map(|link| AccountId::from_uuid(link.from.id))
            .collect();
        held.sort();
        held.dedup();
        found.accounts = held;
        let shown = contact.fields.without(|field| is_hidden(ctx, field));
        found.name = shown.display_name().unwrap_or_default().to_owned();
        mask(ctx, &mut found, &Field::Name);
        seen.push(found);
    }
    rank(&mut seen);
    (seen, elsewhere)
}

fn is_hidden(ctx: &Context<'_>, field: &Field) -> bool {
    ctx.policy().is_hidden(ctx.actor(), field)
}

/// Takes out what the actor may not see: the values behind evidence, and the name.
fn mask<I>(ctx: &Context<'_>, found: &mut Candidate<I>, name: &Field) {
    if is_hidden(ctx, name) && *name == Field::Company {
        found.name.clear();
    }
    for evidence in &mut found.evidence {
        let shown: &[Field] = match evidence.kind {
            EvidenceKind::TaxId | EvidenceKind::OtherTaxId => &[Field::TaxId],
            EvidenceKind::Email => &[Field::Email],
            EvidenceKind::Domain => &[Field::Email, Field::Website],
            EvidenceKind::Phone => &[Field::Phone],
            EvidenceKind::Company => &[Field::Company],
            EvidenceKind::Person => &[Field::Name],
            _ => &[],
        };
        if shown.iter().any(|field| is_hidden(ctx, field)) {
            evidence.value = None;
        }
    }
}

/// Who answers for the leads and accounts that have a contact.
fn owners(txn: &mut dyn Txn, links: &[Link]) -> Result<BTreeMap<Subject, UserId>> {
    let of = |kind| links.iter().map(|link| link.from).filter(move |from| from.kind == kind);
    let ids = |kind| of(kind).map(|from| from.id).collect::<BTreeSet<_>>();
    let accounts: Vec<_> = ids(SubjectKind::Account).into_iter().map(AccountId::from_uuid).collect();
    let leads: Vec<_> = ids(SubjectKind::Lead).into_iter().map(LeadId::from_uuid).collect();
    let accounts = txn.accounts().get(&accounts)?.into_iter();
    let of_accounts = accounts.filter_map(|account| Some((Subject::from(account.id), account.fields.owner?)));
    let mut owners: BTreeMap<_, _> = of_accounts.collect();
    let leads = txn.leads().get(&leads)?.into_iter();
    owners.extend(leads.filter_map(|lead: Lead| Some((Subject::from(lead.id), lead.fields.owner?))));
    Ok(owners)
}
