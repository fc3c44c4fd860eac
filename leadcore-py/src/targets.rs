//! Tables of the host's own that a conversion writes: Python callables, called in the middle of the transaction by the
//! thread that converts, so that they can use it too.

use std::sync::{Arc, PoisonError};

use leadcore::context::Context;
use leadcore::desk::convert::{ConversionOutcome, ConversionPlan, ConversionTarget};
use leadcore::error::{Error, ErrorKind, Result};
use leadcore::store::Txn;
use pyo3::prelude::*;
use pyo3::types::PyBool;
use serde::Serialize;

use crate::arguments::Parts;
use crate::convert::Text;
use crate::import_io::{Raised, call};
use crate::session::Session;
use crate::unit::Asking;

/// The names of the targets, and what answers for all of them.
pub(crate) struct Targets {
    names: Vec<Text>,
    answer: Py<PyAny>,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Targets {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let mut parts = Parts::new(&obj)?;
        Ok(Self { names: parts.read("targets")?, answer: parts.any()?.unbind() })
    }
}

/// What a target is asked: which one, the outcome so far, and the plan to make something of or the reference to take back.
struct Question {
    target: usize,
    made: String,
    plan: Option<String>,
    reference: Option<String>,
}

/// A target while its conversion is under way.
#[derive(Debug)]
struct Host<'a> {
    at: usize,
    name: &'a str,
    asking: &'a Asking<'a, Question>,
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::Internal, "a value could not be written as JSON").with_source(error)
    })
}

impl ConversionTarget for Host<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn create(
        &self,
        txn: &mut dyn Txn,
        made: &ConversionOutcome,
        plan: &ConversionPlan,
    ) -> Result<Option<String>> {
        let question =
            Question { target: self.at, made: json(made)?, plan: Some(json(plan)?), reference: None };
        self.asking.ask(txn, question)
    }

    fn withdraw(&self, txn: &mut dyn Txn, made: &ConversionOutcome, reference: &str) -> Result<()> {
        let reference = Some(reference.to_owned());
        let question = Question { target: self.at, made: json(made)?, plan: None, reference };
        self.asking.ask(txn, question).map(drop)
    }
}

/// What a target said; none when it raised what is the affair of one lead of many.
type Said = Option<Option<String>>;

impl Targets {
    /// Runs `work` in the transaction of the session, with the targets. What one of them raises is raised, and nothing of the
    /// call is kept.
    pub(crate) fn write<T: Send + 'static>(
        self,
        py: Python<'_>,
        session: &Session,
        work: impl Fn(&Context<'_>, &mut dyn Txn, &[&dyn ConversionTarget]) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        self.asked(py, session, work, |said| said.extract().map(Some))
    }

    /// The same for many leads: what a target has against one of them the package's Python half keeps, and answers `False`.
    pub(crate) fn write_each<T: Send + 'static>(
        self,
        py: Python<'_>,
        session: &Session,
        work: impl Fn(&Context<'_>, &mut dyn Txn, &[&dyn ConversionTarget]) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let said = |said: &Bound<'_, PyAny>| match said.cast::<PyBool>() {
            Ok(_) => Ok(None),
            Err(_) => said.extract().map(Some),
        };
        self.asked(py, session, work, said)
    }

    fn asked<T: Send + 'static>(
        self,
        py: Python<'_>,
        session: &Session,
        work: impl Fn(&Context<'_>, &mut dyn Txn, &[&dyn ConversionTarget]) -> Result<T> + Send + 'static,
        read: impl Fn(&Bound<'_, PyAny>) -> PyResult<Said> + Send,
    ) -> PyResult<T> {
        let names: Vec<String> = self.names.into_iter().map(|Text(name)| name).collect();
        let raised: Raised = Arc::default();
        let (heard, answer) = (Arc::clone(&raised), self.answer);
        let with_hosts = move |ctx: &Context<'_>, txn: &mut dyn Txn, asking: &Asking<'_, Question>| {
            let hosts: Vec<_> =
                names.iter().enumerate().map(|(at, name)| Host { at, name, asking }).collect();
            let hosts: Vec<&dyn ConversionTarget> =
                hosts.iter().map(|host| host as &dyn ConversionTarget).collect();
            work(ctx, txn, &hosts)
        };
        let result = session.write_asking(py, with_hosts, move |question: Question| {
            let Question { target, made, plan, reference } = question;
            let said = call(&heard, |py| read(&answer.bind(py).call1((target, made, plan, reference))?));
            let said =
                said.map_err(|error| Error::new(ErrorKind::Cancelled, "a target raised").with_source(error))?;
            said.ok_or_else(|| Error::new(ErrorKind::Unavailable, "a target raised"))
        });
        match raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => result,
        }
    }
}
