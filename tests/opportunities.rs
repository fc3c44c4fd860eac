//! Opportunities and services: what a qualified lead becomes besides a customer (S1.06, S1.07), and what the customer buys.

use leadcore::desk::convert::{self, ConversionOptions, ConversionOutcome};
use leadcore::desk::opportunities::{self, Lost, NewOpportunity, OpportunityQuery};
use leadcore::desk::page::{self, ChildRecord, PageOptions};
use leadcore::desk::services::{self, NewService, ServiceQuery};
use leadcore::desk::timeline::{self, TimelineQuery};
use leadcore::desk::vocabulary::{self, InUse};
use leadcore::desk::{Expect, Listing, activities, contacts, estimates, leads, series, settings, undo};
use leadcore::domain::{
    ActivityBody, ActivityFields, ActivityKind, ContactFields, Field, Lead, Line, Numbering, Opportunity,
    OpportunityFields, OpportunityPatch, OpportunityState, Series, SeriesFields, ServiceFields,
    ServiceOrigin, ServiceState, Subject, Tab,
};
use leadcore::error::{Conflict, ErrorKind};
use leadcore::id::{LostReasonId, SourceId};
use leadcore::query::Page;
use leadcore::testkit::dump;
use leadcore::time::Date;
use leadcore::value::Currency;

use crate::estimates::{closed, panels, roof};
use crate::support::{Host, company, fields_of, form, refused};

const ANY: Expect = Expect::Any;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A customer that trades in euros, and the lead that it was.
pub(crate) fn customer(host: &Host, name: &str) -> (Lead, ConversionOutcome) {
    let lead = host.add(form(&[(Field::Company, name), (Field::Currency, "EUR")]));
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    (lead, made)
}

pub(crate) fn solar(amount: i64) -> OpportunityFields {
    OpportunityFields { amount: Some(amount.into()), ..OpportunityFields::named("Solar roof") }
}

#[expect(clippy::needless_pass_by_value, reason = "fields are made for one call")]
pub(crate) fn opened(host: &Host, of: impl Into<Subject>, fields: OpportunityFields) -> Opportunity {
    let of = of.into();
    host.scene.tick();
    host.write(|ctx, txn| opportunities::create(ctx, txn, of, fields.clone().into()))
}

fn amounts(page: &Page<Opportunity, impl Sized>) -> Vec<String> {
    page.items.iter().map(|one| one.fields.amount.unwrap_or_default().to_string()).collect()
}

/// "validate + analyse; qualified lead becomes a potential": with what is known of the lead, on both pages, copied nowhere.
#[test]
fn s1_06_a_qualified_lead_becomes_a_potential() {
    let mut host = Host::new();
    let fair = host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "Fair", None));
    let mut fields = form(&[(Field::Company, "Nordlys AS"), (Field::Currency, "EUR")]);
    fields.source = Some(fair.id);
    let lead = host.add(fields);
    let named = ContactFields::named("Kari").unwrap();
    let kari = host.write(|ctx, txn| contacts::add(ctx, txn, lead.id, named.clone(), true));
    let made = host.write(|ctx, txn| convert::convert(ctx, txn, lead.id, &ConversionOptions::default()));
    let new = NewOpportunity::from(OpportunityFields {
        probability: Some(60),
        expected_close: Some(day("2027-02-01")),
        campaign: Some(" Spring 2027 ".to_owned()),
        ..OpportunityFields::named("Solar roof").line(panels())
    });
    let new = new.contacts([kari.id]);
    let made_of = host.write(|ctx, txn| opportunities::create(ctx, txn, lead.id, new.clone()));
    assert_eq!((made_of.account, made_of.origin_lead), (made.account.unwrap(), Some(lead.id)));
    assert_eq!((made_of.state, made_of.chance()), (OpportunityState::Open, Some(60)));
    let fields = &made_of.fields;
    assert_eq!((fields.source, fields.campaign.as_deref()), (Some(fair.id), Some("Spring 2027")));
    assert_eq!((fields.owner.as_ref().unwrap().as_str(), fields.currency.unwrap().code()), ("ada", "EUR"));
    assert_eq!(fields.amount, Some(2_280.into()), "what its lines add up to");
    assert_eq!(made_of.show(made_of.totals.gross), "€ 2850.00");
    assert_eq!(made_of.contacts().collect::<Vec<_>>(), [kari.id]);
    host.restart();
    let written = host.read(|ctx, txn| opportunities::by_number(ctx, txn, "O-00001"));
    assert_eq!(written, made_of);
    let options = PageOptions::new();
    let of_lead = host.read(|ctx, txn| page::lead_page(ctx, txn, lead.id, &options)).tabs;
    let of_account = host.read(|ctx, txn| page::account_page(ctx, txn, made.account.unwrap(), &options)).tabs;
    for tabs in [of_lead, of_account] {
        let tab = tabs.into_iter().find(|page| page.tab == Tab::Opportunity).unwrap();
        assert_eq!((tab.total, tab.open, tab.items), (1, 1, vec![ChildRecord::Opportunity(made_of.clone())]));
    }
    assert!(host.read(page::all_tabs).contains(&Tab::Opportunity));
    let told = host.read(|ctx, txn| timeline::of(ctx, txn, lead.id, &TimelineQuery::new(10)));
    assert_eq!(told.items[0].text, "Opportunity added: Solar roof");
}

/// "exactly two terminal outcomes, with date": and each is corrected by opening it again.
#[test]
fn potential_won_or_lost_s1_07() {
    let host = Host::new();
    let (_, made) = customer(&host, "Nordlys AS");
    let ends: Vec<_> = OpportunityState::ALL.iter().filter(|state| !state.is_open()).collect();
    assert_eq!(ends, [&OpportunityState::Won, &OpportunityState::Lost], "and no third");
    let open = opened(&host, made.account.unwrap(), solar(3_000));
    let today = Date::in_zone(host.scene.clock_now(), host.ctx().utc_offset());
    let tomorrow = today.saturating_add_days(1);
    let early = host.try_write(|ctx, txn| opportunities::win(ctx, txn, open.id, ANY, Some(tomorrow)));
    assert_eq!(fields_of(&refused(early, ErrorKind::Invalid)), ["on"], "what has not come yet is not known");
    let on = day("2025-12-31");
    let won = host.write(|ctx, txn| opportunities::win(ctx, txn, open.id, open.revision, Some(on)));
    let end = won.end.clone().unwrap();
    assert_eq!((won.state, end.on, won.chance(), won.day()), (OpportunityState::Won, on, Some(100), on));
    // It cannot end twice, and what it was worth stays what it was; who answers for it does not.
    let lost = Lost::because(None, Some("no budget"));
    for again in [
        host.try_write(|ctx, txn| opportunities::win(ctx, txn, open.id, ANY, None)),
        host.try_write(|ctx, txn| opportunities::lose(ctx, txn, open.id, ANY, &lost)),
        host.try_write(|ctx, txn| {
            let patch = OpportunityPatch::new().amount(Some(9.into()));
            opportunities::edit(ctx, txn, open.id, ANY, &patch)
        }),
    ] {
        assert!(matches!(again.unwrap_err().conflict(), Some(Conflict::Closed { .. })));
    }
    let patch =
        OpportunityPatch::new().owner(Some("bob".parse().unwrap())).description(Some("Signed".into()));
    host.write(|ctx, txn| opportunities::edit(ctx, txn, open.id, ANY, &patch));
    let again = host.write(|ctx, txn| opportunities::reopen(ctx, txn, open.id, ANY));
    assert_eq!((again.state, &again.end), (OpportunityState::Open, &None));
    let same = host.write(|ctx, txn| opportunities::reopen(ctx, txn, open.id, ANY));
    assert_eq!(same, again, "an open one stays as it is");
    // Where the tenant keeps a list of reasons, one of it is named.
    let dear = host.write(|ctx, txn| vocabulary::add::<LostReasonId>(ctx, txn, "Too dear", None));
    let none = host.try_write(|ctx, txn| opportunities::lose(ctx, txn, open.id, ANY, &lost));
    refused(none, ErrorKind::Invalid);
    let why = Lost::because(dear.id, Some(" by 10 % ")).on(today);
    let ended = host.write(|ctx, txn| opportunities::lose(ctx, txn, open.id, ANY, &why));
    let end = ended.end.clone().unwrap();
    assert_eq!((end.on, end.reason, end.detail.as_deref()), (today, Some(dear.id), Some("by 10 %")));
    assert_eq!(ended.chance(), Some(0));
    let told = host.read(|ctx, txn| timeline::of(ctx, txn, open.id, &TimelineQuery::new(10)));
    let told: Vec<_> = told.items.into_iter().map(|item| item.text).collect();
    assert!(
        told[0].contains("State: open → lost") && told[0].contains("Lost reason: – → Too dear"),
        "{told:?}"
    );
    assert!(told.iter().any(|line| line.contains("State: won → open")), "how it had ended is told: {told:?}");
    // A reason, like a source, that an opportunity has is not deleted.
    let error = host.try_write(|ctx, txn| vocabulary::delete(ctx, txn, dear.id, InUse::Refuse));
    assert_eq!(error.unwrap_err().conflict(), Some(&Conflict::InUse { by: 1 }));
}

/// "linking a sales opportunity to a lead requires (and triggers) conversion": the error says which lead to convert, at which
/// revision; with that it is planned, carried out, and linked.
#[test]
fn s4_14_opportunity_forces_conversion() {
    let host = Host::new();
    let lead = host.add(company("Nordlys AS"));
    let before = dump(&host.store, &host.scene.tenant);
    let ask = || host.try_write(|ctx, txn| opportunities::create(ctx, txn, lead.id, solar(5).into()));
    let error = refused(ask(), ErrorKind::Conflict);
    assert_eq!(error.to_string(), "opportunity needs a customer: convert the lead first");
    let Some(Conflict::ConversionRequired { lead: of, revision }) = error.conflict().cloned() else {
        panic!("it says what to do: {error}")
    };
    assert_eq!((of, revision), (lead.id, lead.revision));
    let service = || ServiceFields::from(panels()).into();
    let error = host.try_write(|ctx, txn| services::create(ctx, txn, lead.id, vec![service()]));
    assert!(matches!(error.unwrap_err().conflict(), Some(Conflict::ConversionRequired { .. })));
    assert_eq!(dump(&host.store, &host.scene.tenant), before, "nothing is written");
    let made = host.write(|ctx, txn| {
        let plan = convert::plan(ctx, txn, of, &ConversionOptions::default().at_revision(revision))?;
        let outcome = convert::apply(ctx, txn, &plan)?;
        let linked = opportunities::create(ctx, txn, of, solar(5).into())?;
        Ok((outcome.account.unwrap(), linked))
    });
    assert_eq!(made.1.account, made.0);
    // What is in the trash, or somebody else's, is not there.
    let gone = host.add(company("Gone AS"));
    host.write(|ctx, txn| leads::delete(ctx, txn, gone.id, ANY));
    refused(
        host.try_write(|ctx, txn| opportunities::create(ctx, txn, gone.id, solar(5).into())),
        ErrorKind::NotFound,
    );
}

/// "opportunities, activities … linkable": notes, tasks and files are about an opportunity as about a lead.
#[test]
fn neighbour_objects_s3_09() {
    let host = Host::new();
    let (lead, made) = customer(&host, "Nordlys AS");
    let open = opened(&host, made.account.unwrap(), solar(3_000));
    let fields = ActivityFields {
        title: Some("Measured the roof".to_owned()),
        text: Some("By hand.".to_owned()),
        assignee: None,
        remind_at: None,
        body: ActivityBody::Note,
    };
    let note = host.write(|ctx, txn| activities::add(ctx, txn, &[open.id.into()], fields.clone()));
    let of = host.read(|ctx, txn| activities::of(ctx, txn, open.id, ActivityKind::ALL, &Listing::default()));
    assert_eq!(of.items, [note]);
    let told = host.read(|ctx, txn| timeline::of(ctx, txn, lead.id, &TimelineQuery::new(1)));
    assert_eq!(
        told.items[0].text, "Note added: Measured the roof",
        "the history of the customer tells it too"
    );
}

/// What was offered becomes what is bought: services say which line of which estimate they were copied from.
#[test]
fn services_come_from_the_lines_of_an_estimate() {
    let host = Host::new();
    let (lead, made) = customer(&host, "Nordlys AS");
    let offer = host.write(|ctx, txn| estimates::create(ctx, txn, &[made.account.unwrap().into()], roof()));
    let won = opened(&host, made.account.unwrap(), solar(3_000));
    let copied = host.write(|ctx, txn| {
        let line = offer.fields.lines[0].clone();
        let origin = ServiceOrigin { estimate: offer.id, position: 0 };
        let new = NewService::from(ServiceFields::from(line).starting(day("2026-12-01")));
        let new = new.origin(origin).opportunity(won.id).state(ServiceState::Inactive);
        services::create(ctx, txn, made.account.unwrap(), vec![new])
    });
    let [service] = copied.as_slice() else { panic!("one service") };
    assert_eq!(
        (service.totals.gross, service.fields.currency),
        (offer.totals.gross, Some(Currency::parse("EUR").unwrap()))
    );
    let by = |query: ServiceQuery| host.read(|ctx, txn| services::list(ctx, txn, &query)).items;
    let mut query = ServiceQuery::default();
    query.estimate = Some(offer.id);
    assert_eq!(by(query), copied);
    let mut query = ServiceQuery::default();
    query.state = Some(ServiceState::Active);
    assert_eq!(by(query.clone()), []);
    let active = host
        .write(|ctx, txn| services::set_state(ctx, txn, service.id, service.revision, ServiceState::Active));
    assert_eq!(by(query), std::slice::from_ref(&active));
    assert_eq!(host.read(|ctx, txn| services::of(ctx, txn, lead.id, &Listing::default())).items, [active]);
    // Somebody else's opportunity is none of theirs.
    let (_, other) = customer(&host, "Fjord AS");
    let strange = host.try_write(|ctx, txn| {
        let new = NewService::from(ServiceFields::from(panels())).opportunity(won.id);
        services::create(ctx, txn, other.account.unwrap(), vec![new])
    });
    assert_eq!(fields_of(&refused(strange, ErrorKind::Invalid)), ["services[0].opportunity"]);
}

#[test]
fn opportunities_are_listed_by_owner_state_source_and_day() {
    let host = Host::new();
    let fair = host.write(|ctx, txn| vocabulary::add::<SourceId>(ctx, txn, "Fair", None));
    let [(_, one), (_, two)] = ["Nordlys AS", "Fjord AS"].map(|name| customer(&host, name));
    for (n, made) in [(1, &one), (2, &two), (3, &one), (4, &two)] {
        let owner = if n % 2 == 0 { "ada" } else { "bob" };
        let fields = OpportunityFields {
            owner: Some(owner.parse().unwrap()),
            source: (n > 2).then_some(fair.id),
            expected_close: (n != 4).then(|| day(&format!("2027-0{n}-01"))),
            ..solar(n)
        };
        opened(&host, made.account.unwrap(), fields);
    }
    host.write(|ctx, txn| {
        let first = opportunities::by_number(ctx, txn, 1)?;
        opportunities::win(ctx, txn, first.id, ANY, None)
    });
    let list = |query: &OpportunityQuery| host.read(|ctx, txn| opportunities::list(ctx, txn, query));
    let with = |change: fn(&mut OpportunityQuery, SourceId)| {
        let mut query = OpportunityQuery::default();
        query.ascending = true;
        change(&mut query, fair.id);
        amounts(&list(&query))
    };
    assert_eq!(with(|_, _| {}), ["1", "2", "3", "4"], "what is won today, then as expected, then whenever");
    assert_eq!(with(|query, _| query.owner = Some("bob".parse().unwrap())), ["1", "3"]);
    assert_eq!(with(|query, _| query.state = Some(OpportunityState::Open)), ["2", "3", "4"]);
    assert_eq!(with(|query, source| query.source = Some(source)), ["3", "4"]);
    assert_eq!(with(|query, _| query.until = Some("2027-02-28".parse().unwrap())), ["1", "2"]);
    let mut walked = Vec::new();
    let mut query = OpportunityQuery::default();
    query.limit = 3;
    loop {
        let page = list(&query);
        walked.extend(amounts(&page));
        query.after = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(walked, ["4", "3", "2", "1"]);
    query.limit = 0;
    let none = host.try_read(|ctx, txn| opportunities::list(ctx, txn, &query));
    assert_eq!(fields_of(&refused(none, ErrorKind::Invalid)), ["limit"]);
}

#[test]
fn every_broken_rule_is_told_at_once() {
    let host = Host::new();
    let (_, made) = customer(&host, "Nordlys AS");
    let before = dump(&host.store, &host.scene.tenant);
    let bad = OpportunityFields {
        probability: Some(101),
        source: Some(SourceId::from_uuid(host.scene.uuid())),
        ..OpportunityFields::named(" ").line(Line::new(" ", 1.into(), 1.into()))
    };
    let refusal =
        host.try_write(|ctx, txn| opportunities::create(ctx, txn, made.account.unwrap(), bad.clone().into()));
    let error = refused(refusal, ErrorKind::Invalid);
    assert_eq!(fields_of(&error), ["source", "name", "probability", "lines[0].description"]);
    let person =
        host.write(|ctx, txn| opportunities::create(ctx, txn, made.account.unwrap(), solar(1).into()));
    let stale = host.try_write(|ctx, txn| {
        opportunities::edit(ctx, txn, person.id, ANY, &OpportunityPatch::new().probability(Some(5)))?;
        opportunities::edit(ctx, txn, person.id, person.revision, &OpportunityPatch::new().name("Late"))
    });
    assert!(matches!(refused(stale, ErrorKind::Conflict).conflict(), Some(Conflict::StaleRevision { .. })));
    let taken = host.read(|ctx, txn| opportunities::get(ctx, txn, person.id));
    assert_eq!(taken, person, "a refused call leaves nothing");
    let wrong = host.try_write(|ctx, txn| opportunities::create(ctx, txn, person.id, solar(1).into()));
    assert_eq!(fields_of(&refused(wrong, ErrorKind::Invalid)), ["of"]);
    assert_ne!(dump(&host.store, &host.scene.tenant), before);
}

/// Its numbers are the tenant's own; what is deleted comes back by an undo, with its number.
#[test]
fn numbers_of_opportunities_are_a_series_of_their_own() {
    let host = Host::new();
    let (_, made) = customer(&host, "Nordlys AS");
    let numbering = Numbering { prefix: "POT-".to_owned(), width: 4, start: 100 };
    host.write(|ctx, txn| settings::set_opportunity_numbering(ctx, txn, None, &numbering));
    let first = opened(&host, made.account.unwrap(), solar(1));
    assert_eq!(first.number, 100);
    assert_eq!(host.read(|ctx, txn| opportunities::by_number(ctx, txn, "pot-0100")), first);
    let before = dump(&host.store, &host.scene.tenant);
    host.write(|ctx, txn| opportunities::delete(ctx, txn, first.id, first.revision));
    refused(host.try_read(|ctx, txn| opportunities::get(ctx, txn, first.id)), ErrorKind::NotFound);
    assert_ne!(dump(&host.store, &host.scene.tenant), before);
    let operation = host.read(|_, txn| txn.journal().replay(None, None, 1_000)).last().unwrap().operation;
    host.write(|ctx, txn| undo::undo(ctx, txn, operation));
    let back = host.read(|ctx, txn| opportunities::by_number(ctx, txn, 100));
    assert_eq!((back.id, back.fields), (first.id, first.fields));
    let second = opened(&host, made.account.unwrap(), solar(2));
    assert_eq!(second.number, 101);
    host.write(|ctx, txn| opportunities::win(ctx, txn, second.id, ANY, None));
    let error = host.try_write(|ctx, txn| opportunities::win(ctx, txn, second.id, ANY, None));
    closed(&refused(error, ErrorKind::Conflict), "win");
}

/// A series of their own keeps what was written, is found by it, and where it has no gaps nothing is removed alone.
#[test]
fn opportunities_are_numbered_in_the_series_they_name() {
    let host = Host::new();
    let (_, made) = customer(&host, "Nordlys AS");
    let fields = SeriesFields::named("Tenders").prefix("T-{year}-").width(3).yearly().gapless();
    let tenders = host.write(|ctx, txn| series::add(ctx, txn, Series::Opportunity, fields.clone()));
    let plain = opened(&host, made.account.unwrap(), solar(1));
    let new = NewOpportunity::from(solar(2)).series(tenders.id);
    let tender = host.write(|ctx, txn| opportunities::create(ctx, txn, made.account.unwrap(), new.clone()));
    let serial = tender.serial.clone().unwrap();
    assert_eq!((plain.number, plain.serial, tender.number), (1, None, 1));
    assert_eq!((serial.series, serial.text.as_str()), (tenders.id, "T-2026-001"));
    assert_eq!(host.read(|ctx, txn| series::written(ctx, txn, &tender)), "T-2026-001");
    assert_eq!(host.read(|ctx, txn| opportunities::by_number(ctx, txn, "t-2026-1")).id, tender.id);
    assert_eq!(host.read(|ctx, txn| opportunities::by_number(ctx, txn, "O-00001")).id, plain.id);
    assert_eq!(host.read(|ctx, txn| opportunities::by_number(ctx, txn, 1)).id, plain.id);
    let told = host.read(|ctx, txn| series::overview(ctx, txn, Series::Opportunity, 5));
    let last = told.iter().find(|state| state.series.id == tenders.id).unwrap().last.first().unwrap();
    assert_eq!((last.text.as_str(), last.name.as_deref()), ("T-2026-001", Some(tender.fields.name.as_str())));
    let gap = host.try_write(|ctx, txn| opportunities::delete(ctx, txn, tender.id, ANY));
    let gap = refused(gap, ErrorKind::Conflict);
    assert!(matches!(gap.conflict(), Some(Conflict::NumberTaken { number, .. }) if number == "T-2026-001"));
    let operation = host.read(|_, txn| txn.journal().replay(None, None, 1_000)).last().unwrap().operation;
    host.write(|ctx, txn| undo::undo(ctx, txn, operation));
    assert_eq!(
        host.read(|ctx, txn| opportunities::get(ctx, txn, tender.id)),
        tender,
        "its number would be missing"
    );
}
