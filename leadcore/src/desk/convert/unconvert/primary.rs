//! The primary contact of an account, where a target of the host, or somebody since, made another person it: on the way back the one of
//! before is it again.

use std::ops::ControlFlow;

use crate::context::Context;
use crate::domain::{FieldChange, Link, LinkRole, NewEntry, Sequence, Subject, SubjectKind};
use crate::error::Result;
use crate::store::Txn;

use super::super::super::contacts::{PRIMARY, primary_changed};
use super::look::{Found, Look};
use super::since::back_to;
use super::{Fate, TakenBack};

/// Who was the primary contact of an account before targets of the host, or somebody since, chose another one, and who is it by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PrimaryMade {
    account: Subject,
    before: Option<Subject>,
    after: Option<Subject>,
}

impl PrimaryMade {
    /// With what an entry of the account tells, the first one first.
    pub(super) fn follow(known: Option<Self>, account: Subject, changes: &[FieldChange]) -> Option<Self> {
        let Some((before, after)) = ends(changes) else { return known };
        Some(Self { account, before: known.map_or(before, |known| known.before), after })
    }

    /// What is left of it: who chose another one since meant it. Where whom they chose went since, nobody is it.
    pub(super) fn left(self, txn: &mut dyn Txn) -> Result<Option<Self>> {
        let now = primary_of(txn, self.account)?.map(|link| link.to);
        let is_left = if now.is_some() { now == self.after } else { self.before.is_some() };
        Ok(is_left.then_some(Self { after: now, ..self }))
    }

    /// The link as it was before that choice.
    pub(super) fn undone(&self, link: &Link) -> Link {
        let role = match link.role {
            LinkRole::PrimaryContact if Some(link.to) == self.after => LinkRole::Contact,
            LinkRole::Contact if Some(link.to) == self.before => LinkRole::PrimaryContact,
            role => role,
        };
        if link.from == self.account { Link { role, ..*link } } else { *link }
    }
}

/// Who was the primary contact and who is it, where an entry tells that.
fn ends(changes: &[FieldChange]) -> Option<(Option<Subject>, Option<Subject>)> {
    let change = changes.iter().find(|change| change.field == PRIMARY)?;
    let person = |id: Option<uuid::Uuid>| id.map(|id| Subject::new(SubjectKind::Contact, id));
    Some((person(change.before.as_id()), person(change.after.as_id())))
}

/// Whether it says that an account or a lead has a person.
const fn has_person(link: &Link) -> bool {
    matches!(link.role, LinkRole::Contact | LinkRole::PrimaryContact)
}

fn primary_of(txn: &mut dyn Txn, account: Subject) -> Result<Option<Link>> {
    Ok(txn.links().from(&[account], Some(LinkRole::PrimaryContact))?.pop())
}

impl Look<'_> {
    /// Whether the conversion, or one of its targets, made this link, whoever is the primary contact by now.
    pub(super) fn is_ours(&self, link: &Link) -> bool {
        let is_it = |one: &Link| {
            one == link || has_person(one) && has_person(link) && (one.from, one.to) == (link.from, link.to)
        };
        self.found.links.iter().any(is_it)
    }

    /// An account that stays gets its primary contact back, if that person is still one of its.
    pub(super) fn primary(&mut self, txn: &mut dyn Txn) -> Result<()> {
        if self.found.primary.is_none() {
            self.found.primary = self.chosen(txn)?;
        }
        let Some(made) = self.found.primary else { return Ok(()) };
        let links = txn.links().from(&[made.account], None)?;
        let stays = |person: Subject| links.iter().any(|link| link.to == person && !self.is_ours(link));
        let is_back = match made.before {
            Some(before) => stays(before),
            None => made.after.is_some_and(stays),
        };
        if self.found.gone().contains(&made.account) || !is_back {
            self.found.primary = None;
            return Ok(());
        }
        let record = made.account;
        match self.found.plan.records.iter_mut().find(|taken| taken.record == record) {
            Some(TakenBack { fate: Fate::Restored(fields), .. }) => fields.push(PRIMARY.to_owned()),
            Some(_) => {}
            None => {
                let fate = Fate::Restored(vec![PRIMARY.to_owned()]);
                self.found.plan.records.push(TakenBack::new(record, fate));
            }
        }
        Ok(())
    }

    /// Whoever was the primary contact of an account that stays, before somebody chose one who goes: of those chosen one after the
    /// other the last one who stays.
    fn chosen(&self, txn: &mut dyn Txn) -> Result<Option<PrimaryMade>> {
        let gone = self.found.gone();
        let account = self.outcome.account.map(Subject::from).filter(|account| !gone.contains(account));
        let Some(account) = account else { return Ok(None) };
        let Some(now) = primary_of(txn, account)? else { return Ok(None) };
        // Whom the conversion itself made it, the account had none.
        if self.outcome.links.contains(&now) || !self.is_ours(&now) {
            return Ok(None);
        }
        let links = txn.links().from(&[account], Some(LinkRole::Contact))?;
        let stays = |person: &Subject| links.iter().any(|link| link.to == *person && !self.is_ours(link));
        let (mut chosen, mut before) = (now.to, None);
        back_to(txn, account, Sequence(i64::MIN), &mut |entry| {
            let Some((was, is)) = ends(&entry.changes).filter(|_| entry.subject == account) else {
                return ControlFlow::Continue(());
            };
            // How else somebody became it is not told: nothing is guessed.
            let Some(was) = was.filter(|_| is == Some(chosen)) else { return ControlFlow::Break(()) };
            chosen = was;
            before = Some(was).filter(stays);
            if before.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(before.map(|before| PrimaryMade { account, before: Some(before), after: Some(now.to) }))
    }
}

impl Found {
    /// The links that go, as they are by now: a target, or somebody since, may have made another person the primary contact.
    pub(super) fn links_now(&self, txn: &mut dyn Txn) -> Result<Vec<Link>> {
        let is_person = |link: &Link| link.from.kind == SubjectKind::Account && has_person(link);
        let (persons, mut links): (Vec<Link>, Vec<Link>) =
            self.links.iter().partition(|link| is_person(link));
        let mut accounts: Vec<_> = persons.iter().map(|link| link.from).collect();
        accounts.dedup();
        let now = txn.links().from(&accounts, None)?;
        let goes = |now: &&Link| {
            is_person(now) && persons.iter().any(|link| (link.from, link.to) == (now.from, now.to))
        };
        links.extend(now.iter().filter(goes));
        Ok(links)
    }

    /// Makes the one of before the primary contact again, unless by now it is neither the one who was found nor nobody: then a
    /// target chose on the way back.
    pub(super) fn restore_primary(&self, ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Option<NewEntry>> {
        let Some(made) = self.primary else { return Ok(None) };
        let now = primary_of(txn, made.account)?;
        if now.is_some_and(|link| Some(link.to) != made.after) {
            return Ok(None);
        }
        let persons = txn.links().from(&[made.account], Some(LinkRole::Contact))?;
        let before = persons.into_iter().find(|link| Some(link.to) == made.before);
        if before.is_none() && (now.is_none() || made.before.is_some()) {
            return Ok(None);
        }
        let change = |link: Link, role| Link { role, ..link };
        txn.links().remove(&now.into_iter().chain(before).collect::<Vec<_>>())?;
        let now_plain = now.map(|link| change(link, LinkRole::Contact));
        let again = before.map(|link| change(link, LinkRole::PrimaryContact));
        txn.links().insert(&now_plain.into_iter().chain(again).collect::<Vec<_>>())?;
        Ok(Some(primary_changed(ctx, made.account, made.after, made.before)))
    }
}
