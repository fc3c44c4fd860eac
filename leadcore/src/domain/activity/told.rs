//! What people read of a change of an activity.

use crate::time::{Date, Timestamp};

use super::super::field_value::FieldValue;
use super::super::journal::FieldChange;
use super::{Activity, ActivityBody, ActivityFields, Moment, Participant};

/// How much of a text is told, in characters; the record itself keeps all of it.
const TOLD: usize = 200;

impl Activity {
    /// What people read of a change: the title first, also where it is the same, then what differs in the order in which
    /// a form has it. Long texts are told by their beginning.
    ///
    /// ```
    /// use leadcore::domain::{Activity, ActivityFields};
    /// assert_eq!(Activity::told(None, None).len(), 1, "the title is always told");
    /// ```
    #[must_use]
    pub fn told(before: Option<&Self>, after: Option<&Self>) -> Vec<FieldChange> {
        let facts = |side: Option<&Self>| side.map(|activity| activity.fields.facts()).unwrap_or_default();
        let (before, after) = (facts(before), facts(after));
        let value = |facts: &[Fact], key: &str| {
            facts.iter().find(|(known, _)| *known == key).map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let keys = if after.is_empty() { &before } else { &after };
        let mut told = vec![FieldChange::new("title", value(&before, "title"), value(&after, "title"))];
        let rest = keys.iter().map(|(key, _)| *key).filter(|key| *key != "title");
        let changes = rest.map(|key| (key, value(&before, key), value(&after, key)));
        let changes = changes.filter(|(_, before, after)| before != after);
        told.extend(
            changes.map(|(key, before, after)| FieldChange::new(key, excerpt(before), excerpt(after))),
        );
        told
    }
}

type Fact = (&'static str, FieldValue);

/// The beginning of a long text.
fn excerpt(value: FieldValue) -> FieldValue {
    match value {
        FieldValue::Text(text) if text.chars().nth(TOLD).is_some() => {
            text.chars().take(TOLD).chain(['…']).collect::<String>().into()
        }
        other => other,
    }
}

fn when(at: Option<Timestamp>) -> FieldValue {
    at.map_or(FieldValue::Empty, FieldValue::Time)
}

fn moment(moment: Option<Moment>) -> FieldValue {
    match moment {
        None => FieldValue::Empty,
        Some(Moment { day: Some(day), .. }) => FieldValue::Date(day),
        Some(Moment { at, .. }) => FieldValue::Time(at),
    }
}

fn text(text: Option<&str>) -> FieldValue {
    text.map_or(FieldValue::Empty, FieldValue::from)
}

fn dates(days: &[Date]) -> FieldValue {
    if days.is_empty() {
        FieldValue::Empty
    } else {
        FieldValue::List(days.iter().copied().map(FieldValue::Date).collect())
    }
}

fn participants(list: &[Participant]) -> FieldValue {
    let one = |participant: &Participant| match participant {
        Participant::User(user) => FieldValue::from(user.as_str()),
        Participant::Record(subject) => FieldValue::Id(subject.id),
        Participant::Other(text) => FieldValue::from(text.as_str()),
    };
    if list.is_empty() { FieldValue::Empty } else { FieldValue::List(list.iter().map(one).collect()) }
}

impl ActivityFields {
    /// Everything that can be told, by its key, in the order of a form.
    fn facts(&self) -> Vec<Fact> {
        let mut facts = vec![
            ("title", text(self.title.as_deref())),
            ("text", text(self.text.as_deref())),
            ("assignee", text(self.assignee.as_ref().map(crate::id::UserId::as_str))),
        ];
        facts.extend(self.body.facts());
        facts.push(("remind_at", when(self.remind_at)));
        facts
    }
}

impl ActivityBody {
    fn facts(&self) -> Vec<Fact> {
        match self {
            Self::Note => Vec::new(),
            Self::Comment { icon, color } => {
                vec![("icon", text(icon.as_deref())), ("color", text(color.as_deref()))]
            }
            Self::Call(call) => vec![
                ("at", FieldValue::Time(call.at)),
                ("direction", call.direction.code().into()),
                ("outcome", text(call.outcome.map(super::CallOutcome::code))),
                ("duration", call.duration.map_or(FieldValue::Empty, |n| FieldValue::Integer(n.into()))),
                ("number", text(call.number.as_deref())),
            ],
            Self::Task(task) => vec![
                ("due", moment(task.due)),
                ("done_at", when(task.done_at)),
                ("priority", task.priority.code().into()),
                ("recurrence", text(task.recurrence.as_ref().map(ToString::to_string).as_deref())),
            ],
            Self::Meeting(meeting) => vec![
                ("start", moment(Some(meeting.start))),
                ("end", moment(Some(meeting.end))),
                ("zone", text(meeting.zone.as_deref())),
                ("place", text(meeting.place.as_deref())),
                ("participants", participants(&meeting.participants)),
                ("recurrence", text(meeting.recurrence.as_ref().map(ToString::to_string).as_deref())),
                ("exceptions", dates(&meeting.exceptions)),
                ("held_until", when(meeting.held_until)),
                ("canceled", if meeting.canceled { FieldValue::Bool(true) } else { FieldValue::Empty }),
            ],
            Self::Message(message) => vec![
                ("at", FieldValue::Time(message.at)),
                ("channel", message.channel.code().into()),
                ("direction", message.direction.code().into()),
                ("from", text(message.from.as_deref())),
                ("to", text(message.to.as_deref())),
            ],
            Self::Ticket { priority, closed_at } => {
                vec![("priority", priority.code().into()), ("closed_at", when(*closed_at))]
            }
            Self::EstimateRequest { state } => vec![("state", state.code().into())],
        }
    }
}
