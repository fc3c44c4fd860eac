//! X.09: where things go that the user who takes a conversion back hung since on records that go, and what an undo makes of it.

use leadcore::context::Context;
use leadcore::desk::convert::{Fate, OpportunityChoice, OpportunityRequest, Unconvertible};
use leadcore::desk::files::{self, NewFile};
use leadcore::desk::{Expect, activities, contacts, convert, estimates, opportunities, undo};
use leadcore::domain::{
    ActivityFields, AddressMark, ContactFields, FileLimits, OpportunityFields, OpportunityPatch,
    ReachChannel, Subject, WhyKept,
};
use leadcore::store::Txn;

use super::fresh::*;
use super::handed_on::{as_bob_planned, kim, moved, note, read, tabs};
use super::own_work::{back, bob, fate_of, gapless};
use crate::estimates::roof;
use crate::support::Host;

fn eva() -> ContactFields {
    ContactFields::named("Eva Moe").unwrap()
}

#[test]
fn x_09_what_hangs_on_an_opportunity_that_is_closed_with_its_account_goes_on() {
    for is_new in [true, false] {
        let host = Host::new();
        gapless(&host);
        let wanted = options().with_opportunity(OpportunityRequest::new());
        let wanted = if is_new { wanted } else { wanted.into_account(account(&host, &named("Fjord")).id) };
        let lead = kim(&host);
        let deal = into(&host, &lead, &wanted).opportunity.unwrap();
        let said = note(&host, deal, "They like it");
        let task =
            host.write(|ctx, txn| activities::add(ctx, txn, &[deal.into()], ActivityFields::task("Call")));
        let file = host.write(|ctx, txn| {
            let mut content = &b"hello"[..];
            let file = NewFile::new("a.txt", &mut content);
            files::add(ctx, txn, &[deal.into()], file, &FileLimits::default())
        });
        let offer = host.write(|ctx, txn| estimates::create(ctx, txn, &[deal.into()], roof()));
        let taken = back(&host, &lead);
        assert_eq!(fate_of(&taken, deal), Fate::Closed);
        let told = tabs(&[("estimate", 1), ("file", 1), ("note", 1), ("task", 1)]);
        assert_eq!(moved(&taken, deal), if is_new { told } else { vec![] });
        let now: Subject = if is_new { lead.id.into() } else { deal.into() };
        assert_eq!(read(&host, said.id).about, [now]);
        assert_eq!(read(&host, task.id).about, [now]);
        assert_eq!(host.read(|_, txn| txn.files().get(&[file.id])).remove(0).about, [now]);
        assert_eq!(host.read(|_, txn| txn.estimates().get(&[offer.id])).remove(0).about, [now]);
        let edit = ActivityFields::note("They like it, and buy");
        host.write(|ctx, txn| activities::edit(ctx, txn, said.id, Expect::Any, edit.clone()));
    }
}

#[test]
fn x_09_a_person_whom_others_worked_on_is_not_ones_own() {
    let host = Host::new();
    let lead = kim(&host);
    let done = into(&host, &lead, &options());
    let account = done.account.unwrap();
    let eva = host.write(|ctx, txn| contacts::add(ctx, txn, account, eva(), false));
    host.scene.tick();
    let record = Subject::from(account);
    let told = [Unconvertible::HasChildren { record, tabs: tabs(&[("contact", 1)]) }];
    assert_eq!(blockers(&host, &lead), []);
    let titled = ContactFields { job_title: Some("CEO".to_owned()), ..eva.fields.clone() };
    as_bob(&host, |ctx, txn| contacts::edit(ctx, txn, account, eva.id, Expect::Any, titled.clone()));
    let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
    assert_eq!(plan.blockers, told);
    let edit = last_operation(&host, eva.id);
    assert!(plan.since.iter().any(|one| one.operation == edit && one.record == record), "{:?}", plan.since);
    as_bob(&host, |ctx, txn| contacts::edit(ctx, txn, account, eva.id, Expect::Any, eva.fields.clone()));
    assert_eq!(blockers(&host, &lead), [], "what was put back is no change");
    let said = ActivityFields::note("Called her");
    let said = as_bob(&host, |ctx, txn| activities::add(ctx, txn, &[eva.id.into()], said.clone()));
    assert_eq!(blockers(&host, &lead), told);
    as_bob(&host, |ctx, txn| activities::delete(ctx, txn, said.id, Expect::Any));
    assert_eq!(blockers(&host, &lead), []);
    as_bob(&host, |ctx, txn| {
        let mut content = &b"hello"[..];
        files::add(ctx, txn, &[eva.id.into()], NewFile::new("a.txt", &mut content), &FileLimits::default())
    });
    assert_eq!(blockers(&host, &lead), told);
    assert!(!as_bob_planned(&host, &lead).blockers.is_empty());
}

#[test]
fn x_09_of_what_others_said_of_a_person_nothing_moves_unseen() {
    let host = Host::new();
    let lead = kim(&host);
    let account = into(&host, &lead, &options()).account.unwrap();
    let mail = "eva@nordlys.example";
    let eva = person(&host, account, "Eva Moe", mail);
    let mark = AddressMark::opt_out(ReachChannel::Email, mail);
    as_bob(&host, |ctx, txn| contacts::mark(ctx, txn, eva.id, Expect::Any, &mark));
    let told = tabs(&[("contact", 1)]);
    assert_eq!(blockers(&host, &lead), [Unconvertible::HasChildren { record: account.into(), tabs: told }]);
}

#[test]
fn x_09_an_undo_hangs_nothing_on_an_account_that_went() {
    let host = Host::new();
    let lead = kim(&host);
    let account = into(&host, &lead, &options()).account.unwrap();
    let said = note(&host, account, "Pays in May");
    let task =
        host.write(|ctx, txn| activities::add(ctx, txn, &[account.into()], ActivityFields::task("Call")));
    let eva = host.write(|ctx, txn| contacts::add(ctx, txn, account, eva(), false));
    let mut deletions = Vec::new();
    for id in [said.id, task.id] {
        host.scene.tick();
        host.write(|ctx, txn| activities::delete(ctx, txn, id, Expect::Any));
        deletions.push(last_operation(&host, id));
    }
    host.scene.tick();
    host.write(|ctx, txn| contacts::remove(ctx, txn, account, eva.id));
    deletions.push(last_operation(&host, account));
    back(&host, &lead);
    for deletion in deletions {
        let plan = host.read(|ctx, txn| undo::plan(ctx, txn, deletion));
        let undone = host.write(|ctx, txn| undo::undo(ctx, txn, deletion));
        assert_eq!(undone.remaining[0].kept[0].why, WhyKept::Gone, "{undone:?}");
        assert_eq!(undone.totals.reversed, 0, "{plan:?}");
    }
    assert_eq!(host.read(|_, txn| txn.activities().get(&[said.id, task.id])), []);
    assert_eq!(host.read(|_, txn| txn.links().to(&[eva.id.into()], None)), []);
}

#[test]
fn x_09_a_person_who_goes_on_to_the_lead_is_not_its_primary_contact() {
    let host = Host::new();
    let lead = kim(&host);
    let primary = |of: leadcore::id::AccountId| {
        let persons = host.read(|ctx, txn| contacts::of_account(ctx, txn, of));
        let primary = persons.iter().find(|one| one.is_primary).unwrap();
        primary.contact.fields.name.as_ref().unwrap().full().to_owned()
    };
    let account = into(&host, &lead, &options()).account.unwrap();
    assert_eq!(primary(account), "Kim Berg");
    let eva = host.write(|ctx, txn| contacts::add(ctx, txn, account, eva(), true));
    back(&host, &lead);
    let persons = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id));
    assert_eq!(
        persons.iter().map(|one| (one.contact.id, one.is_primary)).collect::<Vec<_>>(),
        [(eva.id, false)]
    );
    assert_eq!(primary(into(&host, &lead, &options()).account.unwrap()), "Kim Berg");
}

#[test]
fn x_09_what_one_won_oneself_of_a_joined_opportunity_stays_as_it_is() {
    let host = Host::new();
    let known = account(&host, &named("Fjord"));
    let running = host.write(|ctx, txn| {
        opportunities::create(ctx, txn, known.id, OpportunityFields::named("Running").into())
    });
    let lead = kim(&host);
    let done = into(&host, &lead, &options().opportunity(OpportunityChoice::Existing(running.id)));
    let read = || host.read(|_, txn| txn.opportunities().get(&[running.id])).remove(0);
    assert!(read().about.contains(&done.contacts[0].into()));
    host.scene.tick();
    host.write(|ctx, txn| opportunities::win(ctx, txn, running.id, Expect::Any, None));
    assert_eq!(as_bob_planned(&host, &lead).blockers.len(), 1);
    let won = read();
    let taken = back(&host, &lead);
    let told = taken.records.iter().find(|one| one.record == running.id.into()).unwrap();
    assert_eq!((&told.fate, &told.kept[..]), (&Fate::Restored(vec![]), &["opportunity".to_owned()][..]));
    let now = read();
    assert_eq!((now.state, &now.end, &now.fields), (won.state, &won.end, &won.fields));
    assert_eq!(now.about, [Subject::from(known.id)], "a person who goes leaves it");
}

#[test]
fn x_09_what_others_did_on_what_one_deleted_oneself_stands_against_it() {
    let host = Host::new();
    let lead = kim(&host);
    let done = into(&host, &lead, &options().with_opportunity(OpportunityRequest::new()));
    let (account, deal) = (done.account.unwrap(), done.opportunity.unwrap());
    let said = as_bob(&host, |ctx, txn| {
        activities::add(ctx, txn, &[deal.into()], ActivityFields::note("They like it"))
    });
    host.scene.tick();
    host.write(|ctx, txn| opportunities::delete(ctx, txn, deal, Expect::Any));
    let gone = Unconvertible::Gone { record: deal.into(), by: vec![host.scene.ctx().actor().clone()] };
    assert_eq!(blockers(&host, &lead), [gone], "bob's note went too");
    let deletion = last_operation(&host, deal);
    host.scene.tick();
    host.write(|ctx, txn| undo::undo(ctx, txn, deletion));
    let hangs = |record: Subject, tab: &str| {
        vec![Unconvertible::HasChildren { record, tabs: vec![(tab.to_owned(), 1)] }]
    };
    assert_eq!(blockers(&host, &lead), hangs(deal.into(), "note"));
    host.scene.tick();
    host.write(|ctx, txn| activities::delete(ctx, txn, said.id, Expect::Any));
    host.write(|ctx, txn| opportunities::delete(ctx, txn, deal, Expect::Any));
    assert_eq!(blockers(&host, &lead), [], "it was deleted before");
    // Persons, by whomever they were added, who went when they were taken out.
    for (by_bob, others) in [(false, true), (true, false), (false, false)] {
        let eva = match by_bob {
            true => as_bob(&host, |ctx, txn| contacts::add(ctx, txn, account, eva(), false)),
            false => host.write(|ctx, txn| contacts::add(ctx, txn, account, eva(), false)),
        };
        let met = others.then(|| {
            as_bob(&host, |ctx, txn| {
                activities::add(ctx, txn, &[eva.id.into()], ActivityFields::note("Met her"))
            })
        });
        host.scene.tick();
        host.write(|ctx, txn| contacts::remove(ctx, txn, account, eva.id));
        let removal = last_operation(&host, account);
        let wanted = if others { hangs(account.into(), "contact") } else { vec![] };
        assert_eq!(blockers(&host, &lead), wanted, "{by_bob} {others}");
        if by_bob || others {
            host.scene.tick();
            host.write(|ctx, txn| undo::undo(ctx, txn, removal));
            assert_ne!(blockers(&host, &lead), [], "{by_bob} {others}");
            if let Some(met) = met {
                as_bob(&host, |ctx, txn| activities::delete(ctx, txn, met.id, Expect::Any));
            }
            as_bob(&host, |ctx, txn| contacts::remove(ctx, txn, account, eva.id));
            assert_eq!(blockers(&host, &lead), [], "who did it took it back");
        }
    }
    back(&host, &lead);
}

#[test]
fn x_09_a_joined_opportunity_that_was_deleted_stands_against_it_until_that_is_undone() {
    let host = Host::new();
    let known = account(&host, &named("Fjord"));
    let ada = host.scene.ctx().actor().clone();
    for work in ["none", "edit", "note", "deleted"] {
        let running = host.write(|ctx, txn| {
            opportunities::create(ctx, txn, known.id, OpportunityFields::named("Running").into())
        });
        let record = Subject::from(running.id);
        let lead = kim(&host);
        into(&host, &lead, &options().opportunity(OpportunityChoice::Existing(running.id)));
        host.scene.tick();
        let patch = OpportunityPatch::new().probability(Some(60));
        match work {
            "edit" => {
                drop(as_bob(&host, |ctx, txn| {
                    opportunities::edit(ctx, txn, running.id, Expect::Any, &patch)
                }));
            }
            "note" => drop(as_bob(&host, |ctx, txn| {
                activities::add(ctx, txn, &[record], ActivityFields::note("They like it"))
            })),
            _ => {}
        }
        host.scene.tick();
        let delete =
            |ctx: &Context<'_>, txn: &mut dyn Txn| opportunities::delete(ctx, txn, running.id, Expect::Any);
        if work == "deleted" {
            as_bob(&host, delete);
        } else {
            host.write(delete);
        }
        let [Unconvertible::Gone { record: told, by }] = &blockers(&host, &lead)[..] else {
            panic!("{work}")
        };
        let first = if work == "deleted" { bob() } else { ada.clone() };
        assert_eq!((*told, &by[0]), (record, &first), "{work}");
        if work != "none" {
            continue;
        }
        let deletion = last_operation(&host, running.id);
        host.scene.tick();
        host.write(|ctx, txn| undo::undo(ctx, txn, deletion));
        back(&host, &lead);
        let now = host.read(|_, txn| txn.opportunities().get(&[running.id])).remove(0);
        assert_eq!((now.account, &now.about, &now.fields), (known.id, &running.about, &running.fields));
    }
}
