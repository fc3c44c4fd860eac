//! The caller's own key: the same call again gives the first outcome.
//!
//! A key is the key of an operation without entries, whose outcome says which operation answers it and what was asked. Of what
//! was asked only the lead and checksums are kept: enough to tell another call, nothing to read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::domain::OperationKind;
use crate::error::{Conflict, Error, ErrorKind, Result};
use crate::id::{IdempotencyKey, LeadId, OperationId};
use crate::store::Txn;

use super::super::operation::new_operation;
use super::{ConversionOptions, ConversionPlan};

/// What was asked: the lead, and a checksum of every part.
type Asked = BTreeMap<String, String>;

/// A key, and what is asked under it.
#[derive(Debug, Clone)]
pub(super) struct Once {
    /// As the journal has it: keys of different calls are different.
    key: String,
    asked: Asked,
}

/// What the journal keeps of a key.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// The operation with the outcome.
    operation: OperationId,
    asked: Asked,
}

impl Once {
    fn new(key: String) -> Self {
        Self { key, asked: Asked::new() }
    }

    pub(super) fn conversion(key: &IdempotencyKey) -> Self {
        Self::new(format!("convert:{key}"))
    }

    /// One lead of many: each has a key of its own.
    pub(super) fn of_many(key: &IdempotencyKey, lead: LeadId) -> Self {
        Self::new(format!("convert_many:{lead}:{key}"))
    }

    pub(super) fn way_back(key: &IdempotencyKey) -> Self {
        Self::new(format!("unconvert:{key}"))
    }

    pub(super) fn for_lead(mut self, lead: LeadId) -> Self {
        self.asked.insert("lead".to_owned(), lead.to_string());
        self
    }

    /// Everything that decides what comes of it. Not the revision: it says when it may be done, and is another one afterwards.
    pub(super) fn for_options(self, lead: LeadId, options: &ConversionOptions) -> Result<Self> {
        let asked = ConversionOptions { revision: None, key: None, ..options.clone() };
        self.for_lead(lead).with("convert", json(&asked)?)
    }

    /// Everything that a person may edit; what the plan only shows may have become another by the next plan.
    pub(super) fn for_plan(self, plan: &ConversionPlan) -> Result<Self> {
        let mut account = json(&plan.account)?;
        if let Some(choice) = account.as_object_mut().and_then(|choice| choice.values_mut().next()) {
            forget(choice, &["next_number", "revision"]);
        }
        let mut opportunity = json(&plan.opportunity)?;
        if let Some(choice) = opportunity.as_object_mut().and_then(|choice| choice.values_mut().next()) {
            forget(choice, &["next", "revision"]);
        }
        let parts = serde_json::json!({
            "account": account,
            "contacts": json(&plan.contacts)?,
            "opportunity": opportunity,
            "services": json(&plan.services)?,
            "customer": json(&plan.customer)?,
        });
        self.for_lead(plan.lead).with("apply", parts)
    }

    fn with(mut self, call: &str, parts: serde_json::Value) -> Result<Self> {
        self.asked.insert("call".to_owned(), call.to_owned());
        if let serde_json::Value::Object(parts) = parts {
            let sums = parts.into_iter().map(|(part, value)| {
                let sum = checksum(&value);
                (part, sum)
            });
            self.asked.extend(sums);
        }
        Ok(self)
    }

    /// The operation that answers the key already, if this is the same call.
    fn first(&self, txn: &mut dyn Txn) -> Result<Option<OperationId>> {
        let Some(found) = txn.journal().find(OperationKind::Once, &self.key)? else { return Ok(None) };
        let corrupt = || Error::new(ErrorKind::Corrupt, "what a key stands for cannot be read");
        let kept: Kept = serde_json::from_value(found.outcome.ok_or_else(corrupt)?)
            .map_err(|error| corrupt().with_source(error))?;
        let differs = differs(&kept.asked, &self.asked);
        if differs.is_empty() {
            return Ok(Some(kept.operation));
        }
        Err(Error::conflicting("conversion", Conflict::KeyReused { differs }))
    }

    fn keep(self, ctx: &Context<'_>, txn: &mut dyn Txn, operation: OperationId) -> Result<()> {
        let mut kept = new_operation(ctx, OperationKind::Once, Some(self.key));
        kept.outcome = Some(json(&Kept { operation, asked: self.asked })?);
        txn.journal().begin(&kept)
    }
}

/// What the second call asks otherwise than the first. Another call has other parts: then that alone is told, and the lead.
fn differs(first: &Asked, second: &Asked) -> Vec<String> {
    let mut parts: Vec<&String> = first.keys().chain(second.keys()).collect();
    parts.sort();
    parts.dedup();
    parts.retain(|part| first.get(*part) != second.get(*part));
    if parts.iter().any(|part| *part == "call") {
        parts.retain(|part| ["call", "lead"].contains(&part.as_str()));
    }
    parts.into_iter().cloned().collect()
}

/// Does the work of a call once for each key, and reads its first outcome ever after. Without a key the work is done.
pub(super) fn by<T>(
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

fn json(value: &impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|error| {
        Error::new(ErrorKind::Internal, "what a key stands for could not be written as JSON")
            .with_source(error)
    })
}

/// FNV-1a, 64 bits: it tells a call from another that was given the same key by mistake, and protects nothing. Keys of objects
/// are sorted, whatever order they have in this program.
fn checksum(value: &serde_json::Value) -> String {
    fn mix(sum: u64, text: &str) -> u64 {
        // A zero behind each: `ab` and `c` are not `a` and `bc`.
        let bytes = text.bytes().chain([0]);
        bytes.fold(sum, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
    fn walk(sum: u64, value: &serde_json::Value) -> u64 {
        use serde_json::Value;
        match value {
            Value::Array(items) => mix(items.iter().fold(mix(sum, "["), walk), "]"),
            Value::Object(object) => {
                let mut items: Vec<_> = object.iter().collect();
                items.sort_by_key(|(key, _)| *key);
                let each = |sum, (key, value): &(&String, &Value)| walk(mix(sum, key), value);
                mix(items.iter().fold(mix(sum, "{"), each), "}")
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                mix(sum, &value.to_string())
            }
        }
    }
    format!("{:016x}", walk(0xcbf2_9ce4_8422_2325, value))
}
