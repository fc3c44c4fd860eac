//! What every activity must keep, whatever it is about.

use crate::error::{Violation, ViolationCode};

use super::super::lead::{MAX_LINE, text_violations};
use super::super::vocabulary::check_color;
use super::{ActivityBody, ActivityFields, ActivityKind, Meeting, Moment, Participant, Task};

/// The most who take part in one meeting.
const MOST_PARTICIPANTS: usize = 100;
/// The most days on which a series does not take place.
const MOST_EXCEPTIONS: usize = 1_000;
/// The longest call, in seconds: a week.
const LONGEST_CALL: u32 = 7 * 24 * 60 * 60;
/// The longest text, in characters.
const MAX_TEXT: usize = 65_536;
/// The longest name of an icon or a time zone, in characters.
const MAX_NAME: usize = 100;

impl ActivityFields {
    /// Every broken rule of the record alone; nothing is looked up. Texts are not blank, not too long (a line has at most
    /// 500 characters, the text 65,536) and hold no NUL; a note and a comment say something; a task, ticket, request
    /// and meeting have a title; a call takes at most a week; a meeting ends no earlier than it begins.
    ///
    /// ```
    /// use leadcore::domain::ActivityFields;
    /// let broken = ActivityFields::task(" ").violations();
    /// assert_eq!(broken[0].field, "title");
    /// ```
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let texts = [("title", &self.title, MAX_LINE), ("text", &self.text, MAX_TEXT)];
        let mut broken = text_violations(&texts);
        let (field, text, message) = match self.body.kind() {
            ActivityKind::Note => ("text", &self.text, "a note needs a text"),
            ActivityKind::Comment => ("text", &self.text, "a comment needs a text"),
            ActivityKind::Task => ("title", &self.title, "a task needs a title"),
            ActivityKind::Meeting => ("title", &self.title, "a meeting needs a title"),
            ActivityKind::Ticket => ("title", &self.title, "a ticket needs a title"),
            ActivityKind::EstimateRequest => {
                ("title", &self.title, "a request for an estimate needs a title")
            }
            ActivityKind::Call | ActivityKind::Message => ("", &self.title, ""),
        };
        if !field.is_empty() && text.is_none() {
            broken.push(Violation::new(field, ViolationCode::Required, message));
        }
        self.body.check(&mut broken);
        broken
    }

    /// In the form in which it is kept: colours in small letters, exceptions in order and only of a series.
    pub(crate) fn tidy(&mut self) {
        match &mut self.body {
            ActivityBody::Comment { color: Some(color), .. } => color.make_ascii_lowercase(),
            ActivityBody::Meeting(meeting) if meeting.recurrence.is_none() => meeting.exceptions.clear(),
            ActivityBody::Meeting(meeting) => {
                meeting.exceptions.sort_unstable();
                meeting.exceptions.dedup();
            }
            _ => {}
        }
    }

    /// Moved since `before`: a reminder that came before it moves along by as much, unless it was given a time of its own.
    pub fn move_reminder(&mut self, before: &Self) {
        let (Some(was), Some(is)) = (before.moment(), self.moment()) else { return };
        if self.remind_at == before.remind_at {
            let ahead = self.remind_at.filter(|at| *at <= was.at);
            self.remind_at = ahead.map(|at| at.saturating_add(is.at.since(was.at))).or(self.remind_at);
        }
    }

    /// With the links that leadcore itself keeps as they were before: a caller does not set them.
    pub(crate) fn keep_links(&mut self, before: Option<&Self>) {
        match (&mut self.body, before.map(|before| &before.body)) {
            (ActivityBody::Task(task), Some(ActivityBody::Task(before))) => task.next = before.next,
            (ActivityBody::Meeting(meeting), Some(ActivityBody::Meeting(before))) => {
                meeting.instead_of = before.instead_of;
            }
            (ActivityBody::Task(task), _) => task.next = None,
            (ActivityBody::Meeting(meeting), _) => meeting.instead_of = None,
            _ => {}
        }
    }
}

impl ActivityBody {
    fn check(&self, broken: &mut Vec<Violation>) {
        match self {
            Self::Comment { icon, color } => {
                broken.extend(text_violations(&[("icon", icon, MAX_NAME)]));
                let color = color.as_deref().and_then(|color| check_color(color).err());
                broken.extend(color.map(|error| error.at("color")));
            }
            Self::Call(call) => {
                broken.extend(text_violations(&[("number", &call.number, MAX_LINE)]));
                if call.duration.is_some_and(|seconds| seconds > LONGEST_CALL) {
                    let message = "a call takes at most 604,800 seconds";
                    broken.push(Violation::new("duration", ViolationCode::OutOfRange, message));
                }
            }
            Self::Task(task) => task.check(broken),
            Self::Meeting(meeting) => meeting.check(broken),
            Self::Message(message) => {
                let texts = [("from", &message.from, MAX_LINE), ("to", &message.to, MAX_LINE)];
                broken.extend(text_violations(&texts));
            }
            Self::Note | Self::Ticket { .. } | Self::EstimateRequest { .. } => {}
        }
    }
}

/// A whole day whose place lies elsewhere would be sorted where nobody looks for it.
fn check_day(field: &str, moment: Moment, broken: &mut Vec<Violation>) {
    if !moment.is_sound() {
        let message = "the place of a whole day must be its noon in UTC";
        broken.push(Violation::new(field, ViolationCode::OutOfRange, message));
    }
}

impl Task {
    fn check(&self, broken: &mut Vec<Violation>) {
        match self.due {
            Some(due) => check_day("due", due, broken),
            None if self.recurrence.is_some() => {
                let message = "a task that comes again must say when it is due";
                broken.push(Violation::new("due", ViolationCode::Required, message));
            }
            None => {}
        }
    }
}

impl Meeting {
    fn check(&self, broken: &mut Vec<Violation>) {
        check_day("start", self.start, broken);
        check_day("end", self.end, broken);
        match (self.start.day, self.end.day) {
            (Some(start), Some(end)) if end < start => broken.push(ends_early()),
            (None, None) if self.end.at < self.start.at => broken.push(ends_early()),
            (Some(_), None) | (None, Some(_)) => {
                let message = "a meeting of whole days begins and ends with one";
                broken.push(Violation::new("end", ViolationCode::Malformed, message));
            }
            _ => {}
        }
        broken.extend(text_violations(&[("place", &self.place, MAX_LINE)]));
        if self.zone.as_deref().is_some_and(|zone| !is_zone(zone)) {
            let message = "a time zone is written like `Europe/Oslo`";
            broken.push(Violation::new("zone", ViolationCode::Malformed, message));
        }
        if self.exceptions.len() > MOST_EXCEPTIONS {
            let message = "a series has at most 1,000 exceptions";
            broken.push(Violation::new("exceptions", ViolationCode::LimitReached, message));
        }
        if self.participants.len() > MOST_PARTICIPANTS {
            let message = "at most 100 take part in a meeting";
            broken.push(Violation::new("participants", ViolationCode::LimitReached, message));
            return;
        }
        for (n, participant) in self.participants.iter().enumerate() {
            if let Participant::Other(text) = participant {
                let field = format!("participants[{n}]");
                broken.extend(text_violations(&[(&field, &Some(text.clone()), MAX_LINE)]));
            }
        }
    }
}

fn ends_early() -> Violation {
    Violation::new("end", ViolationCode::OutOfRange, "a meeting does not end before it begins")
}

/// Whether a name has the form of those of the IANA time zone database: `UTC`, `America/Argentina/Buenos_Aires`.
fn is_zone(name: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte);
    name.len() <= MAX_NAME
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.split('/').all(|part| !part.is_empty() && part.bytes().all(sound))
}

#[cfg(test)]
mod tests {
    use super::super::{Channel, Direction, Priority};
    use super::*;
    use crate::time::Timestamp;

    fn fields_of(fields: &ActivityFields) -> Vec<String> {
        fields.violations().into_iter().map(|violation| violation.field).collect()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn every_kind_says_what_it_needs() {
        let none = |body| fields_of(&ActivityFields::of(body));
        assert_eq!(none(ActivityBody::Note), ["text"]);
        assert_eq!(none(ActivityBody::Comment { icon: None, color: None }), ["text"]);
        assert_eq!(none(ActivityBody::Ticket { priority: Priority::Low, closed_at: None }), ["title"]);
        assert_eq!(fields_of(&ActivityFields::call(Direction::Inbound, Timestamp::MIN)), [""; 0]);
        assert_eq!(
            fields_of(&ActivityFields::message(Channel::Chat, Direction::Inbound, Timestamp::MAX)),
            [""; 0]
        );
    }

    #[test]
    fn every_broken_rule_is_told_at_once() {
        let start = at("2026-11-22T10:00:00Z");
        let mut meeting = ActivityFields::meeting("\0", start, at("2026-11-22T09:59:59.999999Z"))
            .place(" ")
            .zone("Europe//Oslo")
            .text(&"x".repeat(MAX_TEXT + 1));
        meeting = meeting.with(Participant::Other("a@b.example".to_owned()));
        meeting = meeting.with(Participant::Other("a\0".to_owned()));
        assert_eq!(fields_of(&meeting), ["title", "text", "end", "place", "zone", "participants[1]"]);
        let comment = ActivityFields::comment("x").color("green").icon(&"i".repeat(101));
        assert_eq!(fields_of(&comment), ["icon", "color"]);
        let call = ActivityFields::call(Direction::Inbound, start).lasting(604_801).number("\0");
        assert_eq!(fields_of(&call), ["number", "duration"]);
        let mut many = ActivityFields::meeting("x", start, start);
        for _ in 0..101 {
            many = many.with(Participant::Other("x".to_owned()));
        }
        assert_eq!(fields_of(&many), ["participants"]);
    }

    #[test]
    fn whole_days_go_with_whole_days() {
        let day = Moment::day("2026-11-22".parse().unwrap());
        assert_eq!(fields_of(&ActivityFields::meeting("x", day, day)), [""; 0]);
        assert_eq!(fields_of(&ActivityFields::meeting("x", day, day.at)), ["end"]);
        assert_eq!(fields_of(&ActivityFields::meeting("x", day, day.plus_days(-1))), ["end"]);
        for day in [crate::time::Date::MIN, crate::time::Date::MAX] {
            assert_eq!(fields_of(&ActivityFields::task("x").due(day)), [""; 0], "{day}");
        }
        let astray = Moment { at: at("2026-11-22T11:00:00Z"), ..day };
        assert_eq!(fields_of(&ActivityFields::task("x").due(astray)), ["due"]);
    }

    #[test]
    fn zones_have_the_form_of_the_database() {
        for zone in ["UTC", "Europe/Oslo", "America/Argentina/Buenos_Aires", "Etc/GMT+5"] {
            assert!(is_zone(zone), "{zone}");
        }
        for zone in ["", "/", "Europe/", "+01:00", "Европа/Осло", "../../etc/passwd", "a b"] {
            assert!(!is_zone(zone), "{zone}");
        }
    }

    #[test]
    fn what_a_kind_does_not_have_is_not_read() {
        let read = |json: &str| serde_json::from_str::<ActivityFields>(json);
        assert_eq!(read(r#"{"kind":"note","text":"x"}"#).unwrap(), ActivityFields::note("x"));
        for json in [
            r#"{"text":"x"}"#,
            r#"{"kind":"dance","text":"x"}"#,
            r#"{"kind":"note","text":"x","due":null}"#,
            r#"{"kind":"comment","text":"x","colour":"red"}"#,
            r#"{"kind":"task","title":"x"}"#,
            r#"{"kind":"task","title":"x","priority":"huge"}"#,
            r#"{"kind":"task","title":"x","priority":"low","due":{"at":"tomorrow"}}"#,
            r#"{"kind":"task","title":"x","priority":"low","due":{}}"#,
            r#"{"kind":"task","title":"x","priority":"low","due":{"at":"2026-11-22T12:00:00Z","day":"2026-11-22"}}"#,
            r#"{"kind":"task","title":"x","priority":"low","due":{"at":"2026-11-22T10:00:00Z","zone":"UTC"}}"#,
            r#"{"kind":"call","at":"2026-11-22T10:00:00Z","direction":"inbound","duration":-1}"#,
            r#"{"kind":"call","at":"99999-01-01T00:00:00Z","direction":"inbound"}"#,
            r#"{"kind":"ticket","title":"x","priority":"low","done_at":null}"#,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
