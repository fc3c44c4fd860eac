//! Which functions of the host are open for a lead, by where it stands in its life (S4.15).
//!
//! A host names its functions (`invoice`, `estimate`, `contract` …) and says in which states each is open; before it
//! draws a menu or begins one, it asks. A function that the tenant says nothing about is open in every state.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{Action, FieldChange, LeadState, NewEntry, OperationKind, Subject, SubjectKind};
use crate::error::{Error, ErrorKind, Result, Violation, ViolationCode};
use crate::id::{LeadId, Revision};
use crate::policy::Permission;
use crate::store::{SettingName, Txn};
use crate::value::clean_text;

use super::access::{require, visible};
use super::operation::record;

/// In which states the functions of a host are open.
///
/// ```
/// use leadcore::desk::functions::Functions;
/// use leadcore::domain::LeadState;
/// let rules = Functions::new().open_in("invoice", &[LeadState::Converted]);
/// assert!(!rules.is_open("invoice", LeadState::Open));
/// assert!(rules.is_open("call", LeadState::Open), "nothing is said about it");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Functions(BTreeMap<String, BTreeSet<LeadState>>);

impl Functions {
    /// Nothing is said: every function is open.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Opens a function in these states and closes it in the others.
    #[must_use]
    pub fn open_in(mut self, function: &str, states: &[LeadState]) -> Self {
        self.0.insert(function.to_owned(), states.iter().copied().collect());
        self
    }

    /// Whether a function is open in a state.
    #[must_use]
    pub fn is_open(&self, function: &str, state: LeadState) -> bool {
        self.0.get(function).is_none_or(|states| states.contains(&state))
    }

    /// The functions that the tenant says something about, and the states in which each is open.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &BTreeSet<LeadState>)> {
        self.0.iter().map(|(function, states)| (function.as_str(), states))
    }
}

/// The rules and the revision to change them with; none when the tenant never said any.
///
/// # Errors
/// `Denied` for an actor who may not see leads; `Corrupt` when the stored document cannot be read.
pub fn rules(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<(Option<Revision>, Functions)> {
    require(ctx, txn, Permission::View)?;
    load(txn)
}

fn load(txn: &mut dyn Txn) -> Result<(Option<Revision>, Functions)> {
    let Some((revision, json)) = txn.settings().load(SettingName::Functions)? else {
        return Ok((None, Functions::new()));
    };
    let rules = serde_json::from_str(&json).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "the stored function rules cannot be read").with_source(error)
    })?;
    Ok((Some(revision), rules))
}

/// Writes the rules.
///
/// # Errors
/// `Denied`; `Invalid` for a function without a name or with one longer than 200 bytes; `Conflict` when the rules changed
/// since they were read.
pub fn set_rules(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    expected: Option<Revision>,
    rules: &Functions,
) -> Result<Revision> {
    require(ctx, txn, Permission::Configure)?;
    let broken: Vec<_> = rules
        .0
        .keys()
        .filter(|name| name.trim().is_empty() || clean_text(name, 200).is_err())
        .map(|_| {
            Violation::new("functions", ViolationCode::Malformed, "a function has a name of up to 200 bytes")
        })
        .collect();
    if !broken.is_empty() {
        return Err(Error::invalid(broken));
    }
    let json = serde_json::to_string(rules).map_err(|error| {
        Error::new(ErrorKind::Internal, "the rules could not be written as JSON").with_source(error)
    })?;
    let before = txn.settings().load(SettingName::Functions)?.map(|(_, json)| json);
    let revision = txn.settings().save(SettingName::Functions, expected, &json)?;
    let subject = Subject::new(SubjectKind::Settings, uuid::Uuid::nil());
    let change = FieldChange::new(SettingName::Functions.code(), before, json);
    let entry = NewEntry::new(subject, Action::Updated, ctx.now()).with_changes(vec![change]);
    record(ctx, txn, OperationKind::Configure, &[entry])?;
    Ok(revision)
}

/// Whether each of these functions is open for a lead now, in the order asked: the menu of its page. For a lead in the
/// trash none is.
///
/// # Errors
/// `NotFound` when the lead does not exist or may not be seen.
pub fn open(ctx: &Context<'_>, txn: &mut dyn Txn, lead: LeadId, functions: &[&str]) -> Result<Vec<bool>> {
    let lead = visible(ctx, txn, lead)?;
    let (_, rules) = load(txn)?;
    let is_open = |function: &&str| lead.trashed.is_none() && rules.is_open(function, lead.state());
    Ok(functions.iter().map(is_open).collect())
}
