//! Taking a file of leads into a store: mapped by its headers, in chunks, with an outcome for every line.
//!
//! ```
//! use leadcore::exchange::import::{self, ImportOptions};
//! use leadcore::prelude::*;
//! let store = MemoryStore::new();
//! let (clock, ids) = (ManualClock::default(), SequentialIds::new(1));
//! let ctx = Context::new(&"acme".parse()?, Actor::System, &clock, &ids, &AllowAll);
//! let file = "Company;E-Mail;Lead Source\nNordlys AS;post@nordlys.example;Fair\nBerg AS;berg.example;Fair\n";
//! let mut rejects = Vec::new();
//! let input = std::io::Cursor::new(file);
//! let report = import::run(&ctx, &store, input, &ImportOptions::new(), Some(&mut rejects), &mut ())?;
//! assert_eq!((report.lines, report.created, report.rejected), (2, 1, 1));
//! println!("{report}");
//! // The same file again changes nothing.
//! let input = std::io::Cursor::new(file);
//! assert!(import::run(&ctx, &store, input, &ImportOptions::new(), None, &mut ())?.repeated);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a row becomes
//! A row is recognised by its strongest key that a lead has, in the store or further up in the file: external id, then
//! e-mail, then phone, or what [`ImportOptions::match_by`] names instead: the record's id or number, a unique custom field.
//! Where nothing is named, the record's own id and then the number of a lead come before them in a file that has them. A
//! number is not believed against the rest of its row: see [`OnAmbiguous`]. One that no lead has says nothing, and [is
//! told](ImportReport::unknown_numbers). An id that no lead here has is that of a lead elsewhere, and is kept as its id in
//! the system [`leadcore`](crate::domain::ExternalRef::OWN): so the file of an export comes back, here and elsewhere.
//!
//! A weaker key never goes against a stronger one that row and lead both have: a row with an id of a system is not the lead
//! that has another id of that system, whatever e-mail or phone they share, nor is a row with the number or id of one lead
//! another lead. A phone alone is weak beyond that, since colleagues share a switchboard: it does not count where both sides
//! name a person or a company and the names differ, or where both have e-mails but none in common. An e-mail that is not the
//! first one of both (the address of a group, behind those of its companies) does not count where row and lead name companies
//! of which neither name begins the other, or other persons. Leads in the trash are not recognised.
//!
//! - No lead: one is created, or by [`OnMissing`] none. Company or consumer, where no column says it: a company where a
//!   company is named, a consumer where only a person is, else a company.
//! - One lead: by [`OnMatch`], its values are overwritten by cells that are not empty, and e-mails, phones and labels
//!   are added; a cell that says [`ImportOptions::clear`] empties its field. A lead that was converted is left alone. A row
//!   that has an id of the lead and, in another system, an id that is not the lead's is rejected; where a key that was put
//!   before the external id, or a person, says which lead is meant, the id that it has stays.
//! - Several: by [`OnAmbiguous`], the line is rejected, because it does not say which one it means, or left to a person
//!   together with the leads that it may mean.
//! - One that the actor may not see: the line is rejected. It says that the lead exists and who owns it, whatever state
//!   the lead is in, and nothing else.
//!
//! A row without external id, e-mail and phone is always new. Imported again from a changed file it is new once more;
//! [`ImportReport::unrecognisable`] counts such rows, in a dry run too.
//!
//! Names of vocabularies and stages are looked up without case and accents. Unknown ones are added by [`UnknownTerm`]: a
//! new stage goes into the default pipeline before its first won or lost stage. Where its whole name surely says so it is won
//! (`Closed Won`, `Converted`), lost (`Lost`, `Junk Lead`) or on hold; else it is open (`Almost won`). The report tells which ones
//! close their leads. A column of states says which leads are disqualified, and columns of reasons why they are that or lost; no
//! file adds a reason, converts a lead or opens one again. A [`TermRule`] decides for a single field: create, refuse, or take this name for that one.
//!
//! A bad cell rejects its whole line, with every reason: half a lead is worse than none, and the rejected rows can be
//! written to a file of their own, corrected and imported again. A column may leave such cells out instead
//! ([`ColumnRules::bad_values`](crate::exchange::ColumnRules::bad_values)); the report tells them.
//!
//! A link to another lead, in a column for a custom field, is an id, and an export writes those of the place that it comes from.
//! It leads to the lead that has this id here, or is known by it as its id elsewhere, or to what the row with this id becomes,
//! also one further down: then the link is written with that row. A link to a row that is rejected is left out, and told. One
//! that leads nowhere is a bad cell. A file with such a column is read once more, for the ids that links name; at most 10,000
//! links wait at a time, and not in a unique field. Where the field is required, one that waits counts as there.
//!
//! # Plans
//! [`plan()`] says what would become of each line, with the fields that change, and writes nothing: a value to be stored,
//! reviewed, changed line by line (leave it out, take this lead, create one anyway, take this cell instead) and
//! [applied](apply) later. Unchanged, and while the store stays as it is, a plan is what [`run`] does. Where the store moved
//! on, a line that would become something else now is left alone and told. [`plan_to`] and [`apply_from`] do the same
//! with a stream, for files of millions of lines.
//!
//! # The way back
//! An import is one operation: [`undo`](crate::desk::undo::undo) takes it back,
//! [`undo_part`](crate::desk::undo::undo_part) only some leads or lines of it; both say for each record what was taken
//! back, what was kept because it was edited or converted since, and what failed.
//!
//! # Interruptions and repeats
//! Each chunk is one transaction, and the progress is part of it. Killed at any moment, an import leaves whole chunks;
//! running it again goes on behind them. The same file with the same mapping and options is the same import: once done,
//! it writes nothing more (see [`ImportOptions::attempt`]). An interrupted one can be undone instead: its error [names the
//! operation](crate::error::Error::operation), and so does the report of a dry run. A process that is still importing it then
//! ends at its next chunk. Two processes that import the same file at once share the
//! work: each chunk looks first whether the other one did it.
//!
//! Memory does not grow with the file. A [`dry_run`] or plan keeps nine bytes for each different key of it, since what it
//! decides is not in the store: 27 bytes a line where each has an external id, an e-mail and a phone of its own, nine more
//! for each unique custom field, and up to sixteen for each key of each line while they are gathered. Whole leads, with
//! their unique values, are kept only as long as a line further down has a key of theirs. A [`plan()`] holds its lines.

mod ahead;
mod apply;
mod bench;
mod choices;
mod claims;
mod columns;
mod decision;
mod details;
mod dry_run;
mod feed;
mod foresight;
mod format;
mod key;
mod likeness;
mod links;
mod names;
mod offered;
mod opened;
mod options;
mod outcome;
mod own_numbers;
mod plan;
mod planned;
mod planning;
mod preview;
mod records;
mod refused;
mod report;
mod run;
mod source;
mod stage_kinds;
mod stopwatch;

use crate::domain::OperationKind;
use crate::error::{Error, ErrorKind, Result};

pub use apply::{apply, apply_from};
pub use choices::{MatchBy, OnAmbiguous, OnMatch, OnMissing, TermRule, UnknownTerm};
pub use columns::ColumnNotes;
pub use dry_run::{dry_run, dry_run_with_rejects};
pub use format::FileFormat;
pub use options::ImportOptions;
pub(in crate::exchange) use options::{CARD_ID, CARDS};
pub use outcome::{ImportSink, LineOutcome, Outcome, Progress, SkipReason};
pub use planned::{Candidate, Choice, ImportPlan, LineAction, LineLink, PlanSummary, Planned, PlannedLine};
pub use planning::{plan, plan_to, replan};
pub use preview::{Preview, preview, preview_with};
pub use report::{ImportReport, Rejection, ReviewLine};
pub use run::run;

/// What an import is in the journal.
const OPERATION: OperationKind = OperationKind::Import;

fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::Internal, "a value could not be written as JSON").with_source(error)
    })
}

/// The error of an import that its caller stopped.
fn cancelled(lines: u64) -> Error {
    let message = format!("the import was cancelled after {lines} lines; import the file again to go on");
    Error::new(ErrorKind::Cancelled, message)
}

#[cfg(test)]
mod tests;
