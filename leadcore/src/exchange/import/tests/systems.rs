//! Ids that contradict those of the lead, and the system that a caller names.

use super::*;
use crate::domain::Field;
use crate::error::ViolationCode;
use crate::exchange::import::{MatchBy, Planned};
use crate::exchange::{Mapping, Split};

fn leads(host: &Host) -> Vec<(String, Vec<String>)> {
    let of = |lead: &Lead| {
        let ids = lead.fields.external_ids.iter().map(ToString::to_string).collect();
        (lead.fields.company.clone().unwrap_or_default(), ids)
    };
    host.leads().iter().map(of).collect()
}

fn lead(company: &str, ids: &[&str]) -> (String, Vec<String>) {
    (company.to_owned(), ids.iter().map(|id| (*id).to_owned()).collect())
}

#[test]
fn a_row_with_another_id_in_a_system_of_the_lead_is_rejected() {
    let known = [lead("A", &["sap:1", "web:1"])];
    for (row, system) in [("B,\"sap:2, web:1\",Voss", "sap"), ("A,\"sap:1, web:9\",Voss", "web")] {
        for match_by in [MatchBy::DEFAULT.to_vec(), vec![MatchBy::ExternalId]] {
            let host = Host::new();
            host.run("Company,External id\nA,\"sap:1, web:1\"\n");
            assert_eq!(leads(&host), known);
            let (file, options) =
                (format!("Company,External id,City\n{row}\n"), ImportOptions::new().match_by(match_by));
            let plan = host.plan(file.clone(), &options);
            assert!(matches!(plan.lines[0].decision, Planned::Reject { .. }), "{plan:?}");
            let report = host.run_with(file, &options);
            assert_eq!(counts(&report), (0, 0, 0, 1), "{report}");
            let told = &report.rejections[0];
            assert_eq!((told.field.as_str(), told.code), ("external_id", ViolationCode::Duplicate));
            assert!(told.message.ends_with(&format!("another id in the system `{system}`")), "{told:?}");
            assert_eq!(leads(&host), known);
            assert_eq!(host.leads()[0].fields.address.city(), None);
        }
    }
    // The same within one file, whatever lies between the rows.
    let file = "Company,External id\nA,\"sap:1, web:1\"\nB,\"sap:2, web:1\"\nC,\"sap:2, web:2\"\nA,\"sap:1, crm:7\"\n";
    for chunk in [1, 100] {
        let host = Host::new();
        let report = host.run_with(file, &ImportOptions::new().chunk(chunk));
        assert_eq!(counts(&report), (2, 1, 0, 1), "{report}");
        let expected = [lead("A", &["crm:7", "sap:1", "web:1"]), lead("C", &["sap:2", "web:2"])];
        assert_eq!(leads(&host), expected, "an id in a system that the lead lacks is added");
    }
}

#[test]
fn a_system_that_the_caller_names_holds_whatever_the_cells_look_like() {
    for system in ["crm", "import"] {
        let host = Host::new();
        let options = ImportOptions::new().external_system(system);
        let report = host.run_with("Company,External id\nA,ORD:1\nB,ORD:2\n", &options);
        assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
        let id = |id: &str| format!("{system}:{id}");
        assert_eq!(leads(&host)[0].1, [id("ORD:1")]);
        let report = host.run_with("Company,External id,City\nA,ORD:1,Oslo\nB,2,Oslo\n", &options);
        assert_eq!(counts(&report), (1, 1, 0, 0), "{report}");
        let ids: Vec<_> = leads(&host).into_iter().flat_map(|(_, ids)| ids).collect();
        assert_eq!(ids, [id("ORD:1"), id("ORD:2"), id("2")]);
        // Stored options say it too.
        let json = serde_json::to_string(&options).unwrap();
        let stored: ImportOptions = serde_json::from_str(&json).unwrap();
        assert!(host.run_with("Company,External id\nA,ORD:1\nB,ORD:2\n", &stored).repeated);
        // A rule says that systems stand before the ids.
        let mapping = Mapping::default()
            .with("Company", Some(Field::Company))
            .with("External id", Some(Field::ExternalId))
            .rules("External id", crate::exchange::ColumnRules::new().split(Split::ExternalIds));
        let host = Host::new();
        host.run_with("Company,External id\nA,ORD:1\n", &options.mapping(mapping));
        assert_eq!(leads(&host)[0].1, ["ORD:1"]);
    }
    // Nobody named one: the cells do, as those of an export.
    let host = Host::new();
    host.run("Company,External id\nA,ORD:1\n");
    assert_eq!(leads(&host)[0].1, ["ORD:1"]);
    let default = serde_json::to_string(&ImportOptions::new()).unwrap();
    assert!(!default.contains("names_default"), "{default}");
}
