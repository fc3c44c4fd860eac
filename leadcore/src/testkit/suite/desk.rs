//! Use cases over the store: what a host does, seen from outside.

use crate::desk::{Expect, contacts, convert, leads, timeline, vocabulary};
use crate::domain::{ContactFields, Field, LeadFields, LeadPatch, StageKind};
use crate::error::{Conflict, Error, ErrorKind, Result};
use crate::id::SourceId;
use crate::query::{Filter, LeadQuery, Sort, SortField};
use crate::store::{Store, StoreExt};

use super::super::dump;
use super::super::fixtures::Scene;
use super::assert_kind;

fn company(name: &str) -> LeadFields {
    LeadFields::company(name).unwrap()
}

/// Created, edited, moved, found, given a person, converted, frozen.
pub fn a_lead_lives_from_creation_to_conversion(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let run = |work: &mut dyn FnMut(&mut dyn crate::store::Txn) -> Result<()>| {
        store.write_with(&scene.tenant, work).expect("a use case that breaks no rule must succeed");
    };
    let mut id = None;
    run(&mut |txn| {
        let lead = leads::create(&ctx, txn, company("Nordlys AS").into())?;
        assert_eq!(lead.number, 1, "the first lead of a tenant has number 1");
        assert_eq!(
            lead.fields.owner.as_ref().map(|owner| owner.as_str()),
            Some("ada"),
            "the creator owns it"
        );
        id = Some(lead.id);
        Ok(())
    });
    let id = id.expect("the work ran");
    scene.tick();
    run(&mut |txn| {
        let lead = leads::get(&ctx, txn, id)?;
        let patch = LeadPatch::new().set(Field::Email, "post@nordlys.example").set(Field::City, "Tromsø");
        let lead = leads::edit(&ctx, txn, id, lead.revision, &patch)?;
        let pipeline = crate::desk::pipelines::list(&ctx, txn)?.remove(0);
        let won = pipeline.stages.iter().find(|stage| stage.kind == StageKind::Won).unwrap().id;
        let lead = leads::move_to(&ctx, txn, id, lead.revision, won)?;
        assert_eq!((lead.stage, lead.revision.get()), (won, 3), "moved, and written three times in all");
        contacts::add(&ctx, txn, id, ContactFields::named("Kari Berg").unwrap(), false)?;
        Ok(())
    });
    run(&mut |txn| {
        for filter in [Filter::eq(Field::City, "TROMSO"), Filter::search("nordl"), Filter::search("post@")] {
            let page = leads::list(&ctx, txn, &LeadQuery::new(filter))?;
            let found: Vec<_> = page.items.iter().map(|lead| lead.id).collect();
            assert_eq!(found, [id], "an edited lead is found by what it says now");
        }
        assert_eq!(leads::by_number(&ctx, txn, 1)?.id, id, "and by its number");
        Ok(())
    });
    scene.tick();
    run(&mut |txn| {
        let outcome = convert::convert(&ctx, txn, id, &convert::ConversionOptions::default())?;
        let account = crate::desk::accounts::get(&ctx, txn, outcome.account.unwrap())?;
        assert_eq!(
            (account.number, account.fields.name.as_str()),
            (1, "Nordlys AS"),
            "the account it became"
        );
        assert_eq!(account.fields.address.city(), Some("Tromsø"), "nothing is typed again");
        let persons = contacts::of_account(&ctx, txn, account.id)?;
        assert_eq!(persons, contacts::of_lead(&ctx, txn, id)?, "both sides list the same persons");
        Ok(())
    });
    let frozen = store.write(&scene.tenant, |txn| leads::delete(&ctx, txn, id, Expect::Any));
    let error = frozen.expect_err("a converted lead takes no more edits");
    assert_eq!(error.conflict(), Some(&Conflict::Converted), "a converted lead is frozen");
}

/// A use case that is refused in the middle of a transaction leaves the tenant as it was.
pub fn a_refused_call_leaves_nothing(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let write = |name: &str| {
        store.write(&scene.tenant, |txn| leads::create(&ctx, txn, company(name).into())).expect("a lead")
    };
    let lead = write("First");
    let before = dump(store, &scene.tenant);
    let failed: Result<()> = store.write(&scene.tenant, |txn| {
        leads::create(&ctx, txn, company("Second").into())?;
        let patch = LeadPatch::new().set(Field::City, "Oslo");
        leads::edit(&ctx, txn, lead.id, lead.revision, &patch)?;
        leads::edit(&ctx, txn, lead.id, lead.revision, &patch.set(Field::City, "Bergen"))?;
        Ok(())
    });
    assert_kind(&failed.expect_err("stale"), ErrorKind::Conflict, "the revision was used up");
    assert_eq!(dump(store, &scene.tenant), before, "nothing of the transaction may stay");
    let broken = vec![company("Fine").into(), LeadFields::default().into()];
    let failed = store.write(&scene.tenant, |txn| leads::create_many(&ctx, txn, broken.clone()));
    assert_kind(&failed.expect_err("one draft is empty"), ErrorKind::Invalid, "all or none");
    assert_eq!(dump(store, &scene.tenant), before, "nothing of the drafts may stay");
    assert_eq!(write("Next").number, lead.number + 1, "numbers have no gaps");
}

/// Every lead once, page by page, through cursors that went over the wire as text.
pub fn a_list_walks_through_its_pages(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let drafts: Vec<_> = (0..25).map(|n| company(&format!("Lead {}", n % 7)).into()).collect();
    store.write(&scene.tenant, |txn| leads::create_many(&ctx, txn, drafts.clone())).expect("drafts");
    let mut query = LeadQuery::new(Filter::search("lead")).sort(Sort::ascending(SortField::Company)).limit(4);
    let mut seen = Vec::new();
    loop {
        let page = store.read(&scene.tenant, |txn| leads::list(&ctx, txn, &query)).expect("a page");
        seen.extend(page.items.iter().map(|lead| (lead.fields.company_key(), lead.id)));
        let Some(next) = page.next else { break };
        query = query.after(Some(crate::query::Cursor::from_text(&next.to_text()).expect("a cursor")));
        assert!(seen.len() < 25, "there is a next page only when there is a next lead");
    }
    assert_eq!(seen.len(), 25, "every lead once");
    assert!(seen.is_sorted(), "by company, then by id");
}

/// A deleted lead is in the trash alone; restored, it is everywhere again.
pub fn the_trash_and_back(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let done = store.write(&scene.tenant, |txn| {
        let lead = leads::create(&ctx, txn, company("Gone").into())?;
        leads::create(&ctx, txn, company("Stays").into())?;
        leads::delete(&ctx, txn, lead.id, lead.revision)?;
        let query = LeadQuery::default();
        assert_eq!(leads::list(&ctx, txn, &query)?.items.len(), 1, "not in the list");
        assert_eq!(leads::trash(&ctx, txn, &query)?.items.len(), 1, "in the trash");
        assert_eq!(leads::count(&ctx, txn, &Filter::search("gone"))?, 0, "not found");
        assert_eq!(
            leads::by_number(&ctx, txn, 1).map_err(|error| error.kind()).err(),
            Some(ErrorKind::NotFound)
        );
        assert!(leads::get(&ctx, txn, lead.id)?.trashed.is_some(), "still there by its id");
        leads::restore(&ctx, txn, lead.id)?;
        assert_eq!(leads::count(&ctx, txn, &Filter::search("gone"))?, 1, "found again");
        assert_eq!(leads::trash(&ctx, txn, &query)?.items.len(), 0, "the trash is empty again");
        Ok(())
    });
    done.expect("the trash and back");
}

/// A rename keeps the leads; a reassignment moves them, also those in the trash.
pub fn a_term_is_renamed_and_reassigned(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let done: Result<()> = store.write(&scene.tenant, |txn| {
        let fair = vocabulary::add::<SourceId>(&ctx, txn, "Fair", None)?;
        let web = vocabulary::add::<SourceId>(&ctx, txn, "Web", None)?;
        let draft = |name: &str| LeadFields { source: Some(fair.id), ..company(name) };
        let made = leads::create_many(&ctx, txn, vec![draft("A").into(), draft("B").into()])?;
        leads::delete(&ctx, txn, made[1].id, Expect::Any)?;
        vocabulary::rename(&ctx, txn, fair.id, fair.revision, "Trade fair")?;
        assert_eq!(
            leads::get(&ctx, txn, made[0].id)?.fields.source,
            Some(fair.id),
            "a rename keeps the leads"
        );
        vocabulary::delete(&ctx, txn, fair.id, vocabulary::InUse::Reassign(web.id))?;
        for lead in &made {
            let lead = leads::get(&ctx, txn, lead.id)?;
            assert_eq!(
                lead.fields.source,
                Some(web.id),
                "a reassignment moves every lead, the trash included"
            );
        }
        let left = vocabulary::list::<SourceId>(&ctx, txn)?;
        assert_eq!(left, std::slice::from_ref(&web), "the term is gone");
        Ok(())
    });
    done.expect("renamed and reassigned");
}

/// A second conversion writes nothing and gives the first outcome; a failed one leaves nothing.
pub fn a_conversion_happens_once_and_repeats_its_outcome(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let lead =
        store.write(&scene.tenant, |txn| leads::create(&ctx, txn, company("Once").into())).expect("a lead");
    let plan = store
        .read(&scene.tenant, |txn| convert::plan(&ctx, txn, lead.id, &convert::ConversionOptions::default()))
        .expect("planning only reads");
    let before = dump(store, &scene.tenant);
    let failed: Result<()> = store.write(&scene.tenant, |txn| {
        convert::apply(&ctx, txn, &plan)?;
        Err(Error::new(ErrorKind::Cancelled, "on purpose"))
    });
    assert!(failed.is_err(), "the transaction fails");
    assert_eq!(dump(store, &scene.tenant), before, "a conversion that failed leaves nothing");
    let first = store.write(&scene.tenant, |txn| convert::apply(&ctx, txn, &plan)).expect("a conversion");
    let after = dump(store, &scene.tenant);
    let second = store.write(&scene.tenant, |txn| convert::apply(&ctx, txn, &plan)).expect("repeated");
    assert!(first.newly_converted && !second.newly_converted, "the second call did nothing");
    let mut second = second;
    second.newly_converted = true;
    assert_eq!(second, first, "and says what the first one did");
    assert_eq!(dump(store, &scene.tenant), after, "the second call writes nothing");
}

/// After a conversion, lead and account tell one history.
pub fn a_timeline_reads_the_same_from_both_sides(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let (lead, account) = store
        .write(&scene.tenant, |txn| {
            let lead = leads::create(&ctx, txn, company("Two sides").into())?;
            contacts::add(&ctx, txn, lead.id, ContactFields::named("Kari").unwrap(), false)?;
            leads::edit(&ctx, txn, lead.id, Expect::Any, &LeadPatch::new().set(Field::Amount, "12.50"))?;
            let outcome = convert::convert(&ctx, txn, lead.id, &convert::ConversionOptions::default())?;
            Ok((lead.id, outcome.account.unwrap()))
        })
        .expect("a converted lead");
    let texts = |limit: usize| -> (Vec<String>, Vec<String>) {
        let read = store.read(&scene.tenant, |txn| {
            Ok((
                timeline::of_lead(&ctx, txn, lead, None, limit)?,
                timeline::of_account(&ctx, txn, account, None, limit)?,
            ))
        });
        let (of_lead, of_account) = read.expect("both timelines");
        let text = |page: crate::query::Page<timeline::TimelineItem, _>| {
            page.items.into_iter().map(|item| item.text).collect()
        };
        (text(of_lead), text(of_account))
    };
    let (of_lead, of_account) = texts(1_000);
    assert_eq!(of_lead, of_account, "one history from both sides");
    let wanted = [
        "Account created",
        "Converted to an account",
        "Expected value: – → 12.5",
        "Contact added",
        "Contact created",
        "Lead created",
    ];
    assert_eq!(of_lead, wanted, "newest first, in words");
    assert_eq!(texts(2).0, wanted[..2], "at most the limit");
}
