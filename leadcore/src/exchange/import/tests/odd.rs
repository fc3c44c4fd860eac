//! Cells, columns and lines as people leave them: what is meant is read, and what is not read is told.

use super::*;
use crate::domain::{Field, ReachMark};
use crate::exchange::import::SkipReason;
use crate::exchange::{DateOrder, Note, ReadOptions};

fn notes(host: &Host, file: &str, column: usize) -> Vec<String> {
    let input = Cursor::new(file.to_owned());
    let preview = import::preview(&host.system(), &host.store, input, &ReadOptions::new()).unwrap();
    preview.proposal.columns[column].notes.iter().map(ToString::to_string).collect()
}

fn emails(host: &Host) -> Vec<Vec<String>> {
    host.leads().iter().map(|lead| lead.fields.emails.iter().map(ToString::to_string).collect()).collect()
}

fn names(host: &Host) -> Vec<String> {
    host.leads().iter().map(|lead| lead.fields.display_name().unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_stands_around_an_address_is_left_out_and_told() {
    let file = "Company;E-mail\nA;Anna Berg <a@x.example>\nB;mailto:b@x.example\nC;'c@x.example'\nD;d@x.example.\n\
        E;none\nF;-\nG;e@x.example\nH;nobody\n";
    let host = Host::new();
    let report = host.run(file);
    assert_eq!(counts(&report), (7, 0, 0, 1), "{report}");
    assert_eq!((report.rejections[0].line, report.blanked), (9, 2));
    let one = |address: &str| vec![address.to_owned()];
    let none = Vec::new();
    let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(|local| one(&format!("{local}@x.example")));
    assert_eq!(emails(&host), [a, b, c, d, none.clone(), none, e]);
    let told = notes(&Host::new(), file, 1);
    assert!(told.iter().any(|note| note.starts_with("4 cells have something around")), "{told:?}");
    assert!(report.to_string().contains("4 cells have something around"), "{report}");
    // Beyond the first rows too, and of phones.
    let host = Host::new();
    let many: String = (0..1_100).map(|n| format!("C{n},c{n}@x.example,\n")).collect();
    let report = host.run(format!("Company,E-mail,Phone\n{many}Z,unknown,none\n"));
    assert_eq!(counts(&report), (1_101, 0, 0, 0), "{report}");
}

#[test]
fn the_separator_of_most_cells_is_that_of_a_list() {
    let host = Host::new();
    let file = "Company,Labels\nA,\"hot, big\"\nB,\"hot, new\"\nC,cold|old\nD,new\n";
    let report = host.run(file);
    let labels = host.leads().iter().map(|lead| lead.fields.labels.len()).collect::<Vec<_>>();
    assert_eq!((counts(&report), labels), ((4, 0, 0, 0), vec![2, 2, 1, 1]));
    let told = notes(&Host::new(), file, 1);
    assert!(told.iter().any(|note| note.starts_with("1 cells have `|` in them")), "{told:?}");
    assert!(report.to_string().contains("1 cells have `|` in them"), "{report}");
    let host = Host::new();
    host.run("Company,Labels\nA,hot|big\nB,hot|new\nC,\"cold, old\"\n");
    let labels = host.leads().iter().map(|lead| lead.fields.labels.len()).collect::<Vec<_>>();
    assert_eq!(labels, [2, 2, 1]);
}

#[test]
fn a_shared_second_e_mail_does_not_make_one_lead_of_companies() {
    let file = "Company,Contact name,E-mail,Secondary Email\n\
        Sub One AS,Anna Berg,anna@one.example,info@group.example\n\
        Sub Two AS,Bo Li,bo@two.example,info@group.example\n\
        Group,,info@group.example,\n\
        Sub One,Anna Berg,anna@one.example,info@group.example\n";
    for chunk in [1, 100] {
        let host = Host::new();
        let report = host.run_with(file, &ImportOptions::new().chunk(chunk));
        assert_eq!(counts(&report), (3, 1, 0, 0), "{report}");
        assert_eq!(names(&host)[1..], ["Sub Two AS", "Group"]);
    }
    // The first address of both is one lead, whatever it is called now; so is a second one of the same name.
    let host = Host::new();
    host.run("Company,E-mail,Secondary Email\nOld AS,a@x.example,b@x.example\n");
    let report = host.run("Company,E-mail\nNew AS,a@x.example\nNew,b@x.example\n");
    assert_eq!(counts(&report), (0, 2, 0, 0), "{report}");
}

#[test]
fn dates_with_dots_are_read_day_first_and_told() {
    let host = Host::new();
    let file = "Company;Expected close\nA;3.4.2027\nB;05.06.2027\n";
    let report = host.run(file);
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
    let days: Vec<_> =
        host.leads().iter().map(|lead| lead.fields.expected_close.unwrap().to_string()).collect();
    assert_eq!(days, ["2027-04-03", "2027-06-05"]);
    assert!(report.to_string().contains("2 dates with dots can be read in two ways"), "{report}");
    assert_eq!(report.mapping.columns[1].rules.date_order, Some(DateOrder::DayFirst));
    assert!(report.notes.iter().any(|told| told.notes.contains(&Note::DottedDates { cells: 2 })));
    // Not beside slashes, nor against a cell that says otherwise, nor with two digits of a year.
    for file in [
        "Company;Expected close\nA;3.4.2027\nB;05/06/2027\n",
        "Company;Expected close\nA;3.4.2027\nB;12.25.2027\n",
        "Company;Expected close\nA;3.4.27\nB;05.06.27\n",
    ] {
        let told = notes(&Host::new(), file, 1);
        assert!(!told.iter().any(|note| note.contains("with dots")), "{told:?}");
    }
}

#[test]
fn chances_as_parts_of_one_are_percentages() {
    let chances = |file: &str| {
        let host = Host::new();
        let report = host.run(file);
        (host.leads().iter().map(|lead| lead.fields.probability).collect::<Vec<_>>(), report.to_string())
    };
    let (read, told) = chances("Company,Probability\nA,0.25\nB,1\nC,0\nD,0.7\n");
    assert_eq!(read, [Some(25), Some(100), Some(0), Some(70)], "{told}");
    assert!(told.contains("4 cells are parts of one"), "{told}");
    assert_eq!(chances("Company,Probability\nA,25\nB,1\nC,0\n").0, [Some(25), Some(1), Some(0)]);
    assert_eq!(chances("Company,Probability\nA,1\nB,0\n").0, [Some(1), Some(0)]);
}

#[test]
fn chances_and_scores_between_two_numbers_are_the_nearest_one() {
    let host = Host::new();
    let file =
        "Company;Probability;Score\nA;41.37;87.5\nB;10.5%;-2.5\nC;20.0;3\nD;0.5;4\nE;100.4;5\nF;101;6\n";
    let report = host.run(file);
    let read = host.leads();
    let read: Vec<_> = read.iter().map(|lead| (lead.fields.probability, lead.fields.score)).collect();
    let wanted = [(41, 88), (11, -3), (20, 3), (100, 5)];
    assert_eq!(read, wanted.map(|(chance, score)| (Some(chance), Some(score))), "{report}");
    // A half of a percent, or of one? And more than all is no chance.
    let refused: Vec<_> = report.rejections.iter().map(|one| one.line).collect();
    assert_eq!(refused, [5, 7]);
    assert!(report.to_string().contains("3 cells lie between two whole numbers"), "{report}");
}

#[test]
fn chances_with_their_sign_are_rounded_and_null_of_dumps_says_nothing() {
    let host = Host::new();
    let report = host.run("Company,Probability,City,Source\nA,0.5%,\\N,Fair\nB,41.37%,Oslo,\\N\n");
    assert_eq!((counts(&report), report.blanked), ((2, 0, 0, 0), 2), "{report}");
    let read: Vec<_> = host.leads().iter().map(|lead| lead.fields.probability).collect();
    assert_eq!(read, [Some(1), Some(41)]);
}

#[test]
fn a_state_with_stages_that_the_first_lead_brings_is_a_stage() {
    let report = Host::new().run("Company,State\nA,Discussion\nB,Mailed\n");
    assert_eq!(report.mapping.fields().nth(1), Some(&Field::Stage), "{report}");
}

#[test]
fn an_apostrophe_that_keeps_a_number_text_is_none_of_it() {
    let host = Host::new();
    host.run("Company,Phone\nA,'+4722222222\nB,'22 22 22 23\n");
    host.run(r#"[{"Company": "C", "Phone": "=\"+4722222224\""}]"#);
    let phones = |lead: &Lead| lead.fields.phones.iter().map(ToString::to_string).collect::<Vec<_>>();
    let read: Vec<_> = host.leads().iter().map(phones).collect();
    assert_eq!(read.concat(), ["+4722222222", "22 22 22 23", "+4722222224"]);
}

#[test]
fn consent_is_read_or_told() {
    let opted_out = |file: &str| {
        let host = Host::new();
        let report = host.run(file);
        let out: Vec<_> = host
            .leads()
            .iter()
            .map(|lead| lead.fields.emails.entries().iter().any(|entry| entry.opted_out))
            .collect();
        (out, report.to_string())
    };
    for (header, yes, no) in [
        ("Subscription status", "Unsubscribed", "Subscribed"),
        ("Désinscrit", "Oui", "Non"),
        ("Werbesperre", "Ja", "Nein"),
        ("UNSUB_TIME", "2026-03-01 10:00:00", ""),
        ("Email Status", "Unsubscribed", "Active"),
        ("Email opt out date", "2026-03-01", ""),
    ] {
        let (out, told) =
            opted_out(&format!("Company;E-mail;{header}\nA;a@x.example;{yes}\nB;b@x.example;{no}\n"));
        assert_eq!(out, [true, false], "{header}: {told}");
    }
    // Only looks like it, by its cells.
    let (out, told) = opted_out("Company;E-mail;Foo\nA;a@x.example;Do not contact\nB;b@x.example;VIP\n");
    assert!(out == [false, false] && told.contains("looks as if its 2 cells"), "{told}");
    let (out, told) =
        opted_out("Company;E-mail;Email Status\nA;a@x.example;Verified\nB;b@x.example;Pending\n");
    assert!(out == [false, false] && told.contains("looks as if its 2 cells"), "{told}");
    // Nobody of the first rows, somebody further down.
    let many: String = (0..1_050).map(|n| format!("C{n};c{n}@x.example;Subscribed\n")).collect();
    let (out, told) = opted_out(&format!("Company;E-mail;Email Status\n{many}Z;z@x.example;Unsubscribed\n"));
    assert!(out.last() == Some(&true) && out.iter().filter(|out| **out).count() == 1, "{told}");
}

#[test]
fn addresses_that_do_not_work_are_marked_so_and_nobody_opted_out() {
    let marks = |file: &str| {
        let host = Host::new();
        let report = host.run(file);
        let leads = host.leads();
        let marks = leads.iter().map(|lead| {
            let entries = lead.fields.emails.entries();
            let has = |mark: ReachMark| entries.iter().map(|entry| entry.is_marked(mark)).collect::<Vec<_>>();
            (has(ReachMark::Invalid), has(ReachMark::OptedOut))
        });
        (marks.collect::<Vec<_>>(), report.to_string())
    };
    for (header, yes, no) in [
        ("Email Bounced", "Yes", "No"),
        ("Invalid Email", "TRUE", "FALSE"),
        ("IsEmailBounced", "1", "0"),
        ("Email Bounced Date", "2026-03-01", ""),
        ("Email Status", "Bounced", "Valid"),
        ("Email valid", "no", "yes"),
    ] {
        let (found, told) = marks(&format!(
            "Company;E-mail;{header}\nA;a@x.example, c@x.example;{yes}\nB;b@x.example;{no}\n"
        ));
        assert_eq!(
            found,
            [(vec![true, true], vec![false, false]), (vec![false], vec![false])],
            "{header}: {told}"
        );
        assert!(told.contains("which ones do not work"), "{told}");
    }
    // Beside those who opted out.
    let (found, told) =
        marks("Company;E-mail;Email Status\nA;a@x.example;Unsubscribed\nB;b@x.example;Bounced\n");
    assert_eq!(found, [(vec![false], vec![true]), (vec![true], vec![false])], "{told}");
    let (_, told) = marks("Company;E-mail;Bounce reason\nA;a@x.example;mailbox full\n");
    assert!(told.contains("which addresses do not work, and is left out"), "{told}");
    // Of a row without an address, the first one of its lead.
    let host = Host::new();
    host.run("Id;Company;E-mail\n1;A;a@x.example, b@x.example\n");
    let report = host.run("Id;Email bounced\n1;yes\n");
    assert_eq!(counts(&report), (0, 1, 0, 0), "{report}");
    let marked: Vec<_> = host.leads()[0].fields.emails.entries().iter().map(|entry| entry.invalid).collect();
    assert_eq!(marked, [true, false]);
}

#[test]
fn an_encoding_that_is_never_guessed_is_told() {
    let host = Host::new();
    let bytes = b"Company;City\nJ\x81rgens M\x81hle;D\x81sseldorf\nS\x9bren Bj\x9brn;M\x86l\x9by\n".to_vec();
    let report = host.run(bytes);
    assert!(report.to_string().contains("DOS code page"), "{report}");
}

#[test]
fn a_lead_below_the_lines_that_close_a_report_makes_none_of_them_leads() {
    let file = "Company,E-mail,City\nA,a@x.example,Oslo\nTotal: 12\nGenerated by Reports 3.1 on 2026-11-23,,\n\
                Copyright (c) 2026,,\nGenerated by hand AS,,\n,,\nB,b@x.example,Moss\n";
    for chunk in [1, 3, 100] {
        let (host, options) = (Host::new(), ImportOptions::new().chunk(chunk));
        let dry = host.dry(file, &options);
        let report = host.run_with(file, &options);
        assert_eq!((counts(&dry), counts(&report)), ((3, 0, 4, 0), (3, 0, 4, 0)), "{report}");
        assert_eq!(report.skips[&SkipReason::Total], 3);
        assert_eq!(names(&host), ["A", "Generated by hand AS", "B"]);
        assert_eq!(report.unrecognisable_lines, [6], "what may be a lead is one, and told");
    }
}

#[test]
fn a_line_of_a_report_right_below_the_header_is_no_lead() {
    for line in ["Page 1 of 2,,", "Total: 12,,", "Total records: 2,,", "Showing 1 to 2 of 2 entries,,"] {
        let host = Host::new();
        let report = host
            .run(format!("Company,E-mail,City\n{line}\nA,a@x.example,Oslo\n{line}\nB,b@x.example,Moss\n"));
        assert_eq!(names(&host), ["A", "B"], "{report}");
        assert_eq!(report.skips[&SkipReason::Total], 2, "{line}");
    }
}

#[test]
fn a_number_whose_country_is_said_later_is_that_of_the_same_lead() {
    let host = Host::new();
    host.run("Company,Phone\nA AS,22 22 55 55\n");
    let report = host.run_with(
        "Company,Phone,City\nA AS,22 22 55 55,Oslo\nB AS,22 22 55 55,Moss\n",
        &ImportOptions::new().region("NO".parse().unwrap()),
    );
    assert_eq!(counts(&report), (1, 1, 0, 0), "the second is called otherwise: {report}");
    let [lead, _] = &host.leads()[..] else { panic!("{report}") };
    assert_eq!((lead.fields.phones.entries().len(), lead.fields.address.city()), (1, Some("Oslo")));
}

#[cfg(feature = "phone")]
#[test]
fn a_number_with_its_country_says_more_than_its_digits() {
    let host = Host::new();
    host.run("Company,Phone\nA AS,22 22 55 55\nA AS,+47 22 22 55 55\n");
    let report = host.run("Company,Phone,Country,City\nA AS,22225555,NO,Oslo\n");
    assert_eq!(counts(&report), (0, 1, 0, 0), "{report}");
    assert_eq!(host.leads()[1].fields.address.city(), Some("Oslo"));
}

#[cfg(feature = "phone")]
#[test]
fn a_number_is_one_with_its_country_and_without() {
    let phones = |host: &Host| {
        let all = host.leads();
        let told =
            |lead: &Lead| lead.fields.phones.iter().map(|phone| phone.e164().map(str::to_owned)).collect();
        all.iter().map(told).collect::<Vec<Vec<_>>>()
    };
    let full = || vec![vec![Some("+4722334455".to_owned())]];
    for rows in [
        &["22 33 44 55,NO", "22 33 44 55,"][..],
        &["22 33 44 55,", "22 33 44 55,NO"],
        &["22 33 44 55,", "+47 22 33 44 55,"],
        &["+47 22 33 44 55,", "22334455,"],
        &["022334455,", "+47 22 33 44 55,"],
        &["\"22 33 44 55, +47 22 33 44 55\","],
    ] {
        let host = Host::new();
        let rows: String = rows.iter().map(|row| format!("A AS,a@x.example,{row}\n")).collect();
        host.run(format!("Company,E-mail,Phone,Country\n{rows}"));
        assert_eq!(phones(&host), full(), "{rows}");
    }
    // Who must not be called is not called by the longer number.
    let host = Host::new();
    host.run("Company,E-mail,Phone,Do not call\nA AS,a@x.example,22 33 44 55,yes\n");
    host.run("Company,E-mail,Phone\nA AS,a@x.example,+47 22 33 44 55\n");
    let all = host.leads();
    let [phone] = all[0].fields.phones.entries() else { panic!("{:?}", all[0].fields.phones) };
    assert!(phone.opted_out && phone.value.e164() == Some("+4722334455"));
    // Who says the country later completes what was typed, and an undo takes that back.
    let host = Host::new();
    let file = "Company,Phone\nA AS,22 33 44 55\n";
    host.run(file);
    let norway = ImportOptions::new().region("NO".parse().unwrap());
    let later = host.run_with(file, &norway);
    assert_eq!((counts(&later), phones(&host)), ((0, 1, 0, 0), full()), "{later}");
    let known = host.run("Company,Phone\nA AS,+47 22 33 44 55\n");
    assert_eq!((known.created, host.leads().len()), (0, 1), "{known}");
}
