//! Series: what rules mean, what clocks of the world do to them, and what is refused.

use chrono::TimeDelta;
use leadcore::domain::occurrence::{check, occurrences};
use leadcore::domain::{ActivityBody, ActivityFields, Meeting, Moment, Recurrence, next_due};
use leadcore::error::ViolationCode;
use leadcore::time::{Date, Timestamp};

mod readings;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn meeting(start: &str, zone: Option<&str>, rule: &str) -> Meeting {
    let start = at(start);
    let fields = ActivityFields::meeting("x", start, start.saturating_add(TimeDelta::hours(1)));
    let ActivityBody::Meeting(mut meeting) = fields.body else { panic!("a meeting") };
    meeting.zone = zone.map(str::to_owned);
    meeting.recurrence = Some(rule.parse().unwrap());
    meeting
}

fn days(start: &str, rule: &str, n: usize) -> Vec<String> {
    let meeting = meeting(start, None, rule);
    let found = occurrences(&meeting, Timestamp::MIN, Timestamp::MAX, n).unwrap();
    found.iter().map(|one| one.day.to_string()).collect()
}

fn starts(meeting: &Meeting, from: &str, to: &str) -> Vec<String> {
    let found = occurrences(meeting, at(from), at(to), 1_000).unwrap();
    found.iter().map(|one| one.start.at.to_string()).collect()
}

fn fields_of(meeting: Meeting) -> ActivityFields {
    let mut fields = ActivityFields::meeting("x", meeting.start, meeting.end);
    fields.body = ActivityBody::Meeting(meeting);
    fields
}

#[test]
fn a_series_keeps_its_hour_when_the_clocks_change() {
    // Nine o'clock in Oslo: the clocks are put back on 25 October 2026 and forward on 28 March 2027.
    let oslo = meeting("2026-10-24T07:00:00Z", Some("Europe/Oslo"), "FREQ=DAILY");
    assert_eq!(
        starts(&oslo, "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z"),
        ["2026-10-24T07:00:00Z", "2026-10-25T08:00:00Z", "2026-10-26T08:00:00Z"]
    );
    assert_eq!(
        starts(&oslo, "2027-03-27T00:00:00Z", "2027-03-29T00:00:00Z"),
        ["2027-03-27T08:00:00Z", "2027-03-28T07:00:00Z"]
    );
    // New York: forward on 8 March 2026, back on 1 November.
    let york = meeting("2026-03-07T14:00:00Z", Some("America/New_York"), "FREQ=DAILY");
    assert_eq!(
        starts(&york, "2026-03-07T00:00:00Z", "2026-03-09T00:00:00Z"),
        ["2026-03-07T14:00:00Z", "2026-03-08T13:00:00Z"]
    );
    assert_eq!(
        starts(&york, "2026-10-31T00:00:00Z", "2026-11-02T00:00:00Z"),
        ["2026-10-31T13:00:00Z", "2026-11-01T14:00:00Z"]
    );
    // Lord Howe Island changes by half an hour: 10:30 and 11 hours ahead of UTC.
    let howe = meeting("2026-04-03T22:00:00Z", Some("Australia/Lord_Howe"), "FREQ=DAILY");
    assert_eq!(
        starts(&howe, "2026-04-03T00:00:00Z", "2026-04-06T00:00:00Z"),
        ["2026-04-03T22:00:00Z", "2026-04-04T22:30:00Z", "2026-04-05T22:30:00Z"]
    );
    // Cairo changes at midnight: forward on Friday, 24 April 2026.
    let cairo = meeting("2026-04-22T22:30:00Z", Some("Africa/Cairo"), "FREQ=DAILY");
    assert_eq!(
        starts(&cairo, "2026-04-22T00:00:00Z", "2026-04-26T00:00:00Z"),
        // 00:30 does not exist on the 24th: it is 01:30 then.
        ["2026-04-22T22:30:00Z", "2026-04-23T22:30:00Z", "2026-04-24T21:30:00Z", "2026-04-25T21:30:00Z"]
    );
}

#[test]
fn hours_that_do_not_exist_come_later_and_double_ones_first() {
    let oslo = meeting("2026-03-28T01:30:00Z", Some("Europe/Oslo"), "FREQ=DAILY;COUNT=2");
    // 02:30 is left out on 29 March: it is 03:30 in summer time.
    assert_eq!(
        starts(&oslo, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
        ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z"]
    );
    let oslo = meeting("2026-10-24T00:30:00Z", Some("Europe/Oslo"), "FREQ=DAILY;COUNT=3");
    // 02:30 comes twice on 25 October: the first is in summer time.
    assert_eq!(
        starts(&oslo, "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
    // Lord Howe leaves out half an hour on 4 October 2026: 02:15 is 02:45.
    let howe = meeting("2026-10-02T15:45:00Z", Some("Australia/Lord_Howe"), "FREQ=DAILY;COUNT=3");
    assert_eq!(
        starts(&howe, "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        ["2026-10-02T15:45:00Z", "2026-10-03T15:45:00Z", "2026-10-04T15:15:00Z"]
    );
    // Samoa had no 30 December 2011 at all.
    let samoa = meeting("2011-12-29T19:00:00Z", Some("Pacific/Apia"), "FREQ=DAILY;COUNT=3");
    assert_eq!(starts(&samoa, "2011-12-01T00:00:00Z", "2012-02-01T00:00:00Z").len(), 3);
}

#[test]
fn whole_days_stay_whole_days() {
    let day = |day: &str| Moment::day(day.parse().unwrap());
    let mut fair = meeting("2026-10-24T10:00:00Z", Some("Europe/Oslo"), "FREQ=WEEKLY;COUNT=2");
    fair.start = day("2026-10-24");
    fair.end = day("2026-10-26");
    let found = occurrences(&fair, Timestamp::MIN, Timestamp::MAX, 9).unwrap();
    let days: Vec<_> = found.iter().map(|one| (one.start.day.unwrap(), one.end.day.unwrap())).collect();
    let date = |text: &str| text.parse::<Date>().unwrap();
    assert_eq!(
        days,
        [(date("2026-10-24"), date("2026-10-26")), (date("2026-10-31"), date("2026-11-02"))],
        "three days each"
    );
    assert_eq!(found[1].start, day("2026-10-31"), "wherever the meeting is held");
}

#[test]
fn rules_mean_what_the_standard_says() {
    let start = "2026-01-30T09:00:00Z";
    for (rule, n, expected) in [
        ("FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1", 3, vec!["2026-01-30", "2026-02-27", "2026-03-27"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", 3, vec!["2026-01-30", "2026-02-27", "2026-03-27"]),
        ("FREQ=MONTHLY", 3, vec!["2026-01-30", "2026-03-30", "2026-04-30"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", 3, vec!["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", 2, vec!["2026-01-30", "2026-02-27"]),
        ("FREQ=YEARLY;BYDAY=20MO", 2, vec!["2026-05-18", "2027-05-17"]),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=1TH", 2, vec!["2026-11-05", "2027-11-04"]),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", 3, vec!["2026-02-13", "2026-03-13", "2026-11-13"]),
        ("FREQ=DAILY;BYMONTH=2;INTERVAL=10", 3, vec!["2026-02-09", "2026-02-19", "2027-02-04"]),
        ("FREQ=DAILY;COUNT=2", 9, vec!["2026-01-30", "2026-01-31"]),
        ("FREQ=DAILY;UNTIL=20260201", 9, vec!["2026-01-30", "2026-01-31", "2026-02-01"]),
    ] {
        assert_eq!(days(start, rule, n), expected, "{rule}");
    }
    assert_eq!(
        days("2024-02-29T09:00:00Z", "FREQ=YEARLY", 3),
        ["2024-02-29", "2028-02-29", "2032-02-29"],
        "29 February comes in leap years only"
    );
    // RFC 5545, on WKST: the same rule by two beginnings of the week.
    let two_weeks = "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=";
    assert_eq!(
        days("1997-08-05T13:00:00Z", &format!("{two_weeks}MO"), 9),
        ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"]
    );
    assert_eq!(
        days("1997-08-05T13:00:00Z", &format!("{two_weeks}SU"), 9),
        ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"]
    );
    // An end in UTC is a point in time: nine o'clock in New York is 13:00 or 14:00 there.
    let york = meeting("2026-10-30T13:00:00Z", Some("America/New_York"), "FREQ=DAILY;UNTIL=20261101T130000Z");
    assert_eq!(starts(&york, "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z").len(), 2);
    let york = meeting("2026-10-30T13:00:00Z", Some("America/New_York"), "FREQ=DAILY;UNTIL=20261101T140000Z");
    assert_eq!(starts(&york, "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z").len(), 3);
}

#[test]
fn endless_series_are_entered_where_they_are_asked_about() {
    let old = meeting("0001-01-01T09:00:00Z", Some("Europe/Oslo"), "FREQ=DAILY");
    let found = starts(&old, "9998-06-01T00:00:00Z", "9998-06-03T00:00:00Z");
    assert_eq!(found.len(), 2, "8,000 years of days are not walked: {found:?}");
    let last = occurrences(&old, at("9999-12-30T00:00:00Z"), Timestamp::MAX, 9).unwrap();
    assert!((1..=3).contains(&last.len()), "time ends: {last:?}");
    let counted = meeting("1990-01-01T09:00:00Z", None, "FREQ=DAILY;COUNT=10000");
    let found = starts(&counted, "2017-05-15T00:00:00Z", "2018-01-01T00:00:00Z");
    assert_eq!(
        found,
        ["2017-05-15T09:00:00Z", "2017-05-16T09:00:00Z", "2017-05-17T09:00:00Z", "2017-05-18T09:00:00Z"]
    );
    let seldom = meeting("1990-01-01T09:00:00Z", None, "FREQ=DAILY;COUNT=10000;BYDAY=MO");
    let error = occurrences(&seldom, at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"), 9).unwrap_err();
    assert_eq!(error.violations()[0].message, "the series has too many occurrences before this range");
    assert_eq!(error.violations()[0].code, ViolationCode::LimitReached);
    // Every fourth year from 2026 on has no leap day.
    let never = meeting("2026-01-01T09:00:00Z", None, "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29");
    let error = occurrences(&never, at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"), 9).unwrap_err();
    assert_eq!(error.violations()[0].message, "the rule of the series fits no day");
    let on_a_day = never.occurrence_on("2026-02-28".parse().unwrap()).unwrap_err();
    assert_eq!(on_a_day.to_string(), error.to_string());
}

#[test]
fn what_a_meeting_may_not_say_is_named() {
    let broken = |meeting: Meeting| {
        let violations = check(&fields_of(meeting)).unwrap();
        violations.into_iter().map(|one| (one.field, one.code)).collect::<Vec<_>>()
    };
    let good = || meeting("2026-01-30T09:00:00Z", Some("Europe/Oslo"), "FREQ=DAILY");
    assert_eq!(broken(good()), []);
    for zone in ["Europe/Atlantis", "europe/oslo", "", "+01:00", "Europe/Oslo\0"] {
        let bad = Meeting { zone: Some(zone.to_owned()), ..good() };
        assert_eq!(broken(bad), [("zone".to_owned(), ViolationCode::Unknown)], "{zone}");
    }
    for rule in ["FREQ=DAILY;UNTIL=20260129", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6", "FREQ=DAILY;UNTIL=00010101"]
    {
        let bad = meeting("2026-01-30T09:00:00Z", None, rule);
        assert_eq!(broken(bad), [("recurrence".to_owned(), ViolationCode::OutOfRange)], "{rule}");
    }
    let mut long = good();
    long.end.at = long.start.at.saturating_add(TimeDelta::days(366));
    assert_eq!(broken(long.clone()), []);
    long.end.at = long.end.at.saturating_add(TimeDelta::microseconds(1));
    assert_eq!(broken(long), [("end".to_owned(), ViolationCode::OutOfRange)]);
    let rule = Recurrence::daily();
    let undated = ActivityFields::task("x").recurring(rule);
    assert_eq!(check(&undated).unwrap()[0].field, "due");
}

#[test]
fn the_edges_of_time_hold() {
    for start in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "9999-12-31T00:00:00Z"] {
        for zone in [None, Some("Europe/Oslo"), Some("America/New_York"), Some("Pacific/Kiritimati")] {
            for rule in
                ["FREQ=DAILY", "FREQ=WEEKLY;WKST=SU", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=YEARLY;INTERVAL=1000"]
            {
                let meeting = meeting(start, zone, rule);
                let _ = check(&fields_of(meeting.clone()));
                let _ = meeting.next_occurrence(None);
                let _ = meeting.next_occurrence(Some(Timestamp::MIN));
                assert_eq!(meeting.next_occurrence(Some(Timestamp::MAX)), None);
                for (from, to) in [(Timestamp::MIN, Timestamp::MAX), (Timestamp::MAX, Timestamp::MIN)] {
                    let _ = occurrences(&meeting, from, to, 20);
                }
            }
        }
    }
    let due = Moment::day(Date::MAX);
    assert_eq!(
        next_due(&Recurrence::daily(), due, Timestamp::MIN).unwrap(),
        None,
        "nothing is behind the end"
    );
}

#[test]
fn a_task_comes_again_as_often_as_its_rule_says() {
    let rule: Recurrence = "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=4".parse().unwrap();
    let mut due = Moment::day("2026-11-23".parse().unwrap());
    let (mut rule, mut found) = (Some(rule), vec![due.day.unwrap().to_string()]);
    while let Some(of) = &rule {
        let Some((next, left)) = next_due(of, due, due.at).unwrap() else { break };
        found.push(next.day.unwrap().to_string());
        (due, rule) = (next, left);
    }
    assert_eq!(found, ["2026-11-23", "2026-11-26", "2026-11-30", "2026-12-03"]);
    // Done late: what was missed is passed over.
    let due = Moment::at(at("2026-01-01T09:00:00Z"));
    let (next, _) = next_due(&Recurrence::daily(), due, at("2026-11-22T10:00:00Z")).unwrap().unwrap();
    assert_eq!(next.at, at("2026-11-23T09:00:00Z"));
}
