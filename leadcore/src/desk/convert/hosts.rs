//! What a host makes of a conversion in tables of its own.

use std::fmt;

use crate::error::Result;
use crate::store::Txn;

use super::plan::{ConversionOutcome, ConversionPlan};

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
    /// targets of the conversion are written already.
    ///
    /// # Errors
    /// Whatever stands against it: the conversion is refused with this error, and nothing is written.
    fn create(
        &self,
        txn: &mut dyn Txn,
        made: &ConversionOutcome,
        plan: &ConversionPlan,
    ) -> Result<Option<String>>;

    /// Takes back what [`create`](Self::create) made, when the conversion is taken back.
    ///
    /// # Errors
    /// Whatever stands against it: the conversion stays.
    fn withdraw(&self, txn: &mut dyn Txn, made: &ConversionOutcome, reference: &str) -> Result<()>;
}
