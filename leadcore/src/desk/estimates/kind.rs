//! Estimates as children of what they are about.

use uuid::Uuid;

use crate::context::Context;
use crate::domain::{Estimate, FieldChange, FieldValue, Placement, Subject};
use crate::error::Result;
use crate::id::{EstimateId, Revision, UserId};
use crate::store::Txn;
use crate::time::Timestamp;

use crate::desk::children::Child;

impl Child for Estimate {
    const WHAT: &'static str = "estimate";

    fn subject(&self) -> Subject {
        self.id.into()
    }

    fn about(&self) -> &[Subject] {
        &self.about
    }

    fn set_about(&mut self, about: Vec<Subject>) {
        self.about = about;
    }

    fn revision(&self) -> Revision {
        self.revision
    }

    fn renew(&mut self, revision: Revision, at: Timestamp) {
        self.revision = revision;
        self.updated_at = at;
    }

    fn placement(&self) -> Placement {
        Self::placement(self)
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

    fn load(txn: &mut dyn Txn, ids: &[Uuid]) -> Result<Vec<Self>> {
        let ids: Vec<_> = ids.iter().copied().map(EstimateId::from_uuid).collect();
        txn.estimates().get(&ids)
    }

    fn insert(txn: &mut dyn Txn, child: &Self) -> Result<()> {
        txn.estimates().insert(std::slice::from_ref(child))
    }

    fn update(txn: &mut dyn Txn, child: &Self) -> Result<()> {
        txn.estimates().update(std::slice::from_ref(child))
    }

    fn remove(txn: &mut dyn Txn, id: Uuid) -> Result<()> {
        txn.estimates().remove(&[EstimateId::from_uuid(id)])
    }
}
