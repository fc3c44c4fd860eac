//! The port for activities.

use std::collections::BTreeSet;

use leadcore::domain::{Activity, ActivityFields, ActivityKind, Actor, Place};
use leadcore::error::Result;
use leadcore::id::{ActivityId, UserId};
use leadcore::store::{Activities, ActivityQuery};
use leadcore::time::Timestamp;
use rusqlite::Row;

use crate::error::StoreResult as _;
use crate::row::{Binder, Columns, corrupt, to_json};
use crate::txn::SqliteTxn;

use super::table::Table;

pub(super) const ACTIVITY_COLUMNS: &str =
    "id, revision, about, title, text, assignee, remind_at, body, created_by, created_at, updated_at";
const INSERT_ACTIVITY: &str = "INSERT INTO leadcore_activity (revision, kind, about, title, text, assignee, remind_at, open, at, body, created_by, created_at, updated_at, ends_at, is_series, days, reminds, reminder, tenant, id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?7, ?, ?)";
const UPDATE_ACTIVITY: &str = "UPDATE leadcore_activity SET revision = ?, kind = ?, about = ?, title = ?, text = ?, assignee = ?, remind_at = ?, open = ?, at = ?, body = ?, created_by = ?, created_at = ?, updated_at = ?, ends_at = ?, is_series = ?, days = ?, reminds = ? WHERE tenant = ? AND id = ? AND revision = ?";
const TABLE: Table<Activity> = Table {
    name: "leadcore_activity",
    columns: ACTIVITY_COLUMNS,
    record: "activity",
    one: "an activity",
    insert: INSERT_ACTIVITY,
    update: UPDATE_ACTIVITY,
    key: |activity| (activity.id.as_uuid(), activity.revision),
    bind: bind_activity,
    read: activity,
};

fn bind_activity(binder: &mut Binder<'_, '_>, activity: &Activity) -> Result<()> {
    let fields = &activity.fields;
    binder.number(activity.revision.get())?;
    binder.bind(activity.kind().code())?;
    binder.bind(to_json(&activity.about)?)?;
    binder.bind(fields.title.as_deref())?;
    binder.bind(fields.text.as_deref())?;
    binder.bind(fields.assignee.as_ref().map(UserId::as_str))?;
    binder.bind(fields.remind_at.map(Timestamp::as_micros))?;
    binder.bind(activity.is_open())?;
    binder.time(activity.at())?;
    binder.bind(to_json(&fields.body)?)?;
    binder.bind(activity.created_by.user().map(UserId::as_str))?;
    binder.time(activity.created_at)?;
    binder.time(activity.updated_at)?;
    let span = activity.agenda();
    binder.bind(span.map(|span| span.until.as_micros()))?;
    binder.bind(span.is_some_and(|span| span.is_series))?;
    binder.bind(span.map_or(0, |span| span.days.bits()))?;
    binder.bind(activity.wants_reminder())
}

pub(super) fn activity(row: &Row<'_>) -> Result<Activity> {
    let mut columns = Columns::of(row);
    Ok(Activity {
        id: ActivityId::from_uuid(columns.uuid()?),
        revision: columns.revision()?,
        about: columns.json("activity")?,
        fields: ActivityFields {
            title: columns.string()?,
            text: columns.string()?,
            assignee: columns.parsed("assignee", |text| UserId::new(text))?,
            remind_at: columns.optional_time()?,
            body: serde_json::from_str(columns.text()?).map_err(|_| corrupt("activity"))?,
        },
        created_by: columns.parsed("author", |text| UserId::new(text))?.map_or(Actor::System, Actor::User),
        created_at: columns.time()?,
        updated_at: columns.time()?,
    })
}

impl Activities for SqliteTxn<'_> {
    fn insert(&mut self, activities: &[Activity]) -> Result<()> {
        TABLE.insert(self, activities, |_| Ok(()))
    }

    fn update(&mut self, activities: &[Activity]) -> Result<()> {
        TABLE.update(self, activities, |_| Ok(()))
    }

    fn get(&mut self, ids: &[ActivityId]) -> Result<Vec<Activity>> {
        TABLE.get(self, ids.iter().map(|id| id.as_uuid()))
    }

    fn remove(&mut self, ids: &[ActivityId]) -> Result<()> {
        TABLE.remove(self, ids.iter().map(|id| id.as_uuid()))
    }

    fn list(&mut self, query: &ActivityQuery) -> Result<Vec<Activity>> {
        let kinds = if query.kinds.is_empty() { ActivityKind::ALL } else { &query.kinds };
        let opens: &[bool] = match query.open {
            Some(true) => &[true],
            Some(false) => &[false],
            None => &[false, true],
        };
        let mut found = Vec::new();
        for kind in kinds.iter().collect::<BTreeSet<_>>() {
            for open in opens {
                found.extend(self.walk_activities(*kind, *open, query)?);
            }
        }
        found.sort();
        if query.descending {
            found.reverse();
        }
        let ids: Vec<_> =
            found.into_iter().take(query.limit).map(|place| ActivityId::from_uuid(place.child)).collect();
        Activities::get(self, &ids)
    }
}

/// The statement of one walk: activities of one kind, all open or all not, of one assignee or of whoever.
pub(crate) fn walk_query(query: &ActivityQuery) -> String {
    let assignee = if query.assignee.is_some() { "assignee = ?5 AND " } else { "" };
    let (order, behind) = if query.descending { ("DESC", "<") } else { ("ASC", ">") };
    let place = match query.after {
        Some(_) => format!(" AND (at, id) {behind} (?6, ?7)"),
        None => String::new(),
    };
    format!(
        "SELECT at, id FROM leadcore_activity WHERE tenant = ?1 AND {assignee}kind = ?2 AND open = ?3{place} ORDER BY at {order}, id {order} LIMIT ?4"
    )
}

impl SqliteTxn<'_> {
    fn walk_activities(&self, kind: ActivityKind, open: bool, query: &ActivityQuery) -> Result<Vec<Place>> {
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let mut statement = self.prepare(&walk_query(query), "list activities")?;
        let fixed: [(usize, &dyn rusqlite::ToSql); 4] =
            [(1, &self.tenant_text()), (2, &kind.code()), (3, &open), (4, &limit)];
        for (place, value) in fixed {
            statement.raw_bind_parameter(place, value).store("list activities")?;
        }
        if let Some(user) = &query.assignee {
            statement.raw_bind_parameter(5, user.as_str()).store("list activities")?;
        }
        if let Some(after) = &query.after {
            statement.raw_bind_parameter(6, after.at.as_micros()).store("list activities")?;
            statement.raw_bind_parameter(7, after.child.as_bytes().as_slice()).store("list activities")?;
        }
        let mut rows = statement.raw_query();
        let mut found = Vec::new();
        while let Some(row) = rows.next().store("list activities")? {
            let mut columns = Columns::of(row);
            found.push(Place { at: columns.time()?, child: columns.uuid()? });
        }
        Ok(found)
    }
}
