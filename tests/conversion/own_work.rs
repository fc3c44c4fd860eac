//! X.09: what the user who takes a conversion back did since with what it made, or hung on it, stands against nothing.

use leadcore::desk::convert::{
    self, ConversionOptions, ConversionOutcome, Fate, OpportunityChoice, OpportunityRequest, PlannedService,
    UnconvertOutcome, Unconvertible,
};
use leadcore::desk::{Expect, opportunities, series, services, settings, undo};
use leadcore::domain::{
    Actor, Catalogue, CatalogueKind, CustomField, CustomKey, CustomType, CustomValue, Field, Lead, Line,
    OpportunityFields, OpportunityPatch, OpportunityState, Series, SeriesFields, ServiceState, Subject,
    WhyKept,
};

use super::fresh::*;
use crate::support::{Host, company, form};

pub(super) fn bob() -> Actor {
    Actor::User("bob".parse().unwrap())
}

/// Takes it back as the plan says.
pub(super) fn back(host: &Host, lead: &Lead) -> UnconvertOutcome {
    let plan = host.read(|ctx, txn| convert::plan_unconvert(ctx, txn, lead.id));
    assert_eq!(plan.blockers, []);
    host.scene.tick();
    let done = host.write(|ctx, txn| convert::apply_unconvert(ctx, txn, &plan));
    assert_eq!(done.records, plan.records);
    assert!(host.get(lead).conversion.is_none());
    done
}

pub(super) fn fate_of(done: &UnconvertOutcome, record: impl Into<Subject>) -> Fate {
    let record = record.into();
    done.records.iter().find(|taken| taken.record == record).unwrap().fate.clone()
}

/// An account, new or not, with an opportunity and a service.
fn sold(host: &Host, options: &ConversionOptions) -> (Lead, ConversionOutcome) {
    let lead = host.add(company("Nordlys"));
    let plan = plan(host, &lead, &options.clone().with_opportunity(OpportunityRequest::new()));
    let care = PlannedService { fields: Line::new("Care", 12.into(), 49.into()).into(), origin: None };
    let plan = plan.edit_services(vec![care]).unwrap();
    host.scene.tick();
    let done = host.write(|ctx, txn| convert::apply(ctx, txn, &plan));
    host.scene.tick();
    (lead, done)
}

/// Of a new account and of one that was there before.
fn both(host: &Host) -> [ConversionOptions; 2] {
    [options(), options().into_account(account(host, &named("Nordlys")).id)]
}

#[test]
fn x_09_what_one_won_lost_or_ended_oneself_goes_with_it() {
    let host = Host::new();
    for wanted in both(&host) {
        let (lead, done) = sold(&host, &wanted);
        let (deal, service) = (done.opportunity.unwrap(), done.services[0]);
        host.write(|ctx, txn| opportunities::win(ctx, txn, deal, Expect::Any, None));
        host.write(|ctx, txn| services::set_state(ctx, txn, service, Expect::Any, ServiceState::Inactive));
        let plan = host
            .write_as("bob", &leadcore::policy::AllowAll, |ctx, txn| {
                convert::plan_unconvert(ctx, txn, lead.id)
            })
            .unwrap();
        let moved = |record: Subject, state: &str| Unconvertible::MovedOn { record, state: state.to_owned() };
        assert!(plan.blockers.contains(&moved(deal.into(), "won")), "to bob it is somebody else's");
        assert!(plan.blockers.contains(&moved(service.into(), "inactive")));
        let done = back(&host, &lead);
        let edited = |record: Subject| {
            done.records.iter().find(|taken| taken.record == record).unwrap().edited.clone()
        };
        assert_eq!(edited(deal.into()), ["closed_on", "state"]);
        assert_eq!(edited(service.into()), ["state"]);
        assert_eq!(fate_of(&done, deal), Fate::Removed);
        assert_eq!(host.read(|_, txn| txn.opportunities().get(&[deal])), []);
        assert_eq!(host.read(|_, txn| txn.services().get(&[service])), []);
    }
}

#[test]
fn x_09_what_one_opened_again_goes_with_it_and_what_others_touched_does_not() {
    let host = Host::new();
    let won = OpportunityRequest::new().ended(convert::OpportunityEnding::Won { on: None });
    let lead = host.add(company("Nordlys"));
    let deal = into(&host, &lead, &options().with_opportunity(won)).opportunity.unwrap();
    host.scene.tick();
    host.write(|ctx, txn| opportunities::reopen(ctx, txn, deal, Expect::Any));
    assert_eq!(blockers(&host, &lead), []);
    // Somebody else won it meanwhile: it is both theirs.
    as_bob(&host, |ctx, txn| opportunities::win(ctx, txn, deal, Expect::Any, None));
    host.write(|ctx, txn| opportunities::reopen(ctx, txn, deal, Expect::Any));
    let record = Subject::from(deal);
    assert!(matches!(
        &blockers(&host, &lead)[..],
        [Unconvertible::Changed { by, .. }, Unconvertible::MovedOn { .. }] if by.contains(&bob())
    ));
    as_bob(&host, |ctx, txn| opportunities::delete(ctx, txn, deal, Expect::Any));
    let by = vec![bob(), host.scene.ctx().actor().clone()];
    assert_eq!(
        blockers(&host, &lead),
        [Unconvertible::Gone { record, by }],
        "whoever took it away is told first"
    );
}

#[test]
fn x_09_what_one_deleted_oneself_is_nothing_that_is_missing() {
    let host = Host::new();
    for wanted in both(&host) {
        let (lead, done) = sold(&host, &wanted);
        let (deal, service) = (done.opportunity.unwrap(), done.services[0]);
        host.write(|ctx, txn| services::delete(ctx, txn, service, Expect::Any));
        host.write(|ctx, txn| opportunities::delete(ctx, txn, deal, Expect::Any));
        let deletion = last_operation(&host, deal);
        let taken = back(&host, &lead);
        assert_eq!((fate_of(&taken, deal), fate_of(&taken, service)), (Fate::Removed, Fate::Removed));
        // It was the conversion's: an undo of the deletion does not bring it back, and says so.
        let undone = host.write(|ctx, txn| undo::undo(ctx, txn, deletion));
        assert_eq!(host.read(|_, txn| txn.opportunities().get(&[deal])), []);
        assert_eq!(undone.remaining[0].kept[0].why, WhyKept::Reversed, "{undone:?}");
        // What was converted is converted again.
        into(&host, &lead, &options().with_opportunity(OpportunityRequest::new()));
    }
}

pub(super) fn gapless(host: &Host) {
    let fields = SeriesFields::named("G").prefix("G-").gapless();
    let gapless = host.write(|ctx, txn| series::add(ctx, txn, Series::Opportunity, fields.clone()));
    host.write(|ctx, txn| series::set_default(ctx, txn, gapless.id));
}

#[test]
fn x_09_in_a_series_without_gaps_what_one_won_oneself_is_closed() {
    let host = Host::new();
    gapless(&host);
    let read = |id| host.read(|_, txn| txn.opportunities().get(&[id])).remove(0);
    for lost in [false, true] {
        let (lead, done) = sold(&host, &options());
        let deal = done.opportunity.unwrap();
        if lost {
            let why = opportunities::Lost::because(None, Some("Too dear"));
            host.write(|ctx, txn| opportunities::lose(ctx, txn, deal, Expect::Any, &why));
        } else {
            host.write(|ctx, txn| opportunities::win(ctx, txn, deal, Expect::Any, None));
        }
        assert_eq!(fate_of(&back(&host, &lead), deal), Fate::Closed);
        let now = read(deal);
        let said = now.end.unwrap().detail.unwrap();
        let expected = if lost { "Too dear" } else { "The conversion was taken back" };
        assert_eq!((now.state, said.as_str()), (OpportunityState::Lost, expected));
    }
}

#[test]
fn x_09_a_closed_opportunity_holds_no_unique_value() {
    let host = Host::new();
    gapless(&host);
    let key: CustomKey = "x_contract".parse().unwrap();
    for kind in [CatalogueKind::Lead, CatalogueKind::Opportunity] {
        let mut field = CustomField::new(key.clone(), "Contract", CustomType::Text);
        field.unique = kind == CatalogueKind::Opportunity;
        let mut catalogue = Catalogue::of(kind);
        catalogue.set_custom_field(field);
        host.write(|ctx, txn| {
            let (revision, _) = settings::catalogue_of(ctx, txn, kind)?;
            settings::set_catalogue(ctx, txn, revision, &catalogue)
        });
    }
    let value = CustomValue::Text("C-1".to_owned());
    let mut fields = company("Nordlys");
    fields.custom.insert(key.clone(), value.clone());
    let lead = host.add(fields);
    let wanted = options().with_opportunity(OpportunityRequest::new());
    let first = into(&host, &lead, &wanted).opportunity.unwrap();
    let read = |id| host.read(|_, txn| txn.opportunities().get(&[id])).remove(0);
    assert_eq!(read(first).fields.custom.get(&key), Some(&value));
    assert_eq!(fate_of(&back(&host, &lead), first), Fate::Closed);
    assert_eq!(read(first).fields.custom.get(&key), None);
    let again = into(&host, &lead, &wanted).opportunity.unwrap();
    assert_eq!(read(again).fields.custom.get(&key), Some(&value));
}

#[test]
fn x_09_an_own_edit_of_a_joined_opportunity_stays_after_the_way_back_and_an_undo_says_so() {
    let host = Host::new();
    let known = account(&host, &named("Nordlys"));
    let before = host.write(|ctx, txn| {
        opportunities::create(ctx, txn, known.id, OpportunityFields::named("Running").into())
    });
    let read = || host.read(|_, txn| txn.opportunities().get(&[before.id])).remove(0);
    let fields = [
        (Field::Company, "Nordlys"),
        (Field::Name, "Kim Berg"),
        (Field::Amount, "500"),
        (Field::Currency, "EUR"),
    ];
    for edit in [
        OpportunityPatch::new().probability(Some(60)),
        OpportunityPatch::new().amount(Some(700.into())),
        OpportunityPatch::new().amount(Some(700.into())).probability(Some(60)),
    ] {
        let lead = host.add(form(&fields));
        into(&host, &lead, &options().opportunity(OpportunityChoice::Existing(before.id)));
        host.scene.tick();
        host.write(|ctx, txn| opportunities::edit(ctx, txn, before.id, Expect::Any, &edit));
        let operation = last_operation(&host, before.id);
        back(&host, &lead);
        let left = read();
        host.scene.tick();
        let undone = host.write(|ctx, txn| undo::undo(ctx, txn, operation));
        // The way back wrote it since: the undo leaves it as that left it, and says so.
        assert_eq!(read(), left);
        let [record] = &undone.remaining[..] else { panic!("{undone:?}") };
        assert_eq!((record.subject, record.kept[0].why), (before.id.into(), WhyKept::Edited));
        assert_ne!(left.fields.amount, Some(500.into()), "nor does it bring back what the conversion wrote");
        // What is left is said, and put right by hand.
        let patch = OpportunityPatch::new().amount(None).currency(None).probability(None);
        host.write(|ctx, txn| opportunities::edit(ctx, txn, before.id, Expect::Any, &patch));
    }
}
