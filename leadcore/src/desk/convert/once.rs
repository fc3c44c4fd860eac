//! The caller's own key: the same call again gives the first outcome.
//!
//! A key is the key of an operation without entries, whose outcome says what was asked and which operation answers it; that of a
//! call for many says which leads it was for, each of which has a key of its own. Of what was asked only the leads and checksums are
//! kept: enough to tell another call, nothing to read.
//!
//! A call is the same when each part of it asks the same, or says the same: what was said by a name is kept beside what the name
//! meant, since somebody may rename it before a retry. Values of the tenant's own fields are what their fields read: 10 and "10.00"
//! are one amount.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::OperationKind;
use crate::error::{Conflict, Error, ErrorKind, Result};
use crate::id::{IdempotencyKey, LeadId, OperationId};
use crate::store::Txn;

use super::super::operation::new_operation;
use super::as_read::as_read;
use super::words::{AsSaid, Others, Sums, checksum, json, kept_before, parts};
use super::{ConversionOptions, ConversionPlan};

/// The kinds of calls. A key stands for one call of any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Convert,
    ConvertAll,
    Opportunity,
    Unconvert,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Convert, Self::ConvertAll, Self::Opportunity, Self::Unconvert];

    /// The key of a call of this kind, as the journal has it.
    fn named(self, key: &IdempotencyKey) -> String {
        let kind = match self {
            Self::Convert => "convert",
            Self::ConvertAll => "convert_all",
            Self::Opportunity => "opportunity",
            Self::Unconvert => "unconvert",
        };
        format!("{kind}:{key}")
    }
}

/// What is said of which leads.
pub(super) const LEADS: &str = "leads";

/// A key, and what is asked under it.
#[derive(Debug, Clone)]
pub(in crate::desk) struct Once {
    /// As the journal has it: keys of different calls are different.
    key: String,
    /// The kind of the call and the key as it was given. None for a single lead of a call for many: the key of that call covers it.
    call: Option<(Kind, IdempotencyKey)>,
    /// The lead, and a checksum of every part.
    asked: Sums,
    /// The same of the parts that fields read as something else than was said.
    read: Sums,
    /// The words, where somebody read them who knows.
    said: Option<AsSaid>,
    /// What a part stands for that is not among what was asked: the key of a call may have been kept by a version that did not
    /// know that part, or be read by one.
    unsaid: Sums,
    /// The parts themselves: earlier versions made other checksums of them.
    parts: BTreeMap<String, serde_json::Value>,
}

/// What the journal keeps of a call.
#[derive(Debug, Serialize, Deserialize)]
struct Call {
    asked: Sums,
    /// What of it fields read as something else.
    #[serde(default, skip_serializing_if = "Sums::is_empty")]
    read: Sums,
    /// What of it was said by names.
    #[serde(default, skip_serializing_if = "Sums::is_empty")]
    said: Sums,
    /// The same with records for some of the names.
    #[serde(default, skip_serializing_if = "Others::is_empty")]
    others: Others,
}

/// The leads of a call for many, as its key has them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct All {
    /// A checksum of the filter that found them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<String>,
    pub(super) leads: Vec<LeadId>,
}

/// The call for many that has the key, beside this one.
#[derive(Debug)]
pub(super) struct First {
    pub(super) all: All,
    /// What this one asks otherwise.
    pub(super) differs: Vec<String>,
    /// Whether both say the same of which leads.
    pub(super) same_words: bool,
}

/// What the journal keeps of the key of a call for many. What became of each lead is kept by a key of its own.
#[derive(Debug, Serialize, Deserialize)]
struct KeptAll {
    #[serde(flatten)]
    all: All,
    #[serde(flatten)]
    call: Call,
}

/// What the journal keeps of a key.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// The operation with the outcome.
    operation: OperationId,
    #[serde(flatten)]
    call: Call,
}

impl Once {
    fn new(key: String, call: Option<(Kind, IdempotencyKey)>) -> Self {
        let [asked, read, unsaid] = [const { Sums::new() }; 3];
        Self { key, call, asked, read, said: None, unsaid, parts: BTreeMap::new() }
    }

    fn of(kind: Kind, key: &IdempotencyKey) -> Self {
        Self::new(kind.named(key), Some((kind, key.clone())))
    }

    pub(super) fn conversion(key: &IdempotencyKey) -> Self {
        Self::of(Kind::Convert, key)
    }

    /// One lead of many: each has a key of its own.
    pub(super) fn of_many(key: &IdempotencyKey, lead: LeadId) -> Self {
        Self::new(format!("convert_many:{lead}:{key}"), None)
    }

    /// All of them: a key names one call.
    pub(super) fn all(key: &IdempotencyKey) -> Self {
        Self::of(Kind::ConvertAll, key)
    }

    /// An opportunity with the conversion that it needs.
    pub(in crate::desk) fn opportunity(key: &IdempotencyKey) -> Self {
        Self::of(Kind::Opportunity, key)
    }

    pub(super) fn way_back(key: &IdempotencyKey) -> Self {
        Self::of(Kind::Unconvert, key)
    }

    /// The same for another record than a conversion, with everything that is said of it.
    pub(in crate::desk) fn for_new(
        self,
        txn: &mut dyn Txn,
        lead: LeadId,
        options: &ConversionOptions,
        said: &impl Serialize,
    ) -> Result<Self> {
        let mut once = self.for_options(txn, lead, options)?;
        once.ask("fields".to_owned(), json(said)?);
        Ok(once)
    }

    pub(super) fn for_lead(mut self, lead: LeadId) -> Self {
        self.asked.insert("lead".to_owned(), lead.to_string());
        self
    }

    /// Everything that decides what comes of it. Not the revision: it says when it may be done, and is another one afterwards.
    pub(super) fn for_options(
        self,
        txn: &mut dyn Txn,
        lead: LeadId,
        options: &ConversionOptions,
    ) -> Result<Self> {
        let mut once = self.for_lead(lead).asking(txn, options)?;
        // How the lead was found is nothing that is asked of it.
        once.said = once.said.map(|said| said.without(LEADS));
        Ok(once)
    }

    /// The same of whichever lead.
    pub(super) fn asking(mut self, txn: &mut dyn Txn, options: &ConversionOptions) -> Result<Self> {
        let mut asked = ConversionOptions { revision: None, key: None, ..options.clone() };
        self.said = asked.said.take();
        let unsaid = parts(json(&ConversionOptions::default())?);
        self.unsaid = unsaid.map(|(part, value)| (part, checksum(&value))).collect();
        let mut once = self.with("convert", json(&asked)?)?;
        if let Some(read) = as_read(txn, &asked)? {
            let sums = parts(json(&read)?).map(|(part, value)| (part, checksum(&value)));
            once.read = sums.filter(|(part, sum)| once.asked.get(part) != Some(sum)).collect();
        }
        Ok(once)
    }

    /// A checksum of something that is asked.
    pub(super) fn sum(asked: &impl Serialize) -> Result<String> {
        Ok(checksum(&json(asked)?))
    }

    /// Everything that a person may edit; what the plan only shows, and the revisions that it was made of, may have become others
    /// by the next plan.
    pub(super) fn for_plan(self, plan: &ConversionPlan) -> Result<Self> {
        let mut account = json(&plan.account)?;
        if let Some(choice) = account.as_object_mut().and_then(|choice| choice.values_mut().next()) {
            forget(choice, &["next_number", "revision"]);
        }
        let mut opportunity = json(&plan.opportunity)?;
        if let Some(choice) = opportunity.as_object_mut().and_then(|choice| choice.values_mut().next()) {
            forget(choice, &["next", "revision"]);
        }
        let mut contacts = json(&plan.contacts)?;
        for contact in contacts.as_array_mut().into_iter().flatten() {
            if let Some(known) = contact.pointer_mut("/who/known") {
                forget(known, &["revision"]);
            }
        }
        let parts = serde_json::json!({
            "account": account,
            "contacts": contacts,
            "opportunity": opportunity,
            "services": json(&plan.services)?,
            "customer": json(&plan.customer)?,
        });
        self.for_lead(plan.lead).with("apply", parts)
    }

    fn with(mut self, call: &str, whole: serde_json::Value) -> Result<Self> {
        self.asked.insert("call".to_owned(), call.to_owned());
        for (part, value) in parts(whole) {
            self.ask(part, value);
        }
        Ok(self)
    }

    fn ask(&mut self, part: String, value: serde_json::Value) {
        self.asked.insert(part.clone(), checksum(&value));
        self.parts.insert(part, value);
    }

    /// The operation that answers the key already, if this is the same call.
    fn first(&self, txn: &mut dyn Txn) -> Result<Option<OperationId>> {
        let Some(kept) = self.found::<Kept>(txn)? else {
            self.check_free(txn)?;
            return Ok(None);
        };
        let differs = self.differs(&kept.call)?;
        if differs.is_empty() {
            return Ok(Some(kept.operation));
        }
        Err(Error::conflicting("conversion", Conflict::KeyReused { differs }))
    }

    /// The call that has the key already, and what this one asks otherwise.
    pub(super) fn first_of_all(&self, txn: &mut dyn Txn) -> Result<Option<First>> {
        let Some(KeptAll { all, call }) = self.found::<KeptAll>(txn)? else {
            self.check_free(txn)?;
            return Ok(None);
        };
        let words = self.said.as_ref().and_then(|said| said.sums().get(LEADS));
        let same_words = words.is_some() && words == call.said.get(LEADS);
        Ok(Some(First { differs: self.differs(&call)?, all, same_words }))
    }

    /// What this call asks otherwise than the first, which has the key. Another call has other parts: then that alone is told, and
    /// the lead.
    fn differs(&self, first: &Call) -> Result<Vec<String>> {
        if first.said.is_empty() {
            self.check_read()?;
        }
        let words = self.said.iter().flat_map(|said| said.sums().keys());
        let mut parts: Vec<&String> = first.asked.keys().chain(self.asked.keys()).chain(words).collect();
        parts.sort();
        parts.dedup();
        parts.retain(|part| !self.is_same(part, first));
        if parts.iter().any(|part| *part == "call") {
            parts.retain(|part| ["call", "lead"].contains(&part.as_str()));
        }
        Ok(parts.into_iter().cloned().collect())
    }

    /// Whether a part of this call is that of the first. With names that could not be read there are only the words to go by. What
    /// one of them does not say is as when it is not said.
    fn is_same(&self, part: &str, first: &Call) -> bool {
        let words = self.said.as_ref().and_then(|said| said.is_as(part, (&first.said, &first.others)));
        if let Some(same) = words.filter(|same| *same || self.check_read().is_err()) {
            return same;
        }
        let unsaid = || self.unsaid.get(part);
        let [was, is] = [&first.asked, &self.asked].map(|asked| asked.get(part).or_else(unsaid));
        let [was_read, is_read] =
            [(&first.read, was), (&self.read, is)].map(|(read, said)| read.get(part).or(said));
        let by_earlier = || Some(kept_before(self.parts.get(part)?).contains(was?));
        was == is || was_read == is_read || by_earlier() == Some(true)
    }

    fn check_read(&self) -> Result<()> {
        self.said.as_ref().map_or(Ok(()), AsSaid::check)
    }

    fn call(&mut self) -> Call {
        let (said, others) = self.said.take().map(AsSaid::into_words).unwrap_or_default();
        let [asked, read] = [&mut self.asked, &mut self.read].map(std::mem::take);
        Call { asked, read, said, others }
    }

    /// Refuses a key that stands for a call of another kind, and one for a call that could not be read.
    fn check_free(&self, txn: &mut dyn Txn) -> Result<()> {
        if let Some((own, key)) = &self.call {
            for kind in Kind::ALL.iter().filter(|kind| *kind != own) {
                if txn.journal().find(OperationKind::Once, &kind.named(key))?.is_some() {
                    let differs = vec!["call".to_owned()];
                    return Err(Error::conflicting("conversion", Conflict::KeyReused { differs }));
                }
            }
        }
        self.check_read()
    }

    fn found<K: DeserializeOwned>(&self, txn: &mut dyn Txn) -> Result<Option<K>> {
        let Some(found) = txn.journal().find(OperationKind::Once, &self.key)? else { return Ok(None) };
        let corrupt = || Error::new(ErrorKind::Corrupt, "what a key stands for cannot be read");
        let kept = serde_json::from_value(found.outcome.ok_or_else(corrupt)?);
        kept.map(Some).map_err(|error| corrupt().with_source(error))
    }

    fn keep(mut self, ctx: &Context<'_>, txn: &mut dyn Txn, operation: OperationId) -> Result<()> {
        let kept = json(&Kept { operation, call: self.call() })?;
        put(ctx, txn, self.key, kept)
    }

    pub(super) fn keep_all(mut self, ctx: &Context<'_>, txn: &mut dyn Txn, all: All) -> Result<()> {
        let kept = json(&KeptAll { all, call: self.call() })?;
        put(ctx, txn, self.key, kept)
    }
}

fn put(ctx: &Context<'_>, txn: &mut dyn Txn, key: String, what: serde_json::Value) -> Result<()> {
    let mut kept = new_operation(ctx, OperationKind::Once, Some(key));
    kept.outcome = Some(what);
    txn.journal().begin(&kept)
}

/// Does the work of a call once for each key, and reads its first outcome ever after. Without a key the work is done.
pub(in crate::desk) fn by<T>(
    ctx: &Context<'_>,
    txn: &mut dyn Txn,
    once: Option<Once>,
    read: impl FnOnce(&mut dyn Txn, OperationId) -> Result<T>,
    work: impl FnOnce(&mut dyn Txn) -> Result<(OperationId, T)>,
) -> Result<T> {
    let Some(once) = once else { return Ok(work(txn)?.1) };
    if let Some(first) = once.first(txn)? {
        return read(txn, first);
    }
    let (operation, outcome) = work(txn)?;
    once.keep(ctx, txn, operation)?;
    Ok(outcome)
}

fn forget(value: &mut serde_json::Value, keys: &[&str]) {
    if let Some(object) = value.as_object_mut() {
        object.retain(|key, _| !keys.contains(&key.as_str()));
    }
}

#[cfg(test)]
mod tests;
