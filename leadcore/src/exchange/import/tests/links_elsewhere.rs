//! Links by the ids that another system gives its leads.

use super::links::{family, host, parents};
use super::plans::{stored, words};
use super::*;
use crate::domain::FieldValue;
use crate::exchange::import::Planned;

/// Rows `name<parent` with the ids of another system, made of their letters.
fn file(rows: &str, id: impl Fn(char) -> String) -> String {
    let row = |row: &str| {
        let letters: Vec<char> = row.chars().collect();
        let parent = if letters[1] == '-' { String::new() } else { id(letters[1]) };
        format!("{},{},{}@x.example,{parent}\n", id(letters[0]), letters[0], letters[0])
    };
    let head = "external id,company,email,x_parent\n".to_owned();
    rows.split_whitespace().map(row).fold(head, |all, row| all + &row)
}

fn number(letter: char) -> String {
    format!("K-{}", u32::from(letter))
}

fn guid(letter: char) -> String {
    format!("{:08X}-0000-4000-A000-0123456789AB", u32::from(letter))
}

#[test]
fn a_link_may_name_the_id_that_the_system_of_the_file_gives_a_lead() {
    for id in [number, guid] {
        for system in ["crm", "import"] {
            for chunk in [1, 2, 100] {
                let (host, rows) = (host(), "AB BC C- DD EA FC");
                let options = ImportOptions::new().chunk(chunk).external_system(system);
                let (plan, dry) = (host.plan(file(rows, id), &options), host.dry(file(rows, id), &options));
                let report = host.run_with(file(rows, id), &options);
                for report in [&plan.report, &dry, &report] {
                    assert_eq!((counts(report), report.left_out), ((6, 0, 0, 0), 0), "{report}");
                }
                let expected = family("A<B B<C D<D E<A F<C");
                assert_eq!(parents(&host), expected);
                // Once more nothing changes.
                let again = options.clone().attempt(2);
                let dry = host.dry(file(rows, id), &again);
                let report = host.run_with(file(rows, id), &again);
                assert_eq!((counts(&dry), counts(&report)), ((0, 0, 6, 0), (0, 0, 6, 0)), "{report}");
                assert_eq!(parents(&host), expected);
            }
        }
    }
}

#[test]
fn what_a_file_names_may_have_come_with_an_earlier_one() {
    for id in [number, guid] {
        let host = host();
        host.run(file("B- C-", id));
        let report = host.run(file("AB D-", id));
        assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
        assert_eq!(parents(&host), family("A<B"));
        let options = ImportOptions::new().external_system("another");
        let report = host.run_with(file("GB", id), &options);
        assert_eq!(counts(&report), (0, 0, 0, 1), "{report}");
        assert_eq!(report.rejections[0].field, "x_parent");
    }
}

#[test]
fn a_plan_says_the_id_of_a_row_further_down_as_the_file_does() {
    let host = host();
    let plan = host.plan(file("AB B-", number), &ImportOptions::new());
    let Planned::Create { values, .. } = &plan.lines[0].decision else { panic!() };
    let told = values.iter().find(|value| value.field == "x_parent").unwrap();
    assert_eq!(told.after, FieldValue::from("K-66"));
    let report = host.apply(&stored(&plan), file("AB B-", number));
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
    assert_eq!(parents(&host), family("A<B"));
}

#[test]
fn a_row_that_is_left_to_a_person_is_not_linked_to_by_an_id_of_nobody_knows_whom() {
    for chunk in [1, 100] {
        for rows in ["X- AX", "AX X-"] {
            let host = host();
            host.run("external id,company,email\nK-88,Somebody Else AS,else@y.example\n");
            let options = ImportOptions::new().chunk(chunk);
            let plan = host.plan(file(rows, number), &options);
            let report = host.run_with(file(rows, number), &options);
            for report in [&plan.report, &report] {
                assert_eq!((report.created, report.left_out), (1, 1), "{report} {:?}", words(&plan));
            }
            assert_eq!(parents(&host), family(""));
        }
    }
}
