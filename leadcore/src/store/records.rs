//! The ports for contacts and accounts.

use uuid::Uuid;

use crate::domain::{Account, BlockKey, Contact, NumberPlace, SubjectKind};
use crate::error::Result;
use crate::id::{AccountId, ContactId};
use crate::query::Term;

/// A search for persons or accounts by what they are called and reached by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameSearch {
    /// The search text has each of these; without any, everything matches.
    pub terms: Vec<Term>,
    /// From behind this place.
    pub after: Option<NamePlace>,
    /// At most so many.
    pub limit: usize,
}

/// A place in a list that is sorted by name, and by id where names are the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamePlace {
    /// The folded name before.
    pub name: String,
    /// The id before.
    pub id: Uuid,
}

/// The records that have one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block<I> {
    /// The key.
    pub key: BlockKey,
    /// The records, by id.
    pub ids: Vec<I>,
    /// Whether there are more than were asked for.
    pub is_cut: bool,
}

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

    /// The contacts whose [search text](crate::domain::ContactFields::search_text) has every term, by
    /// [name](crate::domain::ContactFields::name_key), then by id; only those that a record of kind `of` is linked with, when
    /// that is said.
    ///
    /// # Errors
    /// A failure of the store.
    fn search(&mut self, search: &NameSearch, of: Option<SubjectKind>) -> Result<Vec<Contact>>;

    /// The contacts that have one of these [keys](crate::domain::ContactFields::block_keys): a block for each key that
    /// somebody has, in the order asked, with the first `limit` of them by id. Looked up in an index that is kept with every
    /// write.
    ///
    /// # Errors
    /// A failure of the store.
    fn blocks(&mut self, keys: &[BlockKey], limit: usize) -> Result<Vec<Block<ContactId>>>;
}

/// Accounts of one tenant.
pub trait Accounts {
    /// Adds new accounts.
    ///
    /// # Errors
    /// `AlreadyExists` when an id is taken, a number in its series, or a written number in any.
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

    /// Removes accounts for good; unknown ids are passed over. Their links and history stay: the caller makes sure that nothing
    /// leads to them. Their numbers are not given again.
    ///
    /// # Errors
    /// A failure of the store.
    fn remove(&mut self, ids: &[AccountId]) -> Result<()>;

    /// Accounts by number, those of several series with one number by id, from behind `after` (a place that nobody need
    /// have), at most `limit`.
    ///
    /// # Errors
    /// A failure of the store.
    fn scan(&mut self, after: Option<NumberPlace>, limit: usize) -> Result<Vec<Account>>;

    /// The accounts whose [search text](crate::domain::AccountFields::search_text) has every term, by
    /// [name](crate::domain::AccountFields::name_key), then by id.
    ///
    /// # Errors
    /// A failure of the store.
    fn search(&mut self, search: &NameSearch) -> Result<Vec<Account>>;

    /// The accounts that have one of these [keys](crate::domain::Account::block_keys): a block for each key that one has,
    /// in the order asked, with the first `limit` of them by id. Looked up in an index that is kept with every write: an account
    /// that is archived loses most of its keys, and has them again when it comes back.
    ///
    /// # Errors
    /// A failure of the store.
    fn blocks(&mut self, keys: &[BlockKey], limit: usize) -> Result<Vec<Block<AccountId>>>;
}
