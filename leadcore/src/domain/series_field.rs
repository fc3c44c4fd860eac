//! The fields of a number series, as the journal tells of them.

use super::field_value::FieldValue;
use super::number_series::NumberSeries;

/// What the journal tells of a number series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeriesField {
    /// What it is called.
    Name,
    /// What stands before the digits.
    Prefix,
    /// The least number of digits.
    Width,
    /// The lowest number.
    First,
    /// The highest number.
    Last,
    /// Whether it begins anew in each year.
    Yearly,
    /// Whether no number may be missing.
    Gapless,
    /// Whether it numbers what names no series.
    IsDefault,
    /// Whether it gives no numbers any more.
    Archived,
}

impl SeriesField {
    /// Every field.
    pub const ALL: [Self; 9] = [
        Self::Name,
        Self::Prefix,
        Self::Width,
        Self::First,
        Self::Last,
        Self::Yearly,
        Self::Gapless,
        Self::IsDefault,
        Self::Archived,
    ];

    /// Stable name.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Prefix => "prefix",
            Self::Width => "width",
            Self::First => "first",
            Self::Last => "last",
            Self::Yearly => "yearly",
            Self::Gapless => "gapless",
            Self::IsDefault => "is_default",
            Self::Archived => "archived",
        }
    }

    /// The field with this [`key`](Self::key).
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.key() == key)
    }

    /// Its value.
    #[must_use]
    pub fn read(self, series: &NumberSeries) -> FieldValue {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX).into();
        match self {
            Self::Name => series.fields.name.as_str().into(),
            Self::Prefix => series.fields.prefix.as_str().into(),
            Self::Width => i64::from(series.fields.width).into(),
            Self::First => number(series.fields.first),
            Self::Last => number(series.fields.last),
            Self::Yearly => series.fields.yearly.into(),
            Self::Gapless => series.fields.gapless.into(),
            Self::IsDefault => series.is_default.into(),
            Self::Archived => series.archived.into(),
        }
    }

    /// Writes a value that [`read`](Self::read) gave; another one changes nothing.
    pub fn write(self, series: &mut NumberSeries, value: &FieldValue) {
        let fields = &mut series.fields;
        match (self, value) {
            (Self::Name, FieldValue::Text(name)) => fields.name.clone_from(name),
            (Self::Prefix, FieldValue::Text(prefix)) => fields.prefix.clone_from(prefix),
            (Self::Prefix, FieldValue::Empty) => fields.prefix.clear(),
            (Self::Width, FieldValue::Integer(width)) => {
                fields.width = u8::try_from(*width).unwrap_or(fields.width);
            }
            (Self::First, FieldValue::Integer(first)) => {
                fields.first = u64::try_from(*first).unwrap_or(fields.first);
            }
            (Self::Last, FieldValue::Integer(last)) => {
                fields.last = u64::try_from(*last).unwrap_or(fields.last);
            }
            (Self::Yearly, FieldValue::Bool(yes)) => fields.yearly = *yes,
            (Self::Gapless, FieldValue::Bool(yes)) => fields.gapless = *yes,
            (Self::IsDefault, FieldValue::Bool(yes)) => series.is_default = *yes,
            (Self::Archived, FieldValue::Bool(yes)) => series.archived = *yes,
            _ => {}
        }
    }
}
