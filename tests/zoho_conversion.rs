//! A whole CRM's leads converted into the accounts, contacts and deals that its files hold: each count and each sum agrees
//! with the files, and the way back leads to where it began.
//!
//! The files are no part of the repository (see [`outside::data`](crate::support::outside::data)).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use leadcore::dedupe::matching::MatchPolicy;
use leadcore::desk::convert::{
    self, AccountChoice, ConversionOptions, ConversionOutcome, LeadConverted, OpportunityEnding,
    OpportunityRequest, PersonChoice,
};
use leadcore::desk::mass::Selection;
use leadcore::desk::opportunities::{self, OpportunityQuery};
use leadcore::desk::{Expect, accounts, contacts, leads};
use leadcore::domain::{
    Account, AccountFields, AccountStatus, ContactFields, Emails, LeadState, Opportunity, OpportunityPatch,
    OpportunityState, Phones,
};
use leadcore::error::Conflict;
use leadcore::exchange::import::ImportOptions;
use leadcore::id::{AccountId, ContactId, LeadId, UserId};
use leadcore::query::{Filter, LeadQuery};
use leadcore::time::{Date, Timestamp};
use leadcore::value::{Country, Currency, Decimal, PersonName};

use crate::support::tables::{Table, time};
use crate::support::{Host, outside};

/// How many conversions share a transaction.
const AT_A_TIME: usize = 100;

/// One deal of the file, and the lead that it says it came from.
struct Deal {
    lead: String,
    company: String,
    website: String,
    email: String,
    patch: OpportunityPatch,
    state: OpportunityState,
    closed: Date,
    amount: Decimal,
}

/// Three accounts of the file have no name: they go by their web site.
fn account_name(row: &dyn Fn(&str) -> String) -> String {
    Some(row("Account Name")).filter(|name| !name.is_empty()).unwrap_or_else(|| row("Website"))
}

fn money(text: &str) -> Decimal {
    text.trim_start_matches('$').replace(',', "").parse().expect("an amount of the file")
}

fn day(at: Timestamp) -> Date {
    at.to_string()[..10].parse().expect("a day")
}

/// What the script knows, by the ids of the files.
struct Crm {
    leads: BTreeMap<String, LeadId>,
    accounts: BTreeMap<String, AccountId>,
    /// The contacts, with their accounts, by e-mail.
    contacts: BTreeMap<String, (ContactId, AccountId)>,
    deals: Vec<Deal>,
}

impl Crm {
    fn load(host: &Host, folder: &Path) -> Self {
        let mut crm = Self {
            leads: import_leads(host, folder),
            accounts: BTreeMap::new(),
            contacts: BTreeMap::new(),
            deals: deals(folder),
        };
        crm.load_accounts(host, &Table::read(folder, "Accounts.csv"));
        crm.load_contacts(host, &Table::read(folder, "Contacts.csv"));
        crm
    }

    fn load_accounts(&mut self, host: &Host, table: &Table) {
        let rows: Vec<_> = table
            .each()
            .map(|row| {
                let fields = AccountFields {
                    name: account_name(&row),
                    website: row("Website").parse().ok(),
                    industry: Some(row("Industry")),
                    status: AccountStatus::from_code(&row("Account Type").to_lowercase()).unwrap(),
                    ..AccountFields::default()
                };
                (row("ACCOUNTID"), fields)
            })
            .collect();
        let made = host.write(|ctx, txn| {
            let each = rows
                .iter()
                .map(|(id, fields)| Ok((id.clone(), accounts::create(ctx, txn, fields.clone().into())?.id)));
            each.collect::<leadcore::error::Result<Vec<_>>>()
        });
        self.accounts.extend(made);
    }

    fn load_contacts(&mut self, host: &Host, table: &Table) {
        let region = Some(Country::parse("US").unwrap());
        let rows: Vec<_> = table
            .each()
            .map(|row| {
                let fields = ContactFields {
                    name: PersonName::parse(&row("Last Name")).ok(),
                    emails: Emails::parse(&row("Email")).unwrap(),
                    phones: Phones::parse(&row("Mobile"), region).unwrap(),
                    ..ContactFields::default()
                };
                (row("Email").to_lowercase(), self.accounts[&row("Account Id")], fields)
            })
            .collect();
        let made = host.write(|ctx, txn| {
            let each = rows.iter().map(|(email, account, fields)| {
                let contact = contacts::add(ctx, txn, *account, fields.clone(), true)?;
                Ok((email.clone(), (contact.id, *account)))
            });
            each.collect::<leadcore::error::Result<Vec<_>>>()
        });
        self.contacts.extend(made);
    }
}

fn import_leads(host: &Host, folder: &Path) -> BTreeMap<String, LeadId> {
    let mut options = ImportOptions::new().external_system("zoho");
    options.region = Some(Country::parse("US").unwrap());
    let report = host.import(std::fs::read(folder.join("Leads.csv")).unwrap(), &options);
    assert_eq!((report.created, report.rejected), (3_900, 0));
    let mut found = BTreeMap::new();
    let mut query = LeadQuery::new(Filter::everything()).limit(1_000);
    loop {
        let page = host.read(|ctx, txn| leads::list(ctx, txn, &query));
        for lead in &page.items {
            found.extend(lead.fields.external_ids.iter().map(|id| (id.id().to_owned(), lead.id)));
        }
        if page.next.is_none() {
            return found;
        }
        query = query.after(page.next);
    }
}

fn deals(folder: &Path) -> Vec<Deal> {
    let lead_table = Table::read(folder, "Leads.csv");
    let of_lead: BTreeMap<_, _> = lead_table
        .each()
        .map(|row| (row("LEADID"), (row("Company"), row("Website"), row("Email"), row("CONVERTED"))))
        .collect();
    let named = Table::read(folder, "Users.csv");
    let users: BTreeMap<_, UserId> =
        named.each().map(|row| (row("Last Name"), row("USER_ID").parse().unwrap())).collect();
    let campaign_table = Table::read(folder, "Campaigns.csv");
    let campaigns: BTreeMap<_, _> =
        campaign_table.each().map(|row| (row("CAMPAIGNID"), row("Campaign Name"))).collect();
    let table = Table::read(folder, "Potentials.csv");
    let deals: Vec<_> = table
        .each()
        .map(|row| {
            let (company, website, email, converted) = of_lead[&row("LEADID")].clone();
            assert_eq!(converted, "Yes");
            let state = match row("Forecast Type").as_str() {
                "Won" => OpportunityState::Won,
                "Lost" => OpportunityState::Lost,
                _ => OpportunityState::Open,
            };
            let (closed, amount) = (day(time(&row("Closing Date"))), money(&row("Amount")));
            let patch = OpportunityPatch::new()
                .name(&row("Potential Name"))
                .owner(Some(users[&row("Potential Owner")].clone()))
                .amount(Some(amount))
                .currency(Some(Currency::parse("USD").unwrap()))
                .probability(row("Probability").parse().ok())
                .expected_close(Some(closed))
                .campaign(Some(campaigns[&row("Campaign Id")].clone()));
            Deal { lead: row("LEADID"), company, website, email, patch, state, closed, amount }
        })
        .collect();
    let leads: BTreeSet<_> = deals.iter().map(|deal| &deal.lead).collect();
    let converted: BTreeSet<_> =
        of_lead.iter().filter(|(_, (.., converted))| converted == "Yes").map(|(id, _)| id).collect();
    assert_eq!((deals.len(), leads), (3_632, converted), "each converted lead has one deal");
    deals
}

impl Deal {
    fn options(&self) -> ConversionOptions {
        let sure = MatchPolicy::Best { at_least: 80 };
        let ending = match self.state {
            OpportunityState::Won => OpportunityEnding::Won { on: Some(self.closed) },
            OpportunityState::Lost => {
                let detail = Some("as the file says".to_owned());
                OpportunityEnding::Lost { on: Some(self.closed), reason: None, detail }
            }
            _ => OpportunityEnding::Open,
        };
        ConversionOptions::default()
            .choosing(AccountChoice::Match(sure))
            .person(PersonChoice::Match(sure))
            .with_opportunity(OpportunityRequest::new().with(self.patch.clone()).ended(ending))
    }

    /// What makes two accounts of the files the same company for the script.
    fn company(&self) -> (String, String) {
        (self.company.to_lowercase(), self.website.to_lowercase())
    }
}

/// What the files alone say: which account each lead becomes, or that several may be it.
struct Expected {
    known: BTreeMap<(String, String), Vec<AccountId>>,
    new_accounts: usize,
    new_contacts: usize,
    ambiguous: usize,
}

impl Expected {
    fn of(crm: &Crm, folder: &Path) -> Self {
        let mut known: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for row in Table::read(folder, "Accounts.csv").each() {
            let company = (account_name(&row).to_lowercase(), row("Website").to_lowercase());
            known.entry(company).or_default().push(crm.accounts[&row("ACCOUNTID")]);
        }
        Self { known, new_accounts: 0, new_contacts: 0, ambiguous: 0 }
    }

    /// Compares what became of a lead with what the files say.
    fn check(&mut self, crm: &Crm, deal: &Deal, done: &ConversionOutcome, chosen: Option<AccountId>) {
        let (account, lead) = (done.account.unwrap(), &deal.lead);
        let known = self.known.entry(deal.company()).or_default();
        if let Some((contact, of)) = crm.contacts.get(&deal.email.to_lowercase()) {
            assert_eq!((account, &done.contacts[..]), (*of, &[*contact][..]), "lead {lead} and its contact");
            return;
        }
        self.new_contacts += 1;
        match known.as_slice() {
            [] => {
                assert!(
                    !crm.accounts.values().any(|known| *known == account),
                    "lead {lead}: {}",
                    deal.company
                );
                known.push(account);
                self.new_accounts += 1;
            }
            [one] => assert_eq!(account, *one, "lead {lead} of {}", deal.company),
            several => {
                assert!(several.contains(&account) && chosen == Some(account), "lead {lead}");
                self.ambiguous += 1;
            }
        }
    }
}

/// Converts a lead; where several accounts may be it, into the likeliest, and says which that was.
fn convert_one(
    ctx: &leadcore::context::Context<'_>,
    txn: &mut dyn leadcore::store::Txn,
    (lead, options): (LeadId, ConversionOptions),
) -> leadcore::error::Result<(ConversionOutcome, Option<AccountId>)> {
    match convert::convert(ctx, txn, lead, &options) {
        Ok(done) => Ok((done, None)),
        Err(error) => match error.conflict() {
            Some(Conflict::AmbiguousMatch { candidates, .. }) => {
                let chosen = AccountId::from_uuid(candidates[0].id);
                Ok((convert::convert(ctx, txn, lead, &options.into_account(chosen))?, Some(chosen)))
            }
            _ => Err(error),
        },
    }
}

/// The files call some leads lost that they say were converted: they are taken up again first.
fn reopen(host: &Host, crm: &Crm) -> usize {
    host.write(|ctx, txn| {
        let mut reopened = 0;
        for lead in crm.deals.iter().map(|deal| crm.leads[&deal.lead]) {
            if leads::get(ctx, txn, lead)?.closing.is_some() {
                leads::reopen(ctx, txn, lead, Expect::Any)?;
                reopened += 1;
            }
        }
        Ok(reopened)
    })
}

fn convert_all(host: &Host, crm: &Crm, expected: &mut Expected) {
    for some in crm.deals.chunks(AT_A_TIME) {
        host.scene.tick();
        let done = host.write(|ctx, txn| {
            let each = some.iter().map(|deal| convert_one(ctx, txn, (crm.leads[&deal.lead], deal.options())));
            each.collect::<leadcore::error::Result<Vec<_>>>()
        });
        for (deal, (done, chosen)) in some.iter().zip(&done) {
            expected.check(crm, deal, done, *chosen);
        }
    }
}

fn all_accounts(host: &Host) -> BTreeMap<AccountId, Account> {
    let (mut all, mut after) = (BTreeMap::new(), None);
    loop {
        let page = host.read(|ctx, txn| accounts::list(ctx, txn, after, 1_000));
        all.extend(page.items.into_iter().map(|account| (account.id, account)));
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

fn persons(host: &Host, accounts: &BTreeMap<AccountId, Account>) -> BTreeMap<AccountId, Vec<ContactFields>> {
    let of = |id: &AccountId| {
        let found = host.read(|ctx, txn| contacts::of_account(ctx, txn, *id));
        found.into_iter().map(|linked| linked.contact.fields).collect()
    };
    accounts.keys().map(|id| (*id, of(id))).collect()
}

fn all_opportunities(host: &Host) -> Vec<Opportunity> {
    let (mut all, mut query) = (Vec::new(), OpportunityQuery::default());
    query.limit = 1_000;
    loop {
        let page = host.read(|ctx, txn| opportunities::list(ctx, txn, &query));
        all.extend(page.items);
        query.after = page.next;
        if query.after.is_none() {
            return all;
        }
    }
}

/// How many deals of each state there are, and what they are worth together.
fn sums(
    deals: impl Iterator<Item = (OpportunityState, Decimal)>,
) -> BTreeMap<&'static str, (usize, Decimal)> {
    let mut sums: BTreeMap<_, (usize, Decimal)> = BTreeMap::new();
    for (state, amount) in deals {
        let slot = sums.entry(state.code()).or_default();
        *slot = (slot.0 + 1, slot.1 + amount);
    }
    sums
}

#[test]
fn a_whole_crm_of_3632_converted_leads_agrees_with_its_files_and_goes_back() {
    let Some(data) = outside::data("a_whole_crm_of_3632_converted_leads_agrees_with_its_files_and_goes_back")
    else {
        return;
    };
    let folder = data.join("leads-zoho-demo");
    let mut host = Host::new();
    let crm = Crm::load(&host, &folder);
    assert_eq!((crm.leads.len(), crm.accounts.len(), crm.contacts.len()), (3_900, 2_229, 1_265));
    let before = all_accounts(&host);
    let persons_before = persons(&host, &before);

    assert_eq!(reopen(&host, &crm), 371 + 366, "of status `Lost Lead` and `Junk Lead`");
    let mut expected = Expected::of(&crm, &folder);
    convert_all(&host, &crm, &mut expected);
    host.restart();

    let after = all_accounts(&host);
    assert_eq!(after.len(), 2_229 + expected.new_accounts);
    let emails: Vec<_> = persons(&host, &after)
        .into_values()
        .flatten()
        .filter_map(|person| person.emails.primary().map(|email| email.canonical().to_owned()))
        .collect();
    assert_eq!(
        emails.len(),
        1_265 + expected.new_contacts,
        "a lead whose contact is known makes no second one"
    );
    assert_eq!(emails.iter().collect::<BTreeSet<_>>().len(), emails.len(), "no two contacts share an e-mail");
    println!(
        "accounts {} of which new {}, contacts {} of which new {}, chosen by the caller {}",
        after.len(),
        expected.new_accounts,
        emails.len(),
        expected.new_contacts,
        expected.ambiguous
    );

    let made = all_opportunities(&host);
    let by_file = sums(crm.deals.iter().map(|deal| (deal.state, deal.amount)));
    let by_store = sums(made.iter().map(|one| (one.state, one.fields.amount.unwrap())));
    assert_eq!(by_store, by_file, "to the cent");
    assert_eq!(by_file.values().map(|(count, _)| count).sum::<usize>(), 3_632);
    println!("opportunities {by_file:?}");
    let converted = Filter::eq(leadcore::domain::Field::State, LeadState::Converted.code());
    assert_eq!((host.count(&converted), host.count(&Filter::everything())), (3_632, 3_900));

    // Again: each lead tells its first outcome, and nothing is written.
    let everything = Selection::filter(converted.clone());
    let again = host.write(|ctx, txn| convert::many(ctx, txn, &everything, &ConversionOptions::default()));
    assert_eq!((again.totals.already, again.totals.done), (3_632, 0));
    let to_account: BTreeMap<_, _> = made.iter().map(|one| (one.id, one.account)).collect();
    for result in &again.results {
        let LeadConverted::Already(first) = &result.outcome else { panic!("{result:?}") };
        assert_eq!(first.account, Some(to_account[&first.opportunity.unwrap()]), "one customer for both");
    }

    // And back, the last one first.
    for some in crm.deals.rchunks(AT_A_TIME) {
        host.scene.tick();
        host.write(|ctx, txn| {
            some.iter()
                .rev()
                .try_for_each(|deal| convert::unconvert(ctx, txn, crm.leads[&deal.lead]).map(drop))
        });
    }
    host.restart();
    assert_eq!((host.count(&converted), all_opportunities(&host).len()), (0, 0));
    let back = all_accounts(&host);
    assert_eq!(back.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    for (id, account) in &before {
        assert_eq!(back[id].fields, account.fields);
    }
    assert_eq!(persons(&host, &back), persons_before);
}
