//! One value of one field, whatever the field: what patches carry, filters compare and the journal keeps.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::time::{Date, Timestamp};

/// A value of a field. It serialises as the plain JSON value that a person would write: `null`, a string, a number,
/// `true`, a list; amounts, dates, times and ids are strings there, and the type of the field says how to read them back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FieldValue {
    /// No value.
    #[default]
    Empty,
    /// Text, a code, or the written form of another type.
    Text(String),
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// An exact decimal.
    Decimal(Decimal),
    /// A day.
    Date(Date),
    /// A point in time.
    Time(Timestamp),
    /// A reference to another record.
    Id(Uuid),
    /// Several values.
    List(Vec<Self>),
}

impl FieldValue {
    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::List(list) => list.is_empty(),
            _ => false,
        }
    }

    /// The values one by one: none for an empty field, several for a list.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match self {
            Self::Empty => &[],
            Self::List(list) => list,
            single => std::slice::from_ref(single),
        }
    }

    /// The id, when it is one; also one that came back from JSON as text.
    #[must_use]
    pub fn as_id(&self) -> Option<Uuid> {
        match self {
            Self::Id(id) => Some(*id),
            Self::Text(text) if text.len() == 36 => Uuid::try_parse(text).ok(),
            _ => None,
        }
    }

    /// The text, when it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A total order: empty first, then by type, then by value. Values of one field are of one type.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Decimal(a), Self::Decimal(b)) => a.cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Id(a), Self::Id(b)) => a.cmp(b),
            (Self::List(a), Self::List(b)) => a
                .iter()
                .zip(b)
                .map(|(a, b)| a.order(b))
                .find(|order| order.is_ne())
                .unwrap_or_else(|| a.len().cmp(&b.len())),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    /// A single value with its type, as text: `i:7`, `d:1.5`, `t:anna`. Equal values have equal texts; a list or an empty
    /// value has none.
    pub(crate) fn to_typed_text(&self) -> Option<String> {
        Some(match self {
            Self::Bool(value) => format!("b:{value}"),
            Self::Integer(value) => format!("i:{value}"),
            Self::Decimal(value) => format!("d:{}", value.normalize()),
            Self::Date(value) => format!("a:{value}"),
            Self::Time(value) => format!("m:{}", value.as_micros()),
            Self::Text(value) => format!("t:{value}"),
            Self::Id(value) => format!("u:{value}"),
            Self::Empty | Self::List(_) => return None,
        })
    }

    /// Reads [`to_typed_text`](Self::to_typed_text) back.
    pub(crate) fn from_typed_text(text: &str) -> Option<Self> {
        let (kind, value) = text.split_once(':')?;
        match kind {
            "b" => value.parse().ok().map(Self::Bool),
            "i" => value.parse().ok().map(Self::Integer),
            "d" => value.parse().ok().map(Self::Decimal),
            "a" => value.parse().ok().map(Self::Date),
            "m" => value.parse().ok().and_then(|at| Timestamp::from_micros(at).ok()).map(Self::Time),
            "t" => Some(Self::Text(value.to_owned())),
            "u" => Uuid::try_parse(value).ok().map(Self::Id),
            _ => None,
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Empty => 0,
            Self::Bool(_) => 1,
            Self::Integer(_) => 2,
            Self::Decimal(_) => 3,
            Self::Date(_) => 4,
            Self::Time(_) => 5,
            Self::Text(_) => 6,
            Self::Id(_) => 7,
            Self::List(_) => 8,
        }
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $make:expr;)+) => {$(
        impl From<$type> for FieldValue {
            fn from($value: $type) -> Self {
                $make
            }
        }
    )+};
}

from! {
    &str => |v| Self::Text(v.to_owned());
    String => |v| Self::Text(v);
    bool => |v| Self::Bool(v);
    i64 => |v| Self::Integer(v);
    Decimal => |v| Self::Decimal(v);
    Date => |v| Self::Date(v);
    Timestamp => |v| Self::Time(v);
    Uuid => |v| Self::Id(v);
    crate::id::SourceId => |v| Self::Id(v.as_uuid());
    crate::id::CategoryId => |v| Self::Id(v.as_uuid());
    crate::id::LocationId => |v| Self::Id(v.as_uuid());
    crate::id::PartnerId => |v| Self::Id(v.as_uuid());
    crate::id::LostReasonId => |v| Self::Id(v.as_uuid());
    crate::id::DisqualifyReasonId => |v| Self::Id(v.as_uuid());
    crate::id::LabelId => |v| Self::Id(v.as_uuid());
    crate::id::StageId => |v| Self::Id(v.as_uuid());
    crate::id::PipelineId => |v| Self::Id(v.as_uuid());
    crate::id::LeadId => |v| Self::Id(v.as_uuid());
    crate::id::UserId => |v| Self::Text(v.as_str().to_owned());
}

impl<T: Into<Self>> From<Option<T>> for FieldValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

impl<T: Into<Self>> From<Vec<T>> for FieldValue {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl Serialize for FieldValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Decimal(value) => serializer.collect_str(value),
            Self::Date(value) => serializer.collect_str(value),
            Self::Time(value) => serializer.collect_str(value),
            Self::Id(value) => serializer.collect_str(value),
            Self::List(list) => list.serialize(serializer),
        }
    }
}

/// Lists nest at most this deep: no field has lists in lists.
const MAX_DEPTH: usize = 1;

impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = deserializer.deserialize_any(PlainJson)?;
        if depth(&value) > MAX_DEPTH {
            return Err(de::Error::custom("a field value must not hold lists in lists"));
        }
        Ok(value)
    }
}

fn depth(value: &FieldValue) -> usize {
    match value {
        FieldValue::List(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

struct PlainJson;

impl<'de> Visitor<'de> for PlainJson {
    type Value = FieldValue;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("null, true, false, a number, a string or a list of these")
    }

    fn visit_unit<E>(self) -> Result<FieldValue, E> {
        Ok(FieldValue::Empty)
    }

    fn visit_none<E>(self) -> Result<FieldValue, E> {
        Ok(FieldValue::Empty)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<FieldValue, D::Error> {
        deserializer.deserialize_any(Self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<FieldValue, E> {
        Ok(FieldValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<FieldValue, E> {
        Ok(FieldValue::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<FieldValue, E> {
        i64::try_from(value).map(FieldValue::Integer).map_err(|_| E::custom("the number is too large"))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<FieldValue, E> {
        // Through its shortest decimal form: 12.5 stays 12.5.
        value
            .to_string()
            .parse()
            .map(FieldValue::Decimal)
            .map_err(|_| E::custom("the number has no exact decimal form"))
    }

    fn visit_str<E>(self, value: &str) -> Result<FieldValue, E> {
        Ok(FieldValue::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<FieldValue, E> {
        Ok(FieldValue::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<FieldValue, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element::<FieldValue>()? {
            list.push(item);
        }
        Ok(FieldValue::List(list))
    }
}
