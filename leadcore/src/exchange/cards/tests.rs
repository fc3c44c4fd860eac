//! Cards, whole, broken and many.

use std::io::Cursor;

use super::*;
use crate::exchange::{Row, RowProblem, Table};

fn rows(text: impl Into<Vec<u8>>) -> (Vec<String>, Vec<Row>) {
    let mut table = Table::open(Cursor::new(text.into()), &ReadOptions::new()).unwrap();
    let (mut rows, mut row) = (Vec::new(), Row::new());
    while table.next_row(&mut row).unwrap() {
        rows.push(row.clone());
    }
    (table.headers().to_vec(), rows)
}

fn cell<'r>(headers: &[String], row: &'r Row, name: &str) -> &'r str {
    let place = headers.iter().position(|header| header == name).unwrap();
    row.get(place).unwrap_or_default()
}

#[test]
fn cards_of_all_versions_say_the_same() {
    let old = "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=98st;K=C3=A5re;;Dr.;\r\n\
        FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Dr. K=C3=A5re =\r\n=C3=98st\r\nORG:Nordlys AS;Sales\r\n\
        TEL;WORK;VOICE:+47 22 22 55 55\r\nTEL;WORK;FAX:+47 99\r\nEMAIL;INTERNET:kare@nordlys.example\r\n\
        ADR;WORK:;;Storgata 1;Oslo;;0155;Norway\r\nEND:VCARD\r\n";
    let new = "BEGIN:VCARD\nVERSION:4.0\nFN:Dr. Kåre Øst\nN:Øst;Kåre;;Dr.;\nORG:Nordlys AS;Sales\n\
        TEL;VALUE=uri;TYPE=\"voice,work\":tel:+47 22 22 55 55\nEMAIL;TYPE=work:other@nordlys.example\n\
        EMAIL;PREF=1:kare@nord\n lys.example\nADR;TYPE=work:;;Storgata 1;Oslo;;0155;Norway\n\
        NOTE:one\\, two\\nthree\nEND:VCARD\n";
    let (headers, rows) = rows(format!("{old}{new}"));
    assert_eq!(rows.len(), 2);
    for row in &rows {
        let cell = |name: &str| cell(&headers, row, name);
        assert_eq!((cell("Full name"), cell("Salutation")), ("Dr. Kåre Øst", "Dr."));
        assert_eq!((cell("First name"), cell("Last name")), ("Kåre", "Øst"));
        assert_eq!((cell("Company"), cell("Department")), ("Nordlys AS", "Sales"));
        assert_eq!((cell("E-mail 1"), cell("Phone 1")), ("kare@nordlys.example", "+47 22 22 55 55 (work)"));
        assert_eq!((cell("Street"), cell("City"), cell("Postal code")), ("Storgata 1", "Oslo", "0155"));
    }
    assert_eq!(cell(&headers, &rows[1], "Note"), "one, two\nthree");
    assert_eq!(cell(&headers, &rows[1], "E-mail 2"), "other@nordlys.example (work)");
    assert_eq!((rows[1].line(), cell(&headers, &rows[0], "Phone 2")), (2, "+47 99 (fax)"));
}

#[test]
fn an_encoding_may_stand_without_its_name() {
    let card = |quoted: &str, coded: &str| {
        format!(
            "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;{quoted}:M=C3=BCller;J=C3=B6rg\r\n\
             NOTE;CHARSET=UTF-8;{quoted}:one=0D=0A=\r\nTEL;BASE64:two=0D=0A=\r\nthree\r\nTITLE;{coded};CHARSET=UTF-8:U2FsZXM=\r\n\r\n\
             EMAIL:a@a.example\r\nEND:VCARD\r\n"
        )
    };
    let (headers, named) = rows(card("ENCODING=QUOTED-PRINTABLE", "ENCODING=BASE64"));
    assert_eq!(cell(&headers, &named[0], "Note"), "one\r\nTEL;BASE64:two\r\nthree");
    assert_eq!(cell(&headers, &named[0], "Job title"), "Sales");
    for (quoted, coded) in [("QUOTED-PRINTABLE", "BASE64"), ("quoted-printable", " base64 ")] {
        let (headers, bare) = rows(card(quoted, coded));
        for name in &headers {
            assert_eq!(cell(&headers, &bare[0], name), cell(&headers, &named[0], name), "{name}");
        }
        assert_eq!(cell(&headers, &bare[0], "Last name"), "Müller");
    }
}

#[test]
fn a_category_with_a_comma_is_one() {
    let text =
        "BEGIN:VCARD\nVERSION:4.0\nFN:Eva\nCATEGORIES:Hot,Bread\\, white,\nCATEGORIES:New\nEND:VCARD\n";
    let (headers, rows) = rows(text);
    assert_eq!(cell(&headers, &rows[0], "Categories"), "Hot; \"Bread, white\"; New");
}

#[test]
fn a_cut_card_and_strange_bytes_harm_no_other() {
    let good = "BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nEND:VCARD\n";
    let (headers, first) = rows(format!("{good}{good}BEGIN:VCARD\nVERSION:3.0\nFN:Cu"));
    assert_eq!(cell(&headers, &first[1], "Full name"), "Ada");
    let problems: Vec<_> = first.iter().map(Row::problem).collect();
    assert_eq!(problems, [None, None, Some(RowProblem::Malformed)]);
    assert_eq!(
        first[2].iter().collect::<Vec<_>>(),
        ["BEGIN:VCARD\nVERSION:3.0\nFN:Cu"],
        "for who corrects it"
    );
    let error = Table::open(Cursor::new("BEGIN:VCARD"), &ReadOptions::new());
    let cut = "BEGIN:VCARD\nVERSION:3.0\nFN:Cut\n";
    let (headers, rows) = rows(format!("{cut}{good}{cut}{good}"));
    let names = |row: &Row| cell(&headers, row, "Full name").to_owned();
    let ada = rows.iter().map(names).filter(|name| name == "Ada").count();
    assert_eq!((rows.len(), ada), (4, 2), "a card without its end takes none behind it along");
    let broken = rows.iter().filter(|row| row.problem() == Some(RowProblem::Malformed)).count();
    assert_eq!(broken, 2, "nor is it a person");
    assert!(error.is_err() || error.is_ok_and(|table| table.headers().len() >= SINGLE.len()));
}
#[test]
fn cards_without_end_are_refused_by_their_number() {
    // More than the memory they take: each of these twenty bytes was hundreds.
    let options = ReadOptions::new().limits(Limits::new().max_table_bytes(64 * 1024));
    for card in ["BEGIN:VCARD\nEND:VCARD\n", "BEGIN:VCARD\n", "begin:vcard\rVERSION:3.0\r"] {
        let error = Table::open(Cursor::new(card.repeat(10_000)), &options).unwrap_err();
        assert!(error.to_string().contains("more than 2048 cards"), "{error}");
    }
}

#[test]
fn a_card_of_too_many_parts_costs_one_row() {
    let good = "BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nEND:VCARD\n";
    for part in ["A:\n", "X;A", "N:;;;;;;\n", "CATEGORIES:,,,,\n"] {
        let text = format!("{good}BEGIN:VCARD\n{}\nEND:VCARD\n{good}", part.repeat(110_000));
        let problems: Vec<_> = rows(text).1.iter().map(Row::problem).collect();
        assert_eq!(problems, [None, Some(RowProblem::RecordTooLarge), None], "{part}");
    }
    // A picture has many lines and is one part.
    let picture = "AAAAAAAAAAAAAAAA\r\n ".repeat(150_000);
    let text = format!("BEGIN:VCARD\r\nVERSION:3.0\r\nPHOTO;ENCODING=b:{picture}\r\nFN:Ada\r\nEND:VCARD\r\n");
    let (headers, rows) = rows(text);
    assert_eq!(cell(&headers, &rows[0], "Full name"), "Ada");
}

#[test]
fn a_card_inside_another_is_its_agent_or_a_person_of_its_own() {
    let names = |text: &str| {
        let (headers, rows) = rows(text);
        rows.iter().map(|row| cell(&headers, row, "Full name").to_owned()).collect::<Vec<_>>()
    };
    let inner = "BEGIN:VCARD\nVERSION:2.1\nFN:Inner\nEND:VCARD\n";
    for agent in ["AGENT:\n", "item1.agent;X=y:\n\n", "AGENT:", "AGENT;HOME: "] {
        let text = format!("BEGIN:VCARD\nVERSION:2.1\nFN:Outer\n{agent}{inner}TITLE:x\nEND:VCARD\n");
        assert_eq!(Blocks::of(&text).collect::<Vec<_>>(), [text.as_str()], "{agent:?}");
        assert_eq!(names(&text), ["Outer"], "{agent:?}");
    }
    for other in ["", "NOTE:\n", "X-AGENT:\n"] {
        let text = format!("BEGIN:VCARD\nVERSION:4.0\nFN:Outer\n{other}{inner}END:VCARD\n");
        let outer = format!("BEGIN:VCARD\nVERSION:4.0\nFN:Outer\n{other}");
        assert_eq!(names(&text), [outer.trim(), "Inner"], "the outer one is damaged: {other:?}");
    }
}

#[test]
fn what_an_address_is_for_is_kept_in_every_notation() {
    for (version, work, home, mobile, fax) in [
        ("2.1", ";WORK;INTERNET", ";HOME", ";CELL;VOICE", ";WORK;FAX"),
        ("3.0", ";TYPE=INTERNET,WORK", ";TYPE=home", ";TYPE=CELL,VOICE,WORK", ";TYPE=WORK;TYPE=FAX"),
        ("4.0", ";TYPE=work", ";TYPE=\"home,voice\"", ";TYPE=\"cell,text\"", ";TYPE=\"fax,work\""),
    ] {
        let text = format!(
            "BEGIN:VCARD\r\nVERSION:{version}\r\nFN:Ada\r\nEMAIL{work}:w@x.example\r\nEMAIL:n@x.example\r\n\
             EMAIL{home}:h@x.example\r\nTEL{fax}:+47 4\r\nTEL{mobile}:+47 1\r\nTEL{home}:+47 2\r\nTEL:+47 3\r\nEND:VCARD\r\n"
        );
        let (headers, rows) = rows(text);
        let cell = |name: &str| cell(&headers, &rows[0], name);
        let emails = [cell("E-mail 1"), cell("E-mail 2"), cell("E-mail 3")];
        assert_eq!(emails, ["w@x.example (work)", "n@x.example", "h@x.example (home)"], "{version}");
        let phones = [cell("Phone 1"), cell("Phone 2"), cell("Phone 3"), cell("Phone 4")];
        assert_eq!(
            phones,
            ["+47 1 (mobile)", "+47 2 (home)", "+47 3", "+47 4 (fax)"],
            "{version}: a fax is last"
        );
    }
}

#[test]
fn the_preferred_address_is_first_in_every_notation() {
    for (version, second, first) in [
        ("2.1", ";WORK", ";HOME;PREF"),
        ("3.0", ";TYPE=WORK", ";TYPE=HOME,PREF"),
        ("3.0", ";TYPE=WORK", ";TYPE=pref;TYPE=HOME"),
        ("4.0", ";PREF=50;TYPE=work", ";PREF=2;TYPE=home"),
        ("4.0", ";TYPE=work", ";PREF=100;TYPE=home"),
    ] {
        let text = format!(
            "BEGIN:VCARD\nVERSION:{version}\nFN:Ada\nEMAIL{second}:b@x.example\nEMAIL{first}:a@x.example\nEND:VCARD\n"
        );
        let (headers, rows) = rows(text);
        let cells = ["E-mail 1", "E-mail 2"].map(|name| cell(&headers, &rows[0], name));
        assert_eq!(cells, ["a@x.example (home)", "b@x.example (work)"], "{version}{first}");
    }
}

#[test]
fn one_address_told_twice_is_one_with_the_use_that_is_told() {
    let (headers, rows) =
        rows("BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nEMAIL:a@x.example\nEMAIL;TYPE=WORK:a@x.example\nEND:VCARD\n");
    assert_eq!(cell(&headers, &rows[0], "E-mail 1"), "a@x.example (work)");
    assert!(!headers.iter().any(|header| header == "E-mail 2"));
}

#[test]
fn labels_of_address_books_say_what_a_number_is_for() {
    let (headers, rows) = rows(
        "BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nitem1.TEL:+47 1\nitem1.X-ABLabel:_$!<HomeFAX>!$_\n\
         item2.TEL:+47 2\nitem2.X-ABLabel:Mobile\nitem3.TEL:+47 3\nitem3.X-ABLabel:Cabin\nEND:VCARD\n",
    );
    let cells = ["Phone 1", "Phone 2", "Phone 3"].map(|name| cell(&headers, &rows[0], name));
    assert_eq!(cells, ["+47 2 (mobile)", "+47 3", "+47 1 (fax)"]);
}

#[test]
fn what_no_column_holds_is_counted_by_cards() {
    let one = "BEGIN:VCARD\nVERSION:3.0\nPRODID:x\nREV:20260101T000000Z\nFN:Ada\nPHOTO;ENCODING=b:AAAA\n\
        BDAY:1815-12-10\nX-Skype:ada\nx-skype:ada2\nURL:ada.example\nURL:other.example\nTEL;TYPE=PAGER:+47 5\n\
        ADR;TYPE=HOME:;;Lane 1;;;;\nADR;TYPE=WORK:;;Street 2;;;;\nitem1.X-ABLabel:Cabin\nEND:VCARD\n";
    let two = "BEGIN:VCARD\nVERSION:4.0\nFN:Bo\nBDAY:--0412\nPHOTO:\nEND:VCARD\n";
    let table = Table::open(Cursor::new(format!("{one}{two}")), &ReadOptions::new()).unwrap();
    let left_out: Vec<_> = table.left_out().iter().map(|(name, cards)| (name.as_str(), *cards)).collect();
    let all =
        [("ADR", 1), ("BDAY", 2), ("PHOTO", 1), ("TEL", 1), ("URL", 1), ("X-ABLABEL", 1), ("X-SKYPE", 1)];
    assert_eq!(left_out, all);
}

#[test]
fn a_file_that_invents_properties_is_told_in_bounds() {
    let names: String = (0..5_000).map(|n| format!("X-{n}{}:1\n", "Y".repeat(200))).collect();
    let text = format!("BEGIN:VCARD\nVERSION:3.0\nFN:Ada\n{names}END:VCARD\n");
    let table = Table::open(Cursor::new(text), &ReadOptions::new()).unwrap();
    assert_eq!(table.left_out().len(), 101);
    assert!(table.left_out().keys().all(|name| name.len() <= 60));
    assert_eq!(table.left_out().get("others"), Some(&1));
}

#[test]
fn who_does_not_want_to_be_reached_says_so_in_a_card() {
    let (headers, rows) = rows(
        "BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nEMAIL;TYPE=INTERNET,WORK;x-leadcore-marks=opted_out:a@x.example\n\
         TEL;X-LEADCORE-MARKS=opted_out:+47 1\nTEL;X-OTHER-MARKS=opted_out:+47 2\nEND:VCARD\n",
    );
    let cells = ["E-mail 1", "Phone 1", "Phone 2"].map(|name| cell(&headers, &rows[0], name));
    assert_eq!(cells, ["a@x.example (work opted_out)", "+47 1 (opted_out)", "+47 2"]);
}
