//! The persons of a lead, and after conversion of its account (S0.24).
//!
//! A contact is linked to what it belongs to. After a conversion the same persons are listed from both sides: nothing
//! is copied. One contact of each lead and account can be the primary one.

use crate::context::Context;
use crate::domain::{
    Action, CatalogueKind, Contact, ContactFields, CustomValues, Field, FieldChange, FieldValue, Lead, Link,
    LinkRole, NewEntry, OperationKind, Subject, contact_changes,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, ContactId, LeadId, Revision};
use crate::policy::Permission;
use crate::store::Txn;
use crate::value::Country;

use super::access::{Expect, check_readable, editable, shows_hidden, visible};
use super::operation::record;
use super::settings::load_catalogue_of;
use super::{accounts, custom};

pub use super::marks::{do_not_call, mark};

/// What the journal calls a change of the primary contact; it is no field of a lead.
pub(super) const PRIMARY: &str = LinkRole::PrimaryContact.code();

/// Whose person it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A lead, until it is converted.
    Lead(LeadId),
    /// An account.
    Account(AccountId),
}

impl From<LeadId> for Holder {
    fn from(id: LeadId) -> Self {
        Self::Lead(id)
    }
}

impl From<AccountId> for Holder {
    fn from(id: AccountId) -> Self {
        Self::Account(id)
    }
}

impl Holder {
    /// Where its persons hang, if the actor may change them.
    fn opened(self, ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Subject> {
        match self {
            Self::Lead(id) => Ok(editable(ctx, txn, id, Expect::Any, Permission::Edit)?.id.into()),
            Self::Account(id) => Ok(accounts::editable(ctx, txn, id)?.id.into()),
        }
    }

    /// The lead, when it became this person.
    fn of_origin(self, txn: &mut dyn Txn, contact: ContactId) -> Result<Option<Subject>> {
        let Self::Lead(id) = self else { return Ok(None) };
        let lead = Subject::from(id);
        let became = txn.links().from(&[lead], Some(LinkRole::ConvertedTo))?;
        Ok(became.iter().any(|link| link.to == Subject::from(contact)).then_some(lead))
    }
}

/// A contact as one lead or account sees it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LinkedContact {
    /// The person.
    pub contact: Contact,
    /// Whether it is the primary contact of that lead or account.
    pub is_primary: bool,
}

/// Adds a person to a lead or an account. The first one, and one added as primary, becomes the primary contact.
///
/// # Errors
/// `NotFound`, `Denied`; `Frozen` once converted; `Invalid` with every broken rule.
pub fn add(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    of: impl Into<Holder>,
    fields: ContactFields,
    primary: bool,
) -> Result<Contact> {
    let holder = of.into().opened(ctx, txn)?;
    check_hidden(ctx, &fields)?;
    let (_, catalogue) = load_catalogue_of(txn, CatalogueKind::Contact)?;
    let mut fields = fields;
    catalogue.fill_defaults(&mut fields.custom);
    let mut broken = fields.violations();
    broken.extend(custom::broken_values(txn, &catalogue, None, &fields.custom, &CustomValues::new())?);
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    let mut contact = new_contact(ctx, fields)?;
    txn.contacts().insert(std::slice::from_ref(&contact))?;
    let known = txn.links().from(&[holder], Some(LinkRole::PrimaryContact))?;
    let mut entries = vec![NewEntry::new(contact.id, Action::Created, ctx.now())];
    let target = Subject::from(contact.id);
    let role = if primary || known.is_empty() { LinkRole::PrimaryContact } else { LinkRole::Contact };
    if role == LinkRole::PrimaryContact {
        demote(txn, &known)?;
        // What stops being the primary contact is part of the history: an undo makes it so again.
        if !known.is_empty() {
            entries.push(primary_changed(ctx, holder, known.first().map(|link| link.to), Some(target)));
        }
    }
    txn.links().insert(&[Link::new(holder, role, contact.id)])?;
    let change = FieldChange::new("role", FieldValue::Empty, role.code());
    let linked = NewEntry::new(holder, Action::Linked, ctx.now()).with_other(contact.id);
    entries.push(linked.with_changes(vec![change]));
    record(ctx, txn, OperationKind::Create, &entries)?;
    // A default of a field that the actor may not see.
    mask(ctx, &mut contact);
    Ok(contact)
}

/// Where national phone numbers of the persons of a lead or an account are dialled from: its country, also where the actor
/// may not see the country. It is for reading numbers, not for showing.
///
/// # Errors
/// `NotFound` when the record does not exist or may not be seen.
pub fn phone_region(ctx: &Context<'_>, txn: &mut dyn Txn, of: impl Into<Holder>) -> Result<Option<Country>> {
    Ok(match of.into() {
        Holder::Lead(id) => visible(ctx, txn, id)?.fields.phone_region(),
        Holder::Account(id) => accounts::load(ctx, txn, id)?.fields.as_lead_fields().phone_region(),
    })
}

/// Refuses to write fields that the actor may not see. A contact's name is one value: a hidden part hides it.
fn check_hidden(ctx: &Context<'_>, fields: &ContactFields) -> Result<()> {
    let lead = fields.as_lead_fields();
    let given = |field: &&Field| {
        let own = match field {
            Field::JobTitle => fields.role.is_some(),
            Field::Phone => fields.do_not_call.is_some(),
            _ => false,
        };
        own || !field.read_fields(&lead).is_empty()
    };
    let custom: Vec<_> = fields.custom.keys().cloned().map(Field::Custom).collect();
    check_readable(ctx, ContactFields::FIELDS.iter().filter(given).chain(&custom))
}

/// A contact that keeps the rules, not stored yet.
pub(super) fn new_contact(ctx: &Context<'_>, fields: ContactFields) -> Result<Contact> {
    let broken = fields.violations();
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    let now = ctx.now();
    Ok(Contact {
        id: ContactId::from_uuid(ctx.new_uuid()),
        revision: Revision::FIRST,
        fields,
        created_at: now,
        updated_at: now,
    })
}

/// Turns primary contacts into plain ones.
fn demote(txn: &mut dyn Txn, primary: &[Link]) -> Result<()> {
    let plain: Vec<_> = primary.iter().map(|link| Link { role: LinkRole::Contact, ..*link }).collect();
    txn.links().remove(primary)?;
    txn.links().insert(&plain)
}

/// The persons of a lead, the primary one first, then in the order in which they were added. In the place of one that turned out
/// to be a contact of the customer, when the lead was converted, there is that contact.
///
/// # Errors
/// `NotFound` when the lead does not exist or may not be seen.
pub fn of_lead(ctx: &Context<'_>, txn: &mut dyn Txn, lead: LeadId) -> Result<Vec<LinkedContact>> {
    let lead = visible(ctx, txn, lead)?;
    Ok(masked(ctx, shown(txn, &lead)?))
}

/// The persons of an account, the primary one first, then in the order in which they were added.
///
/// # Errors
/// `NotFound` when the account does not exist or may not be seen.
pub fn of_account(ctx: &Context<'_>, txn: &mut dyn Txn, account: AccountId) -> Result<Vec<LinkedContact>> {
    let account = accounts::get(ctx, txn, account)?;
    Ok(masked(ctx, linked(txn, account.id.into())?))
}

/// The persons without the fields that the actor may not see.
pub(super) fn masked(ctx: &Context<'_>, mut persons: Vec<LinkedContact>) -> Vec<LinkedContact> {
    for person in &mut persons {
        mask(ctx, &mut person.contact);
    }
    persons
}

/// Takes the fields that the actor may not see out of the contact.
pub(super) fn mask(ctx: &Context<'_>, contact: &mut Contact) {
    let fields = std::mem::take(&mut contact.fields);
    contact.fields = fields.without(|field| ctx.policy().is_hidden(ctx.actor(), field));
}

pub(super) fn linked(txn: &mut dyn Txn, owner: Subject) -> Result<Vec<LinkedContact>> {
    let links = txn.links().from(&[owner], None)?;
    let mut of_role = |role| -> Result<Vec<LinkedContact>> {
        let ids = links.iter().filter(|link| link.role == role);
        let ids: Vec<_> = ids.map(|link| ContactId::from_uuid(link.to.id)).collect();
        let mut found = txn.contacts().get(&ids)?;
        // Ids of one millisecond, or of another source, have no order in time.
        found.sort_by_key(|contact| (contact.created_at, contact.id));
        Ok(found
            .into_iter()
            .map(|contact| LinkedContact { contact, is_primary: role == LinkRole::PrimaryContact })
            .collect())
    };
    let mut contacts = of_role(LinkRole::PrimaryContact)?;
    contacts.extend(of_role(LinkRole::Contact)?);
    Ok(contacts)
}

/// The persons of a lead without those that turned out to be one of the others.
pub(super) fn shown(txn: &mut dyn Txn, lead: &Lead) -> Result<Vec<LinkedContact>> {
    let mut persons = linked(txn, lead.id.into())?;
    if lead.conversion.is_none() {
        return Ok(persons);
    }
    let own: Vec<Subject> = persons.iter().map(|person| person.contact.id.into()).collect();
    for became in txn.links().from(&own, Some(LinkRole::ConvertedTo))? {
        let at = |subject: Subject| move |one: &LinkedContact| Subject::from(one.contact.id) == subject;
        if !persons.iter().any(at(became.to)) {
            continue;
        }
        let was_primary = persons.iter().any(|one| one.is_primary && at(became.from)(one));
        persons.retain(|one| !at(became.from)(one));
        if was_primary {
            persons.iter_mut().filter(|one| at(became.to)(one)).for_each(|one| one.is_primary = true);
        }
    }
    persons.sort_by_key(|person| !person.is_primary);
    Ok(persons)
}

/// Makes one of the persons of a lead or an account the primary contact.
///
/// # Errors
/// `NotFound` when it has no such person; `Denied`; `Frozen` for a lead once converted.
pub fn make_primary(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    of: impl Into<Holder>,
    contact: ContactId,
) -> Result<()> {
    let holder = of.into().opened(ctx, txn)?;
    let links = txn.links().from(&[holder], None)?;
    let target = Subject::from(contact);
    let of_contact =
        |link: &&Link| link.to == target && matches!(link.role, LinkRole::Contact | LinkRole::PrimaryContact);
    let link = *links.iter().find(of_contact).ok_or_else(|| Error::not_found("contact"))?;
    if link.role == LinkRole::PrimaryContact {
        return Ok(());
    }
    let primary: Vec<_> =
        links.iter().filter(|link| link.role == LinkRole::PrimaryContact).copied().collect();
    demote(txn, &primary)?;
    txn.links().remove(&[link])?;
    txn.links().insert(&[Link { role: LinkRole::PrimaryContact, ..link }])?;
    let before = primary.first().map(|link| link.to);
    record(ctx, txn, OperationKind::Edit, &[primary_changed(ctx, holder, before, Some(target))])?;
    Ok(())
}

/// The entry of a record whose primary contact is another now.
pub(super) fn primary_changed(
    ctx: &Context<'_>,
    holder: Subject,
    before: Option<Subject>,
    after: Option<Subject>,
) -> NewEntry {
    let id = |person: Option<Subject>| person.map(|person| person.id);
    let change = FieldChange::new(PRIMARY, id(before), id(after));
    NewEntry::new(holder, Action::Updated, ctx.now()).with_changes(vec![change])
}

/// Replaces what is known of a person of this lead or account. Fields that the actor may not see stay as they are.
///
/// # Errors
/// `NotFound` when it has no such person; `Denied`; `Frozen` for a lead once converted, unless it became this person;
/// `Conflict` when the revision is another than expected; `Invalid` with every broken rule.
pub fn edit(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    of: impl Into<Holder>,
    contact: ContactId,
    expect: impl Into<Expect>,
    fields: ContactFields,
) -> Result<Contact> {
    let of = of.into();
    let holder = match of.opened(ctx, txn) {
        // What a lead became is not frozen with it.
        Err(error) if error.kind() == ErrorKind::Frozen => of.of_origin(txn, contact)?.ok_or(error)?,
        opened => opened?,
    };
    let links = txn.links().from(&[holder], None)?;
    let belongs = links.iter().any(|link| link.to == Subject::from(contact));
    let found = if belongs { txn.contacts().get(&[contact])?.pop() } else { None };
    let before = found.ok_or_else(|| Error::not_found("contact"))?;
    expect.into().check("contact", before.revision)?;
    check_hidden(ctx, &fields)?;
    let fields = fields.keeping(&before.fields, |field| shows_hidden(ctx, field));
    let mut broken = fields.violations();
    let (_, catalogue) = load_catalogue_of(txn, CatalogueKind::Contact)?;
    let (own, values) = (Some(before.id.as_uuid()), &before.fields.custom);
    broken.extend(custom::broken_values(txn, &catalogue, own, &fields.custom, values)?);
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    let changes = contact_changes(&before.fields, &fields);
    let mut after = Contact { fields, ..before };
    if !changes.is_empty() {
        (after.revision, after.updated_at) = (after.revision.next(), ctx.now());
        txn.contacts().update(std::slice::from_ref(&after))?;
        let entry = NewEntry::new(after.id, Action::Updated, ctx.now()).with_changes(changes);
        record(ctx, txn, OperationKind::Edit, &[entry])?;
    }
    mask(ctx, &mut after);
    Ok(after)
}

/// Takes a person off a lead or an account. The person and its history stay stored.
///
/// # Errors
/// `NotFound` when it has no such person; `Denied`; `Frozen` for a lead once converted.
pub fn remove(ctx: &Context<'_>, txn: &mut dyn Txn, of: impl Into<Holder>, contact: ContactId) -> Result<()> {
    let holder = of.into().opened(ctx, txn)?;
    let links = txn.links().from(&[holder], None)?;
    let gone: Vec<_> = links.into_iter().filter(|link| link.to == Subject::from(contact)).collect();
    if gone.is_empty() {
        return Err(Error::not_found("contact"));
    }
    txn.links().remove(&gone)?;
    let roles = gone.iter().map(|link| FieldChange::new("role", link.role.code(), FieldValue::Empty));
    let entry = NewEntry::new(holder, Action::Unlinked, ctx.now()).with_other(contact);
    let entry = entry.with_changes(roles.collect());
    record(ctx, txn, OperationKind::Edit, &[entry])?;
    Ok(())
}
