//! The proposals for other people's files, which are not part of this project: every column has its expected field.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::*;
use crate::exchange::{ReadOptions, Row, TableReader};
use crate::value::DecimalMark;

/// The file; its columns with their fields, separated by commas. What is not named must be left out: the engine sets it
/// (created, converted), no field takes it (words for a score), or another column fills the field. `:opt_out` says who opted
/// out of the field.
const FILES: &[(&str, &str)] = &[
    (
        "leads-xeducation/leads.csv",
        "Prospect ID=external_id,Lead Source=source,Country=country,City=city,Tags=labels,Asymmetrique Activity Score=score,\
         Do Not Email=email:opt_out,Do Not Call=phone:opt_out",
    ),
    ("leads-olist/marketing_qualified_leads.csv", "mql_id=external_id,origin=source"),
    (
        "leads-zoho-demo/Leads.csv",
        "LEADID=external_id,Last Name=last_name,Company=company,Lead Owner=owner,Email=email,Mobile=phone,\
         Website=website,Industry=industry,Lead Source=source,Lead Status=stage",
    ),
    (
        "leads-zoho-demo/Contacts.csv",
        "CONTACTID=external_id,Last Name=last_name,Contact Owner=owner,Email=email,Lead Source=source,Mobile=phone",
    ),
    (
        "leads-datablist/leads-10000.csv",
        "Account Id=external_id,Lead Owner=owner,First Name=first_name,Last Name=last_name,Company=company,Phone 1=phone,\
         Phone 2=phone,Email 1=email,Email 2=email,Website=website,Source=source,Deal Stage=stage,Notes=description",
    ),
    (
        "leads-mautic-demo/leads.csv",
        "title=salutation,firstname=first_name,lastname=last_name,city=city,address1=street,state=state_region,\
         zipcode=postal_code,country=country,email=email,phone=phone,company=company,website=website,points=score",
    ),
    (
        "leads-mautic-demo/contacts10.csv",
        "firstname=first_name,lastname=last_name,company=company,email=email,country=country",
    ),
    (
        "leads-mautic-demo/companies.csv",
        "companyname=company,companycity=city,companystate=state_region,companycountry=country,companyindustry=industry",
    ),
    ("leads-mautic-demo/form_results.csv", "name=name,email=email"),
    (
        "webhooks/meta_leads_export_1.csv",
        "id=external_id,campaign_name=campaign,platform=source,qual_o_seu_cnpj?=tax_id,email=email,full_name=name,city=city,state=state_region,\
         phone_number=phone,STATUS=stage,CONSULTOR=owner,OBS=description,RECEITA=amount",
    ),
    (
        "webhooks/meta_leads_export_junk_first_line.csv",
        "id=external_id,campaign_name=campaign,platform=source,qual_o_seu_cnpj?=tax_id,email=email,full_name=name,city=city,state=state_region,\
         phone_number=phone,STATUS=stage,CONSULTOR=owner,OBS=description,RECEITA=amount",
    ),
    (
        "webhooks/meta_leads_export_test_row.csv",
        "id=external_id,campaign_name=campaign,platform=source,full_name=name,phone_number=phone,email=email,lead_status=stage",
    ),
    (
        "contacts-csv/gmail.csv",
        "Name=name,Given Name=first_name,Additional Name=first_name,Family Name=last_name,Name Prefix=salutation,Location=location,Notes=description,\
         Group Membership=labels,E-mail 1 - Value=email,E-mail 2 - Value=email,E-mail 3 - Value=email,\
         E-mail 4 - Value=email,Phone 1 - Value=phone,Phone 2 - Value=phone,Phone 3 - Value=phone,Phone 4 - Value=phone,\
         Phone 5 - Value=phone,Phone 6 - Value=phone,Phone 7 - Value=phone,Address 1 - Street=street,\
         Address 1 - City=city,Address 1 - Region=state_region,Address 1 - Postal Code=postal_code,\
         Address 1 - Country=country,Organization 1 - Name=company,Organization 1 - Title=job_title,\
         Website 1 - Value=website",
    ),
    ("contacts-csv/outlook.csv", "E-mail Address=email,E-mail 2 Address=email,E-mail 3 Address=email"),
    ("contacts-csv/email.csv", "Primary Email=email"),
    (
        "contacts-csv/tb_plain.csv",
        "First Name=first_name,Last Name=last_name,Display Name=name,Primary Email=email,Secondary Email=email,\
         Work Phone=phone,Home Phone=phone,Fax Number=phone,Pager Number=phone,Mobile Number=phone,Work Address=street,\
         Work Address 2=street,Work City=city,Work State=state_region,Work ZipCode=postal_code,Work Country=country,\
         Job Title=job_title,Organization=company,Web Page 1=website,Notes=description",
    ),
    (
        "contacts-csv/all.csv",
        "Display Name=name,Title=salutation,First Name=first_name,Middle Name=first_name,Last Name=last_name,Company=company,\
         Job Title=job_title,Email Home=email,Email Work=email,Email Other=email,Home Phone=phone,Home Phone 2=phone,Business Phone=phone,\
         Business Phone 2=phone,Home Mobile=phone,Primary Phone=phone,Home Fax=phone,Business Fax=phone,Car Phone=phone,\
         Pager=phone,Phone Video=phone,Other Phone=phone,Business Street=street,Work City=city,Work State=state_region,\
         Work Zip=postal_code,Work Country=country,Notes=description,Website Work=website,Categories=labels",
    ),
];

const SALESFORCE: &str = "attributes.referenceId=external_id,Company=company,Country=country,Email=email,\
    FirstName=first_name,LastName=last_name,LeadSource=source,Phone=phone,Fax=phone,Salutation=salutation,\
    State=state_region,Status=stage,Title=job_title,City=city,Industry=industry,PostalCode=postal_code,Street=street";
const FRAPPE: &str = "first_name=first_name,last_name=last_name,email=email,mobile_no=phone,organization=company,\
    job_title=job_title,source=source,status=stage,lead_owner=owner";

/// A workbook's headers and cells of its kind: `Name` is what the lead is about, and `Contact Name` the person.
const ODOO: (&str, &[&str]) = (
    "External ID=external_id,Company Name=company,Contact Name=name,Email=email,Job Position=job_title,Phone=phone,\
     Mobile=phone,Street=street,Street2=street,City=city,State=state_region,Zip=postal_code,Country=country,\
     Website=website,Notes=description",
    &[
        "External ID|Name|Company Name|Contact Name|Email|Job Position|Phone|Mobile|Street|Street2|City|State|Zip|Country|Website|Notes",
        "lead_1|Wants a quote|Nordlys Industry|Kari Berg|kari@nordlys.example|CEO|+1 650 555 0100|||Palermo|Buenos Aires||B7313|Argentina||Rings again",
        "lead_2|Planning project|Fjord Project|||||||Cannon Park|Birmingham||B46 3AG|United Kingdom||",
        "lead_3|Partnership|Epic AS|Ola Berg|ola@epic.example|Founder|+1 312 555 0123||||Chicago|Wisconsin|60610|United States||",
        "lead_4|New web site|Global AS|||||||Union Road|Liverpool||L25 4RL|United Kingdom|http://global.example|",
    ],
);

fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let data = std::env::var_os("LEADCORE_SHARED").map_or(beside, PathBuf::from).join("data");
    if data.join("leads-olist").is_dir() {
        return Some(data);
    }
    crate::exchange::corpus_tests::not_tested(&format!("lead files are absent at {}", data.display()));
    None
}

fn csv(path: &Path) -> Sample {
    let catalogue = Catalogue::standard();
    let options = ReadOptions::new().known_header(move |cell| catalogue.field_for_header(cell).is_some());
    let mut table = TableReader::open(File::open(path).unwrap(), &options).unwrap();
    let (mut sample, mut row) = (Sample::new(table.headers()), Row::new());
    while !sample.is_full() && table.next_row(&mut row).unwrap() {
        sample.push(&row);
    }
    sample
}

/// A list of objects, with objects in them by path.
fn json(path: &Path) -> Sample {
    fn flat(prefix: &str, value: &serde_json::Value, cells: &mut BTreeMap<String, String>) {
        let path = |key: &str| if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
        match value {
            serde_json::Value::Object(object) => {
                object.iter().for_each(|(key, value)| flat(&path(key), value, cells));
            }
            serde_json::Value::String(text) => drop(cells.insert(prefix.to_owned(), text.clone())),
            serde_json::Value::Null => {}
            other => drop(cells.insert(prefix.to_owned(), other.to_string())),
        }
    }
    let json: serde_json::Value = serde_json::from_reader(File::open(path).unwrap()).unwrap();
    let records = json.get("records").unwrap_or(&json).as_array().unwrap();
    let rows: Vec<_> = records
        .iter()
        .map(|record| {
            let mut cells = BTreeMap::new();
            flat("", record, &mut cells);
            cells
        })
        .collect();
    let headers: std::collections::BTreeSet<_> = rows.iter().flat_map(BTreeMap::keys).cloned().collect();
    let headers: Vec<_> = headers.into_iter().collect();
    let mut sample = Sample::new(&headers);
    for row in &rows {
        sample.add(headers.iter().map(|header| row.get(header).map_or("", String::as_str)));
    }
    sample
}

fn lines(lines: &[&str]) -> Sample {
    let (headers, rows) = lines.split_first().unwrap();
    let mut sample = Sample::new(&headers.split('|').map(str::to_owned).collect::<Vec<_>>());
    rows.iter().for_each(|row| sample.add(row.split('|')));
    sample
}

#[derive(Default)]
struct Tally {
    mappable: usize,
    right: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, name: &str, sample: &Sample, expected: &str) {
        let expected: BTreeMap<&str, &str> =
            expected.split(',').map(|pair| pair.trim().rsplit_once('=').unwrap()).collect();
        let catalogue = Catalogue::standard();
        let proposal = Mapping::propose_from(sample, &Knowledge::new(&catalogue));
        assert!(proposal.columns.iter().all(|column| (0.0..=1.0).contains(&column.confidence)), "{name}");
        proposal.mapping().locate(sample.headers(), &catalogue, &[]).expect(name);
        let (mut mappable, mut right) = (0, 0);
        for column in &proposal.columns {
            let wanted = expected.get(column.header.as_str()).copied();
            let out = if column.rules.opt_out.is_some() { ":opt_out" } else { "" };
            let found = column.field.as_ref().map(|field| format!("{}{out}", field.key()));
            let found = found.as_deref();
            mappable += usize::from(wanted.is_some());
            right += usize::from(wanted.is_some() && wanted == found);
            if wanted != found {
                self.wrong.push(format!(
                    "{name}: {} is {found:?}, not {wanted:?}: {:?} {:?}",
                    column.header, column.evidence, column.perhaps
                ));
            }
        }
        assert_eq!(mappable, expected.len(), "{name} has every column that is expected");
        println!("{name:<50} {right:>3} of {mappable:>3} of {:>3} columns", proposal.columns.len());
        self.mappable += mappable;
        self.right += right;
    }
}

#[test]
fn every_public_lead_file_maps_itself() {
    let mut tally = Tally::default();
    tally.count("a workbook's headers", &lines(ODOO.1), ODOO.0);
    if let Some(data) = shared() {
        for (name, expected) in FILES {
            tally.count(name, &csv(&data.join(name)), expected);
        }
        for (name, expected) in
            [("leads-salesforce-sample/Lead.json", SALESFORCE), ("leads-frappe/lead_records.json", FRAPPE)]
        {
            tally.count(name, &json(&data.join(name)), expected);
        }
    }
    println!("mapped right: {} of {} mappable columns", tally.right, tally.mappable);
    assert!(tally.wrong.is_empty(), "\n{}", tally.wrong.join("\n"));
}

#[test]
fn outside_values_say_how_they_are_read() {
    let Some(data) = shared() else { return };
    let catalogue = Catalogue::standard();
    let propose = |name: &str, as_field: &[(&str, Field)]| {
        let mut sample = csv(&data.join(name));
        // What the tenant calls its fields is the same as renaming the headers.
        let headers: Vec<_> = sample.headers().to_vec();
        let renamed: Vec<String> = headers
            .iter()
            .map(|header| {
                let field = as_field.iter().find(|(known, _)| known == header);
                field.map_or_else(|| header.clone(), |(_, field)| field.key().to_owned())
            })
            .collect();
        sample = sample.with_headers(&renamed);
        Mapping::propose_from(&sample, &Knowledge::new(&catalogue))
    };
    let column = |proposal: &Proposal, field: &Field| {
        proposal.columns.iter().find(|column| column.field.as_ref() == Some(field)).unwrap().clone()
    };
    let olist =
        propose("leads-olist/marketing_qualified_leads.csv", &[("first_contact_date", Field::ExpectedClose)]);
    let dates = column(&olist, &Field::ExpectedClose);
    assert_eq!(dates.rules.date_order, Some(DateOrder::DayFirst));
    let Note::DateOrder { day_first, month_first: 0, either, .. } = dates.notes[0] else {
        panic!("{:?}", dates.notes)
    };
    assert!(day_first > 500 && either > 200 && day_first + either <= 1_000, "{day_first} {either}");
    let origin = column(&olist, &Field::Source);
    let unknown =
        |note: &Note| matches!(note, Note::NoAnswer { word, proposed: false, .. } if word == "unknown");
    assert!(origin.notes.iter().any(unknown) && origin.rules.no_answer.is_none(), "it may be a term");
    let hits = propose("leads-mautic-demo/page_hits.csv", &[("dateHit", Field::ExpectedClose)]);
    let dates = column(&hits, &Field::ExpectedClose);
    assert!(matches!(dates.notes[0], Note::DateOrder { either: 1.., .. }), "{:?}", dates.notes);
    let education = propose("leads-xeducation/leads.csv", &[]);
    let city = column(&education, &Field::City);
    assert!(
        city.notes
            .iter()
            .any(|note| matches!(note, Note::NoAnswer { word, cells: 100.., .. } if word == "select")),
        "{:?}",
        city.notes
    );
    let campaigns = propose("leads-zoho-demo/Campaigns.csv", &[("Budgeted Cost", Field::Amount)]);
    let money = column(&campaigns, &Field::Amount);
    assert!(
        money.notes.iter().any(|note| matches!(note, Note::Currency { symbol, .. } if symbol == "$")),
        "{:?}",
        money.notes
    );
    assert_eq!(money.rules.decimal_mark, Some(DecimalMark::Dot));
}
