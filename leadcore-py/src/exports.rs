//! Leads out: files, tables of Arrow, cards; and addresses that reach nobody.

use std::collections::BTreeMap;
use std::io::BufWriter;
use std::path::PathBuf;

use leadcore::desk::hygiene::{self, Fix, HygieneOutcome, HygienePlan, HygieneRequest};
use leadcore::domain::{ReachChannel, ViewRef};
use leadcore::error::{Error, Result, ViolationCode};
use leadcore::exchange::export::{
    self, ExportFormat, ExportOptions, Extent, Headers, LongTexts, Values, VcardVersion,
};
use leadcore::id::{LeadId, UserId};
use leadcore::query::Filter;
use leadcore::store::Txn;
use pyo3::prelude::*;
use serde::Deserialize;

use crate::arguments::Parts;
use crate::convert::{Id, Text, from_json, to_json};
use crate::errors::{invalid, raise};
use crate::leads::{filter, sort};
use crate::mass::{Done, done};
use crate::names::resolve_filter;
use crate::output::{Replacement, unwritable};
use crate::reading::fields_of;
use crate::session::Session;
use crate::subject::SubjectArg;
use crate::views::View;

/// Which leads: a filter, a view, or these.
#[derive(Debug, Clone)]
pub(crate) enum Which {
    Matching(Filter),
    View(ViewRef),
    Leads(Vec<LeadId>),
}

impl Which {
    pub(crate) fn resolve(&self, txn: &mut dyn Txn) -> Result<Extent> {
        Ok(match self {
            Self::Matching(filter) => Extent::Filter(resolve_filter(txn, filter)?),
            Self::View(view) => Extent::View(*view),
            Self::Leads(leads) => Extent::Leads(leads.clone()),
        })
    }
}

/// What goes out, and how.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) which: Which,
    pub(crate) options: ExportOptions,
    /// A filter beside a view or leads, whose names are not resolved yet.
    pub(crate) narrow: Option<Filter>,
}

impl Asked {
    /// With names looked up.
    pub(crate) fn resolve(&self, txn: &mut dyn Txn) -> Result<(Extent, ExportOptions)> {
        let mut options = self.options.clone();
        if let Some(filter) = &self.narrow {
            options.filter = Some(resolve_filter(txn, filter)?);
        }
        Ok((self.which.resolve(txn)?, options))
    }
}

/// What the package hands over; absent is what the core says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Given {
    search: Option<String>,
    ids: bool,
    headers: Option<String>,
    formulas: bool,
    external_system: Option<String>,
    users: BTreeMap<String, String>,
    cut: bool,
    sheet_rows: Option<u32>,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Asked {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let py = obj.py();
        let mut parts = Parts::new(&obj)?;
        let format: Text = parts.read("format")?;
        let (r#where, view): (Option<Text>, Option<View>) = (parts.read("where")?, parts.read("view")?);
        let leads: Option<Vec<Id>> = parts.read("leads")?;
        let (columns, order): (Option<Vec<Text>>, Option<Text>) =
            (parts.read("columns")?, parts.read("sort")?);
        let given: Text = parts.read("options")?;
        let given: Given = from_json(py, "options", &given.0)?;
        let Some(format) = ExportFormat::from_code(&format.0) else {
            return Err(invalid(py, "format", ViolationCode::Unknown, "there is no such format"));
        };
        let mut options = ExportOptions::new(format);
        options.columns = columns.map(|keys| fields_of(py, "columns", &keys)).transpose()?;
        options.sort = order.as_ref().map(|order| sort(py, Some(order))).transpose()?;
        options.search = given.search;
        options.values = if given.ids { Values::Ids } else { Values::Names };
        options.headers = match given.headers.as_deref() {
            Some("labels") => Headers::Labels,
            Some("keys") => Headers::Keys,
            _ => Headers::Usual,
        };
        options.without_formula_marks = given.formulas;
        options.external_system = given.external_system;
        for (user, name) in given.users {
            let user = UserId::new(user).map_err(|error| raise(py, &error.at("users").into()))?;
            options.users.insert(user, name);
        }
        options.long_texts = if given.cut { LongTexts::Cut } else { LongTexts::Refuse };
        if let Some(rows) = given.sheet_rows {
            options.sheet_rows = rows;
        }
        let asked = r#where.as_ref().map(|json| filter(py, Some(json))).transpose()?;
        let (which, narrow) = match (view, leads) {
            (Some(_), Some(_)) => {
                let message = "leads are those of a view or these, not both";
                return Err(invalid(py, "leads", ViolationCode::NotAllowed, message));
            }
            (Some(View(view)), None) => (Which::View(view), asked),
            (None, Some(leads)) => {
                (Which::Leads(leads.into_iter().map(|Id(id)| LeadId::from_uuid(id)).collect()), asked)
            }
            (None, None) => (Which::Matching(asked.unwrap_or_else(Filter::everything)), None),
        };
        Ok(Self { which, options, narrow })
    }
}

/// Leads, those that were passed over, each column with its field, the mapping of an import as JSON, sheets.
type Told = (u64, u64, Vec<(String, String)>, String, u32);

/// Refuses a file to be written, the argument `at`, that is the database or another one: by its path, or open.
#[pyfunction]
pub(crate) fn output_check(
    py: Python<'_>,
    session: &Session,
    at: Text,
    to: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let mut kept = session.untouchable(py)?;
    let checked = match to.extract::<PathBuf>() {
        Ok(path) => kept.check(&at.0, &path),
        Err(_) => kept.check_object(&at.0, to),
    };
    checked.map_err(|error| raise(py, &error))
}

/// Refuses an open file to be read, the argument `at`, that is the database.
#[pyfunction]
pub(crate) fn input_check(
    py: Python<'_>,
    session: &Session,
    at: Text,
    file: &Bound<'_, PyAny>,
) -> PyResult<()> {
    session.untouchable(py)?.check_read_object(&at.0, file).map_err(|error| raise(py, &error))
}

/// Writes leads to a file of this path.
#[pyfunction]
pub(crate) fn export_leads(py: Python<'_>, session: &Session, path: PathBuf, asked: Asked) -> PyResult<Told> {
    session.untouchable(py)?.check("to", &path).map_err(|error| raise(py, &error))?;
    let (exported, options) = session.read(py, move |ctx, txn| {
        let (extent, options) = asked.resolve(txn)?;
        let mut file = BufWriter::new(Replacement::create("to", &path)?);
        let exported = export::export(ctx, txn, &extent, &options, &mut file)?;
        let file = file.into_inner().map_err(|error| unwritable("to", &path, error.into_error()))?;
        file.put()?;
        Ok((exported, options))
    })?;
    let mapping = to_json(py, &exported.mapping(&options))?;
    let columns = exported.columns.iter().map(|(head, field)| (head.clone(), field.key().to_owned()));
    Ok((exported.leads, exported.passed_over, columns.collect(), mapping, exported.sheets))
}

/// The persons of a lead or an account as vCards of this version.
#[pyfunction]
pub(crate) fn contacts_vcard(
    py: Python<'_>,
    session: &Session,
    owner: SubjectArg,
    version: Text,
) -> PyResult<String> {
    let Some(version) = VcardVersion::from_code(&version.0) else {
        return Err(invalid(py, "version", ViolationCode::Unknown, "must be `3.0` or `4.0`"));
    };
    let cards = session.read(py, move |ctx, txn| {
        let mut cards = Vec::new();
        export::contacts_vcard(ctx, txn, owner.0, version, &mut cards)?;
        Ok(cards)
    })?;
    Ok(String::from_utf8_lossy(&cards).into_owned())
}

/// What is wrong with addresses, as JSON.
#[pyfunction]
pub(crate) fn hygiene_plan(
    py: Python<'_>,
    session: &Session,
    r#where: Option<Text>,
    request: Text,
) -> PyResult<String> {
    let filter = filter(py, r#where.as_ref())?;
    let asked: HygieneRequest = from_json(py, "issues", &request.0)?;
    let plan = session.read(py, move |ctx, txn| {
        let mut asked = asked.clone();
        asked.filter = resolve_filter(txn, &filter)?;
        hygiene::plan(ctx, txn, &asked)
    })?;
    to_json(py, &plan)
}

/// Refuses a text that is no plan of hygiene.
#[pyfunction]
pub(crate) fn hygiene_check(py: Python<'_>, text: Text) -> PyResult<()> {
    let _: HygienePlan = from_json(py, "text", &text.0)?;
    Ok(())
}

/// Refuses what an address of this kind cannot become.
#[pyfunction]
pub(crate) fn hygiene_check_correction(py: Python<'_>, channel: Text, correction: Text) -> PyResult<()> {
    let channel = ReachChannel::from_code(&channel.0).unwrap_or(ReachChannel::Email);
    let checked = Fix::Correct(correction.0).check(channel);
    checked.map_err(|error| raise(py, &Error::invalid(vec![error.at("correction")])))
}

/// Does what a plan of hygiene says.
#[pyfunction]
pub(crate) fn hygiene_apply<'py>(py: Python<'py>, session: &Session, plan: Text) -> PyResult<Done<'py>> {
    let plan: HygienePlan = from_json(py, "plan", &plan.0)?;
    let HygieneOutcome { operation, results, totals, .. } =
        session.write(py, move |ctx, txn| hygiene::apply(ctx, txn, &plan))?;
    done(py, operation, results, totals)
}
