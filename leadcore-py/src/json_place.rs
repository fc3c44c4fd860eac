//! Where in a JSON text a reader stopped.

use serde_json::error::Category;

/// What the reader is in.
enum Frame {
    Object { key: Option<String>, wants_key: bool },
    Array(usize),
}

/// The place that cannot be read, as a path: `account.new.fields.emails[0].value`. None for what is no JSON, for the whole, and for
/// a name that no field has: that is the caller's own text.
pub(crate) fn of(json: &str, error: &serde_json::Error) -> Option<String> {
    if !is_misfit(json, error) {
        return None;
    }
    let before = json.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let read = json.as_bytes().iter().take(before.saturating_add(error.column()));
    let mut frames = frames(read.copied());
    // The name of a field that is not there is the caller's own text.
    if let Some(Frame::Object { key, .. }) =
        frames.last_mut().filter(|_| error.to_string().starts_with("unknown field"))
    {
        *key = None;
    }
    let place = named(&frames);
    // Its object has ended. A name that is missed is our own.
    let said = error.to_string();
    let Some(missing) = said.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) else {
        return place;
    };
    Some(place.map_or_else(|| missing.to_owned(), |place| format!("{place}.{missing}")))
}

/// Whether a text is JSON of another form than was asked for. Where one of several names is asked for, the reader calls what is
/// neither a text nor an object no JSON.
pub(crate) fn is_misfit(json: &str, error: &serde_json::Error) -> bool {
    match error.classify() {
        Category::Data => true,
        Category::Syntax => serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok(),
        _ => false,
    }
}

fn frames(mut read: impl Iterator<Item = u8>) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some(byte) = read.next() {
        match (byte, frames.last_mut()) {
            (b'{', _) => frames.push(Frame::Object { key: None, wants_key: true }),
            (b'[', _) => frames.push(Frame::Array(0)),
            (b'}' | b']', _) => {
                frames.pop();
            }
            (b',', Some(Frame::Array(n))) => *n = n.saturating_add(1),
            (b',', Some(Frame::Object { wants_key, .. })) => *wants_key = true,
            (b'"', frame) => {
                let told = text(&mut read);
                if let Some(Frame::Object { key, wants_key: wants_key @ true }) = frame {
                    (*key, *wants_key) = (Some(told), false);
                }
            }
            _ => {}
        }
    }
    frames
}

/// The rest of a text, without what its escapes mean.
fn text(read: &mut impl Iterator<Item = u8>) -> String {
    let mut told = String::new();
    while let Some(byte) = read.next() {
        match byte {
            b'"' => break,
            b'\\' => {
                read.next();
                told.push('\\');
            }
            other => told.push(char::from(other)),
        }
    }
    told
}

fn named(frames: &[Frame]) -> Option<String> {
    let is_name = |key: &str| {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        key.len() <= 64 && key.starts_with(|c: char| c.is_ascii_lowercase()) && key.chars().all(letter)
    };
    let mut path = String::new();
    for frame in frames {
        match frame {
            Frame::Array(n) => path.push_str(&format!("[{n}]")),
            Frame::Object { key: Some(key), .. } if is_name(key) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
            Frame::Object { .. } => break,
        }
    }
    (!path.is_empty()).then_some(path)
}
