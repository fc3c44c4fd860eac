//! The ports for contacts and accounts.

use crate::domain::{Account, Contact};
use crate::error::Result;
use crate::id::{AccountId, ContactId};

/// Contacts of one tenant. What they belong to is said by links.
pub trait Contacts {
    /// Adds new contacts.
    ///
    /// # Errors
    /// `AlreadyExists` when an id is taken.
    fn insert(&mut self, contacts: &[Contact]) -> Result<()>;

    /// Replaces contacts whose stored revision is the one before the new one.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when the stored revision is another.
    fn update(&mut self, contacts: &[Contact]) -> Result<()>;

    /// The contacts with these ids, in the order asked; unknown ids are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn get(&mut self, ids: &[ContactId]) -> Result<Vec<Contact>>;

    /// Removes contacts for good; unknown ids are passed over. Their links and history stay: the caller makes sure that
    /// nothing leads to them.
    ///
    /// # Errors
    /// A failure of the store.
    fn remove(&mut self, ids: &[ContactId]) -> Result<()>;
}

/// Accounts of one tenant.
pub trait Accounts {
    /// Adds new accounts.
    ///
    /// # Errors
    /// `AlreadyExists` when an id or number is taken.
    fn insert(&mut self, accounts: &[Account]) -> Result<()>;

    /// Replaces accounts whose stored revision is the one before the new one.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when the stored revision is another.
    fn update(&mut self, accounts: &[Account]) -> Result<()>;

    /// The accounts with these ids, in the order asked; unknown ids are left out.
    ///
    /// # Errors
    /// A failure of the store.
    fn get(&mut self, ids: &[AccountId]) -> Result<Vec<Account>>;

    /// Accounts by number, from the one behind `after` (a number that nobody need have), at most `limit`.
    ///
    /// # Errors
    /// A failure of the store.
    fn scan(&mut self, after: Option<u64>, limit: usize) -> Result<Vec<Account>>;
}
