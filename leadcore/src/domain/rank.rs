//! The place of a card in its column: a key that sorts, with room between any two (X.52).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{ValueError, ViolationCode};
use crate::time::Timestamp;

/// Where a card lies among the others of its stage, lowest first. Compared bytewise, so every store sorts it alike.
///
/// A rank is a fraction written in digits and small letters (base 36), never ending in `0`: between two different
/// ranks there is always another, so putting a card somewhere writes that card alone. This is the fractional indexing
/// of Figma and of Jira's LexoRank, without the rebalancing.
///
/// ```
/// use leadcore::domain::Rank;
/// use leadcore::time::Timestamp;
/// let now = Timestamp::EPOCH;
/// let (first, second) = (Rank::on_top(now, 8), Rank::on_top(now, 7));
/// assert!(first < second, "what came later lies above what came before");
/// let between = Rank::between(Some(&first), Some(&second));
/// assert!(first < between && between < second);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rank(String);

/// The digits, in their bytewise order.
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// Digits for a time in microseconds counted down: enough for 4,000 years.
const TIME_DIGITS: usize = 11;
/// Digits for a lead number counted down: enough for 78 billion leads.
const NUMBER_DIGITS: usize = 7;
/// The longest rank that is read back: some thousand moves into the same gap.
const MAX_BYTES: usize = 2_000;

impl Rank {
    /// The rank of a card that comes into a stage now: above every card that came before, and of two that come at the
    /// same time the higher lead number is above.
    #[must_use]
    pub fn on_top(at: Timestamp, number: u64) -> Self {
        let mut text = String::with_capacity(TIME_DIGITS + NUMBER_DIGITS + 1);
        counted_down(u64::try_from(at.as_micros()).unwrap_or(0), TIME_DIGITS, &mut text);
        counted_down(number, NUMBER_DIGITS, &mut text);
        // The closing digit keeps it from ending in `0`.
        text.push('i');
        Self(text)
    }

    /// The rank of a card that is put below every other now: below every card that was put there before, and below
    /// every card that came in [`on_top`](Self::on_top) since 1975.
    #[must_use]
    pub fn at_bottom(at: Timestamp, number: u64) -> Self {
        let mut text = String::from("zz");
        let ceiling = |width: usize| (0..width).fold(1_u64, |power, _| power.saturating_mul(36)) - 1;
        let micros = u64::try_from(at.as_micros()).unwrap_or(0);
        counted_down(ceiling(TIME_DIGITS).saturating_sub(micros), TIME_DIGITS, &mut text);
        counted_down(ceiling(NUMBER_DIGITS).saturating_sub(number), NUMBER_DIGITS, &mut text);
        text.push('i');
        Self(text)
    }

    /// A rank for a card between these two, or at the end of its column where one is missing, that leaves room for
    /// every card that comes later: at the ends it is [`on_top`](Self::on_top) or [`at_bottom`](Self::at_bottom) where
    /// that fits.
    #[must_use]
    pub fn placed(above: Option<&Self>, below: Option<&Self>, at: Timestamp, number: u64) -> Self {
        let fits =
            |rank: &Self| above.is_none_or(|above| above < rank) && below.is_none_or(|below| rank < below);
        match (above, below) {
            (None, below) => {
                let top = Self::on_top(at, number);
                if fits(&top) {
                    return top;
                }
                // Others came in the same instant: above them, and below whatever comes next.
                let next = Self::on_top(at.saturating_add(chrono::TimeDelta::microseconds(1)), 0);
                let ceiling = Some(&next).filter(|next| below.is_some_and(|below| *next < below));
                Self::between(ceiling, below)
            }
            (above, None) => {
                let bottom = Self::at_bottom(at, number);
                if fits(&bottom) { bottom } else { Self::between(above, None) }
            }
            (above, below) => Self::between(above, below),
        }
    }

    /// A rank above `below` and below `above`; `None` is the end of the column. Equal or swapped neighbours give the
    /// rank right behind the first of them.
    #[must_use]
    pub fn between(above: Option<&Self>, below: Option<&Self>) -> Self {
        let low = above.map_or(&[][..], |rank| rank.0.as_bytes());
        let high = below.map(|rank| rank.0.as_bytes()).filter(|high| low < *high);
        let mut text = String::with_capacity(low.len().saturating_add(1));
        let mut high = high;
        for at in 0.. {
            let lower = low.get(at).map_or(0, |digit| value_of(*digit));
            let upper = high.map_or(36, |high| high.get(at).map_or(0, |digit| value_of(*digit)));
            if lower + 1 < upper {
                text.push(char::from(digit_of(u64::from((lower + upper) / 2))));
                break;
            }
            // No room here: keep the lower digit; once it is below the upper one, the rest is free upwards.
            text.push(char::from(digit_of(u64::from(lower))));
            if lower < upper {
                high = None;
            }
        }
        Self(text)
    }

    /// Reads a stored rank.
    ///
    /// # Errors
    /// When it is empty, too long, ends in `0` or holds anything but digits and small letters.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let sound = !text.is_empty()
            && text.len() <= MAX_BYTES
            && !text.ends_with('0')
            && text.bytes().all(|digit| DIGITS.contains(&digit));
        if sound {
            return Ok(Self(text.to_owned()));
        }
        Err(ValueError::new(ViolationCode::Malformed, "this is not the rank of a card"))
    }

    /// The rank as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `width` digits that sort the other way round than `value`; what is too large counts as the largest.
fn counted_down(value: u64, width: usize, text: &mut String) {
    let mut digits = vec![b'0'; width];
    let ceiling = (0..width).fold(1_u64, |power, _| power.saturating_mul(36)) - 1;
    let mut left = ceiling.saturating_sub(value);
    for digit in digits.iter_mut().rev() {
        *digit = digit_of(left % 36);
        left /= 36;
    }
    text.extend(digits.into_iter().map(char::from));
}

fn digit_of(value: u64) -> u8 {
    usize::try_from(value).ok().and_then(|at| DIGITS.get(at)).copied().unwrap_or(b'z')
}

fn value_of(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'z' => digit - b'a' + 10,
        _ => 0,
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Rank {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        Self::parse(&text)
    }
}

impl From<Rank> for String {
    fn from(rank: Rank) -> Self {
        rank.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_came_later_lies_above() {
        let at = |micros| Timestamp::from_micros(micros).unwrap();
        let ranks: Vec<_> =
            [(9_000_000, 1), (2_000_000, 90), (2_000_000, 37), (2_000_000, 36), (1, 5), (-7, 2)]
                .map(|(micros, number)| Rank::on_top(at(micros), number))
                .to_vec();
        assert!(ranks.is_sorted());
        assert!(ranks.iter().all(|rank| Rank::parse(rank.as_str()).is_ok()));
    }

    fn first() -> Rank {
        Rank::on_top(Timestamp::EPOCH, 1)
    }

    #[test]
    fn the_ends_of_a_column_are_open() {
        let only = first();
        assert!(Rank::between(None, Some(&only)) < only);
        assert!(Rank::between(Some(&only), None) > only);
        assert!(Rank::parse(Rank::between(None, None).as_str()).is_ok());
    }

    #[test]
    fn cards_at_the_ends_leave_room_for_what_comes() {
        let at = |micros: i64| Timestamp::from_micros(1_790_000_000_000_000 + micros).unwrap();
        let first = Rank::on_top(at(0), 5);
        let above = Rank::placed(None, Some(&first), at(0), 3);
        assert!(above < first, "put above in the same instant");
        let again = Rank::placed(None, Some(&above), at(0), 4);
        assert!(again < above);
        assert!(Rank::on_top(at(1), 0) < again, "what comes later lies above all of them");
        let last = Rank::placed(Some(&first), None, at(2), 7);
        let lower = Rank::placed(Some(&last), None, at(2), 6);
        assert!(first < last && last < lower);
        assert!(Rank::placed(Some(&lower), None, at(3), 1).as_str().len() < 25, "ends do not grow");
        for rank in [above, again, last, lower] {
            assert!(Rank::parse(rank.as_str()).is_ok());
        }
    }

    #[test]
    fn bad_texts_are_refused() {
        for text in ["", "0", "a0", "A", "é", "a b", &"z".repeat(3_000)] {
            assert!(Rank::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn there_is_always_room(places in prop::collection::vec(0.0_f64..1.0, 1..200)) {
            let mut column = vec![Rank::on_top(Timestamp::EPOCH, 2), first()];
            for place in places {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss,
                    reason = "a place in a short list")]
                let at = (place * (column.len() + 1) as f64) as usize;
                let above = at.checked_sub(1).map(|at| column[at].clone());
                let rank = Rank::between(above.as_ref(), column.get(at));
                prop_assert!(Rank::parse(rank.as_str()).is_ok());
                column.insert(at, rank);
                prop_assert!(column.is_sorted());
                prop_assert!(column.windows(2).all(|pair| pair[0] < pair[1]));
            }
        }
    }
}
