//! Checksums of what a caller said: enough to tell another call, nothing to read.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result, Violation};

/// Parts of a call as the caller said them, where names stood for records: a source, a reason, a stage of a filter. Somebody may
/// rename these between a call and its retry.
///
/// Who reads names for callers hands this over with the [options](super::ConversionOptions::as_said): under a
/// [key](super::ConversionOptions::key) the same words are the same call, whatever the names mean by now.
///
/// ```
/// use leadcore::desk::convert::{self, AsSaid, ConversionOptions, OpportunityRequest};
/// use leadcore::desk::leads;
/// use leadcore::domain::OpportunityPatch;
/// use leadcore::error::{Violation, ViolationCode};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let lead = store.write(ctx.tenant(), |txn| leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into()))?;
/// let said = AsSaid::new().part("opportunity", &("A roof", "Fair"))?;
/// let convert = |options: ConversionOptions| {
///     store.write(ctx.tenant(), |txn| convert::convert(&ctx, txn, lead.id, &options))
/// };
/// let options = ConversionOptions::default().once("order 4711".parse()?);
/// let request = OpportunityRequest::new().with(OpportunityPatch::new().name("A roof"));
/// let first = convert(options.clone().with_opportunity(request).as_said(said.clone()))?;
/// // Meanwhile nothing is called so any more.
/// let unknown = Violation::new("opportunity.source", ViolationCode::Unknown, "there is no source with this name");
/// assert_eq!(convert(options.as_said(said.unread(vec![unknown])))?.operation, first.operation);
/// # Ok::<(), leadcore::error::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AsSaid {
    sums: Sums,
    /// The same in other words.
    #[serde(default, skip_serializing_if = "Others::is_empty")]
    others: Others,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unread: Vec<Violation>,
}

/// Parts of a call, each with its checksum.
pub(super) type Sums = BTreeMap<String, String>;

/// Parts of a call in other words, each with the checksums of these.
pub(super) type Others = BTreeMap<String, BTreeSet<String>>;

impl AsSaid {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With everything that was said of one part, named as the field of the [options](super::ConversionOptions) that it becomes:
    /// `opportunity`, `account_fields`. What a filter says is `leads`, and of a new opportunity `fields`. Only a checksum of it is kept.
    ///
    /// # Errors
    /// `Internal` when it cannot be written as JSON.
    pub fn part(mut self, name: &str, said: &impl Serialize) -> Result<Self> {
        self.sums.insert(name.to_owned(), checksum(&json(said)?));
        Ok(self)
    }

    /// With the same part in other words: with a record in the place of one of several names. A retry may say one name as before,
    /// and another as it is called now.
    ///
    /// ```
    /// use leadcore::desk::convert::AsSaid;
    /// let words = AsSaid::new().part("opportunity", &("Fair", "Too dear"))?;
    /// let said = words.or("opportunity", &("source 1", "Too dear"))?.or("opportunity", &("Fair", "reason 7"))?;
    /// # drop(said);
    /// # Ok::<(), leadcore::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Internal` when it cannot be written as JSON.
    pub fn or(mut self, name: &str, said: &impl Serialize) -> Result<Self> {
        let sum = checksum(&json(said)?);
        if self.sums.get(name) != Some(&sum) {
            self.others.entry(name.to_owned()).or_default().insert(sum);
        }
        Ok(self)
    }

    /// With what could not be read of it, such as a name that nothing has: unless the key answers the call, these refuse it.
    #[must_use]
    pub fn unread(mut self, broken: Vec<Violation>) -> Self {
        self.unread.extend(broken);
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.sums.remove(name);
        self.others.remove(name);
        self
    }

    pub(super) const fn sums(&self) -> &Sums {
        &self.sums
    }

    /// All that is said.
    pub(super) fn into_words(self) -> (Sums, Others) {
        (self.sums, self.others)
    }

    /// Whether a part was said so before, in one way or another; none where nothing is said of it.
    pub(super) fn is_as(&self, part: &str, (sums, others): (&Sums, &Others)) -> Option<bool> {
        let was = |sum: &String| {
            sums.get(part) == Some(sum) || others.get(part).is_some_and(|others| others.contains(sum))
        };
        let said = self.sums.get(part)?;
        Some(was(said) || self.others.get(part).is_some_and(|others| others.iter().any(was)))
    }

    /// Refuses what could not be read.
    ///
    /// # Errors
    /// `Invalid`.
    pub(in crate::desk) fn check(&self) -> Result<()> {
        if self.unread.is_empty() { Ok(()) } else { Err(Error::invalid(self.unread.clone())) }
    }
}

/// What is a decimal number in everything that is asked.
const NUMBERS: [&str; 5] = ["amount", "decimal", "percent", "quantity", "unit_price"];

/// How many digits behind the point an earlier version may have kept of a number that needs none.
const DIGITS: u32 = 4;

pub(super) fn json(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| {
        Error::new(ErrorKind::Internal, "what a key stands for could not be written as JSON")
            .with_source(error)
    })
}

/// The parts of a call.
pub(super) fn parts(whole: Value) -> impl Iterator<Item = (String, Value)> {
    match whole {
        Value::Object(parts) => parts,
        _ => serde_json::Map::new(),
    }
    .into_iter()
}

/// How numbers are spelled in a checksum.
#[derive(Debug, Clone, Copy)]
enum Spelling {
    /// Without zeros behind them: 10 and 10.00 are one amount.
    Exact,
    /// As they were said.
    AsIs,
    /// With so many digits behind the point, or more where they need more.
    Digits(u32),
}

impl Spelling {
    /// The text of a number; nothing for what is none.
    fn of(self, key: &str, value: &Value) -> Option<String> {
        let text = value.as_str().filter(|_| NUMBERS.contains(&key))?;
        let number = text.parse::<Decimal>().ok()?.normalize();
        Some(match self {
            Self::Exact => number.to_string(),
            Self::AsIs => text.to_owned(),
            Self::Digits(digits) => {
                let mut spelled = number;
                spelled.rescale(digits.max(number.scale()));
                spelled.to_string()
            }
        })
    }
}

/// FNV-1a, 64 bits: it tells a call from another that was given the same key by mistake, and protects nothing. Keys of objects
/// are sorted, whatever order they have in this program.
pub(super) fn checksum(value: &Value) -> String {
    spelled(value, Spelling::Exact)
}

/// What earlier versions kept of the same: they took zeros behind a number for a part of it.
pub(super) fn kept_before(value: &Value) -> BTreeSet<String> {
    let others = (1..=DIGITS).map(Spelling::Digits).chain([Spelling::AsIs]);
    let mut sums: BTreeSet<_> = others.map(|spelling| spelled(value, spelling)).collect();
    sums.remove(&checksum(value));
    sums
}

fn spelled(value: &Value, spelling: Spelling) -> String {
    format!("{:016x}", walk(0xcbf2_9ce4_8422_2325, value, spelling))
}

fn mix(sum: u64, text: &str) -> u64 {
    // A zero behind each: `ab` and `c` are not `a` and `bc`.
    let bytes = text.bytes().chain([0]);
    bytes.fold(sum, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn walk(sum: u64, value: &Value, spelling: Spelling) -> u64 {
    match value {
        Value::Array(items) => {
            mix(items.iter().fold(mix(sum, "["), |sum, item| walk(sum, item, spelling)), "]")
        }
        Value::Object(object) => {
            let mut items: Vec<_> = object.iter().collect();
            items.sort_by_key(|(key, _)| *key);
            let each = |sum, (key, value): &(&String, &Value)| match spelling.of(key, value) {
                Some(number) => mix(mix(sum, key), &Value::from(number).to_string()),
                None => walk(mix(sum, key), value, spelling),
            };
            mix(items.iter().fold(mix(sum, "{"), each), "}")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => mix(sum, &value.to_string()),
    }
}
