//! What differs between two states of a pipeline: what the journal keeps.

use super::field::Field;
use super::field_value::FieldValue;
use super::journal::FieldChange;
use super::pipeline::{Pipeline, Stage, StageKind};
use crate::id::StageId;

/// Everything that differs between two states of a pipeline; without one before, all of it.
///
/// The stages come as one list for each thing that is known of them (`stage_ids`, `stages` with the names,
/// `stage_kinds` …), in board order. When one list differs all of them are there, so that the state before can be
/// written again from the entry alone. Sets are texts, their items separated by commas.
#[must_use]
pub fn pipeline_changes(before: Option<&Pipeline>, after: &Pipeline) -> Vec<FieldChange> {
    let change = |field: &str, read: &dyn Fn(&Pipeline) -> FieldValue| {
        FieldChange::new(field, before.map_or(FieldValue::Empty, read), read(after))
    };
    let stages = |field: &str, read: fn(&Stage) -> FieldValue| {
        change(field, &|pipeline| FieldValue::List(pipeline.stages.iter().map(read).collect()))
    };
    let mut changes = vec![
        change("name", &|pipeline| pipeline.name.as_str().into()),
        change("is_default", &|pipeline| FieldValue::Bool(pipeline.is_default)),
    ];
    changes.retain(|change| change.before != change.after);
    if before.is_none_or(|before| before.stages != after.stages) {
        changes.extend([
            stages("stage_ids", |stage| stage.id.into()),
            stages("stages", |stage| stage.name.as_str().into()),
            stages("stage_kinds", |stage| stage.kind.code().into()),
            stages("stage_probabilities", |stage| stage.probability.map(i64::from).into()),
            stages("stage_colors", |stage| stage.color.clone().into()),
            stages("stage_required_fields", |stage| joined(stage.required_fields.iter().map(Field::key))),
            stages("stage_allowed_next", |stage| match &stage.allowed_next {
                None => FieldValue::Empty,
                Some(next) => {
                    let ids: Vec<_> = next.iter().map(ToString::to_string).collect();
                    joined(ids.iter().map(String::as_str))
                }
            }),
            stages("stage_wip_limits", |stage| stage.wip_limit.map(i64::from).into()),
            stages("stage_idle_days", |stage| stage.idle_days.map(i64::from).into()),
        ]);
    }
    changes
}

/// The same as before a pipeline was removed: everything, and nothing after.
#[must_use]
pub fn pipeline_removed(before: &Pipeline) -> Vec<FieldChange> {
    let swap = |change: FieldChange| FieldChange { before: change.after, after: change.before, ..change };
    pipeline_changes(None, before).into_iter().map(swap).collect()
}

/// The stages that the changes of an entry tell of one side, in board order; none where they do not tell all that is known of
/// them. The values may have been through JSON.
pub(crate) fn stages_told(
    changes: &[FieldChange],
    side: fn(&FieldChange) -> &FieldValue,
) -> Option<Vec<Stage>> {
    let list = |field: &str| {
        changes.iter().find(|change| change.field == field).map(|change| side(change).items().iter())
    };
    let (ids, mut names, mut kinds) = (list("stage_ids")?, list("stages")?, list("stage_kinds")?);
    let (mut chances, mut colors) = (list("stage_probabilities")?, list("stage_colors")?);
    let (mut required, mut next) = (list("stage_required_fields")?, list("stage_allowed_next")?);
    let (mut limits, mut idle) = (list("stage_wip_limits")?, list("stage_idle_days")?);
    let items = |value: &FieldValue| -> Option<Vec<String>> {
        let text = value.as_text()?;
        Some(text.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect())
    };
    ids.map(|id| {
        let kind = StageKind::from_code(kinds.next()?.as_text()?)?;
        let mut stage = Stage::new(StageId::from_uuid(id.as_id()?), names.next()?.as_text()?, kind);
        stage.probability = number(chances.next()?)?;
        stage.color = colors.next()?.as_text().map(str::to_owned);
        let fields = items(required.next()?)?;
        stage.required_fields = fields.iter().map(|key| key.parse().ok()).collect::<Option<_>>()?;
        stage.allowed_next = match items(next.next()?) {
            None => None,
            Some(ids) => Some(ids.iter().map(|id| id.parse().ok()).collect::<Option<_>>()?),
        };
        stage.wip_limit = number(limits.next()?)?;
        stage.idle_days = number(idle.next()?)?;
        Some(stage)
    })
    .collect()
}

/// A number, if there is one; none for what is none.
fn number<T: TryFrom<i64>>(value: &FieldValue) -> Option<Option<T>> {
    match value {
        FieldValue::Empty => Some(None),
        FieldValue::Integer(number) => T::try_from(*number).ok().map(Some),
        _ => None,
    }
}

/// Also an empty set is a text, so that it is told apart from none.
fn joined<'t>(items: impl Iterator<Item = &'t str>) -> FieldValue {
    FieldValue::Text(items.collect::<Vec<_>>().join(","))
}
