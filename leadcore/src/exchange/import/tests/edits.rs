//! What a person changes in a plan: who may, what it means for the lines that follow, and that it stays.

use super::plans::{stored, words};
use super::policies::clerk;
use super::*;
use crate::domain::Field;
use crate::error::{ErrorKind, Violation, ViolationCode};
use crate::exchange::import::{Choice, Planned, PlannedLine};
use crate::id::LeadId;
use crate::policy::RoleTable;

fn again(host: &Host, plan: &ImportPlan, file: &str) -> ImportPlan {
    import::replan(&host.system(), &host.store, plan, Cursor::new(file.to_owned()), &mut ()).unwrap()
}

fn lead_of(line: &PlannedLine) -> LeadId {
    match line.decision {
        Planned::Create { lead, .. } | Planned::Update { lead, .. } => lead,
        _ => panic!("{line:?}"),
    }
}

/// Ada sees everything, bob no city.
fn team() -> RoleTable {
    RoleTable::new()
        .role("clerk", clerk())
        .role("blind", clerk().hide(Field::City).unwrap())
        .user(&"ada".parse().unwrap(), &["clerk"], None)
        .unwrap()
        .user(&"bob".parse().unwrap(), &["blind"], None)
        .unwrap()
}

/// What a plan is refused with by each who reads it: carried out, carried out from a stream, planned again.
fn refusals(
    host: &Host,
    who: &str,
    policy: &dyn Policy,
    plan: &ImportPlan,
    file: &str,
) -> Vec<Vec<Violation>> {
    let ctx = host.ctx(Actor::User(who.parse().unwrap()), policy);
    let mut stream = Vec::new();
    plan.write_lines(&mut stream).unwrap();
    let input = || Cursor::new(file.to_owned());
    let before = host.dump();
    let errors = [
        import::apply(&ctx, &host.store, plan, input(), None, &mut ()).unwrap_err(),
        import::apply_from(&ctx, &host.store, Cursor::new(&stream), input(), None, &mut ()).unwrap_err(),
        import::replan(&ctx, &host.store, plan, input(), &mut ()).unwrap_err(),
    ];
    assert_eq!(host.dump(), before);
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::Invalid), "{errors:?}");
    errors.into_iter().map(|error| error.violations().to_vec()).collect()
}

#[test]
fn texts_for_fields_are_held_to_what_columns_are_held_to() {
    let (host, policy, file) = (Host::new(), team(), "email\na@x.example\nb@x.example\n");
    let ada = host.ctx(Actor::User("ada".parse().unwrap()), &policy);
    let plan = import::plan(&ada, &host.store, Cursor::new(file), &ImportOptions::new(), &mut ()).unwrap();
    // Of a field that the one who applies it may not see, whoever made the plan.
    let mut edited = plan.clone();
    edited.set(3, Field::City, "Oslo").unwrap();
    let as_column = {
        let bob = host.ctx(Actor::User("bob".parse().unwrap()), &policy);
        let mapping = crate::exchange::Mapping::default().with("email", Some(Field::City));
        let options = ImportOptions::new().mapping(mapping);
        import::run(&bob, &host.store, Cursor::new(file), &options, None, &mut ()).unwrap_err()
    };
    for refused in refusals(&host, "bob", &policy, &edited, file) {
        assert_eq!(refused, as_column.violations());
    }
    // Of fields that there are not, and that nobody sets.
    for (key, code) in [("x_nothing", ViolationCode::Unknown), ("number", ViolationCode::NotAllowed)] {
        let mut edited = plan.clone();
        edited.lines[0].set.insert(key.parse().unwrap(), "7".to_owned());
        for refused in refusals(&host, "ada", &policy, &edited, file) {
            let told: Vec<_> = refused.iter().map(|at| (at.field.as_str(), at.code)).collect();
            assert_eq!(told, [(format!("set.{key}").as_str(), code)]);
        }
    }
    let report = import::apply(&ada, &host.store, &edited, Cursor::new(file), None, &mut ()).unwrap();
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
    assert_eq!(host.leads()[1].fields.address.city(), Some("Oslo"));
}

#[test]
fn lines_that_follow_an_edited_one_mean_the_lead_that_it_creates() {
    let file = "id,company,email,phone\n1,A,a@x.example,\n1,,,+4722225555\n1,B,,\n,C,a@x.example,\n";
    for (chunk, edit) in [1, 2, 10].into_iter().flat_map(|chunk| (0..3).map(move |edit| (chunk, edit))) {
        let host = Host::new();
        let mut plan = host.plan(file, &ImportOptions::new().chunk(chunk));
        assert_eq!(words(&plan), [(2, "created"), (3, "updated"), (4, "updated"), (5, "updated")]);
        match edit {
            0 => plan.set(2, Field::City, "Oslo").unwrap(),
            // A value that a line below writes over.
            1 => plan.set(2, Field::Company, "Z").unwrap(),
            _ => plan.create(2).unwrap(),
        }
        let planned = lead_of(&plan.lines[0]);
        let report = host.apply(&stored(&plan), file);
        assert_eq!(counts(&report), (1, 3, 0, 0), "{chunk} {edit} {report}");
        let lead = host.leads().remove(0);
        assert_eq!((lead.id, lead.fields.company.as_deref()), (planned, Some("C")));
    }
}

#[test]
fn a_line_below_an_edited_one_writes_nothing_that_was_not_planned() {
    let host = Host::new();
    let file = "id,company,city\n1,A,Oslo\n1,A,Oslo\n";
    let mut plan = host.plan(file, &ImportOptions::new());
    assert_eq!(words(&plan), [(2, "created"), (3, "unchanged")]);
    plan.set(2, Field::City, "Moss").unwrap();
    let report = host.apply(&plan, file);
    assert_eq!((counts(&report), report.stale_lines), ((1, 0, 1, 0), vec![3]));
    assert_eq!(host.leads()[0].fields.address.city(), Some("Moss"));
}

#[test]
fn a_lead_that_a_line_creates_keeps_its_id_when_planned_again() {
    let host = Host::new();
    let file = "id,company\n1,A\n2,B\n3,C\n";
    let mut plan = host.plan(file, &ImportOptions::new());
    let first = lead_of(&plan.lines[0]);
    plan.take(4, first).unwrap();
    for _ in 0..2 {
        plan = again(&host, &plan, file);
        assert_eq!(words(&plan), [(2, "created"), (3, "created"), (4, "updated")]);
        assert_eq!([lead_of(&plan.lines[0]), lead_of(&plan.lines[2])], [first, first]);
    }
    plan.options.chunk = 1;
    assert_eq!(words(&again(&host, &plan, file)), words(&plan));
    assert_eq!(counts(&host.apply(&stored(&plan), file)), (2, 1, 0, 0));
}

#[test]
fn a_line_that_is_taken_away_is_a_line_left_out_and_stays_so() {
    let file = "company,email\nA,a@x.example\nB,b@x.example\nC,c@x.example\n";
    let host = Host::new();
    let mut plan = host.plan(file, &ImportOptions::new());
    plan.lines.remove(1);
    plan.skip(4).unwrap();
    let mut replanned = plan.clone();
    for _ in 0..2 {
        replanned = again(&host, &stored(&replanned), file);
        assert_eq!(words(&replanned), [(2, "created"), (3, "left_out"), (4, "left_out")]);
        assert!(replanned.lines[1..].iter().all(|line| line.choice == Some(Choice::Skip)));
    }
    for plan in [plan, replanned.clone()] {
        let host = Host::new();
        let report = host.apply(&plan, file);
        assert_eq!(counts(&report), (1, 0, 2, 0), "{report}");
    }
    // It is there to be taken after all.
    replanned.reset(3).unwrap();
    assert_eq!(words(&again(&host, &replanned, file))[1], (3, "created"));
}

#[test]
fn what_a_plan_did_not_look_at_is_not_left_out() {
    let file = "company,email\nA,a@x.example\nB,b@x.example\nC,c@x.example\n";
    let host = Host::new();
    let options = ImportOptions::new().chunk(1);
    let mut heard = Heard { stop_after: Some(1), ..Heard::default() };
    host.hear(&host.store, file, &options, &mut heard).unwrap_err();
    let mut rest = host.plan(file, &options);
    assert_eq!(words(&rest), [(3, "created"), (4, "created")]);
    rest.skip(3).unwrap();
    rest.options.attempt = 2;
    assert_eq!(words(&again(&host, &rest, file)), [(2, "unchanged"), (3, "left_out"), (4, "created")]);
    host.run_with(file, &options);
    let mut repeated = host.plan(file, &options);
    assert_eq!(repeated.lines.len(), 0);
    repeated.options.attempt = 2;
    let words = words(&again(&host, &repeated, file));
    assert_eq!(words, [(2, "unchanged"), (3, "unchanged"), (4, "unchanged")]);
}

#[test]
fn a_line_is_open_once_cells_are_set_until_it_is_planned_again() {
    let host = Host::new();
    let options = ImportOptions::new().decimal_mark(crate::value::DecimalMark::Comma);
    let file = "Company,E-mail,Amount\nA,wrong,much\n";
    let mut plan = host.plan(file, &options);
    assert!(matches!(plan.lines[0].decision, Planned::Reject { .. }) && !plan.lines[0].open);
    plan.set(2, Field::Email, "a@x.example").unwrap();
    plan.set_number(2, Field::Amount, "1.234".parse().unwrap()).unwrap();
    assert!(plan.lines[0].open);
    let kept: ImportPlan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    let ctx = host.system();
    let mut again = import::replan(&ctx, &host.store, &kept, Cursor::new(file), &mut ()).unwrap();
    assert!(matches!(again.lines[0].decision, Planned::Create { .. }) && !again.lines[0].open);
    assert_eq!(counts(&host.apply(&again, file)), (1, 0, 0, 0));
    assert_eq!(host.leads()[0].fields.amount.unwrap().to_string(), "1.234", "a number, whatever the mark");
    // Without what was set then, nothing is decided.
    again.reset(2).unwrap();
    assert!(again.lines[0].open);
    plan.reset(2).unwrap();
    assert!(!plan.lines[0].open, "as it was planned");
    plan.set_number(2, Field::Amount, "2.5".parse().unwrap()).unwrap();
    plan.set(2, Field::Amount, "2,5").unwrap();
    assert!(plan.lines[0].numbers.is_empty() && plan.lines[0].open);
}

#[test]
fn a_number_that_becomes_a_text_is_decided_anew() {
    let host = Host::new();
    let options = ImportOptions::new().decimal_mark(crate::value::DecimalMark::Comma);
    let file = "Company,E-mail,Amount\nA,a@x.example,5\n";
    let mut plan = host.plan(file, &options);
    plan.set_number(2, Field::Amount, "1.234".parse().unwrap()).unwrap();
    plan = again(&host, &plan, file);
    assert!(!plan.lines[0].open);
    // The same again changes nothing, the same signs as a text do: they are another amount.
    plan.set_number(2, Field::Amount, "1.234".parse().unwrap()).unwrap();
    assert!(!plan.lines[0].open, "as it was decided");
    plan.set(2, Field::Amount, "1.234").unwrap();
    assert!(plan.lines[0].open);
    let report = host.apply(&stored(&plan), file);
    assert_eq!(counts(&report), (1, 0, 0, 0), "{report}");
    assert_eq!(host.leads()[0].fields.amount.unwrap().normalize().to_string(), "1234");
}

#[test]
fn a_line_is_taken_back_to_what_it_was_planned_with() {
    let host = Host::new();
    let file = "Company,E-mail\nA,a@x.example\n";
    let mut plan = host.plan(file, &ImportOptions::new());
    plan.set(2, Field::City, "Oslo").unwrap();
    let mut plan = again(&host, &plan, file);
    // Without what it was decided with, whatever was set in between and how often it is taken back.
    for city in [None, Some("Moss"), None] {
        city.map_or(Ok(()), |city| plan.set(2, Field::City, city)).unwrap();
        plan.reset(2).unwrap();
        assert!(plan.lines[0].open);
    }
    plan.set(2, Field::City, "Oslo").unwrap();
    assert!(!plan.lines[0].open);
    plan.reset(2).unwrap();
    assert_eq!(counts(&host.apply(&stored(&plan), file)), (1, 0, 0, 0));
    assert_eq!(host.leads()[0].fields.address.city(), None);
}

#[test]
fn a_number_that_is_set_counts_ones_and_a_text_what_its_column_counts() {
    use crate::exchange::Mapping;
    use crate::exchange::mapping::{ColumnRules, Unit};
    let host = Host::new();
    let file = "Company,Amt,P,Size\nA,5,0.25,1\n";
    let ctx = host.system();
    host.store
        .write(ctx.tenant(), |txn| {
            let (revision, mut catalogue) = crate::desk::settings::catalogue(&ctx, txn)?;
            let kind = crate::domain::CustomType::Integer;
            catalogue.set_custom_field(crate::domain::CustomField::new("x_n".parse().unwrap(), "Size", kind));
            crate::desk::settings::set_catalogue(&ctx, txn, revision, &catalogue)
        })
        .unwrap();
    let x_n: Field = "x_n".parse().unwrap();
    let mapping = Mapping::default()
        .with("Company", Some(Field::Company))
        .with("Amt", Some(Field::Amount))
        .rules("Amt", ColumnRules::new().unit(Unit::Thousands))
        .with("P", Some(Field::Probability))
        .rules("P", ColumnRules::new().unit(Unit::Fractions))
        .with("Size", Some(x_n.clone()))
        .rules("Size", ColumnRules::new().unit(Unit::Thousands));
    let mut plan = host.plan(file, &ImportOptions::new().mapping(mapping));
    plan.set_number(2, Field::Amount, "7".parse().unwrap()).unwrap();
    plan.set_number(2, Field::Probability, "40".parse().unwrap()).unwrap();
    plan.set_number(2, x_n, "3".parse().unwrap()).unwrap();
    let told = |plan: &ImportPlan| format!("{:?}", again(&host, plan, file).lines[0].decision);
    let found = told(&plan);
    for told in ["Decimal(7)", "Integer(40)", "Integer(3)"] {
        assert!(found.contains(told), "{told}: {found}");
    }
    plan.set(2, Field::Amount, "7").unwrap();
    plan.set(2, Field::Probability, "0.4").unwrap();
    let found = told(&plan);
    for told in ["7000", "Integer(40)"] {
        assert!(found.contains(told), "{told}: {found}");
    }
}
