use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};

use super::*;
use crate::error::ErrorKind;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn currency(code: &str) -> Option<Currency> {
    Some(Currency::from_stored(code).unwrap())
}

fn line(quantity: &str, price: &str) -> Line {
    Line::new("Thing", d(quantity), d(price))
}

fn taxed(quantity: &str, price: &str, rate: &str) -> Line {
    line(quantity, price).tax("VAT", d(rate))
}

/// net, discount, tax, gross
fn sums(lines: &[Line], code: &str) -> [String; 4] {
    let totals = Totals::of(lines, currency(code)).unwrap();
    [totals.net, totals.discount, totals.tax, totals.gross].map(|sum| sum.to_string())
}

/// Worked by hand: each rate is rounded once, on the sum of its lines.
#[test]
fn tax_is_rounded_once_per_rate() {
    // Three lines of 0.10 at 25 %: 0.075 together is 0.08; line by line it were 3 × 0.03 = 0.09.
    let three = vec![taxed("1", "0.10", "25"); 3];
    assert_eq!(sums(&three, "EUR"), ["0.3", "0", "0.08", "0.38"]);
    // The other way round: 2 × 0.02 at 20 % is 0.008, and so 0.01, where each alone would be nothing.
    assert_eq!(sums(&vec![taxed("1", "0.02", "20"); 2], "EUR"), ["0.04", "0", "0.01", "0.05"]);
    // The base example of EN 16931 in Peppol BIS Billing 3.0: 7 × 400 and -3 × 500, at 25 %, with 25 freight.
    let base = [taxed("7", "400", "25"), taxed("-3", "500", "25"), taxed("1", "25", "25")];
    assert_eq!(sums(&base, "EUR"), ["1325", "0", "331.25", "1656.25"]);
    // Rates and names are told apart, and written alike or not they are one rate.
    let lines = [
        taxed("1", "100", "25"),
        taxed("1", "100", "12.5"),
        taxed("1", "100", "25.00"),
        line("1", "100").tax("GST", d("25")),
        line("1", "100"),
        taxed("1", "100", "0"),
    ];
    let totals = Totals::of(&lines, currency("EUR")).unwrap();
    let rates: Vec<_> = totals
        .taxes
        .iter()
        .map(|t| format!("{} {} {} {}", t.name.as_deref().unwrap(), t.percent, t.net, t.tax))
        .collect();
    assert_eq!(rates, ["GST 25 100 25", "VAT 0 100 0", "VAT 12.5 100 12.5", "VAT 25 200 50"]);
    assert_eq!((totals.net, totals.tax, totals.gross), (d("600"), d("87.5"), d("687.5")));
}

#[test]
fn each_currency_has_its_places() {
    // 3 × 33.335 = 100.005; 10 % off; 25 % tax.
    let lines = [taxed("3", "33.335", "25").discount(Discount::Percent(d("10")))];
    // 100.01 - 10.00 (10.001) = 90.01; tax 22.5025.
    assert_eq!(sums(&lines, "CHF"), ["90.01", "10", "22.5", "112.51"]);
    // 100 - 10 = 90; tax 22.5 is 23.
    assert_eq!(sums(&lines, "JPY"), ["90", "10", "23", "113"]);
    // 100.005 - 10.001 (10.0005) = 90.004; tax 22.501.
    assert_eq!(sums(&lines, "KWD"), ["90.004", "10.001", "22.501", "112.505"]);
    // 100.0050 - 10.0005 = 90.0045; tax 22.5011 (22.501125).
    assert_eq!(sums(&lines, "CLF"), ["90.0045", "10.0005", "22.5011", "112.5056"]);
    // Without a unit in ISO 4217, and without a currency: two.
    for code in ["XAU", "ANG"] {
        assert_eq!(sums(&lines, code), sums(&lines, "CHF"));
    }
    assert_eq!(Totals::of(&lines, None).unwrap(), Totals::of(&lines, currency("CHF")).unwrap());
}

#[test]
fn halves_go_away_from_zero_and_credits_mirror() {
    assert_eq!(sums(&[taxed("1", "0.005", "0")], "EUR")[0], "0.01");
    assert_eq!(sums(&[taxed("1", "0.004999", "0")], "EUR")[0], "0");
    let credit = [taxed("-1", "10.05", "10").discount(Discount::Percent(d("50")))];
    // 5.025 is 5.03: 5.02 is left, of which the tax is 0.502.
    assert_eq!(sums(&credit, "EUR"), ["-5.02", "-5.03", "-0.5", "-5.52"]);
    let off = [line("2", "-5").discount(Discount::Amount(d("1")))];
    assert_eq!(sums(&off, "EUR"), ["-9", "-1", "0", "-9"]);
    assert_eq!(sums(&[], "EUR"), ["0", "0", "0", "0"]);
}

#[test]
fn every_broken_rule_is_told_at_its_line() {
    let fields = |lines: &[Line]| -> Vec<String> {
        let error = Totals::of(lines, currency("EUR")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.violations().iter().map(|violation| violation.field.clone()).collect()
    };
    let mut bad = line("1000000000", "0.0000001").tax("\u{7}", d("101")).product("a\nb").unit("a\0");
    bad.description = " ".to_owned();
    assert_eq!(
        fields(&[line("1", "1"), bad]),
        ["description", "product", "unit", "tax.name", "quantity", "unit_price", "tax.percent"]
            .map(|field| format!("lines[1].{field}"))
    );
    assert_eq!(fields(&[line("-1", "-1")]), ["lines[0].unit_price"]);
    assert_eq!(fields(&[line("999999999", "999999999999")]), ["lines[0].unit_price"]);
    for discount in ["-0.01", "5.01", "0.00001", "79228162514264337593543950335"] {
        let line = line("1", "5").discount(Discount::Amount(d(discount)));
        assert_eq!(fields(&[line]), ["lines[0].discount"], "{discount}");
    }
    for percent in ["-1", "100.0001", "0.00001", "79228162514264337593543950335"] {
        let line = line("1", "5").discount(Discount::Percent(d(percent)));
        assert_eq!(fields(&[line]), ["lines[0].discount"], "{percent}");
    }
    assert_eq!(fields(&[line("0", "5").discount(Discount::Amount(d("1")))]), ["lines[0].discount"]);
    let mut long = line("1", "1");
    long.description = "x".repeat(4_001);
    assert_eq!(fields(&[long]), ["lines[0].description"]);
    assert_eq!(fields(&vec![line("1", "1"); MAX_LINES + 1]), ["lines"]);
    // Each line is fine; their sum is not.
    let most = line("1000", "99999999999.9999");
    assert!(Totals::of(std::slice::from_ref(&most), currency("EUR")).is_ok());
    assert_eq!(fields(&[most.clone(), most.clone()]), ["lines"]);
    assert_eq!(fields(&[most.tax("VAT", d("100"))]), ["lines"]);
}

#[test]
fn what_is_stored_is_plain() {
    let stored = line("1.50", "2.00").product(" ").unit(" h ").tax(" VAT ", d("25.0")).plain();
    assert_eq!(
        serde_json::to_string(&stored).unwrap(),
        r#"{"description":"Thing","quantity":"1.5","unit":"h","unit_price":"2","tax":{"name":"VAT","percent":"25"}}"#
    );
}

fn any_line() -> impl Strategy<Value = Line> {
    let number = |most: i64, scale: u32| (-most..=most, 0..=scale).prop_map(|(n, s)| Decimal::new(n, s));
    let discount = prop_oneof![
        Just(None),
        (0_i64..=1_000_000).prop_map(|n| Some(Discount::Percent(Decimal::new(n, 4)))),
    ];
    let tax = prop_oneof![Just(None), (0_usize..5, "[AB]").prop_map(|(n, name)| Some((n, name)))];
    (0_i64..=1_000, 0..=6_u32, number(1_000_000_000, 6), discount, tax).prop_map(
        |(quantity, scale, price, discount, tax)| Line {
            discount,
            tax: tax.map(|(n, name)| Tax {
                name: Some(name),
                percent: ["0", "7.7", "19", "25", "33.3333"].map(d)[n],
            }),
            ..Line::new("x", Decimal::new(quantity, scale), price)
        },
    )
}

fn any_code() -> impl Strategy<Value = Option<Currency>> {
    prop::sample::select(vec!["JPY", "EUR", "CHF", "KWD", "CLF", "XAU"]).prop_map(currency)
}

proptest! {
    #[test]
    fn sums_hold_and_no_order_matters(
        lines in prop::collection::vec(any_line(), 0..12),
        code in any_code(),
        turn in 0_usize..12,
    ) {
        let totals = Totals::of(&lines, code).unwrap();
        let each: Vec<_> = lines.iter().map(|line| line.amounts(code).unwrap()).collect();
        prop_assert_eq!(totals.net, each.iter().map(|one| one.net).sum::<Decimal>());
        prop_assert_eq!(totals.discount, each.iter().map(|one| one.discount).sum::<Decimal>());
        prop_assert!(each.iter().all(|one| one.net + one.discount == one.amount));
        prop_assert_eq!(totals.tax, totals.taxes.iter().map(|rate| rate.tax).sum::<Decimal>());
        prop_assert_eq!(totals.gross, totals.net + totals.tax);
        let taxed: Decimal =
            lines.iter().zip(&each).filter(|(line, _)| line.tax.is_some()).map(|(_, one)| one.net).sum();
        prop_assert_eq!(totals.taxes.iter().map(|rate| rate.net).sum::<Decimal>(), taxed);
        let places = places(code);
        for sum in [totals.net, totals.discount, totals.tax, totals.gross] {
            prop_assert!(sum.scale() <= places);
        }
        // The same by another arithmetic.
        for rate in &totals.taxes {
            let tax = rate.net * rate.percent / Decimal::ONE_HUNDRED;
            let away = RoundingStrategy::MidpointAwayFromZero;
            prop_assert_eq!(rate.tax, tax.round_dp_with_strategy(places, away));
        }
        let mut turned = lines.clone();
        turned.rotate_left(turn.min(lines.len()));
        prop_assert_eq!(&Totals::of(&turned, code).unwrap(), &totals);
        // A credit of everything is the mirror image.
        let credit: Vec<_> =
            lines.iter().cloned().map(|line| Line { unit_price: -line.unit_price, ..line }).collect();
        let credit = Totals::of(&credit, code).unwrap();
        prop_assert_eq!((credit.net, credit.tax, credit.gross), (-totals.net, -totals.tax, -totals.gross));
        // What is stored means the same.
        let plain: Vec<_> = lines.into_iter().map(Line::plain).collect();
        prop_assert_eq!(&Totals::of(&plain, code).unwrap(), &totals);
    }

    #[test]
    fn no_number_is_too_absurd(
        numbers in prop::collection::vec((any::<i128>(), 0..=28_u32), 4),
        is_percent: bool,
        code in any_code(),
    ) {
        let of = |n: usize| {
            let (number, scale) = numbers[n];
            Decimal::try_from_i128_with_scale(number >> 32, scale).unwrap_or(Decimal::MAX)
        };
        let discount = if is_percent { Discount::Percent(of(2)) } else { Discount::Amount(of(2)) };
        let line = Line::new("x", of(0), of(1)).discount(discount).tax("VAT", of(3));
        // Either sums or a refusal that names a field; never a panic.
        if let Err(error) = Totals::of(&vec![line; 3], code) {
            prop_assert!(!error.violations().is_empty());
        }
    }
}
