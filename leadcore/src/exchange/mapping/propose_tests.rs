//! Proposals from values.

use proptest::prelude::*;

use super::*;
use crate::domain::{Choice, CustomField, CustomKey};
use crate::value::DecimalMark;

fn sample(lines: &[&str]) -> Sample {
    let (headers, rows) = lines.split_first().unwrap();
    let mut sample = Sample::new(&headers.split('|').map(str::to_owned).collect::<Vec<_>>());
    rows.iter().for_each(|row| sample.add(row.split('|')));
    sample
}

fn propose(lines: &[&str]) -> Proposal {
    Mapping::propose_from(&sample(lines), &Knowledge::new(&Catalogue::standard()))
}

fn fields(proposal: &Proposal) -> Vec<&str> {
    proposal.columns.iter().map(|column| column.field.as_ref().map_or("-", Field::key)).collect()
}

#[test]
fn values_find_what_headers_do_not_say() {
    let proposal = propose(&[
        "a|b|c|d|e|f",
        "ola@nordlys.example|+47 22 22 55 55|Norway|1001|https://nordlys.example|x",
        "kari@fjord.example|(03) 5330 2874|Sweden|1002|https://fjord.example|y",
        "per@berg.example|369.329.6963|Denmark|1003|https://berg.example|z",
    ]);
    assert_eq!(fields(&proposal), ["email", "phone", "country", "-", "-", "-"]);
    let [email, phone, .., url, _] = proposal.columns.as_slice() else { panic!() };
    assert!(email.confidence > phone.confidence && phone.confidence > 0.5);
    assert_eq!(email.evidence, [Evidence::Values { shape: "email".to_owned(), hits: 3, of: 3 }]);
    assert_eq!(url.perhaps.as_ref().map(|(field, _)| field), Some(&Field::Website), "it is only hinted at");
}

#[test]
fn a_state_that_says_how_far_leads_came_is_a_stage() {
    for (lines, wanted) in [
        (["Company|State", "A|won", "B|lost", "C|open"], ["company", "stage"]),
        (["Company|Lead state", "A|In progress", "B|Closed-won", "C|"], ["company", "stage"]),
        (["Company|State", "A|NY", "B|CA", "C|New"], ["company", "state_region"]),
        (["Company|State", "A|", "B|", "C|"], ["company", "state_region"]),
    ] {
        assert_eq!(fields(&propose(&lines)), wanted, "{lines:?}");
    }
    let both = propose(&["Company|Stage|State", "A|Talks|open", "B|Offer|won"]);
    assert_eq!(fields(&both), ["company", "stage", "-"], "the column that is called a stage is it");
    let catalogue = Catalogue::standard();
    let known = Knowledge::new(&catalogue).vocabulary(Field::Stage, ["Talks"]);
    let own = Mapping::propose_from(&sample(&["Company|State", "A|Talks", "B|new"]), &known);
    assert_eq!(fields(&own), ["company", "stage"]);
}

fn by_header(headers: &[&str]) -> Vec<String> {
    fields(&propose(&[&headers.join("|")])).into_iter().map(str::to_owned).collect()
}

#[test]
fn what_another_system_numbers_is_its_id() {
    for header in [
        "Lead number",
        "Lead No",
        "Lead no.",
        "Lead Nr",
        "Lead ID",
        "LeadId",
        "Lead #ID",
        "Id",
        "ID",
        "Record Id",
        "Record ID",
        "record_id",
        "Record No",
        "Record number",
        "External ID",
    ] {
        assert_eq!(by_header(&[header, "Company"]), ["external_id", "company"], "{header}");
    }
    // Ours, beside an id of the other system.
    assert_eq!(by_header(&["Lead number", "External id"]), ["-", "external_id"]);
    assert_eq!(by_header(&["Id", "Lead ID", "Lead number"]), ["external_id", "-", "-"], "a lead has one");
}

#[test]
fn values_speak_against_headers() {
    let proposal =
        propose(&["Title|Company|Email 2", "Director|Nordlys AS|no", "CEO|Fjord AS|yes", "CFO|Berg AS|no"]);
    assert_eq!(fields(&proposal), ["job_title", "company", "-"]);
    let plain = propose(&["E-mail", "nothing", "of", "the kind"]);
    assert_eq!(fields(&plain), ["email"], "a plain header is believed: the cells are wrong");
    assert!(plain.columns[0].confidence < 0.7);
    let repeated = propose(&["Account Id|Contact Id", "1|10", "1|11", "1|12", "2|13", "2|14"]);
    assert_eq!(fields(&repeated), ["-", "external_id"], "an id is not shared");
    assert_eq!(fields(&propose(&["Name|City", "Nordlys AS|Oslo", "Berg Inc.|Bergen"])), ["company", "city"]);
}

#[test]
fn one_address_is_taken_and_not_a_mixture() {
    let proposal = propose(&[
        "Home City|Home Zip|Work City|Work Zip|Work Country|Home Country",
        "Oslo|0154|Bergen|5003||Norway",
        "Oslo|0155||||Norway",
    ]);
    assert_eq!(fields(&proposal), ["city", "postal_code", "-", "-", "-", "country"]);
    assert!(proposal.columns[2].evidence.contains(&Evidence::OtherAddress));
    let lines = propose(&["Address 1|Address 2|City", "Gate 1|Inngang B|Oslo"]);
    assert_eq!(fields(&lines), ["street", "street", "city"]);
    assert_eq!(lines.columns[1].rules.join.as_deref(), Some("\n"));
    let line = propose(&["Address", "Gate 1, 0154 Oslo, Norway", "Gate 2, 5003 Bergen"]);
    assert_eq!(line.columns[0].rules.split, Some(Split::Address));
    let parts = propose(&["Address|City", "Gate 1, 0154 Oslo, Norway|Oslo"]);
    assert_eq!(parts.columns[0].rules.split, None, "the file has the parts in columns of their own");
}

#[test]
fn what_can_be_read_in_two_ways_is_told() {
    let dates = |cells: &[&str]| {
        let mut sample = Sample::new(&["Close date".to_owned()]);
        cells.iter().for_each(|cell| sample.add([*cell]));
        let proposal = Mapping::propose_from(&sample, &Knowledge::new(&Catalogue::standard()));
        let column = proposal.columns.into_iter().next().unwrap();
        (column.rules.date_order, column.notes.first().map(ToString::to_string))
    };
    let told = |text: &str| Some(text.to_owned());
    assert_eq!(
        dates(&["25/12/2026", "01/02/2027", "03/04/2027"]),
        (Some(DateOrder::DayFirst), told("dates: 1 day first, 0 month first, 2 either: day first"))
    );
    assert_eq!(
        dates(&["01/02/2027", "03/04/2027"]),
        (None, told("dates: 0 day first, 0 month first, 2 either: say the order"))
    );
    assert_eq!(
        dates(&["25/12/2026", "12/25/2026"]),
        (None, told("dates: 1 day first, 1 month first, 0 either: say the order"))
    );
    assert_eq!(dates(&["2026-12-25", "05/05/2026"]), (None, None));
    let money = |cells: &[&str]| {
        let mut sample = Sample::new(&["Amount".to_owned()]);
        cells.iter().for_each(|cell| sample.add([*cell]));
        let proposal = Mapping::propose_from(&sample, &Knowledge::new(&Catalogue::standard()));
        proposal.columns[0].rules.decimal_mark
    };
    assert_eq!(money(&["(1.234,50)", "1.000"]), Some(DecimalMark::Comma));
    assert_eq!(money(&["$342.09K", "1,000"]), Some(DecimalMark::Dot));
    assert_eq!(money(&["1,000", "kr 1 200"]), None, "that is said by a person");
    assert_eq!(money(&["1,50", "2.50"]), None);
}

#[test]
fn words_for_no_answer_are_found_where_they_are_frequent() {
    let proposal = propose(&[
        "City|Source|Industry",
        "Unknown|unknown|Farming",
        "unknown|unknown|null",
        "Oslo|Fair|Fishing",
        "null|Web|null",
        "null|Web|null",
    ]);
    let words = |place: usize| proposal.columns[place].rules.no_answer.clone();
    let defaults = ["select", "n/a", "-", "\\n"].map(str::to_owned);
    let with =
        |more: &[&str]| Some(defaults.iter().cloned().chain(more.iter().map(|w| (*w).to_owned())).collect());
    assert_eq!(words(0), with(&["null", "unknown"]));
    assert_eq!(words(1), None, "`unknown` may be a term");
    assert_eq!(words(2), with(&["null"]));
    assert_eq!(proposal.columns[1].notes[0].to_string(), "`unknown` stands in 2 cells and counts as a value");
}

#[test]
fn vocabularies_and_custom_fields_take_part() {
    let mut catalogue = Catalogue::standard();
    let kinds = vec![Choice::new("s", "Small"), Choice::new("l", "Large")];
    let size = CustomField::new(CustomKey::new("x_size").unwrap(), "Size", CustomType::OneOf(kinds));
    let day = CustomField::new(CustomKey::new("x_first").unwrap(), "First contact date", CustomType::Date);
    catalogue.set_custom_field(size);
    catalogue.set_custom_field(day);
    let sample = sample(&[
        "g|how big|first contact date",
        "Fair|small|20-10-2017",
        "Web|Large|01-02-2018",
        "Web|large|05-06-2018",
    ]);
    let knowledge = Knowledge::new(&catalogue).vocabulary(Field::Source, ["Fair", "Web"]);
    let proposal = Mapping::propose_from(&sample, &knowledge);
    assert_eq!(fields(&proposal), ["source", "x_size", "x_first"]);
    assert_eq!(proposal.columns[0].evidence, [Evidence::Vocabulary { hits: 3, of: 3 }]);
    assert_eq!(proposal.columns[2].rules.date_order, Some(DateOrder::DayFirst));
    // How it was done before wins, but for what no longer exists.
    let earlier = Mapping::default()
        .with("g", Some(Field::Category))
        .with("how big", Some("x_gone".parse().unwrap()))
        .constant(Field::City, "Oslo");
    let repeated = Mapping::propose_from(&sample, &knowledge.earlier(Evidence::LastUse, earlier));
    assert_eq!(fields(&repeated), ["category", "-", "-"]);
    assert_eq!((repeated.columns[0].confidence, repeated.constants.len()), (1.0, 1));
}

#[test]
fn headers_of_other_alphabets_and_with_remarks_are_known() {
    let table = [
        ("Имя", "first_name"),
        ("Фамилия", "last_name"),
        ("Компания", "company"),
        ("Должность", "job_title"),
        ("Телефон", "phone"),
        ("Почта", "email"),
        ("Город", "city"),
        ("Страна", "country"),
        ("Адрес", "street"),
        ("Сайт", "website"),
        ("Сумма", "amount"),
        ("Валюта", "currency"),
        ("Источник", "source"),
        ("Ответственный", "owner"),
        ("Комментарий", "description"),
        ("Статус", "stage"),
    ];
    let headers: Vec<&str> = table.iter().map(|(header, _)| *header).collect();
    assert_eq!(by_header(&headers), table.map(|(_, field)| field));
    assert_eq!(by_header(&["ФИО", "Организация", "Эл. почта"]), ["name", "company", "email"]);
    assert_eq!(
        by_header(&["COMPANY NAME (legal)", "Umsatz", "Close date (DD/MM/YYYY)", "E-mail [required]"]),
        ["company", "amount", "expected_close", "email"]
    );
    // The unit is no remark.
    assert_eq!(by_header(&["Company", "Amount (k€)"]), ["company", "-"]);
}

#[test]
fn a_name_beside_a_company_and_a_contact_is_told_from_it() {
    let record = propose(&[
        "Company|Name|Contact",
        "Nordlys AS|New web site, 2nd try|Kari Berg",
        "Fjord AS|CRM 2027|Ola Li",
    ]);
    assert_eq!(fields(&record), ["company", "-", "name"]);
    let person = propose(&[
        "Company|Name|Contact",
        "Nordlys AS|Kari Berg|kari@nordlys.example",
        "Fjord AS|Ola Li|ola@fjord.example",
    ]);
    assert_eq!(fields(&person), ["company", "name", "email"]);
    let both = propose(&["Company|Name|Contact", "Nordlys AS|Kari Berg|Per Dahl", "Fjord AS|Ola Li|Eva Vik"]);
    assert_eq!(fields(&both), ["company", "name", "-"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_table_is_answered(
        headers in prop::collection::vec(prop_oneof![any::<String>(), "(E-mail|Phone|Address|City|Title|Name|Amount|Close date)( [0-9])?"], 0..8),
        cells in prop::collection::vec(prop_oneof![any::<String>(), "[0-9./,$€K -]{0,14}", "(unknown|null|yes|Oslo|a@b.example)"], 0..40),
    ) {
        let mut sample = Sample::new(&headers);
        for row in cells.chunks(headers.len().max(1)) {
            sample.add(row.iter().map(String::as_str));
        }
        let catalogue = Catalogue::standard();
        let proposal = Mapping::propose_from(&sample, &Knowledge::new(&catalogue));
        prop_assert_eq!(proposal.columns.len(), headers.len());
        let mapping = proposal.mapping();
        if mapping.fields().next().is_some() {
            prop_assert!(mapping.locate(&headers, &catalogue, &[]).is_ok(), "{:?}", mapping);
        }
        let json = serde_json::to_string(&mapping).unwrap();
        prop_assert_eq!(serde_json::from_str::<Mapping>(&json).unwrap(), mapping);
    }
}
