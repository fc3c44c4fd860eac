//! Addresses that reach nobody are found and mended (S0.37, X.37, X.38).

use leadcore::desk::hygiene::{self, Fix, HygienePlan, HygieneRequest, Issue};
use leadcore::desk::{contacts, leads, undo};
use leadcore::domain::{ContactFields, Emails, Field, LeadFields, LeadPatch, MarkNote, Phones, ReachMark};
use leadcore::error::ErrorKind;
use leadcore::exchange::import::ImportOptions;
use leadcore::policy::{Permission, Role, RoleTable, Visibility};
use leadcore::query::{Filter, Operator};
use leadcore::testkit::dump;
use leadcore::value::Country;

use crate::support::{Host, company, fields_of, form, refused};

/// The functions of the desk that are tried here, with other users and another tenant.
pub(crate) const TRIED: [&str; 2] = ["hygiene::apply", "hygiene::plan"];

fn reached(name: &str, emails: &str, phones: &str) -> LeadFields {
    LeadFields {
        emails: Emails::parse(emails).unwrap(),
        phones: Phones::parse(phones, None).unwrap(),
        ..company(name)
    }
}

fn furnish(host: &Host) {
    host.add(reached("A", "anna@gmial.com, info@a.no", "22 22 55 55"));
    host.add(reached("B", "info@b.no, berit@b.no", "+47 22 22 55 55"));
    host.add(reached("C", "x@mailinator.com, c@c.no (opted_out)", "123"));
    host.add(reached("D", "old@d.no (invalid), dag@d.no", "+47 22 22 55 56 (opted_out)"));
    host.add(reached("E", "eva@e.no", ""));
}

fn request() -> HygieneRequest {
    HygieneRequest::new(Filter::everything()).region(Country::parse("NO").unwrap())
}

fn planned(host: &Host, request: &HygieneRequest) -> HygienePlan {
    host.read(|ctx, txn| hygiene::plan(ctx, txn, request))
}

#[test]
fn s0_37_invalid_emails_and_phones_are_listed_then_fixed() {
    let host = Host::new();
    furnish(&host);
    let before = dump(&host.store, &host.scene.tenant);
    let plan = planned(&host, &request());
    assert_eq!(dump(&host.store, &host.scene.tenant), before, "a plan only reads");
    let found: Vec<_> = plan.findings.iter().map(|one| (one.number, one.issue, one.fix.clone())).collect();
    let correct = |text: &str| Fix::Correct(text.to_owned());
    let expected = [
        (1, Issue::MisspeltEmail, correct("anna@gmail.com")),
        (1, Issue::RoleEmail, Fix::Keep),
        (1, Issue::MalformedPhone, correct("+4722225555")),
        (2, Issue::RoleEmail, Fix::PutLast),
        (3, Issue::DisposableEmail, Fix::MarkInvalid),
        (3, Issue::OptedOutEmail, Fix::Keep),
        (3, Issue::ImpossiblePhone, Fix::MarkInvalid),
        (4, Issue::BouncedEmail, Fix::PutLast),
        (4, Issue::OptedOutPhone, Fix::Keep),
    ];
    assert_eq!(found, expected);
    assert_eq!((plan.scanned, plan.counts[&Issue::RoleEmail], plan.next.is_none()), (5, 2, true));
    // It is a value: stored, read, changed, then carried out.
    let json = serde_json::to_string(&plan).unwrap();
    let mut plan: HygienePlan = serde_json::from_str(&json).unwrap();
    plan.findings[7].fix = Fix::Remove;
    // Somebody else changes a lead meanwhile.
    let patch = LeadPatch::new().set(Field::City, "Oslo");
    let third = plan.findings[4].lead;
    host.write(|ctx, txn| leads::edit(ctx, txn, third, leadcore::desk::Expect::Any, &patch));
    let done = host.write(|ctx, txn| hygiene::apply(ctx, txn, &plan));
    assert_eq!((done.totals.done, done.totals.conflict), (3, 1), "what changed since is left alone");
    let all = || host.read(|ctx, txn| leads::list(ctx, txn, &leadcore::query::LeadQuery::default()));
    let mails = |name: &str| {
        let lead = all().items.into_iter().find(|lead| lead.fields.company.as_deref() == Some(name)).unwrap();
        lead.fields.emails.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(mails("A"), ["anna@gmail.com", "info@a.no"]);
    assert_eq!(mails("B"), ["berit@b.no", "info@b.no"]);
    assert_eq!(mails("D"), ["dag@d.no"]);
    // What was left alone is found again, and now it is mended.
    let again = planned(&host, &request().issues([Issue::DisposableEmail, Issue::ImpossiblePhone]));
    assert_eq!(again.findings.len(), 2);
    host.write(|ctx, txn| hygiene::apply(ctx, txn, &again));
    let lead = host.read(|ctx, txn| leads::get(ctx, txn, third));
    let marked = lead.fields.emails.entries()[0].note(ReachMark::Invalid).unwrap();
    assert_eq!((marked.reason(), marked.since()), (Some("disposable address"), Some(host.scene.clock_now())));
    assert!(lead.fields.phones.entries()[0].invalid);
    // One operation, taken back as one.
    host.write(|ctx, txn| undo::undo(ctx, txn, done.operation.unwrap()));
    assert_eq!(mails("A"), ["anna@gmial.com", "info@a.no"]);
    assert_eq!(mails("D"), ["old@d.no", "dag@d.no"]);
}

#[test]
fn every_dead_address_goes_behind_the_sound_ones() {
    let host = Host::new();
    let lead = host.add(reached("A", "a@a.no (invalid), b@a.no (invalid), anna@a.no, info@a.no", ""));
    let plan = planned(&host, &request());
    host.write(|ctx, txn| hygiene::apply(ctx, txn, &plan));
    let lead = host.read(|ctx, txn| leads::get(ctx, txn, lead.id));
    let mails: Vec<_> = lead.fields.emails.iter().map(ToString::to_string).collect();
    assert_eq!(mails, ["anna@a.no", "info@a.no", "a@a.no", "b@a.no"]);
    assert!(
        planned(&host, &request()).findings.iter().all(|one| one.fix == Fix::Keep),
        "nothing is left to do"
    );
}

#[test]
fn persons_of_leads_are_mended_too() {
    let host = Host::new();
    let lead = host.add(form(&[(Field::Company, "A"), (Field::Country, "NO")]));
    let person = |emails: &str, phones: &str| ContactFields {
        emails: Emails::parse(emails).unwrap(),
        phones: Phones::parse(phones, None).unwrap(),
        ..ContactFields::named("Anna Berg").unwrap()
    };
    let add = |fields: ContactFields| {
        host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, fields.clone(), false)).id
    };
    let anna = add(person("x@mailinator.com, anna@gmial.com (opted_out), anna@gmail.com", "22 22 55 55"));
    let ola = add(person("ola@gmial.com", ""));
    let before = dump(&host.store, &host.scene.tenant);
    let plan = planned(&host, &HygieneRequest::new(Filter::everything()));
    assert_eq!(dump(&host.store, &host.scene.tenant), before, "a plan only reads");
    let found: Vec<_> = plan.findings.iter().map(|one| (one.contact, one.issue)).collect();
    let expected = [
        (Some(anna), Issue::DisposableEmail),
        (Some(anna), Issue::OptedOutEmail),
        (Some(anna), Issue::MalformedPhone),
        (Some(ola), Issue::MisspeltEmail),
    ];
    assert_eq!(found, expected);
    let mut plan: HygienePlan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    plan.findings[1].fix = Fix::Correct("anna@gmail.com".to_owned());
    let done = host.write(|ctx, txn| hygiene::apply(ctx, txn, &plan));
    assert_eq!((done.totals.done, done.results.len()), (1, 1), "one lead with its persons");
    let person = |id| {
        let list = host.read(|ctx, txn| contacts::of_lead(ctx, txn, lead.id));
        list.into_iter().find(|one| one.contact.id == id).unwrap().contact
    };
    let told = |id| {
        person(id)
            .fields
            .emails
            .marked()
            .items()
            .iter()
            .map(|one| one.as_text().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        told(anna),
        ["x@mailinator.com (invalid)", "anna@gmail.com (opted_out)"],
        "who opted out stays out"
    );
    assert_eq!(told(ola), ["ola@gmail.com ()"]);
    assert_eq!(person(anna).fields.phones.primary().unwrap().as_str(), "+4722225555");
    // The same plan again does nothing, and so does one that names somebody else's person.
    let again = host.write(|ctx, txn| hygiene::apply(ctx, txn, &plan));
    assert_eq!((again.totals.conflict, again.operation), (1, None));
    let mut wrong = planned(&host, &HygieneRequest::new(Filter::everything()));
    wrong.findings.truncate(1);
    wrong.findings[0].fix = Fix::Remove;
    wrong.findings[0].lead = host.add(company("B")).id;
    let refused = host.write(|ctx, txn| hygiene::apply(ctx, txn, &wrong));
    assert_eq!((refused.totals.not_found, refused.operation), (1, None));
    host.write(|ctx, txn| undo::undo(ctx, txn, done.operation.unwrap()));
    assert_eq!(told(ola), ["ola@gmial.com ()"]);
    assert_eq!(told(anna)[1], "anna@gmial.com (opted_out)");
}

#[test]
fn a_plan_goes_on_behind_another() {
    let host = Host::new();
    furnish(&host);
    let whole = planned(&host, &request());
    let (mut parts, mut next) = (Vec::new(), None);
    loop {
        let part = planned(&host, &request().limit(1).after(next));
        parts.extend(part.findings);
        next = part.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(parts, whole.findings);
    let one = HygieneRequest::new(Filter::new(Field::Company, Operator::Eq, "B"));
    assert_eq!(planned(&host, &one).scanned, 1, "only the leads of the filter");
    let wrong = |request: HygieneRequest| {
        let error = host.try_read(|ctx, txn| hygiene::plan(ctx, txn, &request));
        fields_of(&refused(error, ErrorKind::Invalid)).join(",")
    };
    assert_eq!(wrong(request().limit(0)), "limit");
    let mut nowhere = request();
    nowhere.region = Some("Atlantis".to_owned());
    assert_eq!(wrong(nowhere), "region");
}

#[test]
fn nobody_mends_what_is_not_theirs() {
    let host = Host::new();
    furnish(&host);
    let plan = planned(&host, &request());
    let before = dump(&host.store, &host.scene.tenant);
    let eve = "eve".parse().unwrap();
    let table = |role: Role| RoleTable::new().role("r", role).user(&eve, &["r"], None).unwrap();
    let none = table(Role::new());
    refused(host.write_as("eve", &none, |ctx, txn| hygiene::plan(ctx, txn, &request())), ErrorKind::Denied);
    let viewer = table(Role::viewer());
    refused(host.write_as("eve", &viewer, |ctx, txn| hygiene::apply(ctx, txn, &plan)), ErrorKind::Denied);
    let edits = || Role::viewer().grant(Permission::Edit, Visibility::Own);
    let done = host.write_as("eve", &table(edits()), |ctx, txn| hygiene::apply(ctx, txn, &plan)).unwrap();
    assert_eq!((done.totals.forbidden, done.operation), (4, None), "she sees them and owns none");
    let blind = table(edits().hide(Field::Email).unwrap());
    let seen = host.write_as("eve", &blind, |ctx, txn| hygiene::plan(ctx, txn, &request())).unwrap();
    assert!(seen.findings.iter().all(|one| one.channel == leadcore::domain::ReachChannel::Phone));
    refused(host.write_as("eve", &blind, |ctx, txn| hygiene::apply(ctx, txn, &plan)), ErrorKind::Invalid);
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
    // Another tenant on the same file finds nothing, and a plan from elsewhere does nothing there.
    let other = leadcore::testkit::fixtures::Scene::new("umbrella");
    let ctx = other.ctx();
    let elsewhere = leadcore::store::StoreExt::write(&host.store, ctx.tenant(), |txn| {
        assert_eq!(hygiene::plan(&ctx, txn, &request())?.scanned, 0);
        hygiene::apply(&ctx, txn, &plan)
    });
    assert_eq!(elsewhere.unwrap().totals.not_found, 4);
    let foreign = host.try_write(|_, txn| hygiene::plan(&ctx, txn, &request()).map(drop));
    assert_eq!(fields_of(&refused(foreign, ErrorKind::Invalid)), ["tenant"]);
    let foreign = host.try_write(|_, txn| hygiene::apply(&ctx, txn, &plan).map(drop));
    assert_eq!(fields_of(&refused(foreign, ErrorKind::Invalid)), ["tenant"]);
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
}

#[test]
fn x_37_phone_canonical_form() {
    let host = Host::new();
    let options = ImportOptions::new().region(Country::parse("NO").unwrap());
    host.import("Company,Phone\nA,22 22 55 55\nB,0047 22225556\n", &options);
    let found = |text: &str| host.names(Filter::new(Field::Phone, Operator::Eq, text));
    for text in ["+47 22 22 55 55", "+4722225555", "+47 (222) 25555"] {
        assert_eq!(found(text), ["A"], "{text}");
    }
    let lead = host.read(|ctx, txn| leads::list(ctx, txn, &leadcore::query::LeadQuery::default()));
    let mut e164: Vec<_> =
        lead.items.iter().filter_map(|lead| lead.fields.phones.primary()?.e164()).collect();
    e164.sort_unstable();
    assert_eq!(e164, ["+4722225555", "+4722225556"]);
    // The same number in another spelling is the same lead.
    let report = host.import("Company,Phone,City\nA,+47 22-22-55-55,Oslo\n", &options);
    assert_eq!((report.created, report.updated), (0, 1));
}

#[test]
fn an_address_corrected_to_one_that_opted_out_stays_out() {
    let host = Host::new();
    let before = host.add(reached("A", "anna@gmial.com, anna@gmail.com (opted_out)", ""));
    let plan = planned(&host, &request().issues([Issue::MisspeltEmail]));
    host.write(|ctx, txn| hygiene::apply(ctx, txn, &plan));
    let lead = host.get(&before);
    let [entry] = lead.fields.emails.entries() else { panic!("one address: {:?}", lead.fields.emails) };
    assert!(entry.value.as_str() == "anna@gmail.com" && entry.opted_out);
}

#[test]
fn x_38_email_canonical_form_and_quality() {
    let host = Host::new();
    host.add(reached("A", "Anna@Nordlys.NO", ""));
    assert_eq!(host.names(Filter::new(Field::Email, Operator::Eq, "anna@nordlys.no")), ["A"]);
    let report = host.import("Company,E-mail\nA again,ANNA@nordlys.no\n", &ImportOptions::new());
    assert_eq!((report.created, report.updated), (0, 1), "another spelling of the same address");
    assert_eq!(planned(&host, &request()).findings, []);
    // Correct by its form, and still known not to work: the state of an address is its own.
    let lead =
        host.read(|ctx, txn| leads::list(ctx, txn, &leadcore::query::LeadQuery::default())).items.remove(0);
    let bounced =
        leadcore::domain::AddressMark::bounced(leadcore::domain::ReachChannel::Email, "anna@nordlys.no");
    host.write(|ctx, txn| {
        leads::mark_address(ctx, txn, lead.id, leadcore::desk::Expect::Any, &bounced.clone().because("550"))
    });
    let plan = planned(&host, &request());
    assert_eq!((plan.findings[0].issue, &plan.findings[0].fix), (Issue::BouncedEmail, &Fix::Keep));
    let lead = host.get(&lead);
    let note = lead.fields.emails.entries()[0].note(ReachMark::Invalid);
    assert_eq!(note.and_then(MarkNote::reason), Some("550"));
}

#[test]
fn a_plan_that_was_taken_back_is_made_anew() {
    let host = Host::new();
    furnish(&host);
    let plan = planned(&host, &request());
    let done = host.write(|ctx, txn| hygiene::apply(ctx, txn, &plan));
    host.write(|ctx, txn| undo::undo(ctx, txn, done.operation.unwrap()));
    // The leads changed twice since it was made: it is told of each, and nothing is written.
    let before = dump(&host.store, &host.scene.tenant);
    let again = host.write(|ctx, txn| hygiene::apply(ctx, txn, &plan));
    assert_eq!((again.totals.done, again.totals.conflict), (0, done.totals.done));
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
    let anew = planned(&host, &request());
    let facts = |plan: &HygienePlan| {
        plan.findings.iter().map(|one| (one.number, one.address.clone(), one.issue)).collect::<Vec<_>>()
    };
    assert_eq!(facts(&anew), facts(&plan));
    assert_eq!(host.write(|ctx, txn| hygiene::apply(ctx, txn, &anew)).totals, done.totals);
}

#[test]
fn a_fix_is_checked_when_it_is_set() {
    let host = Host::new();
    furnish(&host);
    let mut plan = planned(&host, &request());
    let before = plan.clone();
    let email = plan.findings.iter().position(|one| one.issue == Issue::MisspeltEmail).unwrap();
    let phone = plan.findings.iter().position(|one| one.issue == Issue::ImpossiblePhone).unwrap();
    for place in [email, phone] {
        let error = plan.set_fix(place, Fix::Correct("none of it".to_owned())).unwrap_err();
        assert_eq!((error.kind(), error.violations()[0].field.as_str()), (ErrorKind::Invalid, "correction"));
    }
    let error = plan.set_fix(1_000, Fix::Keep).unwrap_err();
    assert_eq!(error.violations()[0].field, "finding");
    assert_eq!(plan, before);
    plan.set_fix(email, Fix::Correct("anna@nordlys.no".to_owned())).unwrap();
    plan.set_fix(phone, Fix::Remove).unwrap();
    assert_eq!(plan.findings[phone].fix, Fix::Remove);
}

#[test]
fn what_a_fix_marked_keeps_its_issue_and_is_not_called_bounced() {
    let host = Host::new();
    host.add(reached("A", "a@mailinator.com", "123"));
    host.add(reached("B", "b@b.invalid", ""));
    host.add(reached("C", "c@gmial.com", ""));
    host.add(reached("D", "info@d.no, dag@d.no", ""));
    host.add(reached("E", "e@e.no (invalid)", ""));
    let mut plan = planned(&host, &request());
    plan.findings.iter_mut().for_each(|finding| finding.fix = Fix::MarkInvalid);
    let counts = plan.counts.clone();
    host.write(|ctx, txn| hygiene::apply(ctx, txn, &plan));
    let again = planned(&host, &request());
    assert_eq!(again.counts, counts, "each by what it was marked for");
    assert_eq!(again.counts[&Issue::BouncedEmail], 1);
    let only = planned(&host, &request().issues([Issue::DisposableEmail]));
    assert_eq!((only.findings.len(), only.findings[0].fix.clone()), (1, Fix::Keep));
    // A mailbox of a function that does not work is no better than another.
    let role = again.findings.iter().find(|finding| finding.issue == Issue::RoleEmail).unwrap();
    assert_eq!(role.fix, Fix::PutLast);
}
