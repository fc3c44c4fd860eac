//! The records of a binary part (XLSB), counted while it is unpacked: kind, length, data.

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) sheets: usize,
    pub(super) strings: usize,
    /// Bytes of records from which names are made, and the longest of them.
    pub(super) names: usize,
    pub(super) longest_name: usize,
    /// Bytes of the longest record.
    pub(super) longest: usize,
}

/// Walks over a part, piece by piece.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) counts: Counts,
    /// Bytes of the kind and of the length that were read, and what they say.
    read: (usize, usize),
    kind: usize,
    length: usize,
    /// Bytes of data to pass over.
    left: usize,
}

const SHEET: usize = 0x9C;
const STRING: usize = 0x13;
const NAME: usize = 0x27;
const OTHER_SHEETS: usize = 0x016A;

impl Records {
    /// Walks on over `bytes`.
    pub(super) fn look(&mut self, mut bytes: &[u8]) {
        while let Some((byte, rest)) = bytes.split_first() {
            if self.left > 0 {
                let passed = self.left.min(bytes.len());
                self.left -= passed;
                bytes = bytes.get(passed..).unwrap_or_default();
                continue;
            }
            bytes = rest;
            self.header(*byte);
        }
    }

    fn header(&mut self, byte: u8) {
        let part = usize::from(byte & 0x7F);
        let (kinds, lengths) = self.read;
        let kind_is_read = kinds > 0 && (kinds == 2 || self.kind & 0x80_00_00 == 0);
        if !kind_is_read {
            self.kind |= part << (7 * kinds);
            self.read.0 += 1;
            // A mark outside the fourteen bits of a kind: another byte follows.
            self.kind =
                if kinds == 0 && byte & 0x80 != 0 { self.kind | 0x80_00_00 } else { self.kind & 0xFFFF };
            return;
        }
        self.length |= part << (7 * lengths);
        self.read.1 += 1;
        if byte & 0x80 == 0 || self.read.1 == 4 {
            self.count();
            self.left = self.length;
            (self.read, self.kind, self.length) = ((0, 0), 0, 0);
        }
    }

    fn count(&mut self) {
        let (kind, counts) = (self.kind & 0xFFFF, &mut self.counts);
        counts.longest = counts.longest.max(self.length);
        counts.sheets += usize::from(kind == SHEET);
        counts.strings += usize::from(kind == STRING);
        if matches!(kind, NAME | OTHER_SHEETS) {
            counts.names += self.length;
        }
        if matches!(kind, NAME | SHEET) {
            counts.longest_name = counts.longest_name.max(self.length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_in_whatever_pieces_they_come() {
        let mut part = Vec::new();
        for (kind, length) in [(SHEET, 40), (STRING, 0), (STRING, 300), (OTHER_SHEETS, 12), (NAME, 20_000)] {
            part.extend(if kind < 0x80 {
                vec![kind as u8]
            } else {
                vec![kind as u8 | 0x80, (kind >> 7) as u8]
            });
            let mut rest = length;
            while rest >= 0x80 {
                part.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            part.push(rest as u8);
            part.extend(vec![0xFF; length]);
        }
        for size in [1, 2, 3, 7, usize::MAX] {
            let mut records = Records::default();
            part.chunks(size).for_each(|piece| records.look(piece));
            let Counts { sheets, strings, names, longest_name, longest } = records.counts;
            assert_eq!((sheets, strings, names, longest_name, longest), (1, 2, 20_012, 20_000, 20_000));
        }
    }
}
