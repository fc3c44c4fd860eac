//! What a host makes of a conversion in tables of its own.

use std::cell::RefCell;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::Sequence;
use crate::error::{Error, ErrorKind, Result, Violation, ViolationCode};
use crate::store::Txn;

use super::plan::{ConversionOutcome, ConversionPlan, HostMade};

/// A place where a host keeps customers of its own: called inside the transaction that converts, so that both are written or
/// neither is. A host whose customers live elsewhere reads the [outbox](crate::desk::outbox) instead.
///
/// A host that opened the transaction itself holds it (a connection, say) in the value that it implements this for.
///
/// ```
/// use std::cell::RefCell;
/// use leadcore::desk::convert::{self, ConversionOutcome, ConversionPlan, ConversionTarget};
/// use leadcore::desk::leads;
/// use leadcore::error::Result;
/// use leadcore::prelude::*;
/// use leadcore::store::Txn;
/// #[derive(Debug, Default)]
/// struct Clients(RefCell<Vec<String>>);
/// impl ConversionTarget for Clients {
///     fn name(&self) -> &str {
///         "client"
///     }
///     fn create(&self, _: &mut dyn Txn, made: &ConversionOutcome, _: &ConversionPlan) -> Result<Option<String>> {
///         self.0.borrow_mut().push(made.lead.to_string());
///         Ok(Some(format!("C-{}", self.0.borrow().len())))
///     }
///     fn withdraw(&self, _: &mut dyn Txn, _: &ConversionOutcome, _: &str) -> Result<()> {
///         Ok(())
///     }
/// }
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let clients = Clients::default();
/// let done = store.write(ctx.tenant(), |txn| {
///     let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
///     let plan = convert::plan(&ctx, txn, lead.id, &Default::default())?;
///     convert::apply_with(&ctx, txn, &plan, &[&clients])
/// })?;
/// assert_eq!(done.host[0].reference, "C-1");
/// # Ok::<(), leadcore::error::Error>(())
/// ```
pub trait ConversionTarget: fmt::Debug {
    /// Its name, which never changes: the outcome says by it who made what.
    fn name(&self) -> &str;

    /// Makes what the host keeps of this customer, and says what it is called there; none when it keeps nothing. All other
    /// targets of the conversion are written already. Notes, services and persons that it adds to them here, in the same transaction,
    /// belong to the conversion and go with it, also where they hang on an account that was there before; what has a number of its own
    /// (an estimate, an opportunity) is for the target to withdraw. Where it makes another person the primary contact, the one of
    /// before is it again.
    ///
    /// # Errors
    /// Whatever stands against it: the conversion is refused with this error, and nothing is written. Of many leads it is the
    /// outcome of that one ([`TargetFailure`]); `Cancelled` ends the whole call, as do errors that say that the store itself
    /// is broken (`Storage`, `Corrupt`, `Internal`).
    fn create(
        &self,
        txn: &mut dyn Txn,
        made: &ConversionOutcome,
        plan: &ConversionPlan,
    ) -> Result<Option<String>>;

    /// Takes back what [`create`](Self::create) made, when the conversion is taken back. It is asked before the records of the conversion
    /// go, and what it leaves there of notes, services and persons is removed with them. What it writes into a field stays as it writes it.
    ///
    /// # Errors
    /// Whatever stands against it: the conversion stays.
    fn withdraw(&self, txn: &mut dyn Txn, made: &ConversionOutcome, reference: &str) -> Result<()>;
}

/// What a target had against one lead of many. Of that lead nothing is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TargetFailure {
    /// The name of the target.
    pub target: String,
    /// What kind of error it returned.
    pub kind: ErrorKind,
    /// Its error in words.
    pub message: String,
    /// Every rule that it says is broken.
    pub violations: Vec<Violation>,
    /// What targets before it had made. Rows of the same unit of work are gone again; what a target keeps elsewhere is for the
    /// caller to remove.
    pub made: Vec<HostMade>,
}

/// The longest name that a target gives to what it made, in characters.
const MAX_REFERENCE: usize = 1_000;

/// What a target made is found again by its name: one that is blank or of any length is none.
fn checked(reference: Option<String>) -> Result<Option<String>> {
    let Some(name) = reference.as_deref() else { return Ok(None) };
    let broken = if name.trim().is_empty() {
        Some((ViolationCode::Required, "what a target made has a name; none is said where it made nothing"))
    } else if name.chars().count() > MAX_REFERENCE {
        Some((ViolationCode::TooLong, "the name of what a target made has at most 1,000 characters"))
    } else {
        None
    };
    match broken {
        Some((code, message)) => Err(Error::invalid_field("reference", code, message)),
        None => Ok(reference),
    }
}

/// The targets of a call, and what one of them had against the lead that is being converted.
#[derive(Debug, Default)]
pub(super) struct Hosts<'a> {
    targets: &'a [&'a dyn ConversionTarget],
    failure: RefCell<Option<TargetFailure>>,
}

impl<'a> Hosts<'a> {
    pub(super) fn new(targets: &'a [&'a dyn ConversionTarget]) -> Self {
        Self { targets, failure: RefCell::default() }
    }

    /// Whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Lets each target make what it keeps, in order, and adds that to the outcome. Says behind which place of the journal, and up to
    /// which one, they wrote records of the store.
    pub(super) fn create(
        &self,
        txn: &mut dyn Txn,
        outcome: &mut ConversionOutcome,
        plan: &ConversionPlan,
    ) -> Result<Option<(Sequence, Sequence)>> {
        if self.is_empty() {
            return Ok(None);
        }
        let before = txn.journal().end()?;
        for target in self.targets {
            let made = target.create(txn, outcome, plan).and_then(checked);
            let made = made.inspect_err(|error| self.failed(target.name(), error, outcome))?;
            if let Some(reference) = made {
                outcome.host.push(HostMade { target: target.name().to_owned(), reference });
            }
        }
        let after = txn.journal().end()?;
        Ok((after > before).then_some((before, after)))
    }

    fn failed(&self, target: &str, error: &Error, outcome: &ConversionOutcome) {
        // After these nothing may be written any more: SQLite, for one, ends the transaction when the disk is full.
        let is_of_store = matches!(
            error.kind(),
            ErrorKind::Cancelled | ErrorKind::Storage | ErrorKind::Corrupt | ErrorKind::Internal
        );
        let failure = TargetFailure {
            target: target.to_owned(),
            kind: error.kind(),
            message: error.to_string(),
            violations: error.violations().to_vec(),
            made: outcome.host.clone(),
        };
        *self.failure.borrow_mut() = (!is_of_store).then_some(failure);
    }

    /// What a target had against the lead that was refused last, if that is the lead's own affair.
    pub(super) fn take_failure(&self) -> Option<TargetFailure> {
        self.failure.borrow_mut().take()
    }
}
