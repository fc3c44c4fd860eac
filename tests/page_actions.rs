//! What is done from the page of a lead, and taken back.

use leadcore::desk::estimates;
use leadcore::desk::lines::{self, Products};
use leadcore::desk::{leads, page, timeline, undo};
use leadcore::domain::{EstimateStatus, Line, Topics};

use crate::estimates::{ANY, draft, euro_lead, panels, roof};
use crate::support::Host;

#[test]
fn products_and_estimates_are_taken_back() {
    let host = Host::new();
    let lead = euro_lead(&host);
    host.write(|ctx, txn| lines::set(ctx, txn, lead.id, ANY, vec![panels()].into()));
    let was = host.read(|ctx, txn| lines::of(ctx, txn, lead.id)).unwrap();
    host.scene.tick();
    let two = Products::from(vec![Line::new("Inverter", 1.into(), 900.into())]).with_amount();
    host.write(|ctx, txn| lines::set(ctx, txn, lead.id, ANY, two.clone()));
    let last = || {
        host.read(|_, txn| txn.journal().about(&[lead.id.into()], Topics::NONE, None, 1)).remove(0).operation
    };
    host.write(|ctx, txn| undo::undo(ctx, txn, last()));
    assert_eq!(host.read(|ctx, txn| lines::of(ctx, txn, lead.id)).unwrap().lines, was.lines);
    assert_eq!(host.read(|ctx, txn| leads::get(ctx, txn, lead.id)).fields.amount, None);
    host.write(|ctx, txn| lines::set(ctx, txn, lead.id, ANY, vec![].into()));
    host.write(|ctx, txn| undo::undo(ctx, txn, last()));
    assert_eq!(host.read(|ctx, txn| lines::of(ctx, txn, lead.id)).unwrap().lines, was.lines);
    let made = draft(&host, &lead, roof());
    host.write(|ctx, txn| estimates::send(ctx, txn, made.id, ANY));
    host.write(|ctx, txn| estimates::accept(ctx, txn, made.id, ANY));
    host.write(|ctx, txn| undo::undo(ctx, txn, last()));
    let now = host.read(|ctx, txn| estimates::get(ctx, txn, made.id));
    assert_eq!((now.status, now.settled_at), (EstimateStatus::Sent, None));
    let two = draft(&host, &lead, roof());
    host.write(|ctx, txn| estimates::delete(ctx, txn, two.id, ANY));
    host.write(|ctx, txn| undo::undo(ctx, txn, last()));
    assert_eq!(host.read(|ctx, txn| estimates::get(ctx, txn, two.id)).fields, two.fields);
    let told = host.read(|ctx, txn| timeline::of_lead(ctx, txn, lead.id, None, 50)).items;
    assert!(told.iter().all(|item| !item.text.is_empty() && !item.text.contains("image")), "{told:?}");
}

#[test]
fn s2_20_delete_from_the_actions_menu() {
    let host = Host::new();
    let lead = euro_lead(&host);
    let page = host.read(|ctx, txn| page::lead_page(ctx, txn, lead.id, &page::PageOptions::new()));
    assert!(page.actions.contains(&leads::LeadAction::Delete), "{:?}", page.actions);
    host.write(|ctx, txn| leads::delete(ctx, txn, lead.id, page.lead.revision));
    let gone = host.read(|ctx, txn| page::lead_page(ctx, txn, lead.id, &page::PageOptions::new()));
    assert!(
        gone.lead.trashed.is_some() && !gone.actions.contains(&leads::LeadAction::Delete),
        "{:?}",
        gone.actions
    );
}
