//! The values of Arrow arrays as texts that lose nothing, as the cells of an import.

use arrow_array::cast::AsArray;
use arrow_array::temporal_conversions::as_datetime;
use arrow_array::types::{
    ArrowPrimitiveType, ArrowTimestampType, Date32Type, Date64Type, Decimal32Type, Decimal64Type,
    Decimal128Type, Decimal256Type, DecimalType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray, new_empty_array};
use arrow_schema::{DataType, TimeUnit};
use chrono::{FixedOffset, NaiveDateTime, NaiveTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;
use leadcore::exchange::float_cell;
use leadcore::value::join_list;

/// Gives the text of a row; empty for none.
pub(crate) type Texts<'a> = Box<dyn Fn(usize) -> String + 'a>;

/// How the values of an array are written; none for a type that no field takes.
pub(crate) fn texts(array: &ArrayRef) -> Option<Texts<'_>> {
    let write = values(array)?;
    Some(Box::new(move |row| if array.is_null(row) { String::new() } else { write(row) }))
}

/// Whether a field takes values of this type. A zone that there is not is no other type, but a mistake.
pub(crate) fn is_written(kind: &DataType) -> bool {
    matches!(kind, DataType::Timestamp(..)) || texts(&new_empty_array(kind)).is_some()
}

/// Whether its values are floating-point numbers.
pub(crate) fn is_float(kind: &DataType) -> bool {
    match kind {
        DataType::Float32 | DataType::Float64 => true,
        DataType::Dictionary(_, values) => is_float(values),
        _ => false,
    }
}

fn values(array: &ArrayRef) -> Option<Texts<'_>> {
    let array: &dyn Array = array.as_ref();
    Some(match array.data_type() {
        DataType::Null => Box::new(|_| String::new()),
        DataType::Utf8 => Box::new(|row| array.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Box::new(|row| array.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Box::new(|row| array.as_string_view().value(row).to_owned()),
        DataType::Boolean => Box::new(|row| array.as_boolean().value(row).to_string()),
        DataType::Int8 => whole::<Int8Type>(array),
        DataType::Int16 => whole::<Int16Type>(array),
        DataType::Int32 => whole::<Int32Type>(array),
        DataType::Int64 => whole::<Int64Type>(array),
        DataType::UInt8 => whole::<UInt8Type>(array),
        DataType::UInt16 => whole::<UInt16Type>(array),
        DataType::UInt32 => whole::<UInt32Type>(array),
        DataType::UInt64 => whole::<UInt64Type>(array),
        DataType::Float32 => Box::new(|row| {
            let number = array.as_primitive::<Float32Type>().value(row);
            if number.is_nan() { String::new() } else { unmistaken(number.to_string()) }
        }),
        DataType::Float64 => Box::new(|row| {
            let number = array.as_primitive::<Float64Type>().value(row);
            if number.is_nan() { String::new() } else { unmistaken(float_cell(number)) }
        }),
        DataType::Decimal32(..) => decimal::<Decimal32Type>(array),
        DataType::Decimal64(..) => decimal::<Decimal64Type>(array),
        DataType::Decimal128(..) => decimal::<Decimal128Type>(array),
        DataType::Decimal256(..) => decimal::<Decimal256Type>(array),
        DataType::Date32 => moments::<Date32Type>(array, None),
        DataType::Date64 => moments::<Date64Type>(array, None),
        DataType::Timestamp(unit, zone) => {
            // A zone that is not known does not say which day it is there.
            let zone = zone.as_deref().map(|name| Zone::named(name).ok_or(())).transpose().ok()?;
            match unit {
                TimeUnit::Second => stamps::<TimestampSecondType>(array, zone),
                TimeUnit::Millisecond => stamps::<TimestampMillisecondType>(array, zone),
                TimeUnit::Microsecond => stamps::<TimestampMicrosecondType>(array, zone),
                TimeUnit::Nanosecond => stamps::<TimestampNanosecondType>(array, zone),
            }
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            drop(texts(list.values())?);
            Box::new(|row| joined(&list.value(row)))
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            drop(texts(list.values())?);
            Box::new(|row| joined(&list.value(row)))
        }
        DataType::FixedSizeList(..) => {
            let list = array.as_fixed_size_list();
            drop(texts(list.values())?);
            Box::new(|row| joined(&list.value(row)))
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let write = texts(dictionary.values())?;
            if dictionary.values().is_empty() {
                return Some(Box::new(|_| String::new()));
            }
            let keys = dictionary.normalized_keys();
            Box::new(move |row| keys.get(row).map_or_else(String::new, |key| write(*key)))
        }
        _ => return None,
    })
}

fn whole<T: ArrowPrimitiveType>(array: &dyn Array) -> Texts<'_>
where
    T::Native: ToString,
{
    Box::new(|row| array.as_primitive::<T>().value(row).to_string())
}

fn decimal<T: DecimalType + ArrowPrimitiveType>(array: &dyn Array) -> Texts<'_> {
    let numbers: &PrimitiveArray<T> = array.as_primitive::<T>();
    Box::new(|row| unmistaken(numbers.value_as_string(row)))
}

/// A number of three decimals might be one with groups of thousands: a fourth says that it is not.
fn unmistaken(mut number: String) -> String {
    if number.rsplit_once('.').is_some_and(|(_, decimals)| decimals.len() == 3) {
        number.push('0');
    }
    number
}

/// Where the clocks of a column are: a name of the IANA database, or so far from UTC (Arrow, `Schema.fbs`, `Timestamp`).
#[derive(Debug, Clone, Copy)]
enum Zone {
    Named(Tz),
    Ahead(FixedOffset),
}

impl Zone {
    fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("utc") || name.eq_ignore_ascii_case("z") {
            return Some(Self::Named(Tz::UTC));
        }
        if name.starts_with(['+', '-']) {
            let minutes = if name.len() == 3 { ":00" } else { "" };
            return format!("{name}{minutes}").parse().ok().map(Self::Ahead);
        }
        name.parse().ok().map(Self::Named)
    }

    /// How far ahead of UTC clocks are there at a time of UTC: in whole minutes, as texts of times say it. Before there were
    /// time zones it was a few seconds more.
    fn ahead(self, at: NaiveDateTime) -> Option<FixedOffset> {
        let ahead = match self {
            Self::Named(zone) => zone.offset_from_utc_datetime(&at).fix(),
            Self::Ahead(ahead) => ahead,
        };
        FixedOffset::east_opt(ahead.local_minus_utc() / 60 * 60)
    }
}

fn moments<T: ArrowPrimitiveType>(array: &dyn Array, zone: Option<Zone>) -> Texts<'_>
where
    i64: From<T::Native>,
{
    Box::new(move |row| {
        let number = i64::from(array.as_primitive::<T>().value(row));
        let at = as_datetime::<T>(number);
        at.and_then(|at| zone.map_or_else(|| Some(moment(at)), |zone| there(at, zone))).unwrap_or_default()
    })
}

fn stamps<T: ArrowTimestampType>(array: &dyn Array, zone: Option<Zone>) -> Texts<'_> {
    moments::<T>(array, zone)
}

/// ISO 8601. A midnight without a zone is a day: that is how tables hold days that have no type for them.
fn moment(at: NaiveDateTime) -> String {
    if at.time() == NaiveTime::MIN {
        at.format("%Y-%m-%d").to_string()
    } else {
        at.format("%Y-%m-%dT%H:%M:%S%.f").to_string()
    }
}

/// ISO 8601 of a time of UTC by the clocks of its zone: a field of days takes the day that they show.
fn there(at: NaiveDateTime, zone: Zone) -> Option<String> {
    let ahead = zone.ahead(at)?;
    let local = at.checked_add_offset(ahead)?.format("%Y-%m-%dT%H:%M:%S%.f");
    Some(if ahead.local_minus_utc() == 0 { format!("{local}Z") } else { format!("{local}{ahead}") })
}

/// The values of a list, as an import takes them apart.
fn joined(list: &ArrayRef) -> String {
    let Some(write) = texts(list) else { return String::new() };
    let values: Vec<_> = (0..list.len()).map(write).filter(|text| !text.is_empty()).collect();
    join_list(&values, ", ")
}
