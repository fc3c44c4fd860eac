//! What the desk does with estimates.

use crate::desk::{Expect, Listing, activities, estimates, leads, lines, settings, undo};
use crate::domain::{
    ActivityBody, ActivityFields, ActivityKind, Estimate, EstimateFields, EstimateStatus, EstimateUnmet,
    LeadFields, Line, RequestState,
};
use crate::error::{Conflict, Result};
use crate::store::{Store, StoreExt, Txn};
use crate::value::Currency;

use super::super::fixtures::Scene;

/// From the request over products, draft and revision to the answer: by the desk alone.
pub fn an_estimate_lives_from_its_request_to_its_answer(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let (lead, request) = store
        .write(&scene.tenant, |txn| {
            let lead = leads::create(&ctx, txn, LeadFields::company("Fjordlys AS")?.into())?;
            let body = ActivityBody::EstimateRequest { state: RequestState::New };
            let title = Some("A roof".to_owned());
            let fields = ActivityFields { title, text: None, assignee: None, remind_at: None, body };
            let request = activities::add(&ctx, txn, &[lead.id.into()], fields)?;
            let wanted = vec![Line::new("Panel", 12.into(), 200.into()).tax("VAT", 25.into())];
            let wanted = lines::Products::from(wanted).currency(Currency::parse("NOK")?).with_amount();
            lines::set(&ctx, txn, lead.id, Expect::Any, wanted)?;
            Ok((leads::get(&ctx, txn, lead.id)?, request))
        })
        .expect("a lead with products and a request");
    assert_eq!((lead.fields.amount, lead.fields.currency.unwrap().code()), (Some(2_400.into()), "NOK"));
    let draft = store
        .write(&scene.tenant, |txn| {
            let products = lines::of(&ctx, txn, lead.id)?.unwrap().lines;
            let fields = EstimateFields { lines: products, ..EstimateFields::default() };
            estimates::create_for_request(&ctx, txn, request.id, fields)
        })
        .expect("an estimate for the request");
    assert_eq!((draft.number, draft.fields.title.as_deref()), (1, Some("A roof")));
    assert_eq!(
        draft.show(draft.totals.gross),
        "kr 3000.00".to_owned().replace("kr", &Currency::parse("NOK").unwrap().symbol())
    );
    let requests = store.read(&scene.tenant, |txn| {
        let listing = Listing::default();
        activities::of(&ctx, txn, lead.id, &[ActivityKind::EstimateRequest], &listing)
    });
    let answered = ActivityBody::EstimateRequest { state: RequestState::Estimated };
    assert_eq!(requests.unwrap().items[0].fields.body, answered);
    let accepted = store
        .write(&scene.tenant, |txn| {
            let sent = estimates::send(&ctx, txn, draft.id, draft.revision)?;
            estimates::decline(&ctx, txn, sent.id, sent.revision, Some("too dear"))?;
            let second = estimates::revise(&ctx, txn, draft.id)?;
            let cheaper = vec![Line::new("Panel", 12.into(), 180.into())];
            let second = estimates::set_lines(&ctx, txn, second.id, second.revision, cheaper)?;
            let second = estimates::send(&ctx, txn, second.id, second.revision)?;
            estimates::accept(&ctx, txn, second.id, second.revision)
        })
        .expect("a second offer is taken");
    assert_eq!((accepted.number, accepted.revises), (2, Some(draft.id)));
    let page = store.read(&scene.tenant, |txn| {
        let text = settings::estimate_numbering(&ctx, txn)?.1.format(2);
        assert_eq!(estimates::by_number(&ctx, txn, text)?.id, accepted.id);
        estimates::of(&ctx, txn, lead.id, &Listing::default())
    });
    let shown: Vec<_> = page.unwrap().items.iter().map(|one| (one.number, one.status)).collect();
    assert_eq!(shown, [(2, EstimateStatus::Accepted), (1, EstimateStatus::Declined)]);
}

/// Of the versions of an estimate only the latest is accepted, whichever it was made from; one that was deleted is none.
pub fn only_the_latest_version_of_an_estimate_is_accepted(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let currency = Currency::parse("EUR").unwrap();
    let fields = EstimateFields { currency: Some(currency), ..EstimateFields::titled("Roof") };
    let fields = fields.line(Line::new("Panel", 3.into(), 5.into()));
    let write =
        |work: &mut dyn FnMut(&mut dyn Txn) -> Result<Estimate>| store.write(&scene.tenant, |txn| work(txn));
    let first = write(&mut |txn| {
        let lead = leads::create(&ctx, txn, LeadFields::company("Fjordlys AS")?.into())?;
        let draft = estimates::create(&ctx, txn, &[lead.id.into()], fields.clone())?;
        estimates::send(&ctx, txn, draft.id, Expect::Any)
    })
    .unwrap();
    let revise = |of: &Estimate| {
        let of = of.id;
        write(&mut |txn| {
            let draft = estimates::revise(&ctx, txn, of)?;
            estimates::send(&ctx, txn, draft.id, Expect::Any)
        })
        .unwrap()
    };
    let (second, third) = (revise(&first), revise(&first));
    let fourth = revise(&second);
    let unmet = |of: &Estimate| {
        let to = EstimateStatus::Accepted;
        store.read(&scene.tenant, |txn| estimates::can_move(&ctx, txn, of.id, to)).unwrap()
    };
    for old in [&first, &second, &third] {
        assert_eq!(unmet(old), [EstimateUnmet::Superseded { latest: 4 }]);
        let refused = write(&mut |txn| estimates::accept(&ctx, txn, old.id, Expect::Any)).unwrap_err();
        assert_eq!(refused.violations()[0].message, "only the latest version of an estimate is accepted");
    }
    write(&mut |txn| estimates::decline(&ctx, txn, first.id, Expect::Any, None))
        .expect("it may still be declined");
    let draft = write(&mut |txn| estimates::revise(&ctx, txn, fourth.id)).unwrap();
    assert_eq!(unmet(&fourth), [EstimateUnmet::Superseded { latest: 5 }]);
    store.write(&scene.tenant, |txn| estimates::delete(&ctx, txn, draft.id, Expect::Any)).unwrap();
    assert_eq!(unmet(&fourth), []);
    write(&mut |txn| estimates::accept(&ctx, txn, fourth.id, Expect::Any)).expect("the latest");
}

/// Of an estimate and its revisions one is accepted: then none is revised or accepted any more, nor by an undo. What they
/// want besides begins with a copy.
pub fn of_all_versions_of_an_estimate_one_is_accepted(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let fields =
        EstimateFields { currency: Some(Currency::parse("EUR").unwrap()), ..EstimateFields::titled("Roof") };
    let fields = fields.line(Line::new("Panel", 3.into(), 5.into()));
    let write =
        |work: &mut dyn FnMut(&mut dyn Txn) -> Result<Estimate>| store.write(&scene.tenant, |txn| work(txn));
    let accept = |of: &Estimate| write(&mut |txn| estimates::accept(&ctx, txn, of.id, Expect::Any));
    let revise = |of: &Estimate| write(&mut |txn| estimates::revise(&ctx, txn, of.id));
    let send = |of: &Estimate| write(&mut |txn| estimates::send(&ctx, txn, of.id, Expect::Any));
    let undo_last = || {
        let entries = store.read(&scene.tenant, |txn| txn.journal().replay(None, None, 10_000)).unwrap();
        let operation = entries.last().unwrap().operation;
        store.write(&scene.tenant, |txn| undo::undo(&ctx, txn, operation)).unwrap();
        let entries = store.read(&scene.tenant, |txn| txn.journal().replay(None, None, 10_000)).unwrap();
        entries.last().unwrap().operation
    };
    let first = write(&mut |txn| {
        let lead = leads::create(&ctx, txn, LeadFields::company("Fjordlys AS")?.into())?;
        let draft = estimates::create(&ctx, txn, &[lead.id.into()], fields.clone())?;
        estimates::send(&ctx, txn, draft.id, Expect::Any)
    })
    .unwrap();
    accept(&first).unwrap();
    let refused = revise(&first).expect_err("it was accepted");
    assert_eq!(refused.conflict(), Some(&Conflict::Closed { function: "revise".to_owned() }));
    // The acceptance was a mistake: now it is revised, and the revision accepted.
    let undone = undo_last();
    let second = send(&revise(&first).unwrap()).unwrap();
    accept(&second).unwrap();
    let to = EstimateStatus::Accepted;
    let unmet = store.read(&scene.tenant, |txn| estimates::can_move(&ctx, txn, first.id, to)).unwrap();
    assert_eq!(
        unmet,
        [EstimateUnmet::AlreadyAccepted { number: 2 }, EstimateUnmet::Superseded { latest: 2 }]
    );
    accept(&first).expect_err("the other one was accepted");
    revise(&first).expect_err("of the whole chain");
    // Nor does it come back by the way back of the way back.
    let back = store.write(&scene.tenant, |txn| undo::undo(&ctx, txn, undone)).unwrap();
    assert_eq!((back.totals.reversed, back.totals.kept), (0, 1), "{back:?}");
    let accepted = |of: &Estimate| {
        let now = store.read(&scene.tenant, |txn| estimates::get(&ctx, txn, of.id)).unwrap();
        now.status == EstimateStatus::Accepted
    };
    assert_eq!([accepted(&first), accepted(&second)], [false, true]);
    let copy = write(&mut |txn| estimates::copy(&ctx, txn, second.id)).unwrap();
    assert_eq!(
        (copy.revises, copy.status, &copy.fields.lines),
        (None, EstimateStatus::Draft, &second.fields.lines)
    );
    accept(&send(&copy).unwrap()).expect("an agreement of its own");
}

/// A request whose estimate is deleted as a draft is what it was before; an undo of that puts both back.
pub fn a_request_waits_again_when_its_draft_goes(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    for state in [RequestState::New, RequestState::Processing] {
        let body = ActivityBody::EstimateRequest { state };
        let (request, draft) = store
            .write(&scene.tenant, |txn| {
                let lead = leads::create(&ctx, txn, LeadFields::company("Fjordlys AS")?.into())?;
                let title = Some("A roof".to_owned());
                let body = ActivityBody::EstimateRequest { state: RequestState::New };
                let fields = ActivityFields { title, text: None, assignee: None, remind_at: None, body };
                let request = activities::add(&ctx, txn, &[lead.id.into()], fields)?;
                activities::set_state(&ctx, txn, request.id, Expect::Any, state)?;
                let draft = estimates::create_for_request(&ctx, txn, request.id, EstimateFields::default())?;
                Ok((request, draft))
            })
            .unwrap();
        let now = || {
            let read = store.read(&scene.tenant, |txn| activities::get(&ctx, txn, request.id));
            read.unwrap().fields.body
        };
        let answered = ActivityBody::EstimateRequest { state: RequestState::Estimated };
        assert_eq!(now(), answered);
        store.write(&scene.tenant, |txn| estimates::delete(&ctx, txn, draft.id, Expect::Any)).unwrap();
        assert_eq!(now(), body);
        let undone = store.write(&scene.tenant, |txn| {
            let last = txn.journal().replay(None, None, 10_000)?.pop().map(|entry| entry.operation).unwrap();
            undo::undo(&ctx, txn, last)
        });
        assert_eq!(undone.unwrap().totals.reversed, 2);
        assert_eq!(now(), answered);
        store.read(&scene.tenant, |txn| estimates::get(&ctx, txn, draft.id)).expect("it is back");
    }
}
