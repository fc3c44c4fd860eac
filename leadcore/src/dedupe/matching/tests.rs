use proptest::prelude::*;

use super::*;
use crate::domain::AccountFields;
use crate::error::{Conflict, ErrorKind};
use crate::id::Revision;
use crate::time::Timestamp;

const KINDS: [EvidenceKind; 9] = [
    EvidenceKind::Number,
    EvidenceKind::TaxId,
    EvidenceKind::Email,
    EvidenceKind::Phone,
    EvidenceKind::Company,
    EvidenceKind::ContactOfAccount,
    EvidenceKind::Domain,
    EvidenceKind::Person,
    EvidenceKind::OtherTaxId,
];

fn account(number: u64, fields: AccountFields) -> Account {
    Account {
        id: AccountId::from_uuid(uuid::Uuid::from_u128(number.into())),
        number,
        serial: None,
        revision: Revision::FIRST,
        fields,
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
        archived: None,
    }
}

fn named(name: &str) -> AccountFields {
    AccountFields { name: name.to_owned(), ..AccountFields::default() }
}

fn candidate(number: u64, evidence: &[EvidenceKind]) -> Candidate<AccountId> {
    let found = account(number, named("x"));
    let evidence = evidence.iter().map(|kind| Evidence::new(*kind, None)).collect();
    Candidate::new(found.id, "x".to_owned(), Some(number), evidence).unwrap()
}

#[test]
fn evidence_is_what_both_have() {
    let lead = LeadFields {
        emails: "Anna@Nordlys.example, anna@gmail.com".parse().unwrap(),
        phones: "+47 22 22 55 55".parse().unwrap(),
        tax_id: Some("NO 923 609 016".parse().unwrap()),
        ..LeadFields::company("Nordlys AS").unwrap()
    };
    let probe = Probe::of(&lead).number(7);
    let found = |fields: AccountFields| probe.account(&account(3, fields));
    let kinds = |fields| -> Vec<_> {
        found(fields).map(|found| found.evidence.iter().map(|one| one.kind).collect()).unwrap_or_default()
    };
    assert_eq!(kinds(named("NORDLYS A/S")), [EvidenceKind::Company]);
    let mail = AccountFields { emails: "post@nordlys.example".parse().unwrap(), ..named("Other") };
    assert_eq!(kinds(mail), [EvidenceKind::Domain]);
    let gmail = AccountFields { emails: "other@gmail.com".parse().unwrap(), ..named("Other") };
    assert_eq!(kinds(gmail), [], "a domain that many share says nothing");
    let tax = AccountFields { tax_id: Some("no-923609016".parse().unwrap()), ..named("Other") };
    assert_eq!(kinds(tax), [EvidenceKind::TaxId]);
    let other = AccountFields { tax_id: Some("SE 1".parse().unwrap()), ..named("Nordlys") };
    assert_eq!(found(other.clone()).unwrap().score, OTHER_TAX_ID);
    assert_eq!(kinds(other), [EvidenceKind::Company, EvidenceKind::OtherTaxId]);
    assert_eq!(probe.account(&account(7, named("Other"))).unwrap().score, 100, "the number is certain");
}

#[test]
fn a_tax_number_is_one_of_its_country() {
    let address = |code: &str| crate::value::Address::default().with_country(Country::parse(code).ok());
    let lead = |id: &str, country: &str| LeadFields {
        tax_id: Some(id.parse().unwrap()),
        address: address(country),
        ..LeadFields::company("Nordlys AS").unwrap()
    };
    let of = |id: &str, country: &str| AccountFields {
        tax_id: Some(id.parse().unwrap()),
        address: address(country),
        ..named("Other")
    };
    let found = |one: (&str, &str), other: (&str, &str)| {
        let found = Probe::of(&lead(one.0, one.1)).account(&account(3, of(other.0, other.1)));
        found.map(|found| found.evidence.iter().map(|one| one.kind).collect::<Vec<_>>())
    };
    let norwegian = ("NO923609016MVA", "NO");
    for same in [
        ("923609016", ""),
        ("923 609 016 MVA", ""),
        ("923609016", "NO"),
        ("no923609016", ""),
        ("NO923609016MVA", "SE"),
    ] {
        for (one, other) in [(norwegian, same), (same, norwegian)] {
            assert_eq!(found(one, other), Some(vec![EvidenceKind::TaxId]), "{one:?} {other:?}");
        }
    }
    for another in [("923609016", "SE"), ("SE923609016", ""), ("923609016", "DK"), ("923609017", "")] {
        for (one, other) in [(norwegian, another), (another, norwegian), (("923609016", "NO"), another)] {
            assert_eq!(found(one, other), None, "{one:?} {other:?}");
        }
    }
    assert_eq!(found(("1", ""), ("1", "")), Some(vec![EvidenceKind::TaxId]));
    // The same name then counts for less.
    let probe = Probe::of(&lead("923609016", "NO"));
    let other = AccountFields { name: "Nordlys".to_owned(), ..of("923609016", "SE") };
    assert_eq!(probe.account(&account(3, other)).unwrap().score, OTHER_TAX_ID);
}

#[test]
fn a_policy_chooses_or_says_that_it_does_not() {
    let mut accounts = vec![
        candidate(2, &[EvidenceKind::Company]),
        candidate(1, &[EvidenceKind::Company]),
        candidate(3, &[EvidenceKind::Email]),
    ];
    rank(&mut accounts);
    let numbers: Vec<_> = accounts.iter().filter_map(|found| found.number).collect();
    assert_eq!(numbers, [3, 1, 2]);
    let best = accounts[0].id;
    let mut matches = Matches { accounts, ..Matches::default() };
    let asked = matches.account(MatchPolicy::AskCaller).unwrap_err();
    let Some(Conflict::AmbiguousMatch { candidates, elsewhere: 0 }) = asked.conflict() else {
        panic!("{asked}")
    };
    assert_eq!((asked.kind(), candidates.len(), candidates[0].score), (ErrorKind::Conflict, 3, 90));
    assert_eq!(matches.account(MatchPolicy::Best { at_least: 80 }).unwrap(), Some(best));
    assert_eq!(matches.account(MatchPolicy::Best { at_least: 91 }).unwrap(), None);
    assert_eq!(matches.account(MatchPolicy::Never).unwrap(), None);
    assert_eq!(matches.contact(MatchPolicy::AskCaller).unwrap(), None, "nobody to choose from");
    matches.elsewhere.push(Elsewhere::new(true, None, 90));
    let hidden = matches.account(MatchPolicy::Best { at_least: 80 }).unwrap_err();
    assert!(matches!(hidden.conflict(), Some(Conflict::AmbiguousMatch { elsewhere: 1, .. })), "{hidden}");
    matches.accounts.remove(0);
    matches.elsewhere.clear();
    let tied = matches.account(MatchPolicy::Best { at_least: 70 }).unwrap_err();
    assert!(
        matches!(tied.conflict(), Some(Conflict::AmbiguousMatch { candidates, .. }) if candidates.len() == 2)
    );
}

#[test]
fn what_was_not_looked_at_is_not_out_of_sight() {
    let cut = TooCommon::new(true, BlockKind::Company, 50).unwrap();
    let mut matches = Matches { too_common: vec![cut], ..Matches::default() };
    let told = |matches: &Matches| {
        let error = matches.account(MatchPolicy::Best { at_least: 60 }).unwrap_err();
        let Some(Conflict::AmbiguousMatch { elsewhere, .. }) = error.conflict() else { panic!("{error}") };
        (*elsewhere, error.to_string())
    };
    let (elsewhere, message) = told(&matches);
    assert_eq!(elsewhere, 1);
    assert!(message.contains("not looked at") && !message.contains("out of sight"), "{message}");
    matches.elsewhere.push(Elsewhere::new(true, None, 70));
    let (elsewhere, message) = told(&matches);
    assert_eq!(elsewhere, 2);
    assert!(message.starts_with("1 record out of sight, and some not looked at"), "{message}");
    matches.accounts.push(candidate(1, &[EvidenceKind::Company]));
    let (elsewhere, message) = told(&matches);
    assert_eq!(elsewhere, 2);
    assert!(message.starts_with("2 records, and some not looked at"), "{message}");
    // Whoever is surer than all of that is chosen.
    matches.accounts.push(candidate(2, &[EvidenceKind::Email]));
    let best = matches.accounts[1].id;
    assert_eq!(matches.account(MatchPolicy::Best { at_least: 60 }).unwrap(), Some(best));
}

proptest! {
    #[test]
    fn more_evidence_never_says_less(
        mut kinds in prop::collection::vec(prop::sample::select(KINDS[..8].to_vec()), 1..6),
        more in prop::sample::select(KINDS[..8].to_vec()),
    ) {
        let evidence = |kinds: &[EvidenceKind]| kinds.iter().map(|kind| Evidence::new(*kind, None)).collect::<Vec<_>>();
        let before = score(&evidence(&kinds));
        kinds.reverse();
        prop_assert_eq!(score(&evidence(&kinds)), before, "the order makes no difference");
        kinds.push(more);
        prop_assert!(score(&evidence(&kinds)) >= before);
        kinds.push(EvidenceKind::OtherTaxId);
        prop_assert!(score(&evidence(&kinds)) <= OTHER_TAX_ID);
    }

    #[test]
    fn the_order_is_that_of_the_candidates(
        found in prop::collection::vec((1_u64..5, prop::sample::select(KINDS[..8].to_vec())), 0..8),
        seed in any::<u64>(),
    ) {
        let mut one: Vec<_> = found.iter().map(|(number, kind)| candidate(*number, &[*kind])).collect();
        let mut other = one.clone();
        let half = usize::try_from(seed).unwrap_or(0).checked_rem(other.len()).unwrap_or(0);
        other.rotate_left(half);
        rank(&mut one);
        rank(&mut other);
        let place = |list: &[Candidate<AccountId>]| -> Vec<_> {
            list.iter().map(|found| (found.score, found.id)).collect()
        };
        prop_assert_eq!(place(&one), place(&other));
    }
}
