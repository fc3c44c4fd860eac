//! Bytes to UTF-8: which encoding a file has, and a stream that decodes it in bounded memory.
//!
//! UTF-8, by far the commonest, is passed through untouched; its records are validated one by one where they are read.
//! Everything else is transcoded chunk by chunk, and the places where bytes had no meaning are remembered so that
//! the record they fall into can be marked.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, Encoding};

use crate::error::{Error, Result, ViolationCode};

/// How much of the file the encoding is judged by.
pub(super) const ENCODING_SAMPLE: usize = 1024 * 1024;
/// So many stretches of bytes without meaning are remembered apart until their record is known. More stand in no text but
/// in a line without end of something that is none; what lies between two of those counts as without meaning too.
const MOST_MALFORMED: usize = 4_096;
/// How much is read at a time.
pub(super) const CHUNK: usize = 64 * 1024;

/// A character encoding of the WHATWG Encoding Standard.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TextEncoding(&'static Encoding);

impl TextEncoding {
    /// UTF-8.
    pub const UTF_8: Self = Self(encoding_rs::UTF_8);
    /// UTF-16, low byte first.
    pub const UTF_16LE: Self = Self(encoding_rs::UTF_16LE);
    /// UTF-16, high byte first.
    pub const UTF_16BE: Self = Self(encoding_rs::UTF_16BE);
    /// Western European (Windows); the standard reads `latin1` as this.
    pub const WINDOWS_1252: Self = Self(encoding_rs::WINDOWS_1252);

    /// The encoding of a label such as `utf-8`, `latin1`, `windows-1250`, `shift_jis`; case does not matter.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) with field `encoding` for a name the standard lacks.
    pub fn for_label(label: &str) -> Result<Self> {
        Encoding::for_label_no_replacement(label.as_bytes()).map(Self).ok_or_else(|| {
            Error::invalid_field("encoding", ViolationCode::Unknown, "no encoding has this name")
        })
    }

    pub(super) const fn encoding(self) -> &'static Encoding {
        self.0
    }

    /// The standard's name: `UTF-8`, `windows-1252` …
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl serde::Serialize for TextEncoding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for TextEncoding {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let label = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
        Self::for_label(&label).map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for TextEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for TextEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const SQL_SCRIPT: &str = "this is a script of SQL, not CSV text: export the table itself as CSV";

/// First bytes of files that people give a `.csv` name, and what they are.
const NOT_TEXT: [(&[u8], &str); 22] = [
    (b"PK\x03\x04", "this is a spreadsheet (xlsx, ods) or zip file, not CSV text"),
    (b"PK\x05\x06", "this is an empty zip file, not CSV text"),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "this is a spreadsheet (xls) or other Office file, not CSV text"),
    (b"\x1F\x8B", "this is a gzip file, not CSV text: unpack it first"),
    (b"BZh", "this is a bzip2 file, not CSV text: unpack it first"),
    (b"\xFD7zXZ\x00", "this is an xz file, not CSV text: unpack it first"),
    (b"\x28\xB5\x2F\xFD", "this is a zstd file, not CSV text: unpack it first"),
    (b"7z\xBC\xAF\x27\x1C", "this is a 7-zip file, not CSV text: unpack it first"),
    (b"\x89PNG", "this is a picture, not a table"),
    (b"\xFF\xD8\xFF", "this is a picture, not a table"),
    (b"%PDF-", "this is a PDF document, not CSV text"),
    (b"PAR1\x15", "this is a Parquet file, not CSV text: hand it over as a table of Arrow"),
    (b"ARROW1\x00", "this is a file of Arrow (Feather), not CSV text: hand it over as a table of Arrow"),
    (b"SQLite format 3\x00", "this is a SQLite database, not CSV text"),
    (br"{\rtf", "this is a document (RTF), not CSV text"),
    (b"-- MySQL dump", SQL_SCRIPT),
    (b"-- PostgreSQL database dump", SQL_SCRIPT),
    (b"--\n-- PostgreSQL database dump", SQL_SCRIPT),
    (b"INSERT INTO ", SQL_SCRIPT),
    (b"CREATE TABLE ", SQL_SCRIPT),
    (b"\xFF\xFE\x00\x00", "this text is UTF-32, which is not supported: save it as UTF-8"),
    (b"\x00\x00\xFE\xFF", "this text is UTF-32, which is not supported: save it as UTF-8"),
];

/// Refuses what is plainly not text.
pub(super) fn refuse_binary(sample: &[u8]) -> Result<()> {
    // "BZh" may begin an honest header cell; bzip2 follows it by a digit and a block mark.
    let bzip2 = |magic: &[u8]| magic != b"BZh" || sample.get(4..7) == Some(b"1AY".as_slice());
    match NOT_TEXT.iter().find(|(magic, _)| sample.starts_with(magic) && bzip2(magic)) {
        Some((_, message)) => Err(Error::invalid_field("file", ViolationCode::Malformed, *message)),
        None => Ok(()),
    }
}

/// The encoding of a file that begins with `sample`, and the length of its byte order mark.
///
/// A byte order mark decides even against `wanted`: nobody writes one by accident. Then `wanted`; then UTF-16 by its
/// pattern of NUL bytes; then UTF-8 if the sample is valid; then a guess by letter frequencies.
pub(super) fn detect(sample: &[u8], complete: bool, wanted: Option<TextEncoding>) -> (TextEncoding, usize) {
    if let Some((encoding, length)) = Encoding::for_bom(sample) {
        return (TextEncoding(encoding), length);
    }
    if let Some(encoding) = wanted {
        return (encoding, 0);
    }
    if let Some(encoding) = utf16_by_nuls(sample) {
        return (encoding, 0);
    }
    let valid = match std::str::from_utf8(sample) {
        Ok(_) => true,
        // A character cut by the end of the sample says nothing against UTF-8.
        Err(error) => error.error_len().is_none() && !complete,
    };
    if valid {
        return (TextEncoding::UTF_8, 0);
    }
    if mostly_utf8(sample) {
        return (TextEncoding::UTF_8, 0);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, complete);
    (TextEncoding(detector.guess(None, Utf8Detection::Deny)), 0)
}

/// Whether a few foreign bytes stand in what is otherwise UTF-8: letters beyond ASCII that are well formed outnumber the
/// broken ones by far, or at least as many lines hold well-formed ones alone as hold broken ones. In text of another encoding
/// pairs that happen to be well formed are rare, and lines of nothing else rarer. The lines with foreign bytes are then
/// marked; taking the file for another encoding would spoil all the others.
fn mostly_utf8(sample: &[u8]) -> bool {
    let (mut sound, mut broken) = (0_usize, 0_usize);
    for chunk in sample.utf8_chunks() {
        sound += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    if sound == 0 || sound >= broken.saturating_mul(4) {
        return sound > 0;
    }
    let lines = sample.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_ascii());
    let (mut whole, mut spoilt) = (0_usize, 0_usize);
    for line in lines {
        let is_whole = std::str::from_utf8(line).is_ok();
        whole += usize::from(is_whole);
        spoilt += usize::from(!is_whole);
    }
    whole >= spoilt
}

/// Text in Latin letters stored as UTF-16 has a NUL in nearly every other byte, always on the same side.
fn utf16_by_nuls(sample: &[u8]) -> Option<TextEncoding> {
    let (mut first, mut second) = (0_usize, 0_usize);
    let pairs = sample.chunks_exact(2);
    let count = sample.len() / 2;
    for pair in pairs {
        first += usize::from(pair.first() == Some(&0));
        second += usize::from(pair.last() == Some(&0));
    }
    let (many, few) = (count * 2 / 5, count / 20);
    if count < 4 {
        None
    } else if second > many && first <= few {
        Some(TextEncoding::UTF_16LE)
    } else if first > many && second <= few {
        Some(TextEncoding::UTF_16BE)
    } else {
        None
    }
}

/// Decodes `sample` as far as it goes; a character cut at its end is dropped.
pub(super) fn decode_sample(sample: &[u8], encoding: TextEncoding) -> Vec<u8> {
    if encoding == TextEncoding::UTF_8 {
        return sample.to_vec();
    }
    let mut decoder = encoding.0.new_decoder_without_bom_handling();
    let mut text =
        String::with_capacity(decoder.max_utf8_buffer_length(sample.len()).unwrap_or(sample.len()));
    let _ = decoder.decode_to_string(sample, &mut text, false);
    text.into_bytes()
}

/// A stream of UTF-8 (or, for UTF-8 input, of the bytes as they are).
pub(super) struct Decoded<R> {
    input: R,
    /// `None` for UTF-8.
    transcoder: Option<Transcoder>,
}

struct Transcoder {
    decoder: Decoder,
    pending: Vec<u8>,
    read: usize,
    /// Output of one call; zeroed once, not per call.
    scratch: Vec<u8>,
    ended: bool,
    /// Bytes of output so far.
    written: u64,
    /// Where in the output replacement characters stand for bytes without meaning: first and last of each stretch.
    malformed: VecDeque<(u64, u64)>,
}

impl<R> fmt::Debug for Decoded<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoded").field("transcoding", &self.transcoder.is_some()).finish_non_exhaustive()
    }
}

impl<R: Read> Decoded<R> {
    pub(super) fn new(input: R, encoding: TextEncoding) -> Self {
        let transcoder = (encoding != TextEncoding::UTF_8).then(|| Transcoder {
            decoder: encoding.0.new_decoder_without_bom_handling(),
            pending: Vec::new(),
            read: 0,
            scratch: vec![0; CHUNK],
            ended: false,
            written: 0,
            malformed: VecDeque::new(),
        });
        Self { input, transcoder }
    }

    /// Appends up to a chunk to `buffer`; `false` at the end.
    pub(super) fn fill(&mut self, buffer: &mut Vec<u8>) -> io::Result<bool> {
        match &mut self.transcoder {
            None => Ok(append(&mut self.input, buffer)? > 0),
            Some(transcoder) => transcoder.fill(&mut self.input, buffer),
        }
    }

    /// Whether a malformed place lies in `start..end` of the output; forgets everything before `end`.
    pub(super) fn malformed_within(&mut self, start: u64, end: u64) -> bool {
        let mut found = false;
        if let Some(transcoder) = &mut self.transcoder {
            while let Some((first, last)) = transcoder.malformed.front_mut().filter(|(first, _)| *first < end)
            {
                found |= *last >= start;
                if *last >= end {
                    *first = end;
                    break;
                }
                transcoder.malformed.pop_front();
            }
        }
        found
    }
}

/// Reads once and appends, without leaving anything else behind on failure.
fn append(input: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let before = buffer.len();
    buffer.resize(before + CHUNK, 0);
    let outcome = loop {
        match input.read(buffer.get_mut(before..).unwrap_or_default()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => break outcome,
        }
    };
    buffer.truncate(before + outcome.as_ref().map_or(0, |n| (*n).min(CHUNK)));
    outcome
}

impl Transcoder {
    fn fill(&mut self, input: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<bool> {
        let before = buffer.len();
        while buffer.len() == before && !self.ended {
            if self.read >= self.pending.len() {
                self.pending.clear();
                self.read = 0;
                self.ended = append(input, &mut self.pending)? == 0;
            }
            self.convert(buffer);
        }
        Ok(buffer.len() > before)
    }

    fn remember(&mut self, place: u64) {
        let full = self.malformed.len() >= MOST_MALFORMED;
        match self.malformed.back_mut() {
            Some((_, last)) if full || place <= *last + 3 => *last = place,
            _ => self.malformed.push_back((place, place)),
        }
    }

    /// Decodes all of `pending`.
    fn convert(&mut self, buffer: &mut Vec<u8>) {
        loop {
            let source = self.pending.get(self.read..).unwrap_or_default();
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(source, &mut self.scratch, self.ended);
            buffer.extend_from_slice(self.scratch.get(..written).unwrap_or_default());
            self.read += read;
            self.written += written as u64;
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    self.remember(self.written);
                    buffer.extend_from_slice("\u{fffd}".as_bytes());
                    self.written += 3;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], encoding: TextEncoding) -> (String, bool) {
        let mut decoded = Decoded::new(bytes, encoding);
        let mut out = Vec::new();
        while decoded.fill(&mut out).unwrap() {}
        let bad = decoded.malformed_within(0, out.len() as u64);
        (String::from_utf8(out).unwrap(), bad)
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    }

    #[test]
    fn one_foreign_line_does_not_change_the_encoding_of_the_others() {
        let mut file = "Ålesund;Størhus\n".repeat(20).into_bytes();
        file.extend(b"M\xf8ller;x\n");
        assert_eq!(detect(&file, true, None), (TextEncoding::UTF_8, 0));
        assert_ne!(detect(b"M\xf8ller;\xc5lesund\n", true, None).0, TextEncoding::UTF_8);
    }

    #[test]
    fn one_foreign_line_beside_one_sound_line_is_told_apart_from_one_byte_letters() {
        let damaged = b"Company,E-mail\nCaf\xc3\xa9,a@x.example\nCaf\xe9,b@x.example\n";
        assert_eq!(detect(damaged, true, None).0, TextEncoding::UTF_8);
        // One pair in Latin-1 that is well formed as UTF-8 too, among letters that are not.
        let western = b"navn;by\nK\xe5re;\xc5lesund\nS\xf8ren;Troms\xf8\nX\xc3\xa9;Oslo\nBj\xf8rn;R\xf8ros\n";
        let (encoding, _) = detect(western, true, None);
        assert_eq!(all(western, encoding).0.lines().nth(1), Some("K\u{e5}re;\u{c5}lesund"));
        // Thai and Japanese have many such pairs, in hardly any line alone.
        let thai = "\u{e0a}\u{e37}\u{e48}\u{e2d};\u{e40}\u{e21}\u{e37}\u{e2d}\u{e07}\n\u{e2a}\u{e21}\u{e0a}\u{e32}\u{e22};\u{e01}\u{e23}\u{e38}\u{e07}\u{e40}\u{e17}\u{e1e}\n";
        for (label, text) in [
            ("windows-874", thai),
            (
                "shift_jis",
                "\u{6c0f}\u{540d};\u{4f1a}\u{793e}\n\u{5c71}\u{7530};\u{682a}\u{5f0f}\u{4f1a}\u{793e}\n",
            ),
        ] {
            let (bytes, _, _) = Encoding::for_label(label.as_bytes()).unwrap().encode(text);
            assert_ne!(detect(&bytes, true, None).0, TextEncoding::UTF_8, "{label}");
        }
    }

    #[test]
    fn a_character_cut_at_the_end_of_the_sample_is_still_utf8() {
        let cut = &"name,Øre".as_bytes()[..6];
        assert_eq!(detect(cut, false, None).0, TextEncoding::UTF_8);
        assert_ne!(detect(cut, true, None).0, TextEncoding::UTF_8);
    }

    #[test]
    fn utf16_is_known_without_a_byte_order_mark() {
        for big in [false, true] {
            let bytes = utf16("name;city\nKåre;Ålesund\n", big);
            let (encoding, bom) = detect(&bytes, true, None);
            assert_eq!((encoding == TextEncoding::UTF_16BE, bom), (big, 0));
            assert_eq!(all(&bytes, encoding).0, "name;city\nKåre;Ålesund\n");
        }
    }

    #[test]
    fn western_text_in_one_byte_letters_is_guessed() {
        let bytes = b"navn;by\nK\xE5re;\xC5lesund\nS\xF8ren;Troms\xF8\n";
        let (encoding, _) = detect(bytes, true, None);
        assert_eq!(all(bytes, encoding).0, "navn;by\nKåre;Ålesund\nSøren;Tromsø\n");
    }

    #[test]
    fn a_lone_surrogate_is_replaced_and_remembered() {
        let mut bytes = utf16("ab", false);
        bytes.extend([0x00, 0xD8]);
        bytes.extend(utf16("c", false));
        assert_eq!(all(&bytes, TextEncoding::UTF_16LE), ("ab\u{fffd}c".to_owned(), true));
        assert!(!all(&utf16("ab", false), TextEncoding::UTF_16LE).1);
    }

    #[test]
    fn a_line_of_nothing_but_lost_bytes_takes_no_memory() {
        let bytes: Vec<u8> = [0x00, 0xD8, 0x61, 0x00].repeat(100_000);
        let mut decoded = Decoded::new(bytes.as_slice(), TextEncoding::UTF_16LE);
        let mut out = Vec::new();
        while decoded.fill(&mut out).unwrap() {
            assert!(decoded.transcoder.as_ref().unwrap().malformed.len() <= MOST_MALFORMED);
        }
        assert!(decoded.malformed_within(0, 1), "each by itself as long as they are few");
        assert!(!decoded.malformed_within(1, 4) && decoded.malformed_within(4, 5));
        assert!(decoded.malformed_within(300_000, 300_001) && decoded.malformed_within(300_001, u64::MAX));
        assert!(!decoded.malformed_within(0, u64::MAX));
    }

    #[test]
    fn spreadsheets_and_archives_are_refused_in_words() {
        for (magic, _) in NOT_TEXT {
            let mut bytes = magic.to_vec();
            bytes.extend(b"91AY&SY");
            let error = refuse_binary(&bytes).unwrap_err();
            assert_eq!(error.violations()[0].field, "file");
        }
        refuse_binary(b"BZhub,name\n").unwrap();
    }
}
