//! Databases of each size, built once for a run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use leadcore::domain::{Catalogue, CustomField, CustomType, Pipeline, Stage};
use leadcore::prelude::*;
use leadcore::testkit::fixtures::realistic_leads;
use leadcore_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

pub(crate) const TENANT: &str = "bench";
const OWNERS: usize = 20;
/// The stages in which a lead may be idle for a week.
pub(crate) const ROTS: [&str; 3] = ["New", "Contacted", "Qualified"];
/// Who has read every lead.
pub(crate) const READER: &str = "user4";
/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// A clock on which every look is a millisecond later: no two leads were written at once.
#[derive(Debug, Default)]
pub(crate) struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let millis = self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_micros(1_780_000_000_000_000 + millis * 1_000).unwrap()
    }
}

/// Who asks.
#[derive(Debug)]
pub(crate) struct Scene {
    tenant: TenantId,
    clock: Ticking,
    ids: RandomIds,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self { tenant: TENANT.parse().unwrap(), clock: Ticking::default(), ids: RandomIds::new() }
    }

    pub(crate) fn ctx(&self) -> Context<'_> {
        self.ctx_of("ada")
    }

    pub(crate) fn ctx_of(&self, user: &str) -> Context<'_> {
        self.acting(Actor::User(user.parse().unwrap()))
    }

    fn acting(&self, actor: Actor) -> Context<'_> {
        Context::new(&self.tenant, actor, &self.clock, &self.ids, &AllowAll)
    }
}

/// One database full of leads, open in both ways.
pub(crate) struct Full {
    pub(crate) size: usize,
    pub(crate) path: PathBuf,
    pub(crate) scene: Scene,
    pub(crate) store: SqliteStore,
    pub(crate) bare: Connection,
    pub(crate) pipeline: Pipeline,
    pub(crate) sources: Vec<SourceId>,
}

/// A connection as leadcore's own: what a commit waits for, what is checked and what is cached.
pub(crate) fn bare(path: &Path) -> Connection {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;
         PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON; PRAGMA cache_size=-16384;
         PRAGMA journal_size_limit=16777216;",
    )
    .unwrap();
    // Else SQLite prepares many statements anew at each call, which would make leadcore look fast.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
    conn.busy_timeout(std::time::Duration::from_secs(60)).unwrap();
    conn.set_prepared_statement_cache_capacity(128);
    conn
}

pub(crate) fn owner(n: usize) -> UserId {
    format!("user{}", n % OWNERS).parse().unwrap()
}

pub(crate) const BUDGET: &str = "x_budget";
pub(crate) const SCORE: &str = "x_score";
/// One open lead of so many is converted.
const CONVERTED: usize = 50;

pub(crate) fn field(key: &str) -> Field {
    key.parse().unwrap()
}

/// A budget that three leads of four have, a score that every lead has.
fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::standard();
    let money = CustomType::Money(Some("NOK".parse().unwrap()));
    for (key, label, kind) in [(BUDGET, "Budget", money), (SCORE, "Score", CustomType::Integer)] {
        catalogue.set_custom_field(CustomField::new(key.parse().unwrap(), label, kind));
    }
    catalogue
}

/// Seven stages, of which four take most leads, as on a board that is in use.
fn seven_stages(ctx: &Context<'_>, txn: &mut dyn Txn) -> Result<Pipeline> {
    let stages: Vec<Stage> = ["New", "Contacted", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]
        .iter()
        .map(|name| {
            let kind = match *name {
                "Won" => StageKind::Won,
                "Lost" => StageKind::Lost,
                _ => StageKind::Open,
            };
            let mut stage = desk::pipelines::new_stage(ctx, name, kind);
            stage.idle_days = ROTS.contains(name).then_some(7);
            stage
        })
        .collect();
    desk::pipelines::add(ctx, txn, "Bench", stages)
}

/// The lead with this place: three of four with a budget, all with a score, in one of these stages.
fn draft(
    n: usize,
    fields: &LeadFields,
    (catalogue, sources, stages): (&Catalogue, &[SourceId], &[StageId]),
) -> LeadDraft {
    let n = n.wrapping_mul(2_654_435_761) >> 8;
    let mut fields = fields.clone();
    fields.owner = (!(n / 1_680).is_multiple_of(10)).then(|| owner(n));
    fields.source = sources.get(n / OWNERS % 12).copied();
    let mut say = |key: &str, value: usize| {
        let value = i64::try_from(value).unwrap().into();
        catalogue.write(&field(key), &mut fields, &value).unwrap();
    };
    if !(n / 1_680).is_multiple_of(4) {
        say(BUDGET, n / 6_720 % 1_000_000);
    }
    say(SCORE, n / 7 % 1_000);
    let mut draft = LeadDraft::from(fields);
    draft.stage = stages.get(n / 240 % stages.len()).copied();
    draft
}

fn fill(path: &Path, size: usize) {
    let store = SqliteStore::open_with(path, &SqliteOptions::new().cache_mib(256)).unwrap();
    let scene = Scene::new();
    // A user who creates a lead without an owner is its owner; the host is nobody's.
    let ctx = scene.acting(Actor::System);
    let catalogue = catalogue();
    let (pipeline, sources) = store
        .write(ctx.tenant(), |txn| {
            desk::settings::set_catalogue(&ctx, txn, None, &catalogue)?;
            let pipeline = seven_stages(&ctx, txn)?;
            let sources = (0..10).map(|n| desk::vocabulary::add(&ctx, txn, &format!("Source {n}"), None));
            let sources: Result<Vec<_>> = sources.map(|term| term.map(|term| term.id)).collect();
            Ok((pipeline, sources?))
        })
        .unwrap();
    let leads = realistic_leads(size, 7);
    let stages: Vec<StageId> = pipeline.stages.iter().map(|stage| stage.id).collect();
    for (chunk, leads) in leads.chunks(10_000).enumerate() {
        store
            .write(ctx.tenant(), |txn| {
                let drafts = leads
                    .iter()
                    .enumerate()
                    .map(|(n, fields)| draft(chunk * 10_000 + n, fields, (&catalogue, &sources, &stages)));
                let made = desk::leads::create_many(&ctx, txn, drafts.collect())?;
                let options = desk::convert::ConversionOptions::default();
                let open = &pipeline.stages[..5];
                let worked = made.iter().filter(|lead| open.iter().any(|stage| stage.id == lead.stage));
                worked
                    .step_by(CONVERTED)
                    .try_for_each(|lead| desk::convert::convert(&ctx, txn, lead.id, &options).map(drop))
            })
            .unwrap();
    }
    let reader = scene.ctx_of(READER);
    store.write(ctx.tenant(), |txn| desk::leads::mark_all_read(&reader, txn)).unwrap();
}

impl Full {
    /// Opens the database of this size in `dir`, where it is built if it is not there.
    pub(crate) fn open(dir: &Path, size: usize) -> Self {
        let path = dir.join(format!("leads-{size}.db"));
        if !path.exists() {
            eprintln!("building {size} leads");
            let unfinished = dir.join(format!("unfinished-{size}.db"));
            let _ = fs::remove_file(&unfinished);
            fill(&unfinished, size);
            SqliteStore::open(&unfinished).unwrap().backup_to(&path).unwrap();
            fs::remove_file(&unfinished).unwrap();
        }
        Self::at(path, size)
    }

    fn at(path: PathBuf, size: usize) -> Self {
        let (scene, store) = (Scene::new(), SqliteStore::open(&path).unwrap());
        // A month after the leads came in.
        scene.clock.0.store(30 * DAY / 1_000, Ordering::Relaxed);
        let ctx = scene.ctx();
        let (pipeline, sources) = store
            .read(ctx.tenant(), |txn| {
                let all = desk::pipelines::list(&ctx, txn)?;
                let pipeline = all.into_iter().find(|pipeline| pipeline.name == "Bench").unwrap();
                let sources = desk::vocabulary::list::<SourceId>(&ctx, txn)?;
                Ok((pipeline, sources.into_iter().map(|term| term.id).collect()))
            })
            .unwrap();
        let bare = bare(&path);
        Self { size, path, scene, store, bare, pipeline, sources }
    }

    /// A copy that may be written to.
    pub(crate) fn copy(&self, dir: &Path, name: &str) -> Self {
        let path = dir.join(format!("{name}-{}.db", self.size));
        self.store.backup_to(&path).unwrap();
        Self::at(path, self.size)
    }

    /// More leads like the others, all of them open.
    pub(crate) fn add_open(&self, count: usize) {
        let ctx = self.scene.acting(Actor::System);
        let (catalogue, mut leads) = (catalogue(), realistic_leads(count, 8));
        // The leads that are there have those.
        leads.iter_mut().for_each(|lead| lead.external_ids = Default::default());
        let open: Vec<StageId> = self.pipeline.stages[..5].iter().map(|stage| stage.id).collect();
        for (chunk, leads) in leads.chunks(10_000).enumerate() {
            let drafts = leads.iter().enumerate().map(|(n, fields)| {
                draft(self.size + chunk * 10_000 + n, fields, (&catalogue, &self.sources, &open))
            });
            let drafts: Vec<_> = drafts.collect();
            let made =
                self.store.write(ctx.tenant(), |txn| desk::leads::create_many(&ctx, txn, drafts.clone()));
            assert_eq!(made.unwrap().len(), leads.len());
        }
    }
}
