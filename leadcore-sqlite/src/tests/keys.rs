//! Keys and search texts of another version: never left behind in an index, refused, computed anew.

use leadcore::desk::{Expect, convert, leads, matching, settings, vocabulary};
use leadcore::domain::{
    Catalogue, CustomField, CustomKey, CustomType, CustomValue, Field, KEYS_VERSION, Lead, LeadFields,
    LeadPatch,
};
use leadcore::error::{ErrorKind, ValueError};
use leadcore::id::SourceId;
use leadcore::query::{Filter, LeadQuery};
use leadcore::store::StoreExt as _;
use leadcore::testkit::dump;
use leadcore::testkit::fixtures::Scene;
use rusqlite::Connection;

use super::place;
use crate::{SqliteStore, SqliteTxn, migrate};

/// What an older version may have written: another text for every lead, in the column and in the index.
const OTHER_TEXT: &str = "UPDATE leadcore_lead SET search = '  zzolder' || number;
    INSERT INTO leadcore_lead_search (leadcore_lead_search) VALUES ('rebuild');";
/// Fails unless the index holds exactly what the column says (sqlite.org/fts5.html, 6.4).
const CHECK: &str =
    "INSERT INTO leadcore_lead_search (leadcore_lead_search, rank) VALUES ('integrity-check', 1)";

fn create(conn: &mut Connection, scene: &Scene, name: &str) -> Lead {
    let tx = conn.transaction().unwrap();
    let mut txn = SqliteTxn::on(&tx, &scene.tenant);
    let fields =
        LeadFields { emails: "post@nordlys.example".parse().unwrap(), ..LeadFields::company(name).unwrap() };
    let lead = leads::create(&scene.ctx(), &mut txn, fields.into()).unwrap();
    tx.commit().unwrap();
    lead
}

#[test]
fn the_index_forgets_what_was_stored_and_not_what_would_be_computed() {
    let scene = Scene::new("acme");
    let ctx = scene.ctx();
    // An edit that changes the text that is computed, and one that does not.
    for patch in [LeadPatch::new().set(Field::Company, "Fjord AS"), LeadPatch::new().set(Field::City, "Oslo")]
    {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate::migrate(&conn, "leadcore_").unwrap();
        let lead = create(&mut conn, &scene, "Nordlys AS");
        conn.execute_batch(OTHER_TEXT).unwrap();
        conn.execute_batch(CHECK).unwrap();
        let tx = conn.transaction().unwrap();
        let mut txn = SqliteTxn::on(&tx, &scene.tenant);
        leads::edit(&ctx, &mut txn, lead.id, Expect::Any, &patch).unwrap();
        tx.commit().unwrap();
        conn.execute_batch(CHECK).expect("the index holds what the column says");
        let left: i64 = conn
            .query_row(
                "SELECT count(*) FROM leadcore_lead_search WHERE leadcore_lead_search MATCH 'zzolder'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(left, 0, "no word of the older text is left");
    }
}

fn size() -> Result<CustomKey, ValueError> {
    "x_size".parse()
}

#[test]
fn a_file_with_keys_of_another_version_is_refused_untouched_and_healed_by_a_rebuild() {
    let (_dir, path) = place();
    let scene = Scene::new("acme");
    let ctx = scene.ctx();
    let store = SqliteStore::open(&path).unwrap();
    store
        .write(&scene.tenant, |txn| {
            vocabulary::add::<SourceId>(&ctx, txn, "Mässe", None)?;
            let mut catalogue = Catalogue::standard();
            catalogue.set_custom_field(CustomField::new(size()?, "Size", CustomType::Text));
            settings::set_catalogue(&ctx, txn, None, &catalogue)?;
            for n in 0..3 {
                let custom = [(size()?, CustomValue::Text(format!("Größe {n}")))].into();
                let fields = LeadFields {
                    custom,
                    emails: format!("p{n}@nordlys.example").parse()?,
                    ..LeadFields::company(&format!("Nordlys {n}"))?
                };
                let lead = leads::create(&ctx, txn, fields.into())?;
                match n {
                    0 => drop(convert::convert(&ctx, txn, lead.id, &convert::ConversionOptions::default())?),
                    2 => leads::delete(&ctx, txn, lead.id, Expect::Any)?,
                    _ => {}
                }
            }
            Ok(())
        })
        .unwrap();
    let wanted = dump(&store, &scene.tenant);
    drop(store);

    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(OTHER_TEXT).unwrap();
    conn.execute_batch(
        "UPDATE leadcore_lead SET company_key = 'older', name_key = 'older';
         UPDATE leadcore_lead_key SET key = 'older ' || key;
         UPDATE leadcore_lead_field SET value = 'older ' || value;
         UPDATE leadcore_block_key SET key = 'older ' || key;
         UPDATE leadcore_term SET name_key = 'older';
         UPDATE leadcore_pipeline SET name_key = 'older';
         UPDATE leadcore_keys SET version = version + 1;",
    )
    .unwrap();
    drop(conn);
    let before = std::fs::read(&path).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let said = error.to_string();
    assert!(said.contains("written by another version") && said.contains("rebuild_keys"), "{said}");
    assert!(said.contains(&format!("this build's {KEYS_VERSION}")), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), before, "a refused file is as it was");

    let conn = Connection::open(&path).unwrap();
    assert_eq!(migrate::rebuild_keys(&conn, "leadcore_").unwrap(), 3, "the trash included");
    conn.execute_batch(CHECK).unwrap();
    drop(conn);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(dump(&store, &scene.tenant), wanted, "nothing but keys was written");
    store
        .write(&scene.tenant, |txn| {
            let custom = Filter::eq(Field::Custom(size()?), "grosse 1");
            for filter in [Filter::search("nordl"), Filter::eq(Field::Email, "P1@nordlys.example"), custom] {
                let wanted = if matches!(filter, Filter::Search(_)) { 2 } else { 1 };
                assert_eq!(leads::list(&ctx, txn, &LeadQuery::new(filter))?.items.len(), wanted);
            }
            let lead = leads::create(&ctx, txn, LeadFields::company("NORDLYS 0")?.into())?;
            let found = matching::for_lead(&ctx, txn, lead.id)?;
            assert_eq!(found.accounts.len(), 1, "accounts are found again");
            let taken = vocabulary::add::<SourceId>(&ctx, txn, "masse", None);
            assert_eq!(taken.unwrap_err().kind(), ErrorKind::AlreadyExists, "names are known again");
            Ok(())
        })
        .unwrap();
}
