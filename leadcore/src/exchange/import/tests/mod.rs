//! Imports into memory: what becomes of each line, and that nothing is lost or done twice.

mod again;
mod apart;
mod back;
mod batches;
#[cfg(feature = "vcard")]
mod cards;
mod consent;
mod corrected;
mod disqualified;
mod dressed;
mod dry;
mod edits;
mod effort;
mod ends;
mod faults;
mod files;
mod formats;
mod held;
mod keys;
mod known;
mod links;
mod links_edited;
mod links_elsewhere;
mod links_refused;
mod money;
mod numbers;
mod odd;
mod odd_lines;
mod plans;
mod policies;
mod reading;
mod refused;
mod report;
mod returned;
mod round;
mod rows;
mod said;
mod same;
mod stages;
mod stages_back;
mod systems;
mod trust;
mod whose;

use std::io::Cursor;
use std::ops::ControlFlow;

use crate::context::Context;
use crate::domain::{Actor, Lead};
use crate::error::Result;
use crate::exchange::export::{ExportFormat, ExportOptions, Exported, Extent, export};
use crate::exchange::import::{
    self, ImportOptions, ImportPlan, ImportReport, ImportSink, LineOutcome, Outcome, Progress,
};
use crate::id::SequentialIds;
use crate::memory::MemoryStore;
use crate::policy::{AllowAll, Policy};
use crate::query::{Filter, LeadScan, Sort, SortField};
use crate::store::{Store, StoreExt};
use crate::time::ManualClock;

/// A tenant with everything a context needs.
pub(super) struct Host {
    pub(super) store: MemoryStore,
    clock: ManualClock,
    ids: SequentialIds,
}

/// The formats that this build writes and reads.
pub(super) fn formats() -> impl Iterator<Item = ExportFormat> {
    let has_sheets = cfg!(all(feature = "sheets", feature = "xlsx"));
    ExportFormat::ALL.into_iter().filter(move |format| has_sheets || *format != ExportFormat::Xlsx)
}

impl Host {
    pub(super) fn new() -> Self {
        Self { store: MemoryStore::new(), clock: ManualClock::default(), ids: SequentialIds::new(1) }
    }

    /// A tenant elsewhere, where no lead has the id of one here.
    pub(super) fn elsewhere() -> Self {
        Self { ids: SequentialIds::new(1_000_000), ..Self::new() }
    }

    pub(super) fn ctx<'a>(&'a self, actor: Actor, policy: &'a dyn Policy) -> Context<'a> {
        Context::new(&"acme".parse().unwrap(), actor, &self.clock, &self.ids, policy)
    }

    pub(super) fn system(&self) -> Context<'_> {
        self.ctx(Actor::System, &AllowAll)
    }

    pub(super) fn run(&self, file: impl Into<Vec<u8>>) -> ImportReport {
        self.run_with(file, &ImportOptions::new())
    }

    pub(super) fn run_with(&self, file: impl Into<Vec<u8>>, options: &ImportOptions) -> ImportReport {
        self.hear(&self.store, file, options, &mut Heard::default()).unwrap()
    }

    pub(super) fn hear(
        &self,
        store: &dyn Store,
        file: impl Into<Vec<u8>>,
        options: &ImportOptions,
        heard: &mut Heard,
    ) -> Result<ImportReport> {
        let report = import::run(&self.system(), store, Cursor::new(file.into()), options, None, heard)?;
        accounted(&report);
        Ok(report)
    }

    pub(super) fn dry(&self, file: impl Into<Vec<u8>>, options: &ImportOptions) -> ImportReport {
        let input = Cursor::new(file.into());
        let report = import::dry_run(&self.system(), &self.store, input, options, &mut ()).unwrap();
        accounted(&report);
        report
    }

    pub(super) fn leads(&self) -> Vec<Lead> {
        let filter = Filter::everything().resolve(&self.system().asker()).unwrap();
        let sort = Sort::ascending(SortField::Number);
        let scan = LeadScan { filter, trashed: false, sort, limit: 100_000, after: None };
        self.store.read(self.system().tenant(), |txn| txn.leads().scan(&scan)).unwrap()
    }

    pub(super) fn plan(&self, file: impl Into<Vec<u8>>, options: &ImportOptions) -> ImportPlan {
        import::plan(&self.system(), &self.store, Cursor::new(file.into()), options, &mut ()).unwrap()
    }

    pub(super) fn apply(&self, plan: &ImportPlan, file: impl Into<Vec<u8>>) -> ImportReport {
        let input = Cursor::new(file.into());
        let report = import::apply(&self.system(), &self.store, plan, input, None, &mut ()).unwrap();
        accounted(&report);
        report
    }

    pub(super) fn exported(&self, options: &ExportOptions) -> (Vec<u8>, Exported) {
        let ctx = self.system();
        let everything = Extent::Filter(Filter::everything());
        let done = self.store.read(ctx.tenant(), |txn| {
            let mut file = Vec::new();
            let done = export(&ctx, txn, &everything, options, &mut file)?;
            Ok((file, done))
        });
        done.unwrap()
    }

    /// Everything that the store holds, in words.
    pub(super) fn dump(&self) -> String {
        format!("{:?}", self.store)
    }
}

pub(super) fn accounted(report: &ImportReport) {
    let sum = report.created + report.updated + report.skipped + report.review + report.rejected;
    assert_eq!(sum, report.lines, "{report}");
    assert_eq!(report.skips.values().sum::<u64>(), report.skipped, "{report}");
    assert_eq!(report.repeated, report.earlier.is_some());
    assert_eq!(report.rejected, report.rejections.len() as u64 + report.rejections_left_out);
}

/// created, updated, skipped, rejected
pub(super) fn counts(report: &ImportReport) -> (u64, u64, u64, u64) {
    (report.created, report.updated, report.skipped, report.rejected)
}

/// A sink that remembers, and may stop after so many lines.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) lines: Vec<LineOutcome>,
    pub(super) steps: Vec<Progress>,
    pub(super) stop_after: Option<u64>,
}

impl ImportSink for Heard {
    fn line(&mut self, outcome: &LineOutcome) {
        self.lines.push(outcome.clone());
    }

    fn progress(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.steps.push(*progress);
        match self.stop_after {
            Some(lines) if progress.lines >= lines => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}

impl Heard {
    pub(super) fn words(&self) -> Vec<(u64, &'static str)> {
        let word = |outcome: &Outcome| match outcome {
            Outcome::Created { .. } => "created",
            Outcome::Updated { .. } => "updated",
            Outcome::Skipped { reason, .. } => reason.code(),
            Outcome::Review { .. } => "review",
            Outcome::Rejected { .. } => "rejected",
        };
        self.lines.iter().map(|heard| (heard.line, word(&heard.outcome))).collect()
    }
}
