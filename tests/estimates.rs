//! Estimates and products: the tab of the ERPat manual (S0.27), products on the lead itself (X.47), and what a host does with
//! them that no manual tells.

use leadcore::desk::convert::{self, ConversionOptions};
use leadcore::desk::estimates::{self, EstimateQuery};
use leadcore::desk::lines::{self, Products};
use leadcore::desk::page::{self, ChildRecord};
use leadcore::desk::{Expect, Listing, activities, settings};
use leadcore::domain::{
    ActivityBody, ActivityFields, ActivityKind, Discount, Estimate, EstimateFields, EstimateStatus,
    EstimateUnmet, Field, Lead, Line, MAX_LINES, Numbering, RequestState, Topics,
};
use leadcore::error::{Conflict, Error, ErrorKind};
use leadcore::testkit::dump;
use leadcore::time::Date;
use leadcore::value::Currency;

use crate::support::{Host, company, fields_of, form, refused};

pub(crate) const ANY: Expect = Expect::Any;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// 12 panels at 200 with 5 % off, at 25 % tax: 2,280 and 2,850.
pub(crate) fn panels() -> Line {
    Line::new("Panel", 12.into(), 200.into())
        .product("SP-400")
        .unit("pcs")
        .discount(Discount::Percent(5.into()))
        .tax("VAT", 25.into())
}

pub(crate) fn roof() -> EstimateFields {
    EstimateFields::titled("A roof").line(panels())
}

pub(crate) fn euro_lead(host: &Host) -> Lead {
    host.add(form(&[(Field::Company, "Nordlys AS"), (Field::Currency, "EUR")]))
}

#[expect(clippy::needless_pass_by_value, reason = "fields are made for one call")]
pub(crate) fn draft(host: &Host, lead: &Lead, fields: EstimateFields) -> Estimate {
    host.scene.tick();
    host.write(|ctx, txn| estimates::create(ctx, txn, &[lead.id.into()], fields.clone()))
}

pub(crate) fn sent(host: &Host, lead: &Lead, fields: EstimateFields) -> Estimate {
    let made = draft(host, lead, fields);
    host.write(|ctx, txn| estimates::send(ctx, txn, made.id, made.revision))
}

pub(crate) fn closed(error: &Error, what: &str) {
    assert_eq!(error.conflict(), Some(&Conflict::Closed { function: what.to_owned() }), "{error}");
}

#[test]
fn s0_27_estimates_tab() {
    let mut host = Host::new();
    let lead = euro_lead(&host);
    let fields = EstimateFields { date: Some(day("2026-11-20")), ..roof() };
    let first = sent(&host, &lead, fields);
    let accepted = host.write(|ctx, txn| estimates::accept(ctx, txn, first.id, first.revision));
    let open = draft(&host, &lead, EstimateFields { owner: Some("bob".parse().unwrap()), ..roof() });
    host.restart();
    // The columns of the manual: estimate id, owner, date, total, status.
    let (numbering, page) = host.read(|ctx, txn| {
        let numbering = settings::estimate_numbering(ctx, txn)?.1;
        Ok((numbering, estimates::of(ctx, txn, lead.id, &Listing::default())?))
    });
    let row = |one: &Estimate| {
        let (owner, date) = (one.fields.owner.clone().unwrap(), one.fields.date.unwrap());
        format!(
            "{} {owner} {date} {} {}",
            numbering.format(one.number),
            one.show(one.totals.gross),
            one.status
        )
    };
    let rows: Vec<_> = page.items.iter().map(row).collect();
    assert_eq!(
        rows,
        ["E-00002 bob 2026-11-22 € 2850.00 draft", "E-00001 ada 2026-11-20 € 2850.00 accepted"],
        "the latest first; today and who writes it, where nothing is said"
    );
    assert_eq!(page.items, [open, accepted]);
    let listing = |open: Option<bool>, limit| {
        let mut listing = Listing::default();
        (listing.open, listing.limit) = (open, limit);
        host.read(|ctx, txn| estimates::of(ctx, txn, lead.id, &listing))
    };
    assert_eq!((listing(Some(true), 10).items.len(), listing(Some(false), 10).items.len()), (1, 1));
    assert!(listing(None, 1).next.is_some());
    for text in ["E-00001", "e-1", " 1 "] {
        assert_eq!(host.read(|ctx, txn| estimates::by_number(ctx, txn, text)).id, page.items[1].id);
    }
    for text in ["E-00003", "F-1", "", "99999999999999999999"] {
        refused(host.try_read(|ctx, txn| estimates::by_number(ctx, txn, text)), ErrorKind::NotFound);
    }
}

#[test]
fn numbers_are_written_as_the_tenant_says() {
    let host = Host::new();
    let lead = euro_lead(&host);
    let numbering = Numbering { prefix: "2026/Q-".to_owned(), width: 4, start: 100 };
    host.write(|ctx, txn| settings::set_estimate_numbering(ctx, txn, None, &numbering));
    assert_eq!(draft(&host, &lead, roof()).number, 100);
    assert_eq!(host.read(|ctx, txn| estimates::by_number(ctx, txn, "2026/Q-0100")).number, 100);
    assert_eq!(host.add(company("Fjord AS")).number, 2, "leads have a series of their own");
    let back = Numbering { start: 7, ..numbering };
    let revision = host.read(|ctx, txn| settings::estimate_numbering(ctx, txn)).0;
    let set = host.try_write(|ctx, txn| settings::set_estimate_numbering(ctx, txn, revision, &back));
    assert_eq!(fields_of(&refused(set, ErrorKind::Invalid)), ["start"]);
}

#[test]
fn a_request_gets_its_estimate() {
    let host = Host::new();
    let lead = euro_lead(&host);
    let body = ActivityBody::EstimateRequest { state: RequestState::Processing };
    let asked = ActivityFields {
        title: Some("Prices for a roof".to_owned()),
        text: None,
        assignee: None,
        remind_at: None,
        body,
    };
    let request = host.write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], asked.clone()));
    let make = |fields: &EstimateFields| {
        host.try_write(|ctx, txn| estimates::create_for_request(ctx, txn, request.id, fields.clone()))
    };
    let wrong = EstimateFields::default().line(Line::new("", 1.into(), 1.into()));
    let before = dump(&host.store, &host.scene.tenant);
    assert_eq!(fields_of(&refused(make(&wrong), ErrorKind::Invalid)), ["lines[0].description"]);
    assert_eq!(dump(&host.store, &host.scene.tenant), before, "nothing half-written");
    let made = make(&EstimateFields { lines: vec![panels()], ..EstimateFields::default() }).unwrap();
    assert_eq!(made.request, Some(request.id));
    assert_eq!((made.fields.title.as_deref(), &made.about), (Some("Prices for a roof"), &request.about));
    let now = host.read(|ctx, txn| activities::get(ctx, txn, request.id));
    assert_eq!(now.fields.body, ActivityBody::EstimateRequest { state: RequestState::Estimated });
    let entries = host.read(|_, txn| txn.journal().about(&[lead.id.into()], Topics::NONE, None, 10));
    assert_eq!(entries[0].operation, entries[1].operation, "both in one operation");
    closed(&refused(make(&roof()), ErrorKind::Conflict), "estimate");
    let body = ActivityBody::Note;
    let note = ActivityFields { body, text: Some("Prices".to_owned()), ..asked };
    let note = host.write(|ctx, txn| activities::add(ctx, txn, &[lead.id.into()], note.clone()));
    let made = host.try_write(|ctx, txn| estimates::create_for_request(ctx, txn, note.id, roof()));
    refused(made, ErrorKind::NotFound);
    assert_eq!(ActivityKind::EstimateRequest, request.kind());
}

#[test]
fn sending_needs_what_an_offer_needs_and_says_all_at_once() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let empty = EstimateFields { valid_until: Some(day("2026-11-01")), ..EstimateFields::default() };
    let made = draft(&host, &lead, empty);
    let unmet = host.read(|ctx, txn| estimates::can_move(ctx, txn, made.id, EstimateStatus::Sent));
    assert_eq!(unmet.len(), 4);
    let error = refused(
        host.try_write(|ctx, txn| estimates::send(ctx, txn, made.id, made.revision)),
        ErrorKind::Invalid,
    );
    assert_eq!(fields_of(&error), ["lines", "currency", "valid_until", "valid_until"]);
    let whole = EstimateFields { currency: Some(Currency::parse("EUR").unwrap()), ..roof() };
    let edited = host.write(|ctx, txn| estimates::edit(ctx, txn, made.id, made.revision, whole.clone()));
    let unmet = host.read(|ctx, txn| estimates::can_move(ctx, txn, made.id, EstimateStatus::Accepted));
    let (from, to) = (EstimateStatus::Draft, EstimateStatus::Accepted);
    assert_eq!(unmet, [EstimateUnmet::NotFromHere { from, to }]);
    let accept = host.try_write(|ctx, txn| estimates::accept(ctx, txn, made.id, ANY));
    closed(&refused(accept, ErrorKind::Conflict), "accept");
    let sent = host.write(|ctx, txn| estimates::send(ctx, txn, made.id, edited.revision));
    assert!(sent.sent_at.is_some());
    // What is offered stays an offer.
    let none = host.try_write(|ctx, txn| estimates::set_lines(ctx, txn, made.id, sent.revision, vec![]));
    assert_eq!(fields_of(&refused(none, ErrorKind::Invalid)), ["lines"]);
    let stale = host.try_write(|ctx, txn| estimates::send(ctx, txn, made.id, made.revision));
    let (expected, found) = (made.revision, sent.revision);
    assert_eq!(
        refused(stale, ErrorKind::Conflict).conflict(),
        Some(&Conflict::StaleRevision { expected, found })
    );
    let delete = host.try_write(|ctx, txn| estimates::delete(ctx, txn, made.id, ANY));
    closed(&refused(delete, ErrorKind::Conflict), "delete");
}

#[test]
fn what_was_answered_is_frozen_and_revised() {
    let host = Host::new();
    let lead = euro_lead(&host);
    let fields =
        EstimateFields { date: Some(day("2026-11-20")), valid_until: Some(day("2026-11-30")), ..roof() };
    let first = sent(&host, &lead, fields);
    let no =
        host.write(|ctx, txn| estimates::decline(ctx, txn, first.id, first.revision, Some(" too dear ")));
    assert_eq!((no.reason.as_deref(), no.status), (Some("too dear"), EstimateStatus::Declined));
    let lines =
        host.try_write(|ctx, txn| estimates::set_lines(ctx, txn, first.id, ANY, vec![panels(), panels()]));
    closed(&refused(lines, ErrorKind::Conflict), "edit");
    for field in ["currency", "date", "valid_until", "terms"] {
        let mut other = no.fields.clone();
        match field {
            "currency" => other.currency = Some(Currency::parse("NOK").unwrap()),
            "date" => other.date = Some(Date::MIN),
            "valid_until" => other.valid_until = None,
            _ => other.terms = Some("cash".to_owned()),
        }
        let edit = host.try_write(|ctx, txn| estimates::edit(ctx, txn, first.id, ANY, other.clone()));
        closed(&refused(edit, ErrorKind::Conflict), "edit");
    }
    let note = EstimateFields { note: Some("call in spring".to_owned()), ..no.fields.clone() };
    let noted = host.write(|ctx, txn| estimates::edit(ctx, txn, first.id, ANY, note.clone()));
    assert_eq!(noted.revision.get(), no.revision.get() + 1);
    for back in [EstimateStatus::Draft, EstimateStatus::Sent, EstimateStatus::Accepted] {
        assert!(!host.read(|ctx, txn| estimates::can_move(ctx, txn, first.id, back)).is_empty());
    }
    let second = host.write(|ctx, txn| estimates::revise(ctx, txn, first.id));
    assert_eq!((second.revises, second.status, second.number), (Some(first.id), EstimateStatus::Draft, 2));
    assert_eq!(second.fields.lines, first.fields.lines);
    let days = (second.fields.date.unwrap(), second.fields.valid_until.unwrap());
    assert_eq!(days, (day("2026-11-22"), day("2026-12-02")), "of today, for as many days");
    assert_eq!(host.read(|ctx, txn| estimates::get(ctx, txn, first.id)), noted, "the old one stays");
    let again = host.try_write(|ctx, txn| estimates::revise(ctx, txn, second.id));
    closed(&refused(again, ErrorKind::Conflict), "revise");
    host.write(|ctx, txn| estimates::delete(ctx, txn, second.id, second.revision));
    refused(host.try_read(|ctx, txn| estimates::get(ctx, txn, second.id)), ErrorKind::NotFound);
    assert_eq!(host.read(|ctx, txn| estimates::of(ctx, txn, lead.id, &Listing::default())).items.len(), 1);
}

#[test]
fn what_is_over_shows_as_expired_without_a_job() {
    let host = Host::new();
    let lead = euro_lead(&host);
    let fields = EstimateFields { valid_until: Some(day("2026-11-23")), ..roof() };
    let offer = sent(&host, &lead, fields);
    sent(&host, &lead, roof());
    let by = |status: EstimateStatus| {
        let mut query = EstimateQuery::default();
        query.status = Some(status);
        let page = host.read(|ctx, txn| estimates::list(ctx, txn, &query));
        page.items.iter().map(|one| (one.number, one.status)).collect::<Vec<_>>()
    };
    host.scene.clock.advance(chrono::TimeDelta::days(1));
    assert_eq!(by(EstimateStatus::Expired), [], "the last day counts");
    assert!(host.write(|ctx, txn| estimates::expire_due(ctx, txn, 1_000)).is_empty());
    host.scene.clock.advance(chrono::TimeDelta::days(1));
    assert_eq!(by(EstimateStatus::Expired), [(1, EstimateStatus::Expired)]);
    assert_eq!(by(EstimateStatus::Sent), [(2, EstimateStatus::Sent)]);
    assert_eq!(host.read(|ctx, txn| estimates::get(ctx, txn, offer.id)).status, EstimateStatus::Expired);
    let accept = host.try_write(|ctx, txn| estimates::accept(ctx, txn, offer.id, offer.revision));
    closed(&refused(accept, ErrorKind::Conflict), "accept");
    let longer = EstimateFields { valid_until: None, ..offer.fields.clone() };
    let edit = host.try_write(|ctx, txn| estimates::edit(ctx, txn, offer.id, ANY, longer.clone()));
    closed(&refused(edit, ErrorKind::Conflict), "edit");
    let before = host.get(&lead).active_at;
    let page = host.read(|ctx, txn| page::lead_page(ctx, txn, lead.id, &page::PageOptions::new().first(5)));
    let on_page = page.tabs.iter().flat_map(|tab| &tab.items).filter_map(|item| match item {
        ChildRecord::Estimate(one) => Some((one.number, one.status)),
        _ => None,
    });
    let on_page: Vec<_> = on_page.collect();
    assert!(on_page.contains(&(1, EstimateStatus::Expired)), "on the page too: {on_page:?}");
    assert_eq!(host.write(|ctx, txn| estimates::expire_due(ctx, txn, 1_000)), [offer.id]);
    assert_eq!(host.get(&lead).active_at, before, "that a day is over is no work on the lead");
    assert!(host.write(|ctx, txn| estimates::expire_due(ctx, txn, 1_000)).is_empty(), "once");
    let stored = host.read(|_, txn| txn.estimates().get(&[offer.id])).remove(0);
    assert_eq!((stored.status, stored.settled_at.is_some()), (EstimateStatus::Expired, true));
    // By hand, also before its day is over.
    let other = host.read(|ctx, txn| estimates::by_number(ctx, txn, 2));
    let ended = host.write(|ctx, txn| estimates::expire(ctx, txn, other.id, other.revision));
    assert_eq!(ended.status, EstimateStatus::Expired);
    for limit in [0, 1_001] {
        let due = host.try_write(|ctx, txn| estimates::expire_due(ctx, txn, limit));
        assert_eq!(fields_of(&refused(due, ErrorKind::Invalid)), ["limit"]);
    }
}

#[test]
fn x_47_product_lines_and_totals() {
    let host = Host::new();
    let lead = euro_lead(&host);
    let set = |expect: Expect, products: Products| {
        host.scene.tick();
        host.try_write(|ctx, txn| lines::set(ctx, txn, lead.id, expect, products.clone()))
    };
    assert_eq!(host.read(|ctx, txn| lines::of(ctx, txn, lead.id)), None);
    let list = set(ANY, vec![panels()].into()).unwrap().unwrap();
    assert_eq!((list.totals.net, list.totals.gross), (2_280.into(), 2_850.into()));
    assert_eq!(list.currency, Some(Currency::parse("EUR").unwrap()), "that of the lead");
    let now = host.get(&lead);
    assert_eq!((now.revision, &now.fields), (lead.revision, &lead.fields), "the lead is not written");
    // And its amount with them, in one operation.
    let two = vec![panels(), Line::new("Inverter", 1.into(), 900.into())];
    let both = Products::from(two.clone()).currency(Currency::parse("NOK").unwrap()).with_amount();
    let list = set(list.revision.into(), both).unwrap().unwrap();
    let now = host.get(&lead);
    assert_eq!((now.fields.amount, now.fields.currency.unwrap().code()), (Some(3_180.into()), "NOK"));
    let entries = host.read(|_, txn| txn.journal().about(&[lead.id.into()], Topics::NONE, None, 10));
    assert_eq!(entries[0].operation, entries[1].operation);
    let told: Vec<_> = entries.iter().map(|entry| (entry.subject.kind.code(), entry.changes.len())).collect();
    assert_eq!(told, [("product_lines", 3), ("lead", 2), ("product_lines", 3), ("lead", 0)]);
    assert_eq!(entries[0].changes[0].after.as_text(), Some("12 × Panel, 1 × Inverter"));
    let stale = set(leadcore::id::Revision::FIRST.into(), vec![].into());
    refused(stale, ErrorKind::Conflict);
    // An estimate of them.
    let made = host.write(|ctx, txn| {
        estimates::create_from_lines(ctx, txn, lead.id, EstimateFields::titled("All of it"))
    });
    assert_eq!((&made.fields.lines, made.totals.net), (&list.lines, 3_180.into()));
    // Without lines there is no list; a new one begins anew.
    assert_eq!(set(list.revision.into(), vec![].into()).unwrap(), None);
    assert_eq!(host.read(|ctx, txn| lines::of(ctx, txn, lead.id)), None);
    let made =
        host.try_write(|ctx, txn| estimates::create_from_lines(ctx, txn, lead.id, EstimateFields::default()));
    assert_eq!(fields_of(&refused(made, ErrorKind::Invalid)), ["lines"]);
    // What is refused leaves nothing, of the lead neither.
    let before = dump(&host.store, &host.scene.tenant);
    let wrong = Products::from(vec![panels(), Line::new("x", 1.into(), "0.0000001".parse().unwrap())]);
    assert_eq!(
        fields_of(&refused(set(ANY, wrong.with_amount()), ErrorKind::Invalid)),
        ["lines[1].unit_price"]
    );
    assert_eq!(dump(&host.store, &host.scene.tenant), before);
    host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    refused(set(ANY, vec![panels()].into()), ErrorKind::Frozen);
}

#[test]
fn a_converted_lead_takes_no_new_estimate_and_its_open_ones_go_on() {
    let host = Host::new();
    let lead = euro_lead(&host);
    let offer = sent(&host, &lead, roof());
    let other = sent(&host, &lead, roof());
    let done = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    let new = host.try_write(|ctx, txn| estimates::create(ctx, txn, &[lead.id.into()], roof()));
    refused(new, ErrorKind::Frozen);
    let yes = host.write(|ctx, txn| estimates::accept(ctx, txn, offer.id, offer.revision));
    assert_eq!(yes.status, EstimateStatus::Accepted);
    let next = host.write(|ctx, txn| estimates::revise(ctx, txn, other.id));
    assert_eq!(next.about, [done.account.unwrap().into()], "it goes on with the customer");
    let of = |subject: leadcore::domain::Subject| {
        let page = host.read(|ctx, txn| estimates::of(ctx, txn, subject, &Listing::default()));
        page.items.iter().map(|one| one.number).collect::<Vec<_>>()
    };
    assert_eq!(of(lead.id.into()), [3, 2, 1]);
    assert_eq!(of(done.account.unwrap().into()), [3, 2, 1], "the lead and the customer show the same");
}

#[test]
fn hostile_and_absurd_input_is_refused_by_its_field() {
    let host = Host::new();
    let lead = euro_lead(&host);
    let before = dump(&host.store, &host.scene.tenant);
    let make = |fields: EstimateFields| {
        host.try_write(|ctx, txn| estimates::create(ctx, txn, &[lead.id.into()], fields.clone()))
    };
    let broken = |fields: EstimateFields| {
        let error = refused(make(fields), ErrorKind::Invalid);
        assert!(!error.to_string().contains("acmesecret"), "no value is repeated: {error}");
        fields_of(&error).join(" ")
    };
    let long = |length: usize| Some("acmesecret".repeat(length / 10 + 1));
    assert_eq!(
        broken(EstimateFields {
            title: long(500),
            note: long(20_000),
            terms: Some("acmesecret\0".to_owned()),
            ..roof()
        }),
        "title note terms"
    );
    let bad = Line::new("acmesecret\0", 1_000_000_000.into(), (-1).into());
    assert_eq!(broken(roof().line(bad)), "lines[1].description lines[1].quantity");
    let most = Line::new("x", 100.into(), "999999999999".parse().unwrap());
    assert_eq!(broken(roof().line(most.clone()).line(most)), "lines");
    let many = |count: usize| EstimateFields { lines: vec![panels(); count], ..EstimateFields::default() };
    assert_eq!(broken(many(MAX_LINES + 1)), "lines");
    assert_eq!(
        broken(EstimateFields { owner: None, ..many(1) }.line(Line::new(" ", 0.into(), 0.into()))),
        "lines[1].description"
    );
    let nothing = host.try_write(|ctx, txn| estimates::create(ctx, txn, &[], roof()));
    assert_eq!(fields_of(&refused(nothing, ErrorKind::Invalid)), ["about"]);
    assert_eq!(dump(&host.store, &host.scene.tenant), before, "nothing half-written, no number taken");
    // A thousand lines and days at the edges of time are fine, and come back.
    let edge = EstimateFields { date: Some(Date::MIN), valid_until: Some(Date::MAX), ..many(MAX_LINES) };
    let made = make(edge).unwrap();
    assert_eq!(made.totals.net, 2_280_000.into());
    assert_eq!(host.read(|ctx, txn| estimates::get(ctx, txn, made.id)), made);
    let sql = "'); DROP TABLE leadcore_line; -- 𝔘𝔫𝔦\u{202e}code";
    let hostile = Line::new(sql, 1.into(), 1.into()).product(sql).tax(sql, 7.into());
    let hostile =
        host.write(|ctx, txn| estimates::set_lines(ctx, txn, made.id, made.revision, vec![hostile.clone()]));
    assert_eq!(host.read(|ctx, txn| estimates::get(ctx, txn, made.id)), hostile);
}
