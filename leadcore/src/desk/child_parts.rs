//! What the kinds of child share, for their `impl Child`.

use crate::domain::{Subject, SubjectKind};

/// Whether a child of this kind can be about these records alone: opportunities and services are an account's.
pub(super) fn holds(kind: SubjectKind, mut about: impl Iterator<Item = Subject>) -> bool {
    match kind {
        SubjectKind::Opportunity | SubjectKind::Service => {
            about.any(|about| about.kind == SubjectKind::Account)
        }
        _ => about.next().is_some(),
    }
}

/// What is the same for all kinds of child that have their parts in fields of their own and lie in a port of their own.
macro_rules! stored_child {
    ($port:ident by $id:ident) => {
        $crate::desk::child_parts::stored_child!($port by $id, written apart);
        $crate::desk::child_parts::written_child!($port);
    };
    ($port:ident by $id:ident, written apart) => {
        fn subject(&self) -> $crate::domain::Subject {
            self.id.into()
        }

        fn about(&self) -> &[$crate::domain::Subject] {
            &self.about
        }

        fn set_about(&mut self, about: Vec<$crate::domain::Subject>) {
            self.about = about;
        }

        $crate::desk::child_parts::read_child!($port by $id);
    };
}
pub(super) use stored_child;

/// The same for those whose parts lie otherwise.
macro_rules! revised_child {
    ($port:ident by $id:ident) => {
        $crate::desk::child_parts::read_child!($port by $id);
        $crate::desk::child_parts::written_child!($port);
    };
}
pub(super) use revised_child;

/// How they are written, where writing one is all that there is to do.
macro_rules! written_child {
    ($port:ident) => {
        fn insert(txn: &mut dyn $crate::store::Txn, children: &[Self]) -> $crate::error::Result<()> {
            txn.$port().insert(children)
        }

        fn update(txn: &mut dyn $crate::store::Txn, children: &[Self]) -> $crate::error::Result<()> {
            txn.$port().update(children)
        }
    };
}
pub(super) use written_child;

/// How they are read, revised and taken away.
macro_rules! read_child {
    ($port:ident by $id:ident) => {
        fn revision(&self) -> $crate::id::Revision {
            self.revision
        }

        fn renew(&mut self, revision: $crate::id::Revision, at: $crate::time::Timestamp) {
            self.revision = revision;
            self.updated_at = at;
        }

        fn placement(&self) -> $crate::domain::Placement {
            Self::placement(self)
        }

        fn load(txn: &mut dyn $crate::store::Txn, ids: &[uuid::Uuid]) -> $crate::error::Result<Vec<Self>> {
            let ids: Vec<_> = ids.iter().copied().map($id::from_uuid).collect();
            txn.$port().get(&ids)
        }

        fn remove(txn: &mut dyn $crate::store::Txn, ids: &[uuid::Uuid]) -> $crate::error::Result<()> {
            let ids: Vec<_> = ids.iter().copied().map($id::from_uuid).collect();
            txn.$port().remove(&ids)
        }
    };
}
pub(super) use read_child;
