//! The header that was meant.

use crate::domain::header_key;

/// The header that is written almost so, by its letters and digits: at most a third of them differ.
pub(super) fn nearest<'h>(wanted: &str, headers: &'h [String]) -> Option<&'h str> {
    let wanted: Vec<char> = header_key(wanted).chars().take(64).collect();
    let told = headers.iter().filter_map(|header| {
        let key: Vec<char> = header_key(header).chars().take(64).collect();
        let apart = distance(&wanted, &key);
        (apart * 3 <= wanted.len().max(key.len()) && !key.is_empty()).then_some((apart, header.as_str()))
    });
    told.min_by_key(|(apart, _)| *apart).map(|(_, header)| header)
}

/// How many letters have to be added, dropped or changed.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (n, a) in one.iter().enumerate() {
        let mut next = vec![n + 1];
        for ((b, before), above) in other.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or(n + 1);
            next.push((before + usize::from(a != b)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(one.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_by_most_of_its_letters() {
        let headers = ["Company", "E-mail", "Close date"].map(String::from);
        for (wanted, found) in [
            ("Kompany", Some("Company")),
            ("email", Some("E-mail")),
            ("Closedate", Some("Close date")),
            ("x", None),
        ] {
            assert_eq!(nearest(wanted, &headers), found, "{wanted}");
        }
    }
}
