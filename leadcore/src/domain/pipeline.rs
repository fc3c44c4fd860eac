//! Pipelines and their stages: the way of a lead from new to won or lost.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Violation, ViolationCode};
use crate::id::{PipelineId, Revision, StageId};
use crate::value::{clean_text, fold};

use super::field::Field;
use super::vocabulary::check_color;

/// What a stage means for the lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StageKind {
    /// Being worked.
    Open,
    /// Waiting; not counted as lost.
    OnHold,
    /// The end, with success.
    Won,
    /// The end, without.
    Lost,
}

impl StageKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Open, Self::OnHold, Self::Won, Self::Lost];

    /// Stable name, as stored: `open`, `on_hold`, `won`, `lost`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::OnHold => "on_hold",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// The kind with this [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// How a lead ends in such a stage; none where it is worked or waits.
    pub(crate) const fn ending(self) -> Option<Self> {
        match self {
            Self::Open | Self::OnHold => None,
            end => Some(end),
        }
    }
}

/// One column of the board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stage {
    /// What leads refer to; a rename leaves it alone.
    pub id: StageId,
    /// What people read. Unique in its pipeline, ignoring case and accents.
    pub name: String,
    /// What it means for the lead.
    pub kind: StageKind,
    /// The chance to win from here, in percent (0 to 100), when the pipeline says one (X.16).
    pub probability: Option<u8>,
    /// `#rrggbb`.
    #[serde(default)]
    pub color: Option<String>,
    /// What a lead must have to be here (X.17).
    #[serde(default)]
    pub required_fields: BTreeSet<Field>,
    /// The stages of this pipeline that a lead may go to from here; any when not said (X.17).
    #[serde(default)]
    pub allowed_next: Option<BTreeSet<StageId>>,
    /// The most live, unconverted leads that may be here (X.52).
    #[serde(default)]
    pub wip_limit: Option<u32>,
    /// After so many days without activity a lead that is here rots (X.21).
    #[serde(default)]
    pub idle_days: Option<u16>,
}

impl Stage {
    /// A stage of this kind; won is 100 %, lost 0 %.
    #[must_use]
    pub fn new(id: StageId, name: &str, kind: StageKind) -> Self {
        let probability = match kind {
            StageKind::Won => Some(100),
            StageKind::Lost => Some(0),
            _ => None,
        };
        Self {
            id,
            name: name.trim().to_owned(),
            kind,
            probability,
            color: None,
            required_fields: BTreeSet::new(),
            allowed_next: None,
            wip_limit: None,
            idle_days: None,
        }
    }
}

/// A pipeline: its stages in board order. Stored and written as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pipeline {
    /// The id.
    pub id: PipelineId,
    /// The revision, for the next write.
    pub revision: Revision,
    /// What people read. Unique in the tenant, ignoring case and accents.
    pub name: String,
    /// Whether new leads start here when nothing else is said. One pipeline of a tenant is the default.
    pub is_default: bool,
    /// The stages, in board order.
    pub stages: Vec<Stage>,
}

/// The most stages a pipeline may have: a board is read by people.
const MAX_STAGES: usize = 200;
/// The longest name of a pipeline or stage, in bytes.
const MAX_NAME: usize = 200;

impl Pipeline {
    /// A new pipeline.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) with every broken rule, as [`check`](Self::check).
    pub fn new(id: PipelineId, name: &str, is_default: bool, stages: Vec<Stage>) -> Result<Self> {
        let pipeline =
            Self { id, revision: Revision::FIRST, name: name.trim().to_owned(), is_default, stages };
        pipeline.check()?;
        Ok(pipeline)
    }

    /// A stage with its pipeline, as it is written where its name alone could mean a stage of another one: `Sales / New`.
    #[must_use]
    pub fn in_full(&self, stage: &Stage) -> String {
        format!("{} / {}", self.name, stage.name)
    }

    /// What each stage is called among all of these pipelines: by its name alone where no other pipeline has a stage of that
    /// name, else [in full](Self::in_full).
    ///
    /// ```
    /// use leadcore::domain::{Pipeline, Stage, StageKind};
    /// use leadcore::id::{PipelineId, StageId};
    /// # use uuid::Uuid;
    /// let stage = |n, name| Stage::new(StageId::from_uuid(Uuid::from_u128(n)), name, StageKind::Open);
    /// let pipeline = |n, name, stages| Pipeline::new(PipelineId::from_uuid(Uuid::from_u128(n)), name, n == 1, stages);
    /// let sales = pipeline(1, "Sales", vec![stage(2, "New"), stage(3, "Offer")])?;
    /// let partners = pipeline(4, "Partners", vec![stage(5, "new")])?;
    /// let names = Pipeline::stage_names(&[sales, partners]);
    /// assert!(names.values().eq(["Sales / New", "Offer", "Partners / new"]));
    /// # Ok::<(), leadcore::error::Error>(())
    /// ```
    #[must_use]
    pub fn stage_names(pipelines: &[Self]) -> BTreeMap<StageId, String> {
        let all = || pipelines.iter().flat_map(|all| all.stages.iter().map(move |stage| (all, stage)));
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for (_, stage) in all() {
            let count = known.entry(fold(&stage.name)).or_default();
            *count = count.saturating_add(1);
        }
        let is_only = |stage: &Stage| known.get(&fold(&stage.name)) == Some(&1);
        let name =
            |all: &Self, stage: &Stage| if is_only(stage) { stage.name.clone() } else { all.in_full(stage) };
        all().map(|(all, stage)| (stage.id, name(all, stage))).collect()
    }

    /// The rules of a pipeline: names present and distinct, ids distinct, at least one open stage, probabilities up to 100 %.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::error::ErrorKind::Invalid) with every broken rule at once.
    pub fn check(&self) -> Result<()> {
        let mut broken = Vec::new();
        broken.extend(check_name(&self.name).map_err(|error| error.at("name")).err());
        if !self.stages.iter().any(|stage| stage.kind == StageKind::Open) {
            broken.push(Violation::new("stages", ViolationCode::Required, "needs one open stage at least"));
        }
        if self.stages.len() > MAX_STAGES {
            broken.push(Violation::new("stages", ViolationCode::TooLong, "must not exceed 200 stages"));
        }
        let mut seen = std::collections::HashSet::new();
        let mut ids = std::collections::HashSet::new();
        for (n, stage) in self.stages.iter().enumerate() {
            let field = format!("stages[{n}].name");
            match check_name(&stage.name) {
                Err(error) => broken.push(error.at(field)),
                Ok(()) if !seen.insert(fold(&stage.name)) => {
                    broken.push(Violation::new(
                        field,
                        ViolationCode::Duplicate,
                        "two stages share this name",
                    ));
                }
                Ok(()) => {}
            }
            if !ids.insert(stage.id) {
                let message = "two stages share this id";
                broken.push(Violation::new(format!("stages[{n}].id"), ViolationCode::Duplicate, message));
            }
            self.check_rules(n, stage, &mut broken);
        }
        if broken.is_empty() { Ok(()) } else { Err(Error::invalid(broken)) }
    }

    /// The rules about what a stage says of its leads.
    fn check_rules(&self, n: usize, stage: &Stage, broken: &mut Vec<Violation>) {
        let mut refuse = |part: &str, code, message: &'static str| {
            broken.push(Violation::new(format!("stages[{n}].{part}"), code, message));
        };
        if stage.probability.is_some_and(|percent| percent > 100) {
            refuse("probability", ViolationCode::OutOfRange, "must lie in 0 to 100");
        }
        if stage.color.as_deref().is_some_and(|color| check_color(color).is_err()) {
            refuse("color", ViolationCode::Malformed, "a colour must be written like `#1a7f37`");
        }
        if stage.required_fields.iter().any(|field| !field.is_writable()) {
            refuse("required_fields", ViolationCode::NotAllowed, "the engine sets one of these fields");
        }
        let known = |id: &StageId| self.stages.iter().any(|other| other.id == *id);
        if stage.allowed_next.as_ref().is_some_and(|next| !next.iter().all(known)) {
            refuse("allowed_next", ViolationCode::Unknown, "names a stage that is not in this pipeline");
        }
        if stage.wip_limit == Some(0) {
            refuse("wip_limit", ViolationCode::OutOfRange, "a limit is 1 at least; leave it out for none");
        }
        if stage.idle_days == Some(0) {
            refuse("idle_days", ViolationCode::OutOfRange, "1 day at least; leave it out for never");
        }
    }

    /// Where a new lead starts: the first open stage.
    #[must_use]
    pub fn first_stage(&self) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.kind == StageKind::Open)
    }

    /// The stage with this id.
    #[must_use]
    pub fn stage(&self, id: StageId) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }

    /// The stage with this name, ignoring case and accents.
    #[must_use]
    pub fn stage_named(&self, name: &str) -> Option<&Stage> {
        let key = fold(name);
        self.stages.iter().find(|stage| fold(&stage.name) == key)
    }
}

fn check_name(name: &str) -> Result<(), crate::error::ValueError> {
    let name = clean_text(name.trim(), MAX_NAME)?;
    if name.is_empty() {
        return Err(crate::error::ValueError::new(ViolationCode::Required, "a name must not be empty"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn stage(id: u128, name: &str, kind: StageKind) -> Stage {
        Stage::new(StageId::from_uuid(Uuid::from_u128(id)), name, kind)
    }

    #[test]
    fn every_broken_rule_is_told_at_once() {
        let stages = vec![
            stage(1, "Won", StageKind::Won),
            stage(2, "wón", StageKind::Lost),
            stage(1, "", StageKind::Lost),
        ];
        let error = Pipeline::new(PipelineId::from_uuid(Uuid::nil()), " ", true, stages).unwrap_err();
        let fields: Vec<_> = error.violations().iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, ["name", "stages", "stages[1].name", "stages[2].name", "stages[2].id"]);
    }
}
