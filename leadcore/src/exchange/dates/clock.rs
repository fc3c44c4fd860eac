//! The time of day behind a date, and its zone.

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) second: u32,
    pub(super) micros: u32,
    /// Minutes east of UTC.
    pub(super) zone: Option<i32>,
}

/// `14:05`, `2:05:09.5 PM +02:00`, `T14:05:00Z`
pub(super) fn clock(text: &str) -> Option<Clock> {
    let text = text.strip_prefix(['T', 't']).unwrap_or(text).trim();
    let text = text.strip_prefix("at ").or_else(|| text.strip_prefix("kl. ")).unwrap_or(text).trim_start();
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.'))).unwrap_or(text.len());
    let (digits, mut rest) = text.split_at_checked(end)?;
    let mut fields = digits.split(':');
    let mut clock =
        Clock { hour: small(fields.next()?)?, minute: small(fields.next()?)?, ..Clock::default() };
    if let Some(seconds) = fields.next() {
        let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
        clock.second = small(whole)?;
        if !fraction.is_empty() {
            let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
            clock.micros = digits.parse().ok()?;
        }
    }
    if fields.next().is_some() {
        return None;
    }
    rest = rest.trim_start();
    if let Some(half) = rest.get(..2).map(str::to_ascii_lowercase).filter(|half| half == "am" || half == "pm")
    {
        if !(1..=12).contains(&clock.hour) {
            return None;
        }
        clock.hour = clock.hour % 12 + if half == "pm" { 12 } else { 0 };
        rest = rest.get(2..)?.trim_start();
    }
    clock.zone = match rest {
        "" => None,
        "Z" | "z" | "UTC" | "GMT" => Some(0),
        offset => Some(zone(offset)?),
    };
    (clock.hour < 24 && clock.minute < 60 && clock.second < 60).then_some(clock)
}

fn small(digits: &str) -> Option<u32> {
    (1..=2).contains(&digits.len()).then(|| digits.parse().ok()).flatten()
}

/// `+02:00`, `-0330`, `+2`
fn zone(text: &str) -> Option<i32> {
    let (sign, digits) = match text.strip_prefix('+') {
        Some(digits) => (1, digits),
        None => (-1, text.strip_prefix(['-', '\u{2212}'])?),
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let (hours, minutes) = (small(hours)?, small(minutes)?);
    let minutes = i32::try_from(hours * 60 + minutes).ok().filter(|_| hours <= 18 && minutes < 60)?;
    Some(sign * minutes)
}
