//! What the program brings of its own: a clock, and a check of tax numbers. Both are Python callables.

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};

use leadcore::error::{Error, ErrorKind, Result, ValueError, ViolationCode};
use leadcore::id::TenantId;
use leadcore::store::{Store, Txn};
use leadcore::time::{Clock, SystemClock, Timestamp};
use leadcore::value::{Country, TaxId, TaxIdRule};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyString};

use crate::convert::time_of;
use crate::errors::raise;

/// What the program brought when it opened the database.
#[derive(Debug, Clone, Default)]
pub(crate) struct Host {
    clock: Option<Arc<Py<PyAny>>>,
    tax_rule: Option<Arc<Py<PyAny>>>,
}

impl Host {
    pub(crate) fn new(clock: Option<Py<PyAny>>, tax_rule: Option<Py<PyAny>>) -> Self {
        Self { clock: clock.map(Arc::new), tax_rule: tax_rule.map(Arc::new) }
    }

    /// What one call of the engine asks. The clock is asked here, once: nothing is locked yet, and all that the call writes
    /// has one time.
    ///
    /// # Errors
    /// What the clock raises, or that it gave no aware time.
    pub(crate) fn call(&self, py: Python<'_>) -> PyResult<Call> {
        let now = self.clock.as_ref().map(|clock| read_clock(clock.bind(py))).transpose()?;
        let rule = self.tax_rule.as_ref().map(|rule| Rule { rule: Arc::clone(rule), raised: Arc::default() });
        Ok(Call { now, rule })
    }
}

fn read_clock(clock: &Bound<'_, PyAny>) -> PyResult<Timestamp> {
    let said = clock.call0()?;
    let at = said.cast::<PyDateTime>().map_err(|_| {
        PyTypeError::new_err("`clock`: expected something that gives a datetime with a time zone")
    })?;
    time_of(at).map_err(|error| raise(clock.py(), &error.at("clock").into()))
}

/// The time and the rule of one call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    now: Option<Timestamp>,
    rule: Option<Rule>,
}

impl Clock for Call {
    fn now(&self) -> Timestamp {
        self.now.unwrap_or_else(|| SystemClock.now())
    }
}

impl Call {
    pub(crate) fn tax_rule(&self) -> Option<&dyn TaxIdRule> {
        self.rule.as_ref().map(|rule| rule as &dyn TaxIdRule)
    }

    /// Keeps nothing of what was done while the rule raised.
    ///
    /// # Errors
    /// `Cancelled` then; the caller hears what was raised instead.
    pub(crate) fn check<T>(&self, done: Result<T>) -> Result<T> {
        match &self.rule {
            Some(rule) if rule.has_raised() => {
                Err(Error::new(ErrorKind::Cancelled, "the check of tax numbers raised"))
            }
            _ => done,
        }
    }

    /// The result, or what the rule raised.
    ///
    /// # Errors
    /// What the rule raised, else that of the result.
    pub(crate) fn told<T>(&self, py: Python<'_>, result: Result<T>) -> PyResult<T> {
        let raised = self.rule.as_ref().and_then(|rule| rule.lock().take());
        raised.map_or_else(|| result.map_err(|error| raise(py, &error)), Err)
    }
}

/// The program's check, and what it raised.
#[derive(Debug, Clone)]
struct Rule {
    rule: Arc<Py<PyAny>>,
    raised: Arc<Mutex<Option<PyErr>>>,
}

impl Rule {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<PyErr>> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_raised(&self) -> bool {
        self.lock().is_some()
    }
}

impl TaxIdRule for Rule {
    fn check(&self, country: Option<Country>, id: &TaxId) -> Result<(), ValueError> {
        // Nothing of this call is kept any more, so nothing more is asked.
        if self.has_raised() {
            return Ok(());
        }
        let refused = Python::attach(|py| {
            let _inside = Inside::enter();
            let said = self.rule.bind(py).call1((id.as_str(), country.as_ref().map(Country::code)))?;
            if said.is_none() {
                return Ok(None);
            }
            let reason = said.cast::<PyString>().map_err(|_| {
                PyTypeError::new_err(
                    "`tax_rule`: expected None for a number that is right, else the reason as text",
                )
            })?;
            Ok(Some(reason.to_string_lossy().into_owned()))
        });
        match refused {
            Ok(None) => Ok(()),
            Ok(Some(reason)) => Err(ValueError::new(ViolationCode::Malformed, reason)),
            Err(error) => {
                *self.lock() = Some(error);
                Ok(())
            }
        }
    }
}

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, this thread runs the program's check: in the middle of a transaction.
struct Inside(bool);

impl Inside {
    fn enter() -> Self {
        Self(INSIDE.replace(true))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(self.0);
    }
}

/// Refuses a call from within the program's check, which would wait for itself.
///
/// # Errors
/// `Unsupported` there.
pub(crate) fn refuse_inside() -> Result<()> {
    if INSIDE.get() {
        let message = "a check of tax numbers runs in the middle of a write and cannot use a database";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    Ok(())
}

/// A store that keeps nothing of a transaction in which the rule raised.
pub(crate) struct Watched<'s> {
    pub(crate) store: &'s dyn Store,
    pub(crate) call: &'s Call,
}

impl Store for Watched<'_> {
    fn read_with(&self, tenant: &TenantId, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
        self.store.read_with(tenant, &mut |txn| self.call.check(work(txn)))
    }

    fn write_with(&self, tenant: &TenantId, work: &mut dyn FnMut(&mut dyn Txn) -> Result<()>) -> Result<()> {
        self.store.write_with(tenant, &mut |txn| self.call.check(work(txn)))
    }
}
