//! The handle: an opened store, a tenant, an actor, a policy, and perhaps an open transaction.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{FixedOffset, Offset, Utc};
use leadcore::context::Context;
use leadcore::domain::Actor;
use leadcore::error::{Error, ErrorKind, Result, ViolationCode};
use leadcore::id::{TenantId, UserId};
use leadcore::policy::{AllowAll, Policy, Role, RoleTable};
use leadcore::store::{Store, StoreExt, Txn, nested};
use pyo3::prelude::*;

use crate::convert::{Text, check_path};
use crate::engine::{Backend, Engine, detached, guarded};
use crate::errors::{invalid, raise};
use crate::hints::shortened;
use crate::host::{Call, Host, Watched};
use crate::output::Untouchable;
use crate::unit::{Answer, Asking, Unit};

/// Who asks, of which tenant, of which store. Cheap to copy: views for other users share the store.
#[pyclass(frozen, module = "leadcore._leadcore")]
#[derive(Debug, Clone)]
pub(crate) struct Session {
    engine: Arc<Engine>,
    who: Arc<Who>,
    unit: Option<Arc<Unit>>,
}

#[derive(Debug, Clone)]
struct Who {
    tenant: TenantId,
    actor: Actor,
    policy: Arc<dyn Policy>,
    offset: FixedOffset,
    team: Option<Vec<UserId>>,
    host: Host,
}

impl Who {
    fn context<'c>(&'c self, engine: &'c Engine, call: &'c Call) -> Context<'c> {
        let actor = self.actor.clone();
        let mut ctx = Context::new(&self.tenant, actor, call, &engine.ids, self.policy.as_ref())
            .with_utc_offset(self.offset);
        if let Some(rule) = call.tax_rule() {
            ctx = ctx.with_tax_rule(rule);
        }
        match &self.team {
            Some(team) => ctx.with_team(team.iter().cloned()),
            None => ctx,
        }
    }
}

impl Session {
    /// Runs `work` on a consistent view, detached from the interpreter.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        py: Python<'_>,
        work: impl Fn(&Context<'_>, &mut dyn Txn) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let (engine, who, unit) = (Arc::clone(&self.engine), Arc::clone(&self.who), self.unit.clone());
        let call = who.host.call(py)?;
        let asked = call.clone();
        let result = detached(py, move || {
            let backend = engine.backend()?;
            let with = in_context(Arc::clone(&engine), who, asked, work);
            match unit {
                Some(unit) => unit.run(with.1),
                None => backend.store().read(&with.0, with.1),
            }
        });
        call.told(py, result)
    }

    /// Runs `work` in a transaction, detached from the interpreter: all of it is kept, or nothing.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        py: Python<'_>,
        work: impl Fn(&Context<'_>, &mut dyn Txn) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let (engine, who, unit) = (Arc::clone(&self.engine), Arc::clone(&self.who), self.unit.clone());
        let call = who.host.call(py)?;
        let asked = call.clone();
        let result = detached(py, move || {
            let backend = engine.backend()?;
            let with = in_context(Arc::clone(&engine), who, asked, work);
            match unit {
                // A failed call inside a transaction leaves nothing behind, so that the caller may go on.
                Some(unit) => unit.run(move |txn| nested(txn, |txn| guarded(|| with.1(txn)))),
                None => backend.store().write(&with.0, |txn| guarded(|| with.1(txn))),
            }
        });
        call.told(py, result)
    }
}

impl Session {
    /// [`write`](Self::write) inside an open transaction, with questions to this thread in the middle of it, which is
    /// detached too. What answers may use the transaction.
    pub(crate) fn write_asking<T: Send + 'static, Q: Send + 'static>(
        &self,
        py: Python<'_>,
        work: impl Fn(&Context<'_>, &mut dyn Txn, &Asking<'_, Q>) -> Result<T> + Send + 'static,
        answer: impl FnMut(Q) -> Answer + Send,
    ) -> PyResult<T> {
        let (engine, who, unit) = (Arc::clone(&self.engine), Arc::clone(&self.who), self.unit.clone());
        let call = who.host.call(py)?;
        let asked = call.clone();
        let result = detached(py, move || {
            engine.check_process()?;
            let unit = unit.ok_or_else(|| Error::new(ErrorKind::Unsupported, "there is no transaction"))?;
            let inside = move |txn: &mut dyn Txn, asking: &Asking<'_, Q>| {
                let work = |txn: &mut dyn Txn| asked.check(work(&who.context(&engine, &asked), txn, asking));
                nested(txn, |txn| guarded(|| work(txn)))
            };
            unit.run_asking(inside, answer)
        });
        call.told(py, result)
    }

    /// What no call writes over: the database.
    pub(crate) fn untouchable(&self, py: Python<'_>) -> PyResult<Untouchable> {
        let backend = self.engine.backend().map_err(|error| raise(py, &error))?;
        Ok(Untouchable::database(backend.path(), backend.files_in()))
    }

    fn with(&self, who: Who) -> Self {
        Self { who: Arc::new(who), ..self.clone() }
    }

    /// Runs `work`, which opens transactions of its own, detached from the interpreter.
    pub(crate) fn with_store<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Context<'_>, &dyn Store) -> Result<T> + Send,
    ) -> PyResult<T> {
        let call = self.who.host.call(py)?;
        let result = detached(py, || {
            let backend = self.engine.backend()?;
            if self.unit.is_some() {
                let message = "this call has transactions of its own: run it outside of this one";
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
            work(&self.who.context(&self.engine, &call), &Watched { store: backend.store(), call: &call })
        });
        call.told(py, result)
    }
}

/// The tenant, and `work` with a context around it.
fn in_context<T>(
    engine: Arc<Engine>,
    who: Arc<Who>,
    call: Call,
    work: impl Fn(&Context<'_>, &mut dyn Txn) -> Result<T> + Send + 'static,
) -> (TenantId, impl Fn(&mut dyn Txn) -> Result<T> + Send + 'static) {
    let tenant = who.tenant.clone();
    let with = move |txn: &mut dyn Txn| call.check(work(&who.context(&engine, &call), txn));
    (tenant, with)
}

fn actor(py: Python<'_>, user: Option<Text>) -> PyResult<Actor> {
    let Some(user) = user else { return Ok(Actor::System) };
    UserId::new(user.0).map(Actor::User).map_err(|error| raise(py, &error.at("user").into()))
}

fn team(py: Python<'_>, users: Option<Vec<Text>>) -> PyResult<Option<Vec<UserId>>> {
    let Some(users) = users else { return Ok(None) };
    let users = users.into_iter().map(|user| UserId::new(user.0)).collect::<std::result::Result<_, _>>();
    users.map(Some).map_err(|error| raise(py, &error.at("team").into()))
}

fn policy(py: Python<'_>, table: Option<Text>) -> PyResult<Arc<dyn Policy>> {
    let Some(table) = table else { return Ok(Arc::new(AllowAll)) };
    let table: RoleTable = serde_json::from_str(&table.0).map_err(|_| {
        invalid(
            py,
            "policy",
            ViolationCode::Malformed,
            "this is not the data of a role table, or a user has a role that it has not",
        )
    })?;
    Ok(Arc::new(table))
}

#[pymethods]
impl Session {
    /// Opens a store; `path` none means in memory. `clock` gives the time, `tax_rule` checks tax numbers; the content of
    /// files lies in the directory `files_in`, where one is given.
    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "the keyword arguments of one Python function")]
    fn open(
        py: Python<'_>,
        path: Option<PathBuf>,
        tenant: Text,
        user: Option<Text>,
        roles: Option<Text>,
        clock: Option<Py<PyAny>>,
        tax_rule: Option<Py<PyAny>>,
        files_in: Option<PathBuf>,
    ) -> PyResult<Self> {
        let tenant = TenantId::new(tenant.0).map_err(|error| raise(py, &error.at("tenant").into()))?;
        let (offset, team, host) = (Utc.fix(), None, Host::new(clock, tax_rule));
        let who = Who { tenant, actor: actor(py, user)?, policy: policy(py, roles)?, offset, team, host };
        for (name, path) in [("path", &path), ("files_in", &files_in)] {
            if let Some(path) = path {
                check_path(name, path).map_err(|error| raise(py, &error))?;
            }
        }
        let backend = detached(py, || Backend::open(path, files_in)).map_err(|error| raise(py, &error))?;
        Ok(Self { engine: Arc::new(Engine::new(backend)), who: Arc::new(who), unit: None })
    }

    /// The same store for another actor of this team.
    fn as_user(&self, py: Python<'_>, user: Option<Text>, team: Option<Vec<Text>>) -> PyResult<Self> {
        let (actor, team) = (actor(py, user)?, self::team(py, team)?);
        Ok(self.with(Who { actor, team, ..self.who.as_ref().clone() }))
    }

    /// The same actor, so many seconds east of UTC.
    fn at_offset(&self, py: Python<'_>, seconds: i64) -> PyResult<Self> {
        let Some(offset) = i32::try_from(seconds).ok().and_then(FixedOffset::east_opt) else {
            let message = "an offset from UTC is less than a day";
            return Err(invalid(py, "utc_offset", ViolationCode::OutOfRange, message));
        };
        Ok(self.with(Who { offset, ..self.who.as_ref().clone() }))
    }

    /// Begins a transaction; inside one, a savepoint.
    fn begin(&self, py: Python<'_>) -> PyResult<Self> {
        let unit = detached(py, || match &self.unit {
            Some(unit) => {
                self.engine.check_process()?;
                unit.savepoint()
            }
            None => Unit::begin(self.engine.backend()?, self.who.tenant.clone()),
        });
        let unit = unit.map_err(|error| raise(py, &error))?;
        Ok(Self { unit: Some(Arc::new(unit)), ..self.clone() })
    }

    /// The same session inside the transaction of `other`.
    fn within(&self, other: &Self) -> Self {
        Self { unit: other.unit.clone(), ..self.clone() }
    }

    /// Ends the transaction that `begin` began.
    fn end(&self, py: Python<'_>, commit: bool) -> PyResult<()> {
        let result = detached(py, || {
            self.engine.check_process()?;
            let unit = self.unit.as_ref();
            unit.ok_or_else(|| Error::new(ErrorKind::Unsupported, "there is no transaction"))?.end(commit)
        });
        result.map_err(|error| raise(py, &error))
    }

    /// Closes the store once the calls that are under way have ended. A second close does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let closed = detached(py, || {
            self.engine.close();
            Ok(())
        });
        closed.map_err(|error| raise(py, &error))
    }

    /// Writes a copy of the file.
    fn backup_to(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let done = detached(py, || {
            check_path("path", &path)?;
            let backend = self.engine.backend()?;
            // Of the database itself it says that it is there.
            if !path.exists() {
                Untouchable::database(backend.path(), backend.files_in()).check("path", &path)?;
            }
            backend.backup_to(&path)
        });
        done.map_err(|error| raise(py, &error))
    }

    /// Where the file is; none in memory.
    fn path(&self, py: Python<'_>) -> PyResult<Option<PathBuf>> {
        let path = detached(py, || Ok(self.engine.backend()?.path().map(Into::into)));
        path.map_err(|error| raise(py, &error))
    }

    /// Removes contents that no file has: how many, their bytes, and how many temporary files.
    fn sweep_files(&self, py: Python<'_>) -> PyResult<(u64, u64, u64)> {
        let swept = detached(py, || self.engine.backend()?.sweep_files());
        swept.map_err(|error| raise(py, &error))
    }

    /// Write transactions committed, writes run again, and the longest wait for a turn in seconds.
    fn stats(&self, py: Python<'_>) -> PyResult<(u64, u64, f64)> {
        let stats = detached(py, || Ok(self.engine.backend()?.stats()));
        stats.map_err(|error| raise(py, &error))
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.engine.is_closed()
    }

    /// Whose leads.
    #[getter]
    fn tenant(&self) -> &str {
        self.who.tenant.as_str()
    }

    /// Who asks.
    #[getter]
    fn user(&self) -> Option<&str> {
        self.who.actor.user().map(UserId::as_str)
    }

    /// What tells transactions of one store from those of another.
    #[getter]
    fn key(&self) -> usize {
        Arc::as_ptr(&self.engine).addr()
    }
}

/// The data of a ready-made role, as JSON: `manager`, `salesperson` or `viewer`.
#[pyfunction]
pub(crate) fn preset_role(py: Python<'_>, name: &str) -> PyResult<String> {
    let role = match name {
        "manager" => Role::manager(),
        "salesperson" => Role::salesperson(),
        "viewer" => Role::viewer(),
        _ => {
            return Err(invalid(
                py,
                "role",
                ViolationCode::Unknown,
                "there is no ready-made role of this name",
            ));
        }
    };
    crate::convert::to_json(py, &role)
}

/// Refuses keys of fields that do not exist or cannot be hidden.
#[pyfunction]
pub(crate) fn check_hidden(py: Python<'_>, fields: Vec<Text>) -> PyResult<()> {
    for Text(key) in fields {
        let hidden = key.parse().and_then(|field| Role::new().hide(field));
        hidden.map_err(|error| raise(py, &error.at(format!("hidden.{}", shortened(&key))).into()))?;
    }
    Ok(())
}

/// Whether there is a time zone of this name.
#[pyfunction]
pub(crate) fn zone_known(name: &str) -> bool {
    name.parse::<chrono_tz::Tz>().is_ok()
}

/// For the tests: panics in the middle of a write.
#[cfg(feature = "testing")]
#[pyfunction]
#[expect(clippy::panic, reason = "the tests need a panic to see what becomes of one")]
pub(crate) fn _panic(py: Python<'_>, session: &Session) -> PyResult<()> {
    session.write(py, |_, _| panic!("a panic that was asked for"))
}
