//! What a plan shows holds: marks of addresses, lines that a person edited, and the file that it is kept in.

use super::plans::{facts, stored, words};
use super::*;
use crate::desk;
use crate::domain::{Field, FieldChange, LeadPatch};
use crate::error::ErrorKind;
use crate::exchange::Mapping;
use crate::exchange::import::{Choice, Planned};
use crate::exchange::mapping::{ColumnRules, OptOut};

fn edit(host: &Host, place: usize, field: Field, value: &str) {
    let (ctx, lead) = (host.system(), host.leads()[place].id);
    let patch = LeadPatch::new().set(field, value);
    host.store
        .write(ctx.tenant(), |txn| desk::leads::edit(&ctx, txn, lead, desk::Expect::Any, &patch))
        .unwrap();
}

fn again(host: &Host, plan: &ImportPlan, file: &str) -> ImportPlan {
    let input = Cursor::new(file.to_owned());
    stored(&import::replan(&host.system(), &host.store, plan, input, &mut ()).unwrap())
}

fn changes(plan: &ImportPlan, at: usize) -> Vec<(String, FieldChange)> {
    let list = match &plan.lines[at].decision {
        Planned::Create { values, .. } => values,
        Planned::Update { changes, .. } => changes,
        other => panic!("{other:?}"),
    };
    list.iter().map(|change| (change.field.clone(), change.clone())).collect()
}

fn city(host: &Host, place: usize) -> String {
    host.leads()[place].fields.address.city().unwrap_or_default().to_owned()
}

const CONSENT: &str = "Company,E-mail,OK to call,City\nA,a@a.example,yes,Os\n";

fn consent() -> ImportOptions {
    let rules =
        ColumnRules { opt_out: Some(OptOut::Own), inverted: true, opt_in: true, ..ColumnRules::new() };
    let mapping = Mapping::default()
        .with("Company", Some(Field::Company))
        .with("E-mail", Some(Field::Email))
        .with("City", Some(Field::City))
        .with("OK to call", Some(Field::Phone))
        .rules("OK to call", rules);
    ImportOptions::new().mapping(mapping)
}

#[test]
fn an_objection_since_the_plan_makes_its_line_stale() {
    let host = Host::new();
    host.run("Company,E-mail,Phone\nA,a@a.example,+4722222222\n");
    let plan = host.plan(CONSENT, &consent());
    assert_eq!(changes(&plan, 0).into_iter().map(|(field, _)| field).collect::<Vec<_>>(), ["city"]);
    edit(&host, 0, Field::Phone, "+4722222222 (opted_out)");
    let report = host.apply(&stored(&plan), CONSENT);
    assert_eq!(report.stale_lines, [2]);
    assert!(host.leads()[0].fields.phones.entries()[0].opted_out);
}

#[test]
fn a_plan_tells_marks_and_uses_of_addresses() {
    let host = Host::new();
    host.run("Company,E-mail,Phone\nA,a@a.example,+4722222222 (opted_out)\n");
    let plan = host.plan(CONSENT, &consent());
    let (_, phone) = changes(&plan, 0).into_iter().find(|(field, _)| field == "phone").unwrap();
    assert_eq!(serde_json::to_value(&phone.before).unwrap(), serde_json::json!(["+4722222222 (opted_out)"]));
    assert_eq!(serde_json::to_value(&phone.after).unwrap(), serde_json::json!(["+4722222222 ()"]));
    assert_eq!(counts(&host.apply(&stored(&plan), CONSENT)), (0, 1, 0, 0));
    assert!(!host.leads()[0].fields.phones.entries()[0].opted_out);
    // The use, and a mark on a new lead.
    let file = "Company,E-mail\nA,a@a.example (work)\nB,b@b.example (invalid)\n";
    let plan = host.plan(file, &ImportOptions::new());
    for (at, after) in [(0, "a@a.example (work)"), (1, "b@b.example (invalid)")] {
        let (_, email) = changes(&plan, at).into_iter().find(|(field, _)| field == "email").unwrap();
        assert_eq!(serde_json::to_value(&email.after).unwrap(), serde_json::json!([after]));
    }
    assert_eq!(counts(&host.apply(&stored(&plan), file)), (1, 1, 0, 0));
}

#[test]
fn a_line_that_a_person_edited_is_held_to_its_plan() {
    let file = "Company,E-mail,City\nA AS,a@a.example,Oslo\n";
    // A lead came meanwhile that the line would write over.
    for stream in [false, true] {
        let host = Host::new();
        let mut plan = host.plan(file, &ImportOptions::new());
        plan.set(2, Field::Industry, "I").unwrap();
        host.run("Company,E-mail,City\nA AS,a@a.example,MINE\n");
        let report = if stream {
            let mut lines = Vec::new();
            plan.write_lines(&mut lines).unwrap();
            let (ctx, input) = (host.system(), Cursor::new(file));
            import::apply_from(&ctx, &host.store, Cursor::new(lines), input, None, &mut ()).unwrap()
        } else {
            host.apply(&stored(&plan), file)
        };
        assert_eq!((counts(&report), report.stale_lines), ((0, 0, 1, 0), vec![2]));
        assert_eq!(city(&host, 0), "MINE");
        // Planned again, it says what it does.
        plan.options.attempt = 2;
        let report = host.apply(&again(&host, &plan, file), file);
        assert_eq!((counts(&report), city(&host, 0)), ((0, 1, 0, 0), "Oslo".to_owned()));
    }
}

#[test]
fn an_edited_line_that_still_holds_is_written_as_edited() {
    let file = "Company,E-mail,City\nA AS,a@a.example,Oslo\nB AS,wrong,Moss\n";
    for lead in [false, true] {
        let host = Host::new();
        if lead {
            host.run("Company,E-mail,City\nA AS,a@a.example,Bergen\n");
        }
        let mut plan = host.plan(file, &ImportOptions::new());
        plan.set(2, Field::City, "Voss").unwrap();
        plan.set(3, Field::Email, "b@b.example").unwrap();
        // What the plan does not touch does not matter.
        if lead {
            edit(&host, 0, Field::Website, "https://a.example");
        }
        let again = again(&host, &plan, file);
        let report = host.apply(&stored(&plan), file);
        assert_eq!((report.rejected, report.skipped), (0, 0), "{report}");
        assert_eq!((city(&host, 0), city(&host, 1)), ("Voss".to_owned(), "Moss".to_owned()));
        // The same by way of a second plan, and edited once more after it.
        let other = Host::new();
        if lead {
            other.run("Company,E-mail,City\nA AS,a@a.example,Bergen\n");
            edit(&other, 0, Field::Website, "https://a.example");
        }
        let mut again = again.clone();
        again.set(2, Field::Industry, "Fishing").unwrap();
        let report = other.apply(&stored(&again), file);
        assert_eq!((report.rejected, report.skipped), (0, 0), "{report}");
        assert_eq!(other.leads()[0].fields.industry.as_deref(), Some("Fishing"));
        assert_eq!(facts(&host).len(), facts(&other).len());
    }
}

#[test]
fn a_line_to_be_updated_and_a_lead_that_a_person_took_are_held_too() {
    let file = "Company,E-mail,City\nA AS,a@a.example,Oslo\n";
    let start = "Company,E-mail,City\nA AS,a@a.example,Bergen\nB AS,b@b.example,Moss\n";
    for way in 0..4 {
        let host = Host::new();
        host.run(start);
        let two = host.leads()[1].id;
        let mut plan = host.plan(file, &ImportOptions::new());
        let lead = usize::from(way > 1);
        match way {
            0 => plan.set(2, Field::Industry, "I").unwrap(),
            1 => {
                plan.set(2, Field::Industry, "I").unwrap();
                plan = again(&host, &plan, file);
                plan.set(2, Field::Description, "D").unwrap();
            }
            2 => {
                plan.take(2, two).unwrap();
                plan = again(&host, &plan, file);
            }
            _ => {
                plan.take(2, two).unwrap();
                plan = again(&host, &plan, file);
                plan.set(2, Field::Industry, "I").unwrap();
            }
        }
        edit(&host, lead, Field::City, "MINE");
        let report = host.apply(&stored(&plan), file);
        assert_eq!((counts(&report), report.stale_lines), ((0, 0, 1, 0), vec![2]), "{way}");
        assert_eq!(city(&host, lead), "MINE");
    }
    // Where a person went another way than the plan, the plan does not show what would hold.
    let host = Host::new();
    host.run(start);
    let two = host.leads()[1].id;
    let mut plan = host.plan(file, &ImportOptions::new());
    plan.take(2, two).unwrap();
    edit(&host, 1, Field::City, "Voss");
    assert_eq!(counts(&host.apply(&plan, file)), (0, 1, 0, 0));
    assert_eq!(plan.lines[0].choice, Some(Choice::Take(two)));
}

fn person(file: &str, set: &[(Field, &str)]) -> (String, ImportReport, Lead) {
    let host = Host::new();
    let mut plan = host.plan(file, &ImportOptions::new());
    for (field, text) in set {
        plan.set(2, field.clone(), text).unwrap();
    }
    let again = again(&host, &plan, file);
    let report = host.apply(&plan, file);
    let lead = host.leads().remove(0);
    let told = changes(&again, 0).into_iter().find(|(field, _)| field == "name");
    let told = told.and_then(|(_, change)| change.after.as_text().map(str::to_owned)).unwrap_or_default();
    (told, report, lead)
}

#[test]
fn a_text_stands_for_everything_that_says_the_same() {
    let name = |lead: &Lead| lead.fields.person.as_ref().unwrap().full().to_owned();
    let parts = "Company,First name,Last name\nA,Eva,Lund\n";
    let (told, _, lead) = person(parts, &[(Field::Name, "Ola Berg")]);
    assert_eq!((told.as_str(), name(&lead).as_str()), ("Ola Berg", "Ola Berg"));
    let (_, _, lead) = person(parts, &[(Field::LastName, "Berg")]);
    assert_eq!(name(&lead), "Eva Berg");
    let whole = "Company,Name\nA,Eva Lund\n";
    let (_, _, lead) = person(whole, &[(Field::FirstName, "Ola")]);
    assert_eq!(name(&lead), "Ola Lund");
    let (_, _, lead) = person(whole, &[(Field::Name, "Ola Berg"), (Field::LastName, "Dahl")]);
    assert_eq!(name(&lead), "Ola Dahl");
    // An amount and its currency.
    let amount = "Company,Amount,Currency\nA,NOK 500,NOK\n";
    for (set, currency, expected) in [
        (vec![(Field::Currency, "EUR")], "EUR", "500"),
        (vec![(Field::Amount, "EUR 700")], "EUR", "700"),
        (vec![(Field::Amount, "700")], "NOK", "700"),
    ] {
        let (_, report, lead) = person(amount, &set);
        assert_eq!(report.rejected, 0, "{report}");
        let told = lead.fields.amount.unwrap().normalize().to_string();
        assert_eq!((lead.fields.currency.unwrap().code(), told.as_str()), (currency, expected));
    }
    // A part of an address beside a whole line of it.
    let (_, _, lead) = person("Company,Address\nA,\"Storgata 1, 0155 Oslo\"\n", &[(Field::City, "Moss")]);
    assert_eq!(lead.fields.address.city(), Some("Moss"));
    // A value for every line.
    let host = Host::new();
    let file = "Company,E-mail\nA,a@a.example\nB,b@b.example\n";
    let mapping = Mapping::default()
        .with("Company", Some(Field::Company))
        .with("E-mail", Some(Field::Email))
        .constant(Field::Labels, "Fair")
        .constant(Field::City, "Oslo");
    let mut plan = host.plan(file, &ImportOptions::new().mapping(mapping));
    plan.set(2, Field::City, "").unwrap();
    plan.set(2, Field::Labels, "Web").unwrap();
    host.apply(&plan, file);
    assert_eq!((city(&host, 0), city(&host, 1)), (String::new(), "Oslo".to_owned()));
    assert_eq!(host.leads()[0].fields.labels.len(), 1);
}

#[test]
fn a_damaged_plan_writes_nothing() {
    let host = Host::new();
    let rows: String = (0..300).map(|n| format!("C{n},c{n}@x.example\n")).collect();
    let file = format!("company,email\n{rows}");
    let plan = host.plan(file.clone(), &ImportOptions::new().chunk(10));
    let mut stream = Vec::new();
    plan.write_lines(&mut stream).unwrap();
    let text = String::from_utf8(stream).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let with = |at: usize, line: &str| {
        let mut own: Vec<_> = lines.clone();
        own[at - 1] = line;
        format!("{}\n", own.join("\n"))
    };
    let misspelt = lines[250].replacen('{', r#"{"chioce":"skip","#, 1);
    let deep = lines[250].replacen(r#""decision":{"#, r#""decision":{"reson":"x","#, 1);
    let nothing = lines[250].replacen('{', r#"{"set":{"x_nothing":"1"},"#, 1);
    let other = lines[301].replace(&plan.report.digest, &"0".repeat(64));
    let option = lines[0].replacen(r#""options":{"#, r#""options":{"on_mach":"skip","#, 1);
    for (plan, field) in [
        (with(251, &lines[250][..40]), "plan line 251"),
        (with(251, &misspelt), "plan line 251"),
        (with(251, &deep), "plan line 251"),
        (with(251, &nothing), "set.x_nothing"),
        (with(251, lines[249]), "plan line 251"),
        (with(302, &other), "plan line 302"),
        (with(302, ""), "plan line 302"),
        (format!("{text}{}\n", lines[300]), "plan line 303"),
        (with(1, &option), "plan line 1"),
    ] {
        let (ctx, before) = (host.system(), host.dump());
        let input = Cursor::new(file.clone());
        let error =
            import::apply_from(&ctx, &host.store, Cursor::new(plan), input, None, &mut ()).unwrap_err();
        let told = (error.kind(), error.violations()[0].field.as_str());
        assert_eq!(told, (ErrorKind::Invalid, field), "{error}");
        assert_eq!(host.dump(), before, "{field}");
    }
    // The same of a plan as one text.
    let json = serde_json::to_string(&plan).unwrap();
    let misspelt = json.replacen(r#"{"line":5,"#, r#"{"chioce":"skip","line":5,"#, 1);
    let told = ImportPlan::from_json(&misspelt).unwrap_err();
    assert_eq!(told.violations()[0].field, "plan.lines[3]");
    let mut swapped = ImportPlan::from_json(&json).unwrap();
    swapped.lines.swap(1, 2);
    let (ctx, input) = (host.system(), Cursor::new(file.clone()));
    let error = import::apply(&ctx, &host.store, &swapped, input, None, &mut ()).unwrap_err();
    assert_eq!(error.violations()[0].field, "plan.lines[2]");
    assert_eq!(words(&plan).len(), 300);
    let report = {
        let input = Cursor::new(file);
        import::apply_from(&ctx, &host.store, Cursor::new(&text), input, None, &mut ()).unwrap()
    };
    assert_eq!(report.created, 300);
}

#[test]
fn a_source_is_set_where_no_column_has_one() {
    let host = Host::new();
    host.run("Company,E-mail,Source\nOld,o@x.example,Fair\n");
    let file = "Company,E-mail\nA,a@x.example\n";
    let mut plan = host.plan(file, &ImportOptions::new());
    let line = plan.lines[0].line;
    plan.set(line, Field::Source, "Fair").unwrap();
    let plan = again(&host, &plan, file);
    assert!(plan.report.new_values.is_empty(), "it is known: {:?}", plan.report.new_values);
    let report = host.apply(&plan, file);
    assert_eq!((report.created, report.rejected), (1, 0), "{report}");
}
