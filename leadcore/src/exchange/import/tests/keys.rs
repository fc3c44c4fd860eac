//! By what a row's lead is recognised, what becomes of it, and what single cells mean.

use super::*;
use crate::desk;
use crate::domain::{CustomField, CustomKey, CustomType, Field, FieldValue};
use crate::exchange::Mapping;
use crate::exchange::import::{MatchBy, OnAmbiguous, OnMatch, SkipReason, TermRule, UnknownTerm};

fn mapped(columns: &[(&str, Field)]) -> Mapping {
    columns
        .iter()
        .fold(Mapping::default(), |mapping, (header, field)| mapping.with(header, Some(field.clone())))
}

fn names(host: &Host) -> Vec<String> {
    host.leads().iter().map(|lead| lead.fields.display_name().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_lead_is_found_by_its_id_or_number() {
    let host = Host::new();
    host.run("company,email\nA,a@x.example\nB,b@x.example\n");
    let ids: Vec<_> = host.leads().iter().map(|lead| lead.id).collect();
    let mapping = mapped(&[("key", Field::Number), ("name", Field::Company)]);
    let by_number = ImportOptions::new().mapping(mapping).match_by(vec![MatchBy::Number]);
    let report = host.run_with("key,name\n2,Bee\n7,Gone\n,New\nx,Odd\n", &by_number);
    assert_eq!(counts(&report), (1, 1, 0, 2), "{report}");
    let rejected: Vec<_> = report.rejections.iter().map(|told| (told.line, told.field.as_str())).collect();
    assert_eq!(rejected, [(3, "number"), (5, "number")]);
    assert_eq!(names(&host), ["A", "Bee", "New"]);
    let mapping = mapped(&[("key", Field::Id), ("name", Field::Company)]);
    let by_id = ImportOptions::new().mapping(mapping.clone()).match_by(vec![MatchBy::Id]);
    let file = format!("key,name\n{},Ay\n{},Bee\n", ids[0], ids[1]);
    assert_eq!(counts(&host.dry(file.clone(), &by_id)), (0, 1, 1, 0));
    assert_eq!(counts(&host.run_with(file, &by_id)), (0, 1, 1, 0));
    // The same lead twice: the second row says the same as the first, also where a chunk lies between them.
    let twice = format!("key,name\n{0},A\n{1},B\n{0},A\n", ids[0], ids[1]);
    let (dry, run) =
        (host.dry(twice.clone(), &by_id.clone().chunk(1)), host.run_with(twice, &by_id.chunk(1)));
    assert_eq!((counts(&dry), counts(&run)), ((0, 2, 1, 0), (0, 2, 1, 0)));
    // Without being a key, the engine's own fields are not written.
    let input = Cursor::new("key,name\n1,X\n");
    let wrong = ImportOptions::new().mapping(mapping).match_by(vec![MatchBy::Number]);
    let error = import::run(&host.system(), &host.store, input, &wrong, None, &mut ()).unwrap_err();
    assert_eq!(error.violations()[0].field, "mapping.id");
}

#[test]
fn a_unique_field_recognises_leads_and_another_does_not() {
    let host = Host::new();
    let ctx = host.system();
    let key = CustomKey::new("x_code").unwrap();
    let unique = CustomField::new(key.clone(), "Code", CustomType::Text).unique(true);
    let plain = CustomField::new(CustomKey::new("x_plain").unwrap(), "Plain", CustomType::Text);
    let mut catalogue = crate::domain::Catalogue::standard();
    [unique, plain].into_iter().for_each(|field| catalogue.set_custom_field(field));
    host.store.write(ctx.tenant(), |txn| desk::settings::set_catalogue(&ctx, txn, None, &catalogue)).unwrap();
    let by = ImportOptions::new().match_by(vec![MatchBy::Custom(key.clone())]);
    assert_eq!(counts(&host.run_with("Code,company\nK1,A\nK2,B\n", &by)), (2, 0, 0, 0));
    assert_eq!(counts(&host.run_with("Code,company\nk1,Ay\nK3,C\nK1,Az\n", &by)), (1, 2, 0, 0));
    assert_eq!(names(&host), ["Az", "B", "C"]);
    let refused = |by: &str| {
        let options = ImportOptions::new().match_by(vec![MatchBy::Custom(CustomKey::new(by).unwrap())]);
        let input = Cursor::new("Plain,company\nK1,A\n");
        let error = import::run(&host.system(), &host.store, input, &options, None, &mut ()).unwrap_err();
        error.violations()[0].field.clone()
    };
    assert_eq!(
        (refused("x_plain"), refused("x_none")),
        ("match_by.x_plain".into(), "match_by.x_none".into())
    );
    assert_eq!(refused("x_code"), "match_by", "no column has it");
}

#[test]
fn the_first_key_of_the_order_decides() {
    let host = Host::new();
    host.run("id,email,company\n1,a@x.example,A\n2,b@x.example,B\n");
    let file = "id,email,company\n1,b@x.example,New\n";
    let by_mail = ImportOptions::new().match_by(vec![MatchBy::Email, MatchBy::ExternalId]);
    let report = host.run_with(file, &by_mail);
    assert_eq!(counts(&report), (0, 1, 0, 0));
    assert_eq!(names(&host), ["A", "New"], "the id that it has stays");
    // An id of another lead is not taken over.
    let report =
        host.run_with("id,email,company\n1,c@x.example,C\n", &by_mail.clone().match_by(vec![MatchBy::Email]));
    assert_eq!(counts(&report), (0, 0, 0, 1), "{report}");
    assert_eq!(report.rejections[0].field, "external_id");
}

#[test]
fn modes_create_only_update_only_or_beside() {
    let host = Host::new();
    host.run("email,company\na@x.example,A\n");
    let file = "email,company\na@x.example,Ay\nb@x.example,B\n";
    let (mut heard, plain) = (Heard::default(), ImportOptions::new());
    let report = host.hear(&host.store, file, &plain.clone().update_only(), &mut heard).unwrap();
    assert_eq!((counts(&report), heard.words()), ((0, 1, 1, 0), vec![(2, "updated"), (3, "missing")]));
    assert_eq!(report.skips[&SkipReason::Missing], 1);
    assert_eq!(counts(&host.run_with(file, &plain.clone().create_only())), (1, 0, 1, 0));
    assert_eq!(counts(&host.run_with(file, &plain.on_match(OnMatch::CreateNew))), (2, 0, 0, 0));
    assert_eq!(names(&host), ["Ay", "B", "Ay", "B"]);
}

#[test]
fn what_may_mean_several_leads_is_left_to_a_person() {
    let host = Host::new();
    let beside = ImportOptions::new().on_match(OnMatch::CreateNew);
    host.run_with("email,company\na@x.example,A\na@x.example,B\n", &beside);
    let file = "email,company\na@x.example,C\nb@x.example,D\n";
    let options = ImportOptions::new().ambiguous(OnAmbiguous::Review);
    let (mut rejects, mut heard) = (Vec::new(), Heard::default());
    let ctx = host.system();
    let report =
        import::run(&ctx, &host.store, Cursor::new(file), &options, Some(&mut rejects), &mut heard).unwrap();
    accounted(&report);
    assert_eq!((report.review, report.created), (1, 1));
    let numbers: Vec<_> = report.reviews[0].candidates.iter().map(|(_, number)| *number).collect();
    assert_eq!((report.reviews[0].line, numbers), (2, vec![1, 2]));
    assert_eq!(heard.words(), [(2, "review"), (3, "created")]);
    assert!(
        String::from_utf8(rejects).unwrap().contains("a@x.example,C,email,several leads have this e-mail")
    );
}

#[test]
fn a_token_empties_a_field_and_an_empty_cell_does_not() {
    let host = Host::new();
    host.run("id,company,email,phone,city,tags,amount\n1,A,a@x.example,+47 22225555,Oslo,x,10\n");
    let options = ImportOptions::new().clear("(clear)");
    let file = "id,company,email,phone,city,tags,amount\n1,,(CLEAR),,(clear),(clear),\n";
    let plan = host.plan(file, &options);
    let import::Planned::Update { changes, .. } = &plan.lines[0].decision else { panic!("{plan:?}") };
    let emptied: Vec<_> =
        changes.iter().filter(|change| change.after.is_empty()).map(|c| c.field.as_str()).collect();
    assert_eq!(emptied, ["email", "city", "labels"]);
    assert_eq!(counts(&host.run_with(file, &options)), (0, 1, 0, 0));
    let lead = host.leads().remove(0);
    assert!(lead.fields.emails.is_empty() && lead.fields.labels.is_empty());
    assert_eq!((lead.fields.address.city(), lead.fields.company.as_deref()), (None, Some("A")));
    assert_eq!(lead.fields.phones.iter().count(), 1);
    // Several columns of one field: what another one says is there afterwards.
    let report = host.run_with("id,email,email 2\n1,(clear),b@x.example\n", &options);
    assert_eq!(counts(&report), (0, 1, 0, 0));
    assert_eq!(
        host.leads()[0].fields.emails.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["b@x.example"]
    );
    // What cannot be empty is refused.
    let report = host.run_with("id,company,kind\n1,(clear),\n1,,(clear)\n", &options);
    let fields: Vec<_> = report.rejections.iter().map(|told| told.field.as_str()).collect();
    assert_eq!(fields, ["kind"], "{report}");
    assert!(ImportOptions::new().clear(" ").check().is_err());
}

#[test]
fn unknown_names_are_created_refused_or_mean_another_by_field() {
    let host = Host::new();
    host.run("company,source\nA,Fair\n");
    let file =
        "company,source,category,tags,country\nB,Messe,Metal,\"odd,x\",Norge\nC,Radio,,,NO\nD,tbd,,,\n";
    let options = ImportOptions::new()
        .term_rule(Field::Source, TermRule::new(UnknownTerm::Reject).map("messe", "Fair").leave_out("TBD"))
        .term_rule(Field::Labels, TermRule::default().map("Odd", "Even"))
        .term_rule(Field::Country, TermRule::default().map("norge", "NO"));
    let plan = host.plan(file, &options);
    assert_eq!(plan.unknown["source"], [("Radio".to_owned(), 1)].into());
    assert_eq!(plan.unknown["category"], [("Metal".to_owned(), 1)].into());
    assert_eq!(plan.unknown["labels"].keys().collect::<Vec<_>>(), ["Even", "x"]);
    let import::Planned::Reject { values, .. } = &plan.lines[1].decision else { panic!("{plan:?}") };
    assert_eq!(values["source"], "Radio");
    let report = host.run_with(file, &options);
    assert_eq!(counts(&report), (2, 0, 0, 1), "{report}");
    let leads = host.leads();
    assert_eq!(leads[1].fields.source, leads[0].fields.source);
    assert_eq!(leads[2].fields.source, None);
    assert_eq!(Field::Country.read(&leads[1]), FieldValue::from("NO"));
    let wrong = ImportOptions::new().term_rule(Field::Number, TermRule::default());
    assert!(wrong.check().is_err());
}

#[test]
fn options_are_stored_and_old_ones_are_read() {
    let options = ImportOptions::new()
        .clear("-/-")
        .match_by(vec![MatchBy::Number])
        .term_rule(Field::Source, TermRule::new(UnknownTerm::Reject).map("a", "b"));
    let json = serde_json::to_string(&options).unwrap();
    let back: ImportOptions = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&back).unwrap(), json);
    let few: ImportOptions = serde_json::from_str(r#"{"on_match":"skip"}"#).unwrap();
    assert_eq!((few.on_match, few.chunk, few.match_by), (OnMatch::Skip, 10_000, MatchBy::DEFAULT.to_vec()));
    assert!(serde_json::from_str::<ImportOptions>(r#"{"match_by":["city"]}"#).is_err());
}
