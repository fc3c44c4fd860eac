//! Whether a text was written in an encoding that is never guessed: that of old Macs, or of DOS and Windows consoles.
//!
//! Their letters lie where Windows has signs and control characters. So bytes between ASCII letters are looked at: in the
//! right encoding each is a letter that may stand there.

use std::cmp::Ordering;

use encoding_rs::Encoding;
use serde::{Deserialize, Serialize};

use super::decode::TextEncoding;

/// An encoding that the letters of a file look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EncodingDoubt {
    /// That of old Macs: `macintosh`.
    Macintosh,
    /// One of DOS and of Windows consoles: code page 437, 850 and the like. No file is read so: it must be converted.
    Dos,
    /// Either of them.
    MacintoshOrDos,
}

impl EncodingDoubt {
    /// What to do about it.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Macintosh => {
                "its letters look like those of another encoding: look at them, and say the encoding `macintosh` if so"
            }
            Self::Dos => {
                "its letters look like those of a DOS code page (437, 850): look at them, and convert the file to UTF-8 if so"
            }
            Self::MacintoshOrDos => {
                "its letters look like those of another encoding: look at them, and say the encoding `macintosh`, or \
                 convert the file to UTF-8 from a DOS code page (437, 850)"
            }
        }
    }
}

/// What the upper half of code page 850 holds; the letters of page 437 lie in the same places.
const DOS: &str = "\
ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ\
     áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
     └┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀\
     ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

/// So many letters are looked at.
const ENOUGH: usize = 10_000;
/// What people do write inside words: apostrophes, dashes, dots, hyphens.
const MARKS: &str = "\u{2019}\u{2018}\u{2013}\u{2014}\u{2026}\u{ad}\u{b7}";

/// Which other encoding the letters of a sample look like, that was taken for text in this one.
pub(super) fn of(sample: &[u8], encoding: TextEncoding) -> Option<EncodingDoubt> {
    let guessed = encoding.encoding();
    let guess = if guessed.is_single_byte() {
        upper_half(guessed)
    } else if !encoding_is_unicode(guessed) && stands_alone(sample) {
        // No letter of Latin text stands alone in an encoding of two bytes a letter.
        Vec::new()
    } else {
        return None;
    };
    let mac = upper_half(encoding_rs::MACINTOSH);
    let dos: Vec<char> = DOS.chars().collect();
    let (mut seen, mut good) = (0_usize, [0_usize; 3]);
    for three in sample.windows(3) {
        let [before, byte, behind] = three else { continue };
        if byte.is_ascii() || !before.is_ascii_alphabetic() || !behind.is_ascii_alphabetic() {
            continue;
        }
        let place = usize::from(*byte & 0x7f);
        if guess.get(place).is_some_and(|c| MARKS.contains(*c)) {
            continue;
        }
        seen += 1;
        for (good, table) in good.iter_mut().zip([&guess, &mac, &dos]) {
            *good += usize::from(table.get(place).is_some_and(|c| fits(*before, *c, *behind)));
        }
        if seen >= ENOUGH {
            break;
        }
    }
    let [guess, mac, dos] = good;
    let best = mac.max(dos);
    if seen == 0 || guess * 2 > seen || best * 10 < seen * 9 {
        return None;
    }
    Some(match mac.cmp(&dos) {
        Ordering::Greater => EncodingDoubt::Macintosh,
        Ordering::Less => EncodingDoubt::Dos,
        Ordering::Equal => EncodingDoubt::MacintoshOrDos,
    })
}

fn encoding_is_unicode(encoding: &'static Encoding) -> bool {
    [encoding_rs::UTF_8, encoding_rs::UTF_16LE, encoding_rs::UTF_16BE].contains(&encoding)
}

/// Whether hardly a byte that is no ASCII has one beside it.
fn stands_alone(sample: &[u8]) -> bool {
    let (mut all, mut alone) = (0_usize, 0_usize);
    for three in sample.windows(3) {
        let [before, byte, behind] = three else { continue };
        all += usize::from(!byte.is_ascii());
        alone += usize::from(!byte.is_ascii() && before.is_ascii() && behind.is_ascii());
    }
    alone * 10 >= all * 9
}

/// Whether this may stand inside a word: a small letter, or a capital one among capital ones.
fn fits(before: u8, letter: char, behind: u8) -> bool {
    let is_capital = letter.is_uppercase() && before.is_ascii_uppercase() && behind.is_ascii_uppercase();
    // Ordinals and the sign of the guilder are no letters of words.
    letter.is_alphabetic()
        && !"\u{aa}\u{ba}\u{192}".contains(letter)
        && (!letter.is_uppercase() || is_capital)
}

/// The characters of the bytes from 128 on.
fn upper_half(encoding: &'static Encoding) -> Vec<char> {
    let read = |byte: u8| encoding.decode_without_bom_handling(&[byte]).0.chars().next();
    (128..=255).map(|byte| read(byte).unwrap_or('\u{fffd}')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::decode::detect;

    fn dos(text: &str) -> Vec<u8> {
        let table: Vec<char> = DOS.chars().collect();
        assert_eq!(table.len(), 128);
        let byte = |c: char| match table.iter().position(|known| *known == c) {
            Some(place) => u8::try_from(place + 128).unwrap(),
            None => u8::try_from(c).unwrap(),
        };
        text.chars().map(byte).collect()
    }

    fn doubted(bytes: &[u8]) -> Option<EncodingDoubt> {
        of(bytes, detect(bytes, true, None).0)
    }

    #[test]
    fn letters_in_the_wrong_places_are_told() {
        let mac = |text: &str| encoding_rs::MACINTOSH.encode(text).0.into_owned();
        let windows = |text: &str| encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
        let german = "Name;Ort\nJürgen Müller;Düsseldorf\nGünther;Köln\n";
        let norse = "Navn;By\nSøren Bjørnson;Tønsberg\nKåre Håland;Måløy\n";
        let french = "Nom;Ville\nHélène Lefèvre;Orléans\nFrançois Bénard;Besançon\n";
        for table in [german, norse, french] {
            assert_eq!(doubted(&dos(table)), Some(EncodingDoubt::Dos), "{table}");
        }
        for table in [norse, french] {
            let guessed = detect(&mac(table), true, None);
            assert_eq!(doubted(&mac(table)), Some(EncodingDoubt::Macintosh), "{table}: {guessed:?}");
        }
        let marks = "Nom\nl’été d’Anna €\nDušan – ou l’autre…\n";
        let capitals = "NAVN\nBJØRNSON\nMÜLLER\n";
        for table in [german, norse, french, marks, capitals, "Name\nAnna\n", "Цена;Имя\nодин;Анна\n"]
        {
            assert_eq!(doubted(table.as_bytes()), None, "{table}");
            assert_eq!(doubted(&windows(table)), None, "{table}");
        }
        let cyrillic = encoding_rs::WINDOWS_1251.encode("Цена;Имя\nодин;Анна\n").0.into_owned();
        assert_eq!(doubted(&cyrillic), None);
    }
}
