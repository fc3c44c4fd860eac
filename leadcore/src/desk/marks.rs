//! Who must not be reached, or cannot: marks on addresses of leads and persons, with reason and date (X.39).
//!
//! A mark asks for none of the tenant's rules: what a lead lacks in other fields is no reason to go on calling.

use crate::context::Context;
use crate::domain::conversion_mapping::Consent;
use crate::domain::{
    Action, AddressMark, Contact, Field, FieldChange, Lead, LeadFields, MarkNote, NewEntry, OperationKind,
    ReachChannel, ReachMark, Subject, SubjectKind, Topics, contact_changes,
};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::{ContactId, LeadId};
use crate::policy::Permission;
use crate::store::{LeadChange, Txn};
use crate::value::Country;

use super::access::{Expect, check_fields, editable, masked};
use super::children::Sight;
use super::contacts::mask;
use super::leads::touch;
use super::operation::record;

const fn field(channel: ReachChannel) -> Field {
    match channel {
        ReachChannel::Email => Field::Email,
        ReachChannel::Phone => Field::Phone,
    }
}

/// Marks one address or number of a lead as opted out or not working, or takes the mark off. A mark that is there keeps
/// its date.
///
/// ```
/// use leadcore::desk::{Expect, leads};
/// use leadcore::domain::{AddressMark, Emails, ReachChannel};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let fields = LeadFields { emails: Emails::parse("a@nordlys.example")?, ..LeadFields::company("Nordlys AS")? };
/// let lead = store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, fields.clone().into())?;
///     let bounced = AddressMark::bounced(ReachChannel::Email, "a@nordlys.example").because("550 unknown user");
///     leads::mark_address(&ctx, txn, lead.id, Expect::Any, &bounced)
/// })?;
/// assert!(lead.fields.emails.entries()[0].invalid);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` once converted; `Conflict` when the revision is another than expected; `Invalid` for a
/// lead without this address (field `address`), or a reason that is too long (field `reason`).
pub fn mark_address(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    expect: impl Into<Expect>,
    mark: &AddressMark,
) -> Result<Lead> {
    change_lead(ctx, txn, lead, expect.into(), &field(mark.channel), |fields| {
        let region = fields.phone_region();
        mark.apply(&mut fields.emails, &mut fields.phones, region, ctx.now())
    })
}

/// Nobody may call a lead any more: every number that it has is marked as opted out. Numbers that are marked already
/// keep their date. The person that the lead becomes is not called either, whatever
/// other numbers it has.
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` once converted; `Conflict` when the revision is another than expected; `Invalid` for an
/// actor who may not see phones, and for a lead without a number (field `phone`), which has nothing to mark.
pub fn do_not_call_lead(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    expect: impl Into<Expect>,
    note: &MarkNote,
) -> Result<Lead> {
    change_lead(ctx, txn, lead, expect.into(), &Field::Phone, |fields| {
        if fields.phones.is_empty() {
            let message = "the lead has no number to mark: add one, or a person who must not be called";
            return Err(Violation::new(Field::Phone.key(), ViolationCode::Required, message));
        }
        fields.phones.mark_all(ReachMark::OptedOut, &note.clone().over(None, ctx.now()));
        Ok(())
    })
}

fn change_lead(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    lead: LeadId,
    expect: Expect,
    field: &Field,
    change: impl FnOnce(&mut LeadFields) -> std::result::Result<(), Violation>,
) -> Result<Lead> {
    let before = editable(ctx, txn, lead, expect, Permission::Edit)?;
    check_fields(ctx, std::iter::once(field))?;
    let mut after = before.clone();
    change(&mut after.fields).map_err(|broken| Error::invalid(vec![broken]))?;
    if after.fields == before.fields {
        return Ok(masked(ctx, before));
    }
    let entry = touch(ctx, &before, &mut after, Action::Updated);
    txn.leads().update(&[LeadChange { before, after: after.clone() }])?;
    record(ctx, txn, OperationKind::Edit, &[entry])?;
    Ok(masked(ctx, after))
}

/// Marks one address or number of a person as opted out or not working, or takes the mark off. A mark that is there keeps
/// its date; where a conversion said it, the history tells that it was said again, and the way back of the conversion leaves
/// it. It is for whoever may edit a lead or an account that has the person, also after the conversion.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected; `Invalid` for a person without this
/// address (field `address`), or a reason that is too long (field `reason`).
pub fn mark(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    contact: ContactId,
    expect: impl Into<Expect>,
    mark: &AddressMark,
) -> Result<Contact> {
    change_contact(ctx, txn, contact, expect.into(), &field(mark.channel), |contact, region| {
        mark.apply(&mut contact.fields.emails, &mut contact.fields.phones, region, ctx.now())
    })
}

/// Nobody may call a person any more, by whatever number; or, without a note, they may again. What is so already keeps
/// its date.
///
/// # Errors
/// `NotFound`, `Denied`; `Conflict` when the revision is another than expected; `Invalid` for an actor who may not see
/// phones.
pub fn do_not_call(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    contact: ContactId,
    expect: impl Into<Expect>,
    note: Option<&MarkNote>,
) -> Result<Contact> {
    change_contact(ctx, txn, contact, expect.into(), &Field::Phone, |contact, _| {
        let known = contact.fields.do_not_call.take();
        contact.fields.do_not_call = note.map(|note| note.clone().over(known, ctx.now()));
        Ok(())
    })
}

fn change_contact(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    contact: ContactId,
    expect: Expect,
    field: &Field,
    change: impl Fn(&mut Contact, Option<Country>) -> std::result::Result<(), Violation>,
) -> Result<Contact> {
    let subject = Subject::from(contact);
    let mut sight = Sight::open(ctx, txn)?;
    sight.learn(txn, &[subject])?;
    let found = if sight.sees(subject) { txn.contacts().get(&[contact])?.pop() } else { None };
    let before = found.ok_or_else(|| Error::not_found("contact"))?;
    let mut writing = Sight::of(ctx, txn, Permission::Edit)?;
    writing.learn(txn, &[subject])?;
    if !writing.sees(subject) {
        return Err(Error::denied(Permission::Edit.code()));
    }
    expect.check("contact", before.revision)?;
    check_fields(ctx, std::iter::once(field))?;
    let mut after = before.clone();
    let region = region(txn, subject)?;
    change(&mut after, region).map_err(|broken| Error::invalid(vec![broken]))?;
    let mut changes = contact_changes(&before.fields, &after.fields);
    if changes.is_empty() {
        let mut said = without_marks(&before);
        change(&mut said, region).map_err(|broken| Error::invalid(vec![broken]))?;
        let said = Consent::of_contact(&said.fields);
        if is_of_conversion(txn, subject, &said)? {
            changes = again(&before, &said);
        }
    }
    if !changes.is_empty() {
        (after.revision, after.updated_at) = (before.revision.next(), ctx.now());
        txn.contacts().update(std::slice::from_ref(&after))?;
        let entry = NewEntry::new(after.id, Action::Updated, ctx.now()).with_changes(changes);
        record(ctx, txn, OperationKind::Edit, &[entry])?;
    }
    mask(ctx, &mut after);
    Ok(after)
}

fn without_marks(contact: &Contact) -> Contact {
    let mut bare = contact.clone();
    let all = Consent::of_contact(&bare.fields);
    all.lift_of(&mut bare.fields.emails, &mut bare.fields.phones);
    bare.fields.do_not_call = None;
    bare
}

/// What is said again, as the journal tells it: it was so before, and is. The fields tell all that is stored; the images only
/// what is said now, because that alone is whose word it is.
fn again(stored: &Contact, said: &Consent) -> Vec<FieldChange> {
    let mut now = stored.fields.clone();
    Consent::of_contact(&now).missing_in(said).lift_of(&mut now.emails, &mut now.phones);
    now.do_not_call = now.do_not_call.filter(|_| said.do_not_call().is_some());
    let told = |change: FieldChange| {
        let after = match change.field.parse() {
            Ok(Field::Email) => stored.fields.emails.told(),
            Ok(Field::Phone) => stored.fields.phones.told(),
            _ => change.after,
        };
        FieldChange { before: after.clone(), after, ..change }
    };
    contact_changes(&without_marks(stored).fields, &now).into_iter().map(told).collect()
}

/// Whether it was a conversion that said this of a person last: its way back would take it off, whoever says it again.
fn is_of_conversion(txn: &mut dyn Txn, contact: Subject, said: &Consent) -> Result<bool> {
    const READ: usize = 256;
    let mut before = None;
    while !said.is_empty() {
        let entries = txn.journal().about(&[contact], Topics::NONE, before, READ)?;
        for entry in entries.iter().filter(|entry| entry.subject == contact) {
            let wrote = Consent::written(&entry.changes).join(&Consent::repeated(&entry.changes));
            if !wrote.within(said).is_empty() {
                return Ok(entry.operation_kind == OperationKind::Convert);
            }
            // Of a new person the history does not tell what it came with.
            if entry.action == Action::Created {
                return Ok(entry.operation_kind == OperationKind::Convert);
            }
        }
        before = entries.last().map(|entry| entry.sequence);
        if entries.len() < READ {
            break;
        }
    }
    Ok(false)
}

/// Where national numbers of a person are dialled from: the country of a lead or account that has it.
fn region(txn: &mut dyn Txn, contact: Subject) -> Result<Option<Country>> {
    let links = txn.links().to(&[contact], None)?;
    let leads = links.iter().filter(|link| link.from.kind == SubjectKind::Lead);
    let leads: Vec<_> = leads.map(|link| LeadId::from_uuid(link.from.id)).collect();
    Ok(txn.leads().get(&leads)?.iter().find_map(|lead| lead.fields.phone_region()))
}
