//! From cells to leads: the rules of columns, and mappings that somebody stored.

use std::io::Cursor;
use std::sync::LazyLock;

use leadcore::domain::{Catalogue, Choice, CustomField, CustomType, Field};
use leadcore::exchange::import::{self, ImportOptions};
use leadcore::exchange::{ColumnMapping, ColumnRules, DateOrder, Mapping, Split, Unit};
use leadcore::prelude::*;
use leadcore::value::{Country, DecimalMark};

use crate::{Seen, blamed};

const TENANT: &str = "fuzz";

/// A catalogue with a custom field of every type that a cell can fill, and the fields that are filled.
fn catalogue() -> (Catalogue, Vec<Field>) {
    let choices = vec![Choice::new("hot", "Hot"), Choice::new("cold", "Cold and dry")];
    let kinds = [
        CustomType::Text,
        CustomType::LongText,
        CustomType::Integer,
        CustomType::Decimal,
        CustomType::Money(None),
        CustomType::Date,
        CustomType::Time,
        CustomType::Bool,
        CustomType::OneOf(choices.clone()),
        CustomType::ManyOf(choices),
        CustomType::User,
        CustomType::Email,
        CustomType::Phone,
        CustomType::Url,
    ];
    let mut catalogue = Catalogue::standard();
    let mut fields: Vec<Field> = catalogue.fields().filter(Field::is_writable).collect();
    fields.push(Field::Stage);
    for (n, kind) in kinds.into_iter().enumerate() {
        let Ok(key) = format!("x_{n}").parse::<leadcore::domain::CustomKey>() else { continue };
        fields.push(Field::Custom(key.clone()));
        catalogue.set_custom_field(CustomField::new(key, kind.code(), kind));
    }
    (catalogue, fields)
}

/// Rules of which not all fit every field; those that do not are refused.
fn rules(choice: u8) -> ColumnRules {
    let none = ColumnRules::new();
    match choice % 16 {
        0 => none.date_order(DateOrder::DayFirst).utc_offset(60),
        1 => none.date_order(DateOrder::MonthFirst).utc_offset(-18 * 60),
        2 => none.date_order(DateOrder::YearFirst),
        3 => none.decimal_mark(DecimalMark::Comma),
        4 => none.decimal_mark(DecimalMark::Dot).unit(Unit::Thousands),
        5 => none.unit(Unit::Millions),
        6 => Country::parse("NO").map_or(none.clone(), |country| none.region(country)),
        7 => Country::parse("US").map_or(none.clone(), |country| none.region(country)),
        8 => none.yes("aye").no("nay"),
        9 => none.no_answer(vec!["?".to_owned(), String::new()]),
        10 => none.default_value("2026-02-30"),
        11 => none.split(Split::FamilyFirst),
        12 => none.split(Split::Address),
        13 => none.split(Split::List("/".to_owned())),
        _ => none,
    }
}

/// Where all inputs are tried: nothing is written but the catalogue, once.
struct Place {
    store: MemoryStore,
    tenant: TenantId,
    fields: Vec<Field>,
}

static PLACE: LazyLock<Place> = LazyLock::new(|| {
    let (catalogue, fields) = catalogue();
    let place = Place { store: MemoryStore::new(), tenant: TENANT.parse().unwrap(), fields };
    let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
    let ctx = Context::new(&place.tenant, Actor::System, &clock, &ids, &AllowAll);
    let set = place
        .store
        .write(ctx.tenant(), |txn| desk::settings::set_catalogue(&ctx, txn, None, &catalogue).map(drop));
    assert!(set.is_ok(), "{set:?}");
    place
});

/// Imports a file for show; what is refused is the input's fault.
fn tried(file: &[u8], mapping: Mapping) -> Seen {
    let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
    let ctx = Context::new(&PLACE.tenant, Actor::System, &clock, &ids, &AllowAll);
    let options = ImportOptions::new().mapping(mapping);
    match import::dry_run(&ctx, &PLACE.store, Cursor::new(file), &options, &mut ()) {
        Ok(report) => {
            let told = report.created + report.updated + report.skipped + report.rejected;
            assert_eq!(told, report.lines, "every line has one outcome");
            Seen { rows: report.lines, damaged: report.rejected, ..Seen::default() }
        }
        Err(error) => blamed(&error),
    }
}

/// Cells of a column, one a line, read into a field by rules: the first two bytes say which.
pub fn coercions(data: &[u8]) -> Seen {
    let [field, choice, cells @ ..] = data else { return Seen::default() };
    let fields = &PLACE.fields;
    let Some(field) = fields.get(usize::from(*field) % fields.len()) else { return Seen::default() };
    let cells = String::from_utf8_lossy(cells);
    let mut writer = csv::Writer::from_writer(b"a,b\n".to_vec());
    for cell in cells.lines().take(50) {
        let cell: String = cell.chars().take(2_000).collect();
        if writer.write_record([cell.as_str(), "Nordlys AS"]).is_err() {
            return Seen::default();
        }
    }
    let Ok(file) = writer.into_inner() else { return Seen::default() };
    let beside = if *field == Field::Company { Field::City } else { Field::Company };
    let column = ColumnMapping { header: "a".to_owned(), field: Some(field.clone()), rules: rules(*choice) };
    let columns = vec![column, ColumnMapping::new("b", Some(beside))];
    tried(&file, Mapping { columns, constants: Vec::new() })
}

/// The JSON of a mapping, on a file with headers that it may name.
pub fn mapping(data: &[u8]) -> Seen {
    const FILE: &[u8] =
        b"a,b,c,Company,E-mail\nAda Berg,31/12/2026,\"$1,5K\",Nordlys AS,post@nordlys.example\n,,,,\n\
                          ' =1,Select,-,x;y,ada@\n";
    let Ok(mapping) = serde_json::from_slice::<Mapping>(data) else {
        return Seen { refused: true, ..Seen::default() };
    };
    let written = serde_json::to_string(&mapping).unwrap_or_default();
    let again = serde_json::from_str::<Mapping>(&written);
    assert_eq!(again.ok().as_ref(), Some(&mapping), "what is written is read as the same");
    tried(FILE, mapping)
}
