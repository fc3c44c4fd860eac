//! The same file again: known by what it is, whatever would be proposed for it by now.

use super::policies::clerk;
use super::*;
use crate::desk;
use crate::domain::Field;
use crate::error::ErrorKind;
use crate::exchange::import::preview;
use crate::exchange::{Evidence, Mapping, ReadOptions};
use crate::id::SourceId;
use crate::policy::RoleTable;

const FILE: &str = "Kunde,Merke,E-Mail\nA,one,a@x.example\nB,two,b@x.example\nC,three,c@x.example\n";
/// Another file with these headers.
const NEXT: &str = "Kunde,Merke,E-Mail\nD,four,d@x.example\n";

fn mapping() -> Mapping {
    Mapping::default()
        .with("Kunde", Some(Field::Company))
        .with("Merke", Some(Field::Description))
        .with("E-Mail", Some(Field::Email))
}

fn mapped() -> ImportOptions {
    ImportOptions::new().mapping(mapping())
}

#[test]
fn a_file_is_known_again_when_another_mapping_would_be_proposed_by_now() {
    let host = Host::new();
    let first = host.run(FILE);
    assert_ne!(first.mapping, mapping());
    // From now on files with these headers are read like that.
    host.run_with(NEXT, &mapped());
    let before = host.dump();
    let again = host.run(FILE);
    assert!(again.repeated, "{again}");
    assert_eq!((again.operation, &again.mapping), (first.operation, &first.mapping));
    assert!(host.dry(FILE, &ImportOptions::new()).repeated);
    assert!(host.plan(FILE, &ImportOptions::new()).report.repeated);
    assert_eq!(host.dump(), before);
}

#[test]
fn an_interrupted_import_goes_on_with_the_mapping_it_began_with() {
    let host = Host::new();
    let options = ImportOptions::new().chunk(1);
    let mut heard = Heard { stop_after: Some(1), ..Heard::default() };
    host.hear(&host.store, FILE, &options, &mut heard).unwrap_err();
    host.run_with(NEXT, &mapped());
    let report = host.run_with(FILE, &options);
    assert_eq!((counts(&report), report.resumed_after), ((3, 0, 0, 0), 1), "{report}");
    let told: Vec<_> = host.leads().into_iter().filter_map(|lead| lead.fields.description).collect();
    assert_eq!(told, ["four"]);
}

#[test]
fn read_another_way_it_is_another_import_and_each_is_known() {
    let host = Host::new();
    let first = host.run(FILE);
    let second = host.run_with(FILE, &mapped());
    assert!(!second.repeated && second.updated == 3, "{second}");
    // A file that was imported in two ways was imported.
    for options in [ImportOptions::new(), mapped(), ImportOptions::new().mapping(first.mapping.clone())] {
        assert!(host.run_with(FILE, &options).repeated);
    }
    assert_eq!(host.run_with(FILE, &mapped()).operation, second.operation);
    // Taking one back leaves the other.
    let ctx = host.system();
    let undone = second.operation.unwrap();
    host.store.write(ctx.tenant(), |txn| desk::undo::undo(&ctx, txn, undone).map(drop)).unwrap();
    assert!(host.run(FILE).repeated);
    assert!(!host.run_with(FILE, &mapped()).repeated);
}

#[test]
fn an_import_that_is_refused_is_no_last_use() {
    let host = Host::new();
    let seen = || preview(&host.system(), &host.store, Cursor::new(FILE), &ReadOptions::new()).unwrap();
    let is_last_use = |seen: import::Preview| seen.proposal.columns[0].evidence.contains(&Evidence::LastUse);
    let nowhere = mapped().source(SourceId::from_uuid(uuid::Uuid::from_u128(7)));
    let error = host.hear(&host.store, FILE, &nowhere, &mut Heard::default()).unwrap_err();
    assert_eq!(error.violations()[0].field, "source");
    assert!(!is_last_use(seen()));
    assert_eq!(format!("{:?}", host.store), Host::new().dump(), "nothing was written");
    host.run_with(FILE, &mapped());
    assert!(is_last_use(seen()));
}

#[test]
fn who_may_not_see_a_field_is_told_of_the_repeat_without_it() {
    let host = Host::new();
    let blind = clerk().hide(Field::Description).unwrap();
    let policy = RoleTable::new()
        .role("clerk", clerk())
        .role("blind", blind)
        .user(&"ada".parse().unwrap(), &["clerk"], None)
        .unwrap()
        .user(&"bob".parse().unwrap(), &["blind"], None)
        .unwrap();
    let file = "company,notes\nA,x\nB,y\n";
    let run = |who: &str, options: &ImportOptions, heard: &mut Heard| {
        let ctx = host.ctx(Actor::User(who.parse().unwrap()), &policy);
        import::run(&ctx, &host.store, Cursor::new(file), options, None, heard)
    };
    // What was begun with a field that bob may not write is not his to go on with.
    let one = ImportOptions::new().chunk(1);
    let mut heard = Heard { stop_after: Some(1), ..Heard::default() };
    run("ada", &one, &mut heard).unwrap_err();
    let error = run("bob", &one, &mut Heard::default()).unwrap_err();
    assert_eq!((error.kind(), error.violations()[0].field.as_str()), (ErrorKind::Invalid, "description"));
    run("ada", &one, &mut Heard::default()).unwrap();
    let again = run("bob", &one, &mut Heard::default()).unwrap();
    assert!(again.repeated);
    assert_eq!(again.mapping.unmapped().collect::<Vec<_>>(), ["notes"]);
    assert_eq!(again.earlier.unwrap().mapping.unmapped().collect::<Vec<_>>(), ["notes"]);
    // Nor does a plan tell, and applied it changes nothing.
    let ctx = host.ctx(Actor::User("bob".parse().unwrap()), &policy);
    let plan = import::plan(&ctx, &host.store, Cursor::new(file), &one, &mut ()).unwrap();
    assert!(!serde_json::to_string(&plan).unwrap().contains("description"), "{plan:?}");
    let applied = import::apply(&ctx, &host.store, &plan, Cursor::new(file), None, &mut ()).unwrap();
    assert!(applied.repeated);
}
