//! Links that wait for the rows of their leads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::not_taken;
use crate::domain::CustomKey;
use crate::error::Violation;
use crate::id::LeadId;

/// So many links may wait for rows further down: what waits is stored with every chunk, and their leads are changed together when
/// the row comes that they wait for. Tests ask for fewer, to have more.
const MOST_WAITING: usize = if cfg!(test) { 2_500 } else { 25_000 };
/// So many leads are remembered by ids that they do not say themselves.
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
#[serde(from = "Vec<WaitingFor>", into = "Vec<WaitingFor>")]
pub(super) struct Waiting(BTreeMap<(LeadId, u64), Vec<(LeadId, CustomKey)>>);

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether no more may wait.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MOST_WAITING
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
        Self(rest).into_links().collect()
    }

    fn into_links(self) -> impl Iterator<Item = OpenLink> {
        self.0.into_iter().flat_map(|((_, line), links)| {
            links.into_iter().map(move |(lead, field)| OpenLink { line, lead, field })
        })
    }
}

/// The links that wait for one id in one field, as they are stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct WaitingFor {
    to: LeadId,
    field: CustomKey,
    /// By line and lead.
    links: Vec<(u64, LeadId)>,
}

impl From<Vec<WaitingFor>> for Waiting {
    fn from(stored: Vec<WaitingFor>) -> Self {
        let mut waiting = Self::default();
        for WaitingFor { to, field, links } in stored {
            links.into_iter().for_each(|(line, lead)| waiting.add((to, line), lead, field.clone()));
        }
        waiting
    }
}

impl From<Waiting> for Vec<WaitingFor> {
    fn from(Waiting(waiting): Waiting) -> Self {
        let mut stored: BTreeMap<(LeadId, CustomKey), Vec<(u64, LeadId)>> = BTreeMap::new();
        for ((to, line), links) in waiting {
            for (lead, field) in links {
                stored.entry((to, field)).or_default().push((line, lead));
            }
        }
        stored.into_iter().map(|((to, field), links)| WaitingFor { to, field, links }).collect()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenLink {
    pub(super) line: u64,
    pub(super) lead: LeadId,
    pub(super) field: CustomKey,
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
            told.extend(waiting.into_links().map(|link| (link.line, not_taken(&link.field))));
            told.sort_by_key(|(line, _)| *line);
        }
        told
    }
}
