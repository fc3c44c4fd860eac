//! Where the next page of a list begins, for lists by time or day.

use serde::{Deserialize, Serialize};

use crate::domain::Place;
use crate::error::{Error, Result, ViolationCode};

/// The place behind a record of a list: where its next page begins.
///
/// The one that a page gives belongs to the list that was asked for: with the records of another lead, other kinds,
/// another range of time or another order it is refused, since what follows there would be left out or shown twice. Made
/// from a place alone it fits every list in this order, to begin in the middle of one.
///
/// ```
/// use leadcore::domain::Place;
/// use leadcore::query::ListCursor;
/// use leadcore::time::Timestamp;
/// let cursor = ListCursor::from(Place { at: Timestamp::MIN, child: uuid::Uuid::nil() });
/// let json = serde_json::to_string(&cursor)?;
/// assert_eq!(serde_json::from_str::<ListCursor>(&json)?, cursor);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListCursor<P = Place> {
    /// The place of the last record.
    #[serde(flatten)]
    pub place: P,
    /// A digest of the list that made it; without, it fits every list in this order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<u32>,
}

impl<P> From<P> for ListCursor<P> {
    fn from(place: P) -> Self {
        Self { place, list: None }
    }
}

/// A list as it was asked for: what its cursors belong to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked(u32);

impl Asked {
    /// Everything that says which records are listed, and in which order; not how many at once.
    pub(crate) fn new(asked: &impl Serialize) -> Self {
        Self(digest(asked))
    }

    /// A cursor of this list.
    pub(crate) const fn behind<P>(self, place: P) -> ListCursor<P> {
        ListCursor { place, list: Some(self.0) }
    }

    /// The place of a cursor of this list.
    ///
    /// # Errors
    /// `Invalid` for that of another list.
    pub(crate) fn place<P: Copy>(self, after: Option<&ListCursor<P>>) -> Result<Option<P>> {
        if after.is_some_and(|cursor| cursor.list.is_some_and(|list| list != self.0)) {
            let message = "this page cursor belongs to another list: begin with its first page";
            return Err(Error::invalid_field("after", ViolationCode::Malformed, message));
        }
        Ok(after.map(|cursor| cursor.place))
    }
}

/// FNV-1a of something as JSON, folded to 32 bits, which every reader of JSON can hold: it tells lists apart that were
/// mixed up, and protects nothing.
pub(super) fn digest(asked: &impl Serialize) -> u32 {
    struct Fnv(u64);
    impl std::io::Write for Fnv {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let mixed = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            self.0 = bytes.iter().fold(self.0, mixed);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut sum = Fnv(0xcbf2_9ce4_8422_2325);
    // It is always written: what lists are asked by has a form in JSON.
    let _ = serde_json::to_writer(&mut sum, asked);
    let [a, b, c, d, e, f, g, h] = sum.0.to_le_bytes();
    u32::from_le_bytes([a ^ e, b ^ f, c ^ g, d ^ h])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn a_cursor_is_of_the_list_that_made_it() {
        let place = Place { at: Timestamp::MAX, child: uuid::Uuid::max() };
        let (one, other) = (Asked::new(&("a", Some(1))), Asked::new(&("a", None::<u8>)));
        let cursor = one.behind(place);
        let json = serde_json::to_string(&cursor).unwrap();
        assert_eq!(serde_json::from_str::<ListCursor>(&json).unwrap(), cursor);
        assert_eq!(one.place(Some(&cursor)).unwrap(), Some(place));
        assert_eq!(other.place(Some(&cursor)).unwrap_err().violations()[0].field, "after");
        assert_eq!(other.place(Some(&place.into())).unwrap(), Some(place), "it says no list");
        assert_eq!(other.place(None::<&ListCursor>).unwrap(), None);
    }
}
