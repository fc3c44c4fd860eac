//! Links to leads, and the ids by which rows are linked to.

use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

use super::column::Column;
use super::parts::{check_whole, without_prefix};
use super::{Coercer, Intent, Said};
use crate::domain::{
    Catalogue, CustomKey, CustomType, CustomValue, ExternalRef, Field, Subject, SubjectKind,
};
use crate::error::ValueError;
use crate::exchange::Row;
use crate::id::LeadId;

/// An id that follows from this text.
pub(in crate::exchange) fn derived(text: &[u8]) -> LeadId {
    let digest = Sha256::digest(text);
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    LeadId::from_uuid(Builder::from_custom_bytes(bytes).into_uuid())
}

/// The id that stands for a lead which is called so in another system, until it is known which one that is.
pub(in crate::exchange) fn stand_in(id: &ExternalRef) -> LeadId {
    derived(id.to_string().as_bytes())
}

/// Whether a field holds links to leads.
pub(super) fn is_link(catalogue: &Catalogue, field: &Field) -> bool {
    let Field::Custom(key) = field else { return false };
    let custom = catalogue.custom_field(key);
    custom.is_some_and(|custom| matches!(custom.kind, CustomType::Link(SubjectKind::Lead)))
}

impl Intent {
    /// All ids by which rows may link to it: its own, and those in other systems.
    pub(in crate::exchange) fn link_ids(&self) -> impl Iterator<Item = LeadId> + '_ {
        let others = self.fields.external_ids.iter().filter(|id| id.system() != ExternalRef::OWN);
        let others = others.flat_map(|id| {
            let as_it_stands = Uuid::try_parse(id.id()).ok().map(LeadId::from_uuid);
            as_it_stands.into_iter().chain([stand_in(id)])
        });
        self.own_ids().chain(others)
    }
}

impl Coercer {
    /// An id in another system, as a cell of the file says it.
    pub(super) fn external_id(&self, cell: &str, is_of_cards: bool) -> Result<ExternalRef, ValueError> {
        check_whole(cell)?;
        self.options.id_of(without_prefix(cell, &["l", "f", "c", "ag", "as"]), is_of_cards)
    }

    /// A lead, by its id or by that in the system of the file.
    pub(super) fn take_link(
        &self,
        intent: &mut Intent,
        key: &CustomKey,
        cell: &str,
    ) -> Result<(), ValueError> {
        let elsewhere = self.external_id(cell, false)?;
        let to = Uuid::try_parse(cell).map_or_else(|_| stand_in(&elsewhere), LeadId::from_uuid);
        intent.fields.custom.insert(key.clone(), CustomValue::Link(Subject::from(to)));
        intent.linked.push((to, elsewhere));
        Ok(())
    }

    /// Keeps the ids of a row that cannot be taken, where rows may link to it.
    pub(super) fn keep_ids(&mut self, row: &Row, columns: &[Column]) {
        self.refused_ids.clear();
        if !self.has_links {
            return;
        }
        let mut intent = Intent::default();
        for column in columns.iter().filter(|at| matches!(at.at.field, Field::Id | Field::ExternalId)) {
            let cell = column.text(row, &mut 0);
            if !cell.is_empty()
                && let Said::Text(text) = self.said(&column.at.field, &cell)
            {
                // What is no id is one reason why the row is not taken.
                let _ = self.take(&mut intent, (column, Some(row)), &text, false);
            }
        }
        self.refused_ids.extend(intent.link_ids());
    }

    /// The ids of the row that could not be taken last, since this was last asked.
    pub(in crate::exchange) fn take_refused_ids(&mut self) -> Vec<LeadId> {
        std::mem::take(&mut self.refused_ids)
    }
}
