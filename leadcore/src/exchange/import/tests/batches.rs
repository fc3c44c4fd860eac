//! Where a chunk ends makes no difference, and a plan is the run: also for rows that empty what leads are known by,
//! for lines that a person changed, and for each actor.

use proptest::prelude::*;

use super::dry::plainly;
use super::plans::{facts, stored, without_ids, words};
use super::policies::clerk;
use super::*;
use crate::desk;
use crate::domain::{Catalogue, CustomField, CustomKey, CustomType, Field};
use crate::exchange::import::{MatchBy, OnAmbiguous, OnMatch, Planned, SkipReason};
use crate::exchange::{ColumnRules, Mapping};
use crate::policy::RoleTable;

fn code() -> CustomKey {
    CustomKey::new("x_code").unwrap()
}

/// A tenant with a unique field, so many times.
fn hosts<const N: usize>() -> [Host; N] {
    std::array::from_fn(|_| {
        let host = Host::new();
        let mut catalogue = Catalogue::standard();
        catalogue.set_custom_field(CustomField::new(code(), "Code", CustomType::Text).unique(true));
        let ctx = host.system();
        let set =
            |txn: &mut dyn crate::store::Txn| desk::settings::set_catalogue(&ctx, txn, None, &catalogue);
        host.store.write(ctx.tenant(), |txn| set(txn).map(drop)).unwrap();
        host
    })
}

fn mapping() -> Mapping {
    Mapping::default()
        .with("id", Some(Field::ExternalId))
        .with("email", Some(Field::Email))
        .with("phone", Some(Field::Phone))
        .with("code", Some(Field::Custom(code())))
        .with("company", Some(Field::Company))
        .with("city", Some(Field::City))
}

/// Cells from small sets, some of which empty their field.
fn row() -> impl Strategy<Value = String> {
    let pick = |choices: &'static [&'static str]| prop::sample::select(choices);
    let id = pick(&["", "", "1", "2", "(clear)"]);
    let email = pick(&["", "a@x.example", "b@x.example", "c@x.example", "(clear)", "nobody"]);
    let phone = pick(&["", "+47 22225555", "+47 22225556", "(clear)"]);
    let code = pick(&["", "", "K1", "k2", "K3", "(clear)"]);
    let company = pick(&["", "A", "B", "(clear)"]);
    let city = pick(&["", "Oslo", "Moss", "(clear)"]);
    (id, email, phone, code, company, city).prop_map(|(id, email, phone, code, company, city)| {
        format!("{id},{email},{phone},{code},{company},{city}\n")
    })
}

fn file(rows: &[String]) -> String {
    format!("id,email,phone,code,company,city\n{}", rows.concat())
}

fn options() -> impl Strategy<Value = ImportOptions> {
    (0_usize..3, any::<bool>(), any::<bool>()).prop_map(|(by, default, review)| {
        let by = [
            MatchBy::DEFAULT.to_vec(),
            vec![MatchBy::Custom(code()), MatchBy::Email],
            vec![MatchBy::Phone, MatchBy::Email, MatchBy::ExternalId],
        ][by]
            .clone();
        let mut mapping = mapping();
        if default {
            mapping = mapping
                .rules("email", ColumnRules::new().default_value("c@x.example"))
                .rules("code", ColumnRules::new().default_value("K3"));
        }
        let options = plainly().clear("(clear)").match_by(by).mapping(mapping).attempt(2);
        if review { options.ambiguous(OnAmbiguous::Review) } else { options }
    })
}

/// How the rows that are there first are read.
fn first_options() -> ImportOptions {
    plainly().mapping(mapping()).clear("(clear)")
}

/// What a person may do with a line.
#[derive(Debug, Clone)]
enum Edit {
    Skip,
    Create,
    Remove,
    /// The lead of the store in this place.
    Take(usize),
    /// The lead of the line in this place.
    Same(usize),
    Set(Field, &'static str),
}

fn edit() -> impl Strategy<Value = (usize, Edit)> {
    let text = |field: Field, texts: &'static [&'static str]| {
        prop::sample::select(texts).prop_map(move |text| Edit::Set(field.clone(), text))
    };
    let edit = prop_oneof![
        Just(Edit::Skip),
        Just(Edit::Create),
        Just(Edit::Remove),
        (0_usize..6).prop_map(Edit::Take),
        (0_usize..8).prop_map(Edit::Same),
        text(Field::Email, &["a@x.example", "b@x.example", "", "(clear)"]),
        text(Field::Custom(code()), &["K1", "K3", "(clear)"]),
        text(Field::City, &["Bergen", "(clear)"]),
        text(Field::Industry, &["Fishing"]),
    ];
    (0_usize..8, edit)
}

fn edited(host: &Host, mut plan: ImportPlan, edits: &[(usize, Edit)]) -> ImportPlan {
    let leads = host.leads();
    for (place, edit) in edits {
        let meant = |planned: &Planned| match planned {
            Planned::Create { lead, .. } | Planned::Update { lead, .. } | Planned::Unchanged { lead, .. } => {
                Some(*lead)
            }
            _ => None,
        };
        let Some(line) = plan.lines.get(*place).map(|line| line.line) else { continue };
        match edit {
            Edit::Skip => plan.skip(line).unwrap(),
            Edit::Create => plan.create(line).unwrap(),
            Edit::Remove => drop(plan.lines.remove(*place)),
            Edit::Take(lead) => {
                if let Some(lead) = leads.get(*lead) {
                    plan.take(line, lead.id).unwrap();
                }
            }
            Edit::Same(other) => {
                if let Some(lead) = plan.lines.get(*other).and_then(|other| meant(&other.decision)) {
                    plan.take(line, lead).unwrap();
                }
            }
            Edit::Set(field, text) => plan.set(line, field.clone(), text).unwrap(),
        }
    }
    plan
}

/// What became of each line that was applied.
fn applied(ctx: &Context<'_>, host: &Host, plan: &ImportPlan, file: &str) -> (Heard, ImportReport) {
    let mut heard = Heard::default();
    let input = Cursor::new(file.to_owned());
    let report = import::apply(ctx, &host.store, plan, input, None, &mut heard).unwrap();
    accounted(&report);
    (heard, report)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_plan_is_the_run_whatever_is_emptied(
        first in prop::collection::vec(row(), 0..6),
        second in prop::collection::vec(row(), 0..10),
        chunks in (1_usize..5, 1_usize..12),
        options in options(),
    ) {
        let [planned, ran] = hosts();
        for host in [&planned, &ran] {
            host.run_with(file(&first), &first_options());
        }
        let mut plan = planned.plan(file(&second), &options.clone().chunk(chunks.0));
        let mut heard = Heard::default();
        let run = ran.hear(&ran.store, file(&second), &options.chunk(chunks.1), &mut heard).unwrap();
        prop_assert_eq!(words(&plan), heard.words());
        plan.options.chunk = chunks.1;
        prop_assert_eq!(without_ids(planned.apply(&stored(&plan), file(&second))), without_ids(run));
        prop_assert_eq!(facts(&planned), facts(&ran));
    }

    #[test]
    fn an_edited_plan_that_is_planned_again_is_what_is_carried_out(
        first in prop::collection::vec(row(), 0..6),
        second in prop::collection::vec(row(), 1..8),
        edits in prop::collection::vec(edit(), 0..5),
        chunks in (1_usize..5, 1_usize..9),
        options in options(),
    ) {
        let [host] = hosts();
        host.run_with(file(&first), &first_options());
        let (ctx, file) = (host.system(), file(&second));
        let plan = host.plan(file.clone(), &options.chunk(chunks.0));
        let before = host.dump();
        let edited = edited(&host, plan, &edits);
        let mut plan =
            import::replan(&ctx, &host.store, &stored(&edited), Cursor::new(file.clone()), &mut ()).unwrap();
        prop_assert_eq!(host.dump(), before, "a plan writes nothing");
        plan.options.chunk = chunks.1;
        // Planned once more, it is the same.
        let again =
            import::replan(&ctx, &host.store, &stored(&plan), Cursor::new(file.clone()), &mut ()).unwrap();
        prop_assert_eq!(&again.lines, &plan.lines);
        let (heard, report) = applied(&ctx, &host, &stored(&plan), &file);
        prop_assert_eq!(words(&plan), heard.words());
        prop_assert_eq!(report.skips.get(&SkipReason::Stale), None);
    }

    #[test]
    fn a_plan_is_the_run_of_the_one_who_applies_it(
        hers in prop::collection::vec(row(), 0..4),
        his in prop::collection::vec(row(), 0..4),
        second in prop::collection::vec(row(), 0..8),
        chunks in (1_usize..5, 1_usize..9),
        options in options(),
    ) {
        let policy = RoleTable::new().role("clerk", clerk());
        let policy = ["ada", "bob"].iter().fold(policy, |policy, who| {
            policy.user(&who.parse().unwrap(), &["clerk"], None).unwrap()
        });
        let file_of = file;
        let file = file(&second);
        let hosts: [Host; 3] = hosts();
        let as_user = |host: &Host, who: &str, does: &mut dyn FnMut(&Context<'_>)| {
            does(&host.ctx(Actor::User(who.parse().unwrap()), &policy));
        };
        for host in &hosts {
            for (who, rows) in [("ada", &hers), ("bob", &his)] {
                as_user(host, who, &mut |ctx| {
                    let input = Cursor::new(file_of(rows));
                    import::run(ctx, &host.store, input, &first_options(), None, &mut ()).unwrap();
                });
            }
        }
        let [planned, ran, crossed] = hosts;
        let mut heard = Heard::default();
        let options = options.chunk(chunks.0);
        as_user(&ran, "bob", &mut |ctx| {
            let options = options.clone().chunk(chunks.1);
            import::run(ctx, &ran.store, Cursor::new(file.clone()), &options, None, &mut heard).unwrap();
        });
        // Ada plans; planned again by bob it is what he would run.
        let mut plan = None;
        for host in [&planned, &crossed] {
            as_user(host, "ada", &mut |ctx| {
                let input = Cursor::new(file.clone());
                plan = Some(import::plan(ctx, &host.store, input, &options, &mut ()).unwrap());
            });
        }
        let plan = stored(&plan.unwrap());
        as_user(&planned, "bob", &mut |ctx| {
            let input = Cursor::new(file.clone());
            let mut plan = import::replan(ctx, &planned.store, &plan, input, &mut ()).unwrap();
            plan.options.chunk = chunks.1;
            assert_eq!(words(&plan), heard.words());
            let (applied, _) = applied(ctx, &planned, &stored(&plan), &file);
            assert_eq!(applied.words(), heard.words());
        });
        prop_assert_eq!(facts(&planned), facts(&ran));
        // As it is, it changes nothing that bob may not change, and makes nothing of ada's.
        let of_ada = |host: &Host| -> Vec<_> {
            let is_hers = |lead: &Lead| lead.fields.owner.as_ref().is_some_and(|who| who.as_str() == "ada");
            host.leads().into_iter().filter(is_hers).collect()
        };
        let before = of_ada(&crossed);
        as_user(&crossed, "bob", &mut |ctx| drop(applied(ctx, &crossed, &plan, &file)));
        prop_assert_eq!(of_ada(&crossed), before);
    }
}

#[test]
fn a_lead_is_not_known_any_more_by_what_was_emptied() {
    let file =
        "id,email,company\n1,(clear),\n,a@x.example,New\n2,b@x.example,Two\n2,(clear),\n,b@x.example,Too\n";
    for (planned_by, chunk) in [(1, 1), (1, 10), (2, 1), (10, 2), (10, 10)] {
        let host = Host::new();
        host.run("id,email,company\n1,a@x.example,Old\n");
        let options = ImportOptions::new().clear("(clear)").chunk(planned_by);
        let mut plan = host.plan(file, &options);
        let expected = [(2, "updated"), (3, "created"), (4, "created"), (5, "updated"), (6, "created")];
        assert_eq!(words(&plan), expected);
        plan.options.chunk = chunk;
        assert_eq!(counts(&host.apply(&plan, file)), (3, 2, 0, 0));
    }
}

#[test]
fn leads_that_a_row_may_mean_are_told_in_one_order() {
    let beside = ImportOptions::new().on_match(OnMatch::CreateNew);
    let mapping = mapping().rules("email", ColumnRules::new().default_value("c@x.example"));
    let file = "id,email,phone,code,company,city\n,,+47 22225556,,,\n,,,,X,\n,c@x.example,,,,\n";
    for (planned_by, chunk) in [(1, 1), (10, 1), (1, 10), (2, 2)] {
        let [host] = hosts();
        host.run_with("email,company\nc@x.example,A\nc@x.example,B\n", &beside);
        let options = plainly().mapping(mapping.clone()).ambiguous(OnAmbiguous::Review);
        let mut plan = host.plan(file, &options.chunk(planned_by));
        let Planned::Review { candidates, .. } = &plan.lines[2].decision else { panic!("{plan:?}") };
        let numbers: Vec<_> = candidates.iter().map(|candidate| candidate.number).collect();
        assert_eq!(numbers, [Some(1), Some(2), None, None]);
        plan.options.chunk = chunk;
        let report = host.apply(&plan, file);
        let numbers: Vec<_> = report.reviews[0].candidates.iter().map(|(_, number)| *number).collect();
        assert_eq!(numbers, [1, 2, 3, 4]);
    }
}

#[test]
fn leads_that_a_row_may_mean_are_called_what_they_are_called_then() {
    let file = "id,email,phone,code,company,city\n,c@x.example,,,,\n1,(clear),,k2,,\n";
    for chunk in [1, 2, 10] {
        let [host] = hosts();
        host.run_with(
            "id,email,phone,code,company,city\n1,a@x.example,,,,\n2,c@x.example,,,,\n1,c@x.example,,,,\n",
            &first_options(),
        );
        let options = plainly().mapping(mapping()).ambiguous(OnAmbiguous::Review);
        let plan = host.plan(file, &options.clear("(clear)").chunk(chunk));
        let Planned::Review { candidates, .. } = &plan.lines[0].decision else { panic!("{plan:?}") };
        let names: Vec<_> = candidates.iter().map(|candidate| candidate.name.as_deref()).collect();
        assert_eq!(names, [Some("a@x.example"), Some("c@x.example")], "in chunks of {chunk}");
    }
}

#[test]
fn a_unique_value_that_a_lead_gave_up_is_free() {
    let file = "id,code\n1,K2\n2,K1\n1,K1\n";
    let mapping =
        Mapping::default().with("id", Some(Field::ExternalId)).with("code", Some(Field::Custom(code())));
    for chunk in [1, 2, 10] {
        let [host] = hosts();
        let options = plainly().mapping(mapping.clone()).chunk(chunk);
        host.run_with("id,code\n1,K1\n", &options);
        let plan = host.plan(file, &options);
        assert_eq!(words(&plan), [(2, "updated"), (3, "created"), (4, "rejected")]);
        assert_eq!(counts(&host.apply(&plan, file)), (1, 1, 0, 1));
    }
}

#[test]
fn what_a_person_set_below_is_expected_above() {
    let host = Host::new();
    let file = "company,email\nA,a@x.example\nB,b@x.example\nC,\nD,\n";
    let mut plan = host.plan(file, &ImportOptions::new().chunk(1));
    plan.set(4, Field::Email, "a@x.example").unwrap();
    let Planned::Create { lead, .. } = plan.lines[1].decision else { panic!() };
    plan.take(5, lead).unwrap();
    let plan = import::replan(&host.system(), &host.store, &plan, Cursor::new(file), &mut ()).unwrap();
    assert_eq!(words(&plan), [(2, "created"), (3, "created"), (4, "updated"), (5, "updated")]);
    assert_eq!(counts(&host.apply(&plan, file)), (2, 2, 0, 0));
}
