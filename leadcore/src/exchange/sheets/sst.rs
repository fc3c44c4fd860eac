//! The texts that cells of an old workbook share: how long each is, so that what its cells make of them can be added up.

/// A list of texts, which runs over a record and those that continue it.
struct Texts<'s> {
    data: &'s [u8],
    more: std::slice::Iter<'s, &'s [u8]>,
}

impl Texts<'_> {
    fn next_record(&mut self) -> bool {
        self.more.next().is_some_and(|data| {
            self.data = data;
            true
        })
    }

    fn take(&mut self, n: usize) -> Option<&[u8]> {
        let (taken, rest) = self.data.split_at_checked(n)?;
        self.data = rest;
        Some(taken)
    }

    fn skip(&mut self, mut n: usize) -> Option<()> {
        while n > 0 {
            if self.data.is_empty() && !self.next_record() {
                return None;
            }
            let here = n.min(self.data.len());
            self.take(here)?;
            n -= here;
        }
        Some(())
    }

    /// Passes over a text; its bytes.
    fn text(&mut self) -> Option<u32> {
        let [low, high, flags] = *self.take(3)?.first_chunk()?;
        let mut left = usize::from(u16::from_le_bytes([low, high]));
        let runs = if flags & 8 == 0 { 0 } else { number(self.take(2)?) };
        let behind = if flags & 4 == 0 { 0 } else { number(self.take(4)?) };
        let (mut width, mut bytes) = (1 + usize::from(flags & 1), 0);
        loop {
            let here = left.min(self.data.len() / width);
            self.take(here * width)?;
            bytes += here * width;
            left -= here;
            if left == 0 {
                break;
            }
            if !self.next_record() {
                return None;
            }
            width = 1 + usize::from(self.take(1)?.first()? & 1);
        }
        self.skip(runs * 4)?;
        self.skip(behind)?;
        u32::try_from(bytes).ok()
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |n, byte| n << 8 | usize::from(*byte))
}

/// The bytes of each text of a list, up to where it breaks off; none if they are more than `most` in all.
pub(super) fn lengths(list: &[&[u8]], most: usize) -> Option<Vec<u32>> {
    const TEXT: usize = 24;
    let Some((first, more)) = list.split_first() else { return Some(Vec::new()) };
    let mut texts = Texts { data: first.get(8..).unwrap_or_default(), more: more.iter() };
    let (mut found, mut size) = (Vec::new(), 0);
    while !texts.data.is_empty() || texts.next_record() {
        // A record without anything is read as a text without anything.
        let length = if texts.data.is_empty() { Some(0) } else { texts.text() };
        let Some(length) = length else { break };
        found.push(length);
        size += length as usize + TEXT;
        if size > most {
            return None;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_run_on_over_records() {
        let head = [0; 8];
        let first = [&head[..], b"\x03\0\0abc", b"\x02\0\x01a\0b\0", b"\x04\0\x08\x01\0ab"].concat();
        let second = [&b"\x01c\0d\0"[..], b"RUNS", b"\x01\0\x04\x06\0\0\0x--"].concat();
        let list: [&[u8]; 4] = [&first, &second, b"----", b"\x02\0\0yz"];
        assert_eq!(lengths(&list, usize::MAX), Some(vec![3, 4, 6, 1, 2]));
        assert_eq!(lengths(&list, 100), None);
        assert_eq!(lengths(&[&[0; 8], b"", b""], 1_000), Some(vec![0, 0]));
        assert_eq!(lengths(&[b"\0\0\0\0\0\0\0\0\xFF\xFF\0abc"], 1_000), Some(vec![]), "broken off");
    }
}
