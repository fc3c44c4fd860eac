//! The forms of a new customer: company profile, contact (S0.21) and opportunity, what is written into them and what is missing
//! still.

use serde::{Deserialize, Serialize};

use crate::domain::conversion_mapping::{FieldWrite, TargetRecord};
use crate::domain::{
    AccountFields, AccountPatch, Catalogue, CatalogueKind, ContactFields, ContactPatch, CustomValues, Field,
};
use crate::error::{Error, Result, Violation, ViolationCode};

use super::plan::{ConversionPlan, PlannedAccount, PlannedContact, PlannedOpportunity, PlannedPerson};

/// The fields that the tenant added to accounts, contacts and opportunities, without those that the actor may not see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CustomerForms {
    /// Those of accounts.
    pub account: Catalogue,
    /// Those of contacts.
    pub contact: Catalogue,
    /// Those of opportunities.
    #[serde(default = "no_field_of_opportunities", skip_serializing_if = "has_no_field")]
    pub opportunity: Catalogue,
}

fn no_field_of_opportunities() -> Catalogue {
    Catalogue::of(CatalogueKind::Opportunity)
}

fn has_no_field(catalogue: &Catalogue) -> bool {
    *catalogue == no_field_of_opportunities()
}

impl Default for CustomerForms {
    fn default() -> Self {
        Self {
            account: Catalogue::of(CatalogueKind::Account),
            contact: Catalogue::of(CatalogueKind::Contact),
            opportunity: no_field_of_opportunities(),
        }
    }
}

impl CustomerForms {
    pub(in crate::desk) const fn new(account: Catalogue, contact: Catalogue, opportunity: Catalogue) -> Self {
        Self { account, contact, opportunity }
    }

    /// Whether the tenant added none.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn without(self, is_hidden: impl Fn(&Field) -> bool) -> Self {
        let seen = |catalogue: Catalogue| {
            let kind = catalogue.kind();
            let own = catalogue.custom_fields();
            let own = own.filter(|field| !is_hidden(&Field::Custom(field.key.clone())));
            own.cloned().fold(Catalogue::of(kind), |mut seen, field| {
                seen.set_custom_field(field);
                seen
            })
        };
        let (account, contact) = (seen(self.account), seen(self.contact));
        Self { account, contact, opportunity: seen(self.opportunity) }
    }
}

impl ConversionPlan {
    /// Step 2, the form: what is said here is written over what the plan says of a new account, and of the new contact that the
    /// person of the lead becomes. What is [`missing`](Self::missing) is looked at anew. Whether others have a value that only
    /// one record may have, and who may own the account, is checked when the plan is carried out. What the mapping would have
    /// written there is none of the [`writes`](Self::writes) any more, and [stays on the lead](Self::stays_on_lead).
    ///
    /// # Errors
    /// `Invalid` with every value that does not fit its field (`account.x_terms`, `contact.name`), every field that there is
    /// not or that the actor may not see, and for an account or a person that is there already: they are edited by themselves.
    pub fn customer_fields(self, account: &AccountPatch, contact: &ContactPatch) -> Result<Self> {
        self.filled_in(|plan, is_hidden| {
            let targets = (&mut plan.account, plan.contacts.as_mut_slice());
            write(targets, &plan.forms, (account, contact), &mut plan.writes, is_hidden)
        })
    }

    /// Fills a form in by `said`, which tells what rules do not take along any more, and looks anew at what is missing.
    pub(super) fn filled_in(
        mut self,
        said: impl FnOnce(&mut Self, &dyn Fn(&Field) -> bool) -> Result<Vec<Field>>,
    ) -> Result<Self> {
        let hidden = std::mem::take(&mut self.hidden);
        let is_hidden = |field: &Field| {
            hidden.contains(field) || field.name_group().iter().any(|field| hidden.contains(field))
        };
        // What is empty in the plan and was not missing comes of what is hidden.
        let mut comes = missing(&self, &self.forms, is_hidden);
        comes.retain(|one| !self.missing.contains(one));
        for field in said(&mut self, &is_hidden)? {
            let goes = self.writes.iter().any(|write| write.from == field);
            if !goes && !self.stays_on_lead.contains(&field) {
                self.stays_on_lead.push(field);
            }
        }
        let mut missing = missing(&self, &self.forms, is_hidden);
        missing.retain(|one| !comes.contains(one));
        // What is hidden is neither seen nor filled in.
        let key = |one: &Violation| one.field.rsplit('.').next().and_then(|key| key.parse().ok());
        let is_kept = |one: &Violation| is_of_series(one) || key(one).is_some_and(|field| is_hidden(&field));
        let unseen = self.missing.into_iter().filter(is_kept);
        missing.extend(unseen);
        (self.missing, self.hidden) = (missing, hidden);
        Ok(self)
    }
}

/// Writes what is said over what is planned: all of it, or nothing. Rules whose target says something else then write nothing:
/// they are taken out, and what they would have taken along is returned.
pub(super) fn write(
    (account, contacts): (&mut PlannedAccount, &mut [PlannedContact]),
    forms: &CustomerForms,
    (of_account, of_contact): (&AccountPatch, &ContactPatch),
    writes: &mut Vec<FieldWrite>,
    is_hidden: impl Fn(&Field) -> bool,
) -> Result<Vec<Field>> {
    let mut broken = Vec::new();
    let unseen = |record: &str, field: &Field| {
        let name = if (record, field) == ("account", &Field::Company) { "name" } else { field.key() };
        let message = "you may not see this field";
        Violation::new(format!("{record}.{name}"), ViolationCode::NotAllowed, message)
    };
    broken.extend(of_account.fields().filter(|field| is_hidden(field)).map(|field| unseen("account", field)));
    broken.extend(of_contact.fields().filter(|field| is_hidden(field)).map(|field| unseen("contact", field)));
    if of_account.has_status() {
        let message = "the status is said by the type of customer";
        broken.push(Violation::new("account.status", ViolationCode::NotAllowed, message));
    }
    let mut profile = None;
    if !of_account.is_empty() {
        if let PlannedAccount::New { fields, .. } = &*account {
            let (before, mut after) = (fields.as_ref(), fields.as_ref().clone());
            let told = of_account.apply(&forms.account, &mut after);
            broken.extend(misfits("account", told));
            let unfit = after.violations().into_iter().filter(|one| !before.violations().contains(one));
            broken.extend(unfit.filter(is_misfit));
            broken.extend(own("account", &forms.account, &after.custom, &before.custom).filter(is_misfit));
            profile = Some(after);
        } else {
            let message = "only a new account is filled in: one that is there is edited by itself";
            broken.push(Violation::new("account", ViolationCode::NotAllowed, message));
        }
    }
    let region = profile.as_ref().or(account.fields()).and_then(|fields| fields.address.country());
    let mut person = None;
    if !of_contact.is_empty() {
        if let Some((n, before)) = new_person(contacts) {
            let mut after = before.clone();
            broken.extend(misfits("contact", of_contact.apply(&forms.contact, &mut after, region)));
            let of_contact = after.violations().into_iter().filter(is_misfit);
            broken.extend(of_contact.map(|one| named("contact", one)));
            broken.extend(own("contact", &forms.contact, &after.custom, &before.custom).filter(is_misfit));
            person = Some((n, after));
        } else {
            let message = "only a new contact is filled in: one that is there is edited by itself";
            broken.push(Violation::new("contact", ViolationCode::NotAllowed, message));
        }
    }
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    Ok(put((account, contacts), (profile, person), writes))
}

/// Puts what was said where it belongs, and says what rules do not take along any more.
fn put(
    (account, contacts): (&mut PlannedAccount, &mut [PlannedContact]),
    (profile, person): (Option<AccountFields>, Option<(usize, ContactFields)>),
    writes: &mut Vec<FieldWrite>,
) -> Vec<Field> {
    let mut outdone = Vec::new();
    if let (Some(profile), PlannedAccount::New { fields, .. }) = (profile, account) {
        let (before, after) = (fields.as_lead_fields(), profile.as_lead_fields());
        outdone.extend(outdo(writes, TargetRecord::Account, |key| {
            let field = if key == "name" { Some(Field::Company) } else { Field::known(key) };
            field.is_some_and(|field| field.read_fields(&before) != field.read_fields(&after))
        }));
        **fields = profile;
    }
    if let Some((n, after)) = person
        && let Some(PlannedContact { who: PlannedPerson::New(fields), .. }) = contacts.get_mut(n)
    {
        let (own, said) = (fields.as_lead_fields(), after.as_lead_fields());
        outdone.extend(outdo(writes, TargetRecord::Contact, |key| {
            let field = Field::known(key);
            let is_role = key == "role" && fields.role != after.role;
            is_role || field.is_some_and(|field| field.read_fields(&own) != field.read_fields(&said))
        }));
        **fields = after;
    }
    outdone
}

/// Takes the writes of these fields of a record out, and says what they would have taken along.
pub(super) fn outdo(
    writes: &mut Vec<FieldWrite>,
    record: TargetRecord,
    is_other: impl Fn(&str) -> bool,
) -> Vec<Field> {
    let of = |write: &FieldWrite| write.to.record == record && is_other(write.to.key());
    let (gone, kept) = std::mem::take(writes).into_iter().partition::<Vec<_>, _>(of);
    *writes = kept;
    gone.into_iter().map(|write| write.from).collect()
}

/// The series of a new account, and that of a new opportunity.
pub(super) const SERIES: [&str; 2] = ["series", "opportunity.series"];

/// The series of a new account is used up: the plan is numbered in another one.
pub(super) fn no_number() -> Violation {
    let message = "this series of numbers is used up: choose another one";
    Violation::new(SERIES[0], ViolationCode::LimitReached, message)
}

/// The same of a new opportunity.
pub(super) fn no_number_of_opportunity() -> Violation {
    let message = "this series of numbers is used up: choose another one, or no opportunity";
    Violation::new(SERIES[1], ViolationCode::LimitReached, message)
}

/// Whether it says that a series is used up.
pub(super) fn is_of_series(one: &Violation) -> bool {
    one.code == ViolationCode::LimitReached && SERIES.contains(&one.field.as_str())
}

/// What new records must have and have not, named as the refusal of such a plan names it.
pub(super) fn missing(
    plan: &ConversionPlan,
    forms: &CustomerForms,
    is_hidden: impl Fn(&Field) -> bool,
) -> Vec<Violation> {
    let none = CustomValues::new();
    let mut missing = Vec::new();
    if let PlannedAccount::New { fields, .. } = &plan.account {
        if !is_hidden(&Field::Company) {
            missing.extend(fields.violations());
        }
        missing.extend(own("account", &forms.account, &fields.custom, &none));
    }
    if let Some((n, fields)) = new_person(&plan.contacts) {
        if !is_hidden(&Field::Name) && !is_hidden(&Field::Email) && !is_hidden(&Field::Phone) {
            let of_contact = fields.violations().into_iter();
            missing.extend(of_contact.map(|one| named(&format!("contacts[{n}]"), one)));
        }
        missing.extend(own("contact", &forms.contact, &fields.custom, &none));
    }
    if let Some(PlannedOpportunity::New { fields, .. }) = &plan.opportunity {
        missing.extend(own("opportunity", &forms.opportunity, &fields.custom, &none));
    }
    missing.retain(|one| !is_misfit(one));
    missing
}

/// The person of the lead, where it becomes a new contact, and its place.
fn new_person(contacts: &[PlannedContact]) -> Option<(usize, &ContactFields)> {
    contacts.iter().enumerate().find_map(|(n, contact)| match &contact.who {
        PlannedPerson::New(fields) => Some((n, fields.as_ref())),
        PlannedPerson::Existing(_) | PlannedPerson::Known { .. } => None,
    })
}

/// What is wrong, and not only missing.
pub(super) fn is_misfit(one: &Violation) -> bool {
    one.code != ViolationCode::Required
}

pub(super) fn named(record: &str, one: Violation) -> Violation {
    Violation { field: format!("{record}.{}", one.field), ..one }
}

pub(super) fn misfits(record: &str, told: Result<()>) -> Vec<Violation> {
    let broken = told.err().map(|error| error.violations().to_vec()).unwrap_or_default();
    broken.into_iter().map(|one| named(record, one)).collect()
}

/// What the tenant's own fields break.
pub(super) fn own<'a>(
    record: &'a str,
    catalogue: &Catalogue,
    after: &CustomValues,
    before: &CustomValues,
) -> impl Iterator<Item = Violation> + use<'a> {
    let mut broken = catalogue.check_custom(after, before);
    broken.extend(catalogue.changed_while_disabled(after, before));
    broken.into_iter().map(move |one| named(record, one))
}
