//! Numbers of old workbooks that are shown with zeros before them, such as zip codes: their formats, which the parser keeps to
//! itself.

use std::collections::HashMap;

use super::ole::{records, u16_at, u32_at, workbook};

/// No spreadsheet takes a longer number format.
const LONGEST: usize = 255;

/// A workbook with such formats.
pub(super) struct Padded {
    stream: Vec<u8>,
    /// Where its worksheets begin.
    starts: Vec<u32>,
    /// The format of each style, where it shows zeros before a number.
    styles: Vec<Option<String>>,
}

/// The styles of the cells of one sheet that have such formats, by row and column from 0.
pub(super) type Styles = HashMap<(u32, u32), u16>;

impl Padded {
    /// Nothing where there are none, or where the file cannot be read so: the parser judges it.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let stream = workbook(bytes)?;
        let (mut formats, mut styles, mut starts) = (HashMap::new(), Vec::new(), Vec::new());
        for (kind, data) in records(&stream).take_while(|(kind, _)| *kind != 0x000A) {
            match kind {
                // Before Excel 97 texts are written otherwise.
                0x0809 if u16_at(data, 0) != Some(0x0600) => return None,
                0x041E => formats.extend(u16_at(data, 0).zip(format(data))),
                0x00E0 => styles.extend(u16_at(data, 2)),
                // Worksheets; charts are none.
                0x0085 if data.get(5) == Some(&0) => starts.extend(u32_at(data, 0)),
                _ => {}
            }
        }
        let styles: Vec<Option<String>> = styles.iter().map(|format| formats.get(format).cloned()).collect();
        styles.iter().any(Option::is_some).then_some(Self { stream, starts, styles })
    }

    /// Those of a worksheet.
    pub(super) fn sheet(&self, sheet: usize) -> Styles {
        let start = self.starts.get(sheet).map_or(usize::MAX, |start| *start as usize);
        cells(self.stream.get(start..).unwrap_or_default(), &self.styles)
    }

    /// The format of a style.
    pub(super) fn format(&self, style: u16) -> Option<&str> {
        self.styles.get(usize::from(style))?.as_deref()
    }
}

/// A format of nothing but zeros and what stands between them.
fn format(data: &[u8]) -> Option<String> {
    let length = usize::from(u16_at(data, 2)?);
    let wide = data.get(4)? & 1 == 1;
    let text: String = if wide {
        let units = (0..length).map_while(|n| u16_at(data, 5 + 2 * n)).map(u32::from);
        units.map(|unit| char::from_u32(unit).unwrap_or('?')).collect()
    } else {
        data.get(5..5 + length)?.iter().map(|byte| char::from(*byte)).collect()
    };
    let zeros = text.bytes().filter(|byte| *byte == b'0').count();
    (zeros > 1 && text.len() <= LONGEST && text.bytes().all(|byte| b"0-\\ ".contains(&byte))).then_some(text)
}

fn cells(sheet: &[u8], styles: &[Option<String>]) -> Styles {
    let (mut depth, mut found) = (0_usize, Styles::new());
    for (kind, data) in records(sheet) {
        match kind {
            0x0809 => depth += 1,
            0x000A if depth <= 1 => break,
            0x000A => depth -= 1,
            _ => {}
        }
        let number = |at: usize| u16_at(data, at).map(u32::from);
        let (Some(row), Some(first)) = (number(0), number(2)) else { continue };
        let (each, count) = match kind {
            // A number, in one of two ways, and a formula.
            0x0203 | 0x027E | 0x0006 => (0, 1),
            // Several numbers.
            0x00BD => (6, data.len().saturating_sub(6) / 6),
            _ => continue,
        };
        for n in 0..count {
            let style = u16_at(data, 4 + each * n);
            let style = style.filter(|style| matches!(styles.get(usize::from(*style)), Some(Some(_))));
            if let (Some(style), Ok(n)) = (style, u32::try_from(n)) {
                found.insert((row, first + n), style);
            }
        }
    }
    found
}
