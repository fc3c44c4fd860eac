//! Series against the clocks of the world, a plain evaluator, and another reading of RFC 5545.

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc, Weekday};
use leadcore::domain::occurrence::{check, occurrences};
use leadcore::domain::{ActivityBody, ActivityFields, Meeting, Moment, Recurrence, next_due};
use leadcore::error::{ErrorKind, ViolationCode};
use leadcore::time::{Date, Timestamp};
use proptest::prelude::*;

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
    let day = |day: &str, at: &str| Moment { at: at.parse().unwrap(), day: Some(day.parse().unwrap()) };
    let mut fair = meeting("2026-10-24T10:00:00Z", Some("Europe/Oslo"), "FREQ=WEEKLY;COUNT=2");
    fair.start = day("2026-10-24", "2026-10-24T10:00:00Z");
    fair.end = day("2026-10-26", "2026-10-26T10:00:00Z");
    let found = occurrences(&fair, Timestamp::MIN, Timestamp::MAX, 9).unwrap();
    let days: Vec<_> = found.iter().map(|one| (one.start.day.unwrap(), one.end.day.unwrap())).collect();
    let date = |text: &str| text.parse::<Date>().unwrap();
    assert_eq!(
        days,
        [(date("2026-10-24"), date("2026-10-26")), (date("2026-10-31"), date("2026-11-02"))],
        "three days each"
    );
    assert_eq!(found[1].start.at, at("2026-10-31T10:00:00Z"), "noon of whoever wrote it");
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
    long.end.at = long.start.at.saturating_add(TimeDelta::days(31));
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
    let due = Moment { at: Timestamp::MAX, day: Some(Date::MAX) };
    assert_eq!(
        next_due(&Recurrence::daily(), due, Timestamp::MIN).unwrap(),
        None,
        "nothing is behind the end"
    );
}

#[test]
fn a_task_comes_again_as_often_as_its_rule_says() {
    let rule: Recurrence = "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=4".parse().unwrap();
    let mut due = Moment { at: at("2026-11-23T12:00:00Z"), day: Some("2026-11-23".parse().unwrap()) };
    let (mut rule, mut found) = (Some(rule), vec![due.day.unwrap().to_string()]);
    while let Some(of) = &rule {
        let Some((next, left)) = next_due(of, due, due.at).unwrap() else { break };
        found.push(next.day.unwrap().to_string());
        (due, rule) = (next, left);
    }
    assert_eq!(found, ["2026-11-23", "2026-11-26", "2026-11-30", "2026-12-03"]);
    // Done late: what was missed is passed over.
    let due = Moment { at: at("2026-01-01T09:00:00Z"), day: None };
    let (next, _) = next_due(&Recurrence::daily(), due, at("2026-11-22T10:00:00Z")).unwrap().unwrap();
    assert_eq!(next.at, at("2026-11-23T09:00:00Z"));
}

/// Whether a day is one of a rule of days or weeks, by the words of the standard.
fn is_day(rule: &Plain, start: NaiveDate, day: NaiveDate) -> bool {
    let apart = (day - start).num_days();
    let in_turn = if rule.weekly {
        let week = |day: NaiveDate| day - TimeDelta::days(i64::from(day.weekday().num_days_from_monday()));
        (week(day) - week(start)).num_days() / 7 % rule.interval == 0
    } else {
        apart % rule.interval == 0
    };
    let weekdays: &[Weekday] =
        if rule.weekdays.is_empty() && rule.weekly { &[start.weekday()] } else { &rule.weekdays };
    let months = rule.months.is_empty() || rule.months.contains(&day.month());
    apart >= 0 && in_turn && months && (weekdays.is_empty() || weekdays.contains(&day.weekday()))
}

#[derive(Debug, Clone)]
struct Plain {
    weekly: bool,
    interval: i64,
    weekdays: Vec<Weekday>,
    months: Vec<u32>,
    count: Option<usize>,
}

impl Plain {
    fn text(&self) -> String {
        let mut text =
            format!("FREQ={};INTERVAL={}", if self.weekly { "WEEKLY" } else { "DAILY" }, self.interval);
        if let Some(count) = self.count {
            text += &format!(";COUNT={count}");
        }
        let codes = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
        let days: Vec<_> =
            self.weekdays.iter().map(|day| codes[day.num_days_from_monday() as usize]).collect();
        if !days.is_empty() {
            text += &format!(";BYDAY={}", days.join(","));
        }
        let months: Vec<_> = self.months.iter().map(ToString::to_string).collect();
        if !months.is_empty() {
            text += &format!(";BYMONTH={}", months.join(","));
        }
        text
    }
}

fn weekdays() -> impl Strategy<Value = Vec<Weekday>> {
    let all =
        [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
    proptest::sample::subsequence(all.to_vec(), 0..=3)
}

fn plain() -> impl Strategy<Value = Plain> {
    let months = proptest::sample::subsequence((1_u32..=12).collect::<Vec<_>>(), 0..=3);
    (any::<bool>(), 1_i64..5, weekdays(), months, proptest::option::of(1_usize..60)).prop_map(
        |(weekly, interval, weekdays, months, count)| Plain { weekly, interval, weekdays, months, count },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn days_and_weeks_are_those_of_a_plain_evaluator(
        rule in plain(),
        start in 0_i64..2_000,
        ahead in -100_i64..3_000,
        width in 1_i64..400,
    ) {
        let first: Date = "2020-01-01".parse().unwrap();
        let start = first.saturating_add_days(start);
        let meeting = meeting(&format!("{start}T09:00:00Z"), None, &rule.text());
        let from = start.saturating_add_days(ahead);
        let to = from.saturating_add_days(width);
        let utc = |day: Date| at(&format!("{day}T00:00:00Z"));
        let found = occurrences(&meeting, utc(from), utc(to), 10_000).unwrap();
        let found: Vec<NaiveDate> = found.iter().map(|one| one.day.to_naive()).collect();
        prop_assert!(found.is_sorted_by(|a, b| a < b), "in order, each once: {found:?}");
        let all = start.to_naive().iter_days().take_while(|day| *day < to.to_naive());
        let all = all.filter(|day| is_day(&rule, start.to_naive(), *day)).take(rule.count.unwrap_or(usize::MAX));
        let expected: Vec<NaiveDate> = all.filter(|day| *day >= from.to_naive()).collect();
        prop_assert_eq!(found, expected, "{}", rule.text());
    }

    #[test]
    fn rules_are_read_as_another_reading_of_the_standard_does(rule in rules(), start in 0_i64..1_000) {
        let first: Date = "2023-06-15".parse().unwrap();
        let start = first.saturating_add_days(start);
        prop_assume!(start.to_naive().day() <= 28);
        let meeting = meeting(&format!("{start}T09:00:00Z"), None, &rule);
        let to = start.saturating_add_days(365 * 6);
        let found = occurrences(&meeting, at(&format!("{start}T00:00:00Z")), at(&format!("{to}T00:00:00Z")), 400).unwrap();
        let found: Vec<DateTime<Utc>> = found.iter().map(|one| one.start.at.to_datetime()).collect();
        let text = format!("DTSTART:{}T090000Z\nRRULE:{rule}", start.to_naive().format("%Y%m%d"));
        let other: rrule::RRuleSet = text.parse().unwrap();
        let end = to.to_naive().and_hms_opt(0, 0, 0).unwrap().and_utc();
        let all = other.into_iter().map(|at| at.with_timezone(&Utc));
        let expected: Vec<DateTime<Utc>> = all.take_while(|at| *at < end).take(400).collect();
        prop_assert_eq!(found, expected, "{}", text);
    }
}

/// Rules of every frequency that both readers take, and that come now and then.
fn rules() -> impl Strategy<Value = String> {
    let days = || {
        weekdays().prop_map(|days| {
            let codes = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
            days.iter().map(|day| codes[day.num_days_from_monday() as usize]).collect::<Vec<_>>()
        })
    };
    let nth = proptest::sample::select(vec!["", "1", "2", "-1", "-2"]);
    let month_days = proptest::sample::subsequence(vec!["1", "13", "28", "-1", "-15"], 0..=2);
    let months = proptest::sample::subsequence(vec!["1", "2", "4", "7", "12"], 0..=2);
    let frequency = proptest::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
    let position = proptest::option::of(proptest::sample::select(vec![1, 2, -1]));
    let week_start = proptest::sample::select(vec!["MO", "SU", "WE"]);
    (frequency, 1..4, days(), nth, month_days, months, position, week_start).prop_map(
        |(frequency, interval, days, nth, month_days, months, position, week_start)| {
            let interval = if frequency == "MONTHLY" && !months.is_empty() { 1 } else { interval };
            let mut text = format!("FREQ={frequency};INTERVAL={interval};WKST={week_start}");
            let counted = matches!(frequency, "MONTHLY" | "YEARLY");
            let nth = if counted { nth } else { "" };
            // The other reader looks for what never comes until the year 10,000: such rules are left out.
            let month_days = if nth.is_empty() { month_days } else { Vec::new() };
            let several =
                month_days.is_empty() && nth.is_empty() && (days.len() > 1 || counted && !days.is_empty());
            let position = position.filter(|position| *position != 2 || several && frequency != "DAILY");
            let days: Vec<_> = days.iter().map(|day| format!("{nth}{day}")).collect();
            let mut chosen = false;
            let mut part = |name: &str, values: Vec<String>| {
                if !values.is_empty() {
                    chosen = true;
                    text += &format!(";{name}={}", values.join(","));
                }
            };
            part("BYDAY", days);
            if frequency != "WEEKLY" {
                part("BYMONTHDAY", month_days.iter().map(ToString::to_string).collect());
            }
            part("BYMONTH", months.iter().map(ToString::to_string).collect());
            if let Some(position) = position.filter(|_| chosen) {
                text += &format!(";BYSETPOS={position}");
            }
            text
        },
    )
}

/// Ten thousand rules with bytes changed, cut and doubled: what is no rule is refused, what is one is followed.
#[test]
fn hostile_rules_do_no_harm() {
    let seeds = [
        "FREQ=WEEKLY;INTERVAL=2;COUNT=10;BYDAY=MO,WE,FR;WKST=SU",
        "FREQ=MONTHLY;BYDAY=-1FR;BYMONTH=1,2,3;UNTIL=20301231T235959Z",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYSETPOS=-1",
        "FREQ=DAILY;INTERVAL=999;UNTIL=99991231",
    ];
    let pieces = [
        "",
        ";",
        "=",
        ",",
        "-",
        "0",
        "9",
        "99999999999",
        "\u{fffd}",
        "\0",
        "T",
        "Z",
        "FREQ=DAILY;",
        "BYDAY=",
        "MO",
        "é",
    ];
    // A plain generator of numbers: the same run every time.
    let mut state = 7_u64;
    let mut dice = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % n
    };
    let mut taken = 0;
    for _ in 0..10_000 {
        let mut text: Vec<char> = seeds[dice(seeds.len())].chars().collect();
        for _ in 0..=dice(3) {
            let place = dice(text.len() + 1);
            let end = (place + dice(4)).min(text.len());
            text.splice(place..end, pieces[dice(pieces.len())].chars());
        }
        let text: String = text.into_iter().collect();
        let Ok(rule) = text.parse::<Recurrence>() else { continue };
        taken += 1;
        assert_eq!(rule.to_string().parse::<Recurrence>().unwrap(), rule, "{text:?}");
        let mut meeting = meeting("2024-02-29T22:30:00Z", Some("Europe/Oslo"), "FREQ=DAILY");
        meeting.recurrence = Some(rule);
        let violations = check(&fields_of(meeting.clone())).unwrap();
        match occurrences(&meeting, at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"), 50) {
            Ok(found) => assert!(found.is_sorted_by(|a, b| a.start.at < b.start.at), "{text:?}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Invalid, "{text:?}"),
        }
        assert_eq!(meeting.next_occurrence(None).is_none(), !violations.is_empty(), "{text:?}");
    }
    assert!(taken > 500, "too few of them were rules: {taken}");
}
