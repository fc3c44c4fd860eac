//! The numbers of leads in a file: their own ones are found again, those of another system are not ours.

use super::*;
use crate::domain::Field;
use crate::exchange::Mapping;
use crate::exchange::import::{MatchBy, OnAmbiguous, OnMissing, SkipReason};

fn host() -> Host {
    let host = Host::new();
    host.run("Company,City\nNordlys AS,Oslo\nFjord AS,Bergen\nBerg AS,Voss\n");
    host
}

fn companies(host: &Host) -> Vec<(u64, String, String)> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let of =
        |lead: &Lead| (lead.number, text(lead.fields.company.as_deref()), text(lead.fields.address.city()));
    host.leads().iter().map(of).collect()
}

#[test]
fn a_file_of_our_own_numbers_updates_those_leads() {
    for file in [
        "Lead number,Company,City\n1,Nordlys AS,Tromsø\n3,Berg AS,Voss\n2,Fjord,Florø\n",
        "number;company;city\n1;Nordlys AS;Tromsø\n3;Berg AS;Voss\n2;Fjord;Florø\n",
        "{\"number\":\"1\",\"company\":\"Nordlys AS\",\"city\":\"Tromsø\"}\n{\"number\":3,\"company\":\"Berg AS\",\"city\":\"Voss\"}\n{\"number\":2,\"company\":\"Fjord\",\"city\":\"Florø\"}\n",
    ] {
        let host = host();
        let plan = host.plan(file, &ImportOptions::new());
        let report = host.run(file);
        assert_eq!(counts(&report), (0, 2, 1, 0), "{report}");
        assert_eq!(counts(&plan.report), counts(&report));
        let expected = [(1, "Nordlys AS", "Tromsø"), (2, "Fjord", "Florø"), (3, "Berg AS", "Voss")];
        let expected = expected.map(|(n, name, city)| (n, name.to_owned(), city.to_owned()));
        assert_eq!(companies(&host), expected);
    }
    // Nothing else in the row says whom it means.
    let host = host();
    assert_eq!(counts(&host.run("Lead number,City\n2,Moss\n3,\n")), (0, 1, 1, 0));
    assert_eq!(companies(&host)[1].2, "Moss");
}

#[test]
fn a_number_that_no_lead_has_makes_a_lead_with_a_number_of_its_own() {
    let host = host();
    let file = "Lead number,Company,City\n1,Nordlys AS,Oslo\n2,Fjord AS,Bergen\n17,Elv AS,Moss\n,Dal AS,Moss\nx,Vik AS,Moss\n";
    let dry = host.dry(file, &ImportOptions::new());
    let report = host.run(file);
    assert_eq!(counts(&report), (2, 0, 2, 1), "{report}");
    assert_eq!(counts(&dry), counts(&report));
    assert_eq!((report.unknown_numbers, dry.unknown_numbers), (1, 1));
    assert_eq!(report.unknown_number_lines, [4]);
    assert!(report.to_string().contains("numbers of their own"), "{report}");
    assert_eq!(report.rejections[0].field, "number");
    let numbers: Vec<_> = companies(&host).into_iter().map(|(n, ..)| n).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5], "no file gives a number");
    // Where only known leads are wanted, or the number is all that counts, it is refused.
    let options = ImportOptions::new().on_missing(OnMissing::Skip);
    let report = host.run_with("Lead number,Company\n1,Nordlys AS\n99,Elv AS\n", &options);
    assert_eq!(report.skips.get(&SkipReason::Missing), Some(&1), "{report}");
    let mapping = Mapping::default().with("N", Some(Field::Number)).with("C", Some(Field::Company));
    let options = ImportOptions::new().mapping(mapping.clone()).match_by(vec![MatchBy::Number]);
    let report = host.run_with("N,C\n1,Renamed\n99,Elv AS\n", &options);
    assert_eq!(counts(&report), (0, 1, 0, 1), "{report}");
    // A key that was not asked for is refused, not passed over.
    let options = ImportOptions::new().mapping(mapping).match_by(vec![MatchBy::Email]);
    let error = import::run(&host.system(), &host.store, Cursor::new("N,C\n1,X\n"), &options, None, &mut ())
        .unwrap_err();
    assert_eq!(error.violations()[0].field, "mapping.number");
}

#[test]
fn a_number_is_not_believed_against_the_rest_of_its_row() {
    let host = host();
    let mapping = Mapping::default()
        .with("N", Some(Field::Number))
        .with("C", Some(Field::Company))
        .with("E", Some(Field::Email));
    let options = ImportOptions::new().mapping(mapping);
    let file = "N,C,E\n1,Quite another one,\n2,FJORD as,\n";
    let report = host.run_with(file, &options);
    assert_eq!(counts(&report), (0, 1, 0, 1), "{report}");
    assert!(report.rejections[0].message.contains("match_by"), "{report}");
    assert_eq!(companies(&host)[0].1, "Nordlys AS");
    let report = host.run_with(file, &options.clone().ambiguous(OnAmbiguous::Review).attempt(2));
    assert_eq!((report.review, report.reviews[0].candidates[0].1), (1, 1), "{report}");
    // Said to be the key, it holds.
    let by = options.clone().match_by(vec![MatchBy::Number]);
    assert_eq!(counts(&host.run_with("N,C,E\n1,Quite another one,post@x.example\n", &by)), (0, 1, 0, 0));
    // With the number of one lead a row is not another one by a weaker key.
    let report = host.run_with("N,C,E\n3,Quite another one,post@x.example\n", &options);
    assert_eq!(counts(&report), (0, 0, 0, 1), "{report}");
    assert_eq!(companies(&host)[2].1, "Berg AS");
}

#[test]
fn the_numbers_of_another_system_are_ids_of_it() {
    let file = "Lead number,Company,City\n1,Alpha AS,Oslo\n2,Beta AS,Bergen\n3,Gamma AS,Voss\n";
    let empty = Host::new();
    assert_eq!(counts(&empty.run(file)), (3, 0, 0, 0));
    let host = host();
    let report = host.run(file);
    assert_eq!(counts(&report), (3, 0, 0, 0), "{report}");
    assert_eq!(companies(&host)[0].1, "Nordlys AS");
    // With ids of theirs, their numbers are nothing to us.
    let report = host.run("Prospect ID,Lead Number,Company\na1,1,Alpha AS\na2,2,Beta AS\n");
    assert_eq!(report.created, 2, "{report}");
}
