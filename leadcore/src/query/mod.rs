//! One filter for everything: lists, search boxes, saved views, exports, mass actions, rules and row-level access.
//!
//! A [`Filter`] is a tree of conditions on fields. Core evaluates it in memory ([`Resolved::matches`], the reference);
//! stores compile it, and the conformance suite says that both agree.

mod asker;
mod check;
mod eval;
mod filter;
mod follow_up;
mod list_cursor;
mod page;
mod period;
mod report;
mod search;
mod text;

pub use asker::Asker;
pub use check::MAX_DEPTH;
pub use eval::{Facts, LeadAlone};
pub use filter::{Circumstance, Condition, Filter, Operator, Resolved};
pub(crate) use list_cursor::Asked;
pub use list_cursor::ListCursor;
pub use page::{Cursor, Direction, LeadQuery, LeadScan, MAX_PAGE, Page, Sort, SortField};
pub use period::{Period, Relative, Unit};
pub use report::{Clocks, Dated, Dimension, PeriodUnit, ReportScan};
pub use search::{SearchParts, Term, TextSearch, search_terms};
pub use text::{MAX_TEXT, TextError};
