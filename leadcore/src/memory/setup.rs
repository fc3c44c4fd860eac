//! Pipelines, vocabularies and settings in memory.

use std::cmp::Reverse;

use uuid::Uuid;

use crate::domain::{FieldValue, Pipeline, Subject, TermKind, TermRecord};
use crate::error::{Conflict, Error, Result};
use crate::id::{CategoryId, LostReasonId, Revision, SourceId};
use crate::store::{Pipelines, SettingName, Settings, Terms};
use crate::value::fold;

use super::{MemoryTxn, State, check_revision, exists, previous};

impl State {
    fn check_pipeline_name(&self, pipeline: &Pipeline) -> Result<()> {
        let key = fold(&pipeline.name);
        let taken = self.pipelines.values().any(|known| known.id != pipeline.id && fold(&known.name) == key);
        if taken { Err(exists("pipeline", "name")) } else { Ok(()) }
    }

    fn check_term_name(&self, record: &TermRecord) -> Result<()> {
        let key = record.term.key();
        let taken = self.terms.values().any(|known| {
            known.kind == record.kind && known.term.id != record.term.id && known.term.key() == key
        });
        if taken { Err(exists("term", "name")) } else { Ok(()) }
    }
}

impl Pipelines for MemoryTxn {
    fn insert(&mut self, pipeline: &Pipeline) -> Result<()> {
        let state = self.writable()?;
        state.check_pipeline_name(pipeline)?;
        if state.pipelines.contains_key(&pipeline.id) {
            return Err(exists("pipeline", "id"));
        }
        state.pipelines.insert(pipeline.id, pipeline.clone());
        Ok(())
    }

    fn update(&mut self, pipeline: &Pipeline) -> Result<()> {
        let state = self.writable()?;
        let stored = state.pipelines.get(&pipeline.id).ok_or_else(|| Error::not_found("pipeline"))?;
        check_revision("pipeline", stored.revision, previous(pipeline.revision))?;
        state.check_pipeline_name(pipeline)?;
        state.pipelines.insert(pipeline.id, pipeline.clone());
        Ok(())
    }

    fn remove(&mut self, pipeline: &Pipeline) -> Result<()> {
        let state = self.writable()?;
        let stored = state.pipelines.get(&pipeline.id).ok_or_else(|| Error::not_found("pipeline"))?;
        check_revision("pipeline", stored.revision, pipeline.revision)?;
        state.pipelines.remove(&pipeline.id);
        Ok(())
    }

    fn list(&mut self) -> Result<Vec<Pipeline>> {
        let mut list: Vec<_> = self.state.pipelines.values().cloned().collect();
        list.sort_by_key(|pipeline| (Reverse(pipeline.is_default), fold(&pipeline.name), pipeline.id));
        Ok(list)
    }
}

impl Terms for MemoryTxn {
    fn insert(&mut self, terms: &[TermRecord]) -> Result<()> {
        let state = self.writable()?;
        let mut next = state.clone();
        for record in terms {
            next.check_term_name(record)?;
            // An id is a UUID: no two terms share it, of whatever list.
            if TermKind::ALL.iter().any(|kind| next.terms.contains_key(&(*kind, record.term.id))) {
                return Err(exists("term", "id"));
            }
            next.terms.insert((record.kind, record.term.id), record.clone());
        }
        *state = next;
        Ok(())
    }

    fn update(&mut self, record: &TermRecord) -> Result<()> {
        let state = self.writable()?;
        let key = (record.kind, record.term.id);
        let stored = state.terms.get(&key).ok_or_else(|| Error::not_found("term"))?;
        check_revision("term", stored.term.revision, previous(record.term.revision))?;
        state.check_term_name(record)?;
        state.terms.insert(key, record.clone());
        Ok(())
    }

    fn remove(&mut self, kind: TermKind, id: Uuid) -> Result<()> {
        let by = Terms::usage(self, kind, id)?;
        let state = self.writable()?;
        if !state.terms.contains_key(&(kind, id)) {
            return Err(Error::not_found("term"));
        }
        if by > 0 {
            return Err(Error::conflicting("term", Conflict::InUse { by }));
        }
        state.terms.remove(&(kind, id));
        Ok(())
    }

    fn get(&mut self, kind: TermKind, ids: &[Uuid]) -> Result<Vec<TermRecord>> {
        Ok(ids.iter().filter_map(|id| self.state.terms.get(&(kind, *id))).cloned().collect())
    }

    fn list(&mut self, kind: TermKind) -> Result<Vec<TermRecord>> {
        let mut list: Vec<_> =
            self.state.terms.values().filter(|record| record.kind == kind).cloned().collect();
        list.sort_by_key(|record| (record.term.position, record.term.key(), record.term.id));
        Ok(list)
    }

    fn usage(&mut self, kind: TermKind, id: Uuid) -> Result<u64> {
        let (field, term) = (kind.field(), FieldValue::Id(id));
        let leads = self.state.leads.values().filter(|lead| field.read(lead).items().contains(&term)).count();
        let costs =
            self.state.costs.values().filter(|cost| {
                kind == TermKind::Source && cost.fields.source.map(SourceId::as_uuid) == Some(id)
            });
        let used = leads.saturating_add(costs.count());
        let used = used.saturating_add(self.holders(kind, id, usize::MAX)?.len());
        Ok(u64::try_from(used).unwrap_or(u64::MAX))
    }

    fn holders(&mut self, kind: TermKind, id: Uuid, limit: usize) -> Result<Vec<Subject>> {
        let accounts = self.state.accounts.values().filter(|account| {
            kind == TermKind::Category && account.fields.category.map(CategoryId::as_uuid) == Some(id)
        });
        let opportunities = self.state.opportunities.values().filter(|one| match kind {
            TermKind::Source => one.fields.source.map(SourceId::as_uuid) == Some(id),
            TermKind::LostReason => {
                one.end.as_ref().and_then(|end| end.reason).map(LostReasonId::as_uuid) == Some(id)
            }
            _ => false,
        });
        let accounts = accounts.map(|account| Subject::from(account.id));
        let opportunities = opportunities.map(|one| Subject::from(one.id));
        Ok(accounts.chain(opportunities).take(limit).collect())
    }
}

impl Settings for MemoryTxn {
    fn load(&mut self, name: SettingName) -> Result<Option<(Revision, String)>> {
        Ok(self.state.settings.get(&name).cloned())
    }

    fn save(&mut self, name: SettingName, expected: Option<Revision>, json: &str) -> Result<Revision> {
        let state = self.writable()?;
        let found = state.settings.get(&name).map_or(Revision::new(0), |(revision, _)| *revision);
        let expected = expected.unwrap_or(Revision::new(0));
        check_revision("setting", found, expected)?;
        let next = expected.next();
        state.settings.insert(name, (next, json.to_owned()));
        Ok(next)
    }
}
