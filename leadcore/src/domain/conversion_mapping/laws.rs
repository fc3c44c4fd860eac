//! What holds for every lead and every record.

use proptest::prelude::*;

use super::tests::{apply_to, stored};
use super::{Consent, ConversionMapping, asked_keys};
use crate::domain::{AccountFields, ContactFields, Emails, LeadFields, MarkNote, ReachMark, Reachable};
use crate::time::Timestamp;

fn marked<T>(value: T, opted_out: Option<MarkNote>, invalid: bool) -> Reachable<T> {
    let mut entry = Reachable::new(value).invalid(invalid);
    if opted_out.is_some() {
        entry.set_mark(ReachMark::OptedOut, opted_out);
    }
    entry
}

fn note() -> impl Strategy<Value = MarkNote> {
    let since = prop::option::of((0_i64..3).prop_map(|at| Timestamp::from_micros(at * 1_000_000).unwrap()));
    let reason = prop::option::of(prop::sample::select(&["", "asked", "bounced"][..]));
    (since, reason).prop_map(|(since, reason)| MarkNote::new(since, reason).unwrap())
}

fn person() -> impl Strategy<Value = ContactFields> {
    let mails = ["a@x.no", "A@X.NO", "b@x.no"];
    let numbers = ["+47 22 22 55 55", "+4722225555", "22 22 55 55", "12345"];
    let mail = (prop::sample::select(mails.to_vec()), prop::option::of(note()), any::<bool>());
    let number = (prop::sample::select(numbers.to_vec()), prop::option::of(note()), any::<bool>());
    let lists = (prop::collection::vec(mail, 0..3), prop::collection::vec(number, 0..3));
    (lists, prop::option::of(note())).prop_map(|((mails, numbers), do_not_call)| {
        let mut fields = ContactFields { do_not_call, ..ContactFields::default() };
        for (mail, out, invalid) in mails {
            let _ = fields.emails.push(marked(mail.parse().unwrap(), out, invalid)).unwrap();
        }
        for (number, out, invalid) in numbers {
            let phone = crate::value::Phone::parse(number, None).unwrap();
            let _ = fields.phones.push(marked(phone, out, invalid)).unwrap();
        }
        fields
    })
}

/// Every mark of a person, and whether nobody may call.
fn marks(fields: &ContactFields) -> Vec<bool> {
    let mails = fields.emails.entries().iter().flat_map(|one| [one.opted_out, one.invalid]);
    let numbers = fields.phones.entries().iter().flat_map(|one| [one.opted_out, one.invalid]);
    mails.chain(numbers).chain([fields.do_not_call.is_some()]).collect()
}

proptest! {
    #[test]
    fn the_stricter_word_holds(one in person(), other in person(), third in person()) {
        let [a, b, c] = [&one, &other, &third].map(Consent::of_contact);
        prop_assert_eq!(a.clone().join(&a), a.clone(), "said twice is said once");
        prop_assert_eq!(a.clone().join(&b), b.clone().join(&a), "whoever is first");
        let (left, right) = (a.clone().join(&b).join(&c), a.clone().join(&b.clone().join(&c)));
        prop_assert_eq!(left, right, "however they are put together");

        let both = a.clone().join(&b);
        let mut tightened = one.clone();
        both.tighten_contact(&mut tightened);
        for (was, is) in marks(&one).into_iter().zip(marks(&tightened)) {
            prop_assert!(is || !was, "nothing is loosened");
        }
        prop_assert_eq!(
            tightened.emails.iter().collect::<Vec<_>>(),
            one.emails.iter().collect::<Vec<_>>(),
            "no address comes or goes"
        );
        let mut again = tightened.clone();
        both.tighten_contact(&mut again);
        prop_assert_eq!(&again, &tightened, "once is enough");
        let mut untouched = one.clone();
        Consent::default().tighten_contact(&mut untouched);
        prop_assert_eq!(&untouched, &one, "nothing is said that nobody said");
        Consent::of_contact(&one).tighten_contact(&mut untouched);
        prop_assert_eq!(marks(&untouched), marks(&one), "nor by the person itself");
    }

    #[test]
    fn who_says_something_of_an_address_is_found_by_it(known in person(), other in person()) {
        let mut tightened = other.clone();
        Consent::of(&known.emails, &known.phones).tighten_contact(&mut tightened);
        let asked = asked_keys(None, &other.emails, &other.phones);
        let is_found = known.block_keys().iter().any(|key| asked.contains(key));
        prop_assert!(is_found || marks(&tightened) == marks(&other));
        let silent = ContactFields { do_not_call: None, ..known };
        let spoke = marks(&silent).contains(&true);
        let is_there = silent.block_keys().iter().any(|key| key.kind == crate::domain::BlockKind::Said);
        prop_assert_eq!(is_there, spoke, "who says nothing is not found");
    }

    #[test]
    fn an_existing_account_loses_nothing_by_the_standard_mapping(known in person(), new in person(), name in "[a-z]{1,5}") {
        let account = AccountFields {
            name: "Known".to_owned(),
            emails: known.emails.clone(),
            phones: known.phones.clone(),
            ..AccountFields::default()
        };
        let fields = LeadFields {
            emails: new.emails,
            phones: new.phones,
            industry: Some(name.clone()),
            ..LeadFields::company(&name).unwrap()
        };
        let lead = stored(fields);
        let standard = ConversionMapping::standard();
        let once = apply_to(&standard, &lead, Some(&account)).fields;
        prop_assert_eq!(&apply_to(&standard, &lead, Some(&once)).fields, &once, "a second time changes nothing");
        prop_assert_eq!(&once.name, "Known");
        let values = |list: &Emails| list.iter().cloned().collect::<Vec<_>>();
        prop_assert!(values(&once.emails).starts_with(&values(&account.emails)), "what is there comes first");
        let all = lead.fields.emails.iter().all(|mail| {
            once.emails.iter().any(|other| other.canonical() == mail.canonical())
        });
        prop_assert!(all, "and every address of the lead behind it");
    }
}
