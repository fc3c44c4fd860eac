//! How fast an import is and how long it still takes.

use std::time::Duration;

use super::outcome::Progress;
use super::records::Chunk;
use super::report::ImportReport;
use crate::context::Context;
use crate::time::Timestamp;

/// How fast an import is, by the clock of its context.
pub(super) struct Stopwatch<'a> {
    ctx: &'a Context<'a>,
    since: Timestamp,
    /// Bytes that were passed over.
    skipped: u64,
}

impl<'a> Stopwatch<'a> {
    pub(super) fn start(ctx: &'a Context<'a>) -> Self {
        Self { ctx, since: ctx.now(), skipped: 0 }
    }

    /// The first bytes were only passed over.
    pub(super) const fn skipped(&mut self, bytes: u64) {
        self.skipped = bytes;
    }

    pub(super) fn progress(&self, report: &ImportReport, chunk: &Chunk, total_bytes: u64) -> Progress {
        let bytes = chunk.bytes;
        let elapsed = self.ctx.now().since(self.since).to_std().unwrap_or_default();
        let rows = report.lines.saturating_sub(report.resumed_after).saturating_sub(report.done_elsewhere);
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        let rate = rows.saturating_mul(1_000_000).checked_div(micros).filter(|_| rows > 0);
        let (done, left) = (bytes.saturating_sub(self.skipped), total_bytes.saturating_sub(bytes));
        let remaining = match left {
            0 => Some(Duration::ZERO),
            _ => u128::from(micros)
                .saturating_mul(u128::from(left))
                .checked_div(u128::from(done))
                .map(|micros| Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))),
        };
        Progress {
            lines: report.lines,
            created: report.created,
            updated: report.updated,
            skipped: report.skipped,
            review: report.review,
            rejected: report.rejected,
            bytes,
            total_bytes,
            elapsed,
            rate,
            remaining: remaining.filter(|_| micros > 0),
        }
    }
}
