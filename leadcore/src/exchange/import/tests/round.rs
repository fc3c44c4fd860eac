//! Ids in other systems go out with a file and come back with it.

use proptest::prelude::*;

use super::*;
use crate::desk::leads;
use crate::domain::{ExternalRef, Field, LeadDraft, LeadFields};
use crate::exchange::export::{ExportFormat, ExportOptions};
use crate::exchange::{Mapping, Split};

type Ids<'i> = &'i [(&'i str, &'i str)];

fn add(host: &Host, company: &str, ids: Ids<'_>) {
    let mut fields = LeadFields::company(company).unwrap();
    fields.external_ids = ids.iter().map(|(system, id)| ExternalRef::new(system, id).unwrap()).collect();
    let ctx = host.system();
    host.store.write(ctx.tenant(), |txn| leads::create(&ctx, txn, LeadDraft::from(fields.clone()))).unwrap();
}

fn ids(host: &Host) -> Vec<(Option<String>, Vec<String>)> {
    let of = |lead: &Lead| {
        let ids = lead.fields.external_ids.iter().map(ToString::to_string).collect();
        (lead.fields.company.clone(), ids)
    };
    host.leads().iter().map(of).collect()
}

/// Out of one tenant and into the same and another one, by the mapping of the export and without one.
fn round(leads: &[(String, Vec<(String, String)>)], format: ExportFormat) {
    let host = Host::new();
    for (company, known) in leads {
        let known: Vec<_> = known.iter().map(|(system, id)| (system.as_str(), id.as_str())).collect();
        add(&host, company, &known);
    }
    let before = ids(&host);
    let mut options = ExportOptions::new(format);
    options.columns = Some(vec![Field::Company, Field::ExternalId]);
    let (file, done) = host.exported(&options);
    for mapping in [Some(done.mapping(&options)), None] {
        let what = if mapping.is_some() { "mapped" } else { "by headers" };
        let mut import = options.to_import();
        import.mapping = mapping;
        let other = Host::new();
        let report = other.run_with(file.clone(), &import);
        assert_eq!(counts(&report), (leads.len() as u64, 0, 0, 0), "{what} {format:?} {report}");
        assert_eq!(ids(&other), before, "{what} {format:?}");
        for attempt in [1, 2] {
            import.attempt = attempt;
            let report = host.run_with(file.clone(), &import);
            assert_eq!(counts(&report), (0, 0, leads.len() as u64, 0), "{what} {format:?} {report}");
        }
        let report = other.run_with(file.clone(), &import);
        assert_eq!((report.created, ids(&other)), (0, before.clone()), "{what} {format:?}");
    }
    assert_eq!(ids(&host), before);
}

fn owned(ids: Ids<'_>) -> Vec<(String, String)> {
    ids.iter().map(|(system, id)| ((*system).to_owned(), (*id).to_owned())).collect()
}

#[test]
fn ids_of_every_system_come_back() {
    let leads = [
        ("A".to_owned(), owned(&[("sap", "78"), ("web", "9")])),
        ("B".to_owned(), owned(&[("import", "917224BC3bdcA89")])),
        ("C".to_owned(), owned(&[("l", "1, 2"), ("=sys", "a:b;\"c\""), ("n/a", "-")])),
    ];
    formats().for_each(|format| round(&leads, format));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn hostile_ids_of_hostile_systems_come_back(
        known in prop::collection::btree_map("[ a-z=+@\\-'\",;|./ø]{1,6}", "[ a-z0-9:=+@\\-'\",;|/()ø]{1,9}", 1..4),
        format in prop::sample::select(formats().collect::<Vec<_>>()),
    ) {
        // A system and the same with a blank behind it are one.
        let mut systems = std::collections::BTreeSet::new();
        let mut is_new = |system: &str, id: &str| {
            ExternalRef::new(system, id).is_ok_and(|known| systems.insert(known.system().to_owned()))
        };
        let known: Vec<_> = known.into_iter().filter(|(system, id)| is_new(system, id)).collect();
        prop_assume!(!known.is_empty());
        round(&[("A".to_owned(), known)], format);
    }
}

#[test]
fn ids_without_a_system_are_ids_of_the_import() {
    let host = Host::new();
    // A column of ours that holds plain ids, whatever stands in them.
    host.run("Company,External id\nA,17\nB,\"x, y\"\n");
    assert_eq!(ids(&host)[0].1, ["import:17"]);
    assert_eq!(ids(&host)[1].1, ["import:x, y"]);
    // Vendors' ids may hold colons: only our own header says that a system stands before it.
    let host = Host::new();
    host.run("Company,Record ID\nA,urn:1\n");
    assert_eq!(ids(&host)[0].1, ["import:urn:1"]);
    // A list by rule takes both.
    let mapping = Mapping::default()
        .with("Name", Some(Field::Company))
        .with("Ids", Some(Field::ExternalId))
        .rules("Ids", crate::exchange::ColumnRules::new().split(Split::ExternalIds));
    let host = Host::new();
    let options = ImportOptions::new().mapping(mapping).external_system("crm");
    host.run_with("Name,Ids\nA,\"sap:1, 7\"\n", &options);
    assert_eq!(ids(&host)[0].1, ["crm:7", "sap:1"]);
    let report = host
        .run_with("Name,Ids\nA,\"sap:1, crm:8, web:2\"\nB,web:2\nC,crm:8\nD,\"sap:5, sap:6\"\n", &options);
    assert_eq!(counts(&report), (2, 0, 0, 2), "the lead has crm:7, so crm:8 is another one: {report}");
    let of_all: Vec<_> = ids(&host).into_iter().map(|(_, ids)| ids).collect();
    assert_eq!(of_all, [vec!["crm:7", "sap:1"], vec!["web:2"], vec!["crm:8"]]);
}

#[test]
fn a_mapping_of_before_does_not_hide_the_systems() {
    let host = Host::new();
    host.run("Company,External id\nA,17\n");
    let report = host.run("Company,External id\nA,import:17\nB,sap:3\n");
    assert_eq!((report.created, report.updated + report.skipped), (1, 1), "{report}");
    assert_eq!(ids(&host)[1].1, ["sap:3"]);
    // And back.
    let report = host.run("Company,External id\nA,17\nC,\"a,b\"\n");
    assert_eq!((report.created, report.updated + report.skipped), (1, 1), "{report}");
    assert_eq!(ids(&host)[2].1, ["import:a,b"]);
}
