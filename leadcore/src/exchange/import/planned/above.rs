//! What becomes of the lines of a plan once a person changed lines above them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Choice, Planned, PlannedLine};
use crate::id::LeadId;

/// Another line of the file, to whose lead a line links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LineLink {
    /// The line.
    pub line: u64,
    /// Whether the line that links to it is not taken without that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

impl LineLink {
    pub(in crate::exchange::import) const fn new(line: u64, required: bool) -> Self {
        Self { line, required }
    }
}

/// What becomes of a line of a plan, as far as that is known before it is planned again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LineAction {
    /// A lead is created.
    Create,
    /// A lead takes the row's values.
    Update,
    /// The lead says the same already.
    Unchanged,
    /// Nothing is written.
    Skip,
    /// A person has to say which lead is meant.
    Review,
    /// The line is not taken.
    Reject,
    /// Planned again it says so, and applied it is done.
    Open,
}

impl LineAction {
    /// Stable name: `create`, `open` …
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Unchanged => "unchanged",
            Self::Skip => "skip",
            Self::Review => "review",
            Self::Reject => "reject",
            Self::Open => "open",
        }
    }
}

impl PlannedLine {
    /// What becomes of the line, as far as that is known. `is_gone`: its [lead](Self::lead) is one that no line creates [any
    /// more](Self::gone), or it [links](Self::relinked) to one.
    ///
    /// ```
    /// use leadcore::exchange::import::{self, ImportOptions, LineAction, PlannedLine};
    /// use leadcore::prelude::*;
    /// let store = MemoryStore::new();
    /// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
    /// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
    /// let file = std::io::Cursor::new("Company,E-mail,City\nA,a@x.example,\nA,a@x.example,Oslo\n");
    /// let mut plan = import::plan(&ctx, &store, file, &ImportOptions::new(), &mut ())?;
    /// plan.skip(2)?;
    /// let gone = PlannedLine::gone(&plan.lines);
    /// let is_gone = |line: &PlannedLine| line.lead().is_some_and(|lead| gone.contains(&lead));
    /// let actions: Vec<_> = plan.lines.iter().map(|line| line.action(is_gone(line))).collect();
    /// assert_eq!(actions, [LineAction::Skip, LineAction::Open]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn action(&self, is_gone: bool) -> LineAction {
        let planned = match &self.decision {
            Planned::Create { .. } => LineAction::Create,
            Planned::Update { .. } => LineAction::Update,
            Planned::Unchanged { .. } => LineAction::Unchanged,
            Planned::Skip { .. } => LineAction::Skip,
            Planned::Review { .. } => LineAction::Review,
            Planned::Reject { .. } => LineAction::Reject,
        };
        let creates = planned == LineAction::Create;
        let is_known = match self.choice {
            Some(Choice::Skip) => return LineAction::Skip,
            choice if choice == self.made_with.choice => true,
            Some(Choice::Take(chosen)) => !creates && self.lead() == Some(chosen),
            // Nobody decides any more what a person decided before.
            choice => choice == Some(Choice::Create) && creates,
        };
        if is_known && !self.open && !is_gone { planned } else { LineAction::Open }
    }

    /// The lead that it creates or means.
    #[must_use]
    pub const fn lead(&self) -> Option<LeadId> {
        match self.decision {
            Planned::Create { lead, .. } | Planned::Update { lead, .. } | Planned::Unchanged { lead, .. } => {
                Some(lead)
            }
            Planned::Skip { lead, .. } => lead,
            Planned::Review { .. } | Planned::Reject { .. } => None,
        }
    }

    /// The lead that it would have created, where a person decided otherwise.
    #[must_use]
    pub const fn gives_up(&self) -> Option<LeadId> {
        match (&self.decision, self.choice) {
            (Planned::Create { lead, .. }, Some(Choice::Skip | Choice::Take(_))) => Some(*lead),
            _ => None,
        }
    }

    /// The leads that no line of a plan creates any more: a person decided otherwise about the line that would have, or took it
    /// out of the plan and left others that mean its lead.
    #[must_use]
    pub fn gone(lines: &[Self]) -> BTreeSet<LeadId> {
        let mut above = Above::default();
        let mut gone = BTreeSet::new();
        for line in lines {
            let is_gone = above.takes_away(line);
            gone.extend(line.means().filter(|_| is_gone));
        }
        gone.extend(above.gone);
        gone
    }

    /// The lines that link to others about which a person decided since they were planned, or which were taken out of the plan.
    ///
    /// ```
    /// use leadcore::domain::{Catalogue, CustomField, CustomType, SubjectKind};
    /// use leadcore::exchange::import::{self, ImportOptions, PlannedLine};
    /// use leadcore::prelude::*;
    /// let store = MemoryStore::new();
    /// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
    /// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
    /// let parent = CustomField::new("x_parent".parse()?, "Parent", CustomType::Link(SubjectKind::Lead));
    /// let mut catalogue = Catalogue::standard();
    /// catalogue.set_custom_field(parent);
    /// store.write(ctx.tenant(), |txn| leadcore::desk::settings::set_catalogue(&ctx, txn, None, &catalogue))?;
    /// let file = std::io::Cursor::new("External id,Company,x_parent\n1,A,\n2,B,1\n");
    /// let mut plan = import::plan(&ctx, &store, file, &ImportOptions::new(), &mut ())?;
    /// plan.skip(2)?;
    /// assert!(PlannedLine::relinked(&plan.lines).contains(&3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn relinked(lines: &[Self]) -> BTreeSet<u64> {
        let mut relinked = BTreeSet::new();
        if lines.iter().all(|line| line.links.is_empty()) {
            return relinked;
        }
        let mut by_line: BTreeMap<u64, Vec<(u64, bool)>> = BTreeMap::new();
        for (line, link) in lines.iter().flat_map(|line| line.links.iter().map(|link| (line.line, link))) {
            by_line.entry(link.line).or_default().push((line, link.required));
        }
        let kept: BTreeSet<u64> =
            lines.iter().filter(|line| line.is_decided()).map(|line| line.line).collect();
        let mut new: Vec<u64> = by_line.keys().filter(|line| !kept.contains(line)).copied().collect();
        while let Some(line) = new.pop() {
            for (from, required) in by_line.remove(&line).unwrap_or_default() {
                relinked.insert(from);
                // Without it, that one is not taken either.
                new.extend(required.then_some(from));
            }
        }
        relinked
    }

    /// The lead that it means of an earlier line, which may be one that this line creates.
    const fn means(&self) -> Option<LeadId> {
        match self.decision {
            Planned::Update { lead, number: None, .. } | Planned::Unchanged { lead, number: None } => {
                Some(lead)
            }
            Planned::Skip { lead, .. } => lead,
            _ => None,
        }
    }
}

/// What a person decided about the lines above.
#[derive(Debug, Default)]
pub(in crate::exchange::import) struct Above {
    /// Leads that they would have created, and do not.
    gone: BTreeSet<LeadId>,
    /// Between which lines records were taken out of the plan.
    missing: Vec<(u64, u64)>,
    /// Number and line of the last record.
    last: (u64, u64),
}

impl Above {
    /// Passes over a line, in their order: whether what it means of an earlier one is gone.
    pub(in crate::exchange::import) fn takes_away(&mut self, line: &PlannedLine) -> bool {
        let (number, before) = std::mem::replace(&mut self.last, (line.number, line.line));
        if line.number > number.saturating_add(1) {
            self.missing.push((before, line.line));
        }
        self.gone.extend(line.gives_up());
        let Some(lead) = line.means() else { return false };
        self.gone.contains(&lead) || self.lacks(line)
    }

    /// Whether the line that would create the lead which this one means was taken out of the plan.
    fn lacks(&self, line: &PlannedLine) -> bool {
        let (Planned::Update { .. } | Planned::Unchanged { .. }, Some(same)) =
            (&line.decision, line.same_as_line)
        else {
            return false;
        };
        let behind = self.missing.partition_point(|(_, to)| *to <= same);
        self.missing.get(behind).is_some_and(|(from, _)| *from < same)
    }
}
