//! Every table among the outside files, of any format: read as it is meant, or refused with a reason.

use super::*;

/// File, reason: everything else with the name of a table must be read.
const REFUSED: [(&str, &str); 13] = [
    ("csv-messy/csvkit/dummy.csv.bz2", "bzip2"),
    ("csv-messy/csvkit/dummy.csv.gz", "gzip"),
    ("csv-messy/csvkit/empty.csv", "no rows"),
    ("csv-messy/qsv/boston311-100.csv.gz", "gzip"),
    ("text/blns.json", "no object"),
    ("xlsx/calamine/OOM_alloc3.xls", ""),
    ("xlsx/calamine/empty_sheet.xlsx", ""),
    ("xlsx/calamine/issue252.xlsx", ""),
    ("xlsx/calamine/issue_594_dos.ods", "columns"),
    ("xlsx/calamine/pass_protected.ods", "password"),
    ("xlsx/calamine/pass_protected.xlsb", "password"),
    ("xlsx/calamine/pass_protected.xlsx", "password"),
    ("xlsx/qsv/password-protected-password123.xlsx", "password"),
];

fn tables(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in files(folder) {
        if path.is_dir() {
            tables(&path, found);
        } else if path.extension().is_some_and(|ending| {
            let endings =
                ["csv", "tsv", "txt", "xlsx", "xlsb", "xls", "ods", "json", "jsonl", "vcf", "gz", "bz2"];
            endings.contains(&ending.to_str().unwrap())
        }) {
            found.push(path);
        }
    }
}

fn table(path: &Path, options: &ReadOptions) -> crate::error::Result<(Table<File>, Vec<Row>)> {
    let mut table = Table::open(File::open(path).unwrap(), options)?;
    let (mut rows, mut row) = (Vec::new(), Row::new());
    while table.next_row(&mut row)? {
        rows.push(row.clone());
    }
    Ok((table, rows))
}

#[test]
fn every_table_is_read_or_refused_with_a_reason() {
    let Some(data) = shared() else { return };
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    tables(&data, &mut found);
    for path in &found {
        let name = path.strip_prefix(&data).unwrap().to_str().unwrap();
        let expected = REFUSED.iter().find(|(refused, _)| *refused == name);
        match (table(path, &ReadOptions::new()), expected) {
            (Ok((table, rows)), None) => {
                if table.headers().is_empty() || rows.len() as u64 != table.records() {
                    wrong.push(format!("{name}: {:?}, {} rows", table.headers(), rows.len()));
                }
            }
            (Ok(_), Some(_)) => wrong.push(format!("{name}: read")),
            (Err(error), expected) => {
                let reason = error.violations().first().map_or("", |violation| violation.message.as_str());
                if error.kind() != ErrorKind::Invalid
                    || !expected.is_some_and(|(_, part)| reason.contains(part))
                {
                    wrong.push(format!("{name}: {error}"));
                }
            }
        }
    }
    assert!(found.len() > 190, "{}", found.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// File, sheet, answer.
const ANSWERS: [(&str, Option<&str>, &str); 6] = [
    ("sheets.xls", Some("data"), "sheetsxls_converted.csv"),
    ("sheets.xlsx", Some("data"), "sheetsxlsx_converted.csv"),
    ("test.xls", None, "testxls_converted.csv"),
    ("test.xlsx", None, "testxlsx_converted.csv"),
    ("sheets.xls", Some("ʤ"), "testxls_unicode_converted.csv"),
    ("sheets.xlsx", Some("ʤ"), "testxlsx_unicode_converted.csv"),
];

/// Another reader's spelling of the same value: `True`, `40.0`, `1920-01-01T00:00:00`.
fn same(ours: &str, theirs: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    ours == theirs
        || ours == theirs.to_lowercase()
        || number(ours).is_some_and(|ours| number(theirs) == Some(ours))
        || theirs.strip_suffix("T00:00:00") == Some(ours)
}

#[test]
fn workbooks_are_what_another_reader_made_of_them() {
    let Some(data) = shared() else { return };
    let folder = data.join("csv-messy/csvkit");
    for (file, sheet, answer) in ANSWERS {
        let mut options = ReadOptions::new();
        options.sheet = sheet.map(SheetChoice::from);
        let (ours, rows) = table(&folder.join(file), &options).unwrap();
        let (theirs, answers) = table(&folder.join(answer), &ReadOptions::new().has_header(true)).unwrap();
        // Columns of one name, rows of one first cell: the answer belongs to another version of one of the files.
        let shared = |name: &String| ours.headers().iter().position(|own| own == name);
        let columns = theirs.headers().iter().enumerate().filter(|(_, name)| !name.is_empty());
        let columns: Vec<(usize, usize)> =
            columns.filter_map(|(place, name)| Some((shared(name)?, place))).collect();
        assert!(columns.len() >= 3, "{file} {:?}", ours.headers());
        assert_eq!(rows.len(), answers.len(), "{file}");
        for answer in &answers {
            let row = rows.iter().find(|row| same(row.get(0).unwrap(), answer.get(0).unwrap())).unwrap();
            for (own, place) in &columns {
                let (own, answer) =
                    (row.get(*own).unwrap_or_default(), answer.get(*place).unwrap_or_default());
                assert!(same(own, answer), "{file}: {own:?} {answer:?}");
            }
        }
    }
}

#[test]
fn lists_of_contacts_and_cards_name_people() {
    let Some(data) = shared() else { return };
    let (mut cards, mut mail, mut names) = (0, 0, 0);
    for path in files(&data.join("contacts-vcard")) {
        let (table, rows) = table(&path, &ReadOptions::new()).unwrap();
        assert_eq!(table.format(), FileKind::VCard);
        let column = |name: &str| table.headers().iter().position(|header| header == name);
        for row in &rows {
            let cell =
                |name: &str| column(name).and_then(|place| row.get(place)).unwrap_or_default().to_owned();
            assert!(row.problem().is_none(), "{} card {}", path.display(), row.line());
            cards += 1;
            mail += usize::from(cell("E-mail 1").contains('@'));
            names += usize::from(!cell("Full name").is_empty() || !cell("Last name").is_empty());
            assert!(!cell("Full name").contains("=C3"), "quoted-printable is undone");
        }
    }
    assert!(cards >= 23 && mail >= 15 && names >= cards - 3, "{cards} {mail} {names}");
}

#[test]
fn the_workbooks_of_leads_are_read_cell_by_cell() {
    let Some(data) = shared() else { return };
    let (table_, rows) =
        table(&data.join("leads-xeducation/leads_xlsx_named.csv"), &ReadOptions::new()).unwrap();
    assert_eq!((table_.format(), table_.headers().len(), rows.len()), (FileKind::Xlsx, 37, 9240));
    let number = table_.headers().iter().position(|header| header == "Lead Number").unwrap();
    assert_eq!(rows[0].get(number), Some("660737"));
    // The same leads as text: every cell says the same.
    let (_, plain) = table(&data.join("leads-xeducation/leads.csv"), &ReadOptions::new()).unwrap();
    for (row, plain) in rows.iter().zip(&plain) {
        for (ours, theirs) in row.iter().zip(plain.iter()) {
            let alike = same(ours.trim(), theirs.trim());
            assert!(alike, "line {}: {ours:?} {theirs:?}", row.line());
        }
    }
    let (table_, rows) = table(&data.join("leads-odoo/crm_lead.xls"), &ReadOptions::new()).unwrap();
    assert_eq!((table_.format(), table_.headers().len(), rows.len()), (FileKind::Xls, 16, 8));
    let zip = table_.headers().iter().position(|header| header == "Zip").unwrap();
    assert!(rows.iter().any(|row| row.get(zip) == Some("60610")));
    let (table_, rows) =
        table(&data.join("leads-xeducation/data_dictionary.xlsx"), &ReadOptions::new()).unwrap();
    assert_eq!((table_.header_line(), rows.len()), (Some(1), 37));
}

#[test]
fn objects_of_json_are_the_rows_their_publisher_counted() {
    let Some(data) = shared() else { return };
    let expected = [
        ("leads-frappe/lead_records.json", 35),
        ("leads-salesforce-sample/Lead.json", 22),
        ("leads-salesforce-sample/Contact.json", 20),
        ("csv-messy/qsv/boston311-100-untrimmed.jsonl", 100),
        ("webhooks/meta_leadgen_notifications.json", 11),
    ];
    for (name, count) in expected {
        let (_, rows) = table(&data.join(name), &ReadOptions::new()).unwrap();
        assert_eq!(
            (rows.len(), rows.iter().find(|row| row.problem().is_some()).map(Row::line)),
            (count, None),
            "{name}"
        );
    }
}
