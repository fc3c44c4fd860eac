use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn lines_say_what_it_is_worth() {
    let line = Line::new("Panel", decimal("3"), decimal("199.99")).tax("VAT", decimal("25"));
    let fields = OpportunityFields { amount: Some(decimal("1")), ..OpportunityFields::named(" Roof ") };
    let (fields, totals) = fields.line(line).settle().unwrap();
    assert_eq!((fields.name.as_str(), fields.amount), ("Roof", Some(decimal("599.97"))));
    assert_eq!(totals.gross, decimal("749.96"));
    let (plain, _) = OpportunityFields { amount: Some(decimal("5.00")), ..fields.clone() }.settle().unwrap();
    assert_eq!(plain, fields, "whatever amount is said");
}

#[test]
fn every_broken_rule_is_told_at_once() {
    let fields = OpportunityFields {
        amount: Some(decimal("0.00001")),
        probability: Some(101),
        campaign: Some("x".repeat(501)),
        ..OpportunityFields::named(" ").line(Line::new("", 1.into(), 1.into()))
    };
    let broken = fields.settle().unwrap_err();
    let named: Vec<_> = broken.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(named, ["name", "campaign", "amount", "probability", "lines[0].description"]);
}

#[test]
fn a_state_has_two_ends() {
    let ends: Vec<_> = OpportunityState::ALL.iter().filter(|state| !state.is_open()).collect();
    assert_eq!(ends, [&OpportunityState::Won, &OpportunityState::Lost]);
}

proptest! {
    #[test]
    fn what_is_settled_stays_settled(name in "[a-z]{1,9}", amount in -99_999_i64..99_999, probability in 0_u8..=100) {
        let fields = OpportunityFields {
            amount: Some(Decimal::new(amount, 2)), probability: Some(probability), ..OpportunityFields::named(&name)
        };
        let (once, totals) = fields.settle().unwrap();
        prop_assert_eq!(once.clone().settle().unwrap(), (once, totals));
    }

    #[test]
    fn a_patch_says_the_same_as_json(name in proptest::option::of("[a-z]{1,9}"), amount in proptest::option::of(proptest::option::of(0_i64..999))) {
        let mut patch = OpportunityPatch::new();
        if let Some(name) = &name { patch = patch.name(name); }
        if let Some(amount) = amount { patch = patch.amount(amount.map(Decimal::from)); }
        let json = serde_json::to_string(&patch).unwrap();
        prop_assert_eq!(serde_json::from_str::<OpportunityPatch>(&json).unwrap(), patch);
    }
}
