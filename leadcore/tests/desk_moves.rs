//! What a board is told before a move is what the move then does, whatever the stages ask.
#![cfg(feature = "testkit")]

#[cfg(test)]
mod moves {
    use std::collections::BTreeSet;

    use leadcore::desk::leads::Idle;
    use leadcore::desk::{Expect, board, leads, pipelines, vocabulary};
    use leadcore::domain::{
        Field, Lead, LeadDraft, LeadFields, LeadPatch, Move, Position, Stage, StageKind, Unmet,
    };
    use leadcore::error::ErrorKind;
    use leadcore::id::{LeadId, LostReasonId, StageId};
    use leadcore::memory::MemoryStore;
    use leadcore::query::{Circumstance, Filter, LeadQuery};
    use leadcore::store::{StoreExt, Txn};
    use leadcore::testkit::fixtures::Scene;
    use proptest::prelude::*;

    type Ctx<'a> = leadcore::context::Context<'a>;

    /// What a stage asks: limit, fields, next stages, days.
    type Rules = (Option<u32>, Vec<usize>, Option<Vec<usize>>, Option<u16>);
    /// What happens: lead, stage, reason, words, place.
    type Step = (usize, usize, Option<usize>, bool, Option<(u8, usize)>, u8);

    const FIELDS: [Field; 4] = [Field::City, Field::Email, Field::Amount, Field::Industry];
    const KINDS: [StageKind; 6] = [
        StageKind::Open,
        StageKind::Open,
        StageKind::OnHold,
        StageKind::Won,
        StageKind::Lost,
        StageKind::Lost,
    ];

    fn rules() -> impl Strategy<Value = Rules> {
        (
            prop::option::of(1..4_u32),
            prop::collection::vec(0..FIELDS.len(), 0..2),
            prop::option::weighted(0.3, prop::collection::vec(0..KINDS.len(), 0..5)),
            prop::option::of(1..4_u16),
        )
    }

    fn step() -> impl Strategy<Value = Step> {
        let place = prop::option::of((0..4_u8, 0..6_usize));
        (0..6_usize, 0..7_usize, prop::option::of(0..4_usize), any::<bool>(), place, 0..8_u8)
    }

    fn fields(n: usize) -> LeadFields {
        let mut fields = LeadFields::company(&format!("Lead {n}")).unwrap();
        for (at, field) in FIELDS.iter().enumerate().filter(|(at, _)| (n >> at) & 1 == 1) {
            let value = if at == 1 { format!("a{n}@x.example") } else { "7".to_owned() };
            field.write(&mut fields, &value.into()).unwrap();
        }
        fields
    }

    /// Six stages that ask these things, three reasons (the last archived, the second in words), six leads.
    fn furnish(
        ctx: &Ctx<'_>,
        txn: &mut dyn Txn,
        rules: &[Rules],
        which: &[usize],
    ) -> (Vec<StageId>, Vec<Lead>, Vec<LostReasonId>) {
        let mut pipeline = pipelines::list_or_default(ctx, txn).unwrap().remove(0);
        let stages: Vec<Stage> = KINDS
            .iter()
            .enumerate()
            .map(|(n, kind)| pipelines::new_stage(ctx, &format!("Stage {n}"), *kind))
            .collect();
        let ids: Vec<_> = stages.iter().map(|stage| stage.id).collect();
        pipeline.stages = stages;
        pipeline = pipelines::update(ctx, txn, pipeline).unwrap();
        let drafts = which.iter().map(|n| LeadDraft::from(fields(*n))).collect();
        let made = leads::create_many(ctx, txn, drafts).unwrap();
        for (stage, (limit, fields, next, days)) in pipeline.stages.iter_mut().zip(rules) {
            stage.wip_limit = *limit;
            stage.required_fields = fields.iter().map(|n| FIELDS[*n].clone()).collect();
            stage.allowed_next =
                next.as_ref().map(|next| next.iter().map(|n| ids[*n]).collect::<BTreeSet<_>>());
            stage.idle_days = *days;
        }
        pipelines::update(ctx, txn, pipeline).unwrap();
        let reasons = ["Price", "Other", "Old"]
            .map(|name| vocabulary::add::<LostReasonId>(ctx, txn, name, None).unwrap());
        vocabulary::ask_for_detail(ctx, txn, reasons[1].id, Expect::Any, true).unwrap();
        vocabulary::archive(ctx, txn, reasons[2].id, Expect::Any, true).unwrap();
        (ids, made, reasons.map(|reason| reason.id).to_vec())
    }

    fn check_one(ctx: &Ctx<'_>, txn: &mut dyn Txn, id: LeadId, to: &Move) {
        let told = board::can_move(ctx, txn, id, to).unwrap();
        let before = leads::get(ctx, txn, id).unwrap();
        match leads::move_to(ctx, txn, id, Expect::Any, to.clone()) {
            Ok(after) => {
                assert!(told.is_free(), "{told:?}");
                assert_eq!(after.stage, to.stage);
                if before.stage == after.stage && to.reason.is_none() && to.detail.is_none() {
                    let kept = Lead {
                        rank: before.rank.clone(),
                        revision: before.revision,
                        updated_at: before.updated_at,
                        ..after
                    };
                    assert_eq!(kept, before, "only the place changed");
                }
            }
            Err(error) if told.unmet.contains(&Unmet::Converted) => {
                assert_eq!(error.kind(), ErrorKind::Frozen);
            }
            Err(error) if told.unmet.contains(&Unmet::Trashed) => {
                assert_eq!(error.kind(), ErrorKind::NotFound);
            }
            Err(error) => {
                let said: Vec<_> = told.unmet.iter().map(Unmet::violation).collect();
                assert_eq!(error.violations(), said, "the move says what the dry answer said: {told:?}");
                assert!(!said.is_empty());
                assert_eq!(leads::get(ctx, txn, id).unwrap(), before, "nothing was written");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn the_dry_answer_is_what_the_move_does(
            rules in prop::collection::vec(rules(), KINDS.len()),
            which in prop::collection::vec(0..16_usize, 6),
            steps in prop::collection::vec(step(), 1..30),
        ) {
            let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
            let ctx = scene.ctx();
            store.write(&scene.tenant, |txn| {
                let (stages, made, reasons) = furnish(&ctx, txn, &rules, &which);
                for (lead, stage, reason, words, place, other) in &steps {
                    let id = made[*lead].id;
                    match other {
                        0 => drop(leads::disqualify(&ctx, txn, id, Expect::Any, None, None)),
                        1 => drop(leads::reopen(&ctx, txn, id, Expect::Any)),
                        2 => drop(leads::delete(&ctx, txn, id, Expect::Any)),
                        3 => drop(leads::restore(&ctx, txn, id)),
                        _ => {}
                    }
                    let stage = stages.get(*stage).copied().unwrap_or(StageId::from_uuid(uuid::Uuid::max()));
                    let reason = reason.map(|n| reasons.get(n).copied().unwrap_or(LostReasonId::from_uuid(uuid::Uuid::max())));
                    let mut to = Move::from(stage).because(reason, words.then_some("in words"));
                    to.position = place.map(|(how, n)| match how {
                        0 => Position::Top,
                        1 => Position::Bottom,
                        2 => Position::Before(made[n].id),
                        _ => Position::After(made[n].id),
                    });
                    check_one(&ctx, txn, id, &to);
                    scene.clock.advance(chrono::TimeDelta::hours(7));
                    let query = LeadQuery::new(Filter::Is(Circumstance::Rotting));
                    let rotting: BTreeSet<_> =
                        leads::list(&ctx, txn, &query)?.items.iter().map(|lead| lead.id).collect();
                    let listed = pipelines::list(&ctx, txn)?;
                    for lead in &made {
                        let lead = leads::get(&ctx, txn, lead.id)?;
                        let idle = Idle::of(&lead, &listed, scene.clock_now());
                        assert_eq!(idle.is_rotting(), rotting.contains(&lead.id), "clock and filter agree");
                    }
                }
                Ok(())
            }).unwrap();
        }

        #[test]
        fn no_edit_empties_what_the_stage_asks_for(
            rules in prop::collection::vec(rules(), KINDS.len()),
            which in prop::collection::vec(0..16_usize, 6),
            cleared in prop::collection::vec((0..6_usize, 0..FIELDS.len()), 1..12),
        ) {
            let (store, scene) = (MemoryStore::new(), Scene::new("acme"));
            let ctx = scene.ctx();
            store.write(&scene.tenant, |txn| {
                let (_, made, _) = furnish(&ctx, txn, &rules, &which);
                let required = &rules[0].1;
                for (lead, field) in &cleared {
                    let before = leads::get(&ctx, txn, made[*lead].id)?;
                    let patch = LeadPatch::new().clear(FIELDS[*field].clone());
                    let worse = required.contains(field) && !FIELDS[*field].read(&before).is_empty();
                    let edited = leads::edit(&ctx, txn, before.id, Expect::Any, &patch);
                    assert_eq!(edited.is_err(), worse, "{:?}", FIELDS[*field]);
                }
                Ok(())
            }).unwrap();
        }
    }
}
