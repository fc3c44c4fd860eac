//! Plans in files: one line of JSON for each record.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};

use super::{PlanSummary, PlannedLine, VERSION};
use crate::error::{Error, ErrorKind, Result, ViolationCode};
use crate::exchange::import::{ImportOptions, to_json};

/// The first line of a stored plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::exchange::import) struct Head {
    pub(in crate::exchange::import) version: u32,
    pub(in crate::exchange::import) options: ImportOptions,
    pub(in crate::exchange::import) digest: String,
}

impl Head {
    /// Refuses plans of another form.
    pub(in crate::exchange::import) fn check(&self) -> Result<()> {
        if self.version == VERSION {
            return Ok(());
        }
        let message = "the plan was made by another version: plan the import again";
        Err(Error::invalid_field("plan.version", ViolationCode::NotAllowed, message))
    }
}

/// A stored plan, read line by line.
pub(in crate::exchange::import) struct Stored<R> {
    pub(in crate::exchange::import) head: Head,
    input: R,
    text: String,
    pub(super) at: u64,
    pub(super) summary: Option<PlanSummary>,
}

impl<R: BufRead> Stored<R> {
    pub(in crate::exchange::import) fn open(mut input: R) -> Result<Self> {
        let mut text = String::new();
        input.read_line(&mut text).map_err(unreadable)?;
        let head: Head =
            serde_json::from_str(&text).map_err(|_| broken(1, "this is no plan of an import"))?;
        head.check()?;
        Ok(Self { head, input, text, at: 1, summary: None })
    }

    /// Reads the rest of it: each line, their order, the sums behind them, and that there is nothing more. Returns the sums.
    pub(in crate::exchange::import) fn check(
        mut self,
        mut each: impl FnMut(&PlannedLine) -> Result<()>,
    ) -> Result<PlanSummary> {
        let mut last = 0;
        while let Some(line) = self.read()? {
            if line.number <= last {
                return Err(broken(self.at, OUT_OF_ORDER));
            }
            last = line.number;
            each(&line)?;
        }
        let Some(summary) = self.summary.take() else { return Err(broken(self.at, ENDS_EARLY)) };
        if summary.report.digest != self.head.digest {
            return Err(broken(self.at, "these are the sums of another plan"));
        }
        loop {
            self.text.clear();
            self.at = self.at.saturating_add(1);
            if self.input.read_line(&mut self.text).map_err(unreadable)? == 0 {
                return Ok(summary);
            }
            if !self.text.trim().is_empty() {
                return Err(broken(self.at, "the plan ended before this line"));
            }
        }
    }

    fn read(&mut self) -> Result<Option<PlannedLine>> {
        if self.summary.is_some() {
            return Ok(None);
        }
        self.text.clear();
        self.at = self.at.saturating_add(1);
        if self.input.read_line(&mut self.text).map_err(unreadable)? == 0 {
            return Err(broken(self.at, ENDS_EARLY));
        }
        if let Ok(line) = serde_json::from_str(&self.text) {
            return Ok(Some(line));
        }
        let summary = serde_json::from_str(&self.text);
        self.summary =
            Some(summary.map_err(|_| {
                broken(self.at, "this is no line of a plan, or it has a key that no plan has")
            })?);
        Ok(None)
    }
}

impl<R: BufRead> Iterator for Stored<R> {
    type Item = Result<PlannedLine>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

pub(super) fn broken(line: u64, message: &str) -> Error {
    Error::invalid_field(format!("plan line {line}"), ViolationCode::Malformed, message)
}

pub(in crate::exchange::import) fn unreadable(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, "cannot read the plan").with_source(error)
}

/// Writes a value as one line of JSON.
pub(in crate::exchange::import) fn write_line(out: &mut dyn Write, value: &impl Serialize) -> Result<()> {
    let mut json = to_json(value)?;
    json.push('\n');
    out.write_all(json.as_bytes())
        .map_err(|error| Error::new(ErrorKind::Storage, "cannot write the plan").with_source(error))
}

pub(super) const ENDS_EARLY: &str = "the plan ends early";
const OUT_OF_ORDER: &str = "the lines of a plan stand in the order of the file, each once";

/// Refuses lines that are not in the order of the file: some of them would be passed over.
pub(in crate::exchange::import) fn check_lines(lines: &[PlannedLine]) -> Result<()> {
    let fault = lines.windows(2).position(|pair| matches!(pair, [a, b] if a.number >= b.number));
    fault.map_or(Ok(()), |at| {
        let field = format!("plan.lines[{}]", at.saturating_add(1));
        Err(Error::invalid_field(field, ViolationCode::Malformed, OUT_OF_ORDER))
    })
}

/// What is wrong with a text that is no plan.
pub(super) fn faulty(text: &str) -> Error {
    let plan: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let lines = plan.as_ref().and_then(|plan| plan.get("lines")?.as_array());
    let fault = lines.and_then(|lines| lines.iter().position(|line| PlannedLine::deserialize(line).is_err()));
    let (field, message) = match fault {
        Some(at) => {
            (format!("plan.lines[{at}]"), "this is no line of a plan, or it has a key that no plan has")
        }
        None => ("plan".to_owned(), "this is no plan of an import, or it has a key that no plan has"),
    };
    Error::invalid_field(field, ViolationCode::Malformed, message)
}
