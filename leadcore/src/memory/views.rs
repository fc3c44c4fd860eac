//! Saved views and read marks in memory.

use std::sync::Arc;

use crate::domain::{Lead, LinkRole, SavedView, Subject, ViewPreferences};
use crate::error::{Error, Result};
use crate::id::{LeadId, UserId, ViewId};
use crate::query::Facts;
use crate::store::{Marks, Views, WhichViews};
use crate::time::Timestamp;

use super::{MemoryTxn, State, check_revision, exists, previous};

impl State {
    fn check_view_name(&self, view: &SavedView) -> Result<()> {
        let taken = self
            .views
            .values()
            .any(|known| known.id != view.id && known.owner == view.owner && known.key() == view.key());
        if taken { Err(exists("view", "name")) } else { Ok(()) }
    }
}

impl Views for MemoryTxn {
    fn insert(&mut self, view: &SavedView) -> Result<()> {
        let state = self.writable()?;
        state.check_view_name(view)?;
        if state.views.contains_key(&view.id) {
            return Err(exists("view", "id"));
        }
        state.views.insert(view.id, view.clone());
        Ok(())
    }

    fn update(&mut self, view: &SavedView) -> Result<()> {
        let state = self.writable()?;
        let stored = state.views.get(&view.id).ok_or_else(|| Error::not_found("view"))?;
        check_revision("view", stored.revision, previous(view.revision))?;
        state.check_view_name(view)?;
        state.views.insert(view.id, view.clone());
        Ok(())
    }

    fn remove(&mut self, id: ViewId) -> Result<()> {
        self.writable()?.views.remove(&id).map(|_| ()).ok_or_else(|| Error::not_found("view"))
    }

    fn get(&mut self, id: ViewId) -> Result<Option<SavedView>> {
        Ok(self.state.views.get(&id).cloned())
    }

    fn list(&mut self, which: WhichViews<'_>) -> Result<Vec<SavedView>> {
        let views = self.state.views.values();
        let is_one = |view: &&SavedView| match which {
            WhichViews::Shared => view.shared,
            WhichViews::Of(user) => view.shared || view.owner.as_ref() == Some(user),
            WhichViews::All => true,
        };
        let mut views: Vec<_> = views.filter(is_one).cloned().collect();
        views.sort_by_key(|view| (view.key(), view.id));
        Ok(views)
    }

    fn preferences(&mut self, user: &UserId) -> Result<ViewPreferences> {
        Ok(self.state.preferences.get(user).cloned().unwrap_or_default())
    }

    fn set_preferences(&mut self, user: &UserId, preferences: &ViewPreferences) -> Result<()> {
        self.writable()?.preferences.insert(user.clone(), preferences.clone());
        Ok(())
    }
}

impl Facts for State {
    fn has_read(&self, user: &UserId, lead: &Lead) -> bool {
        let marked = self.marks.get(&(user.clone(), lead.id)).copied();
        marked.unwrap_or_else(|| self.marked_until.get(user).is_some_and(|until| lead.created_at <= *until))
    }

    fn has_link(&self, lead: &Lead, role: LinkRole) -> bool {
        let subject = Subject::from(lead.id);
        self.links.iter().any(|link| link.from == subject && link.role == role)
    }

    fn follows(&self, user: &UserId, lead: &Lead) -> bool {
        self.followers.contains_key(&(lead.id.into(), user.clone()))
    }
}

impl Marks for MemoryTxn {
    fn mark(&mut self, user: &UserId, leads: &[LeadId], read: bool) -> Result<()> {
        let state = self.writable()?;
        let known: Vec<_> = leads.iter().filter(|id| state.leads.contains_key(*id)).copied().collect();
        Arc::make_mut(&mut state.marks).extend(known.into_iter().map(|id| ((user.clone(), id), read)));
        Ok(())
    }

    fn mark_all(&mut self, user: &UserId, until: Timestamp) -> Result<()> {
        let state = self.writable()?;
        let leads = Arc::clone(&state.leads);
        let covered = |id: &LeadId| leads.get(id).is_some_and(|lead| lead.created_at <= until);
        Arc::make_mut(&mut state.marks).retain(|(owner, id), _| owner != user || !covered(id));
        let known = state.marked_until.entry(user.clone()).or_insert(until);
        *known = until.max(*known);
        Ok(())
    }

    fn read_by(&mut self, user: &UserId, leads: &[LeadId]) -> Result<Vec<LeadId>> {
        let read =
            |id: &&LeadId| self.state.leads.get(*id).is_some_and(|lead| self.state.has_read(user, lead));
        Ok(leads.iter().filter(read).copied().collect())
    }
}
