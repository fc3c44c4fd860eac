//! What second readers found about notes, products and the like stays mended.

use std::io::Cursor;

use leadcore::desk::purge::{self, PurgeRequest};
use leadcore::desk::{Listing, activities, files, leads, lines, page, records, reminders, timeline, undo};
use leadcore::domain::{
    ActivityFields, ActivityKind, Field, FileLimits, HostRecordFields, LeadPatch, RecordKind, RecordKindSpec,
    RecordKinds, Tab,
};
use leadcore::error::ErrorKind;
use leadcore::policy::{Role, RoleTable};
use leadcore::query::Filter;

use crate::estimates::{ANY, euro_lead, panels};
use crate::support::{Host, company, fields_of, refused};

fn eve(role: Role) -> RoleTable {
    RoleTable::new().role("r", role).user(&"eve".parse().unwrap(), &["r"], None).unwrap()
}

#[test]
fn a_lead_with_a_fresh_note_is_not_purged_as_dead() {
    let host = Host::new();
    let (worked, dead) = (host.add(company("Worked AS")), host.add(company("Dead AS")));
    host.scene.clock.advance(chrono::TimeDelta::days(91));
    host.write(|ctx, txn| {
        activities::add(ctx, txn, &[worked.id.into()], ActivityFields::note("They called"))
    });
    let request = PurgeRequest::everywhere(Filter::everything()).older_than_days(90);
    let plan = host.read(|ctx, txn| purge::plan(ctx, txn, &request));
    assert_eq!(plan.sample, [(dead.id, dead.number)]);
}

#[test]
fn a_record_that_was_linked_again_does_not_come_back_twice() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let kind = RecordKind::new("project").unwrap();
    let link = |title: &str| {
        let fields = HostRecordFields::titled(title);
        host.write(|ctx, txn| records::link(ctx, txn, &[lead.id.into()], &kind, "P-1", fields.clone()))
    };
    let kinds = RecordKinds::new().with(RecordKindSpec::new(kind.clone(), "Project", "Projects"));
    host.write(|ctx, txn| records::set_kinds(ctx, txn, None, &kinds));
    let first = link("Roof");
    host.write(|ctx, txn| records::unlink(ctx, txn, first.id, ANY));
    let unlinked = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 1)).items.remove(0);
    let again = link("Roof again");
    let done = host.write(|ctx, txn| undo::undo(ctx, txn, unlinked.entry.operation));
    assert_eq!((done.totals.reversed, done.totals.kept), (0, 1));
    let now = host.read(|ctx, txn| records::by_key(ctx, txn, &kind, "P-1"));
    assert_eq!(now.id, again.id);
}

#[test]
fn who_may_not_see_the_amount_sees_no_products() {
    let host = Host::new();
    let lead = euro_lead(&host);
    let products = lines::Products::from(vec![panels()]).with_amount();
    host.write(|ctx, txn| lines::set(ctx, txn, lead.id, ANY, products.clone()));
    let table = eve(Role::manager().hide(Field::Amount).unwrap());
    let read = host.write_as("eve", &table, |ctx, txn| lines::of(ctx, txn, lead.id));
    assert_eq!(fields_of(&refused(read, ErrorKind::Invalid)), ["amount"]);
    let options = page::PageOptions::new().first(5).timeline(20);
    let seen = host.write_as("eve", &table, |ctx, txn| page::lead_page(ctx, txn, lead.id, &options)).unwrap();
    assert!(seen.tabs.iter().all(|tab| tab.tab != Tab::Lines), "no tab of them");
    let json = serde_json::to_string(&seen).unwrap();
    assert!(!json.contains("2280") && !json.contains("Panel"), "nor in the history");
}

#[test]
fn a_hidden_name_of_leads_hides_no_name_of_files() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    host.write(|ctx, txn| {
        let mut bytes = Cursor::new("offer");
        let file = files::NewFile::new("offer.txt", &mut bytes);
        files::add(ctx, txn, &[lead.id.into()], file, &FileLimits::default())
    });
    let table = eve(Role::manager().hide(Field::Name).unwrap());
    let told =
        host.write_as("eve", &table, |ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 9)).unwrap();
    assert_eq!(told.items[0].text, "File added: offer.txt");
}

#[test]
fn a_reader_silences_no_reminder_of_others_and_the_trash_gives_no_work() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let at = host.scene.clock_now();
    let task = ActivityFields::task("Call back").remind_at(at);
    let task = host.write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], task.clone()));
    let viewer = eve(Role::viewer());
    let silence = host.write_as("eve", &viewer, |ctx, txn| reminders::acknowledge(ctx, txn, &[task.id]));
    refused(silence, ErrorKind::Denied);
    assert_eq!(host.read(|ctx, txn| reminders::due(ctx, txn, at, None, 9)).items.len(), 1);
    host.write(|ctx, txn| reminders::acknowledge(ctx, txn, &[task.id]));
    let open =
        || host.read(|ctx, txn| activities::all(ctx, txn, ActivityKind::ALL, &Listing::open())).items.len();
    assert_eq!(open(), 1);
    host.write(|ctx, txn| leads::delete(ctx, txn, lead.id, ANY));
    assert_eq!(open(), 0, "what hangs on a lead in the trash waits with it");
    host.write(|ctx, txn| leads::restore(ctx, txn, lead.id));
    assert_eq!(open(), 1);
    host.write(|ctx, txn| leads::edit(ctx, txn, lead.id, ANY, &LeadPatch::new().set(Field::City, "Oslo")));
}
