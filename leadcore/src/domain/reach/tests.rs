//! How marks are written, read and kept.

use proptest::prelude::*;

use super::*;
use crate::value::{Country, Email, Phone};

#[test]
fn marks_are_read_and_written() {
    let list = Emails::parse("a@b.co (work opted_out), c@d.co ( invalid ),e@f.co").unwrap();
    let [a, c, e] = list.entries() else { panic!("three") };
    assert_eq!((a.kind, a.opted_out, a.invalid), (ReachKind::Work, true, false));
    assert_eq!((c.kind, c.opted_out, c.invalid), (ReachKind::Unspecified, false, true));
    assert_eq!(*e, Reachable::new(Email::parse("e@f.co").unwrap()));
    let items: Vec<_> =
        list.marked().items().iter().filter_map(|item| item.as_text().map(str::to_owned)).collect();
    assert_eq!(items, ["a@b.co (work opted_out)", "c@d.co (invalid)", "e@f.co ()"]);
    assert_eq!(Emails::parse(&items.join(",")).unwrap(), list);
    let json = serde_json::to_string(&list).unwrap();
    assert_eq!(serde_json::from_str::<Emails>(&json).unwrap(), list);
    assert!(json.ends_with(r#"{"value":"e@f.co"}]"#), "what is not said takes no place: {json}");
}

#[test]
fn other_words_in_parentheses_belong_to_the_number() {
    let list = Phones::parse("22 22 22 22 (Anna), (22) 33 33 33, 22 44 44 44 (mobile)", None).unwrap();
    let texts: Vec<_> = list.iter().map(Phone::as_str).collect();
    assert_eq!(texts, ["22 22 22 22 (Anna)", "(22) 33 33 33", "22 44 44 44"]);
    assert_eq!(list.entries()[2].kind, ReachKind::Mobile);
}

#[test]
fn an_edit_as_text_keeps_what_is_known_of_what_stays() {
    let known = Phones::parse("22 22 22 22 (mobile invalid), 33 33 33 33 (fax)", None).unwrap();
    let edited = known.edited("44 44 44 44, 22 22 22 22", Country::parse("NO").ok()).unwrap();
    assert_eq!(edited.entries()[0].marks(), Marks::default());
    assert_eq!(
        edited.entries()[1].marks(),
        known.entries()[0].marks(),
        "also where the country is known now"
    );
    let mut list = known.edited("22 22 22 22 ()", None).unwrap();
    assert!(!list.has_marks(), "parentheses say it anew");
    let number = list.entries()[0].value.clone();
    assert!(list.mark(&Reachable::new(number).opted_out(true)) && list.entries()[0].opted_out);
    assert!(!list.mark(&Reachable::new(Phone::parse("99 99 99 99", None).unwrap())));
}

fn any_entry() -> impl Strategy<Value = Reachable<Email>> {
    let kind = prop::sample::select(ReachKind::ALL.to_vec());
    (0_u8..4, kind, any::<bool>(), any::<bool>()).prop_map(|(n, kind, opted_out, invalid)| {
        let email = Email::parse(&format!("a{n}@b.example")).unwrap();
        Reachable::of_kind(email, kind).opted_out(opted_out).invalid(invalid)
    })
}

proptest! {
    #[test]
    fn no_order_of_merging_takes_a_mark_off(entries in prop::collection::vec(any_entry(), 0..8)) {
        let list = Emails::merged(entries.clone()).unwrap();
        let back = Emails::merged(entries.iter().rev().cloned()).unwrap();
        for entry in &entries {
            for list in [&list, &back] {
                let known = list.entries().iter().find(|known| known.value == entry.value).unwrap();
                prop_assert!(known.opted_out >= entry.opted_out && known.invalid >= entry.invalid);
            }
        }
        prop_assert_eq!(list.entries().len(), back.entries().len());
        prop_assert_eq!(Emails::merged(list.entries().to_vec()).unwrap(), list);
    }
}
