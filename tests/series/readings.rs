//! Series against a plain evaluator, another reading of RFC 5545, and hostile rules.

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc, Weekday};
use leadcore::domain::occurrence::{check, occurrences};
use leadcore::domain::{AgendaDays, Moment, Recurrence};
use leadcore::error::ErrorKind;
use leadcore::time::Date;
use proptest::prelude::*;

use super::{at, fields_of, meeting};

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

    /// Else a calendar would pass over what it should show.
    #[test]
    fn occurrences_touch_the_days_that_a_series_is_found_by(
        rule in rules(),
        (start, hour) in (0_i64..6_000, 0_u32..24),
        zone in proptest::sample::select(vec![None, Some("Europe/Oslo"), Some("Pacific/Kiritimati"), Some("Pacific/Apia"), Some("America/Los_Angeles"), Some("Antarctica/Troll")]),
        (hours, whole) in (0_i64..800, any::<bool>()),
    ) {
        let first = "2010-06-15".parse::<Date>().unwrap().saturating_add_days(start);
        let mut meeting = meeting(&format!("{first}T{hour:02}:30:00Z"), zone, &rule);
        if whole {
            meeting.start = Moment { at: at(&format!("{first}T12:00:00Z")), day: Some(first) };
        }
        meeting.end = Moment { at: meeting.start.at.saturating_add(TimeDelta::hours(hours)), day: meeting.start.day };
        let days = AgendaDays::of_series(&meeting);
        let to = meeting.start.at.saturating_add(TimeDelta::days(365 * 5));
        let found = match occurrences(&meeting, meeting.start.at, to, 200) {
            // The 31st of every April.
            Err(error) => {
                prop_assert_eq!(&error.violations()[0].message, "the rule of the series fits no day", "{}", rule);
                return Ok(());
            }
            found => found.unwrap(),
        };
        for one in found {
            for moment in [one.start.at, one.end.at.saturating_add(TimeDelta::microseconds(-1)).max(one.start.at)] {
                prop_assert!(days.meet(AgendaDays::of_range(moment, moment)), "{rule} {moment}");
            }
        }
    }

    #[test]
    fn rules_are_read_as_another_reading_of_the_standard_does(
        rule in rules(),
        start in 0_i64..1_000,
        left_out in proptest::collection::vec(0_usize..30, 0..6),
    ) {
        let first: Date = "2023-06-15".parse().unwrap();
        let start = first.saturating_add_days(start);
        prop_assume!(start.to_naive().day() <= 28);
        let mut meeting = meeting(&format!("{start}T09:00:00Z"), None, &rule);
        let to = start.saturating_add_days(365 * 6);
        // Days of the series, and days that are none of it.
        let days = occurrences(&meeting, at(&format!("{start}T00:00:00Z")), at(&format!("{to}T00:00:00Z")), 30).unwrap();
        let days = left_out.iter().map(|n| days.get(*n).map_or(start.saturating_add_days(3), |one| one.day));
        meeting.exceptions = days.collect();
        meeting.exceptions.sort();
        meeting.exceptions.dedup();
        let found = occurrences(&meeting, at(&format!("{start}T00:00:00Z")), at(&format!("{to}T00:00:00Z")), 400).unwrap();
        let found: Vec<DateTime<Utc>> = found.iter().map(|one| one.start.at.to_datetime()).collect();
        let mut text = format!("DTSTART:{}T090000Z\nRRULE:{rule}", start.to_naive().format("%Y%m%d"));
        for day in &meeting.exceptions {
            text.push_str(&format!("\nEXDATE:{}T090000Z", day.to_naive().format("%Y%m%d")));
        }
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
            // By week, the other reader counts from the start in its week, and not from the beginning of the week.
            if let Some(position) = position.filter(|_| chosen && frequency != "WEEKLY") {
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
        for _ in 0..=dice(2) {
            let place = dice(text.len());
            let old = text[place];
            if old.is_ascii_digit() || dice(4) > 0 {
                let digits: Vec<char> = "0123456789-".chars().collect();
                text[place] = if old.is_ascii_digit() { digits[dice(11)] } else { old.to_ascii_lowercase() };
            } else {
                let end = (place + dice(4)).min(text.len());
                text.splice(place..end, pieces[dice(pieces.len())].chars());
            }
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
