//! Estimates as children of what they are about.

use crate::context::Context;
use crate::domain::{Estimate, EstimateStatus, FieldChange, FieldValue, Series};
use crate::error::{ErrorKind, Result};
use crate::id::{EstimateId, UserId};
use crate::store::Txn;

use crate::desk::children::{Child, stored_child};
use crate::desk::series;

use super::moves::Versions;

impl Child for Estimate {
    const WHAT: &'static str = "estimate";

    stored_child!(estimates by EstimateId);

    /// Of an estimate and its revisions one at most is accepted, also where an undo would write it.
    fn can_return(txn: &mut dyn Txn, _now: Option<&Self>, child: &Self) -> Result<bool> {
        let accepted = child.status == EstimateStatus::Accepted;
        Ok(!accepted || Versions::of(txn, child)?.accepted.is_none())
    }

    fn can_leave(txn: &mut dyn Txn, child: &Self) -> Result<bool> {
        let removal = series::check_removal(txn, Series::Estimate, child.number, child.serial.as_ref());
        match removal {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn into_shown(self, ctx: &Context<'_>) -> Self {
        super::shown(ctx, self)
    }

    /// Title and number are always told. Of the lines, the first and what is to be paid: the image has them all.
    fn told(before: Option<&Self>, after: Option<&Self>) -> Vec<FieldChange> {
        type Read = fn(&Estimate) -> FieldValue;
        let fields: [(&str, Read); 12] = [
            ("title", |e| e.fields.title.as_deref().into()),
            ("number", |e| i64::try_from(e.number).unwrap_or(i64::MAX).into()),
            ("status", |e| e.status.code().into()),
            ("reason", |e| e.reason.as_deref().into()),
            ("owner", |e| e.fields.owner.as_ref().map(UserId::as_str).into()),
            ("date", |e| e.fields.date.into()),
            ("valid_until", |e| e.fields.valid_until.into()),
            ("currency", |e| e.fields.currency.as_ref().map(crate::value::Currency::code).into()),
            ("lines", |e| crate::domain::in_words(&e.fields.lines).into()),
            ("total", |e| e.totals.gross.into()),
            ("note", |e| e.fields.note.as_deref().into()),
            ("terms", |e| e.fields.terms.as_deref().into()),
        ];
        let side = |side: Option<&Self>, read: Read| side.map_or(FieldValue::Empty, read);
        let change = |(field, read): (&str, Read)| {
            let change = FieldChange::new(field, side(before, read), side(after, read));
            let always = matches!(field, "title" | "number");
            (always || change.before != change.after).then_some(change)
        };
        fields.into_iter().filter_map(change).collect()
    }
}
