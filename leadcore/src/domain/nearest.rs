//! Which field a misspelt key was meant to be.

use super::catalogue::header_key;
use super::field::Field;
use super::synonyms;

/// Longer text is no misspelt key.
const LONGEST: usize = 40;

/// The field whose key is meant: another spelling of it, a word that vendors use for it, or one with hardly a letter
/// wrong.
pub(crate) fn nearest(key: &str) -> Option<&'static Field> {
    if key.len() > LONGEST {
        return None;
    }
    let key = header_key(key);
    let spelt = |field: &Field| header_key(field.key());
    if let Some(field) = Field::ALL.iter().find(|field| spelt(field) == key) {
        return Some(field);
    }
    if let Some((field, _)) = synonyms::lookup(&key) {
        return Some(field);
    }
    let most = (key.chars().count() / 3).min(2);
    let near = Field::ALL.iter().map(|field| (distance(&key, &spelt(field)), field));
    near.filter(|(far, _)| *far <= most).min_by_key(|(far, _)| *far).map(|(_, field)| field)
}

/// How many letters must be added, left out, changed or swapped with their neighbour to make `a` into `b` (optimal
/// string alignment); texts are cut to 100 letters.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(100).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (line, letter) in a.chars().take(100).enumerate() {
        let mut next = vec![line + 1];
        for (column, other) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&row, column) + usize::from(letter != *other))
                .min(at(&row, column + 1) + 1)
                .min(at(&next, column) + 1);
            let left = column.checked_sub(1).and_then(|left| b.get(left));
            if left == Some(&letter) && last == Some(*other) {
                best = best.min(at(&before, column - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        last = Some(letter);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_recognised() {
        for (key, field) in [
            ("compny", Field::Company),
            ("Company", Field::Company),
            ("firma", Field::Company),
            ("e-mail", Field::Email),
            ("emial", Field::Email),
            ("postalcode", Field::PostalCode),
            ("external-id", Field::ExternalId),
            ("descripton", Field::Description),
        ] {
            assert_eq!(nearest(key), Some(&field), "{key}");
        }
        for key in ["shoe_size", "x", "", "\0", &"company".repeat(100)] {
            assert_eq!(nearest(key), None, "{key}");
        }
        for (a, b, far) in [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("wbe", "web", 1)] {
            assert_eq!(distance(a, b), far, "{a} {b}");
        }
        let error = "compny".parse::<Field>().unwrap_err();
        assert_eq!(error.message(), "there is no field with this key; did you mean `company`?");
    }

    #[test]
    fn the_distance_counts_slips() {
        for (a, b, far) in [
            ("", "", 0),
            ("", "ab", 2),
            ("abc", "abc", 0),
            ("abc", "acb", 1),
            ("abcd", "bcd", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!((distance(a, b), distance(b, a)), (far, far), "{a} {b}");
        }
    }
}
