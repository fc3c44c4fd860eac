//! Taking back what happened to what hangs on leads: notes, tasks, files …
//!
//! The journal holds such a record whole, before and after. Where it still is what the operation made of it, what it was
//! before is written back; edited since, it is kept as it is.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Context;
use crate::domain::{Entry, FieldChange, FieldValue, Kept, Placement, Subject, SubjectKind, WhyKept};
use crate::error::{ErrorKind, Result};
use crate::id::{AccountId, ContactId, LeadId};
use crate::store::Txn;

use super::super::children::{self, Child, IMAGE, KEPT, Sight};
use super::super::children_purge;
use super::stories::Story;
use super::withdrawn::is_withdrawn;
use super::{UndoFailure, UndoRecord};
use crate::domain::NewEntry;

/// What the actor may see and write of such records, asked once for an undo.
pub(super) struct Hands {
    view: Sight,
    edit: Option<Sight>,
    /// What came back so far, with what it is about, and what went: a plan writes nothing, and yet says what an undo does.
    back: BTreeMap<Subject, Vec<Subject>>,
    gone: BTreeSet<Subject>,
}

impl Hands {
    pub(super) fn open(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Self> {
        let edit = match Sight::for_undo(ctx, txn) {
            Ok(sight) => Some(sight),
            Err(error) if error.kind() == ErrorKind::Denied => None,
            Err(error) => return Err(error),
        };
        let (back, gone) = (BTreeMap::new(), BTreeSet::new());
        Ok(Self { view: Sight::open(ctx, txn)?, edit, back, gone })
    }

    /// These records, with what came back among them as what it is about.
    fn held(&self, about: &[Subject]) -> Vec<Subject> {
        let mut held = BTreeSet::new();
        let mut todo = about.to_vec();
        while let Some(subject) = todo.pop() {
            match self.back.get(&subject) {
                Some(about) => todo.extend(about),
                None => drop(held.insert(subject)),
            }
        }
        held.into_iter().collect()
    }

    /// Why the actor may not take back something about these records: it may where it may write one of them, or the
    /// account that one became, and all of those that come back to it.
    fn refuse(
        &mut self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        about: &[Subject],
        new: &[Subject],
    ) -> Result<Option<UndoFailure>> {
        let (about, new) = (&self.held(about), &self.held(new));
        let became = children::became_for_change(ctx, txn, about)?;
        let mut all = about.clone();
        all.extend(became.values().flatten());
        self.view.learn(txn, &all)?;
        if !self.view.shows(&all) {
            return Ok(Some(UndoFailure::NotFound));
        }
        let Some(edit) = &mut self.edit else { return Ok(Some(UndoFailure::Forbidden)) };
        edit.learn(txn, &all)?;
        let writes = |subject: &Subject| {
            edit.sees(*subject)
                || became.get(subject).is_some_and(|became| became.iter().any(|one| edit.sees(*one)))
        };
        if about.iter().any(writes) && new.iter().all(writes) {
            return Ok(None);
        }
        let leads = children::of_kind(about, SubjectKind::Lead).count();
        let frozen = leads > 0 && leads == became.keys().filter(|one| one.kind == SubjectKind::Lead).count();
        Ok(Some(if frozen { UndoFailure::Converted } else { UndoFailure::Forbidden }))
    }
}

/// What becomes of a child; written, when `write` says so.
pub(super) fn take_back<C: Child>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    (hands, write): (&mut Hands, bool),
    subject: Subject,
    story: &Story,
    entries: &mut Vec<NewEntry>,
) -> Result<UndoRecord> {
    let kept = |why| {
        let field = story.own.first().map_or("record", |entry| entry.action.code()).to_owned();
        UndoRecord { kept: vec![Kept { field, why }], ..UndoRecord::new(subject) }
    };
    let Some((before, after)) = images::<C>(&story.own) else { return Ok(kept(WhyKept::Unsupported)) };
    let now = C::load(txn, &[subject.id])?.pop();
    let then = before.as_ref().map_or(&[][..], Child::about);
    let is = now.as_ref().map_or(then, Child::about).to_vec();
    // What comes back from nowhere needs one record that may be written, as its removal did.
    let there = existing(txn, hands, then)?;
    let new: Vec<_> = there.iter().filter(|about| !is.contains(about)).copied().collect();
    let about: BTreeSet<_> = is.iter().chain(&new).copied().collect();
    if let Some(why) = hands.refuse(ctx, txn, &about.into_iter().collect::<Vec<_>>(), &new)? {
        return Ok(UndoRecord::fail(subject, why));
    }
    // The products of a lead are its own, and frozen with it.
    if subject.kind == SubjectKind::Lines {
        let leads = txn.leads().get(&[LeadId::from_uuid(subject.id)])?;
        if leads.iter().any(|lead| lead.conversion.is_some()) {
            return Ok(UndoRecord::fail(subject, UndoFailure::Converted));
        }
    }
    if !alike(now.as_ref(), after.as_ref()) || story.is_written_over(IMAGE) {
        return Ok(kept(WhyKept::Edited));
    }
    let before = match before {
        // The way back of the conversion that made it would have taken it too.
        Some(_) if now.is_none() && is_withdrawn(txn, subject)? => return Ok(kept(WhyKept::Reversed)),
        // Everything that it was about is gone, or what it means.
        Some(child) if !is_meant(txn, hands, now.as_ref(), &child)? => return Ok(kept(WhyKept::Gone)),
        Some(_) if !children::holds(subject.kind, there.iter().copied()) => return Ok(kept(WhyKept::Gone)),
        Some(mut child) => {
            child.set_about(there);
            Some(child)
        }
        None => None,
    };
    if let Some(before) = &before
        && !C::can_return(txn, now.as_ref(), before)?
    {
        return Ok(kept(if now.is_some() { WhyKept::InUse } else { WhyKept::Gone }));
    }
    if let (Some(now), None) = (&now, &before)
        && !C::can_leave(txn, now)?
    {
        return Ok(kept(WhyKept::InUse));
    }
    if write {
        match (now, before) {
            (Some(now), Some(before)) => entries.extend(children::replace(ctx, txn, &now, before)?.1),
            (Some(now), None) => {
                entries.extend(children_purge::clear(ctx, txn, subject)?);
                entries.extend(children::take_away(ctx, txn, &now)?);
            }
            (None, Some(before)) => {
                entries.extend(children::bring_back(ctx, txn, before)?);
                let kept = story.own.iter().flat_map(|entry| &entry.changes);
                if let Some(kept) = kept.rev().find(|change| change.field == KEPT) {
                    C::resume(ctx, txn, subject.id, &kept.before)?;
                }
            }
            (None, None) => {}
        }
    } else {
        match (now, before) {
            (Some(_), None) => drop(hands.gone.insert(subject)),
            (None, Some(before)) => drop(hands.back.insert(subject, before.about().to_vec())),
            _ => {}
        }
    }
    Ok(UndoRecord { reversed: reversed(&story.own), ..UndoRecord::new(subject) })
}

/// Whether what a child means that comes back is there.
fn is_meant<C: Child>(txn: &mut dyn Txn, hands: &Hands, now: Option<&C>, child: &C) -> Result<bool> {
    let means = child.means().filter(|means| now.and_then(Child::means) != Some(*means));
    means.map_or(Ok(true), |means| Ok(!existing(txn, hands, &[means])?.is_empty()))
}

fn image(entry: &Entry) -> Option<&FieldChange> {
    entry.changes.iter().find(|change| change.field == IMAGE)
}

/// What the operation found and what it left; none where the journal does not say it.
fn images<C: Child>(own: &[Entry]) -> Option<(Option<C>, Option<C>)> {
    fn read<C: Child>(value: &FieldValue) -> Option<Option<C>> {
        match value {
            FieldValue::Empty => Some(None),
            FieldValue::Text(json) => serde_json::from_str(json).ok().map(Some),
            _ => None,
        }
    }
    let mut images = own.iter().filter_map(image);
    let newest = images.next()?;
    let oldest = images.next_back().unwrap_or(newest);
    Some((read(&oldest.before)?, read(&newest.after)?))
}

/// Whether both say the same, whenever they were written.
fn alike<C: Child>(now: Option<&C>, then: Option<&C>) -> bool {
    match (now, then) {
        (Some(now), Some(then)) => {
            let (mut now, mut then) = (now.clone(), then.clone());
            let (revision, at) = (now.revision(), now.placement().at);
            now.renew(revision, at);
            then.renew(revision, at);
            now == then
        }
        (None, None) => true,
        _ => false,
    }
}

/// What is taken back: the fields that changed, or that the child came or went.
fn reversed(own: &[Entry]) -> Vec<String> {
    let mut reversed = BTreeSet::new();
    for entry in own {
        let told =
            entry.changes.iter().filter(|change| change.field != IMAGE && change.before != change.after);
        let mut told = told.map(|change| change.field.clone()).peekable();
        if entry.action == crate::domain::Action::Updated && told.peek().is_some() {
            reversed.extend(told);
        } else {
            reversed.insert(entry.action.code().to_owned());
        }
    }
    reversed.into_iter().collect()
}

fn of_kind<T>(subjects: &[Subject], kind: SubjectKind, id: impl Fn(uuid::Uuid) -> T) -> Vec<T> {
    subjects.iter().filter(|subject| subject.kind == kind).map(|subject| id(subject.id)).collect()
}

/// Those of these records that there are, in the trash too.
fn existing(txn: &mut dyn Txn, hands: &Hands, about: &[Subject]) -> Result<Vec<Subject>> {
    let mut there: BTreeSet<Subject> = BTreeSet::new();
    let leads = txn.leads().get(&of_kind(about, SubjectKind::Lead, LeadId::from_uuid))?;
    there.extend(leads.iter().map(|lead| Subject::from(lead.id)));
    let contacts = txn.contacts().get(&of_kind(about, SubjectKind::Contact, ContactId::from_uuid))?;
    there.extend(contacts.iter().map(|contact| Subject::from(contact.id)));
    let children: Vec<_> = about.iter().filter(|subject| subject.kind.is_child()).copied().collect();
    let children = txn.children().placements(&children)?;
    // One that is archived has no page, nor has an opportunity that it kept: nothing comes back to where nobody sees or edits it.
    let deals = children.iter().filter(|one| one.child.kind == SubjectKind::Opportunity);
    let holders: Vec<_> = deals.flat_map(|one| &one.about).chain(about).copied().collect();
    let mut accounts = txn.accounts().get(&of_kind(&holders, SubjectKind::Account, AccountId::from_uuid))?;
    accounts.retain(|account| account.archived.is_none());
    let open: BTreeSet<_> = accounts.iter().map(|account| Subject::from(account.id)).collect();
    let is_open = |one: &Placement| {
        one.child.kind != SubjectKind::Opportunity || one.about.iter().any(|about| open.contains(about))
    };
    there.extend(children.iter().filter(|one| is_open(one)).map(|one| one.child));
    there.extend(&open);
    let is_there = |subject: &&Subject| {
        hands.back.contains_key(subject) || there.contains(subject) && !hands.gone.contains(subject)
    };
    Ok(about.iter().filter(is_there).copied().collect())
}
