//! Tables for a terminal.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;

use leadcore::desk::board::Board;
use leadcore::desk::timeline::TimelineItem;
use leadcore::exchange::import::ImportReport;
use leadcore::prelude::*;

/// A file that is made with its first byte: an import that has nothing to reject leaves an earlier one alone.
pub(crate) struct WhenNeeded {
    path: &'static str,
    file: Option<File>,
}

impl WhenNeeded {
    pub(crate) fn new(path: &'static str) -> Self {
        Self { path, file: None }
    }
}

impl Write for WhenNeeded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.file.is_none() {
            self.file = Some(File::create(self.path)?);
        }
        self.file.as_mut().map_or(Ok(0), |file| file.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

pub(crate) fn title(text: &str) {
    println!("\n== {text}");
}

/// At most `width` characters of a text, filled up with blanks.
fn cell(text: &str, width: usize) -> String {
    let mut short: String =
        text.chars().take(width).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if text.chars().count() > width {
        short.pop();
        short.push('…');
    }
    format!("{short:<width$}")
}

pub(crate) fn name(lead: &Lead) -> String {
    let name = lead.fields.display_name().unwrap_or("(no name)");
    format!("#{} {name}", lead.number)
}

/// The report, with rejections grouped by reason instead of line by line.
pub(crate) fn report(report: &ImportReport) -> String {
    let mut grouped = report.clone();
    let mut reasons: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
    for rejection in grouped.rejections.drain(..) {
        reasons.entry((rejection.field, rejection.message)).or_default().push(rejection.line);
    }
    let mut text = grouped.to_string();
    for ((field, message), lines) in reasons {
        let some: Vec<_> = lines.iter().take(5).map(u64::to_string).collect();
        let more = if lines.len() > some.len() { " …" } else { "" };
        text.push_str(&format!(
            "{:>5} x `{field}`: {message} (line {}{more})\n",
            lines.len(),
            some.join(", ")
        ));
    }
    text
}

pub(crate) fn board(board: &Board) {
    println!("{}  {:>6}  first cards", cell("status", 20), "leads");
    for column in &board.columns {
        let cards: Vec<_> = column.cards.iter().map(name).collect();
        println!("{}  {:>6}  {}", cell(&column.stage.name, 20), column.count, cell(&cards.join(" | "), 70));
    }
}

pub(crate) fn leads(leads: &[Lead]) {
    println!("{:>6}  {}  {}  {}", "number", cell("name", 32), cell("e-mail", 36), cell("city", 12));
    for lead in leads {
        let fields = &lead.fields;
        println!(
            "{:>6}  {}  {}  {}",
            lead.number,
            cell(fields.display_name().unwrap_or("(no name)"), 32),
            cell(fields.emails.primary().map_or("", |email| email.as_str()), 36),
            cell(fields.address.city().unwrap_or(""), 12)
        );
    }
}

pub(crate) fn timeline(items: &[TimelineItem]) {
    println!("{}  {}  {}  what", cell("when", 20), cell("who", 8), cell("in", 8));
    for TimelineItem { entry, text, .. } in items {
        let at = entry.at.to_datetime().format("%Y-%m-%d %H:%M:%S").to_string();
        println!(
            "{}  {}  {}  {text}",
            cell(&at, 20),
            cell(&entry.actor.to_string(), 8),
            cell(entry.operation_kind.code(), 8)
        );
    }
}
