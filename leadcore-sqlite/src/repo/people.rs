//! Searching contacts and accounts by what they are called and reached by.

use leadcore::domain::{Account, Contact, SubjectKind};
use leadcore::error::Result;
use leadcore::store::NameSearch;
use rusqlite::types::Value;

use crate::compile::match_expression;
use crate::error::StoreResult as _;
use crate::txn::SqliteTxn;

use super::records::{ACCOUNT_COLUMNS, CONTACT_COLUMNS, account, contact};

/// Up to so many hits of the index are read and sorted; beyond, a page fills sooner by walking the names in their order.
const FEW: i64 = 5_000;

const FEW_CONTACTS: &str = "SELECT count(*) FROM (SELECT 1 FROM leadcore_contact_search WHERE leadcore_contact_search MATCH ? LIMIT ?)";
const FEW_ACCOUNTS: &str = "SELECT count(*) FROM (SELECT 1 FROM leadcore_account_search WHERE leadcore_account_search MATCH ? LIMIT ?)";

/// The parts of a query that differ.
struct Table {
    columns: &'static str,
    from: &'static str,
    by_row: &'static str,
    few: &'static str,
}

const CONTACTS: Table = Table {
    columns: CONTACT_COLUMNS,
    from: "leadcore_contact",
    by_row: "SELECT rowid FROM leadcore_contact_search WHERE leadcore_contact_search MATCH ",
    few: FEW_CONTACTS,
};
const ACCOUNTS: Table = Table {
    columns: ACCOUNT_COLUMNS,
    from: "leadcore_account",
    by_row: "SELECT rowid FROM leadcore_account_search WHERE leadcore_account_search MATCH ",
    few: FEW_ACCOUNTS,
};

impl SqliteTxn<'_> {
    /// The whole query of a page, and its parameters.
    fn people_query(
        &self,
        table: &Table,
        search: &NameSearch,
        of: Option<SubjectKind>,
    ) -> Result<(String, Vec<Value>)> {
        let expression = match_expression(&search.terms);
        let by_index = match &expression {
            None => false,
            Some(expression) => {
                let mut statement = self.prepare(table.few, "search")?;
                let count: i64 =
                    statement.query_row((expression, FEW + 1), |row| row.get(0)).store("search")?;
                count <= FEW
            }
        };
        let (columns, from) = (table.columns, table.from);
        // By row number: the index on names would visit everybody.
        let way = if by_index { " NOT INDEXED" } else { "" };
        let mut sql = format!("SELECT {columns} FROM {from} c{way} WHERE c.tenant = ?");
        let mut params: Vec<Value> = vec![self.tenant_text().to_owned().into()];
        match expression {
            Some(expression) if by_index => {
                sql.push_str(" AND c.rid IN (");
                sql.push_str(table.by_row);
                sql.push_str("?)");
                params.push(expression.into());
            }
            _ => {
                for term in &search.terms {
                    sql.push_str(" AND instr(c.search, ?) > 0");
                    params.push(term.as_str().to_owned().into());
                }
            }
        }
        if let Some(kind) = of {
            sql.push_str(" AND EXISTS (SELECT 1 FROM leadcore_link k WHERE k.tenant = c.tenant AND k.to_kind = 'contact' AND k.to_id = c.id AND k.from_kind = ?)");
            params.push(kind.code().to_owned().into());
        }
        if let Some(after) = &search.after {
            sql.push_str(" AND (c.name_key, c.id) > (?, ?)");
            params.push(after.name.clone().into());
            params.push(after.id.as_bytes().to_vec().into());
        }
        sql.push_str(" ORDER BY c.name_key, c.id LIMIT ?");
        params.push(i64::try_from(search.limit).unwrap_or(i64::MAX).into());
        Ok((sql, params))
    }

    pub(super) fn search_contacts(
        &self,
        search: &NameSearch,
        of: Option<SubjectKind>,
    ) -> Result<Vec<Contact>> {
        let (sql, params) = self.people_query(&CONTACTS, search, of)?;
        self.all(&sql, "search contacts", rusqlite::params_from_iter(params), contact)
    }

    pub(super) fn search_accounts(&self, search: &NameSearch) -> Result<Vec<Account>> {
        let (sql, params) = self.people_query(&ACCOUNTS, search, None)?;
        self.all(&sql, "search accounts", rusqlite::params_from_iter(params), account)
    }
}
