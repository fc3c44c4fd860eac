//! Who takes part in a meeting, as calendars of others name them.

use std::collections::BTreeMap;

use icalendar::{Component as _, Event, Property};

use crate::context::Context;
use crate::desk::participants;
use crate::domain::{Activity, ActivityBody, Meeting, Participant, Subject};
use crate::error::Result;
use crate::store::Txn;
use crate::value::Email;

/// The contacts, accounts and leads among participants, by what the reader of the calendar may see of them.
#[derive(Debug, Default)]
pub(super) struct People(BTreeMap<Subject, Known>);

#[derive(Debug)]
struct Known {
    name: String,
    email: Option<String>,
}

impl People {
    /// Looks up who takes part in these and is not known yet.
    pub(super) fn learn<'a>(
        &mut self,
        ctx: &Context<'_>,
        txn: &mut dyn Txn,
        activities: impl IntoIterator<Item = &'a Activity>,
    ) -> Result<()> {
        let meetings = activities.into_iter().filter_map(|activity| match &activity.fields.body {
            ActivityBody::Meeting(meeting) => Some(meeting),
            _ => None,
        });
        let records = meetings.flat_map(|meeting| &meeting.participants).filter_map(|one| match one {
            Participant::Record(subject) => Some(*subject),
            _ => None,
        });
        let new: Vec<_> = records.filter(|subject| !self.0.contains_key(subject)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let found = participants::named(ctx, txn, &new)?.into_iter();
        self.0.extend(found.map(|one| (one.subject, Known { name: one.name, email: one.email })));
        Ok(())
    }

    /// Writes who takes part and who leads, as far as they have addresses: without, nobody can be named there.
    pub(super) fn write(&self, event: &mut Event, activity: &Activity, meeting: &Meeting) {
        let attendees = meeting.participants.iter().filter_map(|participant| match participant {
            Participant::User(user) => Some((mailto(user.as_str())?, None)),
            Participant::Other(text) => Some((mailto(text)?, None)),
            Participant::Record(subject) => {
                let known = self.0.get(subject)?;
                Some((mailto(known.email.as_deref()?)?, Some(known.name.as_str())))
            }
        });
        let attendees: Vec<_> = attendees.collect();
        // Attendees are invited by somebody (section 3.8.4.3).
        let leads = activity.fields.assignee.as_ref().or_else(|| activity.created_by.user());
        if let Some(leads) = leads.and_then(|user| mailto(user.as_str())).filter(|_| !attendees.is_empty()) {
            event.append_property(Property::new("ORGANIZER", leads));
        }
        for (address, name) in attendees {
            let mut attendee = Property::new("ATTENDEE", address);
            if let Some(name) = name.map(parameter).filter(|name| !name.is_empty()) {
                attendee.add_parameter("CN", &name);
            }
            event.append_multi_property(attendee);
        }
    }
}

/// The address of somebody, as a URI (RFC 6068).
fn mailto(address: &str) -> Option<String> {
    // `Kari Nord <kari@nord.example>` is how people write one down.
    let bare = address.strip_suffix('>').and_then(|named| named.rsplit_once('<')).map(|(_, bare)| bare);
    let email = Email::parse(bare.unwrap_or(address)).ok()?;
    let mut uri = String::from("mailto:");
    for byte in email.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@!$'*+".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(uri)
}

/// Text as a parameter can have it: no control characters, and its quotes and carets written as RFC 6868 says.
fn parameter(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control()) {
        match c {
            '"' => written.push_str("^'"),
            '^' => written.push_str("^^"),
            c => written.push(c),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_their_parameter() {
        assert_eq!(parameter("Kari \"K\" Nord\r\nX:1"), "Kari ^'K^' NordX:1");
        assert_eq!(parameter("a^b"), "a^^b");
    }
}
