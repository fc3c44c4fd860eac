//! Which functions are open for a lead, by its state (S4.15).
//!
//! Before a lead is a customer a host may want to offer less: no edits in a lost stage, conversion only from a certain
//! stage, an offer of its own for companies alone. [`Functions`] says it as data, a filter for each function; the desk
//! refuses its own functions where they are closed, and answers for the host's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::{Catalogue, Lead, distance};
use crate::error::{Conflict, Error, ErrorKind, Result, Violation, ViolationCode};
use crate::id::LeadId;
use crate::query::{Filter, Resolved};
use crate::store::{SettingName, Txn};

use super::access::visible;
use super::custom::resolve;

/// The filter under which each function is open. A function that is not named is open for every lead.
///
/// The desk's own functions are those of [`Functions::STANDARD`]; every other name is the host's. An undo is no function:
/// it brings a lead back into a state that it had.
///
/// ```
/// use leadcore::desk::functions::Functions;
/// use leadcore::domain::{Catalogue, Field};
/// use leadcore::query::Filter;
/// let functions = Functions::new()
///     .open_for("convert", Filter::eq(Field::Kind, "company"))
///     .open_for("send_offer", Filter::eq(Field::State, "open"));
/// assert!(functions.validate(&Catalogue::standard()).is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Functions(BTreeMap<String, Filter>);

/// The longest name of a function, in bytes.
const MAX_NAME: usize = 64;
/// The most functions.
const MAX_FUNCTIONS: usize = 200;

impl Functions {
    /// The functions of the desk: to edit fields and persons, to move to another stage, to put into the trash, to take
    /// out, to convert, to take a conversion back and to copy a lead; and one for each tab: to write activities of a kind, files and estimates. A kind
    /// of record that the host registered is a function of its name.
    pub const STANDARD: [&'static str; 17] = [
        "edit",
        "move",
        "delete",
        "restore",
        "convert",
        "unconvert",
        "clone",
        "note",
        "comment",
        "call",
        "task",
        "meeting",
        "message",
        "ticket",
        "estimate_request",
        "file",
        "estimate",
    ];

    /// Every function is open for every lead.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The function is open for leads that match, and closed for all others.
    #[must_use]
    pub fn open_for(mut self, function: &str, filter: Filter) -> Self {
        self.0.insert(function.to_owned(), filter);
        self
    }

    /// The functions that are named, with their filters.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Filter)> {
        self.0.iter().map(|(name, filter)| (name.as_str(), filter))
    }

    /// The rules of the settings themselves: names of small letters, digits, `_`, `-`, `.` and `:`, and filters about
    /// the lead alone that mean the same to everyone.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with every broken rule at once.
    pub fn validate(&self, catalogue: &Catalogue) -> Result<()> {
        let mut broken = Vec::new();
        if self.0.len() > MAX_FUNCTIONS {
            broken.push(Violation::new("functions", ViolationCode::TooLong, "at most 200 functions"));
        }
        let sound =
            |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || b"_-.:".contains(&letter);
        for (name, filter) in &self.0 {
            if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(sound) {
                let message = "the name of a function has 1 to 64 small letters, digits and `_-.:`";
                broken.push(Violation::new("functions", ViolationCode::Malformed, message));
                continue;
            }
            match resolved(filter, catalogue) {
                Ok(_) => {}
                Err(error) if error.violations().is_empty() => {
                    let message =
                        "a function is open by the lead alone, not by what was read, linked or is idle";
                    broken.push(Violation::new(name, ViolationCode::NotAllowed, message));
                }
                Err(error) => broken.extend(error.violations().iter().map(|violation| Violation {
                    field: format!("{name}.{}", violation.field),
                    ..violation.clone()
                })),
            }
        }
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }
}

impl Functions {
    /// Refuses names that are one of the desk's own misspelt; `is_known` says which the host has besides.
    pub(super) fn check_names(&self, is_known: impl Fn(&str) -> bool) -> Result<()> {
        let meant = |name: &str| {
            let most = (name.chars().count() / 3).min(2);
            let near = Self::STANDARD.into_iter().map(|own| (distance(name, own), own));
            near.min().filter(|(far, _)| (1..=most).contains(far)).map(|(_, own)| own)
        };
        let names = self.0.keys().filter(|name| !is_known(name.as_str()));
        let misspelt: Vec<_> = names.filter_map(|name| meant(name)).collect();
        if misspelt.is_empty() {
            return Ok(());
        }
        let known = Self::STANDARD.join("`, `");
        let told = misspelt.into_iter().map(|own| {
            let message = format!(
                "there is no such function: `{own}` is meant, or a name of your own that is not so near; the known ones are \
                 `{known}`"
            );
            Violation::new("functions", ViolationCode::Unknown, message)
        });
        Err(Error::invalid(told.collect()))
    }
}

/// The filter with `me` and days refused: nobody asks, and now is when it is asked.
fn resolved(filter: &Filter, catalogue: &Catalogue) -> Result<Resolved> {
    let asker = crate::query::Asker {
        user: None,
        now: crate::time::Timestamp::EPOCH,
        team: None,
        offset: chrono::Offset::fix(&chrono::Utc),
        pipelines: &[],
        catalogue: Some(catalogue),
        numbering: None,
        searched: crate::query::SearchParts::ALL,
    };
    let resolved = filter.resolve(&asker)?;
    about_the_lead(filter, resolved)
}

fn about_the_lead(filter: &Filter, resolved: Resolved) -> Result<Resolved> {
    if filter.asks_for_rotting() || !resolved.is_about_the_lead() {
        return Err(Error::new(ErrorKind::Unsupported, "a function is open by the lead alone"));
    }
    Ok(resolved)
}

pub(super) fn load(txn: &mut dyn Txn) -> Result<(Option<crate::id::Revision>, Functions)> {
    super::settings::document(txn, SettingName::Functions)
}

/// The settings, ready to be asked.
#[derive(Debug)]
pub(crate) struct Openings(Vec<(String, Resolved)>);

impl Openings {
    pub(crate) fn load(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Self> {
        let (_, functions) = load(txn)?;
        let mut named = Vec::with_capacity(functions.0.len());
        for (name, filter) in &functions.0 {
            named.push((name.clone(), about_the_lead(filter, resolve(ctx, txn, filter)?)?));
        }
        Ok(Self(named))
    }

    pub(crate) fn is_open(&self, function: &str, lead: &Lead) -> bool {
        let named = self.0.iter().find(|(name, _)| name == function);
        named.is_none_or(|(_, filter)| filter.matches(lead))
    }

    /// Refuses a function that is closed for the lead as it is.
    pub(crate) fn check(&self, function: &str, lead: &Lead) -> Result<()> {
        if self.is_open(function, lead) {
            return Ok(());
        }
        Err(Error::conflicting("lead", Conflict::Closed { function: function.to_owned() }))
    }
}

/// Which functions are open for a lead and which are not, as the tenant's settings say: the desk's own and the host's.
///
/// It says nothing of the actor and nothing of what is frozen or in the trash: that is
/// [`actions`](super::leads::actions), which has the settings in it too.
///
/// # Errors
/// `NotFound` when the lead does not exist or may not be seen; `Corrupt` when the stored settings cannot be read.
pub fn of_lead(ctx: &Context<'_>, txn: &mut dyn Txn, lead: LeadId) -> Result<BTreeMap<String, bool>> {
    let lead = visible(ctx, txn, lead)?;
    let openings = Openings::load(ctx, txn)?;
    let names = Functions::STANDARD.into_iter().chain(openings.0.iter().map(|(name, _)| name.as_str()));
    Ok(names.map(|name| (name.to_owned(), openings.is_open(name, &lead))).collect())
}
