//! A report as text.

use std::fmt;

use super::super::{columns, stage_kinds};
use super::ImportReport;
use crate::exchange::FileKind;

/// How many of the lines that it lists it prints.
const PRINTED: usize = 10;

impl ImportReport {
    fn write_counts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in [
            ("lines", self.lines),
            ("created", self.created),
            ("updated", self.updated),
            ("skipped", self.skipped),
        ] {
            writeln!(f, "{what:<10} {count}")?;
        }
        for (reason, count) in &self.skips {
            writeln!(f, "{:<10} {count}: {}", "", reason.message())?;
        }
        if self.review > 0 {
            writeln!(f, "{:<10} {} may mean several leads", "review", self.review)?;
        }
        writeln!(f, "{:<10} {}", "rejected", self.rejected)?;
        if self.resumed_after > 0 {
            writeln!(f, "{:<10} {} were done by an earlier run", "of these", self.resumed_after)?;
        }
        if self.done_elsewhere > 0 {
            writeln!(f, "{:<10} {} were done by another run meanwhile", "of these", self.done_elsewhere)?;
        }
        if self.blanked > 0 {
            writeln!(f, "{:<10} {} cells that say nothing", "left out", self.blanked)?;
        }
        Ok(())
    }

    fn write_lines(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unrecognisable > 0 {
            let lines: Vec<_> =
                self.unrecognisable_lines.iter().take(PRINTED).map(ToString::to_string).collect();
            let more = if self.unrecognisable > PRINTED as u64 { " …" } else { "" };
            writeln!(
                f,
                "warning    {} created without external id, e-mail or phone: a changed file would create them once \
                 more (lines {}{more})",
                self.unrecognisable,
                lines.join(", ")
            )?;
        }
        if self.unknown_numbers > 0 {
            let lines: Vec<_> =
                self.unknown_number_lines.iter().take(PRINTED).map(ToString::to_string).collect();
            let more = if self.unknown_numbers > PRINTED as u64 { " …" } else { "" };
            writeln!(
                f,
                "note       {} created from rows with a number that no lead here has: they got numbers of their own \
                 (lines {}{more})",
                self.unknown_numbers,
                lines.join(", ")
            )?;
        }
        if self.duplicates > 0 {
            let lines: Vec<_> = self.duplicate_lines.iter().take(PRINTED).map(ToString::to_string).collect();
            let more = if self.duplicates > PRINTED as u64 { " …" } else { "" };
            writeln!(
                f,
                "note       {} met the lead of an earlier row of this file (lines {}{more})",
                self.duplicates,
                lines.join(", ")
            )?;
        }
        for review in &self.reviews {
            let numbers: Vec<_> = review.candidates.iter().map(|(_, number)| number.to_string()).collect();
            writeln!(
                f,
                "line {:<5} `{}`: may mean the leads {}",
                review.line,
                review.matched_by,
                numbers.join(", ")
            )?;
        }
        for rejection in &self.rejections {
            write!(f, "line {:<5} `{}`: {}", rejection.line, rejection.field, rejection.message)?;
            match &rejection.owner {
                Some(owner) => writeln!(f, " (its owner is {owner})")?,
                None => writeln!(f)?,
            }
        }
        for told in self.left_out_values.iter().take(PRINTED) {
            writeln!(f, "line {:<5} `{}` was left out: {}", told.line, told.field, told.message)?;
        }
        if self.left_out > PRINTED as u64 {
            writeln!(f, "{:<10} {} values were left out", "together", self.left_out)?;
        }
        if self.rejections_left_out > 0 {
            writeln!(f, "and {} more rejected lines", self.rejections_left_out)?;
        }
        Ok(())
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = &self.format;
        writeln!(f, "read as    {format}")?;
        if self.lines == 0 {
            writeln!(f, "no rows    nothing stands below the header")?;
        }
        let of = if format.kind == FileKind::VCard { "card" } else { "row" };
        for (property, count) in &format.left_out {
            let s = if *count == 1 { "" } else { "s" };
            writeln!(f, "left out   {property} in {count} {of}{s}")?;
        }
        if self.repeated {
            writeln!(f, "this file was imported before: nothing was written")?;
        }
        self.write_counts(f)?;
        columns::write_source(f, self.mapped_as.as_ref(), self.read_anew)?;
        columns::write(f, &self.mapping, &self.notes)?;
        columns::write_not_said(f, &self.not_said)?;
        for (field, names) in &self.new_values {
            writeln!(f, "new        {field}: {}", stage_kinds::in_words(field, names, &self.new_stages))?;
        }
        self.write_lines(f)?;
        if let Some(earlier) = &self.earlier {
            writeln!(f, "when it was imported:")?;
            earlier.write_counts(f)?;
            earlier.write_lines(f)?;
        }
        Ok(())
    }
}
