//! What a report says: which line became which lead, why lines were skipped, what nothing can recognise.

use super::*;
use crate::domain::{Field, LeadFields};
use crate::exchange::import::{SkipReason, preview};
use crate::exchange::{Mapping, ReadOptions};

#[test]
fn rows_that_nothing_can_recognise_are_counted_and_named() {
    let host = Host::new();
    let file = "company,email,phone,city\nA,,,Oslo\nB,b@x.example,,\nC,,+4722225555,\nD,,,\nE,nobody,,\n";
    let planned = host.dry(file, &ImportOptions::new());
    let mut heard = Heard::default();
    let report = host.hear(&host.store, file, &ImportOptions::new(), &mut heard).unwrap();
    assert_eq!((report.created, report.unrecognisable), (4, 2), "{report}");
    assert_eq!(report.unrecognisable_lines, [2, 5]);
    assert_eq!((planned.unrecognisable, &planned.unrecognisable_lines), (2, &report.unrecognisable_lines));
    let text = report.to_string();
    assert!(text.contains("2 created without external id, e-mail or phone"), "{text}");
    assert!(text.contains("(lines 2, 5)"), "{text}");
    let told: Vec<_> = heard
        .lines
        .iter()
        .filter_map(|heard| match heard.outcome {
            Outcome::Created { recognisable, .. } => Some((heard.line, recognisable)),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(2, false), (3, true), (4, true), (5, false)]);
    // What the warning is about: a changed file creates them once more.
    let changed = host.run(file.replace("Oslo", "Moss"));
    assert_eq!((changed.created, changed.unrecognisable, changed.skipped), (2, 2, 2), "{changed}");
    let id = host.run("company,external id\nA,17\n");
    assert!(id.unrecognisable == 0 && !id.to_string().contains("warning"), "{id}");
}

#[test]
fn many_lines_without_a_key_are_listed_in_part() {
    let rows: String = (0..250).map(|n| format!("company {n}\n")).collect();
    let report = Host::new().run_with(format!("company\n{rows}"), &ImportOptions::new().chunk(40));
    assert_eq!((report.unrecognisable, report.unrecognisable_lines.len()), (250, 100));
    assert!(report.to_string().contains("(lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 …)"), "{report}");
}

#[test]
fn each_line_says_which_lead_it_meant() {
    let host = Host::new();
    host.run("company,email\nA,a@x.example\nB,b@x.example\nC,c@x.example\n");
    let leads = host.leads();
    let ctx = host.system();
    host.store
        .write(ctx.tenant(), |txn| {
            let id = leads[2].id;
            let plan = crate::desk::convert::plan(
                &ctx,
                txn,
                id,
                &crate::desk::convert::ConversionOptions::default(),
            )?;
            crate::desk::convert::apply(&ctx, txn, &plan)
        })
        .unwrap();
    let file =
        "company,email,city\nA,a@x.example,Oslo\nB,b@x.example,\nC,c@x.example,Moss\nD,d@x.example,\n,,\n";
    let mut heard = Heard::default();
    let planned = {
        let mut told = Heard::default();
        let input = Cursor::new(file);
        import::dry_run(&ctx, &host.store, input, &ImportOptions::new(), &mut told).unwrap();
        told
    };
    let report = host.hear(&host.store, file, &ImportOptions::new(), &mut heard).unwrap();
    let new =
        host.leads().iter().map(|lead| (lead.id, lead.number)).max_by_key(|(_, number)| *number).unwrap();
    let of = |heard: &Heard| -> Vec<_> {
        let lead = |outcome: &Outcome| match outcome {
            Outcome::Created { lead, number, .. }
            | Outcome::Updated { lead, number, .. }
            | Outcome::Skipped { lead, number, .. } => lead.zip(*number),
            Outcome::Rejected { .. } | Outcome::Review { .. } => panic!(),
        };
        heard.lines.iter().map(|heard| lead(&heard.outcome)).collect()
    };
    let known: Vec<_> = leads.iter().map(|lead| Some((lead.id, lead.number))).collect();
    assert_eq!(of(&heard), [known[0], known[1], known[2], Some(new), None]);
    assert_eq!(of(&planned), [known[0], known[1], known[2], None, None]);
    assert_eq!(
        report.skips.into_iter().collect::<Vec<_>>(),
        [(SkipReason::Blank, 1), (SkipReason::Unchanged, 1), (SkipReason::Frozen, 1)]
    );
}

#[test]
fn the_text_says_why_lines_were_skipped() {
    let host = Host::new();
    let file = "company,email\nA,a@x.example\nB,b@x.example\n,\n";
    host.run(file);
    let report = host.run_with(file, &ImportOptions::new().attempt(2));
    let text = report.to_string();
    assert!(text.contains("skipped    3\n"), "{text}");
    assert!(text.contains("1: every cell is empty"), "{text}");
    assert!(text.contains("2: the lead says the same already"), "{text}");
}

#[test]
fn a_repeated_import_says_what_the_first_one_did() {
    let host = Host::new();
    let file = "company,email\nA,a@x.example\nB,nobody\nC,\n,\n";
    let first = host.run(file);
    for again in [host.run(file), host.dry(file, &ImportOptions::new())] {
        accounted(&again);
        assert_eq!((counts(&again), again.repeated), ((0, 0, 4, 0), true), "this call did nothing");
        assert_eq!(again.skips.into_iter().collect::<Vec<_>>(), [(SkipReason::Imported, 4)]);
        let earlier = again.earlier.as_deref().unwrap();
        assert_eq!(earlier, &first);
        assert_eq!(
            (counts(earlier), earlier.unrecognisable, earlier.rejections[0].line),
            ((2, 0, 1, 1), 1, 3)
        );
    }
    let text = host.run(file).to_string();
    let (now, then) = text.split_once("when it was imported:").unwrap();
    assert!(now.contains("rejected   0") && now.contains("4: the file was imported before"), "{text}");
    assert!(then.contains("rejected   1") && then.contains("line 3     `email`: "), "{text}");
    let again = host.run(file);
    let json = serde_json::to_string(&again).unwrap();
    assert_eq!(serde_json::from_str::<ImportReport>(&json).unwrap(), again);
}

#[test]
fn a_report_that_an_earlier_version_stored_is_read() {
    let host = Host::new();
    let mut json = serde_json::to_value(host.run("company,email\nA,nobody\n")).unwrap();
    let report = json.as_object_mut().unwrap();
    for new in ["skips", "unrecognisable", "unrecognisable_lines", "done_elsewhere"] {
        assert!(report.remove(new).is_some(), "{new}");
    }
    assert!(report["rejections"][0].as_object_mut().unwrap().remove("owner").is_some());
    assert_eq!(serde_json::from_value::<ImportReport>(json).unwrap().rejected, 1);
}

#[test]
fn a_lead_advertisement_export_is_read_without_its_prefixes() {
    let host = Host::new();
    let file = "id,ad_id,campaign_id,platform,full_name,phone_number,email\n\
        l:1359317866399979,ag:1,c:3,fb,Anna Berg,p:+4722225555,anna@x.example\n\
        l:1359317866399980,ag:1,c:3,ig,Odd Lie,p:22225566,odd@x.example\n";
    let report = host.run_with(file, &ImportOptions::new().region("NO".parse().unwrap()));
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
    let leads = host.leads();
    let known = |fields: &LeadFields| {
        let ids: Vec<_> = fields.external_ids.iter().map(|id| id.id().to_owned()).collect();
        (ids, fields.phones.iter().map(|phone| phone.as_str().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(
        known(&leads[0].fields),
        (vec!["1359317866399979".to_owned()], vec!["+4722225555".to_owned()])
    );
    assert_eq!(known(&leads[1].fields), (vec!["1359317866399980".to_owned()], vec!["22225566".to_owned()]));
    assert!(leads[0].fields.source.is_some());
    // Only what is known is taken off, and only in these columns.
    let file = "company,external id,phone,city\nA,crm:7,,\nB,l:,,\nC,,tel:+4722225577,\nD,d:1,,p:laza\n";
    let host = Host::new();
    let report = host.run(file);
    assert_eq!(counts(&report), (4, 0, 0, 0), "{report}");
    let ids: Vec<_> = host
        .leads()
        .iter()
        .flat_map(|lead| lead.fields.external_ids.iter().map(|id| id.id().to_owned()).collect::<Vec<_>>())
        .collect();
    assert_eq!(ids, ["crm:7", "l:", "d:1"]);
    assert_eq!(host.leads()[2].fields.phones.primary().unwrap().as_str(), "tel:+4722225577");
    assert_eq!(host.leads()[3].fields.address.city(), Some("p:laza"));
}

#[test]
fn a_company_address_fills_the_address() {
    let host = Host::new();
    for header in [
        "companyname,companyaddress,companycity,companystate,companyzip,companycountry,companyphone,companyemail",
        "Company Name;Company Address;Company City;Company State;Company ZIP;Company Country;Company Phone;Company e-mail",
        "company_name|company_address_1|company_city|company_state|company_zip_code|company_country|company_phone|company_email",
    ] {
        let preview =
            preview(&host.system(), &host.store, Cursor::new(format!("{header}\n")), &ReadOptions::new());
        let mapping = preview.unwrap().mapping;
        let keys: Vec<_> = mapping.fields().map(Field::key).collect();
        assert_eq!(
            keys,
            ["company", "street", "city", "state_region", "postal_code", "country", "phone", "email"],
            "{header}"
        );
    }
}

#[test]
fn a_preview_proposes_what_the_import_does_and_writes_nothing() {
    let host = Host::new();
    let file = "made today;;\nFirma;E-Mail;Schuhgröße\nA;a@x.example;42\n";
    let before = host.dump();
    let seen = preview(&host.system(), &host.store, Cursor::new(file), &ReadOptions::new()).unwrap();
    assert_eq!(host.dump(), before);
    let report = host.run(file);
    assert_eq!((seen.mapping, seen.format), (report.mapping, report.format));
    let options = ReadOptions::new().delimiter(b',');
    let other = preview(&host.system(), &host.store, Cursor::new(file), &options).unwrap();
    assert_eq!((other.format.delimiter, other.mapping.columns.len()), (',', 1));
    let _: Mapping = other.mapping;
}
