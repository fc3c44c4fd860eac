//! Punycode decoding (RFC 3492), so that `xn--` domains and their Unicode twins share one match key.

/// The longest label of a domain name (RFC 1035), which also bounds the work here.
const MAX_LABEL: usize = 63;

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;

/// Decodes what follows `xn--` in a label; nothing when it is not punycode of a non-ASCII label.
pub(crate) fn decode(encoded: &str) -> Option<String> {
    if encoded.len() > MAX_LABEL || !encoded.is_ascii() {
        return None;
    }
    let (basic, extended) = encoded.rsplit_once('-').unwrap_or(("", encoded));
    let mut output: Vec<char> = basic.chars().collect();
    let (mut code_point, mut position, mut bias) = (128_u32, 0_u32, 72_u32);
    let mut digits = extended.bytes().peekable();
    digits.peek()?;
    while digits.peek().is_some() {
        let start = position;
        let mut weight = 1_u32;
        let mut k = BASE;
        loop {
            let digit = digit(digits.next()?)?;
            position = position.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            k += BASE;
        }
        let length = u32::try_from(output.len()).ok()? + 1;
        bias = adapt(position - start, length, start == 0);
        code_point = code_point.checked_add(position / length)?;
        position %= length;
        output.insert(usize::try_from(position).ok()?, char::from_u32(code_point)?);
        position += 1;
    }
    Some(output.into_iter().collect())
}

fn digit(byte: u8) -> Option<u32> {
    match byte {
        b'a'..=b'z' => Some(u32::from(byte - b'a')),
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 26),
        _ => None,
    }
}

fn adapt(delta: u32, length: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / length;
    let mut k = 0;
    while delta > ((BASE - T_MIN) * T_MAX) / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decodes_known_labels() {
        // RFC 3492 section 7.1 and well-known domains.
        for (encoded, text) in [
            ("mnchen-3ya", "münchen"),
            ("bcher-kva", "bücher"),
            ("p1ai", "рф"),
            ("wgv71a119e", "日本語"),
            ("ihqwcrb4cv8a8dqg056pqjye", "他们为什么不说中文"),
            ("MajiKoi5-783gue6qz075azm5e", "MajiでKoiする5秒前"),
        ] {
            assert_eq!(decode(encoded).as_deref(), Some(text));
        }
    }

    #[test]
    fn refuses_what_is_not_punycode() {
        for encoded in ["", "abc-", "99999999", "a_b", "é"] {
            assert_eq!(decode(encoded), None, "{encoded}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(encoded in "[a-zA-Z0-9-]{0,70}") {
            let _ = decode(&encoded);
        }
    }
}
