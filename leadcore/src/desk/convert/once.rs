//! The caller's own key: the same call again gives the first outcome.
//!
//! A key is the key of an operation without entries, whose outcome says what was asked and which operation answers it; that of a
//! call for many says which leads it was for, each of which has a key of its own. Of what was asked only the leads and checksums are
//! kept: enough to tell another call, nothing to read.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
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

/// The kinds of calls, as their keys begin. A key stands for one call of any of them; those of the single leads of a call for many
/// are covered by the key of that call.
const KINDS: [&str; 4] = [CONVERT, CONVERT_ALL, OPPORTUNITY, UNCONVERT];
const CONVERT: &str = "convert";
const CONVERT_ALL: &str = "convert_all";
const OPPORTUNITY: &str = "opportunity";
const UNCONVERT: &str = "unconvert";

/// A key, and what is asked under it.
#[derive(Debug, Clone)]
pub(in crate::desk) struct Once {
    /// As the journal has it: keys of different calls are different.
    key: String,
    asked: Asked,
    /// What a part stands for that is not among what was asked: the key of a call may have been kept by a version that did not
    /// know that part, or be read by one.
    unsaid: Asked,
}

/// The leads of a call for many, as its key has them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct All {
    /// A checksum of the filter that found them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<String>,
    pub(super) leads: Vec<LeadId>,
}

/// What the journal keeps of the key of a call for many. What became of each lead is kept by a key of its own.
#[derive(Debug, Serialize, Deserialize)]
struct KeptAll {
    #[serde(flatten)]
    all: All,
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
        Self { key, asked: Asked::new(), unsaid: Asked::new() }
    }

    pub(super) fn conversion(key: &IdempotencyKey) -> Self {
        Self::new(format!("{CONVERT}:{key}"))
    }

    /// One lead of many: each has a key of its own.
    pub(super) fn of_many(key: &IdempotencyKey, lead: LeadId) -> Self {
        Self::new(format!("convert_many:{lead}:{key}"))
    }

    /// All of them: a key names one call.
    pub(super) fn all(key: &IdempotencyKey) -> Self {
        Self::new(format!("{CONVERT_ALL}:{key}"))
    }

    /// An opportunity with the conversion that it needs.
    pub(in crate::desk) fn opportunity(key: &IdempotencyKey) -> Self {
        Self::new(format!("{OPPORTUNITY}:{key}"))
    }

    /// The same for another record than a conversion, with everything that is said of it.
    pub(in crate::desk) fn for_new(
        self,
        lead: LeadId,
        options: &ConversionOptions,
        said: &impl Serialize,
    ) -> Result<Self> {
        let mut once = self.for_options(lead, options)?;
        once.asked.insert("fields".to_owned(), checksum(&json(said)?));
        Ok(once)
    }

    pub(super) fn way_back(key: &IdempotencyKey) -> Self {
        Self::new(format!("{UNCONVERT}:{key}"))
    }

    pub(super) fn for_lead(mut self, lead: LeadId) -> Self {
        self.asked.insert("lead".to_owned(), lead.to_string());
        self
    }

    /// Everything that decides what comes of it. Not the revision: it says when it may be done, and is another one afterwards.
    pub(super) fn for_options(self, lead: LeadId, options: &ConversionOptions) -> Result<Self> {
        self.for_lead(lead).asking(options)
    }

    /// The same of whichever lead.
    pub(super) fn asking(mut self, options: &ConversionOptions) -> Result<Self> {
        let asked = ConversionOptions { revision: None, key: None, ..options.clone() };
        self.unsaid = sums(json(&ConversionOptions::default())?).collect();
        self.with("convert", json(&asked)?)
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

    fn with(mut self, call: &str, parts: serde_json::Value) -> Result<Self> {
        self.asked.insert("call".to_owned(), call.to_owned());
        self.asked.extend(sums(parts));
        Ok(self)
    }

    /// The operation that answers the key already, if this is the same call.
    fn first(&self, txn: &mut dyn Txn) -> Result<Option<OperationId>> {
        let Some(kept) = self.found::<Kept>(txn)? else {
            self.check_free(txn)?;
            return Ok(None);
        };
        let differs = differs(&kept.asked, &self.asked, &self.unsaid);
        if differs.is_empty() {
            return Ok(Some(kept.operation));
        }
        Err(Error::conflicting("conversion", Conflict::KeyReused { differs }))
    }

    /// The leads of the call that has the key already, and what this one asks otherwise of them.
    pub(super) fn first_of_all(&self, txn: &mut dyn Txn) -> Result<Option<(All, Vec<String>)>> {
        let found = self.found::<KeptAll>(txn)?;
        if found.is_none() {
            self.check_free(txn)?;
        }
        Ok(found.map(|kept| (kept.all, differs(&kept.asked, &self.asked, &self.unsaid))))
    }

    /// Refuses a key that stands for a call of another kind.
    fn check_free(&self, txn: &mut dyn Txn) -> Result<()> {
        let Some((own, key)) = self.key.split_once(':').filter(|(kind, _)| KINDS.contains(kind)) else {
            return Ok(());
        };
        for kind in KINDS.iter().filter(|kind| **kind != own) {
            if txn.journal().find(OperationKind::Once, &format!("{kind}:{key}"))?.is_some() {
                let differs = vec!["call".to_owned()];
                return Err(Error::conflicting("conversion", Conflict::KeyReused { differs }));
            }
        }
        Ok(())
    }

    fn found<K: DeserializeOwned>(&self, txn: &mut dyn Txn) -> Result<Option<K>> {
        let Some(found) = txn.journal().find(OperationKind::Once, &self.key)? else { return Ok(None) };
        let corrupt = || Error::new(ErrorKind::Corrupt, "what a key stands for cannot be read");
        let kept = serde_json::from_value(found.outcome.ok_or_else(corrupt)?);
        kept.map(Some).map_err(|error| corrupt().with_source(error))
    }

    fn keep(self, ctx: &Context<'_>, txn: &mut dyn Txn, operation: OperationId) -> Result<()> {
        let kept = json(&Kept { operation, asked: self.asked })?;
        put(ctx, txn, self.key, kept)
    }

    pub(super) fn keep_all(self, ctx: &Context<'_>, txn: &mut dyn Txn, all: All) -> Result<()> {
        let kept = json(&KeptAll { all, asked: self.asked })?;
        put(ctx, txn, self.key, kept)
    }
}

fn put(ctx: &Context<'_>, txn: &mut dyn Txn, key: String, what: serde_json::Value) -> Result<()> {
    let mut kept = new_operation(ctx, OperationKind::Once, Some(key));
    kept.outcome = Some(what);
    txn.journal().begin(&kept)
}

/// What the second call asks otherwise than the first. What one of them does not say is as when it is not said. Another call has
/// other parts: then that alone is told, and the lead.
fn differs(first: &Asked, second: &Asked, unsaid: &Asked) -> Vec<String> {
    let mut parts: Vec<&String> = first.keys().chain(second.keys()).collect();
    parts.sort();
    parts.dedup();
    let said = |asked: &Asked, part: &str| asked.get(part).or_else(|| unsaid.get(part)).cloned();
    parts.retain(|part| said(first, part) != said(second, part));
    if parts.iter().any(|part| *part == "call") {
        parts.retain(|part| ["call", "lead"].contains(&part.as_str()));
    }
    parts.into_iter().cloned().collect()
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

/// The parts of a call, each with its checksum.
fn sums(parts: serde_json::Value) -> impl Iterator<Item = (String, String)> {
    let parts = match parts {
        serde_json::Value::Object(parts) => parts,
        _ => serde_json::Map::new(),
    };
    parts.into_iter().map(|(part, value)| {
        let sum = checksum(&value);
        (part, sum)
    })
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

/// What is a decimal number in everything that is asked.
const NUMBERS: [&str; 5] = ["amount", "decimal", "percent", "quantity", "unit_price"];

/// The number without zeros behind it: 10 and 10.00 are one amount.
fn exact(key: &str, value: &serde_json::Value) -> Option<serde_json::Value> {
    let text = value.as_str().filter(|_| NUMBERS.contains(&key))?;
    let number: Decimal = text.parse().ok()?;
    Some(number.normalize().to_string().into())
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
                let each = |sum, (key, value): &(&String, &Value)| match exact(key, value) {
                    Some(number) => mix(mix(sum, key), &number.to_string()),
                    None => walk(mix(sum, key), value),
                };
                mix(items.iter().fold(mix(sum, "{"), each), "}")
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                mix(sum, &value.to_string())
            }
        }
    }
    format!("{:016x}", walk(0xcbf2_9ce4_8422_2325, value))
}

#[cfg(test)]
mod tests {
    use super::super::super::leads;
    use super::super::{
        AccountChoice, CustomerType, EstimateChoice, OpportunityEnding, OpportunityRequest, PersonChoice,
        PlannedService, plan,
    };
    use super::*;
    use crate::dedupe::matching::MatchPolicy;
    use crate::domain::{Actor, LeadFields, Line, OpportunityPatch, ServiceOrigin};
    use crate::id::{ContactId, EstimateId, SequentialIds};
    use crate::memory::MemoryStore;
    use crate::policy::AllowAll;
    use crate::store::StoreExt;
    use crate::time::ManualClock;

    /// What keys of this version are kept with. A change here means that retries which are under way while a host updates this
    /// library are refused: a new part of options or plans leaves itself out of its JSON as long as it says nothing.
    #[test]
    fn what_is_kept_of_a_call_stays_what_it_is() {
        let store = MemoryStore::new();
        let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
        let ctx = Context::new(&"acme".parse().unwrap(), Actor::System, &clock, &ids, &AllowAll);
        let id = uuid::Uuid::from_u128;
        let patch = OpportunityPatch::new().name("A roof").amount(Some(Decimal::from(5)));
        let ending = OpportunityEnding::Lost { on: None, reason: None, detail: Some("Price".to_owned()) };
        let plain = ConversionOptions::default().customer(CustomerType::ActiveWithInvoice);
        let plain = plain.with_opportunity(OpportunityRequest::new().with(patch).ended(ending));
        let options = ConversionOptions {
            account: AccountChoice::Match(MatchPolicy::Best { at_least: 80 }),
            person: PersonChoice::Existing(ContactId::from_uuid(id(7))),
            estimates: EstimateChoice::These(vec![EstimateId::from_uuid(id(8))]),
            ..plain.clone()
        };
        let mut made = store
            .write(ctx.tenant(), |txn| {
                let fields = LeadFields {
                    person: Some(crate::value::PersonName::parse("Kari Berg")?),
                    currency: Some("EUR".parse()?),
                    ..LeadFields::company("Nordlys AS")?
                };
                let lead = leads::create(&ctx, txn, fields.into())?;
                plan(&ctx, txn, lead.id, &plain)
            })
            .unwrap();
        let line = Line::new("Panel", 12.into(), 200.into());
        let origin = ServiceOrigin { estimate: EstimateId::from_uuid(id(8)), position: 1 };
        made.services = vec![PlannedService { fields: line.into(), origin: Some(origin) }];
        made.lead = LeadId::from_uuid(id(9));
        let key = "order 4711".parse().unwrap();
        let told = |once: Once| {
            let kept: Vec<_> = once.asked.into_iter().map(|(part, sum)| format!("{part} {sum}")).collect();
            kept.join("\n")
        };
        let kept = [
            told(Once::conversion(&key).for_options(made.lead, &options).unwrap()),
            told(Once::conversion(&key).for_plan(&made).unwrap()),
        ];
        let wanted = [
            "account 36e9585545eeca3d\n\
             call convert\n\
             contacts 8c1783a7271ca55f\n\
             customer 87d05810b36f2d32\n\
             estimates 20348f398a171f3c\n\
             lead 00000000-0000-0000-0000-000000000009\n\
             opportunity 5927b738bd7474a2\n\
             person a7f1c049f716146b\n\
             revision 2ab82c9a31421b6c\n\
             series 2ab82c9a31421b6c\n\
             status 34a8ccbf828f2813",
            "account 0d575965ad5299ac\n\
             call apply\n\
             contacts 392b71008968dffb\n\
             customer 87d05810b36f2d32\n\
             lead 00000000-0000-0000-0000-000000000009\n\
             opportunity 145316703ebcc3ec\n\
             services 3c6c3b63b016bee4",
        ];
        assert_eq!(kept, wanted);
    }
}
