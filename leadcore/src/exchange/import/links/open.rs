//! Links that wait for the rows of their leads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::not_taken;
use crate::domain::CustomKey;
use crate::error::Violation;
use crate::id::LeadId;

/// So many links may wait for rows further down: what waits is stored with every chunk.
pub(super) const MOST: usize = 10_000;

/// Links that wait for the rows of their leads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::exchange::import) struct OpenLinks {
    #[serde(skip_serializing_if = "Waiting::is_empty")]
    pub(super) waiting: Waiting,
    /// What leads elsewhere became, by their ids there, as far as their leads here do not say it themselves.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) known: BTreeMap<LeadId, LeadId>,
    /// What could not be linked, by line, until the report tells it.
    #[serde(skip)]
    pub(super) left_out: Vec<(u64, Violation)>,
}

/// By the id that they name and their line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<OpenLink>", into = "Vec<OpenLink>")]
pub(super) struct Waiting(BTreeMap<(LeadId, u64), Vec<(LeadId, CustomKey)>>);

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether no more may wait.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MOST
    }

    pub(super) fn add(&mut self, (to, line): (LeadId, u64), lead: LeadId, field: CustomKey) {
        self.0.entry((to, line)).or_default().push((lead, field));
    }

    /// Each as what it names, its lead and field.
    pub(super) fn iter(&self) -> impl Iterator<Item = (LeadId, LeadId, &CustomKey)> {
        let links = self.0.iter().map(|((to, _), links)| (*to, links));
        links.flat_map(|(to, links)| links.iter().map(move |(lead, field)| (to, *lead, field)))
    }

    /// The leads whose links name this id.
    pub(super) fn leads_for(&self, to: LeadId) -> impl Iterator<Item = LeadId> + '_ {
        self.0.range((to, 0)..=(to, u64::MAX)).flat_map(|(_, links)| links).map(|(lead, _)| *lead)
    }

    /// Forgets those of a lead in these fields, which say something else by now.
    pub(super) fn forget(&mut self, lead: LeadId, says: impl Fn(&CustomKey) -> bool) {
        self.0.retain(|_, links| {
            links.retain(|(from, field)| *from != lead || !says(field));
            !links.is_empty()
        });
    }

    /// Those that name this id.
    pub(super) fn take(&mut self, to: LeadId) -> Vec<OpenLink> {
        let mut rest = self.0.split_off(&(to, 0));
        let mut behind = rest.split_off(&(to, u64::MAX));
        self.0.append(&mut behind);
        Self(rest).into()
    }
}

impl From<Vec<OpenLink>> for Waiting {
    fn from(links: Vec<OpenLink>) -> Self {
        let mut waiting = Self::default();
        for OpenLink { line, lead, field, to } in links {
            waiting.add((to, line), lead, field);
        }
        waiting
    }
}

impl From<Waiting> for Vec<OpenLink> {
    fn from(Waiting(waiting): Waiting) -> Self {
        let links = waiting.into_iter().flat_map(|((to, line), links)| {
            links.into_iter().map(move |(lead, field)| OpenLink { line, lead, field, to })
        });
        links.collect()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenLink {
    pub(super) line: u64,
    pub(super) lead: LeadId,
    pub(super) field: CustomKey,
    /// The id that it names.
    to: LeadId,
}

impl OpenLinks {
    pub(in crate::exchange::import) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What could not be linked since this was last asked; at the end of the file, what still waits, too.
    pub(in crate::exchange::import) fn take_left_out(&mut self, is_end: bool) -> Vec<(u64, Violation)> {
        let mut told = std::mem::take(&mut self.left_out);
        if is_end {
            let Self { waiting, .. } = std::mem::take(self);
            let waiting = Vec::<OpenLink>::from(waiting).into_iter();
            told.extend(waiting.map(|link| (link.line, not_taken(&link.field))));
            told.sort_by_key(|(line, _)| *line);
        }
        told
    }
}
