//! What a key is kept with.

use rust_decimal::Decimal;

use super::super::super::leads;
use super::super::{
    AccountChoice, CustomerType, EstimateChoice, OpportunityEnding, OpportunityRequest, PersonChoice,
    PlannedService, plan,
};
use super::*;
use crate::dedupe::matching::MatchPolicy;
use crate::domain::{Actor, LeadFields, Line, OpportunityPatch, ServiceOrigin};
use crate::id::{ContactId, EstimateId, SequentialIds};
use crate::memory::MemoryStore;
use crate::policy::AllowAll;
use crate::store::StoreExt;
use crate::time::ManualClock;

fn asked(key: &IdempotencyKey, lead: LeadId, options: &ConversionOptions) -> Once {
    let once = |txn: &mut dyn Txn| Once::conversion(key).for_options(txn, lead, options);
    MemoryStore::new().read(&"acme".parse().unwrap(), once).unwrap()
}

/// What keys of this version are kept with. A change here means that retries which are under way while a host updates this
/// library are refused: a new part of options or plans leaves itself out of its JSON as long as it says nothing.
#[test]
fn what_is_kept_of_a_call_stays_what_it_is() {
    let store = MemoryStore::new();
    let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
    let ctx = Context::new(&"acme".parse().unwrap(), Actor::System, &clock, &ids, &AllowAll);
    let id = uuid::Uuid::from_u128;
    let patch = OpportunityPatch::new().name("A roof").amount(Some(Decimal::from(5)));
    let ending = OpportunityEnding::Lost { on: None, reason: None, detail: Some("Price".to_owned()) };
    let plain = ConversionOptions::default().customer(CustomerType::ActiveWithInvoice);
    let plain = plain.with_opportunity(OpportunityRequest::new().with(patch).ended(ending));
    let options = ConversionOptions {
        account: AccountChoice::Match(MatchPolicy::Best { at_least: 80 }),
        person: PersonChoice::Existing(ContactId::from_uuid(id(7))),
        estimates: EstimateChoice::These(vec![EstimateId::from_uuid(id(8))]),
        ..plain.clone()
    };
    let mut made = store
        .write(ctx.tenant(), |txn| {
            let fields = LeadFields {
                person: Some(crate::value::PersonName::parse("Kari Berg")?),
                currency: Some("EUR".parse()?),
                ..LeadFields::company("Nordlys AS")?
            };
            let lead = leads::create(&ctx, txn, fields.into())?;
            plan(&ctx, txn, lead.id, &plain)
        })
        .unwrap();
    let line = Line::new("Panel", 12.into(), 200.into());
    let origin = ServiceOrigin { estimate: EstimateId::from_uuid(id(8)), position: 1 };
    made.services = vec![PlannedService { fields: line.into(), origin: Some(origin) }];
    made.lead = LeadId::from_uuid(id(9));
    let key = "order 4711".parse().unwrap();
    let told = |once: Once| {
        let kept: Vec<_> = once.asked.into_iter().map(|(part, sum)| format!("{part} {sum}")).collect();
        kept.join("\n")
    };
    let kept =
        [told(asked(&key, made.lead, &options)), told(Once::conversion(&key).for_plan(&made).unwrap())];
    let wanted = [
        "account 36e9585545eeca3d\n\
         call convert\n\
         contacts 8c1783a7271ca55f\n\
         customer 87d05810b36f2d32\n\
         estimates 20348f398a171f3c\n\
         lead 00000000-0000-0000-0000-000000000009\n\
         opportunity 5927b738bd7474a2\n\
         person a7f1c049f716146b\n\
         revision 2ab82c9a31421b6c\n\
         series 2ab82c9a31421b6c\n\
         status 34a8ccbf828f2813",
        "account 0d575965ad5299ac\n\
         call apply\n\
         contacts 392b71008968dffb\n\
         customer 87d05810b36f2d32\n\
         lead 00000000-0000-0000-0000-000000000009\n\
         opportunity 145316703ebcc3ec\n\
         services 3c6c3b63b016bee4",
    ];
    assert_eq!(kept, wanted);
}

#[test]
fn what_an_earlier_version_kept_of_an_amount_is_the_same_amount() {
    let key = "order 4711".parse().unwrap();
    let call = |amount: &str| {
        let patch = OpportunityPatch::new().amount(Some(amount.parse().unwrap()));
        let request = OpportunityRequest::new().with(patch);
        let options = ConversionOptions::default().with_opportunity(request);
        asked(&key, LeadId::from_uuid(uuid::Uuid::nil()), &options)
    };
    // Of 10.00, when the zeros were a part of it.
    let mut asked = call("10").asked;
    asked.insert("opportunity".to_owned(), "b34dfeb8ad743bcd".to_owned());
    let kept = Call { asked, read: Sums::new(), said: Sums::new(), others: Others::new() };
    for (amount, differs) in
        [("10", false), ("10.00", false), ("10.0", false), ("10.01", true), ("100", true)]
    {
        let wanted: &[&str] = if differs { &["opportunity"] } else { &[] };
        assert_eq!(call(amount).differs(&kept).unwrap(), wanted, "{amount}");
    }
}
