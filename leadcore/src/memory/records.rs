//! Contacts, accounts, links and the journal in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{
    Account, BlockKey, Contact, Entry, Link, LinkRole, NewEntry, NumberPlace, Operation, OperationKind,
    SearchText, Sequence, Subject, SubjectKind, Topics,
};
use crate::error::{Error, Result};
use crate::id::{AccountId, ContactId, OperationId};
use crate::store::{Accounts, Block, Contacts, Journal, Links, NamePlace, NameSearch};

use super::{MemoryTxn, State, check_revision, exists, previous};

impl Contacts for MemoryTxn {
    fn insert(&mut self, contacts: &[Contact]) -> Result<()> {
        let state = self.writable()?;
        let mut map = BTreeMap::clone(&state.contacts);
        for contact in contacts {
            if map.insert(contact.id, contact.clone()).is_some() {
                return Err(exists("contact", "id"));
            }
        }
        state.contacts = Arc::new(map);
        Ok(())
    }

    fn update(&mut self, contacts: &[Contact]) -> Result<()> {
        let state = self.writable()?;
        let mut map = BTreeMap::clone(&state.contacts);
        for contact in contacts {
            let stored = map.get(&contact.id).ok_or_else(|| Error::not_found("contact"))?;
            check_revision("contact", stored.revision, previous(contact.revision))?;
            map.insert(contact.id, contact.clone());
        }
        state.contacts = Arc::new(map);
        Ok(())
    }

    fn get(&mut self, ids: &[ContactId]) -> Result<Vec<Contact>> {
        Ok(ids.iter().filter_map(|id| self.state.contacts.get(id)).cloned().collect())
    }

    fn remove(&mut self, ids: &[ContactId]) -> Result<()> {
        let contacts = Arc::make_mut(&mut self.writable()?.contacts);
        ids.iter().for_each(|id| drop(contacts.remove(id)));
        Ok(())
    }

    fn search(&mut self, search: &NameSearch, of: Option<SubjectKind>) -> Result<Vec<Contact>> {
        let links = &self.state.links;
        let is_of = |contact: &Contact| {
            let to = Subject::from(contact.id);
            of.is_none_or(|kind| links.iter().any(|link| link.to == to && link.from.kind == kind))
        };
        let contacts = self.state.contacts.values().filter(|contact| is_of(contact)).map(|contact| {
            let place = NamePlace { name: contact.fields.name_key(), id: contact.id.as_uuid() };
            (place, contact.fields.search_text(), contact)
        });
        Ok(found(search, contacts))
    }

    fn blocks(&mut self, keys: &[BlockKey], limit: usize) -> Result<Vec<Block<ContactId>>> {
        let contacts = self.state.contacts.values().map(|contact| (contact.id, contact.fields.block_keys()));
        Ok(blocks(&contacts.collect::<Vec<_>>(), keys, limit))
    }
}

/// The blocks of these keys; records come by id.
pub(super) fn blocks<I: Copy>(
    records: &[(I, Vec<BlockKey>)],
    keys: &[BlockKey],
    limit: usize,
) -> Vec<Block<I>> {
    let block = |key: &BlockKey| {
        let having = || records.iter().filter(|(_, own)| own.contains(key)).map(|(id, _)| *id);
        let block = Block {
            key: key.clone(),
            ids: having().take(limit).collect(),
            is_cut: having().nth(limit).is_some(),
        };
        (!block.ids.is_empty() || block.is_cut).then_some(block)
    };
    keys.iter().filter_map(block).collect()
}

/// The records that match, in the order of their places.
fn found<'r, T: Clone + 'r>(
    search: &NameSearch,
    records: impl Iterator<Item = (NamePlace, SearchText, &'r T)>,
) -> Vec<T> {
    let mut matching: Vec<_> = records
        .filter(|(place, text, _)| {
            search.after.as_ref().is_none_or(|after| place > after)
                && search.terms.iter().all(|term| text.as_str().contains(term.as_str()))
        })
        .map(|(place, _, record)| (place, record))
        .collect();
    matching.sort_by(|(a, _), (b, _)| a.cmp(b));
    matching.into_iter().take(search.limit).map(|(_, record)| record.clone()).collect()
}

impl Accounts for MemoryTxn {
    fn insert(&mut self, accounts: &[Account]) -> Result<()> {
        let state = self.writable()?;
        let mut map = BTreeMap::clone(&state.accounts);
        for account in accounts {
            let numbers = |known: &Account| (known.number, known.serial.clone());
            let own = numbers(account);
            if map.values().any(|known| super::numbers::clash(&numbers(known), &own)) {
                return Err(exists("account", "number"));
            }
            if map.insert(account.id, account.clone()).is_some() {
                return Err(exists("account", "id"));
            }
        }
        state.accounts = Arc::new(map);
        Ok(())
    }

    fn update(&mut self, accounts: &[Account]) -> Result<()> {
        let state = self.writable()?;
        let mut map = BTreeMap::clone(&state.accounts);
        for account in accounts {
            let stored = map.get(&account.id).ok_or_else(|| Error::not_found("account"))?;
            check_revision("account", stored.revision, previous(account.revision))?;
            map.insert(account.id, account.clone());
        }
        state.accounts = Arc::new(map);
        Ok(())
    }

    fn get(&mut self, ids: &[AccountId]) -> Result<Vec<Account>> {
        Ok(ids.iter().filter_map(|id| self.state.accounts.get(id)).cloned().collect())
    }

    fn remove(&mut self, ids: &[AccountId]) -> Result<()> {
        let accounts = Arc::make_mut(&mut self.writable()?.accounts);
        accounts.retain(|id, _| !ids.contains(id));
        Ok(())
    }

    fn scan(&mut self, after: Option<NumberPlace>, limit: usize) -> Result<Vec<Account>> {
        let behind = |account: &&Account| after.is_none_or(|after| account.place() > after);
        let mut accounts: Vec<_> = self.state.accounts.values().filter(behind).cloned().collect();
        accounts.sort_by_key(Account::place);
        accounts.truncate(limit);
        Ok(accounts)
    }

    fn search(&mut self, search: &NameSearch) -> Result<Vec<Account>> {
        let accounts = self.state.accounts.values().map(|account| {
            let place = NamePlace { name: account.fields.name_key(), id: account.id.as_uuid() };
            (place, account.fields.search_text(), account)
        });
        Ok(found(search, accounts))
    }

    fn blocks(&mut self, keys: &[BlockKey], limit: usize) -> Result<Vec<Block<AccountId>>> {
        let accounts = self.state.accounts.values().map(|account| (account.id, account.block_keys()));
        Ok(blocks(&accounts.collect::<Vec<_>>(), keys, limit))
    }
}

impl Links for MemoryTxn {
    fn insert(&mut self, links: &[Link]) -> Result<()> {
        Arc::make_mut(&mut self.writable()?.links).extend(links);
        Ok(())
    }

    fn remove(&mut self, links: &[Link]) -> Result<()> {
        let known = Arc::make_mut(&mut self.writable()?.links);
        for link in links {
            known.remove(link);
        }
        Ok(())
    }

    fn from(&mut self, subjects: &[Subject], role: Option<LinkRole>) -> Result<Vec<Link>> {
        let wanted =
            |link: &&Link| subjects.contains(&link.from) && role.is_none_or(|role| link.role == role);
        let mut links: Vec<_> = self.state.links.iter().filter(wanted).copied().collect();
        links.sort_by_key(|link| (link.to.id, link.role, link.from));
        Ok(links)
    }

    fn to(&mut self, subjects: &[Subject], role: Option<LinkRole>) -> Result<Vec<Link>> {
        let wanted = |link: &&Link| subjects.contains(&link.to) && role.is_none_or(|role| link.role == role);
        let mut links: Vec<_> = self.state.links.iter().filter(wanted).copied().collect();
        links.sort_by_key(|link| (link.from.id, link.role, link.to));
        Ok(links)
    }
}

impl State {
    fn check_operation_key(&self, operation: &Operation) -> Result<()> {
        let taken = operation.key.is_some()
            && self.operations.values().any(|known| {
                known.id != operation.id && known.kind == operation.kind && known.key == operation.key
            });
        if taken { Err(exists("operation", "key")) } else { Ok(()) }
    }

    fn entry(&self, at: usize) -> Option<Entry> {
        let (id, entry) = self.entries.get(at)?;
        let operation = self.operations.get(id)?;
        Some(Entry {
            sequence: Sequence(i64::try_from(at).ok()?.saturating_add(1)),
            operation: *id,
            operation_kind: operation.kind,
            actor: operation.actor.clone(),
            at: entry.at,
            subject: entry.subject,
            action: entry.action,
            other: entry.other,
            changes: entry.changes.clone(),
            topics: entry.topics(),
        })
    }
}

/// The index of the entry with this sequence.
fn index(sequence: Sequence) -> usize {
    usize::try_from(sequence.0.saturating_sub(1)).unwrap_or(0)
}

impl Journal for MemoryTxn {
    fn begin(&mut self, operation: &Operation) -> Result<()> {
        let state = self.writable()?;
        state.check_operation_key(operation)?;
        if state.operations.contains_key(&operation.id) {
            return Err(exists("operation", "id"));
        }
        Arc::make_mut(&mut state.operations).insert(operation.id, operation.clone());
        Ok(())
    }

    fn update(&mut self, operation: &Operation) -> Result<()> {
        let state = self.writable()?;
        state.check_operation_key(operation)?;
        let stored = Arc::make_mut(&mut state.operations)
            .get_mut(&operation.id)
            .ok_or_else(|| Error::not_found("operation"))?;
        stored.key.clone_from(&operation.key);
        stored.state = operation.state;
        stored.outcome.clone_from(&operation.outcome);
        Ok(())
    }

    fn operation(&mut self, id: OperationId) -> Result<Option<Operation>> {
        Ok(self.state.operations.get(&id).cloned())
    }

    fn find(&mut self, kind: OperationKind, key: &str) -> Result<Option<Operation>> {
        let mut operations = self.state.operations.values();
        Ok(operations.find(|known| known.kind == kind && known.key.as_deref() == Some(key)).cloned())
    }

    fn append(&mut self, operation: OperationId, entries: &[NewEntry]) -> Result<()> {
        let state = self.writable()?;
        if !state.operations.contains_key(&operation) {
            return Err(Error::not_found("operation"));
        }
        Arc::make_mut(&mut state.entries).extend(entries.iter().map(|entry| (operation, entry.clone())));
        Ok(())
    }

    fn about(
        &mut self,
        subjects: &[Subject],
        topics: Topics,
        before: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        let end = before.map_or(self.state.entries.len(), index).min(self.state.entries.len());
        let wanted = self.state.entries.iter().enumerate().take(end).rev();
        Ok(wanted
            .filter(|(_, (_, entry))| {
                let other = entry.other.filter(|_| entry.subject.kind.is_child());
                let about =
                    subjects.contains(&entry.subject) || other.is_some_and(|other| subjects.contains(&other));
                about && (topics.is_empty() || topics.meets(entry.topics()))
            })
            .filter_map(|(at, _)| self.state.entry(at))
            .take(limit)
            .collect())
    }

    fn replay(
        &mut self,
        operation: Option<OperationId>,
        after: Option<Sequence>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        // The entry with sequence n is at index n - 1: as many are passed over as the place says.
        let begin = after.map_or(0, |sequence| usize::try_from(sequence.0).unwrap_or(0));
        let wanted = self.state.entries.iter().enumerate().skip(begin);
        Ok(wanted
            .filter(|(_, (id, _))| operation.is_none_or(|operation| *id == operation))
            .filter_map(|(at, _)| self.state.entry(at))
            .take(limit)
            .collect())
    }

    fn end(&mut self) -> Result<Sequence> {
        Ok(Sequence(i64::try_from(self.state.entries.len()).unwrap_or(i64::MAX)))
    }
}
