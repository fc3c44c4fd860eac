//! What is said of a new customer and its contact, field by field.

use std::collections::BTreeMap;

use leadcore::domain::{
    AccountPatch, Catalogue, ContactPatch, CustomKey, CustomValues, Field, FieldValue, OpportunityPatch,
};
use leadcore::error::{Error, Result, ValueError, Violation, ViolationCode};
use leadcore::id::ContactId;
use leadcore::store::Txn;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::conversion::{of_opportunity, step};
use crate::convert::{Id, Text, value_of};
use crate::errors::{raise, renamed};
use crate::given::given;
use crate::names::resolve_fields;
use crate::opportunities::{own_fields, patch as opportunity_patch};

/// What a form says: names of categories are not ids yet.
#[derive(Debug)]
pub(crate) struct GivenCustomer {
    account: Vec<(Field, FieldValue)>,
    pub(crate) contact: ContactPatch,
    /// Further persons of the lead.
    pub(crate) persons: BTreeMap<ContactId, ContactPatch>,
}

impl GivenCustomer {
    /// Each value as far as that needs no store: every misfit at once.
    pub(crate) fn new(
        account: &Bound<'_, PyDict>,
        contact: &Bound<'_, PyDict>,
        persons: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let mut broken = Vec::new();
        let of_account = read(account, "account", &mut broken)?;
        let of_contact = read(contact, "contact", &mut broken)?;
        let mut said = Self { account: Vec::new(), contact: ContactPatch::new(), persons: BTreeMap::new() };
        for (key, value) in of_account {
            // What a lead calls its company is the name of an account.
            let field = if key == "name" { Ok(Field::Company) } else { key.parse::<Field>() };
            match field {
                Ok(field) => said.account.push((field, value)),
                Err(error) => broken.push(error.at(format!("account.{key}"))),
            }
        }
        said.contact = patch_of(of_contact, "contact", &mut broken);
        for (n, (id, fields)) in persons.iter().enumerate() {
            let Id(id) = id.extract()?;
            let place = format!("person_fields[{n}]");
            let values = read(fields.cast::<PyDict>()?, &place, &mut broken)?;
            said.persons.insert(ContactId::from_uuid(id), patch_of(values, &place, &mut broken));
        }
        if broken.is_empty() { Ok(said) } else { Err(raise(account.py(), &Error::invalid(broken))) }
    }

    /// The account without asking a store: a category is said by its id.
    pub(crate) fn account(&self) -> AccountPatch {
        patch(self.account.clone())
    }

    /// The account, categories by name too.
    pub(crate) fn account_by(&self, txn: &mut dyn Txn) -> Result<AccountPatch> {
        let values = resolve_fields(txn, &self.account);
        Ok(patch(values.map_err(|error| renamed(error, |field| Some(format!("account.{field}"))))?))
    }
}

fn patch(values: Vec<(Field, FieldValue)>) -> AccountPatch {
    values.into_iter().fold(AccountPatch::new(), |patch, (field, value)| patch.set(field, value))
}

/// What is said of one person.
fn patch_of(values: Vec<(String, FieldValue)>, record: &str, broken: &mut Vec<Violation>) -> ContactPatch {
    values.into_iter().fold(ContactPatch::new(), |patch, (key, value)| {
        match told(patch.clone(), &key, value) {
            Ok(patch) => patch,
            Err(error) => {
                broken.push(error.at(format!("{record}.{key}")));
                patch
            }
        }
    })
}

fn told(patch: ContactPatch, key: &str, value: FieldValue) -> Result<ContactPatch, ValueError> {
    match (key, value) {
        ("role", FieldValue::Empty) => Ok(patch.role("")),
        ("role", FieldValue::Text(text)) => Ok(patch.role(&text)),
        ("role", _) => Err(ValueError::new(ViolationCode::Malformed, "this field takes text")),
        (key, value) => Ok(patch.set(key.parse::<Field>()?, value)),
    }
}

fn read(
    given: &Bound<'_, PyDict>,
    record: &str,
    broken: &mut Vec<Violation>,
) -> PyResult<Vec<(String, FieldValue)>> {
    let mut values = Vec::with_capacity(given.len());
    for (key, value) in given.iter() {
        let Text(key) = key.extract()?;
        match value_of(&value) {
            Ok(value) => values.push((key, value)),
            Err(error) => broken.push(error.at(format!("{record}.{key}"))),
        }
    }
    Ok(values)
}

/// Writes custom fields of an opportunity into a patch, as this catalogue reads them; `values` are those that it has.
pub(crate) fn read_own<'o>(
    (catalogue, mut values): (&Catalogue, CustomValues),
    mut patch: OpportunityPatch,
    own: impl Iterator<Item = &'o (String, FieldValue)>,
    broken: &mut Vec<Violation>,
) -> OpportunityPatch {
    for (name, value) in own {
        let written = CustomKey::new(name).and_then(|key| {
            catalogue.write_custom(&key, &mut values, value, None)?;
            Ok(key)
        });
        match written {
            Ok(key) => {
                let value = values.get(&key).cloned();
                patch = patch.custom(key, value);
            }
            Err(error) => broken.push(error.at(name)),
        }
    }
    patch
}

/// Step 2, the form of the opportunity.
#[pyfunction]
pub(crate) fn conversion_opportunity(
    py: Python<'_>,
    plan: Text,
    fields: Text,
    own: &Bound<'_, PyDict>,
) -> PyResult<String> {
    let said = opportunity_patch(&given(py, &fields)?).map_err(|error| raise(py, &of_opportunity(error)))?;
    let own = own_fields(own, "opportunity.")?;
    step(py, &plan, |plan| {
        let mut broken = Vec::new();
        let said = read_own((&plan.forms.opportunity, CustomValues::new()), said, own.iter(), &mut broken);
        if broken.is_empty() {
            return plan.opportunity_fields(&said);
        }
        Err(of_opportunity(Error::invalid(broken)))
    })
}
