//! Importing files of leads: plans, runs, mappings.

use std::collections::BTreeMap;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use leadcore::context::Context;
use leadcore::desk;
use leadcore::domain::Field;
use leadcore::error::{Error, Result, ViolationCode};
use leadcore::exchange::import::{self, ImportPlan, ImportReport, PlannedLine, Preview};
use leadcore::exchange::{ColumnMapping, Mapping, mappings, template, template_xlsx};
use leadcore::id::{OperationId, UserId};
use leadcore::store::Store;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arguments::Parts;
use crate::convert::{Text, from_json, to_json};
use crate::errors::raise;
use crate::import_io::{Output, Raised, Rejects, Sink, Source, name_import, open, open_path};
use crate::import_options::{Column, Given, mapping};
use crate::output::{Identity, Replacement, unwritable};
use crate::session::Session;

/// A path, bytes, or an object with `read` and `seek`: the one of them that is there.
pub(crate) struct Place {
    path: Option<PathBuf>,
    data: Option<Vec<u8>>,
    file: Option<Py<PyAny>>,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Place {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let mut parts = Parts::new(&obj)?;
        Ok(Self { path: parts.read("file")?, data: parts.read("file")?, file: parts.object()? })
    }
}

/// Where rejected rows go, and whom the import tells: a path, a file, the hearer of progress and that of lines.
pub(crate) struct Outputs {
    path: Option<PathBuf>,
    file: Option<Py<PyAny>>,
    progress: Option<Py<PyAny>>,
    lines: Option<Py<PyAny>>,
}

impl<'a, 'py> FromPyObject<'a, 'py> for Outputs {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let mut parts = Parts::new(&obj)?;
        Ok(Self {
            path: parts.read("rejects")?,
            file: parts.object()?,
            progress: parts.object()?,
            lines: parts.object()?,
        })
    }
}

/// Refuses outputs that are what the call reads, each other, or the database, before anything is read.
fn check_outputs(
    py: Python<'_>,
    session: &Session,
    place: &Place,
    (plan, to): (Option<&Path>, Option<&Path>),
    outputs: &Outputs,
) -> PyResult<()> {
    if to.is_none() && outputs.path.is_none() && outputs.file.is_none() {
        return Ok(());
    }
    let mut kept = session.untouchable(py)?;
    if let Some(path) = &place.path {
        kept.path("the file that is imported", path);
    }
    if let Some(file) = &place.file {
        kept.file("the file that is imported", Identity::of_object(file.bind(py)));
    }
    if let Some(path) = plan {
        kept.path("the plan", path);
    }
    let mut checked = to.map_or(Ok(()), |path| kept.check("to", path));
    if let Some(path) = &outputs.path {
        checked = checked.and_then(|()| kept.check("rejects", path));
    }
    if let Some(file) = &outputs.file {
        checked = checked.and_then(|()| kept.check_object("rejects", file.bind(py)));
    }
    checked.map_err(|error| raise(py, &error))
}

/// Refuses a file to be read that is an open database, before it is opened.
fn check_input(py: Python<'_>, session: &Session, at: &str, path: &Path) -> PyResult<()> {
    session.untouchable(py)?.check_read(at, path).map_err(|error| raise(py, &error))
}

/// The report as JSON, its table, and the table of its `earlier`.
type Told = (String, String, Option<String>);

fn told(py: Python<'_>, report: &ImportReport) -> PyResult<Told> {
    let earlier = report.earlier.as_ref().map(ToString::to_string);
    Ok((to_json(py, report)?, report.to_string(), earlier))
}

/// Runs `work` with the input; what the caller's own code raised says more than the error that it led to.
fn with_input<T: Send>(
    py: Python<'_>,
    session: &Session,
    place: Place,
    work: impl FnOnce(&Context<'_>, &dyn Store, Source, &Raised) -> Result<T> + Send,
) -> PyResult<T> {
    importing(py, session, place, |_| None, work)
}

/// The same for work that writes: `written` says the operation of what is done.
fn importing<T: Send>(
    py: Python<'_>,
    session: &Session,
    Place { path, data, file }: Place,
    written: impl FnOnce(&T) -> Option<OperationId>,
    work: impl FnOnce(&Context<'_>, &dyn Store, Source, &Raised) -> Result<T> + Send,
) -> PyResult<T> {
    if let Some(path) = &path {
        check_input(py, session, "file", path)?;
    }
    if let Some(file) = &file {
        let checked = session.untouchable(py)?.check_read_object("file", file.bind(py));
        checked.map_err(|error| raise(py, &error))?;
    }
    let raised: Raised = Arc::default();
    let inside = Arc::clone(&raised);
    let result = session.with_store(py, move |ctx, store| {
        let source = Source { input: open(path, data, file)?, raised: Arc::clone(&inside) };
        work(ctx, store, source, &inside)
    });
    match raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) => {
            match &result {
                Err(broken) => {
                    let operation =
                        broken.value(py).getattr_opt("operation")?.filter(|known| !known.is_none());
                    let then = "so far is operation {}: the same call goes on, `db.undo` takes it back";
                    operation.map_or(Ok(()), |known| name_import(py, &error, &known, then))?;
                }
                Ok(done) => {
                    let then = "is done, as operation {}: `db.undo` takes it back";
                    if let Some(known) = written(done) {
                        name_import(py, &error, known.as_uuid().into_pyobject(py)?.as_any(), then)?;
                    }
                }
            }
            Err(error)
        }
        None => result,
    }
}

/// Runs `work` with where rejected rows go and whom to tell.
fn with_outputs<T>(
    Outputs { path, file, progress, lines }: Outputs,
    raised: &Raised,
    writes: bool,
    work: impl FnOnce(Option<&mut dyn Write>, &mut Sink) -> Result<T>,
) -> Result<T> {
    let mut sink = Sink { progress, lines, outcomes: Vec::new(), told: false, raised: Arc::clone(raised) };
    let mut rejects = match (path, file) {
        (Some(path), _) => Some(Rejects::File(Output::new(path))),
        (None, Some(file)) => Some(Rejects::Object(file, Arc::clone(raised))),
        (None, None) => None,
    };
    let done = work(rejects.as_mut().map(|rejects| rejects as &mut dyn Write), &mut sink);
    let Some(Rejects::File(output)) = rejects else { return done };
    // What was written stays, and so does what was rejected beside it. An import that broke before its first chunk, or only
    // looked, leaves an earlier file alone.
    if done.is_err() && !(sink.told && writes) && output.failed.is_none() {
        return done;
    }
    match (output.put(), done) {
        (Ok(()), done) => done,
        (Err(error), Err(first)) => Err(match first.operation() {
            Some(operation) => error.with_operation(operation),
            None => error,
        }),
        (Err(error), Ok(_)) => Err(error),
    }
}

/// Imports a file, or says what an import would do.
#[pyfunction]
pub(crate) fn import_leads(
    py: Python<'_>,
    session: &Session,
    place: Place,
    options: Text,
    dry_run: bool,
    outputs: Outputs,
) -> PyResult<Told> {
    let given: Given = from_json(py, "options", &options.0)?;
    check_outputs(py, session, &place, (None, None), &outputs)?;
    let written = |report: &ImportReport| report.operation.filter(|_| !dry_run);
    let report = importing(py, session, place, written, move |ctx, store, source, raised| {
        let options = given.options()?;
        with_outputs(outputs, raised, !dry_run, |rejects, sink| {
            if dry_run {
                return import::dry_run_with_rejects(ctx, store, source, &options, rejects, sink);
            }
            import::run(ctx, store, source, &options, rejects, sink)
        })
    })?;
    told(py, &report)
}

/// The plan of an import as JSON, and the table of its report; with the choices of an earlier plan where one is given.
#[pyfunction]
pub(crate) fn import_plan(
    py: Python<'_>,
    session: &Session,
    place: Place,
    options: Text,
    earlier: Option<Text>,
    outputs: Outputs,
) -> PyResult<(String, String)> {
    let given: Given = from_json(py, "options", &options.0)?;
    let earlier = earlier.map(|Text(json)| plan_of(py, "plan", &json)).transpose()?;
    let plan = with_input(py, session, place, move |ctx, store, source, raised| {
        with_outputs(outputs, raised, false, |_, sink| match &earlier {
            Some(earlier) => import::replan(ctx, store, earlier, source, sink),
            None => import::plan(ctx, store, source, &given.options()?, sink),
        })
    })?;
    Ok((to_json(py, &plan)?, plan.report.to_string()))
}

/// Imports a file as planned.
#[pyfunction]
pub(crate) fn import_apply(
    py: Python<'_>,
    session: &Session,
    plan: Text,
    place: Place,
    outputs: Outputs,
) -> PyResult<Told> {
    let plan = plan_of(py, "plan", &plan.0)?;
    check_outputs(py, session, &place, (None, None), &outputs)?;
    let written = |report: &ImportReport| report.operation;
    let report = importing(py, session, place, written, move |ctx, store, source, raised| {
        with_outputs(outputs, raised, true, |rejects, sink| {
            import::apply(ctx, store, &plan, source, rejects, sink)
        })
    })?;
    told(py, &report)
}

/// The plan of an import, written to a file of this path line by line: its summary as JSON, and the table of its report.
#[pyfunction]
pub(crate) fn import_plan_to(
    py: Python<'_>,
    session: &Session,
    place: Place,
    options: Text,
    to: PathBuf,
    outputs: Outputs,
) -> PyResult<(String, String)> {
    let given: Given = from_json(py, "options", &options.0)?;
    check_outputs(py, session, &place, (None, Some(to.as_path())), &outputs)?;
    let summary = with_input(py, session, place, move |ctx, store, source, raised| {
        let options = given.options()?;
        let mut file = BufWriter::new(Replacement::create("to", &to)?);
        let summary = with_outputs(outputs, raised, false, |_, sink| {
            import::plan_to(ctx, store, source, &options, &mut file, sink)
        })?;
        let file = file.into_inner().map_err(|error| unwritable("to", &to, error.into_error()))?;
        file.put()?;
        Ok(summary)
    })?;
    Ok((to_json(py, &summary)?, summary.report.to_string()))
}

/// Imports a file as planned by a plan in a file of this path, which is read beside it.
#[pyfunction]
pub(crate) fn import_apply_from(
    py: Python<'_>,
    session: &Session,
    plan: PathBuf,
    place: Place,
    outputs: Outputs,
) -> PyResult<Told> {
    check_outputs(py, session, &place, (Some(plan.as_path()), None), &outputs)?;
    check_input(py, session, "plan", &plan)?;
    let written = |report: &ImportReport| report.operation;
    let report = importing(py, session, place, written, move |ctx, store, source, raised| {
        let plan = BufReader::new(open_path("plan", &plan)?);
        with_outputs(outputs, raised, true, |rejects, sink| {
            import::apply_from(ctx, store, plan, source, rejects, sink)
        })
    })?;
    told(py, &report)
}

/// Refuses a text that is no plan of an import.
#[pyfunction]
pub(crate) fn import_check_plan(py: Python<'_>, text: Text) -> PyResult<()> {
    plan_of(py, "text", &text.0).map(drop)
}

/// A plan, or which of its lines is none.
fn plan_of(py: Python<'_>, field: &str, json: &str) -> PyResult<ImportPlan> {
    ImportPlan::from_json(json).or_else(|error| {
        if error.violations().iter().any(|at| at.field != "plan") {
            return Err(raise(py, &error));
        }
        from_json(py, field, json)
    })
}

/// The leads that no line of a plan creates any more.
#[pyfunction]
pub(crate) fn import_plan_gone(py: Python<'_>, lines: Text) -> PyResult<Vec<String>> {
    let lines: Vec<PlannedLine> = from_json(py, "plan", &lines.0)?;
    Ok(PlannedLine::gone(&lines).iter().map(ToString::to_string).collect())
}

/// The lead that a line of a plan would have created, where a person decided otherwise.
#[pyfunction]
pub(crate) fn import_line_gives_up(py: Python<'_>, line: Text) -> PyResult<Option<String>> {
    let line: PlannedLine = from_json(py, "plan", &line.0)?;
    Ok(line.gives_up().map(|lead| lead.to_string()))
}

/// The lines of a plan that link to others about which a person decided.
#[pyfunction]
pub(crate) fn import_plan_relinked(py: Python<'_>, lines: Text) -> PyResult<Vec<u64>> {
    let lines: Vec<PlannedLine> = from_json(py, "plan", &lines.0)?;
    Ok(PlannedLine::relinked(&lines).into_iter().collect())
}

/// What becomes of lines of a plan; of each, whether its lead is gone or one that it links to.
#[pyfunction]
pub(crate) fn import_line_actions(
    py: Python<'_>,
    lines: Text,
    gone: Vec<bool>,
) -> PyResult<Vec<&'static str>> {
    let lines: Vec<PlannedLine> = from_json(py, "plan", &lines.0)?;
    let gone = gone.into_iter().chain(std::iter::repeat(false));
    Ok(lines.iter().zip(gone).map(|(line, is_gone)| line.action(is_gone).code()).collect())
}

/// Refuses the key of a field that an import does not write.
#[pyfunction]
pub(crate) fn import_check_field(py: Python<'_>, key: Text) -> PyResult<()> {
    let Text(key) = key;
    let field = key.parse::<Field>().map_err(|error| raise(py, &error.at("set").into()))?;
    if field.is_imported() {
        return Ok(());
    }
    Err(raise(py, &Error::invalid_field("set", ViolationCode::NotAllowed, "leadcore sets this field itself")))
}

/// How a file would be read and which column would be which field: mapping, proposal with its notes in words, and format.
#[pyfunction]
pub(crate) fn import_preview(
    py: Python<'_>,
    session: &Session,
    place: Place,
    options: Text,
) -> PyResult<(String, String, Vec<Vec<String>>, String)> {
    let given: Given = from_json(py, "options", &options.0)?;
    let preview = with_input(py, session, place, move |ctx, store, source, _| {
        import::preview_with(ctx, store, source, &given.options()?)
    })?;
    let Preview { mapping, proposal, format, .. } = preview;
    let notes = proposal.columns.iter().map(|column| column.notes.iter().map(ToString::to_string).collect());
    Ok((to_json(py, &mapping)?, to_json(py, &proposal)?, notes.collect(), to_json(py, &format)?))
}

/// A file to fill in: the header of a CSV, or a workbook with drop-downs that offers these users.
#[pyfunction]
pub(crate) fn import_template<'py>(
    py: Python<'py>,
    session: &Session,
    xlsx: bool,
    users: Vec<Text>,
) -> PyResult<Bound<'py, PyBytes>> {
    let users: std::result::Result<Vec<_>, _> = users.into_iter().map(|user| UserId::new(user.0)).collect();
    let users = users.map_err(|error| raise(py, &error.at("users").into()))?;
    let file = session.read(py, move |ctx, txn| {
        let mut file = Vec::new();
        if xlsx {
            template_xlsx(ctx, txn, &users, &mut file)?;
        } else {
            template(&desk::settings::visible_catalogue(ctx, txn)?, &mut file)?;
        }
        Ok(file)
    });
    Ok(PyBytes::new(py, &file?))
}

/// Every saved mapping, by name, as JSON.
#[pyfunction]
pub(crate) fn mapping_list(py: Python<'_>, session: &Session) -> PyResult<String> {
    let (_, saved) = session.read(py, mappings::list)?;
    to_json(py, &saved)
}

/// A name of its own for each of these columns, in their order: `Email (2)` for the second `Email`.
#[pyfunction]
pub(crate) fn mapping_names(headers: Vec<Text>) -> Vec<String> {
    let columns = headers.into_iter().map(|Text(header)| ColumnMapping::new(header, None));
    Mapping { columns: columns.collect(), constants: Vec::new() }.names()
}

/// Saves a mapping under a name, for files with these headers; with those that its columns name where none are said.
#[pyfunction]
pub(crate) fn mapping_save(
    py: Python<'_>,
    session: &Session,
    name: Text,
    headers: Option<Vec<Text>>,
    columns: Text,
    constants: Text,
) -> PyResult<()> {
    let columns: Vec<Column> = from_json(py, "mapping", &columns.0)?;
    let constants: BTreeMap<String, String> = from_json(py, "constants", &constants.0)?;
    let mapping = mapping(columns, constants).map_err(|error| raise(py, &error))?;
    let given = headers.map(|headers| headers.into_iter().map(|Text(header)| header).collect());
    let headers: Vec<String> = given.unwrap_or_else(|| mapping.headers());
    session.write(py, move |ctx, txn| {
        let (revision, _) = mappings::list(ctx, txn)?;
        mappings::save(ctx, txn, revision, &name.0, &headers, &mapping)?;
        Ok(())
    })
}

/// Removes the saved mapping of this name.
#[pyfunction]
pub(crate) fn mapping_remove(py: Python<'_>, session: &Session, name: Text) -> PyResult<()> {
    session.write(py, move |ctx, txn| {
        let (revision, _) = mappings::list(ctx, txn)?;
        mappings::remove(ctx, txn, revision, &name.0)?;
        Ok(())
    })
}
