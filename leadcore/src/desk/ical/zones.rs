//! Time zones spelt out (RFC 5545, section 3.6.5): what clocks showed and will show, change by change.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::TimeDelta;

use crate::domain::Meeting;
use crate::domain::occurrence;
use crate::domain::zone::{Observance, observances};
use crate::error::Result;
use crate::time::Timestamp;

/// How far ahead a series without an end is told what clocks will show, in days: twenty years.
const AHEAD: i64 = 7_305;
/// The longest time that is spelt out, in days: a hundred years.
const LONGEST: i64 = 36_525;

/// The zones that events name, each with the time that it is needed for.
#[derive(Default)]
pub(super) struct Zones(BTreeMap<String, (Timestamp, Timestamp)>);

impl Zones {
    /// The time of a meeting is told too; of a series to twenty years after it was last written.
    pub(super) fn learn(&mut self, meeting: &Meeting, written: Timestamp) -> Result<()> {
        let Some(zone) = meeting.zone.as_deref().filter(|zone| !matches!(*zone, "UTC" | "Etc/UTC")) else {
            return Ok(());
        };
        if meeting.start.day.is_some() {
            return Ok(());
        }
        let first = occurrence::exported(meeting)?.first.start.at;
        let ahead = written.max(first).saturating_add(TimeDelta::days(AHEAD));
        let last = occurrence::ends(meeting).min(ahead).max(first);
        let times = self.0.entry(zone.to_owned()).or_insert((first, last));
        *times = (times.0.min(first), times.1.max(last));
        Ok(())
    }

    pub(super) fn write(&self, text: &mut String) {
        for (zone, (from, to)) in &self.0 {
            let to = (*to).min(from.saturating_add(TimeDelta::days(LONGEST)));
            text.push_str("BEGIN:VTIMEZONE\r\n");
            line(text, &format!("TZID:{zone}"));
            for observance in observances(zone, *from, to) {
                write_one(text, &observance);
            }
            text.push_str("END:VTIMEZONE\r\n");
        }
    }
}

/// Zone names are of ASCII letters; the longest known have 32.
fn line(text: &mut String, line: &str) {
    let (head, tail) = line.split_at_checked(74).unwrap_or((line, ""));
    text.push_str(head);
    if !tail.is_empty() {
        text.extend(["\r\n ", tail]);
    }
    text.push_str("\r\n");
}

fn write_one(text: &mut String, observance: &Observance) {
    let kind = if observance.is_summer { "DAYLIGHT" } else { "STANDARD" };
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "BEGIN:{kind}\r\nDTSTART:{}\r\nTZOFFSETFROM:{}\r\nTZOFFSETTO:{}\r\nTZNAME:{}\r\nEND:{kind}\r\n",
        observance.shown.format("%Y%m%dT%H%M%S"),
        offset(observance.before),
        offset(observance.after),
        observance.name
    );
}

/// `+0530`; with seconds, where there are any (section 3.3.14).
fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let all = seconds.unsigned_abs();
    let (hours, minutes, rest) = (all / 3_600, all / 60 % 60, all % 60);
    if rest == 0 {
        format!("{sign}{hours:02}{minutes:02}")
    } else {
        format!("{sign}{hours:02}{minutes:02}{rest:02}")
    }
}
