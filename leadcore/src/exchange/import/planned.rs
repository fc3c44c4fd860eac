//! A plan of an import as a value: stored, shown, changed line by line, applied later.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Write};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::outcome::SkipReason;
use super::report::ImportReport;
use super::{ImportOptions, MatchBy};
use crate::domain::{Field, FieldChange};
use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::{LeadId, UserId};

mod above;
mod stored;

pub(super) use above::Above;
pub use above::{LineAction, LineLink};
use stored::{ENDS_EARLY, broken, faulty};
pub(super) use stored::{Head, Stored, check_lines, unreadable, write_line};

/// Which form plans have.
pub(super) const VERSION: u32 = 1;

/// What an import would do with a file, line by line. Pure data: keep it as JSON, show it, change it, and
/// [apply](super::apply) it to the same file later.
///
/// ```
/// use leadcore::exchange::import::{self, ImportOptions, Planned};
/// use leadcore::prelude::*;
/// let store = MemoryStore::new();
/// let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
/// let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
/// let file = || std::io::Cursor::new("Company,E-Mail\nNordlys AS,post@nordlys.example\nFjord AS,post@fjord.example\n");
/// let mut plan = import::plan(&ctx, &store, file(), &ImportOptions::new(), &mut ())?;
/// assert!(matches!(plan.lines[0].decision, Planned::Create { .. }));
/// plan.skip(3)?;
/// let kept: import::ImportPlan = serde_json::from_str(&serde_json::to_string(&plan)?)?;
/// let report = import::apply(&ctx, &store, &kept, file(), None, &mut ())?;
/// assert_eq!((report.created, report.skipped), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ImportPlan {
    /// Which form this is: 1.
    pub version: u32,
    /// How the file is read, with the mapping that was proposed where none was given.
    pub options: ImportOptions,
    /// The sums and the file's digest.
    pub report: ImportReport,
    /// How often each name occurs that a vocabulary or the pipelines lack, by field; at most 1,000 names for each. A
    /// [`TermRule`](super::TermRule) says what becomes of them.
    pub unknown: BTreeMap<String, BTreeMap<String, u64>>,
    /// What becomes of each record, in the order of the file.
    pub lines: Vec<PlannedLine>,
}

/// What is said last in a plan that was [streamed](super::plan_to).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PlanSummary {
    /// The sums and the file's digest.
    pub report: ImportReport,
    /// How often each unknown name occurs, by field.
    pub unknown: BTreeMap<String, BTreeMap<String, u64>>,
}

/// What becomes of one record of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PlannedLine {
    /// The line of the file on which the record begins, from 1, the header included.
    pub line: u64,
    /// Which record of the file it is, from 1.
    pub number: u64,
    /// What would become of it.
    pub decision: Planned,
    /// The earlier line of the same file that creates the lead or changes it first, where this one means it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as_line: Option<u64>,
    /// The other lines whose leads it links to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LineLink>,
    /// What a person decided instead. Such a line is written as the person said, also when the store moved on; where the
    /// decision shows what becomes of the lead that the person chose, only as long as that holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
    /// Cells that are taken instead of the file's, written as the file writes them. A field without a column may be set
    /// too; where several columns fill a field, this stands for all of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<Field, String>,
    /// The fields that were [set as numbers](ImportPlan::set_number): their texts have a decimal point and count ones, whatever
    /// is said of how the file writes numbers and in which unit.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub numbers: BTreeSet<Field>,
    /// The cells that are set are not those of when this was decided: what becomes of the line is said when it is [planned
    /// again](super::replan), and done when it is applied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
    /// A person decided otherwise about the earlier line that creates the lead which this one means: it is decided when it is
    /// applied.
    #[serde(skip)]
    pub(super) anew: bool,
    /// With what of a person's the decision was made, when the plan was made anew.
    #[serde(default, skip_serializing_if = "Edits::is_none")]
    pub(super) made_with: Edits,
}

/// What a person changed in a line.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Edits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) choice: Option<Choice>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) set: BTreeMap<Field, String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) numbers: BTreeSet<Field>,
}

impl Edits {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl PlannedLine {
    /// Whether a person decided about this line.
    #[must_use]
    pub fn is_edited(&self) -> bool {
        self.choice.is_some() || !self.set.is_empty()
    }

    /// Whether the decision was made with everything that a person changed by now, or nobody changed anything.
    pub(super) fn is_decided(&self) -> bool {
        self.choice == self.made_with.choice && self.has_cells_as_decided()
    }

    /// Whether its cells are those that the decision was made with.
    pub(super) fn has_cells_as_decided(&self) -> bool {
        (&self.set, &self.numbers) == (&self.made_with.set, &self.made_with.numbers)
    }

    /// Whether the decision has to hold before what a person changed in the line is written: not where the person took
    /// another way than the one that it shows.
    pub(super) fn is_held_to(&self) -> bool {
        match self.choice {
            None => true,
            Some(Choice::Take(chosen)) => match self.decision {
                Planned::Update { lead, .. } | Planned::Unchanged { lead, .. } => lead == chosen,
                _ => false,
            },
            Some(Choice::Create | Choice::Skip) => false,
        }
    }
}

/// What a person decided about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Choice {
    /// It is left out: as a line that is taken out of the plan.
    Skip,
    /// It means this lead.
    Take(LeadId),
    /// It is a new lead, whatever exists.
    Create,
}

/// A lead that a line may mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Candidate {
    /// The lead; for one that an earlier line creates, the id that it will have.
    pub lead: LeadId,
    /// Its number; none for one that an earlier line creates.
    pub number: Option<u64>,
    /// Its name, of what the actor may see.
    pub name: Option<String>,
}

/// What would become of one record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Planned {
    /// A lead is created.
    Create {
        /// The id that it will have.
        lead: LeadId,
        /// Whether the row has anything by which it can be recognised again.
        recognisable: bool,
        /// Its fields: nothing before, the value after. Terms and stages are told by their names.
        values: Vec<FieldChange>,
    },
    /// A lead takes the row's values.
    Update {
        /// The lead; for one that an earlier line creates, the id that it will have.
        lead: LeadId,
        /// Its number; none for one that an earlier line creates.
        number: Option<u64>,
        /// What it was recognised by.
        matched_by: MatchBy,
        /// What changes. Terms and stages are told by their names.
        changes: Vec<FieldChange>,
    },
    /// The lead says the same already.
    Unchanged {
        /// The lead.
        lead: LeadId,
        /// Its number; none for one that an earlier line creates.
        number: Option<u64>,
    },
    /// Nothing is written, for another reason.
    Skip {
        /// Why.
        reason: SkipReason,
        /// The lead that the row means, if it means one that the actor may see.
        lead: Option<LeadId>,
    },
    /// A person has to say which lead is meant.
    Review {
        /// What these leads were found by.
        matched_by: MatchBy,
        /// The leads that it may mean, as far as the actor may see them.
        candidates: Vec<Candidate>,
    },
    /// The line is not taken.
    Reject {
        /// Every reason, at least one.
        reasons: Vec<Violation>,
        /// What the cells say that are at fault, by field.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        values: BTreeMap<String, String>,
        /// Who owns the lead that the row means, where the reason is that the actor may not see it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<UserId>,
    },
}

impl ImportPlan {
    /// The record that begins on this line.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn line_mut(&mut self, line: u64) -> Result<&mut PlannedLine> {
        let place = self.lines.binary_search_by_key(&line, |planned| planned.line);
        let found = place.ok().and_then(|place| self.lines.get_mut(place));
        found.ok_or_else(|| Error::not_found("line"))
    }

    /// Leaves a line out.
    ///
    /// # Errors
    /// `NotFound`, as for the others: no record begins on this line.
    pub fn skip(&mut self, line: u64) -> Result<()> {
        self.line_mut(line)?.choice = Some(Choice::Skip);
        Ok(())
    }

    /// Lets a line mean this lead.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn take(&mut self, line: u64, lead: LeadId) -> Result<()> {
        self.line_mut(line)?.choice = Some(Choice::Take(lead));
        Ok(())
    }

    /// Creates a lead from a line, whatever exists.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn create(&mut self, line: u64) -> Result<()> {
        self.line_mut(line)?.choice = Some(Choice::Create);
        Ok(())
    }

    /// Takes this text instead of the cell of a line. What it means is checked when the plan is
    /// [planned again](super::replan) or applied; until then the line is [open](PlannedLine::open).
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a field that an import does not write.
    pub fn set(&mut self, line: u64, field: Field, text: &str) -> Result<()> {
        self.set_as(line, field, text.to_owned(), false)
    }

    /// Takes this number instead of the cell of a line, whatever the decimal mark and the unit of its column.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn set_number(&mut self, line: u64, field: Field, number: Decimal) -> Result<()> {
        self.set_as(line, field, number.to_string(), true)
    }

    fn set_as(&mut self, line: u64, field: Field, text: String, is_number: bool) -> Result<()> {
        if !field.is_imported() {
            return Err(Error::invalid_field(
                field.key(),
                ViolationCode::NotAllowed,
                "the engine sets this field",
            ));
        }
        let line = self.line_mut(line)?;
        line.numbers.remove(&field);
        line.numbers.extend(is_number.then(|| field.clone()));
        line.set.insert(field, text);
        line.open = !line.has_cells_as_decided();
        Ok(())
    }

    /// Takes back what a person decided about a line. One that was [planned again](super::replan) since is decided by
    /// planning once more.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn reset(&mut self, line: u64) -> Result<()> {
        let line = self.line_mut(line)?;
        line.choice = None;
        line.set.clear();
        line.numbers.clear();
        // What was set when it was planned is a part of what was decided.
        line.open = !line.has_cells_as_decided();
        Ok(())
    }

    /// Writes the plan as JSON lines, as [`plan_to`](super::plan_to) does.
    ///
    /// # Errors
    /// A failure of the writer.
    pub fn write_lines(&self, out: &mut dyn Write) -> Result<()> {
        write_line(
            out,
            &Head {
                version: self.version,
                options: self.options.clone(),
                digest: self.report.digest.clone(),
            },
        )?;
        self.lines.iter().try_for_each(|line| write_line(out, line))?;
        write_line(out, &PlanSummary { report: self.report.clone(), unknown: self.unknown.clone() })
    }

    /// Reads a plan from JSON, as `serde_json` does, and says which line is at fault.
    ///
    /// ```
    /// use leadcore::exchange::import::ImportPlan;
    /// assert_eq!(ImportPlan::from_json("{}").unwrap_err().violations()[0].field, "plan");
    /// ```
    ///
    /// # Errors
    /// `Invalid` for what is no such plan, or has a key that no plan has: at `plan.lines[n]`, from 0, where a line is at fault.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|_| faulty(text))
    }

    /// Reads a plan from JSON lines. All of it is held in memory; [`apply_from`](super::apply_from) does without.
    ///
    /// # Errors
    /// `Invalid` for what is no such plan, with the line at fault; a failure of the reader.
    pub fn read_lines(input: impl BufRead) -> Result<Self> {
        let mut stored = Stored::open(input)?;
        let Head { version, options, .. } = stored.head.clone();
        let lines = stored.by_ref().collect::<Result<Vec<_>>>()?;
        let Some(PlanSummary { report, unknown }) = stored.summary else {
            return Err(broken(stored.at, ENDS_EARLY));
        };
        check_lines(&lines)?;
        Ok(Self { version, options, report, unknown, lines })
    }
}
