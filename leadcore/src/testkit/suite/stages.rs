//! Stages over the store: what a lead went through, how its column is sorted, what becomes of leads whose stage goes.

use crate::desk::board::{BoardQuery, board, can_move};
use crate::desk::{Expect, leads, pipelines, vocabulary};
use crate::domain::{Field, LeadFields, Move, Outcome, Position, StageKind, Unmet};
use crate::error::{ErrorKind, Result};
use crate::id::{LeadId, LostReasonId};
use crate::query::{Filter, LeadQuery, Sort, SortField};
use crate::store::{Store, StoreExt, Txn};

use super::super::fixtures::Scene;
use super::assert_kind;

fn company(name: &str) -> LeadFields {
    LeadFields::company(name).unwrap()
}

/// Lost, reopened, won: how it ended, the statistics and the history follow.
pub fn a_lead_is_lost_reopened_and_won(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let done: Result<()> = store.write(&scene.tenant, |txn| {
        let lead = leads::create(&ctx, txn, company("Nordlys AS").into())?;
        let pipeline = pipelines::list(&ctx, txn)?.remove(0);
        let of = |kind: StageKind| pipeline.stages.iter().find(|stage| stage.kind == kind).unwrap().id;
        let (won, lost, talking) = (of(StageKind::Won), of(StageKind::Lost), pipeline.stages[2].id);
        let price = vocabulary::add::<LostReasonId>(&ctx, txn, "Price", None)?;
        let start = scene.clock_now();
        let first = scene.tick();
        leads::move_to(&ctx, txn, lead.id, Expect::Any, talking)?;
        scene.tick();
        let refused = can_move(&ctx, txn, lead.id, &lost.into())?;
        let list = crate::domain::TermKind::LostReason;
        assert_eq!(refused.unmet, [Unmet::ReasonRequired { list }], "the list has a reason");
        let to = Move::from(lost).because(price.id, Some("too dear"));
        let moved = leads::move_to(&ctx, txn, lead.id, Expect::Any, to)?;
        let closing = moved.closing.clone().expect("it is lost");
        assert_eq!((closing.outcome, closing.reason), (Outcome::Lost, Some(price.id.as_uuid())));
        let lost_leads = Filter::eq(Field::Outcome, "lost");
        assert_eq!(leads::count(&ctx, txn, &lost_leads)?, 1);
        scene.tick();
        let open = leads::reopen(&ctx, txn, lead.id, moved.revision)?;
        assert_eq!((open.stage, &open.closing), (talking, &None), "back where it was worked");
        assert_eq!(leads::count(&ctx, txn, &lost_leads)?, 0, "no longer lost");
        let last = scene.tick();
        let end = leads::move_to(&ctx, txn, lead.id, Expect::Any, won)?;
        assert_eq!(end.closing.map(|closing| (closing.at, closing.outcome)), Some((last, Outcome::Won)));
        scene.tick();
        let history = leads::stage_history(&ctx, txn, lead.id)?;
        let new = pipeline.stages[0].id;
        let ways: Vec<_> = history.iter().map(|visit| (visit.from, visit.to, visit.seconds)).collect();
        let wanted = [
            (None, new, 1),
            (Some(new), talking, 1),
            (Some(talking), lost, 1),
            (Some(lost), talking, 1),
            (Some(talking), won, 1),
        ];
        assert_eq!(ways, wanted, "each stay, also the second one in the same stage");
        assert_eq!((history[0].entered, history[0].left), (start, Some(first)));
        assert_eq!(history[4].left, None, "it is there");
        Ok(())
    });
    done.expect("lost, reopened and won");
}

fn column(ctx: &crate::context::Context<'_>, txn: &mut dyn Txn) -> Result<Vec<LeadId>> {
    let board = board(ctx, txn, &BoardQuery::default())?;
    Ok(board
        .columns
        .into_iter()
        .next()
        .into_iter()
        .flat_map(|column| column.cards)
        .map(|card| card.id)
        .collect())
}

/// Cards lie as they were put, also when a thousand were put into one gap.
pub fn cards_lie_where_they_were_put(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let done: Result<()> = store.write(&scene.tenant, |txn| {
        let drafts = ["A", "B", "C", "D"].map(|name| company(name).into()).to_vec();
        let made = leads::create_many(&ctx, txn, drafts)?;
        let [a, b, c, d] = [0, 1, 2, 3].map(|n: usize| made[n].id);
        let stage = made[0].stage;
        assert_eq!(column(&ctx, txn)?, [d, c, b, a], "the newest lies on top");
        let put = |txn: &mut dyn Txn, card, position| {
            leads::move_to(&ctx, txn, card, Expect::Any, Move::from(stage).at(position))
        };
        let moved = put(txn, a, Position::Before(c))?;
        assert_eq!(column(&ctx, txn)?, [d, a, c, b]);
        let same = (moved.stage_entered_at, moved.active_at);
        assert_eq!(same, (made[0].stage_entered_at, made[0].active_at), "its clocks go on");
        put(txn, d, Position::Bottom)?;
        put(txn, b, Position::Top)?;
        assert_eq!(column(&ctx, txn)?, [b, a, c, d]);
        put(txn, b, Position::After(c))?;
        assert_eq!(column(&ctx, txn)?, [a, c, b, d]);
        for n in 0..300_usize {
            let card = [c, b][n % 2];
            put(txn, card, Position::After(a))?;
            assert_eq!(column(&ctx, txn)?[1], card, "always right below the first");
        }
        scene.tick();
        let new = leads::create(&ctx, txn, company("E").into())?;
        assert_eq!(column(&ctx, txn)?[0], new.id, "what comes later lies on top of what was put there");
        let still = leads::get(&ctx, txn, a)?;
        assert_eq!(
            put(txn, a, Position::After(new.id))?,
            still,
            "a card that lies there already is not written"
        );
        let elsewhere = Move::from(stage).at(Position::Before(a));
        assert_eq!(can_move(&ctx, txn, a, &elsewhere)?.unmet, [Unmet::NoSuchCard { lead: a }]);
        Ok(())
    });
    done.expect("cards in their places");
}

/// A stage goes and its leads go elsewhere, those in the trash too; or it stays, and everything with it.
pub fn a_removed_stage_leaves_its_leads_elsewhere(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let done: Result<()> = store.write(&scene.tenant, |txn| {
        let drafts = ["A", "B", "C"].map(|name| company(name).into()).to_vec();
        let made = leads::create_many(&ctx, txn, drafts)?;
        let pipeline = pipelines::list(&ctx, txn)?.remove(0);
        let (new, won) = (pipeline.stages[0].id, pipeline.stages[4].id);
        leads::delete(&ctx, txn, made[1].id, Expect::Any)?;
        leads::disqualify(&ctx, txn, made[2].id, Expect::Any, None, None)?;
        let refused = pipelines::remove_stage(&ctx, txn, pipeline.id, Expect::Any, new, None);
        assert_kind(&refused.expect_err("leads are in it"), ErrorKind::Conflict, "no lead loses its place");
        scene.tick();
        let left = pipelines::remove_stage(&ctx, txn, pipeline.id, pipeline.revision, new, Some(won))?;
        assert!(left.stage(new).is_none() && left.stages.len() == 5);
        let outcomes = made.iter().map(|lead| {
            let lead = leads::get(&ctx, txn, lead.id)?;
            assert_eq!(lead.stage, won, "every lead moved");
            Ok(lead.closing.map(|closing| closing.outcome))
        });
        let outcomes: Vec<_> = outcomes.collect::<Result<_>>()?;
        assert_eq!(outcomes, [Some(Outcome::Won), Some(Outcome::Won), Some(Outcome::Disqualified)]);
        let history = leads::stage_history(&ctx, txn, made[0].id)?;
        assert_eq!((history[0].to, history[1].to), (new, won), "the move is in the journal");
        let sums = txn.tallies().count(&crate::query::Resolved::Equals(Field::Stage, vec![new.into()]))?;
        assert_eq!(sums, 0, "nothing is counted where nothing is");
        Ok(())
    });
    done.expect("a removed stage");
}

/// The default changes hands, an unused pipeline goes, a used one and the default stay.
pub fn pipelines_come_and_go(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let done: Result<()> = store.write(&scene.tenant, |txn| {
        let lead = leads::create(&ctx, txn, company("A").into())?;
        let stage = || pipelines::new_stage(&ctx, "First", StageKind::Open);
        let second = pipelines::add(&ctx, txn, "Second", vec![stage()])?;
        let refused = pipelines::remove(&ctx, txn, lead.pipeline, Expect::Any);
        assert_kind(&refused.expect_err("the default"), ErrorKind::Invalid, "the default stays");
        let chosen = pipelines::set_default(&ctx, txn, second.id, second.revision)?;
        let listed = pipelines::list(&ctx, txn)?;
        let defaults: Vec<_> = listed.iter().map(|known| (known.id, known.is_default)).collect();
        assert_eq!(defaults, [(second.id, true), (lead.pipeline, false)], "one default");
        assert_eq!(
            leads::create(&ctx, txn, company("B").into())?.pipeline,
            chosen.id,
            "new leads start there"
        );
        leads::delete(&ctx, txn, lead.id, Expect::Any)?;
        let refused = pipelines::remove(&ctx, txn, lead.pipeline, Expect::Any);
        assert_kind(
            &refused.expect_err("in use"),
            ErrorKind::Conflict,
            "a lead in the trash needs its stage",
        );
        let third = pipelines::add(&ctx, txn, "Third", vec![stage()])?;
        pipelines::remove(&ctx, txn, third.id, third.revision)?;
        assert_eq!(pipelines::list(&ctx, txn)?.len(), 2);
        Ok(())
    });
    done.expect("pipelines");
}

/// The idle clock of a lead, and the filter that finds the rotting ones, oldest first.
pub fn leads_rot_by_the_days_of_their_stage(store: &dyn Store) {
    let scene = Scene::new("suite");
    let ctx = scene.ctx();
    let done: Result<()> = store.write(&scene.tenant, |txn| {
        let made = leads::create_many(&ctx, txn, ["A", "B", "C"].map(|name| company(name).into()).to_vec())?;
        let mut pipeline = pipelines::list(&ctx, txn)?.remove(0);
        pipeline.stages[0].idle_days = Some(3);
        let pipeline = pipelines::update(&ctx, txn, pipeline)?;
        let rotting = LeadQuery::new(Filter::Is(crate::query::Circumstance::Rotting))
            .sort(Sort::ascending(SortField::ActiveAt));
        let names = |txn: &mut dyn Txn| -> Result<Vec<u64>> {
            Ok(leads::list(&ctx, txn, &rotting)?.items.iter().map(|lead| lead.number).collect())
        };
        scene.clock.advance(chrono::TimeDelta::days(2));
        leads::move_to(&ctx, txn, made[1].id, Expect::Any, pipeline.stages[1].id)?;
        scene.tick();
        leads::move_to(&ctx, txn, made[1].id, Expect::Any, pipeline.stages[0].id)?;
        leads::move_to(&ctx, txn, made[2].id, Expect::Any, pipeline.stages[5].id)?;
        scene.clock.advance(chrono::TimeDelta::days(1) + chrono::TimeDelta::seconds(1));
        let (now, listed) = (scene.clock_now(), pipelines::list(&ctx, txn)?);
        assert_eq!(
            names(txn)?,
            [1],
            "three days and a second; the second lead was moved meanwhile, the third is lost"
        );
        for lead in &made {
            let lead = leads::get(&ctx, txn, lead.id)?;
            let idle = leads::Idle::of(&lead, &listed, now);
            assert_eq!(idle.is_rotting(), lead.number == 1, "the clock agrees with the filter");
            assert_eq!(idle.days, if lead.number == 1 { 3 } else { 1 });
        }
        scene.clock.advance(chrono::TimeDelta::days(5));
        assert_eq!(names(txn)?, [1, 2], "the longest idle first");
        Ok(())
    });
    done.expect("rotting leads");
}
