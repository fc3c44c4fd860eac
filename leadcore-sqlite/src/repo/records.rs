//! The ports for contacts and accounts.

use leadcore::domain::{
    Account, AccountFields, AccountStatus, BlockKey, Contact, ContactFields, LeadKind, NumberPlace, Series,
    SubjectKind,
};
use leadcore::error::{Conflict, Error, Result};
use leadcore::id::{AccountId, CategoryId, ContactId, Revision, UserId};
use leadcore::store::{Accounts, Block, Contacts, NameSearch};
use leadcore::value::{Currency, TaxId, Website};
use rusqlite::{OptionalExtension as _, Row, Statement};
use uuid::Uuid;

use crate::error::StoreResult as _;
use crate::row::{Binder, Columns, signed};
use crate::txn::SqliteTxn;

use super::blocks::Of;
use super::numbers::{bind_serial, serial};

pub(crate) const CONTACT_COLUMNS: &str = "id, revision, name, salutation, first_name, last_name, name_suffix, job_title, role, emails, phones, do_not_call, description, custom, created_at, updated_at";
const INSERT_CONTACT: &str = "INSERT INTO leadcore_contact (revision, name, salutation, first_name, last_name, name_suffix, job_title, role, emails, phones, do_not_call, description, custom, created_at, updated_at, name_key, search, tenant, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const UPDATE_CONTACT: &str = "UPDATE leadcore_contact SET revision = ?, name = ?, salutation = ?, first_name = ?, last_name = ?, name_suffix = ?, job_title = ?, role = ?, emails = ?, phones = ?, do_not_call = ?, description = ?, custom = ?, created_at = ?, updated_at = ?, name_key = ?, search = ? WHERE rid = ?";
// A new row's text is at hand; an `INSERT … SELECT` would make SQLite open a savepoint of its own for each.
const ADD_CONTACT_SEARCH: &str = "INSERT INTO leadcore_contact_search (rowid, search) VALUES (?, ?)";
const ADD_ACCOUNT_SEARCH: &str = "INSERT INTO leadcore_account_search (rowid, search) VALUES (?, ?)";
// As for leads (see `leads.rs`): what the index forgets is the stored text, never one computed anew; it is read apart, before the
// row is written, so that what is refused at its first row has changed nothing.
const STORED_CONTACT: &str = "SELECT rid, CASE WHEN search = ?4 THEN NULL ELSE search END FROM leadcore_contact WHERE tenant = ?1 AND id = ?2 AND revision = ?3";
const STORED_ACCOUNT: &str = "SELECT rid, CASE WHEN search = ?4 THEN NULL ELSE search END FROM leadcore_account WHERE tenant = ?1 AND id = ?2 AND revision = ?3";
const FORGET_CONTACT: &str =
    "INSERT INTO leadcore_contact_search (leadcore_contact_search, rowid, search) VALUES ('delete', ?, ?)";
const FORGET_ACCOUNT: &str =
    "INSERT INTO leadcore_account_search (leadcore_account_search, rowid, search) VALUES ('delete', ?, ?)";
const REMOVE_CONTACT: &str = "DELETE FROM leadcore_contact WHERE tenant = ? AND id = ? RETURNING rid, search";
const REMOVE_ACCOUNT: &str = "DELETE FROM leadcore_account WHERE tenant = ? AND id = ? RETURNING rid, search";
pub(crate) const ACCOUNT_COLUMNS: &str = "id, number, revision, kind, name, status, emails, phones, website, street, city, state_region, postal_code, country, tax_id, currency, currency_symbol, industry, description, owner, category, custom, created_at, updated_at, archived_at, archived_by, series, year, written";
const INSERT_ACCOUNT: &str = "INSERT INTO leadcore_account (number, revision, kind, name, status, emails, phones, website, street, city, state_region, postal_code, country, tax_id, currency, currency_symbol, industry, description, owner, category, custom, created_at, updated_at, archived_at, archived_by, name_key, search, series, year, written, tenant, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const UPDATE_ACCOUNT: &str = "UPDATE leadcore_account SET number = ?, revision = ?, kind = ?, name = ?, status = ?, emails = ?, phones = ?, website = ?, street = ?, city = ?, state_region = ?, postal_code = ?, country = ?, tax_id = ?, currency = ?, currency_symbol = ?, industry = ?, description = ?, owner = ?, category = ?, custom = ?, created_at = ?, updated_at = ?, archived_at = ?, archived_by = ?, name_key = ?, search = ?, series = ?, year = ?, written = ? WHERE rid = ?";

impl SqliteTxn<'_> {
    /// The row of a record of the revision before this one, and its search text where that is another than the new one.
    fn stored(
        &self,
        select: &mut Statement<'_>,
        (id, revision): (Uuid, Revision),
        search: &str,
    ) -> Result<Option<(i64, Option<String>)>> {
        let what = "read a row";
        let revision = signed(before(revision).get())?;
        let asked = (self.tenant_text(), id.as_bytes().as_slice(), revision, search);
        select.query_row(asked, |row| Ok((row.get(0)?, row.get(1)?))).optional().store(what)
    }

    /// Removes a row by its id and says which it was and what the search index knows of it; none where there is none.
    fn taken(&self, remove: &mut Statement<'_>, id: Uuid) -> Result<Option<(i64, String)>> {
        let what = "remove a row";
        let mut rows = remove.query((self.tenant_text(), id.as_bytes().as_slice())).store(what)?;
        let taken = match rows.next().store(what)? {
            Some(row) => Some((row.get(0).store(what)?, row.get(1).store(what)?)),
            None => None,
        };
        // A statement that returns rows has done its work once it was asked for all of them.
        while rows.next().store(what)?.is_some() {}
        Ok(taken)
    }

    /// Why an update by id and revision found no row.
    pub(super) fn missed(&self, select: &str, what: &str, id: Uuid, expected: Revision) -> Result<Error> {
        let key = (self.tenant_text(), id.as_bytes().as_slice());
        let found = self.first(select, "read a revision", key, |row| Columns::of(row).revision())?;
        Ok(match found {
            None => Error::not_found(what),
            Some(found) => Error::conflicting(what, Conflict::StaleRevision { expected, found }),
        })
    }
}

/// The revision before the one to be written: the one that must be stored.
pub(super) const fn before(revision: Revision) -> Revision {
    Revision::new(revision.get().saturating_sub(1))
}

fn bind_contact(binder: &mut Binder<'_, '_>, contact: &Contact, search: &str) -> Result<()> {
    let fields = &contact.fields;
    binder.number(contact.revision.get())?;
    binder.person(fields.name.as_ref())?;
    binder.bind(fields.job_title.as_deref())?;
    binder.bind(fields.role.as_deref())?;
    binder.json(&fields.emails, fields.emails.is_empty())?;
    binder.json(&fields.phones, fields.phones.is_empty())?;
    binder.json(&fields.do_not_call, fields.do_not_call.is_none())?;
    binder.bind(fields.description.as_deref())?;
    binder.json(&fields.custom, fields.custom.is_empty())?;
    binder.time(contact.created_at)?;
    binder.time(contact.updated_at)?;
    binder.bind(fields.name_key())?;
    binder.bind(search)
}

pub(crate) fn contact(row: &Row<'_>) -> Result<Contact> {
    let mut columns = Columns::of(row);
    Ok(Contact {
        id: ContactId::from_uuid(columns.uuid()?),
        revision: columns.revision()?,
        fields: ContactFields {
            name: columns.person()?,
            job_title: columns.string()?,
            role: columns.string()?,
            emails: columns.emails()?,
            phones: columns.phones()?,
            do_not_call: columns.json("do-not-call mark")?,
            description: columns.string()?,
            custom: columns.json("custom fields")?,
        },
        created_at: columns.time()?,
        updated_at: columns.time()?,
    })
}

impl Contacts for SqliteTxn<'_> {
    fn insert(&mut self, contacts: &[Contact]) -> Result<()> {
        self.slice(|| {
            let mut statement = self.prepare(INSERT_CONTACT, "add a contact")?;
            let mut add_search = self.prepare(ADD_CONTACT_SEARCH, "add to the search index")?;
            for contact in contacts {
                let search = contact.fields.search_text();
                let mut binder = Binder::to(&mut statement);
                bind_contact(&mut binder, contact, search.as_str())?;
                binder.bind(self.tenant_text())?;
                binder.id(contact.id.as_uuid())?;
                statement.raw_execute().store("add a contact")?;
                let row = (self.conn.last_insert_rowid(), search.as_str());
                add_search.execute(row).store("add to the search index")?;
                self.add_blocks(Of::Contact, contact.id.as_uuid(), contact.fields.block_keys())?;
            }
            Ok(())
        })
    }

    fn update(&mut self, contacts: &[Contact]) -> Result<()> {
        self.slice(|| {
            let mut statement = self.prepare(UPDATE_CONTACT, "write a contact")?;
            let mut stored = self.prepare(STORED_CONTACT, "read a row")?;
            let mut forget = self.prepare(FORGET_CONTACT, "drop from the search index")?;
            let mut add_search = self.prepare(ADD_CONTACT_SEARCH, "add to the search index")?;
            for contact in contacts {
                let (search, id) = (contact.fields.search_text(), contact.id.as_uuid());
                let found = self.stored(&mut stored, (id, contact.revision), search.as_str())?;
                let Some((rid, old)) = found else {
                    let select = "SELECT revision FROM leadcore_contact WHERE tenant = ? AND id = ?";
                    return Err(self.missed(select, "contact", id, before(contact.revision))?);
                };
                let mut binder = Binder::to(&mut statement);
                bind_contact(&mut binder, contact, search.as_str())?;
                binder.bind(rid)?;
                statement.raw_execute().store("write a contact")?;
                if let Some(old) = old {
                    forget.execute((rid, old)).store("drop from the search index")?;
                    add_search.execute((rid, search.as_str())).store("add to the search index")?;
                }
                self.replace_blocks(Of::Contact, id, contact.fields.block_keys())?;
            }
            Ok(())
        })
    }

    fn get(&mut self, ids: &[ContactId]) -> Result<Vec<Contact>> {
        let sql = format!("SELECT {CONTACT_COLUMNS} FROM leadcore_contact WHERE tenant = ? AND id = ?");
        self.by_id(&sql, "read a contact", ids.iter().map(|id| id.as_uuid()), contact)
    }

    fn remove(&mut self, ids: &[ContactId]) -> Result<()> {
        self.slice(|| {
            let mut remove = self.prepare(REMOVE_CONTACT, "remove a contact")?;
            let mut forget = self.prepare(FORGET_CONTACT, "drop from the search index")?;
            for id in ids {
                if let Some(row) = self.taken(&mut remove, id.as_uuid())? {
                    forget.execute(row).store("drop from the search index")?;
                }
                self.replace_blocks(Of::Contact, id.as_uuid(), Vec::new())?;
            }
            Ok(())
        })
    }

    fn search(&mut self, search: &NameSearch, of: Option<SubjectKind>) -> Result<Vec<Contact>> {
        self.search_contacts(search, of)
    }

    fn blocks(&mut self, keys: &[BlockKey], limit: usize) -> Result<Vec<Block<ContactId>>> {
        self.find_blocks(Of::Contact, keys, limit, ContactId::from_uuid)
    }
}

fn bind_account(binder: &mut Binder<'_, '_>, account: &Account, search: &str) -> Result<()> {
    let fields = &account.fields;
    binder.number(account.number)?;
    binder.number(account.revision.get())?;
    binder.bind(fields.kind.code())?;
    binder.bind(fields.name.as_str())?;
    binder.bind(fields.status.code())?;
    binder.json(&fields.emails, fields.emails.is_empty())?;
    binder.json(&fields.phones, fields.phones.is_empty())?;
    binder.bind(fields.website.as_ref().map(Website::as_str))?;
    binder.address(&fields.address)?;
    binder.bind(fields.tax_id.as_ref().map(TaxId::as_str))?;
    binder.bind(fields.currency.as_ref().map(Currency::code))?;
    binder.bind(fields.currency_symbol.as_deref())?;
    binder.bind(fields.industry.as_deref())?;
    binder.bind(fields.description.as_deref())?;
    binder.bind(fields.owner.as_ref().map(UserId::as_str))?;
    binder.optional_id(fields.category.map(CategoryId::as_uuid))?;
    binder.json(&fields.custom, fields.custom.is_empty())?;
    binder.time(account.created_at)?;
    binder.time(account.updated_at)?;
    binder.bind(account.archived.as_ref().map(|archived| archived.at.as_micros()))?;
    binder.optional_id(account.archived.as_ref().map(|archived| archived.operation.as_uuid()))?;
    binder.bind(fields.name_key())?;
    binder.bind(search)?;
    bind_serial(binder, Series::Account, account.serial.as_ref())
}

pub(crate) fn account(row: &Row<'_>) -> Result<Account> {
    let mut columns = Columns::of(row);
    Ok(Account {
        id: AccountId::from_uuid(columns.uuid()?),
        number: columns.unsigned()?,
        revision: columns.revision()?,
        fields: AccountFields {
            kind: columns.code("account kind", LeadKind::from_code)?,
            name: columns.text()?.to_owned(),
            status: columns.code("account status", AccountStatus::from_code)?,
            emails: columns.emails()?,
            phones: columns.phones()?,
            website: columns.parsed("web site", Website::parse)?,
            address: columns.address()?,
            tax_id: columns.parsed("tax number", TaxId::parse)?,
            currency: columns.parsed("currency", Currency::from_stored)?,
            currency_symbol: columns.string()?,
            industry: columns.string()?,
            description: columns.string()?,
            owner: columns.parsed("owner", |text| UserId::new(text))?,
            category: columns.optional_uuid()?.map(CategoryId::from_uuid),
            custom: columns.json("custom fields")?,
        },
        created_at: columns.time()?,
        updated_at: columns.time()?,
        archived: columns.trashed()?,
        serial: serial(&mut columns)?,
    })
}

impl Accounts for SqliteTxn<'_> {
    fn insert(&mut self, accounts: &[Account]) -> Result<()> {
        self.slice(|| {
            let mut statement = self.prepare(INSERT_ACCOUNT, "add an account")?;
            let mut add_search = self.prepare(ADD_ACCOUNT_SEARCH, "add to the search index")?;
            for account in accounts {
                let search = account.fields.search_text();
                let mut binder = Binder::to(&mut statement);
                bind_account(&mut binder, account, search.as_str())?;
                binder.bind(self.tenant_text())?;
                binder.id(account.id.as_uuid())?;
                statement.raw_execute().store("add an account")?;
                let row = (self.conn.last_insert_rowid(), search.as_str());
                add_search.execute(row).store("add to the search index")?;
                self.add_blocks(Of::Account, account.id.as_uuid(), account.block_keys())?;
            }
            Ok(())
        })
    }

    fn update(&mut self, accounts: &[Account]) -> Result<()> {
        self.slice(|| {
            let mut statement = self.prepare(UPDATE_ACCOUNT, "write an account")?;
            let mut stored = self.prepare(STORED_ACCOUNT, "read a row")?;
            let mut forget = self.prepare(FORGET_ACCOUNT, "drop from the search index")?;
            let mut add_search = self.prepare(ADD_ACCOUNT_SEARCH, "add to the search index")?;
            for account in accounts {
                let (search, id) = (account.fields.search_text(), account.id.as_uuid());
                let found = self.stored(&mut stored, (id, account.revision), search.as_str())?;
                let Some((rid, old)) = found else {
                    let select = "SELECT revision FROM leadcore_account WHERE tenant = ? AND id = ?";
                    return Err(self.missed(select, "account", id, before(account.revision))?);
                };
                let mut binder = Binder::to(&mut statement);
                bind_account(&mut binder, account, search.as_str())?;
                binder.bind(rid)?;
                statement.raw_execute().store("write an account")?;
                if let Some(old) = old {
                    forget.execute((rid, old)).store("drop from the search index")?;
                    add_search.execute((rid, search.as_str())).store("add to the search index")?;
                }
                self.replace_blocks(Of::Account, id, account.block_keys())?;
            }
            Ok(())
        })
    }

    fn get(&mut self, ids: &[AccountId]) -> Result<Vec<Account>> {
        let sql = format!("SELECT {ACCOUNT_COLUMNS} FROM leadcore_account WHERE tenant = ? AND id = ?");
        self.by_id(&sql, "read an account", ids.iter().map(|id| id.as_uuid()), account)
    }

    fn remove(&mut self, ids: &[AccountId]) -> Result<()> {
        self.slice(|| {
            let mut remove = self.prepare(REMOVE_ACCOUNT, "remove an account")?;
            let mut forget = self.prepare(FORGET_ACCOUNT, "drop from the search index")?;
            for id in ids {
                if let Some(row) = self.taken(&mut remove, id.as_uuid())? {
                    forget.execute(row).store("drop from the search index")?;
                }
                self.replace_blocks(Of::Account, id.as_uuid(), Vec::new())?;
            }
            Ok(())
        })
    }

    fn scan(&mut self, after: Option<NumberPlace>, limit: usize) -> Result<Vec<Account>> {
        let sql = format!(
            "SELECT {ACCOUNT_COLUMNS} FROM leadcore_account WHERE tenant = ? AND (number, id) > (?, ?) ORDER BY number, id LIMIT ?"
        );
        let after = after.unwrap_or(NumberPlace { number: 0, id: Uuid::nil() });
        // Behind a number that cannot be stored there is nothing.
        let Ok(number) = i64::try_from(after.number) else { return Ok(Vec::new()) };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let row = (self.tenant_text(), number, after.id.as_bytes().as_slice(), limit);
        self.all(&sql, "list accounts", row, account)
    }

    fn search(&mut self, search: &NameSearch) -> Result<Vec<Account>> {
        self.search_accounts(search)
    }

    fn blocks(&mut self, keys: &[BlockKey], limit: usize) -> Result<Vec<Block<AccountId>>> {
        self.find_blocks(Of::Account, keys, limit, AccountId::from_uuid)
    }
}
