//! Views: the menu, saving and sharing.

use leadcore::context::Context;
use leadcore::desk;
use leadcore::desk::Expect;
use leadcore::desk::views::{ViewDraft, ViewEntry};
use leadcore::domain::{Field, SavedView, SystemView, ViewRef, ViewShape};
use leadcore::error::{Result, ValueError, ViolationCode};
use leadcore::id::{Revision, UserId, ViewId};
use leadcore::query::{Direction, Filter, Sort};
use leadcore::store::Txn;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use uuid::Uuid;

use crate::arguments::read;
use crate::board::find_pipeline;
use crate::convert::{Count, Named, Text, to_json};
use crate::errors::{invalid, raise};
use crate::hints::did_you_mean;
use crate::leads::{filter, sort};
use crate::names::resolve_filter;
use crate::reading::fields_of;
use crate::session::Session;

/// A view: the code of a system view, the id of a saved one, or the text of that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View(pub(crate) ViewRef);

impl<'a, 'py> FromPyObject<'a, 'py> for View {
    type Error = PyErr;

    fn extract(obj: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let Text(text) = obj.extract()?;
        text.parse().map(Self).map_err(|error: ValueError| {
            let hint = did_you_mean(&text, SystemView::ALL.map(SystemView::code));
            invalid(obj.py(), "view", error.code(), &format!("{error}{hint}"))
        })
    }
}

/// A saved view to write.
fn saved(py: Python<'_>, view: View) -> PyResult<ViewId> {
    match view.0 {
        ViewRef::Saved(id) => Ok(id),
        ViewRef::System(_) => {
            let message = "a system view is the same for everyone: save one of your own";
            Err(invalid(py, "view", ViolationCode::NotAllowed, message))
        }
    }
}

fn expect(revision: Option<Count>) -> Expect {
    // A number that no revision has conflicts with every one.
    revision.map_or(Expect::Any, |revision| Revision::new(revision.0).into())
}

/// `list` or `board`, and the pipeline of a board.
type Shape = (&'static str, Option<Uuid>);

fn shape(shape: ViewShape) -> Shape {
    match shape {
        ViewShape::Board(pipeline) => ("board", pipeline.map(|id| id.as_uuid())),
        _ => ("list", None),
    }
}

/// As the caller says it: `-amount`.
pub(crate) fn sort_text(sort: &Sort) -> String {
    let key = sort.by.field().key().to_owned();
    if sort.direction == Direction::Descending { format!("-{key}") } else { key }
}

/// View, name, shape, whether it is the default, pinned, shared, editable.
type Entry = (String, String, Shape, bool, bool, bool, bool);

fn entry(entry: ViewEntry) -> Entry {
    let (view, shape) = (entry.view.to_string(), shape(entry.shape));
    (view, entry.name, shape, entry.is_default, entry.is_pinned, entry.is_shared, entry.is_editable)
}

/// The menu of views.
#[pyfunction]
pub(crate) fn view_list(py: Python<'_>, session: &Session) -> PyResult<Vec<Entry>> {
    let entries = session.read(py, desk::views::list)?;
    Ok(entries.into_iter().map(entry).collect())
}

/// Revision, owner, whether it is shared.
type Whose = (u64, Option<String>, bool);
/// Name, shape, filter as JSON, columns, sort, grouping.
type Shows = (String, Shape, String, Option<Vec<String>>, Option<String>, Option<String>);
/// A saved view.
type Saved = (Uuid, Whose, Shows);

/// What was saved and what it shows, with names for ids.
fn both(ctx: &Context<'_>, txn: &mut dyn Txn, id: ViewId) -> Result<(SavedView, ViewDraft)> {
    let view = desk::views::get(ctx, txn, id)?;
    Ok((view, desk::views::draft(ctx, txn, id)?.1))
}

fn shown(py: Python<'_>, (view, draft): (SavedView, ViewDraft)) -> PyResult<Saved> {
    let whose =
        (view.revision.get(), view.owner.as_ref().map(UserId::as_str).map(str::to_owned), view.shared);
    let columns = draft.columns.map(|it| it.iter().map(|field| field.key().to_owned()).collect());
    let shows = (
        draft.name,
        shape(draft.shape),
        to_json(py, &draft.filter)?,
        columns,
        draft.sort.as_ref().map(sort_text),
        draft.group_by.map(|field| field.key().to_owned()),
    );
    Ok((view.id.as_uuid(), whose, shows))
}

/// One saved view.
#[pyfunction]
pub(crate) fn view_get(py: Python<'_>, session: &Session, view: View) -> PyResult<Saved> {
    let id = saved(py, view)?;
    let found = session.read(py, move |ctx, txn| both(ctx, txn, id))?;
    shown(py, found)
}

/// What the caller says of a view; what is not in it stays.
#[derive(Debug, Clone)]
struct Given(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Name(String),
    Where(Filter),
    Columns(Option<Vec<Field>>),
    Sort(Option<Sort>),
    GroupBy(Option<Field>),
    List,
    Board(Option<Named>),
}

impl Given {
    fn read(given: &Bound<'_, PyDict>) -> PyResult<Self> {
        let py = given.py();
        let mut parts = Vec::new();
        for (key, value) in given.iter() {
            let Text(key) = key.extract()?;
            parts.push(match key.as_str() {
                "name" => Part::Name(read::<Text>("name", &value)?.0),
                "where" => Part::Where(filter(py, read::<Option<Text>>("where", &value)?.as_ref())?),
                "columns" => {
                    let keys = read::<Option<Vec<Text>>>("columns", &value)?;
                    Part::Columns(keys.map(|keys| fields_of(py, "columns", &keys)).transpose()?)
                }
                "sort" => {
                    let text = read::<Option<Text>>("sort", &value)?;
                    Part::Sort(text.map(|text| sort(py, Some(&text))).transpose()?)
                }
                "group_by" => {
                    let text = read::<Option<Text>>("group_by", &value)?;
                    let field = text.map(|text| text.0.parse()).transpose();
                    Part::GroupBy(field.map_err(|error: ValueError| raise(py, &error.at("group_by").into()))?)
                }
                "pipeline" => Part::Board(read("pipeline", &value)?),
                _ => Part::List,
            });
        }
        Ok(Self(parts))
    }

    fn apply(&self, txn: &mut dyn Txn, mut draft: ViewDraft) -> Result<ViewDraft> {
        for part in &self.0 {
            match part.clone() {
                Part::Name(name) => draft.name = name,
                Part::Where(filter) => draft.filter = resolve_filter(txn, &filter)?,
                Part::Columns(columns) => draft.columns = columns,
                Part::Sort(sort) => draft.sort = sort,
                Part::GroupBy(field) => draft.group_by = field,
                Part::List => draft.shape = ViewShape::List,
                Part::Board(None) => draft.shape = ViewShape::Board(None),
                Part::Board(Some(pipeline)) => {
                    let pipeline = find_pipeline(&txn.pipelines().list()?, &pipeline)?;
                    draft.shape = ViewShape::Board(Some(pipeline.id));
                }
            }
        }
        Ok(draft)
    }
}

/// Saves a view. `given` has the name and what else is said of it.
#[pyfunction]
pub(crate) fn view_save(py: Python<'_>, session: &Session, given: &Bound<'_, PyDict>) -> PyResult<Saved> {
    let given = Given::read(given)?;
    let view = session.write(py, move |ctx, txn| {
        let draft = given.apply(txn, ViewDraft::default())?;
        let id = desk::views::save(ctx, txn, &draft)?.id;
        both(ctx, txn, id)
    })?;
    shown(py, view)
}

/// Changes what a saved view shows.
#[pyfunction]
pub(crate) fn view_update(
    py: Python<'_>,
    session: &Session,
    view: View,
    revision: Option<Count>,
    given: &Bound<'_, PyDict>,
) -> PyResult<Saved> {
    let (id, expect, given) = (saved(py, view)?, expect(revision), Given::read(given)?);
    let view = session.write(py, move |ctx, txn| {
        let before = desk::views::draft(ctx, txn, id)?.1;
        let draft = given.apply(txn, before)?;
        desk::views::update(ctx, txn, id, expect, &draft)?;
        both(ctx, txn, id)
    })?;
    shown(py, view)
}

/// Renames a saved view.
#[pyfunction]
pub(crate) fn view_rename(
    py: Python<'_>,
    session: &Session,
    view: View,
    revision: Option<Count>,
    name: Text,
) -> PyResult<Saved> {
    let (id, expect) = (saved(py, view)?, expect(revision));
    let view = session.write(py, move |ctx, txn| {
        desk::views::rename(ctx, txn, id, expect, &name.0)?;
        both(ctx, txn, id)
    })?;
    shown(py, view)
}

/// Shows a saved view to everyone, or to its owner only.
#[pyfunction]
pub(crate) fn view_share(
    py: Python<'_>,
    session: &Session,
    view: View,
    revision: Option<Count>,
    shared: bool,
) -> PyResult<Saved> {
    let (id, expect) = (saved(py, view)?, expect(revision));
    let view = session.write(py, move |ctx, txn| {
        desk::views::share(ctx, txn, id, expect, shared)?;
        both(ctx, txn, id)
    })?;
    shown(py, view)
}

/// Deletes a saved view.
#[pyfunction]
pub(crate) fn view_delete(
    py: Python<'_>,
    session: &Session,
    view: View,
    revision: Option<Count>,
) -> PyResult<()> {
    let (id, expect) = (saved(py, view)?, expect(revision));
    session.write(py, move |ctx, txn| desk::views::delete(ctx, txn, id, expect))
}

/// Puts a view at the top of the user's menu, or takes it from there.
#[pyfunction]
pub(crate) fn view_pin(py: Python<'_>, session: &Session, view: View, pinned: bool) -> PyResult<()> {
    session.write(py, move |ctx, txn| match pinned {
        true => desk::views::pin(ctx, txn, view.0),
        false => desk::views::unpin(ctx, txn, view.0),
    })
}

/// Says which views are at the top of the user's menu.
#[pyfunction]
pub(crate) fn view_arrange(py: Python<'_>, session: &Session, views: Vec<View>) -> PyResult<()> {
    let views: Vec<_> = views.into_iter().map(|view| view.0).collect();
    session.write(py, move |ctx, txn| desk::views::arrange(ctx, txn, &views))
}

/// Says with which view the user's lists open.
#[pyfunction]
pub(crate) fn view_default(py: Python<'_>, session: &Session, view: View) -> PyResult<()> {
    session.write(py, move |ctx, txn| desk::views::set_default(ctx, txn, view.0))
}
