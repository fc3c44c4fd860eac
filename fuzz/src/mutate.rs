//! Changed copies of known inputs, the same for the same seed: what the plain test runs in the place of a fuzzer.

/// Marks that mean something in one of the formats.
const WORDS: [&[u8]; 40] = [
    b"\"",
    b"\"\"",
    b"'",
    b",",
    b";",
    b"\t",
    b"|",
    b"\n",
    b"\r\n",
    b"\r",
    b"\\",
    b"\0",
    b"\xEF\xBB\xBF",
    b"\xFF\xFE",
    b"\xF0\x9F\x99\x82",
    b"\xC3",
    b"{",
    b"}",
    b"[",
    b"]",
    b"null",
    b"1e999",
    b"-0",
    b"99999999999999999999",
    b"BEGIN:VCARD\n",
    b"END:VCARD\n",
    b";ENCODING=QUOTED-PRINTABLE:",
    b"=\n",
    b"=3D",
    b"\n ",
    b"<c r=\"ZZZ9999999\">",
    b"</row>",
    b"&#x0;",
    b"&amp;",
    b"r=\"-1\"",
    b"2026-13-45",
    b"31/02/2026",
    b"$1,5.00K",
    b"+47",
    b"\xE2\x80\xAE",
];

/// A generator of numbers (splitmix64).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `most`, or 0.
    pub fn below(&mut self, most: usize) -> usize {
        if most == 0 { 0 } else { (self.next() % most as u64) as usize }
    }

    /// A piece of `bytes`.
    fn piece<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let from = self.below(bytes.len());
        let most = (bytes.len() - from).min(1 + self.below(200));
        &bytes[from..from + most]
    }

    /// A copy of one of `known` with one to eight changes.
    pub fn changed(&mut self, known: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = known.get(self.below(known.len())).cloned().unwrap_or_default();
        for _ in 0..=self.below(8) {
            self.change(&mut bytes, known);
            bytes.truncate(64 * 1024);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, known: &[Vec<u8>]) {
        let at = self.below(bytes.len() + 1);
        let mut put = |what: &[u8]| drop(bytes.splice(at..at, what.iter().copied()));
        match self.below(9) {
            0 => put(WORDS[self.below(WORDS.len())]),
            1 => put(&[self.below(256) as u8]),
            2 => {
                let other = known.get(self.below(known.len())).map_or(&[][..], Vec::as_slice);
                put(self.piece(other));
            }
            3 => {
                let piece = self.piece(&bytes.clone()).to_vec();
                let times = 1 + self.below(40);
                drop(bytes.splice(at..at, piece.repeat(times)));
            }
            4 => {
                let end = (at + 1 + self.below(60)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => bytes.truncate(at),
            6 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            7 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = self.below(256) as u8;
                }
            }
            _ => {
                // Digits become other digits: sizes, counts, places.
                if let Some(place) = bytes.iter().skip(at).position(u8::is_ascii_digit) {
                    bytes[at + place] = b'0' + self.below(10) as u8;
                }
            }
        }
    }
}
