//! What a new stage means that a file names: what its rows say of how their leads ended, else won or lost only where its whole
//! name says so.

use std::collections::BTreeMap;

use super::records::Record;
use super::source::Source;
use crate::domain::{Field, StageKind};
use crate::exchange::coerce::Content;
use crate::value::fold;

/// What new stages mean, by name.
pub(super) type NewStages = BTreeMap<String, StageKind>;

/// So many names of stages are remembered: as many as a pipeline takes, and the known ones besides.
const MOST: usize = 10_000;

/// What the rows of a file say of their stages, by folded name; nothing where they do not agree how leads end there.
#[derive(Debug, Default)]
pub(super) struct StageKinds(BTreeMap<String, Option<StageKind>>);

impl StageKinds {
    /// Whether the rows of a file say it.
    pub(super) fn are_in(source: &Source) -> bool {
        let has = |field: Field| source.columns.iter().any(|column| column.field == field);
        has(Field::Stage) && has(Field::Outcome)
    }

    /// Takes over what a row says.
    pub(super) fn add(&mut self, record: &Record) {
        let Content::Filled(intent) = &record.content else { return };
        let intent = intent.for_new.as_deref().unwrap_or(intent);
        let Some((name, kind)) = intent.stage.as_deref().zip(intent.stage_kind) else { return };
        let key = fold(name);
        let is_full = self.0.len() >= MOST;
        match self.0.get_mut(&key) {
            Some(known) => {
                let same = known.filter(|known| known.ending() == kind.ending());
                *known = same.map(|known| if kind == StageKind::OnHold { kind } else { known });
            }
            None if is_full => {}
            None => drop(self.0.insert(key, Some(kind))),
        }
    }

    /// What a new stage of this name means: what its rows say, else its name.
    pub(super) fn of(&self, name: &str) -> StageKind {
        let said = if self.0.is_empty() { None } else { self.0.get(&fold(name)).copied().flatten() };
        said.unwrap_or_else(|| stage_kind(name))
    }
}

/// Names of stages in which leads are won, folded, without `closed`, `deal`, `lead` and numbers around them.
const WON: &[&str] = &[
    "won",
    "converted",
    "gewonnen",
    "vunnet",
    "vundet",
    "vunnen",
    "gagne",
    "gagnee",
    "ganado",
    "ganada",
    "ganho",
    "vinto",
    "vinta",
    "voitettu",
];
/// Names of stages in which leads are lost.
const LOST: &[&str] = &[
    "lost",
    "dead",
    "junk",
    "spam",
    "disqualified",
    "unqualified",
    "not interested",
    "verloren",
    "tapt",
    "tabt",
    "forlorad",
    "perdu",
    "perdue",
    "perdido",
    "perdida",
    "perso",
    "persa",
    "havitty",
];
/// Names that say it only as a whole.
const LOST_AS_THEY_STAND: &[&str] = &["closed not converted", "not converted closed"];
const ON_HOLD: &[&str] = &["hold", "postponed", "paused", "parked", "later", "in future", "nurturing"];
/// What turns a name round.
const NEGATIONS: &[&str] =
    &["not", "no", "never", "t", "nicht", "kein", "keine", "ikke", "inte", "pas", "non"];
/// What stands beside the word that says it.
const BESIDE: &[&str] = &["closed", "close", "deal", "lead", "opportunity", "as"];

/// What a stage of this name means. `Closed Won` is won and `Lost lead` is lost: a name with any other word in it says too
/// little to close leads, and is open.
fn stage_kind(name: &str) -> StageKind {
    let key = fold(name);
    let words: Vec<&str> = key
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().any(|c| !c.is_ascii_digit()))
        .collect();
    let whole = words.join(" ");
    let core: Vec<&str> = words.iter().copied().filter(|word| !BESIDE.contains(word)).collect();
    let core = core.join(" ");
    let text = format!(" {whole} ");
    let says = |list: &[&str]| list.iter().any(|word| text.contains(&format!(" {word} ")));
    if LOST.contains(&core.as_str()) || LOST_AS_THEY_STAND.contains(&whole.as_str()) {
        StageKind::Lost
    } else if WON.contains(&core.as_str()) {
        StageKind::Won
    } else if says(ON_HOLD) && !says(NEGATIONS) {
        StageKind::OnHold
    } else {
        StageKind::Open
    }
}

/// The new names of a field, as a report lists them: of stages that are not open also what they mean.
pub(super) fn in_words(field: &str, names: &[String], stages: &NewStages) -> String {
    let of_stage = |name: &String| stages.get(name).copied().unwrap_or_else(|| stage_kind(name));
    let kind = |name| if field == Field::Stage.key() { of_stage(name) } else { StageKind::Open };
    let told = names.iter().map(|name| match kind(name) {
        StageKind::Open => name.clone(),
        StageKind::OnHold => format!("{name} (on hold)"),
        StageKind::Won => format!("{name} (won: closes its leads)"),
        StageKind::Lost => format!("{name} (lost: closes its leads)"),
    });
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_name_says_won_or_lost() {
        for (kind, names) in [
            (
                StageKind::Won,
                "Won|WON|closed wón|Closed Won|Closed - Won|Won deal|Deal won|5. Closed won (100%)|Converted|\
                 Closed - Converted|Gewonnen|Vunnet|Ganado",
            ),
            (
                StageKind::Lost,
                "Lost|Closed - Lost|Lost Lead|Junk Lead|Junk|Dead|Disqualified|Unqualified|Not interested|\
                 Closed - Not Converted|Verloren|Tapt|Perdu",
            ),
            (StageKind::OnHold, "On Hold|Contact in Future|Nurturing|Call later"),
            (
                StageKind::Open,
                "Wonderful|Qualified|Attempted to Contact|Open - Not Contacted|Won't buy now|Almost won|Not lost|\
                 Lost contact - retry|Lost & Found dept|Nurture (lost once)|Rejected proposal - resend|Not won|\
                 Not converted|Not dead|Never lost|Not on hold|Not disqualified|Customer visit|Sold|Duplicate|Closed|\
                 Ikke tapt|100|",
            ),
        ] {
            for name in names.split('|') {
                assert_eq!(stage_kind(name), kind, "{name}");
            }
        }
    }
}
