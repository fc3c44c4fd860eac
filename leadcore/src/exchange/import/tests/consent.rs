//! Columns that say who must not be reached.

use super::*;
use crate::desk::undo;

fn marks(host: &Host) -> Vec<(Vec<bool>, Vec<bool>)> {
    let of = |lead: &Lead| {
        let emails = lead.fields.emails.entries().iter().map(|entry| entry.opted_out).collect();
        (emails, lead.fields.phones.entries().iter().map(|entry| entry.opted_out).collect())
    };
    host.leads().iter().map(of).collect()
}

#[test]
fn a_yes_marks_every_address_and_a_no_takes_no_mark_off() {
    let host = Host::new();
    let file = "Company,E-mail,Phone,Do Not Call,Email Opt Out\n\
        A,\"a@x.example, b@x.example\",+4722225555,Yes,No\n\
        B,c@x.example,+4722226666,,TRUE\n\
        C,d@x.example (opted_out),+4722227777,0,0\n";
    assert_eq!(counts(&host.run(file)), (3, 0, 0, 0));
    let expected = [(vec![false, false], vec![true]), (vec![true], vec![false]), (vec![true], vec![false])];
    assert_eq!(marks(&host), expected);
    // Neither an empty cell nor a no takes a mark off.
    let again = "Company,E-mail,Phone,Do Not Call,Email Opt Out\n\
        A,a@x.example,+4722225555,No,\n\
        B,c@x.example,,,false\n";
    assert_eq!(counts(&host.run(again)), (0, 0, 2, 0));
    assert_eq!(marks(&host), expected);
    // Both at once, and back again.
    let report = host.run("E-mail,DoNotContact\na@x.example,x\n");
    assert_eq!(counts(&report), (0, 1, 0, 0), "{report}");
    assert_eq!(marks(&host)[0], (vec![true, true], vec![true]));
    let ctx = host.system();
    let operation = report.operation.unwrap();
    host.store.write(ctx.tenant(), |txn| undo::undo(&ctx, txn, operation)).unwrap();
    assert_eq!(marks(&host), expected, "undo takes back what the import said, no more");
}

#[test]
fn the_columns_of_vendors_are_known() {
    for (header, email, phone) in [
        ("Do Not Call", false, true),
        ("DoNotCall", false, true),
        ("donotphone", false, true),
        ("Do not allow Phone Calls", false, true),
        ("Email Opt Out", true, false),
        ("Email Opted Out", true, false),
        ("HasOptedOutOfEmail", true, false),
        ("attributes.HasOptedOutOfEmail", true, false),
        ("Unsubscribed", true, false),
        ("Unsubscribed from all email", true, false),
        ("Do Not Email", true, false),
        ("donotbulkemail", true, false),
        ("Do Not Contact", true, true),
        ("Opt out", true, true),
    ] {
        let host = Host::new();
        let file = format!("Company,E-mail,Phone,{header}\nA,a@x.example,+4722225555,1\nB,b@x.example,,0\n");
        let report = host.run(file);
        assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
        assert_eq!(marks(&host)[0], (vec![email], vec![phone]), "{header} {report}");
        assert_eq!(marks(&host)[1], (vec![false], vec![]), "{header}");
    }
    // Other words say nothing of that.
    for header in ["Call", "Email status", "Subscribed", "Opt-in"] {
        let host = Host::new();
        host.run(format!("Company,E-mail,{header}\nA,a@x.example,1\n"));
        assert_eq!(marks(&host)[0].0, [false], "{header}");
    }
}

#[test]
fn what_is_neither_yes_nor_no_rejects_its_line() {
    let host = Host::new();
    let report = host.run("Company,Phone,Do Not Call\nA,+4722225555,yes\nB,+4722226666,no\nC,+4722227777,perhaps\nD,+4722228888,no\nE,+4722229999,no\n");
    assert_eq!(counts(&report), (4, 0, 0, 1), "{report}");
    assert_eq!(report.rejections[0].line, 4);
}

#[test]
fn a_bad_value_of_a_side_field_is_left_out_where_the_column_says_so() {
    use crate::domain::Field;
    use crate::exchange::{BadValues, ColumnRules, Mapping};
    let mapping = Mapping::default()
        .with("Company", Some(Field::Company))
        .with("Site", Some(Field::Website))
        .with("E-mail", Some(Field::Email));
    let file = "Company,Site,E-mail\nA,nowhere,a@x.example\nB,x.example,b@x.example\nC,nowhere,bad\n";
    let host = Host::new();
    let strict = host.dry(file, &ImportOptions::new().mapping(mapping.clone()));
    assert_eq!((counts(&strict), strict.left_out), ((1, 0, 0, 2), 0));
    let lenient = mapping.rules("Site", ColumnRules::new().bad_values(BadValues::LeaveOut));
    let options = ImportOptions::new().mapping(lenient);
    let (dry, report) = (host.dry(file, &options), host.run_with(file, &options));
    assert_eq!(counts(&report), (2, 0, 0, 1), "{report}");
    assert_eq!((counts(&dry), dry.left_out), (counts(&report), report.left_out));
    let told: Vec<_> = report.left_out_values.iter().map(|told| (told.line, told.field.as_str())).collect();
    assert_eq!(told, [(2, "website")], "that of a rejected line is not told: nothing of it was taken");
    assert!(report.to_string().contains("`website` was left out"), "{report}");
    assert_eq!(host.leads()[0].fields.website, None);
}

#[cfg(feature = "vcard")]
#[test]
fn a_card_of_somebody_who_must_not_be_called_says_so_with_every_number() {
    use crate::desk::{contacts, leads};
    use crate::domain::{ContactFields, Emails, LeadFields, MarkNote, Phones};
    use crate::exchange::export::{VcardVersion, contacts_vcard};
    for version in [VcardVersion::V3, VcardVersion::V4] {
        let (host, elsewhere) = (Host::new(), Host::elsewhere());
        let (ctx, mut file) = (host.system(), Vec::new());
        host.store
            .write(ctx.tenant(), |txn| {
                let lead = leads::create(&ctx, txn, LeadFields::company("Nordlys AS")?.into())?;
                for (name, note) in [("Anna Berg", Some(MarkNote::default())), ("Eva Dal", None)] {
                    let mut fields = ContactFields::named(name)?;
                    let digit = name.len() % 10;
                    fields.emails = Emails::parse(&format!("p{digit}@x.example")).unwrap();
                    let phones = format!("+47 22 22 55 5{digit}, +47 22 22 66 6{digit}");
                    fields.phones = Phones::parse(&phones, None).unwrap();
                    let contact = contacts::add(&ctx, txn, lead.id, fields, false)?;
                    contacts::do_not_call(&ctx, txn, contact.id, contact.revision, note.as_ref())?;
                }
                file.clear();
                contacts_vcard(&ctx, txn, lead.id, version, &mut file)
            })
            .unwrap();
        assert_eq!(counts(&elsewhere.run(file)), (2, 0, 0, 0));
        let mut told = marks(&elsewhere);
        told.sort();
        assert_eq!(told, [(vec![false], vec![false, false]), (vec![false], vec![true, true])]);
    }
}

#[test]
fn who_does_not_see_phones_opts_none_out() {
    use super::said::team;
    use crate::domain::Field;
    use crate::exchange::{ColumnRules, Mapping, OptOut};
    for (hidden, expected) in
        [(Field::Phone, (vec![true], vec![false])), (Field::Email, (vec![false], vec![true]))]
    {
        let (host, policy) = (Host::new(), team(std::slice::from_ref(&hidden)));
        host.run("Company,E-mail,Phone,Id\nA,a@x.example,+4722225555,7\n");
        let ctx = host.ctx(Actor::User("kim".parse().unwrap()), &policy);
        let file = "Id,Do Not Contact\n7,Yes\n";
        let run = |options: &ImportOptions| {
            import::run(&ctx, &host.store, Cursor::new(file), options, None, &mut ())
        };
        let mapping = Mapping::default()
            .with("Id", Some(Field::ExternalId))
            .with("Do Not Contact", Some(Field::Email))
            .rules("Do Not Contact", ColumnRules::new().opt_out(OptOut::All));
        let error = run(&ImportOptions::new().mapping(mapping)).unwrap_err();
        assert_eq!(error.violations()[0].field, hidden.key(), "what is hidden is not written");
        let report = run(&ImportOptions::new()).unwrap();
        assert_eq!(counts(&report), (0, 1, 0, 0), "{report}");
        assert_eq!(marks(&host), [expected], "{hidden}");
    }
}
