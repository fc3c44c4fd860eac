//! What stages mean that a file names first.

use super::*;
use crate::desk;
use crate::domain::StageKind;

fn kinds(host: &Host) -> Vec<(String, StageKind)> {
    let ctx = host.system();
    let pipelines = host.store.read(ctx.tenant(), |txn| desk::pipelines::list(&ctx, txn)).unwrap();
    let of = |lead: &Lead| {
        let stage = pipelines.iter().find_map(|known| known.stage(lead.stage)).unwrap();
        (stage.name.clone(), stage.kind)
    };
    host.leads().iter().map(of).collect()
}

#[test]
fn a_new_stage_closes_leads_only_where_its_whole_name_says_so() {
    let file = "Company,Lead Status\nA,Closed - Not Converted\nB,Open - Not Contacted\nC,Almost won\nD,Closed Won\n\
        E,Not lost\nF,Lost contact - retry\nG,Closed - Converted\n";
    let host = Host::new();
    let dry = host.dry(file, &ImportOptions::new());
    let report = host.run(file);
    assert_eq!(counts(&report), (7, 0, 0, 0), "{report}");
    let expected = [
        ("Closed - Not Converted", StageKind::Lost),
        ("Open - Not Contacted", StageKind::Open),
        ("Almost won", StageKind::Open),
        ("Closed Won", StageKind::Won),
        ("Not lost", StageKind::Open),
        ("Lost contact - retry", StageKind::Open),
        ("Closed - Converted", StageKind::Won),
    ];
    assert_eq!(kinds(&host), expected.map(|(name, kind)| (name.to_owned(), kind)));
    // Whoever looks before sees that leads will be closed.
    for told in [dry.to_string(), report.to_string()] {
        let line = told.lines().find(|line| line.starts_with("new ")).unwrap();
        assert!(
            line.contains("Closed - Not Converted (lost: closes its leads), Open - Not Contacted, "),
            "{line}"
        );
        assert!(line.contains("Closed Won (won: closes its leads)"), "{line}");
    }
    let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    assert_eq!(report.new_values["stage"], names, "as data it is the name alone");
}
