//! Cards that come again: known by their ids, as far as these are believed.

use super::*;
use crate::exchange::import::OnAmbiguous;

fn card(uid: &str, name: &str, mail: &str) -> String {
    let (given, family) = name.split_once(' ').unwrap();
    format!(
        "BEGIN:VCARD\nVERSION:3.0\nN:{family};{given};;;\nFN:{name}\nEMAIL:{mail}\nUID:{uid}\nEND:VCARD\n"
    )
}

fn ids(host: &Host) -> Vec<Vec<String>> {
    let ids = |lead: &Lead| lead.fields.external_ids.iter().map(ToString::to_string).collect();
    host.leads().iter().map(ids).collect()
}

#[test]
fn the_same_cards_again_change_their_leads() {
    for (options, system) in
        [(ImportOptions::new(), "vcard"), (ImportOptions::new().external_system("phone"), "phone")]
    {
        let host = Host::new();
        let file =
            card("urn:uuid:1", "Ola Berg", "ola@x.example") + &card("a\\,b;c", "Eva Moe", "eva@x.example");
        let report = host.run_with(file, &options);
        assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
        assert_eq!(ids(&host), [[format!("{system}:urn:uuid:1")], [format!("{system}:a,b;c")]]);
        assert!(!report.format.left_out.contains_key("UID"), "{report}");
        let file =
            card("urn:uuid:1", "Ola Berg", "new@x.example") + &card("a\\,b;c", "Eva Dal", "eva@x.example");
        let report = host.run_with(file, &options);
        assert_eq!(counts(&report), (0, 2, 0, 0), "{report}");
        assert_eq!(host.leads()[0].fields.emails.entries().len(), 2);
    }
}

#[test]
fn an_id_of_a_card_is_not_believed_against_the_rest_of_it() {
    let host = Host::new();
    host.run(card("1", "Ola Berg", "ola@x.example"));
    let options = ImportOptions::new().ambiguous(OnAmbiguous::Review);
    let report = host.run_with(card("1", "Eva Moe", "eva@x.example"), &options);
    assert_eq!((report.review, report.created, report.updated), (1, 0, 0), "{report}");
    // Another program gave the person's card another id, which is no other person.
    let report = host.run(card("other", "Ola Berg", "ola@x.example"));
    assert_eq!(counts(&report), (0, 0, 1, 0), "{report}");
    let told: Vec<_> = report.left_out_values.iter().map(|told| (told.line, told.field.as_str())).collect();
    assert_eq!(told, [(1, "external_id")], "the id that the lead does not take");
    assert_eq!(ids(&host), [["vcard:1"]]);
    // Two persons who share an address are two by their ids.
    let report = host.run(card("3", "Kari Berg", "ola@x.example"));
    assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
}

#[test]
fn two_persons_with_one_id_are_two_whatever_else_they_share() {
    let card =
        |name: &str, rest: &str| format!("BEGIN:VCARD\nVERSION:3.0\nFN:{name}\n{rest}UID:1\nEND:VCARD\n");
    for (eva, ola) in [
        ("ORG:Acme\nEMAIL:eva@x.example\n", "ORG:Acme\nEMAIL:ola@x.example\n"),
        ("", ""),
        ("EMAIL:eva@x.example\n", "TEL:+4722225555\n"),
        ("TEL:+4722225555\n", "TEL:+4722225555\n"),
    ] {
        let host = Host::new();
        let report = host.run(card("Eva Lund", eva) + &card("Ola Nord", ola));
        assert_eq!(counts(&report), (1, 0, 0, 1), "{ola}: {report}");
        let person = host.leads()[0].fields.person.clone().unwrap();
        assert_eq!((person.given(), person.family()), (Some("Eva"), Some("Lund")), "{ola}");
    }
    // Whoever married, or shares the address, is the same by the id.
    for (name, rest) in [("Eva Nord", ""), ("Ola Nord", "EMAIL:eva@x.example\n")] {
        let host = Host::new();
        let report = host.run(card("Eva Lund", "EMAIL:eva@x.example\n") + &card(name, rest));
        assert_eq!((report.rejected, host.leads().len()), (0, 1), "{name}: {report}");
    }
}

#[test]
fn a_card_that_is_cut_off_makes_no_lead() {
    let host = Host::new();
    let cut = "BEGIN:VCARD\nVERSION:3.0\nFN:Eva Lund\nEMAIL:eva@x.exam";
    let report = host.run(card("1", "Ola Berg", "ola@x.example") + cut);
    assert_eq!(counts(&report), (1, 0, 0, 1), "{report}");
    let next = card("2", "Kari Moe", "kari@x.example");
    let report = host.run(format!("{cut}\n{next}"));
    assert_eq!(counts(&report), (1, 0, 0, 1), "{report}");
}

#[test]
fn rejected_cards_come_back_with_their_ids() {
    let host = Host::new();
    let file = card("1", "Ola Berg", "wrong") + &card("2", "Eva Moe", "eva@x.example");
    let mut rejects = Vec::new();
    let ctx = host.system();
    let input = Cursor::new(file);
    let report =
        import::run(&ctx, &host.store, input, &ImportOptions::new(), Some(&mut rejects), &mut ()).unwrap();
    assert_eq!(counts(&report), (1, 0, 0, 1), "{report}");
    let corrected = String::from_utf8(rejects).unwrap().replace("wrong", "ola@x.example");
    let report = host.run(corrected);
    assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
    assert_eq!(ids(&host), [["vcard:2"], ["vcard:1"]]);
}

#[test]
fn an_id_that_no_lead_can_have_costs_no_card() {
    let host = Host::new();
    let report = host.run(card(&"x".repeat(300), "Ola Berg", "ola@x.example"));
    assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
    assert_eq!(report.format.left_out.get("UID"), Some(&1));
    let report = host.run("BEGIN:VCARD\nVERSION:3.0\nUID:7\nEND:VCARD\n");
    assert_eq!((report.created, host.leads().len()), (0, 1), "{report}");
}

#[test]
fn an_id_that_looks_like_that_of_a_card_stays_as_it_stands() {
    let host = Host::new();
    let options = ImportOptions::new().external_system("crm");
    host.run_with("Company,External id\nA,vcard:7\nB,7\n", &options);
    assert_eq!(ids(&host), [["crm:vcard:7"], ["crm:7"]]);
}

#[test]
fn what_stands_behind_the_last_card_cuts_none_off() {
    let host = Host::new();
    let file = card("1", "Ola Berg", "ola@x.example");
    let report = host.run(format!("{}   \n\n\u{1a}", file.trim_end()));
    assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
}

#[test]
fn a_card_ends_however_its_end_is_written() {
    for end in ["END:VCARD", "end:vcard", "END: VCARD", "END:VCARD;", " END : VCARD ; "] {
        let host = Host::new();
        let file = card("1", "Ola Berg", "ola@x.example").replace("END:VCARD", end);
        let report = host.run(file + &card("2", "Eva Moe", "eva@x.example"));
        assert_eq!(counts(&report), (2, 0, 0, 0), "{end}: {report}");
    }
}

#[test]
fn what_was_left_of_a_card_stands_among_the_rejected_ones() {
    let host = Host::new();
    let file =
        card("1", "Ola Berg", "ola@x.example") + "BEGIN:VCARD\nVERSION:3.0\nFN:Eva Moe\nEMAIL:eva@x.exa";
    let mut rejects = Vec::new();
    let ctx = host.system();
    let (input, options) = (Cursor::new(file), ImportOptions::new());
    let report = import::run(&ctx, &host.store, input, &options, Some(&mut rejects), &mut ()).unwrap();
    assert_eq!(counts(&report), (1, 0, 0, 1), "{report}");
    let rejects = String::from_utf8(rejects).unwrap();
    assert!(rejects.contains("FN:Eva Moe") && rejects.contains("eva@x.exa"), "{rejects}");
    // As it stands it is rejected once more; put into its columns it is a lead.
    let report = host.run(rejects);
    assert_eq!(counts(&report), (0, 0, 0, 1), "{report}");
}

#[test]
fn a_card_inside_another_costs_it_nothing_and_is_told() {
    let inner = "BEGIN:VCARD\nVERSION:2.1\nN:Dal;Kari\nEMAIL:kari@x.example\nEND:VCARD\n";
    for agent in ["AGENT:\n", "AGENT:\n\n", "AGENT:"] {
        let host = Host::new();
        let outer = format!(
            "BEGIN:VCARD\nVERSION:2.1\nN:Berg;Anna\n{agent}{inner}EMAIL:a@x.example\nTEL:+4722222222\nEND:VCARD\n"
        );
        let report = host.run(outer);
        assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
        assert_eq!(report.format.left_out.get("AGENT"), Some(&1), "{:?}", report.format.left_out);
        let lead = &host.leads()[0].fields;
        assert_eq!(lead.emails.primary().map(ToString::to_string).as_deref(), Some("a@x.example"));
        assert_eq!(lead.phones.primary().map(ToString::to_string).as_deref(), Some("+4722222222"));
    }
}

#[test]
fn cards_of_old_programs_end_their_lines_otherwise() {
    let host = Host::new();
    let cards = card("1", "Ola Berg", "ola@x.example") + &card("2", "Eva Moe", "eva@x.example");
    let report = host.run(cards.replace("\r\n", "\n").replace('\n', "\r"));
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
    assert_eq!(ids(&host), [["vcard:1"], ["vcard:2"]]);
}
