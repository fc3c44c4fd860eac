//! Several names in one text, as people write them into a cell: with commas or semicolons between, and in quotes where a
//! name holds one of these itself.

use std::borrow::Cow;

use crate::error::{ValueError, ViolationCode};

use super::fold::MAX_TEXT_BYTES;

/// What stands between the items of a list, if nothing else is said.
pub const LIST_MARKS: [&str; 2] = [",", ";"];

/// The items of a list, without blanks around them and without empty ones. What is in double quotes as a whole is one item,
/// in which `""` is a quote (as in a CSV file); a quote within an item, or one that is never closed, is an ordinary letter.
///
/// ```
/// use leadcore::value::{LIST_MARKS, split_list};
/// assert_eq!(split_list(r#"Hot, "Bread, white"; 5" pipe"#, &LIST_MARKS), ["Hot", "Bread, white", "5\" pipe"]);
/// ```
#[must_use]
pub fn split_list<'t>(text: &'t str, marks: &[&str]) -> Vec<Cow<'t, str>> {
    let (mut items, mut rest) = (Vec::new(), Some(text));
    while let Some(text) = rest {
        let item;
        (item, rest) = first_item(text, marks);
        if !item.is_empty() {
            items.push(item);
        }
    }
    items
}

/// The first item, and what stands behind the mark after it.
fn first_item<'t>(text: &'t str, marks: &[&str]) -> (Cow<'t, str>, Option<&'t str>) {
    let text = text.trim_start();
    // No mark in quotes separates.
    let quoted = text.strip_prefix('"').and_then(closing);
    let from = quoted.map_or(0, |length| length + 2);
    let tail = text.get(from..).unwrap_or_default();
    let marks = marks.iter().filter(|mark| !mark.is_empty());
    let next = marks.filter_map(|mark| Some((tail.find(mark)?, mark.len()))).min();
    let end = next.map_or(text.len(), |(at, _)| from + at);
    let whole = text.get(..end).unwrap_or_default().trim_end();
    let behind = next.and_then(|(_, length)| text.get(end + length..));
    let inner = quoted.filter(|length| whole.len() == length + 2).and_then(|length| whole.get(1..=length));
    let item = match inner {
        None => Cow::Borrowed(whole),
        Some(inner) if inner.contains('"') => Cow::Owned(inner.replace("\"\"", "\"")),
        Some(inner) => Cow::Borrowed(inner),
    };
    (item, behind)
}

/// Where a quoted text that begins here ends: at the first quote that is not doubled.
fn closing(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let found = from + text.get(from..)?.find('"')?;
        if !text.get(found + 1..)?.starts_with('"') {
            return Some(found);
        }
        from = found + 2;
    }
}

/// The items as one text, each in quotes where it needs them: what [`split_list`] gives back as the same items.
///
/// ```
/// assert_eq!(leadcore::value::join_list(["Hot", "Bread, white"], ", "), r#"Hot, "Bread, white""#);
/// ```
#[must_use]
pub fn join_list<T: AsRef<str>>(items: impl IntoIterator<Item = T>, between: &str) -> String {
    let mut text = String::new();
    for item in items {
        if !text.is_empty() {
            text.push_str(between);
        }
        text.push_str(&as_item(item.as_ref()));
    }
    text
}

/// One item as it stands in a list.
fn as_item(item: &str) -> Cow<'_, str> {
    // A quote that this item leaves open would be closed by a later one.
    let is_open = item.strip_prefix('"').is_some_and(|rest| closing(rest).is_none());
    if !is_open && split_list(item, &LIST_MARKS) == [item] {
        Cow::Borrowed(item)
    } else {
        Cow::Owned(format!("\"{}\"", item.replace('"', "\"\"")))
    }
}

/// What `read` makes of each entry of a list of these things, one and several of which are called so.
pub(super) fn read_list<T>(
    [one, several]: [&str; 2],
    text: &str,
    split: impl Fn(&str) -> Vec<&str>,
    read: impl Fn(&str) -> Result<T, ValueError>,
) -> Vec<Result<T, ValueError>> {
    if text.len() > MAX_TEXT_BYTES {
        let message = format!("the list of {several} is longer than 1 MiB");
        return vec![Err(ValueError::new(ViolationCode::TooLong, message))];
    }
    let entries = split(text).into_iter().map(str::trim).filter(|entry| !entry.is_empty());
    entries
        .enumerate()
        .map(|(index, entry)| read(entry).map_err(|error| numbered(one, index, &error)))
        .collect()
}

/// A refusal inside a list, with the position of the entry (counted from 1).
fn numbered(what: &str, index: usize, error: &ValueError) -> ValueError {
    ValueError::new(error.code(), format!("{what} {}: {}", index + 1, error.message()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_split_as_people_write_them() {
        for (text, items) in [
            ("a, b;c", &["a", "b", "c"][..]),
            (" , ;", &[]),
            (r#""a, b""#, &["a, b"]),
            (r#""a ""x"", b" , c"#, &[r#"a "x", b"#, "c"]),
            (r#"5" pipe, 6" pipe"#, &[r#"5" pipe"#, r#"6" pipe"#]),
            (r#""open, b"#, &[r#""open"#, "b"]),
            (r#""a,b"@x.example, c"#, &[r#""a,b"@x.example"#, "c"]),
        ] {
            assert_eq!(split_list(text, &LIST_MARKS), items, "{text}");
        }
        assert_eq!(split_list("a, b // c", &["//"]), ["a, b", "c"]);
    }

    #[test]
    fn only_what_needs_them_has_quotes() {
        assert_eq!(join_list(["a", "b c", "5\" pipe", "it's"], ", "), "a, b c, 5\" pipe, it's");
        assert_eq!(join_list(["a;b", "\"c"], "; "), "\"a;b\"; \"\"\"c\"");
    }

    proptest! {
        #[test]
        fn a_list_comes_back(
            items in prop::collection::vec("[ab\",; ]{0,6}[a\"]|\\PC{0,8}x", 0..5),
            between in prop::sample::select(vec![", ", "; ", ","]),
        ) {
            let text = join_list(&items, between);
            prop_assert_eq!(split_list(&text, &LIST_MARKS), items);
        }
    }
}
